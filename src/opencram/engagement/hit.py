"""How likely one shot is to kill, from dispersion, common error and lethal radius.

Everything is in the plane across the line of sight at the point of intercept, in metres.
"""

import functools

import numpy as np
from numpy.typing import NDArray
from scipy.special import chndtr, ndtr

from opencram.engagement.config import Model

Array = NDArray[np.float64]

# Nodes on the common error from 0 to 7 of its deviations; beyond lies 2e-11 of the probability.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)
_RADII = 3.5 * (_NODES + 1.0)
_DENSITY = 3.5 * _WEIGHTS * _RADII * np.exp(-0.5 * _RADII**2)

_TABLE_POINTS = 65


def hit_probability(offset_m: Array, sigma_m: Array, radius_m: float) -> Array:
    """Return the probability that a circular Gaussian point, centred `offset_m` away, falls within `radius_m`.

    Valid: `sigma_m` > 0.
    Error: under 1e-9 (tests/engagement/test_hit.py); under 1 % where offset and radius both exceed 60 sigma, where
    the edge of the circle is taken as straight.
    Source: the squared distance over sigma² is noncentral chi-square with two degrees of freedom (Johnson, Kotz and
    Balakrishnan, Continuous Univariate Distributions 2, ch. 29).
    """
    offset, radius = offset_m / sigma_m, radius_m / sigma_m
    near = np.minimum(offset, radius) < 60.0
    disc = chndtr(np.where(near, np.minimum(radius, offset + 60.0), 1.0) ** 2, 2.0, np.where(near, offset, 0.0) ** 2)
    outside = near & (offset > radius + 40.0)
    probability = np.where(outside, 0.0, np.where(near, disc, ndtr(radius - offset)))
    clipped: Array = np.clip(np.nan_to_num(probability, nan=0.0), 0.0, 1.0)
    return clipped


def shot_kill_probability(model: Model, range_m: Array) -> Array:
    """Return the probability that one shot kills at each slant range.

    The rounds of a shot share one error and scatter independently about it: given the common error, the chance to
    survive is that of each round to the power of their number; the mean over the common error is a one-dimensional
    integral over its radius, done by Gauss-Legendre.  Treating all errors as independent would promise too much.

    Error: under 1e-6 for a common error of up to 5 times the dispersion (tests/engagement/test_hit.py).
    Source: e.g. Przemieniecki, Mathematical Methods in Defense Analyses, 3rd ed., ch. 3 (salvo with aiming error).
    """
    independent = np.hypot(model.dispersion_rad * range_m, model.miss_m_std)
    common = np.hypot(model.bias_rad * range_m, model.tracking_m_std)
    independent = np.maximum(independent, 1e-3)  # at zero range an angle is no length
    offset = common[:, None] * _RADII
    hit = hit_probability(offset, np.broadcast_to(independent[:, None], offset.shape), model.lethal_radius_m)
    survival = (1.0 - model.kill_given_hit * hit) ** model.rounds_per_shot
    return np.clip((1.0 - survival) @ _DENSITY, 0.0, 1.0)


@functools.lru_cache(maxsize=64)
def kill_table(model: Model, range_m_min: float, range_m_max: float) -> tuple[Array, Array]:
    """Return slant ranges and the kill probability of one shot at each, for linear interpolation."""
    ranges = np.linspace(range_m_min, range_m_max, _TABLE_POINTS)
    kills = shot_kill_probability(model, ranges)
    ranges.setflags(write=False)
    kills.setflags(write=False)
    return ranges, kills
