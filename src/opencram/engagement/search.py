"""The search for a plan, compiled: greedy orders, prices, then large-neighbourhood search over the best start.

The problem: options, each a shot (or a shot and its repeat) of one effector at one round over a span of grid time,
with a probability to kill.  Choose options that maximise Σ worth · (1 − Π (1 − kill)) over the rounds, so that no
effector has more spans at a time than channels, nor uses more shots than it has, and each round has at most `per_job`
options, which do not overlap in time where `apart` says so.

The number of steps bounds the work, never a clock: the same input gives the same plan.

Source: Pisinger and Ropke, Large Neighborhood Search, Handbook of Metaheuristics, ch. 4 (destroy and repair); Fisher,
The Lagrangian Relaxation Method for Solving Integer Programming Problems, Management Science 27, 1 (prices and bound).
"""

from typing import Any, NamedTuple

import numpy as np

from opencram.kernel import helper, kernel

NONE = -1
_RETURN, _RATE, _DEADLINE = 0, 1, 2
_STARTS = 6  # three greedy orders, the old plan, and twice by return with prices


class Options(NamedTuple):
    """What may be chosen.

    `offsets` (rounds + 1): the options of round `j` are `offsets[j]` to `offsets[j + 1]`, in falling order of `kill`.
    `rent`: what the span and the shots of each option are worth to others.  `used` (effectors, grid): spans that are
    taken already; `left`: shots left.
    """

    offsets: Any
    seat: Any
    start: Any
    end: Any
    cost: Any
    kill: Any
    worth: Any
    rent: Any
    capacity: Any
    used: Any
    left: Any
    apart: Any


class Book(NamedTuple):
    """A plan (rounds, per_job) of options or −1, the spans and shots that it leaves, and when each effector is full."""

    plan: Any
    taken: Any
    shots: Any
    full: Any


