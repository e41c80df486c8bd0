"""What a round cannot do: be slow, stay low, or have been in full view without being seen."""

import math

import numpy as np

from opencram.ballistics.environment import altitude, surface
from opencram.kernel import kernel
from opencram.tracking.errors import KEPT, POLAR
from opencram.tracking.filter import carry
from opencram.tracking.fit import DELTAS, normal_equations

GRAVITY_M_S2 = 9.8
_SCANS_BACK = 4  # before the first plot; the last of them missed is no more telling than the others
_SLOPE_MIN = 0.045  # 2.5°: below, no radar can be expected to see
_HEIGHT_M_MIN = 50.0
_MISFIT_MAX = 15.0  # a radar may err more than it says: with more plots its rounds are found all the same
_RANGE_SHARE = 0.95  # of a radar's range, within which it can be expected to see


@kernel
def fast(x, p, speed_m_s_min):
    """Return whether a candidate with state (6) and covariance (6, 6) may be so fast, within two deviations."""
    speed = math.sqrt(x[3] * x[3] + x[4] * x[4] + x[5] * x[5]) + 1e-9
    variance = 0.0
    for i in range(3):
        for j in range(3):
            variance += x[3 + i] * p[3 + i, 3 + j] * x[3 + j]
    return speed + 2.0 * math.sqrt(max(variance, 0.0)) / speed > speed_m_s_min


@kernel
def height(x, env):
    """Return the height over the ground (m) of a position (3 or more) in the site's ENU."""
    return altitude(x[0], x[1], x[2], env) - surface(x[0], x[1], env)


@kernel
def log_unseen(x, age_s, before_s, env, origins, reach_m, periods_s, log_miss):
    """Return the log probability that a falling body at `x` (6) was not seen in the scans before its first plot.

    `age_s`: since that plot; `before_s` (sensors): from each sensor's first dwell to it.  A round comes up over the
    horizon or in from beyond the radar's range, and is seen from there on.  What begins in the middle of the sky needs
    more evidence: it may have been behind something, or it is four birds of a flock.  The second number is the same
    without regard to `before_s`: less, where a radar has only begun to look.
    """
    total, sky = 0.0, 0.0
    place = np.empty(3)
    for i in range(origins.shape[0]):
        for scan in range(1, _SCANS_BACK + 1):
            back_s = scan * periods_s[i]
            t = -(age_s + back_s)
            for axis in range(3):
                place[axis] = x[axis] + t * x[3 + axis]
            place[2] -= 0.5 * GRAVITY_M_S2 * t * t
            above = place[2] - origins[i, 2]
            ring = math.sqrt((place[0] - origins[i, 0]) ** 2 + (place[1] - origins[i, 1]) ** 2)
            near = ring * ring + above * above < (_RANGE_SHARE * reach_m[i]) ** 2
            if near and above > _SLOPE_MIN * ring and height(place, env) > _HEIGHT_M_MIN:
                sky += log_miss[i]
                if back_s <= before_s[i]:
                    total += log_miss[i]
    return total, sky


@kernel
def misfit(x, age_s, times, sensors, z, weights, env, curve, rotations, origins, errors):
    """Return how much worse a flight that is at `x` (10) now fits its plots (n) than it should; a log likelihood ≤ 0.

    `times` (n): seconds after the first plot, which is `age_s` old.  One body's plots cost about one for each number
    that they hold beyond the six of its state; those of several bodies more.
    """
    first, p = x.copy(), np.zeros((10, 10))
    for i in range(10):
        p[i, i] = 1e-6
    if not carry(first, p, -age_s, env, curve):
        return -_MISFIT_MAX
    room = np.zeros((10, 10)), np.zeros(10), np.empty((errors.shape[0], POLAR, KEPT))
    cost = normal_equations(first, times, sensors, z, weights, env, curve, rotations, origins, errors, DELTAS, *room)
    spare = -6.0
    for k in range(z.shape[0]):
        spare += 3.0 if math.isnan(z[k, 3]) else 4.0
    return -min(0.5 * max(cost - spare, 0.0), _MISFIT_MAX)
