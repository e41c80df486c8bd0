"""Which reader a file of plots needs."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath

from opencram.adapters.binary import BinaryPlotReader, kind_of
from opencram.adapters.columns import STANDARD, ColumnMap
from opencram.adapters.gate import SensorLimits
from opencram.adapters.plots import PlotReader
from opencram.adapters.plots_csv import CsvPlotReader
from opencram.adapters.stations import Station


def plot_reader(
    name: str,
    sensors: Mapping[str, SensorLimits],
    columns: ColumnMap | None = None,
    stations: Sequence[Station] = (),
) -> PlotReader | CsvPlotReader | BinaryPlotReader:
    """Return a reader for the file `name`, by its ending.

    CSV if it is called so or there is a column map; .ast, .raw, .pcap, .pcapng and .sapient need `stations`,
    the places of the radars; else NDJSON.
    """
    if columns is None and stations and is_binary(name):
        return BinaryPlotReader(name, stations)
    if columns is not None or PurePath(name).suffix.lower() == ".csv":
        return CsvPlotReader(sensors, columns or STANDARD, stations=stations)
    return PlotReader(sensors)


def is_binary(name: str) -> bool:
    """Return whether a file of this name holds no lines."""
    return kind_of(name) is not None
