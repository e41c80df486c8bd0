"""The pictures of the report on a study: where warning is short, how early people are warned, how errors shrink.

Black on white: alternatives differ by their dashes, zones by hatching.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opencram.report.catalogue import CATALOGUES
from opencram.report.markup import Markup, el, join, number
from opencram.report.svg_map import fit, north_arrow, reach_of, ring, scale_bar
from opencram.studies.measures import Columns
from opencram.studies.results import StudyResult
from opencram.studies.rows import TO_GO_S

Floats = NDArray[np.float64]

STEPS_S: Final = (5.0, 10.0, 15.0)  # bounds of the four kinds of zones: the darker, the shorter the warning
CURVES_MAX: Final = 8
STRUCK_MIN: Final = 3  # strikes of a zone before its median is drawn
_M_PER_RAD: Final = 6_371_000.0
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 760.0, 330.0, 58.0, 14.0, 44.0

STYLE: Final = """
.leads { width: 100%; max-width: 900px; height: auto; direction: ltr; } .leads .curve { stroke: var(--ink); }
.leads .zone-none { fill: #fff; stroke: #b5bac1; } .leads .zone-kind { stroke: var(--ink); stroke-width: 1; }
.leads .kind-3 { fill: #fff; } .leads .kind-2 { fill: url(#kind-2); } .leads .kind-1 { fill: url(#kind-1); }
.leads .kind-0 { fill: #3b3f45; } .leads .on-dark { fill: #fff; }
.leads .heavy { stroke-width: 3.4; } .key svg.wide-key { width: 60px; }
"""


def medians_by_zone(columns: Columns) -> dict[str, tuple[float, int]]:
    """Return for each zone that was struck the median seconds of warning (−inf: none) and how often it was struck."""
    by_zone: dict[str, list[float]] = {}
    for zone, lead in zip(columns.lead_zone, columns.lead_s.tolist(), strict=True):
        by_zone.setdefault(zone, []).append(lead)
    return {zone: (sorted(leads)[len(leads) // 2], len(leads)) for zone, leads in by_zone.items()}


def places_map(result: StudyResult, words: Mapping[str, str], language: str) -> Markup | None:
    """Return the map of the zones by their median seconds of warning in the base; None where no polygons are known."""
    zones = _in_metres(result.polygons.get("zones", {}))
    if not zones:
        return None
    medians = medians_by_zone(result.columns[0])
    assets = _in_metres(result.polygons.get("assets", {}), around=result.polygons["zones"])
    view = fit(reach_of(corner for ring_m in (*zones.values(), *assets.values()) for corner in ring_m), 900, 420, 760)
    shapes: list[Markup] = []
    texts: list[Markup] = []
    for zone, ring_m in zones.items():
        median, struck = medians.get(zone, (math.nan, 0))
        known = struck >= STRUCK_MIN
        kind = sum(median >= step for step in STEPS_S)
        shapes.append(el("path", d=ring(ring_m, view), class_=f"zone-kind kind-{kind}" if known else "zone-none"))
        if known and len(zones) <= 400:
            corners = [view.xy(corner) for corner in ring_m]
            x, y = (sum(values) / len(corners) for values in zip(*corners, strict=True))
            told = f"{median:.0f}" if math.isfinite(median) else "–"
            style = "zone-label on-dark" if kind == 0 else "place-label"
            texts.append(el("text", told, x=x, y=y + 4.0, text_anchor="middle", class_=style, font_size=12.0))
    shapes += [el("path", d=ring(ring_m, view), class_="asset") for ring_m in assets.values()]
    say = CATALOGUES[language]
    picture = el(
        "svg",
        el("title", words["map"]),
        _hatches(),
        *shapes,
        *texts,
        scale_bar(view, say),
        north_arrow(view, say),
        el("rect", x=0.5, y=0.5, width=view.width - 1, height=view.height - 1, class_="frame"),
        viewBox=f"0 0 {number(view.width)} {number(view.height)}",
        role="img",
        class_="leads",
    )
    return join(el("p", words["map_lead"], class_="lead"), _map_key(words), el("figure", picture))


def _map_key(words: Mapping[str, str]) -> Markup:
    low, middle, high = (f"{step:g}" for step in STEPS_S)
    entries = [
        (f"< {low} s", "zone-kind kind-0"),
        (f"{low}–{middle} s", "zone-kind kind-1"),
        (f"{middle}–{high} s", "zone-kind kind-2"),
        (f"≥ {high} s", "zone-kind kind-3"),
        (words["map_none"].format(n=STRUCK_MIN), "zone-none"),
    ]
    square = "M1 3h18v14h-18z"
    items = [
        el("li", el("svg", el("path", d=square, class_=kind), viewBox="0 0 20 20", class_="leads"), el("bdi", text))
        for text, kind in entries
    ]
    return el("ul", *items, class_="key")


def _hatches() -> Markup:
    """Return two hatchings: the closer lines for the shorter warning."""

    def pattern(name: str, gap: float, width: float) -> Markup:
        lines = el("path", d=f"M0 0V{number(gap)}", stroke="#3b3f45", stroke_width=width)
        return el(
            "pattern", lines, id=name, width=gap, height=gap, patternUnits="userSpaceOnUse",
            patternTransform="rotate(45)",
        )  # fmt: skip

    return el("defs", pattern("kind-1", 5.0, 2.4), pattern("kind-2", 9.0, 1.2))


def _in_metres(
    polygons: Mapping[str, Sequence[Sequence[float]]], around: Mapping[str, Sequence[Sequence[float]]] | None = None
) -> dict[str, list[tuple[float, float]]]:
    """Return polygons of longitude and latitude (degrees) as metres east and north: good to a pixel over a site."""
    frame = around or polygons
    corners = [corner for each in frame.values() for corner in each]
    if not corners:
        return {}
    longitude, latitude = (math.radians(sum(values) / len(corners)) for values in zip(*corners, strict=True))
    scale = math.cos(latitude)
    return {
        name: [
            (
                (math.radians(x) - longitude) * scale * _M_PER_RAD,
                (math.radians(y) - latitude) * _M_PER_RAD,
            )
            for x, y in each
        ]
        for name, each in polygons.items()
    }


# ---- distributions --------------------------------------------------------------------------------


def warning_curves(result: StudyResult, words: Mapping[str, str]) -> Markup | None:
    """Return the share of struck zones that had at least so many seconds of warning, a curve for each alternative."""
    drawn = [(each.name, result.columns[each.number]) for each in result.alternatives[:CURVES_MAX]]
    drawn = [(name, columns) for name, columns in drawn if len(columns.lead_s)]
    if not drawn:
        return None
    longest = max(float(columns.lead_s.max()) for _, columns in drawn)
    axis = _Axis(0.0, max(math.ceil(longest / 5.0) * 5.0, 5.0))
    parts = axis.frame([(share, f"{100 * share:g} %") for share in (0.0, 0.25, 0.5, 0.75, 1.0)], words["seconds_ahead"])
    for index, (name, columns) in enumerate(drawn):
        seconds = np.linspace(0.0, axis.high, 121)
        shares = share_at_least(columns, seconds)
        line = "L".join(f"{number(axis.x(s))} {number(axis.y(v))}" for s, v in zip(seconds, shares, strict=True))
        parts.append(el("path", el("title", name), d=f"M{line}", class_=_dashes(index)))
    chart = axis.picture(parts, words["warning_curves"])
    return join(el("p", words["warning_lead"], class_="lead"), chart, _key([name for name, _ in drawn]))


def share_at_least(columns: Columns, seconds: Floats) -> Floats:
    """Return the share (n,) of struck zones, by weight of their raids, warned at least so many seconds (n,) ahead."""
    order = np.argsort(columns.lead_s, kind="stable")
    leads, weights = columns.lead_s[order], columns.weights[columns.lead_owner][order]
    above = np.concatenate([[0.0], np.cumsum(weights)])
    found: Floats = 1.0 - above[np.searchsorted(leads, seconds, side="left")] / above[-1]
    return found


def _dashes(index: int) -> str:
    """Return how the curve of an alternative is drawn: four kinds of dashes, then the same again with a heavy pen."""
    return f"curve dash-{index % 4}" + (" heavy" if index >= 4 else "")


def _key(names: Sequence[str]) -> Markup:
    """Return the key of the curves: the dashes of each alternative, and its name."""
    lines = [el("path", d="M0 10H60", class_=_dashes(k)) for k in range(len(names))]
    pictures = [el("svg", line, viewBox="0 0 60 20", class_="leads wide-key") for line in lines]
    items = [el("li", picture, el("bdi", name)) for picture, name in zip(pictures, names, strict=True)]
    return el("ul", *items, class_="key")


def error_fan(result: StudyResult, words: Mapping[str, str]) -> Markup | None:
    """Return how the error of the predicted impact shrinks with the time to go, in the base: 10, 50 and 90 %."""
    columns = result.columns[0]
    rows = [(s, columns.error_m[columns.error_to_go_s == s]) for s in TO_GO_S]
    rows = [(s, errors) for s, errors in rows if len(errors)]
    if not rows:
        return None
    quantiles = [(s, *np.quantile(errors, (0.1, 0.5, 0.9)).tolist(), len(errors)) for s, errors in rows]
    low = 10.0 ** math.floor(math.log10(max(min(q[1] for q in quantiles), 0.1)))
    high = 10.0 ** math.ceil(math.log10(max(*(q[3] for q in quantiles), low * 10.0)))
    axis = _Axis(max(TO_GO_S) + 3.0, 0.0)

    def level(metres: float) -> float:
        return math.log(max(metres, low) / low) / math.log(high / low)

    decades = [low * 10.0**k for k in range(round(math.log10(high / low)) + 1)]
    parts = axis.frame([(level(d), f"{d:g} m") for d in decades], words["seconds_to_go"], ticks=TO_GO_S)
    for seconds, tenth, half, most, count in quantiles:
        x = axis.x(seconds)
        bottom, middle, top = (axis.y(level(v)) for v in (tenth, half, most))
        parts.append(el("path", d=f"M{number(x)} {number(bottom)}V{number(top)}", class_="whisker"))
        parts.append(el("circle", cx=x, cy=middle, r=4.0, class_="dot"))
        told = f"{half:.3g}".replace(".", words["decimal"]) + f" m, n = {count}"
        parts.append(el("text", told, x=x + 9.0, y=middle + 4.0, class_="row-note"))
    return join(el("p", words["error_lead"], class_="lead"), axis.picture(parts, words["error_fan"]))


class _Axis:
    """The frame of a chart: `low` stands at the left, `high` at the right; heights are shares of the chart."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def x(self, value: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - 110.0) * (value - self.low) / (self.high - self.low)

    def y(self, share: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1.0 - share)

    def frame(self, levels: Sequence[tuple[float, str]], name: str, ticks: Sequence[float] = ()) -> list[Markup]:
        """Return grid, ticks and the name of the axis."""
        parts: list[Markup] = []
        left, right, base = self.x(self.low), self.x(self.high), self.y(0.0)
        for share, text in levels:
            y = self.y(share)
            parts.append(el("path", d=f"M{number(left)} {number(y)}H{number(right)}", class_="grid"))
            parts.append(el("text", text, x=left - 7.0, y=y + 4.0, text_anchor="end", class_="tick"))
        end = max(self.low, self.high)
        for tick in ticks or np.arange(0.0, end + 0.1, 5.0 if end <= 60.0 else 20.0).tolist():
            x = self.x(tick)
            parts.append(el("path", d=f"M{number(x)} {number(base)}v5", class_="axis"))
            parts.append(el("text", f"{tick:g}", x=x, y=base + 18.0, text_anchor="middle", class_="tick"))
        parts.append(el("path", d=f"M{number(left)} {number(base)}H{number(right)}", class_="axis"))
        middle = 0.5 * (left + right)
        parts.append(el("text", name, x=middle, y=_HEIGHT - 6.0, text_anchor="middle", class_="axis-name"))
        return parts

    def picture(self, parts: Sequence[Markup], title: str) -> Markup:
        """Return the chart."""
        box = f"0 0 {number(_WIDTH)} {number(_HEIGHT)}"
        return el("figure", el("svg", el("title", title), *parts, viewBox=box, role="img", class_="leads"))
