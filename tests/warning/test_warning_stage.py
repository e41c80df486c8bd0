"""The life of an alarm, told as stories: what is heard at which second, and what the zones are told."""

import copy
import itertools
import math

import pytest

from opencram import warning
from opencram.messages import Health, Operator, PlaceThreat, Rejected, Threat, Tick, Track
from opencram.warning.config import Zone

S = 1_000_000_000
T0 = 1_767_225_600 * S
CONFIG = warning.Config(zones=(Zone(id="a", people=100), Zone(id="b", people=100), Zone(id="c", shelter_time_s=40.0)))


def at(seconds):
    return T0 + round(seconds * S)


def threat(t_s, impact_s, track_id=1, time_std=0.1, std_m=0.0, **probabilities):
    places = tuple(
        PlaceThreat(kind="zone", place=zone, probability=p, distance_m=0.0, clearance_m=0.0, people=100)
        for zone, p in probabilities.items()
    )
    return Threat(
        t_ns=at(t_s),
        track_id=track_id,
        impact_t_ns=at(impact_s),
        impact_time_s_std=time_std,
        hazard_radius_m=50.0,
        places=places,
        expected_exposed=0.0,
        impact_m_std=std_m,
    )


def dropped(t_s, reason, track_id=1, status="dropped"):
    return Track(
        t_ns=at(t_s),
        track_id=track_id,
        status=status,
        position_enu_m=(0.0, 0.0, 0.0),
        velocity_enu_m_s=(0.0, 0.0, 0.0),
        position_m_std=1.0,
        classes=(("rocket", 1.0),),
        plots=40,
        first_t_ns=T0,
        updated_t_ns=at(t_s),
        reason=reason,
    )


def tick(t_s):
    return Tick(t_ns=at(t_s))


def ticks(start_s, stop_s, every_s=0.5):
    return [tick(start_s + k * every_s) for k in range(int((stop_s - start_s) / every_s) + 1)]


def play(messages, config=CONFIG):
    """Return all that is said when each message is a batch of its own."""
    state, said = warning.initial(config), []
    for message in messages:
        before = copy.deepcopy(state)
        after, out = warning.step(config, state, [message])
        assert state == before, "the state that was given has been changed"
        state = after
        said += out
    return said


def story(said, zone="a"):
    return [(round((w.t_ns - T0) / S, 3), w.state, w.advice) for w in said if w.zone == zone]


def test_exactly_four_names():
    assert warning.__all__ == ["Config", "State", "initial", "step"]


def test_a_round_that_hits_is_issued_then_kept_through_the_dwell_then_all_clear():
    said = play([threat(0, 18, a=0.4), *ticks(0.5, 17.5), dropped(18.2, "impact"), *ticks(19, 640)])
    assert story(said) == [(0, "issued", "shelter"), (18.2, "updated", "shelter"), (618.0, "all_clear", "none")]
    first = said[0]
    assert first.alarm_id == 1
    assert first.track_ids == (1,)
    assert first.probability == pytest.approx(0.4)
    assert first.seconds_left == pytest.approx(18.0)
    assert first.impact_t_ns == at(18)
    assert first.reason == "40 % that a round lands within 50 m; impact in 18 s; shelter takes 15 s"
    assert said[1].reason == (
        "round 1 fell: 40 % that round 1 landed near; stay under cover: all clear in 600 s unless more come"
    )
    assert said[1].expires_t_ns > at(618)
    assert said[-1].reason.startswith("600 s since the last impact")


def test_a_round_that_fell_joins_nothing_when_the_next_falls_too():
    first, second = (
        [threat(k, 18, track_id=1, a=0.9) for k in range(18)],
        [threat(k, 22, track_id=2, a=0.9) for k in range(22)],
    )
    heard = sorted([*first, *second, dropped(18.2, "impact", 1), dropped(22.2, "impact", 2)], key=lambda m: m.t_ns)
    said = play([*heard, *ticks(23, 640)])
    fell = [w for w in said if "fell" in w.reason]
    assert [w.track_ids for w in fell] == [(2,), (1, 2)]
    assert fell[1].reason.startswith("round 2 fell: 99 % that rounds 1, 2 landed near; stay under cover: all clear in")
    assert (fell[1].advice, fell[1].impact_t_ns, fell[1].seconds_left) == ("shelter", at(22), 0.0)


def test_a_round_that_goes_elsewhere_is_cancelled_after_the_hold_and_not_before():
    said = play([threat(0, 18, a=0.4), threat(1, 18, a=0.004), *ticks(1.1, 5, 0.1)])
    assert story(said) == [(0, "issued", "shelter"), (2.5, "cancelled", "none")]
    assert "below 1.2 %" in said[-1].reason or "below 1.3 %" in said[-1].reason


