"""The batch fit finds the flight, knows how sure it is of it, and takes a wild plot for what it is."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from scipy.stats import chi2
from tracking_worlds import LEVEL, MORTAR, ROCKET, earth, every, flown, noisy, polar, radar

from opencram.ballistics.classes import CLASS_BANK
from opencram.ballistics.drag import standard_curve
from opencram.tracking.bank import _log_usual, bank_of, fit_model, straight_log_weight
from opencram.tracking.errors import KEPT
from opencram.tracking.fit import fit, polar_gradient, predicted, wrap

SENSOR = radar(position_enu_m=(500.0, -800.0, 6.0))
STDS = np.array([SENSOR.range_m_std, SENSOR.azimuth_rad_std, SENSOR.elevation_rad_std, 1.0])
ROTATION = np.array(LEVEL).reshape(3, 3)
ENVIRONMENT = (earth(), None, ROTATION[np.newaxis], np.array([SENSOR.position_enu_m]))
AS_STATED = np.array([[[1.0, 0.0, 1.0]] * 3])  # white errors, none slow
NO_BIAS = np.zeros(0), np.zeros((0, 0))
WEAK = np.array([1e5, 1e5, 1e5, 1e5, 1e5, 1e5, 0.3, 3.0, 3.0, 1.0]) ** -2.0  # information: position, velocity free


def fitted(z, times_s, *, start, mean, curve="G7", stds=STDS, information=WEAK, iterations=15, errors=AS_STATED):
    """State and covariance at the first plot, and what `fit` returns."""
    x, covariance = np.array(start, dtype=np.float64), np.empty((10, 10))
    weights = np.tile(1.0 / stds, (len(z), 1))
    evidence, cost = fit(
        x, times_s, np.zeros(len(z), dtype=np.int64), z, weights, earth(), standard_curve(curve), ROTATION[np.newaxis],
        np.array([SENSOR.position_enu_m]), errors, np.asarray(mean), np.diag(information), iterations, covariance,
        np.empty((1, 3, KEPT)),
    )  # fmt: skip
    return x, covariance, evidence, cost


def measured(state, times_s, *, curve="G7", doppler=False):
    z = polar(SENSOR, flown(state, times_s, curve=curve))
    if not doppler:
        z[:, 3] = np.nan
    return z


def about(state):
    """A starting guess as bad as the candidate filter's: 100 m, 40 m/s."""
    start = np.array(state)
    start[:6] += [80.0, -60.0, 40.0, 30.0, -20.0, 15.0]
    start[6] += 0.2
    return start


@pytest.mark.parametrize("doppler", [False, True])
@pytest.mark.parametrize(("state", "curve"), [(ROCKET, "G7"), (MORTAR, "G5"), ((*ROCKET[:7], 4.0, -3.0, 2.0), "G2")])
def test_a_flight_without_noise_is_found(state, curve, doppler):
    times = every(0.1, 12.0)
    z = measured(state, times, curve=curve, doppler=doppler)
    x, _, evidence, cost = fitted(z, times, start=about(state), mean=state, curve=curve)
    assert math.isfinite(evidence)
    assert cost < 1e-3
    assert np.linalg.norm(x[:3] - state[:3]) < 0.1
    assert np.linalg.norm(x[3:6] - state[3:6]) < 0.02
    assert x[6:] == pytest.approx(np.array(state[6:]), abs=0.02)


def test_what_plots_cannot_tell_stays_with_the_prior():
    """Half a second of track says nothing of drag, wind or spin."""
    times = every(0.1, 0.5)
    mean = np.array(ROCKET)
    mean[6:] += [0.25, 2.0, -1.0, 0.7]
    x, covariance, _, _ = fitted(measured(ROCKET, times), times, start=mean, mean=mean)
    assert x[6:] == pytest.approx(mean[6:], abs=0.05)
    assert np.sqrt(np.diag(covariance))[6:] == pytest.approx(WEAK[6:] ** -0.5, rel=0.02)


