"""Where rows are kept: a journal while the study runs, one Parquet file when it has ended.

The journal is SQLite with a transaction for each chunk: `kill -9` at any moment leaves every chunk that was finished.
 The Parquet file holds the rows in the order of alternative and run and nothing of time, host or worker, so that
the same study gives the same bytes wherever it ran.
"""

import json
import math
import sqlite3
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from opencram.config.model import LonLat
from opencram.errors import FileError, UsageError
from opencram.studies.preparing import Prepared
from opencram.studies.rows import QUANTITIES, RunRow, decoded

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIX = ".parquet"
ROW_GROUP = 5000
FORMAT = "opencram study 1"


def need_pyarrow() -> None:
    """Complain where what studies are written with is not installed."""
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise UsageError("pyarrow is not installed: pip install 'opencram[study]'") from error


class Journal:
    """Rows on disk, a chunk at a time, until the result can be written."""

    def __init__(self, path: Path, identity: str) -> None:
        """Open the journal, begun by the same study or new.  Raises `FileError` where it is another study's."""
        self.path = path
        try:
            self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=NORMAL")
            self._base.execute("CREATE TABLE IF NOT EXISTS head (identity TEXT)")
            self._base.execute(
                "CREATE TABLE IF NOT EXISTS runs "
                "(alternative INTEGER, run INTEGER, row BLOB, PRIMARY KEY (alternative, run)) WITHOUT ROWID"
            )
            known = self._base.execute("SELECT identity FROM head").fetchone()
        except sqlite3.Error as error:
            raise FileError(f"{path}: no journal of a study can be kept here ({error}); give another --out") from error
        if known is None:
            self._base.execute("INSERT INTO head VALUES (?)", (identity,))
        elif known[0] != identity:
            self._base.close()
            raise FileError(
                f"{path}: this journal is of another study, or of other files or another version of opencram; "
                "give another --out, or delete the journal"
            )

    def add(self, cells: Sequence[tuple[int, int]], rows: Sequence[bytes]) -> None:
        """Keep the rows of a chunk, all or none."""
        self._base.execute("BEGIN")
        self._base.executemany(
            "INSERT OR REPLACE INTO runs VALUES (?, ?, ?)",
            [(*cell, row) for cell, row in zip(cells, rows, strict=True)],
        )
        self._base.execute("COMMIT")

    def known(self, alternative: int) -> list[int]:
        """Return the runs of an alternative that are kept, in order."""
        found = self._base.execute("SELECT run FROM runs WHERE alternative = ? ORDER BY run", (alternative,))
        return [run for (run,) in found]

    def rows(self, alternative: int, below: int) -> Iterator[RunRow]:
        """Yield the rows of an alternative's runs under `below`, in order."""
        found = self._base.execute(
            "SELECT row FROM runs WHERE alternative = ? AND run < ? ORDER BY run", (alternative, below)
        )
        for (data,) in found:
            yield decoded(data)

    def close(self, *, delete: bool = False) -> None:
        """Close the journal; `delete` it where its rows are in the result."""
        self._base.close()
        if delete:
            for suffix in ("", "-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)


# ---- Parquet --------------------------------------------------------------------------------------


def schema_of(prepared: Prepared, metadata: Mapping[str, str]) -> "pa.Schema":
    """Return the columns of a study's result."""
    import pyarrow as pa

    study = prepared.study
    fields = [("alternative", pa.int32()), ("name", pa.string()), ("run", pa.int32()), ("seed", pa.int64())]
    fields += [(f"factor.{factor.name}", pa.string()) for factor in study.factors]
    fields += [("weight", pa.float64()), ("error", pa.string())]
    fields += [(f"draw.{name}", kind) for name, kind in _drawn_kinds(prepared).items()]
    fields += [(name, pa.float64()) for name in QUANTITIES]
    zone = pa.struct([("zone", pa.string()), ("people", pa.int32()), ("lead_s", pa.float64())])
    impact = pa.struct([("to_go_s", pa.int32()), ("error_m", pa.float64()), ("held", pa.bool_())])
    course = pa.struct([("s", pa.int32()), ("alarmed_people", pa.int32()), ("tracks", pa.int32())])
    lengths = [("error_m", pa.float64()), ("ellipse_m", pa.float64())]
    approach = pa.struct([("to_go_s", pa.int32()), ("rounds", pa.int32()), *lengths])
    fields += [("zones", pa.list_(zone)), ("impacts", pa.list_(impact))]
    fields += [("course", pa.list_(course)), ("approach", pa.list_(approach))]
    return pa.schema(fields, metadata=dict(metadata))


def _drawn_kinds(prepared: Prepared) -> dict[str, Any]:
    """Return the names of what is drawn, and whether each is a number or a word."""
    import pyarrow as pa

    kinds: dict[str, Any] = {}
    for each in prepared.study.draws:
        words = bool(each.cases) or (
            each.value is not None
            and each.value.kind in ("choice", "fixed")
            and not all(isinstance(v, int | float) and not isinstance(v, bool) for v in each.value.values)
        )
        kinds[each.name] = pa.string() if words else pa.float64()
    for salvo in prepared.study.salvos:
        kinds |= {f"{salvo.name}.count": pa.float64(), f"{salvo.name}.class": pa.string()}
        kinds[f"{salvo.name}.from"] = pa.string()
    return kinds


def metadata_of(prepared: Prepared, version: str, runs: Sequence[int]) -> dict[str, str]:
    """Return what stands in the file beside its rows: nothing of when or where it was made."""
    study = prepared.study
    zones = {zone.id: zone.name for zone in prepared.alternatives[0].site_plain.zones}
    return {
        "format": FORMAT,
        "opencram_version": version,
        "study_toml": study.text,
        "study_sha256": study.sha256,
        "scenario_sha256": prepared.scenario_sha256,
        "site_sha256": prepared.site_sha256,
        "seed": str(study.seed),
        "name": study.name,
        "confidence": repr(study.confidence),
        "alternatives": json.dumps(
            [
                {"name": each.name, "levels": dict(each.levels), "values": dict(each.values), "runs": count}
                for each, count in zip(prepared.alternatives, runs, strict=True)
            ],
            ensure_ascii=False,
        ),
        "measures": json.dumps(list(study.measures)),
        "zones": json.dumps(zones, ensure_ascii=False),
        "polygons": json.dumps(_polygons(prepared), ensure_ascii=False),
    }


def _polygons(prepared: Prepared) -> dict[str, dict[str, list[list[float]]]]:
    """Return the zones and assets of the base for a map: longitude and latitude in degrees, to a metre."""
    site = prepared.alternatives[0].site_plain

    def degrees(polygon: Sequence[LonLat]) -> list[list[float]]:
        return [[round(math.degrees(angle), 5) for angle in corner] for corner in polygon]

    return {
        "zones": {zone.id: degrees(zone.polygon) for zone in site.zones},
        "assets": {asset.id: degrees(asset.polygon) for asset in site.assets},
    }


def write_parquet(out: Path, prepared: Prepared, journal: Journal, runs: Sequence[int], version: str) -> None:
    """Write the rows of the first `runs[k]` runs of each alternative k; the file appears whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = schema_of(prepared, metadata_of(prepared, version, runs))
    part = out.with_name(out.name + ".part")
    try:
        with pq.ParquetWriter(part, schema, compression="zstd") as writer:
            for group in _groups(prepared, journal, runs):
                writer.write_table(pa.Table.from_pylist(group, schema=schema), row_group_size=ROW_GROUP)
        part.replace(out)
    except OSError as error:
        raise FileError(
            f"{out}: the result cannot be written ({error.strerror or error}); give another --out"
        ) from error


def _groups(prepared: Prepared, journal: Journal, runs: Sequence[int]) -> Iterator[list[dict[str, Any]]]:
    import pyarrow as pa

    words = [name for name, kind in _drawn_kinds(prepared).items() if kind == pa.string()]
    group: list[dict[str, Any]] = []
    for number, count in enumerate(runs):
        for row in journal.rows(number, count):
            group.append(_record(prepared, row, words))
            if len(group) == ROW_GROUP:
                yield group
                group = []
    if group:
        yield group


def _record(prepared: Prepared, row: RunRow, words: Container[str]) -> dict[str, Any]:
    alternative = prepared.alternatives[row.alternative]
    record: dict[str, Any] = {
        "alternative": row.alternative,
        "name": alternative.name,
        "run": row.run,
        "seed": row.seed,
        "weight": row.weight,
        "error": row.error or None,
        "zones": [{"zone": z.zone, "people": z.people, "lead_s": _finite(z.lead_s)} for z in row.zones],
        "impacts": [{"to_go_s": i.to_go_s, "error_m": i.error_m, "held": i.held} for i in row.impacts],
        "course": [msgspec.structs.asdict(each) for each in row.course],
        "approach": [msgspec.structs.asdict(each) for each in row.approach],
    }
    record |= {f"factor.{factor}": level for factor, level in alternative.levels}
    for name, value in row.drawn.items():
        record[f"draw.{name}"] = str(value) if name in words else float(value)
    return record | row.measured


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
