"""Seconds of warning at one place from one threat: what the radars know of a flight, and when its zone is warned.

What is known follows the posterior Cramér-Rao bound, at which the tracker stands; when to warn follows the warning
stage's
own rule (`warning.wait`): the threshold of the zone's site, a wait where waiting gains something.  The prediction is
taken at its expectation: where the impact will be, with the spread that the bound leaves it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from opencram.config.plan_model import PlanFile, ThreatDirection
from opencram.evaluation.bound import BoundRadar, Flight, Prior, impact_covariance, information, plot_times
from opencram.evaluation.cases import priors_of
from opencram.runtime.pipeline import PipelineConfig
from opencram.simulation.flights import CLASS_CURVES
from opencram.siting.flights import seen
from opencram.warning.shelter import usual_shelter_times_s
from opencram.warning.wait import gain_of_waiting, protected

Floats = NDArray[np.float64]

STEP_S: Final = 0.5  # of the look at whether to warn
START_S: Final = 1.0  # of track before the first prediction: the start-up fit (docs/tracking.md)
PLOTS_MIN: Final = 3  # gathered plots that a track must have
TO_GO_S: Final = 10.0  # before impact, at which the error is told
WIND_M_S_STD: Final = 5.0


@dataclass(frozen=True, kw_only=True)
class Place:
    """Whom to warn at a cell: the zone it lies in, or a zone of its own size about it."""

    offset_m: tuple[float, float]  # of the cell's middle from the zone's, east and north
    half_width_m: float
    threshold: float
    latency_s: float
    shelter_times_s: Floats
    people: float  # in the cell


@dataclass(frozen=True, kw_only=True)
class Warned:
    """What a set of radars gives at a cell.  NaN: no warning, no plot, no prediction.

    `seconds`: from people hearing the alarm to the impact.  `error_m`: DRMS of the bound `TO_GO_S` before the impact.
    `protected`: share of the harm that the alarm averts.
    """

    seconds: float
    error_m: float
    seen_s: float  # the flight is in some radar's sight
    protected: float


NEVER: Final = Warned(seconds=math.nan, error_m=math.nan, seen_s=0.0, protected=0.0)


@dataclass(frozen=True)
class Sights:
    """The information of each radar on one flight, by the times of the looks, and when each begins to see it."""

    flight: Flight
    times_s: Floats
    found: Floats  # (radars, times, 10, 10)
    counts: NDArray[np.int64]  # (radars, times): gathered plots by then
    first_s: Floats  # (radars,); inf: never


def sights(plan: PlanFile, flight: Flight, radars: Sequence[BoundRadar]) -> Sights:
    """Return what each of these radars would know of a flight, and when."""
    end_s = float(flight.landed[0])
    times = np.arange(STEP_S, end_s, STEP_S)
    found = np.zeros((len(radars), len(times), 10, 10))
    counts = np.zeros((len(radars), len(times)), dtype=np.int64)
    first = np.full(len(radars), math.inf)
    for k, radar in enumerate(radars):
        visible = seen(flight, radar, plan.site.terrain, plan.site.height_m)
        looked = plot_times(flight, radar)
        shown = looked[visible[0]]
        if not len(shown):
            continue
        first[k] = float(shown[0])
        counts[k] = np.searchsorted(shown, times + 1e-9, side="right")
        found[k] = information(flight, radar, times, seen=visible)[0]
    return Sights(flight, times, found, counts, first)


def warned(config: PipelineConfig, what: Sights, which: Sequence[int], prior: Prior, place: Place) -> Warned:
    """Return what these radars together give at a place."""
    chosen = list(which)
    first_s = float(min((what.first_s[k] for k in chosen), default=math.inf))
    if not math.isfinite(first_s):
        return NEVER
    end_s = float(what.flight.landed[0])
    counts = what.counts[chosen].sum(axis=0)
    usable = (what.times_s >= first_s + START_S) & (counts >= PLOTS_MIN)
    at = np.flatnonzero(usable)
    if not len(at):
        return Warned(seconds=math.nan, error_m=math.nan, seen_s=end_s - first_s, protected=0.0)
    covariance, _ = impact_covariance(what.flight, what.found[chosen][:, at].sum(axis=0), prior)
    left = end_s - what.times_s[at]
    told = _first_warning(config, covariance, left, place)
    before = np.flatnonzero(left >= TO_GO_S)
    error = covariance[before[-1]] if len(before) else None
    seconds = math.nan if told is None else float(left[told]) - place.latency_s
    averted = 0.0
    if told is not None:
        averted = protected(float(left[told]), 0.0, place.latency_s, place.shelter_times_s, config.warning.drop_share)
    return Warned(
        seconds=seconds,
        error_m=math.nan if error is None else math.sqrt(error[0, 0] + error[1, 1]),
        seen_s=end_s - first_s,
        protected=averted,
    )


def _first_warning(config: PipelineConfig, covariance: Floats, left_s: Floats, place: Place) -> int | None:
    """Return the first look at which the zone is warned, by the rule of the warning stage; None: never."""
    rule = config.warning
    need_s = rule.warning_time_s_min + place.latency_s + rule.wait_margin_s
    for k, left in enumerate(left_s.tolist()):
        spread, probability = _probability(covariance[k], place)
        if probability < place.threshold:
            continue
        left_std = math.sqrt(max(covariance[k, 2, 2], 0.0))
        if left - min(2.0 * left_std, rule.early_s_max) <= need_s:
            return k
        flying = np.array([[probability, left, left_std, spread]])
        gain = gain_of_waiting(
            flying,
            place.threshold,
            place.half_width_m,
            place.latency_s,
            place.shelter_times_s,
            rule.drop_share,
            rule.sharpening,
            rule.wait_risk_per_s,
        )
        if gain <= 0.0:
            return k
    return None


def _probability(covariance: Floats, place: Place) -> tuple[float, float]:
    """Return the long deviation of an impact, and its probability within the square that stands for the zone."""
    values, vectors = np.linalg.eigh(covariance[:2, :2])
    std = np.sqrt(np.maximum(values, 1e-4))
    offset = vectors.T @ np.array(place.offset_m)
    inside = ndtr((place.half_width_m - offset) / std) - ndtr((-place.half_width_m - offset) / std)
    return float(std[1]), float(inside[0] * inside[1])


def prior_of(threat: ThreatDirection) -> Prior:
    """Return what is known of a round before it is seen: the tracker does not know its class."""
    unknown, _ = priors_of(threat.class_name, CLASS_CURVES[threat.class_name], WIND_M_S_STD)
    return unknown


# ---- whom to warn ---------------------------------------------------------------------------------


def places_of(plan: PlanFile, config: PipelineConfig, middles_m: Floats) -> tuple[Place, ...]:
    """Return whom to warn at each cell (n, 2)."""
    polygons = {place.id: np.array(place.polygon_m) for place in config.threat.places if place.kind == "zone"}
    areas = {name: _area_m2(corners) for name, corners in polygons.items()}
    found = []
    for east, north in middles_m.tolist():
        zone = next((z for z in config.warning.zones if _inside(east, north, polygons[z.id])), None)
        if zone is None:
            found.append(
                Place(
                    offset_m=(0.0, 0.0),
                    half_width_m=0.5 * plan.step_m + config.threat.hazard_radius_m,
                    threshold=config.warning.probability,
                    latency_s=config.warning.latency_s,
                    shelter_times_s=np.array(usual_shelter_times_s(15.0)),
                    people=0.0,
                )
            )
            continue
        middle = polygons[zone.id].mean(axis=0)
        found.append(
            Place(
                offset_m=(east - float(middle[0]), north - float(middle[1])),
                half_width_m=zone.half_width_m,
                threshold=zone.probability or config.warning.probability,
                latency_s=config.warning.latency_s if zone.latency_s is None else zone.latency_s,
                shelter_times_s=np.array(zone.shelter_times_s or usual_shelter_times_s(zone.shelter_time_s)),
                people=zone.people * plan.step_m**2 / max(areas[zone.id], 1.0),
            )
        )
    return tuple(found)


def _inside(x: float, y: float, corners: Floats) -> bool:
    a, b = corners, np.roll(corners, -1, axis=0)
    spans = (a[:, 1] > y) != (b[:, 1] > y)
    rise = np.where(spans, b[:, 1] - a[:, 1], 1.0)
    return bool(np.count_nonzero(spans & (x < a[:, 0] + (y - a[:, 1]) / rise * (b[:, 0] - a[:, 0]))) % 2)


def _area_m2(corners: Floats) -> float:
    after = np.roll(corners, -1, axis=0)
    return 0.5 * abs(float(np.sum(corners[:, 0] * after[:, 1] - after[:, 0] * corners[:, 1])))
