"""One screen's place in time: it plays, pauses, is wound to another moment, or follows a live run.

A session owns a cursor and, away from the live end, a picture of its own.  It makes what to send only when it is
asked: a slow screen asks less often and so gets the newest frame, and every event since its last one.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from opencram.display.frames import Encoder, lines
from opencram.display.picture import Picture, standing
from opencram.display.rows import ms, state_rows
from opencram.display.timeline import Timeline

SPEED_MIN, SPEED_MAX = 0.1, 20.0
PLAYING, FOLLOWING = 1, 2  # flags of a frame
SILENT_PERIODS = 3.0  # a radar that misses so many turns is degraded,
SILENT_S_MIN = 1.5  # but not within this time,
LOST_S = 10.0  # and after this it is lost
LOG_EVENTS = 60  # of the past that a screen is told with the state
FRAME_S = 0.1
LINES_S = 0.5  # trails and paths are sent twice a second, as tracks are
GROWN_MAX = 20  # a screen that is later than so many half seconds gets every line whole
_json = msgspec.json.Encoder()


@dataclass
class Shared:
    """What all sessions of a server have in common.

    Frames and lines of the live end are made once, by whoever asks first in a tenth or half of a second, for all.
    """

    timeline: Timeline
    encoder: Encoder
    periods_s: dict[str, float]
    live: bool = False
    arrived_s: float = 0.0  # when the last live batch came, on the clock of the server
    frame: tuple[int, bytes] = (-1, b"")  # of which tenth
    half: int = -1  # the half second whose lines were made last,
    grown: deque[bytes] = field(
        default_factory=lambda: deque(maxlen=GROWN_MAX)
    )  # the last of them, each since the one before
    whole: tuple[int, bytes] = (-1, b"")  # every line whole, for those who come: of which half second
    made: int = 0  # how many there ever were,
    lines_seq: int = 0  # up to which record,
    trailed: dict[int, int] = field(default_factory=dict)  # and up to which points of trails


class Place(NamedTuple):
    """How far a screen that follows has been told; two at the same place are told the same next."""

    sent_seq: int  # the last record whose event it has
    half: int  # the half second whose lines were sent last; -1: none yet
    made: int  # how many of the shared lines have been sent


class Session:
    """The cursor of one screen."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self.following = shared.live
        self.playing = True
        self.speed = 1.0
        self.t_ns = shared.timeline.end_ns if shared.live else shared.timeline.begin_ns
        self._picture = shared.timeline.latest if shared.live else Picture()
        self._sent_seq, self._half, self._made = Place(0, -1, 0)
        self._lines_seq = 0
        self._trailed: dict[int, int] = {}

    @property
    def moment(self) -> tuple[Picture, int]:
        """The picture that is shown, and its time."""
        return self._picture, self.t_ns

    @property
    def place(self) -> Place:
        """How far this screen has been told."""
        return Place(self._sent_seq, self._half, self._made)

    def move_on(self, place: Place) -> None:
        """Follow to where another screen that was at the same place has been told."""
        self.advance(0.0)
        self._sent_seq, self._half, self._made = place

    def seek(self, t_ns: int) -> None:
        """Go to another moment; a live run is left until `follow`."""
        timeline = self._shared.timeline
        own = None if self._picture is timeline.latest else self._picture
        self.following = False
        self.t_ns = min(max(t_ns, timeline.begin_ns), timeline.end_ns)
        self._picture = timeline.at(self.t_ns, own)
        self._begin_anew()

    def follow(self) -> None:
        """Go to the end, and with it: what a live screen does."""
        if not self._shared.live:
            self.seek(self._shared.timeline.end_ns)
            return
        self.following, self.playing, self.speed = True, True, 1.0
        self._picture = self._shared.timeline.latest
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Count events from this moment, and send every line whole."""
        self._sent_seq, self._lines_seq, self._trailed, self._half = self._picture.seq, 0, {}, -1

    def set_speed(self, speed: float) -> None:
        """Play so many times as fast as time went."""
        self.speed = min(max(speed, SPEED_MIN), SPEED_MAX)

    def advance(self, elapsed_s: float) -> None:
        """Let time go on by so much on the clock of the server."""
        timeline = self._shared.timeline
        if self.following and self.playing:
            self._picture, self.t_ns = timeline.latest, timeline.end_ns
            return
        if not self.playing:
            return
        self.t_ns = min(self.t_ns + round(elapsed_s * self.speed * 1e9), timeline.end_ns)
        self.t_ns = max(self.t_ns, timeline.begin_ns)
        self._picture = timeline.advance(self._picture, self.t_ns)
        if self.t_ns >= timeline.end_ns and not self._shared.live:
            self.playing = False

    def state(self) -> bytes:
        """Return everything that is known at this moment; events count on from here."""
        self._begin_anew()
        recent = [msgspec.Raw(e.json) for e in self._shared.timeline.events_before(self._picture.seq, LOG_EVENTS)]
        return _json.encode({"type": "state"} | state_rows(self._picture) | {"now": ms(self.t_ns), "log": recent})

    def missed(self, after_seq: int) -> bytes | None:
        """Return what a screen that comes back has missed since a record, up to what `state` told it."""
        return self._events(after_seq, self._sent_seq, missed=True)

    def outgoing(self, now_s: float) -> Iterator[str | bytes]:
        """Give what a screen is told next, in its order: events, frame, lines, and then how radars and time stand."""
        if (events := self.events()) is not None:
            yield events.decode()
        yield self.frame(now_s)
        yield from (changed := self.lines(now_s))
        if changed:
            yield self.status().decode()
        if changed or not self.playing:
            yield self.player().decode()

    def events(self) -> bytes | None:
        """Return the events since the last call, or None."""
        after, self._sent_seq = self._sent_seq, self._picture.seq
        return self._events(after, self._sent_seq)

    def _events(self, after_seq: int, to_seq: int, *, missed: bool = False) -> bytes | None:
        found = self._shared.timeline.events_between(after_seq, to_seq)
        if not found:
            return None
        kind = b'"missed"' if missed else b'"events"'
        return b'{"type":' + kind + b',"items":[' + b",".join(event.json for event in found) + b"]}"

    def player(self) -> bytes:
        """Return how time goes for this screen."""
        said = {"type": "player", "playing": self.playing, "following": self.following, "speed": self.speed}
        return _json.encode(said)

    def status(self) -> bytes:
        """Return the health of the radars as their plots show it."""
        found = []
        for sensor, period_s in self._shared.periods_s.items():
            seen = self._picture.sensors.get(sensor)
            silent_s = (self.t_ns - seen.t_ns) / 1e9 if seen is not None else None
            late_s = max(SILENT_PERIODS * period_s, SILENT_S_MIN)
            state = "unknown" if silent_s is None else "ok" if silent_s <= late_s else "degraded"
            if silent_s is not None and silent_s > LOST_S:
                state = "lost"
            found.append({"id": sensor, "silent": silent_s, "state": state, "plots": seen.plots if seen else 0})
        return _json.encode({"type": "status", "sensors": found, "ahead": self._ahead()})

    def _ahead(self) -> dict[str, Any] | None:
        """Return the alarms of a live run that a screen which looks at the past does not show, or None."""
        if not self._shared.live or (self.following and self.playing):
            return None
        new = [
            alarm
            for alarm in standing(self._shared.timeline.latest.alarms)
            if alarm.issued_t_ns > self.t_ns and alarm.acknowledged_t_ns is None
        ]
        first = new[0].warning if new else None
        return {
            "alarms": len(new),
            "zone": first.zone if first else "",
            "impact": ms(first.impact_t_ns) if first else 0.0,
            "end": ms(self._shared.timeline.end_ns),
        }

    def frame(self, now_s: float) -> bytes:
        """Return the tracks as they stand, in columns."""
        shared, timeline = self._shared, self._shared.timeline
        tenth = int(now_s / FRAME_S)
        if self.following and shared.frame[0] == tenth:
            return shared.frame[1]
        flags = (PLAYING if self.playing else 0) | (FOLLOWING if self.following else 0)
        newest_ns = max((seen.t_ns for seen in self._picture.sensors.values()), default=self.t_ns)
        age_s = now_s - shared.arrived_s if self.following else max((self.t_ns - newest_ns) / 1e9, 0.0)
        made = shared.encoder.frame(self._picture, self.t_ns, timeline.begin_ns, timeline.end_ns, age_s, flags)
        if self.following:
            shared.frame = (tenth, made)
        return made

    def lines(self, now_s: float) -> list[bytes]:
        """Return trails and paths as far as they have changed since the last call, once in a half second."""
        shared, half, first = self._shared, int(now_s / LINES_S), self._half < 0
        if half == self._half:
            return []
        self._half = half
        if not self.following:
            after, trailed = self._lines_seq, self._trailed
            self._lines_seq, self._trailed = self._picture.seq, dict(self._picture.trailed)
            return [lines(self._picture, after, trailed)]
        if shared.half != half:
            shared.half, shared.made = half, shared.made + 1
            shared.grown.append(lines(self._picture, shared.lines_seq, shared.trailed))
            shared.lines_seq, shared.trailed = self._picture.seq, dict(self._picture.trailed)
        late, self._made = shared.made - self._made, shared.made
        if first or late > len(shared.grown):
            if shared.whole[0] != half:
                shared.whole = (half, lines(self._picture, 0, {}))
            return [shared.whole[1]]
        return list(shared.grown)[len(shared.grown) - late :]
