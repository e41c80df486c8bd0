"""What `opencram warmup` makes ready is all that a run calls: nothing compiles in the middle of a raid."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parent.parent.parent
EXAMPLES = REPOSITORY / "examples"

SITE_MORE = """
[terrain]
file = "dem.npy"
heights = "ellipsoid"
radius_m = 1000
west_deg = 44.37
south_deg = 33.27
east_deg = 44.43
north_deg = 33.33
[drag_curves]
mine = "mine.csv"
[[projectile]]
class = "rocket"
drag_curve = "mine"
ballistic_coefficient_kg_m2 = 2500
probability = 0.1
[[effector]]
id = "missile"
kind = "interceptor"
latitude_deg = 33.3005
longitude_deg = 44.4009
range_min_m = 300.0
range_max_m = 4000.0
magazine_rounds = 4
"""

# The three ways in, over all that gives kernels other types: terrain, curves of one's own, both kinds of effectors,
# thrust, spin, things that are no projectile, Doppler, a salvo that crosses.
CODE = """
import json, sys
from pathlib import Path
from opencram.cli import main
from opencram.kernel import signatures
from opencram.runtime import warmup

folder, examples = Path(sys.argv[1]), Path(sys.argv[2])
with warmup.listening(lambda name: None) as compiled:
    warmup.warm_up(figures=True)
    before, ready = signatures(), len(compiled)

    def run(*arguments):
        assert main([str(each) for each in arguments]) == 0, arguments

    for name in ("seven-rockets", "mortars", "ripple-24"):
        run("process", examples / name / "site.toml", "--plots", examples / name / "plots.ndjson",
            "--events", folder / "events.ndjson", "--json")
    run("process", folder / "site.toml", "--plots", examples / "seven-rockets" / "plots.ndjson", "--json")
    run("simulate", examples / "seven-rockets" / "scenario.toml", "--json")
    run("simulate", folder / "scenario.toml", "--recording", folder / "raid.ocr", "--json")
    run("report", folder / "raid.ocr", "--out", folder / "raid.html")

    from opencram.adapters.cap import CapBook
    from opencram.config.site import load_site
    from opencram.runtime.core import Core
    from opencram.runtime.fittings import zones_of
    from opencram.adapters.cap import CapConfig
    from opencram.adapters.words import load_language
    from opencram.runtime.source import Source, read_plots

    site = load_site(folder / "site.toml")
    config = CapConfig(sender="a@b.example", sender_name="A", languages=(load_language("en"),))
    core = Core(site, folder / "log", CapBook(config, zones_of(site)), [], 0)
    with (examples / "seven-rockets" / "plots.ndjson").open("rb") as stream:
        for message in read_plots(site, Source("plots.ndjson", stream)):
            core.take([message], message.t_ns)
    core.close(0)
after = signatures()
late = {name: len(kinds - before.get(name, frozenset())) for name, kinds in after.items()}
late = {name: count for name, count in late.items() if count}
print("RESULT", json.dumps({"late": late, "first": compiled[:ready], "compiled": compiled[ready:]}))
"""


SCENARIO = """
[scenario]
site = "site.toml"
duration_s = 20.0
seed = 3
[[radar]]
sensor = "north"
doppler_std_m_s = 1.0
double_probability = 0.1
splits_per_s = 0.2
[[launch]]
time_s = 0.0
class = "rocket"
east_m = 5000
north_m = 1000
aim_east_m = 50
aim_north_m = 20
elevation_deg = 35
burn_time_s = 0.8
drag_curve = "mine"
count = 4
interval_s = 0.3
dispersion_m = 40
[[launch]]
time_s = 0.5
class = "shell"
east_m = -6000
north_m = 2000
aim_east_m = -20
aim_north_m = 0
elevation_deg = 30
motion = "spinning"
[[launch]]
time_s = 0.0
class = "mortar"
east_m = 2000
north_m = -1000
aim_east_m = 0
aim_north_m = 0
elevation_deg = 60
[[traffic]]
name = "helicopter"
class = "helicopter"
waypoints_m = [[-2000.0, 500.0, 400.0], [2000.0, 800.0, 400.0]]
[[gunfire]]
time_s = 1.0
east_m = -500
north_m = 300
azimuth_deg = 90
elevation_deg = 40
[[outgoing]]
time_s = 2.0
class = "mortar"
east_m = 0
north_m = 0
speed_m_s = 200
azimuth_deg = 200
elevation_deg = 60
[[rain]]
east_m = 1000
north_m = 1000
from_s = 0
to_s = 10
[[ground_echoes]]
east_m = 200
north_m = 900
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "site.toml").write_text((EXAMPLES / "seven-rockets" / "site.toml").read_text() + SITE_MORE)
    (tmp_path / "scenario.toml").write_text(SCENARIO)
    (tmp_path / "mine.csv").write_text("mach,cd\n0,0.15\n0.8,0.16\n1.0,0.35\n1.2,0.38\n2.5,0.25\n")
    north, east = np.mgrid[0:61, 0:61]
    np.save(tmp_path / "dem.npy", 35.0 + 3.0 * np.sin(north / 5.0) * np.cos(east / 7.0))
    return tmp_path


def after_warmup(folder: Path, **environment: str) -> dict[str, Any]:
    """Return which kernels were called with new types after `opencram warmup`, and which were compiled."""
    command = [sys.executable, "-c", CODE, str(folder), str(EXAMPLES)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | environment)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-4000:]
    return dict(json.loads(run.stdout.rpartition("RESULT ")[2]))


def test_after_the_warm_up_no_run_calls_a_kernel_with_types_that_it_does_not_know(folder: Path) -> None:
    found = after_warmup(folder)
    assert (found["late"], found["compiled"]) == ({}, [])


@pytest.mark.slow  # compiles everything: about a minute of processor time
def test_in_an_empty_cache_nothing_is_compiled_after_the_warm_up(folder: Path) -> None:
    found = after_warmup(folder, OPENCRAM_CACHE_DIR=str(folder / "cache"))
    assert found["compiled"] == []
    if len(os.sched_getaffinity(0)) > 1:  # the rest was the work of the second process
        assert {name.split(".")[0] for name in found["first"]} <= {"tracking", "ballistics", "estimation", "earth"}
