"""Flights as figures: a trajectory in plan and profile, a footprint with its ellipses.  One call each.

    from opencram.report.show import footprint_figure, trajectory_figure
    trajectory_figure("mortar 81 mm", speed_m_s=250.0, elevation_deg=60.0).savefig("flight.svg")
    footprint_figure("rocket 122 mm", elevation_deg=45.0).savefig("footprint.png")

Figures need the extra `plots`.  The atmosphere is drawn by `show_weather`.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opencram.ballistics.boost import boosted
from opencram.ballistics.drag import standard_curve
from opencram.ballistics.drivers import FLIGHT_S_MAX, land_one
from opencram.ballistics.environment import Environment, altitude, environment, surface
from opencram.ballistics.footprint import SAMPLES, Footprint, ellipse, footprint_of
from opencram.ballistics.footprint import deviates as even_deviates
from opencram.ballistics.lanes import LANES
from opencram.ballistics.projectiles import Projectile, projectile
from opencram.ballistics.propagation import LN_BETA, SPIN, advance
from opencram.config.model import Site
from opencram.errors import UsageError
from opencram.runtime.weather import measured

Array = NDArray[np.float64]

STEP_S: Final = 0.25
SHARES: Final = (0.5, 0.95)
RAIL_M_S: Final = 30.0  # of a rocket at the end of its launcher
ANGLE_STD_MRAD: Final = 5.0  # of the laying, for a footprint
SPEED_SHARE_STD: Final = 0.01
_INK, _BLUE, _RED, _GREY = "#1f2933", "#1f6feb", "#c2410c", "#9aa5b1"


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A launch from the site's origin: speed (at the end of the barrel, or after burning), elevation, azimuth."""

    what: Projectile
    speed_m_s: float
    elevation_rad: float
    azimuth_rad: float = 0.0

    @staticmethod
    def of(name: str, *, speed_m_s: float | None, elevation_deg: float, azimuth_deg: float) -> "Shot":
        """Return the shot with this projectile; without a speed it has its greatest."""
        what = projectile(name)
        speed = what.speed_m_s[1] if speed_m_s is None else speed_m_s
        for value, low, high, unit in (
            (speed, 1.0, 2000.0, "m/s of speed"),
            (elevation_deg, -90.0, 90.0, "degrees of elevation"),
            (azimuth_deg, -360.0, 360.0, "degrees of azimuth"),
        ):
            if not low <= value <= high:
                raise UsageError(f"{value:g} {unit}: must be {low:g} to {high:g}")
        return Shot(
            what=what,
            speed_m_s=speed,
            elevation_rad=math.radians(elevation_deg),
            azimuth_rad=math.radians(azimuth_deg),
        )

    @property
    def state(self) -> Array:
        """State (10,) at the launch, or where a rocket's motor has burnt out, had it no motor."""
        level = self.speed_m_s * math.cos(self.elevation_rad)
        east, north = level * math.sin(self.azimuth_rad), level * math.cos(self.azimuth_rad)
        up = self.speed_m_s * math.sin(self.elevation_rad)
        return np.array(
            [0, 0, 0, east, north, up, math.log(self.what.beta_kg_m2), 0, 0, self.what.spin_m_s], dtype=float
        )


def site_environment(site: Site | None) -> Environment:
    """Return the air and ground over a site; without one, the standard atmosphere at 45° north and sea level."""
    if site is None:
        return environment(math.radians(45.0), 0.0)
    weather = site.weather
    return environment(
        site.latitude_rad,
        site.height_m,
        ground_height_m=site.ground_height_m,
        wind_m_s=(weather.wind_east_m_s, weather.wind_north_m_s) if weather else (0.0, 0.0),
        profile=measured(site),
        terrain=site.terrain,
    )


def trajectory(shot: Shot, env: Environment) -> Array:
    """Return the flight (n, 7): time, position, velocity, the last row on the ground; with its boost, if it has any.

    Raises `UsageError` where it does not land within the time limit.
    """
    curve = standard_curve(shot.what.curve)
    times, table = np.zeros(1), shot.state[np.newaxis]
    if shot.what.motor is not None:
        slow = shot.state.copy()
        slow[3:6] *= RAIL_M_S / shot.speed_m_s
        times, table = boosted(slow, shot.what.motor, env, curve)
    landed = land_one(table[-1], env, curve)
    if not np.isfinite(landed[0]):
        raise UsageError(f"this {shot.what.name} does not land within {FLIGHT_S_MAX:g} s")
    rows = [np.concatenate([[t], row[:6]]) for t, row in zip(times, table, strict=True)]
    lanes = np.repeat(table[-1][:, np.newaxis], LANES, axis=1)
    for k in range(1, math.ceil(float(landed[0]) / STEP_S - 1e-9)):
        advance(lanes, STEP_S, 1, env, curve)
        rows.append(np.concatenate([[times[-1] + k * STEP_S], lanes[:6, 0]]))
    rows.append(np.concatenate([[times[-1] + landed[0]], landed[1:]]))
    return np.array(rows)