@kernel
def search(given, per_job, warm, prices, iterations):
    """Return the value of the best plan found, the plan, the value of `warm`, and a bound on any plan.

    `warm`: a plan to start from, options of which that no longer fit are dropped.  The bound holds for plans with one
    option a round.
    """
    jobs = len(given.offsets) - 1
    given.rent[:] = 0.0
    book = _empty_book(given, jobs, per_job)
    best = book.plan.copy()
    random = np.array([np.uint64(88172645463325252)])
    everyone = np.arange(jobs)
    best_value, warm_value, bound = -1.0, 0.0, np.inf
    for begin in range(_STARTS):
        _clear(given, book)
        if begin == 3:
            for j in range(jobs):
                for slot in range(per_job):
                    if warm[j, slot] != NONE and _fits(given, book, warm[j, slot], j):
                        _place(given, book, warm[j, slot], j)
            warm_value = _value(given, book.plan)
        if begin == 4:  # what the others would give for a span of time steers the search from here on
            bound = price(given, best_value, prices)
        _fill(given, book, everyone, begin if begin < 3 else _RETURN, begin // 5, random)
        value = _value(given, book.plan)
        if value > best_value or (begin == 3 and value == best_value):
            best_value = value
            best[:] = book.plan
    _clear(given, book)
    _rebook(given, book, best)
    _improve(given, book, best, best_value, bound, iterations, random)
    return _value(given, best), best, warm_value, bound


@kernel
def _improve(given, book, best, best_value, bound, iterations, random):
    """Break a part of the plan and mend it, again and again; keep what is hardly worse.  `best` is changed."""
    jobs, per_job = book.plan.shape
    value = best_value
    old = Book(book.plan.copy(), book.taken.copy(), book.shots.copy(), book.full.copy())
    open_jobs = np.empty(jobs, dtype=np.int64)
    for k in range(iterations):
        if best_value >= bound * (1.0 - 1e-9):
            return
        slack = 0.01 * best_value * (1.0 - (k + 1.0) / iterations) / max(np.sqrt(jobs), 1.0)
        if _draw(random, 2) == 0:
            _break(given, book, random)
        else:
            _force(given, book, random)
        count = 0
        for j in range(jobs):
            if book.plan[j, per_job - 1] == NONE:
                open_jobs[count] = j
                count += 1
        shift = _draw(random, 4)
        _fill(given, book, open_jobs[:count], _RATE if _draw(random, 3) == 0 else _RETURN, shift, random)
        new = _value(given, book.plan)
        if new >= value - slack:
            value = new
            _copy(old, book)
            if new > best_value + 1e-12:
                best_value = new
                best[:] = book.plan
        else:
            _copy(book, old)


@kernel
def _empty_book(given, jobs, per_job):
    full = np.empty_like(given.used)
    book = Book(np.full((jobs, per_job), NONE), given.used.copy(), given.left.copy(), full)
    return book


@kernel
def _clear(given, book):
    book.plan[:] = NONE
    book.taken[:] = given.used
    book.shots[:] = given.left
    for e in range(len(given.capacity)):
        _mark_full(given, book, e, book.taken.shape[1])


@kernel
def _copy(to, what):
    to.plan[:] = what.plan
    to.taken[:] = what.taken
    to.shots[:] = what.shots
    to.full[:] = what.full


@kernel
def _rebook(given, book, plan):
    """Book the spans and shots of a plan in an empty book."""
    for j in range(len(plan)):
        for slot in range(plan.shape[1]):
            if plan[j, slot] != NONE:
                _place(given, book, plan[j, slot], j)


@kernel
def _value(given, plan):
    """Return what a plan saves."""
    total = 0.0
    for j in range(len(plan)):
        total += given.worth[j] * (1.0 - _survival(given, plan, j))
    return total


@helper
def _survival(given, plan, j):
    survives = 1.0
    for slot in range(plan.shape[1]):
        if plan[j, slot] != NONE:
            survives *= 1.0 - given.kill[plan[j, slot]]
    return survives


@helper
def _draw(random, below):
    """Return a number from 0 to `below` − 1 (xorshift64*, Vigna 2016)."""
    x = random[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    random[0] = x
    return np.int64(((x * np.uint64(2685821657736338717)) >> np.uint64(33)) % np.uint64(below))


@kernel
def _fits(given, book, o, j):
    """Return whether an option can be added to a plan."""
    e = given.seat[o]
    if book.shots[e] < given.cost[o] or book.full[e, given.start[o]] < given.end[o]:
        return False
    free = False
    for slot in range(book.plan.shape[1]):
        other = book.plan[j, slot]
        if other == NONE:
            free = True
        elif other == o or _clash(given, other, o):
            return False
    return free


@helper
def _clash(given, a, b):
    """Return whether two options of one round meet it at one time, where that is not allowed."""
    return given.apart and given.start[a] < given.end[b] and given.start[b] < given.end[a]


@kernel
def _place(given, book, o, j):
    for slot in range(book.plan.shape[1]):
        if book.plan[j, slot] == NONE:
            book.plan[j, slot] = o
            break
    _take(given, book, o, 1)


@kernel
def _remove(given, book, j, slot):
    o = book.plan[j, slot]
    last = book.plan.shape[1] - 1
    while last > slot and book.plan[j, last] == NONE:
        last -= 1
    book.plan[j, slot] = book.plan[j, last]
    book.plan[j, last] = NONE
    _take(given, book, o, -1)


@kernel
def _take(given, book, o, sign):
    """Book the span and the shots of an option, or give them back."""
    e, end = given.seat[o], given.end[o]
    book.shots[e] -= sign * given.cost[o]
    taken = book.taken
    for t in range(given.start[o], end):
        taken[e, t] += sign
    _mark_full(given, book, e, end)


@kernel
def _mark_full(given, book, e, until):
    """Write for each time before `until` the next at which the effector has no free channel."""
    taken, full, capacity = book.taken, book.full, given.capacity[e]
    size = taken.shape[1]
    following = full[e, until] if until < size else size
    for t in range(until - 1, -1, -1):
        if taken[e, t] >= capacity:
            following = t
        full[e, t] = following


@kernel
def _fill(given, book, who, order, shift, random):
    """Add options to the rounds `who`, best first, until none fits.  `shift` > 0 blurs prices and order at random.

    What an option adds only shrinks as others are added: of the old figures only the top is brought up to date.
    """
    size = len(who)
    net, option = np.empty(size), np.full(size, NONE)
    for i in range(size):
        net[i], option[i] = _best(given, book, who[i], order, shift, random)
    while True:
        top = -1
        for i in range(size):
            if option[i] != NONE and (top < 0 or net[i] > net[top]):
                top = i
        if top < 0:
            return
        if _fits(given, book, option[top], who[top]):
            _place(given, book, option[top], who[top])
        net[top], option[top] = _best(given, book, who[top], order, shift, random)


@kernel
def _best(given, book, j, order, shift, random):
    """Return what a round is ordered by, and its best option that fits, −1 if none does."""
    worth = given.worth[j] * _survival(given, book.plan, j)
    if book.plan[j, book.plan.shape[1] - 1] != NONE or worth <= 0.0:
        return 0.0, NONE
    share = 0.0 if order == _DEADLINE else 1.0
    if shift > 0:
        share = 0.25 * (1.0 + _draw(random, 5))
    found, best, latest = NONE, -np.inf, 0
    kill, rent, seat, start, end, cost = given.kill, given.rent, given.seat, given.start, given.end, given.cost
    shots, full = book.shots, book.full
    for o in range(given.offsets[j], given.offsets[j + 1]):
        gain = worth * kill[o]
        if gain <= 0.0 or gain <= best:
            break
        if shots[seat[o]] < cost[o] or full[seat[o], start[o]] < end[o] or gain - share * rent[o] <= best:
            continue  # most options end here, at little cost
        if _fits(given, book, o, j):
            found, best = o, gain - share * rent[o]
    if found == NONE:
        return 0.0, NONE
    if order == _DEADLINE:
        for o in range(given.offsets[j], given.offsets[j + 1]):
            latest = max(latest, given.start[o])
        return -float(latest), found
    if order == _RATE:
        best /= given.worth[j] if given.rent[found] > 0.0 else given.end[found] - given.start[found]
    return best * (0.75 + 0.0625 * _draw(random, 9) if shift > 1 else 1.0), found


@kernel
def _break(given, book, random):
    """Take some options out of a plan: a few at random, or those that stand near one another on one effector."""
    jobs, per_job = book.plan.shape
    centre = NONE
    for _ in range(8):
        centre = book.plan[_draw(random, jobs), 0]
        if centre != NONE:
            break
    if centre == NONE:
        return
    near = _draw(random, 2) == 0
    span, share = 1 + _draw(random, 3), 1 + _draw(random, 3)
    length = span * (given.end[centre] - given.start[centre]) // 2
    middle = (given.start[centre] + given.end[centre]) // 2
    for j in range(jobs):
        for slot in range(per_job - 1, -1, -1):
            o = book.plan[j, slot]
            if o == NONE:
                continue
            if near:
                touches = given.start[o] < middle + length and given.end[o] > middle - length
                gone = touches and (given.seat[o] == given.seat[centre] or _draw(random, 8) < share)
            else:
                gone = o == centre or _draw(random, 16) < share
            if gone:
                _remove(given, book, j, slot)


@kernel
def _force(given, book, random):
    """Put an option of a round into the plan that had no place for it; what stands in its way goes."""
    jobs, per_job = book.plan.shape
    j = _draw(random, jobs)
    count = given.offsets[j + 1] - given.offsets[j]
    if count == 0:
        return
    o = given.offsets[j] + min(_draw(random, count), _draw(random, count))  # rather a good one
    for slot in range(per_job - 1, -1, -1):
        other = book.plan[j, slot]
        if other != NONE and (slot == per_job - 1 or other == o or _clash(given, other, o)):
            _remove(given, book, j, slot)
    e, shift = given.seat[o], _draw(random, jobs)
    for i in range(jobs):
        k = (i + shift) % jobs
        for slot in range(per_job - 1, -1, -1):
            other = book.plan[k, slot]
            if other == NONE or given.seat[other] != e:
                continue
            overlap = given.start[other] < given.end[o] and given.start[o] < given.end[other]
            crowded = overlap and book.full[e, given.start[o]] < given.end[o]
            if crowded or book.shots[e] < given.cost[o]:
                _remove(given, book, k, slot)
    if _fits(given, book, o, j):
        _place(given, book, o, j)


@kernel
def price(given, low, rounds):
    """Write the rent of each option into `given.rent`; return a bound on the value of any plan.

    The prices of a channel's time and of a shot solve the Lagrangian dual of the problem with one option a round, by
    `rounds` subgradient steps of Polyak's length; `low` is the value of a plan that is known.
    """
    effectors, size = given.used.shape
    of_time, of_shot = np.zeros((effectors, size + 1)), np.zeros(effectors)
    over, fired = np.zeros((effectors, size + 1)), np.zeros(effectors)
    rent = np.zeros(len(given.seat))
    bound, stride, waited = np.inf, 1.0, 0
    for _ in range(rounds):
        dual = _bid(given, of_time, of_shot, over, fired, rent)
        waited += 1
        if dual < bound:
            bound, waited = dual, 0
            given.rent[:] = rent
        elif waited == 8:
            stride, waited = 0.6 * stride, 0
        length = 0.0
        for e in range(effectors):
            for t in range(size):
                if over[e, t] > 0.0 or of_time[e, t] > 0.0:
                    length += over[e, t] ** 2
            if fired[e] > 0.0 or of_shot[e] > 0.0:
                length += fired[e] ** 2
        if length <= 0.0:
            break
        step = stride * max(dual - low, 1e-9) / length
        for e in range(effectors):
            for t in range(size):
                of_time[e, t] = max(of_time[e, t] + step * over[e, t], 0.0)
            of_shot[e] = max(of_shot[e] + step * fired[e], 0.0)
    return bound


@kernel
def _bid(given, of_time, of_shot, over, fired, rent):
    """Let every round take its best option at these prices; write by how much that asks too much; return the dual."""
    effectors, size = given.used.shape
    total = np.zeros((effectors, size + 1))
    dual = 0.0
    over[:] = 0.0
    for e in range(effectors):
        for t in range(size):
            total[e, t + 1] = total[e, t] + of_time[e, t]
            dual += of_time[e, t] * (given.capacity[e] - given.used[e, t])
        fired[e] = -given.left[e]
        dual += of_shot[e] * given.left[e]
    for j in range(len(given.offsets) - 1):
        net, found = 0.0, NONE
        for o in range(given.offsets[j], given.offsets[j + 1]):
            e = given.seat[o]
            rent[o] = total[e, given.end[o]] - total[e, given.start[o]] + of_shot[e] * given.cost[o]
            value = given.worth[j] * given.kill[o] - rent[o]
            if value > net:
                net, found = value, o
        if found != NONE:
            dual += net
            over[given.seat[found], given.start[found]] += 1.0
            over[given.seat[found], given.end[found]] -= 1.0
            fired[given.seat[found]] += given.cost[found]
    for e in range(effectors):
        running = 0.0
        for t in range(size):
            running += over[e, t]
            over[e, t] = running + given.used[e, t] - given.capacity[e]
        over[e, size] = 0.0
    return dual


@kernel
def options(first, start, done, kill, again, again_done, twice, last_start, keep, now, period, slack_ns,
            rows_max, stay, out, out_kill):  # fmt: skip
    """Write what each segment (one round and one effector) offers; return how many options there are.

    `first` (segments + 1): the shots of each segment; `keep`: the start of the last plan there, or a time long past.
    At most `rows_max` shots of a segment are offered: evenly over its window, its first and last and that of the last
    plan among them.  `out`: segment, start and end on the grid, shots, row.
    """
    count = 0
    for s in range(len(first) - 1):
        low, high = first[s], first[s + 1]
        while low < high and start[low] < now:
            low += 1
        size = high - low
        if size == 0:
            continue
        kept = NONE
        for k in range(low, high):
            if abs(start[k] - keep[s]) <= period and (
                kept == NONE or abs(start[k] - keep[s]) < abs(start[kept] - keep[s])
            ):
                kept = k
        bonus = stay if keep[s] > now - 3600_000_000_000 else 1.0
        chosen = min(size, rows_max)
        previous = NONE
        for i in range(chosen + 1):
            k = low + (i * (size - 1)) // max(chosen - 1, 1) if i < chosen else kept
            if k == NONE or k >= high or (i < chosen and k == previous):
                continue
            previous = k
            spare, ahead = (last_start[s] - start[k]) / slack_ns, (start[k] - now) / slack_ns
            chance = 1.0 + 0.5 * np.exp(-spare) * np.expm1(-max(ahead, 0.0))
            for pair in range(2):
                if pair == 1 and not (twice[s] and again[k] > 0.0):
                    continue
                p = kill[k] if pair == 0 else kill[k] + (1.0 - kill[k]) * again[k]
                end = done[k] if pair == 0 else again_done[k]
                out[0, count] = s
                out[1, count] = (start[k] - now) // period
                out[2, count] = -((now - end) // period)
                out[3, count] = 1 + pair
                out[4, count] = k - first[s]
                out_kill[count] = min(p * chance * bonus, 0.999)
                count += 1
    return count
