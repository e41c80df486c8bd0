"""From the levels of any message to the checked levels of a sounding: one path for every format.

A level may lack anything.  Those with pressure and temperature make the column of air; where their height is
missing it follows from the weight of the air between.  Winds at a pressure get the height that the column has
there.  What contradicts itself is refused: pressures that do not fall, heights that do not rise, and heights
that are not those of such air (feet for metres, a slipped digit).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from opencram.earth.gas import (
    AUTOCONVECTIVE_K_M,
    KELVIN,
    geopotential_at,
    height_at,
    log_pressure_fall,
    rise_m,
    vapour_pressure_pa,
    virtual_temperature_k,
    wind_components,
)
from opencram.earth.met.faults import Faults
from opencram.earth.met.sounding import AirLevel, Sounding, WindLevel

# What is no weather.  The coldest air of the stratosphere is 180 K, the fastest jet stream 115 m/s.
KELVIN_MIN, KELVIN_MAX = 160.0, 340.0
PASCAL_MIN, PASCAL_MAX = 1.0, 110_000.0
WIND_M_S_MAX: Final = 150.0
HEIGHT_M_MIN, HEIGHT_M_MAX = -500.0, 60_000.0
TOP_WANTED_M: Final = 30_000.0
GAP_M: Final = 3_000.0

_GROUND_SHARE = 0.18  # of the standard pressure: the records of the sea's, 870 and 1085 hPa, lie within
_MISFIT_M = 30.0  # of a layer's thickness against the weight of its air, and what a coarse layer may add
_MISFIT_SHARE = 0.05


@dataclass(kw_only=True)
class Level:
    """One level as a message gives it; None: not given.  Of heights and winds at most one form is given."""

    line: int | None = None
    pressure_pa: float | None = None
    height_m: float | None = None  # geometric, above mean sea level
    geopotential_m: float | None = None
    temperature_k: float | None = None
    dew_point_k: float | None = None
    humidity: float | None = None  # relative, share of saturation over water
    virtual_k: float | None = None
    from_deg: float | None = None
    speed_m_s: float | None = None
    east_m_s: float | None = None
    north_m_s: float | None = None


@dataclass
class _Air:
    line: int | None
    pressure_pa: float
    virtual_k: float
    geopotential_m: float | None


def assemble(
    levels: Sequence[Level], base: Sounding, faults: Faults, *, latitude_deg: float, pressure_error_pa: float = 0.0
) -> Sounding:
    """Return `base` with the levels in it, checked; raise `ConfigError` with every fault.

    The levels come from the ground up.  `latitude_deg` turns geopotential heights into geometric ones;
    `pressure_error_pa` is what rounding may hide in each pressure.
    """
    latitude_rad = math.radians(base.latitude_deg if base.latitude_deg is not None else latitude_deg)
    for level in levels:
        _judge(level, faults)
    _judge_units(levels, faults)
    faults.stop()
    column = _column(levels, latitude_rad)
    _judge_order(column, levels, faults)
    warm = [level for level in levels if level.temperature_k is not None or level.virtual_k is not None]
    if warm and not column:
        limit = "must come with a pressure, at the lowest level at least: density needs both"
        faults.add(warm[0].line, "a temperature", limit, "add a column of pressure")
    faults.stop()
    notes = list(base.notes)
    if len(column) < len(warm):
        notes.append(f"{len(warm) - len(column)} temperatures without pressure or height are not used")
    column = _with_heights(column, faults)
    faults.stop()
    _judge_weight(column, pressure_error_pa, faults)
    faults.stop()
    air = [
        AirLevel(float(height_at(a.geopotential_m, latitude_rad)), a.pressure_pa, a.virtual_k)
        for a in column
        if a.geopotential_m is not None
    ]
    wind = _winds(levels, column, latitude_rad, notes)
    if len(air) < 2:
        if air:
            notes.append("one level of air alone is not used")
        air = []
    if not air and not wind:
        raise faults.refuse(None, "no level", "there must be two levels of air or one of wind", "is this file whole?")
    return finished(base, air, wind, notes)


def finished(base: Sounding, air: Sequence[AirLevel], wind: Sequence[WindLevel], notes: Sequence[str]) -> Sounding:
    """Return `base` with its levels, and with the notes that follow from how far they reach."""
    told = [*notes, *reach_notes(air, wind)]
    return Sounding(
        format=base.format,
        title=base.title,
        time=base.time,
        latitude_deg=base.latitude_deg,
        longitude_deg=base.longitude_deg,
        air=tuple(air),
        wind=tuple(wind),
        notes=tuple(told),
    )


def reach_notes(air: Sequence[AirLevel], wind: Sequence[WindLevel]) -> list[str]:
    """Say what stands in where the levels end, or leave a gap."""
    notes = []
    if not air:
        notes.append("no air in it: the standard atmosphere stands in at every height")
    elif air[-1].height_m < TOP_WANTED_M:
        notes.append(
            f"air ends at {air[-1].height_m:.0f} m: above, the temperature returns to the standard atmosphere's "
            "over 5 km and the pressure follows from the weight of the air"
        )
    if not wind:
        notes.append("no wind in it: the wind of the site file stands in, or none")
    elif wind[-1].height_m < TOP_WANTED_M:
        notes.append(f"wind ends at {wind[-1].height_m:.0f} m: above, its last value holds")
    for what, heights in (("air", [a.height_m for a in air]), ("wind", [w.height_m for w in wind])):
        gaps = [(low, high) for low, high in pairwise(heights) if high - low > GAP_M]
        if gaps:
            low, high = max(gaps, key=lambda gap: gap[1] - gap[0])
            notes.append(f"no level of {what} from {low:.0f} to {high:.0f} m: a straight line stands in")
    return notes


def _judge(level: Level, faults: Faults) -> None:
    """Note each value that is no weather."""
    checks = [
        (level.pressure_pa, 0.01, "hPa", PASCAL_MIN * 0.01, PASCAL_MAX * 0.01, "give the pressure in the unit named"),
        (level.temperature_k, 1.0, "K", KELVIN_MIN, KELVIN_MAX, "is it in the unit that the column says?"),
        (level.virtual_k, 1.0, "K", KELVIN_MIN, KELVIN_MAX, "is it in the unit that the column says?"),
        (level.dew_point_k, 1.0, "K", 100.0, KELVIN_MAX, "is it in the unit that the column says?"),
        (level.height_m, 1.0, "m", HEIGHT_M_MIN, HEIGHT_M_MAX, "give metres above mean sea level"),
        (level.geopotential_m, 1.0, "m", HEIGHT_M_MIN, HEIGHT_M_MAX, "give metres above mean sea level"),
        (level.from_deg, 1.0, "°", 0.0, 360.0, "give the direction that the wind blows from"),
        (level.humidity, 100.0, "%", 0.0, 120.0, "give the relative humidity"),
    ]
    for value, factor, unit, low, high, remedy in checks:
        if value is not None and not low <= value * factor <= high:
            faults.add(level.line, f"{value * factor:g} {unit}", f"must lie from {low:g} to {high:g} {unit}", remedy)
    speed = level.speed_m_s
    if level.east_m_s is not None and level.north_m_s is not None:
        speed = math.hypot(level.east_m_s, level.north_m_s)
    if speed is not None and not 0.0 <= speed <= WIND_M_S_MAX:
        limit = f"must lie from 0 to {WIND_M_S_MAX:g} m/s: no wind on earth is as fast"
        faults.add(
            level.line, f"wind of {speed:.1f} m/s", limit, "is it in the unit that the message says? else leave it out"
        )


def _judge_units(levels: Sequence[Level], faults: Faults) -> None:
    """Note a column of temperatures in which kelvins and degrees Celsius are mixed."""
    for before, after in pairwise([x for x in levels if x.temperature_k is not None]):
        assert before.temperature_k is not None
        assert after.temperature_k is not None
        jump = after.temperature_k - before.temperature_k
        if abs(jump) > 150.0:
            faults.add(
                after.line,
                f"{after.temperature_k:g} K",
                f"differs by {jump:.0f} K from the level before",
                "keep one unit",
            )


def _virtual_k(level: Level) -> float | None:
    if level.virtual_k is not None:
        return level.virtual_k
    if level.temperature_k is None or level.pressure_pa is None:
        return None
    if level.dew_point_k is not None:
        vapour_pa = vapour_pressure_pa(min(level.dew_point_k, level.temperature_k))
    elif level.humidity is not None:
        vapour_pa = level.humidity * vapour_pressure_pa(level.temperature_k)
    else:
        vapour_pa = 0.0  # aloft, where humidity is not reported, it weighs nothing
    return virtual_temperature_k(level.temperature_k, vapour_pa, level.pressure_pa)


def _geopotential_m(level: Level, latitude_rad: float) -> float | None:
    if level.geopotential_m is not None:
        return level.geopotential_m
    return float(geopotential_at(level.height_m, latitude_rad)) if level.height_m is not None else None


def _column(levels: Sequence[Level], latitude_rad: float) -> list[_Air]:
    """Return the levels that make the column of air: those with a temperature, and a pressure or a height."""
    column: list[_Air] = []
    for level in levels:
        kelvin, height = _virtual_k(level), _geopotential_m(level, latitude_rad)
        if (
            kelvin is None
            and level.temperature_k is not None
            and level.pressure_pa is None
            and height is not None
            and column
        ):
            kelvin = level.temperature_k
        if kelvin is None:
            continue
        pressure = level.pressure_pa
        if pressure is None:
            last = column[-1] if column else None
            if height is None or last is None or last.geopotential_m is None:
                continue
            pressure = last.pressure_pa * math.exp(
                -log_pressure_fall(height - last.geopotential_m, last.virtual_k, kelvin)
            )
            if level.virtual_k is None:  # humidity can be weighed now that the pressure is known
                level.pressure_pa = pressure
                kelvin = _virtual_k(level) or kelvin
        column.append(_Air(level.line, pressure, kelvin, height))
    return column


def _judge_order(column: Sequence[_Air], levels: Sequence[Level], faults: Faults) -> None:
    """Note levels that are not in order from the ground up."""
    for low, high in pairwise(column):
        if high.pressure_pa >= low.pressure_pa:
            value = f"{high.pressure_pa / 100.0:g} hPa after {low.pressure_pa / 100.0:g} hPa"
            faults.add(
                high.line,
                value,
                "the pressure must fall from level to level",
                "order the levels from the ground up, each once",
            )
    air = [level for level in levels if level.temperature_k is not None or level.virtual_k is not None]
    wind = [level for level in levels if level.temperature_k is None and level.virtual_k is None]
    for group in (air, wind):
        for kind in ("height_m", "geopotential_m"):
            known = [(level.line, value) for level in group if (value := getattr(level, kind)) is not None]
            for (_, low_m), (line, high_m) in pairwise(known):
                if high_m <= low_m:
                    value = f"{high_m:g} m after {low_m:g} m"
                    limit = "the height must rise from level to level"
                    faults.add(line, value, limit, "order the levels from the ground up, each once")


def _with_heights(column: list[_Air], faults: Faults) -> list[_Air]:
    """Return the column with every height: missing ones follow from the air's weight, fitted to both neighbours."""
    known = [k for k, level in enumerate(column) if level.geopotential_m is not None]
    if not column:
        return column
    if not known:
        remedy = "give the height of the lowest level, or of any other"
        raise faults.refuse(column[0].line, "no height", "at least one level of air must have a height", remedy)
    heights = [level.geopotential_m for level in column]
    rises = [
        rise_m(math.log(low.pressure_pa / high.pressure_pa), low.virtual_k, high.virtual_k)
        for low, high in pairwise(column)
    ]
    for k in range(known[0] - 1, -1, -1):
        above = heights[k + 1]
        assert above is not None
        heights[k] = above - rises[k]
    for low, high in pairwise(known):
        start, end = heights[low], heights[high]
        assert start is not None
        assert end is not None
        stretch = (end - start) / sum(rises[low:high])
        for k in range(low + 1, high):
            heights[k] = start + stretch * sum(rises[low:k])
    for k in range(known[-1] + 1, len(column)):
        below = heights[k - 1]
        assert below is not None
        heights[k] = below + rises[k - 1]
    return [_Air(level.line, level.pressure_pa, level.virtual_k, h) for level, h in zip(column, heights, strict=True)]


