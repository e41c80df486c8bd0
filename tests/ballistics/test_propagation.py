"""Laws that every flight must obey, whatever its numbers: energy, mirrors, there and back, order of the method."""

import json
import math
import os
import re
import subprocess
import sys
from collections import Counter

import numba
import numpy as np
import pytest
from ballistics_worlds import G0, ROUND, fixed, flat_earth, landing, lanes_of, real_earth
from hypothesis import given, settings
from hypothesis import strategies as st

from opencram.ballistics.drag import STANDARD_CURVES, standard_curve
from opencram.ballistics.environment import WIND_EAST, altitude
from opencram.ballistics.lanes import LANES
from opencram.ballistics.propagation import advance, exponential, fall, fly, to_ground

velocities = st.builds(  # never slower than 60 m/s: the yaw of repose is not meant for what stands still
    lambda level, azimuth, climb: (level * math.sin(azimuth), level * math.cos(azimuth), climb),
    st.floats(60.0, 600.0),
    st.floats(0.0, 2.0 * math.pi),
    st.floats(-300.0, 500.0),
)
places = st.tuples(st.floats(-15_000.0, 15_000.0), st.floats(-15_000.0, 15_000.0), st.floats(0.0, 8000.0))
rounds = st.builds(
    lambda place, velocity, ln_beta, wind, spin: (*place, *velocity, ln_beta, *wind, spin),
    places,
    velocities,
    st.floats(math.log(500.0), math.log(6000.0)),
    st.tuples(st.floats(-15.0, 15.0), st.floats(-15.0, 15.0)),
    st.floats(-6.0, 6.0),
)
curves = st.sampled_from(STANDARD_CURVES).map(standard_curve)


def flown(state, seconds, env, *, curve, dt=0.25):
    lanes = lanes_of(state)
    advance(lanes, math.copysign(dt, seconds), round(abs(seconds) / dt), env, curve)
    return lanes[:, 0]


def energy(x):
    """Per kilogram, over the plane."""
    return 0.5 * float(x[3:6] @ x[3:6]) + G0 * x[2]


@settings(deadline=None)
@given(rounds, curves)
def test_drag_takes_energy_and_nothing_gives_any(state, curve):
    """The turning earth and the yaw of a spinning shell push across the line of flight: they do no work."""
    env = flat_earth(density_kg_m3=1.2, latitude_rad=0.6)
    calm = (*state[:7], 0.0, 0.0, state[9])
    lanes = lanes_of(calm)
    before = energy(lanes[:, 0])
    for _ in range(20):
        advance(lanes, 0.25, 1, env, curve)
        after = energy(lanes[:, 0])
        assert after < before + 1e-6 * abs(before) + 1e-6
        before = after


@settings(deadline=None)
@given(rounds)
def test_without_air_the_energy_stays(state):
    spin_free = (*state[:9], 0.0)
    after = flown(spin_free, 10.0, flat_earth(latitude_rad=0.6), curve=standard_curve("G7"))
    assert energy(after) == pytest.approx(energy(np.array(spin_free)), rel=1e-9, abs=1e-3)


@settings(deadline=None)
@given(rounds, curves)
def test_a_mirror_changes_left_and_right_and_nothing_else(state, curve):
    env = real_earth(wind_m_s=(4.0, -3.0))
    air = env.air.copy()
    air[:, WIND_EAST : WIND_EAST + 2] *= -1.0  # the wind, and how it changes with height
    mirrored = env._replace(
        coriolis_north_rad_s=-env.coriolis_north_rad_s, coriolis_up_rad_s=-env.coriolis_up_rad_s, air=air
    )
    flip = np.array([-1.0, 1.0, 1.0, -1.0, 1.0, 1.0, 1.0, -1.0, 1.0, -1.0])
    here = flown(state, 8.0, env, curve=curve)
    there = flown(np.array(state) * flip, 8.0, mirrored, curve=curve)
    assert there == pytest.approx(here * flip, rel=1e-12, abs=1e-9)


@settings(deadline=None)
@given(velocities, st.floats(math.log(500.0), math.log(6000.0)), st.floats(0.25, 2.0))
def test_a_flight_twice_as_fast_and_four_times_as_heavy_is_four_times_as_large(velocity, ln_beta, scale):
    """Froude's law: under even gravity, air and drag, lengths and β go with the square of speed and time."""
    env, even = flat_earth(density_kg_m3=1.1), fixed(np.full(2001, 0.3))
    small = flown((0.0, 0.0, 0.0, *velocity, ln_beta, 0.0, 0.0, 0.0), 8.0, env, curve=even)
    fast = [scale * each for each in velocity]
    large = flown(
        (0.0, 0.0, 0.0, *fast, ln_beta + 2.0 * math.log(scale), 0.0, 0.0, 0.0),
        8.0 * scale, env, curve=even, dt=0.25 * scale,
    )  # fmt: skip
    assert large[:3] == pytest.approx(small[:3] * scale**2, rel=1e-9, abs=1e-6)
    assert large[3:6] == pytest.approx(small[3:6] * scale, rel=1e-9, abs=1e-9)


