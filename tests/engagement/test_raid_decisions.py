"""Whole raids through the stage: who is engaged, when, and with what words."""

import pickle
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from engagement_raids import GUN, HAZARD_M, SEVEN, SITE, T0, S, Shell, impact_of, raid, track_of

from opencram.engagement import Config, State, initial, step
from opencram.engagement.windows import resample, shots_along
from opencram.messages import Decision, Engagement, Message, Operator, Tick

AT_COMPOUND = (1, 2)


def run(config: Config, batches: Iterable[Sequence[Message]]) -> tuple[State, list[Message]]:
    state, made = initial(config), []
    for batch in batches:
        state, out = step(config, state, batch)
        made += out
    return state, made


def by_track(made: Iterable[Message]) -> dict[int, list[Decision]]:
    decisions: dict[int, list[Decision]] = defaultdict(list)
    for message in made:
        if isinstance(message, Decision):
            decisions[message.track_id].append(message)
    return decisions


def engagements(made: Iterable[Message], state: str) -> list[Engagement]:
    return [message for message in made if isinstance(message, Engagement) and message.state == state]


@pytest.fixture(scope="module")
def seven() -> list[Message]:
    return run(SITE, raid(SEVEN, end_s=55.0))[1]


def test_only_the_rounds_at_the_compound_are_ever_engaged(seven: list[Message]) -> None:
    decisions = by_track(seven)
    assert sorted(decisions) == [1, 2, 3, 4, 5, 6, 7]
    for track_id, made in decisions.items():
        actions = [decision.action for decision in made]
        assert actions[-1] == ("engage" if track_id in AT_COMPOUND else "ignore"), made[-1].reason
        assert ("engage" in actions) == (track_id in AT_COMPOUND)
        assert len(actions) <= 6, f"track {track_id} flaps: {[d.reason for d in made]}"


def test_both_are_fired_upon_one_after_the_other_by_one_gun(seven: list[Message]) -> None:
    fired = engagements(seven, "fired")
    assert sorted(engagement.track_id for engagement in fired) == [1, 2]
    assert [engagement.engagement_id for engagement in engagements(seven, "committed")] == [1, 2]
    assert not engagements(seven, "killed") + engagements(seven, "missed"), "recorded plots show no effect"
    first, second = sorted(fired, key=lambda engagement: engagement.fire_t_ns)
    assert second.fire_t_ns - 2 * S >= first.intercept_t_ns


def test_the_first_decision_comes_within_a_second_of_the_first_threat(seven: list[Message]) -> None:
    for shell in SEVEN:
        assert by_track(seven)[shell.track_id][0].t_ns <= T0 + round((shell.seen_s + 0.5 + 0.5 + 1.0) * S)


def test_reasons_carry_the_numbers(seven: list[Message]) -> None:
    decisions = by_track(seven)
    ignored = decisions[7][-1]
    found = re.fullmatch(
        r"ignored: ([\d.]+) % sure to land outside the compound by more than (\d+) m"
        r"(, 95 % sure by more than (\d+) m)?",
        ignored.reason,
    )
    assert found, ignored.reason
    assert float(found[1]) / 100.0 <= 1.0 - ignored.probability + 1e-9
    assert float(found[2]) == HAZARD_M
    assert ignored.asset is None
    engaged = decisions[1][-1]
    assert engaged.asset == "compound"
    assert engaged.effector == "gun-1"
    assert re.fullmatch(
        r"engage: (more than )?[\d.]+ % at the compound; gun-1 would fire 120 rounds at 00:00:\d\d\.\d to meet it "
        r"\d+ m away at 00:00:\d\d\.\d, \d+ % to kill",
        engaged.reason,
    ), engaged.reason
    held = decisions[1][0]
    assert held.action == "hold"
    assert re.search(r"\d+ m away, but still uncertain by \d+ m", held.reason)
    assert re.search(r"decides at the latest at 00:00:\d\d\.\d", held.reason)


