"""The rules of engagement, one small pure function each: a code, an action, and a sentence that can be checked.

`judge` asks them in order; the first that speaks decides.  A round that no rule objects to is ready: it may be
planned.  A new rule (sectors, corridors, debris) is one more function in `RULES`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from opencram.engagement.config import Config, Effector, ns
from opencram.engagement.state import NEVER_T_NS, Lead, Round
from opencram.engagement.windows import Shots
from opencram.engagement.words import clock, metres_at_least, odds, outside, percent
from opencram.messages import Action

# Verdicts of these codes wait for something; if the track ends meanwhile, that is said as a last word.
WAITING = ("no_prediction", "unsure", "awaiting_consent", "veto_timer", "in_window", "channels_busy")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says.  `pending`: nothing yet; `ready`: nothing stands in the way of an engagement."""

    action: Action
    code: str
    reason: str


PENDING = Verdict("hold", "pending", "")
READY = Verdict("engage", "ready", "")


class Facts(msgspec.Struct, frozen=True):
    """All that a rule may look at."""

    config: Config
    round: Round
    now_t_ns: int
    magazines: tuple[int, ...]
    held: bool  # an operator holds every engagement
    committed: bool  # a shot at this round has been assigned and not yet fired


Rule = Callable[[Facts], Verdict | None]


# ---- how sure the estimate is -----------------------------------------------------------------------


def remember_surety(config: Config, known: Round) -> Round:
    """Return the round with its record of how long the estimate has been sure, after a new threat."""
    if known.lead is None or known.lead.weighed_probability < config.sure_probability:
        return replace(known, sure_since_t_ns=None, settled=False)
    since = known.threat_t_ns if known.sure_since_t_ns is None else known.sure_since_t_ns
    return replace(known, sure_since_t_ns=since, settled=known.threat_t_ns - since >= ns(config.settle_s))


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
        return Verdict("engage", known.standing[2], "")  # nothing new to say until it is assessed
    shot = f"{known.outcome_effector} at {clock(known.outcome_t_ns)}"
    if known.outcome == "killed":
        return Verdict("engage", "killed", f"engaged and killed: no plot after the shot of {shot}")
    spent = known.shots_fired >= facts.config.shots_per_round_max
    if facts.committed or not (spent or known.ended or not open_effectors(facts, loaded=True)):
        return None
    why = f"{known.shots_fired} shots are the limit" if spent else "no further shot can meet it"
    return Verdict("engage", "missed", f"engaged and missed: still tracked after the shot of {shot}; {why}")


def no_prediction(facts: Facts) -> Verdict | None:
    """A confirmed projectile whose impact nobody has predicted yet."""
    known = facts.round
    if known.lead is not None:
        return None
    if known.threat_t_ns > -NEVER_T_NS:
        return Verdict("ignore", "nothing_to_protect", "ignored: the site names no place that its policy protects")
    if known.confirmed_t_ns is None or facts.now_t_ns < known.confirmed_t_ns + ns(facts.config.prediction_wait_s):
        return PENDING
    return Verdict("hold", "no_prediction", "held: no predicted impact yet; waiting for more track")


def not_projectile(facts: Facts) -> Verdict | None:
    """A track that turned out to be something else."""
    probability = facts.round.projectile_probability
    if probability >= 0.5 * facts.config.projectile_probability:
        return None
    return Verdict("ignore", "not_projectile", f"ignored: only {percent(probability)} likely to be a projectile")


def below_threshold(facts: Facts) -> Verdict | None:
    """A round that lands elsewhere: surely at any time, or by the last call probably enough."""
    config, known = facts.config, facts.round
    lead = _lead(known)
    if known.decided:
        return None
    ignored = known.standing is not None and known.standing[0] == "ignore"
    tight = ignored or known.called or not _loose(config, known)
    if tight and lead.weighed_probability <= (config.recall_probability if ignored else config.ignore_probability):
        return Verdict("ignore", "below_threshold", _ignored(lead))
    if known.called:
        needed = f"; {odds(lead)} is below the {percent(config.engage_probability)} needed at the last call"
        return Verdict("ignore", "below_threshold", _ignored(lead) + needed)
    return None


def unsure(facts: Facts) -> Verdict | None:
    """A round that may land at a protected place: wait for a better estimate, as long as there is time."""
    config, known = facts.config, facts.round
    if known.decided:
        return None
    lead = _lead(known)
    if lead.weighed_probability >= config.sure_probability:
        wait = f"must stay above {percent(config.sure_probability)} for {config.settle_s:.1f} s"
    else:
        wait = f"waiting for a surer estimate (engaged from {percent(config.sure_probability)}"
        wait += f", ignored up to {percent(config.ignore_probability)})"
        if lead.weighed_probability <= config.ignore_probability:
            wait = f"{lead.distance_m:.0f} m away, but still uncertain by {known.impact_m_std:.0f} m"
    by = f"; decides at the latest at {clock(known.decide_by_t_ns)}" if known.decide_by_t_ns is not None else ""
    return Verdict("hold", "unsure", f"held: {odds(lead)}, {wait}{by}")


