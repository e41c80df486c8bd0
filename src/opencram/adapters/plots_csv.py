"""Radar plots in, as CSV: a header, then one plot a line; names and units through a column map.

Works as `adapters.plots` does for NDJSON: the same gate, the same reasons.  The header is the first line
that holds all columns that a plot needs; lines before it are rejected with the code `header`.  Values in
quotation marks are read, values that run over several lines are not.
"""

import csv
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO, Final

from opencram.adapters.columns import NUMBERS, POLAR, REQUIRED, STANDARD, ColumnMap
from opencram.adapters.gate import Gate, Message, Refusal, SensorLimits
from opencram.adapters.lines import LINE_BYTES_MAX, line_blocks
from opencram.adapters.stations import Station
from opencram.adapters.times import DAY_NS, t_ns_from_rfc3339
from opencram.earth.geodesy import enu_from_ecef

_CHUNK_LINES: Final = 512
_NANOSECONDS: Final = {"epoch_s": 10**9, "epoch_ms": 10**6, "s_of_day": 10**9}
_EARTH_M: Final = 1e8
_TIME_MAX: Final = 1e19  # ns; far beyond what the gate lets through


class CsvPlotReader:
    """Reads CSV plots, in order, from one source; `columns` is what the file's column map says."""

    def __init__(
        self,
        sensors: Mapping[str, SensorLimits],
        columns: ColumnMap = STANDARD,
        gate: Gate | None = None,
        stations: Sequence[Station] = (),
    ) -> None:
        self._gate = gate or Gate(sensors)  # a gate given is shared with other feeds
        self._columns = columns
        self._frames = {station.id: station.frame for station in stations}
        self._required = REQUIRED if columns.ecef is None else tuple(name for name in REQUIRED if name not in POLAR)
        self._header: list[str] | None = None
        self._places: dict[str, int] = {}
        self._ecef: list[int] = []
        self._line = 0
        self._tail: bytes | None = None

    def read(self, lines: Iterable[bytes]) -> Iterator[list[Message]]:
        """Yield the messages of `lines`, chunk by chunk; `lines` may be a file opened in binary mode."""
        rest = iter(lines)
        while chunk := list(itertools.islice(rest, _CHUNK_LINES)):
            yield self.feed(chunk)
        yield self.finish()

    def read_stream(self, stream: BinaryIO) -> Iterator[list[Message]]:
        """Yield the messages of a binary stream as its lines arrive, in bounded memory."""
        for lines, cut in line_blocks(stream):
            yield self._take(lines, cut=cut)
        yield self.finish()

    def feed(self, lines: Sequence[bytes]) -> list[Message]:
        """Return the messages that these lines lead to; a last line without a newline waits for the next call."""
        if not lines:
            return []
        waiting = [] if self._tail is None else [self._tail]
        self._tail = None
        if lines[-1][-1:] != b"\n":
            self._tail = lines[-1]
            lines = lines[:-1]
        return self._take([*waiting, *lines], cut=False)

    def finish(self) -> list[Message]:
        """Return the messages still waiting: the input is at its end."""
        out: list[Message] = []
        if self._tail is not None:
            out = self._take([self._tail], cut=True)
            self._tail = None
        self._gate.finish(out)
        return out

    def _take(self, lines: Sequence[bytes], *, cut: bool) -> list[Message]:
        out: list[Message] = []
        for line in lines:
            self._line += 1
            self._take_line(out, line, cut=cut)
        return out

    def _take_line(self, out: list[Message], line: bytes, *, cut: bool) -> None:
        if self._line == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        cells = self._cells(line)
        if isinstance(cells, list) and self._header is None:
            cells = self._find_header(cells) if cells else []
        if isinstance(cells, Refusal):
            self._gate.refuse(out, self._line, cells)
        elif cells:
            self._take_cells(out, cells, cut=cut)

    def _cells(self, line: bytes) -> list[str] | Refusal:
        """Return the values of a line, none for a blank one."""
        if len(line.rstrip(b"\r\n")) > LINE_BYTES_MAX:
            return Refusal("too_long", f"the line is longer than {LINE_BYTES_MAX // 1024} KiB")
        try:
            text = line.decode("utf-8").strip("\r\n ")
        except UnicodeDecodeError as error:
            return Refusal("not_utf8", f"byte {error.start + 1} of the line, 0x{line[error.start]:02x}, is not UTF-8")
        if not text:
            return []
        if '"' not in text:
            return text.split(self._columns.delimiter)
        try:
            return next(csv.reader([text], delimiter=self._columns.delimiter, strict=True))
        except (csv.Error, StopIteration):
            return Refusal("not_csv", "the quotation marks of the line do not match")

    def _find_header(self, cells: list[str]) -> list[str] | Refusal:
        """Keep the header, or say what it lacks."""
        names = [cell.strip() for cell in cells]
        named = {value: self._columns.columns.get(value, value) for value in (*REQUIRED, *NUMBERS, "type")}
        constant = ("sensor",) if self._columns.sensor else ()
        missing = [named[value] for value in self._required if value not in constant and named[value] not in names]
        missing += [name for name in self._columns.ecef or () if name not in names]
        if missing:
            wanted = ", ".join(ascii(name) for name in missing)
            return Refusal("header", f"this should be the header, but has no column {wanted}: give a column map")
        self._header = names
        self._places = {value: names.index(name) for value, name in named.items() if name in names}
        if self._columns.ecef is not None:
            self._places = {value: place for value, place in self._places.items() if value not in POLAR}
            self._ecef = [names.index(name) for name in self._columns.ecef]
        return []

    def _take_cells(self, out: list[Message], cells: list[str], *, cut: bool) -> None:
        header, places = self._header, self._places
        assert header is not None
        if len(cells) != len(header):
            reason = f"the line has {len(cells)} values, the header has {len(header)} columns"
            short = cut and len(cells) < len(header)
            refusal = Refusal("truncated", "the last line is cut off") if short else Refusal("field", reason)
            self._gate.refuse(out, self._line, refusal)
            return
        sensor = self._columns.sensor or cells[places["sensor"]].strip()
        where = sensor if self._gate.knows(sensor) else ""
        kind = cells[places["type"]].strip() if "type" in places else "plot"
        if kind != "plot":
            self._gate.refuse(
                out, self._line, Refusal("type", f"type is {kind[:60]!a}: only plot is read here", None, where)
            )
            return
        t_ns: int | None = None
        name, text = "time", cells[places["time"]].strip()
        try:
            t_ns = self._t_ns(text)
            numbers: list[float | None] = []
            for name in NUMBERS:
                text = cells[places[name]].strip() if name in places else ""
                numbers.append(None if not text and name not in self._required else self._number(name, text))
            if self._columns.ecef is not None:
                name, text = "ecef", ", ".join(cells[place].strip() for place in self._ecef)
                numbers[:3] = self._polar(sensor, [cells[place].strip() for place in self._ecef])
        except ValueError as error:
            code = "time" if name == "time" else "field"
            reason = f"{name} is {text[:60]!a}: {error}" if text else f"{name} is missing"
            self._gate.refuse(out, self._line, Refusal(code if text else "field", reason, t_ns, where))
            return
        self._gate.take(out, self._line, t_ns, sensor, *numbers)  # type: ignore[arg-type]  # the first three are there

    def _polar(self, sensor: str, texts: list[str]) -> tuple[float, float, float]:
        """Return range (m), azimuth and elevation (degrees) of an earth-centred position, seen from the sensor."""
        frame = self._frames.get(sensor)
        if frame is None:
            if self._gate.knows(sensor):
                raise ValueError("needs the place of the sensor, which is not known here")
            return 1.0, 0.0, 0.0  # the gate refuses an unknown sensor, whatever the numbers
        metres = [self._number("ecef", text) * self._columns.ecef_factor for text in texts]
        if not all(abs(value) < _EARTH_M for value in metres):
            raise ValueError("must be a place on or about the earth, in the unit of the column map")
        east, north, up = (float(value) for value in enu_from_ecef(frame, metres))
        ring = math.hypot(east, north)
        return math.hypot(ring, up), math.degrees(math.atan2(east, north)), math.degrees(math.atan2(up, ring))

    def _number(self, name: str, text: str) -> float:
        """Return the number in the unit of `name`; NaN and the infinities are the gate's business."""
        if "_" in text:  # Python reads 1_000; nobody else does
            raise ValueError("must be a number")
        try:
            value = float(text)
        except ValueError as error:
            raise ValueError("must be a number") from error
        factor = self._columns.factors.get(name, 1.0)
        return value if factor == 1.0 else value * factor

    def _t_ns(self, text: str) -> int:
        """Return the time in nanoseconds.

        Seconds of the day run over at midnight: the day is that which brings the time nearest to that of
        the plots before, so that a bad line cannot turn the calendar.
        """
        columns = self._columns
        if columns.time_unit == "rfc3339":
            return t_ns_from_rfc3339(text)
        t_ns = _nanoseconds(text, _NANOSECONDS[columns.time_unit], columns.time_scale)
        if columns.time_unit != "s_of_day":
            return t_ns
        if not 0 <= t_ns <= DAY_NS:
            raise ValueError("must be within the 86400 seconds of a day")
        t_ns += columns.day_ns
        about_ns = self._gate.about_t_ns
        return t_ns if about_ns is None else t_ns + DAY_NS * ((about_ns - t_ns + DAY_NS // 2) // DAY_NS)


def _nanoseconds(text: str, unit_ns: int, scale: float) -> int:
    """Return a count of `unit_ns` times `scale` in nanoseconds, exactly where it is a plain decimal."""
    whole, _, fraction = text.partition(".")
    if scale == 1.0 and whole.isascii() and whole.isdigit() and (not fraction or fraction.isdigit()) and len(text) < 40:
        parts = int((fraction or "0")[:18].ljust(18, "0"))
        return int(whole) * unit_ns + parts * unit_ns // 10**18
    try:
        value = float(text) * scale * unit_ns
    except ValueError as error:
        raise ValueError("must be a number") from error
    if not math.isfinite(value) or abs(value) > _TIME_MAX or "_" in text:
        raise ValueError("must be a finite number")
    return round(value)
