"""CAP 1.2 out: the life of an alarm as alert, updates, and a cancel or an all-clear.

    book = CapBook(config, zones)
    for warning in warnings:
        message = book.take(warning)       # .identifier, .xml, .file_name

One `CapBook` sees every `Warning` in order and remembers what was sent of each alarm that lives, so that an
update refers to all earlier messages.  Identifiers come from the warnings alone: the same warnings, seen
again after a restart, give the same messages, and whoever has one already knows it.

- issued → Alert; updated → Update; cancelled → Cancel; all clear → Update whose response is AllClear.
- One info block for each language; all but the texts is the same in all of them.
- `Exercise` unless the configuration says `Actual` *and* the plots are live ones of real radars.

Times are whole seconds with a numeric offset, as the schema wants them; `sent` is rounded down and `expires` up.
Source: OASIS Common Alerting Protocol Version 1.2, 2010.
"""

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from opencram.adapters.words import Language
from opencram.messages import Warning

NAMESPACE: Final = "urn:oasis:names:tc:emergency:cap:1.2"
EXERCISE_NOTE: Final = "Exercise: no real danger; take no action beyond that of the exercise."
TEST_NOTE: Final = "Test of the equipment: no danger, no exercise; disregard this message."
TEST_WORDS: Final = "TEST ONLY, NO DANGER. "
_NOTES: Final = {"Exercise": EXERCISE_NOTE, "Test": TEST_NOTE}
# Round figures of this program: from here on a probability counts as likely (the standard says "~50%").
LIKELY: Final = 0.5

Status = Literal["Actual", "Exercise", "Test"]
Source = Literal["live", "process", "simulation", "replay"]

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_NAME: Final = re.compile(r"[^A-Za-z0-9._@-]+")
_MESSAGE_TYPES: Final = {"issued": "Alert", "updated": "Update", "cancelled": "Cancel", "all_clear": "Update"}


@dataclass(frozen=True, kw_only=True)
class CapConfig:
    """Who sends, in which languages, and whether it is meant.

    `status` is what the site file asks for; `source` is where the plots come from and `simulated` whether any of
    them is of a simulated target.  `prefix` begins every identifier.
    """

    sender: str
    sender_name: str
    languages: tuple[Language, ...]
    status: Status = "Exercise"
    source: Source = "live"
    simulated: bool = False
    scope: Literal["Public", "Restricted", "Private"] = "Public"
    restriction: str = ""
    contact: str = ""
    web: str = ""
    prefix: str = "opencram"

    @property
    def real_status(self) -> Status:
        """`Actual` only if the site asks for it and real radars are live; `Test` if asked for; else `Exercise`."""
        if self.status == "Test":
            return "Test"
        meant = self.status == "Actual" and self.source == "live" and not self.simulated
        return "Actual" if meant else "Exercise"


@dataclass(frozen=True)
class CapZone:
    """A zone: its id, its name as people say it, and its polygons, corners as latitude and longitude in degrees."""

    id: str
    name: str
    polygons: tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True, kw_only=True)
class CapMessage:
    """One CAP message.  `reference` is how later messages name it."""

    identifier: str
    reference: str
    warning: Warning
    xml: bytes

    @property
    def file_name(self) -> str:
        """A name that sorts by time of issue of its alarm, then by order."""
        return f"{self.identifier}.xml"


