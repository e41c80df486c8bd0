"""Reading a study file of `opencram study`: see `docs/study.md` for its language.

As with a site file, a wrong one is answered with every fault in it at once.  What its settings do to the
scenario and the site is judged by the readers of those, when the study is prepared.
"""

from pathlib import Path
from typing import Final, cast

from opencram.config.distributions import read_distribution
from opencram.config.document import parse_toml, raise_faults, read_text, sha256_of
from opencram.config.overlay import PathError, words_of
from opencram.config.study_model import (
    Area,
    Case,
    Design,
    Distribution,
    Draw,
    Factor,
    RaidEnd,
    Salvo,
    Stop,
    StudyFile,
    Words,
)
from opencram.config.table import (
    FINITE,
    NOT_NEGATIVE,
    POSITIVE,
    PROBABILITY,
    Findings,
    Limits,
    Table,
    as_number,
    place_of,
)

DESIGNS: Final = ("grid", "one_at_a_time", "latin_hypercube", "sobol")
RUNS_MAX: Final = 1_000_000
LEVELS_MAX: Final = 1000
_SEED: Final = Limits(at_least=0, at_most=2**63 - 1)
_RUNS: Final = Limits(at_least=1, at_most=RUNS_MAX)
_BLOCK: Final = Limits(at_least=1, at_most=10_000)
_POINTS: Final = Limits(at_least=1, at_most=4096)
_CONFIDENCE: Final = Limits(at_least=0.5, below=1.0)
_SHARE: Final = Limits(at_least=0.0, below=1.0)
_ENU_M: Final = Limits(at_least=-200_000.0, at_most=200_000.0)
_PATH: Final = 'name the key to set: "scenario.weather.wind_east_m_s", "site.policy.protect"'


def load_study(path: str | Path) -> StudyFile:
    """Return the study that the file at `path` describes; raise `ConfigError` with all faults."""
    path = Path(path)
    return parse_study(read_text(path), path)


def parse_study(text: str, path: str | Path) -> StudyFile:
    """Return the study that `text` describes; its scenario is looked for beside `path`."""
    path = Path(path)
    findings = Findings()
    root = Table(parse_toml(text, path), "$", findings)
    head = root.table("study", 'begin the file with [study] and scenario = "scenario.toml"', required=True)
    head = head or Table({}, "$.study", Findings())
    scenario = head.string("scenario", 'give the scenario file, relative to this one: scenario = "scenario.toml"')
    design = head.choice("design", DESIGNS, "say how the factors are combined", default="grid")
    names = head.array("measures", 'give the names of measures to report: ["leakers", "casualties"]', required=False)
    factors = tuple(_factor(each, design) for each in root.tables("factor", "write each factor under [[factor]]"))
    raid, consent = _raid(root.table("raid", "write [raid] once"))
    study = StudyFile(
        name=head.string("name", "give the study a name", default=path.stem),
        scenario_path=(path.parent / scenario).absolute(),
        seed=head.integer("seed", _SEED, "give a whole number: the same seed gives the same study", default=0),
        runs=head.integer("runs", _RUNS, "give the number of runs of each alternative, at most, if it may stop early"),
        block=head.integer("block", _BLOCK, "give the runs between two looks at the stopping rule", default=50),
        common=_boolean(head, "common_random_numbers", default=True),
        confidence=head.number("confidence", _CONFIDENCE, "give the level of the intervals", default=0.95),
        measures=tuple(str(name) for name in names),
        salvos=tuple(_salvo(each) for each in root.tables("salvo", "write each salvo under [[salvo]]")),
        draws=tuple(_draw(each) for each in root.tables("draw", "write each thing drawn under [[draw]]")),
        factors=factors,
        design=cast(Design, design),
        points=head.integer("points", _POINTS, "give the number of points of the design", default=16),
        stop=_stop(root.table("stop", "write [stop] once")),
        raid=raid,
        consent=consent,
        safe_share=head.number("safe_share", _SHARE, "give the share of runs drawn without it", default=0.1),
        text=text,
        sha256=sha256_of(text),
    )
    head.done()
    root.done()
    _judge_names(study, findings)
    _judge_design(study, findings)
    raise_faults(path, findings)
    return study


