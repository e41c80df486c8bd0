"""Candidates: a plot in the site's axes, the gate, the score, and who gets which plot."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal
from tracking_worlds import LEVEL, ROCKET, every, flown, noisy, polar, radar

from opencram.tracking.candidates import join, start

SENSOR = radar(position_enu_m=(500.0, -800.0, 6.0))
ORIGIN, ROTATION = np.array(SENSOR.position_enu_m), np.array(LEVEL).reshape(3, 3)
VARIANCES = np.array([10.0, 1.5e-3, 1.5e-3]) ** 2
SPEED_STD, GATE, RATE_STD = 450.0, 16.0, 3.0
LOG_CLUTTER, LOG_DETECTION = math.log(1.0 / (20_000.0 * math.pi**2)), math.log(0.9)


def begun(z, variances=None):
    """States and covariances of candidates from single plots (m, 4)."""
    x, p = np.empty((len(z), 6)), np.empty((len(z), 6, 6))
    variances = np.tile(VARIANCES, (len(z), 1)) if variances is None else variances
    for each in range(len(z)):
        start(z[each], variances[each], ROTATION, ORIGIN, SPEED_STD, x[each], p[each])
    return x, p


def joined(x, p, ages, z, fall=None, free=None):
    """Plots and gains of `join`, which moves `x` and `p`."""
    n = len(x)
    return join(
        x, p, np.full(n, ages), np.ones(n) if fall is None else fall, z, np.tile(VARIANCES, (len(z), 1)),
        np.full(len(z), 1.0 / RATE_STD), np.ones(len(z), dtype=bool) if free is None else free, ROTATION, ORIGIN, GATE,
        np.full(len(z), LOG_CLUTTER), LOG_DETECTION,
    )  # fmt: skip


def plots_at(states, *, rates=False):
    z = polar(SENSOR, np.atleast_2d(np.asarray(states, dtype=np.float64)))
    if not rates:
        z[:, 3] = math.nan
    return z


@settings(deadline=None, max_examples=25)
@given(st.floats(200.0, 15_000.0), st.floats(0.0, 2 * math.pi), st.floats(0.0, 1.3))
def test_a_single_plot_becomes_its_place_and_its_spread(range_m, azimuth_rad, elevation_rad):
    z = np.array([[range_m, azimuth_rad, elevation_rad, math.nan]])
    x, p = begun(z)
    assert polar(SENSOR, np.concatenate([x, np.zeros((1, 0))], axis=1))[0, 0] == pytest.approx(range_m, rel=1e-9)
    draws = np.random.default_rng(1)
    many = np.tile(z, (20_000, 1))
    many[:, :3] += draws.standard_normal((20_000, 3)) * np.sqrt(VARIANCES)
    sample, _ = begun(many)
    assert np.cov(sample[:, :3].T) == pytest.approx(p[0, :3, :3], abs=0.05 * np.abs(p[0, :3, :3]).max())
    assert p[0, 3:, 3:] == pytest.approx(np.eye(3) * SPEED_STD**2)
    assert (x[0, 3:] == 0.0).all()
    assert p[0] == pytest.approx(p[0].T)


def test_plots_of_a_round_join_one_candidate_and_raise_its_score():
    times = every(0.1, 1.0)
    draws = np.random.default_rng(2)
    z = noisy(SENSOR, plots_at(flown(ROCKET, times)), draws)
    x, p = begun(z[:1])
    score = 0.0
    for k in range(1, len(z)):
        plot_of, gains = joined(x, p, 0.1, z[k : k + 1])
        assert plot_of.tolist() == [0]
        score += gains[0]
        assert np.linalg.eigvalsh(p[0]).min() > 0.0
    assert score > 22.0
    truth = flown(ROCKET, times[-1:])[0]
    error = x[0] - truth
    assert error @ np.linalg.solve(p[0], error) < 22.5  # 99.9 % of chi squared, six degrees of freedom


def test_the_gain_is_the_likelihood_ratio_of_the_plot():
    """Against SciPy's own Gaussian density, in the plot's polar coordinates."""
    z = plots_at([ROCKET[:6]])
    x, p = begun(z)
    later = plots_at(flown(ROCKET, [0.1]))
    fresh_x, fresh_p = x.copy(), p.copy()
    joined(fresh_x, fresh_p, 0.1, later, free=np.zeros(1, dtype=bool))  # only moves on
    place, spread = begun(later)
    density = multivariate_normal(fresh_x[0, :3], fresh_p[0, :3, :3] + spread[0, :3, :3]).logpdf(place[0, :3])
    jacobian = 2.0 * math.log(later[0, 0]) + math.log(math.cos(later[0, 2]))
    _, gains = joined(x, p, 0.1, later)
    assert gains[0] == pytest.approx(density + jacobian + LOG_DETECTION - LOG_CLUTTER, abs=1e-6)


def test_the_update_is_kalmans():
    z = plots_at([ROCKET[:6]])
    x, p = begun(z)
    later = plots_at(flown(ROCKET, [0.5]))
    before_x, before_p = x.copy(), p.copy()
    joined(before_x, before_p, 0.5, later, free=np.zeros(1, dtype=bool))
    place, spread = begun(later)
    h = np.eye(3, 6)
    s = h @ before_p[0] @ h.T + spread[0, :3, :3]
    gain = np.linalg.solve(s, h @ before_p[0]).T
    joined(x, p, 0.5, later)
    assert x[0] == pytest.approx(before_x[0] + gain @ (place[0, :3] - before_x[0, :3]), rel=1e-9, abs=1e-6)
    assert p[0] == pytest.approx(before_p[0] - gain @ s @ gain.T, rel=1e-6, abs=1e-3)


def test_each_plot_goes_to_one_candidate_and_each_candidate_takes_one_plot():
    states = np.array([[k * 900.0 + 1000.0, 3000.0, 500.0, 0.0, 0.0, 0.0] for k in range(6)])
    x, p = begun(plots_at(states))
    order = [4, 0, 5, 2]
    plot_of, gains = joined(x, p, 0.1, plots_at(states[order]))
    assert plot_of.tolist() == [1, -1, 3, -1, 0, 2]
    assert (gains[[0, 2, 4, 5]] != 0.0).all()
    assert (gains[[1, 3]] == 0.0).all()


def test_two_candidates_and_one_plot_the_nearer_one_gets_it():
    states = np.array([[1000.0, 3000.0, 500.0, 0.0, 0.0, 0.0], [1060.0, 3000.0, 500.0, 0.0, 0.0, 0.0]])
    x, p = begun(plots_at(states))
    plot_of, _ = joined(x, p, 0.1, plots_at([1058.0, 3000.0, 500.0, 0.0, 0.0, 0.0]))
    assert plot_of.tolist() == [-1, 0]


def test_what_is_far_or_not_free_joins_nothing():
    x, p = begun(plots_at([1000.0, 3000.0, 500.0, 0.0, 0.0, 0.0]))
    far = plots_at([6000.0, -3000.0, 500.0, 0.0, 0.0, 0.0])
    assert joined(x.copy(), p.copy(), 0.1, far)[0].tolist() == [-1]
    near = plots_at([1000.0, 3000.0, 500.0, 0.0, 0.0, 0.0])
    assert joined(x.copy(), p.copy(), 0.1, near)[0].tolist() == [0]
    assert joined(x.copy(), p.copy(), 0.1, near, free=np.zeros(1, dtype=bool))[0].tolist() == [-1]


def test_candidates_fall_or_fly_level():
    x = np.array([[0.0, 3000.0, 500.0, 100.0, 0.0, 50.0]] * 2)
    p = np.tile(np.eye(6), (2, 1, 1))
    joined(x, p, 2.0, np.empty((0, 4)), fall=np.array([1.0, 0.0]))
    falling, level = x
    assert level[:3] == pytest.approx([200.0, 3000.0, 600.0])
    assert level[3:] == pytest.approx([100.0, 0.0, 50.0])
    assert falling[2] == pytest.approx(600.0 - 0.5 * 9.8 * 4.0, abs=3.0)
    assert falling[5] == pytest.approx(50.0 - 9.8 * 2.0, abs=2.0)
    assert np.linalg.eigvalsh(p).min() > 0.0


def test_nothing_to_do():
    none = np.empty((0, 6))
    plot_of, gains = joined(none, np.empty((0, 6, 6)), 0.1, plots_at([ROCKET[:6]]))
    assert len(plot_of) == len(gains) == 0
    x, p = begun(plots_at([ROCKET[:6]]))
    assert joined(x, p, 0.1, np.empty((0, 4)))[0].tolist() == [-1]


def test_a_range_rate_tells_the_speed_along_the_line_of_sight_and_refuses_another():
    state = np.array([1000.0, 3000.0, 500.0, 120.0, -160.0, 30.0])
    x, p = begun(plots_at(state))
    later = plots_at([*(state[:3] + 0.1 * state[3:]), *state[3:]], rates=True)
    blind = later.copy()
    blind[:, 3] = math.nan
    with_rate, without = (x.copy(), p.copy()), (x.copy(), p.copy())
    _, gains = joined(*with_rate, 0.1, later)
    joined(*without, 0.1, blind)
    sight = (later_place := begun(later)[0][0, :3]) - ORIGIN
    sight /= np.linalg.norm(sight)
    along = [float(sight @ each[1][0, 3:, 3:] @ sight) ** 0.5 for each in (with_rate, without)]
    assert along[0] < 1.1 * RATE_STD < 0.1 * along[1]
    assert sight @ with_rate[0][0, 3:] == pytest.approx(later[0, 3], abs=0.5)
    assert math.isfinite(gains[0])
    assert np.linalg.eigvalsh(with_rate[1][0]).min() > 0.0
    moved = with_rate[0].copy(), with_rate[1].copy()
    there = np.array([*(later_place + 0.1 * state[3:]), *state[3:]])
    other = plots_at(there, rates=True)
    other[:, 3] += 100.0
    assert joined(*moved, 0.1, other)[0].tolist() == [-1]
