"""What the engagement stage is told: whom to protect, with which effector models, by which rules."""

import itertools
from dataclasses import dataclass
from typing import Literal

from opencram.engagement.effector import Effector
from opencram.engagement.ground import GroundDanger
from opencram.engagement.holds import HoldRule

NS_PER_S = 1_000_000_000


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
    rules: tuple[HoldRule, ...] = ()  # hold rules of place, time and friends
    ground: GroundDanger | None = None  # the hold rule that weighs the people under debris against those saved
    friendly_classes: tuple[str, ...] = ("aircraft", "drone")  # tracks of these classes are kept in view as friends …
    friendly_probability: float = 0.5  # … from this probability on; each rule says which of them it heeds
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
