"""The two rules of thumb that every plan is measured against: first come, first served; and nearest first."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from opencram.engagement.book import COST, END, SEAT, START, Given


def in_order(given: Given, tracks: Sequence[int], *, nearest: bool) -> NDArray[np.int64]:
    """Return the option of each round, −1 for none: one round after another takes the earliest single shot that fits.

    `tracks`: the number of each.  First come: in the order of these.  Nearest: what can be met first goes first.
    """
    option, first = given.option, given.first[:: len(given.capacity)]  # of each round
    chosen = np.full(len(tracks), -1, dtype=np.int64)
    size = int(max(option[:, END].max(initial=0), given.busy.max(initial=0)))
    taken = (given.busy[:, :, None] > np.arange(size)).sum(axis=1)
    left = given.left.copy()

    def first_end(j: int) -> int:
        return int(option[first[j] : first[j + 1], END].min(initial=1 << 40))

    for j in sorted(range(len(tracks)), key=lambda j: (first_end(j) if nearest else 0, tracks[j])):
        mine = np.arange(first[j], first[j + 1])
        mine = mine[option[mine, COST] == 1]
        for o in mine[np.lexsort((option[mine, END], option[mine, START]))].tolist():
            e, begin, end = option[o, SEAT], option[o, START], option[o, END]
            if left[e] >= 1 and (taken[e, begin:end] < given.capacity[e]).all():
                chosen[j] = o
                taken[e, begin:end] += 1
                left[e] -= 1
                break
    return chosen
