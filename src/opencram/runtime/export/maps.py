"""Flown paths, predicted impacts and alarms of a recording on maps: GeoJSON, KML 2.2 and CZML.

Sources: RFC 7946 (GeoJSON); OGC 12-007r2, KML 2.3, and its gx:Track; the CZML structure of the CesiumJS wiki.
"""

import json
import math
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from opencram.adapters.geojson import alarm_feature, collection, ellipse, impact_feature
from opencram.adapters.times import rfc3339
from opencram.earth.geodesy import Frame, geodetic_from_enu
from opencram.messages import Impact, Track, Warning
from opencram.recording import read, read_header
from opencram.runtime.fittings import zones_of
from opencram.runtime.replay import site_of

_KML: Final = "http://www.opengis.net/kml/2.2"
_GX: Final = "http://www.google.com/kml/ext/2.2"
_STYLES: Final = (  # colours as KML has them: opacity, blue, green, red
    ("path", "ff0000ff", ""),
    ("impact", "ff00a5ff", "4000a5ff"),
    ("alarm", "ff0000ff", "400000ff"),
)
_OVER: Final = ("cancelled", "all_clear", "expired")

Point = tuple[float, float, float]  # longitude, latitude (°), height above the ellipsoid (m)


@dataclass
class Path3:
    """A flown path: times and places, and what it was last taken for."""

    track_id: int
    t_ns: list[int] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    name: str = ""
    probability: float = 0.0
    ended: str = ""


@dataclass
class Alarm:
    """An alarm from its issue to its end; `until_t_ns` is its expiry where nobody ended it."""

    first: Warning
    last: Warning
    until_t_ns: int
    rings: list[list[list[float]]]


@dataclass
class Drawn:
    """What of a recording is drawn."""

    site: str
    paths: list[Path3]
    impacts: list[Impact]
    alarms: list[Alarm]
    features: list[dict[str, Any]]  # of the alarms


def gather(recording: str) -> Drawn:
    """Return what of a recording is drawn: confirmed tracks, the last prediction for each, alarms."""
    site = site_of(recording, read_header(recording))
    frame = Frame(site.latitude_rad, site.longitude_rad, site.height_m)
    tracks: dict[int, list[Track]] = {}
    impacts: dict[int, Impact] = {}
    first: dict[int, Warning] = {}
    last: dict[int, Warning] = {}
    for message in read(recording):
        if isinstance(message, Track) and (message.status == "confirmed" or message.track_id in tracks):
            tracks.setdefault(message.track_id, []).append(message)
        elif isinstance(message, Impact):
            impacts[message.track_id] = message
        elif isinstance(message, Warning):
            first.setdefault(message.alarm_id, message)
            last[message.alarm_id] = message
    zones = zones_of(site)
    alarms, features = [], []
    for alarm_id, issued in first.items():
        ended = last[alarm_id]
        feature = alarm_feature(ended, zones.get(ended.zone))
        feature["properties"]["issued"] = rfc3339(issued.t_ns)
        features.append(feature)
        polygons = feature["geometry"]["coordinates"] if feature["geometry"] else []
        until_ns = ended.t_ns if ended.state in _OVER else ended.expires_t_ns
        alarms.append(Alarm(issued, ended, until_ns, [polygon[0] for polygon in polygons]))
    paths = [_path(frame, track_id, each) for track_id, each in tracks.items()]
    return Drawn(site.name, paths, [impacts[k] for k in tracks if k in impacts], alarms, features)


def _path(frame: Frame, track_id: int, told: Sequence[Track]) -> Path3:
    made = Path3(track_id)
    flown = [track for track in told if all(map(math.isfinite, track.position_enu_m))]
    if flown:
        places = geodetic_from_enu(frame, np.array([track.position_enu_m for track in flown]))
        degrees = zip(np.degrees(places[1]).tolist(), np.degrees(places[0]).tolist(), places[2].tolist(), strict=True)
        for track, (longitude, latitude, height) in zip(flown, degrees, strict=True):
            if not made.t_ns or track.t_ns > made.t_ns[-1]:
                made.t_ns.append(track.t_ns)
                made.points.append((round(longitude, 7), round(latitude, 7), round(height, 2)))
    made.name, made.probability = told[-1].classes[0] if told[-1].classes else ("unknown", 0.0)
    made.ended = told[-1].reason
    return made


