"""Raids by a truth model of its own: the two physics agree, and the program does its job where nothing is amiss."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from unseen_flight import Shot, Site, Weather, fly

import scoring
from conftest import OPENCRAM
from opencram.simulation.flights import Flyer
from opencram.simulation.model import Air, Round, WorldConfig
from unseen_raids import STRATA, write_raid


@pytest.mark.parametrize(
    ("curve", "speed_m_s", "beta_kg_m2", "spin_m_s", "wind_m_s"),
    [
        ("G5", 210.0, 815.0, 0.0, (4.0, -7.0)),
        ("G7", 480.0, 2300.0, 5.0, (0.0, 0.0)),  # the drift of a round in wind is told from either velocity: 6 m apart
        ("G2", 560.0, 3900.0, 0.0, (4.0, -7.0)),
    ],
)
def test_two_truths_fly_alike(
    curve: str, speed_m_s: float, beta_kg_m2: float, spin_m_s: float, wind_m_s: tuple[float, float]
) -> None:
    """Within 0.5 m and 0.01 s over flights of 3 to 17 km, wind and the turning earth included."""
    east_m_s, north_m_s = wind_m_s
    site = Site(41.0, 23.0, 300.0)
    weather = Weather(density_factor=1.02, heights_m=(0.0,), east_m_s=(east_m_s,), north_m_s=(north_m_s,))
    shot = Shot(
        class_name="shell", launch_s=0.0, east_m=-2000.0, north_m=1500.0, speed_m_s=speed_m_s, azimuth_rad=0.7,
        elevation_rad=0.8, beta_kg_m2=beta_kg_m2, curve=curve, spin_m_s=spin_m_s,
    )  # fmt: skip
    flown = fly(site, weather, shot)
    assert flown is not None
    latitude, longitude = math.radians(41.0), math.radians(23.0)
    level = math.cos(0.8)
    config = WorldConfig(
        seed=1, latitude_rad=latitude, longitude_rad=longitude, height_m=300.0, ground_height_m=300.0, start_t_ns=0,
        duration_s=120.0, air=Air(wind_east_m_s=east_m_s, wind_north_m_s=north_m_s, density_factor=1.02),
    )  # fmt: skip
    start_enu_m = (site.on_ground(-2000.0, 1500.0) - site.origin_m) @ site.axes.T + np.array([0.0, 0.0, 1.0])
    ours = Flyer.of(config).launch(
        Round(
            name="x", class_name="shell", launch_t_ns=0, position_enu_m=tuple(start_enu_m.tolist()),
            velocity_enu_m_s=(
                speed_m_s * level * math.sin(0.7), speed_m_s * level * math.cos(0.7), speed_m_s * math.sin(0.8),
            ),
            curve=curve, ballistic_coefficient_kg_m2=beta_kg_m2, spin_drift_m_s=spin_m_s, drag_slope=0.0, source="",
        )
    )  # fmt: skip
    assert abs(ours.t_s[-1] - flown.t_s[-1]) < 0.01
    assert np.linalg.norm(np.array(ours.position_enu_m[-1]) - flown.enu_m[-1]) < 0.5


def test_a_raid_in_good_order(tmp_path: Path) -> None:
    """Two good radars: every round found, followed and warned of, nothing else confirmed, every track decided."""
    site, plots, truth = write_raid(STRATA[0], 2, tmp_path)
    events = tmp_path / "events.ndjson"
    subprocess.run([OPENCRAM, "process", site, "--plots", plots, "--events", events], check=True, capture_output=True)
    score = scoring.score_files(site, plots, truth, events)
    assert all(flown.to_the_end for flown in score.rounds)
    assert score.false_tracks == score.duplicates == score.undecided_tracks == ()
    assert all(lead is not None and lead >= 10.0 for flown in score.rounds for lead in flown.warned_s.values())
    assert all(error_m < 20.0 for error_m in score.errors_m(None))


def test_same_seed_same_raid(tmp_path: Path) -> None:
    first, second = (write_raid(STRATA[4], 5, tmp_path / name) for name in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
