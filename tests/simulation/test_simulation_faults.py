"""What radars do beside missing and erring: the statistics of each fault, and that none moves another's draws."""

import math
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from simulation_worlds import START_NS, radar, rocket, run, world

from opencram.simulation.faults import merged, spells
from opencram.simulation.model import NO_FAULTS, Coloured, Faults, WorldConfig
from opencram.simulation.radars import SIGHTING, dwell_times, station
from opencram.simulation.truth import truth_document
from opencram.simulation.world import initial, origins, scan, things

S = 1_000_000_000


def seen(*, faults: Faults = NO_FAULTS, rounds: int = 1, **changes: Any) -> tuple[WorldConfig, Any, list]:
    """A world of one radar that misses nothing, its end, and its plots."""
    values: dict[str, Any] = {"detection_probability": 1.0, "elevation_rad_min": -1.0}
    config = world(
        rounds=tuple(rocket(k) for k in range(rounds)), radars=(radar(faults=faults, **{**values, **changes}),)
    )
    state, plots = scan(config, initial(config), config.end_t_ns)
    return config, state, plots


def polars(plots: list) -> np.ndarray:
    return np.array([[p.range_m, p.azimuth_rad, p.elevation_rad] for p in plots])


def test_a_radar_without_faults_is_as_it_was():
    """Faults that cannot happen change no plot."""
    _, _, plain = seen(rounds=2, clutter_per_scan=2.0)
    _, _, idle = seen(rounds=2, clutter_per_scan=2.0, faults=Faults(jump_s_mean=9.0, split_m_std=1.0))
    assert idle == plain


def test_the_drift_of_a_radar_is_one_for_all_that_it_sees_and_has_its_law():
    drift = Coloured(range_m_std=30.0, azimuth_rad_std=0.003, elevation_rad_std=0.001, time_constant_s=2.0)
    config = world(duration_s=4000.0, radars=(radar(faults=Faults(drift=drift)),))
    error = station(config, 0).drift
    assert len(error) == 40_001
    assert error.std(axis=0) == pytest.approx([30.0, 0.003, 0.001], rel=0.12)
    for lag_s in (0.5, 2.0):
        k = round(lag_s / 0.1)
        part = [np.corrcoef(error[:-k, j], error[k:, j])[0, 1] for j in range(3)]
        assert part == pytest.approx([math.exp(-lag_s / 2.0)] * 3, abs=0.1)
    _, _, plain = seen(rounds=2)
    _, _, drifting = seen(rounds=2, faults=Faults(drift=drift))
    assert len(drifting) == len(plain)
    by_time: dict[int, list[float]] = {}
    for a, b in zip(plain, drifting, strict=True):
        by_time.setdefault(a.t_ns, []).append(b.range_m - a.range_m)
    pairs = [found for found in by_time.values() if len(found) == 2]
    assert len(pairs) > 100
    assert all(one == pytest.approx(other, abs=1e-6) for one, other in pairs)


def test_outages_come_by_chance_and_silence_the_whole_radar():
    config = world(duration_s=20_000.0, radars=(radar(faults=Faults(outages_per_s=0.01, outage_s_mean=5.0)),))
    place = station(config, 0)
    assert len(place.outages_t_ns) == pytest.approx(200, abs=45)
    lengths = [(end - begin) * 1e-9 for begin, end in place.outages_t_ns]
    assert np.mean(lengths) == pytest.approx(5.0, rel=0.25)
    share = len(dwell_times(place, START_NS, config.end_t_ns)) / 200_000
    assert share == pytest.approx(math.exp(-0.05), abs=0.012)  # of a queue with infinitely many servers


def test_spells_have_their_share():
    times = START_NS + np.arange(10_000, dtype=np.int64) * S
    within, number = spells(3, "x", 0.1, 2.0, times)
    assert within.mean() == pytest.approx(1.0 - math.exp(-0.2), abs=0.02)
    assert 850 < number[within].max() < 1150


def test_doubled_plots_come_at_the_same_time_with_errors_of_their_own():
    _, state, plots = seen(faults=Faults(double_probability=0.3))
    _, _, plain = seen()
    extra = len(plots) - len(plain)
    n = len(plain)
    assert extra == pytest.approx(0.3 * n, abs=4.0 * math.sqrt(0.21 * n))
    times = Counter(p.t_ns for p in plots)
    assert set(times.values()) == {1, 2}
    assert set(origins(state)) == {0}
    twice = [t for t, k in times.items() if k == 2]
    pairs = [[p for p in plots if p.t_ns == t] for t in twice]
    apart = np.array([a.range_m - b.range_m for a, b in pairs])
    assert apart.std() == pytest.approx(10.0 * math.sqrt(0.5), rel=0.3)
    assert (apart != 0.0).all()


