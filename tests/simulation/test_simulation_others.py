"""What is not a projectile: birds in flocks, bullets, outgoing rounds, showers, echoes of the ground."""

import math
from dataclasses import replace

import numpy as np
import pytest
from simulation_worlds import START_NS, radar, rocket, run, world

from opencram.simulation.echoes import echo_places, wind_at
from opencram.simulation.model import Air, GroundEchoes, Gunfire, Mover, Rain, Salvo
from opencram.simulation.traffic import bullets, course
from opencram.simulation.truth import truth_document
from opencram.simulation.world import initial, origins, scan, things

S = 1_000_000_000
FLOCK = Mover(
    name="starlings", class_name="bird", start_t_ns=START_NS, speed_m_s=14.0, count=30, spread_m=40.0, wander_m_s=3.0,
    waypoints_enu_m=((-2000.0, 3000.0, 150.0), (2000.0, 3000.0, 150.0)), detection_share=0.5,
)  # fmt: skip
GUN = Gunfire(
    name="gun", start_t_ns=START_NS + 5 * S, position_enu_m=(800.0, 900.0, -1.0), azimuth_rad=0.5, elevation_rad=0.6,
    bursts=3, burst_rounds=12, detection_share=1.0,
)  # fmt: skip
SHOWER = Rain(
    name="shower", start_t_ns=START_NS, end_t_ns=START_NS + 60 * S, east_m=-1000.0, north_m=4000.0, plots_per_scan=6.0
)
ECHOES = GroundEchoes(name="masts", east_m=2000.0, north_m=2000.0, count=12, detection_probability=0.1)
OUT = Salvo(
    pattern=rocket(
        0, name="own", class_name="mortar", position_enu_m=(0.0, 0.0, 0.0), velocity_enu_m_s=(0.0, 120.0, 200.0)
    ),
    count=4, interval_s=3.0,
)  # fmt: skip
SURE = {"detection_probability": 1.0, "elevation_rad_min": -1.0}


def flown(**changes):
    config = world(**{"rounds": (), "radars": (radar(**SURE),), **changes})
    state, plots = scan(config, initial(config), config.end_t_ns)
    return config, state, plots


def enu(plots, config):
    """Plots back to the site's frame, by the radar's own rotation."""
    from opencram.simulation.radars import station

    place = station(config, 0)
    r, a, e = np.array([[p.range_m, p.azimuth_rad, p.elevation_rad] for p in plots]).T
    local = np.stack([r * np.cos(e) * np.sin(a), r * np.cos(e) * np.cos(a), r * np.sin(e)], axis=1)
    return (local - place.offset_m) @ place.rotation


