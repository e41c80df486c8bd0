"""Channels: retried until they have the alarm, each by itself; webhooks signed; MQTT with a real broker."""

import asyncio
import contextlib
import dataclasses
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from certificates import certificate

from opencram.adapters import mqtt, webhook
from opencram.adapters.cap import CapBook, CapConfig, CapMessage, CapZone
from opencram.adapters.words import load_language
from opencram.config.live_model import Channel
from opencram.messages import Delivery, Health, Message, Warning
from opencram.runtime.channels import CapFolder, Mqtt, Outlet, Webhook
from opencram.runtime.core import Alarm

T0 = 1_767_268_800_000_000_000
ZONES = {"z/1": CapZone("z/1", "Block 1", (((33.3, 44.41), (33.3, 44.416), (33.305, 44.416)),))}
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
OWN_BROKER = Path(__file__).parents[2] / "examples" / "live" / "broker.py"
KEY = b"a key that nobody knows"


def messages(count: int = 1, expires_s: float = 60.0) -> list[CapMessage]:
    book = CapBook(CapConfig(sender="a@b.example", sender_name="A", languages=(load_language("en"),)), ZONES)
    made = []
    for k in range(count):
        told = book.take(
            Warning(
                t_ns=T0 + k * 10**9,
                alarm_id=1,
                zone="z/1",
                state="issued" if k == 0 else "updated" if k < count - 1 else "cancelled",
                probability=0.5,
                impact_t_ns=T0 + 20 * 10**9,
                seconds_left=20.0 - k,
                advice="shelter",
                track_ids=(1,),
                expires_t_ns=T0 + k * 10**9 + round(expires_s * 1e9),
                reason="",
            )
        )
        assert told is not None
        made.append(told)
    return made


def of_zones(count: int) -> list[CapMessage]:
    [first] = messages(1)
    zones = [(f"z{k}", msgspec.structs.replace(first.warning, zone=f"z{k}")) for k in range(count)]
    return [dataclasses.replace(first, identifier=zone, warning=warning) for zone, warning in zones]


def alarm(message: CapMessage) -> Alarm:
    return Alarm(message, time.time_ns())


