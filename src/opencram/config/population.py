"""The `[population]` table of a site file: people of the zones from a raster that counts them by cell.

For WorldPop, GHSL and their like: GeoTIFF of any projection (extra `terrain`, which brings rasterio), or an ESRI
ASCII grid in degrees.  A cell's people are spread evenly over it, and each zone gets its share of every cell to the
last corner (no sampling).  A zone with a `population` of its own keeps that.  What was counted becomes part of the
site's text, so that a recording needs no such file.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opencram.config.table import Limits, Table
from opencram.errors import ConfigError, Fault

CELLS_MAX: Final = 40_000_000  # of the window about the zones
_ASCII_BYTES_MAX: Final = 256 * 1024 * 1024
_STEP_DEG: Final = 0.02  # an edge longer than this is followed through the projection in parts
_MARGIN_DEG: Final = 0.02
_FILE: Final = 'give the raster, relative to the site file: file = "people.tif"'
_FACTOR: Final = Limits(above=0.0, at_most=100.0)
_HEADER: Final = ("ncols", "nrows", "cellsize", "xllcorner", "yllcorner")

Ring = list[tuple[float, float]]
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Raster:
    """People by cell (rows, columns), 0 where the file knows of none, and the way from degrees into its cells.

    `crs` is None where the cells are even in degrees; `cells_from_map`: a, b, c, d, e, f of column = a x + b y + c and
    row = d x + e y + f.
    """

    people: Array
    crs: Any
    cells_from_map: tuple[float, float, float, float, float, float]

    def ring(self, corners: Sequence[tuple[float, float]]) -> Ring:
        """Return a ring of longitudes and latitudes (degrees) in columns and rows."""
        points = _dense(corners) if self.crs is not None else list(corners)
        x, y = [each[0] for each in points], [each[1] for each in points]
        if self.crs is not None:
            from rasterio.warp import transform

            x, y = transform("EPSG:4326", self.crs, x, y)
        a, b, c, d, e, f = self.cells_from_map
        return [(a * px + b * py + c, d * px + e * py + f) for px, py in zip(x, y, strict=True)]


def counted_people(table: Table, path: Path, zones: Sequence[tuple[str, Ring]]) -> dict[str, int]:
    """Return the people of each zone by the raster of a `[population]` table; faults are noted in the table.

    `zones`: id and corners (longitude, latitude in degrees).  What was counted before stands in the table.
    """
    file = table.string("file", _FILE)
    factor = table.number("factor", _FACTOR, "give what the raster's people are multiplied by", default=1.0)
    counted = table.table("counted", "leave this to opencram")
    table.done()
    if counted is not None:
        kept = {key: value for key, value in counted.values.items() if type(value) is int and value >= 0}
        if len(kept) < len(counted.values):
            counted.here("was changed after it was written", "take [population.counted] out and keep the file")
        return kept
    corners = [corner for _, ring in zones for corner in ring]
    if not file or not corners:
        return {}
    longitudes, latitudes = [each[0] for each in corners], [each[1] for each in corners]
    window = (
        min(longitudes) - _MARGIN_DEG,
        min(latitudes) - _MARGIN_DEG,
        max(longitudes) + _MARGIN_DEG,
        max(latitudes) + _MARGIN_DEG,
    )
    try:
        raster = read_raster(path.parent / file, window)
    except ConfigError as error:
        table.findings.faults += [Fault(f"{table.place}.{f.place}", f.value, f.limit, f.remedy) for f in error.faults]
        return {}
    found: dict[str, int] = {}
    outside = []
    for identity, corners in zones:
        people, covered = people_inside(raster, raster.ring(corners))
        if covered < 0.999:
            outside.append(identity)
        found[identity] = round(factor * people)
    if outside:
        names = ", ".join(outside[:5]) + (f" and {len(outside) - 5} more" if len(outside) > 5 else "")
        table.fault("file", file, f"does not cover zone {names}", "take the right tile, or give them a population")
    return found


def with_counted(text: str, counted: dict[str, int]) -> str:
    """Return a site's text with what was counted appended."""
    lines = [
        text.rstrip("\n"),
        "",
        "# The people by the raster above, counted when it was read.",
        "[population.counted]",
    ]
    lines += [f"{json.dumps(key, ensure_ascii=False)} = {people}" for key, people in counted.items()]
    return "\n".join(lines) + "\n"


