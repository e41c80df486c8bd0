"""The column map: how a CSV file of plots with names and units of its own is to be read.

    [csv]                      # every key optional
    delimiter = ";"            # one character, or "whitespace": any number of blanks and tabs
    decimal = ","              # of 3,5 for three and a half
    encoding = "cp1252"        # where it is not UTF-8
    header = ["UTC", "Rng"]    # where the file has no line with the names of its columns
    missing = ["---", "-999"]  # what stands where there is no value
    sort = true                # where rows are not in the order of time
    date = "2026-01-01"        # the day of the first plot, where times are those of a day
    sensor = "north"           # where the file has no column for it

    [time]
    column = "UTC"             # the name in the header; without it, the plot's own name
    unit = "s_of_day"          # rfc3339, epoch_s, epoch_ms, s_of_day, hms (23:59:59.5), day_hms
    #                            (257:23:59:59.5, day of the year of `date`)
    offset_s = -7200.0         # added: here local time, two hours ahead of UTC

    [range_m]
    column = "Rng"
    unit = "ft"                # m, km, ft
    scale = 1.0                # the number in the file times this is in that unit

    [azimuth_deg]
    unit = "mil"               # deg, rad, mrad, gon, mil (6400 to the circle), mil_6300, mil_6000
    offset = 0.0               # added to the number in that unit: here grid north from true north

    [ecef]                     # instead of range, azimuth and elevation: a position, earth-centred, earth-fixed
    x = "X"
    y = "Y"
    z = "Z"
    unit = "m"                 # m, km, ft

A table is named after the value as plots know it: `time`, `sensor`, `range_m`, `azimuth_deg`,
`elevation_deg`, `range_rate_m_s`, `snr_db`, `range_std_m`, `azimuth_std_deg`, `elevation_std_deg`.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from opencram.adapters.times import day_ns
from opencram.errors import ConfigError, Fault

NUMBERS: Final = (
    "range_m",
    "azimuth_deg",
    "elevation_deg",
    "range_rate_m_s",
    "snr_db",
    "range_std_m",
    "azimuth_std_deg",
    "elevation_std_deg",
)
REQUIRED: Final = ("time", "sensor", "range_m", "azimuth_deg", "elevation_deg")
POLAR: Final = ("range_m", "azimuth_deg", "elevation_deg")
TIME_UNITS: Final = ("rfc3339", "epoch_s", "epoch_ms", "s_of_day", "hms", "day_hms")
OF_A_DAY: Final = ("s_of_day", "hms")  # that leave the day open
WHITESPACE: Final = "whitespace"  # as a delimiter

_OFFSET_MAX: Final = 1e9
_LENGTHS: Final = {"m": 1.0, "km": 1000.0, "ft": 0.3048}
_ANGLES: Final = {
    "deg": 1.0,
    "rad": 180.0 / math.pi,
    "mrad": 0.18 / math.pi,
    "gon": 0.9,
    "mil": 360.0 / 6400.0,  # NATO
    "mil_6300": 360.0 / 6300.0,  # the Swedish streck
    "mil_6000": 360.0 / 6000.0,  # of Soviet kind
}
_SPEEDS: Final = {"m/s": 1.0, "km/h": 1.0 / 3.6, "ft/s": 0.3048, "kn": 1852.0 / 3600.0}
_UNITS: Final[dict[str, dict[str, float]]] = {
    "range_m": _LENGTHS,
    "azimuth_deg": _ANGLES,
    "elevation_deg": _ANGLES,
    "range_rate_m_s": _SPEEDS,
    "snr_db": {"dB": 1.0},
    "range_std_m": _LENGTHS,
    "azimuth_std_deg": _ANGLES,
    "elevation_std_deg": _ANGLES,
}


@dataclass(frozen=True, kw_only=True)
class ColumnMap:
    """Where a CSV file holds what.  `factors` turn its numbers into those of the plot's own names."""

    delimiter: str = ","
    decimal: str = "."
    encoding: str = "utf-8"
    header: tuple[str, ...] = ()  # names of the columns, where the file has none
    missing: frozenset[str] = frozenset()  # texts that stand for no value
    sort: bool = False
    sensor: str = ""  # of every plot, if not empty
    time_unit: str = "rfc3339"
    time_scale: float = 1.0
    time_offset_ns: int = 0
    day_ns: int = 0  # start of the day that seconds of the day count from
    columns: Mapping[str, str] = field(default_factory=dict)
    factors: Mapping[str, float] = field(default_factory=dict)
    offsets: Mapping[str, float] = field(default_factory=dict)  # added, in the unit of the plot
    ecef: tuple[str, str, str] | None = None  # columns of a position that stands for range, azimuth and elevation
    ecef_factor: float = 1.0


