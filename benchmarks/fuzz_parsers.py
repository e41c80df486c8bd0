"""Fuzz every parser, of feeds and of files: random bytes, and good input cut, spliced and flipped.  None may raise.

    python benchmarks/fuzz_parsers.py [--inputs 1000000] [--only asterix,sapient] [--seed 1]

Prints a line for each parser: inputs, bytes, what was taken (plots, records, whole files), faults that were told, and
seconds of the processor.  Ends with status 1, and the input in hexadecimal, if a parser raised or gave something that
is no message.
"""

import argparse
import math
import random
import sys
import time
from collections.abc import Callable, Iterator

from fuzz_files import Take, file_parsers
from opencram.adapters.asterix.encode import encode_plots, encode_service
from opencram.adapters.asterix.layout import CATEGORIES, category
from opencram.adapters.asterix.record import Malformed, decode_records
from opencram.adapters.feeds import Feed, FeedConfig
from opencram.adapters.gate import Gate
from opencram.adapters.pcap import CaptureError, CaptureReader, encode_pcap
from opencram.adapters.sapient import edge
from opencram.adapters.stations import Station, limits, numbered
from opencram.messages import Health, Plot, Rejected

T0 = 1_767_225_600_000_000_000
STATION = Station(
    id="north", latitude_rad=0.58, longitude_rad=0.77, height_m=40.0, range_m_std=10.0, azimuth_rad_std=1.5e-3,
    elevation_rad_std=1.5e-3, range_m_max=20_000.0, period_s=0.1,
)  # fmt: skip
STATIONS = numbered([STATION])
CONNECTION = 50  # inputs after which a stream is connected anew: what waits for the rest of a block is let go
RESTART = 5000  # inputs after which a parser begins anew, as after a lost connection
FORGET = 200  # inputs after which a feed is another: plots that have come before are plots again, not duplicates


def samples() -> list[Plot]:
    """Good plots, each with another range and with and without the optional values."""
    return [
        Plot(
            t_ns=T0 + k * 100_000_000, plot_id=k + 1, sensor="north", range_m=3000.0 + 97.0 * k,
            azimuth_rad=0.1 * k % (2.0 * math.pi), elevation_rad=0.2 + 0.01 * k,
            range_rate_m_s=-200.0 if k % 2 else None, snr_db=15.0 if k % 3 else None,
        )
        for k in range(40)
    ]  # fmt: skip


def texts() -> list[bytes]:
    line = (
        b'{"type":"plot","time":"2026-01-01T00:00:07.300000Z","sensor":"north","range_m":3635.728,'
        b'"azimuth_deg":163.614682,"elevation_deg":45.560954,"range_rate_m_s":-210.5}\n'
    )
    return [line, line.replace(b"3635.728", b"NaN"), b'{"type":"plot"}\n', b"\xef\xbb\xbf" + line, line * 3]


def rows() -> list[bytes]:
    head = b"time,sensor,range_m,azimuth_deg,elevation_deg\n"
    row = b'2026-01-01T00:00:07.300000Z,north,3635.728,163.614682,"45.560954"\n'
    return [head + row, row, row * 4, b"a,b\n", b'"' + row]


def feed_taker(form: str, *, stream: bool) -> Callable[[], Take]:
    """Return what makes a parser as the live service has it."""

    def make() -> Take:
        config = FeedConfig(name="f", format=form, stream=stream, simulated=True)  # type: ignore[arg-type]
        feed = Feed(config, STATIONS, Gate(limits(STATIONS)))
        clock = T0 + 10_000_000_000  # after all good plots

        def take(data: bytes) -> tuple[int, int]:
            nonlocal clock, feed
            clock += 1_000_000
            if clock // 1_000_000 % FORGET == 0:
                feed = Feed(config, STATIONS, Gate(limits(STATIONS)))
            if stream and clock // 1_000_000 % CONNECTION == 0:
                feed.disconnected(clock)
            received = feed.receive(data, clock)
            if received.fatal:
                received.messages.extend(feed.disconnected(clock))
            assert all(isinstance(m, Plot | Rejected | Health) for m in received.messages)
            assert isinstance(received.reply, bytes)
            return sum(isinstance(m, Plot) for m in received.messages), sum(
                isinstance(m, Rejected) for m in received.messages
            )

        return take

    return make