def people_inside(raster: Raster, ring: Ring) -> tuple[float, float]:
    """Return the people inside a ring of columns and rows, and which share of its area lies on the raster."""
    whole = _area(ring)
    rows, columns = raster.people.shape
    people, covered = 0.0, 0.0
    first, last = _span([y for _, y in ring], rows)
    for row in range(first, last):
        strip = _cut(_cut(ring, 1, row, 1.0), 1, row + 1, -1.0)
        if not strip:
            continue
        begin, end = _span([x for x, _ in strip], columns)
        for column in range(begin, end):
            share = abs(_area(_cut(_cut(strip, 0, column, 1.0), 0, column + 1, -1.0)))
            covered += share
            people += share * float(raster.people[row, column])
    return people, covered / abs(whole) if whole else 0.0


def _span(values: Sequence[float], size: int) -> tuple[int, int]:
    """Return the first cell that values reach, and one past the last, within 0 and `size`."""
    return max(math.floor(min(values)), 0), min(math.ceil(max(values)), size)


def _cut(ring: Ring, axis: int, limit: float, sign: float) -> Ring:
    """Return the part of a ring beyond a limit along an axis (before it: sign −1).

    Of a ring that is not convex the parts hang together by edges that are walked both ways, and enclose nothing.
    Source: Sutherland and Hodgman 1974, Reentrant polygon clipping.
    """
    out: Ring = []
    for before, here in zip([*ring[-1:], *ring[:-1]], ring, strict=True):
        a, b = sign * (before[axis] - limit), sign * (here[axis] - limit)
        if (a < 0.0) != (b < 0.0):
            t = a / (a - b)
            out.append((before[0] + t * (here[0] - before[0]), before[1] + t * (here[1] - before[1])))
        if b >= 0.0:
            out.append(here)
    return out


def _area(ring: Ring) -> float:
    if not ring:
        return 0.0
    x0, y0 = ring[0]
    pairs = zip([*ring[-1:], *ring[:-1]], ring, strict=True)
    return 0.5 * sum((ax - x0) * (by - y0) - (bx - x0) * (ay - y0) for (ax, ay), (bx, by) in pairs)


def _dense(corners: Sequence[tuple[float, float]]) -> Ring:
    """Return a ring with points along its long edges."""
    out: Ring = []
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
        parts = max(math.ceil(max(abs(bx - ax), abs(by - ay)) / _STEP_DEG), 1)
        out += [(ax + k / parts * (bx - ax), ay + k / parts * (by - ay)) for k in range(parts)]
    return out


def read_raster(path: Path, window_deg: tuple[float, float, float, float]) -> Raster:
    """Return the people by cell of a file, at least within west, south, east, north (degrees).

    Raises `ConfigError` with what is wrong and what to do.
    """
    kind = path.suffix.lower()
    try:
        if kind in (".tif", ".tiff"):
            return _geotiff(path, window_deg)
        if kind == ".asc":
            return _ascii(path)
    except OSError as error:
        limit = f"cannot be read ({error.strerror or error})"
        raise _fault(path, limit, "give the path relative to the site file") from error
    raise _fault(path, "must end with .tif, .tiff or .asc", "convert it, for instance with gdal_translate")


def _fault(path: Path, limit: str, remedy: str) -> ConfigError:
    return ConfigError(str(path), [Fault("file", path.name, limit, remedy)])


