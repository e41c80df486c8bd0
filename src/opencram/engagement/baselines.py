"""The two rules of thumb that every plan is measured against: first come, first served; and nearest first."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from opencram.engagement.plan import Problem


def in_order(problem: "Problem", *, nearest: bool) -> NDArray[np.int64]:
    """Return the option of each round, −1 for none: one round after another takes the earliest single shot that fits.

    First come: in the order of their tracks.  Nearest: the round that can be met first goes first.
    """
    chosen = np.full(len(problem.jobs), -1, dtype=np.int64)
    taken, left = problem.used.copy(), problem.left.copy()
    single = problem.cost == 1

    def first_end(j: int) -> int:
        mine = slice(problem.offsets[j], problem.offsets[j + 1])
        return int(problem.end[mine].min(initial=1 << 40))

    def track(j: int) -> int:
        return problem.jobs[j].track_id

    for j in sorted(range(len(problem.jobs)), key=lambda j: (first_end(j) if nearest else 0, track(j))):
        mine = np.arange(problem.offsets[j], problem.offsets[j + 1])
        mine = mine[single[mine]]
        for o in mine[np.lexsort((problem.end[mine], problem.start[mine]))].tolist():
            e, begin, end = problem.seat[o], problem.start[o], problem.end[o]
            if left[e] >= 1 and (taken[e, begin:end] < problem.capacity[e]).all():
                chosen[j] = o
                taken[e, begin:end] += 1
                left[e] -= 1
                break
    return chosen
