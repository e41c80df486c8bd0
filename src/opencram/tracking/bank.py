"""The class bank of one track: every flight model fitted to its first plots, and "no projectile" beside them."""

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opencram.ballistics.classes import Model
from opencram.tracking.candidates import straight_evidence
from opencram.tracking.fit import fit

Array = NDArray[np.float64]

# A body that does not fall: manoeuvres within 0.4 g level and 0.2 g vertically, flies mostly level, and
# below 300 m/s.  Round numbers for aircraft, helicopters, drones and birds together.
STRAIGHT_ACCELERATION_M_S2_STD = np.array([4.0, 4.0, 2.0])
_STRAIGHT_CLIMB_M_S_STD = 15.0
_STRAIGHT_SPEED_M_S_MAX = 300.0
_ITERATIONS = 8


@dataclass(frozen=True)
class Window:
    """Plots of one track: seconds after the first, sensors, measurements (n, 4), reciprocal deviations (n, 4)."""

    times_s: Array
    sensors: NDArray[np.int64]
    z: Array
    weights: Array


@dataclass(frozen=True)
class Fitted:
    """One model's answer: state (10) and covariance (10, 10) at the first plot, and its log weight, prior included."""

    model: int
    x: Array
    covariance: Array
    log_weight: float


@functools.lru_cache(maxsize=64)
def prior_of(model: Model, wind_m_s_std: float) -> tuple[Array, Array]:
    """Return prior mean (10) and information (10, 10); position and velocity are free but for 1e-10."""
    mean = np.zeros(10)
    mean[6], mean[9] = model.ln_beta, model.spin_m_s
    deviations = np.array([1e5] * 6 + [model.ln_beta_std, wind_m_s_std, wind_m_s_std, model.spin_m_s_std])
    return mean, np.diag(deviations**-2.0)


def _log_speed_density(velocity_m_s: Array, model: Model) -> float:
    """Return the log density of a velocity vector: log-normal speed, any direction."""
    speed = float(np.linalg.norm(velocity_m_s)) + 1.0
    z = (math.log(speed) - math.log(model.speed_m_s)) / model.ln_speed_std
    return -0.5 * z * z - math.log(model.ln_speed_std * math.sqrt(2 * math.pi) * speed * 4 * math.pi * speed * speed)


def fit_models(
    models: tuple[Model, ...],
    wanted: list[tuple[int, Array]],
    window: Window,
    environment: tuple[object, Array, Array, Array],
    wind_m_s_std: float,
) -> list[Fitted]:
    """Return the fit of each wanted (model, starting state) that has a solution.

    `environment`: flight environment, drag curves (models, Mach), sensor rotations and positions.
    """
    env, curves, rotations, origins = environment
    found = []
    for k, start in wanted:
        model = models[k]
        usual, information = prior_of(model, wind_m_s_std)
        mean = np.concatenate([start[:6], usual[6:]])
        x, covariance = start.copy(), np.empty((10, 10))
        evidence, _ = fit(
            x, window.times_s, window.sensors, window.z, window.weights, env, curves[k], rotations, origins,
            mean, information, _ITERATIONS, covariance,
        )  # fmt: skip
        if not math.isfinite(evidence):
            continue
        normaliser = 0.5 * float(np.log(np.diag(information)[6:]).sum())
        weight = evidence + normaliser + math.log(model.prior) + _log_speed_density(x[3:6], model)
        found.append(Fitted(k, x, covariance, weight))
    return found


def straight_log_weight(prior: float, window: Window, environment: tuple[object, Array, Array, Array]) -> float:
    """Return the log weight of "no projectile", comparable with those of `fit_models`."""
    _, _, rotations, origins = environment
    evidence, velocity = straight_evidence(
        window.times_s, window.sensors, window.z, window.weights, rotations, origins, STRAIGHT_ACCELERATION_M_S2_STD
    )
    level = math.hypot(velocity[0], velocity[1])
    beyond = max(0.0, level - _STRAIGHT_SPEED_M_S_MAX) / 50.0
    climb = velocity[2] / _STRAIGHT_CLIMB_M_S_STD
    disc = math.pi * _STRAIGHT_SPEED_M_S_MAX**2
    density = -math.log(disc * _STRAIGHT_CLIMB_M_S_STD * math.sqrt(2 * math.pi))
    return float(evidence + math.log(prior) + density - 0.5 * (climb * climb + beyond * beyond))


def normalised(log_weights: list[float]) -> list[float]:
    """Return the probabilities of log weights."""
    top = max(log_weights)
    weights = [math.exp(weight - top) for weight in log_weights]
    total = sum(weights)
    return [weight / total for weight in weights]
