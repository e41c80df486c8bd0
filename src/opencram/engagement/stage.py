"""The stage: messages in, decisions and simulated engagements out."""

from collections.abc import Sequence

from msgspec.structs import replace

from opencram.engagement.clear import cleared, worth_asking
from opencram.engagement.config import NS_PER_S, Config, ns
from opencram.engagement.fire import advance, call_off, commit, revive
from opencram.engagement.gate import refused
from opencram.engagement.intake import TAKES, TIME_LIMIT_NS, decision
from opencram.engagement.plan import Assignment, Job, plan
from opencram.engagement.rules import (
    PENDING,
    READY,
    Facts,
    Verdict,
    judge,
    last_word,
    open_effectors,
    release,
    remember_decided,
    shot_of,
    wake_t_ns,
)
from opencram.engagement.state import NEVER_T_NS, Draft, Planned, Round, State, draft_of, state_of, without
from opencram.engagement.words import Quantity, Several, Text, at, odds, text, whole
from opencram.messages import Health, Message


def step(config: Config, state: State, batch: Sequence[Message]) -> tuple[State, list[Message]]:
    """Return the state after `batch`, and the decisions and engagements that follow from it."""
    draft = None
    for message in batch:
        take = TAKES.get(type(message))
        if take is None or abs(message.t_ns) >= TIME_LIMIT_NS:
            continue
        if draft is None:
            draft = draft_of(state)
        if draft.now_t_ns is None or message.t_ns > draft.now_t_ns:
            draft.now_t_ns = message.t_ns
        take(config, draft, message)
    if draft is None or draft.now_t_ns is None:
        return state, []
    period = ns(config.period_s)
    if draft.urgent or draft.decided_t_ns is None or draft.now_t_ns // period > draft.decided_t_ns // period:
        _decide(config, draft)
    return state_of(draft), draft.out


def _decide(config: Config, draft: Draft) -> None:
    """Bring engagements, verdicts and the plan up to date."""
    assert draft.now_t_ns is not None
    advance(config, draft)
    if config.closed_loop:
        revive(config, draft)
    _end_stale(config, draft)
    ready = _judge_all(config, draft)
    planned = _plan(config, draft, ready)
    for track_id in ready:
        _announce(config, draft, track_id, planned.get(track_id))
    _commit_due(config, draft, planned)
    draft.plan = {track_id: _remembered(draft, each) for track_id, each in planned.items()}
    draft.decided_t_ns = draft.now_t_ns
    if draft.trouble_until_t_ns is not None and draft.now_t_ns >= draft.trouble_until_t_ns:
        draft.trouble_until_t_ns = None
        reason = "every track is judged again"
        draft.out.append(Health(t_ns=draft.now_t_ns, part="engagement", state="ok", reason=reason))


def _remembered(draft: Draft, assignment: Assignment) -> Planned:
    shots = draft.rounds[assignment.track_id].shots[assignment.effector]
    start = int(shots.start_t_ns[assignment.shot])
    return Planned(effector=assignment.effector, start_t_ns=start, shots=assignment.shots)


def _end_stale(config: Config, draft: Draft) -> None:
    """End rounds that nobody has spoken of for long: their track was dropped without a word."""
    assert draft.now_t_ns is not None
    if draft.now_t_ns > draft.stale_t_ns:
        allowed = ns(config.stale_s)
        for known in list(draft.rounds.values()):
            if known.heard_t_ns < draft.now_t_ns - allowed:
                draft.rounds[known.track_id] = replace(known, ended=known.ended or "lost")
                draft.due.add(known.track_id)
        draft.stale_t_ns = min((known.heard_t_ns for known in draft.rounds.values()), default=draft.now_t_ns) + allowed
    oldest = draft.now_t_ns - ns(config.friendly_s_max)
    for friend in draft.friends.values():
        if friend.t_ns < oldest:
            draft.friends = without(draft.friends, friend.track_id)


