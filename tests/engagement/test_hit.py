"""Hit and kill probabilities against closed forms, quadrature and simulation."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate

from opencram.engagement.cut import _looked_up
from opencram.engagement.effector import GENERIC_GUN, GENERIC_INTERCEPTOR
from opencram.engagement.hit import (
    common_m,
    hit_probability,
    kill_table,
    shot_kill_probability,
    time_of_flight_s,
)


@pytest.mark.parametrize(("sigma", "radius"), [(1.0, 0.25), (2.0, 4.0), (0.5, 3.0), (10.0, 0.1)])
def test_a_centred_gaussian_hits_by_the_rayleigh_law(sigma: float, radius: float) -> None:
    found = hit_probability(np.zeros(1), np.array([sigma]), radius)[0]
    assert found == pytest.approx(1.0 - math.exp(-0.5 * (radius / sigma) ** 2), rel=1e-9)


@pytest.mark.parametrize(("offset", "sigma", "radius"), [(1.0, 1.0, 0.5), (3.0, 1.0, 2.0), (5.0, 2.0, 6.0)])
def test_an_offset_gaussian_hits_as_the_double_integral_says(offset: float, sigma: float, radius: float) -> None:
    def density(angle: float, r: float) -> float:
        squared = r * r + offset * offset - 2.0 * r * offset * math.cos(angle)
        return r * math.exp(-0.5 * squared / sigma**2) / (2.0 * math.pi * sigma**2)

    wanted, _ = integrate.dblquad(density, 0.0, radius, 0.0, 2.0 * math.pi, epsabs=1e-12)
    found = hit_probability(np.array([offset]), np.array([sigma]), radius)[0]
    assert found == pytest.approx(wanted, abs=1e-9)


def test_far_offsets_and_tiny_scatter_stay_probabilities() -> None:
    offsets = np.array([0.0, 1.0, 1e3, 1e9])
    found = hit_probability(offsets, np.full(4, 1e-3), 0.25)
    assert found == pytest.approx([1.0, 0.0, 0.0, 0.0], abs=1e-12)


def test_without_common_error_rounds_are_independent() -> None:
    model = replace(GENERIC_GUN, bias_rad=0.0, tracking_m_std=0.0)
    one = model.kill_given_hit * -math.expm1(-0.5 * (0.25 / 1.5) ** 2)
    wanted = 1.0 - (1.0 - one) ** model.rounds_per_shot
    assert shot_kill_probability(model, np.array([1000.0]))[0] == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("ratio", [0.3, 1.0, 5.0])
def test_the_integral_over_the_common_error_is_exact(ratio: float) -> None:
    model = replace(GENERIC_GUN, bias_rad=ratio * GENERIC_GUN.dispersion_rad, tracking_m_std=0.0)
    sigma, common = 1.5, 1.5 * ratio

    def killed(u: float) -> float:  # u: the common error's radius by its deviation
        hit = hit_probability(np.array([u * common]), np.array([sigma]), model.lethal_radius_m)[0]
        return float((1.0 - (1.0 - 0.5 * hit) ** 120) * u * math.exp(-0.5 * u * u))

    wanted, _ = integrate.quad(killed, 0.0, 9.0, epsabs=1e-10, limit=400)
    assert shot_kill_probability(model, np.array([1000.0]))[0] == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("range_m", [500.0, 1000.0])
def test_a_burst_kills_as_often_as_simulated_bursts_do(range_m: float) -> None:
    draws = np.random.default_rng(7)
    model, runs = GENERIC_GUN, 4000
    common = draws.standard_normal((runs, 1, 2)) * math.hypot(model.bias_rad * range_m, model.tracking_m_std)
    rounds = common + draws.standard_normal((runs, model.rounds_per_shot, 2)) * model.dispersion_rad * range_m
    hits = (np.hypot(rounds[..., 0], rounds[..., 1]) <= model.lethal_radius_m).sum(axis=1)
    killed = draws.random(runs) < 1.0 - (1.0 - model.kill_given_hit) ** hits
    found = shot_kill_probability(model, np.array([range_m]))[0]
    assert killed.mean() == pytest.approx(found, abs=4.0 * math.sqrt(found * (1.0 - found) / runs))


def test_the_generic_models_kill_as_they_are_said_to() -> None:
    gun = shot_kill_probability(GENERIC_GUN, np.array([500.0, 1000.0]))
    assert gun == pytest.approx([0.54, 0.40], abs=0.02)
    assert shot_kill_probability(GENERIC_INTERCEPTOR, np.array([5000.0]))[0] == pytest.approx(0.78, abs=0.01)


def test_the_table_is_fine_enough() -> None:
    draws = np.random.default_rng(3)
    for model in (GENERIC_GUN, GENERIC_INTERCEPTOR, replace(GENERIC_GUN, tracking_m_std=0.0, track_share=0.1)):
        grid, table = kill_table(model, 300.0, 2000.0)
        for range_m, track_m, crossing in draws.uniform((310.0, 0.0, 0.0), (1990.0, 60.0, 400.0), (40, 3)).tolist():
            own = math.hypot(model.dispersion_rad * range_m, model.miss_m_std)
            flight_s = float(time_of_flight_s(model, np.array([range_m]))[0])
            own = math.sqrt(own * math.hypot(own, crossing * model.speed_std_share * flight_s))
            common = math.hypot(model.bias_rad * range_m, common_m(model, track_m))
            wanted = shot_kill_probability(model, np.array([range_m]), track_m_std=track_m, crossing_m_s=crossing)[0]
            assert _looked_up(grid, table, own, common) == pytest.approx(wanted, abs=2e-3)


@pytest.mark.parametrize(("crossing", "track_m"), [(0.0, 0.0), (250.0, 20.0), (450.0, 60.0)])
def test_scatter_at_the_muzzle_and_the_track_count_as_simulated_bursts_say(crossing: float, track_m: float) -> None:
    """The ellipse that early and late rounds make of the scatter is counted as the circle of its area."""
    draws = np.random.default_rng(11)
    model, runs, range_m = GENERIC_GUN, 6000, 1200.0
    late_m = crossing * model.speed_std_share * float(time_of_flight_s(model, np.array([range_m]))[0])
    own = model.dispersion_rad * range_m
    common = math.hypot(model.bias_rad * range_m, math.hypot(model.tracking_m_std, model.track_share * track_m))
    rounds = draws.standard_normal((runs, 1, 2)) * common
    rounds = rounds + draws.standard_normal((runs, model.rounds_per_shot, 2)) * (math.hypot(own, late_m), own)
    hits = (np.hypot(rounds[..., 0], rounds[..., 1]) <= model.lethal_radius_m).sum(axis=1)
    killed = draws.random(runs) < 1.0 - (1.0 - model.kill_given_hit) ** hits
    found = shot_kill_probability(model, np.array([range_m]), track_m_std=track_m, crossing_m_s=crossing)[0]
    assert killed.mean() == pytest.approx(found, abs=4.0 * math.sqrt(found * (1.0 - found) / runs) + 1e-3)
    if crossing:
        assert found < shot_kill_probability(model, np.array([range_m]))[0] - 0.01
