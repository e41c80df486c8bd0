"""Live feeds without their sockets: bytes in, plots, rejections and health out.

    gate = Gate(limits(stations))                       # one for all feeds of a site: it counts the plots
    feed = Feed(FeedConfig(name="north", format="asterix"), stations, gate)
    received = feed.receive(datagram, clock_ns)         # .messages, .reply for the peer, .fatal
    healths = feed.check(clock_ns)                      # some times a second, whatever comes
    status = feed.status(clock_ns)                      # once a second, for the log and the health page

A feed is one socket: datagrams, or a stream whose connections follow one another (`connected`,
`disconnected`).  The clock is the caller's; nothing here reads one.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from opencram.adapters.columns import STANDARD, ColumnMap
from opencram.adapters.gate import Gate, Refusal
from opencram.adapters.lines import LINE_BYTES_MAX
from opencram.adapters.plots import PlotReader
from opencram.adapters.plots_csv import CsvPlotReader
from opencram.adapters.stations import Station, limits, numbered
from opencram.adapters.twins import Twins
from opencram.adapters.watch import SensorWatch, Window
from opencram.messages import FeedStatus, Health, Plot, Rejected

Message = Plot | Rejected | Health
Format = Literal["ndjson", "csv", "asterix", "sapient"]


@dataclass(frozen=True, kw_only=True)
class FeedConfig:
    """One feed.  `sensors`: those whose plots come this way (none named: all of the site)."""

    name: str
    format: Format
    stream: bool = False  # TCP and the like; else datagrams
    sensors: tuple[str, ...] = ()
    simulated: bool = False  # take targets that a radar marks as simulated
    columns: ColumnMap = STANDARD  # of a CSV feed
    late_s_max: float = 0.5  # plots that come later than this after their time are late
    ahead_s_max: float = 0.1  # and those before it by more than this have a wrong clock
    start_s: float = 0.0  # so long may a sensor take to be heard for the first time


@dataclass(frozen=True)
class Received:
    """What some bytes led to.  `reply` goes back on the connection; `fatal`: close it, nothing can follow."""

    messages: list[Message] = field(default_factory=list)
    reply: bytes = b""
    fatal: bool = False


class _Parser(Protocol):
    """What turns the bytes of one connection, or of one socket for datagrams, into messages."""

    def receive(self, data: bytes, t_ns: int) -> Received:
        """Return what these bytes lead to."""

    def finish(self) -> list[Message]:
        """Return what the end of the connection means for what waited."""

    def alive(self) -> dict[str, int]:
        """Return the time of the last sign of life, other than plots, of each sensor."""


class _Lines:
    """NDJSON or CSV: whole lines to a reader."""

    def __init__(self, reader: PlotReader | CsvPlotReader, gate: Gate, *, stream: bool) -> None:
        self._reader = reader
        self._gate = gate
        self._stream = stream
        self._tail = b""

    def receive(self, data: bytes, t_ns: int) -> Received:
        """Return what these bytes lead to; a datagram's last line may lack its newline, a stream's waits."""
        del t_ns
        if self._stream and b"\n" not in data:
            # A line beyond the limit is kept in part, still longer than the limit: the reader refuses it.
            if len(self._tail) <= LINE_BYTES_MAX:
                self._tail = (self._tail + data)[: LINE_BYTES_MAX + 1]
            return Received()
        lines = _split(data)
        if lines:
            lines[0] = self._tail + lines[0]
            self._tail = b""
        if lines and not lines[-1].endswith(b"\n"):
            if self._stream:
                self._tail = lines.pop()[: LINE_BYTES_MAX + 1]
            else:
                lines[-1] += b"\n"
        return Received(list(self._reader.feed(lines)))

    def finish(self) -> list[Message]:
        """Return what a line cut by the end of the connection leads to."""
        tail, self._tail = self._tail, b""
        return list(self._reader.feed([tail + b"\n"])) if tail else []

    def alive(self) -> dict[str, int]:
        """Return nothing: lines hold plots only."""
        return {}


def _split(data: bytes) -> list[bytes]:
    """Return lines that end in a newline, and the rest; a carriage return alone ends no line."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _is_whole_block(datagram: bytes) -> bool:
    """Return whether a datagram is one ASTERIX data block, by the length that it says."""
    return len(datagram) > 3 and int.from_bytes(datagram[1:3], "big") == len(datagram)


