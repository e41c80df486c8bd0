"""Files of radar data that are not lines: ASTERIX, captured traffic, SAPIENT."""

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import BinaryIO, Final, Literal

from opencram.adapters.gate import Gate, Refusal
from opencram.adapters.pcap import CaptureError, CaptureReader
from opencram.adapters.stations import Station, limits
from opencram.adapters.times import day_ns
from opencram.adapters.twins import Twins
from opencram.messages import Health, Plot, Rejected

Kind = Literal["asterix", "capture", "sapient"]
Message = Plot | Rejected | Health

ENDINGS: Final[dict[str, Kind]] = {
    ".ast": "asterix",
    ".asterix": "asterix",
    ".raw": "asterix",
    ".pcap": "capture",
    ".pcapng": "capture",
    ".cap": "capture",
    ".sapient": "sapient",
}
_PIECE_BYTES: Final = 64 * 1024
_DAY: Final = re.compile(r"(?<!\d)(\d{4})-?(\d\d)-?(\d\d)(?!\d)")


def kind_of(name: str) -> Kind | None:
    """Return what a file of this name holds; None if it holds lines."""
    return ENDINGS.get(PurePath(name).suffix.lower())


def day_in(name: str) -> int | None:
    """Return the day (ns) that a file's name speaks of, as in raid-2026-01-01.ast or 20260101.ast."""
    for year, month, day in _DAY.findall(PurePath(name).name):
        try:
            return day_ns(f"{year}-{month}-{day}")
        except ValueError:
            continue
    return None


class BinaryPlotReader:
    """Reads one file.  ASTERIX has times of day only: the day is that of the file's name, or of the capture."""

    def __init__(self, name: str, stations: Sequence[Station], day: int | None = None) -> None:
        self._name = name
        self._kind = kind_of(name)
        self._stations = stations
        self._gate = Gate(limits(stations))
        self._day = day_in(name) if day is None else day
        self._pieces = 0

    def read_stream(self, stream: BinaryIO) -> Iterator[list[Message]]:
        """Yield the messages of a binary stream as it arrives, in bounded memory."""
        read = getattr(stream, "read1", stream.read)
        pieces = iter(lambda: read(_PIECE_BYTES), b"")
        if self._kind == "sapient":
            yield from self._read_sapient(pieces)
        elif self._kind == "capture":
            yield from self._read_capture(pieces)
        else:
            yield from self._read_asterix(pieces)
        out: list[Plot | Rejected] = []
        self._gate.finish(out)
        yield list(out)

    def _read_asterix(self, pieces: Iterator[bytes]) -> Iterator[list[Message]]:
        from opencram.adapters.asterix.reader import AsterixReader

        if self._day is None:
            words = "ASTERIX has times of day only, and the file's name tells no day (raid-2026-01-01.ast): 1970-01-01"
            yield self._refused("date", words)
        reader = AsterixReader(self._stations, self._gate, day_ns=self._day)
        for piece in pieces:
            yield reader.feed(piece)
        yield reader.finish()

    def _read_capture(self, pieces: Iterator[bytes]) -> Iterator[list[Message]]:
        from opencram.adapters.asterix.reader import AsterixReader

        reader, capture, twins = AsterixReader(self._stations, self._gate), CaptureReader(), Twins()
        for piece in pieces:
            try:
                datagrams = capture.feed(piece)
            except CaptureError as error:
                yield self._refused("not_capture", f"the capture cannot be read any further: {error}")
                return
            for datagram in datagrams:
                if not twins.is_twin(datagram.payload, datagram.t_ns):
                    yield reader.take(datagram.payload, datagram.t_ns)
                elif twins.count == 1:
                    yield self._refused("twin", "datagrams come twice; the copies are passed over")
        if capture.waiting:
            yield self._refused("truncated", f"the capture is cut off: its last {capture.waiting} bytes are no packet")

    def _read_sapient(self, pieces: Iterator[bytes]) -> Iterator[list[Message]]:
        from opencram.adapters.sapient.fusion import FusionNode

        node = FusionNode(self._stations, self._gate)
        for piece in pieces:
            received = node.receive(piece)
            yield received.messages
            if received.fatal:
                return
        yield node.finish()

    def _refused(self, code: str, words: str) -> list[Message]:
        out: list[Plot | Rejected] = []
        self._gate.refuse(out, 0, Refusal(code, words))
        return list(out)
