"""Radar plots in, as NDJSON: one JSON object a line, the names and units of the formats.

    reader = PlotReader({"north": SensorLimits(range_m_max=20_000.0, period_s=0.1)})
    with open("plots.ndjson", "rb") as stream:
        for messages in reader.read_stream(stream):   # lists of Plot and Rejected
            ...

Nothing that a file can hold makes it raise.  A line that is not a good plot becomes a `Rejected` with the
reason, and leaves no trace in what becomes of the others: see `adapters.gate`.
"""

import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Final, Literal

import msgspec

from opencram.adapters.gate import Gate, Message, Refusal, SensorLimits
from opencram.adapters.lines import LINE_BYTES_MAX, line_blocks
from opencram.adapters.times import t_ns_from_rfc3339

__all__ = ["PlotReader", "SensorLimits"]

_CHUNK_LINES: Final = 512
_REQUIRED: Final = ("range_m", "azimuth_deg", "elevation_deg")
_OPTIONAL: Final = ("range_rate_m_s", "snr_db", "range_std_m", "azimuth_std_deg", "elevation_std_deg")
_SHOWN_CHARACTERS: Final = 60


class _Line(msgspec.Struct, gc=False):
    """A good line, as the fast decoder takes it apart."""

    type: Literal["plot"]
    time: str
    sensor: str
    range_m: float
    azimuth_deg: float
    elevation_deg: float
    range_rate_m_s: float | None = None
    snr_db: float | None = None
    range_std_m: float | None = None
    azimuth_std_deg: float | None = None
    elevation_std_deg: float | None = None


class PlotReader:
    """Reads NDJSON plots, in order, from one source.  Same lines in, same messages out, however cut."""

    def __init__(self, sensors: Mapping[str, SensorLimits], gate: Gate | None = None) -> None:
        self._gate = gate or Gate(sensors)  # a gate given is shared with other feeds
        self._decode = msgspec.json.Decoder(_Line).decode
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
        """Return the messages that these lines lead to.

        A last line that does not end in a newline may be the end of a cut file: it waits for the next call.
        """
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
        """Return the messages of whole lines; `cut`: the only line has no newline, and nothing follows."""
        out: list[Message] = []
        decode, take, number = self._decode, self._gate.take, self._line
        time, t_ns = "", 0  # of the line before: the plots of a dwell mostly share theirs
        for line in lines:
            number += 1
            try:
                # Non-ASCII goes the slow way: the fast decoder does not look into strings that it skips.
                if len(line) > LINE_BYTES_MAX or not line.isascii():
                    raise ValueError
                p = decode(line)
                if p.time != time:
                    t_ns = t_ns_from_rfc3339(p.time)
                    time = p.time
            except (ValueError, RecursionError):  # msgspec's own errors are ValueErrors
                self._take_odd(out, number, line, cut=cut)
                continue
            take(
                out,
                number,
                t_ns,
                p.sensor,
                p.range_m,
                p.azimuth_deg,
                p.elevation_deg,
                p.range_rate_m_s,
                p.snr_db,
                p.range_std_m,
                p.azimuth_std_deg,
                p.elevation_std_deg,
            )
        self._line = number
        return out

    def _take_odd(self, out: list[Message], number: int, line: bytes, *, cut: bool) -> None:
        """Find out what a line is that the fast way does not take: blank, good after all, or wrong, and how."""
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        read = _read_object(line, cut=cut)
        if read is None:
            return
        found = read if isinstance(read, Refusal) else _read_fields(read, self._gate)
        if isinstance(found, Refusal):
            self._gate.refuse(out, number, found)
        else:
            self._gate.take(out, number, *found)


def _read_object(line: bytes, *, cut: bool) -> dict[str, Any] | Refusal | None:
    """Return the JSON object of a line, NaN and infinities let in; None for a blank line."""
    if not line.strip():
        return None
    if len(line.rstrip(b"\r\n")) > LINE_BYTES_MAX:
        return Refusal("too_long", f"the line is longer than {LINE_BYTES_MAX // 1024} KiB")
    try:
        value = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        return _not_json(line, error, cut=cut and line.lstrip().startswith(b"{"))
    return value if isinstance(value, dict) else Refusal("not_json", "the line is not a JSON object")


def _not_json(line: bytes, error: Exception, *, cut: bool) -> Refusal:
    if cut:
        return Refusal("truncated", "the last line is cut off")
    if isinstance(error, UnicodeDecodeError):
        return Refusal("not_utf8", f"byte {error.start + 1} of the line, 0x{line[error.start]:02x}, is not UTF-8")
    if isinstance(error, json.JSONDecodeError):
        return Refusal("not_json", f"the line is not JSON, at character {error.colno}")
    return Refusal("not_json", "the line is nested too deeply, or holds an endless number")


def _read_fields(found: dict[str, Any], gate: Gate) -> tuple[Any, ...] | Refusal:
    """Return time, sensor and numbers of a plot in the order that the gate takes them, or what is wrong."""
    time, sensor = found.get("time"), found.get("sensor")
    t_ns, time_fault = _read_time(time) if isinstance(time, str) else (None, "")
    code, reason = _fault_of_type(found)
    numbers: list[float | None] = []
    if not code:
        numbers = [_number(found.get(name)) for name in _REQUIRED + _OPTIONAL]
        code, reason = _fault_of_numbers(numbers)
    if not code and t_ns is None:
        code, reason = "time", time_fault
    if code:
        where = sensor if isinstance(sensor, str) and gate.knows(sensor) else ""
        return Refusal(code, reason, t_ns, where)
    return (t_ns, sensor, *numbers)


def _read_time(text: str) -> tuple[int | None, str]:
    try:
        return t_ns_from_rfc3339(text), ""
    except ValueError as error:
        return None, f"its time {_shown(text)} cannot be read: {error}"


def _fault_of_type(found: dict[str, Any]) -> tuple[str, str]:
    """Return code and reason of the first key that is missing or of the wrong type; empty if there is none."""
    if "type" not in found:
        return "field", 'type is missing: a plot has "type": "plot"'
    if found["type"] != "plot":
        return "type", f'type is {_shown(found["type"])}: only "plot" is read here'
    for name in ("time", "sensor"):
        if not isinstance(found.get(name), str):
            return "field", _wrong(name, found, "a string")
    for name in _REQUIRED + _OPTIONAL:
        value = found.get(name)
        optional = value is None and name in _OPTIONAL
        if not optional and (isinstance(value, bool) or not isinstance(value, int | float)):
            return "field", _wrong(name, found, "a number")
    return "", ""


def _fault_of_numbers(numbers: Sequence[float | None]) -> tuple[str, str]:
    for name, number in zip(_REQUIRED + _OPTIONAL, numbers, strict=True):
        if number is not None and math.isnan(number):
            return "nan", f"{name} is not a number (NaN)"
        if number is not None and math.isinf(number):
            return "infinite", f"{name} is infinite"
    return "", ""


def _number(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except OverflowError:  # an integer of hundreds of digits
        return math.inf


def _wrong(name: str, found: dict[str, Any], wanted: str) -> str:
    return f"{name} is {_shown(found[name])}: must be {wanted}" if name in found else f"{name} is missing"


def _shown(value: object) -> str:
    """Return a value as it stands in JSON, in plain ASCII, on one short line."""
    text = json.dumps(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 3] + "..."
