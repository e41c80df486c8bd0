"""What rules and sentences look at: the place that a round threatens most, and friends in the air."""

import msgspec

from opencram.messages import PlaceKind


class Lead(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The place that a round threatens most, as far as the policy cares.

    `probability` is that of this place; `weighed_probability` is what the rules compare: the same for an asset, for a
    zone that of hitting any zone (at most their sum).
    """

    kind: PlaceKind
    place: str
    name: str
    probability: float
    weighed_probability: float
    distance_m: float
    clearance_m: float
    hazard_radius_m: float
    exposed: float  # expected number of people within the hazard radius, all zones


class Friend(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A friendly aircraft, as its track was last told; each rule judges whether it heeds it."""

    track_id: int
    t_ns: int
    position_enu_m: tuple[float, float, float]
    velocity_enu_m_s: tuple[float, float, float]
    position_m_std: float
    classes: tuple[tuple[str, float], ...] = ()
