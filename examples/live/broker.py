"""A small MQTT broker for the demonstration, where mosquitto is not installed: one process, this machine only.

python examples/live/broker.py 1883

It speaks MQTT 3.1.1 and 5 as far as sirens need it: quality 0 and 1, retained messages with their expiry, wildcards
and last wills.  It asks nobody for a password and forgets everything when it ends: no broker for a site.
"""

import asyncio
import contextlib
import struct
import sys
import time
from dataclasses import dataclass, field

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 1, 2, 3, 4, 8, 9
UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = 10, 11, 12, 13, 14
EXPIRY = 0x02
# Bytes of the value of each property of MQTT 5; 0: a variable number, -1: a text, -2: two texts.  [MQTT 5, 2.2.2.2]
PROPERTIES = {
    0x01: 1, 0x02: 4, 0x03: -1, 0x08: -1, 0x09: -1, 0x0B: 0, 0x11: 4, 0x12: -1, 0x13: 2, 0x15: -1, 0x16: -1, 0x17: 1,
    0x18: 4, 0x19: 1, 0x1A: -1, 0x1C: -1, 0x1F: -1, 0x21: 2, 0x22: 2, 0x23: 2, 0x24: 1, 0x25: 1, 0x26: -2, 0x27: 4,
    0x28: 1, 0x29: 1, 0x2A: 1,
}  # fmt: skip


