"""Normal gravity of the WGS84 ellipsoid, the centrifugal part included."""

import math

from opencram.earth.geodesy import FLATTENING, SEMI_MAJOR_M
from opencram.kernel import helper

# NGA.STND.0036 (WGS84), 2014: normal gravity at the equator, Somigliana's constant, first
# eccentricity squared, and m = ω²a²b/GM.
_EQUATOR_M_S2 = 9.7803253359
_SOMIGLIANA_K = 0.00193185265241
_ECCENTRICITY_2 = 0.00669437999014
_M = 0.00344978650684


@helper
def normal_gravity(latitude_rad, height_m):
    """Return normal gravity (m/s²), downward along the ellipsoid's normal.

    Valid: heights from −10 km to 30 km.
    Error: under 1e-6 relative up to 30 km (tests/earth/test_gravity.py).
    Source: NGA.STND.0036 (WGS84), 2014, equations 4-1 (Somigliana) and 4-3 (second order in height).
    """
    sin2 = math.sin(latitude_rad) ** 2
    surface = _EQUATOR_M_S2 * (1.0 + _SOMIGLIANA_K * sin2) / math.sqrt(1.0 - _ECCENTRICITY_2 * sin2)
    ratio = height_m / SEMI_MAJOR_M
    return surface * (1.0 - 2.0 * (1.0 + FLATTENING + _M - 2.0 * FLATTENING * sin2) * ratio + 3.0 * ratio * ratio)
