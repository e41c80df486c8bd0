"""Messages of one kind as a flat table: names with units, degrees, UTC; a message a row."""

import csv
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from opencram.adapters.events import encode_events
from opencram.adapters.times import rfc3339
from opencram.config.model import Site
from opencram.earth.geodesy import Frame, geodetic_from_enu
from opencram.errors import RecordingError
from opencram.messages import (
    Decision,
    Engagement,
    Health,
    Impact,
    Message,
    Plot,
    Rejected,
    Track,
    Warning,
)
from opencram.recording import read, read_header
from opencram.recording.parquet import write_parquet
from opencram.runtime.replay import site_of

Row = dict[str, Any]
_CHUNK: Final = 20_000


def write_events(recording: str, path: Path) -> int:
    """Write the events of a recording; return how many lines."""
    lines = 0
    with path.open("wb") as file:
        batch: list[Message] = []
        for message in read(recording):
            batch.append(message)
            if len(batch) == _CHUNK:
                text = encode_events(batch)
                lines += text.count(b"\n")
                file.write(text)
                batch = []
        text = encode_events(batch)
        file.write(text)
    return lines + text.count(b"\n")


def write_csv(recording: str, path: Path, kind: str) -> int:
    """Write the messages of one kind; return how many rows."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(columns_of(kind)))
        writer.writeheader()
        for row in rows(recording, kind):
            writer.writerow({name: _cell(value) for name, value in row.items()})
            count += 1
    return count


def write_parquet_table(recording: str, path: Path, kind: str | None) -> int:
    """Write the whole log, or the messages of one kind; return how many rows."""
    if kind is None:
        write_parquet(recording, path)
        import pyarrow.parquet as pq

        return int(pq.read_metadata(path).num_rows)
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise RecordingError("Parquet needs pyarrow: pip install 'opencram[export]'") from error
    of = {int: pa.int64(), float: pa.float64(), str: pa.string(), np.datetime64: pa.timestamp("ns", tz="UTC")}
    schema = pa.schema([(name, of[column]) for name, column in columns_of(kind).items()])
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        chunk: list[Row] = []
        for row in rows(recording, kind):
            chunk.append({name: value.t_ns if isinstance(value, Time) else value for name, value in row.items()})
            if len(chunk) == _CHUNK:
                writer.write_table(pa.Table.from_pylist(chunk, schema))
                count, chunk = count + len(chunk), []
        writer.write_table(pa.Table.from_pylist(chunk, schema))
    return count + len(chunk)


class Time:
    """A time in a table: text in CSV, a timestamp in Parquet."""

    def __init__(self, t_ns: int) -> None:
        self.t_ns = t_ns

    def __str__(self) -> str:
        return rfc3339(self.t_ns)


def rows(recording: str, kind: str) -> Iterator[Row]:
    """Yield the messages of one kind as flat rows, in order."""
    site = site_of(recording, read_header(recording))
    message_type, make, _ = _KINDS[kind]
    for message in read(recording):
        if type(message) is message_type:
            yield make(message, site)


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else ""
    return "" if value is None else str(value)


def columns_of(kind: str) -> Mapping[str, type]:
    """Return the columns of a kind with their types; `numpy.datetime64` for times."""
    return _KINDS[kind][2]


def place_deg(site: Site, position_enu_m: tuple[float, float, float]) -> tuple[float, float, float]:
    """Return latitude, longitude (degrees) and height above the ellipsoid (m) of a place of the site."""
    frame = Frame(site.latitude_rad, site.longitude_rad, site.height_m)
    latitude, longitude, height = geodetic_from_enu(frame, np.array(position_enu_m))
    return float(np.degrees(latitude)), float(np.degrees(longitude)), float(height)


def _plot(m: Plot, site: Site) -> Row:
    del site
    return {
        "time": Time(m.t_ns),
        "plot": m.plot_id,
        "sensor": m.sensor,
        "range_m": m.range_m,
        "azimuth_deg": math.degrees(m.azimuth_rad),
        "elevation_deg": math.degrees(m.elevation_rad),
        "range_rate_m_s": m.range_rate_m_s,
        "snr_db": m.snr_db,
    }


def _track(m: Track, site: Site) -> Row:
    latitude, longitude, height = place_deg(site, m.position_enu_m)
    name, probability = m.classes[0] if m.classes else ("", 0.0)
    return {
        "time": Time(m.t_ns),
        "track": m.track_id,
        "status": m.status,
        "class": name,
        "class_probability": probability,
        "projectile_probability": m.projectile_probability,
        "latitude_deg": latitude,
        "longitude_deg": longitude,
        "height_m": height,
        "east_m": m.position_enu_m[0],
        "north_m": m.position_enu_m[1],
        "up_m": m.position_enu_m[2],
        "velocity_east_m_s": m.velocity_enu_m_s[0],
        "velocity_north_m_s": m.velocity_enu_m_s[1],
        "velocity_up_m_s": m.velocity_enu_m_s[2],
        "position_std_m": m.position_m_std,
        "plots": m.plots,
        "reason": m.reason,
    }


def _impact(m: Impact, site: Site) -> Row:
    del site
    ee, en, nn = m.covariance_enu_m2
    return {
        "time": Time(m.t_ns),
        "track": m.track_id,
        "impact_time": Time(m.impact_t_ns),
        "impact_time_std_s": m.impact_time_s_std,
        "latitude_deg": m.latitude_deg,
        "longitude_deg": m.longitude_deg,
        "east_m": m.position_enu_m[0],
        "north_m": m.position_enu_m[1],
        "up_m": m.position_enu_m[2],
        "variance_east_m2": ee,
        "covariance_m2": en,
        "variance_north_m2": nn,
        "projectile_probability": m.projectile_probability,
    }


def _warning(m: Warning, site: Site) -> Row:
    del site
    return {
        "time": Time(m.t_ns),
        "alarm": m.alarm_id,
        "zone": m.zone,
        "state": m.state,
        "advice": m.advice,
        "probability": m.probability,
        "impact_time": Time(m.impact_t_ns) if m.impact_t_ns > 0 else None,
        "seconds_left": m.seconds_left,
        "expires": Time(m.expires_t_ns),
        "tracks": " ".join(map(str, m.track_ids)),
        "reason": m.reason,
    }


def _decision(m: Decision, site: Site) -> Row:
    del site
    return {
        "time": Time(m.t_ns),
        "track": m.track_id,
        "action": m.action,
        "asset": m.asset,
        "effector": m.effector,
        "probability": m.probability,
        "code": m.code,
        "reason": m.reason,
    }


def _engagement(m: Engagement, site: Site) -> Row:
    del site
    return {
        "time": Time(m.t_ns),
        "engagement": m.engagement_id,
        "track": m.track_id,
        "effector": m.effector,
        "state": m.state,
        "rounds": m.rounds,
        "fire_time": Time(m.fire_t_ns),
        "intercept_time": Time(m.intercept_t_ns),
        "kill_probability": m.kill_probability,
    }


def _rejected(m: Rejected, site: Site) -> Row:
    del site
    return {"time": Time(m.t_ns), "code": m.code, "sensor": m.sensor, "line": m.line, "reason": m.reason}


def _health(m: Health, site: Site) -> Row:
    del site
    return {"time": Time(m.t_ns), "part": m.part, "state": m.state, "reason": m.reason}


_T, _F, _I, _S = np.datetime64, float, int, str
_KINDS: Final[dict[str, tuple[type, Callable[[Any, Site], Row], Mapping[str, type]]]] = {
    "plot": (
        Plot,
        _plot,
        {
            "time": _T, "plot": _I, "sensor": _S, "range_m": _F, "azimuth_deg": _F, "elevation_deg": _F,
            "range_rate_m_s": _F, "snr_db": _F,
        },
    ),
    "track": (
        Track,
        _track,
        {
            "time": _T, "track": _I, "status": _S, "class": _S, "class_probability": _F, "projectile_probability": _F,
            "latitude_deg": _F, "longitude_deg": _F, "height_m": _F, "east_m": _F, "north_m": _F, "up_m": _F,
            "velocity_east_m_s": _F, "velocity_north_m_s": _F, "velocity_up_m_s": _F, "position_std_m": _F,
            "plots": _I, "reason": _S,
        },
    ),
    "impact": (
        Impact,
        _impact,
        {
            "time": _T, "track": _I, "impact_time": _T, "impact_time_std_s": _F, "latitude_deg": _F,
            "longitude_deg": _F, "east_m": _F, "north_m": _F, "up_m": _F, "variance_east_m2": _F,
            "covariance_m2": _F, "variance_north_m2": _F, "projectile_probability": _F,
        },
    ),
    "warning": (
        Warning,
        _warning,
        {
            "time": _T, "alarm": _I, "zone": _S, "state": _S, "advice": _S, "probability": _F, "impact_time": _T,
            "seconds_left": _F, "expires": _T, "tracks": _S, "reason": _S,
        },
    ),
    "decision": (
        Decision,
        _decision,
        {
            "time": _T, "track": _I, "action": _S, "asset": _S, "effector": _S, "probability": _F, "code": _S,
            "reason": _S,
        },
    ),
    "engagement": (
        Engagement,
        _engagement,
        {
            "time": _T, "engagement": _I, "track": _I, "effector": _S, "state": _S, "rounds": _I, "fire_time": _T,
            "intercept_time": _T, "kill_probability": _F,
        },
    ),
    "rejected": (Rejected, _rejected, {"time": _T, "code": _S, "sensor": _S, "line": _I, "reason": _S}),
    "health": (Health, _health, {"time": _T, "part": _S, "state": _S, "reason": _S}),
}  # fmt: skip
