"""Zones and assets of a site as a study needs them: who is within reach of an impact, and who of them is harmed."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opencram.runtime.pipeline import PipelineConfig
from opencram.threat.config import Place
from opencram.threat.harm import INDOOR_FACTOR, lethal_area_m2, vulnerable_share
from opencram.warning.shelter import usual_shelter_times_s
from opencram.warning.wait import protected

Floats = NDArray[np.float64]
Point = tuple[float, float]

CASUALTY_RADIUS_M = 30.0  # as the threat stage reckons (threat.harm)
_DAY_H = 24


@dataclass(frozen=True, kw_only=True)
class Zone:
    """A zone: its people, how fast they are inside, and how many a burst in it would harm, unwarned."""

    id: str
    corners_m: Floats  # (n, 2)
    people: int
    shelter_time_s: float
    shelter_times_s: Floats
    latency_s: float
    harmed: tuple[float, ...]  # expected casualties of a burst inside, if nobody is warned: one, or by local hour


@dataclass(frozen=True, kw_only=True)
class Ground:
    """All zones and assets of a site."""

    zones: tuple[Zone, ...]
    assets: tuple[Floats, ...]
    hazard_radius_m: float
    drop_share: float
    hours_ahead_of_utc: float
    boxes: Floats  # (zones, 4): west, south, east, north of each zone with the hazard radius around it

    def near(self, point: Point) -> list[int]:
        """Return the zones within whose hazard radius a point lies."""
        east, north = point
        b = self.boxes
        candidates = np.flatnonzero((b[:, 0] <= east) & (b[:, 1] <= north) & (east <= b[:, 2]) & (north <= b[:, 3]))
        return [int(k) for k in candidates if distance_m(point, self.zones[k].corners_m) <= self.hazard_radius_m]

    def defended(self, point: Point) -> bool:
        """Return whether a point lies inside an asset."""
        return any(distance_m(point, corners) == 0.0 for corners in self.assets)

    def hour(self, t_ns: int) -> int:
        """Return the local hour."""
        return int(t_ns / 3.6e12 + self.hours_ahead_of_utc) % _DAY_H


def ground_of(config: PipelineConfig) -> Ground:
    """Return the zones and assets of a configured site."""
    places = {place.id: place for place in config.threat.places if place.kind == "zone"}
    zones = []
    for each in config.warning.zones:
        place = places[each.id]
        zones.append(
            Zone(
                id=each.id,
                corners_m=np.array(place.polygon_m, dtype=np.float64).reshape(-1, 2),
                people=each.people,
                shelter_time_s=each.shelter_time_s,
                shelter_times_s=np.array(each.shelter_times_s or usual_shelter_times_s(each.shelter_time_s)),
                latency_s=config.warning.latency_s if each.latency_s is None else each.latency_s,
                harmed=_harmed(place),
            )
        )
    radius = config.threat.hazard_radius_m
    ends = [np.concatenate([z.corners_m.min(axis=0) - radius, z.corners_m.max(axis=0) + radius]) for z in zones]
    return Ground(
        zones=tuple(zones),
        assets=tuple(
            np.array(place.polygon_m, dtype=np.float64).reshape(-1, 2)
            for place in config.threat.places
            if place.kind == "asset"
        ),
        hazard_radius_m=radius,
        drop_share=config.warning.drop_share,
        hours_ahead_of_utc=config.threat.hours_ahead_of_utc,
        boxes=np.array(ends).reshape(-1, 4),
    )


def casualties(ground: Ground, zone: Zone, hour: int, lead_s: float | None) -> float:
    """Return the expected casualties of a burst inside a zone that was warned so many seconds ahead (None: not)."""
    unwarned = zone.harmed[hour % len(zone.harmed)]
    if lead_s is None:
        return unwarned
    return unwarned * (1.0 - protected(lead_s, 0.0, zone.latency_s, zone.shelter_times_s, ground.drop_share))


def inside(point: Point, corners_m: Floats) -> bool:
    """Return whether a point lies inside a polygon: an odd number of edges to the east of it."""
    x, y = point
    a, b = corners_m, np.roll(corners_m, -1, axis=0)
    spans = (a[:, 1] > y) != (b[:, 1] > y)
    rise = np.where(spans, b[:, 1] - a[:, 1], 1.0)
    crossing = a[:, 0] + (y - a[:, 1]) / rise * (b[:, 0] - a[:, 0])
    return bool(np.count_nonzero(spans & (x < crossing)) % 2)


def distance_m(point: Point, corners_m: Floats) -> float:
    """Return the distance from a point to a polygon; 0 inside."""
    if inside(point, corners_m):
        return 0.0
    a = corners_m - point
    edge = np.roll(a, -1, axis=0) - a
    square = np.maximum(np.einsum("ij,ij->i", edge, edge), 1e-12)
    part = np.clip(-np.einsum("ij,ij->i", a, edge) / square, 0.0, 1.0)
    return float(np.sqrt(np.square(a + part[:, np.newaxis] * edge).sum(axis=1).min()))


def _harmed(place: Place) -> tuple[float, ...]:
    """Return the expected casualties of a burst inside: density × lethal area × share in the open."""
    corners = place.polygon_m
    pairs = zip(corners, (*corners[1:], corners[0]), strict=True)
    area_m2 = max(0.5 * abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)), 1.0)
    share = min(lethal_area_m2(CASUALTY_RADIUS_M) / area_m2, 1.0)
    hours = max(len(place.presence), len(place.outdoor_share))
    return tuple(
        place.people
        * place.presence[h % len(place.presence)]
        * share
        * vulnerable_share(place.outdoor_share[h % len(place.outdoor_share)], INDOOR_FACTOR)
        for h in range(hours)
    )


def is_finite(*values: float) -> bool:
    """Return whether all are finite."""
    return all(map(math.isfinite, values))
