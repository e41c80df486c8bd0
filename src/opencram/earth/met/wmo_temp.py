"""WMO TEMP (FM 35): a radiosonde report in groups of five, parts A to D, and the winds of PILOT (PPBB, PPDD).

Read are the surface (99), the standard levels, the tropopauses (88), the levels of greatest wind (77, 66),
the significant levels of temperature, those of wind (21212), and winds by height (PILOT, units of 300 or
500 m; 1000 ft from stations of North and Central America).  Passed over are clouds, stability and regional
groups.  Source: WMO-No. 306, Manual on Codes, volume I.1, FM 32 and FM 35.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from opencram.earth.gas import FOOT_M, KELVIN, KNOT_M_S, rise_m
from opencram.earth.met.faults import Faults
from opencram.earth.met.levels import Level, assemble
from opencram.earth.met.sounding import Sounding

_PART = re.compile(r"\b(TT|PP)(AA|BB|CC|DD)\b")
# Standard levels: figure → pressure (hPa).  Parts A and C share figures, so each has its own table.
_STANDARD: Final = {
    "AA": {"00": 1000, "92": 925, "85": 850, "70": 700, "50": 500, "40": 400, "30": 300, "25": 250, "20": 200,
           "15": 150, "10": 100},
    "CC": {"70": 70, "50": 50, "30": 30, "20": 20, "10": 10},
}  # fmt: skip
# Heights that the standard levels have in the ISA (m): which thousand was left out is told from these.
_USUAL_M: Final = {1000: 111, 925: 762, 850: 1457, 700: 3012, 500: 5574, 400: 7185, 300: 9164, 250: 10363, 200: 11784,
                   150: 13608, 100: 16180, 70: 18442, 50: 20576, 30: 23849, 20: 26481, 10: 31055}  # fmt: skip
_REGION_4 = ("69", "70", "71", "72", "73", "74", "76", "78")  # blocks whose PILOT heights are in thousands of feet
_REMEDY = "ask for the report again, or leave this level out"
_SECTIONS: Final = ("31313", "41414", "51515", "52525", "53535", "54545", "55555", "56565", "57575", "58585", "59595",
                    "61616", "62626")  # fmt: skip
Group = tuple[str, int]  # five characters, and the line that they stand on


@dataclass
class _Report:
    """What the parts gave.  A level is known by its pressure in hectopascals."""

    levels: dict[float, Level] = field(default_factory=dict)
    by_height: dict[float, Level] = field(default_factory=dict)
    station: str = ""
    day_hour: str = ""
    knots: bool = True
    parts: list[str] = field(default_factory=list)


def is_temp(text: str) -> bool:
    """Return whether a text holds a part of such a report."""
    return bool(_PART.search(text))


def read_temp(text: str, name: str, *, latitude_deg: float = 45.0) -> Sounding:
    """Return the sounding of one station's parts in `text`; raise `ConfigError`, with lines, if it is wrong."""
    faults = Faults(name)
    report = _Report()
    for kind, part, groups in _parts(text):
        _read_part(kind, part, groups, report, faults)
    faults.stop()
    if not report.parts:
        raise faults.refuse(1, text[:40], "must hold TTAA, TTBB or PPBB", "give the report with its headings")
    levels = [report.levels[hpa] for hpa in sorted(report.levels, reverse=True)]
    _unwrap(levels, faults)
    faults.stop()
    levels += [report.by_height[height] for height in sorted(report.by_height)]
    notes = ["the report does not say where the station stands, only its number"]
    if report.by_height:
        feet = report.station.startswith(_REGION_4)
        notes.append("winds by height are in steps of " + ("1000 ft" if feet else "300 or 500 m"))
    base = Sounding(
        format="TEMP",
        title=f"station {report.station}, parts {' '.join(report.parts)}",
        time=f"day {report.day_hour[:2]}, {report.day_hour[2:]} h UTC",
        notes=tuple(notes),
    )
    return assemble(levels, base, faults, latitude_deg=latitude_deg, pressure_error_pa=50.0)


def _parts(text: str) -> Iterator[tuple[str, str, list[Group]]]:
    """Yield the kind (TT, PP), the part (AA …) and the groups of each part, to its end sign or the next part."""
    found = list(_PART.finditer(text))
    for k, head in enumerate(found):
        end = found[k + 1].start() if k + 1 < len(found) else len(text)
        groups = []
        line = text.count("\n", 0, head.end()) + 1
        for row in text[head.end() : end].split("\n"):
            before, sign, _ = row.partition("=")
            groups += [(group, line) for group in before.split()]
            line += 1
            if sign or "NNNN" in row:
                break
        yield head[1], head[2], groups


