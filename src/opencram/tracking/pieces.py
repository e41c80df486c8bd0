"""Pieces of a round that a shot met: they begin where and when it did, and slow down much faster than rounds.

A shot of a simulated effector says where and when it meets its round.  What is first seen after that near there may be
a piece, or another round of the salvo that nobody saw before.  All flights are quadratic in time from the moment of the
shot on, with priors of where a body is then, how fast it is and how it slows down; the evidence of the plots decides,
anew at each judgement.  At first a body that begins there counts as a piece; a round is told from it by its flight.
"""

import math
from collections.abc import Iterable

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from opencram.messages import Engagement
from opencram.tracking.bank import unbiased
from opencram.tracking.candidates import SIX, cartesian, move
from opencram.tracking.errors import WHITE
from opencram.tracking.history import columns, window
from opencram.tracking.plausible import GRAVITY_M_S2
from opencram.tracking.state import Array, Shot, State
from opencram.tracking.world import World

# A piece begins so long after the shot, and so little before it as clocks and times of flight are off; for so long a
# shot is remembered, and a body that is taken for a piece is none.
_BEGUN_S_MIN, _BEGUN_S_MAX, _REMEMBERED_S = -0.15, 4.0, 10.0
_FIRST_S, _PLOTS_MAX = 3.0, 30  # of a body's plots, that are asked: later the flight is no parabola any more
# A piece at the moment of the shot: deviation of its place (the shot's, m), of its velocity from the round's, in each
# direction (m/s), and its deceleration over its speed, with deviation (1/s).  A body of 150 kg/m² with a drag
# coefficient of 0.2 has 0.24 at 300 m/s; simulated pieces have that, and 40 m/s (`simulation.model.Effects`).
_PLACE_M_STD, _PIECE_M_S_STD, _PIECE_1_S, _PIECE_1_S_STD = 15.0, 45.0, 0.15, 0.15
_ACROSS_M_S2_STD = 8.0  # what quadratic flights leave out, in each direction
# Other rounds, as those of a ripple fly: deviations along their way and beside it (m), of their velocity (m/s) and of
# their acceleration (m/s²), and log prior.  The second are those next to the one shot at, and itself: duds, too.  With
# 15 m/s² for duds the round itself passed for a piece after 30 plots; with a log prior of −3.5 after 20.
_OTHERS = ((1000.0, 100.0, 20.0, 8.0, 0.0), (60.0, 20.0, 12.0, 8.0, -2.0))
_STEP_S, _AHEAD_S_MAX = 0.25, 60.0  # of a flight to where the shot meets it; no shot takes longer
_DRAG_1_M = 6e-5  # of a round: deceleration over speed squared, as candidates have it


def with_shots(state: State, told: Iterable[Engagement], shots_max: int) -> State:
    """Return the state that knows of the shots that are told of, of no old ones, and of none that missed."""
    shots = {shot.engagement_id: shot for shot in state.shots}
    for engagement in told:
        if engagement.state in ("missed", "aborted"):
            shots.pop(engagement.engagement_id, None)
        elif engagement.state in ("fired", "killed") and engagement.engagement_id not in shots:
            velocity = _velocity(state, engagement.track_id, engagement.intercept_t_ns)
            if velocity is not None and np.isfinite(engagement.intercept_enu_m).all():
                shots[engagement.engagement_id] = Shot(
                    engagement_id=engagement.engagement_id, t_ns=engagement.intercept_t_ns,
                    place_enu_m=engagement.intercept_enu_m, velocity_enu_m_s=velocity,
                )  # fmt: skip
    oldest_ns = state.t_ns - round(_REMEMBERED_S * 1e9)
    return replace(state, shots=tuple([shot for shot in shots.values() if shot.t_ns >= oldest_ns][-shots_max:]))


