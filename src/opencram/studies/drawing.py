"""One run's randomness: what is drawn, by name, under the seed of the run.

Each draw takes its number from the stream of its own name, each round of a salvo from its own.  So another draw,
another radar or a longer salvo changes nobody else's number, and the same run of two alternatives is the same raid.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from opencram.config.overlay import Document
from opencram.config.study_model import Area, Case, Draw, Salvo, StudyFile, Words
from opencram.simulation.classes import usual_round
from opencram.simulation.streams import stream
from opencram.studies.distributions import chosen, log_density, value_of

_FLIGHT_S_MAX = 300.0  # nothing of the classes flies longer: a scenario must last until all is down
LAUNCHES_MAX = 1000


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What one run drew: settings of the documents, launches, and the weight of the run.

    `weight` is the likelihood ratio of what was drawn, 1 without importance sampling.
    """

    seed: int
    settings: tuple[tuple[Words, Any], ...] = ()
    removed: tuple[Words, ...] = ()
    launches: tuple[Document, ...] = ()
    values: Mapping[str, float | str | bool] = field(default_factory=dict)
    weight: float = 1.0


def run_seed(study: StudyFile, run: int, alternative: int) -> int:
    """Return the seed of a run: the same in every alternative where random numbers are common to them."""
    name = f"{study.seed}/run/{run}" if study.common else f"{study.seed}/run/{run}/alternative/{alternative}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little") >> 1


def draw(study: StudyFile, seed: int) -> Drawn:
    """Return what the run of this seed draws."""
    tilted = has_importance(study) and _uniform(seed, "importance") >= study.safe_share
    settings: list[tuple[Words, Any]] = []
    removed: list[Words] = []
    values: dict[str, float | str | bool] = {}
    ratio = 0.0  # logarithm of the density of what was drawn over that under which a tilted run draws it
    for each in study.draws:
        value, settled, log_ratio = _drawn(each, _uniform(seed, f"draw/{each.name}"), tilted=tilted)
        ratio += log_ratio
        if isinstance(settled, Case):
            settings += settled.settings
            removed += settled.removed
        else:
            settings += [(path, settled) for path in each.paths]
        values[each.name] = value
    launches: list[Document] = []
    for salvo in study.salvos:
        rounds, log_ratio, said = _salvo(salvo, seed, tilted=tilted)
        launches += rounds[: LAUNCHES_MAX - len(launches)]
        ratio += log_ratio
        values |= said
    return Drawn(
        seed=seed,
        settings=tuple(settings),
        removed=tuple(removed),
        launches=tuple(launches),
        values=values,
        weight=_weight(study, ratio),
    )


def has_importance(study: StudyFile) -> bool:
    """Return whether anything is drawn otherwise than it happens."""
    areas = [area for salvo in study.salvos for area in (*salvo.aim_areas, *salvo.launch_areas)]
    cases = [case for each in study.draws for case in each.cases]
    weights = [area.sample_weight for area in areas] + [case.sample_weight for case in cases]
    return any(each.sample is not None for each in study.draws) or any(each is not None for each in weights)


def duration_s(base_s: float, launches: tuple[Document, ...]) -> float:
    """Return how long a scenario with these launches must last."""
    return max([base_s, *(float(each["time_s"]) + _FLIGHT_S_MAX for each in launches)])


def _weight(study: StudyFile, log_ratio: float) -> float:
    """Return the weight of a run: its density over that of safe and tilted runs mixed, at most 1 / safe_share."""
    if not has_importance(study):
        return 1.0
    safe = study.safe_share
    return 1.0 / (safe + (1.0 - safe) * math.exp(min(-log_ratio, 700.0)))


def _drawn(what: Draw, uniform: float, *, tilted: bool) -> tuple[Any, Any, float]:
    """Return the value to keep, the value or case to set, and the logarithm of its density over the tilted one."""
    if what.cases:
        weights = tuple(case.weight for case in what.cases)
        sampled = tuple(case.weight if case.sample_weight is None else case.sample_weight for case in what.cases)
        index = chosen(sampled if tilted else weights, uniform)
        return what.cases[index].name, what.cases[index], _log_ratio(weights, sampled, index)
    assert what.value is not None
    sample = what.value if what.sample is None else what.sample
    value = value_of(sample if tilted else what.value, uniform)
    ratio = 0.0 if what.sample is None else log_density(what.value, value) - log_density(what.sample, value)
    return _plain(value), value, ratio


