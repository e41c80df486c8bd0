"""How far from a place a round lands, and beyond which distance it lands nearly for sure."""

import math

import numpy as np

from opencram.kernel import helper, kernel
from opencram.threat.arrays import Floats
from opencram.threat.gaussian import (
    EAST,
    EE,
    EN,
    NN,
    NORTH,
    STD_MAX,
    WEIGHT,
    normal_cdf,
    probability_inside,
)

CLEARANCE_CONFIDENCE = 0.95
_MISS = 1.0 - CLEARANCE_CONFIDENCE
_Z_MISS = -1.6449  # its standard normal quantile
_SHARE, _LEAST_M = 0.005, 0.5  # an asset's clearance is found to the greater of these, and rounded down
_BISECTIONS = 24  # of a half plane's clearance, to a ten-millionth of the way


@kernel
def signed_distance(ring: Floats, east_m: float, north_m: float) -> tuple[float, float, float]:
    """Return the distance of a point from a ring (n, 2), negative inside it, and the nearest point of its edges.

    Inside is told by the number of edges that a ray to the east crosses.
    """
    inside, best, best_e, best_n = False, np.inf, 0.0, 0.0
    ae, an = ring[-1, 0], ring[-1, 1]
    for i in range(ring.shape[0]):
        be, bn = ring[i, 0], ring[i, 1]
        de, dn = be - ae, bn - an
        if (bn > north_m) != (an > north_m) and be + (north_m - bn) / (an - bn) * (ae - be) > east_m:
            inside = not inside
        squared = de * de + dn * dn
        t = 0.0
        if squared > 0.0:
            t = min(max(((east_m - ae) * de + (north_m - an) * dn) / squared, 0.0), 1.0)
        e, n = ae + t * de, an + t * dn
        square = (east_m - e) * (east_m - e) + (north_m - n) * (north_m - n)
        if square < best:
            best, best_e, best_n = square, e, n
        ae, an = be, bn
    distance = math.sqrt(best)
    return (-distance if inside else distance), best_e, best_n


@helper
def _std_along(row: Floats, ue: float, un: float) -> float:
    return math.sqrt(row[EE] * ue * ue + 2.0 * row[EN] * ue * un + row[NN] * un * un)


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
        high = max(high, row[EAST] * ue + row[NORTH] * un - support + 4.0 * _std_along(row, ue, un))
    low = 0.0
    for step in range(_BISECTIONS):
        d = low if step == 0 else 0.5 * (low + high)
        below = 0.0
        for i in range(components.shape[0]):
            row = components[i]
            std = _std_along(row, ue, un)
            below += row[WEIGHT] * normal_cdf((d + support - row[EAST] * ue - row[NORTH] * un) / std)
        if below <= _MISS:
            low = d
        elif step == 0:
            return 0.0
        else:
            high = d
    return low


@kernel
def line_clearance(
    components: Floats, ring: Floats, east_m: float, north_m: float, distance: float, near_e: float, near_n: float
) -> float:
    """Return a clearance (m) of the ring that is never overstated, from two half planes that hold the ring.

    One is square to the way from the ring to the mean impact (`east_m`, `north_m`; what `signed_distance` says of it
    is given as well), the other to that way as the ellipse of the heaviest component stretches it.  Close for a round
    far off in terms of its ellipse; understated, down to 0, where the ellipse is wider than the ring.
    """
    if distance <= 0.0:
        return 0.0
    best = _beyond_line(components, ring, (east_m - near_e) / distance, (north_m - near_n) / distance)
    heaviest = components[0]
    for i in range(1, components.shape[0]):
        if components[i, WEIGHT] > heaviest[WEIGHT]:
            heaviest = components[i]
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
        along = components[i, EAST] * ue + components[i, NORTH] * un
        variance = components[i, EE] * ue * ue + 2.0 * components[i, EN] * ue * un + components[i, NN] * un * un
        clearance = min(clearance, along - support + _Z_MISS * math.sqrt(variance))
    return max(clearance, 0.0)


@kernel
def mixture_inside(components: Floats, pieces: Floats, radius_m: float, set_off_m: float) -> float:
    """Return the probability of the mixture inside an outline (`gaussian.probability_inside`)."""
    total = 0.0
    for i in range(components.shape[0]):
        total += components[i, WEIGHT] * probability_inside(components[i], pieces, radius_m, set_off_m)
    return min(total, 1.0)


@helper
def _quantile(probability: float) -> float:
    """Return about the standard normal quantile of a probability.  Source: Winitzki 2008, error under 0.005."""
    p = min(max(probability, 1e-14), 1.0 - 1e-14)
    log = math.log(4.0 * p * (1.0 - p))
    t = 4.3307 + 0.5 * log
    z = math.sqrt(2.0 * (math.sqrt(t * t - 6.8027 * log) - t))
    return -z if p < 0.5 else z


@kernel
def hull_clearance(components: Floats, hull: Floats, at_least_m: float) -> float:
    """Return the clearance (m) of a convex ring, at least `at_least_m` (which must be no overstatement).

    `hull`: its outline of radius 0 (`dilation.convex_outlines`).  Exact but for rounding down by 0.5 m or 0.5 %; of a
    ring that is not convex the hull's, which is no more.  The distance is bracketed, and sought by the secant through
    the normal quantiles of both ends, kept so far from them that the next look may close the bracket.
    """
    low = at_least_m
    at = low + max(_LEAST_M, _SHARE * low)
    p = mixture_inside(components, hull, at, at)
    if p > _MISS:
        return low
    low, z_low, high, z_high = at, _quantile(p), np.inf, 0.0
    widest = 0.0
    for i in range(components.shape[0]):
        widest = max(widest, components[i, STD_MAX])
    step = max((_Z_MISS - z_low) * widest, 1.0)
    for k in range(100):
        tolerance = max(_LEAST_M, _SHARE * low)
        if high - low <= tolerance:
            break
        if high == np.inf:
            at = low + step
            step *= 2.0
        else:
            at = low + (high - low) * (_Z_MISS - z_low) / max(z_high - z_low, 1e-9)
            if k % 4 == 3 or high - low < 1.8 * tolerance:
                at = 0.5 * (low + high)
            at = min(max(at, low + 0.9 * tolerance), high - 0.9 * tolerance) if high - low >= 1.8 * tolerance else at
        p = mixture_inside(components, hull, at, at)
        if p > _MISS:
            high, z_high = at, _quantile(p)
        else:
            low, z_low = at, _quantile(p)
    return low
