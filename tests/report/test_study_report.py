"""The report on a study: one file, in three languages, with every figure that the result holds."""

import re
from dataclasses import replace

import numpy as np
import pytest

from opencram.report.study_page import study_page, write_study_report
from opencram.report.study_pictures import medians_by_zone, share_at_least
from opencram.report.study_timelines import STYLE as TIMELINES_STYLE
from opencram.report.study_timelines import band, quantiles, timelines
from opencram.report.study_words import CATALOGUES, MEASURE_NAMES
from opencram.studies.api import run_study
from opencram.studies.measures import BY_NAME, Columns
from opencram.studies.rows import APPROACH_S, COURSE_S, TO_GO_S
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


def test_timelines_have_a_panel_for_each_alternative_and_say_what_the_raids_did(result):
    for language in CATALOGUES:
        page = study_page(result, language)
        assert 'id="timelines"' in page
        for what in ("course_alarmed_people", "course_tracks", "approach"):
            assert page.count(f"<title>{CATALOGUES[language][what]}</title>") == 1
        assert page.count("panel-name") - TIMELINES_STYLE.count("panel-name") == 3 * len(result.alternatives)
    columns = result.columns[0]
    tracks, people = columns.course["tracks"], columns.course["alarmed_people"]
    assert tracks.shape == (len(columns), len(COURSE_S))
    assert tracks[:, 0].max() <= 1.0  # nothing is confirmed by its first plot
    rounds = columns.quantities["rounds"] + columns.quantities["false_tracks"]
    assert (tracks.max(axis=1) <= rounds + 1.0).all()
    assert (tracks.max(axis=1) >= 1.0).all()
    assert (people >= 0.0).all()
    assert ((people.max(axis=1) > 0.0) | (columns.quantities["alarms"] == 0.0)).all()


def test_predictions_grow_surer_on_the_way(result):
    columns = result.columns[0]
    error, ellipse = columns.approach["error_m"], columns.approach["ellipse_m"]
    assert error.shape == ellipse.shape == (len(columns), len(APPROACH_S))
    for row in ellipse:
        known = row[np.isfinite(row)]
        assert len(known) >= 3
        assert known[0] < known[-1]  # the first is the nearest to the impact
    for s in set(TO_GO_S) & set(APPROACH_S):  # what is scored elsewhere at the same seconds is the same
        for k in range(len(columns)):
            mine = columns.error_m[(columns.error_owner == k) & (columns.error_to_go_s == s)]
            at = error[k, APPROACH_S.index(s)]
            assert (len(mine) == 0) == np.isnan(at)
            if len(mine):
                assert at == pytest.approx(np.median(mine))


def test_quantiles_count_raids_by_their_weight():
    values = np.array([5.0, np.nan, 1.0, 3.0])
    assert quantiles(values, np.ones(4), (0.1, 0.5, 0.9)) == [1.0, 3.0, 5.0]
    assert quantiles(values, np.array([8.0, 9.0, 1.0, 1.0]), (0.1, 0.5, 0.9)) == [1.0, 5.0, 5.0]
    assert quantiles(np.array([-np.inf, 2.0]), np.ones(2), (0.5, 0.9)) == [-np.inf, 2.0]


def test_a_second_at_which_few_raids_tell_anything_is_left_out():
    values = np.array([[1.0, np.nan], [2.0, np.nan], [3.0, 4.0]])
    found = band(values, np.ones(3), (5, 10))
    assert found.at_s == (5.0,)
    assert found.quantiles.tolist() == [[1.0, 2.0, 3.0]]


def test_a_result_from_before_there_were_timelines_is_shown_without(result):
    for each in result.columns:
        assert each.course
    old = replace(result)
    old.__dict__["columns"] = tuple(replace(each, course={}, approach={}) for each in result.columns)
    assert timelines(old, CATALOGUES["en"]) is None
    assert 'id="timelines"' not in study_page(old)


def test_names_keep_their_own_direction_in_arabic(result):
    assert "\u2068policy site\u2069" in study_page(result, "ar")
    assert "\u2068" not in study_page(result)