def capture_taker() -> Take:
    def take(data: bytes) -> tuple[int, int]:
        try:
            return len(CaptureReader().feed(data)), 0  # each input is a file of its own
        except CaptureError:
            return 0, 1

    return take


def record_taker() -> Take:
    def take(data: bytes) -> tuple[int, int]:
        count = 0
        layout = category(CATEGORIES[len(data) % len(CATEGORIES)])
        try:
            for _ in decode_records(layout, data):
                count += 1
        except Malformed:
            return count, 1
        return count, 0

    return take


def parsers() -> dict[str, tuple[Callable[[], Take], list[bytes]]]:
    """Return each parser with good input for it."""
    plots = samples()
    blocks = [*encode_plots(plots, STATIONS), *encode_plots(plots, STATIONS, category=48)]
    blocks += [encode_service(STATIONS[0], T0), b"".join(blocks[:5]), b"\x15\x00\x05\x80\x01"]
    reports = [
        *edge.encode_plots(plots, STATIONS),
        edge.encode_registration(STATIONS[0], T0),
        edge.encode_status(STATIONS[0], T0),
    ]
    capture = encode_pcap([(T0, block) for block in blocks[:6]])
    return file_parsers() | {
        "asterix datagrams": (feed_taker("asterix", stream=False), blocks),
        "asterix stream": (feed_taker("asterix", stream=True), blocks),
        "asterix records": (record_taker, [block[3:] for block in blocks]),
        "sapient": (feed_taker("sapient", stream=True), reports),
        "ndjson datagrams": (feed_taker("ndjson", stream=False), texts()),
        "ndjson stream": (feed_taker("ndjson", stream=True), texts()),
        "csv stream": (feed_taker("csv", stream=True), rows()),
        "pcap": (capture_taker, [capture, capture[:24], capture[24:90]]),
    }


def inputs(good: list[bytes], draw: random.Random) -> Iterator[bytes]:
    """Yield inputs for ever: a fifth noise, a tenth good, the rest good input that something has happened to."""
    while True:
        kind = draw.random()
        if kind < 0.2:
            yield draw.randbytes(draw.randrange(1, 120))
            continue
        data = bytearray(draw.choice(good))
        if kind >= 0.3:
            for _ in range(draw.randrange(1, 5)):
                data[draw.randrange(len(data))] = draw.randrange(256)
        if kind >= 0.7:
            del data[draw.randrange(len(data)) :]
        if kind >= 0.85:
            data += draw.choice(good)[draw.randrange(8) :]
        yield bytes(data)


def fuzz(name: str, make: Callable[[], Take], good: list[bytes], count: int, seed: int) -> bool:
    """Fuzz one parser, print what came of it, and return whether it held."""
    draw = random.Random(f"{seed}/{name}")
    start = time.process_time()
    size = taken = told = 0
    take = make()
    source = inputs(good, draw)
    for number in range(count):
        if number % RESTART == 0:
            take = make()
        data = next(source)
        size += len(data)
        try:
            some, faults = take(data)
        except Exception as error:
            print(f"{name}: input {number} raised {error!r}: {data.hex()}", flush=True)
            return False
        taken, told = taken + some, told + faults
    seconds = time.process_time() - start
    print(
        f"{name:<28} {count:>9,} inputs {size / 1e6:>8.1f} MB {taken:>10,} taken {told:>10,} faults told "
        f"{seconds:>7.0f} s",
        flush=True,
    )
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--only", default="", help="names of parsers, or parts of them, with commas between")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    wanted = [part for part in arguments.only.split(",") if part]
    chosen = {n: p for n, p in parsers().items() if not wanted or any(part in n for part in wanted)}
    held = [fuzz(name, make, good, arguments.inputs, arguments.seed) for name, (make, good) in chosen.items()]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
