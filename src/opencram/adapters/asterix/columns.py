"""The fast way in: a stream of data blocks into NumPy columns, by one compiled kernel that the tables drive.

    reader = ColumnReader({48: ("010/SAC", "010/SIC", "140", "040/RHO", "040/THETA", "110/3DH")})
    batch = reader.read(data)           # whole data blocks
    batch.values[48]                    # int64 (records, columns), raw; ABSENT where a record has no such value

Every item of a record is walked by its length rules; only the columns asked for are extracted.  A record
that breaks them ends its block: what follows in the block cannot be found any more, and is reported.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opencram.adapters.asterix.kernels import (
    ABSENT,
    BAD_LENGTH,
    CHAIN,
    CHILD,
    CHILDREN,
    COMPOUND,
    EXPLICIT,
    FIXED,
    LIST,
    NONE,
    TRUNCATED,
    UNKNOWN_ITEM,
    read_blocks,
)
from opencram.adapters.asterix.kernels import index_blocks as _index_blocks
from opencram.adapters.asterix.layout import Category, Item, category
from opencram.adapters.asterix.record import find

__all__ = ["ABSENT", "Blocks", "ColumnReader", "Index", "Program", "index_blocks", "program"]

BITS_MAX: Final = 56  # of one column

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]

FAULTS: Final = {
    TRUNCATED: ("truncated", "a record runs beyond the end of its data block"),
    UNKNOWN_ITEM: ("unknown_item", "a record has an item that the edition does not know"),
    BAD_LENGTH: ("length", "an explicit field says that it has no bytes"),
}


@dataclass(frozen=True)
class Program:
    """A category's table as the kernel reads it: nodes, and what to pick from them."""

    nodes: Ints  # (n, 6)
    picks: Ints  # (m, 4): first bit in the item, bits, signed, column
    columns: tuple[str, ...]


def program(layout: Category, columns: Sequence[str]) -> Program:
    """Return the program that extracts these columns, named as in "040/RHO" or "625/R"."""
    for path in columns:
        chain, value = find(layout, path)
        assert len(chain) <= 2, f"{path} lies deeper than the kernel looks"
        assert value.bits <= BITS_MAX, f"{path} has more than {BITS_MAX} bits: no column"
    order = {path: place for place, path in enumerate(columns)}
    nodes: list[list[int]] = [[COMPOUND, 0, 1, len(layout.items), 0, 0]]
    picks: list[tuple[int, int, int, int]] = []
    _add_children(nodes, picks, 0, layout.items, "", order)
    table = np.array(picks, dtype=np.int64).reshape(-1, 4)
    return Program(np.array(nodes, dtype=np.int64), table, tuple(columns))


def _add_children(
    nodes: list[list[int]],
    picks: list[tuple[int, int, int, int]],
    parent: int,
    items: Sequence[Item | None],
    prefix: str,
    order: Mapping[str, int],
) -> None:
    """Append a node for each item, then those of the compounds among them."""
    first = len(nodes)
    nodes[parent][CHILD], nodes[parent][CHILDREN] = first, len(items)
    kinds = {"fixed": FIXED, "extended": CHAIN, "chain": CHAIN, "list": LIST}
    for item in items:
        begin = len(picks)
        if item is None:
            nodes.append([NONE, 0, 0, 0, 0, 0])
        elif item.kind in kinds:
            picks += _picks(item, prefix + item.name, order)
            size = 1 if item.kind == "extended" else item.length
            nodes.append([kinds[item.kind], size, 0, 0, begin, len(picks) - begin])
        else:
            nodes.append([EXPLICIT if item.kind == "explicit" else COMPOUND, 0, 0, 0, 0, 0])
    for place, item in enumerate(items):
        if item is not None and item.kind == "compound":
            _add_children(nodes, picks, first + place, item.items, f"{prefix}{item.name}/", order)


def _picks(item: Item, path: str, order: Mapping[str, int]) -> list[tuple[int, int, int, int]]:
    """Return the picks from one item; of a list or chain, those from its first group."""
    found = []
    bit = 8 if item.kind == "list" else 0
    for part in item.parts:
        for value in part:
            name = f"{path}/{value.name}" if value.name else path
            if not value.spare and name in order:
                found.append((bit, value.bits, int(value.signed), order[name]))
            bit += value.bits
        bit += 1 if item.kind == "extended" else 0
    return found


@dataclass(frozen=True)
class Blocks:
    """The blocks of one category, decoded.  `values[k]` is the record at byte `offsets[k]`."""

    category: int
    values: Ints  # (records, columns)
    offsets: Ints  # (records,)
    begins: Ints  # (blocks,)
    faults: Ints  # (blocks, 3): fault, byte where decoding ended, records so far

    @property
    def is_good(self) -> bool:
        """Whether every record of every block was decoded."""
        return not self.faults[:, 0].any()


@dataclass(frozen=True)
class Index:
    """Where the data blocks of a piece of data begin and end; `end` is where the chain of blocks ends."""

    data: Bytes
    begins: Ints
    ends: Ints
    end: int

    @property
    def categories(self) -> Bytes:
        """Category of each block."""
        return self.data[self.begins]


def index_blocks(data: Bytes, begin: int = 0, end: int | None = None) -> Index:
    """Follow the lengths of the blocks from byte `begin` on."""
    end = len(data) if end is None else end
    most = max((end - begin) // 3, 1)
    begins, ends = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
    count, at = _index_blocks(data, begin, end, begins, ends)
    return Index(data, begins[:count], ends[:count], int(at))


class ColumnReader:
    """Decodes blocks of the categories asked for, each into its own columns."""

    def __init__(self, columns: Mapping[int, Sequence[str]]) -> None:
        self._programs = {number: program(category(number), paths) for number, paths in columns.items()}

    @property
    def categories(self) -> tuple[int, ...]:
        """The categories that it decodes."""
        return tuple(self._programs)

    def columns(self, number: int) -> tuple[str, ...]:
        """The columns of a category, in the order of `Blocks.values`."""
        return self._programs[number].columns

    def read(self, index: Index, number: int) -> Blocks:
        """Decode all blocks of category `number`."""
        wanted = index.categories == number
        begins, ends = index.begins[wanted], index.ends[wanted]
        chosen = self._programs[number]
        # A record has at least a byte of presence bits; memory that is not written to costs nothing.
        most = int((ends - begins).sum()) - 3 * len(begins)
        values = np.empty((most + 1, len(chosen.columns)), dtype=np.int64)
        offsets = np.empty(most + 1, dtype=np.int64)
        faults = np.empty((len(begins), 3), dtype=np.int64)
        count = read_blocks(index.data, begins, ends, chosen.nodes, chosen.picks, values, offsets, faults)
        return Blocks(number, values[:count], offsets[:count], begins, faults)