# ---- GeoJSON


def write_geojson(recording: str, path: Path) -> int:
    """Write paths as lines with heights, impacts with ellipses, alarms; return how many features."""
    drawn = gather(recording)
    features: list[Any] = []
    for each in drawn.paths:
        line = len(each.points) > 1
        shape = {"type": "LineString" if line else "Point"}
        coordinates = [list(p) for p in each.points] if line else list(each.points[0]) if each.points else None
        features.append(
            {
                "type": "Feature",
                "id": f"track-{each.track_id}",
                "geometry": shape | {"coordinates": coordinates} if coordinates else None,
                "properties": {
                    "kind": "track",
                    "track": each.track_id,
                    "class": each.name,
                    "probability": round(each.probability, 4),
                    "times": [rfc3339(t) for t in each.t_ns],
                    "ended": each.ended,
                },
            }
        )
    features += [impact_feature(impact) for impact in drawn.impacts]
    features += drawn.features
    path.write_text(json.dumps(collection(features), ensure_ascii=False, allow_nan=False), encoding="utf-8")
    return len(features)


# ---- KML


def write_kml(recording: str, path: Path) -> int:
    """Write paths that move with the time slider, impacts and alarms; return how many placemarks."""
    drawn = gather(recording)
    ET.register_namespace("", _KML)
    ET.register_namespace("gx", _GX)
    root = ET.Element(f"{{{_KML}}}kml")
    document = _sub(root, "Document")
    _sub(document, "name", drawn.site)
    for name, line, fill in (
        ("path", "ff0000ff", ""),
        ("impact", "ff00a5ff", "4000a5ff"),
        ("alarm", "ff0000ff", "400000ff"),
    ):
        style = _sub(document, "Style")
        style.set("id", name)
        _sub(_sub(style, "LineStyle"), "color", line)
        if fill:
            _sub(_sub(style, "PolyStyle"), "color", fill)
    folders = {name: _sub(document, "Folder") for name in ("Tracks", "Predicted impacts", "Alarms")}
    for name, folder in folders.items():
        _sub(folder, "name", name)
    for each in drawn.paths:
        text = f"{each.name} {100.0 * each.probability:.0f} %, ended: {each.ended or 'no'}"
        placemark = _placemark(folders["Tracks"], f"track {each.track_id}", text, "path")
        track = ET.SubElement(placemark, f"{{{_GX}}}Track")
        _sub(track, "altitudeMode", "absolute")
        for t_ns in each.t_ns:
            _sub(track, "when", rfc3339(t_ns))
        for longitude, latitude, height in each.points:
            ET.SubElement(track, f"{{{_GX}}}coord").text = f"{longitude} {latitude} {height}"
    for impact in drawn.impacts:
        placemark = _placemark(folders["Predicted impacts"], f"impact {impact.track_id}", "95 % ellipse", "impact")
        _span(placemark, impact.t_ns, impact.impact_t_ns)
        _polygon(placemark, ellipse(impact))
    for alarm in drawn.alarms:
        name = f"alarm {alarm.first.alarm_id}: {alarm.first.zone}"
        placemark = _placemark(folders["Alarms"], name, alarm.last.reason, "alarm")
        _span(placemark, alarm.first.t_ns, alarm.until_t_ns)
        several = _sub(placemark, "MultiGeometry")
        for ring in alarm.rings:
            _polygon(several, ring)
    ET.ElementTree(root).write(path, encoding="UTF-8", xml_declaration=True)
    return len(drawn.paths) + len(drawn.impacts) + len(drawn.alarms)


def _sub(parent: ET.Element, name: str, text: str | None = None) -> ET.Element:
    made = ET.SubElement(parent, f"{{{_KML}}}{name}")
    made.text = text
    return made


