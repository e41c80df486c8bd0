"""The search for a plan, compiled: greedy orders, prices, then large-neighbourhood search over the best start.

The problem: options, each a shot (or a shot and its repeat) of one effector at one round over a span of grid time, with
a value.  Choose at most one option a round so that their value is greatest, no effector has more spans at a time than
channels, nor uses more shots than it has.

The number of steps bounds the work, never a clock: the same input gives the same plan.

Source: Pisinger and Ropke, Large Neighborhood Search, Handbook of Metaheuristics, ch. 4 (destroy and repair); Fisher,
The Lagrangian Relaxation Method for Solving Integer Programming Problems, Management Science 27, 1 (prices, bound, and
leaving out what the prices rule out).
"""

import math
from typing import Any

import numpy as np

from opencram.engagement.book import END, JOB, NONE, Given, fits, new_book, place, remove
from opencram.engagement.channel import replan, spans_of
from opencram.kernel import kernel

RETURN, RATE, DEADLINE = range(3)  # greedy orders
# Found by trial on instances like the frozen ones, none of them among these: how warm the search begins, in shares of
# the mean worth of a round; and of 16 steps, how many plan a channel anew, and how many break a part of the plan.
_STAGES, _STAGED, _HEAT, _NOISE = 3, 300, 0.4, 0.2
_REPLANS, _BREAKS = 5, 9
_RECOVERED = np.array([0.0, 0.5, 0.8, 1.0])  # of the rent of a place that is left


