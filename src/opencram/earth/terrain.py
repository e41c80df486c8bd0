"""Terrain: digital elevation models in, a grid of ellipsoidal heights in the site's ENU out.

An elevation model gives heights by longitude and latitude, mostly above the geoid (Copernicus: EGM2008, SRTM:
EGM96); flights are flown above the ellipsoid.  `resampled` turns it once into a regular grid east and north of the
site, which compiled code looks up (`ballistics.environment.surface`).  Files are read in `terrain_files`.
"""

import base64
import binascii
import hashlib
import zlib
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opencram.earth.geodesy import Frame, geodetic_from_enu

Array = NDArray[np.float64]

CELLS_MAX: Final = 16_000_000
_UNIT_M: Final = 0.1  # heights are written, and flown over, in decimetres: elevation models err by metres


@dataclass(frozen=True, eq=False)
class Elevations:
    """An elevation model on an even grid of longitude and latitude (degrees).

    `heights_m` (rows, columns): rows from south to north, columns from west to east; NaN where nothing is known.
    """

    south_deg: float
    west_deg: float
    step_latitude_deg: float
    step_longitude_deg: float
    heights_m: Array
    note: str = ""

    def at(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> Array:
        """Return heights (m), bilinear between the points; NaN outside and beside unknown ones."""
        y = (np.asarray(latitude_deg, dtype=np.float64) - self.south_deg) / self.step_latitude_deg
        turn = np.mod(np.asarray(longitude_deg, dtype=np.float64) - self.west_deg + 1e-9, 360.0) - 1e-9
        return _bilinear(self.heights_m, turn / self.step_longitude_deg, y)


@dataclass(frozen=True)
class Terrain:
    """Heights (m) above the ellipsoid on an even grid of the site's ENU; equal if their hashes are.

    `heights_m` (rows, columns), float32, read-only: rows from south to north, columns from west to east, the first
    point at `east_m`, `north_m`.
    """

    east_m: float
    north_m: float
    step_m: float
    sha256: str
    heights_m: NDArray[np.float32] = field(compare=False, repr=False)

    @staticmethod
    def of(east_m: float, north_m: float, step_m: float, heights_m: ArrayLike) -> "Terrain":
        """Return the terrain with these heights, rounded to the decimetre."""
        rounded = np.round(np.asarray(heights_m, dtype=np.float64) / _UNIT_M) * _UNIT_M
        heights = np.ascontiguousarray(rounded, dtype=np.float32)
        if heights.ndim != 2 or min(heights.shape) < 2 or not np.isfinite(heights).all():
            raise ValueError("terrain must be a grid of finite heights, at least 2 by 2")
        heights.setflags(write=False)
        digest = hashlib.sha256(repr((heights.shape, east_m, north_m, step_m)).encode() + heights.tobytes())
        return Terrain(east_m, north_m, step_m, digest.hexdigest(), heights)

    def at(self, east_m: ArrayLike, north_m: ArrayLike) -> Array:
        """Return heights (m) above the ellipsoid, bilinear between the points; NaN outside."""
        x = (np.asarray(east_m, dtype=np.float64) - self.east_m) / self.step_m
        y = (np.asarray(north_m, dtype=np.float64) - self.north_m) / self.step_m
        return _bilinear(self.heights_m, x, y)


def _bilinear(grid: Array | NDArray[np.float32], x: Array, y: Array) -> Array:
    """Return values at columns `x` and rows `y`, which need not be whole; NaN outside."""
    rows, columns = grid.shape
    inside = (y > -1e-6) & (y < rows - 1 + 1e-6) & (x > -1e-6) & (x < columns - 1 + 1e-6)
    column = np.where(inside, np.clip(np.floor(x), 0, columns - 2), 0).astype(np.intp)
    row = np.where(inside, np.clip(np.floor(y), 0, rows - 2), 0).astype(np.intp)
    part_x, part_y = np.clip(x - column, 0.0, 1.0), np.clip(y - row, 0.0, 1.0)
    south = grid[row, column] * (1.0 - part_x) + grid[row, column + 1] * part_x
    north = grid[row + 1, column] * (1.0 - part_x) + grid[row + 1, column + 1] * part_x
    return np.where(inside, south * (1.0 - part_y) + north * part_y, np.nan)


def resampled(
    elevations: Elevations, frame: Frame, *, radius_m: float, step_m: float, geoid_m: float | Elevations = 0.0
) -> tuple[Terrain | None, float]:
    """Return the terrain within a square of half-width `radius_m` about the site, and the share of it that is known.

    `geoid_m`: what to add to make the heights ellipsoidal, a number or a grid of undulations.  Longitude and latitude
    of a point of the ENU grid are those of the ground there, found by iteration: "up" leans 5 mrad at 30 km.
    None where not even the site itself is known; unknown points elsewhere take the mean height of the known.
    """
    count = round(radius_m / step_m)
    line = np.arange(-count, count + 1) * step_m
    east, north = np.meshgrid(line, line)
    up = np.zeros_like(east)
    heights = np.zeros_like(east)
    for _ in range(3):
        latitude, longitude, height = geodetic_from_enu(frame, np.stack([east, north, up], axis=-1))
        latitude_deg, longitude_deg = np.degrees(latitude), np.degrees(longitude)
        geoid = geoid_m if isinstance(geoid_m, float) else geoid_m.at(latitude_deg, longitude_deg)
        heights = elevations.at(latitude_deg, longitude_deg) + geoid
        up += np.where(np.isfinite(heights), heights - height, 0.0)
    known = np.isfinite(heights)
    if not known[count, count]:
        return None, float(known.mean())
    filled = np.where(known, heights, heights[known].mean())
    return Terrain.of(float(line[0]), float(line[0]), step_m, filled), float(known.mean())


def packed(terrain: Terrain) -> dict[str, float | int | str]:
    """Return the terrain as plain values, for the text of a recording: differences of decimetres, deflated."""
    units = np.round(terrain.heights_m.astype(np.float64) / _UNIT_M).astype(np.int32)
    bends = np.diff(np.diff(units, axis=0, prepend=0), axis=1, prepend=0)
    data = base64.b64encode(zlib.compress(bends.astype("<i4").tobytes(), 9)).decode()
    rows, columns = units.shape
    return {
        "east_m": terrain.east_m,
        "north_m": terrain.north_m,
        "step_m": terrain.step_m,
        "rows": rows,
        "columns": columns,
        "sha256": terrain.sha256,
        "heights": data,
    }


def unpacked(values: dict[str, float | int | str]) -> Terrain | None:
    """Return the terrain that `packed` wrote, or None where it was changed since."""
    try:
        rows, columns = int(values["rows"]), int(values["columns"])
        if not (min(rows, columns) >= 2 and rows * columns <= CELLS_MAX):
            return None
        inflater = zlib.decompressobj()
        data = inflater.decompress(base64.b64decode(str(values["heights"]), validate=True), rows * columns * 4 + 1)
        bends = np.frombuffer(data, dtype="<i4").reshape(rows, columns).astype(np.int64)
        units = np.cumsum(np.cumsum(bends, axis=1), axis=0)
        east_m, north_m, step_m = (float(values[key]) for key in ("east_m", "north_m", "step_m"))
        terrain = Terrain.of(east_m, north_m, step_m, units * _UNIT_M)
    except (KeyError, ValueError, TypeError, OverflowError, zlib.error, binascii.Error):
        return None
    return terrain if terrain.sha256 == values.get("sha256") else None
