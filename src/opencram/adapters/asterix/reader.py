"""ASTERIX in: datagrams, streams and files → plots, each rejection with its reason, and what radars say of themselves.

    reader = AsterixReader(stations, Gate(limits(stations)))
    messages = reader.take(datagram, reference_t_ns=received_t_ns)

CAT015 and CAT048 give plots.  CAT034 and CAT016 give the health of a radar and the place it claims.  Other
categories are counted, and told of once.  A record that cannot be read ends its block, which is rejected by
name; everything before it is used.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opencram.adapters.asterix.clock import TICKS_PER_DAY, t_ns_near
from opencram.adapters.asterix.columns import ABSENT, FAULTS, Blocks, ColumnReader
from opencram.adapters.asterix.framing import BLOCK_BYTES_MAX, Chain, Framer
from opencram.adapters.asterix.measured import COLUMNS, WORDS, Measured, measured
from opencram.adapters.asterix.service import SERVICE_COLUMNS, ServiceWatch
from opencram.adapters.gate import Gate, Refusal
from opencram.adapters.stations import Station, numbered
from opencram.adapters.times import DAY_NS
from opencram.messages import Health, Plot, Rejected

Message = Plot | Rejected | Health

_TO_DEG: Final = 180.0 / math.pi
_PLOT_CATEGORIES: Final = (15, 48)
_SERVICE_CATEGORIES: Final = (16, 34)
_VALUES: Final = (  # in the order that the gate takes them
    *("range_m", "azimuth_rad", "elevation_rad", "range_rate_m_s", "snr_db"),
    *("range_m_std", "azimuth_rad_std", "elevation_rad_std"),
)
_PIECE_RECORDS: Final = 4096  # that share one reference for their date


class AsterixReader:
    """Turns ASTERIX into messages, for one feed or file.

    `simulated`: targets that a radar marks as simulated are plots.  `day_ns`: the day of the first record,
    where nothing else tells it.  `counts`: records by category ("048"), blocks of categories that are not
    read ("category 021"), skipped bytes ("wrapper bytes", "trailer bytes"), broken blocks ("malformed").
    """

    def __init__(
        self, stations: Sequence[Station], gate: Gate, *, simulated: bool = True, day_ns: int | None = None
    ) -> None:
        self.stations = numbered(stations)
        self.counts: Counter[str] = Counter()
        self.service = ServiceWatch(self.stations)
        self._gate = gate
        self._simulated = simulated
        self._day_ns = day_ns
        self._reader = ColumnReader({**COLUMNS, **SERVICE_COLUMNS, 62: ("010/SAC", "010/SIC")})
        self._framer = Framer(self._reader)
        self._record = 0
        self._tail = b""
        self._last_reference_t_ns: int | None = None

    def take(self, datagram: bytes, reference_t_ns: int | None = None) -> list[Message]:
        """Return what one datagram leads to; `reference_t_ns`: about when it was sent."""
        return self._take(np.frombuffer(datagram, dtype=np.uint8), reference_t_ns, more=False)[0]

    def feed(self, piece: bytes, reference_t_ns: int | None = None) -> list[Message]:
        """Return what the next piece of a stream or file leads to; a block that is cut waits for the rest."""
        data = self._tail + piece
        self._last_reference_t_ns = reference_t_ns
        out, rest = self._take(np.frombuffer(data, dtype=np.uint8), reference_t_ns, more=True)
        self._tail = data[len(data) - rest :] if rest else b""
        assert len(self._tail) <= BLOCK_BYTES_MAX
        return out

    def finish(self) -> list[Message]:
        """Return what waited: the stream is at its end.  The gate's own `finish` is the caller's."""
        tail, self._tail = self._tail, b""
        return self.take(tail, self._last_reference_t_ns) if tail else []

    # ---- blocks ----

    def _take(self, data: NDArray[np.uint8], reference_t_ns: int | None, *, more: bool) -> tuple[list[Message], int]:
        out: list[Message] = []
        split = self._framer.split(data, more=more)
        for chain in split.chains:
            if chain.wrapper:
                self._tell(out, "wrapper bytes", chain.wrapper, "wrapper", "bytes before the data blocks are skipped")
            self._take_chain(out, chain, reference_t_ns)
        if split.trailer and not split.chains:
            self.counts["noise bytes"] += split.trailer
            reason = f"{split.trailer} bytes hold no ASTERIX data block"
            self._gate.refuse(out, self._record, Refusal("not_asterix", reason, reference_t_ns))  # type: ignore[arg-type]
        elif split.trailer:
            self._tell(out, "trailer bytes", split.trailer, "trailer", "bytes after the data blocks are skipped")
        return out, split.rest

    def _take_chain(self, out: list[Message], chain: Chain, reference_t_ns: int | None) -> None:
        for number in chain.foreign:
            self._tell(out, f"category {number:03d}", 1, "category", f"ASTERIX category {number:03d} is not read here")
        found: list[Measured] = []
        for blocks in chain.blocks:
            self.counts[f"{blocks.category:03d}"] += len(blocks.values)
            if blocks.category in _PLOT_CATEGORIES:
                found.append(measured(blocks, self.stations, simulated=self._simulated))
            elif blocks.category in _SERVICE_CATEGORIES:
                self._take_service(out, blocks, reference_t_ns)
            else:
                self._tell(out, "tracks of others", len(blocks.values), "not_plot", "records of CAT062 are tracks")
        self._take_measured(out, found, reference_t_ns)
        for blocks in chain.blocks:
            self._tell_faults(out, blocks, reference_t_ns)

    def _take_service(self, out: list[Message], blocks: Blocks, reference_t_ns: int | None) -> None:
        ticks = blocks.values[:, SERVICE_COLUMNS[blocks.category].index("140" if blocks.category == 16 else "030")]
        times = t_ns_near(np.where(ticks == ABSENT, 0, ticks), self._reference(ticks, reference_t_ns))
        out += self.service.take(blocks, times)

    def _tell_faults(self, out: list[Message], blocks: Blocks, reference_t_ns: int | None) -> None:
        for fault, at, _ in blocks.faults[blocks.faults[:, 0] > 0].tolist():
            self.counts["malformed"] += 1
            code, words = FAULTS[fault]
            reason = f"CAT{blocks.category:03d} block broken off at byte {at} ({code}): {words}"
            self._gate.refuse(out, self._record, Refusal("malformed", reason, reference_t_ns))  # type: ignore[arg-type]

    def _tell(self, out: list[Message], name: str, count: int, code: str, words: str) -> None:
        """Count something that is passed over; say so the first time."""
        if not self.counts[name]:
            self._gate.refuse(out, self._record, Refusal(code, f"{words}; from here on they are only counted"))  # type: ignore[arg-type]
        self.counts[name] += count

    # ---- plots ----

    def _take_measured(self, out: list[Message], found: Sequence[Measured], reference_t_ns: int | None) -> None:
        """Pass measurements of both categories to the gate, in the order of their records."""
        if not found:
            return
        order = np.argsort(np.concatenate([one.offset for one in found]), kind="stable")
        joined = {name: np.concatenate([getattr(one, name) for one in found])[order] for name in _VALUES}
        for name in ("azimuth_rad", "elevation_rad", "azimuth_rad_std", "elevation_rad_std"):
            joined[name] = joined[name] * _TO_DEG
        ticks, station, source, fault = (
            np.concatenate([getattr(one, name) for one in found])[order]
            for name in ("ticks", "station", "source", "fault")
        )
        cuts = [*range(0, len(ticks), _PIECE_RECORDS), len(ticks)]
        for begin, end in pairwise(cuts):
            piece = slice(begin, end)
            t_ns = t_ns_near(ticks[piece], self._reference(ticks[piece], reference_t_ns))
            wrong = (fault[piece] > 0) | (station[piece] < 0) | (ticks[piece] < 0) | (ticks[piece] >= TICKS_PER_DAY)
            odd = _Odd(source[piece], fault[piece], wrong)
            self._pass(out, t_ns, station[piece], odd, [column[piece] for column in joined.values()])

    def _pass(
        self,
        out: list[Message],
        t_ns: NDArray[np.int64],
        station: NDArray[np.int64],
        odd: "_Odd",
        values: Sequence[NDArray[np.float64]],
    ) -> None:
        """Give the gate the plots of each dwell at once, and what is none with its reason, in the order of records."""
        if not len(t_ns):
            return
        reach_m = np.array([*(self._gate.reach_m(one.id) for one in self.stations), 0.0])  # −1, of none, is the last
        columns = self._gate.columns(reach_m[station], values)
        parts = (t_ns[1:] != t_ns[:-1]) | (station[1:] != station[:-1]) | (odd.wrong[1:] != odd.wrong[:-1])
        cuts = [0, *(np.flatnonzero(parts) + 1).tolist(), len(t_ns)]
        for begin, end in pairwise(cuts):
            place = int(station[begin])
            sensor = self.stations[place].id if place >= 0 else ""
            if odd.wrong[begin]:
                self._refuse(out, begin, end, odd, sensor, t_ns)
            else:
                line = self._record + begin + 1
                self._gate.take_many(out, line, int(t_ns[begin]), sensor, columns, begin, end)  # type: ignore[arg-type]
        self._record += len(t_ns)

    def _refuse(
        self, out: list[Message], begin: int, end: int, odd: "_Odd", sensor: str, t_ns: NDArray[np.int64]
    ) -> None:
        for at in range(begin, end):
            if not sensor:
                code, words = "unknown_sensor", f"the site has no sensor of {_source(int(odd.source[at]))}"
            elif odd.fault[at]:
                code, words = WORDS[int(odd.fault[at])]
            else:
                code, words = "time", "its time of day is beyond the 86400 seconds of a day"
            refusal = Refusal(code, words, None if code == "time" else int(t_ns[at]), sensor)
            self._gate.refuse(out, self._record + at + 1, refusal)  # type: ignore[arg-type]

    def _reference(self, ticks: NDArray[np.int64], reference_t_ns: int | None) -> int:
        """Return a time near these times of day: as told, else that of the newest plot, else of the given day."""
        if reference_t_ns is not None:
            return reference_t_ns
        about_ns = self._gate.about_t_ns
        if about_ns is not None:
            return about_ns
        known = ticks[(ticks >= 0) & (ticks < TICKS_PER_DAY)]
        middle = int(np.median(known)) if len(known) else 0
        return (self._day_ns or 0) + middle * (DAY_NS // TICKS_PER_DAY)


@dataclass(frozen=True)
class _Odd:
    """Which records are no plots, and what is known of why."""

    source: NDArray[np.int64]  # 256 SAC + SIC
    fault: NDArray[np.int64]
    wrong: NDArray[np.bool_]


def _source(source: int) -> str:
    return f"SAC {source // 256} and SIC {source % 256}" if source >= 0 else "no name (I/010 is missing)"