@settings(deadline=None)
@given(rounds, curves)
def test_forward_and_back_is_where_it_began(state, curve):
    env = real_earth(wind_m_s=(3.0, 5.0))
    there = flown(state, 5.0, env, curve=curve, dt=0.05)
    back = flown(there, -5.0, env, curve=curve, dt=0.05)
    assert np.linalg.norm(back[:3] - state[:3]) < 1e-3
    assert np.linalg.norm(back[3:6] - state[3:6]) < 1e-3
    assert (back[6:] == np.array(state[6:])).all()


def test_halving_the_step_divides_the_error_by_sixteen():
    """Fourth order, in even air and with even drag, where nothing has kinks."""
    env, steady = flat_earth(density_kg_m3=1.0, latitude_rad=0.6), fixed(np.full(501, 0.3))
    exact = flown(ROUND, 16.0, env, curve=steady, dt=0.01)
    errors = [np.linalg.norm((flown(ROUND, 16.0, env, curve=steady, dt=dt) - exact)[:3]) for dt in (2.0, 1.0, 0.5)]
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert (orders > 3.8).all()
    assert (orders < 4.3).all()


@pytest.mark.parametrize("name", STANDARD_CURVES)
def test_the_step_in_use_is_fine_enough(name):
    """20 s through real air and drag tables: centimetres between a step of 0.25 s and one of 0.01 s."""
    env, curve = real_earth(wind_m_s=(5.0, 0.0)), standard_curve(name)
    coarse, fine = (flown(ROUND, 20.0, env, curve=curve, dt=dt) for dt in (0.25, 0.01))
    assert np.linalg.norm((coarse - fine)[:3]) < 0.05


# ---- the ground -----------------------------------------------------------------------------------


def raid(count=LANES):
    """Rounds of all kinds: from steep mortar bombs to flat rockets, one more from up in the air."""
    k = np.arange(count)
    elevation, azimuth = np.radians(20.0 + 55.0 * k / count), 0.7 * k
    speed = 120.0 + 22.0 * (k * 7 % count)
    states = np.zeros((count, 10))
    states[:, 2] = np.where(k % 3 == 0, 1500.0, 0.0)
    states[:, 3] = speed * np.cos(elevation) * np.sin(azimuth)
    states[:, 4] = speed * np.cos(elevation) * np.cos(azimuth)
    states[:, 5] = speed * np.sin(elevation)
    states[:, 6] = np.log(800.0 + 130.0 * k)
    states[:, 9] = np.where(k % 4 == 0, 5.0, 0.0)
    return states


@pytest.mark.parametrize("name", STANDARD_CURVES)
def test_the_impact_at_the_usual_step_is_that_of_a_fine_one(name):
    env, curve = real_earth(ground_height_m=35.0, wind_m_s=(2.0, -6.0)), standard_curve(name)
    coarse, fine = (landing(raid(), env, curve=curve, dt=dt) for dt in (0.25, 0.01))
    assert np.isfinite(coarse).all()
    errors = np.linalg.norm((coarse - fine)[:, 1:4], axis=1)
    assert np.median(errors) < 0.02
    assert errors.max() < 0.05  # where a round crosses the speed of sound, whose drag has knees
    assert np.abs((coarse - fine)[:, 0]).max() < 1e-3
    assert np.linalg.norm((coarse - fine)[:, 4:], axis=1).max() < 0.1


@pytest.mark.parametrize("name", STANDARD_CURVES)
def test_long_steps_away_from_the_speed_of_sound_cost_decimetres(name):
    """As the prediction flies: steps of 1 s where drag is smooth, of 0.25 s through its knees."""
    env, curve = real_earth(ground_height_m=35.0, wind_m_s=(2.0, -6.0)), standard_curve(name)
    errors = []
    for state in raid():
        coarse, fine = np.empty((7, LANES)), landing(state, env, curve=curve, dt=0.01)
        assert fall(lanes_of(state), 0.25, 4, 200.0, env, curve, coarse) == LANES
        errors.append(np.linalg.norm(coarse[1:4, 0] - fine[1:4]))
    assert np.median(errors) < 0.02
    assert max(errors) < 0.2


def test_a_stride_of_one_is_the_even_step():
    env, curve = real_earth(), standard_curve("G7")
    even, strided = np.empty((7, LANES)), np.empty((7, LANES))
    to_ground(lanes_of(raid()), 0.25, 200.0, env, curve, even)
    fall(lanes_of(raid()), 0.25, 1, 200.0, env, curve, strided)
    assert (even == strided).all()


