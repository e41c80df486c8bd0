"""A plausible raid of messages, made by hand: what a pipeline logs, without a pipeline.

Rounds fly parabolas from the east; estimates close in on the true impact as the track grows.  All
"noise" is a fixed function of the index, so that the figures in the tests can be worked out on paper.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from opencram import messages as m

T0_NS = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
SECOND = 1_000_000_000
GRAVITY_M_S2 = 9.81
METRES_PER_DEGREE = 110_913.0  # of latitude at 33.3 degrees; of longitude times the cosine
COS_LATITUDE = math.cos(math.radians(33.3))


@dataclass(frozen=True)
class Round:
    """One round: where it lands, when it is first seen and how long it flies from there."""

    track_id: int
    east_m: float
    north_m: float
    seen_s: float
    flight_s: float
    class_name: str = "rocket"


SEVEN = (
    Round(1, 60.0, -40.0, 6.0, 26.0),
    Round(2, -91.0, 80.0, 8.0, 27.0),
    Round(3, 700.0, 520.0, 9.0, 23.5),
    Round(4, -760.0, -380.0, 11.0, 30.5),
    Round(5, 2350.0, 300.0, 12.5, 16.5),
    Round(6, 1900.0, -1500.0, 14.5, 19.5),
    Round(7, -1500.0, 2100.0, 15.5, 36.0),
)
START_EAST_M, START_NORTH_M = 5500.0, 900.0


def site_toml(name: str = "Compound in a green zone", zones: int = 9, zone_name: str = "Block {row}{column}") -> str:
    """Return a site file: a compound, `zones` × `zones` blocks of 750 m, two radars and a gun."""
    half = zones / 2.0
    parts = [
        f"[site]\nname = {_quoted(name)}\nlatitude_deg = 33.3\nlongitude_deg = 44.4\nheight_m = 35.0\n"
        "ground_height_m = 35.0\n",
        _sensor("north", 300.0, 1900.0, 0.1),
        _sensor("south", 900.0, -2100.0, 0.25),
        f'[[asset]]\nid = "compound"\npolygon = {_box(-220.0, -180.0, 220.0, 180.0)}\n',
    ]
    for row in range(zones):
        for column in range(zones):
            west, south = (column - half) * 750.0, (row - half) * 750.0
            parts.append(
                f'[[zone]]\nid = "z{row}{column}"\nname = {_quoted(zone_name.format(row=row, column=column))}\n'
                f"population = {400 + 50 * (row * zones + column)}\nshelter_time_s = 15.0\n"
                f"polygon = {_box(west, south, west + 750.0, south + 750.0)}\n"
            )
    parts.append(
        '[[effector]]\nid = "gun-1"\nkind = "gun"\nlatitude_deg = 33.3005\nlongitude_deg = 44.4009\nheight_m = 45.0\n'
        "range_min_m = 300.0\nrange_max_m = 2000.0\nmagazine_rounds = 1500\n"
    )
    parts.append('[policy]\nprotect = "site"\nmode = "automatic"\n')
    return "\n".join(parts)


def header(site: str, *, source: str = "simulation", name: str = "Compound in a green zone") -> m.Header:
    """Return the first record of a log."""
    return m.Header(
        t_ns=T0_NS,
        schema_version=m.SCHEMA_VERSION,
        program_version="0.1.0",
        commit="0123abc",
        site_name=name,
        site_sha256="a" * 64,
        site_toml=site,
        source=source,  # type: ignore[arg-type]
        scenario_sha256="b" * 64,
        seed=7,
    )


def raid(
    rounds: Sequence[Round] = SEVEN, *, site: str | None = None, name: str = "Compound in a green zone"
) -> list[m.Message]:
    """Return the messages of a raid, in order of time, the header first."""
    return [header(site if site is not None else site_toml(), name=name), *_timed(tuple(rounds))]


@cache
def _timed(rounds: tuple[Round, ...]) -> tuple[m.Message, ...]:
    """All but the header."""
    timed: list[m.Message] = []
    for entry in rounds:
        timed += _messages_of(entry)
    timed += _aircraft(len(rounds) + 90)
    timed += _plots(max((r.seen_s + r.flight_s for r in rounds), default=20.0))
    timed += [
        m.Health(t_ns=at(20.0), part="sensor:south", state="degraded", reason="no plot for 1.2 s, period 0.25 s"),
        m.Health(t_ns=at(22.0), part="sensor:south", state="ok", reason="plots again"),
        m.Rejected(
            t_ns=at(18.0), reason="range_m = -3: must be > 0", code="range", line=812, sensor="north", plot_id=0
        ),
        m.Rejected(t_ns=at(19.0), reason="sensor 'west' is not in the site file", code="unknown_sensor", line=900),
        m.Rejected(t_ns=at(19.5), reason="sensor 'west' is not in the site file", code="unknown_sensor", line=911),
    ]
    timed.sort(key=lambda message: message.t_ns)  # stable: within one time, the order above
    return tuple(timed)


def truth_of(rounds: Sequence[Round] = SEVEN) -> dict[str, Any]:
    """Return the truth of the raid as a scoring file gives it."""
    return {
        "note": "made by hand",
        "rounds": [
            {
                "name": entry.class_name,
                "launch_time": _rfc3339(entry.seen_s - 1.0),
                "impact_time": _rfc3339(entry.seen_s + entry.flight_s),
                "impact_enu_m": [entry.east_m, entry.north_m, 0.0],
            }
            for entry in rounds
        ],
    }


def at(seconds: float) -> int:
    """Return a time of the raid in ns."""
    return T0_NS + round(seconds * SECOND)


def _messages_of(entry: Round) -> list[m.Message]:
    found: list[m.Message] = []
    warned: dict[str, int] = {}
    last_action = ""
    impact_s = entry.seen_s + entry.flight_s
    steps = int((entry.flight_s - 0.3) / 0.5)
    for step in range(1, steps + 1):
        age_s = 0.5 * step
        t_ns = at(entry.seen_s + age_s)
        status = "tentative" if step == 1 else "confirmed"
        found.append(_track(entry, age_s, t_ns, status))
        if step < 3:
            continue
        impact = _impact(entry, age_s, t_ns)
        found.append(impact)
        threat = _threat(entry, impact)
        found.append(threat)
        found += _warnings(entry, threat, impact, warned)
        decision = _decision(entry, threat)
        if decision.action != last_action:
            found.append(decision)
            last_action = decision.action
            if decision.action == "engage":
                found += _engagement(entry, impact_s)
    found.append(_track(entry, entry.flight_s, at(impact_s), "dropped", "impact"))
    for zone, alarm_id in warned.items():
        found.append(_warning(entry, zone, alarm_id, at(impact_s + 600.0), "all_clear", 0.0, "dwell of 600 s over"))
    return found


def _track(entry: Round, age_s: float, t_ns: int, status: str, reason: str = "") -> m.Track:
    share = age_s / entry.flight_s
    up_speed = 0.5 * GRAVITY_M_S2 * entry.flight_s
    return m.Track(
        t_ns=t_ns,
        track_id=entry.track_id,
        status=status,  # type: ignore[arg-type]
        position_enu_m=(
            START_EAST_M + share * (entry.east_m - START_EAST_M),
            START_NORTH_M + share * (entry.north_m - START_NORTH_M),
            max(0.0, up_speed * age_s - 0.5 * GRAVITY_M_S2 * age_s**2),
        ),
        velocity_enu_m_s=(
            (entry.east_m - START_EAST_M) / entry.flight_s,
            (entry.north_m - START_NORTH_M) / entry.flight_s,
            up_speed - GRAVITY_M_S2 * age_s,
        ),
        position_m_std=12.0,
        classes=(
            (entry.class_name, 0.93),
            ("mortar" if entry.class_name != "mortar" else "rocket", 0.05),
            ("bird", 0.02),
        ),
        plots=int(age_s * 12) + 3,
        first_t_ns=at(entry.seen_s),
        updated_t_ns=t_ns,
        reason=reason,  # type: ignore[arg-type]
    )


def _impact(entry: Round, age_s: float, t_ns: int) -> m.Impact:
    along_m = 6.0 + 900.0 * math.exp(-age_s / 4.0)
    across_m = 4.0 + 240.0 * math.exp(-age_s / 4.0)
    offset = 0.9 * math.sin(entry.track_id * 2.1)
    heading = math.atan2(entry.north_m - START_NORTH_M, entry.east_m - START_EAST_M)
    cos, sin = math.cos(heading), math.sin(heading)
    covariance = (
        along_m**2 * cos**2 + across_m**2 * sin**2,
        (along_m**2 - across_m**2) * cos * sin,
        along_m**2 * sin**2 + across_m**2 * cos**2,
    )
    east_m, north_m = entry.east_m + offset * along_m * cos, entry.north_m + offset * along_m * sin
    time_std_s = 0.05 + along_m / 400.0
    impact_t_ns = at(entry.seen_s + entry.flight_s + 0.3 * offset * time_std_s)
    component = m.ImpactComponent(
        class_name=entry.class_name,
        probability=1.0,
        east_m=east_m,
        north_m=north_m,
        covariance_m2=covariance,
        impact_time_s_std=time_std_s,
        time_covariance_m_s=(0.0, 0.0),
    )
    return m.Impact(
        t_ns=t_ns,
        track_id=entry.track_id,
        position_enu_m=(east_m, north_m, 0.0),
        covariance_enu_m2=covariance,
        latitude_deg=33.3 + north_m / METRES_PER_DEGREE,
        longitude_deg=44.4 + east_m / METRES_PER_DEGREE / COS_LATITUDE,
        impact_t_ns=impact_t_ns,
        impact_time_s_std=time_std_s,
        impact_velocity_enu_m_s=(-180.0, -20.0, -150.0),
        projectile_probability=0.98,
        components=(component,),
        path_enu_m=((east_m, north_m, 0.0),),
    )


def _threat(entry: Round, impact: m.Impact) -> m.Threat:
    """Give places a probability that falls with the distance from the ellipse: the look of it, not the integral."""
    east_m, north_m, _ = impact.position_enu_m
    spread = math.sqrt(impact.covariance_enu_m2[0] + impact.covariance_enu_m2[2])

    def probability(west: float, south: float, size_east: float, size_north: float) -> tuple[float, float]:
        dx = max(west - east_m, 0.0, east_m - west - size_east)
        dy = max(south - north_m, 0.0, north_m - south - size_north)
        distance = math.hypot(dx, dy)
        return 0.97 * math.exp(-((distance / (0.6 * spread + 50.0)) ** 2)) * min(
            1.0, size_east / (spread + 1.0)
        ), distance

    p, distance = probability(-220.0, -180.0, 440.0, 360.0)
    clearance_m = max(0.0, distance - 2 * spread)
    places = [
        m.PlaceThreat(
            kind="asset", place="compound", probability=p, distance_m=distance, clearance_m=clearance_m, people=0
        )
    ]
    for row in range(9):
        for column in range(9):
            west, south = (column - 4.5) * 750.0, (row - 4.5) * 750.0
            p, distance = probability(west, south, 750.0, 750.0)
            if p >= 0.01:
                places.append(
                    m.PlaceThreat(
                        kind="zone",
                        place=f"z{row}{column}",
                        probability=p,
                        distance_m=distance,
                        clearance_m=0.0,
                        people=500,
                    )
                )
    return m.Threat(
        t_ns=impact.t_ns,
        track_id=entry.track_id,
        impact_t_ns=impact.impact_t_ns,
        impact_time_s_std=impact.impact_time_s_std,
        hazard_radius_m=50.0,
        places=tuple(places),
        expected_exposed=12.5,
    )


def _warnings(entry: Round, threat: m.Threat, impact: m.Impact, warned: dict[str, int]) -> list[m.Message]:
    found: list[m.Message] = []
    for place in threat.places:
        if place.kind != "zone":
            continue
        if place.place not in warned and place.probability >= 0.3:
            warned[place.place] = entry.track_id * 100 + len(warned)
            reason = f"{place.probability:.0%} that track {entry.track_id} lands within 50 m of the zone"
            found.append(
                _warning(entry, place.place, warned[place.place], impact.t_ns, "issued", place.probability, reason)
            )
    for zone, alarm_id in list(warned.items()):
        held = [place.probability for place in threat.places if place.place == zone]
        if not held or held[0] < 0.02:
            found.append(_warning(entry, zone, alarm_id, impact.t_ns, "cancelled", 0.0, "will land elsewhere"))
            del warned[zone]
    return found


def _warning(
    entry: Round, zone: str, alarm_id: int, t_ns: int, state: str, probability: float, reason: str
) -> m.Warning:
    impact_t_ns = at(entry.seen_s + entry.flight_s)
    left_s = (impact_t_ns - t_ns) / SECOND
    raised = state in ("issued", "updated")
    return m.Warning(
        t_ns=t_ns,
        alarm_id=alarm_id,
        zone=zone,
        state=state,  # type: ignore[arg-type]
        probability=probability,
        impact_t_ns=impact_t_ns,
        seconds_left=left_s,
        advice=("shelter" if left_s >= 15.0 else "drop") if raised else "none",
        track_ids=(entry.track_id,),
        expires_t_ns=impact_t_ns + 600 * SECOND,
        reason=reason,
    )


def _decision(entry: Round, threat: m.Threat) -> m.Decision:
    place = threat.places[0]
    engage = place.distance_m < 1.0 and place.probability >= 0.5
    reason = (
        f"engage: {place.probability:.1%} sure to land in the compound; gun-1 reaches it from 3.1 s before impact"
        if engage
        else f"ignored: {1.0 - place.probability:.1%} sure to land outside by more than {place.clearance_m:.0f} m"
    )
    return m.Decision(
        t_ns=threat.t_ns,
        track_id=entry.track_id,
        action="engage" if engage else "ignore",
        asset="compound",
        probability=place.probability,
        effector="gun-1" if engage else None,
        code="in_window" if engage else "below_threshold",
        reason=reason,
    )


def _engagement(entry: Round, impact_s: float) -> list[m.Message]:
    outcome = "killed" if entry.track_id == 1 else "missed"
    return [
        m.Engagement(
            t_ns=at(impact_s - before_s),
            engagement_id=entry.track_id,
            track_id=entry.track_id,
            effector="gun-1",
            state=state,  # type: ignore[arg-type]
            rounds=120,
            fire_t_ns=at(impact_s - 4.0),
            intercept_t_ns=at(impact_s - 2.5),
            intercept_enu_m=(entry.east_m + 500.0, entry.north_m + 80.0, 520.0),
            kill_probability=0.62,
        )
        for before_s, state in ((4.5, "committed"), (4.0, "fired"), (2.0, outcome))
    ]


def _aircraft(track_id: int) -> list[m.Message]:
    return [
        m.Track(
            t_ns=at(2.0 + 0.5 * step),
            track_id=track_id,
            status="tentative" if step == 0 else "confirmed",
            position_enu_m=(-3000.0 + 60.0 * step, 2600.0, 900.0),
            velocity_enu_m_s=(120.0, 0.0, 0.0),
            position_m_std=9.0,
            classes=(("aircraft", 0.97), ("drone", 0.03)),
            plots=5 + 6 * step,
            first_t_ns=at(1.5),
            updated_t_ns=at(2.0 + 0.5 * step),
        )
        for step in range(60)
    ]


def _plots(until_s: float) -> list[m.Message]:
    """Return plots of two radars, and an association for each dwell; a third of the plots is clutter."""
    found: list[m.Message] = []
    plot_id = 0
    for sensor, period_s in (("north", 0.1), ("south", 0.25)):
        for dwell in range(int(until_s / period_s)):
            t_ns = at(dwell * period_s)
            if sensor == "south" and 20.0 < dwell * period_s < 21.4:
                continue
            ids = tuple(range(plot_id + 1, plot_id + 4))
            plot_id += 3
            found += [
                m.Plot(t_ns=t_ns, plot_id=i, sensor=sensor, range_m=4000.0, azimuth_rad=1.0, elevation_rad=0.5)
                for i in ids
            ]
            found.append(m.Association(t_ns=t_ns, sensor=sensor, plot_ids=ids, track_ids=(1, 2, 0)))
    return found


def _sensor(name: str, east_m: float, north_m: float, period_s: float) -> str:
    return (
        f'[[sensor]]\nid = "{name}"\nlatitude_deg = {33.3 + north_m / METRES_PER_DEGREE:.7f}\n'
        f"longitude_deg = {44.4 + east_m / METRES_PER_DEGREE / COS_LATITUDE:.7f}\nheight_m = 40.0\nrange_std_m = 10.0\n"
        "azimuth_std_mrad = 1.5\nelevation_std_mrad = 1.5\nrange_max_m = 20000.0\ndetection_probability = 0.9\n"
        f"clutter_per_scan = 5.0\nperiod_s = {period_s}\n"
    )


def _box(west_m: float, south_m: float, east_m: float, north_m: float) -> str:
    corners = ((west_m, south_m), (east_m, south_m), (east_m, north_m), (west_m, north_m))
    return str([[44.4 + x / METRES_PER_DEGREE / COS_LATITUDE, 33.3 + y / METRES_PER_DEGREE] for x, y in corners])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _rfc3339(seconds: float) -> str:
    whole, micro = divmod(round(seconds * 1e6), 1_000_000)
    return f"2026-01-01T00:{whole // 60:02d}:{whole % 60:02d}.{micro:06d}Z"
