"""SAPIENT both ways: framing, registration, status, detections in every form, and our tracks with their impacts."""

import math
import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feed_data import STATIONS, T0, gate, plot, plots, station
from opencram.adapters.sapient import edge, schema
from opencram.adapters.sapient.framing import FRAME_BYTES_MAX, Deframer, framed
from opencram.adapters.sapient.fusion import FusionNode
from opencram.adapters.sapient.identifiers import ulid
from opencram.adapters.sapient.places import geodetic_from_utm
from opencram.earth.geodesy import Frame, ecef_from_enu, geodetic_from_ecef
from opencram.messages import Health, Impact, ImpactComponent, Plot, Rejected, Track

NORTH = STATIONS[0]
SITE = Frame(math.radians(33.3), math.radians(44.4), 35.0)


def parsed(frames):
    return [schema.message_class().FromString(frame) for frame in Deframer().feed(frames)]


def receive(data, stations=STATIONS):
    doorway = gate()
    node = FusionNode(stations, doorway)
    received = node.receive(data)
    out = [*received.messages, *node.finish()]
    doorway.finish(out)
    return out, received, node


def detection(**changes):
    """A frame of one detection with its range-bearing changed; None takes a field away."""
    [message] = parsed(edge.encode_plots([plot(0)], STATIONS)[0])
    for name, value in changes.items():
        place = message.detection_report.range_bearing
        place.ClearField(name) if value is None else setattr(place, name, value)
    return message


def sent(message):
    return framed(message.SerializeToString())


def located(position, system, datum=schema.WGS84_E, zone=""):
    message = detection()
    report = message.detection_report
    report.ClearField("range_bearing")
    report.location.x, report.location.y, report.location.z = position
    report.location.coordinate_system, report.location.datum = system, datum
    report.location.utm_zone = zone
    return sent(message)


def test_plots_come_back_exactly():
    given_plots = plots()
    found, _, _ = receive(b"".join(edge.encode_plots(given_plots, STATIONS)))
    assert len(found) == len(given_plots)
    for a, b in zip(given_plots, found, strict=True):
        assert (a.t_ns, a.sensor, a.range_m, a.range_rate_m_s, a.snr_db) == (
            b.t_ns, b.sensor, b.range_m, b.range_rate_m_s, b.snr_db,
        )  # fmt: skip
        assert b.azimuth_rad == pytest.approx(a.azimuth_rad, abs=1e-14)
        assert b.elevation_rad == pytest.approx(a.elevation_rad, abs=1e-14)
        assert b.range_m_std == 10.0
        assert b.azimuth_rad_std == pytest.approx(1.5e-3)


def test_what_we_send_has_all_that_the_standard_demands():
    node = edge.EdgeNode(SITE)
    node.take([track(), impact()])
    frames = [
        *edge.encode_plots(plots(2), STATIONS),
        edge.encode_registration(NORTH, T0),
        edge.encode_status(NORTH, T0),
        node.registration(T0),
        node.status(T0),
        node.burst(T0),
    ]
    for frame in frames:
        for message in parsed(frame):
            assert schema.missing(message) == []
    assert schema.missing(schema.message_class()()) == ["timestamp", "node_id", "content"]


def test_the_same_data_gives_the_same_bytes():
    assert edge.encode_plots(plots(), STATIONS) == edge.encode_plots(plots(), STATIONS)
    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{26}", ulid(T0, "a", 1))
    assert ulid(T0, "a") != ulid(T0, "b")
    assert ulid(T0, "a") < ulid(T0 + 10**9, "a")


