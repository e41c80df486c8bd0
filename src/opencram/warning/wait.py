"""Warn now, or wait for a sharper prediction: what each is worth, for one zone.

Worth is counted in people spared by a warning, as a share of those whom a round in the zone would find unwarned.

- **Warning now** spares the share that still reaches shelter (`protected`) if a round comes, and costs
  `threshold / (1 − threshold)` if none does: so that a zone with all the time in the world is worth warning exactly
  from its threshold on.
- **Waiting** Δ seconds costs the people who then no longer reach shelter, and a little for the chance that nothing
  better is ever heard; it spares the alarm of those whom the sharper prediction clears.  How often it will is known
  today: the ellipse shrinks by `exp(−sharpening_per_s Δ)`, and its centre will move within what it loses.

The zone is stood for by an interval of its own width across the long axis of the ellipse, set off so far that its
probability is today's.  Then the later probability is a martingale by construction, as it must be: on average it
says what is said today.

Source: value of information, Howard 1966 (IEEE Trans. SSC 2, 22); the rate is measured (docs/warning.md).
"""

import math
from statistics import NormalDist

import numpy as np

from opencram.kernel import helper, kernel
from opencram.warning.arrays import Floats

_SQRT_HALF = math.sqrt(0.5)
_SURE_STD = 8.3  # from here on the normal distribution is 1 to the last bit
_NODES = 31  # equally probable moves of the centre
_STRIDES = (1, 12, 7, 17)  # that pair the moves of several rounds evenly
WAITED_MAX = 4
_DELAYS_S = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0)
_LYING_S = 2.0  # from hearing the alarm to lying down

# Columns of `flying`: one row for each round on its way.
PROBABILITY, LEFT_S, LEFT_S_STD, SPREAD_M = range(4)
FLYING_SIZE = 4


@helper
def _cdf(x: float) -> float:
    if abs(x) > _SURE_STD:
        return 1.0 if x > 0.0 else 0.0
    return 0.5 * math.erfc(-x * _SQRT_HALF)


def _quantiles(count: int) -> tuple[float, ...]:
    """Return `count` equally probable values of a standard normal number."""
    return tuple(NormalDist().inv_cdf((k + 0.5) / count) for k in range(count))


_MOVES = np.array(_quantiles(_NODES))


@kernel
def protected(left_s: float, left_s_std: float, latency_s: float, shelter_times_s: Floats, drop_share: float) -> float:
    """Return the share of the harm that a warning given now still averts: 1 if all are inside by the impact.

    `shelter_times_s`: equally many people need each of these from hearing the alarm.  Who is not inside in time lies
    down, which averts `drop_share` of his harm.
    """
    heard_s = left_s - latency_s
    variance = left_s_std * left_s_std
    lying = _cdf((heard_s - _LYING_S) / math.sqrt(variance + 0.25))
    inside = 0.0
    for need_s in shelter_times_s:
        spread = 0.1 * need_s + 0.1
        inside += _cdf((heard_s - need_s) / math.sqrt(variance + spread * spread))
    inside /= shelter_times_s.shape[0]
    share: float = inside + max(lying - inside, 0.0) * drop_share
    return share


@helper
def sharpening_per_s(std_m: float) -> float:
    """Return at which rate the long axis of an ellipse shrinks: 0.12 a second when it is small, 0.35 when it is vast.

    Source: medians over 100 simulated raids, about 20 000 pairs of predictions (docs/warning.md).
    """
    return min(max(0.12 + 0.115 * math.log10(std_m / 20.0), 0.12), 0.35)


@helper
def _interval(offset: float, half_width: float, std: float) -> float:
    return _cdf((half_width - offset) / std) - _cdf((-half_width - offset) / std)


