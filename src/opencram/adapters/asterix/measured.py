"""Columns of CAT015 and CAT048 records → measurements in SI units, with what quantisation adds to their errors.

What a step of the wire of size q adds is a deviation of q/√12.  Times come in steps of 1/128 s: a target at
`SPEED_M_S` has moved 0.7 m, one standard deviation, against the time that its record says.

CAT048 has no elevation: it follows from the height (25 ft steps above mean sea level), the sensor's place and
its geoid.  A height off by dh and a range off by dr turn the elevation by (dh - sin(e) dr) / (r cos(e)).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opencram.adapters.asterix.clock import TICK_NS
from opencram.adapters.asterix.columns import ABSENT, Blocks
from opencram.adapters.asterix.height import elevation_of
from opencram.adapters.stations import Station

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

NM_M: Final = 1852.0
FOOT_M: Final = 0.3048
SPEED_M_S: Final = 300.0  # of a typical projectile, where the record does not say

# The values that a plot is made of, by category.
COLUMNS: Final[dict[int, tuple[str, ...]]] = {
    15: (
        *("010/SAC", "010/SIC", "145", "000/MT", "020/MOMU", "020/TTAX", "625/R", "625/SDR", "626/DV"),
        *("627/AZ", "627/SDASZ", "628/EL", "628/SDEL", "630/DPS"),
    ),
    48: (
        *("010/SAC", "010/SIC", "140", "020/TYP", "020/SIM", "020/RAB", "020/TST", "040/RHO", "040/THETA"),
        *("110/3DH", "120/CAL/D", "120/CAL/CAL"),
    ),
}

_TURN: Final = 2.0 * math.pi
_AZIMUTH_STEP: Final = _TURN / 65_536
_ELEVATION_STEP: Final = _TURN / 131_072
_DEVIATION_STEP: Final = _TURN / 524_288
_RHO_STEP_M: Final = NM_M / 256.0
_HEIGHT_STEP_M: Final = 25.0 * FOOT_M
_ROUND: Final = 1.0 / math.sqrt(12.0)
_TIME_M_STD: Final = TICK_NS * 1e-9 * _ROUND * SPEED_M_S

# Why a record is no plot; 0: it is one.
NO_TIME, NO_POSITION, NO_HEIGHT, NOT_MEASURED, SIMULATED, TEST, IMPOSSIBLE, MULTISTATIC = 1, 2, 3, 4, 5, 6, 7, 8
WORDS: Final[dict[int, tuple[str, str]]] = {
    NO_TIME: ("time", "the record has no time of day"),
    NO_POSITION: ("no_position", "the record has no range, azimuth and, in CAT015, elevation"),
    NO_HEIGHT: ("no_height", "the record has no height (I048/110), so that its elevation is not known"),
    NOT_MEASURED: ("not_plot", "the record tells of a track's end or of an extrapolation, not of a detection"),
    SIMULATED: ("simulated", "the radar marks it as simulated, and this feed takes real targets only"),
    TEST: ("test_target", "the radar marks it as a test target or a fixed monitor"),
    IMPOSSIBLE: ("range", "a target so high cannot be at so short a range"),
    MULTISTATIC: ("multistatic", "its range is that of a path by way of another place, which is not read here"),
}


@dataclass(frozen=True)
class Measured:
    """Measurements of one category, as arrays in the order of the records.  NaN: not given."""

    ticks: Ints  # times of day, 1/128 s
    station: Ints  # place in the list of stations, -1: of no known one
    source: Ints  # 256 SAC + SIC
    fault: Ints
    range_m: Array
    azimuth_rad: Array
    elevation_rad: Array
    range_rate_m_s: Array
    snr_db: Array
    range_m_std: Array
    azimuth_rad_std: Array
    elevation_rad_std: Array
    offset: Ints  # where the record stands in the data


class _Columns:
    """A category's raw columns by name, and as numbers with NaN for what is absent."""

    def __init__(self, blocks: Blocks) -> None:
        names = COLUMNS[blocks.category]
        self.raw = {name: blocks.values[:, place] for place, name in enumerate(names)}

    def number(self, name: str, step: float) -> Array:
        """Return a column in its unit."""
        raw = self.raw[name]
        return np.where(raw == ABSENT, np.nan, raw * step)

    def has(self, name: str, *values: int) -> NDArray[np.bool_]:
        """Return where a column has one of these values."""
        raw = self.raw[name]
        found = raw == values[0]
        for value in values[1:]:
            found = found | (raw == value)
        return np.asarray(found)

    def lacks(self, name: str) -> NDArray[np.bool_]:
        """Return where a column is absent."""
        return np.asarray(self.raw[name] == ABSENT)


def measured(blocks: Blocks, stations: Sequence[Station], *, simulated: bool) -> Measured:
    """Return what the records of CAT015 or CAT048 measured; `simulated`: simulated targets are welcome."""
    columns = _Columns(blocks)
    source = columns.raw["010/SAC"] * 256 + columns.raw["010/SIC"]
    source = np.where(columns.lacks("010/SIC"), -1, source)
    station = np.full(len(source), -1, dtype=np.int64)
    for place, one in enumerate(stations):
        station[source == 256 * one.sac + one.sic] = place
    read = _measured_15 if blocks.category == 15 else _measured_48
    return read(blocks, columns, source, station, stations, simulated)


