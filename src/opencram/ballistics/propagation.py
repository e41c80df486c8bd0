"""Flights abreast: the one place that knows about lanes.

A lane array (10, LANES) holds one flight a column: position (m), velocity (m/s), log ballistic
coefficient, wind added east and north (m/s), spin-drift constant (m/s).  The loop over lanes is
innermost, without branches, and the compiler turns it into vector instructions.
"""

import math

import numpy as np

from opencram.ballistics.environment import altitude, surface
from opencram.ballistics.lanes import LANES, lane_block
from opencram.ballistics.motion import air_among, air_of, air_row, rk4_in
from opencram.kernel import helper, kernel

LN_BETA, WIND_E, WIND_N, SPIN = 6, 7, 8, 9
STATES = 10
_PIECES_MAX = 256.0  # of one step over terrain
_START, _END = 6, 7  # rows of heights behind the six of motion
_NONE, _ONE, _THREE = np.uint64(0), np.uint64(1), np.uint64(3)
_MACH_LOW, _MACH_HIGH = 0.8, 1.3  # drag curves bend within; rounds slow down, so more room is left above


@kernel
def advance(x, dt, steps, env, cd):
    """Fly the lanes of `x` (10, LANES) on by `steps` steps of `dt` seconds (either sign), in place."""
    lanes = np.empty((STATES, LANES))
    for row in range(STATES):
        for i in range(LANES):
            lanes[row, i] = x[row, i] if row != LN_BETA else exponential(-x[row, i])
    fly(lanes, dt, steps, env, cd)
    for row in range(6):
        for i in range(LANES):
            x[row, i] = lanes[row, i]


@kernel
def fly(lanes, dt, steps, env, cd):
    """Do what `advance` does with lanes whose row `LN_BETA` holds the reciprocal ballistic coefficient.

    Compiled once and called by all that fly sigma points: the work is a hundred times the call.
    """
    block = lane_block()
    for row in range(STATES):
        for i in range(LANES):
            block[row, i] = lanes[row, i]
    for _ in range(steps):
        _step(block, dt, env, cd)
    for row in range(6):
        for i in range(LANES):
            lanes[row, i] = block[row, i]


@helper
def exponential(y):
    """Return e to the power of `y`, in arithmetic that runs in lanes.

    Valid: |y| up to 14.  Error: under 1e-11 relative (tests/ballistics/test_propagation.py).
    """
    part = y * (1.0 / 1024.0)
    power = 1.0 + part * (1.0 + part * (0.5 + part * (1.0 / 6.0 + part * (1.0 / 24.0 + part / 120.0))))
    for _ in range(10):
        power *= power
    return power


@helper
def _rows_near(block, env):
    """Return the lowest of three rows of `env.air` about the first lane, and whether all lanes are in one of them."""
    row, top = air_row(block[0, 0], block[1, 0], block[2, 0], env), np.uint64(env.air.shape[0] - 3)
    low = row - _ONE if row > _NONE else _NONE
    low = low if low < top else top
    count = 0
    for i in range(LANES):
        # Unsigned: a row below the lowest is far above it.
        count += 1 if air_row(block[0, i], block[1, i], block[2, i], env) - low < _THREE else 0
    return low, count == LANES


@helper
def _step(block, dt, env, cd):
    """Fly all lanes of a block from `lane_block` on by one step; the same numbers either way."""
    low, all_near = _rows_near(block, env)
    if all_near:
        _step_near(block, low, dt, env, cd)
    else:
        for i in range(LANES):
            row = air_row(block[0, i], block[1, i], block[2, i], env)
            _step_lane(block, i, row, air_of(row, env), dt, env, cd)


@helper
def _step_near(block, low, dt, env, cd):
    """Fly all lanes on by one step that begins in the three rows of `env.air` from `low` on."""
    near = air_of(low, env), air_of(low + _ONE, env), air_of(low + _ONE + _ONE, env)
    for i in range(LANES):
        row = air_row(block[0, i], block[1, i], block[2, i], env)
        _step_lane(block, i, row, air_among(row, low, near), dt, env, cd)


