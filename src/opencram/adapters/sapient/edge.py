"""An edge node: radars' plots, and our own tracks with where they will come down, as BSI Flex 335 v2.0 reports.

A middleware refuses detections that follow each other too closely on a connection; all of one dwell go
together, and dwells less than 80 ms apart are sent as one.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

from opencram.adapters.sapient import schema
from opencram.adapters.sapient.framing import framed
from opencram.adapters.sapient.identifiers import ulid
from opencram.adapters.stations import Station, node_id, numbered
from opencram.earth.geodesy import Frame, geodetic_from_enu
from opencram.messages import Impact, Message, Plot, Track

AHEAD_S_MAX: Final = 1.0
BURST_NS: Final = 80_000_000  # the least time between two bursts on one connection
_CLASSES: Final = {
    "mortar": "Projectile",
    "rocket": "Projectile",
    "shell": "Projectile",
    "aircraft": "Air Vehicle",
    "drone": "Air Vehicle",
    "bird": "Animal",
}


def encode_plots(plots: Iterable[Plot], stations: Sequence[Station]) -> list[bytes]:
    """Return the plots as detection reports: each item is one burst of one radar, whole frames in it.

    Plots are in the order of time; each radar has a connection of its own.
    """
    by_id = {station.id: station for station in numbered(stations)}
    bursts: list[list[bytes]] = []
    latest: dict[str, tuple[int, list[bytes]]] = {}
    for plot in plots:
        began_ns, frames = latest.get(plot.sensor, (-BURST_NS, []))
        if plot.t_ns - began_ns >= BURST_NS:
            frames = []
            bursts.append(frames)
            latest[plot.sensor] = (plot.t_ns, frames)
        frames.append(framed(_detection(plot, by_id[plot.sensor])))
    return [b"".join(frames) for frames in bursts]


def _stamped(t_ns: int, node: str) -> Any:
    message = schema.message_class()()
    message.timestamp.seconds, message.timestamp.nanos = divmod(t_ns, 10**9)
    message.node_id = node
    return message


def _bytes(message: Any) -> bytes:
    return bytes(message.SerializeToString(deterministic=True))


def _detection(plot: Plot, station: Station) -> bytes:
    message = _stamped(plot.t_ns, station.node_id)
    report = message.detection_report
    report.report_id = ulid(plot.t_ns, "report", station.node_id, plot.plot_id)
    report.object_id = ulid(plot.t_ns, "object", station.node_id, plot.plot_id)
    place = report.range_bearing
    place.range, place.azimuth, place.elevation = plot.range_m, plot.azimuth_rad, plot.elevation_rad
    place.range_error = plot.range_m_std or station.range_m_std
    place.azimuth_error = plot.azimuth_rad_std or station.azimuth_rad_std
    place.elevation_error = plot.elevation_rad_std or station.elevation_rad_std
    place.coordinate_system, place.datum = schema.RADIANS_M, schema.DATUM_TRUE
    if plot.range_rate_m_s is not None:
        report.object_info.add(type="rangeRate", value=repr(plot.range_rate_m_s * station.doppler_sign))
    if plot.snr_db is not None:
        report.object_info.add(type="snr", value=repr(plot.snr_db))
    return _bytes(message)


def encode_registration(station: Station, t_ns: int) -> bytes:
    """Return the frame with which a radar of the simulator introduces itself; `station` as numbered."""
    message = _stamped(t_ns, station.node_id)
    told = message.registration
    told.node_definition.add(node_type=schema.NODE_TYPE_RADAR)
    told.name = told.short_name = station.id
    told.capabilities.add(category="Radar", type="Range", value=f"{station.range_m_max:g}", units="metres")
    _fill_registration(told, station.period_s)
    detection = told.mode_definition[0].detection_definition.add()
    detection.location_type.range_bearing_units = schema.RADIANS_M
    detection.location_type.range_bearing_datum = schema.DATUM_TRUE
    detection.detection_report.add(category=3, type="rangeRate", units="m/s")
    detection.detection_report.add(category=3, type="snr", units="dB")
    return framed(_bytes(message))


def _fill_registration(told: Any, interval_s: float) -> None:
    """Fill in what the standard demands of every registration."""
    told.icd_version = schema.ICD_VERSION
    told.status_definition.status_interval.units = schema.TIME_UNITS_SECONDS
    told.status_definition.status_interval.value = interval_s
    told.config_data.add(manufacturer="opencram", model="opencram")
    mode = told.mode_definition.add(mode_name="default", mode_type=3)
    mode.settle_time.units, mode.settle_time.value = schema.TIME_UNITS_SECONDS, 0.0
    area = mode.task.region_definition.region_area.add()
    area.location_units, area.location_datum = schema.LAT_LNG_DEG_M, schema.WGS84_E
    mode.task.region_definition.region_type.append(1)


def encode_status(station: Station, t_ns: int, *, system: int = schema.SYSTEM_OK) -> bytes:
    """Return the frame of a radar's status report, its sign of life; `station` as numbered."""
    place = (station.latitude_rad, station.longitude_rad, station.height_m)
    return framed(_status(station.node_id, t_ns, place, system))


def _status(node: str, t_ns: int, place: tuple[float, float, float], system: int) -> bytes:
    message = _stamped(t_ns, node)
    told = message.status_report
    told.report_id = ulid(t_ns, "status", node)
    told.system, told.info, told.mode = system, 1, "default"
    _locate(told.node_location, *place)
    return _bytes(message)


