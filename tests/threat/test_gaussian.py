"""The boundary integrals against one-dimensional quadrature of the same regions."""

import itertools
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import integrate, stats

from opencram.threat.clearance import mixture_inside
from opencram.threat.dilation import hull_outline, outline
from opencram.threat.gaussian import COMPONENT_SIZE, arc_integral, fill_component, normal_cdf

RADIUS_M = 50.0


def components(*rows):
    filled = np.empty((len(rows), COMPONENT_SIZE))
    for out, row in zip(filled, rows, strict=True):
        fill_component(out, *(float(value) for value in row))
    return filled


def rounded_rectangle(mean, covariance, half_e, half_n, radius):
    """P(Gaussian in a rectangle about the origin widened by a disc), by quadrature over north."""
    (ee, en), (_, nn) = covariance
    marginal = stats.norm(mean[1], math.sqrt(nn))
    conditional_std = math.sqrt(ee - en * en / nn)

    def at(north):
        over = max(abs(north) - half_n, 0.0)
        half = half_e + math.sqrt(max(radius * radius - over * over, 0.0))
        centre = mean[0] + en / nn * (north - mean[1])
        inner = stats.norm.cdf(half, centre, conditional_std) - stats.norm.cdf(-half, centre, conditional_std)
        return marginal.pdf(north) * inner

    stops = [-half_n - radius, -half_n, half_n, half_n + radius]
    peak = sorted({*stops, *(s for s in mean[1] + math.sqrt(nn) * np.linspace(-8, 8, 33) if stops[0] < s < stops[-1])})
    return sum(integrate.quad(at, a, b, epsabs=1e-11, limit=200)[0] for a, b in itertools.pairwise(peak))


CASES = [
    ((0.0, 0.0), ((1e4, 0.0), (0.0, 1e4))),
    ((300.0, -120.0), ((9e4, 3e4), (3e4, 2e4))),
    ((410.0, 290.0), ((100.0, -40.0), (-40.0, 25.0))),
    ((420.0, 0.0), ((4.0, 0.0), (0.0, 4.0))),
    ((-900.0, 700.0), ((2.5e5, 2.3e5), (2.3e5, 2.5e5))),
    ((5000.0, 0.0), ((1e6, 0.0), (0.0, 1e6))),
    ((400.0, 250.0), ((1.0, 0.0), (0.0, 1e6))),
]


@pytest.mark.parametrize(("mean", "covariance"), CASES)
def test_rectangle_widened_by_a_disc(mean, covariance):
    half_e, half_n = 375.0, 250.0
    ring = np.array([[-half_e, -half_n], [half_e, -half_n], [half_e, half_n], [-half_e, half_n]])
    (ee, en), (_, nn) = covariance
    mixture = components((1.0, *mean, ee, en, nn))
    expected = rounded_rectangle(mean, covariance, half_e, half_n, RADIUS_M)
    assert mixture_inside(mixture, outline(ring, RADIUS_M), RADIUS_M, 0.0) == pytest.approx(expected, abs=1e-7)
    assert mixture_inside(mixture, hull_outline(ring), RADIUS_M, RADIUS_M) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("std", [2.0, 30.0, 400.0])
@pytest.mark.parametrize("offset", [0.0, 49.0, 80.0])
def test_disc_about_a_point_follows_the_noncentral_chi_square(std, offset):
    ring = np.array([[1000.0, -2000.0]])
    mixture = components((1.0, 1000.0 + 0.6 * offset, -2000.0 + 0.8 * offset, std**2, 0.0, std**2))
    exact = stats.ncx2.cdf((RADIUS_M / std) ** 2, 2, (offset / std) ** 2)
    assert mixture_inside(mixture, outline(ring, RADIUS_M), RADIUS_M, 0.0) == pytest.approx(exact, abs=1e-7)
    assert mixture_inside(mixture, hull_outline(ring), RADIUS_M, RADIUS_M) == pytest.approx(exact, abs=1e-7)


def test_mixture_is_the_weighted_sum():
    ring = np.array([[0.0, 0.0], [300.0, 0.0], [100.0, 400.0]])
    pieces = outline(ring, RADIUS_M)
    rows = [(0.7, 50.0, 60.0, 9e3, 2e3, 4e3), (0.3, 500.0, -60.0, 9e4, 0.0, 4e3)]
    parts = [mixture_inside(components((1.0, *row[1:])), pieces, RADIUS_M, 0.0) for row in rows]
    both = mixture_inside(components(*rows), pieces, RADIUS_M, 0.0)
    assert both == pytest.approx(0.7 * parts[0] + 0.3 * parts[1], abs=1e-12)


@pytest.mark.parametrize(
    "covariance",
    [(0.0, 0.0, 0.0), (1e-12, 0.0, 1e-12), (-1.0, 0.0, -1.0), (0.0, 5.0, 0.0), (1.0, 1.0, 1.0), (1e-30, 1e-30, 1.0)],
)
def test_singular_covariance_is_a_point_mass_inside_or_outside(covariance):
    ring = np.array([[-100.0, -100.0], [100.0, -100.0], [100.0, 100.0], [-100.0, 100.0]])
    pieces = outline(ring, RADIUS_M)
    for east, inside in ((0.0, 1.0), (99.0, 1.0), (130.0, 1.0), (170.0, 0.0), (1e6, 0.0)):
        found = mixture_inside(components((1.0, east, 0.0, *covariance)), pieces, RADIUS_M, 0.0)
        assert found == pytest.approx(inside, abs=1e-6)


def test_an_arc_and_its_halves_agree():
    row = components((1.0, 12.0, -7.0, 900.0, 200.0, 300.0))[0]
    whole = arc_integral(row, 20.0, 5.0, 60.0, 0.3, 5.0)
    halves = arc_integral(row, 20.0, 5.0, 60.0, 0.3, 2.2) + arc_integral(row, 20.0, 5.0, 60.0, 2.2, 5.0)
    assert whole == pytest.approx(halves, abs=1e-8)


SCRIPT = """
import numpy as np
from opencram.threat.clearance import mixture_inside
from opencram.threat.dilation import outline
from opencram.threat.gaussian import fill_component
ring = np.array([[0.0, 0.0], [300.0, 0.0], [300.0, 300.0], [150.0, 60.0], [0.0, 300.0]])
row = np.empty((1, 12))
fill_component(row[0], 1.0, 140.0, 210.0, 9e3, 2e3, 4e3)
print(repr(float(mixture_inside(row, outline(ring, 50.0), 50.0, 0.0))))
"""


def test_the_same_with_compilation_off():
    def run(**extra):
        environment = {**os.environ, **extra}
        return float(
            subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, check=True).stdout
        )

    assert run(NUMBA_DISABLE_JIT="1") == pytest.approx(run(), abs=1e-12)


def test_the_table_of_the_normal_distribution_against_the_error_function():
    x = np.linspace(-9.0, 9.0, 20_001)
    exact = np.array([0.5 * math.erfc(-each / math.sqrt(2.0)) for each in x])
    assert max(abs(normal_cdf(float(each)) - value) for each, value in zip(x, exact, strict=True)) < 4e-9
