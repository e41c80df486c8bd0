"""The equations of motion of a point mass, written once: scalars in, scalars out, in the site's ENU.

State: position and velocity, and four constants of the round: the reciprocal of its ballistic
coefficient (mass over cross-section, kg/m², on the drag curve in use), a horizontal wind added to the
site's profile, and the spin-drift constant c (m/s), which stands for the yaw of repose of a spinning
shell: a = c g (v × up) / |v|², to the right of a right-hand spin.

Source: R. L. McCoy, "Modern Exterior Ballistics" (1999), chapters 8 (point mass) and 9 (yaw of repose,
whose lift goes with 1/v² at constant spin).
"""

import math

import numpy as np

from opencram.ballistics.environment import AIR_BOTTOM_M, AIR_STEP_M, altitude
from opencram.kernel import helper

MACH_STEP = 0.0025  # of the tables that `drag` makes
MACH_MAX = 5.0
_AIR_INVERSE = 1.0 / AIR_STEP_M
_AIR_REACH_M = 1000.0  # beyond, the row of a step's start holds its end values: no round climbs so far in one step
_ONE = np.uint64(1)


@helper
def air_row(e, n, u, env):
    """Return the row of `env.air` nearest to this height.

    Unsigned, and with a NaN caught by the comparisons: a signed index costs a test for negative ones, and
    the lanes.
    """
    place = (altitude(e, n, u, env) - AIR_BOTTOM_M) * _AIR_INVERSE + 0.5
    place = place if place > 0.0 else 0.0
    top = env.air.shape[0] - 1.0
    return np.uint64(place if place < top else top)


@helper
def air_of(row, env):
    """Return the numbers (9) of one row of `env.air`."""
    air = env.air
    return (
        air[row, 0], air[row, 1], air[row, 2], air[row, 3], air[row, 4], air[row, 5], air[row, 6], air[row, 7],
        air[row, 8],
    )  # fmt: skip


@helper
def air_among(row, low, near):
    """Return what `air_of` does, of one of three neighbouring rows from `low` on, which `near` holds.

    A choice between numbers at hand instead of nine look-ups, each of which takes the lanes of a vector one by one.
    """
    low_air, air, high_air = near
    air = low_air if row == low else air
    return high_air if row == low + _ONE + _ONE else air


@helper
def acceleration(e, n, u, ve, vn, vu, beta_inverse, wind_e, wind_n, spin, row, air, env, cd):
    """Return the acceleration (m/s²) east, north, up.

    `row`: of `env.air`, near this height, and its numbers `air`.  `cd`: drag coefficient at even steps of Mach from 0
    to 5, linear between, constant above.  (A corner every 0.01 Mach would be felt by a step of 0.25 s: 0.18 m at the
    impact of a flight through the speed of sound, against 0.05 m with one every 0.0025.)
    """
    h = altitude(e, n, u, env)
    rise = h - (AIR_BOTTOM_M + row * AIR_STEP_M)
    rise = rise if rise > -_AIR_REACH_M else -_AIR_REACH_M
    rise = rise if rise < _AIR_REACH_M else _AIR_REACH_M
    density = air[0] + rise * (air[1] + rise * air[2])
    sound_inverse = air[3] + rise * air[4]
    ae = ve - wind_e - (air[5] + rise * air[6])
    an = vn - wind_n - (air[7] + rise * air[8])
    speed = math.sqrt(ae * ae + an * an + vu * vu)
    last = cd.shape[0] - 1.0
    mach = speed * sound_inverse * (last * (1.0 / MACH_MAX))
    last -= 1e-6
    mach = mach if mach < last else last
    below = np.uint64(mach)
    part = mach - below
    drag = -0.5 * density * speed * beta_inverse * (cd[below] + part * (cd[below + _ONE] - cd[below]))

    tilt_e = e * env.curvature_east_1_m
    tilt_n = n * env.curvature_north_1_m
    g = env.gravity_m_s2 + n * env.gravity_north_1_s2 + h * (env.gravity_up_1_s2 + h * env.gravity_up2_1_m_s2)
    yaw = spin * g / (ve * ve + vn * vn + vu * vu + 1.0)
    return (
        drag * ae - g * tilt_e + env.coriolis_up_rad_s * vn - env.coriolis_north_rad_s * vu + yaw * vn,
        drag * an - g * tilt_n - env.coriolis_up_rad_s * ve - yaw * ve,
        drag * vu - g * (1.0 - 0.5 * (tilt_e * tilt_e + tilt_n * tilt_n)) + env.coriolis_north_rad_s * ve,
    )


@helper
def rk4(e, n, u, ve, vn, vu, beta_inverse, wind_e, wind_n, spin, dt, env, cd):
    """Return position and velocity after `dt` (s, either sign) by one classical Runge-Kutta step.

    Error: of fourth order while the tables are smooth; see `propagation.to_ground` for whole flights.
    """
    row = air_row(e, n, u, env)
    return rk4_in(e, n, u, ve, vn, vu, beta_inverse, wind_e, wind_n, spin, row, air_of(row, env), dt, env, cd)


@helper
def rk4_in(e, n, u, ve, vn, vu, beta_inverse, wind_e, wind_n, spin, row, air, dt, env, cd):
    """Do what `rk4` does with the row of `env.air` and its numbers known."""
    half = 0.5 * dt
    a1e, a1n, a1u = acceleration(e, n, u, ve, vn, vu, beta_inverse, wind_e, wind_n, spin, row, air, env, cd)
    v2e, v2n, v2u = ve + half * a1e, vn + half * a1n, vu + half * a1u
    a2e, a2n, a2u = acceleration(
        e + half * ve,
        n + half * vn,
        u + half * vu,
        v2e,
        v2n,
        v2u,
        beta_inverse,
        wind_e,
        wind_n,
        spin,
        row,
        air,
        env,
        cd,
    )
    v3e, v3n, v3u = ve + half * a2e, vn + half * a2n, vu + half * a2u
    a3e, a3n, a3u = acceleration(
        e + half * v2e,
        n + half * v2n,
        u + half * v2u,
        v3e,
        v3n,
        v3u,
        beta_inverse,
        wind_e,
        wind_n,
        spin,
        row,
        air,
        env,
        cd,
    )
    v4e, v4n, v4u = ve + dt * a3e, vn + dt * a3n, vu + dt * a3u
    a4e, a4n, a4u = acceleration(
        e + dt * v3e, n + dt * v3n, u + dt * v3u, v4e, v4n, v4u, beta_inverse, wind_e, wind_n, spin, row, air, env, cd
    )
    sixth = dt / 6.0
    return (
        e + sixth * (ve + 2.0 * (v2e + v3e) + v4e),
        n + sixth * (vn + 2.0 * (v2n + v3n) + v4n),
        u + sixth * (vu + 2.0 * (v2u + v3u) + v4u),
        ve + sixth * (a1e + 2.0 * (a2e + a3e) + a4e),
        vn + sixth * (a1n + 2.0 * (a2n + a3n) + a4n),
        vu + sixth * (a1u + 2.0 * (a2u + a3u) + a4u),
    )
