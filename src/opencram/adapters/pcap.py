"""Captured network traffic: pcap and pcapng files → UDP datagrams with the time of their capture.

    reader = CaptureReader()
    for piece in pieces:
        for datagram in reader.feed(piece): ...        # .t_ns, .payload, .port

Link layers: Ethernet (with VLAN tags), Linux cooked (v1 and v2), BSD loopback, raw IP.  IPv4 and IPv6;
fragments of IPv4 datagrams are put together.  What is not UDP is counted and passed over.
"""

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

RECORD_BYTES_MAX: Final = 1 << 20  # of one packet, or block of a pcapng file; beyond that the file is torn
FRAGMENTS_MAX: Final = 256  # datagrams being put together at a time

_MAGICS: Final = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
_SECTION: Final = b"\x0a\x0d\x0d\x0a"
_ETHERNET, _LOOPBACK, _RAW, _COOKED, _COOKED_2, _LOOP = 1, 0, 101, 113, 276, 108
_RAW_TYPES: Final = (_RAW, 12, 14, 228, 229)
_IP_TYPES: Final = (0x0800, 0x86DD)
_VLAN_TYPES: Final = (0x8100, 0x88A8, 0x9100)
_UDP: Final = 17
_EXTENSIONS: Final = (0, 43, 60)  # IPv6 headers that may stand before UDP


class CaptureError(ValueError):
    """The file is no capture, or torn beyond reading on."""


@dataclass(frozen=True)
class Datagram:
    """One UDP datagram as it was captured."""

    t_ns: int
    payload: bytes
    port: int  # where it went


