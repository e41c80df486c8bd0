"""Two rounds that fly side by side are two, and one of which the radar makes two plots is one."""

import numpy as np
import pytest
from tracking_worlds import (
    CONFIG,
    NORTH,
    ROCKET,
    confirmed_projectiles,
    dwells,
    every,
    flown,
    merged,
    noisy,
    plots_of,
    polar,
    run,
    users,
)

TIMES = every(0.1, 6.0)


def plots(state, draws, share=0.9):
    z = noisy(NORTH, polar(NORTH, flown(state, TIMES)), draws)
    kept = draws.random(len(z)) < share
    return plots_of(NORTH, TIMES[kept], z[kept])


@pytest.mark.parametrize("apart_m", [35.0, 60.0])
def test_rounds_side_by_side_are_two(apart_m):
    """At the same speed, so that nothing but their places tells them apart; 35 m are 3.5 deviations of a plot."""
    found, mixed = [], 0
    for seed in range(10):
        draws = np.random.default_rng(seed)
        other = np.array(ROCKET)
        other[:2] += apart_m * np.array([0.825, -0.565])  # across the path
        one, two = plots(ROCKET, draws), plots(other, draws)
        every_plot = merged(one, two)
        _, said = run(CONFIG, dwells(every_plot))
        found.append(len(confirmed_projectiles(said)))
        known = {(p.t_ns, p.range_m) for p in one}
        users_of, last = users(said), every_plot[-40:]
        tracks_of = {users_of[p.plot_id] for p in last if (p.t_ns, p.range_m) in known}
        mixed += len(tracks_of - {0}) > 2
    assert np.mean(np.array(found) >= 2) >= 0.9
    assert mixed <= 3


@pytest.mark.parametrize("probability", [0.3, 1.0])
def test_a_round_of_which_two_plots_are_made_is_one(probability):
    found = []
    for seed in range(10):
        draws = np.random.default_rng(seed)
        z = noisy(NORTH, polar(NORTH, flown(ROCKET, TIMES)), draws)
        twice = draws.random(len(z)) < probability
        again = z[twice] + draws.standard_normal((twice.sum(), 4)) * (10.0, 1.5e-3, 1.5e-3, 1.0)
        _, said = run(CONFIG, dwells(merged(plots_of(NORTH, TIMES, z), plots_of(NORTH, TIMES[twice], again))))
        found.append(len(confirmed_projectiles(said)))
    assert max(found) <= 2
    assert np.mean(found) <= 1.1
