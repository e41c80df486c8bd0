"""What else is in the air: aircraft, helicopters, drones and birds on a course of way-points, bursts of gunfire.

The radars see them like anything.  Nothing here falls as a round does, but for bullets, which are small and soon gone.
"""

import math

import numpy as np

from opencram.simulation.flights import STEP_S, Array, Flight
from opencram.simulation.launch import velocity_of
from opencram.simulation.model import Gunfire, Mover, Round
from opencram.simulation.streams import stream

WANDER_S = 4.0  # time constant of a wandering velocity
_LEAST_M = 2.0  # nothing wanders below this height of the site's frame


def course(mover: Mover, *, seed: int = 0, number: int = 0) -> Flight:
    """Return the flight of one of the crowd of a mover: from way-point to way-point at its speed, then it is gone.

    Corners are flown sharp; a mover of one way-point hovers there for `hover_s`.
    """
    points = np.array(mover.waypoints_enu_m, dtype=np.float64)
    legs = np.diff(points, axis=0)
    lengths = np.sqrt((legs**2).sum(axis=1))
    arrive_s = np.concatenate([[0.0], np.cumsum(lengths / mover.speed_m_s)])
    end_s = float(arrive_s[-1]) + mover.hover_s
    times: Array = np.arange(0.0, max(end_s, STEP_S) + 1e-9, STEP_S)
    positions = np.stack([np.interp(times, arrive_s, points[:, axis]) for axis in range(3)], axis=1)
    velocities = np.zeros_like(positions)
    for leg, length, begin_s, until_s in zip(legs, lengths, arrive_s[:-1], arrive_s[1:], strict=True):
        flying = (times >= begin_s) & (times < until_s)
        velocities[flying] = leg / max(float(length), 1e-9) * mover.speed_m_s
    assert math.isfinite(end_s)
    if mover.spread_m > 0.0 or mover.wander_m_s > 0.0:
        draws = stream(seed, f"traffic/{mover.name}/{number}")
        place = draws.standard_normal(3) * mover.spread_m * (1.0, 1.0, 0.3)
        strayed, straying = _wander(draws, len(times), mover.wander_m_s)
        positions += place + strayed
        velocities += straying
        low = positions[:, 2] < _LEAST_M
        positions[low, 2], velocities[low, 2] = _LEAST_M, 0.0
    return Flight(times, positions, velocities, False)


def _wander(draws: np.random.Generator, count: int, std_m_s: float) -> tuple[Array, Array]:
    """Return how far something strays (n, 3), and how fast: a Gauss-Markov velocity that draws back to the course."""
    place, speed = np.zeros((count, 3)), np.zeros((count, 3))
    keep = math.exp(-STEP_S / WANDER_S)
    kicks = draws.standard_normal((count, 3)) * std_m_s * math.sqrt(1.0 - keep * keep)
    for k in range(1, count):
        speed[k] = keep * speed[k - 1] + kicks[k] - place[k - 1] * (STEP_S / (8.0 * WANDER_S * WANDER_S))
        place[k] = place[k - 1] + 0.5 * STEP_S * (speed[k - 1] + speed[k])
    return place, speed


def bullets(gun: Gunfire, seed: int) -> tuple[Round, ...]:
    """Return the bullets of a gun's bursts."""
    draws = stream(seed, f"gunfire/{gun.name}")
    found = []
    for burst in range(gun.bursts):
        for number in range(gun.burst_rounds):
            late_s = burst * (gun.burst_rounds / gun.rate_per_s + gun.pause_s) + number / gun.rate_per_s
            speed, right, up = draws.standard_normal(3).tolist()
            elevation = gun.elevation_rad + up * gun.spread_rad
            turn = right * gun.spread_rad / max(math.cos(elevation), 0.05)
            found.append(
                Round(
                    name=gun.name,
                    class_name="shell",
                    launch_t_ns=gun.start_t_ns + round(late_s * 1e9),
                    position_enu_m=gun.position_enu_m,
                    velocity_enu_m_s=velocity_of(
                        gun.speed_m_s * (1.0 + speed * gun.speed_std_share),
                        gun.azimuth_rad + late_s * gun.sweep_rad_s + turn,
                        elevation,
                    ),
                    ballistic_coefficient_kg_m2=gun.ballistic_coefficient_kg_m2,
                    curve="G7",
                    source=gun.source,
                )
            )
    return tuple(found)
