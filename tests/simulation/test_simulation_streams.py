"""Named streams: fixed for ever, apart from each other, and nobody's draws move another's."""

from dataclasses import replace

import numpy as np
from simulation_worlds import radar, rocket, run, world

from opencram.messages import Plot
from opencram.simulation.launch import salvo_rounds
from opencram.simulation.model import Salvo
from opencram.simulation.streams import stream
from opencram.simulation.world import initial, origins


def test_a_stream_starts_with_the_same_numbers_for_ever() -> None:
    first = [int(x) for x in stream(1, "radar/1").integers(0, 1000, 5)]
    assert first == [int(x) for x in stream(1, "radar/1").integers(0, 1000, 5)]
    assert first == [92, 387, 360, 984, 164]


def test_streams_of_other_names_and_seeds_are_uncorrelated() -> None:
    names = [(1, "radar/1"), (1, "radar/2"), (2, "radar/1"), (12, "/radar"), (1, "2/radar")]
    draws = np.stack([stream(seed, name).standard_normal(20_000) for seed, name in names])
    correlation = np.corrcoef(draws) - np.eye(len(names))
    assert np.abs(correlation).max() < 5.0 / np.sqrt(20_000)


def _values(plots: list[Plot], sensor: str) -> list[tuple[float, ...]]:
    return [(p.t_ns, p.range_m, p.azimuth_rad, p.elevation_rad) for p in plots if p.sensor == sensor]


def test_adding_a_radar_changes_no_draw_of_another() -> None:
    config = world()
    _, before = run(config, initial(config))
    more = replace(config, radars=(radar("first", phase_s=0.03, clutter_per_scan=5.0), *config.radars))
    _, after = run(more, initial(more))
    for sensor in ("north", "south"):
        assert _values(before, sensor) == _values(after, sensor)
    assert _values(after, "first")


def test_adding_a_round_changes_no_plot_of_another() -> None:
    config = world()
    state, before = run(config, initial(config))
    more = replace(config, rounds=(*config.rounds, rocket(5)))
    state_after, after = run(more, initial(more))
    told = {(p.t_ns, p.sensor, p.range_m): number for p, number in zip(before, origins(state), strict=True)}
    told_after = {(p.t_ns, p.sensor, p.range_m): number for p, number in zip(after, origins(state_after), strict=True)}
    assert told == {key: number for key, number in told_after.items() if number != 2}
    assert 2 in told_after.values()


def test_a_longer_salvo_begins_like_a_shorter_one() -> None:
    short = salvo_rounds(3, "salvo/0", Salvo(pattern=rocket(), count=4, interval_s=0.5, interval_s_std=0.05))
    long = salvo_rounds(3, "salvo/0", Salvo(pattern=rocket(), count=40, interval_s=0.5, interval_s_std=0.05))
    assert long[:4] == short
    speeds = np.linalg.norm([each.velocity_enu_m_s for each in long], axis=1) / np.linalg.norm(
        rocket().velocity_enu_m_s
    )
    assert 0.003 < speeds.std() < 0.0075  # 0.005, 40 draws, 99.9 %
    late_s = np.array([each.launch_t_ns - rocket().launch_t_ns for each in long[1:]]) * 1e-9 - 0.5 * np.arange(1, 40)
    assert 0.03 < late_s.std() < 0.075
    assert long[0].launch_t_ns >= rocket().launch_t_ns
