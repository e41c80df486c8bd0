"""The measured air between its levels, below them and above, and that nothing is lost between text and profile."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencram.earth.atmosphere import isa
from opencram.earth.gas import GAS_CONSTANT_J_KG_K, GRAVITY_M_S2, geopotential_at, log_pressure_fall
from opencram.earth.met.read import read_sounding
from opencram.earth.met.sounding import AirLevel, Sounding, WindLevel, distance_km
from opencram.earth.met.table_csv import write_csv
from opencram.earth.profile import BLEND_M, Profile, profile_of

LATITUDE = math.radians(45.5424)  # where normal gravity at sea level is the standard one
HEIGHTS = (100.0, 1000.0, 3000.0, 6000.0, 9000.0, 11_019.0, 15_000.0)


def isa_sounding(heights=HEIGHTS, warmer_k=0.0, wind=()):
    """The standard atmosphere as a few levels, its temperatures raised and its pressures made to fit."""
    kelvins = [float(isa(h)[0]) + warmer_k for h in heights]
    logs = [math.log(float(isa(heights[0])[1]))]
    for (low, high), (below, above) in zip(pairwise(heights), pairwise(kelvins), strict=True):
        rise = geopotential_at(high, LATITUDE) - geopotential_at(low, LATITUDE)
        logs.append(logs[-1] - log_pressure_fall(rise, below, above))
    air = tuple(AirLevel(h, math.exp(p), t) for h, p, t in zip(heights, logs, kelvins, strict=True))
    return Sounding(format="CSV", air=air, wind=tuple(wind))


def test_seven_levels_of_the_standard_atmosphere_are_the_standard_atmosphere():
    """Between the levels, 7 km above the highest of them, and below the lowest."""
    profile = profile_of(isa_sounding(), LATITUDE)
    heights = np.linspace(-400.0, 22_000.0, 2000)
    air, (kelvin, pressure, density, sound) = profile.air_at(heights), isa(heights)
    assert air.pressure_pa == pytest.approx(pressure, rel=4e-4)
    assert air.density_kg_m3 == pytest.approx(density, rel=4e-4)
    assert air.virtual_temperature_k == pytest.approx(kelvin, rel=2e-4)
    assert air.sound_m_s == pytest.approx(sound, rel=1e-4)


def test_levels_come_out_as_they_went_in():
    sounding = isa_sounding(warmer_k=7.0)
    profile = profile_of(sounding, LATITUDE, geoid_m=-23.0)
    air = profile.air_at([level.height_m - 23.0 for level in sounding.air])
    assert air.pressure_pa == pytest.approx([level.pressure_pa for level in sounding.air], rel=1e-12)
    assert air.virtual_temperature_k == pytest.approx(
        [level.virtual_temperature_k for level in sounding.air], rel=1e-12
    )


@settings(deadline=None)
@given(st.floats(-1000.0, 31_000.0), st.floats(-30.0, 30.0))
def test_the_air_carries_its_own_weight(height_m, warmer_k):
    """Hydrostatic balance in geopotential height, dp/dH = −g₀ρ: between levels, below and above them."""
    profile = profile_of(isa_sounding(warmer_k=warmer_k), LATITUDE)
    around = np.array([height_m - 1.0, height_m, height_m + 1.0])
    air = profile.air_at(around)
    geopotential = geopotential_at(around, LATITUDE)
    slope = (air.pressure_pa[2] - air.pressure_pa[0]) / (geopotential[2] - geopotential[0])
    assert slope == pytest.approx(-GRAVITY_M_S2 * air.density_kg_m3[1], rel=1e-5)
    assert air.density_kg_m3 == pytest.approx(air.pressure_pa / (GAS_CONSTANT_J_KG_K * air.virtual_temperature_k))


def test_above_its_top_the_temperature_returns_to_the_standard_one():
    heights = (0.0, 1000.0, 3000.0)
    profile = profile_of(isa_sounding(heights, warmer_k=20.0), LATITUDE)
    at = np.array([3000.0, 3001.0, 3000.0 + BLEND_M / 2.0, 3000.0 + BLEND_M + 20.0, 20_000.0])
    excess = profile.air_at(at).virtual_temperature_k - isa(at)[0]
    assert excess == pytest.approx([20.0, 20.0, 10.0, 0.0, 0.0], abs=0.05)
    density = profile.air_at(np.linspace(2990.0, 3010.0, 201)).density_kg_m3
    assert (np.diff(density) < 0.0).all()
    assert np.abs(np.diff(density)).max() < 2e-5  # no step at the seam


def test_below_its_bottom_the_departure_and_the_wind_hold():
    profile = profile_of(
        isa_sounding(warmer_k=-15.0, wind=[WindLevel(100.0, 3.0, 4.0), WindLevel(500.0, 9.0, 9.0)]), LATITUDE
    )
    assert profile.air_at(-200.0).virtual_temperature_k - isa(-200.0)[0] == pytest.approx(-15.0, abs=0.01)
    assert [float(x) for x in profile.wind_at(-200.0)] == [3.0, 4.0]


def test_wind_is_interpolated_by_components_not_by_direction():
    """From 350° and from 10°: half way the wind is from the north, a little weaker, and never from the south."""
    ten = math.radians(10.0)
    levels = [
        WindLevel(0.0, 10.0 * math.sin(ten), -10.0 * math.cos(ten)),
        WindLevel(1000.0, -10.0 * math.sin(ten), -10.0 * math.cos(ten)),
    ]
    profile = profile_of(Sounding(format="CSV", wind=tuple(levels)), LATITUDE)
    east, north = profile.wind_at(np.linspace(0.0, 1000.0, 11))
    assert float(east[5]) == pytest.approx(0.0, abs=1e-12)
    assert north == pytest.approx(np.full(11, -10.0 * math.cos(ten)))


def test_a_profile_without_air_is_the_standard_atmosphere_and_without_wind_calm():
    profile = Profile(latitude_rad=0.6)
    assert [float(x) for x in profile.air_at(4321.0)] == [float(x) for x in isa(4321.0)]
    assert [float(x) for x in profile.wind_at(4321.0)] == [0.0, 0.0]


def test_profiles_are_keys():
    one, other = (profile_of(isa_sounding(warmer_k=k), LATITUDE) for k in (1.0, 2.0))
    again = profile_of(isa_sounding(warmer_k=1.0), LATITUDE)
    assert one == again
    assert hash(one) == hash(again)
    assert one != other


def test_distance_is_that_on_the_globe():
    sounding = Sounding(format="x", latitude_deg=33.0, longitude_deg=44.0)
    assert distance_km(sounding, 34.0, 44.0) == pytest.approx(111.2, abs=0.1)
    assert distance_km(Sounding(format="x"), 34.0, 44.0) is None


words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=20)


@st.composite
def soundings(draw):
    heights = sorted(draw(st.lists(st.floats(-500.0, 40_000.0), min_size=1, max_size=20, unique=True)))
    kind = st.sampled_from(["air", "wind", "both"])
    air, wind = [], []
    for height in heights:
        which = draw(kind)
        if which != "wind":
            air.append(AirLevel(height, draw(st.floats(1.0, 110_000.0)), draw(st.floats(160.0, 340.0))))
        if which != "air":
            wind.append(WindLevel(height, draw(st.floats(-150.0, 150.0)), draw(st.floats(-150.0, 150.0))))
    place = draw(st.none() | st.tuples(st.floats(-90.0, 90.0), st.floats(-180.0, 180.0)))
    return Sounding(
        format=draw(st.sampled_from(["METCM", "IGRA2", "CSV", "GRIB"])),
        title=draw(words),
        time=draw(words),
        latitude_deg=place[0] if place else None,
        longitude_deg=place[1] if place else None,
        air=tuple(air),
        wind=tuple(wind),
        notes=tuple(draw(st.lists(words.filter(bool), max_size=3))),
    )


@settings(deadline=None)
@given(soundings())
def test_writing_and_reading_a_sounding_loses_nothing(sounding):
    """To the last bit: a recording flies through exactly the air that the run did."""
    assert read_sounding(write_csv(sounding), "text") == sounding
