"""One impact against all places: probability, distance, clearance and exposed people, compiled."""

import math

import numpy as np

from opencram.kernel import helper, kernel
from opencram.threat.arrays import Floats, Integers
from opencram.threat.cubature import RATIO_MAX, grid_integrals
from opencram.threat.dilation import KIND, LINE, inside, nearest_edge_point
from opencram.threat.gaussian import (
    EAST,
    EE,
    EN,
    FAR,
    NN,
    NORTH,
    STD_MAX,
    STD_MIN,
    W_XE,
    W_XN,
    W_YE,
    W_YN,
    WEIGHT,
    arc_integral,
    fill_component,
    line_integral,
    normal_cdf,
)
from opencram.threat.index import Index, cell_range

SEARCH_STD = 4.5  # half width of the box that zones are looked for in: outside, under 1.4e-5 in all
_NEGLIGIBLE_STD = 5.0  # a component whose every point of a zone is further out holds under 4e-6 of it
_ALIKE = 0.1  # two widenings that differ by less of the whole are done as one: the answer moves by under 2 %
CLEARANCE_CONFIDENCE = 0.95
_Z_95 = 1.6449
_MISS = 1.0 - CLEARANCE_CONFIDENCE
_CLEARANCE_SHARE, _CLEARANCE_M = 0.005, 0.5  # an asset's clearance is found to the greater of these, and rounded down

# Columns of a finding.
PLACE, PROBABILITY, DISTANCE_M, CLEARANCE_M, EXPOSED, CASUALTIES = range(6)
FINDING_SIZE = 6


@kernel
def signed_distance(ring: Floats, east_m: float, north_m: float) -> tuple[float, float, float]:
    """Return the distance of a point from a ring, negative inside it, and the nearest point of its edges."""
    distance, east, north = nearest_edge_point(ring, east_m, north_m)
    return (-distance if inside(ring, east_m, north_m) else distance), east, north


@kernel
def hazard_probability(components: Floats, ring: Floats, pieces: Floats, radius_m: float) -> float:
    """Return the probability of the mixture within `radius_m` of a ring whose outline is `pieces`.

    Where the outline is further than `FAR` long deviations from a component's mean, no integral is needed.
    """
    total = 0.0
    for i in range(components.shape[0]):
        row = components[i]
        distance, _, _ = signed_distance(ring, row[EAST], row[NORTH])
        if distance - radius_m > FAR * row[STD_MAX]:
            continue
        if radius_m - distance > FAR * row[STD_MAX]:
            total += row[WEIGHT]
            continue
        part = 0.0
        for k in range(pieces.shape[0]):
            piece = pieces[k]
            if piece[KIND] == LINE:
                part += line_integral(row, piece[0], piece[1], piece[2], piece[3])
            else:
                part += arc_integral(row, piece[0], piece[1], radius_m, piece[2], piece[3])
        total += row[WEIGHT] * min(max(part, 0.0), 1.0)
    return min(total, 1.0)


@kernel
def widened_probability(components: Floats, ring: Floats, variance_m2: float) -> float:
    """Return the probability of a ring under the mixture with `variance_m2` added to each axis."""
    wide = np.empty(components.shape[1])
    total = 0.0
    for i in range(components.shape[0]):
        row = components[i]
        fill_component(wide, row[WEIGHT], row[EAST], row[NORTH], row[EE] + variance_m2, row[EN], row[NN] + variance_m2)
        part = 0.0
        j = ring.shape[0] - 1
        for k in range(ring.shape[0]):
            part += line_integral(wide, ring[j, 0], ring[j, 1], ring[k, 0], ring[k, 1])
            j = k
        total += row[WEIGHT] * min(max(part, 0.0), 1.0)
    return total


@helper
def _bound(row: Floats, box: Floats) -> float:
    """Return a number that the component's probability of a box cannot exceed: box area times greatest density."""
    de, dn = 0.5 * (box[0] + box[2]) - row[EAST], 0.5 * (box[1] + box[3]) - row[NORTH]
    he, hn = 0.5 * (box[2] - box[0]), 0.5 * (box[3] - box[1])
    x = abs(row[W_XE] * de + row[W_XN] * dn) - abs(row[W_XE]) * he - abs(row[W_XN]) * hn
    y = abs(row[W_YE] * de + row[W_YN] * dn) - abs(row[W_YE]) * he - abs(row[W_YN]) * hn
    square = max(x, 0.0) ** 2 + max(y, 0.0) ** 2
    if square > _NEGLIGIBLE_STD * _NEGLIGIBLE_STD:
        return 0.0
    share = min(4.0 * he * hn / (2.0 * math.pi * row[STD_MAX] * row[STD_MIN]), 1.0)
    bound: float = row[WEIGHT] * share * math.exp(-0.5 * square)
    return bound


