"""What a scenario file says, in SI units and radians: the truth that `opencram simulate` flies.

`config.scenario` reads it; the simulation turns it into flights and radars.  The language of the file
is described in `docs/scenario.md`.
"""

import math
from dataclasses import dataclass, field
from typing import Literal

from opencram.ballistics.curves import OwnCurve
from opencram.config.model import Site
from opencram.simulation.model import (
    NO_FAULTS,
    Coloured,
    Effects,
    Faults,
    GroundEchoes,
    Gunfire,
    MoverClass,
    Rain,
    Salvo,
)

ProjectileClass = Literal["mortar", "rocket", "shell"]
Motion = Literal["point_mass", "spinning"]


@dataclass(frozen=True, kw_only=True)
class TruthWeather:
    """The air that the rounds really fly through.

    The wind is where the air is moving to, 10 m above the site's ground, and grows linearly with height
    by the shear, per metre.  `density_factor` multiplies the density of the standard atmosphere.  `as_measured`:
    the air and the wind are those of the site's weather file instead.
    """

    wind_east_m_s: float = 0.0
    wind_north_m_s: float = 0.0
    shear_east_per_s: float = 0.0  # m/s of wind per metre of height
    shear_north_per_s: float = 0.0
    density_factor: float = 1.0
    as_measured: bool = False


@dataclass(frozen=True, kw_only=True)
class GeodeticPlace:
    """A point on the site's ground, by latitude and longitude (rad)."""

    latitude_rad: float
    longitude_rad: float


@dataclass(frozen=True, kw_only=True)
class EnuPlace:
    """A point on the site's ground, by metres east and north in the site's east-north-up frame."""

    east_m: float
    north_m: float


Place = GeodeticPlace | EnuPlace


@dataclass(frozen=True, kw_only=True)
class Launch:
    """One round, or a salvo of alike rounds from one place.

    Either `aim` is None and speed, azimuth and elevation are all given, or `aim` is where the truth
    comes down, azimuth is None, and exactly one of speed and elevation is given: the simulation solves
    for the rest.  Round `k` of a salvo leaves at `time_s + k * interval_s`; `dispersion_m` is the
    standard deviation, east and north alike, of where its rounds land about the point of the first.
    None means: the usual value of the class.  `burn_time_s` 0: a rocket leaves at burn-out; else it leaves its
    launcher under thrust, and the speed is that at burn-out.
    """

    name: str
    time_s: float  # after the start of the scenario
    class_name: ProjectileClass
    place: Place
    aim: Place | None
    speed_m_s: float | None
    azimuth_rad: float | None
    elevation_rad: float | None
    ballistic_coefficient_kg_m2: float | None
    spin_drift_m_s: float | None
    count: int
    interval_s: float
    dispersion_m: float
    burn_time_s: float = 0.0
    motion: Motion = "point_mass"
    curve: str = ""  # a standard one ("G7"); empty: that of the class
    own_curve: OwnCurve | None = None  # stands instead


@dataclass(frozen=True, kw_only=True)
class Radar:
    """How one sensor of the site really behaves: every value resolved, the site's own where none is given."""

    sensor: str
    range_m_std: float
    azimuth_rad_std: float
    elevation_rad_std: float
    range_m_max: float
    period_s: float
    detection_probability: float
    clutter_per_scan: float  # mean number of false plots in one scan
    elevation_rad_min: float  # nothing is seen below
    bias_range_m: float
    bias_azimuth_rad: float
    bias_elevation_rad: float
    dropouts_s: tuple[tuple[float, float], ...]  # silent from, to: seconds after the start, in order
    range_rate_m_s_std: float = 0.0  # 0: no Doppler
    range_m_quantum: float = 0.0
    angle_rad_quantum: float = 0.0
    fades_per_s: float = 0.0  # one object is not seen for a while
    fade_s_mean: float = 1.0
    glint: Coloured | None = None  # slow errors, apart for each object
    faults: Faults = NO_FAULTS


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """An aircraft or the like that flies through the scene, from way-point to way-point (m, site ENU)."""

    name: str
    class_name: MoverClass
    time_s: float
    speed_m_s: float
    waypoints_enu_m: tuple[tuple[float, float, float], ...]
    hover_s: float
    count: int = 1
    spread_m: float = 0.0
    wander_m_s: float = 0.0
    detection_share: float = 1.0
    acceleration_m_s2_max: float = math.inf


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A whole scenario file, with the site it plays at.  `text` is the file as read, `sha256` its hash."""

    name: str
    site: Site
    start_t_ns: int
    seed: int
    duration_s: float
    weather: TruthWeather
    launches: tuple[Launch, ...]
    radars: tuple[Radar, ...]  # one for each sensor of the site, in the site's order
    text: str
    sha256: str
    traffic: tuple[Traffic, ...] = ()
    gunfire: tuple[Gunfire, ...] = ()  # these on a ground of height 0, until the world is made
    outgoing: tuple[Salvo, ...] = ()
    rain: tuple[Rain, ...] = ()
    ground_echoes: tuple[GroundEchoes, ...] = ()
    effects: Effects = field(default_factory=Effects)
