"""What compiled code makes of a measured atmosphere: the rows it steps through, and where rounds land in it."""

import math

import numpy as np
import pytest

from opencram.ballistics.environment import (
    AIR_BOTTOM_M,
    AIR_STEP_M,
    AIR_TOP_M,
    DENSITY,
    SOUND_INVERSE,
    WIND_EAST,
    WIND_NORTH,
    environment,
)
from opencram.earth.atmosphere import isa
from opencram.earth.met.sounding import AirLevel, Sounding, WindLevel
from opencram.earth.profile import profile_of

LATITUDE = math.radians(33.3)
HEIGHTS = np.arange(AIR_BOTTOM_M, AIR_TOP_M + AIR_STEP_M, AIR_STEP_M)


def warm(heights=(0.0, 2000.0, 5000.0, 11_000.0, 16_000.0), warmer_k=12.0, wind=True):
    kelvin, pressure, _, _ = isa(np.array(heights))
    air = tuple(
        AirLevel(h, p, t + warmer_k) for h, p, t in zip(heights, pressure.tolist(), kelvin.tolist(), strict=True)
    )
    levels = (WindLevel(0.0, 2.0, 0.0), WindLevel(8000.0, 26.0, -12.0)) if wind else ()
    return profile_of(Sounding(format="CSV", air=air, wind=levels), LATITUDE)


def test_rows_hold_the_measured_air_and_wind():
    profile = warm()
    env = environment(LATITUDE, 35.0, profile=profile)
    air, (east, north) = profile.air_at(HEIGHTS), profile.wind_at(HEIGHTS)
    assert env.air[:, DENSITY] == pytest.approx(air.density_kg_m3, rel=1e-12)
    assert 1.0 / env.air[:, SOUND_INVERSE] == pytest.approx(air.sound_m_s, rel=1e-12)
    assert env.air[:, WIND_EAST] == pytest.approx(east, abs=1e-12)
    assert env.air[:, WIND_NORTH] == pytest.approx(north, abs=1e-12)


def test_between_its_rows_the_air_is_the_measured_air():
    """The quadratic about each row, half a row away, but where a level breaks the slope of the temperature."""
    profile = warm()
    env = environment(LATITUDE, 35.0, profile=profile)
    half = AIR_STEP_M / 2.0
    expanded = env.air[:, DENSITY] + half * (env.air[:, DENSITY + 1] + half * env.air[:, DENSITY + 2])
    exact = profile.air_at(HEIGHTS + half).density_kg_m3
    # The levels, the seams of the standard atmosphere that the air above them returns to, and where it has.
    kinks = np.array([0.0, 2000.0, 5000.0, 11_000.0, 16_000.0, 20_063.0, 21_030.0, 32_162.0])
    near = np.abs(HEIGHTS[:, np.newaxis] - kinks).min(axis=1) < 300.0
    assert expanded[~near] == pytest.approx(exact[~near], rel=1e-5)
    assert expanded[near] == pytest.approx(exact[near], rel=1e-3)


def test_a_sounding_without_wind_leaves_the_wind_of_the_site():
    env = environment(LATITUDE, 35.0, wind_m_s=(3.0, -4.0), profile=warm(wind=False))
    assert (env.air[:, WIND_EAST] == 3.0).all()
    assert (env.air[:, WIND_NORTH] == -4.0).all()


def test_a_sounding_without_air_leaves_the_standard_atmosphere():
    only_wind = profile_of(Sounding(format="CSV", wind=(WindLevel(0.0, 5.0, 0.0),)), LATITUDE)
    plain = environment(LATITUDE, 35.0, wind_m_s=(5.0, 0.0))
    measured = environment(LATITUDE, 35.0, profile=only_wind)
    assert measured.air.tobytes() == plain.air.tobytes()
