"""Probability of a plane Gaussian over regions bounded by straight lines and circular arcs.

With the Gaussian whitened (mean at the origin, unit covariance), Green's theorem turns the integral over a
region into one along its boundary, walked with the inside on the left:

    ∬ φ(x) φ(y) dx dy = ∮ g(x² + y²) (x dy − y dx) / 2π,    g(s) = (1 − exp(−s/2)) / s

so a region is a bag of boundary pieces, in any order.  The integrand turns with the frame: along a straight line that
passes the origin at a distance h it depends on h and the place q along it alone, and its integral from the foot,
V(h, q), the Gaussian over a right triangle, stands in a table.  A line costs two looks into it, however long it
is; an arc is Gauss-Legendre on panels at most two deviations long.  What is further out than `FAR` deviations adds the
angle under which it is seen, over 2π: there g is 1/s.

Error: under 1e-7 of probability (tests/threat/test_gaussian.py, against dense quadrature).
Source: Green's theorem; V is Nicholson's function, Abramowitz and Stegun 1964, 26.3.23 (over right triangles);
nodes and weights of Gauss-Legendre, table 25.4.
"""

import math

import numpy as np

from opencram.kernel import helper, kernel
from opencram.threat.arrays import Floats
from opencram.threat.dilation import KIND, LINE

FAR = 6.5  # deviations; what lies beyond holds less than 1e-10 of a Gaussian
STD_M_MIN = 0.05  # a sharper Gaussian is widened to this: a point mass is inside or outside

_SQRT_HALF = math.sqrt(0.5)
_PHI_0 = 1.0 / math.sqrt(2.0 * math.pi)
_SHARE = 1.0 / (2.0 * math.pi)
_HALVINGS_MAX = 60  # of an arc: by then its parts are shorter than rounding

