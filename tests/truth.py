"""What really flew: rounds from a truth file and their own plots, smoothed into paths.

Shares no code with the program: geodesy and polygons are written again here, so that a mistake in the
program cannot hide itself.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Event = dict[str, Any]
LonLat = tuple[float, float]  # degrees

REPOSITORY = Path(__file__).resolve().parent.parent
RAIDS = ("seven-rockets", "mortars", "ripple-24")

_WGS84_A_M = 6378137.0
_WGS84_E2 = 6.69437999014e-3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SMOOTH_STEP_S = 0.1


@dataclass(frozen=True, kw_only=True)
class Round:
    """One round of the truth, and its plots smoothed into a path in the site's east-north-up frame."""

    index: int
    name: str
    plot_t_ns: tuple[int, ...]
    path_t_ns: NDArray[np.int64]  # from the first plot to the impact
    path_enu_m: Floats
    impact_t_ns: int
    impact_enu_m: tuple[float, float, float]
    impact_lonlat_deg: LonLat

    def position_enu_m(self, t_ns: int) -> Floats | None:
        """Return where the round was; None before its first plot and after its impact."""
        if not self.plot_t_ns[0] <= t_ns <= self.impact_t_ns:
            return None
        after = int(np.clip(np.searchsorted(self.path_t_ns, t_ns), 1, len(self.path_t_ns) - 1))
        before_t_ns, after_t_ns = int(self.path_t_ns[after - 1]), int(self.path_t_ns[after])
        share = (t_ns - before_t_ns) / (after_t_ns - before_t_ns)
        position_enu_m: Floats = (1.0 - share) * self.path_enu_m[after - 1] + share * self.path_enu_m[after]
        return position_enu_m


def parse_t_ns(text: str) -> int:
    """Return nanoseconds since 1970 of an RFC 3339 time."""
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1) * 1000


def raid_paths(name: str) -> tuple[Path, Path, Path]:
    """Return where the site, the plots and the truth of an example raid stand."""
    folder = REPOSITORY / "examples" / name
    return folder / "site.toml", folder / "plots.ndjson", REPOSITORY / "tests" / "data" / name / "truth.json"


def read_ndjson(path: Path) -> list[Event]:
    """Return the objects of a file, one a line; what is not an object is passed over."""
    events = []
    for line in path.read_bytes().splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            events.append(event)
    return events


def read_rounds(site: dict[str, Any], plots: Sequence[Event], truth: dict[str, Any]) -> list[Round]:
    """Return the rounds of `truth` that have at least three plots, each with its smoothed path."""
    origin = truth["origin"]
    assert len(origin) == len(plots), f"{len(plots)} plots, but the truth names the origin of {len(origin)}"
    site_position_m = np.array([site["site"][key] for key in ("latitude_deg", "longitude_deg", "height_m")])
    sensors = {sensor["id"]: sensor for sensor in site["sensor"]}
    rounds = []
    for index, flown in enumerate(truth["rounds"]):
        own = [plot for plot, number in zip(plots, origin, strict=True) if number == index]
        if len(own) < 3:
            continue
        own.sort(key=lambda plot: parse_t_ns(plot["time"]))
        t_ns = np.array([parse_t_ns(plot["time"]) for plot in own], dtype=np.int64)
        position_enu_m = np.array([enu_of_plot(plot, sensors[plot["sensor"]], site_position_m) for plot in own])
        impact_t_ns = parse_t_ns(flown["impact_time"])
        path_t_ns, path_enu_m = smooth(t_ns, position_enu_m, impact_t_ns, np.array(flown["impact_enu_m"]))
        rounds.append(
            Round(
                index=index,
                name=flown["name"],
                plot_t_ns=tuple(int(t) for t in t_ns),
                path_t_ns=path_t_ns,
                path_enu_m=path_enu_m,
                impact_t_ns=impact_t_ns,
                impact_enu_m=tuple(flown["impact_enu_m"]),
                impact_lonlat_deg=(flown["impact_longitude_deg"], flown["impact_latitude_deg"]),
            )
        )
    return rounds


