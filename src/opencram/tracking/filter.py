"""The unscented filters that carry tracks from plot to plot: one for each flight model still in question.

Each row of the arrays here is one filter: the state of one track if it is of one model.  A batch fit
starts it.  Sigma points are the 20 of the spherical rule (mean ± √10 times the columns of the Cholesky
factor, equal weights): with ten states they need no tuning.

Behind the ten states stand the slow errors of the sensors, three for each (range, azimuth, elevation; see
`tracking.errors`), and behind these, where there are several sensors, their biases.  They only add to what is measured,
so no sigma points are spent on them: their covariance with the flight goes along by the linear map that the points of
the flight imply.

Source: I. Arasaratnam, S. Haykin, "Cubature Kalman Filters", IEEE TAC 54 (2009), section IV.
"""

import math

import numpy as np

from opencram.ballistics.lanes import LANES
from opencram.ballistics.propagation import LN_BETA, STATES, exponential, fly
from opencram.estimation.linear import cholesky
from opencram.kernel import helper, kernel
from opencram.tracking.errors import MEMORY_S, POLAR, SLOW
from opencram.tracking.fit import wrap

POINTS = 20
_SPREAD = math.sqrt(10.0)
_STEP_S_MAX = 0.3

# Growth of the variances per second: what the model leaves out.  The wind changes with height (2 m/s per
# km at a climb of 150 m/s is 0.3 m/s each second, and not white), and no drag curve is the round's own.
# Chosen from that, and held to simulated raids (benchmarks/consistency.py).
_VELOCITY_GROWTH = 0.05**2  # (m/s)²/s
_LN_BETA_GROWTH = 0.007**2  # 1/s
_WIND_GROWTH = 0.28**2  # (m/s)²/s


@helper
def sigma_block(x, factor, block):
    """Fill the lanes: the mean, the 20 points of mean and Cholesky factor, the mean again."""
    for row in range(STATES):
        for lane in range(LANES):
            block[row, lane] = x[row]
        for j in range(row + 1):
            block[row, 1 + j] += _SPREAD * factor[row, j]
            block[row, 11 + j] -= _SPREAD * factor[row, j]


@helper
def _predict(x, p, dt, growth, env, cd, block, factor, solved):
    """Move mean and covariance on by `dt`, in place; return False if the covariance is broken.

    `growth` (s): for how long the variances grow.  `solved` (10, slow errors) receives L⁻¹ times their covariance with
    the flight, L the Cholesky factor of the flight's own.
    """
    for i in range(STATES):
        for j in range(i + 1):
            factor[i, j] = p[i, j]
    if math.isnan(cholesky(factor, STATES)):
        return False
    sigma_block(x, factor, block)
    if dt != 0.0:
        for lane in range(LANES):
            block[STATES, lane] = block[LN_BETA, lane]
            block[LN_BETA, lane] = exponential(-block[LN_BETA, lane])
        steps = max(1, math.ceil(abs(dt) / _STEP_S_MAX))
        fly(block, dt / steps, steps, env, cd)
        for lane in range(LANES):
            block[LN_BETA, lane] = block[STATES, lane]
    _spread(block, factor, x, p)
    _carry_slow(block, factor, p, solved)
    for i in range(3, 6):
        p[i, i] += _VELOCITY_GROWTH * growth
    p[LN_BETA, LN_BETA] += _LN_BETA_GROWTH * growth
    for i in range(7, 9):
        p[i, i] += _WIND_GROWTH * growth
    return math.isfinite(p[0, 0] + p[3, 3] + x[0] + x[3])


@helper
def _spread(block, factor, x, p):
    """Write mean and covariance of the 20 points after a flight.

    A flight leaves drag, wind and spin as they are: the deviations of those four are still the columns of `factor`,
    their covariance is what it was, and only the rest is summed.  Sums run over points in the outer loop: the inner
    ones are then free of each other.
    """
    deviation = np.empty(6)
    for i in range(6):
        total = 0.0
        for lane in range(1, POINTS + 1):
            total += block[i, lane]
        x[i] = total / POINTS
        for j in range(STATES):
            p[i, j] = 0.0
    for lane in range(1, POINTS + 1):
        for i in range(6):
            deviation[i] = block[i, lane] - x[i]
        for i in range(6):
            share = deviation[i] * (1.0 / POINTS)
            for j in range(6):
                p[i, j] += share * deviation[j]
    for k in range(STATES):
        for i in range(6):
            deviation[i] = (block[i, 1 + k] - block[i, 11 + k]) * (_SPREAD / POINTS)
        for j in range(max(k, 6), STATES):
            for i in range(6):
                p[i, j] += deviation[i] * factor[j, k]
    for i in range(6):
        for j in range(6, STATES):
            p[j, i] = p[i, j]


