"""The standard atmosphere in geopotential heights, against the published table, and the weight of air."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencram.earth import gas
from opencram.earth.atmosphere import (
    geometric_from_geopotential,
    geopotential_from_geometric,
    isa,
    isa_at_geopotential,
)
from opencram.earth.gravity import normal_gravity

TABLE = Path(__file__).parent.parent / "reference" / "ussa1976_0_30km.csv"


@pytest.fixture(scope="module")
def table():
    with TABLE.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


@pytest.mark.parametrize(
    ("column", "place"),
    [(f"{symbol}_at_geopotential_eq_z", place) for place, symbol in enumerate(("T", "p", "rho", "a"))],
    ids=["T", "p", "rho", "a"],
)
def test_geopotential_heights_give_the_published_table(table, column, place):
    assert isa_at_geopotential(table["geometric_z_m"])[place] == pytest.approx(table[column], rel=1e-5)


@given(st.floats(-1000.0, 32_000.0))
def test_both_kinds_of_height_give_one_atmosphere(height_m):
    by_geometric, by_geopotential = isa(height_m), isa_at_geopotential(geopotential_from_geometric(height_m))
    assert [float(x) for x in by_geometric] == [float(x) for x in by_geopotential]
    assert float(geometric_from_geopotential(geopotential_from_geometric(height_m))) == pytest.approx(
        height_m, abs=1e-7
    )


@pytest.mark.parametrize("latitude_deg", [0.0, 33.3, 45.0, 60.0, 90.0])
def test_geopotential_is_the_work_against_normal_gravity(latitude_deg):
    """Simpson's rule over the gravity that flights fall in, to the decimetre at 32 km."""
    latitude_rad = math.radians(latitude_deg)
    for height_m in (1_000.0, 10_000.0, 32_000.0):
        heights = np.linspace(0.0, height_m, 101)
        gravity = np.array([normal_gravity(latitude_rad, h) for h in heights])
        weights = np.full(101, 2.0)
        weights[1::2], weights[0], weights[-1] = 4.0, 1.0, 1.0
        work = float(weights @ gravity) * (heights[1] / 3.0) / gas.GRAVITY_M_S2
        assert gas.geopotential_at(height_m, latitude_rad) == pytest.approx(work, abs=0.1)


@given(st.floats(-500.0, 40_000.0), st.floats(-1.5, 1.5))
def test_geopotential_and_height_are_inverse(height_m, latitude_rad):
    assert gas.height_at(gas.geopotential_at(height_m, latitude_rad), latitude_rad) == pytest.approx(height_m, abs=1e-6)


@given(st.floats(1.0, 5000.0), st.floats(180.0, 320.0), st.floats(-50.0, 50.0))
def test_thickness_and_pressure_are_inverse(rise_m, below_k, change_k):
    fall = gas.log_pressure_fall(rise_m, below_k, below_k + change_k)
    assert gas.rise_m(fall, below_k, below_k + change_k) == pytest.approx(rise_m, rel=1e-12)


@given(st.floats(250.0, 300.0), st.floats(-2e-4, 2e-4))
def test_the_series_meets_the_logarithm(below_k, excess):
    """No step where one formula takes over from the other."""
    exact = math.log1p(excess) / excess if excess else 1.0
    assert gas.log_pressure_fall(1.0, below_k, below_k * (1.0 + excess)) == pytest.approx(
        gas.AUTOCONVECTIVE_K_M / below_k * exact, rel=1e-9
    )


def test_water_vapour_is_that_of_the_tables():
    """Saturation over water, Smithsonian Meteorological Tables (1951), table 94: within 0.6 %."""
    for celsius, hpa in ((-20.0, 1.2540), (0.0, 6.1078), (20.0, 23.373), (40.0, 73.777)):
        assert gas.vapour_pressure_pa(celsius + gas.KELVIN) == pytest.approx(hpa * 100.0, rel=6e-3)


def test_virtual_temperature_has_the_density_of_moist_air():
    """Dry air and vapour each by its own gas law, at 30 °C, 25 °C dew point, 1000 hPa."""
    vapour_pa = gas.vapour_pressure_pa(298.15)
    vapour_constant = gas.GAS_CONSTANT_J_KG_K / gas.VAPOUR_RATIO
    density = (1e5 - vapour_pa) / (gas.GAS_CONSTANT_J_KG_K * 303.15) + vapour_pa / (vapour_constant * 303.15)
    virtual_k = gas.virtual_temperature_k(303.15, vapour_pa, 1e5)
    assert 1e5 / (gas.GAS_CONSTANT_J_KG_K * virtual_k) == pytest.approx(density, rel=1e-12)
    assert virtual_k - 303.15 == pytest.approx(3.67, abs=0.05)


@given(st.floats(0.0, 360.0, exclude_max=True), st.floats(0.1, 100.0))
def test_wind_direction_is_where_it_comes_from(from_deg, speed_m_s):
    east, north = gas.wind_components(from_deg, speed_m_s)
    back_deg, back_m_s = gas.wind_direction(east, north)
    assert back_m_s == pytest.approx(speed_m_s)
    assert math.remainder(back_deg - from_deg, 360.0) == pytest.approx(0.0, abs=1e-9)
    assert gas.wind_components(270.0, 10.0) == pytest.approx((10.0, 0.0))  # a west wind carries to the east
