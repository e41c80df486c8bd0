"""Write the log: buffer messages, commit them in batches with a full sync, seal the file at the end.

A live service adds two tables: the datagrams as they came, and the state that its pipeline had before the first
message of the file, so that each file of a long run can be replayed by itself.
"""

import hashlib
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

from opencram.errors import OpenElsewhereError, RecordingError
from opencram.messages import Header, Message
from opencram.recording.schema import (
    APPLICATION_ID,
    FORMAT_VERSION,
    LIVE_TABLES,
    PAGE_BYTES,
    TABLES,
    Direction,
    encode,
    kind_of,
)

FOLD_BYTES = 4 * 1024 * 1024  # written, after which the write-ahead log is copied into the file
READERS_TRIES_MAX, READERS_PAUSE_S = 1000, 0.01  # so often is a file tried to be sealed that somebody reads
BATCH_RECORDS = 5000  # buffered before a commit on its own; about 1 MB

_INSERT = "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?)"
# SQLite gives way to other threads at every statement, and may then have to wait for them: many rows go in one.
# Six values a row, and no SQLite takes fewer than 999 in a statement.
_ROWS_AT_ONCE = 150
_INSERT_MANY = _INSERT + ", (?, ?, ?, ?, ?, ?)" * (_ROWS_AT_ONCE - 1)
_SQLITE_MAGIC = b"SQLite format 3\0"
_APPLICATION_ID_BYTES = slice(68, 72)
_NO_RAW: Mapping[int, bytes] = {}

_INSERT_DATAGRAM = "INSERT INTO datagram (clock_ns, feed, before, data) VALUES (?, ?, ?, ?)"

_Row = tuple[int, int, str, Direction, bytes, bytes | None]
_Datagram = tuple[int, str, int, bytes]


class Writer:
    """A recording being written; use it as a context manager.

    What `commit` has returned for is on the disk: it survives a kill or a power cut, and `acknowledged` counts
    it.  `append` commits by itself whenever `batch_records` have gathered.  Leaving the context, by an exception
    too, commits the rest and seals the file: one plain file whose bytes depend on the messages alone.
    """

    def __init__(
        self,
        path: str | Path,
        header: Header | None,
        *,
        batch_records: int = BATCH_RECORDS,
        checkpoint: bytes | None = None,
        folds_beside: bool = False,
    ) -> None:
        """Begin a recording; without a header, go on with the one at `path`, sealed or cut off.

        `checkpoint`: the state of the pipeline before the first message, where it is not the very first.
        `folds_beside`: no commit waits until the write-ahead log is copied into the file; `fold_some` does that.
        """
        self.path = Path(path)
        self._batch_records = batch_records
        self._rows: list[_Row] = []
        self._datagrams: list[_Datagram] = []
        self._outbox: list[tuple[list[_Row], list[_Datagram]]] = []  # set aside for `flush`, oldest first
        self._lock = threading.Lock()  # of the connection and the outbox
        self._kinds: dict[type[Message], str] = {}
        self._digest: hashlib._Hash | None = hashlib.sha256()  # None: to be computed when all is written
        self.bytes_written = 0
        self._folded_bytes = 0  # of those, what is no more in the write-ahead log alone
        if header is None:
            self._connection, self.acknowledged = _reopen(self.path)
            self._next_seq = self.acknowledged + 1
            self._digest = None
            self._fold_beside(folds_beside)
            self.bytes_written = self.path.stat().st_size
            return
        self.acknowledged = 0
        self._next_seq = 1
        self._connection = _create(self.path)
        if checkpoint is not None:
            self._connection.executescript(LIVE_TABLES)
            self._connection.execute("INSERT INTO checkpoint VALUES (1, ?)", (checkpoint,))
        self._fold_beside(folds_beside)
        self.append([header], direction="in")
        self.commit()

    @property
    def last_seq(self) -> int:
        """Number of the last record that was appended."""
        return self._next_seq - 1

    def append(
        self, messages: Iterable[Message], *, direction: Direction, raw_lines: Mapping[int, bytes] = _NO_RAW
    ) -> None:
        """Add `messages` in order.  `raw_lines[i]` is the input line, as read, that gave the i-th of them."""
        rows, kinds, seq = self._rows, self._kinds, self._next_seq
        first = seq
        for message in messages:
            message_type = type(message)
            kind = kinds.get(message_type)
            if kind is None:
                kind = kinds[message_type] = kind_of(message_type)
            raw = raw_lines.get(seq - first) if raw_lines else None
            rows.append((seq, message.t_ns, kind, direction, encode(message), raw))
            seq += 1
        self._next_seq = seq
        if len(rows) >= self._batch_records:
            self.commit()

    def add_datagram(self, feed: str, data: bytes, clock_ns: int) -> None:
        """Keep bytes as they came from a feed, between the messages before and those that they lead to."""
        self._datagrams.append((clock_ns, feed, self._next_seq, data))

    def commit(self) -> None:
        """Put all that was appended on the disk; on return it is acknowledged."""
        self.set_aside()
        self.flush()

    def set_aside(self) -> None:
        """Leave what was appended to the next `flush`: appending goes on beside it."""
        if self._rows or self._datagrams:
            self._outbox.append((self._rows, self._datagrams))
            self._rows, self._datagrams = [], []

    def flush(self) -> None:
        """Put what was set aside on the disk, in its order; this may run in another thread."""
        with self._lock:
            if not self._outbox:
                return
            taken = len(self._outbox)
            rows = [row for each, _ in self._outbox[:taken] for row in each]
            datagrams = [row for _, each in self._outbox[:taken] for row in each]
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                _insert(self._connection, rows)
                if datagrams:
                    self._connection.execute(LIVE_TABLES.split(";")[0])
                    self._connection.executemany(_INSERT_DATAGRAM, datagrams)
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise RecordingError(_cannot_write(self.path, error)) from error
            payloads = [row[4] for row in rows]
            if self._digest is not None:
                self._digest.update(b"".join(payloads))
            self.acknowledged += len(rows)
            self.bytes_written += sum(map(len, payloads)) + sum(len(row[3]) for row in datagrams) + 40 * len(rows)
            del self._outbox[:taken]

    def fold_some(self) -> None:
        """Copy the write-ahead log into the file where it has grown long; this may run in a thread beside `flush`."""
        with self._folder_lock:
            written = self.bytes_written
            if self._folder is None or written - self._folded_bytes < FOLD_BYTES:
                return
            try:  # waits for nobody, and nobody for it
                _, pages, copied = self._folder.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            except sqlite3.Error as error:
                raise RecordingError(_cannot_write(self.path, error)) from error
            if copied == pages:  # else somebody has committed meanwhile, or reads: next time
                self._folded_bytes = written

    def _fold_beside(self, wanted: bool) -> None:
        self._folder_lock = threading.Lock()
        self._folder: sqlite3.Connection | None = None  # a connection of its own, which holds up no commit
        if wanted:
            self._connection.execute("PRAGMA wal_autocheckpoint = 0")
            self._folder = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self._folder.execute("PRAGMA synchronous = FULL")

    def _let_folder_go(self) -> None:
        with self._folder_lock:
            if self._folder is not None:
                self._folder.close()
                self._folder = None

    def close(self) -> None:
        """Commit, seal and close: count and hash are written, and the write-ahead log is folded into the file.

        Raises `OpenElsewhereError` if it cannot be folded in because another program has the file open: then it is
        whole and sealed all the same, in two files.
        """
        self._let_folder_go()
        try:
            self.commit()
            self._connection.execute(
                "UPDATE segment SET records = ?, sha256 = ? WHERE number = 1",
                (self.acknowledged, (self._digest or _digest_of(self._connection)).hexdigest()),
            )
            folded = _fold_log(self._connection)
        except sqlite3.Error as error:
            raise RecordingError(_cannot_write(self.path, error)) from error
        finally:
            self._connection.close()
        if not folded:
            raise OpenElsewhereError(
                f"{self.path} is whole, but another program has it open: {self.path.name}-wal beside it is part of it, "
                "until that program closes it and the file is written again"
            )

    def part(self) -> None:
        """Commit and close without a seal: somebody else goes on with the file at once."""
        self._let_folder_go()
        try:
            self.commit()
        finally:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _fold_log(connection: sqlite3.Connection) -> bool:
    """Fold the write-ahead log into the file; who reads it just now is waited for, but not for ever."""
    pause = threading.Event()
    for again in reversed(range(READERS_TRIES_MAX)):
        try:
            connection.execute("PRAGMA journal_mode = DELETE")
            return True
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
        if again:
            pause.wait(READERS_PAUSE_S)
    return False


