"""The class bank of one track: every flight model fitted to its plots, and "no projectile" beside them."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opencram.ballistics.classes import Model
from opencram.ballistics.propagation import STATES
from opencram.kernel import helper, kernel
from opencram.tracking.errors import KEPT, MEAN, POLAR, SLOW, VARIANCE, WHITE, forget
from opencram.tracking.filter import carry, predict_rows, take_rate, update_rows
from opencram.tracking.fit import fit
from opencram.tracking.history import window
from opencram.tracking.ordering import ascending
from opencram.tracking.otherwise import no_projectile

Array = NDArray[np.float64]

_ITERATIONS = 8
_FIT_PLOTS = 12  # a fit takes so many, however long they last
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
def fit_model(k, x, times, sensors, z, weights, env, bank, rotations, origins, errors, covariance, slow):
    """Fit flight model `k` to plots, from the state `x` (10) at time 0, in place; return its log weight.

    `covariance` (10, 10) receives the posterior, `slow` (sensors, 3, 13) what the plots say of slow errors.
    The log weight is evidence and prior together, comparable
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
        x, times, sensors, z, weights, env, bank.curves[k], rotations, origins, errors, mean, information,
        _ITERATIONS, covariance, slow,
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
def whole_weights(sensors, weights, errors):
    """Return the weights (n, 4) with all that a sensor is believed to err in them, white and slow together."""
    whole = weights.copy()
    for j in range(weights.shape[0]):
        for m in range(POLAR):
            error = errors[sensors[j], m]
            white = error[WHITE] / weights[j, m]
            whole[j, m] = 1.0 / math.sqrt(white * white + error[SLOW] * error[SLOW])
    return whole


@kernel
def _bullet(begun, age_s, times, sensors, z, weights, env, gunfire, rotations, origins, errors):
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
    slow = np.empty((errors.shape[0], POLAR, KEPT))
    weight = fit_model(0, x, times, sensors, z, weights, env, gunfire, rotations, origins, errors, p, slow)
    return weight if math.isfinite(weight) else -1e6


@kernel
def judge(
    begun, models, table, last, since_ns, t_ns, plots_max, fit_s, odds, env, bank, gunfire, rotations, origins, errors,
    chances
):  # fmt: skip
    """Fit flight models to the plots of a target; return what is worth following, moved to `t_ns`.

    `begun` (w, 10): where each of `models` (w) stands at `t_ns`, of which the plots know little beyond the first
    six states.  `table`: columns of the history.  `last`: the target's newest plot; plots before `since_ns` and
    beyond the newest `plots_max` are left out.  The first `fit_s` seconds of them are fitted, and filters go on from
    there.  `odds`: log odds of no projectile against the best model where they are known already, else NaN.
    `gunfire`: the bank of bullets, which count as no projectile.  Writes `chances` (models + 1): the probabilities of
    the models and of no projectile.  Returns states and covariances with the slow errors of the sensors behind, log
    weights, models, best first (none: nothing fits), and the log weights of no projectile and of a bullet.
    """
    times_ns, sensors, z, weights = window(table, last, plots_max, since_ns)
    times = (times_ns - times_ns[0]) * 1e-9
    age_s = (t_ns - times_ns[0]) * 1e-9
    count = _fitted(times, fit_s)
    until_s = times[count - 1] if count < times.shape[0] else age_s
    wanted, size = models.shape[0], STATES + POLAR * errors.shape[0]
    x, p, log_weight = np.zeros((wanted, size)), np.zeros((wanted, size, size)), np.full(wanted, -math.inf)
    slow, covariance = np.empty((errors.shape[0], POLAR, KEPT)), np.empty((STATES, STATES))
    first = slice(0, count)
    for i in range(wanted):
        k = models[i]
        state = begun[i].copy()
        for a in range(STATES):
            for b in range(STATES):
                covariance[a, b] = 1e-6 if a == b else 0.0
        if not carry(state, covariance, -age_s, env, bank.curves[k]):
            continue
        weight = fit_model(
            k, state, times[first], sensors[first], z[first], weights[first], env, bank, rotations, origins, errors,
            covariance, slow,
        )  # fmt: skip
        _with_slow(state, covariance, slow, errors, until_s, x[i], p[i])
        if math.isfinite(weight) and carry(x[i], p[i], until_s, env, bank.curves[k]):
            log_weight[i] = weight
    bullet = straight = -1e6
    if math.isnan(odds):
        whole = whole_weights(sensors, weights, errors)
        level = straight_log_weight(times, sensors, z, whole, bank, rotations, origins)
        bullet = _bullet(begun[0], age_s, times, sensors, z, weights, env, gunfire, rotations, origins, errors)
        straight = max(level, bullet) + math.log1p(math.exp(-abs(level - bullet)))
    if count < times.shape[0]:
        rest = slice(count, times.shape[0])
        _follow_on(
            x, p, log_weight, models, until_s, times[rest], age_s, sensors[rest], z[rest], weights[rest], env, bank,
            rotations, origins, errors,
        )  # fmt: skip
    order = ascending(-log_weight)
    top = log_weight[order[0]]
    kept = 0
    while kept < wanted and log_weight[order[kept]] > top + math.log(KEEP):
        kept += 1
    order = order[:kept]
    if not math.isnan(odds):
        straight = top + odds
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


