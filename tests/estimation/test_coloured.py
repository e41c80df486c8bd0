"""The likelihood of white and slow noise behind an unknown smooth curve, against plain linear algebra."""

import numpy as np
import pytest
from numpy.polynomial import legendre

from opencram.estimation.coloured import restricted_likelihood, without_wild

RATIOS, CONSTANTS, SCALES = np.array([0.0, 0.6, 2.0]), np.array([1.0, 1.5, 0.5]), np.array([0.5, 1.0, 2.0])


def series(seed, *, ratio=0.0, constant=1.5, count=120):
    """Times, residuals and variances: a cubic, white noise and a slow one."""
    draws = np.random.default_rng(seed)
    times = np.cumsum(draws.uniform(0.05, 0.15, count))
    variances = draws.uniform(0.5, 2.0, count) ** 2
    slow = ratio**2 * variances.mean() * np.exp(-np.abs(times[:, None] - times) / constant)
    noise = np.linalg.cholesky(slow + np.diag(variances)) @ draws.standard_normal(count)
    return times, 3.0 + 2.0 * times - 0.3 * times**2 + 0.01 * times**3 + noise, variances


def likelihoods(times, residuals, variances, precision, bends=None, bend_stds=()):
    """Of all kinds and scales (1 + bends, 3, 3)."""
    bends = np.empty((len(times), 0)) if bends is None else bends
    found = np.empty((1 + bends.shape[1], 3, 3))
    known = precision, bends, np.array(bend_stds, dtype=float)
    restricted_likelihood(times, residuals, variances, *known, RATIOS, CONSTANTS, SCALES, found)
    return found


def test_it_is_the_restricted_likelihood():
    times, residuals, variances = series(1, ratio=0.6)
    (found,) = likelihoods(times, residuals, variances, np.zeros((4, 4)))
    curve = legendre.legvander(2.0 * (times - times[0]) / np.ptp(times) - 1.0, 3)
    for g, (ratio, constant) in enumerate(zip(RATIOS, CONSTANTS, strict=True)):
        slow = ratio**2 * variances.mean() * np.exp(-np.abs(times[:, None] - times) / constant)
        for k, scale in enumerate(SCALES):
            inverse = np.linalg.inv(scale**2 * (slow + np.diag(variances)))
            inner = curve.T @ inverse @ curve
            rest = inverse - inverse @ curve @ np.linalg.solve(inner, curve.T @ inverse)
            # The determinant of the curve's own is the same for all scales but for its columns: scale ** (2 · 4).
            logs = -np.linalg.slogdet(inverse)[1] + np.linalg.slogdet(inner)[1]
            assert found[g, k] == pytest.approx(-0.5 * (residuals @ rest @ residuals + logs), rel=1e-9)


def test_what_is_known_of_the_curve_counts():
    """With a prior of its coefficients and of a bend it is the likelihood of a Gaussian with their covariance in it."""
    times, residuals, variances = series(2, ratio=0.6)
    precision = np.array([[0.5, 0.1, 0.0], [0.1, 2.0, 0.3], [0.0, 0.3, 9.0]])
    bends = np.column_stack([0.5 * np.maximum(end - times + times[0], 0.0) ** 2 for end in (1.0, 3.0)])
    found = likelihoods(times, residuals, variances, precision, bends, (7.0, 2.0))
    curve = legendre.legvander(2.0 * (times - times[0]) / np.ptp(times) - 1.0, 2)
    expected = np.empty((3, 3, 3))
    for way, bend in enumerate((np.zeros(len(times)), 7.0 * bends[:, 0], 2.0 * bends[:, 1])):
        for g, (ratio, constant) in enumerate(zip(RATIOS, CONSTANTS, strict=True)):
            slow = ratio**2 * variances.mean() * np.exp(-np.abs(times[:, None] - times) / constant)
            for k, scale in enumerate(SCALES):
                whole = scale**2 * (slow + np.diag(variances)) + curve @ np.linalg.solve(precision, curve.T)
                whole += np.outer(bend, bend)
                cost = residuals @ np.linalg.solve(whole, residuals) + np.linalg.slogdet(whole)[1]
                expected[way, g, k] = -0.5 * cost
    assert found - found[0, 0, 0] == pytest.approx(expected - expected[0, 0, 0], rel=1e-9, abs=1e-9)


def test_it_tells_slow_noise_from_white_over_many_series():
    right = {0.0: 0, 2.0: 0}
    for ratio in right:
        for seed in range(60):
            (found,) = likelihoods(*series(seed, ratio=ratio, constant=0.5), np.zeros((4, 4)))
            g, k = np.unravel_index(found.argmax(), found.shape)
            right[ratio] += RATIOS[g] == ratio and SCALES[k] == 1.0
    assert min(right.values()) >= 50, right


def test_wild_values_are_left_out_and_others_are_not():
    lost, kept = 0, 0
    for seed in range(30):
        times, residuals, _ = series(seed)
        residuals[[10, 60]] += [40.0, -60.0]
        good = without_wild(times, residuals, 3, 4.5)
        kept += good[[10, 60]].sum()
        lost += np.count_nonzero(~good) - np.count_nonzero(~good[[10, 60]])
    assert kept == 0
    assert lost < 0.02 * 30 * 120


def test_a_series_without_noise_is_no_number_and_not_an_error():
    times = np.linspace(0.0, 4.0, 30)
    found = likelihoods(times, np.zeros(30), np.ones(30), np.zeros((3, 3)), np.zeros((30, 1)), (1.0,))
    assert np.isfinite(found).all()
    assert without_wild(times, np.zeros(30), 2, 4.5).all()
