"""Datagrams that the operating system dropped since nobody took them in time: counted, and told.

A service that is kept from the processor for longer than its socket's buffer lasts loses plots before it has seen
them.  Linux counts them for each socket (`SO_MEMINFO` of socket(7), kernel 4.12 and later); elsewhere nothing is known.
"""

import contextlib
import socket
import struct
from typing import Final

from opencram.messages import Health

_SO_MEMINFO: Final = 55  # asm-generic/socket.h
_WORDS: Final = struct.Struct("@9I")  # linux/sock_diag.h, SK_MEMINFO_*: the first is what waits, the last the drops
QUIET_NS: Final = 10 * 10**9  # without another loss, until it is over


def dropped(one: socket.socket) -> int | None:
    """Return how many datagrams a socket has lost since it was made; None where the system does not tell."""
    found = _memory(one)
    return None if found is None else found[-1]


def is_waiting(one: socket.socket) -> bool:
    """Return whether datagrams wait in a socket to be read; False where the system does not tell."""
    found = _memory(one)
    return found is not None and found[0] > 0


def unread(one: socket.socket) -> int:
    """Return how many datagrams wait in a socket that does not block, and let them go."""
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            one.recv(1)
            count += 1
    return count


def _memory(one: socket.socket) -> tuple[int, ...] | None:
    try:
        words = one.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _WORDS.size)
    except OSError:
        return None
    return _WORDS.unpack(words) if len(words) == _WORDS.size else None


class Overflow:
    """Follows the losses of one feed's socket."""

    def __init__(self, feed: str, one: socket.socket) -> None:
        self._part = f"feed:{feed}"
        self._socket = one
        self._before = self._inherited = dropped(one) or 0
        self._since: int | None = None  # losses of the bad spell that lasts
        self._last_ns = 0

    @property
    def is_waiting(self) -> bool:
        """Whether datagrams wait to be read."""
        return is_waiting(self._socket)

    def let_go(self, clock_ns: int) -> tuple[int, Health | None]:
        """Let go what waits, since the service ends; return how many datagrams, and what is to be said of them."""
        lost = unread(self._socket)
        if not lost:
            return 0, None
        reason = f"the service was told to stop while {lost} datagrams waited to be read: they are lost"
        return lost, Health(t_ns=clock_ns, part=self._part, state="degraded", reason=reason)

    def check(self, clock_ns: int) -> tuple[int, Health | None]:
        """Return how many were lost since the last look, and the feed's health if it has changed."""
        if self._inherited:  # another worker listened before: what it could not tell any more is in this number
            words = f"{self._inherited} datagrams were dropped, in all, before this worker began to listen"
            self._inherited = 0
            return 0, Health(t_ns=clock_ns, part=self._part, state="ok", reason=words)
        now = dropped(self._socket)
        # The counter has 32 bits and starts again.
        lost = 0 if now is None else (now - self._before) % 2**32
        self._before = self._before if now is None else now
        if lost:
            self._last_ns = clock_ns
            first = self._since is None
            self._since = lost + (self._since or 0)
            reason = (
                f"{lost} datagrams were dropped before they were read: this service got too little of the processor, "
                "or net.core.rmem_max is too small for its buffer"
            )
            return lost, Health(t_ns=clock_ns, part=self._part, state="degraded", reason=reason) if first else None
        if self._since is not None and clock_ns - self._last_ns >= QUIET_NS:
            words = f"no datagram was dropped for {QUIET_NS // 10**9} s; {self._since} were, in all"
            self._since = None
            return 0, Health(t_ns=clock_ns, part=self._part, state="ok", reason=words)
        return 0, None
