"""Windows of fire, compiled: a predicted path cut into the shots that one effector could take.

Times are integer nanoseconds; each function writes into arrays that it is given, and loops are plain, so that the
compiler is soon done with them.
"""

import math
from typing import Any

import numpy as np

from opencram.kernel import kernel

FREE, OUT_OF_RANGE, TOO_LOW, TOO_LATE = 0, 1, 2, 3
NOWHERE = -1


@kernel
def within_reach(points, places, reaches, far_m):
    """Return the first and the last point within reach of an effector, or so close to it that the path beside may be.

    `NOWHERE` and `NOWHERE` for a path with a number that is none, or is further than `far_m`; the last before the
    first where no point is near.
    """
    longest = 0.0
    for i in range(len(points)):
        for axis in range(3):
            if not abs(points[i, axis]) < far_m:
                return NOWHERE, NOWHERE
        if i > 0:
            east, north, up = (
                points[i, 0] - points[i - 1, 0],
                points[i, 1] - points[i - 1, 1],
                points[i, 2] - points[i - 1, 2],
            )
            longest = max(longest, east * east + north * north + up * up)
    step = math.sqrt(longest)
    first, last = len(points), 0
    for i in range(len(points)):
        for e in range(len(places)):
            east, north, up = points[i, 0] - places[e, 0], points[i, 1] - places[e, 1], points[i, 2] - places[e, 2]
            if math.sqrt(east * east + north * north + up * up) <= reaches[e] + step:
                first, last = min(first, i), max(last, i)
    return first, last


@kernel
def hermite(points, spacing_ns, t_ns, times, positions):
    """Write the path at each time: cubic Hermite between equally spaced points, slopes by central differences.

    At its ends the slope is that of the parabola through the three points there.  Fourth column of `positions`: height
    above the last point.
    """
    last = len(points) - 1
    for i in range(len(times)):
        u = (times[i] - t_ns) / spacing_ns
        k = min(int(u), last - 1)
        f = u - k
        before, after = max(k - 1, 0), min(k + 2, last)
        for axis in range(3):
            low, high = points[k, axis], points[k + 1, axis]
            chord = high - low
            leave = 0.5 * (high - points[before, axis])
            arrive = 0.5 * (points[after, axis] - low)
            if k == 0:
                leave = chord if last == 1 else 2.0 * chord - 0.5 * (points[2, axis] - low)
            if k == last - 1:
                arrive = chord if last == 1 else 2.0 * chord - 0.5 * (high - points[k - 1, axis])
            bend = (1.0 - f) * (leave - chord) - f * (arrive - chord)
            positions[i, axis] = low + f * chord + f * (1.0 - f) * bend
        positions[i, 3] = positions[i, 2] - points[last, 2]


