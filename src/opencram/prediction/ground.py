"""Sigma points through the ground event.

The 20 points of the spherical rule fly with the mean, 24 flights abreast; their impacts give mean,
covariance and the shift of the mean that a linear map would lose.
"""

import math

import numpy as np

from opencram.ballistics.lanes import LANES
from opencram.ballistics.motion import rk4
from opencram.ballistics.propagation import LN_BETA, SPIN, STATES, WIND_E, WIND_N, fall
from opencram.estimation.linear import cholesky
from opencram.kernel import helper, kernel

POINTS = 20
PATH_POINTS = 17
_SPREAD = math.sqrt(10.0)
# A step of h seconds through a knee of the drag curve gets the velocity wrong by about 0.06 m/s · h².  It may be
# longer where that is nothing against what the velocity is uncertain by (m/s): a twentieth moves the root mean
# square error by a thousandth.
_STEPS_S = (0.25, 0.5, 1.0)
_STRIDES = (4, 4, 2)  # away from the speed of sound a step is so many times as long
_UNSURE_M_S = (0.3, 1.2)  # from here the second, from here the third
_PATH_STEP_S = 1.0  # of the path that is shown
_LANDED_MIN = 12  # of 20 sigma points: below, the moments would be of another question


MOMENTS = 13


@kernel
def land_tracks(firsts, means, lowers, shares, t_max, env, curves, which, parts, wholes, paths, landed):
    """Fly every flight model of every track; write the moments of each, and of the mixtures.

    The models of track `t` are the rows `firsts[t]` to `firsts[t + 1]` of `means` (k, 10), `lowers` (k, 55) lower
    triangles by rows, `shares` (k) weights, `which` (k) rows of `curves` (c, Mach) and `parts` (k, 13) as
    `impact_moments` writes them.  `wholes` (t, 13) in the same order, by the law of total covariance; `paths`
    (t, 17, 3) of the likeliest model.  `shares` comes back normalised over the models that land, 0 for the
    others; `landed` (t) tells of which tracks there are finite moments.
    """
    covariance = np.zeros((STATES, STATES))
    for t in range(landed.shape[0]):
        first, last = firsts[t], firsts[t + 1]
        for k in range(first, last):
            place = 0
            for i in range(STATES):
                for j in range(i + 1):
                    covariance[i, j] = lowers[k, place]
                    place += 1
            dt, stride = _step(covariance)
            likely = 0.0 < shares[k] < math.inf
            if not (
                likely and impact_moments(means[k], covariance, dt, stride, t_max, env, curves[which[k]], parts[k])
            ):
                shares[k] = 0.0
        best = _mix(shares[first:last], parts[first:last], wholes[t])
        landed[t] = best >= 0
        if landed[t]:
            _fly_path(means[first + best], parts[first + best, 3], env, curves[which[first + best]], paths[t])


@helper
def _step(covariance):
    """Return the step (s) and stride that what is unknown of the velocity allows."""
    unsure = math.sqrt(max(covariance[3, 3] + covariance[4, 4] + covariance[5, 5], 0.0))
    size = 0 if not unsure >= _UNSURE_M_S[0] else (1 if unsure < _UNSURE_M_S[1] else 2)
    return _STEPS_S[size], _STRIDES[size]


@kernel
def _mix(shares, parts, whole):
    """Write the moments of a mixture to `whole`, normalise `shares`; return the likeliest part, −1 if none."""
    total = 0.0
    best = -1
    for k in range(shares.shape[0]):
        total += shares[k]
        if shares[k] > 0.0 and (best < 0 or shares[k] > shares[best]):
            best = k
    if best < 0:
        return -1
    for m in range(MOMENTS):
        whole[m] = 0.0
    for k in range(shares.shape[0]):
        shares[k] /= total
        if shares[k] > 0.0:
            for m in range(MOMENTS):
                whole[m] += shares[k] * parts[k, m]
    for k in range(shares.shape[0]):
        if shares[k] > 0.0:
            de, dn, dt = parts[k, 0] - whole[0], parts[k, 1] - whole[1], parts[k, 3] - whole[3]
            whole[7] += shares[k] * de * de
            whole[8] += shares[k] * de * dn
            whole[9] += shares[k] * dn * dn
            whole[10] += shares[k] * de * dt
            whole[11] += shares[k] * dn * dt
            whole[12] += shares[k] * dt * dt
    for m in range(MOMENTS):
        if not math.isfinite(whole[m]):
            return -1
    return best


@kernel
def impact_moments(mean, covariance, dt, stride, t_max, env, cd, moments):
    """Write the moments of the impact of one flight model; return whether it lands.

    `moments` (13): east, north, up (m), time to impact (s), velocity there (m/s, 3), covariance ee, en,
    nn (m²), et, nt (m·s), tt (s²).  `covariance`: lower triangle.  `dt`, `stride`: as `propagation.fall` takes them.
    Sigma points that never land are left out, and fewer than 12 of 20 give no impact.

    Error: axes within 2 % of a 100 000-run Monte Carlo (tests/ballistics/test_sigma_points.py).
    """
    factor = np.empty((STATES, STATES))
    for i in range(STATES):
        for j in range(i + 1):
            factor[i, j] = covariance[i, j]
    if not math.isfinite(cholesky(factor, STATES)):  # an infinite variance makes it infinite
        return False
    lanes = np.empty((STATES, LANES))
    for row in range(STATES):
        for lane in range(LANES):
            lanes[row, lane] = mean[row]
        for j in range(row + 1):
            lanes[row, 1 + j] += _SPREAD * factor[row, j]
            lanes[row, 11 + j] -= _SPREAD * factor[row, j]
    landed = np.empty((7, LANES))
    fall(lanes, dt, stride, t_max, env, cd, landed)
    if math.isnan(landed[0, 0]):
        return False
    count = 0
    for lane in range(1, POINTS + 1):
        if not math.isnan(landed[0, lane]):
            count += 1
    if count < _LANDED_MIN:
        return False
    for row in range(7):
        total = 0.0
        for lane in range(1, POINTS + 1):
            if not math.isnan(landed[0, lane]):
                total += landed[row, lane]
        place = 3 if row == 0 else (row - 1 if row <= 3 else row)
        moments[place] = total / count
    for k in range(7, MOMENTS):
        moments[k] = 0.0
    for lane in range(1, POINTS + 1):
        if math.isnan(landed[0, lane]):
            continue
        de, dn, dt_impact = landed[1, lane] - moments[0], landed[2, lane] - moments[1], landed[0, lane] - moments[3]
        moments[7] += de * de / count
        moments[8] += de * dn / count
        moments[9] += dn * dn / count
        moments[10] += de * dt_impact / count
        moments[11] += dn * dt_impact / count
        moments[12] += dt_impact * dt_impact / count
    return True


@kernel
def _fly_path(mean, duration, env, cd, path):
    """Write the points of one flight at equal times over `duration` seconds."""
    e, n, u, ve, vn, vu = mean[0], mean[1], mean[2], mean[3], mean[4], mean[5]
    beta_inverse = math.exp(-mean[LN_BETA])
    pieces = PATH_POINTS - 1
    per_piece = max(1, math.ceil(duration / pieces / _PATH_STEP_S))
    dt = duration / pieces / per_piece
    for k in range(PATH_POINTS):
        path[k, 0], path[k, 1], path[k, 2] = e, n, u
        if k < pieces:
            for _ in range(per_piece):
                e, n, u, ve, vn, vu = rk4(
                    e, n, u, ve, vn, vu, beta_inverse, mean[WIND_E], mean[WIND_N], mean[SPIN], dt, env, cd
                )
