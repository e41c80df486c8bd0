"""NDJSON plots: every reason to reject a line, and that a rejected line leaves no trace."""

import io
import json
import math
import random
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencram.adapters.plots import PlotReader, SensorLimits
from opencram.adapters.times import rfc3339, t_ns_from_rfc3339
from opencram.messages import Plot, Rejected

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SENSORS = {
    "north": SensorLimits(range_m_max=20_000.0, period_s=0.1),
    "south": SensorLimits(range_m_max=10_000.0, period_s=0.25),
}
T0 = t_ns_from_rfc3339("2026-01-01T00:00:00Z")


def line(t_s=1.0, sensor="north", range_m=5000.0, azimuth_deg=90.0, elevation_deg=45.0, **more):
    plot = {
        "type": "plot",
        "time": rfc3339(T0 + round(t_s * 1e9)),
        "sensor": sensor,
        "range_m": range_m,
        "azimuth_deg": azimuth_deg,
        "elevation_deg": elevation_deg,
        **more,
    }
    return json.dumps(plot).encode() + b"\n"


def good_lines(count=60):
    """Two radars, 0.1 s between dwells; the second lags a little behind the first."""
    return [
        line(k * 0.1 - (0.5 if k % 3 == 2 else 0.0) + 1.0, "south" if k % 3 == 2 else "north", 4000.0 + 7.0 * k, k)
        for k in range(count)
    ]


def read(lines):
    return [message for chunk in PlotReader(SENSORS).read(lines) for message in chunk]


def plots(messages):
    """The accepted plots, but for the number of the line they stood in."""
    return [msgspec.structs.replace(m, line=None) for m in messages if isinstance(m, Plot)]


def rejected(messages):
    return [m for m in messages if isinstance(m, Rejected)]


def test_a_good_plot_arrives_in_radians_and_nanoseconds():
    text = (
        b'{"type":"plot","time":"2026-01-01T00:00:07.300000Z","sensor":"north","range_m":3635.728,'
        b'"azimuth_deg":163.614682,"elevation_deg":45.560954,"range_rate_m_s":-210.5,"azimuth_std_deg":0.1}\n'
    )
    [plot] = read([text])
    assert plot == Plot(
        t_ns=1_767_225_607_300_000_000,
        plot_id=1,
        sensor="north",
        range_m=3635.728,
        azimuth_rad=pytest.approx(math.radians(163.614682), abs=1e-15),
        elevation_rad=pytest.approx(math.radians(45.560954), abs=1e-15),
        range_rate_m_s=-210.5,
        azimuth_rad_std=pytest.approx(math.radians(0.1)),
        line=1,
    )


def test_the_example_raids_are_read_whole():
    for raid, count in (("seven-rockets", 5529), ("mortars", 458), ("ripple-24", 13442)):
        sensors = {name: SensorLimits(range_m_max=25_000.0) for name in ("north", "south", "mast", "east")}
        with (EXAMPLES / raid / "plots.ndjson").open("rb") as stream:
            messages = [m for chunk in PlotReader(sensors).read_stream(stream) for m in chunk]
        assert [m.plot_id for m in messages] == list(range(1, count + 1))
        assert [m.line for m in messages] == list(range(1, count + 1))


BAD = {
    "not_json": b"hello\n",
    "not_json 2": b"[1,2]\n",
    "not_json 3": b'{"a":' * 10_000 + b"\n",
    "not_json 4": line()[:-1] + line(),
    "not_utf8": b'{"type":"pl\xff"}\n',
    "too_long": b'{"type":"' + b"x" * 70_000 + b'"}\n',
    "field": b'{"type":"plot","time":"2026-01-01T00:00:01Z","sensor":"north","azimuth_deg":1,"elevation_deg":1}\n',
    "field 2": line(range_m="5000"),
    "field 3": line(range_m=True),
    "field 4": line(range_m=None),
    "field 5": line(time=12.5),
    "field 6": line(range_std_m="1"),
    "field 7": b"{}\n",
    "type": line(type="track"),
    "type 2": line(type=3),
    "nan": line(range_m=math.nan),
    "nan 2": line(range_std_m=math.nan),
    "infinite": line(elevation_deg=-math.inf),
    "infinite 2": line().replace(b"5000.0", b"1e999"),
    "infinite 3": line().replace(b"5000.0", b"9" * 400),
    "range": line(range_m=-1.0),
    "range 2": line(range_m=0.0),
    "range 3": line(range_m=24_001.0),
    "range 4": line(elevation_deg=90.5),
    "range 5": line(azimuth_deg=721.0),
    "range 6": line(azimuth_std_deg=0.0),
    "range 7": line(range_std_m=-2.0),
    "range 8": line(range_rate_m_s=1e300),
    "unknown_sensor": line(sensor="west"),
    "unknown_sensor 2": line(sensor="\ud800"),
    "time": line(time="yesterday"),
    "time 2": line(time="1969-12-31T23:59:59Z"),
    "time 3": line(time="2200-01-01T00:00:00Z"),
    "time 4": line(time="2026-02-30T00:00:00Z"),
    "time 5": line(time="2026-01-01T00:00:01"),
    "duplicate": good_lines()[30],
    "duplicate 2": good_lines()[28],
    "time_back": line(3.5, range_m=1234.0),
    "time_back 2": line(2.0, range_m=1234.0),
    "late": line(1.9, sensor="south", range_m=777.0),
    "time_jump": line(3600.0 + 4.0),
    "time_jump 2": line(30.0),
    "time_jump 3": line(86_400.0 * 300),
}


