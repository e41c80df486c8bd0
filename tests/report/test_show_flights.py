"""Flights as figures, from Python and from the command line."""

import math

import numpy as np
import pytest

from opencram.cli import main
from opencram.errors import UsageError
from opencram.report.show import Shot, footprint_figure, shot_footprint, site_environment, trajectory, trajectory_figure


def test_a_trajectory_runs_from_the_launch_to_the_ground_without_a_gap():
    for name, speed in (("mortar 81 mm", 200.0), ("rocket 122 mm", None)):
        shot = Shot.of(name, speed_m_s=speed, elevation_deg=50.0, azimuth_deg=30.0)
        flight = trajectory(shot, site_environment(None))
        steps = np.diff(flight[:, 0])
        assert (steps > 0.0).all()
        assert steps.max() <= 0.25 + 1e-9
        assert flight[0, 1:4].tolist() == [0.0, 0.0, 0.0]
        between = np.linalg.norm(np.diff(flight[:, 1:4], axis=0), axis=1)
        speeds = np.linalg.norm(flight[:, 4:7], axis=1)
        assert (between <= np.maximum(speeds[1:], speeds[:-1]) * steps * 1.001).all()
        assert math.degrees(math.atan2(flight[-1, 1], flight[-1, 2])) == pytest.approx(30.0, abs=1.0)


def test_a_footprint_lies_about_the_impact():
    shot = Shot.of("shell-105mm", speed_m_s=None, elevation_deg=45.0, azimuth_deg=0.0)
    env = site_environment(None)
    found = shot_footprint(shot, env, samples=1024)
    assert found.mean_m == pytest.approx(trajectory(shot, env)[-1, 1:3], abs=100.0)
    assert 10.0 < found.ellipse_m(0.5)[1] < found.ellipse_m(0.5)[0] < 1000.0


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_figures_are_written(tmp_path, suffix, capsys):
    for command in (
        ["trajectory", "shell-155mm"],
        ["footprint", "mortar-60mm", "--samples", "500", "--elevation", "60"],
    ):
        out = tmp_path / f"{command[0]}.{suffix}"
        assert main(["show", *command, "--out", str(out)]) == 0
        assert out.stat().st_size > 10_000
        assert capsys.readouterr().out.strip() == str(out)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trajectory", "trebuchet", "--out", "a.png"], "there are mortar 60 mm"),
        (["trajectory", "mortar-60mm", "--out", "a.gif"], "must end with"),
        (["trajectory", "mortar-60mm", "--speed", "nan", "--out", "a.png"], "speed: must be"),
        (["footprint", "mortar-60mm", "--samples", "1", "--out", "a.png"], "samples: must be"),
    ],
)
def test_what_cannot_be_drawn_is_told(arguments, words, capsys):
    assert main(["show", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_from_a_notebook_it_is_one_call():
    assert trajectory_figure("mortar 120 mm", elevation_deg=60.0).axes
    assert footprint_figure("mortar 120 mm", elevation_deg=60.0, samples=200).axes
    with pytest.raises(UsageError):
        trajectory_figure("mortar 120 mm", elevation_deg=123.0)
