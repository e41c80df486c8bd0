"""MQTT topics and payloads: a retained state for each zone, and what Home Assistant needs to find its siren.

PREFIX/status                   "online", or by last will "offline": the system is down
PREFIX/zone/ZONE/state          JSON of the alarm, retained, with an expiry where the broker speaks MQTT 5
PREFIX/zone/ZONE/siren          "ON" or "OFF", retained
homeassistant/binary_sensor/…   discovery, retained
"""

import json
import re
from typing import Any, Final

from opencram.adapters.cap import CapZone
from opencram.adapters.geojson import alarm_feature
from opencram.messages import Warning

ONLINE: Final = b"online"
OFFLINE: Final = b"offline"
DISCOVERY: Final = "homeassistant"

_NOT_TOPIC: Final = re.compile(r"[^A-Za-z0-9_-]+")


def status_topic(prefix: str) -> str:
    """Return the topic that says whether the system is up."""
    return f"{prefix}/status"


def zone_messages(prefix: str, warning: Warning, zone: CapZone | None) -> list[tuple[str, bytes, int]]:
    """Return topic, payload and expiry (s) of the retained messages for a warning; the siren's comes first."""
    sounds = warning.state in ("issued", "updated")
    expiry_s = max(round((warning.expires_t_ns - warning.t_ns) / 1e9), 1)
    base = f"{prefix}/zone/{topic_level(warning.zone)}"
    state = alarm_feature(warning, zone)["properties"]
    return [
        (f"{base}/siren", b"ON" if sounds else b"OFF", expiry_s),
        (f"{base}/state", json.dumps(state, ensure_ascii=False).encode(), expiry_s),
    ]


def discovery(prefix: str, zone: CapZone, site: str) -> tuple[str, bytes]:
    """Return topic and payload by which Home Assistant finds the siren of a zone."""
    level, base = topic_level(zone.id), f"{prefix}/zone/{topic_level(zone.id)}"
    identity = f"{_NOT_TOPIC.sub('_', prefix)}_{level}".replace("~", "_")
    document: dict[str, Any] = {
        "name": f"{zone.name}: siren",
        "unique_id": identity,
        "device_class": "safety",
        "state_topic": f"{base}/siren",
        "payload_on": "ON",
        "payload_off": "OFF",
        "json_attributes_topic": f"{base}/state",
        "availability_topic": status_topic(prefix),
        "payload_available": ONLINE.decode(),
        "payload_not_available": OFFLINE.decode(),
        "device": {"identifiers": [_NOT_TOPIC.sub("_", prefix)], "name": site, "model": "opencram"},
    }
    return f"{DISCOVERY}/binary_sensor/{identity}/config", json.dumps(document, ensure_ascii=False).encode()


def topic_level(name: str) -> str:
    """Return a name as one level of a topic: what means something there is replaced by its code."""
    return _NOT_TOPIC.sub(lambda found: "".join(f"~{ord(character):x}" for character in found[0]), name) or "~"
