"""Impact moments by sigma points against crowds of flights, and the mixture against its law."""

import math

import numpy as np
import pytest
from prediction_worlds import CONFIG, EARTH, LOWER, MORTAR, ROCKET, ROUNDS, SHELL, covariance, landings

from opencram.ballistics.drag import standard_curve
from opencram.prediction.ground import MOMENTS, PATH_POINTS, impact_moments, land_tracks

CROWD = 20_000


def moments_of(mean, spread, curve="G7", *, dt=0.25, t_max=200.0):
    """The moments of one flight model, None if it does not land."""
    moments = np.empty(MOMENTS)
    landed = impact_moments(np.array(mean), np.array(spread), dt, 1, t_max, EARTH, standard_curve(curve), moments)
    return moments if landed else None


def axes(ee, en, nn):
    """Half axes (m) of the one-sigma ellipse."""
    return np.sqrt(np.linalg.eigvalsh([[ee, en], [en, nn]]))


def table(*curves):
    """Drag curves as the program holds them, so that its kernels serve."""
    held = np.stack([standard_curve(curve) for curve in curves])
    held.setflags(write=False)
    return held


def mixed(means, spreads, shares, curves):
    """What `land_tracks` writes of one track: how many models land, parts, whole, shares, path."""
    parts, whole, path = np.empty((len(means), MOMENTS)), np.empty((1, MOMENTS)), np.empty((1, PATH_POINTS, 3))
    shares, landed = np.array(shares, dtype=np.float64), np.zeros(1, dtype=np.bool_)
    land_tracks(
        np.array([0, len(means)]), np.array(means), np.array([np.asarray(spread)[LOWER] for spread in spreads]), shares,
        CONFIG.flight_s_max, EARTH, table(*curves), np.arange(len(means)),
        parts, whole, path, landed,
    )  # fmt: skip
    return int((shares > 0.0).sum()) if landed[0] else 0, parts, whole[0], shares, path[0]


@pytest.mark.parametrize("name", ROUNDS)
def test_moments_are_those_of_a_crowd_of_flights(name):
    mean, curve = ROUNDS[name]
    draws = np.random.default_rng(17)
    crowd = landings(draws.multivariate_normal(mean, covariance(), CROWD), curve)
    assert np.isfinite(crowd).all()
    moments = moments_of(mean, covariance(), curve)
    spread = np.cov(crowd[:, [1, 2, 0]].T)
    ours = axes(moments[7], moments[8], moments[9])
    assert ours == pytest.approx(axes(spread[0, 0], spread[0, 1], spread[1, 1]), rel=0.03)
    assert math.sqrt(moments[12]) == pytest.approx(math.sqrt(spread[2, 2]), rel=0.03)
    tilt = np.array([[moments[7], moments[8]], [moments[8], moments[9]]]) - spread[:2, :2]
    assert np.abs(tilt).max() < 0.05 * ours[1] ** 2
    for ours_t, crowds_t, side in zip(moments[10:12], spread[:2, 2], np.diag(spread)[:2], strict=True):
        assert ours_t == pytest.approx(crowds_t, abs=0.05 * math.sqrt(side * spread[2, 2]))
    sampling = 4.0 * crowd.std(axis=0) / math.sqrt(CROWD)  # a mean of so many is known to a sigma of one in √CROWD
    assert np.abs(moments[:2] - crowd[:, 1:3].mean(axis=0)).max() < max(sampling[1:3]) + 0.02 * ours[1]
    assert abs(moments[3] - crowd[:, 0].mean()) < sampling[0] + 0.02 * math.sqrt(moments[12])
    assert moments[4:7] == pytest.approx(crowd[:, 4:].mean(axis=0), abs=1.0)


@pytest.mark.parametrize("name", ROUNDS)
def test_the_mean_shift_that_a_linear_map_loses_is_there(name):
    """With twice the spread the mean impact moves off the impact of the mean, as that of the crowd does."""
    mean, curve = ROUNDS[name]
    spread = covariance(2.5)
    draws = np.random.default_rng(18)
    crowd = landings(draws.multivariate_normal(mean, spread, CROWD), curve)[:, 1:3].mean(axis=0)
    straight = landings(mean[np.newaxis], curve)[0, 1:3]
    ours = moments_of(mean, spread, curve)[:2]
    assert np.linalg.norm(ours - crowd) < 0.5 * np.linalg.norm(straight - crowd) + 3.0


def test_what_is_surely_known_lands_where_it_flies():
    for mean, curve in ROUNDS.values():
        moments = moments_of(mean, covariance(1e-3), curve, dt=0.1)
        landed = landings(mean[np.newaxis], curve)[0]
        assert moments[:3] == pytest.approx(landed[1:4], abs=0.05)
        assert moments[3] == pytest.approx(landed[0], abs=1e-3)
        assert moments[7:].max() < 1.0


