"""Is a CAP 1.2 message right?  What the schema says, and what it cannot say.

    faults = check(xml, earlier=[xml of the messages before it, in order], schema="CAP-v1.2.xsd")

The schema accepts nonsense: polygons that are open or have longitude first, an expiry before the sending,
updates of nothing, languages that contradict each other.  These rules are of our own.  Nothing outside the
message is ever read: entities and external documents stay closed.  Needs lxml (`opencram[live]`).
"""

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

NAMESPACE: Final = "urn:oasis:names:tc:emergency:cap:1.2"
SIGNATURE: Final = "{http://www.w3.org/2000/09/xmldsig#}Signature"
BYTES_MAX: Final = 4 * 1024 * 1024

_SAME: Final = ("category", "responseType", "urgency", "severity", "certainty", "effective", "onset", "expires")
_TEXTS: Final = ("event", "headline", "description", "instruction")
_NUMBER: Final = re.compile(r"\d+")
_FORBIDDEN: Final = re.compile(r"[\s,<&]")
_POINT: Final = re.compile(r"-?\d{1,2}(\.\d+)?,-?\d{1,3}(\.\d+)?")


def parse(xml: bytes) -> Any:
    """Return the root of a message; raise ValueError for what is no XML, or holds a document type."""
    from lxml import etree

    if len(xml) > BYTES_MAX:
        raise ValueError(f"it is longer than {BYTES_MAX} bytes")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"it is not XML: {error}") from error
    if root.getroottree().docinfo.doctype:
        raise ValueError("it has a document type, which CAP does not")
    return root


def check(xml: bytes, *, earlier: Sequence[bytes] = (), schema: str | Path | None = None) -> list[str]:
    """Return every fault of a message, a sentence each; none: it is right.

    `earlier`: the messages about the same alarm before it, in order.
    """
    try:
        root = parse(xml)
    except ValueError as error:
        return [str(error)]
    faults = _schema_faults(root, schema) if schema is not None else []
    if root.tag != f"{{{NAMESPACE}}}alert":
        return [*faults, f"its root is {root.tag}, not alert of CAP 1.2"]
    return [*faults, *_head_faults(root), *_reference_faults(root, earlier), *_info_faults(root)]


def _schema_faults(root: Any, path: str | Path) -> list[str]:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    schema = etree.XMLSchema(etree.parse(str(path), parser))
    schema.validate(root)
    return [f"line {error.line}: {error.message}" for error in schema.error_log]


def _text(parent: Any, name: str) -> str:
    return (parent.findtext(f"{{{NAMESPACE}}}{name}") or "").strip()


def _all(parent: Any, name: str) -> list[Any]:
    return list(parent.findall(f"{{{NAMESPACE}}}{name}"))


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _head_faults(root: Any) -> list[str]:
    faults = []
    for name in ("identifier", "sender"):
        if not _text(root, name) or _FORBIDDEN.search(_text(root, name)):
            faults.append(f"{name} {_text(root, name)!r} is empty, or has a space, a comma, < or & in it")
    if _text(root, "status") in ("Exercise", "Test") and not _text(root, "note"):
        faults.append("an exercise has no note that says so")
    if _text(root, "scope") == "Restricted" and not _text(root, "restriction"):
        faults.append("its scope is Restricted, and no restriction says to whom")
    for element in root.iter():
        if isinstance(element.tag, str) and not element.tag.startswith(f"{{{NAMESPACE}}}"):
            if element.tag == SIGNATURE or any(a.tag == SIGNATURE for a in element.iterancestors()):
                continue
            faults.append(f"{element.tag} is no element of CAP 1.2")
    return faults