def _boolean(table: Table, key: str, *, default: bool) -> bool:
    table.knows(key)
    value = table.values.get(key, default)
    if not isinstance(value, bool):
        table.fault(key, value, "must be true or false", "write it without quotation marks")
        return default
    return value


def _salvo(table: Table) -> Salvo:
    elevation = read_distribution(table, "elevation_deg", "give degrees above the horizontal", required=False)
    speed = read_distribution(table, "speed_m_s", "give metres per second at launch, or at burn-out", required=False)
    if (elevation is None) == (speed is None):
        table.here("exactly one of elevation_deg and speed_m_s must stand here", "the simulation solves for the other")
    kind = read_distribution(table, "class", 'say what is launched: "rocket", or { choice = ["rocket", "mortar"] }')
    if kind is not None and kind.kind not in ("fixed", "choice"):
        table.fault("class", table.values["class"], "must be a name or a choice of names", 'write "rocket"')
    salvo = Salvo(
        name=table.string("name", "give the salvo a name: its random numbers go by it"),
        probability=table.number("probability", PROBABILITY, "give how often there is such a salvo", default=1.0),
        count=_whole(table, "count", "give the number of rounds", 1.0),
        time_s=_distribution(table, "time_s", "give the seconds after the start", None),
        interval_s=_distribution(table, "interval_s", "give the seconds between rounds", 0.0),
        class_name=kind or _always("rocket"),
        launch_areas=_areas(table, "from", "say where it leaves"),
        aim_areas=_areas(table, "aim", "say where its rounds fall"),
        elevation_deg=elevation,
        speed_m_s=speed,
        coefficient_factor=_distribution(
            table, "ballistic_coefficient_factor", "give what the usual coefficient of the class is multiplied by", 1.0
        ),
    )
    table.done()
    return salvo


def _always(value: object) -> Distribution:
    return Distribution(kind="fixed", values=(value,))


def _distribution(table: Table, key: str, remedy: str, default: float | None) -> Distribution:
    read = read_distribution(table, key, remedy, required=default is None)
    if read is not None and read.kind != "fixed" and not _gives_numbers(read):
        table.fault(key, table.values[key], "must give numbers", remedy)
    elif read is not None and read.kind == "fixed" and as_number(read.values[0]) is None:
        table.fault(key, table.values[key], "must be a number or a distribution", remedy)
    return read or _always(0.0 if default is None else default)


def _gives_numbers(distribution: Distribution) -> bool:
    return distribution.kind != "choice" or all(as_number(each) is not None for each in distribution.values)


def _whole(table: Table, key: str, remedy: str, default: float) -> Distribution:
    read = _distribution(table, key, remedy, default)
    if read.kind not in ("fixed", "integers", "poisson", "choice"):
        table.fault(key, table.values[key], "must give whole numbers", "use integers, poisson or choice")
    return read


def _areas(table: Table, key: str, remedy: str) -> tuple[Area, ...]:
    example = f"{remedy}: {key} = [{{ east_m = 7600.0, north_m = 900.0, radius_m = 300.0 }}]"
    found = []
    for index, item in enumerate(table.array(key, example)):
        place = f"{place_of(table.place, key)}[{index}]"
        if not isinstance(item, dict):
            table.findings.fault(place, item, "must be a table", example)
            continue
        each = Table(item, place, table.findings)
        found.append(
            Area(
                name=each.string("name", "give the area a name", default=f"{index + 1}"),
                east_m=each.number("east_m", _ENU_M, "give metres east of the site"),
                north_m=each.number("north_m", _ENU_M, "give metres north of the site"),
                radius_m=each.number("radius_m", NOT_NEGATIVE, "give the radius of the disc", default=0.0),
                std_m=each.number("std_m", NOT_NEGATIVE, "give the deviation, east and north alike", default=0.0),
                weight=each.number("weight", NOT_NEGATIVE, "give how often against the others", default=1.0),
                sample_weight=each.optional_number("sample_weight", NOT_NEGATIVE, "give how often it is sampled"),
            )
        )
        if "radius_m" in item and "std_m" in item:
            each.here("must not give both radius_m and std_m", "keep one: a disc, or a Gaussian")
        each.done()
    if key in table.values and not sum(area.weight for area in found) > 0.0:
        table.fault(key, table.values[key], "must hold an area with a weight over 0", example)
    _judge_sampled(table, key, [area.weight for area in found], [area.sample_weight for area in found])
    return tuple(found)


