"""Messages → facts: all that the report says, as plain data, before a word is chosen or a line drawn.

One pass over the log.  Nothing is computed here that the log (or the truth, if given) does not hold:
positions and ellipses are as they were logged at the time, never smoothed afterwards.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opencram.config.site import parse_site
from opencram.errors import OpencramError
from opencram.messages import Decision, Engagement, Header, Health, Message, Operator
from opencram.report.collect import Collected, Estimate, Fix, collect
from opencram.report.geometry import Point, distance_to_polygon, ellipse_95, holds
from opencram.report.outcomes import Ledger, is_told, ledger
from opencram.report.siteplan import PlanArea, SitePlan, plan_from_text
from opencram.report.truth import TrueRound, Truth, match, read_truth
from opencram.report.zones import DistrictFacts, ZoneFacts, district_facts, is_district, zone_facts

if TYPE_CHECKING:
    from opencram.report.launches import LaunchFacts

SECOND_NS = 1_000_000_000
AFTERMATH_S = 3.0  # how long the replay goes on after the last impact


@dataclass(frozen=True)
class TrackFacts:
    """One confirmed track, from its first plot to its end."""

    track_id: int
    first_t_ns: int
    confirmed_t_ns: int
    last_t_ns: int
    drop_reason: str
    class_name: str
    class_probability: float
    projectile_probability: float
    plots: int
    trail: tuple[Fix, ...]
    estimates: tuple[Estimate, ...]
    coasting: tuple[tuple[int, int], ...]
    decisions: tuple[Decision, ...]
    engagements: tuple[Engagement, ...]
    warned: tuple[tuple[int, str], ...]  # first time that an alarm of each zone named this track
    places: tuple[tuple[str, str, float], ...]  # last threat: kind, place, probability; most probable first
    expected_exposed: float | None
    truth: TrueRound | None

    @property
    def decision(self) -> Decision | None:
        """The last word on this track."""
        return self.decisions[-1] if self.decisions else None

    @property
    def engaged(self) -> bool:
        """Whether an effector was committed, or the last word was to engage."""
        return bool(self.engagements) or any(d.action == "engage" for d in self.decisions)

    @property
    def killed(self) -> bool:
        """Whether an effector model reported a kill."""
        return any(e.state == "killed" for e in self.engagements)

    @property
    def shot_down(self) -> bool:
        """Whether it was destroyed in the air: truly if known, else as the effector model reported."""
        return self.truth.intercepted and self.truth.impact is None if self.truth is not None else self.killed

    @property
    def final(self) -> Estimate | None:
        """The last estimate of its impact."""
        return self.estimates[-1] if self.estimates else None

    @property
    def end_t_ns(self) -> int:
        """When it came to its end: truly if known, else as last predicted, else when last seen."""
        if self.truth is not None and self.truth.end_t_ns is not None:
            return self.truth.end_t_ns
        if self.killed:
            return max(e.t_ns for e in self.engagements if e.state == "killed")
        return self.final.impact_t_ns if self.final else self.last_t_ns

    def estimate_at(self, seconds_before: float) -> Estimate | None:
        """Return the last estimate known so many seconds before its end, or None."""
        limit = self.end_t_ns - round(seconds_before * SECOND_NS)
        known = [e for e in self.estimates if e.t_ns <= limit]
        return known[-1] if known and limit - known[-1].t_ns < 2 * SECOND_NS else None

    def error_m(self, estimate: Estimate) -> float | None:
        """Return how far an estimate lies from where the round came down (or would have); None if unknown."""
        if self.truth is None or self.truth.undisturbed is None:
            return None
        true = self.truth.undisturbed
        return math.hypot(estimate.east_m - true[0], estimate.north_m - true[1])

    def held(self, estimate: Estimate) -> bool | None:
        """Tell whether the 95 % ellipse of an estimate holds the true impact; None where that is unknown."""
        ellipse = ellipse_95(estimate.east_m, estimate.north_m, estimate.covariance_m2)
        if ellipse is None or self.error_m(estimate) is None or self.truth is None or self.truth.undisturbed is None:
            return None
        return holds(ellipse, self.truth.undisturbed)


@dataclass(frozen=True)
class SensorFacts:
    """What one sensor gave."""

    id: str
    plots: int
    used: int  # that a track took
    rejected: int
    first_t_ns: int | None
    last_t_ns: int | None
    longest_gap_s: float
    per_second: tuple[int, ...]  # plots in each second from the start of the recording


@dataclass(frozen=True)
class RejectionFacts:
    """What was not used, for one reason."""

    code: str
    count: int
    examples: tuple[tuple[int | None, str, str], ...]  # line, sensor, reason


@dataclass(frozen=True)
class Facts:
    """All that the report says."""

    header: Header | None
    plan: SitePlan
    start_t_ns: int  # first message with data
    end_t_ns: int
    scene: tuple[int, int]  # the part worth replaying: first detection to shortly after the last impact
    projectiles: tuple[TrackFacts, ...]  # by time of first plot
    others: tuple[TrackFacts, ...]  # confirmed, and judged no projectile
    unconfirmed: int
    zones: tuple[ZoneFacts, ...]  # warned or hit, by time of warning
    sensors: tuple[SensorFacts, ...]
    rejections: tuple[RejectionFacts, ...]
    rejected: int
    health: tuple[Health, ...]
    operators: tuple[Operator, ...]
    truth: Truth | None
    unseen: tuple[TrueRound, ...]  # rounds of the truth that no projectile track answers to
    launches: "tuple[LaunchFacts, ...]" = ()  # where those came from that have come down; the busiest area first
    districts: tuple[DistrictFacts, ...] = ()  # in alarm, by time of warning
    ledger: Ledger | None = None  # what became of each round, where a simulation left its truth

    @property
    def people_warned(self) -> int:
        """People in the zones warned, by the site file; each zone once."""
        return sum(zone.people or 0 for zone in self.zones if zone.alarms)


def gather(messages: Iterable[Message], truth: Mapping[str, Any] | None = None) -> Facts:
    """Return the facts of a recording, read once from its first message to its last."""
    log = collect(messages, keep_lines=truth is not None)
    header = log.header
    plan = (
        plan_from_text(header.site_toml, header.site_name) if header else SitePlan("", problem="no header in the log")
    )
    known = read_truth(truth) if truth is not None else None
    matched = _matched(log, known)
    confirmed = [
        _track_facts(log, track_id, matched.get(track_id))
        for track_id, entry in log.tracks.items()
        if entry.confirmed_t_ns is not None
    ]
    confirmed.sort(key=lambda track: (track.first_t_ns, track.track_id))
    projectiles = tuple(track for track in confirmed if track.projectile_probability >= 0.5)
    start, end = log.start_t_ns or 0, log.end_t_ns or 0
    rounds = known.rounds if known else ()
    answered = {track.truth.number for track in projectiles if track.truth}
    return Facts(
        header=header,
        plan=plan,
        start_t_ns=start,
        end_t_ns=end,
        scene=_scene(projectiles or confirmed, start, end),
        projectiles=projectiles,
        others=tuple(track for track in confirmed if track.projectile_probability < 0.5),
        unconfirmed=len(log.tracks) - len(confirmed),
        zones=_zones(plan, log, projectiles, rounds),
        districts=_districts(plan, log),
        sensors=_sensors(log, plan),
        rejections=tuple(
            RejectionFacts(code, count, tuple(log.rejected_examples[code]))
            for code, count in sorted(log.rejected.items(), key=lambda item: (-item[1], item[0]))
        ),
        rejected=sum(log.rejected.values()),
        health=tuple(log.health),
        operators=tuple(log.operators),
        truth=known,
        unseen=tuple(entry for entry in rounds if entry.number not in answered),
        launches=_launches(log, projectiles),
        ledger=_ledger(log, truth),
    )


def _ledger(log: Collected, truth: Mapping[str, Any] | None) -> Ledger | None:
    """Return what became of each round and what the engagements cost; None without the truth of a simulation."""
    if truth is None or log.header is None or not is_told(truth):
        return None
    try:
        site = parse_site(log.header.site_toml, "site")
    except OpencramError:
        return None
    shots = [shot for entry in log.tracks.values() for shot in entry.engagements if shot.state == "fired"]
    return ledger(site, truth, {shot.engagement_id: shot.rounds for shot in shots})


def _launches(log: Collected, projectiles: Sequence[TrackFacts]) -> "tuple[LaunchFacts, ...]":
    """Return the areas that those projectiles came from which have come down.

    A round that was shot down counts from the time at which it would have come down.
    """
    fits = {each.track_id: [model for _, model in log.tracks[each.track_id].fits] for each in projectiles}
    if log.header is None or log.end_t_ns is None or not any(fits.values()):
        return ()
    from opencram.report.launches import launch_areas, site_environment  # the flight model is compiled code

    place = site_environment(log.header)
    down = {each.track_id: max(each.end_t_ns, each.final.impact_t_ns) for each in projectiles if each.final is not None}
    if place is None:
        return ()
    return launch_areas(fits, down, end_t_ns=log.end_t_ns, frame=place[0], env=place[1], curves=place[2])


def _matched(log: Collected, truth: Truth | None) -> dict[int, TrueRound]:
    if truth is None:
        return {}
    confirmed = {track_id: entry for track_id, entry in log.tracks.items() if entry.confirmed_t_ns is not None}
    predicted = {
        track_id: ((last.east_m, last.north_m), last.impact_t_ns)
        for track_id, entry in confirmed.items()
        for last in entry.estimates[-1:]
    }
    lines: dict[int, list[int]] = {}
    for plot_id, track_id in log.track_of_plot.items():
        line = log.line_of_plot.get(plot_id)
        if track_id in confirmed and line is not None:
            lines.setdefault(track_id, []).append(line)
    return match(truth, predicted, lines)


def _track_facts(log: Collected, track_id: int, truth: TrueRound | None) -> TrackFacts:
    entry = log.tracks[track_id]
    last = entry.last
    name, probability = entry.classes[0] if entry.classes else ("", 0.0)
    return TrackFacts(
        track_id=track_id,
        first_t_ns=last.first_t_ns,
        confirmed_t_ns=entry.confirmed_t_ns or last.t_ns,
        last_t_ns=last.updated_t_ns,
        drop_reason=last.reason,
        class_name=name,
        class_probability=probability,
        projectile_probability=entry.projectile_probability,
        plots=last.plots,
        trail=tuple(entry.trail),
        estimates=tuple(entry.estimates),
        coasting=tuple(entry.coasting),
        decisions=tuple(entry.decisions),
        engagements=tuple(entry.engagements),
        warned=tuple(sorted((t_ns, zone) for zone, t_ns in entry.warned.items())),
        places=tuple(sorted(entry.places, key=lambda place: (-place[2], place[0], place[1]))),
        expected_exposed=entry.expected_exposed,
        truth=truth,
    )


def _scene(tracks: Sequence[TrackFacts], start_t_ns: int, end_t_ns: int) -> tuple[int, int]:
    """Return the time worth replaying, in whole seconds; the whole recording if nothing was tracked."""
    if not tracks:
        return start_t_ns, max(end_t_ns, start_t_ns + SECOND_NS)
    first = min(track.first_t_ns for track in tracks) - SECOND_NS
    last = max(max(track.end_t_ns, track.last_t_ns) for track in tracks) + round(AFTERMATH_S * SECOND_NS)
    return first // SECOND_NS * SECOND_NS, -(-last // SECOND_NS) * SECOND_NS


def _zones(
    plan: SitePlan, log: Collected, projectiles: Sequence[TrackFacts], rounds: Sequence[TrueRound]
) -> tuple[ZoneFacts, ...]:
    """Return the zones that were warned or hit, with the impacts that count for each."""
    true_impacts = [
        (entry.impact, entry.impact_t_ns, f"{entry.number}") for entry in rounds if entry.impact is not None
    ]
    predicted = [
        ((track.final.east_m, track.final.north_m), track.end_t_ns, track.track_id, track.shot_down)
        for track in projectiles
        if track.final is not None
    ]
    areas: dict[str, PlanArea] = {zone.id: zone for zone in plan.zones}
    for zone_id in [each for each, said in log.warnings.items() if not is_district(said)]:
        areas.setdefault(zone_id, PlanArea(zone_id, zone_id, ()))
    found: list[ZoneFacts] = []
    for zone_id, area in areas.items():
        near = _near(area, plan.hazard_radius_m, [place for place, *_ in predicted])
        hits = _near(area, plan.hazard_radius_m, [place for place, *_ in true_impacts])
        warnings = log.warnings.get(zone_id, [])
        if not warnings and not near and not hits:
            continue
        found.append(
            zone_facts(
                area,
                warnings,
                predicted=[predicted[i][1:] for i in near],
                hits=[t_ns for i in hits if (t_ns := true_impacts[i][1]) is not None] if rounds else None,
            )
        )
    return tuple(sorted(found, key=lambda zone: (not zone.alarms, zone.first_issued_t_ns, zone.id)))


def _districts(plan: SitePlan, log: Collected) -> tuple[DistrictFacts, ...]:
    """Return the districts that were in alarm, the first warned first."""
    names = dict(plan.districts)
    found = [
        district_facts(each, names.get(each, each), said) for each, said in log.warnings.items() if is_district(said)
    ]
    return tuple(sorted(found, key=lambda one: (one.alarms[0].issued_t_ns, one.id)))


def _near(area: PlanArea, radius_m: float, places: Sequence[Point]) -> list[int]:
    """Return which of the places lie within the hazard radius of the area."""
    if not area.polygon:
        return []
    east = [corner[0] for corner in area.polygon]
    north = [corner[1] for corner in area.polygon]
    west_m, east_m, south_m, north_m = min(east), max(east), min(north), max(north)
    return [
        index
        for index, (x, y) in enumerate(places)
        if west_m - radius_m <= x <= east_m + radius_m
        and south_m - radius_m <= y <= north_m + radius_m
        and distance_to_polygon((x, y), area.polygon) <= radius_m
    ]


def _sensors(log: Collected, plan: SitePlan) -> tuple[SensorFacts, ...]:
    order = {sensor.id: index for index, sensor in enumerate(plan.sensors)}
    names = sorted({*order, *log.sensors}, key=lambda name: (order.get(name, len(order)), name))
    seconds = min(((log.end_t_ns or 0) - (log.start_t_ns or 0)) // SECOND_NS + 1, 3600)
    result = []
    for name in names:
        entry = log.sensors.get(name)
        if entry is None:
            result.append(SensorFacts(name, 0, 0, log.rejected_by_sensor.get(name, 0), None, None, 0.0, ()))
            continue
        counts = [0] * seconds
        for second, count in entry.per_second.items():
            if 0 <= second - (log.start_t_ns or 0) // SECOND_NS < seconds:
                counts[second - (log.start_t_ns or 0) // SECOND_NS] = count
        result.append(
            SensorFacts(
                id=name,
                plots=entry.plots,
                used=entry.used,
                rejected=log.rejected_by_sensor.get(name, 0),
                first_t_ns=entry.first_t_ns,
                last_t_ns=entry.last_t_ns,
                longest_gap_s=entry.longest_gap_ns / SECOND_NS,
                per_second=tuple(counts),
            )
        )
    return tuple(result)
