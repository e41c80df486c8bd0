"""Metrics against cases worked by hand, and the properties that define them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencram.evaluation import metrics

POINTS = st.lists(st.tuples(*[st.floats(-100.0, 100.0)] * 2), max_size=5).map(
    lambda rows: np.array(rows).reshape(-1, 2)
)


# ---- OSPA and GOSPA -------------------------------------------------------------------------------


def test_ospa_of_a_case_worked_by_hand():
    """One pair 3 m apart, one truth without an estimate, c = 10, p = 2: √((9 + 100) / 2)."""
    found = metrics.ospa([[0.0, 0.0], [50.0, 0.0]], [[3.0, 0.0]], cutoff=10.0)
    assert found.distance == pytest.approx(math.sqrt(109.0 / 2.0))
    assert found.localisation == pytest.approx(math.sqrt(4.5))
    assert found.cardinality == pytest.approx(math.sqrt(50.0))
    first = metrics.ospa([[0.0, 0.0], [50.0, 0.0]], [[3.0, 0.0]], cutoff=10.0, order=1.0)
    assert first.distance == pytest.approx(6.5)


def test_gospa_of_a_case_worked_by_hand():
    """Pairs 3 and 4 m apart, one missed, two false of which one is a far pair's: 9 + 16 + 100/2 · (1 + 1 + 1 + 1)."""
    truth = [[0.0, 0.0], [20.0, 0.0], [200.0, 0.0], [300.0, 0.0]]
    estimates = [[3.0, 0.0], [20.0, 4.0], [220.0, 0.0], [-99.0, 7.0]]
    found = metrics.gospa(truth, estimates, cutoff=10.0)
    assert (found.assigned, found.missed, found.false) == (2, 2, 2)
    assert found.localisation == pytest.approx(25.0)
    assert found.missed_cost == found.false_cost == pytest.approx(100.0)
    assert found.distance == pytest.approx(15.0)


def test_the_assignment_is_the_best_of_all_and_not_the_nearest_first():
    truth, estimates = (
        [[0.0], [4.0]],
        [[3.0], [-6.0]],
    )  # nearest first: 1 + 6; the best: 3 + 10 is worse, so 1² + 6² holds
    assert metrics.ospa(truth, estimates, cutoff=50.0).distance == pytest.approx(math.sqrt((1.0 + 36.0) / 2.0))
    truth, estimates = [[0.0], [4.0]], [[3.0], [9.0]]  # nearest first: 4→3, then 0→9; the best: 0→3, 4→9
    assert metrics.ospa(truth, estimates, cutoff=50.0).distance == pytest.approx(math.sqrt((9.0 + 25.0) / 2.0))


def test_nothing_and_nothing_are_equal():
    for empty in ([], np.zeros((0, 3))):
        assert metrics.ospa(empty, empty, cutoff=5.0).distance == 0.0
        assert metrics.gospa(empty, empty, cutoff=5.0).distance == 0.0
    alone = metrics.gospa([], [[1.0, 2.0]], cutoff=10.0)
    assert (alone.false, alone.missed, alone.distance) == (1, 0, pytest.approx(math.sqrt(50.0)))
    assert metrics.ospa([], [[1.0, 2.0]], cutoff=10.0).distance == pytest.approx(10.0)


@settings(deadline=None, max_examples=80)
@given(POINTS, POINTS, POINTS)
def test_both_are_metrics(one, other, third):
    for measure in (metrics.ospa, metrics.gospa):
        distance = [measure(a, b, cutoff=30.0).distance for a, b in ((one, other), (other, third), (one, third))]
        assert measure(other, one, cutoff=30.0).distance == pytest.approx(distance[0])
        assert measure(one, one, cutoff=30.0).distance == 0.0
        assert distance[2] <= distance[0] + distance[1] + 1e-6
    assert metrics.ospa(one, other, cutoff=30.0).distance <= 30.0 + 1e-9
    parts = metrics.gospa(one, other, cutoff=30.0)
    assert parts.distance**2 == pytest.approx(parts.localisation + parts.missed_cost + parts.false_cost)
    assert parts.assigned + parts.missed == len(one)
    assert parts.assigned + parts.false == len(other)


@pytest.mark.parametrize(("cutoff", "order"), [(0.0, 2.0), (-1.0, 2.0), (math.nan, 2.0), (5.0, 0.5)])
def test_a_cutoff_or_an_order_that_makes_no_metric_is_refused(cutoff, order):
    with pytest.raises(ValueError, match="cutoff"):
        metrics.ospa([[0.0]], [[1.0]], cutoff=cutoff, order=order)


