"""A recording as one block of bytes that the display plays by itself, without a server: for reports and notebooks.

The block is compressed with zlib.  Inside: a length (uint32), a head in JSON, then the frames of `frames.py` one after
the other, then predicted paths as float32 of east, north and up.  `display/src/reel.ts` reads it.
"""

import base64
import re
import struct
import zlib
from collections.abc import Iterable
from importlib.resources import files
from typing import Any, Final

import msgspec
import numpy as np

from opencram import __version__
from opencram.config.model import Site
from opencram.display.coverage import coverage
from opencram.display.frames import LAYOUT, Encoder
from opencram.display.picture import Picture
from opencram.display.plan import plan
from opencram.display.rows import ms
from opencram.display.session import Session, Shared
from opencram.display.timeline import Timeline
from opencram.messages import Message

STEP_NS: Final = 500_000_000  # tracks are told twice a second
FRAMES_MAX: Final = 7200  # an hour: a longer recording is shown in longer steps
_LENGTH: Final = struct.Struct("<I")
_FONT: Final = re.compile(r"@font-face\s*\{[^}]*\}")


def reel(messages: Iterable[Message], site: Site, *, mode: str, source: str, until_ns: int | None = None) -> bytes:
    """Return a recording as a block that the display plays.  `until_ns`: leave out what comes after."""
    timeline = Timeline()
    timeline.extend(messages)
    end_ns = min(until_ns or timeline.end_ns, timeline.end_ns)
    steps = max((end_ns - timeline.begin_ns) // STEP_NS, 1)
    step_ns = STEP_NS * -(-steps // FRAMES_MAX)
    shared = Shared(timeline, Encoder(site), {s.id: s.period_s for s in site.sensors})
    session = Session(shared)
    frames: list[bytes] = []
    paths: list[tuple[int, float, int]] = []
    points: list[bytes] = []
    sensors: list[tuple[float, Any]] = []
    known: dict[int, int] = {}  # the impact that was last put in, by track
    for t_ns in range(timeline.begin_ns, end_ns + 1, step_ns):
        session.t_ns = t_ns
        picture, _ = session.moment
        timeline.advance(picture, t_ns)
        frames.append(session.frame(0.0))
        for track, path in _new_paths(picture, known):
            paths.append((track, ms(t_ns), len(path)))
            points.append(np.array(path, dtype="<f4").tobytes())
        states = msgspec.json.decode(session.status())["sensors"]
        if not sensors or [s["state"] for s in states] != [s["state"] for s in sensors[-1][1]]:
            sensors.append((ms(t_ns), states))
    events = [msgspec.Raw(e.json) for e in timeline.events_between(0, session.moment[0].seq)]
    hello = {
        "version": __version__, "mode": mode, "source": source, "site": plan(site), "paused": False, "columns": LAYOUT,
        "live": False, "role": "viewer", "acts": False, "basemap": None, "coverage": coverage(site),
        "begin": ms(timeline.begin_ns), "end": ms(end_ns),
        "marks": [mark for mark in timeline.marks if mark[0] <= ms(end_ns)],
    }  # fmt: skip
    head = msgspec.json.encode(
        {"hello": hello, "events": events, "sizes": [len(f) for f in frames], "paths": paths, "sensors": sensors}
    )
    return zlib.compress(b"".join([_LENGTH.pack(len(head)), head, *frames, *points]), 9)


def _new_paths(picture: Picture, known: dict[int, int]) -> list[tuple[int, tuple[tuple[float, float, float], ...]]]:
    """Return the predicted paths that have changed, of the tracks that fly."""
    found = []
    for track, impact in picture.impacts.items():
        if track not in picture.ended and known.get(track) != impact.t_ns:
            known[track] = impact.t_ns
            found.append((track, impact.path_enu_m))
    return found


def script() -> str:
    """Return the display's script, the same that `opencram serve` gives to a browser."""
    return files("opencram.display").joinpath("static/display.js").read_text(encoding="utf-8")


def page(block: bytes, *, language: str = "en", query: str = "") -> str:
    """Return a whole page that plays a block of `reel`.  It asks nothing of anybody; letters are the browser's own."""
    style = _FONT.sub("", files("opencram.display").joinpath("static/display.css").read_text(encoding="utf-8"))
    direction = "rtl" if language == "ar" else "ltr"
    address = f"lang={language}&{query}".rstrip("&").replace("&", "&amp;")
    return (
        f'<!doctype html><html lang="{language}" dir="{direction}" class="embedded"><head><meta charset="utf-8">'
        f"<title>C-RAM</title><style>{style}</style></head><body>"
        f'<div id="screen"></div><script type="text/plain" id="reel" data-query="{address}">'
        f'{base64.b64encode(block).decode()}</script><script type="module">{script()}</script></body></html>'
    )