@pytest.mark.parametrize("ground_m", [-200.0, 35.0, 400.0])
def test_rounds_land_on_the_ground_going_down(ground_m):
    env = real_earth(ground_height_m=ground_m)
    states = raid()
    above = states[:, 2] + 35.0 >= ground_m
    assert above.sum() >= LANES // 3
    for _, east, north, up, _, _, v_up in landing(states, env)[above]:
        assert altitude(east, north, up, env) == pytest.approx(ground_m, abs=0.02)
        assert v_up < 0.0


def test_the_ground_is_round():
    """13 km out the surface lies 13 m below the plane; rounds fall that far further."""
    landed = landing(ROUND, real_earth())
    distance = math.hypot(landed[1], landed[2])
    assert 8000.0 < distance < 20_000.0
    assert landed[3] == pytest.approx(-distance * distance / (2.0 * 6.371e6), rel=0.01)


def test_what_lies_on_the_ground_already_lands_at_once():
    below = (100.0, 200.0, -50.0, 30.0, 0.0, -10.0, 7.0, 0.0, 0.0, 0.0)
    landed = landing(below, real_earth())
    assert landed.tolist() == [0.0, *below[:6]]


def test_what_is_too_fast_or_too_late_does_not_land():
    env = real_earth()
    away = (0.0, 0.0, 100.0, 0.0, 3000.0, 9000.0, math.log(1e6), 0.0, 0.0, 0.0)
    landed = landing([ROUND, away], env)
    assert np.isfinite(landed[0]).all()
    assert np.isnan(landed[1]).all()
    assert np.isnan(landing(ROUND, env, t_max=20.0)).all()
    assert np.isfinite(landing(ROUND, env, t_max=80.0)).all()


def test_one_broken_lane_does_not_touch_the_others():
    env = real_earth()
    whole = landing(raid(), env)
    broken = raid()
    broken[5], broken[6, 3], broken[7, 2], broken[8, 6] = np.nan, np.inf, -np.inf, 1e4
    landed = landing(broken, env)
    others = [k for k in range(LANES) if k not in (5, 6, 7, 8)]
    assert (landed[others] == whole[others]).all()
    assert np.isnan(landed[[5, 6]]).all()


# ---- how it is compiled ---------------------------------------------------------------------------


@settings(deadline=None)
@given(st.floats(-14.0, 14.0))
def test_the_exponential_of_lanes_is_the_exponential(y):
    assert exponential(y) == pytest.approx(math.exp(y), rel=1e-11)


@settings(deadline=None)
@given(st.integers(1, LANES - 1))
def test_a_flight_is_the_same_in_every_lane(shift):
    env, states = real_earth(), raid()
    first = landing(states, env)
    assert (landing(np.roll(states, shift, axis=0), env) == np.roll(first, shift, axis=0)).all()


def test_flights_abreast_are_vector_instructions():
    """Vectorisation dies silently: one branch, one array that might overlap another, and it is gone."""
    fresh = numba.njit(nogil=True, error_model="numpy")(fly.py_func)  # what is loaded from a cache shows no code
    fresh(lanes_of(ROUND), 0.25, 1, real_earth(), standard_curve("G7"))
    (signature,) = fresh.signatures
    kinds = Counter(re.findall(r" f(?:mul|add|sub|div) (<\d+ x double>|double) ", fresh.inspect_llvm(signature)))
    scalar = kinds.pop("double", 0)
    assert sum(kinds.values()) > 200
    assert scalar < 0.05 * sum(kinds.values())


UNCOMPILED = """
import json, sys
sys.path.insert(0, {folder!r})
import numpy as np
from ballistics_worlds import landing, lanes_of, real_earth
from opencram.ballistics.drag import standard_curve
from opencram.ballistics.propagation import advance, exponential, fly
state = {state!r}
env = real_earth(wind_m_s=(3.0, -1.0))
lanes = lanes_of(state)
advance(lanes, 0.25, 6, env, standard_curve("G5"))
print(json.dumps([lanes[:, 0].tolist(), landing(state, env, curve=standard_curve("G5")).tolist()]))
"""


def test_with_compilation_off_the_answers_are_the_same():
    state = (300.0, -200.0, 60.0, 90.0, 120.0, 5.0, math.log(1200.0), 1.0, -2.0, 4.0)
    env = real_earth(wind_m_s=(3.0, -1.0))
    lanes = lanes_of(state)
    advance(lanes, 0.25, 6, env, standard_curve("G5"))
    compiled = [lanes[:, 0].tolist(), landing(state, env, curve=standard_curve("G5")).tolist()]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", UNCOMPILED.format(folder=os.path.dirname(__file__), state=state)],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    for ours, theirs in zip(compiled, json.loads(done.stdout), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9)
