"""The description of the HTTP and WebSocket interface: an OpenAPI 3.1 document, and the same as a page to read."""

import html
import json
from typing import Any, Final

_TEXT: Final = {"application/json": "JSON", "application/geo+json": "GeoJSON"}


def _answer(text: str, kind: str = "application/json", schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"description": text, "content": {kind: {"schema": schema or {"type": "object"}}}}


def _page(summary: str, text: str, answers: dict[str, Any], **more: Any) -> dict[str, Any]:
    refused = {"401": {"description": "a token is needed, or this one is not known"}}
    return {"summary": summary, "description": text, "responses": answers | refused, **more}


_OPERATOR: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["action"],
    "additionalProperties": False,
    "properties": {
        "action": {"enum": ["consent", "veto", "hold", "release", "acknowledge"]},
        "track": {"type": "integer", "minimum": 0, "description": "the track it is about; 0: about none"},
        "zone": {"type": "string", "description": "the zone it is about, of an acknowledgement"},
        "operator": {
            "type": "string",
            "maxLength": 80,
            "description": "who acts; a name in the token file stands above",
        },
    },
}

_PATHS: Final[dict[str, Any]] = {
    "/": {
        "get": _page(
            "How the system is, to read",
            "What /health says as a page, made anew every two seconds.",
            {"200": _answer("a page", "text/html")},
        )
    },
    "/health": {
        "get": _page(
            "How the system is",
            "Feeds, channels and parts, each with its state.",
            {"200": _answer("nothing is lost"), "503": _answer("a part is lost; the same document")},
        )
    },
    "/picture.geojson": {
        "get": _page(
            "What is in the air and who is warned",
            "Tracks as points, predicted impacts with their 95 % ellipses, alarms as the polygons of their zones.",
            {"200": _answer("a FeatureCollection", "application/geo+json")},
        )
    },
    "/alarms.geojson": {
        "get": _page(
            "The alarms that stand",
            "One feature an alarm.",
            {"200": _answer("a FeatureCollection", "application/geo+json")},
        )
    },
    "/atom.xml": {
        "get": _page(
            "CAP messages as a feed", "The latest 100, newest first.", {"200": _answer("Atom", "application/atom+xml")}
        )
    },
    "/cap/{identifier}.xml": {
        "get": _page(
            "One CAP message",
            "By its identifier.",
            {"200": _answer("CAP 1.2", "application/cap+xml"), "404": {"description": "there is no such message"}},
            parameters=[{"name": "identifier", "in": "path", "required": True, "schema": {"type": "string"}}],
        )
    },
    "/metrics": {
        "get": _page("Figures for Prometheus", "Text format 0.0.4.", {"200": _answer("figures", "text/plain")})
    },
    "/operator": {
        "post": _page(
            "What an operator does",
            "Consent to an engagement of the simulation, veto one, hold all, release, or acknowledge an alarm. It goes "
            "into the log and into the next batch. Role operator. Nothing here can stop or delay a warning.",
            {
                "202": _answer("taken"),
                "400": _answer("it cannot be read; the answer says what is wrong"),
                "403": _answer("the token is a viewer's, or the page is of another origin"),
            },
            requestBody={"required": True, "content": {"application/json": {"schema": _OPERATOR}}},
        )
    },
    "/events": {
        "get": _page(
            "Everything as it happens (WebSocket)",
            "One JSON object a message, as `opencram process --events` writes them: track, impact, warning, decision, "
            "engagement, health, rejected. What stands comes first. A reader that falls 10 000 events behind is "
            "disconnected with code 1013. Browsers, which cannot set headers, offer the subprotocols `opencram` and "
            "`token.TOKEN`.",
            {"101": {"description": "the connection is a WebSocket now"}},
            parameters=[
                {
                    "name": "types",
                    "in": "query",
                    "description": "those wanted, with commas between; all if it is missing",
                    "schema": {"type": "string"},
                }
            ],
        )
    },
    "/openapi.json": {"get": _page("This description", "OpenAPI 3.1.", {"200": _answer("the document")})},
    "/docs": {"get": _page("This description, to read", "HTML.", {"200": _answer("a page", "text/html")})},
}


def document(site: str, version: str, *, tokens: bool) -> dict[str, Any]:
    """Return the OpenAPI document of a live service."""
    secured: list[dict[str, list[str]]] = [{"token": []}, {"password": []}] if tokens else []
    return {
        "openapi": "3.1.0",
        "info": {"title": f"opencram: {site}", "version": version, "license": {"name": "Apache-2.0"}},
        "paths": _PATHS,
        "security": secured,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "password": {"type": "http", "scheme": "basic", "description": "any name, the token as password"},
            }
        },
    }


def page(described: dict[str, Any]) -> str:
    """Return the document as a page that needs nothing else."""
    parts = []
    for path, methods in described["paths"].items():
        for method, what in methods.items():
            answers = "".join(
                f"<li><b>{code}</b> {html.escape(answer['description'])}</li>"
                for code, answer in sorted(what["responses"].items())
            )
            body = what.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            shown = f"<pre>{html.escape(json.dumps(body, indent=2))}</pre>" if body else ""
            parts.append(
                f"<section><h2><code>{method.upper()} {html.escape(path)}</code></h2>"
                f"<p><b>{html.escape(what['summary'])}.</b> {html.escape(what['description'])}</p>"
                f"{shown}<ul>{answers}</ul></section>"
            )
    title = html.escape(described["info"]["title"])
    style = "body{font:16px/1.5 system-ui,sans-serif;max-width:50em;margin:2em auto;padding:0 1em;color:#222}"
    style += "code,pre{background:#f2f2f2;padding:.1em .3em}h2{margin-top:1.6em;font-size:1.1em}"
    tokens = "Every request needs <code>Authorization: Bearer TOKEN</code>, or the token as a browser's password."
    tokens = tokens if described["security"] else ""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{style}</style>'
        f"<h1>{title}</h1><p>{tokens} For programs: <a href='openapi.json'>openapi.json</a></p>"
        f"{''.join(parts)}</html>"
    )
