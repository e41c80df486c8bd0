"""Predicted paths, and the shots that fit them."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from engagement_raids import GUN, SITE, T0, S, Shell, impact_of
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from opencram.engagement.config import Config
from opencram.engagement.effector import GENERIC_GUN, GENERIC_INTERCEPTOR, Effector
from opencram.engagement.hit import time_of_flight_s
from opencram.engagement.shots import Shots
from opencram.engagement.windows import resample, shots_along

SHELL = Shell(1, (60.0, -40.0), 33.2)


def shots_of(config: Config, effector: Effector, shell: Shell, t_s: float) -> Shots:
    impact = impact_of(shell, t_s)
    path = resample(config, impact.path_enu_m, impact.t_ns, impact.impact_t_ns)
    return shots_along(config, effector, path, impact.t_ns)


@pytest.mark.parametrize("range_m", [300.0, 1000.0, 2000.0])
def test_time_of_flight_solves_its_equation_of_motion(range_m: float) -> None:
    model = GENERIC_GUN
    wanted, _ = integrate.quad(lambda s: math.exp(s / model.decay_m) / model.speed_m_s, 0.0, range_m)
    assert time_of_flight_s(model, np.array([range_m]))[0] == pytest.approx(wanted, rel=1e-9)
    constant = time_of_flight_s(GENERIC_INTERCEPTOR, np.array([range_m]))[0]
    assert constant == pytest.approx(range_m / 600.0)


def test_the_path_between_its_points_is_the_flight() -> None:
    impact = impact_of(SHELL, 8.0)
    path = resample(SITE, impact.path_enu_m, impact.t_ns, impact.impact_t_ns)
    wanted = [SHELL.position((t - T0) / S) for t in path.t_ns.tolist()]
    assert math.dist(wanted[0], GUN.position_enu_m) > GUN.range_m_max
    assert path.position_enu_m == pytest.approx(np.array(wanted), abs=1e-3)
    assert path.t_ns[-1] <= impact.impact_t_ns - S
    assert not (path.t_ns % (S // 10)).any()


def test_a_path_under_drag_is_met_within_a_third_of_a_metre() -> None:
    """Points 2 s apart on a flight that loses speed as fast as a rocket at sea level does."""

    def position(t_s: np.ndarray) -> np.ndarray:
        return np.stack([9000.0 * np.log1p(t_s * 300.0 / 9000.0), 0.0 * t_s, 200.0 * t_s - 4.9 * t_s**2], axis=-1)

    knots = position(np.arange(0.0, 40.1, 2.0))
    path = resample(replace(SITE, effectors=()), tuple(map(tuple, knots.tolist())), T0, T0 + 40 * S)
    assert len(path.t_ns) == 391
    wanted = position((path.t_ns - T0) / S)
    assert np.abs(path.position_enu_m - wanted).max() < 0.3


def test_shots_obey_every_limit() -> None:
    shots = shots_of(SITE, GUN, SHELL, 12.0)
    assert len(shots) > 30
    for fire, done in zip(shots.fire_t_ns.tolist(), shots.done_t_ns.tolist(), strict=True):
        for t_ns in (done - round(GENERIC_GUN.burst_s * S), done):  # first and last round
            assert 300.0 <= math.dist(SHELL.position((t_ns - T0) / S), GUN.position_enu_m) <= 2000.0
            assert SHELL.position((t_ns - T0) / S)[2] >= 30.0
        assert fire >= T0 + 12 * S
    assert (np.diff(shots.start_t_ns) > 0).all()
    assert (shots.fire_t_ns - shots.start_t_ns == 2 * S).all()
    flight = (shots.intercept_t_ns - shots.fire_t_ns) / S - 0.5 * GENERIC_GUN.burst_s
    assert flight == pytest.approx(time_of_flight_s(GENERIC_GUN, shots.range_m), abs=1e-6)
    assert (np.diff(shots.range_m) < 0).all()
    assert (np.diff(shots.kill_probability)[shots.range_m[1:] > 600.0] > 0).all()


def test_what_a_second_shot_adds_is_the_best_that_starts_in_time() -> None:
    shots = shots_of(SITE, GUN, SHELL, 12.0)
    for i in (0, 5, len(shots) - 1):
        after = [j for j in range(len(shots)) if shots.start_t_ns[j] >= shots.done_t_ns[i] + S]
        best = max(after, key=lambda j: float(shots.kill_probability[j]), default=None)
        assert shots.again[i] == (0.0 if best is None else shots.kill_probability[best])
        assert best is None or shots.again_done_t_ns[i] == shots.done_t_ns[best]


@pytest.mark.parametrize(
    ("effector", "shell", "t_s", "blocked"),
    [
        (GUN, replace(SHELL, impact_enu_m=(9000.0, 9000.0)), 12.0, "out_of_range"),
        (GUN, SHELL, 33.0, "no_path"),
        (GUN, SHELL, 31.9, "out_of_range"),
        (replace(GUN, range_m_min=0.0, range_m_max=120.0), SHELL, 12.0, "out_of_range"),
    ],
)
def test_what_left_nothing_is_named(effector: Effector, shell: Shell, t_s: float, blocked: str) -> None:
    assert shots_of(SITE, effector, shell, t_s).blocked == blocked


def test_low_and_late_are_told_apart() -> None:
    assert shots_of(replace(SITE, intercept_height_m_min=5000.0), GUN, SHELL, 12.0).blocked == "too_low"
    assert shots_of(SITE, GUN, SHELL, 30.2).blocked == "too_late"


def test_an_interceptor_needs_its_minimum_flight() -> None:
    interceptor = replace(GUN, id="m", kind="interceptor", range_m_min=500.0, range_m_max=6000.0, magazine_rounds=8)
    shots = shots_of(SITE, interceptor, SHELL, 12.0)
    assert len(shots)
    assert shots.range_m.min() >= 1200.0


numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(
    points=st.lists(st.tuples(numbers, numbers, numbers), max_size=5),
    lasts_ns=st.integers(-(10**12), 10**15),
    late=st.integers(-(10**9), 10**9),
)
def test_any_path_gives_shots_or_none(points: list[tuple[float, float, float]], lasts_ns: int, late: int) -> None:
    path = resample(SITE, tuple(points), T0 + late, T0 + late + lasts_ns)
    shots = shots_along(SITE, GUN, path, T0 + late)
    assert (len(shots) == 0) == bool(shots.blocked)
    assert np.isfinite(shots.kill_probability).all()
    assert all(a <= b for a, b in itertools.pairwise(shots.start_t_ns.tolist()))
