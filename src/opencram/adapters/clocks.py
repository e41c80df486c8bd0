"""Clocks of sensors beside ours: one that jumps by more than a minute is set right, and that is told.

A sensor whose clock jumps by an hour would carry the time of all data with it, or be refused for an hour as late.
While any sensor's clock agrees with ours within `STEP_NS`, plots of one that does not are refused until three scans
bear its offset out; from then on their times are moved by it.  A clock that comes back is believed at once.  Where no
sensor ever agreed with ours, as when a recording is sent to a live service, times stay as they are.

What is less than a minute off may be a slow line as well as a wrong clock, and a line must not be taken for a clock: it
would put every round where it was some seconds ago.  That is told (`adapters.watch`), not moved.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median_low
from typing import Final

STEP_NS: Final = 60 * 10**9  # nearer than this a clock agrees with ours
SAME_NS: Final = 10**9  # offsets of one clock, seen through a line that varies, differ less
SCANS: Final = 3  # that bear an offset out


@dataclass(slots=True)
class _Clock:
    """One sensor's clock.  Offsets are what is to be added to its times (ns)."""

    newest_ns: int = 0  # of its times, when it last agreed,
    delay_ns: int = 0  # and from it to ours
    offset_ns: int = 0
    is_off: bool = False  # whether its last plot was moved
    seen: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=SCANS))  # times, and ours less these


class Clocks:
    """The clocks of all sensors of a site.  `now_ns` is ours, set before the plots that have come are judged."""

    def __init__(self) -> None:
        self.now_ns = 0
        self._clocks: dict[str, _Clock] = {}
        self._back_ns: Mapping[str, int] = {}
        self._is_agreed = False
        self._last: tuple[str, int] = ("", -1)
        self._answer: int | None = None

    def expect(self, back_ns: Mapping[str, int]) -> None:
        """Say how much older than its newest a sensor's scan may be, since scans overtake one another on their way."""
        self._back_ns = back_ns

    def ours(self, sensor: str, t_ns: int) -> int | None:
        """Return a time that a sensor has given by our clock, or None where it cannot be told yet: refuse the plot."""
        if (sensor, t_ns) != self._last:  # else another plot of the same scan
            self._last, self._answer = (sensor, t_ns), self._judge(sensor, t_ns)
        return self._answer

    def offset_s(self, sensor: str) -> float | None:
        """Return by how much (s) the clock of a sensor is behind ours, if its plots are moved; None if they are not."""
        clock = self._clocks.get(sensor)
        return clock.offset_ns / 1e9 if clock is not None and clock.is_off else None

    def forget(self) -> None:
        """Our own clock was set: nothing that is known of the others holds any more."""
        self._clocks.clear()
        self._is_agreed = False
        self._last = ("", -1)

    def reason(self, sensor: str, t_ns: int) -> str:
        """Say why a plot of that time is refused."""
        off_s = (self.now_ns - t_ns) / 1e9
        way = "behind" if off_s > 0.0 else "ahead of"
        return f"the clock of sensor {sensor} is {abs(off_s):.1f} s {way} ours; {SCANS} scans have to bear that out"

    def _judge(self, sensor: str, t_ns: int) -> int | None:
        clock = self._clocks.setdefault(sensor, _Clock())
        behind_ns, back_ns = self.now_ns - t_ns, self._back_ns.get(sensor, 0)
        same_ns = SAME_NS + back_ns  # a scan that was overtaken took so much longer
        if abs(behind_ns) <= STEP_NS:
            if clock.newest_ns - back_ns <= t_ns < clock.newest_ns:
                return t_ns  # it was overtaken by what is known already
            if t_ns > clock.newest_ns:  # a scan that is given again and again tells nothing of the line
                clock.newest_ns, clock.delay_ns = t_ns, behind_ns
            clock.is_off = False
            clock.seen.clear()
            self._is_agreed = True
            return t_ns
        if not self._is_agreed:
            return t_ns
        if not clock.is_off or abs(behind_ns - clock.delay_ns - clock.offset_ns) > same_ns:
            newest_ns = max((each for each, _ in clock.seen), default=t_ns - 1)
            if t_ns < newest_ns - back_ns:
                clock.seen.clear()
            elif any(t_ns == each for each, _ in clock.seen):  # the same scan again: no clock stands still
                return None
            clock.seen.append((t_ns, behind_ns))
            offsets_ns = [each for _, each in clock.seen]
            if len(offsets_ns) < SCANS or max(offsets_ns) - min(offsets_ns) > same_ns:
                return None
            clock.offset_ns = median_low(offsets_ns) - clock.delay_ns
        clock.is_off = True
        return t_ns + clock.offset_ns
