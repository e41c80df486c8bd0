"""Where a detection is: range-bearing and location forms in all their units → range, azimuth, elevation."""

import math
import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from opencram.adapters.gate import Refusal
from opencram.adapters.sapient import schema
from opencram.adapters.stations import Station
from opencram.earth.geodesy import FLATTENING, SEMI_MAJOR_M, enu_from_geodetic

_ANGLES: Final = {
    schema.DEGREES_M: (1.0, 1.0),
    schema.RADIANS_M: (180.0 / math.pi, 1.0),
    schema.DEGREES_KM: (1.0, 1000.0),
    schema.RADIANS_KM: (180.0 / math.pi, 1000.0),
}
_ZONE: Final = re.compile(r"\s*(\d{1,2})\s*([A-Za-z])\s*")


@dataclass(frozen=True)
class Place:
    """Range (m), azimuth and elevation (degrees), and their deviations where given."""

    range_m: float
    azimuth_deg: float
    elevation_deg: float
    range_m_std: float | None = None
    azimuth_deg_std: float | None = None
    elevation_deg_std: float | None = None


def from_range_bearing(told: Any, units: int) -> Place | Refusal:
    """Return the place of a range-bearing; `units`: those of the registration, where the message has none."""
    system = told.coordinate_system or units
    if system not in _ANGLES:
        return Refusal("units", "the range-bearing does not say its units, nor does the registration")
    if told.datum not in (0, schema.DATUM_TRUE):
        return Refusal("datum", "its azimuth is not from true north, and the site does not know the difference")
    lacking = [name for name in ("range", "azimuth", "elevation") if not told.HasField(name)]
    if lacking:
        return Refusal("no_position", f"the range-bearing has no {' and no '.join(lacking)}")
    degrees, metres = _ANGLES[system]

    def error(name: str, scale: float) -> float | None:
        value = getattr(told, name)
        return value * scale if told.HasField(name) and value > 0.0 else None

    return Place(
        range_m=told.range * metres,
        azimuth_deg=told.azimuth * degrees,
        elevation_deg=told.elevation * degrees,
        range_m_std=error("range_error", metres),
        azimuth_deg_std=error("azimuth_error", degrees),
        elevation_deg_std=error("elevation_error", degrees),
    )


def from_location(told: Any, units: int, zone: str, station: Station) -> Place | Refusal:
    """Return the place of a location as the station sees it; `units`, `zone`: of the registration."""
    found = geodetic(told, units, zone, station.geoid_m)
    if isinstance(found, Refusal):
        return found
    east, north, up = enu_from_geodetic(station.frame, *found).tolist()
    range_m = math.sqrt(east * east + north * north + up * up)
    if not 0.0 < range_m < math.inf:
        return Refusal("no_position", "the location is that of the sensor itself")
    azimuth_deg = math.degrees(math.atan2(east, north)) % 360.0
    return Place(range_m, azimuth_deg % 360.0, math.degrees(math.atan2(up, math.hypot(east, north))))


def geodetic(told: Any, units: int, zone: str, geoid_m: float) -> tuple[float, float, float] | Refusal:
    """Return latitude, longitude (rad) and ellipsoidal height (m) of a location."""
    system = told.coordinate_system or units
    lacking = [name for name in ("x", "y", "z") if not told.HasField(name)]
    if lacking:
        return Refusal("no_position", f"the location has no {' and no '.join(lacking)}")
    if not all(map(math.isfinite, (told.x, told.y, told.z))):
        return Refusal("nan", "the location is not a number")
    height_m = told.z + (geoid_m if told.datum == schema.WGS84_G else 0.0)
    if system == schema.LAT_LNG_DEG_M:
        latitude, longitude = math.radians(told.y), math.radians(told.x)
    elif system == schema.LAT_LNG_RAD_M:
        latitude, longitude = told.y, told.x
    elif system == schema.UTM_M:
        match = _ZONE.fullmatch(told.utm_zone or zone)
        if match is None or not 1 <= int(match[1]) <= 60:
            return Refusal("units", "the location is in UTM, but of no zone")
        latitude, longitude = geodetic_from_utm(told.x, told.y, int(match[1]), north=match[2].upper() >= "N")
    else:
        return Refusal("units", "the location does not say its coordinate system, nor does the registration")
    if abs(latitude) > math.pi / 2.0 or abs(longitude) > 2.0 * math.pi or abs(height_m) > 1e6:
        return Refusal("range", "the location is on no place of the earth")
    return latitude, longitude, height_m


def geodetic_from_utm(easting_m: float, northing_m: float, zone: int, *, north: bool) -> tuple[float, float]:
    """Return latitude and longitude (rad) of a place on the UTM grid.

    `zone` letters from N on are north of the equator; so "30N" means zone 30, north, either way it is read.
    Error: under 1 mm within the zone (tests/sapient/test_sapient_places.py).
    Source: L. Krüger, "Konforme Abbildung des Erdellipsoids in der Ebene" (1912), series to the third order
    in the third flattening.
    """
    n = FLATTENING / (2.0 - FLATTENING)
    rectifying_m = SEMI_MAJOR_M / (1.0 + n) * (1.0 + n**2 / 4.0 + n**4 / 64.0) * 0.9996
    xi = (northing_m - (0.0 if north else 1e7)) / rectifying_m
    eta = (easting_m - 500_000.0) / rectifying_m
    beta = np.array([n / 2.0 - 2.0 * n**2 / 3.0 + 37.0 * n**3 / 96.0, n**2 / 48.0 + n**3 / 15.0, 17.0 * n**3 / 480.0])
    delta = (2.0 * n - 2.0 * n**2 / 3.0 - 2.0 * n**3, 7.0 * n**2 / 3.0 - 8.0 * n**3 / 5.0, 56.0 * n**3 / 15.0)
    k = 2.0 * np.arange(1, 4)
    eta = min(max(eta, -3.0), 3.0)  # far beyond any zone; keeps sinh within bounds
    xi_plain = xi - float(np.sum(beta * np.sin(k * xi) * np.cosh(k * eta)))
    eta_plain = eta - float(np.sum(beta * np.cos(k * xi) * np.sinh(k * eta)))
    sine = math.sin(xi_plain) / math.cosh(eta_plain)
    conformal = math.asin(min(max(sine, -1.0), 1.0))
    latitude = conformal + sum(d * math.sin(2.0 * (j + 1) * conformal) for j, d in enumerate(delta))
    longitude = math.radians(6.0 * zone - 183.0) + math.atan2(math.sinh(eta_plain), math.cos(xi_plain))
    return latitude, longitude