@dataclass
class CapBook:
    """What was sent of each alarm that lives."""

    config: CapConfig
    zones: Mapping[str, CapZone]
    _sent: dict[int, list[str]] = field(default_factory=dict)
    _began_t_ns: dict[int, int] = field(default_factory=dict)

    def take(self, warning: Warning) -> CapMessage | None:
        """Return the message that tells this warning, or None for one that tells people nothing (`expired`)."""
        message_type = _MESSAGE_TYPES.get(warning.state)
        earlier = self._sent.setdefault(warning.alarm_id, [])
        if message_type is None:
            self._forget(warning.alarm_id)
            return None
        if not earlier:
            self._began_t_ns[warning.alarm_id] = warning.t_ns
            if warning.state == "updated":
                message_type = "Alert"  # the alarm is older than this book: whoever hears it first is alerted
        began_ms = self._began_t_ns.get(warning.alarm_id, warning.t_ns) // 1_000_000
        identifier = f"{_name(self.config.prefix)}-{began_ms}-{warning.alarm_id}-{len(earlier) + 1}"
        sender, sent = _name(self.config.sender), cap_time(warning.t_ns)
        if message_type == "Alert" or earlier:
            alert = _alert(self.config, self._zone(warning), warning, message_type, (identifier, sent), earlier)
            ET.register_namespace("", NAMESPACE)  # each time: the feed of alarms gives the empty prefix to Atom
            xml: bytes = ET.tostring(alert, encoding="UTF-8", xml_declaration=True)
        else:
            self._forget(warning.alarm_id)
            return None  # the end of an alarm that nobody heard of
        reference = f"{sender},{identifier},{sent}"
        if warning.state in ("cancelled", "all_clear"):
            self._forget(warning.alarm_id)
        else:
            earlier.append(reference)
        return CapMessage(identifier=identifier, reference=reference, warning=warning, xml=xml)

    def remembered(self) -> tuple[dict[int, list[str]], dict[int, int]]:
        """Return what was sent of each alarm that lives, and when it began, for `remember` of another book."""
        return {alarm_id: list(sent) for alarm_id, sent in self._sent.items()}, dict(self._began_t_ns)

    def remember(self, sent: Mapping[int, Sequence[str]], began_t_ns: Mapping[int, int]) -> None:
        """Go on where another book was."""
        self._sent = {alarm_id: list(each) for alarm_id, each in sent.items()}
        self._began_t_ns = dict(began_t_ns)

    def _zone(self, warning: Warning) -> CapZone:
        own = self.zones.get(warning.zone)
        if own is not None and not warning.zones:
            return own
        parts = [self.zones[zone] for zone in warning.zones if zone in self.zones]
        polygons = tuple(polygon for part in parts for polygon in part.polygons)
        return CapZone(warning.zone, own.name if own else warning.zone, polygons or (own.polygons if own else ()))

    def _forget(self, alarm_id: int) -> None:
        self._sent.pop(alarm_id, None)
        self._began_t_ns.pop(alarm_id, None)


