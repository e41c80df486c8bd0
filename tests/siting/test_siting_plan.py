"""Plans: read with every fault, worked out, written; over terrain; and beside simulated raids."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from opencram.config.plan import load_plan
from opencram.config.plan_model import ThreatDirection
from opencram.config.scenario import parse_scenario
from opencram.earth.terrain import Terrain
from opencram.errors import ConfigError, UsageError
from opencram.runtime.configure import configure
from opencram.runtime.simulate import Raid
from opencram.simulation.streams import stream
from opencram.siting.flights import believed_air, flight_to, radars_of, seen
from opencram.siting.output import as_json, figure, geojson, lines, write
from opencram.siting.planning import work_out
from opencram.siting.seconds import places_of, prior_of, sights, warned
from opencram.studies.ground import ground_of, inside
from opencram.studies.listening import Ear
from opencram.studies.scoring import score
from study_data import SITE

PLAN = """
[plan]
site = "site.toml"
step_m = 900.0
enough_s = 10.0

[[threat]]
name = "wood"
class = "mortar"
east_m = 3500.0
north_m = 600.0
weight = 2.0

[[threat]]
name = "far hill"
class = "rocket"
azimuth_deg = 200.0
range_m = 7000.0

[[candidate]]
kind = "radar"
id = "west"
east_m = -1500.0
north_m = 0.0

[[candidate]]
kind = "radar"
id = "east"
east_m = 1500.0
north_m = 300.0

