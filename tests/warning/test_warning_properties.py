"""What people may rely on, held to an account of its own of what is in the air: random raids in small steps."""

import itertools
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from opencram import warning
from opencram.messages import PlaceThreat, Threat, Tick, Track, Warning
from opencram.warning.config import District, Zone

S = 1_000_000_000
T0 = 1_767_225_600 * S
ZONES = ("a", "b", "c")
CONFIG = warning.Config(
    zones=(Zone(id="a", parent="d"), Zone(id="b", shelter_time_s=5.0, parent="d"), Zone(id="c", probability=0.2)),
    districts=(District(id="d"),),
    dwell_s=3.0,
)
THRESHOLDS = {"a": 0.05, "b": 0.05, "c": 0.2}
ENDS = ("cancelled", "all_clear", "expired")


def threat(t_ns, track_id, impact_t_ns, chances, std_s=0.1):
    places = tuple(
        PlaceThreat(kind="zone", place=zone, probability=p, distance_m=0.0, clearance_m=0.0, people=100)
        for zone, p in zip(ZONES, chances, strict=True)
    )
    return Threat(
        t_ns=t_ns,
        track_id=track_id,
        impact_t_ns=impact_t_ns,
        impact_time_s_std=std_s,
        hazard_radius_m=50.0,
        places=places,
        expected_exposed=0.0,
    )


def end(t_ns, track_id, reason):
    return Track(
        t_ns=t_ns,
        track_id=track_id,
        status="dropped",
        position_enu_m=(0.0, 0.0, 0.0),
        velocity_enu_m_s=(0.0, 0.0, 0.0),
        position_m_std=1.0,
        classes=(),
        plots=3,
        first_t_ns=T0,
        updated_t_ns=t_ns,
        reason=reason,
    )


class Air:
    """Which rounds fly, by the plain rules: from a threat to its end, or until it is overdue if it was lost."""

    def __init__(self):
        self.rounds: dict[int, Threat] = {}
        self.over: set[int] = set()

    def hear(self, message):
        if isinstance(message, Threat) and message.track_id not in self.over:
            self.rounds[message.track_id] = message
        if isinstance(message, Track):
            if message.reason in ("lost", ""):
                self.over.add(message.track_id)  # nothing new is believed of it, and it flies on
            elif self.rounds.pop(message.track_id, None):
                self.over.add(message.track_id)
        late_ns = round(CONFIG.overdue_s * S)
        for track_id, flown in list(self.rounds.items()):
            if message.t_ns > flown.impact_t_ns + round(2e9 * flown.impact_time_s_std) + late_ns:
                del self.rounds[track_id]
                self.over.add(track_id)

    def chance(self, zone):
        miss = 1.0
        for flown in self.rounds.values():
            p = next(place.probability for place in flown.places if place.place == zone)
            miss *= 1.0 - (p if p >= CONFIG.share_min else 0.0)
        return 1.0 - miss


CHANCE = st.sampled_from([0.0, 0.004, 0.011, 0.02, 0.04, 0.06, 0.3, 0.9])
EVENT = st.one_of(
    st.tuples(st.just("threat"), st.integers(1, 5), st.floats(0.5, 14.0), st.tuples(CHANCE, CHANCE, CHANCE)),
    st.tuples(st.just("end"), st.integers(1, 5), st.sampled_from(["impact", "lost", "intercepted", "duplicate"])),
    st.tuples(st.just("wait"), st.integers(1, 60)),
    st.tuples(st.just("leap"), st.sampled_from([30.0, 200.0])),
)


def messages_of(events):
    """Return the messages of a raid, a tenth of a second apart."""
    t_ns = T0
    for event in events:
        t_ns += S // 10
        if event[0] == "threat":
            _, track_id, left_s, chances = event
            yield threat(t_ns, track_id, t_ns + round(left_s * S), chances)
        elif event[0] == "end":
            yield end(t_ns, event[1], event[2])
        elif event[0] == "leap":
            t_ns += round(event[1] * S)
            yield Tick(t_ns=t_ns)
        else:
            for _ in range(event[1]):
                t_ns += S // 10
                yield Tick(t_ns=t_ns)


