"""The posterior bound: against hand-worked cases, its own parts, Monte Carlo, and the standard case."""

import math
from dataclasses import replace

import numpy as np
import pytest

from opencram.ballistics.drag import standard_curve
from opencram.ballistics.drivers import land_all
from opencram.ballistics.environment import environment
from opencram.ballistics.propagation import LN_BETA, SPIN, WIND_E
from opencram.evaluation import standard
from opencram.evaluation.bound import (
    AGES_S,
    BoundRadar,
    Drift,
    Prior,
    _between,
    _rows,
    bound,
    fly,
    impact_covariance,
    information,
    plot_times,
    seen_from,
)

ENV = environment(math.radians(33.3), 0.0)
CURVE = standard_curve("G7")
START = np.array([0.0, 0.0, 0.0, 40.0, 230.0, 190.0, math.log(2000.0), 1.0, -2.0, 3.0])
RADAR = BoundRadar(position_enu_m=(1500.0, 4500.0, 10.0), elevation_rad_min=-1.0)
PRIOR = Prior()


@pytest.fixture(scope="module")
def flight():
    found = fly(START, ENV, CURVE)
    assert found is not None
    return found


def test_the_standard_case_is_that_of_the_design():
    assert standard.standard_bound().drms_m == pytest.approx(standard.DRMS_M, rel=0.03)
    known = standard.standard_bound(standard.CLASS_KNOWN).drms_m
    assert known[:4] == pytest.approx(standard.DRMS_KNOWN_M, rel=0.03)


def test_the_flight_and_its_derivatives_are_those_of_the_flight_itself(flight):
    times = np.array([0.0, 3.33, 11.1, 20.0])
    state, by_start = _between(flight, times)
    moved = START.copy()
    moved[[3, LN_BETA, WIND_E, SPIN]] += [0.5, 0.02, 0.4, 0.2]
    other = fly(moved, ENV, CURVE)
    change = _between(other, times)[0] - state
    assert change == pytest.approx(by_start @ (moved - START), abs=0.2)
    ends = land_all(np.stack([START, moved]), ENV, CURVE)
    assert flight.landed == pytest.approx(ends[0])
    assert (ends[1] - ends[0])[[1, 2, 0]] == pytest.approx(flight.landed_by_start @ (moved - START), rel=0.01, abs=0.02)


def test_measurements_change_as_their_derivatives_say(flight):
    radar = replace(RADAR, local_from_enu=tuple(np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0].ravel()))
    turn, place = np.array(radar.local_from_enu).reshape(3, 3), np.array(radar.position_enu_m)

    def measured(state):
        away, speed = turn @ (state[:3] - place), turn @ state[3:]
        far = np.linalg.norm(away)
        return np.array([far, math.atan2(away[0], away[1]), math.asin(away[2] / far), away @ speed / far])

    state = np.array([[2500.0, 3000.0, 900.0, 30.0, 180.0, -40.0]])
    rows = _rows(state, np.eye(6, 10)[np.newaxis], place, radar)[0]
    for j in range(6):
        step = np.eye(6)[j] * 0.01
        slope = (measured(state[0] + step) - measured(state[0] - step)) / 0.02
        assert rows[:, j] == pytest.approx(slope, rel=1e-4, abs=1e-8)


def test_a_least_squares_fit_of_simulated_plots_errs_as_much_as_the_bound(flight):
    """The linear problem itself, 4000 draws: scatter of the estimate within 5 % of the bound on every axis."""
    draws = np.random.default_rng(8)
    times = plot_times(flight, RADAR)[:80]
    rows = _rows(*_between(flight, times), np.array(RADAR.position_enu_m), RADAR)[:, :3].reshape(-1, 10)
    stds = np.tile([RADAR.range_m_std, RADAR.azimuth_rad_std, RADAR.elevation_rad_std], len(times))
    prior = PRIOR.information()
    root = np.diag(prior) ** -0.5
    truth = draws.normal(size=(4000, 10)) * root
    seen = truth @ rows.T + draws.normal(size=(4000, len(stds))) * stds
    weighed = np.concatenate([rows / stds[:, None] * root, np.eye(10)])
    wanted = np.concatenate([seen / stds, np.zeros_like(truth)], axis=1)
    estimate = np.linalg.lstsq(weighed, wanted.T, rcond=None)[0].T * root
    miss = (estimate - truth) @ flight.landed_by_start.T
    found = impact_covariance(flight, information(flight, RADAR, times[-1])[0], PRIOR)[0][0]
    assert miss.std(axis=0) == pytest.approx(np.sqrt(np.diag(found)), rel=0.05)