def test_a_kill_is_believed_and_a_miss_is_engaged_again() -> None:
    config = replace(SITE, closed_loop=True)
    alone = Shell(1, (60.0, -40.0), 33.2)
    missed_state, missed = run(config, raid([alone], end_s=36.0))
    first = engagements(missed, "fired")[0]
    killed = run(config, raid([replace(alone, killed_s=(first.intercept_t_ns - T0) / S)], end_s=36.0))[1]
    assert [e.state for e in killed if isinstance(e, Engagement)] == ["committed", "fired", "killed"]
    assert by_track(killed)[1][-1].code == "killed"
    states = [e.state for e in missed if isinstance(e, Engagement)]
    assert states[:6] == ["committed", "fired", "missed", "committed", "fired", "missed"]
    assert by_track(missed)[1][-1].action == "engage"
    assert by_track(missed)[1][-1].code == "missed"
    assert missed_state.magazines == (1500 - 120 * states.count("fired"),)
    again = engagements(missed, "fired")[1]
    assert again.fire_t_ns - 2 * S >= engagements(missed, "missed")[0].t_ns - S // 10


def test_hold_mode_plans_nothing_and_says_so() -> None:
    made = run(replace(SITE, mode="hold"), raid(SEVEN, end_s=55.0))[1]
    assert not [message for message in made if isinstance(message, Engagement)]
    assert by_track(made)[1][-1].code == "mode_hold"
    assert by_track(made)[7][-1].action == "ignore"


def test_consent_is_awaited_and_then_used() -> None:
    config = replace(SITE, mode="consent")
    without = by_track(run(config, raid(SEVEN, end_s=55.0))[1])
    assert "awaiting_consent" in [decision.code for decision in without[1]]
    assert all(decision.action != "engage" for made in without.values() for decision in made)
    awaiting = next(decision for decision in without[1] if decision.code == "awaiting_consent")
    assert re.search(r"awaiting consent: \d+\.\d s left, until 00:00:", awaiting.reason)
    assert without[1][-1].code == "no_window"
    batches = [
        [*batch, Operator(t_ns=batch[-1].t_ns, operator="ada", action="consent", track_id=1)] if k == 220 else batch
        for k, batch in enumerate(raid(SEVEN, end_s=55.0))
    ]
    made = run(config, batches)[1]
    assert [engagement.track_id for engagement in engagements(made, "fired")] == [1]
    assert by_track(made)[2][-1].action == "hold"


def test_the_veto_timer_runs_out_unless_vetoed() -> None:
    config = replace(SITE, mode="veto", veto_s=3.0)
    batches = [
        [*batch, Operator(t_ns=batch[-1].t_ns, operator="ada", action="veto", track_id=1)] if k == 150 else batch
        for k, batch in enumerate(raid(SEVEN, end_s=55.0))
    ]
    made = run(config, batches)[1]
    first, second = by_track(made)[1], by_track(made)[2]
    assert first[-1].code == "vetoed"
    assert all(decision.action != "engage" for decision in first)
    timer = next(decision for decision in second if decision.code == "veto_timer")
    engaged = next(decision for decision in second if decision.action == "engage")
    assert engaged.t_ns - timer.t_ns == 3 * S


def test_an_operators_hold_calls_off_what_is_not_yet_fired() -> None:
    free = run(SITE, raid(SEVEN, end_s=55.0))[1]
    committed_k = (engagements(free, "committed")[0].t_ns - T0) // (S // 10)
    batches = []
    for k, batch in enumerate(raid(SEVEN, end_s=55.0)):
        stop = Operator(t_ns=batch[-1].t_ns, operator="ada", action="hold")
        go = Operator(t_ns=batch[-1].t_ns, operator="ada", action="release")
        batches.append([*batch, *([stop] if k == committed_k + 5 else [go] if k == committed_k + 15 else [])])
    state, made = run(SITE, batches)
    assert len(engagements(made, "aborted")) == 1
    fired = engagements(made, "fired")
    assert fired
    assert state.magazines == (1500 - 120 * len(fired),), "rounds of an engagement that was called off are given back"
    assert by_track(made)[1][-1].reason.startswith(("engage:", "held:"))


