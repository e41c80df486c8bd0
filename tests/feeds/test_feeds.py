"""Feeds without sockets: every format, statistics, doubled datagrams, and sensors that are silent, late or lying."""

import json
import math

import pytest

from feed_data import STATIONS, T0, gate, plot, plots
from opencram.adapters.asterix.encode import encode_plots, encode_service
from opencram.adapters.feeds import Feed, FeedConfig
from opencram.adapters.sapient import edge
from opencram.adapters.times import rfc3339
from opencram.messages import Health, Plot, Rejected

MS = 1_000_000


def line(p: Plot) -> bytes:
    values = {
        "type": "plot", "time": rfc3339(p.t_ns), "sensor": p.sensor, "range_m": p.range_m,
        "azimuth_deg": math.degrees(p.azimuth_rad), "elevation_deg": math.degrees(p.elevation_rad),
    }  # fmt: skip
    return json.dumps(values).encode() + b"\n"


def row(p: Plot) -> bytes:
    azimuth, elevation = math.degrees(p.azimuth_rad), math.degrees(p.elevation_rad)
    return f"{rfc3339(p.t_ns)},{p.sensor},{p.range_m},{azimuth},{elevation}\n".encode()


HEADER = b"time,sensor,range_m,azimuth_deg,elevation_deg\n"


def sendings(form: str, sent: list[Plot]) -> list[bytes]:
    if form == "ndjson":
        return [line(p) for p in sent]
    if form == "csv":
        return [HEADER, *(row(p) for p in sent)]
    if form == "sapient":
        return edge.encode_plots(sent, STATIONS)
    return encode_plots(sent, STATIONS)


def feed(form="asterix", *, stream=False, sensors=("north",), **more):
    return Feed(FeedConfig(name="f", format=form, stream=stream, sensors=sensors, **more), STATIONS, gate())


def run(one: Feed, arrivals):
    """Take (clock, bytes) pairs, checking every 10 ms between; return all messages."""
    out = []
    clock = None
    for t_ns, data in arrivals:
        while clock is not None and clock + 10 * MS < t_ns:
            clock += 10 * MS
            out += one.check(clock)
        clock = t_ns
        out += one.receive(data, t_ns).messages
    return out


def steady(count=60, *, delay_ms=20, form="asterix"):
    sent = plots(count)
    return [(p.t_ns + delay_ms * MS, data) for p in sent for data in sendings(form, [p])]


def health(messages):
    return [(m.state, m.part) for m in messages if isinstance(m, Health)]


@pytest.mark.parametrize("form", ["ndjson", "csv", "asterix", "sapient"])
def test_every_format_as_a_stream_cut_anywhere(form):
    stream = b"".join(sendings(form, plots(30)))
    for size in (1, 7, 100, 10_000):
        one = feed(form, stream=True)
        found = [
            m for k in range(0, len(stream), size) for m in one.receive(stream[k : k + size], T0 + 3_000 * MS).messages
        ]
        found += one.disconnected(T0)
        assert [p.sensor for p in found if isinstance(p, Plot)] == ["north"] * 30
        assert one.status(T0).plots == 30


@pytest.mark.parametrize("form", ["ndjson", "asterix"])
def test_every_format_in_datagrams(form):
    one = feed(form)
    found = [m for data in sendings(form, plots(30)) for m in one.receive(data.rstrip(b"\n"), T0).messages]
    assert sum(isinstance(m, Plot) for m in found) == 30


def test_doubled_multicast_is_taken_once_and_told_once():
    one = feed()
    twice = [arrival for arrival in steady(40) for _ in (0, 1)]
    found = run(one, twice)
    assert sum(isinstance(m, Plot) for m in found) == 40
    assert [m.code for m in found if isinstance(m, Rejected)] == ["twin"]
    assert one.status(T0).rejected == (("twin", 40),)


def test_plots_of_all_feeds_share_one_count():
    doorway = gate()
    first = Feed(FeedConfig(name="a", format="asterix"), STATIONS, doorway)
    second = Feed(FeedConfig(name="b", format="ndjson"), STATIONS, doorway)
    found = []
    for k in range(20):
        found += first.receive(encode_plots([plot(k)], STATIONS)[0], T0).messages
        found += second.receive(line(plot(k, "south", range_m=5000.0 + k)), T0).messages
    assert [p.plot_id for p in found if isinstance(p, Plot)] == list(range(1, 41))


def test_statistics():
    one = feed()
    run(one, steady(60, delay_ms=30))
    clock = T0 + 6_000 * MS
    status = one.status(clock)
    assert status.plots == 60
    assert status.rate_per_s == pytest.approx(6.0)
    assert status.delay_s == pytest.approx(0.030, abs=0.005)
    assert status.delay_s_max == pytest.approx(0.030, abs=0.005)
    assert status.last_plot_t_ns == pytest.approx(T0 + 5_900 * MS, abs=4 * MS)
    assert status.last_received_t_ns == T0 + 5_930 * MS
    assert status.bytes_received > 60 * 20
    assert one.status(clock + 20_000 * MS).rate_per_s == 0.0


def test_a_steady_sensor_is_never_called_ill():
    assert health(run(feed(), steady(300))) == []


