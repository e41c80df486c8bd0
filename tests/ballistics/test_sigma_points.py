"""Impact ellipses by sigma points against 100 000 flights, for every class (slow)."""

import math

import numpy as np
import pytest
from ballistics_worlds import real_earth

from opencram.ballistics.classes import CLASS_BANK
from opencram.ballistics.drag import standard_curve
from opencram.ballistics.drivers import land_all
from opencram.ballistics.footprint import ellipse
from opencram.prediction.ground import MOMENTS, impact_moments

RUNS = 100_000


@pytest.mark.slow
@pytest.mark.parametrize("model", CLASS_BANK, ids=lambda m: f"{m.class_name}-{m.curve}-{m.spin_m_s:g}")
def test_the_ellipse_is_that_of_100_000_flights(model):
    """A track of some seconds: 10 m, 2 m/s, 5 % of drag, 2 m/s of wind, 1 m/s of spin drift."""
    env, curve = real_earth(wind_m_s=(3.0, -4.0)), standard_curve(model.curve)
    rise = model.speed_m_s * math.sqrt(0.5)
    mean = np.array([0.0, 0.0, 200.0, 0.3 * rise, rise, rise, model.ln_beta, 0.0, 0.0, model.spin_m_s])
    covariance = np.diag([10.0, 10.0, 10.0, 2.0, 2.0, 2.0, 0.05, 2.0, 2.0, 1.0]) ** 2
    covariance[2, 5] = covariance[5, 2] = 0.5 * 10.0 * 2.0
    moments = np.empty(MOMENTS)
    assert impact_moments(mean, covariance, 0.25, 4, 300.0, env, curve, moments)
    believed = np.array([[moments[7], moments[8]], [moments[8], moments[9]]])
    draws = np.random.default_rng(7).multivariate_normal(mean, covariance, RUNS)
    fallen = land_all(draws, env, curve)[:, 1:3]
    assert np.isfinite(fallen).all()
    assert ellipse(believed)[:2] == pytest.approx(ellipse(np.cov(fallen.T))[:2], rel=0.02)
    away = fallen - moments[:2]
    squared = np.einsum("ni,ij,nj->n", away, np.linalg.inv(believed), away)
    for share in (0.5, 0.95):
        assert (squared < -2.0 * math.log(1.0 - share)).mean() == pytest.approx(share, abs=0.01)
