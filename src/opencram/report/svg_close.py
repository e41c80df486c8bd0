"""Each round close up: the last ellipses, the predicted and the true impact, on a few hundred metres."""

from collections.abc import Sequence

from opencram.report.catalogue import Catalogue
from opencram.report.facts import Facts, TrackFacts
from opencram.report.formats import clock, metres
from opencram.report.geometry import Point, ellipse_95
from opencram.report.markup import Markup, el, number
from opencram.report.svg_map import Projection, actual_mark, ellipse_on, predicted_mark

SIDE = 200.0
SECONDS_BEFORE = (10.0, 5.0, 2.0)
ROUNDS_MAX = 24


def close_ups(facts: Facts, say: Catalogue) -> list[Markup]:
    """Return one small picture for each projectile with an estimate, the engaged first."""
    drawn = [track for track in facts.projectiles if track.final is not None]
    drawn.sort(key=lambda track: (not track.engaged, track.first_t_ns, track.track_id))
    return [_close_up(facts, track, say) for track in drawn[:ROUNDS_MAX]]


def _close_up(facts: Facts, track: TrackFacts, say: Catalogue) -> Markup:
    assert track.final is not None, "close_ups leaves out tracks without an estimate"
    predicted = (track.final.east_m, track.final.north_m)
    true = track.truth.impact if track.truth else None
    centre = true or predicted
    half_m = _half_side(track, centre, predicted)
    view = Projection(centre[0] - half_m, centre[1] + half_m, SIDE / (2 * half_m), SIDE, SIDE)
    name = f"close-{track.track_id}"
    parts: list[Markup] = [el("rect", x=0, y=0, width=SIDE, height=SIDE, class_="ground")]
    parts += [_outline(area.polygon, view, "zone") for area in facts.plan.zones if _near(area.polygon, centre, half_m)]
    parts += [
        _outline(area.polygon, view, "asset") for area in facts.plan.assets if _near(area.polygon, centre, half_m)
    ]
    for index, seconds in enumerate(SECONDS_BEFORE):
        estimate = track.estimate_at(seconds)
        ellipse = ellipse_95(estimate.east_m, estimate.north_m, estimate.covariance_m2) if estimate else None
        if ellipse is None:
            continue
        x, y, rx, ry, degrees = ellipse_on(ellipse, view)
        turn = f"rotate({number(degrees)} {number(x)} {number(y)})"
        parts.append(el("ellipse", cx=x, cy=y, rx=rx, ry=ry, transform=turn, class_=f"ellipse step-{index}"))
    parts.append(predicted_mark(*view.xy(predicted)))
    if true is not None:
        parts.append(actual_mark(*view.xy(true)))
    bar_m = _bar(half_m)
    bar = bar_m * view.per_metre
    parts += [
        el("path", d=f"M10 {number(SIDE - 10)}h{number(bar)}", class_="scale-halo"),
        el("path", d=f"M10 {number(SIDE - 14)}v4h{number(bar)}v-4", class_="scale"),
        el("text", metres(bar_m), x=14 + bar, y=SIDE - 7, class_="scale-label", font_size=10.5),
    ]
    picture = el(
        "svg",
        el("title", say("close.title", track=track.track_id), id=f"{name}-title"),
        el("clipPath", el("rect", x=0, y=0, width=SIDE, height=SIDE), id=f"{name}-clip"),
        el("g", *parts, clip_path=f"url(#{name}-clip)"),
        el("rect", x=0.5, y=0.5, width=SIDE - 1, height=SIDE - 1, class_="frame"),
        viewBox=f"0 0 {number(SIDE)} {number(SIDE)}",
        role="img",
        aria_labelledby=f"{name}-title",
        class_="close-up",
    )
    return el("figure", picture, el("figcaption", *_caption(track, say)), class_="close")


def _caption(track: TrackFacts, say: Catalogue) -> list[Markup | str]:
    kind = say("close.engaged") if track.engaged else say("close.plain")
    parts: list[Markup | str] = [
        el("b", say("close.name", track=track.track_id)),
        f" {say('class.' + track.class_name)}{kind}, {clock(track.end_t_ns)}",
    ]
    if track.shot_down:
        parts.append(el("span", say("close.shot_down"), class_="quiet"))
    error = track.error_m(track.final) if track.final else None
    if error is not None:
        parts.append(el("span", say("close.error", error=metres(error)), class_="quiet"))
    return parts


def _half_side(track: TrackFacts, centre: Point, predicted: Point) -> float:
    """Return half the side shown, in metres: room for the ellipse of five seconds before, at least 25 m."""
    reach = 25.0
    estimate = track.estimate_at(5.0) or track.final
    ellipse = ellipse_95(estimate.east_m, estimate.north_m, estimate.covariance_m2) if estimate else None
    if ellipse is not None:
        away = max(abs(ellipse.east_m - centre[0]), abs(ellipse.north_m - centre[1]))
        reach = max(reach, away + ellipse.major_m)
    away = max(abs(predicted[0] - centre[0]), abs(predicted[1] - centre[1]))
    return 1.15 * max(reach, away)


def _bar(half_m: float) -> float:
    limit = 0.6 * half_m
    return max(
        (step for step in (5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0) if step <= limit), default=10.0
    )


def _outline(polygon: Sequence[Point], view: Projection, kind: str) -> Markup:
    corners = [view.xy(corner) for corner in polygon]
    return el("path", d="M" + "L".join(f"{number(x)} {number(y)}" for x, y in corners) + "Z", class_=kind)


def _near(polygon: Sequence[Point], centre: Point, half_m: float) -> bool:
    """Whether the bounding box of the polygon meets the square shown."""
    if not polygon:
        return False
    east, north = [corner[0] for corner in polygon], [corner[1] for corner in polygon]
    return (
        min(east) <= centre[0] + half_m
        and max(east) >= centre[0] - half_m
        and min(north) <= centre[1] + half_m
        and max(north) >= centre[1] - half_m
    )
