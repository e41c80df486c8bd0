"""Alarms and predicted impacts as GeoJSON (RFC 7946): longitude first, degrees."""

import math
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, Final

from opencram.adapters.cap import CapZone
from opencram.adapters.times import rfc3339
from opencram.ellipse import axes_95
from opencram.messages import Impact, Track, Warning

_CORNERS: Final = 36
_METRES_A_DEGREE: Final = 111_320.0  # of latitude; an ellipse of some hundred metres is drawn 0.5 % right by it


def collection(features: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return features as one collection."""
    return {"type": "FeatureCollection", "features": list(features)}


def alarm_feature(warning: Warning, zone: CapZone | None) -> dict[str, Any]:
    """Return an alarm as a feature: the zone's polygons, and what is told of it."""
    polygons = [[_ring(corners)] for corners in zone.polygons] if zone is not None else []
    return {
        "type": "Feature",
        "id": f"alarm-{warning.alarm_id}",
        "geometry": {"type": "MultiPolygon", "coordinates": polygons} if polygons else None,
        "properties": {
            "kind": "alarm",
            "zone": warning.zone,
            "name": zone.name if zone is not None else warning.zone,
            "state": warning.state,
            "advice": warning.advice,
            "probability": _finite(warning.probability),
            "time": rfc3339(warning.t_ns),
            "impact_time": rfc3339(warning.impact_t_ns),
            "seconds_left": _finite(warning.seconds_left),
            "expires": rfc3339(warning.expires_t_ns),
            "tracks": list(warning.track_ids),
            "reason": warning.reason,
        },
    }


def impact_feature(impact: Impact) -> dict[str, Any]:
    """Return a predicted impact with its 95 % ellipse as a polygon."""
    return {
        "type": "Feature",
        "id": f"impact-{impact.track_id}",
        "geometry": {
            "type": "GeometryCollection",
            "geometries": [
                {"type": "Point", "coordinates": [_degrees(impact.longitude_deg), _degrees(impact.latitude_deg)]},
                {"type": "Polygon", "coordinates": [ellipse(impact)]},
            ],
        },
        "properties": {
            "kind": "impact",
            "track": impact.track_id,
            "time": rfc3339(impact.t_ns),
            "impact_time": rfc3339(impact.impact_t_ns),
            "impact_time_std_s": _finite(impact.impact_time_s_std),
            "projectile_probability": _finite(impact.projectile_probability),
        },
    }


def track_feature(track: Track, latitude_deg: float, longitude_deg: float, height_m: float) -> dict[str, Any]:
    """Return a track as a point with its height above the ellipsoid."""
    east, north, up = track.velocity_enu_m_s
    name, probability = track.classes[0] if track.classes else ("unknown", 0.0)
    place = [_degrees(longitude_deg), _degrees(latitude_deg), round(height_m, 1) if math.isfinite(height_m) else 0.0]
    return {
        "type": "Feature",
        "id": f"track-{track.track_id}",
        "geometry": {"type": "Point", "coordinates": place},
        "properties": {
            "kind": "track",
            "track": track.track_id,
            "status": track.status,
            "class": name,
            "probability": _finite(probability),
            "time": rfc3339(track.t_ns),
            "course_deg": _finite(math.degrees(math.atan2(east, north)) % 360.0),
            "speed_m_s": _finite(math.hypot(east, north)),
            "climb_m_s": _finite(up),
            "position_std_m": _finite(track.position_m_std),
            "plots": track.plots,
        },
    }


def axes(impact: Impact) -> tuple[float, float, float]:
    """Return half length and half width (m) of the 95 % ellipse, and the azimuth of its length (rad)."""
    found = axes_95(impact.covariance_enu_m2)
    return (0.0, 0.0, 0.0) if math.isnan(found.longer_m) else found


def ellipse(impact: Impact) -> list[list[float]]:
    """Return the ring of the 95 % ellipse, anticlockwise, closed."""
    length, width, azimuth = axes(impact)
    east_m = _METRES_A_DEGREE * max(math.cos(math.radians(impact.latitude_deg)), 1e-3)
    ring = []
    for k in range(_CORNERS):
        angle = -2.0 * math.pi * k / _CORNERS
        along, across = length * math.cos(angle), width * math.sin(angle)
        east = along * math.sin(azimuth) + across * math.cos(azimuth)
        north = along * math.cos(azimuth) - across * math.sin(azimuth)
        longitude, latitude = impact.longitude_deg + east / east_m, impact.latitude_deg + north / _METRES_A_DEGREE
        ring.append([_degrees(longitude), _degrees(latitude)])
    return [*ring, ring[0]]


def _ring(corners: tuple[tuple[float, float], ...]) -> list[list[float]]:
    """Return corners (latitude, longitude) as a closed ring, anticlockwise as RFC 7946 wants it."""
    ring = [[_degrees(longitude), _degrees(latitude)] for latitude, longitude in corners]
    ring = ring if ring[:1] == ring[-1:] else [*ring, *ring[:1]]
    twice_area = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))
    return ring if twice_area >= 0.0 else ring[::-1]


def _degrees(value: float) -> float:
    return round(value, 7) if math.isfinite(value) else 0.0


def _finite(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
