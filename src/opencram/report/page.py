"""The page: head, summary, map with its replay, and the sections one after the other."""

import base64
import hashlib
import zlib
from importlib.resources import files

from opencram.display.reel import script as display_script
from opencram.report.appendix import appendix, prediction, sensors
from opencram.report.catalogue import Catalogue
from opencram.report.facts import Facts
from opencram.report.formats import DASH, clock, count, day, isolated, metres
from opencram.report.markup import Child, Markup, el, join
from opencram.report.sections import decisions, key_item, timeline, zones
from opencram.report.svg_map import (
    EARLY_TRACKS_MAX,
    actual_mark,
    effector_mark,
    engaged_mark,
    first_mark,
    map_svg,
    overview_svg,
    predicted_mark,
    projection_of,
    sensor_mark,
)
from opencram.report.tables import Column, folded, table
from opencram.report.words import acted, deck, figures, paragraphs

SECTIONS = ("summary", "map", "timeline", "decisions", "zones", "prediction", "sensors", "appendix")


def page(facts: Facts, say: Catalogue, replay: str = "") -> str:
    """Return the whole document.  `replay`: a page that plays the raid, from `display.reel.page`; "": there is none."""
    style, script = _packaged("style.css"), _packaged("replay.js")
    site = facts.plan.name or say("unnamed")
    # The page may run its own player and nothing else, whatever a hostile name tries; the replay inherits the policy.
    scripts = " ".join(f"'sha256-{_digest(text)}'" for text in (script, display_script()))
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src {scripts}"
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light"),
        el("title", say("title", site=site)),
        el("style", style),
    )
    content = {
        "summary": _summary(facts, say),
        "map": _map(facts, replay, say),
        "timeline": timeline(facts, say),
        "decisions": decisions(facts, say),
        "zones": zones(facts, say),
        "prediction": prediction(facts, say),
        "sensors": sensors(facts, say),
        "appendix": appendix(facts, say),
    }
    body = el(
        "body",
        el("a", say("skip"), href="#summary", class_="skip"),
        _masthead(facts, site, say),
        el("main", *(_section(index, name, content[name], say) for index, name in enumerate(SECTIONS, start=1))),
        el("script", script),
    )
    text = f"<!doctype html>\n{el('html', head, body, lang=say.language, dir=say.direction)}\n"
    return isolated(text) if say.direction == "rtl" else text


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _packaged(name: str) -> Markup:
    return Markup(files("opencram.report").joinpath(name).read_text(encoding="utf-8"))


def _section(index: int, name: str, content: Markup, say: Catalogue) -> Markup:
    title = el("h2", el("span", f"{index}", class_="number"), " ", say(f"section.{name}"), id=f"{name}-title")
    return el("section", title, content, id=name, aria_labelledby=f"{name}-title")


def _masthead(facts: Facts, site: str, say: Catalogue) -> Markup:
    source = facts.header.source if facts.header else "unknown"
    start, end = facts.scene
    links = [el("li", el("a", say(f"nav.{name}"), href=f"#{name}")) for name in SECTIONS]
    note = say("model_note" if acted(facts) else "model_note_process")
    when = say("head.when", day=day(start), start=clock(start)[:8], end=clock(end)[:8])
    return el(
        "header",
        el(
            "p",
            el("span", say("kicker"), class_="kicker"),
            el("span", say(f"source.{source}"), class_="source"),
            el("span", say("head.truth" if facts.truth is not None else "head.no_truth"), class_="quiet"),
            class_="over",
        ),
        el("h1", site),
        el("p", deck(facts, say), class_="deck"),
        el("p", f"{when} · {note}", class_="byline"),
        el("p", logged, class_="byline") if (logged := say("logged_note")) else None,
        el("nav", el("ol", *links), aria_label=say("head.contents")),
        class_="masthead",
    )


def _summary(facts: Facts, say: Catalogue) -> Markup:
    numbers = [
        el(
            "li",
            el(
                "a",
                el("span", figure.value, class_="value"),
                el("span", figure.label, class_="label"),
                el("span", figure.note, class_="note"),
                href=figure.href,
            ),
            class_="grave" if figure.grave else None,
        )
        for figure in figures(facts, say)
    ]
    prose = [
        el(
            "p",
            el("b", paragraph.title),
            " ",
            " ".join(paragraph.sentences),
            class_="grave" if paragraph.grave else None,
        )
        for paragraph in paragraphs(facts, say)
    ]
    return join(el("ul", *numbers, class_="figures"), el("div", *prose, class_="prose"))


# ---- map and replay -------------------------------------------------------------------------------


