"""What became of each round of a simulated raid, what it cost, and what fell where: a part of section 4."""

import math

from opencram.report.catalogue import Catalogue
from opencram.report.facts import Facts
from opencram.report.formats import DASH, count, metres
from opencram.report.geometry import Point
from opencram.report.markup import Child, Markup, el, join, number
from opencram.report.outcomes import ROUND_RADIUS_M, SAID, Ledger
from opencram.report.svg_map import Projection, actual_mark, effector_mark, fit, reach_of, ring, scale_bar
from opencram.report.tables import Column, table

_MARGIN = 0.25  # of the picture's side, beyond which pieces are counted and not drawn
_WIDTH, _HEIGHT_MIN, _HEIGHT_MAX = 640.0, 320.0, 640.0


def became(facts: Facts, say: Catalogue) -> Markup:
    """Return the part: nothing where no simulation left its truth."""
    book = facts.ledger
    if book is None or not book.outcomes:
        return join()
    picture = el("div", fell_picture(facts, book, say), class_="scroll")
    return join(
        el("h3", say("became.title")),
        el("p", say("became.lead", radius=metres(ROUND_RADIUS_M)), class_="lead"),
        _table(facts, book, say),
        _cost(book, say),
        el("figure", picture, el("figcaption", _far_off(facts, book, say)), _key(book, say), class_="fell-figure"),
    )


def _table(facts: Facts, book: Ledger, say: Catalogue) -> Markup:
    columns = [
        Column(say("col.round")),
        Column(say("col.track")),
        Column(say("col.became")),
        Column(say("col.within")),
        *(Column(say(f"col.{name}"), is_number=True) for name in ("people_near", "shots", "spent")),
    ]
    tracks = {track.truth.number: track.track_id for track in facts.projectiles if track.truth is not None}
    rows: list[list[Child]] = []
    kinds: list[str | None] = []
    for outcome in book.outcomes:
        track_id = tracks.get(outcome.number)
        rows.append(
            [
                outcome.name,
                DASH if track_id is None else str(track_id),
                say(f"became.{outcome.said}"),
                outcome.within or DASH,
                f"{outcome.people:.1f}" if outcome.people else DASH,
                count(outcome.shots) if outcome.shots else DASH,
                count(outcome.rounds) if outcome.rounds else DASH,
            ]
        )
        kinds.append("grave" if outcome.said == "hit inside" else "engage" if outcome.shots else None)
    return table(say("became.title"), columns, rows, kinds=kinds)


def _cost(book: Ledger, say: Catalogue) -> Markup:
    """Return the counts of outcomes, and what the engagements cost, as a list of figures in words."""
    outcomes = [f"{count(book.count(said))} {say(f'became.{said}')}" for said in SAID if book.count(said)]
    near = f"{book.people_under_rounds:.1f} {say('became.under_rounds', radius=metres(ROUND_RADIUS_M))}"
    costs = [say("became.none")]
    if book.engagements:
        costs = [
            f"{count(book.engagements)} {say('became.shots', kills=count(book.kills))}",
            f"{count(book.rounds_spent)} {say('became.rounds_spent')}",
            f"{count(book.debris_outside)} {say('became.outside', inside=count(book.debris_inside))}",
            f"{book.people_under_debris:.2f} {say('became.under_debris')}",
        ]
    lines = [" · ".join([*outcomes, near]), f"{say('became.cost')}: " + " · ".join(costs)]
    return el("ul", *(el("li", line) for line in lines), class_="cost")


def _far_off(facts: Facts, book: Ledger, say: Catalogue) -> str:
    """Return how many pieces fell beyond the picture, and how far from the site at most."""
    reach = reach_of(_shown(facts, book))
    far = [math.hypot(*each.place) for each in book.fallen if _is_far(each.place, reach)]
    return say("became.far", pieces=count(len(far)), distance=metres(max(far))) if far else ""


# ---- what fell where --------------------------------------------------------------------------------


