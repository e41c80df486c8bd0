"""Weather-model fields (GRIB, netCDF) as a sounding over the site, through xarray: `pip install opencram[weather]`.

Wanted are pressure levels with temperature, geopotential (or its height) and both components of the wind;
humidity is used where it is there.  Fields are interpolated linearly to the site in latitude and longitude,
the wind by components, and taken at one time: the last, or the one nearest to that asked for.
"""

import ctypes
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from opencram.earth.gas import GRAVITY_M_S2, KELVIN
from opencram.earth.met.faults import Faults
from opencram.earth.met.levels import Level, assemble
from opencram.earth.met.sounding import Sounding

# What fields are called: CF standard names first, then the short names of ECMWF, NCEP and CMIP.
_FIELDS: Final = {
    "temperature": ("air_temperature", "t", "T", "ta", "temp", "temperature", "air", "TMP"),
    "geopotential": ("geopotential", "z"),
    "height": ("geopotential_height", "gh", "zg", "hgt", "HGT"),
    "east": ("eastward_wind", "u", "ua", "uwnd", "UGRD"),
    "north": ("northward_wind", "v", "va", "vwnd", "VGRD"),
    "specific": ("specific_humidity", "q", "hus", "shum", "SPFH"),
    "relative": ("relative_humidity", "r", "rh", "hur", "rhum", "RH"),
}
_LEVELS: Final = ("isobaricInhPa", "isobaricInPa", "pressure_level", "level", "plev", "lev", "pressure", "isobaric")
_LATITUDES, _LONGITUDES = ("latitude", "lat"), ("longitude", "lon")
_TIMES: Final = ("valid_time", "time")
_PASCALS: Final = {"hPa": 100.0, "millibars": 100.0, "millibar": 100.0, "mbar": 100.0, "mb": 100.0, "Pa": 1.0}


def read_grid(place: Path, name: str, form: str, origin_deg: tuple[float, float], time: datetime | None) -> Sounding:
    """Return the sounding over a site (longitude, latitude); raise `ConfigError` if the file gives none."""
    faults = Faults(name)
    dataset = _opened(place, form, faults)
    try:
        return _sounding(dataset, form, origin_deg, time, faults)
    finally:
        dataset.close()


def _opened(place: Path, form: str, faults: Faults) -> Any:
    try:
        import xarray
    except ImportError as error:
        raise faults.refuse(None, form, "needs xarray", "pip install 'opencram[weather]'") from error
    try:
        if form == "grib":
            keep_sqlite()
            # No index file beside the file that was given: a folder may be read-only.
            keys = {"filter_by_keys": {"typeOfLevel": "isobaricInhPa"}, "indexpath": ""}
            return xarray.open_dataset(place, engine="cfgrib", backend_kwargs=keys)
        return xarray.open_dataset(place)
    except Exception as error:  # each backend has errors of its own
        remedy = "is the file whole? pip install 'opencram[weather]' brings what reads it"
        raise faults.refuse(None, form, f"cannot be opened: {error}".split("\n")[0], remedy) from error


def keep_sqlite() -> None:
    """Make Python's own SQLite the first that the process finds, before the decoder of GRIB is loaded.

    ecCodes loads its libraries for the whole process to see, and with them brings a SQLite of 2018; a recording that is
    opened afterwards would be written by that one, which does not know of tables that are STRICT.
    """
    try:
        import _sqlite3
    except ImportError:
        return
    place = getattr(_sqlite3, "__file__", None)  # none where it is part of the interpreter, which comes first anyhow
    if place is not None:
        ctypes.CDLL(place, mode=ctypes.RTLD_GLOBAL)


def _sounding(
    dataset: Any, form: str, origin_deg: tuple[float, float], time: datetime | None, faults: Faults
) -> Sounding:
    level_name = _coordinate(dataset, _LEVELS, "pressure levels", faults)
    names = {key: name for key, known in _FIELDS.items() if (name := _field(dataset, known)) is not None}
    if "geopotential" in names and str(dataset[names["geopotential"]].attrs.get("units")) in ("m", "gpm", "metres"):
        names["height"] = names.pop("geopotential")
    missing = [key for key in ("temperature", "east", "north") if key not in names]
    if not {"geopotential", "height"} & names.keys():
        missing.append("geopotential")
    if missing:
        limit = f"holds no {', '.join(missing)} on pressure levels"
        raise faults.refuse(None, ", ".join(map(str, dataset.data_vars)), limit, "fetch t, z, u, v (and q) on levels")
    pressures = dataset[level_name]
    dataset = dataset[list(names.values())]
    dataset, told = _at_time(dataset, time)
    dataset = _at_place(dataset, origin_deg, faults)
    for dimension, size in dataset.sizes.items():
        if dimension != level_name and size > 1:
            limit = f"has {size} of {dimension}: one is wanted"
            raise faults.refuse(None, str(dimension), limit, f"cut the file to one {dimension}")
    dataset = dataset.squeeze()
    base = Sounding(
        format="GRIB" if form == "grib" else "netCDF",
        title="fields at the site",
        time=told,
        latitude_deg=origin_deg[1],
        longitude_deg=origin_deg[0],
        notes=("levels below the model's ground are as the model continues them",),
    )
    levels = _levels(pressures, {key: dataset[field] for key, field in names.items()}, faults)
    faults.stop()
    return assemble(levels, base, faults, latitude_deg=origin_deg[1])


