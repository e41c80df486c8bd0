"""Drag curves: every standard one loads, and resampling leaves the published points where they are."""

import csv
from importlib import resources

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from opencram.ballistics.classes import CLASS_BANK
from opencram.ballistics.drag import STANDARD_CURVES, monotone_cubic, read_curve, resample, standard_curve
from opencram.ballistics.motion import MACH_MAX, MACH_STEP


def published(name):
    path = resources.files("opencram.ballistics") / "data" / f"drag_{name}.csv"
    rows = list(csv.DictReader(path.read_text().splitlines()))
    return np.array([float(r["mach"]) for r in rows]), np.array([float(r["cd"]) for r in rows])


@pytest.mark.parametrize("name", STANDARD_CURVES)
def test_a_standard_curve_passes_through_its_points(name):
    mach, cd = published(name)
    curve = standard_curve(name)
    assert len(curve) == round(MACH_MAX / MACH_STEP) + 1
    on_grid = np.abs(mach / MACH_STEP - np.round(mach / MACH_STEP)) < 1e-9
    assert on_grid.sum() > 0.8 * len(mach)
    places = np.round(mach[on_grid] / MACH_STEP).astype(int)
    assert curve[places] == pytest.approx(cd[on_grid], rel=1e-12)
    # Others (Mach 1.025) lie between two rows, and straight lines cut the bend there a little.
    assert np.interp(mach, np.arange(len(curve)) * MACH_STEP, curve) == pytest.approx(cd, rel=8e-3)


@pytest.mark.parametrize("name", STANDARD_CURVES)
def test_a_standard_curve_is_that_of_scipy_bit_for_bit(name):
    mach, cd = published(name)
    grid = np.clip(np.arange(round(MACH_MAX / MACH_STEP) + 1) * MACH_STEP, mach[0], mach[-1])
    assert np.array_equal(standard_curve(name), PchipInterpolator(mach, cd)(grid))


@given(st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.25, 0.7, 1.3]), min_size=2, max_size=12), st.randoms())
def test_peaks_hollows_and_level_pieces_are_those_of_scipy(values, draw):
    places = np.cumsum([draw.uniform(0.01, 1.0) for _ in values])
    at = np.linspace(places[0], places[-1], 57)
    made = monotone_cubic(places, np.array(values), at)
    assert np.array_equal(made, PchipInterpolator(places, values)(at))
    assert made.min() >= min(values) - 1e-12
    assert made.max() <= max(values) + 1e-12


@pytest.mark.parametrize("name", STANDARD_CURVES)
def test_a_standard_curve_has_the_shape_of_drag(name):
    curve = standard_curve(name)
    assert np.isfinite(curve).all()
    assert 0.1 < curve.min() < curve.max() < 1.0
    peak = curve.argmax() * MACH_STEP
    assert 0.9 < peak < 2.0
    assert curve[round(0.6 / MACH_STEP)] < 0.6 * curve.max()  # well below the speed of sound there is little


def test_a_standard_curve_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        standard_curve("G7")[0] = 0.0


def test_every_flight_model_flies_on_a_standard_curve():
    assert {model.curve for model in CLASS_BANK} <= set(STANDARD_CURVES)
    assert sum(model.prior for model in CLASS_BANK) < 1.0


steps = st.lists(st.floats(0.02, 0.6), min_size=1, max_size=20)


@settings(deadline=None)
@given(st.floats(0.0, 0.5), steps, st.data())
def test_resampling_never_leaves_the_values_on_both_sides(first, gaps, data):
    """What PCHIP is for: no overshoot between two points, and the end values outside."""
    mach = first + np.concatenate([[0.0], np.cumsum(gaps)])
    cd = np.array(data.draw(st.lists(st.floats(0.05, 1.0), min_size=len(mach), max_size=len(mach))))
    curve = resample(mach, cd)
    grid = np.arange(len(curve)) * MACH_STEP
    after = np.clip(np.searchsorted(mach, grid), 1, len(mach) - 1)
    low, high = np.minimum(cd[after - 1], cd[after]), np.maximum(cd[after - 1], cd[after])
    inside = (grid >= mach[0]) & (grid <= mach[-1])
    assert (curve[inside] >= low[inside] - 1e-12).all()
    assert (curve[inside] <= high[inside] + 1e-12).all()
    assert (curve[grid < mach[0]] == cd[0]).all()
    assert curve[grid > mach[-1]] == pytest.approx(cd[-1], rel=1e-12)


def test_a_users_own_curve_is_read(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("mach,cd\n0,0.2\n1,0.4\n5,0.3\n")
    curve = read_curve(path)
    assert curve[[round(mach / MACH_STEP) for mach in (0, 1, 5)]] == pytest.approx([0.2, 0.4, 0.3], rel=1e-12)
