"""The plots that tracks and candidates have used: a ring that grows at its head, linked back in time.

A state of the tracker names a prefix of the ring (`written`).  Appending writes beyond it and so leaves
earlier states as they were; a state that is stepped a second time finds the head moved on and copies the
ring first.  Old plots are overwritten once the ring is full, and links to them end there.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opencram.kernel import kernel

CAPACITY = 1 << 16  # plots; at 1000 associated plots a second, the newest minute


@dataclass
class _Ring:
    head: int
    t_ns: NDArray[np.int64]
    sensor: NDArray[np.int64]
    z: NDArray[np.float64]
    weight: NDArray[np.float64]
    previous: NDArray[np.int64]


@dataclass(frozen=True)
class History:
    """The first `written` plots of a ring.  Plot `k` sits in slot `k % CAPACITY`; −1 is no plot."""

    ring: _Ring
    written: int


def empty() -> History:
    """Return a history without plots."""
    return History(
        _Ring(
            head=0,
            t_ns=np.zeros(CAPACITY, dtype=np.int64),
            sensor=np.zeros(CAPACITY, dtype=np.int64),
            z=np.zeros((CAPACITY, 4)),
            weight=np.zeros((CAPACITY, 4)),
            previous=np.full(CAPACITY, -1, dtype=np.int64),
        ),
        0,
    )


def append(
    history: History,
    t_ns: NDArray[np.int64],
    sensor: int,
    z: NDArray[np.float64],
    weight: NDArray[np.float64],
    previous: NDArray[np.int64],
) -> tuple[History, NDArray[np.int64]]:
    """Return the history with these plots of one sensor added, and their numbers."""
    ring = history.ring
    if ring.head != history.written:  # somebody has gone on from here already
        ring = _Ring(
            history.written,
            ring.t_ns.copy(),
            ring.sensor.copy(),
            ring.z.copy(),
            ring.weight.copy(),
            ring.previous.copy(),
        )
    numbers = history.written + np.arange(len(t_ns))
    slots = numbers % CAPACITY
    ring.t_ns[slots], ring.sensor[slots], ring.z[slots] = t_ns, sensor, z
    ring.weight[slots], ring.previous[slots] = weight, previous
    ring.head = history.written + len(t_ns)
    return History(ring, ring.head), numbers


def window(
    history: History, last: int, count_max: int, t_ns_min: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return times (ns), sensors, measurements (n, 4) and weights (n, 4) of a chain, oldest first."""
    ring = history.ring
    slots = _chain(last, history.written - CAPACITY, count_max, t_ns_min, ring.t_ns, ring.previous)
    order = slots[np.argsort(ring.t_ns[slots], kind="stable")]
    return ring.t_ns[order], ring.sensor[order], ring.z[order], ring.weight[order]


@kernel
def _chain(last, oldest, count_max, t_ns_min, t_ns, previous):
    """Return the slots of a chain, newest first."""
    slots = np.empty(count_max, dtype=np.int64)
    count = 0
    while last >= 0 and last >= oldest and count < count_max:
        slot = last % len(t_ns)
        if t_ns[slot] < t_ns_min:
            break
        slots[count] = slot
        count += 1
        last = previous[slot]
    return slots[:count]
