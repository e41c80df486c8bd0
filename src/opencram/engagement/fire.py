"""The life of a simulated engagement: committed, fired, killed or missed; or aborted before it is fired."""

from typing import Any, Literal

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from opencram.engagement.config import Config, ns
from opencram.engagement.gate import broken_rule
from opencram.engagement.plan import Assignment
from opencram.engagement.shots import Shots, one_of
from opencram.engagement.state import Draft, Engaging, Round
from opencram.messages import Engagement, EngagementState

# A committed shot is called off if the newest path asks for another moment of fire than the one it was assigned.
_FIRE_SLACK_S = 0.5


def commit(config: Config, draft: Draft, assignment: Assignment) -> None:
    """Assign a channel and its rounds to a shot, and say so."""
    assert draft.now_t_ns is not None
    shots = draft.rounds[assignment.track_id].shots[assignment.effector]
    row = assignment.shot
    x, y, z = (float(value) for value in shots.position_enu_m[row])
    engaging = Engaging(
        engagement_id=draft.next_engagement_id,
        track_id=assignment.track_id,
        effector=assignment.effector,
        channel=assignment.channel,
        rounds=config.effectors[assignment.effector].behaviour.rounds_per_shot,
        fire_t_ns=int(shots.fire_t_ns[row]),
        intercept_t_ns=int(shots.intercept_t_ns[row]),
        done_t_ns=int(shots.done_t_ns[row]),
        intercept_enu_m=(x, y, z),
        kill_probability=float(shots.kill_probability[row]),
    )
    assert draft.channels[engaging.effector][engaging.channel] <= int(shots.start_t_ns[row]), "the channel is busy"
    assert draft.magazines[engaging.effector] >= engaging.rounds, "the magazine is empty"
    draft.next_engagement_id += 1
    draft.magazines[engaging.effector] -= engaging.rounds
    draft.channels[engaging.effector][engaging.channel] = engaging.done_t_ns
    draft.engaging.append(engaging)
    _tell(config, draft, engaging, "committed")


def call_off(config: Config, draft: Draft, track_id: int) -> None:
    """Abort what is committed and not yet fired at a round: channel and rounds are free again."""
    assert draft.now_t_ns is not None
    for engaging in [e for e in draft.engaging if e.track_id == track_id and not e.fired]:
        draft.engaging.remove(engaging)
        draft.magazines[engaging.effector] += engaging.rounds
        draft.channels[engaging.effector][engaging.channel] = draft.now_t_ns
        _tell(config, draft, engaging, "aborted")


def advance(config: Config, draft: Draft) -> None:
    """Fire and assess every engagement whose time has come."""
    assert draft.now_t_ns is not None
    for engaging in list(draft.engaging):
        if not engaging.fired and engaging.fire_t_ns <= draft.now_t_ns:
            _fire(config, draft, engaging)
    for i, engaging in enumerate(draft.engaging):
        if engaging.fired and engaging.passed_plots is None and draft.now_t_ns >= engaging.done_t_ns:
            known = draft.rounds[engaging.track_id]
            draft.engaging[i] = replace(engaging, passed_plots=known.plots, passed_t_ns=known.updated_t_ns)
    for engaging in list(draft.engaging):
        if engaging.fired and draft.now_t_ns >= _assess_t_ns(config, draft, engaging):
            _assess(config, draft, engaging)


def _fire(config: Config, draft: Draft, engaging: Engaging) -> None:
    """Fire at the newest prediction; or, if the round is no longer where the shot was assigned, call it off."""
    known = draft.rounds.get(engaging.track_id)
    if known is None or known.ended:
        call_off(config, draft, engaging.track_id)
        return
    engaging_now = _refreshed(known, engaging)
    if engaging_now is None:
        call_off(config, draft, engaging.track_id)
        draft.due.add(known.track_id)
        return
    if broken_rule(config, draft, known, engaging.effector, _as_shot(known, engaging_now)) is not None:
        call_off(config, draft, engaging.track_id)  # a friend has come near since; the next judgement says so
        draft.due.add(known.track_id)
        return
    model = config.effectors[engaging.effector].behaviour
    fired = replace(engaging_now, fired=True, tracking_m_std=model.track_share * known.track_m_std)
    draft.engaging[draft.engaging.index(engaging)] = fired
    channels = draft.channels[fired.effector]
    channels[fired.channel] = max(channels[fired.channel], fired.done_t_ns)
    draft.rounds[known.track_id] = replace(
        known,
        outcome="fired",
        outcome_effector=config.effectors[fired.effector].id,
        outcome_t_ns=fired.fire_t_ns,
        shots_fired=known.shots_fired + 1,
    )
    _tell(config, draft, fired, "fired")


