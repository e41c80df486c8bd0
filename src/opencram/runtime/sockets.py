"""The sockets of feeds: datagrams, multicast groups, streams that call us and streams that we call.

Each hands over the bytes of its `Feed` as they come, and says when a connection has ended.  Nothing that arrives can
stop a socket.
"""

import asyncio
import contextlib
import ipaddress
import os
import select
import socket
import struct
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from opencram.config.live import is_multicast
from opencram.config.live_model import FeedSource, Live
from opencram.errors import UsageError

if TYPE_CHECKING:  # sockets are bound before anything heavy is loaded, so that plots wait in them
    from opencram.adapters.feeds import Feed, Received

BUFFER_BYTES: Final = 8 * 1024 * 1024  # a second of 10 000 plots waits in the kernel while we are busy
READ_BYTES: Final = 256 * 1024
DATAGRAM_BYTES_MAX: Final = 65_536
DATAGRAMS_MAX: Final = 64  # that are taken at once
_RCVBUF_FORCE: Final = 33  # SO_RCVBUFFORCE, which Python does not name
CALL_AGAIN_S: Final = 1.0
PIPE_S: Final = 0.1

Receive = Callable[["Feed", Sequence[bytes]], "Received"]  # what some bytes led to, and it has been taken
Ended = Callable[["Feed"], None]  # a connection has


def bind_all(live: Live, held: Mapping[str, socket.socket]) -> dict[str, socket.socket]:
    """Return the sockets of all feeds and of the web page; those held already are taken as they are."""
    made = bind_sockets(live.feeds, held)
    if live.http is not None:
        made |= bind_http(live.http, held)
    return made


def bind_sockets(feeds: Sequence[FeedSource], held: Mapping[str, socket.socket]) -> dict[str, socket.socket]:
    """Return the socket of each feed that listens, by what it listens on; those held already are taken as they are.

    What cannot be bound is told at once.
    """
    made: dict[str, socket.socket] = {}
    for source in feeds:
        key = key_of(source)
        if not key:
            continue
        try:
            made[key] = held[key] if key in held else _bound(source)
        except OSError as error:
            for opened in made.keys() - held.keys():
                made[opened].close()
            raise UsageError(f"feed {source.name} cannot listen: {error}; is the address right, and free?") from error
    return made


def bind_http(address: tuple[str, int], held: Mapping[str, socket.socket]) -> dict[str, socket.socket]:
    """Return the socket of the web page, bound now unless it is held already."""
    key = f"http {address[0]}:{address[1]}"
    try:
        return {key: held[key] if key in held else _listening(address)}
    except OSError as error:
        raise UsageError(f"http cannot listen on {address[0]}:{address[1]}: {error}; is it free?") from error


def key_of(source: FeedSource) -> str:
    """Return what a feed listens on, in words; empty if it calls."""
    address = source.udp or source.tcp
    if address is None:
        return ""
    return f"{'udp' if source.udp else 'tcp'} {address[0]}:{address[1]} {source.interface}"


async def open_feed(
    source: FeedSource, feed: "Feed", receive: Receive, ended: Ended, sockets: Mapping[str, socket.socket]
) -> asyncio.Task[None]:
    """Listen on the bound socket of a feed, or call, and return the task that keeps it."""
    if source.udp is not None:
        return asyncio.create_task(_Datagrams(sockets[key_of(source)], feed, receive).hold())
    if source.tcp is not None:
        serve = _Streams(feed, receive, ended)
        server = await asyncio.start_server(serve.accept, sock=sockets[key_of(source)])
        return asyncio.create_task(_serve(server))
    if source.file:
        return asyncio.create_task(_read(source.file, feed, receive, ended))
    assert source.connect is not None
    return asyncio.create_task(_call(source.connect, _Streams(feed, receive, ended)))