@pytest.mark.parametrize(
    ("state", "curve", "seconds", "slack"),
    [
        (MORTAR, "G5", 1.0, 1.0),
        (MORTAR, "G5", 4.0, 1.0),
        (MORTAR, "G5", 12.0, 1.0),
        (ROCKET, "G7", 1.0, 1.0),
        (ROCKET, "G7", 4.0, 1.0),
        # Through the speed of sound the posterior is bent, and an ellipsoid describes it a little less well.
        (ROCKET, "G7", 12.0, 1.3),
    ],
)
@pytest.mark.parametrize("doppler", [False, True])
def test_the_covariance_says_how_far_off_it_is(state, curve, seconds, slack, doppler):
    """NEES over 100 runs, whose truth is drawn from the prior, within 99.9 % of chi squared."""
    runs, times = 100, every(0.1, seconds)
    total, parts = 0.0, np.zeros(10)
    for seed in range(runs):
        draws = np.random.default_rng(seed)
        truth = np.array(state)
        truth[6:] += draws.standard_normal(4) * WEAK[6:] ** -0.5
        z = noisy(SENSOR, measured(truth, times, curve=curve, doppler=doppler), draws)
        x, covariance, evidence, _ = fitted(z, times, start=about(state), mean=state, curve=curve)
        assert math.isfinite(evidence)
        error = x - truth
        total += error @ np.linalg.solve(covariance, error)
        parts += error**2 / np.diag(covariance)
    low, high = chi2.ppf([0.0005, 0.9995], 10 * runs)
    assert low < total < slack * high
    low, high = chi2.ppf([0.00005, 0.99995], runs)
    assert (parts > low).all()
    assert (parts < slack * high).all()


@pytest.mark.parametrize("seconds", [2.0, 8.0])
def test_the_covariance_allows_for_errors_that_stay_for_a_while(seconds):
    """NEES over 100 runs with slow errors, within 99.9 % of chi squared; believed white, it is far beyond."""
    runs, times, total, naive = 100, every(0.1, seconds), 0.0, 0.0
    slow = np.array([3.0, 1e-3, 1e-3])
    errors = np.array([[[1.0, size, 2.0] for size in slow]])
    kept = math.exp(-0.1 / 2.0)
    for seed in range(runs):
        draws = np.random.default_rng(seed)
        truth = np.array(ROCKET)
        truth[6:] += draws.standard_normal(4) * WEAK[6:] ** -0.5
        z = noisy(SENSOR, measured(truth, times), draws)
        error = slow * draws.standard_normal(3)
        for row in z:
            row[:3] += error
            error = kept * error + math.sqrt(1.0 - kept * kept) * slow * draws.standard_normal(3)
        for believed in (errors, AS_STATED):
            x, covariance, _, _ = fitted(z, times, start=about(ROCKET), mean=ROCKET, errors=believed)
            distance = (x - truth) @ np.linalg.solve(covariance, x - truth)
            total, naive = (total + distance, naive) if believed is errors else (total, naive + distance)
    low, high = chi2.ppf([0.0005, 0.9995], 10 * runs)
    assert low < total < 1.1 * high
    assert naive > 1.4 * high


def test_more_plots_make_surer():
    sizes = []
    for seconds in (1.0, 2.0, 4.0, 8.0):
        times = every(0.1, seconds)
        _, covariance, _, _ = fitted(measured(ROCKET, times), times, start=about(ROCKET), mean=ROCKET)
        sizes.append(np.linalg.slogdet(covariance)[1])
        assert covariance == pytest.approx(covariance.T, rel=1e-6, abs=1e-9)
    assert sizes == sorted(sizes, reverse=True)


def test_a_wild_plot_pulls_no_further_than_one_at_the_edge():
    times = every(0.1, 4.0)
    z = noisy(SENSOR, measured(ROCKET, times), np.random.default_rng(3))
    clean, covariance, _, _ = fitted(z, times, start=about(ROCKET), mean=ROCKET)
    moved = []
    for wildness in (6.0, 60.0, 600.0):
        wild = z.copy()
        wild[20, :3] += wildness * STDS[:3]
        x, _, _, _ = fitted(wild, times, start=about(ROCKET), mean=ROCKET)
        moved.append(np.linalg.norm((x - clean)[:3]))
    assert moved[2] < 1.2 * moved[0] + 1.0
    assert moved[2] < 3.0 * math.sqrt(np.trace(covariance[:3, :3]))


