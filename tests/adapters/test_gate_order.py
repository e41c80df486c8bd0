"""Scans of one radar that overtake one another on their way: within `out_of_order_s` each is used, once."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencram.adapters.gate import LAG_NS, Gate, SensorLimits
from opencram.messages import Plot, Rejected

T0 = 1_767_225_600_000_000_000
MS = 1_000_000
Given = tuple[int, str, float]  # time, sensor, range


def limits(north_s: float, south_s: float = 0.0) -> dict[str, SensorLimits]:
    return {
        "north": SensorLimits(range_m_max=20_000.0, period_s=0.1, out_of_order_s=north_s),
        "south": SensorLimits(range_m_max=20_000.0, period_s=0.25, out_of_order_s=south_s),
    }


def through(gate: Gate, plots: list[Given]) -> list[Plot | Rejected]:
    """Return what comes of plots, taken one by one; the line of each is its place, from 1."""
    out: list[Plot | Rejected] = []
    for line, (t_ns, sensor, range_m) in enumerate(plots, 1):
        gate.take(out, line, t_ns, sensor, range_m, 10.0, 20.0)
    gate.finish(out)
    return out


def arriving(chance: random.Random, late_s: dict[str, float], seconds: float = 6.0) -> list[Given]:
    """Two radars, one to four plots a scan, in the order in which scans that are late by up to so much arrive."""
    scans = []
    for sensor, step_ns in (("north", 100 * MS), ("south", 250 * MS)):
        for k in range(int(seconds * 1e9) // step_ns):
            t_ns = T0 + k * step_ns
            came_ns = t_ns + int(chance.random() * late_s[sensor] * 1e9)
            plots = [(t_ns, sensor, 5000.0 + k + 0.1 * n) for n in range(chance.randint(1, 4))]
            scans.append((came_ns, sensor, plots))
    return [plot for _, _, plots in sorted(scans) for plot in plots]


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([0.15, 0.7, 2.0]))
def test_each_plot_of_a_shuffled_stream_is_used_once_and_in_the_order_it_came(chance: random.Random, most_s: float):
    plots = arriving(chance, {"north": most_s, "south": 0.0})
    again = [plots[min(k + chance.randint(1, 3), len(plots) - 1)] for k in range(0, len(plots), 7)]  # come twice
    out = through(Gate(limits(most_s)), plots)
    assert [(m.t_ns, m.sensor, m.range_m) for m in out if isinstance(m, Plot)] == plots
    assert not [m for m in out if isinstance(m, Rejected)]
    assert [m.plot_id for m in out if isinstance(m, Plot)] == list(range(1, len(plots) + 1))
    twice = through(Gate(limits(most_s)), plots[:60] + [p for p in again if p in plots[:60]] + plots[60:])
    assert [(m.t_ns, m.sensor, m.range_m) for m in twice if isinstance(m, Plot)] == plots
    assert {m.code for m in twice if isinstance(m, Rejected)} <= {"duplicate", "time_back"}


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-25, 15), st.sampled_from(["north", "south"]), st.integers(0, 2)), min_size=1, max_size=60
    ),
    st.sampled_from([0.0, 0.3, 1.1, 2.0]),
    st.sampled_from([0.0, 0.5]),
)
def test_every_plot_is_judged_by_the_newest_of_its_sensor_and_of_all(steps: list, north_s: float, south_s: float):
    """Against the rule written down plainly, whatever the order; steps are tenths of a second."""
    plots: list[Given] = [(T0 + k, "north", 1000.0 + k) for k in range(5)]  # they settle the first time
    for step, sensor, name in steps:
        at_ns = max(t for t, _, _ in plots) if step > 0 else plots[-1][0]
        plots.append((at_ns // (100 * MS) * 100 * MS + step * 100 * MS, sensor, 3000.0 + name))
    back_ns = {"north": round(north_s * 1e9), "south": round(south_s * 1e9)}
    newest, seen, wanted = {"north": -1, "south": -1}, set(), []
    for t_ns, sensor, range_m in plots:
        last, newest_ns = newest[sensor], max(newest.values())
        if (t_ns, sensor, range_m) in seen and t_ns >= last - LAG_NS:
            wanted.append("duplicate")
        elif t_ns < last - back_ns[sensor]:
            wanted.append("time_back")
        elif t_ns < newest_ns - LAG_NS:
            wanted.append("late")
        else:
            wanted.append("plot")
            seen.add((t_ns, sensor, range_m))
            newest[sensor] = max(last, t_ns)
    out = through(Gate(limits(north_s, south_s)), plots)
    got = {m.line: m.code if isinstance(m, Rejected) else "plot" for m in out}
    assert [got[line] for line in range(1, len(plots) + 1)] == wanted
    assert len(out) == len(plots)


def test_what_is_too_old_is_refused_with_the_limit_and_the_remedy():
    plots = [(T0 + k * 100 * MS, "north", 5000.0 + k) for k in range(10)]
    late = (T0 + 350 * MS, "north", 4000.0)  # 0.55 s behind
    for own_s, words in ((0.5, "whose out_of_order_s is 0.5"), (0.0, "give it out_of_order_s (at most 2) in the site")):
        [refused] = [m for m in through(Gate(limits(own_s)), [*plots, late]) if isinstance(m, Rejected)]
        assert (refused.code, refused.line, refused.sensor) == ("time_back", 11, "north")
        assert refused.reason.startswith("its time is 0.550000 s behind an earlier plot of the same sensor, north")
        assert words in refused.reason
    assert not [m for m in through(Gate(limits(0.55)), [*plots, late]) if isinstance(m, Rejected)]


def test_a_scan_from_before_a_pause_refutes_nothing_of_what_came_after_it():
    before = [(T0 + k * 100 * MS, "north", 5000.0 + k) for k in range(20)]
    after = [(T0 + 9000 * MS + k * 100 * MS, "north", 6000.0 + k) for k in range(20)]
    plots = [*before[:-2], before[-1], after[1], before[-2], after[0], *after[2:]]  # scans overtaken at both ends
    out = through(Gate(limits(0.3)), plots)
    assert sorted(m.line for m in out if isinstance(m, Plot)) == list(range(1, len(plots) + 1))


def test_a_slip_of_time_is_still_told_where_scans_overtake():
    plots = [(T0 + k * 100 * MS, "north", 5000.0 + k) for k in range(20)]
    slip = (T0 + 3600 * 1000 * MS, "north", 7000.0)
    out = through(Gate(limits(0.3)), [*plots[:10], plots[11], slip, plots[10], *plots[12:]])
    assert [m.code for m in out if isinstance(m, Rejected)] == ["time_jump"]
    assert sum(isinstance(m, Plot) for m in out) == 20


@pytest.mark.parametrize("wrong", [-0.1, 2.1, float("nan")])
def test_a_limit_that_the_gate_cannot_keep_is_refused(wrong: float):
    with pytest.raises(ValueError, match="must be 0 to 2"):
        SensorLimits(range_m_max=1000.0, out_of_order_s=wrong)
