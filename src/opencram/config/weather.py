"""The `[weather]` table of a site file: a constant wind, or a weather file, read and checked.

A weather file becomes part of the site's text, as the levels that were read and the notes on them under
`[weather.sounding]`: a recording then needs no such file to fly through the same air, and whoever opens it
sees which air that was.
"""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from opencram.config.document import parse_toml
from opencram.config.model import Weather
from opencram.config.table import Limits, Table
from opencram.earth.met.read import TEXT_FORMATS, read_sounding
from opencram.earth.met.sounding import Sounding, distance_km
from opencram.earth.met.table_csv import read_csv, write_csv
from opencram.errors import ConfigError, Fault

BYTES_MAX: Final = 256 * 1024 * 1024
GRID_FORMATS: Final = ("netcdf", "grib")
DISTANCE_KM_MAX: Final = 1000.0  # farther away it is another weather, or a slip in the octant
DISTANCE_KM_NEAR: Final = 100.0
TOP_M_MIN: Final = 12_000.0  # up to here the flights of the classes lead: a sounding that ends below is told of

_WIND_M_S: Final = Limits(at_least=-150.0, at_most=150.0)
_GEOID_M: Final = Limits(at_least=-120.0, at_most=100.0)
_FILE: Final = 'give the weather file, relative to the site file: file = "met.txt"'
_MAGIC: Final = ((b"GRIB", "grib"), (b"CDF", "netcdf"), (b"\x89HDF", "netcdf"))


def read_weather(
    table: Table | None, text: str, path: Path, origin_deg: tuple[float, float]
) -> tuple[Weather | None, str]:
    """Return what the table says and the site's text with the weather file in it; faults are noted in the table.

    `path` is that of the site file; `origin_deg`: longitude and latitude of the site.
    """
    if table is None:
        return None, text
    remedy = "give metres per second towards the {}, where the air is moving to"
    east = table.optional_number("wind_east_m_s", _WIND_M_S, remedy.format("east"))
    north = table.optional_number("wind_north_m_s", _WIND_M_S, remedy.format("north"))
    geoid_m = table.number(
        "geoid_height_m", _GEOID_M, "give the height of mean sea level above the WGS84 ellipsoid", default=0.0
    )
    file = table.string("file", _FILE, default="")
    form = table.choice(
        "format", (*TEXT_FORMATS, *GRID_FORMATS, ""), "leave it out to tell it from the file itself", default=""
    )
    time = _time(table)
    inlined = table.table("sounding", "leave this to opencram")
    table.done()
    sounding = None
    if inlined is not None:
        sounding = _inlined(inlined)
    elif file:
        read = _read(file, path, form or None, time, origin_deg, table)
        if read is not None:
            text, sounding = _with_sounding(text, *read, table)
    if not file and any(key in table.values for key in ("format", "time")):
        table.fault("file", "missing", "is required beside format and time", _FILE)
    if sounding is not None:
        _judge(sounding, table, origin_deg, has_wind=east is not None or north is not None)
    weather = Weather(
        wind_east_m_s=0.0 if east is None else east,
        wind_north_m_s=0.0 if north is None else north,
        sounding=sounding,
        geoid_height_m=geoid_m,
    )
    return weather, text


def short_notes(weather: Weather | None) -> list[str]:
    """Return what a run must say of its weather before it begins: that no flight uses it, or where it ends too low."""
    sounding = weather.sounding if weather else None
    if sounding is None:
        return []
    if not sounding.air and not sounding.wind:
        return [*sounding.notes[:1]]
    low = [levels for levels in (sounding.air, sounding.wind) if levels and levels[-1].height_m < TOP_M_MIN]
    return [f"the sounding: {note}" for note in sounding.notes if low and " ends at " in note]


def _time(table: Table) -> datetime | None:
    """Return which of several soundings, or fields, is wanted; TOML has times of its own, without quotation marks."""
    remedy = 'write it as "2026-01-01T12:00:00Z"'
    value = table.values.get("time")
    table.knows("time")
    if value is None:
        return None
    try:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        table.fault("time", value, "must be a UTC time", remedy)
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


def read_weather_file(
    path: str | Path,
    *,
    form: str | None = None,
    latitude_deg: float = 45.0,
    longitude_deg: float = 0.0,
    time: datetime | None = None,
) -> Sounding:
    """Return the sounding of a weather file of any format; raise `ConfigError` with its faults.

    The place is that of the site; `form`: one of `TEXT_FORMATS` or `GRID_FORMATS`, None to tell from the file.
    """
    place = Path(path)
    return _sounding(_bytes(place), place, place.name, form, time, (longitude_deg, latitude_deg))


