"""The channels by which alarms leave: each a task with a queue of its own, retried until it has the alarm.

A channel that fails is told as `Health` ("channel:NAME"), and tried again after 0.2 s, then twice as long, up
to 5 s, until the alarm has expired.  What becomes of every alarm is a `Delivery`.  No channel waits for another.
"""

import asyncio
import contextlib
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Protocol

from opencram.adapters import mqtt, webhook
from opencram.adapters.cap import CapMessage, CapZone
from opencram.config.live_model import Channel
from opencram.errors import FileError, OpencramError
from opencram.messages import Delivery, Health, Message
from opencram.runtime.core import Alarm, part_of, write_part
from opencram.runtime.tls import tls_context

QUEUE_MAX: Final = 10_000
AT_ONCE: Final = 64  # alarms that an outlet delivers side by side
_SYNCS_AT_ONCE: Final = 8  # files side by side share the syncs of a journal: 30 in 12 ms, 230 one by one
RETRY_S, RETRY_S_MAX = 0.2, 5.0

Report = Callable[[Message], None]


class Sender(Protocol):
    """What a kind of channel knows: `send` returns when the other side has the alarm, and raises OSError if not.

    One that has `prepare` does there what nobody outside can see, beside the log that waits for the disk; it is
    called before each `send` of an outlet.
    """

    async def send(self, message: CapMessage) -> None:
        """Deliver one alarm."""

    async def close(self) -> None:
        """Say goodbye."""


class CapFolder:
    """CAP files in a folder: whole ones only, and the same alarm again is the same file.

    A file waits for the disk beside the log, not after it, and gets its name when the log has the alarm.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._prepared: set[str] = set()
        self._threads = ThreadPoolExecutor(_SYNCS_AT_ONCE, "cap")
        folder.mkdir(parents=True, exist_ok=True)

    async def prepare(self, message: CapMessage) -> None:
        """Put one file on the disk, under a name that nobody looks for."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._write, message)
        self._prepared.add(message.identifier)

    def _write(self, message: CapMessage) -> None:
        write_part(self._folder / message.file_name, lambda file: file.write(message.xml)).chmod(0o644)

    async def send(self, message: CapMessage) -> None:
        """Give one file its name."""
        if message.identifier not in self._prepared:
            await self.prepare(message)
        self._prepared.discard(message.identifier)
        path = self._folder / message.file_name
        part_of(path).replace(path)

    async def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False)


class Webhook:
    """Posts to one address; redirects are not followed, since they would take the alarm elsewhere."""

    def __init__(self, channel: Channel, zones: Mapping[str, CapZone], key: bytes) -> None:
        self._channel = channel
        self._zones = zones
        self._key = key
        # Threads of its own: the other side may keep each of them waiting, and that must hold up nothing else.
        self._threads = ThreadPoolExecutor(AT_ONCE, "webhook")
        context = tls_context(channel) if channel.url.startswith("https:") else None
        handlers: list[Any] = [_NoRedirect(), urllib.request.ProxyHandler({})]
        handlers += [urllib.request.HTTPSHandler(context=context)] if context is not None else []
        self._opener = urllib.request.build_opener(*handlers)

    async def send(self, message: CapMessage) -> None:
        """Post, and wait for the answer."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._post, message)

    def _post(self, message: CapMessage) -> None:
        content = webhook.body(message, self._zones.get(message.warning.zone))
        headers = webhook.headers(message.identifier, content, self._key, int(time.time()))
        request = urllib.request.Request(self._channel.url, data=content, headers=headers, method="POST")
        try:
            with self._opener.open(request, timeout=self._channel.timeout_s) as answer:
                answer.read(1024)
        except ValueError as error:
            raise OSError(str(error)) from error

    async def close(self) -> None:
        """Let the threads go; those that wait for an answer end by their timeout."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none: the answer then counts as an error."""
        return


