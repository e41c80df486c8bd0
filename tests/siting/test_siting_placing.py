"""Placement: greedy against exhaustive search, within its guarantee; the bound holds."""

import numpy as np
import pytest

from opencram.errors import UsageError
from opencram.simulation.streams import stream
from opencram.siting.placing import GUARANTEE, exhaustive, greedy, worth_of


def test_greedy_stays_within_its_guarantee_and_mostly_reaches_the_best():
    shares = []
    for k in range(60):
        draws = stream(k, "siting")
        candidates, cells = 8, 40
        if k % 2:  # coverage: what sirens do
            values = (draws.random((candidates, cells)) < 0.3) * draws.exponential(1.0, cells)
        else:  # facility location: what radars do
            values = draws.random((candidates, cells)) ** 3
        count = 2 + k % 3
        ours, best = greedy(values, count), exhaustive(values, count)
        assert best.worth[-1] <= ours.bound + 1e-9
        shares.append(ours.worth[-1] / best.worth[-1])
        assert shares[-1] >= ours.certified - 1e-9
    assert min(shares) >= GUARANTEE
    assert np.median(shares) >= 0.99


def test_greedy_is_caught_out_where_it_must_be():
    """The textbook case: the largest single set is in no best pair."""
    values = np.array([[0, 1, 1, 1, 1, 0], [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]], dtype=float)
    ours, best = greedy(values, 2), exhaustive(values, 2)
    assert (ours.chosen[0], set(best.chosen)) == (0, {1, 2})
    assert ours.worth[-1] == 5.0
    assert best.worth[-1] == 6.0
    assert ours.bound >= 6.0


def test_what_stands_already_counts():
    values = np.array([[5.0, 0.0], [0.0, 1.0]])
    assert greedy(values, 1, np.array([5.0, 0.0])).chosen == (1,)
    assert worth_of(values, (0,), np.array([5.0, 0.0])) == 5.0


def test_too_many_sets_are_refused():
    with pytest.raises(UsageError, match="at most 500000"):
        exhaustive(np.zeros((60, 2)), 8)