def _refreshed(known: Round, engaging: Engaging) -> Engaging | None:
    """Return the engagement as the newest path has it, None if no shot fired at that time can meet that path."""
    shots = known.shots[engaging.effector]
    if not len(shots):
        return engaging if shots.blocked == "too_late" else None
    later_s = (shots.fire_t_ns - engaging.fire_t_ns) / 1e9
    if np.abs(later_s).min() > _FIRE_SLACK_S:
        return None

    def at_fire(values: NDArray[Any]) -> float:
        return float(np.interp(0.0, later_s, values))

    x, y, z = (at_fire(values) for values in shots.position_enu_m.T)
    return replace(
        engaging,
        intercept_t_ns=engaging.fire_t_ns + ns(at_fire((shots.intercept_t_ns - shots.fire_t_ns) / 1e9)),
        done_t_ns=engaging.fire_t_ns + ns(at_fire((shots.done_t_ns - shots.fire_t_ns) / 1e9)),
        intercept_enu_m=(x, y, z),
        kill_probability=at_fire(shots.kill_probability),
    )


def _as_shot(known: Round, engaging: Engaging) -> Shots:
    """Return the engagement as a single shot, for the rules."""
    shots = known.shots[engaging.effector]
    if not len(shots):
        shots = known.free_shots[engaging.effector]
    if not len(shots):
        return shots
    return one_of(shots, int(np.abs(shots.fire_t_ns - engaging.fire_t_ns).argmin()))


def _assess_t_ns(config: Config, draft: Draft, engaging: Engaging) -> int:
    """Return when the effect of a shot can be told; in an open loop it never can, and the shot just ends."""
    if not config.closed_loop:
        return engaging.done_t_ns
    known = draft.rounds[engaging.track_id]
    silence_s = min(config.assessment_plots * _plot_interval_s(known), config.assessment_delay_s_max)
    return engaging.done_t_ns + ns(max(silence_s, config.assessment_delay_s))


def _plot_interval_s(known: Round) -> float:
    return (known.updated_t_ns - known.first_t_ns) / 1e9 / max(known.plots - 1, 1)


def _still_there(config: Config, known: Round, engaging: Engaging) -> bool:
    """Return whether the track got its usual number of plots after the shot had passed, or at least a good share."""
    if known.ended == "intercepted" or known.updated_t_ns <= engaging.done_t_ns:
        return False
    got = known.plots - (engaging.passed_plots if engaging.passed_plots is not None else known.plots)
    usual = (known.track_t_ns - engaging.passed_t_ns) / 1e9 / max(_plot_interval_s(known), 1e-3)
    return got >= 1 and got >= config.assessment_share * usual


def _assess(config: Config, draft: Draft, engaging: Engaging) -> None:
    """End an engagement; in a closed loop a round that gives few plots or none after the shot counts as killed.

    A track that ended before the shot could show its effect tells nothing: that counts as missed.
    """
    draft.engaging.remove(engaging)
    if not config.closed_loop:
        return
    known = draft.rounds[engaging.track_id]
    lost_before = bool(known.ended) and known.track_t_ns <= engaging.done_t_ns and known.ended != "intercepted"
    missed = lost_before or _still_there(config, known, engaging)
    outcome: Literal["missed", "killed"] = "missed" if missed else "killed"
    assert draft.now_t_ns is not None
    counted = replace(known, killed_plots=known.plots, killed_t_ns=draft.now_t_ns)
    draft.rounds[known.track_id] = replace(counted, outcome=outcome)
    draft.due.add(known.track_id)
    _tell(config, draft, engaging, outcome)


def revive(config: Config, draft: Draft) -> None:
    """Look again at rounds that were believed killed: one that gives its usual plots for a while is still there."""
    assert draft.now_t_ns is not None
    for known in list(draft.rounds.values()):
        if known.outcome != "killed" or known.ended or known.track_t_ns < known.killed_t_ns + ns(config.revive_s):
            continue
        span_s = (known.track_t_ns - known.killed_t_ns) / 1e9
        got, usual = known.plots - known.killed_plots, span_s / max(_plot_interval_s(known), 1e-3)
        if got >= config.assessment_plots and got >= config.assessment_share * usual:
            draft.rounds[known.track_id] = replace(known, outcome="missed", revived=True)
            draft.due.add(known.track_id)
        elif span_s > 2.0 * config.revive_s:  # count anew, so that an old gap does not hide what is there now
            draft.rounds[known.track_id] = replace(known, killed_plots=known.plots, killed_t_ns=draft.now_t_ns)


def _tell(config: Config, draft: Draft, engaging: Engaging, state: EngagementState) -> None:
    assert draft.now_t_ns is not None
    draft.out.append(
        Engagement(
            t_ns=draft.now_t_ns,
            engagement_id=engaging.engagement_id,
            track_id=engaging.track_id,
            effector=config.effectors[engaging.effector].id,
            state=state,
            rounds=engaging.rounds,
            fire_t_ns=engaging.fire_t_ns,
            intercept_t_ns=engaging.intercept_t_ns,
            intercept_enu_m=engaging.intercept_enu_m,
            kill_probability=engaging.kill_probability,
            tracking_m_std=engaging.tracking_m_std,
        )
    )
