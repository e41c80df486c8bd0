"""Salvoes and shoot-look-shoot: what the stage comes to over many raids, against the closed forms.

Source: with shots that kill with p₁, p₂, … and a look after each that is never wrong, the round is killed with
1 − (1 − p₁)(1 − p₂)…, and 1 + (1 − p₁) + (1 − p₁)(1 − p₂) + … shots are spent (Przemieniecki, Mathematical Methods in
Defense Analyses, 3rd ed., ch. 3; Wagner, Mylander and Sanders, Naval Operations Analysis, 3rd ed., ch. 9).
"""

import math
from dataclasses import replace

import numpy as np
import pytest
from engagement_raids import GUN, SITE, Shell, impact_of, threat_of, track_of

from opencram.engagement import initial, step
from opencram.engagement.effector import Model
from opencram.engagement.hit import shot_kill_probability
from opencram.messages import Engagement, Message, Tick

S, T0 = 1_000_000_000, 1_767_225_600 * 1_000_000_000
SHELL = Shell(1, (60.0, -40.0), 40.0, flight_s=34.0, seen_s=7.0)
REACH = replace(GUN, range_m_max=4000.0)


def played(draws: np.random.Generator, shots_max: int) -> tuple[bool, list[float]]:
    """Return whether the round was killed, and the kill probabilities of the shots fired at it, in one raid."""
    config = replace(SITE, closed_loop=True, effectors=(REACH,), shots_per_round_max=shots_max)
    state, shell, fired = initial(config), SHELL, []
    for k in range(round(10 * SHELL.impact_s) + 20):
        t_s = k / 10
        batch: list[Message] = []
        gone_s = min(shell.impact_s, shell.killed_s + 2.0)
        if k == math.ceil(gone_s * 10):
            batch.append(track_of(shell, t_s, "dropped", "impact" if math.isinf(shell.killed_s) else "lost"))
        elif shell.seen_s + 0.5 <= t_s < gone_s and k % 5 == 1:
            batch.append(track_of(shell, t_s, "confirmed" if t_s < shell.killed_s else "coasting"))
            if t_s < shell.killed_s:
                batch += [impact_of(shell, t_s), threat_of(shell, t_s)]
        state, said = step(config, state, [*batch, Tick(t_ns=T0 + k * S // 10)])
        for shot in said:
            if isinstance(shot, Engagement) and shot.state == "fired":
                fired.append(shot.kill_probability)
                if draws.random() < shot.kill_probability:
                    shell = replace(shell, killed_s=(shot.intercept_t_ns - T0) / S)
    return math.isfinite(shell.killed_s), fired


def check(raids: int, seed: int) -> None:
    """Compare so many raids of up to two shots with the closed forms, at four deviations."""
    draws = np.random.default_rng(seed)
    runs = [played(draws, 2) for _ in range(raids)]
    first, second = next(fired for _, fired in runs if len(fired) == 2)
    assert all(fired[0] == first for _, fired in runs), "until the first shot all raids are alike"
    killed, spent = 1.0 - (1.0 - first) * (1.0 - second), 1.0 + (1.0 - first)
    kills, shots = np.mean([dead for dead, _ in runs]), np.mean([len(fired) for _, fired in runs])
    assert kills == pytest.approx(killed, abs=4.0 * math.sqrt(killed * (1.0 - killed) / raids))
    assert shots == pytest.approx(spent, abs=4.0 * math.sqrt(first * (1.0 - first) / raids))


def test_shoot_look_shoot_kills_and_spends_as_the_closed_forms_say() -> None:
    check(40, seed=4)


@pytest.mark.slow
def test_shoot_look_shoot_over_many_raids() -> None:
    check(800, seed=5)


@pytest.mark.parametrize("rounds", [1, 2, 7, 30])
def test_a_salvo_without_common_error_is_the_power_of_one_round(rounds: int) -> None:
    one = Model(
        rounds_per_shot=1,
        rounds_per_s=10.0,
        speed_m_s=800.0,
        decay_m=math.inf,
        reaction_s=1.0,
        flight_s_min=0.0,
        dispersion_rad=0.002,
        miss_m_std=0.0,
        bias_rad=0.0,
        tracking_m_std=0.0,
        lethal_radius_m=0.5,
        kill_given_hit=0.6,
        channels=1,
    )
    ranges = np.array([400.0, 900.0, 1800.0])
    single = shot_kill_probability(one, ranges)
    assert single == pytest.approx(0.6 * -np.expm1(-0.5 * (0.5 / (0.002 * ranges)) ** 2), rel=1e-8)
    salvo = shot_kill_probability(replace(one, rounds_per_shot=rounds), ranges)
    assert salvo == pytest.approx(1.0 - (1.0 - single) ** rounds, rel=1e-8)
