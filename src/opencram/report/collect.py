"""One pass over the log: what each kind of message adds, gathered by track, zone and sensor.

Values that are not finite are passed over here, so that nothing after this has to think of them.
Trails are thinned as they come: a raid of a hundred tracks must fit in memory and on the page.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from opencram.messages import (
    Association,
    Decision,
    Engagement,
    Header,
    Health,
    Hypothesis,
    Impact,
    Message,
    Operator,
    Plot,
    Rejected,
    Threat,
    Track,
    Warning,
)

TRAIL_STEP_NS = 240_000_000  # a quarter of a second, with room for jitter of the radar's period
EXAMPLES_MAX = 3  # of each kind of rejected input
FIT_STEP_NS = 3_000_000_000  # flight models are kept so far apart, the newest always,
FITS_MAX = 8  # and no more of them


@dataclass(frozen=True)
class Fix:
    """Where a track was."""

    t_ns: int
    east_m: float
    north_m: float
    up_m: float


@dataclass(frozen=True)
class Estimate:
    """Where and when a track was to land, as believed at `t_ns`."""

    t_ns: int
    east_m: float
    north_m: float
    covariance_m2: tuple[float, float, float]  # ee, en, nn
    impact_t_ns: int
    impact_time_s_std: float

    @property
    def drms_m(self) -> float:
        """Root of the sum of the variances east and north."""
        return math.sqrt(max(self.covariance_m2[0], 0.0) + max(self.covariance_m2[2], 0.0))


@dataclass
class TrackLog:
    """What the log says of one track, so far."""

    last: Track
    confirmed_t_ns: int | None = None
    classes: tuple[tuple[str, float], ...] = ()
    projectile_probability: float = 0.0
    trail: list[Fix] = field(default_factory=list)
    estimates: list[Estimate] = field(default_factory=list)
    coasting: list[tuple[int, int]] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    engagements: list[Engagement] = field(default_factory=list)
    warned: dict[str, int] = field(default_factory=dict)
    places: tuple[tuple[str, str, float], ...] = ()
    expected_exposed: float | None = None
    fits: list[tuple[int, Hypothesis]] = field(default_factory=list)  # the likeliest flight model at some moments


@dataclass
class SensorLog:
    """What the log says of one sensor, so far."""

    first_t_ns: int
    last_t_ns: int
    plots: int = 0
    used: int = 0
    longest_gap_ns: int = 0
    per_second: dict[int, int] = field(default_factory=dict)


@dataclass
class Collected:
    """The log, sorted by whom it concerns."""

    keep_lines: bool = False
    header: Header | None = None
    start_t_ns: int | None = None
    end_t_ns: int | None = None
    tracks: dict[int, TrackLog] = field(default_factory=dict)
    warnings: dict[str, list[Warning]] = field(default_factory=dict)
    sensors: dict[str, SensorLog] = field(default_factory=dict)
    track_of_plot: dict[int, int] = field(default_factory=dict)
    line_of_plot: dict[int, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    rejected_examples: dict[str, list[tuple[int | None, str, str]]] = field(default_factory=dict)
    rejected_by_sensor: dict[str, int] = field(default_factory=dict)
    health: list[Health] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)


def collect(messages: Iterable[Message], *, keep_lines: bool = False) -> Collected:
    """Return the messages sorted by whom they concern.  `keep_lines`: remember each plot's line, for scoring."""
    log = Collected(keep_lines=keep_lines)
    for message in messages:
        if isinstance(message, Header):
            log.header = log.header or message
            continue
        if not isinstance(message, Rejected):  # the time of bad input is not to be believed
            _extend(log, message.t_ns)
        _take(log, message)
    return log


def _take(log: Collected, message: Message) -> None:
    taker = _TAKERS.get(type(message))
    if taker is not None:
        taker(log, message)


def _extend(log: Collected, t_ns: int) -> None:
    log.start_t_ns = t_ns if log.start_t_ns is None else min(log.start_t_ns, t_ns)
    log.end_t_ns = t_ns if log.end_t_ns is None else max(log.end_t_ns, t_ns)


def _plot(log: Collected, plot: Plot) -> None:
    entry = log.sensors.get(plot.sensor)
    if entry is None:
        entry = log.sensors[plot.sensor] = SensorLog(first_t_ns=plot.t_ns, last_t_ns=plot.t_ns)
    entry.plots += 1
    entry.longest_gap_ns = max(entry.longest_gap_ns, plot.t_ns - entry.last_t_ns)
    entry.first_t_ns = min(entry.first_t_ns, plot.t_ns)
    entry.last_t_ns = max(entry.last_t_ns, plot.t_ns)
    second = plot.t_ns // 1_000_000_000
    entry.per_second[second] = entry.per_second.get(second, 0) + 1
    if log.keep_lines:
        log.line_of_plot[plot.plot_id] = plot.line if plot.line is not None else plot.plot_id