def _draw(table: Table) -> Draw:
    name = table.string("name", "give it a name: its random number goes by it")
    cases = tuple(_cases(table, "cases"))
    value = read_distribution(table, "value", "give a distribution: { normal = [0.0, 2.0] }", required=not cases)
    sample = read_distribution(table, "sample", "give the distribution to draw from instead", required=False)
    paths = _paths(table, "set", required=not cases)
    if cases and (value is not None or sample is not None or paths):
        table.here("must not give both cases and a value", "keep one of them")
    if value is not None and sample is not None and "fixed" in (value.kind, sample.kind):
        table.fault("sample", table.values["sample"], "needs a value that varies", "leave it out")
    if sample is not None and value is not None and (sample.kind == "choice") != (value.kind == "choice"):
        table.fault("sample", table.values["sample"], "must be of the kind of the value", "give like distributions")
    if sample is not None and value is not None and sample.kind == "choice" and sample.values != value.values:
        table.fault("sample", table.values["sample"], "must list the same values", "change the weights only")
    _judge_sampled(table, "cases", [case.weight for case in cases], [case.sample_weight for case in cases])
    table.done()
    return Draw(name=name, paths=paths, value=value, sample=sample, cases=cases)


def _judge_sampled(table: Table, key: str, weights: list[float], sampled: list[float | None]) -> None:
    """Note what importance sampling would never draw although it may happen: its estimates would be wrong."""
    if all(each is None for each in sampled):
        return
    if any(each is None for each in sampled):
        table.fault(key, "sample_weight", "must stand in all of them or in none", "give each one a sample_weight")
    elif any(weight > 0.0 and not each for weight, each in zip(weights, sampled, strict=True)):
        limit = "must be over 0 wherever the weight is"
        table.fault(key, "sample_weight", limit, "what may happen must be drawn now and then")


def _factor(table: Table, design: str) -> Factor:
    levels = tuple(_cases(table, "levels"))
    paths = _paths(table, "set", required=not levels)
    name = table.string("name", "give the factor a name", default=".".join(paths[0][-2:]) if paths else None)
    values = table.array("values", "give the values to take: [0.02, 0.05, 0.1]", required=False)
    low = table.optional_number("from", FINITE, "give the lowest value")
    high = table.optional_number("to", FINITE, "give the highest value")
    whole, logarithmic = _boolean(table, "whole", default=False), _boolean(table, "logarithmic", default=False)
    if not levels and values:
        levels = tuple(
            Case(name=str(value), weight=1.0, settings=tuple((path, value) for path in paths)) for value in values
        )
    if not levels and (low is None or high is None):
        table.here("needs levels, or set with values, or set with from and to", "give one of them")
    if low is not None and high is not None and not low < high:
        table.fault("to", high, f"must be > {low:g}", "give the highest value")
    if logarithmic and low is not None and low <= 0.0:
        table.fault("from", low, "must be > 0 on a logarithmic scale", "leave logarithmic out")
    if not levels and design in ("grid", "one_at_a_time") and low is not None:
        table.here(f"a range cannot be taken by the design {design}", "give values, or choose sobol")
    table.done()
    return Factor(
        name=name, levels=levels, paths=paths, low=low or 0.0, high=high or 0.0, whole=whole, logarithmic=logarithmic
    )


