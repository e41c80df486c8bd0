"""How good predictions were on a recording, against what the radars saw later, or against a truth file.

At each moment when a track tells its flight models, they are flown on for each horizon, with their covariance, and
compared with where the track's own later plots put it: a parabola through the plots within half a second either way
(or up to 1.5 s, where they are few), with the covariance that their errors give it.  No truth is needed for that: the
recorded flight is its own.  Impacts are compared with the rounds of a truth file; without one, with the last impact
that was predicted, where the track was followed to within `END_M` of the ground.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opencram.ballistics.curves import OwnCurve
from opencram.ballistics.drag import curve_of
from opencram.ballistics.environment import Environment
from opencram.ballistics.lanes import LANES
from opencram.ballistics.propagation import STATES, advance
from opencram.evaluation.metrics import Share, gate, wilson
from opencram.messages import PROJECTILE_CLASSES, Association, Hypothesis, Impact, Message, Plot, Track
from opencram.tracking.config import Config, SensorModel

Array = NDArray[np.float64]

HORIZONS_S: Final = (5.0, 10.0, 15.0, 20.0)
WINDOWS_S: Final = (0.5, 1.0, 1.5)  # either way: the first that holds enough plots
PLOTS_MIN: Final = 5  # of a parabola
END_M: Final = 150.0  # over the ground: a track last seen higher tells nothing of its impact
IMPACT_LEFT_S: Final = (20.0, 15.0, 10.0, 5.0, 3.0)
MATCH_M: Final = 1500.0
MATCH_S: Final = 8.0
SHARE: Final = 0.95
STEP_S: Final = 0.25
_POINTS: Final = 20


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One comparison: `kind` "ahead" (3-D position, `horizon_s` ahead) or "impact" (level, so long before it)."""

    kind: str
    track_id: int
    class_name: str
    horizon_s: float
    error_m: float
    distance_2: float  # squared Mahalanobis distance, over `dimensions`
    dimensions: int


@dataclass(frozen=True, kw_only=True)
class End:
    """Where, when and as what a flight came to the ground; `class_name` may be empty."""

    east_m: float
    north_m: float
    t_ns: int
    class_name: str = ""


@dataclass
class Flights:
    """What a recording says of each track: its plots, its told models, its impacts, its class, its end."""

    plots: dict[int, list[Plot]] = field(default_factory=lambda: defaultdict(list))
    told: dict[int, list[Track]] = field(default_factory=lambda: defaultdict(list))
    impacts: dict[int, list[Impact]] = field(default_factory=lambda: defaultdict(list))
    classes: dict[int, str] = field(default_factory=dict)
    last: dict[int, Track] = field(default_factory=dict)
    confirmed: set[int] = field(default_factory=set)

    def take(self, messages: Iterable[Message], waiting: dict[int, Plot]) -> None:
        """Take in messages in order; `waiting`: plots that no association has named yet."""
        for message in messages:
            if isinstance(message, Plot):
                waiting[message.plot_id] = message
            elif isinstance(message, Association):
                for plot_id, track_id in zip(message.plot_ids, message.track_ids, strict=True):
                    plot = waiting.pop(plot_id, None)
                    if track_id and plot is not None:
                        self.plots[track_id].append(plot)
            elif isinstance(message, Track):
                self.last[message.track_id] = message
                if message.status == "confirmed":
                    self.confirmed.add(message.track_id)
                if message.hypotheses and message.status in ("confirmed", "coasting"):
                    self.told[message.track_id].append(message)
                    self.classes[message.track_id] = message.classes[0][0] if message.classes else ""
            elif isinstance(message, Impact):
                self.impacts[message.track_id].append(message)


def samples(
    flights: Flights,
    config: Config,
    env: Environment,
    truth: Sequence[End] | None,
    *,
    horizons_s: Sequence[float] = HORIZONS_S,
) -> list[Sample]:
    """Return every comparison that the recording allows."""
    sensors = {sensor.id: sensor for sensor in config.sensors}
    found: list[Sample] = []
    ends = ends_of(flights, env, truth)
    for track_id in sorted(flights.told):
        name = ends[track_id].class_name if track_id in ends else flights.classes[track_id]
        if name not in PROJECTILE_CLASSES:
            continue
        path = Path.of(flights.plots[track_id], sensors)
        found += [
            sample
            for message in flights.told[track_id]
            for sample in _ahead(message, path, env, name, horizons_s, config.curves)
        ]
        if track_id in ends:
            found += _impacts(flights.impacts[track_id], ends[track_id], track_id)
    return found


