"""Plans, bounds, evaluations and the register of raids as calls."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from opencram.api.tables import Table, table_of
from opencram.config.plan import load_plan
from opencram.errors import UsageError
from opencram.evaluation import cases
from opencram.evaluation.cases import Worked
from opencram.evaluation.scoring import Scored, scored
from opencram.register import telling
from opencram.register.model import Raid, Report
from opencram.register.output import export, picture, records
from opencram.register.store import Filter, opened
from opencram.runtime.shell import console, warm
from opencram.siting import output
from opencram.siting.planning import Plan, SitingMap, with_step, work_out

if TYPE_CHECKING:
    import pandas
    import polars
    import xarray
    from matplotlib.figure import Figure


class _Tabular:
    """A result with one table."""

    @property
    def table(self) -> Table:
        raise NotImplementedError

    def to_pandas(self) -> "pandas.DataFrame":
        """Return the table as a pandas frame."""
        return self.table.to_pandas()

    def to_polars(self) -> "polars.DataFrame":
        """Return the table as a polars frame."""
        return self.table.to_polars()

    def to_xarray(self) -> "xarray.Dataset":
        """Return the table as a dataset."""
        return self.table.to_xarray()


@dataclass(frozen=True)
class Siting(_Tabular):
    """A plan worked out: the map, and what was chosen."""

    plan: Plan

    @cached_property
    def table(self) -> Table:
        """A row for each cell of the map that is shown, from the south-west: its middle (m, site ENU), all layers."""
        grid = output.shown(self.plan)
        east, north = np.meshgrid(grid.cells.east_m, grid.cells.north_m)
        layers = {name: values.ravel() for name, values in grid.layers.items()}
        return Table({"east_m": east.ravel(), "north_m": north.ravel(), "people": grid.people.ravel(), **layers})

    def to_xarray(self) -> "xarray.Dataset":
        """Return the layers by `placed` (0: as it stands, 1: with what was chosen), `north_m` and `east_m`."""
        import xarray

        maps: list[SitingMap] = [self.plan.now, *([self.plan.then] if self.plan.then is not None else [])]
        data = {
            name: (("placed", "north_m", "east_m"), np.stack([each.layers[name] for each in maps]))
            for name in self.plan.now.layers
        }
        cells = self.plan.now.cells
        return xarray.Dataset(
            data, coords={"placed": np.arange(len(maps)), "north_m": cells.north_m, "east_m": cells.east_m}
        )

    def figure(self) -> "Figure":
        """Return the picture that `opencram plan --out plan.png` writes."""
        return output.figure(self.plan)

    def write(self, path: str | Path) -> Path:
        """Write .tif, .geojson or .png."""
        return output.write(self.plan, Path(path))

    def _repr_html_(self) -> str:
        return _paragraphs(output.lines(self.plan)) + _drawn(self.figure)


def plan(
    file: str | Path,
    *,
    radars: int = 0,
    sirens: int = 0,
    check: bool = False,
    step_m: float | None = None,
    threats: Sequence[str] = (),
) -> Siting:
    """Work a plan out, or a site file as it is with `threats` ("rocket:90:7600"), and place radars and sirens.

    Raises `OpencramError`.
    """
    known = load_plan(file, list(threats))
    if step_m is not None:
        if not step_m > 0.0:
            raise UsageError(f"step_m = {step_m:g}: must be over 0")
        known = with_step(known, step_m)
    warm(console().stderr, simulation=True)
    return Siting(work_out(known, radars=radars, sirens=sirens, check=check))


@dataclass(frozen=True)
class Bounds(_Tabular):
    """The posterior bound of one flight or several."""

    cases: tuple[Worked, ...]

    @cached_property
    def table(self) -> Table:
        """A row for each flight and age of its track."""
        found = [
            {
                "name": each.case.name,
                "age_s": float(row["age_s"]),
                "plots": row["plots"],
                "drms_m": row["drms_m"],
                "ellipse95_long_m": row["ellipse95_m"][0],
                "ellipse95_short_m": row["ellipse95_m"][1],
                "time_s_std": row["time_s_std"],
                "drms_class_known_m": row["drms_class_known_m"],
            }
            for each in self.cases
            for row in each.as_json()["ages"]
        ]
        return table_of(found)

    def figure(self) -> "Figure":
        """Return the picture that `opencram bound --out` writes."""
        from opencram.evaluation.bound_figure import bound_figure

        drawn: Figure = bound_figure(self.cases)
        return drawn

    def _repr_html_(self) -> str:
        return self.table._repr_html_() + _drawn(self.figure)


def bound(
    what: str | Path | None = None,
    *,
    projectile: str = "",
    launch_m: tuple[float, float] | None = None,
    aim_m: tuple[float, float] = (0.0, 0.0),
    elevation_deg: float | None = None,
    ages_s: tuple[float, ...] = (3.0, 5.0, 8.0, 12.0, 20.0),
    wind_m_s_std: float = 5.0,
    drift: tuple[float, float, float] | None = None,
) -> Bounds:
    """Return how well any tracker could know an impact: a scenario's rounds, a round at a site, or the standard case.

    With a site file give `projectile` ("mortar-120mm") and `launch_m`.  `drift`: slow errors of every radar, in range
    (m) and angle (rad), and their time constant (s).  Raises `OpencramError`.
    """
    warm(console().stderr, simulation=True)
    if what is None:
        found = [cases.standard_case(drift=drift)]
    elif cases.is_scenario(str(what)):
        found = cases.scenario_cases(str(what), wind_m_s_std=wind_m_s_std, drift=drift)
    elif not projectile or launch_m is None:
        raise UsageError('with a site give projectile="mortar-120mm" and launch_m=(3000.0, 900.0)')
    else:
        one = cases.site_case(
            str(what), projectile, launch_m=launch_m, aim_m=aim_m, elevation_deg=elevation_deg,
            wind_m_s_std=wind_m_s_std, drift=drift,
        )  # fmt: skip
        found = [one]
    return Bounds(tuple(cases.worked(case, ages_s) for case in found))


@dataclass(frozen=True)
class Evaluation(_Tabular):
    """A recorded data set scored: prediction error and containment against horizon."""

    scored: Scored
    name: str

    @cached_property
    def table(self) -> Table:
        """A row for each kind of prediction, class and horizon."""
        found = []
        for row in self.scored.rows:
            record = row.as_json()
            record["held_low"], record["held_high"] = record.pop("held_interval")
            found.append(record)
        return table_of(found)

    def figure(self) -> "Figure":
        """Return the picture that `opencram evaluate --out` writes."""
        from opencram.evaluation.evaluate_command import figure

        drawn: Figure = figure(self.scored.rows, self.name)
        return drawn

    def _repr_html_(self) -> str:
        said = (
            f"{self.scored.tracks} tracks, {self.scored.projectiles} of them projectiles with something to compare; "
            f"impacts against {self.scored.impacts_against}"
        )
        return _paragraphs([said]) + self.table._repr_html_() + (_drawn(self.figure) if self.scored.rows else "")


def evaluate(
    what: str | Path,
    plots: str | Path | None = None,
    *,
    columns: str | Path | None = None,
    truth: str | Path | None = None,
    horizons_s: tuple[float, ...] = (5.0, 10.0, 15.0, 20.0),
) -> Evaluation:
    """Score a recording, or plots under a site file, with or without a truth file.  Raises `OpencramError`."""
    given = [None if each is None else str(each) for each in (plots, columns, truth)]
    found = scored(
        str(what), given[0], columns=given[1], truth=given[2], horizons_s=tuple(horizons_s), stderr=console().stderr
    )
    return Evaluation(found, given[0] or str(what))


@dataclass(frozen=True)
class Register(_Tabular):
    """Raids of the register, by time, each with what people reported afterwards."""

    raids: tuple[tuple[Raid, tuple[Report, ...]], ...]

    def __len__(self) -> int:
        return len(self.raids)

    @cached_property
    def table(self) -> Table:
        """A row for each round."""
        return table_of(records(self.raids))

    @property
    def months(self) -> list[tuple[str, int, int]]:
        """Month, raids and rounds."""
        return telling.by_month([raid for raid, _ in self.raids])

    def figure(self, kind: str = "chart", *, language: str = "en") -> "Figure":
        """Return the chart by month, or the map of impacts (`kind="map"`)."""
        return picture([raid for raid, _ in self.raids], kind, language)

    def export(self, path: str | Path) -> Path:
        """Write .csv, .geojson or .parquet."""
        return export(self.raids, Path(path))

    def _repr_html_(self) -> str:
        counts = [len(reports) for _, reports in self.raids]
        return _paragraphs(telling.listed([raid for raid, _ in self.raids], counts, "en")) + _drawn(self.figure)


def raids(db: str | Path, which: Filter | None = None) -> Register:
    """Return the raids of a register that pass a filter (`opencram.register.store.Filter`).  Raises `FileError`."""
    with opened(Path(db)) as register:
        return Register(tuple((raid, register.reports(raid.raid)) for raid in register.raids(which)))


def _paragraphs(lines: Sequence[str]) -> str:
    return "".join(f"<p>{escape(line)}</p>" for line in lines if line)


def _drawn(figure: Any) -> str:
    """Return a figure as SVG, or why there is none."""
    try:
        out = io.StringIO()
        figure().savefig(out, format="svg")
    except UsageError as error:
        return _paragraphs([str(error)])
    return out.getvalue()[out.getvalue().index("<svg") :]
