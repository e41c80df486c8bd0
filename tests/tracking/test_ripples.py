"""The next round of a ripple: which track passed where a plot stands, and how fast it was there."""

import math

import numpy as np
import pytest
from tracking_worlds import LEVEL, ROCKET, flown, noisy, polar, radar

from opencram.tracking.ripples import followers

SENSOR = radar(position_enu_m=(500.0, -800.0, 6.0))
ORIGIN, ROTATION = np.array(SENSOR.position_enu_m), np.array(LEVEL).reshape(3, 3)
VARIANCES = np.array([10.0, 1.5e-3, 1.5e-3]) ** 2


def asked(states, tracks, candidates=None, *, free=True, seed=1):
    """What is said of noisy plots at these states (m, 6) beside tracks (n, 6)."""
    z = noisy(SENSOR, polar(SENSOR, np.atleast_2d(states)), np.random.default_rng(seed))
    z[:, 3] = math.nan
    tracks = np.asarray(tracks, dtype=np.float64).reshape(-1, 6)
    return followers(
        z, np.tile(VARIANCES, (len(z), 1)), np.full(len(z), free), ROTATION, ORIGIN, tracks, np.arange(len(tracks)),
        np.empty((0, 6)) if candidates is None else np.asarray(candidates),
    )  # fmt: skip


@pytest.mark.parametrize("ahead_s", [0.2, 0.5])
def test_a_plot_on_the_path_of_a_track_has_its_velocity_there(ahead_s):
    start, later = flown(ROCKET, [1.0, 1.0 + ahead_s])
    for seed in range(20):
        found = asked(start, later, seed=seed)
        assert np.linalg.norm(found[0, :3] - start[3:]) < 3.0
        assert 20.0 <= found[0, 3] < 25.0


def test_a_round_far_behind_is_asked_only_in_a_crowd():
    start, later = flown(ROCKET, [1.0, 4.0])
    assert np.isnan(asked(start, later)).all()
    beside = start.copy()
    beside[0] += 150.0
    found = asked(start, later, [beside])
    assert np.linalg.norm(found[0, :3] - start[3:]) < 12.0  # the other's drag is not known so far back


def test_what_is_not_on_the_path_or_not_free_is_like_nobody():
    start, later = flown(ROCKET, [1.0, 1.3])
    beside = start.copy()
    beside[:2] += 100.0 * np.array([-later[4], later[3]]) / np.linalg.norm(later[3:5])
    assert np.isnan(asked(beside, later)).all()
    assert np.isnan(asked(start, later, free=False)).all()
    assert np.isnan(asked(start, np.empty((0, 6)), [start])).all()
