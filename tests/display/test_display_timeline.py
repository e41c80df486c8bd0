"""The log in memory: any moment can be shown, and shows what was known then and nothing else."""

import time
from itertools import pairwise

import display_raid as raid
import pytest

from opencram.display import timeline as timeline_module
from opencram.display.picture import Picture, standing
from opencram.display.rows import state_rows
from opencram.display.timeline import Timeline
from opencram.messages import Impact, Operator, Tick, Track


@pytest.fixture
def timeline() -> Timeline:
    made = Timeline()
    made.extend(raid.messages())
    return made


def test_every_moment_is_what_folding_from_the_start_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline_module, "SNAPSHOT_RECORDS", 37)  # many snapshots, at odd places
    timeline, plain = Timeline(), Timeline()
    timeline.extend(raid.messages())
    monkeypatch.setattr(timeline_module, "SNAPSHOT_RECORDS", 10**9)  # none
    plain.extend(raid.messages())
    for tenth in range(-5, 620, 7):
        t_ns = raid.t_ns(tenth / 10.0)
        assert timeline.at(t_ns) == plain.at(t_ns)


def test_playing_on_is_the_same_as_going_there(timeline: Timeline) -> None:
    picture = Picture()
    for tenth in range(0, 601, 3):
        timeline.advance(picture, raid.t_ns(tenth / 10.0))
        assert picture == timeline.at(raid.t_ns(tenth / 10.0))


def test_going_on_from_a_moment_is_the_same_as_going_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline_module, "SNAPSHOT_RECORDS", 37)
    timeline = Timeline()
    timeline.extend(raid.messages())
    near = timeline.at(raid.t_ns(0.0))
    for tenth in (3, 4, 90, 91, 92, 40, 41, 300, 600, 5):  # on by little, on by much, and back
        near = timeline.at(raid.t_ns(tenth / 10.0), near)
        assert near == timeline.at(raid.t_ns(tenth / 10.0))
    assert near is not timeline.latest


def test_nothing_is_known_before_it_was_said(timeline: Timeline) -> None:
    for number, (_, issued_s, _, end_s, _) in enumerate(raid.ALARMS, 1):
        before = timeline.at(raid.t_ns(issued_s - 0.1))
        assert number not in before.alarms
        during = timeline.at(raid.t_ns(issued_s))
        assert during.alarms[number].stands
        assert not timeline.at(raid.t_ns(end_s)).alarms[number].stands
    assert timeline.at(raid.t_ns(13.9)).decisions[1].action == "hold"
    assert timeline.at(raid.t_ns(14.0)).decisions[1].action == "engage"
    assert timeline.at(raid.t_ns(-1.0)) == Picture()


def test_alarms_stand_in_the_order_of_their_impacts(timeline: Timeline) -> None:
    alarms = standing(timeline.at(raid.t_ns(10.0)).alarms)
    assert [alarm.warning.zone for alarm in alarms] == ["z55", "z44", "z72"]
    assert alarms[0].impact_time_s_std == 0.4
    assert alarms[1].issued_t_ns == raid.t_ns(5.0)


def test_an_acknowledgement_is_for_its_zone_and_stays(timeline: Timeline) -> None:
    timeline.extend([])
    made = Timeline()
    for batch in raid.batches():
        made.extend(batch)
        if batch[-1].t_ns == raid.t_ns(10.0) or any(m.t_ns == raid.t_ns(10.0) for m in batch):
            made.append(Operator(t_ns=raid.t_ns(10.0), operator="a", action="acknowledge", zone="z44"))
    at = made.at(raid.t_ns(11.0)).alarms
    assert at[1].acknowledged_t_ns == raid.t_ns(10.0)
    assert at[3].acknowledged_t_ns is None
    assert made.at(raid.t_ns(9.9)).alarms[1].acknowledged_t_ns is None


