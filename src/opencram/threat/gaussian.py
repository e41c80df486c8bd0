"""Probability of a plane Gaussian over regions bounded by straight lines and circular arcs.

With the Gaussian whitened (mean at the origin, unit covariance), Green's theorem turns the integral over a
region into one along its boundary, walked with the inside on the left:

    ∬ φ(x) φ(y) dx dy = ∮ Φ(x) φ(y) dy

so a region is a bag of boundary pieces, in any order.  Pieces further out than `FAR` deviations have a
closed form or none; the rest is Gauss-Legendre on panels at most two deviations long.

Error: under 1e-7 of probability (tests/threat/test_gaussian.py, against dense quadrature).
Source: Green's theorem; nodes and weights of Gauss-Legendre, Abramowitz and Stegun 1964, table 25.4.
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
_HALVINGS_MAX = 60  # of an arc: by then its parts are shorter than rounding

# Nodes and weights of Gauss-Legendre: four, for panels up to `_HALF_SHORT` deviations to either side, then six.
_NODES, _WEIGHTS = (np.concatenate([np.polynomial.legendre.leggauss(n)[k] for n in (4, 6)]) for k in (0, 1))
_HALF_SHORT = 0.5

# A prepared component of the mixture: one row of floats; the last is free for what is known of it and one place.
WEIGHT, EAST, NORTH, W_XE, W_XN, W_YE, W_YN, STD_MAX, STD_MIN, EE, EN, NN, BOUND = range(13)
COMPONENT_SIZE = 13


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


@kernel
def line_integral(row: Floats, ea: float, na: float, eb: float, nb: float) -> float:
    """Return what a straight boundary piece from (ea, na) to (eb, nb) adds to the probability of Gaussian `row`."""
    xa = row[W_XE] * (ea - row[EAST]) + row[W_XN] * (na - row[NORTH])
    ya = row[W_YE] * (ea - row[EAST]) + row[W_YN] * (na - row[NORTH])
    dx = row[W_XE] * (eb - row[EAST]) + row[W_XN] * (nb - row[NORTH]) - xa
    dy = row[W_YE] * (eb - row[EAST]) + row[W_YN] * (nb - row[NORTH]) - ya
    if dy == 0.0 or min(ya, ya + dy) > FAR or max(ya, ya + dy) < -FAR or max(xa, xa + dx) < -FAR:
        return 0.0
    sign = 1.0
    if dx < 0.0:  # walked backwards, so that it runs to the right
        xa, ya, dx, dy, sign = xa + dx, ya + dy, -dx, -dy, -1.0
    ta, tb = (-FAR - ya) / dy, (FAR - ya) / dy
    t_low, t_high = max(min(ta, tb), 0.0), min(max(ta, tb), 1.0)
    total = 0.0
    if dx > 0.0:  # split off what lies far right, where Φ(x) is 1, and far left, where it is 0
        t_right = max((FAR - xa) / dx, t_low)
        if t_right < t_high:
            total = normal_cdf(ya + t_high * dy) - normal_cdf(ya + t_right * dy)
            t_high = t_right
        t_low = max(t_low, (-FAR - xa) / dx)
    elif xa > FAR:
        return sign * (normal_cdf(ya + t_high * dy) - normal_cdf(ya + t_low * dy))
    if t_low >= t_high:
        return sign * total
    length = math.sqrt(dx * dx + dy * dy) * (t_high - t_low)
    panels = max(1, math.ceil(0.5 * length))
    half = 0.5 * (t_high - t_low) / panels
    first, count = (0, 4) if length < 2.0 * _HALF_SHORT else (4, 6)
    part = 0.0
    for panel in range(panels):
        middle = t_low + (2 * panel + 1) * half
        for k in range(first, first + count):
            t = middle + half * _NODES[k]
            y = ya + t * dy
            part += _WEIGHTS[k] * normal_cdf(xa + t * dx) * math.exp(-0.5 * y * y)
    integral: float = sign * (total + part * half * dy * _PHI_0)
    return integral


@kernel
def arc_integral(
    row: Floats, east_m: float, north_m: float, radius_m: float, start_rad: float, stop_rad: float
) -> float:
    """Return what an anticlockwise arc adds to the probability of Gaussian `row`; angles from east.

    The arc is halved until a part is far out (closed form) or at most two deviations long; parts are walked in order,
    `number` counting those of their size.
    """
    ce, cn = east_m - row[EAST], north_m - row[NORTH]
    number, level, half, total = 0, 0, 0.5 * (stop_rad - start_rad), 0.0
    while True:
        middle = start_rad + (2 * number + 1) * half
        de, dn = ce + radius_m * math.cos(middle), cn + radius_m * math.sin(middle)
        x, y = row[W_XE] * de + row[W_XN] * dn, row[W_YE] * de + row[W_YN] * dn
        reach = radius_m * half / row[STD_MIN]  # no point of this part is further than this from (x, y)
        if abs(y) - reach <= FAR and x + reach >= -FAR:
            if x - reach > FAR:
                ea, na = ce + radius_m * math.cos(middle - half), cn + radius_m * math.sin(middle - half)
                eb, nb = ce + radius_m * math.cos(middle + half), cn + radius_m * math.sin(middle + half)
                total += normal_cdf(row[W_YE] * eb + row[W_YN] * nb) - normal_cdf(row[W_YE] * ea + row[W_YN] * na)
            elif (reach <= 1.0 and half <= 0.8) or level == _HALVINGS_MAX:
                first, count = (0, 4) if reach < _HALF_SHORT and half < 0.4 else (4, 6)
                part = 0.0
                for k in range(first, first + count):
                    cos, sin = math.cos(middle + half * _NODES[k]), math.sin(middle + half * _NODES[k])
                    de, dn = ce + radius_m * cos, cn + radius_m * sin
                    y = row[W_YE] * de + row[W_YN] * dn
                    slope = row[W_YN] * cos - row[W_YE] * sin
                    part += _WEIGHTS[k] * normal_cdf(row[W_XE] * de + row[W_XN] * dn) * math.exp(-0.5 * y * y) * slope
                total += part * radius_m * half * _PHI_0
            else:
                number, level, half = 2 * number, level + 1, 0.5 * half
                continue
        number += 1
        while number % 2 == 0 and level > 0:
            number, level, half = number // 2, level - 1, 2.0 * half
        if level == 0:
            return total


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
