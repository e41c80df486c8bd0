"""Stations and plots that the tests of feeds and formats share."""

import math

from opencram.adapters.gate import Gate
from opencram.adapters.stations import Station, limits, numbered
from opencram.adapters.times import t_ns_from_rfc3339
from opencram.messages import Plot

T0 = t_ns_from_rfc3339("2026-01-01T12:00:00Z")


def station(name: str = "north", **changes) -> Station:
    values = {
        "latitude_rad": math.radians(33.318),
        "longitude_rad": math.radians(44.405),
        "height_m": 40.0,
        "range_m_std": 10.0,
        "azimuth_rad_std": 1.5e-3,
        "elevation_rad_std": 1.5e-3,
        "range_m_max": 20_000.0,
        "period_s": 0.1,
    }
    return Station(id=name, **{**values, **changes})


STATIONS = numbered([station("north", geoid_m=8.0), station("south", latitude_rad=math.radians(33.28), period_s=0.25)])


def gate() -> Gate:
    return Gate(limits(STATIONS))


def plot(k: int, sensor: str = "north", t_ns: int = 0, **changes) -> Plot:
    """Plot number k: one of a target that moves, with range rate and signal-to-noise ratio on every other one."""
    values = {
        "t_ns": t_ns or T0 + k * 100_000_000,
        "plot_id": k + 1,
        "sensor": sensor,
        "range_m": 8000.0 - 21.37 * k,
        "azimuth_rad": (1.0 + 0.011 * k) % (2.0 * math.pi),
        "elevation_rad": 0.3 + 0.004 * (k % 200),
        "range_rate_m_s": -213.7 if k % 2 else None,
        "snr_db": 17.0 if k % 2 else None,
    }
    return Plot(**{**values, **changes})


def plots(count: int = 60) -> list[Plot]:
    return [plot(k) for k in range(count)]
