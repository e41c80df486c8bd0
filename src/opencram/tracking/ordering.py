"""Sorting inside compiled loops: a small stable sort, which compiles in a tenth of the time of NumPy's, and a map."""

import math

import numpy as np

from opencram.kernel import helper, kernel

_CELLS_MAX = 128  # of a map, in each direction


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


@kernel
def mapped(positions):
    """Sort positions (n, 2 or more; m) into the cells of a map of east and north, about one to a cell.

    Returns the map: west and south edge and cells a metre in both directions (4); the index of the first position of
    each cell (cells² + 1), columns from west to east and within them from south to north; and the indices of the
    positions by cell.  Positions that are not finite stand nowhere.
    """
    n, known = positions.shape[0], 0
    low, high = np.full(2, np.inf), np.full(2, -np.inf)
    for k in range(n):
        if np.isfinite(positions[k, 0]) and np.isfinite(positions[k, 1]):
            known += 1
            for i in range(2):
                low[i], high[i] = min(low[i], positions[k, i]), max(high[i], positions[k, i])
    cells = min(max(int(np.sqrt(known)), 1), _CELLS_MAX)
    edges = np.zeros(4)
    if known:
        for i in range(2):
            edges[i], edges[2 + i] = low[i], cells / max(high[i] - low[i], 1.0)
    cell, first = np.full(n, -1, dtype=np.int64), np.zeros(cells * cells + 1, dtype=np.int64)
    for k in range(n):
        if np.isfinite(positions[k, 0]) and np.isfinite(positions[k, 1]):
            column, row = _cell(positions[k, 0], 0, edges, cells), _cell(positions[k, 1], 1, edges, cells)
            cell[k] = column * cells + row
            first[cell[k] + 1] += 1
    for c in range(cells * cells):
        first[c + 1] += first[c]
    filled, order = first.copy(), np.empty(known, dtype=np.int64)
    for k in range(n):
        if cell[k] >= 0:
            order[filled[cell[k]]] = k
            filled[cell[k]] += 1
    return edges, first, order


@helper
def _cell(place_m, axis, edges, cells):
    """Return the column (axis 0) or row (axis 1) of a place; the outermost where it is beyond the edge."""
    return int(min(max((place_m - edges[axis]) * edges[2 + axis], 0.0), cells - 1.0))


@helper
def within(reached, edges, first, order, east, north, reach_east, reach_north):
    """Write the positions of a map in all cells within reach (m) of a place into `reached` (n); return how many."""
    count = 0
    if not order.shape[0] or not math.isfinite(east + north + reach_east + reach_north):
        return count
    cells = int(math.sqrt(first.shape[0] - 1.0) + 0.5)
    south, top = _cell(north - reach_north, 1, edges, cells), _cell(north + reach_north, 1, edges, cells)
    west, last = _cell(east - reach_east, 0, edges, cells), _cell(east + reach_east, 0, edges, cells)
    for column in range(west, last + 1):
        for at in range(first[column * cells + south], first[column * cells + top + 1]):
            reached[count] = order[at]
            count += 1
    return count
