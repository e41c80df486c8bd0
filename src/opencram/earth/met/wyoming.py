"""The text list of the University of Wyoming's sounding archive: columns of seven characters under their units.

The page may be saved as text or as HTML; tags are passed over.
"""

import re
from typing import Final

from opencram.earth.gas import KELVIN, KNOT_M_S
from opencram.earth.met.faults import Faults, number
from opencram.earth.met.levels import Level, assemble
from opencram.earth.met.sounding import Sounding

_WIDTH = 7
# Column and unit → field of a level, what multiplies and what is added.  Other columns are derived from these.
_UNITS: Final[dict[tuple[str, str], tuple[str, float, float]]] = {
    ("PRES", "hPa"): ("pressure_pa", 100.0, 0.0),
    ("HGHT", "m"): ("geopotential_m", 1.0, 0.0),
    ("TEMP", "C"): ("temperature_k", 1.0, KELVIN),
    ("DWPT", "C"): ("dew_point_k", 1.0, KELVIN),
    ("RELH", "%"): ("humidity", 0.01, 0.0),
    ("DRCT", "deg"): ("from_deg", 1.0, 0.0),
    ("SKNT", "knot"): ("speed_m_s", KNOT_M_S, 0.0),
    ("SKNT", "m/s"): ("speed_m_s", 1.0, 0.0),
    ("SPED", "m/s"): ("speed_m_s", 1.0, 0.0),
    ("SPED", "knot"): ("speed_m_s", KNOT_M_S, 0.0),
}
_NEEDED = ("PRES", "HGHT", "TEMP")


def is_wyoming(text: str) -> bool:
    """Return whether a text holds the list's line of columns."""
    return bool(re.search(r"^[ \t]*PRES[ \t]+HGHT[ \t]+TEMP", text, re.MULTILINE))


def read_wyoming(text: str, name: str, *, latitude_deg: float = 45.0) -> Sounding:
    """Return the first sounding of a text list; raise `ConfigError`, with lines, if it is wrong."""
    faults = Faults(name)
    rows = [re.sub(r"<[^>]*>", "", row).rstrip() for row in text.split("\n")]
    at = next((k for k, row in enumerate(rows) if row.split()[:3] == list(_NEEDED)), None)
    if at is None:
        raise faults.refuse(1, rows[0][:40], "must hold the columns PRES HGHT TEMP …", "save the page as Text: List")
    columns = _columns(rows, at, faults)
    faults.stop()
    levels: list[Level] = []
    after = len(rows)
    for k in range(at + 2, len(rows)):
        row = rows[k]
        if not row.strip() or set(row.strip()) == {"-"}:
            if levels and not row.strip():
                after = k
                break
            continue
        if not re.match(r"^[\s\d.+-]+$", row):
            after = k
            break
        levels.append(_level(row, k + 1, columns, faults))
    faults.stop()
    base = _base(rows[:at], rows[after:])
    return assemble(_ordered(levels), base, faults, latitude_deg=latitude_deg)


def _columns(rows: list[str], at: int, faults: Faults) -> list[tuple[str, float, float] | None]:
    """Return what each column means, from the line of names and the line of units below it."""
    names, units = rows[at].split(), rows[at + 1].split() if at + 1 < len(rows) else []
    if len(units) != len(names):
        raise faults.refuse(at + 2, " ".join(units)[:40], "must hold the units of the columns", "is the page whole?")
    columns = []
    for column, unit in zip(names, units, strict=True):
        meaning = _UNITS.get((column, unit))
        if meaning is None and column in [known for known, _ in _UNITS]:
            right = " or ".join(known_unit for known, known_unit in _UNITS if known == column)
            faults.add(at + 2, f"{column} in {unit}", f"must be in {right}", "choose these units on the page")
        columns.append(meaning)
    return columns


def _level(row: str, line: int, columns: list[tuple[str, float, float] | None], faults: Faults) -> Level:
    level = Level(line=line)
    for k, meaning in enumerate(columns):
        cell = row[k * _WIDTH : (k + 1) * _WIDTH].strip()
        if meaning is None or not cell:
            continue
        value = number(cell)
        if value is None:
            faults.add(line, cell, "must be a number in a column of seven characters", "save the page again, unaltered")
            continue
        field, factor, offset = meaning
        setattr(level, field, value * factor + offset)
    return level


def _ordered(levels: list[Level]) -> list[Level]:
    """Return the levels without those below the ground, whose lines give a height and nothing measured."""
    measured = [x for x in levels if x.temperature_k is not None or x.speed_m_s is not None]
    seen: list[Level] = []
    for level in measured:
        if seen and level.pressure_pa is not None and level.pressure_pa == seen[-1].pressure_pa:
            continue
        seen.append(level)
    return seen


def _base(before: list[str], behind: list[str]) -> Sounding:
    """Return station and time, from the title above and the station's table below."""
    title = next((row.strip() for row in reversed(before) if "Observations at" in row), "")
    station, _, time = title.partition(" Observations at ")
    found: dict[str, str] = {}
    for row in behind:
        key, colon, value = row.partition(":")
        if colon:
            found.setdefault(key.strip(), value.strip())
        if "Observations at" in row:
            break  # the next sounding of the page

    latitude, longitude = (number(found.get(f"Station {angle}", "")) for angle in ("latitude", "longitude"))
    return Sounding(
        format="Wyoming",
        title=station or found.get("Station identifier", ""),
        time=time or found.get("Observation time", ""),
        latitude_deg=latitude if longitude is not None else None,
        longitude_deg=longitude if latitude is not None else None,
    )
