"""Pieces of a round that a shot met: never confirmed as projectiles; other rounds are, where they fly by."""

import numpy as np
import pytest
from tracking_worlds import (
    CONFIG,
    NORTH,
    ROCKET,
    T0,
    S,
    confirmed_projectiles,
    dwells,
    every,
    flown,
    merged,
    run,
    seen,
    tracks,
)

from opencram.messages import Engagement
from opencram.tracking.pieces import log_odds
from opencram.tracking.state import Shot

SHOT_S = 12.0
PLACE = flown(ROCKET, [SHOT_S])[0]
NOISE_M = np.array([10.0, 6.0, 6.0])


def shot(outcome="fired", t_s=SHOT_S):
    """What a simulated effector says of its shot at the rocket, which is track 1."""
    return Engagement(
        t_ns=T0 + round(t_s * S), engagement_id=1, track_id=1, effector="gun", state=outcome, rounds=100,
        fire_t_ns=T0, intercept_t_ns=T0 + round(SHOT_S * S), intercept_enu_m=tuple(PLACE[:3].tolist()),
        kill_probability=0.5,
    )  # fmt: skip


def after(state, log_coefficient, seed=1, *, first_s=0.1, share=0.9):
    """Plots of a body that is at `state` (6) when the shot meets the rocket, for 4 s."""
    body = (*state, log_coefficient, 0.0, 0.0, 0.0)
    return seen(NORTH, body, every(0.1, 4.0, first_s), seed=seed, share=share, start_s=SHOT_S)


def told(plots, outcomes):
    """Batches of these plots, with what is said of the shot at these times (s)."""
    batches = list(dwells(plots))
    for t_s, outcome in outcomes:
        at = next(k for k, batch in enumerate(batches) if batch[-1].t_ns >= T0 + round(t_s * S))
        batches[at] = [shot(outcome, t_s), *batches[at]]
    return batches


def before_the_shot(seed=1):
    return seen(NORTH, ROCKET, every(0.1, SHOT_S), share=0.9, seed=seed)


def pieces(seed):
    draws = np.random.default_rng(seed)
    bodies = [PLACE + np.array([0.0, 0.0, 0.0, *draws.normal(0.0, 40.0, 3)]) for _ in range(4)]
    coefficients = np.log(150.0) + 0.5 * draws.standard_normal(4)
    return [
        after(body, c, seed * 10 + k, share=0.5) for k, (body, c) in enumerate(zip(bodies, coefficients, strict=True))
    ]


def test_pieces_of_a_round_that_was_shot_at_are_no_projectiles_and_without_the_shot_some_are():
    alone, warned = 0, 0
    for seed in range(1, 5):
        plots = merged(before_the_shot(seed), *pieces(seed))
        _, said = run(CONFIG, told(plots, [(9.0, "fired"), (13.5, "killed")]))
        alone += len(confirmed_projectiles(said)) - 1
        _, said = run(CONFIG, dwells(plots))
        warned += len(confirmed_projectiles(said)) - 1
    assert alone == 0
    assert warned >= 3


def test_a_shot_that_missed_holds_nothing_back():
    plots = merged(before_the_shot(), *pieces(1))
    _, with_it = run(CONFIG, told(plots, [(9.0, "fired"), (11.9, "missed")]))
    _, without = run(CONFIG, dwells(plots))
    assert confirmed_projectiles(with_it) == confirmed_projectiles(without)


@pytest.mark.parametrize("behind_s", [0.3, 0.6, 1.5])
def test_the_next_round_of_a_ripple_first_seen_after_the_shot_is_confirmed_as_soon_as_without_it(behind_s):
    later = []
    for seed in range(1, 5):
        follower = flown(ROCKET, [SHOT_S - behind_s])[0]
        plots = merged(before_the_shot(seed), after(follower, ROCKET[6], seed + 50))
        found = []
        for batches in (told(plots, [(9.0, "fired")]), dwells(plots)):
            _, said = run(CONFIG, batches)
            confirmed = [m.t_ns for m in said if getattr(m, "track_id", 1) != 1 and m.status == "confirmed"]
            assert confirmed
            found.append(confirmed[0])
        later.append((found[0] - found[1]) / S)
    assert np.median(later) == 0.0
    assert max(later) < 0.5


def test_the_round_itself_goes_on_in_its_track_though_it_was_shot_at():
    plots = seen(NORTH, ROCKET, every(0.1, 20.0), share=0.9)
    _, said = run(CONFIG, told(plots, [(9.0, "fired"), (14.0, "killed")]))
    assert confirmed_projectiles(said) == [1]
    assert tracks(said)[1][-1].status == "confirmed"


def odds(body, log_coefficient, plots, draws):
    """Log odds of a piece, from so many plots of a body at `body` (6) when the shot meets the rocket."""
    times = 0.1 + 0.1 * np.arange(plots)
    truth = flown((*body, log_coefficient, 0.0, 0.0, 0.0), times)[:, :3]
    noise = np.tile(np.diag(NOISE_M**2), (plots, 1, 1))
    met = Shot(
        engagement_id=1, t_ns=0, place_enu_m=tuple(PLACE[:3].tolist()), velocity_enu_m_s=tuple(PLACE[3:].tolist())
    )
    return log_odds(met, times, truth + draws.normal(0.0, 1.0, truth.shape) * NOISE_M, noise)


def test_what_flies_as_the_round_did_is_told_from_pieces_within_two_seconds():
    """A round that the shot missed, or one a tenth of a second behind, if it is first seen after the shot."""
    draws = np.random.default_rng(3)
    behind = flown(ROCKET, [SHOT_S - 0.1])[0]
    rounds = [odds(body, ROCKET[6], 20, draws) for body in (PLACE, behind) for _ in range(50)]
    assert np.mean(np.array(rounds) > 0.0) < 0.1
    broken = [
        odds(PLACE + np.array([0.0, 0.0, 0.0, *draws.normal(0.0, 40.0, 3)]), np.log(150.0), plots, draws)
        for plots in (4, 8, 20)
        for _ in range(50)
    ]
    assert np.mean(np.array(broken) > 0.0) > 0.95


def test_shots_are_forgotten():
    plots = before_the_shot()
    state, _ = run(CONFIG, told(plots, [(9.0, "fired")]))
    assert len(state.shots) == 1
    late = seen(NORTH, (*flown(ROCKET, [15.0])[0], *ROCKET[6:]), every(0.1, 9.0), start_s=15.0)
    state, _ = run(CONFIG, dwells(late), state)
    assert not state.shots
