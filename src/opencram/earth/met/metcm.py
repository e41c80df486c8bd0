"""METCM, the computer met message of STANAG 4082: mean wind, virtual temperature and pressure by zone.

    METCM1 324983 071265 037013      octant, latitude and longitude (0.1°); day, hour (0.1 h), hours valid;
                                     height of the datum (10 m) and its pressure (mb, less 1000)
    00260018 30431013                zone, direction (10 mils), speed (knots);
                                     virtual temperature (0.1 K), pressure (mb)

Zone 0 is the datum itself; the others are means, and stand at the middle of their zone.  Two tables of zones
are in use that do not agree from zone 6 on, and the message does not say which: its own pressures do, for
only one of them gives the layers a thickness that such air has.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from opencram.earth.gas import KNOT_M_S, geopotential_at, log_pressure_fall, wind_components
from opencram.earth.met.faults import Faults
from opencram.earth.met.levels import KELVIN_MAX, KELVIN_MIN, WIND_M_S_MAX, finished, judge_ground
from opencram.earth.met.sounding import AirLevel, Sounding, WindLevel

# Tops of zones 1, 2, … in metres over the datum.  Sources: FM 3-09.15 (2007), appendix A; the second table is
# the one that some nations' equipment sends instead.
ZONE_TOPS_M: Final = {
    "US": (200, 500, *range(1000, 5001, 500), *range(6000, 20_001, 1000), *range(22_000, 30_001, 2000)),
    "alternative": (200, 500, 1000, 1500, 2000, 3000, 4000, 5000, 6000, *range(8000, 40_001, 2000)),
}  # fmt: skip
MILS = 6400.0
MISFIT_PA = 150.0  # half a millibar of rounding, and a millibar for how a sender takes the middle of a zone
MISFIT_SHARE = 0.004

_HEAD = re.compile(r"METCM\s*(\d)\s*([0-9A-Z/]{6})\s*(\d{2})(\d{3})(\d)\s*(\d{3})(\d{3})", re.ASCII)
_LINE = re.compile(r"(\d{2})(\d{3})(\d{3})(\d{4})(\d{4})", re.ASCII)
_REMEDY = "ask for the message again, or leave the line and all above it out"


@dataclass(frozen=True)
class _Zone:
    line: int
    zone: int
    from_mils: float
    speed_m_s: float
    virtual_k: float
    pressure_pa: float


def is_metcm(text: str) -> bool:
    """Return whether a text begins as this message does."""
    return bool(re.search(r"^[ \t]*METCM", text, re.MULTILINE))


def read_metcm(text: str, name: str, *, latitude_deg: float = 45.0) -> Sounding:
    """Return the sounding of the first METCM message in `text`; raise `ConfigError`, with lines, if it is wrong."""
    faults = Faults(name)
    begin = text.find("METCM")
    first_line = text.count("\n", 0, max(begin, 0)) + 1
    found = _HEAD.match(text, max(begin, 0))
    if not found:
        value = text[max(begin, 0) :].split("\n", maxsplit=1)[0][:40]
        limit = "must be METCMq LaLaLaLoLoLo YYGGGG hhhPPP"
        raise faults.refuse(first_line, value, limit, "begin the message with its four groups of introduction")
    octant, place, day, hour, valid, datum, station = found.groups()
    position = octant_position(int(octant), place, first_line, faults)
    _judge_time(day, hour, valid, first_line, faults)
    zones = _zones(text, found.end(), faults)
    faults.stop()
    datum_m = int(datum) * 10.0
    station_pa = (int(station) + (1000 if int(station) < 200 else 0)) * 100.0
    if abs(zones[0].pressure_pa - station_pa) > 200.0:
        value = f"{zones[0].pressure_pa / 100.0:.0f} mb"
        faults.add(zones[0].line, value, f"the introduction says {station_pa / 100.0:.0f} mb at the datum", _REMEDY)
    judge_ground(zones[0].line, datum_m, zones[0].pressure_pa, faults)
    faults.stop()
    latitude_rad = math.radians(position[0] if position else latitude_deg)
    table, told = _table(zones, datum_m, latitude_rad, faults)
    heights = [datum_m + middle for middle in _middles(table, zones)]
    pressures = integrated_pa(zones, heights, latitude_rad)
    air = [AirLevel(h, p, z.virtual_k) for h, p, z in zip(heights, pressures, zones, strict=True)]
    wind = [
        WindLevel(h, *wind_components(z.from_mils * 360.0 / MILS, z.speed_m_s))
        for h, z in zip(heights, zones, strict=True)
    ]
    hours = 12 if valid == "9" else int(valid)
    base = Sounding(
        format="METCM",
        title=f"datum at {datum_m:.0f} m, {len(zones)} lines",
        time=f"day {day}, {int(hour) / 10.0:.1f} h UTC, valid {hours} h",
        latitude_deg=position[0] if position else None,
        longitude_deg=position[1] if position else None,
    )
    return finished(base, air, wind, told)


def octant_position(octant: int, place: str, line: int, faults: Faults) -> tuple[float, float] | None:
    """Return latitude and longitude (degrees) of an octant of the globe and six digits, None where they are a code.

    Octants: 0 to 3 north, 5 to 8 south; in each, 0° to 90° W, 90° to 180° W, 180° to 90° E, 90° E to 0°.
    Longitudes of 100° and more come without their first digit.
    """
    if octant == 9 or not place.isdigit():
        return None
    if octant == 4:
        faults.add(line, f"octant {octant}", "must be 0 to 3, 5 to 8, or 9 for a place in code", "mend the octant")
        return None
    latitude, longitude = int(place[:3]) / 10.0, int(place[3:]) / 10.0
    quarter = octant % 5
    if quarter in (1, 2) and longitude < 90.0:
        longitude += 100.0
    limits = (90.0, 180.0) if quarter in (1, 2) else (0.0, 90.0)
    if latitude > 90.0 or not limits[0] <= longitude <= limits[1]:
        limit = f"octant {octant} reaches from {limits[0]:g}° to {limits[1]:g}° of longitude, and latitude to 90°"
        faults.add(line, place, limit, "mend the octant, or the position in tenths of a degree")
        return None
    return (latitude if octant < 4 else -latitude), (-longitude if quarter in (0, 1) else longitude)


def _judge_time(day: str, hour: str, valid: str, line: int, faults: Faults) -> None:
    if not 1 <= int(day) <= 31 or int(hour) > 240:
        faults.add(
            line, day + hour + valid, "must be day 01 to 31, tenths of an hour 000 to 240, hours valid", "mend the time"
        )


def _zones(text: str, start: int, faults: Faults) -> list[_Zone]:
    """Return the lines of the body; sixteen digits each, however they are broken into groups."""
    zones: list[_Zone] = []
    pending, pending_line = "", 0
    for number, row in enumerate(text[start:].split("\n"), text.count("\n", 0, start) + 1):
        for group in row.replace("//", " ").split():
            if group.startswith(("99999", "METCM", "END", "BT", "NNNN", "=")) and not pending:
                return _whole(zones, faults)
            pending, pending_line = pending + group.rstrip("="), pending_line if pending else number
            if len(pending) < 16:
                continue
            zone = _zone(pending, pending_line, len(zones), faults)
            if zone is not None:
                zones.append(zone)
            pending = ""
    if pending:
        faults.add(pending_line, pending, "must be 16 digits: ZZdddFFF TTTTPPPP", _REMEDY)
    return _whole(zones, faults)


def _whole(zones: list[_Zone], faults: Faults) -> list[_Zone]:
    if len(zones) < 2 and not faults.found:
        faults.add(
            None, f"{len(zones)} lines", "there must be at least the datum and one zone", "is the message whole?"
        )
    return zones


def _zone(digits: str, line: int, due: int, faults: Faults) -> _Zone | None:
    found = _LINE.fullmatch(digits)
    if not found:
        faults.add(line, digits, "must be 16 digits: ZZdddFFF TTTTPPPP", _REMEDY)
        return None
    zone, direction, speed, kelvin, pressure = (int(group) for group in found.groups())
    if zone != due:
        faults.add(line, f"zone {zone:02d}", f"must be zone {due:02d}: zones come one by one", _REMEDY)
    if direction > 640:
        faults.add(line, f"direction {direction:03d}", "must be at most 640 tens of mils", _REMEDY)
    if speed * KNOT_M_S > WIND_M_S_MAX:
        limit = f"must be at most {WIND_M_S_MAX:g} m/s: no wind on earth is as fast"
        faults.add(line, f"wind of {speed} knots, {speed * KNOT_M_S:.0f} m/s", limit, _REMEDY)
    if not KELVIN_MIN <= kelvin / 10.0 <= KELVIN_MAX:
        faults.add(line, f"{kelvin / 10.0:g} K", f"must lie from {KELVIN_MIN:g} to {KELVIN_MAX:g} K", _REMEDY)
    if not 1 <= pressure <= 1100:
        faults.add(line, f"{pressure} mb", "must lie from 1 to 1100 mb", _REMEDY)
    return _Zone(line, due, direction * 10.0, speed * KNOT_M_S, kelvin / 10.0, pressure * 100.0)


def _middles(table: str, zones: Sequence[_Zone]) -> list[float]:
    """Return the middle of each zone over the datum (m); the datum itself is its own."""
    edges = (0.0, *ZONE_TOPS_M[table])
    return [0.0 if z.zone == 0 else (edges[z.zone - 1] + edges[z.zone]) / 2.0 for z in zones]


def integrated_pa(zones: Sequence[_Zone], heights_m: Sequence[float], latitude_rad: float) -> list[float]:
    """Return the pressures that the virtual temperatures make of the pressure of the first level.

    A millibar is a coarse unit high up (at 10 km half of one is 0.2 % of the density): the tenth of a kelvin,
    summed from the ground, is ten times finier, so these stand in for the ones that are printed.
    """
    logs = [math.log(zones[0].pressure_pa)]
    geopotentials = [float(geopotential_at(h, latitude_rad)) for h in heights_m]
    for (low, high), (below, above) in zip(pairwise(geopotentials), pairwise(zones), strict=True):
        logs.append(logs[-1] - log_pressure_fall(high - low, below.virtual_k, above.virtual_k))
    return [math.exp(log) for log in logs]


def _table(zones: Sequence[_Zone], datum_m: float, latitude_rad: float, faults: Faults) -> tuple[str, list[str]]:
    """Return the table of zones that the pressures obey, and what to say about it; refuse if none."""
    misfits: dict[str, tuple[float, _Zone, float]] = {}
    for table, tops in ZONE_TOPS_M.items():
        if len(zones) > len(tops) + 1:
            continue
        heights = [datum_m + middle for middle in _middles(table, zones)]
        due = integrated_pa(zones, heights, latitude_rad)
        shares = [
            (abs(z.pressure_pa - p) / (MISFIT_PA + MISFIT_SHARE * p), z, p) for z, p in zip(zones, due, strict=True)
        ]
        misfits[table] = max(shares, key=lambda share: share[0])
    if not misfits:
        raise faults.refuse(zones[-1].line, f"zone {zones[-1].zone}", "no table of zones has as many", _REMEDY)
    best = min(misfits, key=lambda table: misfits[table][0])
    share, zone, due_pa = misfits[best]
    if share > 1.0:
        value = f"{zone.pressure_pa / 100.0:.0f} mb in zone {zone.zone:02d}"
        limit = f"the temperatures below make it {due_pa / 100.0:.0f} mb, by the {best} table of zones, which fits best"
        raise faults.refuse(zone.line, value, limit, "check this line and those below it: a digit is wrong")
    if all(_middles(table, zones) == _middles(best, zones) for table in misfits):
        return best, ["zones: both tables in use agree as far as the message goes"] if len(misfits) > 1 else []
    worst_pa = share * (MISFIT_PA + MISFIT_SHARE * due_pa)
    return best, [
        f"zones: the {best} table, told by the weight of the air (pressures fit within {worst_pa / 100.0:.1f} mb)"
    ]
