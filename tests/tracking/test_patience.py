"""What will land where it does no harm has to be surer before it is a projectile; what threatens has not."""

import numpy as np
import pytest
from tracking_worlds import (
    SITE,
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
from opencram.tracking.patience import harmless, landing, leaves
from opencram.tracking.world import world

PERIOD_S = 0.5
HERE, ELSEWHERE = ((0.0, 0.0, 1000.0),), ((40_000.0, 0.0, 1000.0),)
RADAR = {"period_s": PERIOD_S, "range_m_std": 15.0, "azimuth_rad_std": 2e-3, "elevation_rad_std": 2e-3}


def climbing(sensor, draws):
    """Plots of four jets, a minute apart, that come over the horizon 10 km out in a climb and go on along it."""
    lists = []
    for jet in range(4):
        times = every(PERIOD_S, 60.0 * jet + 20.0, 60.0 * jet)
        bearing, aside, slope = draws.uniform(0.0, 6.28), draws.normal(0.0, 0.8), draws.uniform(0.25, 0.6)
        speed = draws.uniform(200.0, 300.0)
        start = 10_000.0 * np.array([np.sin(bearing), np.cos(bearing), 0.05])
        course = bearing + np.pi + aside
        level = speed * np.cos(slope)
        velocity = np.array([level * np.sin(course), level * np.cos(course), speed * np.sin(slope)])
        seconds = times - times[0]
        states = np.zeros((len(times), 10))
        states[:, :3], states[:, 3:6] = start + seconds[:, None] * velocity, velocity
        kept = draws.random(len(times)) < 0.9
        lists.append(plots_of(sensor, times[kept], noisy(sensor, polar(sensor, states), draws)[kept]))
    return merged(*lists)


def rounds(sensor, draws):
    """Plots of four rockets, a minute apart, that come down about the middle of the site."""
    lists = []
    for shot in range(4):
        begin = np.array([-6000.0, 0.0, 5.0, 205.0, 0.0, 160.0, np.log(3000.0), 0.0, 0.0, 0.0])
        begin[3:6] *= 1.0 + 0.01 * draws.normal()
        times = every(PERIOD_S, 20.0, 2.0)
        z = noisy(sensor, polar(sensor, flown(tuple(begin), times)), draws)
        kept = draws.random(len(times)) < 0.9
        lists.append(plots_of(sensor, times[kept] + 60.0 * shot, z[kept]))
    return merged(*lists)


def found(scene, defended, seeds):
    """Return how many tracks of a scene were confirmed, and when each was first, over some draws of it."""
    sensor, times = radar(**RADAR), []
    config = tracking.Config(**SITE, sensors=(sensor,), defended_m=defended)
    for seed in range(seeds):
        said = run(config, dwells(scene(sensor, np.random.default_rng(seed))))[1]
        wanted, first = confirmed_projectiles(said), {}
        for message in said:
            if getattr(message, "status", "") == "confirmed" and message.track_id in wanted:
                first.setdefault(message.track_id, message.t_ns)
        times.append(sorted(first.values()))
    return times


def test_jets_in_a_climb_far_out_are_taken_for_rockets_less_often_where_nothing_is_at_stake():
    patient = sum(len(each) for each in found(climbing, HERE, 6))
    hasty = sum(len(each) for each in found(climbing, (), 6))
    assert hasty >= 2
    assert patient <= hasty / 2


def test_what_threatens_is_confirmed_as_if_harm_were_everywhere():
    assert found(rounds, HERE, 3) == found(rounds, (), 3)


def test_what_does_no_harm_is_confirmed_too_a_little_later():
    early, late = found(rounds, (), 3), found(rounds, ELSEWHERE, 3)
    assert [len(each) for each in early] == [len(each) for each in late]
    waits = [
        (b - a) * 1e-9 for first, second in zip(early, late, strict=True) for a, b in zip(first, second, strict=True)
    ]
    assert min(waits) >= 0.0
    assert max(waits) <= 10.0


@pytest.mark.parametrize("up_m_s", [160.0, -80.0])
def test_where_a_flight_comes_down(up_m_s):
    constants = world(tracking.Config(**SITE, sensors=(radar(),)))
    x = np.array([-3000.0, 500.0, 1200.0, 205.0, -20.0, up_m_s, np.log(3000.0), 0.0, 0.0, 0.0])
    times = np.arange(0.0, 60.0, 0.01)
    path = flown(tuple(x), times)
    k = int(np.argmax(path[:, 2] < 0.0))
    p = np.diag([25.0, 25.0, 25.0, 4.0, 4.0, 4.0, 0.01, 1.0, 1.0, 0.01])
    east, north, std = landing(x, p, constants.env, constants.bank.curves[0])
    assert np.hypot(east - path[k, 0], north - path[k, 1]) < 60.0
    draws = np.random.default_rng(1)
    ends = []
    for each in draws.multivariate_normal(x, p, size=200):
        way = flown(tuple(each), times[::10])
        j = int(np.argmax(way[:, 2] < 0.0))
        ends.append(way[j, :2])
    assert std == pytest.approx(np.sqrt(np.linalg.eigvalsh(np.cov(np.array(ends).T))[-1]), rel=0.25)


def test_harmless_is_what_surely_lands_far_from_every_circle():
    constants = world(tracking.Config(**SITE, sensors=(radar(),)))
    x = np.array([[-3000.0, 500.0, 1200.0, 205.0, -20.0, 100.0, np.log(3000.0), 0.0, 0.0, 0.0]])
    p = np.diag([25.0, 25.0, 25.0, 4.0, 4.0, 4.0, 0.01, 1.0, 1.0, 0.01])[None]
    east, north, _ = landing(x[0], p[0], constants.env, constants.bank.curves[0])

    def far(*circles, spread=1.0):
        models = np.zeros(1, dtype=np.int64)
        places = np.array(circles).reshape(-1, 3)
        return harmless(x, p * spread, models, constants.env, constants.bank.curves, places, 1000.0)

    assert far((east, north + 6000.0, 1000.0))
    assert not far((east, north + 2000.0, 1500.0))
    assert not far((east, north + 6000.0, 1000.0), (east, north, 100.0))
    assert not far((east, north + 6000.0, 1000.0), spread=400.0)  # too little is known of where it comes down


def test_what_never_comes_down_soundly_is_not_harmless():
    constants = world(tracking.Config(**SITE, sensors=(radar(),)))
    for bad in (np.nan, 1e7):
        x = np.array([0.0, 0.0, bad, 200.0, 0.0, 10.0, np.log(3000.0), 0.0, 0.0, 0.0])
        assert landing(x, np.eye(10), constants.env, constants.bank.curves[0])[2] == np.inf


def test_what_flies_away_from_a_place_will_not_come_down_there_however_little_is_known_of_its_speed():
    x = np.array([3000.0, 0.0, 500.0, 300.0, 50.0, 300.0, np.log(3000.0), 0.0, 0.0, 0.0])
    place, p = np.array([0.0, 0.0, 500.0]), np.diag([50.0, 50.0, 50.0, 60.0, 60.0, 60.0, 1.0, 1.0, 1.0, 1.0]) ** 2
    assert leaves(x, p, place, 1000.0)
    assert not leaves(x, p, place, 3000.0)  # too near
    assert not leaves(x, 4.0 * p, place, 1000.0)  # it may as well come nearer
    back = x.copy()
    back[3] = -300.0
    assert not leaves(back, p, place, 1000.0)
    assert not leaves(np.zeros(10), p, np.zeros(3), 0.0)