def test_more_track_more_radars_and_more_knowledge_never_make_it_worse(flight):
    one = bound(flight, [RADAR], PRIOR)
    assert (np.diff(one.drms_m) < 0.0).all()
    assert (
        bound(flight, [RADAR, replace(RADAR, position_enu_m=(-2000.0, 3000.0, 0.0))], PRIOR).drms_m < one.drms_m
    ).all()
    assert (bound(flight, [RADAR], replace(PRIOR, ln_beta_std=0.1)).drms_m < one.drms_m).all()
    assert (bound(flight, [replace(RADAR, range_rate_m_s_std=1.0)], PRIOR).drms_m < one.drms_m).all()
    assert (bound(flight, [replace(RADAR, detection_probability=0.5)], PRIOR).drms_m > one.drms_m).all()


def test_plots_missed_are_worth_nothing_and_twice_the_plots_twice_as_much(flight):
    twice = information(flight, [replace(RADAR, period_s=0.05)][0], 8.0)[0, 0]
    half = information(flight, replace(RADAR, period_s=0.05, detection_probability=0.5), 8.0)[0, 0]
    assert half == pytest.approx(0.5 * twice)


def test_drifting_errors(flight):
    """A drift without memory is white noise more; a bias cannot be averaged away; the first plots stay the first."""
    radar = replace(RADAR, period_s=0.5)
    drift = Drift(range_m_std=0.0, azimuth_rad_std=0.002, elevation_rad_std=0.002, time_constant_s=1e-9)
    white = math.hypot(0.0015, 0.002)
    same = information(flight, replace(radar, azimuth_rad_std=white, elevation_rad_std=white), AGES_S)
    assert information(flight, replace(radar, drift=drift), AGES_S) == pytest.approx(same, rel=1e-9)
    biased = replace(radar, drift=replace(drift, time_constant_s=math.inf))
    assert (bound(flight, [biased], PRIOR).drms_m > bound(flight, [radar], PRIOR).drms_m).all()
    both = information(flight, biased, (3.0, 8.0))[0]
    assert both[0] == pytest.approx(information(flight, biased, 3.0)[0, 0], rel=1e-9)


def test_a_bias_is_one_more_unknown(flight):
    """The information with a constant azimuth bias is the Schur complement of the problem that estimates it."""
    biased = replace(
        RADAR, drift=Drift(range_m_std=0.0, azimuth_rad_std=0.003, elevation_rad_std=0.0, time_constant_s=math.inf)
    )
    found = information(flight, biased, 8.0)[0, 0]
    times = plot_times(flight, RADAR)
    times = times[times <= 8.0]
    rows = _rows(*_between(flight, times), np.array(RADAR.position_enu_m), RADAR)[:, :3]
    rows = rows / np.array([10.0, 0.0015, 0.0015])[:, None]
    column = np.zeros((len(times), 3))
    column[:, 1] = 1.0 / 0.0015
    whole = np.concatenate([rows.reshape(-1, 10), column.reshape(-1, 1)], axis=1)
    joint = whole.T @ whole
    joint[10, 10] += 0.003**-2.0
    assert found == pytest.approx(joint[:10, :10] - np.outer(joint[:10, 10], joint[10, :10]) / joint[10, 10], rel=1e-6)


def test_a_radar_at_many_places_is_the_radar_at_each(flight):
    places = np.array([[1500.0, 4500.0, 10.0], [-3000.0, 2000.0, 0.0], [0.0, 60_000.0, 0.0]])
    radar = replace(RADAR, range_m_max=20_000.0, elevation_rad_min=math.radians(1.0))
    many = information(flight, radar, AGES_S, places_enu_m=places)
    for place, found in zip(places, many, strict=True):
        alone = information(flight, replace(radar, position_enu_m=tuple(place)), AGES_S)[0]
        assert found == pytest.approx(alone)
    assert (many[2] == 0.0).all()
    hidden = seen_from(flight, radar, plot_times(flight, radar), places)
    hidden[:, ::2] = False
    fewer = information(flight, radar, AGES_S, places_enu_m=places, seen=hidden)
    assert (np.trace(fewer[:2], axis1=2, axis2=3) < np.trace(many[:2], axis1=2, axis2=3)).all()


def test_what_is_never_seen_or_has_landed_has_no_bound(flight):
    far = bound(flight, [replace(RADAR, range_m_max=1.0)], PRIOR)
    assert math.isnan(far.first_s)
    assert far.plots == (0,) * len(AGES_S)
    assert np.isnan(far.drms_m).all()
    assert np.isnan(bound(flight, [RADAR], PRIOR, (3.0, 400.0)).drms_m).tolist() == [False, True]
    assert fly([0.0, 0.0, 0.0, 0.0, 0.0, 1e5, 20.0, 0.0, 0.0, 0.0], ENV, CURVE) is None
    assert fly([math.nan] * 10, ENV, CURVE) is None
