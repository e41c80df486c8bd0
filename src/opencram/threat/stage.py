"""Impacts → threats: for each predicted impact, what it means for every asset and for the zones near it.

The Gaussian mixture of the impact is integrated over each polygon widened by the hazard radius, exactly
(`dilation`, `gaussian`); zones are found through a grid (`index`).  What is exact and what is an
approximation on the safe side stands with `assess` and `clearance`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from opencram.messages import Impact, Message, PlaceKind, PlaceThreat, Rejected, Threat
from opencram.threat.arrays import Floats
from opencram.threat.assess import FINDING_SIZE, HEAD_SIZE, PART_SIZE, TOLD_END, TOLD_SIZE, assess_impacts
from opencram.threat.config import Config
from opencram.threat.index import NUMBER, Index, build, ordered

_TIME_S_STD_MAX = 1e4
_TOGETHER = 64  # impacts that are assessed at once


@dataclass(frozen=True)
class State:
    """What the stage works with, all of it known from the start: the places in order, and their index."""

    kinds: tuple[PlaceKind, ...]
    ids: tuple[str, ...]
    index: Index = field(repr=False, compare=False)
    people: tuple[tuple[int, ...], ...] = field(repr=False)  # by hour of the day and place


def initial(config: Config) -> State:
    """Return the state before the first message; building the index of 10 000 zones takes about a second."""
    assert 0.0 <= config.hazard_radius_m < math.inf
    assert config.components_max >= 1
    index = build(config)
    there = np.empty(index.people.shape[:2])
    there[:, index.spans[:, NUMBER]] = index.people[:, :, 0]
    by_hour = tuple(tuple(round(float(each)) for each in row) for row in there)
    places = ordered(config)
    kinds, ids = tuple(place.kind for place in places), tuple(place.id for place in places)
    return State(kinds=kinds, ids=ids, index=index, people=by_hour)


def step(config: Config, state: State, batch: Sequence[Message]) -> tuple[State, list[Message]]:
    """Return a `Threat` for each `Impact` of the batch, in its order; other messages are passed over.

    An impact without one usable place of landing is answered by a `Rejected` (code "nan"), one with more
    components than the limit by a `Rejected` (code "limit") beside its threat.
    """
    impacts = [message for message in batch if type(message) is Impact]
    out: list[Message] = []
    for first in range(0, len(impacts), _TOGETHER):
        out += _threats(config, state, impacts[first : first + _TOGETHER])
    return state, out


def _threats(config: Config, state: State, impacts: Sequence[Impact]) -> list[Message]:
    heads: list[float] = []
    parts: list[float] = []
    part_start, hours = [0], []
    for impact in impacts:
        hour = int((impact.t_ns / 3.6e12 + config.hours_ahead_of_utc) % 24.0) % 24
        hours.append(hour)
        east_m, north_m, _ = impact.position_enu_m
        heads += (impact.projectile_probability, east_m, north_m, *impact.covariance_enu_m2, hour)
        for part in impact.components:
            parts += (part.probability, part.east_m, part.north_m, *part.covariance_m2)
        part_start.append(len(parts) // PART_SIZE)
    found = np.empty((FINDING_SIZE, len(impacts) * len(state.ids)))
    told = np.empty((len(impacts), TOLD_SIZE))
    assess_impacts(
        *state.index,
        np.array(heads, dtype=np.float64).reshape(-1, HEAD_SIZE),
        np.array(parts, dtype=np.float64).reshape(-1, PART_SIZE),
        np.array(part_start),
        np.array((config.zone_probability_min, config.components_max)),
        found,
        told,
    )
    return _said(config, state, impacts, hours, found, told)


def _said(
    config: Config, state: State, impacts: Sequence[Impact], hours: Sequence[int], found: Floats, told: Floats
) -> list[Message]:
    """Return the findings as messages."""
    rows: list[list[float]] = told.tolist()
    columns: list[list[float]] = found[:, : int(rows[-1][TOLD_END])].tolist()
    findings = zip(map(int, columns[0]), *columns[1:], strict=True)
    hazard_radius_m = state.index.hazard_radius_m
    kinds, ids = state.kinds, state.ids
    out: list[Message] = []
    begin = 0
    for impact, hour, row in zip(impacts, hours, rows, strict=True):
        components, end, exposed, casualties, std_m = row
        length, begin = int(end) - begin, int(end)
        if components == 0.0:
            reason = f"threat: the impact of track {impact.track_id} has no finite position or covariance"
            out.append(Rejected(t_ns=impact.t_ns, reason=reason, code="nan"))
            continue
        if components > config.components_max:
            reason = (
                f"threat: the impact of track {impact.track_id} has {components:.0f} components; "
                f"the {config.components_max} most probable are used (components_max)"
            )
            out.append(Rejected(t_ns=impact.t_ns, reason=reason, code="limit"))
        people = state.people[hour]
        time_s_std = impact.impact_time_s_std
        out.append(
            Threat(
                t_ns=impact.t_ns,
                track_id=impact.track_id,
                impact_t_ns=impact.impact_t_ns,
                impact_time_s_std=time_s_std if 0.0 <= time_s_std <= _TIME_S_STD_MAX else 0.0,
                hazard_radius_m=hazard_radius_m,
                places=tuple(
                    [
                        PlaceThreat(
                            kind=kinds[i],
                            place=ids[i],
                            probability=probability,
                            distance_m=distance_m,
                            clearance_m=clearance_m,
                            people=people[i],
                            exposed=here_exposed,
                            casualties=here_casualties,
                        )
                        for i, probability, distance_m, clearance_m, here_exposed, here_casualties in islice(
                            findings, length
                        )
                    ]
                ),
                expected_exposed=exposed,
                expected_casualties=casualties,
                impact_m_std=std_m,
            )
        )
    return out
