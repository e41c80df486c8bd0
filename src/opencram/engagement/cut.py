"""Windows of fire, compiled: a predicted path cut into the shots that one effector could take.

Times are integer nanoseconds; each function writes into arrays that it is given.
"""

import math

import numpy as np

from opencram.kernel import helper, kernel

FREE, OUT_OF_RANGE, TOO_LOW, TOO_LATE = 0, 1, 2, 3


@kernel
def hermite(points, spacing_ns, t_ns, times, positions):
    """Write the path at each time: cubic Hermite between equally spaced points, slopes by central differences."""
    last = len(points) - 1
    for i in range(len(times)):
        u = (times[i] - t_ns) / spacing_ns
        k = min(int(u), last - 1)
        f = u - k
        for axis in range(3):
            low, high = points[k, axis], points[k + 1, axis]
            chord = high - low
            leave, arrive = _slope(points, k, axis, last), _slope(points, k + 1, axis, last)
            bend = (1.0 - f) * (leave - chord) - f * (arrive - chord)
            positions[i, axis] = low + f * chord + f * (1.0 - f) * bend


@helper
def _slope(points, k, axis, last):
    """Return the derivative at point `k` per spacing, exact for parabolas."""
    if last == 1:
        return points[1, axis] - points[0, axis]
    if k == 0:
        return 2.0 * (points[1, axis] - points[0, axis]) - 0.5 * (points[2, axis] - points[0, axis])
    if k == last:
        return 2.0 * (points[k, axis] - points[k - 1, axis]) - 0.5 * (points[k, axis] - points[k - 2, axis])
    return 0.5 * (points[k + 1, axis] - points[k - 1, axis])


@kernel
def shots_on(path_t_ns, position, height_m, place, limits, spans, table_m, table_p, times, numbers):
    """Write every shot that meets the path within limits; return their count, what left none, and the closest range.

    `limits`: range from and to (m), speed (m/s), decay (m), least flight (s), least height (m); `spans`: reaction (ns),
    half a burst (ns and in rows of the path), no fire before (ns), assessment (ns).  `times`: start, fire, done, end of
    the best second shot, row of the path; `numbers`: slant range, kill probability, that of the best second shot.
    """
    near_m, far_m, speed, decay_m, flight_s_min, low_m = limits
    reaction, half, margin, earliest, assessment = spans
    size = len(path_t_ns)
    slant, flight_s, inside = np.empty(size), np.empty(size), np.zeros(size, dtype=np.uint8)
    closest = math.inf
    for i in range(size):
        east, north, up = position[i, 0] - place[0], position[i, 1] - place[1], position[i, 2] - place[2]
        slant[i] = math.sqrt(east * east + north * north + up * up)
        closest = min(closest, slant[i])
        reach = min(slant[i], far_m)
        flight_s[i] = reach / speed if math.isinf(decay_m) else decay_m / speed * math.expm1(reach / decay_m)
        inside[i] = near_m <= slant[i] <= far_m and flight_s[i] >= flight_s_min
    count, in_range, high = 0, False, False
    for i in range(margin, size - margin):
        if not (inside[i - margin] and inside[i] and inside[i + margin]):
            continue
        in_range = True
        if height_m[i - margin] < low_m or height_m[i] < low_m or height_m[i + margin] < low_m:
            continue
        high = True
        fire = path_t_ns[i] - half - round(flight_s[i] * 1e9)
        if fire < earliest:
            continue
        start = fire - reaction
        k = count  # in order of start: a round that comes closer is met sooner after a later start
        while k > 0 and times[0, k - 1] > start:
            times[0, k], times[1, k], times[4, k] = times[0, k - 1], times[1, k - 1], times[4, k - 1]
            k -= 1
        times[0, k], times[1, k], times[4, k] = start, fire, i
        count += 1
    for k in range(count):
        i = times[4, k]
        times[2, k] = path_t_ns[i] + half
        numbers[0, k] = slant[i]
        numbers[1, k] = _interpolated(slant[i], table_m, table_p)
    best_after(times[0, :count], numbers[1, :count], times[2, :count], assessment, numbers[2], times[3])
    if count > 0:
        return count, FREE, closest
    return 0, OUT_OF_RANGE if not in_range else TOO_LOW if not high else TOO_LATE, closest


@helper
def _interpolated(x, table_x, table_y):
    """Return the value of an evenly spaced table at `x`; its ends hold beyond them."""
    last = len(table_x) - 1
    u = (x - table_x[0]) / (table_x[last] - table_x[0]) * last
    k = min(max(int(u), 0), last - 1)
    f = min(max(u - k, 0.0), 1.0)
    return table_y[k] + f * (table_y[k + 1] - table_y[k])


@kernel
def best_after(start, kill, done, assessment, again, again_done):
    """Write the best kill probability among the shots that start once each one has been assessed, and its end.

    `start` rises; 0 and 0 where no second shot fits; the earliest of equals.
    """
    size = len(start)
    best = np.zeros(size + 1, dtype=np.int64)  # the best shot from each row on
    best[size] = -1
    for k in range(size - 1, -1, -1):
        following = best[k + 1]
        best[k] = k if following < 0 or kill[k] >= kill[following] else following
    for k in range(size):
        ready = done[k] + assessment
        low, high = 0, size
        while low < high:
            middle = (low + high) // 2
            if start[middle] < ready:
                low = middle + 1
            else:
                high = middle
        found = best[low]
        again[k] = kill[found] if found >= 0 else 0.0
        again_done[k] = done[found] if found >= 0 else 0
