"""Cursor on Target: tracks, predicted impacts with their ellipses and warned zones, as TAK clients draw them.

Each event has a uid that stays the same while the thing lasts, so that a newer one replaces it, and a stale time
after which a client lets it go by itself.  What has ended is sent once more, stale at once, with a link that asks
clients to take it off the map (`t-x-d-d`).

Source: MITRE MP090284, Cursor-on-Target Message Router User's Guide (2009), event schema 2.0; circular error `ce` and
linear error `le` are metres, 9999999 where they are not known.
"""

import math
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from typing import Final

from opencram.adapters.cap import CapZone
from opencram.adapters.geojson import axes
from opencram.messages import Impact, Track, Warning

UNKNOWN_M: Final = 9_999_999.0
TRACK_STALE_S: Final = 5.0
# A projectile is hostile and in the air by what it is doing; birds and aircraft are of unknown allegiance.
_TYPES: Final = {"aircraft": "a-u-A", "drone": "a-u-A-M-F-Q", "bird": "a-n-A"}
_PROJECTILE: Final = "a-h-A-W-M"
_IMPACT: Final = "b-m-p-w-GOTO"
_ELLIPSE: Final = "u-d-c-e"
_AREA: Final = "u-d-f"
_DELETE: Final = "t-x-d-d"
_RED, _AMBER, _FILL = "-65536", "-23296", "1090453504"  # ARGB as signed 32-bit numbers: opaque red, amber; a red veil
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Place = tuple[float, float, float]  # latitude (°), longitude (°), height above the ellipsoid (m)


def track_event(track: Track, place: Place, site: str) -> bytes:
    """Return the event of a track at `place`, with course and speed."""
    name, probability = track.classes[0] if track.classes else ("unknown", 0.0)
    kind = _TYPES.get(name, _PROJECTILE)
    east, north, up = track.velocity_enu_m_s
    event = _event(f"{site}.track.{track.track_id}", kind, "m-r", track.t_ns, TRACK_STALE_S)
    _point(event, place, 2.0 * track.position_m_std, 2.0 * track.position_m_std)
    detail = ET.SubElement(event, "detail")
    ET.SubElement(detail, "contact", callsign=f"{name} {track.track_id}")
    course_deg = math.degrees(math.atan2(east, north)) % 360.0
    ET.SubElement(
        detail, "track", course=_number(course_deg, 1), speed=_number(math.hypot(east, north), 1), slope=_slope(track)
    )
    ET.SubElement(
        detail, "remarks"
    ).text = f"{name} {100.0 * probability:.0f} %, {track.plots} plots, climbs {up:.0f} m/s"
    return _bytes(event)


def impact_event(impact: Impact, height_m: float, site: str) -> bytes:
    """Return the predicted impact of a track: a point, and the ellipse that holds it with 95 % probability."""
    length_m, width_m, azimuth_rad = axes(impact)
    stale_s = max((impact.impact_t_ns - impact.t_ns) / 1e9 + 2.0 * impact.impact_time_s_std, 0.0) + TRACK_STALE_S
    event = _event(f"{site}.impact.{impact.track_id}", _ELLIPSE, "m-p", impact.t_ns, stale_s)
    _point(event, (impact.latitude_deg, impact.longitude_deg, height_m), length_m, UNKNOWN_M)
    detail = ET.SubElement(event, "detail")
    ET.SubElement(detail, "contact", callsign=f"impact {impact.track_id}")
    shape = ET.SubElement(detail, "shape")
    ET.SubElement(
        shape,
        "ellipse",
        major=_number(length_m, 1),
        minor=_number(width_m, 1),
        angle=_number(math.degrees(azimuth_rad) % 180.0, 1),
    )
    ET.SubElement(detail, "strokeColor", value=_AMBER)
    left_s = (impact.impact_t_ns - impact.t_ns) / 1e9
    ET.SubElement(detail, "remarks").text = (
        f"predicted impact in {left_s:.1f} s, {100.0 * impact.projectile_probability:.0f} % a projectile; "
        f"95 % within {length_m:.0f} by {width_m:.0f} m"
    )
    ET.SubElement(
        detail, "link", uid=f"{site}.track.{impact.track_id}", type=_PROJECTILE, relation="p-p", parent_callsign=site
    )
    return _bytes(event)


