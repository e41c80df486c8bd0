"""The last check before a shot is committed, apart from the planner: every rule once more, on this one shot.

It trusts neither masks nor plan: range, height and times are worked out again from the shot itself, the hold rules are
asked about it alone with the friends as they are at this moment, and people and modes are asked again.
"""

import math

from opencram.engagement.clear import rules_of
from opencram.engagement.config import Config, ns
from opencram.engagement.holds import Fire, first_refusal
from opencram.engagement.rules import READY, Facts, judge, release
from opencram.engagement.shots import Shots, one_of
from opencram.engagement.state import Draft, Round
from opencram.engagement.words import Text, text, whole

_GRID_NS = 1_000_000  # rounding of times to the grid


def refused(config: Config, draft: Draft, known: Round, effector: int, channel: int, row: int) -> Text | None:
    """Return why the shot in this row may not be committed, or None."""
    assert draft.now_t_ns is not None
    shots, model = known.shots[effector], config.effectors[effector].behaviour
    facts = Facts(config, known, draft.now_t_ns, tuple(draft.magazines), draft.held, False)
    verdict = judge(facts)
    if verdict is READY:
        verdict = release(facts)
    if verdict is not READY:
        return text("gate_verdict", code=verdict.code)
    if draft.channels[effector][channel] > int(shots.start_t_ns[row]):
        return text("gate_channel", channel=whole(channel + 1))
    if draft.magazines[effector] < model.rounds_per_shot:
        return text("gate_magazine", rounds=whole(draft.magazines[effector]))
    if any(each.track_id == known.track_id for each in draft.engaging):
        return text("gate_twice")
    return _outside_window(config, draft.now_t_ns, known, effector, shots, row) or broken_rule(
        config, draft, known, effector, one_of(shots, row)
    )


def broken_rule(config: Config, draft: Draft, known: Round, effector: int, shot: Shots) -> Text | None:
    """Return what a hold rule says of a single shot at this moment, or None if all allow it."""
    near = tuple(draft.friends[track_id] for track_id in sorted(draft.friends))
    fire = Fire(effector=config.effectors[effector], shots=shot, lead=known.lead, friends=near)
    rules = (*rules_of(config, known, live=False), *rules_of(config, known, live=True))
    _, why = first_refusal(rules, fire)
    return why


def _outside_window(config: Config, now_t_ns: int, known: Round, effector: int, shots: Shots, row: int) -> Text | None:
    """Return whether the shot breaks the limits of its effector: range, height, or time."""
    what = config.effectors[effector]
    range_m = math.dist(what.position_enu_m, shots.position_enu_m[row].tolist())
    if not what.range_m_min - 1e-6 <= range_m <= what.range_m_max + 1e-6:
        return text("gate_range", range_m=whole(range_m))
    if not float(shots.height_m[row]) >= config.intercept_height_m_min - 1e-6:
        return text("gate_height", height_m=whole(float(shots.height_m[row])))
    start, fire = int(shots.start_t_ns[row]), int(shots.fire_t_ns[row])
    in_order = start + ns(what.behaviour.reaction_s) <= fire + _GRID_NS and fire < int(shots.intercept_t_ns[row])
    late = int(shots.intercept_t_ns[row]) > known.impact_t_ns - ns(config.intercept_s_before_impact_min)
    if start < now_t_ns or late or not in_order:
        return text("gate_time")
    return None
