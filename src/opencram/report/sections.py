"""Sections 3 to 5: the timeline, the decisions and their reasons, the warnings by zone."""

from collections.abc import Mapping, Sequence

from opencram.report.became import became
from opencram.report.catalogue import Catalogue
from opencram.report.facts import Facts, TrackFacts
from opencram.report.formats import DASH, clock, count, metres, percent, seconds
from opencram.report.markup import Child, Markup, el, join
from opencram.report.svg_charts import decision_mark, engagement_mark, timeline_svgs, warned_mark
from opencram.report.svg_map import actual_mark, first_mark, predicted_mark
from opencram.report.tables import Column, folded, table
from opencram.report.zones import AlarmFacts, DistrictFacts, ZoneFacts


def timeline(facts: Facts, say: Catalogue) -> Markup:
    """Return section 3."""
    if not facts.projectiles:
        return el("p", say("timeline.none"), class_="empty")
    columns = [
        Column(say("col.track")),
        Column(say("col.class")),
        *(
            Column(say(f"col.{name}"), is_number=True)
            for name in ("first", "confirmed", "estimate", "warned", "decided", "engaged", "impact")
        ),
        Column(say("col.end")),
    ]
    rows = [_timeline_row(track, say) for track in facts.projectiles]
    return join(
        el("p", say("timeline.lead"), class_="lead"),
        _timeline_key(say),
        *(
            el("figure", el("div", picture, class_="scroll"), class_="wide-figure")
            for picture in timeline_svgs(facts, say)
        ),
        folded(say("timeline.table"), table(say("timeline.table"), columns, rows)),
    )


def _timeline_row(track: TrackFacts, say: Catalogue) -> list[Child]:
    engaged = [e.t_ns for e in track.engagements if e.state == "fired"]
    return [
        str(track.track_id),
        say("class." + track.class_name),
        clock(track.first_t_ns),
        clock(track.confirmed_t_ns),
        clock(track.estimates[0].t_ns if track.estimates else None),
        clock(track.warned[0][0] if track.warned else None),
        clock(track.decisions[0].t_ns if track.decisions else None),
        clock(engaged[0] if engaged else None),
        clock(track.end_t_ns if track.estimates or track.truth else None),
        say(f"end.{track.drop_reason}"),
    ]


def _timeline_key(say: Catalogue) -> Markup:
    x, y = 10.0, 10.0
    gap = el("path", d="M1 10H19", class_="bar"), el("path", d="M4 10H16", class_="bar gap")
    marks: list[tuple[Child, str]] = [
        (first_mark(x, y), "first"),
        (el("path", d="M10 5l5 5l-5 5l-5 -5z", class_="confirmed"), "confirmed"),
        (predicted_mark(x, y), "estimate"),
        (warned_mark(x, y), "warned"),
        (decision_mark(x, y, "engage", say), "decision"),
        (engagement_mark(x, y, "fired"), "fired"),
        (engagement_mark(x, y, "killed"), "killed"),
        (engagement_mark(x, y, "missed"), "missed"),
        (el("path", d="M10 3v14", class_="end"), "end"),
        (actual_mark(x, y), "impact"),
        (gap, "gap"),
    ]
    return el("ul", *(key_item(mark, say(f"mark.{name}")) for mark, name in marks), class_="key")


def key_item(mark: Child, text: str) -> Markup:
    """Return one entry of a key: its mark and its meaning."""
    return el("li", el("svg", mark, viewBox="0 0 20 20", aria_hidden="true"), el("span", text))


# ---- decisions ------------------------------------------------------------------------------------


def decisions(facts: Facts, say: Catalogue) -> Markup:
    """Return section 4."""
    parts: list[Child] = []
    if facts.projectiles:
        parts.append(el("p", say("decisions.lead", radius=metres(facts.plan.hazard_radius_m)), class_="lead"))
        parts.append(_last_decisions(facts, say))
        parts.append(folded(say("decisions.all"), _all_decisions(facts, say)))
    else:
        parts.append(el("p", say("decisions.none"), class_="empty"))
    if any(track.engagements for track in facts.projectiles):
        parts += [
            el("h3", say("engagements.title")),
            el("p", say("engagements.lead"), class_="lead"),
            _shots(facts, say),
        ]
    parts.append(became(facts, say))
    if facts.operators:
        columns = [Column(say("col.time")), *(Column(say(f"col.{n}")) for n in ("operator", "action", "track", "zone"))]
        rows = [
            [
                clock(o.t_ns),
                o.operator,
                say(f"operator.{o.action}"),
                str(o.track_id) if o.track_id else DASH,
                o.zone or DASH,
            ]
            for o in facts.operators
        ]
        parts += [el("h3", say("operators.title")), table(say("operators.title"), columns, rows)]
    return join(*parts)


