"""A study's result: read from its Parquet file, with every figure and its interval, for notebooks and reports."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from opencram.errors import FileError, OpencramError
from opencram.studies.intervals import Estimate, effective_runs
from opencram.studies.measures import (
    BY_NAME,
    MEASURES,
    Columns,
    Measure,
    difference,
    estimate,
    saturation,
    variance_ratio,
    worst_zone,
)
from opencram.studies.rows import APPROACH_S, COURSE_S, QUANTITIES
from opencram.studies.store import FORMAT, need_pyarrow

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow
    import xarray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class AlternativeInfo:
    """One combination of the factors' levels, and how many runs of it count."""

    number: int
    name: str
    levels: Mapping[str, str]
    values: Mapping[str, float]
    runs: int


@dataclass(frozen=True)
class Effect:
    """What a level of a factor changes against the factor's first, all else and every raid being the same."""

    factor: str
    base: str
    level: str
    measure: str
    change: Estimate


@dataclass(frozen=True)
class StudyResult:
    """A study, flown.  Every method gives figures with intervals at the study's own confidence."""

    path: Path
    name: str
    version: str
    seed: int
    confidence: float
    study_toml: str
    study_sha256: str
    scenario_sha256: str
    site_sha256: str
    alternatives: tuple[AlternativeInfo, ...]
    zone_names: Mapping[str, str]
    polygons: Mapping[str, Mapping[str, Sequence[Sequence[float]]]]  # of "zones" and "assets": longitude, latitude, deg
    reported: tuple[str, ...]

    @cached_property
    def columns(self) -> tuple[Columns, ...]:
        """The rows of each alternative, by column."""
        return tuple(_columns(self.path, each) for each in self.alternatives)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The measures to report: those that the study file names, or all that have anything to tell."""
        if self.reported:
            return tuple(BY_NAME[name] for name in self.reported)
        return tuple(
            each for each in MEASURES if any(self.estimate(each.name, k.number).runs for k in self.alternatives)
        )

    def alternative(self, which: int | str) -> AlternativeInfo:
        """Return an alternative by number or name."""
        for each in self.alternatives:
            if which in (each.number, each.name):
                return each
        names = "; ".join(each.name for each in self.alternatives)
        raise OpencramError(f"no alternative is called {which!r}; there are: {names}")

    def estimate(self, measure: str, alternative: int | str = 0) -> Estimate:
        """Return a measure of an alternative."""
        number = self.alternative(alternative).number
        known: dict[tuple[str, int], Estimate] = self._known
        if (measure, number) not in known:
            known[measure, number] = estimate(_named(measure), self.columns[number], self.confidence)
        return known[measure, number]

    def difference(self, measure: str, alternative: int | str, base: int | str = 0) -> Estimate:
        """Return how much more an alternative has of a measure than the base, raid by raid."""
        first, second = self.alternative(base).number, self.alternative(alternative).number
        return difference(_named(measure), self.columns[first], self.columns[second], self.confidence)

    def variance_ratio(self, measure: str, alternative: int | str, base: int | str = 0) -> float:
        """Return how many times more runs the difference would need without common random numbers."""
        first, second = self.alternative(base).number, self.alternative(alternative).number
        return variance_ratio(_named(measure), self.columns[first], self.columns[second])

    def effects(self, measure: str) -> list[Effect]:
        """Return what each level of each factor changes, over all alternatives that differ in it alone."""
        found = []
        for factor in dict.fromkeys(name for each in self.alternatives for name in each.levels):
            levels = list(dict.fromkeys(each.levels[factor] for each in self.alternatives))
            if len(levels) > len(self.alternatives) // 2 and len(levels) > 8:
                continue  # a range: its points are told as a curve
            for level in levels[1:]:
                pairs = self._pairs(factor, levels[0], level)
                if pairs:
                    change = _pooled(
                        _named(measure), [(self.columns[a], self.columns[b]) for a, b in pairs], self.confidence
                    )
                    found.append(Effect(factor, levels[0], level, measure, change))
        return found

    def saturation(self, measure: str, factor: str, level: float) -> Estimate:
        """Return the value of a swept factor at which a measure first reaches a level."""
        swept = [each for each in self.alternatives if factor in each.values]
        return saturation(
            [each.values[factor] for each in swept], [self.estimate(measure, each.number) for each in swept], level
        )

    def worst_zone(self, alternative: int | str = 0) -> tuple[str, float] | None:
        """Return the zone with the shortest median warning, and that median (s)."""
        return worst_zone(self.columns[self.alternative(alternative).number])

    def effective_runs(self, alternative: int | str = 0) -> float:
        """Return how many runs of equal weight those of an alternative are worth."""
        return effective_runs(self.columns[self.alternative(alternative).number].weights)

    @property
    def failed(self) -> int:
        """Runs that could not be flown: they are in the file with their reason, and in no figure."""
        return sum(columns.failed for columns in self.columns)

    def table(self) -> list[dict[str, Any]]:
        """Return every measure of every alternative, a record each."""
        return [
            {
                "alternative": each.name,
                **each.levels,
                "measure": measure.name,
                "unit": measure.unit,
                "value": (found := self.estimate(measure.name, each.number)).value,
                "low": found.low,
                "high": found.high,
                "runs": found.runs,
            }
            for measure in self.measures
            for each in self.alternatives
        ]

    # ---- other people's tables --------------------------------------------------------------------

    def to_arrow(self) -> "pyarrow.Table":
        """Return the rows as they stand in the file."""
        import pyarrow.parquet as pq

        return pq.read_table(self.path)

    def to_pandas(self) -> "pandas.DataFrame":
        """Return the rows, one a run."""
        return self.to_arrow().to_pandas()

    def to_polars(self) -> "polars.DataFrame":
        """Return the rows, one a run."""
        import polars

        return polars.read_parquet(self.path)

    def to_xarray(self) -> "xarray.Dataset":
        """Return the quantities by alternative and run; NaN where a run is missing."""
        import xarray

        count = max((each.runs for each in self.alternatives), default=0)
        data = {name: np.full((len(self.alternatives), count), math.nan) for name in (*QUANTITIES, "weight")}
        for number, columns in enumerate(self.columns):
            for name in QUANTITIES:
                data[name][number, columns.runs] = columns.quantities[name]
            data["weight"][number, columns.runs] = columns.weights
        names = [each.name for each in self.alternatives]
        return xarray.Dataset(
            {name: (("alternative", "run"), values) for name, values in data.items()},
            coords={"alternative": names, "run": np.arange(count)},
            attrs={"study": self.name, "seed": self.seed, "opencram_version": self.version},
        )

    def _repr_html_(self) -> str:
        heads = "".join(f"<th>{escape(each.name)}</th>" for each in self.alternatives)
        lines = "".join(
            f"<tr><th style='text-align:left'>{escape(m.name)}</th>"
            + "".join(f"<td>{escape(str(self.estimate(m.name, each.number)))}</td>" for each in self.alternatives)
            + f"<td>{escape(m.unit)}</td></tr>"
            for m in self.measures
        )
        share = f"{100 * self.confidence:g} %"
        runs = sum(each.runs for each in self.alternatives)
        return (
            f"<p><b>{escape(self.name)}</b>: {runs} raids, intervals of {share}, seed {self.seed}</p>"
            f"<table><tr><th></th>{heads}<th></th></tr>{lines}</table>"
        )

    @cached_property
    def _known(self) -> dict[tuple[str, int], Estimate]:
        return {}

    def _pairs(self, factor: str, base: str, level: str) -> list[tuple[int, int]]:
        """Return the alternatives that differ in this factor only, by these two levels."""

        def rest(each: AlternativeInfo) -> tuple[tuple[str, str], ...]:
            return tuple((name, value) for name, value in each.levels.items() if name != factor)

        bases = {rest(each): each.number for each in self.alternatives if each.levels[factor] == base}
        others = [each for each in self.alternatives if each.levels[factor] == level and rest(each) in bases]
        return [(bases[rest(each)], each.number) for each in others]


def load_result(path: str | Path) -> StudyResult:
    """Return the result in a Parquet file that a study wrote; raise `FileError` for any other."""
    need_pyarrow()
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(path)
    try:
        raw = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowInvalid) as error:
        raise FileError(f"{path}: cannot be read as a result of a study ({error}); give the .parquet file") from error
    said = {key.decode(): value.decode() for key, value in raw.items()}
    if said.get("format") != FORMAT:
        raise FileError(
            f"{path}: is no result of a study of this version ({FORMAT}); make it again with opencram study"
        )
    return StudyResult(
        path=path,
        name=said["name"],
        version=said["opencram_version"],
        seed=int(said["seed"]),
        confidence=float(said["confidence"]),
        study_toml=said["study_toml"],
        study_sha256=said["study_sha256"],
        scenario_sha256=said["scenario_sha256"],
        site_sha256=said["site_sha256"],
        alternatives=tuple(
            AlternativeInfo(number, each["name"], each["levels"], each["values"], each["runs"])
            for number, each in enumerate(json.loads(said["alternatives"]))
        ),
        zone_names=json.loads(said["zones"]),
        polygons=json.loads(said["polygons"]),
        reported=tuple(json.loads(said["measures"])),
    )


def _named(measure: str) -> Measure:
    if measure not in BY_NAME:
        raise OpencramError(f"no measure is called {measure!r}; there are: {', '.join(BY_NAME)}")
    return BY_NAME[measure]


def _pooled(measure: Measure, pairs: Sequence[tuple[Columns, Columns]], confidence: float) -> Estimate:
    """Return the mean of the paired differences of several pairs, run by run: one raid is one draw in all of them."""
    first, second = (_averaged([pair[side] for pair in pairs], measure) for side in (0, 1))
    return difference(
        replace(measure, kind="mean") if measure.kind == "share_of_raids" else measure, first, second, confidence
    )


def _averaged(many: Sequence[Columns], measure: Measure) -> Columns:
    """Return columns with the mean of a measure's parts over several alternatives, for the runs that all have."""
    runs = many[0].runs
    for each in many[1:]:
        runs = np.intersect1d(runs, each.runs, assume_unique=True)
    places = [np.searchsorted(each.runs, runs) for each in many]
    nothing = np.empty(0)
    parts = {}
    for name in filter(None, (measure.above, measure.below)):
        values = [each.quantities[name][at] for each, at in zip(many, places, strict=True)]
        if measure.kind == "share_of_raids":
            values = [(each > 0.0).astype(np.float64) for each in values]
        parts[name] = np.mean(values, axis=0)
    return Columns(
        runs=runs,
        weights=many[0].weights[places[0]],
        quantities=parts,
        lead_s=nothing,
        lead_owner=nothing.astype(np.int64),
        lead_zone=(),
        error_m=nothing,
        error_to_go_s=nothing.astype(np.int64),
        error_owner=nothing.astype(np.int64),
    )


