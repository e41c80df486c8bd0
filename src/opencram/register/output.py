"""The register for other programs and on paper: CSV, GeoJSON, Parquet; a chart and a map as PNG."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opencram.errors import FileError, UsageError
from opencram.register.model import Raid, Report, contradictions
from opencram.register.telling import by_month, time_of
from opencram.register.words import say

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EXPORTS: Final = (".csv", ".geojson", ".parquet")
_MARKS: Final = {"rocket": "^", "mortar": "o", "shell": "s"}  # shape tells the class, not colour

Reported = Sequence[tuple[Raid, tuple[Report, ...]]]


def export(what: Reported, path: Path) -> Path:
    """Write one record a round, its raid and what was reported with it; raise `OpencramError` if it cannot be."""
    suffix = path.suffix.lower()
    if suffix not in EXPORTS:
        raise UsageError(f"--out {path}: must end with {', '.join(EXPORTS)}")
    try:
        if suffix == ".csv":
            path.write_text(as_csv(what), encoding="utf-8-sig")  # with the mark by which spreadsheets know UTF-8
        elif suffix == ".geojson":
            path.write_text(json.dumps(as_geojson(what), ensure_ascii=False), encoding="utf-8")
        else:
            _write_parquet(what, path)
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror or error}); give another --out") from error
    return path


def records(what: Reported) -> list[dict[str, Any]]:
    """Return one record a round."""
    return [
        {
            "raid": raid.raid,
            "raid_time": f"{time_of(raid.start_t_ns):%Y-%m-%dT%H:%M:%SZ}",
            "site": raid.site,
            "source": raid.source,
            "track": fall.track,
            "class": fall.class_name,
            "time": f"{time_of(fall.t_ns):%Y-%m-%dT%H:%M:%SZ}",
            "ended": fall.ended,
            "latitude_deg": fall.latitude_deg,
            "longitude_deg": fall.longitude_deg,
            "district": fall.district,
            "first_seen": fall.from_octant,
            "first_seen_about_m": fall.from_m if fall.from_m == fall.from_m else None,
            "action": fall.action,
            "reason": fall.reason,
            "raid_people_warned": raid.people_warned,
            "raid_least_warning_s": raid.lead_s,
            "raid_reports": len(reports),
            "raid_sources_differ_on": " ".join(contradictions(reports)),
        }
        for raid, reports in what
        for fall in raid.falls
    ]


def as_csv(what: Reported) -> str:
    """Return the records as CSV; a text that a spreadsheet would run as a formula gets an apostrophe before it."""
    rows = records(what)
    out = io.StringIO()
    if rows:
        writer = csv.DictWriter(out, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: _harmless(value) for key, value in row.items()} for row in rows)
    return out.getvalue()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t") else value


def as_geojson(what: Reported) -> dict[str, Any]:
    """Return a point for each round that fell or was shot down at a known place."""
    features = []
    for record in records(what):
        place = record.pop("longitude_deg"), record.pop("latitude_deg")
        if None not in place:
            geometry = {"type": "Point", "coordinates": list(place)}
            features.append({"type": "Feature", "geometry": geometry, "properties": record})
    return {"type": "FeatureCollection", "features": features}


def _write_parquet(what: Reported, path: Path) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UsageError("pyarrow is not installed: pip install 'opencram[study]'") from error
    pq.write_table(pa.Table.from_pylist(records(what)), path)


def picture(raids: Sequence[Raid], kind: str, language: str) -> "Figure":
    """Return the chart by month, or the map of impacts, in black on white.

    Arabic is shaped by nobody here: its pictures carry figures and signs, and their words stand in the text.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError as error:
        raise UsageError("matplotlib is not installed: pip install 'opencram[plots]'") from error
    written = language if language != "ar" else "en"
    figure = Figure(figsize=(9.0, 4.6) if kind == "chart" else (7.0, 6.5), layout="constrained")
    axes = figure.subplots()
    if kind == "chart":
        months = by_month(raids)
        axes.bar([name for name, *_ in months], [count for _, count, _ in months], color="0.35")
        axes.set_title(say(written, "by_month"))
        axes.tick_params(axis="x", rotation=60)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        return figure
    for name, mark in _MARKS.items():
        for ended, face in (("impact", "black"), ("intercepted", "white")):
            places = [
                (fall.longitude_deg, fall.latitude_deg)
                for raid in raids
                for fall in raid.falls
                if (fall.class_name, fall.ended) == (name, ended) and fall.longitude_deg is not None
            ]
            if places:
                label = f"{say(written, name)}, {say(written, ended)} ({len(places)})"
                axes.plot(*zip(*places, strict=True), mark, mfc=face, mec="black", ms=6, ls="none", label=label)
    axes.set_title(say(written, "map"))
    axes.set_xlabel("°E")
    axes.set_ylabel("°N")
    axes.ticklabel_format(useOffset=False)
    axes.set_aspect(1.2)
    axes.grid(visible=True, color="0.85")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8)
    return figure
