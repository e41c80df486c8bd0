"""The life of one zone's alarm: issued → updated … → cancelled, or all clear.  Pure functions of what is seen.

- **Issued** when the rounds together reach the zone's threshold and waiting for a sharper prediction is worth no more
  than warning now (`wait`); or when a round fell there that nobody was warned of.
- **Updated** when something changed that a person acts on: the advice, the time of the first impact, the band of the
  probability, the rounds.  Not more than once a second, unless it became more urgent.
- **Cancelled** when the danger went elsewhere: too improbable for a while, and no round fell near.
- **Expired** when time went on past the expiry in one leap: nobody watched, so nobody can say all clear.
- **All clear** when a round that was likely for the zone has fallen, the dwell has passed since the last of
  them, and no further round is likely.

Advice.  People newly warned are told `shelter` if their shelter time is left and `drop` if not.  Who has been told to
shelter is not stopped on the way: the advice stays, and turns to `drop` only in the last seconds, and only if the
impact comes sooner after the word than their shelter time, so that some must still be outside.  Who was told to drop
is told to shelter when the next impact leaves ample time, or when all rounds have fallen.
"""

import math
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from opencram.messages import Advice, Warning, WarningChange, WarningState
from opencram.warning.config import Config, Zone
from opencram.warning.rounds import Fall, Round, either
from opencram.warning.shelter import usual_shelter_times_s
from opencram.warning.wait import gain_of_waiting


@dataclass(frozen=True)
class Alarm:
    """A live alarm.  `sent` is the last that people were told."""

    alarm_id: int
    sent: Warning
    told_t_ns: int  # when the advice last became `shelter`
    below_t_ns: int | None = None  # since when it is too improbable, if it is
    hold_t_ns: int = -(2**63)  # not to be cancelled before
    clear_t_ns: int | None = None  # end of the dwell; None: no round has fallen
    fallen: tuple[Fall, ...] = ()  # the latest of those that fell
    fallen_miss: float = 1.0  # probability that none of those that fell was near
    untold: tuple[int, ...] = ()  # rounds that fell since people were last told


@dataclass(frozen=True)
class Sight:
    """What the rounds mean for one zone now.  Thresholds have been lowered by any degradation.

    `flying`: rounds in the air, with the probability of each for this zone; `falls`: rounds that fell just now.
    """

    t_ns: int
    zone: Zone
    flying: tuple[tuple[Round, float], ...]
    probability: float  # that any of `flying` lands near
    falls: tuple[Fall, ...]
    threshold: float
    cancel_below: float
    degraded: str  # a clause for the reason; empty when all is well


def judge(config: Config, sight: Sight, alarm: Alarm | None, next_id: int) -> tuple[Alarm | None, Warning | None]:
    """Return the zone's alarm after `sight` (None: none is live) and the warning to give, if any."""
    if alarm is None:
        return _issue(config, sight, next_id) if _must_warn(config, sight) else (None, None)
    if sight.t_ns >= alarm.sent.expires_t_ns:
        return None, _end(config, sight, alarm, "expired")
    alarm = _after(config, sight, alarm)
    settled = alarm.below_t_ns is not None and sight.t_ns - alarm.below_t_ns >= _ns(config.cancel_hold_s)
    if settled and alarm.clear_t_ns is None and sight.t_ns >= alarm.hold_t_ns:
        return None, _end(config, sight, alarm, "cancelled")
    if settled and alarm.clear_t_ns is not None and sight.t_ns >= alarm.clear_t_ns:
        return None, _end(config, sight, alarm, "all_clear")
    return _update(config, sight, alarm)


def wake_t_ns(config: Config, sight: Sight, alarm: Alarm) -> int:
    """Return from when on the passing of time alone may change the alarm, or what is told of it."""
    t_ns, sent = sight.t_ns, alarm.sent
    times = [sent.expires_t_ns - _ns(0.5 * config.expiry_margin_s), sent.t_ns + _ns(config.update_interval_s)]
    if alarm.below_t_ns is not None:
        kept_t_ns = alarm.hold_t_ns if alarm.clear_t_ns is None else alarm.clear_t_ns
        times.append(max(alarm.below_t_ns + _ns(config.cancel_hold_s), kept_t_ns))
    if sight.flying:
        times.append(sent.impact_t_ns - _ns(config.drop_s) + 1)  # whom it catches outside is told to lie down
        times += [flown.impact_t_ns - _ns(config.drop_s) + 1 for flown, _ in sight.flying]
    return min([each for each in times if each > t_ns], default=t_ns)


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)


