"""The TAK outlet: tracks, predicted impacts and warned zones as Cursor on Target, over TCP, TLS or multicast.

Alarms go as on every outlet: sent, acknowledged by the connection taking them, retried.  Tracks and impacts stream
beside them from a queue of their own.  Nothing in it is lost while the other side keeps up or is a burst behind;
where it falls further behind than the queue is long, only what a newer event of the same thing replaces is left out.
"""

import asyncio
import contextlib
import socket
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from opencram.adapters import cot
from opencram.adapters.cap import CapMessage, CapZone
from opencram.config.live import is_multicast
from opencram.config.live_model import Channel
from opencram.config.model import Site
from opencram.earth.geodesy import Frame, geodetic_from_enu
from opencram.messages import Impact, Message, Track, Warning
from opencram.runtime.tls import tls_context

QUEUE_MAX: Final = 20_000
PING_S: Final = 10.0
CALL_AGAIN_S: Final = 1.0
_HOPS: Final = 1  # of multicast: this network and no further
_AT_ONCE: Final = 64  # events written before the connection is asked whether it keeps up


class Tak:
    """One TAK server, or one multicast group."""

    def __init__(self, channel: Channel, zones: Mapping[str, CapZone], site: Site) -> None:
        self._channel = channel
        self._zones = zones
        self._site = site.name
        self._height_m = site.ground_height_m
        self._frame = Frame(site.latitude_rad, site.longitude_rad, site.height_m)
        self._queue: deque[tuple[str, bytes]] = deque()
        self._waiting = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None
        self._group: socket.socket | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._connecting = asyncio.Lock()
        self.replaced = 0  # events left out, since newer ones of the same thing stood behind them

    # ---- alarms ----

    async def start(self) -> None:
        """Connect at once, and stream the picture from now on."""
        self._tasks = [asyncio.create_task(self._pump()), asyncio.create_task(self._ping())]
        await self._connected()

    async def send(self, message: CapMessage) -> None:
        """Send what an alarm looks like on the map, and wait until the connection has taken it."""
        warning = message.warning
        for event in cot.zone_events(warning, self._zone(warning), self._height_m, self._site):
            await self._write(event)

    def _zone(self, warning: Warning) -> CapZone:
        own = self._zones.get(warning.zone)
        if own is not None:
            return own
        parts = [self._zones[name] for name in warning.zones if name in self._zones]
        return CapZone(warning.zone, warning.zone, tuple(polygon for part in parts for polygon in part.polygons))

    # ---- tracks and impacts ----

    def show(self, made: Sequence[Message]) -> None:
        """Queue what these messages look like on the map."""
        tracks = [m for m in made if isinstance(m, Track) and m.status != "tentative"]
        flying = [m for m in tracks if m.status != "dropped"]
        if flying:
            places = geodetic_from_enu(self._frame, np.array([m.position_enu_m for m in flying]))
            for track, latitude, longitude, height in zip(flying, *(p.tolist() for p in places), strict=True):
                place = (float(np.degrees(latitude)), float(np.degrees(longitude)), height)
                self._put(f"track {track.track_id}", cot.track_event(track, place, self._site))
        for message in made:
            if isinstance(message, Impact):
                event = cot.impact_event(message, self._height_m, self._site)
                self._put(f"impact {message.track_id}", event)
        for track in tracks:
            if track.status == "dropped":
                for event in cot.track_gone(track, self._site):
                    self._put(f"gone {track.track_id} {len(event)}", event)

    def _put(self, key: str, event: bytes) -> None:
        self._queue.append((key, event))
        if len(self._queue) > QUEUE_MAX:
            newest = dict(self._queue)
            kept = list(newest.items())[-QUEUE_MAX // 2 :]
            self.replaced += len(self._queue) - len(kept)
            self._queue = deque(kept)
        self._waiting.set()

    async def _pump(self) -> None:
        """Write the queue out; what could not be written stays in it."""
        while True:
            await self._waiting.wait()
            self._waiting.clear()
            while self._queue:
                batch = [self._queue.popleft() for _ in range(min(_AT_ONCE, len(self._queue)))]
                try:
                    await self._write(b"".join(event for _, event in batch), [event for _, event in batch])
                except OSError:
                    self._queue.extendleft(reversed(batch))
                    await asyncio.sleep(CALL_AGAIN_S)

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_S)
            with contextlib.suppress(OSError):
                await self._write(cot.hello(self._site, time.time_ns()))

    # ---- the other side ----

    async def _connected(self) -> None:
        async with self._connecting:
            host, port = self._channel.address
            if is_multicast(host):
                if self._group is None:
                    self._group = group_socket(host)
                return
            if self._writer is not None and not self._writer.is_closing():
                return
            context = tls_context(self._channel) if self._channel.tls else None
            async with asyncio.timeout(self._channel.timeout_s):
                reader, self._writer = await asyncio.open_connection(host, port, ssl=context)
            self._tasks = [task for task in self._tasks if not task.done()]
            self._tasks.append(asyncio.create_task(self._listen(reader, self._writer)))

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass over what a server says; its end is the end of the connection."""
        with contextlib.suppress(OSError):
            while await reader.read(65_536):
                pass
        writer.close()

    async def _write(self, data: bytes, events: Sequence[bytes] = ()) -> None:
        try:
            await self._connected()
            if self._group is not None:
                for event in events or (data,):
                    await asyncio.get_running_loop().sock_sendto(self._group, event, self._channel.address)
                return
            assert self._writer is not None
            self._writer.write(data)
            async with asyncio.timeout(self._channel.timeout_s):
                await self._writer.drain()
        except (TimeoutError, ConnectionError) as error:
            if self._writer is not None:
                self._writer.close()
            raise OSError(f"{type(error).__name__}: {error}") from error

    async def close(self) -> None:
        """Send what is left if that goes quickly, and part."""
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1.0):
                while self._queue and (self._writer is not None or self._group is not None):
                    await self._write(self._queue.popleft()[1])
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._writer.wait_closed()
        if self._group is not None:
            self._group.close()


def group_socket(host: str) -> socket.socket:
    """Return a socket that sends to a multicast group, on this network and no further."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    one = socket.socket(family, socket.SOCK_DGRAM)
    one.setblocking(False)
    if family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, _HOPS)
    else:
        one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, _HOPS)
    return one
