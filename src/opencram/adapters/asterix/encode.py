"""ASTERIX out: plots as CAT015 or CAT048, a radar's signs of life as CAT034, our tracks as CAT062.

Each item of the returned lists is one data block, small enough for one datagram.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, Literal

import numpy as np

from opencram.adapters.asterix.clock import ticks_of
from opencram.adapters.asterix.height import height_of
from opencram.adapters.asterix.layout import category as layout_of
from opencram.adapters.asterix.measured import FOOT_M, NM_M
from opencram.adapters.asterix.record import HEADER_BYTES, encode_record
from opencram.adapters.stations import Station, numbered
from opencram.earth.geodesy import Frame, geodetic_from_enu
from opencram.messages import Plot, Track

DATAGRAM_BYTES: Final = 1400  # fits an Ethernet frame with room for tunnels
_TURN: Final = 2.0 * math.pi
_SIMULATED: Final = 3  # I015/020 TTAX

Record = dict[str, Any]


def encode_plots(
    plots: Iterable[Plot],
    stations: Sequence[Station],
    *,
    category: Literal[15, 48] = 15,
    simulated: bool = False,
    block_bytes: int = DATAGRAM_BYTES,
) -> list[bytes]:
    """Return data blocks that hold these plots in their order, one radar's dwell or part of it in each.

    `simulated` marks the targets so, as a simulation must.  Plots of other sensors than the stations' are an
    error of the caller: `KeyError`.  What does not fit its field is cut to the nearest value that does.
    """
    by_id = {station.id: station for station in numbered(stations)}
    blocks: list[bytes] = []
    for (sensor, _), dwell in groupby(plots, key=lambda plot: (plot.sensor, plot.t_ns)):
        station = by_id[sensor]
        if category == 15:
            records = [_record_15(plot, station, simulated) for plot in dwell]
        else:
            records = _records_48(list(dwell), station, simulated)
        blocks += packed(category, records, block_bytes)
    return blocks


def packed(number: int, records: Iterable[Mapping[str, Any]], block_bytes: int = DATAGRAM_BYTES) -> list[bytes]:
    """Return data blocks of at most `block_bytes`, as few as hold these records in their order."""
    layout = layout_of(number)
    bodies: list[list[bytes]] = [[]]
    room = block_bytes - HEADER_BYTES
    left = room
    for data in (encode_record(layout, record) for record in records):
        if len(data) > left and bodies[-1]:
            bodies.append([])
            left = room
        bodies[-1].append(data)
        left -= len(data)
    joined = (b"".join(parts) for parts in bodies if parts)
    return [bytes([number]) + (HEADER_BYTES + len(body)).to_bytes(2, "big") + body for body in joined]


def _steps(value: float, step: float, bits: int, *, signed: bool = False) -> int:
    """Return a value in whole steps, the nearest that the field can hold."""
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    steps = value / step
    return min(max(round(steps), low), high) if math.isfinite(steps) else low


def _azimuth(azimuth_rad: float) -> int:
    return round(azimuth_rad / _TURN * 65_536) % 65_536


def _record_15(plot: Plot, station: Station, simulated: bool) -> Record:
    """Return a measurement plot with all that CAT015 can say of it."""
    range_std = plot.range_m_std or station.range_m_std
    azimuth_std = plot.azimuth_rad_std or station.azimuth_rad_std
    elevation_std = plot.elevation_rad_std or station.elevation_rad_std
    deviation = _TURN / 524_288
    record: Record = {
        "010": {"SAC": station.sac, "SIC": station.sic},
        "000": {"MT": 1, "RG": 1},
        "015": 1,
        "020": {"MOMU": 0, "TTAX": _SIMULATED if simulated else 0, "SCD": 0},
        "145": ticks_of(plot.t_ns),
        "161": plot.plot_id & 0xFFFF,
        "625": {"R": _steps(plot.range_m, 0.1, 24, signed=True), "SDR": max(_steps(range_std, 0.1, 24), 1)},
        "627": {"AZ": _azimuth(plot.azimuth_rad), "SDASZ": max(_steps(azimuth_std, deviation, 16), 1)},
        "628": {
            "EL": _steps(plot.elevation_rad, _TURN / 131_072, 16, signed=True),
            "SDEL": max(_steps(elevation_std, deviation, 16), 1),
        },
    }
    if plot.range_rate_m_s is not None:
        record["626"] = {"DV": _steps(plot.range_rate_m_s * station.doppler_sign, 0.01, 24, signed=True)}
    if plot.snr_db is not None:
        record["630"] = {"DPS": _steps(plot.snr_db, 1.0, 8, signed=True)}
    return record


def _records_48(plots: Sequence[Plot], station: Station, simulated: bool) -> list[Record]:
    """Return primary plots with a measured height: what CAT048 can say of a dwell."""
    place = np.array([(p.range_m, p.azimuth_rad, p.elevation_rad) for p in plots])
    height_m = height_of(station.frame, *place.T) - station.geoid_m
    records = []
    for plot, height in zip(plots, height_m.tolist(), strict=True):
        record: Record = {
            "010": {"SAC": station.sac, "SIC": station.sic},
            "140": ticks_of(plot.t_ns),
            "020": {"TYP": 1, "SIM": int(simulated), "RDP": 0, "SPI": 0, "RAB": 0},
            "040": {"RHO": max(_steps(plot.range_m, NM_M / 256.0, 16), 1), "THETA": _azimuth(plot.azimuth_rad)},
            "110": {"3DH": _steps(height, 25.0 * FOOT_M, 14, signed=True)},
        }
        if plot.range_rate_m_s is not None:
            speed = _steps(plot.range_rate_m_s * station.doppler_sign, 1.0, 10, signed=True)
            record["120"] = {"CAL": {"D": 0, "CAL": speed}}
        records.append(record)
    return records


def encode_service(station: Station, t_ns: int, *, geoid_m: float | None = None) -> bytes:
    """Return a radar's sign of life: a CAT034 north marker with its period, its health and its place.

    `station` as `stations.numbered` returns it.  I034/120 gives the height above mean sea level.
    """
    above_sea_m = station.height_m - (station.geoid_m if geoid_m is None else geoid_m)
    record: Record = {
        "010": {"SAC": station.sac, "SIC": station.sic},
        "000": 1,
        "030": ticks_of(t_ns),
        "041": _steps(station.period_s, 1.0 / 128.0, 16),
        "050": {"COM": {"NOGO": 0, "TSV": 0}},
        "120": {
            "HGT": _steps(above_sea_m, 1.0, 16, signed=True),
            "LAT": _steps(math.degrees(station.latitude_rad), 360.0 / 2**24, 24, signed=True),
            "LON": _steps(math.degrees(station.longitude_rad), 360.0 / 2**24, 24, signed=True),
        },
    }
    return packed(34, [record])[0]


def encode_tracks(
    tracks: Iterable[Track], site: Frame, *, sac: int = 0, sic: int = 255, simulated: bool = False
) -> list[bytes]:
    """Return our tracks as CAT062 system tracks; tentative ones are marked so, dropped ones end."""
    return packed(62, [_record_62(track, site, sac, sic, simulated) for track in tracks])


def _record_62(track: Track, site: Frame, sac: int, sic: int, simulated: bool) -> Record:
    latitude, longitude, height_m = (float(x) for x in geodetic_from_enu(site, track.position_enu_m))
    east_m, north_m, _ = track.position_enu_m
    east_m_s, north_m_s, up_m_s = track.velocity_enu_m_s
    angle = _TURN / 2**26
    axis_m_std = track.position_m_std / math.sqrt(3.0)
    age_s = max((track.t_ns - track.updated_t_ns) * 1e-9, 0.0)
    status = {"MON": 0, "SPI": 0, "MRH": 1, "SRC": 2, "CNF": int(track.status == "tentative")}
    status |= {"SIM": int(simulated), "TSE": int(track.status == "dropped"), "TSB": int(track.plots <= 1)}
    # The further parts are there for the last: coasting.
    status |= {"AMA": 0, "CST": int(track.status == "coasting")}
    return {
        "010": {"SAC": sac, "SIC": sic},
        "015": 1,
        "070": ticks_of(track.t_ns),
        "105": {"LAT": _steps(latitude, angle, 32, signed=True), "LON": _steps(longitude, angle, 32, signed=True)},
        "100": {"X": _steps(east_m, 0.5, 24, signed=True), "Y": _steps(north_m, 0.5, 24, signed=True)},
        "185": {"VX": _steps(east_m_s, 0.25, 16, signed=True), "VY": _steps(north_m_s, 0.25, 16, signed=True)},
        "040": track.track_id & 0xFFFF,
        "080": status,
        "290": {"TRK": _steps((track.t_ns - track.first_t_ns) * 1e-9, 0.25, 8), "PSR": _steps(age_s, 0.25, 8)},
        "130": _steps(height_m / FOOT_M, 6.25, 16, signed=True),
        "220": _steps(up_m_s / FOOT_M * 60.0, 6.25, 16, signed=True),
        "500": {"APC": {"X": _steps(axis_m_std, 0.5, 16), "Y": _steps(axis_m_std, 0.5, 16)}},
    }