def _of(stations: Sequence[Station], station: Ints, name: str) -> Array:
    """Return a value of each record's station; NaN for unknown ones."""
    values = np.array([*(float(getattr(one, name)) for one in stations), np.nan])
    return values[station]


def _first(*faults: tuple[int, NDArray[np.bool_]]) -> Ints:
    """Return the first fault that holds for each record."""
    found = np.zeros(len(faults[0][1]), dtype=np.int64)
    for fault, holds in reversed(faults):
        found = np.where(holds, fault, found)
    return found


def _measured_15(
    blocks: Blocks, columns: _Columns, source: Ints, station: Ints, stations: Sequence[Station], simulated: bool
) -> Measured:
    range_m = columns.number("625/R", 0.1)
    azimuth_rad = columns.number("627/AZ", _AZIMUTH_STEP)
    elevation_rad = columns.number("628/EL", _ELEVATION_STEP)
    fault = _first(
        (NO_TIME, columns.lacks("145")),
        (NOT_MEASURED, columns.has("000/MT", 5)),
        (TEST, columns.has("020/TTAX", 1, 2)),
        (SIMULATED, columns.has("020/TTAX", 3) & (not simulated)),
        (MULTISTATIC, columns.has("020/MOMU", 1, 2)),
        (NO_POSITION, np.isnan(range_m + azimuth_rad + elevation_rad)),
    )
    turn = _TIME_M_STD / np.maximum(range_m, 1.0)
    cosine = np.maximum(np.cos(elevation_rad), 1e-3)

    def deviation(name: str, step: float, own: str) -> Array:
        """Return what the record says, where it says more than nothing; else the station's own."""
        given = columns.number(name, step)
        return np.where(given > 0.0, given, _of(stations, station, own))

    return Measured(
        ticks=columns.raw["145"],
        station=station,
        source=source,
        fault=fault,
        range_m=range_m,
        azimuth_rad=azimuth_rad,
        elevation_rad=elevation_rad,
        range_rate_m_s=columns.number("626/DV", 0.01) * _of(stations, station, "doppler_sign"),
        snr_db=columns.number("630/DPS", 1.0),
        range_m_std=_root(deviation("625/SDR", 0.1, "range_m_std"), 0.1 * _ROUND, _TIME_M_STD),
        azimuth_rad_std=_root(
            deviation("627/SDASZ", _DEVIATION_STEP, "azimuth_rad_std"), _AZIMUTH_STEP * _ROUND, turn / cosine
        ),
        elevation_rad_std=_root(
            deviation("628/SDEL", _DEVIATION_STEP, "elevation_rad_std"), _ELEVATION_STEP * _ROUND, turn
        ),
        offset=blocks.offsets,
    )


def _measured_48(
    blocks: Blocks, columns: _Columns, source: Ints, station: Ints, stations: Sequence[Station], simulated: bool
) -> Measured:
    range_m = columns.number("040/RHO", _RHO_STEP_M)
    azimuth_rad = columns.number("040/THETA", _AZIMUTH_STEP)
    height_m = columns.number("110/3DH", _HEIGHT_STEP_M) + _of(stations, station, "geoid_m")
    elevation_rad = np.full(len(range_m), np.nan)
    for place, one in enumerate(stations):
        here = station == place
        if here.any():
            elevation_rad[here] = elevation_of(
                one.frame,
                range_m[here],
                azimuth_rad[here],
                height_m[here],
                slack_m=_HEIGHT_STEP_M / 2 + _RHO_STEP_M / 2,
            )
    fault = _first(
        (NO_TIME, columns.lacks("140")),
        (NOT_MEASURED, columns.has("020/TYP", 0)),
        (TEST, columns.has("020/TST", 1) | columns.has("020/RAB", 1)),
        (SIMULATED, columns.has("020/SIM", 1) & (not simulated)),
        (NO_POSITION, np.isnan(range_m)),
        (NO_HEIGHT, columns.lacks("110/3DH")),
        (IMPOSSIBLE, np.isnan(elevation_rad) & (station >= 0)),
    )
    sure = columns.has("120/CAL/D", 0)  # else the radar calls its Doppler speed doubtful
    ground_m = np.maximum(range_m * np.cos(elevation_rad), 1.0)
    sine = np.sin(elevation_rad)
    bent = np.hypot(_HEIGHT_STEP_M * _ROUND, sine * _RHO_STEP_M * _ROUND) / ground_m
    return Measured(
        ticks=columns.raw["140"],
        station=station,
        source=source,
        fault=fault,
        range_m=range_m,
        azimuth_rad=azimuth_rad,
        elevation_rad=elevation_rad,
        range_rate_m_s=np.where(
            sure, columns.number("120/CAL/CAL", 1.0) * _of(stations, station, "doppler_sign"), np.nan
        ),
        snr_db=np.full(len(range_m), np.nan),
        range_m_std=_root(_of(stations, station, "range_m_std"), _RHO_STEP_M * _ROUND, _TIME_M_STD),
        azimuth_rad_std=_root(
            _of(stations, station, "azimuth_rad_std"), _AZIMUTH_STEP * _ROUND, _TIME_M_STD / ground_m
        ),
        elevation_rad_std=_root(_of(stations, station, "elevation_rad_std"), bent, _TIME_M_STD / ground_m),
        offset=blocks.offsets,
    )


def _root(*parts: Array | float) -> Array:
    """Return the root of the sum of squares."""
    return np.asarray(np.sqrt(sum(np.square(part) for part in parts)))