def _bytes(place: Path) -> bytes:
    try:
        with place.open("rb") as stream:
            data = stream.read(BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(str(place), [Fault("$", str(place), f"cannot be read ({reason})", _FILE)]) from error
    if len(data) > BYTES_MAX:
        limit = f"must be at most {BYTES_MAX // 1024**2} MiB"
        raise ConfigError(str(place), [Fault("$", str(place), limit, "cut it to the site and the day")])
    return data


def _sounding(
    data: bytes, place: Path, name: str, form: str | None, time: datetime | None, origin_deg: tuple[float, float]
) -> Sounding:
    form = form or next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)
    if form in GRID_FORMATS:
        from opencram.config.weather_grid import read_grid  # xarray: only who has such a file needs it

        return read_grid(place, name, form, origin_deg, time)
    text = data.decode("utf-8-sig", errors="replace")
    return read_sounding(text, name, form=form, latitude_deg=origin_deg[1], time=time)


def _read(
    file: str, path: Path, form: str | None, time: datetime | None, origin_deg: tuple[float, float], table: Table
) -> tuple[Sounding, str] | None:
    """Return the sounding of a weather file and the hash of its bytes, or None after noting why there is none."""
    place = path.parent / file
    try:
        data = _bytes(place)
    except ConfigError as error:
        table.fault("file", file, error.faults[0].limit, error.faults[0].remedy)
        return None
    try:
        return _sounding(data, place, file, form, time, origin_deg), hashlib.sha256(data).hexdigest()
    except ConfigError as error:
        table.findings.faults += [Fault(f"{file}: {f.place}", f.value, f.limit, f.remedy) for f in error.faults]
        return None


def _inlined(table: Table) -> Sounding | None:
    """Return the sounding that an earlier run wrote into the site's text."""
    lines = table.array("lines", "leave this to opencram")
    table.string("sha256", "leave this to opencram", default="")
    table.done()
    try:
        return read_csv("\n".join(str(line) for line in lines), f"{table.place}.lines") if lines else None
    except ConfigError as error:
        table.findings.faults += [Fault(f"{table.place}: {f.place}", f.value, f.limit, f.remedy) for f in error.faults]
        return None


def _with_sounding(text: str, sounding: Sounding, digest: str, table: Table) -> tuple[str, Sounding | None]:
    """Return the site's text with the levels appended, and the sounding as that text gives it again."""
    written = write_csv(sounding)
    # Strings without control characters read the same in JSON and in TOML, but for one character.
    rows = [json.dumps(line, ensure_ascii=False).replace("\x7f", "\\u007f") for line in written.splitlines()]
    lines = [text.rstrip("\n"), "", "# The weather file above, as it was read; sha256 of the file itself."]
    lines += ["[weather.sounding]", f'sha256 = "{digest}"', "lines = [", *(f"  {row}," for row in rows), "]"]
    whole = "\n".join(lines) + "\n"
    try:
        parse_toml(whole, "")
    except ConfigError:
        table.here("must be a table of its own", "write [weather] on one line and file = ... on the next")
        return text, sounding
    return whole, read_csv(written, "as written")


def _judge(sounding: Sounding, table: Table, origin_deg: tuple[float, float], *, has_wind: bool) -> None:
    """Note what does not fit the site: two winds, or a sounding from far away."""
    if has_wind and sounding.wind:
        key = "wind_east_m_s" if "wind_east_m_s" in table.values else "wind_north_m_s"
        table.fault(key, table.values[key], "stands beside winds that were measured", "leave wind_…_m_s out, or file")
    away_km = distance_km(sounding, origin_deg[1], origin_deg[0])
    if away_km is not None and away_km > DISTANCE_KM_MAX:
        limit = f"was taken {away_km:.0f} km from the site: it must be within {DISTANCE_KM_MAX:.0f} km"
        table.fault("file", table.values.get("file"), limit, "is it the right file? check its octant or position")
    elif away_km is not None and away_km > DISTANCE_KM_NEAR:
        table.findings.notes.append(f"{table.place}.file: was taken {away_km:.0f} km from the site")
    table.findings.notes += [f"{table.place}.file: {note}" for note in sounding.notes]