def _cases(table: Table, key: str) -> list[Case]:
    remedy = f'give each as {{ name = "…", set = {{ "site.policy.protect" = "people" }} }} under [[…{key}]]'
    found = []
    for index, item in enumerate(table.array(key, remedy, required=False)[:LEVELS_MAX]):
        place = f"{place_of(table.place, key)}[{index}]"
        if not isinstance(item, dict):
            table.findings.fault(place, item, "must be a table", remedy)
            continue
        each = Table(item, place, table.findings)
        settings = each.table("set", remedy)
        found.append(
            Case(
                name=each.string("name", "give it a name", default=f"{index + 1}"),
                weight=each.number("weight", NOT_NEGATIVE, "give how often against the others", default=1.0),
                settings=tuple(
                    (path, value)
                    for text, value in (settings.values.items() if settings else ())
                    if (path := _path(each, "set", text)) is not None
                ),
                removed=_paths(each, "without", required=False),
                sample_weight=each.optional_number("sample_weight", NOT_NEGATIVE, "give how often it is sampled"),
            )
        )
        each.done()
    return found


def _paths(table: Table, key: str, *, required: bool) -> tuple[Words, ...]:
    table.knows(key)
    value = table.values.get(key)
    if isinstance(value, str):
        value = [value]
    elif value is None and not required:
        return ()
    else:
        value = table.array(key, _PATH, required=required)
    return tuple(path for text in value if (path := _path(table, key, text)) is not None)


def _path(table: Table, key: str, text: object) -> Words | None:
    try:
        return words_of(text if isinstance(text, str) else "")
    except PathError as error:
        table.fault(key, text, str(error), _PATH)
        return None


def _stop(table: Table | None) -> Stop | None:
    if table is None:
        return None
    stop = Stop(
        measure=table.string("measure", 'give the measure to watch: "leakers"'),
        width=table.number("width", POSITIVE, "give the half-width of the interval that is narrow enough"),
        relative=_boolean(table, "relative", default=False),
        difference=_boolean(table, "difference", default=False),
        runs_min=table.integer("runs_min", _RUNS, "give the runs before the first look", default=100),
    )
    table.done()
    return stop


def _raid(table: Table | None) -> tuple[RaidEnd, Distribution | None]:
    if table is None:
        return RaidEnd(), None
    whole = _boolean(table, "to_the_end", default=False)
    tail_s = table.number("tail_s", NOT_NEGATIVE, "give the seconds after the last round is down", default=5.0)
    remedy = "give the seconds that an operator takes to consent: { lognormal = [6.0, 0.4] }"
    consent = read_distribution(table, "consent_after_s", remedy, required=False)
    table.done()
    return RaidEnd(tail_s=None if whole else tail_s), consent


def _judge_names(study: StudyFile, findings: Findings) -> None:
    for kind in ("salvo", "draw", "factor"):
        first: dict[str, int] = {}
        for index, each in enumerate(getattr(study, f"{kind}s")):
            if each.name and first.setdefault(each.name, index) != index:
                limit = f"must be unique, but $.{kind}[{first[each.name]}] has it"
                findings.fault(f"$.{kind}[{index}].name", each.name, limit, "give each a name of its own")


def _judge_design(study: StudyFile, findings: Findings) -> None:
    ranges = [index for index, factor in enumerate(study.factors) if not factor.levels]
    if study.design in ("latin_hypercube", "sobol") and not ranges:
        findings.fault("$.study.design", study.design, "needs a factor with from and to", 'use design = "grid"')
    if study.design == "grid":
        count = 1
        for factor in study.factors:
            count *= max(len(factor.levels), 1)
        if count > LEVELS_MAX:
            findings.fault("$.factor", count, f"must give at most {LEVELS_MAX} alternatives", "take fewer levels")
