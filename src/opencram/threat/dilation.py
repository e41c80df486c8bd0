"""The outline of all points within a radius of a polygon, exact: straight lines and circular arcs.

The outline is where the distance to the polygon equals the radius.  So it is made of parts of the lines beside
each edge (both sides) and of the circles about each corner: each of these is cut wherever it meets another,
and a part is kept if its middle is outside the polygon and nearer to no edge than the radius.  A part
is walked with its own edge or corner on the left.  Nothing is assumed about the ring: concave, closing on
itself, crossed, clockwise, a line or a point come out of the same rule, and no topology can go wrong.
"""

import math

import numpy as np

from opencram.kernel import helper, kernel
from opencram.threat.arrays import Floats

# One row of an outline: a line from (0, 1) to (2, 3), or an anticlockwise arc about (0, 1) from angle (2) to (3).
KIND = 4
LINE, ARC = 0.0, 1.0
PIECE_SIZE = 5

_TOLERANCE = 1e-11  # of the size of the polygon and the radius
_TURN = 2.0 * math.pi


@kernel
def inside(ring: Floats, east_m: float, north_m: float) -> bool:
    """Return whether a point is inside a ring (n, 2), by the number of edges that a ray to the east crosses."""
    result = False
    j = ring.shape[0] - 1
    for i in range(ring.shape[0]):
        if (ring[i, 1] > north_m) != (ring[j, 1] > north_m):
            crossing = ring[i, 0] + (north_m - ring[i, 1]) / (ring[j, 1] - ring[i, 1]) * (ring[j, 0] - ring[i, 0])
            if crossing > east_m:
                result = not result
        j = i
    return result


@helper
def _edge_parameter(ea: float, na: float, eb: float, nb: float, east: float, north: float) -> float:
    """Return where on the edge a → b, 0 to 1, the point nearest to (east, north) lies."""
    de, dn = eb - ea, nb - na
    squared = de * de + dn * dn
    if squared == 0.0:
        return 0.0
    return min(max(((east - ea) * de + (north - na) * dn) / squared, 0.0), 1.0)


@kernel
def nearest_edge_point(ring: Floats, east_m: float, north_m: float) -> tuple[float, float, float]:
    """Return distance, east and north of the point of a ring's edges that is nearest to a point."""
    best, best_e, best_n = np.inf, 0.0, 0.0
    j = ring.shape[0] - 1
    for i in range(ring.shape[0]):
        t = _edge_parameter(ring[j, 0], ring[j, 1], ring[i, 0], ring[i, 1], east_m, north_m)
        e = ring[j, 0] + t * (ring[i, 0] - ring[j, 0])
        n = ring[j, 1] + t * (ring[i, 1] - ring[j, 1])
        distance = math.hypot(east_m - e, north_m - n)
        if distance < best:
            best, best_e, best_n = distance, e, n
        j = i
    return best, best_e, best_n


@kernel
def _distinct(ring: Floats) -> tuple[Floats, Floats]:
    """Return the distinct corners (k, 2) and the distinct edges (m, 4) of a ring; edges without length are none."""
    n = ring.shape[0]
    corners, edges = np.empty((n, 2)), np.empty((n, 4))
    k, m = 0, 0
    for i in range(n):
        new = True
        for p in range(k):
            new = new and not (corners[p, 0] == ring[i, 0] and corners[p, 1] == ring[i, 1])
        if new:
            corners[k, 0], corners[k, 1] = ring[i, 0], ring[i, 1]
            k += 1
        ea, na, eb, nb = ring[i - 1, 0], ring[i - 1, 1], ring[i, 0], ring[i, 1]
        new = ea != eb or na != nb
        for p in range(m):
            same = edges[p, 0] == ea and edges[p, 1] == na and edges[p, 2] == eb and edges[p, 3] == nb
            back = edges[p, 0] == eb and edges[p, 1] == nb and edges[p, 2] == ea and edges[p, 3] == na
            new = new and not same and not back
        if new:
            edges[m, 0], edges[m, 1], edges[m, 2], edges[m, 3] = ea, na, eb, nb
            m += 1
    return corners[:k], edges[:m]