def test_an_empty_magazine_and_a_missing_effector_are_named() -> None:
    empty = replace(SITE, effectors=(replace(GUN, magazine_rounds=130),))
    state, made = run(empty, raid(SEVEN, end_s=55.0))
    assert len(engagements(made, "fired")) == 1
    assert state.magazines == (10,)
    last = [by_track(made)[track_id][-1] for track_id in AT_COMPOUND]
    assert sorted(decision.action for decision in last) == ["engage", "hold"]
    codes = [decision.code for track_id in AT_COMPOUND for decision in by_track(made)[track_id]]
    assert "magazine_empty" in codes
    bare = by_track(run(replace(SITE, effectors=()), raid(SEVEN, end_s=55.0))[1])
    assert bare[1][-1].code == "no_effector"
    assert bare[3][-1].action == "ignore"


def test_zones_count_under_the_policy_people_only() -> None:
    shell = Shell(3, (700.0, 520.0), 32.8, flight_s=24.3, seen_s=9.5)
    people = replace(SITE, protect="people")
    site_made, people_made = (
        run(config, raid([shell], end_s=35.0, zone_probability=0.9, exposed=12.0))[1] for config in (SITE, people)
    )
    assert by_track(site_made)[3][-1].action == "ignore"
    assert not [message for message in site_made if isinstance(message, Engagement)]
    engaged = by_track(people_made)[3][-1]
    assert (engaged.action, engaged.asset) == ("engage", "z1")
    assert "Karrada, block 1" in engaged.reason
    assert "12.0 people" in engaged.reason


@pytest.mark.parametrize("code", ["no_time", "no_prediction"])
def test_a_round_that_nobody_predicted_still_gets_its_word(code: str) -> None:
    shell = Shell(9, (0.0, 0.0), 30.0)
    batches: list[list[Message]] = [[track_of(shell, 8.0)]]
    if code == "no_prediction":
        batches.append([Tick(t_ns=T0 + 9 * S)])
    batches += [[track_of(shell, 9.2, "dropped", "lost")]] * 2
    made = run(SITE, batches)[1]
    assert code in [decision.code for decision in by_track(made)[9]]
    assert by_track(made)[9][-1].action == "hold"
    assert len(made) == (1 if code == "no_time" else 2)


def test_a_track_dropped_at_once_is_decided_once() -> None:
    shell = Shell(9, (0.0, 0.0), 30.0)
    made = run(SITE, [[track_of(shell, 9.2, "dropped", "lost")]] * 3)[1]
    assert [message.code for message in made if isinstance(message, Decision)] == ["no_time"]
    silent = [[track_of(shell, 9.2, "tentative")], [track_of(shell, 9.4, "dropped", "never_confirmed")]]
    assert run(SITE, silent)[1] == []


def test_the_limit_on_rounds_is_said_once_and_every_round_is_decided() -> None:
    config = replace(SITE, rounds_max=3)
    state, made = run(config, raid(SEVEN, end_s=70.0))
    health = [message for message in made if type(message).__name__ == "Health"]
    assert [message.state for message in health] == ["degraded", "ok"]
    assert sorted(by_track(made)) == [1, 2, 3, 4, 5, 6, 7]
    assert "limit" in [decision.code for made_of in by_track(made).values() for decision in made_of]
    assert not state.rounds


def test_same_input_same_output_and_nothing_given_is_changed() -> None:
    batches = list(raid(SEVEN, end_s=40.0))
    state, again = initial(SITE), initial(SITE)
    for batch in batches:
        before = pickle.dumps((SITE, state, batch))
        new_state, made = step(SITE, state, batch)
        assert pickle.dumps((SITE, state, batch)) == before
        again, made_again = step(SITE, again, batch)
        assert made == made_again
        state = new_state
    assert pickle.dumps(state) == pickle.dumps(again)


def test_no_shot_is_put_off_to_the_end_of_its_window(seven: list[Message]) -> None:
    """A prediction that moves by a tenth of a second must not lose the round."""
    for engagement in engagements(seven, "fired"):
        impact = impact_of(SEVEN[engagement.track_id - 1], 20.0)
        path = resample(SITE, impact.path_enu_m, impact.t_ns, impact.impact_t_ns)
        last_fire_ns = int(shots_along(SITE, GUN, path, impact.t_ns).fire_t_ns[-1])
        assert last_fire_ns - engagement.fire_t_ns > 0.4 * S
