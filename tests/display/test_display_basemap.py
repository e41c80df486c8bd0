"""The site's own base map: tiles out of PMTiles and GeoTIFF, each in its place, for those who may look."""

import contextlib
import gzip
import http.client
import itertools
import json
import math
import shutil
import struct
import subprocess
import zlib
from email.message import Message
from pathlib import Path

import display_raid as raid
import display_server
import display_tiles as tiles
import numpy as np
import pytest

from opencram.config.site import load_site
from opencram.display.basemap import PLANE_M, TILE_PX, open_basemap, png
from opencram.display.pmtiles import Archive, mercator, tile_number
from opencram.earth.geodesy import Frame, enu_from_geodetic
from opencram.errors import ConfigError, FileError
from opencram.runtime.access import Person

SITE = raid.ROOT / "examples" / "seven-rockets" / "site.toml"


def site_with(folder: Path, line: str) -> Path:
    path = folder / "site.toml"
    path.write_text(f"{SITE.read_text()}\n[basemap]\n{line}\n")
    return path


def test_tiles_are_numbered_along_the_hilbert_curve() -> None:
    """The first numbers are those of the specification; every number is met once, and neighbours touch."""
    assert [tile_number(*at) for at in ((0, 0, 0), (1, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0), (2, 0, 0))] == [
        *range(6)
    ]
    assert tile_number(12, 3423, 1763) == 19_078_479  # the example of the specification
    by_number = sorted((tile_number(5, x, y), x, y) for x in range(32) for y in range(32))
    assert [number for number, _, _ in by_number] == [*range(341, 341 + 1024)]
    steps = itertools.pairwise(by_number)
    assert all(abs(a[1] - b[1]) + abs(a[2] - b[2]) == 1 for a, b in steps)


@pytest.mark.parametrize("leaves", [False, True])
def test_every_tile_of_an_archive_is_found_and_no_other(tmp_path: Path, leaves: bool) -> None:
    held = {(z, x, y): f"{z}/{x}/{y}".encode() for z in (3, 4) for x in range(1, 6) for y in range(2, 7)}
    (tmp_path / "a.pmtiles").write_bytes(tiles.archive(held, leaves=leaves))
    archive = Archive(tmp_path / "a.pmtiles")
    found = {(z, x, y): archive.tile(z, x, y) for z in range(6) for x in range(8) for y in range(8)}
    assert {at: tile for at, tile in found.items() if tile} == held
    assert archive.tile(3, -1, 0) is None
    assert archive.attribution() == "© the tests"


def test_what_is_no_archive_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.pmtiles"
    good = tiles.archive({(0, 0, 0): b"x" * 50})
    for data, said in (
        (b"", "does not begin"),
        (b"GIF89a" * 40, "does not begin"),
        (good[:7] + b"\x02" + good[8:], "version 2"),
        (good[:97] + b"\x03" + good[98:], "Brotli"),
        (good[:99] + b"\x09" + good[100:], "kind 9"),
        (good[:130], "cannot be read|does not end"),
        (good[:127] + b"\x00" * (len(good) - 127), "cannot be read"),
        (good[:16] + b"\xff" * 7 + b"\x00" + good[24:], "directory of"),
    ):
        path.write_bytes(data)
        with pytest.raises(FileError, match=said):
            Archive(path)
    with pytest.raises(FileError, match="give the path"):
        Archive(tmp_path / "none.pmtiles")


def test_a_wrong_table_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\$\.basemap\.file = \"map\.png\": must end in \.pmtiles"):
        load_site(site_with(tmp_path, 'file = "map.png"'))
    with pytest.raises(ConfigError, match=r"\$\.basemap\.file"):
        load_site(site_with(tmp_path, 'atribution = "me"'))


@pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")  # within rasterio
def test_a_geotiff_lies_where_the_geodesy_says(tmp_path: Path) -> None:
    """A white square of known corners, in another projection, is found at its metres east and north."""
    rasterio = pytest.importorskip("rasterio")
    site = load_site(site_with(tmp_path, 'file = "m.tif"\nattribution = "ours"'))
    frame = Frame(site.latitude_rad, site.longitude_rad, 0.0)
    west_deg, north_deg, step_deg = math.degrees(site.longitude_rad), math.degrees(site.latitude_rad), 1e-4
    picture = np.zeros((3, 400, 400), dtype=np.uint8)
    picture[:, 100:200, 150:300] = 255
    with rasterio.open(
        tmp_path / "m.tif", "w", driver="GTiff", width=400, height=400, count=3, dtype="uint8", crs="EPSG:4326",
        transform=rasterio.Affine(step_deg, 0, west_deg - 0.02, 0, -step_deg, north_deg + 0.02),
    ) as file:  # fmt: skip
        file.write(picture)
    basemap = open_basemap(site)
    assert basemap is not None
    assert basemap.told == {"grid": "plane", "kind": "image", "min": 0, "max": 7, "attribution": "ours"}
    zoom = 7  # 6.25 m a pixel, 1.6 km a tile
    side_m = PLANE_M / 2**zoom
    total = np.zeros(3)  # of the light: east, north, amount
    for column in range(62, 66):
        for row in range(62, 66):
            tile = basemap.tile(zoom, column, row)
            if tile is None:
                continue
            light = pixels(tile.data)[:, :, 0].astype(float)
            across_m = (np.arange(TILE_PX) + 0.5) * side_m / TILE_PX
            east = (light * (column * side_m - PLANE_M / 2 + across_m)).sum()
            north = (light * (PLANE_M / 2 - row * side_m - across_m)[:, None]).sum()
            total += (east, north, light.sum())
    longitude_deg, latitude_deg = west_deg - 0.02 + step_deg * 225, north_deg + 0.02 - step_deg * 150
    east_m, north_m, _ = enu_from_geodetic(frame, math.radians(latitude_deg), math.radians(longitude_deg), 0.0)
    assert total[0] / total[2] == pytest.approx(east_m, abs=1.5)  # a quarter of a pixel
    assert total[1] / total[2] == pytest.approx(north_m, abs=1.5)
    assert basemap.tile(zoom, 0, 0) is None  # nothing there
    assert basemap.tile(zoom, 99, 0) is None


