"""The clock of the live service: that of the day, but never set while rounds are in the air.

When somebody sets the clock of the machine, ahead by an hour say, rounds have not flown for an hour.
"""

import time
from collections.abc import Callable
from typing import Final

STEP_NS: Final = 1_000_000_000  # a clock that is set by less does no harm


class SteadyClock:
    """Time of the day (ns) that goes on evenly; what the machine's clock was set by is followed on `follow` only."""

    def __init__(
        self, day_ns: Callable[[], int] = time.time_ns, even_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._day_ns, self._even_ns = day_ns, even_ns
        self._ahead_ns = day_ns() - even_ns()

    def __call__(self) -> int:
        """Return the time."""
        return self._ahead_ns + self._even_ns()

    @property
    def set_by_ns(self) -> int:
        """By how much the machine's clock has been set since it was last followed; 0 if by too little to matter."""
        by_ns = self._day_ns() - self()
        return by_ns if abs(by_ns) > STEP_NS else 0

    def follow(self) -> int:
        """Take over the machine's clock; return by how much this one was set."""
        by_ns = self._day_ns() - self()
        self._ahead_ns += by_ns
        return by_ns
