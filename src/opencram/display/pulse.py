"""The beat of all screens that follow a live run: at each tenth of the clock everybody gets the same bytes.

A screen costs one write: no task is woken for it and nothing is made for it alone, unless it is behind.  Backpressure
is the write buffer of its connection: while bytes wait there it is passed over, and then gets the newest frame and
every event since its last one.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from opencram.display.session import FRAME_S, Place, Session
from opencram.display.wire import Wire, frames

STALLED_S: Final = 60.0  # a screen that has taken nothing for so long is let go; it comes back when it is awake


@dataclass(slots=True)
class _Screen:
    wire: Wire
    taken_s: float  # when it last had nothing waiting


class Pulse:
    """Serves the sessions that have joined, until they leave.  Everything is on the loop of the server."""

    def __init__(self) -> None:
        self._screens: dict[Session, _Screen] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """How many screens are served."""
        return len(self._screens)

    def join(self, session: Session, wire: Wire) -> None:
        """Serve a session that follows, from the next tenth on."""
        self._screens[session] = _Screen(wire, time.monotonic())
        if self._timer is None:
            self._next()

    def leave(self, session: Session) -> None:
        """Serve it no more."""
        self._screens.pop(session, None)
        if not self._screens and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def beat(self, now_s: float) -> None:
        """Write what has come since the last beat to everybody who has taken that."""
        made: dict[Place, tuple[bytes, Place]] = {}
        for session, screen in self._screens.items():
            wire = screen.wire
            if wire.waiting:
                if now_s - screen.taken_s > STALLED_S:
                    wire.cut()
                continue
            screen.taken_s = now_s
            if not wire.open:
                continue
            place = session.place
            if (known := made.get(place)) is None:
                session.advance(0.0)
                known = made[place] = (frames(session.outgoing(now_s)), session.place)
            else:
                session.move_on(known[1])
            wire.write(known[0])

    def _next(self) -> None:
        now_s = time.monotonic()
        wait_s = (int(now_s / FRAME_S) + 1) * FRAME_S - now_s
        self._timer = asyncio.get_running_loop().call_later(max(wait_s, 0.001), self._beat)

    def _beat(self) -> None:
        self._next()
        self.beat(time.monotonic())
