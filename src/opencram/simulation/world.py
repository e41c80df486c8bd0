"""The simulated world, stepped: `initial`, then `scan` and `act` by turns.

    state = initial(config)
    while not done(config, state):
        state, plots = scan(config, state, until_t_ns)     the radars' plots up to and with this time
        state, outcomes = act(config, state, messages)     the pipeline's engagements take effect

A state is never changed; each function returns a new one.  Flights are flown, and all that the radars
could see of them is drawn, when a body comes into the world: at the start, or when a round is broken.
Plots are then a matter of cutting slices from a sorted timeline, which is made one window at a time.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from msgspec.structs import replace as changed

from opencram.earth.geodesy import Frame, enu_from_geodetic
from opencram.messages import Engagement, Message, Plot
from opencram.simulation.debris import own_pieces
from opencram.simulation.effects import KILLS, Outcome, Piece, effector_of, engage, pieces
from opencram.simulation.flights import Flight, Flyer, positions_at
from opencram.simulation.launch import all_rounds
from opencram.simulation.model import GENERIC, Round, WorldConfig
from opencram.simulation.radars import (
    NOTHING_SEEN,
    Sightings,
    Station,
    Target,
    sightings,
    station,
)
from opencram.simulation.streams import stream
from opencram.simulation.telling import WINDOW_NS, Timeline, timeline_of
from opencram.simulation.things import Draft, Kind, first_things

_FAR_M = 1e6  # no engagement meets anything further away


@dataclass(frozen=True, kw_only=True)
class Body:
    """Something that falls: a round, or what is left of one.

    It flies from `start_t_ns` to `end_t_ns`, where it lands if `landed`; else something else became of
    it, or the world ended first.
    """

    name: str
    kind: Kind
    round: int  # −1: of none, or of a shot that met nothing
    ballistic_coefficient_kg_m2: float
    flight: Flight
    start_t_ns: int
    end_t_ns: int
    landed: bool
    seen: Sightings  # by all radars, were the flight to go on to its end
    class_name: str = ""
    source: str = GENERIC


@dataclass(frozen=True)
class Origins:
    """Which round each plot came from, newest dwells last: a chain, so that adding to it copies nothing."""

    before: "Origins | None"
    numbers: tuple[int, ...]
    things: tuple[int, ...]


class WorldState(msgspec.Struct, frozen=True, kw_only=True):
    """The world as it stands just before `next_t_ns`."""

    next_t_ns: int
    next_plot_id: int
    rounds: tuple[Round, ...]
    flyer: Flyer
    stations: tuple[Station, ...]
    bodies: tuple[Body, ...]
    window: int
    timeline: Timeline  # of the window
    pending: tuple[Engagement, ...]
    untold: tuple[Outcome, ...]  # outcomes that `act` has not returned yet
    outcomes: tuple[Outcome, ...]
    origins: Origins | None


def initial(config: WorldConfig) -> WorldState:
    """Return the world before its start, with all rounds flown.  The first call compiles the kernels."""
    rounds = all_rounds(config)
    flyer = Flyer.of(config)
    stations = tuple(station(config, number) for number in range(len(config.radars)))
    drafts = first_things(config, flyer, rounds)
    jumping = any(radar.faults.jumps_per_s > 0.0 for radar in config.radars)
    targets = [draft.target for draft in drafts] if jumping else []
    bodies = tuple(
        _body(config, stations, draft, [*targets[:number], *targets[number + 1 :]])
        for number, draft in enumerate(drafts)
    )
    return WorldState(
        next_t_ns=config.start_t_ns,
        next_plot_id=1,
        rounds=rounds,
        flyer=flyer,
        stations=stations,
        bodies=bodies,
        window=0,
        timeline=timeline_of(config, stations, bodies, 0),
        pending=(),
        untold=(),
        outcomes=(),
        origins=None,
    )


def done(config: WorldConfig, state: WorldState) -> bool:
    """Return whether the world has come to its end."""
    return state.next_t_ns > config.end_t_ns


def next_dwell_t_ns(config: WorldConfig, state: WorldState) -> int:
    """Return the time of the next dwell of any radar, or the end of the world: how far to `scan` for one."""
    following = (
        each.first_t_ns + max(-((each.first_t_ns - state.next_t_ns) // each.period_ns), 0) * each.period_ns
        for each in state.stations
    )
    return min(following, default=config.end_t_ns) if not done(config, state) else config.end_t_ns


def scan(config: WorldConfig, state: WorldState, until_t_ns: int) -> tuple[WorldState, list[Plot]]:
    """Return the plots not yet told up to and with `until_t_ns`, in order of time.

    Engagements that fall due on the way take effect at their time: a plot at the very time of an
    intercept is already none of the round's.
    """
    plots: list[Plot] = []
    last = min(until_t_ns, config.end_t_ns) + 1
    while state.next_t_ns < last:
        due = min((each.intercept_t_ns for each in state.pending), default=last)
        if due <= state.next_t_ns:
            state = _resolve_first(config, state)
            continue
        window_end = config.start_t_ns + (state.window + 1) * WINDOW_NS
        if state.next_t_ns >= window_end:
            window = (state.next_t_ns - config.start_t_ns) // WINDOW_NS
            state = changed(state, window=window, timeline=timeline_of(config, state.stations, state.bodies, window))
            continue
        state = _tell(config, state, min(last, due, window_end), plots)
    return state, plots


def act(config: WorldConfig, state: WorldState, messages: Iterable[Message]) -> tuple[WorldState, list[Outcome]]:
    """Take in the pipeline's messages; return what engagements did since the last call.

    An `Engagement` that says "fired" takes effect at its time of intercept, once: when `scan` comes
    there, or now if that time is past.  "aborted" before then calls it off.  Other messages do nothing.
    """
    engagements = [message for message in messages if type(message) is Engagement]
    if not (engagements or state.untold or state.pending):
        return state, []  # as for most batches
    pending = state.pending
    for message in engagements:
        known = {e.engagement_id for e in pending} | {o.engagement_id for o in state.outcomes}
        if message.state == "fired" and message.engagement_id not in known:
            pending = (*pending, message)
        elif message.state == "aborted":
            pending = tuple(each for each in pending if each.engagement_id != message.engagement_id)
    state = changed(state, pending=pending)
    while any(each.intercept_t_ns < state.next_t_ns for each in state.pending):
        state = _resolve_first(config, state)
    return changed(state, untold=()), list(state.untold)


def origins(state: WorldState) -> tuple[int, ...]:
    """Return the number of the round that each plot told so far came from, −1 for anything else."""
    return tuple(number for link in reversed(list(_links(state))) for number in link.numbers)


def things(state: WorldState) -> tuple[int, ...]:
    """Return the number in `bodies` of what each plot told so far shows; −1: chance, −2: rain, −3: the ground."""
    return tuple(number for link in reversed(list(_links(state))) for number in link.things)


def _links(state: WorldState) -> Iterator[Origins]:
    link = state.origins
    while link is not None:
        yield link
        link = link.before


# ---- bodies ---------------------------------------------------------------------------------------


def _piece(config: WorldConfig, state: WorldState, outcome: Outcome, piece: Piece, name: str, number: int) -> Draft:
    """Return a dud or a piece of debris, from where its round was at the time of the outcome."""
    what = state.rounds[outcome.round]
    flight = state.flyer.fly(what, piece.position_enu_m, piece.velocity_enu_m_s, piece.ballistic_coefficient_kg_m2)
    landing_t_ns = outcome.t_ns + round(flight.t_s[-1] * 1e9)
    effects, debris = config.effects, piece.kind == "debris"
    target = Target(
        name=name,
        origin=outcome.round,
        flight=flight,
        start_t_ns=outcome.t_ns,
        end_t_ns=min(landing_t_ns, outcome.t_ns + round(effects.debris_seen_s * 1e9)) if debris else landing_t_ns,
        thing=number,
        detection_share=effects.debris_detection_share if debris else 1.0,
        snr_db=effects.debris_snr_db if debris else 0.0,
    )
    return Draft(
        target=target, kind=piece.kind, class_name="", ballistic_coefficient_kg_m2=piece.ballistic_coefficient_kg_m2
    )


def _own_bodies(config: WorldConfig, state: WorldState, outcome: Outcome, engagement: Engagement) -> list[Body]:
    """Return what the shot itself lets fall: too small to be seen by radars, but it lands somewhere."""
    effector = effector_of(config, engagement.effector)
    if effector is None or not max(map(abs, engagement.intercept_enu_m)) < _FAR_M:
        return []
    site = Frame(config.latitude_rad, config.longitude_rad, config.height_m)
    place = enu_from_geodetic(site, effector.latitude_rad, effector.longitude_rad, effector.height_m)
    left = own_pieces(
        config.effects,
        effector,
        place,
        stream(config.seed, f"{outcome.luck}/own"),
        rounds=engagement.rounds,
        at=engagement.intercept_enu_m,
    )
    blunt = Round(
        name="piece",
        class_name="shell",
        launch_t_ns=outcome.t_ns,
        position_enu_m=engagement.intercept_enu_m,
        velocity_enu_m_s=(0.0, 0.0, 0.0),
        ballistic_coefficient_kg_m2=1.0,
        curve="G1",
    )
    bodies = []
    for k, piece in enumerate(left):
        flight = state.flyer.fly(blunt, piece.position_enu_m, piece.velocity_enu_m_s, piece.ballistic_coefficient_kg_m2)
        bodies.append(
            Body(
                name=f"own/{engagement.engagement_id}/{k}",
                kind=piece.kind,
                round=-1,
                ballistic_coefficient_kg_m2=piece.ballistic_coefficient_kg_m2,
                flight=flight,
                start_t_ns=outcome.t_ns,
                end_t_ns=outcome.t_ns + round(flight.t_s[-1] * 1e9),
                landed=flight.landed,
                seen=NOTHING_SEEN,
            )
        )
    return bodies


def _body(config: WorldConfig, stations: tuple[Station, ...], draft: Draft, others: Sequence[Target] = ()) -> Body:
    target = draft.target
    seen = [sightings(config, each, target, others) for each in stations]
    return Body(
        name=target.name,
        kind=draft.kind,
        round=target.origin,
        ballistic_coefficient_kg_m2=draft.ballistic_coefficient_kg_m2,
        flight=target.flight,
        start_t_ns=target.start_t_ns,
        end_t_ns=target.start_t_ns + round(target.flight.t_s[-1] * 1e9),
        landed=target.flight.landed,
        seen=np.concatenate(seen) if seen else NOTHING_SEEN,
        class_name=draft.class_name,
        source=draft.source,
    )


# ---- engagements ----------------------------------------------------------------------------------


def _resolve_first(config: WorldConfig, state: WorldState) -> WorldState:
    """Let the earliest pending engagement take effect; equal times go by number."""
    first = min(state.pending, key=lambda each: (each.intercept_t_ns, each.engagement_id))
    # Told of late, it cannot take back plots that are out.
    t_ns = max(first.intercept_t_ns, state.next_t_ns)
    outcome, body = _outcome(config, state, first, t_ns)
    state = changed(
        state,
        pending=tuple(each for each in state.pending if each is not first),
        untold=(*state.untold, outcome),
        outcomes=(*state.outcomes, outcome),
    )
    state = changed(state, bodies=(*state.bodies, *_own_bodies(config, state, outcome, first)))
    if body is None or not outcome.killed:
        return state
    hit = state.bodies[body]
    position, velocity = positions_at(hit.flight, np.array([(t_ns - hit.start_t_ns) * 1e-9]))
    left = pieces(config, outcome, position[0], velocity[0], hit.ballistic_coefficient_kg_m2)
    stem = f"round/{outcome.round}/{outcome.engagement_id}"
    bodies = list(state.bodies)
    bodies[body] = replace(hit, end_t_ns=t_ns, landed=False, seen=hit.seen[hit.seen["t_ns"] < t_ns])
    if any(radar.faults.jumps_per_s > 0.0 for radar in config.radars):  # nor does any radar jump to it from now on
        bodies = [replace(b, seen=b.seen[(b.seen["thing"] != body) | (b.seen["t_ns"] < t_ns)]) for b in bodies]
    for k, piece in enumerate(left):
        bodies.append(_body(config, state.stations, _piece(config, state, outcome, piece, f"{stem}/{k}", len(bodies))))
    return changed(
        state, bodies=tuple(bodies), timeline=timeline_of(config, state.stations, tuple(bodies), state.window)
    )


def _outcome(config: WorldConfig, state: WorldState, engagement: Engagement, t_ns: int) -> tuple[Outcome, int | None]:
    """Return what the engagement does, and the number of the body that it meets: the nearest to its cue."""
    aloft = [
        number
        for number, body in enumerate(state.bodies)
        if body.kind in ("round", "dud") and body.start_t_ns <= t_ns < body.end_t_ns
    ]
    if not aloft:
        nothing = Outcome(
            t_ns=t_ns,
            engagement_id=engagement.engagement_id,
            track_id=engagement.track_id,
            effector=engagement.effector,
            round=-1,
            result="no_target",
        )
        return nothing, None
    moments = [
        positions_at(state.bodies[n].flight, np.array([(t_ns - state.bodies[n].start_t_ns) * 1e-9])) for n in aloft
    ]
    places = np.concatenate([position for position, _ in moments])
    nearest = min(range(len(aloft)), key=lambda k: math.dist(engagement.intercept_enu_m, places[k]))
    body = state.bodies[aloft[nearest]]
    before = sum(each.round == body.round for each in state.outcomes)
    velocity = moments[nearest][1][0]
    outcome = engage(config, engagement, body.round, places[nearest], velocity_enu_m_s=velocity, shot=before)
    outcome = replace(outcome, t_ns=t_ns)
    if body.kind == "dud" and outcome.result in KILLS:
        outcome = replace(outcome, result="break_up")  # it did not go off before, nor does it now
    return outcome, aloft[nearest]


# ---- plots ----------------------------------------------------------------------------------------


def _tell(config: WorldConfig, state: WorldState, before_t_ns: int, plots: list[Plot]) -> WorldState:
    """Append the plots of [next_t_ns, before) within the window to `plots`; return the state after them."""
    rows = state.timeline.between(state.next_t_ns, before_t_ns)
    if rows.start == rows.stop:
        return changed(state, next_t_ns=before_t_ns)
    plots += state.timeline.plots(config, rows, state.next_plot_id)
    return changed(
        state,
        next_t_ns=before_t_ns,
        next_plot_id=state.next_plot_id + rows.stop - rows.start,
        origins=Origins(state.origins, tuple(state.timeline.origin[rows]), tuple(state.timeline.thing[rows])),
    )
