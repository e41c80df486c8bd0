"""What a site file says of people: districts, channels, habits of a zone, costs of a warning, and zones from KML."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import Any, Final

from opencram.config.model import AlarmChannel, District, Site
from opencram.config.table import MISSING, POSITIVE, PROBABILITY, Findings, Limits, Table

# Assumptions, round and generic, from no standard: a siren sounds at once and takes a second to be understood, an app's
# push takes a few, cell broadcast about ten from the request to the handset.  A site should measure its own.
USUAL_CHANNELS: Final = (
    AlarmChannel(id="siren", latency_s=1.0),
    AlarmChannel(id="app", latency_s=4.0),
    AlarmChannel(id="cell_broadcast", latency_s=10.0),
)
ZONE_KEYS: Final = (
    *("id", "name", "population", "shelter_time_s", "parent", "warning_probability", "alarm_channel", "presence"),
    *("outdoor_share", "shelter_distance_m", "walking_speed_m_s", "children_share", "elderly_share"),
)
_DESCRIBE: Final = "describe it under [[alarm_channel]]"
_SHARE: Final = Limits(at_least=0.0, at_most=1.0)
_SPEED_M_S: Final = Limits(at_least=0.2, at_most=5.0)
_LATENCY_S: Final = Limits(at_least=0.0, at_most=600.0)
_HOURS: Final = Limits(at_least=-12.0, at_most=14.0)
_KML_NUMBERS: Final = (
    *("population", "shelter_time_s", "warning_probability", "outdoor_share", "presence", "shelter_distance_m"),
    *("walking_speed_m_s", "children_share", "elderly_share"),
)


def zone_habits(table: Table) -> dict[str, Any]:
    """Return the fields of a zone that a site file may leave out."""
    return {
        "parent": table.string("parent", "give the id of the zone's [[district]]", default=""),
        "warning_probability": table.optional_number(
            "warning_probability", PROBABILITY, "give the probability at which this zone is warned"
        ),
        "alarm_channel": table.string("alarm_channel", "give the id of an alarm channel", default=""),
        "presence": _by_hour(table, "presence", "give the share of the people who are there"),
        "outdoor_share": _by_hour(table, "outdoor_share", "give the share of the people who are outdoors"),
        "shelter_distance_m": table.optional_number(
            "shelter_distance_m", POSITIVE, "give the mean way to shelter in metres"
        ),
        "walking_speed_m_s": table.number("walking_speed_m_s", _SPEED_M_S, "give the speed of adults", default=1.4),
        "children_share": table.number("children_share", _SHARE, "give the share of children", default=0.0),
        "elderly_share": table.number("elderly_share", _SHARE, "give the share of old people", default=0.0),
    }


def _by_hour(table: Table, key: str, remedy: str) -> tuple[float, ...]:
    """Return a share as one number, or 24 by local hour; nothing where the key is absent."""
    table.knows(key)
    value = table.values.get(key, MISSING)
    if value is MISSING:
        return ()
    if not isinstance(value, list):
        return (table.number(key, _SHARE, remedy),)
    numbers = [each for each in value if isinstance(each, int | float) and not isinstance(each, bool)]
    if len(value) != 24 or len(numbers) != 24 or not all(_SHARE.hold(float(each)) for each in numbers):
        table.fault(key, value, "must be one share from 0 to 1, or 24 by local hour", remedy)
        return ()
    return tuple(float(each) for each in numbers)


def warning_habits(table: Table) -> dict[str, Any]:
    """Return the fields of `[warning]` about channels, costs and local time."""
    return {
        "alarm_channel": table.string("alarm_channel", "give the id of an alarm channel", default=""),
        "missed_casualty_min": table.optional_number(
            "missed_casualty_min", POSITIVE, "give the person-minutes that one casualty averted is worth"
        ),
        "needless_alarm_min": table.number(
            "needless_alarm_min", POSITIVE, "give the minutes that an alarm in vain costs a person", default=6.0
        ),
        "hours_ahead_of_utc": table.number("hours_ahead_of_utc", _HOURS, "give the hours of local time", default=0.0),
    }


def districts(root: Table) -> tuple[District, ...]:
    """Return the districts of a site."""
    found = []
    for table in root.tables("district", "write each district under [[district]]"):
        identity = table.string("id", "give each a short id of its own, in quotation marks")
        name = table.string("name", "give the district's name as people say it", default=identity)
        parent = table.string("parent", "give the id of the district it belongs to", default="")
        found.append(District(id=identity, name=name, parent=parent))
        table.done()
    return tuple(found)


def alarm_channels(root: Table) -> tuple[AlarmChannel, ...]:
    """Return the channels of a site: the usual ones, and those that it describes, which go before them."""
    found = []
    for table in root.tables("alarm_channel", "write each channel under [[alarm_channel]]"):
        identity = table.string("id", "give each a short id of its own, in quotation marks")
        latency_s = table.number("latency_s", _LATENCY_S, "give the seconds until people hear it")
        found.append(AlarmChannel(id=identity, latency_s=latency_s))
        table.done()
    named = {each.id for each in found}
    return (*found, *(each for each in USUAL_CHANNELS if each.id not in named))


def judge_references(site: Site, findings: Findings) -> None:
    """Blame a parent or a channel that is none, an id that two regions share, and districts that hold themselves."""
    parents = {each.id: each.parent for each in site.districts}
    known = {each.id for each in site.alarm_channels}
    zones = {each.id for each in site.zones}
    for index, district in enumerate(site.districts):
        place = f"$.district[{index}]"
        if district.id in zones or sum(each.id == district.id for each in site.districts) > 1:
            findings.fault(f"{place}.id", district.id, "must be unique among zones and districts", "give another id")
        _judge_parent(f"{place}.parent", district.parent, parents, findings)
        above, steps = district.parent, 0
        while above and steps <= len(parents):
            above, steps = parents.get(above, ""), steps + 1
        if steps > len(parents):
            findings.fault(f"{place}.parent", district.parent, "must not lead back to the district", "mend the parents")
    for index, zone in enumerate(site.zones):
        _judge_parent(f"$.zone[{index}].parent", zone.parent, parents, findings)
        if zone.alarm_channel and zone.alarm_channel not in known:
            findings.fault(
                f"$.zone[{index}].alarm_channel",
                zone.alarm_channel,
                _one_of(known),
                _DESCRIBE,
            )
        if zone.children_share + zone.elderly_share > 1.0:
            both = zone.children_share + zone.elderly_share
            findings.fault(f"$.zone[{index}].elderly_share", both, "with children_share must be <= 1", "mend one")
    if site.warnings.alarm_channel and site.warnings.alarm_channel not in known:
        findings.fault(
            "$.warning.alarm_channel",
            site.warnings.alarm_channel,
            _one_of(known),
            _DESCRIBE,
        )


def _judge_parent(place: str, parent: str, parents: dict[str, str], findings: Findings) -> None:
    if parent and parent not in parents:
        findings.fault(place, parent, "must be the id of a [[district]]", "describe the district, or mend the id")


def _one_of(names: set[str]) -> str:
    return "must be one of " + ", ".join(sorted(names))


def kind_of(file: str) -> str:
    """Return what a zones file should be, by its name."""
    return "KML" if file.lower().endswith(".kml") else "JSON"


def features_of_kml(text: str) -> dict[str, Any]:
    """Return the placemarks of a KML file as a GeoJSON document; raise `ValueError` if it is not KML.

    The id is the placemark's, or its name; numbers are taken from its `ExtendedData`.  A document that declares
    entities is refused: it may be a bomb.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("it declares a document type; save it without")
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise ValueError(str(error)) from error
    marks = [each for each in root.iter() if _tag(each) == "Placemark"]
    return {"type": "FeatureCollection", "features": [_placemark(mark) for mark in marks]}


