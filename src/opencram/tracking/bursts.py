"""Bursts of a machine gun: what flies among bodies that come and go.

Tracer rounds follow one another along one line, ten a second.  One by one they are told from rockets by how fast they
slow down; a chain of plots of several of them slows down less than any bullet, and passes for a rocket.  But bullets
are small: a radar sees each of them now and then only.  The rounds of a salvo it sees in nearly every scan, and they
stay where they are beside one another.  So a young candidate among plots that belong to nothing waits, until these are
found again a scan later where they should be, by its own motion.  And what is fired together flies together: the
rounds of a salvo agree in their velocities, chains through a burst, or through a salvo, with hardly anybody.
"""

import math

import numpy as np
from numpy.typing import NDArray

from opencram.kernel import kernel
from opencram.tracking.candidates import cartesian
from opencram.tracking.errors import WHITE
from opencram.tracking.history import columns
from opencram.tracking.plausible import GRAVITY_M_S2
from opencram.tracking.state import DROPPED, Candidates, State
from opencram.tracking.surroundings import unwanted_a_scan
from opencram.tracking.world import World

# Neighbours whose velocity is known, and count: how near, how many plots, how many of them there must be; what is the
# same velocity, of the speed; and how many of them must have it.
_BESIDE_M, _PLOTS, _KNOWN, _ALIKE, _SHARE = 400.0, 3, 2, 0.1, 0.5
_NEAR_M = 500.0  # tracers are 50 to 80 m apart, and leave the muzzle at 800 m/s
_OTHERS = 2  # plots beside a candidate, and as many more as false plots may well come to (three deviations)
# Bullets are mostly seen for 3 s.  A radar that errs more than it states makes the rounds of a salvo come and go, too.
_PROVEN_S, _PROVEN_PLOTS = 3.0, 7
# The share of their plots, of what the radar sees of a round, that are found again: of rounds in a salvo what tolerance
# and neighbours leave; of tracers also what comes by another's place by chance.  Simulated bursts and volleys had 0.2
# and 0.7; the log odds of the two, at which a salvo is likelier (docs/tracking.md).
_AGAIN_ROUND, _AGAIN_BULLET, _SURE = 0.8, 0.3, 1.0
_TOLERANCE = 2.0  # deviations of a plot, all three directions together: nine of ten pairs of plots of one object
_SAME_SCAN = 0.3  # periods within which plots are of one scan
_LATE_NS = 2_000_000_000  # dwells come in no later than this
_MOST = 400  # plots beside a candidate that are looked at, the newest


@kernel
def unclaimed_beside(x, t_ns, since_ns, own, lasts, newest, table, periods_s, rotations, origins, errors):
    """Return the plots beside a body that belong to nothing: how many, how many a scan should show again, and does.

    By sensor: (sensors, 3) numbers.  `x` (6 or more): the body at `t_ns`; plots since `since_ns` count.  `own`: its
    newest plot; `lasts` (n): those of all that is followed beside it.  `newest`: number of the newest plot of all.
    What stands so near to a plot that is somebody's as doubles of one object do is nothing of its own.
    """
    count, numbers = 0, np.empty(_MOST, dtype=np.int64)
    off, reach = np.empty((_MOST, 3)), np.empty(_MOST)
    position, noise, expected = np.empty(3), np.empty((3, 3)), np.empty(3)
    first = newest + 1
    while first > table.oldest and count < _MOST:
        slot = first - 1 - table.first
        if table.t_ns[slot] < since_ns - _LATE_NS:
            break
        first -= 1
        sensor, dt = table.sensor[slot], (table.t_ns[slot] - t_ns) * 1e-9
        if table.t_ns[slot] < since_ns - _SAME_SCAN * periods_s[sensor] * 1e9:
            continue
        distance = 0.0
        for i in range(3):
            expected[i] = x[i] + dt * x[3 + i] - (0.5 * GRAVITY_M_S2 * dt * dt if i == 2 else 0.0)
            distance += (expected[i] - origins[sensor, i]) ** 2
        z = table.z[slot]
        if not abs(z[0] - math.sqrt(distance)) < _NEAR_M:
            continue
        variances = (errors[sensor, :, WHITE] / table.weight[slot, :3]) ** 2
        cartesian(z, variances, rotations[sensor], origins[sensor], position, noise)
        apart = 0.0
        for i in range(3):
            off[count, i] = position[i] - expected[i]
            apart += off[count, i] ** 2
        if apart < _NEAR_M * _NEAR_M:
            numbers[count] = slot
            reach[count] = _TOLERANCE**2 * (noise[0, 0] + noise[1, 1] + noise[2, 2])
            count += 1
    used = _used(own, lasts, first, newest, since_ns, table)
    others = np.empty(count, dtype=np.bool_)
    for i in range(count):
        others[i] = not used[numbers[i] + table.first - first]
        for j in range(count):
            if others[i] and used[numbers[j] + table.first - first]:
                others[i] = not _is_there(i, j, 0.0, off, reach, numbers, table, periods_s)
    found = np.zeros((origins.shape[0], 3), dtype=np.int64)
    for i in range(count):
        sensor = table.sensor[numbers[i]]
        if not others[i]:
            continue
        found[sensor, 0] += 1
        if table.t_ns[numbers[i]] + (1.0 - _SAME_SCAN) * periods_s[sensor] * 1e9 > t_ns:
            continue
        found[sensor, 1] += 1
        for j in range(count):
            if others[j] and _is_there(i, j, 1.0, off, reach, numbers, table, periods_s):
                found[sensor, 2] += 1
                break
    return found


