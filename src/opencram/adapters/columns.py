"""The column map: how a CSV file of plots with names and units of its own is to be read.

    [csv]                      # every key optional
    delimiter = ";"
    date = "2026-01-01"        # the day of the first plot, where times are seconds of the day
    sensor = "north"           # where the file has no column for it

    [time]
    column = "UTC"             # the name in the header; without it, the plot's own name
    unit = "s_of_day"          # rfc3339, epoch_s, epoch_ms, s_of_day

    [range_m]
    column = "Rng"
    unit = "ft"                # m, km, ft
    scale = 1.0                # the number in the file times this is in that unit

    [azimuth_deg]
    unit = "mil"               # rad, deg, mrad, mil (6400 to the circle)

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
TIME_UNITS: Final = ("rfc3339", "epoch_s", "epoch_ms", "s_of_day")

_LENGTHS: Final = {"m": 1.0, "km": 1000.0, "ft": 0.3048}
_ANGLES: Final = {"deg": 1.0, "rad": 180.0 / math.pi, "mrad": 0.18 / math.pi, "mil": 360.0 / 6400.0}
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
    sensor: str = ""  # of every plot, if not empty
    time_unit: str = "rfc3339"
    time_scale: float = 1.0
    day_ns: int = 0  # start of the day that seconds of the day count from
    columns: Mapping[str, str] = field(default_factory=dict)
    factors: Mapping[str, float] = field(default_factory=dict)
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
    columns, factors = {}, {}
    general = _table(document, "csv", ("delimiter", "date", "sensor"), faults)
    for name, table in ((n, _table(document, n, ("column", "unit", "scale"), faults)) for n in NUMBERS):
        columns[name] = _text(table, name, "column", name, faults)
        units = _UNITS[name]
        unit = _one_of(table, name, next(iter(units)), tuple(units), faults)
        factors[name] = units[unit] * _scale(table, name, faults)
    ecef, ecef_factor = _ecef(document, faults)
    time = _table(document, "time", ("column", "unit", "scale"), faults)
    sensor = _table(document, "sensor", ("column",), faults)
    columns["time"] = _text(time, "time", "column", "time", faults)
    columns["sensor"] = _text(sensor, "sensor", "column", "sensor", faults)
    unit = _one_of(time, "time", "rfc3339", TIME_UNITS, faults)
    delimiter = _text(general, "csv", "delimiter", ",", faults)
    if len(delimiter) != 1 or delimiter in '"\r\n':
        faults.append(Fault("$.csv.delimiter", repr(delimiter), "must be one character", 'write "," or ";" or "\\t"'))
    for name in document:
        if name not in ("csv", "time", "sensor", "ecef", *NUMBERS):
            known = ", ".join(("csv", "time", "sensor", "ecef", *NUMBERS))
            faults.append(Fault(f"$.{name}", "a key", "is not the name of a value of a plot", f"use one of {known}"))
    found = ColumnMap(
        delimiter=delimiter,
        sensor=_text(general, "csv", "sensor", "", faults),
        time_unit=unit,
        time_scale=_scale(time, "time", faults),
        day_ns=_day(general, required=unit == "s_of_day", faults=faults),
        columns=columns,
        factors=factors,
        ecef=ecef,
        ecef_factor=ecef_factor,
    )
    if faults:
        raise ConfigError(str(path), faults)
    return found


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
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value != 0:
        return float(value)
    faults.append(Fault(f"$.{name}.scale", repr(value), "must be a finite number other than 0", "1.0 changes nothing"))
    return 1.0


def _day(general: dict[str, Any], *, required: bool, faults: list[Fault]) -> int:
    value = general.get("date")
    if value is None:
        if required:
            limit = "is required for times in seconds of the day"
            faults.append(Fault("$.csv.date", "missing", limit, 'write date = "2026-01-01"'))
        return 0
    try:
        return day_ns(str(value))
    except ValueError:
        faults.append(Fault("$.csv.date", repr(value), "must be a day", 'write date = "2026-01-01"'))
        return 0
