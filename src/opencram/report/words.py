"""The summary in words: what was fired as seen, who was warned, what was engaged and ignored, and why."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from opencram.report.catalogue import Catalogue
from opencram.report.facts import Facts, TrackFacts
from opencram.report.formats import clock, count, median, percent, seconds, wilson_95
from opencram.report.formats import metres as metres_text
from opencram.report.zones import ZoneFacts

BEFORE_S = 5.0  # how long before the impact a prediction is judged in the summary


@dataclass(frozen=True)
class Paragraph:
    """A few sentences under a short bold title.  `grave`: something that must not be overlooked."""

    title: str
    sentences: tuple[str, ...]
    grave: bool = False


@dataclass(frozen=True)
class Figure:
    """One large number, what it counts, and where its rows stand."""

    value: str
    label: str
    note: str
    href: str
    grave: bool = False


def acted(facts: Facts) -> bool:
    """Whether effectors of a simulation could act: in recorded plots "engaged" is only what would have been done."""
    return facts.header is None or facts.header.source != "process"


def counting_zones(facts: Facts) -> list[ZoneFacts]:
    """Return the zones whose lead time counts: warned, and a round came down or was last predicted to."""
    return [zone for zone in facts.zones if zone.alarms and zone.needed and zone.lead_s is not None]


def missed_zones(facts: Facts) -> list[ZoneFacts]:
    """Return the zones that needed a warning and had none before the impact."""
    return [zone for zone in facts.zones if zone.needed and (zone.lead_s is None or zone.lead_s <= 0.0)]


def deck(facts: Facts, say: Catalogue) -> str:
    """Return the one sentence under the headline."""
    if not facts.projectiles:
        return say("head.nothing")
    engaged = sum(track.engaged for track in facts.projectiles)
    last = [track.decision.action for track in facts.projectiles if track.decision and not track.engaged]
    held = last.count("hold")
    done = say("deck.engaged" if acted(facts) else "deck.would", count=engaged) if engaged else say("deck.none")
    warned = sum(1 for zone in facts.zones if zone.alarms)
    leads = [zone.lead_s for zone in counting_zones(facts) if zone.lead_s is not None]
    return say(
        "deck.join",
        seen=say("deck.seen", count=len(facts.projectiles)),
        engaged=say.several([done, *([say("deck.held", count=held)] if held else [])]),
        zones=say("deck.zones", count=warned) if warned else say("deck.no_zone"),
        lead=say("deck.lead", lead=seconds(median(leads))) if leads else "",
    )


def figures(facts: Facts, say: Catalogue) -> list[Figure]:
    """Return the large numbers."""
    tracks = facts.projectiles
    warned = sum(1 for zone in facts.zones if zone.alarms)
    last = [track.decision.action for track in tracks if track.decision and not track.engaged]
    engaged = sum(track.engaged for track in tracks)
    leads = sorted(zone.lead_s for zone in counting_zones(facts) if zone.lead_s is not None)
    missed = missed_zones(facts)
    needed = sum(1 for zone in facts.zones if zone.needed)
    lead_note = ""
    if leads:
        lead_note = say("figure.lead.note", count=len(leads), least=seconds(leads[0]), most=seconds(leads[-1]))
    return [
        Figure(count(len(tracks)), say("figure.projectiles"), say("figure.projectiles.note"), "#timeline"),
        Figure(
            count(engaged),
            say("figure.engaged" if acted(facts) else "figure.would"),
            say("figure.engaged.note", n=count(len(tracks)), ignored=last.count("ignore"), held=last.count("hold")),
            "#decisions",
        ),
        Figure(count(warned), say("figure.zones"), say("figure.zones.note", n=count(len(facts.plan.zones))), "#zones"),
        Figure(count(facts.people_warned), say("figure.people"), say("figure.people.note"), "#zones"),
        Figure(seconds(median(leads) if leads else None), say("figure.lead"), lead_note, "#zones"),
        Figure(
            count(len(missed)),
            say("figure.missed"),
            say("figure.missed.note", n=count(needed), where=_where(facts, say)),
            "#zones",
            grave=bool(missed),
        ),
    ]


def paragraphs(facts: Facts, say: Catalogue) -> list[Paragraph]:
    """Return the summary."""
    found = [_came(facts, say), _warned(facts, say), _engaged(facts, say), _ignored(facts, say)]
    if facts.truth is not None:
        found.append(_truth(facts, say))
    if facts.health or facts.rejected:
        found.append(_health(facts, say))
    return [paragraph for paragraph in found if paragraph.sentences]


def classes_in_words(tracks: Sequence[TrackFacts], say: Catalogue) -> str:
    """Return "5 rockets and 2 mortar rounds", the most frequent first."""
    counted = Counter(track.class_name for track in tracks)
    items = []
    for name, number in sorted(counted.items(), key=lambda item: (-item[1], item[0])):
        known = f"classes.{name}.other" in say.texts
        items.append(say(f"classes.{name}" if known else "classes.other", count=number))
    return say.several(items)


def _came(facts: Facts, say: Catalogue) -> Paragraph:
    tracks = facts.projectiles
    if tracks:
        sentences = [
            say(
                "came.some",
                count=len(tracks),
                classes=classes_in_words(tracks, say),
                first=clock(min(track.first_t_ns for track in tracks)),
                last=clock(max(track.end_t_ns for track in tracks)),
            )
        ]
    else:
        sentences = [say("came.none", start=clock(facts.start_t_ns), end=clock(facts.end_t_ns))]
    if facts.others:
        sentences.append(say("came.others", count=len(facts.others), classes=classes_in_words(facts.others, say)))
    if facts.unconfirmed:
        sentences.append(say("came.unconfirmed", count=facts.unconfirmed))
    return Paragraph(say("came.title"), tuple(sentences))


def _warned(facts: Facts, say: Catalogue) -> Paragraph:
    warned = [zone for zone in facts.zones if zone.alarms]
    missed = missed_zones(facts)
    sentences: list[str] = []
    if warned:
        sentences.append(
            say("warned.zones", count=len(warned), first=clock(min(zone.first_issued_t_ns for zone in warned)))
        )
        if facts.people_warned:
            sentences.append(say("warned.people", people=count(facts.people_warned)))
        sentences += _leads(facts, say)
        withdrawn = sum(zone.alarms[-1].end == "cancelled" for zone in warned)
        if withdrawn:
            sentences.append(say("warned.withdrawn", count=withdrawn))
        needless = [zone for zone in warned if not zone.needed]
        if needless and facts.plan.zones:
            quiet = {zone.id for zone in facts.zones if zone.needed}
            everybody = sum(zone.people or 0 for zone in facts.plan.zones if zone.id not in quiet)
            people = count(sum(zone.people or 0 for zone in needless))
            sentences.append(say("warned.needless", count=len(needless), people=people, all=count(everybody)))
    else:
        sentences.append(say("warned.none"))
    needed = sum(1 for zone in facts.zones if zone.needed)
    if missed:
        names = say.several([zone.name for zone in missed[:8]] + (["…"] if len(missed) > 8 else []))
        sentences.insert(0, say("warned.missed", count=len(missed), where=_where(facts, say), names=names))
    elif needed:
        sentences.insert(1, say("warned.hit_all", count=needed, where=_where(facts, say)))
    return Paragraph(say("warned.title"), tuple(sentences), grave=bool(missed))


def _leads(facts: Facts, say: Catalogue) -> list[str]:
    zones = counting_zones(facts)
    leads = sorted(zone.lead_s for zone in zones if zone.lead_s is not None)
    if not leads:
        return []
    found = [
        say(
            "warned.lead",
            count=len(leads),
            median=seconds(median(leads)),
            least=seconds(leads[0]),
            most=seconds(leads[-1]),
        )
    ]
    timed = [zone.in_time for zone in zones if zone.in_time is not None]
    if timed:
        found.append(say("warned.in_time", count=len(timed), good=sum(timed)))
    return found


def _engaged(facts: Facts, say: Catalogue) -> Paragraph:
    engaged = [track for track in facts.projectiles if track.engaged]
    title = say("engaged.title" if acted(facts) else "engaged.would_title")
    if not engaged:
        return Paragraph(title, (say("engaged.none" if acted(facts) else "engaged.would_none"),))
    named = []
    for track in engaged[:8]:
        chosen = [decision for decision in track.decisions if decision.action == "engage"]
        decision = chosen[-1] if chosen else track.decision
        named.append(
            say(
                "engaged.track",
                track=track.track_id,
                probability=percent(decision.probability if decision else None),
                place=(decision.asset if decision else None) or say("none"),
            )
        )
    if len(engaged) > 8:
        named.append("…")
    sentences = [
        say("engaged.some", count=len(engaged), policy=facts.plan.protect or "?", tracks=say.several(named)),
    ]
    judged = [track for track in engaged if any(e.state in ("killed", "missed") for e in track.engagements)]
    if judged:
        sentences.append(
            say(
                "engaged.result",
                killed=sum(track.killed for track in engaged),
                n=len(judged),
            )
        )
    return Paragraph(title, tuple(sentences))


def _ignored(facts: Facts, say: Catalogue) -> Paragraph:
    rest = [track for track in facts.projectiles if not track.engaged]
    last = [track.decision for track in rest if track.decision is not None]
    ignored = [decision for decision in last if decision.action == "ignore"]
    held = [decision for decision in last if decision.action == "hold"]
    undecided = [track for track in rest if track.decision is None]
    sentences: list[str] = []
    if ignored:
        most = percent(max(decision.probability for decision in ignored))
        sentences.append(say("ignored.some", count=len(ignored), most=most))
    elif facts.projectiles:
        sentences.append(say("ignored.none"))
    if held:
        codes = say.several(sorted({decision.code.replace("_", " ") for decision in held}))
        sentences.append(say("ignored.held", count=len(held), codes=codes))
    if undecided:
        tracks = say.several([str(track.track_id) for track in undecided[:12]])
        sentences.append(say("ignored.undecided", count=len(undecided), tracks=tracks))
    if ignored or held:
        sentences.append(say("ignored.table"))
    return Paragraph(say("ignored.title"), tuple(sentences))


def _truth(facts: Facts, say: Catalogue) -> Paragraph:
    assert facts.truth is not None, "the caller asks only if there is a truth"
    rounds = facts.truth.rounds
    sentences = [say("truth.rounds", count=len(rounds), seen=len(rounds) - len(facts.unseen))]
    if facts.unseen:
        named = [f"{entry.number} ({entry.name or '?'})" for entry in facts.unseen[:12]]
        sentences.append(say("truth.unseen", rounds=say.several(named)))
    unanswered = sum(1 for track in facts.projectiles if track.truth is None)
    if unanswered:
        sentences.append(say("truth.false", count=unanswered))
    destroyed = sum(1 for entry in rounds if entry.intercepted and entry.impact is None)
    duds = sum(1 for entry in rounds if entry.intercepted and entry.impact is not None)
    if destroyed:
        sentences.append(say("truth.destroyed", count=destroyed))
    if duds:
        sentences.append(say("truth.duds", count=duds))
    judged = [(track, track.estimate_at(BEFORE_S)) for track in facts.projectiles]
    errors = [e for track, estimate in judged if estimate and (e := track.error_m(estimate)) is not None]
    held = [h for track, estimate in judged if estimate and (h := track.held(estimate)) is not None]
    if errors and held:
        low, high = wilson_95(sum(held), len(held))
        sentences.append(
            say(
                "truth.error",
                error=metres_text(median(errors)),
                n=len(errors),
                at=f"{BEFORE_S:g}",
                held=sum(held),
                of=len(held),
                share=percent(sum(held) / len(held)),
                low=percent(low),
                high=percent(high),
            )
        )
    if facts.truth.unreadable:
        sentences.append(say("truth.unreadable", count=facts.truth.unreadable))
    return Paragraph(say("truth.title"), tuple(sentences), grave=bool(facts.unseen))


def _health(facts: Facts, say: Catalogue) -> Paragraph:
    sentences = []
    if facts.health:
        parts = sorted({event.part for event in facts.health if event.state != "ok"})
        named = f" ({say.several(parts[:8])})." if parts else "."
        sentences.append(say("health.events", count=len(facts.health)) + named)
    if facts.rejected:
        sentences.append(say("health.rejected", count=facts.rejected))
    return Paragraph(say("health.title"), tuple(sentences))


def _where(facts: Facts, say: Catalogue) -> str:
    return say("warned.where.truth" if facts.truth is not None else "warned.where.predicted")
