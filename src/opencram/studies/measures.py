"""What a study reports: each measure by name, of what parts it is made, and how its interval is found."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from opencram.studies.intervals import (
    NOTHING,
    Estimate,
    bootstrap_mean,
    bootstrap_quantile,
    bootstrap_ratio,
    bootstrap_ratio_difference,
    wilson,
)
from opencram.studies.rows import LEADS_S, TO_GO_S

Floats = NDArray[np.float64]
Kind = Literal["mean", "share_of_raids", "ratio", "lead_quantile", "error_quantile"]
Better = Literal["less", "more", ""]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One figure of a study.

    `mean`: of `above` over raids.  `share_of_raids`: raids in which `above` is over 0.  `ratio`: the sum of `above`
    over that
    of `below`.  Quantiles are over all struck zones, or all predictions `to_go_s` before impact, of all raids.
    """

    name: str
    kind: Kind
    above: str = ""
    below: str = ""
    unit: str = ""
    better: Better = ""
    quantile: float = 0.5
    to_go_s: int = 0


def _catalogue() -> tuple[Measure, ...]:
    share, costs = "share", "person-minutes per raid"
    warned = [
        Measure(
            name=f"people_warned_{s}s",
            kind="ratio",
            above=f"people_warned_{s}s",
            below="people_struck",
            unit=share,
            better="more",
        )
        for s in LEADS_S
    ]
    errors = [
        Measure(name=f"impact_error_{s}s", kind="error_quantile", to_go_s=s, unit="m", better="less") for s in TO_GO_S
    ]
    coverage = [
        Measure(name=f"coverage_{s}s", kind="ratio", above=f"held_{s}s", below=f"scored_{s}s", unit=share)
        for s in TO_GO_S
    ]
    return (
        *warned,
        Measure(name="people_in_time", kind="ratio", above="people_in_time", below="people_struck",
                unit=share, better="more"),
        Measure(name="lead_median", kind="lead_quantile", quantile=0.5, unit="s", better="more"),
        Measure(name="lead_p10", kind="lead_quantile", quantile=0.1, unit="s", better="more"),
        Measure(name="missed_zones", kind="mean", above="zones_missed", unit="per raid", better="less"),
        Measure(name="missed_people", kind="ratio", above="people_missed", below="people_struck",
                unit=share, better="less"),
        Measure(name="false_alarms", kind="mean", above="false_alarms", unit="per raid", better="less"),
        Measure(name="needless_person_min", kind="mean", above="needless_person_min", unit=costs, better="less"),
        Measure(name="leakers", kind="mean", above="leakers", unit="per raid", better="less"),
        Measure(name="any_leaker", kind="share_of_raids", above="leakers", unit=share, better="less"),
        Measure(name="leak_share", kind="ratio", above="leakers", below="threatening", unit=share, better="less"),
        Measure(name="kills", kind="mean", above="kills", unit="per raid", better="more"),
        Measure(name="rounds_per_kill", kind="ratio", above="rounds_fired", below="kills",
                unit="rounds", better="less"),
        Measure(name="debris_outside", kind="mean", above="debris_outside", unit="pieces per raid", better="less"),
        Measure(name="casualties", kind="mean", above="casualties", unit="expected per raid", better="less"),
        Measure(name="casualties_unwarned", kind="mean", above="casualties_unwarned", unit="expected per raid"),
        *errors,
        *coverage,
        Measure(name="decision_time", kind="ratio", above="consent_left_sum_s", below="consent_asked",
                unit="s", better="more"),
        Measure(name="false_tracks", kind="mean", above="false_tracks", unit="per raid", better="less"),
        Measure(name="untracked", kind="ratio", above="untracked", below="rounds", unit=share, better="less"),
    )  # fmt: skip


MEASURES: tuple[Measure, ...] = _catalogue()
BY_NAME: Mapping[str, Measure] = {measure.name: measure for measure in MEASURES}


@dataclass(frozen=True)
class Columns:
    """The rows of one alternative, by run: quantities by name, weights, and the lists of leads and errors."""

    runs: NDArray[np.int64]
    weights: Floats
    quantities: Mapping[str, Floats]
    lead_s: Floats  # of every struck zone; −inf: not warned
    lead_owner: NDArray[np.int64]  # its row
    lead_zone: Sequence[str]
    error_m: Floats
    error_to_go_s: NDArray[np.int64]
    error_owner: NDArray[np.int64]
    failed: int = 0
    course: Mapping[str, Floats] = field(
        default_factory=dict
    )  # by what is told: (runs, COURSE_S), NaN where nothing is
    approach: Mapping[str, Floats] = field(default_factory=dict)  # (runs, APPROACH_S), m

    def __len__(self) -> int:
        return len(self.runs)