def test_a_burst_is_a_dwell_and_bursts_keep_their_distance():
    fast = [plot(k, t_ns=T0 + (k // 3) * 50_000_000, azimuth_rad=0.01 * k) for k in range(30)]
    bursts = edge.encode_plots(fast, STATIONS)
    times = [[m.timestamp.seconds * 10**9 + m.timestamp.nanos for m in parsed(burst)] for burst in bursts]
    assert [len(burst) for burst in times] == [6] * 5
    assert min(b[0] - a[0] for a, b in pairwise(times)) >= edge.BURST_NS


@pytest.mark.parametrize("size", [1, 3, 5, 1000])
def test_a_stream_may_be_cut_anywhere(size):
    stream = b"".join(edge.encode_plots(plots(20), STATIONS))
    doorway = gate()
    node = FusionNode(STATIONS, doorway)
    found = [m for k in range(0, len(stream), size) for m in node.receive(stream[k : k + size]).messages]
    doorway.finish(found)
    assert [p.t_ns for p in found] == [p.t_ns for p in plots(20)]


def test_the_other_byte_order_is_understood():
    messages = parsed(b"".join(edge.encode_plots(plots(5), STATIONS)))
    stream = b"".join(len(d).to_bytes(4, "big") + d for d in (m.SerializeToString() for m in messages))
    found, _, _ = receive(stream)
    assert len(found) == 5


def test_an_absurd_length_ends_the_connection():
    [before] = edge.encode_plots([plot(0)], STATIONS)
    found, received, _ = receive(before + b"\x7f\x7f\x7f\x7f" + before)
    assert received.fatal
    assert sorted(type(m).__name__ for m in found) == ["Plot", "Rejected"]
    assert [m.code for m in found if isinstance(m, Rejected)] == ["not_sapient"]
    assert FRAME_BYTES_MAX < 0x7F7F7F7F


def test_a_message_cut_by_the_end_of_the_connection_is_told():
    found, _, _ = receive(edge.encode_plots([plot(0)], STATIONS)[0][:-3])
    assert [m.code for m in found] == ["truncated"]


def test_registration_is_answered():
    frame = edge.encode_registration(NORTH, T0)
    _, received, _ = receive(frame)
    [answer] = parsed(received.reply)
    assert answer.registration_ack.acceptance
    assert answer.destination_id == NORTH.node_id
    assert schema.missing(answer) == []

    stranger = edge.encode_registration(station("stranger", node_id="b5546692-a0cc-4846-a36c-4b7098eae08e"), T0)
    found, received, _ = receive(stranger)
    [answer] = parsed(received.reply)
    assert not answer.registration_ack.acceptance
    assert "no sensor with the node id b5546692" in answer.registration_ack.ack_response_reason[0]
    assert [m.code for m in found] == ["registration"]


def test_status_becomes_health():
    states = [schema.SYSTEM_OK, schema.SYSTEM_ERROR, schema.SYSTEM_ERROR, schema.SYSTEM_OK, schema.SYSTEM_GOODBYE]
    frames = [edge.encode_status(NORTH, T0 + k * 10**9, system=state) for k, state in enumerate(states)]
    found, _, node = receive(b"".join(frames))
    assert [(m.part, m.state) for m in found] == [
        ("sensor:north/status", "degraded"), ("sensor:north/status", "ok"), ("sensor:north/status", "lost"),
    ]  # fmt: skip
    assert all(isinstance(m, Health) for m in found)
    assert node.heard_t_ns == {"north": T0 + 4 * 10**9}


def test_a_sensor_that_says_it_stands_elsewhere():
    moved = station("north", latitude_rad=NORTH.latitude_rad + 1e-4, node_id=NORTH.node_id)
    found, _, _ = receive(edge.encode_status(moved, T0))
    assert [m.state for m in found] == ["degraded"]
    assert "elsewhere" in found[0].reason


@pytest.mark.parametrize(
    ("system", "angle", "length"),
    [(1, 180.0 / math.pi, 1.0), (2, 1.0, 1.0), (3, 180.0 / math.pi, 1e-3), (4, 1.0, 1e-3)],
)
def test_every_unit_of_range_bearing(system, angle, length):
    told = {"range": 8000.0 * length, "azimuth": 1.0 * angle, "elevation": 0.3 * angle, "coordinate_system": system}
    told |= {"range_error": 20.0 * length, "azimuth_error": 2e-3 * angle, "elevation_error": None}
    [found], _, _ = receive(sent(detection(**told)))
    assert found.range_m == pytest.approx(8000.0)
    assert found.azimuth_rad == pytest.approx(1.0)
    assert found.elevation_rad == pytest.approx(0.3)
    assert found.range_m_std == pytest.approx(20.0)
    assert found.azimuth_rad_std == pytest.approx(2e-3)
    assert found.elevation_rad_std is None


@pytest.mark.parametrize("form", ["degrees", "radians", "geoid", "utm"])
def test_every_form_of_location(form):
    enu = (5000.0, -3000.0, 2000.0)
    latitude, longitude, height = (float(x) for x in geodetic_from_ecef(ecef_from_enu(NORTH.frame, enu)))
    if form == "utm":
        easting, northing = utm(latitude, longitude, 38)
        frame = located((easting, northing, height), schema.UTM_M, zone="38N")
    elif form == "radians":
        frame = located((longitude, latitude, height), schema.LAT_LNG_RAD_M)
    else:
        datum, above = (schema.WGS84_G, height - NORTH.geoid_m) if form == "geoid" else (schema.WGS84_E, height)
        frame = located((math.degrees(longitude), math.degrees(latitude), above), schema.LAT_LNG_DEG_M, datum)
    [found], _, _ = receive(frame)
    assert found.range_m == pytest.approx(math.sqrt(5000**2 + 3000**2 + 2000**2), abs=0.01)
    assert found.azimuth_rad == pytest.approx(math.atan2(5000, -3000), abs=2e-6)
    assert found.elevation_rad == pytest.approx(math.atan2(2000, math.hypot(5000, 3000)), abs=2e-6)


def utm(latitude: float, longitude: float, zone: int) -> tuple[float, float]:
    """Easting and northing by Redfearn's series (1948): another way than that of the code under test."""
    a, f, k0 = 6_378_137.0, 1 / 298.257223563, 0.9996
    e2 = f * (2 - f)
    ep2 = e2 / (1 - e2)
    n = a / math.sqrt(1 - e2 * math.sin(latitude) ** 2)
    t, c = math.tan(latitude) ** 2, ep2 * math.cos(latitude) ** 2
    arc = (longitude - math.radians(6 * zone - 183)) * math.cos(latitude)
    m = a * (
        (1 - e2 / 4 - 3 * e2**2 / 64 - 5 * e2**3 / 256) * latitude
        - (3 * e2 / 8 + 3 * e2**2 / 32 + 45 * e2**3 / 1024) * math.sin(2 * latitude)
        + (15 * e2**2 / 256 + 45 * e2**3 / 1024) * math.sin(4 * latitude)
        - (35 * e2**3 / 3072) * math.sin(6 * latitude)
    )
    east = arc + (1 - t + c) * arc**3 / 6 + (5 - 18 * t + t**2 + 72 * c - 58 * ep2) * arc**5 / 120
    north = arc**2 / 2 + (5 - t + 9 * c + 4 * c**2) * arc**4 / 24
    north += (61 - 58 * t + t**2 + 600 * c - 330 * ep2) * arc**6 / 720
    return k0 * n * east + 500_000.0, k0 * (m + n * math.tan(latitude) * north)


@settings(max_examples=100, deadline=None)
@given(latitude=st.floats(-1.3, 1.3), offset=st.floats(-0.05, 0.05), zone=st.integers(1, 60))
def test_utm_is_the_inverse_of_redfearn(latitude, offset, zone):
    longitude = math.radians(6 * zone - 183) + offset
    easting, northing = utm(latitude, longitude, zone)
    found = geodetic_from_utm(easting, northing + (1e7 if latitude < 0 else 0), zone, north=latitude >= 0)
    assert found[0] == pytest.approx(latitude, abs=2e-9)  # Redfearn's own error at the zone's edge is a centimetre
    assert found[1] == pytest.approx(longitude, abs=5e-9)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"elevation": None}, "no_position"),
        ({"coordinate_system": 0}, "units"),
        ({"datum": 2}, "datum"),
        ({"range": math.nan}, "nan"),
        ({"range": -1.0}, "range"),
    ],
)
def test_a_detection_that_is_no_plot_has_its_reason(changes, code):
    [found], _, _ = receive(sent(detection(**changes)))
    assert isinstance(found, Rejected)
    assert found.code == code


