"""One channel planned anew, as well as can be by itself: a step of the search (`search`), compiled.

What may stand on one channel are spans of time that do not overlap, with values, and not more shots than are left:
the best choice is found by going through the spans in order of their ends.  A round that is met elsewhere may be taken
over; against it counts what is lost there, but for a share of the rent of its place, which others may use.

Source: weighted interval scheduling by dynamic programming, Kleinberg and Tardos, Algorithm Design, 6.1.
"""

from typing import Any, NamedTuple

import numpy as np

from opencram.engagement.book import END, NONE, SEAT, START, Given, place, remove
from opencram.kernel import kernel

_RATIONED_MAX = 64  # shots that are counted one by one; a channel has no use for more within a plan


class Spans(NamedTuple):
    """The options of each effector by their ends.

    `by_end` (n): options, those of effector `e` from `begin[e]` to `begin[e + 1]`; `before` (n): how many of the same
    effector end before each begins; `most` (effectors): shots that one channel has use for at most.  The rest is room
    for work: what the first so many spans are worth with so many shots, until when channels are busy, and by round in
    which step it was last placed.
    """

    by_end: Any
    begin: Any
    before: Any
    most: Any
    worth: Any
    until: Any
    stamp: Any


def spans_of(given: Given) -> Spans:
    """Return the options of a problem in the order that `replan` needs."""
    effectors = len(given.capacity)
    seat, start, end = given.option[:, SEAT], given.option[:, START], given.option[:, END]
    by_end = np.lexsort((end, seat))
    begin = np.searchsorted(seat[by_end], np.arange(effectors + 1))
    before, most = np.empty(len(by_end), dtype=np.int64), np.zeros(effectors, dtype=np.int64)
    for e in range(effectors):
        mine = by_end[begin[e] : begin[e + 1]]
        before[begin[e] : begin[e + 1]] = np.searchsorted(end[mine], start[mine], side="right")
        if len(mine):
            most[e] = 2 * ((end[mine[-1]] - start[mine].min()) // max(int((end[mine] - start[mine]).min()), 1) + 1)
    shots = min(int(given.left.max(initial=0)), int(most.max(initial=0)), _RATIONED_MAX)
    return Spans(
        by_end=by_end,
        begin=begin,
        before=before,
        most=most,
        worth=np.zeros((int(np.diff(begin).max(initial=0)) + 1, shots + 1)),
        until=np.zeros(max(int(given.capacity.max(initial=1)), 1), dtype=np.int64),
        stamp=np.full((len(given.first) - 1) // effectors, NONE, dtype=np.int64),
    )


@kernel
def replan(given, spans, book, step, e, channel, share, noise, random):
    """Fill a channel of effector `e` anew; return the length of the log, 0 where nothing can stand on it.

    `share` of the rent counts for what is taken from elsewhere; `noise` makes each round up to so much dearer.
    """
    n = spans.begin[e + 1] - spans.begin[e]
    if n == 0:
        return 0
    logged = _cleared(given, spans, book, e, channel)
    book.tally[e, 2] = 1
    rationed = book.tally[e, 1] < spans.most[e]
    shots = min(book.tally[e, 1], spans.worth.shape[1] - 1) if rationed else 0
    _weigh(given, spans, book, e, channel, share, noise, random, rationed, shots)
    option, plan, worth, first = given.option, book.plan, spans.worth, spans.begin[e]
    i, k = n, shots
    while i > 0:
        if worth[i, k] == worth[i - 1, k]:
            i -= 1
            continue
        o = spans.by_end[first + i - 1]
        j = option[o, 4]
        k -= option[o, 3] if rationed else 0
        i = spans.before[first + i - 1]
        if spans.stamp[j] == step:
            continue  # the same round twice: the later shot stays
        if plan[j] >= 0:
            book.log[logged] = -plan[j] - 1
            logged += 1
            remove(given, book, plan[j])
        if book.tally[e, 1] >= option[o, 3]:
            spans.stamp[j] = step
            place(given, book, o)
            book.log[logged] = o + 1
            logged += 1
    return logged


@kernel
def _cleared(given, spans, book, e, channel):
    """Take the options off a channel, to which spans come in order of their starts; return the length of the log."""
    option, held, until, count = given.option, book.held[e], spans.until, book.tally[e, 0]
    for i in range(1, count):
        o, k = held[i], i - 1
        while k >= 0 and option[held[k], 1] > option[o, 1]:
            held[k + 1] = held[k]
            k -= 1
        held[k + 1] = o
    for c in range(given.capacity[e]):
        until[c] = given.busy[e, c]
    logged = 0
    for i in range(count):
        o, best = held[i], -1
        for c in range(given.capacity[e]):
            if until[c] <= option[o, 1] and (best < 0 or until[c] > until[best]):
                best = c
        until[best] = option[o, 2]
        if best == channel:
            book.log[logged] = -o - 1
            logged += 1
    for i in range(logged):
        o = -book.log[i] - 1
        remove(given, book, o)
        book.fresh[option[o, 4]] = 1
    return logged


@kernel
def _weigh(given, spans, book, e, channel, share, noise, random, rationed, shots):
    """Fill `spans.worth` (spans, shots): what the first so many spans of an effector are worth at best on a channel."""
    option, value, rent, plan, worth = given.option, given.value, given.rent, book.plan, spans.worth
    first, free = spans.begin[e], given.busy[e, channel]
    for i in range(spans.begin[e + 1] - first):
        o = spans.by_end[first + i]
        j, low = option[o, 4], spans.before[first + i]
        cost = option[o, 3] if rationed else 0
        luck = ((j * 40503 + ((random >> 24) & 0xFFFFFFF)) * 2654435761 >> 16) & 1023
        gain = value[o] * (1.0 + noise * luck / 1023.0)
        if plan[j] >= 0:
            gain -= value[plan[j]] - share * rent[plan[j]]
        fits_in = gain > 0.0 and option[o, 1] >= free
        for k in range(shots + 1):
            worth[i + 1, k] = worth[i, k]
            if fits_in and k >= cost:
                worth[i + 1, k] = max(worth[i, k], worth[low, k - cost] + gain)
