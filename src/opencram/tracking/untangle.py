"""Neighbours that have exchanged plots: their plots are shared out once more, all together, as two bodies fly.

Two rounds that come over the horizon within a few deviations of one another give tracks that begin with plots of both.
Fitted to both, the tracks lie between the rounds, and every new plot goes to either by chance: what was mixed
stays mixed until the rounds are further apart than a gate.  One plot at a time cannot tell; all of them together can.
Their differences, dwell by dwell, lie about a line in time if the rounds are told apart rightly, and about it
mirrored at zero where they are not.
"""

import math

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from opencram.kernel import kernel
from opencram.tracking.bank import unbiased
from opencram.tracking.candidates import followed
from opencram.tracking.config import Config
from opencram.tracking.errors import WHITE
from opencram.tracking.fit import wrap
from opencram.tracking.history import append, columns, window
from opencram.tracking.ordering import ascending
from opencram.tracking.otherwise import along_axes
from opencram.tracking.state import TENTATIVE, Candidates, Integers, State
from opencram.tracking.world import World

NEAR_M = 60.0  # between tracks that are looked at
PAIRS_MIN = 6  # dwells in which both have a plot
_RECENT_NS = 3_000_000_000  # what is older may have plots of a third: where all together say nothing, these are asked
# Log likelihood by which the other way of sharing must be likelier, and for each dwell half as much again as the best
# way gains by chance where plots are shared out rightly: 0.40 if the two are found a deviation apart, as two in the
# same place are, 0.2, 0.09 and 0.04 if 1.2, 1.6 and 2 (100 draws each of 20 to 140 dwells).
_BETTER, _BETTER_EACH, _BETTER_FADES = 6.0, 0.6, 1.5
_TURNS = 6
_NEIGHBOURS_MAX, _PAIRS_MAX = 100, 300  # of one track to one side, and in one look: a flood must not stop the clock
_CHANGES_MAX = 4  # of pairs in one look: each track is fitted again


@kernel
def shared_out(times, apart, variances):
    """Return of each dwell (n) whether its two plots change places, how much likelier that is, and how much it must be.

    `times` (n): seconds; `apart` (n, 3): the plot of one track less that of the other (m); `variances` (n, 3).  Told
    apart rightly they lie about a straight line in time, which is found by turns: from a guess who is who the line, and
    from the line who is who.
    """
    n = times.shape[0]
    signs, best_signs = np.ones(n), np.ones(n)
    now = _misfit(times, apart, variances, signs)
    least = now
    for axis in range(3):
        for j in range(n):
            signs[j] = 1.0 if apart[j, axis] >= 0.0 else -1.0
        for _ in range(_TURNS):
            cost = _misfit(times, apart, variances, signs)
            if cost < least - 1e-9:
                least = cost
                best_signs[:] = signs
            line = _line(times, apart, variances, signs)
            changed = False
            for j in range(n):
                along = 0.0
                for m in range(3):
                    along += (line[0, m] + line[1, m] * times[j]) * apart[j, m] / variances[j, m]
                sign = 1.0 if along >= 0.0 else -1.0
                changed = changed or sign != signs[j]
                signs[j] = sign
            if not changed:
                break
        cost = _misfit(times, apart, variances, signs)
        if cost < least - 1e-9:
            least = cost
            best_signs[:] = signs
    # Which of the two is which is free: the fewest exchanges, so that the tracks stay what they were.
    if best_signs.sum() < 0.0:
        best_signs = -best_signs
    line, apart_2 = _line(times, apart, variances, best_signs), 0.0
    for j in range(n):
        for m in range(3):
            apart_2 += (line[0, m] + line[1, m] * times[j]) ** 2 / variances[j, m]
    fades = math.exp(-_BETTER_FADES * max(math.sqrt(apart_2 / n) - 1.0, 0.0))
    return best_signs < 0.0, 0.5 * (now - least), _BETTER + _BETTER_EACH * fades * n


@kernel
def _line(times, apart, variances, signs):
    """Return the line (2, 3), value at 0 and slope, about which the differences lie, each taken with its sign."""
    line = np.zeros((2, 3))
    for m in range(3):
        s0, s1, s2, y0, y1 = 1e-12, 0.0, 1e-12, 0.0, 0.0
        for j in range(times.shape[0]):
            w, t, y = 1.0 / variances[j, m], times[j], signs[j] * apart[j, m]
            s0 += w
            s1 += w * t
            s2 += w * t * t
            y0 += w * y
            y1 += w * t * y
        determinant = s0 * s2 - s1 * s1
        if determinant > 1e-9 * s0 * s2:
            line[0, m] = (s2 * y0 - s1 * y1) / determinant
            line[1, m] = (s0 * y1 - s1 * y0) / determinant
        else:
            line[0, m] = y0 / s0
    return line