def _salvo(salvo: Salvo, seed: int, *, tilted: bool) -> tuple[list[Document], float, dict[str, Any]]:
    """Return the launches of a salvo, the logarithm of their density ratio, and what is told of it."""
    name = f"salvo/{salvo.name}"
    present = _uniform(seed, f"{name}/probability") < salvo.probability
    count = int(value_of(salvo.count, _uniform(seed, f"{name}/count"))) if present else 0
    said: dict[str, Any] = {f"{salvo.name}.count": max(count, 0)}
    if count <= 0:
        return [], 0.0, said
    first_s = max(float(value_of(salvo.time_s, _uniform(seed, f"{name}/time_s"))), 0.0)
    interval_s = max(float(value_of(salvo.interval_s, _uniform(seed, f"{name}/interval_s"))), 0.0)
    class_name = str(value_of(salvo.class_name, _uniform(seed, f"{name}/class")))
    uniforms = _uniforms(seed, f"{name}/from", 3)
    start, ratio = _area(salvo.launch_areas, uniforms[0], tilted=tilted)
    east, north = _place(start, uniforms[1], uniforms[2])
    said |= {f"{salvo.name}.class": class_name, f"{salvo.name}.from": start.name}
    launches = []
    for k in range(min(count, LAUNCHES_MAX)):
        numbers = _uniforms(seed, f"{name}/round/{k}", 5)
        aim, log_ratio = _area(salvo.aim_areas, numbers[0], tilted=tilted)
        ratio += log_ratio
        aim_east, aim_north = _place(aim, numbers[1], numbers[2])
        launches.append(
            {
                "name": f"{salvo.name} {k + 1}",
                "time_s": first_s + k * interval_s,
                "class": class_name,
                "east_m": east,
                "north_m": north,
                "aim_east_m": aim_east,
                "aim_north_m": aim_north,
                **_free(salvo, numbers[3]),
                "ballistic_coefficient_kg_m2": _coefficient(salvo, class_name, numbers[4]),
            }
        )
    return launches, ratio, said


def _free(salvo: Salvo, uniform: float) -> Document:
    if salvo.elevation_deg is not None:
        return {"elevation_deg": float(value_of(salvo.elevation_deg, uniform))}
    assert salvo.speed_m_s is not None
    return {"speed_m_s": float(value_of(salvo.speed_m_s, uniform))}


def _coefficient(salvo: Salvo, class_name: str, uniform: float) -> float:
    try:
        usual = usual_round(class_name).ballistic_coefficient_kg_m2
    except KeyError:  # the reader of the scenario will say so better
        usual = 1000.0
    return usual * float(value_of(salvo.coefficient_factor, uniform))


def _area(areas: tuple[Area, ...], uniform: float, *, tilted: bool) -> tuple[Area, float]:
    weights = tuple(area.weight for area in areas)
    sampled = tuple(area.weight if area.sample_weight is None else area.sample_weight for area in areas)
    index = chosen(sampled if tilted else weights, uniform)
    return areas[index], _log_ratio(weights, sampled, index)


def _log_ratio(weights: tuple[float, ...], sampled: tuple[float, ...], index: int) -> float:
    if weights == sampled:
        return 0.0
    share = weights[index] / sum(weights)
    return math.log(share * sum(sampled) / sampled[index]) if share > 0.0 else -math.inf


def _place(area: Area, a: float, b: float) -> tuple[float, float]:
    """Return a point of the area from two uniform numbers: Box and Muller's, or the disc's own."""
    radius = area.radius_m * math.sqrt(a) if area.std_m == 0.0 else area.std_m * math.sqrt(-2.0 * math.log(a))
    turn = 2.0 * math.pi * b
    return area.east_m + radius * math.cos(turn), area.north_m + radius * math.sin(turn)


def _uniform(seed: int, name: str) -> float:
    return _uniforms(seed, name, 1)[0]


def _uniforms(seed: int, name: str, count: int) -> list[float]:
    """Return uniform numbers of (0, 1), open at both ends."""
    bits = stream(seed, f"study/{name}").integers(1, 2**53, count)
    return [float(x) for x in bits.astype(np.float64) * 2.0**-53]


def _plain(value: Any) -> float | str | bool:
    return value if isinstance(value, str | bool | int | float) else repr(value)
