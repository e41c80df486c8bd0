"""Elevation from height and back: CAT048 radars tell how high a target is, not under which angle they saw it."""

import numpy as np
from numpy.typing import NDArray

from opencram.earth.geodesy import (
    ECCENTRICITY_2,
    SEMI_MAJOR_M,
    Frame,
    ecef_from_enu,
    geodetic_from_ecef,
)

Array = NDArray[np.float64]

_STEPS_FROM_M = (20_000.0, 80_000.0)


def height_of(frame: Frame, range_m: Array, azimuth_rad: Array, elevation_rad: Array) -> Array:
    """Return the height above the ellipsoid (m) of what stands there in the horizon of `frame`."""
    ground_m = range_m * np.cos(elevation_rad)
    enu = np.stack(
        [ground_m * np.sin(azimuth_rad), ground_m * np.cos(azimuth_rad), range_m * np.sin(elevation_rad)], axis=-1
    )
    return geodetic_from_ecef(ecef_from_enu(frame, enu))[2]


def elevation_of(frame: Frame, range_m: Array, azimuth_rad: Array, height_m: Array, *, slack_m: float = 0.0) -> Array:
    """Return the elevation (rad) under which a target at this height is seen; NaN where range forbids that height.

    Above the radar, a rounded height may come out up to `slack_m` beyond the rounded range: then it is overhead.

    Valid: ranges to 500 km.  Error: under 1 mm of height up to 200 km where the elevation is below 85°, 5 mm beyond
    (tests/asterix/test_asterix_plots.py).  The start is the sphere that fits the ellipsoid best here, off by 0.3 mm at
    20 km; further away a step of Newton's method follows, beyond 80 km two.
    """
    sphere_m = _radius_m(frame.latitude_rad, azimuth_rad)
    low, high = sphere_m + frame.height_m, sphere_m + height_m
    with np.errstate(divide="ignore", invalid="ignore"):
        sine = ((high - low) * (high + low) - range_m**2) / (2.0 * low * range_m)
        possible = np.abs(sine) * range_m <= range_m + slack_m
        elevation = np.arcsin(np.where(possible, np.clip(sine, -1.0, 1.0), np.nan))
        for begin_m in _STEPS_FROM_M:
            far = np.flatnonzero(range_m > begin_m)
            if len(far):
                elevation[far] = _nearer(frame, range_m[far], azimuth_rad[far], height_m[far], elevation[far])
    return np.where(np.abs(elevation) <= np.pi / 2.0, elevation, np.nan)


def _nearer(frame: Frame, range_m: Array, azimuth_rad: Array, height_m: Array, elevation_rad: Array) -> Array:
    """Return the elevation after a step of Newton's method."""
    slope = range_m * np.cos(elevation_rad)
    error_m = height_m - height_of(frame, range_m, azimuth_rad, elevation_rad)
    # Near the zenith height hardly depends on elevation: the sphere's answer stands.
    return np.asarray(elevation_rad + np.where(slope > 0.01 * range_m, error_m / slope, 0.0))


def _radius_m(latitude_rad: float, azimuth_rad: Array) -> Array:
    """Return the ellipsoid's radius of curvature (m) in the direction of an azimuth: Euler's formula."""
    flat = 1.0 - ECCENTRICITY_2 * np.sin(latitude_rad) ** 2
    meridian_m = SEMI_MAJOR_M * (1.0 - ECCENTRICITY_2) / flat**1.5
    normal_m = SEMI_MAJOR_M / np.sqrt(flat)
    curvature = np.cos(azimuth_rad) ** 2 / meridian_m + np.sin(azimuth_rad) ** 2 / normal_m
    return np.asarray(1.0 / curvature)
