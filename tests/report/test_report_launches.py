"""Launch areas in the report: they hold the launch, they are coarse, and before an impact there are none."""

import itertools
import math

import msgspec
import numpy as np
import pytest
from report_raid import raid, site_toml

from opencram.ballistics.drag import standard_curve
from opencram.ballistics.drivers import land_one
from opencram.ballistics.environment import environment
from opencram.ballistics.lanes import LANES
from opencram.ballistics.origin import GRID_M, RADIUS_M_MIN
from opencram.ballistics.propagation import advance
from opencram.earth.geodesy import Frame
from opencram.messages import Hypothesis, Track
from opencram.report.after_action import render
from opencram.report.collect import FIT_STEP_NS, FITS_MAX, collect
from opencram.report.facts import gather
from opencram.report.launches import launch_areas

LATITUDE, LONGITUDE = math.radians(33.3), math.radians(44.4)
FRAME, ENV = Frame(LATITUDE, LONGITUDE, 35.0), environment(LATITUDE, 35.0)
LAUNCH = (5300.0, 900.0)
END_NS = 100_000_000_000


def fit(after_s=8.0, position_m_std=10.0, velocity_m_s_std=1.0):
    """The flight model of a rocket launched from `LAUNCH`, so long after."""
    state = np.array([*LAUNCH, 0.0, -200.0, -30.0, 190.0, math.log(2500.0), 0.0, 0.0, 0.0])
    lanes = np.repeat(state[:, np.newaxis], LANES, axis=1)
    advance(lanes, 0.25, round(after_s / 0.25), ENV, standard_curve("G7"))
    deviations = [position_m_std] * 3 + [velocity_m_s_std] * 3 + [0.05, 1.0, 1.0, 0.5]
    return Hypothesis(
        class_name="rocket",
        curve="G7",
        probability=0.9,
        mean=tuple(lanes[:, 0].tolist()),
        covariance=tuple((np.diag(deviations) ** 2)[np.tril_indices(10)].tolist()),
    )


def areas(fits, impacts, end_t_ns=END_NS):
    return launch_areas(fits, impacts, end_t_ns=end_t_ns, frame=FRAME, env=ENV)


def test_the_area_holds_the_launch_and_is_coarse():
    (found,) = areas({1: [fit()], 2: [fit(5.0)]}, {1: END_NS - 5, 2: END_NS - 9})
    assert found.track_ids == (1, 2)
    assert math.dist((found.area.east_m, found.area.north_m), LAUNCH) < found.area.radius_m
    assert found.area.radius_m >= RADIUS_M_MIN
    assert math.fmod(found.area.east_m, GRID_M) == math.fmod(found.area.north_m, GRID_M) == 0.0
    assert found.latitude_deg == pytest.approx(33.3, abs=0.02)


def test_before_the_impact_there_is_no_area():
    assert areas({1: [fit()]}, {1: END_NS + 1}) == ()
    assert areas({1: [fit()]}, {}) == ()
    assert len(areas({1: [fit()], 2: [fit()]}, {1: END_NS - 1, 2: END_NS + 1})[0].track_ids) == 1


def test_the_surest_model_speaks_and_broken_ones_do_not():
    vague = fit(velocity_m_s_std=150.0)
    (wide,) = areas({1: [vague]}, {1: 0})
    (sure,) = areas({1: [vague, fit()]}, {1: 0})
    assert sure.area.radius_m < wide.area.radius_m
    nothing = msgspec.structs.replace(fit(), mean=(math.nan,) * 10)
    assert areas({1: [nothing]}, {1: 0}) == ()
    assert areas({1: [msgspec.structs.replace(fit(), curve="G99")]}, {1: 0}) == ()


def with_fits():
    """The raid of the tests of the report, whose tracks carry a flight model."""
    model = fit()
    return [
        msgspec.structs.replace(m, hypotheses=(model,))
        if isinstance(m, Track) and m.projectile_probability > 0.5
        else m
        for m in raid(site=site_toml())
    ]


def test_the_report_tells_of_launches_only_once_rounds_are_down():
    messages = with_fits()
    whole = gather(messages)
    down = {each.track_id: max(each.end_t_ns, each.final.impact_t_ns) for each in whole.projectiles if each.final}
    told = {track_id for each in whole.launches for track_id in each.track_ids}
    assert told == {track_id for track_id, t_ns in down.items() if t_ns <= whole.end_t_ns}
    assert told
    assert "Where the rounds came from" in render(messages)
    first = min(down.values())
    early = [m for m in messages if m.t_ns < first - 2_000_000_000]
    assert any(isinstance(m, Track) and m.hypotheses for m in early)
    assert gather(early).launches == ()
    assert "Where the rounds came from" not in render(early)


def test_the_model_flies_on_to_where_it_was_fitted_for():
    landed = land_one(fit().mean, ENV, standard_curve("G7"))
    assert np.isfinite(landed).all()


def test_few_flight_models_are_kept_of_a_long_track():
    template = next(m for m in with_fits() if isinstance(m, Track) and m.hypotheses)
    long = [msgspec.structs.replace(template, t_ns=template.t_ns + k * 500_000_000) for k in range(200)]
    fits = collect(long).tracks[template.track_id].fits
    assert len(fits) <= FITS_MAX + 1
    assert fits[-1][0] == long[-1].t_ns
    assert fits[0][0] == long[0].t_ns
    assert all(after[0] - before[0] >= FIT_STEP_NS for before, after in itertools.pairwise(fits[1:-1]))