@helper
def _step_lane(block, i, row, air, dt, env, cd):
    """Fly one lane on by one step that begins in this row of `env.air`, which holds these numbers."""
    e, n, u, ve, vn, vu = rk4_in(
        block[0, i], block[1, i], block[2, i], block[3, i], block[4, i], block[5, i], block[LN_BETA, i],
        block[WIND_E, i], block[WIND_N, i], block[SPIN, i], row, air, dt, env, cd,
    )  # fmt: skip
    block[0, i] = e
    block[1, i] = n
    block[2, i] = u
    block[3, i] = ve
    block[4, i] = vn
    block[5, i] = vu


@kernel
def to_ground(x, dt, t_max, env, cd, landed):
    """Fly the lanes of `x` (10, LANES) to the ground; write time (s), position, velocity to `landed` (7, LANES).

    Constant ground is met in ellipsoidal height, on the way down, at the root of the cubic Hermite
    polynomial between two steps; terrain where a flight first passes below it, up or down, after it was
    above.  Returns the number of lanes that landed within `t_max`; the others hold NaN.  A lane that starts
    at or below the ground going down lands at time 0.

    Error: under 0.05 m at dt 0.25 s, 0.5 m at 0.5 s (tests/ballistics).
    """
    return fall(x, dt, 1, t_max, env, cd, landed)


@kernel
def fall(x, dt, stride, t_max, env, cd, landed):
    """Do what `to_ground` does, by steps of `dt` about the speed of sound and of `stride` times `dt` elsewhere.

    Drag has its knees about the speed of sound and is smooth elsewhere, so that long steps cost nothing there.  The
    flights of a block are near each other (sigma points, or one flight): the first lane chooses for all.

    Error: with dt 0.25 s and stride 4, 0.2 m at most, 0.01 m at the median (tests/ballistics/test_propagation.py).
    """
    block = lane_block()
    before = lane_block()  # the block of the step's start; in its rows behind, the heights of its start and end
    for row in range(STATES):
        for i in range(LANES):
            block[row, i] = x[row, i]
    for i in range(LANES):
        block[LN_BETA, i] = exponential(-x[LN_BETA, i])
    hilly = env.terrain.shape[0] > 1
    ceiling = max(env.terrain_top_m, env.ground_m)
    count = 0
    for i in range(LANES):
        before[_END, i] = altitude(block[0, i], block[1, i], block[2, i], env)
        down = before[_END, i] <= surface(block[0, i], block[1, i], env) and block[5, i] <= 0.0
        count += 1 if down else 0
        landed[0, i] = 0.0 if down else math.nan
        for row in range(6):
            landed[1 + row, i] = block[row, i] if down else math.nan
    ticks = 0
    last = int(math.ceil(t_max / dt))
    while ticks < last and count < LANES:
        went = stride if stride > 1 and _far_from_sound(block, env) else 1
        h = went * dt
        _step_from(block, before, h, env, cd)
        near = 0
        for i in range(LANES):  # counted, not the least of them sought: that has an order, and would not go in lanes
            near += 1 if before[_END, i] <= ceiling else 0
        t = ticks * dt
        ticks += went
        if near == 0 and not hilly:
            continue
        for i in range(LANES):
            above, below = before[_START, i], before[_END, i]
            if min(above, below) > ceiling or not math.isnan(landed[0, i]):
                continue
            if hilly:
                count += _meet_terrain(before, block, i, h, t, env, landed)
            elif below <= env.ground_m and block[5, i] < 0.0:
                _land(before, block, i, above - env.ground_m, below - env.ground_m, h, t, landed)
                count += 1
    return count


@helper
def _far_from_sound(block, env):
    """Return whether the first lane is far from the speed of sound; not so for what is no number."""
    ve, vn, vu = block[3, 0], block[4, 0], block[5, 0]
    mach = math.sqrt(ve * ve + vn * vn + vu * vu) * env.air[air_row(block[0, 0], block[1, 0], block[2, 0], env), 3]
    return mach < _MACH_LOW or mach > _MACH_HIGH


