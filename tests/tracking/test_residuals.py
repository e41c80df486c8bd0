"""What is left of a track's plots beside a flight, and the curves that an unknown flight makes of it."""

import numpy as np
import pytest
from numpy.polynomial import legendre
from tracking_worlds import LEVEL, MORTAR, NORTH, earth, every, flown, polar

from opencram.ballistics.drag import standard_curve
from opencram.ballistics.propagation import LN_BETA, WIND_E, WIND_N
from opencram.tracking.residuals import curve_precision, flight_residuals

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