class Flaky:
    """Fails so many times, then works."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.got: list[str] = []

    async def send(self, message: CapMessage) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("no route")
        self.got.append(message.identifier)

    async def close(self) -> None:
        pass


async def driven(outlets: list[Outlet], alarms: list[Alarm], seconds: float = 5.0) -> None:
    tasks = [asyncio.create_task(outlet.run()) for outlet in outlets]
    for one in alarms:
        for outlet in outlets:
            outlet.put(one)
    await asyncio.gather(*(outlet.drain(seconds) for outlet in outlets))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for outlet in outlets:
        await outlet.close()


def test_a_failing_channel_is_retried_and_told_and_delays_no_other() -> None:
    said: list[Message] = []
    bad, good = Flaky(2), Flaky(0)
    told = messages(3)
    asyncio.run(driven([Outlet("bad", bad, said.append), Outlet("good", good, said.append)], [*map(alarm, told)]))
    assert bad.got == good.got == [m.identifier for m in told]
    deliveries = [m for m in said if isinstance(m, Delivery)]
    assert [d.attempts for d in deliveries if d.channel == "bad"] == [3, 1, 1]
    assert all(d.latency_s < 0.1 for d in deliveries if d.channel == "good")
    assert [h.state for h in said if isinstance(h, Health)] == ["lost", "ok"]
    assert {h.part for h in said if isinstance(h, Health)} == {"channel:bad"}


def test_an_expired_alarm_is_given_up_and_that_is_told() -> None:
    said: list[Message] = []
    [message] = messages(expires_s=0.5)
    asyncio.run(driven([Outlet("dead", Flaky(10**6), said.append)], [alarm(message)]))
    [delivery] = [m for m in said if isinstance(m, Delivery)]
    assert not delivery.delivered
    assert "no route" in delivery.reason


def test_the_same_alarm_again_is_the_same_file(tmp_path: Path) -> None:
    [message] = messages()
    folder = CapFolder(tmp_path / "cap")
    for _ in range(2):
        asyncio.run(folder.send(message))
    [path] = (tmp_path / "cap").iterdir()
    assert path.read_bytes() == message.xml


def test_a_file_has_its_name_only_when_the_log_has_the_alarm(tmp_path: Path) -> None:
    [message] = messages()

    async def run() -> None:
        outlet = Outlet("files", CapFolder(tmp_path), lambda message: None)
        task = asyncio.create_task(outlet.run())
        logged = asyncio.get_running_loop().create_future()
        outlet.put(alarm(message), logged)
        while not list(tmp_path.iterdir()):  # it waits for the disk beside the log …
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        assert not list(tmp_path.glob("*.xml"))  # … and for the log
        logged.set_result(None)
        await outlet.drain(5.0)
        assert [path.name for path in tmp_path.iterdir()] == [message.file_name]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]], list[int]]]:
    """A web server: its address, what it got, and the answers that it will give before 200."""
    got: list[tuple[dict[str, str], bytes]] = []
    answers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((dict(self.headers), body))
            self.send_response(answers.pop(0) if answers else 200)
            self.send_header("Location", "http://127.0.0.1:9/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/alarm", got, answers
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning")
def test_a_webhook_is_signed_retried_and_follows_no_redirect(receiver) -> None:
    url, got, answers = receiver
    answers += [503, 302]
    said: list[Message] = []
    hook = Webhook(Channel(name="hook", kind="webhook", url=url), ZONES, KEY)
    [message] = messages()
    asyncio.run(driven([Outlet("hook", hook, said.append)], [alarm(message)]))
    assert len(got) == 3
    assert [m.attempts for m in said if isinstance(m, Delivery)] == [3]
    assert len({headers["X-Opencram-Id"] for headers, _ in got}) == 1
    headers, body = got[-1]
    sent, signature = headers["X-Opencram-Time"], headers["X-Opencram-Signature"]
    assert webhook.verify(body, KEY, sent, signature, int(sent))
    assert not webhook.verify(body, b"another key", sent, signature, int(sent))
    assert not webhook.verify(body + b" ", KEY, sent, signature, int(sent))
    assert not webhook.verify(body, KEY, sent, signature, int(sent) + 3600)
    assert json.loads(body)["cap"] == message.xml.decode()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


Start = Callable[..., "subprocess.Popen[bytes]"]


@contextlib.contextmanager
def brokers(command: Callable[[int, tuple[str, ...]], list[str]]) -> Iterator[Start]:
    """Start brokers on ports; all are stopped at the end."""
    running: list[subprocess.Popen[bytes]] = []

    def start(port: int, *more: str) -> "subprocess.Popen[bytes]":
        one = subprocess.Popen(command(port, more), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        running.append(one)
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.1):
                return one
            time.sleep(0.02)
        raise AssertionError("the broker does not listen")

    try:
        yield start
    finally:
        for one in running:
            one.kill()
            one.wait()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Start]:
    """Debian's mosquitto, with more lines of configuration or open to this machine."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")

    def command(port: int, more: tuple[str, ...]) -> list[str]:
        config = tmp_path / "broker.conf"
        config.write_text("\n".join([f"listener {port} 127.0.0.1", *(more or ("allow_anonymous true",))]) + "\n")
        assert MOSQUITTO is not None
        return [MOSQUITTO, "-c", str(config)]

    with brokers(command) as start:
        yield start


@pytest.fixture(params=["mosquitto", "that of the demonstration"])
def broker(request: pytest.FixtureRequest) -> Iterator[Start]:
    """Start either broker."""
    if request.param == "mosquitto":
        yield request.getfixturevalue("mosquitto")
        return
    with brokers(lambda port, more: [sys.executable, str(OWN_BROKER), str(port)]) as start:
        yield start


async def retained(port: int, wanted: int) -> dict[str, bytes]:
    import aiomqtt

    found: dict[str, bytes] = {}
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe("#", qos=1)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2.0):
                async for message in client.messages:
                    found[str(message.topic)] = bytes(message.payload or b"")
                    if len(found) >= wanted:
                        break
    return found


