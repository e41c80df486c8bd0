"""The truth of a simulated raid as one document, in the form that scoring tools and the report read."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from opencram.earth.geodesy import Frame, geodetic_from_enu
from opencram.simulation.effects import Outcome
from opencram.simulation.flights import CLASS_CURVES, apex_m
from opencram.simulation.model import WorldConfig
from opencram.simulation.world import Body, WorldState, origins, things

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def truth_document(config: WorldConfig, state: WorldState) -> dict[str, Any]:
    """Return all that is true of the world up to now: rounds, outcomes, and the round behind each plot.

    `origin[i]` is the round, counted from 0, that the plot with `plot_id` i + 1 came from; −1: none.  `object[i]`
    is the place in `objects` of what it shows; −1: chance, −2: rain, −3: an echo of the ground.  A round's
    `fate` is "impact", "dud" (it fell, unexploded), "detonation" or "break_up" (it was intercepted and has no
    impact) or "flying" (not yet down at the end of the world).
    """
    told = origins(state)
    shown = things(state)
    return {
        "note": config.note,
        "seed": config.seed,
        "plots": len(told),
        "origin": list(told),
        "object": list(shown),
        "objects": [_object(body) for body in state.bodies],
        "rounds": [_round(config, state, number) for number in range(len(state.rounds))],
        "engagements": [_engagement(outcome) for outcome in state.outcomes],
        "own_debris": [
            {
                "engagement": int(body.name.split("/")[1]),
                "kind": body.kind,
                "impact_time": _time(body.end_t_ns),
                "impact_enu_m": _place(body),
            }
            for body in state.bodies
            if body.kind in ("shell", "missile") and body.landed
        ],
    }


def _object(body: Body) -> dict[str, Any]:
    return {
        "name": body.name,
        "kind": body.kind,
        "class": body.class_name,
        "round": body.round,
        "from": _time(body.start_t_ns),
        "to": _time(body.end_t_ns),
        "source": body.source,
    }


def _round(config: WorldConfig, state: WorldState, number: int) -> dict[str, Any]:
    what = state.rounds[number]
    whole = state.bodies[number]  # the bodies of rounds come first, in order
    dud = next((body for body in state.bodies if body.round == number and body.kind == "dud"), None)
    kill = next((o for o in reversed(state.outcomes) if o.round == number and o.killed), None)
    last = dud or whole
    down = last.landed and last.end_t_ns <= config.end_t_ns and last.end_t_ns < state.next_t_ns
    cut_short = kill.result if kill and kill.result != "dud" else "flying"
    landed = "dud" if dud else "impact"
    return {
        "name": what.name,
        "launch_time": _time(what.launch_t_ns),
        **_landing(config, last if down else None),
        "apex_m": round(apex_m(whole.flight, (whole.end_t_ns - whole.start_t_ns) * 1e-9), 1),
        "class": what.class_name,
        "fate": landed if down else cut_short,
        "intercepted": kill is not None,
        "intercept_time": _time(kill.t_ns) if kill else None,
        "unengaged_impact_enu_m": _place(whole) if whole.flight.landed else None,
        "launch_enu_m": [round(x, 2) for x in what.position_enu_m],
        "launch_velocity_enu_m_s": [round(v, 3) for v in what.velocity_enu_m_s],
        "ballistic_coefficient_kg_m2": what.ballistic_coefficient_kg_m2,
        "curve": what.own_curve.name if what.own_curve else what.curve or CLASS_CURVES[what.class_name],
        "spin_drift_m_s": what.spin_drift_m_s,
        "burn_time_s": what.burn_s,
        "motion": "point_mass" if what.body is None else "spinning",
        "source": what.source,
        "debris": [
            {"impact_time": _time(body.end_t_ns), "impact_enu_m": _place(body)}
            for body in state.bodies
            if body.round == number and body.kind == "debris" and body.landed
        ],
    }


def _landing(config: WorldConfig, body: Body | None) -> dict[str, Any]:
    if body is None:
        names = ("impact_time", "impact_enu_m", "impact_latitude_deg", "impact_longitude_deg")
        return dict.fromkeys(names)
    site = Frame(config.latitude_rad, config.longitude_rad, config.height_m)
    latitude, longitude, _ = geodetic_from_enu(site, body.flight.position_enu_m[-1])
    return {
        "impact_time": _time(body.end_t_ns),
        "impact_enu_m": _place(body),
        "impact_latitude_deg": round(math.degrees(float(latitude)), 7),
        "impact_longitude_deg": round(math.degrees(float(longitude)), 7),
    }


def _engagement(outcome: Outcome) -> dict[str, Any]:
    return {
        "engagement": outcome.engagement_id,
        "track": outcome.track_id,
        "effector": outcome.effector,
        "time": _time(outcome.t_ns),
        "round": outcome.round,
        "result": outcome.result,
        "killed": outcome.killed,
        "cue_error_m": _finite(outcome.cue_error_m),
        "miss_m": _finite(outcome.miss_m),
        "hits": outcome.hits,
    }


def _place(body: Body) -> list[float]:
    return [round(float(x), 2) for x in body.flight.position_enu_m[-1]]


def _finite(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) else None


def _time(t_ns: int) -> str:
    """Return RFC 3339 in UTC to the nearest microsecond."""
    when = _EPOCH + timedelta(microseconds=(t_ns + 500) // 1000)
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