@kernel
def _beside(edges: Floats, radius: float) -> Floats:
    """Return the lines (2 m, 4) beside the edges, each with its edge on the left."""
    lines = np.empty((2 * edges.shape[0], 4))
    for i in range(edges.shape[0]):
        ea, na, eb, nb = edges[i, 0], edges[i, 1], edges[i, 2], edges[i, 3]
        length = math.hypot(eb - ea, nb - na)
        oe, on = radius * (nb - na) / length, -radius * (eb - ea) / length
        lines[2 * i, 0], lines[2 * i, 1], lines[2 * i, 2], lines[2 * i, 3] = ea + oe, na + on, eb + oe, nb + on
        j = 2 * i + 1
        lines[j, 0], lines[j, 1], lines[j, 2], lines[j, 3] = eb - oe, nb - on, ea - oe, na - on
    return lines


@kernel
def _line_cuts(line: Floats, lines: Floats, corners: Floats, radius: float, tolerance: float, cuts: Floats) -> int:
    """Write into `cuts` where `line` (metres from its start) meets circles and other lines; return how many."""
    ea, na = line[0], line[1]
    length = math.hypot(line[2] - ea, line[3] - na)
    ue, un = (line[2] - ea) / length, (line[3] - na) / length
    cuts[0], cuts[1] = 0.0, length
    count = 2
    for i in range(corners.shape[0]):
        along = (corners[i, 0] - ea) * ue + (corners[i, 1] - na) * un
        off = abs((corners[i, 0] - ea) * un - (corners[i, 1] - na) * ue)
        if off > radius + tolerance:
            continue
        # Of a tangent the two roots are noise and the foot between them is not.
        half = math.sqrt(radius * radius - off * off) if off < radius - tolerance else 0.0
        cuts[count], cuts[count + 1], cuts[count + 2] = along - half, along, along + half
        count += 3
    for i in range(lines.shape[0]):
        de, dn = lines[i, 2] - lines[i, 0], lines[i, 3] - lines[i, 1]
        cross = ue * dn - un * de
        if cross == 0.0:
            continue
        along = ((lines[i, 0] - ea) * dn - (lines[i, 1] - na) * de) / cross
        other = ((lines[i, 0] - ea) * un - (lines[i, 1] - na) * ue) / cross
        if -1e-9 <= other <= 1.0 + 1e-9:
            cuts[count] = along
            count += 1
    return count


@kernel
def _circle_cuts(corner: Floats, lines: Floats, corners: Floats, radius: float, tolerance: float, cuts: Floats) -> int:
    """Write into `cuts` the angles, 0 to 2π, at which the circle about `corner` meets others; return how many."""
    ce, cn = corner[0], corner[1]
    cuts[0], cuts[1] = 0.0, _TURN
    count = 2
    for i in range(corners.shape[0]):
        de, dn = corners[i, 0] - ce, corners[i, 1] - cn
        apart = math.hypot(de, dn)
        if apart == 0.0 or apart > 2.0 * radius:
            continue
        towards, half = math.atan2(dn, de), math.acos(min(0.5 * apart / radius, 1.0))
        cuts[count], cuts[count + 1] = (towards - half) % _TURN, (towards + half) % _TURN
        count += 2
    for i in range(lines.shape[0]):
        length = math.hypot(lines[i, 2] - lines[i, 0], lines[i, 3] - lines[i, 1])
        ue, un = (lines[i, 2] - lines[i, 0]) / length, (lines[i, 3] - lines[i, 1]) / length
        re, rn = lines[i, 0] - ce, lines[i, 1] - cn
        along = -(re * ue + rn * un)
        oe, on = re + along * ue, rn + along * un  # foot of the centre on the line
        off = math.hypot(oe, on)
        if off > radius + tolerance or off == 0.0:
            continue
        half = math.sqrt(radius * radius - off * off) if off < radius - tolerance else 0.0
        for side in (-1.0, 1.0):
            if -tolerance <= along + side * half <= length + tolerance:
                cuts[count] = math.atan2(on + side * half * un, oe + side * half * ue) % _TURN
                count += 1
    return count