@pytest.mark.parametrize("name", BAD)
def test_each_fault_has_its_code_and_leaves_no_trace(name):
    good = good_lines()
    late = ["south"] if name == "late" else []
    if late:  # the lagging sensor must not have come past that time itself
        good = [each for each in good if b"south" not in each]
    at = 31
    messages = read([*good[:at], BAD[name], *good[at:]])
    [refusal] = rejected(messages)
    assert refusal.code == name.split(" ")[0]
    assert refusal.line == at + 1
    assert refusal.reason
    assert abs(refusal.t_ns - T0) < 10 * 10**9  # a time that data had, not the bad line's fancy
    assert plots(messages) == plots(read(good))
    assert msgspec.json.encode(refusal)


def test_a_reason_says_what_is_there_and_what_may_be():
    messages = read([*good_lines(8), BAD["range 3"], BAD["unknown_sensor"], BAD["nan"]])
    reasons = [m.reason for m in rejected(messages)]
    assert reasons == [
        "range_m is 24001: must be > 0 and <= 24000, the reach of sensor north",
        "the site has no sensor 'west'; it has 'north', 'south'",
        "range_m is not a number (NaN)",
    ]


def test_a_truncated_last_line_is_called_so_and_a_whole_one_is_read():
    good = good_lines()
    for cut in (1, 20, 60, 100):
        messages = read([*good[:-1], good[-1][:cut]])
        assert [m.code for m in rejected(messages)] == ["truncated"]
        assert plots(messages) == plots(read(good[:-1]))
    assert plots(read([*good[:-1], good[-1][:-1]])) == plots(read(good))
    assert [m.code for m in rejected(read([*good, b"\x80rubbish"]))] == ["not_utf8"]


def test_blank_lines_line_ends_and_a_byte_order_mark_are_no_fault():
    good = good_lines()
    messages = read([b"\xef\xbb\xbf" + good[0], b"\n", b" \r\n", *(each[:-1] + b"\r\n" for each in good[1:])])
    assert not rejected(messages)
    assert plots(messages) == plots(read(good))
    assert messages[1].line == 4


def test_azimuth_is_wrapped_into_one_turn():
    for given_deg, wrapped_deg in ((-90.0, 270.0), (360.0, 0.0), (719.0, 359.0), (-1e-18, 0.0)):
        [plot] = read([line(azimuth_deg=given_deg)])
        assert plot.azimuth_rad == pytest.approx(math.radians(wrapped_deg), abs=1e-12)
        assert 0.0 <= plot.azimuth_rad < 2 * math.pi


def test_words_in_other_tongues_are_read():
    sensors = {"الشمال": SensorLimits(range_m_max=20_000.0)}
    text = line(sensor="الشمال").decode().encode().replace(b"}", ', "note": "größer"}'.encode())
    messages = [m for chunk in PlotReader(sensors).read([text]) for m in chunk]
    assert len(plots(messages)) == 1


def test_the_very_first_line_may_be_the_bad_one():
    good = good_lines()
    for bad in ("time_jump", "time_jump 2", "time_jump 3", "nan", "not_json"):
        messages = read([BAD[bad], *good])
        assert [m.code for m in rejected(messages)] == [bad.split(" ")[0]]
        assert plots(messages) == plots(read(good))
    messages = read([line(-86_400.0), *good])
    assert [m.code for m in rejected(messages)] == ["late"]
    assert plots(messages) == plots(read(good))


