"""TAK: events as clients want them, over TCP, TLS and multicast; nothing lost in a burst, or while a server is away."""

import asyncio
import contextlib
import datetime
import socket
import ssl
import struct
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from certificates import certificate
from test_outlets import T0, ZONES, alarm, messages

from opencram.adapters import cot
from opencram.config.live_model import Channel
from opencram.config.site import load_site
from opencram.messages import Impact, ImpactComponent, Message, Track
from opencram.runtime.channels import Outlet
from opencram.runtime.tak import Tak

SITE = load_site(Path(__file__).resolve().parents[2] / "examples" / "mortars" / "site.toml")


def track(number: int = 1, status: str = "confirmed", **more) -> Track:
    return Track(
        t_ns=T0,
        track_id=number,
        status=status,
        position_enu_m=(1000.0, 2000.0, 300.0),
        velocity_enu_m_s=(-100.0, 0.0, -50.0),
        position_m_std=5.0,
        classes=(("rocket", 0.9), ("bird", 0.1)),
        plots=12,
        first_t_ns=T0,
        updated_t_ns=T0,
        **more,
    )


def impact(number: int = 1) -> Impact:
    component = ImpactComponent(
        class_name="rocket",
        probability=1.0,
        east_m=0.0,
        north_m=0.0,
        covariance_m2=(400.0, 0.0, 100.0),
        impact_time_s_std=0.2,
        time_covariance_m_s=(0.0, 0.0),
    )
    return Impact(
        t_ns=T0,
        track_id=number,
        position_enu_m=(0.0, 0.0, 0.0),
        covariance_enu_m2=(400.0, 0.0, 100.0),
        latitude_deg=33.3,
        longitude_deg=44.4,
        impact_t_ns=T0 + 12 * 10**9,
        impact_time_s_std=0.2,
        impact_velocity_enu_m_s=(-90.0, 0.0, -120.0),
        projectile_probability=0.97,
        components=(component,),
        path_enu_m=((0.0, 0.0, 0.0),),
    )


def seconds(event: ET.Element, one: str, two: str) -> float:
    times = [datetime.datetime.fromisoformat(event.attrib[name]) for name in (one, two)]
    return (times[1] - times[0]).total_seconds()


def test_a_track_says_what_it_is_and_how_it_moves() -> None:
    event = ET.fromstring(cot.track_event(track(), (33.3, 44.4, 123.0), "A & B"))
    assert (event.attrib["uid"], event.attrib["type"]) == ("A & B.track.1", "a-h-A-W-M")
    assert seconds(event, "time", "stale") == 5.0
    point, course = event.find("point"), event.find("detail/track")
    assert point is not None
    assert course is not None
    assert (point.attrib["lat"], point.attrib["lon"], point.attrib["ce"]) == ("33.3000000", "44.4000000", "10.0")
    assert (course.attrib["course"], course.attrib["speed"]) == ("270.0", "100.0")
    odd = ET.fromstring(cot.track_event(track(7), (float("nan"), 44.4, float("inf")), "\x00"))
    assert odd.find("point").attrib["lat"] == "0.0000000"


def test_an_impact_has_its_ellipse_and_goes_stale_when_it_has_been() -> None:
    event = ET.fromstring(cot.impact_event(impact(), 30.0, "A"))
    ellipse = event.find("detail/shape/ellipse")
    assert ellipse is not None
    # 95 % of a Gaussian: √5.991 deviations
    assert float(ellipse.attrib["major"]) == pytest.approx(2.448 * 20.0, abs=0.1)
    assert float(ellipse.attrib["minor"]) == pytest.approx(2.448 * 10.0, abs=0.1)
    assert float(ellipse.attrib["angle"]) == pytest.approx(90.0)
    assert seconds(event, "time", "stale") == pytest.approx(12.0 + 0.4 + 5.0)


def test_a_zone_is_drawn_until_it_expires_and_taken_off_when_it_is_over() -> None:
    first, last = messages(3)[0].warning, messages(3)[2].warning
    (event,) = [ET.fromstring(e) for e in cot.zone_events(first, ZONES["z/1"], 30.0, "A")]
    corners = [link.attrib["point"] for link in event.findall("detail/link")]
    assert corners[0] == corners[-1] == "33.3000000,44.4100000"
    assert len(corners) == 4
    assert seconds(event, "time", "stale") == 60.0
    (gone,) = [ET.fromstring(e) for e in cot.zone_events(last, ZONES["z/1"], 30.0, "A")]
    assert gone.attrib["type"] == "t-x-d-d"
    assert gone.find("detail/link").attrib["uid"] == event.attrib["uid"]


