"""Which shots the hold rules leave of a round's windows, and what follows from that: its last call."""

from collections.abc import Mapping

from msgspec.structs import replace

from opencram.engagement.config import Config, ns
from opencram.engagement.holds import Fire, HoldRule, first_refusal
from opencram.engagement.lead import Friend
from opencram.engagement.shots import Shots
from opencram.engagement.state import Round
from opencram.engagement.windows import held_back


def cleared(config: Config, known: Round, friends: Mapping[int, Friend], now_t_ns: int) -> Round:
    """Return the round with the shots that every hold rule allows.

    Rules of place and time, and of the people below, are asked when path or threat have changed; those about friends
    at every decision.
    """
    watched = friends and any(rule.live for rule in config.rules)
    if not known.unruled and not watched and not known.watched:
        return known
    still = known.still_shots
    if known.unruled:
        still = known.free_shots
        if standing := rules_of(config, known, live=False):
            still = _allowed(config, known, still, standing, {}, None)
    shots = still
    if watched and worth_asking(config, known):
        shots = _allowed(config, known, still, rules_of(config, known, live=True), friends, now_t_ns)
    starts = [each for each in shots if len(each)]
    last_start = max((each.last_start_t_ns for each in starts), default=None)
    decide_by = known.impact_t_ns - ns(config.decide_s_before_impact) if known.impact_t_ns else None
    if starts:
        decide_by = max(_last_call(config, each) for each in starts)
    return replace(
        known,
        still_shots=still,
        shots=shots,
        decide_by_t_ns=decide_by,
        last_start_t_ns=last_start,
        unruled=False,
        watched=bool(watched),
    )


def rules_of(config: Config, known: Round, *, live: bool) -> tuple[HoldRule, ...]:
    """Return the rules to be asked about a round; the costly one only where it may come to an engagement."""
    rules = tuple(rule for rule in config.rules if rule.live == live)
    if not live and config.ground is not None and worth_asking(config, known):
        return (*rules, config.ground)
    return rules


def worth_asking(config: Config, known: Round) -> bool:
    """Return whether the round may come to be engaged."""
    return known.lead is not None and known.lead.weighed_probability >= config.release_probability


def _allowed(
    config: Config,
    known: Round,
    shots: tuple[Shots, ...],
    rules: tuple[HoldRule, ...],
    friends: Mapping[int, Friend],
    told_until_t_ns: int | None,
) -> tuple[Shots, ...]:
    left = []
    near = tuple(friends[track_id] for track_id in sorted(friends))
    for effector, each in zip(config.effectors, shots, strict=True):
        if len(each):
            fire = Fire(effector=effector, shots=each, lead=known.lead, friends=near)
            allowed, why = first_refusal(rules, fire, told_until_t_ns)
            each = held_back(config, each, allowed, why)
        left.append(each)
    return tuple(left)


def _last_call(config: Config, shots: Shots) -> int:
    """Return the latest time to decide that leaves room for a second shot, or the first start where none fits."""
    cycle = int(shots.done_t_ns[-1]) - shots.last_start_t_ns + ns(config.assessment_delay_s)
    return max(int(shots.start_t_ns[0]), shots.last_start_t_ns - cycle)