class Mqtt:
    """One connection to a broker, made anew when it is lost; the last will says that the system is down."""

    def __init__(self, channel: Channel, zones: Mapping[str, CapZone], site: str, password: str) -> None:
        self._channel = channel
        self._zones = zones
        self._site = site
        self._password = password
        self._stack: contextlib.AsyncExitStack | None = None
        self._client: Any = None
        self._connecting = asyncio.Lock()
        self._standing: dict[str, CapMessage] = {}  # the last of each zone: a broker that forgot is told again

    async def send(self, message: CapMessage) -> None:
        """Publish the siren and the state of a zone, and wait for the broker's acknowledgement."""
        from aiomqtt import MqttError

        self._standing[message.warning.zone] = message
        try:
            async with asyncio.timeout(self._channel.timeout_s):
                async with self._connecting:
                    connected = self._client is not None
                    if not connected:
                        await self._connect()  # which tells all that stands, this message too
                if connected:
                    await self._publish(message)
        except (MqttError, TimeoutError, OSError) as error:
            await self.close()
            raise OSError(f"{type(error).__name__}: {error}") from error

    async def start(self) -> None:
        """Connect at once, so that the will stands before the first alarm."""
        from aiomqtt import MqttError

        try:
            async with asyncio.timeout(self._channel.timeout_s), self._connecting:
                if self._client is None:
                    await self._connect()
        except (MqttError, TimeoutError, OSError) as error:
            await self.close()
            raise OSError(f"{type(error).__name__}: {error}") from error

    async def _connect(self) -> None:
        import aiomqtt

        channel = self._channel
        status = mqtt.status_topic(channel.topic)
        client = aiomqtt.Client(
            channel.address[0],
            channel.address[1],
            username=channel.user or None,
            password=self._password or None,
            will=aiomqtt.Will(status, mqtt.OFFLINE, qos=1, retain=True),
            tls_context=tls_context(channel) if channel.tls else None,
            protocol=aiomqtt.ProtocolVersion.V5,
            timeout=channel.timeout_s,
            keepalive=10,
        )
        client.pending_calls_threshold = 4 * AT_ONCE  # a burst is no fault: two topics a zone
        self._stack = contextlib.AsyncExitStack()
        self._client = await self._stack.enter_async_context(client)
        # The alarms first: discovery of a thousand zones must not hold up a siren.
        for message in self._standing.values():
            await self._publish(message)
        await self._client.publish(status, mqtt.ONLINE, qos=1, retain=True)
        for zone in self._zones.values():
            topic, payload = mqtt.discovery(channel.topic, zone, self._site)
            await self._client.publish(topic, payload, qos=0, retain=True)

    async def _publish(self, message: CapMessage) -> None:
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        warning, client = message.warning, self._client
        if client is None:
            raise OSError("the connection was lost while others were sent")
        for topic, payload, expiry_s in mqtt.zone_messages(self._channel.topic, warning, self._zones.get(warning.zone)):
            properties: Any = Properties(PacketTypes.PUBLISH)
            properties.MessageExpiryInterval = expiry_s
            await client.publish(topic, payload, qos=1, retain=True, properties=properties)

    async def close(self) -> None:
        """Say that the system is down, as the last will would, and part."""
        from aiomqtt import MqttError

        stack, self._stack = self._stack, None
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(MqttError, TimeoutError, OSError):
                status = mqtt.status_topic(self._channel.topic)
                async with asyncio.timeout(1.0):
                    await client.publish(status, mqtt.OFFLINE, qos=1, retain=True)
        if stack is not None:
            with contextlib.suppress(MqttError, TimeoutError, OSError):
                await stack.aclose()


