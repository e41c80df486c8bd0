"""The boost phase of a rocket: specific force along the axis while the motor burns.

The axis lies along the velocity through the air (fins turn a rocket into the wind), and along the launcher until the
air has a hold on the fins.  The ballistic coefficient is that after burning throughout: drag is a small part of the
thrust.  Everything else is the motion of `motion.acceleration`, which is called here.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opencram.ballistics.environment import Environment
from opencram.ballistics.motion import acceleration, air_of, air_row
from opencram.ballistics.propagation import LN_BETA, SPIN, WIND_E, WIND_N
from opencram.kernel import helper, kernel

Array = NDArray[np.float64]

STEP_S: Final = 0.05
FIN_SPEED_M_S: Final = 30.0  # slower, the axis keeps the launcher's direction


@dataclass(frozen=True, kw_only=True)
class Motor:
    """A motor of even thrust: specific force (m/s², thrust over mass) and burn time (s)."""

    force_m_s2: float
    burn_s: float

    def __post_init__(self) -> None:
        """Refuse what no motor is."""
        if not (0.0 <= self.force_m_s2 < 5000.0 and 0.0 <= self.burn_s < 60.0):
            raise ValueError(f"a motor of {self.force_m_s2} m/s² for {self.burn_s} s: must be 0 to 5000 and 0 to 60")


def boosted(state: ArrayLike, motor: Motor, env: Environment, cd: Array, *, dt: float = STEP_S) -> tuple[Array, Array]:
    """Return times (n,) and states (n, 10) from the launch to burn-out, every `dt` seconds or a little less.

    The velocity in `state` is that at the end of the launcher, and gives its direction.
    """
    steps = max(math.ceil(motor.burn_s / dt - 1e-9), 0)
    table = np.empty((steps + 1, 10))
    table[0] = np.asarray(state, dtype=np.float64)
    if steps:
        _boost(table, motor.burn_s / steps, motor.force_m_s2, env, cd)
    times: Array = np.arange(steps + 1, dtype=np.float64) * (motor.burn_s / max(steps, 1))
    return times, table


@kernel
def _boost(table, dt, force, env, cd):
    """Fill rows 1 … of `table` (n, 10) from row 0, a step each."""
    state = table[0]
    speed = math.sqrt(state[3] ** 2 + state[4] ** 2 + state[5] ** 2)
    axis = (state[3] / speed, state[4] / speed, state[5] / speed) if speed > 0.0 else (0.0, 0.0, 1.0)
    beta_inverse = math.exp(-state[LN_BETA])
    wind_e, wind_n, spin = state[WIND_E], state[WIND_N], state[SPIN]
    slopes = np.empty((4, 6))
    at = np.empty(6)
    shares = (0.0, 0.5, 0.5, 1.0)
    for k in range(1, table.shape[0]):
        row = air_row(table[k - 1, 0], table[k - 1, 1], table[k - 1, 2], env)
        for stage in range(4):
            for j in range(6):
                at[j] = table[k - 1, j] + (dt * shares[stage] * slopes[stage - 1, j] if stage > 0 else 0.0)
            ae, an, au = acceleration(
                at[0],
                at[1],
                at[2],
                at[3],
                at[4],
                at[5],
                beta_inverse,
                wind_e,
                wind_n,
                spin,
                row,
                air_of(row, env),
                env,
                cd,
            )
            te, tn, tu = _thrust(at, axis, force, wind_e, wind_n, row, env)
            slopes[stage, 0], slopes[stage, 1], slopes[stage, 2] = at[3], at[4], at[5]
            slopes[stage, 3], slopes[stage, 4], slopes[stage, 5] = ae + te, an + tn, au + tu
        for j in range(6):
            mean = slopes[0, j] + 2.0 * (slopes[1, j] + slopes[2, j]) + slopes[3, j]
            table[k, j] = table[k - 1, j] + dt / 6.0 * mean
        for j in range(6, 10):
            table[k, j] = state[j]


@helper
def _thrust(at, axis, force, wind_e, wind_n, row, env):
    """Return the thrust's acceleration east, north, up."""
    air = env.air
    ve = at[3] - wind_e - air[row, 5]
    vn = at[4] - wind_n - air[row, 7]
    speed = math.sqrt(ve * ve + vn * vn + at[5] * at[5])
    if speed < FIN_SPEED_M_S:
        return force * axis[0], force * axis[1], force * axis[2]
    share = force / speed
    return share * ve, share * vn, share * at[5]