def ecef_m(latitude_deg: float, longitude_deg: float, height_m: float) -> Floats:
    """Return the earth-centred, earth-fixed position of a point on or above the WGS84 ellipsoid."""
    latitude, longitude = math.radians(latitude_deg), math.radians(longitude_deg)
    prime_m = _WGS84_A_M / math.sqrt(1.0 - _WGS84_E2 * math.sin(latitude) ** 2)
    across_m = (prime_m + height_m) * math.cos(latitude)
    return np.array(
        [
            across_m * math.cos(longitude),
            across_m * math.sin(longitude),
            (prime_m * (1.0 - _WGS84_E2) + height_m) * math.sin(latitude),
        ]
    )


def enu_from_ecef(latitude_deg: float, longitude_deg: float) -> Floats:
    """Return the rotation from earth-centred axes to east, north, up at a point."""
    latitude, longitude = math.radians(latitude_deg), math.radians(longitude_deg)
    sin_lat, cos_lat, sin_lon, cos_lon = (
        math.sin(latitude),
        math.cos(latitude),
        math.sin(longitude),
        math.cos(longitude),
    )
    return np.array(
        [
            [-sin_lon, cos_lon, 0.0],
            [-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat],
            [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat],
        ]
    )


def enu_of_plot(plot: Event, sensor: dict[str, Any], site_position: Floats) -> Floats:
    """Return the plot in the site's east-north-up frame (m), from polar in the sensor's own horizon.

    `site_position`: latitude (deg), longitude (deg), height (m) of the origin.
    """
    azimuth, elevation = math.radians(plot["azimuth_deg"]), math.radians(plot["elevation_deg"])
    flat_m = plot["range_m"] * math.cos(elevation)
    local_m = np.array([flat_m * math.sin(azimuth), flat_m * math.cos(azimuth), plot["range_m"] * math.sin(elevation)])
    place = (sensor["latitude_deg"], sensor["longitude_deg"])
    position_ecef_m = ecef_m(*place, sensor["height_m"]) + enu_from_ecef(*place).T @ local_m
    latitude_deg, longitude_deg, _ = (float(value) for value in site_position)
    offset_m = position_ecef_m - ecef_m(*(float(value) for value in site_position))
    position_enu_m: Floats = enu_from_ecef(latitude_deg, longitude_deg) @ offset_m
    return position_enu_m


def smooth(
    t_ns: NDArray[np.int64], position_enu_m: Floats, impact_t_ns: int, impact_enu_m: Floats
) -> tuple[NDArray[np.int64], Floats]:
    """Return times and positions of the path: parabolas fitted to the plots about each tenth of a second.

    The window is 0.75 s to each side, wider where that holds fewer than seven plots.  The path ends in the
    true impact.
    """
    seconds = (t_ns - t_ns[0]) * 1e-9
    grid_s = np.append(np.arange(0.0, seconds[-1], _SMOOTH_STEP_S), seconds[-1])
    points = []
    for at_s in grid_s:
        distance_s = np.abs(seconds - at_s)
        count = min(7, len(seconds))
        half_s = max(0.75, float(np.partition(distance_s, count - 1)[count - 1]))
        near = distance_s <= half_s
        order = min(2, int(near.sum()) - 1)
        basis = np.vander(seconds[near] - at_s, order + 1, increasing=True)
        points.append(np.linalg.lstsq(basis, position_enu_m[near], rcond=None)[0][0])
    path_t_ns = t_ns[0] + np.round(grid_s * 1e9).astype(np.int64)
    before = path_t_ns < impact_t_ns
    return np.append(path_t_ns[before], impact_t_ns), np.vstack([np.array(points)[before], impact_enu_m])


def inside(point: LonLat, polygon: Sequence[Sequence[float]]) -> bool:
    """Return whether a point (longitude, latitude) lies in a polygon of the same: even-odd rule."""
    east, north = point
    odd = False
    for (x0, y0), (x1, y1) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if (y0 > north) != (y1 > north) and east < x0 + (north - y0) * (x1 - x0) / (y1 - y0):
            odd = not odd
    return odd
