"""Scenario files: what is left out comes from the site; every fault is told at once."""

import math
from pathlib import Path

import pytest

from opencram.config.scenario import load_scenario, parse_scenario, scenario_notes
from opencram.config.scenario_model import EnuPlace, GeodeticPlace, TruthWeather
from opencram.errors import ConfigError

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "seven-rockets"

HEAD = """
[scenario]
site = "site.toml"
duration_s = 60
"""
LAUNCH = """
[[launch]]
time_s = 5
class = "mortar"
latitude_deg = 33.32
longitude_deg = 44.45
speed_m_s = 280.0
azimuth_deg = -90.0
elevation_deg = 60.0
"""


def parse(text):
    return parse_scenario(text, FOLDER / "made-up.toml")


def faults(text):
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return caught.value.faults


def test_the_seven_rockets_are_read():
    scenario = load_scenario(FOLDER / "scenario.toml")
    assert (scenario.name, scenario.seed, len(scenario.launches)) == ("seven rockets", 7, 7)
    assert scenario.start_t_ns == 1_767_225_600_000_000_000
    assert scenario.launches[0].aim == EnuPlace(east_m=60.0, north_m=-40.0)
    assert scenario.launches[0].speed_m_s is None
    assert [radar.sensor for radar in scenario.radars] == ["north", "south"]
    assert scenario_notes(scenario, FOLDER / "scenario.toml") == []


def test_what_is_left_out_is_as_the_site_has_it():
    scenario = parse(HEAD + LAUNCH)
    site = scenario.site
    assert scenario.name == "made-up"
    assert scenario.weather == TruthWeather(wind_east_m_s=2.0, wind_north_m_s=-1.0)
    [launch] = scenario.launches
    assert launch.place == GeodeticPlace(latitude_rad=math.radians(33.32), longitude_rad=math.radians(44.45))
    assert launch.aim is None
    assert launch.azimuth_rad == pytest.approx(1.5 * math.pi)
    assert launch.elevation_rad == pytest.approx(math.pi / 3)
    assert (launch.count, launch.interval_s, launch.dispersion_m) == (1, 0.0, 0.0)
    for radar, sensor in zip(scenario.radars, site.sensors, strict=True):
        assert (radar.range_m_std, radar.range_m_max, radar.period_s) == (
            sensor.range_m_std,
            sensor.range_m_max,
            sensor.period_s,
        )
        assert radar.azimuth_rad_std == pytest.approx(sensor.azimuth_rad_std, rel=1e-15)
        assert (radar.detection_probability, radar.clutter_per_scan) == (
            sensor.detection_probability,
            sensor.clutter_per_scan,
        )
        assert radar.elevation_rad_min == pytest.approx(math.radians(1.0))
        assert radar.dropouts_s == ()


def test_a_radar_differs_from_the_site_where_it_is_said():
    scenario = parse(
        HEAD
        + '[[radar]]\nsensor = "south"\nrange_std_m = 30\nbias_azimuth_mrad = -2\ndropouts = [[1, 2.5], [10, 20]]\n'
        + "[weather]\nshear_east_m_s_per_km = 4\n"
    )
    north, south = scenario.radars
    assert (north.range_m_std, north.bias_azimuth_rad) == (10.0, 0.0)
    assert (south.range_m_std, south.bias_azimuth_rad) == (30.0, -0.002)
    assert south.azimuth_rad_std == pytest.approx(0.002)
    assert south.dropouts_s == ((1.0, 2.5), (10.0, 20.0))
    assert scenario.weather.shear_east_per_s == pytest.approx(0.004)
    assert scenario.weather.wind_east_m_s == 2.0


