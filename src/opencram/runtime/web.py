"""The small HTTP API of the live service: health, alarms, Atom, CAP, metrics.

Loopback needs no token.  Wider, TLS is spoken and every request needs `Authorization: Bearer TOKEN` of a
viewer or an operator; only /metrics and pages that change nothing exist here, so both may read.
"""

import asyncio
import contextlib
import hmac
import socket
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from opencram.adapters.geojson import alarm_feature, collection
from opencram.adapters.times import rfc3339
from opencram.config.live import is_loopback
from opencram.config.live_model import Live
from opencram.errors import UsageError
from opencram.runtime.channels import read_secret

if TYPE_CHECKING:
    from opencram.runtime.live import LiveService

ATOM: Final = "http://www.w3.org/2005/Atom"
ROLES: Final = ("viewer", "operator")


async def serve(
    live: Live, base: Path, service: "LiveService", sockets: Mapping[str, socket.socket]
) -> asyncio.Task[Any]:
    """Start the server on the socket that is bound for it, and return its task."""
    import uvicorn

    assert live.http is not None
    host, port = live.http
    tokens = read_tokens(base / live.token_file) if live.token_file else {}
    if not is_loopback(host) and not (tokens and live.certificate_file and live.key_file):
        raise UsageError(f"http {host}:{port} is not loopback: give certificate_file, key_file and token_file")
    app = application(service, tokens)
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
    return asyncio.create_task(server.serve([sockets[f"http {host}:{port}"]]))


def read_tokens(path: Path) -> dict[str, str]:
    """Return role by token from a file of lines "viewer TOKEN" and "operator TOKEN"."""
    tokens = {}
    for line in read_secret(path).splitlines():
        role, _, token = line.strip().partition(" ")
        if role not in ROLES or len(token.strip()) < 16:
            raise UsageError(
                f'{path}: each line is "viewer TOKEN" or "operator TOKEN", tokens of 16 characters or more'
            )
        tokens[token.strip()] = role
    return tokens


def application(service: "LiveService", tokens: dict[str, str]) -> ASGIApp:
    """Return the application; with tokens, nothing is answered without one."""
    pages = _Pages(service)
    app = Starlette(
        routes=[
            Route("/health", pages.health),
            Route("/alarms.geojson", pages.alarms),
            Route("/atom.xml", pages.atom),
            Route("/cap/{identifier}.xml", pages.cap),
            Route("/metrics", pages.metrics),
        ]
    )
    return _Guard(app, tokens)


class _Guard:
    """Lets through who has a token, where tokens are asked for."""

    def __init__(self, app: ASGIApp, tokens: dict[str, str]) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._tokens and scope["type"] == "http" and not self._role(scope):
            refusal = Response("a token is needed\n", 401, headers={"WWW-Authenticate": "Bearer"})
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _role(self, scope: Scope) -> str:
        given = dict(scope["headers"]).get(b"authorization", b"")
        roles = [
            role for token, role in self._tokens.items() if hmac.compare_digest(given, b"Bearer " + token.encode())
        ]
        return roles[0] if roles else ""


class _Pages:
    def __init__(self, service: "LiveService") -> None:
        self._service = service

    async def health(self, request: Request) -> Response:
        """Return feeds, channels and parts; 503 while a part is lost."""
        del request
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
        document = {
            "site": board.site,
            "ok": not lost,
            "data_time": rfc3339(core.state.now_ns),
            "alarms": len(board.standing),
            "feeds": feeds,
            "channels": channels,
            "parts": parts,
        }
        return JSONResponse(document, 503 if lost else 200)

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
        lines += [f"opencram_plots_total {service.core.plots}", f"opencram_batches_total {service.core.steps}"]
        for status in service.board.statuses.values():
            label = f'{{feed="{_label(status.feed)}"}}'
            lines.append(f"opencram_feed_plots_total{label} {status.plots}")
            lines.append(f"opencram_feed_rate{label} {status.rate_per_s}")
            if status.delay_s is not None:
                lines.append(f"opencram_feed_delay_seconds{label} {status.delay_s}")
            for code, count in status.rejected:
                names = f'{{feed="{_label(status.feed)}",code="{_label(code)}"}}'
                lines.append(f"opencram_feed_rejected_total{names} {count}")
        for outlet in service.outlets:
            label = f'{{channel="{_label(outlet.name)}"}}'
            lines.append(f"opencram_channel_up{label} {int(outlet.state == 'ok')}")
            lines.append(f"opencram_channel_delivered_total{label} {outlet.delivered}")
            lines.append(f"opencram_channel_failed_total{label} {outlet.failed}")
            lines.append(f"opencram_channel_waiting{label} {outlet.waiting}")
            if outlet.last_latency_s is not None:
                lines.append(f"opencram_channel_last_latency_seconds{label} {outlet.last_latency_s}")
        return Response("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _texts(parent: ET.Element, **texts: str) -> None:
    for name, text in texts.items():
        ET.SubElement(parent, f"{{{ATOM}}}{name}").text = text
