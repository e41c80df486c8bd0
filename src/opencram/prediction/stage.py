"""The flight models of a track, flown to the ground with their uncertainty."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opencram.ballistics.drag import standard_curve
from opencram.ballistics.environment import Environment, environment
from opencram.earth.geodesy import Frame, geodetic_from_enu
from opencram.earth.profile import Profile
from opencram.earth.terrain import Terrain
from opencram.messages import Impact, ImpactComponent, Message, Track
from opencram.prediction.ground import MOMENTS, PATH_POINTS, mixture_moments

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Config:
    """The site's frame, ground and air; the wind is what the site believes (m/s, where the air moves to)."""

    latitude_rad: float
    longitude_rad: float
    height_m: float
    ground_height_m: float
    wind_m_s: tuple[float, float] = (0.0, 0.0)
    profile: Profile | None = None  # measured air and wind; its wind stands instead of `wind_m_s`
    terrain: Terrain | None = None  # the ground where it reaches
    flight_s_max: float = 200.0  # a flight that has not landed by then gives no impact
    steps_s: tuple[float, float, float] = (0.25, 0.5, 1.0)  # of the integration: for flights under 12 s, 25 s, longer


@dataclass(frozen=True)
class State:
    """Nothing: each impact follows from one track message alone."""


@dataclass(frozen=True)
class _Constants:
    env: Environment
    frame: Frame


def initial(config: Config) -> State:
    """Return the only state there is."""
    return State()


def step(config: Config, state: State, batch: Sequence[Message]) -> tuple[State, list[Message]]:
    """Return an `Impact` for each track that comes with flight models and will land."""
    flown = [
        (track, flight)
        for track in batch
        if isinstance(track, Track) and track.hypotheses
        if (flight := _fly(config, _constants(config), track)) is not None
    ]
    if not flown:
        return state, []
    return state, [_impact(_constants(config).frame, track, flight) for track, flight in flown]


@functools.lru_cache(maxsize=16)
def _constants(config: Config) -> _Constants:
    return _Constants(
        environment(
            config.latitude_rad,
            config.height_m,
            ground_height_m=config.ground_height_m,
            wind_m_s=config.wind_m_s,
            profile=config.profile,
            terrain=config.terrain,
        ),
        Frame(config.latitude_rad, config.longitude_rad, config.height_m),
    )


@functools.lru_cache(maxsize=256)
def _curves(names: tuple[str, ...]) -> Array:
    return np.stack([standard_curve(name) for name in names])


@dataclass(frozen=True)
class _Flight:
    """What `ground.mixture_moments` found, as lists."""

    parts: list[list[float]]
    whole: list[float]
    shares: list[float]
    path: list[list[float]]


def _fly(config: Config, constants: _Constants, track: Track) -> _Flight | None:
    """Fly the models of one track; None if none brings it down in time."""
    hypotheses = track.hypotheses
    shares = np.array([h.probability for h in hypotheses])
    parts, whole, path = np.empty((len(shares), MOMENTS)), np.empty(MOMENTS), np.empty((PATH_POINTS, 3))
    landed = mixture_moments(
        np.array([h.mean for h in hypotheses]),
        np.array([h.covariance for h in hypotheses]),
        shares,
        np.array(config.steps_s),
        config.flight_s_max,
        constants.env,
        _curves(tuple([h.curve for h in hypotheses])),
        parts,
        whole,
        path,
    )
    if not landed or not np.isfinite(whole).all():
        return None
    return _Flight(parts.tolist(), whole.tolist(), shares.tolist(), path.tolist())


def _impact(frame: Frame, track: Track, flight: _Flight) -> Impact:
    """Return the message of one impact."""
    latitude, longitude, _ = geodetic_from_enu(frame, flight.whole[:3])
    best = flight.parts[max(range(len(flight.shares)), key=flight.shares.__getitem__)]
    mean = flight.whole
    return Impact(
        t_ns=track.t_ns,
        track_id=track.track_id,
        position_enu_m=(mean[0], mean[1], mean[2]),
        covariance_enu_m2=(mean[7], mean[8], mean[9]),
        latitude_deg=math.degrees(latitude),
        longitude_deg=math.degrees(longitude),
        impact_t_ns=track.t_ns + round(mean[3] * 1e9),
        impact_time_s_std=math.sqrt(mean[12]),
        impact_velocity_enu_m_s=(best[4], best[5], best[6]),
        projectile_probability=track.projectile_probability,
        components=tuple(
            [
                ImpactComponent(
                    class_name=hypothesis.class_name,
                    probability=share,
                    east_m=m[0],
                    north_m=m[1],
                    covariance_m2=(m[7], m[8], m[9]),
                    impact_time_s_std=math.sqrt(m[12]),
                    time_covariance_m_s=(m[10], m[11]),
                )
                for hypothesis, m, share in zip(track.hypotheses, flight.parts, flight.shares, strict=True)
                if share > 0.0
            ]
        ),
        path_enu_m=tuple([(e, n, u) for e, n, u in flight.path]),
    )
