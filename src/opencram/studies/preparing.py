"""From a study file to its alternatives: each with its documents, its site, and its pipeline.

A `Prepared` study is plain data that can be sent to another process or machine: it needs no file there.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import qmc

from opencram.config.document import parse_toml, read_text, sha256_of
from opencram.config.model import Site
from opencram.config.overlay import Document, PathError, changed, toml_text, without
from opencram.config.scenario import parse_scenario
from opencram.config.scenario_model import Scenario
from opencram.config.site import load_site, parse_site
from opencram.config.study_model import Case, Factor, StudyFile, Words
from opencram.errors import ConfigError, Fault, FileError, OpencramError
from opencram.simulation.streams import stream
from opencram.studies.drawing import Drawn, draw, duration_s, run_seed


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """One combination of the levels of all factors."""

    number: int
    name: str
    levels: tuple[tuple[str, str], ...]  # factor and level
    values: tuple[tuple[str, float], ...]  # of the factors that are ranges or numbers
    scenario: Document
    site: Document
    site_plain: Site  # as it stands where no draw changes it


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A study, ready to be run anywhere."""

    study: StudyFile
    alternatives: tuple[Alternative, ...]
    scenario_sha256: str
    site_sha256: str


def prepare(study: StudyFile) -> Prepared:
    """Return the study with its alternatives, every file of it read; raise `OpencramError` with what is wrong."""
    path = study.scenario_path
    text = read_text(path)
    scenario = parse_toml(text, path)
    site_path = path.parent / str(scenario.get("scenario", {}).get("site", ""))
    parse_scenario(text, path)  # the base must be right by itself: its faults are told as the scenario's own
    base_site = load_site(site_path)
    site = parse_toml(base_site.text, site_path)  # its text holds all that its other files said
    alternatives: list[Alternative] = []
    for number, cases in enumerate(_combinations(study)):
        alternatives.append(_alternative(study, number, cases, scenario, site, base_site))
    prepared = Prepared(
        study=study,
        alternatives=tuple(alternatives),
        scenario_sha256=sha256_of(text),
        site_sha256=base_site.sha256,
    )
    for each in prepared.alternatives:  # a fault in a draw is told now, not after an hour
        scenario_of(prepared, each, draw(study, run_seed(study, 0, each.number)))
    return prepared


def scenario_of(prepared: Prepared, alternative: Alternative, drawn: Drawn) -> Scenario:
    """Return the scenario of a run, read by the scenario's own reader.  Raises `OpencramError`."""
    study = prepared.study
    site = alternative.site_plain
    documents = {"scenario": alternative.scenario, "site": alternative.site}
    if drawn.settings or drawn.removed:
        documents = _settled(documents, drawn.settings, drawn.removed)
    if documents["site"] is not alternative.site:
        site = _site(documents["site"], study)
    document = dict(documents["scenario"])
    head = dict(document.get("scenario", {}))
    if study.salvos:
        document["launch"] = list(drawn.launches)
        head["duration_s"] = duration_s(float(head.get("duration_s", 0.0)), drawn.launches)
    head["seed"] = drawn.seed
    document["scenario"] = head
    _forget_removed_radars(document, site)
    return parse_scenario(toml_text(document), study.scenario_path, site=site)


def scenario_text(prepared: Prepared, alternative: Alternative, run: int, site_file: str) -> tuple[str, str]:
    """Return the scenario file of a run and its site file, as `opencram simulate` takes them."""
    drawn = draw(prepared.study, run_seed(prepared.study, run, alternative.number))
    scenario = scenario_of(prepared, alternative, drawn)
    document = parse_toml(scenario.text, prepared.study.scenario_path)
    document["scenario"]["site"] = site_file
    return toml_text(document), scenario.site.text


# ---- alternatives ---------------------------------------------------------------------------------


