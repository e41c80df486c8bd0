"""A candidate beside a track: the next round of a ripple, or a second plot that the radar makes of the same round.

What is a double has plots to all sides of the other's, and no more often than the radar doubles what others see alone;
a round has its own place, and a plot nearly whenever the other has one.  How often each radar sees one round twice is
counted over all its tracks.
"""

import math

import numpy as np
from numpy.typing import NDArray

from opencram.tracking.bank import Rows
from opencram.tracking.history import columns, window
from opencram.tracking.state import Array, State, Tracks

_SAME = 50.0  # squared distance of position and velocity: it is asked again and again, and four plots may fool a fit
# Dwells in which both have a plot: with fewer than the least it is the track's double, with the most it is known which.
_BOTH_MIN, _BOTH_TELL, _BOTH_MAX, _PLOTS_MAX = 2, 4, 10, 100
_APART = 20.0  # chi squared of their mean difference, above which they are two: 99.98 %, three degrees of freedom
_LIKELIER = 4.0  # log likelihood of two rounds against doubled plots of one, by how often both have a plot
_SEEN, _SEEN_WEIGHT = 0.8, 10.0  # share of the dwells of one round in which the other is seen, and dwells it is worth
# Share of the dwells of one round that a radar doubles, believed beforehand, and the dwells that this is worth; and how
# much one round may differ from the others in it: some are seen as two for a second and more.
_DOUBLED, _DOUBLED_WEIGHT, _DOUBLED_ALIKE = 0.15, 10.0, 3.0
_DWELLS_MIN, _DWELLS_MAX = 50.0, 2000.0  # with fewer a radar says nothing; beyond, older ones fade


def counted(doubled: Array, sensor: int, dwells: int, twice: int) -> Array:
    """Return the counts (sensors, 2) of dwells with a plot of a track, and with another beside, with so many more."""
    more = doubled.copy()
    more[sensor] += (dwells, min(twice, dwells))
    if more[sensor, 0] > _DWELLS_MAX:
        more[sensor] *= 0.5
    return more


def is_double(state: State, tracks: Tracks, target: np.void, rows: Rows) -> bool | None:
    """Return whether a track is already where this one would start (d² of position and velocity below `_SAME`).

    A candidate beside it that is a round of its own is none.  None: too few plots to tell.
    """
    x, p = rows[0][0, :6], rows[1][0, :6, :6]
    double: bool | None = False
    asked: set[int] = set()
    for r in np.flatnonzero(np.abs(tracks.x[:, :3] - x[:3]).sum(axis=1) <= 500.0).tolist():
        k = int(tracks.owner[r])
        if k in asked:
            continue
        difference = tracks.x[r, :6] - x
        if difference @ np.linalg.solve(tracks.p[r, :6, :6] + p, difference) < _SAME:
            asked.add(k)
            both, is_apart = _compared(state, target, tracks.targets[k])
            if both < _BOTH_MIN or not is_apart:
                if both >= _BOTH_MAX or both < _BOTH_MIN:
                    return True
                double = None
    return double


def _compared(state: State, target: np.void, other: np.void) -> tuple[int, bool]:
    """Return in how many dwells both targets have a plot, and whether they are two."""
    since_ns, table, sensors = int(target["first_t_ns"]), columns(state.history), len(state.doubled)
    mine, theirs = (window(table, int(each["last"]), _PLOTS_MAX, since_ns) for each in (target, other))
    keys = [times_ns * sensors + sensor for times_ns, sensor, _, _ in (mine, theirs)]
    _, here, there = np.intersect1d(keys[0], keys[1], return_indices=True)
    both = len(here)
    if not both:
        return 0, False
    apart = mine[2][here, :3] - theirs[2][there, :3]
    apart[:, 1] = np.mod(apart[:, 1] + np.pi, 2.0 * np.pi) - np.pi
    apart /= np.sqrt(mine[3][here, :3] ** -2.0 + theirs[3][there, :3] ** -2.0)
    if float(both * (apart.mean(axis=0) ** 2).sum()) > _APART:
        return both, True
    if both < _BOTH_TELL:
        return both, False
    seen = np.bincount(mine[1][here], minlength=sensors), np.bincount(theirs[1], minlength=sensors)
    return both, log_two(state.doubled, *seen) > _LIKELIER


def log_two(doubled: Array, both: NDArray[np.int64], dwells: NDArray[np.int64]) -> float:
    """Return by how much likelier two rounds are than doubled plots of one, by how many dwells of one had `both`.

    `both`, `dwells` (sensors,): of the round's own dwells; `doubled` (sensors, 2) as `counted` has them.
    A radar of which little is known says nothing: it may double everything.
    """
    shares = (doubled[:, 1] + _DOUBLED * _DOUBLED_WEIGHT) / (doubled[:, 0] + _DOUBLED_WEIGHT)
    total = 0.0
    heard = doubled[:, 0] >= _DWELLS_MIN
    for share, k, n in zip(shares[heard].tolist(), both[heard].tolist(), dwells[heard].tolist(), strict=True):
        total += _log_chance(_SEEN, _SEEN_WEIGHT, k, n) - _log_chance(share, _DOUBLED_ALIKE, k, n)
    return total


def _log_chance(share: float, weight: float, k: int, n: int) -> float:
    """Return the log probability of `k` certain dwells of `n`, whose share is about `share`, known as from `weight`.

    Source: the beta-binomial distribution, without the number of ways.
    """
    yes, no = weight * share, weight * (1.0 - share)
    ways = math.lgamma(k + yes) - math.lgamma(yes) + math.lgamma(n - k + no) - math.lgamma(no)
    return ways + math.lgamma(weight) - math.lgamma(n + weight)
