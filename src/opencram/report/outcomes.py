"""What became of each round, as people would say it, and what the engagements of a raid cost.

Known only of simulated raids: it is told from the truth, never from what the system believed.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from opencram.config.model import LonLat, Site
from opencram.earth.geodesy import Frame, enu_from_geodetic
from opencram.report.truth import time_ns

Said = Literal["hit inside", "hit outside", "burst in the air", "intercepted", "dud", "still flying"]
Kind = Literal["debris", "shell", "missile"]
SAID: Final[tuple[Said, ...]] = ("hit inside", "hit outside", "burst in the air", "intercepted", "dud", "still flying")

# How near to it people are endangered.  Source: round numbers of this model, the same by which decisions weigh the
# ground (`engagement.ground.Failures`): a test holds the two together.
PIECE_RADIUS_M: Final = 2.0  # a piece of debris
SHELL_RADIUS_M: Final = 5.0  # an unexploded shell
ROUND_RADIUS_M: Final = 50.0  # a round that explodes where it falls: the usual hazard radius

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One round: what became of it, and how many people were within its hazard radius (0 unless it went off below).

    `number` counts from 1 in the order of the truth.  `place`: where it came down; None where it did not.
    `within`: the asset or zone that holds the place, as named in the site file.
    """

    number: int
    name: str
    said: Said
    people: float
    place: Point | None = None
    within: str = ""
    shots: int = 0  # that met it
    rounds: int = 0  # spent on it


@dataclass(frozen=True, kw_only=True)
class Fallen:
    """A piece of a round, a failed round of a burst, or a piece of a missile, on the ground."""

    kind: Kind
    place: Point
    inside: bool  # an asset
    people: float  # within its radius


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """A whole raid: its rounds, and what the engagements cost."""

    outcomes: tuple[Outcome, ...]
    fallen: tuple[Fallen, ...]
    engagements: int
    kills: int
    rounds_spent: int

    @property
    def people_under_rounds(self) -> float:
        """The people within the hazard radius of the rounds that went off on the ground."""
        return sum(outcome.people for outcome in self.outcomes)

    @property
    def people_under_debris(self) -> float:
        """The people within the radius of what engagements let fall."""
        return sum(each.people for each in self.fallen)

    @property
    def debris_inside(self) -> int:
        """Pieces and failed rounds that fell within an asset."""
        return sum(each.inside for each in self.fallen)

    @property
    def debris_outside(self) -> int:
        """Pieces and failed rounds that fell outside the fence."""
        return len(self.fallen) - self.debris_inside

    def count(self, said: Said) -> int:
        """Return how many rounds came to this."""
        return sum(outcome.said == said for outcome in self.outcomes)


def ledger(site: Site, truth: Mapping[str, Any], rounds_of: Mapping[int, int] | None = None) -> Ledger:
    """Return what a simulated raid came to.  `rounds_of`: what each engagement spent, from the log, if at hand."""
    frame = Frame(site.latitude_rad, site.longitude_rad, site.height_m)
    assets = {asset.id: corners_m(site, frame, asset.polygon) for asset in site.assets}
    zones, hour = {}, _local_hour(site, truth)
    for zone in site.zones:
        corners = corners_m(site, frame, zone.polygon)
        there = zone.population * (zone.presence[hour % len(zone.presence)] if zone.presence else 1.0)
        zones[zone.id] = (zone.name or zone.id, corners, there / max(_area_m2(corners), 1.0))
    spent = rounds_of or {}
    met: dict[int, list[int]] = {}
    for shot in truth["engagements"]:
        met.setdefault(shot["round"], []).append(spent.get(shot["engagement"], 0))
    outcomes = tuple(
        _outcome(number, flown, met.get(number, []), assets, zones) for number, flown in enumerate(truth["rounds"])
    )
    left: list[tuple[Kind, Sequence[float]]]
    left = [("debris", piece["impact_enu_m"]) for flown in truth["rounds"] for piece in flown["debris"]]
    left += [(piece["kind"], piece["impact_enu_m"]) for piece in truth.get("own_debris", [])]
    return Ledger(
        outcomes=outcomes,
        fallen=tuple(_fallen(kind, (place[0], place[1]), assets, zones) for kind, place in left),
        engagements=len(truth["engagements"]),
        kills=sum(bool(each["killed"]) for each in truth["engagements"]),
        rounds_spent=sum(sum(each) for each in met.values()),
    )


