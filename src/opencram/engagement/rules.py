"""The rules of engagement, one small pure function each: a code, an action, and a sentence that can be checked.

`judge` asks them in order; the first that speaks decides.  A round that no rule objects to is ready: it may be
planned.  A new rule (sectors, corridors, debris) is one more function in `RULES`.
"""

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from opencram.engagement.catalogue import SENTENCES
from opencram.engagement.config import Config, ns
from opencram.engagement.effector import Effector
from opencram.engagement.lead import Lead
from opencram.engagement.shots import Shots
from opencram.engagement.state import NEVER_T_NS, Round
from opencram.engagement.words import (
    NOTHING,
    Quantity,
    Several,
    Text,
    at,
    odds,
    outside,
    share,
    tenth,
    text,
    whole,
)
from opencram.messages import Action

# Verdicts of these codes wait for something; if the track ends meanwhile, that is said as a last word.
WAITING = ("no_prediction", "unsure", "awaiting_consent", "veto_timer", "in_window", "channels_busy", "gate_refused")


class Verdict(msgspec.Struct, frozen=True):
    """What one rule says.  `pending`: nothing yet; `ready`: nothing stands in the way of an engagement.

    `reason` words the sentence, and is called only if the decision is told; None: there is nothing to tell.
    """

    action: Action
    code: str
    reason: Callable[[], Text] | None = None


PENDING = Verdict("hold", "pending")
READY = Verdict("engage", "ready")


class Facts(msgspec.Struct, frozen=True, gc=False):
    """All that a rule may look at."""

    config: Config
    round: Round
    now_t_ns: int
    magazines: tuple[int, ...]
    held: bool  # an operator holds every engagement
    committed: bool  # a shot at this round has been assigned and not yet fired


Rule = Callable[[Facts], Verdict | None]


# ---- how sure the estimate is -----------------------------------------------------------------------


def surety(config: Config, known: Round, lead: Lead | None, t_ns: int) -> tuple[int | None, bool]:
    """Return since when the estimate has been sure, and whether it has settled, after a new threat."""
    if lead is None or lead.weighed_probability < config.sure_probability:
        return None, False
    since = t_ns if known.sure_since_t_ns is None else known.sure_since_t_ns
    return since, t_ns - since >= ns(config.settle_s)


def remember_decided(config: Config, known: Round, now_t_ns: int) -> Round:
    """Return the round with its record of whether the estimate is good enough to act on.

    It is when it has settled above `sure_probability`, or when the last call comes and it is above
    `engage_probability`; from then on it stays so until it falls below `release_probability`.
    """
    if known.lead is None:
        return known
    probability = known.lead.weighed_probability
    called = known.called or (known.decide_by_t_ns is not None and now_t_ns >= known.decide_by_t_ns)
    if known.decided:
        decided = probability >= config.release_probability
    else:
        decided = known.settled or (called and probability >= config.engage_probability)
    return (
        known if (called, decided) == (known.called, known.decided) else replace(known, called=called, decided=decided)
    )


# ---- the rules, in the order in which they are asked -------------------------------------------------


def fired_upon(facts: Facts) -> Verdict | None:
    """A round that has been fired upon stays engaged; a missed one may be engaged again if anything reaches it."""
    known = facts.round
    if known.outcome == "none":
        return None
    if known.outcome == "fired" and known.standing is not None:
        return Verdict("engage", known.standing[2])  # nothing new to say until it is assessed
    if known.outcome == "killed":
        return Verdict("engage", "killed", lambda: text("killed", shot=shot_of(known)))
    spent = known.shots_fired >= facts.config.shots_per_round_max
    if known.revived and known.standing is not None and known.standing[2] == "killed":
        return Verdict("engage", "revived", lambda: text("revived", shot=shot_of(known)))
    if facts.committed or not (spent or known.ended or not open_effectors(facts, loaded=True)):
        return None
    return Verdict("engage", "missed", lambda: _why_missed(known, spent=spent))


