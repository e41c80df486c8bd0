"""WGS84: geodetic coordinates, earth-centred earth-fixed (ECEF) and local east-north-up (ENU) frames.

Angles in radians, lengths in metres, heights above the ellipsoid.  Arrays lead with batch axes and end
with the three components.  Rotations read right to left: `ecef_from_enu @ v_enu`.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# Defining and derived constants: NGA.STND.0036 (WGS84), 2014, tables 3.1 and 3.5.
SEMI_MAJOR_M = 6_378_137.0
FLATTENING = 1.0 / 298.257223563
SEMI_MINOR_M = SEMI_MAJOR_M * (1.0 - FLATTENING)
ECCENTRICITY_2 = FLATTENING * (2.0 - FLATTENING)
EARTH_RATE_RAD_S = 7.292115e-5


def ecef_from_geodetic(latitude_rad: ArrayLike, longitude_rad: ArrayLike, height_m: ArrayLike) -> Array:
    """Return ECEF positions (…, 3) in metres.  Exact."""
    latitude, longitude, height = np.broadcast_arrays(latitude_rad, longitude_rad, height_m)
    normal = SEMI_MAJOR_M / np.sqrt(1.0 - ECCENTRICITY_2 * np.sin(latitude) ** 2)
    ring = (normal + height) * np.cos(latitude)
    return np.stack(
        [
            ring * np.cos(longitude),
            ring * np.sin(longitude),
            (normal * (1.0 - ECCENTRICITY_2) + height) * np.sin(latitude),
        ],
        axis=-1,
    )


def geodetic_from_ecef(position_ecef_m: ArrayLike) -> tuple[Array, Array, Array]:
    """Return latitude, longitude (rad) and height (m) of ECEF positions (…, 3).

    Valid: anywhere but within 100 km of the earth's centre.
    Error: under 1e-6 m from 10 km below the ellipsoid to 1000 km above it (tests/earth/test_geodesy.py).
    Source: B. R. Bowring, "Transformation from spatial to geographical coordinates", Survey Review 23
    (1976), the formula in the reduced latitude, applied twice.
    """
    position = np.asarray(position_ecef_m, dtype=np.float64)
    if position.ndim == 1:  # one point in plain numbers: a tenth of the time
        x, y, z = position.tolist()
        latitude, longitude, height = _bowring(x, y, z, math)
        return np.asarray(latitude), np.asarray(longitude), np.asarray(height)
    return _bowring(position[..., 0], position[..., 1], position[..., 2], np)


def _bowring(x: Any, y: Any, z: Any, of: ModuleType) -> tuple[Any, Any, Any]:
    """Return latitude, longitude and height, with the functions `of` `math` or NumPy."""
    second_eccentricity_2 = ECCENTRICITY_2 / (1.0 - ECCENTRICITY_2)
    ring = of.hypot(x, y)
    sin_reduced, cos_reduced = _unit(SEMI_MAJOR_M * z, SEMI_MINOR_M * ring, of)
    for _ in range(2):
        sin_latitude, cos_latitude = _unit(
            z + second_eccentricity_2 * SEMI_MINOR_M * sin_reduced**3,
            ring - ECCENTRICITY_2 * SEMI_MAJOR_M * cos_reduced**3,
            of,
        )
        sin_reduced, cos_reduced = _unit((1.0 - FLATTENING) * sin_latitude, cos_latitude, of)
    flat = of.sqrt(1.0 - ECCENTRICITY_2 * sin_latitude**2)
    height = ring * cos_latitude + z * sin_latitude - SEMI_MAJOR_M * flat
    return of.atan2(sin_latitude, cos_latitude), of.atan2(y, x), height


def _unit(sine: Any, cosine: Any, of: ModuleType) -> tuple[Any, Any]:
    """Return the sine and cosine of the angle whose tangent is sine / cosine."""
    norm = of.hypot(sine, cosine)
    return sine / norm, cosine / norm


@dataclass(frozen=True)
class Frame:
    """A local east-north-up frame, tangent to the ellipsoid's parallel surface at its origin."""

    latitude_rad: float
    longitude_rad: float
    height_m: float

    @cached_property
    def origin_ecef_m(self) -> Array:
        """Position of the origin, ECEF (3,)."""
        return ecef_from_geodetic(self.latitude_rad, self.longitude_rad, self.height_m)

    @cached_property
    def ecef_from_enu(self) -> Array:
        """Rotation (3, 3) whose columns are east, north and up in ECEF."""
        sin_lat, cos_lat = np.sin(self.latitude_rad), np.cos(self.latitude_rad)
        sin_lon, cos_lon = np.sin(self.longitude_rad), np.cos(self.longitude_rad)
        return np.array(
            [
                [-sin_lon, -sin_lat * cos_lon, cos_lat * cos_lon],
                [cos_lon, -sin_lat * sin_lon, cos_lat * sin_lon],
                [0.0, cos_lat, sin_lat],
            ]
        )


def enu_from_ecef(frame: Frame, position_ecef_m: ArrayLike) -> Array:
    """Return positions (…, 3) in the frame's ENU.  Exact."""
    return (np.asarray(position_ecef_m) - frame.origin_ecef_m) @ frame.ecef_from_enu


def ecef_from_enu(frame: Frame, position_enu_m: ArrayLike) -> Array:
    """Return ECEF positions (…, 3) of points given in the frame's ENU.  Exact."""
    return np.asarray(position_enu_m) @ frame.ecef_from_enu.T + frame.origin_ecef_m


def enu_from_geodetic(frame: Frame, latitude_rad: ArrayLike, longitude_rad: ArrayLike, height_m: ArrayLike) -> Array:
    """Return positions (…, 3) in the frame's ENU of geodetic points.  "Up" is not altitude."""
    return enu_from_ecef(frame, ecef_from_geodetic(latitude_rad, longitude_rad, height_m))


def geodetic_from_enu(frame: Frame, position_enu_m: ArrayLike) -> tuple[Array, Array, Array]:
    """Return latitude, longitude (rad) and height (m) of points given in the frame's ENU."""
    return geodetic_from_ecef(ecef_from_enu(frame, position_enu_m))


def enu_from_local(frame: Frame, local: Frame) -> Array:
    """Return the rotation (3, 3) that turns a vector of `local`'s ENU into `frame`'s ENU.

    Horizons differ: 30 km apart they are tilted by 4.7 mrad against each other.
    """
    return frame.ecef_from_enu.T @ local.ecef_from_enu
