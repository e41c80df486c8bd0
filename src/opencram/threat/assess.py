"""Impacts against all places: probability, distance, clearance and people, compiled.

A zone is found through the cells of the index: of each row of cells those that the ellipses reach in which the zone
could come up to the floor.  Of what is found a bound on the zone's own box, and no integral, leaves out the most.
"""

import math

import numpy as np

from opencram.kernel import helper, kernel
from opencram.threat.arrays import Floats, Integers
from opencram.threat.clearance import hull_clearance, line_clearance, mixture_inside, signed_distance, zone_clearance
from opencram.threat.cubature import RATIO_MAX, grid_integrals
from opencram.threat.gaussian import (
    COMPONENT_SIZE,
    EAST,
    EE,
    EN,
    NN,
    NORTH,
    STD_MAX,
    STD_MIN,
    W_XE,
    W_XN,
    W_YE,
    W_YN,
    WEIGHT,
    fill_component,
    probability_inside,
    ring_integral,
)
from opencram.threat.index import (
    AREA_M2,
    ASSETS,
    CELL_E,
    CELL_N,
    COLUMNS,
    DENSE_M2,
    HULL,
    KERNEL_M2,
    LARGE,
    NUMBER,
    ORIGIN_E,
    ORIGIN_N,
    OUTLINE,
    RADIUS,
    RANK,
    REACH_E,
    REACH_N,
    RING,
    ROWS,
    Index,
)

_NEGLIGIBLE_STD = 5.0  # a component whose every point of a zone is further out holds under 4e-6 of it
_ALIKE = 0.005  # two widenings that differ by less of the whole are done as one: the answer moves by under 1 %
_POSITION_M_MAX = 1e9
_VARIANCE_M2_MAX = 1e14
_WEIGHT_MAX = 1e6

# Columns of a finding.
PLACE, PROBABILITY, DISTANCE_M, CLEARANCE_M, EXPOSED, CASUALTIES = range(6)
FINDING_SIZE = 6
# What an impact is: a row of `heads`, and its rows of `parts` (weight, east, north, covariance ee, en, nn).
HEAD_PROJECTILE, HEAD_EAST, HEAD_NORTH, HEAD_EE, HEAD_EN, HEAD_NN, HEAD_HOUR = range(7)
HEAD_SIZE = 7
PART_SIZE = 6
# What is told of an impact as a whole.
TOLD_COMPONENTS, TOLD_END, TOLD_EXPOSED, TOLD_CASUALTIES, TOLD_STD_M = range(5)
TOLD_SIZE = 5


@helper
def _sane(ee: float, en: float, nn: float) -> bool:
    """Return whether three variances are numbers within bounds (a NaN is not)."""
    return abs(ee) <= _VARIANCE_M2_MAX and abs(en) <= _VARIANCE_M2_MAX and abs(nn) <= _VARIANCE_M2_MAX


@helper
def _on_earth(east: float, north: float) -> bool:
    return abs(east) <= _POSITION_M_MAX and abs(north) <= _POSITION_M_MAX


@kernel
def usable_parts(head: Floats, parts: Floats, usable: Floats) -> int:
    """Write into `usable` (n + 1, 6) the parts of an impact that mean something; return how many.

    A component without a usable covariance takes that of the whole impact; if no component is usable, the moments of
    the whole impact stand for them.
    """
    count = 0
    for i in range(parts.shape[0] + 1):
        if i == parts.shape[0]:
            if count > 0:
                break
            weight, east, north = 1.0, head[HEAD_EAST], head[HEAD_NORTH]
        else:
            weight, east, north = parts[i, 0], parts[i, 1], parts[i, 2]
        ee, en, nn = head[HEAD_EE], head[HEAD_EN], head[HEAD_NN]
        if i < parts.shape[0] and _sane(parts[i, 3], parts[i, 4], parts[i, 5]):
            ee, en, nn = parts[i, 3], parts[i, 4], parts[i, 5]
        if 0.0 < weight <= _WEIGHT_MAX and _on_earth(east, north) and _sane(ee, en, nn):
            row = usable[count]
            row[0], row[1], row[2], row[3], row[4], row[5] = weight, east, north, ee, en, nn
            count += 1
    return count


