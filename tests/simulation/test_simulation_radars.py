"""Geometry against an independent computation, and statistics within the intervals of their laws."""

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from simulation_worlds import LATITUDE, LONGITUDE, START_NS, radar, straight, world

from opencram.simulation.model import Clutter, Coloured, WorldConfig
from opencram.simulation.radars import (
    Sightings,
    Station,
    Target,
    _coloured,
    clutter,
    dwell_times,
    polar,
    sightings,
    station,
)
from opencram.simulation.streams import stream

SECONDS = 2000.0


def target(seconds: float = SECONDS, name: str = "round/0") -> Target:
    flight = straight(seconds, (4000.0, -3000.0, 2500.0), (0.5, 0.25, 0.0))
    return Target(name=name, origin=0, flight=flight, start_t_ns=START_NS, end_t_ns=START_NS + round(seconds * 1e9))


def seen_by(**changes: Any) -> tuple[WorldConfig, Station, Sightings]:
    config = world(duration_s=SECONDS, radars=(radar(**changes),))
    place = station(config, 0)
    return config, place, sightings(config, place, target())


def errors(plots: Sightings, place: Station) -> np.ndarray:
    t_s = (plots["t_ns"] - START_NS) * 1e-9
    position = np.array([4000.0, -3000.0, 2500.0]) + t_s[:, np.newaxis] * np.array([0.5, 0.25, 0.0])
    range_m, azimuth, elevation, _ = polar(place, position, np.zeros_like(position))
    turn = (plots["azimuth_rad"] - azimuth + np.pi) % (2.0 * np.pi) - np.pi
    return np.stack([plots["range_m"] - range_m, turn, plots["elevation_rad"] - elevation], axis=1)


def ecef(latitude: float, longitude: float, height: float) -> np.ndarray:
    """WGS84, written again."""
    a, b = 6378137.0, 6356752.314245
    n = a * a / math.hypot(a * math.cos(latitude), b * math.sin(latitude))
    ring = (n + height) * math.cos(latitude)
    return np.array(
        [ring * math.cos(longitude), ring * math.sin(longitude), (b * b / (a * a) * n + height) * math.sin(latitude)]
    )


def axes(latitude: float, longitude: float) -> np.ndarray:
    """Rows east, north, up, by differences of positions: no formula shared with the program."""
    h = 1e-5
    east = ecef(latitude, longitude + h, 0.0) - ecef(latitude, longitude - h, 0.0)
    up = ecef(latitude, longitude, 1000.0) - ecef(latitude, longitude, 0.0)
    east, up = east / np.linalg.norm(east), up / np.linalg.norm(up)
    return np.stack([east, np.cross(up, east), up])


@pytest.mark.parametrize("far_deg", [0.02, -0.3])
def test_polar_measurements_agree_with_an_independent_computation_in_ecef(far_deg: float) -> None:
    place = (LATITUDE + math.radians(far_deg), LONGITUDE + math.radians(0.7 * far_deg), 120.0)
    config = world(radars=(radar(latitude_rad=place[0], longitude_rad=place[1], height_m=place[2]),))
    points = np.array([[4000.0, -3000.0, 2500.0], [-8000.0, 500.0, 60.0], [10.0, 9000.0, 5000.0]])
    velocities = np.array([[-200.0, 100.0, -50.0], [10.0, 20.0, 30.0], [0.0, -300.0, 100.0]])
    got = polar(station(config, 0), points, velocities)

    site = axes(LATITUDE, LONGITUDE)
    local = axes(place[0], place[1])
    sight = ecef(LATITUDE, LONGITUDE, 35.0) + points @ site - ecef(*place)
    east, north, up = (sight @ local.T).T
    distance = np.linalg.norm(sight, axis=1)
    assert got[0] == pytest.approx(distance, abs=1e-4)
    assert got[1] == pytest.approx(np.arctan2(east, north) % (2.0 * np.pi), abs=1e-8)
    assert got[2] == pytest.approx(np.arcsin(up / distance), abs=1e-8)
    assert got[3] == pytest.approx(np.sum(sight * (velocities @ site), axis=1) / distance, abs=1e-6)


def test_noise_has_the_deviation_of_the_radar_and_no_mean_or_memory() -> None:
    _, place, plots = seen_by(range_m_std=12.0, azimuth_rad_std=0.002, elevation_rad_std=0.001)
    scaled = errors(plots, place) / [12.0, 0.002, 0.001]
    count = len(scaled)
    assert np.abs(scaled.mean(axis=0)).max() < 4.5 / math.sqrt(count)
    assert np.abs(scaled.var(axis=0) - 1.0).max() < 4.5 * math.sqrt(2.0 / count)
    assert np.abs(np.mean(scaled[1:] * scaled[:-1], axis=0)).max() < 4.5 / math.sqrt(count)
    assert np.abs(np.corrcoef(scaled.T) - np.eye(3)).max() < 4.5 / math.sqrt(count)
    assert np.abs(np.mean(np.abs(scaled) > 1.96, axis=0) - 0.05).max() < 4.5 * math.sqrt(0.05 * 0.95 / count)


