"""Where plots come from: a file or standard input, read as it arrives, its last lines remembered."""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

from opencram.adapters.columns import ColumnMap
from opencram.adapters.readers import is_binary, plot_reader
from opencram.adapters.stations import limits
from opencram.config.model import Site
from opencram.errors import FileError
from opencram.messages import Message, Plot, Rejected
from opencram.runtime.stations import stations

STANDARD = "-"
RAW_BYTES_MAX = 4096  # of one rejected line that are kept
_BLOCKS_KEPT = 4  # a rejection may come some lines late, when later plots have shown a time to be wrong
_FIRST_MESSAGES_MAX = 2000  # looked through for the first plot


@contextmanager
def opened(path: str, standard_input: BinaryIO) -> Iterator["Source"]:
    """Open a plot file, or standard input for "-"."""
    if path == STANDARD:
        yield Source("standard input", standard_input)
        return
    with _opened(path) as file:
        yield Source(path, file)


def _opened(path: str) -> BinaryIO:
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise FileError(
            f"cannot read plots from {path}: {error.strerror}; give a .ndjson, .csv, .ast, .pcap or .sapient file"
        ) from error


class Source:
    """A stream of plots that remembers its last lines, so that a rejected one can be recorded as it was read."""

    def __init__(self, name: str, stream: BinaryIO) -> None:
        self.name = name
        self._stream = stream
        self._blocks: deque[tuple[int, bytes]] = deque(maxlen=_BLOCKS_KEPT)  # with the line that each begins in
        self._line = 1

    def read1(self, size: int = -1) -> bytes:
        """Return what has arrived, at most `size` bytes; nothing at the end."""
        try:
            block = self._stream.read1(size) if hasattr(self._stream, "read1") else self._stream.read(size)
        except OSError as error:
            raise FileError(f"cannot read plots from {self.name}: {error.strerror or error}") from error
        self._blocks.append((self._line, block))
        self._line += block.count(b"\n")
        return block

    read = read1

    def raw_line(self, rejected: Rejected) -> bytes | None:
        """Return the line that led to a rejection, cut to a sane length, or None if it is long gone."""
        line = rejected.line
        if is_binary(self.name) or line is None or not self._blocks or line < self._blocks[0][0]:
            return None
        parts = [(first, block) for first, block in self._blocks if first <= line <= first + block.count(b"\n")]
        text = b"".join(block for _, block in parts)
        lines = text.split(b"\n")
        index = line - parts[0][0] if parts else len(lines)
        return lines[index][:RAW_BYTES_MAX] if index < len(lines) else None


def read_plots(site: Site, source: Source, columns: ColumnMap | None = None) -> Iterator[Message]:
    """Return the plots of a source and what was rejected, in order, read as they are asked for.

    `columns`: how a CSV file is to be read.
    """
    known = stations(site)
    reader = plot_reader(source.name, limits(known), columns, known)
    return chain.from_iterable(reader.read_stream(cast(BinaryIO, source)))


@dataclass(frozen=True)
class Input:
    """Plots to be processed, and the time of the first of them (0: there is none)."""

    first_t_ns: int
    messages: Iterable[Message]


def look_ahead(messages: Iterator[Message]) -> Input:
    """Return the messages with the time of their first plot, for the head of a recording."""
    seen: list[Message] = []
    for message in messages:
        seen.append(message)
        if type(message) is Plot or len(seen) >= _FIRST_MESSAGES_MAX:
            break
    first_t_ns = next((m.t_ns for m in seen if type(m) is Plot), seen[0].t_ns if seen else 0)
    return Input(first_t_ns, chain(seen, messages))