def test_the_moments_are_a_covariance():
    for mean, curve in ROUNDS.values():
        ee, en, nn, et, nt, tt = moments_of(mean, covariance(), curve)[7:]
        assert np.linalg.eigvalsh([[ee, en, et], [en, nn, nt], [et, nt, tt]]).min() > 0.0


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_broken_numbers_give_no_impact(broken):
    for place in (0, 4, 6, 9):
        mean = ROCKET.copy()
        mean[place] = broken
        found = moments_of(mean, covariance())
        assert found is None or not np.isfinite(found).all()
    spread = covariance()
    spread[5, 5] = broken
    found = moments_of(ROCKET, spread)
    assert found is None or not np.isfinite(found).all()
    assert moments_of(ROCKET, -covariance()) is None


def test_what_flies_on_for_ever_gives_no_impact():
    away = ROCKET.copy()
    away[3:7] = 3000.0, 3000.0, 9000.0, math.log(1e7)
    assert moments_of(away, covariance()) is None
    assert moments_of(ROCKET, covariance(), t_max=5.0) is None


@pytest.mark.parametrize("name", ROUNDS)
@pytest.mark.parametrize("scale", [0.03, 0.15, 1.0])
def test_what_the_steps_get_wrong_is_nothing_against_the_ellipse(name, scale):
    """The less is known, the longer the steps: the mean stays within a twentieth of the narrow axis, or 5 cm."""
    mean, curve = ROUNDS[name]
    _, parts, *_ = mixed([mean], [covariance(scale)], [1.0], [curve])
    fine = moments_of(mean, covariance(scale), curve, dt=0.02)
    narrow = axes(*fine[7:10])[0]
    assert np.linalg.norm(parts[0, :2] - fine[:2]) < max(0.05 * narrow, 0.05)
    assert axes(*parts[0, 7:10]) == pytest.approx(axes(*fine[7:10]), rel=0.01)


def test_tracks_together_are_what_they_are_alone():
    means, curves = [ROCKET, MORTAR, SHELL], ["G7", "G5", "G7"]
    alone = [mixed([mean], [covariance()], [0.7], [curve]) for mean, curve in zip(means, curves, strict=True)]
    parts, wholes = np.empty((3, MOMENTS)), np.empty((2, MOMENTS))
    paths, landed, shares = np.empty((2, PATH_POINTS, 3)), np.zeros(2, dtype=np.bool_), np.array([0.7, 0.4, 0.4])
    land_tracks(
        np.array([0, 1, 3]), np.array(means), np.array([covariance()[LOWER]] * 3), shares, CONFIG.flight_s_max, EARTH,
        table("G7", "G5"), np.array([0, 1, 0]), parts, wholes, paths, landed,
    )  # fmt: skip
    assert landed.all()
    assert shares.tolist() == [1.0, 0.5, 0.5]
    assert [row.tolist() for row in parts] == [found[1][0].tolist() for found in alone]
    assert wholes[0].tolist() == alone[0][2].tolist()
    assert paths[0].tolist() == alone[0][4].tolist()


# ---- the mixture ----------------------------------------------------------------------------------


def test_the_mixture_obeys_the_laws_of_total_mean_and_covariance():
    means = [ROCKET, ROCKET + np.array([0, 0, 0, 0, 0, 0, -0.4, 0, 0, 3.0]), ROCKET + 0.5 * np.eye(10)[6]]
    spreads, curves, wanted = [covariance(), covariance(0.5), covariance(1.5)], ["G7", "G2", "G5"], [0.5, 0.2, 0.1]
    landed, parts, whole, shares, _ = mixed(means, spreads, wanted, curves)
    assert landed == 3
    assert shares == pytest.approx(np.array(wanted) / 0.8)
    assert whole[:7] == pytest.approx(shares @ parts[:, :7], rel=1e-12)
    where = parts[:, [0, 1, 3]]
    within = np.zeros((3, 3))
    for share, (ee, en, nn, et, nt, tt) in zip(shares, parts[:, 7:], strict=True):
        within += share * np.array([[ee, en, et], [en, nn, nt], [et, nt, tt]])
    between = np.cov(where.T, aweights=shares, bias=True)
    total = within + between
    assert whole[7:] == pytest.approx(
        [total[0, 0], total[0, 1], total[1, 1], total[0, 2], total[1, 2], total[2, 2]], rel=1e-9
    )


def test_a_model_that_does_not_land_leaves_the_mixture_to_the_others():
    away = ROCKET.copy()
    away[3:7] = 3000.0, 3000.0, 9000.0, math.log(1e7)
    landed, parts, whole, shares, _ = mixed([away, ROCKET], [covariance()] * 2, [0.9, 0.1], ["G7", "G7"])
    assert landed == 1
    assert shares.tolist() == [0.0, 1.0]
    assert whole == pytest.approx(parts[1], rel=1e-12)
    assert mixed([away], [covariance()], [1.0], ["G7"])[0] == 0


def test_the_path_leads_from_here_to_the_ground():
    _, parts, _, _, path = mixed([ROCKET], [covariance(0.1)], [1.0], ["G7"])
    assert len(path) == PATH_POINTS
    assert path[0] == pytest.approx(ROCKET[:3])
    assert np.linalg.norm(path[-1] - parts[0, :3]) < 3.0
    assert (np.diff(np.diff(path[:, 2])) < 0.0).all()  # under gravity all the way
