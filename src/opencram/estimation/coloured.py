"""How a series of residuals errs: white, and slowly beside.

A residual is a smooth curve (a polynomial, of whose coefficients little or nothing is known), plus white noise, plus a
Gauss-Markov process.  Series are whitened by the innovations of the process, and the curve is integrated out; where
nothing is known of it that is the restricted likelihood (REML).  The curve may bend besides, in one of several ways.

Source: H. D. Patterson, R. Thompson, "Recovery of inter-block information when block sizes are unequal", Biometrika 58
(1971); whitening by innovations: A. C. Harvey, "Forecasting, Structural Time Series Models and the Kalman Filter"
(1989), section 3.4.
"""

import math

import numpy as np

from opencram.estimation.linear import cholesky
from opencram.kernel import kernel


@kernel
def restricted_likelihood(times, residuals, variances, precision, bends, bend_stds, ratios, constants, scales, found):
    """Write the log likelihoods (1 + bends, kinds, scales) of residuals (n) to `found`, up to a constant.

    `times` (n): ascending, s.  `variances` (n): as stated.  Kind g has a slow part of `ratios[g]` times the stated
    deviation (root mean square over the series) and the time constant `constants[g]` (s); both parts are `scales[k]`
    times as large.  `precision` (columns, columns): of the coefficients of the curve, Legendre polynomials over the
    series, about zero beforehand; zeros: nothing is known of them, and there must be more residuals than columns.

    First without, then with one of `bends` (n, any) beside the curve, of unknown size with the deviation `bend_stds`.
    """
    n, columns, bent = times.shape[0], precision.shape[0], precision.shape[0] + bends.shape[1]
    middle, half = 0.5 * (times[0] + times[n - 1]), max(0.5 * (times[n - 1] - times[0]), 1e-9)
    mean = variances.sum() / n
    normal, rhs = np.empty((bent, columns + 1)), np.empty(bent)  # last column: each of itself
    factor, solved, last = np.empty((columns, columns)), np.empty(columns), np.empty(columns)
    series, slow, curves = np.empty(bent + 1), np.empty(bent + 1), np.empty((n, bent))
    for k in range(n):
        legendre((times[k] - middle) / half, columns, curves[k])
        curves[k, columns:] = bends[k]
    for g in range(ratios.shape[0]):
        whole = ratios[g] * ratios[g] * mean
        normal[:, :] = 0.0
        rhs[:] = 0.0
        slow[:] = 0.0
        variance, squares, logs = whole, 0.0, 0.0
        for k in range(n):
            kept = math.exp(-(times[k] - times[max(k - 1, 0)]) / constants[g])
            variance = kept * kept * variance + (1.0 - kept * kept) * whole
            total = variance + variances[k]
            gain, inverse = variance / total, 1.0 / total
            for a in range(bent):
                series[a] = curves[k, a]
            series[bent] = residuals[k]
            for a in range(bent + 1):
                slow[a] *= kept
                own = series[a] - slow[a]
                slow[a] += gain * own
                series[a] = own
            variance *= 1.0 - gain
            for a in range(bent):
                for b in range(min(a + 1, columns)):
                    normal[a, b] += series[a] * series[b] * inverse
                normal[a, columns] += series[a] * series[a] * inverse
                rhs[a] += series[a] * series[bent] * inverse
            squares += series[bent] * series[bent] * inverse
            logs += math.log(total)
        for k in range(scales.shape[0]):
            inverse = 1.0 / (scales[k] * scales[k])
            for a in range(columns):
                for b in range(a + 1):
                    factor[a, b] = inverse * normal[a, b] + precision[a, b]
            cost = squares * inverse + logs - n * math.log(inverse) + cholesky(factor, columns)
            for a in range(columns):
                total = inverse * rhs[a]
                for b in range(a):
                    total -= factor[a, b] * solved[b]
                solved[a] = total / factor[a, a]
                cost -= solved[a] * solved[a]
            found[0, g, k] = -0.5 * cost
            for j in range(bent - columns):
                own, known = columns + j, bend_stds[j] * bend_stds[j]
                rest, total = inverse * normal[own, columns] + 1.0 / known, inverse * rhs[own]
                for a in range(columns):
                    last[a] = inverse * normal[own, a]
                    for b in range(a):
                        last[a] -= factor[a, b] * last[b]
                    last[a] /= factor[a, a]
                    rest -= last[a] * last[a]
                    total -= last[a] * solved[a]
                found[1 + j, g, k] = -0.5 * (cost + math.log(rest * known) - total * total / rest)


@kernel
def legendre(t, columns, series):
    """Write the Legendre polynomials at `t` in [−1, 1]."""
    series[0] = 1.0
    if columns > 1:
        series[1] = t
    for a in range(2, columns):
        series[a] = ((2 * a - 1) * t * series[a - 1] - (a - 1) * series[a - 2]) / a


@kernel
def without_wild(times, residuals, degree, limit):
    """Return which residuals (n) lie within `limit` robust deviations of a polynomial (least squares, twice)."""
    n, columns = times.shape[0], degree + 1
    middle, half = 0.5 * (times[0] + times[n - 1]), max(0.5 * (times[n - 1] - times[0]), 1e-9)
    good = np.ones(n, dtype=np.bool_)
    normal, rhs, series = np.empty((columns, columns)), np.empty(columns), np.empty(columns)
    off = np.empty(n)
    for _ in range(2):
        normal[:, :] = 0.0
        rhs[:] = 0.0
        for k in range(n):
            if not good[k]:
                continue
            legendre((times[k] - middle) / half, columns, series)
            for a in range(columns):
                rhs[a] += series[a] * residuals[k]
                for b in range(a + 1):
                    normal[a, b] += series[a] * series[b]
        if math.isnan(cholesky(normal, columns)):
            return good
        for a in range(columns):
            for b in range(a):
                rhs[a] -= normal[a, b] * rhs[b]
            rhs[a] /= normal[a, a]
        for a in range(columns - 1, -1, -1):
            for b in range(a + 1, columns):
                rhs[a] -= normal[b, a] * rhs[b]
            rhs[a] /= normal[a, a]
        for k in range(n):
            legendre((times[k] - middle) / half, columns, series)
            off[k] = residuals[k]
            for a in range(columns):
                off[k] -= rhs[a] * series[a]
        deviation = 1.4826 * np.median(np.abs(off)) + 1e-12
        for k in range(n):
            good[k] = abs(off[k]) <= limit * deviation
    return good