def told(events):
    """Yield each batch's time, the account after it, and what was said in it."""
    yield from played(messages_of(events))


def played(messages):
    state, air = warning.initial(CONFIG), Air()
    for message in messages:
        state, said = warning.step(CONFIG, state, [message])
        air.hear(message)
        yield message.t_ns, air, [each for each in said if isinstance(each, Warning)]


RAIDS = st.lists(EVENT, min_size=1, max_size=25)


@settings(max_examples=150, deadline=None)
@given(RAIDS)
def test_nobody_is_told_that_it_is_over_while_a_round_is_in_the_air_for_the_zone(events):
    for _, air, said in told(events):
        for each in said:
            if each.zone in ZONES and each.state in ("all_clear", "cancelled"):
                assert air.chance(each.zone) < 0.25 * THRESHOLDS[each.zone] + 1e-12


ROUND = st.tuples(
    st.floats(0.0, 12.0),
    st.floats(2.0, 10.0),
    st.tuples(CHANCE, CHANCE, CHANCE),
    st.sampled_from(["impact", "impact", "impact", "lost", "intercepted"]),
)


def salvo(rounds):
    """Return the messages of rounds that are predicted twice a second until they end, with ticks between."""
    timed = [(0.1 * k, 99, Tick(t_ns=T0 + k * S // 10)) for k in range(320)]
    for track_id, (start_s, flight_s, chances, reason) in enumerate(rounds, start=1):
        impact_s = start_s + flight_s
        for k in range(int(2.0 * flight_s) + 1):
            at_s = start_s + 0.5 * k
            timed.append((at_s, track_id, threat(T0 + round(at_s * S), track_id, T0 + round(impact_s * S), chances)))
        timed.append((impact_s, track_id, end(T0 + round(impact_s * S), track_id, reason)))
    return [message for _, _, message in sorted(timed, key=lambda each: each[:2])]


@settings(max_examples=60, deadline=None)
@given(st.lists(ROUND, min_size=1, max_size=5))
def test_of_rounds_that_follow_each_other_the_last_one_is_waited_for(rounds):
    for _, air, said in played(salvo(rounds)):
        for each in said:
            if each.zone in ZONES and each.state in ("all_clear", "cancelled"):
                assert air.chance(each.zone) < 0.25 * THRESHOLDS[each.zone] + 1e-12


@settings(max_examples=150, deadline=None)
@given(RAIDS)
def test_every_alarm_has_an_expiry_that_moves_with_it_and_one_end(events):
    live: dict[str, Warning] = {}
    ended: set[int] = set()
    for t_ns, _, said in told(events):
        for each in said:
            assert each.alarm_id not in ended
            assert each.expires_t_ns > t_ns
            assert (each.state == "issued") == (each.zone not in live)
            if each.state == "expired":
                assert t_ns >= live[each.zone].expires_t_ns
            if each.state in ENDS:
                ended.add(live.pop(each.zone).alarm_id)
            else:
                live[each.zone] = each
        assert all(each.expires_t_ns > t_ns for each in live.values())


@settings(max_examples=150, deadline=None)
@given(RAIDS)
def test_whoever_leaves_an_alarm_is_named_round_or_zone(events):
    last: dict[str, Warning] = {}
    for _, _, said in told(events):
        over = {each.zone for each in said if each.state in ENDS}
        for each in said:
            before = last.get(each.zone)
            if each.state == "updated" and before is not None:
                if each.zones:
                    assert set(before.zones) - set(each.zones) <= over
                    assert (each.change == "shrunk") == (set(before.zones) > set(each.zones))
                for track_id in set(before.track_ids) - set(each.track_ids) if not each.zones else ():
                    assert re.search(rf"\b{track_id}\b[^:]* (left|fell)", each.reason), each.reason
            last[each.zone] = each


@settings(max_examples=150, deadline=None)
@given(RAIDS)
def test_updates_are_a_second_apart_unless_it_became_more_urgent(events):
    last: dict[str, Warning] = {}
    for _, _, said in told(events):
        for each in said:
            before = last.get(each.zone)
            if each.zone in ZONES and each.state == "updated" and before is not None:
                more = each.advice != before.advice or each.probability > before.probability
                sooner = each.impact_t_ns < before.impact_t_ns
                assert more or sooner or each.t_ns - before.t_ns >= CONFIG.update_interval_s * S
            last[each.zone] = each


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(0.26, 0.99), st.floats(0.1, 1.4)), min_size=2, max_size=30))
def test_between_the_two_thresholds_an_alarm_neither_ends_nor_begins_again(swings):
    """However the probability swings there, and below both for less than the hold."""
    state, said, t_ns = warning.initial(CONFIG), [], T0
    impact_ns = T0 + 200 * S
    for k, (share, below_s) in enumerate([(1.2, 0.1), *swings]):
        for p, later_s in ((share * 0.05, 0.3), (0.0 if k else 0.06, below_s)):
            t_ns += round(later_s * S)
            flying = threat(t_ns, 1, min(impact_ns, t_ns + 9 * S), (p, 0.0, 0.0))
            state, out = warning.step(CONFIG, state, [flying])
            said += [each for each in out if each.zone == "a"]
    assert [each.state for each in said].count("issued") == 1
    assert not [each for each in said if each.state in ENDS]


