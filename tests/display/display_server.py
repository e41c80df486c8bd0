"""A display server in a thread, over a recording in memory or over a live run that tests drive by hand."""

import dataclasses
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import display_raid as raid
import uvicorn

from opencram.config.model import BaseMap
from opencram.display.access import Person
from opencram.display.basemap import open_basemap
from opencram.display.frames import Encoder
from opencram.display.plan import plan
from opencram.display.server import Hub, application
from opencram.display.session import Shared
from opencram.display.timeline import Timeline
from opencram.messages import Message, Operator

Action = tuple[str, str, int, str]


@dataclass
class Running:
    """A server that runs.  `hub` may be looked at; `told` is what operators did."""

    port: int
    hub: Hub
    told: list[Action] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


def hub_of(timeline: Timeline, *, live: bool = False, mode: str = "simulation", **options: Any) -> Hub:
    """What a server shows."""
    site = raid.site()
    shared = Shared(timeline=timeline, encoder=Encoder(site), periods_s={"north": 0.1}, live=live)
    hello = {"version": "0", "mode": mode, "source": "simulation", "site": plan(site), "paused": False}
    return Hub(shared=shared, hello=hello, **options)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(hub: Hub, port: int = 0) -> Iterator[Running]:
    """Serve until the block ends."""
    port = port or free_port()
    config = uvicorn.Config(
        application(hub), host="127.0.0.1", port=port, log_level="critical", ws="websockets-sansio",
        ws_per_message_deflate=False, lifespan="off", timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until_s = time.monotonic() + 20.0
    while not server.started and time.monotonic() < until_s:
        time.sleep(0.02)
    try:
        yield Running(port=port, hub=hub)
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(timeout=10.0)


def recorded() -> Timeline:
    """The whole raid, as a recording."""
    timeline = Timeline()
    timeline.extend(raid.messages())
    return timeline


def live_server(port: int, speed: float = 1.0, stop_at_s: float = raid.ENDS_S, begin_s: float = 0.0) -> None:
    """Serve the raid as if it happened now: for the browser tests, in a process of its own."""
    timeline = Timeline()
    hub = hub_of(timeline, live=True)
    said: list[Operator] = []

    def tell(operator: str, action: str, track_id: int, zone: str) -> None:
        at_ns = timeline.end_ns
        said.append(Operator(t_ns=at_ns, operator=operator, action=action, track_id=track_id, zone=zone))  # type: ignore[arg-type]

    hub.tell = tell

    def run() -> None:
        began_s = time.monotonic()
        for batch in raid.batches():
            at_s = (batch[0].t_ns - raid.T0_NS) / 1e9
            if at_s > stop_at_s:
                return
            if at_s >= begin_s:
                time.sleep(max((at_s - begin_s) / speed - (time.monotonic() - began_s), 0.0))
            operators: list[Message] = [*said]
            said.clear()
            hub.shared.arrived_s = time.monotonic()
            timeline.extend([*operators, *batch])

    with serving(hub, port) as running:
        print(running.address, flush=True)
        run()
        while True:
            time.sleep(1.0)


if __name__ == "__main__":
    import sys

    kind, at_port, *rest = sys.argv[1:]
    if kind == "live":
        live_server(int(at_port), *(float(x) for x in rest))
    else:
        people = {"a" * 32: Person("operator", "Rana K."), "b" * 32: Person("viewer")} if kind == "tokens" else {}
        mode = rest[0] if rest else "simulation"
        basemap = (
            open_basemap(dataclasses.replace(raid.site(), basemap=BaseMap(path=Path(rest[1])))) if rest[1:] else None
        )
        with serving(hub_of(recorded(), people=people, mode=mode, basemap=basemap), int(at_port)) as running:
            print(running.address, flush=True)
            threading.Event().wait()