def test_units_may_come_from_the_registration():
    found, _, _ = receive(edge.encode_registration(NORTH, T0) + sent(detection(coordinate_system=0)))
    assert [type(m) for m in found] == [Plot]


def test_other_messages_are_answered_or_counted():
    task = schema.message_class()()
    task.timestamp.seconds, task.node_id, task.task.task_id = 1, NORTH.node_id, ulid(T0, "t")
    alert = schema.message_class()()
    alert.timestamp.seconds, alert.node_id, alert.alert.alert_id = 1, NORTH.node_id, ulid(T0, "a")
    _, received, node = receive(sent(task) + sent(alert) + framed(b"\xff\xff"))
    kinds = [m.WhichOneof("content") for m in parsed(received.reply)]
    assert kinds == ["task_ack", "alert_ack"]
    assert node.counts["malformed"] == 1


def track(t_ns=T0, status="confirmed"):
    return Track(
        t_ns=t_ns, track_id=7, status=status, position_enu_m=(1000.0, 2000.0, 700.0),
        velocity_enu_m_s=(-100.0, -150.0, 20.0), position_m_std=8.0, classes=(("rocket", 0.8), ("aircraft", 0.2)),
        plots=12, first_t_ns=T0 - 2 * 10**9, updated_t_ns=t_ns,
    )  # fmt: skip