def shot_footprint(shot: Shot, env: Environment, *, samples: int = SAMPLES) -> Footprint:
    """Return where such shots come down: laying of 5 mrad, 1 % of speed, and the priors of the projectile."""
    sample = even_deviates(samples)
    starts = np.repeat(shot.state[np.newaxis], samples, axis=0)
    elevation = shot.elevation_rad + 1e-3 * ANGLE_STD_MRAD * sample[:, 0]
    azimuth = shot.azimuth_rad + 1e-3 * ANGLE_STD_MRAD * sample[:, 1]
    speed = shot.speed_m_s * (1.0 + SPEED_SHARE_STD * sample[:, 2])
    starts[:, 3] = speed * np.cos(elevation) * np.sin(azimuth)
    starts[:, 4] = speed * np.cos(elevation) * np.cos(azimuth)
    starts[:, 5] = speed * np.sin(elevation)
    starts[:, LN_BETA] += 0.1 * shot.what.ln_beta_std * sample[:, 3]  # of rounds of one kind: a tenth of the class's
    starts[:, SPIN] += 0.2 * shot.what.spin_m_s_std * sample[:, 4]
    return footprint_of(starts, env, standard_curve(shot.what.curve))


def trajectory_figure(
    name: str,
    *,
    elevation_deg: float,
    speed_m_s: float | None = None,
    azimuth_deg: float = 0.0,
    site: Site | None = None,
) -> Any:
    """Return a Matplotlib figure of a flight in plan and profile."""
    shot = Shot.of(name, speed_m_s=speed_m_s, elevation_deg=elevation_deg, azimuth_deg=azimuth_deg)
    env = site_environment(site)
    flight = trajectory(shot, env)
    drawn = _figure((10.0, 7.0))
    profile, plan = drawn.subplots(2, 1, height_ratios=(2, 1))
    across = np.array([math.cos(shot.azimuth_rad), -math.sin(shot.azimuth_rad)])
    along = np.array([math.sin(shot.azimuth_rad), math.cos(shot.azimuth_rad)])
    far, aside = flight[:, 1:3] @ along / 1000.0, flight[:, 1:3] @ across
    heights = np.array([altitude(row[0], row[1], row[2], env) for row in flight[:, 1:4]])
    ground = np.array([surface(row[0], row[1], env) for row in flight[:, 1:3]])
    profile.plot(far, heights, color=_BLUE, label="flight")
    profile.fill_between(far, ground, min(float(ground.min()), 0.0), color=_GREY, alpha=0.4, label="ground")
    whole_s = np.arange(0.0, flight[-1, 0], 5.0)
    for axes, values in ((profile, heights), (plan, aside)):
        axes.plot(
            np.interp(whole_s, flight[:, 0], far), np.interp(whole_s, flight[:, 0], values), "o", ms=3, color=_BLUE
        )
        axes.plot(far[-1], values[-1], "x", color=_RED, label="impact")
        axes.grid(alpha=0.3)
    profile.set_ylabel("height above the ellipsoid, m")
    profile.legend()
    plan.plot(far, aside, color=_BLUE)
    plan.set_xlabel("along the line of fire, km (points every 5 s)")
    plan.set_ylabel("to its right, m")
    speed = float(np.linalg.norm(flight[-1, 4:7]))
    reach = float(np.linalg.norm(flight[-1, 1:3])) / 1000.0
    drawn.suptitle(
        f"generic {shot.what.name}, {shot.speed_m_s:.0f} m/s at {elevation_deg:g}°: {reach:.2f} km in "
        f"{flight[-1, 0]:.1f} s, top {heights.max():.0f} m, {speed:.0f} m/s at the impact",
        color=_INK,
    )
    return drawn


def footprint_figure(
    name: str,
    *,
    elevation_deg: float,
    speed_m_s: float | None = None,
    azimuth_deg: float = 0.0,
    site: Site | None = None,
    samples: int = SAMPLES,
) -> Any:
    """Return a Matplotlib figure of where thousands of such shots come down, with ellipses of 50 and 95 %."""
    shot = Shot.of(name, speed_m_s=speed_m_s, elevation_deg=elevation_deg, azimuth_deg=azimuth_deg)
    if not 10 <= samples <= 100_000:
        raise UsageError(f"{samples} samples: must be 10 to 100000")
    found = shot_footprint(shot, site_environment(site), samples=samples)
    if not np.isfinite(found.mean_m).all():
        raise UsageError(f"this {shot.what.name} does not land within {FLIGHT_S_MAX:g} s")
    drawn = _figure((7.5, 7.5))
    axes = drawn.subplots()
    axes.plot(found.landed[:, 1], found.landed[:, 2], ".", ms=2, color=_GREY, label=f"{len(found.landed)} flights")
    turn = np.linspace(0.0, 2.0 * math.pi, 181)
    for share, style in zip(SHARES, ("-", "--"), strict=True):
        long, short, azimuth = ellipse(found.covariance_m2, share)
        ahead, beside = long * np.cos(turn), short * np.sin(turn)
        axes.plot(
            found.mean_m[0] + ahead * math.sin(azimuth) + beside * math.cos(azimuth),
            found.mean_m[1] + ahead * math.cos(azimuth) - beside * math.sin(azimuth),
            style, color=_RED, label=f"{share:.0%}: {long:.0f} by {short:.0f} m",
        )  # fmt: skip
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xlabel("east of the launch, m")
    axes.set_ylabel("north of the launch, m")
    axes.grid(alpha=0.3)
    axes.legend()
    drawn.suptitle(
        f"generic {shot.what.name}, {shot.speed_m_s:.0f} m/s at {elevation_deg:g}°: where it comes down", color=_INK
    )
    return drawn


def _figure(size: tuple[float, float]) -> Any:
    try:
        from matplotlib.figure import Figure  # not pyplot: no window, no global state
    except ImportError as error:
        raise UsageError("plots need Matplotlib: pip install 'opencram[plots]'") from error
    return Figure(figsize=size, layout="constrained")
