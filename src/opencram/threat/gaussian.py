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

FAR = 6.5  # deviations; what lies beyond holds less than 1e-10 of a Gaussian
STD_M_MIN = 0.05  # a sharper Gaussian is widened to this: a point mass is inside or outside

_SQRT_HALF = math.sqrt(0.5)
_PHI_0 = 1.0 / math.sqrt(2.0 * math.pi)
_STACK = 64  # halvings of an arc waiting their turn; each halves the angle, so this is never reached

_NODES_6 = tuple(float(x) for x in np.polynomial.legendre.leggauss(6)[0])
_WEIGHTS_6 = tuple(float(x) for x in np.polynomial.legendre.leggauss(6)[1])
_NODES_4 = tuple(float(x) for x in np.polynomial.legendre.leggauss(4)[0])
_WEIGHTS_4 = tuple(float(x) for x in np.polynomial.legendre.leggauss(4)[1])
_HALF_SHORT = 0.5  # half length (deviations) up to which four nodes are enough

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


@kernel
def _straight_panel(xa: float, ya: float, xb: float, yb: float) -> float:
    """Return ∫ Φ(x) φ(y) dy along a line of at most two deviations."""
    half_x, half_y = 0.5 * (xb - xa), 0.5 * (yb - ya)
    middle_x, middle_y = xa + half_x, ya + half_y
    total = 0.0
    if half_x * half_x + half_y * half_y < _HALF_SHORT * _HALF_SHORT:
        for k in range(4):
            y = middle_y + half_y * _NODES_4[k]
            total += _WEIGHTS_4[k] * normal_cdf(middle_x + half_x * _NODES_4[k]) * math.exp(-0.5 * y * y)
    else:
        for k in range(6):
            y = middle_y + half_y * _NODES_6[k]
            total += _WEIGHTS_6[k] * normal_cdf(middle_x + half_x * _NODES_6[k]) * math.exp(-0.5 * y * y)
    return total * half_y * _PHI_0


@kernel
def _line_whitened(xa: float, ya: float, xb: float, yb: float) -> float:
    """Return ∫ Φ(x) φ(y) dy along the line from (xa, ya) to (xb, yb), of any length."""
    dx, dy = xb - xa, yb - ya
    if dy == 0.0 or min(ya, yb) > FAR or max(ya, yb) < -FAR or max(xa, xb) < -FAR:
        return 0.0
    ta, tb = (-FAR - ya) / dy, (FAR - ya) / dy
    t_low, t_high = max(min(ta, tb), 0.0), min(max(ta, tb), 1.0)
    if t_low >= t_high:
        return 0.0
    total = 0.0
    if dx != 0.0:  # split off what lies far right, where Φ(x) is 1, and far left, where it is 0
        t_right, t_left = (FAR - xa) / dx, (-FAR - xa) / dx
        if dx > 0.0:
            if t_right < t_high:
                start = max(t_right, t_low)
                total += normal_cdf(ya + t_high * dy) - normal_cdf(ya + start * dy)
                t_high = start
            t_low = max(t_low, t_left)
        else:
            if t_right > t_low:
                stop = min(t_right, t_high)
                total += normal_cdf(ya + stop * dy) - normal_cdf(ya + t_low * dy)
                t_low = stop
            t_high = min(t_high, t_left)
    elif xa > FAR:
        return normal_cdf(ya + t_high * dy) - normal_cdf(ya + t_low * dy)
    if t_low >= t_high:
        return total
    length = math.hypot(dx, dy) * (t_high - t_low)
    panels = max(1, math.ceil(0.5 * length))
    step = (t_high - t_low) / panels
    for k in range(panels):
        t0, t1 = t_low + k * step, t_low + (k + 1) * step
        total += _straight_panel(xa + t0 * dx, ya + t0 * dy, xa + t1 * dx, ya + t1 * dy)
    return total


@kernel
def line_integral(row: Floats, east_a_m: float, north_a_m: float, east_b_m: float, north_b_m: float) -> float:
    """Return what a straight boundary piece from a to b adds to the probability of Gaussian `row`."""
    ea, na = east_a_m - row[EAST], north_a_m - row[NORTH]
    eb, nb = east_b_m - row[EAST], north_b_m - row[NORTH]
    return _line_whitened(
        row[W_XE] * ea + row[W_XN] * na,
        row[W_YE] * ea + row[W_YN] * na,
        row[W_XE] * eb + row[W_XN] * nb,
        row[W_YE] * eb + row[W_YN] * nb,
    )


@kernel
def _arc_panel(row: Floats, ce: float, cn: float, radius: float, middle: float, half: float) -> float:
    """Return ∫ Φ(x) φ(y) dy along an arc of at most two deviations; `middle` and `half` are angles."""
    total = 0.0
    short = half * radius < _HALF_SHORT * row[STD_MIN] and half < 0.4
    for k in range(4 if short else 6):
        angle = middle + half * (_NODES_4[k] if short else _NODES_6[k])
        weight = _WEIGHTS_4[k] if short else _WEIGHTS_6[k]
        cos, sin = math.cos(angle), math.sin(angle)
        de, dn = ce + radius * cos, cn + radius * sin
        y = row[W_YE] * de + row[W_YN] * dn
        slope = radius * (row[W_YN] * cos - row[W_YE] * sin)
        total += weight * normal_cdf(row[W_XE] * de + row[W_XN] * dn) * math.exp(-0.5 * y * y) * slope
    return total * half * _PHI_0


@kernel
def arc_integral(
    row: Floats, east_m: float, north_m: float, radius_m: float, start_rad: float, stop_rad: float
) -> float:
    """Return what an anticlockwise arc adds to the probability of Gaussian `row`; angles from east.

    The arc is halved until a part is far out (closed form) or at most two deviations long.
    """
    ce, cn = east_m - row[EAST], north_m - row[NORTH]
    middles, halves = np.empty(_STACK), np.empty(_STACK)
    middles[0], halves[0] = 0.5 * (start_rad + stop_rad), 0.5 * (stop_rad - start_rad)
    waiting, total = 1, 0.0
    while waiting > 0:
        waiting -= 1
        middle, half = middles[waiting], halves[waiting]
        de, dn = ce + radius_m * math.cos(middle), cn + radius_m * math.sin(middle)
        x, y = row[W_XE] * de + row[W_XN] * dn, row[W_YE] * de + row[W_YN] * dn
        reach = radius_m * half / row[STD_MIN]  # no point of this part is further than this from (x, y)
        if abs(y) - reach > FAR or x + reach < -FAR:
            continue
        if x - reach > FAR:
            ea, na = ce + radius_m * math.cos(middle - half), cn + radius_m * math.sin(middle - half)
            eb, nb = ce + radius_m * math.cos(middle + half), cn + radius_m * math.sin(middle + half)
            total += normal_cdf(row[W_YE] * eb + row[W_YN] * nb) - normal_cdf(row[W_YE] * ea + row[W_YN] * na)
        elif reach <= 1.0 and half <= 0.8:
            total += _arc_panel(row, ce, cn, radius_m, middle, half)
        else:
            middles[waiting], halves[waiting] = middle - 0.5 * half, 0.5 * half
            middles[waiting + 1], halves[waiting + 1] = middle + 0.5 * half, 0.5 * half
            waiting += 2
    return total
