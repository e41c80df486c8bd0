"""Joint association probabilities of a cluster: which plot is whose, where several objects want the same plots."""

import numpy as np

from opencram.kernel import kernel

_TURNS_MAX, _SETTLED = 500, 1e-9
_COUNTED_MAX = 8  # plots of a cluster up to which all possibilities are counted: 256 sets of plots


@kernel
def marginals(ratios, existence, detection):
    """Return the probabilities (n, m + 1) that an object has each plot, last that it has none, and that it exists (n).

    `ratios` (n, m): density of plot i if it is of object k over that of all plots of nobody known; 0 outside the gate.
    `existence` (n): probability beforehand that there is such an object; `detection`: that the sensor sees it then.
    An object has one plot at most, a plot is of one object at most; what does not exist has no plot.

    Source for existence: D. Musicki and R. Evans, "Joint integrated probabilistic data association: JIPDA", IEEE Trans.
    Aerospace and Electronic Systems 40 (2004), 1093-1099.
    """
    n, m = ratios.shape
    weights, missed, found = np.empty((n, m)), np.empty(n), np.empty(n)
    for k in range(n):
        missed[k] = max(1.0 - existence[k] * detection, 1e-12)
        for i in range(m):
            weights[k, i] = existence[k] * detection * ratios[k, i] / missed[k]
    chances = counted(weights) if m <= _COUNTED_MAX else propagated(weights)
    for k in range(n):
        found[k] = 1.0 - chances[k, m] * (1.0 - existence[k]) / missed[k]
    return chances, found


@kernel
def counted(weights):
    """Return the probabilities (n, m + 1), last of no plot, for weights (n, m) of each plot against none; exact.

    All ways are summed, object after object, over the sets of plots that are used: n m 2^m additions.
    """
    n, m = weights.shape
    sets = 1 << m
    before, after, chances = np.zeros((n + 1, sets)), np.ones((n + 1, sets)), np.zeros((n, m + 1))
    before[0, 0] = 1.0
    for k in range(n):
        scale = 1.0
        for i in range(m):
            scale = max(scale, weights[k, i])  # any common factor of an object's ways cancels
        for used in range(sets):
            before[k + 1, used] += before[k, used] / scale
            for i in range(m):
                if not used >> i & 1:
                    before[k + 1, used | 1 << i] += before[k, used] * weights[k, i] / scale
    for k in range(n - 1, -1, -1):
        scale = 1.0
        for i in range(m):
            scale = max(scale, weights[k, i])
        for used in range(sets):
            after[k, used] = after[k + 1, used] / scale
            for i in range(m):
                if not used >> i & 1:
                    after[k, used] += after[k + 1, used | 1 << i] * weights[k, i] / scale
    for k in range(n):
        total = 0.0
        for used in range(sets):
            chances[k, m] += before[k, used] * after[k + 1, used]
            for i in range(m):
                if not used >> i & 1:
                    chances[k, i] += before[k, used] * weights[k, i] * after[k + 1, used | 1 << i]
        for i in range(m + 1):
            total += chances[k, i]
        for i in range(m + 1):
            chances[k, i] /= total
    return chances


@kernel
def propagated(weights):
    """Return what `counted` does, by loopy belief propagation, in n m additions a turn.

    Exact where the cluster is a tree (a plot that two objects share, say), and it always settles.  Where objects are
    surely seen and want the same plots it is too sure of the likeliest way: two with two plots, 0.38 and 0.62, are told
    0 and 1.

    Source: J. L. Williams and R. A. Lau, "Approximate evaluation of marginal association probabilities with belief
    propagation", IEEE Trans. Aerospace and Electronic Systems 50 (2014), 2942-2959.
    """
    n, m = weights.shape
    from_plot, to_plot, chances = np.ones((n, m)), np.zeros((n, m)), np.empty((n, m + 1))
    for _ in range(_TURNS_MAX):
        change = 0.0
        for k in range(n):
            total = 1.0
            for i in range(m):
                total += weights[k, i] * from_plot[k, i]
            for i in range(m):
                to_plot[k, i] = weights[k, i] / max(total - weights[k, i] * from_plot[k, i], 1.0)
        for i in range(m):
            for k in range(n):
                total = 1.0
                for other in range(n):
                    if other != k:
                        total += to_plot[other, i]
                change = max(change, abs(1.0 / total - from_plot[k, i]))
                from_plot[k, i] = 1.0 / total
        if change < _SETTLED:
            break
    for k in range(n):
        total = 1.0
        for i in range(m):
            total += weights[k, i] * from_plot[k, i]
        for i in range(m):
            chances[k, i] = weights[k, i] * from_plot[k, i] / total
        chances[k, m] = 1.0 / total
    return chances