def _last_decisions(facts: Facts, say: Catalogue) -> Markup:
    columns = [
        Column(say("col.track")),
        Column(say("col.action")),
        Column(say("col.place")),
        Column(say("col.probability"), is_number=True),
        Column(say("col.reason"), wide=True),
        Column(say("col.zone_most")),
        Column(say("col.impact"), is_number=True),
    ]
    names = {zone.id: zone.name for zone in facts.plan.zones}
    rows: list[list[Child]] = []
    kinds: list[str | None] = []
    for track in sorted(facts.projectiles, key=lambda track: (not track.engaged, track.first_t_ns, track.track_id)):
        decision = track.decision
        engaging = [d for d in track.decisions if d.action == "engage"]
        if track.engaged and decision is not None and decision.action != "engage" and engaging:
            decision = engaging[-1]  # what was done counts, not what was said after the shot
        kind = el("span", say("class." + track.class_name), class_="quiet")
        name = join(el("b", f"{track.track_id}"), "\N{NO-BREAK SPACE}", kind)
        if decision is None:
            rows.append(
                [name, DASH, DASH, DASH, say("decisions.missing"), _zone_most(track, names), clock(track.end_t_ns)]
            )
            kinds.append("grave")
            continue
        rows.append(
            [
                name,
                action_badge(decision.action, say),
                decision.asset or DASH,
                percent(decision.probability),
                say.logged(decision.reason, decision.reasons),
                _zone_most(track, names),
                clock(track.end_t_ns),
            ]
        )
        kinds.append("engage" if track.engaged else None)
    return table(say("section.decisions"), columns, rows, kinds=kinds)


def _zone_most(track: TrackFacts, names: Mapping[str, str]) -> Child:
    """Return the zone that the last threat of the track gave the highest probability, and that probability."""
    zones = [(place, probability) for kind, place, probability in track.places if kind == "zone"]
    if not zones:
        return DASH
    place, probability = zones[0]
    return [f"{names.get(place, place)} ", el("span", percent(probability), class_="quiet")]


def action_badge(action: str, say: Catalogue) -> Markup:
    """Return a decision as a word in a frame; to engage has a filled one."""
    return el("span", say(f"action.{action}"), class_=f"badge {action}")


def _all_decisions(facts: Facts, say: Catalogue) -> Markup:
    columns = [
        Column(say("col.track")),
        Column(say("col.time"), is_number=True),
        Column(say("col.before"), is_number=True),
        Column(say("col.action")),
        Column(say("col.place")),
        Column(say("col.probability"), is_number=True),
        Column(say("col.code")),
        Column(say("col.reason"), wide=True),
    ]
    rows: list[list[Child]] = []
    for track in facts.projectiles:
        for decision in track.decisions:
            rows.append(
                [
                    str(track.track_id),
                    clock(decision.t_ns),
                    seconds((track.end_t_ns - decision.t_ns) / 1e9),
                    say(f"action.{decision.action}"),
                    decision.asset or DASH,
                    percent(decision.probability),
                    decision.code,
                    say.logged(decision.reason, decision.reasons),
                ]
            )
    return table(say("decisions.all"), columns, rows)


def _shots(facts: Facts, say: Catalogue) -> Markup:
    columns = [
        Column(say("col.track")),
        Column(say("col.time"), is_number=True),
        Column(say("col.effector")),
        Column(say("col.state")),
        Column(say("col.rounds"), is_number=True),
        Column(say("col.kill"), is_number=True),
    ]
    rows: list[list[Child]] = [
        [
            str(track.track_id),
            clock(shot.t_ns),
            shot.effector,
            say(f"state.{shot.state}"),
            count(shot.rounds),
            percent(shot.kill_probability),
        ]
        for track in facts.projectiles
        for shot in track.engagements
    ]
    return table(say("engagements.title"), columns, rows)


# ---- zones ----------------------------------------------------------------------------------------


def zones(facts: Facts, say: Catalogue) -> Markup:
    """Return section 5."""
    if not facts.zones:
        return el("p", say("zones.none"), class_="empty")
    columns = [
        Column(say("col.zone")),
        Column(say("col.warned"), is_number=True),
        Column(say("col.outcome")),
        Column(say("col.impact"), is_number=True),
        Column(say("col.lead"), is_number=True),
        Column(say("zones.bar")),
        Column(say("col.shelter"), is_number=True),
        Column(say("col.enough")),
        Column(say("col.people"), is_number=True),
        Column(say("col.advice")),
        Column(say("col.ended")),
    ]
    longest = max(
        [30.0, *(zone.lead_s or 0.0 for zone in facts.zones), *(z.shelter_time_s or 0.0 for z in facts.zones)]
    )
    rows = [_zone_row(zone, longest, say) for zone in facts.zones]
    kinds = ["grave" if zone.needed and (zone.lead_s is None or zone.lead_s <= 0.0) else None for zone in facts.zones]
    alarms = [(zone, alarm) for zone in facts.zones for alarm in zone.alarms]
    return join(
        el("p", say("zones.lead"), class_="lead"),
        table(say("section.zones"), columns, rows, kinds=kinds),
        _district_table(facts.districts, {zone.id: zone.name for zone in facts.plan.zones}, say),
        folded(say("zones.reason"), _alarm_table(alarms, say)) if alarms else None,
    )


