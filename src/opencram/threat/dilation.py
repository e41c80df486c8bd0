"""The outline of all points within a radius of a polygon, exact: straight lines and circular arcs.

The outline is where the distance to the polygon equals the radius.  So it is made of parts of the lines beside
each edge (both sides) and of the circles about each corner: each of these is cut wherever it meets another,
and a part is kept if its middle is outside the polygon and nearer to no edge than the radius.  A part
is walked with its own edge or corner on the left.  Nothing is assumed about the ring: concave, closing on
itself, crossed, clockwise, a line or a point come out of the same rule, and no topology can go wrong.
A convex ring has its outline at once: each edge set off, and an arc about each corner.
"""

import math

import numpy as np
from numpy.typing import NDArray

from opencram.threat.arrays import Floats, Integers

# One row of an outline: a line from (0, 1) to (2, 3), or an anticlockwise arc about (0, 1) from angle (2) to (3).
KIND = 4
LINE, ARC = 0.0, 1.0
PIECE_SIZE = 5

_TOLERANCE = 2e-14  # of the size of the polygon and the radius: about a hundred times the rounding
_TURN = 2.0 * math.pi
_CHUNK = 200_000  # numbers in one table of cuts or distances
_STRAIGHT_RAD = 1e-12  # a corner that turns by less has no arc

Flags = NDArray[np.bool_]


def outlines(rings: list[Floats], radius_m: float) -> list[Floats]:
    """Return the outline (k, 5) of each ring."""
    found = convex_outlines(rings, radius_m)
    return [outline(ring, radius_m) if one is None else one for ring, one in zip(rings, found, strict=True)]