def _map(facts: Facts, replay: str, say: Catalogue) -> Markup:
    view = projection_of(facts)
    overview = overview_svg(facts, view, say)
    lead = say("map.lead") + (f" {say('map.lead_closer')}" if overview is not None else "")
    drawn, _ = map_svg(facts, view, say)
    picture = el("div", drawn, class_="scroll", tabindex=0, role="group", aria_label=say("section.map"))
    problem = say("map.no_plan", problem=facts.plan.problem) if facts.plan.problem else None
    aside = el("div", _legend(facts, say), overview, class_="still-aside")
    return join(
        el("p", lead, class_="lead"),
        el("p", problem, class_="grave") if problem else None,
        el(
            "div",
            el("figure", picture, class_="map-figure"),
            el("div", aside, class_="map-aside"),
            class_="map-grid",
        ),
        _replay(replay, say) if replay else None,
        folded(say("table.map"), _map_table(facts, say)),
    )


def _replay(replay: str, say: Catalogue) -> Markup:
    """Return what opens the replay: a page within the page, hidden until the script shows it."""
    packed = base64.b64encode(zlib.compress(replay.encode(), 9)).decode()
    return el(
        "div",
        el(
            "button", say("player.play"), type="button", id="open-replay", class_="primary", hidden=True,
            data_title=say("player.title"),
        ),
        el("p", say("player.help"), class_="quiet help"),
        el("noscript", el("p", say("player.no_script"), class_="quiet")),
        el("script", Markup(packed), type="text/plain", id="replay-page"),
        id="replay",
    )  # fmt: skip


def _legend(facts: Facts, say: Catalogue) -> Markup:
    x, y = 10.0, 10.0
    square = "M2 3h16v14h-16z"
    ellipse = {"cx": 10, "cy": 10, "rx": 9, "ry": 5}
    warned = join(el("path", d=square, class_="tint"), el("path", d=square, class_="hatch", fill="url(#hatch)"))
    edge = el("path", d=square, class_="edge")
    tracks = facts.projectiles
    entries: list[tuple[bool, Child, str]] = [
        (bool(facts.plan.assets), el("path", d=square, class_="asset"), "asset"),
        (bool(facts.plan.zones), el("path", d=square, class_="zone"), "zone"),
        (
            any(z.alarms and z.alarms[-1].end != "cancelled" for z in facts.zones),
            el("g", warned, edge, class_="told warned"),
            "warned",
        ),
        (
            any(z.alarms and z.alarms[-1].end == "cancelled" for z in facts.zones),
            el("g", warned, edge, class_="told warned withdrawn"),
            "withdrawn",
        ),
        (any(not z.alarms for z in facts.zones), el("g", edge, class_="told unwarned"), "unwarned"),
        (bool(tracks), [el("path", d="M4 15L19 4", class_="trail"), first_mark(4.0, 15.0)], "trail"),
        (bool(facts.others), el("path", d="M1 15L19 4", class_="trail other"), "other"),
        (bool(tracks), el("ellipse", **ellipse, class_="ellipse"), "ellipse"),
        (0 < len(tracks) <= EARLY_TRACKS_MAX, el("ellipse", **ellipse, class_="ellipse early"), "early"),
        (bool(tracks), predicted_mark(x, y), "predicted"),
        (facts.truth is not None, actual_mark(x, y), "actual"),
        (any(t.engaged for t in tracks), engaged_mark(x, y), "engaged" if acted(facts) else "would"),
        (bool(facts.plan.sensors), sensor_mark(x, y), "radar"),
        (bool(facts.plan.effectors), effector_mark(x, y), "effector"),
    ]
    items = [key_item(mark, say(f"legend.{name}")) for shown, mark, name in entries if shown]
    return join(el("h3", say("legend.title")), el("ul", *items, class_="key legend"))


def _map_table(facts: Facts, say: Catalogue) -> Markup:
    columns = [
        Column(say("col.track")),
        Column(say("col.class")),
        *(Column(say(f"col.{name}"), is_number=True) for name in ("predicted", "true", "error_one", "impact")),
        Column(say("col.exposed"), is_number=True),
    ]
    rows: list[list[Child]] = []
    for track in facts.projectiles:
        final, true = track.final, track.truth.impact if track.truth else None
        rows.append(
            [
                str(track.track_id),
                say("class." + track.class_name),
                f"{count(final.east_m)}, {count(final.north_m)} m" if final else DASH,
                f"{count(true[0])}, {count(true[1])} m" if true else DASH,
                metres(track.error_m(final)) if final else DASH,
                clock(track.end_t_ns) if final else DASH,
                DASH if track.expected_exposed is None else f"{track.expected_exposed:.1f}",
            ]
        )
    return table(say("table.map"), columns, rows)
