"""The plan: within its constraints, never worse than the old one, near the proven optimum, the same every time."""

import csv
from pathlib import Path

import numpy as np
import pytest
from engagement_instances import instance, optimum, static_bound, weapons_and_targets
from hypothesis import given as with_
from hypothesis import settings
from hypothesis import strategies as st

from opencram.engagement.book import END, JOB, NONE, Given
from opencram.engagement.search import search
from opencram.engagement.static import assigned, saved

OPTIMA = Path(__file__).parent / "frozen_optima.csv"


def nothing(given: Given) -> np.ndarray:
    return np.full((len(given.first) - 1) // len(given.capacity), NONE)


def obeys(given: Given, plan: np.ndarray) -> None:
    taken = (given.busy[:, :, None] > np.arange(given.option[:, END].max() + 1)).sum(axis=1)
    shots = given.left.copy()
    for j, o in enumerate(plan.tolist()):
        if o != NONE:
            seat, start, end, cost, job = given.option[o].tolist()
            assert job == j
            taken[seat, start:end] += 1
            shots[seat] -= cost
    assert (taken <= given.capacity[:, None]).all()
    assert (shots >= 0).all()


@settings(max_examples=25, deadline=None)
@with_(seed=st.integers(0, 10_000), rounds=st.integers(1, 20), effectors=st.integers(1, 4), steps=st.integers(0, 60))
def test_constraints_hold_the_old_plan_is_a_floor_and_the_bound_a_roof(
    seed: int, rounds: int, effectors: int, steps: int
) -> None:
    given = instance(seed, rounds, effectors, 200)
    if not len(given.value):
        return
    draws = np.random.default_rng(seed)
    given.busy[:, 0] = draws.integers(0, 120, effectors)  # channels that are taken already
    value, plan, _, bound = search(given, nothing(given), 20, steps)
    obeys(given, plan)
    assert value == pytest.approx(given.value[plan[plan != NONE]].sum())
    assert value <= bound * (1.0 + 1e-9) + 1e-9
    again = search(given, nothing(given), 20, steps)
    assert again[0] == value
    assert (again[1] == plan).all()
    old = nothing(given)  # any old plan, of which a part no longer fits
    for j in range(rounds):
        mine = np.flatnonzero(given.option[:, JOB] == j)
        if len(mine) and draws.random() < 0.7:
            old[j] = draws.choice(mine)
    better, renewed, rechecked, _ = search(given, old, 0, 0)
    obeys(given, renewed)
    assert better >= rechecked - 1e-9
    assert search(given, plan, 20, 0)[0] >= value - 1e-9


@settings(max_examples=10, deadline=None)
@with_(seed=st.integers(0, 1000))
def test_small_plans_are_within_a_hair_of_the_optimum(seed: int) -> None:
    given = instance(seed, 6, 2, 200)
    value = search(given, nothing(given), 100, 400)[0]
    assert value >= 0.99 * optimum(given, gap=1e-6)[1]


def frozen_optima() -> list[float]:
    """Return the proven optima of the frozen instances, which `benchmarks/engagement_plan.py --milp` writes."""
    with OPTIMA.open() as file:
        return [float(row["bound"]) for row in csv.DictReader(file)]


def test_fifty_rounds_and_six_effectors_come_within_one_per_cent_of_the_proven_optimum() -> None:
    gaps = []
    for seed, best in enumerate(frozen_optima()[:12]):
        given = instance(seed)
        value, plan, _, bound = search(given, nothing(given), 150, 3000)
        obeys(given, plan)
        assert best <= bound * (1.0 + 1e-6)
        gaps.append(1.0 - value / best)
    assert np.mean(gaps) < 0.003
    assert max(gaps) < 0.01


@pytest.mark.slow
def test_a_hundred_frozen_instances_are_within_one_per_cent() -> None:
    gaps = []
    for seed, best in enumerate(frozen_optima()):
        given = instance(seed)
        gaps.append(1.0 - search(given, nothing(given), 150, 3000)[0] / best)
    assert len(gaps) == 100
    assert np.mean(gaps) < 0.0015
    assert max(gaps) < 0.01


def test_the_few_steps_of_a_decision_come_near_what_many_find() -> None:
    """Ten steps and twenty of prices, as the stage takes them, from nothing: it goes on where it left off."""
    gaps = []
    for seed in range(2000, 2006):
        given = instance(seed, 40, 4)
        value, plan, _, _ = search(given, nothing(given), 20, 10)
        obeys(given, plan)
        gaps.append(1.0 - value / search(given, nothing(given), 150, 1500)[0])
    assert np.mean(gaps) < 0.02
    assert max(gaps) < 0.05


@pytest.mark.parametrize(("weapons", "targets"), [(5, 10), (10, 20), (20, 20), (50, 50)])
def test_static_instances_are_within_half_a_per_cent_of_a_proven_bound(weapons: int, targets: int) -> None:
    kill, worth = weapons_and_targets(1, weapons, targets)
    value, target = assigned(kill, worth)
    assert value == pytest.approx(saved(kill, worth, target))
    assert value >= 0.995 * static_bound(kill, worth, value, 100)


@settings(max_examples=20, deadline=None)
@with_(seed=st.integers(0, 10_000))
def test_the_bound_on_static_instances_holds_and_small_ones_are_solved(seed: int) -> None:
    kill, worth = weapons_and_targets(seed, 4, 3)
    every = np.array(np.meshgrid(*[range(3)] * 4)).reshape(4, -1).T
    best = max(saved(kill, worth, each) for each in every)
    value = assigned(kill, worth)[0]
    assert value <= best + 1e-9
    assert value >= best * (1.0 - 1e-12)
    assert static_bound(kill, worth, value, 60) >= best - 1e-9


def test_rounds_that_are_worth_nothing_get_no_plan() -> None:
    given = instance(3, 8, 2, 200)
    given.value[:] = 0.0
    value, plan, _, bound = search(given, nothing(given), 20, 10)
    assert value == 0.0
    assert bound == 0.0
    assert (plan == NONE).all()
