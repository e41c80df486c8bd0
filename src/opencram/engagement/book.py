"""What may be planned, and a plan as it grows: options added and taken out, compiled."""

from typing import Any, NamedTuple

import numpy as np

from opencram.kernel import kernel

NONE = -1
SEAT, START, END, COST, JOB = range(5)  # columns of `Given.option`
COUNT, SHOTS, TOUCHED = range(3)  # columns of `Book.tally`


class Given(NamedTuple):
    """What may be chosen.

    `first` (rounds × effectors + 1): the options of round `j` on effector `e` of `E` are `first[j·E + e]` to
    `first[j·E + e + 1]`, in falling order of `value`.  `option` (n, 5): effector, start, end, shots, round.  `rent`:
    what span and shots are worth to others.  `busy` (effectors, channels): until when each is taken already, 0 for
    free and for none; `left`: shots.
    """

    first: Any
    option: Any
    value: Any
    rent: Any
    capacity: Any
    busy: Any
    left: Any


class Book(NamedTuple):
    """A plan: the option of each round or −1, the options on each effector, their number and the shots left.

    The rest is room for work: rounds to fill, their keys and options, whether all their options are open, a log.
    """

    plan: Any
    held: Any
    tally: Any
    who: Any
    key: Any
    choice: Any
    fresh: Any
    log: Any


def new_book(given: Given) -> Book:
    """Return an empty plan."""
    effectors = len(given.capacity)
    jobs = (len(given.first) - 1) // effectors
    tally = np.zeros((effectors, 3), dtype=np.int64)
    tally[:, SHOTS] = given.left
    return Book(
        plan=np.full(jobs, NONE, dtype=np.int64),
        held=np.empty((effectors, jobs + 1), dtype=np.int64),
        tally=tally,
        who=np.arange(jobs, dtype=np.int64),
        key=np.empty(jobs),
        choice=np.empty(jobs, dtype=np.int64),
        fresh=np.ones(jobs, dtype=np.int64),
        log=np.empty(8 * jobs + 16, dtype=np.int64),
    )


@kernel
def fits(given, book, o):
    """Return whether an option can be added to a plan whose round is free."""
    e, start, end = given.option[o, 0], given.option[o, 1], given.option[o, 2]
    if book.tally[e, 1] < given.option[o, 3]:
        return False
    crowd = 0
    for c in range(given.busy.shape[1]):
        crowd += given.busy[e, c] > start
    for i in range(book.tally[e, 0]):
        other = book.held[e, i]
        crowd += given.option[other, 1] < end and given.option[other, 2] > start
    if crowd < given.capacity[e]:
        return True
    if given.capacity[e] == 1:
        return False
    for k in range(-1, book.tally[e, 0]):  # most are met at the start of the span, or of another within it
        t = start if k < 0 else given.option[book.held[e, k], 1]
        if t < start or t >= end:
            continue
        crowd = 0
        for c in range(given.busy.shape[1]):
            crowd += given.busy[e, c] > t
        for i in range(book.tally[e, 0]):
            other = book.held[e, i]
            crowd += given.option[other, 1] <= t and given.option[other, 2] > t
        if crowd >= given.capacity[e]:
            return False
    return True


@kernel
def place(given, book, o):
    """Add an option to a plan."""
    e = given.option[o, 0]
    book.held[e, book.tally[e, 0]] = o
    book.tally[e, 0] += 1
    book.tally[e, 1] -= given.option[o, 3]
    book.plan[given.option[o, 4]] = o


@kernel
def remove(given, book, o):
    """Take an option out of a plan."""
    e = given.option[o, 0]
    last = book.tally[e, 0] - 1
    for i in range(last):
        if book.held[e, i] == o:
            book.held[e, i] = book.held[e, last]
    book.tally[e, 0] = last
    book.tally[e, 1] += given.option[o, 3]
    book.tally[e, 2] = 1
    book.plan[given.option[o, 4]] = -1