# Nodes (the positive half) and weights of Gauss-Legendre: four, for panels up to `_HALF_SHORT` deviations to either
# side, then six.
_NODES, _WEIGHTS = (np.concatenate([np.polynomial.legendre.leggauss(n)[k][n // 2 :] for n in (4, 6)]) for k in (0, 1))
_HALF_SHORT = 0.5

# A prepared component of the mixture: one row of floats.
WEIGHT, EAST, NORTH, W_XE, W_XN, W_YE, W_YN, STD_MAX, STD_MIN, EE, EN, NN = range(12)
COMPONENT_SIZE = 12


# Φ and its slope at steps of 1/32 from −FAR to FAR, for cubic Hermite interpolation.
_STEPS = 32
_AT = np.arange(-round(FAR * _STEPS), round(FAR * _STEPS) + 2) / _STEPS
_CDF = np.array([0.5 * math.erfc(-x * _SQRT_HALF) for x in _AT])
_SLOPE = _PHI_0 * np.exp(-0.5 * _AT * _AT) / _STEPS


@helper
def normal_cdf(x: float) -> float:
    """Return the probability that a standard normal number is below `x`; error under 4e-9."""
    at = (min(max(x, -FAR), FAR) + FAR) * _STEPS
    k = int(at)
    t = at - k
    rest = 1.0 - t
    begin, end = _CDF[k], _CDF[k + 1]
    curve = rest * (_SLOPE[k] - (end - begin)) - t * (_SLOPE[k + 1] - (end - begin))
    value: float = begin + t * (end - begin) + t * rest * curve
    return value


@kernel
def fill_component(
    row: Floats, weight: float, east_m: float, north_m: float, ee_m2: float, en_m2: float, nn_m2: float
) -> None:
    """Write into `row` a Gaussian with its whitening: (x, y) = W (point − mean), by eigenvectors.

    Deviations below `STD_M_MIN`, and those of a covariance that is not positive, are raised to it.
    """
    half_trace = 0.5 * (ee_m2 + nn_m2)
    half_difference = 0.5 * (ee_m2 - nn_m2)
    root = math.hypot(half_difference, en_m2)
    angle = 0.5 * math.atan2(en_m2, half_difference)  # of the long axis, anticlockwise from east
    std_max = math.sqrt(max(half_trace + root, STD_M_MIN * STD_M_MIN))
    std_min = math.sqrt(max(half_trace - root, STD_M_MIN * STD_M_MIN))
    cos, sin = math.cos(angle), math.sin(angle)
    row[WEIGHT], row[EAST], row[NORTH] = weight, east_m, north_m
    row[W_XE], row[W_XN] = cos / std_max, sin / std_max
    row[W_YE], row[W_YN] = -sin / std_min, cos / std_min
    row[STD_MAX], row[STD_MIN] = std_max, std_min
    var_max, var_min = std_max * std_max, std_min * std_min
    row[EE] = cos * cos * var_max + sin * sin * var_min
    row[EN] = cos * sin * (var_max - var_min)
    row[NN] = sin * sin * var_max + cos * cos * var_min


# g and its slope at steps of 1/8 of the squared distance, for cubic Hermite interpolation (error under 1e-8).
_SQUARE_STEPS = 8


def _g(square: Floats) -> tuple[Floats, Floats]:
    """Return g of a squared distance, and its derivative."""
    small = square < 1e-3
    safe = np.where(small, 1.0, square)
    value = np.where(small, 0.5 - square / 8.0 + square * square / 48.0, -np.expm1(-0.5 * safe) / safe)
    slope = np.where(small, -0.125 + square / 24.0, (0.5 * np.exp(-0.5 * safe) - value) / safe)
    return value, slope


_G = np.stack(_g(np.arange(math.ceil(FAR * FAR) * _SQUARE_STEPS + 2) / _SQUARE_STEPS), axis=1)
_G[:, 1] /= _SQUARE_STEPS

# V, its slopes along h and q and its mixed derivative at steps of 1/12 deviation, for bicubic Hermite interpolation.
_TRIANGLE_STEPS = 12


def _triangles() -> Floats:
    """Return the table (h, q, 4) of V: values by Gauss-Legendre from step to step, derivatives in closed form."""
    at = np.arange(round(FAR * _TRIANGLE_STEPS) + 2) / _TRIANGLE_STEPS
    nodes, weights = np.polynomial.legendre.leggauss(8)
    h, q = at[:, None], at[None, :]
    between = at[:-1, None] + 0.5 * (1.0 + nodes) / _TRIANGLE_STEPS  # (steps, nodes)
    parts = h * (_g(h[..., None] ** 2 + between**2)[0] @ weights) * (0.5 / _TRIANGLE_STEPS)
    value = np.concatenate((np.zeros((len(at), 1)), np.cumsum(parts, axis=1)), axis=1)
    g, slope = _g(h * h + q * q)
    phi, half = np.exp(-0.5 * at * at), np.array([0.5 * math.erf(each * _SQRT_HALF) for each in at])
    # V(h, q) + V(q, h) is the Gaussian over a rectangle: so comes the slope along h.
    along_h = phi[:, None] * half[None, :] * (2.0 * math.pi * _PHI_0) - q * g
    table = np.stack((value, along_h / _TRIANGLE_STEPS, h * g / _TRIANGLE_STEPS,
                      (g + 2.0 * h * h * slope) / _TRIANGLE_STEPS**2), axis=-1)  # fmt: skip
    return np.ascontiguousarray(_SHARE * table)


_V = _triangles()


@helper
def _g_at(square: float) -> float:
    """Return g of a squared distance."""
    at = square * _SQUARE_STEPS
    if at >= _G.shape[0] - 1.0:
        return 1.0 / square
    k = int(at)
    t = at - k
    rest = 1.0 - t
    rise = _G[k + 1, 0] - _G[k, 0]
    value: float = _G[k, 0] + t * rise + t * rest * (rest * (_G[k, 1] - rise) - t * (_G[k + 1, 1] - rise))
    return value


@helper
def _column(i: int, j: int, k: int, t: float) -> float:
    """Return value k = 0 or slope k = 1 along h of the table's row `i`, interpolated along q, `t` after column `j`."""
    rest = 1.0 - t
    rise = _V[i, j + 1, k] - _V[i, j, k]
    value: float = (
        _V[i, j, k] + t * rise + t * rest * (rest * (_V[i, j, k + 2] - rise) - t * (_V[i, j + 1, k + 2] - rise))
    )
    return value


@helper
def _triangle(i: int, t: float, q: float) -> float:
    """Return V(h, q), odd in q, for h that lies `t` of a step after row `i` of the table; both within `FAR`."""
    at = abs(q) * _TRIANGLE_STEPS
    j = int(at)
    u = at - j
    begin, end = _column(i, j, 0, u), _column(i + 1, j, 0, u)
    slope, last = _column(i, j, 1, u), _column(i + 1, j, 1, u)
    rise, rest = end - begin, 1.0 - t
    value: float = begin + t * rise + t * rest * (rest * (slope - rise) - t * (last - rise))
    return math.copysign(value, q)


@helper
def _small_turn(turn: float) -> tuple[float, float]:
    """Return cosine and sine of a turn (rad) of at most 0.8; error under 1e-9 (Taylor to the 10th and 11th)."""
    t = turn * turn
    cos = 1.0 - t * (1.0 / 2.0) * (
        1.0 - t * (1.0 / 12.0) * (1.0 - t * (1.0 / 30.0) * (1.0 - t * (1.0 / 56.0) * (1.0 - t * (1.0 / 90.0))))
    )
    sin = turn * (
        1.0
        - t
        * (1.0 / 6.0)
        * (1.0 - t * (1.0 / 20.0) * (1.0 - t * (1.0 / 42.0) * (1.0 - t * (1.0 / 72.0) * (1.0 - t * (1.0 / 110.0)))))
    )
    return cos, sin


@kernel
def segment_integral(xa: float, ya: float, dx: float, dy: float) -> float:
    """Return what a straight boundary piece from (xa, ya), (dx, dy) long, adds; all of it whitened."""
    square = dx * dx + dy * dy
    if square == 0.0:
        return 0.0
    length = math.sqrt(square)
    cross = xa * dy - ya * dx
    h = abs(cross) / length
    begin = (xa * dx + ya * dy) / length
    end = begin + length
    if h >= FAR or begin >= FAR or end <= -FAR:
        return _SHARE * math.atan2(cross, xa * (xa + dx) + ya * (ya + dy))
    at = h * _TRIANGLE_STEPS
    i = int(at)
    low, high = max(begin, -FAR), min(end, FAR)
    total = _triangle(i, at - i, high) - _triangle(i, at - i, low)
    if low > begin:
        total += _SHARE * math.atan2(h * (low - begin), h * h + low * begin)
    if high < end:
        total += _SHARE * math.atan2(h * (end - high), h * h + high * end)
    return math.copysign(total, cross)


@kernel
def line_integral(row: Floats, ea: float, na: float, eb: float, nb: float) -> float:
    """Return what a straight boundary piece from (ea, na) to (eb, nb) adds to the probability of Gaussian `row`."""
    ea, na, de, dn = ea - row[EAST], na - row[NORTH], eb - ea, nb - na
    xa, ya = row[W_XE] * ea + row[W_XN] * na, row[W_YE] * ea + row[W_YN] * na
    integral: float = segment_integral(xa, ya, row[W_XE] * de + row[W_XN] * dn, row[W_YE] * de + row[W_YN] * dn)
    return integral


@kernel
def ring_integral(ring: Floats, east_m: float, north_m: float, ee_m2: float, en_m2: float, nn_m2: float) -> float:
    """Return the probability of a ring (n, 2), open, under a Gaussian: mean and a positive definite covariance."""
    # Any whitening will do, for the integrand turns with the frame: here by the Cholesky factor.
    by_e = 1.0 / math.sqrt(ee_m2)
    lean = en_m2 / ee_m2
    by_n = 1.0 / math.sqrt(nn_m2 - en_m2 * lean)
    last = ring.shape[0] - 1
    de, dn = ring[last, 0] - east_m, ring[last, 1] - north_m
    xa, ya = by_e * de, by_n * (dn - lean * de)
    total = 0.0
    for k in range(ring.shape[0]):
        de, dn = ring[k, 0] - east_m, ring[k, 1] - north_m
        x, y = by_e * de, by_n * (dn - lean * de)
        total += segment_integral(xa, ya, x - xa, y - ya)
        xa, ya = x, y
    return min(max(total, 0.0), 1.0)


@kernel
def arc_integral(
    row: Floats, east_m: float, north_m: float, radius_m: float, start_rad: float, stop_rad: float
) -> float:
    """Return what an anticlockwise arc adds to the probability of Gaussian `row`; angles from east.

    The arc is halved until a part is far out (its angle) or at most two deviations long; parts are walked in order,
    `number` counting those of their size.
    """
    ce, cn = east_m - row[EAST], north_m - row[NORTH]
    cx, cy = row[W_XE] * ce + row[W_XN] * cn, row[W_YE] * ce + row[W_YN] * cn
    number, level, half, total = 0, 0, 0.5 * (stop_rad - start_rad), 0.0
    while True:
        middle = start_rad + (2 * number + 1) * half
        me, mn = radius_m * math.cos(middle), radius_m * math.sin(middle)
        # From the centre to the middle of this part, and along the arc there, one radian long.
        mx, my = row[W_XE] * me + row[W_XN] * mn, row[W_YE] * me + row[W_YN] * mn
        px, py = row[W_XN] * me - row[W_XE] * mn, row[W_YN] * me - row[W_YE] * mn
        x, y = cx + mx, cy + my
        reach = radius_m * half / row[STD_MIN]  # no point of this part is further than this from (x, y)
        far = x * x + y * y > (FAR + reach) * (FAR + reach)
        if far:  # nor is the origin between the part and its chords
            cos, sin = math.cos(half), math.sin(half)
            xa, ya = cx + cos * mx - sin * px, cy + cos * my - sin * py
            xb, yb = cx + cos * mx + sin * px, cy + cos * my + sin * py
            re, im, re_b, im_b = xa * x + ya * y, xa * y - ya * x, x * xb + y * yb, x * yb - y * xb
            total += math.atan2(re * im_b + im * re_b, re * re_b - im * im_b)  # each turns by less than a right angle
        elif (reach <= 1.0 and half <= 0.8) or level == _HALVINGS_MAX:
            first, count = (0, 2) if reach < _HALF_SHORT and half < 0.4 else (2, 3)
            part = 0.0
            for k in range(first, first + count):
                turn = half * _NODES[k]
                cos, sin = _small_turn(turn)
                for _ in range(2):
                    x, y = cx + cos * mx + sin * px, cy + cos * my + sin * py
                    part += _WEIGHTS[k] * _g_at(x * x + y * y) * (x * (cos * py - sin * my) - y * (cos * px - sin * mx))
                    sin = -sin
            total += part * half
        else:
            number, level, half = 2 * number, level + 1, 0.5 * half
            continue
        number += 1
        while number % 2 == 0 and level > 0:
            number, level, half = number // 2, level - 1, 2.0 * half
        if level == 0:
            return _SHARE * total


@kernel
def probability_inside(row: Floats, pieces: Floats, radius_m: float, set_off_m: float) -> float:
    """Return the probability of Gaussian `row`, its weight apart, inside an outline (k, 5) whose arcs have `radius_m`.

    Lines are set off to their right by `set_off_m`: from a convex ring's outline of radius 0 (`convex_outlines`) comes
    that of any radius.
    """
    total = 0.0
    for k in range(pieces.shape[0]):
        piece = pieces[k]
        if piece[KIND] != LINE:
            total += arc_integral(row, piece[0], piece[1], radius_m, piece[2], piece[3])
            continue
        oe, on = 0.0, 0.0
        if set_off_m > 0.0:
            de, dn = piece[2] - piece[0], piece[3] - piece[1]
            scale = set_off_m / math.sqrt(de * de + dn * dn)
            oe, on = scale * dn, -scale * de
        total += line_integral(row, piece[0] + oe, piece[1] + on, piece[2] + oe, piece[3] + on)
    return min(max(total, 0.0), 1.0)
