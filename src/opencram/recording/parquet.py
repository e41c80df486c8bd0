"""A recording as one Parquet table, row by row as in SQLite, with each message as JSON beside its bytes."""

import math
import os
from pathlib import Path
from typing import Any, Final

import msgspec

from opencram.errors import RecordingError
from opencram.recording.reader import read_records

_ROWS: Final = 20_000


def write_parquet(recording: str | Path, path: str | Path) -> Path:
    """Write every record of a recording to a Parquet file; return its path.  Whole, or not there at all."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise RecordingError("Parquet needs pyarrow: pip install 'opencram[export]'") from error
    schema = pa.schema(
        [
            ("seq", pa.int64()),
            ("t", pa.timestamp("ns", tz="UTC")),
            ("kind", pa.dictionary(pa.int16(), pa.string())),
            ("direction", pa.dictionary(pa.int8(), pa.string())),
            ("message", pa.string()),
            ("payload", pa.binary()),
            ("raw", pa.binary()),
        ]
    )
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        with pq.ParquetWriter(part, schema, compression="zstd") as writer:
            rows: list[tuple[Any, ...]] = []
            for record in read_records(recording):
                text = json_of(msgspec.msgpack.decode(record.payload))
                rows.append((record.seq, record.t_ns, record.kind, record.direction, text, record.payload, record.raw))
                if len(rows) == _ROWS:
                    writer.write_table(_table(pa, rows, schema))
                    rows = []
            if rows:
                writer.write_table(_table(pa, rows, schema))
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise RecordingError(f"cannot write {path}: {error}; give a folder that exists and has room") from error
    return path


def _table(pa: Any, rows: list[tuple[Any, ...]], schema: Any) -> Any:
    columns = zip(*rows, strict=True)
    return pa.table([pa.array(list(c), f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)


def json_of(value: Any) -> str:
    """Return a message as JSON; what is not finite is null, as JSON has no word for it."""
    return msgspec.json.encode(_finite(value)).decode()


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
