"""Scenario files: what radars really do, and what else there is to be seen."""

import math
from pathlib import Path

import pytest

from opencram.config.scenario import parse_scenario
from opencram.errors import ConfigError, OpencramError
from opencram.runtime.world import world_of
from opencram.simulation.model import NO_FAULTS, Coloured, Effects

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "seven-rockets"
HEAD = '[scenario]\nsite = "site.toml"\nduration_s = 60\nstart_time = "2026-01-01T00:00:00Z"\n'
START_NS = 1_767_225_600_000_000_000
S = 1_000_000_000

RADAR = """
[[radar]]
sensor = "south"
doppler_std_m_s = 2.0
range_step_m = 2
angle_step_mrad = 1
drift_range_m = 5
drift_azimuth_mrad = 1.5
drift_time_s = 3
glint_elevation_mrad = 0.5
outages_per_s = 0.01
outage_s = 4
fades_per_s = 0.1
fade_s = 2
jumps_per_s = 0.02
jump_s = 0.7
jump_max_m = 500
splash_probability = 0.9
splash_s = 6
double_probability = 0.1
splits_per_s = 0.05
split_s = 1.5
split_m = 60
cell_m = 30
cell_mrad = 20
latency_s = 0.2
latency_extra_s = 0.1
clock_offset_s = -0.5
clock_drift_ppm = 20
clock_jumps = [[30, 3600], [40, -3600]]
repeats_from_s = 50
repeats_times = "old"
"""
OTHERS = """
[[traffic]]
name = "geese"
class = "bird"
waypoints_m = [[0, 1000, 100], [500, 3000, 120]]
speed_m_s = 16
count = 25
spread_m = 30
wander_m_s = 2
detection_share = 0.4

[[gunfire]]
time_s = 3
east_m = 700
north_m = -300
azimuth_deg = 45
elevation_deg = 40
bursts = 4
burst_rounds = 8
sweep_deg_s = 5

[[outgoing]]
time_s = 10
class = "shell"
east_m = 100
north_m = 200
speed_m_s = 350
azimuth_deg = 180
elevation_deg = 50
count = 3
interval_s = 5

[[rain]]
east_m = 2000
north_m = 500
from_s = 10
radius_m = 800
plots_per_scan = 4

[[ground_echoes]]
east_m = -900
north_m = 1200
count = 6
detection_probability = 0.2
"""


def parse(text):
    return parse_scenario(text, FOLDER / "made-up.toml")


def test_what_a_radar_does_reaches_the_world():
    north, south = world_of(parse(HEAD + RADAR)).radars
    assert north.faults is NO_FAULTS
    assert (south.range_rate_m_s_std, south.range_m_quantum) == (2.0, 2.0)
    assert south.angle_rad_quantum == pytest.approx(0.001)
    assert (south.fades_per_s, south.fade_s_mean) == (0.1, 2.0)
    assert south.coloured == Coloured(
        range_m_std=0.0, azimuth_rad_std=0.0, elevation_rad_std=0.0005, time_constant_s=2.0
    )
    found = south.faults
    assert found.drift == Coloured(range_m_std=5.0, azimuth_rad_std=0.0015, elevation_rad_std=0.0, time_constant_s=3.0)
    assert (found.outages_per_s, found.outage_s_mean) == (0.01, 4.0)
    assert (found.jumps_per_s, found.jump_s_mean, found.jump_m_max) == (0.02, 0.7, 500.0)
    assert (found.splash_probability, found.splash_s_mean, found.double_probability) == (0.9, 6.0, 0.1)
    assert (found.splits_per_s, found.split_s_mean, found.split_m_std) == (0.05, 1.5, 60.0)
    assert (found.cell_m, found.cell_rad, found.latency_s, found.latency_s_mean) == (30.0, 0.02, 0.2, 0.1)
    assert (found.clock_offset_s, found.clock_drift_ppm) == (-0.5, 20.0)
    assert found.clock_jumps == ((START_NS + 30 * S, 3600.0), (START_NS + 40 * S, -3600.0))
    assert (found.repeats_from_t_ns, found.repeats_old_stamps) == (START_NS + 50 * S, True)


