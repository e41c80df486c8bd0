"""Terrain: files in, a grid of the site out, and flights that end on slopes and ridges."""

import math

import numpy as np
import pytest

from opencram.ballistics.drag import standard_curve
from opencram.ballistics.drivers import land_one
from opencram.ballistics.environment import altitude, environment
from opencram.earth.geodesy import Frame, enu_from_geodetic
from opencram.earth.terrain import Elevations, Terrain, packed, resampled, unpacked
from opencram.earth.terrain_files import read_elevations
from opencram.errors import ConfigError

SITE = Frame(math.radians(33.3), math.radians(44.4), 600.0)
CURVE = standard_curve("G7")
STEP_DEG = 0.001
WINDOW = (44.35, 33.25, 44.45, 33.35)


def model(height_at, *, south=33.2, west=44.3, rows=201, columns=201):
    latitude = south + STEP_DEG * np.arange(rows)[:, np.newaxis]
    longitude = west + STEP_DEG * np.arange(columns)[np.newaxis, :]
    return Elevations(south, west, STEP_DEG, STEP_DEG, height_at(latitude, longitude) * np.ones((rows, columns)))


def tilted(latitude, longitude):
    return 500.0 + 2000.0 * (latitude - 33.3) + 1000.0 * (longitude - 44.4)


def fault(call):
    with pytest.raises(ConfigError) as error:
        call()
    [only] = error.value.faults
    assert only.remedy
    return only.limit


def test_the_grid_of_a_site_holds_the_heights_of_the_model():
    """Also where "up" leans: a point 9 km out and 600 m high lies 0.8 m beside where a plane would put it."""
    terrain, known = resampled(model(tilted), SITE, radius_m=6000.0, step_m=50.0, geoid_m=-12.0)
    assert known == 1.0
    for latitude, longitude in ((33.3, 44.4), (33.34, 44.43), (33.26, 44.37)):
        height = float(tilted(latitude, longitude)) - 12.0
        east, north, _ = enu_from_geodetic(SITE, math.radians(latitude), math.radians(longitude), height)
        assert float(terrain.at(east, north)) == pytest.approx(height, abs=0.15)


def test_a_geoid_grid_is_added():
    geoid = model(lambda latitude, longitude: 10.0 + 100.0 * (latitude - 33.3))
    terrain, _ = resampled(model(tilted), SITE, radius_m=3000.0, step_m=100.0, geoid_m=geoid)
    assert float(terrain.at(0.0, 0.0)) == pytest.approx(510.0, abs=0.1)


def test_a_model_that_does_not_hold_the_site_gives_no_terrain():
    assert resampled(model(tilted, south=40.0), SITE, radius_m=3000.0, step_m=100.0)[0] is None
    half, known = resampled(model(tilted, south=33.3), SITE, radius_m=3000.0, step_m=100.0)
    assert half is not None
    assert 0.45 < known < 0.55


def test_what_is_packed_is_unpacked_and_a_change_is_seen():
    heights = np.random.default_rng(1).normal(300.0, 50.0, (40, 60))
    terrain = Terrain.of(-100.0, 50.0, 30.0, heights)
    values = packed(terrain)
    again = unpacked(values)
    assert again == terrain
    assert (again.heights_m == terrain.heights_m).all()
    for key, value in (("step_m", 31.0), ("rows", 39), ("heights", "AAAA"), ("heights", "no"), ("rows", 10**9)):
        assert unpacked({**values, key: value}) is None
    assert unpacked({}) is None


def test_terrain_at_its_points_and_outside():
    terrain = Terrain.of(0.0, 0.0, 10.0, [[0.0, 1.0], [2.0, 3.0]])
    assert float(terrain.at(10.0, 10.0)) == pytest.approx(3.0)
    assert float(terrain.at(5.0, 5.0)) == pytest.approx(1.5)
    assert np.isnan(terrain.at(-1.0, 5.0))
    with pytest.raises(ValueError, match="grid"):
        Terrain.of(0.0, 0.0, 10.0, [[0.0, math.nan], [2.0, 3.0]])


# ---- files ----------------------------------------------------------------------------------------


