"""Sorting inside compiled loops: one small stable sort, which compiles in a tenth of the time of NumPy's."""

import numpy as np

from opencram.kernel import kernel


@kernel
def ascending(values):
    """Return the indices that put `values` (n, float64) in ascending order; equal ones stay in their order.

    NaN are nowhere in particular.
    """
    n = values.shape[0]
    order, other = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    for i in range(n):
        order[i] = i
    width = 1
    while width < n:
        first = 0
        while first < n:
            middle, end = min(first + width, n), min(first + 2 * width, n)
            left, right = first, middle
            for at in range(first, end):
                if left < middle and (right >= end or not values[order[right]] < values[order[left]]):
                    other[at] = order[left]
                    left += 1
                else:
                    other[at] = order[right]
                    right += 1
            first = end
        for i in range(n):
            order[i] = other[i]
        width *= 2
    return order
