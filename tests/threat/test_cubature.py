"""The quick integral against the exact one, its bound, and casualties against Monte Carlo."""

import math

import numpy as np
import pytest

from opencram import threat
from opencram.threat import cubature
from opencram.threat.assess import CASUALTIES, EXPOSED, assess
from opencram.threat.clearance import mixture_inside
from opencram.threat.config import Place
from opencram.threat.cubature import (
    DEGREE,
    RATIO_MAX,
    SIDE,
    SMALL_DEGREE,
    SMALL_POINTS,
    SMALL_RATIO_MAX,
    SMALL_SIDE,
    grid_integrals,
)
from opencram.threat.gaussian import COMPONENT_SIZE, EE, EN, NN, fill_component, line_integral
from opencram.threat.harm import kernel_variance_m2, lethal_area_m2, vulnerable_share
from opencram.threat.index import KERNEL_M2, build


def crooked(rng, size):
    """Return a star-shaped polygon, as often as not far from convex."""
    angles = np.sort(rng.uniform(0.0, 2.0 * math.pi, rng.integers(4, 9)))
    radii = size * rng.uniform(0.3, 1.0, angles.size)
    return tuple((float(r * math.cos(a)), float(r * math.sin(a))) for a, r in zip(angles, radii, strict=True))


def component(east, north, long_std, short_std, angle):
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    covariance = turn @ np.diag([long_std**2, short_std**2]) @ turn.T
    row = np.empty((1, COMPONENT_SIZE))
    fill_component(row[0], 1.0, east, north, covariance[0, 0], covariance[0, 1], covariance[1, 1])
    return row


def widened_probability(row, ring, variance_m2):
    """The probability of a ring under the component with `variance_m2` added to each axis, edge by edge."""
    wide = np.empty(COMPONENT_SIZE)
    _, east, north = row[0, :3]
    fill_component(wide, 1.0, east, north, row[0, EE] + variance_m2, row[0, EN], row[0, NN] + variance_m2)
    edges = zip(np.roll(ring, 1, axis=0), ring, strict=True)
    return sum(line_integral(wide, *begin, *end) for begin, end in edges)


def index_of(polygon, people=1000, **more):
    place = Place(kind="zone", id="z", polygon_m=polygon, people=people, **more)
    return build(threat.Config(places=(place,), hazard_radius_m=50.0))


@pytest.mark.parametrize("seed", range(60))
def test_a_small_zone_in_a_wide_ellipse_within_2e_4_of_the_exact_integral(seed):
    rng = np.random.default_rng(seed)
    index = index_of(crooked(rng, rng.uniform(60.0, 600.0)))
    box = index.boxes[0]
    half_diagonal = 0.5 * math.hypot(box[2] - box[0], box[3] - box[1])
    ratio = RATIO_MAX if seed % 2 else rng.uniform(0.05, RATIO_MAX)
    short = half_diagonal / ratio
    long_std = short * rng.uniform(1.0, 5.0)
    row = component(*rng.normal(0.0, 1.5 * short, 2), long_std, short, rng.uniform(0.0, math.pi))
    found = np.zeros(3)
    grid_integrals(row, 0, index.boxes, index.weights, 0, found)
    exact = mixture_inside(row, index.pieces, 50.0, 0.0)
    assert found[0] == pytest.approx(exact, abs=2e-4)
    assert found[1] == pytest.approx(widened_probability(row, index.rings, 625.0), abs=5e-4)  # a Gaussian for the disc
    assert found[2] == pytest.approx(widened_probability(row, index.rings, index.scales[KERNEL_M2]), abs=2e-4)


@pytest.mark.parametrize("seed", range(40))
def test_the_small_grid_within_1e_4_where_it_is_used(seed):
    rng = np.random.default_rng(500 + seed)
    index = index_of(crooked(rng, rng.uniform(60.0, 600.0)))
    box = index.boxes[0]
    short = 0.5 * math.hypot(box[2] - box[0], box[3] - box[1]) / (0.999 * SMALL_RATIO_MAX)
    row = component(*rng.normal(0.0, 1.2 * short, 2), short * rng.uniform(1.0, 5.0), short, rng.uniform(0.0, math.pi))
    found = np.zeros(3)
    grid_integrals(row, 0, index.boxes, index.weights, 0, found)
    assert found[0] == pytest.approx(mixture_inside(row, index.pieces, 50.0, 0.0), abs=1e-4)
    assert found[2] == pytest.approx(widened_probability(row, index.rings, index.scales[KERNEL_M2]), abs=1e-4)


