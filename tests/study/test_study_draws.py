"""Drawing by name: values follow their distributions, and nobody's draw moves another's."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, stats

from opencram.config.study import load_study, parse_study
from opencram.config.study_model import Distribution
from opencram.studies.distributions import chosen, log_density, value_of
from opencram.studies.drawing import draw, run_seed
from opencram.studies.preparing import prepare, scenario_of
from study_data import STUDY, write_study

UNIFORMS = (np.arange(4000) + 0.5) / 4000
CONTINUOUS = [
    (Distribution(kind="uniform", first=2.0, second=5.0), stats.uniform(2.0, 3.0)),
    (Distribution(kind="normal", first=1.0, second=2.0), stats.norm(1.0, 2.0)),
    (Distribution(kind="lognormal", first=3.0, second=0.4), stats.lognorm(0.4, scale=3.0)),
    (Distribution(kind="exponential", first=2.5), stats.expon(scale=2.5)),
    (
        Distribution(kind="normal", first=0.0, second=1.0, at_least=-1.0, at_most=0.5),
        stats.truncnorm(-1.0, 0.5),
    ),
]


@pytest.mark.parametrize(("mine", "theirs"), CONTINUOUS)
def test_values_follow_their_distribution(mine, theirs):
    values = [value_of(mine, u) for u in UNIFORMS]
    np.testing.assert_allclose(values, theirs.ppf(UNIFORMS), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose([log_density(mine, v) for v in values[::97]], theirs.logpdf(values[::97]), atol=1e-6)


def test_densities_of_whole_numbers_and_choices_sum_to_one():
    poisson = Distribution(kind="poisson", first=3.0, at_least=1.0, at_most=9.0)
    assert sum(math.exp(log_density(poisson, k)) for k in range(12)) == pytest.approx(1.0)
    drawn = [value_of(poisson, u) for u in UNIFORMS]
    for k in (1, 3, 9):
        assert drawn.count(k) / len(drawn) == pytest.approx(math.exp(log_density(poisson, k)), abs=2e-3)
    whole = Distribution(kind="integers", first=2.0, second=4.0)
    assert {value_of(whole, u) for u in UNIFORMS} == {2, 3, 4}
    choice = Distribution(kind="choice", values=("a", "b"), weights=(0.25, 0.75))
    assert math.exp(log_density(choice, "b")) == pytest.approx(0.75)
    assert log_density(choice, "c") == -math.inf


def test_what_has_no_weight_is_never_chosen():
    assert {chosen((0.0, 1.0, 0.0), u) for u in (1e-16, 0.5, 1 - 1e-16)} == {1}


def test_a_cut_distribution_is_renormed():
    cut = Distribution(kind="exponential", first=2.0, at_least=1.0, at_most=3.0)
    total, _ = integrate.quad(lambda x: math.exp(log_density(cut, x)), 1.0, 3.0)
    assert total == pytest.approx(1.0)
    assert log_density(cut, 0.5) == -math.inf


def test_another_draw_changes_no_other(tmp_path):
    study = parse_study(STUDY, tmp_path / "study.toml")
    more = '\n[[draw]]\nname = "air"\nset = "scenario.weather.density_factor"\nvalue = { uniform = [0.9, 1.1] }\n'
    first = parse_study(STUDY.replace("[[draw]]", more + "\n[[draw]]", 1), tmp_path / "study.toml")
    for run in range(20):
        seed = run_seed(study, run, 0)
        before, after = draw(study, seed), draw(first, seed)
        assert after.launches == before.launches
        assert after.values["wind"] == before.values["wind"]


def test_a_longer_salvo_begins_alike(tmp_path):
    study = parse_study(STUDY, tmp_path / "study.toml")
    [salvo] = study.salvos
    longer = replace(study, salvos=(replace(salvo, count=Distribution(kind="fixed", values=(5,))),))
    for run in range(10):
        seed = run_seed(study, run, 0)
        short, long = draw(study, seed).launches, draw(longer, seed).launches
        assert len(long) == 5
        assert long[: len(short)] == short


def test_alternatives_share_their_random_numbers_unless_told_otherwise(tmp_path):
    study = load_study(write_study(tmp_path))
    prepared = prepare(study)
    one, other = (
        scenario_of(prepared, each, draw(study, run_seed(study, 3, each.number))) for each in prepared.alternatives
    )
    assert (one.seed, one.launches, one.weather) == (other.seed, other.launches, other.weather)
    assert one.site.policy.protect != other.site.policy.protect
    apart = replace(study, common=False)
    assert run_seed(apart, 3, 0) != run_seed(apart, 3, 1)


def test_weights_undo_what_importance_sampling_does(tmp_path):
    aims = (
        STUDY.replace("std_m = 60.0", "std_m = 60.0, weight = 0.1, sample_weight = 1.0")
        .replace("std_m = 120.0", "std_m = 120.0, weight = 0.9, sample_weight = 1.0")
        .replace("value = { normal = [0.0, 3.0] }", "value = { normal = [0.0, 3.0] }\nsample = { normal = [4.0, 3.0] }")
    )
    study = parse_study(aims, tmp_path / "study.toml")
    drawn = [draw(study, run_seed(study, run, 0)) for run in range(4000)]
    weights = np.array([each.weight for each in drawn])
    winds = np.array([each.values["wind"] for each in drawn])
    assert weights.max() <= 1.0 / study.safe_share + 1e-9
    assert weights.mean() == pytest.approx(1.0, abs=4 * weights.std() / math.sqrt(len(weights)))
    assert winds.mean() > 3.0  # as it is sampled
    product = weights * winds
    assert product.mean() == pytest.approx(0.0, abs=4 * product.std() / math.sqrt(len(product)))  # as it happens
