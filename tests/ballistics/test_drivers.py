"""One right-hand side, three drivers, one answer; footprints; and where rounds came from."""

import math

import numpy as np
import pytest
from ballistics_worlds import ROUND, real_earth
from test_propagation import raid

from opencram.ballistics.drag import standard_curve
from opencram.ballistics.drivers import land_all, land_one
from opencram.ballistics.footprint import deviates, ellipse, footprint
from opencram.ballistics.origin import GRID_M, RADIUS_M_MIN, launch_area
from opencram.ballistics.propagation import advance
from opencram.ballistics.terms import Terms, switched, switched_states
from opencram.earth.terrain import Terrain

CURVE = standard_curve("G7")


def spread():
    """A covariance as tracks have: 20 m, 5 m/s, 5 % of drag, 2 m/s of wind, 1 m/s of spin drift."""
    return np.diag([20.0, 20.0, 20.0, 5.0, 5.0, 5.0, 0.05, 2.0, 2.0, 1.0]) ** 2


@pytest.mark.parametrize("hilly", [False, True])
def test_scalar_lanes_and_threads_land_alike(hilly):
    hills = Terrain.of(-9000.0, -9000.0, 100.0, 35.0 + 200.0 * np.random.default_rng(3).random((181, 181)))
    env = real_earth(wind_m_s=(3.0, -2.0), terrain=hills if hilly else None)
    states = np.tile(raid(), (40, 1))[:901]
    states[:, 2] += 300.0 + np.arange(901) * 0.1
    lanes = land_all(states, env, CURVE)
    assert np.isfinite(lanes).all()
    assert (land_all(states, env, CURVE, threads=3) == lanes).all()
    one = np.array([land_one(state, env, CURVE) for state in states[:60]])
    assert one == pytest.approx(lanes[:60], rel=1e-9, abs=1e-6)


def test_states_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="must be"):
        land_all(np.zeros((5, 9)), real_earth(), CURVE)


def test_what_never_lands_is_given_up_after_the_time_limit():
    light = (0.0, 0.0, 9000.0, 10.0, 0.0, 0.0, math.log(0.5), 0.0, 0.0, 0.0)
    assert np.isnan(land_one(light, real_earth(), CURVE)).all()
    assert np.isnan(land_all([light, ROUND], real_earth(), CURVE)[0]).all()


def test_ground_below_the_sea_is_ground():
    env = real_earth(ground_height_m=-420.0)
    landed = land_one((0.0, 0.0, 100.0, 100.0, 0.0, 0.0, 7.0, 0.0, 0.0, 0.0), env, CURVE)
    assert landed[3] == pytest.approx(-455.0, abs=0.5)


def test_winds_of_300_m_s_are_flown():
    landed = land_one(ROUND, real_earth(wind_m_s=(300.0, 0.0)), CURVE)
    assert np.isfinite(landed).all()
    assert landed[1] > land_one(ROUND, real_earth(), CURVE)[1] + 1000.0


@pytest.mark.parametrize(
    ("term", "least_m"), [("drag", 5000.0), ("wind", 50.0), ("coriolis", 5.0), ("curvature", 1.0), ("spin_drift", 50.0)]
)
def test_a_term_that_is_switched_off_is_missed(term, least_m):
    env, state = real_earth(wind_m_s=(5.0, -5.0)), (*ROUND[:9], 5.0)
    terms = Terms(**{term: False})
    whole = land_one(state, env, CURVE)
    without = land_one(switched_states(state, terms), switched(env, terms), CURVE)
    assert np.linalg.norm((whole - without)[1:3]) > least_m


def test_with_all_terms_off_a_flight_is_a_parabola():
    terms = Terms(drag=False, wind=False, coriolis=False, curvature=False, gravity_gradient=False, spin_drift=False)
    env = switched(real_earth(wind_m_s=(5.0, -5.0)), terms)
    g = env.gravity_m_s2
    landed = land_one(ROUND, env, CURVE)
    assert landed[0] == pytest.approx(2.0 * ROUND[5] / g, rel=1e-9)
    assert landed[1:3] == pytest.approx(np.array(ROUND[3:5]) * landed[0], rel=1e-9)
    assert g == pytest.approx(9.795, abs=0.01)


def test_an_even_sample_has_the_moments_of_the_normal():
    sample = deviates(4096)
    assert np.abs(sample.mean(axis=0)).max() < 0.012  # random draws: 0.03
    assert np.abs(np.cov(sample.T) - np.eye(10)).max() < 0.05


def test_a_footprint_is_that_of_random_draws():
    env = real_earth()
    found = footprint(ROUND, spread(), env, CURVE, samples=4096)
    draws = np.random.default_rng(5).multivariate_normal(ROUND, spread(), 20_000)
    fallen = land_all(draws, env, CURVE, dt=0.5)
    sigma = np.cov(fallen[:, 1:3].T)
    assert found.landed_share == 1.0
    assert found.mean_m == pytest.approx(fallen[:, 1:3].mean(axis=0), abs=0.03 * math.sqrt(sigma.max()))
    assert found.ellipse_m()[:2] == pytest.approx(ellipse(sigma)[:2], rel=0.03)
    assert found.radius_m(0.5) < found.radius_m(0.95) < found.ellipse_m(0.999)[0]


def test_an_ellipse_is_told_by_its_axes():
    long, short, azimuth = ellipse([[1.0, 0.0], [0.0, 9.0]], 1.0 - math.exp(-0.5))
    assert (long, short) == pytest.approx((3.0, 1.0))
    assert azimuth % math.pi == pytest.approx(0.0, abs=1e-12)
    assert ellipse([[9.0, 0.0], [0.0, 1.0]])[2] == pytest.approx(0.5 * math.pi)


def test_a_footprint_of_what_never_lands_is_empty():
    away = (0.0, 0.0, 100.0, 0.0, 3000.0, 9000.0, math.log(1e6), 0.0, 0.0, 0.0)
    found = footprint(away, spread(), real_earth(), CURVE, samples=100)
    assert found.landed_share == 0.0
    assert np.isnan(found.mean_m).all()


def test_a_launch_is_told_after_the_impact_only_and_as_an_area():
    env = real_earth()
    lanes = np.repeat(np.array(ROUND)[:, np.newaxis], 24, axis=1)
    advance(lanes, 0.25, 40, env, CURVE)
    seen = lanes[:, 0]
    assert launch_area(seen, spread(), env, CURVE, since_impact_s=-0.1) is None
    assert launch_area(seen, spread(), env, CURVE, since_impact_s=math.nan) is None
    area = launch_area(seen, spread(), env, CURVE, since_impact_s=0.0)
    assert area is not None
    assert area.radius_m >= RADIUS_M_MIN
    assert area.east_m % GRID_M == area.north_m % GRID_M == 0.0
    assert math.hypot(area.east_m, area.north_m) < area.radius_m
    exact = launch_area(seen, spread() * 1e-6, env, CURVE, since_impact_s=60.0)
    assert exact is not None
    assert exact.radius_m == RADIUS_M_MIN  # never finer, however well it was seen
