"""Polygons as people write them in files: checked, and brought into one form.

A polygon is a ring of [longitude, latitude] in degrees, as GeoJSON orders them.  In the program it is a
tuple of (longitude, latitude) in radians, without the repeated last point; longitudes run on across the
180th meridian, so that a ring there is in one piece.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

from opencram.config.model import LonLat
from opencram.config.table import Findings, as_number, shown
from opencram.errors import Fault

DISTANCE_M_MAX: Final = 200_000.0  # from the site to anything of it: further away it is a slip
AREA_M2_MIN: Final = 1.0
_METRES_PER_DEG: Final = 111_195.0  # of a great circle on a sphere of 6371 km: enough to judge a slip by

Point = tuple[float, float]
_POINTS_REMEDY: Final = "give at least three points, each [longitude, latitude] in degrees"


def distance_m(origin_deg: Point, point_deg: Point) -> float:
    """Return the distance between two (longitude, latitude) on the sphere: within 1 %, NaN for NaN."""
    if not all(map(math.isfinite, (*origin_deg, *point_deg))):
        return math.nan
    (lon_a, lat_a), (lon_b, lat_b) = (map(math.radians, point) for point in (origin_deg, point_deg))
    h = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * math.degrees(math.asin(min(1.0, math.sqrt(h)))) * _METRES_PER_DEG


def read_polygon(value: Sequence[Any], place: str, site_deg: Point, findings: Findings) -> tuple[LonLat, ...]:
    """Return the ring `value` in radians, or nothing after noting its faults.

    `site_deg` is the longitude and latitude of the site; NaN, after a fault there, is near everything.
    """
    count = len(findings.faults)
    points = _points(value, place, findings)
    if len(findings.faults) > count:
        return ()
    ring = _without_repeats(points)
    if len(set(ring)) < 3:
        findings.fault(place, value, "must have at least 3 distinct points", _POINTS_REMEDY)
        return ()
    if _misplaced(ring, value, place, site_deg, findings):
        return ()
    ring = [(_near(lon, site_deg[0]), lat) for lon, lat in ring]
    flat = _flat(ring)
    crossing = _crossing(flat)
    if crossing:
        edges = f"the edges after points {crossing[0]} and {crossing[1]} cross"
        findings.fault(place, value, "must not cross itself", f"{edges}: list the corners in order around the edge")
        return ()
    if abs(_area_m2(flat)) < AREA_M2_MIN:
        findings.fault(place, value, "must enclose an area", "the points lie on one line: list the corners in order")
        return ()
    return tuple((math.radians(lon), math.radians(lat)) for lon, lat in ring)


def _points(value: Sequence[Any], place: str, findings: Findings) -> list[Point]:
    points = []
    for index, item in enumerate(value):
        where = f"{place}[{index}]"
        if not isinstance(item, list) or len(item) not in (2, 3):
            findings.fault(where, item, "must be [longitude, latitude]", "give two numbers in degrees")
            continue
        numbers = [as_number(part) for part in item[:2]]
        lon, lat = numbers
        if lon is None or lat is None or not (math.isfinite(lon) and math.isfinite(lat)):
            findings.fault(where, item, "must be two finite numbers", "give [longitude, latitude] in degrees")
        elif abs(lat) > 90 and abs(lon) <= 90 and abs(lat) <= 180:
            findings.fault(where, item, "latitude must be >= -90 and <= 90", "points are [longitude, latitude]")
        elif abs(lat) > 90 or abs(lon) > 180:
            limit = "longitude must be within ±180 and latitude within ±90"
            findings.fault(where, item, limit, "give [longitude, latitude] in degrees")
        else:
            points.append((lon, lat))
    return points


def _without_repeats(points: list[Point]) -> list[Point]:
    """Return the ring without points that repeat the one before, the closing point included."""
    ring = [point for index, point in enumerate(points) if index == 0 or point != points[index - 1]]
    return ring[:-1] if len(ring) > 1 and ring[0] == ring[-1] else ring


def _misplaced(ring: list[Point], value: object, place: str, site_deg: Point, findings: Findings) -> bool:
    """Return whether the ring is nowhere near the site, after noting it."""
    lon = sum(_near(point[0], site_deg[0]) for point in ring) / len(ring)
    lat = sum(point[1] for point in ring) / len(ring)
    findings.placed += 1
    if not distance_m(site_deg, (lon, lat)) > DISTANCE_M_MAX:
        return False
    swapped = abs(lon) <= 90 and distance_m(site_deg, (lat, lon)) <= DISTANCE_M_MAX
    findings.misplaced.append(
        Fault(
            place,
            shown(value),
            f"must lie within {DISTANCE_M_MAX / 1000:.0f} km of the site",
            "points are [longitude, latitude]; these are the other way round"
            if swapped
            else f"points are [longitude, latitude] in degrees; the site is at {shown(list(site_deg))}",
        )
    )
    return True


def _near(lon_deg: float, site_lon_deg: float) -> float:
    """Return the same longitude within half a turn of the site's."""
    return lon_deg + 360.0 * round((site_lon_deg - lon_deg) / 360.0) if math.isfinite(site_lon_deg) else lon_deg


def _flat(ring: list[Point]) -> list[Point]:
    """Return the ring in metres on the plane about its first point."""
    lon_0, lat_0 = ring[0]
    east = _METRES_PER_DEG * math.cos(math.radians(lat_0))
    return [((lon - lon_0) * east, (lat - lat_0) * _METRES_PER_DEG) for lon, lat in ring]


def _area_m2(flat: list[Point]) -> float:
    return 0.5 * sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(flat, flat[1:] + flat[:1], strict=True))


def _crossing(flat: list[Point]) -> tuple[int, int] | None:
    """Return two edges that cross, by the index of the point each starts at, or None.

    Edges are swept from west to east, so that a coast line of thousands of points stays quick.
    """
    count = len(flat)
    edges = [
        (min(a[0], b[0]), max(a[0], b[0]), i) for i, (a, b) in enumerate(zip(flat, flat[1:] + flat[:1], strict=True))
    ]
    active: list[tuple[float, float, int]] = []
    for edge in sorted(edges):
        active = [other for other in active if other[1] >= edge[0]]
        for other in active:
            i, j = sorted((edge[2], other[2]))
            if _cross(flat[i], flat[(i + 1) % count], flat[j], flat[(j + 1) % count]):
                return i, j
        active.append(edge)
    return None


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Return whether the open segments ab and cd cross; to touch is not to cross."""
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _side(a: Point, b: Point, p: Point) -> float:
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])
