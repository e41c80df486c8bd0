"""The truth document has the form of the example raids, and random raids stay within their spread."""

import json
import math
from datetime import datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest
from simulation_worlds import rocket, run, world

from opencram.simulation.flights import positions_at
from opencram.simulation.radars import polar
from opencram.simulation.raids import Spread, random_raid
from opencram.simulation.truth import truth_document
from opencram.simulation.world import initial, origins, scan

EXAMPLE = json.loads((Path(__file__).parents[1] / "data/mortars/truth.json").read_text())


def test_the_document_has_every_name_of_the_example_and_the_same_types() -> None:
    config = world(note="two rockets")
    state, plots = run(config, initial(config))
    document = json.loads(msgspec.json.encode(truth_document(config, state)))
    assert set(EXAMPLE) <= set(document)
    assert document["plots"] == len(plots) == len(document["origin"])
    assert document["note"] == "two rockets"
    for flown in document["rounds"]:
        for key, value in EXAMPLE["rounds"][0].items():
            assert type(flown[key]) is type(value), key
        assert len(flown["launch_time"]) == len(EXAMPLE["rounds"][0]["launch_time"])
        launch, impact = (datetime.fromisoformat(flown[key]) for key in ("launch_time", "impact_time"))
        assert 10.0 < (impact - launch).total_seconds() < 60.0
        assert abs(flown["impact_enu_m"][2]) < 2.0
        # A metre of latitude is 1/110 923 of a degree here.
        assert flown["impact_latitude_deg"] == pytest.approx(33.3 + flown["impact_enu_m"][1] / 110_923.0, abs=2e-5)


def test_the_plots_lie_about_the_rounds_that_they_are_said_to_be_from() -> None:
    config = world()
    state, plots = run(config, initial(config))
    stations = {each.radar.id: each for each in state.stations}
    misses = []
    for plot, number in zip(plots, origins(state), strict=True):
        if number >= 0:
            body = state.bodies[number]
            position, velocity = positions_at(body.flight, np.array([(plot.t_ns - body.start_t_ns) * 1e-9]))
            misses.append(plot.range_m - polar(stations[plot.sensor], position, velocity)[0][0])
    assert len(misses) > 300
    assert np.std(misses) == pytest.approx(10.0, rel=0.2)


def test_before_it_lands_a_round_is_flying_and_has_no_impact() -> None:
    config = world()
    state, _ = scan(config, initial(config), config.start_t_ns + 10_000_000_000)
    assert [each["fate"] for each in truth_document(config, state)["rounds"]] == ["flying", "flying"]
    short = world(duration_s=12.0)
    state, _ = run(short, initial(short))
    assert truth_document(short, state)["rounds"][0]["impact_time"] is None


def test_random_raids_stay_within_their_spread_and_reach_the_ground() -> None:
    spread = Spread()
    names = set()
    for seed in range(30):
        config = random_raid(seed, spread)
        assert spread.rounds[0] <= len(config.rounds) <= spread.rounds[1]
        assert 0.97 <= config.air.density_factor <= 1.03
        assert math.hypot(config.air.wind_east_m_s, config.air.wind_north_m_s) <= 12.0
        for radar in config.radars:
            assert 5.0 <= radar.range_m_std <= 20.0
            assert 0.1 <= radar.period_s <= 0.5
        state = initial(config)
        state, _ = scan(config, state, config.end_t_ns)
        for flown in truth_document(config, state)["rounds"]:
            names.add(flown["name"])
            assert flown["fate"] == "impact"
            east, north, up = flown["impact_enu_m"]
            assert math.hypot(east, north) <= spread.aim_m_max + 0.1
            assert abs(up) < 0.2
            distance = math.dist(flown["launch_enu_m"][:2], (east, north))
            assert 1499.0 <= distance <= 12_001.0
    assert len(names) == len(spread.names)


def test_a_random_raid_is_its_seed() -> None:
    assert random_raid(5) == random_raid(5)
    assert random_raid(5) != random_raid(6)
    only = random_raid(5, Spread(names=("60 mm mortar",), rounds=(3, 3), range_m=(1500.0, 2500.0)))
    assert [each.name for each in only.rounds] == ["60 mm mortar"] * 3
    assert len({each.ballistic_coefficient_kg_m2 for each in only.rounds}) == 3
    assert rocket().drag_slope == 0.0