def _local_hour(site: Site, truth: Mapping[str, Any]) -> int:
    """Return the hour of the local day at which the first round came down; 0 where none did."""
    downs = [t_ns for each in truth["rounds"] if (t_ns := time_ns(each.get("impact_time"))) is not None]
    return int(min(downs, default=0) / 3.6e12 + site.warnings.hours_ahead_of_utc) % 24


def is_told(truth: Mapping[str, Any]) -> bool:
    """Return whether a truth is that of a simulation with effectors, which says what became of each round."""
    rounds, shots = truth.get("rounds"), truth.get("engagements")
    if not isinstance(rounds, Sequence) or not isinstance(shots, Sequence):
        return False
    return all(
        isinstance(each, Mapping) and {"fate", "debris", "impact_enu_m", "name"} <= each.keys() for each in rounds
    )


def is_inside(point: Point, corners: tuple[Point, ...]) -> bool:
    """Return whether a point lies inside a polygon: an odd number of edges to the east of it."""
    inside = False
    for (x0, y0), (x1, y1) in zip(corners, (*corners[1:], corners[0]), strict=True):
        if (y0 > point[1]) != (y1 > point[1]) and point[0] < x0 + (point[1] - y0) * (x1 - x0) / (y1 - y0):
            inside = not inside
    return inside


_Assets = Mapping[str, tuple[Point, ...]]
_Zones = Mapping[str, tuple[str, tuple[Point, ...], float]]  # name, corners, and people per m²


def _outcome(number: int, flown: Mapping[str, Any], spent: list[int], assets: _Assets, zones: _Zones) -> Outcome:
    fate = flown["fate"]
    place = (flown["impact_enu_m"][0], flown["impact_enu_m"][1]) if fate in ("impact", "dud") else None
    asset = "" if place is None else next((name for name, corners in assets.items() if is_inside(place, corners)), "")
    zone = "" if place is None else next((name for name, at, _ in zones.values() if is_inside(place, at)), "")
    said: Said = "still flying"
    if fate == "impact":
        said = "hit inside" if asset else "hit outside"
    elif fate == "dud":
        said = "dud"
    elif fate == "detonation":
        said = "burst in the air"
    elif fate == "break_up":
        said = "intercepted"
    return Outcome(
        number=number + 1,
        name=flown["name"],
        said=said,
        people=_people(place, ROUND_RADIUS_M, zones) if fate == "impact" and place is not None else 0.0,
        place=place,
        within=asset or zone,
        shots=len(spent),
        rounds=sum(spent),
    )


def _fallen(kind: Kind, place: Point, assets: _Assets, zones: _Zones) -> Fallen:
    return Fallen(
        kind=kind,
        place=place,
        inside=any(is_inside(place, corners) for corners in assets.values()),
        people=_people(place, SHELL_RADIUS_M if kind == "shell" else PIECE_RADIUS_M, zones),
    )


def _people(place: Point, radius_m: float, zones: _Zones) -> float:
    """Return the people within a radius, by the density of the zone in which its centre lies."""
    density = sum(density for _, corners, density in zones.values() if is_inside(place, corners))
    return density * math.pi * radius_m**2


def _area_m2(corners: tuple[Point, ...]) -> float:
    pairs = zip(corners, (*corners[1:], corners[0]), strict=True)
    return 0.5 * abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairs))


def corners_m(site: Site, frame: Frame, polygon: tuple[LonLat, ...]) -> tuple[Point, ...]:
    """Return a polygon of the site file in metres east and north of the site's origin."""
    longitudes, latitudes = [corner[0] for corner in polygon], [corner[1] for corner in polygon]
    places = enu_from_geodetic(frame, latitudes, longitudes, [site.ground_height_m] * len(polygon))
    return tuple((east, north) for east, north, _ in places.tolist())
