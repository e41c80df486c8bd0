"""Importance sampling through the study's own draws, on a case with a closed form: right, and worth its name."""

import numpy as np
import pytest

from opencram.config.study import parse_study
from opencram.studies.drawing import draw, run_seed
from opencram.studies.intervals import bootstrap_mean
from study_data import STUDY

SHARE = 0.02  # of the rounds that are aimed at the compound
TRUTH = 3.0 * SHARE**2 * (1.0 - SHARE) + SHARE**3  # two of three rounds or more

RARE = (
    STUDY.replace("east_m = 500.0", "east_m = 5000.0")  # so that no round aimed at the houses falls near the compound
    .replace("count = { integers = [1, 2] }", "count = 3")
    .replace("std_m = 60.0", f"std_m = 60.0, weight = {SHARE}, sample_weight = 0.5")
    .replace("std_m = 120.0", f"std_m = 120.0, weight = {1.0 - SHARE}, sample_weight = 0.5")
)


def sampled(study, first, runs):
    """Weights, and whether the rare thing happened: as a run's row would hold them."""
    drawn = [draw(study, run_seed(study, run, 0)) for run in range(first, first + runs)]
    near = [sum(np.hypot(x["aim_east_m"], x["aim_north_m"]) < 1000.0 for x in each.launches) >= 2 for each in drawn]
    return np.array([each.weight for each in drawn]), np.array(near, dtype=float)


def test_it_is_right_and_needs_far_fewer_runs(tmp_path, capsys):
    study = parse_study(RARE, tmp_path / "study.toml")
    weights, happened = sampled(study, 0, 3000)
    found = bootstrap_mean(happened, weights)
    ratio = TRUTH * (1.0 - TRUTH) / np.var(weights * happened)
    with capsys.disabled():
        print(f"  [importance: {found}, truth {TRUTH:.5f}, variance ratio {ratio:.0f}]", end="")
    assert found.low <= TRUTH <= found.high
    assert ratio >= 10.0


@pytest.mark.slow
def test_its_intervals_hold_the_truth_as_often_as_they_say(tmp_path):
    """100 studies of 300 runs (seed 5)."""
    study = parse_study(RARE, tmp_path / "study.toml")
    weights, happened = sampled(study, 0, 30_000)
    held = 0
    for k in range(100):
        part = slice(300 * k, 300 * (k + 1))
        found = bootstrap_mean(happened[part], weights[part])
        held += found.low <= TRUTH <= found.high
    assert held >= 89, held  # 93 % less two deviations of a binomial of 100
