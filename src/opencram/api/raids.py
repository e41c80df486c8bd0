"""A raid: processed, simulated or loaded; its tables, its report and its replay."""

import shutil
import tempfile
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from opencram.adapters.columns import load_column_map
from opencram.api.tables import Table, table_of
from opencram.config.model import Site
from opencram.config.scenario import load_scenario
from opencram.config.site import load_site
from opencram.messages import Message
from opencram.recording import load_truth, read, read_header, read_records, truth_of
from opencram.runtime import shell
from opencram.runtime.export.tables import Time, columns_of, rows
from opencram.runtime.replay import site_of
from opencram.runtime.summary import RunSummary, Tally, sentences

if TYPE_CHECKING:
    import pandas
    import polars
    import xarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Raid:
    """A recorded run of the pipeline.  `path`: its recording; `site`: the site file in it."""

    path: Path
    site: Site
    summary: RunSummary

    @cached_property
    def rounds(self) -> Table:
        """Every confirmed track, a row each: class, times, where it was last predicted to fall, what was decided."""
        return table_of(
            [
                {
                    "track": each.track,
                    "class": each.class_name,
                    "class_probability": each.class_probability,
                    "projectile": each.projectile,
                    "plots": each.plots,
                    "first_time": each.first_t_ns,
                    "last_time": each.last_t_ns,
                    "impact_time": each.impact_t_ns,
                    "place": each.place,
                    "ended": each.ended,
                    "action": each.action,
                    "effector": each.effector,
                    "reason": each.reason,
                    "engagement": each.engagement,
                }
                for each in self.summary.tracks
            ],
            {
                "track": int, "class": str, "class_probability": float, "projectile": bool, "plots": int,
                "first_time": np.datetime64, "last_time": np.datetime64, "impact_time": np.datetime64, "place": str,
                "ended": str, "action": str, "effector": str, "reason": str, "engagement": str,
            },
        )  # fmt: skip

    @cached_property
    def alarms(self) -> Table:
        """Every alarm, a row each: zone, when it was issued, seconds of warning before the first impact foreseen."""
        return table_of(
            [
                {
                    "alarm": each.alarm,
                    "zone": each.zone,
                    "name": each.name,
                    "issued_time": each.issued_t_ns,
                    "warned_s": each.warned_s,
                    "state": each.state,
                    "advice": each.advice,
                    "tracks": " ".join(map(str, each.tracks)),
                }
                for each in self.summary.alarms
            ],
            {
                "alarm": int, "zone": str, "name": str, "issued_time": np.datetime64, "warned_s": float, "state": str,
                "advice": str, "tracks": str,
            },
        )  # fmt: skip

    @cached_property
    def plots(self) -> Table:
        """All plots that were used."""
        return self.messages("plot")

    @cached_property
    def tracks(self) -> Table:
        """Every word on every track."""
        return self.messages("track")

    @cached_property
    def impacts(self) -> Table:
        """Every prediction of an impact."""
        return self.messages("impact")

    @cached_property
    def warnings(self) -> Table:
        """Every word on every alarm."""
        return self.messages("warning")

    @cached_property
    def decisions(self) -> Table:
        """Every decision, with its reason."""
        return self.messages("decision")

    @cached_property
    def engagements(self) -> Table:
        """Every simulated engagement, state by state."""
        return self.messages("engagement")

    @cached_property
    def rejected(self) -> Table:
        """All that was not used, with the reason."""
        return self.messages("rejected")

    @cached_property
    def health(self) -> Table:
        """Every word on the state of a sensor or a part."""
        return self.messages("health")

    def messages(self, kind: str) -> Table:
        """Return the messages of a kind of the export (`opencram export --kind`) as a table."""
        plain = [
            {name: value.t_ns if isinstance(value, Time) else value for name, value in row.items()}
            for row in rows(str(self.path), kind)
        ]
        return table_of(plain, columns_of(kind))

    def to_pandas(self) -> "pandas.DataFrame":
        """Return `rounds` as a pandas frame."""
        return self.rounds.to_pandas()

    def to_polars(self) -> "polars.DataFrame":
        """Return `rounds` as a polars frame."""
        return self.rounds.to_polars()

    def to_xarray(self) -> "xarray.Dataset":
        """Return `rounds` as a dataset by track."""
        return self.rounds.to_xarray().swap_dims(row="track")

    def report(self, out: str | Path, *, language: str = "en", truth: str | Path | None = None) -> Path:
        """Write the after-action report, one HTML file.  `truth`: a scoring file, else what stands beside."""
        from opencram.report.after_action import write_report

        known = load_truth(truth) if truth else truth_of(self.path, read_header(self.path))
        return write_report(read(self.path), Path(out), truth=known, language=language)

    def replay(self, *, language: str = "en", theme: str = "dark", second: float = 0.0) -> Any:
        """Return the operator display as a widget, paused at a second of the raid."""
        from opencram.display.notebook import replay

        return replay(self.path, language=language, theme=theme, second=second)

    def _repr_html_(self) -> str:
        said = "".join(f"<li>{escape(line)}</li>" for line in sentences(self.summary)[:-1])
        shown = ("track", "class", "first_time", "impact_time", "place", "ended", "action", "reason")
        return f"<p><b>{escape(self.site.name)}</b></p><ul>{said}</ul>" + (
            Table({name: self.rounds.columns[name] for name in shown})._repr_html_()
        )


def process(
    site: str | Path, plots: str | Path, recording: str | Path | None = None, *, columns: str | Path | None = None
) -> Raid:
    """Take recorded plots of any format through the pipeline; `columns`: the column map of a CSV file.

    Without `recording` the log is kept as long as the result.  Raises `OpencramError`: a site file with faults,
    plots that cannot be read, none that can be used.
    """
    known = load_site(str(site))
    named = None if columns is None else load_column_map(columns)
    return _recorded(lambda outputs, streams: shell.process(known, str(plots), outputs, streams, named), recording)


def simulate(scenario: str | Path, recording: str | Path | None = None, *, seed: int | None = None) -> Raid:
    """Fly a scenario in closed loop; its truth stands beside the recording."""
    known = load_scenario(str(scenario))
    if seed is not None:
        known = replace(known, seed=seed)
    return _recorded(lambda outputs, streams: shell.simulate(known, outputs, streams), recording)


def load(recording: str | Path) -> Raid:
    """Return a recorded raid: of `process`, `simulate` or the live service."""
    path = Path(recording)
    site = site_of(str(path), read_header(path))
    tally = Tally(site)
    nothing: Sequence[Message] = ()
    for record in read_records(path):
        if record.direction == "in":
            tally.take([record.message], nothing)
        else:
            tally.take(nothing, [record.message])
    return Raid(path=path, site=site, summary=tally.summary(0.0))


def _recorded(fly: Callable[[shell.Outputs, shell.Streams], object], recording: str | Path | None) -> Raid:
    """Return the raid that `fly` records; without a place of its own it goes with the result."""
    folder = tempfile.mkdtemp(prefix="opencram-") if recording is None else ""
    path = Path(folder, "raid.opencram") if recording is None else Path(recording)
    try:
        fly(shell.Outputs(recording=str(path)), shell.console())
        raid = load(path)
    except BaseException:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    if folder:
        weakref.finalize(raid, shutil.rmtree, folder, ignore_errors=True)
    return raid