@kernel
def offset_m(probability: float, half_width_m: float, std_m: float) -> float:
    """Return how far off the centre of an ellipse an interval must lie to have a probability (0: at most there)."""
    low, high = 0.0, half_width_m + 8.0 * std_m
    if _interval(low, half_width_m, std_m) <= probability:
        return 0.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        if _interval(middle, half_width_m, std_m) > probability:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@kernel
def _shares(flying: Floats, later_s: float, latency_s: float, times_s: Floats, drop: float) -> Floats:
    """Return for each round what a warning `later_s` from now averts of its harm."""
    shares = np.empty(flying.shape[0])
    for j in range(flying.shape[0]):
        shares[j] = protected(flying[j, LEFT_S] - later_s, flying[j, LEFT_S_STD], latency_s, times_s, drop)
    return shares


@helper
def _worth(probabilities: Floats, shares: Floats, unspared: float, none: float, odds: float) -> float:
    """Return what warning is worth: the chance that it spares people, less what it costs if no round comes.

    `unspared`, `none`: the chances that nobody is spared, and that no round comes, of rounds that are not listed.
    """
    for j in range(probabilities.shape[0]):
        unspared *= 1.0 - probabilities[j] * shares[j]
        none *= 1.0 - probabilities[j]
    return 1.0 - unspared - none * odds


@kernel
def _prepared(flying: Floats, half_width_m: float) -> Floats:
    """Return rows (offset, scale) that stand for the zone in the ellipse of each round."""
    rows = np.empty((flying.shape[0], 2))
    for j in range(flying.shape[0]):
        std = max(flying[j, SPREAD_M], 0.1)
        rows[j, 0] = offset_m(flying[j, PROBABILITY], half_width_m, std)
        rows[j, 1] = flying[j, PROBABILITY] / max(_interval(rows[j, 0], half_width_m, std), 1e-12)
    return rows


@kernel
def gain_of_waiting(
    flying: Floats,
    threshold: float,
    half_width_m: float,
    latency_s: float,
    shelter_times_s: Floats,
    drop_share: float,
    sharpening: float,
    risk_per_s: float,
) -> float:
    """Return what the best wait is worth beyond warning now: warn when it is not positive.

    `flying`: the likeliest round first.  The first `WAITED_MAX` are waited for, each moving on its own (a rank-1
    lattice); the others stay as likely as they are.  One later look is weighed, the best of several: more looks
    could only make waiting better, so this errs on the early side.
    """
    odds = threshold / max(1.0 - threshold, 1e-9)
    waited = min(flying.shape[0], WAITED_MAX)
    probabilities = flying[:, PROBABILITY].copy()
    now = _worth(probabilities, _shares(flying, 0.0, latency_s, shelter_times_s, drop_share), 1.0, 1.0, odds)
    zones = _prepared(flying[:waited], half_width_m)
    later_std, move_std = np.empty(waited), np.empty(waited)
    best = -np.inf
    for delay_s in _DELAYS_S:
        shares = _shares(flying, delay_s, latency_s, shelter_times_s, drop_share)
        unspared, none = 1.0, 1.0
        for j in range(waited, flying.shape[0]):
            unspared *= 1.0 - probabilities[j] * shares[j]
            none *= 1.0 - probabilities[j]
        for j in range(waited):
            std = max(flying[j, SPREAD_M], 0.1)
            shrink = math.exp(-sharpening * sharpening_per_s(std) * delay_s)
            later_std[j], move_std[j] = std * shrink, std * math.sqrt(1.0 - shrink * shrink)
        total = 0.0
        for node in range(_NODES):
            for j in range(waited):
                move = move_std[j] * _MOVES[(node * _STRIDES[j]) % _NODES]
                later = zones[j, 1] * _interval(zones[j, 0] + move, half_width_m, later_std[j])
                probabilities[j] = min(later, 1.0)
            total += max(_worth(probabilities[:waited], shares, unspared, none, odds), 0.0)
        best = max(best, math.exp(-risk_per_s * delay_s) * total / _NODES)
    return best - max(now, 0.0)