@kernel
def _on_outline(
    east: float, north: float, own: int, ring: Floats, corners: Floats, edges: Floats, radius: float, tolerance: float
) -> bool:
    """Return whether a point at `radius` from edge `own` (−1: from a corner) is on the outline.

    Where edges lie upon each other only the first of them has its line on the outline.
    """
    if inside(ring, east, north):
        return False
    for i in range(corners.shape[0]):
        if math.hypot(east - corners[i, 0], north - corners[i, 1]) < radius - tolerance:
            return False
    for i in range(edges.shape[0]):
        ea, na, eb, nb = edges[i, 0], edges[i, 1], edges[i, 2], edges[i, 3]
        t = _edge_parameter(ea, na, eb, nb, east, north)
        fe, fn = ea + t * (eb - ea), na + t * (nb - na)
        distance = math.hypot(east - fe, north - fn)
        if distance < radius - tolerance:
            return False
        if i < own and 0.0 < t < 1.0 and distance < radius + tolerance:
            oa, on = edges[own, 0], edges[own, 1]
            s = _edge_parameter(oa, on, edges[own, 2], edges[own, 3], east, north)
            ge, gn = oa + s * (edges[own, 2] - oa), on + s * (edges[own, 3] - on)
            if math.hypot(ge - fe, gn - fn) < 1e3 * tolerance:
                return False
    return True


@kernel
def _write_part(
    piece: Floats, lines: Floats, corners: Floats, number: int, radius: float, low: float, high: float
) -> tuple[float, float]:
    """Write the part from `low` to `high` of line or circle `number` into `piece`; return the part's middle."""
    middle = 0.5 * (low + high)
    if number < lines.shape[0]:
        line = lines[number]
        length = math.hypot(line[2] - line[0], line[3] - line[1])
        ue, un = (line[2] - line[0]) / length, (line[3] - line[1]) / length
        piece[0], piece[1] = line[0] + low * ue, line[1] + low * un
        piece[2], piece[3], piece[KIND] = line[0] + high * ue, line[1] + high * un, LINE
        return line[0] + middle * ue, line[1] + middle * un
    corner = corners[number - lines.shape[0]]
    piece[0], piece[1], piece[2], piece[3], piece[KIND] = corner[0], corner[1], low, high, ARC
    return corner[0] + radius * math.cos(middle), corner[1] + radius * math.sin(middle)


@kernel
def outline(ring: Floats, radius_m: float) -> Floats:
    """Return the outline (k, 5) of all points within `radius_m` of a ring (n, 2), in the same metres.

    Rows are pieces as `PIECE_SIZE` describes; all of them together close, in no particular order.
    Error: rounding only, about 1e-9 of the size of the ring.
    """
    near = ring - ring[0]  # near the origin rounding is smallest
    corners, edges = _distinct(near)
    lines = _beside(edges, radius_m)
    tolerance = _TOLERANCE * max(radius_m, np.max(np.abs(near)))
    cuts = np.empty(2 + 3 * corners.shape[0] + 3 * lines.shape[0])
    pieces = np.empty((64, PIECE_SIZE))
    count = 0
    for i in range(lines.shape[0] + corners.shape[0]):
        if i < lines.shape[0]:
            found = _line_cuts(lines[i], lines, corners, radius_m, tolerance, cuts)
            limit, own = math.hypot(lines[i, 2] - lines[i, 0], lines[i, 3] - lines[i, 1]), i // 2
        else:
            found = _circle_cuts(corners[i - lines.shape[0]], lines, corners, radius_m, tolerance, cuts)
            limit, own = _TURN, -1
        ordered = np.sort(cuts[:found])
        start, stop = 0.0, -1.0  # of the last part that was kept
        for k in range(found - 1):
            low, high = max(ordered[k], 0.0), min(ordered[k + 1], limit)
            if high - low <= 1e-12 * limit:
                continue
            if count == pieces.shape[0]:
                pieces = np.concatenate((pieces, np.empty_like(pieces)))
            east, north = _write_part(pieces[count], lines, corners, i, radius_m, low, high)
            if not _on_outline(east, north, own, near, corners, edges, radius_m, tolerance):
                continue
            if stop == low:  # it goes on from the part before: one piece of both
                _write_part(pieces[count - 1], lines, corners, i, radius_m, start, high)
            else:
                start = low
                count += 1
            stop = high
    pieces = pieces[:count].copy()
    for i in range(count):
        pieces[i, 0] += ring[0, 0]
        pieces[i, 1] += ring[0, 1]
        if pieces[i, KIND] == LINE:
            pieces[i, 2] += ring[0, 0]
            pieces[i, 3] += ring[0, 1]
    return pieces
