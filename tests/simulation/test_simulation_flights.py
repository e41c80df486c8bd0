"""Reading flights off: the Hermite table against closed forms, the true air, the tilt of the curve."""

import numpy as np
import pytest
from simulation_worlds import rocket, straight, world

from opencram.ballistics.drag import standard_curve
from opencram.ballistics.environment import AIR_BOTTOM_M, AIR_STEP_M, WIND_EAST, WIND_NORTH
from opencram.ballistics.motion import MACH_STEP
from opencram.simulation.flights import CLASS_CURVES, Flight, Flyer, apex_m, drag_curve, positions_at, true_environment
from opencram.simulation.model import Air


def test_a_cubic_is_read_off_exactly_and_the_ends_hold() -> None:
    t_s = np.array([0.0, 0.3, 1.0, 2.2])

    def place(t: np.ndarray) -> np.ndarray:
        return np.stack([t**3 - t, 2.0 * t**2, 5.0 - t], axis=-1)

    def speed(t: np.ndarray) -> np.ndarray:
        return np.stack([3.0 * t**2 - 1.0, 4.0 * t, -np.ones_like(t)], axis=-1)

    flight = Flight(t_s, place(t_s), speed(t_s), False)
    at = np.linspace(0.0, 2.2, 57)
    position, velocity = positions_at(flight, at)
    assert position == pytest.approx(place(at), abs=1e-12)
    assert velocity == pytest.approx(speed(at), abs=1e-12)
    outside, _ = positions_at(flight, np.array([-1.0, 9.0]))
    assert outside == pytest.approx(place(np.array([0.0, 2.2])), abs=1e-12)


def test_apex_of_a_parabola() -> None:
    t_s = np.linspace(0.0, 20.0, 11)
    position = np.stack([t_s, t_s, 100.0 * t_s - 5.0 * t_s**2], axis=1)
    velocity = np.stack([np.ones(11), np.ones(11), 100.0 - 10.0 * t_s], axis=1)
    flight = Flight(t_s, position, velocity, True)
    assert apex_m(flight, 20.0) == pytest.approx(500.0, abs=1e-3)
    assert apex_m(flight, 5.0) == pytest.approx(375.0, abs=1e-3)
    assert apex_m(straight(10.0, (0.0, 0.0, 7.0), (1.0, 0.0, 0.0)), 10.0) == pytest.approx(7.0)


def test_a_flight_lands_on_the_ground_where_the_trial_flights_do_and_its_table_is_smooth() -> None:
    config, what = world(), rocket()
    flyer = Flyer.of(config)
    flight = flyer.fly(what, what.position_enu_m, what.velocity_enu_m_s, what.ballistic_coefficient_kg_m2)
    assert flight.landed
    fall = flyer.land(what, np.array([what.velocity_enu_m_s, [-100.0, 0.0, 100.0]]))
    assert flight.position_enu_m[-1] == pytest.approx(fall[0], abs=1e-9)
    assert abs(flight.position_enu_m[-1, 2]) < 0.5
    assert flight.t_s[0] == 0.0
    assert np.all(np.diff(flight.t_s) > 0.0)
    # Half way between rows, the table agrees with a flight that starts at the row before.
    row = 20
    here = (tuple(flight.position_enu_m[row]), tuple(flight.velocity_enu_m_s[row]))
    again = flyer.fly(what, here[0], here[1], what.ballistic_coefficient_kg_m2)
    assert flight.t_s[-1] == pytest.approx(again.t_s[-1] + flight.t_s[row], abs=1e-3)
    assert again.position_enu_m[-1] == pytest.approx(flight.position_enu_m[-1], abs=0.05)


def test_wind_grows_with_height_over_the_ground_and_density_is_scaled() -> None:
    air = Air(wind_east_m_s=2.0, wind_north_m_s=-1.0, shear_east_per_s=0.002, shear_north_per_s=0.001)
    table = true_environment(air, 0.5, 500.0, 500.0).air
    heights = AIR_BOTTOM_M + AIR_STEP_M * np.arange(len(table))
    at = {h: table[np.flatnonzero(heights == h)[0]] for h in (500.0, 1500.0, 5500.0, 9500.0)}
    assert at[500.0][[WIND_EAST, WIND_NORTH]] == pytest.approx([2.0, -1.0])
    assert at[1500.0][[WIND_EAST, WIND_NORTH]] == pytest.approx([4.0, 0.0])
    assert at[5500.0][[WIND_EAST, WIND_NORTH]] == pytest.approx([12.0, 4.0])
    assert at[9500.0][[WIND_EAST, WIND_NORTH]] == pytest.approx([12.0, 4.0])
    thin = true_environment(Air(density_factor=0.97), 0.5, 500.0, 500.0).air
    assert thin[:, 0] == pytest.approx(0.97 * table[:, 0])


def test_the_tilt_of_a_curve_pivots_at_mach_0_9() -> None:
    plain, tilted = drag_curve(rocket()), drag_curve(rocket(drag_slope=0.1))
    assert plain == pytest.approx(standard_curve(CLASS_CURVES["rocket"]))
    assert drag_curve(rocket(curve="G2")) == pytest.approx(standard_curve("G2"))
    ratio = tilted / plain
    assert ratio[round(0.9 / MACH_STEP)] == pytest.approx(1.0)
    assert ratio[round(0.1 / MACH_STEP)] == pytest.approx(0.95)
    assert ratio[round(1.4 / MACH_STEP)] == pytest.approx(1.05)
    assert ratio[round(4.0 / MACH_STEP)] == pytest.approx(1.1)
    with pytest.raises(ValueError, match="read-only"):
        tilted[0] = 1.0