class _Datagrams:
    """The datagrams of one feed: what waits is taken together, since a dwell comes as many at once."""

    def __init__(self, one: socket.socket, feed: "Feed", receive: Receive) -> None:
        self._socket = one
        self._feed = feed
        self._receive = receive

    def ready(self) -> None:
        """Take what has come."""
        pieces: list[bytes] = []
        while len(pieces) < DATAGRAMS_MAX:
            try:
                pieces.append(self._socket.recv(DATAGRAM_BYTES_MAX))
            except OSError:  # nothing more waits; or an answer to something that we did not send
                break
        if pieces:
            self._receive(self._feed, pieces)

    async def hold(self) -> None:
        """Listen until cancelled."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket, self.ready)
        try:
            await asyncio.Event().wait()
        finally:
            loop.remove_reader(self._socket)
            self._socket.close()


def _bound(source: FeedSource) -> socket.socket:
    if source.tcp is not None:
        return _listening(source.tcp)
    assert source.udp is not None
    host, port = source.udp
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    one = socket.socket(family, socket.SOCK_DGRAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)  # as much of it as net.core.rmem_max allows
        with contextlib.suppress(OSError):  # root may have it all
            one.setsockopt(socket.SOL_SOCKET, _RCVBUF_FORCE, BUFFER_BYTES)
        one.setblocking(False)
        if not is_multicast(host):
            one.bind((host, port))
            return one
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((host, port))
        group = ipaddress.ip_address(host).packed
        if family == socket.AF_INET6:
            index = socket.if_nametoindex(source.interface) if source.interface else 0
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group + struct.pack("@I", index))
        else:
            interface = socket.inet_aton(source.interface or "0.0.0.0")
            one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + interface)
    except OSError:
        one.close()
        raise
    return one


def _listening(address: tuple[str, int]) -> socket.socket:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    one = socket.create_server(address, family=family, backlog=128)
    one.setblocking(False)
    return one


async def _serve(server: asyncio.Server) -> None:
    async with server:
        await server.serve_forever()


class _Streams:
    """Connections of one feed, one after the other: a second one while the first lasts is refused."""

    def __init__(self, feed: "Feed", receive: Receive, ended: Ended) -> None:
        self._feed = feed
        self._receive = receive
        self._ended = ended
        self._busy = False

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read a connection that somebody opened to us; that the service ends meanwhile is nothing to complain of."""
        with contextlib.suppress(asyncio.CancelledError):  # Python 3.11 would print it as an error of the server
            await self.take(reader, writer)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one connection to its end."""
        if self._busy:
            writer.close()
            return
        self._busy = True
        self._feed.connected()
        try:
            while data := await reader.read(READ_BYTES):
                received = self._receive(self._feed, [data])
                if received.reply:
                    writer.write(received.reply)
                    await writer.drain()
                if received.fatal:
                    break
        except OSError:
            pass  # the silence that follows is told by the feed
        finally:
            self._busy = False
            self._ended(self._feed)
            writer.close()


async def _read(file: str, feed: "Feed", receive: Receive, ended: Ended) -> None:
    """Read standard input, or a named pipe, as bytes come; after its end the silence is told by the feed."""
    descriptor = 0 if file == "-" else os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    loop = asyncio.get_running_loop()
    threads = ThreadPoolExecutor(1, "pipe")
    try:
        while True:
            if not (await loop.run_in_executor(threads, select.select, [descriptor], [], [], PIPE_S))[0]:
                continue
            if data := os.read(descriptor, READ_BYTES):
                receive(feed, [data])
            elif file == "-":
                break
            else:
                await asyncio.sleep(PIPE_S)  # nobody writes to the pipe just now
        ended(feed)
        await asyncio.Event().wait()
    finally:
        threads.shutdown()
        if descriptor:
            os.close(descriptor)


async def _call(address: tuple[str, int], streams: _Streams) -> None:
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection(*address)
            await streams.take(reader, writer)
        await asyncio.sleep(CALL_AGAIN_S)
