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

from opencram.kernel import kernel
from opencram.tracking.fit import wrap
from opencram.tracking.history import append, columns, window
from opencram.tracking.otherwise import along_axes
from opencram.tracking.state import Integers, State
from opencram.tracking.world import World

NEAR_M = 60.0  # between tracks that are looked at
PAIRS_MIN = 6  # dwells in which both have a plot
# Log likelihood by which the other way of sharing must be likelier; for each dwell twice what the best way of telling
# apart two rounds in the same place gains by chance (half the square of the mean of |x|, x normal: 0.32).
_BETTER, _BETTER_EACH = 12.0, 0.6
_TURNS = 6
_NEIGHBOURS_MAX, _PAIRS_MAX = 100, 300  # of one track to one side, and in one look: a flood must not stop the clock
_CHANGED_MAX = 8  # tracks in one look: each is fitted again


@kernel
def shared_out(times, apart, variances):
    """Return of each dwell (n) whether its two plots are to be exchanged, and by how much likelier that is.

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
    return best_signs < 0.0, 0.5 * (now - least)


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


def near_pairs(state: State) -> list[tuple[int, int]]:
    """Return the pairs of tracks that are near one another, by their numbers in the state; of very many the nearest."""
    tracks = state.tracks
    count = len(tracks.targets)
    if count < 2:
        return []
    x = tracks.x[np.searchsorted(tracks.owner, np.arange(count)), :3]
    order = np.argsort(x[:, 0], kind="stable")
    east = x[order, 0]
    ends = np.searchsorted(east, east + NEAR_M)
    reach = np.minimum(ends - np.arange(count) - 1, _NEIGHBOURS_MAX).clip(0)
    first = np.repeat(np.arange(count), reach)
    if not len(first):
        return []
    step = np.arange(len(first)) - np.repeat(np.cumsum(reach) - reach, reach) + 1
    pairs = np.sort(np.stack([order[first], order[first + step]], axis=1), axis=1)
    apart = np.abs(x[pairs[:, 0]] - x[pairs[:, 1]]).max(axis=1)
    pairs, apart = pairs[apart < NEAR_M], apart[apart < NEAR_M]
    pairs = pairs[np.argsort(apart, kind="stable")[:_PAIRS_MAX]]
    return [(int(a), int(b)) for a, b in sorted(pairs.tolist())]


def untangled(constants: World, state: State, since_ns: int, plots_max: int) -> tuple[State, list[int]]:
    """Return the state with plots exchanged between neighbouring tracks, and the tracks that must be fitted again.

    Plots since `since_ns`, `plots_max` of them at most for each track, are shared out.
    """
    changed: list[int] = []
    for one, other in near_pairs(state):
        if one in changed or other in changed:
            continue
        if len(changed) >= _CHANGED_MAX:
            break
        found = _exchanged(constants, state, one, other, since_ns, plots_max)
        if found is not None:
            state = found
            changed += [one, other]
    return state, changed


def _exchanged(constants: World, state: State, one: int, other: int, since_ns: int, plots_max: int) -> State | None:
    """Return the state with the plots of two tracks shared out better; None if they are as they should be."""
    table = columns(state.history)
    chains = [window(table, int(state.tracks.targets[k]["last"]), plots_max, since_ns) for k in (one, other)]
    keys = [times * len(constants.origins) + sensors for times, sensors, _, _ in chains]
    _, mine, theirs = np.intersect1d(keys[0], keys[1], return_indices=True)
    if len(mine) < PAIRS_MIN:
        return None
    times_ns, sensors, z, weights = (column[mine] for column in chains[0])
    apart, variances = differences(sensors, z, chains[1][2][theirs], weights, constants.rotations)
    exchange, better = shared_out((times_ns - times_ns[-1]) * 1e-9, apart, variances)
    if better < _BETTER + _BETTER_EACH * len(mine) or not exchange.any():
        return None
    mine, theirs = mine[exchange], theirs[exchange]
    for column_one, column_other in zip(chains[0][1:], chains[1][1:], strict=True):
        kept = column_one[mine].copy()
        column_one[mine] = column_other[theirs]
        column_other[theirs] = kept
    targets = state.tracks.targets.copy()
    history = state.history
    for k, (chain_ns, sensors, z, weights) in zip((one, other), chains, strict=True):
        numbers = history.written + np.arange(len(chain_ns))
        previous: Integers = np.concatenate([[-1], numbers[:-1]])
        history = append(history, chain_ns, sensors, z, weights, previous)
        targets[k]["last"] = numbers[-1]
    return replace(state, history=history, tracks=replace(state.tracks, targets=targets))
