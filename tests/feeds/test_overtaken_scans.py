"""Live feeds of radars whose scans overtake one another: used once, and mistaken for no wrong clock and no lateness."""

import random
from dataclasses import replace

import pytest

from feed_data import STATIONS, T0, plot
from opencram.adapters.asterix.encode import encode_plots
from opencram.adapters.clocks import Clocks
from opencram.adapters.feeds import Feed, FeedConfig
from opencram.adapters.gate import Gate
from opencram.adapters.stations import limits
from opencram.messages import Health, Plot, Rejected

MS, S = 1_000_000, 1_000_000_000
MOST_S = 0.45
OVERTAKING = [replace(station, out_of_order_s=MOST_S) for station in STATIONS]
Arrival = tuple[int, Plot]


def scans(seed: int, begin: int, end: int, *, clock_ns: int = 0) -> list[Arrival]:
    """Two plots a scan, each scan late by a random part of MOST_S; the clock of the radar is so far ahead."""
    chance = random.Random(f"{seed} {begin}")
    found = []
    for k in range(begin, end):
        t_ns = T0 + k * 100 * MS
        came_ns = t_ns + 10 * MS + int(chance.random() * MOST_S * 1e9)
        place = {"snr_db": None, "range_rate_m_s": None}
        found += [
            (came_ns, plot(k, t_ns=t_ns + clock_ns, range_m=8000.0 - 20.0 * (k % 300) + two, **place))
            for two in range(2)
        ]
    return found


def heard(arrivals: list[Arrival], stations=OVERTAKING) -> tuple[list[Plot], list[Rejected], list[Health], Feed]:
    """Return the plots, the refusals, what was said of the sensor, and the feed: each plot is a datagram."""
    gate = Gate(limits(stations), clocks=Clocks())
    feed = Feed(FeedConfig(name="f", format="asterix", sensors=("north",)), stations, gate)
    out = []
    for clock_ns, one in sorted(arrivals, key=lambda arrival: arrival[0]):
        out += feed.receive(encode_plots([one], stations)[0], clock_ns).messages
    kinds = (Plot, Rejected, Health)
    return (*([m for m in out if isinstance(m, kind)] for kind in kinds), feed)  # type: ignore[return-value]


@pytest.mark.parametrize("seed", range(5))
def test_every_scan_is_used_and_nothing_is_said_of_the_radar(seed: int) -> None:
    arrivals = scans(seed, 0, 300)
    found, refused, told, feed = heard(arrivals)
    assert (len(found), refused, told) == (600, [], [])
    assert len({one.range_m for one in found}) == 600
    status = feed.status(max(clock_ns for clock_ns, _ in arrivals))
    assert status.delay_s_max == pytest.approx(0.44, abs=0.03)  # those that were overtaken count
    assert status.clock_drift_ppm is None or abs(status.clock_drift_ppm) < 500.0
    without, refused, _, _ = heard(arrivals, STATIONS)
    assert {m.code for m in refused} == {"time_back"}
    assert len(without) + len(refused) == 600


@pytest.mark.parametrize("jump_ns", [3600 * S, -3600 * S, 90 * S, -90 * S])
def test_a_clock_that_jumps_is_set_right_all_the_same(jump_ns: int) -> None:
    most = 0
    for seed in range(10):
        # It jumps, and comes back.
        arrivals = [*scans(seed, 0, 60), *scans(seed, 60, 140, clock_ns=jump_ns), *scans(seed, 140, 220)]
        found, refused, told, _ = heard(arrivals)
        assert {m.code for m in refused} <= {"clock", "time_back"}
        assert len(found) + len(refused) == len(arrivals)
        most = max(most, len(refused))
        for one in found:  # where it would have been by its old clock, as well as a line that varies can tell
            k = round((8000.0 - one.range_m) / 20.0)
            assert abs(one.t_ns - (T0 + k * 100 * MS)) < MOST_S * 1e9 + 20 * MS
        way = "ahead of" if jump_ns > 0 else "behind"
        assert any(way in m.reason and "its clock" in m.reason for m in told)
        assert told[-1].state == "ok"
    assert most <= 16


def test_a_scan_that_was_overtaken_makes_no_radar_late() -> None:
    """Every fourth scan takes 0.8 s; the others are in time, and a radar that is late as a whole is still told."""
    stations = [replace(station, out_of_order_s=1.0) for station in STATIONS]
    arrivals = [(one.t_ns + (800 if k % 4 == 3 else 20) * MS, one) for k, one in enumerate(map(plot, range(199)))]
    found, refused, told, _ = heard(arrivals, stations)
    assert (len(found), refused) == (199, [])
    assert [m.reason for m in told if "after their time" in m.reason] == []
    late = [(one.t_ns + 900 * MS, one) for one in map(plot, range(199, 230))]
    _, _, told, _ = heard([*arrivals, *late], stations)
    assert sum("after their time" in m.reason for m in told) == 1
