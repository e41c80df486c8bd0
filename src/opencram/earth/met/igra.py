"""IGRA 2, the radiosonde archive of NCEI: `#` header lines and fixed columns.

Source of the layout: NCEI, "Integrated Global Radiosonde Archive version 2, format of the data files".
A file holds years of soundings; one is read: the last, or the one nearest to a time that is asked for.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from opencram.earth.gas import KELVIN
from opencram.earth.met.faults import Faults
from opencram.earth.met.levels import Level, assemble
from opencram.earth.met.sounding import Sounding

_MISSING: Final = (-9999, -8888, -99999)  # not observed; removed by the archive's checks


def is_igra(text: str) -> bool:
    """Return whether a text begins as a sounding of the archive does."""
    head = text.lstrip("\n")[:40]
    return len(head) > 34 and head[0] == "#" and head[13:17].isdigit() and head[18:20].strip().isdigit()


def read_igra(text: str, name: str, *, latitude_deg: float = 45.0, time: datetime | None = None) -> Sounding:
    """Return one sounding of the archive's text; raise `ConfigError`, with lines, if it is wrong."""
    faults = Faults(name)
    rows = text.split("\n")
    heads = [k for k, row in enumerate(rows) if row.startswith("#")]
    if not heads:
        raise faults.refuse(1, rows[0][:40], "must begin with a header, #ID YYYY MM DD HH …", "is this an IGRA 2 file?")
    times = [_time(rows[k], k + 1, faults) for k in heads]
    faults.stop()
    chosen = len(heads) - 1
    if time is not None:
        chosen = min(range(len(heads)), key=lambda k: abs((times[k] - time).total_seconds()))
    at = heads[chosen]
    end = heads[chosen + 1] if chosen + 1 < len(heads) else len(rows)
    base = _base(rows[at], at + 1, times[chosen], faults)
    body = [(k + 1, rows[k]) for k in range(at + 1, end) if rows[k].strip()]
    count = _integer(rows[at], 32, 36, at + 1, faults)
    if count is not None and count != len(body):
        faults.add(at + 1, f"{len(body)} levels", f"the header says {count}", "is the file cut off? fetch it again")
    levels = [_level(row, line, faults) for line, row in body]
    faults.stop()
    if len(heads) > 1:
        told = f"the file holds {len(heads)} soundings; this is the " + ("last" if time is None else "nearest in time")
        base = replace(base, notes=(told,))
    return assemble(_ordered(levels), base, faults, latitude_deg=latitude_deg)


def _ordered(levels: Sequence[Level]) -> list[Level]:
    """Return the levels from the ground up, the first of each pressure; those without one take theirs by height."""
    with_pressure: dict[float, Level] = {}
    others = []
    for level in levels:
        if level.pressure_pa is None:
            others.append(level)
        else:
            with_pressure.setdefault(level.pressure_pa, level)
    column = [with_pressure[p] for p in sorted(with_pressure, reverse=True)]
    # Winds by height alone join after the column: only their height places them.
    for level in others:
        if level.geopotential_m is None:
            continue
        after = [
            k for k, x in enumerate(column) if x.geopotential_m is not None and x.geopotential_m < level.geopotential_m
        ]
        place = after[-1] + 1 if after else 0
        if all(x.geopotential_m != level.geopotential_m for x in column):
            level.temperature_k = None
            column.insert(place, level)
    return column


def _time(row: str, line: int, faults: Faults) -> datetime:
    fields = [row[a:b].strip() for a, b in ((13, 17), (18, 20), (21, 23), (24, 26))]
    try:
        year, month, day, hour = (int(field) for field in fields)
        return datetime(year, month, day, hour if hour < 24 else 0, tzinfo=UTC)
    except ValueError:
        faults.add(line, row[13:26], "must be a date and hour, YYYY MM DD HH", "is this an IGRA 2 file?")
        return datetime(1970, 1, 1, tzinfo=UTC)


def _base(row: str, line: int, time: datetime, faults: Faults) -> Sounding:
    latitude, longitude = _integer(row, 55, 62, line, faults), _integer(row, 63, 71, line, faults)
    hour = row[24:26].strip()
    known = latitude is not None and longitude is not None and abs(latitude) <= 900_000 and abs(longitude) <= 1_800_000
    return Sounding(
        format="IGRA2",
        title=row[1:12].strip(),
        time=time.strftime("%Y-%m-%d") + (" (hour unknown)" if hour == "99" else time.strftime(" %H h UTC")),
        latitude_deg=latitude / 10_000.0 if known and latitude is not None else None,
        longitude_deg=longitude / 10_000.0 if known and longitude is not None else None,
    )


def _integer(row: str, begin: int, end: int, line: int, faults: Faults) -> int | None:
    """Return the integer of some columns, None where it says that there is none."""
    field = row[begin:end].strip()
    try:
        value = int(field)
    except ValueError:
        if field:
            faults.add(line, field, f"must be a whole number in columns {begin + 1} to {end}", "is the file whole?")
        return None
    return None if value in _MISSING else value


def _level(row: str, line: int, faults: Faults) -> Level:
    """Return one line: pressure (Pa), height (m), temperature, depression (0.1 K), humidity, wind (0.1 m/s)."""
    spans = ((9, 15), (16, 21), (22, 27), (28, 33), (34, 39), (40, 45), (46, 51))
    pressure, height, celsius, humidity, depression, direction, speed = (
        _integer(row, begin, end, line, faults) for begin, end in spans
    )
    temperature_k = None if celsius is None else celsius / 10.0 + KELVIN
    return Level(
        line=line,
        pressure_pa=None if pressure is None else float(pressure),
        geopotential_m=None if height is None else float(height),
        temperature_k=temperature_k,
        dew_point_k=None if depression is None or temperature_k is None else temperature_k - depression / 10.0,
        humidity=None if humidity is None else humidity / 1000.0,
        from_deg=None if direction is None else float(direction),
        speed_m_s=None if speed is None else speed / 10.0,
    )
