"""One dwell through all tracks and all candidates: the compiled part of a step."""

import math

import numpy as np

from opencram.ballistics.propagation import STATES
from opencram.kernel import helper, kernel
from opencram.tracking.association import assigned, gated
from opencram.tracking.candidates import SIX, follow_straight, join, start
from opencram.tracking.errors import POLAR
from opencram.tracking.filter import predict_rows, take_rate, update_rows
from opencram.tracking.fit import wrap
from opencram.tracking.merging import merged, shares
from opencram.tracking.ripples import followers
from opencram.tracking.state import TARGET, TENTATIVE

# Rows of `given` (3, plots): the index of the track or candidate that has the plot (−1: none, −2: it found no room),
# the number in the history of the plot before it on the same target (−1: none), and the target's track id (0: none).
OWNER, PREVIOUS, TRACK_ID = range(3)
REFUSED = -2

# A young track is fitted again to all its plots; beyond the age, and with enough plots, its filters carry on alone.
FIT_AGE_S = 4.0
_FIT_PLOTS = 12
FIT_AGE_S_MAX = 12.0

_TENTATIVE_PLOTS = 3
_DOUBLE = 4.1  # squared distance of two plots of one object: 75 % of chi squared, three degrees of freedom

# Beyond these numbers a plot is no measurement, and its square no number.
RANGE_M_MAX = 1e7
AZIMUTH_RAD_MAX = 4.0 * math.pi
ELEVATION_RAD_MAX = 0.5 * math.pi + 1e-9
RANGE_RATE_M_S_MAX = 1e5
STD_MIN, STD_MAX = 1e-7, 1e6


@kernel
def all_sound(z, variances):
    """Return whether plots (n, 4) and their variances (n, 3) are measurements, every one of them."""
    for j in range(z.shape[0]):
        if not (0.0 < z[j, 0] <= RANGE_M_MAX and abs(z[j, 1]) <= AZIMUTH_RAD_MAX):
            return False
        if not abs(z[j, 2]) <= ELEVATION_RAD_MAX or abs(z[j, 3]) > RANGE_RATE_M_S_MAX:
            return False
        for i in range(3):
            if not STD_MIN * STD_MIN <= variances[j, i] <= STD_MAX * STD_MAX:
                return False
    return True


