"""The files of a live log: numbered, each a recording of its own, sealed when the next begins, kept for so long.

    log/live-000001.opencram      the first file; the one of the highest number is being written
    log/live-000001.parquet       the same, sealed, as a table for other programs (where pyarrow is installed)
    log/live.state                the state, for a quick restart

No file is ever renamed: after a kill, whatever is there is what was.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from opencram.errors import RecordingError
from opencram.recording import SUFFIX, contents, read_header
from opencram.recording.parquet import write_parquet

_NAME: Final = "live-"
_DIGITS: Final = 6
_DAY_S: Final = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Retention:
    """When a file is full, and how long sealed ones are kept; 0: no limit."""

    segment_bytes: int = 256 * 1024 * 1024
    segment_s: float = 3600.0
    keep_bytes: int = 0
    keep_days: float = 0.0
    parquet: bool = False


def files(folder: Path) -> list[Path]:
    """Return the files of a log, oldest first."""
    return sorted(p for p in folder.glob(f"{_NAME}*{SUFFIX}") if p.stem.removeprefix(_NAME).isdigit())


def newest(folder: Path) -> Path | None:
    """Return the file that a log ends with, or None for an empty folder.

    A file whose making was cut off before its header was on the disk is removed: nothing was ever in it.
    """
    for path in reversed(files(folder)):
        try:
            read_header(path)
        except RecordingError:
            if not _has_records(path):
                for end in ("", "-wal", "-shm", "-journal"):
                    path.with_name(path.name + end).unlink(missing_ok=True)
                continue
        return path
    return None


def following(folder: Path) -> Path:
    """Return the name of the next file."""
    found = files(folder)
    number = int(found[-1].stem.removeprefix(_NAME)) + 1 if found else 1
    return folder / f"{_NAME}{number:0{_DIGITS}d}{SUFFIX}"


def unsealed(folder: Path) -> list[Path]:
    """Return the files, but for the one being written, that a kill left without a seal, or a reader in two."""
    found = []
    for path in files(folder)[:-1]:
        try:
            if path.with_name(f"{path.name}-wal").exists() or not contents(path).sealed:
                found.append(path)
        except RecordingError:
            continue  # torn: it stays as it is, for whoever looks at it
    return found


def _has_records(path: Path) -> bool:
    """Return whether anything was ever recorded in a file, as far as can be told; in doubt it was."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error:
        return True
    try:
        return connection.execute("SELECT 1 FROM record LIMIT 1").fetchone() is not None
    except sqlite3.OperationalError as error:
        return "no such table" not in str(error)
    except sqlite3.DatabaseError:
        return path.stat().st_size > 0
    finally:
        connection.close()


def finish(path: Path, retention: Retention, clock_s: float) -> list[str]:
    """Do what is due when a file has been sealed: the table beside it, and the end of those kept long enough.

    Returns what was done, in words.
    """
    said = [f"log: {path.name} is sealed"]
    if retention.parquet:
        try:
            said.append(f"log: {write_parquet(path, path.with_suffix('.parquet')).name} is written")
        except (RecordingError, OSError, ImportError) as error:
            said.append(f"log: {path.stem}.parquet could not be written: {error}")
    return [*said, *expire(path.parent, retention, clock_s)]


def expire(folder: Path, retention: Retention, clock_s: float) -> list[str]:
    """Remove the oldest files beyond what is to be kept, never the one being written; return what went, in words."""
    said = []
    found = files(folder)
    sizes = {path: _size(path) for path in found}
    for path in found[:-1]:
        old = retention.keep_days > 0.0 and clock_s - path.stat().st_mtime > retention.keep_days * _DAY_S
        over = 0 < retention.keep_bytes < sum(sizes.values())
        if not (old or over):
            break
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm", f"{path.stem}.parquet"):
            path.with_name(name).unlink(missing_ok=True)
        del sizes[path]
        why = f"older than {retention.keep_days:g} days" if old else f"over {retention.keep_bytes / 1e9:g} GB"
        said.append(f"log: {path.name} is removed: {why}")
    return said


def _size(path: Path) -> int:
    beside = (path, path.with_suffix(".parquet"), path.with_name(f"{path.name}-wal"))
    return sum(each.stat().st_size for each in beside if each.exists())
