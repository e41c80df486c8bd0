"""The batch fit: the flight that explains all plots of a track best, given what is known beforehand.

Parameters are the ten states at a reference time (the epoch), and behind them, where there are several sensors, three
biases of each.  Gauss-Newton on plots and prior
together (maximum a posteriori), with Huber weights, so that a wild plot pulls no further than a plot
at the edge; derivatives of the flight by central differences, 21 flights abreast.  Besides the
estimate it gives the evidence of the flight model: how well it explains the plots, all parameters
considered (Laplace's approximation).
"""

import math

import numpy as np

from opencram.ballistics.lanes import LANES
from opencram.ballistics.propagation import LN_BETA, STATES, exponential, fly
from opencram.estimation.linear import cholesky, solve_factored
from opencram.kernel import helper, kernel
from opencram.tracking.errors import BY_BIAS, MEAN, POLAR, SLOW, VARIANCE, WHITE, begin, forget, learn

STEP_S = 0.25
HUBER = 3.0  # standard deviations
MEASURED = 4  # range, azimuth, elevation, range rate
RATE = 3

# Steps of the central differences: position (m), velocity (m/s), log coefficient, wind (m/s), spin (m/s).
DELTAS = np.array([1.0, 1.0, 1.0, 0.2, 0.2, 0.2, 0.02, 0.2, 0.2, 0.2])


@helper
def fill_lanes(block, x, deltas):
    """Put `x` into lane 0 and x ± delta of each state into lanes 1 … 20; the rest repeat `x`."""
    for row in range(STATES):
        for lane in range(LANES):
            block[row, lane] = x[row]
    for row in range(STATES):
        block[row, 1 + row] += deltas[row]
        block[row, 11 + row] -= deltas[row]
    for lane in range(LANES):
        block[LN_BETA, lane] = exponential(-block[LN_BETA, lane])


@helper
def predicted(position, velocity, rotation, origin, out):
    """Write range, azimuth, elevation and range rate of a point (ENU) seen by a sensor; return its local e, n, u."""
    de, dn, du = position[0] - origin[0], position[1] - origin[1], position[2] - origin[2]
    e = rotation[0, 0] * de + rotation[0, 1] * dn + rotation[0, 2] * du
    n = rotation[1, 0] * de + rotation[1, 1] * dn + rotation[1, 2] * du
    u = rotation[2, 0] * de + rotation[2, 1] * dn + rotation[2, 2] * du
    distance = math.sqrt(e * e + n * n + u * u) + 1e-9
    out[0] = distance
    out[1] = math.atan2(e, n)
    out[2] = math.asin(min(max(u / distance, -1.0), 1.0))
    out[3] = (de * velocity[0] + dn * velocity[1] + du * velocity[2]) / distance
    return e, n, u


@helper
def polar_gradient(e, n, u, rotation, gradient):
    """Write the derivative (3, 3) of range, azimuth and elevation by the position in the site's ENU."""
    ring_2 = e * e + n * n + 1e-6
    ring = math.sqrt(ring_2)
    distance_2 = ring_2 + u * u
    distance = math.sqrt(distance_2)
    for j in range(3):
        re, rn, ru = rotation[0, j], rotation[1, j], rotation[2, j]
        gradient[0, j] = (e * re + n * rn + u * ru) / distance
        gradient[1, j] = (n * re - e * rn) / ring_2
        gradient[2, j] = (ring * ru - u * (e * re + n * rn) / ring) / distance_2


@helper
def wrap(angle):
    """Return the angle in [−π, π)."""
    return angle - 2.0 * math.pi * math.floor((angle + math.pi) / (2.0 * math.pi))


