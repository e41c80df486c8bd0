"""Outlets for other systems, which take tracks and no alarms: ASTERIX CAT062 by UDP, and SAPIENT as an edge node.

Each sees all that the pipeline makes, and sends confirmed tracks; a fault is a `Health` message of part
`channel:NAME`, and the service goes on.  Tracks are told again with every dwell: what could not be sent is not kept.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from opencram.adapters.asterix.encode import encode_tracks
from opencram.config.live import is_multicast
from opencram.config.live_model import Channel
from opencram.config.model import Site
from opencram.earth.geodesy import Frame
from opencram.messages import Health, Message, Track
from opencram.runtime.tak import group_socket
from opencram.runtime.tls import tls_context

STATUS_S: Final = 5.0  # SAPIENT's status reports
BURST_S: Final = 0.02  # how often a burst that is due is looked for
CALL_AGAIN_S: Final = 1.0
BEHIND_BYTES_MAX: Final = 4_000_000  # written and not taken by the other side

Report = Callable[[Message], None]


class TrackReport(Protocol):
    """What tells tracks to another system."""

    @property
    def name(self) -> str:
        """Name of the outlet."""

    @property
    def state(self) -> str:
        """Whether it works."""

    def show(self, made: Sequence[Message]) -> None:
        """Take what the pipeline has made."""

    async def run(self) -> None:
        """Send until cancelled."""


class _Told:
    """Says of an outlet that it fails, and that it works again, once each."""

    def __init__(self, name: str, report: Report) -> None:
        self.name = name
        self.state = "ok"
        self._report = report

    def fail(self, t_ns: int, reason: str) -> None:
        if self.state == "ok":
            self.state = "lost"
            self._report(Health(t_ns=t_ns, part=f"channel:{self.name}", state="lost", reason=reason))

    def work(self, t_ns: int) -> None:
        if self.state != "ok":
            self.state = "ok"
            self._report(Health(t_ns=t_ns, part=f"channel:{self.name}", state="ok", reason="it works again"))


class AsterixTracks:
    """Our tracks as ASTERIX CAT062 system tracks, one or more datagrams a dwell, to an address or a group."""

    def __init__(self, channel: Channel, site: Site, report: Report, *, simulated: bool) -> None:
        self._told = _Told(channel.name, report)
        self._channel = channel
        self._simulated = simulated
        self._frame = Frame(site.latitude_rad, site.longitude_rad, site.height_m)
        host = channel.address[0]
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = group_socket(host) if is_multicast(host) else socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    @property
    def name(self) -> str:
        """Name of the outlet."""
        return self._told.name

    @property
    def state(self) -> str:
        """Whether it works."""
        return self._told.state

    def show(self, made: Sequence[Message]) -> None:
        """Send the tracks among these messages."""
        tracks = [m for m in made if type(m) is Track and m.status != "tentative"]
        if not tracks:
            return
        sac, sic = self._channel.sac, self._channel.sic
        try:
            for datagram in encode_tracks(tracks, self._frame, sac=sac, sic=sic, simulated=self._simulated):
                self._socket.sendto(datagram, self._channel.address)
        except OSError as error:
            self._told.fail(tracks[-1].t_ns, f"{type(error).__name__}: {error}")
        else:
            self._told.work(tracks[-1].t_ns)

    async def run(self) -> None:
        """Wait for the end: everything is sent as it is shown."""
        try:
            await asyncio.Event().wait()
        finally:
            self._socket.close()


class SapientEdge:
    """A SAPIENT edge node: registers with a fusion node, tells every five seconds that it lives, reports tracks."""

    def __init__(self, channel: Channel, site: Site, report: Report) -> None:
        from opencram.adapters.sapient.edge import EdgeNode

        self._told = _Told(channel.name, report)
        self._channel = channel
        self._node = EdgeNode(Frame(site.latitude_rad, site.longitude_rad, site.height_m))
        self._newest_ns = 0

    @property
    def name(self) -> str:
        """Name of the outlet."""
        return self._told.name

    @property
    def state(self) -> str:
        """Whether it works."""
        return self._told.state

    def show(self, made: Sequence[Message]) -> None:
        """Remember the tracks and impacts among these messages, for the next burst."""
        self._node.take(made)
        self._newest_ns = max([self._newest_ns, *(m.t_ns for m in made if type(m) is Track)])

    async def run(self) -> None:
        """Call the fusion node, and call it again when it goes away."""
        while True:
            try:
                await self._talk()
            except (OSError, TimeoutError) as error:
                self._told.fail(self._newest_ns, f"{type(error).__name__}: {error}")
            await asyncio.sleep(CALL_AGAIN_S)

    async def _talk(self) -> None:
        host, port = self._channel.address
        context = tls_context(self._channel) if self._channel.tls else None
        async with asyncio.timeout(self._channel.timeout_s):
            reader, writer = await asyncio.open_connection(host, port, ssl=context)
        listening = asyncio.create_task(_pass_over(reader))
        try:
            writer.write(self._node.registration(time.time_ns()))
            self._told.work(self._newest_ns)
            due_s = 0.0
            while not listening.done():
                if time.monotonic() >= due_s:
                    due_s = time.monotonic() + STATUS_S
                    writer.write(self._node.status(time.time_ns()))
                if burst := self._node.burst(self._newest_ns):
                    writer.write(burst)
                if writer.transport.get_write_buffer_size() > BEHIND_BYTES_MAX:
                    raise OSError("the other side does not take what is sent")
                await asyncio.sleep(BURST_S)
            raise OSError("the other side has closed the connection")
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            writer.close()


async def _pass_over(reader: asyncio.StreamReader) -> None:
    """Read what a fusion node answers, to its end: acknowledgements and tasks, none of which changes what we send."""
    with contextlib.suppress(OSError):
        while await reader.read(65_536):
            pass