def test_one_round_is_seen_as_two_for_a_while():
    _, _, plots = seen(faults=Faults(splits_per_s=0.1, split_s_mean=3.0, split_m_std=200.0))
    times = Counter(p.t_ns for p in plots)
    twice = sorted(t for t, k in times.items() if k == 2)
    assert 5 < len(twice) < len(times)
    gaps = np.diff(twice)
    assert (gaps == S // 10).mean() > 0.8  # they come in runs
    assert np.ptp([abs(a.range_m - b.range_m) for t in twice for a, b in [[p for p in plots if p.t_ns == t]]]) > 20.0


def test_two_rounds_in_one_cell_are_one_plot_between_them():
    rows = np.zeros(5, dtype=SIGHTING)
    rows["t_ns"] = [0, 0, 0, 1, 1]
    rows["thing"] = rows["origin"] = [0, 1, 2, 0, 1]
    rows["range_m"] = [1000.0, 1030.0, 1200.0, 1000.0, 1100.0]
    rows["azimuth_rad"] = [2.0 * math.pi - 0.001, 0.003, 0.0, 0.0, 0.0]
    rows["order"] = [0.75, 0.25, 0.5, 0.5, 0.5]
    found = merged(rows, radar(faults=Faults(cell_m=50.0, cell_rad=0.01)))
    assert len(found) == 4
    assert found["range_m"][0] == pytest.approx(1007.5)
    assert found["azimuth_rad"][0] == pytest.approx(0.0, abs=1e-12)
    assert found["thing"].tolist() == [0, 2, 0, 1]
    rows["order"][:2] = 0.25, 0.75
    assert merged(rows, radar(faults=Faults(cell_m=50.0, cell_rad=0.01)))["thing"].tolist() == [1, 2, 0, 1]
    apart = merged(rows, radar(faults=Faults(cell_m=50.0, cell_rad=0.001)))
    assert len(apart) == 5


def test_close_rounds_give_fewer_plots_and_clutter_never_merges():
    close = (rocket(0), replace(rocket(0), name="beside", position_enu_m=(5010.0, 2010.0, -2.2)))
    faults = Faults(cell_m=60.0, cell_rad=0.01)
    config = world(
        rounds=close, radars=(radar(faults=faults, detection_probability=1.0, clutter_per_scan=50.0),), duration_s=30.0
    )
    state, plots = scan(config, initial(config), config.end_t_ns)
    both = Counter((p.t_ns, k) for p, k in zip(plots, origins(state), strict=True) if k >= 0)
    times = Counter(t for t, _ in both)
    assert sum(k == 1 for k in times.values()) > 0.9 * len(times)
    assert {origin for _, origin in both} == {0, 1}


def test_a_jump_shows_the_nearest_other_and_says_so():
    faults = Faults(jumps_per_s=0.2, jump_s_mean=2.0, jump_m_max=5000.0)
    _, state, plots = seen(rounds=2, faults=faults)
    doubled = Counter((p.t_ns, k) for p, k in zip(plots, origins(state), strict=True))
    jumped = [key for key, count in doubled.items() if count == 2]
    assert len(jumped) > 10
    for t_ns, origin in jumped[:20]:
        one, other = polars([p for p, k in zip(plots, origins(state), strict=True) if p.t_ns == t_ns and k == origin])
        assert abs(one[0] - other[0]) < 80.0
        assert abs(one - other)[0] > 0.0
    _, alone, few = seen(rounds=1, faults=faults)
    assert set(origins(alone)) == {0}
    assert max(Counter(p.t_ns for p in few).values()) == 1


def test_the_radar_stays_with_the_splash():
    config, state, plots = seen(faults=Faults(splash_probability=1.0, splash_s_mean=4.0))
    body = state.bodies[0]
    after = [p for p in plots if p.t_ns >= body.end_t_ns]
    assert after
    told = dict(zip((p.plot_id for p in plots), zip(origins(state), things(state), strict=True), strict=True))
    assert {told[p.plot_id] for p in after} == {(-1, 0)}
    assert np.ptp(polars(after)[:, 0]) < 90.0
    assert not [p for p in seen()[2] if p.t_ns >= body.end_t_ns]
    lengths = []
    for seed in range(60):
        other = replace(config, seed=seed, duration_s=120.0)
        end = initial(other).bodies[0]
        lengths.append((end.seen["t_ns"].max() - end.end_t_ns) * 1e-9)
    assert np.mean(lengths) == pytest.approx(4.0, rel=0.4)


def test_a_round_not_followed_down_leaves_no_splash():
    _, state, plots = seen(faults=Faults(splash_probability=1.0), elevation_rad_min=math.radians(12.0))
    assert max(p.t_ns for p in plots) < state.bodies[0].end_t_ns


def test_latency_delays_the_telling_and_not_the_time_and_dwells_may_overtake():
    _, _, plain = seen()
    config, _, late = seen(faults=Faults(latency_s=0.5))
    assert late == plain
    state, early = scan(config, initial(config), plain[0].t_ns + S // 2 - 1)
    assert not early
    assert scan(config, state, plain[0].t_ns + S // 2)[1] == plain[:1]

    config, _, shuffled = seen(faults=Faults(latency_s=0.1, latency_s_mean=0.3))
    order = [p.t_ns for p in shuffled]
    assert order != sorted(order)
    assert sorted(order) == [p.t_ns for p in plain][: len(order)]
    stepped = run(config, initial(config))[1]
    assert stepped == shuffled


def test_late_plots_cross_the_seams_of_windows():
    rounds = (replace(rocket(0), launch_t_ns=START_NS + 55 * S),)
    values = {"detection_probability": 1.0, "faults": Faults(latency_s=2.0, latency_s_mean=0.5)}
    config = world(rounds=rounds, radars=(radar(**values),), duration_s=130.0)
    _, plots = scan(config, initial(config), config.end_t_ns)
    _, plain = scan(
        (other := replace(config, radars=(radar(detection_probability=1.0),))), initial(other), config.end_t_ns
    )
    assert sorted(p.t_ns for p in plots) == [p.t_ns for p in plain]


def test_a_clock_is_off_drifts_and_jumps():
    faults = Faults(clock_offset_s=0.25, clock_drift_ppm=1000.0, clock_jumps=((START_NS + 20 * S, 3600.0),))
    _, _, plots = seen(faults=faults)
    _, _, plain = seen()
    for one, true in zip(plots, plain, strict=True):
        since_s = (true.t_ns - START_NS) * 1e-9
        off_s = 0.25 + since_s * 1e-3 + (3600.0 if since_s >= 20.0 else 0.0)
        assert (one.t_ns - true.t_ns) * 1e-9 == pytest.approx(off_s, abs=1e-6)
        assert one.range_m == true.range_m


@pytest.mark.parametrize("old", [False, True])
def test_a_stuck_radar_repeats_its_last_scan_for_ever(old):
    stuck = START_NS + 15 * S + 1
    config, _, plots = seen(
        rounds=2, clutter_per_scan=3.0, faults=Faults(repeats_from_t_ns=stuck, repeats_old_stamps=old)
    )
    before = [p for p in seen(rounds=2, clutter_per_scan=3.0)[2] if p.t_ns < stuck]
    assert plots[: len(before)] == before
    last = [p for p in before if p.t_ns == before[-1].t_ns]
    rest = plots[len(before) :]
    dwells = round((config.end_t_ns - before[-1].t_ns) / (S // 10))
    assert len(rest) == len(last) * dwells
    for k, p in enumerate(rest):
        same = last[k % len(last)]
        assert (p.range_m, p.azimuth_rad, p.elevation_rad) == (same.range_m, same.azimuth_rad, same.elevation_rad)
    assert {p.t_ns for p in rest} == (
        {last[0].t_ns} if old else {last[0].t_ns + k * S // 10 for k in range(1, dwells + 1)}
    )
    assert run(config, initial(config))[1] == plots


def test_quanta_are_steps_also_of_merged_plots():
    close = (rocket(0), replace(rocket(0), name="beside", position_enu_m=(5010.0, 2010.0, -2.2)))
    there = radar(
        detection_probability=1.0,
        range_m_quantum=2.0,
        angle_rad_quantum=0.001,
        faults=Faults(cell_m=60.0, cell_rad=0.01),
    )
    config = world(rounds=close, radars=(there,), duration_s=30.0)
    found = polars(scan(config, initial(config), config.end_t_ns)[1])
    steps = found / [2.0, 0.001, 0.001]
    assert np.abs(steps - np.round(steps)).max() < 1e-6


def test_one_rounds_faults_are_its_own_whatever_else_flies():
    faults = Faults(double_probability=0.2, splits_per_s=0.1, splash_probability=0.5)

    def of_the_first(count: int) -> list:
        _, state, plots = seen(rounds=count, faults=faults)
        told = zip(plots, things(state), strict=True)
        return [(p.t_ns, p.range_m, p.azimuth_rad) for p, thing in told if thing == 0]

    assert of_the_first(1) == of_the_first(3)


def test_the_truth_says_what_each_plot_shows():
    config, state, plots = seen(rounds=2, clutter_per_scan=2.0, faults=Faults(splash_probability=1.0))
    truth = truth_document(config, state)
    assert len(truth["object"]) == len(truth["origin"]) == len(plots)
    assert [each["kind"] for each in truth["objects"]] == ["round", "round"]
    assert {-1, 0, 1} == set(truth["object"])
