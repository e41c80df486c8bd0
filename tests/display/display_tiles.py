"""A base map that nobody had to fetch: a town of the tests' own, as vector tiles in a PMTiles archive."""

import gzip
import json
import math
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

from opencram.display.pmtiles import mercator, tile_number

EXTENT = 4096
POINTS, LINES, POLYGONS = 1, 2, 3
LonLat = tuple[float, float]
Shape = tuple[str, int, dict[str, str], list[LonLat]]  # layer, type, properties, points (degrees)


def varint(value: int) -> bytes:
    """An unsigned number, seven bits a byte."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, data: bytes | int) -> bytes:
    """One field of a protocol buffer."""
    if isinstance(data, int):
        return varint(number << 3) + varint(data)
    return varint(number << 3 | 2) + varint(len(data)) + data


def archive(tiles: Mapping[tuple[int, int, int], bytes], *, kind: int = 1, leaves: bool = False) -> bytes:
    """A PMTiles archive of tiles that are compressed with gzip; `leaves`: with directories within the directory."""
    data, entries = b"", []
    for number, tile in sorted((tile_number(*at), tile) for at, tile in tiles.items()):
        entries.append((number, 1, len(data), len(tile)))
        data += tile
    leaf = b""
    if leaves:
        top = []
        for k in range(0, len(entries), 2):
            packed = directory(entries[k : k + 2])
            top.append((entries[k][0], 0, len(leaf), len(packed)))
            leaf += packed
        entries = top
    root, told = directory(entries), gzip.compress(json.dumps({"attribution": "© the tests"}).encode())
    zooms = [zoom for zoom, _, _ in tiles]
    at = [127, len(root), 127 + len(root), len(told), 127 + len(root) + len(told), len(leaf)]
    at += [at[4] + len(leaf), len(data), len(tiles), len(entries), len(tiles)]
    head = struct.pack("<7sB11Q", b"PMTiles", 3, *at) + bytes([1, 2, 2, kind, min(zooms), max(zooms)])
    return (head + struct.pack("<4iB2i", 0, 0, 0, 0, 0, 0, 0)).ljust(127, b"\0") + root + told + leaf + data


def directory(entries: Iterable[tuple[int, int, int, int]]) -> bytes:
    """A directory, compressed."""
    rows = list(entries)
    out, before = varint(len(rows)), 0
    for number, *_ in rows:
        out += varint(number - before)
        before = number
    out += b"".join(varint(run) for _, run, _, _ in rows)
    out += b"".join(varint(length) for _, _, _, length in rows)
    out += b"".join(varint(offset + 1) for _, _, offset, _ in rows)
    return gzip.compress(out)


def vector_tile(shapes: Iterable[Shape], zoom: int, column: int, row: int) -> bytes:
    """A tile of shapes, compressed; what lies beyond its edges stays in it."""
    layers: dict[str, list[tuple[int, dict[str, str], list[tuple[int, int]]]]] = {}
    for name, kind, properties, points in shapes:
        placed = [mercator(math.radians(lat), math.radians(lon)) for lon, lat in points]
        xy = [(round((x * 2**zoom - column) * EXTENT), round((y * 2**zoom - row) * EXTENT)) for x, y in placed]
        if any(-EXTENT < x < 2 * EXTENT and -EXTENT < y < 2 * EXTENT for x, y in xy) or kind == POLYGONS:
            layers.setdefault(name, []).append((kind, properties, xy))
    return gzip.compress(b"".join(field(3, _layer(name, features)) for name, features in layers.items()))


def _layer(name: str, features: list[tuple[int, dict[str, str], list[tuple[int, int]]]]) -> bytes:
    keys = sorted({key for _, properties, _ in features for key in properties})
    values = sorted({value for _, properties, _ in features for value in properties.values()})
    out = field(15, 2) + field(1, name.encode())
    for kind, properties, xy in features:
        tags = b"".join(varint(keys.index(k)) + varint(values.index(v)) for k, v in properties.items())
        out += field(2, field(2, tags) + field(3, kind) + field(4, _geometry(kind, xy)))
    out += b"".join(field(3, key.encode()) for key in keys)
    out += b"".join(field(4, field(1, value.encode())) for value in values)
    return out + field(5, EXTENT)


def _geometry(kind: int, xy: list[tuple[int, int]]) -> bytes:
    out, last = varint(1 | 1 << 3), (0, 0)
    for k, (x, y) in enumerate(xy):
        if k == 1:
            out += varint(2 | (len(xy) - 1) << 3)
        out += b"".join(varint(d << 1 if d >= 0 else (-d << 1) - 1) for d in (x - last[0], y - last[1]))
        last = (x, y)
    return out + (varint(15) if kind == POLYGONS else b"")


def town(longitude_deg: float, latitude_deg: float) -> list[Shape]:
    """Streets, a river, a park, a quarter's name, about a point."""

    def at(x: float, y: float) -> LonLat:
        return longitude_deg + x * 0.01, latitude_deg + y * 0.01

    shapes: list[Shape] = []
    for k in range(-12, 13):
        kind = {"kind": "major_road" if k % 6 == 0 else "medium_road" if k % 3 == 0 else "minor_road"}
        shapes.append(("roads", LINES, kind, [at(k, -12), at(k + 0.4 * math.sin(k), 0), at(k, 12)]))
        shapes.append(("roads", LINES, kind, [at(-12, k), at(0, k + 0.3 * math.cos(k)), at(12, k)]))
    bank = [(x, 2.2 * math.sin(x / 2.5) - 1.5) for x in [0.5 * k for k in range(-24, 25)]]
    river = [at(x, y) for x, y in bank] + [at(x, y - 0.9) for x, y in reversed(bank)]
    shapes.append(("water", POLYGONS, {"kind": "river"}, river))
    shapes.append(("landuse", POLYGONS, {"kind": "park"}, [at(2, 2), at(5, 2), at(5, 4.5), at(2, 4.5)]))
    shapes.append(("places", POINTS, {"kind": "locality", "name": "Northtown", "name:fr": "Ville-Nord"}, [at(-3, 4)]))
    shapes.append(("places", POINTS, {"kind": "locality", "name": "Harbour"}, [at(4, -4)]))
    return shapes


def write_town(path: Path, longitude_deg: float, latitude_deg: float, zooms: Iterable[int] = range(8, 14)) -> None:
    """Write the town's archive."""
    tiles = {}
    shapes = town(longitude_deg, latitude_deg)
    for zoom in zooms:
        x, y = mercator(math.radians(latitude_deg), math.radians(longitude_deg))
        near = 2 ** max(zoom - 11, 0) * 2
        for column in range(int(x * 2**zoom) - near, int(x * 2**zoom) + near + 1):
            for row in range(int(y * 2**zoom) - near, int(y * 2**zoom) + near + 1):
                tiles[zoom, column, row] = vector_tile(shapes, zoom, column, row)
    path.write_bytes(archive(tiles, leaves=True))