def test_between_the_thresholds_nothing_flaps():
    swings = [threat(k, 40 - 0 * k, a=0.06 if k % 2 else 0.02) for k in range(25, 38)]
    states = [state for _, state, _ in story(play(swings))]
    assert states[0] == "issued"
    assert set(states[1:]) <= {"updated"}


def test_waiting_while_it_is_free_and_not_longer():
    patient = [threat(k * 0.5, 40, a=0.3, c=0.3) for k in range(60)]
    said = play(patient)
    issued_s, state, advice = story(said, "a")[0]
    assert (state, advice) == ("issued", "shelter")
    assert 16.0 <= 40.0 - issued_s <= 22.0  # 15 s to shelter, 1 s until it is heard
    assert story(said, "c")[0][0] < issued_s - 5.0  # 40 s to shelter: little time to wait
    sure = play([threat(0, 40, a=0.99)])
    assert story(sure) == [(0, "issued", "shelter")]


def test_nobody_waits_when_ten_seconds_are_left_to_those_who_hear_it():
    vague = [threat(0.5 * k, 40, a=0.051, std_m=5000.0) for k in range(80)]
    assert 40.0 - story(play(vague))[0][0] >= 11.0
    slow = warning.Config(zones=(Zone(id="a", latency_s=8.0, shelter_time_s=1.0),))
    assert 40.0 - story(play(vague, slow))[0][0] >= 18.0


def test_a_slow_channel_is_used_earlier_by_about_its_latency():
    def left_s(latency_s):
        config = warning.Config(zones=(Zone(id="a", latency_s=latency_s),))
        return 60.0 - story(play([threat(k * 0.25, 60, a=0.3) for k in range(220)], config))[0][0]

    assert left_s(10.0) - left_s(0.0) == pytest.approx(10.0, abs=1.0)


def test_drop_for_those_who_are_warned_too_late_and_shelter_once_it_is_over():
    said = play([threat(0, 8, a=0.4), *ticks(0.5, 7.5), dropped(8, "impact"), *ticks(9, 20)])
    assert story(said) == [(0, "issued", "drop"), (8, "updated", "shelter")]


def test_who_can_still_get_inside_is_not_stopped_and_who_cannot_lies_down():
    steady = play([threat(0, 18, a=0.4), *ticks(0.5, 17.9, 0.1)])
    assert story(steady) == [(0, "issued", "shelter")]
    sooner = play([threat(0, 18, a=0.4), threat(2, 11, a=0.4), *ticks(2.1, 10.9, 0.1)])
    assert story(sooner) == [(0, "issued", "shelter"), (2, "updated", "shelter"), (6.1, "updated", "drop")]
    assert "7.0 s earlier" in sooner[1].reason


def test_rounds_are_combined_and_named():
    said = play([threat(0, 11, 1, a=0.03), threat(0, 10, 2, a=0.03)])
    assert said[0].probability == pytest.approx(1 - 0.97**2)
    assert said[0].track_ids == (1, 2)
    assert said[0].impact_t_ns == at(10)
    assert "one of 2 rounds" in said[0].reason


def test_updates_are_at_least_a_second_apart_unless_urgent():
    rising = [threat(0.1 * k, 12, 1, a=min(0.06 + 0.001 * k, 0.1)) for k in range(40)]
    slips = [threat(4 + 0.1 * k, 12 + 2.1 * k, 1, a=0.1) for k in range(20)]
    quick = warning.Config(zones=(Zone(id="a", shelter_time_s=5.0),))  # the advice stays the same
    said = play([*rising, *slips], quick)
    gaps = [(b.t_ns - a.t_ns) / S for a, b in itertools.pairwise(said)]
    assert len(said) > 2
    assert all(gap >= 0.999 for gap in gaps)
    urgent = [threat(0, 30, a=0.99), threat(0.2, 25, a=0.99)]
    assert [state for _, state, _ in story(play(urgent))] == ["issued", "updated"]


def test_a_lost_round_flies_on_and_its_zone_is_cleared_after_the_dwell_only():
    said = play([threat(0, 18, a=0.4), dropped(5, "lost"), *ticks(5.5, 640)])
    assert [state for _, state, _ in story(said)] == ["issued", "updated", "all_clear"]
    assert story(said)[-1][0] == 618.0


@pytest.mark.parametrize(("reason", "end_s"), [("duplicate", 3.5), ("never_confirmed", 3.5), ("intercepted", 22.0)])
def test_a_round_that_is_none_any_more_is_cancelled(reason, end_s):
    said = play([threat(0, 18, a=0.4), dropped(2, reason), threat(3, 18, a=0.9), *ticks(3.1, 60, 0.1)])
    assert story(said) == [(0, "issued", "shelter"), (end_s, "cancelled", "none")]


