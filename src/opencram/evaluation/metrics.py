"""How good estimates are: distances between sets, consistency of covariances, coverage, with their definitions.

Arrays have the batch axis first.  Points are rows of equal units: metres, as a rule.  Nothing here knows of radars.
docs/metrics.md lists them all, with those of identity (`evaluation.identity`).

Sources: D. Schuhmacher, B.-T. Vo, B.-N. Vo, "A consistent metric for performance evaluation of multi-object
filters", IEEE Trans. Signal Processing 56 (2008) (OSPA).  A. S. Rahmathullah, Á. F. García-Fernández, L. Svensson,
"Generalized optimal sub-pattern assignment metric", FUSION 2017 (GOSPA).  Y. Bar-Shalom, X. R. Li, T. Kirubarajan,
"Estimation with Applications to Tracking and Navigation" (2001), section 5.4 (NEES, NIS).  E. B. Wilson, "Probable
inference, the law of succession, and statistical inference", JASA 22 (1927).
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


# ---- distances between sets of points -------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Ospa:
    """The OSPA distance and its two components, each per object: `distance` ** p is the sum of theirs ** p."""

    distance: float
    localisation: float
    cardinality: float


def ospa(truth: ArrayLike, estimates: ArrayLike, *, cutoff: float, order: float = 2.0) -> Ospa:
    """Return the OSPA distance between two sets of points (m, d) and (n, d), in the unit of the points.

    ( 1/n · ( min over assignments Σ min(c, distance)^p + c^p · |n − m| ) )^(1/p) with n the larger number:
    0 if the sets are equal, c at most.  Two empty sets are equal.  `cutoff` is c, `order` is p (1 or more).
    """
    distances = _distances(truth, estimates, cutoff, order)
    m, n = distances.shape
    most = max(m, n)
    if most == 0:
        return Ospa(distance=0.0, localisation=0.0, cardinality=0.0)
    near = _assigned(np.minimum(distances, cutoff) ** order)
    far = cutoff**order * abs(m - n)
    return Ospa(
        distance=float(((near + far) / most) ** (1.0 / order)),
        localisation=float((near / most) ** (1.0 / order)),
        cardinality=float((far / most) ** (1.0 / order)),
    )


@dataclass(frozen=True, kw_only=True)
class Gospa:
    """The GOSPA distance and its parts: `distance` ** p = localisation + missed_cost + false_cost.

    `assigned` pairs have their distances ** p in `localisation`; the others cost c^p / 2 each.
    """

    distance: float
    localisation: float
    missed_cost: float
    false_cost: float
    assigned: int
    missed: int
    false: int


def gospa(truth: ArrayLike, estimates: ArrayLike, *, cutoff: float, order: float = 2.0) -> Gospa:
    """Return the GOSPA distance (α = 2) between two sets of points (m, d) and (n, d), in the unit of the points.

    ( min over partial assignments Σ distance^p + c^p/2 · (unassigned of both sets) )^(1/p).  A pair further apart than
    `cutoff` (c) is no pair: it counts as one missed and one false.  Unlike OSPA it is not divided by the number of
    objects, and tells what is missed from what is false.
    """
    distances = _distances(truth, estimates, cutoff, order)
    m, n = distances.shape
    costs = np.minimum(distances, cutoff) ** order
    pairs = 0
    localisation = 0.0
    if m and n:
        rows, columns = _assignment(costs)
        close = distances[rows, columns] < cutoff
        pairs = int(close.sum())
        localisation = float(costs[rows[close], columns[close]].sum())
    missed, false = m - pairs, n - pairs
    half = cutoff**order / 2.0
    return Gospa(
        distance=float((localisation + half * (missed + false)) ** (1.0 / order)),
        localisation=localisation,
        missed_cost=half * missed,
        false_cost=half * false,
        assigned=pairs,
        missed=missed,
        false=false,
    )


def _distances(truth: ArrayLike, estimates: ArrayLike, cutoff: float, order: float) -> Array:
    if not (0.0 < cutoff < math.inf and 1.0 <= order < math.inf):
        raise ValueError(f"cutoff {cutoff} and order {order}: must be > 0 and >= 1")
    one, other = (np.asarray(points, dtype=np.float64) for points in (truth, estimates))
    if one.size == 0 or other.size == 0:
        return np.zeros((len(one), len(other)))
    if not (one.ndim == other.ndim == 2 and one.shape[1] == other.shape[1]):
        raise ValueError(f"points of shapes {one.shape} and {other.shape}: must be (m, d) and (n, d)")
    if np.isnan(one).any() or np.isnan(other).any():
        raise ValueError("a point is not a number (NaN): leave it out, and count it as missed or false that way")
    return np.asarray(np.linalg.norm(one[:, np.newaxis] - other[np.newaxis], axis=2))


def _assignment(costs: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(costs)
    return np.asarray(rows), np.asarray(columns)


def _assigned(costs: Array) -> float:
    if 0 in costs.shape:
        return 0.0
    rows, columns = _assignment(costs)
    return float(costs[rows, columns].sum())


# ---- consistency ----------------------------------------------------------------------------------


def mahalanobis_2(errors: ArrayLike, covariances: ArrayLike) -> Array:
    """Return eᵀ C⁻¹ e for errors (…, n) and covariances (…, n, n); NaN where one is not positive definite."""
    error = np.asarray(errors, dtype=np.float64)
    covariance = np.broadcast_to(np.asarray(covariances, dtype=np.float64), (*error.shape, error.shape[-1]))
    if error.size == 0:
        return np.zeros(error.shape[:-1])
    try:
        np.linalg.cholesky(covariance)
        solved = np.linalg.solve(covariance, error[..., np.newaxis])[..., 0]
    except np.linalg.LinAlgError:
        rows, flat = error.reshape(-1, error.shape[-1]), covariance.reshape(-1, *covariance.shape[-2:])
        solved = np.array([_solved(c, e) for c, e in zip(flat, rows, strict=True)]).reshape(error.shape)
    return np.asarray((error * solved).sum(axis=-1))


def _solved(covariance: Array, error: Array) -> Array:
    try:
        np.linalg.cholesky(covariance)
        return np.asarray(np.linalg.solve(covariance, error))
    except np.linalg.LinAlgError:
        return np.full(len(error), np.nan)


@dataclass(frozen=True, kw_only=True)
class Consistency:
    """Mean of `runs` squared Mahalanobis distances over their degrees of freedom: 1 if the covariances are honest.

    [`low`, `high`] holds the mean of honest ones with the probability that was asked for: above it a filter is too
    sure of itself, below it too modest.  `left_out` values were not finite: a filter that failed, or a covariance that
    is none.
    """

    mean: float
    low: float
    high: float
    runs: int
    left_out: int

    @property
    def honest(self) -> bool:
        """Whether the mean lies where that of honest covariances would, and nothing was left out."""
        return self.low <= self.mean <= self.high and self.left_out == 0


def consistency(values: ArrayLike, dimensions: int, *, share: float = 0.95) -> Consistency:
    """Return the mean of independent NEES or NIS values (n,) of so many dimensions, with its interval.

    Values that are not finite are left out of the mean, and counted.

    Source: the sum of n values is chi squared with n · dimensions degrees of freedom (Bar-Shalom, equation 5.4.2-6).
    """
    from scipy.stats import chi2

    found = np.asarray(values, dtype=np.float64)
    every = len(found)
    found = found[np.isfinite(found)]
    count = len(found)
    if count == 0:
        return Consistency(mean=math.nan, low=math.nan, high=math.nan, runs=0, left_out=every)
    freedom = count * dimensions
    low, high = chi2.ppf([0.5 * (1.0 - share), 0.5 * (1.0 + share)], freedom) / freedom
    return Consistency(
        mean=float(found.sum()) / freedom, low=float(low), high=float(high), runs=count, left_out=every - count
    )


def nees(states: ArrayLike, truths: ArrayLike, covariances: ArrayLike) -> Array:
    """Return the normalised estimation error squared of states (…, n): chi squared, n degrees of freedom."""
    return mahalanobis_2(np.asarray(states, dtype=np.float64) - np.asarray(truths, dtype=np.float64), covariances)


def nis(innovations: ArrayLike, covariances: ArrayLike) -> Array:
    """Return the normalised innovation squared (…, n): as `nees`, without a truth."""
    return mahalanobis_2(innovations, covariances)


# ---- impacts --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share that was counted, with its interval."""

    hits: int
    n: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The share itself; NaN of nothing."""
        return self.hits / self.n if self.n else math.nan

    def __str__(self) -> str:
        """Return "0.951 [0.930, 0.966] of 500"."""
        return f"{self.share:.3f} [{self.low:.3f}, {self.high:.3f}] of {self.n}"


def wilson(hits: int, n: int, *, share: float = 0.95) -> Share:
    """Return a share with Wilson's interval; of nothing it is [0, 1]."""
    if not 0 <= hits <= n:
        raise ValueError(f"{hits} hits of {n}: must be 0 to {n}")
    if n == 0:
        return Share(hits=0, n=0, low=0.0, high=1.0)
    z, p = NormalDist().inv_cdf(0.5 * (1.0 + share)), hits / n
    centre, half = p + z * z / (2.0 * n), z * math.sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n))
    whole = 1.0 + z * z / n
    return Share(hits=hits, n=n, low=max((centre - half) / whole, 0.0), high=min((centre + half) / whole, 1.0))