@kernel
def _integrals(index: Index, components: Floats, i: int, zone_min: float, out: Floats) -> None:
    """Fill `out` for zone i: probability of the hazard area, of the disc's cover, and of the harm kernel's.

    A component that is wide for the zone is integrated by the zone's own few points (`cubature`), the others exactly.
    In the exact part the disc is stood for by a Gaussian of its second moments (radius²/4 on each axis).
    """
    box = index.boxes[i]
    ring = index.rings[index.ring_start[i] : index.ring_start[i + 1]]
    pieces = index.outlines[index.outline_start[i] : index.outline_start[i + 1]]
    half_diagonal = 0.5 * math.hypot(box[2] - box[0], box[3] - box[1])
    part = np.empty(3)
    out[:] = 0.0
    bound = 0.0
    for c in range(components.shape[0]):
        bound += _bound(components[c], box)
    if bound < zone_min:
        return
    for c in range(components.shape[0]):
        row = components[c]
        if _bound(row, box) == 0.0:
            continue
        if half_diagonal <= RATIO_MAX * row[STD_MIN]:
            part[:] = 0.0
            grid_integrals(row, box, index.weights[i], part)
            for k in range(3):
                out[k] += row[WEIGHT] * max(part[k], 0.0)
        else:
            one = components[c : c + 1]
            probability = hazard_probability(one, ring, pieces, index.hazard_radius_m)
            out[0] += probability
            if probability > 0.1 * zone_min:
                disc_m2 = 0.25 * index.hazard_radius_m * index.hazard_radius_m
                covered = widened_probability(one, ring, disc_m2)
                alike = abs(disc_m2 - index.kernel_m2) < _ALIKE * (row[STD_MIN] * row[STD_MIN] + disc_m2)
                out[1] += covered
                out[2] += covered if alike else widened_probability(one, ring, index.kernel_m2)
    out[0] = min(out[0], 1.0)


@kernel
def _beyond_line(components: Floats, ring: Floats, ue: float, un: float) -> float:
    """Return how far beyond the ring, seen along the unit direction (ue, un), the round lands with confidence.

    Who is d beyond the ring's furthest corner along any direction is at least d from the ring: so this is never
    more than the true clearance.
    """
    support = -np.inf
    for k in range(ring.shape[0]):
        support = max(support, ring[k, 0] * ue + ring[k, 1] * un)
    high = 0.0
    for i in range(components.shape[0]):
        row = components[i]
        std = math.sqrt(row[EE] * ue * ue + 2.0 * row[EN] * ue * un + row[NN] * un * un)
        high = max(high, row[EAST] * ue + row[NORTH] * un - support + 4.0 * std)
    low = 0.0
    for step in range(40):
        d = low if step == 0 else 0.5 * (low + high)
        below = 0.0
        for i in range(components.shape[0]):
            row = components[i]
            std = math.sqrt(row[EE] * ue * ue + 2.0 * row[EN] * ue * un + row[NN] * un * un)
            below += row[WEIGHT] * normal_cdf((d + support - row[EAST] * ue - row[NORTH] * un) / std)
        if below > _MISS:
            if step == 0:
                return 0.0
            high = d
        else:
            low = d
    return low


@kernel
def line_clearance(components: Floats, ring: Floats, east_m: float, north_m: float) -> float:
    """Return a clearance (m) of the ring that is never overstated, from two half planes that hold the ring.

    One is square to the way from the ring to the mean impact (`east_m`, `north_m`), the other to that way as the
    ellipse of the heaviest component stretches it.  Close for a round far off in terms of its ellipse;
    understated, down to 0, where the ellipse is wider than the ring.
    """
    distance, near_e, near_n = signed_distance(ring, east_m, north_m)
    if distance <= 0.0:
        return 0.0
    best = _beyond_line(components, ring, (east_m - near_e) / distance, (north_m - near_n) / distance)
    heaviest = components[np.argmax(components[:, WEIGHT])]
    de, dn = heaviest[EAST] - near_e, heaviest[NORTH] - near_n
    ue, un = heaviest[NN] * de - heaviest[EN] * dn, heaviest[EE] * dn - heaviest[EN] * de
    length = math.hypot(ue, un)
    if length > 0.0:
        best = max(best, _beyond_line(components, ring, ue / length, un / length))
    return best


