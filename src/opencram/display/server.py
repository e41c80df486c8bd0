"""The web server of the display: pages, one WebSocket for a screen, and the state that the public page asks for.

Nothing is fetched from elsewhere and nothing may be: the content security policy of every answer says so.
Tokens come as a WebSocket subprotocol, never in an address, and a page of another origin is refused.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from opencram.display.basemap import BaseMap
from opencram.display.frames import LAYOUT
from opencram.display.public import public_state, public_zones
from opencram.display.pulse import Pulse
from opencram.display.rows import ms
from opencram.display.session import FRAME_S, Session, Shared
from opencram.display.wire import EXTENSION, Wire
from opencram.runtime.access import TOKEN_PREFIX, Person, person_of, same_origin

STATIC = Path(__file__).parent / "static"
PROTOCOL = "opencram"
BAD_TOKEN, BAD_ORIGIN = 4401, 4403
COMMAND_BYTES_MAX = 4096
INBOX_MAX = 64
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}
_json = msgspec.json.Encoder()


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What a screen asks for.  `t` is in milliseconds."""

    do: str
    t: float = 0.0
    speed: float = 1.0
    track: int = 0
    zone: str = ""
    by: str = ""  # who acts, where no token says it


@dataclass
class Hub:
    """What the server shows.  `tell` hands an operator's action to a live run; None: nobody would hear it."""

    shared: Shared
    hello: dict[str, Any]
    people: Mapping[str, Person] = field(default_factory=dict)  # by token; none: everybody is an operator
    tell: Callable[[str, str, int, str], None] | None = None  # operator, action, track, zone
    shown: Session | None = None  # the screen that last moved: the public page of a replay shows its moment
    basemap: BaseMap | None = None
    coverage: Callable[[], bytes] | None = (
        None  # what the terrain hides from the radars, as JSON; made when it is asked for
    )
    pulse: Pulse = field(default_factory=Pulse)


class Inbox:
    """What a screen has asked for and was not done yet.  `closed`: it is gone, and will ask for no more."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Command] = asyncio.Queue(maxsize=INBOX_MAX)
        self._woken: asyncio.Future[None] | None = None
        self.closed = False

    async def put(self, command: Command) -> None:
        """Take a command; wait while there is no room."""
        await self._queue.put(command)
        self._wake()

    def close(self) -> None:
        """Nothing will come any more: whoever waits goes on."""
        self.closed = True
        self._wake()

    async def taken(self, wait_s: float | None) -> list[Command]:
        """Return what has come, waiting so long for it (None: until something does); of seeks in a row, the last."""
        if self._queue.empty() and not self.closed:
            loop = asyncio.get_running_loop()
            self._woken = loop.create_future()
            timer = None if wait_s is None else loop.call_later(max(wait_s, 0.001), self._wake)
            try:
                await self._woken
            finally:
                if timer is not None:
                    timer.cancel()
        asked: list[Command] = []
        while not self._queue.empty():
            command = self._queue.get_nowait()
            if asked and command.do == asked[-1].do == "seek":
                asked.pop()
            asked.append(command)
        return asked

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)


OPERATOR_ACTIONS = ("acknowledge", "consent", "veto", "hold", "release")


def application(hub: Hub) -> Starlette:
    """Return the web application."""

    async def page(_: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def public(_: Request) -> Response:
        return FileResponse(STATIC / "public.html")

    async def state(request: Request) -> Response:
        found = public_state(hub.shared, hub.hello, hub.shown, request.query_params.get("zone", ""))
        return Response(_json.encode(found), media_type="application/json")

    async def zones(_: Request) -> Response:
        return Response(_json.encode(public_zones(hub.hello)), media_type="application/json")

    async def tile(request: Request) -> Response:
        return await _tile(hub, request)

    async def coverage(request: Request) -> Response:
        if not _may_look(hub, request):
            return Response(status_code=401)
        found = b"null" if hub.coverage is None else await asyncio.to_thread(hub.coverage)
        return Response(found, media_type="application/json")

    async def socket(websocket: WebSocket) -> None:
        await _screen(hub, websocket)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/public", public),
            Route("/public/state", state),
            Route("/public/zones", zones),
            Route("/basemap/{zoom:int}/{column:int}/{row:int}", tile),
            Route("/coverage", coverage),
            WebSocketRoute("/ws", socket),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(_Headers)],
    )


class _Headers:
    """Puts the security headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


def _may_look(hub: Hub, request: Request) -> bool:
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    return person_of(hub.people, [TOKEN_PREFIX + given]) is not None


async def _tile(hub: Hub, request: Request) -> Response:
    """Return a tile of the base map to a screen that may look."""
    if not _may_look(hub, request):
        return Response(status_code=401)
    found = None
    if hub.basemap is not None:
        at = request.path_params
        found = await asyncio.to_thread(hub.basemap.tile, at["zoom"], at["column"], at["row"])
    if found is None:
        return Response(status_code=204)
    headers = {"cache-control": "private, max-age=3600"} | ({"content-encoding": "gzip"} if found.gzipped else {})
    return Response(found.data, media_type=found.media_type, headers=headers)


