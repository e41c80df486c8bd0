"""A fusion node: what sensors of BSI Flex 335 v2.0 report → plots, and the answers that they are owed.

One `FusionNode` for each connection (a sensor's own, or a middleware's that carries many): bytes in, messages
and the bytes of the reply out.  No socket and no clock here.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from opencram.adapters.gate import Gate, Refusal
from opencram.adapters.sapient import schema
from opencram.adapters.sapient.framing import Deframer, framed
from opencram.adapters.sapient.places import from_location, from_range_bearing, geodetic
from opencram.adapters.stations import Station, node_id, numbered
from opencram.messages import Health, Plot, Rejected

Message = Plot | Rejected | Health

PLACE_M_MAX: Final = 100.0
_EARTH_M: Final = 6_371_000.0
_STATES: Final = {
    schema.SYSTEM_OK: ("ok", "the sensor reports no fault"),
    schema.SYSTEM_WARNING: ("degraded", "the sensor reports a warning"),
    schema.SYSTEM_ERROR: ("degraded", "the sensor reports an error"),
    schema.SYSTEM_GOODBYE: ("lost", "the sensor has said goodbye"),
}
# Names under which a detection's object information may hold what a plot knows.
_RATES: Final = ("rangerate", "radialvelocity", "radialspeed", "doppler", "dopplerspeed", "dopplervelocity")
_SNRS: Final = ("snr", "signaltonoise", "signaltonoiseratio")


@dataclass(frozen=True)
class Received:
    """What a piece of the stream led to.  `fatal`: nothing more can be read; close the connection."""

    messages: list[Message] = field(default_factory=list)
    reply: bytes = b""
    fatal: bool = False


@dataclass
class _Units:
    """What a registration says of the units of detections that do not say it themselves."""

    range_bearing: int = 0
    location: int = 0
    zone: str = ""


class FusionNode:
    """The receiving end of one connection.  `counts`: messages by kind; `heard_t_ns`: each sensor's last report."""

    def __init__(self, stations: Sequence[Station], gate: Gate, *, name: str = "opencram") -> None:
        self._stations = {station.node_id: station for station in numbered(stations)}
        self._gate = gate
        self._id = node_id(name)
        self._deframer = Deframer()
        self._class = schema.message_class()
        self._decode_error = schema.decode_error()
        self._units: dict[str, _Units] = {}
        self._told: dict[str, str] = {}
        self._number = 0
        self.counts: Counter[str] = Counter()
        self.heard_t_ns: dict[str, int] = {}
        self._takers: Mapping[str, Callable[[list[Message], Any, int, Station | None], Any]] = {
            "registration": self._take_registration,
            "status_report": self._take_status,
            "detection_report": self._take_detection,
            "alert": self._take_alert,
            "task": self._take_task,
            "error": self._take_error,
        }

    def receive(self, piece: bytes) -> Received:
        """Return what the next bytes of the connection lead to."""
        out: list[Message] = []
        reply = b""
        for frame in self._deframer.feed(piece):
            reply += self._take_frame(out, frame)
        fault = self._deframer.fault
        if fault:
            self._refuse(out, Refusal("not_sapient", f"the stream holds {fault}"))
        return Received(out, reply, fatal=bool(fault))

    def finish(self) -> list[Message]:
        """Return what the end of the connection means for a message that was not whole."""
        out: list[Message] = []
        if self._deframer.waiting:
            words = f"the connection ended within a message, after {self._deframer.waiting} bytes of it"
            self._refuse(out, Refusal("truncated", words))
            self._deframer = Deframer()
        return out

    def _take_frame(self, out: list[Message], frame: bytes) -> bytes:
        self._number += 1
        message = self._class()
        try:
            message.ParseFromString(frame)
        except (self._decode_error, RecursionError):
            self.counts["malformed"] += 1
            self._refuse(out, Refusal("malformed", f"message {self._number} is not a SAPIENT message"))
            return b""
        kind = message.WhichOneof("content") or "nothing"
        self.counts[kind] += 1
        t_ns = message.timestamp.seconds * 10**9 + message.timestamp.nanos
        if not message.HasField("timestamp"):
            self._refuse(out, Refusal("time", f"message {self._number} ({kind}) has no timestamp"))
            return b""
        station = self._stations.get(message.node_id.lower())
        taker = self._takers.get(kind)
        if taker is None:  # acknowledgements of what we sent
            return b""
        answer = taker(out, message, t_ns, station)
        if answer is None:
            return b""
        answer.timestamp.CopyFrom(message.timestamp)
        answer.node_id = self._id
        answer.destination_id = message.node_id
        return framed(answer.SerializeToString(deterministic=True))

    # ---- what sensors send ----

    def _take_registration(self, out: list[Message], message: Any, t_ns: int, station: Station | None) -> Any:
        answer = self._class()
        told = message.registration
        reasons: list[str] = []
        if station is None:
            reasons.append(f"the site has no sensor with the node id {message.node_id[:40]}")
        if told.icd_version and "335" not in told.icd_version:
            reasons.append(f"this node speaks {schema.ICD_VERSION}")
        answer.registration_ack.acceptance = not reasons
        answer.registration_ack.ack_response_reason.extend(reasons)
        for reason in reasons:
            self._refuse(out, Refusal("registration", reason, t_ns))
        if station is not None and not reasons:
            units = _Units()
            for mode in told.mode_definition:
                for detection in mode.detection_definition:
                    units.range_bearing = detection.location_type.range_bearing_units or units.range_bearing
                    units.location = detection.location_type.location_units or units.location
                    units.zone = detection.location_type.zone or units.zone
            self._units[station.id] = units
            self._tell(out, t_ns, station, "ok", "the sensor has registered")
        return answer

    def _take_status(self, out: list[Message], message: Any, t_ns: int, station: Station | None) -> None:
        if station is None:
            self._unknown(out, message, t_ns)
            return
        told = message.status_report
        self.heard_t_ns[station.id] = t_ns
        state, words = _STATES.get(told.system, ("ok", "the sensor does not say how it is"))
        faults = [one.status_value for one in told.status if one.status_level >= 3 and one.status_value]
        if faults and state != "ok":
            words += ": " + "; ".join(text[:80] for text in faults[:3])
        away_m = self._away_m(told, station)
        if state == "ok" and away_m > PLACE_M_MAX:
            state, words = "degraded", "the sensor says that it stands elsewhere than the site file has it"
        self._tell(out, t_ns, station, state, words)

    def _away_m(self, told: Any, station: Station) -> float:
        units = self._units.get(station.id, _Units())
        if not told.HasField("node_location"):
            return 0.0
        found = geodetic(told.node_location, units.location, units.zone, station.geoid_m)
        if isinstance(found, Refusal):
            return 0.0
        north = found[0] - station.latitude_rad
        east = math.remainder(found[1] - station.longitude_rad, 2.0 * math.pi) * math.cos(found[0])
        return _EARTH_M * math.hypot(north, east)

    def _take_detection(self, out: list[Message], message: Any, t_ns: int, station: Station | None) -> None:
        if station is None:
            self._unknown(out, message, t_ns)
            return
        told = message.detection_report
        self.heard_t_ns[station.id] = t_ns
        units = self._units.get(station.id, _Units())
        form = told.WhichOneof("location_oneof")
        if form == "range_bearing":
            place = from_range_bearing(told.range_bearing, units.range_bearing)
        elif form == "location":
            place = from_location(told.location, units.location, units.zone, station)
        else:
            place = Refusal("no_position", "the detection says not where it is")
        if told.state.lower() in ("lost", "object lost"):
            place = Refusal("not_plot", "the report tells of a track's end, not of a detection")
        if isinstance(place, Refusal):
            self._refuse(out, Refusal(place.code, place.reason, t_ns, station.id))
            return
        rate, snr = _object_info(told)
        self._gate.take(
            out,  # type: ignore[arg-type]
            self._number,
            t_ns,
            station.id,
            place.range_m,
            place.azimuth_deg,
            place.elevation_deg,
            None if rate is None else rate * station.doppler_sign,
            snr,
            place.range_m_std,
            place.azimuth_deg_std,
            place.elevation_deg_std,
        )

    def _take_alert(self, out: list[Message], message: Any, t_ns: int, station: Station | None) -> Any:
        told = message.alert
        if station is not None and told.alert_type in (4, 5):  # error, fatal
            self._tell(out, t_ns, station, "degraded", f"the sensor raises an alert: {told.description[:80]}")
        answer = self._class()
        answer.alert_ack.alert_id = told.alert_id
        answer.alert_ack.alert_ack_status = 1  # accepted
        return answer

    def _take_task(self, out: list[Message], message: Any, t_ns: int, station: Station | None) -> Any:
        del out, t_ns, station
        answer = self._class()
        answer.task_ack.task_id = message.task.task_id
        answer.task_ack.task_status = 2  # rejected
        answer.task_ack.reason.append("this node takes no tasks")
        return answer

    def _take_error(self, out: list[Message], message: Any, t_ns: int, station: Station | None) -> None:
        words = "; ".join(text[:80] for text in message.error.error_message[:3])
        where = station.id if station else ""
        self._refuse(out, Refusal("peer_error", f"the peer could not read what we sent: {words}", t_ns, where))

    # ---- words ----

    def _unknown(self, out: list[Message], message: Any, t_ns: int) -> None:
        words = f"the site has no sensor with the node id {message.node_id[:40]!a}"
        self._refuse(out, Refusal("unknown_sensor", words, t_ns))

    def _refuse(self, out: list[Message], refusal: Refusal) -> None:
        self._gate.refuse(out, self._number, refusal)  # type: ignore[arg-type]

    def _tell(self, out: list[Message], t_ns: int, station: Station, state: Any, words: str) -> None:
        if self._told.get(station.id, "ok") != state:
            out.append(Health(t_ns=t_ns, part=f"sensor:{station.id}/status", state=state, reason=words))
        self._told[station.id] = state


def _object_info(told: Any) -> tuple[float | None, float | None]:
    """Return range rate and signal-to-noise ratio, where the object information has them."""
    rate = snr = None
    for one in told.object_info:
        name = one.type.lower().replace("_", "").replace(" ", "")
        try:
            value = float(one.value)
        except ValueError:
            continue
        if name in _RATES and math.isfinite(value):
            rate = value
        elif name in _SNRS and math.isfinite(value):
            snr = value
    return rate, snr