def _read_part(kind: str, part: str, groups: list[Group], report: _Report, faults: Faults) -> None:
    """Read the identification of a part (YYGGId IIiii), then its levels."""
    heads = [group for group, _ in groups[:2]]
    line = groups[0][1] if groups else 1
    if len(heads) < 2 or not re.fullmatch(r"\d{4}[\d/]", heads[0]) or not re.fullmatch(r"\d{5}", heads[1]):
        faults.add(
            line, " ".join(heads), f"must be YYGGI IIiii after {kind}{part}", "begin each part with time and station"
        )
        return
    day = int(heads[0][:2])
    knots = day > 50
    day_hour = f"{day - 50 if knots else day:02d}{heads[0][2:4]}"
    if report.station and (heads[1], day_hour) != (report.station, report.day_hour):
        value = f"station {heads[1]}, day and hour {day_hour}"
        limit = f"the part before is of {report.station}, {report.day_hour}"
        faults.add(line, value, limit, "keep the parts of one sounding in the file")
        return
    report.station, report.day_hour, report.knots = heads[1], day_hour, knots
    report.parts.append(f"{kind}{part}")
    body = groups[2:]
    if kind == "PP":
        _pilot(body, report, faults)
    elif part in _STANDARD:
        _standard(body, part, heads[0][4], report, faults)
    else:
        _significant(body, part, report, faults)


def _level(report: _Report, hpa: float, line: int) -> Level:
    return report.levels.setdefault(hpa, Level(line=line, pressure_pa=hpa * 100.0))


def _standard(groups: list[Group], part: str, last_wind: str, report: _Report, faults: Faults) -> None:
    """Read part A or C: surface, standard levels, tropopauses, greatest winds, up to the first other section."""
    k = 0
    while k + 1 < len(groups) and groups[k][0] not in _SECTIONS:
        group, line = groups[k]
        mark = group[:2]
        if group in ("88999", "77999", "66999"):  # there was none
            k += 1
        elif mark in ("77", "66"):
            hpa = _pressure(group, part, faults, line)
            if hpa:
                _wind(_level(report, hpa, line), groups[k + 1], report, faults)
            shear = k + 2 < len(groups) and groups[k + 2][0][0] == "4" and groups[k + 2][0] not in _SECTIONS
            k += 3 if shear else 2
        elif mark in ("99", "88"):
            hpa = _pressure(group, part, faults, line)
            if hpa:
                _fill(_level(report, hpa, line), groups[k + 1 : k + 3], report, faults)
            k += 3
        elif mark in _STANDARD[part]:
            k += _standard_level(groups, k, part, last_wind, report, faults)
        else:
            faults.add(line, group, "is no standard level here", _REMEDY)
            return


def _standard_level(groups: list[Group], k: int, part: str, last_wind: str, report: _Report, faults: Faults) -> int:
    """Read one standard level; return how many groups it takes: above the last with a wind there is none."""
    group, line = groups[k]
    hpa = _STANDARD[part][group[:2]]
    windy = last_wind != "/" and _wind_follows(groups, k, part, hpa, int(last_wind))
    count = 3 if windy else 2
    if "/" not in group:
        level = _level(report, float(hpa), line)
        _height(level, hpa, group, line, faults)
        _fill(level, groups[k + 1 : k + count], report, faults)
    return count


def _wind_follows(groups: list[Group], k: int, part: str, hpa: int, last: int) -> bool:
    """Return whether a standard level has a wind, by the figure that names the last one that has.

    It gives hundreds of hectopascals (in part C tens): 2 is for 250 and 200, 1 for 150 and 100, which the groups
    themselves must tell apart: a wind is followed by the next level, a level by its temperature.
    """
    unit = 100 if part == "AA" else 10
    figure = hpa // unit % 10 if hpa < 10 * unit else 0
    rank = 10 if figure == 0 else figure
    wanted = 10 if last == 0 else last
    if rank != wanted:
        return rank > wanted
    marks = list(_STANDARD[part])
    place = marks.index(groups[k][0][:2])
    following = (*marks[place + 1 : place + 2], "88", "77", "66")
    here, after = (groups[k + n][0][:2] if k + n < len(groups) else "" for n in (2, 3))
    if here.isdigit() and int(here) > 36:  # no direction in tens of degrees
        return False
    return here not in following or after in following


def _fill(level: Level, groups: list[Group], report: _Report, faults: Faults) -> None:
    """Read temperature and, where it is given, wind."""
    if groups:
        _temperature(level, groups[0], faults)
    if len(groups) > 1:
        _wind(level, groups[1], report, faults)


def _significant(groups: list[Group], part: str, report: _Report, faults: Faults) -> None:
    """Read part B or D: levels of temperature, numbered 00, 11, 22 …, then those of wind after 21212."""
    winds = False
    k = 0
    while k + 1 < len(groups):
        group, line = groups[k]
        if group == "21212":
            winds, k = True, k + 1
            continue
        if group in _SECTIONS:
            break
        if not re.fullmatch(r"(\d)\1[\d/]{3}", group):
            faults.add(line, group, "must be a level, nnPPP with nn = 00, 11, 22 …", _REMEDY)
            return
        hpa = _pressure(group, part, faults, line)
        if hpa is not None:
            level = _level(report, hpa, line)
            if winds:
                _wind(level, groups[k + 1], report, faults)
            else:
                _temperature(level, groups[k + 1], faults)
        k += 2


