"""Warn now or wait: the worth of a wait against sampling of what will be known, and its plain limits."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from opencram.warning.shelter import usual_shelter_times_s
from opencram.warning.wait import gain_of_waiting, offset_m, protected, sharpening_per_s

TIMES_S = np.array(usual_shelter_times_s(15.0))


def gain(*rounds, threshold=0.05, half_width_m=250.0, latency_s=1.0, times_s=TIMES_S, sharpening=1.0, risk=0.002):
    return gain_of_waiting(np.array(rounds), threshold, half_width_m, latency_s, times_s, 0.5, sharpening, risk)


def interval(offset, half, std):
    return norm.cdf((half - offset) / std) - norm.cdf((-half - offset) / std)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.001, 0.6), st.floats(30.0, 600.0), st.floats(1.0, 3000.0))
def test_the_stand_in_has_the_probability_it_stands_for(probability, half, std):
    offset = offset_m(probability, half, std)
    if interval(0.0, half, std) > probability:
        assert interval(offset, half, std) == pytest.approx(probability, rel=1e-6)
    else:
        assert offset == 0.0


@pytest.mark.parametrize(("p", "left_s", "std"), [(0.1, 19.0, 300.0), (0.3, 17.0, 150.0), (0.3, 25.0, 600.0)])
def test_worth_of_a_wait_against_sampling_of_the_sharper_prediction(p, left_s, std):
    """Draw where the round falls and what is measured meanwhile, and decide by Bayes' rule each time."""
    rng = np.random.default_rng(5)
    half, odds = 250.0, 0.05 / 0.95
    offset = offset_m(p, half, std)
    best = -math.inf
    for delay_s in (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0):
        shrink = math.exp(-sharpening_per_s(std) * delay_s)
        fall = offset + std * rng.normal(size=100_000)
        noise = std * shrink / math.sqrt(1.0 - shrink**2)  # of the measurement that leaves std × shrink
        estimate = offset * shrink**2 + (1.0 - shrink**2) * (fall + noise * rng.normal(size=fall.size))
        known = interval(estimate, half, std * shrink)
        share = protected(left_s - delay_s, 0.3, 1.0, TIMES_S, 0.5)
        alarm = known * share > (1.0 - known) * odds
        hit = np.abs(fall) <= half
        worth = np.mean(alarm * np.where(hit, share, -odds))
        best = max(best, math.exp(-0.002 * delay_s) * worth)
    now = p * protected(left_s, 0.3, 1.0, TIMES_S, 0.5) - (1.0 - p) * odds
    assert gain((p, left_s, 0.3, std)) == pytest.approx(best - max(now, 0.0), abs=0.004)


def test_there_is_nothing_to_wait_for_when_it_is_sure_or_late():
    assert gain((0.999, 40.0, 0.1, 100.0)) < 0.0
    assert gain((0.3, 14.0, 0.1, 20.0)) < 0.0  # the slow have no time left
    assert gain((0.3, 40.0, 0.1, 300.0)) > 0.0


def test_an_ellipse_that_does_not_sharpen_is_not_worth_waiting_for():
    assert gain((0.3, 40.0, 0.1, 300.0), sharpening=0.0) <= 0.0


def test_two_vague_rounds_are_waited_for_together():
    one = (0.2, 40.0, 0.1, 300.0)
    assert gain(one, one) > 0.0
    assert gain(one, one) < gain(one)  # either may come: an alarm is less likely to be in vain


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(-10, 300), st.floats(0, 10), st.floats(0, 1e6)), min_size=1, max_size=8
    ),
    st.floats(1e-4, 1.0),
    st.floats(0.1, 1e5),
    st.floats(0.0, 60.0),
)
def test_any_rounds_give_a_finite_worth_within_one(rounds, threshold, half, latency):
    rounds.sort(reverse=True)
    worth = gain(*rounds, threshold=threshold, half_width_m=half, latency_s=latency)
    assert math.isfinite(worth)
    assert worth <= 1.0 + 1e-9


def test_protection_falls_as_time_runs_out_and_lying_down_is_the_last_of_it():
    shares = [protected(left, 0.1, 1.0, TIMES_S, 0.5) for left in np.arange(-1.0, 30.0, 0.25)]
    assert all(b >= a - 1e-12 for a, b in itertools.pairwise(shares))
    assert shares[0] == pytest.approx(0.0, abs=1e-3)
    assert shares[-1] == pytest.approx(1.0, abs=1e-3)
    assert protected(5.0, 0.1, 1.0, TIMES_S, 0.5) == pytest.approx(0.5, abs=0.05)


def test_nine_in_ten_reach_shelter_in_the_time_given():
    assert np.mean(np.array(usual_shelter_times_s(20.0)) <= 20.0) == pytest.approx(0.9)
