"""Elevation models from files: GeoTIFF (extra `terrain`), ESRI ASCII grids and `.npy` arrays.

A GeoTIFF of any projection is read in longitude and latitude, and only the window about the site is read.  An
ASCII grid must be in degrees.  An `.npy` array has no place of its own, and needs its bounds.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opencram.earth.terrain import CELLS_MAX, Elevations
from opencram.errors import ConfigError, Fault

Array = NDArray[np.float64]
Bounds = tuple[float, float, float, float]  # west, south, east, north, degrees

HEIGHT_M: Final = (-500.0, 9000.0)  # outside, a height is taken as unknown
_ASCII_BYTES_MAX: Final = 256 * 1024 * 1024
_HEADER: Final = ("ncols", "nrows", "cellsize")


def read_elevations(path: Path, window_deg: Bounds, *, bounds_deg: Bounds | None = None) -> Elevations:
    """Return the elevation model of a file, at least where the window lies.

    `bounds_deg`: of the outermost points of an `.npy` array, whose first row is the northernmost.  Raises
    `ConfigError` with what is wrong and what to do.
    """
    kind = path.suffix.lower()
    try:
        if kind in (".tif", ".tiff"):
            return _geotiff(path, window_deg)
        if kind == ".asc":
            return _ascii(path)
        if kind == ".npy":
            return _array(path, bounds_deg)
    except OSError as error:
        raise _fault(
            path, f"cannot be read ({error.strerror or error})", "give the path relative to the site file"
        ) from error
    raise _fault(path, "must end with .tif, .tiff, .asc or .npy", "convert it, for instance with gdal_translate")


def _fault(path: Path, limit: str, remedy: str) -> ConfigError:
    return ConfigError(str(path), [Fault("file", path.name, limit, remedy)])


def _known(heights: Any, nodata: float | None) -> Array:
    """Return heights with NaN for what is unknown: the file's mark for it, and what no ground is."""
    result = np.array(heights, dtype=np.float64)
    if nodata is not None:
        result[result == nodata] = np.nan
    result[~((result >= HEIGHT_M[0]) & (result <= HEIGHT_M[1]))] = np.nan
    return result


def _geotiff(path: Path, window_deg: Bounds) -> Elevations:
    try:
        import rasterio
        from rasterio.vrt import WarpedVRT
        from rasterio.windows import Window, from_bounds
    except ImportError as error:
        remedy = "pip install opencram[terrain], or convert it to an ASCII grid: gdal_translate -of AAIGrid"
        raise _fault(path, "is a GeoTIFF, which needs rasterio", remedy) from error
    try:
        with rasterio.open(path) as source:
            if source.crs is None:
                raise _fault(path, "has no coordinate system", "assign one, for instance with gdal_edit -a_srs")
            with WarpedVRT(source, crs="EPSG:4326", resampling=rasterio.enums.Resampling.bilinear) as image:
                whole = Window(0, 0, image.width, image.height)
                wanted = from_bounds(*window_deg, transform=image.transform)
                column, row = math.floor(wanted.col_off) - 2, math.floor(wanted.row_off) - 2
                window = Window(column, row, math.ceil(wanted.width) + 5, math.ceil(wanted.height) + 5)
                if not rasterio.windows.intersect(window, whole):
                    raise _fault(path, "does not cover the site", _bounds_text(image.bounds))
                window = window.intersection(whole)
                if window.width * window.height > CELLS_MAX:
                    raise _fault(path, f"holds more than {CELLS_MAX} points about the site", "make radius_m smaller")
                heights = image.read(1, window=window)
                move = image.window_transform(window)
                data = _known(heights, image.nodata)
    except rasterio.errors.RasterioError as error:
        raise _fault(path, f"cannot be read ({error})", "is it a GeoTIFF?") from error
    rows = data.shape[0]
    north, west = move.f + 0.5 * move.e, move.c + 0.5 * move.a  # of the middle of the first pixel
    return Elevations(north + (rows - 1) * move.e, west, -move.e, move.a, data[::-1].copy(), _bounds_text(image.bounds))


