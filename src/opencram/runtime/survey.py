"""What a site file says, in a few lines a person can compare with what they meant."""

import math
from collections import Counter
from typing import Any

from opencram.config.model import LonLat, Sensor, Site
from opencram.runtime.words import count, listed, offset

_EARTH_M = 6_371_000.0  # a mean radius: a survey is rounded to what a reader can check
_PROTECT = {"site": "only what threatens an asset is engaged", "people": "what threatens a zone is engaged too"}
_MODES = {
    "hold": "nothing is engaged",
    "consent": "an engagement needs an operator's consent",
    "veto": "an operator may veto an engagement",
    "automatic": "engagements start by themselves",
}


def lines(site: Site) -> list[str]:
    """Return a readable summary of a site."""
    weather = site.weather
    wind = f"wind to {weather.wind_east_m_s:g} m/s east, {weather.wind_north_m_s:g} m/s north" if weather else ""
    if weather and weather.sounding and weather.sounding.wind:
        wind = "wind as measured"
    told = [
        f"{site.name}: {_degrees(site.latitude_rad, 'N', 'S')}, {_degrees(site.longitude_rad, 'E', 'W')}, "
        f"ground at {site.ground_height_m:g} m; {wind or 'no weather given: the wind is taken as unknown'}"
    ]
    if weather and weather.sounding:
        from opencram.earth.met.summary import summary  # NumPy: only who has a weather file waits for it

        told += [f"Weather file: {row}" if not k else row
                 for k, row in enumerate(summary(weather.sounding, math.degrees(site.latitude_rad)))]  # fmt: skip
    told += [
        f"Drag curve {c.name}: {len(c.mach)} points, Mach {c.mach[0]:g} to {c.mach[-1]:g}, "
        f"Cd {min(c.cd):g} to {max(c.cd):g}"
        for c in site.drag_curves
    ]
    told += [
        f"Projectile of one's own: {p.class_name} on {p.curve}, ballistic coefficient {math.exp(p.ln_beta):.0f} kg/m² "
        f"± {p.ln_beta_std:.0%}, {p.prior:.0%} of what flies here"
        for p in site.projectiles
    ]
    told += [_sensor(site, sensor) for sensor in site.sensors]
    told += [f"Asset {a.id}: {_size(a.polygon)}, {_from_site(site, _middle(a.polygon))}" for a in site.assets]
    if site.zones:
        people = sum(zone.population for zone in site.zones)
        times = Counter(zone.shelter_time_s for zone in site.zones)
        shelter = listed([f"{t:g} s" if len(times) == 1 else f"{t:g} s in {n}" for t, n in sorted(times.items())][:5])
        told.append(f"Zones: {count(len(site.zones), 'zone')}, {people} people; time to shelter {shelter}")
    told += [
        f"Effector {e.id} (a model): {e.kind}, {e.range_m_min:g} to {e.range_m_max:g} m, {e.magazine_rounds} rounds; "
        f"{_from_site(site, (e.longitude_rad, e.latitude_rad))}"
        for e in site.effectors
    ]
    planned = "" if site.policy.planner == "search" else f"; shots planned by a rule of thumb, {site.policy.planner}"
    told.append(
        f"Policy: protect {site.policy.protect} ({_PROTECT[site.policy.protect]}), mode {site.policy.mode} "
        f"({_MODES[site.policy.mode]}){planned}"
    )
    told.append(
        f"Warnings: a zone is warned at {site.warnings.probability:.0%}, hazard radius "
        f"{site.warnings.hazard_radius_m:g} m; all-clear {site.warnings.dwell_s:g} s after the last impact"
    )
    return [*told, "No faults."]


def _sensor(site: Site, s: Sensor) -> str:
    deviations = f"{s.range_m_std:g} m, {s.azimuth_rad_std * 1e3:g} and {s.elevation_rad_std * 1e3:g} mrad"
    return (
        f"Sensor {s.id}: {_from_site(site, (s.longitude_rad, s.latitude_rad))}, every {s.period_s:g} s out to "
        f"{s.range_m_max / 1000.0:g} km; deviations {deviations} (azimuth, elevation); "
        f"sees {s.detection_probability:.0%}, {s.clutter_per_scan:g} false plots a scan"
        + (f"; scans may overtake one another by {s.out_of_order_s:g} s" if s.out_of_order_s else "")
    )


def as_json(site: Site) -> dict[str, Any]:
    """Return the same for a program."""
    return {
        "name": site.name,
        "sha256": site.sha256,
        "drag_curves": [curve.name for curve in site.drag_curves],
        "projectiles": [f"{model.class_name} on {model.curve}" for model in site.projectiles],
        "sensors": [sensor.id for sensor in site.sensors],
        "assets": [asset.id for asset in site.assets],
        "zones": len(site.zones),
        "people": sum(zone.population for zone in site.zones),
        "effectors": [effector.id for effector in site.effectors],
        "protect": site.policy.protect,
        "mode": site.policy.mode,
        "planner": site.policy.planner,
    }


def _degrees(angle_rad: float, positive: str, negative: str) -> str:
    return f"{abs(math.degrees(angle_rad)):.4f}° {positive if angle_rad >= 0.0 else negative}"


def _east_north_m(site: Site, point: LonLat) -> tuple[float, float]:
    """Return about how far east and north of the site a point lies, on a sphere."""
    turn = math.remainder(point[0] - site.longitude_rad, 2.0 * math.pi)
    return turn * math.cos(site.latitude_rad) * _EARTH_M, (point[1] - site.latitude_rad) * _EARTH_M


def _from_site(site: Site, point: LonLat) -> str:
    east_m, north_m = _east_north_m(site, point)
    return "at the site" if math.hypot(east_m, north_m) < 50.0 else offset(east_m, north_m)


def _middle(polygon: tuple[LonLat, ...]) -> LonLat:
    longitudes, latitudes = [p[0] for p in polygon], [p[1] for p in polygon]
    return (min(longitudes) + max(longitudes)) / 2.0, (min(latitudes) + max(latitudes)) / 2.0


def _size(polygon: tuple[LonLat, ...]) -> str:
    longitudes, latitudes = [p[0] for p in polygon], [p[1] for p in polygon]
    height_m = (max(latitudes) - min(latitudes)) * _EARTH_M
    width_m = (max(longitudes) - min(longitudes)) * _EARTH_M * math.cos(min(latitudes))
    return f"{width_m:.0f} × {height_m:.0f} m"
