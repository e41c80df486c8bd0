"""How likely one shot is to kill, from dispersion, common error and lethal radius.

Everything is in the plane across the line of sight at the point of intercept, in metres.
"""

import functools
import math

import numpy as np
from numpy.typing import NDArray

from opencram.engagement.effector import Model

Array = NDArray[np.float64]

# Nodes on the common error from 0 to 7 of its deviations; beyond lies 2e-11 of the probability.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)
_RADII = 3.5 * (_NODES + 1.0)
_DENSITY = 3.5 * _WEIGHTS * _RADII * np.exp(-0.5 * _RADII**2)

_OWN_POINTS, _COMMON_POINTS = 17, 33
_CROSSING_M_S_MAX, _TRACK_M_STD_MAX = 500.0, 100.0


def hit_probability(offset_m: Array, sigma_m: Array, radius_m: float) -> Array:
    """Return the probability that a circular Gaussian point, centred `offset_m` away, falls within `radius_m`.

    Valid: `sigma_m` > 0.
    Error: under 1e-9 (tests/engagement/test_hit.py); under 1 % where offset and radius both exceed 60 sigma, where
    the edge of the circle is taken as straight.
    Source: the squared distance over sigma² is noncentral chi-square with two degrees of freedom (Johnson, Kotz and
    Balakrishnan, Continuous Univariate Distributions 2, ch. 29).
    """
    from scipy.special import chndtr, ndtr  # a fifth of a second that a site without effectors need not wait

    offset, radius = offset_m / sigma_m, radius_m / sigma_m
    near = np.minimum(offset, radius) < 60.0
    disc = chndtr(np.where(near, np.minimum(radius, offset + 60.0), 1.0) ** 2, 2.0, np.where(near, offset, 0.0) ** 2)
    outside = near & (offset > radius + 40.0)
    probability = np.where(outside, 0.0, np.where(near, disc, ndtr(radius - offset)))
    clipped: Array = np.clip(np.nan_to_num(probability, nan=0.0), 0.0, 1.0)
    return clipped


def time_of_flight_s(model: Model, range_m: Array) -> Array:
    """Return how long a round of the model takes over a slant range.

    The speed decays exponentially with the way flown, which is drag at a constant coefficient in uniform air.
    Source: v = v0·exp(−s/L), hence t = L/v0·(exp(s/L) − 1); McCoy, Modern Exterior Ballistics, ch. 5.
    """
    if math.isinf(model.decay_m):
        return range_m / model.speed_m_s
    return model.decay_m / model.speed_m_s * np.expm1(range_m / model.decay_m)


def shot_kill_probability(
    model: Model, range_m: Array, *, track_m_std: float = 0.0, crossing_m_s: float = 0.0
) -> Array:
    """Return the probability that one shot kills at each slant range.

    `track_m_std`: deviation of the track in each axis; `crossing_m_s`: speed of the target across the line of fire.
    Scatter along that way makes the rounds' own scatter an ellipse, taken as the circle of its area.

    Error: of the circle, under 0.01 for axes up to 1 : 2 (tests/engagement/test_hit.py).
    """
    own = np.maximum(np.hypot(model.dispersion_rad * range_m, model.miss_m_std), 1e-3)
    late_m = crossing_m_s * model.speed_std_share * time_of_flight_s(model, range_m)
    common = np.hypot(model.bias_rad * range_m, common_m(model, track_m_std))
    return kill_probability(model, np.sqrt(own * np.hypot(own, late_m)), common)


def common_m(model: Model, track_m_std: float) -> float:
    """Return the deviation that all rounds of a shot share, apart from the bias, with a track of this deviation."""
    return math.hypot(model.tracking_m_std, model.track_share * track_m_std)


def kill_probability(model: Model, own: Array, common: Array) -> Array:
    """Return the probability that one shot kills, by the deviation of each round and the one that they share (m).

    The rounds of a shot share one error and scatter independently about it: given the common error, the chance to
    survive is that of each round to the power of their number; the mean over the common error is a one-dimensional
    integral over its radius, done by Gauss-Legendre.  Treating all errors as independent would promise too much.

    Error: under 1e-6 for a common error of up to 5 times the dispersion (tests/engagement/test_hit.py).
    Source: e.g. Przemieniecki, Mathematical Methods in Defense Analyses, 3rd ed., ch. 3 (salvo with aiming error).
    """
    offset = common[:, None] * _RADII
    hit = hit_probability(offset, np.broadcast_to(own[:, None], offset.shape), model.lethal_radius_m)
    survival = (1.0 - model.kill_given_hit * hit) ** model.rounds_per_shot
    return np.clip((1.0 - survival) @ _DENSITY, 0.0, 1.0)


@functools.lru_cache(maxsize=64)
def kill_table(model: Model, range_m_min: float, range_m_max: float) -> tuple[Array, Array]:
    """Return the kill probability of one shot by the rounds' own deviation and the common one, both by their logarithm.

    First the grid: logarithm of the first deviation and points per unit of it, for the rounds' own and for the common
    one; then the table.  It reaches as far as ranges, tracks and crossing speeds can take the deviations.
    """
    farthest = np.array([range_m_max])
    own_from = max(math.hypot(model.dispersion_rad * range_m_min, model.miss_m_std), 1e-3)
    own_to = math.hypot(model.dispersion_rad * range_m_max, model.miss_m_std)
    late_m = _CROSSING_M_S_MAX * model.speed_std_share * float(time_of_flight_s(model, farthest)[0])
    own_to = max(math.sqrt(max(own_to, 1e-3) * math.hypot(own_to, late_m)), 1.01 * own_from)
    common_from = max(math.hypot(model.bias_rad * range_m_min, model.tracking_m_std), 0.01 * own_from)
    common_to = math.hypot(model.bias_rad * range_m_max, common_m(model, _TRACK_M_STD_MAX))
    common_to = max(common_to, 1.01 * common_from)
    own = np.geomspace(own_from, own_to, _OWN_POINTS)
    common = np.geomspace(common_from, common_to, _COMMON_POINTS)
    kills = kill_probability(model, np.repeat(own, _COMMON_POINTS), np.tile(common, _OWN_POINTS))
    table = np.ascontiguousarray(kills.reshape(_OWN_POINTS, _COMMON_POINTS))
    grid = np.array(
        [
            math.log(own_from),
            (_OWN_POINTS - 1) / math.log(own_to / own_from),
            math.log(common_from),
            (_COMMON_POINTS - 1) / math.log(common_to / common_from),
        ]
    )
    grid.setflags(write=False)
    table.setflags(write=False)
    return grid, table
