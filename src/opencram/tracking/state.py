"""What the tracker remembers between two dwells."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from opencram.ballistics.propagation import STATES
from opencram.messages import DropReason, TrackStatus
from opencram.tracking.history import History, empty

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is followed: a candidate (`track_id` 0), a tentative track, or a track."""

    track_id: int
    status: TrackStatus
    first_t_ns: int
    updated_t_ns: int  # last plot
    plots: int
    last: int  # number of the last plot in the history
    score: float  # log likelihood ratio of target against clutter
    period_s: float  # longest period of the sensors that have seen it
    classes: tuple[tuple[str, float], ...] = ()
    log_straight: float = 0.0  # log weight of "no projectile", on the scale of its rows
    fitted_t_ns: int = 0
    reported_t_ns: int = 0
    told_t_ns: int = 0  # its flight models
    due_t_ns: int = 0  # when it is next to be reported, if nothing happens before
    reason: DropReason = ""


class Candidates(msgspec.Struct, frozen=True, kw_only=True):
    """Targets in the small linear filter, one row each: candidates, and bodies that do not fall."""

    targets: tuple[Target, ...]
    x: Array  # (n, 6) position and velocity
    p: Array  # (n, 6, 6)
    fall: Array  # (n,) 1: under gravity, 0: level flight


class Tracks(msgspec.Struct, frozen=True, kw_only=True):
    """Targets that fly as projectiles, each with one row for every flight model still in question.

    `owner[r]` is the index in `targets` of row r; the rows of one track stand together.  Beside them each
    track has a companion in level flight, which keeps the weight of "no projectile" up to date.
    """

    targets: tuple[Target, ...]
    x: Array  # (rows, 10)
    p: Array  # (rows, 10, 10)
    log_weight: Array  # (rows,)
    model: Integers  # (rows,) index in the bank
    owner: Integers  # (rows,)
    level_x: Array  # (n, 6)
    level_p: Array  # (n, 6, 6)


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The tracker at `t_ns`, to which all filters have been moved."""

    t_ns: int
    newest_t_ns: int
    next_track_id: int
    tracks: Tracks
    candidates: Candidates
    history: History
    full: bool = False  # a limit has been reached and reported


def no_tracks() -> Tracks:
    """Return an empty set of tracks."""
    none = np.zeros(0, dtype=np.int64)
    return Tracks(
        targets=(), x=np.zeros((0, STATES)), p=np.zeros((0, STATES, STATES)), log_weight=np.zeros(0),
        model=none, owner=none, level_x=np.zeros((0, 6)), level_p=np.zeros((0, 6, 6)),
    )  # fmt: skip


def no_candidates() -> Candidates:
    """Return an empty set of candidates."""
    return Candidates(targets=(), x=np.zeros((0, 6)), p=np.zeros((0, 6, 6)), fall=np.zeros(0))


def nothing() -> State:
    """Return the state before the first plot."""
    return State(
        t_ns=0, newest_t_ns=0, next_track_id=1, tracks=no_tracks(), candidates=no_candidates(), history=empty()
    )
