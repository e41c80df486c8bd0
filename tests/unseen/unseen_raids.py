"""Raids that the program was not tuned on: drawn in strata, each a kind of trouble, flown by `unseen_flight`.

A raid is three files in the formats of `docs/formats.md`: site, plots, and the truth that `scoring` reads.
The site says what its owner believes of radars and weather; the truth differs in what the stratum is about.
"""

import json
import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from unseen_flight import Flown, Shot, Site, Weather, fly, geodetic

from truth import ecef_m, enu_from_ecef

Floats = NDArray[np.float64]
Draws = np.random.Generator

_EPOCH = datetime(2026, 3, 1, 4, 30, tzinfo=UTC)
_EDGE_M = 350.0  # of the square zones
_ZONES = 7  # of them a side
_TOP_RAD = 1.2  # radars look no higher

# Mass over cross-section (kg/m²) and curve by class, log deviation of the first: open handbooks, rounded; the curve is
# drawn, so that a third of the rounds fly on one that the class is not expected to have.
_BETAS = {
    "mortar": ((650.0, 815.0, 1150.0), 0.12),
    "rocket": ((2000.0, 2600.0, 3900.0), 0.2),
    "shell": ((1750.0, 2300.0), 0.1),
}
_CURVES = {"mortar": ("G5", "G5", "G1"), "rocket": ("G7", "G2", "G8"), "shell": ("G7", "G7", "G2")}
_FACTOR = {"G1": 1.6, "G2": 1.25, "G8": 1.2, "G5": 1.0, "G7": 1.0}  # a higher curve needs a larger coefficient
_SPEEDS = {"mortar": (90.0, 310.0), "rocket": (220.0, 650.0), "shell": (220.0, 560.0)}
_ELEVATIONS_DEG = {"mortar": (46.0, 78.0), "rocket": (22.0, 55.0), "shell": (22.0, 62.0)}


@dataclass(frozen=True, kw_only=True)
class Radar:
    """A radar as it is.  `stated_…`: what the site file says of it, where that differs."""

    period_s: float = 0.1
    range_std_m: float = 10.0
    angle_std_rad: float = 0.0015
    detection: float = 0.9
    clutter: float = 3.0
    stated: float = 1.0  # what is true over what is stated, of the deviations
    colour_s: float = 0.0  # correlation time of `coloured` of the error
    coloured: float = 0.0  # share of the variance that is correlated
    quantum_m: float = 0.0
    quantum_rad: float = 0.0
    bias_rad: float = 0.0  # deviation of the constant error of each angle
    outage_every_s: float = 0.0  # mean time between outages of `outage_s`
    outage_s: float = 2.0
    wild: float = 0.0  # share of plots thrown twenty deviations off
    rate: bool = False  # tells range rate


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """One kind of trouble.  Spans are drawn evenly."""

    name: str
    radar: Radar = field(default_factory=Radar)
    radars: int = 2
    classes: tuple[str, ...] = ("mortar", "rocket", "shell")
    rounds: tuple[int, int] = (2, 5)
    range_m: tuple[float, float] = (2000.0, 11_000.0)
    gap_s: float = 8.0  # rounds leave within so many seconds
    wind_m_s: float = 6.0
    shear_m_s_km: float = 1.5
    warmer_k: float = 8.0
    density: float = 0.015  # deviation of the factor
    told: bool = True  # of the wind at the ground, roughly
    slope: float = 0.05
    boost: bool = False
    others: int = 0  # aircraft, helicopters, birds beside the rounds


_PLAIN = Radar()
STRATA = (
    Stratum(name="two good radars"),
    Stratum(name="one good radar", radars=1),
    Stratum(name="one slow radar", radars=1, radar=Radar(period_s=1.0, range_std_m=20.0, angle_std_rad=0.003)),
    Stratum(name="half a second, 0.6 detected", radar=replace(_PLAIN, period_s=0.5, detection=0.6)),
    Stratum(name="precise, 20 Hz, coloured, quantised", radars=1, radar=Radar(
        period_s=0.05, range_std_m=4.0, angle_std_rad=0.0007, colour_s=0.6, coloured=0.6, quantum_m=2.0,
        quantum_rad=0.001, detection=0.97, clutter=0.5, wild=0.004)),
    Stratum(name="coloured, 2 s, half", radar=replace(_PLAIN, colour_s=2.0, coloured=0.5)),
    Stratum(name="worse than stated, 1.6", radar=replace(_PLAIN, stated=1.6)),
    Stratum(name="better than stated, 0.6", radar=replace(_PLAIN, stated=0.6)),
    Stratum(name="biased, 1 mrad", radar=replace(_PLAIN, bias_rad=0.001)),
    Stratum(name="quantised 1 mrad, 10 m", radar=replace(_PLAIN, quantum_m=10.0, quantum_rad=0.001)),
    Stratum(name="drop-outs of 2 s, wild plots", radar=replace(_PLAIN, outage_every_s=5.0, wild=0.02)),
    Stratum(name="range rate", radar=replace(_PLAIN, rate=True)),
    Stratum(name="weather untold, 10 m/s, shear", told=False, wind_m_s=10.0, shear_m_s_km=4.0, warmer_k=20.0),
    Stratum(name="strange drag", slope=0.15),
    Stratum(name="clutter 40 a scan", radar=replace(_PLAIN, clutter=40.0)),
    Stratum(name="far shells", classes=("shell",), range_m=(11_000.0, 17_000.0)),
    Stratum(name="near mortars", classes=("mortar",), range_m=(800.0, 2500.0)),
    Stratum(name="rockets under thrust", classes=("rocket",), boost=True, range_m=(3500.0, 11_000.0)),
    Stratum(name="ripple of 16", classes=("rocket",), rounds=(16, 16), gap_s=4.0),
    Stratum(name="aircraft and birds beside", others=12),
)  # fmt: skip


