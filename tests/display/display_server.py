"""A display server in a thread, over a recording in memory or over a live run that tests drive by hand."""

import asyncio
import math
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import display_raid as raid
import display_screens
import msgspec
import numpy as np
import uvicorn
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from opencram.config.model import BaseMap, Site, Zone
from opencram.display.basemap import open_basemap
from opencram.display.coverage import coverage
from opencram.display.frames import Encoder
from opencram.display.plan import plan
from opencram.display.server import Hub, application
from opencram.display.session import Shared
from opencram.display.timeline import Timeline
from opencram.display.wire import ScreenProtocol
from opencram.earth.terrain import Terrain
from opencram.messages import Engagement, Health, Message, Operator, Tick
from opencram.runtime.access import Person

THREAD = "display server"  # whose processor time is measured
Action = tuple[str, str, int, str]
PEOPLE = {"a" * 32: Person("operator", "Rana K."), "b" * 32: Person("viewer")}


@dataclass
class Running:
    """A server that runs.  `hub` may be looked at; `told` is what operators did."""

    port: int
    hub: Hub
    loop: asyncio.AbstractEventLoop
    told: list[Action] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def extend(self, messages: Iterable[Message]) -> None:
        """Append messages as a live run does: on the loop of the server, which reads them; return when they are in."""

        async def take() -> None:
            self.hub.shared.arrived_s = time.monotonic()
            self.hub.shared.timeline.extend(messages)

        asyncio.run_coroutine_threadsafe(take(), self.loop).result(timeout=20.0)


