"""What the step of the integration costs: impact error by step, with and without long steps, and the order.

    python benchmarks/flight_error.py

144 flights, from steep mortar bombs to flat rockets of 630 m/s, some from up in the air, on all six standard curves,
through the standard atmosphere and a wind; errors are distances of the impact (and of its time) from those at a step
of 0.005 s.  The order is that in even air with even drag, where nothing has knees.
"""

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from opencram.ballistics.drag import STANDARD_CURVES, standard_curve
from opencram.ballistics.environment import DENSITY, SOUND_INVERSE, Environment, environment
from opencram.ballistics.lanes import LANES
from opencram.ballistics.propagation import STATES, advance, fall

Array = NDArray[np.float64]

FINE_S = 0.005
STEPS_S = (1.0, 0.5, 0.25, 0.1, 0.05)
STRIDED = (
    (0.25, 4),
    (0.5, 2),
    (0.5, 4),
    (1.0, 2),
)  # about the speed of sound; so much longer outside
FLIGHT_S_MAX = 200.0


def flights() -> Array:
    """Return states (24, 10): steep and flat, slow and fast, light and heavy, some spinning, a third from 1500 m."""
    k = np.arange(LANES)
    elevation, azimuth = np.radians(20.0 + 55.0 * k / LANES), 0.7 * k
    speed = 120.0 + 22.0 * (k * 7 % LANES)
    states = np.zeros((LANES, STATES))
    states[:, 2] = np.where(k % 3 == 0, 1500.0, 0.0)
    states[:, 3] = speed * np.cos(elevation) * np.sin(azimuth)
    states[:, 4] = speed * np.cos(elevation) * np.cos(azimuth)
    states[:, 5] = speed * np.sin(elevation)
    states[:, 6] = np.log(800.0 + 130.0 * k)
    states[:, 9] = np.where(k % 4 == 0, 5.0, 0.0)
    return states


def impacts(states: Array, env: Environment, dt: float, stride: int) -> Array:
    """Return time and place (n · 6, 4) at the ground of every flight on every curve, each flown alone."""
    found = []
    landed = np.empty((7, LANES))
    for name in STANDARD_CURVES:
        for state in states:  # alone: the first of a block chooses its steps for all
            lanes = np.repeat(state[:, np.newaxis], LANES, axis=1)
            fall(lanes, dt, stride, FLIGHT_S_MAX, env, standard_curve(name), landed)
            found.append(landed[:4, 0].copy())
    return np.array(found)


def order() -> list[float]:
    """Return the order of convergence between steps of 2, 1 and 0.5 s in even air."""
    env = environment(0.6, 0.0)
    air = np.zeros_like(env.air)
    air[:, DENSITY], air[:, SOUND_INVERSE] = 1.0, 1.0 / 340.0
    env = env._replace(air=air, curvature_east_1_m=0.0, curvature_north_1_m=0.0)
    start = np.array([0.0, 0.0, 0.0, 180.0, 240.0, 300.0, math.log(2500.0), 0.0, 0.0, 0.0])

    def flown(dt: float) -> Array:
        lanes = np.repeat(start[:, np.newaxis], LANES, axis=1)
        advance(lanes, dt, round(16.0 / dt), env, np.full(2001, 0.3))
        return lanes[:3, 0]

    exact = flown(0.01)
    errors = [float(np.linalg.norm(flown(dt) - exact)) for dt in (2.0, 1.0, 0.5)]
    return [math.log2(a / b) for a, b in itertools.pairwise(errors)]


def main() -> None:
    """Measure and print the tables."""
    states = flights()
    env = environment(math.radians(33.3), 35.0, ground_height_m=35.0, wind_m_s=(2.0, -6.0))
    exact = impacts(states, env, FINE_S, 1)
    assert np.isfinite(exact).all()
    print("step in the band, outside | median (m) | greatest (m) | greatest error of time (ms)")
    for dt, stride in (*((dt, 1) for dt in STEPS_S), *STRIDED):
        off = impacts(states, env, dt, stride) - exact
        away = np.linalg.norm(off[:, 1:], axis=1)
        late_ms = 1e3 * np.abs(off[:, 0]).max()
        print(f"{dt:5g} s, {dt * stride:5g} s  {np.median(away):9.4f} {away.max():9.3f} {late_ms:9.2f}")
    print("order of convergence, 2 to 1 s and 1 to 0.5 s:", ", ".join(f"{each:.2f}" for each in order()))


if __name__ == "__main__":
    main()
