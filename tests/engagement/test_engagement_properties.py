"""What holds whatever comes in: constraints of channels and magazines, verdicts, and survival of bad data."""

import math
import pickle
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import pytest
from engagement_raids import GUN, SITE, T0, S, Shell, impact_of, raid, threat_of, track_of
from hypothesis import given, settings
from hypothesis import strategies as st

from opencram.engagement import Config, initial, step
from opencram.engagement.effector import Model
from opencram.engagement.plan import Job, plan
from opencram.engagement.windows import resample, shots_along
from opencram.engagement.words import clock, percent, percent_at_least
from opencram.messages import Decision, Engagement, Message, Operator, Threat, Tick

INTERCEPTOR = replace(GUN, id="missile-1", kind="interceptor", range_m_min=500.0, range_m_max=6000.0, magazine_rounds=3)

shells = st.lists(
    st.builds(
        Shell,
        track_id=st.integers(1, 12),
        impact_enu_m=st.tuples(st.floats(-900.0, 900.0), st.floats(-900.0, 900.0)),
        impact_s=st.floats(20.0, 34.0),
        seen_s=st.floats(2.0, 12.0),
        killed_s=st.one_of(st.just(math.inf), st.floats(15.0, 30.0)),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda shell: shell.track_id,
)
configs = st.builds(
    lambda effectors, rounds, closed, mode, protect: replace(
        SITE,
        effectors=tuple(replace(e, magazine_rounds=rounds if e.kind == "gun" else 3) for e in effectors),
        closed_loop=closed,
        mode=mode,
        protect=protect,
    ),
    st.sampled_from([(), (GUN,), (INTERCEPTOR,), (GUN, INTERCEPTOR), (GUN, replace(GUN, id="gun-2"))]),
    st.sampled_from([100, 130, 400, 1500]),
    st.booleans(),
    st.sampled_from(["automatic", "automatic", "veto", "consent", "hold"]),
    st.sampled_from(["site", "people"]),
)


@settings(max_examples=40, deadline=None)
@given(config=configs, fired_at=shells)
def test_every_raid_obeys_the_constraints(config: Config, fired_at: list[Shell]) -> None:
    state, made = initial(config), list[Message]()
    worst: dict[int, float] = {}
    for batch in raid(fired_at, end_s=40.0):
        for message in batch:
            if isinstance(message, Threat):
                worst[message.track_id] = max(worst.get(message.track_id, 0.0), message.places[0].probability)
        state, out = step(config, state, batch)
        made += out
        assert all(0 <= left <= e.magazine_rounds for left, e in zip(state.magazines, config.effectors, strict=True))
        seats = [(e.effector, e.channel) for e in state.engaging if not e.fired or e.done_t_ns > (state.now_t_ns or 0)]
        assert len(seats) == len(set(seats)), "a channel serves one round at a time"
        tracks = [e.track_id for e in state.engaging]
        assert len(tracks) == len(set(tracks)), "a round is met by one shot at a time"
    assert not state.rounds
    assert not state.engaging
    engagements = [message for message in made if isinstance(message, Engagement)]
    _lives(engagements, closed_loop=config.closed_loop)
    _channels(config, engagements)
    for shell in fired_at:
        decisions = [m for m in made if isinstance(m, Decision) and m.track_id == shell.track_id]
        assert decisions
        assert all(decision.reason and "nan" not in decision.reason for decision in decisions)
        if config.protect == "site" and worst.get(shell.track_id, 0.0) < config.engage_probability:
            assert all(decision.action != "engage" for decision in decisions)
            assert all(engagement.track_id != shell.track_id for engagement in engagements)
    if config.mode in ("hold", "consent"):
        assert not engagements


def _lives(engagements: Sequence[Engagement], *, closed_loop: bool) -> None:
    """Each engagement goes through its states in order; ids rise from 1."""
    lives: dict[int, list[str]] = {}
    for engagement in engagements:
        lives.setdefault(engagement.engagement_id, []).append(engagement.state)
    assert list(lives) == list(range(1, len(lives) + 1))
    ends = (["killed"], ["missed"]) if closed_loop else ([],)
    assert all(
        life in [["committed", "aborted"], *(["committed", "fired", *end] for end in ends)] for life in lives.values()
    )


def _channels(config: Config, engagements: Sequence[Engagement]) -> None:
    """No more shots overlap at an effector than it has channels, from turning to the middle of the intercept."""
    for effector in config.effectors:
        fired = [e for e in engagements if e.effector == effector.id and e.state == "fired"]
        spans = [(e.fire_t_ns - round(effector.behaviour.reaction_s * S), e.intercept_t_ns) for e in fired]
        for start, _ in spans:
            assert sum(low <= start < high for low, high in spans) <= effector.behaviour.channels
        assert sum(e.rounds for e in fired) <= effector.magazine_rounds


numbers = st.floats(allow_nan=True, allow_infinity=True)
times = st.one_of(st.integers(T0, T0 + 40 * S), st.integers(-(1 << 63), 1 << 64))
shell_any = st.builds(
    Shell,
    track_id=st.integers(0, 4),
    impact_enu_m=st.tuples(st.floats(-900.0, 900.0), st.floats(-900.0, 900.0)),
    impact_s=st.just(30.0),
)
bad_messages = st.one_of(
    st.builds(lambda t: Tick(t_ns=t), times),
    st.builds(
        lambda s, t, status, p, u, n: msgspec.structs.replace(
            track_of(s, 10.0, status), t_ns=t, classes=(("rocket", p),), updated_t_ns=u, plots=n
        ),
        shell_any,
        times,
        st.sampled_from(["tentative", "confirmed", "coasting", "dropped"]),
        st.one_of(st.just(0.9), numbers),
        times,
        st.integers(0, 500),
    ),
    st.builds(
        lambda s, t, i, path, cov: msgspec.structs.replace(
            impact_of(s, 10.0), t_ns=t, impact_t_ns=i, path_enu_m=path, covariance_enu_m2=cov
        ),
        shell_any,
        times,
        times,
        st.lists(st.tuples(numbers, numbers, numbers), max_size=4).map(tuple),
        st.tuples(numbers, numbers, numbers),
    ),
    st.builds(
        lambda s, t, i, p, d, x: msgspec.structs.replace(
            threat_of(s, 10.0),
            t_ns=t,
            impact_t_ns=i,
            expected_exposed=x,
            places=tuple(
                msgspec.structs.replace(place, probability=p, distance_m=d) for place in threat_of(s, 10.0).places
            ),
        ),
        shell_any,
        times,
        times,
        st.one_of(st.just(0.99), numbers),
        numbers,
        numbers,
    ),
    st.builds(
        lambda t, a, i: Operator(t_ns=t, operator="ada", action=a, track_id=i),
        times,
        st.sampled_from(["consent", "veto", "hold", "release", "acknowledge"]),
        st.integers(-1, 5),
    ),
    st.builds(track_of, shell_any, st.floats(8.0, 30.0)),
    st.builds(impact_of, shell_any, st.floats(8.0, 29.0)),
    st.builds(threat_of, shell_any, st.floats(8.0, 30.0)),
)


@settings(max_examples=150, deadline=None)
@given(config=configs, batches=st.lists(st.lists(bad_messages, max_size=6), max_size=8))
def test_no_message_breaks_the_stage_or_changes_what_it_was_given(config: Config, batches: list[list[Message]]) -> None:
    state = initial(config)
    for batch in batches:
        before = pickle.dumps(state)
        after, made = step(config, state, batch)
        assert pickle.dumps(state) == before
        assert step(config, state, batch)[1] == made
        for message in made:
            if isinstance(message, Decision):
                assert 0.0 <= message.probability <= 1.0
            if isinstance(message, Engagement):
                assert 0.0 <= message.kill_probability <= 1.0
                assert all(math.isfinite(x) for x in message.intercept_enu_m)
        state = after


def test_an_empty_batch_and_foreign_messages_change_nothing() -> None:
    state = initial(SITE)
    assert step(SITE, state, []) == (state, [])
    engagement = Engagement(
        t_ns=T0,
        engagement_id=1,
        track_id=1,
        effector="gun-1",
        state="fired",
        rounds=1,
        fire_t_ns=T0,
        intercept_t_ns=T0,
        intercept_enu_m=(0.0, 0.0, 0.0),
        kill_probability=0.5,
    )
    assert step(SITE, state, [engagement]) == (state, [])


def test_old_and_repeated_messages_decide_nothing() -> None:
    shell = Shell(1, (60.0, -40.0), 33.2)
    once, twice = initial(SITE), initial(SITE)
    made_once: list[Message] = []
    made_twice: list[Message] = []
    for batch in raid([shell], end_s=36.0):
        once, out = step(SITE, once, batch)
        made_once += out
        old = threat_of(shell, 7.0)
        for _ in range(2):
            twice, out = step(SITE, twice, [old, *batch, old] if len(batch) > 1 else batch)
            made_twice += out
    assert [m for m in made_twice if isinstance(m, Decision)] == [m for m in made_once if isinstance(m, Decision)]


@pytest.mark.parametrize("channels", [1, 2])
def test_a_plan_serves_all_rounds_that_can_be_served(channels: int) -> None:
    """Three rounds at 5 s intervals: one channel has time for each of them, if each is shot in its turn."""
    model = Model(**{**_fields(GUN.behaviour), "channels": channels})
    config = replace(SITE, effectors=(replace(GUN, model=model),))
    jobs = []
    for i in range(3):
        impact = impact_of(Shell(i + 1, (0.0, 20.0 * i), 33.0 + 5.0 * i), 15.0)
        path = resample(config, impact.path_enu_m, impact.t_ns, impact.impact_t_ns)
        jobs.append(Job(i + 1, 1.0, (shots_along(config, config.effectors[0], path, impact.t_ns),)))
    now = T0 + 15 * S
    planned = plan(config, now, jobs, channels=((now,) * channels,), magazines=(1500,), last={})
    assert sorted(planned) == [1, 2, 3]
    two_only = plan(config, now, jobs, channels=((now,) * channels,), magazines=(250,), last={})
    assert len(two_only) == 2
    assert plan(config, now, jobs, channels=((now,) * channels,), magazines=(100,), last={}) == {}
    busy = plan(config, now, jobs, channels=((now + 60 * S,) * channels,), magazines=(1500,), last={})
    assert busy == {}


def test_the_worthier_round_gets_the_only_shot() -> None:
    jobs = []
    for i, worth in enumerate((5.0, 50.0, 20.0)):
        impact = impact_of(Shell(i + 1, (0.0, 10.0), 33.0 + 0.2 * i), 15.0)
        path = resample(SITE, impact.path_enu_m, impact.t_ns, impact.impact_t_ns)
        jobs.append(Job(i + 1, worth, (shots_along(SITE, GUN, path, impact.t_ns),)))
    now = T0 + 15 * S
    assert list(plan(SITE, now, jobs, channels=((now,),), magazines=(120,), last={})) == [2]


def _fields(model: Model) -> dict[str, float]:
    return {name: getattr(model, name) for name in model.__dataclass_fields__}


@pytest.mark.parametrize(
    ("probability", "said", "at_least"),
    [
        (0.0, "less than 0.1 %", "0.0 %"),
        (0.004, "0.4 %", "0.4 %"),
        (0.38, "38 %", "38.0 %"),
        (0.9967, "99.7 %", "99.6 %"),
        (0.99999, "more than 99.9 %", "99.9 %"),
        (1.0, "more than 99.9 %", "99.9 %"),
    ],
)
def test_percentages_never_claim_certainty(probability: float, said: str, at_least: str) -> None:
    assert percent(probability) == said
    assert percent_at_least(probability) == at_least


def test_the_clock_reads_as_utc() -> None:
    assert clock(T0 + 21 * S + 460_000_000) == "00:00:21.4"
    assert clock(T0 - 1) == "23:59:59.9"


@settings(max_examples=15, deadline=None)
@given(fired_at=shells, far_m=st.floats(3000.0, 6000.0))
def test_a_round_that_was_never_engaged_changes_nothing_for_the_others(fired_at: list[Shell], far_m: float) -> None:
    other = Shell(40, (0.0, far_m), 30.0)
    config = replace(SITE, closed_loop=True, effectors=(GUN, INTERCEPTOR))

    def told(flown: Sequence[Shell]) -> list[Message]:
        state, made = initial(config), list[Message]()
        for batch in raid(flown, end_s=40.0):
            state, out = step(config, state, batch)
            made += [m for m in out if getattr(m, "track_id", 0) != other.track_id]
        return made

    assert told([*fired_at, other]) == told(fired_at)
