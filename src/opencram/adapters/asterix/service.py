"""What radars say of themselves: CAT034 and CAT016 → that they live, their health, and where they claim to stand."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opencram.adapters.asterix.columns import ABSENT, Blocks
from opencram.adapters.stations import Station
from opencram.messages import Health

SERVICE_COLUMNS: Final[dict[int, tuple[str, ...]]] = {
    16: ("010/SAC", "010/SIC", "140", "000", "400/LAT", "400/LON", "405"),
    34: (
        *("010/SAC", "010/SIC", "030", "000", "041", "050/COM/NOGO", "050/COM/OVLRDP", "050/COM/OVLXMT"),
        *("050/COM/TSV", "120/HGT", "120/LAT", "120/LON"),
    ),
}
PLACE_M_MAX: Final = 100.0  # between where a radar says it stands and where the site has it

_LSB_DEG: Final = {16: 360.0 / 2**32, 34: 360.0 / 2**24}
_WORDS: Final = {
    "050/COM/NOGO": "the radar says that its data may not be used (NOGO)",
    "050/COM/TSV": "the radar says that its time source is not valid",
    "050/COM/OVLRDP": "the radar says that its plot extractor is overloaded",
    "050/COM/OVLXMT": "the radar says that its transmission is overloaded",
}


class ServiceWatch:
    """Follows the service messages of the stations.  `heard_t_ns`: time of the last one of each."""

    def __init__(self, stations: Sequence[Station]) -> None:
        self._stations = {256 * one.sac + one.sic: one for one in stations}
        self._told: dict[str, str] = {}
        self._flags: dict[str, dict[str, bool]] = {}
        self.heard_t_ns: dict[str, int] = {}
        self.rotation_s: dict[str, float] = {}

    def take(self, blocks: Blocks, times: NDArray[np.int64]) -> list[Health]:
        """Return the changes of health that these records tell; `times` are those of the records."""
        names = SERVICE_COLUMNS[blocks.category]
        out: list[Health] = []
        for t_ns, values in zip(times.tolist(), blocks.values.tolist(), strict=True):
            row = dict(zip(names, values, strict=True))
            station = self._stations.get(256 * row["010/SAC"] + row["010/SIC"])
            if station is None:
                continue
            self.heard_t_ns[station.id] = t_ns
            if row.get("041", ABSENT) > 0:
                self.rotation_s[station.id] = row["041"] / 128.0
            out += self._judge(station, blocks.category, row, t_ns)
        return out

    def _judge(self, station: Station, category: int, row: dict[str, int], t_ns: int) -> list[Health]:
        flags = self._flags.setdefault(station.id, {})
        for name in _WORDS:
            if row.get(name, ABSENT) != ABSENT:
                flags[name] = row[name] == 1
        away_m = _away_m(station, category, row)
        if away_m is not None:
            flags["place"] = away_m > PLACE_M_MAX
        reasons = [words for name, words in _WORDS.items() if flags.get(name)]
        if flags.get("place"):
            told = f"{away_m:.0f} m" if away_m is not None else "far"
            reasons.append(f"the radar says it stands {told} from where the site file has it")
        reason = "; ".join(reasons)
        previous = self._told.get(station.id, "")
        # A changed distance alone is no change of health.
        if bool(reason) == bool(previous) and reason.split(" stands ")[0] == previous.split(" stands ")[0]:
            return []
        self._told[station.id] = reason
        state: Final = "degraded" if reason else "ok"
        reason = reason or "the radar reports no fault"
        return [Health(t_ns=t_ns, part=f"sensor:{station.id}/status", state=state, reason=reason)]


def _away_m(station: Station, category: int, row: dict[str, int]) -> float | None:
    """Return how far the place that a record gives is from the station's, on the ground; None if it gives none."""
    latitude, longitude = (row[name] for name in (("400/LAT", "400/LON") if category == 16 else ("120/LAT", "120/LON")))
    if ABSENT in (latitude, longitude):
        return None
    lsb_rad = math.radians(_LSB_DEG[category])
    north = latitude * lsb_rad - station.latitude_rad
    east = math.remainder(longitude * lsb_rad - station.longitude_rad, 2.0 * math.pi) * math.cos(station.latitude_rad)
    return 6_371_000.0 * math.hypot(north, east)
