"""The 95 % ellipse against draws: the share that it holds, and where its longer axis points."""

import math

import numpy as np
import pytest

from opencram.ellipse import CHI2_95_2D, axes_95


def test_the_point_of_chi_squared() -> None:
    assert pytest.approx(-2.0 * math.log(0.05)) == CHI2_95_2D


@pytest.mark.parametrize("azimuth_deg", [0.0, 30.0, 90.0, 135.0])
def test_it_holds_95_of_100_draws_and_points_along_the_spread(azimuth_deg: float) -> None:
    azimuth = math.radians(azimuth_deg)
    along = np.array([math.sin(azimuth), math.cos(azimuth)])
    across = np.array([math.cos(azimuth), -math.sin(azimuth)])
    covariance = 80.0**2 * np.outer(along, along) + 25.0**2 * np.outer(across, across)
    axes = axes_95((covariance[0, 0], covariance[0, 1], covariance[1, 1]))
    assert axes.longer_m == pytest.approx(80.0 * math.sqrt(CHI2_95_2D))
    assert axes.shorter_m == pytest.approx(25.0 * math.sqrt(CHI2_95_2D))
    assert abs(math.sin(axes.azimuth_rad - azimuth)) < 1e-9
    draws = np.random.default_rng(1).multivariate_normal([0.0, 0.0], covariance, 20_000)
    inside = (draws @ along / axes.longer_m) ** 2 + (draws @ across / axes.shorter_m) ** 2 <= 1.0
    assert float(inside.mean()) == pytest.approx(0.95, abs=0.005)


def test_a_covariance_that_is_none_gives_no_axes() -> None:
    assert all(map(math.isnan, axes_95((math.nan, 0.0, 1.0))))
    assert all(map(math.isnan, axes_95((math.inf, 0.0, 1.0))))