def ascii_grid(path, elevations, *, corner="center"):
    south, west = elevations.south_deg, elevations.west_deg
    if corner == "corner":
        south, west = south - 0.5 * STEP_DEG, west - 0.5 * STEP_DEG
    rows, columns = elevations.heights_m.shape
    head = f"ncols {columns}\nnrows {rows}\nxll{corner} {west:.9f}\nyll{corner} {south:.9f}\ncellsize {STEP_DEG}\n"
    head += "NODATA_value -9999\n"
    lines = "\n".join(" ".join(f"{h:.3f}" for h in row) for row in elevations.heights_m[::-1])
    path.write_text(head + lines + "\n")


@pytest.mark.parametrize("corner", ["center", "corner"])
def test_an_ascii_grid_is_read(tmp_path, corner):
    written = model(tilted, rows=30, columns=20)
    ascii_grid(tmp_path / "dem.asc", written, corner=corner)
    read = read_elevations(tmp_path / "dem.asc", WINDOW)
    assert read.heights_m == pytest.approx(written.heights_m, abs=1e-3)
    assert (read.south_deg, read.west_deg) == pytest.approx((33.2, 44.3), abs=1e-8)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("ncols 20", "ncols 21", "has 20 heights, not 21"),
        ("nrows 30", "nrows 31", "has 30 rows"),
        ("ncols 20\n", "", "lacks ncols"),
        ("cellsize 0.001", "cellsize 30", "must be in degrees"),
        ("cellsize 0.001", "cellsize x", "must be a number"),
        ("500", "five", "no number"),
    ],
)
def test_a_broken_ascii_grid_is_refused(tmp_path, old, new, words):
    path = tmp_path / "dem.asc"
    ascii_grid(path, model(lambda a, b: 500.0, rows=30, columns=20))
    path.write_text(path.read_text().replace(old, new, 1))
    assert words in fault(lambda: read_elevations(path, WINDOW))


def test_an_array_is_read_within_its_bounds(tmp_path):
    written = model(tilted, rows=11, columns=21)
    np.save(tmp_path / "dem.npy", written.heights_m[::-1].astype(np.float32))
    bounds = (44.3, 33.2, 44.32, 33.21)
    read = read_elevations(tmp_path / "dem.npy", WINDOW, bounds_deg=bounds)
    assert float(read.at(33.205, 44.31)) == pytest.approx(float(tilted(33.205, 44.31)), abs=1e-3)
    assert "place of its own" in fault(lambda: read_elevations(tmp_path / "dem.npy", WINDOW))
    assert "bounds" in fault(lambda: read_elevations(tmp_path / "dem.npy", WINDOW, bounds_deg=(1.0, 2.0, 1.0, 3.0)))
    np.save(tmp_path / "line.npy", np.zeros(5))
    assert "shape" in fault(lambda: read_elevations(tmp_path / "line.npy", WINDOW, bounds_deg=bounds))


def test_files_that_are_none(tmp_path):
    (tmp_path / "dem.npy").write_text("no")
    assert "no array" in fault(lambda: read_elevations(tmp_path / "dem.npy", WINDOW, bounds_deg=(0.0, 0.0, 1.0, 1.0)))
    assert "cannot be read" in fault(lambda: read_elevations(tmp_path / "absent.asc", WINDOW))
    assert "must end with" in fault(lambda: read_elevations(tmp_path / "dem.xyz", WINDOW))


@pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")  # within rasterio
@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32638"])
def test_a_geotiff_is_read(tmp_path, crs):
    import rasterio
    from rasterio.transform import from_origin
    from rasterio.warp import transform

    path = tmp_path / "dem.tif"
    if crs == "EPSG:4326":
        written = model(tilted)
        move = from_origin(44.3 - 0.5 * STEP_DEG, 33.2 + 200.5 * STEP_DEG, STEP_DEG, STEP_DEG)
        data = written.heights_m[::-1].astype(np.float32)
    else:
        (x,), (y,) = transform("EPSG:4326", crs, [44.4], [33.3])
        move = from_origin(x - 10_000.0, y + 10_000.0, 100.0, 100.0)
        columns, rows = np.meshgrid(np.arange(200) + 0.5, np.arange(200) + 0.5)
        longitude, latitude = transform(
            crs, "EPSG:4326", (x - 10_000.0 + 100.0 * columns).ravel(), (y + 10_000.0 - 100.0 * rows).ravel()
        )
        data = tilted(np.array(latitude), np.array(longitude)).reshape(200, 200).astype(np.float32)
    with rasterio.open(
        path, "w", driver="GTiff", height=data.shape[0], width=data.shape[1], count=1, dtype="float32", crs=crs,
        transform=move, nodata=-32768.0,
    ) as target:  # fmt: skip
        target.write(data, 1)
    read = read_elevations(path, WINDOW)
    for latitude, longitude in ((33.3, 44.4), (33.32, 44.43), (33.27, 44.36)):
        assert float(read.at(latitude, longitude)) == pytest.approx(float(tilted(latitude, longitude)), abs=0.3)
    assert "does not cover the site" in fault(lambda: read_elevations(path, (10.0, 50.0, 10.1, 50.1)))