@kernel
def follow(
    targets, x, p, log_weight, model, owner, level_x, level_p, t_ns, dt, env, cds, rotation, origin, sensor, errors, z,
    variances, wholes, weights, period_ns, first_number, gate, fit_pauses, resolved, given
):  # fmt: skip
    """Move all tracks on by `dt` seconds to `t_ns` and give them their plots `z` (m, 4), in place.

    `errors` (sensors, 3, 3): `tracking.errors`; `variances` (m, 3) are of the white errors, `wholes` of all together;
    `weights` (m, 4): reciprocal deviations as stated, of which that of the range rate is used.  The companion in level
    flight sees plots less the bias that the heaviest row knows of.

    The heaviest row of a track stands for it in the assignment; a row that is no longer sound gets the log weight
    −∞.  Plot j gets the number `first_number + j` in the history; `given` (3, m) is filled for the plots of tracks.
    `fit_pauses`: share of a track's age, least and most seconds between two fits.  `resolved` (parts, 2): counts
    of `merging.merged`, in place.  Returns whether each track is due for a fit, how many are, how many plots are left,
    and what plots that are of two tell each of them: measurements (n, 4), weights (n, 4), and the numbers of the plots
    before them.  These have the numbers behind those of `z`.
    """
    rows, count = x.shape[0], targets.shape[0]
    h, s, cross = np.empty((rows, 3)), np.empty((rows, 3, 3)), np.empty((rows, 3, x.shape[1]))
    sound = predict_rows(x, p, np.full(rows, dt), model, env, cds, rotation, origin, sensor, errors, h, s, cross)
    best = np.full(count, -1, dtype=np.int64)
    for r in range(rows):
        if not sound[r]:
            log_weight[r] = -math.inf
        k = owner[r]
        if best[k] < 0 or log_weight[r] > log_weight[best[k]]:
            best[k] = r
    due = np.zeros(count, dtype=np.bool_)
    due_count, left = 0, z.shape[0]
    starts, plots, costs = gated(h[best], s[best], sound[best], z, variances, gate)
    plot_of = assigned(starts, plots, costs, z.shape[0], gate)
    m = z.shape[0]
    pairs, common = merged(h[best], s[best], sound[best], targets, t_ns, plot_of, z, variances, gate, resolved)
    for i in range(pairs.shape[0]):
        plot_of[pairs[i, 0]] = common[i]
    _take_doubles(targets, starts, plots, plot_of, z, variances, given)
    told, spreads, told_weights = shares(pairs, common, h[best], s[best], z, variances, weights)
    more = _with_shares(targets, pairs, common, plot_of, given)
    if told.shape[0]:
        wholes = _behind(wholes, spreads)
        z, variances, weights = _behind(z, told), _behind(variances, spreads), _behind(weights, told_weights)
    update_rows(x, p, h, s, cross, z, variances, plot_of[owner], log_weight)
    room, level_room = np.empty(x.shape[1]), np.empty(SIX)
    for r in range(rows):
        j = plot_of[owner[r]]
        if j >= 0:
            log_weight[r] += take_rate(x[r], p[r], z[j, 3], weights[j, 3], origin, room)
        if math.isnan(log_weight[r]):
            log_weight[r] = -math.inf
    position, noise, factor, v = np.empty(3), np.empty((3, 3)), np.empty((3, 3)), np.empty(3)
    level_z = _unbiased(z, plot_of, x, best, sensor, errors.shape[0])
    for k in range(count):
        j = plot_of[k]
        gain = follow_straight(
            level_x[k], level_p[k], dt, level_z, wholes, j, rotation, origin, position, noise, factor, v
        )  # fmt: skip
        if j >= 0:
            left -= 1
            gain += take_rate(level_x[k], level_p[k], z[j, 3], weights[j, 3], origin, level_room)
            own_t_ns = targets[k]["own_t_ns"] if j >= m else t_ns
            _seen(targets, k, j, t_ns, period_ns, first_number, gain, more)
            targets[k]["own_t_ns"] = own_t_ns
            due[k] = _is_due(targets[k], t_ns, fit_pauses)
            due_count += due[k]
    given[:, :] = more[:, :m]
    return due, due_count, left + pairs.shape[0], told, told_weights, more[PREVIOUS, m:].copy()


@kernel
def _with_shares(targets, pairs, common, plot_of, given):
    """Return `given` (3, m) with a column behind for each share of plots that are of two; `plot_of` names the shares.

    The plot itself counts to the first of the two, and nothing comes after it.
    """
    m, count = given.shape[1], pairs.shape[0]
    more = np.full((3, m + 2 * count), -1, dtype=np.int64)
    for i in range(3):
        for j in range(m):
            more[i, j] = given[i, j]
    for i in range(count):
        first, j = targets[pairs[i, 0]], common[i]
        more[OWNER, j], more[PREVIOUS, j], more[TRACK_ID, j] = pairs[i, 0], first["last"], first["track_id"]
        for side in range(2):
            plot_of[pairs[i, side]] = m + 2 * i + side
    return more


@helper
def _behind(array, more):
    """Return an array (n, ...) with the rows of another behind its own."""
    longer = np.empty((array.shape[0] + more.shape[0], array.shape[1]))
    for i in range(longer.shape[0]):
        for l in range(array.shape[1]):
            longer[i, l] = array[i, l] if i < array.shape[0] else more[i - array.shape[0], l]
    return longer


@helper
def _unbiased(z, plot_of, x, best, sensor, sensors):
    """Return plots (m, 4) of a sensor less the biases that the heaviest rows `best` of their tracks know of, if any."""
    first = STATES + POLAR * (sensors + sensor)
    if x.shape[1] == STATES + POLAR * sensors:
        return z
    without = z.copy()
    for k in range(plot_of.shape[0]):
        if plot_of[k] >= 0:
            for m in range(POLAR):
                without[plot_of[k], m] -= x[best[k], first + m]
    return without


