"""Small earths and flights for the tests of the ballistics."""

import math

import numpy as np

from opencram.ballistics.drag import standard_curve
from opencram.ballistics.environment import DENSITY, SOUND_INVERSE, environment
from opencram.ballistics.lanes import LANES
from opencram.ballistics.propagation import STATES, advance, to_ground


def fixed(curve):
    """A drag curve that nobody can write to, as the program holds its own: the kernels compiled for those serve."""
    curve.setflags(write=False)
    return curve


G0 = 9.80665
SITE = {"latitude_rad": math.radians(33.3), "height_m": 35.0}
CONSTANT_CD = fixed(np.ones(2001))  # drag coefficient 1 at any speed
ROUND = (0.0, 0.0, 0.0, 180.0, 240.0, 300.0, math.log(2500.0), 0.0, 0.0, 0.0)  # a rocket-like flight of 13 km


def real_earth(**changes):
    return environment(**{**SITE, **changes})


def flat_earth(*, density_kg_m3=0.0, sound_m_s=340.0, latitude_rad=None):
    """A plane under constant gravity and even air, turning if a latitude is given."""
    env = environment(0.0 if latitude_rad is None else latitude_rad, 0.0)
    air = np.zeros_like(env.air)
    air[:, DENSITY] = density_kg_m3
    air[:, SOUND_INVERSE] = 1.0 / sound_m_s
    still = {} if latitude_rad is not None else {"coriolis_north_rad_s": 0.0, "coriolis_up_rad_s": 0.0}
    return env._replace(
        curvature_east_1_m=0.0, curvature_north_1_m=0.0, gravity_m_s2=G0, gravity_north_1_s2=0.0, gravity_up_1_s2=0.0,
        gravity_up2_1_m_s2=0.0, air=air, **still,
    )  # fmt: skip


def launched(speed_m_s, elevation_rad, azimuth_rad=0.0, beta_kg_m2=1.0):
    """The state of a round that leaves the origin."""
    level = speed_m_s * math.cos(elevation_rad)
    velocity = (level * math.sin(azimuth_rad), level * math.cos(azimuth_rad), speed_m_s * math.sin(elevation_rad))
    return (0.0, 0.0, 0.0, *velocity, math.log(beta_kg_m2), 0.0, 0.0, 0.0)


def lanes_of(states):
    """Lanes (10, LANES) that hold these states, the first one repeated where there are fewer."""
    states = np.atleast_2d(np.asarray(states, dtype=np.float64))
    lanes = np.repeat(states[:1].T, LANES, axis=1)
    lanes[:, : len(states)] = states.T
    return np.ascontiguousarray(lanes)


def landing(states, env, *, curve=None, dt=0.25, t_max=200.0):
    """Time, position and velocity at the ground (n, 7) of states (n, 10) or one (7,)."""
    landed = np.full((7, LANES), np.nan)
    to_ground(lanes_of(states), dt, t_max, env, standard_curve("G7") if curve is None else curve, landed)
    found = landed.T[: len(np.atleast_2d(states))]
    assert found.shape[1] == 7
    assert STATES == 10
    return found[0] if np.ndim(states) == 1 else found


def felt(states, env, *, curve, dt=1e-4):
    """Acceleration (n, 3) that rounds in these states (n, 10) feel, by central difference of their flight."""
    accelerations = []
    states = np.atleast_2d(states)
    for first in range(0, len(states), LANES):
        part = states[first : first + LANES]
        ahead, behind = lanes_of(part), lanes_of(part)
        advance(ahead, dt, 1, env, curve)
        advance(behind, -dt, 1, env, curve)
        accelerations.append(((ahead[3:6] - behind[3:6]) / (2.0 * dt)).T[: len(part)])
    return np.concatenate(accelerations)
