"""How the bytes of a site's feeds are to be read, for the live service and for those who try a feed."""

from pathlib import Path

from opencram.adapters.columns import STANDARD, ColumnMap, load_column_map
from opencram.adapters.feeds import FeedConfig
from opencram.config.live_model import FeedSource
from opencram.errors import ConfigError, Fault


def feed_config(source: FeedSource, base: Path) -> FeedConfig:
    """Return how the bytes of a feed are read; its files are relative to the site file."""
    return FeedConfig(
        name=source.name,
        format=source.format,
        stream=source.udp is None,
        sensors=source.sensors,
        simulated=source.simulated,
        late_s_max=source.late_s_max,
        ahead_s_max=source.ahead_s_max,
        start_s=source.start_s,
        columns=_columns(base / source.columns) if source.columns else STANDARD,
    )


def _columns(path: Path) -> ColumnMap:
    columns = load_column_map(path)
    if columns.sort:
        limit = "must be left out of the map of a feed: rows of a feed come in order, or are late"
        raise ConfigError(str(path), [Fault("$.csv.sort", "true", limit, "keep it for files")])
    return columns
