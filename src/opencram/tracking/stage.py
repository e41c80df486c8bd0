"""Plots → tracks: one dwell of one sensor after the other.

A plot goes to the track it fits best (gate, two-dimensional assignment), else to a candidate, else it
starts one.  A candidate whose score and plots suffice is judged by the class bank: it becomes a track of
a projectile, with one filter for every flight model in question, or of a body that does not fall.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from opencram.messages import Association, Engagement, Health, Message, Plot, Rejected, Tick
from opencram.tracking.beside import counted
from opencram.tracking.config import Config
from opencram.tracking.dwell import Dwell, read_dwell
from opencram.tracking.errors import SLOW, WHITE
from opencram.tracking.following import FIT_AGE_S_MAX, OWNER, PREVIOUS, REFUSED, TRACK_ID, follow, gather
from opencram.tracking.history import History, append
from opencram.tracking.judging import promote, refit
from opencram.tracking.life import end_and_report
from opencram.tracking.listening import listen, with_sensors
from opencram.tracking.pieces import with_shots
from opencram.tracking.registration import corrected
from opencram.tracking.state import Array, Candidates, Integers, State, Tracks, nothing
from opencram.tracking.surroundings import Surroundings, count_plots, log_clutter_at, watched
from opencram.tracking.untangle import untangled
from opencram.tracking.world import World, world

_PAUSE_NS = 30_000_000_000
_UNTANGLE_NS = 200_000_000
_FEW = 4  # tracks: with more, narrow gates tell rounds apart, and what the radar's errors are is soon known


def initial(config: Config) -> State:
    """Return the state before the first plot."""
    return nothing(len(config.models), world(config).variances)


def step(config: Config, state: State, batch: Sequence[Message]) -> tuple[State, list[Message]]:
    """Return the state after the plots and ticks of `batch`, and what is to be said of them.

    A track whose round is said to be destroyed, and that has no more plots, ends as intercepted; what begins where a
    shot met a round, and flies as pieces do, stays a candidate.
    Plots are taken dwell by dwell: runs of plots of one sensor.  Unknown sensors, late plots and plots
    that are no numbers come back as `Rejected`.
    """
    messages: list[Message] = []
    state = with_sensors(world(config), state)
    told = [m for m in batch if type(m) is Engagement]
    if told or state.shots:
        killed = (*state.killed, *[m.track_id for m in told if m.state == "killed"])[-config.tracks_max :]
        state = with_shots(replace(state, killed=killed), told, config.tracks_max)
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
    if not _follows_any(state):
        return replace(state, t_ns=t_ns)
    if not config.sensors:
        return state
    constants = world(config)
    state, _, _ = _take(config, constants, state, Dwell.empty(t_ns), messages)
    return end_and_report(config, constants, state, messages)


def _after_pause(config: Config, state: State, t_ns: int, messages: list[Message]) -> State:
    """Let everything end that a long pause ends, before the time is reached: nothing is flown through hours."""
    if _follows_any(state):
        end_ns = state.t_ns + _PAUSE_NS
        while t_ns > end_ns and _follows_any(state):
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
    state, given, refused = _take(config, constants, state, dwell, messages)
    state = replace(state, newest_t_ns=max(state.newest_t_ns, dwell.t_ns))
    track_ids = tuple(given[TRACK_ID].tolist())
    messages.append(Association(t_ns=dwell.t_ns, sensor=dwell.sensor_id, plot_ids=dwell.plot_ids, track_ids=track_ids))
    state = _watched(config, state, dwell, int(np.count_nonzero(given[TRACK_ID] == 0)), messages)
    if refused or state.full:
        state = _say_refused(config, state, dwell, given[OWNER] == REFUSED, messages)
    return end_and_report(config, constants, state, messages)


def _watched(config: Config, state: State, dwell: Dwell, unwanted: int, messages: list[Message]) -> State:
    """Return the state that knows of so many plots that no target has; a flood of them is reported."""
    sensor = config.sensors[dwell.sensor]
    around, said = watched(
        state.surroundings, sensor.id, dwell.t_ns, sensor.period_s, sensor.clutter_per_scan, unwanted
    )
    messages += said
    return replace(state, surroundings=around)


def _follows_any(state: State) -> bool:
    return bool(len(state.tracks.targets) or len(state.candidates.targets))


def _take(
    config: Config, constants: World, state: State, dwell: Dwell, messages: list[Message]
) -> tuple[State, Integers, int]:
    """Return the state moved to the dwell with its plots taken in and all fits made that are due.

    Also returns what `following` says of each plot (3, n), and how many found no room.
    """
    sensor, number = dwell.sensor, state.history.written
    dt, period_ns = (dwell.t_ns - state.t_ns) * 1e-9, constants.periods_ns[sensor]
    rotation, origin, errors = constants.rotations[sensor], constants.origins[sensor], state.noise.errors
    gate, limits = config.gate, constants.start_limits
    if not state.noise.sure[sensor] and len(state.tracks.targets) < _FEW:
        gate, limits = config.gate_unsure, constants.start_limits_unsure
    white = dwell.variances * errors[sensor, :, WHITE] ** 2
    wholes = white + errors[sensor, :, SLOW] ** 2
    given = np.full((3, len(dwell.z)), -1, dtype=np.int64)
    given[TRACK_ID] = 0
    tracks, few, next_track_id = state.tracks, state.candidates, state.next_track_id
    due_count, ripe_count, refused, left = 0, 0, 0, len(dwell.z)
    resolved, told = state.resolved, list[Array]()
    if len(tracks.targets):
        tracks, resolved = _own(tracks), resolved.copy()
        due, due_count, left, *told = follow(
            tracks.targets, tracks.x, tracks.p, tracks.log_weight, tracks.model, tracks.owner, tracks.level_x,
            tracks.level_p, dwell.t_ns, dt, constants.env, constants.bank.curves, rotation, origin, sensor, errors,
            dwell.z, white, wholes, dwell.weights, period_ns, number, gate, constants.fit_pauses,
            resolved[sensor], given,
        )  # fmt: skip
    followed, beside = given[OWNER] >= 0, given[PREVIOUS] == -1
    twice = int(np.count_nonzero(followed & beside))
    doubled = counted(state.doubled, sensor, int(np.count_nonzero(followed)) - twice, twice)
    around = state.surroundings
    if left or len(few.targets):
        around, clutter = (
            _around(constants, around, dwell, given[OWNER] < 0) if left else (around, np.zeros(len(dwell.z)))
        )
        targets, chances, x, p, fall, ripe, ripe_count, refused, next_track_id = gather(
            few.targets, few.chances, few.x, few.p, few.fall, dwell.t_ns, dt, rotation, origin,
            corrected(state.registration, sensor, dwell.z),
            white, np.ascontiguousarray(dwell.weights[:, 3]), clutter, constants.log_chances[sensor], period_ns, number,
            limits, constants.confirmation, next_track_id, tracks.x, tracks.owner, given,
        )  # fmt: skip
        few = Candidates(targets=targets, chances=chances, x=x, p=p, fall=fall)
    history, was_ns = state.history, state.t_ns
    if len(dwell.z):
        history = _remembered(history, dwell, given[PREVIOUS], told)
    state = State(
        t_ns=dwell.t_ns, newest_t_ns=state.newest_t_ns, next_track_id=next_track_id, tracks=tracks, candidates=few,
        history=history, surroundings=around, noise=state.noise, registration=state.registration, doubled=doubled,
        resolved=resolved, killed=state.killed, shots=state.shots, full=state.full, behind=state.behind,
    )  # fmt: skip
    if ripe_count:
        state = promote(config, constants, state, ripe, period_ns)
    if due_count:
        state = refit(config, constants, state, due, period_ns)
    if len(tracks.targets) + len(few.targets) > 1 and dwell.t_ns // _UNTANGLE_NS > was_ns // _UNTANGLE_NS:
        state = _untangled(config, constants, state)
    if len(state.tracks.targets) and len(dwell.z):
        state = listen(config, constants, state, sensor, messages)
    return state, given, refused


def _remembered(history: History, dwell: Dwell, previous: Integers, told: list[Array]) -> History:
    """Return the history with the plots of a dwell, and behind them what those of two rounds told each of them."""
    times_ns, z, weights = dwell.times_ns, dwell.z, dwell.weights
    if told and len(told[0]):
        z, weights = np.concatenate([z, told[0]]), np.concatenate([weights, told[1]])
        previous = np.concatenate([previous, told[2].astype(np.int64)])
        times_ns = np.concatenate([times_ns, np.full(len(told[0]), dwell.t_ns)])
    return append(history, times_ns, dwell.sensor, z, weights, previous)


def _untangled(config: Config, constants: World, state: State) -> State:
    """Return the state with the plots of neighbouring tracks shared out again, where they have been exchanged."""
    since_ns = state.t_ns - round(FIT_AGE_S_MAX * 1e9)
    state, changed = untangled(config, constants, state, since_ns)
    return refit(config, constants, state, changed, 0) if changed.any() else state


def _around(
    constants: World, known: Surroundings, dwell: Dwell, free: NDArray[np.bool_]
) -> tuple[Surroundings, NDArray[np.float64]]:
    """Return the map with the free plots of a dwell counted, and the log density of clutter that they met."""
    begun = known.begun if dwell.sensor_id in known.begun else {**known.begun, dwell.sensor_id: dwell.t_ns}
    clutter = log_clutter_at(
        known.counts, known.t_ns, begun[dwell.sensor_id], dwell.t_ns, dwell.sensor, constants.periods_ns[dwell.sensor],
        dwell.z, constants.log_clutter[dwell.sensor],
    )  # fmt: skip
    counts, t_ns = known.counts.copy(), known.t_ns.copy()
    count_plots(counts, t_ns, dwell.t_ns, dwell.sensor, dwell.z, free)
    return replace(known, counts=counts, t_ns=t_ns, begun=begun), clutter


def _own(tracks: Tracks) -> Tracks:
    """Return the tracks with copies of what a dwell writes into."""
    return Tracks(
        targets=tracks.targets.copy(), chances=tracks.chances, x=tracks.x.copy(), p=tracks.p.copy(),
        log_weight=tracks.log_weight.copy(), model=tracks.model, owner=tracks.owner, level_x=tracks.level_x.copy(),
        level_p=tracks.level_p.copy(),
    )  # fmt: skip


def _say_refused(
    config: Config, state: State, dwell: Dwell, refused: NDArray[np.bool_], messages: list[Message]
) -> State:
    """Report the plots that found no room, and when that begins and ends."""
    count = int(refused.sum())
    reason = f"no room for another candidate: the limit is {config.candidates_max} (candidates_max)"
    for j in np.flatnonzero(refused).tolist():
        messages.append(
            Rejected(t_ns=dwell.t_ns, reason=reason, code="limit", sensor=dwell.sensor_id, plot_id=dwell.plot_ids[j])
        )
    if (count > 0) == state.full:
        return state
    reason = f"{count} plots of one dwell found no room" if count else "room for candidates again"
    messages.append(Health(t_ns=dwell.t_ns, part="tracking", state="degraded" if count else "ok", reason=reason))
    return replace(state, full=count > 0)
