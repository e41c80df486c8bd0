"""Two-dimensional assignment: which plot belongs to which track."""

import math

import numpy as np

from opencram.kernel import kernel


@kernel
def assign(cost, unassigned):
    """Return, for each row of `cost` (rows, columns), its column or −1, so that the total is least.

    A row may stay without a column at the price `unassigned`; infinite entries are forbidden.  Each
    column serves one row at most.

    Source: R. Jonker and A. Volgenant, "A shortest augmenting path algorithm for dense and sparse
    linear assignment problems", Computing 38 (1987); the augmenting part, with one private extra
    column for each row's staying alone.
    """
    rows, columns = cost.shape
    result = np.full(rows, -1, dtype=np.int64)
    if rows == 0 or columns == 0:
        return result
    if _uncontested(cost, unassigned, result):
        return result
    total = columns + rows
    price_row = np.zeros(rows)
    price_column = np.zeros(total)
    row_of = np.full(total, -1, dtype=np.int64)
    for start in range(rows):
        distance = np.full(total, math.inf)
        parent = np.full(total, -1, dtype=np.int64)
        done = np.zeros(total, dtype=np.bool_)
        row, reached, sink = start, 0.0, -1
        while sink < 0:
            best, next_column = math.inf, -1
            for j in range(total):
                if done[j]:
                    continue
                if j < columns:
                    c = cost[row, j]
                elif j == columns + row:
                    c = unassigned
                else:
                    c = math.inf
                through = reached + c - price_row[row] - price_column[j]
                if through < distance[j]:
                    distance[j] = through
                    parent[j] = row
                if distance[j] < best:
                    best, next_column = distance[j], j
            done[next_column] = True
            reached = best
            if row_of[next_column] < 0:
                sink = next_column
            else:
                row = row_of[next_column]
        price_row[start] += reached
        for j in range(total):
            if done[j] and j != sink:
                price_column[j] += distance[j] - reached
                price_row[row_of[j]] += reached - distance[j]
        j = sink
        while True:
            owner = parent[j]
            row_of[j] = owner
            previous = -1
            if owner != start:
                for k in range(total):
                    if done[k] and k != j and row_of[k] == owner:
                        previous = k
            if owner == start:
                break
            j = previous
    for j in range(columns):
        if row_of[j] >= 0:
            result[row_of[j]] = j
    return result


@kernel
def _uncontested(cost, unassigned, result):
    """Give each row its only useful column if no two rows want the same; return whether that was so."""
    rows, columns = cost.shape
    taken = np.full(columns, -1, dtype=np.int64)
    for i in range(rows):
        found = -1
        for j in range(columns):
            if cost[i, j] < unassigned:
                if found >= 0 or taken[j] >= 0:
                    result[:] = -1
                    return False
                found = j
                taken[j] = i
        result[i] = found
    return True