# ---- what flies -----------------------------------------------------------------------------------


def draw_weather(stratum: Stratum, draws: Draws) -> Weather:
    """Return the true air of one raid: wind that grows and turns with height."""
    speed, bearing = stratum.wind_m_s * math.sqrt(draws.random()), draws.uniform(0.0, 2.0 * math.pi)
    heights = (0.0, 500.0, 1500.0, 3000.0, 6000.0, 10_000.0)
    east, north = [], []
    turn = draws.normal(0.0, 0.15)
    for height in heights:
        now = speed + draws.normal(0.5, 0.5) * stratum.shear_m_s_km * height * 1e-3
        way = bearing + turn * height * 1e-3
        east.append(now * math.sin(way))
        north.append(now * math.cos(way))
    return Weather(
        warmer_k=draws.uniform(-1.0, 1.0) * stratum.warmer_k,
        density_factor=1.0 + draws.normal(0.0, stratum.density),
        heights_m=heights,
        east_m_s=tuple(east),
        north_m_s=tuple(north),
    )


def draw_round(stratum: Stratum, site: Site, weather: Weather, draws: Draws) -> tuple[Shot, Flown]:
    """Return a round that comes down near the middle, by shifting where it starts."""
    for _ in range(200):
        kind = str(draws.choice(stratum.classes))
        betas, spread = _BETAS[kind]
        curve = str(draws.choice(_CURVES[kind]))
        shot = Shot(
            class_name=kind,
            launch_s=4.0 + draws.random() * stratum.gap_s,
            east_m=0.0,
            north_m=0.0,
            speed_m_s=draws.uniform(*_SPEEDS[kind]),
            azimuth_rad=draws.uniform(0.0, 2.0 * math.pi),
            elevation_rad=math.radians(draws.uniform(*_ELEVATIONS_DEG[kind])),
            beta_kg_m2=float(draws.choice(betas)) * _FACTOR[curve] * math.exp(draws.normal(0.0, spread)),
            curve=curve,
            spin_m_s=draws.uniform(3.0, 7.0) if kind == "shell" else 0.0,
            slope=draws.normal(0.0, stratum.slope),
            burn_s=draws.uniform(0.6, 1.8) if stratum.boost else 0.0,
        )
        flown = fly(site, weather, shot)
        if flown is None:
            continue
        east_m, north_m, _ = flown.enu_m[-1]
        if not stratum.range_m[0] <= math.hypot(east_m, north_m) <= stratum.range_m[1]:
            continue
        aim_m, aim_rad = 1100.0 * math.sqrt(draws.random()), draws.uniform(0.0, 2.0 * math.pi)
        shot = replace(
            shot,
            east_m=aim_m * math.sin(aim_rad) - float(east_m),
            north_m=aim_m * math.cos(aim_rad) - float(north_m),
        )
        flown = fly(site, weather, shot)
        if flown is not None:
            return shot, flown
    raise AssertionError(f"{stratum.name}: no round found")


def draw_other(draws: Draws, end_s: float) -> tuple[Floats, Floats]:
    """Return times (s) and places (m, ENU) of something that flies level: a bird, a helicopter or an aircraft."""
    kind = int(draws.integers(3))
    speed = (draws.uniform(8.0, 20.0), draws.uniform(20.0, 70.0), draws.uniform(80.0, 240.0))[kind]
    height = (draws.uniform(30.0, 300.0), draws.uniform(60.0, 900.0), draws.uniform(600.0, 5000.0))[kind]
    turn = draws.normal(0.0, (0.1, 0.05, 0.02)[kind])
    t_s = np.arange(0.0, end_s, 0.02)
    way = draws.uniform(0.0, 2.0 * math.pi) + turn * t_s
    start = draws.uniform(-4000.0, 4000.0, 2)
    east = start[0] + np.cumsum(speed * np.sin(way) * 0.02)
    north = start[1] + np.cumsum(speed * np.cos(way) * 0.02)
    up = height + min(0.1 * height, 30.0) * np.sin(0.15 * t_s + draws.uniform(0.0, 6.0))
    return t_s, np.column_stack([east, north, up])


