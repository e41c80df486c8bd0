"""What a run came to: gathered while the messages pass, told at the end in words or as data."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from opencram.adapters.times import rfc3339
from opencram.config.model import Site
from opencram.messages import (
    PROJECTILE_CLASSES,
    Decision,
    Engagement,
    Impact,
    Message,
    Plot,
    Rejected,
    Threat,
    Track,
    Warning,
)
from opencram.runtime import words

LISTED_MAX = 12  # tracks of one decision, or zones, that are named


@dataclass(frozen=True, kw_only=True)
class TrackSummary:
    """One confirmed track.  Times are UTC ns; `impact_*` is the last prediction."""

    track: int
    class_name: str
    class_probability: float
    projectile: bool
    plots: int
    first_t_ns: int
    last_t_ns: int
    ended: str
    place: str
    impact_t_ns: int | None
    action: str | None
    effector: str | None
    reason: str
    engagement: str | None


@dataclass(frozen=True, kw_only=True)
class AlarmSummary:
    """One alarm.  `warned_s` is the time from issue to the first impact foreseen, as last predicted."""

    alarm: int
    zone: str
    name: str
    issued_t_ns: int
    warned_s: float
    state: str
    advice: str
    tracks: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """All that is told of a run."""

    site: str
    tracks: tuple[TrackSummary, ...]
    alarms: tuple[AlarmSummary, ...]
    plots: int
    rejected: tuple[tuple[str, int], ...]  # by reason code, most frequent first
    data_s: float
    elapsed_s: float


@dataclass
class Tally:
    """Gathers a `RunSummary` from the messages as they pass."""

    site: Site
    tracks: dict[int, Track] = field(default_factory=dict)
    impacts: dict[int, Impact] = field(default_factory=dict)
    threats: dict[int, Threat] = field(default_factory=dict)
    decisions: dict[int, Decision] = field(default_factory=dict)
    engagements: dict[int, Engagement] = field(default_factory=dict)
    issued: dict[int, Warning] = field(default_factory=dict)
    alarms: dict[int, Warning] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)
    plots: int = 0
    first_t_ns: int = 0
    last_t_ns: int = 0

    def take(self, inputs: Sequence[Message], outputs: Sequence[Message]) -> None:
        """Count one batch in."""
        plots = 0
        for message in inputs:
            if type(message) is Plot:
                plots += 1
            elif type(message) is Rejected:
                self.rejected[message.code] += 1
        if plots:
            self.plots += plots
            self.last_t_ns = max(self.last_t_ns, inputs[-1].t_ns)  # the tick that closes the batch
            self.first_t_ns = self.first_t_ns or next(m.t_ns for m in inputs if type(m) is Plot)
        for message in outputs:
            self._take_output(message)

    def _take_output(self, message: Message) -> None:
        match message:
            case Track():
                if message.status == "confirmed" or message.track_id in self.tracks:
                    self.tracks[message.track_id] = message
            case Impact():
                self.impacts[message.track_id] = message
            case Threat():
                self.threats[message.track_id] = message
            case Decision():
                self.decisions[message.track_id] = message
            case Engagement():
                self.engagements[message.track_id] = message
            case Warning():
                self.issued.setdefault(message.alarm_id, message)
                self.alarms[message.alarm_id] = message
            case Rejected():
                self.rejected[message.code] += 1
            case _:
                pass

    def close(self) -> None:
        """The run has ended; what was gathered stays."""

    def summary(self, elapsed_s: float) -> RunSummary:
        """Return what the run came to so far."""
        names = words.place_names(self.site)
        return RunSummary(
            site=self.site.name,
            tracks=tuple(self._track(track, names) for track in self.tracks.values()),
            alarms=tuple(self._alarm(alarm_id, names) for alarm_id in self.alarms),
            plots=self.plots,
            rejected=tuple(self.rejected.most_common()),
            data_s=(self.last_t_ns - self.first_t_ns) / 1e9,
            elapsed_s=elapsed_s,
        )

    def _track(self, track: Track, names: Mapping[tuple[str, str], str]) -> TrackSummary:
        class_name, probability = track.classes[0] if track.classes else ("unknown", 0.0)
        impact, decision = self.impacts.get(track.track_id), self.decisions.get(track.track_id)
        engagement = self.engagements.get(track.track_id)
        return TrackSummary(
            track=track.track_id,
            class_name=class_name,
            class_probability=probability,
            projectile=class_name in PROJECTILE_CLASSES,
            plots=track.plots,
            first_t_ns=track.first_t_ns,
            last_t_ns=track.updated_t_ns,
            ended=track.reason,
            place=words.place(impact, self.threats.get(track.track_id), names) if impact else "",
            impact_t_ns=impact.impact_t_ns if impact else None,
            action=decision.action if decision else None,
            effector=decision.effector if decision else None,
            reason=decision.reason if decision else "",
            engagement=engagement.state if engagement else None,
        )

    def _alarm(self, alarm_id: int, names: Mapping[tuple[str, str], str]) -> AlarmSummary:
        issued, last = self.issued[alarm_id], self.alarms[alarm_id]
        foreseen = [self.impacts[t].impact_t_ns for t in issued.track_ids if t in self.impacts]
        return AlarmSummary(
            alarm=alarm_id,
            zone=issued.zone,
            name=names.get(("zone", issued.zone), issued.zone),
            issued_t_ns=issued.t_ns,
            warned_s=(min(foreseen, default=issued.impact_t_ns) - issued.t_ns) / 1e9,
            state=last.state,
            advice=issued.advice,
            tracks=last.track_ids or issued.track_ids,
        )


def as_json(summary: RunSummary) -> dict[str, Any]:
    """Return a summary as other programs read it: times in RFC 3339."""
    found: dict[str, Any] = msgspec.to_builtins(summary)
    for record in (*found["tracks"], *found["alarms"]):
        for name in [name for name in record if name.endswith("t_ns")]:
            t_ns = record.pop(name)
            record[f"{name.removesuffix('t_ns')}time"] = None if t_ns is None else rfc3339(t_ns)
    found["rejected"] = dict(summary.rejected)
    return found


def sentences(summary: RunSummary) -> list[str]:
    """Return the summary in words, a line each."""
    projectiles = [track for track in summary.tracks if track.projectile]
    others = [track for track in summary.tracks if not track.projectile]
    lines = [f"{_tracked(projectiles)}{_others(others)}."]
    lines += _warned(summary.alarms)
    for action in ("engage", "ignore", "hold", None):
        lines += _decided([track for track in projectiles if track.action == action])
    rejected = sum(number for _, number in summary.rejected)
    reasons = ", ".join(f"{number} {code}" for code, number in summary.rejected)
    lines.append(f"Plots: {summary.plots} read, {rejected} rejected{f' ({reasons})' if reasons else ''}.")
    rate = f", {summary.plots / summary.elapsed_s:,.0f} plots/s" if summary.elapsed_s > 0.0 else ""
    lines.append(f"Time: {summary.data_s:.1f} s of data in {summary.elapsed_s:.2f} s{rate}.")
    return lines


def _decided(tracks: list[TrackSummary]) -> list[str]:
    lines = [f"Track {t.track} ({t.class_name}) {t.reason or 'was never decided on'}." for t in tracks[:LISTED_MAX]]
    left = len(tracks) - LISTED_MAX
    return lines if left <= 0 else [*lines, f"And {left} more like these; the events and the report name all."]


def _tracked(projectiles: list[TrackSummary]) -> str:
    if not projectiles:
        return "No projectile was tracked"
    by_class = Counter(track.class_name for track in projectiles)
    parts = [words.count(number, name) for name, number in by_class.most_common()]
    text = f"{words.count(len(projectiles), 'projectile')} tracked"
    return f"{text[0].upper()}{text[1:]}: {words.listed(parts)}"


def _others(others: list[TrackSummary]) -> str:
    if not others:
        return ""
    by_class = Counter(track.class_name for track in others)
    plural = {"aircraft": "aircraft"}
    return (
        f"; besides, {words.listed([words.count(n, name, plural.get(name, '')) for name, n in by_class.most_common()])}"
    )


def _warned(alarms: Sequence[AlarmSummary]) -> list[str]:
    lines = []
    stood = [f"{alarm.name} ({alarm.warned_s:.0f} s)" for alarm in alarms if alarm.state != "cancelled"]
    withdrawn = [alarm.name for alarm in alarms if alarm.state == "cancelled"]
    if stood:
        lines.append(f"Warned, seconds before the first predicted impact: {_shortened(stood)}.")
    if withdrawn:
        lines.append(f"Warned, and withdrawn as the prediction sharpened: {_shortened(withdrawn)}.")
    return lines or ["No zone was warned."]


def _shortened(names: list[str]) -> str:
    left = len(names) - LISTED_MAX
    return words.listed(names if left <= 0 else [*names[:LISTED_MAX], f"{left} more"])
