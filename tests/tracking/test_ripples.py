"""The next round of a ripple: which track passed where a plot stands, and how fast it was there."""

import math

import numpy as np
import pytest
from tracking_worlds import LEVEL, ROCKET, flown, noisy, polar, radar

from opencram.tracking.history import Columns
from opencram.tracking.ripples import among_others, followers, in_a_wake, is_chain

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


def test_the_next_round_is_in_the_wake_of_those_before_it():
    times = np.arange(1.0, 7.0, 0.5)
    states = flown(ROCKET, times)
    beside = states[0].copy()
    beside[0] += 40.0
    slow = states[0].copy()
    slow[3:] *= 0.7
    for count in range(1, len(times)):
        tracks, owner = states[1 : count + 1], np.arange(count)
        assert in_a_wake(states[0], tracks, owner)
        assert in_a_wake(beside, tracks, owner)
        assert not in_a_wake(slow, tracks, owner)
    assert not in_a_wake(states[0], np.empty((0, 6)), np.arange(0))


def test_most_tracks_that_pass_must_fly_alike():
    ahead = flown(ROCKET, [1.0, 1.2])
    slow = ahead.copy()
    slow[:, 3:] *= 0.7
    assert not in_a_wake(ahead[0], np.vstack([ahead[1:], slow]), np.arange(3))


def written(rounds):
    """A table of the plots of `rounds`, each of times (ns), sensor 0 and measurements (n, 4), and their last plots."""
    times, z, previous, lasts = [], [], [], []
    for times_ns, measured in rounds:
        previous += [-1, *range(len(times), len(times) + len(times_ns) - 1)]
        times += times_ns.tolist()
        z += measured.tolist()
        lasts.append(len(times) - 1)
    count = len(times)
    weights = np.tile(np.append(VARIANCES**-0.5, 1.0), (count, 1))
    whole = (np.array(times), np.zeros(count, dtype=np.int64), np.array(z), weights, np.array(previous))
    return Columns(0, 0, *whole), np.array(lasts)


@pytest.mark.parametrize("seed", range(5))
def test_plots_of_one_round_after_another_make_a_chain_and_those_of_a_round_do_not(seed):
    draws = np.random.default_rng(seed)
    fired = np.arange(8) * 0.2
    now, times = 3.0, np.round(np.arange(1.9, 3.01, 0.1), 2)
    tracks = np.array([flown(ROCKET, [now - each])[0] for each in fired])
    seen, chain = [], []
    for k, each in enumerate(fired):
        z = noisy(SENSOR, polar(SENSOR, flown(ROCKET, np.round(times - each, 2))), draws)
        z[:, 3] = math.nan
        chain.append(z[k])
        kept = draws.random(len(times)) < 0.9
        kept[k] = False  # the chain has it
        seen.append((np.round(times[kept] * 1e9).astype(np.int64), z[kept]))
    chained = np.round(times[: len(fired)] * 1e9).astype(np.int64), np.array(chain)

    def made_of_others(plots, others):
        table, lasts = written([seen[k] for k in others])
        count = len(plots[0])
        whole = (plots[0], np.zeros(count, dtype=np.int64), plots[1], np.tile(table.weight[0], (count, 1)))
        radars = ROTATION[np.newaxis], ORIGIN[np.newaxis]
        return is_chain(round(now * 1e9), whole, tracks[others], np.arange(len(others)), lasts, table, 100, *radars)

    assert made_of_others(chained, list(range(8)))
    assert not made_of_others(chained, [0])
    assert not made_of_others(seen[4], [0, 1, 2, 3, 5, 6, 7])


def test_who_is_among_others():
    draws = np.random.default_rng(1)
    for _ in range(20):
        x, others = draws.uniform(-300.0, 300.0, (12, 6)), draws.uniform(-300.0, 300.0, (5, 6))
        every = np.vstack([x, others])
        near = (np.abs(every[np.newaxis, :, :3] - x[:, np.newaxis, :3]) < 120.0).all(axis=2).sum(axis=1) > 1
        assert (among_others(x, others, 120.0) == near).all()
    assert not among_others(x[:1], others[:0], 120.0).any()
    assert not among_others(x[:0], others, 120.0).any()
