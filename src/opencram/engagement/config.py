"""What the engagement stage is told: whom to protect, with which effector models, by which rules.

Every effector is a model inside the simulation.  It deals in times, ranges, probabilities and counts; there
is nothing here that could point or fire anything.
"""

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from opencram.engagement.ground import GroundDanger
    from opencram.engagement.holds import HoldRule

NS_PER_S = 1_000_000_000

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


@dataclass(frozen=True, kw_only=True)
class Zone:
    """A warning zone: under the policy `people` it is protected as well."""

    id: str
    name: str
    people: int


@dataclass(frozen=True, kw_only=True)
class Config:
    """All that the stage goes by.

    Probabilities are those of a round landing within its hazard radius of the place it threatens most.  In order:
    ignored up to `ignore_probability`, if the asset is `ignore_deviations` or more from the predicted impact (a loose
    estimate gives every place a small probability); an ignored round is looked at again above `recall_probability`;
    an engaged one is let go below `release_probability`; at the last call `engage_probability` is enough; before it,
    the round must have stayed above `sure_probability` for `settle_s`.

    Source of the defaults: chosen here, see docs/decisions/engagement-when-to-decide.md.
    """

    assets: tuple[str, ...] = ()
    zones: tuple[Zone, ...] = ()
    effectors: tuple[Effector, ...] = ()
    protect: Literal["site", "people"] = "site"
    mode: Literal["hold", "consent", "veto", "automatic"] = "automatic"
    rules: "tuple[HoldRule, ...]" = ()  # hold rules of place, time and friends
    ground: "GroundDanger | None" = None  # the hold rule that weighs the people under debris against those saved
    friendly_classes: tuple[str, ...] = ("aircraft", "drone")  # tracks of these classes are friends …
    friendly_probability: float = 0.5  # … from this probability on
    friendly_s_max: float = 10.0  # a friend that nobody has seen for this long is no longer known to be there
    friends_max: int = 100
    closed_loop: bool = False  # whether engagements act on the rounds that the plots show (simulation, live exercise)

    ignore_probability: float = 0.02
    ignore_deviations: float = 2.5
    recall_probability: float = 0.05
    release_probability: float = 0.15
    engage_probability: float = 0.3
    sure_probability: float = 0.8
    settle_s: float = 1.0
    projectile_probability: float = 0.5  # a confirmed track above this is owed a decision

    period_s: float = 0.1  # decisions and plans are renewed this often in data time
    prediction_wait_s: float = 0.5  # a confirmed projectile without a threat is held aloud after this
    decide_s_before_impact: float = 5.0  # last call where no effector sets one
    veto_s: float = 5.0
    intercept_s_before_impact_min: float = 1.0
    intercept_height_m_min: float = 30.0  # above the predicted point of impact
    assessment_delay_s: float = 1.0
    assessment_delay_s_max: float = 3.0
    assessment_plots: float = 4.0  # a kill is believed in only after this many mean plot intervals
    assessment_share: float = 0.5  # with fewer than this share of the usual plots; debris gives some
    revive_s: float = 1.0  # a round believed killed that gives its usual plots for this long is still there
    shots_per_round_max: int = 3
    asset_worth_people: float = 1000.0  # a hit on an asset counts as this many people exposed: assets come first

    horizon_s: float = 300.0  # a path longer than this is cut
    rounds_max: int = 500
    ended_max: int = 4096  # ended tracks that are remembered, so that a repeated message decides nothing
    plan_rounds_max: int = 128
    plan_prices: int = 20  # steps of the search for the worth of a channel's time
    plan_iterations: int = 10  # steps of the search for a better plan, at each decision
    planner: Literal["search", "first_come", "nearest"] = "search"  # the others are baselines for studies
    plan_slack_s: float = 1.0  # a planned start this close to the last possible one is in doubt: paths still move
    stale_s: float = 30.0  # a track that nobody speaks of for this long has ended

    def __post_init__(self) -> None:
        steps = (
            0.0,
            self.ignore_probability,
            self.recall_probability,
            self.release_probability,
            self.engage_probability,
            self.sure_probability,
            1.0,
        )
        assert all(low <= high for low, high in itertools.pairwise(steps)), "thresholds must rise"
        assert self.period_s >= 0.01
        assert self.plan_slack_s > 0.0
        assert min(self.rounds_max, self.ended_max, self.plan_rounds_max, self.shots_per_round_max) >= 1
        assert len({e.id for e in self.effectors}) == len(self.effectors), "effector ids must differ"


def ns(seconds: float) -> int:
    """Return a finite interval in integer nanoseconds."""
    return round(seconds * NS_PER_S)
