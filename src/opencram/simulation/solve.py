"""For the author of a simulated raid: the launch whose round falls on a named point.

Works on the truth only (its own air, drag and rotation), inside the simulation, before a raid is flown.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from opencram.errors import OpencramError
from opencram.simulation.flights import Flyer
from opencram.simulation.launch import velocity_of
from opencram.simulation.model import Round, Vector
from opencram.simulation.streams import stream

Array = NDArray[np.float64]
Branch = Literal["low", "high"]

ERROR_M = 0.01  # wanted at the aim point; 0.1 m is promised
_GRID = 24  # trial flights abreast
_NEWTON_STEPS_MAX = 20
_SPEED_M_S_MIN, _SPEED_M_S_MAX = 20.0, 1500.0
_ELEVATION_RAD_MIN, _ELEVATION_RAD_MAX = math.radians(2.0), math.radians(87.0)


@dataclass(frozen=True)
class Launching:
    """Speed (m/s), azimuth and elevation (rad) of a launch."""

    speed_m_s: float
    azimuth_rad: float
    elevation_rad: float

    @property
    def velocity_enu_m_s(self) -> Vector:
        """The velocity that these say."""
        return velocity_of(self.speed_m_s, self.azimuth_rad, self.elevation_rad)


def for_elevation(flyer: Flyer, what: Round, aim_enu_m: tuple[float, float], elevation_rad: float) -> Launching:
    """Return speed and azimuth at which `what`, launched from its place at this elevation, falls on the aim.

    Error: 0.1 m at the aim (tests/simulation/test_simulation_solve.py).  Raises OpencramError out of reach.
    """
    speeds = np.geomspace(_SPEED_M_S_MIN, _SPEED_M_S_MAX, _GRID)
    return _solved(flyer, what, aim_enu_m, _Free(speeds, lambda speed, azimuth: (speed, azimuth, elevation_rad)), "low")


def for_speed(
    flyer: Flyer, what: Round, aim_enu_m: tuple[float, float], speed_m_s: float, branch: Branch = "high"
) -> Launching:
    """Return elevation and azimuth at which `what`, launched from its place at this speed, falls on the aim.

    `branch` says which of the two trajectories: a mortar's "high" one or the "low" one.
    Error: 0.1 m at the aim (tests/simulation/test_simulation_solve.py).  Raises OpencramError out of reach.
    """
    angles = np.linspace(_ELEVATION_RAD_MIN, _ELEVATION_RAD_MAX, 3 * _GRID)
    return _solved(flyer, what, aim_enu_m, _Free(angles, lambda angle, azimuth: (speed_m_s, azimuth, angle)), branch)


def aimed(what: Round, launching: Launching) -> Round:
    """Return the round, launched so."""
    return replace(what, velocity_enu_m_s=launching.velocity_enu_m_s)


def scattered(
    flyer: Flyer, first: Round, *, count: int, interval_s: float, dispersion_m: float, seed: int, name: str
) -> tuple[Round, ...]:
    """Return a salvo that begins with `first` and falls about its impact, `dispersion_m` east and north alike.

    The others leave at the elevation of `first`, each at the speed and azimuth that its own draw asks for;
    round k draws from the stream "salvo/`name`/round/k".  Raises OpencramError where one cannot get there.
    """
    east, north, up = first.velocity_enu_m_s
    elevation = math.atan2(up, math.hypot(east, north))
    fall = flyer.land(first, np.array([first.velocity_enu_m_s]))[0]
    rounds = [first]
    for k in range(1, count):
        aim = fall[:2] + dispersion_m * stream(seed, f"salvo/{name}/round/{k}").standard_normal(2)
        launching = for_elevation(flyer, first, (float(aim[0]), float(aim[1])), elevation)
        late = replace(first, launch_t_ns=first.launch_t_ns + round(k * interval_s * 1e9))
        rounds.append(aimed(late, launching))
    return tuple(rounds)


@dataclass(frozen=True)
class _Free:
    """The quantity that is left free, its grid of trial values, and the launch that a value stands for."""

    grid: Array
    launch: Callable[[float, float], tuple[float, float, float]]

    def launching(self, value: float, azimuth_rad: float) -> Launching:
        """Return the launch at this value of the free quantity."""
        return Launching(*self.launch(value, azimuth_rad))


def _solved(flyer: Flyer, what: Round, aim_enu_m: tuple[float, float], free: _Free, branch: Branch) -> Launching:
    """Bracket the range on the grid, then Newton on azimuth and the free quantity together."""
    start = np.array(what.position_enu_m[:2])
    wanted = np.asarray(aim_enu_m, dtype=np.float64) - start
    distance = float(np.hypot(*wanted))
    azimuth = math.atan2(wanted[0], wanted[1])
    along = wanted / max(distance, 1e-9)
    across = np.array([along[1], -along[0]])  # to the right

    ranges = _falls(flyer, what, [free.launching(float(v), azimuth) for v in free.grid], start) @ along
    value = _bracketed(free.grid, ranges, distance, branch)
    if value is None:
        raise OpencramError(
            f"round {what.name!r} cannot reach its aim: {distance:.0f} m away, its range is "
            f"{np.nanmin(ranges):.0f} to {np.nanmax(ranges):.0f} m; move the launch or the aim, or change speed or "
            "elevation"
        )
    for _ in range(_NEWTON_STEPS_MAX):
        step, turn = 1e-4 * value, 1e-5
        trials = [(value, azimuth), (value + step, azimuth), (value - step, azimuth), (value, azimuth + turn)]
        falls = _falls(flyer, what, [free.launching(*trial) for trial in trials], start)
        miss = wanted - falls[0]
        if not np.isfinite(falls).all():
            break
        if np.hypot(*miss) <= ERROR_M:
            return free.launching(value, math.fmod(azimuth + 2.0 * math.pi, 2.0 * math.pi))
        by_value = (falls[1] - falls[2]) / (2.0 * step)
        by_turn = (falls[3] - falls[0]) / turn
        change, turned = np.linalg.solve(np.stack([by_value, by_turn], axis=1), miss)
        value += float(np.clip(change, -0.1 * value, 0.1 * value))
        azimuth += float(np.clip(turned, -0.2, 0.2))
    raise OpencramError(
        f"round {what.name!r}: no launch found that falls on its aim, {distance:.0f} m away "
        f"({float(miss @ along):.1f} m short, {float(miss @ across):.1f} m aside); aim nearer than the greatest range"
    )


def _bracketed(grid: Array, ranges: Array, distance: float, branch: Branch) -> float | None:
    """Return the value of the grid, interpolated, at which the range is `distance`; NaN ranges are beyond."""
    crossings = [
        k
        for k in range(len(grid) - 1)
        if np.isfinite(ranges[k : k + 2]).all() and (ranges[k] - distance) * (ranges[k + 1] - distance) <= 0.0
    ]
    # Ranges rise with the angle on the low branch, and fall on the high one.
    rising = [k for k in crossings if ranges[k + 1] >= ranges[k]]
    falling = [k for k in crossings if ranges[k + 1] < ranges[k]]
    chosen = rising if branch == "low" else falling
    if not chosen:
        return None
    k = chosen[0]
    part = (distance - ranges[k]) / (ranges[k + 1] - ranges[k]) if ranges[k + 1] != ranges[k] else 0.0
    return float(grid[k] + part * (grid[k + 1] - grid[k]))


def _falls(flyer: Flyer, what: Round, launchings: list[Launching], start: Array) -> Array:
    """Return where each launch falls (n, 2), east and north of the start; NaN if it does not land."""
    velocities = np.array([launching.velocity_enu_m_s for launching in launchings])
    return flyer.land(what, velocities)[:, :2] - start
