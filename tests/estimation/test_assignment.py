"""Assignment against an independent solver, and small linear algebra against LAPACK."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from opencram.estimation.assignment import assign

FORBIDDEN = 1e9  # stands for infinity where the other solver needs a number


def total(cost, columns, unassigned):
    """Price of an assignment; every column at most once and no forbidden pair."""
    used = [column for column in columns if column >= 0]
    assert len(used) == len(set(used))
    pairs = [cost[row, column] for row, column in enumerate(columns) if column >= 0]
    assert all(map(math.isfinite, pairs))
    return sum(pairs) + unassigned * (len(columns) - len(pairs))


def least(cost, unassigned):
    """Price of the best assignment, by SciPy, each row with a private column for staying alone."""
    rows, columns = cost.shape
    wide = np.full((rows, columns + rows), FORBIDDEN)
    wide[:, :columns] = np.where(np.isfinite(cost), cost, FORBIDDEN)
    wide[np.arange(rows), columns + np.arange(rows)] = unassigned
    return wide[linear_sum_assignment(wide)].sum()


entries = st.one_of(st.just(math.inf), st.floats(-30.0, 40.0), st.integers(-3, 25).map(float))  # integers: ties


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 8), st.integers(0, 8), st.floats(-5.0, 30.0), st.data())
def test_no_other_assignment_is_cheaper(rows, columns, unassigned, data):
    numbers = data.draw(st.lists(entries, min_size=rows * columns, max_size=rows * columns))
    cost = np.array(numbers, dtype=np.float64).reshape(rows, columns)
    found = assign(cost, unassigned)
    assert found.shape == (rows,)
    assert total(cost, found.tolist(), unassigned) == pytest.approx(least(cost, unassigned), abs=1e-9)


@pytest.mark.parametrize(("rows", "columns"), [(60, 60), (20, 150), (150, 20)])
@pytest.mark.parametrize("allowed", [0.05, 0.5, 1.0])
def test_crowds_are_solved_as_well(rows, columns, allowed):
    draws = np.random.default_rng(rows * 1000 + columns)
    cost = draws.uniform(0.0, 25.0, (rows, columns))
    cost[draws.random((rows, columns)) > allowed] = math.inf
    found = assign(cost, 20.0)
    assert total(cost, found.tolist(), 20.0) == pytest.approx(least(cost, 20.0), abs=1e-9)


def test_nothing_to_assign():
    assert assign(np.empty((0, 4)), 20.0).tolist() == []
    assert assign(np.empty((3, 0)), 20.0).tolist() == [-1, -1, -1]
    assert assign(np.full((3, 2), np.inf), 20.0).tolist() == [-1, -1, -1]


def test_the_input_is_left_as_it_was():
    cost = np.array([[1.0, 2.0], [1.5, math.inf]])
    before = cost.copy()
    assert assign(cost, 20.0).tolist() == [1, 0]
    assert (cost == before).all()


def test_an_entry_that_is_no_number_is_never_chosen():
    cost = np.array([[math.nan, 3.0], [2.0, math.nan], [math.nan, math.nan]])
    assert assign(cost, 20.0).tolist() == [1, 0, -1]


def test_the_same_costs_give_the_same_answer_even_with_ties():
    cost = np.ones((6, 6))
    first = assign(cost, 20.0).tolist()
    assert sorted(first) == list(range(6))
    assert all(assign(cost.copy(), 20.0).tolist() == first for _ in range(3))
