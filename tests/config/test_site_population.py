"""People of zones from a raster: exact shares of cells, projections, what a recording keeps, and plain faults."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from opencram.config.population import Raster, people_inside, read_raster
from opencram.config.site import load_site, parse_site
from opencram.errors import ConfigError

SITE = (Path(__file__).parents[2] / "examples/seven-rockets/site.toml").read_text()
HEAD = SITE[: SITE.index("[[zone]]")]
WEST, NORTH, STEP = 44.30, 33.40, 0.01  # 20 by 20 cells about the site
COUNTS = np.random.default_rng(4).integers(0, 900, (20, 20)).astype(float)


def ascii_grid(path, counts=COUNTS, **changed):
    header = {"ncols": counts.shape[1], "nrows": counts.shape[0], "xllcorner": WEST}
    header |= {"yllcorner": NORTH - counts.shape[0] * STEP, "cellsize": STEP, "NODATA_value": -9999} | changed
    lines = [f"{key} {value}" for key, value in header.items() if value is not None]
    path.write_text("\n".join([*lines, *(" ".join(f"{x:g}" for x in row) for row in counts)]))
    return path


def zone(identity, corners, people=None):
    said = "" if people is None else f"population = {people}\n"
    return f'[[zone]]\nid = "{identity}"\nshelter_time_s = 15\n{said}polygon = {json.dumps(corners)}\n'


def box(column, row, columns=1.0, rows=1.0):
    west, north = WEST + column * STEP, NORTH - row * STEP
    east, south = west + columns * STEP, north - rows * STEP
    return [[west, south], [east, south], [east, north], [west, north]]


def site_of(folder, *zones, table='[population]\nfile = "people.asc"\n'):
    (folder / "site.toml").write_text(HEAD + "".join(zones) + table)
    return load_site(folder / "site.toml")


def faults_of(folder, *zones, table='[population]\nfile = "people.asc"\n'):
    with pytest.raises(ConfigError) as caught:
        site_of(folder, *zones, table=table)
    return str(caught.value)


def test_zones_get_their_share_of_every_cell_and_keep_what_they_say(tmp_path):
    ascii_grid(tmp_path / "people.asc")
    corner = box(4.0, 4.0)
    site = site_of(
        tmp_path,
        zone("cell", box(3, 5)),
        zone("half", box(9.5, 9.0)),
        zone("four", box(9.25, 7.25, 1.5, 1.5)),
        zone("triangle", [corner[0], corner[1], corner[2]]),
        zone("own", box(3, 5), 77),
    )
    people = {each.id: each.population for each in site.zones}
    assert people["cell"] == COUNTS[5, 3]
    assert people["half"] == round(0.5 * COUNTS[9, 9] + 0.5 * COUNTS[9, 10])
    rows, columns = (0.75, 0.75), (0.75, 0.75)
    assert people["four"] == round(float(np.array(rows) @ COUNTS[7:9, 9:11] @ np.array(columns)))
    assert people["triangle"] == round(0.5 * COUNTS[4, 4])
    assert people["own"] == 77


def test_a_recording_needs_no_raster(tmp_path):
    ascii_grid(tmp_path / "people.asc")
    site = site_of(tmp_path, zone("a b", box(3, 5)), zone("c", box(2, 2, 3.3, 1.7)))
    (tmp_path / "people.asc").unlink()
    again = parse_site(site.text, tmp_path / "elsewhere.toml")
    assert [each.population for each in again.zones] == [each.population for each in site.zones]
    assert again.text == site.text


def crooked_town(n=9):
    """Zones without gaps over the whole raster: corners moved, so that many are not convex."""
    rng = np.random.default_rng(8)
    grid = np.stack(np.meshgrid(np.linspace(0, 20, n + 1), np.linspace(0, 20, n + 1), indexing="ij"), axis=-1)
    grid[1:-1, 1:-1] += rng.uniform(-1.2, 1.2, (n - 1, n - 1, 2))
    for i in range(n):
        for j in range(n):
            yield [tuple(map(float, grid[p])) for p in ((i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1))]


def test_nobody_is_lost_and_nobody_counted_twice():
    raster = Raster(COUNTS, None, (1, 0, 0, 0, 1, 0))
    found = [people_inside(raster, ring) for ring in crooked_town()]
    assert sum(people for people, _ in found) == pytest.approx(COUNTS.sum(), rel=1e-12)
    assert all(covered == pytest.approx(1.0) for _, covered in found)


def test_shares_of_a_crooked_zone_against_counting_points():
    raster = Raster(COUNTS, None, (1, 0, 0, 0, 1, 0))
    ring = [(2.3, 3.1), (9.7, 2.2), (6.0, 6.0), (11.4, 9.9), (3.3, 10.7)]
    u = np.random.default_rng(1).uniform(0.0, 20.0, (400_000, 2))
    inside = np.zeros(len(u), dtype=bool)
    for (ax, ay), (bx, by) in zip(ring, [*ring[1:], ring[0]], strict=True):
        crosses = (ay > u[:, 1]) != (by > u[:, 1])
        inside ^= crosses & (u[:, 0] < ax + (u[:, 1] - ay) / (by - ay) * (bx - ax))
    values = np.where(inside, COUNTS[u[:, 1].astype(int), u[:, 0].astype(int)], 0.0)
    people, covered = people_inside(raster, ring)
    assert covered == pytest.approx(1.0)
    assert people == pytest.approx(400.0 * values.mean(), abs=4.0 * 400.0 * values.std() / math.sqrt(len(u)))


@pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")  # within rasterio
@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32638", "ESRI:54009"])
def test_a_geotiff_of_any_projection_counts_the_same_people(tmp_path, crs):
    rasterio = pytest.importorskip("rasterio")
    from rasterio.warp import transform_bounds

    west, south, east, north = transform_bounds("EPSG:4326", crs, 44.2, 33.1, 44.6, 33.5)
    step = 0.001 if crs == "EPSG:4326" else 100.0
    rows, columns = math.ceil((north - south) / step), math.ceil((east - west) / step)
    cell_m2 = 1e4 if step > 1.0 else (0.001 * 111_195.0) ** 2 * math.cos(math.radians(33.3))
    people = np.full((rows, columns), 60e-4 * cell_m2, dtype=np.float32)  # 60 a hectare
    people[:3] = -99999.0
    profile = {"driver": "GTiff", "height": rows, "width": columns, "count": 1, "dtype": "float32", "crs": crs}
    with rasterio.open(
        tmp_path / "people.tif",
        "w",
        nodata=-99999.0,
        transform=rasterio.Affine(step, 0, west, 0, -step, north),
        **profile,
    ) as out:
        out.write(people, 1)
    ring = [(44.39, 33.29), (44.41, 33.29), (44.405, 33.30), (44.41, 33.32), (44.39, 33.31)]
    raster = read_raster(tmp_path / "people.tif", (44.38, 33.28, 44.42, 33.33))
    assert raster.people.size < people.size
    found, covered = people_inside(raster, raster.ring(ring))
    scale = 111_195.0 * math.cos(math.radians(33.3))
    x, y = np.array(ring).T * np.array([[scale], [111_195.0]])
    area_m2 = 0.5 * abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))
    assert covered == pytest.approx(1.0, abs=1e-6)
    assert found == pytest.approx(60e-4 * area_m2, rel=0.006)  # of a sphere; the maps are those of the ellipsoid


def test_water_without_data_holds_nobody_and_a_factor_multiplies(tmp_path):
    counts = COUNTS.copy()
    counts[5, 3] = -9999
    ascii_grid(tmp_path / "people.asc", counts)
    table = '[population]\nfile = "people.asc"\nfactor = 1.5\n'
    site = site_of(tmp_path, zone("water", box(3, 5)), zone("town", box(4, 5)), table=table)
    assert [each.population for each in site.zones] == [0, round(1.5 * COUNTS[5, 4])]


def test_faults_say_what_is_wrong(tmp_path):
    ring = box(3, 5)
    assert "population" in faults_of(tmp_path, zone("a", ring), table="")
    assert "cannot be read" in faults_of(tmp_path, zone("a", ring))
    ascii_grid(tmp_path / "people.asc")
    assert "does not cover zone b" in faults_of(tmp_path, zone("a", ring), zone("b", box(19.5, 5)))
    ascii_grid(tmp_path / "people.asc", nrows=21)
    assert "its header says" in faults_of(tmp_path, zone("a", ring))
    ascii_grid(tmp_path / "people.asc", cellsize=None)
    assert "lacks cellsize" in faults_of(tmp_path, zone("a", ring))
    ascii_grid(tmp_path / "people.asc", cellsize=1000)
    assert "in degrees" in faults_of(tmp_path, zone("a", ring))
    (tmp_path / "people.asc").write_text("ncols x\n")
    assert "must be a number" in faults_of(tmp_path, zone("a", ring))
    table = '[population]\nfile = "people.png"\n'
    assert ".tif" in faults_of(tmp_path, zone("a", ring), table=table)
    table = '[population]\nfile = "people.asc"\n[population.counted]\na = -3\n'
    assert "was changed" in faults_of(tmp_path, zone("a", ring), table=table)
