"""Flights by a truth model of its own: earth-centred equations, its own air, wind and gravity, SciPy's DOP853.

Shares no code with the program, so that a mistake in the program's physics cannot hide itself.
"""

import csv
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.interpolate import PchipInterpolator

from truth import ecef_m, enu_from_ecef

Floats = NDArray[np.float64]

CURVES = Path(__file__).resolve().parents[2] / "src" / "opencram" / "ballistics" / "data"
_A_M, _F = 6378137.0, 1.0 / 298.257223563
_B_M = _A_M * (1.0 - _F)
_GM, _J2, _OMEGA = 3.986004418e14, 1.082629821e-3, 7.292115e-5  # m³/s², –, rad/s: WGS84
_R, _G0, _LAPSE = 287.05287, 9.80665, 0.0065  # ISA: J/(kg·K), m/s², K/m
_TIME_S_MAX = 200.0


@dataclass(frozen=True, kw_only=True)
class Weather:
    """True air: ISA with a warmer or colder ground, a density factor, and wind at heights above the ground (m, m/s)."""

    warmer_k: float = 0.0
    density_factor: float = 1.0
    heights_m: tuple[float, ...] = (0.0, 10_000.0)
    east_m_s: tuple[float, ...] = (0.0, 0.0)
    north_m_s: tuple[float, ...] = (0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One round as it leaves: where (east, north in m of the site), how fast, whither, and what it is."""

    class_name: str
    launch_s: float
    east_m: float
    north_m: float
    speed_m_s: float
    azimuth_rad: float
    elevation_rad: float
    beta_kg_m2: float
    curve: str
    spin_m_s: float = 0.0
    slope: float = 0.0  # relative change of drag per unit of Mach about Mach 1: no curve is the round's own
    burn_s: float = 0.0  # under thrust, from a tenth of `speed_m_s` to all of it


@dataclass(frozen=True, kw_only=True)
class Flown:
    """What became of a shot: times from the start of the raid (s), positions in the site's ENU (m), the impact last."""

    t_s: Floats
    enu_m: Floats
    impact_lonlat_deg: tuple[float, float]


@cache
def curve(name: str) -> PchipInterpolator:
    """Return the drag coefficient over Mach of a standard curve."""
    with (CURVES / f"drag_{name}.csv").open() as file:
        rows = [(float(row["mach"]), float(row["cd"])) for row in csv.DictReader(file)]
    return PchipInterpolator(*np.array(rows).T, extrapolate=True)


def geodetic(position_m: Floats) -> tuple[float, float, float]:
    """Return latitude, longitude (rad) and ellipsoidal height (m) of an earth-centred position: fixed point."""
    x, y, z = (float(value) for value in position_m)
    ring = math.hypot(x, y)
    e2 = _F * (2.0 - _F)
    latitude = math.atan2(z, ring * (1.0 - e2))
    for _ in range(4):
        prime = _A_M / math.sqrt(1.0 - e2 * math.sin(latitude) ** 2)
        height = ring * math.cos(latitude) + z * math.sin(latitude) - prime * (1.0 - e2 * math.sin(latitude) ** 2)
        latitude = math.atan2(z, ring * (1.0 - e2 * prime / (prime + height)))
    return latitude, math.atan2(y, x), height


def gravitation(position_m: Floats) -> Floats:
    """Return gravitation and centrifugal acceleration (m/s²) in the turning frame, J2 included."""
    x, y, z = (float(value) for value in position_m)
    r2 = x * x + y * y + z * z
    r = math.sqrt(r2)
    k = 1.5 * _J2 * _A_M**2 / r2
    s = 5.0 * z * z / r2
    pull = -_GM / (r2 * r)
    return np.array(
        [
            pull * x * (1.0 + k * (1.0 - s)) + _OMEGA**2 * x,
            pull * y * (1.0 + k * (1.0 - s)) + _OMEGA**2 * y,
            pull * z * (1.0 + k * (3.0 - s)),
        ]
    )


def air(height_m: float, weather: Weather) -> tuple[float, float]:
    """Return density (kg/m³) and speed of sound (m/s): troposphere and lower stratosphere of the standard."""
    geopotential = 6356766.0 * height_m / (6356766.0 + height_m)
    if geopotential < 11_000.0:
        standard = 288.15 - _LAPSE * geopotential
        pressure = 101325.0 * (standard / 288.15) ** (_G0 / (_R * _LAPSE))
    else:
        standard = 216.65
        pressure = 22632.06 * math.exp(-_G0 * (geopotential - 11_000.0) / (_R * standard))
    kelvin = standard + weather.warmer_k
    return weather.density_factor * pressure / (_R * kelvin), math.sqrt(1.4 * _R * kelvin)


class Site:
    """The origin of a site's frame and its constant ground."""

    def __init__(self, latitude_deg: float, longitude_deg: float, height_m: float) -> None:
        """The ground is at the height of the origin."""
        self.latitude_deg, self.longitude_deg, self.height_m = latitude_deg, longitude_deg, height_m
        self.origin_m = ecef_m(latitude_deg, longitude_deg, height_m)
        self.axes = enu_from_ecef(latitude_deg, longitude_deg)

    def ecef(self, enu_m: Floats) -> Floats:
        """Return the earth-centred position of a place in the site's frame."""
        place: Floats = self.origin_m + self.axes.T @ enu_m
        return place

    def on_ground(self, east_m: float, north_m: float) -> Floats:
        """Return the earth-centred position of the ground under a place."""
        latitude, longitude, _ = geodetic(self.ecef(np.array([east_m, north_m, 0.0])))
        return ecef_m(math.degrees(latitude), math.degrees(longitude), self.height_m)


def fly(site: Site, weather: Weather, shot: Shot) -> Flown | None:
    """Return the flight of a shot, a point every 20 ms; None if it is still in the air after 200 s."""
    start_m = site.on_ground(shot.east_m, shot.north_m) + site.axes.T @ np.array([0.0, 0.0, 1.0])
    level = math.cos(shot.elevation_rad)
    ahead = np.array(
        [level * math.sin(shot.azimuth_rad), level * math.cos(shot.azimuth_rad), math.sin(shot.elevation_rad)]
    )
    speed = shot.speed_m_s * (0.1 if shot.burn_s else 1.0)
    velocity = site.axes.T @ ahead * speed
    drag = curve(shot.curve)
    push = (shot.speed_m_s - speed) / shot.burn_s if shot.burn_s else 0.0
    spin_of_earth = np.array([0.0, 0.0, _OMEGA])

    def rates(t: float, y: Floats) -> Floats:
        latitude, longitude, height = geodetic(y[:3])
        axes = enu_from_ecef(math.degrees(latitude), math.degrees(longitude))
        over = height - site.height_m
        wind = np.array(
            [
                np.interp(over, weather.heights_m, weather.east_m_s),
                np.interp(over, weather.heights_m, weather.north_m_s),
                0.0,
            ]
        )
        density, sound = air(height, weather)
        through = y[3:] - axes.T @ wind
        fast = float(np.linalg.norm(through)) + 1e-9
        mach = fast / sound
        coefficient = float(drag(min(mach, 4.9))) * (1.0 + shot.slope * (mach - 1.0))
        acceleration = -0.5 * density * coefficient / shot.beta_kg_m2 * fast * through
        acceleration += shot.spin_m_s * 9.80665 * np.cross(through, axes[2]) / fast**2
        if t < shot.burn_s:
            acceleration += push * through / fast
        acceleration += gravitation(y[:3]) - 2.0 * np.cross(spin_of_earth, y[3:])
        return np.concatenate([y[3:], acceleration])

    def over_ground(_: float, y: Floats) -> float:
        return geodetic(y[:3])[2] - site.height_m

    over_ground.terminal, over_ground.direction = True, -1.0  # type: ignore[attr-defined]
    first = np.concatenate([start_m, velocity])
    found = solve_ivp(
        rates, (0.0, _TIME_S_MAX), first, method="DOP853", events=over_ground, dense_output=True,
        rtol=1e-8, atol=1e-5, max_step=0.5 if shot.burn_s else 2.0,
    )  # fmt: skip
    if not found.t_events[0].size:
        return None
    end_s = float(found.t_events[0][0])
    t_s = np.append(np.arange(0.0, end_s, 0.02), end_s)
    places = found.sol(t_s)[:3].T
    latitude, longitude, _ = geodetic(places[-1])
    return Flown(
        t_s=shot.launch_s + t_s,
        enu_m=(places - site.origin_m) @ site.axes.T,
        impact_lonlat_deg=(math.degrees(longitude), math.degrees(latitude)),
    )