def impact_error_m(estimates: ArrayLike, truths: ArrayLike) -> Array:
    """Return the horizontal distance (…,) between impacts (…, 2 or 3): east, north, and up, which does not count."""
    error = np.asarray(estimates, dtype=np.float64)[..., :2] - np.asarray(truths, dtype=np.float64)[..., :2]
    return np.asarray(np.hypot(error[..., 0], error[..., 1]))


def drms(errors_m: ArrayLike) -> float:
    """Return the root mean square of distances (n,); NaN of none."""
    found = np.asarray(errors_m, dtype=np.float64)
    return float(np.sqrt(np.mean(found**2))) if len(found) else math.nan


def coverage(errors: ArrayLike, covariances: ArrayLike, *, share: float = 0.95) -> Share:
    """Return how many of the Gaussians' `share` regions hold the truth: errors (n, d), covariances (n, d, d).

    In two dimensions the region is an ellipse of the squared Mahalanobis distance −2 ln(1 − share).  One whose
    covariance is not positive definite holds nothing, nor does one whose error is not a number.
    """
    if len(np.asarray(errors)) == 0:
        return wilson(0, 0)
    found = mahalanobis_2(errors, covariances)
    return wilson(int((found <= gate(np.shape(errors)[-1], share)).sum()), len(found))


def gate(dimensions: int, share: float) -> float:
    """Return the squared Mahalanobis distance that holds this share of a Gaussian of so many dimensions."""
    if dimensions == 2:
        return -2.0 * math.log1p(-share)
    from scipy.stats import chi2

    return float(chi2.ppf(share, dimensions))