@kernel
def shots_on(path_t_ns, path, place, limits, spans, grid, table, common_m, from_t_ns, times, numbers):
    """Write every shot that meets the path within limits; return their count, what left none, and the closest range.

    `path` (n, 4): position and height above the point of impact.  `limits`: range from and to (m), speed (m/s), decay
    (m), least flight (s), least height (m), dispersion (rad), stray (m), bias (rad), scatter of the speed at the muzzle
    (share).  `spans`: reaction (ns), half a burst (ns and in rows of the path), assessment (ns).  `grid`, `table`: see
    `hit.kill_table`; `common_m`: error that all rounds share, apart from the bias; no fire before `from_t_ns`.
    `times` (6, n): start, fire, done, end of the best second shot, row of the path, and room for work; `numbers` (9,
    n): slant range, kill probability, that of the best second shot, velocity of the round, and room for work.
    """
    work = numbers[6:]  # slant range, time of flight, whether within limits, of each point of the path
    speed, decay_m = limits[2], limits[3]
    size, margin = len(path_t_ns), spans[2]
    closest = math.inf
    for i in range(size):
        east, north, up = path[i, 0] - place[0], path[i, 1] - place[1], path[i, 2] - place[2]
        slant = math.sqrt(east * east + north * north + up * up)
        closest = min(closest, slant)
        reach = min(slant, limits[1])
        flight_s = reach / speed if math.isinf(decay_m) else decay_m / speed * math.expm1(reach / decay_m)
        within = limits[0] <= slant <= limits[1] and flight_s >= limits[4]
        work[0, i], work[1, i], work[2, i] = slant, flight_s, 1.0 if within else 0.0
    in_range, high = False, False
    count: Any = np.int64(0)  # a plain 0 would be a type of its own, and compile what is called once more
    for i in range(margin, size - margin):
        if work[2, i - margin] * work[2, i] * work[2, i + margin] == 0.0:
            continue
        in_range = True
        if path[i - margin, 3] < limits[5] or path[i, 3] < limits[5] or path[i + margin, 3] < limits[5]:
            continue
        high = True
        fire = path_t_ns[i] - spans[1] - round(work[1, i] * 1e9)
        if fire < from_t_ns:
            continue
        start = fire - spans[0]
        k = count  # in order of start: a round that comes closer is met sooner after a later start
        while k > 0 and times[0, k - 1] > start:
            times[0, k], times[1, k], times[4, k] = times[0, k - 1], times[1, k - 1], times[4, k - 1]
            k -= 1
        times[0, k], times[1, k], times[4, k] = start, fire, i
        count += 1
    for k in range(count):
        i = times[4, k]
        times[2, k] = path_t_ns[i] + spans[1]
        numbers[0, k] = work[0, i]
        near = min(i, max(size - 2, 0))
        step_s = (path_t_ns[near + 1] - path_t_ns[near]) * 1e-9 if size > 1 else 1.0
        along, square = 0.0, 0.0
        for axis in range(3):
            velocity = (path[near + 1, axis] - path[near, axis]) / step_s if size > 1 else 0.0
            numbers[3 + axis, k] = velocity
            along += velocity * (path[i, axis] - place[axis]) / max(work[0, i], 1.0)
            square += velocity * velocity
        crossing = math.sqrt(max(square - along * along, 0.0))
        own = max(math.hypot(limits[6] * work[0, i], limits[7]), 1e-3)
        own = math.sqrt(own * math.hypot(own, crossing * work[1, i] * limits[9]))
        common = math.hypot(limits[8] * work[0, i], common_m)
        numbers[1, k] = _looked_up(grid, table, own, common)
    best_after(times, numbers, count, spans[3])
    if count > 0:
        return count, FREE, closest
    return 0, OUT_OF_RANGE if not in_range else TOO_LOW if not high else TOO_LATE, closest


@kernel
def _looked_up(grid, table, own, common):
    """Return the kill probability at two deviations, between the points of the table; its edges hold beyond them."""
    rows, columns = table.shape
    u = min(max((math.log(own) - grid[0]) * grid[1], 0.0), rows - 1.0)
    v = min(max((math.log(max(common, 1e-6)) - grid[2]) * grid[3], 0.0), columns - 1.0)
    i, j = min(int(u), rows - 2), min(int(v), columns - 2)
    u, v = u - i, v - j
    low = table[i, j] + v * (table[i, j + 1] - table[i, j])
    high = table[i + 1, j] + v * (table[i + 1, j + 1] - table[i + 1, j])
    return low + u * (high - low)


@kernel
def best_after(times, numbers, count, assessment):
    """Write the best kill probability among the shots that start once each one has been assessed, and its end.

    Rows of `times` and `numbers` as in `shots_on`, starts rising; 0 and 0 where no second shot fits; the earliest of
    equals.
    """
    for k in range(count - 1, -1, -1):  # the best shot from each row on
        times[5, k] = k
        if k + 1 < count and numbers[1, k] < numbers[1, times[5, k + 1]]:
            times[5, k] = times[5, k + 1]
    for k in range(count):
        ready = times[2, k] + assessment
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            if times[0, middle] < ready:
                low = middle + 1
            else:
                high = middle
        numbers[2, k], times[3, k] = 0.0, 0
        if low < count:
            found = times[5, low]
            numbers[2, k], times[3, k] = numbers[1, found], times[2, found]
