"""From messages to what is known of each round.

A message that is older than what is known, or holds a number that is not one, changes nothing.
"""

import math
from collections.abc import Iterable

from msgspec.structs import replace

from opencram.engagement.config import Config, ns
from opencram.engagement.rules import Verdict, remember_surety
from opencram.engagement.state import Draft, Friend, Lead, Round
from opencram.engagement.windows import Shots, resample, shots_along
from opencram.engagement.words import LANGUAGES, numbers, say, text, whole
from opencram.messages import Decision, Health, Impact, Message, Operator, PlaceThreat, Threat, Track

_TROUBLE_S = 10.0
_FAR_M = 1e7
_TIME_LIMIT_NS = 1 << 61  # year 2043; times beyond are not of this world


def take_in(config: Config, draft: Draft, message: Message) -> None:
    """Add what one message says to the draft."""
    if abs(message.t_ns) >= _TIME_LIMIT_NS:
        return
    draft.now_t_ns = message.t_ns if draft.now_t_ns is None else max(draft.now_t_ns, message.t_ns)
    if isinstance(message, Track):
        _take_track(config, draft, message)
    elif isinstance(message, Threat):
        _take_threat(config, draft, message)
    elif isinstance(message, Impact):
        _take_impact(config, draft, message)
    elif isinstance(message, Operator):
        _take_operator(draft, message)


def trouble(draft: Draft, reason: str) -> None:
    """Say once that the stage cannot do all its work; it is well again after a while without trouble."""
    assert draft.now_t_ns is not None
    if draft.trouble_until_t_ns is None:
        draft.out.append(Health(t_ns=draft.now_t_ns, part="engagement", state="degraded", reason=reason))
    draft.trouble_until_t_ns = draft.now_t_ns + ns(_TROUBLE_S)


def _round_of(config: Config, draft: Draft, track_id: int, t_ns: int) -> Round | None:
    """Return what is known of a track, a new record if it is new, None if it has ended or there is no place."""
    known = draft.rounds.get(track_id)
    if known is not None:
        return None if known.ended else known
    if track_id in draft.ended:
        return None
    if len(draft.rounds) >= config.rounds_max:
        trouble(draft, f"{config.rounds_max} rounds are held, the limit rounds_max; further tracks are not judged")
        return None
    return Round(track_id=track_id, heard_t_ns=t_ns)


def _finite(numbers: Iterable[float]) -> bool:
    return all(math.isfinite(x) for x in numbers)


def _take_track(config: Config, draft: Draft, track: Track) -> None:
    probability = track.projectile_probability
    _take_friend(config, draft, track)
    if not math.isfinite(probability):
        trouble(draft, f"passed over a message on track {track.track_id}: its class probability is not a number")
        probability = 0.0
        if track.status != "dropped":
            return
    likely = track.status in ("confirmed", "coasting") and probability >= config.projectile_probability
    if track.track_id not in draft.rounds:
        if track.status == "dropped":
            _end_unknown(config, draft, track, probability)
            return
        if not likely:
            return
    known = _round_of(config, draft, track.track_id, track.t_ns)
    if known is None or (track.t_ns < known.track_t_ns and track.status != "dropped"):
        return
    confirmed = track.status in ("confirmed", "coasting")
    draft.rounds[track.track_id] = replace(
        known,
        heard_t_ns=max(known.heard_t_ns, track.t_ns),
        track_t_ns=max(known.track_t_ns, track.t_ns),
        confirmed_t_ns=track.t_ns if confirmed and known.confirmed_t_ns is None else known.confirmed_t_ns,
        is_projectile=known.is_projectile or likely,
        projectile_probability=known.projectile_probability if track.status == "dropped" else probability,
        first_t_ns=track.first_t_ns,
        updated_t_ns=max(known.updated_t_ns, track.updated_t_ns),
        plots=track.plots,
        ended=(track.reason or "lost") if track.status == "dropped" else "",
        due=True,
    )
    draft.urgent = draft.urgent or track.status == "dropped"


