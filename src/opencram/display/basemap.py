"""The site's own base map, as tiles for the screen: from PMTiles or from a GeoTIFF.  The internet is never asked.

PMTiles hold tiles on the web's Mercator grid, and are passed on as they are: the screen puts each in its place.  A
GeoTIFF, whatever its projection, is brought into the plane that touches the earth at the site, the one that the map is
drawn in: that is the orthographic projection about the site's origin.
"""

import math
import struct
import threading
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol

from opencram.config.model import Site
from opencram.display.pmtiles import Archive
from opencram.errors import FileError, UsageError

PLANE_M: Final = 204_800.0  # side of the one tile of zoom 0, about the site: 800 m a pixel
TILE_PX: Final = 256
PLANE_ZOOM_MAX: Final = 12  # 0.2 m a pixel
_TILES_KEPT: Final = 256


@dataclass(frozen=True)
class Tile:
    """A tile as it is sent."""

    data: bytes
    media_type: str
    gzipped: bool


class BaseMap(Protocol):
    """Where tiles come from.  `told` is what the screen is told of it."""

    told: dict[str, Any]

    def tile(self, zoom: int, column: int, row: int) -> Tile | None:
        """Return a tile, column from west and row from north, or None where the map is blank."""


def open_basemap(site: Site) -> BaseMap | None:
    """Return the base map that the site file names, or None if it names none."""
    if site.basemap is None:
        return None
    path, attribution = site.basemap.path, site.basemap.attribution
    if path.suffix.lower() == ".pmtiles":
        return _Tiles(path, attribution)
    return _Image(path, attribution, site)


class _Tiles:
    """PMTiles."""

    def __init__(self, path: Path, attribution: str) -> None:
        self._archive = Archive(path)
        self.told = {
            "grid": "mercator",
            "kind": "image" if self._archive.media_type.startswith("image/") else "vector",
            "min": self._archive.zoom_min,
            "max": self._archive.zoom_max,
            "attribution": attribution or self._archive.attribution(),
        }

    def tile(self, zoom: int, column: int, row: int) -> Tile | None:
        data = self._archive.tile(zoom, column, row)
        return Tile(data, self._archive.media_type, self._archive.gzipped) if data else None


class _Image:
    """A GeoTIFF."""

    def __init__(self, path: Path, attribution: str, site: Site) -> None:
        try:
            import rasterio
        except ImportError as error:
            remedy = "pip install 'opencram[terrain]', or make PMTiles of it"
            raise UsageError(f"a base map in GeoTIFF needs rasterio: {remedy} ({error})") from error
        self._lock = threading.Lock()  # one reader of the file at a time
        try:
            self._file = rasterio.open(path)
        except rasterio.errors.RasterioError as error:
            raise FileError(f"cannot read the base map {path}: {error}; give a GeoTIFF with its place in it") from error
        bands = self._file.count
        if self._file.crs is None or self._file.dtypes[0] != "uint8" or bands not in (1, 3, 4):
            raise FileError(
                f"the base map {path} has {bands} bands of {self._file.dtypes[0]} in {self._file.crs}: must be 1, 3 or "
                "4 bands of uint8 with a coordinate system; `gdal_translate -ot Byte -scale -a_srs EPSG:CODE` makes it"
            )
        self._colours = self._file.colormap(1) if self._file.colorinterp[0].name == "palette" else None
        latitude_deg, longitude_deg = math.degrees(site.latitude_rad), math.degrees(site.longitude_rad)
        self._crs = f"+proj=ortho +lat_0={latitude_deg!r} +lon_0={longitude_deg!r} +ellps=WGS84 +units=m"
        self._made = lru_cache(maxsize=_TILES_KEPT)(self._make)
        self.told: dict[str, Any] = {
            "grid": "plane",
            "kind": "image",
            "min": 0,
            "max": self._zoom_max(),
            "attribution": attribution,
        }

    def _zoom_max(self) -> int:
        """Return the zoom at which a pixel is no larger than one of the file."""
        from rasterio.warp import calculate_default_transform

        transform, _, _ = calculate_default_transform(
            self._file.crs, self._crs, self._file.width, self._file.height, *self._file.bounds
        )
        zoom = math.ceil(math.log2(PLANE_M / TILE_PX / min(abs(transform.a), abs(transform.e))))
        return min(max(zoom, 0), PLANE_ZOOM_MAX)

    def tile(self, zoom: int, column: int, row: int) -> Tile | None:
        if not (0 <= zoom <= self.told["max"] and 0 <= column < 1 << zoom and 0 <= row < 1 << zoom):
            return None
        with self._lock:
            data = self._made(zoom, column, row)
        return Tile(data, "image/png", gzipped=False) if data else None

    def _make(self, zoom: int, column: int, row: int) -> bytes | None:
        """Return a PNG of red, green, blue and alpha, or None where the file holds nothing."""
        import numpy as np
        from rasterio import Affine
        from rasterio.enums import Resampling
        from rasterio.vrt import WarpedVRT

        side_m = PLANE_M / 2**zoom
        step_m = side_m / TILE_PX
        place = Affine(step_m, 0.0, column * side_m - PLANE_M / 2.0, 0.0, -step_m, PLANE_M / 2.0 - row * side_m)
        with WarpedVRT(
            self._file, crs=self._crs, transform=place, width=TILE_PX, height=TILE_PX, add_alpha=self._file.count != 4,
            resampling=Resampling.nearest if self._colours else Resampling.bilinear,
        ) as plane:  # fmt: skip
            bands = plane.read()
        if not bands[-1].any():
            return None
        if self._colours is not None:
            table = np.array([self._colours.get(k, (0, 0, 0, 0))[:3] for k in range(256)], dtype=np.uint8)
            colour = np.moveaxis(table[bands[0]], -1, 0)
        else:
            colour = bands[:3] if len(bands) == 4 else np.repeat(bands[:1], 3, axis=0)
        return png(np.moveaxis(np.concatenate([colour, bands[-1:]]), 0, -1).tobytes(), TILE_PX)


def png(rgba: bytes, side_px: int) -> bytes:
    """Return a square picture of 8 bits of red, green, blue and alpha as PNG (ISO/IEC 15948, filter 0)."""
    step = 4 * side_px
    lines = b"".join(b"\0" + rgba[at : at + step] for at in range(0, len(rgba), step))
    head = struct.pack(">IIBBBBB", side_px, side_px, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(lines, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
