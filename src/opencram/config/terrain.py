"""The `[terrain]` table of a site file: an elevation model becomes the ground that flights end on.

The grid that is flown over becomes part of the site's text under `[terrain.grid]`, so that a recording needs no
such file, and flies over the same ground whatever becomes of it.
"""

import json
import math
from pathlib import Path
from typing import Final

from opencram.config.document import parse_toml
from opencram.config.table import Limits, Table
from opencram.earth.geodesy import Frame
from opencram.earth.terrain import CELLS_MAX, Elevations, Terrain, packed, resampled, unpacked
from opencram.earth.terrain_files import Bounds, read_elevations
from opencram.errors import ConfigError, Fault

RADIUS_M: Final = 10_000.0
STEP_M: Final = 30.0
KNOWN_SHARE_MIN: Final = 0.5  # of the square about the site

_FILE: Final = 'give the elevation model, relative to the site file: file = "dem.tif"'
_GEOID_M: Final = Limits(at_least=-120.0, at_most=100.0)
_RADIUS_M: Final = Limits(at_least=500.0, at_most=60_000.0)
_STEP_M: Final = Limits(at_least=5.0, at_most=1000.0)
_DEG: Final = Limits(at_least=-360.0, at_most=360.0)
_BOUNDS: Final = ("west_deg", "south_deg", "east_deg", "north_deg")


def read_terrain(
    table: Table | None, text: str, path: Path, origin: tuple[float, float, float]
) -> tuple[Terrain | None, str]:
    """Return the terrain of the site and the site's text with it; faults are noted in the table.

    `path` is that of the site file; `origin`: longitude and latitude (degrees) and height (m) of the site.
    """
    if table is None:
        return None, text
    file = table.string("file", _FILE)
    radius_m = table.number("radius_m", _RADIUS_M, "give half the width of the square to fly over", default=RADIUS_M)
    step_m = table.number("step_m", _STEP_M, "give the spacing of the grid in metres", default=STEP_M)
    over = table.choice("heights", ("geoid", "ellipsoid"), "say what the file's heights are above", default="geoid")
    geoid_m = table.optional_number("geoid_height_m", _GEOID_M, "give the geoid's height above the ellipsoid")
    geoid_file = table.string("geoid_file", "give a grid of the geoid's heights above the ellipsoid", default="")
    corners = [table.optional_number(key, _DEG, "give degrees") for key in _BOUNDS]
    inlined = table.table("grid", "leave this to opencram")
    table.done()
    if inlined is not None:
        terrain = unpacked(dict(inlined.values))
        if terrain is None:
            inlined.here("was changed after it was written", "take [terrain.grid] out and keep the file")
        _note_unknown(table, inlined.values.get("unknown_share"))
        return terrain, text
    if not file or not all(math.isfinite(value) for value in (*origin, radius_m, step_m)):
        return None, text
    if over == "geoid" and geoid_m is None and not geoid_file:
        remedy = 'give it, or geoid_file, or heights = "ellipsoid" if the file is above the ellipsoid'
        table.fault("geoid_height_m", "missing", "is needed: elevation models are above the geoid", remedy)
        return None, text
    if (2.0 * radius_m / step_m) ** 2 > CELLS_MAX:
        table.fault("step_m", step_m, f"makes more than {CELLS_MAX} points", "make step_m larger or radius_m smaller")
        return None, text
    bounds = (corners[0], corners[1], corners[2], corners[3])
    read = _read(table, path, file, origin, radius_m, step_m, _bounds(bounds), geoid_m or 0.0, geoid_file)
    if read is not None:
        _note_unknown(table, read[1])
        text = _with_grid(text, *read, table)
    return None if read is None else read[0], text


def _note_unknown(table: Table, share: object) -> None:
    """Note what share of the terrain is not known: of a recording's grid too, which holds it."""
    if isinstance(share, float) and share > 0.0:
        table.findings.notes.append(f"{table.place}.file: {share:.1%} is unknown, taken at the mean height")


def _bounds(corners: tuple[float | None, ...]) -> Bounds | None:
    west, south, east, north = corners
    if west is None or south is None or east is None or north is None:
        return None
    return west, south, east, north


def _read(
    table: Table,
    path: Path,
    file: str,
    origin: tuple[float, float, float],
    radius_m: float,
    step_m: float,
    bounds: Bounds | None,
    geoid_m: float,
    geoid_file: str,
) -> tuple[Terrain, float] | None:
    """Return the terrain of a file and the share of it that is not known, or None after noting why there is none."""
    longitude_deg, latitude_deg, height_m = origin
    reach_deg = math.degrees(1.5 * radius_m / 6.356e6)
    wide_deg = min(reach_deg / max(math.cos(math.radians(latitude_deg)), 0.01), 179.0)
    window = (longitude_deg - wide_deg, latitude_deg - reach_deg, longitude_deg + wide_deg, latitude_deg + reach_deg)
    try:
        elevations = read_elevations(path.parent / file, window, bounds_deg=bounds)
        geoid: float | Elevations = read_elevations(path.parent / geoid_file, window) if geoid_file else geoid_m
    except ConfigError as error:
        table.findings.faults += [Fault(f"{table.place}.{f.place}", f.value, f.limit, f.remedy) for f in error.faults]
        return None
    frame = Frame(math.radians(latitude_deg), math.radians(longitude_deg), height_m)
    terrain, known = resampled(elevations, frame, radius_m=radius_m, step_m=step_m, geoid_m=geoid)
    if terrain is None or known < KNOWN_SHARE_MIN:
        limit = f"covers {known:.0%} of the square of {radius_m:g} m about the site" + (
            "" if terrain else ", not the site"
        )
        table.fault(
            "file",
            file,
            limit,
            f"it must hold the site and half the square; {elevations.note or 'is it the right tile?'}",
        )
        return None
    return terrain, 1.0 - known


def _with_grid(text: str, terrain: Terrain, unknown_share: float, table: Table) -> str:
    """Return the site's text with the grid appended."""
    lines = [text.rstrip("\n"), "", "# The terrain above, as it is flown over.", "[terrain.grid]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in packed(terrain).items()]
    lines += [f"unknown_share = {unknown_share!r}"] if unknown_share > 0.0 else []
    whole = "\n".join(lines) + "\n"
    try:
        parse_toml(whole, "")
    except ConfigError:
        table.here("must be a table of its own", "write [terrain] on one line and file = ... on the next")
        return text
    return whole