def _locate(location: Any, latitude_rad: float, longitude_rad: float, height_m: float) -> None:
    location.x, location.y = math.degrees(longitude_rad), math.degrees(latitude_rad)
    location.z = height_m
    location.coordinate_system, location.datum = schema.LAT_LNG_DEG_M, schema.WGS84_E


class EdgeNode:
    """Reports our tracks to a fusion node above us: where each is, what it may be, where it will come down.

    `take` keeps the newest of each track, `burst` gives what is due.  Bytes only; the caller has the socket.
    """

    def __init__(self, site: Frame, *, name: str = "opencram", tracks_max: int = 10_000) -> None:
        self._site = site
        self._name = name
        self._id = node_id(name)
        self._tracks_max = tracks_max
        self._impacts: dict[int, Impact] = {}
        self._due: dict[int, Track] = {}
        self._last_ns: int | None = None
        self._number = 0
        self.left_out = 0  # tracks that did not fit

    def registration(self, t_ns: int) -> bytes:
        """Return the first frame on a connection."""
        message = _stamped(t_ns, self._id)
        told = message.registration
        told.node_definition.add(node_type=schema.NODE_TYPE_FUSION_NODE)
        told.name, told.short_name = f"{self._name} tracker of projectiles", self._name
        told.capabilities.add(category="Fusion", type="Tracks of projectiles with predicted impacts")
        _fill_registration(told, 5.0)
        detection = told.mode_definition[0].detection_definition.add()
        detection.location_type.location_units = schema.LAT_LNG_DEG_M
        detection.location_type.location_datum = schema.WGS84_E
        detection.velocity_type.enu_velocity_units.east_north_rate_units = 1
        detection.velocity_type.enu_velocity_units.up_rate_units = 1
        detection.velocity_type.location_datum = schema.WGS84_E
        kinds = detection.detection_class_definition.add(confidence_definition=2)
        for name in sorted(set(_CLASSES.values())):
            kind = kinds.class_definition.add(type=name, units="probability")
            for sub in (key for key, value in _CLASSES.items() if value == name):
                kind.sub_class.add(type=sub, units="probability", level=1)
        return framed(_bytes(message))

    def status(self, t_ns: int, *, system: int = schema.SYSTEM_OK) -> bytes:
        """Return a status report, due every five seconds."""
        place = (self._site.latitude_rad, self._site.longitude_rad, self._site.height_m)
        return framed(_status(self._id, t_ns, place, system))

    def take(self, messages: Iterable[Message]) -> None:
        """Remember the tracks and impacts among these messages."""
        for message in messages:
            if isinstance(message, Impact):
                if message.track_id in self._impacts or len(self._impacts) < self._tracks_max:
                    self._impacts[message.track_id] = message
            elif isinstance(message, Track) and message.status != "tentative":
                if message.track_id not in self._due and len(self._due) >= self._tracks_max:
                    self.left_out += 1
                    continue
                self._due[message.track_id] = message

    def burst(self, t_ns: int) -> bytes:
        """Return the frames that are due at `t_ns`; nothing within 80 ms of the last burst."""
        if not self._due or (self._last_ns is not None and t_ns - self._last_ns < BURST_NS):
            return b""
        self._last_ns = t_ns
        due, self._due = self._due, {}
        frames = [framed(self._report(track, t_ns)) for track in due.values()]
        for track in due.values():
            if track.status == "dropped":
                self._impacts.pop(track.track_id, None)
        return b"".join(frames)

    def _report(self, track: Track, t_ns: int) -> bytes:
        """Return a detection report of one track.

        Its timestamp is that of the burst, as the standard asks; the position is carried on to it with the
        track's velocity (over half a second, gravity would add a metre).
        """
        self._number += 1
        message = _stamped(t_ns, self._id)
        report = message.detection_report
        report.report_id = ulid(t_ns, "report", self._id, self._number)
        report.object_id = ulid(track.first_t_ns, "track", self._id, track.track_id)
        ahead_s = min(max((t_ns - track.t_ns) * 1e-9, 0.0), AHEAD_S_MAX)
        position = [p + v * ahead_s for p, v in zip(track.position_enu_m, track.velocity_enu_m_s, strict=True)]
        _locate(report.location, *(float(x) for x in geodetic_from_enu(self._site, position)))
        if track.status == "dropped":
            report.state = "lost"
        report.detection_confidence = min(max(track.projectile_probability, 0.0), 1.0)
        velocity = report.enu_velocity
        velocity.east_rate, velocity.north_rate, velocity.up_rate = track.velocity_enu_m_s
        report.track_info.add(type="trackNumber", value=str(track.track_id))
        report.track_info.add(type="status", value=track.status)
        report.track_info.add(type="positionStd", value=f"{track.position_m_std:.1f}")
        for kind in sorted(set(_CLASSES.values())):
            members = [(name, p) for name, p in track.classes if _CLASSES.get(name) == kind]
            if members:
                added = report.classification.add(type=kind, confidence=min(sum(p for _, p in members), 1.0))
                for name, probability in members:
                    added.sub_class.add(type=name, confidence=probability, level=1)
        impact = self._impacts.get(track.track_id)
        if impact is not None:
            self._predict(report.prediction_location, impact)
        return _bytes(message)

    def _predict(self, prediction: Any, impact: Impact) -> None:
        _, _, height_m = geodetic_from_enu(self._site, impact.position_enu_m)
        latitude, longitude = math.radians(impact.latitude_deg), math.radians(impact.longitude_deg)
        _locate(prediction.location, latitude, longitude, float(height_m))
        seconds, nanos = divmod(impact.impact_t_ns, 10**9)
        prediction.predicted_timestamp.seconds, prediction.predicted_timestamp.nanos = seconds, nanos
