"""Worst input through the whole pipeline: floods, stuck radars, lost clocks, fuzzed fields: bounded, told, and over.

What must hold each time: nothing raises, every plot is accounted for, the state stays small, a round that is really
there is still found where the input allows it, and what is wrong is said in the log.
"""

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opencram.config.site import load_site
from opencram.messages import Association, Health, Plot, Rejected, Track, Warning
from opencram.runtime import pipeline
from opencram.runtime.configure import configure
from opencram.simulation import world
from opencram.simulation.flights import Flyer
from opencram.simulation.model import NO_FAULTS, Coloured, Faults, Radar, Round, WorldConfig
from opencram.simulation.solve import aimed, for_elevation

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SITE = load_site(EXAMPLES / "mortars" / "site.toml")
CONFIG = configure(SITE)
MAST = SITE.sensors[0]
START_NS = 1_767_225_600_000_000_000
S = 1_000_000_000


def raid(faults: Faults = NO_FAULTS, *, clutter: float = 2.0, seconds: float = 45.0) -> list[Plot]:
    """One mortar round that falls on the camp, seen by its one radar, with these faults."""
    radar = Radar(
        id=MAST.id, latitude_rad=MAST.latitude_rad, longitude_rad=MAST.longitude_rad, height_m=MAST.height_m,
        range_m_std=MAST.range_m_std, azimuth_rad_std=MAST.azimuth_rad_std, elevation_rad_std=MAST.elevation_rad_std,
        period_s=MAST.period_s, clutter_per_scan=clutter, faults=faults, detection_probability=0.95,
    )  # fmt: skip
    shot = Round(
        name="mortar", class_name="mortar", launch_t_ns=START_NS + 2 * S, position_enu_m=(2500.0, 1500.0, -0.7),
        velocity_enu_m_s=(0.0, 0.0, 0.0), ballistic_coefficient_kg_m2=1150.0,
    )  # fmt: skip
    config = WorldConfig(
        seed=4, latitude_rad=SITE.latitude_rad, longitude_rad=SITE.longitude_rad, height_m=SITE.height_m,
        ground_height_m=SITE.ground_height_m, start_t_ns=START_NS, duration_s=seconds, radars=(radar,),
    )  # fmt: skip
    launching = for_elevation(Flyer.of(config), shot, (20.0, -30.0), math.radians(62.0))
    config = replace(config, rounds=(aimed(shot, launching),))
    return world.scan(config, world.initial(config), config.end_t_ns)[1]


def through(plots):
    """Return all that the pipeline says of plots, its last state, and the most tracks at once."""
    state, said = pipeline.initial(CONFIG), []
    tracks_most = 0
    for batch in pipeline.dwells(CONFIG, plots):
        state, made = pipeline.step(CONFIG, state, batch)
        said += made
        tracks_most = max(tracks_most, len(state.open_tracks))
    return said, state, tracks_most


def accounted(plots, said) -> None:
    """Every plot is in an association or rejected, once."""
    named = Counter(plot_id for m in said if isinstance(m, Association) for plot_id in m.plot_ids)
    named.update(m.plot_id for m in said if isinstance(m, Rejected) and m.plot_id)
    missing = [plot.plot_id for plot in plots if named[plot.plot_id] == 0]
    assert not missing, f"{len(missing)} plots vanished, the first is {missing[0]}"


def confirmed(said) -> set[int]:
    return {
        m.track_id for m in said if isinstance(m, Track) and m.status == "confirmed" and m.projectile_probability >= 0.5
    }


def test_the_raid_itself_is_found():
    plots = raid()
    said, _, _ = through(plots)
    accounted(plots, said)
    assert len(confirmed(said)) == 1
    assert any(isinstance(m, Warning) for m in said)


@pytest.mark.parametrize("old", [False, True])
def test_a_radar_that_repeats_its_last_scan_for_ever_makes_no_projectile(old):
    plots = raid(Faults(repeats_from_t_ns=START_NS + 20 * S, repeats_old_stamps=old), seconds=300.0)
    said, _, most = through(plots)
    accounted(plots, said)
    assert len(confirmed(said)) == 1  # the round of before
    assert most < 20
    late = [m for m in said if isinstance(m, Track) and m.t_ns > START_NS + 60 * S and m.status != "dropped"]
    assert all(m.projectile_probability < 0.5 for m in late)


