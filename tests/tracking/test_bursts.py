"""Machine guns fire past a radar: chains through several tracer rounds are no rockets, salvos of rockets are."""

import math

import numpy as np
import pytest
from tracking_worlds import (
    MORTAR,
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
from opencram.tracking import judging
from opencram.tracking.bursts import unclaimed_beside, unlike_others
from opencram.tracking.history import Columns
from opencram.tracking.state import TARGET, TENTATIVE, Candidates

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


def volley(interval_s, draws):
    """Plots of twelve rockets fired after one another from one place, and when each comes into view."""
    sensor, lists = radar(period_s=0.1), []
    for shot in range(12):
        begin = np.array(ROCKET)
        begin[3:6] *= 1.0 + 0.01 * draws.normal()
        begin[:3] += draws.normal(0.0, 15.0, 3) * (1.0, 1.0, 0.0)
        times_s = np.round(every(0.1, 8.0, 0.5) - (interval_s * shot) % 0.1, 2)  # the radar looks on whole tenths
        z = noisy(sensor, polar(sensor, flown(begin, times_s)), draws)
        kept = draws.random(len(z)) < 0.95
        lists.append(plots_of(sensor, times_s[kept] + interval_s * shot, z[kept]))
    return merged(*lists)


def confirmed_at_s(plots, config):
    """Times (s) at which the projectiles that these plots show are confirmed, in order."""
    said = run(config, dwells(plots))[1]
    wanted, first = confirmed_projectiles(said), {}
    for message in said:
        if getattr(message, "status", "") == "confirmed" and message.track_id in wanted:
            first.setdefault(message.track_id, (message.t_ns - T0) / S)
    return sorted(first.values())


@pytest.mark.parametrize("interval_s", [0.25, 0.5])
def test_the_rounds_of_a_volley_hardly_wait_for_one_another(interval_s, monkeypatch):
    config = tracking.Config(**SITE, sensors=(radar(period_s=0.1),))
    scenes = [volley(interval_s, np.random.default_rng(seed)) for seed in range(4)]
    asked = [confirmed_at_s(plots, config) for plots in scenes]
    monkeypatch.setattr(judging, "in_a_burst", lambda *_: False)
    monkeypatch.setattr(judging, "unlike_others", lambda *_: False)
    alone = [confirmed_at_s(plots, config) for plots in scenes]
    assert [len(each) for each in asked] == [12] * len(scenes)
    assert np.mean(np.concatenate(asked)) < np.mean(np.concatenate(alone)) + 0.3


def test_a_volley_of_rockets_is_not_held_up():
    """Twelve rockets, two a second: half a second after one comes into view it is mostly confirmed."""
    sensor = radar(period_s=0.1)
    config = tracking.Config(**SITE, sensors=(sensor,))
    for seed in range(3):
        draws = np.random.default_rng(seed)
        late_s = np.array(confirmed_at_s(volley(0.5, draws), config)) - 0.5 - 0.5 * np.arange(12)
        assert np.sort(late_s)[6] < 1.0
        assert late_s.max() < 1.5


def even_clutter(sensor, per_scan, seconds, draws):
    """False plots evenly in the half space that a radar sees."""
    lists = []
    for t in every(sensor.period_s, seconds).tolist():
        z = np.full((per_scan, 4), math.nan)
        z[:, 0] = 50.0 + sensor.range_m_max * draws.random(per_scan) ** (1.0 / 3.0)
        z[:, 1] = draws.uniform(0.0, 2.0 * math.pi, per_scan)
        z[:, 2] = np.arcsin(draws.uniform(0.02, 0.95, per_scan))
        lists.append(plots_of(sensor, np.full(per_scan, t), z))
    return merged(*lists)


def test_a_round_in_even_clutter_is_not_taken_for_one_of_a_burst(monkeypatch):
    """As thick as 10 000 plots a second out to 12 km; two neighbours by chance were reason enough before."""
    sensor = radar(period_s=0.1, range_m_max=6000.0, clutter_per_scan=120.0)
    config = tracking.Config(**SITE, sensors=(sensor,))
    asked = []
    for name in ("in_a_burst", "unlike_others"):
        real = getattr(judging, name)
        monkeypatch.setattr(judging, name, lambda *them, real=real: asked.append(real(*them)) or asked[-1])
    for seed in range(4):
        draws = np.random.default_rng(seed)
        clutter = even_clutter(sensor, 125, 4.0, draws)
        times_s = every(0.1, 4.0, 2.0)
        z = noisy(sensor, polar(sensor, flown(MORTAR, np.round(times_s - 1.5, 2))), draws)
        kept = draws.random(len(z)) < 0.9
        assert confirmed_at_s(merged(clutter, plots_of(sensor, times_s[kept], z[kept])), config)
    assert len(asked) >= 4
    assert sum(asked) <= 0.1 * len(asked)


def group(velocities, **changes):
    """Candidates that fly 50 m apart at these velocities, one second old."""
    count = len(velocities)
    targets, x = np.zeros(count, dtype=TARGET), np.zeros((count, 6))
    x[:, 0], x[:, 3:] = 50.0 * np.arange(count), velocities
    targets["status"], targets["plots"], targets["period_ns"] = TENTATIVE, 5, round(0.2 * S)
    targets["first_t_ns"], targets["updated_t_ns"] = T0 - S, T0
    for name, value in changes.items():
        targets[name] = value
    return Candidates(
        targets=targets, chances=np.zeros((count, 2)), x=x, p=np.zeros((count, 6, 6)), fall=np.ones(count)
    )


DIFFERENT = [(300.0, 0.0, 200.0), (500.0, 30.0, 300.0), (420.0, 0.0, 150.0)]


@pytest.mark.parametrize(
    ("changes", "doubt"),
    [
        ({}, True),
        ({"plots": [5, 2, 2]}, False),  # nothing is known of the others: they may be false plots
        ({"first_t_ns": T0 - 4 * S, "plots": 9}, False),  # has proved itself
        ({"updated_t_ns": [T0, T0 - S, T0 - S]}, False),  # the others are gone
    ],
)
def test_neighbours_of_other_speeds_are_a_reason_for_doubt(changes, doubt):
    assert unlike_others(group(DIFFERENT, **changes), 0, T0) is doubt


def test_a_salvo_and_what_flies_level_are_none():
    assert not unlike_others(group([(300.0, 0.0, 200.0), (304.0, 3.0, 190.0), (500.0, 30.0, 300.0)]), 0, T0)
    few = group(DIFFERENT)
    few.fall[1:] = 0.0
    assert not unlike_others(few, 0, T0)


# ---- what stands beside a body --------------------------------------------------------------------

SENSOR, SCANS = radar(period_s=0.2), 8
RADARS = np.array([0.2]), np.array(SENSOR.local_from_enu).reshape(1, 3, 3), np.array([SENSOR.position_enu_m])
AS_STATED = np.array([[[1.0, 0.0, 1.0]] * 3])


def neighbours(draws, places, share, doubles=0.0):
    """What is unclaimed beside a rocket in its ninth scan, whose neighbours at these places (m) are seen so often."""
    times_s = every(0.2, 0.2 * SCANS + 2.0, 2.0)
    own = flown(ROCKET, times_s)
    rows = []  # scan, chain, measurement
    for k, place in enumerate([np.zeros(3), *places]):
        z = noisy(SENSOR, polar(SENSOR, own + np.array([*place, 0.0, 0.0, 0.0])), draws)
        for scan in range(len(times_s)):
            if k == 0 or draws.random() < share:
                rows.append((scan, k, z[scan]))
            if k == 0 and draws.random() < doubles:
                rows.append((scan, -1, z[scan] + draws.normal(0.0, 1.0, 4) * (10.0, 1.5e-3, 1.5e-3, 0.0)))
    rows.sort(key=lambda row: row[0])
    previous, last = np.full(len(rows), -1), -1
    for number, (_, k, _) in enumerate(rows):
        if k == 0:
            previous[number], last = last, number
    t_ns = np.array([T0 + round(times_s[scan] * S) for scan, _, _ in rows])
    weight = np.tile(1.0 / np.array([10.0, 1.5e-3, 1.5e-3, 1.0]), (len(rows), 1))
    z = np.array([row[2] for row in rows])
    table = Columns(0, 0, t_ns, np.zeros(len(rows), dtype=np.int64), z, weight, previous)
    none = np.zeros(0, dtype=np.int64)
    return unclaimed_beside(own[-1], t_ns[-1], t_ns[0], last, none, len(rows) - 1, table, *RADARS, AS_STATED)[
        0
    ].tolist()


def test_rounds_of_a_salvo_are_found_again_and_bullets_are_not():
    salvo, burst = np.zeros(3), np.zeros(3)
    for seed in range(20):
        draws = np.random.default_rng(seed)
        places = [(-80.0 * k, 110.0 * k, 20.0 * k) for k in (-2, -1, 1, 2)]
        salvo += neighbours(draws, places, 0.9)
        burst += neighbours(draws, [2.0 * draws.normal(size=3) + place for place in places], 0.25)
    assert 20 * 3 * SCANS < salvo[0] < 20 * 4 * (SCANS + 1)
    assert salvo[2] > 0.7 * salvo[1]
    assert burst[2] < 0.4 * burst[1]


def test_who_flies_alone_has_nobody_beside_him_and_his_doubles_are_nobody():
    for seed in range(10):
        draws = np.random.default_rng(seed)
        assert neighbours(draws, [], 1.0) == [0, 0, 0]
        assert neighbours(draws, [(2000.0, 0.0, 0.0)], 1.0) == [0, 0, 0]
        assert neighbours(draws, [], 1.0, doubles=0.5)[0] <= 2