def _take_friend(config: Config, draft: Draft, track: Track) -> None:
    """Remember where a friendly aircraft is, and forget one that is none or has gone."""
    likely = sum(p for name, p in track.classes if name in config.friendly_classes and math.isfinite(p))
    old = draft.friends.get(track.track_id)
    if old is not None and track.t_ns < old.t_ns:
        return
    seen = track.status in ("confirmed", "coasting") and likely >= config.friendly_probability
    numbers = (*track.position_enu_m, *track.velocity_enu_m_s, track.position_m_std)
    if seen and _finite(numbers) and max(map(abs, numbers)) < _FAR_M:
        if old is None and len(draft.friends) >= config.friends_max:
            trouble(draft, f"{config.friends_max} friendly tracks are held, the limit friends_max")
            return
        draft.friends[track.track_id] = Friend(
            track_id=track.track_id,
            t_ns=track.t_ns,
            position_enu_m=track.position_enu_m,
            velocity_enu_m_s=track.velocity_enu_m_s,
            position_m_std=track.position_m_std,
        )
    else:
        draft.friends.pop(track.track_id, None)


def _end_unknown(config: Config, draft: Draft, track: Track, probability: float) -> None:
    """Decide on a projectile whose track ends before it was ever taken in: none is left without a reason."""
    if track.track_id in draft.ended or track.reason in ("never_confirmed", "duplicate"):
        return
    if probability < config.projectile_probability:
        return
    full = len(draft.rounds) >= config.rounds_max
    ended = track.reason or "lost"
    reason = text("no_time_unknown", ended=ended)
    if full:
        reason = text("no_time_limit", ended=ended, limit=whole(config.rounds_max))
    draft.ended[track.track_id] = None
    verdict = Verdict("hold", "limit" if full else "no_time", reason)
    draft.out.append(decision(track.t_ns, track.track_id, verdict, None, 0.0, None))


def decision(
    t_ns: int, track_id: int, verdict: Verdict, asset: str | None, probability: float, effector: str | None
) -> Decision:
    """Return the message that tells a verdict, its sentence in every language."""
    return Decision(
        t_ns=t_ns,
        track_id=track_id,
        action=verdict.action,
        asset=asset,
        probability=probability,
        effector=effector,
        code=verdict.code,
        reason=say(verdict.reason),
        reasons=tuple((language, say(verdict.reason, language)) for language in LANGUAGES if language != "en"),
        values=numbers(verdict.reason),
    )


def _take_threat(config: Config, draft: Draft, threat: Threat) -> None:
    known = _round_of(config, draft, threat.track_id, threat.t_ns)
    if known is None or threat.t_ns < known.threat_t_ns:
        return
    numbers = [threat.hazard_radius_m, threat.expected_exposed]
    for place in threat.places:
        numbers += (place.probability, place.distance_m, place.clearance_m)
    if not _finite(numbers):
        trouble(draft, f"passed over a threat of track {threat.track_id}: it holds a number that is not finite")
        return
    lead = lead_of(config, threat, known.lead)
    heard = replace(
        known,
        heard_t_ns=max(known.heard_t_ns, threat.t_ns),
        threat_t_ns=threat.t_ns,
        impact_t_ns=known.impact_t_ns if known.path_known else threat.impact_t_ns,
        unruled=True,
        lead=lead,
        worth=worth_of(config, threat),
        due=True,
    )
    draft.rounds[threat.track_id] = remember_surety(config, heard)


def worth_of(config: Config, threat: Threat) -> float:
    """Return what a kill saves on average: asset hits, counted as people, and under `people` people themselves."""
    assets = sum(min(max(place.probability, 0.0), 1.0) for place in threat.places if place.kind == "asset")
    people = max(threat.expected_exposed, 0.0) if config.protect == "people" else 0.0
    return config.asset_worth_people * min(assets, 1.0) + people