# ---- what the radars say --------------------------------------------------------------------------


def look(site: Site, radar: Radar, place_enu_m: Floats, bodies: list[tuple[Floats, Floats]], draws: Draws) -> list[Any]:
    """Return rows (t_s, range_m, azimuth_rad, elevation_rad, range rate in m/s, number of the body or −1)."""
    latitude, longitude, height = geodetic(site.ecef(place_enu_m))
    position_m = ecef_m(math.degrees(latitude), math.degrees(longitude), height)
    axes = enu_from_ecef(math.degrees(latitude), math.degrees(longitude))
    end_s = max(float(t_s[-1]) for t_s, _ in bodies) + 1.0
    rows: list[Any] = []
    polar = []
    for t_s, enu_m in bodies:
        local = (site.origin_m + enu_m @ site.axes - position_m) @ axes.T
        distance = np.linalg.norm(local, axis=1)
        seen = np.column_stack(
            [distance, np.unwrap(np.arctan2(local[:, 0], local[:, 1])), np.arcsin(local[:, 2] / distance)]
        )
        polar.append((t_s, seen, np.gradient(distance, t_s)))
    deviations = np.array([radar.range_std_m, radar.angle_std_rad, radar.angle_std_rad]) * radar.stated
    coloured = draws.normal(size=3)
    keep = math.exp(-radar.period_s / radar.colour_s) if radar.colour_s else 0.0
    bias = np.array([0.0, *(draws.normal(0.0, radar.bias_rad, 2))])
    blind_until_s = -1.0
    for k in range(int(end_s / radar.period_s)):
        now_s = (k + 0.3) * radar.period_s
        coloured = keep * coloured + math.sqrt(1.0 - keep * keep) * draws.normal(size=3)
        if radar.outage_every_s and draws.random() < radar.period_s / radar.outage_every_s:
            blind_until_s = max(blind_until_s, now_s + radar.outage_s)
        for _ in range(draws.poisson(radar.clutter)):
            clutter = (draws.uniform(200.0, 15_000.0), draws.uniform(0.0, 2.0 * math.pi), draws.uniform(0.02, _TOP_RAD))
            rows.append((now_s, *clutter, draws.uniform(-200.0, 200.0), -1))
        if now_s < blind_until_s:
            continue
        for number, (t_s, seen, rates) in enumerate(polar):
            if not t_s[0] <= now_s <= t_s[-1] or draws.random() > radar.detection:
                continue
            at = np.array([np.interp(now_s, t_s, seen[:, m]) for m in range(3)])
            if not math.radians(1.5) < at[2] < _TOP_RAD + 0.2:
                continue
            white = draws.normal(size=3) * math.sqrt(1.0 - radar.coloured)
            error = (white + coloured * math.sqrt(radar.coloured)) * deviations + bias
            if draws.random() < radar.wild:
                error *= 20.0
            at = at + error
            for m, quantum in enumerate((radar.quantum_m, radar.quantum_rad, radar.quantum_rad)):
                if quantum:
                    at[m] = round(at[m] / quantum) * quantum
            rows.append((now_s, *at, float(np.interp(now_s, t_s, rates)) + draws.normal(0.0, 1.0), number))
    return rows


# ---- files ----------------------------------------------------------------------------------------


def write_raid(stratum: Stratum, seed: int, folder: Path) -> tuple[Path, Path, Path]:
    """Draw a raid and write its site, plots and truth; return where they stand.  Same seed, same bytes."""
    draws = np.random.default_rng([seed, *stratum.name.encode()])
    site = Site(
        float(draws.uniform(-55.0, 60.0)), float(draws.uniform(-179.0, 179.0)), float(draws.uniform(0.0, 900.0))
    )
    weather = draw_weather(stratum, draws)
    count = int(draws.integers(stratum.rounds[0], stratum.rounds[1] + 1))
    flights = [draw_round(stratum, site, weather, draws) for _ in range(count)]
    flights.sort(key=lambda pair: pair[0].launch_s)
    bodies = [(flown.t_s, flown.enu_m) for _, flown in flights]
    end_s = max(float(t_s[-1]) for t_s, _ in bodies)
    bodies += [draw_other(draws, end_s) for _ in range(stratum.others)]
    text = [_site_text(site, stratum, weather, draws)]
    rows: list[Any] = []
    for k in range(stratum.radars):
        bearing, away = draws.uniform(0.0, 2.0 * math.pi), draws.uniform(200.0, 2500.0)
        place = np.array([away * math.sin(bearing), away * math.cos(bearing), 12.0])
        text.append(_sensor_text(site, stratum.radar, f"radar-{k}", place))
        rows += [(f"radar-{k}", *row) for row in look(site, stratum.radar, place, bodies, draws)]
    rows.sort(key=lambda row: (row[1], row[0]))
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "site.toml", folder / "plots.ndjson", folder / "truth.json"
    paths[0].write_text("\n".join(text))
    paths[1].write_text("".join(json.dumps(_plot(row, stratum.radar.rate)) + "\n" for row in rows))
    origin = [row[-1] if row[-1] < len(flights) else -1 for row in rows]
    paths[2].write_text(json.dumps({"origin": origin, "rounds": [_round(*pair) for pair in flights]}))
    return paths


