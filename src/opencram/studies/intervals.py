"""Estimates with intervals: Wilson's for shares, the bootstrap for means, ratios and quantiles.

Runs are what is drawn again, never the rounds or zones within them: those of one raid go together.  The draws of the
bootstrap come from a named stream, so that the same rows give the same intervals.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from opencram.simulation.streams import stream

Floats = NDArray[np.float64]

RESAMPLES = 2000
_CHUNK = 4_000_000  # random numbers at a time: memory stays flat in the number of runs
RESAMPLES_OF_QUANTILES = 400
STUDENTS_MAX = 3.0  # half-widths of Student's interval from the mean, beyond which no studentised end lies
_ROUNDING = 1e-6  # of a deviation: less is rounding


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure with its interval.  `runs` is the number of runs behind it; NaN where there is nothing to tell."""

    value: float
    low: float
    high: float
    runs: int

    @property
    def half_width(self) -> float:
        """Half of the interval's width."""
        return 0.5 * (self.high - self.low)

    def __str__(self) -> str:
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}]"


NOTHING = Estimate(value=math.nan, low=math.nan, high=math.nan, runs=0)


def wilson(successes: float, runs: float, confidence: float = 0.95) -> Estimate:
    """Return a share with Wilson's interval.

    Source: Wilson 1927, JASA 22, 209; Brown, Cai and DasGupta 2001 on why.
    """
    if runs <= 0:
        return NOTHING
    z = float(ndtri(0.5 + 0.5 * confidence))
    share = successes / runs
    middle = (share + z * z / (2.0 * runs)) / (1.0 + z * z / runs)
    half = z / (1.0 + z * z / runs) * math.sqrt(share * (1.0 - share) / runs + z * z / (4.0 * runs * runs))
    return Estimate(value=share, low=max(middle - half, 0.0), high=min(middle + half, 1.0), runs=int(runs))


def mean_t(values: Floats, confidence: float = 0.95) -> Estimate:
    """Return a mean with Student's interval."""
    count = len(values)
    if count < 2:
        return NOTHING
    mean = float(values.mean())
    half = float(stdtrit(count - 1, 0.5 + 0.5 * confidence)) * float(values.std(ddof=1)) / math.sqrt(count)
    return Estimate(value=mean, low=mean - half, high=mean + half, runs=count)


