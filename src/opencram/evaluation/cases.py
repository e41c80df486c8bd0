"""Whose bound: the standard case, a projectile against a site, every round of a scenario."""

import math
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opencram.ballistics.classes import CLASS_BANK
from opencram.ballistics.drag import standard_curve
from opencram.ballistics.environment import Environment, environment
from opencram.ballistics.footprint import ellipse
from opencram.ballistics.projectiles import projectile
from opencram.config.model import Site
from opencram.config.scenario import load_scenario
from opencram.config.site import load_site
from opencram.earth.geodesy import Frame, enu_from_geodetic, enu_from_local, geodetic_from_enu
from opencram.errors import UsageError
from opencram.evaluation import standard
from opencram.evaluation.bound import Bound, BoundRadar, Drift, Flight, Prior, bound, fly
from opencram.runtime.configure import configure
from opencram.runtime.weather import measured
from opencram.runtime.world import world_of
from opencram.simulation.flights import Flyer, drag_curve
from opencram.simulation.model import Radar, Round, WorldConfig
from opencram.simulation.solve import for_elevation
from opencram.tracking.config import SensorModel

Array = NDArray[np.float64]

SHARE: Final = 0.95
CURVE_STEP_S: Final = 0.5  # of the curve that is drawn
_ELEVATION_DEG: Final = {"mortar": 65.0}
_ELEVATION_DEG_USUAL: Final = 45.0


@dataclass(frozen=True, kw_only=True)
class Case:
    """One flight, those who see it, and what is known before: of any class, and of its own."""

    name: str
    flight: Flight
    radars: tuple[BoundRadar, ...]
    unknown: Prior
    known: Prior


@dataclass(frozen=True, kw_only=True)
class Worked:
    """A case with its bounds: at the ages asked for, and along the flight for the figure."""

    case: Case
    unknown: Bound
    known: Bound
    along: Bound

    def as_json(self) -> dict[str, Any]:
        """Return the figures: lengths in metres, times in seconds, None after the impact."""
        case = self.case
        return {
            "name": case.name,
            "flight_s": round(float(case.flight.landed[0]), 3),
            "impact_enu_m": [round(float(x), 1) for x in case.flight.landed[1:4]],
            "first_plot_s": _rounded(self.unknown.first_s),
            "priors": {"class unknown": vars(case.unknown), "class known": vars(case.known)},
            "radars": [each.id for each in case.radars],
            "ages": [
                {
                    "age_s": age,
                    "plots": plots,
                    "drms_m": _rounded(self.unknown.drms_m[k]),
                    "ellipse95_m": [_rounded(x) for x in _axes(self.unknown.covariance[k])],
                    "time_s_std": _rounded(self.unknown.time_s_std[k]),
                    "drms_class_known_m": _rounded(self.known.drms_m[k]),
                }
                for k, (age, plots) in enumerate(zip(self.unknown.ages_s, self.unknown.plots, strict=True))
            ],
        }

    def lines(self) -> list[str]:
        """Return the table."""
        flight, first = self.case.flight, self.unknown.first_s
        begun = f"first plot at {first:.1f} s" if math.isfinite(first) else "no radar sees it"
        head = f"{self.case.name}: {flight.landed[0]:.1f} s of flight, {begun}"
        rows = [
            f"{row['age_s']:7g} {row['plots']:6}  {_shown(row['drms_m'])}  {_shown(row['ellipse95_m'][0])} by"
            f" {_shown(row['ellipse95_m'][1])}  {_shown(row['time_s_std'], 3)}  {_shown(row['drms_class_known_m'])}"
            for row in self.as_json()["ages"]
        ]
        return [
            head,
            "track s  plots    DRMS m   95 % ellipse: half axes m     time s  DRMS m, class known",
            *rows,
        ]


def worked(case: Case, ages_s: tuple[float, ...]) -> Worked:
    """Return the case with its bounds."""
    unknown = bound(case.flight, case.radars, case.unknown, ages_s)
    left_s = float(case.flight.landed[0]) - unknown.first_s
    along = tuple(np.arange(1.0, left_s, CURVE_STEP_S)) if math.isfinite(left_s) else ()
    return Worked(
        case=case,
        unknown=unknown,
        known=bound(case.flight, case.radars, case.known, ages_s),
        along=bound(case.flight, case.radars, case.unknown, along),
    )


