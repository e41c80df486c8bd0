"""What the tracker remembers between two dwells: arrays, one row for each target or filter."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from opencram.ballistics.propagation import STATES
from opencram.messages import DropReason, TrackStatus
from opencram.tracking.errors import POLAR
from opencram.tracking.history import History, empty
from opencram.tracking.merging import NEARNESS
from opencram.tracking.noise import Noise, nothing_heard
from opencram.tracking.registration import Registration, unregistered
from opencram.tracking.surroundings import Surroundings, unknown

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Targets = np.ndarray[tuple[int], np.dtype[np.void]]

STATUSES: tuple[TrackStatus, ...] = ("tentative", "confirmed", "coasting", "dropped")
TENTATIVE, CONFIRMED, COASTING, DROPPED = range(4)
REASONS: tuple[DropReason, ...] = ("", "impact", "lost", "never_confirmed", "duplicate", "intercepted")
NO_REASON, IMPACT, LOST, NEVER_CONFIRMED, DUPLICATE, INTERCEPTED = range(6)

# Something that is followed: a candidate (`track_id` 0), a tentative track, or a track.
TARGET = np.dtype(
    [
        ("track_id", np.int64),
        ("status", np.int64),  # of STATUSES
        ("reason", np.int64),  # of REASONS
        ("plots", np.int64),
        ("last", np.int64),  # number of the last plot in the history
        ("first_t_ns", np.int64),
        ("since_t_ns", np.int64),  # first plot that fits take: the first of all, or one after a motor has burnt out
        ("updated_t_ns", np.int64),  # last plot
        ("period_ns", np.int64),  # longest period of the sensors that have seen it
        ("fitted_t_ns", np.int64),
        ("reported_t_ns", np.int64),
        ("told_t_ns", np.int64),  # its flight models
        ("due_t_ns", np.int64),  # when it is next to be reported, if nothing happens before
        ("score", np.float64),  # log likelihood ratio of target against clutter
        ("log_straight", np.float64),  # log weight of "no projectile", on the scale of its rows
        ("log_sky", np.float64),  # log probability that a projectile begins where it did, against anything else
        ("own_t_ns", np.int64),  # last plot that was its own alone
    ]
)


class Candidates(msgspec.Struct, frozen=True, kw_only=True):
    """Targets in the small linear filter, one row each: candidates, and bodies that do not fall."""

    targets: Targets  # (n,)
    chances: Array  # (n, models + 1) probability of each flight model, and last of no projectile, when last judged
    x: Array  # (n, 6) position and velocity
    p: Array  # (n, 6, 6)
    fall: Array  # (n,) 1: under gravity, 0: level flight


class Tracks(msgspec.Struct, frozen=True, kw_only=True):
    """Targets that fly as projectiles, each with one row for every flight model still in question.

    `owner[r]` is the index in `targets` of row r; the rows of one track stand together.  Beside them each
    track has a companion in level flight, which keeps the weight of "no projectile" up to date.
    """

    targets: Targets  # (n,)
    chances: Array  # (n, models + 1)
    x: Array  # (rows, states): the flight, slow errors, and of several sensors the biases (`tracking.errors`)
    p: Array  # (rows, states, states)
    log_weight: Array  # (rows,)
    model: Integers  # (rows,) index in the bank
    owner: Integers  # (rows,)
    level_x: Array  # (n, 6)
    level_p: Array  # (n, 6, 6)


class Shot(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when a simulated effector's shot meets its round, and how fast that is then."""

    engagement_id: int
    t_ns: int
    place_enu_m: tuple[float, float, float]
    velocity_enu_m_s: tuple[float, float, float]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The tracker at `t_ns`, to which all filters have been moved."""

    t_ns: int
    newest_t_ns: int
    next_track_id: int
    tracks: Tracks
    candidates: Candidates
    history: History
    surroundings: Surroundings
    noise: Noise
    registration: Registration
    doubled: Array  # (sensors, 2) dwells with a plot of a track, and those with another beside that no track had
    resolved: Array  # (sensors, parts of a cell, 2) dwells in which two rounds in one had two plots, and had one
    killed: tuple[int, ...] = ()  # tracks whose round a simulated effector is said to have destroyed
    shots: tuple[Shot, ...] = ()  # of the last seconds, that have not missed: pieces begin there (`pieces`)
    full: bool = False  # a limit has been reached and reported
    behind: tuple[int, ...] = ()  # tracks still to be followed again, under what is believed now of the radars' errors


def nothing(models: int, stated: Array) -> State:
    """Return the state before the first plot, for so many flight models, and sensors of these variances (s, 3)."""
    none, chances = np.zeros(0, dtype=np.int64), np.zeros((0, models + 1))
    registration = unregistered(len(stated))
    size = STATES + POLAR * len(stated) + len(registration.mean)
    tracks = Tracks(
        targets=np.zeros(0, dtype=TARGET), chances=chances, x=np.zeros((0, size)), p=np.zeros((0, size, size)),
        log_weight=np.zeros(0), model=none, owner=none, level_x=np.zeros((0, 6)), level_p=np.zeros((0, 6, 6)),
    )  # fmt: skip
    candidates = Candidates(
        targets=np.zeros(0, dtype=TARGET), chances=chances, x=np.zeros((0, 6)), p=np.zeros((0, 6, 6)), fall=np.zeros(0)
    )
    return State(
        t_ns=0, newest_t_ns=0, next_track_id=1, tracks=tracks, candidates=candidates, history=empty(),
        surroundings=unknown(), noise=nothing_heard(stated), registration=registration,
        doubled=np.zeros((len(stated), 2)), resolved=np.zeros((len(stated), NEARNESS, 2)),
    )  # fmt: skip