def _must_warn(config: Config, sight: Sight) -> bool:
    """Return whether the zone is worth warning now: the danger is great enough, and a wait gains nothing."""
    zone = sight.zone
    since_ns = sight.t_ns - _ns(config.dwell_s)
    fresh = [f.probability for f in sight.falls if f.t_ns > since_ns and f.probability >= sight.cancel_below]
    if either([sight.probability, *fresh]) < sight.threshold:
        return False
    latency_s = config.latency_s if zone.latency_s is None else zone.latency_s
    need_ns = _ns(config.warning_time_s_min + latency_s + config.wait_margin_s)
    early_ns = _ns(config.early_s_max)
    urgent = [
        p for flown, p in sight.flying if max(flown.earliest_t_ns, flown.impact_t_ns - early_ns) - sight.t_ns <= need_ns
    ]
    if either([*urgent, *fresh]) >= sight.threshold:
        return True
    flying = np.array(
        [
            (p, (flown.impact_t_ns - sight.t_ns) / 1e9, flown.impact_time_s_std, flown.spread_m)
            for flown, p in sorted(sight.flying, key=lambda pair: -pair[1])
        ]
    )
    times_s = np.array(zone.shelter_times_s or usual_shelter_times_s(zone.shelter_time_s))
    gain = gain_of_waiting(
        flying,
        sight.threshold,
        zone.half_width_m,
        latency_s,
        times_s,
        config.drop_share,
        config.sharpening,
        config.wait_risk_per_s,
    )
    return gain <= 0.0


def _after(config: Config, sight: Sight, alarm: Alarm) -> Alarm:
    """Return the alarm with the rounds that fell near counted, and the time below the threshold kept."""
    below_t_ns = None
    if sight.probability < sight.cancel_below:
        below_t_ns = sight.t_ns if alarm.below_t_ns is None else alarm.below_t_ns
    near = [fall for fall in sight.falls if fall.probability >= sight.cancel_below]
    if not near:
        return alarm if below_t_ns == alarm.below_t_ns else replace(alarm, below_t_ns=below_t_ns)
    ends = [fall.t_ns + _ns(config.dwell_s) for fall in near]
    return replace(
        alarm,
        below_t_ns=below_t_ns,
        clear_t_ns=max(ends if alarm.clear_t_ns is None else [alarm.clear_t_ns, *ends]),
        fallen=(*alarm.fallen, *near)[-config.fallen_listed_max :],
        fallen_miss=alarm.fallen_miss * (1.0 - either(fall.probability for fall in near)),
        untold=(*alarm.untold, *(fall.track_id for fall in near))[-config.fallen_listed_max :],
    )


def _issue(config: Config, sight: Sight, alarm_id: int) -> tuple[Alarm, Warning]:
    blank = Warning(
        t_ns=sight.t_ns,
        alarm_id=alarm_id,
        zone=sight.zone.id,
        state="issued",
        probability=0.0,
        impact_t_ns=sight.t_ns,
        seconds_left=0.0,
        advice="none",
        track_ids=(),
        expires_t_ns=sight.t_ns + 1,
        reason="",
    )
    alarm = _after(config, sight, Alarm(alarm_id=alarm_id, sent=blank, told_t_ns=sight.t_ns))
    warning = _told(config, sight, alarm, "issued", "")
    return replace(alarm, sent=warning, untold=()), warning


def _update(config: Config, sight: Sight, alarm: Alarm) -> tuple[Alarm, Warning | None]:
    sent = alarm.sent
    stale = sight.t_ns >= sent.expires_t_ns - _ns(0.5 * config.expiry_margin_s)
    if alarm.below_t_ns is not None and alarm.clear_t_ns is None and not stale:
        return alarm, None  # about to be cancelled, or to come back: nothing to tell yet
    warning = _told(config, sight, alarm, "updated", "")
    changes, urgent = _changes(config, alarm, warning)
    if stale and not changes:
        changes = ["still in force"]
    due = stale or sight.t_ns - sent.t_ns >= _ns(config.update_interval_s)
    if not changes or not (due or urgent):
        return alarm, None
    warning = _told(config, sight, alarm, "updated", ", ".join(changes) + ": ")
    warning = msgspec.structs.replace(warning, change=_change(sent, warning, _down(alarm)))
    newly_shelter = warning.advice == "shelter" and sent.advice != "shelter"
    told_t_ns = sight.t_ns if newly_shelter else alarm.told_t_ns
    return replace(alarm, sent=warning, told_t_ns=told_t_ns, untold=()), warning


