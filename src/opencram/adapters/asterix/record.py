"""One record at a time, every item, both ways: for tests, tools and encoders.  `columns` is the fast way in.

    record = {"010": {"SAC": 25, "SIC": 7}, "140": 5_529_600, "040": {"RHO": 2560, "THETA": 16384}}
    data = encode_block(category(48), [record])
    [(number, records)] = decode_blocks(data)

Values are the raw integers of the wire (`scaled` gives them their units), two's complement taken into
account; extended items and compounds are dicts of what is present, lists and chains are lists, explicit
fields and parts of an extended item that the edition does not know (under "+") are bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from opencram.adapters.asterix.layout import CATEGORIES, Category, Item, Value, category

HEADER_BYTES: Final = 3
BLOCK_BYTES_MAX: Final = 65_535
UNKNOWN_PARTS: Final = "+"

Record = dict[str, Any]


class Malformed(ValueError):
    """The bytes are not a record of this category and edition.  `code` is the kind of fault."""

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        super().__init__(reason)


# ---- in -------------------------------------------------------------------------------------------


def decode_blocks(data: bytes) -> Iterator[tuple[int, list[Record]]]:
    """Yield category and records of each data block; raises `Malformed` at the first fault.

    Blocks of categories without a table come with no records.
    """
    at = 0
    while at < len(data):
        if at + HEADER_BYTES > len(data):
            raise Malformed("truncated", f"{len(data) - at} bytes follow the last block")
        length = int.from_bytes(data[at + 1 : at + 3], "big")
        if length < HEADER_BYTES or at + length > len(data):
            raise Malformed("length", f"the block at byte {at} says it has {length} bytes; {len(data) - at} are left")
        number = data[at]
        records = decode_records(category(number), data[at + HEADER_BYTES : at + length])
        yield number, list(records) if number in CATEGORIES else []
        at += length


def decode_records(layout: Category, data: bytes) -> Iterator[Record]:
    """Yield the records of one block, without its header; raises `Malformed` at the first fault."""
    at = 0
    while at < len(data):
        record, at = decode_record(layout, data, at)
        yield record


def decode_record(layout: Category, data: bytes, at: int = 0) -> tuple[Record, int]:
    """Return the record that begins at byte `at`, and where the next one begins."""
    return _read_indexed(layout.items, data, at)


def _read_indexed(items: Sequence[Item | None], data: bytes, at: int) -> tuple[Record, int]:
    """Read a row of presence bits, then the items that it names: a record, or a compound item."""
    present: list[bool] = []
    while True:
        byte = _take(data, at, 1)[0]
        at += 1
        present += [bool(byte >> shift & 1) for shift in range(7, 0, -1)]
        if not byte & 1:
            break
        if len(present) >= len(items) + 7:
            raise Malformed("unknown_item", "the field specification is longer than the edition's profile")
    found: Record = {}
    for place, is_there in enumerate(present):
        if is_there:
            item = items[place] if place < len(items) else None
            if item is None:
                raise Malformed("unknown_item", f"item number {place + 1} of the profile is not in this edition")
            found[item.name], at = _read(item, data, at)
    return found, at


def _read(item: Item, data: bytes, at: int) -> tuple[Any, int]:
    if item.kind == "compound":
        return _read_indexed(item.items, data, at)
    if item.kind == "explicit":
        length = _take(data, at, 1)[0]
        if not length:
            raise Malformed("length", f"item {item.name} says that it has no bytes, not even this one")
        return _take(data, at + 1, length - 1), at + length
    if item.kind == "fixed":
        return _group(item, item.parts[0], _take(data, at, item.length)), at + item.length
    if item.kind == "list":
        count, begin = _take(data, at, 1)[0], at + 1
        groups = [_take(data, begin + k * item.length, item.length) for k in range(count)]
        return [_group(item, item.parts[0], group) for group in groups], begin + count * item.length
    if item.kind == "chain":
        values = []
        while True:
            group = _take(data, at, item.length)
            at += item.length
            values.append(_group(item, item.parts[0], group))
            if not group[-1] & 1:
                return values, at
    return _read_extended(item, data, at)


def _read_extended(item: Item, data: bytes, at: int) -> tuple[Record, int]:
    values: Record = {}
    place = 0
    while True:
        byte = _take(data, at, 1)
        at += 1
        if place < len(item.parts):
            values |= _values(item.parts[place], byte)
        else:
            values[UNKNOWN_PARTS] = values.get(UNKNOWN_PARTS, b"") + byte
        place += 1
        if not byte[0] & 1:
            return values, at


def _group(item: Item, part: Sequence[Value], data: bytes) -> Any:
    values = _values(part, data)
    return values[""] if item.plain else values


def _values(part: Sequence[Value], data: bytes) -> Record:
    whole, left = int.from_bytes(data, "big"), 8 * len(data)
    values = {}
    for value in part:
        left -= value.bits
        if not value.spare:
            raw = whole >> left & ((1 << value.bits) - 1)
            negative = value.signed and raw >> (value.bits - 1)
            values[value.name] = raw - (1 << value.bits) if negative else raw
    return values


def _take(data: bytes, at: int, length: int) -> bytes:
    if at + length > len(data):
        raise Malformed("truncated", "the block ends within a record")
    return data[at : at + length]


# ---- out ------------------------------------------------------------------------------------------


def encode_block(layout: Category, records: Sequence[Mapping[str, Any]]) -> bytes:
    """Return one data block of these records; they must fit into 65 535 bytes."""
    body = b"".join(encode_record(layout, record) for record in records)
    length = HEADER_BYTES + len(body)
    assert length <= BLOCK_BYTES_MAX, f"{len(records)} records do not fit into one block"
    return bytes([layout.number]) + length.to_bytes(2, "big") + body


def encode_record(layout: Category, record: Mapping[str, Any]) -> bytes:
    """Return the bytes of one record; raises `KeyError` for an item that the category does not have."""
    return _write_indexed(layout, record)


def _write_indexed(row: Category | Item, record: Mapping[str, Any]) -> bytes:
    """Write presence bits and items of a record, or of a compound item."""
    wanted = sorted([row.places[name] for name in record])
    presence = bytearray((wanted[-1] if wanted else 0) // 7 + 1)
    parts: list[bytes] = [b""]
    for place in wanted:
        presence[place // 7] |= 0x80 >> place % 7
        item = row.items[place]
        assert item is not None
        parts.append(_write(item, record[item.name]))
    for k in range(len(presence) - 1):
        presence[k] |= 1
    parts[0] = bytes(presence)
    return b"".join(parts)


def _write(item: Item, content: Any) -> bytes:
    if item.kind == "compound":
        return _write_indexed(item, content)
    if item.kind == "explicit":
        return bytes([len(content) + 1]) + bytes(content)
    part = item.parts[0]
    if item.kind == "fixed":
        return _packed(part, _named(item, content)).to_bytes(item.length, "big")
    if item.kind == "list":
        groups = [_packed(part, _named(item, one)).to_bytes(item.length, "big") for one in content]
        return bytes([len(groups)]) + b"".join(groups)
    if item.kind == "chain":
        numbers = [_packed(part, _named(item, one)) << 1 for one in content]
        last = len(numbers) - 1
        return b"".join((n | (k < last)).to_bytes(item.length, "big") for k, n in enumerate(numbers))
    return _write_extended(item, content)


def _write_extended(item: Item, content: Mapping[str, Any]) -> bytes:
    unknown = content.get(UNKNOWN_PARTS, b"")
    needed = [k for k, part in enumerate(item.parts) if any(v.name in content and not v.spare for v in part)]
    count = len(item.parts) if unknown else max(needed, default=0) + 1
    parts = [_packed(part, content) << 1 for part in item.parts[:count]] + list(unknown)
    last = len(parts) - 1
    return bytes(part & 0xFE | (k < last) for k, part in enumerate(parts))


def _named(item: Item, content: Any) -> Mapping[str, Any]:
    return {"": content} if item.plain else content


def _packed(part: Sequence[Value], content: Mapping[str, Any]) -> int:
    """Return the bits of a part as one integer; what is missing is 0, what does not fit is cut to its bits."""
    whole = 0
    for value in part:
        raw = 0 if value.spare else int(content.get(value.name, 0))
        whole = whole << value.bits | raw & ((1 << value.bits) - 1)
    return whole


# ---- units ----------------------------------------------------------------------------------------


def scaled(layout: Category, path: str, raw: int) -> float:
    """Return a raw value in its unit; `path` as in "040/RHO" or "625/R"."""
    return raw * value_at(layout, path).lsb


def value_at(layout: Category, path: str) -> Value:
    """Return what the table says of the value at `path`."""
    return find(layout, path)[1]


def find(layout: Category, path: str) -> tuple[tuple[Item, ...], Value]:
    """Return the value at `path`, and the items it is in, outermost first; `KeyError` if there is none."""
    names = path.split("/")
    items: Sequence[Item | None] = layout.items
    chain: list[Item] = []
    while names:
        item = next((item for item in items if item is not None and item.name == names[0]), None)
        if item is None:
            break
        chain.append(item)
        names = names[1:]
        if item.kind != "compound":
            name = names[0] if names else ""
            value = next((v for part in item.parts for v in part if v.name == name and not v.spare), None)
            if value is not None and len(names) <= 1:
                return tuple(chain), value
            break
        items = item.items
    raise KeyError(f"category {layout.number:03d} has no value {path}")
