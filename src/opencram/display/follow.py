"""A live service looked at from beside it: its log is read as it grows, and what operators do is handed to it.

`opencram live` does not know who looks: a display that stalls, ends or is started anew changes nothing of what it does.
"""

import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Final

from opencram.config.model import Site
from opencram.display.live import Batch, Said
from opencram.errors import RecordingError
from opencram.messages import Header, Health, Message, Operator
from opencram.recording import read_header, read_records
from opencram.runtime.access import Person
from opencram.runtime.logbook import files

POLL_S: Final = 0.1
PAST_NS: Final = 3_600_000_000_000  # so much of the log is read at the start
CHUNK_RECORDS: Final = 10_000
UNREADABLE_S_MAX: Final = 5.0  # a file that is being sealed cannot be read for a moment
CALL_S: Final = 2.0
_NOT_CAUGHT_UP: Final = frozenset({"plot", "rejected", "association"})  # of the past the screen needs none of them


class Log:
    """The files of a live log, read on from where the last call ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path: Path | None = None
        self._next = 1
        self._caught_up = False
        self._failing_since_s: float | None = None

    def new(self) -> list[Message]:
        """Return the messages that have come since the last call; of many the first `CHUNK_RECORDS`."""
        try:
            if self._path is None and (path := self._first()) is not None:
                self._path = path
            found = [] if self._path is None else self._read(self._path)
        except RecordingError:
            now_s = time.monotonic()
            self._failing_since_s = self._failing_since_s or now_s
            if now_s - self._failing_since_s > UNREADABLE_S_MAX:
                raise
            return []
        self._failing_since_s = None
        return found

    def _first(self) -> Path | None:
        """Return the file to begin with: an hour back, and never the newest if there is one before it."""
        known = [path for path in files(self._folder) if _begun(path) is not None]
        if not known:
            return None
        newest_ns = _begun(known[-1]) or 0
        before = [path for path in known[:-1] if (_begun(path) or 0) <= newest_ns - PAST_NS]
        return before[-1] if before else known[0]

    def _read(self, path: Path) -> list[Message]:
        found = self._rest(path)
        later = next((p for p in files(self._folder) if p.name > path.name and _begun(p) is not None), None)
        if len(found) < CHUNK_RECORDS and later is not None:  # whole before the next one was begun
            found += self._rest(path)
            self._path, self._next = later, 1
        elif len(found) < CHUNK_RECORDS:
            self._caught_up = True
        return found

    def _rest(self, path: Path) -> list[Message]:
        records = list(islice(read_records(path, first=self._next), CHUNK_RECORDS))
        if records:
            self._next = records[-1].seq + 1
        return [r.message for r in records if self._caught_up or r.kind not in _NOT_CAUGHT_UP]


def _begun(path: Path) -> int | None:
    """Return when a file of the log was begun; None: nothing is in it yet."""
    try:
        return read_header(path).t_ns
    except RecordingError:
        return None


class Door:
    """Where the live service takes what operators do: its HTTP interface, by a token where it asks for one."""

    def __init__(self, site: Site, base: Path, people: Mapping[str, Person]) -> None:
        live = site.live
        assert live.http is not None
        host, port = live.http
        host = "127.0.0.1" if host in ("0.0.0.0", "::") else host
        secure = bool(live.certificate_file and live.key_file)
        self._address = f"http{'s' if secure else ''}://{f'[{host}]' if ':' in host else host}:{port}/operator"
        self._tokens = {who.name: token for token, who in people.items() if who.role == "operator"}
        self._context: ssl.SSLContext | None = None
        if secure:  # the service of this very site, known by its certificate and not by the name of the machine
            self._context = ssl.create_default_context(cafile=str(base / live.certificate_file))
            self._context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            self._context.check_hostname = False

    def hand(self, done: Operator) -> str:
        """Hand over what an operator did; return why it was not taken, or nothing."""
        said = {"action": done.action, "track": done.track_id, "zone": done.zone, "operator": done.operator}
        headers = {"content-type": "application/json"}
        if self._tokens:
            token = self._tokens.get(done.operator) or next(iter(self._tokens.values()))
            headers["authorization"] = f"Bearer {token}"
        request = urllib.request.Request(self._address, json.dumps(said).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=CALL_S, context=self._context):
                return ""
        except OSError as error:  # refused, not there, or too slow
            return f"{done.action} by {done.operator} was not taken by the live service at {self._address}: {error}"


def batches(log: Log, site: Site, hand: Callable[[Operator], str] | None) -> Callable[[Said], Iterator[Batch]]:
    """Return what a live run draws from: messages of the log as they come, faults of handing over among them."""

    def make(said: Said) -> Iterator[Batch]:
        last_ns = 0
        while True:
            found = log.new()
            faults: list[Message] = []
            for message in found:
                last_ns = max(last_ns, message.t_ns)
                if isinstance(message, Header) and message.site_sha256 != site.sha256:
                    reason = "the live service runs under another site file: start opencram serve again"
                    faults.append(Health(t_ns=last_ns, part="display", state="degraded", reason=reason))
            for done in said(last_ns):
                if hand is not None and isinstance(done, Operator) and (fault := hand(done)):
                    faults.append(Health(t_ns=last_ns, part="display", state="degraded", reason=fault))
            yield found, faults
            if len(found) < CHUNK_RECORDS // 2:
                time.sleep(POLL_S)

    return make