@kernel
def _misfit(times, apart, variances, signs):
    """Return the squared deviations of the differences from their line."""
    line = _line(times, apart, variances, signs)
    total = 0.0
    for j in range(times.shape[0]):
        for m in range(3):
            off = signs[j] * apart[j, m] - line[0, m] - line[1, m] * times[j]
            total += off * off / variances[j, m]
    return total


@kernel
def differences(sensors, z, others, weights, rotations):
    """Return how far plots (n, 4) are from `others` (n, 4) of the same dwells (n, 3), and the variances (n, 3) of that.

    In metres along the site's axes, the same for all sensors.  `weights` (n, 4): reciprocal deviations.
    """
    n = z.shape[0]
    apart, variances = np.zeros((n, 3)), np.zeros((n, 3))
    position, axes = np.empty(3), np.empty((3, 3))
    nowhere = np.zeros(3)
    for j in range(n):
        along_axes(z[j], rotations[sensors[j]], nowhere, position, axes)
        for m in range(3):
            off = wrap(z[j, m] - others[j, m]) if m == 1 else z[j, m] - others[j, m]
            scale = 1.0 if m == 0 else z[j, 0] * (max(math.cos(z[j, 2]), 1e-3) if m == 1 else 1.0)
            for i in range(3):
                apart[j, i] += axes[m, i] * scale * off
                variances[j, i] += 2.0 * (axes[m, i] * scale / weights[j, m]) ** 2
    return apart, variances


@kernel
def near_pairs(x):
    """Return the pairs (n, 2) of tracks at `x` (tracks, 3; m) that are near one another; of very many the nearest."""
    count = x.shape[0]
    order = ascending(x[:, 0])
    room = 0
    for turn in range(2):
        pairs, apart = np.empty((room, 2), dtype=np.int64), np.empty(room)
        room = 0
        for i in range(count):
            a = order[i]
            for j in range(i + 1, min(i + 1 + _NEIGHBOURS_MAX, count)):
                b = order[j]
                if not x[b, 0] - x[a, 0] < NEAR_M:
                    break
                off = max(x[b, 0] - x[a, 0], abs(x[b, 1] - x[a, 1]), abs(x[b, 2] - x[a, 2]))
                if off < NEAR_M:
                    if turn == 1:
                        pairs[room, 0], pairs[room, 1], apart[room] = min(a, b), max(a, b), off
                    room += 1
    nearest = pairs[ascending(apart)[:_PAIRS_MAX]]
    return nearest[ascending(nearest[:, 0] * float(count) + nearest[:, 1])]


@kernel
def _in_common(times_ns, sensors, others_ns, other_sensors):
    """Return the places in two windows, both ascending in time, of the dwells (n) that both have a plot in."""
    most = min(times_ns.shape[0], others_ns.shape[0])
    mine, theirs = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
    count, since = 0, 0
    for i in range(times_ns.shape[0]):
        while since < others_ns.shape[0] and others_ns[since] < times_ns[i]:
            since += 1
        j = since
        while j < others_ns.shape[0] and others_ns[j] == times_ns[i] and other_sensors[j] != sensors[i]:
            j += 1
        if j < others_ns.shape[0] and others_ns[j] == times_ns[i] and count < most:
            mine[count], theirs[count] = i, j
            count += 1
    return mine[:count], theirs[:count]


@kernel
def _exchange(table, last, other, plots_max, since_ns, rotations):
    """Return the places, in the windows that end at `last` and `other`, of the plots (n) that are to be exchanged.

    None if they are shared out as they should be.
    """
    nothing = np.empty(0, dtype=np.int64)
    times_ns, sensors, z, weights = window(table, last, plots_max, since_ns)
    others_ns, other_sensors, other_z, _ = window(table, other, plots_max, since_ns)
    mine, theirs = _in_common(times_ns, sensors, others_ns, other_sensors)
    own = z[mine, 0] != other_z[theirs, 0]  # two candidates may have begun with the same plot
    mine, theirs = mine[own], theirs[own]
    first, count = 0, mine.shape[0]
    for _ in range(2):
        n = count - first
        if n < PAIRS_MIN:
            break
        here, there = mine[first:], theirs[first:]
        apart, variances = differences(sensors[here], z[here], other_z[there], weights[here], rotations)
        exchange, better, asked = shared_out((times_ns[here] - times_ns[here[-1]]) * 1e-9, apart, variances)
        if better >= asked:
            return here[exchange], there[exchange]
        while times_ns[mine[first]] < times_ns[mine[-1]] - _RECENT_NS:
            first += 1
        if n == count - first:
            break
    return nothing, nothing


