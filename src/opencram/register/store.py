"""The register on disk: one SQLite file.  Raids are added once; reports are added and never changed."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from opencram.errors import FileError, OpencramError
from opencram.register.model import Raid, Report

_APPLICATION_ID = 0x4F435244  # "OCRD"
_VERSION = 1
_TABLES = """
CREATE TABLE raid (raid INTEGER PRIMARY KEY, digest TEXT UNIQUE, start_t_ns INTEGER, summary BLOB);
CREATE TABLE report (report INTEGER PRIMARY KEY, raid INTEGER REFERENCES raid, said BLOB);
CREATE TRIGGER report_stands BEFORE UPDATE ON report BEGIN SELECT RAISE(ABORT, 'a report stands as it was given'); END;
CREATE TRIGGER report_stays BEFORE DELETE ON report BEGIN SELECT RAISE(ABORT, 'a report stands as it was given'); END;
"""


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which raids: None or empty lets all pass.  Times are UTC ns, from inclusive to exclusive."""

    from_t_ns: int | None = None
    to_t_ns: int | None = None
    class_name: str = ""
    district: str = ""
    site: str = ""
    source: str = ""

    def holds(self, raid: Raid) -> bool:
        """Return whether a raid passes."""
        return (
            (self.from_t_ns is None or raid.start_t_ns >= self.from_t_ns)
            and (self.to_t_ns is None or raid.start_t_ns < self.to_t_ns)
            and (not self.class_name or self.class_name in raid.classes)
            and (not self.district or self.district.casefold() in " / ".join(raid.districts).casefold())
            and (not self.site or self.site.casefold() in raid.site.casefold())
            and (not self.source or self.source == raid.source)
        )


@contextmanager
def opened(path: Path, *, create: bool = False) -> Iterator["Register"]:
    """Yield the register in a file; raise `FileError` where there is none, or something else."""
    if not create and not path.is_file():
        raise FileError(f"{path}: there is no register here; opencram raids add RECORDING begins one")
    if not path.absolute().parent.is_dir():
        raise FileError(f"{path}: there is no folder {path.parent}; make it first")
    try:
        base = sqlite3.connect(path)
        [(application,)] = base.execute("PRAGMA application_id").fetchall()
        [(tables,)] = base.execute("SELECT count(*) FROM sqlite_master").fetchall()
        if not tables and create:
            base.executescript(f"PRAGMA application_id={_APPLICATION_ID}; PRAGMA user_version={_VERSION};{_TABLES}")
        elif application != _APPLICATION_ID:
            base.close()
            raise FileError(f"{path}: is no register of raids; give another --db")
    except sqlite3.Error as error:
        raise FileError(f"{path}: cannot be opened as a register of raids ({error}); give another --db") from error
    try:
        yield Register(base)
    finally:
        base.close()


class Register:
    """Raids and reports."""

    def __init__(self, base: sqlite3.Connection) -> None:
        self._base = base

    def add(self, raid: Raid) -> tuple[int, bool]:
        """Keep a raid; return its number, and whether it was new."""
        known = self._base.execute("SELECT raid FROM raid WHERE digest = ?", (raid.digest,)).fetchone()
        if known:
            return int(known[0]), False
        with self._base:
            row = (raid.digest, raid.start_t_ns, msgspec.msgpack.encode(raid))
            made = self._base.execute("INSERT INTO raid (digest, start_t_ns, summary) VALUES (?, ?, ?)", row)
        assert made.lastrowid is not None
        return made.lastrowid, True

    def raids(self, which: Filter | None = None) -> list[Raid]:
        """Return the raids by time."""
        rows = self._base.execute("SELECT raid, summary FROM raid ORDER BY start_t_ns, raid")
        found = [replace(msgspec.msgpack.decode(data, type=Raid), raid=number) for number, data in rows]
        return [raid for raid in found if which is None or which.holds(raid)]

    def raid(self, number: int) -> Raid:
        """Return one raid; raise `OpencramError` where there is none."""
        row = self._base.execute("SELECT summary FROM raid WHERE raid = ?", (number,)).fetchone()
        if row is None:
            raise OpencramError(f"there is no raid {number} in the register; opencram raids list shows all")
        return replace(msgspec.msgpack.decode(row[0], type=Raid), raid=number)

    def report(self, report: Report) -> int:
        """Keep a report beside those that there are; return its number."""
        self.raid(report.raid)
        with self._base:
            made = self._base.execute(
                "INSERT INTO report (raid, said) VALUES (?, ?)", (report.raid, msgspec.msgpack.encode(report))
            )
        assert made.lastrowid is not None
        return made.lastrowid

    def reports(self, raid: int) -> tuple[Report, ...]:
        """Return what was reported of a raid, in the order in which it came."""
        rows = self._base.execute("SELECT report, said FROM report WHERE raid = ? ORDER BY report", (raid,))
        return tuple(replace(msgspec.msgpack.decode(said, type=Report), report=number) for number, said in rows)
