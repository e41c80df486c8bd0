"""What the terrain hides from the radars: worked out once for a site, drawn by the screen as a layer.

A radar sees whatever is within its range and not behind the ground, along straight lines: it looks all around, and
what the air bends (it lifts the horizon by a seventh) is left out, as in `siting.flights`.
"""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opencram.config.model import Sensor, Site
from opencram.earth.geodesy import Frame, enu_from_geodetic

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

ABOVE_M: Final = (200.0, 500.0, 1000.0, 2000.0)  # above the ground: where rounds, drones and aircraft are looked for
SIDE_CELLS_MAX: Final = 400
_EARTH_M: Final = 6.371e6
_ANTENNA_CLEAR_M: Final = 50.0  # the terrain so near a radar hides nothing: its mast stands there


def coverage(site: Site) -> dict[str, Any] | None:
    """Return the cells that are in range of a radar and hidden from every one that they are in range of.

    `west`, `south` (m, site ENU) are the corner of a grid of cells of side `step`; `hidden` holds, for each height
    above the ground in `above` (m), triples (row from the south, first column from the west, column after the last)
    one after the other.  None: the site has no terrain, and nothing is hidden.
    """
    if site.terrain is None or not site.sensors:
        return None
    frame = Frame(site.latitude_rad, site.longitude_rad, site.height_m)
    places = [
        enu_from_geodetic(frame, s.latitude_rad, s.longitude_rad, s.height_m).tolist() for s in site.sensors
    ]  # east, north, up
    reaches = list(zip(places, (s.range_m_max for s in site.sensors), strict=True))
    west, south = (min(place[axis] - reach for place, reach in reaches) for axis in (0, 1))
    wide, high = (max(place[axis] + reach for place, reach in reaches) - low for axis, low in ((0, west), (1, south)))
    step = max(site.terrain.step_m, wide / SIDE_CELLS_MAX, high / SIDE_CELLS_MAX)
    east, north = np.meshgrid(
        west + (np.arange(math.ceil(wide / step)) + 0.5) * step,
        south + (np.arange(math.ceil(high / step)) + 0.5) * step,
    )
    ground = _ground_up(site, east, north, site.ground_height_m)
    reached, seen = (np.zeros((len(ABOVE_M), *east.shape), dtype=np.bool_) for _ in range(2))
    for sensor, place in zip(site.sensors, places, strict=True):
        within, clear = _seen_by(site, sensor, place, (east, north, ground), step)
        reached |= within
        seen |= clear
    return {
        "west": round(west, 1),
        "south": round(south, 1),
        "step": round(step, 3),
        "above": list(ABOVE_M),
        "hidden": [_runs(layer) for layer in reached & ~seen],
    }


def _ground_up(site: Site, east: Floats, north: Floats, unknown_m: float) -> Floats:
    """Return the ground (m) as "up" of the site's frame; where the terrain is not known it is at `unknown_m`."""
    assert site.terrain is not None
    known = site.terrain.at(east, north)
    heights = np.where(np.isfinite(known), known, unknown_m)
    # The tangent plane rises over the ellipsoid with the square of the distance.
    return heights - site.height_m - (east**2 + north**2) / (2.0 * _EARTH_M)


def _seen_by(
    site: Site, sensor: Sensor, place: list[float], cells: tuple[Floats, Floats, Floats], step: float
) -> tuple[Mask, Mask]:
    """Return which cells (height, row, column) are in range of a radar, and which of them the terrain leaves clear.

    Along each azimuth the steepest ground so far is the horizon; what flies beyond is seen if it stands higher.
    """
    azimuths = max(math.ceil(2.0 * math.pi * sensor.range_m_max / step), 8)
    out = np.arange(_ANTENNA_CLEAR_M, sensor.range_m_max + step, step / 2.0)
    turn = np.arange(azimuths)[:, np.newaxis] * (2.0 * math.pi / azimuths)
    ray_east, ray_north = place[0] + out * np.sin(turn), place[1] + out * np.cos(turn)
    # Beyond the edge of the terrain nothing hides.
    horizon = np.maximum.accumulate((_ground_up(site, ray_east, ray_north, -math.inf) - place[2]) / out, axis=1)
    east, north, ground = cells[0] - place[0], cells[1] - place[1], cells[2] - place[2]
    far = np.maximum(np.hypot(east, north), 1e-6)
    spoke = np.rint(np.arctan2(east, north) * (azimuths / (2.0 * math.pi))).astype(np.intp) % azimuths
    before = np.floor((far - _ANTENNA_CLEAR_M) / (step / 2.0)).astype(np.intp)  # the last sample this side of the cell
    hides = np.where(before >= 0, horizon[spoke, np.clip(before, 0, len(out) - 1)], -np.inf)
    up = ground + np.array(ABOVE_M)[:, np.newaxis, np.newaxis]
    within = np.asarray(np.hypot(far, up) <= sensor.range_m_max)
    return within, within & np.asarray(up >= hides * far)


def _runs(mask: Mask) -> list[int]:
    """Return row, first and last column (exclusive) of each run of cells, one after the other."""
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, first = np.nonzero(edges == 1)
    after = np.nonzero(edges == -1)[1]
    found: list[int] = np.stack([rows, first, after], axis=1).ravel().tolist()
    return found
