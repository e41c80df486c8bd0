"""The timelines of the report on a study: how raids went second by second, median and the middle 80 % of the raids.

A panel for each alternative, all on the same axes.  Black on white: a grey band, a solid line, and dashes for what is
compared with.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opencram.report.markup import Markup, el, join, number
from opencram.studies.measures import Columns
from opencram.studies.results import StudyResult
from opencram.studies.rows import APPROACH_S, COURSE_S

Floats = NDArray[np.float64]

PANELS_MAX: Final = 6
ZONES_MAX: Final = 15
STRUCK_MIN: Final = 3  # strikes of a zone before its warning is drawn
SHARE_MIN: Final = 0.5  # of the raids must tell something at a second for it to be drawn
SHARES: Final = (0.1, 0.5, 0.9)
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 450.0, 210.0, 62.0, 12.0, 26.0, 40.0
_ROW, _NAMES, _TOLD = 20.0, 190.0, 130.0

STYLE: Final = """
.leads .band { fill: #d3d6db; stroke: #8d939b; stroke-width: 0.7; } .leads .half { stroke: var(--ink); fill: none; stroke-width: 2.2; }
.leads .other { stroke: var(--ink); fill: none; stroke-width: 1.3; stroke-dasharray: 6 4; }
.leads .panel-name { font-weight: 700; font-size: 12px; } .key svg.wide-key { width: 60px; }
.panels { max-width: 900px; }
"""  # noqa: E501  # a line of the style is a line


@dataclass(frozen=True)
class Band:
    """What is drawn of one quantity: at each second the quantiles `SHARES` over raids, (seconds, 3)."""

    at_s: tuple[float, ...]
    quantiles: Floats


def band(values: Floats, weights: Floats, at_s: Sequence[float]) -> Band:
    """Return the quantiles of (raids, seconds) by the raids' weights, where enough of them tell anything."""
    total = float(weights.sum())
    kept = [k for k in range(len(at_s)) if total and weights[np.isfinite(values[:, k])].sum() >= SHARE_MIN * total]
    rows = [quantiles(values[:, k], weights) for k in kept]
    return Band(tuple(float(at_s[k]) for k in kept), np.array(rows, dtype=np.float64).reshape(len(kept), len(SHARES)))


def quantiles(values: Floats, weights: Floats, shares: Sequence[float] = SHARES) -> list[float]:
    """Return quantiles of weighted values, NaN left out: the least value that has at least such a share up to it."""
    known = ~np.isnan(values)
    values, weights = values[known], weights[known]
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    reached /= reached[-1]
    places = np.searchsorted(reached, np.array(shares) - 1e-12)
    return [float(values[order][min(int(k), len(order) - 1)]) for k in places]


def timelines(result: StudyResult, words: Mapping[str, str]) -> Markup | None:
    """Return the timelines of a study; None where its file tells nothing over time."""
    shown = [(each.name, result.columns[each.number]) for each in result.alternatives[:PANELS_MAX]]
    shown = [(name, columns) for name, columns in shown if len(columns) and columns.course]
    if not shown:
        return None
    parts = [el("p", words["timelines_lead"], class_="lead")]
    for what in ("alarmed_people", "tracks"):
        bands = [band(columns.course[what], columns.weights, COURSE_S) for _, columns in shown]
        parts += [el("h3", words[f"course_{what}"]), _course(shown, bands, words[f"course_{what}"], words)]
    parts += [_key(words, {"band": "key_band", "half": "key_median"} | ({"other": "key_base"} if shown[1:] else {}))]
    errors = [band(columns.approach["error_m"], columns.weights, APPROACH_S) for _, columns in shown]
    ellipses = [band(columns.approach["ellipse_m"], columns.weights, APPROACH_S) for _, columns in shown]
    if any(len(each.at_s) > 1 for each in errors):
        parts += [el("h3", words["approach"]), _approach(shown, errors, ellipses, words)]
        parts += [_key(words, {"band": "key_error_band", "half": "key_error", "other": "key_ellipse"})]
    return join(*parts, _zones(result, words))


# ---- panels ---------------------------------------------------------------------------------------

Shown = Sequence[tuple[str, Columns]]
Level = Callable[[float], float]  # the share of a panel's height at which a value stands


def _course(shown: Shown, bands: Sequence[Band], title: str, words: Mapping[str, str]) -> Markup:
    """Return a panel for each alternative over the seconds since the first plot; the base's median in all others."""
    highest = max((float(each.quantiles.max()) for each in bands if len(each.at_s)), default=1.0)
    step = _step(highest / 4.0)
    top = max(math.ceil(highest / step), 1) * step
    ticks = [(k * step / top, _count(k * step)) for k in range(round(top / step) + 1)]
    span = (float(COURSE_S[0]), float(COURSE_S[-1]))
    panels = []
    for k, ((name, _), each) in enumerate(zip(shown, bands, strict=True)):
        panel = _Panel(k, span, lambda value: value / top)
        marks = panel.frame(name, ticks, words["seconds_since"], range(0, int(span[1]) + 1, 10))
        marks += panel.fan(each)
        if k:
            marks.append(panel.line(bands[0], 1, "other"))
        panels.append(marks)
    return _sheet(panels, title)


def _approach(shown: Shown, errors: Sequence[Band], ellipses: Sequence[Band], words: Mapping[str, str]) -> Markup:
    """Return a panel for each alternative over the seconds still to go, in decades of metres."""
    values = [each.quantiles for each in (*errors, *ellipses) if len(each.at_s)]
    low = 10.0 ** math.floor(math.log10(max(min(float(each.min()) for each in values), 0.1)))
    high = 10.0 ** math.ceil(math.log10(max(*(float(each.max()) for each in values), low * 10.0)))

    def level(metres: float) -> float:
        return math.log(max(metres, low) / low) / math.log(high / low)

    decades = [low * 10.0**k for k in range(round(math.log10(high / low)) + 1)]
    ticks = [(level(each), f"{_count(each)} m" if each < 1000.0 else f"{each / 1000.0:g} km") for each in decades]
    longest = max(s for each in errors for s in each.at_s)
    panels = []
    for k, ((name, _), error, ellipse) in enumerate(zip(shown, errors, ellipses, strict=True)):
        panel = _Panel(k, (longest, 0.0), level)
        marks = panel.frame(name, ticks, words["seconds_to_go"], range(0, int(longest) + 1, 5))
        panels.append([*marks, *panel.fan(error), panel.line(ellipse, 1, "other")])
    return _sheet(panels, words["approach"])


class _Panel:
    """One panel of a sheet, two in a row; `span` is the second at its left and at its right."""

    def __init__(self, index: int, span: tuple[float, float], level: Level) -> None:
        self._x0, self._y0 = _WIDTH * (index % 2), _HEIGHT * (index // 2)
        self._span, self._level = span, level

    def x(self, s: float) -> float:
        left, right = self._span
        return self._x0 + _LEFT + (_WIDTH - _LEFT - _RIGHT) * (s - left) / (right - left)

    def y(self, share: float) -> float:
        return self._y0 + _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1.0 - min(max(share, 0.0), 1.0))

    def frame(self, name: str, ticks: Sequence[tuple[float, str]], axis: str, seconds: Sequence[int]) -> list[Markup]:
        """Return grid, ticks and names."""
        left, right, base = self.x(self._span[0]), self.x(self._span[1]), self.y(0.0)
        parts = [el("text", name, x=left, y=self._y0 + 15.0, class_="row-note panel-name")]
        for share, text in ticks:
            y = self.y(share)
            parts.append(el("path", d=f"M{number(left)} {number(y)}H{number(right)}", class_="grid"))
            parts.append(el("text", text, x=left - 6.0, y=y + 4.0, text_anchor="end", class_="tick"))
        for s in seconds:
            x = self.x(float(s))
            parts.append(el("path", d=f"M{number(x)} {number(base)}v4", class_="axis"))
            parts.append(el("text", f"{s}", x=x, y=base + 15.0, text_anchor="middle", class_="tick"))
        parts.append(el("path", d=f"M{number(left)} {number(base)}H{number(right)}", class_="axis"))
        middle = 0.5 * (left + right)
        parts.append(el("text", axis, x=middle, y=base + 30.0, text_anchor="middle", class_="axis-name"))
        return parts

    def fan(self, each: Band) -> list[Markup]:
        """Return the band and the median."""
        lower, upper = self._points(each, 0), self._points(each, 2)
        area = "L".join([*upper, *reversed(lower)])
        return [el("path", d=f"M{area}Z", class_="band"), self.line(each, 1, "half")] if area else []

    def line(self, each: Band, which: int, style: str) -> Markup:
        """Return one quantile as a line."""
        return el("path", d="M" + "L".join(self._points(each, which) or ["0 0"]), class_=style)

    def _points(self, each: Band, which: int) -> list[str]:
        heights = each.quantiles[:, which].tolist()
        return [
            f"{number(self.x(s))} {number(self.y(self._level(v)))}" for s, v in zip(each.at_s, heights, strict=True)
        ]


def _sheet(panels: Sequence[Sequence[Markup]], title: str) -> Markup:
    width = _WIDTH * min(len(panels), 2)
    height = _HEIGHT * math.ceil(len(panels) / 2)
    marks = [mark for panel in panels for mark in panel]
    box = f"0 0 {number(width)} {number(height)}"
    picture = el("svg", el("title", title), *marks, viewBox=box, role="img", class_="leads panels")
    return el("figure", picture)


def _key(words: Mapping[str, str], entries: Mapping[str, str]) -> Markup:
    items = []
    for style, key in entries.items():
        shape = "M0 3H60V17H0z" if style == "band" else "M0 10H60"
        picture = el("svg", el("path", d=shape, class_=style), viewBox="0 0 60 20", class_="leads wide-key")
        items.append(el("li", picture, el("bdi", words[key])))
    return el("ul", *items, class_="key")


# ---- zones ----------------------------------------------------------------------------------------


def _zones(result: StudyResult, words: Mapping[str, str]) -> Markup | None:
    """Return, for the zones that were warned the latest in the base, the time from alarm to impact over raids."""
    columns = result.columns[0]
    names = np.array(columns.lead_zone)
    rows: list[tuple[list[float], int, str]] = []
    for zone in dict.fromkeys(columns.lead_zone):
        mine = names == zone
        if mine.sum() >= STRUCK_MIN:
            spread = quantiles(columns.lead_s[mine], columns.weights[columns.lead_owner[mine]])
            rows.append((spread, int(mine.sum()), zone))
    if not rows:
        return None
    rows.sort(key=lambda row: (row[0][1], row[0][0], row[2]))
    rows = rows[:ZONES_MAX]
    longest = max(*(spread[2] for spread, _, _ in rows), 5.0)
    right, height = 2.0 * _WIDTH - _TOLD, _TOP + _ROW * len(rows) + _BOTTOM

    def x(lead_s: float) -> float:
        return right - (right - _NAMES) * max(lead_s, 0.0) / longest

    base = _TOP + _ROW * len(rows)
    marks = []
    for s in range(0, int(longest) + 1, 5):
        marks.append(el("path", d=f"M{number(x(s))} {number(_TOP)}V{number(base + 4)}", class_="grid"))
        marks.append(el("text", f"{s}", x=x(s), y=base + 17.0, text_anchor="middle", class_="tick"))
    for k, (spread, struck, zone) in enumerate(rows):
        y = _TOP + _ROW * (k + 0.5)
        tenth, half, most = spread
        marks.append(el("text", result.zone_names.get(zone, zone), x=_NAMES - 12.0, y=y + 4.0, text_anchor="end",
                        class_="row-note"))  # fmt: skip
        marks.append(el("path", d=f"M{number(x(most))} {number(y)}H{number(x(tenth))}", class_="whisker"))
        told = f"{half:.1f} s".replace(".", words["decimal"]) if math.isfinite(half) else "–"
        if math.isfinite(half):
            marks.append(el("circle", cx=x(half), cy=y, r=4.0, class_="dot"))
        marks.append(el("text", f"{told}, n = {struck}", x=right + 12.0, y=y + 4.0, class_="row-note"))
    middle = 0.5 * (_NAMES + right)
    marks.append(
        el("text", words["alarm_to_impact"], x=middle, y=base + 34.0, text_anchor="middle", class_="axis-name")
    )
    box = f"0 0 {number(2.0 * _WIDTH)} {number(height)}"
    picture = el("svg", el("title", words["zone_times"]), *marks, viewBox=box, role="img", class_="leads panels")
    lead = el("p", words["zone_times_lead"], class_="lead")
    return join(el("h3", words["zone_times"]), lead, el("figure", picture))


def _step(least: float) -> float:
    """Return the least of 1, 2 and 5 times a power of ten that is no smaller, and no fraction."""
    if least <= 1.0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= least * (1.0 - 1e-9))


def _count(value: float) -> str:
    return f"{value:,.0f}".replace(",", "\u202f") if value >= 1.0 or value == 0.0 else f"{value:g}"
