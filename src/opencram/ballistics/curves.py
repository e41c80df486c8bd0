"""Drag curves as points: what a file of them must be, in plain Python.

Nothing here needs NumPy, so that a site with curves of its own is read and checked at once; `drag` makes of the
points what flights are computed with.
"""

import csv
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from opencram.errors import ConfigError, Fault

STANDARD_CURVES: Final = ("G1", "G2", "G5", "G6", "G7", "G8")

# What a user's curve must be.
POINTS_MIN: Final = 3
POINTS_MAX: Final = 10_000
MACH_FILE_MAX: Final = 20.0
CD_MAX: Final = 5.0
GAP_MACH: Final = 1.0  # no wider between two points,
GAP_TOP_MACH: Final = 1.0  # below this
_HEAD: Final = 'begin with the line "mach,cd" and give a point a line'


@dataclass(frozen=True, kw_only=True)
class OwnCurve:
    """A drag curve that a site or a scenario brings: drag coefficients at ascending Mach numbers."""

    name: str
    mach: tuple[float, ...]
    cd: tuple[float, ...]


def own_curve(name: str, points: Sequence[tuple[float, float]]) -> OwnCurve:
    """Return the curve of this name through points (Mach, Cd)."""
    return OwnCurve(name=name, mach=tuple(mach for mach, _ in points), cd=tuple(cd for _, cd in points))


def read_points(path: Path) -> list[tuple[float, float]]:
    """Return the points (Mach, Cd) of a CSV file with the columns `mach` and `cd`.

    Raises `ConfigError` with every fault of the file: its line, what is allowed, what to do.
    """
    faults: list[Fault] = []
    try:
        lines = [
            (number, line)
            for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1)
            if line.strip() and not line.startswith("#")
        ]
        reader = csv.DictReader((line for _, line in lines), skipinitialspace=True)
        names = [str(name).strip().lower() for name in reader.fieldnames or ()]
        reader.fieldnames = names
        rows = [(lines[reader.line_num - 1][0], row) for row in itertools.islice(reader, POINTS_MAX + 1)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(
            str(path), [Fault("file", path.name, f"cannot be read ({error})", "give a CSV file")]
        ) from error
    if not {"mach", "cd"} <= set(names):
        raise ConfigError(str(path), [Fault("line 1", ",".join(names), "must name the columns mach and cd", _HEAD)])
    points = []
    for line, row in rows:
        point = _point(line, row, faults)
        if point is not None:
            points.append((line, *point))
    _judge(points, len(rows), faults)
    if faults:
        raise ConfigError(str(path), faults)
    return [(mach, cd) for _, mach, cd in points]


def _point(line: int, row: dict[str, str], faults: list[Fault]) -> tuple[float, float] | None:
    """Return Mach and Cd of a line, or None after noting what is wrong with it."""
    values = []
    for name, most in (("mach", MACH_FILE_MAX), ("cd", CD_MAX)):
        text = (row.get(name) or "").strip()
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (0.0 <= value <= most) or (name == "cd" and value == 0.0):
            limit = f"must be a number from 0 to {most:g}" if name == "mach" else f"must be > 0 and <= {most:g}"
            faults.append(Fault(f"line {line}: {name}", text or "missing", limit, "mend the line, or take it out"))
            return None
        values.append(value)
    return values[0], values[1]


def _judge(points: list[tuple[int, float, float]], rows: int, faults: list[Fault]) -> None:
    """Note what is wrong with the points together: order, gaps, too few, too many."""
    if rows > POINTS_MAX:
        faults.append(Fault("file", f"{rows} lines", f"must be at most {POINTS_MAX}", "thin the curve out"))
    if len(points) < POINTS_MIN and not faults:
        faults.append(Fault("file", f"{len(points)} points", f"must be at least {POINTS_MIN}", _HEAD))
    for (_, before, _), (line, mach, _) in itertools.pairwise(points):
        place = f"line {line}: mach"
        if mach <= before:
            faults.append(Fault(place, f"{mach:g}", f"must be > {before:g}, the line before", "sort by Mach number"))
        elif mach - before > (GAP_MACH if before < GAP_TOP_MACH else math.inf):
            limit = (
                f"leaves a gap of {mach - before:g} after {before:g}: at most {GAP_MACH:g} below Mach {GAP_TOP_MACH:g}"
            )
            faults.append(Fault(place, f"{mach:g}", limit, "give points in between; drag changes fast there"))
