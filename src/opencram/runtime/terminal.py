"""The live table of a run on a terminal: each track, where it will land and how surely, and what is decided.

Shape and words carry the state, colour only helps; red is for people who are warned, and nothing else.
Tracks stand in the order of their predicted impact, the next one first.
"""

import sys
import time
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from opencram.messages import Message, Track
from opencram.runtime import words
from opencram.runtime.summary import Tally
from opencram.runtime.views import EventLines

FRAME_S = 0.1  # a frame at most this often
LINGER_S = 3.0  # an ended track stays on the table for this long
TRACK_ROWS_MAX = 24
EVENT_ROWS = 5

_SIGNS = {"engage": "◆", "hold": "◇", "ignore": "·"}
_SAID = {"engage": "engage: ", "hold": "held: ", "ignore": "ignored: "}  # by the column before
_OVER = ("cancelled", "all_clear", "expired")


class LiveView:
    """A table that is redrawn as data is processed."""

    def __init__(self, tally: Tally, out: TextIO) -> None:
        site = tally.site
        self._tally = tally
        self._names = words.place_names(site)
        self._events = EventLines(site)
        self._recent: list[str] = []
        self._now_ns = 0
        self._start_ns = 0
        self._next_frame_s = 0.0
        self._final = False
        self._console = Console(file=out)
        self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="crop")
        self._live.start()

    def take(self, inputs: Sequence[Message], outputs: Sequence[Message]) -> None:
        if inputs:
            self._now_ns = max(self._now_ns, inputs[-1].t_ns)
            self._start_ns = self._start_ns or self._now_ns
        if outputs:
            self._recent = [*self._recent, *self._events.lines(inputs, outputs)][-EVENT_ROWS:]
        now_s = time.monotonic()
        if now_s >= self._next_frame_s:
            self._next_frame_s = now_s + FRAME_S
            self._live.update(self._frame(), refresh=True)

    def close(self) -> None:
        self._final = True
        self._live.update(self._frame(), refresh=True)
        self._live.stop()

    def _frame(self) -> RenderableType:
        tally, width = self._tally, self._console.width
        rejected = sum(tally.rejected.values())
        alive = sum(track.status != "dropped" for track in tally.tracks.values())
        elapsed = words.clock((self._now_ns - self._start_ns) / 1e9)
        head = f"{elapsed}  {alive} tracks  {tally.plots} plots  {rejected} rejected  {tally.site.name}"
        events = [Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in self._recent]
        return Group(
            Text(head, style="bold", no_wrap=True, overflow="ellipsis"), self._tracks(width), self._zones(), *events
        )

    def _tracks(self, width: int) -> RenderableType:
        table = Table(expand=True, pad_edge=False, show_edge=False, header_style="dim")
        table.add_column("track", justify="right", no_wrap=True)
        table.add_column("class", no_wrap=True)
        table.add_column("lands", no_wrap=True, ratio=2, overflow="ellipsis", max_width=30)
        if width >= 72:
            table.add_column("95 % ellipse", no_wrap=True, justify="right")
        table.add_column("in", no_wrap=True, justify="right")
        table.add_column("decision", no_wrap=True)
        if width >= 100:
            table.add_column("why", no_wrap=True, ratio=5, overflow="ellipsis")
        for track in self._shown():
            cells = self._cells(track)
            row = [*cells[:3], *([cells[3]] if width >= 72 else []), *cells[4:6], *([cells[6]] if width >= 100 else [])]
            engaged = cells[5].startswith(_SIGNS["engage"])
            style = "dim" if track.status == "dropped" else "bold" if engaged else ""
            table.add_row(*(Text(cell) for cell in row), style=style)
        return table

    def _shown(self) -> list[Track]:
        """Return the tracks to show: the living and the just ended, the next to land first; at the end, all."""
        if self._final:
            return list(self._tally.tracks.values())[:TRACK_ROWS_MAX]
        ended_ns = self._now_ns - round(LINGER_S * 1e9)
        shown = [t for t in self._tally.tracks.values() if t.status != "dropped" or t.t_ns >= ended_ns]
        return sorted(shown, key=self._urgency)[:TRACK_ROWS_MAX]

    def _urgency(self, track: Track) -> tuple[bool, int, int]:
        impact = self._tally.impacts.get(track.track_id)
        return track.status == "dropped", impact.impact_t_ns if impact else sys.maxsize, track.track_id

    def _cells(self, track: Track) -> tuple[str, str, str, str, str, str, str]:
        tally = self._tally
        name, probability = track.classes[0] if track.classes else ("unknown", 0.0)
        impact, decision = tally.impacts.get(track.track_id), tally.decisions.get(track.track_id)
        engagement = tally.engagements.get(track.track_id)
        left = ""
        if track.status == "dropped":
            left = track.reason or "ended"
        elif impact is not None:
            left = f"{max((impact.impact_t_ns - self._now_ns) / 1e9, 0.0):.0f} s"
        action = f"{_SIGNS[decision.action]} {decision.action}" if decision else ""
        if engagement is not None:
            action = f"{action} {engagement.state}"
        return (
            f"{track.track_id}{'?' if track.status == 'coasting' else ' '}",
            f"{name} {probability:.2f}",
            words.place(impact, tally.threats.get(track.track_id), self._names) if impact else "",
            words.ellipse(impact) if impact else "",
            left,
            action,
            decision.reason.removeprefix(_SAID.get(decision.action, "")) if decision else "",
        )

    def _zones(self) -> RenderableType:
        """Return the zones in alarm, a line for each thing that people are told to do, the next impact first."""
        standing = [w for w in self._tally.alarms.values() if w.state not in _OVER]
        if not standing:
            return Text("no zone in alarm", style="dim")
        told: dict[str, list[str]] = {}
        waiting: list[str] = []
        for warning in sorted(standing, key=lambda w: (w.impact_t_ns, w.zone)):
            left_s = (warning.impact_t_ns - self._now_ns) / 1e9
            name = self._names.get(("zone", warning.zone), warning.zone)
            if left_s > 0.0:
                told.setdefault(words.ADVICE[warning.advice] or "stay in cover", []).append(f"{name} {left_s:.0f} s")
            else:
                waiting.append(name)
        text = Text()
        for advice, names in told.items():
            text.append(f"▲ {advice.upper()} ", style="bold white on red").append(
                f" {', '.join(names)}\n", style="bold red"
            )
        if waiting:
            text.append("▲ stay in cover until the all-clear: ").append(", ".join(waiting))
        text.rstrip()
        return text
