"""The plots of one track against a flight through them, and what that says of one radar's errors."""

import math

import numpy as np

from opencram.ballistics.lanes import LANES
from opencram.ballistics.propagation import LN_BETA, STATES, fly
from opencram.estimation.coloured import restricted_likelihood, without_wild
from opencram.kernel import kernel
from opencram.tracking.errors import POLAR
from opencram.tracking.fit import MEASURED, predicted, wrap
from opencram.tracking.history import window

_PLOTS_MIN = 15
_WILD = 4.5  # robust deviations: real radars give wild values about a lock and a drop-out
_STEP_S = 0.25


@kernel
def evidence(
    state, t_ns, since_ns, sensor, table, last, plots_max, env, cd, rotations, origins, bends, ratios, constants_s,
    scales
):  # fmt: skip
    """Return log likelihoods (3, kinds, scales) of the errors of one sensor, and the mean of its variances (3,).

    `state` (10): of the track at `t_ns`, with the curve `cd`; its plots since `since_ns` count, from `table` and `last`
    as `history.window` takes them.  The flight need not be quite the round's: what is smooth in its residuals is
    taken for its fault, by a polynomial: a degree for each of `bends` (s) that the plots last longer.  Zeros where
    there are too few plots.
    """
    found, variances = np.zeros((POLAR, ratios.shape[0], scales.shape[0])), np.zeros(POLAR)
    times_ns, sensors, z, weights = window(table, last, plots_max, since_ns)
    own = np.flatnonzero(sensors == sensor)
    if own.shape[0] < _PLOTS_MIN:
        return found, variances
    residuals = flight_residuals(
        state, (times_ns[own] - t_ns) * 1e-9, z[own], env, cd, rotations[sensor], origins[sensor]
    )
    times = (times_ns[own] - times_ns[own[0]]) * 1e-9
    degree = np.searchsorted(bends, times[-1])
    for m in range(POLAR):
        series = np.ascontiguousarray(residuals[:, m])
        good = np.flatnonzero(without_wild(times, series, degree, _WILD))
        stated = weights[own[good], m] ** -2.0
        variances[m] = stated.mean()
        if good.shape[0] >= _PLOTS_MIN:
            restricted_likelihood(times[good], series[good], stated, degree, ratios, constants_s, scales, found[m])
            found[m] -= found[m].max()
    if not np.isfinite(found).all():
        found[:] = 0.0
    return found, variances


@kernel
def flight_residuals(state, times, z, env, cd, rotation, origin):
    """Return measured less flown range, azimuth and elevation (n, 3).

    `times` (n): of the plots, after that of `state`, ascending and ≤ 0 (s).
    """
    n = times.shape[0]
    residuals = np.empty((n, POLAR))
    block, before = np.empty((STATES, LANES)), np.empty(6)
    for row in range(STATES):
        for lane in range(LANES):
            block[row, lane] = state[row] if row != LN_BETA else math.exp(-state[row])
    h, place, speed = np.empty(MEASURED), np.empty(3), np.empty(3)
    now = 0.0
    for axis in range(6):
        before[axis] = block[axis, 0]
    for k in range(n - 1, -1, -1):
        while now > times[k] + 1e-9:
            for axis in range(6):
                before[axis] = block[axis, 0]
            fly(block, -_STEP_S, 1, env, cd)
            now -= _STEP_S
        part = 0.0 if now == 0.0 else (now + _STEP_S - times[k]) / _STEP_S
        rest = 1.0 - part
        for axis in range(3):
            y0, y1 = before[axis], block[axis, 0]
            d0, d1 = -_STEP_S * before[3 + axis], -_STEP_S * block[3 + axis, 0]
            place[axis] = rest * rest * ((1.0 + 2.0 * part) * y0 + part * d0)
            place[axis] += part * part * ((3.0 - 2.0 * part) * y1 - rest * d1)
            speed[axis] = rest * before[3 + axis] + part * block[3 + axis, 0]
        predicted(place, speed, rotation, origin, h)
        residuals[k, 0] = z[k, 0] - h[0]
        residuals[k, 1] = wrap(z[k, 1] - h[1])
        residuals[k, 2] = z[k, 2] - h[2]
    return residuals
