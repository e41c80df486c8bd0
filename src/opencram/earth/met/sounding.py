"""A sounding as it was read: levels of air and levels of wind, where and when, and what is to be known of it."""

import math
from dataclasses import dataclass
from typing import Final

EARTH_M: Final = 6_371_000.0  # a mean radius, for distances in words


@dataclass(frozen=True)
class AirLevel:
    """The air at one height (geometric, above mean sea level)."""

    height_m: float
    pressure_pa: float
    virtual_temperature_k: float


@dataclass(frozen=True)
class WindLevel:
    """The wind at one height (geometric, above mean sea level): where the air is moving to."""

    height_m: float
    east_m_s: float
    north_m_s: float


@dataclass(frozen=True, kw_only=True)
class Sounding:
    """Levels from the ground up; either list may be empty.  `notes` are what a person must know of it."""

    format: str  # "METCM", "IGRA2", …
    title: str = ""  # station, and what else the message says of itself
    time: str = ""  # as the message gives it
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    air: tuple[AirLevel, ...] = ()
    wind: tuple[WindLevel, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def bottom_m(self) -> float:
        """Height of the lowest level, 0 if there is none."""
        return min((*(a.height_m for a in self.air[:1]), *(w.height_m for w in self.wind[:1])), default=0.0)

    @property
    def top_m(self) -> float:
        """Height of the highest level, 0 if there is none."""
        return max((*(a.height_m for a in self.air[-1:]), *(w.height_m for w in self.wind[-1:])), default=0.0)


def distance_km(sounding: Sounding, latitude_deg: float, longitude_deg: float) -> float | None:
    """Return how far the sounding was taken from a place, on a sphere; None if it does not say where."""
    if sounding.latitude_deg is None or sounding.longitude_deg is None:
        return None
    lat_1, lat_2 = math.radians(sounding.latitude_deg), math.radians(latitude_deg)
    half_turn = math.radians(longitude_deg - sounding.longitude_deg) / 2.0
    haversine = math.sin((lat_2 - lat_1) / 2.0) ** 2 + math.cos(lat_1) * math.cos(lat_2) * math.sin(half_turn) ** 2
    return 2.0 * EARTH_M / 1000.0 * math.asin(min(math.sqrt(haversine), 1.0))
