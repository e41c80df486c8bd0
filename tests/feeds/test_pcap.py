"""Captures: both formats, every clock and link layer, fragments, torn files; and `process` of binary files."""

import io
import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feed_data import STATIONS, T0, gate, plots
from opencram.adapters.asterix.encode import encode_plots
from opencram.adapters.binary import BinaryPlotReader, day_in, kind_of
from opencram.adapters.pcap import CaptureError, CaptureReader, encode_pcap
from opencram.adapters.sapient import edge
from opencram.adapters.times import day_ns
from opencram.messages import Plot, Rejected

assert gate
PAYLOADS = [b"first", b"second" * 10, b"third"]
TIMES = [T0 + k * 123_456_789 for k in range(3)]
PCAP = encode_pcap(list(zip(TIMES, PAYLOADS, strict=True)))
IPV4 = PCAP[24 + 16 : 24 + 16 + 20 + 8 + 5]  # the first packet


def datagrams(data, size=10**6):
    reader = CaptureReader()
    return [d for k in range(0, len(data), size) for d in reader.feed(data[k : k + size])], reader


def pcap(frames, *, link=1, order="<", magic=0xA1B2C3D4):
    head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65_535, link)
    return head + b"".join(struct.pack(order + "IIII", 1000, 5, len(f), len(f)) + f for f in frames)


@pytest.mark.parametrize("size", [1, 5, 10**6])
def test_what_is_written_is_read(size):
    found, reader = datagrams(PCAP, size)
    assert [(d.t_ns, d.payload, d.port) for d in found] == [(t, p, 8600) for t, p in zip(TIMES, PAYLOADS, strict=True)]
    assert reader.counts == {"UDP": 3}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "t_ns"), [(0xA1B2C3D4, 1000 * 10**9 + 5000), (0xA1B23C4D, 1000 * 10**9 + 5)])
def test_both_orders_and_clocks(order, magic, t_ns):
    [found], _ = datagrams(pcap([IPV4], link=101, order=order, magic=magic))
    assert (found.t_ns, found.payload) == (t_ns, b"first")


MAC = b"\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c"


@pytest.mark.parametrize(
    ("link", "head"),
    [
        (1, MAC + b"\x08\x00"),
        (1, MAC + b"\x81\x00\x00\x05\x08\x00"),
        (1, MAC + b"\x88\xa8\x00\x05\x81\x00\x00\x06\x08\x00"),
        (0, b"\x02\0\0\0"),
        (113, b"\0" * 14 + b"\x08\x00"),
        (276, b"\x08\x00" + b"\0" * 18),
        (228, b""),
    ],
)
def test_link_layers(link, head):
    [found], _ = datagrams(pcap([head + IPV4], link=link))
    assert found.payload == b"first"


def test_ipv6_with_an_extension_header():
    udp = IPV4[20:]
    options = bytes([17, 0]) + b"\0" * 6
    header = b"\x60\0\0\0" + struct.pack(">HBB", len(options) + len(udp), 0, 64) + b"\0" * 32
    [found], _ = datagrams(pcap([header + options + udp], link=229))
    assert found.payload == b"first"


def test_fragments_are_put_together_in_any_order():
    udp = struct.pack(">HHHH", 1, 8600, 8 + 64, 0) + bytes(range(64))
    parts = []
    for begin in (0, 24, 48):
        body = udp[begin : begin + 24]
        more = 0x2000 if begin + 24 < len(udp) else 0
        head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 77, more | begin // 8, 1, 17, 0, b"abcd", b"efgh")
        parts.append(head + body)
    found, reader = datagrams(pcap([parts[2], parts[0], IPV4, parts[1]], link=101))
    assert [d.payload for d in found] == [b"first", bytes(range(64))]
    assert reader.counts["fragment"] == 2


def test_what_is_not_udp_is_counted():
    tcp = IPV4[:9] + b"\x06" + IPV4[10:]
    _, reader = datagrams(pcap([tcp, b"", b"\x45", IPV4[:22]], link=101))
    assert reader.counts == {"not UDP": 3, "torn": 1}