def convex_outlines(rings: list[Floats], radius_m: float) -> list[Floats | None]:
    """Return the outline of each ring that is convex and runs anticlockwise, and None for the others."""
    if not rings:
        return []
    sizes = np.array([len(ring) for ring in rings])
    starts = np.cumsum(sizes) - sizes
    owner = np.repeat(np.arange(len(rings)), sizes)
    corners = np.concatenate(rings)
    following = np.arange(len(corners)) + 1
    following[starts + sizes - 1] = starts
    preceding = np.empty_like(following)
    preceding[following] = np.arange(len(corners))
    step = corners[following] - corners  # of the edge that leaves each corner
    length = np.hypot(step[:, 0], step[:, 1])
    before = step[preceding]
    cross = before[:, 0] * step[:, 1] - before[:, 1] * step[:, 0]
    dot = before[:, 0] * step[:, 0] + before[:, 1] * step[:, 1]
    turn = np.arctan2(cross, dot)
    good = (length > 0.0) & (cross >= 0.0) & (turn < math.pi - 1e-9)
    whole = np.abs(np.bincount(owner, turn, len(rings)) - _TURN) < 1e-6
    convex = np.logical_and.reduceat(good, starts) & whole & (sizes > 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        out = radius_m * np.stack((step[:, 1], -step[:, 0]), axis=1) / length[:, None]
    facing = np.arctan2(-before[:, 0], before[:, 1])  # direction that faces out of the edge that arrives
    rows = np.empty((2 * len(corners), PIECE_SIZE))
    rows[0::2, 0:2], rows[0::2, 2], rows[0::2, 3], rows[0::2, KIND] = corners, facing, facing + turn, ARC
    rows[1::2, 0:2], rows[1::2, 2:4], rows[1::2, KIND] = corners + out, corners[following] + out, LINE
    kept = np.ones(len(rows), dtype=bool)
    kept[0::2] = turn > _STRAIGHT_RAD
    ends = 2 * (starts + sizes)
    return [
        rows[2 * start : end][kept[2 * start : end]] if flag else None
        for start, end, flag in zip(starts.tolist(), ends.tolist(), convex.tolist(), strict=True)
    ]


def hull_outline(hull: Floats) -> Floats:
    """Return the outline of radius 0 of a convex anticlockwise ring, a line or a point."""
    n = len(hull)
    if n == 1:
        return np.array([[hull[0, 0], hull[0, 1], 0.0, _TURN, ARC]])
    following = np.roll(hull, -1, axis=0)
    facing = np.arctan2(hull[:, 0] - following[:, 0], following[:, 1] - hull[:, 1])  # out of the edge that leaves
    turn = (facing - np.roll(facing, 1)) % _TURN
    turn = np.where(turn < _TURN - 1e-9, turn, 0.0)  # edges nearly in one line: rounding may turn slightly back
    arcs = np.column_stack((hull, facing - turn, facing, np.full(n, ARC)))
    return np.concatenate((arcs, np.column_stack((hull, following, np.full(n, LINE)))))


def outline(ring: Floats, radius_m: float) -> Floats:
    """Return the outline (k, 5) of all points within `radius_m` of a ring (n, 2), in the same metres.

    Rows are pieces as `PIECE_SIZE` describes; all of them together close, in no particular order.
    Error: rounding, about 1e-9 of the size of the ring; beside corners that are straight but for less than a
    thousandth of a radian, pieces up to 0.2 mm long may be missing or too many.
    """
    near = ring - ring[0]  # near the origin rounding is smallest
    corners, edges = _distinct(near)
    lines = _beside(edges, radius_m)
    tolerance = _TOLERANCE * max(radius_m, float(np.max(np.abs(near))))
    parts = [np.empty((0, PIECE_SIZE))]
    rows = max(_CHUNK // (2 + 3 * len(corners) + 3 * len(lines)), 1)
    for first in range(0, len(lines), rows):
        some = lines[first : first + rows]
        low, high, number = _parts(_line_cuts(some, lines, corners, radius_m, tolerance), _length(some))
        way = (some[:, 2:] - some[:, :2]) / _length(some)[:, None]
        begin, end = (some[number, :2] + x[:, None] * way[number] for x in (low, high))
        kept = _on_outline(0.5 * (begin + end), (first + number) // 2, near, corners, edges, radius_m, tolerance)
        low, high, number = _joined(low, high, number, kept)
        begin, end = (some[number, :2] + x[:, None] * way[number] for x in (low, high))
        parts.append(np.column_stack((begin + ring[0], end + ring[0], np.full(len(low), LINE))))
    for first in range(0, len(corners), rows):
        some = corners[first : first + rows]
        cuts = _circle_cuts(some, lines, corners, radius_m, tolerance)
        low, high, number = _parts(cuts, np.full(len(some), _TURN))
        middle = 0.5 * (low + high)
        points = some[number] + radius_m * np.column_stack((np.cos(middle), np.sin(middle)))
        kept = _on_outline(points, np.full(len(low), -1), near, corners, edges, radius_m, tolerance)
        low, high, number = _joined(low, high, number, kept)
        parts.append(np.column_stack((some[number] + ring[0], low, high, np.full(len(low), ARC))))
    return np.concatenate(parts)


def _length(lines: Floats) -> Floats:
    return np.hypot(lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1])


def _distinct(ring: Floats) -> tuple[Floats, Floats]:
    """Return the distinct corners (k, 2) and the distinct edges (m, 4) of a ring; edges without length are none."""
    _, first = np.unique(ring, axis=0, return_index=True)
    corners = ring[np.sort(first)]
    edges = np.column_stack((np.roll(ring, 1, axis=0), ring))
    edges = edges[np.any(edges[:, :2] != edges[:, 2:], axis=1)]
    if len(edges) == 0:
        return corners, edges
    swap = (edges[:, 0] > edges[:, 2]) | ((edges[:, 0] == edges[:, 2]) & (edges[:, 1] > edges[:, 3]))
    _, first = np.unique(np.where(swap[:, None], edges[:, [2, 3, 0, 1]], edges), axis=0, return_index=True)
    return corners, edges[np.sort(first)]


def _beside(edges: Floats, radius: float) -> Floats:
    """Return the lines (2 m, 4) beside the edges, each with its edge on the left."""
    step = edges[:, 2:] - edges[:, :2]
    out = radius * np.column_stack((step[:, 1], -step[:, 0])) / _length(edges)[:, None]
    lines = np.empty((2 * len(edges), 4))
    lines[0::2] = edges + np.column_stack((out, out))
    lines[1::2] = edges[:, [2, 3, 0, 1]] - np.column_stack((out, out))
    return lines


def _line_cuts(some: Floats, lines: Floats, corners: Floats, radius: float, tolerance: float) -> Floats:
    """Return where each of some lines (metres from its start) meets circles and other lines, in order; NaN: nowhere."""
    length = _length(some)
    way = (some[:, 2:] - some[:, :2]) / length[:, None]
    ue, un = way[:, :1], way[:, 1:]
    re, rn = corners[:, 0] - some[:, :1], corners[:, 1] - some[:, 1:2]
    along, off = re * ue + rn * un, np.abs(re * un - rn * ue)
    # Of a tangent the two roots are noise and the foot between them is not.
    half = np.where(off < radius - tolerance, np.sqrt(np.maximum(radius * radius - off * off, 0.0)), 0.0)
    along = np.where(off > radius + tolerance, np.nan, along)
    step = lines[:, 2:] - lines[:, :2]
    cross = ue * step[:, 1] - un * step[:, 0]
    re, rn = lines[:, 0] - some[:, :1], lines[:, 1] - some[:, 1:2]
    with np.errstate(invalid="ignore", divide="ignore"):
        other = (re * un - rn * ue) / cross
        crossing = (re * step[:, 1] - rn * step[:, 0]) / cross
    crossing = np.where((cross != 0.0) & (other >= -1e-9) & (other <= 1.0 + 1e-9), crossing, np.nan)
    ends = np.column_stack((np.zeros_like(length), length))
    cuts = np.hstack((ends, along - half, along, along + half, crossing))
    return np.sort(np.clip(cuts, 0.0, length[:, None]), axis=1)


def _circle_cuts(some: Floats, lines: Floats, corners: Floats, radius: float, tolerance: float) -> Floats:
    """Return the angles, 0 to 2π, at which the circles about some corners meet others, in order; NaN: nowhere."""
    de, dn = corners[:, 0] - some[:, :1], corners[:, 1] - some[:, 1:]
    apart = np.hypot(de, dn)
    towards, half = np.arctan2(dn, de), np.arccos(np.minimum(0.5 * apart / radius, 1.0))
    towards = np.where((apart == 0.0) | (apart > 2.0 * radius), np.nan, towards)
    cuts = [np.tile((0.0, _TURN), (len(some), 1)), (towards - half) % _TURN, (towards + half) % _TURN]
    if len(lines):
        length = _length(lines)
        way = (lines[:, 2:] - lines[:, :2]) / length[:, None]
        re, rn = lines[:, 0] - some[:, :1], lines[:, 1] - some[:, 1:]
        along = -(re * way[:, 0] + rn * way[:, 1])
        oe, on = re + along * way[:, 0], rn + along * way[:, 1]  # foot of the centre on the line
        off = np.hypot(oe, on)
        half = np.where(off < radius - tolerance, np.sqrt(np.maximum(radius * radius - off * off, 0.0)), 0.0)
        for side in (-1.0, 1.0):
            at = along + side * half
            angle = np.arctan2(on + side * half * way[:, 1], oe + side * half * way[:, 0]) % _TURN
            met = (off <= radius + tolerance) & (off > 0.0) & (at >= -tolerance) & (at <= length + tolerance)
            cuts.append(np.where(met, angle, np.nan))
    return np.sort(np.hstack(cuts), axis=1)


def _parts(cuts: Floats, limits: Floats) -> tuple[Floats, Floats, Integers]:
    """Return begin, end and row of each part between two cuts that has a length."""
    low, high = cuts[:, :-1], cuts[:, 1:]
    number, column = np.nonzero(high - low > 1e-12 * limits[:, None])  # never with a NaN
    return low[number, column], high[number, column], number


def _joined(low: Floats, high: Floats, number: Integers, kept: Flags) -> tuple[Floats, Floats, Integers]:
    """Return the parts that are kept, those that go on from the one before joined with it."""
    low, high, number = low[kept], high[kept], number[kept]
    goes_on = np.zeros(len(low) + 1, dtype=bool)
    goes_on[1:-1] = (number[1:] == number[:-1]) & (low[1:] == high[:-1])
    return low[~goes_on[:-1]], high[~goes_on[1:]], number[~goes_on[:-1]]


def _on_outline(
    points: Floats, own: Integers, ring: Floats, corners: Floats, edges: Floats, radius: float, tolerance: float
) -> Flags:
    """Return which points (n, 2) at `radius` from edge `own` (−1: from a corner) are on the outline.

    Where edges lie upon each other only the first of them has its line on the outline.
    """
    rows = max(_CHUNK // max(len(ring), len(corners), 1), 1)
    found = [np.zeros(0, dtype=bool)]
    for first in range(0, len(points), rows):
        some = slice(first, first + rows)
        found.append(_some_on_outline(points[some], own[some], ring, corners, edges, radius, tolerance))
    return np.concatenate(found)


def _some_on_outline(
    points: Floats, own: Integers, ring: Floats, corners: Floats, edges: Floats, radius: float, tolerance: float
) -> Flags:
    east, north = points[:, :1], points[:, 1:]
    on = ~_inside(ring, east, north)
    apart = np.hypot(east - corners[:, 0], north - corners[:, 1])
    on &= ~np.any(apart < radius - tolerance, axis=1)
    if len(edges) == 0:
        return on
    foot_e, foot_n, t = _feet(edges, east, north)
    distance = np.hypot(east - foot_e, north - foot_n)
    on &= ~np.any(distance < radius - tolerance, axis=1)
    earlier = np.arange(len(edges)) < own[:, None]
    rivals = earlier & (t > 0.0) & (t < 1.0) & (distance < radius + tolerance)
    if rivals.any():
        row = np.arange(len(points))
        own_e, own_n = foot_e[row, own][:, None], foot_n[row, own][:, None]
        on &= ~np.any(rivals & (np.hypot(own_e - foot_e, own_n - foot_n) < 1e3 * tolerance), axis=1)
    return on


def _inside(ring: Floats, east: Floats, north: Floats) -> Flags:
    """Return whether points (n, 1) are inside a ring, by the number of edges that a ray to the east crosses."""
    before = np.roll(ring, 1, axis=0)
    spans = (ring[:, 1] > north) != (before[:, 1] > north)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = (north - ring[:, 1]) / (before[:, 1] - ring[:, 1])
        crossing = ring[:, 0] + slope * (before[:, 0] - ring[:, 0])
    odd: Flags = np.sum(spans & (crossing > east), axis=1) % 2 == 1
    return odd


def _feet(edges: Floats, east: Floats, north: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the points of the edges nearest to points (n, 1), and where on their edge, 0 to 1, they lie."""
    step = edges[:, 2:] - edges[:, :2]
    squared = np.maximum(step[:, 0] ** 2 + step[:, 1] ** 2, 1e-300)
    t = np.clip(((east - edges[:, 0]) * step[:, 0] + (north - edges[:, 1]) * step[:, 1]) / squared, 0.0, 1.0)
    return edges[:, 0] + t * step[:, 0], edges[:, 1] + t * step[:, 1], t