def _insert(connection: sqlite3.Connection, rows: Sequence[_Row]) -> None:
    whole = len(rows) - len(rows) % _ROWS_AT_ONCE
    for begin in range(0, whole, _ROWS_AT_ONCE):
        connection.execute(_INSERT_MANY, list(chain.from_iterable(rows[begin : begin + _ROWS_AT_ONCE])))
    connection.executemany(_INSERT, rows[whole:])


def _create(path: Path) -> sqlite3.Connection:
    """Return a connection to a new, empty recording, in place of an older recording at `path`."""
    _remove_older(path)
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
        connection.executescript(TABLES)
        connection.execute("INSERT INTO segment VALUES (1, 1, 0, NULL)")
    except sqlite3.Error as error:
        raise RecordingError(_cannot_write(path, error)) from error
    return connection


def _reopen(path: Path) -> tuple[sqlite3.Connection, int]:
    """Return a connection to a recording that is to be gone on with, and the number of its records."""
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        count = int(connection.execute("SELECT coalesce(max(seq), 0) FROM record").fetchone()[0])
        connection.execute("UPDATE segment SET records = 0, sha256 = NULL WHERE number = 1")
    except sqlite3.Error as error:
        raise RecordingError(_cannot_write(path, error)) from error
    return connection, count


def _digest_of(connection: sqlite3.Connection) -> "hashlib._Hash":
    digest = hashlib.sha256()
    for (payload,) in connection.execute("SELECT payload FROM record ORDER BY seq"):
        digest.update(payload)
    return digest


def _remove_older(path: Path) -> None:
    """Remove an older recording at `path`; refuse to remove a file of any other kind."""
    try:
        if path.exists() and path.stat().st_size > 0:
            with path.open("rb") as file:
                head = file.read(100)
            ours = head.startswith(_SQLITE_MAGIC) and head[_APPLICATION_ID_BYTES] == APPLICATION_ID.to_bytes(4, "big")
            if not ours:
                raise RecordingError(f"{path} exists and is not a recording: give another name, or remove it yourself")
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm", f"{path.name}-journal"):
            path.with_name(name).unlink(missing_ok=True)
    except OSError as error:
        raise RecordingError(_cannot_write(path, error)) from error


def _cannot_write(path: Path, error: Exception) -> str:
    return f"cannot write recording {path}: {error}; give a folder that exists, is writable and has room"
