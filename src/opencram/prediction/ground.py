"""Sigma points through the ground event.

The 20 points of the spherical rule fly with the mean, 24 flights abreast; their impacts give mean,
covariance and the shift of the mean that a linear map would lose.
"""

import math

import numpy as np

from opencram.ballistics.lanes import LANES
from opencram.ballistics.motion import rk4
from opencram.ballistics.propagation import LN_BETA, SPIN, STATES, WIND_E, WIND_N, to_ground
from opencram.estimation.linear import cholesky
from opencram.kernel import kernel

POINTS = 20
PATH_POINTS = 17
_SPREAD = math.sqrt(10.0)
_SHORT_S, _LONG_S = 12.0, 25.0  # a step may be longer when what it gets wrong is nothing against the ellipse
_LANDED_MIN = 12  # of 20 sigma points: below, the moments would be of another question


MOMENTS = 13


@kernel
def mixture_moments(means, lowers, shares, steps, t_max, env, curves, parts, whole, path):
    """Fly every flight model of one track; write the moments of each and of their mixture.

    `means` (k, 10), `lowers` (k, 55) lower triangles by rows, `shares` (k) weights, `curves` (k, Mach).
    `steps`: step (s) for flights under 12 s, under 25 s, and longer.  `parts` (k, 13) as `impact_moments`
    writes them; `whole` (13) in the same order, by the law of total covariance.  `shares` comes back
    normalised over the models that land, 0 for the others; returns how many landed.
    """
    count = 0
    total = 0.0
    best = -1
    covariance = np.zeros((STATES, STATES))
    for k in range(means.shape[0]):
        place = 0
        for i in range(STATES):
            for j in range(i + 1):
                covariance[i, j] = lowers[k, place]
                place += 1
        rise, height = means[k, 5], max(means[k, 2], 0.0)
        fall_s = (rise + math.sqrt(rise * rise + 20.0 * height)) / 10.0
        dt = steps[0] if fall_s < _SHORT_S else (steps[1] if fall_s < _LONG_S else steps[2])
        likely = 0.0 < shares[k] < math.inf
        if likely and impact_moments(means[k], covariance, dt, t_max, env, curves[k], parts[k]):
            count += 1
            total += shares[k]
            if best < 0 or shares[k] > shares[best]:
                best = k
        else:
            shares[k] = 0.0
    if count == 0:
        return 0
    whole[:] = 0.0
    for k in range(means.shape[0]):
        shares[k] /= total
        if shares[k] > 0.0:
            for m in range(MOMENTS):
                whole[m] += shares[k] * parts[k, m]
    for k in range(means.shape[0]):
        if shares[k] > 0.0:
            de, dn, dt = parts[k, 0] - whole[0], parts[k, 1] - whole[1], parts[k, 3] - whole[3]
            whole[7] += shares[k] * de * de
            whole[8] += shares[k] * de * dn
            whole[9] += shares[k] * dn * dn
            whole[10] += shares[k] * de * dt
            whole[11] += shares[k] * dn * dt
            whole[12] += shares[k] * dt * dt
    _fly_path(means[best], parts[best, 3], env, curves[best], path)
    return count


@kernel
def impact_moments(mean, covariance, dt, t_max, env, cd, moments):
    """Write the moments of the impact of one flight model; return whether it lands.

    `moments` (13): east, north, up (m), time to impact (s), velocity there (m/s, 3), covariance ee, en,
    nn (m²), et, nt (m·s), tt (s²).  `covariance`: lower triangle.  Sigma points that never land are left out, and
    fewer than 12 of 20 give no impact.

    Error: axes within 2 % of a 100 000-run Monte Carlo (tests/ballistics/test_sigma_points.py).
    """
    factor = covariance.copy()
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
    to_ground(lanes, dt, t_max, env, cd, landed)
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
    per_piece = max(1, math.ceil(duration / pieces / 0.5))
    dt = duration / pieces / per_piece
    for k in range(PATH_POINTS):
        path[k, 0], path[k, 1], path[k, 2] = e, n, u
        if k < pieces:
            for _ in range(per_piece):
                e, n, u, ve, vn, vu = rk4(
                    e, n, u, ve, vn, vu, beta_inverse, mean[WIND_E], mean[WIND_N], mean[SPIN], dt, env, cd
                )
