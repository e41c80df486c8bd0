"""The one seam to `ballistics`: true flights, flown once, read off anywhere afterwards.

A flight is a table of positions and velocities, with the landing as its last row; between rows it is the cubic
Hermite polynomial (error under 2 mm at the steps used here).
"""

import functools
import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from opencram.ballistics.curves import OwnCurve
from opencram.ballistics.drag import own_table, standard_curve
from opencram.ballistics.environment import Environment, environment
from opencram.ballistics.lanes import LANES
from opencram.ballistics.motion import MACH_STEP
from opencram.ballistics.propagation import STATES, advance, to_ground
from opencram.earth.terrain import Terrain
from opencram.errors import OpencramError
from opencram.simulation.departure import burnt, spun, state_of
from opencram.simulation.model import Air, Round, Vector, WorldConfig

Array = NDArray[np.float64]

STEP_S = 0.25
FLIGHT_S_MAX = 300.0
SHEAR_TOP_M = 5_000.0  # over the ground; above it the wind is constant
CLASS_CURVES = {"mortar": "G5", "rocket": "G7", "shell": "G7"}  # where a round names none
_SLOPE_MACH = (0.4, 0.9, 1.9)  # ends and middle of a curve's tilt


@dataclass(frozen=True)
class Flight:
    """Times (n,) from 0, positions and velocities (n, 3) in the site's ENU; `landed`: the last row is on the ground."""

    t_s: Array
    position_enu_m: Array
    velocity_enu_m_s: Array
    landed: bool


def positions_at(flight: Flight, t_s: Array) -> tuple[Array, Array]:
    """Return positions and velocities (m, 3) at these times; before and after the flight its ends hold."""
    t = np.clip(t_s, flight.t_s[0], flight.t_s[-1])
    if len(flight.t_s) == 1:
        ends = np.zeros(len(t), dtype=np.intp)
        return flight.position_enu_m[ends], flight.velocity_enu_m_s[ends]
    row = np.clip(np.searchsorted(flight.t_s, t, side="right") - 1, 0, len(flight.t_s) - 2)
    step = (flight.t_s[row + 1] - flight.t_s[row])[:, np.newaxis]
    part = (t - flight.t_s[row])[:, np.newaxis] / step
    rest = 1.0 - part
    start, end = flight.position_enu_m[row], flight.position_enu_m[row + 1]
    run_0, run_1 = flight.velocity_enu_m_s[row] * step, flight.velocity_enu_m_s[row + 1] * step
    position = rest * rest * ((1.0 + 2.0 * part) * start + part * run_0) + part * part * (
        (3.0 - 2.0 * part) * end - rest * run_1
    )
    slope = 6.0 * part * rest * (end - start) + rest * (1.0 - 3.0 * part) * run_0 + part * (3.0 * part - 2.0) * run_1
    return position, slope / step


def apex_m(flight: Flight, until_s: float) -> float:
    """Return the greatest "up" (m) that the flight reaches until then."""
    times = flight.t_s[flight.t_s <= until_s]
    dense = np.unique(np.concatenate([times, np.linspace(0.0, max(until_s, 0.0), 1000)]))
    return float(positions_at(flight, dense)[0][:, 2].max())


