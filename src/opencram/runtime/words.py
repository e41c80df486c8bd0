"""How a run is put into words and figures on a terminal: clocks, places, sizes, counts.

Names of places come from the site, everything else from messages.  Nothing here is computed that a message
does not hold.
"""

import math
from collections.abc import Mapping

from opencram.config.model import Site
from opencram.ellipse import axes_95
from opencram.messages import Impact, PlaceThreat, Threat

NEAR_M = 300.0  # closer than this to a place, the place names the point; further off, its bearing from the site

_WINDS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
ADVICE = {"shelter": "take shelter", "drop": "take cover", "none": ""}


def place_names(site: Site) -> Mapping[tuple[str, str], str]:
    """Return the name to show for each ("zone" or "asset", id)."""
    zones = {("zone", zone.id): zone.name or zone.id for zone in site.zones}
    return zones | {("asset", asset.id): asset.id for asset in site.assets}


def clock(seconds: float) -> str:
    """Return data time since the start, "00:21.3", or "1:02:03" beyond an hour."""
    seconds = max(seconds, 0.0)
    if seconds >= 3600.0:
        whole = int(seconds)
        return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    tenths = int(seconds * 10.0 + 1e-6)
    return f"{tenths // 600:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"


def offset(east_m: float, north_m: float) -> str:
    """Return a point by distance and compass direction from the site's origin: "1.2 km NE"."""
    if not (math.isfinite(east_m) and math.isfinite(north_m)):
        return "unknown"
    distance_m = math.hypot(east_m, north_m)
    wind = _WINDS[round(math.atan2(east_m, north_m) / (math.pi / 4.0)) % 8]
    return f"{distance_m:.0f} m {wind}" if distance_m < 1000.0 else f"{distance_m / 1000.0:.1f} km {wind}"


def place(impact: Impact, threat: Threat | None, names: Mapping[tuple[str, str], str]) -> str:
    """Return where a round will land: in or near a place of the site, or how far from its origin."""
    nearest = min(threat.places, key=_nearness, default=None) if threat is not None else None
    if nearest is not None and nearest.distance_m < NEAR_M:
        name = names.get((nearest.kind, nearest.place), nearest.place)
        return name if nearest.distance_m == 0.0 else f"{nearest.distance_m:.0f} m off {name}"
    return offset(impact.position_enu_m[0], impact.position_enu_m[1])


def _nearness(threatened: PlaceThreat) -> tuple[float, bool]:
    return threatened.distance_m, threatened.kind == "zone"  # an asset names a point before the zone around it


def ellipse(impact: Impact) -> str:
    """Return length and width of the 95 % ellipse of an impact: "168×60 m"."""
    axes = axes_95(impact.covariance_enu_m2)
    if math.isnan(axes.longer_m):
        return "unknown"
    length, width = 2.0 * axes.longer_m, 2.0 * axes.shorter_m
    return f"{length:.0f}×{width:.0f} m" if length < 9999.5 else f"{length / 1000.0:.0f}×{width / 1000.0:.0f} km"


def count(number: int, noun: str, plural: str = "") -> str:
    """Return "one rocket", "seven rockets", "13 rockets"."""
    word = _NUMBERS[number] if number < len(_NUMBERS) else f"{number}"
    return f"{word} {noun if number == 1 else plural or noun + 's'}"


def listed(items: list[str]) -> str:
    """Return "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
