"""The charts: a timeline of every projectile, how the prediction sharpened, what the sensors gave."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opencram.report.catalogue import Catalogue
from opencram.report.collect import Estimate
from opencram.report.facts import Facts, SensorFacts, TrackFacts
from opencram.report.formats import clock, metres
from opencram.report.labels import text_width
from opencram.report.markup import Markup, el, join, number
from opencram.report.svg_map import actual_mark, predicted_mark

ROWS_MAX = 34  # of one timeline block: what fits on a page of A4
ROW = 24.0
LEFT, RIGHT, TOP = 128.0, 96.0, 30.0
TIMELINE_WIDTH = 1040.0
POINTS_MAX = 90  # of one curve
FINE_TRACKS = 12  # up to this many curves carry their track's number

Value = Callable[[TrackFacts, Estimate], float | None]


# ---- timeline -------------------------------------------------------------------------------------


def timeline_svgs(facts: Facts, say: Catalogue) -> list[Markup]:
    """Return the timeline, in blocks that fit on a printed page."""
    tracks = facts.projectiles
    return [_timeline(facts, tracks[at : at + ROWS_MAX], at, say) for at in range(0, len(tracks), ROWS_MAX)]


def _timeline(facts: Facts, tracks: Sequence[TrackFacts], offset: int, say: Catalogue) -> Markup:
    start, end = facts.scene
    height = TOP + ROW * len(tracks) + 12.0
    span = TIMELINE_WIDTH - LEFT - RIGHT

    def x_of(t_ns: int) -> float:
        return LEFT + span * min(1.0, max(0.0, (t_ns - start) / max(end - start, 1)))

    grid: list[Markup] = []
    step_s = _time_step((end - start) / 1e9)
    for second in range(-(-start // 1_000_000_000), end // 1_000_000_000 + 1):
        if second % step_s == 0:
            x = x_of(second * 1_000_000_000)
            grid.append(el("path", d=f"M{number(x)} {number(TOP - 6)}V{number(height - 8)}", class_="grid"))
            grid.append(
                el("text", clock(second * 1_000_000_000)[:8], x=x, y=TOP - 12, class_="tick", text_anchor="middle")
            )
    rows = [
        el("g", *_row(track, TOP + ROW * (index + 0.5), x_of, say), class_="row") for index, track in enumerate(tracks)
    ]
    name = f"timeline-{offset}"
    return el(
        "svg",
        el("title", say("timeline.title"), id=f"{name}-title"),
        el("desc", say("timeline.desc", count=len(tracks)), id=f"{name}-desc"),
        *grid,
        *rows,
        viewBox=f"0 0 {number(TIMELINE_WIDTH)} {number(height)}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        class_="timeline",
    )


def _row(track: TrackFacts, y: float, x_of: Callable[[int], float], say: Catalogue) -> list[Markup]:
    x_first, x_confirmed, x_end = x_of(track.first_t_ns), x_of(track.confirmed_t_ns), x_of(track.end_t_ns)
    drawn = [
        el("text", f"{track.track_id}", x=34.0, y=y + 4, class_="row-name", text_anchor="end"),
        el("text", say("class." + track.class_name), x=42.0, y=y + 4, class_="row-note"),
        el("path", d=f"M{number(x_first)} {number(y)}H{number(x_confirmed)}", class_="bar thin"),
        el("path", d=f"M{number(x_confirmed)} {number(y)}H{number(max(x_end, x_confirmed))}", class_="bar"),
    ]
    for since, until in track.coasting:
        drawn.append(el("path", d=f"M{number(x_of(since))} {number(y)}H{number(x_of(until))}", class_="bar gap"))
    drawn.append(el("circle", cx=x_first, cy=y, r=3.6, class_="first"))
    drawn.append(_diamond(x_confirmed, y))
    if track.estimates:
        drawn.append(predicted_mark(x_of(track.estimates[0].t_ns), y))
    x_warned = x_of(track.warned[0][0]) if track.warned else None
    if x_warned is not None:
        drawn.append(warned_mark(x_warned, y - 6.5))
    for decision in _changes(track):
        drawn.append(decision_mark(x_of(decision[0]), y + 6.5, decision[1], say))
    for engagement in track.engagements:
        if engagement.state in ("fired", "killed", "missed", "aborted"):
            drawn.append(engagement_mark(x_of(engagement.t_ns), y, engagement.state))
    drawn.append(actual_mark(x_end, y) if _certain(track) else _end_mark(x_end, y))
    note = clock(track.end_t_ns)
    drawn.append(el("text", note, x=TIMELINE_WIDTH - RIGHT + 16.0, y=y + 4, class_="row-note"))
    return [el("title", f"#{track.track_id}"), *drawn]


def _certain(track: TrackFacts) -> bool:
    return track.truth is not None and track.truth.impact_t_ns is not None


def _changes(track: TrackFacts) -> list[tuple[int, str]]:
    """Return when the decision became another, and what it became."""
    changes: list[tuple[int, str]] = []
    for decision in track.decisions:
        if not changes or changes[-1][1] != decision.action:
            changes.append((decision.t_ns, decision.action))
    return changes


def warned_mark(x: float, y: float) -> Markup:
    """Return the mark of a warning: a filled triangle, red."""
    return el("path", d=f"M{number(x)} {number(y - 5)}l5.2 9h-10.4z", class_="warned-mark")


def decision_mark(x: float, y: float, action: str, say: Catalogue) -> Markup:
    """Return the mark of a decision: its letter in a box, filled if it is to engage."""
    kind = "decision engage" if action == "engage" else "decision"
    letter = "letter on-dark" if action == "engage" else "letter"
    return el(
        "g",
        el("rect", x=x - 5.5, y=y - 5.5, width=11, height=11, class_=kind),
        el("text", say(f"letter.{action}"), x=x, y=y + 3.4, text_anchor="middle", class_=letter),
    )


def engagement_mark(x: float, y: float, state: str) -> Markup:
    """Return the mark of a simulated engagement: fired, a stroke; killed, crossed rings; missed, an open ring."""
    if state == "fired":
        return el("path", d=f"M{number(x)} {number(y - 8)}v16", class_="engaged")
    cross = f"M{number(x - 4.5)} {number(y - 4.5)}l9 9m0 -9l-9 9"
    return join(
        el("circle", cx=x, cy=y, r=7.0, class_="engaged-ring"),
        el("path", d=cross, class_="engaged") if state == "killed" else None,
    )


def _diamond(x: float, y: float) -> Markup:
    return el("path", d=f"M{number(x)} {number(y - 5)}l5 5l-5 5l-5 -5z", class_="confirmed")


def _end_mark(x: float, y: float) -> Markup:
    return el("path", d=f"M{number(x)} {number(y - 7)}v14", class_="end")


def _time_step(span_s: float) -> int:
    return next((step for step in (1, 2, 5, 10, 20, 30, 60, 120, 300, 600) if span_s / step <= 11), 1800)


# ---- curves against the time to impact ------------------------------------------------------------


@dataclass(frozen=True)
class Curve:
    """One track's values against the seconds left."""

    track_id: int
    points: tuple[tuple[float, float], ...]  # seconds to impact, metres


