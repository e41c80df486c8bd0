"""Impacts → threats: for each predicted impact, what it means for every asset and for the zones near it.

The Gaussian mixture of the impact is integrated over each polygon widened by the hazard radius, exactly
(`dilation`, `gaussian`); zones are found through a grid (`index`).  What is exact and what is an
approximation on the safe side stands with `exposed_people`, `line_clearance` and `hull_clearance` in `assess`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from opencram.messages import Impact, Message, PlaceThreat, Rejected, Threat
from opencram.threat.arrays import Floats
from opencram.threat.assess import CASUALTIES, EXPOSED, PLACE, PROBABILITY, assess
from opencram.threat.config import Config, Place
from opencram.threat.index import Index, build, ordered

_POSITION_M_MAX = 1e9
_VARIANCE_M2_MAX = 1e14
_TIME_S_STD_MAX = 1e4


@dataclass(frozen=True)
class State:
    """What the stage works with, all of it known from the start: the places in order, and their index."""

    places: tuple[Place, ...]
    index: Index = field(repr=False, compare=False)
    people: tuple[tuple[int, ...], ...] = field(repr=False)  # by hour of the day and place


def initial(config: Config) -> State:
    """Return the state before the first message; building the index of 10 000 zones takes about a second."""
    assert 0.0 <= config.hazard_radius_m < math.inf
    assert config.components_max >= 1
    index = build(config)
    people = tuple(tuple(round(each) for each in row) for row in index.people.tolist())
    return State(places=ordered(config), index=index, people=people)


def step(config: Config, state: State, batch: Sequence[Message]) -> tuple[State, list[Message]]:
    """Return a `Threat` for each `Impact` of the batch, in its order; other messages are passed over.

    An impact without one usable place of landing is answered by a `Rejected` (code "nan"), one with more
    components than the limit by a `Rejected` (code "limit") beside its threat.
    """
    out: list[Message] = []
    for message in batch:
        if isinstance(message, Impact):
            out.extend(_threats(config, state, message))
    return state, out


def _threats(config: Config, state: State, impact: Impact) -> list[Message]:
    gaussians = _gaussians(impact)
    out: list[Message] = []
    if len(gaussians) > config.components_max:
        reason = f"threat: the impact of track {impact.track_id} has {len(gaussians)} components; "
        reason += f"the {config.components_max} most probable are used (components_max)"
        out.append(Rejected(t_ns=impact.t_ns, reason=reason, code="limit"))
        gaussians = sorted(gaussians, reverse=True)[: config.components_max]
    if not gaussians:
        reason = f"threat: the impact of track {impact.track_id} has no finite position or covariance"
        return [Rejected(t_ns=impact.t_ns, reason=reason, code="nan")]
    mixture = np.array(gaussians)
    mixture[:, 0] /= mixture[:, 0].sum()
    east_m, north_m = (float(value) for value in impact.position_enu_m[:2])
    if not _sane(east_m, north_m, limit=_POSITION_M_MAX):
        east_m, north_m = (float(value) for value in mixture[:, 0] @ mixture[:, 1:3])
    projectile = float(impact.projectile_probability)
    projectile = min(max(projectile, 0.0), 1.0) if math.isfinite(projectile) else 1.0  # unknown: the safe side
    hour = int((impact.t_ns / 3.6e12 + config.hours_ahead_of_utc) % 24.0) % 24
    found = assess(state.index, mixture, projectile, east_m, north_m, config.zone_probability_min, hour)
    time_s_std = impact.impact_time_s_std
    out.append(
        Threat(
            t_ns=impact.t_ns,
            track_id=impact.track_id,
            impact_t_ns=impact.impact_t_ns,
            impact_time_s_std=time_s_std if 0.0 <= time_s_std <= _TIME_S_STD_MAX else 0.0,
            hazard_radius_m=state.index.hazard_radius_m,
            places=_listed(state, found, hour),
            expected_exposed=float(found[:, EXPOSED].sum()),
            expected_casualties=float(found[:, CASUALTIES].sum()),
            impact_m_std=_long_std_m(mixture),
        )
    )
    return out


def _long_std_m(mixture: Floats) -> float:
    """Return the deviation of a mixture (n, 6) along the long axis of its covariance."""
    weights, east, north = mixture[:, 0], mixture[:, 1], mixture[:, 2]
    off_e, off_n = east - weights @ east, north - weights @ north
    ee = float(weights @ (mixture[:, 3] + off_e * off_e))
    en = float(weights @ (mixture[:, 4] + off_e * off_n))
    nn = float(weights @ (mixture[:, 5] + off_n * off_n))
    return math.sqrt(max(0.5 * (ee + nn) + math.hypot(0.5 * (ee - nn), en), 0.0))


def _gaussians(impact: Impact) -> list[tuple[float, float, float, float, float, float]]:
    """Return the usable components (weight, east, north, ee, en, nn).

    A component without a usable covariance takes that of the whole impact; if no component is usable, the moments
    of the whole impact stand for them.
    """
    whole = impact.covariance_enu_m2
    rows = []
    for part in impact.components:
        covariance = part.covariance_m2 if _sane(*part.covariance_m2, limit=_VARIANCE_M2_MAX) else whole
        rows.append((part.probability, part.east_m, part.north_m, *covariance))
    usable = [row for row in rows if _usable(*row)]
    if not usable:
        usable = [row for row in [(1.0, *impact.position_enu_m[:2], *whole)] if _usable(*row)]
    return usable


def _usable(weight: float, east_m: float, north_m: float, ee_m2: float, en_m2: float, nn_m2: float) -> bool:
    return (
        0.0 < weight <= 1e6
        and _sane(east_m, north_m, limit=_POSITION_M_MAX)
        and _sane(ee_m2, en_m2, nn_m2, limit=_VARIANCE_M2_MAX)
    )


def _sane(*values: float, limit: float) -> bool:
    """Return whether all values are numbers within ± limit (a NaN is not)."""
    return all(-limit <= value <= limit for value in values)


def _listed(state: State, found: Floats, hour: int) -> tuple[PlaceThreat, ...]:
    """Return the findings as messages: assets in config order, then zones, most probable first, then by id."""
    assets = state.index.assets
    order = np.lexsort((state.index.name_rank[found[assets:, PLACE].astype(np.int64)], -found[assets:, PROBABILITY]))
    found = np.concatenate((found[:assets], found[assets:][order]))
    people = state.people[hour]
    listed = []
    for number, probability, distance_m, clearance_m, exposed, casualties in found.tolist():
        i = int(number)
        place = state.places[i]
        listed.append(
            PlaceThreat(
                kind=place.kind,
                place=place.id,
                probability=probability,
                distance_m=distance_m,
                clearance_m=clearance_m,
                people=people[i],
                exposed=exposed,
                casualties=casualties,
            )
        )
    return tuple(listed)
