"""Webhooks: an alarm as JSON, signed so that the receiver knows who sent it and that it is not an old one.

    X-Opencram-Id         names the message; the same message sent again has the same
    X-Opencram-Time       seconds since 1970 at the sending
    X-Opencram-Signature  "sha256=" and the HMAC of time, a full stop and the body, in hex

A receiver checks with `verify`, answers 2xx when it has the message, and passes over an id that it has seen.
"""

import hashlib
import hmac
import json
from typing import Final

from opencram.adapters.cap import CapMessage, CapZone
from opencram.adapters.geojson import alarm_feature

AGE_S_MAX: Final = 300  # a message signed longer ago is not believed


def body(message: CapMessage, zone: CapZone | None) -> bytes:
    """Return what is posted: the alarm as a GeoJSON feature, and the CAP message whole."""
    document = {
        "id": message.identifier,
        "alarm": alarm_feature(message.warning, zone),
        "cap": message.xml.decode("utf-8"),
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def headers(identifier: str, content: bytes, key: bytes, now_s: int) -> dict[str, str]:
    """Return the headers of a message sent at `now_s`; without a key it bears no signature."""
    made = {"Content-Type": "application/json", "X-Opencram-Id": identifier, "X-Opencram-Time": str(now_s)}
    return made | ({"X-Opencram-Signature": signature(content, key, now_s)} if key else {})


def signature(content: bytes, key: bytes, now_s: int) -> str:
    """Return the signature of a body sent at `now_s`."""
    return "sha256=" + hmac.new(key, f"{now_s}.".encode() + content, hashlib.sha256).hexdigest()


def verify(content: bytes, key: bytes, sent_s: str, given: str, now_s: int) -> bool:
    """Return whether a body came from the holder of the key, not longer ago than `AGE_S_MAX`."""
    if not (sent_s.isascii() and sent_s.isdigit() and len(sent_s) < 20) or abs(now_s - int(sent_s)) > AGE_S_MAX:
        return False
    return hmac.compare_digest(signature(content, key, int(sent_s)).encode(), given.encode())
