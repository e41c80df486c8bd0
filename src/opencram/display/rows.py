"""What the screen is told in words: one row of plain values for each alarm, decision, engagement and event.

Times are milliseconds since 1970 (a browser's own unit, exact to a microsecond until 2255), everything else
as in the messages.
"""

from typing import Any

from opencram.display.picture import Alarm, Picture, Seen
from opencram.messages import Decision, Engagement, Health, Message, Operator, Track, Warning

Row = dict[str, Any]
_ASKED = {"awaiting_consent": "until", "veto_timer": "time"}  # the time that such a decision names


def ms(t_ns: int) -> float:
    """Return milliseconds since 1970."""
    return t_ns / 1e6


def alarm_row(alarm: Alarm) -> Row:
    """Return an alarm as it stands."""
    w = alarm.warning
    return {
        "id": w.alarm_id,
        "zone": w.zone,
        "state": w.state,
        "change": w.change,
        "p": w.probability,
        "impact": ms(w.impact_t_ns),
        "std": alarm.impact_time_s_std,
        "advice": w.advice,
        "tracks": list(w.track_ids),
        "zones": list(w.zones),
        "reason": w.reason,
        "issued": ms(alarm.issued_t_ns),
        "t": ms(w.t_ns),
        "expires": ms(w.expires_t_ns),
        "acked": None if alarm.acknowledged_t_ns is None else ms(alarm.acknowledged_t_ns),
    }


def decision_row(d: Decision) -> Row:
    """Return a decision with its sentence in every language it has."""
    return {
        "track": d.track_id,
        "t": ms(d.t_ns),
        "action": d.action,
        "asset": d.asset,
        "p": d.probability,
        "effector": d.effector,
        "code": d.code,
        "reasons": {"en": d.reason} | dict(d.reasons),
        "until": _until(d),
    }


def _until(d: Decision) -> float | None:
    """Return until when people are asked to consent, or may veto; None: nobody is asked."""
    key = _ASKED.get(d.code)
    until = dict(d.values).get(key) if key is not None else None
    return ms(int(until)) if until is not None else None


def engagement_row(e: Engagement) -> Row:
    """Return a simulated engagement."""
    return {
        "id": e.engagement_id,
        "track": e.track_id,
        "t": ms(e.t_ns),
        "effector": e.effector,
        "state": e.state,
        "rounds": e.rounds,
        "fire": ms(e.fire_t_ns),
        "intercept": ms(e.intercept_t_ns),
        "at": list(e.intercept_enu_m),
        "p": e.kill_probability,
    }


def health_row(h: Health) -> Row:
    """Return the health of a part."""
    return {"part": h.part, "t": ms(h.t_ns), "state": h.state, "reason": h.reason}


def operator_row(o: Operator) -> Row:
    """Return what an operator did."""
    return {"operator": o.operator, "action": o.action, "track": o.track_id, "zone": o.zone, "t": ms(o.t_ns)}


def event_of(picture: Picture, record: Message | Seen) -> tuple[str, Row] | None:
    """Return what the log on the screen says of a record that `picture` has just taken in; None: nothing."""
    found: tuple[str, Row] | None = None
    match record:
        case Warning():
            found = "alarm", alarm_row(picture.alarms[record.alarm_id])
        case Decision():
            found = "decision", decision_row(record)
        case Engagement():
            found = "engagement", engagement_row(record)
        case Health():
            found = "health", health_row(record)
        case Operator():
            found = "operator", operator_row(record)
        case Track(status="dropped"):
            found = "ended", {"track": record.track_id, "reason": record.reason, "t": ms(record.t_ns)}
        case _:
            pass
    return found


def state_rows(picture: Picture) -> Row:
    """Return everything that is known, for a screen that has just opened or been wound to another moment."""
    return {
        "seq": picture.seq,
        "t": ms(picture.now_ns),
        "alarms": [alarm_row(a) for a in picture.alarms.values()],
        "decisions": [decision_row(d) for d in picture.decisions.values()],
        "engagements": [engagement_row(e) for e in picture.engagements.values()],
        "health": [health_row(h) for h in picture.health.values()],
        "held": picture.held,
    }
