"""What falls: traffic flies its course, shots leave pieces, footprints agree with Monte Carlo and with the decision."""

import math
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from simulation_worlds import engagement, gun, radar, rocket, run, world

from opencram.ballistics.environment import environment
from opencram.engagement.effector import GENERIC_GUN, GENERIC_INTERCEPTOR
from opencram.engagement.ground import Failures, GroundDanger, Zone, landings
from opencram.simulation.debris import own_pieces
from opencram.simulation.model import GENERIC_GUN as model_of_gun
from opencram.simulation.model import GENERIC_INTERCEPTOR as model_of_missile
from opencram.simulation.model import Effects, Mover
from opencram.simulation.traffic import course
from opencram.simulation.truth import truth_document
from opencram.simulation.world import act, initial

HELICOPTER = Mover(
    name="medevac",
    class_name="aircraft",
    start_t_ns=0,
    waypoints_enu_m=((-3000.0, 0.0, 200.0), (0.0, 0.0, 200.0), (0.0, 3000.0, 300.0)),
    speed_m_s=60.0,
    hover_s=5.0,
)


def test_traffic_flies_from_point_to_point_at_its_speed() -> None:
    flight = course(HELICOPTER)
    assert flight.t_s[-1] == pytest.approx((3000.0 + math.hypot(3000.0, 100.0)) / 60.0 + 5.0, abs=0.25)
    assert np.allclose(flight.position_enu_m[200], (0.0, 0.0, 200.0), atol=1.0)
    assert np.allclose(np.linalg.norm(flight.velocity_enu_m_s[:390], axis=1), 60.0)
    assert np.allclose(flight.position_enu_m[-1], (0.0, 3000.0, 300.0))


def test_radars_see_traffic_and_engagements_pass_it_by() -> None:
    config = world(rounds=(), radars=(radar(),), effectors=(gun(),))
    config = replace(config, traffic=(replace(HELICOPTER, start_t_ns=config.start_t_ns),))
    state, plots = run(config, initial(config))
    assert len(plots) > 100
    none = run(replace(config, traffic=()), initial(replace(config, traffic=())))[1]
    assert len(none) == 0
    assert truth_document(config, state)["rounds"] == []


def test_a_shot_leaves_failed_rounds_where_the_truth_says() -> None:
    config = world(rounds=(rocket(),), effectors=(gun(),))
    t_ns = config.start_t_ns + 5_000_000_000
    shot = msgspec.structs.replace(engagement(1, t_ns, (0.0, 800.0, 900.0), "fired"), rounds=2000)
    state, outcomes = act(config, initial(config), [shot])
    state, _ = run(config, state)
    fallen = truth_document(config, state)["own_debris"]
    assert 15 <= len(fallen) <= 70  # of 2000 rounds 2 % fail
    assert all(piece["kind"] == "shell" and piece["engagement"] == 1 for piece in fallen)
    assert outcomes == []  # it takes effect when its time comes


def test_failed_rounds_are_binomial() -> None:
    counts = [
        len(own_pieces(Effects(), gun(), np.zeros(3), np.random.default_rng(seed), rounds=120, at=(0.0, 800.0, 600.0)))
        for seed in range(300)
    ]
    assert np.mean(counts) == pytest.approx(120 * 0.02, abs=4.0 * math.sqrt(120 * 0.02 / 300))


def test_what_the_decision_believes_is_what_the_simulation_does() -> None:
    believed, true = Failures(), Effects()
    assert believed.break_up_share == true.break_up_share
    assert believed.dud_share == pytest.approx(1.0 - true.break_up_share - true.detonation_share)
    for name in (
        "debris_count",
        "debris_ballistic_coefficient_kg_m2",
        "debris_spread_m_s",
        "shell_failure_share",
        "shell_ballistic_coefficient_kg_m2",
        "missile_pieces",
        "missile_ballistic_coefficient_kg_m2",
    ):
        assert getattr(believed, name) == getattr(true, name), name
    assert GENERIC_GUN.rounds_per_shot == 120
    assert GENERIC_INTERCEPTOR.rounds_per_shot == 1
    for name, model, shoots in (("gun", GENERIC_GUN, model_of_gun), ("missile", GENERIC_INTERCEPTOR, model_of_missile)):
        assert (model.dispersion_rad, model.miss_m_std) == (shoots.dispersion_rad_std, shoots.stray_m_std), name
        assert (model.bias_rad, model.tracking_m_std) == (shoots.aim_rad_std, shoots.tracking_m_std), name
        assert (model.lethal_radius_m, model.kill_given_hit) == (shoots.lethal_m, shoots.kill_given_hit), name
        assert model.speed_std_share == shoots.speed_std_share, name
        if model.speed_std_share:
            assert (model.speed_m_s, model.decay_m) == (shoots.speed_m_s, shoots.decay_m), name


AIR = environment(math.radians(33.3), 35.0, ground_height_m=35.0)
PLACE, VELOCITY = np.array([900.0, 200.0, 500.0]), np.array([-220.0, -30.0, -140.0])


def monte_carlo(count: int) -> np.ndarray:
    """Return where pieces with random spread fall, flown with the same air in batches."""
    from opencram.ballistics.drag import standard_curve
    from opencram.ballistics.lanes import LANES
    from opencram.ballistics.propagation import STATES, to_ground

    draws, falls = np.random.default_rng(5), []
    for _ in range(count // LANES):
        lanes = np.zeros((STATES, LANES))
        lanes[:3] = PLACE[:, None]
        lanes[3:6] = VELOCITY[:, None] + 40.0 * draws.standard_normal((3, LANES))
        lanes[6] = math.log(150.0) + 0.5 * draws.standard_normal(LANES)
        landed = np.empty((7, LANES))
        to_ground(lanes, 0.25, 120.0, AIR, standard_curve("G1"), landed)
        falls.append(landed[1:3].T)
    return np.concatenate(falls)


def test_the_footprint_of_debris_agrees_with_monte_carlo() -> None:
    few = landings(AIR, PLACE, VELOCITY, 150.0, 40.0, 0.5)
    many = monte_carlo(4800)
    spread = many.std(axis=0)
    assert np.abs(few.mean(axis=0) - many.mean(axis=0)).max() < 0.25 * spread.max()
    assert np.all(np.abs(few.std(axis=0) / spread - 1.0) < 0.3)


def test_people_under_the_pieces_are_counted_as_monte_carlo_counts_them() -> None:
    mean = monte_carlo(480).mean(axis=0)
    x, y = mean
    corners = ((x - 80.0, y - 80.0), (x + 80.0, y - 80.0), (x + 80.0, y + 80.0), (x - 80.0, y + 80.0))
    zone = Zone.of(corners, 2560.0)
    assert zone.people_per_m2 == pytest.approx(0.1)
    rule = GroundDanger(id="ground", zones=(zone,), latitude_rad=0.58, height_m=35.0, ground_height_m=35.0)
    people = rule._people(AIR, PLACE, VELOCITY, 150.0, 2.0)
    many = monte_carlo(4800)
    share = (np.abs(many - mean) < 80.0).all(axis=1).mean()
    assert people == pytest.approx(share * 0.1 * math.pi * 4.0, rel=0.3)