def _tag(element: ET.Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def _first(element: ET.Element, *names: str) -> ET.Element | None:
    """Return the first descendant found by following the names down."""
    for name in names:
        below = next((each for each in element.iter() if _tag(each) == name), None)
        if below is None:
            return None
        element = below
    return element


def _placemark(mark: ET.Element) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for data in mark.iter():
        if _tag(data) not in ("Data", "SimpleData"):
            continue
        value = _first(data, "value") if _tag(data) == "Data" else data
        text = (value.text or "").strip() if value is not None else ""
        properties[data.get("name", "")] = _number(text) if data.get("name") in _KML_NUMBERS else text
    name = next(((each.text or "").strip() for each in mark if _tag(each) == "name"), "")
    properties.setdefault("name", name)
    properties.setdefault("id", mark.get("id") or name)
    parts = [_part(each) for each in mark.iter() if _tag(each) == "Polygon"]
    geometry: dict[str, Any] | None = None
    if parts:
        geometry = {"type": "MultiPolygon", "coordinates": parts}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def _part(polygon: ET.Element) -> list[Sequence[list[Any]]]:
    """Return the outer ring of a polygon, and its holes after it."""
    return [
        _ring(_first(boundary, "coordinates"))
        for side in ("outerBoundaryIs", "innerBoundaryIs")
        for boundary in polygon.iter()
        if _tag(boundary) == side
    ]


def _ring(coordinates: ET.Element | None) -> Sequence[list[Any]]:
    words = ((coordinates.text or "") if coordinates is not None else "").split()
    return [[_number(part) for part in word.split(",")[:2]] for word in words]


def _number(text: str) -> Any:
    """Return a number where the text is one, else the text, which is then blamed where it is used."""
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() else value
