"""Height, gravity and air as compiled code sees them, against the exact ones."""

import math

import numpy as np
import pytest
from ballistics_worlds import felt, real_earth
from hypothesis import given, settings
from hypothesis import strategies as st

from opencram.ballistics.environment import altitude, environment
from opencram.earth.atmosphere import isa
from opencram.earth.geodesy import EARTH_RATE_RAD_S, Frame, geodetic_from_enu
from opencram.earth.gravity import normal_gravity

sites = st.tuples(st.floats(-1.4, 1.4), st.floats(-400.0, 3000.0))


@settings(deadline=None)
@given(sites, st.floats(0.0, 30_000.0), st.floats(0.0, 2.0 * math.pi), st.floats(-1000.0, 20_000.0))
def test_altitude_is_the_height_above_the_ellipsoid(site, distance_m, bearing_rad, up_m):
    latitude_rad, height_m = site
    env = environment(latitude_rad, height_m)
    place = [distance_m * math.sin(bearing_rad), distance_m * math.cos(bearing_rad), up_m]
    _, _, exact_m = geodetic_from_enu(Frame(latitude_rad, 0.7, height_m), place)
    assert altitude(*place, env) == pytest.approx(float(exact_m), abs=0.01)


@settings(deadline=None)
@given(sites, st.floats(-30_000.0, 30_000.0), st.floats(0.0, 20_000.0))
def test_gravity_between_the_points_it_was_made_from(site, north_m, rise_m):
    """The quadratic in height and the slope northward stay within 1e-6 of the exact formula."""
    latitude_rad, _ = site
    env = environment(latitude_rad, 0.0)
    packed = (
        env.gravity_m_s2
        + north_m * env.gravity_north_1_s2
        + rise_m * (env.gravity_up_1_s2 + rise_m * env.gravity_up2_1_m_s2)
    )
    exact = normal_gravity(latitude_rad + north_m * env.curvature_north_1_m, rise_m)
    assert packed == pytest.approx(exact, rel=2e-6)


HEIGHTS_M = np.concatenate([np.arange(-400.0, 20_000.0, 7.3), np.arange(20_000.0, 31_000.0, 131.0)])
# Away from the seams of the atmosphere's layers, where the lapse rate has a kink.
SMOOTH = (np.abs(HEIGHTS_M - 11_019.0) > 150.0) & (np.abs(HEIGHTS_M - 20_063.0) > 150.0)
STEADY, BY_MACH = np.ones(501), np.arange(501) * 0.01  # drag coefficients: 1 at any speed, and equal to Mach


def falling(heights_m, speed_m_s=300.0):
    """Rounds that come down over the site at these heights, 1000 kg/m²."""
    states = np.zeros((len(heights_m), 10))
    states[:, 2], states[:, 5], states[:, 6] = heights_m - 35.0, -speed_m_s, math.log(1000.0)
    return states


def felt_drag(heights_m, env, curve):
    """Deceleration upward of such rounds: what they feel, less what they feel in no air."""
    empty = real_earth(density_factor=0.0)
    states = falling(heights_m)
    return felt(states, env, curve=curve)[:, 2] - felt(states, empty, curve=curve)[:, 2]


def test_density_is_that_of_the_standard_atmosphere():
    density = 2.0 * 1000.0 * felt_drag(HEIGHTS_M, real_earth(), STEADY) / 300.0**2
    _, _, exact, _ = isa(HEIGHTS_M)
    assert density[SMOOTH] == pytest.approx(exact[SMOOTH], rel=1e-5)
    assert density[~SMOOTH] == pytest.approx(exact[~SMOOTH], rel=5e-4)


def test_speed_of_sound_is_that_of_the_standard_atmosphere():
    env = real_earth()
    mach = felt_drag(HEIGHTS_M, env, BY_MACH) / felt_drag(HEIGHTS_M, env, STEADY)
    _, _, _, exact = isa(HEIGHTS_M)
    assert 300.0 / mach[SMOOTH] == pytest.approx(exact[SMOOTH], rel=1e-5)
    assert 300.0 / mach[~SMOOTH] == pytest.approx(exact[~SMOOTH], rel=1e-3)


@settings(deadline=None)
@given(st.floats(0.0, 15_000.0), st.floats(-40.0, 40.0), st.floats(-40.0, 40.0))
def test_a_round_that_drifts_with_the_wind_feels_no_drag_sideways(height_m, east_m_s, north_m_s):
    calm, windy = real_earth(density_factor=0.0), real_earth(wind_m_s=(east_m_s, north_m_s))
    states = falling(np.array([height_m]))
    states[:, 3], states[:, 4] = east_m_s, north_m_s
    drag = felt(states, windy, curve=STEADY) - felt(states, calm, curve=STEADY)
    assert np.abs(drag[0, :2]).max() < 1e-6
    assert drag[0, 2] > 1e-3


def test_wind_follows_its_profile():
    """Sideways and upward drag are in the ratio of the air speeds: the wind can be read off."""
    levels, east, north = [100.0, 1100.0, 3100.0], [0.0, 10.0, 5.0], [4.0, -4.0, -4.0]
    env = real_earth(wind_profile=(levels, east, north))
    heights = np.arange(-300.0, 6000.0, 12.5)
    states = falling(heights)
    drag = felt(states, env, curve=STEADY) - felt(states, real_earth(density_factor=0.0), curve=STEADY)
    for axis, wind in enumerate((east, north)):
        exact = np.interp(heights, levels, wind)
        near_a_kink = np.abs(heights[:, np.newaxis] - levels).min(axis=1) < 150.0
        read = 300.0 * drag[:, axis] / drag[:, 2]
        assert read[~near_a_kink] == pytest.approx(exact[~near_a_kink], abs=1e-5)
        assert read[near_a_kink] == pytest.approx(exact[near_a_kink], abs=0.5)


def test_density_factor_thickens_the_air():
    usual, thick = (felt_drag(HEIGHTS_M, real_earth(density_factor=factor), STEADY) for factor in (1.0, 1.03))
    assert thick == pytest.approx(1.03 * usual, rel=1e-6)


def test_the_earth_turns_about_its_axis():
    for latitude_deg in (-90.0, -30.0, 0.0, 45.0):
        env = environment(math.radians(latitude_deg), 0.0)
        turn = math.hypot(env.coriolis_north_rad_s, env.coriolis_up_rad_s)
        assert turn == pytest.approx(2.0 * EARTH_RATE_RAD_S, rel=1e-15)
        assert math.degrees(math.atan2(env.coriolis_up_rad_s, env.coriolis_north_rad_s)) == pytest.approx(latitude_deg)


def test_ground_is_the_origins_height_unless_told_otherwise():
    assert environment(0.5, 35.0).ground_m == 35.0
    assert environment(0.5, 35.0, ground_height_m=12.0).ground_m == 12.0