def _zone_row(zone: ZoneFacts, longest_s: float, say: Catalogue) -> list[Child]:
    first = zone.alarms[0] if zone.alarms else None
    name: Child = zone.name if zone.name == zone.id else [zone.name, " ", el("span", zone.id, class_="quiet")]
    outcome = el("b", say(f"zones.verdict.{zone.verdict}")) if zone.needed else say(f"zones.verdict.{zone.verdict}")
    if first is None:
        warned: Child = el("b", say("zones.never"), class_="alarm-text")
    else:
        warned = clock(first.issued_t_ns)
    enough = say("zones.withdrawn") if first is not None and zone.lead_s is None else DASH
    if zone.in_time is not None and zone.lead_s is not None and zone.shelter_time_s is not None:
        enough = (
            say("zones.enough")
            if zone.in_time
            else say("zones.short", short=seconds(zone.shelter_time_s - zone.lead_s))
        )
    return [
        name,
        warned,
        outcome,
        clock(zone.impact_t_ns) if zone.needed else el("span", f"({clock(zone.impact_t_ns)})", class_="quiet"),
        seconds(zone.lead_s),
        _lead_bar(zone, longest_s),
        seconds(zone.shelter_time_s),
        enough,
        count(zone.people),
        say(f"advice.{first.advice}") if first else DASH,
        _end_of(zone.alarms[-1], say) if zone.alarms else DASH,
    ]


def _lead_bar(zone: ZoneFacts, longest_s: float) -> Markup:
    """Return the lead time as a bar with a stroke at the shelter time; solid if it is enough, hollow if not."""
    width = 110.0
    lead = max(0.0, zone.lead_s or 0.0) / longest_s * width
    parts = [el("path", d="M0 13.5H110", class_="axis")]
    if zone.lead_s is not None:
        parts.append(
            el("rect", x=0, y=3, width=lead, height=8, class_="lead-bar short" if zone.in_time is False else "lead-bar")
        )
    if zone.shelter_time_s is not None:
        parts.append(el("path", d=f"M{zone.shelter_time_s / longest_s * width:.1f} 0v14", class_="shelter"))
    return el("svg", *parts, viewBox="0 0 112 15", class_="lead-chart", aria_hidden="true")


def _end_of(alarm: AlarmFacts, say: Catalogue) -> str:
    return say(f"zones.end.{alarm.end}", time=clock(alarm.end_t_ns)[:8])


def _district_table(districts: Sequence[DistrictFacts], names: Mapping[str, str], say: Catalogue) -> Child:
    """Return the alarms of districts; nothing where none was in alarm."""
    if not districts:
        return None
    columns = [
        Column(say("zones.district")),
        Column(say("col.time"), is_number=True),
        Column(say("nav.zones"), wide=True),
        Column(say("col.ended")),
    ]
    rows: list[list[Child]] = [
        [
            district.name,
            clock(alarm.issued_t_ns),
            ", ".join(names.get(zone, zone) for zone in district.zone_ids),
            _end_of(alarm, say),
        ]
        for district in districts
        for alarm in district.alarms
    ]
    return table(say("zones.districts"), columns, rows)


def _alarm_table(alarms: list[tuple[ZoneFacts, AlarmFacts]], say: Catalogue) -> Markup:
    columns = [
        Column(say("col.alarm")),
        Column(say("col.zone")),
        Column(say("col.time"), is_number=True),
        Column(say("col.before"), is_number=True),
        Column(say("col.advice")),
        Column(say("col.peak"), is_number=True),
        Column(say("col.tracks")),
        Column(say("col.reason"), wide=True),
        Column(say("col.ended")),
    ]
    rows: list[list[Child]] = [
        [
            str(alarm.alarm_id),
            zone.name,
            clock(alarm.issued_t_ns),
            seconds(alarm.seconds_left),
            say(f"advice.{alarm.advice}"),
            percent(alarm.probability_max),
            ", ".join(map(str, alarm.track_ids)),
            say.logged(alarm.reason),
            _end_of(alarm, say),
        ]
        for zone, alarm in sorted(alarms, key=lambda item: (item[1].issued_t_ns, item[1].alarm_id))
    ]
    return table(say("zones.reason"), columns, rows)
