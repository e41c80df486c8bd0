"""Boost, spinning shells, the table of projectiles, and users' own drag curves."""

import math

import numpy as np
import pytest
from ballistics_worlds import CONSTANT_CD, flat_earth, real_earth

from opencram.ballistics.boost import Motor, boosted
from opencram.ballistics.classes import CLASS_BANK
from opencram.ballistics.drag import read_curve, standard_curve
from opencram.ballistics.drivers import land_one
from opencram.ballistics.projectiles import PROJECTILES, projectile
from opencram.ballistics.spinning import (
    GENERIC_155,
    Body,
    drift_constant_m_s,
    fly_spinning,
    muzzle_spin_rad_s,
)
from opencram.errors import ConfigError, UsageError


def launch(speed_m_s, elevation_deg, beta, spin=0.0):
    level = speed_m_s * math.cos(math.radians(elevation_deg))
    up = speed_m_s * math.sin(math.radians(elevation_deg))
    return np.array([0.0, 0.0, 0.0, 0.0, level, up, math.log(beta), 0.0, 0.0, spin])


def test_boost_in_a_vacuum_is_the_closed_form():
    """Straight up, so that the axis stays: v = v0 + (f − g) t."""
    times, states = boosted(launch(40.0, 90.0, 1.0), Motor(force_m_s2=400.0, burn_s=1.7), flat_earth(), CONSTANT_CD)
    assert times[-1] == pytest.approx(1.7, rel=1e-12)
    assert states[-1, 5] == pytest.approx(40.0 + (400.0 - 9.80665) * 1.7, rel=1e-9)
    assert states[-1, 2] == pytest.approx(40.0 * 1.7 + 0.5 * (400.0 - 9.80665) * 1.7**2, rel=1e-9)


def test_fins_turn_a_burning_rocket_into_the_wind():
    motor = Motor(force_m_s2=400.0, burn_s=1.5)
    _, states = boosted(launch(40.0, 50.0, 3000.0), motor, real_earth(wind_m_s=(10.0, 0.0)), standard_curve("G7"))
    assert states[-1, 3] < -20.0  # the wind moves east: the rocket goes west


def test_halving_the_step_of_a_boost_changes_little():
    motor, env, curve = Motor(force_m_s2=400.0, burn_s=1.7), real_earth(), standard_curve("G7")
    coarse, fine = (boosted(launch(40.0, 50.0, 3000.0), motor, env, curve, dt=dt)[1][-1] for dt in (0.05, 0.005))
    assert np.linalg.norm((coarse - fine)[:3]) < 0.01


@pytest.mark.parametrize("values", [(-1.0, 1.0), (400.0, 100.0), (math.nan, 1.0)])
def test_a_motor_that_is_none_is_refused(values):
    with pytest.raises(ValueError, match="motor"):
        Motor(force_m_s2=values[0], burn_s=values[1])


def test_a_shell_without_spin_is_a_point_mass():
    env, curve, state = real_earth(wind_m_s=(3.0, 1.0)), standard_curve("G7"), launch(500.0, 45.0, 2000.0)
    flight, down = fly_spinning(state, 0.0, GENERIC_155, env, curve)
    assert down
    assert flight[-1, :7] == pytest.approx(land_one(state, env, curve, dt=0.05), rel=1e-5, abs=0.02)


def test_the_yaw_of_repose_drifts_as_its_constant_says():
    """The constant of the point mass, taken at the mean spin, gives the drift of the whole model within a tenth."""
    env, curve, state = real_earth(), standard_curve("G7"), launch(560.0, 40.0, 2000.0)
    spin = muzzle_spin_rad_s(GENERIC_155, 560.0)
    flight, down = fly_spinning(state, spin, GENERIC_155, env, curve)
    still, _ = fly_spinning(state, 0.0, GENERIC_155, env, curve)
    mean_spin = float(flight[:, 7].mean())
    state[9] = drift_constant_m_s(GENERIC_155, mean_spin)
    drift = flight[-1, 1] - still[-1, 1]
    simple = land_one(state, env, curve)[1] - land_one([*state[:9], 0.0], env, curve)[1]
    assert down
    assert 4.0 < state[9] < 12.0
    assert drift == pytest.approx(simple, rel=0.1)
    assert 8e-3 < drift / flight[-1, 2] < 25e-3  # published: 15 to 20 mil at 13 km
    assert 0.3 * spin < flight[-1, 7] < 0.9 * spin


