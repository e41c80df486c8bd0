"""Terms of the motion that can be switched off, to see what each is worth."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opencram.ballistics.environment import DENSITY, SOUND_INVERSE, WIND_EAST, Environment
from opencram.ballistics.propagation import SPIN, WIND_E, WIND_N

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Which terms act.  Gravity always does."""

    drag: bool = True
    wind: bool = True
    coriolis: bool = True
    curvature: bool = True  # of the ground, and of gravity's direction with it
    gravity_gradient: bool = True  # gravity's change with height and latitude
    spin_drift: bool = True


def switched(env: Environment, terms: Terms) -> Environment:
    """Return the environment in which only these terms act; spin drift is a matter of `switched_states`."""
    air = env.air.copy()
    if not terms.drag:
        air[:, DENSITY:SOUND_INVERSE] = 0.0
    if not terms.wind:
        air[:, WIND_EAST:] = 0.0
    changes: dict[str, Any] = {"air": air}
    if not terms.coriolis:
        changes |= {"coriolis_north_rad_s": 0.0, "coriolis_up_rad_s": 0.0}
    if not terms.curvature:
        changes |= {"curvature_east_1_m": 0.0, "curvature_north_1_m": 0.0}
    if not terms.gravity_gradient:
        here = env.gravity_m_s2 + env.height_m * (env.gravity_up_1_s2 + env.height_m * env.gravity_up2_1_m_s2)
        changes |= {"gravity_m_s2": here, "gravity_north_1_s2": 0.0, "gravity_up_1_s2": 0.0, "gravity_up2_1_m_s2": 0.0}
    return env._replace(**changes)


def switched_states(states: ArrayLike, terms: Terms) -> Array:
    """Return states (…, 10) without what is switched off of the wind and spin drift that they hold themselves."""
    result = np.array(states, dtype=np.float64)
    if not terms.spin_drift:
        result[..., SPIN] = 0.0
    if not terms.wind:
        result[..., WIND_E] = result[..., WIND_N] = 0.0
    return result
