"""Flights that can be solved on paper."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from ballistics_worlds import G0, fixed, flat_earth, landing, lanes_of, launched

from opencram.ballistics.motion import MACH_MAX, MACH_STEP
from opencram.ballistics.propagation import advance

REFERENCE = Path(__file__).parent.parent / "reference"
GRID = np.arange(round(MACH_MAX / MACH_STEP) + 1) * MACH_STEP
CONSTANT = fixed(np.ones(len(GRID)))  # drag coefficient 1 at any speed
DT_S = 0.01


def rows(name):
    with (REFERENCE / name).open(newline="") as stream:
        return list(csv.DictReader(stream))


def world_of(row):
    """The environment, drag curve and ballistic coefficient that make the flight of this row."""
    speed, parameter = float(row["v0_ms"]), row["param"]
    if row["case"] == "vacuum_flat":
        return flat_earth(), CONSTANT, 1.0
    if row["case"].startswith("quadratic_k"):  # −k v|v|
        return flat_earth(density_kg_m3=2.0 * float(parameter)), CONSTANT, 1.0
    if row["case"].startswith("quadratic_vertical"):  # −g v|v|/vt²
        return flat_earth(density_kg_m3=2.0 * G0 / float(parameter) ** 2), CONSTANT, 1.0
    # Linear drag −k v: a coefficient that falls with Mach, and so slow a sound that the whole flight lies
    # above Mach 1.9, where straight lines between the points of the table follow 1/Mach within 1e-5.
    sound = speed / (MACH_MAX - 2.0 * MACH_STEP)
    falling = fixed(1.0 / np.maximum(GRID, MACH_STEP))
    return flat_earth(density_kg_m3=2.0 * float(parameter) / sound, sound_m_s=sound), falling, 1.0


@pytest.mark.parametrize("row", rows("closed_forms.csv"), ids=lambda r: f"{r['case'].split()[0]}-{r['v0_ms']}")
def test_flight_is_the_closed_form(row):
    env, curve, beta = world_of(row)
    start = launched(float(row["v0_ms"]), math.radians(float(row["elev_deg"])), beta_kg_m2=beta)
    time, east, north, up, v_east, v_north, v_up = landing(start, env, curve=curve, dt=DT_S)
    assert time == pytest.approx(float(row["tof_s"]), rel=1e-6)
    assert north == pytest.approx(float(row["range_m"]), rel=1e-6, abs=1e-6)
    assert up == pytest.approx(0.0, abs=1e-6)
    assert (east, v_east) == (0.0, 0.0)
    assert math.hypot(v_north, v_up) == pytest.approx(float(row["impact_speed_ms"]), rel=1e-6)
    fall_deg = math.degrees(math.atan2(-v_up, v_north))
    assert fall_deg == pytest.approx(float(row["angle_of_fall_deg"]), rel=1e-6)


@pytest.mark.parametrize("row", rows("closed_forms.csv"), ids=lambda r: f"{r['case'].split()[0]}-{r['v0_ms']}")
def test_apex_is_the_closed_form(row):
    env, curve, beta = world_of(row)
    lanes = lanes_of(launched(float(row["v0_ms"]), math.radians(float(row["elev_deg"])), beta_kg_m2=beta))
    before = lanes[:6, 0].copy()
    while lanes[5, 0] > 0.0:
        before = lanes[:6, 0].copy()
        advance(lanes, DT_S, 1, env, curve)
    rise = before[2] + 0.5 * before[5] ** 2 / (before[5] - lanes[5, 0]) * DT_S  # nearly a parabola up there
    assert rise == pytest.approx(float(row["apex_m"]), rel=1e-6)


@pytest.mark.parametrize(
    "row", rows("coriolis_vacuum.csv"), ids=lambda r: f"lat{r['lat']}-az{r['az']}-v{r['v0']}-el{r['el']}"
)
def test_the_turning_earth_moves_the_impact_as_tabulated(row):
    azimuth = math.radians(float(row["az"]))
    start = launched(float(row["v0"]), math.radians(float(row["el"])), azimuth)
    still = landing(start, flat_earth(), curve=CONSTANT, dt=0.05)
    turning = landing(start, flat_earth(latitude_rad=math.radians(float(row["lat"]))), curve=CONSTANT, dt=0.05)
    along = np.array([math.sin(azimuth), math.cos(azimuth)])
    right = np.array([math.cos(azimuth), -math.sin(azimuth)])
    assert still[1:3] @ along == pytest.approx(float(row["range_no_rot_m"]), abs=0.001)
    assert (turning[1:3] - still[1:3]) @ along == pytest.approx(float(row["d_range_m"]), abs=0.005)
    assert turning[1:3] @ right == pytest.approx(float(row["right_deflection_m"]), abs=0.005)
    assert turning[0] - still[0] == pytest.approx(float(row["dT_s"]), abs=2e-5)
