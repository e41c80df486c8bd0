"""The log in memory, so that any moment of it can be shown at once; a live run appends, a recording has an end.

Every `SNAPSHOT_RECORDS` records the picture is copied: the state at any time is the copy before it and the few
records in between.  Events are put into JSON once, whoever listens.

It belongs to one thread: a screen asked on another, between a record and its event, would never be told of that event.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from opencram.display.picture import Picture, Seen
from opencram.display.rows import event_of, ms
from opencram.messages import Association, FeedStatus, Header, Impact, Message, Plot, Rejected, Tick, Track, Warning

SNAPSHOT_RECORDS = 1500  # folding so many takes some milliseconds
MARKS_MAX = 5000
LIVE_RECORDS_MAX = 300_000  # of a live run, some 2 kB each: an hour of 20 tracks; what is older is in its recording

_NOT_SHOWN = (Association, Rejected, FeedStatus, Header)
_MARKED = {"issued": "alarm", "cancelled": "cancelled", "all_clear": "all_clear", "expired": "expired"}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the log on the screen, as JSON.  `seq` is the record it came from."""

    seq: int
    json: bytes


class Timeline:
    """Records in order, and the latest picture.  `records_max`: older ones are let go beyond so many; 0: never."""

    def __init__(self, records_max: int = 0) -> None:
        self.latest = Picture()
        self._records_max = records_max
        self._gone = 0  # records that have been let go
        self.begin_ns = 0
        self.events: list[Event] = []
        self.marks: list[tuple[float, str, str]] = []  # time (ms), kind, of which zone, track or effector
        self._records: list[Message | Seen] = []
        self._known_ns: list[int] = []  # when each record was known: time never goes back
        self._snapshots: list[Picture] = [Picture()]
        self._snapshot_seqs: list[int] = [0]
        self._plots: dict[str, int] = {}
        self._encoder = msgspec.json.Encoder()

    @property
    def end_ns(self) -> int:
        """How far data time has come."""
        return self.latest.now_ns

    def extend(self, messages: Iterable[Message]) -> None:
        """Append messages of the log."""
        for message in messages:
            self.append(message)

    def append(self, message: Message) -> None:
        """Append one message of the log.  Plots count for their sensor only, and what is not shown is not kept."""
        if type(message) is Plot:
            self._plots[message.sensor] = self._plots.get(message.sensor, 0) + 1
            return
        if isinstance(message, _NOT_SHOWN):
            return
        if type(message) is Tick:
            for sensor, plots in self._plots.items():
                self._keep(Seen(message.t_ns, sensor, plots))
            self._plots.clear()
        if type(message) is Track and message.hypotheses:
            message = msgspec.structs.replace(message, hypotheses=())
        if type(message) is Impact and message.components:
            message = msgspec.structs.replace(message, components=())
        self._keep(message)

    def at(self, t_ns: int, near: Picture | None = None) -> Picture:
        """Return what was known at `t_ns`, as a picture of one's own.

        `near`: one's own picture of another moment, which is carried on and returned where that is the shorter way.
        """
        records = self._gone + bisect_right(self._known_ns, t_ns)
        nearest = bisect_right(self._snapshot_seqs, records) - 1
        if near is not None and self._snapshot_seqs[nearest] <= near.seq <= records:
            picture = near
        else:
            picture = self._snapshots[nearest].copy()
        for record in self._records[picture.seq - self._gone : records - self._gone]:
            picture.take(record)
        return picture

    def advance(self, picture: Picture, t_ns: int) -> Picture:
        """Return `picture` with what came to be known by `t_ns` folded in; another one if what it lacks is gone."""
        first = picture.seq - self._gone
        if first < 0:
            return self.at(t_ns)
        for record in self._records[first : bisect_right(self._known_ns, t_ns, first)]:
            picture.take(record)
        return picture

    def events_between(self, after_seq: int, to_seq: int) -> list[Event]:
        """Return the events after one record, up to another."""
        first = bisect_right(self.events, after_seq, key=lambda event: event.seq)
        return self.events[first : bisect_right(self.events, to_seq, first, key=lambda event: event.seq)]

    def events_before(self, seq: int, number: int) -> list[Event]:
        """Return the last events up to a record."""
        last = bisect_right(self.events, seq, key=lambda event: event.seq)
        return self.events[max(last - number, 0) : last]

    def _keep(self, record: Message | Seen) -> None:
        latest = self.latest
        latest.take(record)
        if not self._records:
            self.begin_ns = latest.now_ns
        self._records.append(record)
        self._known_ns.append(latest.now_ns)
        if latest.seq - self._snapshot_seqs[-1] >= SNAPSHOT_RECORDS:
            self._snapshots.append(latest.copy())
            self._snapshot_seqs.append(latest.seq)
            self._let_go()
        found = event_of(latest, record)
        if found is None:
            return
        kind, row = found
        told = {"seq": latest.seq, "known": ms(latest.now_ns), "kind": kind, "row": row}
        self.events.append(Event(latest.seq, self._encoder.encode(told)))
        self._mark(record, kind, row)

    def _let_go(self) -> None:
        """Keep no more records than may be kept: from the oldest copy of the picture on."""
        while self._records_max and len(self._records) > self._records_max and len(self._snapshots) > 1:
            del self._snapshots[0], self._snapshot_seqs[0]
            last = self._snapshot_seqs[0]
            del self._records[: last - self._gone], self._known_ns[: last - self._gone]
            self._gone = last
            self.begin_ns = self._known_ns[0] if self._known_ns else self.latest.now_ns
            del self.events[: bisect_right(self.events, last, key=lambda event: event.seq)]
            begin_ms = ms(self.begin_ns)
            self.marks = [mark for mark in self.marks if mark[0] >= begin_ms]

    def _mark(self, record: Message | Seen, kind: str, row: dict[str, object]) -> None:
        if len(self.marks) >= MARKS_MAX:
            return
        t_ms = ms(self.latest.now_ns)
        if isinstance(record, Warning) and record.state in _MARKED:
            self.marks.append((t_ms, _MARKED[record.state], record.zone))
        elif kind == "engagement":
            self.marks.append((t_ms, str(row["state"]), str(row["track"])))
        elif kind == "ended" and row["reason"] == "impact":
            self.marks.append((t_ms, "impact", str(row["track"])))
