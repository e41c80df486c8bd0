"""The pipeline, and the only file that knows all stages.

    plots → tracks → impacts → threats → warnings and engagements

A batch is what one dwell of one sensor saw, closed by a `Tick` that says how far data time has come.  `step`
takes a batch through the stages in that order; `dwells` cuts a stream of plots into batches; `run` does both
and, when the plots end, lets time go on until every track has ended and every alarm has had its all-clear.
Recorded plots, a simulation, a replay and a live service all drive this one `step`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, TypeVarTuple

from opencram import engagement, prediction, threat, tracking, warning
from opencram.messages import Engagement, Impact, Message, Plot, Tick, Track, Warning

DWELL_PLOTS_MAX = 5000  # a flood at one instant is cut into dwells of this size
BATCH_MESSAGES_MAX = 20_000  # and input without a single good plot into batches of this size

# After the last plot time goes on in steps: short ones while anything may still be in the air …
AIR_STEP_NS = 100_000_000
AIR_NS_MAX = 600_000_000_000  # no projectile of the classes flies longer
OVERDUE_NS = 5_000_000_000  # a round this long past its predicted impact has fallen
# … and from one end of an alarm to the next when nothing is.
ALARM_STEP_NS = 1_000_000_000
ALARM_NS_MAX = 86_400_000_000_000  # no alarm outlives its day

_Args = TypeVarTuple("_Args")
_Result = TypeVar("_Result")


class Call(Protocol):
    """How a pure function is called: at once, or by somebody who knows its result already."""

    def __call__(self, function: Callable[[*_Args], _Result], *args: *_Args) -> _Result:
        """Return what the function makes of the arguments."""


def plainly(function: Callable[[*_Args], _Result], *args: *_Args) -> _Result:
    """Call the function."""
    return function(*args)


_ALARM_OVER = ("cancelled", "all_clear", "expired")


@dataclass(frozen=True, kw_only=True)
class PipelineConfig:
    """The configuration of every stage, and how long a dwell of each sensor lasts at most."""

    tracking: tracking.Config
    prediction: prediction.Config
    threat: threat.Config
    warning: warning.Config
    engagement: engagement.Config
    dwell_ns: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PipelineState:
    """The state of every stage, and what is still alive, which says when time has run its course."""

    tracking: tracking.State
    prediction: prediction.State
    threat: threat.State
    warning: warning.State
    engagement: engagement.State
    now_ns: int = 0
    last_plot_t_ns: int = 0
    open_tracks: frozenset[int] = frozenset()
    in_air_until_ns: int = 0  # by when the last predicted impact has come, or will not
    alarm_expiries_ns: Mapping[int, int] = field(default_factory=dict)  # of the alarms that stand
    shots: tuple[Engagement, ...] = ()  # of the last batch, which the tracker is to hear of


def initial(config: PipelineConfig, call: Call = plainly) -> PipelineState:
    """Return the state before the first plot."""
    return PipelineState(
        tracking=call(tracking.initial, config.tracking),
        prediction=call(prediction.initial, config.prediction),
        threat=call(threat.initial, config.threat),
        warning=call(warning.initial, config.warning),
        engagement=call(engagement.initial, config.engagement),
    )


def step(
    config: PipelineConfig, state: PipelineState, batch: Sequence[Message], call: Call = plainly
) -> tuple[PipelineState, list[Message]]:
    """Take one batch through all stages; return the new state and all that the stages had to say, in order."""
    plots = sum(type(message) is Plot for message in batch)
    ticks = [message for message in batch if type(message) is not Plot]  # with what operators and effectors did

    tracking_state, tracks = call(tracking.step, config.tracking, state.tracking, [*state.shots, *batch])
    prediction_state, impacts = call(prediction.step, config.prediction, state.prediction, [*tracks, *ticks])
    threat_state, threats = call(threat.step, config.threat, state.threat, [*impacts, *ticks])
    known = [*tracks, *impacts, *threats, *ticks]  # ticks last: first what is new, then what falls due
    warning_state, warnings = call(warning.step, config.warning, state.warning, known)
    engagement_state, decisions = call(engagement.step, config.engagement, state.engagement, known)

    now_ns = max([state.now_ns, *(message.t_ns for message in ticks if type(message) is Tick)])
    new_state = PipelineState(
        tracking=tracking_state,
        prediction=prediction_state,
        threat=threat_state,
        warning=warning_state,
        engagement=engagement_state,
        now_ns=now_ns,
        last_plot_t_ns=now_ns if plots else state.last_plot_t_ns,
        open_tracks=_open_tracks(state.open_tracks, tracks),
        in_air_until_ns=max(
            [state.in_air_until_ns, *(m.impact_t_ns + OVERDUE_NS for m in impacts if type(m) is Impact)]
        ),
        alarm_expiries_ns=_alarm_expiries_ns(state.alarm_expiries_ns, warnings),
        shots=_shots(decisions) if config.engagement.closed_loop else (),
    )
    return new_state, [*tracks, *impacts, *threats, *warnings, *decisions]


def run(config: PipelineConfig, messages: Iterable[Message]) -> Iterator[tuple[Sequence[Message], Sequence[Message]]]:
    """Yield each batch of `messages` with what the pipeline made of it, to the end of the last alarm."""
    state = initial(config)
    for batch in dwells(config, messages):
        state, made = step(config, state, batch)
        yield batch, made
    while (due_ns := due_t_ns(config, state)) is not None:
        batch = [Tick(t_ns=due_ns)]
        state, made = step(config, state, batch)
        yield batch, made


def dwells(config: PipelineConfig, messages: Iterable[Message]) -> Iterator[list[Message]]:
    """Cut a stream into batches: consecutive plots of one sensor at (nearly) one time, closed by a tick.

    What a reader rejected rides along and parts no dwell, so that a bad line changes nothing for the good ones.
    The clock of the ticks never goes back, whatever the plots do.
    """
    batch: list[Message] = []
    sensor, first_ns, window_ns, plots, now_ns = "", 0, 0, 0, 0
    for message in messages:
        if type(message) is Plot:
            apart_ns = message.t_ns - first_ns
            same = message.sensor == sensor and -window_ns <= apart_ns <= window_ns and plots < DWELL_PLOTS_MAX
            if plots and not same:
                yield [*batch, Tick(t_ns=now_ns)]
                batch, plots = [], 0
            if not plots:
                sensor, first_ns = message.sensor, message.t_ns
                window_ns = config.dwell_ns.get(sensor, 0)
            plots += 1
            now_ns = max(now_ns, message.t_ns)
        elif len(batch) >= BATCH_MESSAGES_MAX:
            yield [*batch, Tick(t_ns=now_ns)] if plots else batch
            batch, plots = [], 0
        batch.append(message)
    if batch:
        yield [*batch, Tick(t_ns=now_ns)] if plots else batch


def batches_of(inputs: Iterable[Message]) -> Iterator[list[Message]]:
    """Cut recorded inputs into the batches that they were when they were recorded: a tick closes each."""
    batch: list[Message] = []
    for message in inputs:
        batch.append(message)
        if type(message) is Tick:
            yield batch
            batch = []
    if batch:
        yield batch


def due_t_ns(config: PipelineConfig, state: PipelineState) -> int | None:
    """Return when the next tick is due once plots have ended, or None when nothing is alive any more."""
    waited_ns = state.now_ns - state.last_plot_t_ns
    in_air = state.open_tracks or state.now_ns < state.in_air_until_ns
    if in_air and waited_ns < AIR_NS_MAX:
        return state.now_ns + AIR_STEP_NS
    if state.alarm_expiries_ns and waited_ns < ALARM_NS_MAX:
        # An alarm expires a while after it should have ended, for those who miss its end.
        margin_ns = round(config.warning.expiry_margin_s * 1e9)
        return max(min(state.alarm_expiries_ns.values()) - margin_ns, state.now_ns + ALARM_STEP_NS)
    return None


def _shots(messages: Sequence[Message]) -> tuple[Engagement, ...]:
    """Return what tells where rounds may break up.  That one is believed killed ends no track: the radars do."""
    return tuple([m for m in messages if type(m) is Engagement and m.state in ("fired", "missed", "aborted")])


def _open_tracks(open_tracks: frozenset[int], messages: Sequence[Message]) -> frozenset[int]:
    opened = {m.track_id for m in messages if type(m) is Track and m.status != "dropped"} - open_tracks
    closed = {m.track_id for m in messages if type(m) is Track and m.status == "dropped"}
    return (open_tracks | opened) - closed if opened or closed else open_tracks


def _alarm_expiries_ns(expiries_ns: Mapping[int, int], messages: Sequence[Message]) -> Mapping[int, int]:
    changed = [message for message in messages if type(message) is Warning]
    if not changed:
        return expiries_ns
    merged = {**expiries_ns, **{message.alarm_id: message.expires_t_ns for message in changed}}
    over = {message.alarm_id for message in changed if message.state in _ALARM_OVER}
    return {alarm_id: t_ns for alarm_id, t_ns in merged.items() if alarm_id not in over}
