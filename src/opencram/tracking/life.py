"""The life of a target: coasting, ended, demoted; and what is said of it."""

import math

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from opencram.messages import DropReason, Hypothesis, Message, Track
from opencram.tracking.bank import normalised
from opencram.tracking.config import Config
from opencram.tracking.filter import standing
from opencram.tracking.judging import (
    KEEP,
    STRAIGHT_NS,
    STRAIGHT_PLOTS,
    classes_of,
    projectile_probability,
    select_candidates,
)
from opencram.tracking.state import Candidates, State, Target, Tracks
from opencram.tracking.world import World

Array = NDArray[np.float64]

_LOWER = np.tril_indices(10)
_KEEP_OLD, _OLD_NS = 1e-2, 8_000_000_000  # of older tracks fewer flight models are followed
_SAY = 0.01  # probability against the best below which a flight model is not told
_DEMOTE = 0.2  # probability below which a projectile is one no longer; 0.5 made it one


def end_and_report(config: Config, constants: World, state: State, messages: list[Message]) -> State:
    """Set the status of every target, say what is due, and forget those that have ended."""
    state = _tracks_report(config, constants, state, messages)
    return _candidates_report(config, state, messages)


def _tracks_report(config: Config, constants: World, state: State, messages: list[Message]) -> State:
    tracks = state.tracks
    if not tracks.targets:
        return state
    starts = np.searchsorted(tracks.owner, np.arange(len(tracks.targets) + 1)).tolist()
    count = len(tracks.targets)
    best, heights, falling = np.empty(count, dtype=np.int64), np.empty(count), np.empty(count, dtype=np.bool_)
    standing(tracks.x, tracks.log_weight, tracks.owner, count, constants.env, best, heights, falling)
    above = (heights > 0.0).tolist()  # a track without a sound row is not
    targets = list(tracks.targets)
    now = state.t_ns
    said = len(messages)
    for k, before in enumerate(tracks.targets):
        calm = before.status == "confirmed" and above[k]
        if calm and now < before.due_t_ns and now - before.updated_t_ns <= before.period_s * 1e9:
            continue
        row = int(best[k])
        target = _status(constants, config, now, before, tracks.x[row], float(heights[k]), bool(falling[k]))
        if target.status != before.status or now >= target.due_t_ns:
            rows = slice(starts[k], starts[k + 1])
            target = _report_track(config, state, target, rows, row, messages)
        targets[k] = target
    state = replace(state, tracks=replace(tracks, targets=tuple(targets)))
    return _prune(state, now) if len(messages) > said else state


def _report_track(
    config: Config, state: State, target: Target, rows: slice, best: int, messages: list[Message]
) -> Target:
    """Say how a track stands; return it with the times of having been said, and when it is next due."""
    tracks = state.tracks
    weights, models = tracks.log_weight[rows].tolist(), tracks.model[rows].tolist()
    x = tracks.x[best]
    classes = classes_of(config, models, weights, target.log_straight, x[3:6].tolist())
    told_t_ns = target.told_t_ns
    # Flight models are told after each fit, and when the next dwell would come too late for once a second.
    due_to_tell_ns = told_t_ns + round((config.tell_s_max - target.period_s) * 1e9) + 1
    hypotheses: tuple[Hypothesis, ...] = ()
    if target.status != "dropped" and (target.fitted_t_ns == state.t_ns or state.t_ns >= due_to_tell_ns):
        hypotheses = _hypotheses(config, tracks, rows, normalised([*weights, target.log_straight]))
        told_t_ns = state.t_ns
        due_to_tell_ns = told_t_ns + round((config.tell_s_max - target.period_s) * 1e9) + 1
    due_t_ns = min(state.t_ns + round(config.report_s * 1e9), due_to_tell_ns)
    target = replace(target, reported_t_ns=state.t_ns, told_t_ns=told_t_ns, due_t_ns=due_t_ns, classes=classes)
    messages.append(_message(state.t_ns, target, x, tracks.p[best], hypotheses))
    return target


def _hypotheses(config: Config, tracks: Tracks, rows: slice, probabilities: list[float]) -> tuple[Hypothesis, ...]:
    """Return the flight models worth telling."""
    means, lowers = tracks.x[rows].tolist(), tracks.p[rows][:, _LOWER[0], _LOWER[1]].tolist()
    models = [config.models[k] for k in tracks.model[rows].tolist()]
    least = _SAY * max(probabilities[: len(models)])
    return tuple(
        [
            Hypothesis(
                class_name=model.class_name,
                curve=model.curve,
                probability=probability,
                mean=tuple(mean),
                covariance=tuple(lower),
            )
            for model, probability, mean, lower in zip(models, probabilities, means, lowers, strict=False)
            if probability > least
        ]
    )


def _message(t_ns: int, target: Target, x: Array, p: Array, hypotheses: tuple[Hypothesis, ...]) -> Track:
    """Return what is said of a target."""
    place, speed = x[:3].tolist(), x[3:6].tolist()
    return Track(
        t_ns=t_ns,
        track_id=target.track_id,
        status=target.status,
        position_enu_m=(place[0], place[1], place[2]),
        velocity_enu_m_s=(speed[0], speed[1], speed[2]),
        position_m_std=math.sqrt(max(0.0, p[0, 0] + p[1, 1] + p[2, 2])),
        classes=target.classes,
        plots=target.plots,
        first_t_ns=target.first_t_ns,
        updated_t_ns=target.updated_t_ns,
        hypotheses=hypotheses,
        reason=target.reason,
    )


