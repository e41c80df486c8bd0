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
from opencram.messages import Impact, ImpactComponent, Message, Track
from opencram.prediction.ground import PATH_POINTS, impact_moments

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Config:
    """The site's frame, ground and air; the wind is what the site believes (m/s, where the air moves to)."""

    latitude_rad: float
    longitude_rad: float
    height_m: float
    ground_height_m: float
    wind_m_s: tuple[float, float] = (0.0, 0.0)
    flight_s_max: float = 200.0  # a flight that has not landed by then gives no impact
    step_s: float = 0.25


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
    impacts = [
        impact
        for track in batch
        if isinstance(track, Track) and track.hypotheses
        if (impact := _impact(config, _constants(config), track)) is not None
    ]
    return state, list(impacts)


@functools.lru_cache(maxsize=16)
def _constants(config: Config) -> _Constants:
    return _Constants(
        environment(
            config.latitude_rad, config.height_m, ground_height_m=config.ground_height_m, wind_m_s=config.wind_m_s
        ),
        Frame(config.latitude_rad, config.longitude_rad, config.height_m),
    )


_LOWER = np.tril_indices(10)


def _impact(config: Config, constants: _Constants, track: Track) -> Impact | None:
    """Return the impact of one track; None if no flight model brings it down in time."""
    flown = []
    for hypothesis in track.hypotheses:
        covariance = np.zeros((10, 10))
        covariance[_LOWER] = hypothesis.covariance
        moments, path = np.empty(15), np.empty((PATH_POINTS, 3))
        landed = impact_moments(
            np.array(hypothesis.mean), covariance, config.step_s, config.flight_s_max, constants.env,
            standard_curve(hypothesis.curve), moments, path,
        )  # fmt: skip
        if landed:
            flown.append((hypothesis, moments, path))
    if not flown:
        return None
    total = sum(hypothesis.probability for hypothesis, _, _ in flown)
    shares = np.array([hypothesis.probability / total for hypothesis, _, _ in flown])
    mean, covariance = mixture([moments for _, moments, _ in flown], shares)
    _, best, path = flown[int(np.argmax(shares))]
    latitude, longitude, _ = geodetic_from_enu(constants.frame, mean[:3])
    return Impact(
        t_ns=track.t_ns,
        track_id=track.track_id,
        position_enu_m=(float(mean[0]), float(mean[1]), float(mean[2])),
        covariance_enu_m2=(float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 1])),
        latitude_deg=math.degrees(float(latitude)),
        longitude_deg=math.degrees(float(longitude)),
        impact_t_ns=track.t_ns + round(float(mean[3]) * 1e9),
        impact_time_s_std=math.sqrt(float(covariance[2, 2])),
        impact_velocity_enu_m_s=(float(best[4]), float(best[5]), float(best[6])),
        projectile_probability=track.projectile_probability,
        components=tuple(
            _component(hypothesis.class_name, float(share), moments)
            for (hypothesis, moments, _), share in zip(flown, shares, strict=True)
        ),
        path_enu_m=tuple((e, n, u) for e, n, u in path.tolist()),
    )


def mixture(moments: list[Array], shares: Array) -> tuple[Array, Array]:
    """Return mean (east, north, up, time) and covariance (3, 3: east, north, time) of a mixture of impacts.

    `moments`: as `ground.impact_moments` writes them.  Law of total covariance.
    """
    means = np.stack([m[:4] for m in moments])
    mean = shares @ means
    covariance = np.zeros((3, 3))
    for share, m in zip(shares, moments, strict=True):
        difference = (m[:4] - mean)[[0, 1, 3]]
        within = np.array([[m[7], m[8], m[10]], [m[8], m[9], m[11]], [m[10], m[11], m[12]]])
        covariance += share * (within + np.outer(difference, difference))
    return mean, covariance


def _component(class_name: str, share: float, moments: Array) -> ImpactComponent:
    m = moments.tolist()
    return ImpactComponent(
        class_name=class_name,
        probability=share,
        east_m=m[0],
        north_m=m[1],
        covariance_m2=(m[7], m[8], m[9]),
        impact_time_s_std=math.sqrt(m[12]),
        time_covariance_m_s=(m[10], m[11]),
    )
