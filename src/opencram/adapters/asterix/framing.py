"""Finds the data blocks in a datagram or a stream, whatever recorders and gateways have put around them.

A datagram is a chain of blocks, each of a category byte, a length of two bytes and records.  Around it there
may be a header (six bytes is usual) and a trailer; in files, around each block.  Bytes that belong to no
block are skipped up to the next block that decodes without fault, and counted.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opencram.adapters.asterix.columns import Blocks, ColumnReader, Index, index_blocks
from opencram.adapters.asterix.kernels import TRUNCATED, next_block

BLOCK_BYTES_MAX: Final = 65_535
WRAPPER_BYTES_MAX: Final = 64  # of a header that looks like a block of a category without a table
FOREIGN_TRIED: Final = 8  # such blocks in one chain that are looked into
TRIES_MAX: Final = 1000  # places where a block could begin, in one piece of data; what follows is given up
# Categories that EUROCONTROL has published: what else stands there is hardly the start of a block.
PUBLISHED: Final = (
    *(1, 2, 3, 4, 7, 8, 9, 10, 11, 15, 16, 17, 18, 19, 20, 21, 23, 25, 26, 30, 31, 32, 34, 48, 49),
    *(62, 63, 65, 129, 150, 204, 205, 240, 247, 252),
)

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Chain:
    """Blocks that follow each other directly, decoded by category; `wrapper` bytes were skipped before them."""

    index: Index
    blocks: tuple[Blocks, ...]
    wrapper: int

    @property
    def foreign(self) -> tuple[int, ...]:
        """Category of each block that no table decodes."""
        ours = {blocks.category for blocks in self.blocks}
        return tuple(int(number) for number in self.index.categories if int(number) not in ours)


@dataclass(frozen=True)
class Split:
    """What a piece of data holds.  `rest`: bytes at its end that may be the start of a block still to come."""

    chains: tuple[Chain, ...]
    trailer: int  # bytes after the last block
    rest: int


def _table(numbers: tuple[int, ...]) -> NDArray[np.bool_]:
    table = np.zeros(256, dtype=np.bool_)
    table[list(numbers)] = True
    return table


class Framer:
    """Splits data into chains of blocks, and decodes those of the reader's categories."""

    def __init__(self, reader: ColumnReader) -> None:
        self._reader = reader
        self._ours = _table(reader.categories)
        self._published = _table(tuple({*PUBLISHED, *reader.categories}))

    def split(self, data: Bytes, *, more: bool) -> Split:
        """Return the chains of blocks in `data`; with `more`, a last block may be cut and waits in `rest`."""
        chains: list[Chain] = []
        at = skipped_from = tries = 0
        while at < len(data) and tries < TRIES_MAX:
            chain = self._chain(data, at, at - skipped_from, more=more)
            if chain is not None:
                chains.append(chain)
                at = skipped_from = chain.index.end
                continue
            if more and self._is_cut(data, at):
                break
            at = int(next_block(data, at + 1, len(data), self._ours, more))
            tries += 1
        rest = len(data) - at if more and tries < TRIES_MAX else 0
        return Split(tuple(chains), len(data) - rest - skipped_from, rest)

    def _is_cut(self, data: Bytes, at: int) -> bool:
        """Return whether a block might begin here whose end has not come yet."""
        if not self._published[data[at]]:
            return False
        if at + 3 > len(data):
            return True
        length = int(data[at + 1]) << 8 | int(data[at + 2])
        if length <= len(data) - at:
            return False
        if not self._ours[data[at]]:
            return True
        # What is there of it must be records as far as it goes: noise seldom is.
        begin, end = np.array([at], dtype=np.int64), np.array([len(data)], dtype=np.int64)
        blocks = self._reader.read(Index(data, begin, end, len(data)), int(data[at]))
        return int(blocks.faults[0, 0]) in (0, TRUNCATED)

    def _chain(self, data: Bytes, at: int, wrapper: int, *, more: bool) -> Chain | None:
        """Return the blocks that begin at `at`, as far as they can be believed; None if that is nowhere."""
        index = index_blocks(data, at)
        if not len(index.begins):
            return None
        categories = index.categories
        strange = np.flatnonzero(~self._published[categories])
        if len(strange):
            index = _cut(index, int(strange[0]))
        blocks = self._decoded(index)
        if index.end == len(data) and all(found.is_good for found in blocks) and self._ours[index.categories].any():
            return Chain(index, blocks, wrapper)
        whole = index.end == len(data) or (more and self._is_cut(data, index.end))
        keep = self._believed(index, blocks, whole=whole)
        if keep == 0:
            return None
        if keep < len(index.begins):
            index = _cut(index, keep)
            blocks = self._decoded(index)
        return Chain(index, blocks, wrapper)

    def _believed(self, index: Index, blocks: tuple[Blocks, ...], *, whole: bool) -> int:
        """Return how many of the blocks are real.

        A block that decodes is.  One that does not, or is of a category without a table, is if the next
        real block, or the end of the data (`whole`), follows it directly, and if it hides no real block in
        its first bytes, as a header that looks like a block does.  But a chain of nothing else is not, if
        within it a block begins that decodes: then it is a header that looks like one.
        """
        good = np.zeros(len(index.begins), dtype=np.bool_)
        for found in blocks:
            at = np.searchsorted(index.begins, found.begins)
            good[at] = found.faults[:, 0] == 0
        for place in np.flatnonzero(~self._ours[index.categories])[:FOREIGN_TRIED]:
            if self._hides(index.data, int(index.begins[place]), int(index.ends[place])):
                good, whole = good[:place], False
                break
        real = np.flatnonzero(good)
        last = int(real[-1]) + 1 if len(real) else 0
        if whole and last < len(good):
            end = len(index.data)
            hidden = int(next_block(index.data, int(index.begins[last]) + 1, end, self._ours, False))
            if last or hidden >= end or not self._decodes(index.data, hidden):
                return len(good)
        return last

    def _hides(self, data: Bytes, at: int, end: int) -> bool:
        """Return whether a block that decodes begins within the first bytes of the block from `at` to `end`."""
        end = min(at + WRAPPER_BYTES_MAX, end)
        hidden = int(next_block(data, at + 1, len(data), self._ours, False))
        while hidden < end:
            index = _cut(index_blocks(data, hidden), 1)
            if all(found.is_good for found in self._decoded(index)):
                return True
            hidden = int(next_block(data, hidden + 1, len(data), self._ours, False))
        return False

    def _decodes(self, data: Bytes, at: int) -> bool:
        """Return whether from here to the end every block is ours and decodes."""
        index = index_blocks(data, at)
        whole = index.end == len(data) and bool(self._ours[index.categories].all())
        return whole and all(found.is_good for found in self._decoded(index))

    def _decoded(self, index: Index) -> tuple[Blocks, ...]:
        present = np.flatnonzero(np.bincount(index.categories, minlength=256))
        return tuple(self._reader.read(index, int(number)) for number in present if self._ours[number])


def _cut(index: Index, count: int) -> Index:
    """Return the first `count` blocks."""
    end = int(index.ends[count - 1]) if count else int(index.begins[0])
    return Index(index.data, index.begins[:count], index.ends[:count], end)
