"""From messages to the events that people and other programs read: one JSON object a line.

Names and units are those of the formats that opencram promises: degrees, metres, RFC 3339 in UTC.  What
is not for outside (plots, associations, threats, ticks, headers) gives no event.  A number that is not
finite is written as null: JSON has no NaN.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from opencram.adapters.times import rfc3339
from opencram.messages import Decision, Engagement, Health, Impact, Message, Rejected, Track, Warning

Event = dict[str, Any]

_ENCODE: Final = msgspec.json.Encoder()
_ORDINARY: Final = 1e9  # m, m/s
_SMALLEST: Final = 1e-300  # below it a probability or variance is written as 0

# Numbers are rounded by way of an integer, four times as fast as through their decimal digits and with the same
# result: a power of ten up to 10²² is exact, and so the quotient is the double nearest to the decimal number.
# Where the scaled number is so near to the middle of two integers that its own rounding might choose between
# them, and where it is too large, the digits decide.
_CLEAR: Final = 0.4999
_EXACT: Final = 1e11
_TENS: Final = tuple(10.0**n for n in range(23))
_POWERS: Final = tuple(10.0**n for n in range(-16, 12))


def event(message: Message) -> Event | None:
    """Return the event that tells `message` to the outside, or None if it is not for outside."""
    make = _MAKERS.get(type(message))
    return make(message) if make else None


def encode_events(messages: Iterable[Message]) -> bytes:
    """Return the events of `messages` as NDJSON, in their order; nothing for those without an event."""
    makers = _MAKERS
    events = [make(message) for message in messages if (make := makers.get(type(message)))]
    return _ENCODE.encode_lines(events) if events else b""


def _track(m: Track) -> Event:
    made = {
        "type": "track",
        "time": rfc3339(m.t_ns),
        "track": m.track_id,
        "status": m.status,
        "position_enu_m": _millimetres(m.position_enu_m),
        "velocity_enu_m_s": _millimetres(m.velocity_enu_m_s),
        "classes": {name: _figures(probability) for name, probability in m.classes},
        "plots": m.plots,
        "position_std_m": _fixed(m.position_m_std, 3),
    }
    if m.reason:
        made["reason"] = m.reason
    return made


def _impact(m: Impact) -> Event:
    ee, en, nn = (_figures(value, 9) for value in m.covariance_enu_m2)
    return {
        "type": "impact",
        "time": rfc3339(m.t_ns),
        "track": m.track_id,
        "latitude_deg": _fixed(m.latitude_deg, 7),
        "longitude_deg": _fixed(m.longitude_deg, 7),
        "position_enu_m": _millimetres(m.position_enu_m),
        "covariance_enu_m2": [[ee, en], [en, nn]],
        "impact_time": rfc3339(m.impact_t_ns),
        "impact_time_std_s": _fixed(m.impact_time_s_std, 6),
        "impact_velocity_enu_m_s": _millimetres(m.impact_velocity_enu_m_s),
        "projectile_probability": _figures(m.projectile_probability),
    }


def _warning(m: Warning) -> Event:
    return {
        "type": "warning",
        "time": rfc3339(m.t_ns),
        "zone": m.zone,
        "state": m.state,
        "probability": _figures(m.probability),
        "impact_time": rfc3339(m.impact_t_ns) if m.impact_t_ns > 0 else None,
        "advice": m.advice,
        "tracks": m.track_ids,
        "alarm": m.alarm_id,
        "seconds_left": _fixed(m.seconds_left, 3),
        "expires": rfc3339(m.expires_t_ns),
        "reason": m.reason,
    }


def _decision(m: Decision) -> Event:
    return {
        "type": "decision",
        "time": rfc3339(m.t_ns),
        "track": m.track_id,
        "action": m.action,
        "asset": m.asset,
        "probability": _figures(m.probability),
        "reason": m.reason,
        "code": m.code,
        "effector": m.effector,
    }


def _rejected(m: Rejected) -> Event:
    made: Event = {
        "type": "rejected",
        "time": rfc3339(m.t_ns),
        "line": m.line,
        "reason": m.reason,
        "code": m.code,
    }
    if m.sensor:
        made["sensor"] = m.sensor
    if m.plot_id:
        made["plot"] = m.plot_id
    return made


def _engagement(m: Engagement) -> Event:
    return {
        "type": "engagement",
        "time": rfc3339(m.t_ns),
        "engagement": m.engagement_id,
        "track": m.track_id,
        "effector": m.effector,
        "state": m.state,
        "rounds": m.rounds,
        "fire_time": rfc3339(m.fire_t_ns),
        "intercept_time": rfc3339(m.intercept_t_ns),
        "intercept_enu_m": _millimetres(m.intercept_enu_m),
        "kill_probability": _figures(m.kill_probability),
    }


def _health(m: Health) -> Event:
    return {"type": "health", "time": rfc3339(m.t_ns), "part": m.part, "state": m.state, "reason": m.reason}


_MAKERS: Final[dict[type, Callable[[Any], Event]]] = {
    Track: _track,
    Impact: _impact,
    Warning: _warning,
    Decision: _decision,
    Rejected: _rejected,
    Engagement: _engagement,
    Health: _health,
}


def _fixed(value: float, decimals: int) -> float | None:
    """Return a number rounded to so many decimals, never −0; None if it is not finite."""
    scale = _TENS[decimals]
    scaled = value * scale
    if -_EXACT < scaled < _EXACT:
        nearest = round(scaled)
        if -_CLEAR < scaled - nearest < _CLEAR:
            return nearest / scale
    return round(value, decimals) + 0.0 if math.isfinite(value) else None


def _millimetres(values: tuple[float, float, float]) -> list[float | None]:
    """Return lengths in metres, or speeds, to three decimals."""
    x, y, z = values
    if -_ORDINARY < x < _ORDINARY and -_ORDINARY < y < _ORDINARY and -_ORDINARY < z < _ORDINARY:
        # Through an integer: three times as fast as `round(x, 3)`, and it knows no −0.
        return [round(x * 1e3) / 1e3, round(y * 1e3) / 1e3, round(z * 1e3) / 1e3]
    return [_fixed(value, 3) for value in values]


def _figures(value: float, figures: int = 6) -> float | None:
    """Return a number rounded to so many significant figures, never −0; None if it is not finite."""
    reached = bisect_right(_POWERS, abs(value))  # all of them: too large, infinite or NaN
    exponent = figures + len(_TENS) - 7 - reached
    if reached and 0 <= exponent < len(_TENS):
        scale = _TENS[exponent]
        scaled = value * scale
        nearest = round(scaled)
        if -_CLEAR < scaled - nearest < _CLEAR:
            return nearest / scale
    if not math.isfinite(value):
        return None
    return float(f"{value:.{figures}g}") if abs(value) >= _SMALLEST else 0.0
