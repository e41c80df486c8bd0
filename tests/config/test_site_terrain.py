"""The [terrain] table: an elevation model beside the site file becomes the ground, and the recording holds it."""

import math

import numpy as np
import pytest

from opencram.config.site import load_site, parse_site, site_notes
from opencram.errors import ConfigError
from opencram.runtime.configure import configure
from opencram.runtime.fallbacks import site_health

SITE = """
[site]
name = "Hill"
latitude_deg = 12.65
longitude_deg = -7.95
height_m = 400.0

[[sensor]]
id = "north"
latitude_deg = 12.66
longitude_deg = -7.95
range_std_m = 10.0
azimuth_std_mrad = 1.5
elevation_std_mrad = 1.5
range_max_m = 20000.0
period_s = 0.1

"""
TERRAIN = """[terrain]
file = "dem.npy"
west_deg = -8.0
east_deg = -7.9
south_deg = 12.6
north_deg = 12.7
geoid_height_m = 28.0
radius_m = 3000.0
step_m = 50.0
"""


def written(folder, terrain=TERRAIN, *, height_m=372.0):
    rows = np.arange(101)[::-1, np.newaxis] - 50.0  # of latitude, northernmost first
    np.save(folder / "dem.npy", height_m + rows * np.ones((1, 101)))
    path = folder / "site.toml"
    path.write_text(SITE + terrain)
    return path


def fault(path):
    with pytest.raises(ConfigError) as error:
        load_site(path)
    [only] = error.value.faults
    return f"{only.place} {only.limit}"


def test_the_ground_is_the_model_above_the_ellipsoid(tmp_path):
    site = load_site(written(tmp_path))
    assert float(site.terrain.at(0.0, 0.0)) == pytest.approx(400.0, abs=0.1)
    step_m = 0.001 * math.pi / 180.0 * 6.338e6
    assert float(site.terrain.at(0.0, 20.0 * step_m)) == pytest.approx(420.0, abs=0.3)
    config = configure(site)
    assert config.prediction.terrain == site.terrain


def test_a_recording_needs_no_file(tmp_path):
    site = load_site(written(tmp_path))
    (tmp_path / "dem.npy").unlink()
    again = parse_site(site.text, "a recording")
    assert again.terrain == site.terrain
    assert again.text == site.text
    assert site_notes(again) is not None
    with pytest.raises(ConfigError, match="was changed"):
        parse_site(site.text.replace("step_m = 50.0\nrows", "step_m = 51.0\nrows"), "a recording")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("geoid_height_m = 28.0\n", "", "geoid_height_m is needed"),
        ("west_deg = -8.0\n", "", "place of its own"),
        ("dem.npy", "other.npy", "cannot be read"),
        ("south_deg = 12.6\nnorth_deg = 12.7", "south_deg = 22.6\nnorth_deg = 22.7", "covers 0%"),
        ("radius_m = 3000.0\nstep_m = 50.0", "radius_m = 30000.0\nstep_m = 5.0", "more than"),
        ("radius_m = 3000.0", "radius_m = 30000.0", "covers "),
        ("step_m = 50.0", "step_m = 0.0", ">= 5"),
    ],
)
def test_each_fault_is_told(tmp_path, old, new, words):
    assert words in fault(written(tmp_path, TERRAIN.replace(old, new)))


def test_heights_above_the_ellipsoid_need_no_geoid(tmp_path):
    text = TERRAIN.replace("geoid_height_m = 28.0", 'heights = "ellipsoid"')
    assert float(load_site(written(tmp_path, text)).terrain.at(0.0, 0.0)) == pytest.approx(372.0, abs=0.1)


def test_what_is_not_known_is_told_from_the_file_and_from_the_recording_and_in_the_log(tmp_path):
    path = written(tmp_path)
    heights = np.load(tmp_path / "dem.npy")
    heights[:, 70:] = np.nan  # the east of the model
    np.save(tmp_path / "dem.npy", heights)
    site = load_site(path)
    again = parse_site(site.text, "recorded")
    for each in (site, again):
        (note,) = [note for note in site_notes(each) if "terrain" in note]
        assert "is unknown, taken at the mean height" in note
        (health,) = site_health(each, 5)
        assert (health.t_ns, health.part, health.state, health.reason) == (5, "terrain", "degraded", note)
    assert site_health(load_site(written(tmp_path)), 5) == []
    assert again.text == site.text


def test_debris_falls_on_the_terrain_too(tmp_path):
    rule = '[[rule]]\nid = "ground"\nkind = "ground_danger"\n'
    site = load_site(written(tmp_path, TERRAIN + rule))
    (ground,) = [each for each in (configure(site).engagement.ground,) if each is not None]
    assert ground.terrain is site.terrain