def _reference_faults(root: Any, earlier: Sequence[bytes]) -> list[str]:
    faults = []
    kind, references = _text(root, "msgType"), _text(root, "references").split()
    if kind in ("Update", "Cancel") and not references:
        faults.append(f"its type is {kind}, and it refers to nothing")
    if kind == "Alert" and references:
        faults.append("its type is Alert, and it refers to earlier messages")
    sent = _time(_text(root, "sent"))
    wanted = []
    for xml in earlier:
        before = parse(xml)
        wanted.append(",".join(_text(before, name) for name in ("sender", "identifier", "sent")))
        if _text(before, "identifier") == _text(root, "identifier"):
            faults.append(f"its identifier {_text(root, 'identifier')} is that of an earlier message")
        if _text(before, "status") != _text(root, "status"):
            faults.append(f"its status is {_text(root, 'status')}, that of an earlier one {_text(before, 'status')}")
    faults += [f"it does not refer to {reference}" for reference in wanted if reference not in references]
    if len(set(references)) != len(references):
        faults.append("it refers twice to one message")
    for reference in references:
        parts = reference.split(",")
        when = _time(parts[2]) if len(parts) == 3 else None
        if when is None:
            faults.append(f"reference {reference} is not sender,identifier,sent")
        elif sent is not None and when.tzinfo is not None and sent.tzinfo is not None and when > sent:
            faults.append(f"it refers to {reference}, which was sent after it")
    return faults


def _info_faults(root: Any) -> list[str]:
    infos = _all(root, "info")
    if not infos:
        return ["it has no info block: nobody is told anything"]
    faults = []
    sent, first = _time(_text(root, "sent")), infos[0]
    languages = [_text(info, "language") or "en-US" for info in infos]
    if len(set(languages)) != len(languages):
        faults.append(f"a language stands there twice: {', '.join(languages)}")
    for info, language in zip(infos, languages, strict=True):
        expires = _time(_text(info, "expires"))
        if expires is None:
            faults.append(f"{language}: it never expires")
        elif sent is not None and expires <= sent:
            faults.append(f"{language}: it expires at {_text(info, 'expires')}, not after it was sent")
        if _text(root, "msgType") == "Alert" and not _text(info, "instruction"):
            faults.append(f"{language}: nobody is told what to do")
        faults += [
            f"{language}: its {name} is not that of {languages[0]}"
            for name in _SAME
            if [_text(info, name)] != [_text(first, name)]
        ]
        faults += [
            f"{language}: the numbers in its {name} are not those of {languages[0]}"
            for name in _TEXTS
            if sorted(_NUMBER.findall(_text(info, name))) != sorted(_NUMBER.findall(_text(first, name)))
        ]
        if _areas(info) != _areas(first):
            faults.append(f"{language}: its areas are not those of {languages[0]}")
        faults += [f"{language}: {fault}" for fault in _area_faults(info)]
    return faults


def _areas(info: Any) -> list[list[str]]:
    return [[(e.text or "").strip() for e in _all(area, "polygon")] for area in _all(info, "area")]


def _area_faults(info: Any) -> list[str]:
    areas = _all(info, "area")
    if not areas:
        return ["it has no area: nobody knows where"]
    faults = []
    for area in areas:
        if not _all(area, "polygon") and not _all(area, "circle") and not _all(area, "geocode"):
            faults.append(f"area {_text(area, 'areaDesc')} has no polygon, circle or geocode")
        for polygon in _all(area, "polygon"):
            faults += _polygon_faults((polygon.text or "").split())
    return faults


def _polygon_faults(points: Sequence[str]) -> list[str]:
    odd = next((point for point in points if not _POINT.fullmatch(point)), None)
    if odd is not None:
        return [f"{odd} in a polygon is not latitude,longitude in degrees"]
    corners = [(float(p.split(",")[0]), float(p.split(",")[1])) for p in points]
    faults = []
    if len(points) < 4:
        faults.append("a polygon has fewer than three corners")
    elif points[0] != points[-1]:
        faults.append(f"a polygon is open: it begins at {points[0]} and ends at {points[-1]}")
    if any(not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0) for lat, lon in corners):
        faults.append("a polygon has a corner off the globe: latitude comes first")
    twice_area = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(corners))
    if len(points) >= 4 and twice_area == 0.0:
        faults.append("a polygon has no area")
    return faults


def order_faults(xml: bytes, latitude_deg: float, longitude_deg: float, *, degrees_max: float = 2.0) -> list[str]:
    """Return the corners that lie far from the site: most often latitude and longitude were exchanged."""
    faults = []
    for polygon in parse(xml).iter(f"{{{NAMESPACE}}}polygon"):
        for point in (polygon.text or "").split():
            if not _POINT.fullmatch(point):
                continue
            lat, lon = (float(part) for part in point.split(","))
            if abs(lat - latitude_deg) > degrees_max or abs((lon - longitude_deg + 180) % 360 - 180) > degrees_max:
                faults.append(f"corner {point} lies far from the site: is it latitude,longitude?")
    return faults
