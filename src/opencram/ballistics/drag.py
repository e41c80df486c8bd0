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
