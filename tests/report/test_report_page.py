"""The page of a report: well formed, self-contained, safe with hostile names, and readable at every size of raid."""

import base64
import hashlib
import random
import re
import zlib
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from report_raid import Round, header, raid, site_toml, truth_of

from opencram import messages as m
from opencram.report.after_action import render, write_report
from opencram.report.catalogue import ENGLISH
from opencram.report.labels import Box, Placer
from opencram.report.markup import Markup, el, escape, join
from opencram.report.svg_charts import spread

VOID = {"br", "col", "hr", "img", "input", "link", "meta"}


def many(count: int) -> tuple[Round, ...]:
    """Rounds all over the site."""
    draw = random.Random(7)
    return tuple(
        Round(i + 1, draw.uniform(-3e3, 3e3), draw.uniform(-3e3, 3e3), draw.uniform(5, 17), draw.uniform(20, 40))
        for i in range(count)
    )


RAIDS: dict[str, Callable[[], tuple[list[m.Message], dict[str, Any] | None]]] = {
    "seven with truth": lambda: (raid(), truth_of()),
    "seven": lambda: (raid(), None),
    "one mortar": lambda: (raid((Round(1, 0.0, 0.0, 3.0, 30.0, "mortar"),)), None),
    "no zones": lambda: (raid(site=site_toml(zones=0)), None),
    "no site": lambda: (raid(site=""), truth_of()),
    "header alone": lambda: ([header(site_toml())], None),
    "nothing": lambda: ([], None),
    "plots alone": lambda: ([message for message in raid() if isinstance(message, m.Header | m.Plot)], None),
    "a hundred": lambda: (raid(many(100)), truth_of(many(100))),
}


@pytest.fixture(scope="module", params=list(RAIDS))
def report(request: pytest.FixtureRequest) -> str:
    """The report of each raid."""
    messages, truth = RAIDS[request.param]()
    return render(messages, truth)