def _judge_all(config: Config, draft: Draft) -> list[int]:
    """Judge every round that has changed or whose time has come; return those that may be engaged now."""
    assert draft.now_t_ns is not None
    ready: list[int] = []
    committed = {engaging.track_id for engaging in draft.engaging if not engaging.fired}
    now_t_ns, friends = draft.now_t_ns, bool(draft.friends)
    everyone, due = friends or now_t_ns >= draft.look_t_ns, draft.due
    draft.due, draft.look_t_ns = set(), NEVER_T_NS if everyone else draft.look_t_ns
    for track_id in [track_id for track_id in draft.rounds if everyone or track_id in due]:
        before = draft.rounds[track_id]
        if track_id not in due and not _awaited(config, before, now_t_ns, friends=friends):
            draft.look_t_ns = min(draft.look_t_ns, before.wake_t_ns)
            continue
        if before.ended:
            _end(config, draft, before)
            continue
        known = remember_decided(config, cleared(config, before, draft.friends, now_t_ns), now_t_ns)
        facts = _facts(config, draft, known, committed=track_id in committed)
        verdict = judge(facts) if before.is_projectile else PENDING
        known = _judged(config, facts, verdict)
        draft.rounds[track_id] = known
        restless = known.watched or known.ready_since_t_ns is not None
        draft.look_t_ns = min(draft.look_t_ns, now_t_ns if restless else known.wake_t_ns)
        if verdict is READY:
            verdict = release(replace(facts, round=known))
        if verdict is READY:
            ready.append(track_id)
            continue
        if facts.committed:
            call_off(config, draft, track_id)
        _say(draft, known, verdict, None)
    return ready


def _awaited(config: Config, known: Round, now_t_ns: int, *, friends: bool) -> bool:
    """Return whether a round of which nothing new is known must be judged all the same."""
    if known.ready_since_t_ns is not None or known.wake_t_ns <= now_t_ns:
        return True
    return (known.watched or friends) and worth_asking(config, known)


def _judged(config: Config, facts: Facts, verdict: Verdict) -> Round:
    """Return the round with its record of the judgement just made."""
    known = facts.round
    since = known.ready_since_t_ns if known.ready_since_t_ns is not None else facts.now_t_ns
    ready_since = since if verdict is READY else None
    wake = wake_t_ns(config, known, facts.now_t_ns)
    if (ready_since, wake) == (known.ready_since_t_ns, known.wake_t_ns):
        return known
    return replace(known, ready_since_t_ns=ready_since, wake_t_ns=wake)


def _facts(config: Config, draft: Draft, known: Round, *, committed: bool) -> Facts:
    assert draft.now_t_ns is not None
    return Facts(config, known, draft.now_t_ns, tuple(draft.magazines), draft.held, committed)


def _end(config: Config, draft: Draft, known: Round) -> None:
    """Say the last word on a round whose track has ended, and forget it once no shot is in the air."""
    call_off(config, draft, known.track_id)
    if any(engaging.track_id == known.track_id for engaging in draft.engaging):
        draft.due.add(known.track_id)
        return
    verdict: Verdict | None = None
    if known.outcome in ("killed", "missed"):
        verdict = judge(_facts(config, draft, known, committed=False))
    elif known.is_projectile:
        verdict = last_word(_facts(config, draft, known, committed=False))
    if verdict is not None:
        _say(draft, known, verdict, None)
    del draft.rounds[known.track_id]
    draft.ended = {**draft.ended, known.track_id: None}
    while len(draft.ended) > config.ended_max:
        draft.ended = without(draft.ended, next(iter(draft.ended)))


def _plan(config: Config, draft: Draft, ready: list[int]) -> dict[int, Assignment]:
    """Return the plan for the rounds that may be engaged and are not being engaged already."""
    assert draft.now_t_ns is not None
    busy = {engaging.track_id for engaging in draft.engaging}
    jobs = []
    for track_id in ready:
        known = draft.rounds[track_id]
        if track_id in busy or (known.outcome != "none" and not config.closed_loop):
            continue
        twice = config.closed_loop and known.shots_fired + 2 <= config.shots_per_round_max
        jobs.append(Job(track_id, known.worth, known.shots, twice))
    if not jobs:
        return {}
    return plan(config, draft.now_t_ns, jobs, channels=draft.channels, magazines=draft.magazines, last=draft.plan)


