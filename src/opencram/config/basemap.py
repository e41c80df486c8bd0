"""The `[basemap]` table of a site file: the country under the operator display.  Nothing is computed from it."""

from pathlib import Path
from typing import Final

from opencram.config.model import BaseMap
from opencram.config.table import Table

SUFFIXES: Final = (".pmtiles", ".tif", ".tiff")
_FILE: Final = 'give a map of your own, relative to the site file: file = "city.pmtiles"'


def read_basemap(table: Table | None, path: Path) -> BaseMap | None:
    """Return the base map of the site; faults are noted in the table.  `path` is that of the site file.

    The file itself is opened by the display alone: a recording may be shown where there is none.
    """
    if table is None:
        return None
    file = table.string("file", _FILE)
    attribution = table.string("attribution", "say whose map it is", default="")
    table.done()
    if not file:
        return None
    if Path(file).suffix.lower() not in SUFFIXES:
        table.fault("file", file, f"must end in {', '.join(SUFFIXES)}", "give PMTiles of version 3, or a GeoTIFF")
        return None
    return BaseMap(path=path.parent / file, attribution=attribution)
