"""A small raid, written down message by message: what it shows at each second is known without running anything."""

import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from opencram.config.model import Site
from opencram.config.site import load_site
from opencram.messages import (
    Decision,
    Engagement,
    Health,
    Hypothesis,
    Impact,
    Message,
    PlaceThreat,
    Plot,
    Threat,
    Tick,
    Track,
    Warning,
)

ROOT = Path(__file__).resolve().parents[2]
T0_NS = 1_767_225_600_000_000_000
SECOND_NS = 1_000_000_000
ENDS_S = 60.0
# (zone, issued, impact, end, how it ends): block 44 is hit, block 55 withdrawn, block 72 hit later
ALARMS = (
    ("z44", 5.0, 25.0, 50.0, "all_clear"),
    ("z55", 6.0, 20.0, 12.0, "cancelled"),
    ("z72", 8.0, 32.0, 55.0, "all_clear"),
)


@cache
def site() -> Site:
    """The site of the seven rockets."""
    return load_site(ROOT / "examples" / "seven-rockets" / "site.toml")


def t_ns(seconds: float) -> int:
    """Time after the start."""
    return T0_NS + round(seconds * SECOND_NS)


def track(track_id: int, at_s: float, impact_s: float, *, status: str = "confirmed", reason: str = "") -> Track:
    """A rocket that flies level towards the site and is told at `at_s`."""
    east = 300.0 * (impact_s - at_s) + 40.0 * track_id
    hypothesis = Hypothesis(class_name="rocket", curve="G2", probability=0.9, mean=(0.0,) * 10, covariance=(0.0,) * 55)
    return Track(
        t_ns=t_ns(at_s),
        track_id=track_id,
        status=status,  # type: ignore[arg-type]
        position_enu_m=(east, 100.0 * track_id, 900.0),
        velocity_enu_m_s=(-300.0, 0.0, -40.0),
        position_m_std=4.0,
        classes=(("rocket", 0.9), ("shell", 0.08), ("aircraft", 0.02)),
        plots=20,
        first_t_ns=t_ns(2.0),
        updated_t_ns=t_ns(at_s),
        hypotheses=(hypothesis,),
        reason=reason,  # type: ignore[arg-type]
    )


def impact(track_id: int, at_s: float, impact_s: float, *, std_s: float = 0.4) -> Impact:
    """Its impact, with an ellipse of 168 by 60 m at 95 % whose long axis points north-east."""
    longer, shorter = (168.0 / 2.0) ** 2 / 5.991464547, (60.0 / 2.0) ** 2 / 5.991464547
    mean, half = (longer + shorter) / 2.0, (longer - shorter) / 2.0
    return Impact(
        t_ns=t_ns(at_s),
        track_id=track_id,
        position_enu_m=(40.0 * track_id, 100.0 * track_id, 0.0),
        covariance_enu_m2=(mean, half, mean),
        latitude_deg=33.3,
        longitude_deg=44.4,
        impact_t_ns=t_ns(impact_s),
        impact_time_s_std=std_s,
        impact_velocity_enu_m_s=(-300.0, 0.0, -80.0),
        projectile_probability=0.98,
        components=(),
        path_enu_m=((300.0, 0.0, 900.0), (150.0, 0.0, 450.0), (0.0, 0.0, 0.0)),
    )


def threat(track_id: int, at_s: float, impact_s: float, zone: str, p_asset: float) -> Threat:
    """What it threatens."""
    places = (
        PlaceThreat(kind="asset", place="compound", probability=p_asset, distance_m=0.0, clearance_m=0.0, people=0),
        PlaceThreat(kind="zone", place=zone, probability=0.9, distance_m=0.0, clearance_m=0.0, people=1900),
    )
    return Threat(
        t_ns=t_ns(at_s),
        track_id=track_id,
        impact_t_ns=t_ns(impact_s),
        impact_time_s_std=0.4,
        hazard_radius_m=50.0,
        places=places,
        expected_exposed=12.5,
    )


