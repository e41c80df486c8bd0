"""Joint association probabilities against counting out every possibility."""

import itertools

import numpy as np
import pytest

from opencram.estimation.joint import counted, marginals, propagated


def enumerated(ratios, existence, detection):
    """The same probabilities from all ways in which objects exist and have plots."""
    n, m = ratios.shape
    chances, found, every = np.zeros((n, m + 1)), np.zeros(n), 0.0
    for exists in itertools.product((False, True), repeat=n):
        for plots in itertools.product(range(m + 1), repeat=n):
            used = [i for i in plots if i < m]
            if len(set(used)) < len(used) or any(i < m and not e for i, e in zip(plots, exists, strict=True)):
                continue
            weight = 1.0
            for k, (e, i) in enumerate(zip(exists, plots, strict=True)):
                weight *= existence[k] if e else 1.0 - existence[k]
                if e:
                    weight *= detection * ratios[k, i] if i < m else 1.0 - detection
            every += weight
            for k in range(n):
                chances[k, plots[k]] += weight
                found[k] += weight * exists[k]
    return chances / every, found / every


def drawn(seed, n, m):
    """Likelihood ratios of a cluster: objects and plots along a line, a plot of each object and some of nobody."""
    draws = np.random.default_rng(seed)
    places = draws.uniform(0.0, 4.0, n)
    plots = np.concatenate([places + draws.standard_normal(n), draws.uniform(-1.0, 5.0, n)])[:m]
    ratios = 10.0 * np.exp(-0.5 * (plots - places[:, np.newaxis]) ** 2)
    ratios[ratios < 10.0 * np.exp(-8.0)] = 0.0
    return ratios, draws.uniform(0.3, 1.0, n)


@pytest.mark.parametrize("detection", [0.5, 0.9, 1.0 - 1e-6])
def test_small_clusters_are_exact(detection):
    for seed in range(20):
        for n, m in ((1, 1), (1, 4), (4, 1), (2, 2), (3, 4), (4, 3)):
            asked = *drawn(seed, n, m), detection
            for mine, exact in zip(marginals(*asked), enumerated(*asked), strict=True):
                assert mine == pytest.approx(exact, abs=1e-9)


def test_belief_propagation_is_exact_without_loops():
    for seed in range(20):
        draws = np.random.default_rng(seed)
        # A chain: the first two share a plot, and so do the last two.
        weights = np.zeros((3, 2))
        weights[[0, 1, 1, 2], [0, 0, 1, 1]] = draws.uniform(0.1, 200.0, 4)
        for each in (weights, weights[:1], weights[:, :1], draws.uniform(0.0, 9.0, (1, 5))):
            assert propagated(each) == pytest.approx(counted(each), abs=1e-6)


def test_belief_propagation_is_close_in_contested_clusters():
    off, off_alone = [], []
    for seed in range(60):
        ratios, existence = drawn(seed, 3 + seed % 2, 3 + seed % 3 % 2)
        weights = ratios * (0.9 * existence / (1.0 - 0.9 * existence))[:, np.newaxis]
        exact = counted(weights)
        off += np.abs(propagated(weights) - exact).ravel().tolist()
        # Each object by itself, as if it had no neighbours.
        off_alone += [
            p for k in range(len(weights)) for p in np.abs(counted(weights[k : k + 1])[0] - exact[k]).tolist()
        ]
    assert np.mean(off) < 0.25 * np.mean(off_alone)
    assert np.mean(off) < 0.02


def test_belief_propagation_is_too_sure_of_two_that_are_surely_seen():
    weights = 1e6 * np.exp([[0.0, -0.5], [-0.5, 0.0]])
    assert counted(weights)[0, :2] == pytest.approx([1.0 / (1.0 + np.exp(-1.0)), 1.0 / (1.0 + np.exp(1.0))], abs=1e-3)
    assert propagated(weights)[0, 0] > 0.95


def test_probabilities_are_probabilities():
    for seed in range(40):
        ratios, existence = drawn(seed, 6, 6 + seed % 2 * 6)
        chances, found = marginals(10.0 ** (seed % 8) * ratios, existence, 0.9)
        assert ((chances >= 0.0) & (chances <= 1.0)).all()
        assert chances.sum(axis=1) == pytest.approx(1.0)
        assert (chances[:, :-1].sum(axis=0) <= 1.0 + 1e-3).all()
        assert ((found >= 0.0) & (found <= 1.0)).all()


def test_what_has_a_plot_exists_and_what_should_have_had_one_hardly_does():
    _, found = marginals(np.array([[1e6], [0.0]]), np.array([0.5, 0.5]), 0.9)
    assert found[0] > 0.999
    assert found[1] == pytest.approx(0.05 / 0.55)


def test_nobody_and_nothing():
    assert marginals(np.zeros((0, 3)), np.zeros(0), 0.9)[0].shape == (0, 4)
    chances, found = marginals(np.zeros((2, 0)), np.array([1.0, 0.5]), 0.9)
    assert chances.tolist() == [[1.0], [1.0]]
    assert found == pytest.approx([1.0, 0.05 / 0.55])
