"""Recorded plots as if they came now, at any speed, and the clock that goes with them.

    opencram live SITE.toml --replay raid.opencram --speed 4

The service sees the plots of a file of any format at their times, moved so that the first comes now; its clock runs
`speed` times as fast as the day, and waits where the machine cannot keep up, so that nothing is late that was not.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

import msgspec

from opencram.config.model import Site
from opencram.errors import NoPlotsError, UsageError
from opencram.messages import Message, Plot
from opencram.recording import SUFFIX, read_inputs
from opencram.runtime.source import Source, read_plots

_NAP_S: Final = 0.02  # the longest sleep: whoever stops the service waits no longer
_AFTER_NS: Final = 1_000_000_000  # how far the clock may run beyond the last plot in one look

Give = Callable[[list[Plot], int], None]


class Played:
    """The plots of a file and their clock, for one run of the service."""

    def __init__(self, site: Site, path: Path, speed: float) -> None:
        if speed <= 0.0:
            raise UsageError(f"--speed {speed:g}: must be above 0; give how many times as fast")
        self._dwells: Iterator[tuple[int, Iterator[Plot]]] = groupby(plots_of(site, path), key=lambda plot: plot.t_ns)
        first = next(self._dwells, None)
        if first is None:
            raise NoPlotsError(f"{path} holds no plot; give a recording or a file of plots")
        self._next: tuple[int, list[Plot]] | None = (first[0], list(first[1]))
        self._speed = speed
        self._start_ns = time.time_ns()
        self._began_s = time.monotonic()
        self._shift_ns = self._start_ns - first[0]
        self._ended_ns = 0

    def clock(self) -> int:
        """Return the time of the run: never past the next plot that has not been given."""
        now_ns = self._fast_ns()
        if self._next is not None:
            return min(now_ns, self._next[0] + self._shift_ns)
        # Where the machine could not keep up, the end of the plots is behind the clock, which catches up in steps.
        self._ended_ns = max(self._ended_ns, min(now_ns, self._ended_ns + _AFTER_NS))
        return self._ended_ns

    async def run(self, give: Give, last_plot_id: int) -> None:
        """Give each dwell at its time, its plots numbered on."""
        while self._next is not None:
            t_ns, plots = self._next
            due_ns = t_ns + self._shift_ns
            while (left_ns := due_ns - self._fast_ns()) > 0:
                await asyncio.sleep(min(left_ns / 1e9 / self._speed, _NAP_S))
            moved: list[Plot] = []
            for plot in plots:
                last_plot_id += 1
                moved.append(msgspec.structs.replace(plot, t_ns=due_ns, plot_id=last_plot_id))
            give(moved, due_ns)
            following = next(self._dwells, None)
            self._ended_ns = due_ns
            self._next = None if following is None else (following[0], list(following[1]))
            await asyncio.sleep(0.0)

    def _fast_ns(self) -> int:
        return self._start_ns + round((time.monotonic() - self._began_s) * self._speed * 1e9)


def plots_of(site: Site, path: Path) -> Iterator[Plot]:
    """Yield the plots of a recording, or of a file in any format that `process` reads, in their order."""
    if path.suffix == SUFFIX:
        yield from (m for m in read_inputs(path) if type(m) is Plot)
        return
    with path.open("rb") as file:
        messages: Iterable[Message] = read_plots(site, Source(str(path), file))
        yield from (m for m in messages if type(m) is Plot)
