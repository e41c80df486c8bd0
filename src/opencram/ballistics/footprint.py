"""Hazard footprints: where thousands of flights out of one distribution come down.

The sample is even, not random: points of an additive recurrence, turned into normal deviates.  The same flight has
the same footprint, and its mean errs a third as much as that of random draws.
"""

import functools
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opencram.ballistics.drivers import FLIGHT_S_MAX, STEP_S, land_all
from opencram.ballistics.environment import Environment
from opencram.ballistics.propagation import STATES

Array = NDArray[np.float64]

SAMPLES: Final = 4096
SAMPLES_MAX: Final = 1_000_000


@dataclass(frozen=True)
class Footprint:
    """Where samples land: `landed` (n, 7) time, position and velocity of those that do, and their moments."""

    landed: Array
    landed_share: float  # of all samples; the rest fly longer than the time limit
    mean_m: Array  # (2,) east, north
    covariance_m2: Array  # (2, 2)

    def ellipse_m(self, share: float = 0.95) -> tuple[float, float, float]:
        """Return half axes (m), long and short, and the azimuth of the long one (rad) of a Gaussian's ellipse."""
        return ellipse(self.covariance_m2, share)

    def radius_m(self, share: float = 0.95) -> float:
        """Return the radius about the mean that holds this share of the samples."""
        return float(np.quantile(np.linalg.norm(self.landed[:, 1:3] - self.mean_m, axis=1), share))


def ellipse(covariance_m2: ArrayLike, share: float = 0.95) -> tuple[float, float, float]:
    """Return half axes (m), long and short, and the azimuth [0, π) of the long one, of a plane Gaussian's ellipse."""
    values, vectors = np.linalg.eigh(np.asarray(covariance_m2, dtype=np.float64))
    scale = math.sqrt(-2.0 * math.log(1.0 - share))
    long, short = (scale * math.sqrt(max(float(value), 0.0)) for value in values[::-1])
    azimuth = math.atan2(float(vectors[0, 1]), float(vectors[1, 1])) % math.pi
    return long, short, azimuth


def footprint(
    mean: ArrayLike,
    covariance: ArrayLike,
    env: Environment,
    cd: Array,
    *,
    samples: int = SAMPLES,
    dt: float = STEP_S,
    t_max: float = FLIGHT_S_MAX,
    threads: int = 1,
) -> Footprint:
    """Return the footprint of a flight whose state has this mean (10,) and covariance (10, 10)."""
    if not 2 <= samples <= SAMPLES_MAX:
        raise ValueError(f"samples = {samples}: must be 2 to {SAMPLES_MAX}")
    states = np.asarray(mean, dtype=np.float64) + deviates(samples) @ _root(np.asarray(covariance, dtype=np.float64)).T
    return footprint_of(states, env, cd, dt=dt, t_max=t_max, threads=threads)


def footprint_of(
    states: ArrayLike,
    env: Environment,
    cd: Array,
    *,
    dt: float = STEP_S,
    t_max: float = FLIGHT_S_MAX,
    threads: int = 1,
) -> Footprint:
    """Return the footprint of these flights (n, 10), each as likely as the others."""
    landed = land_all(states, env, cd, dt=dt, t_max=t_max, threads=threads)
    down = np.isfinite(landed[:, 0])
    if down.sum() < 2:
        return Footprint(landed[down], float(down.mean()), np.full(2, np.nan), np.full((2, 2), np.nan))
    places = landed[down, 1:3]
    return Footprint(landed[down], float(down.mean()), places.mean(axis=0), np.cov(places.T, bias=True))


@functools.lru_cache(maxsize=4)
def deviates(samples: int) -> Array:
    """Return evenly spread standard normal deviates (samples, 10).  Read-only.

    Source: the generalised golden ratio, the root of x¹¹ = x + 1, as the base of an additive recurrence.
    """
    from scipy.special import ndtri

    root = 1.0
    for _ in range(64):
        root = (1.0 + root) ** (1.0 / (STATES + 1))
    unit = np.mod(0.5 + np.outer(np.arange(1, samples + 1), root ** -np.arange(1.0, STATES + 1)), 1.0)
    normal = np.ascontiguousarray(ndtri(unit))
    normal.setflags(write=False)
    return normal


def _root(covariance: Array) -> Array:
    """Return a matrix whose square is the covariance; negative eigenvalues of rounding count as none."""
    values, vectors = np.linalg.eigh(covariance)
    root: Array = vectors * np.sqrt(np.maximum(values, 0.0))
    return root
