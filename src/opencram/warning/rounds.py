"""The rounds that the warning stage follows: from the first threat to the ground, or out of the story."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opencram.messages import Threat
from opencram.warning.config import Config


@dataclass(frozen=True)
class Round:
    """A round in the air, as last told.  `shares`: number of a zone, and probability of landing near it."""

    track_id: int
    t_ns: int
    impact_t_ns: int
    impact_time_s_std: float
    hazard_radius_m: float
    shares: tuple[tuple[int, float], ...]
    spread_m: float  # long deviation of the predicted impact

    @property
    def earliest_t_ns(self) -> int:
        """When it may land at the earliest: two deviations before the predicted time."""
        return self.impact_t_ns - round(2e9 * self.impact_time_s_std)

    @property
    def latest_t_ns(self) -> int:
        """When it will have landed: two deviations after the predicted time."""
        return self.impact_t_ns + round(2e9 * self.impact_time_s_std)

    @property
    def worst(self) -> float:
        """The greatest probability that any zone has of it."""
        return max((p for _, p in self.shares), default=0.0)


@dataclass(frozen=True)
class Fall:
    """A round that reached the ground at `t_ns`, near the zone in question with `probability`."""

    track_id: int
    t_ns: int
    probability: float


def either(probabilities: Iterable[float]) -> float:
    """Return the probability that at least one of independent events happens."""
    miss = 1.0
    for probability in probabilities:
        miss *= 1.0 - probability
    return 1.0 - miss


def round_of(config: Config, numbers: Mapping[str, int], threat: Threat, before: Round | None) -> Round:
    """Return the round as `threat` tells it, with what is not a number taken on the safe side.

    A probability that is none keeps its last value; a deviation that is none is the greatest; an impact time beyond
    any flight is taken at its limit.  Places that are no zone of the config are passed over.
    """
    least = config.share_min
    shares: dict[int, float] = {}
    for place in threat.places:
        number = numbers.get(place.place) if place.kind == "zone" else None
        if number is None:
            continue
        p = place.probability
        if not 0.0 <= p <= 1.0:
            known = dict(before.shares) if before is not None else {}
            p = known.get(number, 0.0) if math.isnan(p) else min(max(p, 0.0), 1.0)
        if p >= least:
            shares[number] = max(p, shares.get(number, 0.0))
    reach_ns = round(config.flight_s_max * 1e9)
    std = threat.impact_time_s_std
    radius_m = threat.hazard_radius_m
    return Round(
        track_id=threat.track_id,
        t_ns=threat.t_ns,
        impact_t_ns=min(max(threat.impact_t_ns, threat.t_ns - reach_ns), threat.t_ns + reach_ns),
        impact_time_s_std=std if 0.0 <= std <= config.impact_time_s_std_max else config.impact_time_s_std_max,
        hazard_radius_m=radius_m if 0.0 <= radius_m <= 1e6 else 0.0,
        shares=tuple(sorted(shares.items())),
        spread_m=threat.impact_m_std if 0.0 < threat.impact_m_std < 1e6 else config.spread_m_unknown,
    )
