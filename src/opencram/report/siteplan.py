"""The site as the map draws it: everything in metres east and north of the site's origin.

Read from the site text in the header of the log.  A text that cannot be read leaves an empty plan that
says why, and the report goes on without it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from opencram.config.model import LonLat, Site
from opencram.config.site import parse_site
from opencram.earth.geodesy import Frame, enu_from_geodetic
from opencram.errors import OpencramError
from opencram.report.geometry import Point


@dataclass(frozen=True)
class PlanSensor:
    """A radar on the plan."""

    id: str
    at: Point
    range_m_max: float
    period_s: float
    range_m_std: float
    azimuth_mrad_std: float
    elevation_mrad_std: float


@dataclass(frozen=True)
class PlanArea:
    """An asset or a zone on the plan; an asset has no people and no shelter time of its own."""

    id: str
    name: str
    polygon: tuple[Point, ...]
    people: int | None = None
    shelter_time_s: float | None = None


@dataclass(frozen=True)
class PlanEffector:
    """An effector model on the plan."""

    id: str
    kind: str
    at: Point
    range_m_min: float
    range_m_max: float
    magazine_rounds: int


@dataclass(frozen=True)
class SitePlan:
    """The site on a plane.  `problem` is empty unless the site text could not be read."""

    name: str
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    sensors: tuple[PlanSensor, ...] = ()
    assets: tuple[PlanArea, ...] = ()
    zones: tuple[PlanArea, ...] = ()
    districts: tuple[tuple[str, str], ...] = ()  # id and name
    effectors: tuple[PlanEffector, ...] = ()
    protect: str = ""
    mode: str = ""
    hazard_radius_m: float = 50.0
    warning_probability: float | None = None
    dwell_s: float | None = None
    problem: str = ""


def plan_from_text(text: str, name: str) -> SitePlan:
    """Return the plan of a site text; `name` is used when the text cannot be read."""
    if not text.strip():
        return SitePlan(name=name, problem="the recording holds no site text")
    try:
        return plan_from_site(parse_site(text, "site"))
    except (OpencramError, ValueError, OSError) as error:
        return SitePlan(name=name, problem=str(error))


def plan_from_site(site: Site) -> SitePlan:
    """Return the site on the plane tangent at its origin (flat within 1 m of height at 3 km; exact east, north)."""
    frame = Frame(site.latitude_rad, site.longitude_rad, site.height_m)

    def plane(points: Sequence[LonLat], height_m: float) -> tuple[Point, ...]:
        if not points:
            return ()
        longitudes, latitudes = zip(*points, strict=True)
        return tuple(
            (east, north) for east, north, _ in enu_from_geodetic(frame, latitudes, longitudes, height_m).tolist()
        )

    return SitePlan(
        name=site.name,
        latitude_deg=math.degrees(site.latitude_rad),
        longitude_deg=math.degrees(site.longitude_rad),
        sensors=tuple(
            PlanSensor(
                id=sensor.id,
                at=_plane(frame, sensor.longitude_rad, sensor.latitude_rad, sensor.height_m),
                range_m_max=sensor.range_m_max,
                period_s=sensor.period_s,
                range_m_std=sensor.range_m_std,
                azimuth_mrad_std=sensor.azimuth_rad_std * 1e3,
                elevation_mrad_std=sensor.elevation_rad_std * 1e3,
            )
            for sensor in site.sensors
        ),
        assets=tuple(PlanArea(a.id, a.id, plane(a.polygon, site.ground_height_m)) for a in site.assets),
        zones=tuple(
            PlanArea(z.id, z.name or z.id, plane(z.polygon, site.ground_height_m), z.population, z.shelter_time_s)
            for z in site.zones
        ),
        districts=tuple((district.id, district.name or district.id) for district in site.districts),
        effectors=tuple(
            PlanEffector(
                id=effector.id,
                kind=effector.kind,
                at=_plane(frame, effector.longitude_rad, effector.latitude_rad, effector.height_m),
                range_m_min=effector.range_m_min,
                range_m_max=effector.range_m_max,
                magazine_rounds=effector.magazine_rounds,
            )
            for effector in site.effectors
        ),
        protect=site.policy.protect,
        mode=site.policy.mode,
        hazard_radius_m=site.warnings.hazard_radius_m,
        warning_probability=site.warnings.probability,
        dwell_s=site.warnings.dwell_s,
    )


def _plane(frame: Frame, longitude_rad: float, latitude_rad: float, height_m: float) -> Point:
    east, north, _ = enu_from_geodetic(frame, latitude_rad, longitude_rad, height_m).tolist()
    return east, north
