"""Gates, clusters and assignment against brute force, and the sort that they use."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from scipy.optimize import linear_sum_assignment

from opencram.tracking.association import assigned, gated
from opencram.tracking.ordering import ascending, mapped, within

GATE = 20.0
STDS = np.array([10.0, 1e-3, 1e-3])


@settings(deadline=None, max_examples=200)
@given(st.lists(st.integers(-5, 5), max_size=40))
def test_the_order_is_stable(values):
    order = ascending(np.array(values, dtype=np.float64))
    assert order.tolist() == np.argsort(values, kind="stable").tolist()


def scene(seed, tracks, plots, spread):
    """What tracks expect, and plots of some of them among false ones."""
    draws = np.random.default_rng(seed)
    h = np.column_stack(
        [draws.uniform(5000, 5000 + 900 * spread, tracks), *draws.uniform(0, 0.05 * spread, (2, tracks))]
    )
    root = draws.standard_normal((tracks, 3, 3)) * STDS[:, None]
    s = root @ root.transpose(0, 2, 1)
    z = np.full((plots, 4), math.nan)
    z[:, :3] = h[draws.integers(tracks, size=plots)] + draws.standard_normal((plots, 3)) * 2 * STDS
    return h, s, z


def cost_table(h, s, z):
    """d² + ln |S|, relative to the plot's own noise, by NumPy; infinite outside the gate."""
    table = np.full((len(h), len(z)), math.inf)
    for k, j in np.ndindex(table.shape):
        off, innovation = z[j, :3] - h[k], s[k] + np.diag(STDS**2)
        distance = off @ np.linalg.solve(innovation, off)
        if distance < GATE:
            table[k, j] = distance + np.linalg.slogdet(innovation)[1] - 2 * np.log(STDS).sum()
    return table


def assigned_pairs(h, s, z):
    """The plot of each track, and all pairs as a table."""
    variances = np.tile(STDS**2, (len(z), 1))
    starts, plots, costs = gated(h, s, np.ones(len(h), dtype=bool), z, variances, GATE)
    table = np.full((len(h), len(z)), math.inf)
    for k in range(len(h)):
        pairs = slice(starts[k], starts[k + 1])
        table[k, plots[pairs]] = costs[pairs]
    return assigned(starts, plots, costs, len(z), GATE), table


@pytest.mark.parametrize("spread", [0.02, 0.3, 3.0])
@pytest.mark.parametrize(("tracks", "plots"), [(1, 1), (1, 0), (0, 3), (12, 12), (25, 10), (10, 30)])
def test_pairs_and_assignment_are_those_of_brute_force(tracks, plots, spread):
    for seed in range(8):
        if not tracks and plots:
            h, s, z = np.empty((0, 3)), np.empty((0, 3, 3)), np.ones((plots, 4))
        else:
            h, s, z = scene(seed, tracks, plots, spread)
        found, table = assigned_pairs(h, s, z)
        expected = cost_table(h, s, z)
        assert np.isfinite(table).tolist() == np.isfinite(expected).tolist()
        assert table[np.isfinite(table)] == pytest.approx(expected[np.isfinite(expected)], abs=1e-6)
        taken = found[found >= 0].tolist()
        assert len(set(taken)) == len(taken)
        # The oracle: each track may also stay alone, in a column of its own.
        alone = np.full((tracks, tracks), 1e9)
        np.fill_diagonal(alone, GATE)
        whole = np.hstack([np.where(np.isfinite(expected), expected, 1e9), alone])
        rows, columns = linear_sum_assignment(whole)
        total = sum(GATE if j < 0 else table[k, j] for k, j in enumerate(found.tolist()))
        assert total == pytest.approx(whole[rows, columns].sum(), abs=1e-6)


def test_what_is_not_sound_takes_no_plot():
    h, s, z = scene(3, 4, 4, 1.0)
    h[1] = math.nan
    z[:, :3] = h[2]
    sound = np.array([True, False, True, True])
    starts, plots, costs = gated(h, s, sound, z, np.tile(STDS**2, (4, 1)), GATE)
    found = assigned(starts, plots, costs, 4, GATE)
    assert found[1] == -1
    assert found[2] >= 0


def test_a_crowd_costs_no_square():
    """2000 tracks far apart and their plots: each finds its own, and no more pairs than tracks are looked at."""
    h = np.column_stack([np.arange(2000) * 200.0 + 1000.0, np.zeros(2000), np.full(2000, 0.1)])
    s = np.tile(np.diag(STDS**2), (2000, 1, 1))
    order = np.random.default_rng(5).permutation(2000)
    z = np.column_stack([h[order], np.full(2000, math.nan)])
    starts, plots, costs = gated(h, s, np.ones(2000, dtype=bool), z, np.tile(STDS**2, (2000, 1)), GATE)
    assert starts[-1] == 2000
    found = assigned(starts, plots, costs, 2000, GATE)
    assert (order[found] == np.arange(2000)).all()


@njit
def _near(positions, place, reach_m):
    edges, first, order = mapped(positions)
    found = np.empty(len(positions), dtype=np.int64)
    return found[: within(found, edges, first, order, place[0], place[1], reach_m, reach_m)]


@pytest.mark.parametrize(
    ("count", "spread_m"), [(0, 1.0), (1, 1.0), (2, 0.0), (50, 100.0), (3000, 20_000.0), (500, 1e9)]
)
def test_a_map_finds_all_positions_within_reach(count, spread_m):
    draw = np.random.default_rng(count)
    positions = draw.uniform(-spread_m, spread_m, (count, 3))
    positions[::7] = np.inf
    positions[3::11, 1] = np.nan
    for place in draw.uniform(-1.5 * spread_m, 1.5 * spread_m, (50, 2)):
        for reach_m in (0.0, 0.05 * spread_m, spread_m, 10.0 * spread_m):
            found = _near(positions, place, reach_m)
            assert len(set(found)) == len(found)
            with np.errstate(invalid="ignore"):
                inside = (np.abs(positions[:, :2] - place) <= reach_m).all(axis=1)
            assert set(np.flatnonzero(inside)) <= set(found)
            assert np.isfinite(positions[found, :2]).all()


def test_a_place_that_is_no_number_is_near_nothing():
    positions = np.zeros((5, 3))
    assert not len(_near(positions, np.array([np.nan, 0.0]), 10.0))
    assert not len(_near(positions, np.array([0.0, 0.0]), np.inf))
