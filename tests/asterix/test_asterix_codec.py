"""The codec against itself: what goes out comes back, record by record and in columns, and faults are named."""

import numpy as np
import pytest
from asterix_records import records
from hypothesis import given, settings
from hypothesis import strategies as st

from opencram.adapters.asterix.columns import ABSENT, BITS_MAX, ColumnReader, index_blocks
from opencram.adapters.asterix.layout import CATEGORIES, Item, category
from opencram.adapters.asterix.record import (
    Malformed,
    decode_blocks,
    decode_record,
    decode_records,
    encode_block,
    encode_record,
    scaled,
)


def paths(items: tuple[Item | None, ...], prefix: str = "") -> list[str]:
    """Every value of these items that fits a column."""
    found = []
    for item in items:
        if item is None or item.kind == "explicit":
            continue
        if item.kind == "compound":
            found += paths(item.items, f"{prefix}{item.name}/")
            continue
        for value in (v for part in item.parts for v in part if not v.spare and v.bits <= BITS_MAX):
            found.append(f"{prefix}{item.name}/{value.name}" if value.name else f"{prefix}{item.name}")
    return found


ALL = {number: tuple(paths(category(number).items)) for number in CATEGORIES}
READERS = {number: ColumnReader({number: ALL[number]}) for number in CATEGORIES}


def at_path(record: dict, path: str) -> int:
    """The value of a record as `record` decodes it; of lists the first; ABSENT if it is not there."""
    found: object = record
    for name in path.split("/"):
        if isinstance(found, list):
            found = found[0] if found else {}
        found = found.get(name) if isinstance(found, dict) else None
        if found is None:
            return ABSENT
    if isinstance(found, list):
        return found[0] if found else ABSENT
    return found


@pytest.mark.parametrize("number", CATEGORIES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_is_encoded_comes_back(number, data):
    layout = category(number)
    given_records = data.draw(st.lists(records(layout), min_size=1, max_size=4))
    block = encode_block(layout, given_records)
    [(found, decoded)] = decode_blocks(block)
    assert found == number
    assert decoded == given_records
    columns = READERS[number].read(index_blocks(np.frombuffer(block, dtype=np.uint8)), number)
    assert columns.is_good
    expected = [[at_path(record, path) for path in ALL[number]] for record in given_records]
    assert columns.values.tolist() == expected


@pytest.mark.parametrize("number", CATEGORIES)
@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=80))
def test_noise_is_judged_alike_by_both_decoders(number, body):
    """Whatever the bytes: no crash, and the columns hold the very records that come before the first fault."""
    block = bytes([number]) + (len(body) + 3).to_bytes(2, "big") + body
    good, at, fault = [], 0, ""
    while at < len(body) and not fault:
        try:
            record, at = decode_record(category(number), body, at)
            good.append(record)
        except Malformed as error:
            fault = error.code
    columns = READERS[number].read(index_blocks(np.frombuffer(block, dtype=np.uint8)), number)
    assert columns.is_good == (not fault)
    assert columns.values.tolist() == [[at_path(record, path) for path in ALL[number]] for record in good]


def test_an_unknown_part_of_an_extended_item_is_skipped_and_kept():
    layout = category(15)
    record = {"010": {"SAC": 1, "SIC": 2}, "020": {"MOMU": 1, "TTAX": 2, "SCD": 3, "+": b"\x55\xaa"}, "161": 77}
    data = encode_record(layout, record)
    found, end = decode_record(layout, data)
    assert end == len(data)
    assert found == {**record, "020": {**record["020"], "+": b"\x55\xaa"}}
    block = np.frombuffer(encode_block(layout, [record]), dtype=np.uint8)
    blocks = ColumnReader({15: ("161",)}).read(index_blocks(block), 15)
    assert blocks.values.tolist() == [[77]]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"\x80\x01", "truncated"),  # item 010 lacks a byte
        (b"\x81", "truncated"),  # more presence bits are promised
        (b"\x01\x01\x01\x01\x80\x00", "unknown_item"),
        (b"\x01\x01\x01\x04\x00", "length"),  # an explicit field of no bytes
        (b"\x01\x01\x01\x04\x09\x00", "truncated"),
    ],
)
def test_faults_have_a_name(body, code):
    with pytest.raises(Malformed) as fault:
        list(decode_records(category(48), body))
    assert fault.value.code == code
    block = np.frombuffer(b"\x30" + (len(body) + 3).to_bytes(2, "big") + body, dtype=np.uint8)
    blocks = READERS[48].read(index_blocks(block), 48)
    assert not blocks.is_good


def test_units_are_those_of_the_specifications():
    layout = category(48)
    assert scaled(layout, "040/RHO", 256) == 1.0  # NM
    assert scaled(layout, "040/THETA", 16384) == 90.0  # degrees
    assert scaled(layout, "110/3DH", -4) == -100.0  # feet
    assert scaled(layout, "140", 128) == 1.0  # seconds
    assert scaled(category(15), "625/R", 15) == pytest.approx(1.5)  # metres
    assert scaled(category(15), "628/EL", -16384) == pytest.approx(-45.0)
    assert scaled(category(15), "626/DV", 100) == pytest.approx(1.0)
    with pytest.raises(KeyError):
        scaled(layout, "040/NONE", 1)


def test_the_longest_block_is_refused_before_it_lies_about_its_length():
    layout = category(48)
    record = {"250": [{"MBDATA": 1, "BDS1": 2, "BDS2": 3}] * 255}
    with pytest.raises(AssertionError):
        encode_block(layout, [record] * 40)
