"""What else it could be: how well bodies that do not fall explain the plots of a target.

Two kinds stand for all of them.  One flies with a constant acceleration, within what aircraft do in a gentle turn.
The other changes its velocity at random, as birds, drones and hard turns do; it explains almost anything a little,
and little well.  A third, a jet that climbs or dives and may pull, is asked only where a round cannot be expected: so
much freedom explains the first second of any round as well as the fall does.
"""

import math

import numpy as np

from opencram.estimation.linear import cholesky, solve_factored
from opencram.kernel import helper, kernel
from opencram.tracking.candidates import SIX, cartesian, innovation, move, update, update_rate
from opencram.tracking.fit import HUBER

# Manoeuvres within 0.4 g level and 0.2 g vertically; mostly level flight, mostly below 300 m/s.  Round numbers for
# aircraft, helicopters, drones and birds together.
ACCELERATION_M_S2_STD = np.array([4.0, 4.0, 2.0])
VELOCITY_M_S_STD = np.array([130.0, 130.0, 20.0])
# A jet that climbs or dives: 2.5 g in any direction, or half a g, for most keep to their course most of the time.
JET_ACCELERATION_M_S2_STD = np.array([25.0, 25.0, 25.0])
STEADY_ACCELERATION_M_S2_STD = np.array([5.0, 5.0, 5.0])
JET_VELOCITY_M_S_STD = np.array([150.0, 150.0, 80.0])
_LOG_JET, _LOG_STEADY = math.log(0.1), math.log(0.05)  # the shares of bodies that fly so
_WANDER_GROWTH = 20.0**2  # (m/s)²/s: a hard turn
_LOG_WANDER = math.log(0.1)  # the share of bodies that fly so
_RATE = 3  # the fourth number of a plot
_TURNS = 4  # of the weighted least squares; the last one only counts


@kernel
def no_projectile(times, sensors, z, weights, rotations, origins):
    """Return the log likelihood of plots (n) if they are of no projectile, comparable with `bank.fit_model`."""
    level = straight_evidence(times, sensors, z, weights, rotations, origins, ACCELERATION_M_S2_STD, VELOCITY_M_S_STD)[
        0
    ]
    wander = _LOG_WANDER + wandering_evidence(times, sensors, z, weights, rotations, origins)
    most = max(level, wander)
    return most + math.log(math.exp(level - most) + math.exp(wander - most))


@kernel
def jet(times, sensors, z, weights, rotations, origins):
    """Return the log likelihood of plots (n) if they are of a jet, as `no_projectile` counts."""
    plots = times, sensors, z, weights, rotations, origins
    pulls = _LOG_JET + straight_evidence(*plots, JET_ACCELERATION_M_S2_STD, JET_VELOCITY_M_S_STD)[0]
    keeps = _LOG_STEADY + straight_evidence(*plots, STEADY_ACCELERATION_M_S2_STD, JET_VELOCITY_M_S_STD)[0]
    most = max(pulls, keeps)
    return most + math.log(math.exp(pulls - most) + math.exp(keeps - most))


@kernel
def straight_evidence(times, sensors, z, weights, rotations, origins, acceleration_std, velocity_std):
    """Return how well a body without ballistic fall explains plots (n), comparable with `fit.fit`'s evidence.

    Position (flat prior), velocity and a constant acceleration (Gaussian priors about zero, standard deviations (3,)),
    by least squares in the site's ENU with Huber weights.  Also returns the velocity at time 0.
    """
    information, gradient, x = np.empty((9, 9)), np.empty(9), np.zeros(9)
    factor = np.empty((9, 9))
    prior = np.zeros(9)
    position, axes, row = np.empty(3), np.empty((3, 3)), np.empty(9)
    log_determinant, cost = math.nan, 0.0
    for i in range(3):
        prior[i] = 1e-10
        prior[3 + i], prior[6 + i] = velocity_std[i] ** -2, acceleration_std[i] ** -2
    for turn in range(_TURNS):
        cost = 0.0
        for i in range(9):
            gradient[i] = 0.0
            for j in range(9):
                information[i, j] = prior[i] if i == j else 0.0
            cost += prior[i] * x[i] * x[i]
        for k in range(times.shape[0]):
            along_axes(z[k], rotations[sensors[k]], origins[sensors[k]], position, axes)
            for m in range(4):
                if not math.isnan(z[k, m]):
                    target = _row(m, times[k], z[k], weights[k], position, axes, row)
                    cost += _add_row(row, target, x, turn, information, gradient)
        if turn == _TURNS - 1:
            break
        for i in range(9):
            for j in range(i + 1):
                factor[i, j] = information[i, j]
            x[i] = gradient[i]
        log_determinant = cholesky(factor, 9)
        solve_factored(factor, x, 9)
    normaliser = -1.5 * math.log(2.0 * math.pi)
    for i in range(3):
        normaliser -= math.log(velocity_std[i] * acceleration_std[i])
    return normaliser - 0.5 * (cost + log_determinant), x[3:6].copy()


