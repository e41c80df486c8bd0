"""Bursts of a machine gun: what flies among others, but at another speed than those.

Tracer rounds follow one another along one line, ten a second.  One by one they are told from rockets by how fast they
slow down; a chain of plots of several of them slows down less than any bullet, and passes for a rocket.  But what is
fired together flies together: the rounds of a salvo agree in their velocities, chains through a burst agree with
nobody.  Such a chain has to prove itself for longer than bullets are mostly seen.
"""

import numpy as np
from numpy.typing import NDArray

from opencram.tracking.state import DROPPED, Targets

# Tracers are 50 to 80 m apart; a chain through them errs in speed by that over the period of the radar, a salvo's
# rounds differ by what they have slowed down in a second.  Held to simulated bursts and ripples (docs/tracking.md).
_NEAR_M, _OTHERS = 400.0, 2
_PLOTS, _ALIKE, _SHARE = 3, 0.1, 0.5  # whose velocity counts; the same, of the speed; how many of them must have it
_PROVEN_S, _PROVEN_PLOTS = 3.0, 7


def in_a_burst(targets: Targets, x: NDArray[np.float64], fall: NDArray[np.float64], k: int, t_ns: int) -> bool:
    """Return whether candidate `k` at `t_ns` is one of several close by which do not fly alike, and still young.

    `targets` (n), `x` (n, 6; m, m/s) and `fall` (n) of all candidates.  Tracks, and what flies level, are no reason
    for doubt.
    """
    target = targets[k]
    if (t_ns - target["first_t_ns"]) * 1e-9 >= _PROVEN_S and target["plots"] >= _PROVEN_PLOTS:
        return False
    near = (np.abs(x[:, :3] - x[k, :3]) < _NEAR_M).all(axis=1) & (fall > 0.0) & (targets["status"] != DROPPED)
    near &= t_ns - targets["updated_t_ns"] <= 2 * max(int(target["period_ns"]), 1)
    near[k] = False
    if int(near.sum()) < _OTHERS:
        return False
    off = np.linalg.norm(x[near & (targets["plots"] >= _PLOTS), 3:] - x[k, 3:], axis=1)
    alike = int((off < _ALIKE * np.linalg.norm(x[k, 3:])).sum())
    return alike == 0 or alike < _SHARE * len(off)