def _changes(config: Config, alarm: Alarm, now: Warning) -> tuple[list[str], bool]:
    """Return what changed since people were last told, in words, and whether it became more urgent."""
    sent, changes, urgent, down = alarm.sent, [], False, _down(alarm)
    if now.advice != sent.advice:
        changes.append(f"now {now.advice}")
        urgent = True
    joined = [each for each in now.track_ids if each not in sent.track_ids and each not in down]
    gone = [each for each in sent.track_ids if each not in now.track_ids and each not in alarm.untold]
    left, fell_before = [each for each in gone if each not in down], [each for each in gone if each in down]
    if joined:
        changes.append(f"{_rounds(joined)} joined")
    if left:
        changes.append(f"{_rounds(left)} left")
    if fell_before:
        changes.append(f"{_rounds(fell_before)} fell before")
    if alarm.untold:
        changes.append(f"{_rounds(list(alarm.untold))} fell")
    shift_s = (now.impact_t_ns - sent.impact_t_ns) / 1e9
    if abs(shift_s) > config.impact_shift_s and not down.issuperset(now.track_ids):  # else none is in the air
        changes.append(f"first impact {abs(shift_s):.1f} s {'later' if shift_s > 0.0 else 'earlier'}")
        urgent = urgent or shift_s < 0.0
    before, after = _band(config, sent.probability), _band(config, now.probability)
    if before != after and abs(_log_odds(now.probability) - _log_odds(sent.probability)) > math.log(
        config.band_odds_ratio
    ):
        changes.append(f"{'up' if after > before else 'down'} from {_percent(sent.probability)}")
        urgent = urgent or after > before
    return changes, urgent


def _down(alarm: Alarm) -> frozenset[int]:
    """Return the rounds that have fallen: they join no alarm any more, and leave none."""
    return frozenset([fall.track_id for fall in alarm.fallen]).union(alarm.untold)


def _change(sent: Warning, now: Warning, fallen: frozenset[int]) -> WarningChange:
    """Return whether the danger has grown or shrunk: by the rounds, else by the probability; a fall is neither."""
    joined = [each for each in now.track_ids if each not in sent.track_ids and each not in fallen]
    left = [each for each in sent.track_ids if each not in now.track_ids and each not in fallen]
    if bool(joined) != bool(left):
        return "grown" if joined else "shrunk"
    if now.probability == sent.probability or not fallen.isdisjoint(sent.track_ids):
        return ""
    return "grown" if now.probability > sent.probability else "shrunk"


def _told(config: Config, sight: Sight, alarm: Alarm, state: WarningState, preface: str) -> Warning:
    """Return the warning that says how things stand for the zone."""
    members = _members(sight, alarm)
    probability = 1.0 - (1.0 - sight.probability) * alarm.fallen_miss
    if members:
        impact_t_ns = min(flown.impact_t_ns for flown in members)
        track_ids = tuple(flown.track_id for flown in members)
        ends_t_ns = max(flown.latest_t_ns for flown in members) + _ns(config.dwell_s)
        left_s = max(impact_t_ns - sight.t_ns, 0) / 1e9
        advice = _advice(config, sight, alarm, impact_t_ns)
        reason = _flying_reason(sight, members, probability, left_s)
    else:
        falls = alarm.fallen
        impact_t_ns = max((fall.t_ns for fall in falls), default=alarm.sent.impact_t_ns)
        track_ids = tuple(fall.track_id for fall in falls) or alarm.sent.track_ids
        ends_t_ns, left_s, advice = sight.t_ns, 0.0, "shelter"
        reason = _fallen_reason(sight, alarm, probability)
    ends_t_ns = max(ends_t_ns, sight.t_ns, alarm.clear_t_ns or sight.t_ns)
    return Warning(
        t_ns=sight.t_ns,
        alarm_id=alarm.alarm_id,
        zone=sight.zone.id,
        state=state,
        probability=probability,
        impact_t_ns=impact_t_ns,
        seconds_left=left_s,
        advice=advice,
        track_ids=track_ids,
        expires_t_ns=ends_t_ns + max(_ns(config.expiry_margin_s), 1),
        reason=preface + reason + sight.degraded,
    )


