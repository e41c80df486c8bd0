"""Where the rounds came from: for the report alone, after their impacts, and as coarse areas.

The flight model of a track is flown backward to the ground (`ballistics.origin`).  What is said is a circle of a
kilometre at least, its centre rounded to half of one; of a track whose impact the recording does not reach, nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from opencram.ballistics.curves import STANDARD_CURVES, OwnCurve
from opencram.ballistics.drag import curve_of
from opencram.ballistics.environment import Environment, environment
from opencram.ballistics.origin import LaunchArea, launch_area
from opencram.ballistics.propagation import STATES
from opencram.config.site import parse_site
from opencram.earth.geodesy import Frame, geodetic_from_enu
from opencram.errors import OpencramError
from opencram.messages import Header, Hypothesis
from opencram.runtime.weather import measured

NS: Final = 1e-9


@dataclass(frozen=True)
class LaunchFacts:
    """An area that rounds came from, and whose: circles with one centre are told as one, of the widest radius."""

    area: LaunchArea
    latitude_deg: float  # of its centre
    longitude_deg: float
    track_ids: tuple[int, ...]


def site_environment(header: Header) -> tuple[Frame, Environment, tuple[OwnCurve, ...]] | None:
    """Return frame, air with ground, and own drag curves of the site that the log is about, None if there is none."""
    try:
        site = parse_site(header.site_toml, header.site_name)
    except OpencramError:
        return None
    weather = site.weather
    env = environment(
        site.latitude_rad,
        site.height_m,
        ground_height_m=site.ground_height_m,
        wind_m_s=(weather.wind_east_m_s, weather.wind_north_m_s) if weather else (0.0, 0.0),
        profile=measured(site),
        terrain=site.terrain,
    )
    return Frame(site.latitude_rad, site.longitude_rad, site.height_m), env, site.drag_curves


def launch_areas(
    fits: Mapping[int, Sequence[Hypothesis]],
    impacts_t_ns: Mapping[int, int],
    *,
    end_t_ns: int,
    frame: Frame,
    env: Environment,
    curves: tuple[OwnCurve, ...] = (),
) -> tuple[LaunchFacts, ...]:
    """Return the areas that tracks came from, the busiest first.

    `fits`: the likeliest flight model of each track at some moments of its flight; `impacts_t_ns`: when each came down,
    or was last predicted to; `end_t_ns`: of the recording.  A track that had not come down by then has no area.
    """
    found: dict[tuple[float, float], list[tuple[float, int]]] = {}
    for track_id, models in sorted(fits.items()):
        impact_t_ns = impacts_t_ns.get(track_id)
        if impact_t_ns is None:
            continue
        area = _smallest(models, (end_t_ns - impact_t_ns) * NS, env, curves)
        if area is not None:
            found.setdefault((area.east_m, area.north_m), []).append((area.radius_m, track_id))
    areas = []
    for (east, north), rounds in found.items():
        latitude, longitude, _ = geodetic_from_enu(frame, [east, north, 0.0])
        areas.append(
            LaunchFacts(
                area=LaunchArea(east_m=east, north_m=north, radius_m=max(radius for radius, _ in rounds)),
                latitude_deg=math.degrees(float(latitude)),
                longitude_deg=math.degrees(float(longitude)),
                track_ids=tuple(track_id for _, track_id in rounds),
            )
        )
    return tuple(sorted(areas, key=lambda each: (-len(each.track_ids), each.track_ids)))


def _smallest(
    models: Sequence[Hypothesis], since_impact_s: float, env: Environment, curves: tuple[OwnCurve, ...]
) -> LaunchArea | None:
    """Return the area that the surest of the models gives."""
    known = {*STANDARD_CURVES, *(curve.name for curve in curves)}
    areas = []
    for each in models:
        if each.curve not in known or len(each.mean) != STATES:
            continue
        covariance = np.zeros((STATES, STATES))
        covariance[np.tril_indices(STATES)] = each.covariance
        covariance += np.tril(covariance, -1).T
        curve = curve_of(each.curve, curves)
        area = launch_area(each.mean, covariance, env, curve, since_impact_s=since_impact_s)
        if area is not None:
            areas.append(area)
    return min(areas, key=lambda area: area.radius_m, default=None)
