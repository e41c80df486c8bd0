"""Candidates: a few plots that may become a track, carried by a small linear filter in the site's ENU.

Every plot that no track wants joins the candidate it fits best, or starts one at the speed prior.
The score is the log likelihood ratio of "one target, gravity and a nominal drag" against clutter.
"""

import math

import numpy as np

from opencram.estimation.linear import cholesky
from opencram.kernel import helper, kernel
from opencram.tracking.ordering import ascending, mapped, within

SIX = 6
_GRAVITY_M_S2 = 9.8
_DRAG_1_M = 6e-5  # deceleration over speed squared: density 1.2, Cd 0.3, 3000 kg/m²
_LOG_RATES = math.log(200.0)  # width of the range rates of clutter, m/s
_ACCELERATION_GROWTH = 5.0**2  # (m/s)²/s: what drag and guesswork leave


@helper
def cartesian(z, variances, rotation, origin, position, covariance):
    """Write a plot's position and covariance in the site's ENU.

    `variances` are of range (m²), azimuth and elevation (rad²).
    """
    r, sin_a, cos_a = z[0], math.sin(z[1]), math.cos(z[1])
    sin_e, cos_e = math.sin(z[2]), math.cos(z[2])
    along = (cos_e * sin_a, cos_e * cos_a, sin_e)
    across = (cos_a, -sin_a, 0.0)
    upward = (-sin_e * sin_a, -sin_e * cos_a, cos_e)
    v_across = variances[1] * r * r * cos_e * cos_e
    v_upward = variances[2] * r * r
    for i in range(3):
        position[i] = origin[i]
        for j in range(3):
            covariance[i, j] = 0.0
    for i in range(3):
        a, b, c = 0.0, 0.0, 0.0
        for j in range(3):
            a += rotation[j, i] * along[j]
            b += rotation[j, i] * across[j]
            c += rotation[j, i] * upward[j]
        position[i] += r * a
        for k in range(3):
            ak, bk, ck = 0.0, 0.0, 0.0
            for j in range(3):
                ak += rotation[j, k] * along[j]
                bk += rotation[j, k] * across[j]
                ck += rotation[j, k] * upward[j]
            covariance[i, k] += variances[0] * a * ak + v_across * b * bk + v_upward * c * ck


@helper
def move(x, p, dt, fall, growth):
    """Move a candidate on by `dt`, in place; `fall` 1: under gravity and drag, 0: level flight.

    `growth`: of each velocity variance, (m/s)²/s.
    """
    speed = math.sqrt(x[3] * x[3] + x[4] * x[4] + x[5] * x[5])
    for i in range(3):
        a = -fall * (_DRAG_1_M * speed * x[3 + i] + (_GRAVITY_M_S2 if i == 2 else 0.0))
        x[i] += dt * (x[3 + i] + 0.5 * dt * a)
        x[3 + i] += dt * a
    for i in range(3):
        for j in range(SIX):
            p[i, j] += dt * p[3 + i, j]
    for i in range(SIX):
        for j in range(3):
            p[i, j] += dt * p[i, 3 + j]
    for i in range(3):
        p[3 + i, 3 + i] += growth * abs(dt)
        p[i, i] += growth * abs(dt) * dt * dt / 3.0


