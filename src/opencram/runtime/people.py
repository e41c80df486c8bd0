"""From what a site file says of people to the configuration of the threat and the warning stage."""

import math

from opencram import threat, warning
from opencram.config.model import Site, Zone
from opencram.threat.config import EastNorth, Place
from opencram.threat.harm import INDOOR_FACTOR, OUTDOOR_SHARE, lethal_area_m2, vulnerable_share
from opencram.warning.config import District
from opencram.warning.config import Zone as WarningZone
from opencram.warning.costs import threshold_of
from opencram.warning.shelter import walking_times_s

Polygons = dict[str, tuple[EastNorth, ...]]  # by id of the zone, in the site's frame


def zone_places(site: Site, polygons: Polygons) -> tuple[Place, ...]:
    """Return the zones as the threat stage knows them."""
    return tuple(
        Place(
            kind="zone",
            id=zone.id,
            polygon_m=polygons[zone.id],
            people=zone.population,
            presence=zone.presence or (1.0,),
            outdoor_share=zone.outdoor_share or (OUTDOOR_SHARE,),
        )
        for zone in site.zones
    )


def threat_config(site: Site, assets: tuple[Place, ...], polygons: Polygons) -> threat.Config:
    """Return the configuration of the threat stage."""
    return threat.Config(
        places=assets + zone_places(site, polygons),
        hazard_radius_m=site.warnings.hazard_radius_m,
        hours_ahead_of_utc=site.warnings.hours_ahead_of_utc,
    )


def warning_config(site: Site, polygons: Polygons) -> warning.Config:
    """Return the configuration of the warning stage."""
    latencies_s = {channel.id: channel.latency_s for channel in site.alarm_channels}
    usual_s = latencies_s.get(site.warnings.alarm_channel, 1.0)
    return warning.Config(
        zones=tuple(_zone(site, zone, polygons[zone.id], latencies_s) for zone in site.zones),
        districts=tuple(District(id=each.id, parent=each.parent) for each in site.districts),
        probability=site.warnings.probability,
        dwell_s=site.warnings.dwell_s,
        latency_s=usual_s,
    )


def _zone(site: Site, zone: Zone, polygon_m: tuple[EastNorth, ...], latencies_s: dict[str, float]) -> WarningZone:
    area_m2 = _area_m2(polygon_m)
    times_s: tuple[float, ...] = ()
    if zone.shelter_distance_m is not None:
        times_s = walking_times_s(
            zone.shelter_distance_m, zone.walking_speed_m_s, zone.children_share, zone.elderly_share
        )
    return WarningZone(
        id=zone.id,
        people=zone.population,
        shelter_time_s=times_s[-1] if times_s else zone.shelter_time_s,
        probability=zone.warning_probability or _from_costs(site, zone, area_m2),
        half_width_m=0.5 * math.sqrt(area_m2) + site.warnings.hazard_radius_m,
        latency_s=latencies_s[zone.alarm_channel] if zone.alarm_channel else None,
        shelter_times_s=times_s,
        parent=zone.parent,
    )


def _from_costs(site: Site, zone: Zone, area_m2: float) -> float | None:
    """Return the zone's threshold from the costs of the site file, or None where it gives a plain probability."""
    if site.warnings.missed_casualty_min is None or area_m2 <= 0.0:
        return None
    outdoors = zone.outdoor_share or (OUTDOOR_SHARE,)
    vulnerable = vulnerable_share(sum(outdoors) / len(outdoors), INDOOR_FACTOR)
    harmed = min(lethal_area_m2(30.0) / area_m2, 1.0) * vulnerable  # share of the people, if a round falls there
    return threshold_of(harmed, site.warnings.missed_casualty_min, site.warnings.needless_alarm_min)


def _area_m2(ring: tuple[EastNorth, ...]) -> float:
    before = [*ring[-1:], *ring[:-1]]
    return 0.5 * abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(before, ring, strict=True)))