@kernel
def _used(own, lasts, first, newest, since_ns, table):
    """Return which plots of the table, from number `first` to `newest`, are those of the chains with these ends."""
    used = np.zeros(newest + 1 - first, dtype=np.bool_)
    for k in range(-1, lasts.shape[0]):
        number = own if k < 0 else lasts[k]
        while number >= first and number >= table.oldest and table.t_ns[number - table.first] >= since_ns - _LATE_NS:
            used[number - first] = True
            number = table.previous[number - table.first]
    return used


@kernel
def _is_there(i, j, scans, off, reach, numbers, table, periods_s):
    """Return whether plot `j` stands where plot `i` does, by the body's own motion, so many scans later."""
    a, b = numbers[i], numbers[j]
    if table.sensor[a] != table.sensor[b]:
        return False
    period_ns = periods_s[table.sensor[a]] * 1e9
    if not abs(table.t_ns[b] - table.t_ns[a] - scans * period_ns) < _SAME_SCAN * period_ns:
        return False
    apart = 0.0
    for axis in range(3):
        apart += (off[j, axis] - off[i, axis]) ** 2
    return apart < reach[i]


def unlike_others(few: Candidates, k: int, t_ns: int) -> bool:
    """Return whether candidate `k` of `few` is young, and most candidates close by at `t_ns` do not fly as it does.

    Those of a plot or two may be false plots and count for nothing.  Tracks, and what flies level, are no reason for
    doubt.
    """
    targets, x = few.targets, few.x
    if _is_proven(targets[k], t_ns):
        return False
    near = (np.abs(x[:, :3] - x[k, :3]) < _BESIDE_M).all(axis=1) & (few.fall > 0.0) & (targets["plots"] >= _PLOTS)
    near &= (targets["status"] != DROPPED) & (
        t_ns - targets["updated_t_ns"] <= 2 * max(int(targets[k]["period_ns"]), 1)
    )
    near[k] = False
    off = np.linalg.norm(x[near, 3:] - x[k, 3:], axis=1)
    alike = int((off < _ALIKE * np.linalg.norm(x[k, 3:])).sum())
    return len(off) >= _KNOWN and (alike == 0 or alike < _SHARE * len(off))


def _is_proven(target: np.void, t_ns: int) -> bool:
    return bool((t_ns - target["first_t_ns"]) * 1e-9 >= _PROVEN_S and target["plots"] >= _PROVEN_PLOTS)


def in_a_burst(constants: World, state: State, few: Candidates, k: int) -> bool:
    """Return whether candidate `k` of `few` is young, and flies among plots of bodies that come and go."""
    target, x = few.targets[k], few.x[k]
    age_s = (state.t_ns - int(target["first_t_ns"])) * 1e-9
    if _is_proven(target, state.t_ns):
        return False
    lasts = np.concatenate([state.tracks.targets["last"], few.targets["last"][few.fall == 0.0]])
    found = unclaimed_beside(
        x, state.t_ns, int(target["first_t_ns"]), int(target["last"]), lasts, state.history.written - 1,
        columns(state.history), constants.periods_s, constants.rotations, constants.origins, state.noise.errors,
    )  # fmt: skip
    by_chance = _by_chance(constants, state, x, age_s)
    if found[:, 0].sum() < _OTHERS + by_chance + 3.0 * math.sqrt(by_chance):
        return False
    odds = 0.0
    for (_, asked, again), (log_seen, _) in zip(found.tolist(), constants.log_chances, strict=True):
        seen = math.exp(log_seen)
        odds += again * math.log(_AGAIN_ROUND / _AGAIN_BULLET)
        odds += (asked - again) * math.log((1.0 - _AGAIN_ROUND * seen) / (1.0 - _AGAIN_BULLET * seen))
    return odds < _SURE


def _by_chance(constants: World, state: State, x: NDArray[np.float64], age_s: float) -> float:
    """Return how many plots would be beside a body at `x` if all that belong to nothing stood evenly in the sky."""
    total = 0.0
    for sensor_id, sensor in constants.sensor_index.items():
        distance_m = max(float(np.linalg.norm(x[:3] - constants.origins[sensor])), _NEAR_M)
        share = 4.0 / 3.0 * math.pi * _NEAR_M**3 / (distance_m**2 * constants.sky[sensor])
        scans = age_s / constants.periods_s[sensor] + 1.0
        total += scans * share * unwanted_a_scan(state.surroundings, sensor_id)
    return total