@pytest.mark.parametrize("by_s", [3600.0, -3600.0])
def test_a_clock_that_jumps_by_an_hour_is_survived(by_s):
    plots = raid(Faults(clock_jumps=((START_NS + 12 * S, by_s),)))
    said, _, most = through(plots)
    accounted(plots, said)
    assert most < 20
    assert len(confirmed(said)) <= 2  # before the jump and after it


def test_a_clock_that_jumps_and_comes_back_costs_one_plot_and_no_track():
    plots = raid()
    k = next(i for i, plot in enumerate(plots) if plot.t_ns > START_NS + 12 * S)
    plots[k] = msgspec.structs.replace(plots[k], t_ns=plots[k].t_ns - 3600 * S)
    said, _, _ = through(plots)
    accounted(plots, said)
    assert len(confirmed(said)) == 1


def test_a_flood_of_clutter_is_bounded_and_told():
    """5 000 false plots within a second, five dwells of a thousand, on top of the round."""
    plots = raid()
    draws = np.random.default_rng(3)
    begin = next(i for i, plot in enumerate(plots) if plot.t_ns > START_NS + 15 * S)
    wild = [
        Plot(
            t_ns=plots[begin].t_ns + 1000 * (k // 1000) + (k // 1000) * S // 5, plot_id=0, sensor=MAST.id,
            range_m=float(draws.uniform(300.0, 15_000.0)), azimuth_rad=float(draws.uniform(0.0, 2.0 * math.pi)),
            elevation_rad=float(draws.uniform(0.02, 1.2)),
        )
        for k in range(5000)
    ]  # fmt: skip
    flood = sorted([*plots, *wild], key=lambda plot: plot.t_ns)
    flood = [msgspec.structs.replace(plot, plot_id=k) for k, plot in enumerate(flood, 1)]
    said, _, most = through(flood)
    accounted(flood, said)
    assert most <= CONFIG.tracking.tracks_max
    assert len(confirmed(said)) <= 3
    flood = f"sensor:{MAST.id}/flood"
    told = [(m.state, (m.t_ns - START_NS) / S) for m in said if isinstance(m, Health) and m.part == flood]
    assert [state for state, _ in told] == ["degraded", "ok"]
    assert 15.0 < told[0][1] < 15.0 + 2.0 * MAST.period_s  # at once
    assert told[1][1] < 16.0 + 30.0 * MAST.period_s


@pytest.mark.parametrize("name", ["jump", "double", "split", "late", "drift", "splash"])
def test_what_radars_do_does_not_lose_the_round(name):
    faults = {
        "jump": Faults(jumps_per_s=0.1, jump_s_mean=0.7, jump_m_max=5000.0),
        "double": Faults(double_probability=0.3),
        "split": Faults(splits_per_s=0.05, split_s_mean=1.5),
        "late": Faults(latency_s=0.3, latency_s_mean=0.2),
        "drift": Faults(
            drift=Coloured(range_m_std=3.0, azimuth_rad_std=0.002, elevation_rad_std=0.002, time_constant_s=2.0)
        ),
        "splash": Faults(splash_probability=1.0, splash_s_mean=10.0),
    }[name]
    plots = raid(faults)
    said, _, _ = through(plots)
    accounted(plots, said)
    assert len(confirmed(said)) >= 1
    assert any(isinstance(m, Warning) and m.state == "issued" for m in said)
    assert len(confirmed(said)) <= 2


NUMBERS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True), st.sampled_from([0.0, -1.0, 1e308, 1e-308, math.pi, 20_000.0])
)
FUZZED = st.fixed_dictionaries(
    {},
    optional={
        "range_m": NUMBERS, "azimuth_rad": NUMBERS, "elevation_rad": NUMBERS, "range_rate_m_s": NUMBERS,
        "snr_db": NUMBERS, "range_m_std": NUMBERS, "azimuth_rad_std": NUMBERS, "elevation_rad_std": NUMBERS,
        "t_ns": st.integers(-(2**62), 2**62), "sensor": st.sampled_from(["", MAST.id, "nobody", "mäst\u0000"]),
    },
)  # fmt: skip
CLEAN = raid(seconds=25.0)


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, len(CLEAN) - 1), FUZZED), min_size=1, max_size=25))
def test_fields_fuzzed_at_will_raise_nothing_and_vanish_nowhere(changes):
    plots = list(CLEAN)
    for at, fields in changes:
        plots[at] = msgspec.structs.replace(plots[at], **fields)
    said, _, _ = through(plots)
    accounted(plots, said)