def estimate(measure: Measure, columns: Columns, confidence: float = 0.95) -> Estimate:
    """Return the measure of an alternative with its interval."""
    if not len(columns):
        return NOTHING
    weights = columns.weights
    weighted = bool(np.any(weights != 1.0))
    if measure.kind in ("lead_quantile", "error_quantile"):
        return _quantile_estimate(measure, columns, confidence)
    above = columns.quantities[measure.above]
    if measure.kind == "ratio":
        return bootstrap_ratio(above, columns.quantities[measure.below], weights, confidence)
    if measure.kind == "mean":
        found = bootstrap_mean(above, weights, confidence)
        return replace(found, low=max(found.low, 0.0)) if found.runs else found  # nothing that is counted is negative
    hit = (above > 0.0).astype(np.float64)
    return bootstrap_mean(hit, weights, confidence) if weighted else wilson(float(hit.sum()), len(hit), confidence)


def _quantile_estimate(measure: Measure, columns: Columns, confidence: float) -> Estimate:
    items, owner = columns.lead_s, columns.lead_owner
    if measure.kind == "error_quantile":
        mine = columns.error_to_go_s == measure.to_go_s
        items, owner = columns.error_m[mine], columns.error_owner[mine]
    return bootstrap_quantile(items, owner, columns.weights, measure.quantile, confidence)


def difference(measure: Measure, first: Columns, second: Columns, confidence: float = 0.95) -> Estimate:
    """Return second less first with its interval, over the runs that both have, paired.

    A quantile has no paired difference here: that of its median is not what a reader takes it for.
    """
    common, mine, other = np.intersect1d(first.runs, second.runs, assume_unique=True, return_indices=True)
    if len(common) < 2 or measure.kind in ("lead_quantile", "error_quantile"):
        return NOTHING
    weights = second.weights[other]
    a, b = first.quantities[measure.above][mine], second.quantities[measure.above][other]
    if measure.kind == "share_of_raids":
        a, b = (a > 0.0).astype(np.float64), (b > 0.0).astype(np.float64)
    if measure.kind in ("mean", "share_of_raids"):
        return bootstrap_mean(b - a, weights, confidence)
    below_a, below_b = first.quantities[measure.below][mine], second.quantities[measure.below][other]
    return bootstrap_ratio_difference((a, below_a), (b, below_b), weights, confidence)


def variance_ratio(measure: Measure, first: Columns, second: Columns) -> float:
    """Return how many times more runs the difference would need if the two had no random numbers in common."""
    _, mine, other = np.intersect1d(first.runs, second.runs, assume_unique=True, return_indices=True)
    if len(mine) < 3 or measure.kind not in ("mean", "share_of_raids"):
        return math.nan
    a, b = first.quantities[measure.above][mine], second.quantities[measure.above][other]
    paired = float(np.var(b - a, ddof=1))
    return float((np.var(a, ddof=1) + np.var(b, ddof=1)) / paired) if paired > 0.0 else math.nan


def worst_zone(columns: Columns, runs_min: int = 5) -> tuple[str, float] | None:
    """Return the zone with the shortest median warning among those struck often enough, and that median (s)."""
    by_zone: dict[str, list[float]] = {}
    for zone, lead in zip(columns.lead_zone, columns.lead_s.tolist(), strict=True):
        by_zone.setdefault(zone, []).append(lead)
    medians = [(float(np.median(leads)), zone) for zone, leads in sorted(by_zone.items()) if len(leads) >= runs_min]
    if not medians:
        return None
    lead, zone = min(medians)
    return zone, lead


def saturation(values: Sequence[float], estimates: Sequence[Estimate], level: float) -> Estimate:
    """Return the value of a swept number at which a measure first reaches a level, by straight lines between.

    The ends are where the interval's own ends cross: that of the earlier crossing first.  NaN: never within the sweep.
    """
    order = sorted(range(len(values)), key=lambda k: values[k])
    at = [values[k] for k in order]

    def crossing(heights: list[float]) -> float:
        rising = heights[-1] >= heights[0]
        for k in range(len(at)):
            reached = heights[k] >= level if rising else heights[k] <= level
            if reached and k == 0:
                return at[0]
            if reached:
                span = heights[k] - heights[k - 1]
                return at[k - 1] + (at[k] - at[k - 1]) * ((level - heights[k - 1]) / span if span else 1.0)
        return math.nan

    chosen = [estimates[k] for k in order]
    found = sorted(
        (crossing([e.low for e in chosen]), crossing([e.high for e in chosen])),
        key=lambda x: (math.isnan(x), x),
    )
    middle = crossing([e.value for e in chosen])
    runs = min((e.runs for e in chosen), default=0)
    return Estimate(value=middle, low=found[0], high=found[1], runs=runs)
