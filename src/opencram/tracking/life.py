"""The life of a target: promoted, fitted again, coasting, ended; and what is said of it."""

import math

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from opencram.messages import PROJECTILE_CLASSES, DropReason, Hypothesis, Message, Track
from opencram.tracking.bank import Fitted, Window, fit_models, normalised, straight_log_weight
from opencram.tracking.config import Config
from opencram.tracking.filter import carry, standing
from opencram.tracking.history import window
from opencram.tracking.state import Candidates, State, Target, Tracks
from opencram.tracking.world import World

Array = NDArray[np.float64]

_LOWER = np.tril_indices(10)
_TENTATIVE_PLOTS = 3
_STRAIGHT_PLOTS = 8  # before it has so many, and is so old, a body is not said to be no projectile
_STRAIGHT_NS = 2_000_000_000
_FIT_AGE_S = 4.0  # beyond, and with enough plots, the filters carry on alone
_FIT_PLOTS = 12
_FIT_AGE_S_MAX = 12.0
_WINDOW_S = 12.0
_KEEP, _KEEP_OLD, _OLD_NS = 1e-3, 1e-2, 8_000_000_000  # probability below which a flight model is no longer followed
_SAY = 0.01  # and below which it is not told


# ---- promotion ------------------------------------------------------------------------------------


def promote(config: Config, constants: World, state: State) -> State:
    """Judge the candidates that are ripe by the class bank; projectiles move to the tracks."""
    few = state.candidates
    targets = list(few.targets)
    fall = few.fall
    keep = np.ones(len(targets), dtype=np.bool_)
    next_id = state.next_track_id
    tracks = state.tracks
    for k, target in enumerate(targets):
        if target.updated_t_ns != state.t_ns:
            continue
        if target.track_id == 0 and target.plots >= _TENTATIVE_PLOTS and target.score > 0.5 * config.confirm_score:
            target = targets[k] = replace(target, track_id=next_id)
            next_id += 1
        if not _is_ripe(config, target, state.t_ns) or len(tracks.targets) >= config.tracks_max:
            continue
        judged = _judge(config, constants, state, target, few.x[k])
        if judged is None:
            continue
        target, rows = judged
        if _projectile_probability(target) >= config.projectile_probability_min:
            if not _moves(config, rows[0]):
                targets[k] = replace(target, status="tentative")
                continue
            keep[k] = False
            if not _is_double(tracks, rows[0]):
                tracks = _with_rows(tracks, target, rows)
        elif target.plots < _STRAIGHT_PLOTS or state.t_ns - target.first_t_ns < _STRAIGHT_NS:
            targets[k] = replace(target, status="tentative")
        else:
            targets[k] = target
            if fall is few.fall:
                fall = few.fall.copy()
            fall[k] = 0.0
    few = replace(few, targets=tuple(targets), fall=fall)
    if not keep.all():
        few = _select_candidates(few, keep)
    return replace(state, candidates=few, tracks=tracks, next_track_id=next_id)


def _is_ripe(config: Config, target: Target, t_ns: int) -> bool:
    """Return whether a candidate is to be judged now: for the first time, or again after a second."""
    if target.plots < config.confirm_plots or target.score < config.confirm_score:
        return False
    pause_s = config.fit_s_min if target.status == "tentative" else config.fit_s_max
    return target.fitted_t_ns == 0 or t_ns - target.fitted_t_ns >= round(pause_s * 1e9)


def _judge(
    config: Config, constants: World, state: State, target: Target, x: Array
) -> tuple[Target, list[Fitted]] | None:
    """Return the target with its classes, and its fitted models moved to now; None if no model fits at all."""
    plots = _window(config, state, target)
    age_s = (state.t_ns - plots[0]) * 1e-9
    first = x.copy()  # fall undone: where it was, and how fast, at the first plot of the window
    first[5] += 9.8 * age_s
    first[:3] -= first[3:6] * age_s
    first[2] += 0.5 * 9.8 * age_s * age_s
    wanted = [
        (k, np.concatenate([first, [model.ln_beta, 0.0, 0.0, model.spin_m_s]])) for k, model in enumerate(config.models)
    ]
    return _bank(config, constants, state, target, plots, wanted)


def _window(config: Config, state: State, target: Target) -> tuple[int, Window]:
    """Return the time of the first plot that a fit uses, and the plots."""
    since = max(target.first_t_ns, state.t_ns - round(_WINDOW_S * 1e9))
    times, sensors, z, weights = window(state.history, target.last, config.window_plots_max, since)
    return int(times[0]), Window((times - times[0]) * 1e-9, sensors, z, weights)


