"""The unscented filters: what they carry, see, gate and learn, against plain linear algebra and many flights."""

import math

import numpy as np
import pytest
from tracking_worlds import LEVEL, ROCKET, earth, every, flown, noisy, polar, radar

from opencram.ballistics.drag import standard_curve
from opencram.tracking.association import gated
from opencram.tracking.filter import carry, predict_rows, take_rate, update_rows
from opencram.tracking.fit import wrap

SENSOR = radar(position_enu_m=(500.0, -800.0, 6.0))
ORIGIN, ROTATION = np.array(SENSOR.position_enu_m), np.array(LEVEL).reshape(3, 3)
VARIANCES = np.array([[10.0, 1.5e-3, 1.5e-3]]) ** 2
CURVES = np.stack([standard_curve("G7"), standard_curve("G5")])
CURVES.setflags(write=False)  # as the program holds them: its kernels serve
NO_SLOW = np.zeros((0, 3, 3))
STDS = np.array([20.0, 15.0, 25.0, 4.0, 5.0, 6.0, 0.2, 2.0, 2.0, 0.5])


def covariance():
    draws = np.random.default_rng(11)
    mix = np.linalg.qr(draws.standard_normal((10, 10)))[0]
    correlation = mix @ np.diag(np.linspace(0.4, 1.6, 10)) @ mix.T
    return correlation * np.outer(STDS, STDS)


def predicted(x, p, dt, model=0, errors=NO_SLOW):
    """Moved rows and what the sensor would see of them."""
    size = 10 + 3 * len(errors)
    x, p = np.atleast_2d(np.array(x, dtype=np.float64)), np.atleast_3d(p).reshape(-1, size, size).copy()
    n = len(x)
    h, s, cross = np.empty((n, 3)), np.empty((n, 3, 3)), np.empty((n, 3, size))
    sound = predict_rows(
        x, p, np.full(n, dt), np.full(n, model, dtype=np.int64), earth(), CURVES, ROTATION, ORIGIN, 0, errors, h, s,
        cross,
    )  # fmt: skip
    return x, p, h, s, cross, sound


def test_mean_and_covariance_move_as_a_crowd_of_flights_does():
    x, p = np.array(ROCKET), covariance()
    assert carry(x, p, 3.0, earth(), CURVES[0])
    draws = np.random.default_rng(12)
    crowd = draws.multivariate_normal(ROCKET, covariance(), 2000)
    there = np.array([flown(state, [3.0], dt=0.1)[0] for state in crowd])
    error = np.sqrt(np.diag(p)[:6] / len(crowd))
    assert (np.abs(there.mean(axis=0) - x[:6]) < 4.0 * error).all()
    assert there.std(axis=0) == pytest.approx(np.sqrt(np.diag(p))[:6], rel=0.07)
    assert p == pytest.approx(p.T)
    assert x[6:] == pytest.approx(np.array(ROCKET)[6:])


def test_there_and_back_the_covariance_is_the_same():
    x, p = np.array(ROCKET), covariance()
    assert carry(x, p, 2.0, earth(), CURVES[0])
    assert carry(x, p, -2.0, earth(), CURVES[0])
    assert x[:3] == pytest.approx(np.array(ROCKET)[:3], abs=0.5)
    assert p == pytest.approx(covariance(), rel=0.02, abs=0.02 * np.abs(covariance()).max())


def test_time_that_passes_never_makes_surer_of_drag_and_wind():
    for dt in (0.5, -0.5):
        _, p, *_ = predicted(ROCKET, covariance(), dt)
        assert (np.diag(p[0])[6:9] > np.diag(covariance())[6:9]).all()
        assert np.linalg.eigvalsh(p[0]).min() > 0.0


def test_what_the_sensor_sees_is_the_mean_and_its_spread():
    x, p, h, s, cross, sound = predicted(ROCKET, covariance(), 0.0)
    assert sound.tolist() == [True]
    seen = polar(SENSOR, x[:, :6])[0, :3]
    assert h[0, 0] == pytest.approx(seen[0], abs=1.0)
    assert wrap(h[0, 1] - seen[1]) == pytest.approx(0.0, abs=1e-4)
    assert h[0, 2] == pytest.approx(seen[2], abs=1e-4)
    draws = np.random.default_rng(13)
    crowd = draws.multivariate_normal(x[0], p[0], 40_000)
    views = polar(SENSOR, crowd[:, :6])[:, :3]
    views[:, 1] = np.mod(views[:, 1] - seen[1] + np.pi, 2 * np.pi) + seen[1] - np.pi
    assert np.cov(views.T) == pytest.approx(
        s[0], rel=0.05, abs=0.03 * np.sqrt(np.outer(np.diag(s[0]), np.diag(s[0]))).max()
    )
    mixed = (crowd - crowd.mean(axis=0)).T @ (views - views.mean(axis=0)) / len(crowd)
    scale = np.outer(np.sqrt(np.diag(p[0])), np.sqrt(np.diag(s[0])))
    assert mixed / scale == pytest.approx(cross[0].T / scale, abs=0.03)


