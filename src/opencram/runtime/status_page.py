"""The health of the live service as a page to read: what `/health` says, made anew every two seconds.

It needs nothing but itself: no script, no font, no picture.
"""

import html
from collections.abc import Iterable, Mapping
from typing import Any, Final

REFRESH_S: Final = 2

_STYLE: Final = """
body{font:16px/1.45 system-ui,sans-serif;max-width:70em;margin:1.5em auto;padding:0 1em;color:#1b1b1b;background:#fff}
table{border-collapse:collapse;width:100%;margin:.4em 0 1.6em}
th,td{text-align:left;padding:.25em .8em .25em 0;border-bottom:1px solid #ccc;vertical-align:top}
td.n,th.n{text-align:right}
.ok,.degraded,.lost{font-weight:700;white-space:nowrap}
.ok::before{content:"✓ "}.degraded::before{content:"△ "}.lost::before{content:"✕ "}
.ok{color:#17632b}.degraded{color:#7a4b00}.lost{color:#a3121b}
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}th,td{border-color:#444}
.ok{color:#7bd694}.degraded{color:#f0b35a}.lost{color:#ff8a8f}a{color:#9cc7ff}}
"""


def page(health: Mapping[str, Any]) -> str:
    """Return the page for what `/health` says."""
    site = html.escape(health["site"])
    parts = [part for part in health["parts"] if part["state"] != "ok"]
    worst = "lost" if not health["ok"] else "degraded" if parts else "ok"
    words = {"lost": "Something is lost", "degraded": "Working, not at its best", "ok": "All is well"}[worst]
    alarms = {0: "no alarm stands", 1: "1 alarm stands"}.get(health["alarms"], f"{health['alarms']} alarms stand")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="{REFRESH_S}">'
        f'<meta name="viewport" content="width=device-width"><title>{site}: {words}</title><style>{_STYLE}</style>'
        f'<h1>{site}</h1><p><span class="{worst}">{words}</span>; '
        f"{alarms}; data up to {_time(health['data_time'])}.</p>"
        f"{_table('What is wrong', ('Part', 'State', 'Since', 'Why'), map(_part, parts)) if parts else ''}"
        f"{_table('Feeds', _FEED_HEADS, map(_feed, health['feeds']))}"
        f"{_table('Channels', _CHANNEL_HEADS, map(_channel, health['channels']))}"
        '<p>For programs: <a href="health">health</a>, <a href="metrics">metrics</a>, '
        '<a href="atom.xml">alarms (Atom, CAP)</a>, <a href="picture.geojson">picture</a>; '
        '<a href="docs">all of them described</a>.</p></html>'
    )


_FEED_HEADS: Final = (
    "Feed", "Plots", "Plots/s", "Delay, median (s)", "worst (s)", "Clock drift (millionths)", "Last plot", "Rejected",
)  # fmt: skip
_CHANNEL_HEADS: Final = ("Channel", "State", "Delivered", "Waiting", "Given up", "Last delivery took (s)")


def _part(part: Mapping[str, Any]) -> str:
    return _row(part["part"], _state(part["state"]), _time(part["time"]), part["reason"])


def _feed(feed: Mapping[str, Any]) -> str:
    rejected = ", ".join(f"{code} {count:,}" for code, count in sorted(feed["rejected"].items())) or "none"
    return _row(
        feed["feed"],
        f"{feed['plots']:,}",
        f"{feed['rate_per_s']:,.1f}",
        _number(feed["delay_s"], 3),
        _number(feed["delay_s_max"], 3),
        _number(feed["clock_drift_ppm"], 0),
        _time(feed["last_plot"]) if feed["last_plot"] else "none yet",
        rejected,
    )


def _channel(channel: Mapping[str, Any]) -> str:
    return _row(
        channel["channel"],
        _state(channel["state"]),
        f"{channel['delivered']:,}",
        f"{channel['waiting']:,}",
        f"{channel['given_up']:,}",
        _number(channel["last_latency_s"], 3),
    )


class _Marked(str):
    """Text that is markup already."""


def _state(state: str) -> str:
    return _Marked(f'<span class="{html.escape(state)}">{html.escape(state)}</span>')


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


def _time(text: str) -> str:
    """Return a time of day, of a time as RFC 3339 has it."""
    return f"{text[:10]} {text[11:19]} UTC"


def _row(*cells: str) -> str:
    shown = (cell if isinstance(cell, _Marked) else html.escape(cell) for cell in cells)
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in shown)}</tr>"


def _table(title: str, heads: Iterable[str], rows: Iterable[str]) -> str:
    head = "".join(f"<th>{html.escape(each)}</th>" for each in heads)
    body = "".join(rows) or "<tr><td>none</td></tr>"
    return f"<h2>{title}</h2><table><tr>{head}</tr>{body}</table>"
