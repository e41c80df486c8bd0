"""The text of a CSV file: a line as its values, a value as a number or a time, as the column map has them."""

import csv
import math
import re
from typing import Final

from opencram.adapters.columns import OF_A_DAY, WHITESPACE, ColumnMap
from opencram.adapters.gate import Refusal
from opencram.adapters.lines import LINE_BYTES_MAX
from opencram.adapters.times import DAY_NS, day_ns, t_ns_from_rfc3339

_NANOSECONDS: Final = {"epoch_s": 10**9, "epoch_ms": 10**6, "s_of_day": 10**9}
_TIME_MAX: Final = 1e19  # ns; far beyond what the gate lets through
_DAYS_MAX: Final = 2  # that times of a day may count on over midnight
_CLOCK: Final = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d\d):(\d\d)(?:\.(\d+))?", re.ASCII)


def cells_of(line: bytes, columns: ColumnMap) -> list[str] | Refusal:
    """Return the values of a line, none for a blank one."""
    if len(line.rstrip(b"\r\n")) > LINE_BYTES_MAX:
        return Refusal("too_long", f"the line is longer than {LINE_BYTES_MAX // 1024} KiB")
    if b"\0" in line:
        return Refusal("not_utf8", "the line holds zero bytes, as UTF-16 has them: save the file as UTF-8")
    try:
        text = line.decode(columns.encoding).strip("\r\n ")
    except UnicodeDecodeError as error:
        name = "UTF-8" if columns.encoding == "utf-8" else columns.encoding
        remedy = 'name another as encoding, say "cp1252", under [csv] of a column map'
        byte = f"byte {error.start + 1} of the line, 0x{line[error.start]:02x}"
        return Refusal("not_utf8", f"{byte}, is not {name}: {remedy}")
    return _split(text, columns.delimiter) if text else []


def _split(text: str, delimiter: str) -> list[str] | Refusal:
    blank = delimiter == WHITESPACE
    if '"' not in text:
        return text.split() if blank else text.split(delimiter)
    try:
        return next(csv.reader([text], delimiter=" " if blank else delimiter, skipinitialspace=True, strict=True))
    except (csv.Error, StopIteration):
        return Refusal("not_csv", "the quotation marks of the line do not match")


def number_of(text: str, columns: ColumnMap) -> float:
    """Return the number that a text stands for; NaN and the infinities are the gate's business."""
    if columns.decimal == "," and "." not in text:
        text = text.replace(",", ".")
    elif "," in text:
        remedy = (
            'give numbers without thousands\' marks, and decimal = "," under [csv] of the column map for decimal commas'
        )
        raise ValueError(f"must be a number: {remedy}")
    if "_" in text:  # Python reads 1_000; nobody else does
        raise ValueError("must be a number")
    try:
        return float(text)
    except ValueError as error:
        raise ValueError("must be a number") from error


def t_ns_of(text: str, columns: ColumnMap, about_t_ns: int | None) -> int:
    """Return the time in nanoseconds.

    Times of a day run over at midnight: the day is that which brings the time nearest to `about_t_ns`, that of the
    plots before, so that a bad line cannot turn the calendar.
    """
    unit = columns.time_unit
    if unit == "rfc3339":
        return _rfc3339(text) + columns.time_offset_ns
    if unit in ("hms", "day_hms"):
        t_ns = _clock_ns(text, columns)
    else:
        if columns.decimal == ",":
            text = text.replace(",", ".")
        t_ns = _nanoseconds(text, _NANOSECONDS[unit], columns.time_scale)
    if unit not in OF_A_DAY:
        return t_ns + columns.time_offset_ns
    if not 0 <= t_ns <= _DAYS_MAX * DAY_NS:
        raise ValueError("must be within the 86400 seconds of a day, or a day more where it counts on over midnight")
    t_ns += columns.day_ns + columns.time_offset_ns
    return t_ns if about_t_ns is None else t_ns + DAY_NS * ((about_t_ns - t_ns + DAY_NS // 2) // DAY_NS)


def _rfc3339(text: str) -> int:
    try:
        return t_ns_from_rfc3339(text)
    except ValueError as error:
        zone = "no Z or offset" in str(error)
        remedy = "add one" if zone else "name its unit under [time] of a column map"
        raise ValueError(f"{error}; {remedy}") from error


def _clock_ns(text: str, columns: ColumnMap) -> int:
    """Return 23:59:59.5 as time of the day, 257:23:59:59.5 as a time of the year that the map's date is in."""
    with_day = columns.time_unit == "day_hms"
    found = _CLOCK.fullmatch(text.replace(",", ".") if columns.decimal == "," else text)
    if found is None or (found[1] is not None) != with_day:
        raise ValueError(f"must be of the form {'257:' if with_day else ''}23:59:59.5")
    day, hour, minute, second, fraction = found.groups()
    if int(hour) >= 24 * _DAYS_MAX or int(minute) > 59 or int(second) > 59 or not 1 <= int(day or 1) <= 366:
        raise ValueError("there is no such time")
    t_ns = (int(hour) * 3600 + int(minute) * 60 + int(second)) * 10**9 + int((fraction or "0")[:9].ljust(9, "0"))
    return t_ns if not with_day else t_ns + (int(day) - 1) * DAY_NS + _year_ns(columns.day_ns)


def _year_ns(t_ns: int) -> int:
    """Return the start of the year that a day is in."""
    days = t_ns // DAY_NS
    year = 1970 + int(days // 365.2425)
    starts = [day_ns(f"{each:04d}-01-01") for each in (year - 1, year, year + 1)]
    return max(start for start in starts if start <= t_ns)


def _nanoseconds(text: str, unit_ns: int, scale: float) -> int:
    """Return a count of `unit_ns` times `scale` in nanoseconds, exactly where it is a plain decimal."""
    whole, _, fraction = text.partition(".")
    if scale == 1.0 and whole.isascii() and whole.isdigit() and (not fraction or fraction.isdigit()) and len(text) < 40:
        parts = int((fraction or "0")[:18].ljust(18, "0"))
        return int(whole) * unit_ns + parts * unit_ns // 10**18
    try:
        value = float(text) * scale * unit_ns
    except ValueError as error:
        comma = ', or decimal = "," under [csv] of the column map' if "," in text else ""
        clock = ', or unit = "hms" under [time] of the column map' if ":" in text else ""
        raise ValueError(f"must be a number{comma}{clock}") from error
    if not math.isfinite(value) or abs(value) > _TIME_MAX or "_" in text:
        raise ValueError("must be a finite number")
    return round(value)