def _announce(config: Config, draft: Draft, track_id: int, assignment: Assignment | None) -> None:
    """Say `engage` for a round that has a place in the plan, `hold` for one that has none."""
    known = draft.rounds[track_id]
    assert known.lead is not None
    if any(engaging.track_id == track_id for engaging in draft.engaging):
        return
    if assignment is None:
        if known.outcome == "missed":
            _say(draft, known, Verdict("engage", "missed", lambda: text("missed_busy", shot=shot_of(known))), None)
            return
        if known.standing == ("hold", known.lead.place, "channels_busy"):
            return
        open_now = open_effectors(_facts(config, draft, known, committed=False), loaded=True)
        names = Several(tuple(config.effectors[i].id for i in open_now))
        reason = text("channels_busy", odds=odds(known.lead), effectors=names)
        _say(draft, known, Verdict("hold", "channels_busy", lambda: reason), None)
        return
    code = "again" if known.shots_fired else "in_window"
    if known.standing == ("engage", known.lead.place, code):
        return
    effector = config.effectors[assignment.effector]
    shots, row = known.shots[assignment.effector], assignment.shot
    rounds = effector.behaviour.rounds_per_shot
    reason = text(
        code,
        odds=odds(known.lead),
        effector=effector.id,
        fires=text("fires" if config.closed_loop else "would_fire"),
        rounds=whole(rounds),
        unit=text("rounds" if rounds > 1 else "round"),
        fire_time=at(int(shots.fire_t_ns[row])),
        range_m=whole(float(shots.range_m[row])),
        intercept_time=at(int(shots.intercept_t_ns[row])),
        kill=Quantity("whole_percent", float(shots.kill_probability[row])),
    )
    _say(draft, known, Verdict("engage", code, lambda: reason), effector.id)


def _commit_due(config: Config, draft: Draft, planned: dict[int, Assignment]) -> None:
    """Commit the planned shots that start before the next decision is to be expected."""
    assert draft.now_t_ns is not None
    gap = draft.now_t_ns - draft.decided_t_ns if draft.decided_t_ns is not None else 0
    ahead = draft.now_t_ns + min(max(gap, ns(config.period_s)), NS_PER_S)
    for track_id in sorted(planned):
        assignment = planned[track_id]
        start = int(draft.rounds[track_id].shots[assignment.effector].start_t_ns[assignment.shot])
        seat = (assignment.effector, assignment.channel)
        waiting = any((e.effector, e.channel) == seat and not e.fired for e in draft.engaging)
        if start >= ahead or waiting or draft.channels[seat[0]][seat[1]] > start:
            continue
        known = draft.rounds[track_id]
        why = refused(config, draft, known, assignment.effector, assignment.channel, assignment.shot)
        if why is None:
            commit(config, draft, assignment)
        else:
            _refuse(draft, known, config.effectors[assignment.effector].id, why)


def _refuse(draft: Draft, known: Round, effector: str, why: Text) -> None:
    """Say that the gate let a planned shot not pass."""
    assert known.lead is not None
    reason = text("gate_refused", odds=odds(known.lead), effector=effector, why=why)
    _say(draft, known, Verdict("hold", "gate_refused", lambda: reason), None)


def _say(draft: Draft, known: Round, verdict: Verdict, effector: str | None) -> None:
    """Send a decision if it differs from the standing one in action, asset or code."""
    assert draft.now_t_ns is not None
    if verdict.reason is None:
        return
    asset = known.lead.place if known.lead is not None and verdict.action != "ignore" else None
    if known.outcome != "none" and known.standing is not None and verdict.action == "engage":
        asset = known.standing[1]
    standing = (verdict.action, asset, verdict.code)
    if standing == known.standing:
        return
    draft.rounds[known.track_id] = replace(known, standing=standing)
    probability = known.lead.probability if known.lead is not None else 0.0
    draft.out.append(decision(draft.now_t_ns, known.track_id, verdict, asset, probability, effector))
