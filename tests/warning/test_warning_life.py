"""What holds for every alarm, whatever is heard: random histories, and messages full of rubbish."""

import copy
import math
from dataclasses import replace

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from opencram import warning
from opencram.messages import Health, Message, Operator, PlaceThreat, Rejected, Threat, Tick, Track, Warning
from opencram.warning.config import Zone

S = 1_000_000_000
T0 = 1_767_225_600 * S
ZONES = ("a", "b", "c")
CONFIG = warning.Config(
    zones=(Zone(id="a"), Zone(id="b", shelter_time_s=5.0), Zone(id="c", shelter_time_s=60.0, probability=0.2)),
    dwell_s=30.0,
    rounds_max=6,
)
THRESHOLDS = {"a": 0.05, "b": 0.05, "c": 0.2}


def threat(t_ns, track_id, impact_t_ns, time_std, probabilities, radius_m=50.0):
    places = tuple(
        PlaceThreat(kind="zone", place=zone, probability=p, distance_m=0.0, clearance_m=0.0, people=100)
        for zone, p in zip(ZONES, probabilities, strict=True)
    )
    return Threat(
        t_ns=t_ns,
        track_id=track_id,
        impact_t_ns=impact_t_ns,
        impact_time_s_std=time_std,
        hazard_radius_m=radius_m,
        places=places,
        expected_exposed=0.0,
    )


def track(t_ns, track_id, status, reason):
    return Track(
        t_ns=t_ns,
        track_id=track_id,
        status=status,
        position_enu_m=(0.0, 0.0, 0.0),
        velocity_enu_m_s=(0.0, 0.0, 0.0),
        position_m_std=1.0,
        classes=(),
        plots=3,
        first_t_ns=T0,
        updated_t_ns=t_ns,
        reason=reason,
    )


REASONS = st.sampled_from(["impact", "lost", "never_confirmed", "duplicate", "intercepted", "limit", ""])
CHANCE = st.sampled_from([0.0, 0.004, 0.013, 0.03, 0.06, 0.3, 0.7, 1.0])


class Life(RuleBasedStateMachine):
    """Plays against the stage and keeps its own account of what was said."""

    @initialize()
    def start(self):
        self.state = warning.initial(CONFIG)
        self.now = T0
        self.live: dict[str, Warning] = {}
        self.issued: list[int] = []
        self.flying: dict[int, Threat] = {}

    def hear(self, *batch):
        given_state, given_batch = copy.deepcopy(self.state), copy.deepcopy(batch)
        after, said = warning.step(CONFIG, self.state, batch)
        again, said_again = warning.step(CONFIG, self.state, batch)
        assert (after, said) == (again, said_again)
        assert self.state == given_state
        assert batch == given_batch
        # Zones that nobody speaks of sleep until their time comes: had all been judged, nothing else would be said.
        all_judged, said_of_all = warning.step(CONFIG, replace(self.state, wakes=None), batch)
        assert (all_judged.alarms, said_of_all) == (after.alarms, said)
        self.state = after
        for one in said:
            if isinstance(one, Warning):
                self.account(one)

    def account(self, one):
        assert one.expires_t_ns > one.t_ns
        assert one.reason
        assert 0.0 <= one.probability <= 1.0
        assert one.seconds_left >= 0.0
        assert one.t_ns == self.now
        if one.state == "issued":
            assert one.zone not in self.live, "issued twice without an end between"
            assert one.alarm_id not in self.issued
            self.issued.append(one.alarm_id)
            assert one.track_ids
        else:
            assert one.zone in self.live, f"{one.state} without a live alarm"
            assert one.alarm_id == self.live[one.zone].alarm_id
        if one.state in ("issued", "updated"):
            assert one.advice in ("shelter", "drop")
            self.live[one.zone] = one
        else:
            assert one.advice == "none"
            if one.state == "all_clear":
                self.no_round_on_its_way(one.zone)
            del self.live[one.zone]

    def no_round_on_its_way(self, zone):
        for each in self.flying.values():
            chances = {place.place: place.probability for place in each.places}
            assert chances[zone] < THRESHOLDS[zone] or each.track_id not in self.state.rounds

    @rule(track_id=st.integers(1, 8), left=st.floats(-2, 60), std=st.floats(0, 2), p=st.tuples(CHANCE, CHANCE, CHANCE))
    def threaten(self, track_id, left, std, p):
        one = threat(self.now, track_id, self.now + round(left * S), std, p)
        self.flying[track_id] = one
        self.hear(one)

    @rule(track_id=st.integers(1, 8), reason=REASONS)
    def end(self, track_id, reason):
        if reason not in ("lost", "limit", ""):
            self.flying.pop(track_id, None)
        self.hear(track(self.now, track_id, "dropped", reason))

    @rule(seconds=st.sampled_from([0.1, 0.4, 1.0, 1.6, 5.0, 40.0, 3000.0]))
    def pass_time(self, seconds):
        self.now += round(seconds * S)
        self.hear(Tick(t_ns=self.now))

    @rule(state=st.sampled_from(["ok", "degraded", "lost"]))
    def sensor(self, state):
        self.hear(Health(t_ns=self.now, part="sensor:x", state=state, reason="test"))

    @rule()
    def operate(self):
        self.hear(Operator(t_ns=self.now, operator="op", action="acknowledge", zone="a"))

    @invariant()
    def live_alarms_are_those_told_and_have_not_expired(self):
        if hasattr(self, "state"):
            assert {CONFIG.zones[number].id for number in self.state.alarms} == set(self.live)
            assert all(one.expires_t_ns > self.now for one in self.live.values())
            assert len(self.state.rounds) <= CONFIG.rounds_max

    def teardown(self):
        """If time goes on long enough every alarm ends, each with one end (`account` sees to that)."""
        if not hasattr(self, "state"):
            return
        self.flying.clear()
        for _ in range(12):
            self.now += 60 * S
            self.hear(Tick(t_ns=self.now))
        assert self.live == {}
        assert self.state.rounds == {}


