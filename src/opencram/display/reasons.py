"""Reasons that the log holds as English sentences, in the language of whoever reads them.

`reasons.json` holds every sentence that the program itself writes, in English, French and Arabic, {0} for what varies,
{0#} for numbers alone; what a radar or another system says stays as it came.  `display/src/reasons.ts` does the same in
a browser, by the same table: a sentence is one of the table, or several in a row, or what changed and how it stands now
("A, B: C").
"""

import json
import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Final

LANGUAGES: Final = ("en", "fr", "ar")
_SEPARATORS: Final = {"; ": {"fr": " ; ", "ar": "؛ "}, ", ": {"fr": ", ", "ar": "، "}, ": ": {"fr": " : ", "ar": ": "}}
_GAP: Final = re.compile(r"\{(\d)#?\}")
_NUMBERS: Final = r"([-+\d., ]+)"
_NUMBER: Final = re.compile(r"[-+]?\d+\.\d+(?: %)?")
_ISOLATE, _END_ISOLATE = "\u2066", "\u2069"  # left to right within a line of either direction (Unicode, UAX #9)


@cache
def _table() -> tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]:
    texts = json.loads(files("opencram.display").joinpath("reasons.json").read_text(encoding="utf-8"))
    return tuple((_shape(each[0]), tuple(each)) for each in texts)


def _shape(text: str) -> re.Pattern[str]:
    parts = re.split(r"(\{\d#?\})", text)
    for at, gap in enumerate(parts):
        parts[at] = (_NUMBERS if "#" in gap else "(.+?)") if at % 2 else re.escape(gap)
    return re.compile("".join(parts), re.DOTALL)


def reason_in(text: str, language: str) -> str | None:
    """Return a reason in a language; None where it is not the program's own."""
    return text if language == "en" else _said(text, language)


def _said(text: str, language: str) -> str | None:
    return _clause(text, language) or _row(text, "; ", language, _clause)


def _clause(text: str, language: str) -> str | None:
    return _changed(text, language) or _whole(text, language)


def _changed(text: str, language: str) -> str | None:
    """Return what changed, a row before the first colon, and how it stands now."""
    before, colon, now = text.partition(": ")
    if not colon or (changes := _whole(before, language) or _row(before, ", ", language, _whole)) is None:
        return None
    told = _said(now, language)
    return None if told is None else changes + _SEPARATORS[": "][language] + told


def _whole(text: str, language: str) -> str | None:
    for shape, texts in _table():
        found = shape.fullmatch(text)
        if found:
            gaps = [_gap(each, language) for each in found.groups()]
            return _GAP.sub(lambda gap, gaps=gaps: gaps[int(gap[1])], texts[LANGUAGES.index(language)])  # type: ignore[misc]
    return None


def _gap(text: str, language: str) -> str:
    told = _row(text, ", ", language, _whole) or _said(text, language)
    if told is not None:
        return told
    if language == "fr" and _NUMBER.fullmatch(text):
        text = text.replace(".", ",")
    return _ISOLATE + text + _END_ISOLATE if language == "ar" else text


def _row(text: str, between: str, language: str, one: Callable[[str, str], str | None]) -> str | None:
    """Return several in a row; None where one of them is not known, or it is but one."""
    parts = text.split(between)
    said = _parted(parts, between, language, one) if len(parts) > 1 else None
    return None if said is None else _SEPARATORS[between][language].join(said)


def _parted(parts: list[str], between: str, language: str, one: Callable[[str, str], str | None]) -> list[str] | None:
    """Return each of a row, as short as it can be: what is between two may also stand in one."""
    for end in range(1, len(parts) + 1):
        told = one(between.join(parts[:end]), language)
        rest = [] if end == len(parts) else None if told is None else _parted(parts[end:], between, language, one)
        if told is not None and rest is not None:
            return [told, *rest]
    return None
