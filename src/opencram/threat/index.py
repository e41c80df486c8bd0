"""The places of a site as flat arrays, built once: rings, hazard outlines, and a grid to find zones by.

Assets come first, in config order; they are few and always examined.  Zones follow: first those that are large
among the others, which are always looked at, then the rest by the cell of a uniform grid that holds the middle
of their box, row by row from the south-west, so that a stretch of cells is a stretch of zones.
"""

import math
from typing import NamedTuple

import numpy as np

from opencram.threat.arrays import Floats, Integers
from opencram.threat.config import Config, EastNorth, Place
from opencram.threat.cubature import all_weights
from opencram.threat.dilation import hull_outline, outlines
from opencram.threat.harm import kernel_variance_m2, vulnerable_share

HAZARD_RADIUS_M_MIN = 0.01
_CELLS_SIDE_MAX = 1024
_FEW_ZONES = 16  # that are all looked at
_LARGE, _LARGE_PERCENTILE = 4.0, 98.0  # large is who exceeds so many medians and this percentile

# Columns of `spans`: where a place's own rows begin and end, its number in config order, and the rank of its id.
RING, OUTLINE, HULL, NUMBER, RANK = 0, 2, 4, 6, 7
SPAN_SIZE = 8
# Columns of `boxes`: west, south, east, north of the hazard outline, and the area of the place itself.
AREA_M2 = 4
# Entries of `scales` and `sizes`.
RADIUS, KERNEL_M2, ORIGIN_E, ORIGIN_N, CELL_E, CELL_N, REACH_E, REACH_N, DENSE_M2 = range(9)
ASSETS, LARGE, COLUMNS, ROWS = range(4)


class Index(NamedTuple):
    """Flat arrays of all places, in the order told above.

    Rings run anticlockwise, open.  `pieces` hold the hazard outlines and, after them, those of the hulls of assets
    (radius 0).  `people` (24, places, 2): people by the hour, and the share of them who count as in the open.
    `scales`: radius, variance of the harm kernel, origin and size of the cells, greatest half box and its area.
    """

    rings: Floats
    pieces: Floats
    weights: Floats  # (places, points, 3) of the cubature
    spans: Integers
    boxes: Floats
    people: Floats
    scales: Floats
    sizes: Integers  # number of assets and of large zones, columns and rows of the grid
    cell_start: Integers  # first place of each cell, and one past the last

    @property
    def hazard_radius_m(self) -> float:
        """The hazard radius in use."""
        return float(self.scales[RADIUS])


def ordered(config: Config) -> tuple[Place, ...]:
    """Return the places in config order, assets before zones."""
    return tuple(sorted(config.places, key=lambda place: place.kind != "asset"))


def build(config: Config) -> Index:
    """Return the index of the places of `config`."""
    places = ordered(config)
    radius_m = max(float(config.hazard_radius_m), HAZARD_RADIUS_M_MIN)
    rings = [_ring(place) for place in places]
    assets = sum(place.kind == "asset" for place in places)
    boxes = np.zeros((len(rings), 5))
    for box, ring in zip(boxes, rings, strict=True):
        box[:2], box[2:4], box[AREA_M2] = ring.min(axis=0) - radius_m, ring.max(axis=0) + radius_m, _area_m2(ring)
    zone_order, large, grid, cell_start = _grid(boxes[assets:])
    order = np.concatenate((np.arange(assets), assets + zone_order))
    rings, boxes = [rings[k] for k in order], boxes[order]
    around = outlines(rings, radius_m)
    hulls = [hull_outline(_hull(ring)) for ring in rings[:assets]] + [np.empty((0, 5))] * (len(rings) - assets)
    rank = np.argsort(np.argsort([place.id for place in places], kind="stable"), kind="stable")
    spans = np.empty((len(rings), SPAN_SIZE), dtype=np.int64)
    spans[:, NUMBER], spans[:, RANK] = order, rank[order]
    before = 0
    for column, parts in ((RING, rings), (OUTLINE, around), (HULL, hulls)):
        lengths = np.array([len(part) for part in parts], dtype=np.int64)
        begin = before if column == HULL else 0
        spans[:, column + 1] = begin + np.cumsum(lengths)
        spans[:, column] = spans[:, column + 1] - lengths
        before = int(lengths.sum())
    people = np.stack(
        (
            _hours(places, "presence") * np.array([float(place.people) for place in places]),
            vulnerable_share(_hours(places, "outdoor_share"), config.indoor_factor),
        ),
        axis=-1,
    )
    kernel_m2 = kernel_variance_m2(config.casualty_radius_m)
    return Index(
        rings=np.concatenate([np.empty((0, 2)), *rings]),
        pieces=np.concatenate([np.empty((0, 5)), *around, *hulls]),
        weights=all_weights(rings, around, boxes, radius_m, math.sqrt(kernel_m2)),
        spans=spans,
        boxes=boxes,
        people=np.ascontiguousarray(people[:, order]),
        scales=np.array([radius_m, kernel_m2, *grid[:7]]),
        sizes=np.array([assets, large, *grid[7:]], dtype=np.int64),
        cell_start=assets + large + cell_start,
    )


