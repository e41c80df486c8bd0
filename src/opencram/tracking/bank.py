"""The class bank of one track: every flight model fitted to its plots, and "no projectile" beside them."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opencram.ballistics.classes import Model
from opencram.kernel import kernel
from opencram.tracking.candidates import straight_evidence
from opencram.tracking.filter import carry
from opencram.tracking.fit import fit
from opencram.tracking.history import window
from opencram.tracking.ordering import ascending

Array = NDArray[np.float64]

# A body that does not fall: manoeuvres within 0.4 g level and 0.2 g vertically, flies mostly level, and
# below 300 m/s.  Round numbers for aircraft, helicopters, drones and birds together.
STRAIGHT_ACCELERATION_M_S2_STD = np.array([4.0, 4.0, 2.0])
_STRAIGHT_CLIMB_M_S_STD = 15.0
_STRAIGHT_SPEED_M_S_MAX = 300.0
_ITERATIONS = 8
_FREE_STD = 1e5  # of position (m) and velocity (m/s) about where a fit starts: as good as free
KEEP = 1e-3  # probability against the best below which a flight model is not followed


class Bank(NamedTuple):
    """The flight models as arrays (models), for compiled code."""

    curves: Any  # (models, Mach) drag coefficients
    means: Any  # (models, 4) log ballistic coefficient, wind east and north off the site's (m/s), spin drift (m/s)
    deviations: Any  # (models, 4) their standard deviations
    log_prior: Any  # (models + 1) probability before the first plot; last: of no projectile
    log_speed: Any  # (models,) median speed when first seen, m/s
    log_speed_std: Any  # (models,)


def bank_of(models: tuple[Model, ...], wind_m_s_std: float, curves: Array) -> Bank:
    """Return the models laid out for compiled code."""
    priors = [model.prior for model in models]
    return Bank(
        curves=curves,
        means=np.array([[model.ln_beta, 0.0, 0.0, model.spin_m_s] for model in models]),
        deviations=np.array([[m.ln_beta_std, wind_m_s_std, wind_m_s_std, m.spin_m_s_std] for m in models]),
        log_prior=np.log([*priors, 1.0 - sum(priors)]),
        log_speed=np.log([model.speed_m_s for model in models]),
        log_speed_std=np.array([model.ln_speed_std for model in models]),
    )


@kernel
def fit_model(k, x, times, sensors, z, weights, env, bank, rotations, origins, covariance):
    """Fit flight model `k` to plots, from the state `x` (10) at time 0, in place; return its log weight.

    `covariance` (10, 10) receives the posterior.  The log weight is evidence and prior together, comparable
    between models and with `straight_log_weight`; NaN: no solution.
    """
    mean = x.copy()
    information = np.zeros((10, 10))
    normaliser = 0.0
    for i in range(6):
        information[i, i] = 1.0 / _FREE_STD**2
    for i in range(4):
        mean[6 + i] = bank.means[k, i]
        information[6 + i, 6 + i] = 1.0 / bank.deviations[k, i] ** 2
        normaliser -= math.log(bank.deviations[k, i])
    evidence, _ = fit(
        x, times, sensors, z, weights, env, bank.curves[k], rotations, origins, mean, information, _ITERATIONS,
        covariance,
    )  # fmt: skip
    speed = math.sqrt(x[3] * x[3] + x[4] * x[4] + x[5] * x[5]) + 1.0
    off = (math.log(speed) - bank.log_speed[k]) / bank.log_speed_std[k]
    # A log-normal speed in any direction, as a density of the velocity vector.
    density = -0.5 * off * off - math.log(bank.log_speed_std[k] * math.sqrt(2 * math.pi) * 4 * math.pi * speed**3)
    return evidence + normaliser + bank.log_prior[k] + density


@kernel
def straight_log_weight(times, sensors, z, weights, bank, rotations, origins):
    """Return the log weight of "no projectile", comparable with those of `fit_model`."""
    evidence, velocity = straight_evidence(
        times, sensors, z, weights, rotations, origins, STRAIGHT_ACCELERATION_M_S2_STD
    )
    level = math.sqrt(velocity[0] * velocity[0] + velocity[1] * velocity[1])
    beyond = max(0.0, level - _STRAIGHT_SPEED_M_S_MAX) / 50.0
    climb = velocity[2] / _STRAIGHT_CLIMB_M_S_STD
    disc = math.pi * _STRAIGHT_SPEED_M_S_MAX**2
    density = -math.log(disc * _STRAIGHT_CLIMB_M_S_STD * math.sqrt(2 * math.pi))
    return evidence + bank.log_prior[-1] + density - 0.5 * (climb * climb + beyond * beyond)


@kernel
def judge(begun, models, table, last, since_ns, t_ns, plots_max, env, bank, rotations, origins, chances):
    """Fit flight models to the plots of a target; return what is worth following, moved to `t_ns`.

    `begun` (w, 10): where each of `models` (w) stands at `t_ns`, of which the plots know little beyond the first
    six states.  `table`: columns of the history.  `last`: the target's newest plot; plots before `since_ns` and
    beyond the newest `plots_max` are left out.  Writes `chances` (models + 1): the probabilities of the models and
    of no projectile.  Returns states, covariances, log weights, models, best first (none: nothing fits), and the log
    weight of no projectile.
    """
    times_ns, sensors, z, weights = window(table, last, plots_max, since_ns)
    times = (times_ns - times_ns[0]) * 1e-9
    age_s = (t_ns - times_ns[0]) * 1e-9
    wanted = models.shape[0]
    x, p, log_weight = np.empty((wanted, 10)), np.empty((wanted, 10, 10)), np.full(wanted, -math.inf)
    for i in range(wanted):
        k = models[i]
        x[i] = begun[i]
        for a in range(10):
            for b in range(10):
                p[i, a, b] = 1e-6 if a == b else 0.0
        if not carry(x[i], p[i], -age_s, env, bank.curves[k]):
            continue
        weight = fit_model(k, x[i], times, sensors, z, weights, env, bank, rotations, origins, p[i])
        if math.isfinite(weight) and carry(x[i], p[i], age_s, env, bank.curves[k]):
            log_weight[i] = weight
    straight = straight_log_weight(times, sensors, z, weights, bank, rotations, origins)
    order = ascending(-log_weight)
    top = log_weight[order[0]]
    kept = 0
    while kept < wanted and log_weight[order[kept]] > top + math.log(KEEP):
        kept += 1
    order = order[:kept]
    if kept:
        most = max(top, straight)
        total = math.exp(straight - most)
        for i in range(wanted):
            total += math.exp(log_weight[i] - most)
        chances[:] = 0.0
        for i in range(wanted):
            chances[models[i]] += math.exp(log_weight[i] - most) / total
        chances[-1] = math.exp(straight - most) / total
    return x[order], p[order], log_weight[order], models[order], straight
