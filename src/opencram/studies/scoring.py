"""A run that has ended, scored against its truth: what the messages said, beside what really fell where."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opencram.ellipse import CHI2_95_2D
from opencram.messages import Impact
from opencram.simulation.model import WorldConfig
from opencram.simulation.world import Body, WorldState, origins
from opencram.studies.course import PROJECTILE, approach, course, known_at
from opencram.studies.ground import Ground, Point, casualties, inside, is_finite
from opencram.studies.listening import Alarm, Ear
from opencram.studies.rows import LEADS_S, QUANTITIES, TO_GO_S, Approach, Course, ImpactError, ZoneLead


@dataclass(frozen=True)
class Fall:
    """Where and when a round came down, or would have."""

    place: Point
    t_ns: int


@dataclass(frozen=True)
class Scored:
    """What a run came to."""

    quantities: tuple[float, ...]
    zones: tuple[ZoneLead, ...]
    impacts: tuple[ImpactError, ...]
    course: tuple[Course, ...]
    approach: tuple[Approach, ...]


def score(config: WorldConfig, state: WorldState, ear: Ear, ground: Ground) -> Scored:
    """Return what a run came to."""
    found = dict.fromkeys(QUANTITIES, 0.0)
    rounds = state.bodies[: len(state.rounds)]  # the bodies of rounds come first, in order
    undisturbed = [_undisturbed(body) for body in rounds]
    down = [_fall(body) for body in rounds if body.landed and body.end_t_ns <= config.end_t_ns]
    found["rounds"], found["rounds_down"] = len(rounds), len(down)
    found["threatening"] = sum(fall is not None and ground.defended(fall.place) for fall in undisturbed)
    found["leakers"] = sum(ground.defended(fall.place) for fall in down)
    _engagements(found, state, ear, ground)
    zones = _zones(found, down, [fall for fall in undisturbed if fall is not None], ear, ground)
    told = origins(state)
    track_of_round, false_tracks = _matched(told, ear)
    found["plots"], found["false_tracks"] = len(told), false_tracks
    impacts = _impacts(found, undisturbed, track_of_round, ear)
    tracked = [(undisturbed[number], ear.impacts.get(track, ())) for number, track in sorted(track_of_round.items())]
    found["consent_asked"] = len(ear.consent_left_s)
    found["consent_left_sum_s"] = sum(ear.consent_left_s.values())
    return Scored(
        tuple(found[name] for name in QUANTITIES),
        zones,
        impacts,
        course(ear, told, ground),
        approach((fall.place, fall.t_ns, said) for fall, said in tracked if fall is not None),
    )


def _undisturbed(body: Body) -> Fall | None:
    """Return where a round would come down if nobody fired at it."""
    if not body.flight.landed:
        return None
    east, north, _ = body.flight.position_enu_m[-1].tolist()
    return Fall((east, north), body.start_t_ns + round(float(body.flight.t_s[-1]) * 1e9))


def _fall(body: Body) -> Fall:
    east, north, _ = body.flight.position_enu_m[-1].tolist()
    return Fall((east, north), body.end_t_ns)


def _engagements(found: dict[str, float], state: WorldState, ear: Ear, ground: Ground) -> None:
    found["engagements"], found["rounds_fired"] = ear.engagements, ear.fired_rounds
    found["kills"] = len({outcome.round for outcome in state.outcomes if outcome.killed})
    pieces = [body for body in state.bodies if body.kind in ("debris", "dud", "shell", "missile") and body.landed]
    found["debris_outside"] = sum(not ground.defended(_fall(body).place) for body in pieces)


# ---- zones ----------------------------------------------------------------------------------------


def _zones(
    found: dict[str, float], down: Sequence[Fall], would: Sequence[Fall], ear: Ear, ground: Ground
) -> tuple[ZoneLead, ...]:
    first: dict[int, int] = {}  # zone: time of the first round within its hazard radius
    for fall in down:
        for k in ground.near(fall.place):
            first[k] = min(first.get(k, fall.t_ns), fall.t_ns)
    alarms: dict[str, list[Alarm]] = {}
    for alarm in ear.alarms.values():
        alarms.setdefault(alarm.zone, []).append(alarm)
    leads: list[ZoneLead] = []
    for k in sorted(first):
        zone = ground.zones[k]
        lead = _lead_s(alarms.get(zone.id, ()), first[k])
        leads.append(ZoneLead(zone.id, zone.people, math.nan if lead is None else lead))
        found["people_struck"] += zone.people
        if lead is None:
            found["zones_missed"] += 1
            found["people_missed"] += zone.people
            continue
        for seconds in LEADS_S:
            found[f"people_warned_{seconds}s"] += zone.people * (lead >= seconds)
        found["people_in_time"] += zone.people * (lead >= zone.shelter_time_s)
    found["zones_struck"] = len(first)
    _casualties(found, down, alarms, ground)
    needed = [k for fall in would for k in ground.near(fall.place)]
    _needless(found, frozenset(ground.zones[k].id for k in (*needed, *first)), alarms, ground)
    return tuple(leads)


def _casualties(
    found: dict[str, float], down: Sequence[Fall], alarms: Mapping[str, Sequence[Alarm]], ground: Ground
) -> None:
    """Add the expected casualties of each burst inside a zone, as it was warned, and had it not been."""
    for fall in down:
        for k in ground.near(fall.place):
            zone = ground.zones[k]
            if not inside(fall.place, zone.corners_m):
                continue
            hour = ground.hour(fall.t_ns)
            lead = _lead_s(alarms.get(zone.id, ()), fall.t_ns)
            found["casualties"] += casualties(ground, zone, hour, lead)
            found["casualties_unwarned"] += casualties(ground, zone, hour, None)


def _needless(
    found: dict[str, float], needed: frozenset[str], alarms: Mapping[str, Sequence[Alarm]], ground: Ground
) -> None:
    for zone in ground.zones:
        for alarm in alarms.get(zone.id, ()):
            found["alarms"] += 1
            if zone.id not in needed:
                found["false_alarms"] += 1
                found["needless_person_min"] += zone.people * (alarm.end_t_ns - alarm.issued_t_ns) / 60e9


def _lead_s(alarms: Sequence[Alarm], t_ns: int) -> float | None:
    """Return the seconds from the alarm that was in force at an impact to it; one cancelled before warned nobody."""
    issued = [alarm.issued_t_ns for alarm in alarms if alarm.issued_t_ns <= t_ns <= alarm.end_t_ns]
    return (t_ns - min(issued)) / 1e9 if issued else None


# ---- impacts --------------------------------------------------------------------------------------


def _impacts(
    found: dict[str, float], undisturbed: Sequence[Fall | None], track_of_round: Mapping[int, int], ear: Ear
) -> tuple[ImpactError, ...]:
    found["untracked"] = sum(number not in track_of_round for number in range(len(undisturbed)))
    errors: list[ImpactError] = []
    for number, track_id in sorted(track_of_round.items()):
        fall = undisturbed[number]
        if fall is None:
            continue
        for to_go_s in TO_GO_S:
            error = _error(ear.impacts.get(track_id, ()), fall, to_go_s)
            if error is not None:
                errors.append(error)
                found[f"scored_{to_go_s}s"] += 1
                found[f"error_sum_m_{to_go_s}s"] += error.error_m
                found[f"held_{to_go_s}s"] += error.held
    return tuple(errors)


def _matched(told: Sequence[int], ear: Ear) -> tuple[dict[int, int], int]:
    """Return the track of each round, the one that used most of its plots; and how many tracks are of no round."""
    votes: dict[int, Counter[int]] = {}
    for plot_id, track_id in ear.track_of_plot.items():
        if track_id in ear.projectile:
            votes.setdefault(track_id, Counter())[told[plot_id - 1]] += 1
    best: dict[int, tuple[int, int]] = {}
    false_tracks = 0
    for track_id in sorted(votes):
        number, count = min(votes[track_id].items(), key=lambda item: (-item[1], item[0]))
        if number < 0:
            false_tracks += ear.projectile[track_id] >= PROJECTILE
        elif number not in best or count > best[number][0]:
            best[number] = (count, track_id)
    return {number: track_id for number, (_, track_id) in best.items()}, false_tracks


def _error(impacts: Sequence[Impact], fall: Fall, to_go_s: int) -> ImpactError | None:
    """Return the error of the newest prediction that was known so long before the fall; None if there was none."""
    known = known_at(impacts, fall.t_ns - to_go_s * 1_000_000_000)
    if known is None:
        return None
    east, north, _ = known.position_enu_m
    ee, en, nn = known.covariance_enu_m2
    de, dn = fall.place[0] - east, fall.place[1] - north
    det = ee * nn - en * en
    if not is_finite(de, dn, det) or det <= 0.0:
        return None
    square = (nn * de * de - 2.0 * en * de * dn + ee * dn * dn) / det
    return ImpactError(to_go_s, math.hypot(de, dn), square <= CHI2_95_2D)
