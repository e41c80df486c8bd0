"""The places of a site as flat arrays, built once: rings, hazard outlines, and a grid to find zones by.

Assets come first (0 to `assets` − 1, in config order), then zones (in config order).  Assets are few and always
examined; a zone is found through a uniform grid over the boxes of the hazard outlines.
"""

import math
from typing import NamedTuple

import numpy as np

from opencram.kernel import helper, kernel
from opencram.threat.arrays import Floats, Integers
from opencram.threat.config import Config, EastNorth, Place
from opencram.threat.cubature import (
    COVERED,
    DEGREE,
    HARMED,
    HAZARD,
    SIDE,
    disc_moments,
    gaussian_moments,
    moments_of,
    spread_moments,
    weights_of,
)
from opencram.threat.dilation import PIECE_SIZE, outline
from opencram.threat.harm import kernel_variance_m2, vulnerable_share

HAZARD_RADIUS_M_MIN = 0.01
_CELLS_PER_ZONE = 2.0
_CELLS_SIDE_MAX = 1024


class Index(NamedTuple):
    """Flat arrays of all places; `*_start` hold n + 1 offsets, place i owning rows start[i] to start[i + 1].

    Rings run anticlockwise, open.  `hulls` are the convex hulls of the assets' rings.  `boxes` (west, south, east,
    north) hold the hazard outlines.  `cell_items` lists zones by cell of the grid, row by row from the south-west.
    """

    hazard_radius_m: float
    assets: int
    rings: Floats
    ring_start: Integers
    areas_m2: Floats
    people: Floats  # (24, places), by the hour
    vulnerable: Floats  # (24, places): share of them who count as in the open
    kernel_m2: float  # variance of the harm kernel
    name_rank: Integers  # of each place's id, for an order that does not depend on the config
    weights: Floats  # (places, 3, points) of the cubature; none for assets
    outlines: Floats
    outline_start: Integers
    hulls: Floats
    hull_start: Integers
    boxes: Floats
    grid_origin_m: Floats  # west, south
    cell_size_m: Floats  # east, north
    cells: Integers  # along east, along north
    cell_start: Integers
    cell_items: Integers


def ordered(config: Config) -> tuple[Place, ...]:
    """Return the places in the order of the index: assets, then zones, each in config order."""
    return tuple(sorted(config.places, key=lambda place: place.kind != "asset"))


def build(config: Config) -> Index:
    """Return the index of the places of `config`."""
    places = ordered(config)
    radius_m = max(float(config.hazard_radius_m), HAZARD_RADIUS_M_MIN)
    rings = [_ring(place) for place in places]
    outlines = [outline(ring, radius_m) for ring in rings]
    assets = sum(place.kind == "asset" for place in places)
    vulnerable = vulnerable_share(_hours(places, "outdoor_share"), config.indoor_factor)
    hulls = [_hull(ring) for ring in rings[:assets]]
    boxes = np.zeros((len(rings), 4))
    for box, ring in zip(boxes, rings, strict=True):
        box[:2], box[2:] = ring.min(axis=0) - radius_m, ring.max(axis=0) + radius_m
    origin_m, size_m, cells = _grid(boxes[assets:])
    starts, items = _fill_grid(boxes, assets, origin_m, size_m, cells)
    return Index(
        hazard_radius_m=radius_m,
        assets=assets,
        rings=_rows(rings, 2),
        ring_start=_starts(rings),
        areas_m2=np.array([_area_m2(ring) for ring in rings]),
        people=_hours(places, "presence") * np.array([float(place.people) for place in places]),
        vulnerable=vulnerable,
        kernel_m2=kernel_variance_m2(config.casualty_radius_m),
        name_rank=np.argsort(np.argsort([place.id for place in places], kind="stable"), kind="stable").astype(np.int64),
        weights=_cubatures(rings, outlines, boxes, radius_m, config.casualty_radius_m),
        outlines=_rows(outlines, PIECE_SIZE),
        outline_start=_starts(outlines),
        hulls=_rows(hulls, 2),
        hull_start=_starts(hulls),
        boxes=boxes,
        grid_origin_m=origin_m,
        cell_size_m=size_m,
        cells=cells,
        cell_start=starts,
        cell_items=items,
    )


def _hours(places: tuple[Place, ...], name: str) -> Floats:
    """Return a share (24, places) of each place by the hour of the day."""
    columns = [np.resize(np.array(getattr(place, name), dtype=np.float64), 24) for place in places]
    return np.stack(columns, axis=1) if columns else np.zeros((24, 0))


