"""The plots that tracks and candidates have used: a table that grows at its head, linked back in time.

A state of the tracker names a prefix of the table (`written`).  Appending writes beyond it and so leaves
earlier states as they were.  A state that is stepped a second time finds the head moved on, and a state
whose table is full finds no room: both carry their newest plots over into a table of their own.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opencram.kernel import kernel
from opencram.tracking.ordering import ascending

CAPACITY = 1 << 16  # plots that are kept; at 1000 associated plots a second, the newest minute


@dataclass
class _Table:
    first: int  # number of the plot in slot 0
    head: int
    t_ns: NDArray[np.int64]
    sensor: NDArray[np.int64]
    z: NDArray[np.float64]
    weight: NDArray[np.float64]
    previous: NDArray[np.int64]


@dataclass(frozen=True)
class History:
    """The plots of a table up to number `written`.  −1 is no plot."""

    table: _Table
    written: int


def empty() -> History:
    """Return a history without plots."""
    return History(_table(0, 2 * CAPACITY), 0)


def _table(first: int, size: int) -> _Table:
    return _Table(
        first=first,
        head=first,
        t_ns=np.zeros(size, dtype=np.int64),
        sensor=np.zeros(size, dtype=np.int64),
        z=np.zeros((size, 4)),
        weight=np.zeros((size, 4)),
        previous=np.zeros(size, dtype=np.int64),
    )


def _carried_over(history: History, count: int) -> _Table:
    """Return a table of its own for the newest plots of a history, with room for `count` more."""
    old, first = history.table, max(history.table.first, history.written - CAPACITY)
    new = _table(first, 2 * CAPACITY + count)
    kept = slice(first - old.first, history.written - old.first)
    for name in ("t_ns", "sensor", "z", "weight", "previous"):
        getattr(new, name)[: history.written - first] = getattr(old, name)[kept]
    return new


def append(
    history: History,
    t_ns: NDArray[np.int64],
    sensor: int,
    z: NDArray[np.float64],
    weight: NDArray[np.float64],
    previous: NDArray[np.int64],
) -> History:
    """Return the history with these plots of one sensor added; they are numbered from `history.written` on."""
    table, written = history.table, history.written
    if table.head != written or written + len(t_ns) > table.first + len(table.t_ns):
        table = _carried_over(history, len(t_ns))
    slots = slice(written - table.first, written - table.first + len(t_ns))
    table.t_ns[slots], table.sensor[slots], table.z[slots] = t_ns, sensor, z
    table.weight[slots], table.previous[slots] = weight, previous
    table.head = written + len(t_ns)
    return History(table, table.head)


class Columns(NamedTuple):
    """A history as compiled code reads it: the number in slot 0, the oldest number that counts, and the columns."""

    first: int
    oldest: int
    t_ns: Any
    sensor: Any
    z: Any
    weight: Any
    previous: Any


def columns(history: History) -> Columns:
    """Return a history as compiled code reads it."""
    table = history.table
    oldest = max(table.first, history.written - CAPACITY)
    return Columns(table.first, oldest, table.t_ns, table.sensor, table.z, table.weight, table.previous)


@kernel
def window(table, last, count_max, t_ns_min):
    """Return times (ns), sensors, measurements (n, 4) and weights (n, 4) of a chain, oldest first.

    `table`: `Columns`.  The chain ends at number `last`; its newest `count_max` plots count, if not before `t_ns_min`.
    """
    slots = np.empty(count_max, dtype=np.int64)
    count = 0
    while last >= table.oldest and count < count_max:
        slot = last - table.first
        if table.t_ns[slot] < t_ns_min:
            break
        slots[count] = slot
        count += 1
        last = table.previous[slot]
    slots = slots[:count]
    ages = np.empty(count)
    for i in range(count):
        ages[i] = table.t_ns[slots[i]] - table.t_ns[slots[0]]
    order = slots[ascending(ages)]
    return table.t_ns[order], table.sensor[order], table.z[order], table.weight[order]