def _people(cells: Any, nodata: float | None) -> Array:
    """Return counts, with 0 for what the file marks as no data (water and waste) and for what is no count."""
    people = np.array(cells, dtype=np.float64)
    if nodata is not None:
        people[people == nodata] = 0.0
    people[~((people >= 0.0) & (people < 1e8))] = 0.0
    return people


def _geotiff(path: Path, window_deg: tuple[float, float, float, float]) -> Raster:
    try:
        import rasterio
        from rasterio.warp import transform_bounds
        from rasterio.windows import Window, from_bounds
    except ImportError as error:
        remedy = "pip install opencram[terrain], or convert it to an ASCII grid: gdal_translate -of AAIGrid"
        raise _fault(path, "is a GeoTIFF, which needs rasterio", remedy) from error
    try:
        with rasterio.open(path) as source:
            if source.crs is None:
                raise _fault(path, "has no coordinate system", "assign one, for instance with gdal_edit -a_srs")
            bounds = transform_bounds("EPSG:4326", source.crs, *window_deg, densify_pts=21)
            wanted, whole = from_bounds(*bounds, transform=source.transform), Window(0, 0, source.width, source.height)
            column, row = math.floor(wanted.col_off), math.floor(wanted.row_off)
            window = Window(column, row, math.ceil(wanted.width) + 1, math.ceil(wanted.height) + 1)
            if not rasterio.windows.intersect(window, whole):
                raise _fault(path, "does not cover the zones", "is it the right tile?")
            window = window.intersection(whole)
            if window.width * window.height > CELLS_MAX:
                raise _fault(path, f"holds more than {CELLS_MAX} cells about the zones", "take a coarser raster")
            people = _people(source.read(1, window=window), source.nodata)
            back = ~source.window_transform(window)
            crs = None if source.crs.to_epsg() == 4326 else source.crs
    except rasterio.errors.RasterioError as error:
        raise _fault(path, f"cannot be read ({error})", "is it a GeoTIFF?") from error
    return Raster(people, crs, (back.a, back.b, back.c, back.d, back.e, back.f))


def _ascii(path: Path) -> Raster:
    if path.stat().st_size > _ASCII_BYTES_MAX:
        raise _fault(path, f"must be at most {_ASCII_BYTES_MAX // 1024**2} MiB", "cut it to the site")
    header: dict[str, float] = {}
    lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    for line in lines:
        words = line.split()
        if len(words) != 2 or not words[0][:1].isalpha():
            break
        try:
            header[words[0].lower()] = float(words[1])
        except ValueError:
            raise _fault(path, f"line {len(header) + 1}: {words[0]} must be a number", "mend the header") from None
    step = header.get("cellsize", 0.0)
    for axis in "xy":
        if f"{axis}llcenter" in header:
            header.setdefault(f"{axis}llcorner", header[f"{axis}llcenter"] - 0.5 * step)
    missing = [name for name in _HEADER if name not in header]
    if missing:
        raise _fault(path, f"its header lacks {', '.join(missing)}", "save it as an ESRI ASCII grid in degrees")
    if not 0.0 < step <= 0.1:
        raise _fault(path, f"cellsize {step:g}: must be in degrees", "project it to EPSG:4326, as with gdalwarp")
    rows, columns = int(header["nrows"]), int(header["ncols"])
    try:
        cells = np.array([line.split() for line in lines[len(header) :] if line.strip()], dtype=np.float64)
    except ValueError:
        raise _fault(path, "holds a row of another length, or something that is no number", "mend the file") from None
    if cells.shape != (rows, columns):
        limit = f"has {' by '.join(map(str, cells.shape))} cells, its header says {rows} by {columns}"
        raise _fault(path, limit, "the file may be cut short")
    west, north = header["xllcorner"], header["yllcorner"] + rows * step
    people = _people(cells, header.get("nodata_value", -9999.0))
    return Raster(people, None, (1.0 / step, 0.0, -west / step, 0.0, -1.0 / step, north / step))
