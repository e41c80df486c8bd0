"""Wrappers, trailers, foreign categories, broken records and noise: counted and told, never a crash, no plot lost."""

import random
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feed_data import STATIONS, T0, gate, plots
from opencram.adapters.asterix.encode import encode_plots, encode_service
from opencram.adapters.asterix.reader import AsterixReader
from opencram.messages import Plot, Rejected

SENT = plots(50)
BLOCKS = encode_plots(SENT, STATIONS, category=48)
FOREIGN = b"\x15\x00\x09\xf0\x01\x02\x03\x04\x05"  # category 021


def take_all(datagrams, **options):
    doorway = gate()
    reader = AsterixReader(STATIONS, doorway, **options)
    out = [message for datagram in datagrams for message in reader.take(datagram, T0)]
    doorway.finish(out)
    return out, reader


def feed_all(pieces):
    doorway = gate()
    reader = AsterixReader(STATIONS, doorway)
    out = [message for piece in pieces for message in reader.feed(piece, T0)]
    out += reader.finish()
    doorway.finish(out)
    return out, reader


def good(messages):
    return [(p.t_ns, p.range_m, p.azimuth_rad) for p in messages if isinstance(p, Plot)]


def codes(messages):
    return [m.code for m in messages if isinstance(m, Rejected)]


@cache
def plain():
    """The plots of all blocks, each in a datagram of its own."""
    return good(take_all(BLOCKS)[0])


def test_the_plain_stream_is_whole():
    assert len(plain()) == 50


@pytest.mark.parametrize(
    "header", [b"\x00" * 6, b"\x01\x02\x03\x04\x05\x06", b"\xff\x30\x00\x00\x10\x30", b"\x02\x00\x06"]
)
@pytest.mark.parametrize("trailer", [b"", b"\xa5\xa5\xa5\xa5", b"\x00", b"\x00" * 8])
def test_headers_and_trailers_are_skipped_and_told_once(header, trailer):
    wrapped = [header + block + trailer for block in BLOCKS]
    found, reader = take_all(wrapped)
    assert good(found) == plain()
    assert len(codes(found)) == (2 if trailer else 1)
    assert reader.counts["wrapper bytes"] + reader.counts["category 002"] * 3 == 50 * len(header) or header[0] == 2
    # And all of it as one file.
    assert good(feed_all([b"".join(wrapped)])[0]) == plain()


def test_several_blocks_in_a_datagram_and_foreign_ones_between():
    datagrams = [BLOCKS[k] + FOREIGN + BLOCKS[k + 1] for k in range(0, 50, 2)]
    found, reader = take_all(datagrams)
    assert good(found) == plain()
    assert codes(found) == ["category"]
    assert reader.counts["category 021"] == 25


def test_a_datagram_of_a_foreign_category_alone():
    found, reader = take_all([FOREIGN, FOREIGN])
    assert codes(found) == ["category"]
    assert reader.counts["category 021"] == 2
    assert reader.counts["malformed"] == 0


def test_a_broken_record_costs_itself_and_what_follows_in_its_block_only():
    three = encode_plots([p for p in plots(3)], STATIONS, category=48)
    body = b"".join(block[3:] for block in three)
    cut = len(three[0]) - 3 + 4  # within the second record, whose presence bits now promise more than there is
    broken = body[:cut]
    datagram = b"\x30" + (3 + len(broken)).to_bytes(2, "big") + broken
    found, reader = take_all([datagram, *BLOCKS[3:]])
    assert good(found) == [plain()[0], *plain()[3:]]
    assert codes(found) == ["malformed"]
    assert "048" in next(m.reason for m in found if isinstance(m, Rejected))
    assert reader.counts["malformed"] == 1


def test_an_item_that_the_edition_does_not_know_is_named():
    datagram = b"\x30\x00\x09\x01\x01\x01\x01\x80\x55"
    found, _ = take_all([datagram, *BLOCKS])
    assert codes(found) == ["malformed"]
    assert "edition" in found[0].reason


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000])
def test_a_stream_may_be_cut_anywhere(size):
    stream = b"".join([*BLOCKS[:25], encode_service(STATIONS[0], T0), FOREIGN, *BLOCKS[25:]])
    found, _ = feed_all([stream[k : k + size] for k in range(0, len(stream), size)])
    assert good(found) == plain()
    assert codes(found) == ["category"]


def test_a_file_with_noise_between_blocks_loses_nothing():
    draw = random.Random(7)
    noisy = [block + bytes(draw.randrange(256) for _ in range(draw.randrange(40))) for block in BLOCKS]
    found, _ = feed_all([b"".join(noisy)])
    missing = [p for p in plain() if p not in good(found)]
    assert missing == []


def test_a_datagram_of_noise_is_rejected_as_such():
    found, _ = take_all([b"\x00\x00\x00garbage", *BLOCKS[:5]])
    assert codes(found) == ["not_asterix"]


@settings(max_examples=150, deadline=None)
@given(noise=st.binary(max_size=400), place=st.integers(0, 49))
def test_noise_as_a_datagram_never_harms_the_others(noise, place):
    found, _ = take_all([*BLOCKS[:place], noise, *BLOCKS[place:]])
    assert set(plain()) <= set(good(found))


@settings(max_examples=100, deadline=None)
@given(flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=6), size=st.integers(1, 700))
def test_flipped_bytes_in_a_file_never_raise(flips, size):
    stream = bytearray(b"".join(BLOCKS))
    for at, value in flips:
        stream[at % len(stream)] = value
    found, _ = feed_all([bytes(stream[k : k + size]) for k in range(0, len(stream), size)])
    assert all(isinstance(m, Plot | Rejected) or m.part for m in found)


def test_the_worst_noise_is_bounded_in_time():
    """Every byte could begin a block, and none does."""
    found, _ = take_all([b"\x30" * 60_000])
    assert codes(found)
    assert np.all([isinstance(m, Rejected) for m in found])