def _placemark(folder: ET.Element, name: str, text: str, style: str) -> ET.Element:
    placemark = _sub(folder, "Placemark")
    _sub(placemark, "name", name)
    _sub(placemark, "description", text)
    _sub(placemark, "styleUrl", f"#{style}")
    return placemark


def _span(placemark: ET.Element, begin_ns: int, end_ns: int) -> None:
    span = ET.Element(f"{{{_KML}}}TimeSpan")
    _sub(span, "begin", rfc3339(begin_ns))
    _sub(span, "end", rfc3339(max(begin_ns, end_ns)))
    placemark.insert(2, span)  # the schema wants it before the style


def _polygon(parent: ET.Element, ring: Sequence[Sequence[float]]) -> None:
    boundary = _sub(_sub(_sub(parent, "Polygon"), "outerBoundaryIs"), "LinearRing")
    _sub(boundary, "coordinates", " ".join(f"{corner[0]},{corner[1]}" for corner in ring))


# ---- CZML


def write_czml(recording: str, path: Path) -> int:
    """Write packets that move with the clock; return how many, the head not counted."""
    drawn = gather(recording)
    times = [t for each in drawn.paths for t in each.t_ns] + [alarm.first.t_ns for alarm in drawn.alarms]
    begin_ns, end_ns = min(times, default=0), max([*times, *(alarm.until_t_ns for alarm in drawn.alarms)], default=0)
    interval = _interval(begin_ns, end_ns)
    clock = {"interval": interval, "currentTime": rfc3339(begin_ns), "multiplier": 1, "range": "LOOP_STOP"}
    packets: list[dict[str, Any]] = [{"id": "document", "name": drawn.site, "version": "1.0", "clock": clock}]
    for each in drawn.paths:
        if not each.points:
            continue
        first_ns = each.t_ns[0]
        samples: list[float] = []
        for t_ns, point in zip(each.t_ns, each.points, strict=True):
            samples += [(t_ns - first_ns) / 1e9, *point]
        packets.append(
            {
                "id": f"track-{each.track_id}",
                "name": f"{each.name} {each.track_id}",
                "availability": _interval(first_ns, each.t_ns[-1]),
                "position": {
                    "epoch": rfc3339(first_ns),
                    "cartographicDegrees": samples,
                    "interpolationAlgorithm": "LINEAR",
                },
                "point": {"pixelSize": 8, "color": {"rgba": [255, 0, 0, 255]}},
                "path": {"width": 2, "material": {"solidColor": {"color": {"rgba": [255, 0, 0, 160]}}}},
            }
        )
    for impact in drawn.impacts:
        flat = [number for corner in ellipse(impact) for number in (*corner, 0.0)]
        packets.append(_area(f"impact-{impact.track_id}", flat, impact.t_ns, impact.impact_t_ns, (255, 165, 0)))
    for alarm in drawn.alarms:
        for number, ring in enumerate(alarm.rings):
            flat = [value for corner in ring for value in (corner[0], corner[1], 0.0)]
            name = f"alarm-{alarm.first.alarm_id}-{number}"
            packets.append(_area(name, flat, alarm.first.t_ns, alarm.until_t_ns, (255, 0, 0)))
    path.write_text(json.dumps(packets, ensure_ascii=False, allow_nan=False), encoding="utf-8")
    return len(packets) - 1


def _area(name: str, flat: list[float], begin_ns: int, end_ns: int, colour: tuple[int, int, int]) -> dict[str, Any]:
    return {
        "id": name,
        "name": name,
        "availability": _interval(begin_ns, max(begin_ns, end_ns)),
        "polygon": {
            "positions": {"cartographicDegrees": flat},
            "material": {"solidColor": {"color": {"rgba": [*colour, 90]}}},
            "heightReference": "CLAMP_TO_GROUND",
        },
    }


def _interval(begin_ns: int, end_ns: int) -> str:
    return f"{rfc3339(begin_ns)}/{rfc3339(end_ns)}"
