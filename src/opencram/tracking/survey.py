"""How the targets stand after a dwell: the compiled part of their life."""

import math

import numpy as np

from opencram.ballistics.environment import altitude, surface
from opencram.ballistics.propagation import STATES
from opencram.kernel import kernel
from opencram.tracking.bank import KEEP
from opencram.tracking.state import COASTING, CONFIRMED, DROPPED, IMPACT, LOST, NEVER_CONFIRMED, TENTATIVE

# Before it has so many plots, and is so old, a body is not said to be no projectile.
STRAIGHT_PLOTS = 8
STRAIGHT_NS = 2_000_000_000
_DEMOTE = 0.2  # probability below which a projectile is one no longer; 0.5 made it one

_KEEP_OLD, _OLD_NS = 1e-2, 8_000_000_000  # of older tracks fewer flight models are followed
_SAY = 0.01  # probability against the best below which a flight model is not told
_HIDDEN_M, _HIDDEN_SLOPE = 50.0, 0.045  # below this height, and 2.5° over the nearest radar's horizon, none sees
ENDED, GOES_ON, DEMOTED = range(3)


@kernel
def survey(targets, x, log_weight, owner, t_ns, coast_after, coast_s_max, env, origins, best, speak):
    """Set the status of the tracks, in place; say of each its heaviest row, and whether something is to be said.

    Returns whether anything is to be said of any track.
    """
    best[:] = -1
    for r in range(owner.shape[0]):
        k = owner[r]
        if best[k] < 0 or log_weight[r] > log_weight[best[k]]:
            best[k] = r
    some = False
    for k in range(targets.shape[0]):
        target, r = targets[k], best[k]
        before = target["status"]
        height = altitude(x[r, 0], x[r, 1], x[r, 2], env) - surface(x[r, 0], x[r, 1], env)
        falling = x[r, 5] < 0.0
        gap_s = (t_ns - target["updated_t_ns"]) * 1e-9
        if not math.isfinite(log_weight[r]) or math.isnan(height):
            target["status"], target["reason"] = DROPPED, LOST
        elif falling and (height < -20.0 or (height < 0.0 and gap_s > 0.25)):  # m, s
            target["status"], target["reason"] = DROPPED, IMPACT
        elif gap_s > coast_after * target["period_ns"] * 1e-9:
            hidden = falling and height < _horizon_m(origins, x[r, 0], x[r, 1])
            if gap_s > (3.0 if hidden else 1.0) * coast_s_max:
                target["status"], target["reason"] = DROPPED, LOST
            else:
                target["status"] = COASTING
        elif before == COASTING:
            target["status"] = CONFIRMED
        speak[k] = target["status"] != before or t_ns >= target["due_t_ns"]
        some = some or speak[k]
    return some


@kernel
def _horizon_m(origins, east_m, north_m):
    """Return the height (m) below which no radar can be expected to see: 2.5° over the nearest one's horizon."""
    nearest = math.inf
    for i in range(origins.shape[0]):
        de, dn = origins[i, 0] - east_m, origins[i, 1] - north_m
        nearest = min(nearest, math.sqrt(de * de + dn * dn))
    return max(_HIDDEN_M, _HIDDEN_SLOPE * nearest)


@kernel
def describe(speak, targets, chances, log_weight, model, owner, t_ns, report_ns, tell_ns):
    """Weigh the flight models of the tracks that `speak`, and note in the targets when they are next due.

    Writes `chances` (n, models + 1).  Returns the rows whose flight models are to be told; for each row whether it is
    worth keeping, and whether all are; and for each track whether it ends, goes on, or is no projectile after all.
    """
    rows, count = owner.shape[0], targets.shape[0]
    told, told_count, kept = np.empty(rows, dtype=np.int64), 0, True
    keep = np.ones(rows, dtype=np.bool_)
    fate = np.full(count, GOES_ON)
    first = 0
    for k in range(count):
        end = first
        top = -math.inf
        while end < rows and owner[end] == k:
            top = max(top, log_weight[end])
            end += 1
        target = targets[k]
        if speak[k]:
            _weigh(target, chances[k], log_weight[first:end], model[first:end])
            telling = target["fitted_t_ns"] == t_ns or t_ns > target["told_t_ns"] + tell_ns - target["period_ns"]
            if telling and target["status"] != DROPPED:
                target["told_t_ns"] = t_ns
                most = 0.0
                for r in range(first, end):
                    most = max(most, chances[k, model[r]])
                for r in range(first, end):
                    if chances[k, model[r]] > _SAY * most:
                        told[told_count] = r
                        told_count += 1
            # Flight models are told after each fit, and when the next dwell would come too late for once a second.
            target["due_t_ns"] = min(t_ns + report_ns, target["told_t_ns"] + tell_ns - target["period_ns"] + 1)
            target["reported_t_ns"] = t_ns
            if target["status"] == DROPPED:
                fate[k] = ENDED
            elif (
                target["plots"] >= STRAIGHT_PLOTS
                and t_ns - target["first_t_ns"] >= STRAIGHT_NS
                and chances[k, -1] > 1.0 - _DEMOTE
            ):
                fate[k] = DEMOTED
        least = top + math.log(_KEEP_OLD if t_ns - target["first_t_ns"] > _OLD_NS else KEEP)
        for r in range(first, end):
            keep[r] = fate[k] == GOES_ON and log_weight[r] >= least
            kept = kept and keep[r]
        first = end
    return told[:told_count], keep, kept, fate