@pytest.mark.parametrize("seed", range(10))
def test_cramers_bound_holds(seed):
    rng = np.random.default_rng(100 + seed)
    index = index_of(crooked(rng, 300.0))
    box = index.boxes[0]
    half_diagonal = 0.5 * math.hypot(box[2] - box[0], box[3] - box[1])
    for ratio in (0.5, 1.0, SMALL_RATIO_MAX + 0.01, RATIO_MAX):
        small = ratio <= SMALL_RATIO_MAX
        degree, used = (SMALL_DEGREE, slice(SMALL_POINTS)) if small else (DEGREE, slice(SMALL_POINTS, None))
        weights = index.weights[0, used, 0]
        short = half_diagonal / ratio
        row = component(0.3 * short, -0.2 * short, 1.5 * short, short, 0.7)
        found = np.zeros(3)
        grid_integrals(row, 0, index.boxes, index.weights, 0, found)
        exact = mixture_inside(row, index.pieces, 50.0, 0.0)
        unit_m2 = (box[2] - box[0]) * (box[3] - box[1]) / 4.0
        mass_m2 = unit_m2 * (weights.sum() + np.abs(weights).sum())
        bound = (
            1.09
            * ratio ** (degree + 1)
            / math.sqrt(math.factorial(degree + 1))
            * mass_m2
            / (2.0 * math.pi * 1.5 * short**2)
        )
        assert abs(found[0] - exact) <= bound + 1e-7


@pytest.mark.parametrize(("side", "used"), [(SIDE, slice(SMALL_POINTS, None)), (SMALL_SIDE, slice(SMALL_POINTS))])
def test_weights_integrate_every_polynomial_up_to_their_degree(side, used):
    square = ((-100.0, -50.0), (100.0, -50.0), (100.0, 50.0), (-100.0, 50.0))
    index = index_of(square)
    box = index.boxes[0]  # 150 by 100 to either side
    axis = np.linspace(-cubature._SPAN, cubature._SPAN, side)
    u, v = (grid.ravel() for grid in np.meshgrid(axis, axis, indexing="ij"))
    hazard, covered, harmed = index.weights[0, used].T
    spread = 50.0**2 / 4.0
    assert box[:4].tolist() == [-150.0, -100.0, 150.0, 100.0]
    unit_m2 = 150.0 * 100.0
    assert unit_m2 * hazard.sum() == pytest.approx(200 * 100 + 2 * 50 * 300 + math.pi * 2500, rel=1e-9)
    assert unit_m2 * covered.sum() == pytest.approx(20_000.0, rel=1e-9)
    assert unit_m2 * (covered @ u**2) == pytest.approx(20_000 * (1e4 / 3 + spread) / 150.0**2, rel=1e-9)
    harm_m2 = 2500 / 3 + kernel_variance_m2(30.0)
    assert unit_m2 * (harmed @ v**2) == pytest.approx(20_000 * harm_m2 / 100.0**2, rel=1e-9)
    assert abs(hazard @ (u**3 * v)) < 1e-9


@pytest.mark.parametrize(("east", "std"), [(0.0, 20.0), (150.0, 60.0), (300.0, 200.0), (400.0, 900.0)])
def test_expected_casualties_against_monte_carlo(east, std):
    half, people = 200.0, 1000
    square = ((-half, -half), (half, -half), (half, half), (-half, half))
    index = index_of(square, people, outdoor_share=(0.4,))
    found = assess(index, np.array([[1.0, east, 30.0, std**2, 0.0, std**2]]), 0.9, east, 30.0, 0.0)[0]
    rng = np.random.default_rng(9)
    count = 1_000_000
    falls = rng.normal((east, 30.0), std, (count, 2))
    spots = rng.uniform(-half, half, (count, 2))
    square_m2 = np.sum((falls - spots) ** 2, axis=1)
    harm = people * 0.9 * (0.4 + 0.6 * 0.1) * np.exp2(-square_m2 / 30.0**2)
    assert found[CASUALTIES] == pytest.approx(harm.mean(), rel=0.02, abs=4.0 * harm.std() / math.sqrt(count))
    covered = people * 0.9 * (square_m2 <= 50.0**2)
    assert found[EXPOSED] == pytest.approx(covered.mean(), rel=0.02, abs=4.0 * covered.std() / math.sqrt(count))


def test_the_kernel_is_one_half_at_the_casualty_radius_and_integrates_to_its_area():
    r = np.linspace(0.0, 400.0, 400_001)
    kernel = np.exp(-(r**2) / (2.0 * kernel_variance_m2(30.0)))
    assert np.interp(30.0, r, kernel) == pytest.approx(0.5, rel=1e-6)
    assert np.trapezoid(2.0 * math.pi * r * kernel, r) == pytest.approx(lethal_area_m2(30.0), rel=1e-6)
    assert vulnerable_share(1.0, 0.1) == 1.0
    assert vulnerable_share(0.0, 0.1) == pytest.approx(0.1)


def test_people_and_the_share_outdoors_follow_the_hour():
    square = ((-100.0, -100.0), (100.0, -100.0), (100.0, 100.0), (-100.0, 100.0))
    presence = tuple(0.2 if hour < 8 else 1.0 for hour in range(24))
    index = index_of(square, 1000, presence=presence, outdoor_share=tuple([0.0] * 8 + [1.0] * 16))
    mixture = np.array([[1.0, 0.0, 0.0, 100.0, 0.0, 100.0]])
    night = assess(index, mixture, 1.0, 0.0, 0.0, 0.0, 3)[0]
    day = assess(index, mixture, 1.0, 0.0, 0.0, 0.0, 12)[0]
    assert night[EXPOSED] == pytest.approx(0.2 * day[EXPOSED])
    assert night[CASUALTIES] == pytest.approx(0.02 * day[CASUALTIES])
