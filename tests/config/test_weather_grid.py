"""Fields of a weather model, written here from a known atmosphere, as a sounding over a site between their points."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray

from opencram.config.weather_grid import keep_sqlite, read_grid
from opencram.earth.atmosphere import isa_at_geopotential
from opencram.earth.gas import GRAVITY_M_S2, geopotential_at
from opencram.earth.profile import profile_of
from opencram.errors import ConfigError

SITE = (44.4, 33.3)
HPA = np.array([1000.0, 925.0, 850.0, 700.0, 500.0, 400.0, 300.0, 250.0, 200.0, 150.0, 100.0, 70.0, 50.0])
TIMES = np.array(["2026-03-14T00", "2026-03-14T12"], dtype="datetime64[ns]")


def geopotential_m(hpa):
    heights = np.linspace(-500.0, 25_000.0, 50_001)
    return np.interp(-np.log(hpa * 100.0), -np.log(isa_at_geopotential(heights)[1]), heights)


def fields(longitudes=(44.25, 44.5), latitudes=(33.5, 33.25), names=("t", "z", "u", "v", "q"), factor=GRAVITY_M_S2):
    """The standard atmosphere, and a wind that is linear in longitude, latitude, height and time."""
    height = geopotential_m(HPA)
    kelvin = isa_at_geopotential(height)[0]
    shape = (len(TIMES), len(HPA), len(latitudes), len(longitudes))
    lat, lon = np.array(latitudes)[:, np.newaxis], np.array(longitudes)[np.newaxis, :]
    turn = (lon - SITE[0] + 180.0) % 360.0 - 180.0
    east = 5.0 + height[np.newaxis, :, np.newaxis, np.newaxis] / 1000.0 + 20.0 * turn + 8.0 * (lat - SITE[1])
    east = east + np.array([0.0, 3.0])[:, np.newaxis, np.newaxis, np.newaxis]
    column = np.array([1.0, 1.0])[:, np.newaxis, np.newaxis, np.newaxis] * np.ones(shape)
    values = (
        kelvin[:, np.newaxis, np.newaxis] * column,
        factor * height[:, np.newaxis, np.newaxis] * column,
        np.broadcast_to(east, shape),
        -2.0 * column,
        0.0 * column,
    )
    dimensions = ("time", "level", "latitude", "longitude")
    dataset = xarray.Dataset(
        {name: (dimensions, np.ascontiguousarray(value)) for name, value in zip(names, values, strict=True)},
        coords={"time": TIMES, "level": HPA, "latitude": list(latitudes), "longitude": list(longitudes)},
    )
    dataset["level"].attrs["units"] = "hPa"
    return dataset


def read(tmp_path, dataset, site=SITE, time=None):
    path = tmp_path / "fields.nc"
    dataset.to_netcdf(path, engine="netcdf4")
    return read_grid(path, "fields.nc", "netcdf", site, time)


def check(sounding, east_ground=5.0):
    profile = profile_of(sounding, math.radians(SITE[1]))
    heights = np.array([500.0, 3000.0, 9000.0, 15_000.0])
    assert len(sounding.air) == len(HPA)
    geopotentials = geopotential_at(heights, math.radians(SITE[1]))
    exact = isa_at_geopotential(geopotentials)
    assert profile.air_at(heights).density_kg_m3 == pytest.approx(exact[2], rel=0.01)
    east, north = profile.wind_at(heights)
    assert east == pytest.approx(east_ground + geopotentials / 1000.0, abs=0.01)
    assert north == pytest.approx([-2.0] * 4)


def test_between_points_of_the_grid_at_the_last_time(tmp_path):
    sounding = read(tmp_path, fields())
    check(sounding, east_ground=8.0)
    assert sounding.time == "2026-03-14 12:00 UTC"
    assert (sounding.longitude_deg, sounding.latitude_deg) == SITE


def test_at_the_time_that_is_asked_for(tmp_path):
    from datetime import UTC, datetime

    sounding = read(tmp_path, fields(), time=datetime(2026, 3, 14, 3, tzinfo=UTC))
    check(sounding, east_ground=5.0)
    assert sounding.time == "2026-03-14 00:00 UTC"


def test_longitudes_from_0_to_360_and_a_seam_in_the_grid(tmp_path):
    check(read(tmp_path, fields(longitudes=(44.25, 44.5))), 8.0)
    around = np.arange(0.0, 360.0, 90.0)
    dataset = fields(longitudes=tuple(around))
    dataset["u"] = dataset["u"] * 0.0 + 7.0
    sounding = read(tmp_path, dataset, site=(-30.0, 33.3))
    assert sounding.wind[3].east_m_s == pytest.approx(7.0)


def test_names_of_other_centres_and_heights_instead_of_geopotential(tmp_path):
    dataset = fields(names=("air", "hgt", "uwnd", "vwnd", "shum"), factor=1.0).rename(latitude="lat", longitude="lon")
    check(read(tmp_path, dataset), 8.0)
    dataset = fields(names=("a", "b", "c", "d", "e"))
    for name, standard in zip("abcde", ("air_temperature", "geopotential", "eastward_wind", "northward_wind",
                                        "specific_humidity"), strict=True):  # fmt: skip
        dataset[name].attrs["standard_name"] = standard
    check(read(tmp_path, dataset), 8.0)


def test_humidity_makes_air_lighter(tmp_path):
    dry, moist = fields(), fields()
    moist["q"] = moist["q"] + 0.01
    ratio = [m.virtual_temperature_k / d.virtual_temperature_k
             for m, d in zip(read(tmp_path, moist).air, read(tmp_path, dry).air, strict=True)]  # fmt: skip
    assert ratio == pytest.approx([1.00608] * len(HPA))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.drop_vars("z"), "geopotential"),
        (lambda d: d.drop_vars(["u", "v"]), "east, north"),
        (lambda d: d.expand_dims(number=[0, 1]), "number"),
        (lambda d: d.assign_coords(longitude=[10.0, 11.0]), "the site lies at"),
        (lambda d: d.rename(level="layer"), "pressure levels"),
        (lambda d: d.assign(u=d["u"] * 30.0), "no wind on earth"),
        (lambda d: d.assign(z=d["z"] * 1.5), "thick there"),
    ],
)
def test_fields_that_cannot_be_used_are_told(tmp_path, change, words):
    with pytest.raises(ConfigError) as error:
        read(tmp_path, change(fields()))
    assert words in str(error.value)


def test_a_file_that_is_none_is_told(tmp_path):
    path = tmp_path / "fields.nc"
    path.write_bytes(b"\x89HDF\r\n\x1a\n and then nothing")
    with pytest.raises(ConfigError, match="cannot be opened"):
        read_grid(path, "fields.nc", "netcdf", SITE, None)


def grib_message(short_name, hpa, values, longitudes, latitudes):
    """One GRIB 2 field on a regular grid, rows from north to south."""
    keep_sqlite()
    import eccodes

    handle = eccodes.codes_grib_new_from_samples("regular_ll_pl_grib2")
    keys = {"dataDate": 20260314, "dataTime": 1200, "Ni": len(longitudes), "Nj": len(latitudes),
            "latitudeOfFirstGridPointInDegrees": latitudes[0], "latitudeOfLastGridPointInDegrees": latitudes[-1],
            "longitudeOfFirstGridPointInDegrees": longitudes[0], "longitudeOfLastGridPointInDegrees": longitudes[-1],
            "iDirectionIncrementInDegrees": longitudes[1] - longitudes[0],
            "jDirectionIncrementInDegrees": latitudes[0] - latitudes[1],
            "typeOfLevel": "isobaricInhPa", "level": int(hpa), "shortName": short_name, "bitsPerValue": 24}  # fmt: skip
    for key, value in keys.items():
        eccodes.codes_set(handle, key, value)
    eccodes.codes_set_values(handle, np.ascontiguousarray(values).ravel())
    message = eccodes.codes_get_message(handle)
    eccodes.codes_release(handle)
    return message


@pytest.mark.filterwarnings("ignore")  # of the decoder's own making
def test_grib_is_read_by_the_same_path(tmp_path: Path):
    dataset = fields().isel(time=1)
    path = tmp_path / "fields.grib2"
    with path.open("wb") as stream:
        for name in ("t", "z", "u", "v", "q"):
            for k, hpa in enumerate(HPA):
                values = dataset[name].values[k]
                stream.write(grib_message(name, hpa, values, [44.25, 44.5], [33.5, 33.25]))
    sounding = read_grid(path, "fields.grib2", "grib", SITE, None)
    check(sounding, 8.0)
    assert sounding.format == "GRIB"
    assert sounding.time == "2026-03-14 12:00 UTC"
    assert list(tmp_path.iterdir()) == [path]  # no index left beside it


def test_a_recording_can_be_written_after_fields_were_decoded():
    """In a process of its own that has not touched SQLite before."""
    decoded = "from opencram.config.weather_grid import keep_sqlite\nkeep_sqlite()\nimport eccodes\n"
    written = "import sqlite3\nsqlite3.connect(':memory:').execute('CREATE TABLE record (seq INTEGER) STRICT')\n"
    subprocess.run([sys.executable, "-c", decoded + written], check=True, timeout=60)
