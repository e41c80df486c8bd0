"""From a recording to its summary in the register."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from opencram.earth.geodesy import Frame, geodetic_from_enu
from opencram.errors import FileError
from opencram.messages import Message
from opencram.recording import read, read_header, truth_of
from opencram.register.model import FAR_STEP_M, OCTANTS, Fall, Raid, WarnedZone
from opencram.report.facts import Facts, TrackFacts, gather
from opencram.report.geometry import distance_to_polygon
from opencram.report.siteplan import SitePlan

OUTSIDE = ""


def raid_of(path: str | Path) -> Raid:
    """Return the summary of a recording; raise `OpencramError` if it cannot be read."""
    header = read_header(path)
    raid = summed(read(path), str(path), truth_of(path, header))
    if not raid.falls and not raid.zones:
        raise FileError(f"{path}: holds no projectile and no alarm; there is nothing to register")
    return raid


def summed(messages: Iterable[Message], recording: str, truth: Mapping[str, Any] | None = None) -> Raid:
    """Return the summary of the messages of a recording."""
    facts = gather(messages, truth)
    header = facts.header
    falls = tuple(_fall(facts, track) for track in facts.projectiles)
    zones = tuple(
        WarnedZone(
            zone=zone.id,
            name=zone.name,
            people=zone.people or 0,
            lead_s=None if zone.lead_s is None or not zone.alarms else round(zone.lead_s, 1),
            in_time=zone.in_time,
            needed=zone.needed,
        )
        for zone in facts.zones
    )
    return Raid(
        raid=0,
        digest=_digest(facts, falls),
        site=facts.plan.name,
        source=header.source if header else "process",
        start_t_ns=min((track.first_t_ns for track in facts.projectiles), default=facts.start_t_ns),
        recording=Path(recording).name,
        falls=falls,
        zones=zones,
    )


def _digest(facts: Facts, falls: tuple[Fall, ...]) -> str:
    """Return what tells this raid from others: its site, and which rounds it held at what time."""
    header = facts.header
    parts = [header.site_sha256 if header else "", str(facts.start_t_ns), repr(falls)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _fall(facts: Facts, track: TrackFacts) -> Fall:
    place = None
    if track.truth is not None and track.truth.impact is not None:
        place = track.truth.impact
    elif track.final is not None:
        place = (track.final.east_m, track.final.north_m)
    octant, far_m = _first_seen(track)
    degrees = _degrees(facts.plan, place)
    decision = track.decision
    return Fall(
        track=track.track_id,
        class_name=track.class_name,
        t_ns=track.end_t_ns,
        latitude_deg=None if degrees is None else degrees[0],
        longitude_deg=None if degrees is None else degrees[1],
        district=OUTSIDE if place is None else _district(facts.plan, place),
        ended="intercepted" if track.shot_down else ("impact" if place is not None else "lost"),
        from_octant=octant,
        from_m=far_m,
        action=decision.action if decision else "",
        reason=decision.reason if decision else "",
        reasons=decision.reasons if decision else (),
    )


def _first_seen(track: TrackFacts) -> tuple[str, float]:
    """Return the octant and the coarse distance at which a round was first seen."""
    if not track.trail:
        return "", math.nan
    first = track.trail[0]
    turn = math.atan2(first.east_m, first.north_m) % (2.0 * math.pi)
    octant = OCTANTS[round(turn / (math.pi / 4.0)) % len(OCTANTS)]
    return octant, round(math.hypot(first.east_m, first.north_m) / FAR_STEP_M) * FAR_STEP_M


def _district(plan: SitePlan, place: tuple[float, float]) -> str:
    """Return the zone in which a place lies, or the nearest within its hazard radius."""
    near = [(distance_to_polygon(place, zone.polygon), zone.name) for zone in plan.zones if zone.polygon]
    distance, name = min(near, default=(math.inf, OUTSIDE))
    return name if distance <= plan.hazard_radius_m else OUTSIDE


def _degrees(plan: SitePlan, place: tuple[float, float] | None) -> tuple[float, float] | None:
    if place is None or plan.latitude_deg is None or plan.longitude_deg is None:
        return None
    frame = Frame(math.radians(plan.latitude_deg), math.radians(plan.longitude_deg), 0.0)
    latitude, longitude, _ = (float(x) for x in geodetic_from_enu(frame, [*place, 0.0]))
    return round(math.degrees(latitude), 5), round(math.degrees(longitude), 5)