def test_detections_are_binomial() -> None:
    _, place, plots = seen_by(detection_probability=0.85)
    dwells = len(dwell_times(place, START_NS, START_NS + round(SECONDS * 1e9)))
    assert abs(len(plots) - 0.85 * dwells) < 4.5 * math.sqrt(0.85 * 0.15 * dwells)
    gaps = np.diff(plots["t_ns"]) // 100_000_000
    assert abs(np.mean(gaps == 2) - 0.15 * 0.85) < 4.5 * math.sqrt(0.1275 * 0.8725 / len(gaps))


def test_biases_move_the_mean_and_quanta_set_the_steps() -> None:
    _, place, plots = seen_by(range_m_bias=7.0, azimuth_rad_bias=0.003, elevation_rad_bias=-0.002)
    mean = errors(plots, place).mean(axis=0)
    assert mean[0] == pytest.approx(7.0, abs=0.35)  # 10 m of noise, 18 000 plots
    assert mean[1:] == pytest.approx([0.003, -0.002], abs=6e-5)
    _, _, stepped = seen_by(range_m_quantum=2.0, angle_rad_quantum=0.001)
    assert np.abs(stepped["range_m"] / 2.0 - np.round(stepped["range_m"] / 2.0)).max() < 1e-9
    steps = stepped["elevation_rad"] / 0.001
    assert np.abs(steps - np.round(steps)).max() < 1e-9


def test_coloured_errors_have_their_deviation_and_correlation_and_leave_the_white_noise_alone() -> None:
    coloured = Coloured(range_m_std=4.0, azimuth_rad_std=0.001, elevation_rad_std=0.0005, time_constant_s=0.5)
    quiet: dict[str, Any] = {"detection_probability": 1.0}
    _, place, white = seen_by(**quiet)
    _, _, both = seen_by(**quiet, coloured=coloured)
    difference = (errors(both, place) - errors(white, place)) / [4.0, 0.001, 0.0005]
    # About one independent value in two time constants: 2000 of them.
    assert difference.var(axis=0) == pytest.approx([1.0, 1.0, 1.0], abs=4.5 * math.sqrt(2.0 / 2000))
    for lag in (1, 5, 10):
        assert np.mean(difference[lag:] * difference[:-lag], axis=0) == pytest.approx(
            [math.exp(-0.1 * lag / 0.5)] * 3, abs=0.15
        )


def test_coloured_errors_obey_their_recursion_exactly() -> None:
    """The doubling sum against the plain recursion, on the same draws."""
    coloured = Coloured(range_m_std=1.0, azimuth_rad_std=1.0, elevation_rad_std=1.0, time_constant_s=0.7)
    times = START_NS + np.cumsum(stream(5, "gaps").integers(1, 900, 137)) * 1_000_000
    white = stream(3, "c").standard_normal((137, 3))
    plain = white.copy()
    for k in range(1, 137):
        rho = math.exp(-(times[k] - times[k - 1]) * 1e-9 / 0.7)
        plain[k] = rho * plain[k - 1] + math.sqrt(1.0 - rho * rho) * white[k]
    assert _coloured(3, "c", coloured, times) == pytest.approx(plain, abs=1e-12)


def test_range_rate_is_receding_positive() -> None:
    config = world(duration_s=20.0, radars=(radar(range_rate_m_s_std=0.5),))
    flight = straight(20.0, (9000.0, 2000.0, 1500.0), (-250.0, 0.0, 0.0))
    away = Target(name="round/0", origin=0, flight=flight, start_t_ns=START_NS, end_t_ns=START_NS + 20_000_000_000)
    plots = sightings(config, station(config, 0), away)
    ranges, rates = plots["range_m"], plots["range_rate_m_s"]
    slope = np.polyfit((plots["t_ns"] - START_NS) * 1e-9, ranges, 1)[0]
    assert rates.mean() == pytest.approx(slope, abs=3.0)
    assert rates.max() < 0.0


def test_nothing_is_seen_out_of_range_below_the_lowest_elevation_or_during_an_outage() -> None:
    outage = (START_NS + 100_000_000_000, START_NS + 300_000_000_000)
    assert len(seen_by(range_m_max=5000.0)[2]) == 0
    assert len(seen_by(elevation_rad_min=0.6)[2]) == 0
    config, place, plots = seen_by(outages_t_ns=(outage,), clutter_per_scan=2.0)
    false = clutter(config, place, 0, START_NS, START_NS + round(SECONDS * 1e9))
    for times in (plots["t_ns"], false["t_ns"]):
        assert not np.any((times >= outage[0]) & (times < outage[1]))
        assert np.any(times < outage[0])
        assert np.any(times >= outage[1])


