"""Reading tiles out of a PMTiles archive, version 3: one file that holds a pyramid of map tiles.

Source: Protomaps, "PMTiles Version 3 Specification" (github.com/protomaps/PMTiles, spec/v3): a head of 127 bytes, and
directories of entries by tile number along a Hilbert curve.  Only what a request needs is read from the file.
"""

import json
import math
import os
import struct
import zlib
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from opencram.errors import FileError

ZOOM_MAX: Final = 26  # tiles of half a metre
_HEAD: Final = struct.Struct("<7sB11QBBBBBBiiiiBii")
_MAGIC: Final = b"PMTiles"
_NONE, _GZIP = 1, 2  # compressions
_MEDIA: Final = {
    1: "application/vnd.mapbox-vector-tile", 2: "image/png", 3: "image/jpeg", 4: "image/webp", 5: "image/avif",
}  # fmt: skip
_DIRECTORY_BYTES_MAX: Final = 16 * 1024**2
_TILE_BYTES_MAX: Final = 8 * 1024**2
_DEPTH_MAX: Final = 4  # of directories: the specification allows so many
_DIRECTORIES_KEPT: Final = 64

Entry = tuple[int, int, int, int]  # first tile, run (0: a directory), offset, length


class Archive:
    """An open archive.  Raises `FileError` where the file is not what it should be."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise FileError(
                f"cannot read the base map {path}: {error.strerror}; give the path of a PMTiles file"
            ) from error
        head = os.pread(self._file, _HEAD.size, 0)
        if len(head) < _HEAD.size or head[:7] != _MAGIC:
            raise self._wrong("does not begin as PMTiles do", "make it with `pmtiles extract` or `pmtiles convert`")
        fields = _HEAD.unpack(head)
        if fields[1] != 3:
            raise self._wrong(f"is PMTiles of version {fields[1]}", "must be version 3: `pmtiles convert` makes it")
        self._root, self._metadata = (fields[2], fields[3]), (fields[4], fields[5])
        self._leaves, self._tiles = fields[6], fields[8]
        self._inner, self._outer, kind, self.zoom_min, self.zoom_max = map(int, fields[14:19])
        if self._inner not in (_NONE, _GZIP) or self._outer not in (_NONE, _GZIP):
            raise self._wrong("is compressed with Brotli or Zstandard", "compress it with gzip, or not at all")
        if kind not in _MEDIA or self.zoom_max > ZOOM_MAX:
            limit = f"holds tiles of kind {kind} up to zoom {self.zoom_max}"
            raise self._wrong(limit, f"give vector, PNG, JPEG, WebP or AVIF tiles up to zoom {ZOOM_MAX}")
        self.media_type = _MEDIA[kind]
        self._directory = lru_cache(maxsize=_DIRECTORIES_KEPT)(self._read_directory)
        self._directory(*self._root)  # a torn file is told now, not when somebody looks

    @property
    def gzipped(self) -> bool:
        """Whether tiles come out of it compressed with gzip."""
        return self._outer == _GZIP

    def attribution(self) -> str:
        """Return whose map it is, as its metadata say, or ""."""
        offset, length = self._metadata
        if not 0 < length <= _DIRECTORY_BYTES_MAX:
            return ""
        try:
            found: Any = json.loads(self._unpacked(os.pread(self._file, length, offset)))
        except (ValueError, OSError, FileError):
            return ""
        text = found.get("attribution", "") if isinstance(found, dict) else ""
        return text if isinstance(text, str) else ""

    def tile(self, zoom: int, column: int, row: int) -> bytes | None:
        """Return a tile as it stands in the file, or None where there is none; column from west, row from north."""
        if not (self.zoom_min <= zoom <= self.zoom_max and 0 <= column < 1 << zoom and 0 <= row < 1 << zoom):
            return None
        wanted = tile_number(zoom, column, row)
        offset, length = self._root
        for _ in range(_DEPTH_MAX):
            entry = _entry_of(self._directory(offset, length), wanted)
            if entry is None:
                return None
            _, run, at, size = entry
            if run:
                if size > _TILE_BYTES_MAX:
                    raise self._wrong(f"holds a tile of {size} bytes", f"must be at most {_TILE_BYTES_MAX}")
                return os.pread(self._file, size, self._tiles + at)
            offset, length = self._leaves + at, size
        raise self._wrong("has directories within directories without end", "make it again")

    def _read_directory(self, offset: int, length: int) -> Sequence[Entry]:
        if length > _DIRECTORY_BYTES_MAX:
            raise self._wrong(f"has a directory of {length} bytes", "make it again")
        try:
            return _entries(self._unpacked(os.pread(self._file, length, offset)))
        except (IndexError, OSError, OverflowError) as error:
            raise self._wrong("has a directory that cannot be read", "copy it again: it may be torn") from error

    def _unpacked(self, data: bytes) -> bytes:
        if self._inner == _NONE:
            return data
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            found = unpacker.decompress(data, _DIRECTORY_BYTES_MAX)
        except zlib.error as error:
            raise self._wrong("has a directory that cannot be read", "copy it again: it may be torn") from error
        if not unpacker.eof:
            raise self._wrong("has a directory that does not end", "copy it again: it may be torn")
        return found

    def _wrong(self, limit: str, remedy: str) -> FileError:
        return FileError(f"the base map {self._path} {limit}; {remedy}")


def tile_number(zoom: int, column: int, row: int) -> int:
    """Return the number of a tile: all smaller zooms first, then its place along the Hilbert curve of its own."""
    number = ((1 << 2 * zoom) - 1) // 3
    x, y = column, row
    half = (1 << zoom) >> 1
    while half:
        right, lower = int(x & half > 0), int(y & half > 0)
        number += half * half * ((3 * right) ^ lower)
        if not lower:
            if right:
                x, y = half - 1 - x, half - 1 - y
            x, y = y, x
        half >>= 1
    return number


def _entries(data: bytes) -> Sequence[Entry]:
    """Return the entries of a directory: numbers, runs, lengths and offsets, one column after the other."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise IndexError("a number that does not end")

    count = varint()
    if count > len(data):
        raise IndexError("fewer entries than it says")
    number, first = 0, []
    for _ in range(count):
        number += varint()
        first.append(number)
    runs = [varint() for _ in range(count)]
    lengths = [varint() for _ in range(count)]
    offsets: list[int] = []
    for k in range(count):
        told = varint()
        offsets.append(told - 1 if told or not k else offsets[k - 1] + lengths[k - 1])
    return list(zip(first, runs, offsets, lengths, strict=True))


def _entry_of(entries: Sequence[Entry], wanted: int) -> Entry | None:
    found = bisect_right(entries, wanted, key=lambda entry: entry[0]) - 1
    if found < 0:
        return None
    entry = entries[found]
    return entry if entry[1] == 0 or wanted < entry[0] + entry[1] else None


def mercator(latitude_rad: float, longitude_rad: float) -> tuple[float, float]:
    """Return the place of a point on the whole map, from 0 in the north-west to 1 in the south-east."""
    return longitude_rad / math.tau + 0.5, 0.5 - math.asinh(math.tan(latitude_rad)) / math.tau