@dataclass(frozen=True)
class Flyer:
    """What flies rounds: the true environment of a world."""

    environment: Environment

    @staticmethod
    def of(config: WorldConfig) -> "Flyer":
        """Return the flyer of this world."""
        place = (config.latitude_rad, config.height_m, config.ground_height_m)
        return Flyer(true_environment(config.air, *place, config.terrain))

    def fly(
        self, what: Round, position_enu_m: Vector, velocity_enu_m_s: Vector, ballistic_coefficient_kg_m2: float
    ) -> Flight:
        """Return the flight of `what`, or of a part of it, from here to the ground: no motor burns, nothing spins."""
        state = np.array(
            [*position_enu_m, *velocity_enu_m_s, math.log(ballistic_coefficient_kg_m2), 0.0, 0.0, what.spin_drift_m_s]
        )
        curve = drag_curve(what)
        landed = _landed(state[np.newaxis], self.environment, curve)[0]
        down = bool(np.isfinite(landed[0]))
        end_s = float(landed[0]) if down else FLIGHT_S_MAX
        rows = max(math.ceil(end_s / STEP_S - 1e-9), 0) if down else int(FLIGHT_S_MAX / STEP_S) + 1
        table = np.empty((rows + int(down), 6))
        lanes = np.repeat(state[:, np.newaxis], LANES, axis=1)
        for k in range(rows):
            table[k] = lanes[:6, 0]
            advance(lanes, STEP_S, 1, self.environment, curve)  # type: ignore[no-untyped-call]
        times: Array = np.arange(len(table), dtype=np.float64) * STEP_S
        if down:
            table[-1], times[-1] = landed[1:], end_s
        return Flight(times, table[:, :3].copy(), table[:, 3:].copy(), down)

    def launch(self, what: Round) -> Flight:
        """Return the whole flight of a round, its boost or its spin included where it has any."""
        velocity, curve = np.array(what.velocity_enu_m_s), drag_curve(what)
        if what.body is not None:
            table, down = spun(what, velocity, self.environment, curve)
            return Flight(table[:, 0].copy(), table[:, 1:4].copy(), table[:, 4:].copy(), down)
        if what.burn_s <= 0.0:
            return self.fly(what, what.position_enu_m, what.velocity_enu_m_s, what.ballistic_coefficient_kg_m2)
        times, states = burnt(what, velocity, self.environment, curve)
        east, north, up, *after = states[-1, :6].tolist()
        coasting = self.fly(what, (east, north, up), (after[0], after[1], after[2]), what.ballistic_coefficient_kg_m2)
        return Flight(
            np.concatenate([times[:-1], times[-1] + coasting.t_s]),
            np.concatenate([states[:-1, :3], coasting.position_enu_m]),
            np.concatenate([states[:-1, 3:6], coasting.velocity_enu_m_s]),
            coasting.landed,
        )

    def coasting(self, what: Round) -> Round:
        """Return the round as it is from burn-out on: one that leaves there and then."""
        if what.burn_s <= 0.0:
            return what
        _, states = burnt(what, np.array(what.velocity_enu_m_s), self.environment, drag_curve(what))
        east, north, up, v_east, v_north, v_up = states[-1, :6].tolist()
        return replace(
            what,
            launch_t_ns=what.launch_t_ns + round(what.burn_s * 1e9),
            position_enu_m=(east, north, up),
            velocity_enu_m_s=(v_east, v_north, v_up),
            burn_s=0.0,
        )

    def land(self, what: Round, velocities_enu_m_s: Array) -> Array:
        """Return where `what` falls (n, 3) if launched from its place at each of these velocities (n, 3); or NaN."""
        env, curve = self.environment, drag_curve(what)
        if what.body is not None:
            flights = [spun(what, velocity, env, curve) for velocity in velocities_enu_m_s]
            return np.array([table[-1, 1:4] if down else np.full(3, np.nan) for table, down in flights])
        if what.burn_s > 0.0:
            states = np.array([_burnt_or_nan(what, velocity, env, curve) for velocity in velocities_enu_m_s])
        else:
            states = np.array([state_of(what, velocity) for velocity in velocities_enu_m_s])
        return _landed(states, env, curve)[:, 1:4]


def _burnt_or_nan(what: Round, velocity_enu_m_s: Array, env: Environment, curve: Array) -> Array:
    """Return the state (10,) at burn-out; NaN where no motor of the model gives the speed: out of reach."""
    try:
        _, states = burnt(what, velocity_enu_m_s, env, curve)
    except OpencramError:
        return np.full(STATES, np.nan)
    last: Array = states[-1]
    return last


def true_environment(
    air: Air, latitude_rad: float, height_m: float, ground_height_m: float, terrain: Terrain | None = None
) -> Environment:
    """Return the environment that the true air makes at this site."""
    levels = np.array([ground_height_m, ground_height_m + SHEAR_TOP_M])
    rise = levels - ground_height_m
    return environment(
        latitude_rad,
        height_m,
        ground_height_m=ground_height_m,
        wind_profile=(
            levels,
            air.wind_east_m_s + rise * air.shear_east_per_s,
            air.wind_north_m_s + rise * air.shear_north_per_s,
        ),
        density_factor=air.density_factor,
        profile=air.profile,
        terrain=terrain,
    )


def drag_curve(what: Round) -> Array:
    """Return the drag curve that a round truly has.  Read-only."""
    return tilted_curve(what.own_curve or what.curve or CLASS_CURVES[what.class_name], what.drag_slope)


@functools.lru_cache(maxsize=64)
def tilted_curve(curve: str | OwnCurve, slope: float) -> Array:
    """Return a drag curve, standard ("G7") or own, tilted by `slope` per Mach about Mach 0.9.  Read-only."""
    plain = standard_curve(curve) if isinstance(curve, str) else own_table(curve)
    mach = np.arange(len(plain)) * MACH_STEP
    low, middle, high = _SLOPE_MACH
    tilted = np.ascontiguousarray(plain * (1.0 + slope * (np.clip(mach, low, high) - middle)))
    tilted.setflags(write=False)
    return tilted


def _landed(states: Array, env: Environment, curve: Array) -> Array:
    """Return time, position and velocity at the ground (n, 7) of states (n, 10), `LANES` abreast; or NaN."""
    results = np.empty((len(states), 7))
    for first in range(0, len(states), LANES):
        part = states[first : first + LANES]
        lanes = np.empty((STATES, LANES))
        lanes[:, : len(part)] = part.T
        lanes[:, len(part) :] = part[:1].T
        landed = np.empty((7, LANES))
        to_ground(lanes, STEP_S, FLIGHT_S_MAX, env, curve, landed)  # type: ignore[no-untyped-call]
        results[first : first + len(part)] = landed.T[: len(part)]
    return results
