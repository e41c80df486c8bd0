"""The compiled walk through data blocks: every item by its length rules, the values asked for into columns.

A category is a table of nodes and one of picks, see `columns.Program`; node 0 is the record itself.
"""

from typing import Final

import numpy as np

from opencram.kernel import helper, kernel

ABSENT: Final = -(2**63)

# Kinds of node.
NONE, FIXED, CHAIN, LIST, EXPLICIT, COMPOUND = 0, 1, 2, 3, 4, 5
# Columns of the node table: kind, bytes, first child and their number, first pick and their number.
KIND, SIZE, CHILD, CHILDREN, PICK, PICKS = 0, 1, 2, 3, 4, 5
# What became of a block; a negative position within the kernels is the fault with its sign turned.
TRUNCATED, UNKNOWN_ITEM, BAD_LENGTH = 1, 2, 3


@helper
def _bits(data, at, first, count, signed):
    """Return `count` bits of `data` from bit `first` after byte `at`, as an integer."""
    begin = at + (first >> 3)
    end = at + ((first + count + 7) >> 3)
    value = np.uint64(0)
    for k in range(begin, end):
        value = (value << np.uint64(8)) | np.uint64(data[k])
    value >>= np.uint64((end - at) * 8 - first - count)
    value &= (np.uint64(1) << np.uint64(count)) - np.uint64(1)
    raw = np.int64(value)
    if signed and raw >> (count - 1):
        raw -= np.int64(1) << count
    return raw


@helper
def _pick(data, at, length, node, picks, values, row):
    """Extract from the item of this node, at byte `at`, all that is wanted and there."""
    for k in range(node[PICK], node[PICK] + node[PICKS]):
        if picks[k, 0] + picks[k, 1] <= length * 8:
            values[row, picks[k, 3]] = _bits(data, at, picks[k, 0], picks[k, 1], picks[k, 2])


@helper
def _item_length(data, at, end, node):
    """Return the length of an item that is no compound, or a negative fault."""
    kind, size = node[KIND], node[SIZE]
    if kind == FIXED:
        return size
    if kind == CHAIN:
        length = size
        while at + length <= end and data[at + length - 1] & 1:
            length += size
        return length
    if at >= end:
        return -TRUNCATED
    if kind == LIST:
        return 1 + data[at] * size
    if kind == EXPLICIT:
        return data[at] if data[at] > 0 else -BAD_LENGTH
    return -UNKNOWN_ITEM


@helper
def _presence(data, at, end):
    """Return how many bytes of presence bits there are at `at`; they may run beyond `end`."""
    count = 1
    while at + count <= end and data[at + count - 1] & 1:
        count += 1
    return count


@helper
def _read_item(data, at, end, node, picks, values, row):
    """Return where the item at `at` ends, or a negative fault; extract what is wanted of it."""
    length = _item_length(data, at, end, node)
    if length < 0:
        return length
    if at + length > end:
        return -TRUNCATED
    _pick(data, at, length, node, picks, values, row)
    return at + length


@kernel
def _read_compound(data, at, end, nodes, parent, picks, values, row):
    """Return where the compound item at `at` ends, or a negative fault."""
    count = _presence(data, at, end)
    if at + count > end:
        return -TRUNCATED
    flags, at = at, at + count
    for place in range(7 * count):
        if at >= 0 and data[flags + place // 7] & (0x80 >> place % 7):
            if place >= nodes[parent, CHILDREN]:
                at = -UNKNOWN_ITEM
            else:
                at = _read_item(data, at, end, nodes[nodes[parent, CHILD] + place], picks, values, row)
    return at


@kernel
def _read_record(data, at, end, nodes, picks, values, row):
    """Return where the record at `at` ends, or a negative fault; fill its row of `values`."""
    count = _presence(data, at, end)
    if at + count > end:
        return -TRUNCATED
    flags, at = at, at + count
    for place in range(7 * count):
        if at >= 0 and data[flags + place // 7] & (0x80 >> place % 7):
            child = nodes[0, CHILD] + place
            if place >= nodes[0, CHILDREN]:
                at = -UNKNOWN_ITEM
            elif nodes[child, KIND] == COMPOUND:
                at = _read_compound(data, at, end, nodes, child, picks, values, row)
            else:
                at = _read_item(data, at, end, nodes[child], picks, values, row)
    return at


@kernel
def read_blocks(data, begins, ends, nodes, picks, values, offsets, faults):
    """Fill a row for each record of the blocks, and the fault and last good byte of each block."""
    row = 0
    for block in range(len(begins)):
        at, end = begins[block] + 3, ends[block]
        faults[block, 0] = 0
        while at < end:
            for column in range(values.shape[1]):
                values[row, column] = ABSENT
            after = _read_record(data, at, end, nodes, picks, values, row)
            if after < 0:
                faults[block, 0] = -after
                break
            offsets[row] = at
            row += 1
            at = after
        faults[block, 1] = at
        faults[block, 2] = row
    return row


@kernel
def index_blocks(data, at, end, begins, ends):
    """Return how many blocks follow each other from `at` on, filling their places, and where they end."""
    count = 0
    while at + 3 <= end and count < len(begins):
        length = (np.int64(data[at + 1]) << 8) | np.int64(data[at + 2])
        if length < 3 or at + length > end:
            break
        begins[count] = at
        ends[count] = at + length
        count += 1
        at += length
    return count, at


@kernel
def next_block(data, at, end, wanted, more):
    """Return the first byte from `at` on where a block of a wanted category could begin; `end` if there is none.

    With `more`, the end of the block may still be to come.
    """
    while at < end:
        if wanted[data[at]]:
            if at + 4 > end:
                if more:
                    return at
            else:
                length = (np.int64(data[at + 1]) << 8) | np.int64(data[at + 2])
                # The shortest record has two bytes; its first byte says that it has an item.
                if length >= 5 and (more or length <= end - at) and data[at + 3] != 0:
                    return at
        at += 1
    return end
