"""The whole report in three languages: no word is missing, no number differs, right to left where it should be."""

import re

import pytest
from report_raid import raid, truth_of

from opencram.report.after_action import render
from opencram.report.catalogue import ARABIC, CATALOGUES, ENGLISH, FRENCH, Catalogue
from opencram.report.formats import isolated

OTHERS = (FRENCH, ARABIC)
_FORM = re.compile(r"\.(zero|one|two|few|many|other)$")


def _stems(say: Catalogue) -> dict[str, set[str]]:
    """Return what is filled into each text, its plural forms together."""
    found: dict[str, set[str]] = {}
    for key, text in say.texts.items():
        found.setdefault(_FORM.sub("", key), set()).update(re.findall(r"{(\w+)}", text))
    return found


@pytest.mark.parametrize("say", OTHERS, ids=lambda say: say.language)
def test_each_language_says_all_that_english_says_with_the_same_facts_in_it(say: Catalogue) -> None:
    assert _stems(say) == _stems(ENGLISH)


@pytest.mark.parametrize("say", CATALOGUES.values(), ids=lambda say: say.language)
@pytest.mark.parametrize("n", [0, 1, 2, 3, 10, 11, 42, 100, 101, 103])
def test_every_count_has_a_form(say: Catalogue, n: int) -> None:
    for key in [
        key for key in ENGLISH.texts if key.endswith(".other") and key.removesuffix("other") + "one" in say.texts
    ]:
        text = say(
            key.removesuffix(".other"), count=n, **dict.fromkeys(_stems(ENGLISH)[_FORM.sub("", key)] - {"n"}, "x")
        )
        assert text != "other"
        assert "{" not in text


def test_counts_in_arabic_take_the_form_of_their_number() -> None:
    assert [ARABIC("classes.rocket", count=n) for n in (1, 2, 7, 11, 100)] == [
        "صاروخ واحد", "صاروخان", "7 صواريخ", "11 صاروخًا", "100 صاروخ",
    ]  # fmt: skip


@pytest.mark.parametrize("say", OTHERS, ids=lambda say: say.language)
def test_no_english_sentence_is_left_and_every_number_is_the_same(say: Catalogue) -> None:
    def words(text: str) -> str:
        body = re.sub(r"<(style|script|pre)[\s\S]*?</\1>", "", text)
        return re.sub(r"<[^>]+>", "\n", body)

    english, other = words(render(raid(), truth_of())), words(render(raid(), truth_of(), say=say))
    long = {text for key, text in ENGLISH.texts.items() if len(text) > 25 and text != say.texts.get(key)}
    assert [text for text in long if text in other] == []
    decimals = re.compile(r"\d+\.\d+")
    assert sorted(decimals.findall(other)) == sorted(decimals.findall(english))


def test_arabic_runs_from_right_to_left_and_the_reasons_of_decisions_are_those_of_the_log() -> None:
    text = render(raid(), truth_of(), say=ARABIC)
    assert '<html lang="ar" dir="rtl">' in text
    assert 'lang="fr" dir="ltr"' in render(raid(), say=FRENCH)[:200]
    assert ARABIC.logged("as logged", (("fr", "en français"), ("ar", "بالعربية"))) == "بالعربية"
    assert FRENCH.logged("as logged", ()) == "as logged"


def test_a_number_keeps_its_unit_behind_it_from_right_to_left() -> None:
    assert (
        isolated("قبل 21.5\u00a0s ثم &lt;\u00a00.1\u00a0%")
        == "قبل \u206621.5\u00a0s\u2069 ثم \u2066&lt;\u00a00.1\u00a0%\u2069"
    )
    assert isolated("Block 44, 2026-01-01") == "Block 44, 2026-01-01"
