"""How rounds leave and fly where a point mass is too simple: rockets under thrust, shells that spin.

A rocket that leaves at burn-out and a shell whose yaw of repose is one constant are what the tracking believes in.  A
truth of another make shows what that belief costs.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opencram.ballistics.boost import Motor, boosted
from opencram.ballistics.environment import Environment
from opencram.ballistics.propagation import STATES
from opencram.ballistics.spinning import STEP_S as SPINNING_STEP_S
from opencram.ballistics.spinning import fly_spinning, muzzle_spin_rad_s
from opencram.errors import OpencramError
from opencram.simulation.model import Round

Array = NDArray[np.float64]

RAIL_M_S: Final = 30.0  # speed of a rocket at the end of its launcher
FORCE_M_S2_MAX: Final = 4900.0
_SPEED_ERROR_M_S: Final = 1e-6
_TRIES_MAX: Final = 12
_THIN: Final = 5  # of the steps of a spinning shell every fifth is kept: 0.25 s


def state_of(what: Round, velocity_enu_m_s: Array) -> Array:
    """Return the state (10,) of a round that leaves its place with this velocity."""
    state = np.zeros(STATES)
    state[:3], state[3:6] = what.position_enu_m, velocity_enu_m_s
    state[6], state[9] = math.log(what.ballistic_coefficient_kg_m2), what.spin_drift_m_s
    return state


def burnt(what: Round, velocity_enu_m_s: Array, env: Environment, curve: Array) -> tuple[Array, Array]:
    """Return times (n,) and states (n, 10) of a rocket from its launcher to burn-out.

    `velocity_enu_m_s`: its direction is that of the launcher, its size the speed at burn-out, for which the motor's
    force is found.  Raises OpencramError where no motor of this model gives it.
    """
    speed = float(np.linalg.norm(velocity_enu_m_s))
    start = state_of(what, velocity_enu_m_s * (RAIL_M_S / max(speed, 1e-9)))
    # Two forces to begin with: without drag and weight, and a tenth more; then by secants.
    forces = [max(speed - RAIL_M_S, 1.0) / what.burn_s * factor for factor in (1.0, 1.1)]
    found: list[float] = []
    for _ in range(_TRIES_MAX):
        force = forces[len(found)]
        if not 0.0 <= force <= FORCE_M_S2_MAX:
            break
        times, states = boosted(start, Motor(force_m_s2=force, burn_s=what.burn_s), env, curve)
        found.append(float(np.linalg.norm(states[-1, 3:6])))
        if abs(found[-1] - speed) <= _SPEED_ERROR_M_S:
            return times, states
        if len(found) >= len(forces):
            slope = (found[-1] - found[-2]) / (forces[-1] - forces[-2]) if forces[-1] != forces[-2] else 0.0
            if not slope > 0.0:
                break
            forces.append(forces[-1] + (speed - found[-1]) / slope)
    raise OpencramError(
        f"round {what.name!r}: no motor gives {speed:.0f} m/s in a burn of {what.burn_s:g} s; "
        "lengthen burn_time_s, or leave it out"
    )


def spun(what: Round, velocity_enu_m_s: Array, env: Environment, curve: Array) -> tuple[Array, bool]:
    """Return the flight (n, 7) of a spinning shell: time, position, velocity; and whether it lands."""
    assert what.body is not None
    spin = muzzle_spin_rad_s(what.body, float(np.linalg.norm(velocity_enu_m_s)))
    table, down = fly_spinning(state_of(what, velocity_enu_m_s), spin, what.body, env, curve, dt=SPINNING_STEP_S)
    last = len(table) - 1
    rows = [*range(0, last, _THIN), last]
    return table[rows, :7], down
