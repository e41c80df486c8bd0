"""From messages to what is known of each round.

A message that is older than what is known, or holds a number that is not one, changes nothing.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any, Final

from msgspec.structs import replace

from opencram.engagement.config import Config, ns
from opencram.engagement.lead import Friend, Lead
from opencram.engagement.rules import Verdict, ended, surety
from opencram.engagement.shots import Shots
from opencram.engagement.state import Draft, Round, without
from opencram.engagement.windows import resample, shots_along
from opencram.engagement.words import LANGUAGES, numbers, say, text, whole
from opencram.messages import (
    PROJECTILE_CLASSES,
    Decision,
    Health,
    Impact,
    Message,
    Operator,
    PlaceThreat,
    Threat,
    Tick,
    Track,
)

_TROUBLE_S = 10.0
_FAR_M = 1e7
_AXES_ROOT = math.sqrt(3.0)
TIME_LIMIT_NS = 1 << 61  # year 2043; times beyond are not of this world


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
    return math.isfinite(sum(numbers))  # one that is not finite makes the sum so, and sane ones do not


def _take_track(config: Config, draft: Draft, track: Track) -> None:
    dropped, confirmed = track.status == "dropped", track.status in ("confirmed", "coasting")
    if not (dropped or confirmed or track.track_id in draft.rounds or track.track_id in draft.friends):
        return
    probability, friendly = _shares(config, track)
    if friendly >= config.friendly_probability or track.track_id in draft.friends:
        _take_friend(config, draft, track, friendly)
    if not math.isfinite(probability):
        trouble(draft, f"passed over a message on track {track.track_id}: its class probability is not a number")
        probability = 0.0
        if not dropped:
            return
    likely = confirmed and probability >= config.projectile_probability
    if track.track_id not in draft.rounds:
        if dropped:
            _end_unknown(config, draft, track, probability)
            return
        if not likely:
            return
    known = _round_of(config, draft, track.track_id, track.t_ns)
    if known is None or (track.t_ns < known.track_t_ns and not dropped):
        return
    first, doubtful = confirmed and known.confirmed_t_ns is None, 0.5 * config.projectile_probability
    crossed = (known.projectile_probability >= doubtful) != (probability >= doubtful)
    # More of the same changes no judgement: that comes with the next path or threat.
    if dropped or first or crossed or (likely and not known.is_projectile):
        draft.due.add(track.track_id)
    draft.rounds[track.track_id] = replace(
        known,
        heard_t_ns=max(known.heard_t_ns, track.t_ns),
        track_t_ns=max(known.track_t_ns, track.t_ns),
        confirmed_t_ns=track.t_ns if first else known.confirmed_t_ns,
        is_projectile=known.is_projectile or likely,
        projectile_probability=known.projectile_probability if dropped else probability,
        first_t_ns=track.first_t_ns,
        updated_t_ns=max(known.updated_t_ns, track.updated_t_ns),
        plots=track.plots,
        track_m_std=track.position_m_std / _AXES_ROOT if math.isfinite(track.position_m_std) else known.track_m_std,
        ended=(track.reason or "lost") if dropped else "",
    )
    draft.urgent = draft.urgent or dropped


def _shares(config: Config, track: Track) -> tuple[float, float]:
    """Return how probably a track is a projectile, and how probably a friend."""
    projectile = friendly = 0.0
    for name, probability in track.classes:
        if name in PROJECTILE_CLASSES:
            projectile += probability
        elif name in config.friendly_classes and math.isfinite(probability):
            friendly += probability
    return min(1.0, projectile), friendly


def _take_friend(config: Config, draft: Draft, track: Track, likely: float) -> None:
    """Remember where a friendly aircraft is, and forget one that is none or has gone."""
    old = draft.friends.get(track.track_id)
    if old is not None and track.t_ns < old.t_ns:
        return
    seen = track.status in ("confirmed", "coasting") and likely >= config.friendly_probability
    numbers = (*track.position_enu_m, *track.velocity_enu_m_s, track.position_m_std)
    if seen and _finite(numbers) and max(map(abs, numbers)) < _FAR_M:
        if old is None and len(draft.friends) >= config.friends_max:
            trouble(draft, f"{config.friends_max} friendly tracks are held, the limit friends_max")
            return
        friend = Friend(
            track_id=track.track_id,
            t_ns=track.t_ns,
            position_enu_m=track.position_enu_m,
            velocity_enu_m_s=track.velocity_enu_m_s,
            position_m_std=track.position_m_std,
            classes=track.classes,
        )
        draft.friends = {**draft.friends, track.track_id: friend}
    elif old is not None:
        draft.friends = without(draft.friends, track.track_id)


def _end_unknown(config: Config, draft: Draft, track: Track, probability: float) -> None:
    """Decide on a projectile whose track ends before it was ever taken in: none is left without a reason."""
    if track.track_id in draft.ended or track.reason in ("never_confirmed", "duplicate"):
        return
    if probability < config.projectile_probability:
        return
    full = len(draft.rounds) >= config.rounds_max
    why = ended(track.reason or "lost")
    reason = text("no_time_unknown", ended=why)
    if full:
        reason = text("no_time_limit", ended=why, limit=whole(config.rounds_max))
    draft.ended = {**draft.ended, track.track_id: None}
    verdict = Verdict("hold", "limit" if full else "no_time", lambda: reason)
    draft.out.append(decision(track.t_ns, track.track_id, verdict, None, 0.0, None))


def decision(
    t_ns: int, track_id: int, verdict: Verdict, asset: str | None, probability: float, effector: str | None
) -> Decision:
    """Return the message that tells a verdict, its sentence in every language."""
    assert verdict.reason is not None, "nobody tells a verdict without a reason"
    reason = verdict.reason()
    return Decision(
        t_ns=t_ns,
        track_id=track_id,
        action=verdict.action,
        asset=asset,
        probability=probability,
        effector=effector,
        code=verdict.code,
        reason=say(reason),
        reasons=tuple((language, say(reason, language)) for language in LANGUAGES if language != "en"),
        values=numbers(reason),
    )


def _take_threat(config: Config, draft: Draft, threat: Threat) -> None:
    known = _round_of(config, draft, threat.track_id, threat.t_ns)
    if known is None or threat.t_ns < known.threat_t_ns:
        return
    total = threat.hazard_radius_m + threat.expected_exposed
    for place in threat.places:
        total += place.probability + place.distance_m + place.clearance_m
    if not math.isfinite(total):  # one number that is not finite makes the sum so, and sane ones do not
        trouble(draft, f"passed over a threat of track {threat.track_id}: it holds a number that is not finite")
        return
    lead = lead_of(config, threat, known.lead)
    draft.due.add(threat.track_id)
    sure_since, settled = surety(config, known, lead, threat.t_ns)
    draft.rounds[threat.track_id] = replace(
        known,
        heard_t_ns=max(known.heard_t_ns, threat.t_ns),
        threat_t_ns=threat.t_ns,
        impact_t_ns=known.impact_t_ns if known.path_known else threat.impact_t_ns,
        unruled=True,
        lead=lead,
        worth=worth_of(config, threat),
        sure_since_t_ns=sure_since,
        settled=settled,
    )


def worth_of(config: Config, threat: Threat) -> float:
    """Return what a kill saves on average: asset hits, counted as people, and under `people` people themselves."""
    assets = 0.0
    for place in threat.places:
        if place.kind == "asset":
            assets += min(max(place.probability, 0.0), 1.0)
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
    if len(places) < 2:
        return places[0] if places else None
    most = max(places, key=lambda place: (place.probability, -place.distance_m))
    for place in places:
        if last is not None and place.place == last.place and place.probability >= 0.8 * most.probability:
            return place
    return most


def _lead(config: Config, threat: Threat, place: PlaceThreat | None, union: float | None) -> Lead | None:
    if place is None:
        return None
    probability = min(max(place.probability, 0.0), 1.0)
    name = place.place
    if place.kind == "zone":
        name = next((zone.name for zone in config.zones if zone.id == place.place), name)
    return Lead(
        kind=place.kind,
        place=place.place,
        name=name,
        probability=probability,
        weighed_probability=probability if union is None else max(union, probability),
        distance_m=place.distance_m,
        clearance_m=place.clearance_m,
        hazard_radius_m=threat.hazard_radius_m,
        exposed=max(threat.expected_exposed, 0.0),
    )


def _take_impact(config: Config, draft: Draft, impact: Impact) -> None:
    known = _round_of(config, draft, impact.track_id, impact.t_ns)
    if known is None or impact.t_ns < known.path_t_ns or abs(impact.impact_t_ns) >= TIME_LIMIT_NS:
        return
    ee, en, nn = impact.covariance_enu_m2
    std = math.sqrt(max(0.5 * (ee + nn) + math.hypot(0.5 * (ee - nn), en), 0.0))  # root of the larger eigenvalue
    shots: tuple[Shots, ...] = ()
    if config.effectors:
        path = resample(config, impact.path_enu_m, impact.t_ns, impact.impact_t_ns)
        shots = tuple(
            shots_along(config, effector, path, impact.t_ns, track_m_std=known.track_m_std)
            for effector in config.effectors
        )
    draft.due.add(impact.track_id)
    draft.rounds[impact.track_id] = replace(
        known,
        heard_t_ns=max(known.heard_t_ns, impact.t_ns),
        path_t_ns=impact.t_ns,
        impact_t_ns=impact.impact_t_ns,
        path_known=True,
        impact_m_std=std if math.isfinite(std) else known.impact_m_std,
        free_shots=shots,
        unruled=True,
    )


def _take_operator(config: Config, draft: Draft, operator: Operator) -> None:
    draft.urgent = True
    if operator.track_id == 0:
        if operator.action in ("hold", "release"):
            draft.held = operator.action == "hold"
            draft.due.update(draft.rounds)
        return
    known = draft.rounds.get(operator.track_id)
    if known is None or known.ended:
        return
    if operator.action == "consent":
        known = replace(known, consent=True, vetoed=False)
    elif operator.action == "veto":
        known = replace(known, consent=False, vetoed=True)
    elif operator.action == "hold":
        known = replace(known, held=True)
    elif operator.action == "release":
        known = replace(known, held=False, vetoed=False)
    draft.rounds[operator.track_id] = known
    draft.due.add(operator.track_id)


def _take_tick(config: Config, draft: Draft, tick: Tick) -> None:
    """Time has gone on: that has been noted already."""


TAKES: Final[dict[type[Message], Callable[[Config, Draft, Any], None]]] = {
    Track: _take_track,
    Threat: _take_threat,
    Impact: _take_impact,
    Operator: _take_operator,
    Tick: _take_tick,
}