def _why_missed(known: Round, *, spent: bool) -> Text:
    if spent:
        return text("missed_limit", shot=shot_of(known), shots=whole(known.shots_fired))
    return text("missed_no_shot", shot=shot_of(known))


def ended(reason: str) -> Text:
    """Return why a track ended, in words."""
    return text(f"ended_{reason}" if f"ended_{reason}" in SENTENCES else "ended_lost")


def shot_of(known: Round) -> Text:
    """Return which effector fired last at the round, and when."""
    return text("shot_of", effector=known.outcome_effector, time=at(known.outcome_t_ns))


def no_prediction(facts: Facts) -> Verdict | None:
    """A confirmed projectile whose impact nobody has predicted yet."""
    known = facts.round
    if known.lead is not None:
        return None
    if known.threat_t_ns > -NEVER_T_NS:
        return Verdict("ignore", "nothing_to_protect", lambda: text("nothing_to_protect"))
    if known.confirmed_t_ns is None or facts.now_t_ns < known.confirmed_t_ns + ns(facts.config.prediction_wait_s):
        return PENDING
    return Verdict("hold", "no_prediction", lambda: text("no_prediction"))


def not_projectile(facts: Facts) -> Verdict | None:
    """A track that turned out to be something else."""
    probability = facts.round.projectile_probability
    if probability >= 0.5 * facts.config.projectile_probability:
        return None
    return Verdict("ignore", "not_projectile", lambda: text("not_projectile", probability=share(probability)))


def below_threshold(facts: Facts) -> Verdict | None:
    """A round that lands elsewhere: surely at any time, or by the last call probably enough."""
    config, known = facts.config, facts.round
    lead = _lead(known)
    if known.decided:
        return None
    ignored = known.standing is not None and known.standing[0] == "ignore"
    tight = ignored or known.called or not _loose(config, known)
    if tight and lead.weighed_probability <= (config.recall_probability if ignored else config.ignore_probability):
        return Verdict("ignore", "below_threshold", lambda: _ignored(lead))
    if known.called:
        needed = share(config.engage_probability)
        return Verdict(
            "ignore",
            "below_threshold",
            lambda: text("ignored_last_call", ignored=_ignored(lead), odds=odds(lead), needed=needed),
        )
    return None


def unsure(facts: Facts) -> Verdict | None:
    """A round that may land at a protected place: wait for a better estimate, as long as there is time."""
    if facts.round.decided:
        return None
    return Verdict("hold", "unsure", lambda: _why_unsure(facts.config, facts.round))


def _why_unsure(config: Config, known: Round) -> Text:
    lead = _lead(known)
    sure, low = share(config.sure_probability), share(config.ignore_probability)
    if lead.weighed_probability >= config.sure_probability:
        wait = text("unsure_settle", sure_probability=sure, settle_s=tenth(config.settle_s))
    elif lead.weighed_probability <= config.ignore_probability:
        deviation = whole(known.impact_m_std)
        wait = text("unsure_loose", distance_m=whole(lead.distance_m), deviation_m=deviation)
    else:
        wait = text("unsure_wait", sure_probability=sure, ignore_probability=low)
    by = text("by", decide_by=at(known.decide_by_t_ns)) if known.decide_by_t_ns is not None else NOTHING
    return text("unsure", odds=odds(lead), wait=wait, by=by)


def no_effector(facts: Facts) -> Verdict | None:
    """A site that can only warn."""
    if facts.config.effectors:
        return None
    return Verdict("hold", "no_effector", lambda: text("no_effector", odds=odds(_lead(facts.round))))


def hold_rules(facts: Facts) -> Verdict | None:
    """Every shot that an effector could take breaks a hold rule of the site file."""
    if facts.committed or open_effectors(facts, loaded=False):
        return None
    held = [shots for shots in facts.round.shots if shots.held is not None and shots.held_until_t_ns >= facts.now_t_ns]
    if not held:
        return None
    known = held[0].held
    assert known is not None
    return Verdict("hold", known.key, lambda: text("held_by_rule", odds=odds(_lead(facts.round)), why=known))


