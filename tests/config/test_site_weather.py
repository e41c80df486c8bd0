"""The weather file of a site: read, judged against the site, and carried by every recording."""

import json
import math
import shutil
import sys
from pathlib import Path

import pytest

from opencram.ballistics.environment import AIR_BOTTOM_M, AIR_STEP_M, DENSITY, WIND_EAST
from opencram.config.scenario import parse_scenario
from opencram.config.site import load_site, parse_site, site_notes
from opencram.config.weather import short_notes
from opencram.earth.profile import Profile
from opencram.errors import ConfigError
from opencram.runtime.configure import configure
from opencram.runtime.fallbacks import weather_health
from opencram.runtime.survey import lines
from opencram.simulation.flights import true_environment
from opencram.simulation.model import Air

sys.path.append(str(Path(__file__).parent.parent / "earth"))
import met_messages as made

RAID = Path(__file__).parent.parent.parent / "examples" / "seven-rockets"


@pytest.fixture
def place(tmp_path):
    """A site of its own, whose `[weather]` can be written anew."""
    for path in RAID.iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path)
    return tmp_path


def write(place, weather, met=None, name="met.txt"):
    text = (RAID / "site.toml").read_text()
    start = text.index("[weather]")
    (place / "site.toml").write_text(text[:start] + f"[weather]\n{weather}\n\n" + text[text.index("\n\n", start) + 2 :])
    if met is not None:
        (place / name).write_text(met)
    return place / "site.toml"


def faults(path):
    with pytest.raises(ConfigError) as error:
        load_site(path)
    return error.value.faults


@pytest.mark.parametrize("form", ["metcm", "csv", "igra2", "wyoming", "temp"])
@pytest.mark.parametrize("told", [False, True])
def test_every_text_format_by_name_and_by_itself(place, form, told):
    maker = {"igra2": made.igra}.get(form) or getattr(made, form)
    site = load_site(write(place, 'file = "met.txt"' + (f'\nformat = "{form}"' if told else ""), maker()))
    assert site.weather.sounding.format.lower() in form
    profile = configure(site).prediction.profile
    assert isinstance(profile, Profile)
    assert configure(site).tracking.profile == profile
    assert float(profile.air_at(5000.0).virtual_temperature_k) == pytest.approx(made.temperature_k(5000.0), abs=0.5)


def test_the_text_of_the_site_holds_the_air_and_needs_no_file(place):
    site = load_site(write(place, 'file = "met.txt"\ngeoid_height_m = -4.5', made.metcm()))
    again = parse_site(site.text, "elsewhere/site.toml")
    assert again == site
    assert again.sha256 == site.sha256
    assert configure(again).prediction == configure(site).prediction
    assert configure(site).prediction.profile.geoid_m == -4.5
    assert site_notes(again) == site_notes(site)
    assert sum("US table" in note for note in site_notes(site)) == 1


