"""Plots of a rocket whose motor still burns: which of a track's first plots they are, so that no fit takes them.

The flight models of the bank coast.  Plots of a burning motor, a second or two at the beginning, fit none of them, and
an estimate that takes them all is wrong for long after.  So where a young track fits badly, later beginnings are tried:
the plots from there on by the flight model, those before by a body that accelerates evenly up to that moment, flown
backwards from where the flight begins.  What explains all plots best is believed.

Source: C. K. Carter, R. Kohn, "On Gibbs sampling for state space models", Biometrika 81 (1994), section 1, for change
points by the evidence of both parts; the accelerating body: S. Blackman, R. Popoli, "Design and Analysis of Modern
Tracking Systems" (1999), section 4.2.
"""

import math

import numpy as np
from numpy.typing import NDArray

from opencram.ballistics.propagation import STATES
from opencram.estimation.linear import cholesky
from opencram.kernel import kernel
from opencram.tracking.bank import fit_model, unbiased, whole_weights
from opencram.tracking.errors import KEPT, POLAR
from opencram.tracking.filter import carry
from opencram.tracking.otherwise import along_axes
from opencram.tracking.plausible import GRAVITY_M_S2
from opencram.tracking.world import World

Array = NDArray[np.float64]
Plots = tuple[NDArray[np.int64], NDArray[np.int64], Array, Array]  # times (ns), sensors, z and weights (n, 4)

ACCELERATION_M_S2_STD = 250.0  # of a burning motor, on each axis: 2 s to 600 m/s is 300, 0.6 s to 380 m/s 600
_BURN_S_MAX = 6.0
_PLOTS_AFTER = 5  # what must be left to fit a flight to
_TRIES = 8
_LOG_GAIN = 8.0  # that most rounds have burnt out when they are first seen, and that any moment would do


def burnt_out(
    constants: World,
    errors: Array,
    plots: Plots,
    state: Array,
    model: int,
    t_ns: int,
    biases: tuple[Array, Array],
) -> int | None:
    """Return the time (ns) of the first plot after burn-out, None where coasting all the way explains plots better.

    `plots` as `history.window` gives them; `state` (10): of flight model `model` at `t_ns`, however wrong.  `biases` as
    `bank.fit_model` takes them, of every sensor or of none: raises `ValueError` otherwise, for compiled code would not.
    """
    if len(biases[0]) not in (0, POLAR * len(errors)):
        raise ValueError(f"{len(biases[0])} biases of {len(errors)} sensors: must be {POLAR} for each, or none")
    times_ns, sensors, z, weights = plots
    last = min(len(times_ns) - _PLOTS_AFTER, int(np.searchsorted(times_ns, times_ns[0] + round(_BURN_S_MAX * 1e9))))
    if last < 1:
        return None
    whole = whole_weights(sensors, weights, errors)
    best, found = _log_weight(constants, errors, plots, 0, state, model, t_ns, biases)[0], None
    if not math.isfinite(best):
        best = -math.inf
    best += _LOG_GAIN
    for k in np.unique(np.linspace(1, last, _TRIES).astype(int)).tolist():
        coasting, x, p = _log_weight(constants, errors, plots, k, state, model, t_ns, biases)
        if not math.isfinite(coasting):
            continue
        seen = unbiased(z, sensors, x[STATES:]) if len(x) > STATES else z
        ages_s = (times_ns[:k] - times_ns[k]) * 1e-9
        radars = constants.rotations, constants.origins
        total = coasting + float(log_thrust(ages_s, sensors[:k], seen[:k], whole[:k], x, p, *radars))
        if total > best:
            best, found = total, int(times_ns[k])
    return found


def _log_weight(
    constants: World,
    errors: Array,
    plots: Plots,
    first: int,
    state: Array,
    model: int,
    t_ns: int,
    biases: tuple[Array, Array],
) -> tuple[float, Array, Array]:
    """Return the log weight of a flight model from plot `first` on, its parameters there and their covariance."""
    times_ns, sensors, z, weights = (column[first:] for column in plots)
    size = STATES + len(biases[0])
    x, p = np.concatenate([state, biases[0]]), np.diag(np.full(size, 1e-6))
    slow = np.empty((len(errors), POLAR, KEPT))
    if not carry(x, p, -(t_ns - int(times_ns[0])) * 1e-9, constants.env, constants.bank.curves[model]):
        return math.nan, x, p
    times = (times_ns - times_ns[0]) * 1e-9
    weight = fit_model(
        model, x, times, sensors, z, weights, constants.env, constants.bank, constants.rotations, constants.origins,
        errors, biases, p, slow,
    )  # fmt: skip
    return float(weight), x, p


@kernel
def log_thrust(ages_s, sensors, z, weights, x, p, rotations, origins):
    """Return the log likelihood of plots (n, 4) at `ages_s` (n; negative, ascending) of a body that is at `x` at 0.

    `x` (6 or more) and `p`: position and velocity first.  It accelerates evenly, beside gravity; comparable with the
    evidence of fits: relative to the plots' own noise.  NaN where the covariance breaks.
    """
    mean, covariance = np.zeros(9), np.zeros((9, 9))
    for i in range(6):
        mean[i] = x[i]
        for j in range(6):
            covariance[i, j] = p[i, j]
        covariance[6 + i // 2, 6 + i // 2] = ACCELERATION_M_S2_STD * ACCELERATION_M_S2_STD
    cross, white, spread, off = np.empty((9, 3)), np.empty((9, 3)), np.empty((3, 3)), np.empty(3)
    place, axes, sizes = np.empty(3), np.empty((3, 3)), np.empty(3)
    total = 0.0
    for k in range(ages_s.shape[0] - 1, -1, -1):
        t = ages_s[k]
        half = 0.5 * t * t
        along_axes(z[k], rotations[sensors[k]], origins[sensors[k]], place, axes)
        sizes[0], sizes[1], sizes[2] = 1.0, z[k, 0] * max(math.cos(z[k, 2]), 1e-3), z[k, 0]
        log_noise = 0.0
        for m in range(3):
            sizes[m] = (sizes[m] / weights[k, m]) ** 2
            log_noise += math.log(sizes[m])
        for i in range(9):
            for a in range(3):
                cross[i, a] = covariance[i, a] + t * covariance[i, 3 + a] + half * covariance[i, 6 + a]
        for a in range(3):
            off[a] = place[a] - mean[a] - t * mean[3 + a] - half * mean[6 + a]
            for b in range(3):
                spread[a, b] = cross[a, b] + t * cross[3 + a, b] + half * cross[6 + a, b]
                for m in range(3):
                    spread[a, b] += axes[m, a] * axes[m, b] * sizes[m]
        off[2] += half * GRAVITY_M_S2
        log_spread = cholesky(spread, 3)
        distance = 0.0
        for a in range(3):
            for l in range(a):
                off[a] -= spread[a, l] * off[l]
            off[a] /= spread[a, a]
            distance += off[a] * off[a]
            for i in range(9):
                white[i, a] = cross[i, a]
                for l in range(a):
                    white[i, a] -= spread[a, l] * white[i, l]
                white[i, a] /= spread[a, a]
        total -= 0.5 * (distance + log_spread - log_noise)
        for i in range(9):
            for a in range(3):
                mean[i] += white[i, a] * off[a]
            for j in range(9):
                for a in range(3):
                    covariance[i, j] -= white[i, a] * white[j, a]
    return total