def standard_case(*, drift: tuple[float, float, float] | None = None) -> Case:
    """Return the standard case."""
    return Case(
        name="standard case, rocket of the 107 mm class over 8 km",
        flight=standard.standard_flight(),
        radars=_drifting((standard.RADAR,), drift),
        unknown=standard.CLASS_UNKNOWN,
        known=standard.CLASS_KNOWN,
    )


def is_scenario(path: str) -> bool:
    """Return whether a file is a scenario; a wrong file is left to those who read it to complain of."""
    try:
        return "scenario" in tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return False


def scenario_cases(
    path: str, *, wind_m_s_std: float = 5.0, drift: tuple[float, float, float] | None = None
) -> list[Case]:
    """Return a case for each round of a scenario, through its own air and against its own radars."""
    world = world_of(load_scenario(path))
    if not world.rounds:
        raise UsageError(f"{path} launches nothing; give a scenario with a [[launch]]")
    radars = _drifting(radars_of(world), drift)
    flyer = Flyer.of(world)
    rounds = [flyer.coasting(what) for what in world.rounds]  # the bound knows no thrust: it begins at burn-out
    return [_case(what, flyer.environment, drag_curve(what), radars, wind_m_s_std) for what in rounds]


def site_case(
    path: str,
    name: str,
    *,
    launch_m: tuple[float, float],
    aim_m: tuple[float, float] = (0.0, 0.0),
    elevation_deg: float | None = None,
    wind_m_s_std: float = 5.0,
    drift: tuple[float, float, float] | None = None,
) -> Case:
    """Return the case of a generic projectile against a site: its radars as the site file has them, its air."""
    what, site = projectile(name), load_site(path)
    if not site.sensors:
        raise UsageError(f"{path} has no sensor; give one under [[sensor]]")
    if elevation_deg is None:
        elevation_deg = _ELEVATION_DEG.get(what.class_name, _ELEVATION_DEG_USUAL)
    if not 2.0 <= elevation_deg <= 87.0:
        raise UsageError(f"--elevation {elevation_deg:g}: must be 2 to 87 degrees")
    frame = Frame(site.latitude_rad, site.longitude_rad, site.height_m)
    height = float(geodetic_from_enu(frame, [*launch_m, 0.0])[2])
    pattern = Round(
        name=what.name,
        class_name=what.class_name,
        launch_t_ns=0,
        position_enu_m=(*launch_m, site.ground_height_m - height),
        velocity_enu_m_s=(0.0, 0.0, 0.0),
        ballistic_coefficient_kg_m2=what.beta_kg_m2,
        spin_drift_m_s=what.spin_m_s,
        curve=what.curve,
    )
    env = believed(site)
    launching = for_elevation(Flyer(env), pattern, aim_m, math.radians(elevation_deg))
    low, high = what.speed_m_s
    if not low <= launching.speed_m_s <= high:
        raise UsageError(
            f"a {what.name} would need {launching.speed_m_s:.0f} m/s for this, and has {low:g} to {high:g}; "
            "move --launch or change --elevation"
        )
    radars = tuple(radar_of(each) for each in configure(site).tracking.sensors)
    shot = replace(pattern, velocity_enu_m_s=launching.velocity_enu_m_s)
    return _case(shot, env, standard_curve(what.curve), _drifting(radars, drift), wind_m_s_std)


def radar_of(sensor: SensorModel) -> BoundRadar:
    """Return a sensor of the tracker as the bound sees it."""
    return BoundRadar(
        id=sensor.id,
        position_enu_m=sensor.position_enu_m,
        local_from_enu=sensor.local_from_enu,
        range_m_std=sensor.range_m_std,
        azimuth_rad_std=sensor.azimuth_rad_std,
        elevation_rad_std=sensor.elevation_rad_std,
        range_m_max=sensor.range_m_max,
        detection_probability=sensor.detection_probability,
        period_s=sensor.period_s,
    )


