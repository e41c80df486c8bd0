"""The standard atmosphere against its published table, and its own laws."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencram.earth.atmosphere import GAS_CONSTANT_J_KG_K, GRAVITY_M_S2, geopotential_from_geometric, isa

TABLE = Path(__file__).parent.parent / "reference" / "ussa1976_0_30km.csv"


@pytest.fixture(scope="module")
def table():
    with TABLE.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


@pytest.mark.parametrize(
    ("column", "place"), [("T_K", 0), ("p_Pa", 1), ("rho_kgm3", 2), ("a_ms", 3)], ids=["T", "p", "rho", "a"]
)
def test_it_is_the_published_table(table, column, place):
    assert isa(table["geometric_z_m"])[place] == pytest.approx(table[column], rel=1e-5)


def test_geopotential_height_is_the_published_one(table):
    computed = geopotential_from_geometric(table["geometric_z_m"])
    assert computed == pytest.approx(table["geopotential_h_m"], abs=0.0051)  # printed to the centimetre


def test_the_table_covers_every_layer_of_the_flights(table):
    heights = table["geometric_z_m"]
    assert heights.min() == 0.0
    assert heights.max() == 30_000.0
    assert np.diff(heights).max() <= 1000.0


@given(st.floats(-900.0, 31_900.0))
def test_the_air_carries_its_own_weight(height_m):
    """Hydrostatic balance in geopotential height, dp/dH = −g₀ρ, across the seams of the layers too."""
    rise = 0.5
    geopotential = geopotential_from_geometric(np.array([height_m - rise, height_m + rise]))
    _, pressure, _, _ = isa(np.array([height_m - rise, height_m + rise]))
    _, _, density, _ = isa(height_m)
    slope = (pressure[1] - pressure[0]) / (geopotential[1] - geopotential[0])
    assert slope == pytest.approx(-GRAVITY_M_S2 * float(density), rel=1e-6)


@given(st.floats(-900.0, 40_000.0))
def test_pressure_density_and_temperature_obey_the_gas_law(height_m):
    temperature, pressure, density, _ = isa(height_m)
    assert float(pressure) == pytest.approx(float(density * GAS_CONSTANT_J_KG_K * temperature), rel=1e-12)


def test_it_takes_a_number_or_any_array():
    heights = np.linspace(-1000.0, 32_000.0, 24).reshape(2, 3, 4)
    whole = isa(heights)
    for index in np.ndindex(heights.shape):
        alone = [float(part) for part in isa(float(heights[index]))]
        assert [float(part[index]) for part in whole] == pytest.approx(alone, rel=1e-14)