@pytest.mark.parametrize(
    "start", ['"2026-03-01T12:00:00.5Z"', "2026-03-01T12:00:00.5Z", '"2026-03-01T15:00:00.5+03:00"']
)
def test_the_start_may_be_written_with_or_without_quotation_marks(start):
    assert parse(f"{HEAD}start_time = {start}\n").start_t_ns == 1_772_366_400_500_000_000


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("time_s = 5", "time_s = 60", "$.launch[0].time_s", "< duration_s (60)"),
        ("time_s = 5", "time_s = -1", "$.launch[0].time_s", ">= 0"),
        ('"mortar"', '"mortr"', "$.launch[0].class", 'write "mortar"?'),
        ("speed_m_s = 280.0", "", "$.launch[0].speed_m_s", "required without aim"),
        ("speed_m_s = 280.0", "speed_m_s = 28000", "$.launch[0].speed_m_s", "<= 2000"),
        ("elevation_deg = 60.0", "elevation_deg = 0", "$.launch[0].elevation_deg", "> 0"),
        ("latitude_deg = 33.32", "", "$.launch[0].latitude_deg", "required"),
        ("latitude_deg = 33.32", "latitude_deg = 44", "$.launch[0].latitude_deg", "200 km"),
        ("time_s = 5", "time_s = 5\neast_m = 1\nnorth_m = 2", "$.launch[0].latitude_deg", "not stand beside"),
        ("time_s = 5", "time_s = 5\naim_east_m = 0\naim_north_m = 0", "$.launch[0].azimuth_deg", "beside aim_"),
        ("azimuth_deg = -90.0", "aim_east_m = 0\naim_north_m = 0", "$.launch[0].elevation_deg", "exactly one"),
        ("azimuth_deg = -90.0\nelevation_deg = 60.0", "aim_east_m = 0", "$.launch[0].aim_north_m", "required"),
        ("time_s = 5", "time_s = 5\ncount = 100\ninterval_s = 1", "$.launch[0].interval_s", "leaves at 104 s"),
        ("[[launch]]", LAUNCH + 'name = "a"\n' + LAUNCH + 'name = "a"\n[[launch]]', "$.launch[1].name", "unique"),
        ("time_s = 5", "time_s = 5\ncount = 0", "$.launch[0].count", ">= 1"),
        ("time_s = 5", "time_s = 5\ndispersion = 5", "$.launch[0].dispersion", "did you mean dispersion_m?"),
        ("time_s = 5", "time_s = 5\nintervall_s = 5", "$.launch[0].intervall_s", "did you mean interval_s?"),
        ("time_s = 5", "time_s = 5\nburn_time_s = 1", "$.launch[0].burn_time_s", "only a rocket"),
        ('"mortar"', '"rocket"\nburn_time_s = 0.01', "$.launch[0].burn_time_s", ">= 0.1"),
        ("time_s = 5", 'time_s = 5\nmotion = "spinning"', "$.launch[0].motion", "only a shell"),
        ('"mortar"', '"shell"\nmotion = "spining"', "$.launch[0].motion", 'write "spinning"?'),
        ('"mortar"', '"shell"\nmotion = "spinning"\nspin_drift_m_s = 4', "$.launch[0].spin_drift_m_s", "not stand"),
        ("duration_s = 60", "duration_s = 0", "$.scenario.duration_s", "> 0"),
        ("duration_s = 60", "duration_s = 60\nseed = 1.5", "$.scenario.seed", "whole number"),
        ("duration_s = 60", "duration_s = 60\nstart_time = '2026'", "$.scenario.start_time", "UTC time"),
        ("duration_s = 60", "duration_s = 60\nstart_time = 7", "$.scenario.start_time", "string"),
        ('"site.toml"', '"absent.toml"', "absent.toml: $", "cannot be read"),
        ('site = "site.toml"', "", "$.scenario.site", "required"),
        ("[[launch]]", "[[radar]]\nsensor = 'west'\n[[launch]]", "$.radar[0].sensor", '"north", "south"'),
        ("[[launch]]", "[weather]\ndensity_factor = 3\n[[launch]]", "$.weather.density_factor", "<= 1.5"),
        (
            "[[launch]]",
            "[[radar]]\nsensor = 'south'\ndropouts = [[3, 2]]\n[[launch]]",
            "$.radar[0].dropouts[0]",
            "later time",
        ),
    ],
)
def test_each_fault_is_told_once_with_its_place(old, new, place, words):
    text = HEAD + LAUNCH
    assert old in text
    text = text.replace(old, new, 1)
    [fault] = faults(text)
    assert fault.place == place
    assert words in str(fault)


def test_thrust_and_spin_are_asked_for_by_name():
    burning = parse(HEAD + LAUNCH.replace("mortar", "rocket") + "burn_time_s = 0.8\n").launches[0]
    spinning = parse(HEAD + LAUNCH.replace("mortar", "shell") + 'motion = "spinning"\n').launches[0]
    plain = parse(HEAD + LAUNCH).launches[0]
    assert (burning.burn_time_s, burning.motion) == (0.8, "point_mass")
    assert (spinning.burn_time_s, spinning.motion) == (0.0, "spinning")
    assert (plain.burn_time_s, plain.motion) == (0.0, "point_mass")


def test_fields_of_ones_own_are_notes():
    scenario = parse(HEAD + LAUNCH + 'colour = "red"\n')
    assert scenario_notes(scenario, FOLDER / "x.toml") == [
        "$.launch[0].colour: not a key that opencram knows; not used"
    ]


def test_all_faults_come_at_once_those_of_the_site_too(tmp_path):
    (tmp_path / "site.toml").write_text((FOLDER / "site.toml").read_text().replace("period_s = 0.25", "period_s = 0"))
    with pytest.raises(ConfigError) as caught:
        parse_scenario(HEAD.replace("60", "-1") + LAUNCH.replace("280.0", "'fast'"), tmp_path / "scenario.toml")
    assert [fault.place for fault in caught.value.faults] == [
        "site.toml: $.sensor[1].period_s",
        "$.scenario.duration_s",
        "$.launch[0].speed_m_s",
    ]


def test_the_example_in_the_documentation_is_a_scenario():
    document = (FOLDER.parents[1] / "docs" / "scenario.md").read_text()
    example = document[document.index("```toml") + 7 :]
    scenario = parse(example[: example.index("```")])
    assert [launch.count for launch in scenario.launches] == [1, 6]
    assert scenario_notes(scenario, FOLDER / "x.toml") == []