def test_fades_take_their_share_of_the_time() -> None:
    _, place, plots = seen_by(detection_probability=1.0, fades_per_s=0.05, fade_s_mean=2.0)
    dwells = len(dwell_times(place, START_NS, START_NS + round(SECONDS * 1e9)))
    # Of a Poisson number of overlapping fades, exp(−0.05 × 2) of the time is free.
    assert len(plots) / dwells == pytest.approx(math.exp(-0.1), abs=0.06)
    assert np.diff(plots["t_ns"]).max() > 3_000_000_000


def test_clutter_is_poisson_in_number_and_uniform_in_its_volume() -> None:
    config = world(duration_s=SECONDS, radars=(radar(clutter_per_scan=3.0),))
    place = station(config, 0)
    plots = clutter(config, place, 0, START_NS, START_NS + round(SECONDS * 1e9))
    counts = np.bincount((plots["t_ns"] - START_NS) // 100_000_000, minlength=20_000)
    assert counts.mean() == pytest.approx(3.0, abs=4.5 * math.sqrt(3.0 / 20_000))
    assert counts.var() == pytest.approx(3.0, abs=4.5 * math.sqrt((3.0 + 2 * 9.0) / 20_000))
    volume = Clutter()
    for name, low, high in (
        ("range_m", volume.range_m_min, volume.range_m_max),
        ("azimuth_rad", 0.0, 2.0 * math.pi),
        ("elevation_rad", volume.elevation_rad_min, volume.elevation_rad_max),
        ("order", 0.0, 1.0),
    ):
        share = np.sort((plots[name] - low) / (high - low))
        steps = (np.arange(len(share)) + 0.5) / len(share)
        assert np.abs(share - steps).max() < 2.2 / math.sqrt(len(share)), name  # Kolmogorov, 1 in 10 000


def test_example_raids_show_clutter_of_the_same_volume() -> None:
    """The defaults mirror the example raids: no clutter of theirs lies outside, and it fills the volume."""
    root = Path(__file__).parents[2]
    truth = json.loads((root / "tests/data/ripple-24/truth.json").read_text())
    lines = (root / "examples/ripple-24/plots.ndjson").read_text().splitlines()
    false = [json.loads(line) for line, number in zip(lines, truth["origin"], strict=True) if number < 0]
    volume = Clutter()
    ranges = np.array([plot["range_m"] for plot in false])
    angles = np.radians([plot["elevation_deg"] for plot in false])
    for values, low, high in (
        (ranges, volume.range_m_min, volume.range_m_max),
        (angles, volume.elevation_rad_min, volume.elevation_rad_max),
    ):
        assert values.min() >= low
        assert values.max() <= high
        share = np.sort((values - low) / (high - low))
        assert np.abs(share - (np.arange(len(share)) + 0.5) / len(share)).max() < 2.2 / math.sqrt(len(share))


def test_dwells_stand_on_the_grid_of_the_radar() -> None:
    config = world(radars=(radar(period_s=0.25, phase_s=0.04),))
    place = station(config, 0)
    whole = dwell_times(place, START_NS, START_NS + 10_000_000_000)
    assert whole[0] == START_NS + 40_000_000
    assert len(whole) == 40
    cuts = [START_NS, START_NS + 290_000_000, START_NS + 3_333_333_333, START_NS + 10_000_000_000]
    parts = [dwell_times(place, a, b) for a, b in itertools.pairwise(cuts)]
    assert np.concatenate(parts).tolist() == whole.tolist()
    early = dwell_times(place, START_NS - 5_000_000_000, START_NS + 10_000_000_000)
    assert early.tolist() == whole.tolist()


def test_azimuth_stays_below_a_full_turn() -> None:
    config = replace(world(duration_s=100.0), radars=(radar(azimuth_rad_std=0.002, angle_rad_quantum=0.0),))
    flight = straight(100.0, (465.5, 8000.0, 2000.0), (0.0, 1.0, 0.0))
    north = Target(name="round/0", origin=0, flight=flight, start_t_ns=START_NS, end_t_ns=START_NS + 100_000_000_000)
    plots = sightings(config, station(config, 0), north)
    assert plots["azimuth_rad"].min() >= 0.0
    assert plots["azimuth_rad"].max() < 2.0 * math.pi
    assert np.any(plots["azimuth_rad"] > 6.0)
    assert np.any(plots["azimuth_rad"] < 0.3)