def _bank(
    config: Config,
    constants: World,
    state: State,
    target: Target,
    plots: tuple[int, Window],
    wanted: list[tuple[int, Array]],
) -> tuple[Target, list[Fitted]] | None:
    """Fit the wanted models and "no projectile"; return the target so judged and the models moved to now."""
    first_t_ns, data = plots
    environment = constants.fit_environment
    found = fit_models(config.models, wanted, data, environment, config.wind_m_s_std)
    if not found:
        return None
    rest = 1.0 - sum(model.prior for model in config.models)
    straight = straight_log_weight(rest, data, environment)
    age_s = (state.t_ns - first_t_ns) * 1e-9
    rows = [f for f in found if carry(f.x, f.covariance, age_s, constants.env, constants.curves[f.model])]
    if not rows:
        return None
    rows.sort(key=lambda f: -f.log_weight)
    target = replace(
        target,
        status="confirmed",
        log_straight=straight,
        fitted_t_ns=state.t_ns,
        due_t_ns=state.t_ns,
        classes=_classes(
            config, [f.model for f in rows], [f.log_weight for f in rows], straight, rows[0].x[3:6].tolist()
        ),
    )
    return target, rows


def _classes(
    config: Config, models: list[int], log_weights: list[float], straight: float, velocity_m_s: list[float]
) -> tuple[tuple[str, float], ...]:
    """Return class names and probabilities, most probable first."""
    probabilities = normalised([*log_weights, straight])
    speed = math.hypot(*velocity_m_s)
    other = "bird" if speed < 25.0 else "drone" if speed < 60.0 else "aircraft"
    totals: dict[str, float] = {}
    for k, probability in zip(models, probabilities, strict=False):
        name = config.models[k].class_name
        totals[name] = totals.get(name, 0.0) + probability
    totals[other] = totals.get(other, 0.0) + probabilities[-1]
    return tuple(sorted(totals.items(), key=lambda item: (-item[1], item[0])))


def _projectile_probability(target: Target) -> float:
    return sum(p for name, p in target.classes if name in PROJECTILE_CLASSES)


def _moves(config: Config, row: Fitted) -> bool:
    """Return whether a body is surely (two standard deviations) faster than anything that only seems to fly.

    First plots of one round after another, where all of them come over the horizon, make a body that
    stands still.
    """
    velocity = row.x[3:6]
    speed = float(np.linalg.norm(velocity))
    deviation = math.sqrt(max(0.0, float(velocity @ row.covariance[3:6, 3:6] @ velocity))) / (speed + 1e-9)
    return speed - 2.0 * deviation > config.speed_m_s_min


def _is_double(tracks: Tracks, row: Fitted) -> bool:
    """Return whether a track is already where this one would start (d² of position and velocity below 9)."""
    for k in range(len(tracks.x)):
        difference = tracks.x[k, :6] - row.x[:6]
        if abs(difference[0]) + abs(difference[1]) + abs(difference[2]) > 500.0:
            continue
        both = tracks.p[k, :6, :6] + row.covariance[:6, :6]
        if difference @ np.linalg.solve(both, difference) < 9.0:
            return True
    return False


def _with_rows(tracks: Tracks, target: Target, rows: list[Fitted]) -> Tracks:
    """Return the tracks with one more."""
    more = _rows_of(rows, len(tracks.targets))
    return Tracks(
        targets=(*tracks.targets, target),
        x=np.concatenate([tracks.x, more.x]),
        p=np.concatenate([tracks.p, more.p]),
        log_weight=np.concatenate([tracks.log_weight, more.log_weight]),
        model=np.concatenate([tracks.model, more.model]),
        owner=np.concatenate([tracks.owner, more.owner]),
    )


def _select_candidates(few: Candidates, keep: NDArray[np.bool_]) -> Candidates:
    """Return the candidates that are kept."""
    return Candidates(
        targets=tuple(t for t, kept in zip(few.targets, keep.tolist(), strict=True) if kept),
        x=few.x[keep],
        p=few.p[keep],
        fall=few.fall[keep],
    )


# ---- fitting again --------------------------------------------------------------------------------


def refit(config: Config, constants: World, state: State) -> State:
    """Fit young tracks again to all their plots: early estimates are too uncertain for a filter's straight lines."""
    tracks = state.tracks
    fitted: dict[int, tuple[Target, list[Fitted]]] = {}
    for k, target in enumerate(tracks.targets):
        if target.updated_t_ns == state.t_ns and _is_due(config, target, state.t_ns):
            plots = _window(config, state, target)
            back_s = (plots[0] - state.t_ns) * 1e-9
            wanted = []
            for r in np.flatnonzero(tracks.owner == k).tolist():
                x, p = tracks.x[r].copy(), tracks.p[r].copy()
                if carry(x, p, back_s, constants.env, constants.curves[tracks.model[r]]):
                    wanted.append((int(tracks.model[r]), x))
            judged = _bank(config, constants, state, target, plots, wanted)
            if judged is not None:
                fitted[k] = judged
    if not fitted:
        return state
    return replace(state, tracks=_rebuilt(tracks, fitted))