def impact():
    part = ImpactComponent(
        class_name="rocket", probability=1.0, east_m=100.0, north_m=200.0, covariance_m2=(1.0, 0.0, 1.0),
        impact_time_s_std=0.2, time_covariance_m_s=(0.0, 0.0),
    )  # fmt: skip
    return Impact(
        t_ns=T0, track_id=7, position_enu_m=(100.0, 200.0, 0.0), covariance_enu_m2=(400.0, 0.0, 400.0),
        latitude_deg=33.3018, longitude_deg=44.40107, impact_t_ns=T0 + 12_500_000_000, impact_time_s_std=0.2,
        impact_velocity_enu_m_s=(0.0, 0.0, -200.0), projectile_probability=0.8, components=(part,), path_enu_m=(),
    )  # fmt: skip


def test_our_tracks_leave_with_where_they_will_come_down():
    node = edge.EdgeNode(SITE)
    node.take([track(), impact()])
    [message] = parsed(node.burst(T0 + 100_000_000))
    report = message.detection_report
    assert report.detection_confidence == pytest.approx(0.8)
    assert report.prediction_location.location.y == pytest.approx(33.3018)
    assert report.prediction_location.predicted_timestamp.seconds == T0 // 10**9 + 12
    assert {c.type: round(c.confidence, 6) for c in report.classification} == {"Projectile": 0.8, "Air Vehicle": 0.2}
    assert report.enu_velocity.north_rate == -150.0
    # Carried on by a tenth of a second to the time of the burst.
    assert report.location.y == pytest.approx(33.3 + math.degrees(1985.0 / 6_359_000.0), abs=2e-5)


def test_bursts_keep_80_ms_and_the_newest_of_each_track():
    node = edge.EdgeNode(SITE)
    node.take([track()])
    [first] = parsed(node.burst(T0))
    node.take([track(T0 + 20_000_000), track(T0 + 40_000_000, "dropped")])
    assert node.burst(T0 + 79_000_000) == b""
    [second] = parsed(node.burst(T0 + 80_000_000))
    assert second.detection_report.state == "lost"
    assert second.detection_report.object_id == first.detection_report.object_id
    assert node.burst(T0 + 300_000_000) == b""


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=300), wrap=st.booleans())
def test_noise_never_raises(data, wrap):
    found, received, _ = receive(framed(data) if wrap else data)
    assert all(isinstance(m, Plot | Rejected | Health) for m in found)
    assert isinstance(received.reply, bytes)