def _combinations(study: StudyFile) -> list[tuple[tuple[Factor, Case], ...]]:
    """Return the levels of each alternative, in order: the last factor runs fastest."""
    named = [factor for factor in study.factors if factor.levels]
    ranges = [factor for factor in study.factors if not factor.levels]
    if study.design == "one_at_a_time":
        first = tuple((factor, factor.levels[0]) for factor in named)
        others = [
            tuple((f, level if f is factor else f.levels[0]) for f in named)
            for factor in named
            for level in factor.levels[1:]
        ]
        return [first, *others]
    grid = [tuple(zip(named, levels, strict=True)) for levels in itertools.product(*(f.levels for f in named))]
    if not ranges:
        return grid
    points = _design_points(study, ranges)
    return [tuple(zip(ranges, point, strict=True)) + cases for point in points for cases in grid]


def _design_points(study: StudyFile, ranges: list[Factor]) -> list[tuple[Case, ...]]:
    """Return levels at the points of a design in the unit cube of the ranges."""
    draws = stream(study.seed, "study/design")
    sampler: qmc.QMCEngine
    if study.design == "sobol":
        sampler = qmc.Sobol(len(ranges), scramble=True, rng=draws)
        size = max(study.points - 1, 0).bit_length()
        unit = sampler.random_base2(size)[: study.points]  # balanced where points is a power of two
    else:
        unit = qmc.LatinHypercube(len(ranges), rng=draws).random(study.points)
    return [tuple(_at(factor, float(u)) for factor, u in zip(ranges, row, strict=True)) for row in unit]


def _at(factor: Factor, unit: float) -> Case:
    low, high = factor.low, factor.high
    value = float(low * (high / low) ** unit) if factor.logarithmic else low + unit * (high - low)
    number: float | int = round(value) if factor.whole else float(np.float64(f"{value:.6g}"))
    return Case(name=f"{number:g}", weight=1.0, settings=tuple((path, number) for path in factor.paths))


def _alternative(
    study: StudyFile,
    number: int,
    cases: tuple[tuple[Factor, Case], ...],
    scenario: Document,
    site: Document,
    base_site: Site,
) -> Alternative:
    settings = tuple(setting for _, case in cases for setting in case.settings)
    removed = tuple(words for _, case in cases for words in case.removed)
    try:
        documents = _settled({"scenario": scenario, "site": site}, settings, removed)
    except OpencramError as error:
        name = ", ".join(f"{factor.name} = {case.name}" for factor, case in cases)
        raise FileError(f"alternative {name}: {error}") from error
    plain = base_site if documents["site"] is site else _site(documents["site"], study)
    return Alternative(
        number=number,
        name=", ".join(f"{factor.name} {case.name}" for factor, case in cases) or "base",
        levels=tuple((factor.name, case.name) for factor, case in cases),
        values=tuple((factor.name, value) for factor, case in cases if (value := _number(case)) is not None),
        scenario=documents["scenario"],
        site=documents["site"],
        site_plain=plain,
    )


def _number(case: Case) -> float | None:
    """Return the number that a level stands for, if its settings are one number."""
    values = [value for _, value in case.settings]
    if values and all(isinstance(v, int | float) and not isinstance(v, bool) and v == values[0] for v in values):
        return float(values[0])
    try:
        return float(case.name)
    except ValueError:
        return None


def _settled(
    documents: Mapping[str, Document], settings: tuple[tuple[Words, Any], ...], removed: tuple[Words, ...]
) -> dict[str, Document]:
    """Return the documents with these settings; one that none concerns is handed back itself."""
    result = dict(documents)
    for name in documents:
        mine = [(words[1:], value) for words, value in settings if words[0] == name]
        gone = [words[1:] for words in removed if words[0] == name]
        try:
            if mine:
                result[name] = changed(result[name], mine)
            for words in gone:
                result[name] = without(result[name], words)
        except PathError as error:
            paths = ", ".join(".".join((name, *words)) for words in [*(words for words, _ in mine), *gone])
            fault = Fault(f"setting {paths}", "", str(error), "check it against the file that it changes")
            raise ConfigError("study", [fault]) from error
    return result


def _site(document: Document, study: StudyFile) -> Site:
    return parse_site(toml_text(document), study.scenario_path.with_name("site with the study's settings"))


def _forget_removed_radars(document: Document, site: Site) -> None:
    """Take out what the scenario says of sensors that the alternative has not got."""
    sensors = {sensor.id for sensor in site.sensors}
    if "radar" in document:
        document["radar"] = [radar for radar in document["radar"] if radar.get("sensor") in sensors]