def radars_of(world: WorldConfig) -> tuple[BoundRadar, ...]:
    """Return the radars of a simulated world; constant biases are not in the bound, what drifts is."""
    frame = Frame(world.latitude_rad, world.longitude_rad, world.height_m)
    return tuple(_simulated(radar, frame) for radar in world.radars)


def priors_of(class_name: str, curve: str, wind_m_s_std: float) -> tuple[Prior, Prior]:
    """Return what is known of a round before it is seen: with the class unknown, and known."""
    own = next((each for each in CLASS_BANK if (each.class_name, each.curve) == (class_name, curve)), None)
    own = own or next(each for each in CLASS_BANK if each.class_name == class_name)
    unknown = Prior(
        ln_beta_std=standard.CLASS_UNKNOWN.ln_beta_std, wind_m_s_std=wind_m_s_std, spin_m_s_std=own.spin_m_s_std
    )
    return unknown, replace(unknown, ln_beta_std=standard.CLASS_KNOWN.ln_beta_std)


def _case(what: Round, env: Environment, curve: Array, radars: tuple[BoundRadar, ...], wind_m_s_std: float) -> Case:
    ln_beta = math.log(what.ballistic_coefficient_kg_m2)
    start = [*what.position_enu_m, *what.velocity_enu_m_s, ln_beta, 0.0, 0.0, what.spin_drift_m_s]
    flight = fly(start, env, curve)
    if flight is None:
        raise UsageError(f"{what.name} does not land within 300 s")
    unknown, known = priors_of(what.class_name, what.curve, wind_m_s_std)
    return Case(name=f"{what.name} ({what.class_name})", flight=flight, radars=radars, unknown=unknown, known=known)


def _simulated(radar: Radar, frame: Frame) -> BoundRadar:
    local = Frame(radar.latitude_rad, radar.longitude_rad, radar.height_m)
    east, north, up = enu_from_geodetic(frame, radar.latitude_rad, radar.longitude_rad, radar.height_m).tolist()
    slow = radar.coloured
    return BoundRadar(
        id=radar.id,
        position_enu_m=(east, north, up),
        local_from_enu=tuple(enu_from_local(frame, local).T.ravel().tolist()),
        range_m_std=radar.range_m_std,
        azimuth_rad_std=radar.azimuth_rad_std,
        elevation_rad_std=radar.elevation_rad_std,
        range_rate_m_s_std=radar.range_rate_m_s_std,
        period_s=radar.period_s,
        range_m_max=radar.range_m_max,
        elevation_rad_min=radar.elevation_rad_min,
        detection_probability=radar.detection_probability,
        drift=None
        if slow is None
        else Drift(
            range_m_std=slow.range_m_std,
            azimuth_rad_std=slow.azimuth_rad_std,
            elevation_rad_std=slow.elevation_rad_std,
            time_constant_s=slow.time_constant_s,
        ),
    )


def _drifting(radars: tuple[BoundRadar, ...], drift: tuple[float, float, float] | None) -> tuple[BoundRadar, ...]:
    if drift is None:
        return radars
    range_m, angle_rad, time_s = drift
    errors = Drift(range_m_std=range_m, azimuth_rad_std=angle_rad, elevation_rad_std=angle_rad, time_constant_s=time_s)
    return tuple(replace(radar, drift=errors) for radar in radars)


def believed(site: Site) -> Environment:
    """Return the air and the ground that the pipeline believes in at a site."""
    weather = site.weather
    return environment(
        site.latitude_rad,
        site.height_m,
        ground_height_m=site.ground_height_m,
        wind_m_s=(weather.wind_east_m_s, weather.wind_north_m_s) if weather else (0.0, 0.0),
        profile=measured(site),
        terrain=site.terrain,
    )


def _axes(covariance: Array) -> tuple[float, float]:
    if not np.isfinite(covariance).all():
        return math.nan, math.nan
    long, short, _ = ellipse(covariance[:2, :2], SHARE)
    return long, short


def _rounded(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None


def _shown(value: float | None, digits: int = 1) -> str:
    return f"{'–':>9}" if value is None else f"{value:9.{digits}f}"