async def _screen(hub: Hub, websocket: WebSocket) -> None:
    """Serve one screen until it goes."""
    protocols = [p.strip() for p in websocket.headers.get("sec-websocket-protocol", "").split(",")]
    person = person_of(hub.people, protocols)
    allowed = same_origin(websocket.headers.get("origin"), websocket.headers.get("host"))
    await websocket.accept(subprotocol=PROTOCOL if PROTOCOL in protocols else None)
    if person is None or not allowed:
        await websocket.close(BAD_ORIGIN if not allowed else BAD_TOKEN)
        return
    session = Session(hub.shared)
    inbox = Inbox()
    reader = asyncio.create_task(_read(websocket, inbox))
    with suppress(WebSocketDisconnect, RuntimeError):
        try:
            await _greet(hub, session, websocket, person)
            await _play(hub, session, websocket, inbox, person)
        finally:
            reader.cancel()
            if hub.shown is session:
                hub.shown = None


async def _read(websocket: WebSocket, inbox: Inbox) -> None:
    """Put what the screen says into `inbox`; end when it goes, or says what is no command."""
    try:
        while True:
            text = await websocket.receive_text()
            if len(text) > COMMAND_BYTES_MAX:
                return
            await inbox.put(msgspec.json.decode(text, type=Command))
    except (WebSocketDisconnect, RuntimeError, KeyError, msgspec.DecodeError):
        return
    finally:
        inbox.close()


async def _greet(hub: Hub, session: Session, websocket: WebSocket, person: Person) -> None:
    """Tell a new screen what it will see, from when to when, and what it may do."""
    timeline = hub.shared.timeline
    after = websocket.query_params.get("after", "")
    at = websocket.query_params.get("t", "")
    session.playing = not (hub.hello["paused"] or websocket.query_params.get("paused") == "1")
    if at and (t_ms := _number(at)) is not None:
        session.seek(round(t_ms * 1e6))
    hello = hub.hello | {
        "type": "hello",
        "columns": LAYOUT,
        "live": hub.shared.live,
        "role": person.role,
        "name": person.name,
        "begin": ms(timeline.begin_ns),
        "end": ms(timeline.end_ns),
        "marks": timeline.marks,
        "acts": hub.tell is not None,
        "basemap": hub.basemap.told if hub.basemap is not None else None,
    }
    await websocket.send_text(_json.encode(hello).decode())
    await _tell_moment(session, websocket, after=int(after) if after.isdigit() else None)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


async def _play(hub: Hub, session: Session, websocket: WebSocket, inbox: Inbox, person: Person) -> None:
    """Send frames and events at the pace that the screen takes them; do what it asks in between.

    A screen that follows a live run is served by the pulse, with all others, while it asks nothing.
    """
    wire: Wire | None = websocket.scope.get("extensions", {}).get(EXTENSION)
    last_s = due_s = time.monotonic()
    while not inbox.closed:
        if wire is not None and session.following and session.playing:
            asked = await _followed(hub.pulse, session, wire, inbox)
            due_s = time.monotonic()
        else:
            asked = await inbox.taken(due_s - time.monotonic())
        if inbox.closed and not asked:
            return
        now_s = time.monotonic()
        session.advance(now_s - last_s)
        last_s = now_s
        if asked:
            wound = [_obey(hub, session, command, person) for command in asked]
            if any(wound):
                await _tell_moment(session, websocket)
                continue
            await websocket.send_text(session.player().decode())
        elif now_s < due_s:
            continue
        for message in session.outgoing(now_s):
            await (websocket.send_text(message) if isinstance(message, str) else websocket.send_bytes(message))
        if not asked:  # all screens are served together, at the tenths of the clock: what they see is made once
            due_s = (int(max(now_s, time.monotonic() - FRAME_S) / FRAME_S) + 1) * FRAME_S


async def _followed(pulse: Pulse, session: Session, wire: Wire, inbox: Inbox) -> list[Command]:
    """Let the pulse serve a screen until it asks for something, and return that."""
    pulse.join(session, wire)
    try:
        return await inbox.taken(None)
    finally:
        pulse.leave(session)


async def _tell_moment(session: Session, websocket: WebSocket, *, after: int | None = None) -> None:
    """Send a screen all of its new moment, the frame last: with it the screen draws all at once.

    `after`: the last record that a screen which comes back was told of.
    """
    now_s = time.monotonic()
    await websocket.send_text(session.state().decode())
    if after is not None and (missed := session.missed(after)) is not None:
        await websocket.send_text(missed.decode())
    await websocket.send_text(session.player().decode())
    for lines in session.lines(now_s):
        await websocket.send_bytes(lines)
    await websocket.send_text(session.status().decode())
    await websocket.send_bytes(session.frame(now_s))


def _obey(hub: Hub, session: Session, asked: Command, person: Person) -> bool:
    """Do what a screen asks; return whether it was wound to another moment."""
    hub.shown = session
    wound = asked.do in ("seek", "follow")
    match asked.do:
        case "play":
            session.playing = True
        case "pause":
            session.playing = False
            if session.following:
                session.seek(session.t_ns)
                wound = True
        case "seek":
            if math.isfinite(asked.t):
                session.seek(round(asked.t * 1e6))
        case "follow":
            session.follow()
        case "speed":
            if math.isfinite(asked.speed):
                session.set_speed(asked.speed)
        case action if action in OPERATOR_ACTIONS and person.role == "operator" and hub.tell is not None:
            allowed = action == "acknowledge" or hub.hello["source"] == "simulation"
            if session.following and allowed:  # nothing is decided on what is no longer so
                hub.tell(person.called(asked.by), action, asked.track, asked.zone)
        case _:
            pass
    return wound