@kernel
def _by_size(keys: Floats, ranks: Integers, order: Integers, count: int) -> None:
    """Fill `order` with 0 to `count` − 1, the greatest key first, then the least rank (Shell's sort)."""
    for i in range(count):
        order[i] = i
    gap = count // 2
    while gap > 0:
        for i in range(gap, count):
            item = order[i]
            key, rank = keys[item], ranks[item]
            j = i - gap
            while j >= 0 and (keys[order[j]] < key or (keys[order[j]] == key and ranks[order[j]] > rank)):
                order[j + gap] = order[j]
                j -= gap
            order[j + gap] = item
        gap = gap // 2 if gap != 2 else 1


@kernel
def prepare(usable: Floats, order: Integers, components: Floats) -> tuple[float, float, float]:
    """Fill `components` from the first usable parts of `order`; return east and north of their mean, and a deviation.

    That is the deviation along the long axis of the covariance of all together.
    """
    whole, mean_e, mean_n = 0.0, 0.0, 0.0
    for i in range(components.shape[0]):
        part = usable[order[i]]
        whole, mean_e, mean_n = whole + part[0], mean_e + part[0] * part[1], mean_n + part[0] * part[2]
    mean_e, mean_n = mean_e / whole, mean_n / whole
    ee, en, nn = 0.0, 0.0, 0.0
    for i in range(components.shape[0]):
        part = usable[order[i]]
        weight, de, dn = part[0] / whole, part[1] - mean_e, part[2] - mean_n
        fill_component(components[i], weight, part[1], part[2], part[3], part[4], part[5])
        ee, en, nn = (
            ee + weight * (part[3] + de * de),
            en + weight * (part[4] + de * dn),
            nn + weight * (part[5] + dn * dn),
        )
    return mean_e, mean_n, math.sqrt(max(0.5 * (ee + nn) + math.hypot(0.5 * (ee - nn), en), 0.0))


@helper
def _square(components: Floats, c: int, west: float, south: float, east: float, north: float) -> float:
    """Return a number that the squared distance of a box from component `c`, in deviations, is not below."""
    de, dn = 0.5 * (west + east) - components[c, EAST], 0.5 * (south + north) - components[c, NORTH]
    he, hn = 0.5 * (east - west), 0.5 * (north - south)
    x = (
        abs(components[c, W_XE] * de + components[c, W_XN] * dn)
        - abs(components[c, W_XE]) * he
        - abs(components[c, W_XN]) * hn
    )
    y = (
        abs(components[c, W_YE] * de + components[c, W_YN] * dn)
        - abs(components[c, W_YE]) * he
        - abs(components[c, W_YN]) * hn
    )
    square: float = max(x, 0.0) ** 2 + max(y, 0.0) ** 2
    return square


@helper
def _bound(components: Floats, c: int, west: float, south: float, east: float, north: float) -> float:
    """Return a number that component `c`'s probability of a box cannot exceed: box area times greatest density."""
    square = _square(components, c, west, south, east, north)
    if square > _NEGLIGIBLE_STD * _NEGLIGIBLE_STD:
        return 0.0
    area = (east - west) * (north - south)
    share = min(area / (2.0 * math.pi * components[c, STD_MAX] * components[c, STD_MIN]), 1.0)
    bound: float = components[c, WEIGHT] * share * math.exp(-0.5 * square)
    return bound


@kernel
def _bounds(components: Floats, boxes: Floats, near: Integers, count: int, least: float) -> int:
    """Keep in `near` those of its first `count` places that may come up to `least`; return how many."""
    kept = 0
    for k in range(count):
        i = near[k]
        bound = 0.0
        for c in range(components.shape[0]):
            bound += _bound(components, c, boxes[i, 0], boxes[i, 1], boxes[i, 2], boxes[i, 3])
        near[kept] = i
        kept += bound >= least and bound > 0.0
    return kept


