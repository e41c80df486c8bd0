"""Doubled multicast: the same datagram over two groups or networks, told apart by being the very same bytes."""

from collections import deque
from typing import Final

TWIN_NS: Final = 2 * 10**9  # a datagram that comes again within this time is the other half
TWINS_MAX: Final = 16_384  # datagrams remembered


class Twins:
    """Remembers the datagrams of the last two seconds.  `count`: second copies seen."""

    def __init__(self) -> None:
        self.count = 0
        self._recent: deque[tuple[int, bytes]] = deque()
        self._known: set[bytes] = set()

    def is_twin(self, data: bytes, t_ns: int) -> bool:
        """Return whether the very datagram has come before, a moment ago; remember it."""
        recent = self._recent
        while recent and (t_ns - recent[0][0] > TWIN_NS or len(recent) >= TWINS_MAX):
            self._known.discard(recent.popleft()[1])
        if data in self._known:
            self.count += 1
            return True
        self._known.add(data)
        recent.append((t_ns, data))
        return False
