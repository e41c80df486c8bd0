"""The probability of a small zone in a wide ellipse, by a few values of the density: as good as exact, and quick.

Where an ellipse is wide for a zone, its density over the zone is nearly a polynomial.  So each zone gets, once, the
weights of a `SIDE` × `SIDE` grid over the box of its hazard outline that integrate every polynomial up to `DEGREE`
exactly, three times over the same points: for the hazard area, for the area that the hazard disc covers of the zone
(people exposed), and for the same with the harm of each metre from the impact (casualties).  On an even grid the
density is had from its neighbour by two products, so that a whole grid costs a handful of exponentials.

Error, for `ratio` = half the diagonal of the box over the shorter deviation: Cramér's bound on Hermite functions
gives, by Taylor's remainder, at most 1.09 ratioⁿ⁺¹ / √(n+1)! of the greatest density times (area + Σ|weights|) for
degree n; measured up to `RATIO_MAX`, under 2e-4 of probability and mostly under 1e-5, and up to `SMALL_RATIO_MAX` with
the small grid under 1e-4 (tests/threat/test_cubature.py).
Source: moments by Green's theorem; Cramér's inequality, Abramowitz and Stegun 1964, 22.14.17.
"""

import math

import numpy as np

from opencram.kernel import helper
from opencram.threat.arrays import Floats
from opencram.threat.dilation import KIND, LINE
from opencram.threat.gaussian import EAST, NORTH, STD_MAX, STD_MIN, W_XE, W_XN, W_YE, W_YN, WEIGHT

DEGREE = 8
SIDE = 9
RATIO_MAX = 2.6
# Where the ellipse is wider still, a smaller grid and degree do.
SMALL_DEGREE = 4
SMALL_SIDE = 5
SMALL_RATIO_MAX = 1.2
SMALL_POINTS = SMALL_SIDE * SMALL_SIDE
POINTS = SMALL_POINTS + SIDE * SIDE  # of both, one after the other
_SPAN = 0.95  # the grid reaches so far towards the edges of the box
_ARC_PANEL_RAD = 0.4
_CHUNK = 512  # places whose weights are made at once
# Columns of a zone's weights.
HAZARD, COVERED, HARMED = range(3)

_NODES = np.polynomial.legendre.leggauss(7)[0]
_WEIGHTS = np.polynomial.legendre.leggauss(7)[1]


def _exponents(degree: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]


def _from_moments(side: int, degree: int) -> Floats:
    """Return the matrix (points, monomials) from moments over the unit box to the least weights that have them."""
    axis = np.linspace(-_SPAN, _SPAN, side)
    u, v = (grid.ravel() for grid in np.meshgrid(axis, axis, indexing="ij"))
    powers = np.stack([u**i * v**j for i, j in _exponents(degree)])
    return np.ascontiguousarray(np.linalg.pinv(powers))


_GRIDS = tuple((_exponents(n), _from_moments(side, n)) for side, n in ((SMALL_SIDE, SMALL_DEGREE), (SIDE, DEGREE)))
_BINOMIAL = np.array([[float(math.comb(n, k)) for k in range(DEGREE + 1)] for n in range(DEGREE + 1)])


def all_weights(rings: list[Floats], outlines: list[Floats], boxes: Floats, radius_m: float, kernel_m: float) -> Floats:
    """Return the weights (places, points, 3) of every place: of hazard area, disc's cover, and harm."""
    weights = np.empty((len(rings), POINTS, 3))
    for first in range(0, len(rings), _CHUNK):
        some = slice(first, first + _CHUNK)
        unit = 2.0 / (boxes[some, 2:4] - boxes[some, :2])
        own = moments_of([_edges(ring) for ring in rings[some]], radius_m, boxes[some])
        weights[some, :, HAZARD] = weights_of(moments_of(outlines[some], radius_m, boxes[some]))
        weights[some, :, COVERED] = weights_of(spread_moments(own, radius_m * unit, disc_moments()))
        weights[some, :, HARMED] = weights_of(spread_moments(own, kernel_m * unit, gaussian_moments()))
    return weights


