"""Aircraft where rounds are seldom first seen: at the edge of a radar's range, in dives and turns in the open sky."""

import math

import numpy as np
import pytest
from tracking_worlds import (
    LEVEL,
    ROCKET,
    SITE,
    T0,
    confirmed_projectiles,
    dwells,
    every,
    flown,
    noisy,
    plots_of,
    polar,
    radar,
    run,
)

from opencram import tracking
from opencram.tracking.otherwise import ACCELERATION_M_S2_STD, VELOCITY_M_S_STD, jet, straight_evidence

SLOW, QUICK = radar(period_s=0.6, range_m_max=15_000.0), radar(period_s=0.2, range_m_max=15_000.0)
CONFIG = tracking.Config(**SITE, sensors=(SLOW,))
TIMES, QUICK_TIMES = every(0.6, 12.0), every(0.2, 12.0)


def moving(position, velocity, acceleration=(0.0, 0.0, 0.0), times_s=TIMES):
    """States of a body with a constant acceleration, at these times."""
    t = times_s[:, np.newaxis]
    place = np.array(position) + np.array(velocity) * t + 0.5 * np.array(acceleration) * t * t
    return np.hstack([place, np.array(velocity) + np.array(acceleration) * t])


def followed(states, seed):
    """What is said of the noisy plots of these states, after half a minute in which the radar saw nothing else."""
    draws = np.random.default_rng(seed)
    early = plots_of(SLOW, [-30.0], np.array([[4000.0, 0.3, 0.4, math.nan]]))
    z = noisy(SLOW, polar(SLOW, states), draws)
    kept = draws.random(len(z)) < 0.9
    plots = plots_of(SLOW, TIMES[kept], z[kept], first_id=2)
    return run(CONFIG, dwells([*early, *plots]))[1]


def entering(draws):
    """An aircraft that comes in over the edge of the range, level or climbing and sinking gently."""
    bearing, height = draws.uniform(0.0, 2.0 * math.pi), draws.uniform(600.0, 4500.0)
    course, speed = bearing + math.pi + draws.normal(0.0, 0.4), draws.uniform(120.0, 260.0)
    place = (14_600.0 * math.sin(bearing), 14_600.0 * math.cos(bearing), height)
    return moving(place, (speed * math.sin(course), speed * math.cos(course), draws.uniform(-60.0, 60.0)))


def diving(draws, times_s=TIMES):
    """A jet first seen in the open sky, in a steep dive or climb, that pulls 2 to 4 g to any side."""
    bearing, speed = draws.uniform(0.0, 2.0 * math.pi), draws.uniform(180.0, 280.0)
    slope = draws.choice([-1.0, 1.0]) * draws.uniform(0.3, 0.8)
    ahead = np.array([math.cos(slope) * math.sin(bearing), math.cos(slope) * math.cos(bearing), math.sin(slope)])
    side = np.cross(ahead, draws.normal(0.0, 1.0, 3))
    place = [*draws.uniform(-5000.0, 5000.0, 2), draws.uniform(2500.0, 5000.0)]
    return moving(place, speed * ahead, draws.uniform(0.0, 20.0) * side / np.linalg.norm(side), times_s)


@pytest.mark.parametrize(("kind", "most"), [(entering, 0), (diving, 1)])
def test_an_aircraft_is_no_projectile(kind, most):
    draws = np.random.default_rng(7)
    false = sum(len(confirmed_projectiles(followed(kind(draws), seed))) for seed in range(40))
    assert false <= most


def test_a_round_that_comes_in_over_the_edge_is_found_all_the_same():
    """A long-range rocket, first seen 14 km away on its way down."""
    rocket = np.array([3000.0, 13_000.0, 5000.0, -80.0, -420.0, -60.0, math.log(4500.0), 0.0, 0.0, 0.0])
    states = flown(rocket, TIMES)
    for seed in range(5):
        assert len(confirmed_projectiles(followed(states, seed))) == 1


def begun(states, seed):
    """What is said of the noisy plots of these states by a radar that sees nothing else, and begins with them."""
    draws = np.random.default_rng(seed)
    z = noisy(QUICK, polar(QUICK, states), draws)
    kept = draws.random(len(z)) < 0.9
    return run(tracking.Config(**SITE, sensors=(QUICK,)), dwells(plots_of(QUICK, QUICK_TIMES[kept], z[kept])))[1]


def test_rounds_in_the_middle_of_the_sky_when_a_radar_begins_to_look_are_found_within_seconds():
    """They needed a thousand times more than others, and were mostly told to be aircraft for good after two seconds."""
    late_s, found = [], 0
    for seed in range(12):
        draws = np.random.default_rng(100 + seed)
        begin = np.array(ROCKET)
        begin[3:6] *= 1.0 + 0.1 * draws.normal()
        said = begun(flown(begin, np.round(QUICK_TIMES + draws.choice([9.0, 14.0, 19.0]), 2)), seed)
        found += len(confirmed_projectiles(said))
        times_ns = [m.t_ns for m in said if getattr(m, "status", "") == "confirmed" and m.projectile_probability > 0.5]
        late_s.append((min(times_ns, default=2 * T0) - T0) * 1e-9)
    assert found >= 10
    assert np.median(late_s) < 5.0


def test_jets_that_dive_when_a_radar_begins_to_look_are_no_rounds():
    draws = np.random.default_rng(11)
    false = sum(len(confirmed_projectiles(begun(diving(draws, QUICK_TIMES), seed))) for seed in range(40))
    assert false <= 3


def test_a_hard_pull_is_a_jets():
    rotations, origins = np.array(LEVEL).reshape(1, 3, 3), np.array([SLOW.position_enu_m])
    weights = np.tile(1.0 / np.array([10.0, 1.5e-3, 1.5e-3, 1.0]), (len(TIMES), 1))
    sensors = np.zeros(len(TIMES), dtype=np.int64)
    z = noisy(
        SLOW,
        polar(SLOW, moving((3000.0, 2000.0, 3000.0), (150.0, 0.0, -120.0), (0.0, 20.0, 0.0))),
        np.random.default_rng(1),
    )
    z[:, 3] = math.nan
    stds = ACCELERATION_M_S2_STD, VELOCITY_M_S_STD
    hard = jet(TIMES, sensors, z, weights, rotations, origins)
    assert hard > straight_evidence(TIMES, sensors, z, weights, rotations, origins, *stds)[0] + 10.0
    z = noisy(SLOW, polar(SLOW, moving((3000.0, 2000.0, 3000.0), (150.0, 0.0, 0.0))), np.random.default_rng(1))
    z[:, 3] = math.nan
    gentle = jet(TIMES, sensors, z, weights, rotations, origins)
    assert gentle < straight_evidence(TIMES, sensors, z, weights, rotations, origins, *stds)[0]
