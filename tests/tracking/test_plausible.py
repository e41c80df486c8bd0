"""What a round cannot do: be slow, stay low, begin in the middle of the sky, fit its plots badly."""

import math

import numpy as np
import pytest
from tracking_worlds import NORTH, ROCKET, earth, every, flown, noisy, polar

from opencram.ballistics.drag import standard_curve
from opencram.tracking.plausible import fast, height, log_unseen, misfit

AS_STATED = np.array([[[1.0, 0.0, 1.0]] * 3])
ENV = earth()
RADARS = np.array([NORTH.position_enu_m]), np.array([20_000.0]), np.array([0.1]), np.array([math.log(0.1)])


def test_what_may_be_fast_is_fast():
    x, p = np.array([0.0, 0.0, 0.0, 30.0, 0.0, 0.0]), np.zeros((6, 6))
    assert not fast(x, p, 40.0)
    p[3, 3] = 6.0**2
    assert fast(x, p, 40.0)


def test_height_is_over_the_ground():
    assert height(np.array([0.0, 0.0, 120.0]), ENV) == pytest.approx(120.0, abs=1e-6)


@pytest.mark.parametrize(
    ("place", "before_s", "scans"),
    [
        ((3000.0, 3000.0, 2000.0), 60.0, 4),  # in the middle of the sky
        ((3000.0, 3000.0, 2000.0), 0.25, 2),  # as soon as the radar looks
        ((3000.0, 3000.0, 40.0), 60.0, 0),  # just over the ground
        ((9000.0, 9000.0, 300.0), 60.0, 0),  # over the horizon
        ((15_000.0, 13_000.0, 9000.0), 60.0, 0),  # from beyond the range
    ],
)
def test_what_begins_in_full_view_ought_to_have_been_seen(place, before_s, scans):
    x = np.array([*place, -150.0, -100.0, 20.0])
    unseen, sky = log_unseen(x, 0.0, np.array([before_s]), ENV, *RADARS)
    assert unseen == pytest.approx(scans * math.log(0.1))
    assert sky == pytest.approx((4 if scans else 0) * math.log(0.1))


def test_plots_of_one_round_fit_and_those_of_two_do_not():
    times = every(0.1, 1.0)
    truth = flown(ROCKET, times)
    curve = standard_curve("G7")
    now = np.array([*truth[-1], *ROCKET[6:]])
    weights = np.tile(1.0 / np.array([10.0, 1.5e-3, 1.5e-3, 1.0]), (len(times), 1))
    rest = np.zeros(len(times), dtype=np.int64), weights, np.eye(3)[np.newaxis], RADARS[0]
    found = []
    for apart_m in (0.0, 60.0):
        z = noisy(NORTH, polar(NORTH, truth), np.random.default_rng(4))
        z[::2, 0] += apart_m
        sensors, _, rotation, origin = rest
        found.append(misfit(now, times[-1], times, sensors, z, weights, ENV, curve, rotation, origin, AS_STATED))
    assert found[0] > -6.0
    assert found[1] == -15.0
