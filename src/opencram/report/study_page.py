"""The report on a study: one HTML file that compares its alternatives, and says how to repeat it.

summary in words → charts and tables with intervals → warning by zone → what was assumed → how to repeat it
"""

import argparse
import math
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from opencram.errors import FileError
from opencram.report.catalogue import spaced
from opencram.report.formats import isolated
from opencram.report.markup import Child, Markup, el, join, number
from opencram.report.study_pictures import STYLE, error_fan, medians_by_zone, places_map, warning_curves
from opencram.report.study_timelines import STYLE as TIMELINES_STYLE
from opencram.report.study_timelines import timelines
from opencram.report.study_words import CATALOGUES, DIRECTION, measure_name, unit_name
from opencram.report.tables import Column, folded, table
from opencram.studies.intervals import Estimate
from opencram.studies.measures import Measure
from opencram.studies.results import Effect, StudyResult, load_result

SENTENCES_MAX: Final = 14
ZONES_MAX: Final = 15
_WIDTH, _ROW, _LEFT, _RIGHT, _TOP = 1040.0, 20.0, 300.0, 120.0, 26.0

_STYLE: Final = """
.dot { fill: var(--ink); } .dot.base { fill: #fff; stroke: var(--ink); stroke-width: 2; }
.whisker { stroke: var(--ink); stroke-width: 1.6; fill: none; } .zero { stroke: var(--edge); stroke-dasharray: 3 3; }
.study-chart { width: 100%; height: auto; break-inside: avoid; direction: ltr; }
@media print { section { break-inside: auto; } h2, h3 { break-after: avoid; } details > pre { max-height: none; } }
"""


def command(args: argparse.Namespace) -> str | dict[str, Any]:
    """Write the report that `opencram report STUDY.parquet` asks for; return what is told of it."""
    out = Path(args.out or Path(args.recording).with_suffix(".html"))
    written = write_study_report(load_result(args.recording), out, args.language)
    if args.json:
        return {"study": args.recording, "report": str(written)}
    return f"Report: {written}\nOpen it in any browser; it needs no network."


def write_study_report(result: StudyResult, out: Path, language: str = "en") -> Path:
    """Write the report to `out` and return its path.  Raises `FileError` if it cannot be written."""
    text = study_page(result, language)
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileError(f"{out}: the report cannot be written ({error.strerror}); give another --out") from error
    return out


def study_page(result: StudyResult, language: str = "en") -> str:
    """Return the whole document."""
    say = _Say(language)
    style = Markup(
        files("opencram.report").joinpath("style.css").read_text(encoding="utf-8") + _STYLE + STYLE + TIMELINES_STYLE
    )
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    effects = [effect for measure in result.measures for effect in result.effects(measure.name) if effect.change.runs]
    sections = {
        "summary": _summary(result, effects, say),
        "map": places_map(result, say.texts, language),
        "timelines": timelines(result, say.texts),
        "distributions": _distributions(result, say),
        "figures": _figures(result, say),
        "effects": _effects(result, effects, say),
        "zones": _zones(result, say),
        "assumed": _assumed(result, say),
        "repeat": _repeat(result, say),
    }
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light"),
        el("title", say("title", name=result.name)),
        el("style", style),
    )
    shown = [(name, content) for name, content in sections.items() if content is not None]
    body = el(
        "body",
        _masthead(result, [name for name, _ in shown], say),
        el("main", *(_section(k, name, content, say) for k, (name, content) in enumerate(shown, start=1))),
    )
    text = f"<!doctype html>\n{el('html', head, body, lang=language, dir=DIRECTION[language])}\n"
    return isolated(text) if DIRECTION[language] == "rtl" else text