def _cubatures(
    rings: list[Floats], outlines: list[Floats], boxes: Floats, radius_m: float, casualty_radius_m: float
) -> Floats:
    """Return the weights (places, 3, points) of every place's cubature (`cubature`)."""
    weights = np.empty((len(rings), 3, SIDE * SIDE))
    disc, bell, kernel_m = disc_moments(), gaussian_moments(), math.sqrt(kernel_variance_m2(casualty_radius_m))
    for i, (ring, pieces, box) in enumerate(zip(rings, outlines, boxes, strict=True)):
        _fill_weights(weights[i], ring, pieces, box, radius_m, kernel_m, disc, bell)
    return weights


@kernel
def _fill_weights(
    weights: Floats,
    ring: Floats,
    pieces: Floats,
    box: Floats,
    radius_m: float,
    kernel_m: float,
    disc: Floats,
    bell: Floats,
) -> None:
    edges = np.zeros((ring.shape[0], PIECE_SIZE))
    for k in range(ring.shape[0]):
        edges[k, 0], edges[k, 1] = ring[k - 1, 0], ring[k - 1, 1]
        edges[k, 2], edges[k, 3] = ring[k, 0], ring[k, 1]
    own = moments_of(edges, radius_m, box)
    powers = np.arange(DEGREE + 1.0)
    unit_e, unit_n = 2.0 / (box[2] - box[0]), 2.0 / (box[3] - box[1])
    weights[HAZARD] = weights_of(moments_of(pieces, radius_m, box))
    weights[COVERED] = weights_of(
        spread_moments(own, (radius_m * unit_e) ** powers, (radius_m * unit_n) ** powers, disc)
    )
    weights[HARMED] = weights_of(
        spread_moments(own, (kernel_m * unit_e) ** powers, (kernel_m * unit_n) ** powers, bell)
    )


def _rows(parts: list[Floats], width: int) -> Floats:
    return np.concatenate([np.empty((0, width)), *parts])


def _starts(parts: list[Floats]) -> Integers:
    return np.cumsum([0, *(len(part) for part in parts)], dtype=np.int64)


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


def _grid(
    boxes: Floats,
) -> tuple[Floats, Floats, Integers]:
    """Return origin, cell size and number of cells of a grid over the boxes, with about two cells to a box."""
    if len(boxes) == 0:
        return np.zeros(2), np.ones(2), np.ones(2, dtype=np.int64)
    origin_m = boxes[:, :2].min(axis=0)
    extent_m = boxes[:, 2:].max(axis=0) - origin_m
    side_m = math.sqrt(float(np.prod(extent_m)) / (_CELLS_PER_ZONE * len(boxes)))
    cells = np.clip(np.ceil(extent_m / side_m), 1, _CELLS_SIDE_MAX).astype(np.int64)
    return origin_m, extent_m / cells, cells


@helper
def _cell(position: float, origin: float, size: float, cells: int) -> int:
    """Return the number of the cell that holds a position along one axis; the outermost reach to infinity."""
    return int(min(max(math.floor((position - origin) / size), 0.0), cells - 1.0))


@kernel
def cell_range(
    west: float, south: float, east: float, north: float, origin_m: Floats, size_m: Floats, cells: Integers
) -> tuple[int, int, int, int]:
    """Return first and last column and row of the cells that a box touches."""
    column_0 = _cell(west, origin_m[0], size_m[0], cells[0])
    column_1 = _cell(east, origin_m[0], size_m[0], cells[0])
    row_0 = _cell(south, origin_m[1], size_m[1], cells[1])
    row_1 = _cell(north, origin_m[1], size_m[1], cells[1])
    return column_0, column_1, row_0, row_1


@kernel
def _fill_grid(
    boxes: Floats, first: int, origin_m: Floats, size_m: Floats, cells: Integers
) -> tuple[Integers, Integers]:
    """Return offsets by cell and the numbers of the boxes, from `first` on, that touch each cell."""
    starts = np.zeros(cells[0] * cells[1] + 1, dtype=np.int64)
    for i in range(first, boxes.shape[0]):
        c0, c1, r0, r1 = cell_range(boxes[i, 0], boxes[i, 1], boxes[i, 2], boxes[i, 3], origin_m, size_m, cells)
        for row in range(r0, r1 + 1):
            for column in range(c0, c1 + 1):
                starts[row * cells[0] + column + 1] += 1
    starts = np.cumsum(starts)
    items = np.empty(starts[-1], dtype=np.int64)
    free = starts[:-1].copy()
    for i in range(first, boxes.shape[0]):
        c0, c1, r0, r1 = cell_range(boxes[i, 0], boxes[i, 1], boxes[i, 2], boxes[i, 3], origin_m, size_m, cells)
        for row in range(r0, r1 + 1):
            for column in range(c0, c1 + 1):
                cell = row * cells[0] + column
                items[free[cell]] = i
                free[cell] += 1
    return starts, items
