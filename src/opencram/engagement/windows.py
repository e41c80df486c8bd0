"""When an effector could meet a round: the predicted path cut into shots that its model allows."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from opencram.engagement.config import Config, Effector, Model, ns
from opencram.engagement.hit import kill_table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FAR_M = 1e7  # no path of a site goes further; NaN is not nearer

Blocked = Literal["", "no_path", "out_of_range", "too_low", "too_late"]


@dataclass(frozen=True, slots=True, eq=False)
class Shots:
    """The shots that one effector could take at one round, in order of their start.

    A shot occupies a channel from `start_t_ns` (it turns to the round) to `done_t_ns` (its last round has passed);
    `intercept_t_ns` is the middle of the time in which its rounds pass.  `again` is the best kill probability of a
    second shot after this one has been assessed (0: none fits), and `again_done_t_ns` its end.  `blocked` says what
    left nothing, if nothing is left.
    """

    start_t_ns: Ints
    fire_t_ns: Ints
    intercept_t_ns: Ints
    done_t_ns: Ints
    range_m: Floats
    position_enu_m: Floats
    kill_probability: Floats
    again: Floats
    again_done_t_ns: Ints
    blocked: Blocked
    closest_m: float
    last_start_t_ns: int  # far in the past if no shot is left

    def __len__(self) -> int:
        return len(self.start_t_ns)


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A predicted path, resampled on the grid of whole decision periods; `height_m` is above the point of impact."""

    t_ns: Ints
    position_enu_m: Floats
    height_m: Floats


def time_of_flight_s(model: Model, range_m: Floats) -> Floats:
    """Return how long a round of the model takes over a slant range.

    The speed decays exponentially with the way flown, which is drag at a constant coefficient in uniform air.
    Source: v = v0·exp(−s/L), hence t = L/v0·(exp(s/L) − 1); McCoy, Modern Exterior Ballistics, ch. 5.
    """
    if math.isinf(model.decay_m):
        return range_m / model.speed_m_s
    return model.decay_m / model.speed_m_s * np.expm1(range_m / model.decay_m)


