"""What the threat stage must know of the site: its places, and how far a landing round does harm."""

from dataclasses import dataclass

from opencram.messages import PlaceKind
from opencram.threat.harm import CASUALTY_RADIUS_M, INDOOR_FACTOR, OUTDOOR_SHARE

EastNorth = tuple[float, float]  # metres, in the site's east-north-up frame


@dataclass(frozen=True, kw_only=True)
class Place:
    """A defended asset or a warning zone.

    `polygon_m` is one ring of corners in either direction, closed or open; it need not be convex.  Two
    corners make a line and one a point: both have a hazard zone around them like any other.  `people` are
    taken to be spread evenly over the polygon.  `presence` and `outdoor_share` may say for each hour of the local day
    which part of the people is there, and which part of those is outdoors: one number or 24.
    """

    kind: PlaceKind
    id: str
    polygon_m: tuple[EastNorth, ...]
    people: int = 0
    presence: tuple[float, ...] = (1.0,)
    outdoor_share: tuple[float, ...] = (OUTDOOR_SHARE,)


@dataclass(frozen=True, kw_only=True)
class Config:
    """The places in the order in which they are to be listed, and the limits of the stage."""

    places: tuple[Place, ...]
    hazard_radius_m: float = 50.0  # from the point of impact; at least 0.01
    zone_probability_min: float = 1e-3  # a zone below this is not listed
    casualty_radius_m: float = CASUALTY_RADIUS_M  # generic (`harm`)
    indoor_factor: float = INDOOR_FACTOR
    hours_ahead_of_utc: float = 0.0  # of the local time of day
    components_max: int = 32  # of one impact; the least probable beyond it are left out, and said to be
