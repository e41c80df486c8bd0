"""Air as a gas that carries its own weight, in plain Python: constants, humidity, geopotential, layers.

Nothing here needs NumPy, so that a weather file can be read and checked at once; the functions of height
take arrays as well.  Heights are above mean sea level.
"""

import math
from typing import Any, Final

# U.S. Standard Atmosphere 1976, NOAA-S/T 76-1562, tables 2 and 4.
GAS_CONSTANT_J_KG_K: Final = 8314.32 / 28.9644  # R* / M0
HEAT_RATIO: Final = 1.4
GRAVITY_M_S2: Final = 9.80665
AUTOCONVECTIVE_K_M: Final = GRAVITY_M_S2 / GAS_CONSTANT_J_KG_K

KELVIN: Final = 273.15
KNOT_M_S: Final = 1852.0 / 3600.0  # the international knot, exact
FOOT_M: Final = 0.3048  # the international foot, exact
VAPOUR_RATIO: Final = 0.622  # molar mass of water vapour over that of dry air

# NGA.STND.0036 (WGS84), 2014: normal gravity at the equator, Somigliana's constant, first eccentricity
# squared, semi-major axis, flattening, and m = ω²a²b/GM.
_EQUATOR_M_S2 = 9.7803253359
_SOMIGLIANA_K = 0.00193185265241
_ECCENTRICITY_2 = 0.00669437999014
_SEMI_MAJOR_M = 6_378_137.0
_FLATTENING = 1.0 / 298.257223563
_M = 0.00344978650684


def vapour_pressure_pa(dew_point_k: float) -> float:
    """Return the pressure of water vapour (Pa) at a dew point, over water at every temperature as soundings take it.

    Valid: −45 °C to 60 °C; below, what is left of the vapour is too little to matter.
    Error: under 0.6 % (tests/earth/test_met_isa.py).
    Source: WMO-No. 8, Guide to Instruments and Methods of Observation, annex 4.B, saturation over water.
    """
    celsius = max(dew_point_k - KELVIN, -120.0)
    return 611.2 * math.exp(17.62 * celsius / (243.12 + celsius))


def virtual_temperature_k(temperature_k: float, vapour_pa: float, pressure_pa: float) -> float:
    """Return the temperature of dry air that has the density of this moist air.  Exact for ideal gases."""
    share = min(vapour_pa / pressure_pa, 0.5)  # of the vapour in all the air: what says more is no air
    return temperature_k / (1.0 - share * (1.0 - VAPOUR_RATIO))


def geopotential_at(height_m: Any, latitude_rad: float) -> Any:
    """Return geopotential height (m) of geometric height at a latitude; numbers or arrays.

    Gravity is normal gravity at sea level that falls with the square of the distance from a centre chosen so
    that its slope with height is right.

    Valid: −1 km to 60 km.  Error: under 0.1 m up to 32 km (tests/earth/test_met_isa.py).
    Source: NGA.STND.0036 (WGS84), 2014, equation 4-1 and the first term of 4-3, integrated.
    """
    ratio, radius_m = _gravity_ratio(latitude_rad)
    return ratio * radius_m * height_m / (radius_m + height_m)


def height_at(geopotential_m: Any, latitude_rad: float) -> Any:
    """Return geometric height (m) of geopotential height at a latitude: the inverse of `geopotential_at`."""
    ratio, radius_m = _gravity_ratio(latitude_rad)
    return radius_m * geopotential_m / (ratio * radius_m - geopotential_m)


def _gravity_ratio(latitude_rad: float) -> tuple[float, float]:
    """Return normal gravity at sea level over the standard one, and the radius (m) of its inverse-square fall."""
    sin2 = math.sin(latitude_rad) ** 2
    surface = _EQUATOR_M_S2 * (1.0 + _SOMIGLIANA_K * sin2) / math.sqrt(1.0 - _ECCENTRICITY_2 * sin2)
    return surface / GRAVITY_M_S2, _SEMI_MAJOR_M / (1.0 + _FLATTENING + _M - 2.0 * _FLATTENING * sin2)


def log_pressure_fall(rise_m: float, below_k: float, above_k: float) -> float:
    """Return by how much ln p falls over a rise in geopotential height between two virtual temperatures.

    Exact where the temperature is linear in height: the hydrostatic equation, integrated.
    """
    excess = above_k / below_k - 1.0
    # ln(1 + x) / x, by its series where the quotient would lose digits.
    share = math.log1p(excess) / excess if abs(excess) > 1e-4 else 1.0 - excess * (0.5 - excess / 3.0)
    return AUTOCONVECTIVE_K_M * rise_m / below_k * share


def rise_m(log_fall: float, below_k: float, above_k: float) -> float:
    """Return the rise in geopotential height (m) over which ln p falls so: the inverse of `log_pressure_fall`."""
    return log_fall / log_pressure_fall(1.0, below_k, above_k)


def wind_components(from_deg: float, speed_m_s: float) -> tuple[float, float]:
    """Return where the air moves to, east and north (m/s), of a wind that blows from `from_deg`."""
    angle_rad = math.radians(from_deg)
    return -speed_m_s * math.sin(angle_rad), -speed_m_s * math.cos(angle_rad)


def wind_direction(east_m_s: float, north_m_s: float) -> tuple[float, float]:
    """Return the direction (degrees, 0 to 360) that a wind blows from, and its speed (m/s)."""
    return math.degrees(math.atan2(-east_m_s, -north_m_s)) % 360.0, math.hypot(east_m_s, north_m_s)
