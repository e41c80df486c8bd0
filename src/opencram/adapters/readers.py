"""Which reader a file of plots needs."""

from collections.abc import Mapping
from pathlib import PurePath

from opencram.adapters.columns import STANDARD, ColumnMap
from opencram.adapters.gate import SensorLimits
from opencram.adapters.plots import PlotReader
from opencram.adapters.plots_csv import CsvPlotReader


def plot_reader(
    name: str, sensors: Mapping[str, SensorLimits], columns: ColumnMap | None = None
) -> PlotReader | CsvPlotReader:
    """Return a reader for the file `name`: CSV if it is called so or there is a column map, else NDJSON."""
    if columns is not None or PurePath(name).suffix.lower() == ".csv":
        return CsvPlotReader(sensors, columns or STANDARD)
    return PlotReader(sensors)
