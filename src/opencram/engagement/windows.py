"""When an effector could meet a round: the predicted path cut into shots that its model allows."""

import functools
import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from opencram.engagement.config import Config, ns
from opencram.engagement.cut import NOWHERE, best_after, hermite, shots_on, within_reach
from opencram.engagement.effector import Effector
from opencram.engagement.hit import common_m, kill_table
from opencram.engagement.shots import LONG_AGO, Blocked, Floats, Ints, Shots
from opencram.engagement.words import Text

_FAR_M = 1e7  # no path of a site goes further; NaN is not nearer

_BLOCKED: tuple[Blocked, ...] = ("", "out_of_range", "too_low", "too_late")  # by the code of `cut.shots_on`


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A predicted path, resampled on the grid of whole decision periods.

    `points` (n, 4): position (ENU) and height above the point of impact.
    """

    t_ns: Ints
    points: Floats

    @property
    def position_enu_m(self) -> Floats:
        """Where the round is."""
        return self.points[:, :3]

    @property
    def height_m(self) -> Floats:
        """Height above the point of impact."""
        return self.points[:, 3]


_NO_PATH = Path(np.empty(0, dtype=np.int64), np.empty((0, 4)))


def resample(config: Config, path_enu_m: tuple[tuple[float, float, float], ...], t_ns: int, impact_t_ns: int) -> Path:
    """Return the path at whole decision periods, up to the last moment that leaves the least time before impact.

    What lies beyond the reach of every effector is left out, unless that is the whole path.

    Cubic Hermite between the given points, slopes by central differences; a path that is too short, not finite or
    ends before it begins gives none.
    Error: under 0.3 m for points up to 2 s apart (tests/engagement/test_windows.py).
    """
    period = ns(config.period_s)
    last_t_ns = min(impact_t_ns - ns(config.intercept_s_before_impact_min), t_ns + ns(config.horizon_s))
    first, last = -(-t_ns // period), last_t_ns // period
    if len(path_enu_m) < 2 or last < first or impact_t_ns <= t_ns:
        return _NO_PATH
    points = np.array(path_enu_m, dtype=np.float64)
    low, high = within_reach(points, *_reaches(config.effectors), _FAR_M)
    if low == NOWHERE:
        return _NO_PATH
    spacing_ns = (impact_t_ns - t_ns) / (points.shape[0] - 1)
    if low <= high:
        first = max(first, int((t_ns + (low - 1) * spacing_ns) // period))
        last = min(last, int((t_ns + (high + 1) * spacing_ns) // period) + 1)
    times = np.arange(first * period, (last + 1) * period, period, dtype=np.int64)
    along = np.empty((len(times), 4))
    hermite(points, spacing_ns, t_ns, times, along)
    return Path(times, along)


def shots_along(config: Config, effector: Effector, path: Path, from_t_ns: int, *, track_m_std: float = 0.0) -> Shots:
    """Return every shot of the effector, one a decision period, that meets the path within its limits.

    None is fired before `from_t_ns`; shots whose start has passed stay listed, for engagements under way.  The range
    and height must hold for the first and the last round of the shot, not only for its middle.  `track_m_std` is the
    deviation of the track in each axis.
    """
    size = len(path.t_ns)
    if not size:
        return _nothing("no_path", math.inf)
    place, limits, spans, grid, table = _prepared(
        effector, config.period_s, config.intercept_height_m_min, config.assessment_delay_s
    )
    common = common_m(effector.behaviour, track_m_std)
    times, numbers = np.empty((6, size), dtype=np.int64), np.empty((9, size))
    count, code, closest = shots_on(
        path.t_ns, path.points, place, limits, spans, grid, table, common, from_t_ns, times, numbers
    )
    if count == 0:
        return _nothing(_BLOCKED[code], closest)
    rows = times[4, :count]
    return Shots(
        start_t_ns=times[0, :count],
        fire_t_ns=times[1, :count],
        intercept_t_ns=path.t_ns[rows],
        done_t_ns=times[2, :count],
        range_m=numbers[0, :count],
        position_enu_m=path.position_enu_m[rows],
        velocity_enu_m_s=numbers[3:6, :count].T,
        height_m=path.height_m[rows],
        kill_probability=numbers[1, :count],
        again=numbers[2, :count],
        again_done_t_ns=times[3, :count],
        blocked="",
        closest_m=closest,
        last_start_t_ns=int(times[0, count - 1]),
    )


@functools.lru_cache(maxsize=64)
def _prepared(
    effector: Effector, period_s: float, height_m_min: float, assessment_s: float
) -> tuple[Floats, Floats, Ints, Floats, Floats]:
    """Return what `cut.shots_on` takes of an effector: place, limits, spans, and its table of kills."""
    model = effector.behaviour
    limits = np.array(
        [
            effector.range_m_min,
            effector.range_m_max,
            model.speed_m_s,
            model.decay_m,
            model.flight_s_min,
            height_m_min,
            model.dispersion_rad,
            model.miss_m_std,
            model.bias_rad,
            model.speed_std_share,
        ]
    )
    spans = np.array(
        [
            ns(model.reaction_s),
            ns(0.5 * model.burst_s),
            math.ceil(0.5 * model.burst_s / period_s),
            ns(assessment_s),
        ]
    )
    grid, table = kill_table(model, effector.range_m_min, effector.range_m_max)
    return np.array(effector.position_enu_m), limits, spans, grid, table


def held_back(config: Config, shots: Shots, allowed: NDArray[np.bool_], why: Text | None) -> Shots:
    """Return the shots that a hold rule allows; `why` is remembered for as long as one that it took could start."""
    if allowed.all():
        return shots
    kept = np.flatnonzero(allowed)
    until = shots.held_until_t_ns if why is None else max(shots.held_until_t_ns, int(shots.start_t_ns[~allowed].max()))
    why = shots.held if why is None else why
    if not len(kept):
        return replace(_nothing("held", shots.closest_m), held=why, held_until_t_ns=until)
    times, numbers = np.empty((6, len(kept)), dtype=np.int64), np.empty((6, len(kept)))
    times[0], times[2], numbers[1] = shots.start_t_ns[kept], shots.done_t_ns[kept], shots.kill_probability[kept]
    best_after(times, numbers, len(kept), ns(config.assessment_delay_s))
    return replace(
        shots,
        start_t_ns=times[0],
        fire_t_ns=shots.fire_t_ns[kept],
        intercept_t_ns=shots.intercept_t_ns[kept],
        done_t_ns=times[2],
        range_m=shots.range_m[kept],
        position_enu_m=shots.position_enu_m[kept],
        velocity_enu_m_s=shots.velocity_enu_m_s[kept],
        height_m=shots.height_m[kept],
        kill_probability=numbers[1],
        again=numbers[2],
        again_done_t_ns=times[3],
        last_start_t_ns=int(times[0, -1]),
        held=why,
        held_until_t_ns=until,
    )


@functools.lru_cache(maxsize=64)
def _reaches(effectors: tuple[Effector, ...]) -> tuple[Floats, Floats]:
    """Return where the effectors stand, and how far each reaches."""
    places = np.array([effector.position_enu_m for effector in effectors]).reshape(-1, 3)
    return places, np.array([effector.range_m_max for effector in effectors])


def _nothing(blocked: Blocked, closest_m: float) -> Shots:
    times, numbers = np.empty(0, dtype=np.int64), np.empty(0)
    return Shots(
        start_t_ns=times,
        fire_t_ns=times,
        intercept_t_ns=times,
        done_t_ns=times,
        range_m=numbers,
        position_enu_m=np.empty((0, 3)),
        velocity_enu_m_s=np.empty((0, 3)),
        height_m=numbers,
        kill_probability=numbers,
        again=numbers,
        again_done_t_ns=times,
        blocked=blocked,
        closest_m=closest_m,
        last_start_t_ns=LONG_AGO,
    )