class Reader:
    """Reads the fields of a packet in their order."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        if self.at + count > len(self.data):
            raise ValueError("a packet that is too short")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, count: int) -> int:
        """Return the next bytes as a number."""
        return int.from_bytes(self.take(count), "big")

    def binary(self) -> bytes:
        """Return bytes after their length."""
        return self.take(self.number(2))

    def variable(self) -> int:
        """Return a number of one to four bytes."""
        value = 0
        for shift in (0, 7, 14, 21):
            byte = self.number(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise ValueError("a number that is too long")

    def expiry_s(self) -> int | None:
        """Pass over the properties; return the expiry of the message, if there is one."""
        end, expiry = self.variable(), None
        end += self.at
        while self.at < end:
            which = self.number(1)
            size = PROPERTIES[which]
            if size == 0:
                self.variable()
            elif size < 0:
                for _ in range(-size):
                    self.binary()
            elif which == EXPIRY:
                expiry = self.number(size)
            else:
                self.take(size)
        return expiry


@dataclass
class Message:
    """A message; `until_s`: when it expires, by the clock of this process."""

    topic: str
    payload: bytes
    quality: int
    until_s: float = float("inf")


@dataclass(eq=False)
class Session:
    """One connection."""

    writer: asyncio.StreamWriter
    version: int
    will: tuple[Message, bool] | None = None
    filters: dict[str, int] = field(default_factory=dict)
    packet: int = 0

    def send(self, kind: int, body: bytes) -> None:
        """Write a packet."""
        length, size = b"", len(body)
        while True:
            size, byte = divmod(size, 128)
            length += bytes([byte | 0x80 if size else byte])
            if not size:
                break
        first = kind if kind > 15 else kind << 4
        self.writer.write(bytes([first]) + length + body)

    def deliver(self, message: Message, *, retained: bool) -> None:
        """Send a message if any filter asks for it."""
        wanted = [quality for each, quality in self.filters.items() if matches(each, message.topic)]
        left_s = message.until_s - time.monotonic()
        if not wanted or left_s <= 0.0:
            return
        quality = min(max(wanted), message.quality)
        body = text(message.topic)
        if quality:
            self.packet = self.packet % 65_535 + 1
            body += struct.pack(">H", self.packet)
        if self.version == 5:
            body += b"\x00" if left_s == float("inf") else bytes([5, EXPIRY]) + struct.pack(">I", int(left_s) + 1)
        self.send(PUBLISH << 4 | quality << 1 | int(retained), body + message.payload)


def text(value: str) -> bytes:
    """Return a text after its length."""
    data = value.encode()
    return struct.pack(">H", len(data)) + data


def matches(pattern: str, topic: str) -> bool:
    """Return whether a filter with wildcards asks for a topic."""
    wanted, given = pattern.split("/"), topic.split("/")
    for place, level in enumerate(wanted):
        if level == "#":
            return True
        if place >= len(given) or level not in ("+", given[place]):
            return False
    return len(wanted) == len(given)


class Broker:
    """Who is connected, and what is retained."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []
        self.retained: dict[str, Message] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end; its last will is told unless it said goodbye."""
        session = None
        with contextlib.suppress(OSError, ValueError, KeyError, asyncio.IncompleteReadError):
            kind, _, body = await packet(reader)
            if kind == CONNECT:
                session = self.connect(Reader(body), writer)
                while True:
                    kind, flags, body = await packet(reader)
                    if kind == DISCONNECT:
                        if body[:1] in (b"", b"\x00"):
                            session.will = None
                        break
                    self.take(session, kind, flags, Reader(body))
                    await writer.drain()
        if session is not None:
            self.sessions.remove(session)
            if session.will is not None:
                self.publish(*session.will)
        writer.close()

    def connect(self, body: Reader, writer: asyncio.StreamWriter) -> Session:
        """Take a connection and acknowledge it."""
        body.binary()
        version, flags = body.number(1), body.number(1)
        body.number(2)
        if version == 5:
            body.expiry_s()
        body.binary()
        session = Session(writer, version)
        if flags & 0x04:
            if version == 5:
                body.expiry_s()
            topic = body.binary().decode()
            session.will = Message(topic, body.binary(), flags >> 3 & 3), bool(flags & 0x20)
        self.sessions.append(session)
        session.send(CONNACK, b"\x00\x00" + (b"\x00" if version == 5 else b""))
        return session

    def take(self, session: Session, kind: int, flags: int, body: Reader) -> None:
        """Take a packet."""
        five = session.version == 5
        if kind == PUBLISH:
            topic, quality = body.binary().decode(), flags >> 1 & 3
            number = body.take(2) if quality else b""
            expiry_s = body.expiry_s() if five else None
            until_s = float("inf") if expiry_s is None else time.monotonic() + expiry_s
            self.publish(Message(topic, body.data[body.at :], quality, until_s), bool(flags & 1))
            if quality:
                session.send(PUBACK, number)
        elif kind in (SUBSCRIBE, UNSUBSCRIBE):
            number = body.take(2)
            if five:
                body.expiry_s()
            codes = b""
            while body.at < len(body.data):
                pattern = body.binary().decode()
                if kind == SUBSCRIBE:
                    session.filters[pattern] = min(body.number(1) & 3, 1)
                    codes += bytes([session.filters[pattern]])
                else:
                    session.filters.pop(pattern, None)
                    codes += b"\x00"
            answer = SUBACK if kind == SUBSCRIBE else UNSUBACK
            session.send(answer, number + (b"\x00" if five else b"") + (codes if five or kind == SUBSCRIBE else b""))
            if kind == SUBSCRIBE:
                for message in self.retained.values():
                    session.deliver(message, retained=True)
        elif kind == PINGREQ:
            session.send(PINGRESP, b"")

    def publish(self, message: Message, retain: bool) -> None:
        """Pass a message on to all who asked for it."""
        if retain and message.payload:
            self.retained[message.topic] = message
        elif retain:
            self.retained.pop(message.topic, None)
        for session in self.sessions:
            session.deliver(message, retained=False)


async def packet(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    """Return kind, flags and body of the next packet."""
    first = (await reader.readexactly(1))[0]
    size = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
        if shift > 21:
            raise ValueError("a length that is too long")
    return first >> 4, first & 15, await reader.readexactly(size)


async def main(port: int) -> None:
    """Serve this machine until interrupted."""
    server = await asyncio.start_server(Broker().serve, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1])))
