"""The HTTP and WebSocket interface of the live service; `runtime.openapi` describes it, `/docs` shows that.

Loopback needs no token, but the name of this machine in the request: a page of elsewhere that a browser here shows
can neither read nor act.  Wider, TLS is spoken and every request needs `Authorization: Bearer TOKEN`, or the token as
the password that a browser asks for: a viewer's to read, an operator's to act.
"""

import asyncio
import base64
import contextlib
import resource
import socket
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from opencram import __version__
from opencram.adapters.geojson import alarm_feature, collection
from opencram.adapters.times import rfc3339
from opencram.config.live import is_loopback
from opencram.config.live_model import Live
from opencram.errors import UsageError
from opencram.runtime import status_page
from opencram.runtime.access import NAME_MAX, TOKEN_PREFIX, Person, holder, read_tokens, same_origin
from opencram.runtime.openapi import document, page
from opencram.runtime.stream import OUTSIDE, Listener

if TYPE_CHECKING:
    from opencram.runtime.live import LiveService

ATOM: Final = "http://www.w3.org/2005/Atom"
BODY_BYTES_MAX: Final = 4096
_READ_ONLY: Final = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}


async def serve(live: Live, base: Path, service: "LiveService", sockets: Mapping[str, socket.socket]) -> None:
    """Serve on the socket that is bound for it, until cancelled."""
    import uvicorn

    assert live.http is not None
    host, port = live.http
    people = read_tokens(base / live.token_file) if live.token_file else {}
    if not is_loopback(host) and not (people and live.certificate_file and live.key_file):
        raise UsageError(f"http {host}:{port} is not loopback: give certificate_file, key_file and token_file")
    app = application(service, people)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        lifespan="off",
        log_level="warning",
        access_log=False,
        ssl_certfile=str(base / live.certificate_file) if live.certificate_file else None,
        ssl_keyfile=str(base / live.key_file) if live.key_file else None,
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]  # signals belong to the service
    await server.serve([sockets[f"http {host}:{port}"]])


def application(service: "LiveService", people: Mapping[str, Person]) -> ASGIApp:
    """Return the application; with tokens, nothing is answered without one."""
    pages = _Pages(service, tokens=bool(people))
    app = Starlette(
        routes=[
            Route("/", pages.status),
            Route("/health", pages.health),
            Route("/picture.geojson", pages.picture),
            Route("/alarms.geojson", pages.alarms),
            Route("/atom.xml", pages.atom),
            Route("/cap/{identifier}.xml", pages.cap),
            Route("/metrics", pages.metrics),
            Route("/operator", pages.operator, methods=["POST"]),
            Route("/openapi.json", pages.openapi),
            Route("/docs", pages.docs),
            WebSocketRoute("/events", pages.events),
        ]
    )
    return _Guard(app, people)


class _Guard:
    """Lets through who has a token, where tokens are asked for; else who is on this machine and means it."""

    def __init__(self, app: ASGIApp, people: Mapping[str, Person]) -> None:
        self._app = app
        self._people = people

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse with the reason."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        status, reason, who = self._judge(scope)
        if status == 0:
            scope["who"] = who
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocket(scope, receive, send).close(4000 + status, reason)
        else:
            challenge = {"WWW-Authenticate": 'Bearer, Basic realm="opencram", charset="UTF-8"'} if status == 401 else {}
            await Response(f"{reason}\n", status, headers=challenge)(scope, receive, send)

    def _judge(self, scope: Scope) -> tuple[int, str, Person]:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        origin = headers.get("origin", "")
        if not same_origin(origin or None, host):
            return 403, "this page is of another origin", Person("")
        if self._people:
            who = holder(self._people, _token(headers))
            return (0, "", who) if who is not None else (401, "a token is needed", Person(""))
        name = urlsplit(f"//{host}").hostname or ""
        if not is_loopback(name):
            return 403, f"the request names the host {name[:80]!a}, which is not this machine", Person("")
        return 0, "", Person("operator")


def _token(headers: Mapping[str, str]) -> str:
    """Return the token of a request: in its header (a browser's as password), or, of a WebSocket, as a subprotocol."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(token.strip(), validate=True).decode().partition(":")[2]
        except ValueError:
            return ""
    offered = [each.strip() for each in headers.get("sec-websocket-protocol", "").split(",")]
    return next((each.removeprefix(TOKEN_PREFIX) for each in offered if each.startswith(TOKEN_PREFIX)), "")


class Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator does, as it is posted."""

    action: Literal["consent", "veto", "hold", "release", "acknowledge"]
    track: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    zone: Annotated[str, msgspec.Meta(max_length=NAME_MAX)] = ""
    operator: Annotated[str, msgspec.Meta(max_length=NAME_MAX)] = ""


