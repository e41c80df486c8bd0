"""Messages on a TCP connection: each after its length, an unsigned integer of four bytes.

Ours is little-endian, as SAPIENT middleware sends it.  A peer that counts the other way round is recognised
by its first message, whose length would be absurd else.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

LENGTH_BYTES: Final = 4
FRAME_BYTES_MAX: Final = 1 << 20  # the largest real message, a registration, has some kilobytes


def framed(message: bytes) -> bytes:
    """Return a message as it goes on the wire."""
    return len(message).to_bytes(LENGTH_BYTES, "little") + message


@dataclass
class Deframer:
    """Cuts a stream into messages.  `fault`: why no later message can be found in it; empty while all is well."""

    fault: str = ""
    _buffer: bytearray = field(default_factory=bytearray)
    _order: Literal["little", "big"] | None = None

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the messages that are complete now; a length beyond all reason ends it for good."""
        if self.fault:
            return []
        self._buffer += piece
        found: list[bytes] = []
        at = 0
        while len(self._buffer) - at >= LENGTH_BYTES:
            length = self._length(bytes(self._buffer[at : at + LENGTH_BYTES]))
            if self.fault or len(self._buffer) - at - LENGTH_BYTES < length:
                break
            at += LENGTH_BYTES
            found.append(bytes(self._buffer[at : at + length]))
            at += length
        del self._buffer[: len(self._buffer) if self.fault else at]
        return found

    @property
    def waiting(self) -> int:
        """Bytes of a message that is not complete yet."""
        return len(self._buffer)

    def _length(self, head: bytes) -> int:
        orders: tuple[Literal["little", "big"], ...] = (self._order,) if self._order else ("little", "big")
        for order in orders:
            length = int.from_bytes(head, order)
            if length <= FRAME_BYTES_MAX:
                if length:
                    self._order = order
                return length
        self.fault = f"a message of {int.from_bytes(head, orders[0])} bytes; the most is {FRAME_BYTES_MAX}"
        return 0