def fell_picture(facts: Facts, book: Ledger, say: Catalogue, *, name: str = "fell") -> Markup:
    """Return the map of what fell where; `name` begins the ids in it."""
    plan = facts.plan
    met = _met(facts)
    points = _shown(facts, book)
    reach = reach_of(points)
    points += [each.place for each in book.fallen if not _is_far(each.place, reach)]
    view = fit(reach_of(points), _WIDTH, _HEIGHT_MIN, _HEIGHT_MAX)
    zones = "".join(ring(zone.polygon, view) for zone in plan.zones)
    body = [
        el("title", say("became.map"), id=f"{name}-title"),
        el("desc", say("became.map_desc", pieces=count(len(book.fallen))), id=f"{name}-desc"),
        el("clipPath", el("rect", x=0, y=0, width=view.width, height=view.height), id=f"{name}-frame"),
        el("rect", x=0, y=0, width=view.width, height=view.height, class_="ground"),
        el(
            "g",
            el("path", d=zones, class_="zone") if zones else None,
            *(el("path", d=ring(asset.polygon, view), class_="asset") for asset in plan.assets),
            *(effector_mark(*view.xy(effector.at)) for effector in plan.effectors),
            *_marks(book, view),
            *(_met_mark(*view.xy(place)) for place in met),
            clip_path=f"url(#{name}-frame)",
        ),
        scale_bar(view, say),
        el("rect", x=0.5, y=0.5, width=view.width - 1, height=view.height - 1, class_="frame"),
    ]
    return el(
        "svg",
        *body,
        viewBox=f"0 0 {number(view.width)} {number(view.height)}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        class_="fell",
        xmlns="http://www.w3.org/2000/svg",
    )


def _shown(facts: Facts, book: Ledger) -> list[Point]:
    """Return what the picture shows in any case: assets, rounds on the ground, and where shots killed."""
    points: list[Point] = [corner for asset in facts.plan.assets for corner in asset.polygon] or [(0.0, 0.0)]
    return points + [outcome.place for outcome in book.outcomes if outcome.place is not None] + _met(facts)


def _is_far(place: Point, reach: tuple[float, float, float, float]) -> bool:
    """Return whether a piece fell so far off that the picture would be of it, and of nothing else."""
    west, east, south, north = reach
    margin = _MARGIN * max(east - west, north - south)
    return not (west - margin <= place[0] <= east + margin and south - margin <= place[1] <= north + margin)


def _marks(book: Ledger, view: Projection) -> list[Markup]:
    marks: list[Markup] = []
    radius = ROUND_RADIUS_M * view.per_metre
    for each in book.fallen:
        x, y = view.xy(each.place)
        marks.append(_debris_mark(x, y) if each.kind == "debris" else _own_mark(x, y))
    for outcome in book.outcomes:
        if outcome.place is None:
            continue
        x, y = view.xy(outcome.place)
        if outcome.said == "dud":
            marks.append(_dud_mark(x, y))
        else:
            marks += [el("circle", cx=x, cy=y, r=radius, class_="reach"), actual_mark(x, y)]
        marks.append(el("text", str(outcome.number), x=x + 9.0, y=y - 6.0, class_="track-label", font_size=11.5))
    return marks


def _met(facts: Facts) -> list[Point]:
    """Return the places where shots that the log calls kills met their rounds."""
    shots = [shot for track in facts.projectiles for shot in track.engagements if shot.state == "killed"]
    return [(shot.intercept_enu_m[0], shot.intercept_enu_m[1]) for shot in shots]


def _debris_mark(x: float, y: float) -> Markup:
    return el("path", d=f"M{number(x)} {number(y - 4)}l3.5 6h-7z", class_="debris")


def _own_mark(x: float, y: float) -> Markup:
    return el("circle", cx=x, cy=y, r=2.2, class_="own-debris")


def _dud_mark(x: float, y: float) -> Markup:
    return el("rect", x=x - 5, y=y - 5, width=10, height=10, class_="dud")


def _met_mark(x: float, y: float) -> Markup:
    d = f"M{number(x - 5)} {number(y - 5)}l10 10M{number(x + 5)} {number(y - 5)}l-10 10"
    return join(el("path", d=d, class_="halo"), el("path", d=d, class_="met"))


def _key(book: Ledger, say: Catalogue) -> Markup:
    x, y = 10.0, 10.0
    kinds = {each.kind for each in book.fallen}
    entries: list[tuple[bool, Child, str]] = [
        (True, actual_mark(x, y), say("became.mark.exploded", radius=metres(ROUND_RADIUS_M))),
        (book.count("dud") > 0, _dud_mark(x, y), say("became.mark.dud")),
        (book.kills > 0, _met_mark(x, y), say("became.mark.met")),
        ("debris" in kinds, _debris_mark(x, y), say("became.mark.debris")),
        (bool(kinds - {"debris"}), _own_mark(x, y), say("became.mark.own")),
        (True, el("path", d="M2 3h16v14h-16z", class_="asset"), say("became.mark.asset")),
        (True, effector_mark(x, y), say("became.mark.effector")),
    ]
    items = [
        el("li", el("svg", mark, viewBox="0 0 20 20", aria_hidden="true"), el("span", text))
        for shown, mark, text in entries
        if shown
    ]
    return el("ul", *items, class_="key")
