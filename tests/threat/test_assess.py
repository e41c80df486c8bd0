"""Clearance, exposed people and the search for zones, against sampling and against looking at every zone."""

import math

import numpy as np
import pytest
from threat_exact import _one, probability_near

from opencram import threat
from opencram.threat.assess import CLEARANCE_M, EXPOSED, PLACE, PROBABILITY, assess
from opencram.threat.clearance import mixture_inside, signed_distance
from opencram.threat.config import Place
from opencram.threat.gaussian import COMPONENT_SIZE, fill_component
from opencram.threat.index import AREA_M2, LARGE, NUMBER, OUTLINE, _area_m2, build

SQUARE = ((-200.0, -200.0), (200.0, -200.0), (200.0, 200.0), (-200.0, 200.0))
L_SHAPE = ((0.0, 0.0), (400.0, 0.0), (400.0, 100.0), (100.0, 100.0), (100.0, 400.0), (0.0, 400.0))


def index_of(*places, radius_m=50.0):
    return build(threat.Config(places=places, hazard_radius_m=radius_m))


def one(kind, polygon, people=0):
    return Place(kind=kind, id="p", polygon_m=polygon, people=people)


def draw(rng, mixture, count):
    parts = rng.choice(len(mixture), size=count, p=mixture[:, 0])
    means, covariances = mixture[:, 1:3], mixture[:, [3, 4, 4, 5]].reshape(-1, 2, 2)
    roots = np.linalg.cholesky(covariances)
    return means[parts] + np.einsum("nij,nj->ni", roots[parts], rng.normal(size=(count, 2)))


MIXTURES = [
    np.array([[1.0, 1500.0, 200.0, 1e4, 3e3, 4e4]]),
    np.array([[0.8, 900.0, -600.0, 9e4, -2e4, 9e4], [0.2, 1400.0, -900.0, 4e4, 0.0, 4e5]]),
    np.array([[0.5, -700.0, 0.0, 2500.0, 0.0, 100.0], [0.5, 700.0, 0.0, 2500.0, 0.0, 100.0]]),
    np.array([[1.0, 2500.0, 2500.0, 4e6, 0.0, 4e6]]),
    np.array([[1.0, 450.0, 450.0, 25.0, 0.0, 25.0]]),
]


@pytest.mark.parametrize("mixture", MIXTURES)
@pytest.mark.parametrize("polygon", [SQUARE, L_SHAPE])
def test_clearance_is_never_overstated_and_close_for_assets(mixture, polygon):
    index = index_of(one("asset", polygon), one("zone", polygon))
    ring = np.array(polygon)
    points = draw(np.random.default_rng(3), mixture, 20_000)
    distances = np.sort([max(signed_distance(ring, east, north)[0], 0.0) for east, north in points])
    mean = mixture[:, 0] @ mixture[:, 1:3]
    rows = assess(index, mixture, 1.0, mean[0], mean[1], 0.0)
    tolerance = 4.0 * math.sqrt(0.05 * 0.95 / 20_000)
    for row in rows:
        assert np.mean(distances >= row[CLEARANCE_M]) >= 0.95 - tolerance
    if polygon == SQUARE:
        high = distances[int((0.05 + tolerance) * 20_000)]
        low = distances[int((0.05 - tolerance) * 20_000)]
        assert low - 0.01 * low - 1.0 <= rows[0, CLEARANCE_M] <= high


def test_clearance_is_nothing_where_the_round_may_well_land():
    index = index_of(one("asset", SQUARE))
    rows = assess(index, np.array([[1.0, 100.0, 0.0, 1e4, 0.0, 1e4]]), 1.0, 100.0, 0.0, 0.0)
    assert rows[0, CLEARANCE_M] == 0.0


@pytest.mark.parametrize(
    ("east", "std", "half"), [(0.0, 5.0, 375.0), (375.0, 1.0, 375.0), (395.0, 10.0, 375.0), (300.0, 150.0, 200.0)]
)
def test_exposed_people_against_sampling(east, std, half):
    polygon = ((-half, -half), (half, -half), (half, half), (-half, half))
    people, radius_m = 1000, 50.0
    rows = assess(
        index_of(one("zone", polygon, people)), np.array([[1.0, east, 20.0, std**2, 0.0, std**2]]), 1.0, east, 20.0, 0.0
    )
    rng = np.random.default_rng(5)
    impacts = rng.normal((east, 20.0), std, size=(400_000, 2))
    spots = impacts + radius_m * np.sqrt(rng.random((400_000, 1))) * _directions(rng, 400_000)
    density = people / (2.0 * half) ** 2
    expected = density * math.pi * radius_m**2 * np.mean(np.all(np.abs(spots) <= half, axis=1))
    assert rows[0, EXPOSED] == pytest.approx(expected, abs=0.05 * density * math.pi * radius_m**2)