@kernel
def _take_doubles(targets, starts, plots, plot_of, z, variances, given):
    """Give each track the plots that may be doubles of its own.

    A plot that no track has, inside the gate of one, and no further from that track's plot than most pairs of plots of
    one object, may be a second plot of the same round: radars split what they see.  It is not used, and starts nothing;
    but a candidate that flies beside may have it, for it may as well be the next round of a ripple.
    """
    taken = np.zeros(z.shape[0], dtype=np.bool_)
    for k in range(plot_of.shape[0]):
        if plot_of[k] >= 0:
            taken[plot_of[k]] = True
    for k in range(plot_of.shape[0]):
        own = plot_of[k]
        if own < 0:
            continue
        for i in range(starts[k], starts[k + 1]):
            j = plots[i]
            if taken[j]:
                continue
            apart = wrap(z[j, 1] - z[own, 1])
            distance = apart * apart / (variances[j, 1] + variances[own, 1])
            for m in (0, 2):
                apart = z[j, m] - z[own, m]
                distance += apart * apart / (variances[j, m] + variances[own, m])
            if distance < _DOUBLE:
                taken[j] = True
                given[OWNER, j] = k
                given[TRACK_ID, j] = targets[k]["track_id"]


@kernel
def _seen(targets, k, j, t_ns, period_ns, first_number, gain, given):
    """Count plot `j` to target `k`: of a candidate the score grows, of a track the weight of no projectile."""
    target = targets[k]
    given[OWNER, j] = k
    given[PREVIOUS, j] = target["last"]
    given[TRACK_ID, j] = target["track_id"]
    target["last"] = first_number + j
    target["plots"] += 1
    target["updated_t_ns"] = max(target["updated_t_ns"], t_ns)
    target["own_t_ns"] = max(target["own_t_ns"], t_ns)
    if target["since_t_ns"] == target["first_t_ns"]:
        target["since_t_ns"] = min(target["since_t_ns"], t_ns)
    target["first_t_ns"] = min(target["first_t_ns"], t_ns)
    target["period_ns"] = max(target["period_ns"], period_ns)
    target["score"] += gain
    target["log_straight"] += gain


@kernel
def _is_due(target, t_ns, fit_pauses):
    """Return whether a track with a new plot is young enough to be fitted again, and its last fit old enough."""
    age_s = (t_ns - target["since_t_ns"]) * 1e-9
    if age_s > FIT_AGE_S_MAX or (age_s > FIT_AGE_S and target["plots"] >= _FIT_PLOTS):
        return False
    pause_s = min(max(fit_pauses[0] * age_s, fit_pauses[1]), fit_pauses[2])
    return target["updated_t_ns"] == t_ns and (t_ns - target["fitted_t_ns"]) * 1e-9 >= pause_s - 1e-6


