"""Listening to the radars: what tracks say of their errors and biases, and what follows from it for the tracks."""

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from opencram.ballistics.propagation import STATES
from opencram.messages import Message
from opencram.tracking import registration as biases
from opencram.tracking.config import Config
from opencram.tracking.errors import POLAR, SLOW
from opencram.tracking.history import columns
from opencram.tracking.judging import REFOLLOW_TURNS, refollow, room_for
from opencram.tracking.noise import begun_anew, chosen, heard, is_due, joined, looked_at, told
from opencram.tracking.ripples import among_others
from opencram.tracking.state import Integers, State
from opencram.tracking.untangle import NEAR_M
from opencram.tracking.world import World

Array = NDArray[np.float64]

_PLOTS_MIN = 3  # of a candidate that counts as a body beside a track
_REFOLLOWED_MAX = 100  # in a dwell, 2 ms each: a flood must not stop the clock, and the others learn as they go


def listen(config: Config, constants: World, state: State, sensor: int, messages: list[Message]) -> State:
    """Hold one track against the errors that a sensor states, if it is time; where they prove others, follow anew.

    Tracks are followed again some a dwell, the oldest first.  A radar that begins to err more than it states, or
    ends to, is reported.
    """
    if is_due(state.noise, sensor, state.t_ns):
        state = _look(config, constants, state, sensor, messages)
    if not state.behind:
        return state
    room = min(room_for(REFOLLOW_TURNS, constants.periods_ns[sensor]), _REFOLLOWED_MAX)
    behind = np.flatnonzero(np.isin(state.tracks.targets["track_id"], state.behind)).tolist()
    now = behind[:room]
    left = state.tracks.targets["track_id"][behind[len(now) :]].tolist()
    return refollow(config, constants, replace(state, behind=tuple(left)), now)


def _look(config: Config, constants: World, state: State, sensor: int, messages: list[Message]) -> State:
    """Look at one track; where it proves other errors than were believed, all tracks are behind."""
    state = _register(config, state, messages)
    t_ns, tracks = state.t_ns, state.tracks
    noise = looked_at(state.noise, sensor, t_ns)
    track_ids, firsts_ns = tracks.targets["track_id"].tolist(), tracks.targets["since_t_ns"].tolist()
    beside = tracks.targets["track_id"][_beside_others(state)].tolist()
    noise = begun_anew(noise, sensor, beside, t_ns)
    k = chosen(noise, sensor, track_ids, firsts_ns, t_ns)
    if k is None:
        return replace(state, noise=noise)
    rows = np.flatnonzero(tracks.owner == k)
    r = int(rows[np.argmax(tracks.log_weight[rows])])
    looked = (
        _spreads(tracks.p[r], constants.bank.deviations[tracks.model[r]]), columns(state.history),
        int(tracks.targets[k]["last"]), config.window_plots_max, constants.env,
        constants.bank.curves[tracks.model[r]], constants.rotations, constants.origins,
    )  # fmt: skip
    noise = heard(noise, sensor, track_ids, k, firsts_ns[k], t_ns, tracks.x[r, :STATES].copy(), looked)
    period_s = constants.periods_ns[sensor] * 1e-9
    noise, changed, said = told(noise, sensor, config.sensors[sensor].id, period_s, t_ns)
    messages += said
    return replace(state, noise=noise, behind=tuple(track_ids) if changed else state.behind)


def _spreads(p: Array, deviations: Array) -> Array:
    """Return by how much (10) the round of a filter of this covariance may differ from its mean, radar errors aside.

    A filter that believes in white errors follows slow ones, and is surer than it may be: ten times its deviations of
    position and velocity, and of the flight model what was known beforehand.
    """
    known = np.sqrt(np.maximum(np.diagonal(p)[:6], 0.0))
    place, speed = 10.0 * known[:3].max() + 1.0, 10.0 * known[3:].max() + 0.1
    return np.concatenate([np.full(3, place), np.full(3, speed), deviations])


def _beside_others(state: State) -> Integers:
    """Return the numbers of the tracks that have another beside them, or a candidate that falls and may be one.

    Only what has a plot of this dwell counts, so that both have one: a radar that errs more than it states makes
    candidates beside a lone round, of plots that are outside its track's gate.
    """
    tracks, few = state.tracks, state.candidates
    seen = np.flatnonzero(tracks.targets["updated_t_ns"] == state.t_ns)
    firsts = np.searchsorted(tracks.owner, seen)
    bodies = (few.targets["updated_t_ns"] == state.t_ns) & (few.targets["plots"] >= _PLOTS_MIN) & (few.fall > 0.0)
    beside: Integers = seen[among_others(tracks.x[firsts], few.x[bodies], NEAR_M)]
    return beside


def _register(config: Config, state: State, messages: list[Message]) -> State:
    """Hear what the tracks say of the biases of several sensors; report one that stands apart, or no longer does."""
    count = len(state.registration.mean)
    if not count or state.t_ns < state.registration.due_ns:
        return state
    tracks, targets = state.tracks, state.tracks.targets
    best = np.lexsort((-tracks.log_weight, tracks.owner))[np.searchsorted(tracks.owner, np.arange(len(targets)))]
    registration = biases.heard(
        state.registration, targets["track_id"].tolist(), targets["first_t_ns"].tolist(), tracks.x[best, -count:],
        tracks.p[best, -count:, -count:], state.t_ns,
    )  # fmt: skip
    ids = tuple(sensor.id for sensor in config.sensors)
    registration, said = biases.health(registration, ids, state.noise.stated, state.t_ns)
    messages += said
    return replace(state, registration=registration)


def with_sensors(constants: World, state: State) -> State:
    """Return the state with room for the sensors that a changed site file has added behind the known ones."""
    more = len(constants.variances) - len(state.noise.stated)
    if more <= 0:
        return state
    noise, tracks = joined(state.noise, constants.variances[-more:]), state.tracks
    registration = biases.joined(state.registration, more)
    known = STATES + POLAR * len(state.noise.stated)  # flights and slow errors
    count, size = len(tracks.x), known + POLAR * more + len(registration.mean)
    # Where each state of before stands now: biases come behind all slow errors.
    places = np.concatenate([np.arange(known), known + POLAR * more + np.arange(len(state.registration.mean))])
    x, p = np.zeros((count, size)), np.zeros((count, size, size))
    x[:, known + POLAR * more :] = registration.mean
    p[:, known + POLAR * more :, known + POLAR * more :] = registration.covariance
    p[:, places[known:], :] = p[:, :, places[known:]] = 0.0
    x[:, places] = tracks.x
    p[np.ix_(np.arange(count), places, places)] = tracks.p
    for b in range(known, known + POLAR * more):
        p[:, b, b] = noise.errors[(b - STATES) // POLAR, (b - STATES) % POLAR, SLOW] ** 2
    counts = (state.doubled, state.resolved)
    doubled, resolved = (np.concatenate([each, np.zeros((more, *each.shape[1:]))]) for each in counts)
    return replace(
        state, noise=noise, registration=registration, doubled=doubled, resolved=resolved,
        tracks=replace(tracks, x=x, p=p),
    )  # fmt: skip