def _pilot(groups: list[Group], report: _Report, faults: Faults) -> None:
    """Read winds by height: 9tuuu or 8tuuu, then a wind for each u; t tens and u units of 300 m (9) or 500 m (8)."""
    k = 0
    while k < len(groups):
        group, line = groups[k]
        if group in _SECTIONS or group == "21212":
            break
        if not re.fullmatch(r"[89]\d[\d/]{3}", group):
            faults.add(line, group, "must be 9tuuu or 8tuuu, heights of three winds", _REMEDY)
            return
        step = 500.0 if group[0] == "8" else 1000.0 * FOOT_M if report.station.startswith(_REGION_4) else 300.0
        k += 1
        for unit in group[2:].replace("/", ""):
            if k >= len(groups):
                faults.add(line, group, "announces more winds than follow", _REMEDY)
                return
            height = (10 * int(group[1]) + int(unit)) * step
            if height > 0.0:  # 0 is the surface, whose wind part A has
                level = Level(line=groups[k][1], geopotential_m=height)
                _wind(level, groups[k], report, faults)
                if level.speed_m_s is not None:
                    report.by_height.setdefault(height, level)
            k += 1


def _pressure(group: str, part: str, faults: Faults, line: int) -> float | None:
    """Return the pressure (hPa) of the last three characters: tenths in parts C and D."""
    if "/" in group[2:]:
        return None
    if not re.fullmatch(r"\d{5}", group):
        faults.add(line, group, "must be five figures", _REMEDY)
        return None
    value = int(group[2:])
    if part in ("CC", "DD"):
        return value / 10.0 if value else None
    return float(value if value > 100 or value == 100 else value + 1000)


def _temperature(level: Level, group: Group, faults: Faults) -> None:
    """Read TTTDD: the tenth is odd below zero; depression of the dew point in tenths up to 5 K, whole from 6 K."""
    text, line = group
    if text.startswith("///"):
        return
    if not re.fullmatch(r"\d{3}(\d\d|//)", text):
        faults.add(line, text, "must be a temperature and dew point, TTTDD", _REMEDY)
        return
    tenths = int(text[:3])
    celsius = tenths / 10.0 if tenths % 2 == 0 else -tenths / 10.0
    level.temperature_k = celsius + KELVIN
    if text[3:] != "//":
        code = int(text[3:])
        if 51 <= code <= 55:
            faults.add(line, text, "has a dew point depression of 51 to 55, which the code does not use", _REMEDY)
            return
        level.dew_point_k = level.temperature_k - (code / 10.0 if code <= 50 else code - 50.0)


def _wind(level: Level, group: Group, report: _Report, faults: Faults) -> None:
    """Read ddfff: tens of degrees, with five more where 500 is added to the speed."""
    text, line = group
    if text.startswith("//") or text.endswith("///"):
        return
    if not re.fullmatch(r"\d{5}", text):
        faults.add(line, text, "must be a wind, ddfff", _REMEDY)
        return
    direction, speed = int(text[:2]) * 10, int(text[2:])
    if speed >= 500:
        direction, speed = direction + 5, speed - 500
    level.from_deg, level.speed_m_s = float(direction), speed * (KNOT_M_S if report.knots else 1.0)


def _height(level: Level, hpa: int, group: str, line: int, faults: Faults) -> None:
    """Read a standard level's height: metres up to 700 hPa, tens above, the thousand as usual (see `_unwrap`)."""
    if not re.fullmatch(r"\d{3}", group[2:]):
        faults.add(line, group, "must be a standard level and its height, PPhhh", _REMEDY)
        return
    figures, period, unit = int(group[2:]), (1000 if hpa >= 700 else 10_000), (1 if hpa >= 700 else 10)
    height = float(figures * unit)
    if hpa == 1000 and figures >= 500:
        level.geopotential_m = 500.0 - height  # below the sea: 500 is added to its depth
        return
    level.geopotential_m = height + period * round((_USUAL_M[hpa] - height) / period)


def _unwrap(levels: list[Level], faults: Faults) -> None:
    """Where the usual thousand is not the one that the weight of the air says, take that one."""
    known = [x for x in levels if x.geopotential_m is not None and x.temperature_k is not None and x.pressure_pa]
    for low, high in pairwise(known):
        assert low.pressure_pa
        assert high.pressure_pa
        assert low.temperature_k
        assert high.temperature_k
        assert low.geopotential_m is not None
        assert high.geopotential_m is not None
        due = low.geopotential_m + rise_m(
            math.log(low.pressure_pa / high.pressure_pa), low.temperature_k, high.temperature_k
        )
        period = 1000.0 if high.pressure_pa >= 70_000.0 else 10_000.0
        high.geopotential_m += period * round((due - high.geopotential_m) / period)
    if not known and any(x.temperature_k is not None for x in levels):
        remedy = "add part A (TTAA), whose standard levels have heights"
        faults.add(None, "no height", "no level of air has a height", remedy)