@kernel
def zone_clearance(components: Floats, ring: Floats, ue: float, un: float) -> float:
    """Return a clearance (m) of a ring that is never overstated, along the unit direction (ue, un) away from it.

    Every component keeps it with confidence, so the mixture does.  Understated, down to 0, for a wide ellipse.
    """
    support = -np.inf
    for k in range(ring.shape[0]):
        support = max(support, ring[k, 0] * ue + ring[k, 1] * un)
    clearance = np.inf
    for i in range(components.shape[0]):
        row = components[i]
        std = math.sqrt(row[EE] * ue * ue + 2.0 * row[EN] * ue * un + row[NN] * un * un)
        clearance = min(clearance, row[EAST] * ue + row[NORTH] * un - support - _Z_95 * std)
    return max(clearance, 0.0)


@kernel
def _hull_probability(components: Floats, hull: Floats, radius_m: float) -> float:
    """Return the probability of the mixture within `radius_m` of a convex anticlockwise ring."""
    total = 0.0
    n = hull.shape[0]
    for i in range(components.shape[0]):
        row = components[i]
        distance, _, _ = signed_distance(hull, row[EAST], row[NORTH])
        if distance - radius_m > FAR * row[STD_MAX]:
            continue
        if radius_m - distance > FAR * row[STD_MAX]:
            total += row[WEIGHT]
            continue
        part = 0.0
        if n == 1:
            part = arc_integral(row, hull[0, 0], hull[0, 1], radius_m, 0.0, 2.0 * math.pi)
        else:
            before = math.atan2(hull[n - 1, 0] - hull[0, 0], hull[0, 1] - hull[n - 1, 1])
            for k in range(n):
                ae, an, be, bn = hull[k, 0], hull[k, 1], hull[(k + 1) % n, 0], hull[(k + 1) % n, 1]
                after = math.atan2(ae - be, bn - an)  # direction that faces out of the edge a → b
                turn = (after - before) % (2.0 * math.pi)
                if turn < 2.0 * math.pi - 1e-9:  # edges in one line: rounding may turn slightly back
                    part += arc_integral(row, ae, an, radius_m, before, before + turn)
                oe, on = radius_m * math.cos(after), radius_m * math.sin(after)
                part += line_integral(row, ae + oe, an + on, be + oe, bn + on)
                before = after
        total += row[WEIGHT] * min(max(part, 0.0), 1.0)
    return min(total, 1.0)


@kernel
def hull_clearance(components: Floats, hull: Floats, at_least_m: float) -> float:
    """Return the clearance (m) of a convex ring, at least `at_least_m` (which must be no overstatement).

    Exact but for rounding down by 0.5 m or 0.5 %; of a ring that is not convex the hull's, which is no more.
    """
    low = at_least_m
    if _hull_probability(components, hull, low + max(_CLEARANCE_M, _CLEARANCE_SHARE * low)) > _MISS:
        return low
    step = max(0.25 * components[np.argmax(components[:, WEIGHT]), STD_MAX], 0.1 * low, 1.0)
    high = low + step
    for _ in range(64):
        if _hull_probability(components, hull, high) > _MISS:
            break
        low = high
        step *= 2.0
        high = low + step
    for _ in range(64):
        if high - low <= max(_CLEARANCE_M, _CLEARANCE_SHARE * low):
            break
        middle = 0.5 * (low + high)
        if _hull_probability(components, hull, middle) > _MISS:
            high = middle
        else:
            low = middle
    return low


@kernel
def _box_of(components: Floats) -> tuple[float, float, float, float]:
    """Return west, south, east, north of the box that holds `SEARCH_STD` deviations of every component."""
    west, south, east, north = np.inf, np.inf, -np.inf, -np.inf
    for i in range(components.shape[0]):
        row = components[i]
        reach_e, reach_n = SEARCH_STD * math.sqrt(row[EE]), SEARCH_STD * math.sqrt(row[NN])
        west, east = min(west, row[EAST] - reach_e), max(east, row[EAST] + reach_e)
        south, north = min(south, row[NORTH] - reach_n), max(north, row[NORTH] + reach_n)
    return west, south, east, north