def no_effector(facts: Facts) -> Verdict | None:
    """A site that can only warn."""
    if facts.config.effectors:
        return None
    return Verdict("hold", "no_effector", f"held: {odds(_lead(facts.round))}, but the site has no effector")


def no_window(facts: Facts) -> Verdict | None:
    """No effector can meet the predicted path: range, height, or time."""
    if facts.committed or open_effectors(facts, loaded=False):
        return None
    config, known = facts.config, facts.round
    each = [_why_closed(config, e, s) for e, s in zip(config.effectors, known.shots, strict=False)]
    why = "; ".join(each) if each else "no path is predicted"
    return Verdict("hold", "no_window", f"held: {odds(_lead(known))}, but no effector can meet it: {why}")


def magazine_empty(facts: Facts) -> Verdict | None:
    """Effectors that could meet the round have no full shot left."""
    if facts.committed or open_effectors(facts, loaded=True):
        return None
    left = ", ".join(
        f"{facts.config.effectors[i].id} has {facts.magazines[i]} rounds and a shot takes "
        f"{facts.config.effectors[i].behaviour.rounds_per_shot}"
        for i in open_effectors(facts, loaded=False)
    )
    return Verdict("hold", "magazine_empty", f"held: {odds(_lead(facts.round))}, but {left}")


def mode_hold(facts: Facts) -> Verdict | None:
    """The site file says that nothing is ever engaged."""
    if facts.config.mode != "hold":
        return None
    return Verdict("hold", "mode_hold", f"held: {odds(_lead(facts.round))}, but the site's mode is hold")


def operator_hold(facts: Facts) -> Verdict | None:
    """An operator holds all engagements, or this one, or has vetoed it."""
    lead, known = _lead(facts.round), facts.round
    if known.vetoed:
        return Verdict("hold", "vetoed", f"held: {odds(lead)}, but an operator vetoed this engagement")
    if facts.held or known.held:
        what = "every engagement" if facts.held else "this engagement"
        return Verdict("hold", "operator_hold", f"held: {odds(lead)}, but an operator holds {what}")
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
        text = f"held: {odds(_lead(known))}, awaiting consent: {left:.1f} s left, until {clock(last)}"
        return Verdict("hold", "awaiting_consent", text)
    over = veto_over_t_ns(facts)
    if facts.now_t_ns >= over:
        return READY
    return Verdict("hold", "veto_timer", f"held: {odds(_lead(known))}, to be engaged at {clock(over)} unless vetoed")


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
        if known.ended == "duplicate":
            return Verdict("ignore", "duplicate", "ignored: a second track of a round that another track follows")
        verdict = judge(facts) if known.lead is not None else PENDING
        if verdict.action == "ignore":
            return verdict
        chance = f", {odds(known.lead)}" if known.lead is not None else ", before an impact was predicted"
        return Verdict("hold", "no_time", f"held: the track ended ({known.ended}){chance}: no time to decide")
    if known.outcome != "none" or known.standing[2] not in WAITING:
        return None
    chance = f"{odds(known.lead)}, but " if known.lead is not None else ""
    why = {"in_window": "before its shot", "unsure": "before the estimate was sure"}.get(known.standing[2], "first")
    return Verdict("hold", "track_ended", f"held to the end: {chance}the track ended ({known.ended}) {why}")


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
    times = []
    if known.confirmed_t_ns is not None and known.lead is None:
        times.append(known.confirmed_t_ns + ns(config.prediction_wait_s))
    if known.decide_by_t_ns is not None and not known.called:
        times.append(known.decide_by_t_ns)
    times += [shots.last_start_t_ns + 1 for shots in known.shots]
    return min((t for t in times if t > now_t_ns), default=NEVER_T_NS)


def _lead(known: Round) -> Lead:
    assert known.lead is not None, "no_prediction speaks before every rule that needs a lead"
    return known.lead


def _loose(config: Config, known: Round) -> bool:
    """Return whether the predicted impact is so uncertain that the asset is still within its reach."""
    lead = _lead(known)
    return lead.kind == "asset" and lead.distance_m < config.ignore_deviations * known.impact_m_std


def _ignored(lead: Lead) -> str:
    people = f"; {lead.exposed:.1f} people expected to be exposed" if lead.kind == "zone" else ""
    return f"ignored: {outside(lead)}{people}"


def _why_closed(config: Config, effector: Effector, shots: Shots) -> str:
    if len(shots):
        return f"{effector.id} would have had to start by {clock(shots.last_start_t_ns)}"
    if shots.blocked == "too_low":
        return f"{effector.id} would meet it lower than {config.intercept_height_m_min:.0f} m"
    if shots.blocked == "too_late":
        return f"{effector.id} needs {effector.behaviour.reaction_s:.1f} s to react, and there is no time for that"
    if shots.blocked == "no_path":
        return f"{effector.id} has no predicted path to meet"
    span = f"{effector.range_m_min:.0f} to {effector.range_m_max:.0f} m"
    return f"{effector.id} reaches {span}, the path comes as close as {metres_at_least(shots.closest_m)}"