class Outline(HTMLParser):
    """What a strict reader sees: every element closed in order, all ids, all texts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src"):
                self.links.append(value or "")
            if name.startswith("on"):
                self.faults.append(f"{tag} has {name}")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.texts.append(data)


def test_every_element_is_closed_and_every_id_is_used_once(report: str) -> None:
    outline = Outline(report)
    assert outline.faults == []
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    assert all(link.startswith("#") and link[1:] in outline.ids for link in outline.links)
    for named in re.findall(r'aria-labelledby="([^"]+)"', report):
        assert set(named.split()) <= set(outline.ids)
    for used in re.findall(r"url\(#([^)]+)\)", report):
        assert used in outline.ids or used == "hatch"


def test_nothing_is_fetched(report: str) -> None:
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", report) == []
    assert "@import" not in report
    assert not re.search(r"url\((?!#)", report)
    assert "default-src 'none'" in unescape(report)


def test_no_number_is_broken(report: str) -> None:
    outline = Outline(report)
    text = " ".join(outline.texts)
    assert not re.search(r"\b(nan|inf|None|infinity)\b", text)
    assert not re.search(r'="[^"]*\b(nan|inf)\b', report, re.IGNORECASE)
    assert not re.search(r"\{\w*\}", text)  # a gap that was not filled


def test_sections_have_headings_and_tables_have_theirs(report: str) -> None:
    outline = Outline(report)
    assert outline.tags.count("h1") == 1
    assert outline.tags.count("h2") == 8
    assert outline.tags.count("caption") == outline.tags.count("table")
    assert report.startswith('<!doctype html>\n<html lang="en" dir="ltr">')


def test_the_replay_holds_the_display_and_the_raid(report: str) -> None:
    """Where there is a site to draw, the page holds a player of it; its script is the one that the policy allows."""
    block = re.search(r'<script type="text/plain" id="replay-page">([^<]*)</script>', report)
    if block is None:
        assert "open-replay" not in Outline(report).ids
        return
    page = zlib.decompress(base64.b64decode(block.group(1))).decode()
    script = page.partition('<script type="module">')[2].partition("</script>")[0]
    assert f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in unescape(report)
    assert 'id="reel"' in page


def test_the_size_of_the_page_is_bounded() -> None:
    assert len(render(raid(), truth_of()).encode()) < 400_000
    assert len(render(*RAIDS["a hundred"]()).encode()) < 1_700_000


def test_the_page_is_the_same_each_time() -> None:
    assert render(raid(), truth_of()) == render(raid(), truth_of())


HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{site}\"'&amp;\u2028]]>--><!--"


def test_hostile_names_are_text_everywhere() -> None:
    site = site_toml(name=HOSTILE, zone_name=HOSTILE.replace("{site}", "")).replace('id = "gun-1"', "id = '<b>gun</b>'")
    messages = raid(site=site, name=HOSTILE)
    messages += [
        m.Rejected(t_ns=0, reason=HOSTILE, code=HOSTILE, line=1, sensor=HOSTILE),
        m.Health(t_ns=messages[-1].t_ns, part=HOSTILE, state="lost", reason=HOSTILE),
        m.Operator(t_ns=messages[-1].t_ns, operator=HOSTILE, action="consent", zone=HOSTILE),
        m.Plot(t_ns=messages[-1].t_ns, plot_id=9**9, sensor=HOSTILE, range_m=1.0, azimuth_rad=0.0, elevation_rad=0.0),
    ]
    text = render(messages, {"rounds": [{"name": HOSTILE, "impact_enu_m": [9e3, 9e3, 0.0]}]})
    outline = Outline(text)
    assert outline.faults == []
    assert outline.open == []
    assert outline.tags.count("script") == 2  # the player and its data, no third
    assert "img" not in outline.tags
    assert "b>gun" not in outline.tags
    assert HOSTILE in "".join(outline.texts)  # shown as it stands in the file


def test_a_hostile_class_name_is_text() -> None:
    rounds = (Round(1, 0.0, 0.0, 3.0, 30.0),)
    messages = [
        m.Track(**{**{n: getattr(x, n) for n in x.__struct_fields__}, "classes": (("<i>rocket", 0.1), ("shell", 0.9))})
        if isinstance(x, m.Track)
        else x
        for x in raid(rounds)
    ]
    outline = Outline(render(messages))
    assert outline.faults == []
    assert "i" not in outline.tags


def test_the_summary_says_what_happened() -> None:
    text = " ".join(Outline(render(raid(), truth_of())).texts)
    assert "7 projectiles were tracked; 2 were engaged" in text
    assert "track 1 (97.0\u00a0% at compound)" in text
    assert "The effector model reported 1 shot down of 2 engaged." in text
    assert "7 rounds were flown; 7 of them were tracked as projectiles." in text
    assert "3 pieces of input were rejected, each with its reason." in text


def test_what_became_of_intercepted_rounds_is_told_from_the_truth() -> None:
    truth = truth_of()
    truth["rounds"][0] |= {"impact_enu_m": None, "impact_time": None, "intercepted": True}
    truth["rounds"][1] |= {"intercepted": True}
    text = " ".join(Outline(render(raid(), truth)).texts)
    assert "1 was destroyed in the air." in text
    assert "1 was hit in the air and still came down, as a dud." in text


def test_recorded_plots_are_never_said_to_be_engaged() -> None:
    messages = raid()
    messages[0] = header(site_toml(), source="process")
    text = " ".join(Outline(render(messages)).texts)
    assert "2 would have been engaged" in text
    assert "nothing was fired" in text


def test_without_truth_no_error_is_claimed() -> None:
    text = render(raid())
    assert "Error of the predicted impact" not in text
    assert "No truth was given" in text


def test_red_is_for_alarms_only() -> None:
    """With no alarm, no missed zone and no key to them, nothing on the page may be drawn in the alarm classes."""
    quiet = [
        message for message in raid(((Round(1, 9000.0, 9000.0, 3.0, 30.0)),)) if not isinstance(message, m.Warning)
    ]
    body = render(quiet).partition("</style>")[2].partition("<script")[0]
    assert "told warned" not in body
    assert 'class="alarm' not in body


def test_write_report_returns_its_path(tmp_path: Path) -> None:
    out = write_report(raid(), tmp_path / "new" / "raid.html", truth=truth_of())
    assert out.read_text(encoding="utf-8") == render(raid(), truth_of())


def test_every_text_of_the_catalogue_can_be_said() -> None:
    for key, text in ENGLISH.texts.items():
        names = re.findall(r"\{(\w+)\}", text)
        assert ENGLISH(key, **dict.fromkeys(names, "x")).count("{") == 0


def test_markup_escapes_text_and_closes_elements() -> None:
    assert el("p", "<b>", Markup("<i>x</i>"), class_='a"b') == '<p class="a&quot;b">&lt;b&gt;<i>x</i></p>'
    assert el("input", disabled=True, hidden=False, value=float("nan")) == '<input disabled value="0">'
    assert join(None, ["a", "&"]) == "a&amp;"
    assert escape("a\x00b") == "a\N{REPLACEMENT CHARACTER}b"


def test_labels_never_overlap() -> None:
    draw = random.Random(3)
    placer = Placer(Box(0.0, 0.0, 400.0, 300.0))
    for index in range(120):
        placer.place(f"label {index}", draw.uniform(0, 400), draw.uniform(0, 300), size=12.0, must=index % 3 == 0)
    boxes = placer.taken
    assert placer.left_out + len(boxes) == 120
    assert not any(a.meets(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_spread_keeps_order_distance_and_bounds() -> None:
    wanted = [10.0, 10.0, 11.0, 50.0, 95.0, 99.0]
    places = spread(wanted, 12.0, 0.0, 100.0)
    assert all(b - a >= 12.0 - 1e-9 for a, b in pairwise(places))
    assert places[0] >= 0.0
    assert places[-1] <= 100.0 + 1e-9
    assert places[3] == pytest.approx(50.0)
