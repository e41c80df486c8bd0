"""Small worlds for the tests of the simulation."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from opencram.messages import Engagement, EngagementState, Plot
from opencram.simulation.flights import Flight
from opencram.simulation.model import GENERIC_GUN, Air, Effector, Radar, Round, WorldConfig
from opencram.simulation.world import WorldState, done, next_dwell_t_ns, scan

START_NS = 1_767_225_600_000_000_000
LATITUDE, LONGITUDE = math.radians(33.3), math.radians(44.4)


def radar(name: str = "north", **changes: Any) -> Radar:
    values: dict[str, Any] = {
        "id": name,
        "latitude_rad": math.radians(33.318),
        "longitude_rad": math.radians(44.405),
        "height_m": 40.0,
    }
    return Radar(**{**values, **changes})


def gun(range_m_max: float = 20_000.0, **changes: Any) -> Effector:
    return Effector(
        id="gun-1",
        kind="gun",
        latitude_rad=LATITUDE,
        longitude_rad=LONGITUDE,
        height_m=45.0,
        range_m_max=range_m_max,
        behaviour=replace(GENERIC_GUN, **changes),
    )


SURE = {"aim_rad_std": 0.0, "tracking_m_std": 0.0, "lethal_m": 1e4, "kill_given_hit": 1.0}


def rocket(number: int = 0, **changes: Any) -> Round:
    values: dict[str, Any] = {
        "name": "rocket",
        "class_name": "rocket",
        "launch_t_ns": START_NS + (2 + number) * 1_000_000_000,
        "position_enu_m": (5000.0 + 100.0 * number, 2000.0, -2.2),
        "velocity_enu_m_s": (-200.0, -80.0, 160.0),
        "ballistic_coefficient_kg_m2": 1700.0,
    }
    return Round(**{**values, **changes})


def world(**changes: Any) -> WorldConfig:
    values: dict[str, Any] = {
        "seed": 7,
        "latitude_rad": LATITUDE,
        "longitude_rad": LONGITUDE,
        "height_m": 35.0,
        "ground_height_m": 35.0,
        "start_t_ns": START_NS,
        "duration_s": 70.0,
        "rounds": (rocket(0), rocket(1)),
        "radars": (
            radar("north", clutter_per_scan=2.0),
            radar("south", latitude_rad=math.radians(33.28), period_s=0.25, phase_s=0.04, clutter_per_scan=3.0),
        ),
        "effectors": (gun(),),
        "air": Air(wind_east_m_s=3.0, wind_north_m_s=-2.0, shear_east_per_s=0.001, density_factor=1.01),
    }
    return WorldConfig(**{**values, **changes})


def run(config: WorldConfig, state: WorldState) -> tuple[WorldState, list[Plot]]:
    """Step to the end of the world, one dwell at a time."""
    plots: list[Plot] = []
    while not done(config, state):
        state, told = scan(config, state, next_dwell_t_ns(config, state))
        plots += told
    return state, plots


def engagement(
    number: int, t_ns: int, point: tuple[float, float, float], state: EngagementState = "fired"
) -> Engagement:
    return Engagement(
        t_ns=t_ns - 3_000_000_000,
        engagement_id=number,
        track_id=1,
        effector="gun-1",
        state=state,
        rounds=120,
        fire_t_ns=t_ns - 2_000_000_000,
        intercept_t_ns=t_ns,
        intercept_enu_m=point,
        kill_probability=0.5,
    )


def straight(seconds: float, start: tuple[float, float, float], velocity: tuple[float, float, float]) -> Flight:
    """A flight without forces, as an analytic truth."""
    t_s = np.array([0.0, seconds / 3.0, seconds])
    position = np.asarray(start) + t_s[:, np.newaxis] * np.asarray(velocity)
    return Flight(t_s, position, np.tile(velocity, (3, 1)).astype(np.float64), False)


HIT_PLACE = (900.0, 300.0, 800.0)