def _judge_weight(column: Sequence[_Air], pressure_error_pa: float, faults: Faults) -> None:
    """Note layers whose thickness is not that of the air that the pressures and temperatures speak of."""
    if column:
        judge_ground(column[0].line, column[0].geopotential_m or 0.0, column[0].pressure_pa, faults)
    for low, high in pairwise(column):
        assert low.geopotential_m is not None
        assert high.geopotential_m is not None
        rise = high.geopotential_m - low.geopotential_m
        due = rise_m(math.log(low.pressure_pa / high.pressure_pa), low.virtual_k, high.virtual_k)
        rounding = (pressure_error_pa / low.pressure_pa + pressure_error_pa / high.pressure_pa) * 30.0 * high.virtual_k
        if abs(rise - due) > _MISFIT_M + _MISFIT_SHARE * due + rounding:
            value = f"{rise:.0f} m from {low.pressure_pa / 100.0:g} to {high.pressure_pa / 100.0:g} hPa"
            kelvin = (low.virtual_k + high.virtual_k) / 2.0 - KELVIN
            limit = f"air of {kelvin:.0f} °C is {due:.0f} m thick there"
            faults.add(
                high.line, value, limit, "check height, pressure and temperature of both levels, and their units"
            )


def judge_ground(line: int | None, geopotential_m: float, pressure_pa: float, faults: Faults) -> None:
    """Note a lowest level whose pressure no weather makes at that height."""
    if geopotential_m > 10_000.0:
        return
    usual_pa = 101_325.0 * (1.0 - 0.0065 * geopotential_m / 288.15) ** (AUTOCONVECTIVE_K_M / 0.0065)
    if abs(pressure_pa / usual_pa - 1.0) > _GROUND_SHARE:
        limit = f"the standard atmosphere has {usual_pa / 100.0:.0f} hPa at {geopotential_m:.0f} m"
        faults.add(
            line,
            f"{pressure_pa / 100.0:g} hPa",
            limit,
            "check the unit of pressure, and that heights are above the sea",
        )