def _status(
    constants: World, config: Config, now: int, target: Target, x: Array, height: float, falling: bool
) -> Target:
    """Return the target with the status that its last plot and its place give it; `height` NaN: no sound estimate."""
    gap_s = (now - target.updated_t_ns) * 1e-9
    status, reason = target.status, target.reason
    if math.isnan(height):
        status, reason = "dropped", "lost"
    elif falling and (height < -20.0 or (height < 0.0 and gap_s > 0.25)):  # m, s
        status, reason = "dropped", "impact"
    elif gap_s > config.coast_after * target.period_s:
        hidden = falling and height < _horizon_m(constants, x)
        lost = gap_s > (3.0 if hidden else 1.0) * config.coast_s_max
        if lost:
            status, reason = "dropped", "lost"
        else:
            status, reason = "coasting", ""
    elif status == "coasting":
        status = "confirmed"
    if status == target.status:
        return target
    return replace(target, status=status, reason=reason)


def _horizon_m(constants: World, x: Array) -> float:
    """Return the height (m) below which no radar can be expected to see: 2.5° over the nearest one's horizon."""
    nearest = float(np.min(np.hypot(constants.origins[:, 0] - x[0], constants.origins[:, 1] - x[1])))
    return max(50.0, 0.045 * nearest)


def _prune(state: State, now: int) -> State:
    """Forget tracks that have ended and flight models that are out of the question; demote what is no projectile.

    A body that turns out not to fall goes on in the small linear filter, under its number.
    """
    tracks = state.tracks
    demoted = [k for k, target in enumerate(tracks.targets) if _is_to_demote(target, now)]
    alive = np.array([target.status != "dropped" for target in tracks.targets])
    alive[demoted] = False
    least = np.array([_KEEP_OLD if now - target.first_t_ns > _OLD_NS else KEEP for target in tracks.targets])
    starts = np.searchsorted(tracks.owner, np.arange(len(tracks.targets)))
    top = np.maximum.reduceat(tracks.log_weight, starts)
    keep = alive[tracks.owner] & (tracks.log_weight >= (top + np.log(least))[tracks.owner])
    if keep.all():
        return state
    if demoted:
        few = state.candidates
        few = Candidates(
            targets=(*few.targets, *[replace(tracks.targets[k], fitted_t_ns=now) for k in demoted]),
            x=np.concatenate([few.x, tracks.level_x[demoted]]),
            p=np.concatenate([few.p, tracks.level_p[demoted]]),
            fall=np.concatenate([few.fall, np.zeros(len(demoted))]),
        )
        state = replace(state, candidates=few)
    renumbered = np.cumsum(alive) - 1
    kept = Tracks(
        targets=tuple([target for target, lives in zip(tracks.targets, alive.tolist(), strict=True) if lives]),
        x=tracks.x[keep],
        p=tracks.p[keep],
        log_weight=tracks.log_weight[keep],
        model=tracks.model[keep],
        owner=renumbered[tracks.owner[keep]],
        level_x=tracks.level_x[alive],
        level_p=tracks.level_p[alive],
    )
    return replace(state, tracks=kept)


def _is_to_demote(target: Target, now: int) -> bool:
    """Return whether a track that has just been reported is old enough to be said to be no projectile, and is none."""
    if target.reported_t_ns != now or target.status == "dropped" or now - target.first_t_ns < STRAIGHT_NS:
        return False
    return target.plots >= STRAIGHT_PLOTS and projectile_probability(target) < _DEMOTE


def _candidates_report(config: Config, state: State, messages: list[Message]) -> State:
    """Forget candidates without plots; report tentative tracks and bodies that do not fall."""
    few = state.candidates
    now = state.t_ns
    gone: list[int] = []
    said: list[tuple[int, Target]] = []
    for k, target in enumerate(few.targets):
        if target.updated_t_ns == now and not target.track_id:
            continue
        if target.status == "dropped":  # a double
            gone.append(k)
            if target.reported_t_ns:
                said.append((k, target))
            continue
        confirmed = target.status != "tentative"
        limit_s = config.coast_s_max if confirmed else config.misses_tentative * target.period_s
        if now - target.updated_t_ns > limit_s * 1e9:
            gone.append(k)
            if target.reported_t_ns:
                reason: DropReason = "lost" if confirmed else "never_confirmed"
                said.append((k, replace(target, status="dropped", reason=reason)))
        elif target.track_id and (
            target.reported_t_ns == 0
            or target.fitted_t_ns == now
            or now - target.reported_t_ns >= round(config.report_s * 1e9)
        ):
            said.append((k, replace(target, reported_t_ns=now)))
    if not gone and not said:
        return state
    targets = list(few.targets)
    for k, target in said:
        targets[k] = target
        messages.append(_message(now, target, few.x[k], few.p[k], ()))
    few = replace(few, targets=tuple(targets))
    if gone:
        keep = np.ones(len(targets), dtype=np.bool_)
        keep[gone] = False
        few = select_candidates(few, keep)
    return replace(state, candidates=few)
