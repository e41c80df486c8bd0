"""What a site file says, in SI units and radians.  `config.site` reads it, `runtime.pipeline` uses it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from opencram.ballistics.classes import Model
from opencram.ballistics.curves import OwnCurve
from opencram.config.live_model import Live
from opencram.earth.met.sounding import Sounding

if TYPE_CHECKING:
    from opencram.earth.terrain import Terrain  # NumPy: only who has terrain needs it

LonLat = tuple[float, float]  # longitude, latitude (rad), as GeoJSON orders them


@dataclass(frozen=True, kw_only=True)
class Weather:
    """What the site believes of the air: a constant wind, where the air is moving to, or what was measured.

    Where a sounding holds winds, they stand instead of the constant one.  Its heights are above mean sea
    level, which lies `geoid_height_m` above the ellipsoid.
    """

    wind_east_m_s: float = 0.0
    wind_north_m_s: float = 0.0
    sounding: Sounding | None = None
    geoid_height_m: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Sensor:
    """A radar.  Errors are one standard deviation of a single plot."""

    id: str
    latitude_rad: float
    longitude_rad: float
    height_m: float
    range_m_std: float
    azimuth_rad_std: float
    elevation_rad_std: float
    range_m_max: float
    detection_probability: float
    clutter_per_scan: float
    period_s: float
    sac: int = 0  # ASTERIX system area code and
    sic: int = 0  # system identification code; 0: its place in the file, from 1
    node_id: str = ""  # SAPIENT; empty: made of `id`
    geoid_m: float | None = None  # mean sea level above the ellipsoid; None: that of the weather
    out_of_order_s: float = 0.0  # so much older than its newest a plot may be, where scans overtake one another
    doppler_sign: int = 1  # -1: its positive Doppler speeds are those of what comes nearer


@dataclass(frozen=True, kw_only=True)
class Asset:
    """What the effectors may defend."""

    id: str
    polygon: tuple[LonLat, ...]


@dataclass(frozen=True, kw_only=True)
class Zone:
    """Where people are warned together."""

    id: str
    name: str
    population: int
    shelter_time_s: float
    polygon: tuple[LonLat, ...]
    parent: str = ""  # the district it belongs to
    warning_probability: float | None = None  # instead of the site's
    alarm_channel: str = ""  # that warns it, instead of the site's
    presence: tuple[float, ...] = ()  # share of the people who are there: one number, or one for each local hour
    outdoor_share: tuple[float, ...] = ()  # of those who are there; empty: generic
    shelter_distance_m: float | None = None  # mean way to shelter; shelter_time_s where it is not known
    walking_speed_m_s: float = 1.4  # of adults
    children_share: float = 0.0
    elderly_share: float = 0.0


@dataclass(frozen=True, kw_only=True)
class District:
    """A region of zones, or of districts: its alarm lives as long as that of any of them."""

    id: str
    name: str
    parent: str = ""


@dataclass(frozen=True, kw_only=True)
class AlarmChannel:
    """A way to reach people, and how long it takes from the decision until they hear it."""

    id: str
    latency_s: float


@dataclass(frozen=True, kw_only=True)
class Effector:
    """A generic effector model, which exists in the simulation only."""

    id: str
    kind: Literal["gun", "interceptor"]
    latitude_rad: float
    longitude_rad: float
    height_m: float
    range_m_min: float
    range_m_max: float
    magazine_rounds: int


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Whom the effectors protect, who releases them, and how shots are planned: two rules of thumb, for comparison."""

    protect: Literal["site", "people"] = "site"
    mode: Literal["hold", "consent", "veto", "automatic"] = "automatic"
    planner: Literal["search", "first_come", "nearest"] = "search"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A hold rule: what may not be fired through, over or at, whatever the threat.  Each kind has its own fields."""

    id: str
    kind: str
    effector: str = ""  # empty: it binds all
    azimuth_rad_from: float = 0.0
    azimuth_rad_to: float = 0.0
    elevation_rad_max: float = 0.0
    begin_s: float = 0.0  # of the day, UTC
    end_s: float = 0.0
    polygon: tuple[LonLat, ...] = ()
    height_m_from: float = 0.0  # above the ellipsoid
    height_m_to: float = 0.0
    distance_m: float = 0.0
    classes: tuple[str, ...] = ()
    probability: float = 0.0
    height_m: float = 0.0  # above the predicted point of impact
    asset_people: float = 0.0
    ratio: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Warnings:
    """When people are warned: the `[warning]` table of the site file, every key optional."""

    probability: float = 0.05  # a zone is warned at this probability of a round within its hazard radius
    dwell_s: float = 600.0  # from the last impact to the all-clear, for fragments and duds
    hazard_radius_m: float = 50.0
    alarm_channel: str = ""
    missed_casualty_min: float | None = None  # person-minutes that one casualty averted is worth; None: probability
    needless_alarm_min: float = 6.0  # a person's cost of one alarm in vain: minutes in shelter, and fatigue
    hours_ahead_of_utc: float = 0.0  # of the local time that presence and outdoor_share are given in


@dataclass(frozen=True, kw_only=True)
class BaseMap:
    """A picture of the country for the display: PMTiles or a GeoTIFF, and whose it is."""

    path: Path
    attribution: str = ""  # instead of what the file says


@dataclass(frozen=True, kw_only=True)
class Site:
    """A whole site file.  `text` is the file as read, `sha256` its hash."""

    name: str
    latitude_rad: float
    longitude_rad: float
    height_m: float
    ground_height_m: float
    weather: Weather | None
    sensors: tuple[Sensor, ...]
    assets: tuple[Asset, ...]
    zones: tuple[Zone, ...]
    effectors: tuple[Effector, ...]
    policy: Policy
    warnings: Warnings
    districts: tuple[District, ...] = ()
    alarm_channels: tuple[AlarmChannel, ...] = ()
    text: str
    sha256: str
    rules: tuple[Rule, ...] = ()
    terrain: "Terrain | None" = None  # where there is none, the ground is constant
    live: Live = field(default_factory=Live)
    basemap: BaseMap | None = None
    drag_curves: tuple[OwnCurve, ...] = ()  # beside the standard ones
    projectiles: tuple[Model, ...] = ()  # flight models beside those of the class bank