[[candidate]]
kind = "siren"
id = "school"
east_m = 500.0
north_m = 200.0
radius_m = 900.0
"""


def write_plan(folder, plan=PLAN, site=SITE):
    (folder / "site.toml").write_text(site)
    path = folder / "plan.toml"
    path.write_text(plan)
    return path


@pytest.fixture(scope="module")
def worked(tmp_path_factory):
    file = load_plan(write_plan(tmp_path_factory.mktemp("plan")))
    return work_out(file, radars=1, sirens=1, check=True)


def test_every_fault_of_a_plan_is_told_at_once(tmp_path):
    plan = (
        PLAN.replace('"mortar"', '"morter"').replace("range_m = 7000.0", "range_m = -1.0").replace('"west"', '"east"')
    )
    with pytest.raises(ConfigError) as caught:
        load_plan(write_plan(tmp_path, plan))
    text = str(caught.value)
    assert 'write "mortar"?' in text
    assert "$.threat[1].range_m = -1" in text
    assert "must be unique" in text


def test_a_site_file_can_hold_its_plan(tmp_path):
    path = tmp_path / "site.toml"
    path.write_text(SITE + PLAN.replace('site = "site.toml"\n', ""))
    assert [threat.name for threat in load_plan(path).threats] == ["wood", "far hill"]


def test_a_plain_site_file_is_planned_for_directions_given_on_the_command_line(tmp_path):
    path = tmp_path / "site.toml"
    path.write_text(SITE)
    with pytest.raises(ConfigError, match="--threat rocket:90:7600"):
        load_plan(path)
    (threat,) = load_plan(path, ["rocket:90:7600"]).threats
    assert (threat.class_name, round(threat.east_m), round(threat.north_m)) == ("rocket", 7600, 0)
    for wrong, told in (("rocket", "azimuth"), ("rocket:x:1", 'azimuth_deg = "x"'), ("rokcet:1:1", 'write "rocket"?')):
        with pytest.raises(ConfigError) as caught:
            load_plan(path, [wrong])
        assert f"--threat {wrong}" in str(caught.value)
        assert told in str(caught.value)


def test_the_map_says_what_each_place_gets(worked):
    seconds, error = worked.now.layers["seconds"], worked.now.layers["error_m"]
    assert seconds.shape == worked.now.cells.shape
    assert np.isfinite(seconds).all()
    assert (seconds <= worked.now.layers["seen_s"]).all()  # nobody is warned before anything is seen
    assert (error[np.isfinite(error)] > 0.0).all()
    assert worked.now.people.sum() == pytest.approx(1400.0, rel=0.5)  # cells are coarse


def test_more_radars_do_no_harm(worked):
    radar, siren = worked.placements
    assert radar.choice.worth[-1] <= radar.best.worth[-1] + 1e-9
    assert siren.names == ("school",)
    # One siren only: elsewhere nobody hears an alarm any more.
    assert (worked.then.layers["seconds"] == -1.0).any()
    both = worked.then.layers["error_m"] - worked.now.layers["error_m"]
    assert (both[np.isfinite(both)] <= 1e-9).all()


@pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")  # rasterio of its own library
def test_a_plan_is_written(worked, tmp_path):
    rasterio = pytest.importorskip("rasterio")
    write(worked, tmp_path / "plan.tif")
    with rasterio.open(tmp_path / "plan.tif") as image:
        assert image.descriptions[0] == "seconds"
        assert image.crs.to_epsg() == 4326
        assert image.bounds.left < 44.4 < image.bounds.right
        south_west = image.read(1)[-1, 0]
    assert south_west == pytest.approx(worked.then.layers["seconds"][0, 0], abs=1e-4)
    document = json.loads(write(worked, tmp_path / "plan.geojson").read_text())
    cells = [f for f in document["features"] if f["properties"]["kind"] == "cell"]
    assert len(cells) == worked.then.cells.shape[0] * worked.then.cells.shape[1]
    assert geojson(worked) == document
    assert len(figure(worked).axes) == 4
    assert any("certain" in line for line in lines(worked))
    assert as_json(worked)["placements"][1]["chosen"] == ["school"]
    with pytest.raises(UsageError, match="must end with"):
        write(worked, tmp_path / "plan.txt")


def test_a_ridge_hides_what_flies_low(tmp_path):
    file = load_plan(write_plan(tmp_path))
    heights = np.full((81, 81), 35.0)
    heights[:, 50:52] = 400.0  # a ridge 1 to 1.1 km east of the site
    ridge = replace(file.site, terrain=Terrain.of(-4000.0, -4000.0, 100.0, heights))
    threat = ThreatDirection(
        name="low", class_name="rocket", east_m=3900.0, north_m=0.0, elevation_rad=math.radians(12.0)
    )
    [radar] = radars_of(file.site, file.site.sensors[:1], math.radians(1.0))
    flight = flight_to(file.site, believed_air(file.site), threat, (-800.0, 0.0))
    open_field = seen(flight, radar, None, 35.0)[0]
    behind = seen(flight, radar, ridge.terrain, 35.0)[0]
    assert behind.sum() < open_field.sum()
    assert not behind[np.flatnonzero(open_field)[0]]  # the first that is seen rises beyond the ridge
    assert behind[-3]  # the last plots are on this side of it


def sites_with_terrain(base):
    """Three: rolling hills, a valley along the line of fire, a ridge across it."""
    x, y = np.meshgrid(np.arange(-6000.0, 6001.0, 150.0), np.arange(-8000.0, 8001.0, 150.0))
    hills = 35.0 + 40.0 * (1.0 + np.sin(x / 900.0) * np.cos(y / 1100.0))
    valley = 35.0 + np.minimum(np.abs(y - 0.1 * x) / 12.0, 250.0)
    ridge = 35.0 + 180.0 * np.exp(-(((x - 2400.0) / 300.0) ** 2))
    for heights in (hills, valley, ridge):
        terrain = Terrain.of(-6000.0, -8000.0, 150.0, heights)
        sensors = tuple(replace(s, height_m=260.0 if k else 120.0) for k, s in enumerate(base.sensors))
        yield replace(base, terrain=terrain, sensors=sensors, effectors=())


def raid_seconds(site, threat, aim, number):
    """Return the seconds of warning of the zone under one simulated round, as people hear it; None without."""
    text = (
        f'[scenario]\nsite = "x"\nduration_s = 200.0\nseed = {number}\n[[launch]]\ntime_s = 3.0\n'
        f'class = "{threat.class_name}"\neast_m = {threat.east_m}\nnorth_m = {threat.north_m}\n'
        f"aim_east_m = {aim[0]}\naim_north_m = {aim[1]}\nelevation_deg = {math.degrees(threat.elevation_rad)}\n"
    )
    config = configure(site, closed_loop=True)
    raid = Raid(parse_scenario(text, "made-up.toml", site=site), config=config)
    ear, ground = Ear(), ground_of(config)
    for _, made in raid.batches(tail_ns=2_000_000_000):
        ear.take(made)
    own = [zone.id for zone in ground.zones if inside(aim, zone.corners_m)]
    leads = [lead for lead in score(*raid.truth_now, ear, ground).zones if lead.zone in own]
    return leads[0].lead_s - config.warning.latency_s if leads else None


@pytest.mark.slow
def test_the_map_is_within_a_second_of_simulated_raids_over_terrain(tmp_path):
    """Median of the differences over 3 sites × 12 raids (seed 4); greedy is exhaustive search's equal there."""
    file = load_plan(write_plan(tmp_path, PLAN.replace("step_m = 900.0", "step_m = 1500.0")))
    differences = []
    for site in sites_with_terrain(file.site):
        config, env = configure(site), believed_air(site)
        draws = stream(4, "siting/terrain")
        for number in range(12):
            threat = file.threats[number % 2]
            aim = (float(draws.uniform(-800.0, 900.0)), float(draws.uniform(-300.0, 400.0)))
            flight = flight_to(site, env, threat, aim)
            radars = radars_of(site, site.sensors, file.elevation_rad_min)
            [place] = places_of(replace(file, site=site), config, np.array([aim]))
            told = warned(config, sights(replace(file, site=site), flight, radars), [0, 1], prior_of(threat), place)
            flown = raid_seconds(site, threat, aim, number)
            if flown is not None and math.isfinite(flown) and math.isfinite(told.seconds):
                differences.append(told.seconds - flown)
        plan = work_out(replace(file, site=site), radars=1, check=True)
        [placement] = plan.placements
        assert placement.choice.worth[-1] == pytest.approx(placement.best.worth[-1])
    print("differences (s):", np.round(differences, 1))
    assert len(differences) >= 15
    assert abs(np.median(differences)) <= 1.0