STANDARD: Final = ColumnMap()


def load_column_map(path: str | Path) -> ColumnMap:
    """Return the column map in the TOML file at `path`; raise `ConfigError` with all its faults."""
    try:
        document = tomllib.loads(Path(path).read_bytes().decode("utf-8-sig"))
    except OSError as error:
        reason = error.strerror or str(error)
        fault = Fault("$", str(path), f"cannot be read ({reason})", "give the path of a readable file")
        raise ConfigError(str(path), [fault]) from error
    except (ValueError, RecursionError) as error:
        fault = Fault("$", "the file", f"is not TOML: {error}", "mend this first")
        raise ConfigError(str(path), [fault]) from error
    faults: list[Fault] = []
    found = _column_map(document, faults)
    if faults:
        raise ConfigError(str(path), faults)
    return found


def _column_map(document: dict[str, Any], faults: list[Fault]) -> ColumnMap:
    columns, factors, offsets = {}, {}, {}
    for name, table in ((n, _table(document, n, ("column", "unit", "scale", "offset"), faults)) for n in NUMBERS):
        columns[name] = _text(table, name, "column", name, faults)
        units = _UNITS[name]
        unit = _one_of(table, name, next(iter(units)), tuple(units), faults)
        factors[name] = units[unit] * _scale(table, name, faults)
        offsets[name] = units[unit] * _number(table, name, "offset", faults)
    ecef, ecef_factor = _ecef(document, faults)
    time = _table(document, "time", ("column", "unit", "scale", "offset_s"), faults)
    sensor = _table(document, "sensor", ("column",), faults)
    columns["time"] = _text(time, "time", "column", "time", faults)
    columns["sensor"] = _text(sensor, "sensor", "column", "sensor", faults)
    unit = _one_of(time, "time", "rfc3339", TIME_UNITS, faults)
    for name in document:
        if name not in ("csv", "time", "sensor", "ecef", *NUMBERS):
            known = ", ".join(("csv", "time", "sensor", "ecef", *NUMBERS))
            faults.append(Fault(f"$.{name}", "a key", "is not the name of a value of a plot", f"use one of {known}"))
    general = _table(document, "csv", tuple(_GENERAL), faults)
    return ColumnMap(
        **_form(general, faults),
        sensor=_text(general, "csv", "sensor", "", faults),
        time_unit=unit,
        time_scale=_scale(time, "time", faults),
        time_offset_ns=round(_number(time, "time", "offset_s", faults) * 1e9),
        day_ns=_day(general, required=unit in (*OF_A_DAY, "day_hms"), faults=faults),
        columns=columns,
        factors=factors,
        offsets=offsets,
        ecef=ecef,
        ecef_factor=ecef_factor,
    )


_GENERAL: Final = ("delimiter", "decimal", "encoding", "header", "missing", "sort", "date", "sensor")


def _form(general: dict[str, Any], faults: list[Fault]) -> dict[str, Any]:
    """Return what the file looks like, whatever its columns hold."""
    delimiter = _text(general, "csv", "delimiter", ",", faults)
    if delimiter != WHITESPACE and (len(delimiter) != 1 or delimiter in '"\r\n'):
        remedy = 'write "," or ";" or "\\t" or "whitespace"'
        faults.append(Fault("$.csv.delimiter", repr(delimiter), "must be one character", remedy))
    decimal = _text(general, "csv", "decimal", ".", faults)
    if decimal not in (".", ",") or decimal == delimiter:
        limit = 'must be "." or ",", and not the delimiter'
        faults.append(Fault("$.csv.decimal", repr(decimal), limit, 'write decimal = "," beside delimiter = ";"'))
    encoding = _text(general, "csv", "encoding", "utf-8", faults)
    if not _holds_ascii(encoding):
        limit = "must be an encoding that holds ASCII as it is"
        remedy = 'write "utf-8", "cp1252" or "latin-1"; save a UTF-16 file as UTF-8 first'
        faults.append(Fault("$.csv.encoding", repr(encoding), limit, remedy))
    sort = general.get("sort", False)
    if not isinstance(sort, bool):
        faults.append(Fault("$.csv.sort", repr(sort), "must be true or false", "write sort = true"))
    return {
        "delimiter": delimiter,
        "decimal": decimal,
        "encoding": encoding,
        "header": tuple(name.strip() for name in _texts(general, "header", faults)),
        "missing": frozenset(_texts(general, "missing", faults)),
        "sort": sort is True,
    }