def pixels(data: bytes) -> "np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]":
    """The picture in a PNG of `basemap.png`."""
    length = struct.unpack(">I", data[33:37])[0]
    lines = np.frombuffer(zlib.decompress(data[41 : 41 + length]), dtype=np.uint8).reshape(TILE_PX, -1)
    return lines[:, 1:].reshape(TILE_PX, TILE_PX, 4)


def test_a_picture_is_read_back_by_another_program() -> None:
    rasterio = pytest.importorskip("rasterio")
    rgba = np.random.default_rng(1).integers(0, 256, (TILE_PX, TILE_PX, 4), dtype=np.uint8)
    with (
        rasterio.MemoryFile(png(rgba.tobytes(), TILE_PX)) as memory,
        pytest.warns(match="geotransform"),
        memory.open() as file,
    ):
        assert np.array_equal(np.moveaxis(file.read(), 0, -1), rgba)


def test_a_geotiff_of_heights_is_refused_with_the_remedy(tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio")
    site = load_site(site_with(tmp_path, 'file = "m.tif"'))
    with pytest.raises(FileError, match="GeoTIFF with its place"):
        open_basemap(site)
    options = {"driver": "GTiff", "width": 4, "height": 4, "count": 1, "dtype": "float32", "crs": "EPSG:4326"}
    transform = rasterio.Affine(0.1, 0, 44, 0, -0.1, 34)
    with rasterio.open(tmp_path / "m.tif", "w", transform=transform, **options) as file:
        file.write(np.zeros((1, 4, 4), dtype=np.float32))
    with pytest.raises(FileError, match="gdal_translate -ot Byte"):
        open_basemap(site)


def test_tiles_go_to_those_who_may_look(tmp_path: Path) -> None:
    tiles.write_town(tmp_path / "town.pmtiles", 44.4, 33.3, zooms=[10])
    site = load_site(site_with(tmp_path, 'file = "town.pmtiles"'))
    hub = display_server.hub_of(
        display_server.recorded(), people={"a" * 32: Person("viewer")}, basemap=open_basemap(site)
    )
    x, y = mercator(math.radians(33.3), math.radians(44.4))
    address = f"/basemap/10/{int(x * 1024)}/{int(y * 1024)}"
    bearer = {"authorization": "Bearer " + "a" * 32}
    with display_server.serving(hub) as running:
        assert ask(running, address, {})[0] == 401
        assert ask(running, address, {"authorization": "Bearer " + "b" * 32})[0] == 401
        status, headers, tile = ask(running, address, bearer)
        assert (status, headers["content-encoding"], headers["cache-control"]) == (200, "gzip", "private, max-age=3600")
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert b"roads" in gzip.decompress(tile)
        assert ask(running, "/basemap/3/0/0", bearer)[::2] == (204, b"")
        assert ask(running, "/basemap/a/0/0", bearer)[0] == 404


def ask(running: display_server.Running, path: str, headers: dict[str, str]) -> tuple[int, Message, bytes]:
    """Status, headers and body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


@pytest.mark.skipif(
    not (shutil.which("node") and (raid.ROOT / "display" / "node_modules" / "esbuild").is_dir()),
    reason="no node or no node_modules",
)
def test_the_screen_puts_tiles_where_the_geodesy_does() -> None:
    """Corners of Mercator tiles up to 100 km away fall within a centimetre of the program's own projection."""
    latitude_deg, longitude_deg = 48.7, 9.2
    frame = Frame(math.radians(latitude_deg), math.radians(longitude_deg), 0.0)
    asked, want = [], []
    for zoom, east, north in ((14, 0.0, 0.0), (12, 0.3, -0.2), (9, -1.1, 0.8), (16, 0.05, 0.05)):
        x, y = mercator(math.radians(latitude_deg + north), math.radians(longitude_deg + east))
        asked.append((zoom, int(x * 2**zoom), int(y * 2**zoom)))
        u, v = int(x * 2**zoom) / 2**zoom, int(y * 2**zoom) / 2**zoom
        latitude_rad, longitude_rad = math.atan(math.sinh(math.tau * (0.5 - v))), math.tau * (u - 0.5)
        want.append(enu_from_geodetic(frame, latitude_rad, longitude_rad, 0.0)[:2])
    said = {"site": {"latitude": latitude_deg, "longitude": longitude_deg}, "tiles": asked}
    script = raid.ROOT / "display" / "test" / "tiles.mjs"
    done = subprocess.run(
        ["node", str(script), json.dumps(said)], capture_output=True, text=True, check=True, timeout=60
    )
    for (_, column, row), place, found in zip(asked, want, json.loads(done.stdout), strict=True):
        assert found["corners"][0] == pytest.approx(place, abs=0.01)
        assert found["back"] == pytest.approx([column, row], abs=1e-5)