def test_a_round_never_heard_of_again_has_fallen_when_it_is_overdue():
    said = play([threat(0, 18, a=0.4), *ticks(1, 640)])
    assert story(said)[-1] == (618.0, "all_clear", "none")


def test_no_all_clear_while_another_round_is_on_its_way():
    messages = [threat(0, 18, 1, a=0.4), dropped(18, "impact", 1)]
    messages += [threat(600 + k, 640, 2, a=0.4) for k in range(39)]
    messages += [dropped(640, "impact", 2), *ticks(641, 1260)]
    assert story(play(messages))[-1] == (1240.0, "all_clear", "none")


def test_a_fall_that_nobody_was_warned_of_is_told():
    config, state = CONFIG, warning.initial(CONFIG)
    _, said = warning.step(config, state, [threat(0, 0.2, a=0.9), dropped(0, "impact")])
    assert story(said) == [(0, "issued", "shelter")]
    assert said[0].expires_t_ns > at(600)


def test_degraded_sensors_widen_the_alarm_and_the_reason_says_so():
    lost = Health(t_ns=at(0), part="sensor:north", state="lost", reason="silent")
    quiet, wide = play([threat(1, 12, a=0.03)]), play([lost, threat(1, 12, a=0.03)])
    assert story(quiet) == []
    assert story(wide) == [(1, "issued", "drop")]
    assert wide[0].reason.endswith("; thresholds times 0.5: sensor:north lost")
    well = Health(t_ns=at(0.5), part="sensor:north", state="ok", reason="back")
    other = Health(t_ns=at(0.5), part="display", state="lost", reason="unplugged")
    assert play([lost, well, other, threat(1, 12, a=0.03)]) == []


def test_what_one_says_of_a_sensor_hides_nothing_that_another_does():
    """Feed, radar and tracker each judge it; before they had names of their own, one's "ok" took back the other's."""
    said = [
        Health(t_ns=at(0), part="sensor:north/errors", state="degraded", reason="errs more than it states"),
        Health(t_ns=at(0), part="sensor:north/flood", state="degraded", reason="a flood"),
        Health(t_ns=at(0.5), part="sensor:north", state="ok", reason="plots come as they should"),
        Health(t_ns=at(0.5), part="sensor:north/flood", state="ok", reason="the flood is over"),
    ]
    [wide] = play([*said, threat(1, 12, a=0.03)])
    assert wide.reason.endswith("; thresholds times 0.5: sensor:north/errors degraded")
    well = Health(t_ns=at(0.6), part="sensor:north/errors", state="ok", reason="errs as it states again")
    assert play([*said, well, threat(1, 12, a=0.03)]) == []


def test_warnings_stand_in_the_order_of_the_zones():
    said = play([threat(0, 15, c=0.9, b=0.8, a=0.7)])
    assert [w.zone for w in said] == ["a", "b", "c"]
    assert [w.alarm_id for w in said] == [1, 2, 3]


def test_a_zone_may_have_a_threshold_of_its_own():
    config = warning.Config(zones=(Zone(id="a", probability=0.2), Zone(id="b", probability=0.01)))
    assert [w.zone for w in play([threat(0, 11, a=0.1, b=0.02)], config)] == ["b"]


def test_operators_cannot_change_the_life_of_an_alarm():
    acknowledge = Operator(t_ns=at(1), operator="op", action="acknowledge", zone="a")
    start = [threat(0, 18, a=0.4)]
    assert play([*start, acknowledge, *ticks(2, 30)]) == play([*start, *ticks(2, 30)])


def test_an_old_threat_and_one_of_an_ended_track_are_not_believed():
    said = play([threat(5, 20, a=0.0), threat(4, 20, a=0.9), threat(5, 20, 2, b=0.9), dropped(6, "duplicate", 2)])
    assert story(said, "b") == [(5, "issued", "shelter")]
    assert story(play([threat(5, 20, a=0.02), threat(4, 20, a=0.9)])) == []


def test_a_nan_keeps_the_last_probability():
    said = play([threat(0, 18, a=0.4), threat(1, 18, a=math.nan), *ticks(1.5, 10)])
    assert story(said) == [(0, "issued", "shelter")]


def test_the_limit_of_rounds_leaves_out_the_least_dangerous_and_says_so():
    config = warning.Config(zones=CONFIG.zones, rounds_max=2)
    said = play([threat(0, 40, 1, a=0.02), threat(0, 15, 2, a=0.3), threat(0, 15, 3, b=0.3)], config)
    assert [m.code for m in said if isinstance(m, Rejected)] == ["limit"]
    assert "round 1" in said[1].reason
    assert [w.zone for w in said if not isinstance(w, Rejected)] == ["a", "b"]


def test_an_empty_batch_changes_nothing():
    state = warning.initial(CONFIG)
    assert warning.step(CONFIG, state, []) == (state, [])