def test_plots_that_straddle_north_are_no_wild_plots():
    times = every(0.1, 6.0)
    crossing = (SENSOR.position_enu_m[0] + 300.0, 6000.0, 300.0, -100.0, -150.0, 180.0, *ROCKET[6:])
    z = measured(crossing, times)
    assert z[:, 1].min() < 0.1
    assert z[:, 1].max() > 6.2
    x, _, _, cost = fitted(z, times, start=about(crossing), mean=crossing)
    assert cost < 1e-3
    assert np.linalg.norm(x[:3] - crossing[:3]) < 0.1


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_broken_numbers_give_no_solution_and_no_exception(broken):
    times = every(0.1, 2.0)
    z = measured(ROCKET, times)
    start = np.array(ROCKET)
    start[4] = broken
    assert math.isnan(fitted(z, times, start=start, mean=ROCKET)[2])
    z[5, 0] = broken
    evidence = fitted(z, times, start=about(ROCKET), mean=ROCKET)[2]
    assert math.isnan(evidence) or math.isnan(broken)  # a NaN among the plots is one not measured


# ---- what a sensor sees ---------------------------------------------------------------------------


@given(st.floats(-1e4, 1e4), st.integers(-5, 5))
def test_wrap_keeps_the_angle_and_lands_in_the_half_open_turn(angle, turns):
    wrapped = wrap(angle + 2.0 * math.pi * turns)
    assert -math.pi <= wrapped < math.pi + 1e-12
    assert math.cos(wrapped - angle) == pytest.approx(1.0, abs=1e-9)


def test_wrap_at_its_edges():
    assert wrap(0.0) == 0.0
    assert wrap(-math.pi) == -math.pi
    assert wrap(math.pi) == -math.pi
    assert wrap(3.0 * math.pi - 1e-9) == pytest.approx(math.pi, abs=1e-8)


def rotation_of(angles):
    a, b = angles
    about_up = np.array([[math.cos(a), -math.sin(a), 0.0], [math.sin(a), math.cos(a), 0.0], [0.0, 0.0, 1.0]])
    about_east = np.array([[1.0, 0.0, 0.0], [0.0, math.cos(b), -math.sin(b)], [0.0, math.sin(b), math.cos(b)]])
    return np.ascontiguousarray(about_east @ about_up)


def view(position, velocity, rotation, origin):
    out = np.empty(4)
    local = predicted(position, velocity, rotation, origin, out)
    return out, local


@settings(deadline=None)
@given(
    st.tuples(*[st.floats(-15_000.0, 15_000.0)] * 2, st.floats(-100.0, 10_000.0)),
    st.tuples(*[st.floats(-600.0, 600.0)] * 3),
    st.tuples(st.floats(-3.0, 3.0), st.floats(-0.3, 0.3)),
)
def test_gradients_are_those_of_small_steps(offset, velocity, angles):
    rotation, origin = rotation_of(angles), np.array([300.0, -200.0, 15.0])
    position = origin + offset
    seen, local = view(position, np.array(velocity), rotation, origin)
    ring = math.hypot(local[0], local[1])
    if ring < 50.0:
        return  # over the radar azimuth has no derivative
    gradient = np.empty((3, 3))
    polar_gradient(*local, rotation, gradient)
    step = 1e-2 * min(1.0, ring / 1000.0)
    for axis in range(3):
        ahead, behind = position.copy(), position.copy()
        ahead[axis] += step
        behind[axis] -= step
        difference = view(ahead, np.array(velocity), rotation, origin)[0][:3]
        difference = difference - view(behind, np.array(velocity), rotation, origin)[0][:3]
        difference[1] = wrap(difference[1])
        assert gradient[0, axis] == pytest.approx(difference[0] / (2 * step), abs=1e-6)
        assert gradient[1:, axis] * ring == pytest.approx(difference[1:] / (2 * step) * ring, abs=1e-4)
    assert seen[3] == pytest.approx(float(gradient[0] @ velocity), abs=1e-6)  # range rate: gradient along the flight


# ---- the bank -------------------------------------------------------------------------------------


def judged(z, times_s):
    """Log weights of the class models by name, and of "no projectile"."""
    curves = np.stack([standard_curve(model.curve) for model in CLASS_BANK])
    curves.setflags(write=False)  # as the program holds them: its kernels serve
    bank = bank_of(CLASS_BANK, 4.0, curves)
    env, _, rotations, origins = ENVIRONMENT
    plots = times_s, np.zeros(len(z), dtype=np.int64), z, np.tile(1.0 / STDS, (len(z), 1))
    first = np.zeros(10)
    direction = [math.sin(z[0, 1]) * math.cos(z[0, 2]), math.cos(z[0, 1]) * math.cos(z[0, 2]), math.sin(z[0, 2])]
    first[:3] = np.array(SENSOR.position_enu_m) + z[0, 0] * np.array(direction)
    weights = {}
    for k, model in enumerate(CLASS_BANK):
        begun = np.concatenate([first[:6], bank.means[k]])
        room = np.empty((10, 10)), np.empty((1, 3, KEPT))
        weight = fit_model(k, begun, *plots, env, bank, rotations, origins, AS_STATED, NO_BIAS, *room)
        if math.isfinite(weight):
            weights[k, model.class_name] = weight
    return weights, straight_log_weight(*plots, bank, rotations, origins)