@settings(max_examples=100, deadline=None)
@given(RAIDS)
def test_a_zone_is_never_warned_twice_within_the_hold(events):
    ends: dict[str, int] = {}
    begins: dict[str, list[int]] = {zone: [] for zone in ZONES}
    for _, _, said in told(events):
        for each in said:
            if each.zone in ZONES and each.state == "issued":
                begins[each.zone].append(each.t_ns)
            if each.state in ENDS:
                ends[each.zone] = each.t_ns
    for times in begins.values():
        assert all(b - a >= CONFIG.cancel_hold_s * S for a, b in itertools.pairwise(times))


def test_a_round_believed_killed_that_is_seen_again_brings_the_alarm_back():
    """An interception ends the alarm after the debris; the same round under a new number is a new alarm."""
    state, said = warning.initial(CONFIG), []
    for message in (
        threat(T0, 1, T0 + 11 * S, (0.9, 0.0, 0.0)),
        end(T0 + 2 * S, 1, "intercepted"),
        threat(T0 + 3 * S, 1, T0 + 11 * S, (0.9, 0.0, 0.0)),  # of the old number nothing is believed
        threat(T0 + 4 * S, 2, T0 + 11 * S, (0.9, 0.0, 0.0)),
    ):
        state, out = warning.step(CONFIG, state, [message])
        said += [each for each in out if each.zone == "a"]
    assert [each.state for each in said] == ["issued", "updated"]
    assert "round 2 joined" in said[-1].reason
    assert said[-1].track_ids == (2,)
    for k in range(400):
        state, out = warning.step(CONFIG, state, [Tick(t_ns=T0 + (5 + k // 10) * S + (k % 10) * S // 10)])
        said += [each for each in out if each.zone == "a"]
    assert said[-1].state == "all_clear"
    assert 14.0 <= (said[-1].t_ns - T0) / S <= 16.0  # the dwell after the impact, once it is overdue and settled


def test_an_expired_alarm_is_followed_by_a_new_one_if_the_danger_is_still_there():
    state, said = warning.initial(CONFIG), []
    flights = (threat(T0, 1, T0 + 11 * S, (0.9, 0.0, 0.0)), threat(T0 + 900 * S, 2, T0 + 911 * S, (0.9, 0.0, 0.0)))
    for message in flights:
        state, out = warning.step(CONFIG, state, [message])
        said += [(each.state, each.alarm_id) for each in out if each.zone == "a"]
    states = [state for state, _ in said]
    assert states[:2] == ["issued", "expired"]
    state, out = warning.step(CONFIG, state, [threat(T0 + 901 * S, 2, T0 + 911 * S, (0.9, 0.0, 0.0))])
    said += [(each.state, each.alarm_id) for each in out if each.zone == "a"]
    assert said[-1][0] == "issued"
    assert said[-1][1] != said[0][1]