def test_the_update_is_kalmans_and_weighs_the_plot():
    x, p, h, s, cross, _ = predicted([ROCKET] * 3, np.stack([covariance()] * 3), 0.1)
    z = np.array([[h[0, 0] + 8.0, h[0, 1] + 2e-3 + 2.0 * math.pi, h[0, 2] - 1e-3, math.nan]])
    after_x, after_p, log_weights = x.copy(), p.copy(), np.zeros(3)
    update_rows(after_x, after_p, h, s, cross, z, VARIANCES, np.array([0, -1, 0]), log_weights)
    innovation = s[0] + np.diag(VARIANCES[0])
    residual = np.array([8.0, 2e-3, -1e-3])
    gain = np.linalg.solve(innovation, cross[0]).T
    for k in (0, 2):
        assert after_x[k] == pytest.approx(x[k] + gain @ residual, rel=1e-9, abs=1e-9)
        assert after_p[k] == pytest.approx(p[k] - gain @ innovation @ gain.T, rel=1e-6, abs=1e-9)
        distance = residual @ np.linalg.solve(innovation, residual)
        assert log_weights[k] == pytest.approx(-0.5 * (distance + np.linalg.slogdet(innovation)[1]), rel=1e-9)
    assert (after_x[1] == x[1]).all()
    assert (after_p[1] == p[1]).all()
    assert log_weights[1] == 0.0


def gate_costs(h, s, sound, z):
    """The costs (tracks, plots) that `gated` gives to pairs, infinite for those that it leaves out."""
    starts, plots, costs = gated(h, s, sound, z, np.tile(VARIANCES, (len(z), 1)), 20.0)
    table = np.full((len(h), len(z)), math.inf)
    for k in range(len(h)):
        pairs = slice(starts[k], starts[k + 1])
        table[k, plots[pairs]] = costs[pairs]
    return table


def test_the_gate_is_a_squared_mahalanobis_distance():
    _, _, h, s, _, sound = predicted(ROCKET, covariance(), 0.1)
    innovation = s[0] + np.diag(VARIANCES[0])
    factor = np.linalg.cholesky(innovation)
    for distance, inside in ((0.0, True), (4.4, True), (4.5, False), (100.0, False)):
        z = np.zeros((1, 4))
        z[0, :3] = h[0] + factor @ (distance * np.array([1.0, 2.0, -2.0]) / 3.0)
        cost = gate_costs(h, s, sound, z)
        assert math.isfinite(cost[0, 0]) == inside
        if inside:
            expected = distance**2 + np.linalg.slogdet(innovation)[1] - np.log(VARIANCES).sum()
            assert cost[0, 0] == pytest.approx(expected, abs=1e-6)


def test_the_gate_and_the_update_know_that_north_is_one_direction():
    x = np.array(ROCKET)
    x[:3] = ORIGIN + np.array([0.5, 4000.0, 1000.0])
    x, p, h, s, cross, sound = predicted(x, covariance(), 0.0)
    for turn in (-2.0 * math.pi, 0.0, 2.0 * math.pi):
        z = np.array([[h[0, 0], h[0, 1] + turn + 1e-4, h[0, 2], math.nan]])
        cost, log_weights = gate_costs(h, s, sound, z), np.zeros(1)
        assert math.isfinite(cost[0, 0])
        moved = x.copy()
        update_rows(moved, p.copy(), h, s, cross, z, VARIANCES, np.array([0]), log_weights)
        assert np.abs(moved - x)[0, :3].max() < 1.0


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_a_broken_row_is_said_to_be_broken_and_takes_no_plot(broken):
    x = np.array([ROCKET, ROCKET, ROCKET])
    p = np.stack([covariance()] * 3)
    x[1, 0] = broken
    p[2, 4, 4] = broken if broken < 0 or math.isnan(broken) else -1.0
    x, p, h, s, _, sound = predicted(x, p, 0.1)
    assert sound.tolist() == [True, False, False]
    cost = gate_costs(h, s, sound, np.array([[*h[0], math.nan]]))
    assert np.isfinite(cost).ravel().tolist() == [True, False, False]