@kernel
def normal_equations(
    x, times, sensors, z, weights, env, cd, rotations, origins, errors, deltas, information, gradient, slow
):  # fmt: skip
    """Add the plots' part to `information` (n, n) and `gradient` (n); return the robust cost (−2 log likelihood).

    `x` (n): the flight, and behind it three biases of each sensor or none.
    `times` (n): seconds after the epoch, ascending.  `z` (n, 4): range, azimuth, elevation, range rate
    (NaN where not measured).  `weights` (n, 4): reciprocal standard deviations, as stated.  `errors` (sensors, 3, 3):
    `tracking.errors`.  `slow` (sensors, 3, 14) receives what the plots say of slow errors after the last.  Costs hold
    the quadratic and Huber terms, and of determinants only what slow errors add.
    """
    block = np.empty((STATES, LANES))
    before = np.empty((6, LANES))
    moved = np.empty((6, LANES))
    fill_lanes(block, x, deltas)
    position = np.empty(3)
    velocity = np.empty(3)
    h = np.empty(MEASURED)
    by_position = np.empty((3, 3))
    row, own = np.empty(STATES), np.empty(STATES)
    now = 0.0
    cost = 0.0
    biased = x.shape[0] > STATES
    begin(slow, errors)
    for r in range(6):
        for lane in range(LANES):
            before[r, lane] = block[r, lane]
    for k in range(times.shape[0]):
        while now < times[k] - 1e-9:
            for r in range(6):
                for lane in range(LANES):
                    before[r, lane] = block[r, lane]
            fly(block, STEP_S, 1, env, cd)
            now += STEP_S
        between(before, block, 1.0 if now == 0.0 else (times[k] - (now - STEP_S)) / STEP_S, moved)
        for axis in range(3):
            position[axis] = moved[axis, 0]
            velocity[axis] = moved[axis + 3, 0]
        s = sensors[k]
        rotation = rotations[s]
        e, n, u = predicted(position, velocity, rotation, origins[s], h)
        polar_gradient(e, n, u, rotation, by_position)
        for m in range(MEASURED):
            if math.isnan(z[k, m]):
                continue
            residual = wrap(z[k, m] - h[m]) if m == 1 else z[k, m] - h[m]
            for j in range(STATES):
                if m == RATE:
                    _rate_row(moved, j, origins[s], row)
                else:
                    row[j] = 0.0
                    for axis in range(3):
                        row[j] += by_position[m, axis] * (moved[axis, 1 + j] - moved[axis, 11 + j])
                row[j] /= 2.0 * deltas[j]
            if m == RATE:
                cost += _add(row, residual, weights[k, m], information, gradient)[0]
            else:
                bias = -1
                if biased:
                    bias = STATES + POLAR * s + m
                    residual -= x[bias]
                cost += _add_polar(
                    row, residual, times[k], weights[k, m], errors[s, m], slow[s, m], bias, own, information, gradient
                )
    return cost


@helper
def _add(row, residual, weight, information, gradient):
    """Add one component of a plot to `information` and `gradient`; return its robust cost and Huber's weight."""
    scaled = residual * weight
    size = abs(scaled)
    trust, cost = 1.0, size * size
    if size > HUBER:
        trust = HUBER / size
        cost = HUBER * (2.0 * size - HUBER)
    trusted = trust * weight * weight
    for i in range(STATES):
        pull = trusted * row[i]
        gradient[i] += pull * residual
        for j in range(i + 1):
            information[i, j] += pull * row[j]
    return cost, trust


@helper
def _add_polar(row, residual, time_s, weight, error, slow, bias, own, information, gradient):
    """Do what `_add` does for range, azimuth or elevation, its slow error so far taken out; return the cost.

    `bias`: the place of the component's bias among the parameters, −1 if it has none.  `own` (10): room to work in.
    """
    weight /= error[WHITE]
    if not error[SLOW] > 0.0:
        cost, trust = _add(row, residual, weight, information, gradient)
        if bias >= 0:
            _add_bias(bias, 1.0, row, residual, trust * weight * weight, information, gradient)
        return cost
    forget(slow, error, time_s)
    white = 1.0 / (weight * weight)
    total = white + slow[VARIANCE]
    for i in range(STATES):
        own[i] = row[i] - slow[i]
    cost, trust = _add(own, residual - slow[MEAN], 1.0 / math.sqrt(total), information, gradient)
    share = trust * slow[VARIANCE] / total
    if bias >= 0:
        _add_bias(bias, 1.0 - slow[BY_BIAS], own, residual - slow[MEAN], trust / total, information, gradient)
        slow[BY_BIAS] += share * (1.0 - slow[BY_BIAS])
    learn(slow, row, residual, share)
    return cost + math.log(total / (white + error[SLOW] * error[SLOW]))


@helper
def _add_bias(bias, by_bias, row, residual, trusted, information, gradient):
    """Add the row and column of a bias, of which the residual has the derivative `by_bias`, to the lower triangle."""
    pull = trusted * by_bias
    gradient[bias] += pull * residual
    for j in range(STATES):
        information[bias, j] += pull * row[j]
    information[bias, bias] += pull * by_bias


