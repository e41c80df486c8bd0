"""The effectors that a site may have: generic models inside the simulation, in times, ranges, probabilities and counts.

There is nothing here that could point or fire anything.
"""

import math
from dataclasses import dataclass
from typing import Literal

Kind = Literal["gun", "interceptor"]


@dataclass(frozen=True, kw_only=True)
class Model:
    """The generic behaviour of one kind of effector: a shot is a burst of `rounds_per_shot` rounds.

    A round flies at `speed_m_s`, which falls by a factor e over `decay_m` (infinite: constant speed).  Its miss
    distance is circular Gaussian: an independent part of each round (`dispersion_rad` times the range, and
    `miss_m_std`) and a part common to the whole shot (`bias_rad` times the range, `tracking_m_std`, and `track_share`
    of the deviation of the track in each axis: the effector follows the round by itself, but not without the track).
    The speed at the muzzle scatters by `speed_std_share`, so that rounds arrive early or late, along the way that the
    target crosses the line of fire.
    """

    rounds_per_shot: int
    rounds_per_s: float
    speed_m_s: float
    decay_m: float
    reaction_s: float  # from the assignment of a channel to the first round: slewing and settling
    flight_s_min: float
    dispersion_rad: float
    miss_m_std: float
    bias_rad: float
    tracking_m_std: float
    track_share: float = 0.0
    speed_std_share: float = 0.0
    lethal_radius_m: float  # a round that passes closer than this hits
    kill_given_hit: float
    channels: int  # engagements at a time

    def __post_init__(self) -> None:
        assert self.rounds_per_shot >= 1
        assert self.channels >= 1
        assert min(self.rounds_per_s, self.speed_m_s, self.decay_m, self.lethal_radius_m) > 0.0
        assert min(self.reaction_s, self.flight_s_min, self.bias_rad, self.tracking_m_std) >= 0.0
        assert min(self.dispersion_rad, self.miss_m_std, self.track_share, self.speed_std_share) >= 0.0
        assert max(self.dispersion_rad, self.miss_m_std) > 0.0
        assert 0.0 < self.kill_given_hit <= 1.0

    @property
    def burst_s(self) -> float:
        """From the first round of a shot to the last."""
        return (self.rounds_per_shot - 1) / self.rounds_per_s


# Source: round numbers chosen for this model, of the order of openly published descriptions of rapid-fire guns as a
# kind (75 rounds a second: "4,500 rounds per minute" in the US Navy fact file on its close-in gun; about 1 000 m/s at
# the muzzle, about half of it left at 2 km: any medium-calibre round in a ballistics textbook).  Dispersion, bias,
# tracking error and lethal radius are set so that one shot kills four times in ten at 1 km, and one in two at half of
# it; they are of no weapon.  A fiftieth of the track's deviation and a scatter of two in a thousand at the muzzle are
# round assumptions of this model.
GENERIC_GUN = Model(
    rounds_per_shot=120,
    rounds_per_s=75.0,
    speed_m_s=1000.0,
    decay_m=2500.0,
    reaction_s=2.0,
    flight_s_min=0.0,
    dispersion_rad=0.0015,
    miss_m_std=0.0,
    bias_rad=0.0005,
    tracking_m_std=1.0,
    track_share=0.02,
    speed_std_share=0.002,
    lethal_radius_m=0.25,
    kill_given_hit=0.5,
    channels=1,
)

# Source: round numbers chosen for this model; a constant mean speed of about Mach 2, and a miss distance and lethal
# radius that make one shot kill about three times in four.  They are of no missile.
GENERIC_INTERCEPTOR = Model(
    rounds_per_shot=1,
    rounds_per_s=1.0,
    speed_m_s=600.0,
    decay_m=math.inf,
    reaction_s=2.0,
    flight_s_min=2.0,
    dispersion_rad=0.0,
    miss_m_std=2.0,
    bias_rad=0.0,
    tracking_m_std=0.0,
    lethal_radius_m=4.0,
    kill_given_hit=0.9,
    channels=4,
)


@dataclass(frozen=True, kw_only=True)
class Effector:
    """One effector of the site.  `model` defaults to the generic one of its kind."""

    id: str
    kind: Kind
    position_enu_m: tuple[float, float, float]
    range_m_min: float
    range_m_max: float
    magazine_rounds: int
    model: Model | None = None

    def __post_init__(self) -> None:
        assert all(math.isfinite(x) for x in self.position_enu_m)
        assert 0.0 <= self.range_m_min < self.range_m_max < math.inf
        assert self.magazine_rounds >= 0

    @property
    def behaviour(self) -> Model:
        """The model that holds for this effector."""
        if self.model is not None:
            return self.model
        return GENERIC_GUN if self.kind == "gun" else GENERIC_INTERCEPTOR
