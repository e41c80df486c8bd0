"""Drag coefficient by Mach number: published standard curves, and users' own, as flights are computed with them.

The files under `data/` are the standard drag functions of the Ballistic Research Laboratories,
tabulated as `mach,cd`.  Between points a curve is the monotone cubic of Fritsch and Carlson (PCHIP),
resampled every 0.0025 Mach: linear interpolation of the published points alone moves the impact of a 13 km
flight by 2.6 m.
"""

import functools
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opencram.ballistics.curves import STANDARD_CURVES, OwnCurve, read_points
from opencram.ballistics.motion import MACH_MAX, MACH_STEP

Array = NDArray[np.float64]


def resample(mach: ArrayLike, cd: ArrayLike) -> Array:
    """Return the drag coefficient at Mach 0, 0.0025, … 5; outside the points the end values hold."""
    points, values = np.asarray(mach, dtype=np.float64), np.asarray(cd, dtype=np.float64)
    grid = np.arange(round(MACH_MAX / MACH_STEP) + 1) * MACH_STEP
    return np.ascontiguousarray(monotone_cubic(points, values, np.clip(grid, points[0], points[-1])))


def monotone_cubic(x: Array, y: Array, at: Array) -> Array:
    """Return the monotone cubic through the points (`x` ascending, two or more) at places within them.

    Error: equal to SciPy's `PchipInterpolator` bit for bit (tests/ballistics/test_drag.py), whose import would cost
    every start of the program a quarter of a second.
    Source: Fritsch and Butland, SIAM J. Sci. Stat. Comput. 5, 1984: the harmonic mean of the neighbouring slopes.
    """
    step = np.diff(x)
    slope = np.diff(y) / step
    steep = _steepness(step, slope) if len(step) > 1 else np.full(2, slope[0])
    bend = (steep[:-1] + steep[1:] - 2.0 * slope) / step
    square, cube = (slope - steep[:-1]) / step - bend, bend / step
    piece = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(step) - 1)
    s = at - x[piece]
    curve: Array = ((y[piece] + steep[piece] * s) + square[piece] * (s * s)) + cube[piece] * (s * s * s)
    return curve


def _steepness(step: Array, slope: Array) -> Array:
    """Return the steepness at each point: none at a peak, a hollow or a level piece."""
    near, far = 2.0 * step[1:] + step[:-1], step[1:] + 2.0 * step[:-1]
    same = slope[:-1] * slope[1:] > 0.0
    before, after = np.where(same, slope[:-1], 1.0), np.where(same, slope[1:], 1.0)
    between = np.where(same, 1.0 / ((near / before + far / after) / (near + far)), 0.0)
    first, last = _at_the_end(step[:2], slope[:2]), _at_the_end(step[:-3:-1], slope[:-3:-1])
    return np.array([first, *between, last])


def _at_the_end(step: Array, slope: Array) -> float:
    """Return the steepness at an end, from the two pieces there: that of a parabola, held back from overshooting."""
    found = float(((2.0 * step[0] + step[1]) * slope[0] - step[0] * slope[1]) / (step[0] + step[1]))
    if found * slope[0] <= 0.0:
        return 0.0
    if slope[0] * slope[1] <= 0.0 and abs(found) > 3.0 * abs(slope[0]):
        return 3.0 * float(slope[0])
    return found


@functools.cache
def standard_curve(name: str) -> Array:
    """Return a standard curve ("G1" … "G8") as `resample` gives it.  Read-only."""
    file = resources.files("opencram.ballistics") / "data" / f"drag_{name}.csv"
    with resources.as_file(file) as path:
        curve = read_curve(path)
    curve.setflags(write=False)
    return curve


def read_curve(path: Path) -> Array:
    """Return the curve of a CSV file with the columns `mach` and `cd`, as `resample` gives it.

    Raises `ConfigError` with every fault of the file: its line, what is allowed, what to do.
    """
    points = read_points(path)
    return resample([mach for mach, _ in points], [cd for _, cd in points])


@functools.lru_cache(maxsize=64)
def own_table(own: OwnCurve) -> Array:
    """Return a user's curve as `resample` gives it.  Read-only, as the standard curves are: one kind of array."""
    curve = resample(own.mach, own.cd)
    curve.setflags(write=False)
    return curve


def curve_of(name: str, own: tuple[OwnCurve, ...] = ()) -> Array:
    """Return the curve of this name, one of `own` or a standard one.  Read-only."""
    found = next((each for each in own if each.name == name), None)
    return standard_curve(name) if found is None else own_table(found)


@functools.lru_cache(maxsize=64)
def curve_table(own: tuple[OwnCurve, ...] = ()) -> tuple[Array, dict[str, int]]:
    """Return all curves (n, Mach), read-only, and the row of each by its name: the standard ones, then `own`."""
    names = [*STANDARD_CURVES, *(each.name for each in own)]
    table = np.stack([curve_of(name, own) for name in names])
    table.setflags(write=False)
    return table, {name: row for row, name in enumerate(names)}
