"""Read the log: messages in order, inputs and outputs apart, and whether the file is whole."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from opencram.errors import RecordingError
from opencram.messages import SCHEMA_VERSION, AnyMessage, Header
from opencram.recording.schema import APPLICATION_ID, FORMAT_VERSION, PAGE_BYTES, Direction, decode

_COLUMNS = "seq, t_ns, kind, direction, payload, raw"
_FETCH_ROWS = 2000


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the log.  `payload` decodes to the message; `raw` is the input line as read, where it was kept."""

    seq: int
    t_ns: int
    kind: str
    direction: Direction
    payload: bytes
    raw: bytes | None

    @property
    def message(self) -> AnyMessage:
        return _decoded(self.seq, self.payload)


@dataclass(frozen=True, slots=True)
class Datagram:
    """Bytes as they came from a feed at `clock_ns`; `before`: the number of the next record then."""

    clock_ns: int
    feed: str
    before: int
    data: bytes


@dataclass(frozen=True)
class Contents:
    """What a recording holds.  `sealed`: its writer closed it; else it holds all that was committed so far."""

    header: Header
    records: int
    sealed: bool
    kinds: tuple[tuple[Direction, str, int], ...]  # direction, kind and count


def read(path: str | Path) -> Iterator[AnyMessage]:
    """Yield every message of a recording in order, the header first, and check its seal at the end."""
    for record in read_records(path):
        yield record.message


def read_inputs(path: str | Path) -> Iterator[AnyMessage]:
    """Yield what went into the pipeline, and what its readers refused, in order; the header is not among them."""
    return (record.message for record in read_records(path, direction="in") if record.kind != "header")


def read_outputs(path: str | Path) -> Iterator[AnyMessage]:
    """Yield what came out of the pipeline, in order."""
    return (record.message for record in read_records(path, direction="out"))


def read_header(path: str | Path) -> Header:
    """Return the first record of a recording: what made it."""
    with _opened(Path(path)) as connection:
        return _header(Path(path), connection)


def read_checkpoint(path: str | Path) -> bytes | None:
    """Return the state that the pipeline had before the first message of a file of a long run, or None."""
    with _opened(Path(path)) as connection:
        if not _has_table(connection, "checkpoint"):
            return None
        row = connection.execute("SELECT state FROM checkpoint WHERE number = 1").fetchone()
        return None if row is None else bytes(row[0])


def read_datagrams(path: str | Path) -> Iterator[Datagram]:
    """Yield the bytes of the feeds as they came, in order; none where they were not kept."""
    with _opened(Path(path)) as connection:
        if not _has_table(connection, "datagram"):
            return
        cursor = connection.execute("SELECT clock_ns, feed, before, data FROM datagram ORDER BY number")
        while rows := cursor.fetchmany(_FETCH_ROWS):
            for row in rows:
                yield Datagram(*row)


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(query, (name,)).fetchone() is not None


def read_records(path: str | Path, *, direction: Direction | None = None, first: int = 1) -> Iterator[Record]:
    """Yield the rows of a recording in order, from `first` on.

    Without `direction` and `first` all of them come, and the seal is checked at the end.
    """
    path = Path(path)
    where = f"WHERE seq >= {int(first)}" + ("" if direction is None else f" AND direction = '{direction}'")
    whole = direction is None and first == 1
    digest, count = hashlib.sha256(), 0
    with _opened(path) as connection:
        _header(path, connection)
        cursor = connection.execute(f"SELECT {_COLUMNS} FROM record {where} ORDER BY seq")
        while rows := cursor.fetchmany(_FETCH_ROWS):
            for row in rows:
                yield Record(*row)
            if whole:
                digest.update(b"".join([row[4] for row in rows]))
                count += len(rows)
        if whole:
            _check_seal(path, connection, count, digest.hexdigest())


def contents(path: str | Path) -> Contents:
    """Return what a recording holds, counted by direction and kind."""
    path = Path(path)
    with _opened(path) as connection:
        header = _header(path, connection)
        rows = connection.execute(
            "SELECT direction, kind, count(*) FROM record GROUP BY direction, kind ORDER BY direction, kind"
        ).fetchall()
        sealed = _seal(connection) is not None
    return Contents(header=header, records=sum(row[2] for row in rows), sealed=sealed, kinds=tuple(rows))


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open for reading and check that it is a recording of this format; SQLite's errors become `RecordingError`."""
    if not path.is_file():
        raise RecordingError(f"{path}: no such recording; `opencram process … --recording FILE` makes one")
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        _check_format(path, connection)
        yield connection
    except sqlite3.DatabaseError as error:
        if "not a database" in str(error):
            raise RecordingError(f"{path} is not a recording of opencram") from error
        raise RecordingError(f"{path} is torn: {error}; copy it again from where it was recorded") from error
    finally:
        if connection is not None:
            connection.close()


def _check_format(path: Path, connection: sqlite3.Connection) -> None:
    application_id = connection.execute("PRAGMA application_id").fetchone()[0]
    if application_id != APPLICATION_ID:
        raise RecordingError(f"{path} is not a recording of opencram")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != FORMAT_VERSION:
        raise RecordingError(
            f"{path} has recording format {version}, this program reads {FORMAT_VERSION}: "
            "read it with the version of opencram that wrote it"
        )
    pages = int(connection.execute("PRAGMA page_count").fetchone()[0])
    whole_bytes, bytes_here = pages * PAGE_BYTES, path.stat().st_size
    folded = connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal"  # else pages stand in the other file too
    if folded and _seal(connection) is not None and bytes_here < whole_bytes:  # SQLite reads zeros beyond the end
        raise RecordingError(
            f"{path} is torn: {bytes_here} of {whole_bytes} bytes are here; copy it again from where it was recorded"
        )


def _header(path: Path, connection: sqlite3.Connection) -> Header:
    row = connection.execute("SELECT payload FROM record WHERE seq = 1").fetchone()
    if row is None:
        raise RecordingError(f"{path} is torn: it has no header; its writer was cut off before the first commit")
    # The version is read by itself first: the header of another version need not fit this one's schema.
    try:
        version = msgspec.msgpack.decode(row[0])["schema_version"]
    except (msgspec.DecodeError, TypeError, KeyError):
        raise RecordingError(f"{path} is torn: its header cannot be read") from None
    if version != SCHEMA_VERSION:
        raise RecordingError(
            f"{path} has messages of schema version {version}, this program reads {SCHEMA_VERSION}: "
            "read it with the version of opencram that wrote it"
        )
    header = _decoded(1, row[0])
    if not isinstance(header, Header):
        raise RecordingError(f"{path} is torn: its first record is not a header")
    return header


def _decoded(seq: int, payload: bytes) -> AnyMessage:
    try:
        return decode(payload)
    except (msgspec.DecodeError, TypeError) as error:  # TypeError: not even bytes
        raise RecordingError(f"record {seq} cannot be read: {error}; the recording is torn") from None


def _seal(connection: sqlite3.Connection) -> tuple[int, str] | None:
    """Return the number of records and their hash as sealed, or None if the writer was cut off."""
    row = connection.execute("SELECT records, sha256 FROM segment WHERE number = 1").fetchone()
    return None if row is None or row[1] is None else (row[0], row[1])


def _check_seal(path: Path, connection: sqlite3.Connection, count: int, sha256: str) -> None:
    seal = _seal(connection)
    if seal is not None and seal != (count, sha256):
        raise RecordingError(
            f"{path} has been changed since it was sealed: {count} records with hash {sha256[:12]}, "
            f"sealed {seal[0]} with {seal[1][:12]}; copy it again from where it was recorded"
        )
