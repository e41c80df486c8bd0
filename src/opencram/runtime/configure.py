"""From a site file to the configuration of every stage: degrees become the site's east, north and up."""

import math

from opencram import engagement, prediction, threat, tracking
from opencram.config.model import Effector, LonLat, Sensor, Site
from opencram.config.projectiles import bank_with
from opencram.earth.geodesy import Frame, enu_from_geodetic, enu_from_local
from opencram.engagement.config import Zone as EngagementZone
from opencram.engagement.effector import Effector as EffectorModel
from opencram.runtime.holds import ground_danger, hold_rules
from opencram.runtime.people import Polygons, threat_config, warning_config
from opencram.runtime.pipeline import PipelineConfig
from opencram.runtime.weather import measured
from opencram.threat.config import Place
from opencram.tracking.config import SensorModel

DWELL_SHARE = 0.1  # of a sensor's period: plots closer together than this belong to one dwell


def configure(site: Site, *, closed_loop: bool = False) -> PipelineConfig:
    """Return the configuration of the pipeline for a site.

    `closed_loop`: engagements act on the rounds that the plots show (a simulation), so that a kill can be seen; in
    recorded plots nothing that is decided changes anything.
    """
    frame = Frame(site.latitude_rad, site.longitude_rad, site.height_m)
    return PipelineConfig(
        tracking=_tracking(site, frame),
        prediction=_prediction(site),
        threat=_threat(site, frame),
        warning=warning_config(site, _zones_m(site, frame)),
        engagement=_engagement(site, frame, closed_loop=closed_loop),
        dwell_ns={sensor.id: round(sensor.period_s * DWELL_SHARE * 1e9) for sensor in site.sensors},
    )


def _tracking(site: Site, frame: Frame) -> tracking.Config:
    return tracking.Config(
        latitude_rad=site.latitude_rad,
        height_m=site.height_m,
        ground_height_m=site.ground_height_m,
        sensors=tuple(_sensor(sensor, frame) for sensor in site.sensors),
        wind_m_s=_wind_m_s(site),
        profile=measured(site),
        terrain=site.terrain,
        models=bank_with(site.projectiles),
        curves=site.drag_curves,
        defended_m=_defended_m(site, frame),
    )


def _defended_m(site: Site, frame: Frame) -> tuple[tuple[float, float, float], ...]:
    """Return a circle about each zone and each asset: east, north and radius."""
    circles = []
    polygons = [zone.polygon for zone in site.zones] + [asset.polygon for asset in site.assets]
    for polygon in polygons:
        corners = _polygon_m(site, frame, polygon)
        east, north = (sum(corner[axis] for corner in corners) / len(corners) for axis in range(2))
        circles.append((east, north, max(math.hypot(e - east, n - north) for e, n in corners)))
    return tuple(circles)


def _sensor(sensor: Sensor, frame: Frame) -> SensorModel:
    local = Frame(sensor.latitude_rad, sensor.longitude_rad, sensor.height_m)
    local_from_enu = enu_from_local(frame, local).T
    return SensorModel(
        id=sensor.id,
        position_enu_m=_position_enu_m(frame, sensor),
        local_from_enu=tuple(float(x) for x in local_from_enu.ravel()),
        range_m_std=sensor.range_m_std,
        azimuth_rad_std=sensor.azimuth_rad_std,
        elevation_rad_std=sensor.elevation_rad_std,
        range_m_max=sensor.range_m_max,
        detection_probability=sensor.detection_probability,
        clutter_per_scan=sensor.clutter_per_scan,
        period_s=sensor.period_s,
    )


def _prediction(site: Site) -> prediction.Config:
    return prediction.Config(
        latitude_rad=site.latitude_rad,
        longitude_rad=site.longitude_rad,
        height_m=site.height_m,
        ground_height_m=site.ground_height_m,
        wind_m_s=_wind_m_s(site),
        profile=measured(site),
        terrain=site.terrain,
        curves=site.drag_curves,
    )


def _threat(site: Site, frame: Frame) -> threat.Config:
    assets = tuple(
        Place(kind="asset", id=asset.id, polygon_m=_polygon_m(site, frame, asset.polygon)) for asset in site.assets
    )
    return threat_config(site, assets, _zones_m(site, frame))


def _zones_m(site: Site, frame: Frame) -> Polygons:
    return {zone.id: _polygon_m(site, frame, zone.polygon) for zone in site.zones}


def _engagement(site: Site, frame: Frame, *, closed_loop: bool) -> engagement.Config:
    friends = [rule for rule in site.rules if rule.kind == "friendly_tracks"]
    return engagement.Config(
        assets=tuple(asset.id for asset in site.assets),
        zones=tuple(EngagementZone(id=zone.id, name=zone.name, people=zone.population) for zone in site.zones),
        effectors=tuple(
            EffectorModel(
                id=effector.id,
                kind=effector.kind,
                position_enu_m=_position_enu_m(frame, effector),
                range_m_min=effector.range_m_min,
                range_m_max=effector.range_m_max,
                magazine_rounds=effector.magazine_rounds,
            )
            for effector in site.effectors
        ),
        rules=hold_rules(site, frame),
        ground=ground_danger(site, frame),
        friendly_classes=tuple(sorted({name for rule in friends for name in rule.classes})) or ("aircraft", "drone"),
        friendly_probability=min((rule.probability for rule in friends), default=0.5),
        protect=site.policy.protect,
        mode=site.policy.mode,
        planner=site.policy.planner,
        closed_loop=closed_loop,
    )


def _wind_m_s(site: Site) -> tuple[float, float]:
    weather = site.weather
    return (weather.wind_east_m_s, weather.wind_north_m_s) if weather is not None else (0.0, 0.0)


def _position_enu_m(frame: Frame, what: Sensor | Effector) -> tuple[float, float, float]:
    east, north, up = enu_from_geodetic(frame, what.latitude_rad, what.longitude_rad, what.height_m).tolist()
    return east, north, up


def _polygon_m(site: Site, frame: Frame, polygon: tuple[LonLat, ...]) -> tuple[tuple[float, float], ...]:
    """Return the corners of a polygon east and north of the site, on its ground."""
    longitudes, latitudes = [corner[0] for corner in polygon], [corner[1] for corner in polygon]
    corners = enu_from_geodetic(frame, latitudes, longitudes, [site.ground_height_m] * len(polygon))
    return tuple((east, north) for east, north, _ in corners.tolist())