def zone_events(warning: Warning, zone: CapZone, height_m: float, site: str) -> list[bytes]:
    """Return the drawn polygons of a warned zone, stale when the alarm expires; or what takes them off the map."""
    uid = f"{site}.zone.{warning.zone}"
    parts = range(len(zone.polygons))
    if warning.state not in ("issued", "updated"):
        return [_gone(f"{uid}.{part}", _AREA, warning.t_ns) for part in parts]
    stale_s = max((warning.expires_t_ns - warning.t_ns) / 1e9, 1.0)
    events = []
    for part in parts:
        corners = zone.polygons[part]
        latitude = sum(corner[0] for corner in corners) / len(corners)
        longitude = sum(corner[1] for corner in corners) / len(corners)
        event = _event(f"{uid}.{part}", _AREA, "h-e", warning.t_ns, stale_s)
        _point(event, (latitude, longitude, height_m), UNKNOWN_M, UNKNOWN_M)
        detail = ET.SubElement(event, "detail")
        ET.SubElement(detail, "contact", callsign=_clean(f"{warning.advice.upper()}: {zone.name}"))
        for corner in corners if corners[0] == corners[-1] else (*corners, corners[0]):
            ET.SubElement(detail, "link", point=f"{corner[0]:.7f},{corner[1]:.7f}")
        ET.SubElement(detail, "strokeColor", value=_RED)
        ET.SubElement(detail, "fillColor", value=_FILL)
        left = f", {warning.seconds_left:.0f} s left" if warning.seconds_left > 0.0 else ""
        ET.SubElement(detail, "remarks").text = _clean(f"{warning.advice}{left}: {warning.reason}")
        events.append(_bytes(event))
    return events


def track_gone(track: Track, site: str) -> list[bytes]:
    """Return what takes an ended track and its predicted impact off the map."""
    return [
        _gone(f"{site}.track.{track.track_id}", _PROJECTILE, track.t_ns),
        _gone(f"{site}.impact.{track.track_id}", _ELLIPSE, track.t_ns),
    ]


def hello(site: str, t_ns: int) -> bytes:
    """Return the event that says that this system is there; servers want one now and then on a quiet stream."""
    event = _event(f"{site}.ping", "t-x-c-t", "m-g", t_ns, 20.0)
    _point(event, (0.0, 0.0, 0.0), UNKNOWN_M, UNKNOWN_M)
    ET.SubElement(event, "detail")
    return _bytes(event)


def cot_time(t_ns: int) -> str:
    """Return a time as the schema wants it: UTC with milliseconds."""
    second, rest_ns = divmod(min(max(t_ns, 0), 253_402_300_799 * 10**9), 10**9)
    return f"{datetime.fromtimestamp(second, tz=UTC).strftime('%Y-%m-%dT%H:%M:%S')}.{rest_ns // 10**6:03d}Z"


def _event(uid: str, kind: str, how: str, t_ns: int, stale_s: float) -> ET.Element:
    stale_ns = t_ns + round(min(stale_s, 86_400.0) * 1e9) if math.isfinite(stale_s) else t_ns
    return ET.Element(
        "event",
        version="2.0",
        uid=_clean(uid),
        type=kind,
        how=how,
        time=cot_time(t_ns),
        start=cot_time(t_ns),
        stale=cot_time(stale_ns),
    )


def _point(event: ET.Element, place: Place, circular_m: float, linear_m: float) -> None:
    ET.SubElement(
        event,
        "point",
        lat=_number(place[0], 7),
        lon=_number(place[1], 7),
        hae=_number(place[2], 1),
        ce=_number(circular_m, 1, UNKNOWN_M),
        le=_number(linear_m, 1, UNKNOWN_M),
    )


def _gone(uid: str, kind: str, t_ns: int) -> bytes:
    event = _event(f"{uid}.gone", _DELETE, "m-g", t_ns, 1.0)
    _point(event, (0.0, 0.0, 0.0), UNKNOWN_M, UNKNOWN_M)
    detail = ET.SubElement(event, "detail")
    ET.SubElement(detail, "link", uid=_clean(uid), type=kind, relation="p-p")
    ET.SubElement(detail, "__forcedelete")
    return _bytes(event)


def _slope(track: Track) -> str:
    east, north, up = track.velocity_enu_m_s
    return _number(math.degrees(math.atan2(up, math.hypot(east, north))), 1)


def _number(value: float, decimals: int, unknown: float = 0.0) -> str:
    return f"{value if math.isfinite(value) else unknown:.{decimals}f}"


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def _bytes(event: ET.Element) -> bytes:
    """Return the event as one document; on a stream the end tag parts it from the next."""
    document: bytes = ET.tostring(event, encoding="UTF-8", xml_declaration=True)
    return document + b"\n"
