"""Study files: what they say is read, and every fault is told at once, in the study's or the scenario's own words."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from opencram.config.overlay import PathError, changed, toml_text, without, words_of
from opencram.config.study import load_study, parse_study
from opencram.config.study_model import Distribution
from opencram.errors import OpencramError
from opencram.runtime.configure import configure
from opencram.studies.drawing import draw, run_seed
from opencram.studies.preparing import prepare, scenario_of
from study_data import SITE, STUDY, write_study


def faults(text, tmp_path):
    with pytest.raises(OpencramError) as caught:
        parse_study(text, tmp_path / "study.toml")
    return str(caught.value)


def test_a_study_is_read(tmp_path):
    study = load_study(write_study(tmp_path))
    assert (study.name, study.seed, study.runs, study.block, study.common) == ("small study", 5, 4, 2, True)
    [salvo] = study.salvos
    assert salvo.count == Distribution(kind="integers", first=1.0, second=2.0)
    assert [area.name for area in salvo.aim_areas] == ["compound", "houses"]
    assert study.draws[0].paths == (("scenario", "weather", "wind_east_m_s"),)
    assert [case.name for case in study.factors[0].levels] == ["site", "people"]


def test_every_fault_is_told_at_once(tmp_path):
    text = faults(
        STUDY.replace("runs = 4", "runs = 0")
        .replace("normal = [0.0, 3.0]", "normal = [0.0, -3.0]")
        .replace("integers = [1, 2]", "uniform = [1, 2]")
        .replace('"scenario.weather.wind_east_m_s"', '"weather.wind"'),
        tmp_path,
    )
    assert "$.study.runs = 0: must be >= 1" in text
    assert "deviation over 0" in text
    assert "$.salvo[0].count" in text
    assert "whole numbers" in text
    assert 'must begin with one of scenario, site, not "weather"' in text


def test_what_may_happen_must_be_sampled(tmp_path):
    aims = '{ name = "houses", east_m = 500.0, north_m = 150.0, std_m = 120.0'
    assert "sample_weight" in faults(STUDY.replace(aims, aims + ", sample_weight = 0.0"), tmp_path)


def test_two_draws_of_one_name_are_a_fault(tmp_path):
    again = '\n[[draw]]\nname = "wind"\nset = "scenario.weather.density_factor"\nvalue = 1.0\n'
    assert "must be unique" in faults(STUDY + again, tmp_path)


def test_a_value_that_the_scenario_refuses_is_refused_in_its_words(tmp_path):
    path = write_study(tmp_path, STUDY.replace("normal = [0.0, 3.0]", "normal = [900.0, 3.0]"))
    with pytest.raises(OpencramError, match=r"weather.wind_east_m_s = 900.*must be >= -150 and <= 150"):
        prepare(load_study(path))


def test_a_path_that_names_nothing_says_what_there_is(tmp_path):
    study = STUDY.replace('set = { "site.policy.protect" = "people" }', 'without = ["site.sensor.north"]')
    with pytest.raises(OpencramError, match=r'no sensor is named "north"; there are near, far'):
        prepare(load_study(write_study(tmp_path, study)))


def test_a_sensor_can_be_taken_away_and_its_scenario_table_goes_with_it(tmp_path):
    study = STUDY.replace('set = { "site.policy.protect" = "people" }', 'without = ["site.sensor.far"]')
    prepared = prepare(load_study(write_study(tmp_path, study)))
    assert [[s.id for s in each.site_plain.sensors] for each in prepared.alternatives] == [["near", "far"], ["near"]]


def test_a_document_is_written_as_it_was_read():
    document = tomllib.loads(SITE)
    assert tomllib.loads(toml_text(document)) == document


@pytest.mark.parametrize("path", ["", "scenario", "scenario.", "other.key", "scenario..x", 'scenario."x'])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(PathError):
        words_of(path)


def test_paths_reach_tables_elements_and_all_of_them():
    site = tomllib.loads(SITE)
    wide = changed(site, [(("zone", "*", "shelter_time_s"), 5.0), (("zone", "east", "population"), 1)])
    assert [(z["shelter_time_s"], z["population"]) for z in wide["zone"]] == [(5.0, 100), (5.0, 1), (5.0, 500)]
    assert site["zone"][1]["population"] == 800  # what is given is not changed
    grown = changed({}, [(("radar", "near", "bias_range_m"), 3.0)])
    assert grown == {"radar": [{"sensor": "near", "bias_range_m": 3.0}]}
    assert [s["id"] for s in without(site, ("sensor", "near"))["sensor"]] == ["far"]


@pytest.mark.parametrize(("design", "points"), [("sobol", 8), ("latin_hypercube", 7)])
def test_a_range_is_swept_by_a_design(tmp_path, design, points):
    factor = """
[[factor]]
name = "threshold"
set = "site.warning.probability"
from = 0.01
to = 0.3
logarithmic = true
"""
    study = STUDY.replace("block = 2", f'block = 2\ndesign = "{design}"\npoints = {points}') + factor
    prepared = prepare(load_study(write_study(tmp_path, study)))
    assert len(prepared.alternatives) == 2 * points
    values = sorted({dict(each.values)["threshold"] for each in prepared.alternatives})
    assert len(values) == points
    assert 0.01 <= values[0] < 0.03
    assert 0.15 < values[-1] <= 0.3


def test_one_at_a_time_is_the_base_and_each_change(tmp_path):
    more = '\n[[factor]]\nname = "rule"\nset = "site.warning.probability"\nvalues = [0.05, 0.1, 0.2]\n'
    study = STUDY.replace("block = 2", 'block = 2\ndesign = "one_at_a_time"') + more
    prepared = prepare(load_study(write_study(tmp_path, study)))
    assert [each.name for each in prepared.alternatives] == [
        "policy site, rule 0.05",
        "policy people, rule 0.05",
        "policy site, rule 0.1",
        "policy site, rule 0.2",
    ]


def test_the_study_of_planners_differs_in_the_planner_alone():
    prepared = prepare(load_study(Path(__file__).resolve().parents[2] / "examples" / "studies" / "planners.toml"))
    drawn = draw(prepared.study, run_seed(prepared.study, 0, 0))
    configs = [configure(scenario_of(prepared, each, drawn).site).engagement for each in prepared.alternatives]
    assert [each.planner for each in configs] == ["search", "first_come", "nearest"]
    assert len({replace(each, planner="search") for each in configs}) == 1
