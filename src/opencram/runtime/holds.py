"""From the hold rules of a site file to those that the engagement stage asks."""

from opencram.config.model import LonLat, Rule, Site
from opencram.earth.geodesy import Frame, enu_from_geodetic
from opencram.engagement.ground import GroundDanger, Zone
from opencram.engagement.holds import (
    AircraftCorridor,
    FriendlyTracks,
    HoldRule,
    MinimumAltitude,
    NoFireSector,
    NoFireTimes,
)
from opencram.runtime.weather import measured


def hold_rules(site: Site, frame: Frame) -> tuple[HoldRule, ...]:
    """Return the hold rules of place, time and friends, in the order of the file."""
    return tuple(_rule(site, frame, rule) for rule in site.rules if rule.kind != "ground_danger")


def _rule(site: Site, frame: Frame, rule: Rule) -> HoldRule:
    made: HoldRule
    match rule.kind:
        case "no_fire_sector":
            made = NoFireSector(
                id=rule.id,
                effector=rule.effector,
                azimuth_rad_from=rule.azimuth_rad_from,
                azimuth_rad_to=rule.azimuth_rad_to,
                elevation_rad_max=rule.elevation_rad_max,
            )
        case "no_fire_times":
            made = NoFireTimes(id=rule.id, begin_s=rule.begin_s, end_s=rule.end_s)
        case "aircraft_corridor":
            made = AircraftCorridor(
                id=rule.id,
                polygon_m=_polygon_m(site, frame, rule.polygon),
                up_m_from=rule.height_m_from - site.height_m,
                up_m_to=rule.height_m_to - site.height_m,
                begin_s=rule.begin_s,
                end_s=rule.end_s,
            )
        case "friendly_tracks":
            made = FriendlyTracks(
                id=rule.id, distance_m=rule.distance_m, classes=rule.classes, probability=rule.probability
            )
        case _:
            assert rule.kind == "minimum_altitude", rule.kind
            made = MinimumAltitude(id=rule.id, height_m=rule.height_m, effector=rule.effector)
    return made


def ground_danger(site: Site, frame: Frame) -> GroundDanger | None:
    """Return the rule that weighs the people under debris against those saved, if the site has it."""
    rule = next((rule for rule in site.rules if rule.kind == "ground_danger"), None)
    if rule is None:
        return None
    wind = site.weather
    return GroundDanger(
        id=rule.id,
        zones=tuple(
            Zone.of(_polygon_m(site, frame, zone.polygon), zone.population, zone.presence) for zone in site.zones
        ),
        hours_ahead_of_utc=site.warnings.hours_ahead_of_utc,
        latitude_rad=site.latitude_rad,
        height_m=site.height_m,
        ground_height_m=site.ground_height_m,
        wind_m_s=(wind.wind_east_m_s, wind.wind_north_m_s) if wind is not None else (0.0, 0.0),
        profile=measured(site),
        terrain=site.terrain,
        asset_people=rule.asset_people,
        ratio=rule.ratio,
    )


def _polygon_m(site: Site, frame: Frame, polygon: tuple[LonLat, ...]) -> tuple[tuple[float, float], ...]:
    longitudes, latitudes = [corner[0] for corner in polygon], [corner[1] for corner in polygon]
    corners = enu_from_geodetic(frame, latitudes, longitudes, [site.ground_height_m] * len(polygon))
    return tuple((east, north) for east, north, _ in corners.tolist())