def curves(tracks: Sequence[TrackFacts], value: Value) -> list[Curve]:
    """Return one curve for each track that has at least two values before its impact."""
    found = []
    for track in tracks:
        points = []
        for estimate in track.estimates:
            left_s = (track.end_t_ns - estimate.t_ns) / 1e9
            height_m = value(track, estimate)
            if left_s >= 0.0 and height_m is not None and math.isfinite(height_m):
                points.append((left_s, max(height_m, 0.1)))
        stride = -(-len(points) // POINTS_MAX) or 1
        thinned = points[::stride] + ([points[-1]] if points and (len(points) - 1) % stride else [])
        if len(thinned) >= 2:
            found.append(Curve(track.track_id, tuple(thinned)))
    return found


def convergence_svg(drawn: Sequence[Curve], key: str, say: Catalogue) -> Markup | None:
    """Return metres (logarithmic) against seconds to impact; None without curves."""
    if not drawn:
        return None
    width, height, left, top, bottom = 510.0, 330.0, 58.0, 14.0, 40.0
    right = 30.0
    values = [value for curve in drawn for _, value in curve.points]
    low, high = 10.0 ** math.floor(math.log10(min(values))), 10.0 ** math.ceil(math.log10(max(values)))
    high = max(high, low * 10.0)
    far_s = max(seconds for curve in drawn for seconds, _ in curve.points) * 1.02

    def x_of(seconds: float) -> float:
        return left + (width - left - right) * (1.0 - seconds / max(far_s, 1.0))

    def y_of(value: float) -> float:
        return top + (height - top - bottom) * (1.0 - math.log(value / low) / math.log(high / low))

    parts: list[Markup] = []
    decade = low
    while decade <= high * 1.001:
        y = y_of(decade)
        parts.append(el("path", d=f"M{number(left)} {number(y)}H{number(width - right)}", class_="grid"))
        parts.append(el("text", metres(decade), x=left - 7, y=y + 4, text_anchor="end", class_="tick"))
        decade *= 10.0
    step = _time_step(far_s)
    for second in range(0, int(far_s) + 1, step):
        x = x_of(second)
        parts.append(el("path", d=f"M{number(x)} {number(height - bottom)}v5", class_="axis"))
        parts.append(el("text", f"{second}", x=x, y=height - bottom + 18, text_anchor="middle", class_="tick"))
    parts.append(el("path", d=f"M{number(left)} {number(height - bottom)}H{number(width - right)}", class_="axis"))
    axis = say("convergence.axis")
    parts.append(el("text", axis, x=(left + width - right) / 2, y=height - 6, text_anchor="middle", class_="axis-name"))
    fine = len(drawn) <= FINE_TRACKS
    for index, curve in enumerate(drawn):
        d = "M" + "L".join(f"{number(x_of(s))} {number(y_of(v))}" for s, v in curve.points)
        parts.append(
            el("path", el("title", f"#{curve.track_id}"), d=d, class_=f"curve dash-{index % 4 if fine else 0}")
        )
    if fine:
        parts += _end_numbers(drawn, y_of, width - right + 6, top, height - bottom)
    else:
        middle = _median_curve(drawn, far_s)
        d = "M" + "L".join(f"{number(x_of(s))} {number(y_of(v))}" for s, v in middle)
        parts.append(el("path", d=d, class_="curve-halo"))
        parts.append(el("path", d=d, class_="curve median"))
    return el(
        "svg",
        el("title", say(f"{key}.title"), id=f"{key}-title"),
        el("desc", say(f"{key}.desc"), id=f"{key}-desc"),
        *parts,
        viewBox=f"0 0 {number(width)} {number(height)}",
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
        class_="convergence" if fine else "convergence many",
    )


def _end_numbers(
    drawn: Sequence[Curve], y_of: Callable[[float], float], x: float, top: float, bottom: float
) -> list[Markup]:
    """Return the tracks' numbers at the ends of their curves, pushed apart until none overlap."""
    ends = sorted((y_of(curve.points[-1][1]), curve.track_id) for curve in drawn)
    places = spread([y for y, _ in ends], 12.0, top, bottom)
    return [
        el("text", f"{track_id}", x=x, y=y + 4, class_="curve-name")
        for y, (_, track_id) in zip(places, ends, strict=True)
    ]


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return places at least `gap` apart, in the given (rising) order, as near as can be to those wanted.

    With the gaps taken out the places only have to rise: least squares by pooling neighbours that do not.
    """
    pools: list[tuple[float, int]] = []  # mean, members
    for index, y in enumerate(wanted):
        mean, members = y - gap * index, 1
        while pools and pools[-1][0] >= mean:
            before, count = pools.pop()
            mean, members = (before * count + mean * members) / (count + members), count + members
        pools.append((mean, members))
    flat = [mean for mean, members in pools for _ in range(members)]
    most = high - gap * (len(wanted) - 1)
    return [max(low, min(mean, most)) + gap * index for index, mean in enumerate(flat)]


def _median_curve(drawn: Sequence[Curve], far_s: float) -> list[tuple[float, float]]:
    """Return the median over the curves that reach each whole second."""
    middle: list[tuple[float, float]] = []
    for second in range(int(far_s), -1, -1):
        values = sorted(v for curve in drawn if (v := value_at(curve, float(second))) is not None)
        if len(values) >= max(3, len(drawn) // 4):
            middle.append((float(second), values[len(values) // 2]))
    return middle or list(drawn[0].points)


def value_at(curve: Curve, seconds: float) -> float | None:
    """Return the last value known so many seconds before the impact, at most two seconds old; else None."""
    known = [(left, value) for left, value in curve.points if left >= seconds]
    if not known or known[-1][0] - seconds > 2.0:
        return None
    return known[-1][1]


# ---- sensors --------------------------------------------------------------------------------------


def sensor_strip(sensor: SensorFacts, start_t_ns: int, say: Catalogue) -> Markup | None:
    """Return plots per second of one sensor over the recording, as a small area; None without plots."""
    counts, covered_s = _folded(sensor.per_second, 240)
    if not counts or max(counts) == 0:
        return None
    width, height, left = 330.0, 64.0, 44.0
    top = max(counts)
    step = (width - left) / len(counts)
    d = f"M{number(left)} {number(height - 16)}"
    for index, count in enumerate(counts):
        y = 6.0 + (height - 22.0) * (1.0 - count / top)
        d += f"L{number(left + index * step)} {number(y)}H{number(left + (index + 1) * step)}"
    d += f"V{number(height - 16)}Z"
    end_t_ns = start_t_ns + covered_s * 1_000_000_000
    return el(
        "svg",
        el("title", say("strip.title", sensor=sensor.id)),
        el("desc", say("strip.desc", most=f"{top:.0f}")),
        el("path", d=d, class_="area"),
        el("path", d=f"M{number(left)} {number(height - 16)}H{number(width)}", class_="axis"),
        el("text", f"{top:.0f}/s", x=left - 5, y=14, text_anchor="end", class_="tick"),
        el("text", "0", x=left - 5, y=height - 13, text_anchor="end", class_="tick"),
        el("text", clock(start_t_ns)[:8], x=left, y=height - 2, class_="tick"),
        el("text", clock(end_t_ns)[:8], x=width, y=height - 2, text_anchor="end", class_="tick"),
        viewBox=f"0 0 {number(width)} {number(height)}",
        role="img",
        class_="strip",
    )


def _folded(counts: Sequence[int], most: int) -> tuple[list[float], int]:
    """Return at most so many bins, each the mean of the seconds it covers, and the seconds covered by all.

    Silence at the end is cut to a tenth: a recording goes on until the last all-clear.
    """
    last = max((index for index, count in enumerate(counts) if count), default=-1) + 1
    kept = counts[: last + max(2, last // 10)]
    size = -(-len(kept) // most) or 1
    return [sum(kept[at : at + size]) / len(kept[at : at + size]) for at in range(0, len(kept), size)], len(kept)


def name_width(names: Sequence[str], size: float) -> float:
    """Return the width of the widest name."""
    return max((text_width(name, size) for name in names), default=0.0)
