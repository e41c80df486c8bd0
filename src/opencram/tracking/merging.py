"""One plot of two rounds: what a radar makes of two that it cannot resolve.

Two rounds within a radar's resolution cell give one plot, somewhere between them.  Taken for the plot of one it pulls
that track towards the other round, and leaves the other without plots.  So a plot beside a track that has none may be
of both: where that is likelier, both are told of it as of a plot half-way between them, and neither is missing.

How large the cell is hardly any radar says.  One that gives the middle of its range cells errs by the cell over √12,
and one that measures angles by comparing beams by about a tenth of the beam.  Half as much again is looked at, for
noise brings plots together that are further apart.  Whether the radar really merges what is so near is learnt from
tracks that are: two that it resolves mostly have a plot each.

Source of the tenth: D. K. Barton, "Radar Equations for Modern Radar", Artech House 2013: the deviation of a monopulse
angle is the beamwidth over 1.6 √(2 S/N), at the 13 dB or so at which plots are made.
"""

import math

import numpy as np

from opencram.kernel import helper, kernel
from opencram.tracking.association import gate_cost
from opencram.tracking.errors import POLAR
from opencram.tracking.fit import wrap
from opencram.tracking.ordering import ascending

_CELL_RANGE, _CELL_ANGLE = 1.5 * math.sqrt(12.0), 15.0  # deviations of a plot
_KNOWN = 0.5  # of the cell: how large the deviation of a track may be that is said to be in it with another
_ONE_LACKS = 0.2  # share of dwells in which one of two that are resolved has no plot: 2 × 0.9 × 0.1 / (1 − 0.1²)
_MISSED = 0.1  # probability that a round which is resolved has no plot
RESOLVED, MERGED, NEARNESS = 0, 1, 4  # places of the counts; they are kept apart for so many parts of the cell
_BELIEVED = np.array([4.0, 1.0])  # what every radar has resolved and merged before the first dwell
_COUNTS_MAX = 500.0  # beyond, older ones fade
_LEAST, _MOST = 0.01, 0.95  # probability of merging that is believed
_TOGETHER_NS = 10_000_000_000  # without a plot of its own a track is not kept for longer by what may be another's
_SHARE = 1.0 / 12.0  # variance of where between the two the plot lies, if all places are as likely
_TWICE = 2.0  # what both are told alike counts half, for it is told again at every dwell


@helper
def _likely(counts):
    """Return the probability that a radar with these counts (2) merges two within the cell."""
    lacking = (counts[MERGED] + _BELIEVED[MERGED]) / (counts.sum() + _BELIEVED.sum())
    return min(max((lacking - _ONE_LACKS) / (1.0 - _ONE_LACKS), _LEAST), _MOST)


@kernel
def merged(h, s, sound, targets, t_ns, plot_of, z, variances, gate, counts):
    """Return the pairs of tracks (n, 2) that one plot is of, the one that is told to have it first, and the plots (n).

    `h` (tracks, 3), `s` (tracks, 3, 3): what each track expects, and its covariance without noise; `plot_of` (tracks):
    its plot or −1, as assigned.  `counts` (NEARNESS, 2): dwells in which two so near were resolved, and in which they
    were not, in place.
    """
    m = z.shape[0]
    near, parts = _within_the_cell(h, s, sound, variances)
    gains, plots = np.empty(near.shape[0]), np.full(near.shape[0], -1, dtype=np.int64)
    chances = np.empty(NEARNESS)
    for part in range(NEARNESS):
        chances[part] = _likely(counts[part])
    free = np.ones(m, dtype=np.bool_)
    for k in range(plot_of.shape[0]):
        if plot_of[k] >= 0:
            free[plot_of[k]] = False
    middle, spread, factor, v = np.empty(POLAR), np.empty((POLAR, POLAR)), np.empty((POLAR, POLAR)), np.empty(POLAR)
    for i in range(near.shape[0]):
        one, other, seen = near[i, 0], near[i, 1], counts[parts[i]]
        likely, resolved = math.log(chances[parts[i]]), math.log((1.0 - chances[parts[i]]) * _MISSED)
        gains[i] = 0.0
        if plot_of[one] >= 0 and plot_of[other] >= 0:
            seen[RESOLVED] += 1.0
            continue
        if min(targets[one]["own_t_ns"], targets[other]["own_t_ns"]) < t_ns - _TOGETHER_NS:
            continue
        _between(h[one], s[one], h[other], s[other], middle, spread)
        if plot_of[one] < 0 and plot_of[other] < 0:
            for j in range(m):
                if free[j]:
                    cost = gate_cost(middle, spread, z[j], variances[j], gate, factor, v)
                    if 0.5 * (gate - cost) + likely > gains[i]:
                        gains[i], plots[i] = 0.5 * (gate - cost) + likely, j
            seen[MERGED] += plots[i] >= 0
            continue
        seen[MERGED] += 1.0
        if plot_of[one] < 0:
            one, other = other, one
            near[i, 0], near[i, 1] = one, other
        j = plot_of[one]
        both = gate_cost(middle, spread, z[j], variances[j], gate, factor, v)
        alone = gate_cost(h[one], s[one], z[j], variances[j], gate, factor, v)
        if both < math.inf:
            gains[i], plots[i] = 0.5 * (alone - both) + likely - resolved, j
    for part in range(NEARNESS):
        if counts[part].sum() > _COUNTS_MAX:
            counts[part] *= 0.5
    return _best(near, gains, plots, plot_of.shape[0], m)


