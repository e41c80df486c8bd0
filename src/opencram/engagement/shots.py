"""The shots that an effector could take at a round: columns, one row a shot."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from opencram.engagement.words import Text

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Blocked = Literal["", "no_path", "out_of_range", "too_low", "too_late", "held"]
LONG_AGO = -(1 << 62)


@dataclass(frozen=True, slots=True, eq=False)
class Shots:
    """The shots that one effector could take at one round, in order of their start.

    A shot occupies a channel from `start_t_ns` (it turns to the round) to `done_t_ns` (its last round has passed);
    `intercept_t_ns` is the middle of the time in which its rounds pass.  `again` is the best kill probability of a
    second shot after this one has been assessed (0: none fits), and `again_done_t_ns` its end.  `blocked` says what
    left nothing, if nothing is left.  `held` says which hold rule took shots away, up to a start at `held_until_t_ns`.
    """

    start_t_ns: Ints
    fire_t_ns: Ints
    intercept_t_ns: Ints
    done_t_ns: Ints
    range_m: Floats
    position_enu_m: Floats
    velocity_enu_m_s: Floats  # of the round
    height_m: Floats  # above the predicted point of impact
    kill_probability: Floats
    again: Floats
    again_done_t_ns: Ints
    blocked: Blocked
    closest_m: float
    last_start_t_ns: int  # far in the past if no shot is left
    held: Text | None = None
    held_until_t_ns: int = LONG_AGO

    def __len__(self) -> int:
        return len(self.start_t_ns)


def rows_of(shots: Shots, rows: Ints) -> Shots:
    """Return some of the shots, as they are, in this order."""
    return Shots(
        start_t_ns=shots.start_t_ns[rows],
        fire_t_ns=shots.fire_t_ns[rows],
        intercept_t_ns=shots.intercept_t_ns[rows],
        done_t_ns=shots.done_t_ns[rows],
        range_m=shots.range_m[rows],
        position_enu_m=shots.position_enu_m[rows],
        velocity_enu_m_s=shots.velocity_enu_m_s[rows],
        height_m=shots.height_m[rows],
        kill_probability=shots.kill_probability[rows],
        again=shots.again[rows],
        again_done_t_ns=shots.again_done_t_ns[rows],
        blocked=shots.blocked,
        closest_m=shots.closest_m,
        last_start_t_ns=shots.last_start_t_ns,
    )


def one_of(shots: Shots, row: int) -> Shots:
    """Return a single shot."""
    return rows_of(shots, np.array([row]))
