"""The outline of widened polygons: closed, of the right length, and true to the distance for any ring."""

import math

import numpy as np
import pytest

from opencram.threat.clearance import mixture_inside, signed_distance
from opencram.threat.dilation import KIND, LINE, convex_outlines, outline
from opencram.threat.gaussian import COMPONENT_SIZE, fill_component

RADIUS_M = 50.0


def circle(radii, count, turn=1.0):
    angles = np.linspace(0.0, turn * 2.0 * math.pi, count, endpoint=False)
    sizes = [radii[i % len(radii)] for i in range(count)]
    return [(r * math.cos(a), r * math.sin(a)) for r, a in zip(sizes, angles, strict=True)]


RINGS = {
    "square": [(0, 0), (750, 0), (750, 750), (0, 750)],
    "clockwise": [(0, 0), (0, 300), (200, 300), (200, 0)],
    "u with a gap that closes": [
        (0, 0),
        (300, 0),
        (300, 300),
        (190, 300),
        (190, 100),
        (110, 100),
        (110, 300),
        (0, 300),
    ],
    "c with a hole left": [
        *[(0, 0), (500, 0), (500, 500), (280, 500), (280, 380), (380, 380)],
        *[(380, 120), (120, 120), (120, 380), (220, 380), (220, 500), (0, 500)],
    ],
    "line": [(0, 0), (200, 100)],
    "point": [(5, 5)],
    "crossed": [(0, 0), (200, 200), (200, 0), (0, 200)],
    "star": circle((300.0, 90.0), 14),
    "spike": [(0, 0), (200, 0), (200, 200), (100, 200), (100, 350), (100, 200), (0, 200)],
    "corners in a line": [(0, 0), (100, 0), (200, 0), (200, 100), (200, 200), (100, 200), (0, 200), (0, 100)],
    "doubled corners": [(0, 0), (0, 0), (200, 0), (200, 200), (200, 200), (0, 200)],
    "round": circle((300.0,), 200),
}


def length_and_gap(pieces):
    length, gap = 0.0, np.zeros(2)
    for east, north, a, b, kind in pieces:
        if kind == LINE:
            step = np.array([a - east, b - north])
            length += math.hypot(*step)
        else:
            step = RADIUS_M * np.array([math.cos(b) - math.cos(a), math.sin(b) - math.sin(a)])
            length += RADIUS_M * (b - a)
        gap += step
    return length, np.abs(gap).max()


def samples(pieces):
    for east, north, a, b, kind in pieces:
        for t in (0.1, 0.5, 0.9):
            if kind == LINE:
                yield east + t * (a - east), north + t * (b - north)
            else:
                angle = a + t * (b - a)
                yield east + RADIUS_M * math.cos(angle), north + RADIUS_M * math.sin(angle)


@pytest.mark.parametrize("name", RINGS)
def test_outline_closes_and_stands_at_the_radius(name):
    ring = np.array(RINGS[name], dtype=float) + np.array([1234.5, -2345.6])
    pieces = outline(ring, RADIUS_M)
    _, gap = length_and_gap(pieces)
    assert gap < 1e-8
    for east, north in samples(pieces):
        assert signed_distance(ring, east, north)[0] == pytest.approx(RADIUS_M, abs=1e-6)


@pytest.mark.parametrize("name", ["square", "clockwise", "line", "corners in a line", "round"])
def test_length_of_a_convex_outline_is_perimeter_and_circle(name):
    ring = np.array(RINGS[name], dtype=float)
    perimeter = np.hypot(*(np.roll(ring, 1, axis=0) - ring).T).sum()
    length, _ = length_and_gap(outline(ring, RADIUS_M))
    assert length == pytest.approx(perimeter + 2.0 * math.pi * RADIUS_M, rel=1e-9)


@pytest.mark.parametrize("name", RINGS)
def test_probability_against_monte_carlo(name):
    ring = np.array(RINGS[name], dtype=float) + np.array([1234.5, -2345.6])
    pieces = outline(ring, RADIUS_M)
    rng = np.random.default_rng(7)
    for std in (15.0, 60.0, 250.0):
        mean = ring.mean(axis=0) + rng.normal(size=2) * (RADIUS_M + np.ptp(ring, axis=0)) / 2
        root = rng.normal(size=(2, 2)) * std
        covariance = root @ root.T
        points = rng.multivariate_normal(mean, covariance, 20_000)
        hits = np.mean([signed_distance(ring, east, north)[0] <= RADIUS_M for east, north in points])
        row = np.empty((1, COMPONENT_SIZE))
        fill_component(row[0], 1.0, mean[0], mean[1], covariance[0, 0], covariance[0, 1], covariance[1, 1])
        found = mixture_inside(row, pieces, RADIUS_M, 0.0)
        assert found == pytest.approx(hits, abs=4.5 * math.sqrt(max(hits * (1 - hits), 1e-4) / 20_000))


def test_pieces_of_a_hole_are_kept():
    """In the c the gap closes and leaves a hole of 160 m by 160 m, whose outline is walked the other way round."""
    pieces = outline(np.array(RINGS["c with a hole left"], dtype=float), RADIUS_M)
    inner = [p for p in pieces if p[KIND] == LINE and 120 < p[0] < 380 and 120 < p[1] < 380]
    assert len(inner) >= 4
    assert sum(math.hypot(p[2] - p[0], p[3] - p[1]) for p in inner) > 4 * 160.0 - 120.0


def crooked_rings(seed, count, bend_m):
    """Rings of a square with its sides' middles moved by about `bend_m`: nearly straight corners, to either side."""
    rng = np.random.default_rng(seed)
    base = np.array([[0, 0], [600, 0], [1200, 0], [1200, 500], [1200, 1000], [600, 1000], [0, 1000], [0, 500]], float)
    return [base + rng.normal(size=base.shape) * bend_m for _ in range(count)]


@pytest.mark.parametrize("bend_m", [0.0, 1e-6, 1e-4, 1e-3, 0.02, 0.5, 20.0])
def test_nearly_straight_corners_leave_no_gap(bend_m):
    for ring in crooked_rings(3, 20, bend_m):
        length, gap = length_and_gap(outline(ring, RADIUS_M))
        assert gap < 3e-4
        assert length > 4000.0


def test_a_convex_outline_and_the_one_cut_from_lines_and_circles_agree():
    rings = [ring for bend_m in (1e-3, 0.02, 3.0) for ring in crooked_rings(5, 300, bend_m)]
    pairs = [(ring, one) for ring, one in zip(rings, convex_outlines(rings, RADIUS_M), strict=True) if one is not None]
    assert len(pairs) > 20
    row = np.empty((1, COMPONENT_SIZE))
    fill_component(row[0], 1.0, 1100.0, 900.0, 9e3, -2e3, 3e3)
    for ring, convex in pairs:
        length, gap = length_and_gap(convex)
        assert gap < 1e-8
        assert length == pytest.approx(np.hypot(*(np.roll(ring, 1, axis=0) - ring).T).sum() + 100.0 * math.pi, rel=1e-9)
        cut = mixture_inside(row, outline(ring, RADIUS_M), RADIUS_M, 0.0)
        assert mixture_inside(row, convex, RADIUS_M, 0.0) == pytest.approx(cut, abs=2e-6)


def test_only_convex_anticlockwise_rings_are_taken_as_convex():
    names = [name for name in RINGS if name not in ("line", "point")]
    found = convex_outlines([np.array(RINGS[name], dtype=float) for name in names], RADIUS_M)
    convex = {name for name, one in zip(names, found, strict=True) if one is not None}
    assert convex == {"square", "corners in a line", "round"}
