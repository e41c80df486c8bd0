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
from opencram.tracking.bank import fit_model, unbiased, whole_weights
from opencram.tracking.errors import KEPT, POLAR
from opencram.tracking.filter import carry
from opencram.tracking.plausible import GRAVITY_M_S2
from opencram.tracking.world import World

Array = NDArray[np.float64]
Plots = tuple[NDArray[np.int64], NDArray[np.int64], Array, Array]  # times (ns), sensors, z and weights (n, 4)

_ACCELERATION_M_S2_STD = 250.0  # of a burning motor, on each axis: 2 s to 600 m/s is 300, 0.6 s to 380 m/s 600
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

    `plots` as `history.window` gives them; `state` (10): of flight model `model` at `t_ns`, however wrong.
    """
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
        total = coasting + _log_thrust(constants, ages_s, sensors[:k], seen[:k], whole[:k], x[:6], p[:6, :6])
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


def _log_thrust(
    constants: World, ages_s: Array, sensors: NDArray[np.int64], z: Array, weights: Array, x: Array, p: Array
) -> float:
    """Return the log likelihood of plots (n) at `ages_s` (negative, ascending) of a body that is at `x` (6) at 0.

    It accelerates evenly, beside gravity; comparable with the evidence of fits: relative to the plots' own noise.
    """
    mean, covariance = np.zeros(9), np.zeros((9, 9))
    mean[:6], covariance[:6, :6] = x, p
    covariance[6:, 6:] = np.eye(3) * _ACCELERATION_M_S2_STD**2
    fall = np.array([0.0, 0.0, -GRAVITY_M_S2])
    total = 0.0
    for k in range(len(ages_s) - 1, -1, -1):
        t = float(ages_s[k])
        by = np.hstack([np.eye(3), t * np.eye(3), 0.5 * t * t * np.eye(3)])
        place, noise = _cartesian(z[k], weights[k], constants.rotations[sensors[k]], constants.origins[sensors[k]])
        off = place - by @ mean - 0.5 * t * t * fall
        spread = by @ covariance @ by.T + noise
        gain = np.linalg.solve(spread, by @ covariance).T
        log_size = np.linalg.slogdet(spread)[1] - np.linalg.slogdet(noise)[1]
        total -= 0.5 * (float(off @ np.linalg.solve(spread, off)) + float(log_size))
        mean = mean + gain @ off
        covariance = covariance - gain @ spread @ gain.T
    return total


def _cartesian(z: Array, weights: Array, rotation: Array, origin: Array) -> tuple[Array, Array]:
    """Return the place (3) of a plot in the site's ENU, and its covariance (3, 3)."""
    sin_a, cos_a, sin_e, cos_e = math.sin(z[1]), math.cos(z[1]), math.sin(z[2]), math.cos(z[2])
    along, across = (cos_e * sin_a, cos_e * cos_a, sin_e), (cos_a, -sin_a, 0.0)
    axes = np.array([along, across, (-sin_e * sin_a, -sin_e * cos_a, cos_e)]) @ rotation
    sizes = np.array([1.0, z[0] * cos_e, z[0]]) / weights[:3]
    return origin + z[0] * axes[0], (axes.T * sizes**2) @ axes