def cap_time(t_ns: int, *, up: bool = False) -> str:
    """Return a time as the schema wants it: whole seconds (rounded down, or up), UTC as -00:00."""
    second = -(-t_ns // 10**9) if up else t_ns // 10**9
    second = min(max(second, 0), 253_402_300_799)
    return datetime.fromtimestamp(second, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S") + "-00:00"


def situation_of(warning: Warning) -> str:
    """Return which of the texts fits a warning: by its state, its advice, and whether a round is still to come."""
    if warning.state in ("cancelled", "all_clear"):
        return warning.state
    if warning.advice == "drop":
        return "drop"
    return "shelter" if warning.seconds_left > 0.0 else "stay"


def told_values(warning: Warning, zone_name: str) -> dict[str, str]:
    """Return what fills the placeholders of the texts: the seconds rounded down, so that nobody is told too many."""
    left = warning.seconds_left if math.isfinite(warning.seconds_left) else 0.0
    seconds = int(left) // 5 * 5 if left >= 10.0 else int(left)
    percent = 100.0 * min(max(warning.probability, 0.0), 1.0) if math.isfinite(warning.probability) else 0.0
    impact = datetime.fromtimestamp(min(max(warning.impact_t_ns // 10**9, 0), 253_402_300_799), tz=UTC)
    return {
        "zone": zone_name,
        "seconds": f"{seconds}",
        "percent": f"{min(max(round(percent), 1), 99)}",
        "time": impact.strftime("%H:%M:%S"),
    }


def _alert(
    config: CapConfig,
    zone: CapZone,
    warning: Warning,
    message_type: str,
    own: tuple[str, str],
    earlier: Sequence[str],
) -> ET.Element:
    """Return the whole message, elements in the order of the schema."""
    status = config.real_status
    alert = ET.Element(f"{{{NAMESPACE}}}alert")
    identifier, sent = own
    _add(
        alert,
        identifier=identifier,
        sender=_name(config.sender),
        sent=sent,
        status=status,
        msgType=message_type,
        source="opencram",
        scope=config.scope,
        restriction=config.restriction if config.scope == "Restricted" else "",
        note=_NOTES.get(status, ""),
        references=" ".join(earlier),
    )
    for language in config.languages:
        alert.append(_info(config, zone, warning, language))
    return alert


def _info(config: CapConfig, zone: CapZone, warning: Warning, language: Language) -> ET.Element:
    situation = situation_of(warning)
    values = told_values(warning, zone.name)
    exercise = {"Exercise": language.exercise, "Test": TEST_WORDS + language.exercise}.get(config.real_status, "")
    over = situation in ("cancelled", "all_clear")
    info = ET.Element(f"{{{NAMESPACE}}}info")
    expires_t_ns = max(warning.expires_t_ns, warning.t_ns + 10**9)
    _add(
        info,
        language=language.tag,
        category="Security",
        event=exercise + language.event,
        responseType={"cancelled": "None", "all_clear": "AllClear"}.get(situation, "Shelter"),
        urgency="Past" if over else "Immediate",
        severity="Minor" if over else "Extreme",
        certainty=_certainty(warning, over=over),
        effective=cap_time(warning.t_ns),
        onset=cap_time(max(warning.impact_t_ns, warning.t_ns)) if situation in ("shelter", "drop") else "",
        expires=cap_time(expires_t_ns, up=True),
        senderName=config.sender_name,
        headline=exercise + language.text("headline", situation, values),
        description=exercise + language.text("description", situation, values),
        instruction=exercise + language.text("instruction", situation, values),
        web=config.web,
        contact=config.contact,
    )
    for name, value in (("zone", warning.zone), ("alarm", str(warning.alarm_id)), ("state", warning.state)):
        _named(info, "parameter", f"opencram:{name}", value)
    area = ET.SubElement(info, f"{{{NAMESPACE}}}area")
    _add(area, areaDesc=zone.name)
    for polygon in zone.polygons:
        _add(area, polygon=polygon_text(polygon))
    _named(area, "geocode", "opencram:zone", warning.zone)
    return info


def _certainty(warning: Warning, *, over: bool) -> str:
    if over:
        return "Unlikely" if warning.state == "cancelled" else "Observed"
    return "Likely" if warning.probability > LIKELY else "Possible"


def polygon_text(corners: Iterable[tuple[float, float]]) -> str:
    """Return corners (latitude, longitude, degrees) as CAP writes a polygon: "lat,lon lat,lon …", closed."""
    points = [f"{latitude:.6f},{longitude:.6f}" for latitude, longitude in corners]
    return " ".join(points if points and points[0] == points[-1] else [*points, *points[:1]])


def _add(parent: ET.Element, **texts: str) -> None:
    """Add elements in the order given; an empty text adds none."""
    for name, text in texts.items():
        if text:
            ET.SubElement(parent, f"{{{NAMESPACE}}}{name}").text = _NOT_XML.sub("\ufffd", text)


def _named(parent: ET.Element, tag: str, name: str, value: str) -> None:
    pair = ET.SubElement(parent, f"{{{NAMESPACE}}}{tag}")
    _add(pair, valueName=name, value=value or "-")


def _name(text: str) -> str:
    """Return a text that may stand in identifiers and references: no space, comma, < or &."""
    return _NOT_NAME.sub("-", text) or "-"