def _end(config: Config, sight: Sight, alarm: Alarm, state: WarningState) -> Warning:
    chance = _percent(sight.probability)
    if state == "expired":
        reason = "nothing was heard from before the alarm's end until after its expiry: nobody can say all clear"
    elif state == "cancelled":
        quiet_s = (sight.t_ns - (alarm.below_t_ns or sight.t_ns)) / 1e9
        reason = f"{chance} for {quiet_s:.1f} s, below {_percent(sight.cancel_below)}; no round fell near"
    else:
        last_t_ns = (alarm.clear_t_ns or sight.t_ns) - _ns(config.dwell_s)
        quiet_s = (sight.t_ns - last_t_ns) / 1e9
        reason = f"{quiet_s:.0f} s since the last impact, {config.dwell_s:.0f} s are kept; {chance} of another round"
    return Warning(
        t_ns=sight.t_ns,
        alarm_id=alarm.alarm_id,
        zone=sight.zone.id,
        state=state,
        probability=sight.probability,
        impact_t_ns=alarm.sent.impact_t_ns,
        seconds_left=max(alarm.sent.impact_t_ns - sight.t_ns, 0) / 1e9,
        advice="none",
        track_ids=alarm.sent.track_ids,
        expires_t_ns=sight.t_ns + max(_ns(config.expiry_margin_s), 1),
        reason=reason + sight.degraded,
    )


def _members(sight: Sight, alarm: Alarm) -> tuple[Round, ...]:
    """Return the rounds in the air on whose account the zone is in alarm, by number.

    A round joins at twice the probability at which it leaves.  If none is likely enough alone, the likeliest stands
    for all of them, as long as they are so together.
    """
    named = alarm.sent.track_ids
    members = [
        flown
        for flown, p in sight.flying
        if p >= (sight.cancel_below if flown.track_id in named else 2.0 * sight.cancel_below)
    ]
    if not members and sight.probability >= sight.cancel_below:
        members = [max(sight.flying, key=lambda pair: (pair[1], -pair[0].track_id))[0]]
    return tuple(sorted(members, key=lambda flown: flown.track_id))


def _advice(config: Config, sight: Sight, alarm: Alarm, impact_t_ns: int) -> Advice:
    shelter_s = sight.zone.shelter_time_s
    left_s = (impact_t_ns - sight.t_ns) / 1e9
    before = alarm.sent.advice
    if before == "shelter":
        caught_outside = impact_t_ns - alarm.told_t_ns < _ns(shelter_s)
        return "drop" if caught_outside and left_s < config.drop_s else "shelter"
    enough_s = shelter_s + (config.drop_s if before == "drop" else 0.0)
    return "shelter" if left_s >= enough_s else "drop"


def _flying_reason(sight: Sight, members: tuple[Round, ...], probability: float, left_s: float) -> str:
    what = "a round" if len(members) == 1 else f"one of {len(members)} rounds"
    first = "impact" if len(members) == 1 else "first impact"
    return (
        f"{_percent(probability)} that {what} lands within {members[0].hazard_radius_m:.0f} m; "
        f"{first} in {left_s:.0f} s; shelter takes {sight.zone.shelter_time_s:.0f} s"
    )


def _fallen_reason(sight: Sight, alarm: Alarm, probability: float) -> str:
    if not alarm.fallen or alarm.clear_t_ns is None:
        return f"{_percent(probability)} that a round lands near"
    left_s = max(alarm.clear_t_ns - sight.t_ns, 0) / 1e9
    what = _rounds([fall.track_id for fall in alarm.fallen])
    all_clear = f"all clear in {left_s:.0f} s unless more come"
    return f"{_percent(probability)} that {what} landed near; stay under cover: {all_clear}"


def _rounds(track_ids: list[int]) -> str:
    names = ", ".join(str(track_id) for track_id in track_ids)
    return f"round {names}" if len(track_ids) == 1 else f"rounds {names}"


def _percent(probability: float) -> str:
    if probability > 0.999:
        return "over 99.9 %"
    return f"{100.0 * probability:.{0 if 0.1 <= probability <= 0.99 else 1 if probability >= 0.01 else 2}f} %"


def _band(config: Config, probability: float) -> int:
    return sum(probability >= edge for edge in config.bands)


def _log_odds(probability: float) -> float:
    inner = min(max(probability, 1e-6), 1.0 - 1e-6)
    return math.log(inner / (1.0 - inner))