def test_mqtt_keeps_the_state_of_each_zone_and_says_when_the_system_is_down(broker) -> None:
    port = free_port()
    broker(port)

    async def scene() -> None:
        said: list[Message] = []
        outlet = Outlet(
            "m", Mqtt(Channel(name="m", kind="mqtt", address=("127.0.0.1", port)), ZONES, "A", ""), said.append
        )
        task = asyncio.create_task(outlet.run())
        told = messages(3)
        for message, siren in zip(told, (b"ON", b"ON", b"OFF"), strict=True):
            outlet.put(alarm(message))
            await outlet.drain(3.0)
            found = await retained(port, 4)
            base = f"opencram/zone/{mqtt.topic_level('z/1')}"
            assert found[f"{base}/siren"] == siren
            assert json.loads(found[f"{base}/state"])["state"] == message.warning.state
            assert found["opencram/status"] == b"online"
        [config] = [json.loads(v) for k, v in found.items() if k.startswith("homeassistant/")]
        assert config["state_topic"] == f"{base}/siren"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await outlet.close()
        assert (await retained(port, 4))["opencram/status"] == b"offline"
        assert all(m.delivered for m in said if isinstance(m, Delivery))

    asyncio.run(scene())


def test_a_broker_that_comes_back_without_memory_is_told_again(broker) -> None:
    port = free_port()

    async def scene() -> None:
        said: list[Message] = []
        outlet = Outlet(
            "m", Mqtt(Channel(name="m", kind="mqtt", address=("127.0.0.1", port)), ZONES, "A", ""), said.append
        )
        task = asyncio.create_task(outlet.run())
        first, second, _ = messages(3)
        outlet.put(alarm(first))
        await asyncio.sleep(0.3)
        assert any(isinstance(m, Health) and m.state == "lost" for m in said)
        one = await asyncio.to_thread(broker, port)
        await outlet.drain(5.0)
        one.kill()
        one.wait()
        await asyncio.to_thread(broker, port)
        outlet.put(alarm(second))
        await outlet.drain(5.0)
        found = await retained(port, 4)
        assert json.loads(found[f"opencram/zone/{mqtt.topic_level('z/1')}/state"])["state"] == "updated"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await outlet.close()
        assert [m.delivered for m in said if isinstance(m, Delivery)] == [True, True]

    asyncio.run(scene())


def test_the_last_will_says_that_the_system_is_down(broker) -> None:
    """A service that is killed, as its broker sees it: the connection ends without a word."""
    port = free_port()
    broker(port)

    async def scene() -> None:
        sender = Mqtt(Channel(name="m", kind="mqtt", address=("127.0.0.1", port)), ZONES, "A", "")
        await sender.start()
        assert (await retained(port, 2))["opencram/status"] == b"online"
        sender._client._client._sock_close()
        for _ in range(50):
            await asyncio.sleep(0.05)
            if (await retained(port, 2))["opencram/status"] == b"offline":
                break
        else:
            raise AssertionError("no last will was told")
        await sender.close()

    asyncio.run(scene())


