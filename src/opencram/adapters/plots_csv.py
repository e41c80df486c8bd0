"""Radar plots in, as CSV: a header, then one plot a line; names and units through a column map.

Works as `adapters.plots` does for NDJSON: the same gate, the same reasons.  The header is the first line
that holds all columns that a plot needs; lines before it are rejected with the code `header`.  Values in
quotation marks are read, values that run over several lines are not.  Rows that the column map wants sorted wait for
the end of the file, `SORTED_MAX` of them at most.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO, Final

from opencram.adapters.columns import NUMBERS, OF_A_DAY, POLAR, REQUIRED, STANDARD, WHITESPACE, ColumnMap
from opencram.adapters.csv_text import cells_of, number_of, t_ns_of
from opencram.adapters.gate import Gate, Message, Refusal, SensorLimits
from opencram.adapters.lines import line_blocks
from opencram.adapters.stations import Station
from opencram.adapters.times import DAY_NS
from opencram.earth.geodesy import enu_from_ecef

SORTED_MAX: Final = 5_000_000  # rows, about 1.5 GB

_CHUNK_LINES: Final = 512
_EARTH_M: Final = 1e8
_SHOWN: Final = 80  # characters of a line that is no header
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class _Row:
    """A plot as a line holds it: what `Gate.take` wants."""

    t_ns: int
    sensor: str
    numbers: Sequence[float | None]


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
        self._waiting: list[tuple[int, int, _Row | Refusal]] = []  # to be sorted: time of the row before, line
        self._last_ns: int | None = None

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
        self._sort(out)
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
            line = line.removeprefix(_BOM)
        cells = cells_of(line, self._columns)
        if isinstance(cells, list) and cells and self._header is None:
            wrong = self._find_header(self._columns.header or cells)
            if wrong is not None or not self._columns.header:
                cells = wrong or []
        if isinstance(cells, Refusal):
            self._give(out, cells)
        elif cells:
            self._give(out, self._row(cells, cut=cut))

    def _find_header(self, cells: Sequence[str]) -> Refusal | None:
        """Keep the header, or say what is wrong with it."""
        names = [cell.strip() for cell in cells]
        named = {value: self._columns.columns.get(value, value) for value in (*REQUIRED, *NUMBERS, "type")}
        constant = ("sensor",) if self._columns.sensor else ()
        needed = [named[value] for value in self._required if value not in constant] + list(self._columns.ecef or ())
        missing = [name for name in needed if name not in names]
        if missing:
            wanted = ", ".join(ascii(name) for name in missing)
            delimiter = self._columns.delimiter
            there = (" " if delimiter == WHITESPACE else delimiter).join(names)[:_SHOWN]
            split = "1 value" if len(names) == 1 else f"{len(names)} values"
            reason = f"this should be the header, but has no column {wanted}; it is {there!a}, {split} between"
            remedy = "give a column map, or mend its names, its delimiter or its header"
            return Refusal("header", f"{reason} {delimiter!a}: {remedy}")
        if self._columns.ecef is not None:
            named = {value: name for value, name in named.items() if value not in POLAR}
        twice = [name for name in (*named.values(), *(self._columns.ecef or ())) if names.count(name) > 1]
        if twice:
            remedy = "name all columns, each once, as header under [csv] of a column map"
            return Refusal("header", f"the header has the column {twice[0]!a} {names.count(twice[0])} times: {remedy}")
        self._header = names
        self._places = {value: names.index(name) for value, name in named.items() if name in names}
        self._ecef = [names.index(name) for name in self._columns.ecef or ()]
        return None

    def _row(self, cells: list[str], *, cut: bool) -> _Row | Refusal:
        header, places = self._header, self._places
        assert header is not None
        if len(cells) != len(header):
            reason = f"the line has {len(cells)} values, the header has {len(header)} columns"
            short = cut and len(cells) < len(header)
            return Refusal("truncated", "the last line is cut off") if short else Refusal("field", reason)
        values = [cell.strip() for cell in cells]
        if self._columns.missing:
            values = ["" if value in self._columns.missing else value for value in values]
        sensor = self._columns.sensor or values[places["sensor"]]
        where = sensor if self._gate.knows(sensor) else ""
        kind = values[places["type"]] if "type" in places else "plot"
        if kind != "plot":
            return Refusal("type", f"type is {kind[:60]!a}: only plot is read here", None, where)
        t_ns: int | None = None
        name, text = "time", values[places["time"]]
        try:
            t_ns = t_ns_of(text, self._columns, self._last_ns if self._columns.sort else self._gate.about_t_ns)
            numbers: list[float | None] = []
            for name in NUMBERS:
                text = values[places[name]] if name in places else ""
                numbers.append(None if not text and name not in self._required else self._number(name, text))
            if self._columns.ecef is not None:
                name, text = "ecef", ", ".join(values[place] for place in self._ecef)
                numbers[:3] = self._polar(sensor, [values[place] for place in self._ecef])
        except ValueError as error:
            code = "time" if name == "time" else "field"
            reason = f"{name} is {text[:60]!a}: {error}" if text else f"{name} is missing"
            return Refusal(code if text else "field", reason, t_ns, where)
        return _Row(t_ns, sensor, numbers)

    def _give(self, out: list[Message], found: _Row | Refusal) -> None:
        """Hand a row on, or keep it until all can be sorted; a refusal stays behind the row before it."""
        if not self._columns.sort:
            self._take_row(out, self._line, found)
        elif len(self._waiting) >= SORTED_MAX:
            reason = f"only {SORTED_MAX} rows are sorted: sort the file by time, and leave sort out of the column map"
            self._gate.refuse(out, self._line, Refusal("too_long", reason))
        elif isinstance(found, _Row):
            if self._last_ns is None or self._columns.time_unit not in OF_A_DAY:
                self._last_ns = found.t_ns  # times of a day count from the first row, within half a day of it
            self._waiting.append((found.t_ns, self._line, found))
        else:
            self._waiting.append((self._last_ns or 0, self._line, found))

    def _take_row(self, out: list[Message], line: int, found: _Row | Refusal) -> None:
        if isinstance(found, Refusal):
            self._gate.refuse(out, line, found)
        else:
            self._gate.take(out, line, found.t_ns, found.sensor, *found.numbers)  # type: ignore[arg-type]  # three are there

    def _sort(self, out: list[Message]) -> None:
        """Hand on the rows that waited, in the order of time; the first of them is of the day of the column map."""
        rows, self._waiting = sorted(self._waiting, key=lambda each: each[:2]), []
        later_ns = 0
        if self._columns.time_unit in OF_A_DAY:
            first_ns = next((found.t_ns for _, _, found in rows if isinstance(found, _Row)), 0)
            begin_ns = self._columns.day_ns + self._columns.time_offset_ns
            later_ns = (first_ns - begin_ns) // DAY_NS * DAY_NS
        for _, line, found in rows:
            self._take_row(out, line, replace(found, t_ns=found.t_ns - later_ns) if isinstance(found, _Row) else found)

    def _polar(self, sensor: str, texts: list[str]) -> tuple[float, float, float]:
        """Return range (m), azimuth and elevation (degrees) of an earth-centred position, seen from the sensor."""
        frame = self._frames.get(sensor)
        if frame is None:
            if self._gate.knows(sensor):
                raise ValueError("needs the place of the sensor, which is not known here")
            return 1.0, 0.0, 0.0  # the gate refuses an unknown sensor, whatever the numbers
        metres = [number_of(text, self._columns) * self._columns.ecef_factor for text in texts]
        if not all(abs(value) < _EARTH_M for value in metres):
            raise ValueError("must be a place on or about the earth, in the unit of the column map")
        east, north, up = (float(value) for value in enu_from_ecef(frame, metres))
        ring = math.hypot(east, north)
        return math.hypot(ring, up), math.degrees(math.atan2(east, north)), math.degrees(math.atan2(up, ring))

    def _number(self, name: str, text: str) -> float:
        """Return the number in the unit of `name`."""
        value = number_of(text, self._columns)
        factor, offset = self._columns.factors.get(name, 1.0), self._columns.offsets.get(name, 0.0)
        return value if factor == 1.0 and offset == 0.0 else value * factor + offset