@helper
def _step_from(block, before, dt, env, cd):
    """Do what `_step` does, and keep in `before` where the step began, and its heights."""
    for i in range(LANES):
        for row in range(6):
            before[row, i] = block[row, i]
        before[_START, i] = before[_END, i]
    _step(block, dt, env, cd)
    for i in range(LANES):
        before[_END, i] = altitude(block[0, i], block[1, i], block[2, i], env)


@kernel
def _meet_terrain(before, after, i, dt, t, env, landed):
    """Look along a step of lane `i`, begun at `t`, for the first point below the terrain; return 1 and write it, or 0.

    Points half a cell apart are tried, so that no ridge between two steps is flown through, and the contact
    is then halved down to a millimetre.
    """
    across = math.hypot(after[0, i] - before[0, i], after[1, i] - before[1, i]) * env.terrain_inverse_1_m
    pieces = int(min(max(math.ceil(2.0 * across), 1.0), _PIECES_MAX)) if across < math.inf else 1
    last = 0.0
    was = _clearance(before, after, i, 0.0, dt, env)
    for j in range(pieces):
        part = (j + 1.0) / pieces
        now = _clearance(before, after, i, part, dt, env)
        falling = _hermite_slope(before[2, i], before[5, i] * dt, after[2, i], after[5, i] * dt, part) < 0.0
        if now <= 0.0 and (was > 0.0 or falling):
            low, high = last, part
            while was > 0.0 and high - low > 1e-6:
                middle = 0.5 * (low + high)
                if _clearance(before, after, i, middle, dt, env) > 0.0:
                    low = middle
                else:
                    high = middle
            _write_landing(before, after, i, 0.5 * (low + high) if was > 0.0 else last, dt, t, landed)
            return 1
        last, was = part, now
    return 0


@helper
def _clearance(before, after, i, part, dt, env):
    """Return the height (m) over the ground at a share of one step of lane `i`."""
    e = _hermite(before[0, i], before[3, i] * dt, after[0, i], after[3, i] * dt, part)
    n = _hermite(before[1, i], before[4, i] * dt, after[1, i], after[4, i] * dt, part)
    u = _hermite(before[2, i], before[5, i] * dt, after[2, i], after[5, i] * dt, part)
    return altitude(e, n, u, env) - surface(e, n, env)


@helper
def _land(before, after, i, above, below, dt, t, landed):
    """Write the state at the root of the height between two steps (Newton on the Hermite cubic)."""
    part = 1.0 if above <= below else min(max(above / (above - below), 0.0), 1.0)
    slope_0 = before[5, i] * dt
    slope_1 = after[5, i] * dt
    for _ in range(4):
        value = _hermite(above, slope_0, below, slope_1, part)
        slope = _hermite_slope(above, slope_0, below, slope_1, part)
        if slope < 0.0:
            part = min(max(part - value / slope, 0.0), 1.0)
    _write_landing(before, after, i, part, dt, t, landed)


@helper
def _write_landing(before, after, i, part, dt, t, landed):
    """Write the state at a share of the step between two blocks."""
    landed[0, i] = t + part * dt
    for axis in range(3):
        at_0, at_1 = before[axis, i], after[axis, i]
        run_0, run_1 = before[3 + axis, i] * dt, after[3 + axis, i] * dt
        landed[1 + axis, i] = _hermite(at_0, run_0, at_1, run_1, part)
        landed[4 + axis, i] = _hermite_slope(at_0, run_0, at_1, run_1, part) / dt


@helper
def _hermite(y0, d0, y1, d1, t):
    """Return the cubic Hermite polynomial at `t` in [0, 1]; `d0`, `d1` are slopes times the step."""
    s = 1.0 - t
    return s * s * ((1.0 + 2.0 * t) * y0 + t * d0) + t * t * ((3.0 - 2.0 * t) * y1 - s * d1)


@helper
def _hermite_slope(y0, d0, y1, d1, t):
    """Return the derivative of the cubic Hermite polynomial by `t`."""
    s = 1.0 - t
    return 6.0 * t * s * (y1 - y0) + s * (1.0 - 3.0 * t) * d0 + t * (3.0 * t - 2.0) * d1
