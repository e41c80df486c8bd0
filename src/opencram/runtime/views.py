"""How a run is told line by line, and how any view of it is slowed down to be followed.

The live table is in `runtime.terminal`, with rich, which nothing else needs.
"""

import time
from collections.abc import Iterable, Sequence
from typing import TextIO

from opencram.config.model import Site
from opencram.messages import Decision, Engagement, Message, Track, Warning
from opencram.runtime import words
from opencram.runtime.sinks import Sink
from opencram.runtime.summary import Tally

WAIT_S_MAX = 0.5  # under a pace, no batch is waited for longer: gaps in the data are cut short


class EventLines:
    """Tells the main events of a run in one plain line each: alarms, new decisions, engagements, ends of tracks."""

    def __init__(self, site: Site) -> None:
        self._names = words.place_names(site)
        self._start_ns = 0
        self._actions: dict[int, tuple[str, str | None]] = {}
        self._confirmed: set[int] = set()

    def lines(self, inputs: Sequence[Message], outputs: Sequence[Message]) -> Iterable[str]:
        """Yield a line for each main event of a batch."""
        if not self._start_ns and inputs:
            self._start_ns = inputs[-1].t_ns
        for message in outputs:
            if text := self._text(message):
                yield f"{words.clock((message.t_ns - self._start_ns) / 1e9)} {text}"

    def _text(self, message: Message) -> str:
        match message:
            case Warning():
                return self._warning(message)
            case Decision():
                told = message.action, message.asset
                if self._actions.get(message.track_id) == told:
                    return ""
                self._actions[message.track_id] = told
                return f"TRACK {message.track_id} {message.reason}"
            case Engagement():
                return f"SIMULATED {message.effector} on track {message.track_id}: {message.state}"
            case Track():
                return self._track(message)
        return ""

    def _warning(self, warning: Warning) -> str:
        name = self._names.get(("zone", warning.zone), warning.zone)
        match warning.state:
            case "issued":
                return f"WARNING {name}: {words.ADVICE[warning.advice]}, impact in {warning.seconds_left:.0f} s"
            case "cancelled":
                return f"CANCELLED {name}: {warning.reason}"
            case "all_clear":
                return f"ALL CLEAR {name}"
            case "expired":
                return f"EXPIRED {name}: {warning.reason}"
        return ""

    def _track(self, track: Track) -> str:
        known = track.track_id in self._confirmed
        if track.status == "confirmed" and not known:
            self._confirmed.add(track.track_id)
            name, probability = track.classes[0] if track.classes else ("unknown", 0.0)
            return f"TRACK {track.track_id} confirmed: {name} {probability:.2f}, {track.plots} plots"
        if track.status == "dropped" and known:
            self._confirmed.discard(track.track_id)
            return f"TRACK {track.track_id} ended: {track.reason or 'dropped'}"
        return ""


class PlainView:
    """Main events as lines: for a file, a pipe, or a terminal without a live table."""

    def __init__(self, site: Site, out: TextIO) -> None:
        self._events = EventLines(site)
        self._out = out

    def take(self, inputs: Sequence[Message], outputs: Sequence[Message]) -> None:
        for line in self._events.lines(inputs, outputs):
            self._out.write(f"{line}\n")

    def close(self) -> None:
        self._out.flush()


class PacedView:
    """Another view, slowed down to `pace` seconds of data a second.  Gaps without plots are cut short.

    `waited_s`: how long the run was held up for it.
    """

    def __init__(self, view: Sink, pace: float) -> None:
        self._view = view
        self._pace = pace
        self._last_ns = 0
        self._due_s = 0.0
        self.waited_s = 0.0

    def take(self, inputs: Sequence[Message], outputs: Sequence[Message]) -> None:
        t_ns = inputs[-1].t_ns if inputs else 0
        wait_s = min(max((t_ns - self._last_ns) / 1e9 / self._pace, 0.0), WAIT_S_MAX) if self._last_ns else 0.0
        self._last_ns = max(self._last_ns, t_ns)
        self._due_s = max(self._due_s + wait_s, time.monotonic())  # a slow machine does not run to catch up
        if (left_s := self._due_s - time.monotonic()) > 0.0:
            time.sleep(left_s)
            self.waited_s += left_s
        self._view.take(inputs, outputs)

    def close(self) -> None:
        self._view.close()


def choose_view(tally: Tally, out: TextIO, pace: float) -> Sink:
    """Return the view for `out`: a live table on a terminal, else plain lines; slowed down by a `pace` above 0."""
    view: Sink
    if out.isatty():
        from opencram.runtime.terminal import LiveView  # rich is slow to import

        view = LiveView(tally, out)
    else:
        view = PlainView(tally.site, out)
    return PacedView(view, pace) if pace > 0.0 else view
