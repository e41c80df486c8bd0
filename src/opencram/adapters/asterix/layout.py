"""The tables of the categories: which items a record holds, in which order, and how each is laid out.

One text file a category in `tables/`; one line an item, in the order of the user application profile:

    040 RHO:16@1/256_NM THETA:16@360/2^16_°     a fixed item: named values of so many bits, first to last
    145 24@1/128_s                              a fixed item that is one value
    020 extended TYP:3 SIM:1 -:3 | TST:1 -:6    parts of seven bits; the eighth says that another follows
    030 chain 7                                 values, the bit after each says that another follows
    250 list MBDATA:56 BDS1:4 BDS2:4            a count of one byte, and so many groups
    130 compound                                a bit for each of the items indented below, then those items
    SP explicit                                 a length of one byte, itself included, and bytes
    -                                           a place in the order that no item has

A value is `name:bits`, then `s` if it is signed (two's complement), then `@` and what its last bit is
worth with its unit.  The name `-` stands for spare bits.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

Kind = Literal["fixed", "extended", "chain", "list", "compound", "explicit"]

CATEGORIES: Final = (15, 16, 34, 48, 62)
_KINDS: Final[tuple[Kind, ...]] = ("extended", "chain", "list", "compound", "explicit")
_TABLES: Final = Path(__file__).parent / "tables"


@dataclass(frozen=True)
class Value:
    """Some bits of an item.  `name` is empty for spare bits, and for the one value of an unnamed item."""

    name: str
    bits: int
    signed: bool = False
    lsb: float = 1.0
    unit: str = ""
    spare: bool = False


@dataclass(frozen=True)
class Item:
    """One item.  `parts`: the parts of an extended item; other kinds have one part, compounds have `items`."""

    name: str
    kind: Kind
    parts: tuple[tuple[Value, ...], ...] = ()
    items: tuple["Item | None", ...] = ()

    @cached_property
    def plain(self) -> bool:
        """Whether it (or each of a list) is one value without a name."""
        return len(self.parts) == 1 and len(self.parts[0]) == 1 and not self.parts[0][0].name

    @cached_property
    def length(self) -> int:
        """Bytes of a fixed item, or of one group of a list or chain."""
        bits = sum(value.bits for value in self.parts[0])
        return (bits + (1 if self.kind == "chain" else 0)) // 8

    @cached_property
    def places(self) -> dict[str, int]:
        """Place of each item of a compound, by name."""
        return _places(self.items)


@dataclass(frozen=True)
class Category:
    """The layout of the records of one category."""

    number: int
    edition: str
    items: tuple[Item | None, ...]  # in the order of the user application profile

    @cached_property
    def places(self) -> dict[str, int]:
        """Place of each item in that order, by name."""
        return _places(self.items)


def _places(items: Sequence[Item | None]) -> dict[str, int]:
    return {item.name: place for place, item in enumerate(items) if item is not None}


@functools.cache
def category(number: int) -> Category:
    """Return the layout of a category; `number` is one of `CATEGORIES`."""
    text = (_TABLES / f"{number:03d}.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    edition = lines[0].removeprefix("edition ")
    return Category(number, edition, tuple(_items(lines[1:], "")))


def _items(lines: Sequence[str], indent: str) -> Iterator[Item | None]:
    """Yield the items of these lines, each with the lines indented below it."""
    deeper = indent + "    "
    for place, line in enumerate(lines):
        if line.startswith(deeper):
            continue
        end = next((k for k in range(place + 1, len(lines)) if not lines[k].startswith(deeper)), len(lines))
        words = line.split()
        yield None if words == ["-"] else _item(words, lines[place + 1 : end], deeper)


def _item(words: Sequence[str], below: Sequence[str], indent: str) -> Item:
    name = words[0]
    kind: Kind = next((kind for kind in _KINDS if kind == words[1]), "fixed")
    if kind == "compound":
        return Item(name, kind, items=tuple(_items(below, indent)))
    if kind == "explicit":
        return Item(name, kind)
    rest = words[1:] if kind == "fixed" else words[2:]
    parts: list[list[Value]] = [[]]
    for word in rest:
        if word == "|":
            parts.append([])
        else:
            parts[-1].append(_value(word))
    item = Item(name, kind, tuple(tuple(part) for part in parts))
    for part in item.parts:
        bits = sum(value.bits for value in part) + (1 if kind in ("extended", "chain") else 0)
        assert bits % 8 == 0, f"item {name} does not fill its bytes"
        assert kind != "extended" or bits == 8, f"a part of item {name} is not one byte"
    return item


def _value(word: str) -> Value:
    name, colon, rest = word.partition(":")
    size, _, scale = rest.partition("@") if colon else word.partition("@")
    lsb, _, unit = scale.partition("_")
    return Value(
        name=name if colon and name != "-" else "",
        bits=int(size.removesuffix("s")),
        signed=size.endswith("s"),
        lsb=_number(lsb) if lsb else 1.0,
        unit=unit,
        spare=bool(colon) and name == "-",
    )


def _number(text: str) -> float:
    """Return the number "25", "1/128" or "360/2^16"."""
    above, _, below = text.partition("/")
    base, _, power = (below or "1").partition("^")
    return float(Fraction(int(above), int(base) ** int(power or 1)))
