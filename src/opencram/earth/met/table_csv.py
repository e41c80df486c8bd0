"""Soundings as CSV: columns with their unit in the name, in any order, and `# key: value` lines before them.

    # latitude_deg: 33.3
    height_m,pressure_hpa,temperature_c,wind_from_deg,wind_speed_kt
    35,1009.1,31.5,320,8

Any cell but the height or pressure may be empty.  Written by `write_csv`, every bit of a sounding comes back.
"""

import csv
import io
from dataclasses import replace
from typing import Final

from opencram.earth.gas import FOOT_M, KELVIN, KNOT_M_S
from opencram.earth.met.faults import Faults, number
from opencram.earth.met.levels import Level, assemble
from opencram.earth.met.sounding import AirLevel, Sounding, WindLevel

# Column → field of a level, what multiplies and what is added.
_UNITS: Final[dict[str, tuple[str, float, float]]] = {
    "height_m": ("height_m", 1.0, 0.0),
    "height_ft": ("height_m", FOOT_M, 0.0),
    "height_km": ("height_m", 1000.0, 0.0),
    "geopotential_m": ("geopotential_m", 1.0, 0.0),
    "geopotential_ft": ("geopotential_m", FOOT_M, 0.0),
    "pressure_pa": ("pressure_pa", 1.0, 0.0),
    "pressure_hpa": ("pressure_pa", 100.0, 0.0),
    "pressure_mb": ("pressure_pa", 100.0, 0.0),
    "temperature_k": ("temperature_k", 1.0, 0.0),
    "temperature_c": ("temperature_k", 1.0, KELVIN),
    "temperature_f": ("temperature_k", 5.0 / 9.0, KELVIN - 160.0 / 9.0),
    "virtual_temperature_k": ("virtual_k", 1.0, 0.0),
    "virtual_temperature_c": ("virtual_k", 1.0, KELVIN),
    "dew_point_k": ("dew_point_k", 1.0, 0.0),
    "dew_point_c": ("dew_point_k", 1.0, KELVIN),
    "humidity_percent": ("humidity", 0.01, 0.0),
    "wind_from_deg": ("from_deg", 1.0, 0.0),
    "wind_from_mils": ("from_deg", 360.0 / 6400.0, 0.0),
    "wind_speed_m_s": ("speed_m_s", 1.0, 0.0),
    "wind_speed_kt": ("speed_m_s", KNOT_M_S, 0.0),
    "wind_speed_km_h": ("speed_m_s", 1.0 / 3.6, 0.0),
    "wind_east_m_s": ("east_m_s", 1.0, 0.0),
    "wind_north_m_s": ("north_m_s", 1.0, 0.0),
}
_QUANTITIES = (
    "height",
    "geopotential",
    "pressure",
    "virtual_temperature",
    "temperature",
    "dew_point",
    "humidity",
    "wind_",
)
_SYMBOLS = {
    "height": "height_m",
    "geopotential": "geopotential_m",
    "pressure": "pressure_hpa",
    "temperature": "temperature_c or temperature_k",
    "virtual_temperature": "virtual_temperature_k",
    "dew_point": "dew_point_c",
    "humidity": "humidity_percent",
    "wind_speed": "wind_speed_m_s or wind_speed_kt",
    "wind_direction": "wind_from_deg",
    "wind_from": "wind_from_deg",
    "wind_east": "wind_east_m_s",
    "wind_north": "wind_north_m_s",
}  # what stands without its unit, and what to write
_MARK: Final = ", as opencram read it"  # behind the format of a sounding that was checked when it was written
WRITTEN: Final = ("height_m", "pressure_pa", "virtual_temperature_k", "wind_east_m_s", "wind_north_m_s")
_MISSING = {"", "-", "–", "nan", "NaN", "NA", "null", "None", "-9999", "-9999.0", "9999", "/"}


def is_csv(text: str) -> bool:
    """Return whether the first line that is no comment names columns."""
    head = _head(text)
    return head is not None and any(name in _UNITS or name in _SYMBOLS for name in _names(head[1]))


def read_csv(text: str, name: str, *, latitude_deg: float = 45.0) -> Sounding:
    """Return the sounding of a CSV text; raise `ConfigError`, with lines, if it is wrong."""
    faults = Faults(name)
    head = _head(text)
    if head is None:
        raise faults.refuse(1, text[:40], "must have a line of column names", "write height_m,pressure_hpa,… first")
    head_line, head_text = head
    names = _names(head_text)
    _judge_names(names, head_line, faults)
    faults.stop()
    base = _base(text.split("\n")[: head_line - 1], faults)
    rows = csv.reader(io.StringIO("\n".join(text.split("\n")[head_line:])), delimiter=_delimiter(head_text))
    levels = []
    for cells in rows:
        line = head_line + rows.line_num
        if cells and cells[0].lstrip()[:1] != "#" and any(cell.strip() for cell in cells):
            levels.append(_level(cells, names, line, faults))
    faults.stop()
    if _MARK in text[: text.find(head_text)]:
        return _as_written(base, levels)
    return assemble(levels, base, faults, latitude_deg=latitude_deg)


