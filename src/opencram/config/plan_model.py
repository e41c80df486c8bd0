"""What a plan file says: where threats come from, who hears what, where things could stand.  `config.plan` reads it."""

from dataclasses import dataclass
from typing import Literal

from opencram.config.model import Sensor, Site


@dataclass(frozen=True, kw_only=True)
class ThreatDirection:
    """Rounds of one class from one place, as likely against another as their weight (m, site ENU)."""

    name: str
    class_name: Literal["mortar", "rocket", "shell"]
    east_m: float
    north_m: float
    elevation_rad: float
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Siren:
    """Heard within `radius_m`, `latency_s` after the decision."""

    id: str
    east_m: float
    north_m: float
    radius_m: float
    latency_s: float = 1.0


@dataclass(frozen=True, kw_only=True)
class PlanFile:
    """A whole plan: the map, the threats, what stands, and what could stand."""

    site: Site
    step_m: float
    west_m: float
    east_m: float
    south_m: float
    north_m: float
    elevation_rad_min: float  # nothing is seen below
    enough_s: float  # so much warning is wanted everywhere
    threats: tuple[ThreatDirection, ...]
    sirens: tuple[Siren, ...]
    radar_candidates: tuple[Sensor, ...]
    siren_candidates: tuple[Siren, ...]
    text: str
    sha256: str