def test_silence_is_seen_within_two_periods_and_a_little():
    one = feed()
    last = steady()[-1][0]
    run(one, steady())
    assert one.check(last + 200 * MS) == []
    [found] = one.check(last + 210 * MS)
    assert (found.state, found.part) == ("lost", "sensor:north")
    assert "0.21 s" in found.reason
    assert one.check(last + 10_000 * MS) == []  # told once
    back = run(one, [(last + 11_000 * MS, encode_plots([plot(109 + 1)], STATIONS)[0])])
    assert ("ok", "sensor:north") in health(back)


def test_a_sensor_that_never_speaks_is_lost():
    one = feed()
    assert one.check(T0) == []
    [found] = one.check(T0 + 250 * MS)
    assert found.state == "lost"
    assert "not been heard at all" in found.reason


def test_a_sensor_has_its_time_to_start_and_no_more():
    one = feed(start_s=3.0)
    assert one.check(T0) == one.check(T0 + 2900 * MS) == []
    [found] = one.check(T0 + 3100 * MS)
    assert found.state == "lost"
    heard = feed(start_s=3.0)
    last = steady(3)[-1][0]
    run(heard, steady(3))
    [found] = heard.check(last + 210 * MS)
    assert found.state == "lost"  # once heard, it is judged by its period


def test_signs_of_life_of_a_radar_that_sees_nothing_keep_it_alive():
    one = feed()
    arrivals = [(T0 + k * 100 * MS, encode_service(STATIONS[0], T0 + k * 100 * MS)) for k in range(50)]
    assert health(run(one, arrivals)) == []


def test_a_radar_with_many_empty_scans_is_not_called_silent():
    one = feed()
    often = [arrival for k, arrival in enumerate(steady(200)) if k % 4 == 0]
    found = health(run(one, often))
    assert found.count(("lost", "sensor:north")) <= 8  # until its usual gap is known
    tail = health(run(one, [(p.t_ns + 20 * MS, encode_plots([p], STATIONS)[0]) for p in plots(280)[204::4]]))
    assert tail in ([], [("ok", "sensor:north")])


def test_late_plots_are_seen_at_once_and_forgiven_when_they_are_in_time_again():
    one = feed()
    good, late = steady(40), steady(80, delay_ms=900)[40:60]
    run(one, good)
    found = run(one, late)
    degraded = [m for m in found if isinstance(m, Health) and "after their time" in m.reason]
    assert len(degraded) == 1
    assert "0.90 s" in degraded[0].reason
    first_late = late[0][0]
    assert degraded[0].t_ns - first_late <= 200 * MS
    again = [(p.t_ns + 20 * MS, encode_plots([p], STATIONS)[0]) for p in plots(120)[90:]]
    assert health(run(one, again))[-1] == ("ok", "sensor:north")


def test_a_clock_ahead_is_seen():
    one = feed()
    found = run(one, steady(20, delay_ms=-800))
    [m] = [m for m in found if isinstance(m, Health)]
    assert m.state == "degraded"
    assert "0.80 s ahead" in m.reason


def test_a_sensor_that_talks_nonsense_is_seen():
    one = feed("ndjson")
    run(one, steady(40, form="ndjson"))
    bad = [(p.t_ns + 20 * MS, line(plot(40 + k, range_m=-5.0 - k))) for k, p in enumerate(plots(60)[40:])]
    found = [m for m in run(one, bad) if isinstance(m, Health)]
    assert [m.state for m in found] == ["degraded"]
    assert "refused" in found[0].reason
    assert "range" in found[0].reason


def test_a_drifting_clock_is_measured_and_told():
    """A clock that loses a millisecond a second, under jitter of arrival."""
    one = feed()
    arrivals = []
    for k in range(900):
        p = plot(k, azimuth_rad=0.001 * k, range_m=5000.0)
        jitter = (k * 7919 % 13) * MS
        arrivals.append((p.t_ns + 20 * MS + k * 100_000 + jitter, encode_plots([p], STATIONS)[0]))
    found = [m for m in run(one, arrivals) if isinstance(m, Health)]
    assert one.status(arrivals[-1][0]).clock_drift_ppm == pytest.approx(1000.0, rel=0.1)
    assert [m.state for m in found] == ["degraded"]
    assert "loses" in found[0].reason


def test_a_new_connection_begins_with_nothing_of_the_old():
    one = feed("sapient", stream=True)
    [first, second] = edge.encode_plots(plots(2), STATIONS)
    one.receive(first[:-5], T0)
    assert [m.code for m in one.disconnected(T0) if isinstance(m, Rejected)] in ([], ["truncated"])
    one.connected()
    one.receive(second, T0)
    assert one.status(T0).bytes_received == len(first) - 5 + len(second)
    stream = feed("ndjson", stream=True)
    stream.receive(line(plot(0))[:20], T0)
    stream.connected()
    found = [m for p in plots(10) for m in stream.receive(line(p), T0).messages]
    assert sum(isinstance(m, Plot) for m in found) == 10


def test_an_endless_line_is_bounded():
    one = feed("ndjson", stream=True)
    for _ in range(40):
        one.receive(b"x" * 10_000, T0)
    found = one.receive(b"\n" + b"".join(map(line, plots(10))), T0).messages
    assert [m.code for m in found if isinstance(m, Rejected)] == ["too_long"]
    assert sum(isinstance(m, Plot) for m in found) == 10