def test_a_flock_is_a_crowd_that_keeps_together_and_flies_as_birds_do():
    flights = [course(FLOCK, seed=1, number=k) for k in range(FLOCK.count)]
    middle = np.array([flight.position_enu_m[len(flight.t_s) // 2] for flight in flights])
    assert middle.mean(axis=0) == pytest.approx([0.0, 3000.0, 150.0], abs=40.0)
    assert 20.0 < middle[:, 0].std() < 120.0
    speeds = np.concatenate([np.linalg.norm(flight.velocity_enu_m_s, axis=1) for flight in flights])
    assert np.median(speeds) == pytest.approx(14.8, abs=1.5)
    assert speeds.max() < 40.0
    wander = np.concatenate([flight.velocity_enu_m_s[:-1, 1] for flight in flights])
    assert wander.std() == pytest.approx(3.0, rel=0.25)
    for flight in flights[:3]:  # positions are what velocities add up to
        step = np.diff(flight.position_enu_m, axis=0)[1:-1]
        mean = 0.5 * (flight.velocity_enu_m_s[1:-2] + flight.velocity_enu_m_s[2:-1]) * 0.25
        assert np.abs(step - mean).max() < 0.05
    assert not np.array_equal(flights[0].position_enu_m, flights[1].position_enu_m)


def test_a_single_steady_mover_is_as_it_always_was():
    plain = replace(FLOCK, count=1, spread_m=0.0, wander_m_s=0.0)
    flight = course(plain, seed=9)
    assert flight.position_enu_m[:, 1] == pytest.approx(3000.0)
    assert np.diff(flight.position_enu_m[:, 0])[:-2] == pytest.approx(14.0 * 0.25)


@pytest.mark.parametrize(
    ("class_name", "speed_m_s", "most_m_s2"),
    [("aircraft", 250.0, 50.0), ("helicopter", 60.0, 15.0), ("drone", 20.0, 20.0)],
)
def test_turns_are_no_harder_than_the_limit_and_way_points_are_met(class_name, speed_m_s, most_m_s2):
    points = (
        (-6000.0, 0.0, 500.0),
        (0.0, 0.0, 500.0),
        (0.0, 6000.0, 900.0),
        (-100.0, 0.0, 300.0),
        (5000.0, 0.0, 300.0),
    )
    mover = Mover(
        name="turning", class_name=class_name, start_t_ns=0, waypoints_enu_m=points, speed_m_s=speed_m_s,
        acceleration_m_s2_max=most_m_s2, hover_s=5.0 if class_name == "helicopter" else 0.0,
    )  # fmt: skip
    flight = course(mover)
    radius_m = speed_m_s**2 / most_m_s2
    for point in points:
        near_m = np.linalg.norm(flight.position_enu_m - point, axis=1).min()
        assert near_m < 2.0 * radius_m + 0.3 * speed_m_s
    flown = flight.velocity_enu_m_s[:-1] if not mover.hover_s else flight.velocity_enu_m_s[: -int(5.0 / 0.25) - 2]
    harder = np.linalg.norm(np.diff(flown, axis=0), axis=1) / 0.25
    assert harder.max() <= most_m_s2 * 1.5 + 0.1  # a turn while braking: both at once
    assert np.linalg.norm(flown, axis=1).max() <= speed_m_s + 1e-6
    steps = np.linalg.norm(np.diff(flight.position_enu_m, axis=0), axis=1)
    assert steps.max() <= speed_m_s * 0.25 + 1e-6


def test_low_birds_do_not_fly_underground():
    low = replace(FLOCK, waypoints_enu_m=((-2000.0, 3000.0, 1.0), (2000.0, 3000.0, 1.0)), wander_m_s=10.0)
    assert course(low, seed=1, number=2).position_enu_m[:, 2].min() >= 2.0


def test_bullets_are_fast_many_and_soon_gone():
    rounds = bullets(GUN, 3)
    assert len(rounds) == 36
    speeds = np.linalg.norm([what.velocity_enu_m_s for what in rounds], axis=1)
    assert speeds.mean() == pytest.approx(850.0, rel=0.01)
    times = np.array([what.launch_t_ns for what in rounds]) - GUN.start_t_ns
    assert times[12] == round((1.2 + 2.0) * S)
    _, state, plots = flown(gunfire=(GUN,))
    assert {body.kind for body in state.bodies} == {"gunfire"}
    assert set(origins(state)) == {-1}
    seen = {}
    for plot, thing in zip(plots, things(state), strict=True):
        seen.setdefault(thing, []).append(plot.t_ns)
    assert len(seen) == 36
    assert max(max(t) - min(t) for t in seen.values()) <= 3.0 * S


def test_outgoing_rounds_fly_and_are_no_rounds_to_be_found():
    config, state, _ = flown(outgoing=(OUT,), rounds=(rocket(0),))
    truth = truth_document(config, state)
    assert len(truth["rounds"]) == 1
    assert [each["kind"] for each in truth["objects"]] == ["round"] + ["outgoing"] * 4
    shown = set(zip(origins(state), things(state), strict=True))
    assert {(0, 0), (-1, 1), (-1, 4)} <= shown
    starts = [state.bodies[k].start_t_ns for k in range(1, 5)]
    assert np.diff(starts).tolist() == [3 * S] * 3


def test_rain_is_a_cylinder_that_moves_with_the_wind():
    air = Air(wind_east_m_s=20.0, wind_north_m_s=-5.0)
    config, state, plots = flown(rain=(SHOWER,), air=air, duration_s=60.0)
    assert set(things(state)) == {-2}
    assert len(plots) == pytest.approx(6.0 * 600, rel=0.1)
    places = enu(plots, config)
    age_s = np.array([(p.t_ns - START_NS) * 1e-9 for p in plots])
    about = places[:, :2] - np.array([-1000.0, 4000.0]) - age_s[:, np.newaxis] * [20.0, -5.0]
    assert np.hypot(*about.T).max() < 1500.0 + 60.0
    assert np.hypot(*about.T).mean() == pytest.approx(1000.0, rel=0.05)  # two thirds of the radius
    assert places[:, 2].mean() == pytest.approx(1500.0, rel=0.05)


def test_the_wind_of_rain_is_that_of_its_height():
    assert wind_at(Air(wind_east_m_s=1.0, shear_east_per_s=0.002), 1000.0) == pytest.approx((3.0, 0.0))


def test_echoes_of_the_ground_come_back_from_the_same_places():
    config, state, plots = flown(ground_echoes=(ECHOES,), duration_s=60.0)
    assert set(things(state)) == {-3}
    assert len(plots) == pytest.approx(12 * 0.1 * 601, rel=0.15)
    known = echo_places(config, ECHOES)
    apart = np.linalg.norm(enu(plots, config)[:, np.newaxis, :2] - known[np.newaxis, :, :2], axis=2).min(axis=1)
    assert np.median(apart) < 15.0
    assert apart.max() < 60.0
    assert len(known) == 12


def test_everything_at_once_is_the_same_however_it_is_stepped():
    changes = {
        "traffic": (FLOCK,), "gunfire": (GUN,), "outgoing": (OUT,), "rain": (SHOWER,), "ground_echoes": (ECHOES,),
        "rounds": (rocket(0),), "radars": (radar(clutter_per_scan=2.0),), "duration_s": 70.0,
    }  # fmt: skip
    config, state, plots = flown(**changes)
    stepped, told = run(config, initial(config))
    assert told == plots
    assert things(stepped) == things(state)
    alone = flown(rounds=(rocket(0),), radars=(radar(clutter_per_scan=2.0),), duration_s=70.0)
    mine = [(p.t_ns, p.range_m) for p, k in zip(plots, origins(state), strict=True) if k == 0]
    assert mine == [(p.t_ns, p.range_m) for p, k in zip(alone[2], origins(alone[1]), strict=True) if k == 0]
    assert math.isfinite(sum(p.range_m for p in plots))