@helper
def _fitted(times, fit_s):
    """Return how many of the plots at these times (s, ascending) the fit takes."""
    count = min(_FIT_PLOTS, times.shape[0])
    while count < times.shape[0] and times[count] <= fit_s:
        count += 1
    return count


@helper
def _with_slow(state, covariance, slow, errors, until_s, x, p):
    """Write a fit's state and covariance, and the slow errors at `until_s` that go with them, to `x` and `p`."""
    for i in range(STATES):
        x[i] = state[i]
        for j in range(STATES):
            p[i, j] = covariance[i, j]
    count = POLAR * errors.shape[0]
    for b in range(count):
        own = slow[b // POLAR, b % POLAR]
        forget(own, errors[b // POLAR, b % POLAR], until_s)
        x[STATES + b] = own[MEAN]
        for i in range(STATES):
            total = 0.0
            for j in range(STATES):
                total -= covariance[i, j] * own[j]
            p[i, STATES + b] = total
            p[STATES + b, i] = total
        for c in range(b + 1):
            total = own[VARIANCE] if b == c else 0.0
            for i in range(STATES):
                total -= p[i, STATES + b] * slow[c // POLAR, c % POLAR, i]
            p[STATES + b, STATES + c] = total
            p[STATES + c, STATES + b] = total


@kernel
def _follow_on(
    x, p, log_weight, models, now_s, times, until_s, sensors, z, weights, env, bank, rotations, origins, errors
):  # fmt: skip
    """Take filters (w) from `now_s` through more plots (n) to `until_s`, in place; a broken one gets the weight −∞."""
    wanted, size = x.shape
    h, s, cross = np.empty((wanted, 3)), np.empty((wanted, 3, 3)), np.empty((wanted, 3, size))
    variances, room, zeros = np.empty((1, 3)), np.empty(size), np.zeros(wanted, dtype=np.int64)
    for k in range(times.shape[0] + 1):
        last = k == times.shape[0]
        sensor = sensors[k] if not last else 0
        dt = (until_s if last else times[k]) - now_s
        now_s += dt
        sound = predict_rows(
            x, p, np.full(wanted, dt), models, env, bank.curves, rotations[sensor], origins[sensor], sensor, errors, h,
            s, cross,
        )  # fmt: skip
        for i in range(wanted):
            if not sound[i]:
                log_weight[i] = -math.inf
        if not last:
            for m in range(3):
                variances[0, m] = (errors[sensor, m, WHITE] / weights[k, m]) ** 2
            update_rows(x, p, h, s, cross, z[k : k + 1], variances, zeros, log_weight)
            for i in range(wanted):
                log_weight[i] += take_rate(x[i], p[i], z[k, 3], weights[k, 3], origins[sensor], room)
    for i in range(wanted):
        if math.isnan(log_weight[i]):
            log_weight[i] = -math.inf
