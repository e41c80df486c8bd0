"""What became of each round, as people would say it, and what the engagements of a raid cost.

Known only of simulated raids: it is told from the truth, never from what the system believed.
"""

import math
from dataclasses import dataclass
from typing import Any, Final, Literal

from opencram.config.model import LonLat, Site
from opencram.earth.geodesy import Frame, enu_from_geodetic

Said = Literal["hit inside", "hit outside", "burst in the air", "intercepted", "dud", "still flying"]

PIECE_RADIUS_M: Final = 2.0  # a piece of debris endangers people this near; generic round number
SHELL_RADIUS_M: Final = 5.0  # an unexploded shell
ROUND_RADIUS_M: Final = 50.0  # a round that explodes where it falls: the usual hazard radius

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One round: what became of it, and how many people were within its hazard radius (0 in the air)."""

    name: str
    said: Said
    people: float


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """A whole raid: its rounds, and what the engagements cost."""

    outcomes: tuple[Outcome, ...]
    engagements: int
    kills: int
    debris_inside: int  # pieces that fell within an asset
    debris_outside: int  # pieces and failed rounds that fell outside the fence
    people_under_debris: float

    @property
    def people_under_rounds(self) -> float:
        """Return the people within the hazard radius of the rounds that went off on the ground."""
        return sum(outcome.people for outcome in self.outcomes)


def ledger(site: Site, truth: dict[str, Any]) -> Ledger:
    """Return what a simulated raid came to."""
    frame = Frame(site.latitude_rad, site.longitude_rad, site.height_m)
    assets = [corners_m(site, frame, asset.polygon) for asset in site.assets]
    zones = []
    for zone in site.zones:
        corners = corners_m(site, frame, zone.polygon)
        zones.append((corners, zone.population / max(_area_m2(corners), 1.0)))
    outcomes, inside, outside, under = [], 0, 0, 0.0
    for flown in truth["rounds"]:
        outcomes.append(_outcome(flown, assets, zones))
        pieces = [(piece["impact_enu_m"], PIECE_RADIUS_M) for piece in flown["debris"]]
        for place, radius_m in pieces:
            within = any(is_inside((place[0], place[1]), corners) for corners in assets)
            inside, outside = inside + within, outside + (not within)
            under += _people(place, radius_m, zones)
    for piece in truth.get("own_debris", []):
        place = piece["impact_enu_m"]
        within = any(is_inside((place[0], place[1]), corners) for corners in assets)
        inside, outside = inside + within, outside + (not within)
        under += _people(place, SHELL_RADIUS_M if piece["kind"] == "shell" else PIECE_RADIUS_M, zones)
    return Ledger(
        outcomes=tuple(outcomes),
        engagements=len(truth["engagements"]),
        kills=sum(bool(each["killed"]) for each in truth["engagements"]),
        debris_inside=inside,
        debris_outside=outside,
        people_under_debris=under,
    )


def is_inside(point: Point, corners: tuple[Point, ...]) -> bool:
    """Return whether a point lies inside a polygon: an odd number of edges to the east of it."""
    inside = False
    for (x0, y0), (x1, y1) in zip(corners, (*corners[1:], corners[0]), strict=True):
        if (y0 > point[1]) != (y1 > point[1]) and point[0] < x0 + (point[1] - y0) * (x1 - x0) / (y1 - y0):
            inside = not inside
    return inside


def _outcome(
    flown: dict[str, Any], assets: list[tuple[Point, ...]], zones: list[tuple[tuple[Point, ...], float]]
) -> Outcome:
    place, fate = flown["impact_enu_m"], flown["fate"]
    said: Said = "still flying"
    people = 0.0
    if fate == "impact":
        said = "hit inside" if any(is_inside((place[0], place[1]), corners) for corners in assets) else "hit outside"
        people = _people(place, ROUND_RADIUS_M, zones)
    elif fate == "dud":
        said = "dud"
    elif fate == "detonation":
        said = "burst in the air"
    elif fate == "break_up":
        said = "intercepted"
    return Outcome(name=flown["name"], said=said, people=people)


def _people(place: list[float], radius_m: float, zones: list[tuple[tuple[Point, ...], float]]) -> float:
    """Return the people within a radius, by the density of the zone in which its centre lies."""
    density = sum(density for corners, density in zones if is_inside((place[0], place[1]), corners))
    return density * math.pi * radius_m**2


def _area_m2(corners: tuple[Point, ...]) -> float:
    pairs = zip(corners, (*corners[1:], corners[0]), strict=True)
    return 0.5 * abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairs))


def corners_m(site: Site, frame: Frame, polygon: tuple[LonLat, ...]) -> tuple[Point, ...]:
    """Return a polygon of the site file in metres east and north of the site's origin."""
    longitudes, latitudes = [corner[0] for corner in polygon], [corner[1] for corner in polygon]
    places = enu_from_geodetic(frame, latitudes, longitudes, [site.ground_height_m] * len(polygon))
    return tuple((east, north) for east, north, _ in places.tolist())