def read_secret(path: Path) -> str:
    """Return the secret that a file holds."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"cannot read the secret in {path}: {error}; give a file of one line") from error


_Queued = tuple[Alarm, asyncio.Future[Any] | None]  # an alarm, and when the log has it


class Outlet:
    """One channel: its queue, its task, and what it says of itself."""

    def __init__(self, name: str, sender: Sender, report: Report, clock: Callable[[], int] = time.time_ns) -> None:
        self.name = name
        self.delivered = self.failed = self.given_up = 0
        self.state = "ok"
        self.last_latency_s: float | None = None
        self._sender = sender
        self._report = report
        self._clock = clock
        self._prepare = getattr(sender, "prepare", None)
        self._queue: asyncio.Queue[_Queued] = asyncio.Queue(QUEUE_MAX)
        self._lanes: dict[str, deque[_Queued]] = {}  # by zone: what is being delivered, and waits for it
        self._room = asyncio.Semaphore(AT_ONCE)

    @property
    def waiting(self) -> int:
        """Number of alarms that wait."""
        return self._queue.qsize()

    def put(self, alarm: Alarm, logged: asyncio.Future[Any] | None = None) -> None:
        """Queue an alarm, to be sent when the log has it; of too many the oldest is given up, and that is told."""
        if self._queue.full():
            self._give_up(self._queue.get_nowait()[0], 0, f"{QUEUE_MAX} newer ones wait")
        self._queue.put_nowait((alarm, logged))

    def show(self, made: Sequence[Message]) -> None:
        """Let a channel that shows more than alarms see what the pipeline has made."""
        show = getattr(self._sender, "show", None)
        if show is not None:
            show(made)

    async def run(self) -> None:
        """Deliver until cancelled."""
        start = getattr(self._sender, "start", None)
        if start is not None:
            try:
                await start()
            except OSError as error:
                self._fail(0, str(error))
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._room.acquire()
                queued = await self._queue.get()
                zone = queued[0].message.warning.zone
                if zone in self._lanes:
                    self._lanes[zone].append(queued)
                else:
                    self._lanes[zone] = deque([queued])
                    tasks.create_task(self._deliver_lane(zone))

    async def _deliver_lane(self, zone: str) -> None:
        """Deliver what is told of one zone, in its order; zones do not wait for each other."""
        lane = self._lanes[zone]
        while lane:
            await self._deliver(*lane.popleft())
            self._room.release()
            self._queue.task_done()
        del self._lanes[zone]

    async def drain(self, seconds: float) -> None:
        """Wait until all is delivered, but not longer than this; then part."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._queue.join()

    async def close(self) -> None:
        """Part from the other side."""
        await self._sender.close()

    async def _deliver(self, alarm: Alarm, logged: asyncio.Future[Any] | None) -> None:
        warning = alarm.message.warning
        until_s = time.monotonic() + max((warning.expires_t_ns - warning.t_ns) / 1e9, 1.0)
        attempts, wait_s = 0, RETRY_S
        while True:
            attempts += 1
            try:
                if self._prepare is not None:
                    await self._prepare(alarm.message)
                if logged is not None:
                    await asyncio.shield(logged)
                await self._sender.send(alarm.message)
                break
            except (OSError, OpencramError) as error:
                self._fail(warning.t_ns, str(error))
                if time.monotonic() + wait_s > until_s:
                    self._give_up(alarm, attempts, f"it expired; the last fault was: {error}")
                    return
            await asyncio.sleep(wait_s)
            wait_s = min(2.0 * wait_s, RETRY_S_MAX)
        self.delivered += 1
        self.last_latency_s = (self._clock() - alarm.arrived_ns) / 1e9
        if self.state != "ok":
            self.state = "ok"
            self._report(Health(t_ns=warning.t_ns, part=f"channel:{self.name}", state="ok", reason="it works again"))
        self._tell(alarm, attempts, self.last_latency_s, "sent again after a restart" if alarm.again else "")

    def _fail(self, t_ns: int, reason: str) -> None:
        self.failed += 1
        if self.state == "ok":
            self.state = "lost"
            self._report(Health(t_ns=t_ns, part=f"channel:{self.name}", state="lost", reason=reason))

    def _give_up(self, alarm: Alarm, attempts: int, reason: str) -> None:
        self.given_up += 1
        self._tell(alarm, attempts, -1.0, reason)

    def _tell(self, alarm: Alarm, attempts: int, latency_s: float, reason: str) -> None:
        warning = alarm.message.warning
        self._report(
            Delivery(
                t_ns=warning.t_ns,
                channel=self.name,
                alarm_id=warning.alarm_id,
                zone=warning.zone,
                state=warning.state,
                delivered=latency_s >= 0.0,
                attempts=attempts,
                latency_s=latency_s,
                reason=reason,
            )
        )