@kernel
def _near_zones(index: Index, west: float, south: float, east: float, north: float) -> Integers:
    """Return the zones whose hazard box meets a box: each once, in the first cell that both boxes share."""
    found = np.empty(index.boxes.shape[0], dtype=np.int64)
    count = 0
    boxes, origin, size, cells = index.boxes, index.grid_origin_m, index.cell_size_m, index.cells
    c0, c1, r0, r1 = cell_range(west, south, east, north, origin, size, cells)
    for row in range(r0, r1 + 1):
        for column in range(c0, c1 + 1):
            cell = row * cells[0] + column
            for k in range(index.cell_start[cell], index.cell_start[cell + 1]):
                i = index.cell_items[k]
                box = boxes[i]
                if box[0] > east or box[2] < west or box[1] > north or box[3] < south:
                    continue
                own_c, _, own_r, _ = cell_range(box[0], box[1], box[2], box[3], origin, size, cells)
                if column == max(own_c, c0) and row == max(own_r, r0):
                    found[count] = i
                    count += 1
    return found[:count]


@kernel
def assess(
    index: Index, gaussians: Floats, projectile: float, east_m: float, north_m: float, zone_min: float, hour: int = 0
) -> Floats:
    """Return the findings (k, 6) of one impact: a row for each asset, then for each zone from `zone_min` up.

    `gaussians` (n, 6): weight (they sum to 1), east, north, covariance ee, en, nn.  `projectile` is the probability
    that it is one; probabilities and expected people include it, clearances do not.
    """
    components = np.empty((gaussians.shape[0], 12))
    for i in range(gaussians.shape[0]):
        g = gaussians[i]
        fill_component(components[i], g[0], g[1], g[2], g[3], g[4], g[5])
    west, south, east, north = _box_of(components)
    zones = _near_zones(index, west, south, east, north)
    findings = np.empty((index.assets + zones.shape[0], FINDING_SIZE))
    for i in range(index.assets):
        _assess_asset(index, components, i, projectile, east_m, north_m, findings[i])
    count = index.assets
    integrals = np.empty(3)
    for i in zones:
        _integrals(index, components, i, zone_min / max(projectile, 1e-12), integrals)
        if integrals[0] * projectile < zone_min:
            continue
        _assess_zone(index, components, i, projectile, east_m, north_m, hour, integrals, findings[count])
        count += 1
    return findings[:count]


@kernel
def _assess_asset(
    index: Index, components: Floats, i: int, projectile: float, east_m: float, north_m: float, row: Floats
) -> None:
    ring = index.rings[index.ring_start[i] : index.ring_start[i + 1]]
    pieces = index.outlines[index.outline_start[i] : index.outline_start[i + 1]]
    hull = index.hulls[index.hull_start[i] : index.hull_start[i + 1]]
    distance, _, _ = signed_distance(ring, east_m, north_m)
    row[PLACE], row[DISTANCE_M], row[EXPOSED], row[CASUALTIES] = i, max(distance, 0.0), 0.0, 0.0
    row[PROBABILITY] = hazard_probability(components, ring, pieces, index.hazard_radius_m) * projectile
    row[CLEARANCE_M] = hull_clearance(components, hull, line_clearance(components, ring, east_m, north_m))


@kernel
def _assess_zone(
    index: Index,
    components: Floats,
    i: int,
    projectile: float,
    east_m: float,
    north_m: float,
    hour: int,
    integrals: Floats,
    row: Floats,
) -> None:
    """Write the finding of one zone.

    Exposed are density times the expected area of zone and hazard disc in common; casualties density times the lethal
    area and the share in the open.  Nobody is counted more often than the zone is touched at all.
    """
    ring = index.rings[index.ring_start[i] : index.ring_start[i + 1]]
    distance, near_e, near_n = signed_distance(ring, east_m, north_m)
    row[PLACE], row[PROBABILITY], row[DISTANCE_M] = i, integrals[0] * projectile, max(distance, 0.0)
    row[CLEARANCE_M] = 0.0
    if distance > 0.0:
        row[CLEARANCE_M] = zone_clearance(components, ring, (east_m - near_e) / distance, (north_m - near_n) / distance)
    people, vulnerable = index.people[hour, i], index.vulnerable[hour, i]
    most = people * integrals[0] * projectile
    row[EXPOSED], row[CASUALTIES] = most, most * vulnerable
    if index.areas_m2[i] > 0.0:
        density = people / index.areas_m2[i] * projectile
        radius = index.hazard_radius_m
        row[EXPOSED] = min(density * math.pi * radius * radius * integrals[1], most)
        harmed = density * vulnerable * 2.0 * math.pi * index.kernel_m2 * integrals[2]
        row[CASUALTIES] = min(harmed, most * vulnerable)