@kernel
def gather(
    targets, chances, x, p, fall, t_ns, dt, rotation, origin, z, variances, rate_weights, log_clutter, log_chances,
    period_ns, first_number, limits, confirm, next_track_id, flown, owner, given
):  # fmt: skip
    """Move all candidates on by `dt` seconds to `t_ns`, give them the plots that no track has, start new ones.

    `flown` (rows, 6 or more) and `owner` (rows): the tracks at `t_ns`.  `given` as `follow` leaves it: plots without an
    owner are free.  `log_clutter` (m): log density of clutter where each plot stands.  `log_chances`: log probability
    that the sensor sees a round, and that it does not.  `limits`: gate, most candidates, deviation of the speed prior
    (m/s).  `confirm`: least plots and score, and the pauses (ns) between two judgements of a tentative and of a judged
    one.
    Returns the new columns of the candidates, which of them are ripe to be judged, how many are, how many plots found
    no room, and the next track id.
    """
    gate, count_max, speed_std = limits
    n, m = targets.shape[0], z.shape[0]
    free = given[OWNER] == -1
    doubles = (given[OWNER] >= 0) & (given[PREVIOUS] == -1)
    moved_x, moved_p = x.copy(), p.copy()
    plot_of, gains = join(
        moved_x, moved_p, np.full(n, dt), fall, z, variances, rate_weights, free | doubles, rotation, origin, gate,
        log_clutter, log_chances[0],
    )  # fmt: skip
    total = n
    for k in range(n):
        if plot_of[k] >= 0:
            free[plot_of[k]] = False
    for j in range(m):
        if free[j] and total < count_max:
            given[OWNER, j] = total
            total += 1
    like = followers(z, variances, free, rotation, origin, flown, owner, moved_x)
    second = total
    for j in range(m):
        if free[j] and not math.isnan(like[j, 3]) and total < count_max:
            total += 1
    more = np.empty(total, dtype=TARGET)
    more_x, more_p, more_fall = np.empty((total, SIX)), np.empty((total, SIX, SIX)), np.ones(total)
    more_chances = np.zeros((total, chances.shape[1]))
    ripe = np.zeros(total, dtype=np.bool_)
    ripe_count, refused = 0, 0
    for k in range(n):
        more[k] = targets[k]
        more_x[k], more_p[k], more_fall[k], more_chances[k] = moved_x[k], moved_p[k], fall[k], chances[k]
        if plot_of[k] >= 0:
            target = more[k]
            missed = round((t_ns - target["updated_t_ns"]) / max(target["period_ns"], period_ns, 1)) - 1
            gain = gains[k] + max(missed, 0) * log_chances[1]
            _seen(more, k, plot_of[k], t_ns, period_ns, first_number, gain, given)
            if target["track_id"] == 0 and target["plots"] >= _TENTATIVE_PLOTS and target["score"] > 0.5 * confirm[1]:
                target["track_id"] = next_track_id
                given[TRACK_ID, plot_of[k]] = next_track_id
                next_track_id += 1
            ripe[k] = _is_ripe(target, t_ns, confirm)
            ripe_count += ripe[k]
    for j in range(m):
        if free[j]:
            k = given[OWNER, j]
            if k < 0:
                given[OWNER, j] = REFUSED
                refused += 1
            else:
                start(z[j], variances[j], rotation, origin, speed_std, more_x[k], more_p[k])
                _blank(more, k, t_ns)
                _seen(more, k, j, t_ns, period_ns, first_number, 0.0, given)
                if not math.isnan(like[j, 3]) and second < total:
                    _start_like(more, more_x, more_p, k, second, like[j])
                    second += 1
    return more, more_chances, more_x, more_p, more_fall, ripe, ripe_count, refused, next_track_id


@kernel
def _start_like(targets, x, p, k, other, like):
    """Write number `other`: the candidate `k` of a single plot once more, at a velocity (3) with its deviation."""
    targets[other] = targets[k]
    x[other], p[other] = x[k], p[k]
    for i in range(3):
        x[other, 3 + i] = like[i]
        p[other, 3 + i, 3 + i] = like[3] * like[3]


@kernel
def _blank(targets, k, t_ns):
    """Write a target that has not been seen yet."""
    target = targets[k]
    target["track_id"] = 0
    target["status"] = TENTATIVE
    target["reason"] = 0
    target["plots"] = 0
    target["last"] = -1
    target["first_t_ns"] = t_ns
    target["since_t_ns"] = t_ns
    target["updated_t_ns"] = t_ns
    target["own_t_ns"] = t_ns
    target["period_ns"] = 0
    target["fitted_t_ns"] = 0
    target["reported_t_ns"] = 0
    target["told_t_ns"] = 0
    target["due_t_ns"] = 0
    target["score"] = 0.0
    target["log_straight"] = 0.0
    target["log_sky"] = 0.0


@kernel
def _is_ripe(target, t_ns, confirm):
    """Return whether a candidate with a new plot is to be judged: for the first time, or again after a pause."""
    if target["updated_t_ns"] != t_ns or target["plots"] < confirm[0] or target["score"] < confirm[1]:
        return False
    pause_ns = confirm[2] if target["status"] == TENTATIVE else confirm[3]
    return target["fitted_t_ns"] == 0 or t_ns - target["fitted_t_ns"] >= pause_ns
