"""The class bank of one track: every flight model fitted to its plots, and "no projectile" beside them."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opencram.ballistics.classes import Model
from opencram.kernel import kernel
from opencram.tracking.filter import carry
from opencram.tracking.fit import fit
from opencram.tracking.history import window
from opencram.tracking.ordering import ascending
from opencram.tracking.otherwise import no_projectile

Array = NDArray[np.float64]

_ITERATIONS = 8
_FREE_STD = 1e5  # of position (m) and velocity (m/s) about where a fit starts: as good as free
_BULLET_AGE_S_MAX, _BULLET_M_S_MIN = 6.0, 80.0  # bullets are seen shortly, and slow down from their 800 m/s
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
    return bank.log_prior[-1] + no_projectile(times, sensors, z, weights, rotations, origins)


@kernel
def _bullet(begun, age_s, times, sensors, z, weights, env, gunfire, rotations, origins):
    """Return the log weight of a bullet that stands at `begun` (10) now; of what is slow or old, next to nothing."""
    speed = math.sqrt(begun[3] ** 2 + begun[4] ** 2 + begun[5] ** 2)
    if age_s > _BULLET_AGE_S_MAX or speed < _BULLET_M_S_MIN:
        return -1e6
    x, p = begun.copy(), np.zeros((10, 10))
    x[6:] = gunfire.means[0]
    for a in range(10):
        p[a, a] = 1e-6
    if not carry(x, p, -age_s, env, gunfire.curves[0]):
        return -1e6
    weight = fit_model(0, x, times, sensors, z, weights, env, gunfire, rotations, origins, p)
    return weight if math.isfinite(weight) else -1e6


@kernel
def judge(begun, models, table, last, since_ns, t_ns, plots_max, env, bank, gunfire, rotations, origins, chances):
    """Fit flight models to the plots of a target; return what is worth following, moved to `t_ns`.

    `begun` (w, 10): where each of `models` (w) stands at `t_ns`, of which the plots know little beyond the first
    six states.  `table`: columns of the history.  `last`: the target's newest plot; plots before `since_ns` and
    beyond the newest `plots_max` are left out.  `gunfire`: the bank of bullets, which count as no projectile.  Writes
    `chances` (models + 1): the probabilities of the models and of no projectile.  Returns states, covariances, log
    weights, models, best first (none: nothing fits), and the log weights of no projectile and of a bullet.
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
    level = straight_log_weight(times, sensors, z, weights, bank, rotations, origins)
    bullet = _bullet(begun[0], age_s, times, sensors, z, weights, env, gunfire, rotations, origins)
    straight = max(level, bullet) + math.log1p(math.exp(-abs(level - bullet)))
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
    return x[order], p[order], log_weight[order], models[order], straight, bullet