def block(kind, body, order="<"):
    body += b"\0" * (-len(body) % 4)
    return struct.pack(order + "II", kind, 12 + len(body)) + body + struct.pack(order + "I", 12 + len(body))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("option", "ticks"), [(b"", 10**6), (b"\x09", 10**9), (b"\x8a", 1024)])
def test_pcapng(order, option, ticks):
    section = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    options = struct.pack(order + "HH", 9, 1) + option + b"\0\0\0" if option else b""
    interface = block(1, struct.pack(order + "HHI", 101, 0, 65_535) + options, order)
    when = 1000 * ticks + ticks // 2
    packet = struct.pack(order + "IIIII", 0, when >> 32, when & 0xFFFFFFFF, len(IPV4), len(IPV4)) + IPV4
    name = block(4, b"\0" * 4, order)
    data = section + interface + name + block(6, packet, order)
    for size in (3, 10**6):
        [found], _ = datagrams(data, size)
        assert (found.t_ns, found.payload) == (1000 * 10**9 + 500_000_000, b"first")


def test_a_file_that_is_no_capture():
    with pytest.raises(CaptureError):
        datagrams(b"hello, world")
    with pytest.raises(CaptureError):
        datagrams(PCAP[:24] + b"\xff" * 40)


@settings(max_examples=200, deadline=None)
@given(flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=5), cut=st.integers(0, 500))
def test_a_damaged_capture_never_raises_anything_else(flips, cut):
    data = bytearray(PCAP)
    for at, value in flips:
        data[at % len(data)] = value
    with suppress(CaptureError):
        datagrams(bytes(data[: len(data) - cut]), 50)


# ---- binary files as `process` reads them ----


def read_file(name, data):
    return [m for part in BinaryPlotReader(name, STATIONS).read_stream(io.BytesIO(data)) for m in part]


def test_files_of_every_ending():
    sent = plots(40)
    blocks = encode_plots(sent, STATIONS)
    capture = encode_pcap([(p.t_ns + 10**6, b) for p, b in zip(sent, blocks, strict=True)])
    files = {
        "raid-2026-01-01.ast": b"".join(blocks),
        "20260101.RAW": b"".join(blocks),
        "raid.pcap": capture,
        "raid.sapient": b"".join(edge.encode_plots(sent, STATIONS)),
    }
    for name, data in files.items():
        found = read_file(name, data)
        assert [type(m) for m in found] == [Plot] * 40, name
        assert max(abs(a.t_ns - b.t_ns) for a, b in zip(sent, found, strict=True)) < 4_000_000
        assert [m.line for m in found] == list(range(1, 41))


def test_a_capture_of_a_doubled_group():
    sent = plots(20)
    blocks = encode_plots(sent, STATIONS)
    capture = encode_pcap([(p.t_ns + k, b) for p, b in zip(sent, blocks, strict=True) for k in (0, 10**5)])
    found = read_file("raid.pcapng", capture)
    assert sum(isinstance(m, Plot) for m in found) == 20
    assert [m.code for m in found if isinstance(m, Rejected)] == ["twin"]


def test_a_file_that_tells_no_day_says_so():
    found = read_file("raid.ast", b"".join(encode_plots(plots(10), STATIONS)))
    assert [m.code for m in found if isinstance(m, Rejected)] == ["date"]
    assert all(m.t_ns < 86_400 * 10**9 for m in found if isinstance(m, Plot))


def test_a_cut_capture_gives_what_it_holds():
    sent = plots(10)
    capture = encode_pcap([(p.t_ns, b) for p, b in zip(sent, encode_plots(sent, STATIONS), strict=True)])
    found = read_file("raid.pcap", capture[:-10])
    assert sum(isinstance(m, Plot) for m in found) == 9
    assert [m.code for m in found if isinstance(m, Rejected)] == ["truncated"]


@pytest.mark.parametrize(
    ("name", "day"),
    [("raid-2026-01-01.ast", "2026-01-01"), ("20260301_x.ast", "2026-03-01"), ("x.ast", None), ("99999999.ast", None)],
)
def test_the_day_in_a_name(name, day):
    assert day_in(name) == (day_ns(day) if day else None)
    assert kind_of(name) == "asterix"
