"""The report on a study: one file, in three languages, with every figure that the result holds."""

import re

import numpy as np
import pytest

from opencram.report.study_page import study_page, write_study_report
from opencram.report.study_pictures import medians_by_zone, share_at_least
from opencram.report.study_words import CATALOGUES, MEASURE_NAMES
from opencram.studies.api import run_study
from opencram.studies.measures import BY_NAME, Columns
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


def test_the_pictures_hold_every_zone_and_every_alternative(result):
    page = study_page(result)
    zones = result.polygons["zones"]
    assert zones
    assert page.count('class="zone-none"') + page.count('class="zone-kind') == len(zones) + 5  # and five in the key
    for each in result.alternatives:
        assert f"<title>{each.name}</title>" in page
    assert "seconds of warning, at least" in page
    assert "seconds to impact" in page


def test_the_share_warned_counts_raids_by_their_weight():
    nothing = np.empty(0)
    columns = Columns(
        runs=np.arange(2), weights=np.array([1.0, 3.0]), quantities={}, lead_s=np.array([12.0, -np.inf, 20.0]),
        lead_owner=np.array([0, 0, 1]), lead_zone=["a", "b", "a"], error_m=nothing,
        error_to_go_s=nothing.astype(np.int64), error_owner=nothing.astype(np.int64),
    )  # fmt: skip
    assert share_at_least(columns, np.array([0.0, 12.0, 12.1, 20.0, 21.0])).tolist() == [0.8, 0.8, 0.6, 0.6, 0.0]
    assert medians_by_zone(columns) == {"a": (20.0, 2), "b": (-np.inf, 1)}


def test_names_keep_their_own_direction_in_arabic(result):
    assert "\u2068policy site\u2069" in study_page(result, "ar")
    assert "\u2068" not in study_page(result)
