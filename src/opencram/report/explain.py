"""The whole story of one round, from a recording: what was known when, what was warned, what was decided and why.

    opencram explain raid.opencram 3

Each line has the time of the data and, for a decision, what the system knew at that moment.  Nothing is told that the
recording does not hold; what truly happened is added only where a simulation left its truth.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from opencram.config.model import Site
from opencram.config.site import parse_site
from opencram.messages import Decision, Engagement, Impact, Message, Operator, Threat, Track, Warning
from opencram.recording import read, read_header, truth_of
from opencram.report.outcomes import ledger
from opencram.report.truth import match, read_truth

Language = str
LANGUAGES: Final = ("en", "fr", "ar")
IMPACT_STEP_NS: Final = 2_000_000_000  # an estimate every two seconds, and the last

# key: (English, French, Arabic)
_LINES: Final[dict[str, tuple[str, str, str]]] = {
    "title": ("Track {track}", "Piste {track}", "المسار {track}"),
    "seen": ("first plot at {time}", "premier plot à {time}", "أول رصد في {time}"),
    "status": (
        "track {status}, {plots} plots: {classes}",
        "piste {status}, {plots} plots : {classes}",
        "المسار {status}، {plots} رصدًا: {classes}",
    ),
    "impact": (
        "lands {distance} m from the site's centre (east {east}, north {north}) at {at}, give or take {std} m",
        "tombe à {distance} m du centre du site (est {east}, nord {north}) à {at}, à {std} m près",
        "يسقط على بعد {distance} م من مركز الموقع (شرق {east}، شمال {north}) في {at}، بهامش {std} م",
    ),
    "warning": (
        "zone {zone}: alarm {state}, {advice}, {left} s before impact",
        "zone {zone} : alarme {state}, {advice}, {left} s avant l’impact",
        "المنطقة {zone}: الإنذار {state}، {advice}، قبل السقوط بـ {left} ث",
    ),
    "decision": ("{action} [{code}]: {reason}", "{action} [{code}] : {reason}", "{action} [{code}]: {reason}"),
    "known": (
        "known then: {probability} at {place}; impact {left} s away, uncertain by {std} m; {people} people exposed",
        "connu alors : {probability} sur {place} ; impact dans {left} s, à {std} m près ; {people} personnes exposées",
        "المعلوم حينها: {probability} على {place}؛ السقوط بعد {left} ث بهامش {std} م؛ {people} شخصًا معرّضًا",
    ),
    "operator": ("operator {who}: {action}", "opérateur {who} : {action}", "المشغّل {who}: {action}"),
    "engagement": (
        "engagement {number}, {effector} (a generic model): {state}; {rounds} rounds, meets it at {at}, {kill} to kill",
        "engagement {number}, {effector} (modèle générique) : {state} ; {rounds} coups, rencontre à {at}, "
        "{kill} de chances de détruire",
        "الاشتباك {number}، {effector} (نموذج عام): {state}؛ {rounds} طلقة، اللقاء في {at}، احتمال التدمير {kill}",
    ),
    "end": ("track ended: {reason_word}", "fin de la piste : {reason_word}", "انتهى المسار: {reason_word}"),
    "truth": (
        "in truth: {said}, as the simulation has it; {people} people within 50 m",
        "en vérité, selon la simulation : {said} ; {people} personnes à moins de 50 m",
        "في الحقيقة، وفق المحاكاة: {said}؛ {people} شخصًا ضمن 50 م",
    ),
}

# Words of messages as people say them: English, French, Arabic.  What is not here is a name, and stays as it is.
_WORDS: Final[dict[str, tuple[str, str, str]]] = {
    "tentative": ("tentative", "provisoire", "مبدئي"),
    "confirmed": ("confirmed", "confirmée", "مؤكد"),
    "coasting": ("coasting", "extrapolée", "مستنتج"),
    "impact": ("impact", "impact", "سقوط"),
    "lost": ("lost", "perdue", "فُقد"),
    "intercepted": ("intercepted", "interceptée", "اعتُرض"),
    "duplicate": ("duplicate", "doublon", "مكرر"),
    "never_confirmed": ("never confirmed", "jamais confirmée", "لم يتأكد"),
    "limit": ("limit", "limite", "الحد"),
    "rocket": ("rocket", "roquette", "صاروخ"),
    "mortar": ("mortar", "mortier", "هاون"),
    "shell": ("shell", "obus", "قذيفة"),
    "aircraft": ("aircraft", "aéronef", "طائرة"),
    "drone": ("drone", "drone", "مسيّرة"),
    "bird": ("bird", "oiseau", "طائر"),
    "issued": ("issued", "émise", "صدر"),
    "updated": ("updated", "mise à jour", "محدَّث"),
    "cancelled": ("cancelled", "annulée", "أُلغي"),
    "all_clear": ("all clear", "fin d’alerte", "زوال الخطر"),
    "expired": ("expired", "expirée", "انتهى"),
    "shelter": ("shelter", "à l’abri", "إلى الملجأ"),
    "drop": ("drop", "à terre", "انبطح"),
    "none": ("no advice", "sans consigne", "بلا إرشاد"),
    "engage": ("engage", "engager", "اشتباك"),
    "ignore": ("ignore", "ignorer", "تجاهل"),
    "hold": ("hold", "retenir", "انتظار"),
    "consent": ("consents", "accord", "موافقة"),
    "veto": ("vetoes", "veto", "نقض"),
    "release": ("releases", "libère", "إفراج"),
    "acknowledge": ("acknowledges", "prend acte", "إقرار"),
    "committed": ("committed", "décidé", "تقرر"),
    "fired": ("fired", "tiré", "أُطلق"),
    "killed": ("killed", "détruit", "دُمّر"),
    "missed": ("missed", "manqué", "أخطأ"),
    "aborted": ("aborted", "annulé", "أُلغي"),
    "hit inside": ("hit inside", "tombé à l’intérieur", "سقط في الداخل"),
    "hit outside": ("hit outside", "tombé à l’extérieur", "سقط في الخارج"),
    "burst in the air": ("burst in the air", "éclaté en l’air", "انفجر في الجو"),
    "dud": ("dud", "non explosé", "لم ينفجر"),
    "still flying": ("still flying", "encore en vol", "ما زال في الجو"),
}
_WORDED: Final = frozenset({"status", "reason_word", "state", "advice", "action", "said"})  # values that are such words


@dataclass(frozen=True)
class Line:
    """One line of the story: when, which kind, and the numbers in it."""

    t_ns: int
    key: str
    values: dict[str, Any] = field(default_factory=dict)


def story(messages: Iterable[Message], track_id: int, language: Language = "en") -> list[Line]:
    """Return the lines of the story of one track, in the order of time; none if it is not in the recording."""
    lines: list[Line] = []
    impact: Impact | None = None
    threat: Threat | None = None
    told_t_ns, status = -(1 << 62), ""
    for message in messages:
        match message:
            case Track(track_id=i) if i == track_id:
                if not status:
                    lines.append(Line(message.t_ns, "seen", {"time": clock(message.first_t_ns)}))
                if message.status != status:
                    lines.append(_status(message))
                    status = message.status
            case Impact(track_id=i) if i == track_id:
                impact = message
                if message.t_ns >= told_t_ns + IMPACT_STEP_NS:
                    told_t_ns = message.t_ns
                    lines.append(_impact(message))
            case Threat(track_id=i) if i == track_id:
                threat = message
            case Decision(track_id=i) if i == track_id:
                if impact is not None and impact.t_ns > told_t_ns:
                    told_t_ns = impact.t_ns
                    lines.append(_impact(impact))
                lines += _decision(message, impact, threat, language)
            case Engagement(track_id=i) if i == track_id:
                lines.append(_engagement(message))
            case Operator(track_id=i) if i == track_id and track_id:
                lines.append(Line(message.t_ns, "operator", {"who": message.operator, "action": message.action}))
            case Warning() if track_id in message.track_ids:
                values = {"zone": message.zone, "state": message.state, "advice": message.advice}
                lines.append(Line(message.t_ns, "warning", {**values, "left": f"{message.seconds_left:.1f}"}))
            case _:
                pass
    return sorted(lines, key=lambda line: line.t_ns)  # what was known is told at its own time


def outcome_of(messages: Iterable[Message], site: Site, truth: dict[str, Any], track_id: int) -> Line | None:
    """Return what truly became of the round behind a track, as a simulation left it; None where no round fits."""
    predicted = {
        message.track_id: ((message.position_enu_m[0], message.position_enu_m[1]), message.impact_t_ns)
        for message in messages
        if isinstance(message, Impact)
    }
    behind = match(read_truth(truth), predicted, {}).get(track_id)
    if behind is None or not truth.get("rounds") or "fate" not in truth["rounds"][behind.number - 1]:
        return None
    became = ledger(site, truth).outcomes[behind.number - 1]
    values = {"said": became.said, "people": f"{became.people:.1f}", "round": behind.name}
    return Line(behind.end_t_ns or 0, "truth", values)


def whole_story(recording: str, track_id: int, language: Language = "en") -> list[Line]:
    """Return the story of a track of a recording, with its true end where a simulation left its truth beside it."""
    messages, header = list(read(recording)), read_header(recording)
    lines, truth = story(messages, track_id, language), truth_of(recording, header)
    if lines and truth is not None:
        became = outcome_of(messages, parse_site(header.site_toml, recording), truth, track_id)
        lines += [became] if became is not None else []
    return lines


def told(lines: Iterable[Line], track_id: int, language: Language = "en") -> list[str]:
    """Return the story as lines of text."""
    text = [_said("title", language, {"track": track_id})]
    for line in lines:
        indent = "  " if line.key != "known" else "      "
        when = f"{clock(line.t_ns)}  " if line.key != "known" else " " * 8
        text.append(f"{indent}{when}{_said(line.key, language, line.values)}")
    return text


def clock(t_ns: int) -> str:
    """Return the UTC time of day to a tenth of a second, rounded down."""
    tenths = t_ns // 100_000_000 % 864_000
    return f"{tenths // 36_000:02d}:{tenths // 600 % 60:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"


def percent(share: float) -> str:
    """Return a share in per cent, never a false 0 or 100."""
    if not math.isfinite(share):
        return "?"
    if share < 0.001 or share > 0.999:
        return "< 0.1 %" if share < 0.5 else "> 99.9 %"
    return f"{100.0 * share:.1f} %"


def _said(key: str, language: Language, values: dict[str, Any]) -> str:
    number = LANGUAGES.index(language)
    worded = {
        name: _WORDS[value][number] if name in _WORDED and value in _WORDS else value for name, value in values.items()
    }
    if "classes" in values:
        kinds = (part.split(" ", 1) for part in values["classes"].split(", ") if part)
        worded["classes"] = ", ".join(f"{_WORDS.get(kind, (kind,) * 3)[number]} {share}" for kind, share in kinds)
    return _LINES[key][number].format(**worded)


def _status(track: Track) -> Line:
    if track.status == "dropped":
        return Line(track.t_ns, "end", {"reason_word": track.reason or "lost"})
    classes = ", ".join(f"{name} {percent(share)}" for name, share in track.classes[:3])
    return Line(track.t_ns, "status", {"status": track.status, "plots": track.plots, "classes": classes})


def _std_m(impact: Impact) -> float:
    ee, en, nn = impact.covariance_enu_m2
    return math.sqrt(max(0.5 * (ee + nn) + math.hypot(0.5 * (ee - nn), en), 0.0))


def _impact(impact: Impact) -> Line:
    east, north, _ = impact.position_enu_m
    values = {"distance": f"{math.hypot(east, north):.0f}", "east": f"{east:.0f}", "north": f"{north:.0f}"}
    return Line(impact.t_ns, "impact", {**values, "at": clock(impact.impact_t_ns), "std": f"{_std_m(impact):.0f}"})


def _decision(decision: Decision, impact: Impact | None, threat: Threat | None, language: Language) -> list[Line]:
    reason = dict(decision.reasons).get(language, decision.reason)
    lines = [Line(decision.t_ns, "decision", {"action": decision.action, "code": decision.code, "reason": reason})]
    if threat is not None and impact is not None:
        most = max(threat.places, key=lambda place: place.probability, default=None)
        values = {
            "probability": percent(most.probability if most is not None else 0.0),
            "place": most.place if most is not None else "–",
            "left": f"{(impact.impact_t_ns - decision.t_ns) / 1e9:.1f}",
            "std": f"{_std_m(impact):.0f}",
            "people": f"{threat.expected_exposed:.2f}",
        }
        lines.append(Line(decision.t_ns, "known", values))
    return lines


def _engagement(engagement: Engagement) -> Line:
    values = {"number": engagement.engagement_id, "effector": engagement.effector, "state": engagement.state}
    at, kill = clock(engagement.intercept_t_ns), percent(engagement.kill_probability)
    return Line(engagement.t_ns, "engagement", {**values, "rounds": engagement.rounds, "at": at, "kill": kill})