@dataclass
class CaptureReader:
    """Takes a capture file apart, piece by piece.  `counts`: packets by what they were."""

    counts: Counter[str] = field(default_factory=Counter)
    _buffer: bytearray = field(default_factory=bytearray)
    _kind: str = ""
    _order: str = "<"
    _tick_ns: int = 1000
    _link: int = _ETHERNET
    _links: list[tuple[int, int, int]] = field(default_factory=list)  # link type, ticks a second, snap length
    _fragments: dict[tuple[bytes, int], dict[int, bytes]] = field(default_factory=dict)
    _ends: dict[tuple[bytes, int], int] = field(default_factory=dict)

    def feed(self, piece: bytes) -> list[Datagram]:
        """Return the datagrams that are whole now; raises `CaptureError` where nothing more can be read."""
        self._buffer += piece
        found: list[Datagram] = []
        at = 0
        try:
            while True:
                taken, packet = self._next(at)
                if not taken:
                    break
                at += taken
                if packet is not None:
                    found += self._datagram(*packet)
        finally:
            del self._buffer[:at]
        return found

    @property
    def waiting(self) -> int:
        """Bytes of a record that is not whole."""
        return len(self._buffer)

    # ---- the two file formats ----

    def _next(self, at: int) -> tuple[int, tuple[int, int, bytes] | None]:
        """Return how many bytes the next record takes (0: it is not whole), and its link type, time and bytes."""
        if self._kind == "pcapng":
            return self._next_block(at)
        if self._kind == "pcap":
            return self._next_record(at)
        head = bytes(self._buffer[at : at + 24])
        if len(head) < 4:
            return 0, None
        if head[:4] == _SECTION:
            self._kind = "pcapng"
            return self._next_block(at)
        if head[:4] not in _MAGICS:
            raise CaptureError("it begins neither as pcap nor as pcapng")
        if len(head) < 24:
            return 0, None
        self._kind = "pcap"
        self._order, self._tick_ns = _MAGICS[head[:4]]
        self._link = struct.unpack_from(self._order + "I", head, 20)[0] & 0x0FFF_FFFF
        return 24, None

    def _next_record(self, at: int) -> tuple[int, tuple[int, int, bytes] | None]:
        if len(self._buffer) < at + 16:
            return 0, None
        seconds, ticks, length, _ = struct.unpack_from(self._order + "IIII", self._buffer, at)
        if length > RECORD_BYTES_MAX:
            raise CaptureError(f"a packet of {length} bytes")
        if len(self._buffer) < at + 16 + length:
            return 0, None
        data = bytes(self._buffer[at + 16 : at + 16 + length])
        return 16 + length, (self._link, seconds * 10**9 + ticks * self._tick_ns, data)

    def _next_block(self, at: int) -> tuple[int, tuple[int, int, bytes] | None]:
        if len(self._buffer) < at + 12:
            return 0, None
        if self._buffer[at : at + 4] == _SECTION:
            self._order = "<" if self._buffer[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            self._links = []
        kind, length = struct.unpack_from(self._order + "II", self._buffer, at)
        if length < 12 or length % 4 or length > RECORD_BYTES_MAX:
            raise CaptureError(f"a block of {length} bytes")
        if len(self._buffer) < at + length:
            return 0, None
        body = bytes(self._buffer[at + 8 : at + length - 4])
        if kind == 1 and len(body) >= 8:
            link, _, snap = struct.unpack_from(self._order + "HHI", body)
            self._links.append((link, self._resolution(body[8:]), snap))
        elif kind == 6 and len(body) >= 20:
            return length, self._enhanced(body)
        elif kind == 3 and self._links:
            self.counts["without a time"] += 1
        return length, None

    def _resolution(self, options: bytes) -> int:
        """Return the ticks a second of an interface: option 9, else a million."""
        at = 0
        while at + 4 <= len(options):
            code, length = struct.unpack_from(self._order + "HH", options, at)
            if code == 9 and length == 1 and at + 4 < len(options):
                power = options[at + 4]
                return int(2 ** (power & 0x7F)) if power & 0x80 else int(10 ** min(power, 18))
            if code == 0:
                break
            at += 4 + (length + 3) // 4 * 4
        return 10**6

    def _enhanced(self, body: bytes) -> tuple[int, int, bytes] | None:
        number, high, low, captured, _ = struct.unpack_from(self._order + "IIIII", body)
        if number >= len(self._links) or 20 + captured > len(body):
            self.counts["torn"] += 1
            return None
        link, per_second, _ = self._links[number]
        return link, (high << 32 | low) * 10**9 // per_second, body[20 : 20 + captured]

    # ---- the layers of a packet ----

    def _datagram(self, link: int, t_ns: int, data: bytes) -> Iterator[Datagram]:
        packet = _network(link, data)
        transport = None if packet is None else self._transport(packet)
        if transport is None:
            self.counts["not UDP"] += 1
            return
        if len(transport) < 8:
            self.counts["fragment" if not transport else "torn"] += 1
            return
        port, length = struct.unpack_from(">HH", transport, 2)
        if not 8 <= length <= len(transport):
            self.counts["torn"] += 1
            return
        self.counts["UDP"] += 1
        yield Datagram(t_ns, transport[8:length], port)

    def _transport(self, packet: bytes) -> bytes | None:
        """Return the UDP part of an IP packet; None if there is none; empty for a fragment that waits."""
        if len(packet) < 20:
            return None
        if packet[0] >> 4 == 4:
            return self._transport_4(packet)
        if packet[0] >> 4 == 6 and len(packet) >= 40:
            kind, at = packet[6], 40
            end = 40 + int.from_bytes(packet[4:6], "big")
            while kind in _EXTENSIONS and at + 8 <= len(packet):
                kind, at = packet[at], at + 8 + 8 * packet[at + 1]
            return packet[at:end] if kind == _UDP else None
        return None

    def _transport_4(self, packet: bytes) -> bytes | None:
        header = (packet[0] & 15) * 4
        total, identity, flags = struct.unpack_from(">HHH", packet, 2)
        if packet[9] != _UDP or header < 20 or total < header:
            return None
        body = packet[header:total]
        begin, more = (flags & 0x1FFF) * 8, bool(flags & 0x2000)
        if not begin and not more:
            return body
        key = (packet[12:20], identity)
        if key not in self._fragments and len(self._fragments) >= FRAGMENTS_MAX:
            oldest = next(iter(self._fragments))
            del self._fragments[oldest]
            self._ends.pop(oldest, None)
            self.counts["incomplete"] += 1
        parts = self._fragments.setdefault(key, {})
        parts[begin] = body
        if not more:
            self._ends[key] = begin + len(body)
        return self._joined(key, parts)

    def _joined(self, key: tuple[bytes, int], parts: dict[int, bytes]) -> bytes:
        """Return a datagram whose fragments are all there; nothing if one is missing."""
        whole = b""
        for begin in sorted(parts):
            if begin > len(whole):
                return b""
            whole = whole[:begin] + parts[begin]
        if self._ends.get(key) != len(whole):
            return b""
        del self._fragments[key], self._ends[key]
        return whole


def _network(link: int, data: bytes) -> bytes | None:
    """Return the IP packet in a captured frame; None if it holds none."""
    if link in _RAW_TYPES:
        return data
    if link in (_LOOPBACK, _LOOP):
        return data[4:]
    if link == _COOKED:
        return data[16:] if int.from_bytes(data[14:16], "big") in _IP_TYPES else None
    if link == _COOKED_2:
        return data[20:] if int.from_bytes(data[:2], "big") in _IP_TYPES else None
    if link != _ETHERNET:
        return None
    at = 12
    while int.from_bytes(data[at : at + 2], "big") in _VLAN_TYPES:
        at += 4
    return data[at + 2 :] if int.from_bytes(data[at : at + 2], "big") in _IP_TYPES else None


def encode_pcap(datagrams: Iterator[tuple[int, bytes]] | list[tuple[int, bytes]], port: int = 8600) -> bytes:
    """Return a pcap file of these times (ns) and payloads, as UDP to a multicast group: for tests and examples."""
    parts = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 0x40000, _RAW)]
    for t_ns, payload in datagrams:
        udp = struct.pack(">HHHH", port, port, 8 + len(payload), 0) + payload
        header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 1, _UDP, 0, b"\x0a\0\0\1", b"\xef\0\0\1")
        packet = header + udp
        parts.append(struct.pack("<IIII", t_ns // 10**9, t_ns % 10**9, len(packet), len(packet)) + packet)
    return b"".join(parts)
