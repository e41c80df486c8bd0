"""The class bank of one track: every flight model fitted to its plots, and "no projectile" beside them."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opencram.ballistics.classes import Model
from opencram.ballistics.propagation import STATES
from opencram.estimation.linear import cholesky
from opencram.kernel import helper, kernel
from opencram.tracking.errors import BY_BIAS, KEPT, MEAN, POLAR, SLOW, VARIANCE, WHITE, forget
from opencram.tracking.filter import carry, predict_rows, take_rate, update_rows
from opencram.tracking.fit import fit
from opencram.tracking.history import window
from opencram.tracking.ordering import ascending
from opencram.tracking.otherwise import no_projectile
from opencram.tracking.plausible import GRAVITY_M_S2, height

Array = NDArray[np.float64]
Rows = tuple[Array, Array, Array, NDArray[np.int64]]  # states, covariances, log weights and models, the heaviest first

_ITERATIONS = 8
_FIT_PLOTS = 12  # a fit takes so many, however long they last
_FREE_STD = 1e5  # of position (m) and velocity (m/s) about where a fit starts: as good as free
_BULLET_AGE_S_MAX, _BULLET_M_S_MIN = 6.0, 80.0  # bullets are seen shortly, and slow down from their 800 m/s
_ELEVATION_RAD_STD = math.radians(6.0)  # beyond the usual elevations
_LOG_STRAY = -4.0  # one round in fifty is fired as nobody fires such rounds
KEEP = 1e-3  # probability against the best below which a flight model is not followed


class Bank(NamedTuple):
    """The flight models as arrays (models), for compiled code."""

    curves: Any  # (models, Mach) drag coefficients
    means: Any  # (models, 4) log ballistic coefficient, wind east and north off the site's (m/s), spin drift (m/s)
    deviations: Any  # (models, 4) their standard deviations
    log_prior: Any  # (models + 1) probability before the first plot; last: of no projectile
    log_speed: Any  # (models,) median speed when first seen, m/s
    log_speed_std: Any  # (models,)
    elevations: Any  # (models, 2) least and greatest at which such rounds are mostly fired, rad


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
        elevations=np.array([model.elevation_rad for model in models]),
    )


@kernel
def fit_model(k, x, times, sensors, z, weights, env, bank, rotations, origins, errors, bias, covariance, slow):
    """Fit flight model `k` to plots, from the state `x` (n) at time 0, in place; return its log weight.

    `x`: ten states and three biases of each sensor or none.  `bias`: mean of the biases and reciprocal of their
    covariance, beforehand.  `covariance` (n, n) receives the posterior, `slow` (sensors, 3, 14) what the plots say of
    slow errors.  The log weight is evidence and prior together, comparable between models and with
    `straight_log_weight`; NaN: no solution.
    """
    mean = x.copy()
    information = np.zeros((x.shape[0], x.shape[0]))
    normaliser = 0.0
    if x.shape[0] > STATES:
        mean[STATES:], information[STATES:, STATES:] = bias[0], bias[1]
        normaliser += 0.5 * cholesky(bias[1].copy(), bias[1].shape[0])
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
    return evidence + normaliser + bank.log_prior[k] + density + _log_usual(x, env, bank.elevations[k])


@helper
def _log_usual(x, env, elevations):
    """Return the log weight of a flight at `x` (6 or more) that its class is mostly not fired at such an elevation.

    That of the launch, as a flight without drag would have had it; of what falls already nothing is said, for drag has
    bent it too far.  Nothing between the two `elevations` (rad), and never more than stray launches make of it.
    """
    if not x[5] > 0.0:
        return 0.0
    up = math.sqrt(x[5] * x[5] + 2.0 * GRAVITY_M_S2 * max(height(x, env), 0.0))
    elevation = math.atan2(up, math.sqrt(x[3] * x[3] + x[4] * x[4]))
    off = max(elevations[0] - elevation, elevation - elevations[1], 0.0) / _ELEVATION_RAD_STD
    return max(-0.5 * off * off, _LOG_STRAY)


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
def _bullet(begun, age_s, times, sensors, z, weights, env, gunfire, rotations, origins, errors, bias):
    """Return the log weight of a bullet that stands at `begun` (10) now; of what is slow or old, next to nothing.

    `bias` as `fit_model` takes it; it is not fitted.
    """
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
    weight = fit_model(0, x, times, sensors, z, weights, env, gunfire, rotations, origins, errors, bias, p, slow)
    return weight if math.isfinite(weight) else -1e6


@kernel
def judge(
    begun, models, table, last, since_ns, t_ns, plots_max, fit_s, odds, env, bank, gunfire, rotations, origins, errors,
    bias, chances
):  # fmt: skip
    """Fit flight models to the plots of a target; return what is worth following, moved to `t_ns`.

    `begun` (w, 10): where each of `models` (w) stands at `t_ns`, of which the plots know little beyond the first
    six states.  `table`: columns of the history.  `last`: the target's newest plot; plots before `since_ns` and
    beyond the newest `plots_max` are left out.  The first `fit_s` seconds of them are fitted, and filters go on from
    there.  `odds`: log odds of no projectile against the best model where they are known already, else NaN.
    `gunfire`: the bank of bullets, which count as no projectile.  `bias`: what is known of the sensors' biases, mean
    (b) and reciprocal of the covariance (b, b), b = 0 where there are none.  Writes `chances` (models + 1): the
    probabilities of the models and of no projectile.  Returns states and covariances with slow errors and biases of
    the sensors behind, log weights, models, best first (none: nothing fits), and the log weights of no projectile and
    of a bullet.
    """
    times_ns, sensors, z, weights = window(table, last, plots_max, since_ns)
    times = (times_ns - times_ns[0]) * 1e-9
    age_s = (t_ns - times_ns[0]) * 1e-9
    count = _fitted(times, fit_s)
    until_s = times[count - 1] if count < times.shape[0] else age_s
    wanted, fitted = models.shape[0], STATES + bias[0].shape[0]
    size = fitted + POLAR * errors.shape[0]
    x, p, log_weight = np.zeros((wanted, size)), np.zeros((wanted, size, size)), np.full(wanted, -math.inf)
    slow, covariance, state = np.empty((errors.shape[0], POLAR, KEPT)), np.empty((fitted, fitted)), np.empty(fitted)
    first = slice(0, count)
    for i in range(wanted):
        k = models[i]
        state[:STATES] = begun[i]
        state[STATES:] = bias[0]
        covariance[:, :] = 1e-6 * np.eye(fitted)
        if not carry(state, covariance, -age_s, env, bank.curves[k]):
            continue
        weight = fit_model(
            k, state, times[first], sensors[first], z[first], weights[first], env, bank, rotations, origins, errors,
            bias, covariance, slow,
        )  # fmt: skip
        _with_slow(state, covariance, slow, errors, until_s, x[i], p[i])
        if math.isfinite(weight) and carry(x[i], p[i], until_s, env, bank.curves[k]):
            log_weight[i] = weight
    bullet = straight = -1e6
    if math.isnan(odds):
        straightened, price = z, 0.0
        best = np.argmax(log_weight)
        if fitted > STATES and log_weight[best] > -math.inf:
            first_bias = size - bias[0].shape[0]
            own = x[best, first_bias:].copy()
            price = _price(own, p[best, first_bias:, first_bias:].copy(), bias)
            straightened = unbiased(z, sensors, own)
        level = straight_log_weight(
            times, sensors, straightened, whole_weights(sensors, weights, errors), bank, rotations, origins
        )
        level += price
        bullet = price + _bullet(
            begun[0], age_s, times, sensors, straightened, weights, env, gunfire, rotations, origins, errors, bias
        )
        straight = max(level, bullet) + math.log1p(math.exp(-abs(level - bullet)))
    if count < times.shape[0]:
        rest = slice(count, times.shape[0])
        _follow_on(
            x, p, log_weight, models, until_s, times[rest], age_s, sensors[rest], z[rest], weights[rest], env, bank,
            rotations, origins, errors,
        )  # fmt: skip
    order = _worth_following(log_weight)
    if not math.isnan(odds):
        straight = log_weight.max() + odds
    if order.shape[0]:
        _share(log_weight, models, straight, chances)
    return x[order], p[order], log_weight[order], models[order], straight, bullet


@helper
def _worth_following(log_weight):
    """Return the indices of the log weights (n) that are not out of the question, the heaviest first."""
    order = ascending(-log_weight)
    top = log_weight[order[0]]
    kept = 0
    while kept < log_weight.shape[0] and log_weight[order[kept]] > top + math.log(KEEP):
        kept += 1
    return order[:kept]


@helper
def _share(log_weight, models, straight, chances):
    """Write the probabilities (models + 1) of models with these log weights, and last of no projectile."""
    most = max(log_weight.max(), straight)
    total = math.exp(straight - most)
    for i in range(models.shape[0]):
        total += math.exp(log_weight[i] - most)
    chances[:] = 0.0
    for i in range(models.shape[0]):
        chances[models[i]] += math.exp(log_weight[i] - most) / total
    chances[-1] = math.exp(straight - most) / total


@kernel
def unbiased(z, sensors, bias):
    """Return plots (n, 4) of `sensors` (n) less the biases of those (3 a sensor)."""
    without = z.copy()
    for k in range(z.shape[0]):
        for m in range(POLAR):
            without[k, m] -= bias[POLAR * sensors[k] + m]
    return without


@kernel
def _price(own, covariance, bias):
    """Return the log evidence of biases `own` (b) known to a `covariance` (b, b), against what was known beforehand.

    Whatever the body is, the biases that its plots need are as unlikely: no projectile pays for them as the best
    flight model does.
    """
    count = own.shape[0]
    cost = 0.0
    for i in range(count):
        for j in range(count):
            cost += (own[i] - bias[0][i]) * bias[1][i, j] * (own[j] - bias[0][j])
    return 0.5 * (cholesky(bias[1].copy(), count) + cholesky(covariance, count) - cost)


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
    count, fitted = POLAR * errors.shape[0], state.shape[0]
    biased = fitted > STATES
    for i in range(fitted):
        at = i if i < STATES else i + count
        x[at] = state[i]
        for j in range(fitted):
            p[at, j if j < STATES else j + count] = covariance[i, j]
    for b in range(count):
        own = slow[b // POLAR, b % POLAR]
        forget(own, errors[b // POLAR, b % POLAR], until_s)
        x[STATES + b] = own[MEAN]
        for i in range(fitted):
            total = 0.0
            for j in range(STATES):
                total -= covariance[i, j] * own[j]
            if biased:
                total -= covariance[i, STATES + b] * own[BY_BIAS]
            at = i if i < STATES else i + count
            p[at, STATES + b] = total
            p[STATES + b, at] = total
        for c in range(b + 1):
            total = own[VARIANCE] if b == c else 0.0
            for i in range(STATES):
                total -= p[i, STATES + b] * slow[c // POLAR, c % POLAR, i]
            if biased:
                total -= p[STATES + count + c, STATES + b] * slow[c // POLAR, c % POLAR, BY_BIAS]
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
