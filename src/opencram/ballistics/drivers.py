"""Many flights to the ground at once: one at a time, in lanes, or in lanes on several threads.

All three fly the same equations and give the same answers; the tests hold them together.  States are rows here,
(n, 10): position (m), velocity (m/s), log ballistic coefficient, wind added east and north (m/s), spin-drift
constant (m/s).
"""

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opencram.ballistics.environment import Environment, altitude, surface
from opencram.ballistics.lanes import LANES
from opencram.ballistics.motion import rk4
from opencram.ballistics.propagation import LN_BETA, SPIN, STATES, WIND_E, WIND_N, _land, _meet_terrain, to_ground
from opencram.kernel import kernel

Array = NDArray[np.float64]

STEP_S: Final = 0.25
FLIGHT_S_MAX: Final = 300.0  # what has not landed by then is said never to land
_BLOCKS_A_TASK: Final = 16


def land_all(
    states: ArrayLike,
    env: Environment,
    cd: Array,
    *,
    dt: float = STEP_S,
    t_max: float = FLIGHT_S_MAX,
    threads: int = 1,
) -> Array:
    """Return time (s), position and velocity at the ground (n, 7) of flights (n, 10).

    A row of NaN tells that a flight does not land within `t_max`, or that its state was not finite.  The
    result does not depend on `threads`.
    """
    rows = np.ascontiguousarray(np.atleast_2d(np.asarray(states, dtype=np.float64)))
    if rows.ndim != 2 or rows.shape[1] != STATES:
        raise ValueError(f"states must be (n, {STATES}), not {rows.shape}")
    landed = np.empty((len(rows), 7))
    width = LANES * _BLOCKS_A_TASK
    firsts = range(0, len(rows), width)
    if threads <= 1 or len(firsts) <= 1:
        _land_rows(rows, landed, dt, t_max, env, cd)
        return landed
    with ThreadPoolExecutor(threads) as pool:
        tasks = [
            pool.submit(_land_rows, rows[k : k + width], landed[k : k + width], dt, t_max, env, cd) for k in firsts
        ]
        for task in tasks:
            task.result()
    return landed


def land_one(
    state: ArrayLike, env: Environment, cd: Array, *, dt: float = STEP_S, t_max: float = FLIGHT_S_MAX
) -> Array:
    """Return what `land_all` does for one flight (7,), without lanes."""
    landed = np.full(7, np.nan)
    _land_scalar(np.array(state, dtype=np.float64), landed, dt, t_max, env, cd)
    return landed


@kernel
def _land_rows(rows, landed, dt, t_max, env, cd):
    """Fly rows (n, 10) to the ground, LANES abreast; the last block is filled up with its first row."""
    lanes = np.empty((STATES, LANES))
    out = np.empty((7, LANES))
    for first in range(0, rows.shape[0], LANES):
        count = min(LANES, rows.shape[0] - first)
        for i in range(LANES):
            for j in range(STATES):
                lanes[j, i] = rows[first + (i if i < count else 0), j]
        to_ground(lanes, dt, t_max, env, cd, out)
        for i in range(count):
            for j in range(7):
                landed[first + i, j] = out[j, i]


@kernel
def _land_scalar(x, landed, dt, t_max, env, cd):
    """Fly one state (10) to the ground."""
    before = np.empty((6, 1))
    after = np.empty((6, 1))
    out = np.full((7, 1), np.nan)
    beta_inverse = math.exp(-x[LN_BETA])
    e, n, u, ve, vn, vu = x[0], x[1], x[2], x[3], x[4], x[5]
    hilly = env.terrain.shape[0] > 1
    ceiling = max(env.terrain_top_m, env.ground_m)
    if altitude(e, n, u, env) - surface(e, n, env) <= 0.0 and vu <= 0.0:
        landed[0] = 0.0
        for j in range(6):
            landed[1 + j] = x[j]
        return True
    for k in range(int(math.ceil(t_max / dt))):
        before[0, 0], before[1, 0], before[2, 0] = e, n, u
        before[3, 0], before[4, 0], before[5, 0] = ve, vn, vu
        above = altitude(e, n, u, env)
        e, n, u, ve, vn, vu = rk4(e, n, u, ve, vn, vu, beta_inverse, x[WIND_E], x[WIND_N], x[SPIN], dt, env, cd)
        below = altitude(e, n, u, env)
        if min(above, below) > ceiling:
            continue
        after[0, 0], after[1, 0], after[2, 0] = e, n, u
        after[3, 0], after[4, 0], after[5, 0] = ve, vn, vu
        down = False
        if hilly:
            down = _meet_terrain(before, after, 0, dt, k * dt, env, out) == 1
        elif below <= env.ground_m and vu < 0.0:
            _land(before, after, 0, above - env.ground_m, below - env.ground_m, dt, k * dt, out)
            down = True
        if down:
            for j in range(7):
                landed[j] = out[j, 0]
            return True
    return False
