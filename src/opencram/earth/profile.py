"""The measured air and wind by height, as a flight meets them: between levels, below the first, above the last.

Between levels the virtual temperature is linear in geopotential height and the pressure hydrostatic, with
what is left of the levels' own disagreement spread evenly over the layer; the two components of the wind
are linear in height (never its direction: a wind that backs through north would blow from the south half
way).  Below the lowest level its wind holds, and so does its departure from the temperature of the
International Standard Atmosphere (ISA).  Above the highest that departure fades over `BLEND_M`, the pressure
stays hydrostatic, and the wind holds.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opencram.earth.atmosphere import isa, isa_at_geopotential
from opencram.earth.gas import (
    AUTOCONVECTIVE_K_M,
    GAS_CONSTANT_J_KG_K,
    HEAT_RATIO,
    geopotential_at,
    log_pressure_fall,
)
from opencram.earth.met.sounding import Sounding

Array = NDArray[np.float64]

BLEND_M = 5_000.0  # geopotential, above the highest level, until the temperature is that of the ISA
_BLEND_STEP_M = 250.0
_CEILING_M = 40_000.0
_FLOOR_M = -5_000.0
_ISA_SEAMS_M = (11_000.0, 20_000.0, 32_000.0)  # where the slope of its temperature breaks


class Air(NamedTuple):
    """The air at some heights.  The speed of sound is that of dry air of the same density: 0.1 % low in the tropics."""

    virtual_temperature_k: Array
    pressure_pa: Array
    density_kg_m3: Array
    sound_m_s: Array


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Air and wind by height above the ellipsoid, where mean sea level lies at `geoid_m`.

    Without `heights_m` the air is the ISA; without `wind_heights_m` it is calm.
    """

    latitude_rad: float
    geoid_m: float = 0.0
    heights_m: tuple[float, ...] = ()  # rising; with pressures and virtual temperatures
    pressures_pa: tuple[float, ...] = ()
    virtual_temperatures_k: tuple[float, ...] = ()
    wind_heights_m: tuple[float, ...] = ()  # rising; with winds, where the air is moving to
    wind_east_m_s: tuple[float, ...] = ()
    wind_north_m_s: tuple[float, ...] = ()

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        # A configuration is the key of its constants at every step: thousands of levels are hashed but once.
        return hash((self.latitude_rad, self.geoid_m, self.heights_m, self.pressures_pa, self.wind_east_m_s))

    @cached_property
    def _column(self) -> tuple[Array, Array, Array]:
        """Geopotential heights (m), virtual temperatures (K) and logarithms of pressure, from floor to ceiling."""
        heights = np.asarray(geopotential_at(np.array(self.heights_m) - self.geoid_m, self.latitude_rad))
        kelvins, logs = np.array(self.virtual_temperatures_k), np.log(self.pressures_pa)
        floor_m = min(_FLOOR_M, heights[0] - 1000.0)
        floor_k = kelvins[0] + isa_at_geopotential(floor_m)[0] - isa_at_geopotential(heights[0])[0]
        below = log_pressure_fall(heights[0] - floor_m, floor_k, kelvins[0])
        above = _blend_heights(heights[-1])
        excess_k = kelvins[-1] - isa_at_geopotential(heights[-1])[0]
        share = np.clip(1.0 - (above - heights[-1]) / BLEND_M, 0.0, 1.0)
        blended = isa_at_geopotential(above)[0] + excess_k * share
        steps = np.diff(above, prepend=heights[-1])
        lower = np.concatenate([kelvins[-1:], blended[:-1]])
        falls = [
            log_pressure_fall(*layer) for layer in zip(steps.tolist(), lower.tolist(), blended.tolist(), strict=True)
        ]
        return (
            np.concatenate([[floor_m], heights, above]),
            np.concatenate([[floor_k], kelvins, blended]),
            np.concatenate([[logs[0] + below], logs, logs[-1] - np.cumsum(falls)]),
        )

    def air_at(self, height_m: ArrayLike) -> Air:
        """Return the air at heights above the ellipsoid (m)."""
        height = np.asarray(height_m, dtype=np.float64) - self.geoid_m
        if not self.heights_m:
            return Air(*isa(height))
        geopotential = np.asarray(geopotential_at(height, self.latitude_rad))
        levels, kelvins, logs = self._column
        layer = np.clip(np.searchsorted(levels, geopotential, side="right") - 1, 0, len(levels) - 2)
        thickness, base_k = np.diff(levels)[layer], kelvins[layer]
        part = (geopotential - levels[layer]) / thickness
        kelvin = base_k + part * (kelvins[layer + 1] - base_k)
        whole = _falls(thickness, base_k, kelvins[layer + 1])
        misfit = logs[layer + 1] - logs[layer] + whole
        log = logs[layer] - _falls(part * thickness, base_k, kelvin) + part * misfit
        pressure = np.exp(log)
        density = pressure / (GAS_CONSTANT_J_KG_K * kelvin)
        return Air(kelvin, pressure, density, np.sqrt(HEAT_RATIO * GAS_CONSTANT_J_KG_K * kelvin))

    def wind_at(self, height_m: ArrayLike) -> tuple[Array, Array]:
        """Return the wind east and north (m/s, where the air is moving to) at heights above the ellipsoid (m)."""
        heights = np.asarray(height_m, dtype=np.float64)
        if not self.wind_heights_m:
            return np.zeros_like(heights), np.zeros_like(heights)
        east, north = (
            np.interp(heights, self.wind_heights_m, component)
            for component in (self.wind_east_m_s, self.wind_north_m_s)
        )
        return np.asarray(east), np.asarray(north)


def profile_of(sounding: Sounding, latitude_rad: float, *, geoid_m: float = 0.0) -> Profile:
    """Return the profile of a sounding at a site; `geoid_m`: mean sea level there above the ellipsoid."""
    return Profile(
        latitude_rad=latitude_rad,
        geoid_m=geoid_m,
        heights_m=tuple(level.height_m + geoid_m for level in sounding.air),
        pressures_pa=tuple(level.pressure_pa for level in sounding.air),
        virtual_temperatures_k=tuple(level.virtual_temperature_k for level in sounding.air),
        wind_heights_m=tuple(level.height_m + geoid_m for level in sounding.wind),
        wind_east_m_s=tuple(level.east_m_s for level in sounding.wind),
        wind_north_m_s=tuple(level.north_m_s for level in sounding.wind),
    )


def _falls(rises: Array, below: Array, above: Array) -> Array:
    """Return `gas.log_pressure_fall` of arrays."""
    excess = above / below - 1.0
    small = np.abs(excess) <= 1e-4
    safe = np.where(small, 1.0, excess)
    share = np.where(small, 1.0 - excess * (0.5 - excess / 3.0), np.log1p(safe) / safe)
    return np.asarray(AUTOCONVECTIVE_K_M * rises / below * share)


def _blend_heights(top_m: float) -> Array:
    """Return geopotential heights above the highest level, up to the ceiling, with the seams of the ISA among them."""
    rows = max(math.ceil((_CEILING_M - top_m) / _BLEND_STEP_M), 1)
    even = top_m + _BLEND_STEP_M * np.arange(1, rows + 1)
    seams = [seam for seam in _ISA_SEAMS_M if top_m < seam < even[-1]]
    return np.unique(np.concatenate([even, seams]))