# ---- positions ahead ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Path:
    """Where the plots of a track put it: times (n,), positions (n, 3) and their covariances (n, 3, 3)."""

    t_ns: NDArray[np.int64]
    position_m: Array
    covariance_m2: Array

    @staticmethod
    def of(plots: Sequence[Plot], sensors: Mapping[str, SensorModel]) -> "Path":
        """Return the path of these plots, in order of time; those of unknown sensors are left out."""
        known = sorted((plot for plot in plots if plot.sensor in sensors), key=lambda plot: plot.t_ns)
        position, covariance = np.zeros((len(known), 3)), np.zeros((len(known), 3, 3))
        for k, plot in enumerate(known):
            position[k], covariance[k] = place_of(plot, sensors[plot.sensor])
        return Path(np.array([plot.t_ns for plot in known], dtype=np.int64), position, covariance)

    def at(self, t_ns: int) -> tuple[Array, Array] | None:
        """Return position and covariance at this time: a parabola through the plots about it; None without enough."""
        for window_s in WINDOWS_S:
            reach_ns = round(window_s * 1e9)
            first, last = np.searchsorted(self.t_ns, [t_ns - reach_ns, t_ns + reach_ns + 1])
            if last - first >= PLOTS_MIN:
                break
        else:
            return None
        if not self.t_ns[first] <= t_ns <= self.t_ns[last - 1]:
            return None
        s = (self.t_ns[first:last] - t_ns) * 1e-9
        design = np.stack([np.ones_like(s), s, s * s], axis=1)
        if np.linalg.matrix_rank(design) < 3:
            return None
        weights = np.linalg.pinv(design)[0]  # of the plots, for the value at the middle
        middle = weights @ self.position_m[first:last]
        return middle, np.einsum("n,nij->ij", weights**2, self.covariance_m2[first:last])


def place_of(plot: Plot, sensor: SensorModel) -> tuple[Array, Array]:
    """Return position (3,) and covariance (3, 3) of a plot in the site's frame."""
    turn = np.array(sensor.local_from_enu).reshape(3, 3)
    sa, ca = math.sin(plot.azimuth_rad), math.cos(plot.azimuth_rad)
    se, ce = math.sin(plot.elevation_rad), math.cos(plot.elevation_rad)
    axes = np.array([[sa * ce, ca, -sa * se], [ca * ce, -sa, -ca * se], [se, 0.0, ce]])
    range_std = sensor.range_m_std if plot.range_m_std is None else plot.range_m_std
    azimuth_std = sensor.azimuth_rad_std if plot.azimuth_rad_std is None else plot.azimuth_rad_std
    elevation_std = sensor.elevation_rad_std if plot.elevation_rad_std is None else plot.elevation_rad_std
    stds = np.array([range_std, plot.range_m * ce * azimuth_std, plot.range_m * elevation_std])
    enu = turn.T @ axes
    return enu[:, 0] * plot.range_m + np.array(sensor.position_enu_m), (enu * stds**2) @ enu.T


def _ahead(
    message: Track,
    path: Path,
    env: Environment,
    name: str,
    horizons_s: Sequence[float],
    curves: tuple[OwnCurve, ...],
) -> list[Sample]:
    wanted = [(h, seen) for h in horizons_s if (seen := path.at(message.t_ns + round(h * 1e9))) is not None]
    if not wanted:
        return []
    predicted = positions_ahead(message.hypotheses, [h for h, _ in wanted], env, curves)
    found = []
    for (horizon, (place, error)), (mean, spread) in zip(wanted, predicted, strict=True):
        miss = mean - place
        distance_2 = float(miss @ np.linalg.solve(spread + error, miss))
        found.append(
            Sample(
                kind="ahead",
                track_id=message.track_id,
                class_name=name,
                horizon_s=horizon,
                error_m=float(np.linalg.norm(miss)),
                distance_2=distance_2,
                dimensions=3,
            )
        )
    return found


def positions_ahead(
    hypotheses: Sequence[Hypothesis],
    horizons_s: Sequence[float],
    env: Environment,
    curves: tuple[OwnCurve, ...] = (),
) -> list[tuple[Array, Array]]:
    """Return mean (3,) and covariance (3, 3) of the mixture of flight models at each horizon, ascending."""
    total = sum(h.probability for h in hypotheses)
    parts = [_flown(h, horizons_s, env, curve_of(h.curve, curves)) for h in hypotheses]
    found = []
    for k in range(len(horizons_s)):
        means = np.array([part[k][0] for part in parts])
        shares = np.array([h.probability / total for h in hypotheses])
        mean = shares @ means
        apart = means - mean
        inner = sum((share * part[k][1] for share, part in zip(shares, parts, strict=True)), np.zeros((3, 3)))
        found.append((mean, inner + np.einsum("k,ki,kj->ij", shares, apart, apart)))
    return found


def _flown(
    hypothesis: Hypothesis, horizons_s: Sequence[float], env: Environment, curve: Array
) -> list[tuple[Array, Array]]:
    """Return mean and covariance of the position of one model at each horizon, by 20 points of the spherical rule."""
    lower = np.zeros((STATES, STATES))
    lower[np.tril_indices(STATES)] = hypothesis.covariance
    covariance = lower + np.tril(lower, -1).T
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0) * (_POINTS / 2.0))
    lanes = np.repeat(np.array(hypothesis.mean)[:, np.newaxis], LANES, axis=1)
    lanes[:, :STATES] += root
    lanes[:, STATES:_POINTS] -= root
    found, now = [], 0.0
    for horizon in horizons_s:
        steps = max(math.ceil((horizon - now) / STEP_S - 1e-9), 1)
        advance(lanes, (horizon - now) / steps, steps, env, curve)
        now = horizon
        points = lanes[:3, :_POINTS].T
        found.append((points.mean(axis=0), np.cov(points.T, bias=True)))
    return found