def _columns(path: Path, which: AlternativeInfo) -> Columns:
    import pyarrow.parquet as pq

    table = pq.read_table(path, filters=[("alternative", "=", which.number)])
    flown = np.array([error is None for error in table.column("error").to_pylist()], dtype=bool)
    zones = [each for each, good in zip(table.column("zones").to_pylist(), flown, strict=True) if good]
    impacts = [each for each, good in zip(table.column("impacts").to_pylist(), flown, strict=True) if good]
    leads = [
        (k, z["zone"], -math.inf if z["lead_s"] is None else z["lead_s"]) for k, row in enumerate(zones) for z in row
    ]
    errors = [(k, i["to_go_s"], i["error_m"]) for k, row in enumerate(impacts) for i in row]
    return Columns(
        runs=table.column("run").to_numpy()[flown].astype(np.int64),
        weights=table.column("weight").to_numpy()[flown],
        quantities={name: table.column(name).to_numpy()[flown] for name in QUANTITIES},
        lead_s=np.array([lead for *_, lead in leads], dtype=np.float64),
        lead_owner=np.array([k for k, *_ in leads], dtype=np.int64),
        lead_zone=[zone for _, zone, _ in leads],
        error_m=np.array([error for *_, error in errors], dtype=np.float64),
        error_to_go_s=np.array([to_go for _, to_go, _ in errors], dtype=np.int64),
        error_owner=np.array([k for k, *_ in errors], dtype=np.int64),
        failed=int(np.count_nonzero(~flown)),
        course=_over_time(table, flown, "course", "s", COURSE_S, ("alarmed_people", "tracks")),
        approach=_over_time(table, flown, "approach", "to_go_s", APPROACH_S, ("error_m", "ellipse_m")),
    )


def _over_time(
    table: "pyarrow.Table", flown: Flags, column: str, clock: str, at_s: Sequence[int], names: Sequence[str]
) -> dict[str, Floats]:
    """Return what a list column tells at each second, (runs, seconds) by name; nothing where a file is without it."""
    if column not in table.column_names:
        return {}
    place = {s: k for k, s in enumerate(at_s)}
    found = {name: np.full((int(flown.sum()), len(at_s)), math.nan) for name in names}
    told = [each for each, good in zip(table.column(column).to_pylist(), flown, strict=True) if good]
    for k, row in enumerate(told):
        for each in row:
            if each[clock] in place:
                for name in names:
                    found[name][k, place[each[clock]]] = each[name]
    return found