def resample(config: Config, path_enu_m: tuple[tuple[float, float, float], ...], t_ns: int, impact_t_ns: int) -> Path:
    """Return the path at whole decision periods, up to the last moment that leaves the least time before impact.

    What lies beyond the reach of every effector is left out, unless that is the whole path.

    Cubic Hermite between the given points, slopes by central differences; a path that is too short, not finite or
    ends before it begins gives none.
    Error: under 0.3 m for points up to 2 s apart (tests/engagement/test_windows.py).
    """
    period = ns(config.period_s)
    points = np.asarray(path_enu_m, dtype=np.float64)
    last_t_ns = min(impact_t_ns - ns(config.intercept_s_before_impact_min), t_ns + ns(config.horizon_s))
    first, last = -(-t_ns // period), last_t_ns // period
    if (
        points.ndim != 2
        or points.shape[0] < 2
        or last < first
        or impact_t_ns <= t_ns
        or not (np.abs(points) < _FAR_M).all()
    ):
        none = np.empty(0)
        return Path(np.empty(0, dtype=np.int64), np.empty((0, 3)), none)
    spacing_ns = (impact_t_ns - t_ns) / (points.shape[0] - 1)
    near = _near(config, points)
    if len(near):
        first = max(first, int((t_ns + (int(near[0]) - 1) * spacing_ns) // period))
        last = min(last, int((t_ns + (int(near[-1]) + 1) * spacing_ns) // period) + 1)
    times = np.arange(first, last + 1, dtype=np.int64) * period
    u = (times - t_ns) / spacing_ns
    left = np.minimum(u.astype(np.int64), points.shape[0] - 2)
    f = (u - left)[:, None]
    slope = _slope(points)
    chord = points[left + 1] - points[left]
    bend = (1.0 - f) * (slope[left] - chord) - f * (slope[left + 1] - chord)
    positions = points[left] + f * chord + f * (1.0 - f) * bend
    return Path(times, positions, positions[:, 2] - points[-1, 2])


def shots_along(config: Config, effector: Effector, path: Path, from_t_ns: int) -> Shots:
    """Return every shot of the effector, one a decision period, that meets the path within its limits.

    None is fired before `from_t_ns`; shots whose start has passed stay listed, for engagements under way.  The range
    and height must hold for the first and the last round of the shot, not only for its middle.
    """
    model = effector.behaviour
    if not len(path.t_ns):
        return _nothing("no_path", math.inf)
    slant = np.sqrt(((path.position_enu_m - np.asarray(effector.position_enu_m)) ** 2).sum(axis=1))
    closest = float(slant.min())
    flight = time_of_flight_s(model, np.minimum(slant, effector.range_m_max))
    reach = (slant >= effector.range_m_min) & (slant <= effector.range_m_max) & (flight >= model.flight_s_min)
    reach = _throughout(reach, model, config)
    if not reach.any():
        return _nothing("out_of_range", closest)
    high = reach & _throughout(path.height_m >= config.intercept_height_m_min, model, config)
    if not high.any():
        return _nothing("too_low", closest)
    half = ns(0.5 * model.burst_s)
    fire = path.t_ns - half - np.rint(flight * 1e9).astype(np.int64)
    start = fire - ns(model.reaction_s)
    chosen = np.flatnonzero(high & (fire >= from_t_ns))
    if not len(chosen):
        return _nothing("too_late", closest)
    chosen = chosen[np.argsort(start[chosen], kind="stable")]
    start, done, ranges = start[chosen], path.t_ns[chosen] + half, slant[chosen]
    kill = np.interp(ranges, *kill_table(model, effector.range_m_min, effector.range_m_max))
    again, again_done = _best_after(start, kill, done, done + ns(config.assessment_delay_s))
    return Shots(
        start_t_ns=start,
        fire_t_ns=fire[chosen],
        intercept_t_ns=path.t_ns[chosen],
        done_t_ns=done,
        range_m=ranges,
        position_enu_m=path.position_enu_m[chosen],
        kill_probability=kill,
        again=again,
        again_done_t_ns=again_done,
        blocked="",
        closest_m=closest,
        last_start_t_ns=int(start[-1]),
    )


def _near(config: Config, points: Floats) -> Ints:
    """Return the points that lie within reach of an effector, or so close to it that the path beside them may."""
    step = np.sqrt(((points[1:] - points[:-1]) ** 2).sum(axis=1).max())
    places = np.array([effector.position_enu_m for effector in config.effectors]).reshape(-1, 1, 3)
    reach = np.array([effector.range_m_max for effector in config.effectors]).reshape(-1, 1)
    distance = np.sqrt(((points - places) ** 2).sum(axis=2))
    return np.flatnonzero((distance <= reach + step).any(axis=0))


def _slope(points: Floats) -> Floats:
    """Return the derivative at each of at least two equally spaced points, per spacing, exact for parabolas."""
    slope = np.empty_like(points)
    slope[1:-1] = 0.5 * (points[2:] - points[:-2])
    slope[0], slope[-1] = points[1] - points[0], points[-1] - points[-2]
    if len(points) > 2:
        slope[0] += slope[0] - slope[1]
        slope[-1] += slope[-1] - slope[-2]
    return slope


def _throughout(mask: NDArray[np.bool_], model: Model, config: Config) -> NDArray[np.bool_]:
    """Return where `mask` holds for half a burst before and after as well."""
    reach = math.ceil(0.5 * model.burst_s / config.period_s)
    if reach == 0 or len(mask) <= 2 * reach:
        return mask if reach == 0 else np.zeros_like(mask)
    inner = np.zeros_like(mask)
    inner[reach:-reach] = mask[: -2 * reach] & mask[reach:-reach] & mask[2 * reach :]
    return inner


def _best_after(start_t_ns: Ints, kill: Floats, done_t_ns: Ints, ready_t_ns: Ints) -> tuple[Floats, Ints]:
    """Return the best kill probability among the shots that start at or after each time, and when that shot is done."""
    best = np.append(np.maximum.accumulate(kill[::-1])[::-1], 0.0)
    rows = np.arange(len(kill))
    record = np.where(kill >= best[1:], rows, len(kill))  # a shot that no later one beats
    row = np.append(np.minimum.accumulate(record[::-1])[::-1], len(kill))
    first = np.searchsorted(start_t_ns, ready_t_ns, side="left")
    return best[first], np.append(done_t_ns, 0)[row[first]]


def _nothing(blocked: Blocked, closest_m: float) -> Shots:
    times, numbers = np.empty(0, dtype=np.int64), np.empty(0)
    return Shots(
        start_t_ns=times,
        fire_t_ns=times,
        intercept_t_ns=times,
        done_t_ns=times,
        range_m=numbers,
        position_enu_m=np.empty((0, 3)),
        kill_probability=numbers,
        again=numbers,
        again_done_t_ns=times,
        blocked=blocked,
        closest_m=closest_m,
        last_start_t_ns=-(1 << 62),
    )