@kernel
def join(x, p, ages, fall, z, variances, rate_weights, free, rotation, origin, gate, log_clutter, log_detection):
    """Give free plots to candidates, best first; all candidates move on by `ages` seconds, in place.

    `rate_weights` (m): reciprocal deviations of the range rates, where the plots have any.  `log_clutter` (m): log
    density of clutter per m·rad·rad where each plot stands.  Returns, per candidate, its plot (−1: none) and the
    gain of its score.
    """
    n, m = x.shape[0], z.shape[0]
    plot_of = np.full(n, -1, dtype=np.int64)
    gains = np.zeros(n)
    position = np.full((m, 3), math.inf)
    noise = np.empty((m, 3, 3))
    widest = np.zeros(2)
    for j in range(m):
        if free[j]:
            cartesian(z[j], variances[j], rotation, origin, position[j], noise[j])
            for i in range(2):
                widest[i] = max(widest[i], noise[j, i, i])
    for k in range(n):
        move(x[k], p[k], ages[k], fall[k], _ACCELERATION_GROWTH)
    pairs, costs = _near(x, p, z, rate_weights, position, noise, origin, widest, gate)
    taken = np.zeros(m, dtype=np.bool_)
    factor = np.empty((3, 3))
    v = np.empty(3)
    for i in ascending(costs):
        k, j = pairs[i, 0], pairs[i, 1]
        if plot_of[k] >= 0 or taken[j]:
            continue
        plot_of[k] = j
        taken[j] = True
        # The density of the plot in its own polar coordinates: the determinant goes over by the
        # Jacobian r² cos(elevation).
        scale = 2.0 * math.log(z[j, 0]) + math.log(max(math.cos(z[j, 2]), 1e-3))
        for l in range(3):
            v[l] = position[j, l] - x[k, l]
        log_determinant = innovation(p[k], noise[j], v, factor)
        cost = v[0] * v[0] + v[1] * v[1] + v[2] * v[2] + log_determinant
        gains[k] = -0.5 * cost - 1.5 * math.log(2.0 * math.pi) + scale + log_detection - log_clutter[j]
        update(x[k], p[k], position[j], noise[j], factor, v)
        if not math.isnan(z[j, 3]):
            gains[k] += _LOG_RATES - update_rate(x[k], p[k], position[j], origin, z[j, 3], rate_weights[j])
    return plot_of, gains


@kernel
def _near(x, p, z, rate_weights, position, noise, origin, widest, gate):
    """Return the pairs (count, 2) of candidate and plot inside the gate, and their costs d² + ln |S|.

    A range rate that is not the candidate's adds to the distance.

    Plots are sorted into a map, so that a candidate looks only at those within reach; `widest` (2): the largest
    variance of any plot east and north.
    """
    n, m = x.shape[0], position.shape[0]
    pairs, costs = np.empty((n + m, 2), dtype=np.int64), np.empty(n + m)
    count = 0
    edges, first, order = mapped(position)
    factor, v, reach, reached = np.empty((3, 3)), np.empty(3), np.empty(2), np.empty(m, dtype=np.int64)
    for k in range(n):
        for i in range(2):
            reach[i] = math.sqrt(gate * (p[k, i, i] + widest[i]))
        for at in range(within(reached, edges, first, order, x[k, 0], x[k, 1], reach[0], reach[1])):
            j = reached[at]
            near = True
            for i in range(3):
                v[i] = position[j, i] - x[k, i]
                near = near and v[i] * v[i] < gate * (p[k, i, i] + noise[j, i, i])
            if not near:
                continue
            log_determinant = innovation(p[k], noise[j], v, factor)
            distance = v[0] * v[0] + v[1] * v[1] + v[2] * v[2]
            if not math.isnan(z[j, 3]):
                off, spread = off_rate(x[k], p[k], position[j], origin, z[j, 3], rate_weights[j])
                distance += off * off / spread
            if not distance < gate:
                continue
            if count == costs.shape[0]:
                more_pairs, more_costs = np.empty((2 * count, 2), dtype=np.int64), np.empty(2 * count)
                for i in range(count):  # not by slices: the message of their mismatch is 3 s of compilation
                    more_pairs[i, 0], more_pairs[i, 1], more_costs[i] = pairs[i, 0], pairs[i, 1], costs[i]
                pairs, costs = more_pairs, more_costs
            pairs[count, 0] = k
            pairs[count, 1] = j
            costs[count] = distance + log_determinant
            count += 1
    return pairs[:count], costs[:count]


@helper
def innovation(p, noise, v, factor):
    """Whiten `v` by P + R of the position, in place; return the log determinant of P + R."""
    for i in range(3):
        for j in range(i + 1):
            factor[i, j] = p[i, j] + noise[i, j]
    log_determinant = cholesky(factor, 3)
    for i in range(3):
        total = v[i]
        for l in range(i):
            total -= factor[i, l] * v[l]
        v[i] = total / factor[i, i]
    return log_determinant