class _Asterix:
    """ASTERIX datagrams, or blocks in a stream."""

    def __init__(self, config: FeedConfig, stations: Sequence[Station], gate: Gate) -> None:
        from opencram.adapters.asterix.reader import AsterixReader

        self._reader = AsterixReader(stations, gate, simulated=config.simulated)
        self._stream = config.stream

    def receive(self, data: bytes, t_ns: int) -> Received:
        """Return what these bytes lead to; times of day are those nearest to the receiver's clock."""
        return Received(self._reader.feed(data, t_ns) if self._stream else self._reader.take(data, t_ns))

    def finish(self) -> list[Message]:
        """Return what waited."""
        return self._reader.finish()

    def alive(self) -> dict[str, int]:
        """Return the time of the last service message of each radar."""
        return self._reader.service.heard_t_ns


class _Sapient:
    """One connection of a SAPIENT sensor or middleware."""

    def __init__(self, stations: Sequence[Station], gate: Gate) -> None:
        from opencram.adapters.sapient.fusion import FusionNode

        self._node = FusionNode(stations, gate)

    def receive(self, data: bytes, t_ns: int) -> Received:
        """Return what these bytes lead to, and the answers owed."""
        del t_ns
        found = self._node.receive(data)
        return Received(found.messages, found.reply, found.fatal)

    def finish(self) -> list[Message]:
        """Return what waited."""
        return self._node.finish()

    def alive(self) -> dict[str, int]:
        """Return the time of the last status report or detection of each sensor."""
        return self._node.heard_t_ns