def _hours(places: tuple[Place, ...], name: str) -> Floats:
    """Return a share (24, places) of each place by the hour of the day."""
    columns = [np.resize(np.array(getattr(place, name), dtype=np.float64), 24) for place in places]
    return np.stack(columns, axis=1) if columns else np.zeros((24, 0))


def _area_m2(ring: Floats) -> float:
    """Return the area of a ring, positive if it runs anticlockwise."""
    east, north = (ring - ring[0]).T
    return float(0.5 * np.sum(np.roll(east, 1) * north - east * np.roll(north, 1)))


def _ring(place: Place) -> Floats:
    """Return the polygon as an open anticlockwise ring (n, 2)."""
    corners: list[EastNorth] = list(place.polygon_m)
    while len(corners) > 1 and corners[0] == corners[-1]:
        corners.pop()
    ring = np.array(corners, dtype=np.float64)
    assert ring.ndim == 2, f"place {place.id} has no corners"
    assert bool(np.all(np.abs(ring) < 1e9)), f"place {place.id} has a corner that is no place on earth"
    return np.ascontiguousarray(ring[::-1]) if _area_m2(ring) < 0.0 else ring


def _hull(ring: Floats) -> Floats:
    """Return the convex hull of a ring, anticlockwise (Andrew's monotone chain)."""
    points = sorted({(float(east), float(north)) for east, north in ring})

    def chain(run: list[EastNorth]) -> list[EastNorth]:
        kept: list[EastNorth] = []
        for point in run:
            while len(kept) > 1 and _turn(kept[-2], kept[-1], point) <= 0.0:
                kept.pop()
            kept.append(point)
        return kept[:-1]

    return np.array(chain(points) + chain(points[::-1]) or points)


def _turn(a: EastNorth, b: EastNorth, c: EastNorth) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _grid(boxes: Floats) -> tuple[Integers, int, tuple[float, ...], Integers]:
    """Return the order of the zones, how many of them are large, the grid, and the first zone of each cell.

    The grid: origin, size of a cell, greatest half box and its area, columns and rows; about a zone to a cell.
    """
    middle, half = 0.5 * (boxes[:, :2] + boxes[:, 2:4]), 0.5 * (boxes[:, 2:4] - boxes[:, :2])
    zones = np.arange(len(boxes))
    if len(boxes) <= _FEW_ZONES:
        return zones, len(boxes), (0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1, 1), np.zeros(1, dtype=np.int64)
    size = half.max(axis=1)
    is_large = size > max(_LARGE * float(np.median(size)), float(np.percentile(size, _LARGE_PERCENTILE)))
    small = zones[~is_large]
    origin = middle[small].min(axis=0)
    extent = np.maximum(middle[small].max(axis=0) - origin, 1.0)
    side = math.sqrt(float(np.prod(extent)) / len(small))
    cells = np.clip(np.ceil(extent / side), 1, _CELLS_SIDE_MAX).astype(np.int64)
    columns, rows = int(cells[0]), int(cells[1])
    at = np.minimum(((middle[small] - origin) / (extent / cells)).astype(np.int64), cells - 1)
    cell = at[:, 1] * columns + at[:, 0]
    starts = np.concatenate(([0], np.cumsum(np.bincount(cell, minlength=columns * rows)))).astype(np.int64)
    reach = half[small].max(axis=0)
    grid = (*origin.tolist(), *(extent / cells).tolist(), *reach.tolist(), 4.0 * float(np.prod(reach)), columns, rows)
    return np.concatenate((zones[is_large], small[np.argsort(cell, kind="stable")])), int(is_large.sum()), grid, starts