def search(given: Given, warm: Any, prices: int, iterations: int) -> tuple[float, Any, float, float]:
    """Return the value of the best plan found, the plan, the value of `warm`, and a bound on any plan.

    `warm`: a plan to start from, options of which that no longer fit are dropped; infinite is the bound without
    `prices`.  Where every round can have its best option there is nothing to search for.
    """
    jobs = (len(given.first) - 1) // len(given.capacity)
    best, best_value, warm_value, bound = np.full(jobs, NONE), -1.0, 0.0, math.inf
    tops = np.zeros(jobs)
    np.maximum.at(tops, given.option[:, JOB], given.value)
    limit = float(tops.sum()) * (1.0 - 1e-12)
    given.rent[:] = 0.0
    for begin in range(6):  # three greedy orders, the old plan, and twice by return with prices
        if best_value >= limit and begin in (1, 2, 4, 5):
            bound = best_value
            continue
        book = new_book(given)
        if begin == 3:
            for o in warm[warm != NONE].tolist():
                if fits(given, book, o):
                    place(given, book, o)
            warm_value = float(given.value[book.plan[book.plan != NONE]].sum())
        if begin == 4:
            if not prices:
                break
            bound = price(given, best_value, prices, *_room(given))
        share = (0.0, 0.0, 0.0, 0.0, 1.0, 0.5)[begin]
        fill(given, book, jobs, begin if begin < 3 else RETURN, share, 0)
        value = float(given.value[book.plan[book.plan != NONE]].sum())
        if value > best_value or (begin == 3 and value == best_value):
            best, best_value = book.plan, value
    stages = _STAGES if iterations >= _STAGED else 1  # the better the plan, the more options are ruled out
    for k in range(stages):
        best_value = float(given.value[best[best != NONE]].sum())
        if iterations and best_value < bound * (1.0 - 1e-9):
            best = _improved(given, best, best_value, bound, iterations // stages, 1.0 - k / stages)
    return float(given.value[best[best != NONE]].sum()), best, warm_value, float(bound)


def _room(given: Given) -> tuple[Any, Any, Any]:
    """Return room for the work of `price`: by effector and time, by effector, and by option."""
    size = int(max(given.option[:, END].max(initial=0), given.busy.max(initial=0))) + 1
    return np.zeros((3, len(given.capacity), size + 1)), np.zeros((2, len(given.capacity))), np.zeros(len(given.value))


def _improved(given: Given, best: Any, best_value: float, bound: float, iterations: int, heat: float) -> Any:
    """Return a plan at least as good, by large-neighbourhood search among the options that prices do not rule out.

    An option whose value less its rent lies further below the best of its round than the bound lies above the plan is
    in no better plan.
    """
    regret = given.value - given.rent
    jobs = given.option[:, JOB]
    top = np.zeros(len(best))
    np.maximum.at(top, jobs, regret)
    keep = top[jobs] - regret <= bound - best_value + 1e-9
    keep[best[best != NONE]] = True
    kept = np.flatnonzero(keep)
    if not len(kept):
        return best
    number = np.cumsum(keep) - 1  # of each option among those kept
    fewer = given._replace(
        first=np.concatenate([[0], np.cumsum(keep)])[given.first],
        option=given.option[kept],
        value=given.value[kept],
        rent=given.rent[kept],
    )
    book = new_book(fewer)
    for o in number[best[best != NONE]].tolist():
        place(fewer, book, o)
    found = book.plan.copy()
    warm = _HEAT * best_value / len(best) * heat
    improve(fewer, spans_of(fewer), book, found, best_value, bound, iterations, warm)
    return np.where(found == NONE, NONE, kept[found])


@kernel
def fill(given, book, count, order, share, logged):
    """Add options to the first `count` rounds of `book.who`, best first, until none fits; return the length of the log.

    `share` of the rent counts against an option.  A round that is not fresh had no option that fits: it looks only at
    effectors that have been touched.  What a round can add only shrinks as others are added: of the old figures only
    the top is brought up to date.
    """
    option, value, rent, effectors = given.option, given.value, given.rent, len(given.capacity)
    for i in range(count):
        book.choice[i] = -2 if book.plan[book.who[i]] < 0 else -1
    while True:
        top = -1
        for i in range(count):
            if book.choice[i] == -2:
                j = book.who[i]
                best, found, latest = 0.0, -1, 0
                for e in range(effectors):
                    if not book.fresh[j] and book.tally[e, 2] == 0:
                        continue
                    for o in range(given.first[j * effectors + e], given.first[j * effectors + e + 1]):
                        latest = max(latest, option[o, 1])
                        if value[o] <= best and order != 2:
                            break
                        if value[o] - share * rent[o] > best and fits(given, book, o):
                            best, found = value[o] - share * rent[o], o
                if order == 1 and found >= 0:
                    best /= option[found, 2] - option[found, 1]
                book.key[i], book.choice[i] = best if order != 2 else -float(latest), found
            if book.choice[i] >= 0 and (top < 0 or book.key[i] > book.key[top]):
                top = i
        if top < 0:
            return logged
        if fits(given, book, book.choice[top]):
            place(given, book, book.choice[top])
            book.log[logged] = book.choice[top] + 1
            logged += 1
            book.choice[top] = -1
        else:
            book.choice[top] = -2


@kernel
def improve(given, spans, book, best, best_value, bound, iterations, heat):
    """Plan a channel anew, break a part of the plan or force an option into it; mend, and keep what is hardly worse.

    First every effector is planned anew in turn, then what is done is drawn by lot.  `best` is the plan to begin with,
    which stands in `book`; it is changed to the best one found.
    """
    option, value, plan = given.option, given.value, book.plan
    jobs, effectors, random, now = len(plan), len(given.capacity), 88172645463325252, best_value
    order = np.int64(RETURN)  # a plain 0 would be a type of its own, and compile what it is given to once more
    for i in range(jobs):
        book.fresh[i] = 0
    for k in range(iterations):
        if best_value >= bound * (1.0 - 1e-9):
            return
        for e in range(effectors):
            book.tally[e, 2] = 0
        random = random * 6364136223846793005 + 1442695040888963407
        j = ((random >> 33) & 0x3FFFFFFF) % jobs
        random = random * 6364136223846793005 + 1442695040888963407
        size = given.first[(j + 1) * effectors] - given.first[j * effectors]
        if size == 0:
            continue
        pick = (random >> 33) & 0x3FFFFFFF
        new, other = given.first[j * effectors] + pick % size, given.first[j * effectors] + pick // size % size
        if value[other] - given.rent[other] > value[new] - given.rent[new]:
            new = other
        random = random * 6364136223846793005 + 1442695040888963407
        luck = (random >> 33) & 0x3FFFFFFF
        kind = luck % 16
        if k < 2 * effectors or kind < _REPLANS:
            turn = k if k < 2 * effectors else random >> 40 & 0xFFFFFF
            e = turn % effectors
            channel = turn // effectors % given.capacity[e]
            noise = 0.0 if k < 2 * effectors else _NOISE * (random >> 22 & 3)
            logged = replan(given, spans, book, k, e, channel, _RECOVERED[random >> 20 & 3], noise, random)
        elif kind < _REPLANS + _BREAKS and plan[j] >= 0:
            logged = _broken(given, book, plan[j], random)
        elif new != plan[j]:
            logged = _forced(given, book, new)
        else:
            continue
        if logged == 0:
            continue
        count = np.int64(0)
        for i in range(jobs):
            if plan[i] < 0:
                book.who[count] = i
                count += 1
        logged = fill(given, book, count, order, 0.25 * (1 + luck // 2 % 5), logged)
        then = now
        for i in range(logged):
            step = book.log[i]
            then += value[step - 1] if step > 0 else -value[-step - 1]
            book.fresh[option[abs(step) - 1, 4]] = 0
        slack = heat * (1.0 - k / (_STAGES * iterations)) * math.log((luck // 16 % 65536 + 1.0) / 65536.0)
        if then >= now + slack:
            now = then
            if now > best_value + 1e-9:
                best_value = now
                for i in range(jobs):
                    best[i] = plan[i]
            continue
        for i in range(logged - 1, -1, -1):
            step = book.log[i]
            if step > 0:
                remove(given, book, step - 1)
            else:
                place(given, book, -step - 1)


@kernel
def _broken(given, book, centre, random):
    """Take options out of the plan that stand near one of it; return the length of the log."""
    option = given.option
    width = (1 + ((random >> 20) & 3)) * (option[centre, 2] - option[centre, 1]) // 2
    middle = (option[centre, 1] + option[centre, 2]) // 2
    logged = 0
    for j in range(len(book.plan)):
        o = book.plan[j]
        if o < 0 or option[o, 1] >= middle + width or option[o, 2] <= middle - width:
            continue
        random = random * 6364136223846793005 + 1442695040888963407
        if option[o, 0] == option[centre, 0] or ((random >> 33) & 7) < 2:
            book.log[logged] = -o - 1
            logged += 1
            book.fresh[j] = 1
            remove(given, book, o)
    return logged


@kernel
def _forced(given, book, new):
    """Put an option into the plan and take out what stands in its way, least first; return the length of the log.

    0, with nothing changed, where it cannot be.
    """
    option, value = given.option, given.value
    e, start, end, j = option[new, 0], option[new, 1], option[new, 2], option[new, 4]
    taken = 0
    for c in range(given.busy.shape[1]):
        taken += given.busy[e, c] > start
    if taken >= given.capacity[e] or given.left[e] < option[new, 3]:
        return 0
    logged = 0
    if book.plan[j] >= 0:
        book.log[0] = -book.plan[j] - 1
        remove(given, book, book.plan[j])
        logged = 1
    while not fits(given, book, new):
        short, least = book.tally[e, 1] < option[new, 3], np.int64(NONE)
        for i in range(book.tally[e, 0]):
            o = book.held[e, i]
            if (short or (option[o, 1] < end and option[o, 2] > start)) and (least < 0 or value[o] < value[least]):
                least = o
        book.log[logged] = -least - 1
        logged += 1
        book.fresh[option[least, 4]] = 1
        remove(given, book, least)
    place(given, book, new)
    book.log[logged] = new + 1
    return logged + 1


@kernel
def price(given, low, rounds, times, totals, rent):
    """Write the rent of each option into `given.rent`; return a bound on the value of any plan.

    The prices of a channel's time and of a shot solve the Lagrangian dual of the problem, by `rounds` subgradient
    steps of Polyak's length; `low` is the value of a plan that is known.  Room for work, all 0: `times` (3, effectors,
    grid + 1): prices, what is asked too much, sums of prices; `totals` (2, effectors): the same of shots.
    """
    option, value = given.option, given.value
    effectors, size = times.shape[1], times.shape[2] - 1
    bound, stride, waited = math.inf, 1.0, 0
    for _ in range(rounds):
        dual = 0.0
        for e in range(effectors):
            for t in range(size):
                free = given.capacity[e]
                for c in range(given.busy.shape[1]):
                    free -= given.busy[e, c] > t
                times[1, e, t] = 0.0
                times[2, e, t + 1] = times[2, e, t] + times[0, e, t]
                dual += times[0, e, t] * free
            totals[1, e] = -given.left[e]
            dual += totals[0, e] * given.left[e]
        for j in range((len(given.first) - 1) // effectors):  # every round takes its best option at these prices
            net, found = 0.0, -1
            for o in range(given.first[j * effectors], given.first[(j + 1) * effectors]):
                e = option[o, 0]
                rent[o] = times[2, e, option[o, 2]] - times[2, e, option[o, 1]] + totals[0, e] * option[o, 3]
                if value[o] - rent[o] > net:
                    net, found = value[o] - rent[o], o
            if found >= 0:
                dual += net
                e = option[found, 0]
                times[1, e, option[found, 1]] += 1.0
                times[1, e, option[found, 2]] -= 1.0
                totals[1, e] += option[found, 3]
        waited += 1
        if dual < bound:
            bound, waited = dual, 0
            for o in range(len(value)):
                given.rent[o] = rent[o]
        elif waited == 8:
            stride, waited = 0.6 * stride, 0
        length = 0.0
        for e in range(effectors):
            running = 0.0
            for t in range(size):
                running += times[1, e, t]
                free = given.capacity[e]
                for c in range(given.busy.shape[1]):
                    free -= given.busy[e, c] > t
                times[1, e, t] = running - free
                if times[1, e, t] > 0.0 or times[0, e, t] > 0.0:
                    length += times[1, e, t] ** 2
            if totals[1, e] > 0.0 or totals[0, e] > 0.0:
                length += totals[1, e] ** 2
        if length <= 0.0:
            break
        step = stride * max(dual - low, 1e-9) / length
        for e in range(effectors):
            for t in range(size):
                times[0, e, t] = max(times[0, e, t] + step * times[1, e, t], 0.0)
            totals[0, e] = max(totals[0, e] + step * totals[1, e], 0.0)
    return bound


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
        kept = -1
        for k in range(low, high):
            if abs(start[k] - keep[s]) <= period and (
                kept == -1 or abs(start[k] - keep[s]) < abs(start[kept] - keep[s])
            ):
                kept = k
        bonus = stay if keep[s] > now - 3600_000_000_000 else 1.0
        chosen = min(size, rows_max)
        previous = NONE
        for i in range(chosen + 1):
            k = low + (i * (size - 1)) // max(chosen - 1, 1) if i < chosen else kept
            if k == -1 or k >= high or (i < chosen and k == previous):
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
