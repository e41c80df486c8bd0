"""Choosing places: the greedy rule on a submodular worth, with its guarantee, and exhaustive search to check it by.

The worth of a set of radars at a cell is the best that one of them alone gives there (facility location), that of
sirens whether one of them is heard (weighted coverage).  Both are monotone and submodular: another place adds less the
more there are.  Then greedy choice reaches at least 1 − 1/e of the best possible worth (Nemhauser, Wolsey and
Fisher 1978), and what is left to gain bounds the best for the case at hand, mostly much closer (Minoux 1978;
Leskovec et al. 2007, section 3.2).  Radars that add up their plots give more than that: the map tells how much.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opencram.errors import UsageError

Floats = NDArray[np.float64]

GUARANTEE: Final = 1.0 - 1.0 / math.e
SUBSETS_MAX: Final = 500_000


@dataclass(frozen=True)
class Choice:
    """Candidates chosen, in order, and what they are worth.

    `worth[k]`: of the first k + 1.  `bound`: no choice of so many is worth more than this.
    """

    chosen: tuple[int, ...]
    worth: tuple[float, ...]
    bound: float

    @property
    def certified(self) -> float:
        """The share of the best possible worth that is reached for certain."""
        if not self.worth or self.bound <= 0.0:
            return 1.0
        return max(min(self.worth[-1] / self.bound, 1.0), GUARANTEE)


def worth_of(values: Floats, chosen: Sequence[int], given: Floats | None = None) -> float:
    """Return the worth of these rows of `values` (candidates, cells): at each cell that of the best, summed."""
    best = np.zeros(values.shape[1]) if given is None else given
    for k in chosen:
        best = np.maximum(best, values[k])
    return float(best.sum())


def greedy(values: Floats, count: int, given: Floats | None = None) -> Choice:
    """Return `count` candidates, each the one that adds most to those before; the first of equals.

    `values` (candidates, cells), none negative: weight and probability of the cell are in them.  `given` (cells,): what
    stands already is worth so much.
    """
    best = np.zeros(values.shape[1]) if given is None else given.copy()
    chosen: list[int] = []
    worth: list[float] = []
    for _ in range(min(count, len(values))):
        gains = np.maximum(values - best, 0.0).sum(axis=1)
        gains[chosen] = -1.0
        pick = int(np.argmax(gains))
        chosen.append(pick)
        best = np.maximum(best, values[pick])
        worth.append(float(best.sum()))
    left = np.maximum(values - best, 0.0).sum(axis=1)
    bound = float(best.sum()) + float(np.sort(left)[::-1][:count].sum())
    return Choice(tuple(chosen), tuple(worth), bound)


def exhaustive(values: Floats, count: int, given: Floats | None = None) -> Choice:
    """Return the best `count` candidates of all; raise `UsageError` where there are too many sets to try."""
    size = min(count, len(values))
    sets = math.comb(len(values), size)
    if sets > SUBSETS_MAX:
        raise UsageError(f"{sets} sets of {size} among {len(values)}: at most {SUBSETS_MAX} can be tried one by one")
    base = np.zeros(values.shape[1]) if given is None else given
    best_worth, best_set = -1.0, ()
    found: tuple[int, ...] = best_set
    for some in itertools.combinations(range(len(values)), size):
        worth = worth_of(values, some, base)
        if worth > best_worth:
            best_worth, found = worth, some
    return Choice(found, tuple(worth_of(values, found[: k + 1], base) for k in range(size)), best_worth)