def no_window(facts: Facts) -> Verdict | None:
    """No effector can meet the predicted path: range, height, or time."""
    if facts.committed or open_effectors(facts, loaded=False):
        return None
    return Verdict("hold", "no_window", lambda: _why_no_window(facts.config, facts.round))


def _why_no_window(config: Config, known: Round) -> Text:
    each = tuple(_why_closed(config, e, s) for e, s in zip(config.effectors, known.shots, strict=False))
    return text("no_window", odds=odds(_lead(known)), why=Several(each, semicolon=True))


def magazine_empty(facts: Facts) -> Verdict | None:
    """Effectors that could meet the round have no full shot left."""
    if facts.committed or open_effectors(facts, loaded=True):
        return None
    return Verdict("hold", "magazine_empty", lambda: _why_empty(facts))


def _why_empty(facts: Facts) -> Text:
    config = facts.config
    left = tuple(
        text(
            "rounds_left",
            effector=config.effectors[i].id,
            rounds=whole(facts.magazines[i]),
            needed=whole(config.effectors[i].behaviour.rounds_per_shot),
        )
        for i in open_effectors(facts, loaded=False)
    )
    return text("magazine_empty", odds=odds(_lead(facts.round)), left=Several(left))


def mode_hold(facts: Facts) -> Verdict | None:
    """The site file says that nothing is ever engaged."""
    if facts.config.mode != "hold":
        return None
    return Verdict("hold", "mode_hold", lambda: text("mode_hold", odds=odds(_lead(facts.round))))


def operator_hold(facts: Facts) -> Verdict | None:
    """An operator holds all engagements, or this one, or has vetoed it."""
    known = facts.round
    if known.vetoed:
        return Verdict("hold", "vetoed", lambda: text("vetoed", odds=odds(_lead(known))))
    if facts.held or known.held:
        key = "operator_hold_all" if facts.held else "operator_hold"
        return Verdict("hold", "operator_hold", lambda: text(key, odds=odds(_lead(known))))
    return None


RULES: tuple[Rule, ...] = (
    fired_upon,
    no_prediction,
    not_projectile,
    below_threshold,
    unsure,
    mode_hold,
    operator_hold,
    no_effector,
    hold_rules,
    no_window,
    magazine_empty,
)


def judge(facts: Facts) -> Verdict:
    """Return what the first rule that speaks says, or `READY`: only release by people and a channel are missing."""
    for rule in RULES:
        verdict = rule(facts)
        if verdict is not None:
            return verdict
    return READY


def release(facts: Facts) -> Verdict:
    """Return `READY` if the mode lets this round be engaged now, else what is waited for."""
    config, known = facts.config, facts.round
    if config.mode == "automatic" or facts.committed or known.shots_fired or known.consent:
        return READY
    last = facts.now_t_ns if known.last_start_t_ns is None else known.last_start_t_ns
    if config.mode == "consent":
        left = max(last - facts.now_t_ns, 0) / 1e9
        return Verdict(
            "hold",
            "awaiting_consent",
            lambda: text("awaiting_consent", odds=odds(_lead(known)), left_s=tenth(left), until=at(last)),
        )
    over = veto_over_t_ns(facts)
    if facts.now_t_ns >= over:
        return READY
    return Verdict("hold", "veto_timer", lambda: text("veto_timer", odds=odds(_lead(known)), time=at(over)))


def veto_over_t_ns(facts: Facts) -> int:
    """Return when the time to veto is over: after `veto_s`, or where the window closes earlier, just before it."""
    known = facts.round
    since = facts.now_t_ns if known.ready_since_t_ns is None else known.ready_since_t_ns
    over = since + ns(facts.config.veto_s)
    if known.last_start_t_ns is None:
        return over
    return min(over, max(since, known.last_start_t_ns - ns(1.0)))


