"""Rounds of a ripple, which fly near one another: how the next one begins, and which are among others.

Rounds fired a few tenths of a second apart come over the horizon nearer to one another than they fly between two
scans.  A candidate that could go anywhere then takes the plot of its neighbour as readily as its own.  One that is
expected to fly like the round before it does not; it stands beside the other, and the plots decide.
"""

import math

import numpy as np

from opencram.kernel import helper, kernel
from opencram.tracking.candidates import SIX, cartesian, innovation, move
from opencram.tracking.history import window
from opencram.tracking.ordering import ascending, mapped, within

_CROWD_M = 200.0  # nearer than this to another, a plot may be of either: two scans of a fast round at 10 Hz
_AHEAD_S, _BEHIND_S = -1.0, 6.0  # by how much the other may fly behind and ahead
_MISS_M, _MISS_M_S = 60.0, 20.0  # how far its path may pass, and how much further for each second
# Rounds of one salvo differ by a few m/s and leave by 10 mrad in different directions; what is left of drag and of
# another launcher's elevation grows with the time between them.
_VELOCITY_M_S_STD, _VELOCITY_M_S2_STD = 20.0, 4.0
_ALIKE = 0.15  # of the speed: by how much the velocity of another may differ; a young candidate's is so uncertain

# How well a track says where its round was, and how fast that is forgotten; chi squared of a plot of that round (99 %);
# and the share of its plots from which a body is made of others' plots.  Radars miss one in ten of a neighbour's.
_PATH_M_STD, _PATH_M_S_STD, _ON_THE_PATH, _CHAIN_SHARE = 5.0, 4.0, 11.3, 0.6


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


@kernel
def in_a_wake(x, flown, owner):
    """Return whether a body at `x` (6) flies as most tracks do, or did, that come or came by there.

    `flown` (rows, 6 or more) and `owner` (rows): the tracks, the rows of each together.
    """
    state, room = np.empty(SIX), np.zeros((SIX, SIX))
    before, alike, passed = -1, 0, 0
    for r in range(flown.shape[0]):
        if owner[r] == before:
            continue
        before = owner[r]
        ago_s, miss = _passed(x, flown[r], state, room)
        if not miss < _MISS_M + _MISS_M_S * abs(ago_s):
            continue
        off, speed = 0.0, 0.0
        for i in range(3, SIX):
            off += (state[i] - x[i]) ** 2
            speed += state[i] * state[i]
        passed += 1
        alike += off < _ALIKE * _ALIKE * speed
    return 2 * alike > passed


@kernel
def is_chain(t_ns, plots, flown, owner, lasts, table, plots_max, rotations, origins):
    """Return whether most plots of a body are those that tracks should have had when they flew there, and have not.

    `plots`: times (ns), sensors, measurements and weights, as `history.window` gives them, before `t_ns`.  `flown`
    (rows, 6 or more) and `owner` (rows): the tracks at `t_ns`; `lasts` (tracks): their newest plots in `table`.

    A chain takes a plot of each round in turn, where all of them come over the horizon, and flies slower than they.
    The next round of a ripple has plots beside theirs.
    """
    times_ns, sensors, z, weights = plots
    n = times_ns.shape[0]
    taken, had = np.zeros(n, dtype=np.bool_), np.empty(n, dtype=np.bool_)
    state, room, p = np.empty(SIX), np.zeros((SIX, SIX)), np.zeros((SIX, SIX))
    position, noise, factor, v = np.empty(3), np.empty((3, 3)), np.empty((3, 3)), np.empty(3)
    before = -1
    for r in range(flown.shape[0]):
        if owner[r] == before:
            continue
        before = owner[r]
        theirs_ns, their_sensors, _, _ = window(table, lasts[before], plots_max, times_ns[0])
        had[:] = False
        for i in range(theirs_ns.shape[0]):
            for j in range(np.searchsorted(times_ns, theirs_ns[i]), n):
                if times_ns[j] != theirs_ns[i]:
                    break
                had[j] = had[j] or sensors[j] == their_sensors[i]
        for j in range(n):
            if taken[j] or had[j]:
                continue
            ago_s = (t_ns - times_ns[j]) * 1e-9
            for i in range(SIX):
                state[i] = flown[r, i]
            move(state, room, -ago_s, 1.0, 0.0)
            cartesian(z[j], weights[j, :3] ** -2.0, rotations[sensors[j]], origins[sensors[j]], position, noise)
            for i in range(3):
                v[i] = position[i] - state[i]
                p[i, i] = (_PATH_M_STD + _PATH_M_S_STD * ago_s) ** 2
            innovation(p, noise, v, factor)
            taken[j] = v[0] * v[0] + v[1] * v[1] + v[2] * v[2] < _ON_THE_PATH
    return taken.sum() > _CHAIN_SHARE * n


@kernel
def among_others(x, others, near_m):
    """Return which of the bodies `x` (n, 3 or more) have another of them, or one of `others` (m, 3 or more), near.

    Near: less than `near_m` away along each of the three axes.
    """
    n, m = x.shape[0], others.shape[0]
    among = np.zeros(n, dtype=np.bool_)
    east = np.empty(n + m)
    for k in range(n + m):
        east[k] = x[k, 0] if k < n else others[k - n, 0]
    order = ascending(east)
    for i in range(n + m):
        a = order[i]
        for j in range(i + 1, n + m):
            b = order[j]
            if not east[b] - east[a] < near_m:
                break
            if (a >= n or among[a]) and (b >= n or among[b]):
                continue
            near = True
            for axis in (1, 2):
                one = x[a, axis] if a < n else others[a - n, axis]
                other = x[b, axis] if b < n else others[b - n, axis]
                near = near and abs(other - one) < near_m
            if near:
                if a < n:
                    among[a] = True
                if b < n:
                    among[b] = True
    return among
