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
from opencram.tracking.thrust import ACCELERATION_M_S2_STD

_PLOTS_MIN = 15
_WILD = 4.5  # robust deviations: real radars give wild values about a lock and a drop-out
_WILD_DEGREE = 3  # of the polynomial about which they are wild
_COLUMNS = 5  # of the curve that a flight leaves unknown: a polynomial of degree 4
# What changes along a flight and no model has: the coefficient (no drag curve is the round's own), the wind (2 m/s each
# km of height).  Deviations at the ends of a piece against its middle.
_LN_BETA_CHANGE, _WIND_CHANGE_M_S = 0.1, 2.0
# Of the stated deviation: a constant error is a matter of registration, and what no polynomial of this degree has.
_CONSTANT, _REST = 30.0, 0.02
# Of the stated deviation, root mean square over the piece: what the polynomial may miss of the unknown flight.  Where a
# round passes over the radar an azimuth turns by half a circle within seconds: 50 and more; elsewhere 0.2 at most.
_MISSED = 0.5
# A motor that burns at first bends a track as slow errors do.  That one did, beforehand; by when it has burnt out (s
# after the first plot), if that leaves so much of the time to the flight; and plots that show a bend.
_BURNT = 0.1
_BURNS_S = np.array([0.4, 0.8, 1.2, 1.6, 2.2, 3.0])
_BURN_SHARE_MAX, _BURN_PLOTS_MIN = 0.8, 2


@kernel
def evidence(
    state, t_ns, since_ns, first_ns, sensor, spreads, table, last, plots_max, env, cd, rotations, origins, ratios,
    constants_s, scales
):  # fmt: skip
    """Return log likelihoods (3, kinds, scales) of the errors of one sensor, and the mean of its variances (3,).

    `state` (10): of the track at `t_ns`, with the curve `cd`, and `spreads` (10) by how much the round's own may differ
    from it: of position and velocity, which the plots tell, generously, of the rest as is known beforehand.  Its plots
    since `since_ns` count, from `table` and `last` as `history.window` takes them.  What such a difference makes of
    the residuals is a curve, and none of the radar's errors.  Nor is it what a motor makes of them that still burnt at
    `first_ns`, the first plot of the track; whether one did is not asked: both ways are weighed.  Zeros where there are
    too few plots, or where no polynomial holds what the flight leaves unknown.
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
    bends = burns((times_ns[own] - first_ns) * 1e-9)
    range_m, level = z[own[0], 0], max(math.cos(z[own[0], 2]), 1e-3)
    sizes = (1.0, 1.0 / (range_m * level), 1.0 / range_m)
    ways = np.empty((1 + bends.shape[1], ratios.shape[0], scales.shape[0]))
    for m in range(POLAR):
        series = np.ascontiguousarray(residuals[:, m])
        good = np.flatnonzero(without_wild(times, series, _WILD_DEGREE, _WILD))
        stated = weights[own[good], m] ** -2.0
        variances[m] = stated.mean()
        if good.shape[0] < _PLOTS_MIN:
            continue
        if curve_precision(times[good], rows[m][good], spreads, math.sqrt(variances[m]), precision):
            stds = np.full(bends.shape[1], ACCELERATION_M_S2_STD * sizes[m])
            restricted_likelihood(
                times[good], series[good], stated, precision, bends[good], stds, ratios, constants_s, scales, ways
            )
            weighed(ways, found[m])
    if not np.isfinite(found).all():
        found[:] = 0.0
    return found, variances


@kernel
def burns(ages_s):
    """Return how motors that burn evenly for a while bend a track (n, motors), for an acceleration of one.

    `ages_s` (n): of the plots, after the first of the track, ascending.  Of the moments of burn-out those count that
    leave enough plots before and enough time after.
    """
    n, count = ages_s.shape[0], 0
    bends = np.zeros((n, _BURNS_S.shape[0]))
    for burn_s in _BURNS_S:
        if burn_s > _BURN_SHARE_MAX * ages_s[n - 1] or n < _BURN_PLOTS_MIN or ages_s[_BURN_PLOTS_MIN - 1] >= burn_s:
            continue
        for k in range(n):
            left = max(burn_s - ages_s[k], 0.0)
            bends[k, count] = 0.5 * left * left
        count += 1
    return bends[:, :count].copy()


@kernel
def weighed(ways, found):
    """Write log likelihoods (kinds, scales) to `found`, the largest zero, from those (1 + motors, ...) of each way.

    The first way is that no motor burnt, the others share the probability that one did.
    """
    motors = ways.shape[0] - 1
    none = math.log(1.0 - _BURNT) if motors else 0.0
    one = math.log(_BURNT / max(motors, 1))
    for g in range(found.shape[0]):
        for k in range(found.shape[1]):
            most = ways[:, g, k].max()
            total = math.exp(ways[0, g, k] - most + none)
            for j in range(motors):
                total += math.exp(ways[1 + j, g, k] - most + one)
            found[g, k] = most + math.log(total)
    found -= found.max()


@kernel
def curve_precision(times, rows, spreads, stated, precision):
    """Write the precision (columns, columns) of the curve that unknowns of a flight make; return whether it is one.

    The curve is of Legendre polynomials over the `times` (n, s), its unknowns the ten states of the flight with the
    deviations `spreads` (10) and derivatives `rows` (n, 10) of what is measured, and changes of coefficient and wind.
    `stated`: deviation of a plot.  No curve where the polynomials miss too much of what an unknown does.
    """
    n, columns = times.shape[0], precision.shape[0]
    middle, half = 0.5 * (times[0] + times[n - 1]), max(0.5 * (times[n - 1] - times[0]), 1e-9)
    curve, normal = np.empty(columns), np.zeros((columns, columns))
    unknown, made, missed = np.zeros((STATES + 3, columns)), np.empty(STATES + 3), 0.0
    for k in range(n):
        t = (times[k] - middle) / half
        legendre(t, columns, curve)
        for a in range(columns):
            for b in range(a + 1):
                normal[a, b] += curve[a] * curve[b]
        for j in range(STATES):
            made[j] = rows[k, j] * spreads[j]
        made[STATES] = rows[k, LN_BETA] * t * _LN_BETA_CHANGE
        made[STATES + 1] = rows[k, WIND_E] * t * _WIND_CHANGE_M_S
        made[STATES + 2] = rows[k, WIND_N] * t * _WIND_CHANGE_M_S
        for j in range(STATES + 3):
            missed += made[j] * made[j]
            for a in range(columns):
                unknown[j, a] += curve[a] * made[j]
    if math.isnan(cholesky(normal, columns)):
        return False
    covariance = np.zeros((columns, columns))
    for a in range(columns):
        rest = (_CONSTANT if a == 0 else _REST) * stated
        covariance[a, a] = rest * rest
    for j in range(STATES + 3):
        curve[:] = unknown[j]
        solve_factored(normal, unknown[j], columns)
        for a in range(columns):
            missed -= curve[a] * unknown[j, a]
            for b in range(columns):
                covariance[a, b] += unknown[j, a] * unknown[j, b]
    if missed > n * _MISSED * _MISSED * stated * stated:
        return False
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
