"""The life of a target: coasting, ended, demoted; and what is said of it."""

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from opencram.messages import Hypothesis, Message, Track
from opencram.tracking.config import Config
from opencram.tracking.judging import select_candidates
from opencram.tracking.state import (
    COASTING,
    DROPPED,
    INTERCEPTED,
    LOST,
    REASONS,
    STATUSES,
    Array,
    Candidates,
    Integers,
    State,
    Targets,
    Tracks,
)
from opencram.tracking.survey import DEMOTED, GOES_ON, describe, lower_triangles, stand, survey, survey_candidates
from opencram.tracking.world import World


def end_and_report(config: Config, constants: World, state: State, messages: list[Message]) -> State:
    """Set the status of every target, say what is due, and forget those that have ended.

    Writes into the targets of `state`, which must be this step's own.
    """
    if len(state.tracks.targets):
        state = _tracks_report(config, constants, state, messages)
    if len(state.candidates.targets):
        state = _candidates_report(config, constants, state, messages)
    return state


# ---- tracks ---------------------------------------------------------------------------------------


def _tracks_report(config: Config, constants: World, state: State, messages: list[Message]) -> State:
    tracks = state.tracks
    count = len(tracks.targets)
    best, speak = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.bool_)
    some = survey(
        tracks.targets, tracks.x, tracks.log_weight, tracks.owner, state.t_ns, config.coast_after,
        config.coast_s_max, constants.env, constants.origins, best, speak,
    )  # fmt: skip
    if state.killed:
        some = _end_killed(state, speak) or some
    if not some:
        return state
    chances = tracks.chances.copy()
    told, keep, kept, fate = describe(
        speak, tracks.targets, chances, tracks.log_weight, tracks.model, tracks.owner, state.t_ns, constants.report_ns,
        constants.tell_ns,
    )  # fmt: skip
    tracks = replace(tracks, chances=chances)
    spoken = np.flatnonzero(speak)
    standing = stand(spoken, best[spoken], chances, tracks.x, tracks.p, constants.class_of, len(constants.class_names))
    hypotheses = _hypotheses(config, tracks, told) if len(told) else {}
    messages.extend(_said(constants, state.t_ns, tracks.targets[spoken], standing, spoken.tolist(), hypotheses))
    state = replace(state, tracks=tracks)
    return state if kept else _prune(state, keep, fate)


def _end_killed(state: State, speak: NDArray[np.bool_]) -> bool:
    """End the tracks whose round is said to be destroyed and that no radar sees, in place; tell if there are any.

    A round that broke up goes on as wreckage; so long as the radars see it, its track goes on too.
    """
    targets = state.tracks.targets
    gone = (targets["status"] == COASTING) | ((targets["status"] == DROPPED) & (targets["reason"] == LOST))
    gone &= np.isin(targets["track_id"], state.killed)
    targets["status"][gone], targets["reason"][gone] = DROPPED, INTERCEPTED
    speak |= gone
    return bool(gone.any())


def _hypotheses(config: Config, tracks: Tracks, rows: Integers) -> dict[int, tuple[Hypothesis, ...]]:
    """Return, for each track that has any, the flight models that are told: those of `rows`."""
    found: dict[int, tuple[Hypothesis, ...]] = {}
    owners, models = tracks.owner[rows], tracks.model[rows]
    columns = owners.tolist(), models.tolist(), tracks.chances[owners, models].tolist()
    for owner, k, probability, line in zip(*columns, lower_triangles(rows, tracks.x, tracks.p).tolist(), strict=True):
        model = config.models[k]
        hypothesis = Hypothesis(
            class_name=model.class_name, curve=model.curve, probability=probability, mean=tuple(line[:10]),
            covariance=tuple(line[10:]),
        )  # fmt: skip
        found[owner] = (*found.get(owner, ()), hypothesis)
    return found


def _said(
    constants: World,
    t_ns: int,
    targets: Targets,
    standing: Array,
    spoken: list[int],
    hypotheses: dict[int, tuple[Hypothesis, ...]],
) -> list[Track]:
    """Return what is said of targets; `standing` from `stand`, `spoken`: their keys in `hypotheses`."""
    said = []
    for k, target, line in zip(spoken, targets.tolist(), standing.tolist(), strict=True):
        track_id, status, reason, plots, _, first_t_ns, _, updated_t_ns, *_ = target
        east, north, up, v_east, v_north, v_up, std, speed, *chances = line
        said.append(
            Track(
                t_ns=t_ns, track_id=track_id, status=STATUSES[status], position_enu_m=(east, north, up),
                velocity_enu_m_s=(v_east, v_north, v_up), position_m_std=std,
                classes=_classes(constants.class_names, chances, speed), plots=plots, first_t_ns=first_t_ns,
                updated_t_ns=updated_t_ns, hypotheses=hypotheses.get(k, ()), reason=REASONS[reason],
            )
        )  # fmt: skip
    return said


def _classes(names: tuple[str, ...], chances: list[float], speed_m_s: float) -> tuple[tuple[str, float], ...]:
    """Return class names and probabilities, most probable first; none if the target has not been judged yet."""
    ordered = [(-chance, name) for name, chance in zip(names, chances, strict=False) if chance]
    straight = chances[-1]
    if not ordered and not straight:
        return ()
    ordered.append((-straight, "bird" if speed_m_s < 25.0 else "drone" if speed_m_s < 60.0 else "aircraft"))
    ordered.sort()
    return tuple([(name, min(-chance, 1.0)) for chance, name in ordered])


def _prune(state: State, keep: NDArray[np.bool_], fate: Integers) -> State:
    """Forget tracks that have ended and flight models that are out of the question; demote what is no projectile.

    A body that turns out not to fall goes on in the small linear filter, under its number.
    """
    tracks = state.tracks
    alive = fate == GOES_ON
    demoted = fate == DEMOTED
    if demoted.any():
        few = state.candidates
        targets = tracks.targets[demoted]
        targets["fitted_t_ns"] = state.t_ns
        few = Candidates(
            targets=np.concatenate([few.targets, targets]),
            chances=np.concatenate([few.chances, tracks.chances[demoted]]),
            x=np.concatenate([few.x, tracks.level_x[demoted]]),
            p=np.concatenate([few.p, tracks.level_p[demoted]]),
            fall=np.concatenate([few.fall, np.zeros(len(targets))]),
        )
        state = replace(state, candidates=few)
    renumbered = np.cumsum(alive) - 1
    kept = Tracks(
        targets=tracks.targets[alive],
        chances=tracks.chances[alive],
        x=tracks.x[keep],
        p=tracks.p[keep],
        log_weight=tracks.log_weight[keep],
        model=tracks.model[keep],
        owner=renumbered[tracks.owner[keep]],
        level_x=tracks.level_x[alive],
        level_p=tracks.level_p[alive],
    )
    return replace(state, tracks=kept)


# ---- candidates -----------------------------------------------------------------------------------


def _candidates_report(config: Config, constants: World, state: State, messages: list[Message]) -> State:
    """Forget candidates without plots; report tentative tracks and bodies that do not fall."""
    few = state.candidates
    keep, spoken = survey_candidates(
        few.targets, state.t_ns, config.coast_s_max, config.misses_tentative, constants.report_ns
    )
    if len(spoken):
        standing = stand(spoken, spoken, few.chances, few.x, few.p, constants.class_of, len(constants.class_names))
        messages.extend(_said(constants, state.t_ns, few.targets[spoken], standing, spoken.tolist(), {}))
    return replace(state, candidates=select_candidates(few, keep)) if len(keep) < len(few.targets) else state