# ---- consistency and coverage ---------------------------------------------------------------------


def test_nees_and_nis_of_a_case_worked_by_hand():
    covariance = np.array([[4.0, 0.0], [0.0, 9.0]])
    assert metrics.nees([[2.0, 3.0]], [[0.0, 0.0]], covariance[np.newaxis]) == pytest.approx([2.0])
    assert metrics.nis([2.0, 6.0], covariance) == pytest.approx(5.0)
    both = metrics.mahalanobis_2([[2.0, 3.0], [1.0, 1.0]], [covariance, np.zeros((2, 2))])
    assert both[0] == pytest.approx(2.0)
    assert math.isnan(both[1])


def test_honest_covariances_are_called_honest_and_others_not():
    draws = np.random.default_rng(4)
    root = np.linalg.cholesky(np.array([[4.0, 1.0], [1.0, 9.0]]))
    errors = draws.standard_normal((2000, 2)) @ root.T
    covariances = np.broadcast_to(root @ root.T, (2000, 2, 2))
    values = metrics.mahalanobis_2(errors, covariances)
    found = metrics.consistency(values, 2)
    assert found.honest
    assert (found.low, found.high) == pytest.approx((1.0 - 0.0438, 1.0 + 0.0438), abs=0.001)  # ± 1.96 √(2 / 4000)
    assert metrics.consistency(values / 0.8, 2).mean > found.high
    assert not metrics.consistency(values / 0.8, 2).honest
    assert metrics.consistency([], 2).runs == 0
    held = metrics.coverage(errors, covariances)
    assert held.low < 0.95 < held.high
    assert metrics.coverage(errors * 1.5, covariances).high < 0.9


def test_gates_are_quantiles_of_chi_squared():
    assert metrics.gate(2, 0.95) == pytest.approx(5.99146, abs=1e-5)
    assert metrics.gate(3, 0.95) == pytest.approx(7.81473, abs=1e-5)


def test_wilsons_interval_is_that_of_the_tables():
    """Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    for hits, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        found = metrics.wilson(hits, n)
        assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    assert (metrics.wilson(0, 0).low, metrics.wilson(0, 0).high) == (0.0, 1.0)
    assert str(metrics.wilson(19, 20)) == "0.950 [0.764, 0.991] of 20"
    with pytest.raises(ValueError, match="3 hits of 2"):
        metrics.wilson(3, 2)


def test_impact_errors_are_level_distances():
    assert metrics.impact_error_m([[3.0, 4.0, 90.0]], [[0.0, 0.0, 0.0]]) == pytest.approx([5.0])
    assert metrics.drms([3.0, 4.0]) == pytest.approx(math.sqrt(12.5))
    assert math.isnan(metrics.drms([]))


def test_a_covariance_that_is_none_holds_nothing_and_is_no_sign_of_honesty():
    bad = [
        [[-1.0, 0.0], [0.0, -1.0]],
        [[1.0, 2.0], [2.0, 1.0]],
        [[math.nan, 0.0], [0.0, 1.0]],
        [[0.0, 0.0], [0.0, 1.0]],
    ]
    assert np.isnan(metrics.mahalanobis_2(np.ones((4, 2)), bad)).all()
    assert metrics.coverage(np.ones((4, 2)), bad).hits == 0
    assert metrics.coverage([[math.nan, 0.0]], [np.eye(2)]).hits == 0
    assert metrics.coverage([], []).n == 0
    found = metrics.consistency([2.0, 1.5, math.nan, math.inf], 2)
    assert (found.runs, found.left_out, found.honest) == (2, 2, False)
    assert metrics.consistency([2.0, 1.5], 2).honest


@pytest.mark.parametrize("distance", [metrics.ospa, metrics.gospa])
def test_points_that_are_none_are_refused_with_a_reason(distance):
    with pytest.raises(ValueError, match="not a number"):
        distance([[math.nan, 0.0]], [[0.0, 0.0]], cutoff=10.0)
    for one, other in (([[1.0, 2.0, 3.0]], [[1.0, 2.0]]), ([1.0, 2.0], [1.0])):
        with pytest.raises(ValueError, match=r"must be \(m, d\) and \(n, d\)"):
            distance(one, other, cutoff=10.0)
    assert distance([[math.inf, 0.0]], [[0.0, 0.0]], cutoff=10.0).distance == pytest.approx(10.0)