class _Say:
    """The words of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.texts = CATALOGUES[language]

    def __call__(self, key: str, **values: object) -> str:
        if DIRECTION[self.language] == "rtl":  # names and numbers keep their own direction among the words
            values = {k: f"\N{FIRST STRONG ISOLATE}{v}\N{POP DIRECTIONAL ISOLATE}" for k, v in values.items()}
        return spaced(self.texts[key], self.language).format(**values)

    def measure(self, name: str) -> str:
        return measure_name(self.language, name)

    def number(self, value: float) -> str:
        if not math.isfinite(value):
            return "–"
        shown = f"{value:.0f}" if abs(value) >= 1000.0 else f"{value:.3g}"
        return shown.replace(".", self.texts["decimal"])

    def signed(self, value: float) -> str:
        return f"{'+' if value >= 0.0 else '−'}{self.number(abs(value))}"

    def told(self, found: Estimate) -> str:
        between = "; " if self.texts["decimal"] == "," else ", "
        return f"{self.number(found.value)} [{self.number(found.low)}{between}{self.number(found.high)}]"


def _masthead(result: StudyResult, names: Sequence[str], say: _Say) -> Markup:
    raids = sum(each.runs for each in result.alternatives)
    share = f"{100.0 * result.confidence:g} %"
    links = [el("li", el("a", say(name), href=f"#{name}")) for name in names]
    return el(
        "header",
        el("div", el("span", say("kicker"), class_="kicker"), class_="over"),
        el("h1", result.name),
        el("p", say("deck", raids=raids, count=len(result.alternatives), share=share), class_="deck"),
        el("nav", el("ol", *links)),
        class_="masthead",
    )


def _section(index: int, name: str, content: Child, say: _Say) -> Markup:
    return el("section", el("h2", el("span", f"{index}", class_="number"), " ", say(name)), content, id=name)


def _summary(result: StudyResult, effects: Sequence[Effect], say: _Say) -> Markup:
    paragraphs = [el("p", _common(result, say))]
    sure = [effect for effect in effects if _is_sure(effect.change)]
    # The most certain first: by how many half-widths the change lies from nothing.
    sure.sort(key=lambda each: -abs(each.change.value) / max(each.change.half_width, 1e-12))
    paragraphs += [el("p", _sentence(effect, say)) for effect in sure[:SENTENCES_MAX]]
    if not sure and len(result.alternatives) > 1:
        paragraphs.append(el("p", say("nothing")))
    worst = [(found, each) for each in result.alternatives if (found := result.worst_zone(each.number)) is not None]
    if worst:
        (zone, lead), each = min(worst, key=lambda pair: pair[0][1])
        told = say.number(lead) if math.isfinite(lead) else say("not_warned")
        name = result.zone_names.get(zone, zone)
        paragraphs.append(el("p", say("worst", lead=told, zone=name, alternative=each.name)))
    if result.failed:
        paragraphs.append(el("p", say("failed", count=result.failed), class_="grave"))
    return el("div", *paragraphs, class_="prose")


def _common(result: StudyResult, say: _Say) -> str:
    shared = "common_random_numbers = false" not in result.study_toml
    return say("base", base=result.alternatives[0].name) if shared else say("apart")


def _sentence(effect: Effect, say: _Say) -> str:
    change = effect.change
    return say(
        "surely_more" if change.value > 0.0 else "surely_less",
        factor=effect.factor,
        level=effect.level,
        base=effect.base,
        measure=say.measure(effect.measure),
        change=say.signed(change.value),
        low=say.signed(change.low),
        high=say.signed(change.high),
    )


def _figures(result: StudyResult, say: _Say) -> Markup:
    parts: list[Child] = [el("p", say("chart"), class_="lead")]
    same: list[Child] = []
    for measure in result.measures:
        estimates = [result.estimate(measure.name, each.number) for each in result.alternatives]
        if len({(each.value, each.low, each.high) for each in estimates}) == 1 and estimates[0].runs:
            same.append(el("li", f"{say.measure(measure.name)}: {say.told(estimates[0])}"))
        elif any(each.runs for each in estimates):
            unit = unit_name(say.language, measure.unit)
            parts.append(el("h3", say.measure(measure.name), " ", el("span", unit, class_="quiet")))
            parts.append(_chart(measure, [each.name for each in result.alternatives], estimates, say))
    if same:
        parts += [el("h3", say("same")), el("ul", *same, class_="plain")]
    return el("div", *parts)


def _chart(measure: Measure, names: Sequence[str], estimates: Sequence[Estimate], say: _Say) -> Markup:
    """Return a row for each alternative: a point and its interval, and both as text."""
    finite = [x for e in estimates if e.runs for x in (e.value, e.low, e.high) if math.isfinite(x)]
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    low = min(low, 0.0) if measure.unit != "share" or low < 0.5 else low
    span = (high - low) or 1.0
    height = _TOP + _ROW * len(names) + 8.0

    def x_of(value: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT - 130.0) * (min(max(value, low), high) - low) / span

    marks: list[Markup] = [
        el("text", say.number(low), x=x_of(low), y=14.0, class_="tick", text_anchor="middle"),
        el("text", say.number(high), x=x_of(high), y=14.0, class_="tick", text_anchor="middle"),
        el("path", d=f"M{number(x_of(low))} 20V{number(height - 6)}", class_="zero"),
    ]
    for k, (name, found) in enumerate(zip(names, estimates, strict=True)):
        y = _TOP + _ROW * (k + 0.5)
        marks.append(el("text", name, x=_LEFT - 14.0, y=y + 4.0, class_="row-note", text_anchor="end"))
        if not found.runs or not math.isfinite(found.value):
            continue
        marks.append(
            el(
                "path",
                d=f"M{number(x_of(found.low))} {number(y)}H{number(x_of(found.high))}",
                class_="whisker",
            )
        )
        marks.append(el("circle", cx=x_of(found.value), cy=y, r=4.0, class_="dot base" if k == 0 else "dot"))
        marks.append(el("text", say.told(found), x=_WIDTH - 4.0, y=y + 4.0, class_="row-note", text_anchor="end"))
    label = f"{say.measure(measure.name)}: " + "; ".join(
        f"{name} {say.told(found)}" for name, found in zip(names, estimates, strict=True) if found.runs
    )
    box = f"0 0 {number(_WIDTH)} {number(height)}"
    return el("svg", el("title", label), *marks, viewBox=box, class_="study-chart", role="img")


def _distributions(result: StudyResult, say: _Say) -> Markup | None:
    """Return how the warning and the error are spread, not only their means."""
    found = [picture for draw in (warning_curves, error_fan) if (picture := draw(result, say.texts)) is not None]
    return join(*found) if found else None


def _effects(result: StudyResult, effects: Sequence[Effect], say: _Say) -> Markup | None:
    if not effects:
        return None
    columns = [
        Column(say("factor")),
        Column(say("measure")),
        Column(say("change"), is_number=True),
        Column(say("interval"), is_number=True),
        Column(say("sure")),
    ]
    rows: list[list[Child]] = [
        [
            f"{each.factor}: {each.base} → {each.level}",
            say.measure(each.measure),
            say.signed(each.change.value),
            f"{say.signed(each.change.low)} … {say.signed(each.change.high)}",
            say("yes") if _is_sure(each.change) else say("no"),
        ]
        for each in sorted(effects, key=lambda each: (each.factor, each.level))
        if each.change.low != 0.0 or each.change.high != 0.0
    ]
    return table(say("effects"), columns, rows)


def _zones(result: StudyResult, say: _Say) -> Markup | None:
    """Return the zones with the shortest warning, in the base."""
    columns = result.columns[0]
    medians = medians_by_zone(columns)
    if not medians:
        return None
    rows: list[tuple[float, list[Child]]] = []
    for zone, (middle, _) in medians.items():
        leads = [lead for name, lead in zip(columns.lead_zone, columns.lead_s.tolist(), strict=True) if name == zone]
        shares = [f"{sum(lead >= s for lead in leads)}/{len(leads)}" for s in (5, 10, 15)]
        told = say.number(middle) if math.isfinite(middle) else say("not_warned")
        rows.append((middle, [result.zone_names.get(zone, zone), f"{len(leads)}", told, *shares]))
    rows.sort(key=lambda row: row[0])
    heads = [Column(say("zone")), Column(say("struck"), is_number=True), Column(say("median"), is_number=True)]
    heads += [Column(say("timely", s=s), is_number=True) for s in (5, 10, 15)]
    return table(say("zones"), heads, [row for _, row in rows[:ZONES_MAX]])


def _assumed(result: StudyResult, say: _Say) -> Markup:
    points = [el("li", say("generic")), el("li", say("over_raids"))]
    effective = result.effective_runs(0)
    if effective < 0.999 * result.alternatives[0].runs:
        points.append(el("li", say("weights", count=f"{effective:.0f}")))
    return el("ul", *points, class_="limits")


def _repeat(result: StudyResult, say: _Say) -> Markup:
    hashes = " ".join(x[:12] for x in (result.study_sha256, result.scenario_sha256, result.site_sha256))
    facts = [(say("program"), f"opencram {result.version}"), (say("seed"), f"{result.seed}"), (say("files"), hashes)]
    listed = [el("div", el("dt", name), el("dd", value)) for name, value in facts]
    command = el("pre", f"opencram study STUDY.toml --runs {max(each.runs for each in result.alternatives)}", dir="ltr")
    source = folded(say("study"), el("pre", result.study_toml, dir="ltr"))
    return el("div", el("dl", *listed, class_="made"), el("p", say("command")), command, source)


def _is_sure(change: Estimate) -> bool:
    return change.runs > 0 and (change.low > 0.0 or change.high < 0.0)
