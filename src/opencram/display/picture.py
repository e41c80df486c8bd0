"""What is known at one moment: the log folded into the latest word on every track, alarm and decision.

A picture holds messages and nothing else; whoever wants an earlier moment folds from an earlier copy
(`timeline.Timeline.at`).  Nothing is computed here that a message does not hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from opencram.messages import Decision, Engagement, Health, Impact, Message, Operator, Threat, Tick, Track, Warning

ENDED_NS = 6_000_000_000  # how long an ended track stays on the screen, crossed out
CLEARED_NS = 120_000_000_000  # how long the end of an alarm stays on the list
TRAIL_POINTS_MAX = 48  # some twenty seconds at two messages a second
ALARM_OVER = ("cancelled", "all_clear", "expired")

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Seen:
    """How many plots a sensor gave in one batch; it stands for them, since the screen draws no plot."""

    t_ns: int
    sensor: str
    plots: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm as it stands: its last message, when it was issued, and what else is known of its first impact."""

    warning: Warning
    issued_t_ns: int
    impact_time_s_std: float | None
    acknowledged_t_ns: int | None

    @property
    def stands(self) -> bool:
        """Whether people are still asked to do something."""
        return self.warning.state not in ALARM_OVER


@dataclass(frozen=True, slots=True)
class SensorSeen:
    """When a sensor last gave plots, and how many so far."""

    t_ns: int
    plots: int


@dataclass(slots=True)
class Picture:
    """The state of everything on the screen.  `seq` counts the records that were folded in."""

    seq: int = 0
    now_ns: int = 0
    tracks: dict[int, Track] = field(default_factory=dict)
    ended: dict[int, int] = field(default_factory=dict)  # when, of the tracks that have ended
    trails: dict[int, tuple[Point, ...]] = field(default_factory=dict)
    trailed: dict[int, int] = field(default_factory=dict)  # points that each trail ever had
    touched: dict[int, int] = field(default_factory=dict)  # the record that last moved a track or its impact
    impacts: dict[int, Impact] = field(default_factory=dict)
    threats: dict[int, Threat] = field(default_factory=dict)
    alarms: dict[int, Alarm] = field(default_factory=dict)
    decisions: dict[int, Decision] = field(default_factory=dict)
    engagements: dict[int, Engagement] = field(default_factory=dict)
    health: dict[str, Health] = field(default_factory=dict)
    sensors: dict[str, SensorSeen] = field(default_factory=dict)
    held: bool = False  # an operator holds all simulated engagements

    def copy(self) -> Self:
        """Return a picture that goes its own way; messages are frozen and shared."""
        return type(self)(
            self.seq, self.now_ns, dict(self.tracks), dict(self.ended), dict(self.trails), dict(self.trailed),
            dict(self.touched),
            dict(self.impacts), dict(self.threats), dict(self.alarms), dict(self.decisions), dict(self.engagements),
            dict(self.health), dict(self.sensors), self.held,
        )  # fmt: skip

    def take(self, record: Message | Seen) -> None:
        """Fold one record in."""
        self.seq += 1
        self.now_ns = max(self.now_ns, record.t_ns)
        match record:
            case Track():
                self._take_track(record)
            case Impact():
                self.impacts[record.track_id] = record
                self.touched[record.track_id] = self.seq
            case Threat():
                self.threats[record.track_id] = record
            case Warning():
                self._take_warning(record)
            case Decision():
                self.decisions[record.track_id] = record
            case Engagement():
                self.engagements[record.engagement_id] = record
            case Health():
                self.health[record.part] = record
            case Seen():
                before = self.sensors.get(record.sensor)
                self.sensors[record.sensor] = SensorSeen(record.t_ns, record.plots + (before.plots if before else 0))
            case Operator():
                self._take_operator(record)
            case Tick():
                self._forget()
            case _:
                pass

    def alarmed_tracks(self) -> frozenset[int]:
        """Return the tracks for which people are warned."""
        return frozenset(t for alarm in self.alarms.values() if alarm.stands for t in alarm.warning.track_ids)

    def engaged_tracks(self) -> frozenset[int]:
        """Return the tracks that a simulated engagement is under way against."""
        return frozenset(e.track_id for e in self.engagements.values() if e.state in ("committed", "fired"))

    def _take_track(self, track: Track) -> None:
        known = track.track_id
        self.tracks[known] = track
        self.touched[known] = self.seq
        if track.status == "dropped":
            self.ended[known] = self.now_ns
            return
        self.ended.pop(known, None)
        self.trailed[known] = self.trailed.get(known, 0) + 1
        self.trails[known] = (*self.trails.get(known, ())[1 - TRAIL_POINTS_MAX :], track.position_enu_m)

    def _take_warning(self, warning: Warning) -> None:
        before = self.alarms.get(warning.alarm_id)
        first = [self.impacts[t] for t in warning.track_ids if t in self.impacts]
        nearest = min(first, key=lambda impact: abs(impact.impact_t_ns - warning.impact_t_ns), default=None)
        acknowledged = before.acknowledged_t_ns if before is not None else None
        self.alarms[warning.alarm_id] = Alarm(
            warning=warning,
            issued_t_ns=before.issued_t_ns if before is not None else warning.t_ns,
            impact_time_s_std=nearest.impact_time_s_std if nearest is not None else None,
            # What is issued anew asks for attention again; an update of the same alarm does not.
            acknowledged_t_ns=None if warning.state == "issued" else acknowledged,
        )

    def _take_operator(self, operator: Operator) -> None:
        if operator.action in ("hold", "release") and operator.track_id == 0:
            self.held = operator.action == "hold"
        if operator.action != "acknowledge":
            return
        for alarm_id, alarm in self.alarms.items():
            if alarm.stands and operator.zone in ("", alarm.warning.zone) and alarm.acknowledged_t_ns is None:
                self.alarms[alarm_id] = Alarm(alarm.warning, alarm.issued_t_ns, alarm.impact_time_s_std, operator.t_ns)

    def _forget(self) -> None:
        over = [t for t, ended_ns in self.ended.items() if self.now_ns - ended_ns > ENDED_NS]
        held: tuple[dict[int, object], ...] = (
            self.tracks, self.ended, self.trails, self.trailed, self.touched, self.impacts, self.threats,
            self.decisions,
        )  # type: ignore[assignment]  # fmt: skip
        for track_id in over:
            for table in held:
                table.pop(track_id, None)
        cleared = [
            a for a, alarm in self.alarms.items()
            if not alarm.stands and self.now_ns - alarm.warning.t_ns > CLEARED_NS
        ]  # fmt: skip
        for alarm_id in cleared:
            del self.alarms[alarm_id]
        gone = [
            e for e, engagement in self.engagements.items()
            if engagement.state not in ("committed", "fired") and self.now_ns - engagement.t_ns > ENDED_NS
        ]  # fmt: skip
        for engagement_id in gone:
            del self.engagements[engagement_id]


def standing(alarms: Mapping[int, Alarm]) -> list[Alarm]:
    """Return the alarms that stand, the next impact first; what has landed comes after what is still to land."""
    return sorted(
        (a for a in alarms.values() if a.stands), key=lambda a: (a.warning.impact_t_ns, -a.warning.probability)
    )
