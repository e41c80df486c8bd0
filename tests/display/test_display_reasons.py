"""Reasons of health are sentences of the log: the screen has each in its languages, and each is one that is written."""

import ast
import json
import re
import subprocess
from functools import cache

import display_raid as raid
import pytest
from display_browser import needs_browser

REASONS: list[list[str]] = json.loads((raid.ROOT / "display" / "src" / "i18n" / "reasons.json").read_text())
GAP = re.compile(r"\{\d\}")


@cache
def written() -> list[tuple[re.Pattern[str], int]]:
    """Every text of the program, its gaps open, and how many letters of it are fixed."""
    found = []
    for path in sorted((raid.ROOT / "src" / "opencram").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            parts: list[str | None] = []
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                parts = [node.value]
            elif isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]  # type: ignore[misc]
            fixed = sum(len(part) for part in parts if part is not None)
            if fixed >= 8:
                shape = "".join(".+" if part is None else re.escape(part) for part in parts)
                found.append((re.compile(shape, re.DOTALL), fixed))
    return found


@pytest.mark.parametrize("english", [texts[0] for texts in REASONS])
def test_each_sentence_is_one_that_the_program_writes(english: str) -> None:
    bare = english.removesuffix(": {0}")
    assert any(shape.fullmatch(text) for shape, _ in written() for text in (english, bare)), english


def test_each_sentence_has_the_same_gaps_in_three_languages() -> None:
    for texts in REASONS:
        assert len(texts) == 3
        assert len({tuple(sorted(GAP.findall(text))) for text in texts}) == 1, texts[0]
        assert len(set(texts)) == 3, texts[0]
    assert len({texts[0] for texts in REASONS}) == len(REASONS)


@needs_browser
def test_the_screen_says_them_with_what_they_hold_and_leaves_what_comes_from_elsewhere() -> None:
    given = [
        "nothing has come from it for 2.31 s; something is due every 1 s",
        "errs more than it states, estimates allow for it: range 7.1 m and slowly 3 m over 2.0 s, stated 5; "
        "azimuth 1.2 mrad and slowly 0.4 mrad over 2.0 s, stated 1",
        "the site file was changed: 2 alarms end by their time, since their zones are gone",
        "[Errno 111] Connection refused",
    ]
    script = raid.ROOT / "display" / "test" / "reasons.mjs"
    done = subprocess.run(
        ["node", str(script)], input=json.dumps(given), capture_output=True, text=True, check=True, timeout=60
    )
    said = json.loads(done.stdout)
    for text, (english, french, arabic) in zip(given[:-1], said[:-1], strict=True):
        assert english == {"text": text, "lang": "en"}
        assert (french["lang"], arabic["lang"]) == ("fr", "ar")
        for number in re.findall(r"\d+(?:\.\d+)?", text):
            assert number in french["text"]
            assert number in arabic["text"]
        assert not re.search(r"\b(its?|the|and|for|over)\b", french["text"] + arabic["text"])
    assert all(each == {"text": given[-1], "lang": "en"} for each in said[-1])