def write_csv(sounding: Sounding) -> str:
    """Return the text from which `read_csv` makes the same sounding, to the last bit."""
    head = {"format": f"{sounding.format}{_MARK}", "title": sounding.title, "time": sounding.time}
    if sounding.latitude_deg is not None and sounding.longitude_deg is not None:
        head |= {"latitude_deg": repr(sounding.latitude_deg), "longitude_deg": repr(sounding.longitude_deg)}
    lines = [f"# {key}: {_one_line(value)}" for key, value in head.items() if value]
    lines += [f"# note: {_one_line(note)}" for note in sounding.notes]
    air = {level.height_m: level for level in sounding.air}
    wind = {level.height_m: level for level in sounding.wind}
    lines.append(",".join(WRITTEN))
    for height in sorted(air | wind):
        a, w = air.get(height), wind.get(height)
        cells = [repr(height)]
        cells += [repr(a.pressure_pa), repr(a.virtual_temperature_k)] if a else ["", ""]
        cells += [repr(w.east_m_s), repr(w.north_m_s)] if w else ["", ""]
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _head(text: str) -> tuple[int, str] | None:
    for line, row in enumerate(text.split("\n"), 1):
        if row.strip() and not row.lstrip().startswith("#"):
            return line, row
    return None


def _delimiter(head: str) -> str:
    return max((",", ";", "\t"), key=head.count)


def _names(head: str) -> list[str]:
    return [cell.strip().strip('"').lower().replace(" ", "_") for cell in head.split(_delimiter(head))]


def _judge_names(names: list[str], line: int, faults: Faults) -> None:
    """Note columns without a unit or unknown, and quantities that come twice."""
    fields: dict[str, str] = {}
    for name in names:
        if name not in _UNITS:
            if name in _SYMBOLS:
                faults.add(line, name, "does not say its unit", f"write {_SYMBOLS[name]}")
            elif name.startswith(_QUANTITIES):
                known = [n for n in _UNITS if n.split("_")[0] == name.split("_")[0]]
                faults.add(line, name, "is not a known column", "write one of " + ", ".join(known))
            continue
        quantity = _UNITS[name][0]
        if quantity in fields:
            faults.add(line, name, f"is given already, as {fields[quantity]}", "keep one of the two")
        fields[quantity] = name
    if not {"height_m", "geopotential_m", "pressure_pa"} & fields.keys():
        faults.add(line, ",".join(names), "must say how high each level is", "add a column height_m, or pressure_hpa")
    if ("from_deg" in fields) != ("speed_m_s" in fields) or ("east_m_s" in fields) != ("north_m_s" in fields):
        faults.add(
            line, ",".join(names), "has half a wind", "give wind_from_deg and wind_speed_m_s, or both components"
        )
    if "from_deg" in fields and "east_m_s" in fields:
        faults.add(line, fields["east_m_s"], f"is given already, as {fields['from_deg']}", "keep one of the two")


def _base(rows: list[str], faults: Faults) -> Sounding:
    """Return what the comments say: place, time, title, and of a sounding once read its format and notes."""
    base = Sounding(format="CSV")
    notes = []
    for line, row in enumerate(rows, 1):
        key, _, value = (part.strip() for part in row.lstrip("# ").partition(":"))
        if key in ("latitude_deg", "longitude_deg"):
            degrees, limit = number(value), 90.0 if key == "latitude_deg" else 180.0
            if degrees is None or abs(degrees) > limit:
                faults.add(line, value, f"must be a number up to ±{limit:g}", f"write # {key}: 33.3")
            elif key == "latitude_deg":
                base = replace(base, latitude_deg=degrees)
            else:
                base = replace(base, longitude_deg=degrees)
        elif key == "time":
            base = replace(base, time=value)
        elif key == "title":
            base = replace(base, title=value)
        elif key == "format" and value.endswith(_MARK):
            base = replace(base, format=value.removesuffix(_MARK))
        elif key == "note":
            notes.append(value)
    return replace(base, notes=tuple(notes))


def _level(cells: list[str], names: list[str], line: int, faults: Faults) -> Level:
    """Return one row as a level.  Cells that say that nothing was measured are left out."""
    level = Level(line=line)
    if len(cells) != len(names):
        faults.add(
            line, ",".join(cells)[:40], f"has {len(cells)} cells under {len(names)} names", "leave missing cells empty"
        )
        return level
    for name, cell in zip(names, cells, strict=True):
        if name not in _UNITS or cell.strip() in _MISSING:
            continue
        value = number(cell)
        if value is None:
            faults.add(
                line, cell.strip(), f"must be a number ({name})", "leave the cell empty where nothing was measured"
            )
            continue
        field, factor, offset = _UNITS[name]
        setattr(level, field, value * factor + offset)
    return level


def _as_written(base: Sounding, levels: list[Level]) -> Sounding:
    """Return a sounding that was checked before it was written."""
    air = [
        AirLevel(x.height_m, x.pressure_pa, x.virtual_k)
        for x in levels
        if x.height_m is not None and x.pressure_pa is not None and x.virtual_k is not None
    ]
    wind = [
        WindLevel(x.height_m, x.east_m_s, x.north_m_s)
        for x in levels
        if x.height_m is not None and x.east_m_s is not None and x.north_m_s is not None
    ]
    return replace(base, air=tuple(air), wind=tuple(wind))
