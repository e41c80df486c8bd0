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
from opencram.tracking.config import Config

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