def hub_of(
    timeline: Timeline, *, live: bool = False, mode: str = "simulation", site: Site | None = None, **options: Any
) -> Hub:
    """What a server shows."""
    site = site or raid.site()
    shared = Shared(timeline=timeline, encoder=Encoder(site), periods_s={"north": 0.1}, live=live)
    hello = {"version": "0", "mode": mode, "source": "simulation", "site": plan(site), "paused": False}
    options = {"coverage": lambda: msgspec.json.encode(coverage(site))} | options
    return Hub(shared=shared, hello=hello, **options)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Steps:
    """Data time goes on when a test asks for it (GET /test/to?s=SECONDS), not with the clock: load changes nothing."""

    until_s: float
    done_s: float = -1.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Go on to the second that is asked for, and answer when it has come."""
        self.until_s = float(parse_qs(scope["query_string"].decode())["s"][0])
        while self.done_s < self.until_s:
            await asyncio.sleep(0.01)
        await Response(status_code=204)(scope, receive, send)


@contextmanager
def serving(
    hub: Hub, port: int = 0, opened: threading.Event | None = None, steps: Steps | None = None
) -> Iterator[Running]:
    """Serve until the block ends; `opened` is set when the first screen comes."""
    port = port or free_port()
    app = application(hub)

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        if opened is not None and scope["type"] == "websocket":
            opened.set()
        stepped = steps is not None and scope.get("path") == "/test/to"
        await (steps if stepped and steps is not None else app)(scope, receive, send)

    config = uvicorn.Config(
        watched, host="127.0.0.1", port=port, log_level="critical", ws=ScreenProtocol,
        ws_per_message_deflate=False, lifespan="off", timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    loop = asyncio.new_event_loop()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(server.serve())

    thread = threading.Thread(target=run, daemon=True, name=THREAD)
    thread.start()
    until_s = time.monotonic() + 20.0
    while not server.started and time.monotonic() < until_s:
        time.sleep(0.02)
    try:
        yield Running(port=port, hub=hub, loop=loop)
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(timeout=10.0)


def recorded(messages: list[Message] | None = None) -> Timeline:
    """Messages as a recording: the whole raid, if no others are given."""
    timeline = Timeline()
    timeline.extend(messages or raid.messages())
    return timeline


def wide_site(zones: int) -> Site:
    """A site with so many square zones of 200 m, named by their number."""
    side = math.ceil(math.sqrt(zones))
    home, step = raid.site(), math.radians(0.0018)

    def zone(number: int) -> Zone:
        west = home.longitude_rad + (number % side - side / 2) * step * 1.2
        south = home.latitude_rad + (number // side - side / 2) * step
        corners = ((west, south), (west + step, south), (west + step, south + step), (west, south + step))
        return replace(home.zones[0], id=f"w{number}", name=f"Zone {number:04d}", polygon=corners)

    return replace(home, zones=tuple(zone(number) for number in range(zones)))


def flood(number: int, begin_s: float) -> Iterator[list[Message]]:
    """One salvo, an alarm for each of many zones within a second, then nothing but time."""
    tenth = 0
    while True:
        at_s = begin_s + tenth / 10.0
        found: list[Message] = []
        if 10 <= tenth < 20:
            for k in range((tenth - 10) * number // 10, (tenth - 9) * number // 10):
                told = raid.warning(1, at_s, "issued")
                impact_s = begin_s + 60.0 + (k * 7919 % number) / number * 100.0  # in no order
                found.append(msgspec.structs.replace(
                    told, alarm_id=k + 1, zone=f"w{k}", impact_t_ns=raid.t_ns(impact_s), seconds_left=impact_s - at_s
                ))  # fmt: skip
        yield [Tick(t_ns=raid.t_ns(at_s)), *found]
        tenth += 1


def live_server(
    port: int,
    batches: Iterable[list[Message]],
    hub: Hub,
    *,
    speed: float = 1.0,
    begin_s: float = 0.0,
    steps: Steps | None = None,
) -> None:
    """Serve batches as if they happened now, from when the first screen is there; in a process of its own.

    `steps`: they come when they are asked for, from `begin_s` on.
    """
    timeline = hub.shared.timeline
    said: list[Operator] = []

    def tell(operator: str, action: str, track_id: int, zone: str) -> None:
        at_ns = timeline.end_ns
        said.append(Operator(t_ns=at_ns, operator=operator, action=action, track_id=track_id, zone=zone))  # type: ignore[arg-type]

    hub.tell = tell

    def taken() -> list[Message]:
        return [said.pop(0) for _ in range(len(said))]

    def wait(running: Running, at_s: float, began_s: float) -> None:
        if steps is None:
            time.sleep(max((at_s - begin_s) / speed - (time.monotonic() - began_s), 0.0))
            return
        while at_s > (until_s := steps.until_s):
            steps.done_s = until_s
            if done := taken():
                running.extend(done)
            time.sleep(0.01)

    def run(running: Running) -> None:
        began_s = time.monotonic()
        for batch in batches:
            at_s = (batch[0].t_ns - raid.T0_NS) / 1e9
            if at_s >= begin_s:
                wait(running, at_s, began_s)
            running.extend([*taken(), *batch])
        if steps is not None:
            steps.done_s = math.inf

    opened = threading.Event()
    with serving(hub, port, opened, steps) as running:
        print(running.address, flush=True)
        opened.wait()
        run(running)
        while True:
            time.sleep(1.0)


def hilly(seed: int) -> Site:
    """The site of the raid, its radar among hills."""
    draws = np.random.default_rng(seed)
    line = np.arange(-120, 121) * 100.0
    east, north = np.meshgrid(line, line)
    heights = np.full(east.shape, raid.site().ground_height_m)
    for _ in range(14):
        e, n, wide, high = draws.uniform((-9e3, -9e3, 400.0, 60.0), (9e3, 9e3, 1500.0, 500.0))
        heights += high * np.exp(-((east - e) ** 2 + (north - n) ** 2) / (2.0 * wide**2))
    return replace(raid.site(), terrain=Terrain.of(line[0], line[0], 100.0, heights))


def killed() -> list[Message]:
    """The raid, in which the simulated engagement kills its round at 22 s, three before it would have landed."""
    return [
        msgspec.structs.replace(m, state="killed") if isinstance(m, Engagement) and m.state == "missed" else m
        for m in raid.messages()
    ]


def erring() -> list[Message]:
    """The raid, in which the tracker finds at 5 s that a radar errs, and its feed says after that that all is well."""
    reason = "errs more than it states, estimates allow for it: range 21 m and slowly 0 m over 2 s, stated 10"
    said: list[Message] = [
        Health(t_ns=raid.t_ns(5.0), part="sensor:north/errors", state="degraded", reason=reason),
        Health(t_ns=raid.t_ns(5.5), part="sensor:north", state="ok", reason="plots come as they should"),
    ]
    return sorted([*raid.messages(), *said], key=lambda message: message.t_ns)


def still(kind: str, mode: str = "simulation", town: str = "") -> Hub:
    """What a server of this kind shows that does not change; `town`: the path of a base map."""
    if kind == "hills":
        return hub_of(recorded(), site=hilly(1))
    made = {"screens": display_screens.messages, "killed": killed, "erring": erring}.get(kind)
    timeline = recorded(made() if made is not None else None)
    basemap = open_basemap(replace(raid.site(), basemap=BaseMap(path=Path(town)))) if town else None
    return hub_of(timeline, people=PEOPLE if kind == "tokens" else {}, mode=mode, basemap=basemap)


if __name__ == "__main__":
    import sys

    kind, at_port, *rest = sys.argv[1:]
    if kind == "live":  # at SPEED, or by steps, from BEGIN; with tokens, or everybody is an operator
        begin = float(rest[1])
        live = hub_of(Timeline(), live=True, people=PEOPLE if "tokens" in rest else {})
        if rest[0] == "steps":
            live_server(int(at_port), raid.batches(), live, begin_s=begin, steps=Steps(begin))
        live_server(int(at_port), raid.batches(), live, speed=float(rest[0]), begin_s=begin)
    elif kind == "flood":
        wide = hub_of(Timeline(), live=True, site=wide_site(int(rest[0])))
        live_server(int(at_port), flood(int(rest[0]), 0.0), wide, steps=Steps(0.5))
    else:
        with serving(still(kind, *rest), int(at_port)) as running:
            print(running.address, flush=True)
            threading.Event().wait()
