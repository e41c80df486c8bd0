"""Where a round came from, for the incident report: after its impact, and as an area only.

The area is coarse on purpose: its centre is rounded to half a kilometre and its radius is never under one.  There is
no way to ask before the impact.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opencram.ballistics.environment import Environment, altitude, surface
from opencram.ballistics.motion import rk4
from opencram.ballistics.propagation import LN_BETA, SPIN, STATES, WIND_E, WIND_N
from opencram.kernel import kernel

Array = NDArray[np.float64]

GRID_M: Final = 500.0
RADIUS_M_MIN: Final = 1000.0
BACK_S_MAX: Final = 120.0
_STEP_S: Final = 0.25
_POINTS_MIN: Final = 12  # of 20 sigma points that must come from the ground


@dataclass(frozen=True, kw_only=True)
class LaunchArea:
    """A circle that holds the launch with about 95 %: centre (ENU, rounded) and radius (m, rounded up)."""

    east_m: float
    north_m: float
    radius_m: float


def launch_area(
    mean: ArrayLike, covariance: ArrayLike, env: Environment, cd: Array, *, since_impact_s: float
) -> LaunchArea | None:
    """Return where the round with this state (10,) and covariance was launched, or None.

    None before the impact (`since_impact_s` < 0 or not a number), and where the round cannot be followed back to the
    ground within `BACK_S_MAX`.  The state may be of any moment of the flight.  Thrust is not known: the boost of a
    rocket lies within the rounding.
    """
    center, spread = np.asarray(mean, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
    if not since_impact_s >= 0.0 or not (np.isfinite(center).all() and np.isfinite(spread).all()):
        return None
    values, vectors = np.linalg.eigh(spread)
    root = vectors * np.sqrt(STATES * np.maximum(values, 0.0))
    points = np.concatenate([center + root.T, center - root.T])
    found = np.full((len(points), 2), np.nan)
    for point, place in zip(points, found, strict=True):
        _back(point, place, _STEP_S, BACK_S_MAX, env, cd)
    found = found[np.isfinite(found[:, 0])]
    if len(found) < _POINTS_MIN:
        return None
    middle = found.mean(axis=0)
    reach = 2.45 * math.sqrt(max(float(np.linalg.eigvalsh(np.cov(found.T, bias=True))[-1]), 0.0))
    east, north = (np.round(middle / GRID_M) * GRID_M).tolist()
    radius = max(RADIUS_M_MIN, math.ceil((reach + GRID_M) / GRID_M) * GRID_M)
    return LaunchArea(east_m=east, north_m=north, radius_m=radius)


@kernel
def _back(x, place, dt, t_max, env, cd):
    """Fly one state back in time until it is on the ground going up; write east and north there."""
    beta_inverse = math.exp(-x[LN_BETA])
    e, n, u, ve, vn, vu = x[0], x[1], x[2], x[3], x[4], x[5]
    height = altitude(e, n, u, env) - surface(e, n, env)
    for _ in range(int(math.ceil(t_max / dt))):
        if height <= 0.0 and vu > 0.0:
            place[0], place[1] = e, n
            return True
        e_0, n_0, height_0 = e, n, height
        e, n, u, ve, vn, vu = rk4(e, n, u, ve, vn, vu, beta_inverse, x[WIND_E], x[WIND_N], x[SPIN], -dt, env, cd)
        height = altitude(e, n, u, env) - surface(e, n, env)
        if height <= 0.0 and vu > 0.0:
            part = height_0 / (height_0 - height) if height < height_0 else 1.0
            place[0], place[1] = e_0 + part * (e - e_0), n_0 + part * (n - n_0)
            return True
    return False
