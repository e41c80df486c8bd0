"""What can wait: where nothing is at stake, a projectile has to be surer before it is said to be one.

A false alarm costs what it costs, wherever it comes from; a late one costs only where a round comes down.  So what
will surely land far from all that is defended is told once hardly anything else can be left, or after some seconds;
what may come down nearer, as soon as it is likely.  Most of what is taken for a round by its first plots are jets in a
climb or dive far out, and chains of plots of several tracers or birds: hardly any of them points at the site.
"""

import math

import numpy as np

from opencram.kernel import kernel
from opencram.tracking.filter import carry
from opencram.tracking.plausible import GRAVITY_M_S2, height

_TURNS = 4  # of the way to the ground
_DEVIATIONS = 3.0
_FROM_M = 100.0  # what is nearer to a place than that may still be going anywhere
_SINK_M_S_MIN = 5.0  # what comes down more gently is not known to come down anywhere
_SECONDS_MAX = 300.0


@kernel
def landing(x, p, env, curve):
    """Return where a flight at `x` (n) with covariance `p` (n, n) comes down, east and north (m), and its deviation.

    The deviation (m) is that along the longer axis; infinite if the flight does not reach the ground soundly.
    """
    state, covariance = x.copy(), p.copy()
    for _ in range(_TURNS):
        above, up = height(state, env), state[5]
        reach = up * up + 2.0 * GRAVITY_M_S2 * above
        seconds = (up + math.sqrt(reach)) / GRAVITY_M_S2 if reach > 0.0 else 0.0
        if above < 0.0:  # drag has made the flight shorter than it would be in a vacuum
            seconds = above / max(-up, _SINK_M_S_MIN)
        if not abs(seconds) < _SECONDS_MAX or not carry(state, covariance, seconds, env, curve):
            return state[0], state[1], math.inf
    if state[5] > -_SINK_M_S_MIN or abs(height(state, env)) > 20.0:
        return state[0], state[1], math.inf
    shares = np.zeros((2, 3))
    for i in range(2):
        shares[i, i] = 1.0
        shares[i, 2] = -state[3 + i] / state[5]
    spread = np.zeros((2, 2))
    for i in range(2):
        for j in range(2):
            for a in range(3):
                for b in range(3):
                    spread[i, j] += shares[i, a] * covariance[a, b] * shares[j, b]
    middle, half = 0.5 * (spread[0, 0] + spread[1, 1]), 0.5 * (spread[0, 0] - spread[1, 1])
    return state[0], state[1], math.sqrt(max(middle + math.sqrt(half * half + spread[0, 1] * spread[1, 0]), 0.0))


@kernel
def leaves(x, p, place, margin_m):
    """Return whether a flight at `x` (n) is outside a circle (3) by `margin_m`, and surely flies away from it.

    Nothing turns a round round; of what has been seen for a second, that is known before where it comes down.
    """
    east, north = x[0] - place[0], x[1] - place[1]
    away = math.sqrt(east * east + north * north)
    if not away > max(place[2] + margin_m, _FROM_M):
        return False
    east, north = east / away, north / away
    speed = east * x[3] + north * x[4]
    variance = east * east * p[3, 3] + 2.0 * east * north * p[3, 4] + north * north * p[4, 4]
    return speed > _DEVIATIONS * math.sqrt(max(variance, 0.0))


@kernel
def harmless(x, p, models, env, curves, defended, margin_m):
    """Return whether flights (w, n) of these models all come down far from all that is `defended`, or leave it.

    `defended` (m, 3): circles, east, north and radius (m).  Far: by `margin_m` and three deviations.
    """
    for i in range(models.shape[0]):
        east, north, std = landing(x[i], p[i], env, curves[models[i]])
        for j in range(defended.shape[0]):
            if leaves(x[i], p[i], defended[j], margin_m):
                continue
            away = math.sqrt((east - defended[j, 0]) ** 2 + (north - defended[j, 1]) ** 2) - defended[j, 2]
            if not away > margin_m + _DEVIATIONS * std:
                return False
    return True
