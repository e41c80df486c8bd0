"""Whom the warning stage warns, and the numbers that rule the life of an alarm."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Zone:
    """People who are warned together.

    `probability` replaces the threshold of the config for this zone: the probability of a round within its hazard
    radius at which sheltering for nothing and being hit in the open are equally dear.
    """

    id: str
    people: int = 0
    shelter_time_s: float = 15.0  # from hearing the alarm to being inside
    probability: float | None = None


@dataclass(frozen=True, kw_only=True)
class Config:
    """Zones in the order in which their warnings are to be given, thresholds, and limits.

    Two thresholds say when waiting costs more than alarming.  While there is time enough, waiting for a sharper
    prediction costs nothing and spares those whom it clears, so a zone is warned only at `patient_probability`.
    Once the time left is down to what the people need, `probability` decides.  They need their shelter time or
    `warning_time_s_min`, whichever is longer, and `wait_margin_s` to hear and to believe it.
    """

    zones: tuple[Zone, ...]
    probability: float = 0.05
    patient_probability: float = 0.5
    wait_margin_s: float = 5.0
    warning_time_s_min: float = 10.0
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
