"""Plots of a burning motor: found at the beginning of a track, and kept from its fits."""

import math

import numpy as np
import pytest
from tracking_worlds import (
    ROCKET,
    SITE,
    T0,
    S,
    confirmed_projectiles,
    dwells,
    earth,
    every,
    flown,
    noisy,
    plots_of,
    polar,
    run,
)
from tracking_worlds import radar as a_radar

from opencram.ballistics.boost import Motor, boosted
from opencram.ballistics.drag import standard_curve
from opencram.messages import Health
from opencram.tracking.config import Config
from opencram.tracking.plausible import GRAVITY_M_S2
from opencram.tracking.thrust import burnt_out, log_thrust
from opencram.tracking.world import world

NEAR = a_radar("near", (1000.0, 2500.0, 8.0), range_m_std=8.0)
CONFIG = Config(**SITE, sensors=(NEAR,))
BURN_S = 2.0
TIMES = every(0.1, 14.0, 0.4)


def launched(times_s):
    """States (n, 6) of a rocket that burns for two seconds, to about the speed of `ROCKET`."""
    begin = np.array(ROCKET)
    speed = float(np.linalg.norm(begin[3:6]))
    begin[3:6] *= 30.0 / speed
    _, burnt = boosted(
        begin, Motor(force_m_s2=(speed - 30.0) / BURN_S + 15.0, burn_s=BURN_S), earth(), standard_curve("G7")
    )
    under = [burnt[round(t / 0.05), :6] for t in times_s if t <= BURN_S]
    after = flown(burnt[-1], [t - BURN_S for t in times_s if t > BURN_S])
    return np.concatenate([np.array(under).reshape(-1, 6), after])


def followed(states, seed):
    z = noisy(NEAR, polar(NEAR, states), np.random.default_rng(seed))
    return run(CONFIG, dwells(plots_of(NEAR, TIMES, z)))


@pytest.fixture(scope="module")
def boosted_rounds():
    states = launched(TIMES)
    return states, [followed(states, seed) for seed in range(12)]


def test_after_a_burn_the_track_knows_where_the_round_is_and_how_surely(boosted_rounds):
    """Twelve seconds after burn-out, mean squared distance of position and velocity, 6 if claims are honest."""
    states, rounds = boosted_rounds
    distances = []
    for state, said in rounds:
        assert len(state.tracks.targets) == 1
        assert confirmed_projectiles(said)[-1] == int(state.tracks.targets["track_id"][0])
        best = int(np.argmax(state.tracks.log_weight))
        off = state.tracks.x[best, :6] - states[-1]
        distances.append(off @ np.linalg.solve(state.tracks.p[best, :6, :6], off))
    assert np.mean(distances) < 10.0


def test_plots_count_from_about_burn_out_on(boosted_rounds):
    found = [(int(state.tracks.targets["since_t_ns"][0]) - T0) / S for state, _ in boosted_rounds[1]]
    assert np.median(found) == pytest.approx(BURN_S, abs=0.6)
    assert min(found) > 0.5 * BURN_S
    first = [int(state.tracks.targets["first_t_ns"][0]) for state, _ in boosted_rounds[1]]
    assert min(first) == T0 + round(TIMES[0] * S)  # what is said of the first plot stays


def test_of_a_round_that_coasts_all_plots_count():
    states = flown(ROCKET, TIMES)
    for seed in range(12):
        state, _ = followed(states, seed)
        assert (state.tracks.targets["since_t_ns"] == state.tracks.targets["first_t_ns"]).all()
        assert math.isfinite(state.tracks.log_weight.max())


def test_radars_that_see_rockets_under_thrust_err_as_they_state():
    """A bend of the first second is no slow error of the radar, whether its plots are found to be of a burn or not."""
    said = []
    for begin_s in (0.7, 0.9, 1.1, 1.3, 1.5):
        times = every(0.1, 12.0, begin_s)
        states = launched(times)
        for seed in range(5):
            z = noisy(NEAR, polar(NEAR, states), np.random.default_rng(seed))
            said += run(CONFIG, dwells(plots_of(NEAR, times, z)))[1]
    assert confirmed_projectiles(said)
    assert not [m for m in said if isinstance(m, Health)]


def test_likelihood_under_thrust_is_that_of_all_plots_together():
    """Of an evenly accelerating body, in one Gaussian: the covariance of all plots at once, no filter."""
    draws = np.random.default_rng(5)
    ages_s = np.sort(-draws.uniform(0.1, 3.0, 12))
    x = np.array([4000.0, 2500.0, 900.0, -250.0, 20.0, 110.0])
    root = draws.normal(size=(6, 6))
    p = root @ root.T * np.outer([9.0] * 3 + [4.0] * 3, [9.0] * 3 + [4.0] * 3)
    z = np.column_stack([draws.normal((6000.0, 0.8, 0.3), (300.0, 0.1, 0.05), (12, 3)), np.full(12, math.nan)])
    weights = np.tile([1.0 / 10.0, 1.0 / 2e-3, 1.0 / 1.5e-3, math.nan], (12, 1))
    turn, _ = np.linalg.qr(draws.normal(size=(3, 3)))
    origin = np.array([100.0, -50.0, 8.0])
    by, off, noise = np.zeros((36, 9)), np.zeros(36), np.zeros((36, 36))
    for k, t in enumerate(ages_s):
        sin_a, cos_a, sin_e, cos_e = math.sin(z[k, 1]), math.cos(z[k, 1]), math.sin(z[k, 2]), math.cos(z[k, 2])
        axes = np.array(
            [[cos_e * sin_a, cos_e * cos_a, sin_e], [cos_a, -sin_a, 0.0], [-sin_e * sin_a, -sin_e * cos_a, cos_e]]
        )
        axes = axes @ turn
        rows = slice(3 * k, 3 * k + 3)
        by[rows] = np.hstack([np.eye(3), t * np.eye(3), 0.5 * t * t * np.eye(3)])
        off[rows] = origin + z[k, 0] * axes[0] - [0.0, 0.0, -0.5 * t * t * GRAVITY_M_S2] - by[rows, :6] @ x
        sizes = np.array([10.0, 2e-3 * z[k, 0] * cos_e, 1.5e-3 * z[k, 0]])
        noise[rows, rows] = axes.T @ np.diag(sizes**2) @ axes
    before = np.zeros((9, 9))
    before[:6, :6], before[6:, 6:] = p, np.eye(3) * 250.0**2
    whole = by @ before @ by.T + noise
    expected = -0.5 * (off @ np.linalg.solve(whole, off) + np.linalg.slogdet(whole)[1] - np.linalg.slogdet(noise)[1])
    sensors, radars = np.zeros(12, dtype=np.int64), (turn[np.newaxis], origin[np.newaxis])
    assert log_thrust(ages_s, sensors, z, weights, x, p, *radars) == pytest.approx(expected, rel=1e-9)


def test_biases_of_other_sensors_are_refused():
    """Compiled code would write beyond its arrays."""
    constants = world(CONFIG)
    plots = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros((0, 4)), np.zeros((0, 4)))
    with pytest.raises(ValueError, match="6 biases of 1 sensors: must be 3 for each, or none"):
        burnt_out(constants, np.ones((1, 3, 3)), plots, np.zeros(10), 0, T0, (np.zeros(6), np.eye(6)))