def test_a_geotiff_that_is_none_is_refused(tmp_path):
    (tmp_path / "dem.tif").write_bytes(b"II*\x00 but no more")
    assert "cannot be read" in fault(lambda: read_elevations(tmp_path / "dem.tif", WINDOW))


# ---- flights --------------------------------------------------------------------------------------


def shot(speed_m_s, elevation_deg, up_m=0.0):
    level, climb = (speed_m_s * f(math.radians(elevation_deg)) for f in (math.cos, math.sin))
    return [0.0, 0.0, up_m, 0.0, level, climb, math.log(2500.0), 0.0, 0.0, 0.0]


def over(height_at, step_m=25.0):
    line = np.arange(-400, 401) * step_m
    east, north = np.meshgrid(line, line)
    return environment(SITE.latitude_rad, 600.0, terrain=Terrain.of(line[0], line[0], step_m, height_at(east, north)))


def test_level_terrain_is_constant_ground():
    flat = environment(SITE.latitude_rad, 600.0, ground_height_m=600.0)
    landed = land_one(shot(300.0, 40.0, 1.0), over(lambda e, n: 600.0 + 0.0 * e), CURVE)
    assert landed == pytest.approx(land_one(shot(300.0, 40.0, 1.0), flat, CURVE), abs=0.01)


@pytest.mark.parametrize("slope", [-0.1, 0.1, 0.4])
def test_a_slope_is_met_to_the_metre(slope):
    env = over(lambda e, n: 595.0 + slope * n)
    coarse, fine = (land_one(shot(300.0, 40.0), env, CURVE, dt=dt) for dt in (0.25, 0.01))
    assert np.linalg.norm((coarse - fine)[1:4]) < 0.1
    assert altitude(*coarse[1:4], env) == pytest.approx(595.0 + slope * coarse[2], abs=0.1)


@pytest.mark.parametrize("ridge_north_m", [1000.0, 1033.0, 1071.0, 1300.0, 1555.0])
def test_a_ridge_thinner_than_a_step_is_not_flown_through(ridge_north_m):
    """300 m/s and 0.25 s: 75 m a step; the ridge is 50 m wide and 200 m high, met on the way up."""

    def ridge(east, north):
        return 590.0 + np.maximum(0.0, 200.0 * (1.0 - np.abs(north - ridge_north_m) / 25.0))

    env = over(ridge, step_m=12.5)
    landed = land_one(shot(300.0, 5.0), env, CURVE)
    assert abs(landed[2] - ridge_north_m) < 25.0 + 12.5
    fine = land_one(shot(300.0, 5.0), env, CURVE, dt=0.005)
    assert np.linalg.norm((landed - fine)[1:4]) < 1.0


def test_a_launch_from_below_the_model_is_no_impact():
    """Elevation models err by metres: a launcher a little under them still launches."""
    landed = land_one(shot(300.0, 45.0), over(lambda e, n: 604.0 + 0.0 * e), CURVE)
    assert landed[0] > 20.0


def test_beyond_the_terrain_the_ground_is_constant():
    line = np.array([-1000.0, 1000.0])
    small = Terrain.of(-1000.0, -1000.0, 2000.0, np.full((2, 2), 650.0))
    env = environment(SITE.latitude_rad, 600.0, ground_height_m=580.0, terrain=small)
    assert altitude(*land_one(shot(300.0, 40.0, 60.0), env, CURVE)[1:4], env) == pytest.approx(580.0, abs=0.05)
    assert altitude(*land_one(shot(60.0, 40.0, 60.0), env, CURVE)[1:4], env) == pytest.approx(650.0, abs=0.05)
    assert line[0] == small.east_m
