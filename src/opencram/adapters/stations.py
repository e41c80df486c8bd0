"""What a reader of binary formats must know of each radar: who it is on the wire, where it stands, how good it is.

ASTERIX names a radar by system area code and system identification code (SAC/SIC), SAPIENT by the UUID of
its node.  A site file may give them (`sac`, `sic`, `node_id`); what it leaves out is filled in here so that
our own encoders and readers agree: SAC 0, SIC 1, 2, 3 … in the order of the file, and a UUID made of the
sensor's name.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from opencram.adapters.gate import SensorLimits
from opencram.earth.geodesy import Frame

_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "https://opencram.org/sensor")


@dataclass(frozen=True, kw_only=True)
class Station:
    """One radar.  `geoid_m`: height of mean sea level above the WGS84 ellipsoid at its place."""

    id: str
    latitude_rad: float
    longitude_rad: float
    height_m: float  # above the ellipsoid
    range_m_std: float
    azimuth_rad_std: float
    elevation_rad_std: float
    range_m_max: float
    period_s: float
    out_of_order_s: float = 0.0  # so much older than its newest may a plot of it be
    geoid_m: float = 0.0
    sac: int = 0
    sic: int = 0  # 0: its place in the list, from 1
    node_id: str = ""
    doppler_sign: int = 1  # 1: its Doppler speeds are positive for what goes away, as ours; -1: for what comes

    @cached_property
    def frame(self) -> Frame:
        """Its local horizon."""
        return Frame(self.latitude_rad, self.longitude_rad, self.height_m)

    @property
    def limits(self) -> SensorLimits:
        """What the gate must know of it."""
        return SensorLimits(range_m_max=self.range_m_max, period_s=self.period_s, out_of_order_s=self.out_of_order_s)


def numbered(stations: Iterable[Station]) -> tuple[Station, ...]:
    """Return the stations with the names on the wire that were left out filled in."""
    return tuple(
        replace(station, sic=station.sic or place, node_id=station.node_id.lower() or node_id(station.id))
        for place, station in enumerate(stations, start=1)
    )


def node_id(sensor: str) -> str:
    """Return the UUID of a sensor that was given none: always the same for the same name."""
    return str(uuid.uuid5(_NAMESPACE, sensor))


def limits(stations: Iterable[Station]) -> Mapping[str, SensorLimits]:
    """Return what the gate must know of the stations."""
    return {station.id: station.limits for station in stations}