def test_a_filter_that_follows_a_round_stays_consistent():
    """60 rounds drawn from the filter's own prior, followed for 6 s: NEES within 99.9 % of chi squared, widened by
    a fifth for the process noise that this truth lacks."""
    total, runs, times = 0.0, 60, every(0.1, 6.0, 0.1)
    for seed in range(runs):
        draws = np.random.default_rng(seed)
        truth = draws.multivariate_normal(ROCKET, covariance())
        states = flown(truth, times)
        z = noisy(SENSOR, polar(SENSOR, states), draws)
        x, p = np.array([ROCKET]), covariance()[np.newaxis]
        for row in z:
            x, p, h, s, cross, sound = predicted(x, p, 0.1)
            assert sound.all()
            update_rows(x, p, h, s, cross, row[np.newaxis], VARIANCES, np.array([0]), np.zeros(1))
        error = x[0] - np.array([*states[-1], *truth[6:]])
        total += error @ np.linalg.solve(p[0], error)
    assert 0.7 * 10 * runs < total < 1.25 * 10 * runs


SLOW = np.array([[[1.0, 3.0, 2.0], [1.0, 1e-3, 2.0], [1.0, 2e-3, 0.5]]])


def test_slow_errors_are_states_whose_covariance_with_the_flight_goes_along():
    """Against the linear map of the flight by finite differences, and the forgetting of each component."""
    draws = np.random.default_rng(14)
    p = np.zeros((13, 13))
    p[:10, :10] = 1e-4 * covariance()
    mixed = draws.standard_normal((10, 3)) * 1e-3 * np.outer(STDS, SLOW[0, :, 1])
    p[:10, 10:], p[10:, :10], p[10:, 10:] = mixed, mixed.T, np.diag(SLOW[0, :, 1] ** 2)
    x = np.array([*ROCKET, 2.0, -1e-3, 5e-4])
    moved, after, h, s, _, sound = predicted(x, p, 0.5, errors=SLOW)
    assert sound.all()
    kept = np.exp(-0.5 / SLOW[0, :, 2])
    assert moved[0, 10:] == pytest.approx(kept * x[10:])
    by = np.eye(10)
    for i in range(10):
        step = np.zeros(10)
        step[i] = 1e-2 * STDS[i]
        ends = [flown(x[:10] + sign * step, [0.5])[0] for sign in (1.0, -1.0)]
        by[:6, i] = (ends[0] - ends[1]) / (2.0 * step[i])
    expected = by @ mixed * kept
    assert after[0, :10, 10:] / np.outer(STDS, SLOW[0, :, 1]) == pytest.approx(
        expected / np.outer(STDS, SLOW[0, :, 1]), abs=2e-5
    )
    assert np.diag(after[0])[10:] == pytest.approx(SLOW[0, :, 1] ** 2)
    seen = polar(SENSOR, moved[:, :6])[0, :3]
    assert h[0] - seen == pytest.approx(moved[0, 10:], abs=1e-3 * SLOW[0, :, 1].max())
    view = np.empty((3, 13))
    for i in range(3):
        step = np.zeros(6)
        step[i] = 0.5
        view[:, i] = np.diff([polar(SENSOR, moved[:, :6] + sign * step)[0, :3] for sign in (-1, 1)], axis=0)[0]
    view[:, 3:10], view[:, 10:] = 0.0, np.eye(3)
    scale = np.sqrt(np.diag(s[0]))
    assert (view @ after[0] @ view.T) / np.outer(scale, scale) == pytest.approx(s[0] / np.outer(scale, scale), abs=1e-3)
    assert after[0] == pytest.approx(after[0].T)


def test_a_range_rate_is_a_linear_measurement_of_position_and_velocity():
    x, p = np.array(ROCKET), 0.01 * covariance()
    rate = polar(SENSOR, x[np.newaxis, :6])[0, 3]
    gradient = np.zeros(10)
    for i in range(6):
        step = np.zeros(6)
        step[i] = 1e-3
        gradient[i] = np.diff([polar(SENSOR, (x[:6] + sign * step)[np.newaxis])[0, 3] for sign in (-1, 1)])[0] / 2e-3
    after_x, after_p = x.copy(), p.copy()
    log_weight = take_rate(after_x, after_p, rate + 2.0, 1.0, ORIGIN, np.empty(10))
    variance = gradient @ p @ gradient + 1.0
    gain = p @ gradient / variance
    assert after_x - x == pytest.approx(2.0 * gain, rel=1e-4, abs=1e-9)
    assert after_p == pytest.approx(p - np.outer(gain, gain) * variance, rel=1e-4, abs=1e-6)
    assert log_weight == pytest.approx(-0.5 * (4.0 / variance + math.log(variance)), rel=1e-6)
    assert take_rate(after_x, after_p, math.nan, 1.0, ORIGIN, np.empty(10)) == 0.0
    wild = after_x.copy()
    take_rate(wild, after_p.copy(), rate + 500.0, 1.0, ORIGIN, np.empty(10))
    assert (wild == after_x).all()