@kernel
def _exact(
    row: Floats, rings: Floats, pieces: Floats, span: Integers, scales: Floats, least: float, out: Floats
) -> None:
    """Add to `out` what one component gives, exactly but for the disc.

    That is stood for by a Gaussian of its second moments (radius²/4 on each axis).
    """
    radius = scales[RADIUS]
    probability = row[WEIGHT] * probability_inside(row, pieces[span[OUTLINE] : span[OUTLINE + 1]], radius, 0.0)
    out[0] += probability
    if probability <= 0.1 * least:
        return
    ring, covered, variance = rings[span[RING] : span[RING + 1]], 0.0, 0.25 * radius * radius
    for k in range(1, 3):
        if k == 1 or abs(variance - scales[KERNEL_M2]) >= _ALIKE * (row[STD_MIN] * row[STD_MIN] + variance):
            variance = variance if k == 1 else scales[KERNEL_M2]
            covered = ring_integral(ring, row[EAST], row[NORTH], row[EE] + variance, row[EN], row[NN] + variance)
        out[k] += row[WEIGHT] * covered


@helper
def _integrals(
    components: Floats,
    rings: Floats,
    pieces: Floats,
    weights: Floats,
    spans: Integers,
    boxes: Floats,
    i: int,
    scales: Floats,
    least: float,
    out: Floats,
) -> None:
    """Fill `out` for zone `i`: probability of the hazard area, of the disc's cover, and of the harm kernel's.

    A component that is wide for the zone is integrated by the zone's own few points (`cubature`), the others exactly.
    """
    out[0], out[1], out[2] = 0.0, 0.0, 0.0
    east, north = boxes[i, 2] - boxes[i, 0], boxes[i, 3] - boxes[i, 1]
    std_wide = 0.5 * math.sqrt(east * east + north * north) / RATIO_MAX
    for c in range(components.shape[0]):
        square = _square(components, c, boxes[i, 0], boxes[i, 1], boxes[i, 2], boxes[i, 3])
        if square > _NEGLIGIBLE_STD * _NEGLIGIBLE_STD:
            continue
        if std_wide <= components[c, STD_MIN]:
            grid_integrals(components, c, boxes, weights, i, out)
        else:
            _exact(components[c], rings, pieces, spans[i], scales, least, out)
    out[0] = min(out[0], 1.0)


@kernel
def _reached(components: Floats, squares: Floats, south: float, north: float) -> tuple[float, float]:
    """Return from where to where, west to east, the ellipses reach between two norths.

    `squares`: how far, in squared deviations, each ellipse reaches; negative: nowhere.
    """
    west, east = np.inf, -np.inf
    for c in range(components.shape[0]):
        if squares[c] < 0.0:
            continue
        top = math.sqrt(squares[c] * components[c, NN])
        low, high = max(south - components[c, NORTH], -top), min(north - components[c, NORTH], top)
        if low > high:
            continue
        # The ellipse is widest where its tangent runs north: from there its sides only come in.
        lean = components[c, EN] / components[c, NN]
        across = max(components[c, EE] - components[c, EN] * lean, 0.0)
        turn = components[c, EN] * math.sqrt(squares[c] / components[c, EE])
        dn = min(max(turn, low), high)
        east = max(
            east,
            components[c, EAST] + lean * dn + math.sqrt(max(squares[c] - dn * dn / components[c, NN], 0.0) * across),
        )
        dn = min(max(-turn, low), high)
        west = min(
            west,
            components[c, EAST] + lean * dn - math.sqrt(max(squares[c] - dn * dn / components[c, NN], 0.0) * across),
        )
    return west, east


@helper
def _cell(position: float, origin: float, size: float, cells: int) -> int:
    """Return the number of the cell that holds a position along one axis; the outermost reach to infinity."""
    return int(min(max(math.floor((position - origin) / size), 0.0), cells - 1.0))


