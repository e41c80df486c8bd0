"""The textbook problem beside the real one: weapons of one shot each, all at once, any number at a target.

The planner of the stage (`plan`, `search`) meets rounds one after another in time.  Papers compare planners on the
static assignment; this one is for such comparisons, and for studies of how many effectors a site needs.

Source: Ahuja, Kumar, Jha and Orlin, Exact and Heuristic Algorithms for the Weapon-Target Assignment Problem, Operations
Research 55, 6 (2007): exchanges along cycles through many targets.  Here all such exchanges of one weapon a target are
made at once, as a linear assignment.
"""

import numpy as np
from numpy.typing import NDArray

_QUIET_MAX = 100
_FEW = 10_000  # assignments, of which each is looked at in some milliseconds
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def assigned(kill: Floats, worth: Floats, rounds: int = 600) -> tuple[float, Ints]:
    """Return the worth saved and the target of each weapon.

    `kill` (targets, weapons): probabilities; `worth` (targets,).  There are two starts: weapons one by one to the
    greatest return, and layer by layer, each an assignment of at most one more weapon a target.  Then, `rounds` times,
    one weapon is taken from each target, another each time, and those taken are assigned anew in the best way.  A plan
    never becomes worse; it is left when many rounds have changed nothing.

    Where there are few assignments at all, every one is looked at.

    Error: within 0.5 % of a proven bound from 5 × 10 to 200 × 200 (benchmarks/engagement_plan.py --static).
    """
    if len(kill) ** kill.shape[1] <= _FEW:
        return _best_of_all(kill, worth)
    ends = [_exchanged(kill, worth, start, rounds) for start in (_greedy(kill, worth), _layered(kill, worth))]
    return max(ends, key=lambda end: end[0])


def _best_of_all(kill: Floats, worth: Floats) -> tuple[float, Ints]:
    targets, weapons = kill.shape
    every = np.indices((targets,) * weapons).reshape(weapons, -1).T
    survival = np.ones((len(every), targets))
    for i in range(weapons):
        survival[np.arange(len(every)), every[:, i]] *= 1.0 - kill[every[:, i], i]
    value = (1.0 - survival) @ worth
    k = int(np.argmax(value))
    return float(value[k]), every[k].astype(np.int64)


def _exchanged(kill: Floats, worth: Floats, target: Ints, rounds: int) -> tuple[float, Ints]:
    targets, quiet = len(kill), 0
    best = saved(kill, worth, target)
    for k in range(rounds):
        of = [np.flatnonzero(target == j) for j in range(targets)]
        some = [k % 3 < 2 or (k // 3 >> (j + k // 200) % 6) & 1 for j in range(targets)]  # now and then not of all
        taken = [mine[(k + k // 7 * j) % len(mine)] for j, mine in enumerate(of) if len(mine) and some[j]]
        if not taken:
            continue
        left = target.copy()
        left[taken] = -1
        _assign(kill, worth, left, np.array(taken))
        value = saved(kill, worth, left)
        quiet = 0 if value > best + 1e-12 * best else quiet + 1
        if value >= best:
            best, target = value, left
        if quiet > _QUIET_MAX:
            break
    return best, target


def _assign(kill: Floats, worth: Floats, target: Ints, free: Ints) -> None:
    """Give each target at most one of the free weapons, in the best way; `target` is changed."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(-((worth * _survival(kill, target))[:, None] * kill[:, free]))
    target[free[columns]] = rows


def _layered(kill: Floats, worth: Floats) -> Ints:
    target = np.full(kill.shape[1], -1, dtype=np.int64)
    while len(free := np.flatnonzero(target < 0)):
        _assign(kill, worth, target, free)
    return target


def saved(kill: Floats, worth: Floats, target: Ints) -> float:
    """Return the worth that an assignment is expected to save; −1 is the target of a weapon that is not used."""
    return float(worth @ (1.0 - _survival(kill, target)))


def _survival(kill: Floats, target: Ints) -> Floats:
    survival = np.ones(len(kill))
    used = np.flatnonzero(target >= 0)
    np.multiply.at(survival, target[used], 1.0 - kill[target[used], used])
    return survival


def _greedy(kill: Floats, worth: Floats) -> Ints:
    """Return the assignment by greatest marginal return: pair after pair."""
    gain = worth[:, None] * kill
    target = np.full(kill.shape[1], -1, dtype=np.int64)
    for _ in range(kill.shape[1]):
        j, i = np.unravel_index(int(np.argmax(gain)), gain.shape)
        target[i] = j
        gain[j] *= 1.0 - kill[j, i]
        gain[:, i] = -1.0
    return target