def test_a_bad_line_at_the_end_moves_no_time():
    good = good_lines()
    messages = read([*good, BAD["time_jump 2"]])
    assert [m.code for m in rejected(messages)] == ["time_jump"]
    assert plots(messages) == plots(read(good))


def test_after_a_pause_nothing_is_lost():
    """Real time goes on by a minute, an hour, a day: the plots that agree on it are all used."""
    for pause_s in (5.0, 50.0, 1800.0, 86_400.0):
        later = [line(7.0 + pause_s + 0.1 * k, range_m=3000.0 + k) for k in range(12)]
        messages = read([*good_lines(), *later])
        assert not rejected(messages)
        assert len(plots(messages)) == 72
        assert messages[-1].t_ns == T0 + round((7.0 + pause_s + 1.1) * 1e9)


def test_sparse_plots_are_used_while_time_goes_on():
    lines = [line(60.0 * k, range_m=3000.0 + k) for k in range(40)]
    messages = read(lines)
    assert len(plots(messages)) + len(rejected(messages)) == 40
    assert len(plots(messages)) >= 30


def test_one_dwell_of_a_radar_with_a_wrong_clock_does_not_carry_the_others_away():
    ahead = [line(7200.0, "south", 3000.0 + k) for k in range(15)]
    good = [each for each in good_lines() if b"north" in each]
    messages = read([*good[:20], *ahead, *good[20:]])
    assert {m.code for m in rejected(messages)} == {"time_jump"}
    assert len(rejected(messages)) == 15
    assert plots(messages) == plots(read(good))


def test_rubbish_before_the_first_plot_is_told_with_the_first_time():
    messages = read([b"rubbish\n", *good_lines()])
    assert messages[0].code == "not_json"
    assert messages[0].t_ns >= T0
    assert [m.code for m in read([b"rubbish\n"])] == ["not_json"]
    assert read([]) == []


def test_the_way_the_input_is_cut_changes_nothing():
    lines = [*good_lines(), BAD["nan"], BAD["time_jump"], *good_lines(90)[60:], line()[:50]]
    whole = read(lines)
    data = b"".join(lines)
    for size in (1, 7, 100, 4096):
        reader = PlotReader(SENSORS)
        stream = io.BytesIO(data)
        stream.read1 = lambda _, stream=stream, size=size: stream.read(size)  # a slow pipe
        assert [m for chunk in reader.read_stream(stream) for m in chunk] == whole
    reader = PlotReader(SENSORS)
    assert [m for each in lines for m in reader.feed([each])] + reader.finish() == whole


def test_an_endless_line_is_told_once_in_bounded_memory():
    reader = PlotReader(SENSORS)
    stream = io.BytesIO(b"x" * 3_000_000 + b"\n" + line())
    messages = [m for chunk in reader.read_stream(stream) for m in chunk]
    assert [m.code for m in rejected(messages)] == ["too_long"]
    assert [m.line for m in messages if isinstance(m, Plot)] == [2]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda s: st.lists(s, max_size=3), max_leaves=5
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=80) | st.builds(lambda v: json.dumps(v).encode(), JSON_VALUES), max_size=20))
def test_random_bytes_never_raise(chunks):
    messages = read([chunk + b"\n" for chunk in chunks])
    for chunk in PlotReader(SENSORS).read_stream(io.BytesIO(b"\n".join(chunks))):
        messages += chunk
    assert all(isinstance(m, Plot | Rejected) for m in messages)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["type", "time", "sensor", "range_m", "azimuth_deg", "elevation_deg", "snr_db", "range_std_m"]),
        JSON_VALUES,
        max_size=3,
    )
)
def test_odd_values_never_raise_and_never_pass_unjudged(odd):
    base = json.loads(line())
    for message in read([json.dumps(base | odd).encode() + b"\n"]):
        if isinstance(message, Plot):
            assert 0.0 < message.range_m <= 24_000.0
            assert 0.0 <= message.azimuth_rad < 2 * math.pi
            assert abs(message.elevation_rad) <= math.pi / 2


@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=False))
def test_bad_lines_anywhere_leave_the_good_plots_as_they_are(chance: random.Random):
    good = good_lines()
    # Codes whose line is wrong wherever it stands.
    names = [n for n in BAD if n.split(" ")[0] not in ("duplicate", "time_back", "late")]
    lines, count = [], 0
    for each in good:
        if chance.random() < 0.2:
            lines.append(BAD[chance.choice(names)])
            count += 1
        lines.append(each)
    messages = read(lines)
    assert plots(messages) == plots(read(good))
    assert len(rejected(messages)) == count
