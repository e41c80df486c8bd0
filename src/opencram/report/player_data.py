"""What the player needs: everything already on the picture's scale, in milliseconds from the scene's start.

The player draws what it is given and computes nothing but which entry holds at a time.
"""

import json
from collections.abc import Sequence
from typing import Any

from opencram.report.catalogue import Catalogue
from opencram.report.facts import Facts, TrackFacts
from opencram.report.geometry import ellipse_95, middle
from opencram.report.labels import Box
from opencram.report.markup import Markup
from opencram.report.svg_map import Projection, ellipse_on
from opencram.report.zones import ZoneFacts

POINTS_A_TRACK = 140
ESTIMATE_STEP_MS = 450
WORDS = "player."


def player_json(facts: Facts, view: Projection, kept: Sequence[Box], say: Catalogue) -> Markup:
    """Return the data block, safe inside a script element.  `kept`: where the map's own names and marks stand."""
    data = {
        "start_ms": facts.scene[0] // 1_000_000,
        "length_ms": _ms(facts, facts.scene[1]),
        "width": round(view.width),
        "height": round(view.height),
        "tracks": [_track(facts, track, view, say) for track in facts.projectiles],
        "others": [_track(facts, track, view, say) for track in facts.others],
        "zones": [entry for index, zone in enumerate(facts.zones) for entry in _zone(facts, zone, index, view)],
        "marks": [[round(value, 1) for value in (box.x0, box.y0, box.x1, box.y1)] for box in kept],
        "events": _events(facts, say),
        "words": {
            key: text for key, text in sorted(say.texts.items()) if key.startswith((WORDS, "advice.", "action."))
        },
    }
    text = json.dumps(data, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    # Inside a script element only these could end it or open a comment; JSON reads the escapes back.
    safe = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(safe.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def _track(facts: Facts, track: TrackFacts, view: Projection, say: Catalogue) -> dict[str, Any]:
    stride = -(-len(track.trail) // POINTS_A_TRACK) or 1
    trail = []
    for fix in (*track.trail[::stride], *(track.trail[-1:] if (len(track.trail) - 1) % stride else ())):
        x, y = view.xy((fix.east_m, fix.north_m))
        trail += [_ms(facts, fix.t_ns), round(x, 1), round(y, 1)]
    return {
        "id": track.track_id,
        "kind": say("class." + track.class_name),
        "from": _ms(facts, track.confirmed_t_ns),
        "to": _ms(facts, min(track.end_t_ns, track.last_t_ns + 2_000_000_000)),
        "end": _ms(facts, track.end_t_ns),
        "trail": trail,
        "estimates": _estimates(facts, track, view),
        "decisions": [[_ms(facts, decision.t_ns), decision.action] for decision in track.decisions],
        "engaged": [[_ms(facts, e.t_ns), e.state] for e in track.engagements],
    }


def _estimates(facts: Facts, track: TrackFacts, view: Projection) -> list[list[float]]:
    """Return [t, x, y, rx, ry, turn, time of impact, half long axis in metres] for every half second or so."""
    found: list[list[float]] = []
    for estimate in track.estimates:
        t_ms = _ms(facts, estimate.t_ns)
        ellipse = ellipse_95(estimate.east_m, estimate.north_m, estimate.covariance_m2)
        if ellipse is None or (found and t_ms - found[-1][0] < ESTIMATE_STEP_MS):
            continue
        shape = [round(value, 1) for value in ellipse_on(ellipse, view)]
        found.append([t_ms, *shape, _ms(facts, estimate.impact_t_ns), round(ellipse.major_m, 1)])
    return found


def _zone(facts: Facts, zone: ZoneFacts, index: int, view: Projection) -> list[dict[str, Any]]:
    """Return one entry for each alarm of the zone: from, to, and its phases [t, probability, impact, advice]."""
    at = view.xy(middle(zone.polygon)) if zone.polygon else None
    return [
        {
            "zone": index,
            "name": zone.name,
            "at": [round(at[0], 1), round(at[1], 1)] if at else None,
            "from": _ms(facts, alarm.issued_t_ns),
            "to": _ms(facts, alarm.end_t_ns),
            "phases": [
                [_ms(facts, phase.t_ns), round(phase.probability, 3), _ms(facts, phase.impact_t_ns), phase.advice]
                for phase in alarm.phases
            ],
        }
        for alarm in zone.alarms
    ]


def _events(facts: Facts, say: Catalogue) -> list[list[Any]]:
    """Return [t, text, is an alarm] for everything worth stopping at, by time."""
    found: list[tuple[int, str, int]] = []
    for track in facts.projectiles:
        found.append((track.confirmed_t_ns, say("player.event.track", track=track.track_id), 0))
        last = ""
        for decision in track.decisions:
            if decision.action != last:
                action = say(f"action.{decision.action}")
                found.append((decision.t_ns, say("player.event.decision", track=track.track_id, action=action), 0))
                last = decision.action
        for engagement in track.engagements:
            if engagement.state in ("fired", "killed", "missed"):
                found.append((engagement.t_ns, say(f"player.event.{engagement.state}", track=track.track_id), 0))
        found.append((track.end_t_ns, say("player.event.impact", track=track.track_id), 0))
    for zone in facts.zones:
        for alarm in zone.alarms:
            found.append((alarm.issued_t_ns, say("player.event.warning", zone=zone.name), 1))
            if alarm.end != "in_force":
                found.append((alarm.end_t_ns, say(f"player.event.{alarm.end}", zone=zone.name), 0))
    start, end = facts.scene
    return [[_ms(facts, t_ns), text, alarm] for t_ns, text, alarm in sorted(found) if start <= t_ns <= end]


def _ms(facts: Facts, t_ns: int) -> int:
    return (t_ns - facts.scene[0]) // 1_000_000