def test_left_hand_rifling_drifts_left():
    env, curve, state = flat_earth(density_kg_m3=1.0), standard_curve("G7"), launch(500.0, 45.0, 2000.0)
    right, left = (fly_spinning(state, spin, GENERIC_155, env, curve)[0][-1] for spin in (1000.0, -1000.0))
    assert right[1] == pytest.approx(-left[1], rel=1e-9)
    assert right[1] > 50.0


def test_a_body_without_mass_is_refused():
    with pytest.raises(ValueError, match="must be > 0"):
        Body(mass_kg=0.0, calibre_m=0.1, axial_inertia_kg_m2=0.1)


@pytest.mark.parametrize("each", PROJECTILES, ids=lambda p: p.name)
def test_a_projectile_flies_as_far_as_is_published(each):
    """The table hangs together: greatest speed and drag give the published range within a sixth."""
    env, curve, speed = real_earth(), standard_curve(each.curve), each.speed_m_s[1]
    far = max(
        math.hypot(*land_one(launch(speed, angle, each.beta_kg_m2), env, curve)[1:3])
        for angle in (42.0, 46.0, 50.0, 54.0)
    )
    assert far == pytest.approx(each.range_m_max, rel=1.0 / 6.0)
    assert each.source
    assert each.class_name in {model.class_name for model in CLASS_BANK}


@pytest.mark.parametrize("each", [p for p in PROJECTILES if p.motor], ids=lambda p: p.name)
def test_a_motor_gives_the_published_speed(each):
    _, states = boosted(launch(20.0, 50.0, each.beta_kg_m2), each.motor, real_earth(), standard_curve(each.curve))
    low, high = each.speed_m_s
    assert low < np.linalg.norm(states[-1, 3:6]) < high * 1.02


def test_projectiles_have_names():
    assert projectile("mortar-81mm") is projectile("Mortar 81 mm")
    with pytest.raises(UsageError, match="there are mortar 60 mm"):
        projectile("trebuchet")


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("mach,cd\n0,0.2\n0.9,0.3\n0.8,0.3\n2,0.4\n", "line 4: mach", "must be > 0.9"),
        ("mach,cd\n0,0.2\n0.5,0.3\n0.5,0.3\n2,0.4\n", "line 4: mach", "must be > 0.5"),
        ("mach,cd\n0,0.2\n0.5,0.3\n2.5,0.3\n", "line 4: mach", "leaves a gap of 2"),
        ("mach,cd\n0,0.2\n0.5,x\n1,0.3\n1.1,0.2\n", "line 3: cd", "must be > 0"),
        ("mach,cd\n0,0.2\n0.5,-1\n1,0.3\n1.1,0.2\n", "line 3: cd", "must be > 0"),
        ("mach,cd\n0,0.2\nnan,0.2\n1,0.3\n1.1,0.2\n", "line 3: mach", "must be a number"),
        ("mach,cd\n0,0.2\n0.5\n1,0.3\n1.1,0.2\n", "line 3: cd", "must be > 0"),
        ("mach,cd\n0,0.2\n", "file", "at least 3"),
        ("", "line 1", "columns mach and cd"),
        ("speed,drag\n0,1\n", "line 1", "columns mach and cd"),
    ],
)
def test_a_curve_with_a_fault_is_refused_with_its_line(tmp_path, text, place, words):
    path = tmp_path / "curve.csv"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        read_curve(path)
    fault = error.value.faults[0]
    assert fault.place == place
    assert words in fault.limit
    assert fault.remedy


def test_a_curve_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "curve.csv"
    path.write_bytes(b"\xff\xfe\x00\x01mach")
    with pytest.raises(ConfigError):
        read_curve(path)
    with pytest.raises(ConfigError):
        read_curve(tmp_path / "absent.csv")