def warning(alarm_id: int, at_s: float, state: str, *, advice: str = "shelter") -> Warning:
    """A change of one of `ALARMS`."""
    zone, _, impact_s, _, _ = ALARMS[alarm_id - 1]
    return Warning(
        t_ns=t_ns(at_s),
        alarm_id=alarm_id,
        zone=zone,
        state=state,  # type: ignore[arg-type]
        probability=0.9 / alarm_id,
        impact_t_ns=t_ns(impact_s),
        seconds_left=impact_s - at_s,
        advice=advice,  # type: ignore[arg-type]
        track_ids=(alarm_id,),
        expires_t_ns=t_ns(impact_s + 600.0),
        reason="90 % that a round lands within 50 m",
    )


def decision(track_id: int, at_s: float, action: str, until_s: float | None = None) -> Decision:
    """A decision with its sentence in three languages; `until_s`: it waits for consent until then."""
    return Decision(
        t_ns=t_ns(at_s),
        track_id=track_id,
        action=action,  # type: ignore[arg-type]
        asset="compound",
        probability=0.8,
        effector="gun-1",
        code="in_window" if until_s is None else "awaiting_consent",
        reason="engage: 80 % at the compound",
        reasons=(("fr", "engager : 80 % sur « compound »"), ("ar", "اعتراض: 80٪ على compound")),
        values=() if until_s is None else (("until", float(t_ns(until_s))),),
    )


def engagement(at_s: float, state: str) -> Engagement:
    """The one simulated engagement, against track 1."""
    return Engagement(
        t_ns=t_ns(at_s),
        engagement_id=1,
        track_id=1,
        effector="gun-1",
        state=state,  # type: ignore[arg-type]
        rounds=120,
        fire_t_ns=t_ns(20.0),
        intercept_t_ns=t_ns(22.0),
        intercept_enu_m=(600.0, 100.0, 400.0),
        kill_probability=0.5,
    )


def batches() -> Iterator[list[Message]]:
    """Yield the raid, a batch for each tenth of a second, each closed by its tick; outputs follow the tick."""
    for tenth in range(round(ENDS_S * 10) + 1):
        at_s = tenth / 10.0
        found: list[Message] = []
        if at_s <= 32.0:
            found.append(
                Plot(
                    t_ns=t_ns(at_s), plot_id=tenth + 1, sensor="north", range_m=5e3, azimuth_rad=1.0, elevation_rad=0.2
                )
            )
        found.append(Tick(t_ns=t_ns(at_s)))
        for number, (zone, issued_s, impact_s, end_s, end) in enumerate(ALARMS, 1):
            flies = 3.0 <= at_s < impact_s
            if flies and tenth % 5 == 0:
                found += [track(number, at_s, impact_s), impact(number, at_s, impact_s)]
                found.append(threat(number, at_s, impact_s, zone, 0.8 if number == 1 else 0.0))
            if math.isclose(at_s, impact_s):
                found.append(track(number, at_s, impact_s, status="dropped", reason="impact"))
            if math.isclose(at_s, issued_s):
                found.append(warning(number, at_s, "issued"))
            if math.isclose(at_s, end_s):
                found.append(warning(number, at_s, end, advice="none"))
        if math.isclose(at_s, 9.0):
            found += [decision(1, at_s, "hold", until_s=14.0), decision(2, at_s, "ignore"), decision(3, at_s, "ignore")]
        if math.isclose(at_s, 14.0):
            found += [decision(1, at_s, "engage"), engagement(at_s, "committed")]
        if math.isclose(at_s, 20.0):
            found.append(engagement(at_s, "fired"))
        if math.isclose(at_s, 22.0):
            found.append(engagement(at_s, "missed"))
        if math.isclose(at_s, 40.0):
            found.append(Health(t_ns=t_ns(at_s), part="tracking", state="degraded", reason="slow"))
        yield found


def messages() -> list[Message]:
    """The whole raid."""
    return [message for batch in batches() for message in batch]
