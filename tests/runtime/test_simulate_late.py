"""Radars that tell late, in a simulated raid: scans on their way are not scans without plots."""

import pytest

from opencram.config.scenario import parse_scenario
from opencram.config.site import parse_site
from opencram.messages import Impact, Track
from opencram.runtime.simulate import Raid, behind_ns

SITE = """
[site]
name = "late"
latitude_deg = 33.3
longitude_deg = 44.4
height_m = 30.0
ground_height_m = 30.0
[[sensor]]
id = "mast"
latitude_deg = 33.305
longitude_deg = 44.41
height_m = 40.0
range_std_m = 5.0
azimuth_std_mrad = 1.0
elevation_std_mrad = 1.0
range_max_m = 15000.0
period_s = 0.1
detection_probability = 0.9
clutter_per_scan = 0.3
[[zone]]
id = "z"
name = "z"
population = 100
shelter_time_s = 10.0
polygon = [[44.395, 33.295], [44.405, 33.295], [44.405, 33.305], [44.395, 33.305]]
[policy]
protect = "people"
"""

SCENARIO = """
[scenario]
site = "site.toml"
duration_s = 50.0
seed = {seed}
[[launch]]
time_s = 5.0
class = "rocket"
east_m = 6500.0
north_m = 900.0
aim_east_m = 60.0
aim_north_m = -40.0
elevation_deg = 35.0
count = 3
interval_s = 3.0
dispersion_m = 150.0
[[radar]]
sensor = "mast"
{latency}
"""


def flown(seed: int, latency: str) -> tuple[int, int]:
    """Return how many tracks had an impact, and how many there were."""
    site = parse_site(SITE, "site.toml")
    raid = Raid(parse_scenario(SCENARIO.format(seed=seed, latency=latency), "scenario.toml", site=site))
    impacts, tracks = set(), set()
    for _, made in raid.batches(tail_ns=0):
        impacts |= {message.track_id for message in made if isinstance(message, Impact)}
        tracks |= {message.track_id for message in made if isinstance(message, Track)}
    return len(impacts), len(tracks)


@pytest.mark.parametrize("seed", [11, 22, 23])
def test_no_round_is_lost_to_scans_that_overtake_one_another(seed: int) -> None:
    impacts, tracks = flown(seed, "latency_s = 0.5\nlatency_extra_s = 0.2")
    assert impacts == 3
    assert tracks <= 5  # a candidate may begin twice; when silence ended them, there were 50 and more


def test_time_waits_for_what_is_on_its_way_and_only_for_that() -> None:
    site = parse_site(SITE, "site.toml")
    for latency, seconds in (("", 0.0), ("latency_s = 0.5", 0.5), ("latency_s = 0.5\nlatency_extra_s = 0.2", 1.3)):
        raid = Raid(parse_scenario(SCENARIO.format(seed=1, latency=latency), "scenario.toml", site=site))
        config, _ = raid.truth_now
        assert behind_ns(config) == round(seconds * 1e9)
