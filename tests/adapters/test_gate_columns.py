"""Plots taken many at once fare exactly as plots taken one by one."""

import math
from dataclasses import replace
from itertools import groupby

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from opencram.adapters.gate import Gate, SensorLimits

T0 = 1_767_225_600_000_000_000
LIMITS = {"north": SensorLimits(range_m_max=20_000.0, period_s=0.1), "south": SensorLimits(range_m_max=9_000.0)}
OVERTAKING = {name: replace(one, out_of_order_s=0.15) for name, one in LIMITS.items()}
NAN = math.nan

rows = st.tuples(
    st.sampled_from([0, 0, 0, 0, 1, 2, -1, 30, 4000]),  # steps of a tenth of a second from the plot before
    st.sampled_from(["north", "north", "north", "south", "west"]),
    st.sampled_from([100.0, 5000.0, 5001.5, 15_000.0, 30_000.0, 0.0, -3.0, NAN, math.inf]),
    st.sampled_from([0.0, 10.5, 359.9999999999, 360.0, -2.0, 721.0, NAN]),
    st.sampled_from([0.0, 12.25, -90.0, 90.5, NAN]),
    st.sampled_from([NAN, -200.0, 1e5]),
    st.sampled_from([NAN, 15.0, math.inf]),
    st.sampled_from([NAN, 10.0, 0.0]),
    st.sampled_from([NAN, 0.1, 400.0]),
    st.sampled_from([NAN, 0.1, -1.0]),
)
good = st.tuples(
    st.sampled_from([0] * 12 + [1, 1, -1, 30]),
    st.sampled_from(["north"] * 5 + ["south"]),
    st.floats(1.0, 8000.0),
    st.floats(0.0, 359.0),
    st.floats(0.0, 80.0),
    *[st.just(NAN)] * 2,
    *[st.sampled_from([NAN, 3.0])] * 3,
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(good, good, good, good, good, rows), min_size=1, max_size=60),
    st.sampled_from([LIMITS, OVERTAKING]),
)
def test_many_at_once_fare_as_one_by_one(plots: list, limits: dict) -> None:
    times = (T0 + 100_000_000 * np.cumsum([step for step, *_ in plots])).tolist()
    single, many = Gate(limits), Gate(limits)
    one_by_one: list = []
    for place, (t_ns, (_, sensor, *values)) in enumerate(zip(times, plots, strict=True)):
        optional = [None if math.isnan(value) else value for value in values[3:]]
        single.take(one_by_one, place + 1, t_ns, sensor, *values[:3], *optional)
    single.finish(one_by_one)

    at_once: list = []
    reach_m = np.array([many.reach_m(sensor) for _, sensor, *_ in plots])
    columns = many.columns(reach_m, [np.array(column) for column in list(zip(*plots, strict=True))[2:]])
    for (t_ns, sensor), run in groupby(range(len(plots)), key=lambda place: (times[place], plots[place][1])):
        places = list(run)
        many.take_many(at_once, places[0] + 1, t_ns, sensor, columns, places[0], places[-1] + 1)
    many.finish(at_once)
    assert at_once == one_by_one