@kernel
def _near_zones(
    components: Floats, scales: Floats, sizes: Integers, cell_start: Integers, least: float, found: Integers
) -> int:
    """Write into `found` the places (in the order of the index) that may come up to `least`; return how many."""
    count = 0
    for i in range(sizes[ASSETS], sizes[ASSETS] + sizes[LARGE]):
        found[count] = i
        count += 1
    if cell_start.shape[0] <= 1:
        return count
    n = components.shape[0]
    squares = np.empty(n)
    south, north = np.inf, -np.inf
    for c in range(n):
        row = components[c]
        share = min(scales[DENSE_M2] / (2.0 * math.pi * row[STD_MAX] * row[STD_MIN]), 1.0) * row[WEIGHT] * n
        square = _NEGLIGIBLE_STD * _NEGLIGIBLE_STD
        if share < least:
            square = -1.0
        elif least > 0.0:
            square = min(2.0 * math.log(share / least), square)
        squares[c] = square
        if square >= 0.0:
            reach = math.sqrt(square * row[NN]) + scales[REACH_N]
            south, north = min(south, row[NORTH] - reach), max(north, row[NORTH] + reach)
    if south > north:
        return count
    first = _cell(south, scales[ORIGIN_N], scales[CELL_N], sizes[ROWS])
    last = _cell(north, scales[ORIGIN_N], scales[CELL_N], sizes[ROWS])
    for line in range(first, last + 1):
        low = scales[ORIGIN_N] + line * scales[CELL_N] - scales[REACH_N]
        high = low + scales[CELL_N] + 2.0 * scales[REACH_N]
        west, east = _reached(components, squares, low, high)
        if west > east:
            continue
        column_0 = _cell(west - scales[REACH_E], scales[ORIGIN_E], scales[CELL_E], sizes[COLUMNS])
        column_1 = _cell(east + scales[REACH_E], scales[ORIGIN_E], scales[CELL_E], sizes[COLUMNS])
        cell = line * sizes[COLUMNS]
        for i in range(cell_start[cell + column_0], cell_start[cell + column_1 + 1]):
            found[count] = i
            count += 1
    return count


@kernel
def _assess_assets(
    components: Floats,
    rings: Floats,
    pieces: Floats,
    spans: Integers,
    scales: Floats,
    projectile: float,
    east_m: float,
    north_m: float,
    found: Floats,
) -> None:
    """Fill `found` (6, …) with the finding of each of `spans`, which are assets."""
    for i in range(spans.shape[0]):
        span = spans[i]
        ring = rings[span[RING] : span[RING + 1]]
        distance, near_e, near_n = signed_distance(ring, east_m, north_m)
        inside = mixture_inside(components, pieces[span[OUTLINE] : span[OUTLINE + 1]], scales[RADIUS], 0.0)
        at_least = line_clearance(components, ring, east_m, north_m, distance, near_e, near_n)
        found[PLACE, i], found[PROBABILITY, i], found[DISTANCE_M, i] = (
            span[NUMBER],
            inside * projectile,
            max(distance, 0),
        )
        found[CLEARANCE_M, i] = hull_clearance(components, pieces[span[HULL] : span[HULL + 1]], at_least)
        found[EXPOSED, i], found[CASUALTIES, i] = 0.0, 0.0


