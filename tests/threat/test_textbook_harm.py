"""The harm kernel is Carleton's damage function: its closed forms, against numerical integration and the stage.

Source: Carleton's Gaussian damage function, exp(−r² / 2b²), also called diffuse Gaussian; with a bivariate normal aim
the expected damage of a point target is a product of two factors (Przemieniecki, Mathematical Methods in Defense
Analyses, 3rd ed., ch. 2; Washburn and Kress, Combat Modeling, ch. 2).
"""

import math

import pytest
from scipy import integrate
from test_threat_stage import component, impact, square

from opencram import threat
from opencram.threat.harm import kernel_variance_m2

PEOPLE = 1000


def carleton(offset_m: tuple[float, float], std_m: tuple[float, float], b_m: float) -> float:
    """Return the expected damage of a point at an offset from the mean of an aim with these deviations."""
    product = 1.0
    for d, sigma in zip(offset_m, std_m, strict=True):
        wide = b_m * b_m + sigma * sigma
        product *= b_m / math.sqrt(wide) * math.exp(-0.5 * d * d / wide)
    return product


def integrated(offset_m: tuple[float, float], std_m: tuple[float, float], b_m: float) -> float:
    """Return the same, by integrating the damage over the density of the aim."""

    def density(y: float, x: float) -> float:
        away = (x - offset_m[0]) ** 2 + (y - offset_m[1]) ** 2
        aim = math.exp(-0.5 * ((x / std_m[0]) ** 2 + (y / std_m[1]) ** 2)) / (2.0 * math.pi * std_m[0] * std_m[1])
        return aim * math.exp(-0.5 * away / b_m**2)

    reach_x, reach_y = (7.0 * sigma for sigma in std_m)
    value, _ = integrate.dblquad(density, -reach_x, reach_x, -reach_y, reach_y, epsabs=1e-10)
    return float(value)


CASES = [((0.0, 0.0), (20.0, 20.0)), ((40.0, -10.0), (60.0, 15.0)), ((150.0, 80.0), (90.0, 40.0))]


@pytest.mark.parametrize(("offset_m", "std_m"), CASES)
def test_the_closed_form_is_the_integral(offset_m: tuple[float, float], std_m: tuple[float, float]) -> None:
    b_m = math.sqrt(kernel_variance_m2(30.0))
    assert carleton(offset_m, std_m, b_m) == pytest.approx(integrated(offset_m, std_m, b_m), abs=1e-8)


@pytest.mark.parametrize(("offset_m", "std_m"), CASES)
def test_a_point_target_is_harmed_as_the_closed_form_says(
    offset_m: tuple[float, float], std_m: tuple[float, float]
) -> None:
    """A zone of two metres, all of whose people stand in the open."""
    config = threat.Config(
        places=(square("zone", "point", *offset_m, people=PEOPLE, half=1.0),),
        zone_probability_min=0.0,
        indoor_factor=1.0,
    )
    aim = component(covariance=(std_m[0] ** 2, 0.0, std_m[1] ** 2))
    _, (told,) = threat.step(config, threat.initial(config), [impact(aim)])
    b_m = math.sqrt(kernel_variance_m2(config.casualty_radius_m))
    assert told.expected_casualties == pytest.approx(PEOPLE * carleton(offset_m, std_m, b_m), rel=0.02)