# ---- impacts --------------------------------------------------------------------------------------


def ends_of(flights: Flights, env: Environment, truth: Sequence[End] | None) -> dict[int, End]:
    """Return the end of each track: of the round it is, or, without a truth, as it was last predicted."""
    found: dict[int, End] = {}
    for track_id, impacts in sorted(flights.impacts.items()):
        if track_id not in flights.classes:
            continue
        last, name = impacts[-1], flights.classes[track_id]
        east, north, _ = last.position_enu_m
        if truth is not None:
            match = _round_of(truth, east, north, last.impact_t_ns)
            if match is not None:
                found[track_id] = match if match.class_name else replace(match, class_name=name)
            continue
        track = flights.last[track_id]
        if track.position_enu_m[2] - last.position_enu_m[2] <= END_M:
            found[track_id] = End(east_m=east, north_m=north, t_ns=last.impact_t_ns, class_name=name)
    return found


def _round_of(truth: Sequence[End], east: float, north: float, t_ns: int) -> End | None:
    """Return the end of the nearest round that came down near there and then."""
    best: tuple[float, End] | None = None
    for each in truth:
        away = math.hypot(each.east_m - east, each.north_m - north)
        near = away <= MATCH_M and abs(each.t_ns - t_ns) <= MATCH_S * 1e9
        if near and (best is None or away < best[0]):
            best = away, each
    return best[1] if best is not None else None


def _impacts(impacts: Sequence[Impact], end: End, track_id: int) -> list[Sample]:
    """Return the last impact predicted so long before the end, for each of `IMPACT_LEFT_S`."""
    found = []
    for left_s in IMPACT_LEFT_S:
        at_ns = end.t_ns - round(left_s * 1e9)
        known = [impact for impact in impacts if at_ns - 1_500_000_000 <= impact.t_ns <= at_ns]
        if not known:
            continue
        impact = known[-1]
        miss = np.array(impact.position_enu_m[:2]) - (end.east_m, end.north_m)
        ee, en, nn = impact.covariance_enu_m2
        found.append(
            Sample(
                kind="impact",
                track_id=track_id,
                class_name=end.class_name,
                horizon_s=left_s,
                error_m=float(np.hypot(*miss)),
                distance_2=float(miss @ np.linalg.solve(np.array([[ee, en], [en, nn]]), miss)),
                dimensions=2,
            )
        )
    return found


# ---- tables ---------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Row:
    """One class at one horizon.  `held`: of the 95 % regions; its interval counts tracks, not samples."""

    kind: str
    class_name: str
    horizon_s: float
    samples: int
    tracks: int
    median_m: float
    most_m: float  # 90 % of the samples err less
    held: Share

    def as_json(self) -> dict[str, Any]:
        """Return the row with plain numbers."""
        return {
            "kind": self.kind,
            "class": self.class_name,
            "horizon_s": self.horizon_s,
            "samples": self.samples,
            "tracks": self.tracks,
            "median_error_m": round(self.median_m, 2),
            "error_90_m": round(self.most_m, 2),
            "held": round(self.held.share, 4),
            "held_interval": [round(self.held.low, 4), round(self.held.high, 4)],
        }


def rows(found: Sequence[Sample]) -> list[Row]:
    """Return the table: by kind, class (and all together, where there are several), and horizon."""
    groups: dict[tuple[str, str, float], list[Sample]] = defaultdict(list)
    for sample in found:
        groups[sample.kind, sample.class_name, sample.horizon_s].append(sample)
    names = sorted({sample.class_name for sample in found})
    if len(names) > 1:
        for sample in found:
            groups[sample.kind, "all", sample.horizon_s].append(sample)
    order = {name: k for k, name in enumerate((*names, "all"))}
    keys = sorted(groups, key=lambda key: (key[0], order[key[1]], key[2]))
    return [_row(key, groups[key]) for key in keys]


def _row(key: tuple[str, str, float], found: Sequence[Sample]) -> Row:
    errors = [sample.error_m for sample in found]
    held = sum(sample.distance_2 <= gate(sample.dimensions, SHARE) for sample in found)
    tracks = len({sample.track_id for sample in found})
    interval = wilson(round(held / len(found) * tracks), tracks)
    return Row(
        kind=key[0],
        class_name=key[1],
        horizon_s=key[2],
        samples=len(found),
        tracks=tracks,
        median_m=float(np.median(errors)),
        most_m=float(np.quantile(errors, 0.9)),
        held=Share(hits=held, n=len(found), low=interval.low, high=interval.high),
    )
