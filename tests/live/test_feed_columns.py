"""The column map of a live CSV feed."""

from pathlib import Path

import pytest

from opencram.config.live_model import FeedSource
from opencram.errors import ConfigError
from opencram.runtime.feeding import feed_config


def test_a_feed_cannot_wait_for_its_end_to_be_sorted(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text("[csv]\nsort = true\n")
    source = FeedSource(name="a", format="csv", columns="map.toml")
    with pytest.raises(ConfigError, match="rows of a feed come in order"):
        feed_config(source, tmp_path)
    (tmp_path / "map.toml").write_text('[csv]\ndecimal = ","\ndelimiter = ";"\n')
    assert feed_config(source, tmp_path).columns.decimal == ","
