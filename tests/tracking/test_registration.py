"""Constant biases between radars: what tracks say of them adds up, is said, and splits no track."""

import math

import numpy as np
import pytest
from tracking_worlds import (
    ROCKET,
    SITE,
    T0,
    S,
    dwells,
    every,
    flown,
    merged,
    noisy,
    plots_of,
    polar,
    run,
)
from tracking_worlds import radar as a_radar

from opencram import tracking
from opencram.messages import Health, Track
from opencram.tracking.bank import judge
from opencram.tracking.config import Config
from opencram.tracking.history import append, columns, empty
from opencram.tracking.registration import Piece, beforehand, believed, joined, unregistered
from opencram.tracking.world import world

FINE = {"range_m_std": 5.0, "azimuth_rad_std": 1e-3, "elevation_rad_std": 1e-3}
EAST = a_radar("east", (2500.0, 500.0, 8.0), **FINE)
WEST = a_radar("west", (-1500.0, -2000.0, 5.0), period_s=0.2, **FINE)
SOUTH = a_radar("south", (300.0, -3000.0, 9.0), period_s=0.25, **FINE)
BIAS = np.array([40.0, 2.5e-3, -2e-3])
LAUNCHES = (
    (-1500.0, 2500.0, 0.0, 60.0, -100.0, 170.0, math.log(1200.0), 0.0, 0.0, 0.0),
    (3500.0, 2800.0, 0.0, -90.0, -95.0, 190.0, math.log(1200.0), 0.0, 0.0, 0.0),
    (-2600.0, -3000.0, 0.0, 80.0, 75.0, 180.0, math.log(1300.0), 0.0, 0.0, 0.0),
)


def raid(seed, sensors, biases, *, rounds=3, seconds=22.0):
    """Plots of mortar rounds fired 7 s apart, seen by sensors with these biases."""
    draws = np.random.default_rng(seed)
    found = []
    for number in range(rounds):
        for sensor, bias in zip(sensors, biases, strict=True):
            times = every(sensor.period_s, seconds, 0.03 if sensor.id == "west" else 0.0)
            z = noisy(sensor, polar(sensor, flown(LAUNCHES[number % 3], times, curve="G5")), draws)
            z[:, :3] += bias
            high = z[:, 2] > 0.02
            found.append(plots_of(sensor, times[high] + 7.0 * number, z[high]))
    return merged(*found)


def followed(sensors, plots):
    return run(Config(**SITE, sensors=sensors), dwells(plots))


NONE = np.zeros(3)


# ---- what a fit and a filter make of a bias --------------------------------------------------------


def test_a_bias_is_an_error_that_stays_for_ever():
    """A fit, and filters after it, with a bias beforehand of some size, against a slow error that forgets in a year."""
    sensors = (EAST, WEST)
    config = Config(**SITE, sensors=sensors)
    constants = world(config)
    stds = np.array([30.0, 2e-3, 1e-3])
    times = np.sort(np.concatenate([every(0.1, 6.0), every(0.2, 6.0, 0.05)]))
    which = (np.round(times * 100).astype(int) % 10 == 5).astype(np.int64)
    draws = np.random.default_rng(5)
    states = flown(ROCKET, times)
    z = np.array([noisy(sensors[s], polar(sensors[s], states[k : k + 1]), draws)[0] for k, s in enumerate(which)])
    z[:, 3], z[which == 1, :3] = np.nan, z[which == 1, :3] + BIAS
    history = empty()
    for k, s in enumerate(which):
        weights = np.array([[1 / 5.0, 1e3, 1e3, 1.0]])
        history = append(
            history, np.array([T0 + round(times[k] * S)]), int(s), z[k : k + 1], weights, np.array([k - 1])
        )
    white, slow = np.zeros((2, 3, 3)), np.zeros((2, 3, 3))
    white[:, :, 0] = slow[:, :, 0] = 1.0
    white[:, :, 2], slow[:, :, 2], slow[:, :, 1] = 1.0, 3e7, stds
    none, information = (np.zeros(0), np.zeros((0, 0))), np.diag(np.tile(stds, 2) ** -2.0)
    found = []
    for errors, bias in ((slow, none), (white, (np.zeros(6), information))):
        chances = np.zeros(len(constants.bank.means) + 1)
        begun = np.array([[*states[-1], *constants.bank.means[k]] for k in (0, 1)])
        x, p, log_weight, *_ = judge(
            begun, np.arange(2), columns(history), len(times) - 1, T0, T0 + round(times[-1] * S), 600,
            3.0, 0.0, constants.env, constants.bank, constants.gunfire, constants.rotations, constants.origins, errors,
            bias, chances,
        )  # fmt: skip
        found.append((x[0], p[0], log_weight[1] - log_weight[0]))
    (x, p, odds), (biased_x, biased_p, biased_odds) = found
    places = [*range(10), *range(16, 22)]
    scale = np.sqrt(np.diag(p))
    assert biased_x[places] / scale == pytest.approx(x / scale, abs=0.02)
    scales = np.outer(scale, scale)
    assert biased_p[np.ix_(places, places)] / scales == pytest.approx(p / scales, abs=0.02)
    assert biased_odds == pytest.approx(odds, abs=0.05)
    assert (biased_x[19:22] - biased_x[16:19])[0] == pytest.approx(40.0, abs=8.0)


# ---- what adds up ---------------------------------------------------------------------------------


def difference_seen(value, std, sensors=2):
    """What a track says that sees only the difference of the first two sensors' biases."""
    row = np.kron(np.array([-1.0, 1.0] + [0.0] * (sensors - 2)), np.eye(3))
    return Piece(row.T @ np.diag(std**-2.0) @ row, row.T @ (value / std**2))