def resampled_sums(columns: Floats, name: str, resamples: int = RESAMPLES) -> Floats:
    """Return the sum of each column (runs, k) over each resample: (resamples, k).  Memory does not grow with runs."""
    runs = len(columns)
    sums = np.empty((resamples, columns.shape[1]))
    draws = stream(0, f"study/bootstrap/{name}/{runs}")
    step = max(_CHUNK // max(runs, 1), 1)
    for first in range(0, resamples, step):
        some = min(step, resamples - first)
        picked = draws.integers(0, runs, (some, runs)) + np.arange(some)[:, np.newaxis] * runs
        table = np.bincount(picked.ravel(), minlength=some * runs).reshape(some, runs)
        sums[first : first + some] = table @ columns
    return sums


def bootstrap_mean(values: Floats, weights: Floats, confidence: float = 0.95) -> Estimate:
    """Return the mean of `weights` × `values` with a studentised bootstrap interval.

    The studentised form is right to second order for skewed costs, where percentiles fall short.  With few runs, or
    where few of them differ from the rest, resamples without those have next to no deviation and their t no bound: no
    end of the interval lies further from the mean than `STUDENTS_MAX` times Student's half-width.
    Source: Efron and Tibshirani 1993, section 12.5 (on the studentised form and its erratic ends); Hall 1988.
    """
    products = weights * values
    runs = len(products)
    if runs < 2:
        return NOTHING
    mean, deviation = float(products.mean()), float(products.std(ddof=1))
    if deviation <= _ROUNDING * abs(mean):
        return Estimate(value=mean, low=mean, high=mean, runs=runs)
    centred = products - mean
    sums = resampled_sums(np.stack([centred, centred**2], axis=1), "mean") / runs
    error = np.sqrt(np.maximum(sums[:, 1] - sums[:, 0] ** 2, 0.0) / (runs - 1))
    scale = deviation / math.sqrt(runs)
    most = STUDENTS_MAX * float(stdtrit(runs - 1, 0.5 + 0.5 * confidence))
    t = np.clip(sums[:, 0] / np.maximum(error, _ROUNDING * scale), -most, most)
    tail = 0.5 * (1.0 - confidence)
    low, high = np.quantile(t, [tail, 1.0 - tail])
    return Estimate(value=mean, low=mean - float(high) * scale, high=mean - float(low) * scale, runs=runs)


def bootstrap_ratio(above: Floats, below: Floats, weights: Floats, confidence: float = 0.95) -> Estimate:
    """Return the ratio of two sums over runs, with a percentile bootstrap interval over runs."""
    above, below = weights * above, weights * below
    total = float(below.sum())
    if len(above) < 2 or not total > 0.0:
        return NOTHING
    sums = resampled_sums(np.stack([above, below], axis=1), "mean")
    sums = sums[sums[:, 1] > 0.0]
    tail = 0.5 * (1.0 - confidence)
    low, high = np.quantile(sums[:, 0] / sums[:, 1], [tail, 1.0 - tail])
    return Estimate(value=float(above.sum()) / total, low=float(low), high=float(high), runs=len(above))


def bootstrap_ratio_difference(
    first: tuple[Floats, Floats], second: tuple[Floats, Floats], weights: Floats, confidence: float = 0.95
) -> Estimate:
    """Return second ratio less first, runs paired: each resample takes the same runs of both."""
    parts = np.stack([*(weights * part for part in (*first, *second))], axis=1)
    totals = parts.sum(axis=0)
    if len(parts) < 2 or not (totals[1] > 0.0 and totals[3] > 0.0):
        return NOTHING
    sums = resampled_sums(parts, "mean")
    sums = sums[(sums[:, 1] > 0.0) & (sums[:, 3] > 0.0)]
    tail = 0.5 * (1.0 - confidence)
    low, high = np.quantile(sums[:, 2] / sums[:, 3] - sums[:, 0] / sums[:, 1], [tail, 1.0 - tail])
    value = float(totals[2] / totals[3] - totals[0] / totals[1])
    return Estimate(value=value, low=float(low), high=float(high), runs=len(parts))


def bootstrap_quantile(
    items: Floats, run_of_item: NDArray[np.int64], weights: Floats, share: float, confidence: float = 0.95
) -> Estimate:
    """Return a quantile over the items of all runs (−∞ for those without one), with a percentile interval over runs."""
    runs = len(weights)
    if not len(items) or runs < 2:
        return NOTHING
    order = np.argsort(items, kind="stable")
    ordered, owner = items[order], run_of_item[order]
    value = _quantile(ordered, weights[owner], share)
    found = []
    draws = stream(0, f"study/bootstrap/quantile/{runs}")
    for _ in range(RESAMPLES_OF_QUANTILES):
        drawn = np.bincount(draws.integers(0, runs, runs), minlength=runs) * weights
        found.append(_quantile(ordered, drawn[owner], share))
    tail = 0.5 * (1.0 - confidence)
    found.sort()
    last = len(found) - 1
    low, high = found[math.floor(tail * last)], found[math.ceil((1.0 - tail) * last)]
    return Estimate(value=value, low=low, high=high, runs=runs)


def _quantile(ordered: Floats, weights: Floats, share: float) -> float:
    """Return the least item at which the weight below and at it reaches the share."""
    passed = np.cumsum(weights)
    if not len(passed) or passed[-1] <= 0.0:
        return math.nan
    return float(ordered[min(int(np.searchsorted(passed, share * passed[-1])), len(ordered) - 1)])


def effective_runs(weights: Floats) -> float:
    """Return how many runs of equal weight would say as much (Kish 1965)."""
    square = float((weights**2).sum())
    return float(weights.sum()) ** 2 / square if square > 0.0 else 0.0
