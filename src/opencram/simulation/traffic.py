"""What else is in the air: aircraft and helicopters on a course of way-points, which the radars see like anything."""

import math

import numpy as np

from opencram.simulation.flights import STEP_S, Array, Flight
from opencram.simulation.model import Mover


def course(mover: Mover) -> Flight:
    """Return the flight of a mover: from way-point to way-point at its speed, then it is gone.

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
    return Flight(times, positions, velocities, False)
