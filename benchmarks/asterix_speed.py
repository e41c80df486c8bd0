"""How fast CAT048 is decoded, beside libasterix on the same blocks in the same run.

python benchmarks/asterix_speed.py        libasterix is measured where `make oracle` has installed it
"""

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "asterix"))

from oracle import Oracle, python_of_oracle

from opencram.adapters.asterix.columns import ColumnReader, index_blocks
from opencram.adapters.asterix.encode import encode_plots
from opencram.adapters.asterix.layout import Item, category
from opencram.adapters.asterix.measured import COLUMNS, measured
from opencram.adapters.asterix.reader import AsterixReader
from opencram.adapters.gate import Gate
from opencram.adapters.stations import Station, limits, numbered
from opencram.messages import Plot

T0 = 1_767_225_600_000_000_000
RECORDS = 200_000
TIMES = 5
STATIONS = numbered(
    [
        Station(
            id="north", latitude_rad=0.58, longitude_rad=0.77, height_m=40.0, range_m_std=10.0, azimuth_rad_std=1.5e-3,
            elevation_rad_std=1.5e-3, range_m_max=20_000.0, period_s=0.1,
        )
    ]
)  # fmt: skip


def all_values(items: tuple[Item | None, ...], prefix: str = "") -> list[str]:
    """Return the path of every value of a category that fits a column."""
    found: list[str] = []
    for item in items:
        if item is None or item.kind == "explicit":
            continue
        if item.kind == "compound":
            found += all_values(item.items, f"{prefix}{item.name}/")
            continue
        values = [v for part in item.parts for v in part if not v.spare and v.bits <= 56]
        found += [f"{prefix}{item.name}/{v.name}" if v.name else f"{prefix}{item.name}" for v in values]
    return found


def plots() -> list[Plot]:
    """Dwells of forty plots, a tenth of a second apart."""
    return [
        Plot(
            t_ns=T0 + k // 40 * 100_000_000, plot_id=k + 1, sensor="north", range_m=3000.0 + 7.1 * (k % 1500),
            azimuth_rad=0.15 * (k % 40), elevation_rad=0.2 + 0.01 * (k % 40), range_rate_m_s=-200.0,
        )
        for k in range(RECORDS)
    ]  # fmt: skip


def fastest(work) -> float:
    """Return the seconds of the fastest of some runs; the first one compiles."""
    work()
    seconds = []
    for _ in range(TIMES):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def told(what: str, records: int, seconds: float) -> None:
    print(f"{what:<58} {records / seconds:>12,.0f} records/s", flush=True)


def main() -> None:
    start = time.perf_counter()
    blocks = encode_plots(plots(), STATIONS, category=48)
    told("encode_plots: plots to CAT048", RECORDS, time.perf_counter() - start)
    stream = b"".join(blocks)
    data = np.frombuffer(stream, dtype=np.uint8)
    print(f"{len(blocks)} blocks, {len(stream) / RECORDS:.1f} bytes a record")

    few = ColumnReader({48: COLUMNS[48]})
    every = ColumnReader({48: tuple(all_values(category(48).items))})
    told("decode, the 12 values of a plot, into columns", RECORDS, fastest(lambda: few.read(index_blocks(data), 48)))
    told(
        f"decode, all {len(every.columns(48))} values of the category", RECORDS,
        fastest(lambda: every.read(index_blocks(data), 48)),
    )  # fmt: skip
    read = few.read(index_blocks(data), 48)
    told(
        "… and to range, azimuth, elevation with deviations", RECORDS,
        fastest(lambda: measured(few.read(index_blocks(data), 48), STATIONS, simulated=True)),
    )  # fmt: skip
    assert len(read.values) == RECORDS

    def whole() -> None:
        reader = AsterixReader(STATIONS, Gate(limits(STATIONS)))
        out = reader.feed(stream, T0)
        assert sum(isinstance(m, Plot) for m in out) >= RECORDS - 10

    told("… and through the gate, a message for each plot", RECORDS, fastest(whole))

    python = python_of_oracle()
    if python is None:
        print("libasterix is not installed in .venv-oracle: run `make oracle`")
        return
    oracle = Oracle(python)
    answer = oracle.ask("speed", block=blocks[0].hex(), times=60)
    oracle.close()
    told("libasterix, the values of a plot", answer["records"], answer["seconds"])


if __name__ == "__main__":
    main()
