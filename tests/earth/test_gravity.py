"""Normal gravity against the tabulated formula of the WGS84 standard."""

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencram.earth.gravity import normal_gravity

TABLE = Path(__file__).parent.parent / "reference" / "wgs84_gravity.csv"


def rows():
    with TABLE.open(newline="") as stream:
        return [
            (float(r["lat_deg"]), float(r["h_m"]), float(r["g_ms2_2nd_order_freeair"])) for r in csv.DictReader(stream)
        ]


def test_it_is_the_table():
    found = rows()
    assert len(found) == 42
    for latitude_deg, height_m, expected in found:
        assert normal_gravity(math.radians(latitude_deg), height_m) == pytest.approx(expected, rel=1e-6), (
            latitude_deg,
            height_m,
        )


def test_at_the_pole_it_is_the_standards_own_figure():
    """NGA.STND.0036, table 3.6: 9.8321849379 m/s² at the poles."""
    assert normal_gravity(math.pi / 2.0, 0.0) == pytest.approx(9.8321849379, rel=1e-10)


@settings(deadline=None)
@given(st.floats(0.0, math.pi / 2.0), st.floats(-10_000.0, 30_000.0))
def test_both_hemispheres_are_alike_and_height_makes_lighter(latitude_rad, height_m):
    here = normal_gravity(latitude_rad, height_m)
    assert here == normal_gravity(-latitude_rad, height_m)
    assert normal_gravity(latitude_rad, height_m + 100.0) < here