def test_zones_and_weather_files_together(place):
    path = write(place, 'file = "met.txt"', made.metcm())
    text = path.read_text()
    corners = [[44.39, 33.29], [44.41, 33.29], [44.41, 33.31], [44.39, 33.29]]
    feature = {"type": "Feature", "properties": {"id": "geo", "population": 5, "shelter_time_s": 5.0},
               "geometry": {"type": "Polygon", "coordinates": [corners]}}  # fmt: skip
    (place / "zones.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    path.write_text(text + '\n[zones]\nfile = "zones.geojson"\n')
    site = load_site(path)
    assert "geo" in [zone.id for zone in site.zones]
    assert parse_site(site.text, "elsewhere/site.toml") == site


def test_check_shows_what_was_read(place):
    told = "\n".join(lines(load_site(write(place, 'file = "met.txt"', made.metcm()))))
    assert "Weather file: METCM, datum at 40 m, 27 lines, 33.30° N 44.40° E" in told
    assert "of ISA" in told
    assert "5000 m" in told


def test_a_sounding_that_ends_at_3_km_is_told_before_a_run(place):
    low = load_site(write(place, 'file = "met.txt"', made.csv((40.0, 1000.0, 3000.0))))
    assert any("air ends at 3000 m" in note for note in short_notes(low.weather))
    assert any("air ends at 3000 m" in note for note in site_notes(low))
    high = load_site(write(place, 'file = "met.txt"', made.metcm()))
    assert short_notes(high.weather) == []


def test_a_ballistic_message_leaves_the_air_as_it_was(place):
    text = "METB33 333444 071265 004995\n00210 5011957\n012206 012958\n"
    site = load_site(write(place, 'file = "met.txt"\nwind_east_m_s = 3.0', text))
    assert configure(site).prediction.profile is None
    assert configure(site).prediction.wind_m_s == (3.0, 0.0)
    assert "no flight uses it" in short_notes(site.weather)[0]


@pytest.mark.parametrize(
    ("weather", "met", "at", "words"),
    [
        ('file = "absent.txt"', None, "$.weather.file", "cannot be read"),
        ('file = "met.txt"', "hello", "met.txt: line 1", "no weather text"),
        ('file = "met.txt"\nformat = "metar"', made.metcm(), "$.weather.format", "must be one of"),
        ('file = "met.txt"\nformat = "igra2"', made.metcm(), "met.txt: line 1", "must begin with a header"),
        ('file = "met.txt"\nwind_east_m_s = 2', made.metcm(), "$.weather.wind_east_m_s", "measured"),
        ('file = "met.txt"', made.metcm(head="METCM0 333444 071265 004008"), "$.weather.file", "km from the site"),
        ('format = "csv"', None, "$.weather.file", "is required"),
        ('file = "met.txt"\ntime = "yesterday"', made.igra(), "$.weather.time", "UTC time"),
        ('file = "met.txt"\ngeoid_height_m = 4000', made.metcm(), "$.weather.geoid_height_m", "<= 100"),
    ],
)
def test_faults_are_told_with_place_and_remedy(place, weather, met, at, words):
    [fault] = faults(write(place, weather, met))
    assert fault.place == at
    assert words in str(fault)
    assert fault.remedy


def test_weather_must_be_a_table_of_its_own_to_be_recorded(place):
    path = write(place, 'file = "met.txt"', made.metcm())
    text = path.read_text().replace('[weather]\nfile = "met.txt"\n', "")
    path.write_text('weather = { file = "met.txt" }\n' + text)
    [fault] = faults(path)
    assert fault.place == "$.weather"


def test_of_an_archive_the_time_that_is_asked_for(place):
    text = made.igra(date="2026 03 13 12") + made.igra(date="2026 03 14 12")
    asked = load_site(write(place, 'file = "met.txt"\ntime = 2026-03-13T13:00:00Z', text))
    assert asked.weather.sounding.time == "2026-03-13 12 h UTC"
    assert load_site(write(place, 'file = "met.txt"', text)).weather.sounding.time == "2026-03-14 12 h UTC"
    assert parse_site(asked.text, "x") == asked


def test_a_recording_replays_without_the_weather_file(place, opencram):
    """Processed with a low sounding, the file gone: the same bytes; and the weather moved the impacts."""
    path = write(place, 'file = "met.txt"', made.csv((40.0, 1000.0, 3000.0)))
    plots = [line for line in (RAID / "plots.ndjson").read_text().splitlines(keepends=True)[:500]]
    (place / "plots.ndjson").write_text("".join(plots))

    def impacts(name):
        opencram("process", path, "--plots", place / "plots.ndjson", "--recording", place / f"{name}.opencram",
                 "--events", place / f"{name}.ndjson", "--no-live")  # fmt: skip
        events = [json.loads(line) for line in (place / f"{name}.ndjson").read_text().splitlines()]
        return {(e["track"], e["time"]): e["position_enu_m"] for e in events if e["type"] == "impact"}

    measured = impacts("measured")
    (place / "met.txt").unlink()
    assert "Identical" in opencram("replay", place / "measured.opencram").stdout
    write(place, "wind_east_m_s = 2.0")
    plain = impacts("plain")
    moved_m = [math.dist(measured[key], plain[key]) for key in measured.keys() & plain.keys()]
    assert moved_m
    assert max(moved_m) > 20.0


def test_a_scenario_flies_through_the_weather_file_of_its_site_unless_it_has_weather_of_its_own(place):
    write(place, 'file = "met.txt"', made.metcm())
    head = '[scenario]\nsite = "site.toml"\nduration_s = 60.0\n'
    believed = parse_scenario(head, place / "scenario.toml")
    own = parse_scenario(head + "[weather]\nwind_east_m_s = 1.0\n", place / "scenario.toml")
    assert (believed.weather.as_measured, own.weather.as_measured) == (True, False)
    profile = configure(believed.site).prediction.profile
    site = believed.site
    env = true_environment(Air(profile=profile), site.latitude_rad, site.height_m, site.ground_height_m)
    row = round((5000.0 - AIR_BOTTOM_M) / AIR_STEP_M)
    assert env.air[row, DENSITY] == pytest.approx(float(profile.air_at(5000.0).density_kg_m3))
    assert env.air[row, WIND_EAST] == pytest.approx(float(profile.wind_at(5000.0)[0]))


def test_a_run_says_first_that_its_sounding_ends_low(place):
    low = load_site(write(place, 'file = "met.txt"', made.csv((40.0, 1000.0, 3000.0))))
    said = weather_health(low, 77)
    assert [(health.t_ns, health.part, health.state) for health in said] == [(77, "weather", "degraded")] * 2
    assert "air ends at 3000 m" in said[0].reason
    assert weather_health(load_site(RAID / "site.toml"), 77) == []
