"""The next round of a ripple: what begins in a crowd, where another round has just passed, may fly as that one does.

Rounds fired a few tenths of a second apart come over the horizon nearer to one another than they fly between two
scans.  A candidate that could go anywhere then takes the plot of its neighbour as readily as its own.  One that is
expected to fly like the round before it does not; it stands beside the other, and the plots decide.
"""

import math

import numpy as np

from opencram.kernel import helper, kernel
from opencram.tracking.candidates import SIX, cartesian, move
from opencram.tracking.ordering import mapped, within

_CROWD_M = 200.0  # nearer than this to another, a plot may be of either: two scans of a fast round at 10 Hz
_AHEAD_S, _BEHIND_S = -1.0, 6.0  # by how much the other may fly behind and ahead
_MISS_M, _MISS_M_S = 60.0, 20.0  # how far its path may pass, and how much further for each second
# Rounds of one salvo differ by a few m/s and leave by 10 mrad in different directions; what is left of drag and of
# another launcher's elevation grows with the time between them.
_VELOCITY_M_S_STD, _VELOCITY_M_S2_STD = 20.0, 4.0


@kernel
def _crowd(positions, bodies, crowded):
    """Write of each position (m, 3) whether any of the `bodies` (n, 3 or more) is near it, in place; it stays if so.

    Infinite positions are near nothing.
    """
    edges, first, order = mapped(positions)
    reached = np.empty(positions.shape[0], dtype=np.int64)
    for k in range(bodies.shape[0]):
        for at in range(within(reached, edges, first, order, bodies[k, 0], bodies[k, 1], _CROWD_M, _CROWD_M)):
            apart = 0.0
            for i in range(3):
                apart += (bodies[k, i] - positions[reached[at], i]) ** 2
            if apart < _CROWD_M * _CROWD_M:
                crowded[reached[at]] = True


@helper
def _passed(position, body, state, room):
    """Fly `body` (6) back to where it was nearest to a position (3), in `state` (6); return how long ago, and how far.

    `room` (6, 6) is written over.
    """
    ago_s = 0.0
    for turn in range(3):
        for i in range(SIX):
            state[i] = body[i]
        move(state, room, -ago_s, 1.0, 0.0)
        along, speed_2 = 0.0, 1e-9
        for i in range(3):
            along += (state[i] - position[i]) * state[3 + i]
            speed_2 += state[3 + i] * state[3 + i]
        if turn < 2:
            ago_s = min(max(ago_s + along / speed_2, _AHEAD_S), _BEHIND_S)
    miss = 0.0
    for i in range(3):
        miss += (state[i] - position[i]) ** 2
    return ago_s, math.sqrt(miss)


@kernel
def followers(z, variances, free, rotation, origin, x, owner, candidates):
    """Return of each plot (m) the velocity (m, 4) of the track that passed there, and its deviation; NaN: none did.

    Only plots that are `free` and near a track or a candidate are asked.  `x` (rows, 6 or more) and `owner` (rows):
    the tracks, the rows of each together; `candidates` (n, 6).
    """
    m = z.shape[0]
    found = np.full((m, 4), math.nan)
    if not x.shape[0]:
        return found
    positions, noise, crowded = np.full((m, 3), math.inf), np.empty((3, 3)), np.zeros(m, dtype=np.bool_)
    for j in range(m):
        if free[j]:
            cartesian(z[j], variances[j], rotation, origin, positions[j], noise)
    _crowd(positions, candidates, crowded)
    _crowd(positions, x, crowded)
    state, room = np.empty(SIX), np.zeros((SIX, SIX))
    for j in range(m):
        if not crowded[j]:
            continue
        nearest, before = math.inf, -1
        for r in range(x.shape[0]):
            if owner[r] == before:
                continue
            before = owner[r]
            ago_s, miss = _passed(positions[j], x[r], state, room)
            miss -= _MISS_M_S * abs(ago_s)
            if miss < _MISS_M and miss < nearest:
                nearest = miss
                for i in range(3):
                    found[j, i] = state[3 + i]
                found[j, 3] = _VELOCITY_M_S_STD + _VELOCITY_M_S2_STD * abs(ago_s)
    return found