def _directions(rng, count):
    angles = rng.uniform(0.0, 2.0 * math.pi, count)
    return np.column_stack((np.cos(angles), np.sin(angles)))


def test_exposed_people_are_never_more_than_there_are():
    tiny = ((-5.0, -5.0), (5.0, -5.0), (5.0, 5.0), (-5.0, 5.0))
    rows = assess(index_of(one("zone", tiny, 300)), np.array([[1.0, 0.0, 0.0, 1.0, 0.0, 1.0]]), 0.6, 0.0, 0.0, 0.0)
    assert rows[0, EXPOSED] == pytest.approx(180.0, rel=1e-6)


def crooked_town(rng):
    """400 zones of all sizes, lying over each other: some large, most found through the grid."""
    places = []
    for i in range(400):
        centre, size = rng.uniform(-5000, 5000, 2), rng.uniform(20, 900) * (10.0 if i % 80 == 0 else 1.0)
        corners = centre + size * np.array([[0, 0], [1, 0.2], [0.9, 1.1], [0.3, 0.4]])
        places.append(Place(kind="zone", id=f"{i}", people=10, polygon_m=tuple(map(tuple, corners))))
    return places


def random_mixtures(rng, count):
    for _ in range(count):
        rows = []
        for weight in (0.6, 0.4):
            std, lean = 10.0 ** rng.uniform(0.5, 3, 2), rng.uniform(-0.9, 0.9)
            rows.append([weight, *rng.uniform(-6000, 6000, 2), std[0] ** 2, lean * std[0] * std[1], std[1] ** 2])
        yield np.array(rows)


@pytest.mark.parametrize("floor", [1e-4, 1e-3, 0.05])
def test_the_grid_finds_what_looking_at_every_zone_finds(floor):
    """The same integrals either way, so to rounding the same."""
    rng = np.random.default_rng(11)
    places = crooked_town(rng)
    index, alone = index_of(*places), [index_of(place) for place in places]
    assert 0 < index.sizes[LARGE] < 20
    for mixture in random_mixtures(rng, 10):
        mean = mixture[:, 0] @ mixture[:, 1:3]
        every = {}
        for k, own in enumerate(alone):
            for row in assess(own, mixture, 0.9, mean[0], mean[1], floor):
                every[k] = pytest.approx(row[1:].tolist(), rel=1e-12, abs=1e-12)
        assert {int(row[PLACE]): row[1:].tolist() for row in assess(index, mixture, 0.9, *mean, floor)} == every


def test_what_is_found_is_the_exact_integral_within_2e_4():
    """Of two methods: a zone that is small for an ellipse is integrated by its cubature, whose error is under 2e-4."""
    rng = np.random.default_rng(12)
    index = index_of(*crooked_town(rng))
    for mixture in random_mixtures(rng, 10):
        components = np.empty((len(mixture), COMPONENT_SIZE))
        for row, gaussian in zip(components, mixture, strict=True):
            fill_component(row, *gaussian)
        spans = {int(span[NUMBER]): span for span in index.spans}
        for found in assess(index, mixture, 1.0, 0.0, 0.0, 1e-4):
            span = spans[int(found[PLACE])]
            exact = mixture_inside(components, index.pieces[span[OUTLINE] : span[OUTLINE + 1]], 50.0, 0.0)
            assert found[PROBABILITY] == pytest.approx(exact, abs=2e-4)


def test_what_is_found_is_what_cuts_through_the_region_measure():
    """Of two programs: the oracle knows nothing of outlines, Green's theorem or the cubature."""
    rng = np.random.default_rng(13)
    places = crooked_town(rng)
    index = index_of(*places)
    for mixture in random_mixtures(rng, 5):
        for found in assess(index, mixture, 1.0, 0.0, 0.0, 1e-3)[:8]:
            exact = probability_near(np.array(places[int(found[PLACE])].polygon_m), mixture, 50.0)
            assert found[PROBABILITY] == pytest.approx(exact, abs=2e-4)


def test_the_cuts_are_fine_enough():
    mean, covariance = np.array([120.0, -300.0]), (9e4, 3e4, 2e4)
    for polygon in (SQUARE, L_SHAPE):
        once, twice = (_one(np.array(polygon), np.array([*mean, *covariance]), 50.0, panels) for panels in (8, 16))
        assert once == pytest.approx(twice, abs=1e-6)


def test_rings_run_anticlockwise_and_open():
    closed = (*SQUARE[::-1], SQUARE[-1])
    index = index_of(one("zone", closed))
    assert len(index.rings) == 4
    assert _area_m2(index.rings) == index.boxes[0, AREA_M2] == 160_000.0