def _rebuilt(tracks: Tracks, fitted: dict[int, tuple[Target, list[Fitted]]]) -> Tracks:
    """Return the tracks with the rows of those that have been fitted put in place of their old ones."""
    pieces: list[Tracks] = []
    starts = np.searchsorted(tracks.owner, np.arange(len(tracks.targets) + 1)).tolist()
    done = 0
    for k in sorted(fitted):
        pieces.append(_slice(tracks, starts[done], starts[k]))
        pieces.append(_rows_of(fitted[k][1], k))
        done = k + 1
    pieces.append(_slice(tracks, starts[done], starts[-1]))
    return Tracks(
        targets=tuple([fitted[k][0] if k in fitted else target for k, target in enumerate(tracks.targets)]),
        x=np.concatenate([piece.x for piece in pieces]),
        p=np.concatenate([piece.p for piece in pieces]),
        log_weight=np.concatenate([piece.log_weight for piece in pieces]),
        model=np.concatenate([piece.model for piece in pieces]),
        owner=np.concatenate([piece.owner for piece in pieces]),
    )


def _slice(tracks: Tracks, first: int, end: int) -> Tracks:
    """Return some rows, without their targets."""
    return Tracks(
        targets=(), x=tracks.x[first:end], p=tracks.p[first:end], log_weight=tracks.log_weight[first:end],
        model=tracks.model[first:end], owner=tracks.owner[first:end],
    )  # fmt: skip


def _rows_of(found: list[Fitted], owner: int) -> Tracks:
    """Return the fitted models that are worth following as rows, without their target."""
    top = found[0].log_weight
    found = [f for f in found if f.log_weight > top + math.log(_KEEP)]
    return Tracks(
        targets=(),
        x=np.array([f.x for f in found]),
        p=np.array([f.covariance for f in found]),
        log_weight=np.array([f.log_weight for f in found]),
        model=np.array([f.model for f in found], dtype=np.int64),
        owner=np.full(len(found), owner, dtype=np.int64),
    )


def _is_due(config: Config, target: Target, t_ns: int) -> bool:
    """Return whether a track is young enough to be fitted again, and its last fit old enough."""
    age_s = (t_ns - target.first_t_ns) * 1e-9
    if age_s > _FIT_AGE_S_MAX or (age_s > _FIT_AGE_S and target.plots >= _FIT_PLOTS):
        return False
    pause_s = min(max(config.fit_share * age_s, config.fit_s_min), config.fit_s_max)
    return (t_ns - target.fitted_t_ns) * 1e-9 >= pause_s - 1e-6


# ---- end and report -------------------------------------------------------------------------------


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
    tracks = replace(tracks, targets=tuple(targets))
    return replace(state, tracks=_prune(tracks, now) if len(messages) > said else tracks)


def _report_track(
    config: Config, state: State, target: Target, rows: slice, best: int, messages: list[Message]
) -> Target:
    """Say how a track stands; return it with the times of having been said, and when it is next due."""
    tracks = state.tracks
    weights, models = tracks.log_weight[rows].tolist(), tracks.model[rows].tolist()
    x = tracks.x[best]
    classes = _classes(config, models, weights, target.log_straight, x[3:6].tolist())
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
            if probability > _SAY
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
        status, reason = ("dropped", _end("lost")) if lost else ("coasting", _end(""))
    elif status == "coasting":
        status = "confirmed"
    if status == target.status:
        return target
    return replace(target, status=status, reason=reason)


def _end(reason: DropReason) -> DropReason:
    return reason


def _horizon_m(constants: World, x: Array) -> float:
    """Return the height (m) below which no radar can be expected to see: 2.5° over the nearest one's horizon."""
    nearest = float(np.min(np.hypot(constants.origins[:, 0] - x[0], constants.origins[:, 1] - x[1])))
    return max(50.0, 0.045 * nearest)


def _prune(tracks: Tracks, now: int) -> Tracks:
    """Return the tracks without those that have ended and without flight models that are out of the question."""
    alive = np.array([target.status != "dropped" for target in tracks.targets])
    least = np.array([_KEEP_OLD if now - target.first_t_ns > _OLD_NS else _KEEP for target in tracks.targets])
    starts = np.searchsorted(tracks.owner, np.arange(len(tracks.targets)))
    top = np.maximum.reduceat(tracks.log_weight, starts)
    keep = alive[tracks.owner] & (tracks.log_weight >= (top + np.log(least))[tracks.owner])
    if keep.all():
        return tracks
    renumbered = np.cumsum(alive) - 1
    return Tracks(
        targets=tuple(t for t in tracks.targets if t.status != "dropped"),
        x=tracks.x[keep],
        p=tracks.p[keep],
        log_weight=tracks.log_weight[keep],
        model=tracks.model[keep],
        owner=renumbered[tracks.owner[keep]],
    )


def _candidates_report(config: Config, state: State, messages: list[Message]) -> State:
    """Forget candidates without plots; report tentative tracks and bodies that do not fall."""
    few = state.candidates
    now = state.t_ns
    gone: list[int] = []
    said: list[tuple[int, Target]] = []
    for k, target in enumerate(few.targets):
        if target.updated_t_ns == now and not target.track_id:
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
        few = _select_candidates(few, keep)
    return replace(state, candidates=few)
