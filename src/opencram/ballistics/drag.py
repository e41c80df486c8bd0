"""Drag coefficient by Mach number: published standard curves, and users' own.

The files under `data/` are the standard drag functions of the Ballistic Research Laboratories,
tabulated as `mach,cd`.  Between points a curve is the monotone cubic of Fritsch and Carlson (PCHIP),
resampled every 0.0025 Mach: linear interpolation of the published points alone moves the impact of a 13 km
flight by 2.6 m.
"""

import csv
import functools
import itertools
import math
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opencram.ballistics.motion import MACH_MAX, MACH_STEP
from opencram.errors import ConfigError, Fault

Array = NDArray[np.float64]

STANDARD_CURVES = ("G1", "G2", "G5", "G6", "G7", "G8")

# What a user's curve must be.
POINTS_MIN: Final = 3
POINTS_MAX: Final = 10_000
MACH_FILE_MAX: Final = 20.0
CD_MAX: Final = 5.0
GAP_MACH: Final = 1.0  # no wider between two points,
GAP_TOP_MACH: Final = 1.0  # below this
_HEAD: Final = 'begin with the line "mach,cd" and give a point a line'


def resample(mach: ArrayLike, cd: ArrayLike) -> Array:
    """Return the drag coefficient at Mach 0, 0.0025, … 5; outside the points the end values hold."""
    from scipy.interpolate import PchipInterpolator

    points, values = np.asarray(mach, dtype=np.float64), np.asarray(cd, dtype=np.float64)
    grid = np.arange(round(MACH_MAX / MACH_STEP) + 1) * MACH_STEP
    return np.ascontiguousarray(PchipInterpolator(points, values)(np.clip(grid, points[0], points[-1])))


@functools.cache
def standard_curve(name: str) -> Array:
    """Return a standard curve ("G1" … "G8") as `resample` gives it.  Read-only."""
    file = resources.files("opencram.ballistics") / "data" / f"drag_{name}.csv"
    with resources.as_file(file) as path:
        curve = read_curve(path)
    curve.setflags(write=False)
    return curve


@functools.cache
def standard_table() -> Array:
    """Return all standard curves (6, Mach), in the order of `STANDARD_CURVES`.  Read-only, as each of them is."""
    table = np.stack([standard_curve(name) for name in STANDARD_CURVES])
    table.setflags(write=False)
    return table


def read_curve(path: Path) -> Array:
    """Return the curve of a CSV file with the columns `mach` and `cd`, as `resample` gives it.

    Raises `ConfigError` with every fault of the file: its line, what is allowed, what to do.
    """
    faults: list[Fault] = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader((line for line in stream if not line.startswith("#")), skipinitialspace=True)
            names = [str(name).strip().lower() for name in reader.fieldnames or ()]
            reader.fieldnames = names
            rows = [(reader.line_num, row) for row in itertools.islice(reader, POINTS_MAX + 1)]
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
    return resample([mach for _, mach, _ in points], [cd for _, _, cd in points])


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