class Server:
    """A TAK server that keeps what it hears."""

    def __init__(self) -> None:
        self.text = b""
        self.writers: list[asyncio.StreamWriter] = []

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                self.text += data
        writer.close()

    @property
    def uids(self) -> list[str]:
        documents = self.text.split(b"<?xml version='1.0' encoding='UTF-8'?>\n")[1:]
        return [ET.fromstring(document).attrib["uid"] for document in documents if document.endswith(b"</event>\n")]

    async def heard(self, count: int) -> list[str]:
        async with asyncio.timeout(10.0):
            while len(self.uids) < count:
                await asyncio.sleep(0.02)
        return self.uids


def channel(port: int, **more) -> Channel:
    return Channel(name="tak", kind="tak", address=("127.0.0.1", port), timeout_s=2.0, **more)


async def ended(outlet: Outlet, task: asyncio.Task[None]) -> None:
    await outlet.drain(5.0)
    task.cancel()
    await outlet.close()


def test_a_burst_of_a_thousand_arrives_whole() -> None:
    async def run() -> None:
        server = Server()
        listening = await asyncio.start_server(server.take, "127.0.0.1", 0)
        reports: list[Message] = []
        outlet = Outlet("tak", Tak(channel(listening.sockets[0].getsockname()[1]), ZONES, SITE), reports.append)
        task = asyncio.create_task(outlet.run())
        burst: list[Message] = [track(n) for n in range(500)] + [impact(n) for n in range(500)]
        outlet.show(burst)
        for message in messages(2):
            outlet.put(alarm(message))
        uids = await server.heard(1002)
        assert len(uids) == 1002
        assert {u.split(".")[-1] for u in uids if ".track." in u} == {str(n) for n in range(500)}
        assert outlet.delivered == 2
        await ended(outlet, task)
        listening.close()

    asyncio.run(run())


def test_a_server_that_goes_away_is_called_again_and_misses_no_alarm() -> None:
    async def run() -> None:
        server = Server()
        listening = await asyncio.start_server(server.take, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        reports: list[Message] = []
        outlet = Outlet("tak", Tak(channel(port), ZONES, SITE), reports.append)
        task = asyncio.create_task(outlet.run())
        outlet.put(alarm(messages(1)[0]))
        await server.heard(1)
        listening.close()
        for writer in server.writers:
            writer.close()
        await asyncio.sleep(0.05)
        outlet.put(alarm(messages(2)[1]))
        await asyncio.sleep(0.3)
        again = await asyncio.start_server(server.take, "127.0.0.1", port)
        await server.heard(2)
        await ended(outlet, task)
        again.close()
        assert [getattr(m, "state", "") for m in reports if type(m).__name__ == "Health"] == ["lost", "ok"]

    asyncio.run(run())


def test_tls_with_certificates_on_both_sides(tmp_path: Path) -> None:
    crt, key = certificate(tmp_path)

    async def run() -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(crt))
        context.load_cert_chain(crt, key)
        context.verify_mode = ssl.CERT_REQUIRED
        server = Server()
        listening = await asyncio.start_server(server.take, "127.0.0.1", 0, ssl=context)
        port = listening.sockets[0].getsockname()[1]
        files = {"ca_file": str(crt), "certificate_file": str(crt), "key_file": str(key)}
        outlet = Outlet("tak", Tak(channel(port, tls=True, **files), ZONES, SITE), lambda message: None)
        task = asyncio.create_task(outlet.run())
        outlet.put(alarm(messages(1)[0]))
        await server.heard(1)
        await ended(outlet, task)
        stranger = Tak(channel(port, tls=True), ZONES, SITE)
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            await stranger.send(messages(1)[0])
        await stranger.close()
        listening.close()

    asyncio.run(run())


def test_multicast_sends_a_datagram_an_event() -> None:
    group, port = "239.255.77.1", 46_969
    hearing = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    hearing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    hearing.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    try:
        hearing.bind((group, port))
        hearing.setsockopt(
            socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, struct.pack("4s4s", socket.inet_aton(group), b"\0" * 4)
        )
    except OSError:
        hearing.close()
        pytest.skip("no network on which a group can be joined")
    hearing.settimeout(2.0)

    async def run() -> None:
        sender = Tak(Channel(name="t", kind="tak", address=(group, port), timeout_s=2.0), ZONES, SITE)
        await sender.send(messages(1)[0])
        await sender.close()

    with hearing:
        try:
            asyncio.run(run())
        except OSError as error:
            pytest.skip(f"no network that carries multicast: {error}")
        assert ET.fromstring(hearing.recv(65_536)).attrib["type"] == "u-d-f"
