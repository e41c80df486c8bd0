"""What else it could be: the evidence of level and of wandering flight, against the integral and against each other."""

import math

import numpy as np
import pytest
from tracking_worlds import LEVEL, ROCKET, every, flown, noisy, polar, radar

from opencram.tracking.otherwise import (
    ACCELERATION_M_S2_STD,
    VELOCITY_M_S_STD,
    no_projectile,
    straight_evidence,
    wandering_evidence,
)

SENSOR = radar(position_enu_m=(500.0, -800.0, 6.0))
STDS = np.array([10.0, 1.5e-3, 1.5e-3, 3.0])
RADARS = np.array(LEVEL).reshape(1, 3, 3), np.array([SENSOR.position_enu_m])


def plots(states, seed, *, doppler=False):
    """Plots (n, 4) of states (n, 6) with errors, and their weights."""
    z = noisy(SENSOR, polar(SENSOR, states), np.random.default_rng(seed))
    if not doppler:
        z[:, 3] = math.nan
    return np.zeros(len(z), dtype=np.int64), z, np.tile(1.0 / STDS, (len(z), 1))


def level(times, acceleration=(0.0, 0.0, 0.0)):
    """States of a flight with constant acceleration past the radar."""
    begin, velocity = np.array([4000.0, 2000.0, 700.0]), np.array([-120.0, 60.0, 0.0])
    a = np.array(acceleration)
    t = times[:, np.newaxis]
    return np.hstack([begin + velocity * t + 0.5 * a * t * t, velocity + a * t])


@pytest.mark.parametrize("doppler", [False, True])
def test_the_evidence_of_a_straight_flight_finds_its_velocity(doppler):
    times = every(0.1, 5.0)
    stds = ACCELERATION_M_S2_STD, VELOCITY_M_S_STD
    straight, velocity = straight_evidence(times, *plots(level(times), 7, doppler=doppler), *RADARS, *stds)
    assert velocity == pytest.approx([-120.0, 60.0, 0.0], abs=12.0)
    less, _ = straight_evidence(times, *plots(flown(ROCKET, times), 8, doppler=doppler), *RADARS, *stds)
    assert less < straight - 5.0


def test_the_evidence_is_the_integral_over_what_is_not_known():
    """Against the Gaussian density of all plots at once, positions marginal under a very wide prior."""
    times = every(0.5, 3.0)
    sensors, z, weights = plots(level(times), 3)
    n, wide = len(times), 1e5
    rows, noise, target = [], [], []
    for t, each in zip(times, z, strict=True):
        r, a, e = each[:3]
        axes = np.array(
            [
                [math.cos(e) * math.sin(a), math.cos(e) * math.cos(a), math.sin(e)],
                [math.cos(a), -math.sin(a), 0.0],
                [-math.sin(e) * math.sin(a), -math.sin(e) * math.cos(a), math.cos(e)],
            ]
        )
        stds = STDS[:3] * (1.0, r * math.cos(e), r)
        place = RADARS[1][0] + r * axes[0]
        for axis, std in zip(axes, stds, strict=True):
            rows.append(np.concatenate([axis, axis * t, axis * 0.5 * t * t]))
            noise.append(std)
            target.append(axis @ place)
    h, r = np.array(rows), np.diag(np.square(noise))
    prior = np.diag(np.concatenate([[wide**2] * 3, VELOCITY_M_S_STD**2, ACCELERATION_M_S2_STD**2]))
    s = h @ prior @ h.T + r
    off = np.array(target)
    log = -0.5 * (off @ np.linalg.solve(s, off) + np.linalg.slogdet(s)[1] - np.linalg.slogdet(r)[1])
    log += 1.5 * math.log(2.0 * math.pi) + 3.0 * math.log(wide) - 3.0 * math.log(2.0 * math.pi)
    evidence, _ = straight_evidence(times, sensors, z, weights, *RADARS, ACCELERATION_M_S2_STD, VELOCITY_M_S_STD)
    assert n == 6
    assert evidence == pytest.approx(log, abs=0.1)


def test_hard_turns_are_wandering_and_gentle_ones_are_not():
    times = every(0.25, 8.0)
    gentle = plots(level(times, (3.0, 2.0, 0.0)), 1)
    stds = ACCELERATION_M_S2_STD, VELOCITY_M_S_STD
    assert straight_evidence(times, *gentle, *RADARS, *stds)[0] > wandering_evidence(times, *gentle, *RADARS) + 5.0
    states = level(times)
    turned = states[:, 1] + np.where(times > 4.0, 40.0 * (times - 4.0) ** 2 / 2.0, 0.0)  # 4 g, all at once
    hard = plots(np.column_stack([states[:, 0], turned, states[:, 2:]]), 2)
    one, other = straight_evidence(times, *hard, *RADARS, *stds)[0], wandering_evidence(times, *hard, *RADARS)
    assert other > one + 20.0
    assert no_projectile(times, *hard, *RADARS) == pytest.approx(other + math.log(0.1), abs=1e-6)