def lead_of(config: Config, threat: Threat, last: Lead | None) -> Lead | None:
    """Return the place that decides about a round: the most threatened asset first, then, under `people`, a zone."""
    assets = [place for place in threat.places if place.kind == "asset" and place.place in config.assets]
    asset = _lead(config, threat, _most(assets, last), None)
    if config.protect == "site":
        return asset
    zones = [place for place in threat.places if place.kind == "zone"]
    union = min(sum(min(max(place.probability, 0.0), 1.0) for place in zones), 1.0)
    zone = _lead(config, threat, _most(zones, last), union)
    if asset is None or zone is None:
        return asset or zone
    stays = last is not None and last.kind == "asset" and asset.probability >= config.release_probability
    first = stays or asset.probability >= config.engage_probability or asset.probability >= union
    return asset if first else zone


def _most(places: list[PlaceThreat], last: Lead | None) -> PlaceThreat | None:
    """Return the most threatened place; the one that led before stays unless another is clearly more threatened."""
    if not places:
        return None
    most = max(places, key=lambda place: (place.probability, -place.distance_m))
    for place in places:
        if last is not None and place.place == last.place and place.probability >= 0.8 * most.probability:
            return place
    return most


def _lead(config: Config, threat: Threat, place: PlaceThreat | None, union: float | None) -> Lead | None:
    if place is None:
        return None
    probability = min(max(place.probability, 0.0), 1.0)
    names = (zone.name for zone in config.zones if zone.id == place.place) if place.kind == "zone" else ()
    return Lead(
        kind=place.kind,
        place=place.place,
        name=next(iter(names), place.place),
        probability=probability,
        weighed_probability=probability if union is None else max(union, probability),
        distance_m=place.distance_m,
        clearance_m=place.clearance_m,
        hazard_radius_m=threat.hazard_radius_m,
        exposed=max(threat.expected_exposed, 0.0),
    )


def _take_impact(config: Config, draft: Draft, impact: Impact) -> None:
    known = _round_of(config, draft, impact.track_id, impact.t_ns)
    if known is None or impact.t_ns < known.path_t_ns or abs(impact.impact_t_ns) >= _TIME_LIMIT_NS:
        return
    ee, en, nn = impact.covariance_enu_m2
    std = math.sqrt(max(0.5 * (ee + nn) + math.hypot(0.5 * (ee - nn), en), 0.0))  # root of the larger eigenvalue
    shots: tuple[Shots, ...] = ()
    if config.effectors:
        path = resample(config, impact.path_enu_m, impact.t_ns, impact.impact_t_ns)
        shots = tuple(shots_along(config, effector, path, impact.t_ns) for effector in config.effectors)
    draft.rounds[impact.track_id] = replace(
        known,
        heard_t_ns=max(known.heard_t_ns, impact.t_ns),
        path_t_ns=impact.t_ns,
        impact_t_ns=impact.impact_t_ns,
        path_known=True,
        impact_m_std=std if math.isfinite(std) else known.impact_m_std,
        free_shots=shots,
        due=True,
        unruled=True,
    )


def _take_operator(draft: Draft, operator: Operator) -> None:
    draft.urgent = True
    if operator.track_id == 0:
        if operator.action in ("hold", "release"):
            draft.held = operator.action == "hold"
            for track_id in draft.rounds:
                draft.rounds[track_id] = replace(draft.rounds[track_id], due=True)
        return
    known = draft.rounds.get(operator.track_id)
    if known is None or known.ended:
        return
    if operator.action == "consent":
        known = replace(known, consent=True, vetoed=False, due=True)
    elif operator.action == "veto":
        known = replace(known, consent=False, vetoed=True, due=True)
    elif operator.action == "hold":
        known = replace(known, held=True, due=True)
    elif operator.action == "release":
        known = replace(known, held=False, vetoed=False, due=True)
    draft.rounds[operator.track_id] = known