def _association(log: Collected, association: Association) -> None:
    entry = log.sensors.get(association.sensor)
    for plot_id, track_id in zip(association.plot_ids, association.track_ids, strict=False):
        if track_id == 0:
            continue
        if entry is not None and plot_id not in log.track_of_plot:
            entry.used += 1
        log.track_of_plot[plot_id] = track_id


def _track(log: Collected, track: Track) -> None:
    if not _finite(*track.position_enu_m, track.projectile_probability):
        return
    entry = log.tracks.get(track.track_id)
    if entry is None:
        entry = log.tracks[track.track_id] = TrackLog(last=track)
    if track.status == "confirmed" and entry.confirmed_t_ns is None:
        entry.confirmed_t_ns = track.t_ns
    if track.status == "coasting" and entry.last.status != "coasting":
        entry.coasting.append((track.updated_t_ns, track.t_ns))
    elif entry.coasting and entry.last.status == "coasting":
        entry.coasting[-1] = (entry.coasting[-1][0], max(entry.coasting[-1][1], track.t_ns))
    if track.classes:
        entry.classes, entry.projectile_probability = track.classes, track.projectile_probability
    if track.hypotheses:
        _fit(entry, track)
    ended = track.status == "dropped"
    if not ended and (not entry.trail or track.t_ns - entry.trail[-1].t_ns >= TRAIL_STEP_NS):
        entry.trail.append(Fix(track.t_ns, *track.position_enu_m))
    entry.last = track


def _fit(entry: TrackLog, track: Track) -> None:
    """Keep the likeliest flight model: the newest, and older ones some seconds apart."""
    best = max(track.hypotheses, key=lambda each: each.probability if math.isfinite(each.probability) else -1.0)
    if len(entry.fits) >= 2 and entry.fits[-1][0] - entry.fits[-2][0] < FIT_STEP_NS:
        entry.fits.pop()
    if len(entry.fits) >= FITS_MAX:
        entry.fits.pop(1)
    entry.fits.append((track.t_ns, best))


def _impact(log: Collected, impact: Impact) -> None:
    entry = log.tracks.get(impact.track_id)
    if entry is None or not _finite(*impact.position_enu_m, *impact.covariance_enu_m2, impact.impact_time_s_std):
        return
    east_m, north_m, _ = impact.position_enu_m
    entry.estimates.append(
        Estimate(impact.t_ns, east_m, north_m, impact.covariance_enu_m2, impact.impact_t_ns, impact.impact_time_s_std)
    )


def _threat(log: Collected, threat: Threat) -> None:
    entry = log.tracks.get(threat.track_id)
    if entry is None:
        return
    entry.places = tuple((p.kind, p.place, p.probability) for p in threat.places if _finite(p.probability))
    entry.expected_exposed = threat.expected_exposed if _finite(threat.expected_exposed) else None


def _warning(log: Collected, warning: Warning) -> None:
    if not _finite(warning.probability, warning.seconds_left):
        return
    log.warnings.setdefault(warning.zone, []).append(warning)
    if warning.state in ("issued", "updated"):
        for track_id in warning.track_ids:
            if track_id in log.tracks:
                log.tracks[track_id].warned.setdefault(warning.zone, warning.t_ns)


def _decision(log: Collected, decision: Decision) -> None:
    """Keep a decision if it says something new; of a run that says the same, keep the first time and the last word."""
    entry = log.tracks.get(decision.track_id)
    if entry is None or not _finite(decision.probability):
        return
    last = entry.decisions[-1] if entry.decisions else None
    same = last is not None and (last.action, last.asset, last.code) == (decision.action, decision.asset, decision.code)
    if same and len(entry.decisions) > 1:
        previous = entry.decisions[-2]
        if (previous.action, previous.asset, previous.code) == (decision.action, decision.asset, decision.code):
            entry.decisions[-1] = decision
            return
    entry.decisions.append(decision)


def _engagement(log: Collected, engagement: Engagement) -> None:
    if engagement.track_id in log.tracks and _finite(engagement.kill_probability):
        log.tracks[engagement.track_id].engagements.append(engagement)


def _rejected(log: Collected, rejected: Rejected) -> None:
    log.rejected[rejected.code] = log.rejected.get(rejected.code, 0) + 1
    log.rejected_by_sensor[rejected.sensor] = log.rejected_by_sensor.get(rejected.sensor, 0) + 1
    examples = log.rejected_examples.setdefault(rejected.code, [])
    if len(examples) < EXAMPLES_MAX:
        examples.append((rejected.line, rejected.sensor, rejected.reason))


def _finite(*values: float) -> bool:
    return all(map(math.isfinite, values))


_TAKERS: dict[type, Callable[[Collected, Any], None]] = {
    Plot: _plot,
    Association: _association,
    Track: _track,
    Impact: _impact,
    Threat: _threat,
    Warning: _warning,
    Decision: _decision,
    Engagement: _engagement,
    Rejected: _rejected,
    Health: lambda log, health: log.health.append(health),
    Operator: lambda log, operator: log.operators.append(operator),
}