def time_text(seconds: float) -> str:
    """Return the RFC 3339 time so many seconds into the raid."""
    return (_EPOCH + timedelta(microseconds=round(seconds * 1e6))).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _plot(row: Any, rate: bool) -> dict[str, Any]:
    sensor, t_s, range_m, azimuth, elevation, range_rate, _ = row
    plot = {
        "type": "plot",
        "time": time_text(t_s),
        "sensor": sensor,
        "range_m": round(range_m, 3),
        "azimuth_deg": round(math.degrees(azimuth) % 360.0, 6) % 360.0,
        "elevation_deg": round(math.degrees(elevation), 6),
    }
    return plot | {"range_rate_m_s": round(range_rate, 3)} if rate else plot


def _round(shot: Shot, flown: Flown) -> dict[str, Any]:
    return {
        "name": shot.class_name,
        "impact_time": time_text(float(flown.t_s[-1])),
        "impact_enu_m": [float(value) for value in flown.enu_m[-1]],
        "impact_longitude_deg": flown.impact_lonlat_deg[0],
        "impact_latitude_deg": flown.impact_lonlat_deg[1],
    }


def _site_text(site: Site, stratum: Stratum, weather: Weather, draws: Draws) -> str:
    lines = [
        "[site]", f'name = "{stratum.name}"', f"latitude_deg = {site.latitude_deg}",
        f"longitude_deg = {site.longitude_deg}", f"height_m = {site.height_m}", f"ground_height_m = {site.height_m}",
    ]  # fmt: skip
    if stratum.told:
        east, north = (wind[1] + draws.normal(0.0, 1.0) for wind in (weather.east_m_s, weather.north_m_s))
        lines += ["[weather]", f"wind_east_m_s = {east:.2f}", f"wind_north_m_s = {north:.2f}"]
    lines += ["[policy]", 'protect = "site"', 'mode = "automatic"']
    lines += ["[[asset]]", 'id = "camp"', f"polygon = {_square(site, 0.0, 0.0, 2.0 * _EDGE_M)}"]
    middle = _ZONES // 2
    for row in range(_ZONES):
        for column in range(_ZONES):
            polygon = _square(site, (column - middle) * _EDGE_M, (row - middle) * _EDGE_M, _EDGE_M)
            lines += [
                "[[zone]]", f'id = "z{row}{column}"', f'name = "Block {row}{column}"', "population = 500",
                "shelter_time_s = 15.0", f"polygon = {polygon}",
            ]  # fmt: skip
    return "\n".join(lines)


def _square(site: Site, east_m: float, north_m: float, edge_m: float) -> str:
    corners = []
    for dx, dy in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)):
        latitude, longitude, _ = geodetic(site.ecef(np.array([east_m + dx * edge_m, north_m + dy * edge_m, 0.0])))
        corners.append(f"[{math.degrees(longitude):.7f}, {math.degrees(latitude):.7f}]")
    return f"[{', '.join(corners)}]"


def _sensor_text(site: Site, radar: Radar, name: str, place_enu_m: Floats) -> str:
    latitude, longitude, height = geodetic(site.ecef(place_enu_m))
    return "\n".join(
        [
            "[[sensor]]", f'id = "{name}"', f"latitude_deg = {math.degrees(latitude)}",
            f"longitude_deg = {math.degrees(longitude)}", f"height_m = {height}", f"range_std_m = {radar.range_std_m}",
            f"azimuth_std_mrad = {radar.angle_std_rad * 1e3}", f"elevation_std_mrad = {radar.angle_std_rad * 1e3}",
            "range_max_m = 25000.0", f"detection_probability = {radar.detection}",
            f"clutter_per_scan = {radar.clutter}", f"period_s = {radar.period_s}",
        ]
    )  # fmt: skip
