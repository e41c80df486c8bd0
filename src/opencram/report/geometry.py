"""Plane geometry of the map: ellipses of impacts, points and polygons.  East and north in metres."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from opencram.ellipse import axes_95

Point = tuple[float, float]


@dataclass(frozen=True)
class Ellipse:
    """A 95 % ellipse.  `turn_rad` turns its long axis from east towards north."""

    east_m: float
    north_m: float
    major_m: float  # half the long axis
    minor_m: float
    turn_rad: float


def ellipse_95(east_m: float, north_m: float, covariance_m2: tuple[float, float, float]) -> Ellipse | None:
    """Return the 95 % ellipse of a Gaussian (ee, en, nn), or None if the covariance is none."""
    ee, en, nn = covariance_m2
    if not all(map(math.isfinite, (east_m, north_m, ee, en, nn))):
        return None
    middle, half_gap = 0.5 * (ee + nn), math.hypot(0.5 * (ee - nn), en)
    if ee < 0.0 or nn < 0.0 or middle - half_gap < -1e-6 * middle:
        return None
    axes = axes_95(covariance_m2)
    return Ellipse(
        east_m=east_m,
        north_m=north_m,
        major_m=axes.longer_m,
        minor_m=axes.shorter_m,
        turn_rad=0.5 * math.atan2(2.0 * en, ee - nn),
    )


def holds(ellipse: Ellipse, point: Point) -> bool:
    """Tell whether the point lies in the ellipse."""
    east, north = point[0] - ellipse.east_m, point[1] - ellipse.north_m
    cos, sin = math.cos(ellipse.turn_rad), math.sin(ellipse.turn_rad)
    along, across = cos * east + sin * north, cos * north - sin * east
    if ellipse.minor_m <= 0.0:
        return across == 0.0 and abs(along) <= ellipse.major_m
    return (along / ellipse.major_m) ** 2 + (across / ellipse.minor_m) ** 2 <= 1.0


def distance_to_polygon(point: Point, polygon: Sequence[Point]) -> float:
    """Return the distance from the point to the polygon in metres: 0 inside, infinite without corners."""
    if not polygon:
        return math.inf
    inside = False
    nearest = math.inf
    x, y = point
    for (x0, y0), (x1, y1) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) / (y1 - y0) * (x1 - x0):
            inside = not inside
        dx, dy = x1 - x0, y1 - y0
        length_2 = dx * dx + dy * dy
        along = 0.0 if length_2 == 0.0 else min(1.0, max(0.0, ((x - x0) * dx + (y - y0) * dy) / length_2))
        nearest = min(nearest, math.hypot(x - x0 - along * dx, y - y0 - along * dy))
    return 0.0 if inside else nearest


def middle(polygon: Sequence[Point]) -> Point:
    """Return the centroid of the polygon's area, or the mean of its corners if it has none."""
    area = east = north = 0.0
    for (x0, y0), (x1, y1) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        cross = x0 * y1 - x1 * y0
        area, east, north = area + cross, east + (x0 + x1) * cross, north + (y0 + y1) * cross
    if abs(area) < 1e-9:
        return sum(p[0] for p in polygon) / len(polygon), sum(p[1] for p in polygon) / len(polygon)
    return east / (3.0 * area), north / (3.0 * area)