@helper
def update(x, p, position, noise, factor, v):
    """Give one candidate its plot, in place."""
    for i in range(3):
        v[i] = position[i] - x[i]
    innovation(p, noise, v, factor)
    white = np.empty((SIX, 3))
    for i in range(SIX):
        for m in range(3):
            total = p[i, m]
            for l in range(m):
                total -= factor[m, l] * white[i, l]
            white[i, m] = total / factor[m, m]
    for i in range(SIX):
        for m in range(3):
            x[i] += white[i, m] * v[m]
        for j in range(SIX):
            for m in range(3):
                p[i, j] -= white[i, m] * white[j, m]


@helper
def off_rate(x, p, position, origin, rate, weight):
    """Return the innovation (m/s) of a range rate measured at `position` (3), and its variance."""
    de, dn, du = position[0] - origin[0], position[1] - origin[1], position[2] - origin[2]
    distance = math.sqrt(de * de + dn * dn + du * du) + 1e-9
    sight = (de / distance, dn / distance, du / distance)
    off, spread = rate, 1.0 / (weight * weight)
    for i in range(3):
        off -= sight[i] * x[3 + i]
        for j in range(3):
            spread += sight[i] * p[3 + i, 3 + j] * sight[j]
    return off, spread


@helper
def update_rate(x, p, position, origin, rate, weight):
    """Give one candidate the range rate of its plot, in place; return its negative log likelihood (per m/s)."""
    off, spread = off_rate(x, p, position, origin, rate, weight)
    de, dn, du = position[0] - origin[0], position[1] - origin[1], position[2] - origin[2]
    distance = math.sqrt(de * de + dn * dn + du * du) + 1e-9
    gain = np.empty(SIX)
    for i in range(SIX):
        gain[i] = (p[i, 3] * de + p[i, 4] * dn + p[i, 5] * du) / distance
    for i in range(SIX):
        x[i] += gain[i] * off / spread
        for j in range(SIX):
            p[i, j] -= gain[i] * gain[j] / spread
    return 0.5 * (off * off / spread + math.log(2.0 * math.pi * spread))


@helper
def follow_straight(x, p, dt, z, variances, j, rotation, origin, position, noise, factor, v):
    """Move the level-flight companion of a track on by `dt`, in place, and give it plot `j` (−1: none).

    Returns the log likelihood of the plot in polar coordinates (0: no plot), comparable with what
    `filter.update_rows` adds to the flight models.  The last four arguments are room to work in.
    """
    move(x, p, dt, 0.0, _ACCELERATION_GROWTH)
    if j < 0:
        return 0.0
    cartesian(z[j], variances[j], rotation, origin, position, noise)
    for i in range(3):
        v[i] = position[i] - x[i]
    log_determinant = innovation(p, noise, v, factor)
    distance = v[0] * v[0] + v[1] * v[1] + v[2] * v[2]
    scale = 2.0 * math.log(z[j, 0]) + math.log(max(math.cos(z[j, 2]), 1e-3))
    update(x, p, position, noise, factor, v)
    return scale - 0.5 * (distance + log_determinant)


@kernel
def start(z, variances, rotation, origin, speed_std, x, p):
    """Write the state (6) and covariance (6, 6) of a candidate that starts from a single plot."""
    position, noise = np.empty(3), np.empty((3, 3))
    cartesian(z, variances, rotation, origin, position, noise)
    for i in range(SIX):
        for k in range(SIX):
            p[i, k] = 0.0
    for i in range(3):
        x[i], x[3 + i] = position[i], 0.0
        for k in range(3):
            p[i, k] = noise[i, k]
        p[3 + i, 3 + i] = speed_std * speed_std


@kernel
def followed(ages, sensors, z, variances, rotations, origins, speed_std, x, p):
    """Write the state (6) and covariance (6, 6) now of a candidate with plots (n, 4) of these ages (s; now: 0).

    `ages` ascending; `variances` (n, 3): of the white errors.
    """
    position, noise, factor, v = np.empty(3), np.empty((3, 3)), np.empty((3, 3)), np.empty(3)
    start(z[0], variances[0], rotations[sensors[0]], origins[sensors[0]], speed_std, x, p)
    for j in range(1, ages.shape[0]):
        move(x, p, ages[j] - ages[j - 1], 1.0, _ACCELERATION_GROWTH)
        cartesian(z[j], variances[j], rotations[sensors[j]], origins[sensors[j]], position, noise)
        update(x, p, position, noise, factor, v)
    move(x, p, -ages[-1], 1.0, _ACCELERATION_GROWTH)
