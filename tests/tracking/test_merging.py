"""One plot of two rounds that a radar cannot resolve is told to both, and of a radar that resolves them to one."""

import math

import numpy as np
import pytest
from tracking_worlds import (
    CONFIG,
    NORTH,
    ROCKET,
    confirmed_projectiles,
    dwells,
    every,
    flown,
    merged,
    noisy,
    plots_of,
    polar,
    run,
    users,
)

from opencram.tracking import merging
from opencram.tracking.state import TARGET

STDS = np.array([10.0, 1.5e-3, 1.5e-3])
GATE = 20.0
T_NS = 50_000_000_000


def looked_at(h, plot_of, z, counts, *, std=0.3, own_t_ns=T_NS):
    """What `merging.merged` makes of plots beside tracks that are known to `std` deviations of a plot."""
    count = len(h)
    targets = np.zeros(count, dtype=TARGET)
    targets["own_t_ns"] = own_t_ns
    s = np.tile(np.diag((std * STDS) ** 2), (count, 1, 1))
    variances = np.tile(STDS**2, (len(z), 1))
    sound = np.ones(count, dtype=np.bool_)
    pairs, plots = merging.merged(h, s, sound, targets, T_NS, np.array(plot_of), z, variances, GATE, counts)
    return pairs.tolist(), plots.tolist(), s, variances


def row(measured):
    return np.append(measured, math.nan)


H = np.array([[5000.0, 0.5, 0.2], [5000.0 + 20.0, 0.5 + 4e-3, 0.2]])
BETWEEN = H.mean(axis=0)
MERGES, RESOLVES = (np.tile(each, (merging.NEARNESS, 1)) for each in ([0.0, 60.0], [200.0, 40.0]))


def test_a_plot_between_two_is_of_both_where_the_radar_merges():
    z = np.array([row(BETWEEN)])
    pairs, plots, _, _ = looked_at(H, [0, -1], z, MERGES.copy())
    assert (pairs, plots) == ([[0, 1]], [0])
    pairs, plots, _, _ = looked_at(H, [-1, 0], z, MERGES.copy())
    assert (pairs, plots) == ([[1, 0]], [0])
    pairs, plots, _, _ = looked_at(H, [-1, -1], z, MERGES.copy())
    assert plots == [0]


def test_a_plot_of_one_is_not_of_both_where_the_radar_resolves():
    draws, shared = np.random.default_rng(1), 0
    for _ in range(200):
        z = np.array([row(H[0] + STDS * draws.standard_normal(3))])
        far = H.copy()
        far[1, 1] = H[0, 1] + 8e-3
        shared += len(looked_at(far, [0, -1], z, RESOLVES.copy())[1])
    assert shared <= 6


def test_what_a_radar_does_is_learnt():
    z = np.array([row(BETWEEN)])
    counts = np.zeros((merging.NEARNESS, 2))
    assert looked_at(H, [0, -1], z, counts)[1] == []  # the other may just have been missed
    for _ in range(30):
        looked_at(H, [0, -1], z, counts)
    assert looked_at(H, [0, -1], z, counts)[1] == [0]
    two = np.array([row(H[0]), row(H[1])])
    for _ in range(300):
        assert looked_at(H, [0, 1], two, counts)[1] == []
    assert looked_at(H, [0, -1], np.array([row(H[0])]), counts)[1] == []
    assert counts.sum() <= 500.0


@pytest.mark.parametrize(
    "changes",
    [
        {"own_t_ns": T_NS - 26_000_000_000},  # for so long nothing has been seen of its own
        {"std": 4.0},  # the track may be anywhere in the cell
    ],
)
def test_what_is_not_known_to_be_there_shares_no_plot(changes):
    assert looked_at(H, [0, -1], np.array([row(BETWEEN)]), MERGES.copy(), **changes)[1] == []