@pytest.mark.parametrize(
    ("state", "curve", "names"),
    [
        (MORTAR, "G5", {"mortar"}),
        (ROCKET, "G7", {"rocket", "shell"}),  # they differ in drag and spin only, and those overlap
        ((*ROCKET[:3], -300.0, -380.0, 320.0, math.log(4500.0), 0.0, 0.0, 0.0), "G7", {"rocket", "shell"}),
    ],
)
def test_a_long_track_of_a_round_is_of_its_class_and_never_a_straight_flight(state, curve, names):
    times = every(0.1, 8.0)
    z = noisy(SENSOR, measured(state, times, curve=curve), np.random.default_rng(5))
    models, straight = judged(z, times)
    assert len(models) == len(CLASS_BANK)
    assert max(models, key=models.get)[1] in names
    assert straight < max(models.values()) - 20.0


def test_a_long_track_of_a_level_flight_is_no_projectile():
    times = every(0.1, 8.0)
    states = np.zeros((len(times), 6))
    states[:, 0], states[:, 1], states[:, 2] = 4000.0 - 150.0 * times, 3000.0, 800.0
    states[:, 3] = -150.0
    z = noisy(SENSOR, polar(SENSOR, states), np.random.default_rng(6))
    z[:, 3] = np.nan
    models, straight = judged(z, times)
    assert straight > max(models.values(), default=-math.inf) + 10.0


@njit
def _log_weight_of_elevation(x, env, elevations):
    return _log_usual(x, env, elevations)


def test_no_class_is_ruled_out_by_its_elevation_and_what_falls_already_is_not_asked():
    mortar = np.radians([45.0, 85.0])

    def log_weight(elevation_deg, up_m=0.0, speed_m_s=250.0):
        climb = speed_m_s * math.sin(math.radians(elevation_deg))
        flat = speed_m_s * math.cos(math.radians(elevation_deg))
        now = math.sqrt(climb**2 - 2.0 * 9.8 * up_m)  # how fast it still climbs when it is so high
        x = np.array([1000.0, 1000.0, up_m + 0.16, 0.6 * flat, 0.8 * flat, now, 7.0, 0.0, 0.0, 0.0])
        return _log_weight_of_elevation(x, earth(), mortar)

    assert log_weight(46.0) == log_weight(60.0) == log_weight(84.0) == 0.0
    assert log_weight(60.0, up_m=2000.0) == 0.0  # the angle of the launch, not of the flight now
    falling = [log_weight(angle_deg) for angle_deg in (44.0, 40.0, 35.0, 30.0)]
    assert falling == sorted(falling, reverse=True)
    assert falling[0] > -0.1
    assert falling[2] < -1.0
    assert log_weight(5.0) == log_weight(20.0) == -4.0
    falls = np.array([0.0, 0.0, 500.0, 250.0, 0.0, -30.0, 7.0, 0.0, 0.0, 0.0])
    assert _log_weight_of_elevation(falls, earth(), mortar) == 0.0


def test_a_round_fired_flat_is_rather_a_rocket_than_a_mortar():
    times = every(0.1, 4.0)
    for name, elevation_deg in (("rocket", 28.0), ("mortar", 65.0)):
        flat, climb = 250.0 * math.cos(math.radians(elevation_deg)), 250.0 * math.sin(math.radians(elevation_deg))
        state = (*ROCKET[:3], -0.6 * flat, -0.8 * flat, climb, math.log(1668.0), 0.0, 0.0, 0.0)
        right = 0
        for seed in range(12):
            z = noisy(
                SENSOR, measured(state, times, curve="G7" if name == "rocket" else "G5"), np.random.default_rng(seed)
            )
            models, _ = judged(z, times)
            most = {each: max(w for (_, n), w in models.items() if n == each) for each in ("rocket", "mortar")}
            right += max(most, key=most.get) == name
        assert right >= 10
