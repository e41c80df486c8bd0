"""The site as the map draws it: metres east and north of its origin, on the plane that touches the earth there."""

import math
from collections.abc import Sequence
from typing import Any

from opencram.config.model import LonLat, Site
from opencram.earth.geodesy import Frame, enu_from_geodetic


def plan(site: Site) -> dict[str, Any]:
    """Return the site in plain values, ready for JSON."""
    frame = Frame(site.latitude_rad, site.longitude_rad, site.height_m)

    def plane(points: Sequence[LonLat]) -> list[tuple[float, float]]:
        longitudes, latitudes = [p[0] for p in points], [p[1] for p in points]
        corners = enu_from_geodetic(frame, latitudes, longitudes, [site.ground_height_m] * len(points))
        return [(round(east, 1), round(north, 1)) for east, north, _ in corners.tolist()]

    return {
        "name": site.name,
        "latitude": math.degrees(site.latitude_rad),
        "longitude": math.degrees(site.longitude_rad),
        "terrain": site.terrain is not None,
        "sensors": [
            {
                "id": s.id,
                "at": plane([(s.longitude_rad, s.latitude_rad)])[0],
                "range": s.range_m_max,
                "period": s.period_s,
            }
            for s in site.sensors
        ],
        "assets": [{"id": a.id, "polygon": plane(a.polygon)} for a in site.assets],
        "zones": [
            {
                "id": z.id,
                "name": z.name or z.id,
                "people": z.population,
                "shelter": z.shelter_time_s,
                "polygon": plane(z.polygon),
            }
            for z in site.zones
        ],
        "districts": [{"id": d.id, "name": d.name or d.id} for d in site.districts],
        "effectors": [
            {
                "id": e.id,
                "kind": e.kind,
                "at": plane([(e.longitude_rad, e.latitude_rad)])[0],
                "near": e.range_m_min,
                "far": e.range_m_max,
                "rounds": e.magazine_rounds,
            }
            for e in site.effectors
        ],
        "sectors": [
            {
                "id": rule.id,
                "effector": rule.effector,
                "from": rule.azimuth_rad_from,
                "to": rule.azimuth_rad_to,
            }
            for rule in site.rules
            if rule.kind == "no_fire_sector"
        ],
        "corridors": [
            {"id": rule.id, "polygon": plane(rule.polygon)} for rule in site.rules if rule.kind == "aircraft_corridor"
        ],
        "policy": {"protect": site.policy.protect, "mode": site.policy.mode},
        "dwell": site.warnings.dwell_s,
    }
