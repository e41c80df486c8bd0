"""The modified point mass of a spinning shell: its spin is a state, and its yaw of repose follows from it.

The point mass of `motion` holds one constant c for the whole yaw of repose; here lift, yaw drag and the Magnus
force come from coefficients, and the spin dies away.  This is for the simulation, whose truth should not be of the
same make as what the tracker believes.

Source: R. L. McCoy, "Modern Exterior Ballistics" (1999), chapter 9; the same equations as the modified point mass
trajectory model of STANAG 4355 in its publicly described form, of first order in the yaw.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opencram.ballistics.environment import Environment, altitude, surface
from opencram.ballistics.motion import acceleration, air_of, air_row
from opencram.ballistics.propagation import LN_BETA, WIND_E, WIND_N, _hermite, _hermite_slope
from opencram.kernel import kernel

Array = NDArray[np.float64]

STEP_S: Final = 0.05
_YAW_MAX_RAD: Final = 0.3  # beyond, first order in the yaw says nothing: the equations hold it there
_ROW: Final = 8  # time, position, velocity, spin


@dataclass(frozen=True, kw_only=True)
class Body:
    """What spins.  Coefficients refer to the cross-section and the calibre; the spin term to p d / v."""

    mass_kg: float
    calibre_m: float
    axial_inertia_kg_m2: float
    lift_slope: float = 1.7  # per rad
    overturning_slope: float = 4.0  # per rad
    yaw_drag: float = 5.0  # per rad²
    magnus_force: float = -0.3  # per rad
    spin_damping: float = -0.02

    def __post_init__(self) -> None:
        """Refuse a body that would divide by nothing."""
        held = (self.mass_kg, self.calibre_m, self.axial_inertia_kg_m2, self.overturning_slope)
        if not all(0.0 < value < math.inf for value in held):
            raise ValueError(f"mass, calibre, inertia and overturning slope {held}: must be > 0")


# Round numbers for a 155 mm shell of 43.5 kg: McCoy (1999), tables of chapter 9 and 10, to one or two digits.
GENERIC_155: Final = Body(mass_kg=43.5, calibre_m=0.155, axial_inertia_kg_m2=0.145)
GENERIC_105: Final = Body(mass_kg=15.0, calibre_m=0.105, axial_inertia_kg_m2=0.023)


def muzzle_spin_rad_s(body: Body, speed_m_s: float, *, twist_calibres: float = 22.0) -> float:
    """Return the spin (rad/s, right-hand) that rifling of one turn in so many calibres gives."""
    return 2.0 * math.pi * speed_m_s / (twist_calibres * body.calibre_m)


def drift_constant_m_s(body: Body, spin_rad_s: float) -> float:
    """Return the constant c of the point mass that stands for this spin: I p C_L / (m d C_M)."""
    turning = body.axial_inertia_kg_m2 * spin_rad_s * body.lift_slope
    return turning / (body.mass_kg * body.calibre_m * body.overturning_slope)


def fly_spinning(
    state: ArrayLike,
    spin_rad_s: float,
    body: Body,
    env: Environment,
    cd: Array,
    *,
    dt: float = STEP_S,
    t_max: float = 300.0,
) -> tuple[Array, bool]:
    """Return the flight (n, 8) of a spinning shell, and whether its last row is on the ground.

    Rows: time (s), position (m), velocity (m/s), spin (rad/s).  `state` (10,) as everywhere; its spin-drift constant
    is not used, the spin stands instead.
    """
    start = np.array(state, dtype=np.float64)
    table = np.empty((math.ceil(t_max / dt) + 1, _ROW))
    coefficients = np.array(
        [
            math.pi * body.calibre_m**2 / (8.0 * body.mass_kg) * body.lift_slope,
            math.pi * body.calibre_m**2 / (8.0 * body.mass_kg) * body.yaw_drag,
            math.pi * body.calibre_m**3 / (8.0 * body.mass_kg) * body.magnus_force,
            8.0 * body.axial_inertia_kg_m2 / (math.pi * body.calibre_m**3 * body.overturning_slope),
            math.pi * body.calibre_m**4 / (8.0 * body.axial_inertia_kg_m2) * body.spin_damping,
        ]
    )
    count = _fly(table, start, spin_rad_s, coefficients, dt, env, cd)
    return table[: abs(count)].copy(), bool(count > 0)


@kernel
def _fly(table, start, spin, coefficients, dt, env, cd):
    """Fill `table`; return how many rows, negative if the last is not on the ground."""
    slopes = np.empty((4, 7))
    at = np.empty(7)
    now = np.empty(7)
    for j in range(6):  # not by slices: the message of their mismatch is 3 s of compilation
        now[j] = start[j]
    now[6] = spin
    shares = (0.0, 0.5, 0.5, 1.0)
    table[0, 0] = 0.0
    for j in range(7):
        table[0, 1 + j] = now[j]
    above = altitude(now[0], now[1], now[2], env) - surface(now[0], now[1], env)
    for k in range(1, table.shape[0]):
        row = air_row(now[0], now[1], now[2], env)
        for stage in range(4):
            for j in range(7):
                at[j] = now[j] + (dt * shares[stage] * slopes[stage - 1, j] if stage > 0 else 0.0)
            _slopes(at, start, coefficients, row, env, cd, slopes[stage])
        for j in range(7):
            now[j] += dt / 6.0 * (slopes[0, j] + 2.0 * (slopes[1, j] + slopes[2, j]) + slopes[3, j])
        table[k, 0] = k * dt
        for j in range(7):
            table[k, 1 + j] = now[j]
        below = altitude(now[0], now[1], now[2], env) - surface(now[0], now[1], env)
        if below <= 0.0 and (now[5] < 0.0 or above > 0.0):
            _cut(table, k, dt, env)
            return k + 1
        above = below
    return -table.shape[0]


@kernel
def _slopes(at, start, coefficients, row, env, cd, slope):
    """Write the derivatives of position, velocity and spin (7)."""
    beta_inverse = math.exp(-start[LN_BETA])
    ae, an, au = acceleration(
        at[0],
        at[1],
        at[2],
        at[3],
        at[4],
        at[5],
        beta_inverse,
        start[WIND_E],
        start[WIND_N],
        0.0,
        row,
        air_of(row, env),
        env,
        cd,
    )
    air = env.air
    rise = altitude(at[0], at[1], at[2], env) - (row * 100.0 - 500.0)
    density = air[row, 0] + rise * (air[row, 1] + rise * air[row, 2])
    ve = at[3] - start[WIND_E] - (air[row, 5] + rise * air[row, 6])
    vn = at[4] - start[WIND_N] - (air[row, 7] + rise * air[row, 8])
    vu = at[5]
    v2 = ve * ve + vn * vn + vu * vu + 1.0
    speed = math.sqrt(v2)
    # The yaw of repose: a spinning body answers the turn of its path (v × a) at right angles to it.
    share = -coefficients[3] * at[6] / (max(density, 1e-6) * v2 * v2)
    ye, yn, yu = share * (vn * au - vu * an), share * (vu * ae - ve * au), share * (ve * an - vn * ae)
    yaw = math.sqrt(ye * ye + yn * yn + yu * yu)
    hold = _YAW_MAX_RAD / yaw if yaw > _YAW_MAX_RAD else 1.0
    ye, yn, yu = hold * ye, hold * yn, hold * yu
    yaw *= hold
    lift = density * coefficients[0] * v2
    drag = -density * coefficients[1] * yaw * yaw * speed
    magnus = -density * coefficients[2] * at[6]
    slope[0], slope[1], slope[2] = at[3], at[4], at[5]
    slope[3] = ae + lift * ye + drag * ve + magnus * (yn * vu - yu * vn)
    slope[4] = an + lift * yn + drag * vn + magnus * (yu * ve - ye * vu)
    slope[5] = au + lift * yu + drag * vu + magnus * (ye * vn - yn * ve)
    slope[6] = density * coefficients[4] * at[6] * speed


@kernel
def _cut(table, k, dt, env):
    """Move row `k` of a flight back to where it meets the ground, by halving the cubic Hermite polynomial."""
    before, after = table[k - 1].copy(), table[k].copy()
    low, high = 0.0, 1.0
    while high - low > 1e-7:
        part = 0.5 * (low + high)
        e = _hermite(before[1], before[4] * dt, after[1], after[4] * dt, part)
        n = _hermite(before[2], before[5] * dt, after[2], after[5] * dt, part)
        u = _hermite(before[3], before[6] * dt, after[3], after[6] * dt, part)
        if altitude(e, n, u, env) > surface(e, n, env):
            low = part
        else:
            high = part
    table[k, 0] = before[0] + high * dt
    for axis in range(1, 4):
        table[k, axis] = _hermite(before[axis], before[axis + 3] * dt, after[axis], after[axis + 3] * dt, high)
        slope = _hermite_slope(before[axis], before[axis + 3] * dt, after[axis], after[axis + 3] * dt, high)
        table[k, axis + 3] = slope / dt
    table[k, 7] = before[7] + high * (after[7] - before[7])