@kernel
def _weigh(target, chances, log_weight, model):
    """Write the probabilities of a track's rows, and of no projectile, into `chances` (models + 1)."""
    most = target["log_straight"]
    for r in range(log_weight.shape[0]):
        most = max(most, log_weight[r])
    total = math.exp(target["log_straight"] - most)
    chances[:] = 0.0
    chances[-1] = total
    for r in range(log_weight.shape[0]):
        weight = math.exp(log_weight[r] - most)
        chances[model[r]] += weight
        total += weight
    for i in range(chances.shape[0]):
        chances[i] /= total


@kernel
def stand(spoken, rows, chances, x, p, class_of, classes):
    """Return how targets stand (n, 8 + classes): position, velocity, deviation of the position, speed, and chances.

    `spoken` (n): their rows in `chances` (models + 1); `rows` (n): theirs in `x` and `p`.  The chances are those of
    the classes, then of no projectile.
    """
    n = spoken.shape[0]
    table = np.zeros((n, 9 + classes))
    for i in range(n):
        k, r = spoken[i], rows[i]
        for j in range(6):
            table[i, j] = x[r, j]
        table[i, 6] = math.sqrt(max(0.0, p[r, 0, 0] + p[r, 1, 1] + p[r, 2, 2]))
        table[i, 7] = math.sqrt(x[r, 3] * x[r, 3] + x[r, 4] * x[r, 4] + x[r, 5] * x[r, 5])
        for m in range(class_of.shape[0]):
            table[i, 8 + class_of[m]] += chances[k, m]
        table[i, 8 + classes] = chances[k, class_of.shape[0]]
    return table


@kernel
def lower_triangles(rows, x, p):
    """Return, for each of the rows, its state (10) and the lower triangle of its covariance by rows (55)."""
    size = STATES
    table = np.empty((rows.shape[0], size + size * (size + 1) // 2))
    for i in range(rows.shape[0]):
        at = size
        for a in range(size):
            table[i, a] = x[rows[i], a]
            for b in range(a + 1):
                table[i, at] = p[rows[i], a, b]
                at += 1
    return table


@kernel
def survey_candidates(targets, t_ns, coast_s_max, misses, report_ns):
    """Set the status of candidates, in place; return the indices of those that go on, and of those to report."""
    count = targets.shape[0]
    keep, spoken = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    kept, said = 0, 0
    for k in range(count):
        target = targets[k]
        gap_ns = t_ns - target["updated_t_ns"]
        judged = target["status"] != TENTATIVE
        limit_ns = coast_s_max * 1e9 if judged else misses * target["period_ns"]
        known = target["reported_t_ns"] != 0
        if target["status"] == DROPPED or gap_ns > limit_ns:
            if target["status"] != DROPPED:  # else it is a double
                target["status"] = DROPPED
                target["reason"] = LOST if judged else NEVER_CONFIRMED
            speak = known
        else:
            keep[kept] = k
            kept += 1
            speak = target["track_id"] != 0 and (
                not known or target["fitted_t_ns"] == t_ns or t_ns - target["reported_t_ns"] >= report_ns
            )
            if speak:
                target["reported_t_ns"] = t_ns
        if speak:
            spoken[said] = k
            said += 1
    return keep[:kept], spoken[:said]