def _bounds_text(bounds: Any) -> str:
    west, south, east, north = bounds
    return f"it reaches from {south:.4f} to {north:.4f} north and {west:.4f} to {east:.4f} east"


def _ascii(path: Path) -> Elevations:
    if path.stat().st_size > _ASCII_BYTES_MAX:
        raise _fault(path, f"must be at most {_ASCII_BYTES_MAX // 1024**2} MiB", "cut it to the site")
    lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    header: dict[str, float] = {}
    first = 0
    for first, line in enumerate(lines):
        words = line.split()
        if len(words) != 2 or not words[0][:1].isalpha():
            break
        try:
            header[words[0].lower()] = float(words[1])
        except ValueError:
            raise _fault(path, f"line {first + 1}: {words[0]} must be a number", "mend the header") from None
    missing = [name for name in _HEADER if name not in header]
    corner = "xllcorner" in header and "yllcorner" in header
    if missing or not (corner or ("xllcenter" in header and "yllcenter" in header)):
        names = ", ".join(missing) or "xllcorner and yllcorner"
        raise _fault(path, f"its header lacks {names}", "save it as an ESRI ASCII grid in degrees")
    rows, columns, step = int(header["nrows"]), int(header["ncols"]), header["cellsize"]
    if not (rows >= 2 and columns >= 2 and rows * columns <= CELLS_MAX and 0.0 < step < math.inf):
        raise _fault(path, f"{rows} rows by {columns} columns of {step}", f"must be 2 by 2 to {CELLS_MAX} points")
    if step > 0.1:
        raise _fault(path, f"cellsize {step:g}: must be in degrees", "project it to EPSG:4326, as with gdalwarp")
    values = list(_numbers(path, lines, first, columns))
    if len(values) != rows:
        raise _fault(path, f"has {len(values)} rows of heights, its header says {rows}", "the file may be cut short")
    half = 0.5 * step if corner else 0.0
    west = header["xllcorner" if corner else "xllcenter"] + half
    south = header["yllcorner" if corner else "yllcenter"] + half
    return Elevations(south, west, step, step, _known(values, header.get("nodata_value", -9999.0))[::-1].copy())


def _numbers(path: Path, lines: list[str], first: int, columns: int) -> Iterator[list[float]]:
    for number, line in enumerate(lines[first:], start=first + 1):
        if not line.strip():
            continue
        try:
            row = [float(word) for word in line.split()]
        except ValueError:
            raise _fault(path, f"line {number}: holds something that is no number", "mend the line") from None
        if len(row) != columns:
            raise _fault(path, f"line {number}: has {len(row)} heights, not {columns}", "the file may be cut short")
        yield row


def _array(path: Path, bounds_deg: Bounds | None) -> Elevations:
    remedy = "give west_deg, south_deg, east_deg and north_deg of its outermost points in [terrain]"
    if bounds_deg is None:
        raise _fault(path, "an array has no place of its own", remedy)
    west, south, east, north = bounds_deg
    if not (south < north and west < east):
        raise _fault(path, f"its bounds are {west}, {south}, {east}, {north}", "must be west < east and south < north")
    try:
        data = np.load(path, allow_pickle=False)
    except ValueError as error:
        raise _fault(path, f"is no array ({error})", "save it with numpy.save") from error
    if data.ndim != 2 or min(data.shape) < 2 or data.size > CELLS_MAX or data.dtype.kind not in "iuf":
        raise _fault(path, f"an array of shape {data.shape} of {data.dtype}", "must be a grid of numbers")
    rows, columns = data.shape
    step_latitude, step_longitude = (north - south) / (rows - 1), (east - west) / (columns - 1)
    return Elevations(south, west, step_latitude, step_longitude, _known(data, None)[::-1].copy())
