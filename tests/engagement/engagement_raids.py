"""Raids as the engagement stage hears them: tracks, impacts and threats that sharpen, made from simple parabolas."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from opencram.engagement.config import Config, Zone
from opencram.engagement.effector import Effector
from opencram.messages import Impact, Message, PlaceThreat, Threat, Tick, Track

S = 1_000_000_000
T0 = 1_767_225_600 * S  # 2026-01-01T00:00:00Z
HALF_EAST_M, HALF_NORTH_M, HAZARD_M = 220.0, 180.0, 50.0
GUN = Effector(
    id="gun-1",
    kind="gun",
    position_enu_m=(80.0, 60.0, 10.0),
    range_m_min=300.0,
    range_m_max=2000.0,
    magazine_rounds=1500,
)
SITE = Config(
    assets=("compound",),
    zones=(Zone(id="z1", name="Karrada, block 1", people=1000),),
    effectors=(GUN,),
)


@dataclass(frozen=True)
class Shell:
    """A round on a parabola: seen from `seen_s` on, down at `impact_s`, `flight_s` after its launch from the east."""

    track_id: int
    impact_enu_m: tuple[float, float]
    impact_s: float
    flight_s: float = 28.0
    seen_s: float = 7.0
    speed_m_s: float = 220.0  # over ground, westward
    killed_s: float = math.inf  # no plots from here on
    early_error_std: float = 0.6  # of the predicted impact, in deviations, fading with the deviation

    def position(self, t_s: float) -> tuple[float, float, float]:
        left = self.impact_s - t_s
        up = 0.5 * 9.81 * left * (self.flight_s - left)
        return (self.impact_enu_m[0] + self.speed_m_s * left, self.impact_enu_m[1], up)

    def impact_std_m(self, t_s: float) -> float:
        """Deviation on each axis: some 600 m after a second of track, 60 m after 8 s, 3 m at the end."""
        return max(4000.0 / (t_s - self.seen_s + 0.5) ** 2, 3.0)


def inside_probability(mean: tuple[float, float], std_m: float, half_m: tuple[float, float]) -> float:
    """Return the probability of a circular Gaussian in a box about the origin."""

    def within(x: float, half: float) -> float:
        return 0.5 * (math.erf((half - x) / std_m / math.sqrt(2.0)) - math.erf((-half - x) / std_m / math.sqrt(2.0)))

    return within(mean[0], half_m[0]) * within(mean[1], half_m[1])


def outside_m(point: tuple[float, float]) -> float:
    """Return the distance of a point from the compound, 0 inside."""
    return math.hypot(max(abs(point[0]) - HALF_EAST_M, 0.0), max(abs(point[1]) - HALF_NORTH_M, 0.0))


def track_of(shell: Shell, t_s: float, status: str = "confirmed", reason: str = "") -> Track:
    t_ns = T0 + round(t_s * S)
    seen_ns = T0 + round(shell.seen_s * S)
    last_s = min(t_s, shell.killed_s)
    return Track(
        t_ns=t_ns,
        track_id=shell.track_id,
        status=status,  # type: ignore[arg-type]
        position_enu_m=shell.position(t_s),
        velocity_enu_m_s=(-shell.speed_m_s, 0.0, 0.0),
        position_m_std=5.0,
        classes=(("rocket", 0.95), ("drone", 0.05)),
        plots=round((last_s - shell.seen_s) * 12),
        first_t_ns=seen_ns,
        updated_t_ns=T0 + round(last_s * S),
        reason=reason,  # type: ignore[arg-type]
    )


def impact_of(shell: Shell, t_s: float) -> Impact:
    std = shell.impact_std_m(t_s)
    impact_ns = T0 + round(shell.impact_s * S)
    path = tuple(shell.position(t) for t in np.linspace(t_s, shell.impact_s, 25).tolist())
    return Impact(
        t_ns=T0 + round(t_s * S),
        track_id=shell.track_id,
        position_enu_m=(*shell.impact_enu_m, 0.0),
        covariance_enu_m2=(std**2, 0.0, std**2),
        latitude_deg=33.3,
        longitude_deg=44.4,
        impact_t_ns=impact_ns,
        impact_time_s_std=0.2,
        impact_velocity_enu_m_s=(-shell.speed_m_s, 0.0, -140.0),
        projectile_probability=0.95,
        components=(),
        path_enu_m=path,
    )


def threat_of(shell: Shell, t_s: float, *, zone_probability: float = 0.0, exposed: float = 0.0) -> Threat:
    std = shell.impact_std_m(t_s)
    shift = shell.early_error_std * std
    mean = (shell.impact_enu_m[0] + shift, shell.impact_enu_m[1] - shift)
    probability = inside_probability(mean, std, (HALF_EAST_M + HAZARD_M, HALF_NORTH_M + HAZARD_M))
    distance = outside_m(mean)
    compound = PlaceThreat(
        kind="asset",
        place="compound",
        probability=probability,
        distance_m=distance,
        clearance_m=max(distance - 1.65 * std, 0.0),
        people=0,
    )
    zone = PlaceThreat(
        kind="zone", place="z1", probability=zone_probability, distance_m=0.0, clearance_m=0.0, people=1000
    )
    return Threat(
        t_ns=T0 + round(t_s * S),
        track_id=shell.track_id,
        impact_t_ns=T0 + round(shell.impact_s * S),
        impact_time_s_std=0.2,
        hazard_radius_m=HAZARD_M,
        places=(compound, zone) if zone_probability else (compound,),
        expected_exposed=exposed,
    )


def raid(
    shells: Sequence[Shell], *, end_s: float, zone_probability: float = 0.0, exposed: float = 0.0
) -> Iterator[list[Message]]:
    """Yield a batch every 0.1 s: tracks and predictions of each shell twice a second, its end, and a tick."""
    for k in range(round(end_s * 10) + 1):
        t_s = k / 10
        batch: list[Message] = []
        for shell in shells:
            gone_s = min(shell.impact_s, shell.killed_s + 2.0)
            if k == math.ceil(gone_s * 10):
                reason = "impact" if shell.killed_s > shell.impact_s else "lost"
                batch.append(track_of(shell, t_s, "dropped", reason))
            elif shell.seen_s + 0.5 <= t_s < gone_s and k % 5 == shell.track_id % 5:
                batch.append(track_of(shell, t_s, "confirmed" if t_s < shell.killed_s else "coasting"))
                if t_s < shell.killed_s:
                    threat = threat_of(shell, t_s, zone_probability=zone_probability, exposed=exposed)
                    batch += [impact_of(shell, t_s), threat]
        yield [*batch, Tick(t_ns=T0 + round(t_s * S))]


SEVEN = (
    Shell(1, (60.0, -40.0), 33.2, flight_s=28.0, seen_s=6.2),
    Shell(2, (-91.0, 80.0), 35.4, flight_s=28.6, seen_s=7.8),
    Shell(3, (700.0, 520.0), 32.8, flight_s=24.3, seen_s=9.5),
    Shell(4, (-760.0, -380.0), 41.8, flight_s=31.9, seen_s=10.7),
    Shell(5, (2350.0, 300.0), 29.2, flight_s=17.7, seen_s=13.0),
    Shell(6, (1900.0, -1500.0), 34.4, flight_s=21.0, seen_s=14.7),
    Shell(7, (-1500.0, 2100.0), 51.7, flight_s=37.1, seen_s=15.3),
)
