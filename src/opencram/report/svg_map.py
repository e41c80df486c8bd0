"""The map: the site, what was warned, what flew and where it came down, as one SVG that needs no script.

The player adds a layer to the same picture; it gets the projection and the element of each zone from here.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from opencram.report.catalogue import Catalogue
from opencram.report.collect import Estimate
from opencram.report.facts import Facts, TrackFacts
from opencram.report.formats import clock, metres
from opencram.report.geometry import Ellipse, Point, ellipse_95, middle
from opencram.report.labels import Box, Placed, Placer, text_width
from opencram.report.markup import Markup, el, join, number
from opencram.report.siteplan import PlanArea

WIDTH = 760.0
HEIGHT_MIN, HEIGHT_MAX = 480.0, 780.0
EARLY_S = 10.0  # before the impact: the early ellipse drawn
EARLY_TRACKS_MAX = 30  # above this the early ellipses would hide the map
QUIET_ZONES_MAX = 4000  # zones never warned that are drawn
ZONE_SIZE = 10.5  # of the names of zones
HALO = {"stroke": "#fff", "stroke_width": 3, "paint_order": "stroke", "stroke_linejoin": "round"}


@dataclass(frozen=True)
class Projection:
    """Metres east and north to units of the picture, y down; equal scales."""

    west_m: float
    north_m: float
    per_metre: float
    width: float
    height: float

    def xy(self, point: Point) -> Point:
        """Return the place on the picture."""
        return (point[0] - self.west_m) * self.per_metre, (self.north_m - point[1]) * self.per_metre


def projection_of(facts: Facts) -> Projection:
    """Return the projection of the main map: all places and impacts, and the radars that are not far off."""
    plan = facts.plan
    points: list[Point] = [(0.0, 0.0)]
    points += [corner for area in (*plan.assets, *plan.zones) for corner in area.polygon]
    points += [(track.final.east_m, track.final.north_m) for track in facts.projectiles if track.final]
    points += [track.truth.impact for track in facts.projectiles if track.truth and track.truth.impact]
    west, east, south, north = reach_of(points)
    reach = 0.25 * max(east - west, north - south, 1000.0)
    if len(points) == 1:  # no places and no impacts: the tracks are all there is
        points += [(fix.east_m, fix.north_m) for track in (*facts.projectiles, *facts.others) for fix in track.trail]
        west, east, south, north = reach_of(points)
    for x, y in (*(sensor.at for sensor in plan.sensors), *(effector.at for effector in plan.effectors)):
        if west - reach <= x <= east + reach and south - reach <= y <= north + reach:
            points.append((x, y))
    return fit(reach_of(points), WIDTH, HEIGHT_MIN, HEIGHT_MAX)


def fit(bounds: tuple[float, float, float, float], width: float, height_min: float, height_max: float) -> Projection:
    """Return the projection that shows the bounds (west, east, south, north) with a margin of 6 %."""
    west, east, south, north = bounds
    wide, tall = max(east - west, 200.0) * 1.12, max(north - south, 200.0) * 1.12
    height = min(height_max, max(height_min, width * tall / wide))
    per_metre = min(width / wide, height / tall)
    return Projection(
        west_m=0.5 * (west + east) - 0.5 * width / per_metre,
        north_m=0.5 * (south + north) + 0.5 * height / per_metre,
        per_metre=per_metre,
        width=width,
        height=height,
    )


def map_svg(facts: Facts, view: Projection, say: Catalogue) -> tuple[Markup, list[Box]]:
    """Return the map, as a still picture of the whole raid, and the boxes that the replay must keep its text off."""
    placer = Placer(Box(4, 4, view.width - 4, view.height - 4))
    placer.taken += [Box(0, view.height - 40, 190, view.height), Box(view.width - 46, 0, view.width, 60)]
    still_under, still_over = _tracks(facts, view, placer, say)
    before = len(placer.taken)
    places = _places(facts, view, placer, say)
    kept = placer.taken[before:]
    labels = _zone_labels(facts, view, placer)
    body = (
        el("title", say("map.title", site=facts.plan.name), id="picture-title"),
        el("desc", say("map.desc", count=len(facts.projectiles), zones=_warned_count(facts)), id="picture-desc"),
        _definitions(view),
        el("rect", x=0, y=0, width=view.width, height=view.height, class_="ground"),
        el(
            "g",
            _quiet_zones(facts, view),
            _told_zones(facts, view),
            _rings(facts, view),
            el("g", still_under, class_="still"),
            places,
            el("g", still_over, labels, class_="still"),
            clip_path="url(#map-frame)",
        ),
        scale_bar(view, say),
        north_arrow(view, say),
        el("rect", x=0.5, y=0.5, width=view.width - 1, height=view.height - 1, class_="frame"),
    )
    picture = el(
        "svg",
        *body,
        viewBox=f"0 0 {number(view.width)} {number(view.height)}",
        role="img",
        aria_labelledby="picture-title picture-desc",
        id="picture",
        class_="map" if len(facts.projectiles) <= EARLY_TRACKS_MAX else "map crowded",
        xmlns="http://www.w3.org/2000/svg",
    )
    return picture, kept


def overview_svg(facts: Facts, main: Projection, say: Catalogue) -> Markup | None:
    """Return the small map of all that was seen, with the frame of the main map; None if that shows it all."""
    trails = [[(fix.east_m, fix.north_m) for fix in track.trail] for track in (*facts.projectiles, *facts.others)]
    corners = [
        (main.west_m, main.north_m),
        (main.west_m + main.width / main.per_metre, main.north_m - main.height / main.per_metre),
    ]
    points = [*corners, *(p for trail in trails for p in trail), *(s.at for s in facts.plan.sensors)]
    bounds = reach_of(points)
    if (bounds[1] - bounds[0]) * main.per_metre < main.width * 1.05 and (
        bounds[3] - bounds[2]
    ) * main.per_metre < main.height * 1.05:
        return None
    view = fit(bounds, 250.0, 150.0, 250.0)
    (x0, y0), (x1, y1) = view.xy(corners[0]), view.xy(corners[1])
    body = [
        el("title", say("overview.title")),
        el("desc", say("overview.desc")),
        el("rect", x=0, y=0, width=view.width, height=view.height, class_="ground"),
        el("rect", x=x0, y=y0, width=x1 - x0, height=y1 - y0, class_="main-frame"),
        *(el("path", d=_line(trail, view), class_="trail thin") for trail in trails if len(trail) > 1),
        *(sensor_mark(*view.xy(sensor.at), scale=0.7) for sensor in facts.plan.sensors),
        scale_bar(view, say, x=8.0, target=70.0),
        el("rect", x=0.5, y=0.5, width=view.width - 1, height=view.height - 1, class_="frame"),
    ]
    return el("svg", *body, viewBox=f"0 0 {number(view.width)} {number(view.height)}", role="img", class_="overview")


# ---- marks, also used by the legend ---------------------------------------------------------------


def predicted_mark(x: float, y: float) -> Markup:
    """Return the mark of a predicted impact: an upright cross."""
    d = f"M{number(x - 5)} {number(y)}h10M{number(x)} {number(y - 5)}v10"
    return join(el("path", d=d, class_="halo"), el("path", d=d, class_="predicted"))


def actual_mark(x: float, y: float) -> Markup:
    """Return the mark of a true impact: a filled star of eight rays."""
    points = []
    for ray in range(16):
        radius = 7.0 if ray % 2 == 0 else 3.0
        angle = math.pi * ray / 8
        points.append(f"{number(x + radius * math.sin(angle))},{number(y - radius * math.cos(angle))}")
    return el("polygon", points=" ".join(points), class_="actual")


def engaged_mark(x: float, y: float) -> Markup:
    """Return the mark of an engaged round: two rings."""
    return join(
        el("circle", cx=x, cy=y, r=9.0, class_="engaged-halo"),
        el("circle", cx=x, cy=y, r=9.0, class_="engaged"),
        el("circle", cx=x, cy=y, r=12.0, class_="engaged thin"),
    )


def first_mark(x: float, y: float) -> Markup:
    """Return the mark of the first place seen: a small hollow circle."""
    return el("circle", cx=x, cy=y, r=3.2, class_="first")


def sensor_mark(x: float, y: float, scale: float = 1.0) -> Markup:
    """Return the mark of a radar: a mast with two arcs."""
    s, brim = scale, number(y - 2 * scale)
    arcs = "".join(
        f"M{number(x - r)} {brim}A{number(r)} {number(r)} 0 0 1 {number(x + r)} {brim}" for r in (5 * scale, 9 * scale)
    )
    mast = f"M{number(x)} {number(y - 2 * s)}L{number(x - 4 * s)} {number(y + 8 * s)}H{number(x + 4 * s)}Z"
    return join(el("path", d=arcs, class_="radar-arc"), el("path", d=mast, class_="radar"))


def effector_mark(x: float, y: float) -> Markup:
    """Return the mark of an effector model: a filled square with a notch."""
    d = f"M{number(x - 6)} {number(y - 6)}h4.5v4.5h3v-4.5h4.5v12h-12z"
    return el("path", d=d, class_="effector")


# ---- layers ---------------------------------------------------------------------------------------


def _quiet_zones(facts: Facts, view: Projection) -> Markup | None:
    told = {zone.id for zone in facts.zones}
    quiet = [zone for zone in facts.plan.zones if zone.id not in told and zone.polygon][:QUIET_ZONES_MAX]
    return el("path", d="".join(ring(zone.polygon, view) for zone in quiet), class_="zone") if quiet else None


def _told_zones(facts: Facts, view: Projection) -> Markup:
    """Return the zones warned or hit, one element each; the player finds the i-th as `zone-i`."""
    drawn = []
    for index, zone in enumerate(facts.zones):
        if not zone.polygon:
            continue
        kind = (
            "unwarned" if not zone.alarms else "warned" if _held_to_the_end(zone.alarms[-1].end) else "warned withdrawn"
        )
        path = ring(zone.polygon, view)
        drawn.append(
            el(
                "g",
                el("path", d=path, class_="tint"),
                el("path", d=path, class_="hatch", fill="url(#hatch)") if zone.alarms else None,
                el("path", d=path, class_="edge"),
                id=f"zone-{index}",
                class_=f"told {kind}",
            )
        )
    # Edges of hit zones are drawn last, so that a neighbour's never hides them.
    return el("g", *drawn)


def _held_to_the_end(end: str) -> bool:
    return end != "cancelled"


def _rings(facts: Facts, view: Projection) -> Markup:
    drawn = []
    for effector in facts.plan.effectors:
        x, y = view.xy(effector.at)
        for radius_m in (effector.range_m_max, effector.range_m_min):
            if radius_m > 0.0:
                drawn.append(el("circle", cx=x, cy=y, r=radius_m * view.per_metre, class_="range"))
    return el("g", *drawn)


def _tracks(facts: Facts, view: Projection, placer: Placer, say: Catalogue) -> tuple[Markup, Markup]:
    """Return what lies under the places (trails, ellipses) and what lies over them (impacts, their numbers)."""
    under: list[Markup] = []
    over: list[Markup] = []
    for track in facts.others:
        trail = [(fix.east_m, fix.north_m) for fix in track.trail]
        under.append(el("path", d=_line(trail, view), class_="trail other"))
    early_too = len(facts.projectiles) <= EARLY_TRACKS_MAX
    labelled: list[tuple[TrackFacts, float, float]] = []
    for track in facts.projectiles:
        trail = [(fix.east_m, fix.north_m) for fix in track.trail]
        under.append(el("path", d=_line(trail, view), class_="trail"))
        if trail and _inside(view.xy(trail[0]), view):
            under.append(first_mark(*view.xy(trail[0])))
        early = track.estimate_at(EARLY_S) if early_too else None
        for estimate, kind in ((early, "ellipse early"), (track.final, "ellipse")):
            under += _ellipse(estimate, view, kind)
        marks, at = _impact_marks(track, view)
        over += marks
        if at is not None:
            labelled.append((track, *at))
            placer.block(*at, 14.0 if track.engaged else 8.0)
    labelled.sort(key=lambda item: (not item[0].engaged, item[0].track_id))
    for track, x, y in labelled:
        over += label(placer, f"{track.track_id}", x, y, "track-label", size=13.0, gap=15.0 if track.engaged else 9.0)
    for track in facts.others:
        if track.trail:
            x, y = view.xy((track.trail[-1].east_m, track.trail[-1].north_m))
            text = f"{track.track_id} {say('class.' + track.class_name)}"
            over += label(placer, text, x, y, "other-label", size=11.0)
    return join(*under), join(*over)


def _impact_marks(track: TrackFacts, view: Projection) -> tuple[list[Markup], Point | None]:
    marks: list[Markup] = []
    at: Point | None = None
    if track.final is not None:
        at = view.xy((track.final.east_m, track.final.north_m))
        marks.append(predicted_mark(*at))
    if track.truth is not None and track.truth.impact is not None:
        at = view.xy(track.truth.impact)
        marks.append(actual_mark(*at))
    if track.engaged and at is not None:
        marks.append(engaged_mark(*at))
    return [el("g", el("title", f"#{track.track_id}, {clock(track.end_t_ns)}"), *marks)] if marks else [], at


def _ellipse(estimate: Estimate | None, view: Projection, kind: str) -> list[Markup]:
    if estimate is None:
        return []
    ellipse = ellipse_95(estimate.east_m, estimate.north_m, estimate.covariance_m2)
    if ellipse is None:
        return []
    x, y, rx, ry, degrees = ellipse_on(ellipse, view)
    turn = f"rotate({number(degrees)} {number(x)} {number(y)})"
    return [el("ellipse", cx=x, cy=y, rx=rx, ry=ry, transform=turn, class_=kind)]


def ellipse_on(ellipse: Ellipse, view: Projection) -> tuple[float, float, float, float, float]:
    """Return an ellipse on the picture: x, y, half axes, turn in degrees clockwise as SVG wants it."""
    x, y = view.xy((ellipse.east_m, ellipse.north_m))
    scale = view.per_metre
    return x, y, ellipse.major_m * scale, ellipse.minor_m * scale, -math.degrees(ellipse.turn_rad)


def _places(facts: Facts, view: Projection, placer: Placer, say: Catalogue) -> Markup:
    drawn: list[Markup] = []
    for asset in facts.plan.assets:
        if not asset.polygon:
            continue
        drawn.append(el("path", d=ring(asset.polygon, view), class_="asset"))
    mark_of: Callable[[float, float], Markup] = sensor_mark
    marks = [(view.xy(sensor.at), sensor.id, mark_of) for sensor in facts.plan.sensors]
    marks += [(view.xy(effector.at), effector.id, effector_mark) for effector in facts.plan.effectors]
    for (x, y), _, mark in marks:
        drawn.append(mark(x, y))
        placer.block(x, y, 10.0)
    for asset in facts.plan.assets:
        if asset.polygon:
            drawn += _asset_label(placer, view, asset)
    for (x, y), name, _ in marks:
        drawn += label(placer, name, x, y, "place-label", size=11.5, gap=11.0, must=True)
    for effector in facts.plan.effectors:
        x, y = view.xy(effector.at)
        text = say("map.range", range=metres(effector.range_m_max))
        drawn += label(placer, text, x, y - effector.range_m_max * view.per_metre, "ring-label", size=10.5, gap=3.0)
    x, y = view.xy((0.0, 0.0))
    drawn.append(el("path", d=f"M{number(x - 4)} {number(y)}h8M{number(x)} {number(y - 4)}v8", class_="origin"))
    return el("g", *drawn)


def _asset_label(placer: Placer, view: Projection, asset: PlanArea) -> list[Markup]:
    """Return the name of an asset above or below it, where its edge does not strike it through; else beside it."""
    corners = [view.xy(corner) for corner in asset.polygon]
    x = sum(corner[0] for corner in corners) / len(corners)
    top, bottom = min(y for _, y in corners), max(y for _, y in corners)
    for y in (top - 10.0, bottom + 10.0, top + 11.0):
        placed = placer.centred(asset.id, x, y, size=13.0)
        if placed is not None:
            return [_text(asset.id, placed, "asset-label", 13.0)]
    return label(placer, asset.id, x, top, "asset-label", size=13.0, gap=6.0, must=True)


def _zone_labels(facts: Facts, view: Projection, placer: Placer) -> Markup:
    """Return the names of zones: of those warned with a triangle, of others where they fit."""
    drawn: list[Markup] = []
    told = {zone.id for zone in facts.zones}
    for zone in facts.zones:
        if zone.polygon:
            names = [f"▲ {zone.name}", f"▲ {zone.id}", "▲"] if zone.alarms else [zone.name, zone.id]
            drawn += _in_zone(placer, view, zone.polygon, names, "alarm-label" if zone.alarms else "zone-label")
    for area in facts.plan.zones[:400]:
        if area.id not in told and area.polygon:
            drawn += _in_zone(placer, view, area.polygon, [area.name, area.id], "zone-label")
    return join(*drawn)


def _in_zone(placer: Placer, view: Projection, polygon: Sequence[Point], names: list[str], kind: str) -> list[Markup]:
    """Return the first of the names that fits inside the zone, at its top, bottom or middle; else nothing."""
    corners = [view.xy(corner) for corner in polygon]
    x, _ = view.xy(middle(polygon))
    top, bottom = min(y for _, y in corners), max(y for _, y in corners)
    room = max(x for x, _ in corners) - min(x for x, _ in corners)
    for text in names:
        if text_width(text, ZONE_SIZE) > room - 3.0:
            continue
        for y in (top + 9.5, bottom - 8.5, 0.5 * (top + bottom)):
            placed = placer.centred(text, x, y, size=ZONE_SIZE)
            if placed is not None:
                return [_text(text, placed, kind, ZONE_SIZE)]
    return []


def label(
    placer: Placer, text: str, x: float, y: float, kind: str, *, size: float, gap: float = 7.0, must: bool = False
) -> list[Markup]:
    """Return a label beside a mark, with a leader line if it stands further off; nothing if there is no room."""
    if not (placer.frame.x0 <= x <= placer.frame.x1 and placer.frame.y0 <= y <= placer.frame.y1):
        return []
    placed = placer.place(text, x, y, size=size, gap=gap, must=must)
    if placed is None:
        return []
    drawn = [_text(text, placed, kind, size)]
    if placed.moved:
        to_x = min(max(x, placed.box.x0), placed.box.x1)
        to_y = min(max(y, placed.box.y0), placed.box.y1)
        drawn.insert(0, el("path", d=f"M{number(x)} {number(y)}L{number(to_x)} {number(to_y)}", class_="leader"))
    return drawn


def _text(text: str, placed: Placed, kind: str, size: float) -> Markup:
    return el("text", text, x=placed.x, y=placed.y, class_=kind, font_size=size)


def _definitions(view: Projection) -> Markup:
    hatch = el(
        "pattern",
        el("path", d="M0 0V8", stroke="#c1121f", stroke_width=1.4),
        id="hatch",
        width=8,
        height=8,
        patternUnits="userSpaceOnUse",
        patternTransform="rotate(45)",
    )
    frame = el("clipPath", el("rect", x=0, y=0, width=view.width, height=view.height), id="map-frame")
    return el("defs", hatch, frame)


def scale_bar(view: Projection, say: Catalogue, *, x: float = 14.0, target: float = 130.0) -> Markup:
    """Return the bar that tells lengths on the picture."""
    length_m = _round_length(target / view.per_metre)
    length, y = length_m * view.per_metre, view.height - 14.0
    bar = f"M{number(x)} {number(y - 5)}v5h{number(length)}v-5M{number(x + length / 2)} {number(y - 3)}v3"
    text = f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
    return el(
        "g",
        el("title", say("map.scale", length=text)),
        el("path", d=bar, class_="scale-halo"),
        el("path", d=bar, class_="scale"),
        el("text", text, x=x + length / 2, y=y - 8, text_anchor="middle", class_="scale-label", font_size=11.0),
    )


def north_arrow(view: Projection, say: Catalogue) -> Markup:
    """Return an arrow to the north, at the upper right of the picture."""
    x, y = view.width - 24.0, 14.0
    return el(
        "g",
        el("title", say("map.north")),
        el("path", d=f"M{number(x)} {number(y)}l7 24l-7 -5l-7 5z", class_="north"),
        el("text", "N", x=x, y=y + 38, text_anchor="middle", class_="scale-label", font_size=12.0),
    )


def _round_length(limit_m: float) -> float:
    """Return the longest of 1, 2, 5, 10, … metres that is not above the limit."""
    power = 10.0 ** math.floor(math.log10(max(limit_m, 1.0)))
    return next(step * power for step in (5.0, 2.0, 1.0) if step * power <= max(limit_m, 1.0))


def ring(polygon: Iterable[Point], view: Projection) -> str:
    """Return the path of a closed outline."""
    corners = [view.xy(corner) for corner in polygon]
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in corners) + "Z" if corners else ""


def _line(points: Iterable[Point], view: Projection) -> str:
    places = [view.xy(point) for point in points]
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in places) if places else "M0 0"


def reach_of(points: Iterable[Point]) -> tuple[float, float, float, float]:
    """Return how far the points reach: west, east, south, north."""
    east, north = zip(*points, strict=True)
    return min(east), max(east), min(north), max(north)


def _inside(at: Point, view: Projection) -> bool:
    return 0.0 <= at[0] <= view.width and 0.0 <= at[1] <= view.height


def _warned_count(facts: Facts) -> int:
    return sum(1 for zone in facts.zones if zone.alarms)