@helper
def along_axes(z, rotation, origin, position, axes):
    """Write where a plot stands (3) and, by rows (3, 3), the directions in which range, azimuth, elevation grow."""
    sin_a, cos_a, sin_e, cos_e = math.sin(z[1]), math.cos(z[1]), math.sin(z[2]), math.cos(z[2])
    local = ((cos_e * sin_a, cos_e * cos_a, sin_e), (cos_a, -sin_a, 0.0), (-sin_e * sin_a, -sin_e * cos_a, cos_e))
    for i in range(3):
        for m in range(3):
            axes[m, i] = 0.0
            for j in range(3):
                axes[m, i] += rotation[j, i] * local[m][j]
        position[i] = origin[i] + z[0] * axes[0, i]


@helper
def _row(m, t, z, weights, position, axes, row):
    """Write what measurement `m` of a plot says of the nine parameters, whitened; return what it should come to."""
    axis = 0 if m == _RATE else m
    scale = weights[m]
    if m == 1:
        scale /= z[0] * max(math.cos(z[2]), 1e-3)
    elif m == 2:
        scale /= z[0]
    target = scale * z[3] if m == _RATE else 0.0
    for i in range(3):
        share = scale * axes[axis, i]
        if m == _RATE:
            row[i], row[3 + i], row[6 + i] = 0.0, share, share * t
        else:
            row[i], row[3 + i], row[6 + i] = share, share * t, 0.5 * share * t * t
            target += share * position[i]
    return target


@helper
def _add_row(row, target, x, turn, information, gradient):
    """Add one measurement to the lower triangle of `information` and to `gradient`; return its cost at `x`."""
    off = target
    for i in range(9):
        off -= row[i] * x[i]
    size, weight, cost = abs(off), 1.0, off * off
    if turn > 0 and size > HUBER:
        weight, cost = HUBER / size, HUBER * (2.0 * size - HUBER)
    for i in range(9):
        gradient[i] += weight * row[i] * target
        for j in range(i + 1):
            information[i, j] += weight * row[i] * row[j]
    return cost


@kernel
def wandering_evidence(times, sensors, z, weights, rotations, origins):
    """Return how well a body that changes its velocity at random explains plots (n), comparable with `fit.fit`'s."""
    x, p = np.zeros(SIX), np.zeros((SIX, SIX))
    position, noise, factor, v, variances = np.empty(3), np.empty((3, 3)), np.empty((3, 3)), np.empty(3), np.empty(3)
    total = 0.0
    for k in range(times.shape[0]):
        for m in range(3):
            variances[m] = weights[k, m] ** -2
        origin = origins[sensors[k]]
        cartesian(z[k], variances, rotations[sensors[k]], origin, position, noise)
        for i in range(3):
            for j in range(i + 1):
                factor[i, j] = noise[i, j]
        log_noise = cholesky(factor, 3)
        if k == 0:
            for i in range(3):
                x[i] = position[i]
                p[3 + i, 3 + i] = VELOCITY_M_S_STD[i] ** 2
                for j in range(3):
                    p[i, j] = noise[i, j]
            total += 0.5 * log_noise - 1.5 * math.log(2.0 * math.pi)
        else:
            move(x, p, times[k] - times[k - 1], 0.0, _WANDER_GROWTH)
            for i in range(3):
                v[i] = position[i] - x[i]
            log_determinant = innovation(p, noise, v, factor)
            distance = math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2])
            if distance > HUBER + 1.0:  # a wild plot: counted as in the fit, and used only so far
                wild = (distance / (HUBER + 1.0)) ** 2
                for i in range(3):
                    for j in range(3):
                        noise[i, j] *= wild
                cost = (HUBER + 1.0) * (2.0 * distance - HUBER - 1.0)
            else:
                cost = distance * distance
            total -= 0.5 * (cost + log_determinant - log_noise)
            update(x, p, position, noise, factor, v)
        if not math.isnan(z[k, 3]):
            variance = weights[k, 3] ** -2
            total += 0.5 * math.log(2.0 * math.pi * variance)
            total -= update_rate(x, p, position, origin, z[k, 3], weights[k, 3])
    return total