def _coordinate(dataset: Any, names: tuple[str, ...], what: str, faults: Faults) -> str:
    found = next((name for name in names if name in dataset.coords), None)
    if found is None:
        known = ", ".join(map(str, dataset.coords))
        raise faults.refuse(None, known, f"has no coordinate of {what}", "fetch the fields on " + what)
    return found


def _at_time(dataset: Any, time: datetime | None) -> tuple[Any, str]:
    """Return the fields at one time, and that time in words."""
    name = next((name for name in _TIMES if name in dataset.coords), None)
    if name is None:
        return dataset, ""
    times = np.atleast_1d(dataset[name].values).astype("datetime64[s]")
    index = len(times) - 1
    if time is not None:
        wanted = np.datetime64(time.astimezone(UTC).replace(tzinfo=None), "s")
        index = int(np.argmin(np.abs((times - wanted).astype(np.int64))))
    if dataset[name].ndim == 1:
        dataset = dataset.isel({dataset[name].dims[0]: index})
    return dataset, str(times[index]).replace("T", " ")[:16] + " UTC"


def _at_place(dataset: Any, origin_deg: tuple[float, float], faults: Faults) -> Any:
    """Return the fields interpolated linearly to the site; a grid around the globe has no seam."""
    for names, wanted in ((_LATITUDES, origin_deg[1]), (_LONGITUDES, origin_deg[0])):
        name = _coordinate(dataset, names, "latitude and longitude", faults)
        values = np.atleast_1d(dataset[name].values).astype(np.float64)
        if values.ndim > 1:
            raise faults.refuse(None, name, "is not a grid of latitude and longitude", "fetch it on a regular grid")
        if names is _LONGITUDES:
            values = wanted + (values - wanted + 180.0) % 360.0 - 180.0
        dataset = _between(dataset, name, values, wanted, faults)
    return dataset


def _between(dataset: Any, name: str, values: Any, wanted: float, faults: Faults) -> Any:
    """Return the fields between the two neighbours of `wanted` along one coordinate."""
    if dataset[name].ndim == 0:
        near = abs(float(values[0]) - wanted) <= 1.0
    else:
        order = np.argsort(values)
        near = bool(values[order[0]] - 1e-6 <= wanted <= values[order[-1]] + 1e-6)
    if not near:
        limit = f"reaches from {values.min():g} to {values.max():g}: the site lies at {wanted:g}"
        raise faults.refuse(None, name, limit, "fetch fields that hold the site")
    if dataset[name].ndim == 0:
        return dataset
    if len(values) == 1:
        return dataset.isel({name: 0})
    high = int(np.clip(np.searchsorted(values[order], wanted), 1, len(values) - 1))
    low_k, high_k = int(order[high - 1]), int(order[high])
    part = float(np.clip((wanted - values[low_k]) / (values[high_k] - values[low_k]), 0.0, 1.0))
    low_set = dataset.isel({name: low_k}).drop_vars(name)
    return low_set * (1.0 - part) + dataset.isel({name: high_k}).drop_vars(name) * part


def _field(dataset: Any, names: tuple[str, ...]) -> str | None:
    """Return what the file calls a field: by its standard name, else by any of its usual ones."""
    for name, variable in dataset.data_vars.items():
        if variable.attrs.get("standard_name") == names[0]:
            return str(name)
    return next((name for name in names if name in dataset.data_vars), None)


def _levels(pressures: Any, fields: dict[str, Any], faults: Faults) -> list[Level]:
    """Return the levels from the ground up; what is not a number there is no level."""
    units = str(pressures.attrs.get("units", "hPa"))
    if units not in _PASCALS:
        raise faults.refuse(None, units, "is no unit of pressure", "give pressure levels in hPa or Pa")
    pascals = np.atleast_1d(pressures.values).astype(np.float64) * _PASCALS[units]
    columns = {key: np.atleast_1d(field.values).astype(np.float64) for key, field in fields.items()}
    celsius = columns["temperature"].max() < 150.0
    levels = []
    for k in np.argsort(-pascals):
        value = {key: float(column[k]) for key, column in columns.items()}
        if not all(math.isfinite(value[key]) for key in ("temperature", "east", "north")):
            continue
        kelvin = value["temperature"] + (KELVIN if celsius else 0.0)
        height = value["geopotential"] / GRAVITY_M_S2 if "geopotential" in value else value["height"]
        virtual = kelvin * (1.0 + 0.608 * value["specific"]) if "specific" in value else None
        level = Level(pressure_pa=float(pascals[k]), geopotential_m=height, virtual_k=virtual)
        level.temperature_k, level.east_m_s, level.north_m_s = kelvin, value["east"], value["north"]
        if "relative" in value:
            level.humidity = min(max(value["relative"] / 100.0, 0.0), 1.0)
        levels.append(level)
    return levels
