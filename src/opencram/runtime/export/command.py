"""`opencram export`: a recording as a file for other programs; the ending of the file says which kind."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TextIO

from opencram.errors import FileError, UsageError

TABLES: Final = ("plot", "track", "impact", "warning", "decision", "engagement", "rejected", "health")
_KINDS: Final = {
    ".mcap": "every message on a topic of its kind, as JSON (Foxglove, mcap)",
    ".parquet": "every record as it stands in the log; with --table one kind, flat (DuckDB, pandas, Spark)",
    ".csv": "one kind of message, flat; --table says which (default track)",
    ".geojson": "flown paths, predicted impacts with ellipses, alarms (QGIS, browsers)",
    ".kml": "the same with times (Google Earth)",
    ".czml": "the same, moving (Cesium)",
    ".ndjson": "the events, as `process --events` writes them",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `opencram export` takes."""
    parser.add_argument("recording", metavar="RECORDING", help="a recording")
    kinds = "; ".join(f"{suffix}: {text}" for suffix, text in _KINDS.items())
    parser.add_argument("--out", metavar="FILE", required=True, help=f"where to write it. {kinds}".replace("%", "%%"))
    parser.add_argument("--table", choices=TABLES, help="the kind of message, for .csv and .parquet")
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")


def run(args: argparse.Namespace, stderr: TextIO) -> str | dict[str, Any]:
    """Write the file; return words or what becomes JSON."""
    del stderr
    path = Path(args.out)
    suffix = path.suffix.lower()
    if suffix not in _KINDS:
        raise UsageError(f"--out {path}: must end with one of {', '.join(_KINDS)}")
    if args.table is not None and suffix not in (".csv", ".parquet"):
        raise UsageError(f"--table {args.table}: only .csv and .parquet hold one kind of message")
    if not path.absolute().parent.is_dir():
        raise FileError(f"cannot write {path}: there is no folder {path.parent}; make it first")
    if Path(args.recording).absolute() == path.absolute():
        raise UsageError(f"--out {path}: is the recording itself")
    count = _writer(suffix, args.table)(args.recording, path)
    what = f"{count} {'rows' if suffix in ('.csv', '.parquet') else 'features' if suffix == '.geojson' else 'items'}"
    return {"recording": args.recording, "written": str(path), "count": count} if args.json else f"{path}: {what}"


def _writer(suffix: str, table: str | None) -> Callable[[str, Path], int]:
    """Return what writes a file of this kind from a recording, and returns how many things are in it."""
    if suffix == ".mcap":
        from opencram.runtime.export.mcap_file import write_mcap

        return write_mcap
    if suffix in (".csv", ".parquet"):
        from opencram.runtime.export import tables

        if suffix == ".csv":
            return lambda recording, path: tables.write_csv(recording, path, table or "track")
        return lambda recording, path: tables.write_parquet_table(recording, path, table)
    if suffix == ".ndjson":
        from opencram.runtime.export.tables import write_events

        return write_events
    from opencram.runtime.export import maps

    return {".geojson": maps.write_geojson, ".kml": maps.write_kml, ".czml": maps.write_czml}[suffix]