def _edges(ring: Floats) -> Floats:
    return np.column_stack((np.roll(ring, 1, axis=0), ring, np.full(len(ring), LINE)))


def moments_of(outlines: list[Floats], radius_m: float, boxes: Floats) -> Floats:
    """Return the moments ∬ uⁱ vʲ du dv (places, DEGREE + 1, DEGREE + 1) of outlines, by their boxes."""
    pieces = np.concatenate(outlines)
    owner = np.repeat(np.arange(len(outlines)), [len(each) for each in outlines])
    turn = pieces[:, 3] - pieces[:, 2]
    arcs = pieces[:, KIND] != LINE
    panels = np.where(arcs, np.maximum(np.ceil(turn / _ARC_PANEL_RAD), 1.0), 1.0).astype(np.int64)
    row = np.repeat(np.arange(len(pieces)), panels)
    panel = np.arange(len(row)) - np.repeat(np.cumsum(panels) - panels, panels)
    t = (panel[:, None] + 0.5 * (1.0 + _NODES)) / panels[row, None]
    weight = 0.5 * _WEIGHTS / panels[row, None]
    piece, arc = pieces[row, :, None], arcs[row, None]
    angle = np.where(arc, piece[:, 2] + t * (piece[:, 3] - piece[:, 2]), 0.0)
    east = piece[:, 0] + np.where(arc, radius_m * np.cos(angle), t * (piece[:, 2] - piece[:, 0]))
    north = piece[:, 1] + np.where(arc, radius_m * np.sin(angle), t * (piece[:, 3] - piece[:, 1]))
    along = np.where(arc, radius_m * np.cos(angle) * (piece[:, 3] - piece[:, 2]), piece[:, 3] - piece[:, 1])
    box = boxes[owner[row], :, None]
    half_e, half_n = 0.5 * (box[:, 2] - box[:, 0]), 0.5 * (box[:, 3] - box[:, 1])
    u, v = (east - 0.5 * (box[:, 0] + box[:, 2])) / half_e, (north - 0.5 * (box[:, 1] + box[:, 3])) / half_n
    starts = np.searchsorted(owner[row], np.arange(len(outlines)))
    moments = np.zeros((len(outlines), DEGREE + 1, DEGREE + 1))
    up = u * along / half_n * weight
    for i in range(DEGREE + 1):
        term = up / (i + 1.0)
        for j in range(DEGREE + 1 - i):
            moments[:, i, j] = np.add.reduceat(term.sum(axis=1), starts)
            term = term * v
        up = up * u
    return moments


def spread_moments(moments: Floats, scales: Floats, radial: Floats) -> Floats:
    """Return the moments of regions after every point of them was spread by a round kernel.

    `scales` (places, 2): of the kernel in the units of the box; `radial[a, b]`: its moments E[xᵃ yᵇ].
    """
    out = np.zeros_like(moments)
    powers = scales[:, None, :] ** np.arange(DEGREE + 1.0)[:, None]
    for i, j in _exponents(DEGREE):
        for a in range(0, i + 1, 2):
            for b in range(0, j + 1, 2):
                part = _BINOMIAL[i, a] * _BINOMIAL[j, b] * radial[a, b] * powers[:, a, 0] * powers[:, b, 1]
                out[:, i, j] += part * moments[:, i - a, j - b]
    return out


def weights_of(moments: Floats) -> Floats:
    """Return the weights (places, points) of both grids, for an integral in the units of the box."""
    found = []
    for exponents, from_moments in _GRIDS:
        rows, columns = np.array(exponents).T
        found.append(moments[:, rows, columns] @ from_moments.T)
    return np.concatenate(found, axis=1)


def disc_moments() -> Floats:
    """Return E[xᵃ yᵇ] of a point evenly spread over the unit disc."""
    return _radial_moments(lambda n: 2.0 / (n + 2.0))


def gaussian_moments() -> Floats:
    """Return E[xᵃ yᵇ] of two standard normal numbers."""
    return _radial_moments(lambda n: 2.0 ** (n / 2.0) * math.gamma(n / 2.0 + 1.0))


