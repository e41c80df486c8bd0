"""Ripples: rounds that fly so near to one another that radars hardly tell them apart."""

import numpy as np
from tracking_worlds import (
    NORTH,
    ROCKET,
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
from opencram.messages import Health

EAST = radar("east", (900.0, 1600.0, 4.0), period_s=0.25)
CONFIG = tracking.Config(**SITE, sensors=(NORTH, EAST))


def ripple(seed, *, rounds=12, seconds=16.0, scale=1.0, spread=0.01):
    """Plots of rounds fired some 0.2 s apart, 60 m on average, by radars that err by `scale` times what they state."""
    draws = np.random.default_rng(seed)
    lists, fired_s = [], 0.0
    for _ in range(rounds):
        state = np.array(ROCKET)
        state[3:6] *= 1.0 + spread * draws.standard_normal(3)
        for sensor in (NORTH, EAST):
            first = round(np.ceil((fired_s + 0.3) / sensor.period_s)) * sensor.period_s
            times = every(sensor.period_s, seconds, first)
            exact = polar(sensor, flown(state, np.round(times - fired_s, 2)))
            z = exact + scale * (noisy(sensor, exact, draws) - exact)
            z[:, 1] = np.mod(z[:, 1], 2.0 * np.pi)
            kept = draws.random(len(z)) < 0.9
            lists.append(plots_of(sensor, times[kept], z[kept]))
        fired_s += round(max(draws.normal(0.2, 0.1), 0.01), 2)
    return merged(*lists)


def degraded(said):
    return {m.part for m in said if isinstance(m, Health) and m.part.startswith("sensor:") and m.state == "degraded"}


def test_white_radars_are_not_blamed_for_mixed_tracks():
    for seed in range(6):
        _, said = run(CONFIG, dwells(ripple(seed)))
        assert not degraded(said)


def test_radars_that_err_are_found_out_once_rounds_of_a_ripple_part():
    for seed in range(4):
        _, said = run(CONFIG, dwells(ripple(seed, rounds=8, seconds=28.0, scale=2.5, spread=0.03)))
        assert degraded(said) == {"sensor:north/errors", "sensor:east/errors"}


def test_every_round_of_a_ripple_is_soon_found():
    """Also one whose first plots went to its neighbours, so that it seems to begin in the middle of the sky."""
    counts = []
    for seed in range(6):
        _, said = run(CONFIG, dwells(ripple(seed, seconds=7.0)))
        counts.append(len(confirmed_projectiles(said)))
    assert min(counts) >= 10
    assert max(counts) <= 14
    assert np.mean(counts) >= 11.5
