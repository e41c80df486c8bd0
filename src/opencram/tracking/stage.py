"""Plots → tracks: one dwell of one sensor after the other.

A plot goes to the track it fits best (gate, two-dimensional assignment), else to a candidate, else it
starts one.  A candidate whose score and plots suffice is judged by the class bank: it becomes a track of
a projectile, with one filter for every flight model in question, or of a body that does not fall.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from opencram.messages import Association, Health, Message, Plot, Rejected, Tick
from opencram.tracking import candidates as linear
from opencram.tracking.config import Config
from opencram.tracking.dwell import Dwell, read_dwell
from opencram.tracking.filter import associate
from opencram.tracking.history import append
from opencram.tracking.judging import promote, refit
from opencram.tracking.life import end_and_report
from opencram.tracking.state import Candidates, State, Target, Tracks, nothing
from opencram.tracking.world import World, world

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


_PAUSE_NS = 30_000_000_000


def initial(config: Config) -> State:
    """Return the state before the first plot."""
    return nothing()


def step(config: Config, state: State, batch: Sequence[Message]) -> tuple[State, list[Message]]:
    """Return the state after the plots and ticks of `batch`, and what is to be said of them.

    Plots are taken dwell by dwell: runs of plots of one sensor.  Unknown sensors, late plots and plots
    that are no numbers come back as `Rejected`.
    """
    messages: list[Message] = []
    for run in _runs(batch):
        if isinstance(run, Tick):
            state = _advance(config, state, run.t_ns, messages)
        else:
            state = _dwell(config, state, run, messages)
    return state, messages


def _runs(batch: Sequence[Message]) -> Iterator[Tick | list[Plot]]:
    """Yield ticks, and lists of neighbouring plots of one sensor."""
    run: list[Plot] = []
    for message in batch:
        if isinstance(message, Plot):
            if run and run[-1].sensor != message.sensor:
                yield run
                run = []
            run.append(message)
        elif isinstance(message, Tick):
            if run:
                yield run
                run = []
            yield message
    if run:
        yield run


def _advance(config: Config, state: State, t_ns: int, messages: list[Message]) -> State:
    """Let time pass without plots: tracks coast, land, and end."""
    if t_ns <= state.t_ns:
        return state
    state = _after_pause(config, state, t_ns, messages)
    if not state.tracks.targets and not state.candidates.targets:
        return replace(state, t_ns=t_ns)
    if not config.sensors:
        return state
    constants = world(config)
    dwell = Dwell.empty(t_ns)
    tracks, _, _ = _update_tracks(config, constants, state, dwell)
    few, _, _ = _update_candidates(config, constants, state, dwell, np.zeros(0, dtype=np.bool_))
    state = replace(state, t_ns=t_ns, tracks=tracks, candidates=few)
    return end_and_report(config, constants, state, messages)


def _after_pause(config: Config, state: State, t_ns: int, messages: list[Message]) -> State:
    """Let everything end that a long pause ends, before the time is reached: nothing is flown through hours."""
    if state.tracks.targets or state.candidates.targets:
        end_ns = state.t_ns + _PAUSE_NS
        while t_ns > end_ns and (state.tracks.targets or state.candidates.targets):
            state = _advance(config, state, end_ns, messages)
            end_ns += _PAUSE_NS
    return state


def _dwell(config: Config, state: State, plots: list[Plot], messages: list[Message]) -> State:
    """Take in one dwell of one sensor."""
    constants = world(config)
    dwell = read_dwell(constants, plots, state.newest_t_ns - round(config.late_s_max * 1e9), messages)
    if dwell is None:
        return state
    state = _after_pause(config, state, dwell.t_ns, messages)
    tracks, track_of, gain_of = _update_tracks(config, constants, state, dwell)
    few, candidate_of, score_of = _update_candidates(config, constants, state, dwell, track_of < 0)
    ids = [
        tracks.targets[k].track_id if k >= 0 else (few.targets[c].track_id if c >= 0 else 0)
        for k, c in zip(track_of.tolist(), candidate_of.tolist(), strict=True)
    ]
    messages.append(Association(t_ns=dwell.t_ns, sensor=dwell.sensor_id, plot_ids=dwell.plot_ids, track_ids=tuple(ids)))
    state = replace(
        state, t_ns=dwell.t_ns, newest_t_ns=max(state.newest_t_ns, dwell.t_ns), tracks=tracks, candidates=few
    )
    state = _remember(config, state, dwell, (track_of, candidate_of, gain_of + score_of), messages)
    state = promote(config, constants, state)
    state = refit(config, constants, state)
    return end_and_report(config, constants, state, messages)


def _update_tracks(config: Config, constants: World, state: State, dwell: Dwell) -> tuple[Tracks, Integers, Array]:
    """Return the tracks moved to the dwell and given their plots; for each plot its track (−1: none) and its gain.

    The gain is the log likelihood of the plot if the track is no projectile.
    """
    tracks = state.tracks
    track_of = np.full(len(dwell.z), -1, dtype=np.int64)
    count = len(tracks.targets)
    if not count:
        return tracks, track_of, np.zeros(len(dwell.z))
    x, p, log_weight = tracks.x.copy(), tracks.p.copy(), tracks.log_weight.copy()
    plot_of = associate(
        x, p, log_weight, tracks.owner, count, (dwell.t_ns - state.t_ns) * 1e-9, tracks.model, constants.env,
        constants.curves, constants.rotations[dwell.sensor], constants.origins[dwell.sensor], dwell.z, dwell.variances,
        config.gate,
    )  # fmt: skip
    level_x, level_p = tracks.level_x.copy(), tracks.level_p.copy()
    gains = linear.follow_straight(
        level_x, level_p, (dwell.t_ns - state.t_ns) * 1e-9, dwell.z, dwell.variances, plot_of,
        constants.rotations[dwell.sensor], constants.origins[dwell.sensor],
    )  # fmt: skip
    given = np.flatnonzero(plot_of >= 0)
    track_of[plot_of[given]] = given
    gain_of = np.zeros(len(dwell.z))
    gain_of[plot_of[given]] = gains[given]
    tracks = replace(tracks, x=x, p=p, log_weight=log_weight, level_x=level_x, level_p=level_p)
    return tracks, track_of, gain_of


def _update_candidates(
    config: Config, constants: World, state: State, dwell: Dwell, free: NDArray[np.bool_]
) -> tuple[Candidates, Integers, Array]:
    """Return the candidates moved to the dwell, joined and started; for each plot its candidate (−1: none) and gain.

    The gain is what the plot adds to the score of the candidate.
    """
    few = state.candidates
    sensor = dwell.sensor
    rotation, origin = constants.rotations[sensor], constants.origins[sensor]
    x, p = few.x.copy(), few.p.copy()
    ages = np.full(len(x), (dwell.t_ns - state.t_ns) * 1e-9)
    plot_of, gains = linear.join(
        x, p, ages, few.fall, dwell.z, dwell.variances, free, rotation, origin, config.gate_tentative,
        constants.log_clutter[sensor], constants.log_detection[sensor],
    )  # fmt: skip
    candidate_of = np.full(len(dwell.z), -1, dtype=np.int64)
    joined = np.flatnonzero(plot_of >= 0)
    candidate_of[plot_of[joined]] = joined
    gain_of = np.zeros(len(dwell.z))
    gain_of[plot_of[joined]] = gains[joined]
    targets = list(few.targets)
    new = np.flatnonzero(free & (candidate_of < 0))[: max(0, config.candidates_max - len(targets))]
    if len(new):
        candidate_of[new] = len(targets) + np.arange(len(new))
        x_new, p_new = np.empty((len(new), 6)), np.empty((len(new), 6, 6))
        linear.start(dwell.z[new], dwell.variances[new], rotation, origin, config.speed_m_s_std, x_new, p_new)
        x, p = np.concatenate([x, x_new]), np.concatenate([p, p_new])
        blank = Target(
            track_id=0, status="tentative", first_t_ns=dwell.t_ns, updated_t_ns=dwell.t_ns, plots=0, last=-1,
            score=0.0, period_s=config.sensors[sensor].period_s,
        )  # fmt: skip
        targets.extend([blank] * len(new))
        few = replace(few, fall=np.concatenate([few.fall, np.ones(len(new))]))
    return replace(few, targets=tuple(targets), x=x, p=p), candidate_of, gain_of


def _remember(
    config: Config, state: State, dwell: Dwell, given: tuple[Integers, Integers, Array], messages: list[Message]
) -> State:
    """Write the plots into the history of their targets; report those that found no room.

    `given`: for each plot its track, its candidate (−1: none), and its gain.
    """
    tracks, few = list(state.tracks.targets), list(state.candidates.targets)
    track_of, candidate_of, gain_of = (column.tolist() for column in given)
    previous = [
        tracks[k].last if k >= 0 else few[c].last if c >= 0 else -1 for k, c in zip(track_of, candidate_of, strict=True)
    ]
    history, numbers = append(state.history, dwell.times_ns, dwell.sensor, dwell.z, dwell.weights, np.array(previous))
    period = config.sensors[dwell.sensor].period_s
    refused = 0
    for j, (k, c, gain, number) in enumerate(zip(track_of, candidate_of, gain_of, numbers.tolist(), strict=True)):
        if k >= 0:
            tracks[k] = _seen(tracks[k], dwell, number, period, gain)
        elif c >= 0:
            few[c] = _seen(few[c], dwell, number, period, gain)
        else:
            refused += 1
            reason = f"no room for another candidate: the limit is {config.candidates_max} (candidates_max)"
            messages.append(
                Rejected(
                    t_ns=dwell.t_ns, reason=reason, code="limit", sensor=dwell.sensor_id, plot_id=dwell.plot_ids[j]
                )
            )
    if (refused > 0) != state.full:
        reason = f"{refused} plots of one dwell found no room" if refused else "room for candidates again"
        messages.append(Health(t_ns=dwell.t_ns, part="tracking", state="degraded" if refused else "ok", reason=reason))
    return replace(
        state,
        history=history,
        full=refused > 0,
        tracks=replace(state.tracks, targets=tuple(tracks)),
        candidates=replace(state.candidates, targets=tuple(few)),
    )


def _seen(target: Target, dwell: Dwell, number: int, period_s: float, gain: float) -> Target:
    """Return the target with one more plot: of a candidate the score grows, of a track the weight of no projectile."""
    return replace(
        target,
        plots=target.plots + 1,
        last=number,
        updated_t_ns=max(target.updated_t_ns, dwell.t_ns),
        first_t_ns=min(target.first_t_ns, dwell.t_ns),
        period_s=max(target.period_s, period_s),
        score=target.score + gain,
        log_straight=target.log_straight + gain,
    )
