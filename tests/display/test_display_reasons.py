"""Reasons of health are sentences of the log: the screen has each in its languages, and each is one that is written."""

import ast
import json
import re
import subprocess
from functools import cache

import display_raid as raid
import pytest
from display_browser import needs_browser

from opencram.display.reasons import reason_in
from opencram.warning import Config as WarningConfig

REASONS: list[list[str]] = json.loads((raid.ROOT / "src" / "opencram" / "display" / "reasons.json").read_text())
GAP = re.compile(r"\{\d#?\}")
FIELD = re.compile(r"\{[^}]*\}")  # of a text that str.format fills
PARTS = WarningConfig(zones=()).degrading_parts
STATES = [
    f"{part}{{0}} {how}" if part.endswith(":") else f"{part} {how}" for part in PARTS for how in ("degraded", "lost")
]


@cache
def written() -> list[tuple[re.Pattern[str], int]]:
    """Every text of the program, its gaps open, and how many letters of it are fixed."""
    found = []
    for path in sorted((raid.ROOT / "src" / "opencram").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            parts: list[str | None] = []
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                parts = [each for text in FIELD.split(node.value) for each in (text, None)][:-1]
            elif isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]  # type: ignore[misc]
            if parts and parts[0] is not None:
                parts[0] = parts[0].removeprefix("; ")
            fixed = sum(len(part) for part in parts if part is not None)
            if fixed >= 4:
                shape = "".join(".+" if part is None else re.escape(part) for part in parts)
                found.append((re.compile(shape, re.DOTALL), fixed))
    return found


@pytest.mark.parametrize("english", [texts[0] for texts in REASONS if texts[0] not in STATES])
def test_each_sentence_is_one_that_the_program_writes(english: str) -> None:
    """In one text, or in what a text begins with and one that ends it; a short one may be made of short parts."""
    bare, tail = english.removesuffix(": {0}"), english.partition(": ")[2] or english
    least = min(8, len(GAP.sub("", english)) // 4)
    assert any(fixed >= least and shape.fullmatch(text) for shape, fixed in written() for text in (english, bare, tail))


def test_every_part_that_lowers_thresholds_has_its_states() -> None:
    assert set(STATES) <= {texts[0] for texts in REASONS}


def test_each_sentence_has_the_same_gaps_in_three_languages() -> None:
    for texts in REASONS:
        assert len(texts) == 3
        assert len({tuple(sorted(gap.replace("#", "") for gap in GAP.findall(text))) for text in texts}) == 1, texts[0]
        assert len(set(texts)) == 3, texts[0]
    assert len({texts[0] for texts in REASONS}) == len(REASONS)


FLYING = "93 % that one of 3 rounds lands within 50 m; first impact in 23 s; shelter takes 15 s"
APART = "range +31 ± 2 m, azimuth +1.1 ± 0.1 mrad, elevation -0.5 ± 0.2 mrad"
OURS = [
    "nothing has come from it for 2.31 s; something is due every 1 s",
    "errs more than it states, estimates allow for it: range 7.1 m and slowly 3 m over 2.0 s, stated 5; "
    "azimuth 1.2 mrad and slowly 0.4 mrad over 2.0 s, stated 1",
    "the site file was changed: 2 alarms end by their time, since their zones are gone",
    f"its plots lie apart from those of the other radars, estimates allow for it: {APART}; "
    "what all radars have in common cannot be seen",
    FLYING,
    f"round 4 joined, rounds 3, 7 left, now drop, first impact 2.0 s earlier, up from 43 %: {FLYING}",
    f"still in force: {FLYING}; thresholds times 0.5: sensor:n0 lost, tracking degraded",
    f"alarm in 44, 45; first 44: round 2 joined: {FLYING}",
    "rounds 1, 3 fell: over 99.9 % that rounds 2, 1, 3 landed near; stay under cover: "
    "all clear in 599 s unless more come",
    "no zone is in alarm any more; last 44: 0.40 % for 2.0 s, below 5 %; no round fell near",
    "600 s since the last impact, 600 s are kept; 0.00 % of another round",
    "range_m is -3: must be > 0 and <= 20000, the reach of sensor n0",
    "track 12: no flight model comes down within 240 s, and no impact is predicted",
]
FOREIGN = ["[Errno 111] Connection refused", "the peer said: round and round; over", "", "x: y, z; w"]


def test_what_the_program_says_is_told_whole_and_with_its_numbers() -> None:
    for text in OURS:
        french, arabic = reason_in(text, "fr"), reason_in(text, "ar")
        assert french is not None, text
        assert arabic is not None, text
        for number in re.findall(r"\d+(?:\.\d+)?", text):
            assert number in arabic
            assert number in french or number.replace(".", ",") in french
        assert not re.search(r"\b(its?|the|and|for|over|that|joined|left|fell|round|rounds|lost)\b", french + arabic)
        assert not re.search(r"[a-z]{4}", re.sub("range_m", "", arabic)), arabic
        assert reason_in(text, "en") == text
    assert [reason_in(text, language) for text in FOREIGN for language in ("fr", "ar")] == [None] * 2 * len(FOREIGN)


@needs_browser
def test_a_screen_says_them_as_a_report_does() -> None:
    given = [*OURS, *FOREIGN]
    script = raid.ROOT / "display" / "test" / "reasons.mjs"
    done = subprocess.run(
        ["node", str(script)], input=json.dumps(given), capture_output=True, text=True, check=True, timeout=60
    )
    for text, said in zip(given, json.loads(done.stdout), strict=True):
        for language, told in zip(("en", "fr", "ar"), said, strict=True):
            ours = reason_in(text, language)
            assert told == {"text": ours or text, "lang": language if ours else "en"}