class _Pages:
    def __init__(self, service: "LiveService", *, tokens: bool) -> None:
        self._service = service
        self._described = document(service.board.site, __version__, tokens=tokens)

    async def openapi(self, request: Request) -> Response:
        """Return the description."""
        del request
        return JSONResponse(self._described)

    async def docs(self, request: Request) -> Response:
        """Return the description as a page."""
        del request
        return Response(page(self._described), media_type="text/html", headers=_READ_ONLY)

    async def picture(self, request: Request) -> Response:
        """Return tracks, impacts and alarms as GeoJSON."""
        del request
        service = self._service
        found = service.stream.picture(service.board.standing, service.board.zones)
        return JSONResponse(found, media_type="application/geo+json")

    async def operator(self, request: Request) -> Response:
        """Take what an operator does."""
        who: Person = request.scope["who"]
        if who.role != "operator":
            return JSONResponse({"fault": "this token is a viewer's: it cannot act"}, 403)
        if not request.headers.get("content-type", "").startswith("application/json"):
            return JSONResponse({"fault": "send JSON, with content-type application/json"}, 400)
        content = b""
        async for part in request.stream():
            content += part
            if len(content) > BODY_BYTES_MAX:
                return JSONResponse({"fault": f"more than {BODY_BYTES_MAX} bytes"}, 400)
        try:
            asked = msgspec.json.decode(content, type=Action)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return JSONResponse({"fault": str(error)}, 400)
        if asked.action in ("consent", "veto") and asked.track == 0:
            return JSONResponse({"fault": f"{asked.action} is about a track: give its number"}, 400)
        self._service.operate(who.name or asked.operator or "operator", asked.action, asked.track, asked.zone)
        return JSONResponse({"taken": asked.action}, 202)

    async def events(self, socket: WebSocket) -> None:
        """Stream events until either side has enough."""
        wanted = frozenset((socket.query_params.get("types") or ",".join(OUTSIDE)).split(","))
        offered = socket.scope.get("subprotocols", [])
        await socket.accept(subprotocol="opencram" if "opencram" in offered else None)
        listener = self._service.stream.join(wanted, self._service.board.standing)
        tasks = [asyncio.create_task(work) for work in (_send(socket, listener), _listen(socket), listener.late.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._service.stream.leave(listener)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            late = listener.late.is_set()
            await socket.close(1013 if late else 1000, "too far behind" if late else "")

    async def health(self, request: Request) -> Response:
        """Return feeds, channels and parts; 503 while a part is lost."""
        del request
        document = self._health()
        return JSONResponse(document, 200 if document["ok"] else 503)

    async def status(self, request: Request) -> Response:
        """Return the same as a page to read."""
        del request
        return Response(status_page.page(self._health()), media_type="text/html", headers=_READ_ONLY)

    def _health(self) -> dict[str, Any]:
        board, core = self._service.board, self._service.core
        parts = [
            {"part": h.part, "state": h.state, "reason": h.reason, "time": rfc3339(h.t_ns)}
            for h in board.health.values()
        ]
        feeds = [
            {
                "feed": s.feed,
                "plots": s.plots,
                "rate_per_s": s.rate_per_s,
                "delay_s": s.delay_s,
                "delay_s_max": s.delay_s_max,
                "clock_drift_ppm": s.clock_drift_ppm,
                "last_plot": rfc3339(s.last_plot_t_ns) if s.last_plot_t_ns else None,
                "rejected": dict(s.rejected),
            }
            for s in board.statuses.values()
        ]
        channels = [
            {
                "channel": o.name,
                "state": o.state,
                "delivered": o.delivered,
                "waiting": o.waiting,
                "given_up": o.given_up,
                "last_latency_s": o.last_latency_s,
            }
            for o in self._service.outlets
        ]
        lost = any(h.state == "lost" for h in board.health.values())
        return {
            "site": board.site,
            "ok": not lost,
            "data_time": rfc3339(core.state.now_ns),
            "alarms": len(board.standing),
            "feeds": feeds,
            "channels": channels,
            "parts": parts,
        }

    async def alarms(self, request: Request) -> Response:
        """Return the alarms that stand, as GeoJSON."""
        del request
        board = self._service.board
        features = [alarm_feature(m.warning, board.zones.get(m.warning.zone)) for m in board.standing.values()]
        return JSONResponse(collection(features), media_type="application/geo+json")

    async def cap(self, request: Request) -> Response:
        """Return one CAP message."""
        message = self._service.board.recent.get(request.path_params["identifier"])
        if message is None:
            return Response("there is no such message\n", 404)
        return Response(message.xml, media_type="application/cap+xml")

    async def atom(self, request: Request) -> Response:
        """Return the latest CAP messages as an Atom feed, newest first."""
        board = self._service.board
        root = str(request.base_url)
        ET.register_namespace("", ATOM)
        feed = ET.Element(f"{{{ATOM}}}feed")
        messages = list(board.recent.values())[::-1][:100]
        newest_ns = messages[0].warning.t_ns if messages else board.started_ns
        _texts(feed, id=f"{root}atom.xml", title=f"{board.site}: alarms", updated=rfc3339(newest_ns))
        ET.SubElement(ET.SubElement(feed, f"{{{ATOM}}}author"), f"{{{ATOM}}}name").text = "opencram"
        for message in messages:
            warning, entry = message.warning, ET.SubElement(feed, f"{{{ATOM}}}entry")
            title = f"{warning.state}: {warning.zone}, {warning.advice}"
            _texts(entry, id=f"{root}cap/{message.identifier}.xml", title=title, updated=rfc3339(warning.t_ns))
            href = f"{root}cap/{message.identifier}.xml"
            ET.SubElement(entry, f"{{{ATOM}}}link", rel="alternate", type="application/cap+xml", href=href)
        text = ET.tostring(feed, encoding="UTF-8", xml_declaration=True)
        return Response(text, media_type="application/atom+xml")

    async def metrics(self, request: Request) -> Response:
        """Return the figures that Prometheus gathers."""
        del request
        service = self._service
        lines = [
            f"opencram_alarms {len(service.board.standing)}",
            f"opencram_tracks {len(service.core.state.open_tracks)}",
        ]
        usage = resource.getrusage(resource.RUSAGE_SELF)
        lines += [
            f"opencram_uptime_seconds {(time.time_ns() - service.board.started_ns) / 1e9:.1f}",
            f"opencram_listeners {service.stream.listeners}",
            f"opencram_log_bytes {service.core.writer.bytes_written}",
            f"process_cpu_seconds_total {usage.ru_utime + usage.ru_stime:.2f}",
            f"process_resident_memory_bytes {resident_bytes()}",
        ]
        lines += [f"opencram_plots_total {service.core.plots}", f"opencram_batches_total {service.core.steps}"]
        for status in service.board.statuses.values():
            label = f'{{feed="{_label(status.feed)}"}}'
            lines.append(f"opencram_feed_plots_total{label} {status.plots}")
            lines.append(f"opencram_feed_rate{label} {status.rate_per_s}")
            if status.delay_s is not None:
                lines.append(f"opencram_feed_delay_seconds{label} {status.delay_s}")
            if status.clock_drift_ppm is not None:
                lines.append(f"opencram_feed_clock_drift_ppm{label} {status.clock_drift_ppm}")
            if status.last_plot_t_ns:
                lines.append(f"opencram_feed_last_plot_timestamp_seconds{label} {status.last_plot_t_ns / 1e9:.3f}")
            for code, count in status.rejected:
                names = f'{{feed="{_label(status.feed)}",code="{_label(code)}"}}'
                lines.append(f"opencram_feed_rejected_total{names} {count}")
        for health in service.board.health.values():
            part = f'{{part="{_label(health.part)}"}}'
            lines.append(f"opencram_part_ok{part} {int(health.state == 'ok')}")
        for outlet in service.outlets:
            label = f'{{channel="{_label(outlet.name)}"}}'
            lines.append(f"opencram_channel_up{label} {int(outlet.state == 'ok')}")
            lines.append(f"opencram_channel_delivered_total{label} {outlet.delivered}")
            lines.append(f"opencram_channel_failed_total{label} {outlet.failed}")
            lines.append(f"opencram_channel_waiting{label} {outlet.waiting}")
            if outlet.last_latency_s is not None:
                lines.append(f"opencram_channel_last_latency_seconds{label} {outlet.last_latency_s}")
        return Response("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


async def _send(socket: WebSocket, listener: Listener) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError):
        while True:
            await socket.send_text(await listener.queue.get())


async def _listen(socket: WebSocket) -> None:
    """Pass over what the other side says, until it parts."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError, KeyError):
        while True:
            await socket.receive_bytes()


def resident_bytes() -> int:
    """Return how much memory this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _texts(parent: ET.Element, **texts: str) -> None:
    for name, text in texts.items():
        ET.SubElement(parent, f"{{{ATOM}}}{name}").text = text
