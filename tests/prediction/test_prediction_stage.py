"""The stage: one impact for each track that comes with flight models and will land, and sane numbers in it."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prediction_worlds import (
    CONFIG,
    LOWER,
    MORTAR,
    ROCKET,
    ROUNDS,
    SITE,
    T0,
    S,
    covariance,
    hypothesis,
    impacts,
    said_of,
    track,
)

from opencram import prediction
from opencram.earth.geodesy import Frame, enu_from_geodetic
from opencram.messages import Association, Impact, Tick

FRAME = Frame(SITE["latitude_rad"], CONFIG.longitude_rad, SITE["height_m"])
MIXED = track(
    hypothesis(ROCKET, "G7", probability=0.6),
    hypothesis(ROCKET + 0.3 * np.eye(10)[6], "G2", probability=0.2),
    hypothesis(ROCKET, "G7", class_name="shell", probability=0.15),
    classes=(("rocket", 0.8), ("shell", 0.15), ("aircraft", 0.05)),
)


@pytest.mark.parametrize("name", ROUNDS)
def test_an_impact_is_on_the_ground_ahead_in_time_and_consistent_in_itself(name):
    mean, curve = ROUNDS[name]
    (impact,) = impacts(track(hypothesis(mean, curve, class_name=name), classes=((name, 1.0),)))
    assert isinstance(impact, Impact)
    assert (impact.track_id, impact.t_ns) == (7, T0)
    place = enu_from_geodetic(FRAME, math.radians(impact.latitude_deg), math.radians(impact.longitude_deg), 35.0)
    assert place[:2] == pytest.approx(impact.position_enu_m[:2], abs=0.5)
    assert place[2] == pytest.approx(impact.position_enu_m[2], abs=3.0)
    assert 1 * S < impact.impact_t_ns - impact.t_ns < 60 * S
    assert impact.impact_velocity_enu_m_s[2] < -20.0
    ee, en, nn = impact.covariance_enu_m2
    assert np.linalg.eigvalsh([[ee, en], [en, nn]]).min() > 1.0
    assert 0.01 < impact.impact_time_s_std < 5.0
    assert impact.projectile_probability == 1.0
    assert impact.path_enu_m[0] == pytest.approx(mean[:3].tolist())
    assert np.linalg.norm(np.array(impact.path_enu_m[-1]) - impact.position_enu_m) < 20.0


def test_the_moments_are_those_of_the_mixture_that_comes_with_them():
    (impact,) = impacts(MIXED)
    parts = impact.components
    shares = np.array([part.probability for part in parts])
    assert shares.sum() == pytest.approx(1.0)
    assert shares == pytest.approx(np.array([0.6, 0.2, 0.15]) / 0.95)
    assert [part.class_name for part in parts] == ["rocket", "rocket", "shell"]
    where = np.array([[part.east_m, part.north_m] for part in parts])
    assert shares @ where == pytest.approx(np.array(impact.position_enu_m[:2]))
    total = np.cov(where.T, aweights=shares, bias=True)
    for share, part in zip(shares, parts, strict=True):
        ee, en, nn = part.covariance_m2
        total += share * np.array([[ee, en], [en, nn]])
    assert impact.covariance_enu_m2 == pytest.approx((total[0, 0], total[0, 1], total[1, 1]))
    assert impact.projectile_probability == pytest.approx(0.95)


def test_an_impact_survives_the_log():
    (impact,) = impacts(MIXED)
    assert msgspec.json.decode(msgspec.json.encode(impact), type=Impact) == impact


def test_only_tracks_that_come_with_models_give_impacts_in_their_order():
    bare = track(track_id=3)
    first, second = track(hypothesis(ROCKET), track_id=9), track(hypothesis(MORTAR, "G5"), track_id=4)
    tick, association = Tick(t_ns=T0), Association(t_ns=T0, sensor="a", plot_ids=(1,), track_ids=(9,))
    assert [m.track_id for m in impacts(tick, first, bare, association, second, tick)] == [9, 4]
    assert impacts() == []
    assert impacts(bare, tick) == []


def test_the_same_tracks_give_the_same_bytes_alone_or_together():
    other = track(hypothesis(MORTAR, "G5", class_name="mortar"), track_id=8)
    together = impacts(MIXED, other)
    assert msgspec.json.encode(together) == msgspec.json.encode(impacts(MIXED, other))
    assert together == impacts(MIXED) + impacts(other)


def test_what_never_lands_gives_no_impact_and_does_not_disturb_the_others():
    away = ROCKET.copy()
    away[3:7] = 3000.0, 3000.0, 9000.0, math.log(1e7)
    assert impacts(track(hypothesis(away))) == []
    (said,) = said_of(track(hypothesis(away)))
    assert (said.code, said.t_ns) == ("no_impact", T0)
    assert said.reason == "track 7: no flight model comes down within 200 s, and no impact is predicted"
    assert said_of(track()) == []
    assert [m.track_id for m in impacts(track(hypothesis(away), track_id=1), MIXED)] == [7]
    (impact,) = impacts(track(hypothesis(away, probability=0.5), hypothesis(ROCKET, probability=0.5)))
    assert [part.probability for part in impact.components] == [1.0]


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf, 0.0, -1.0])
def test_a_broken_covariance_gives_no_impact_and_no_exception(broken):
    spread = covariance()
    spread[np.diag_indices(10)] = broken
    assert impacts(track(hypothesis(ROCKET, spread=spread))) == []
    spread = covariance()
    spread[4, 2] = spread[2, 4] = broken if not math.isfinite(broken) else 1e9
    assert impacts(track(hypothesis(ROCKET, spread=spread))) == []


@pytest.mark.parametrize("probability", [0.0, -0.5, math.nan, math.inf])
def test_a_model_without_a_probability_is_left_out(probability):
    odd = hypothesis(ROCKET, probability=probability)
    assert impacts(track(odd)) == []
    assert impacts(track(hypothesis(MORTAR, "G5"), odd)) == impacts(track(hypothesis(MORTAR, "G5")))


def test_a_round_about_to_land_lands_now():
    low = MORTAR.copy()
    low[2], low[5] = 3.0, -120.0
    (impact,) = impacts(track(hypothesis(low, "G5", spread=covariance(0.01))))
    assert 0 <= impact.impact_t_ns - T0 < 0.2 * S
    assert impact.position_enu_m[:2] == pytest.approx(low[:2], abs=10.0)


numbers = st.one_of(st.floats(-1e5, 1e5), st.floats(), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1e300]))


odd_means = st.lists(st.tuples(st.integers(0, 9), numbers), max_size=3)
odd_covariances = st.lists(st.tuples(st.integers(0, 54), numbers), max_size=3)


@settings(max_examples=150, deadline=None)
@given(odd_means, odd_covariances, numbers)
def test_no_track_makes_it_raise(in_mean, in_covariance, probability):
    """And what it says of one is finite, with shares that sum to one."""
    mean, lower = ROCKET.copy(), covariance()[LOWER]
    for place, number in in_mean:
        mean[place] = number
    for place, number in in_covariance:
        lower[place] = number
    odd = msgspec.structs.replace(hypothesis(mean), covariance=tuple(lower.tolist()), probability=probability)
    for impact in impacts(track(odd), track(odd, hypothesis(ROCKET, probability=0.3))):
        numbers = (*impact.position_enu_m, *impact.covariance_enu_m2, impact.latitude_deg, impact.impact_time_s_std)
        assert all(map(math.isfinite, numbers))
        assert sum(part.probability for part in impact.components) == pytest.approx(1.0)
        assert all(0.0 < part.probability <= 1.0 for part in impact.components)


def test_the_grounds_height_is_the_sites():
    high = prediction.Config(**{**SITE, "ground_height_m": 600.0}, longitude_rad=CONFIG.longitude_rad)
    (low_impact,) = impacts(track(hypothesis(ROCKET)))
    (high_impact,) = impacts(track(hypothesis(ROCKET)), config=high)
    assert high_impact.impact_t_ns < low_impact.impact_t_ns
    assert high_impact.position_enu_m[2] == pytest.approx(low_impact.position_enu_m[2] + 565.0, abs=3.0)