@kernel
def _within_the_cell(h, s, sound, variances):
    """Return the pairs (n, 2) of tracks within a resolution cell of one another, both known better than it is large.

    And for each in which part of the cell the other is, 0: at its middle.
    """
    count = h.shape[0]
    pairs, parts, found = np.empty((count + 8, 2), dtype=np.int64), np.empty(count + 8, dtype=np.int64), 0
    if not variances.shape[0]:
        return pairs[:0], parts[:0]
    cell = np.empty(POLAR)
    for m in range(POLAR):
        cell[m] = (_CELL_RANGE if m == 0 else _CELL_ANGLE) * math.sqrt(variances[:, m].min())
    known = sound.copy()
    for k in range(count):
        for m in range(POLAR):
            known[k] = known[k] and s[k, m, m] < (_KNOWN * cell[m]) ** 2
    order = ascending(h[:, 0])
    for i in range(count):
        a = order[i]
        for at in range(i + 1, count):
            b = order[at]
            if not h[b, 0] - h[a, 0] < cell[0]:
                break
            if not (known[a] and known[b]) or found == pairs.shape[0]:
                continue
            share = _apart(h[a], h[b], cell)
            if share < 1.0:
                pairs[found, 0], pairs[found, 1], parts[found] = min(a, b), max(a, b), int(NEARNESS * share)
                found += 1
    return pairs[:found], parts[:found]


@helper
def _apart(h, other, cell):
    """Return by how much of the cell (3) two places (range, azimuth, elevation) are apart: 1 at its edge."""
    turn = abs(wrap(other[1] - h[1])) * math.cos(h[2])
    return max(abs(other[0] - h[0]) / cell[0], turn / cell[1], abs(other[2] - h[2]) / cell[2])


@helper
def _between(h, s, other_h, other_s, middle, spread):
    """Write where a plot of both is expected (3), and the covariance (3, 3) of that without noise."""
    for m in range(POLAR):
        apart = wrap(other_h[m] - h[m]) if m == 1 else other_h[m] - h[m]
        middle[m] = h[m] + 0.5 * apart
        for l in range(POLAR):
            across = wrap(other_h[l] - h[l]) if l == 1 else other_h[l] - h[l]
            spread[m, l] = 0.25 * (s[m, l] + other_s[m, l]) + _SHARE * apart * across


@helper
def _best(near, gains, plots, tracks, m):
    """Return the pairs (n, 2) and plots (n) that gain, the best first, each track and each plot once."""
    used, given, count = np.zeros(tracks, dtype=np.bool_), np.zeros(m, dtype=np.bool_), 0
    pairs, theirs = np.empty((near.shape[0], 2), dtype=np.int64), np.empty(near.shape[0], dtype=np.int64)
    for i in ascending(-gains):
        one, other, j = near[i, 0], near[i, 1], plots[i]
        if gains[i] > 0.0 and not (used[one] or used[other] or given[j]):
            used[one] = used[other] = given[j] = True
            pairs[count, 0], pairs[count, 1], theirs[count] = one, other, j
            count += 1
    return pairs[:count], theirs[:count]


@kernel
def shares(pairs, plots, h, s, z, variances, weights):
    """Return what the tracks of each pair (n, 2) are told of their common plot, one after the other.

    Measurements (2 n, 4), variances (2 n, 3) and reciprocal deviations (2 n, 4).  Of a plot half-way between both,
    twice the plot less the other is a measurement of the one, with four times its variance, that of where between them
    it lies, and that of the other.  A range rate is of neither.
    """
    count = pairs.shape[0]
    told, spreads, theirs = np.empty((2 * count, 4)), np.empty((2 * count, POLAR)), np.empty((2 * count, 4))
    for i in range(count):
        j = plots[i]
        for side in range(2):
            own, other, row = pairs[i, side], pairs[i, 1 - side], 2 * i + side
            for m in range(POLAR):
                apart = wrap(h[other, m] - h[own, m]) if m == 1 else h[other, m] - h[own, m]
                off = wrap(z[j, m] - h[own, m]) if m == 1 else z[j, m] - h[own, m]
                told[row, m] = h[own, m] + 2.0 * off - apart
                spreads[row, m] = _TWICE * (4.0 * (variances[j, m] + _SHARE * apart * apart) + s[other, m, m])
                theirs[row, m] = weights[j, m] * math.sqrt(variances[j, m] / spreads[row, m])
            told[row, 3], theirs[row, 3] = math.nan, weights[j, 3]
    return told, spreads, theirs