def test_the_difference_is_learnt_and_what_both_have_in_common_stays():
    before_mean, before = believed(difference_seen(NONE, np.full(3, 1e9)))
    mean, covariance = believed(difference_seen(BIAS, BIAS**0 * [1.0, 1e-4, 1e-4]))
    assert before_mean == pytest.approx(np.zeros(6))
    assert mean[3:] - mean[:3] == pytest.approx(BIAS, rel=0.1)
    common = np.kron(np.array([0.5, 0.5]), np.eye(3))
    apart = np.kron(np.array([-1.0, 1.0]), np.eye(3))
    assert (np.diag(common @ covariance @ common.T) >= np.diag(common @ before @ common.T)).all()
    assert np.sqrt(np.diag(apart @ covariance @ apart.T)) == pytest.approx([1.0, 1e-4, 1e-4], rel=0.1)


def test_radars_that_agree_are_believed_to_be_well_set_up():
    _, before = believed(difference_seen(NONE, np.full(3, 1e9)))
    mean, covariance = believed(difference_seen(NONE, np.array([1.0, 1e-4, 1e-4])))
    assert mean == pytest.approx(np.zeros(6))
    assert (np.diag(covariance) < 0.1 * np.diag(before)).all()
    assert (np.sqrt(np.diag(covariance)) > np.tile([0.5, 0.5e-4, 0.5e-4], 2)).all()


def test_of_three_radars_the_odd_one_is_found():
    agree = np.kron(np.array([-1.0, 1.0, 0.0]), np.eye(3)), np.kron(np.array([-0.5, -0.5, 1.0]), np.eye(3))
    std = np.array([1.0, 1e-4, 1e-4])
    information = sum(row.T @ np.diag(std**-2.0) @ row for row in agree)
    mean, _ = believed(Piece(information, agree[1].T @ (BIAS / std**2)))
    assert mean[6:] == pytest.approx(BIAS, rel=0.1)
    assert np.abs(mean[:6] / np.tile(BIAS, 2)).max() < 0.1


def test_a_single_radar_has_no_bias():
    config = Config(**SITE, sensors=(EAST,))
    assert tracking.initial(config).tracks.x.shape == (0, 13)
    _, said = followed((EAST,), raid(1, (EAST,), (BIAS,), rounds=1))
    assert not [m for m in said if isinstance(m, Health)]
    assert unregistered(1).mean.shape == (0,)


def test_what_a_track_takes_was_learnt_before_its_first_plot():
    plots = raid(3, (EAST, WEST), (NONE, BIAS))
    state, _ = followed((EAST, WEST), plots)
    told = state.registration.told
    assert len(told) > 1
    assert [each.since_ns for each in told] == sorted(each.since_ns for each in told)
    for each in told:
        mean, information = beforehand(state.registration, each.since_ns + 1)
        assert mean is each.mean
        assert information is each.information


def test_sensors_that_join_later_keep_what_is_known_of_the_others():
    state, _ = followed((EAST, WEST), raid(4, (EAST, WEST), (NONE, BIAS)))
    wide = joined(state.registration, 1)
    assert wide.mean.shape == (9,)
    assert (wide.mean[3:6] - wide.mean[:3]) == pytest.approx(BIAS, rel=0.4)
    for each in wide.told:
        assert np.linalg.eigvalsh(each.information).min() > 0.0
    config = Config(**SITE, sensors=(EAST, WEST, SOUTH))
    later, _ = run(config, dwells(raid(4, (EAST, WEST), (NONE, BIAS))[-3:]), state)
    assert later.registration.mean.shape == (9,)
    first, _ = followed((EAST,), raid(4, (EAST,), (NONE,), rounds=1, seconds=6.0))
    more = raid(4, (EAST,), (NONE,), rounds=1, seconds=7.0)[-9:]
    grown, _ = run(Config(**SITE, sensors=(EAST, WEST)), dwells(more), first)
    assert grown.tracks.x.shape[1] == 22
    assert all(np.linalg.eigvalsh(p).min() > 0.0 for p in grown.tracks.p)


# ---- what it does ---------------------------------------------------------------------------------


@pytest.mark.parametrize("sensors", [(EAST, WEST), (EAST, WEST, SOUTH)])
def test_biased_radars_split_no_track_and_their_difference_is_found(sensors):
    """Over eight raids: one track a round, and the difference within what is claimed of it."""
    distances, rounds = [], 0
    for seed in range(8):
        biases = [BIAS * np.random.default_rng(seed).choice([-1.0, 1.0], 3)] + [NONE] * (len(sensors) - 1)
        state, said = followed(sensors, raid(seed, sensors, biases))
        confirmed = {m.track_id for m in said if isinstance(m, Track) and m.status == "confirmed"}
        rounds += len(confirmed)
        row = np.kron(np.array([1.0, -1.0] + [0.0] * (len(sensors) - 2)), np.eye(3))
        off = row @ state.registration.mean - biases[0]
        distances.append(off @ np.linalg.solve(row @ state.registration.covariance @ row.T, off))
    assert rounds == 3 * 8
    assert np.mean(distances) < 6.0  # 3 if claims are honest


def test_a_radar_that_stands_apart_is_said_to_with_numbers_and_others_are_not():
    reports = []
    for seed in range(4):
        _, said = followed((EAST, WEST, SOUTH), raid(seed, (EAST, WEST, SOUTH), (NONE, BIAS, NONE)))
        reports.append([m for m in said if isinstance(m, Health) and m.part.startswith("registration:")])
        _, said = followed((EAST, WEST), raid(seed, (EAST, WEST), (NONE, NONE)))
        assert not [m for m in said if isinstance(m, Health)]
    for said in reports:
        assert [(m.part, m.state) for m in said] == [("registration:west", "degraded")]
        assert "range +" in said[0].reason
        assert "mrad" in said[0].reason