def _holds_ascii(encoding: str) -> bool:
    """Return whether lines, delimiters and digits are the same bytes in this encoding as in ASCII."""
    text = "".join(map(chr, range(128)))
    try:
        return text.encode(encoding) == text.encode("ascii")
    except (LookupError, ValueError):
        return False


def _texts(table: dict[str, Any], key: str, faults: list[Fault]) -> list[str]:
    value = table.get(key, [])
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return value
    faults.append(Fault(f"$.csv.{key}", repr(value), "must be a list of strings", f'write {key} = ["...", "..."]'))
    return []


def _ecef(document: dict[str, Any], faults: list[Fault]) -> tuple[tuple[str, str, str] | None, float]:
    """Return the columns of an earth-centred position and metres in its unit; None where there is none."""
    if "ecef" not in document:
        return None, 1.0
    table = _table(document, "ecef", ("x", "y", "z", "unit"), faults)
    x, y, z = (_text(table, "ecef", axis, axis, faults) for axis in ("x", "y", "z"))
    if len({x, y, z}) < 3:
        faults.append(Fault("$.ecef", f"{x}, {y}, {z}", "must be three columns", "name each of x, y and z once"))
    for name in POLAR:
        if name in document:
            remedy = f"give [ecef] or [{name}]"
            faults.append(Fault(f"$.{name}", "a table", "must not stand beside [ecef]", remedy))
    return (x, y, z), _LENGTHS[_one_of(table, "ecef", "m", tuple(_LENGTHS), faults)]


def _table(document: dict[str, Any], name: str, keys: tuple[str, ...], faults: list[Fault]) -> dict[str, Any]:
    table = document.get(name, {})
    if not isinstance(table, dict):
        faults.append(Fault(f"$.{name}", repr(table), "must be a table", f"write [{name}] and {keys[0]} = ..."))
        return {}
    for key in table:
        if key not in keys:
            remedy = f"use {', '.join(keys)}"
            faults.append(Fault(f"$.{name}.{key}", repr(table[key]), "is not a known key", remedy))
    return table


def _text(table: dict[str, Any], name: str, key: str, default: str, faults: list[Fault]) -> str:
    value = table.get(key, default)
    if isinstance(value, str) and (value or not default):
        return value
    faults.append(Fault(f"$.{name}.{key}", repr(value), "must be a string, not empty", "write it in quotation marks"))
    return default


def _one_of(table: dict[str, Any], name: str, default: str, choices: tuple[str, ...], faults: list[Fault]) -> str:
    value = table.get("unit", default)
    if isinstance(value, str) and value in choices:
        return value
    limit = "must be one of " + ", ".join(choices)
    faults.append(Fault(f"$.{name}.unit", repr(value), limit, "convert the others by scale"))
    return default


def _scale(table: dict[str, Any], name: str, faults: list[Fault]) -> float:
    value = table.get("scale", 1.0)
    if _is_number(value) and value != 0:
        return float(value)
    faults.append(Fault(f"$.{name}.scale", repr(value), "must be a finite number other than 0", "1.0 changes nothing"))
    return 1.0


def _number(table: dict[str, Any], name: str, key: str, faults: list[Fault]) -> float:
    value = table.get(key, 0.0)
    if _is_number(value) and abs(value) < _OFFSET_MAX:
        return float(value)
    faults.append(Fault(f"$.{name}.{key}", repr(value), "must be a finite number", "0.0 changes nothing"))
    return 0.0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _day(general: dict[str, Any], *, required: bool, faults: list[Fault]) -> int:
    value = general.get("date")
    if value is None:
        if required:
            limit = "is required for times of a day"
            faults.append(Fault("$.csv.date", "missing", limit, 'write date = "2026-01-01"'))
        return 0
    try:
        return day_ns(str(value))
    except ValueError:
        faults.append(Fault("$.csv.date", repr(value), "must be a day", 'write date = "2026-01-01"'))
        return 0