def _radial_moments(of_radius) -> Floats:  # type: ignore[no-untyped-def]
    """Return E[xᵃ yᵇ] of a round kernel whose radius has the moments `of_radius(n)`; odd ones are none."""
    table = np.zeros((DEGREE + 1, DEGREE + 1))
    for a in range(0, DEGREE + 1, 2):
        for b in range(0, DEGREE + 1 - a, 2):
            turn = math.gamma((a + 1) / 2) * math.gamma((b + 1) / 2) / (math.pi * math.gamma((a + b) / 2 + 1))
            table[a, b] = of_radius(a + b) * turn
    return table


@helper
def grid_integrals(components: Floats, c: int, boxes: Floats, weights: Floats, i: int, out: Floats) -> None:
    """Add to `out` what component `c` gives by each column of the weights of place `i` over the grid of its box."""
    east, north = boxes[i, 2] - boxes[i, 0], boxes[i, 3] - boxes[i, 1]
    widest = 2.0 * SMALL_RATIO_MAX * components[c, STD_MIN]
    if east * east + north * north <= widest * widest:  # the size of a grid stands as a number: its loops unroll
        _sum_over(components, c, boxes, weights, i, SMALL_SIDE, 0, out)
    else:
        _sum_over(components, c, boxes, weights, i, SIDE, SMALL_POINTS, out)


@helper
def _sum_over(
    components: Floats, c: int, boxes: Floats, weights: Floats, i: int, side: int, first_point: int, out: Floats
) -> None:
    """Add to `out` the sums over the grid of `side` × `side` points whose weights begin at `first_point`."""
    east, north = boxes[i, 2] - boxes[i, 0], boxes[i, 3] - boxes[i, 1]
    ce, cn = (
        0.5 * (boxes[i, 0] + boxes[i, 2]) - components[c, EAST],
        0.5 * (boxes[i, 1] + boxes[i, 3]) - components[c, NORTH],
    )
    he, hn = 0.5 * _SPAN * east, 0.5 * _SPAN * north
    step_e, step_n = 2.0 * he / (side - 1), 2.0 * hn / (side - 1)
    # −½ (point)ᵀ Q (point): along one row of the grid the logarithm is a parabola, so the ratio of neighbours
    # changes by one constant factor.
    ee = components[c, W_XE] * components[c, W_XE] + components[c, W_YE] * components[c, W_YE]
    en = components[c, W_XE] * components[c, W_XN] + components[c, W_YE] * components[c, W_YN]
    nn = components[c, W_XN] * components[c, W_XN] + components[c, W_YN] * components[c, W_YN]
    bend = math.exp(-nn * step_n * step_n)
    cross = math.exp(-en * step_e * step_n)
    n0 = cn - hn
    e = ce - he
    ratio_0 = math.exp(-step_n * (en * e + nn * n0) - 0.5 * nn * step_n * step_n)
    first = math.exp(-0.5 * (ee * e * e + 2.0 * en * e * n0 + nn * n0 * n0))
    first_ratio = math.exp(-step_e * (ee * e + en * n0) - 0.5 * ee * step_e * step_e)
    first_bend = math.exp(-ee * step_e * step_e)
    hazard, covered, harmed = 0.0, 0.0, 0.0
    k = np.int64(first_point)
    for _ in range(side):
        value, ratio = first, ratio_0
        row_hazard, row_covered, row_harmed = 0.0, 0.0, 0.0  # rows do not wait for each other
        for _ in range(side):
            row_hazard += weights[i, k, HAZARD] * value
            row_covered += weights[i, k, COVERED] * value
            row_harmed += weights[i, k, HARMED] * value
            value *= ratio
            ratio *= bend
            k += 1
        hazard, covered, harmed = hazard + row_hazard, covered + row_covered, harmed + row_harmed
        first *= first_ratio
        first_ratio *= first_bend
        ratio_0 *= cross
    scale = components[c, WEIGHT] * east * north / (8.0 * math.pi * components[c, STD_MAX] * components[c, STD_MIN])
    out[HAZARD] += scale * max(hazard, 0.0)
    out[COVERED] += scale * max(covered, 0.0)
    out[HARMED] += scale * max(harmed, 0.0)
