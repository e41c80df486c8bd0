"""The life of each zone's alarms, and whether the zone was warned in time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from opencram.messages import Advice, Warning
from opencram.report.geometry import Point
from opencram.report.siteplan import PlanArea

Verdict = Literal["hit", "predicted", "shot_down", "not_hit", "not_predicted"]
AlarmEnd = Literal["cancelled", "all_clear", "expired", "in_force"]
NEEDED: tuple[Verdict, ...] = ("hit", "predicted", "shot_down")  # a round came down, or would have


@dataclass(frozen=True)
class Phase:
    """An alarm between two of its messages."""

    t_ns: int
    probability: float
    impact_t_ns: int
    advice: Advice


@dataclass(frozen=True)
class AlarmFacts:
    """One alarm of one zone, from issue to end."""

    alarm_id: int
    issued_t_ns: int
    seconds_left: float  # at issue, to the impact predicted then
    advice: Advice
    reason: str
    phases: tuple[Phase, ...]
    track_ids: tuple[int, ...]
    end: AlarmEnd  # when the recording ends
    end_t_ns: int  # of `in_force`: when it expires by itself

    @property
    def probability_max(self) -> float:
        """The highest probability it was given."""
        return max(phase.probability for phase in self.phases)


@dataclass(frozen=True)
class DistrictFacts:
    """A district that was in alarm because zones of it were; `zone_ids`: those, in the order of their alarms."""

    id: str
    name: str
    alarms: tuple[AlarmFacts, ...]
    zone_ids: tuple[str, ...]


@dataclass(frozen=True)
class ZoneFacts:
    """One zone that was warned, or hit, or predicted to be hit."""

    id: str
    name: str
    people: int | None
    shelter_time_s: float | None
    polygon: tuple[Point, ...]
    alarms: tuple[AlarmFacts, ...]
    verdict: Verdict
    impact_t_ns: int | None  # the first impact that counts for the zone: true, else predicted
    lead_s: float | None  # from the issue of its alarm to that impact; None: no alarm was in force then

    @property
    def first_issued_t_ns(self) -> int:
        """When it was first warned; 0 if never."""
        return self.alarms[0].issued_t_ns if self.alarms else 0

    @property
    def needed(self) -> bool:
        """Whether a round came down within its hazard radius, or would have."""
        return self.verdict in NEEDED

    @property
    def in_time(self) -> bool | None:
        """Whether the lead time reached the shelter time; None if one of them is unknown."""
        if self.lead_s is None or self.shelter_time_s is None:
            return None
        return self.lead_s >= self.shelter_time_s


def zone_facts(
    area: PlanArea,
    warnings: Sequence[Warning],
    *,
    predicted: Sequence[tuple[int, int, bool]],
    hits: Sequence[int] | None,
) -> ZoneFacts:
    """Return the facts of one zone.

    `predicted`: time, track and whether it was shot down, for each round last predicted to land within
    the hazard radius.  `hits`: times of the true impacts there; None without truth.
    """
    alarms = alarms_of(warnings)
    verdict = _verdict(predicted, hits)
    counted = hits or [t_ns for t_ns, _, _ in predicted] or [alarm.phases[0].impact_t_ns for alarm in alarms[:1]]
    impact_t_ns = min(counted, default=None)
    return ZoneFacts(
        id=area.id,
        name=area.name,
        people=area.people,
        shelter_time_s=area.shelter_time_s,
        polygon=area.polygon,
        alarms=alarms,
        verdict=verdict,
        impact_t_ns=impact_t_ns,
        lead_s=_lead_s(alarms, impact_t_ns, needed=verdict in NEEDED),
    )


def is_district(warnings: Sequence[Warning]) -> bool:
    """Return whether warnings are those of a district: only they name the zones that are in alarm."""
    return any(warning.zones for warning in warnings)


def district_facts(district_id: str, name: str, warnings: Sequence[Warning]) -> DistrictFacts:
    """Return the facts of one district that was in alarm."""
    zone_ids = tuple(dict.fromkeys(zone for warning in warnings for zone in warning.zones))
    return DistrictFacts(id=district_id, name=name, alarms=alarms_of(warnings), zone_ids=zone_ids)


def _lead_s(alarms: Sequence[AlarmFacts], impact_t_ns: int | None, *, needed: bool) -> float | None:
    """Return the seconds from the alarm to the impact; negative if the alarm came after it.

    An alarm that was cancelled before the impact warned nobody of it.
    """
    if impact_t_ns is None:
        return None
    issued = [alarm.issued_t_ns for alarm in alarms if not needed or alarm.end_t_ns >= impact_t_ns]
    return (impact_t_ns - min(issued)) / 1e9 if issued else None


def alarms_of(warnings: Sequence[Warning]) -> tuple[AlarmFacts, ...]:
    """Return the alarms in a zone's warnings, by time of issue."""
    by_id: dict[int, list[Warning]] = {}
    for warning in warnings:
        by_id.setdefault(warning.alarm_id, []).append(warning)
    alarms = [_alarm(alarm_id, messages) for alarm_id, messages in by_id.items()]
    return tuple(sorted(alarms, key=lambda alarm: (alarm.issued_t_ns, alarm.alarm_id)))


def _alarm(alarm_id: int, messages: Sequence[Warning]) -> AlarmFacts:
    first, last = messages[0], messages[-1]
    raised = [m for m in messages if m.state in ("issued", "updated")] or [first]
    return AlarmFacts(
        alarm_id=alarm_id,
        issued_t_ns=first.t_ns,
        seconds_left=first.seconds_left,
        advice=first.advice,
        reason=first.reason,
        phases=tuple(Phase(m.t_ns, m.probability, m.impact_t_ns, m.advice) for m in raised),
        track_ids=tuple(sorted({track_id for m in raised for track_id in m.track_ids})),
        end=_end(last),
        end_t_ns=_end_t_ns(messages),
    )


def _end(last: Warning) -> AlarmEnd:
    match last.state:
        case "issued" | "updated":
            return "in_force"
        case ended:
            return ended


def _end_t_ns(messages: Sequence[Warning]) -> int:
    """Return when an alarm ended, or will by itself.  One that expired did so when it had said it would."""
    last = messages[-1]
    if last.state == "expired" and len(messages) > 1:
        return min(last.t_ns, messages[-2].expires_t_ns)
    return last.expires_t_ns if _end(last) == "in_force" else last.t_ns


def _verdict(predicted: Sequence[tuple[int, int, bool]], hits: Sequence[int] | None) -> Verdict:
    """Say what became of the zone: by the truth where there is one, else by the last prediction."""
    if hits:
        return "hit"
    if any(shot_down for _, _, shot_down in predicted):
        return "shot_down"
    if hits is not None:
        return "not_hit"
    return "predicted" if predicted else "not_predicted"
