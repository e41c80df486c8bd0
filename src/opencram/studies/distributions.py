"""Distributions: a value from one uniform number, and how dense it lies there.

One uniform number a draw, through the inverse of the distribution: where two alternatives differ in a distribution,
the same number gives both their value, and they stay as closely coupled as they can be.
"""

import math
from typing import Any

from scipy.special import gammaln, ndtr, ndtri, pdtr

from opencram.config.study_model import Distribution

_COUNT_MAX = 100_000  # of a Poisson number
_TINY = 2.0**-53


def value_of(distribution: Distribution, uniform: float) -> Any:
    """Return the value whose distribution function is `uniform`, of (0, 1).  Whole numbers come as `int`."""
    kind = distribution.kind
    if kind == "fixed":
        return distribution.values[0]
    if kind == "choice":
        return distribution.values[chosen(distribution.weights, uniform)]
    if kind == "integers":
        low, high = _whole_ends(distribution)
        return int(min(low + math.floor(uniform * (high - low + 1)), high))
    if kind == "poisson":
        return _poisson(distribution, uniform)
    below, span = _span(distribution)
    value = _quantile(distribution, min(max(below + uniform * span, _TINY), 1.0 - _TINY))
    return min(max(value, distribution.at_least), distribution.at_most)


def log_density(distribution: Distribution, value: Any) -> float:
    """Return the logarithm of the density (of whole numbers and choices: of the probability); −inf outside."""
    kind = distribution.kind
    if kind == "fixed":
        return 0.0 if value == distribution.values[0] else -math.inf
    if kind == "choice":
        share = sum(w for each, w in zip(distribution.values, distribution.weights, strict=True) if each == value)
        return math.log(share) if share > 0.0 else -math.inf
    number = float(value)
    if not distribution.at_least <= number <= distribution.at_most:
        return -math.inf
    if kind == "integers":
        low, high = _whole_ends(distribution)
        return -math.log(high - low + 1) if low <= number <= high else -math.inf
    if kind == "poisson":
        low, high = _poisson_ends(distribution)
        norm = float(pdtr(high, distribution.first) - (pdtr(low - 1, distribution.first) if low > 0 else 0.0))
        return number * math.log(distribution.first) - distribution.first - float(gammaln(number + 1)) - math.log(norm)
    _, span = _span(distribution)
    return _log_form(distribution, number) - math.log(max(span, 1e-300))


def chosen(weights: tuple[float, ...], uniform: float) -> int:
    """Return the index that a uniform number picks; one without weight is never picked."""
    total, passed = sum(weights), 0.0
    last = 0
    for index, weight in enumerate(weights):
        if weight <= 0.0:
            continue
        last, passed = index, passed + weight / total
        if uniform < passed:
            return index
    return last


def _cumulative(distribution: Distribution, value: float) -> float:
    first, second = distribution.first, distribution.second
    if math.isinf(value):
        return 1.0 if value > 0.0 else 0.0
    match distribution.kind:
        case "uniform":
            return min(max((value - first) / max(second - first, 1e-300), 0.0), 1.0)
        case "normal":
            return float(ndtr((value - first) / second))
        case "lognormal":
            return float(ndtr(math.log(value / first) / second)) if value > 0.0 else 0.0
        case _:
            return 1.0 - math.exp(-max(value, 0.0) / first)


def _quantile(distribution: Distribution, share: float) -> float:
    first, second = distribution.first, distribution.second
    match distribution.kind:
        case "uniform":
            return first + share * (second - first)
        case "normal":
            return first + second * float(ndtri(share))
        case "lognormal":
            return first * math.exp(second * float(ndtri(share)))
        case _:
            return -first * math.log1p(-share)


def _log_form(distribution: Distribution, value: float) -> float:
    """Return the logarithm of the density before it is cut to its ends."""
    first, second = distribution.first, distribution.second
    match distribution.kind:
        case "uniform":
            return -math.log(max(second - first, 1e-300)) if first <= value <= second else -math.inf
        case "normal":
            return -0.5 * ((value - first) / second) ** 2 - math.log(second * math.sqrt(2.0 * math.pi))
        case "lognormal":
            if value <= 0.0:
                return -math.inf
            z = math.log(value / first) / second
            return -0.5 * z * z - math.log(value * second * math.sqrt(2.0 * math.pi))
        case _:
            return -value / first - math.log(first) if value >= 0.0 else -math.inf


def _span(distribution: Distribution) -> tuple[float, float]:
    """Return the distribution function at the lower end, and the share between the ends."""
    below = _cumulative(distribution, distribution.at_least)
    return below, max(_cumulative(distribution, distribution.at_most) - below, 1e-300)


def _whole_ends(distribution: Distribution) -> tuple[int, int]:
    low = math.ceil(max(distribution.first, distribution.at_least))
    return low, max(low, math.floor(min(distribution.second, distribution.at_most)))


def _poisson_ends(distribution: Distribution) -> tuple[int, int]:
    low = math.ceil(max(distribution.at_least, 0.0))
    return low, max(low, math.floor(min(distribution.at_most, _COUNT_MAX)))


def _poisson(distribution: Distribution, uniform: float) -> int:
    low, high = _poisson_ends(distribution)
    below = float(pdtr(low - 1, distribution.first)) if low > 0 else 0.0
    wanted = below + uniform * (float(pdtr(high, distribution.first)) - below)
    number = low
    while number < high and float(pdtr(number, distribution.first)) < wanted:
        number += 1
    return number
