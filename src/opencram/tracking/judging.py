"""Judging targets by the class bank: candidates become tracks, young tracks are fitted again."""

import math

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from opencram.messages import PROJECTILE_CLASSES
from opencram.tracking.bank import Fitted, Window, fit_models, normalised, straight_log_weight
from opencram.tracking.config import Config
from opencram.tracking.filter import carry
from opencram.tracking.history import window
from opencram.tracking.state import Candidates, State, Target, Tracks
from opencram.tracking.world import World

Array = NDArray[np.float64]

KEEP = 1e-3  # probability against the best below which a flight model is not followed
STRAIGHT_PLOTS = 8  # before it has so many, and is so old, a body is not said to be no projectile
STRAIGHT_NS = 2_000_000_000
_TENTATIVE_PLOTS = 3
_FIT_AGE_S = 4.0  # beyond, and with enough plots, the filters carry on alone
_FIT_PLOTS = 12
_FIT_AGE_S_MAX = 12.0
_WINDOW_S = 12.0


# ---- promotion ------------------------------------------------------------------------------------


def promote(config: Config, constants: World, state: State) -> State:
    """Judge the candidates that are ripe by the class bank; projectiles move to the tracks.

    One that turns out to be the double of a track stays, dropped, for `life` to report.
    """
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
        if projectile_probability(target) >= config.projectile_probability_min:
            if not _moves(config, rows[0]):
                targets[k] = replace(target, status="tentative")
                continue
            if _is_double(tracks, rows[0]):
                targets[k] = replace(target, status="dropped", reason="duplicate")
            else:
                keep[k] = False
                tracks = _with_rows(tracks, target, rows, few.x[k], few.p[k])
        elif target.plots < STRAIGHT_PLOTS or state.t_ns - target.first_t_ns < STRAIGHT_NS:
            targets[k] = replace(target, status="tentative")
        else:
            targets[k] = target
            if fall is few.fall:
                fall = few.fall.copy()
            fall[k] = 0.0
    few = replace(few, targets=tuple(targets), fall=fall)
    if not keep.all():
        few = select_candidates(few, keep)
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
        classes=classes_of(
            config, [f.model for f in rows], [f.log_weight for f in rows], straight, rows[0].x[3:6].tolist()
        ),
    )
    return target, rows


def classes_of(
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
    ordered = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    return tuple([(name, min(probability, 1.0)) for name, probability in ordered])


def projectile_probability(target: Target) -> float:
    """Return the probability that this is a projectile of any class, as last judged."""
    return min(1.0, sum(p for name, p in target.classes if name in PROJECTILE_CLASSES))


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


def _with_rows(tracks: Tracks, target: Target, rows: list[Fitted], level_x: Array, level_p: Array) -> Tracks:
    """Return the tracks with one more, and its companion in level flight."""
    more = _rows_of(rows, len(tracks.targets))
    return Tracks(
        targets=(*tracks.targets, target),
        x=np.concatenate([tracks.x, more.x]),
        p=np.concatenate([tracks.p, more.p]),
        log_weight=np.concatenate([tracks.log_weight, more.log_weight]),
        model=np.concatenate([tracks.model, more.model]),
        owner=np.concatenate([tracks.owner, more.owner]),
        level_x=np.concatenate([tracks.level_x, level_x[np.newaxis]]),
        level_p=np.concatenate([tracks.level_p, level_p[np.newaxis]]),
    )


def select_candidates(few: Candidates, keep: NDArray[np.bool_]) -> Candidates:
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
    oldest_ns = state.t_ns - round(_FIT_AGE_S_MAX * 1e9)
    for k, target in enumerate(tracks.targets):
        if target.first_t_ns < oldest_ns or target.updated_t_ns != state.t_ns:
            continue
        if _is_due(config, target, state.t_ns):
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
        level_x=tracks.level_x,
        level_p=tracks.level_p,
    )


def _slice(tracks: Tracks, first: int, end: int) -> Tracks:
    """Return some rows, without their targets."""
    return Tracks(
        targets=(), x=tracks.x[first:end], p=tracks.p[first:end], log_weight=tracks.log_weight[first:end],
        model=tracks.model[first:end], owner=tracks.owner[first:end], level_x=tracks.level_x, level_p=tracks.level_p,
    )  # fmt: skip


def _rows_of(found: list[Fitted], owner: int) -> Tracks:
    """Return the fitted models that are worth following as rows, without their target."""
    top = found[0].log_weight
    found = [f for f in found if f.log_weight > top + math.log(KEEP)]
    return Tracks(
        targets=(),
        x=np.array([f.x for f in found]),
        p=np.array([f.covariance for f in found]),
        log_weight=np.array([f.log_weight for f in found]),
        model=np.array([f.model for f in found], dtype=np.int64),
        owner=np.full(len(found), owner, dtype=np.int64),
        level_x=np.zeros((0, 6)),
        level_p=np.zeros((0, 6, 6)),
    )


def _is_due(config: Config, target: Target, t_ns: int) -> bool:
    """Return whether a track is young enough to be fitted again, and its last fit old enough."""
    age_s = (t_ns - target.first_t_ns) * 1e-9
    if age_s > _FIT_AGE_S_MAX or (age_s > _FIT_AGE_S and target.plots >= _FIT_PLOTS):
        return False
    pause_s = min(max(config.fit_share * age_s, config.fit_s_min), config.fit_s_max)
    return (t_ns - target.fitted_t_ns) * 1e-9 >= pause_s - 1e-6
