"""The author's launches fall on their aims in the true world."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation_worlds import rocket, world

from opencram.errors import OpencramError
from opencram.simulation.classes import GENERIC_ROUNDS, generic_round, usual_round
from opencram.simulation.flights import CLASS_CURVES, Flyer
from opencram.simulation.model import Round
from opencram.simulation.solve import aimed, for_elevation, for_speed, scattered


def fall_of(flyer: Flyer, what: Round) -> tuple[float, float]:
    flight = flyer.fly(what, what.position_enu_m, what.velocity_enu_m_s, what.ballistic_coefficient_kg_m2)
    return (float(flight.position_enu_m[-1, 0]), float(flight.position_enu_m[-1, 1]))


@settings(max_examples=40, deadline=None)
@given(st.floats(0.3, 2.5), st.floats(0.0, 2.0 * math.pi), st.floats(25.0, 75.0), st.sampled_from(GENERIC_ROUNDS))
def test_at_a_given_elevation_the_round_falls_on_its_aim(
    reach: float, bearing: float, deg: float, kind: object
) -> None:
    flyer = Flyer.of(world())
    aim = (120.0, -340.0)
    range_m = reach * kind.ballistic_coefficient_kg_m2 + 500.0  # type: ignore[attr-defined]  # light rounds fly less far
    place = (aim[0] + range_m * math.sin(bearing), aim[1] + range_m * math.cos(bearing), 0.0)
    what = rocket(
        position_enu_m=place,
        class_name=kind.class_name,  # type: ignore[attr-defined]
        ballistic_coefficient_kg_m2=kind.ballistic_coefficient_kg_m2,  # type: ignore[attr-defined]
        spin_drift_m_s=kind.spin_drift_m_s,  # type: ignore[attr-defined]
    )
    launching = for_elevation(flyer, what, aim, math.radians(deg))
    assert launching.elevation_rad == math.radians(deg)
    assert math.dist(fall_of(flyer, aimed(what, launching)), aim) < 0.1


@pytest.mark.parametrize("branch", ["low", "high"])
def test_at_a_given_speed_both_trajectories_fall_on_the_aim(branch: str) -> None:
    flyer, what, aim = Flyer.of(world()), rocket(), (59.96, -40.01)
    launching = for_speed(flyer, what, aim, 300.0, branch)  # type: ignore[arg-type]
    assert launching.speed_m_s == 300.0
    assert (launching.elevation_rad > math.radians(45.0)) == (branch == "high")
    assert math.dist(fall_of(flyer, aimed(what, launching)), aim) < 0.1


def test_out_of_reach_is_said_with_the_range_there_is() -> None:
    flyer = Flyer.of(world())
    with pytest.raises(OpencramError, match=r"rocket.*5\d\d\d m away.*range is"):
        for_speed(flyer, rocket(), (0.0, 0.0), 150.0)
    with pytest.raises(OpencramError, match="cannot reach"):
        for_elevation(flyer, rocket(), (500_000.0, 0.0), 0.8)


def test_a_scattered_salvo_falls_about_the_impact_of_its_first_round() -> None:
    flyer = Flyer.of(world())
    first = aimed(rocket(), for_elevation(flyer, rocket(), (100.0, 50.0), 0.7))
    salvo = scattered(flyer, first, count=40, interval_s=0.25, dispersion_m=120.0, seed=3, name="a")
    assert salvo[0] == first
    assert [each.launch_t_ns - first.launch_t_ns for each in salvo] == [k * 250_000_000 for k in range(40)]
    off = np.array([fall_of(flyer, each) for each in salvo[1:]]) - (100.0, 50.0)
    assert np.abs(off.mean(axis=0)).max() < 4.0 * 120.0 / math.sqrt(39)
    assert off.std(axis=0) == pytest.approx([120.0, 120.0], rel=0.4)
    assert scattered(flyer, first, count=5, interval_s=0.25, dispersion_m=120.0, seed=3, name="a") == salvo[:5]


def test_generic_rounds_are_plausible_and_say_where_they_are_from() -> None:
    assert {each.class_name for each in GENERIC_ROUNDS} == {"mortar", "shell", "rocket"}
    for each in GENERIC_ROUNDS:
        assert 300.0 < each.ballistic_coefficient_kg_m2 < 5000.0
        assert each.speed_m_s_min < each.speed_m_s_max
        assert "generic" in each.source
        assert generic_round(each.name) is each
        assert CLASS_CURVES[each.class_name] == each.curves[0][0]
    rocket_kind = generic_round("122 mm rocket")
    assert rocket_kind.ballistic_coefficient_on("G2") > rocket_kind.ballistic_coefficient_kg_m2
    assert usual_round("mortar").name == "120 mm mortar"