def test_tracks_out_of_the_cell_share_no_plot():
    for off in ([80.0, 0.0, 0.0], [0.0, 0.04, 0.0], [0.0, 0.0, 0.04]):
        apart = np.array([H[0], H[0] + off])
        z = np.array([row(apart.mean(axis=0))])
        assert looked_at(apart, [-1, -1], z, MERGES.copy())[1] == []


def test_what_both_are_told_is_right_in_the_mean_and_no_better_than_said():
    draws = np.random.default_rng(3)
    far = H.copy()
    far[1] = H[0] + [30.0, 8e-3, -5e-3]
    off = []
    for _ in range(400):
        places = far + 0.3 * STDS * draws.standard_normal((2, 3))
        share = draws.random()
        z = np.array([row((1 - share) * places[0] + share * places[1] + STDS * draws.standard_normal(3))])
        s = np.tile(np.diag((0.3 * STDS) ** 2), (2, 1, 1))
        told, spreads, weights = merging.shares(
            np.array([[0, 1]]), np.array([0]), far, s, z, np.tile(STDS**2, (1, 1)), np.array([[*(1 / STDS), 1.0]])
        )
        assert weights[:, :3] == pytest.approx(spreads**-0.5)
        assert np.isnan(told[:, 3]).all()
        off.append((told[:, :3] - places) / np.sqrt(spreads))
    off = np.array(off)
    assert np.abs(off.mean(axis=0)).max() < 0.15
    assert (off.std(axis=0) < 1.0).all()
    assert (off.std(axis=0) > 0.5).all()


def raid(seed, apart_m=45.0, first_s=4.0, last_s=9.0):
    """Plots of two rounds side by side, one between them from `first_s` to `last_s`; and the plots of each alone."""
    draws = np.random.default_rng(seed)
    times = every(0.1, 13.0)
    other = np.array(ROCKET)
    other[:2] += apart_m * np.array([0.825, -0.565])  # across the path
    z = [noisy(NORTH, polar(NORTH, flown(state, times)), draws) for state in (ROCKET, other)]
    hidden = (times >= first_s) & (times < last_s)
    share = draws.random(len(times))[:, np.newaxis]
    between = z[0] + share * (z[1] - z[0])
    kept = draws.random((2, len(times))) < 0.9
    lists = [plots_of(NORTH, times[kept[k] & ~hidden], z[k][kept[k] & ~hidden]) for k in range(2)]
    return merged(*lists, plots_of(NORTH, times[hidden], between[hidden])), lists


def test_two_rounds_keep_their_tracks_while_they_give_one_plot():
    kept, counts = [], []
    for seed in range(8):
        every_plot, lists = raid(seed)
        _, said = run(CONFIG, dwells(every_plot))
        counts.append(len(confirmed_projectiles(said)))
        users_of = users(said)
        number = {(p.t_ns, p.range_m): p.plot_id for p in every_plot}
        for own in lists:
            tracks = [users_of[number[p.t_ns, p.range_m]] for p in own]
            before, after = tracks[28:36], tracks[-8:]
            kept.append(max(before.count(t) + after.count(t) for t in {*before, *after} - {0}) >= 13)
    assert np.mean(counts) <= 2.3
    assert np.mean(kept) >= 0.9


def test_two_rounds_that_begin_as_one_have_tracks_of_their_own_once_they_part():
    found, held = [], []
    for seed in range(8):
        every_plot, lists = raid(seed, first_s=0.0, last_s=3.0)
        _, said = run(CONFIG, dwells(every_plot))
        found.append(len(confirmed_projectiles(said)))
        users_of = users(said)
        number = {(p.t_ns, p.range_m): p.plot_id for p in every_plot}
        last = [[users_of[number[p.t_ns, p.range_m]] for p in own[-20:]] for own in lists]
        own = [max(set(tracks), key=tracks.count) for tracks in last]
        held.append(own[0] != own[1] and min(last[k].count(own[k]) for k in range(2)) >= 15)
    assert np.mean(np.array(found) >= 2) >= 0.8
    assert np.mean(held) >= 0.8