def test_what_else_there_is_reaches_the_world():
    world = world_of(parse(HEAD + OTHERS))
    [geese], [gun], [salvo], [shower], [echoes] = (
        world.traffic, world.gunfire, world.outgoing, world.rain, world.ground_echoes
    )  # fmt: skip
    assert (geese.class_name, geese.count, geese.spread_m, geese.wander_m_s) == ("bird", 25, 30.0, 2.0)
    assert geese.detection_share == 0.4
    assert (gun.start_t_ns, gun.bursts, gun.burst_rounds) == (START_NS + 3 * S, 4, 8)
    assert (gun.azimuth_rad, gun.sweep_rad_s) == pytest.approx((math.pi / 4.0, math.radians(5.0)))
    assert gun.position_enu_m[:2] == (700.0, -300.0)
    assert abs(gun.position_enu_m[2]) < 10.0
    assert (salvo.count, salvo.interval_s, salvo.pattern.class_name) == (3, 5.0, "shell")
    assert salvo.pattern.velocity_enu_m_s[1] < 0.0 < salvo.pattern.velocity_enu_m_s[2]
    assert (shower.start_t_ns, shower.end_t_ns) == (START_NS + 10 * S, START_NS + 60 * S)
    assert (shower.radius_m, shower.plots_per_scan) == (800.0, 4.0)
    assert (echoes.count, echoes.detection_probability) == (6, 0.2)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (RADAR.replace("cell_mrad = 20\n", ""), "$.radar[0].cell_m", "stands without cell_mrad"),
        (RADAR.replace("repeats_from_s = 50\n", ""), "$.radar[0].repeats_times", "without repeats_from_s"),
        (RADAR.replace('"old"', '"older"'), "$.radar[0].repeats_times", 'write "old"?'),
        (RADAR.replace("[30, 3600]", "[30]"), "$.radar[0].clock_jumps[0]", "a time within"),
        (RADAR.replace("[30, 3600]", "[90, 3600]"), "$.radar[0].clock_jumps[0]", "a time within"),
        (RADAR.replace("splash_probability = 0.9", "splash_probability = 9"), "$.radar[0].splash_probability", "<= 1"),
        (RADAR.replace("latency_s = 0.2", "latency_s = 90"), "$.radar[0].latency_s", "<= 20"),
        (RADAR.replace("glint_elevation_mrad = 0.5", "glint_time_s = 1"), "$.radar[0].glint_time_s", "without a dev"),
        (RADAR.replace("jumps_per_s = 0.02", "jumps_pers = 1"), "$.radar[0].jumps_pers", "did you mean jumps_per_s?"),
        (OTHERS.replace('"bird"', '"burd"'), "$.traffic[0].class", 'write "bird"?'),
        (OTHERS.replace("count = 25", "count = 0"), "$.traffic[0].count", ">= 1"),
        (OTHERS.replace("elevation_deg = 40\n", ""), "$.gunfire[0].elevation_deg", "required"),
        (OTHERS.replace('"shell"', '"dart"'), "$.outgoing[0].class", "must be one of"),
        (OTHERS.replace("from_s = 10", "from_s = 10\nto_s = 5"), "$.rain[0].to_s", "> from_s (10)"),
        (OTHERS.replace("north_m = 1200", "north_m = nan"), "$.ground_echoes[0].north_m", "finite"),
    ],
)
def test_each_fault_is_told_once_with_its_place(text, place, words):
    with pytest.raises(ConfigError) as caught:
        parse(HEAD + text)
    [fault] = caught.value.faults
    assert fault.place == place
    assert words in str(fault)


def test_a_launch_that_never_lands_is_refused() -> None:
    text = HEAD + '[[launch]]\ntime_s = 0\nclass = "rocket"\neast_m = 3000\nnorth_m = 0\nspeed_m_s = 2000\n'
    text += "azimuth_deg = 270\nelevation_deg = 89\nballistic_coefficient_kg_m2 = 100000\n"
    with pytest.raises(OpencramError, match="has not landed 300 s after its launch"):
        world_of(parse(text))


def test_what_becomes_of_rounds_that_are_killed():
    text = HEAD + "[interception]\ndetonation_share = 0.1\nbreak_up_share = 0.9\ndebris_count = 8\ndebris_seen_s = 6\n"
    found = world_of(parse_scenario(text, FOLDER / "x.toml")).effects
    assert (found.detonation_share, found.break_up_share, found.debris_count, found.debris_seen_s) == (0.1, 0.9, 8, 6.0)
    assert found.debris_spread_m_s == Effects().debris_spread_m_s
    assert world_of(parse_scenario(HEAD, FOLDER / "x.toml")).effects == Effects()
    with pytest.raises(ConfigError, match="must not be more than 1 together"):
        parse_scenario(text.replace("0.1", "0.2"), FOLDER / "x.toml")
