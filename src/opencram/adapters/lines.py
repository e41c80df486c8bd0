"""Lines of a binary stream, as they arrive, in bounded memory whatever the stream holds."""

from collections.abc import Iterator
from typing import BinaryIO, Final

LINE_BYTES_MAX: Final = 64 * 1024
_BLOCK_BYTES: Final = 256 * 1024


def line_blocks(stream: BinaryIO) -> Iterator[tuple[list[bytes], bool]]:
    """Yield lines without their newline, as many as have arrived, and whether the last was cut by the end.

    A line longer than the limit is given in part, still longer than the limit, so that a reader sees it.
    On a pipe or a terminal, lines are given as soon as they are there.
    """
    # `read1` gives what has arrived; `read` would wait for a whole block.
    read = getattr(stream, "read1", stream.read)
    tail = b""
    while block := read(_BLOCK_BYTES):
        lines = block.split(b"\n")
        if len(tail) <= LINE_BYTES_MAX:
            lines[0] = tail + lines[0]
        elif len(lines) == 1:
            continue  # still within a line that is too long already
        else:
            lines[0] = tail
        tail = lines.pop()[: LINE_BYTES_MAX + 1]
        if lines:
            yield lines, False
    if tail:
        yield [tail], True