def _winds(levels: Sequence[Level], column: Sequence[_Air], latitude_rad: float, notes: list[str]) -> list[WindLevel]:
    """Return the winds by height; of two at one height the first holds."""
    found: dict[float, WindLevel] = {}
    lost = 0
    for level in levels:
        east, north = level.east_m_s, level.north_m_s
        if east is None and level.from_deg is not None and level.speed_m_s is not None:
            east, north = wind_components(level.from_deg, level.speed_m_s)
        if east is None or north is None:
            continue
        height = level.height_m
        if height is None:
            geopotential = level.geopotential_m
            if geopotential is None and level.pressure_pa is not None:
                geopotential = _geopotential_of(level.pressure_pa, column)
            if geopotential is None:
                lost += 1
                continue
            height = float(height_at(geopotential, latitude_rad))
        found.setdefault(height, WindLevel(height, east, north))
    if lost:
        notes.append(f"{lost} winds at pressures outside the column of air have no height and are not used")
    return [found[height] for height in sorted(found)]


def _geopotential_of(pressure_pa: float, column: Sequence[_Air]) -> float | None:
    """Return the geopotential height at which the column has this pressure, None outside of it."""
    for level in column:
        if level.pressure_pa == pressure_pa:
            return level.geopotential_m
    for low, high in pairwise(column):
        if low.pressure_pa >= pressure_pa >= high.pressure_pa:
            assert low.geopotential_m is not None
            assert high.geopotential_m is not None
            part = math.log(low.pressure_pa / pressure_pa) / math.log(low.pressure_pa / high.pressure_pa)
            return low.geopotential_m + part * (high.geopotential_m - low.geopotential_m)
    return None
