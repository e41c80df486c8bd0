"""Machine guns fire past a radar: chains through several tracer rounds are no rockets, salvos of rockets are."""

import math

import numpy as np
import pytest
from tracking_worlds import (
    ROCKET,
    SITE,
    T0,
    S,
    confirmed_projectiles,
    dwells,
    every,
    flown,
    merged,
    noisy,
    plots_of,
    polar,
    radar,
    run,
)

from opencram import tracking
from opencram.tracking.bursts import in_a_burst
from opencram.tracking.state import TARGET, TENTATIVE

BURSTS, BURST_ROUNDS, ROUNDS_A_SECOND, SEEN_S, SHARE = 4, 30, 10.0, 3.0, 0.27


def gunfire(sensor, draws):
    """Plots of four bursts from four places, half a minute apart, and of false echoes; tracers are seen poorly."""
    plots = []
    for burst in range(BURSTS):
        bearing, course, slope = draws.uniform((0.0, 0.0, 0.2), (2.0 * math.pi, 2.0 * math.pi, 1.2)).tolist()
        far = draws.uniform(1000.0, 3500.0)
        for shot in range(BURST_ROUNDS):
            begun_s = 30.0 * (burst + 1) + shot / ROUNDS_A_SECOND
            times_s = every(sensor.period_s, 200.0)
            times_s = times_s[(times_s >= begun_s) & (times_s < begun_s + SEEN_S)]
            speed, up, aside = 850.0 * (1.0 + 0.01 * draws.normal()), *(0.005 * draws.normal(size=2))
            level = speed * math.cos(slope + up)
            velocity = (
                level * math.sin(course + aside),
                level * math.cos(course + aside),
                speed * math.sin(slope + up),
            )
            place = (far * math.sin(bearing), far * math.cos(bearing), 1.0)
            states = flown((*place, *velocity, math.log(350.0), 0.0, 0.0, 0.0), times_s - begun_s)
            kept = draws.random(len(times_s)) < SHARE
            plots.append(plots_of(sensor, times_s[kept], noisy(sensor, polar(sensor, states), draws)[kept]))
    return merged(*plots)


@pytest.mark.parametrize("period_s", [0.13, 0.28])
def test_chains_through_a_burst_are_no_rockets(period_s):
    """Of 40 bursts 20 and 12 gave a false rocket when neighbours were not asked."""
    sensor = radar(period_s=period_s, range_m_std=15.0, azimuth_rad_std=2e-3, elevation_rad_std=2e-3)
    config = tracking.Config(**SITE, sensors=(sensor,))
    false = 0
    for seed in range(10):
        plots = gunfire(sensor, np.random.default_rng(seed))
        false += len(confirmed_projectiles(run(config, dwells(plots))[1]))
    assert false <= 2


def test_a_volley_of_rockets_is_not_held_up():
    """Twelve rockets, two a second: half a second after one comes into view it is mostly confirmed."""
    sensor = radar(period_s=0.1)
    config = tracking.Config(**SITE, sensors=(sensor,))
    for seed in range(3):
        draws = np.random.default_rng(seed)
        lists = []
        for shot in range(12):
            begin = np.array(ROCKET)
            begin[3:6] *= 1.0 + 0.01 * draws.normal()
            begin[:3] += draws.normal(0.0, 15.0, 3) * (1.0, 1.0, 0.0)
            times_s = every(0.1, 8.0, 0.5)
            z = noisy(sensor, polar(sensor, flown(begin, times_s)), draws)
            kept = draws.random(len(z)) < 0.95
            lists.append(plots_of(sensor, times_s[kept] + 0.5 * shot, z[kept]))
        said = run(config, dwells(merged(*lists)))[1]
        confirmed_ns = {}
        for message in said:
            if getattr(message, "status", "") == "confirmed":
                confirmed_ns.setdefault(message.track_id, message.t_ns)
        assert len(confirmed_projectiles(said)) == 12
        late_s = sorted((t_ns - T0) / S - 0.5 - 0.5 * shot for shot, t_ns in enumerate(sorted(confirmed_ns.values())))
        assert late_s[6] < 1.0
        assert late_s[-1] < 1.5


def group(velocities, **changes):
    """Columns of candidates that fly 50 m apart at these velocities, one second old, as `in_a_burst` takes them."""
    count = len(velocities)
    targets, x = np.zeros(count, dtype=TARGET), np.zeros((count, 6))
    x[:, 0], x[:, 3:] = 50.0 * np.arange(count), velocities
    targets["status"], targets["plots"], targets["period_ns"] = TENTATIVE, 5, round(0.2 * S)
    targets["first_t_ns"], targets["updated_t_ns"] = T0 - S, T0
    for name, value in changes.items():
        targets[name] = value
    return targets, x, np.ones(count)


DIFFERENT = [(300.0, 0.0, 200.0), (500.0, 30.0, 300.0), (420.0, 0.0, 150.0)]


def test_neighbours_of_other_speeds_are_a_burst():
    assert in_a_burst(*group(DIFFERENT), 0, T0)
    assert in_a_burst(*group(DIFFERENT, plots=[5, 2, 2]), 0, T0)  # nothing is known of the others' speeds


@pytest.mark.parametrize(
    "changes",
    [
        {"first_t_ns": T0 - 4 * S, "plots": 9},  # has proved itself
        {"updated_t_ns": [T0, T0 - S, T0 - S]},  # the others are gone
    ],
)
def test_who_has_proved_itself_or_flies_alone_is_none(changes):
    assert not in_a_burst(*group(DIFFERENT, **changes), 0, T0)


def test_a_salvo_and_what_flies_level_are_none():
    assert not in_a_burst(*group([(300.0, 0.0, 200.0), (304.0, 3.0, 190.0), (500.0, 30.0, 300.0)]), 0, T0)
    targets, x, fall = group(DIFFERENT)
    fall[1:] = 0.0
    assert not in_a_burst(targets, x, fall, 0, T0)
    x[1:, 0] += 1000.0
    assert not in_a_burst(targets, x, np.ones(3), 0, T0)
