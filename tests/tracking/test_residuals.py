"""What is left of a track's plots beside a flight, and the curves that an unknown flight makes of it."""

import numpy as np
import pytest
from numpy.polynomial import legendre
from tracking_worlds import LEVEL, MORTAR, NORTH, earth, every, flown, polar, radar

from opencram.ballistics.drag import standard_curve
from opencram.ballistics.propagation import LN_BETA, WIND_E, WIND_N
from opencram.tracking.residuals import burns, curve_precision, flight_residuals, weighed

TIMES = every(0.1, 6.05)
SPREADS = np.array([50.0, 50.0, 50.0, 8.0, 8.0, 8.0, 0.45, 5.0, 5.0, 2.0])


def seen_from_its_end(off=(0.0,) * 10):
    """Residuals (n, 3) and derivatives (3, n, 10) of exact plots of a mortar round, about a state `off` its end."""
    state = np.array(MORTAR)
    states = flown(state, TIMES, curve="G5")
    end = np.concatenate([states[-1], state[6:]]) + np.array(off)
    residuals, rows = np.empty((len(TIMES), 3)), np.empty((3, len(TIMES), 10))
    flight_residuals(
        end, TIMES - TIMES[-1], polar(NORTH, states), earth(), standard_curve("G5"), np.array(LEVEL).reshape(3, 3),
        np.array(NORTH.position_enu_m), residuals, rows,
    )  # fmt: skip
    return residuals, rows


def test_a_flight_leaves_nothing_of_its_own_plots():
    residuals, _ = seen_from_its_end()
    assert (np.abs(residuals).max(axis=0) < [0.05, 2e-5, 2e-5]).all()


@pytest.mark.parametrize("j", range(10))
def test_derivatives_tell_what_another_flight_leaves(j):
    off = np.zeros(10)
    off[j] = 0.01 * SPREADS[j]
    exact, rows = seen_from_its_end()
    residuals, _ = seen_from_its_end(off)
    expected = -rows[:, :, j].T * off[j]
    assert (np.abs(residuals - exact - expected) <= 0.02 * np.abs(expected).max(axis=0) + 1e-7).all()


def test_the_curve_has_the_covariance_that_the_unknown_flight_gives_it():
    _, rows = seen_from_its_end()
    t = 2.0 * (TIMES - TIMES[0]) / np.ptp(TIMES) - 1.0
    for m, stated in enumerate((10.0, 1.5e-3, 1.5e-3)):
        columns = rows[m] * SPREADS
        changes = rows[m][:, [LN_BETA, WIND_E, WIND_N]] * t[:, None] * [0.1, 2.0, 2.0]
        curves = np.linalg.lstsq(legendre.legvander(t, 4), np.hstack([columns, changes]), rcond=None)[0]
        expected = curves @ curves.T + np.diag([30.0, 0.02, 0.02, 0.02, 0.02]) ** 2 * stated**2
        precision = np.empty((5, 5))
        assert curve_precision(TIMES, rows[m], SPREADS, stated, precision)
        assert precision @ expected == pytest.approx(np.eye(5), abs=1e-5)


def test_no_curve_is_known_of_an_azimuth_straight_over_the_radar():
    """The azimuth turns by half a circle within a second, which no polynomial does; the range does not."""
    times = every(0.1, 12.0)
    states = flown(MORTAR, times, curve="G5")
    middle = states[len(states) // 2]
    across = np.array([middle[4], -middle[3]]) / np.hypot(middle[3], middle[4])
    for aside_m, known in ((40.0, False), (4000.0, True)):
        place = np.array([*(middle[:2] + aside_m * across), 0.0])
        residuals, rows = np.empty((len(times), 3)), np.empty((3, len(times), 10))
        z = polar(radar("below", tuple(place)), states)
        end = np.concatenate([states[-1], MORTAR[6:]])
        level = np.array(LEVEL).reshape(3, 3)
        flight_residuals(end, times - times[-1], z, earth(), standard_curve("G5"), level, place, residuals, rows)
        assert np.abs(residuals[:, 0]).max() < 0.1
        precision = np.empty((5, 5))
        assert curve_precision(times, rows[0], SPREADS, 10.0, precision)
        assert curve_precision(times, rows[1], SPREADS, 1.5e-3, precision) == known


def test_motors_bend_a_track_until_they_have_burnt_out():
    """Only those count that leave enough plots before their end, and enough time after it."""
    ages_s = np.arange(0.0, 3.01, 0.1)
    bends = burns(ages_s)
    assert bends.shape == (len(ages_s), 5)  # of 3 s not
    for bend, burn_s in zip(bends.T, (0.4, 0.8, 1.2, 1.6, 2.2), strict=True):
        assert bend == pytest.approx(0.5 * np.maximum(burn_s - ages_s, 0.0) ** 2)
    assert burns(ages_s + 3.0).shape[1] == 0
    assert burns(ages_s[::10]).shape[1] == 3


def test_what_a_motor_explains_counts_for_no_error():
    """Both ways are weighed, a motor with one in ten."""
    ways = np.log(np.array([[[0.2, 0.9]], [[0.5, 0.1]], [[0.1, 0.1]]]))
    found = np.empty((1, 2))
    weighed(ways, found)
    expected = np.log([0.9 * 0.2 + 0.05 * 0.6, 0.9 * 0.9 + 0.05 * 0.2])
    assert found[0] == pytest.approx(expected - expected.max())
    weighed(ways[:1], found)
    assert found[0] == pytest.approx(ways[0, 0] - ways[0, 0, 1])
