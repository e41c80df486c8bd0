"""What a flight meets, packed for compiled code: gravity, earth rotation, curvature, air, wind, ground."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opencram.earth.atmosphere import isa
from opencram.earth.geodesy import EARTH_RATE_RAD_S, ECCENTRICITY_2, SEMI_MAJOR_M
from opencram.earth.gravity import normal_gravity
from opencram.earth.profile import Profile
from opencram.earth.terrain import Terrain
from opencram.kernel import helper

Array = NDArray[np.float64]

AIR_STEP_M = 100.0
AIR_BOTTOM_M = -500.0
AIR_TOP_M = 32_000.0

# Columns of `Environment.air`: a value at the row's height, and its slopes by height behind it.
DENSITY, SOUND_INVERSE, WIND_EAST, WIND_NORTH = 0, 3, 5, 7
_COLUMNS = 9
NO_TERRAIN = np.zeros((0, 0), dtype=np.float32)
NO_TERRAIN.setflags(write=False)  # as every terrain is: another type would be compiled for anew


class Environment(NamedTuple):
    """Constants of one site; heights are above the ellipsoid, axes those of the site's ENU.

    `air` (n, 9) holds a Taylor polynomial about every `AIR_STEP_M` from `AIR_BOTTOM_M` up: density
    (kg/m³; value, slope, half the curvature), reciprocal speed of sound (s/m; value, slope), wind east and
    north (m/s, where the air is moving to; value, slope each).  A step of the integration looks the row of
    its start up once and stays with it: relative error of the density under 1e-5 within 350 m.
    """

    height_m: float  # of the ENU origin
    ground_m: float  # constant ground
    curvature_east_1_m: float  # reciprocal radii of curvature at the origin's height
    curvature_north_1_m: float
    gravity_m_s2: float  # at the ellipsoid below the origin, and its slopes
    gravity_north_1_s2: float  # per metre north
    gravity_up_1_s2: float  # per metre of height
    gravity_up2_1_m_s2: float  # per metre of height squared
    coriolis_north_rad_s: float  # twice the earth's rotation, its horizontal and vertical parts
    coriolis_up_rad_s: float
    air: Any
    terrain: Any  # (rows north, columns east) heights above the ellipsoid, float32; (0, 0): constant ground
    terrain_east_m: float  # ENU of its first point
    terrain_north_m: float
    terrain_inverse_1_m: float  # reciprocal spacing
    terrain_top_m: float


def environment(
    latitude_rad: float,
    height_m: float,
    *,
    ground_height_m: float | None = None,
    wind_m_s: tuple[float, float] = (0.0, 0.0),
    wind_profile: tuple[ArrayLike, ArrayLike, ArrayLike] | None = None,
    density_factor: float = 1.0,
    profile: Profile | None = None,
    terrain: Terrain | None = None,
) -> Environment:
    """Return the environment of a site whose ENU origin lies at this latitude and ellipsoidal height.

    `wind_profile` (heights m ascending, east m/s, north m/s) stands instead of the constant `wind_m_s`;
    between its heights the components are linear, outside they keep their end values.  `profile` is a measured
    atmosphere: its air stands instead of the standard one, and its wind, where it has any, instead of both.
    `terrain` is the ground where it reaches; beyond, the constant ground holds.
    """
    heights = np.arange(AIR_BOTTOM_M, AIR_TOP_M + AIR_STEP_M, AIR_STEP_M)
    if profile is not None and profile.wind_heights_m:
        wind_profile = (profile.wind_heights_m, profile.wind_east_m_s, profile.wind_north_m_s)
    if wind_profile is None:
        wind_profile = ([0.0], [wind_m_s[0]], [wind_m_s[1]])
    levels, east, north = (np.asarray(column, dtype=np.float64) for column in wind_profile)
    reach = AIR_STEP_M
    air_at = isa if profile is None else profile.air_at
    below, here, above = (air_at(heights + offset) for offset in (-reach, 0.0, reach))
    air = np.empty((len(heights), _COLUMNS))
    densities = [density * density_factor for _, _, density, _ in (below, here, above)]
    air[:, DENSITY] = densities[1]
    air[:, DENSITY + 1] = (densities[2] - densities[0]) / (2.0 * reach)
    air[:, DENSITY + 2] = (densities[2] - 2.0 * densities[1] + densities[0]) / (2.0 * reach * reach)
    air[:, SOUND_INVERSE] = 1.0 / here[3]
    air[:, SOUND_INVERSE + 1] = (1.0 / above[3] - 1.0 / below[3]) / (2.0 * reach)
    for column, wind in ((WIND_EAST, east), (WIND_NORTH, north)):
        air[:, column] = np.interp(heights, levels, wind)
        air[:, column + 1] = (np.interp(heights + reach, levels, wind) - np.interp(heights - reach, levels, wind)) / (
            2.0 * reach
        )
    sin2 = math.sin(latitude_rad) ** 2
    flat = 1.0 - ECCENTRICITY_2 * sin2
    normal_radius = SEMI_MAJOR_M / math.sqrt(flat)
    meridian_radius = SEMI_MAJOR_M * (1.0 - ECCENTRICITY_2) / flat**1.5
    g_0, g_10, g_20 = (float(normal_gravity(latitude_rad, h)) for h in (0.0, 10_000.0, 20_000.0))
    step_rad = 1e-3
    g_north = float(normal_gravity(latitude_rad + step_rad, 0.0))
    return Environment(
        height_m=height_m,
        ground_m=height_m if ground_height_m is None else ground_height_m,
        curvature_east_1_m=1.0 / (normal_radius + height_m),
        curvature_north_1_m=1.0 / (meridian_radius + height_m),
        gravity_m_s2=g_0,
        gravity_north_1_s2=(g_north - g_0) / (step_rad * meridian_radius),
        gravity_up_1_s2=(4.0 * g_10 - 3.0 * g_0 - g_20) / 20_000.0,
        gravity_up2_1_m_s2=(g_20 - 2.0 * g_10 + g_0) / 2e8,
        coriolis_north_rad_s=2.0 * EARTH_RATE_RAD_S * math.cos(latitude_rad),
        coriolis_up_rad_s=2.0 * EARTH_RATE_RAD_S * math.sin(latitude_rad),
        air=np.ascontiguousarray(air),
        terrain=NO_TERRAIN if terrain is None else terrain.heights_m,
        terrain_east_m=0.0 if terrain is None else terrain.east_m,
        terrain_north_m=0.0 if terrain is None else terrain.north_m,
        terrain_inverse_1_m=1.0 if terrain is None else 1.0 / terrain.step_m,
        terrain_top_m=-math.inf if terrain is None else float(terrain.heights_m.max()),
    )


@helper
def altitude(east, north, up, env):
    """Return the height (m) above the ellipsoid of a point of the site's ENU.

    Valid: within 60 km of the origin.  Error: under 0.01 m within 30 km (tests/ballistics/test_environment.py).
    """
    bulge = 0.5 * (east * east * env.curvature_east_1_m + north * north * env.curvature_north_1_m)
    return env.height_m + up + bulge * (1.0 - up * env.curvature_north_1_m)


@helper
def surface(east, north, env):
    """Return the height (m) above the ellipsoid of the ground at a point of the site's ENU.

    Bilinear between the points of the terrain; beyond it, the constant ground.
    """
    x = (east - env.terrain_east_m) * env.terrain_inverse_1_m
    y = (north - env.terrain_north_m) * env.terrain_inverse_1_m
    rows, columns = env.terrain.shape
    if not (0.0 <= x < columns - 1.0 and 0.0 <= y < rows - 1.0):
        return env.ground_m
    column, row = int(x), int(y)
    part_x, part_y = x - column, y - row
    grid = env.terrain
    south = grid[row, column] * (1.0 - part_x) + grid[row, column + 1] * part_x
    north_edge = grid[row + 1, column] * (1.0 - part_x) + grid[row + 1, column + 1] * part_x
    return south * (1.0 - part_y) + north_edge * part_y