@helper
def _carry_slow(block, factor, p, solved):
    """Write L⁻¹ Pxb, L the factor, and the covariance of the slow errors with the flight after it."""
    for b in range(solved.shape[1]):
        for i in range(STATES):
            total = p[i, STATES + b]
            for k in range(i):
                total -= factor[i, k] * solved[k, b]
            solved[i, b] = total / factor[i, i]
    for i in range(6):
        for b in range(solved.shape[1]):
            p[i, STATES + b] = 0.0
        for k in range(STATES):
            moved = (block[i, 1 + k] - block[i, 11 + k]) * (0.5 / _SPREAD)
            for b in range(solved.shape[1]):
                p[i, STATES + b] += moved * solved[k, b]
    for i in range(6):
        for b in range(solved.shape[1]):
            p[STATES + b, i] = p[i, STATES + b]


@helper
def _forget(x, p, dt, errors, solved):
    """Let the slow errors of all sensors pass on by `dt` seconds, in place."""
    for b in range(POLAR * errors.shape[0]):
        error = errors[b // POLAR, b % POLAR]
        kept = math.exp(-abs(dt) / error[MEMORY_S])
        at = STATES + b
        x[at] *= kept
        for i in range(x.shape[0]):
            p[i, at] *= kept
            p[at, i] *= kept
        for i in range(STATES):
            solved[i, b] *= kept
        p[at, at] += (1.0 - kept * kept) * error[SLOW] * error[SLOW]


@kernel
def carry(x, p, dt, env, cd):
    """Move one mean (n) and covariance (n, n) on by `dt` without process noise, in place; return if all is sound.

    Of the ten states of a flight and any slow errors behind them, which stay as they are.
    """
    solved = np.empty((STATES, x.shape[0] - STATES))
    return _predict(x, p, dt, 0.0, env, cd, np.empty((STATES + 1, LANES)), np.empty((STATES, STATES)), solved)


@kernel
def predict_rows(x, p, dts, curves, env, cds, rotation, origin, sensor, errors, h, s, cross):
    """Move all rows (n) on by `dts` seconds (either sign), in place, and say what the sensor would see.

    `x` (n, states): a flight, 3 slow errors a sensor, and behind them 3 biases a sensor or none; `p` likewise; `errors`
    (sensors, 3, 3) as in `tracking.errors`, of which `sensor` looks.  Writes the predicted range, azimuth, elevation
    `h` (n, 3), their covariance without white noise `s` (n, 3, 3), their covariance with the state `cross`
    (n, 3, states).  Returns (n,) whether all is sound.
    """
    n = x.shape[0]
    first = STATES + POLAR * sensor
    bias = first + POLAR * errors.shape[0]
    if x.shape[1] == STATES + POLAR * errors.shape[0]:
        bias = -1
    solved = np.empty((STATES, x.shape[1] - STATES))
    sound = np.ones(n, dtype=np.bool_)
    block = np.empty((STATES + 1, LANES))  # the last row keeps the log coefficients during a flight
    factor = np.empty((STATES, STATES))
    seen = np.empty((3, LANES))
    for k in range(n):
        if not _predict(x[k], p[k], dts[k], abs(dts[k]), env, cds[curves[k]], block, factor, solved):
            sound[k] = False
            continue
        _see(block, rotation, origin, seen)
        _moments(block, factor, x[k], seen, h[k], s[k], cross[k])
        if solved.shape[1]:
            _forget(x[k], p[k], dts[k], errors, solved)
            _see_slow(x[k], p[k], seen, solved, first, bias, h[k], s[k], cross[k])
    return sound


@helper
def _see_slow(x, p, seen, solved, first, bias, h, s, cross):
    """Add the slow errors of the sensor (states from `first` on) and its biases (from `bias` on; −1: none)."""
    count = solved.shape[1]
    for m in range(3):
        for b in range(count):
            cross[m, STATES + b] = 0.0
        for k in range(STATES):
            moved = (seen[m, 1 + k] - seen[m, 11 + k]) * (0.5 / _SPREAD)
            for b in range(count):
                cross[m, STATES + b] += moved * solved[k, b]
    for m in range(3):
        h[m] += x[first + m]
        for l in range(3):
            s[m, l] += cross[m, first + l] + cross[l, first + m] + p[first + m, first + l]
    if bias >= 0:
        for m in range(3):
            h[m] += x[bias + m]
            for l in range(3):
                s[m, l] += cross[m, bias + l] + cross[l, bias + m] + p[bias + m, bias + l]
                s[m, l] += p[first + m, bias + l] + p[bias + m, first + l]
    for m in range(3):
        for i in range(x.shape[0]):
            cross[m, i] += p[i, first + m]
    if bias >= 0:
        for m in range(3):
            for i in range(x.shape[0]):
                cross[m, i] += p[i, bias + m]


@helper
def _see(block, rotation, origin, seen):
    """Write range, azimuth and elevation of the mean and the 20 points (3, LANES), azimuths without a jump.

    Angles are those of the mean and a small turn from it, by a series (error under 1e-9 rad) that all lanes take
    together; only where the points lie far apart is each asked for its arc tangents.
    """
    de, dn, du = block[0, 0] - origin[0], block[1, 0] - origin[1], block[2, 0] - origin[2]
    e0 = rotation[0, 0] * de + rotation[0, 1] * dn + rotation[0, 2] * du
    n0 = rotation[1, 0] * de + rotation[1, 1] * dn + rotation[1, 2] * du
    u0 = rotation[2, 0] * de + rotation[2, 1] * dn + rotation[2, 2] * du
    ring0 = math.sqrt(e0 * e0 + n0 * n0)
    azimuth, elevation = math.atan2(e0, n0), math.atan2(u0, ring0)
    widest = 0.0
    for lane in range(LANES):
        de, dn, du = block[0, lane] - origin[0], block[1, lane] - origin[1], block[2, lane] - origin[2]
        e = rotation[0, 0] * de + rotation[0, 1] * dn + rotation[0, 2] * du
        n = rotation[1, 0] * de + rotation[1, 1] * dn + rotation[1, 2] * du
        u = rotation[2, 0] * de + rotation[2, 1] * dn + rotation[2, 2] * du
        ring = math.sqrt(e * e + n * n)
        seen[0, lane] = math.sqrt(ring * ring + u * u) + 1e-9
        across, ahead = e * n0 - n * e0, n * n0 + e * e0
        up, along = u * ring0 - ring * u0, ring * ring0 + u * u0
        seen[1, lane] = azimuth + _small_angle(across / ahead)
        seen[2, lane] = elevation + _small_angle(up / along)
        # A point behind the mean makes `ahead` negative, and this as large as need be.
        off, over = across / ahead, up / along
        widest = max(widest, max(off * off, over * over) - 1e9 * min(ahead, 0.0))
    if not widest < _SMALL * _SMALL:
        _see_far(block, rotation, origin, seen)


_SMALL = 0.15  # tangent up to which the series holds


@helper
def _small_angle(t):
    """Return the arc tangent of a small number."""
    q = t * t
    return t * (1.0 - q * (1.0 / 3.0 - q * (0.2 - q * (1.0 / 7.0 - q * (1.0 / 9.0)))))


@kernel
def _see_far(block, rotation, origin, seen):
    """Write azimuth and elevation of points that lie far apart, each by its arc tangents."""
    e0, n0, ring0, u0 = 0.0, 0.0, 0.0, 0.0
    for lane in range(LANES):
        de, dn, du = block[0, lane] - origin[0], block[1, lane] - origin[1], block[2, lane] - origin[2]
        e = rotation[0, 0] * de + rotation[0, 1] * dn + rotation[0, 2] * du
        n = rotation[1, 0] * de + rotation[1, 1] * dn + rotation[1, 2] * du
        u = rotation[2, 0] * de + rotation[2, 1] * dn + rotation[2, 2] * du
        ring = math.sqrt(e * e + n * n)
        if lane == 0:
            e0, n0, ring0, u0 = e, n, ring, u
            seen[1, 0], seen[2, 0] = math.atan2(e, n), math.atan2(u, ring)
        else:
            seen[1, lane] = seen[1, 0] + math.atan2(e * n0 - n * e0, n * n0 + e * e0)
            seen[2, lane] = seen[2, 0] + math.atan2(u * ring0 - ring * u0, ring * ring0 + u * u0)


@helper
def _moments(block, factor, x, seen, h, s, cross):
    """Write mean (3), covariance (3, 3) and covariance with the state (3, 10) of what is seen.

    As in `_spread`, the last four states deviate by the columns of `factor`.
    """
    deviation = np.empty(6)
    for m in range(3):
        total = 0.0
        for lane in range(1, POINTS + 1):
            total += seen[m, lane]
        h[m] = total / POINTS
        for i in range(STATES):
            cross[m, i] = 0.0
        for l in range(3):
            s[m, l] = 0.0
    for lane in range(1, POINTS + 1):
        for i in range(6):
            deviation[i] = (block[i, lane] - x[i]) * (1.0 / POINTS)
        for m in range(3):
            off = seen[m, lane] - h[m]
            for l in range(m + 1):
                s[m, l] += off * (seen[l, lane] - h[l]) * (1.0 / POINTS)
            for i in range(6):
                cross[m, i] += off * deviation[i]
    for m in range(3):
        for l in range(m):
            s[l, m] = s[m, l]
        for k in range(STATES):
            off = (seen[m, 1 + k] - seen[m, 11 + k]) * (_SPREAD / POINTS)
            for i in range(max(k, 6), STATES):
                cross[m, i] += off * factor[i, k]


@kernel
def update_rows(x, p, h, s, cross, z, variances, plot_of, log_weights):
    """Give each row (n) its plot `plot_of[n]` (−1: none), in place; add its log likelihood to `log_weights`.

    `variances` (plots, 3): of the white errors.
    """
    n, size = x.shape
    factor = np.empty((3, 3))
    v = np.empty(3)
    white = np.empty((size, 3))
    for k in range(n):
        j = plot_of[k]
        if j < 0:
            continue
        for m in range(3):
            for l in range(m + 1):
                factor[m, l] = s[k, m, l]
            factor[m, m] += variances[j, m]
        log_determinant = cholesky(factor, 3)
        v[0] = z[j, 0] - h[k, 0]
        v[1] = wrap(z[j, 1] - h[k, 1])
        v[2] = z[j, 2] - h[k, 2]
        distance = 0.0
        for m in range(3):
            total = v[m]
            for l in range(m):
                total -= factor[m, l] * v[l]
            v[m] = total / factor[m, m]
            distance += v[m] * v[m]
            for i in range(size):
                total = cross[k, m, i]
                for l in range(m):
                    total -= factor[m, l] * white[i, l]
                white[i, m] = total / factor[m, m]
        for i in range(size):
            for m in range(3):
                x[k, i] += white[i, m] * v[m]
            for l in range(i + 1):
                for m in range(3):
                    p[k, i, l] -= white[i, m] * white[l, m]
                p[k, l, i] = p[k, i, l]
        log_weights[k] -= 0.5 * (distance + log_determinant)


@helper
def take_rate(x, p, rate, weight, origin, room):
    """Give one body its range rate (m/s; NaN: none), in place; return the log likelihood.

    `x` and `p`: position and velocity first, anything behind.  `weight`: reciprocal deviation.  `room` (size of x).  By
    the tangent: once position and velocity are known as well as polar plots tell them, a range rate is all but linear.
    """
    if math.isnan(rate):
        return 0.0
    de, dn, du = x[0] - origin[0], x[1] - origin[1], x[2] - origin[2]
    inverse = 1.0 / (math.sqrt(de * de + dn * dn + du * du) + 1e-9)
    de, dn, du = de * inverse, dn * inverse, du * inverse
    seen = de * x[3] + dn * x[4] + du * x[5]
    by_e, by_n, by_u = (x[3] - seen * de) * inverse, (x[4] - seen * dn) * inverse, (x[5] - seen * du) * inverse
    for i in range(x.shape[0]):
        room[i] = by_e * p[i, 0] + by_n * p[i, 1] + by_u * p[i, 2] + de * p[i, 3] + dn * p[i, 4] + du * p[i, 5]
    own = by_e * room[0] + by_n * room[1] + by_u * room[2] + de * room[3] + dn * room[4] + du * room[5]
    total = own + 1.0 / (weight * weight)
    v = rate - seen
    if not v * v < _RATE_GATE * total:
        return -0.5 * (_RATE_GATE + math.log(total))
    for i in range(x.shape[0]):
        x[i] += room[i] * v / total
    for i in range(x.shape[0]):
        for l in range(x.shape[0]):
            p[i, l] -= room[i] * room[l] / total
    return -0.5 * (v * v / total + math.log(total))


_RATE_GATE = 20.0  # squared deviations beyond which a range rate is of something else: rotating parts, ambiguities
