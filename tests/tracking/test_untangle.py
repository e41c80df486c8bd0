"""Plots of two neighbours, mixed: who is who comes out of all of them together."""

import numpy as np
import pytest

from opencram.tracking.untangle import NEAR_M, near_pairs, shared_out

STD_M = 14.0  # of the difference of two plots


def pair(draws, apart_m, drift_m_s, count=30, period_s=0.1):
    """Times (n) before now and differences (n, 3) of two bodies that drift apart, and their variances."""
    times = -period_s * np.arange(count)[::-1]
    direction = draws.standard_normal((2, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    line = apart_m * direction[0] + drift_m_s * direction[1] * (times - times[0])[:, np.newaxis]
    return times, line + draws.normal(0.0, STD_M, (count, 3)), np.full((count, 3), STD_M**2)


@pytest.mark.parametrize(("apart_m", "wrong_most", "done_least"), [(40.0, 0.03, 1.0), (25.0, 0.12, 0.9)])
def test_mixed_plots_are_told_apart(apart_m, wrong_most, done_least):
    wrong = total = done = 0
    for seed in range(30):
        draws = np.random.default_rng(seed)
        times, apart, variances = pair(draws, apart_m, 5.0)
        mixed = draws.random(len(times)) < 0.4
        exchange, better, asked = shared_out(times, np.where(mixed[:, np.newaxis], -apart, apart), variances)
        if better > asked:
            done += 1
            wrong += min((exchange != mixed).sum(), (exchange == mixed).sum())
            total += len(times)
    assert done >= done_least * 30
    assert wrong <= wrong_most * total


def test_what_is_not_mixed_stays_as_it_is():
    for seed in range(30):
        draws = np.random.default_rng(seed)
        exchange, better, asked = shared_out(*pair(draws, 50.0, 5.0))
        assert better < asked
        assert exchange.mean() < 0.1


def test_two_that_cannot_be_told_apart_are_left_alone():
    """In the same place the best way of sharing is likelier by chance, but seldom by as much as is asked for."""
    done = []
    for count in (10, 30, 100):
        for seed in range(60):
            _, better, asked = shared_out(*pair(np.random.default_rng(seed), 0.0, 0.0, count))
            done.append(better > asked)
    assert np.mean(done) < 0.04


def test_paths_that_cross_are_no_mixture():
    """The difference goes through zero: a line through it is no reason to mirror half of it."""
    for seed in range(20):
        draws = np.random.default_rng(seed)
        times = -0.1 * np.arange(40)[::-1]
        apart = np.outer(times - times.mean(), [25.0, 0.0, 0.0]) + draws.normal(0.0, STD_M, (40, 3))
        _, better, asked = shared_out(times, apart, np.full((40, 3), STD_M**2))
        assert better < 0.7 * asked


def test_near_pairs_are_those_of_brute_force():
    for seed in range(20):
        x = np.random.default_rng(seed).uniform(0.0, 300.0, (25, 3))
        apart = np.abs(x[:, np.newaxis] - x).max(axis=2)
        assert near_pairs(x).tolist() == np.argwhere(np.triu(apart < NEAR_M, 1)).tolist()
    assert near_pairs(np.zeros((1, 3))).shape == near_pairs(np.zeros((0, 3))).shape == (0, 2)


def test_a_flood_of_neighbours_is_bounded():
    assert len(near_pairs(np.random.default_rng(1).uniform(0.0, 50.0, (500, 3)))) == 300
