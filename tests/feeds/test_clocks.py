"""Clocks that jump by an hour: the sensor's, another's, the machine's own; and what looks like it and is none."""

import json
import math
from collections.abc import Iterable

import pytest

from feed_data import STATIONS, T0, plot
from opencram.adapters.clocks import Clocks
from opencram.adapters.feeds import Feed, FeedConfig
from opencram.adapters.gate import Gate
from opencram.adapters.stations import limits
from opencram.adapters.times import rfc3339
from opencram.messages import Health, Plot, Rejected
from opencram.runtime.steady import SteadyClock

MS, S = 1_000_000, 1_000_000_000
HOUR_NS, DELAY_NS = 3600 * S, 20 * MS
Arrival = tuple[int, Plot]


def scans(sensor: str, begin: int, end: int, clock_ns: int = 0, step_ns: int = 100 * MS) -> list[Arrival]:
    """Two plots a scan: when they come, and what they say, by a clock that is so far ahead."""
    found = []
    for k in range(begin, end):
        t_ns = T0 + k * step_ns
        for two in range(2):
            place = {"range_m": 8000.0 - 20.0 * (k % 300) + two, "snr_db": None, "range_rate_m_s": None}
            found.append((t_ns + DELAY_NS, plot(k, sensor, t_ns + clock_ns, **place)))
    return found


def line(one: Plot) -> bytes:
    """Return a plot as a line of a feed."""
    place = (one.range_m, math.degrees(one.azimuth_rad), math.degrees(one.elevation_rad))
    values = dict(zip(("range_m", "azimuth_deg", "elevation_deg"), place, strict=True))
    return json.dumps({"type": "plot", "time": rfc3339(one.t_ns), "sensor": one.sensor, **values}).encode() + b"\n"


def heard(arrivals: Iterable[Arrival]) -> tuple[list[Plot], list[Rejected], list[str]]:
    """Return the plots, the refusals, and what was said of sensors."""
    gate = Gate(limits(STATIONS), clocks=Clocks())
    feed = Feed(FeedConfig(name="f", format="ndjson", stream=True, sensors=("north", "south")), STATIONS, gate)
    out = []
    for clock_ns, one in sorted(arrivals, key=lambda arrival: arrival[0]):
        out += feed.receive(line(one), clock_ns).messages
    told = [f"{m.part} {m.state}: {m.reason}" for m in out if isinstance(m, Health)]
    return [m for m in out if isinstance(m, Plot)], [m for m in out if isinstance(m, Rejected)], told


@pytest.mark.parametrize("jump_ns", [HOUR_NS, -HOUR_NS, -90 * S, 90 * S])
def test_a_clock_that_jumps_costs_two_scans_and_is_told(jump_ns: int) -> None:
    found, refused, told = heard([*scans("north", 0, 40), *scans("north", 40, 80, jump_ns)])
    assert len(found) + len(refused) == 160
    assert {m.code for m in refused} == {"clock"}
    assert len(refused) <= 5
    late = [one for one in found if one.range_m < 8000.0 - 20.0 * 45]
    for one in late:  # where it would have been by its old clock
        k = round((8000.0 - one.range_m) / 20.0)
        assert abs(one.t_ns - (T0 + k * 100 * MS)) < 20 * MS
    way = "ahead of" if jump_ns > 0 else "behind"
    assert any(f"sensor:north degraded: its clock is {abs(jump_ns) / 1e9:.1f} s {way} ours" in line for line in told)


def test_a_clock_that_comes_back_is_believed_at_once() -> None:
    found, _, told = heard(
        [*scans("north", 0, 40), *scans("north", 40, 80, HOUR_NS), *scans("north", 80, 120)],
    )
    assert sum(one.t_ns >= T0 + 8 * S for one in found) == 80
    assert told[-1] == "sensor:north ok: plots come as they should"


def test_one_wrong_clock_takes_nothing_from_another_radar() -> None:
    """One that jumps, and one that is an hour off from its first word."""
    right = scans("south", 0, 100)
    for wrong in (
        [*scans("north", 0, 40), *scans("north", 40, 100, HOUR_NS)],
        scans("north", 40, 100, HOUR_NS),
        scans("north", 40, 100, -HOUR_NS),
    ):
        found, _, _ = heard([*right, *wrong])
        assert sum(one.sensor == "south" for one in found) == 200
        assert sum(one.sensor == "north" for one in found) >= len(wrong) - 5
        assert max(one.t_ns for one in found) < T0 + 11 * S


def test_a_recording_of_another_day_keeps_its_times() -> None:
    found, refused, _ = heard(scans("north", 0, 40, -30 * 24 * HOUR_NS))
    assert (len(found), refused) == (80, [])
    assert found[0].t_ns == T0 - 30 * 24 * HOUR_NS


def test_a_slow_line_is_no_wrong_clock() -> None:
    """What comes 40 s late is 40 s old: no round may be put where it was then."""
    slow = [(clock_ns + 40 * S, one) for clock_ns, one in scans("north", 0, 40)]
    found, _, _ = heard(slow)
    assert [one.t_ns for one in found] == [one.t_ns for _, one in slow]


def test_a_scan_that_is_repeated_for_ever_never_becomes_new() -> None:
    last = scans("north", 39, 40)
    again = [(clock_ns + k * 100 * MS, one) for k in range(1, 1200) for clock_ns, one in last]
    found, refused, _ = heard([*scans("north", 0, 40), *again, *scans("south", 0, 1200)])
    assert sum(one.sensor == "north" for one in found) == 80
    assert len(refused) == len(again)


def test_the_clock_of_the_service_goes_on_when_that_of_the_machine_is_set() -> None:
    day, even = [1_000 * S], [5 * S]
    clock = SteadyClock(lambda: day[0], lambda: even[0])
    assert clock() == 1_000 * S
    even[0] += S
    day[0] += S + 300 * MS  # a little: nobody need know
    assert (clock(), clock.set_by_ns) == (1_001 * S, 0)
    day[0] += HOUR_NS
    assert (clock(), clock.set_by_ns) == (1_001 * S, HOUR_NS + 300 * MS)
    assert clock.follow() == HOUR_NS + 300 * MS
    assert (clock(), clock.set_by_ns) == (day[0], 0)