@kernel
def assess_impacts(
    rings: Floats,
    pieces: Floats,
    weights: Floats,
    spans: Integers,
    boxes: Floats,
    people: Floats,
    scales: Floats,
    sizes: Integers,
    cell_start: Integers,
    heads: Floats,
    parts: Floats,
    part_start: Integers,
    limits: Floats,
    found: Floats,
    told: Floats,
) -> None:
    """Fill `found` (6, capacity) with the findings of impacts, one after the other, and `told` (n, 5) with the rest.

    The first nine are those of the index.  The findings of an impact: assets in config order, then zones from the
    floor up, most probable first, then by id.  `limits`: the floor of a zone, and how many components are used at most.
    """
    places, assets = spans.shape[0], sizes[ASSETS]
    most = max(places, parts.shape[0] + 1)
    near, order, ranks = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    rough, sums = np.empty((places, FINDING_SIZE)), np.empty(3)
    end = 0
    for one in range(heads.shape[0]):
        head, own = heads[one], parts[part_start[one] : part_start[one + 1]]
        usable = np.empty((own.shape[0] + 1, PART_SIZE))
        count = usable_parts(head, own, usable)
        told[one, TOLD_COMPONENTS], told[one, TOLD_END] = count, end
        if count == 0:
            continue
        for k in range(count):
            order[k] = ranks[k] = k
        if count > limits[1]:
            _by_size(usable[:, 0], ranks, order, count)
        components = np.empty((min(count, int(limits[1])), COMPONENT_SIZE))
        east_m, north_m, told[one, TOLD_STD_M] = prepare(usable, order, components)
        if _on_earth(head[HEAD_EAST], head[HEAD_NORTH]):
            east_m, north_m = head[HEAD_EAST], head[HEAD_NORTH]
        projectile = 1.0  # not known: the safe side
        if abs(head[HEAD_PROJECTILE]) < np.inf:
            projectile = min(max(head[HEAD_PROJECTILE], 0.0), 1.0)
        _assess_assets(components, rings, pieces, spans[:assets], scales, projectile, east_m, north_m, found[:, end:])
        least = limits[0] / max(projectile, 1e-12)
        listed, exposed, casualties = 0 * count, 0.0, 0.0  # a mere 0 has a type of its own, and sorts compiled anew
        count = _near_zones(components, scales, sizes, cell_start, least, near)
        for k in range(_bounds(components, boxes, near, count, least)):
            i = near[k]
            _integrals(components, rings, pieces, weights, spans, boxes, i, scales, least, sums)
            if sums[0] * projectile >= limits[0]:
                ring, hour = rings[spans[i, RING] : spans[i, RING + 1]], int(head[HEAD_HOUR])
                rough[listed, PLACE], ranks[listed] = spans[i, NUMBER], spans[i, RANK]
                there = people[hour, i]
                _assess_zone(
                    components, ring, boxes[i, AREA_M2], there, scales, projectile, east_m, north_m, sums, rough, listed
                )
                exposed, casualties = exposed + rough[listed, EXPOSED], casualties + rough[listed, CASUALTIES]
                listed += 1
        end += assets
        _by_size(rough[:, PROBABILITY], ranks, order, listed)
        for k in range(listed):
            for column in range(FINDING_SIZE):
                found[column, end] = rough[order[k], column]
            end += 1
        told[one, TOLD_END], told[one, TOLD_EXPOSED], told[one, TOLD_CASUALTIES] = end, exposed, casualties


@kernel
def _assess_zone(
    components: Floats,
    ring: Floats,
    area_m2: float,
    people: Floats,
    scales: Floats,
    projectile: float,
    east_m: float,
    north_m: float,
    integrals: Floats,
    rough: Floats,
    listed: int,
) -> None:
    """Write the finding of one zone into a row of `rough`.

    Exposed are density times the expected area of zone and hazard disc in common; casualties density times the lethal
    area and the share in the open.  Nobody is counted more often than the zone is touched at all.
    """
    distance, near_e, near_n = signed_distance(ring, east_m, north_m)
    rough[listed, PROBABILITY], rough[listed, DISTANCE_M] = integrals[0] * projectile, max(distance, 0.0)
    rough[listed, CLEARANCE_M] = 0.0
    if distance > 0.0:
        rough[listed, CLEARANCE_M] = zone_clearance(
            components, ring, (east_m - near_e) / distance, (north_m - near_n) / distance
        )
    most = people[0] * integrals[0] * projectile
    rough[listed, EXPOSED], rough[listed, CASUALTIES] = most, most * people[1]
    if area_m2 > 0.0:
        density = people[0] / area_m2 * projectile
        radius = scales[RADIUS]
        rough[listed, EXPOSED] = min(density * math.pi * radius * radius * integrals[1], most)
        harmed = density * people[1] * 2.0 * math.pi * scales[KERNEL_M2] * integrals[2]
        rough[listed, CASUALTIES] = min(harmed, most * people[1])


def assess(
    index: Index, gaussians: Floats, projectile: float, east_m: float, north_m: float, zone_min: float, hour: int = 0
) -> Floats:
    """Return the findings (k, 6) of one impact: a row for each asset, then for each zone from `zone_min` up.

    `gaussians` (n, 6): weight, east, north, covariance ee, en, nn.  `projectile` is the probability that it is one;
    probabilities and expected people include it, clearances do not.
    """
    heads = np.array([[projectile, east_m, north_m, 0.0, 0.0, 0.0, float(hour)]])
    found, told = np.empty((FINDING_SIZE, len(index.spans))), np.empty((1, TOLD_SIZE))
    limits = np.array([zone_min, float(len(gaussians))])
    part_start = np.array([0, len(gaussians)])
    assess_impacts(*index, heads, np.ascontiguousarray(gaussians), part_start, limits, found, told)
    return np.ascontiguousarray(found[:, : int(told[0, TOLD_END])].T)
