"""The report on a study: one file, in three languages, with every figure that the result holds."""

import re

import pytest

from opencram.report.study_page import study_page, write_study_report
from opencram.report.study_words import CATALOGUES, MEASURE_NAMES
from opencram.studies.api import run_study
from opencram.studies.measures import BY_NAME
from study_data import STUDY, write_study


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    hostile = STUDY.replace('"small study"', '"<script>alert(1)</script>"').replace("runs = 4", "runs = 2")
    return run_study(write_study(folder, hostile))


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("fr", "ltr"), ("ar", "rtl")])
def test_the_report_stands_alone(result, language, direction):
    page = study_page(result, language)
    assert f'lang="{language}" dir="{direction}"' in page
    assert "<script" not in page
    assert not re.search(r'(src|href)="(https?:|//)', page)
    for measure in result.measures:
        assert MEASURE_NAMES[language][measure.name] in page
    assert "policy people" in page
    assert result.study_sha256[:12] in page


def test_every_language_has_every_word():
    for language, texts in CATALOGUES.items():
        assert texts.keys() == CATALOGUES["en"].keys(), language
        assert MEASURE_NAMES[language].keys() == BY_NAME.keys(), language
        for key, text in texts.items():
            fields = set(re.findall(r"{(\w+)}", text))
            assert fields == set(re.findall(r"{(\w+)}", CATALOGUES["en"][key])), (language, key)


def test_figures_are_the_results_own(result):
    page = study_page(result)
    warned = result.estimate("people_warned_5s")
    assert f"{warned.value:.3g} [{warned.low:.3g}, {warned.high:.3g}]" in page


def test_the_command_writes_it(result, opencram, tmp_path):
    out = tmp_path / "study.html"
    opencram("report", result.path, "--out", out, "--language", "fr")
    assert "Comparaison d’attaques simulées" in out.read_text(encoding="utf-8")
    assert write_study_report(result, tmp_path / "again.html", "ar").stat().st_size > 20_000
