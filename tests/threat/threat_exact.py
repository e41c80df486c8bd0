"""The probability of a Gaussian mixture near a polygon by another road than the program's: cut by cut to the east.

At one east the points within a radius of a polygon are a few stretches of north: those inside the polygon, and those
of each edge's strip and each corner's disc.  Their union is measured by the normal distribution of north given east,
and the measures are summed over east by Gauss-Legendre between all kinks.
"""

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_PANELS = 8  # between two kinks; the sides of a disc are steep at its ends
_REACH = 9.0  # deviations, beyond which nothing is summed


def probability_near(ring: Floats, gaussians: Floats, radius_m: float) -> float:
    """Return the probability of a mixture (n, 6: weight, mean, covariance ee, en, nn) within a radius of a ring.

    Error: under 1e-6, as twice the panels say (tests/threat/test_assess.py).
    """
    return sum(weight * _one(ring, np.array(rest), radius_m) for weight, *rest in gaussians.tolist())


def _one(ring: Floats, gaussian: Floats, radius_m: float, panels: int = _PANELS) -> float:
    mean_e, mean_n, ee, en, nn = gaussian
    std = float(np.sqrt(ee))
    low = max(float(ring[:, 0].min()) - radius_m, mean_e - _REACH * std)
    high = min(float(ring[:, 0].max()) + radius_m, mean_e + _REACH * std)
    if low >= high:
        return 0.0
    kinks = [
        *ring[:, 0],
        *(ring[:, 0] - radius_m),
        *(ring[:, 0] + radius_m),
        *_edge_ends(ring, radius_m)[..., 0].ravel(),
    ]
    kinks += (mean_e + std * np.linspace(-_REACH, _REACH, 19)).tolist()
    stops = np.unique(np.clip(np.array([low, high, *kinks]), low, high))
    parts = np.unique(np.concatenate([np.linspace(a, b, panels + 1) for a, b in itertools.pairwise(stops)]))
    half = 0.5 * np.diff(parts)
    east = (0.5 * (parts[:-1] + parts[1:]))[:, None] + half[:, None] * _NODES
    weight = (half[:, None] * _WEIGHTS).ravel()
    east = east.ravel()
    begin, end = _stretches(ring, east, radius_m)
    given = mean_n + en / ee * (east - mean_e)
    narrow = float(np.sqrt(max(nn - en * en / ee, 1e-12)))
    inside = (ndtr((end - given) / narrow) - ndtr((begin - given) / narrow)).sum(axis=0)
    density = np.exp(-0.5 * ((east - mean_e) / std) ** 2) / (std * np.sqrt(2.0 * np.pi))
    return float(weight @ (density * inside))


def _edge_ends(ring: Floats, radius_m: float) -> Floats:
    """Return the four corners (n, 4, 2) of the strip of each edge."""
    along = np.roll(ring, -1, axis=0) - ring
    across = radius_m * np.stack([along[:, 1], -along[:, 0]], axis=1) / np.linalg.norm(along, axis=1, keepdims=True)
    after = np.roll(ring, -1, axis=0)
    return np.stack([ring + across, after + across, after - across, ring - across], axis=1)


def _stretches(ring: Floats, east: Floats, radius_m: float) -> tuple[Floats, Floats]:
    """Return stretches of north (k, n) whose union is the region at each east, without overlap; some are 0 long."""
    begins, ends = [], []
    crossings = np.sort(_crossings(ring, np.roll(ring, -1, axis=0), east), axis=0)  # in pairs; nan last
    for i in range(0, len(crossings) - 1, 2):
        begins.append(crossings[i])
        ends.append(crossings[i + 1])
    for strip in _edge_ends(ring, radius_m):
        cuts = _crossings(strip, np.roll(strip, -1, axis=0), east)
        begins.append(np.nanmin(np.vstack([cuts, np.full(len(east), np.inf)]), axis=0))
        ends.append(np.nanmax(np.vstack([cuts, np.full(len(east), -np.inf)]), axis=0))
    for corner in ring:
        square = radius_m**2 - (east - corner[0]) ** 2
        reach = np.where(square > 0.0, np.sqrt(np.maximum(square, 0.0)), np.nan)
        begins.append(corner[1] - reach)
        ends.append(corner[1] + reach)
    begin, end = np.array(begins), np.array(ends)
    none = ~(begin < end)
    begin, end = np.where(none, np.inf, begin), np.where(none, np.inf, end)
    order = np.argsort(begin, axis=0)
    begin, end = np.take_along_axis(begin, order, axis=0), np.take_along_axis(end, order, axis=0)
    covered = np.vstack([np.full((1, len(east)), -np.inf), np.maximum.accumulate(end, axis=0)[:-1]])
    begin = np.maximum(begin, covered)
    return begin, np.maximum(begin, end)


def _crossings(begin: Floats, end: Floats, east: Floats) -> Floats:
    """Return the north (k, n) at which each of k edges crosses each east, nan where it does not."""
    (x0, y0), (x1, y1) = begin.T[:, :, None], end.T[:, :, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        north = y0 + (east - x0) / (x1 - x0) * (y1 - y0)
    return np.where((x0 > east) != (x1 > east), north, np.nan)