def last_word(facts: Facts) -> Verdict | None:
    """Return what is left to say about a round whose track has ended, if anything."""
    known = facts.round
    if known.standing is None:
        return _first_and_last_word(facts)
    if known.outcome != "none" or known.standing[2] not in WAITING:
        return None
    why = text({"in_window": "before_shot", "unsure": "before_sure"}.get(known.standing[2], "before_first"))
    if known.lead is None:
        return Verdict("hold", "track_ended", lambda: text("track_ended_early", ended=ended(known.ended), why=why))
    chance = odds(known.lead)
    return Verdict("hold", "track_ended", lambda: text("track_ended", odds=chance, ended=ended(known.ended), why=why))


def _first_and_last_word(facts: Facts) -> Verdict:
    """Return the decision about a round whose track ended before there was any."""
    known = facts.round
    if known.ended == "duplicate":
        return Verdict("ignore", "duplicate", lambda: text("duplicate"))
    verdict = judge(facts) if known.lead is not None else PENDING
    if verdict.action == "ignore":
        return verdict
    if known.lead is None:
        return Verdict("hold", "no_time", lambda: text("no_time_early", ended=ended(known.ended)))
    chance = odds(known.lead)
    return Verdict("hold", "no_time", lambda: text("no_time", ended=ended(known.ended), odds=chance))


# ---- shared by the rules -----------------------------------------------------------------------------


def open_effectors(facts: Facts, *, loaded: bool) -> list[int]:
    """Return the effectors that can still start a shot at the round; `loaded`: that also have the rounds for it."""
    found = []
    for i, shots in enumerate(facts.round.shots):
        if shots.last_start_t_ns < facts.now_t_ns:
            continue
        if not loaded or facts.magazines[i] >= facts.config.effectors[i].behaviour.rounds_per_shot:
            found.append(i)
    return found


def wake_t_ns(config: Config, known: Round, now_t_ns: int) -> int:
    """Return the next time at which the passing of time alone may change the judgement of a round."""
    wake = NEVER_T_NS
    if known.lead is None and known.confirmed_t_ns is not None:
        waited = known.confirmed_t_ns + ns(config.prediction_wait_s)
        wake = waited if waited > now_t_ns else wake
    if known.decide_by_t_ns is not None and not known.called and now_t_ns < known.decide_by_t_ns < wake:
        wake = known.decide_by_t_ns
    for shots in known.shots:
        if now_t_ns <= shots.last_start_t_ns < wake:
            wake = shots.last_start_t_ns + 1
    return wake


def _lead(known: Round) -> Lead:
    assert known.lead is not None, "no_prediction speaks before every rule that needs a lead"
    return known.lead


def _loose(config: Config, known: Round) -> bool:
    """Return whether the predicted impact is so uncertain that the asset is still within its reach."""
    lead = _lead(known)
    return lead.kind == "asset" and lead.distance_m < config.ignore_deviations * known.impact_m_std


def _ignored(lead: Lead) -> Text:
    if lead.kind == "zone":
        return text("ignored_people", outside=outside(lead), people=tenth(lead.exposed))
    return text("ignored", outside=outside(lead))


def _why_closed(config: Config, effector: Effector, shots: Shots) -> Text:
    name = effector.id
    if len(shots):
        return text("closed_passed", effector=name, time=at(shots.last_start_t_ns))
    if shots.held is not None:
        return shots.held
    if shots.blocked == "too_low":
        return text("closed_low", effector=name, height_m=whole(config.intercept_height_m_min))
    if shots.blocked == "too_late":
        return text("closed_late", effector=name, reaction_s=tenth(effector.behaviour.reaction_s))
    if shots.blocked == "no_path":
        return text("closed_no_path", effector=name)
    near, far = whole(effector.range_m_min), whole(effector.range_m_max)
    closest = Quantity("metres_at_least", shots.closest_m)
    return text("closed_range", effector=name, near_m=near, far_m=far, closest_m=closest)
