"""Beside py-ballisticcalc: the same air, drag, gravity and launch give the same range and time."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from ballistics_worlds import G0, flat_earth, landing, launched

from opencram.ballistics.drag import standard_curve
from opencram.ballistics.environment import AIR_BOTTOM_M, AIR_STEP_M

REFERENCE = Path(__file__).parent.parent / "reference"
FOOT_S2 = 32.17405 * 0.3048  # its gravity


def rows(name):
    with (REFERENCE / name).open(newline="") as stream:
        return list(csv.DictReader(stream))


def their_air():
    """A flat earth with their air, every 100 m as ours is."""
    env = flat_earth(density_kg_m3=1.0)
    table = rows("ballisticcalc_air.csv")
    heights, density, sound = (
        np.array([float(r[k]) for r in table]) for k in ("height_m", "density_kg_m3", "sound_m_s")
    )
    assert heights[0] == AIR_BOTTOM_M
    assert (np.diff(heights) == AIR_STEP_M).all()
    air = env.air.copy()
    air[: len(table), 0] = density
    air[: len(table), 1] = np.gradient(density, AIR_STEP_M)
    air[1 : len(table) - 1, 2] = np.diff(density, 2) / (2.0 * AIR_STEP_M**2)
    air[: len(table), 3] = 1.0 / sound
    air[: len(table), 4] = np.gradient(1.0 / sound, AIR_STEP_M)
    return env._replace(air=air, gravity_m_s2=FOOT_S2)


@pytest.mark.parametrize(
    "row", rows("ballisticcalc_flights.csv"), ids=lambda r: f"{r['speed_m_s']}-{r['elevation_deg']}"
)
def test_range_and_time_are_theirs(row):
    assert pytest.approx(G0, rel=1e-4) == FOOT_S2
    start = launched(float(row["speed_m_s"]), math.radians(float(row["elevation_deg"])), beta_kg_m2=2500.0)
    landed = landing(start, their_air(), curve=standard_curve("G7"), dt=0.05)
    assert landed[2] == pytest.approx(float(row["range_m"]), rel=1e-4)
    assert landed[0] == pytest.approx(float(row["time_s"]), rel=1e-4)
