"""METB3, the ballistic met message of STANAG 4061: read, shown, warned about, and flown through by no round.

Its lines hold weighted means of the whole way up to a height, as firing tables want them: wind, temperature
and density of line 5 are not those at 2000 m.  To fly a round through them as if they were a profile would be
wrong by as much as the weather changes with height.
"""

import re
from dataclasses import dataclass
from typing import Final

from opencram.earth.gas import KNOT_M_S
from opencram.earth.met.faults import Faults
from opencram.earth.met.metcm import octant_position
from opencram.earth.met.sounding import Sounding

# Tops of lines 1 to 15 over the datum (m).  Source: FM 3-09.15 (2007), appendix A.
LINE_TOPS_M: Final = (200, 500, 1000, 1500, 2000, 3000, 4000, 5000, 6000, *range(8000, 18_001, 2000))
_HEAD = re.compile(r"METB([23])\s*(\d)\s*([0-9A-Z/]{6})\s*(\d{2})(\d{3})(\d)\s*(\d{3})(\d{3})", re.ASCII)
_LINE = re.compile(r"(\d{2})(\d{2})(\d{2})(\d{3})(\d{3})", re.ASCII)
_REMEDY = "ask for the message again"


@dataclass(frozen=True)
class BallisticLine:
    """Weighted means from the datum up to `top_m`; temperature and density are shares of the standard ones."""

    line: int
    top_m: float
    from_mils: float
    speed_m_s: float
    temperature_share: float
    density_share: float


def is_metb3(text: str) -> bool:
    """Return whether a text begins as this message does."""
    return bool(re.search(r"^[ \t]*METB", text, re.MULTILINE))


def ballistic_lines(text: str, name: str) -> list[BallisticLine]:
    """Return the lines of the first message in `text`; raise `ConfigError`, with lines, if it is wrong."""
    faults = Faults(name)
    begin = max(text.find("METB"), 0)
    first = text.count("\n", 0, begin) + 1
    found = _HEAD.match(text, begin)
    if not found:
        value = text[begin:].split("\n", maxsplit=1)[0][:40]
        raise faults.refuse(first, value, "must be METB3q LaLaLaLoLoLo YYGGGG hhhPPP", "begin with the introduction")
    octant_position(int(found[2]), found[3], first, faults)
    lines: list[BallisticLine] = []
    pending = ""
    for number, row in enumerate(text[found.end() :].split("\n"), text.count("\n", 0, found.end()) + 1):
        for group in row.replace("//", " ").replace("=", " ").split():
            if group.startswith(("99999", "END", "NNNN")) and not pending:
                faults.stop()
                return lines
            pending += group
            if len(pending) >= 12:
                line = _line(pending, number, len(lines), faults)
                lines += [line] if line else []
                pending = ""
    if pending:
        faults.add(None, pending, "must be 12 digits: ZZddFF TTTDDD", _REMEDY)
    faults.stop()
    return lines


def _line(digits: str, number: int, due: int, faults: Faults) -> BallisticLine | None:
    found = _LINE.fullmatch(digits)
    if not found:
        faults.add(number, digits, "must be 12 digits: ZZddFF TTTDDD", _REMEDY)
        return None
    line, direction, speed, temperature, density = (int(group) for group in found.groups())
    if line != due or line > len(LINE_TOPS_M):
        faults.add(number, f"line {line:02d}", f"must be line {due:02d} of at most {len(LINE_TOPS_M)}", _REMEDY)
        return None
    if direction > 64:
        faults.add(number, f"direction {direction:02d}", "must be at most 64 hundreds of mils", _REMEDY)
    top_m = float(LINE_TOPS_M[line - 1]) if line else 0.0
    return BallisticLine(line, top_m, direction * 100.0, speed * KNOT_M_S, _share(temperature), _share(density))


def _share(tenths: int) -> float:
    """Return a share of standard from tenths of a percent, of which 1000 are left out."""
    return (tenths + (1000 if tenths < 500 else 0)) / 1000.0


def shown(lines: list[BallisticLine]) -> list[str]:
    """Return what was read, a line each."""
    return [
        f"to {x.top_m:.0f} m: wind from {x.from_mils:.0f} mils at {x.speed_m_s:.1f} m/s, temperature "
        f"{x.temperature_share:.1%} and density {x.density_share:.1%} of standard"
        for x in lines
    ]


def read_metb3(text: str, name: str, *, latitude_deg: float = 45.0) -> Sounding:
    """Return a sounding without a level: what the message says stands in its notes, with the warning."""
    faults = Faults(name)
    lines = ballistic_lines(text, name)
    if not lines:
        raise faults.refuse(None, "no line", "must hold at least the line of the surface", _REMEDY)
    found = _HEAD.search(text)
    assert found
    position = octant_position(int(found[2]), found[3], 1, faults)
    warning = (
        "METB3 gives ballistic weighted means, not the air at a height: it is shown, and no flight uses it; "
        "ask for the METCM of the same sounding"
    )
    return Sounding(
        format="METB3",
        title=f"datum at {int(found[7]) * 10} m, {len(lines)} lines",
        time=f"day {found[4]}, {int(found[5]) / 10.0:.1f} h UTC",
        latitude_deg=position[0] if position else None,
        longitude_deg=position[1] if position else None,
        notes=(warning, *shown(lines)),
    )