Life.TestCase.settings = settings(max_examples=120, stateful_step_count=30, deadline=None)
TestLife = Life.TestCase


number = st.floats(allow_nan=True, allow_infinity=True)
when = st.integers(-(2**63), 2**63 - 1) | st.integers(T0 - 5 * S, T0 + 100 * S)
threats = st.builds(threat, when, st.integers(-1, 5), when, number, st.tuples(number, number, number), number)
ends = st.builds(track, when, st.integers(-1, 5), st.sampled_from(["confirmed", "dropped"]), REASONS)
rubbish = st.one_of(
    threats,
    ends,
    st.builds(lambda t: Tick(t_ns=t), when),
    st.builds(lambda t, s: Health(t_ns=t, part=s, state="lost", reason=""), when, st.text(max_size=9)),
    st.builds(lambda t: Rejected(t_ns=t, reason="", code=""), when),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(rubbish, max_size=5), max_size=6))
def test_rubbish_never_raises_and_what_is_said_can_be_written(batches: list[list[Message]]):
    state = warning.initial(CONFIG)
    for batch in batches:
        before = copy.deepcopy(state)
        after, said = warning.step(CONFIG, state, batch)
        assert state == before
        state = after
        for one in said:
            if isinstance(one, Warning):
                assert one.expires_t_ns > one.t_ns
                assert math.isfinite(one.probability)
                assert math.isfinite(one.seconds_left)
            msgspec.json.encode(one.reason)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 20), CHANCE), min_size=1, max_size=8))
def test_a_batch_and_its_messages_one_by_one_say_the_same(points):
    """As long as no two of them have one time: messages of one time are heard together."""
    times = sorted({T0 + round(t * S): p for t, p in points}.items())
    messages = [threat(t, 1, T0 + 25 * S, 0.1, (p, 0.0, 0.0)) for t, p in times]
    whole_state, whole = warning.step(CONFIG, warning.initial(CONFIG), messages)
    state, said = warning.initial(CONFIG), []
    for message in messages:
        state, out = warning.step(CONFIG, state, [message])
        said += out
    assert said == whole
    assert state == whole_state
