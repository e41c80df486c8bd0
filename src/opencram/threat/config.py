"""What the threat stage must know of the site: its places, and how far a landing round does harm."""

from dataclasses import dataclass

from opencram.messages import PlaceKind

EastNorth = tuple[float, float]  # metres, in the site's east-north-up frame


@dataclass(frozen=True, kw_only=True)
class Place:
    """A defended asset or a warning zone.

    `polygon_m` is one ring of corners in either direction, closed or open; it need not be convex.  Two
    corners make a line and one a point: both have a hazard zone around them like any other.  `people` are
    taken to be spread evenly over the polygon.
    """

    kind: PlaceKind
    id: str
    polygon_m: tuple[EastNorth, ...]
    people: int = 0


@dataclass(frozen=True, kw_only=True)
class Config:
    """The places in the order in which they are to be listed, and the limits of the stage."""

    places: tuple[Place, ...]
    hazard_radius_m: float = 50.0  # from the point of impact; at least 0.01
    zone_probability_min: float = 1e-4  # a zone below this is not listed
    components_max: int = 32  # of one impact; the least probable beyond it are left out, and said to be
