"""The plots of one track against a flight through them, and what that says of one radar's errors."""

import math

import numpy as np

from opencram.ballistics.lanes import LANES
from opencram.ballistics.propagation import LN_BETA, STATES, WIND_E, WIND_N, fly
from opencram.estimation.coloured import legendre, restricted_likelihood, without_wild
from opencram.estimation.linear import cholesky, solve_factored
from opencram.kernel import kernel
from opencram.tracking.errors import POLAR
from opencram.tracking.fit import DELTAS, MEASURED, STEP_S, between, fill_lanes, polar_gradient, predicted, wrap
from opencram.tracking.history import window

_PLOTS_MIN = 15
_WILD = 4.5  # robust deviations: real radars give wild values about a lock and a drop-out
_WILD_DEGREE = 3  # of the polynomial about which they are wild
_COLUMNS = 5  # of the curve that a flight leaves unknown: a polynomial of degree 4
# What changes along a flight and no model has: the coefficient (no drag curve is the round's own), the wind (2 m/s each
# km of height).  Deviations at the ends of a piece against its middle.
_LN_BETA_CHANGE, _WIND_CHANGE_M_S = 0.1, 2.0
# Of the stated deviation: a constant error is a matter of registration, and what no polynomial of this degree has.
_CONSTANT, _REST = 30.0, 0.02


@kernel
def evidence(
    state, t_ns, since_ns, sensor, spreads, table, last, plots_max, env, cd, rotations, origins, ratios, constants_s,
    scales
):  # fmt: skip
    """Return log likelihoods (3, kinds, scales) of the errors of one sensor, and the mean of its variances (3,).

    `state` (10): of the track at `t_ns`, with the curve `cd`, and `spreads` (10) by how much the round's own may differ
    from it: of position and velocity, which the plots tell, generously, of the rest as is known beforehand.  Its plots
    since `since_ns` count, from `table` and `last` as `history.window` takes them.  What such a difference makes of
    the residuals is a curve, and none of the radar's errors.  Zeros where there are too few plots.
    """
    found, variances = np.zeros((POLAR, ratios.shape[0], scales.shape[0])), np.zeros(POLAR)
    times_ns, sensors, z, weights = window(table, last, plots_max, since_ns)
    own = np.flatnonzero(sensors == sensor)
    if own.shape[0] < _PLOTS_MIN:
        return found, variances
    residuals, rows = np.empty((own.shape[0], POLAR)), np.empty((POLAR, own.shape[0], STATES))
    flight_residuals(
        state, (times_ns[own] - t_ns) * 1e-9, z[own], env, cd, rotations[sensor], origins[sensor], residuals, rows
    )
    times = (times_ns[own] - times_ns[own[0]]) * 1e-9
    precision = np.empty((_COLUMNS, _COLUMNS))
    for m in range(POLAR):
        series = np.ascontiguousarray(residuals[:, m])
        good = np.flatnonzero(without_wild(times, series, _WILD_DEGREE, _WILD))
        stated = weights[own[good], m] ** -2.0
        variances[m] = stated.mean()
        if good.shape[0] < _PLOTS_MIN:
            continue
        if curve_precision(times[good], rows[m][good], spreads, math.sqrt(variances[m]), precision):
            restricted_likelihood(times[good], series[good], stated, precision, ratios, constants_s, scales, found[m])
            found[m] -= found[m].max()
    if not np.isfinite(found).all():
        found[:] = 0.0
    return found, variances


@kernel
def curve_precision(times, rows, spreads, stated, precision):
    """Write the precision (columns, columns) of the curve that unknowns of a flight make; return whether there is one.

    The curve is of Legendre polynomials over the `times` (n, s), its unknowns the ten states of the flight with the
    deviations `spreads` (10) and derivatives `rows` (n, 10) of what is measured, and changes of coefficient and wind.
    `stated`: deviation of a plot.
    """
    n, columns = times.shape[0], precision.shape[0]
    middle, half = 0.5 * (times[0] + times[n - 1]), max(0.5 * (times[n - 1] - times[0]), 1e-9)
    curve, normal = np.empty(columns), np.zeros((columns, columns))
    unknown = np.zeros((STATES + 3, columns))
    for k in range(n):
        t = (times[k] - middle) / half
        legendre(t, columns, curve)
        for a in range(columns):
            for b in range(a + 1):
                normal[a, b] += curve[a] * curve[b]
            for j in range(STATES):
                unknown[j, a] += curve[a] * rows[k, j] * spreads[j]
            unknown[STATES, a] += curve[a] * rows[k, LN_BETA] * t * _LN_BETA_CHANGE
            unknown[STATES + 1, a] += curve[a] * rows[k, WIND_E] * t * _WIND_CHANGE_M_S
            unknown[STATES + 2, a] += curve[a] * rows[k, WIND_N] * t * _WIND_CHANGE_M_S
    if math.isnan(cholesky(normal, columns)):
        return False
    covariance = np.zeros((columns, columns))
    for a in range(columns):
        rest = (_CONSTANT if a == 0 else _REST) * stated
        covariance[a, a] = rest * rest
    for j in range(STATES + 3):
        solve_factored(normal, unknown[j], columns)
        for a in range(columns):
            for b in range(columns):
                covariance[a, b] += unknown[j, a] * unknown[j, b]
    if math.isnan(cholesky(covariance, columns)):
        return False
    for a in range(columns):
        for b in range(columns):
            curve[b] = 1.0 if a == b else 0.0
        solve_factored(covariance, curve, columns)
        precision[a] = curve
    return True


@kernel
def flight_residuals(state, times, z, env, cd, rotation, origin, residuals, rows):
    """Write measured less flown range, azimuth and elevation (n, 3), and the derivatives (3, n, 10) of what is flown.

    `times` (n): of the plots, after that of `state` (10), ascending and ≤ 0 (s).
    """
    n = times.shape[0]
    block, before, moved = np.empty((STATES, LANES)), np.empty((6, LANES)), np.empty((6, LANES))
    fill_lanes(block, state, DELTAS)
    h, place, speed, by_position = np.empty(MEASURED), np.empty(3), np.empty(3), np.empty((POLAR, 3))
    now = 0.0
    before[:, :] = block[:6]
    for k in range(n - 1, -1, -1):
        while now > times[k] + 1e-9:
            before[:, :] = block[:6]
            fly(block, -STEP_S, 1, env, cd)
            now -= STEP_S
        between(block, before, (times[k] - now) / STEP_S, moved)
        for axis in range(3):
            place[axis], speed[axis] = moved[axis, 0], moved[3 + axis, 0]
        e, n_local, u = predicted(place, speed, rotation, origin, h)
        polar_gradient(e, n_local, u, rotation, by_position)
        for m in range(POLAR):
            residuals[k, m] = wrap(z[k, m] - h[m]) if m == 1 else z[k, m] - h[m]
            for j in range(STATES):
                total = 0.0
                for axis in range(3):
                    total += by_position[m, axis] * (moved[axis, 1 + j] - moved[axis, 11 + j])
                rows[m, k, j] = 0.5 * total / DELTAS[j]
