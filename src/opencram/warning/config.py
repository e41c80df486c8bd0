"""Whom the warning stage warns, and the numbers that rule the life of an alarm."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Zone:
    """People who are warned together.

    `probability` replaces the threshold of the config for this zone: the probability of a round within its hazard
    radius at which sheltering for nothing and being hit in the open are equally dear.  `shelter_times_s` are
    seconds to shelter that equally many people need each; empty: spread about `shelter_time_s` as usual.
    `parent` is the id of a district, whose alarm lives as long as that of any of its zones.
    """

    id: str
    people: int = 0
    shelter_time_s: float = 15.0  # from hearing the alarm to being inside, for nine in ten
    probability: float | None = None
    half_width_m: float = 250.0  # of the zone with the hazard radius around it
    latency_s: float | None = None  # of the channel that warns this zone
    shelter_times_s: tuple[float, ...] = ()
    parent: str = ""


@dataclass(frozen=True, kw_only=True)
class District:
    """A region of zones, or of other districts; `parent` is the id of the district it belongs to."""

    id: str
    parent: str = ""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Zones in the order in which their warnings are to be given, thresholds, and limits.

    A zone is warned when waiting for a sharper prediction is worth no more than warning now (`wait`), its threshold
    being the probability at which a warning in good time is just worth its cost.  Nobody waits beyond the time at
    which `warning_time_s_min` is left to those who hear it: from then on the threshold alone decides.
    """

    zones: tuple[Zone, ...]
    probability: float = 0.05
    districts: tuple[District, ...] = ()
    warning_time_s_min: float = 10.0
    wait_margin_s: float = 1.0  # the next prediction may be so far off
    early_s_max: float = 1.0  # an impact is reckoned with two deviations early, but not more than this
    latency_s: float = 1.0  # from the decision to people hearing it, where the zone's channel says nothing
    sharpening: float = 1.0  # how fast ellipses shrink, as a multiple of what was measured (`wait.sharpening_per_s`)
    wait_risk_per_s: float = 0.002  # that a wait ends without a better prediction: radar lost, round lost
    drop_share: float = 0.5  # of a round's harm that lying down averts; generic
    spread_m_unknown: float = 300.0  # long deviation of a threat that says none
    cancel_ratio: float = 0.25  # an alarm lives until its probability is below this share of the threshold …
    cancel_hold_s: float = 1.5  # … for so long
    dwell_s: float = 600.0  # from the last impact to the all-clear, for fragments and duds
    debris_s: float = 20.0  # an alarm stands so long after its round was intercepted: the pieces still fall
    overdue_s: float = 3.0  # a round not heard of this long past its impact (and two deviations) has fallen
    drop_s: float = 5.0  # before the impact: who cannot be inside by then lies down
    update_interval_s: float = 1.0  # between two updates of a zone, unless one is urgent
    impact_shift_s: float = 1.0  # a first impact moved by more than this is worth an update
    bands: tuple[float, ...] = (0.1, 0.3, 0.6, 0.9)  # of probability; passing from one to another is worth an update
    band_odds_ratio: float = 1.5  # … if the odds have changed by this factor since people were last told
    expiry_margin_s: float = 60.0  # an alarm expires this long after it should have ended
    degraded_factor: float = 0.5  # on all thresholds while a part of the system that sees is degraded or lost
    degrading_parts: tuple[str, ...] = ("sensor:", "tracking", "clock", "pipeline")  # prefixes of `Health.part`
    degraded_max: int = 256
    rounds_max: int = 2000
    share_min: float = 0.001  # smaller probabilities of single rounds are neglected
    flight_s_max: float = 300.0  # an impact later than this is taken to be at it
    impact_time_s_std_max: float = 10.0
    fallen_listed_max: int = 64  # rounds named by an alarm after they fell, the latest
