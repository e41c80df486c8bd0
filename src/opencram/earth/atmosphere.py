"""The air by height: the International Standard Atmosphere (ISA).

The ISA is the U.S. Standard Atmosphere 1976 up to 32 km.  Geometric heights are metres above mean sea
level; geopotential heights are what the layers are defined in.  A measured atmosphere is `profile.Profile`.
Within the accuracy of the ISA the ellipsoid serves as sea level.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opencram.earth.gas import GAS_CONSTANT_J_KG_K, GRAVITY_M_S2, HEAT_RATIO

Array = NDArray[np.float64]

# U.S. Standard Atmosphere 1976, NOAA-S/T 76-1562, tables 2 and 4.
EARTH_RADIUS_M = 6_356_766.0
_BASE_M = np.array([0.0, 11_000.0, 20_000.0, 32_000.0])  # geopotential
_LAPSE_K_M = np.array([-0.0065, 0.0, 0.001, 0.0028])
_BASE_K = np.array([288.15, 216.65, 216.65, 228.65])


def _base_pressures_pa() -> Array:
    pressures = [101_325.0]
    for k in range(len(_BASE_M) - 1):
        pressures.append(float(_layer_pressure(pressures[k], k, _BASE_M[k + 1])))
    return np.array(pressures)


def _layer_pressure(base_pa: ArrayLike, layer: int | NDArray[np.intp], geopotential_m: ArrayLike) -> Array:
    """Return pressure (Pa) within a layer: the hydrostatic equation for a constant lapse rate."""
    lapse, base_k = _LAPSE_K_M[layer], _BASE_K[layer]
    rise = np.asarray(geopotential_m) - _BASE_M[layer]
    exponent = GRAVITY_M_S2 / GAS_CONSTANT_J_KG_K
    isothermal = np.exp(-exponent * rise / base_k)
    safe_lapse = np.where(lapse == 0.0, 1.0, lapse)
    polytropic = (1.0 + safe_lapse * rise / base_k) ** (-exponent / safe_lapse)
    return np.asarray(np.asarray(base_pa) * np.where(lapse == 0.0, isothermal, polytropic))


def geopotential_from_geometric(height_m: ArrayLike) -> Array:
    """Return geopotential height (m) of a geometric height (m).  Source: as above, equation 18."""
    height = np.asarray(height_m, dtype=np.float64)
    return EARTH_RADIUS_M * height / (EARTH_RADIUS_M + height)


def geometric_from_geopotential(geopotential_m: ArrayLike) -> Array:
    """Return geometric height (m) of a geopotential height (m).  Source: as above, equation 19."""
    geopotential = np.asarray(geopotential_m, dtype=np.float64)
    return EARTH_RADIUS_M * geopotential / (EARTH_RADIUS_M - geopotential)


def isa(height_m: ArrayLike) -> tuple[Array, Array, Array, Array]:
    """Return temperature (K), pressure (Pa), density (kg/m³) and speed of sound (m/s) at geometric heights.

    Valid: from −1 km to 32 km; outside, the end layers are extended.
    Error: under 1e-5 relative against the published table (tests/earth/test_atmosphere.py).
    Source: U.S. Standard Atmosphere 1976, NOAA-S/T 76-1562, equations 23, 33, 42 and 50.
    """
    return isa_at_geopotential(geopotential_from_geometric(height_m))


def isa_at_geopotential(geopotential_m: ArrayLike) -> tuple[Array, Array, Array, Array]:
    """Return temperature (K), pressure (Pa), density (kg/m³) and speed of sound (m/s) at geopotential heights.

    Valid: from −1 km to 32 km; outside, the end layers are extended.
    Error: under 1e-5 relative against the published table (tests/earth/test_met_isa.py).
    Source: as `isa`.
    """
    geopotential = np.asarray(geopotential_m, dtype=np.float64)
    layer = np.clip(np.searchsorted(_BASE_M, geopotential, side="right") - 1, 0, len(_BASE_M) - 1)
    temperature = _BASE_K[layer] + _LAPSE_K_M[layer] * (geopotential - _BASE_M[layer])
    pressure = _layer_pressure(_BASE_PA[layer], layer, geopotential)
    density = pressure / (GAS_CONSTANT_J_KG_K * temperature)
    return temperature, pressure, density, np.sqrt(HEAT_RATIO * GAS_CONSTANT_J_KG_K * temperature)


_BASE_PA = _base_pressures_pa()
