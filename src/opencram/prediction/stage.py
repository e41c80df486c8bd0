"""The flight models of a track, flown to the ground with their uncertainty."""

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from opencram.ballistics.curves import OwnCurve
from opencram.ballistics.drag import curve_table
from opencram.ballistics.environment import Environment, environment
from opencram.earth.geodesy import Frame, geodetic_from_enu
from opencram.earth.profile import Profile
from opencram.earth.terrain import Terrain
from opencram.messages import Impact, ImpactComponent, Message, Rejected, Track
from opencram.prediction.ground import MOMENTS, PATH_POINTS, land_tracks

_NO_IMPACT: Final = "track {}: no flight model comes down within {:g} s, and no impact is predicted"


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
    curves: tuple[OwnCurve, ...] = ()  # that flight models name, beside the standard ones
    flight_s_max: float = 200.0  # a flight that has not landed by then gives no impact, and that is said


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
    """Return an `Impact` for each track that comes with flight models, or `Rejected` where none of them will land."""
    tracks = [message for message in batch if isinstance(message, Track) and message.hypotheses]
    return state, _land(config, tracks) if tracks else []


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


def _land(config: Config, tracks: list[Track]) -> list[Message]:
    """Fly the models of all tracks; return the impacts of those that come down in time, and which do not."""
    constants = _constants(config)
    curves, which = curve_table(config.curves)
    hypotheses = [hypothesis for track in tracks for hypothesis in track.hypotheses]
    firsts = list(itertools.accumulate([len(track.hypotheses) for track in tracks], initial=0))
    shares = np.array([each.probability for each in hypotheses])
    parts, wholes = np.empty((len(hypotheses), MOMENTS)), np.empty((len(tracks), MOMENTS))
    paths, landed = np.empty((len(tracks), PATH_POINTS, 3)), np.zeros(len(tracks), dtype=np.bool_)
    land_tracks(
        np.array(firsts),
        np.array([each.mean for each in hypotheses]),
        np.array([each.covariance for each in hypotheses]),
        shares,
        config.flight_s_max,
        constants.env,
        curves,
        np.array([which[each.curve] for each in hypotheses]),
        parts,
        wholes,
        paths,
        landed,
    )
    rows, weights = parts.tolist(), shares.tolist()
    return [
        _impact(constants.frame, track, rows[first:last], weights[first:last], whole, path)
        if down
        else Rejected(t_ns=track.t_ns, code="no_impact", reason=_NO_IMPACT.format(track.track_id, config.flight_s_max))
        for track, first, last, whole, path, down in zip(
            tracks, firsts, firsts[1:], wholes.tolist(), paths.tolist(), landed.tolist(), strict=False
        )
    ]


def _impact(
    frame: Frame,
    track: Track,
    parts: list[list[float]],
    shares: list[float],
    mean: list[float],
    path: list[list[float]],
) -> Impact:
    """Return the message of one impact, from what `ground.land_tracks` found."""
    latitude, longitude, _ = geodetic_from_enu(frame, mean[:3])
    best = parts[max(range(len(shares)), key=shares.__getitem__)]
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
                for hypothesis, m, share in zip(track.hypotheses, parts, shares, strict=True)
                if share > 0.0
            ]
        ),
        path_enu_m=tuple([(e, n, u) for e, n, u in path]),
    )
