"""Plots through CAT015 and CAT048 and back: within a step of the wire, with honest deviations, dates, refusals."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feed_data import STATIONS, T0, gate, plot, plots, station
from opencram.adapters.asterix.clock import TICK_NS, t_ns_near, ticks_of
from opencram.adapters.asterix.encode import encode_plots, encode_service, encode_tracks, packed
from opencram.adapters.asterix.height import elevation_of, height_of
from opencram.adapters.asterix.reader import AsterixReader
from opencram.adapters.asterix.record import decode_blocks
from opencram.adapters.times import DAY_NS, day_ns
from opencram.earth.geodesy import Frame
from opencram.messages import Health, Plot, Rejected, Track

NM = 1852.0


def read(blocks, *, simulated=True, reference=T0, stations=STATIONS):
    doorway = gate()
    reader = AsterixReader(stations, doorway, simulated=simulated)
    out = [message for block in blocks for message in reader.take(block, reference)]
    doorway.finish(out)
    return out, reader


@pytest.mark.parametrize(
    ("category", "range_m", "elevation_rad", "rate"), [(15, 0.051, 2.4e-5, 0.006), (48, NM / 512 + 1e-6, 2e-3, 0.51)]
)
def test_plots_come_back_within_half_a_step(category, range_m, elevation_rad, rate):
    sent = plots()
    found, _ = read(encode_plots(sent, STATIONS, category=category))
    assert len(found) == len(sent)
    for a, b in zip(sent, found, strict=True):
        assert abs(a.t_ns - b.t_ns) <= TICK_NS / 2
        assert abs(a.range_m - b.range_m) <= range_m
        assert abs(math.remainder(a.azimuth_rad - b.azimuth_rad, 2.0 * math.pi)) <= 4.8e-5
        assert abs(a.elevation_rad - b.elevation_rad) <= elevation_rad
        assert (a.range_rate_m_s is None) == (b.range_rate_m_s is None)
        if a.range_rate_m_s is not None:
            assert abs(a.range_rate_m_s - b.range_rate_m_s) <= rate
        assert b.snr_db == (a.snr_db if category == 15 else None)


def test_quantisation_is_in_the_deviations_and_they_are_honest():
    """The errors that CAT048 adds, in units of the deviations that it adds, have a mean square near 1."""
    sent = [
        plot(k, range_m=3000.0 + 7.31 * k, elevation_rad=0.2 + 0.0031 * (k % 300), t_ns=T0 + k * 10**8)
        for k in range(600)
    ]
    found, _ = read(encode_plots(sent, STATIONS, category=48))
    bare = [p for p in found if isinstance(p, Plot)]
    z_range, z_elevation = [], []
    for a, b in zip(sent, bare, strict=True):
        # The deviation of the sensor and of the time are in it too: take them out again.
        time_m = TICK_NS * 1e-9 / math.sqrt(12.0) * 300.0
        added_m2 = b.range_m_std**2 - 10.0**2 - time_m**2
        ground_m = b.range_m * math.cos(b.elevation_rad)
        added_rad2 = b.elevation_rad_std**2 - 1.5e-3**2 - (time_m / ground_m) ** 2
        z_range.append((a.range_m - b.range_m) / math.sqrt(added_m2))
        z_elevation.append((a.elevation_rad - b.elevation_rad) / math.sqrt(added_rad2))
    assert np.mean(np.square(z_range)) == pytest.approx(1.0, abs=0.15)
    assert np.mean(np.square(z_elevation)) == pytest.approx(1.0, abs=0.15)


def test_deviations_of_the_record_go_before_those_of_the_site():
    [found], _ = read(encode_plots([plot(3, range_m_std=25.0, azimuth_rad_std=4e-3)], STATIONS))
    assert found.range_m_std == pytest.approx(25.0, rel=1e-2)
    assert found.azimuth_rad_std == pytest.approx(4e-3, rel=1e-2)
    assert found.elevation_rad_std == pytest.approx(1.5e-3, rel=1e-2)


@settings(max_examples=200, deadline=None)
@given(
    latitude=st.floats(-1.5, 1.5),
    range_m=st.floats(50.0, 200_000.0),
    azimuth=st.floats(0.0, 6.28),
    elevation=st.floats(-0.05, math.radians(85.0)),
)
def test_elevation_from_height_is_the_inverse_of_height(latitude, range_m, azimuth, elevation):
    frame = Frame(latitude, 0.7, 120.0)
    place = [np.array([x]) for x in (range_m, azimuth, elevation)]
    height = height_of(frame, *place)
    found = elevation_of(frame, place[0], place[1], height)
    assert height_of(frame, place[0], place[1], found) == pytest.approx(height, abs=1e-3)


def test_a_height_that_the_range_forbids_is_refused():
    record = {"010": {"SAC": 0, "SIC": 1}, "140": ticks_of(T0), "040": {"RHO": 100, "THETA": 0}, "110": {"3DH": 2000}}
    [found], _ = read(packed(48, [record]))
    assert isinstance(found, Rejected)
    assert found.code == "range"


def test_the_geoid_counts():
    """A radar that knows nothing of the geoid sees the same height under another angle."""
    blocks = encode_plots([plot(0, range_m=5000.0)], STATIONS, category=48)
    flat = [station("north", geoid_m=0.0), *STATIONS[1:]]
    [with_geoid], _ = read(blocks)
    [without], _ = read(blocks, stations=flat)
    lower = (with_geoid.elevation_rad - without.elevation_rad) * 5000.0 * math.cos(with_geoid.elevation_rad)
    assert lower == pytest.approx(8.0, abs=0.1)


def test_time_gets_its_day_on_both_sides_of_midnight():
    midnight = day_ns("2026-03-01")
    times = np.array([midnight - 10**9, midnight, midnight + 2 * 10**9, midnight - 3 * 10**9])
    ticks = np.array([ticks_of(int(t)) for t in times])
    for reference in (midnight - 10**9, midnight + 10**9, midnight + 11 * 3600 * 10**9):
        assert t_ns_near(ticks, reference).tolist() == times.tolist()
    assert ticks_of(midnight - 1) == 0


def test_a_file_across_midnight_goes_on():
    midnight = day_ns("2026-03-01")
    sent = [plot(k, t_ns=midnight + (k - 30) * 100_000_000) for k in range(60)]
    doorway = gate()
    reader = AsterixReader(STATIONS, doorway, day_ns=midnight - DAY_NS)
    out = []
    for block in encode_plots(sent, STATIONS):
        out += reader.feed(block)
    doorway.finish(out)
    assert len(out) == 60
    assert max(abs(a.t_ns - b.t_ns) for a, b in zip(sent, out, strict=True)) <= TICK_NS / 2


def test_one_wrong_time_of_day_turns_no_calendar():
    sent = plots(40)
    blocks = encode_plots(sent, STATIONS)
    wrong = packed(15, [{"010": {"SAC": 0, "SIC": 1}, "145": 5, "625": {"R": 9}, "627": {"AZ": 5}, "628": {"EL": 9}}])
    found, _ = read([*blocks[:20], *wrong, *blocks[20:]], reference=None)
    good = [p for p in found if isinstance(p, Plot)]
    assert len(good) == 40
    assert all(b.t_ns > a.t_ns for a, b in pairwise(good))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"145": None}, "time"),
        ({"145": 11_059_200 + 5}, "time"),
        ({"000": {"MT": 5, "RG": 1}}, "not_plot"),
        ({"628": None}, "no_position"),
        ({"010": {"SAC": 9, "SIC": 9}}, "unknown_sensor"),
        ({"010": None}, "unknown_sensor"),
        ({"020": {"MOMU": 0, "TTAX": 1, "SCD": 0}}, "test_target"),
        ({"020": {"MOMU": 0, "TTAX": 3, "SCD": 0}}, "simulated"),
        ({"020": {"MOMU": 1, "TTAX": 0, "SCD": 0}}, "multistatic"),
        ({"625": {"R": -50}}, "range"),
    ],
)
def test_every_record_that_is_no_plot_has_its_reason(changes, code):
    [(_, [record])] = decode_blocks(encode_plots([plot(0)], STATIONS)[0])
    record = {name: value for name, value in {**record, **changes}.items() if value is not None}
    [found], _ = read(packed(15, [record]), simulated=False)
    assert isinstance(found, Rejected)
    assert found.code == code


def test_a_live_site_takes_no_simulated_targets_unless_told():
    for category in (15, 48):
        blocks = encode_plots(plots(6), STATIONS, category=category, simulated=True)
        refused, _ = read(blocks, simulated=False)
        assert [m.code for m in refused] == ["simulated"] * 6
        taken, _ = read(blocks, simulated=True)
        assert all(isinstance(m, Plot) for m in taken)


def test_a_radar_that_counts_doppler_the_other_way():
    turned = [station("north", doppler_sign=-1, geoid_m=8.0), *STATIONS[1:]]
    for category in (15, 48):
        blocks = encode_plots([plot(1)], turned, category=category)
        [found], _ = read(blocks, stations=turned)
        assert found.range_rate_m_s == pytest.approx(-213.7, abs=0.6)
        [wrong], _ = read(blocks)
        assert wrong.range_rate_m_s == pytest.approx(213.7, abs=0.6)


def test_signs_of_life_and_faults_of_a_radar():
    one = STATIONS[0]
    alive = encode_service(one, T0)
    found, reader = read([alive])
    assert found == []
    assert reader.service.heard_t_ns == {"north": T0}
    assert reader.service.rotation_s["north"] == pytest.approx(0.1, abs=0.01)

    [(_, [record])] = decode_blocks(alive)
    ill = packed(34, [{**record, "050": {"COM": {"NOGO": 1, "TSV": 1}}}])[0]
    moved = packed(34, [{**record, "120": {**record["120"], "LAT": record["120"]["LAT"] + 100}}])[0]
    found, _ = read([alive, ill, ill, alive, moved])
    assert [(m.part, m.state) for m in found] == [
        ("sensor:north/status", "degraded"),
        ("sensor:north/status", "ok"),
        ("sensor:north/status", "degraded"),
    ]
    assert "NOGO" in found[0].reason
    assert "time source" in found[0].reason
    assert "stands 238 m from" in found[2].reason
    assert all(isinstance(m, Health) for m in found)


def test_tracks_leave_as_category_062():
    track = Track(
        t_ns=T0, track_id=70_001, status="coasting", position_enu_m=(1000.0, -2000.0, 500.0),
        velocity_enu_m_s=(100.25, -50.5, -30.0), position_m_std=9.0, classes=(("rocket", 1.0),), plots=40,
        first_t_ns=T0 - 10**10, updated_t_ns=T0 - 10**9,
    )  # fmt: skip
    site = Frame(math.radians(33.3), math.radians(44.4), 35.0)
    [block] = encode_tracks([track], site, simulated=True)
    [(number, [record])] = decode_blocks(block)
    assert number == 62
    assert record["070"] == ticks_of(T0)
    assert record["100"] == {"X": 2000, "Y": -4000}
    assert record["185"] == {"VX": 401, "VY": -202}
    assert record["040"] == 70_001 & 0xFFFF
    assert record["080"]["CST"] == record["080"]["SIM"] == 1
    assert record["080"]["TSE"] == record["080"]["CNF"] == 0
    assert record["290"] == {"TRK": 40, "PSR": 4}
    assert record["105"]["LAT"] * 180.0 / 2**25 == pytest.approx(33.3 - 2000.0 / 110_900.0, abs=1e-3)
    assert record["130"] * 6.25 * 0.3048 == pytest.approx(535.4, abs=1.0)
    found, reader = read([block])
    assert [m.code for m in found] == ["not_plot"]
    assert reader.counts["062"] == 1


def test_blocks_fit_a_datagram_and_hold_one_dwell_each():
    dwell = [plot(k, t_ns=T0, azimuth_rad=0.01 * k) for k in range(300)]
    blocks = encode_plots([*dwell, plot(1)], STATIONS)
    assert max(map(len, blocks)) <= 1400
    found, _ = read(blocks)
    assert len(found) == 301


def test_a_target_overhead_is_not_lost_to_rounding():
    overhead = [plot(k, range_m=1500.0 + 3.3 * k, elevation_rad=math.radians(89.9)) for k in range(50)]
    found, _ = read(encode_plots(overhead, STATIONS, category=48))
    assert [type(m) for m in found] == [Plot] * 50
    assert all(m.elevation_rad > math.radians(82.0) for m in found)