def test_events_are_each_told_once_and_in_order(timeline: Timeline) -> None:
    seqs = [event.seq for event in timeline.events]
    assert seqs == sorted(set(seqs))
    cuts = [0, 10, 100, 101, 400, timeline.latest.seq]
    pieces = [event for low, high in pairwise(cuts) for event in timeline.events_between(low, high)]
    assert pieces == timeline.events
    assert timeline.events_before(timeline.latest.seq, 3) == timeline.events[-3:]


def test_ended_tracks_go_and_cleared_alarms_are_forgotten(timeline: Timeline) -> None:
    assert 1 in timeline.at(raid.t_ns(26.0)).tracks
    gone = timeline.at(raid.t_ns(33.0))
    assert 1 not in gone.tracks
    assert 1 not in gone.impacts
    assert 1 not in gone.trails
    timeline.append(Tick(t_ns=raid.t_ns(200.0)))
    assert timeline.latest.alarms == {}


def test_what_is_not_shown_is_not_kept(timeline: Timeline) -> None:
    kept = timeline.at(raid.t_ns(10.0))
    assert all(track.hypotheses == () for track in kept.tracks.values())
    assert all(impact.components == () for impact in kept.impacts.values())
    assert kept.sensors["north"].plots == 101


def test_hostile_messages_are_survived() -> None:
    nan = float("nan")
    made = Timeline()
    bad = raid.track(1, 5.0, 25.0)
    made.extend([])
    made.append(Tick(t_ns=raid.t_ns(5.0)))
    made.append(Tick(t_ns=raid.t_ns(1.0)))  # time going back
    made.append(Track(**{f: getattr(bad, f) for f in bad.__struct_fields__} | {"position_enu_m": (nan, nan, nan)}))
    far = raid.impact(1, 5.0, 25.0)
    made.append(Impact(**{f: getattr(far, f) for f in far.__struct_fields__} | {"covariance_enu_m2": (nan, nan, nan)}))
    made.append(raid.warning(1, 5.0, "updated"))  # an update of an alarm that was never issued
    made.append(raid.warning(1, 5.0, "updated"))
    assert made.end_ns == raid.t_ns(5.0)
    assert made.at(raid.t_ns(5.0)) == made.latest


def test_an_hour_is_wound_to_any_moment_within_a_tenth_of_a_second() -> None:
    made = Timeline()
    for second in range(3600):
        made.append(Tick(t_ns=raid.t_ns(second)))
        made.extend(raid.track(number, second, 4000.0) for number in range(1, 21))
    worst_s = 0.0
    for second in (0, 1, 999, 1801, 2700, 3599):
        began_s = time.process_time()
        assert len(state_rows(made.at(raid.t_ns(second)))) > 0
        worst_s = max(worst_s, time.process_time() - began_s)
    assert worst_s < 0.1


def test_a_live_run_keeps_no_more_than_it_may() -> None:
    """What is let go is the oldest; moments after it are as if all were there, and a screen behind it goes on."""
    whole, bounded = Timeline(), Timeline(4000)
    behind = bounded.at(0)
    for number in range(12_000):
        at_s = number / 100.0
        record = raid.track(number % 20 + 1, at_s, 200.0) if number % 10 else raid.warning(1, at_s, "updated")
        for timeline in (whole, bounded):
            timeline.append(record)
    assert len(bounded._records) <= 4000 + 1500
    assert len(bounded._known_ns) == len(bounded._records)
    assert 0 < bounded.begin_ns - whole.begin_ns < bounded.end_ns - whole.begin_ns
    assert bounded.events == whole.events[-len(bounded.events) :]
    for t_ns in (bounded.begin_ns, bounded.begin_ns + 7 * 10**9, bounded.end_ns):
        assert bounded.at(t_ns) == whole.at(t_ns)
    assert bounded.advance(behind, bounded.end_ns) == whole.latest
    late = bounded.at(bounded.begin_ns)
    assert bounded.advance(late, bounded.end_ns) is late
    assert late == whole.latest
