"""The plan: within its constraints, never worse than the old one, near the proven optimum, the same every time."""

import numpy as np
import pytest
from engagement_instances import instance, optimum, static_bound, weapons_and_targets
from hypothesis import given as with_
from hypothesis import settings
from hypothesis import strategies as st

from opencram.engagement.search import Options, search


def nothing(given: Options, per_job: int = 1) -> np.ndarray:
    return np.full((len(given.offsets) - 1, per_job), -1)


def obeys(given: Options, plan: np.ndarray) -> None:
    taken, shots = given.used.copy(), given.left.copy()
    for j, row in enumerate(plan):
        for o in row[row >= 0]:
            assert given.offsets[j] <= o < given.offsets[j + 1]
            taken[given.seat[o], given.start[o] : given.end[o]] += 1
            shots[given.seat[o]] -= given.cost[o]
    assert (taken <= given.capacity[:, None]).all()
    assert (shots >= 0).all()


@settings(max_examples=25, deadline=None)
@with_(seed=st.integers(0, 10_000), rounds=st.integers(1, 20), effectors=st.integers(1, 4), steps=st.integers(0, 60))
def test_constraints_hold_the_old_plan_is_a_floor_and_the_bound_a_roof(
    seed: int, rounds: int, effectors: int, steps: int
) -> None:
    given = instance(seed, rounds, effectors, 200)
    value, plan, _, bound = search(given, 1, nothing(given), 20, steps)
    obeys(given, plan)
    assert value <= bound * (1.0 + 1e-9) + 1e-9
    again = search(given, 1, nothing(given), 20, steps)
    assert again[0] == value
    assert (again[1] == plan).all()
    draws = np.random.default_rng(seed)
    old = nothing(given)  # any old plan, of which a part no longer fits
    for j in range(rounds):
        if given.offsets[j] < given.offsets[j + 1] and draws.random() < 0.7:
            old[j, 0] = draws.integers(given.offsets[j], given.offsets[j + 1])
    better, renewed, rechecked, _ = search(given, 1, old, 0, 0)
    obeys(given, renewed)
    assert better >= rechecked - 1e-9
    assert search(given, 1, plan, 20, 0)[0] >= value - 1e-9


@settings(max_examples=10, deadline=None)
@with_(seed=st.integers(0, 1000))
def test_small_plans_are_within_a_hair_of_the_optimum(seed: int) -> None:
    given = instance(seed, 6, 2, 200)
    value = search(given, 1, nothing(given), 100, 400)[0]
    assert value >= 0.99 * optimum(given, gap=1e-6)


def test_fifty_rounds_and_six_effectors_come_within_two_per_cent_of_the_bound() -> None:
    gaps = []
    for seed in range(4):
        given = instance(seed)
        value, plan, _, bound = search(given, 1, nothing(given), 150, 1000)
        obeys(given, plan)
        gaps.append(1.0 - value / bound)
    assert np.mean(gaps) < 0.02


@pytest.mark.slow
def test_a_hundred_frozen_instances_are_within_one_per_cent_on_average() -> None:
    gaps = []
    for seed in range(100):
        given = instance(seed)
        gaps.append(1.0 - search(given, 1, nothing(given), 150, 1000)[0] / optimum(given, gap=1e-3, time_s=20.0))
    assert np.mean(gaps) < 0.01


@pytest.mark.parametrize(("weapons", "targets"), [(5, 10), (10, 20), (20, 20)])
def test_static_instances_are_within_half_a_per_cent_of_a_proven_bound(weapons: int, targets: int) -> None:
    given = weapons_and_targets(1, weapons, targets)
    value, plan, _, _ = search(given, 4, nothing(given, 4), 0, 2000)
    obeys(given, plan)
    assert value >= 0.995 * static_bound(given)
