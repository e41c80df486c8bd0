"""Random raids for statistics: mixed rounds over a wide spread of geometries, radars and weathers.

What a filter takes for granted is drawn anew for each raid (drag, its curve, wind aloft, density), so that
coverage is measured against the world and not against the filter's own beliefs.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from opencram.earth.geodesy import Frame, geodetic_from_enu
from opencram.errors import OpencramError
from opencram.simulation.classes import GENERIC_ROUNDS, GenericRound, body_of
from opencram.simulation.flights import Flyer
from opencram.simulation.model import Air, Radar, Round, WorldConfig
from opencram.simulation.solve import aimed, for_elevation
from opencram.simulation.streams import stream

Span = tuple[float, float]

START_T_NS = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
_TRIES_MAX = 1000
_TAIL_S = 5.0  # the world goes on this long after the last impact


@dataclass(frozen=True, kw_only=True)
class Spread:
    """From where to where a raid is drawn, evenly unless said otherwise.  Deviations are standard ones."""

    rounds: tuple[int, int] = (2, 6)
    names: tuple[str, ...] = field(default_factory=lambda: tuple(each.name for each in GENERIC_ROUNDS))
    range_m: Span = (1500.0, 12_000.0)
    aim_m_max: float = 1000.0  # from the origin of the site
    launch_s: Span = (3.0, 12.0)  # after the start
    flight_s: Span = (8.0, 90.0)
    radars: tuple[int, int] = (1, 2)
    radar_m_max: float = 3000.0  # from the origin of the site
    range_m_std: Span = (5.0, 20.0)
    angle_rad_std: Span = (0.001, 0.003)
    rate_hz: Span = (2.0, 10.0)
    detection_probability: Span = (0.8, 0.95)
    clutter_per_scan: Span = (0.0, 4.0)
    wind_m_s: Span = (0.0, 12.0)
    shear_per_s: Span = (0.0, 0.002)  # 2 m/s a kilometre
    density_factor: Span = (0.97, 1.03)
    coefficient_log_std: float = 0.1  # of the true ballistic coefficient about the generic one
    drag_slope_std: float = 0.05
    burn_s: Span | None = None  # rockets leave under thrust, which lasts so long; None: at burn-out
    spinning: bool = False  # shells are modified point masses: lift, Magnus force, yaw drag, a spin that dies away
    latitude_rad: Span = (-1.0, 1.0)


def random_raid(seed: int, spread: Spread | None = None) -> WorldConfig:
    """Return a raid drawn from `spread`.  Same seed, same raid; the true weather stands in its `air`."""
    spread = spread or Spread()
    draws = stream(seed, "raid")
    latitude, longitude = _even(draws, spread.latitude_rad), _even(draws, (-math.pi, math.pi))
    height = _even(draws, (0.0, 800.0))
    config = WorldConfig(
        seed=seed,
        latitude_rad=latitude,
        longitude_rad=longitude,
        height_m=height,
        ground_height_m=height,
        start_t_ns=START_T_NS,
        duration_s=0.0,
        air=_air(draws, spread),
        note=f"random raid of seed {seed}",
    )
    site = Frame(latitude, longitude, height)
    radars = tuple(_radar(draws, spread, site, k) for k in range(_whole(draws, spread.radars)))
    flyer = Flyer.of(config)
    flown = [_round(stream(seed, f"raid/round/{k}"), spread, flyer, site) for k in range(_whole(draws, spread.rounds))]
    last_ns = max((each.launch_t_ns + round(seconds * 1e9) for each, seconds in flown), default=START_T_NS)
    return replace(
        config,
        radars=radars,
        rounds=tuple(each for each, _ in flown),
        duration_s=(last_ns - START_T_NS) * 1e-9 + _TAIL_S,
    )


def _air(draws: np.random.Generator, spread: Spread) -> Air:
    wind, direction = _even(draws, spread.wind_m_s), _even(draws, (0.0, 2.0 * math.pi))
    shear, turn = _even(draws, spread.shear_per_s), draws.normal(0.0, 0.5)
    return Air(
        wind_east_m_s=wind * math.sin(direction),
        wind_north_m_s=wind * math.cos(direction),
        shear_east_per_s=shear * math.sin(direction + turn),
        shear_north_per_s=shear * math.cos(direction + turn),
        density_factor=_even(draws, spread.density_factor),
    )


def _radar(draws: np.random.Generator, spread: Spread, site: Frame, number: int) -> Radar:
    distance, bearing = _even(draws, (0.0, spread.radar_m_max)), _even(draws, (0.0, 2.0 * math.pi))
    place = [distance * math.sin(bearing), distance * math.cos(bearing), _even(draws, (5.0, 15.0))]
    latitude, longitude, height = geodetic_from_enu(site, place)
    angle = _even(draws, spread.angle_rad_std)
    period_s = round(1.0 / _even(draws, spread.rate_hz), 3)
    return Radar(
        id=f"radar-{number + 1}",
        latitude_rad=float(latitude),
        longitude_rad=float(longitude),
        height_m=float(height),
        range_m_std=_even(draws, spread.range_m_std),
        azimuth_rad_std=angle,
        elevation_rad_std=angle,
        period_s=period_s,
        phase_s=round(draws.random() * period_s, 3),
        detection_probability=_even(draws, spread.detection_probability),
        clutter_per_scan=_even(draws, spread.clutter_per_scan),
    )


def _round(draws: np.random.Generator, spread: Spread, flyer: Flyer, site: Frame) -> tuple[Round, float]:
    """Return a round that falls near the site, and its time of flight (s); what cannot reach is drawn again."""
    kinds = [each for each in GENERIC_ROUNDS if each.name in spread.names]
    kind = kinds[int(draws.integers(len(kinds)))]  # once: else what reaches far would crowd out what does not
    for _ in range(_TRIES_MAX):
        what, aim = _unaimed(draws, spread, kind, site)
        try:
            launching = for_elevation(flyer, what, aim, _even(draws, (kind.elevation_rad_min, kind.elevation_rad_max)))
        except OpencramError:
            continue
        if not kind.speed_m_s_min <= launching.speed_m_s <= kind.speed_m_s_max:
            continue
        what = aimed(what, launching)
        flight = flyer.launch(what)
        if spread.flight_s[0] <= flight.t_s[-1] <= spread.flight_s[1]:
            return what, float(flight.t_s[-1])
    raise OpencramError(f"no {kind.name} within the spread after {_TRIES_MAX} tries; widen its ranges or leave it out")


def _unaimed(
    draws: np.random.Generator, spread: Spread, kind: GenericRound, site: Frame
) -> tuple[Round, tuple[float, float]]:
    aim_m, aim_bearing = spread.aim_m_max * math.sqrt(draws.random()), _even(draws, (0.0, 2.0 * math.pi))
    aim = (aim_m * math.sin(aim_bearing), aim_m * math.cos(aim_bearing))
    range_m, bearing = _even(draws, spread.range_m), _even(draws, (0.0, 2.0 * math.pi))
    east, north = aim[0] + range_m * math.sin(bearing), aim[1] + range_m * math.cos(bearing)
    # On the ground: "up" falls away from the tangent plane with the curvature of the earth.
    _, _, height = geodetic_from_enu(site, [east, north, 0.0])
    curve, _ = kind.curves[int(draws.integers(len(kind.curves)))]
    what = Round(
        name=kind.name,
        class_name=kind.class_name,
        launch_t_ns=START_T_NS + round(_even(draws, spread.launch_s) * 1e9),
        position_enu_m=(east, north, site.height_m - float(height)),
        velocity_enu_m_s=(0.0, 0.0, 0.0),
        curve=curve,
        ballistic_coefficient_kg_m2=kind.ballistic_coefficient_on(curve)
        * math.exp(draws.normal(0.0, spread.coefficient_log_std)),
        spin_drift_m_s=kind.spin_drift_m_s * math.exp(draws.normal(0.0, 0.2)),
        drag_slope=draws.normal(0.0, spread.drag_slope_std),
        source=kind.source,
    )
    if spread.burn_s is not None and kind.class_name == "rocket":
        what = replace(what, burn_s=_even(draws, spread.burn_s))
    if spread.spinning and kind.class_name == "shell":
        what = replace(what, body=body_of(kind))
    return what, aim


def _even(draws: np.random.Generator, span: Span) -> float:
    return float(draws.uniform(*span))


def _whole(draws: np.random.Generator, span: tuple[int, int]) -> int:
    return int(draws.integers(span[0], span[1] + 1))