# paho leaves the socket of a handshake that failed to the collector of garbage.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_mqtt_by_tls_with_a_password_and_with_neither_nothing(mosquitto: Start, tmp_path: Path) -> None:
    assert MOSQUITTO is not None
    passwords = tmp_path / "passwords"
    passwords.touch(mode=0o600)
    tool = shutil.which("mosquitto_passwd")
    assert tool is not None
    subprocess.run([tool, "-b", str(passwords), "siren", "a password"], check=True)
    crt, key = certificate(tmp_path)
    port = free_port()
    lines = [f"certfile {crt}", f"keyfile {key}", "allow_anonymous false", f"password_file {passwords}"]
    mosquitto(port, *(["user root"] if os.getuid() == 0 else []), *lines)
    address = ("127.0.0.1", port)
    usual = Channel(name="m", kind="mqtt", address=address, user="siren", tls=True, ca_file=str(crt))

    async def told(channel: Channel, password: str) -> list[Message]:
        said: list[Message] = []
        outlet = Outlet("m", Mqtt(channel, ZONES, "A", password), said.append)
        task = asyncio.create_task(outlet.run())
        outlet.put(alarm(messages(1)[0]))
        for _ in range(100):
            if said:
                break
            await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await outlet.close()
        return said

    def delivered(said: list[Message]) -> bool:
        return any(isinstance(m, Delivery) and m.delivered for m in said)

    assert delivered(asyncio.run(told(usual, "a password")))
    for wrong, password in (
        (usual, "another"),
        (dataclasses.replace(usual, user=""), ""),
        (dataclasses.replace(usual, tls=False), "a password"),
        (dataclasses.replace(usual, ca_file=""), "a password"),  # a certificate that nobody we know has signed
    ):
        said = asyncio.run(told(wrong, password))
        assert not delivered(said)
        [health] = [m for m in said if isinstance(m, Health)]
        assert health.state == "lost"
        assert "a password" not in health.reason


def test_a_burst_of_zones_goes_side_by_side_and_each_zone_in_its_order() -> None:
    class Slow:
        """Takes 50 ms for each, and remembers the order."""

        def __init__(self) -> None:
            self.done: list[tuple[str, str]] = []

        async def send(self, message: CapMessage) -> None:
            await asyncio.sleep(0.05)
            self.done.append((message.warning.zone, message.warning.state))

        async def close(self) -> None:
            pass

    async def run() -> None:
        sender = Slow()
        outlet = Outlet("o", sender, lambda message: None)
        for message in messages(3):
            for zone in range(20):
                warning = msgspec.structs.replace(message.warning, zone=f"z{zone}")
                outlet.put(alarm(dataclasses.replace(message, warning=warning)))
        task = asyncio.create_task(outlet.run())
        began_s = time.monotonic()
        await outlet.drain(5.0)
        assert time.monotonic() - began_s < 1.0  # one after the other it is three seconds
        for zone in range(20):
            assert [state for name, state in sender.done if name == f"z{zone}"] == ["issued", "updated", "cancelled"]
        task.cancel()

    asyncio.run(run())


def test_an_outlet_that_keeps_all_its_deliveries_waiting_delays_no_other(tmp_path: Path) -> None:
    """A centre that takes connections and never answers, under a burst of as many alarms as go side by side."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        channel = Channel(name="centre", kind="webhook", url=url, timeout_s=1.0)
        burst = [alarm(each) for each in of_zones(64)]

        async def run() -> float:
            said: list[Message] = []
            outlets = [
                Outlet("centre", Webhook(channel, ZONES, b""), lambda message: None),
                Outlet("files", CapFolder(tmp_path), said.append),
            ]
            tasks = [asyncio.create_task(outlet.run()) for outlet in outlets]
            for each in burst:
                outlets[0].put(each)
            await asyncio.sleep(0.1)
            for each in burst:
                outlets[1].put(dataclasses.replace(each, arrived_ns=time.time_ns()))
            await outlets[1].drain(5.0)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(*(outlet.close() for outlet in outlets))
            return max(message.latency_s for message in said if isinstance(message, Delivery))

        assert asyncio.run(run()) < 0.7  # less than the other's first timeout


def test_one_zone_that_fails_holds_up_no_other() -> None:
    class Fails:
        """Has no way to one zone."""

        def __init__(self) -> None:
            self.done: list[str] = []

        async def send(self, message: CapMessage) -> None:
            if message.warning.zone == "z0":
                raise OSError("no way there")
            self.done.append(message.warning.zone)

        async def close(self) -> None:
            pass

    async def run() -> None:
        sender = Fails()
        outlet = Outlet("o", sender, lambda message: None)
        task = asyncio.create_task(outlet.run())
        [first] = messages(1)
        for zone in range(5):
            outlet.put(
                alarm(dataclasses.replace(first, warning=msgspec.structs.replace(first.warning, zone=f"z{zone}")))
            )
            await asyncio.sleep(0.01)
        assert sender.done == ["z1", "z2", "z3", "z4"]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