@kernel
def next_exchange(pairs, at, changed, table, lasts, plots_max, since_ns, rotations):
    """Return the first of `pairs` (n, 2), from number `at` on, that has plots to exchange, and the places of these.

    `changed` (tracks): which tracks are left out.  `lasts` (tracks): their newest plots.  The number is n if none has.
    """
    while at < pairs.shape[0]:
        one, other = pairs[at, 0], pairs[at, 1]
        if not (changed[one] or changed[other]):
            mine, theirs = _exchange(table, lasts[one], lasts[other], plots_max, since_ns, rotations)
            if mine.shape[0]:
                return at, mine, theirs
        at += 1
    nothing = np.empty(0, dtype=np.int64)
    return at, nothing, nothing


def untangled(config: Config, constants: World, state: State, since_ns: int) -> tuple[State, NDArray[np.bool_]]:
    """Return the state with plots exchanged between neighbours, and which tracks must be fitted again.

    Plots since `since_ns` of tracks and of candidates that may be rounds are shared out.  A candidate that has other
    plots now is judged anew: what was said of it was said of two bodies.
    """
    tracks, few = state.tracks, state.candidates
    count = len(tracks.targets)
    fast = np.linalg.norm(few.x[:, 3:], axis=1) > config.speed_m_s_min
    young = np.flatnonzero((few.targets["plots"] >= PAIRS_MIN) & fast)
    bodies = np.concatenate([np.arange(count), count + young])
    firsts = np.searchsorted(tracks.owner, np.arange(count))
    pairs = near_pairs(np.concatenate([tracks.x[firsts, :3], few.x[young, :3]]))
    falls = np.concatenate([np.ones(count), few.fall[young]]) > 0.0
    pairs = pairs[(pairs[:, 0] < count) | (falls[pairs[:, 0]] & falls[pairs[:, 1]])]
    lasts = np.concatenate([tracks.targets["last"], few.targets["last"][young]])
    changed, at = np.zeros(len(bodies), dtype=np.bool_), 0
    chains = config.window_plots_max, since_ns
    for _ in range(_CHANGES_MAX if len(pairs) else 0):
        table = columns(state.history)
        at, mine, theirs = next_exchange(pairs, at, changed, table, lasts, *chains, constants.rotations)
        if at >= len(pairs):
            break
        pair = pairs[at]
        changed[pair] = True
        state, lasts[pair] = _exchanged(state, lasts[pair].tolist(), mine, theirs, chains)
    if not changed.any():
        return state, changed[:count]
    targets = tracks.targets.copy()
    targets["last"] = lasts[:count]
    anew = young[changed[count:]]
    few = _begun_anew(config, constants, state, anew, lasts[count:][changed[count:]])
    return replace(state, tracks=replace(tracks, targets=targets), candidates=few), changed[:count]


def _exchanged(
    state: State, lasts: list[int], mine: Integers, theirs: Integers, chains: tuple[int, int]
) -> tuple[State, list[int]]:
    """Return the state with plots of the chains that end at `lasts` exchanged, and where they end then.

    `mine`, `theirs`: by their places in the windows of `untangled`.
    """
    table, history, ends = columns(state.history), state.history, []
    one, other = (window(table, last, *chains) for last in lasts)
    for column, column_other in zip(one[1:], other[1:], strict=True):
        kept = column[mine].copy()
        column[mine] = column_other[theirs]
        column_other[theirs] = kept
    for times_ns, sensors, z, weights in (one, other):
        numbers = history.written + np.arange(len(times_ns))
        previous: Integers = np.concatenate([[-1], numbers[:-1]])
        history = append(history, times_ns, sensors, z, weights, previous)
        ends.append(int(numbers[-1]))
    return replace(state, history=history), ends


def _begun_anew(config: Config, constants: World, state: State, anew: Integers, lasts: Integers) -> Candidates:
    """Return the candidates, of which those of the indices `anew` have the plots that end at `lasts`."""
    few, errors = state.candidates, state.noise.errors
    targets, fall, x, p = few.targets.copy(), few.fall.copy(), few.x.copy(), few.p.copy()
    for k, last in zip(anew.tolist(), lasts.tolist(), strict=True):
        times_ns, sensors, z, weights = window(columns(state.history), last, config.window_plots_max, 0)
        if len(state.registration.mean):
            z = unbiased(z, sensors, state.registration.mean)
        variances = (errors[sensors, :, WHITE] / weights[:, :3]) ** 2
        ages = (times_ns - state.t_ns) * 1e-9
        followed(ages, sensors, z, variances, constants.rotations, constants.origins, config.speed_m_s_std, x[k], p[k])
        targets[k]["last"], targets[k]["status"], targets[k]["fitted_t_ns"], fall[k] = last, TENTATIVE, 0, 1.0
    return replace(few, targets=targets, fall=fall, x=x, p=p)