class Feed:
    """One feed: its parser, its statistics, and a watch on each of its sensors."""

    def __init__(self, config: FeedConfig, stations: Sequence[Station], gate: Gate) -> None:
        self.config = config
        self._stations = numbered(stations)
        self._gate = gate
        chosen = [s for s in self._stations if not config.sensors or s.id in config.sensors]
        times_s = (config.late_s_max, config.ahead_s_max, config.start_s)
        self._watches = {s.id: SensorWatch(s.id, s.period_s, *times_s) for s in chosen}
        self._parser = self._new_parser()
        self._window = Window()
        self._rejected: Counter[str] = Counter()
        self._plots = 0
        self._bytes = 0
        self._last_plot_t_ns: int | None = None
        self._last_received_t_ns: int | None = None
        self._twins = Twins()

    def _new_parser(self) -> _Parser:
        config = self.config
        if config.format == "asterix":
            return _Asterix(config, self._stations, self._gate)
        if config.format == "sapient":
            return _Sapient(self._stations, self._gate)
        sensors = limits(self._stations)
        reader: PlotReader | CsvPlotReader
        if config.format == "csv":
            reader = CsvPlotReader(sensors, config.columns, self._gate, self._stations)
        else:
            reader = PlotReader(sensors, self._gate)
        return _Lines(reader, self._gate, stream=config.stream)

    # ---- what happens on the socket ----

    def connected(self) -> None:
        """Begin a new connection of a stream: nothing of the one before is left over."""
        if self.config.stream:
            self._parser = self._new_parser()

    def receive(self, data: bytes, clock_ns: int) -> Received:
        """Return what a datagram, or the next bytes of a stream, leads to."""
        if not self.config.stream and self._twins.is_twin(data, clock_ns):
            self._bytes += len(data)
            self._last_received_t_ns = clock_ns
            return Received(self._tell_twin(clock_ns))
        return self._receive(data, clock_ns)

    def _receive(self, data: bytes, clock_ns: int) -> Received:
        self._bytes += len(data)
        self._last_received_t_ns = clock_ns
        if self._gate.clocks is not None:
            self._gate.clocks.now_ns = clock_ns
        received = self._parser.receive(data, clock_ns)
        messages = received.messages
        if not messages:  # the gate may be holding plots back: whoever speaks here is not silent
            for watch in self._watches.values():
                watch.bytes_came(clock_ns)
        self._count(messages, clock_ns)
        for sensor in self._parser.alive():
            if sensor in self._watches:
                self._watches[sensor].alive(self._parser.alive()[sensor], clock_ns)
        messages += self._judge(clock_ns)
        return received

    def receive_all(self, pieces: Sequence[bytes], clock_ns: int) -> Received:
        """Return what pieces that came together lead to, as `receive` would one after the other.

        ASTERIX datagrams that are a whole data block each are read as one, at a fraction of the cost.
        """
        if len(pieces) == 1 or not all(map(_is_whole_block, pieces)) or self.config.format != "asterix":
            all_of = [self.receive(piece, clock_ns) for piece in pieces]
            messages = [message for one in all_of for message in one.messages]
            return Received(messages, b"".join(one.reply for one in all_of), any(one.fatal for one in all_of))
        told: list[Message] = []
        fresh = []
        for piece in pieces:
            if not self.config.stream and self._twins.is_twin(piece, clock_ns):
                told += self._tell_twin(clock_ns)
                self._bytes += len(piece)
            else:
                fresh.append(piece)
        received = self._receive(b"".join(fresh), clock_ns) if fresh else Received()
        return Received([*told, *received.messages], received.reply, received.fatal)

    def pass_on(self, messages: Sequence[Plot], clock_ns: int) -> list[Message]:
        """Return messages that need no parser, those of a recording, with what they say of their sensors."""
        self._last_received_t_ns = clock_ns
        self._count(messages, clock_ns)
        return [*messages, *self._judge(clock_ns)]

    def disconnected(self, clock_ns: int) -> list[Message]:
        """Return what the end of a connection leads to."""
        messages = self._parser.finish()
        self._count(messages, clock_ns)
        self.connected()
        return messages

    def check(self, clock_ns: int) -> list[Health]:
        """Return the changes of health that time alone brings: silence, and the end of a fault."""
        return self._judge(clock_ns)

    def status(self, clock_ns: int) -> FeedStatus:
        """Return how the feed is doing."""
        self._window.forget(clock_ns)
        return FeedStatus(
            t_ns=clock_ns,
            feed=self.config.name,
            plots=self._plots,
            rejected=tuple(sorted(self._rejected.items())),
            bytes_received=self._bytes,
            rate_per_s=self._window.rate_per_s,
            delay_s=self._window.delay_s,
            delay_s_max=self._window.delay_s_max,
            clock_drift_ppm=self._window.drift_ppm,
            last_plot_t_ns=self._last_plot_t_ns,
            last_received_t_ns=self._last_received_t_ns,
        )

    def clock_was_set(self, by_ns: int) -> None:
        """Our own clock was set: what was measured by it begins anew."""
        self._window = Window()
        self._twins = Twins()
        for watch in self._watches.values():
            watch.clock_was_set(by_ns)

    def dropped(self, count: int) -> None:
        """Take that so many datagrams were lost before they were read."""
        self._rejected["overflow"] += count

    # ---- what is kept of it ----

    def _count(self, messages: Sequence[Message], clock_ns: int) -> None:
        newest: dict[str, int] = {}
        counts: dict[str, int] = {}
        for message in messages:
            if type(message) is Plot:
                sensor = message.sensor
                counts[sensor] = counts.get(sensor, 0) + 1
                if message.t_ns > newest.get(sensor, 0):
                    newest[sensor] = message.t_ns
            elif isinstance(message, Rejected) and message.code != "twin":  # those are counted as they come
                self._rejected[message.code] += 1
                watch = self._watches.get(message.sensor)
                if watch is not None:
                    watch.rejected(message.code, clock_ns)
        for sensor, count in counts.items():
            self._plots += count
            self._window.plots(count, clock_ns)
            if sensor in self._watches:
                self._watches[sensor].plots(count, clock_ns)
        # Older plots beside the newest may have waited, at the gate or on their way: only the newest tells the delay.
        for sensor, t_ns in newest.items():
            self._last_plot_t_ns = max(self._last_plot_t_ns or 0, t_ns)
            self._window.delay(t_ns, clock_ns)
            if sensor in self._watches:
                self._watches[sensor].delay(t_ns, clock_ns)

    def _judge(self, clock_ns: int) -> list[Health]:
        for sensor, watch in self._watches.items():
            watch.offset_s = None if self._gate.clocks is None else self._gate.clocks.offset_s(sensor)
        healths = (watch.judge(clock_ns, self._window.drift_ppm) for watch in self._watches.values())
        return [health for health in healths if health is not None]

    def _tell_twin(self, clock_ns: int) -> list[Message]:
        """Count the second copy of a datagram; say so the first time."""
        self._rejected["twin"] += 1
        out: list[Plot | Rejected] = []
        if self._twins.count == 1:
            words = f"feed {self.config.name} sends every datagram twice; the copies are only counted from here on"
            self._gate.refuse(out, 0, Refusal("twin", words, clock_ns))
        return list(out)
