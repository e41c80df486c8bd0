"""The flights of a plan: from each threat to each cell, and which of a radar's plots there would be."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opencram.ballistics.environment import Environment, environment
from opencram.config.model import Sensor, Site
from opencram.config.plan_model import PlanFile, ThreatDirection
from opencram.earth.geodesy import Frame, enu_from_geodetic, enu_from_local, geodetic_from_enu
from opencram.earth.terrain import Terrain
from opencram.errors import OpencramError
from opencram.evaluation.bound import BoundRadar, Flight, fly, plot_times, seen_from
from opencram.runtime.weather import measured
from opencram.simulation.classes import usual_round
from opencram.simulation.flights import Flyer, drag_curve
from opencram.simulation.model import Round
from opencram.simulation.solve import for_elevation

Floats = NDArray[np.float64]

PLOT_STEP_S: Final = 0.5  # plots are gathered into one so often: the same information, less work
_RAY_STEP_M: Final = 60.0  # of the line of sight over terrain
_EARTH_M: Final = 6.371e6
_ANTENNA_CLEAR_M: Final = 50.0  # the terrain so near a radar hides nothing: its mast stands there


@dataclass(frozen=True)
class Cells:
    """The cells of a map by their middles (m, site ENU): `east_m` (columns,), `north_m` (rows,), south to north."""

    east_m: Floats
    north_m: Floats
    step_m: float

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.north_m), len(self.east_m)

    def middles(self) -> Floats:
        """Return the middles (rows × columns, 2), row by row from the south."""
        east, north = np.meshgrid(self.east_m, self.north_m)
        return np.stack([east.ravel(), north.ravel()], axis=1)


def cells_of(plan: PlanFile) -> Cells:
    """Return the cells of a plan's map."""
    columns = max(math.ceil((plan.east_m - plan.west_m) / plan.step_m - 1e-9), 1)
    rows = max(math.ceil((plan.north_m - plan.south_m) / plan.step_m - 1e-9), 1)
    east: Floats = plan.west_m + (np.arange(columns, dtype=np.float64) + 0.5) * plan.step_m
    north: Floats = plan.south_m + (np.arange(rows, dtype=np.float64) + 0.5) * plan.step_m
    return Cells(east, north, plan.step_m)


def believed_air(site: Site) -> Environment:
    """Return the environment that the site believes in."""
    weather = site.weather
    return environment(
        site.latitude_rad,
        site.height_m,
        ground_height_m=site.ground_height_m,
        wind_m_s=(weather.wind_east_m_s, weather.wind_north_m_s) if weather else (0.0, 0.0),
        profile=measured(site),
        terrain=site.terrain,
    )


def flight_to(site: Site, env: Environment, threat: ThreatDirection, aim_m: tuple[float, float]) -> Flight | None:
    """Return the flight from a threat to a point, or None where no round of its class gets there at its elevation."""
    usual = usual_round(threat.class_name)
    pattern = Round(
        name=threat.name,
        class_name=threat.class_name,
        launch_t_ns=0,
        position_enu_m=(threat.east_m, threat.north_m, _ground_up(site, threat.east_m, threat.north_m)),
        velocity_enu_m_s=(0.0, 0.0, 0.0),
        ballistic_coefficient_kg_m2=usual.ballistic_coefficient_kg_m2,
        spin_drift_m_s=usual.spin_drift_m_s,
    )
    try:
        launching = for_elevation(Flyer(env), pattern, aim_m, threat.elevation_rad)
    except OpencramError:
        return None
    velocity = launching.velocity_enu_m_s
    start = [*pattern.position_enu_m, *velocity, math.log(pattern.ballistic_coefficient_kg_m2), 0.0, 0.0]
    return fly([*start, pattern.spin_drift_m_s], env, drag_curve(pattern))


def _ground_up(site: Site, east_m: float, north_m: float) -> float:
    """Return how high the ground stands there, as "up" of the site's frame."""
    frame = Frame(site.latitude_rad, site.longitude_rad, site.height_m)
    ground = site.ground_height_m
    if site.terrain is not None:
        known = float(site.terrain.at(east_m, north_m))
        ground = known if math.isfinite(known) else ground
    up = 0.0
    for _ in range(3):
        up += ground - float(geodetic_from_enu(frame, [east_m, north_m, up])[2])
    return up + (1.0 if site.terrain is not None else 0.0)  # a metre clear of the slope it stands on


# ---- radars ---------------------------------------------------------------------------------------


def radars_of(site: Site, sensors: Sequence[Sensor], elevation_rad_min: float) -> tuple[BoundRadar, ...]:
    """Return sensors as the bound sees them, their plots gathered to one each `PLOT_STEP_S`."""
    frame = Frame(site.latitude_rad, site.longitude_rad, site.height_m)
    return tuple(_radar(frame, sensor, elevation_rad_min) for sensor in sensors)


def _radar(frame: Frame, sensor: Sensor, elevation_rad_min: float) -> BoundRadar:
    local = Frame(sensor.latitude_rad, sensor.longitude_rad, sensor.height_m)
    east, north, up = enu_from_geodetic(frame, sensor.latitude_rad, sensor.longitude_rad, sensor.height_m).tolist()
    gathered = max(PLOT_STEP_S / sensor.period_s, 1.0)
    fewer = 1.0 / math.sqrt(gathered)
    return BoundRadar(
        id=sensor.id,
        position_enu_m=(east, north, up),
        local_from_enu=tuple(enu_from_local(frame, local).T.ravel().tolist()),
        range_m_std=sensor.range_m_std * fewer,
        azimuth_rad_std=sensor.azimuth_rad_std * fewer,
        elevation_rad_std=sensor.elevation_rad_std * fewer,
        range_m_max=sensor.range_m_max,
        detection_probability=sensor.detection_probability,
        period_s=sensor.period_s * gathered,
        elevation_rad_min=elevation_rad_min,
    )


def seen(flight: Flight, radar: BoundRadar, terrain: Terrain | None, height_m: float) -> NDArray[np.bool_]:
    """Return which plots of a flight there are (1, n): within range, above the least elevation, over the terrain."""
    times = plot_times(flight, radar)
    visible = seen_from(flight, radar, times)
    if terrain is None or not visible.any():
        return visible
    row = np.clip((times / 0.25).astype(np.intp), 0, len(flight.t_s) - 1)
    clear = np.array([_is_clear(radar.position_enu_m, flight.state[k, :3], terrain, height_m) for k in row])
    return np.asarray(visible & clear[np.newaxis])


def _is_clear(eye: tuple[float, float, float], target: Floats, terrain: Terrain, height_m: float) -> bool:
    """Return whether the straight line between them passes over the terrain; beyond its edge nothing hides."""
    start = np.array(eye)
    span = target - start
    length = float(np.hypot(span[0], span[1]))
    if length <= _ANTENNA_CLEAR_M:
        return True
    part = np.arange(_ANTENNA_CLEAR_M, length, _RAY_STEP_M) / length
    at = start + part[:, np.newaxis] * span
    ground = terrain.at(at[:, 0], at[:, 1])
    # "Up" is not altitude: the tangent plane rises over the ellipsoid with the square of the distance.
    line = at[:, 2] + height_m + (at[:, 0] ** 2 + at[:, 1] ** 2) / (2.0 * _EARTH_M)
    return not bool(np.any(ground > line))  # NaN, beyond the grid, is not greater