def _velocity(state: State, track_id: int, t_ns: int) -> tuple[float, float, float] | None:
    """Return the velocity of a track at a time near now; None if there is no such track, or time."""
    tracks = state.tracks
    rows = np.flatnonzero(tracks.targets["track_id"][tracks.owner] == track_id)
    ahead_s = (t_ns - state.t_ns) * 1e-9
    if not len(rows) or abs(ahead_s) > _AHEAD_S_MAX:
        return None
    x = tracks.x[rows[np.argmax(tracks.log_weight[rows])], :SIX].copy()
    steps = math.ceil(abs(ahead_s) / _STEP_S)
    for _ in range(steps):
        move(x, np.zeros((SIX, SIX)), ahead_s / steps, 1.0, 0.0)
    east, north, up = x[3:].tolist()
    return (east, north, up) if math.hypot(east, north, up) > 1.0 else None


def is_piece(constants: World, state: State, target: np.void) -> bool:
    """Return whether a candidate is likelier a piece of a round that was shot at than another round."""
    first_ns = int(target["first_t_ns"])
    near = [shot for shot in state.shots if _BEGUN_S_MIN <= (first_ns - shot.t_ns) * 1e-9 <= _BEGUN_S_MAX]
    if not near:
        return False
    times_ns, sensors, z, weights = window(columns(state.history), int(target["last"]), int(target["plots"]), first_ns)
    asked = np.flatnonzero(times_ns <= first_ns + round(_FIRST_S * 1e9))[:_PLOTS_MAX]
    if len(state.registration.mean):
        z = unbiased(z, sensors, state.registration.mean)
    positions, noise = np.empty((len(asked), 3)), np.empty((len(asked), 3, 3))
    for i, j in enumerate(asked.tolist()):
        sensor = sensors[j]
        variances = (state.noise.errors[sensor, :, WHITE] / weights[j, :3]) ** 2
        cartesian(z[j], variances, constants.rotations[sensor], constants.origins[sensor], positions[i], noise[i])
    return any(log_odds(shot, (times_ns[asked] - shot.t_ns) * 1e-9, positions, noise) > 0.0 for shot in near)


def log_odds(shot: Shot, times_s: Array, positions: Array, noise: Array) -> float:
    """Return the log odds of a piece of what was shot at against another round.

    `times_s` (n): of the plots, after the shot; `positions` (n, 3) and their `noise` (n, 3, 3): the site's ENU.
    """
    velocity = np.array(shot.velocity_enu_m_s)
    speed = float(np.linalg.norm(velocity))
    along = np.outer(velocity, velocity) / speed**2
    level, gravity = np.eye(3), np.array([0.0, 0.0, -GRAVITY_M_S2])

    def log_evidence(place: Array, velocity_m_s_std: float, acceleration: Array, slowing_1_s: float) -> float:
        mean = np.concatenate([shot.place_enu_m, velocity, gravity - slowing_1_s * velocity])
        prior = np.zeros((9, 9))
        prior[:3, :3], prior[3:6, 3:6], prior[6:, 6:] = place, level * velocity_m_s_std**2, acceleration
        return _log_evidence(mean, prior, times_s, positions, noise)

    slowing = along * (_PIECE_1_S_STD * speed) ** 2 + level * _ACROSS_M_S2_STD**2
    piece = log_evidence(level * _PLACE_M_STD**2, _PIECE_M_S_STD, slowing, _PIECE_1_S)
    others = [
        log_prior
        + log_evidence(
            along * along_m**2 + (level - along) * beside_m**2, velocity_m_s, level * m_s2**2, _DRAG_1_M * speed
        )
        for along_m, beside_m, velocity_m_s, m_s2, log_prior in _OTHERS
    ]
    return piece - float(np.logaddexp.reduce(others))


def _log_evidence(mean: Array, prior: Array, times_s: Array, positions: Array, noise: Array) -> float:
    """Return the log evidence of plots for a flight quadratic in time, but for a constant.

    `mean` (9) and `prior` (9, 9): of position, velocity and acceleration at time 0.
    """
    n = len(times_s)
    powers = np.stack([np.ones(n), times_s, 0.5 * times_s**2], axis=1)
    design = np.kron(powers, np.eye(3))  # (3 n, 9)
    covariance: NDArray[np.float64] = design @ prior @ design.T
    for k in range(n):
        covariance[3 * k : 3 * k + 3, 3 * k : 3 * k + 3] += noise[k]
    factor = np.linalg.cholesky(covariance)
    off = np.linalg.solve(factor, positions.ravel() - design @ mean)
    return float(-0.5 * off @ off - np.log(np.diag(factor)).sum())