@helper
def between(before, after, t, moved):
    """Write positions and velocities (6, LANES) at the share `t` of the step between two blocks (cubic Hermite)."""
    s = 1.0 - t
    a0, b0 = s * s * (1.0 + 2.0 * t), s * s * t * STEP_S
    a1, b1 = t * t * (3.0 - 2.0 * t), -t * t * s * STEP_S
    c, d0, d1 = 6.0 * t * s / STEP_S, s * (1.0 - 3.0 * t), t * (3.0 * t - 2.0)
    for r in range(3):
        for lane in range(LANES):
            y0, y1, v0, v1 = before[r, lane], after[r, lane], before[r + 3, lane], after[r + 3, lane]
            moved[r, lane] = a0 * y0 + b0 * v0 + a1 * y1 + b1 * v1
            moved[r + 3, lane] = c * (y1 - y0) + d0 * v0 + d1 * v1


@helper
def _rate_row(moved, j, origin, row):
    """Write the difference of the range rate between the lanes x ± delta of state `j`."""
    rates = 0.0
    for side in range(2):
        lane = 1 + j + 10 * side
        de, dn, du = moved[0, lane] - origin[0], moved[1, lane] - origin[1], moved[2, lane] - origin[2]
        distance = math.sqrt(de * de + dn * dn + du * du) + 1e-9
        rate = (de * moved[3, lane] + dn * moved[4, lane] + du * moved[5, lane]) / distance
        rates += rate if side == 0 else -rate
    row[j] = rates


@helper
def _prior_pull(x, prior_mean, prior_information, gradient):
    """Add the prior's part to `gradient`; return its cost (m − x)ᵀ Λ (m − x)."""
    cost = 0.0
    for i in range(x.shape[0]):
        pull = 0.0
        for j in range(x.shape[0]):
            pull += prior_information[i, j] * (prior_mean[j] - x[j])
        cost += pull * (prior_mean[i] - x[i])
        gradient[i] += pull
    return cost


@kernel
def fit(
    x, times, sensors, z, weights, env, cd, rotations, origins, errors, prior_mean, prior_information, iterations,
    covariance, slow
):  # fmt: skip
    """Improve `x` (n) in place; write its posterior covariance (n, n); return (evidence, cost of the plots).

    `x`, `errors` (sensors, 3, 3) and `slow` (sensors, 3, 14): as `normal_equations` takes and fills them.

    `prior_information` (n, n) is the inverse prior covariance.  Levenberg-Marquardt: a step that
    raises the cost is taken back and shortened.  The evidence is −½ (cost + prior cost +
    log |posterior information|), comparable between models once the caller adds ½ log |prior
    information|.  NaN tells that there is no solution; `x` and `covariance` are then of no use.
    """
    plots = times, sensors, z, weights, env, cd, rotations, origins, errors, DELTAS
    size = x.shape[0]
    information = np.empty((size, size))
    factor = np.empty((size, size))
    gradient = np.empty(size)
    best_information = np.empty((size, size))
    best_gradient = np.empty(size)
    best = x.copy()
    best_cost = math.inf
    plots_cost = math.nan
    damping, stale = 0.0, False
    for _ in range(iterations + 1):
        for i in range(size):
            gradient[i] = 0.0
            for j in range(size):
                information[i, j] = prior_information[i, j]
        cost = normal_equations(x, *plots, information, gradient, slow)
        stale = True
        total = cost + _prior_pull(x, prior_mean, prior_information, gradient)
        if total <= best_cost + 1e-9 * abs(best_cost):
            gain = best_cost - total
            best[:] = x
            best_cost, plots_cost, stale = total, cost, False
            best_information[:, :] = information
            best_gradient[:] = gradient
            damping = 0.0 if damping < 1e-3 else damping * 0.1
            if gain < 0.01:
                break
        else:
            damping = max(damping * 10.0, 1e-2)
            if damping > 1e6:
                break
        for i in range(size):
            for j in range(i + 1):
                factor[i, j] = best_information[i, j]
            factor[i, i] *= 1.0 + damping
            gradient[i] = best_gradient[i]
        if math.isnan(cholesky(factor, size)):
            return math.nan, math.nan
        solve_factored(factor, gradient, size)
        for i in range(size):
            x[i] = best[i] + gradient[i]
    x[:] = best
    if not math.isfinite(best_cost):
        return math.nan, math.nan
    if stale:  # `slow` is of a step that was taken back
        normal_equations(x, *plots, information, gradient, slow)
    log_determinant = cholesky(best_information, size)
    if math.isnan(log_determinant):
        return math.nan, math.nan
    for j in range(size):
        for i in range(size):
            gradient[i] = 1.0 if i == j else 0.0
        solve_factored(best_information, gradient, size)
        for i in range(size):
            covariance[i, j] = gradient[i]
    return -0.5 * (best_cost + log_determinant), plots_cost
