"""Simulated worlds through tracking and prediction, for the benchmarks beside this file."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from opencram import prediction, tracking
from opencram.earth.geodesy import Frame, enu_from_geodetic, enu_from_local
from opencram.evaluation.identity import Identities, Use, identities
from opencram.messages import Association, Impact, Message, Plot, Tick, Track
from opencram.simulation import world
from opencram.simulation.model import WorldConfig
from opencram.tracking.config import SensorModel


def configure(
    config: WorldConfig,
    *,
    wind_m_s: tuple[float, float] = (0.0, 0.0),
    wind_m_s_std: float = 5.0,
    defended_m: tuple[tuple[float, float, float], ...] = (),
) -> tuple[tracking.Config, prediction.Config]:
    """Return what the pipeline believes of a simulated world: its radars as they say of themselves, and this wind.

    `defended_m`: circles in which an impact does harm, east, north and radius; none: everywhere.
    """
    frame = Frame(config.latitude_rad, config.longitude_rad, config.height_m)
    sensors = []
    for radar in config.radars:
        local = Frame(radar.latitude_rad, radar.longitude_rad, radar.height_m)
        place = enu_from_geodetic(frame, radar.latitude_rad, radar.longitude_rad, radar.height_m)
        sensors.append(
            SensorModel(
                id=radar.id,
                position_enu_m=tuple(place.tolist()),
                local_from_enu=tuple(enu_from_local(frame, local).T.ravel().tolist()),
                range_m_std=radar.range_m_std,
                azimuth_rad_std=radar.azimuth_rad_std,
                elevation_rad_std=radar.elevation_rad_std,
                range_m_max=radar.range_m_max,
                detection_probability=radar.detection_probability,
                clutter_per_scan=radar.clutter_per_scan,
                period_s=radar.period_s,
            )
        )
    place = {"latitude_rad": config.latitude_rad, "height_m": config.height_m}
    ground = {"ground_height_m": config.ground_height_m, "wind_m_s": wind_m_s}
    return (
        tracking.Config(**place, **ground, sensors=tuple(sensors), wind_m_s_std=wind_m_s_std, defended_m=defended_m),
        prediction.Config(**place, **ground, longitude_rad=config.longitude_rad),
    )


def dwells(plots: Sequence[Plot]) -> Iterator[list[Message]]:
    """Cut plots into dwells: consecutive plots of one sensor at one time, closed by a tick that never goes back."""
    begin, now_ns = 0, 0
    for k in range(1, len(plots) + 1):
        if k == len(plots) or plots[k].sensor != plots[begin].sensor or plots[k].t_ns != plots[begin].t_ns:
            now_ns = max(now_ns, plots[begin].t_ns)
            yield [*plots[begin:k], Tick(t_ns=now_ns)]
            begin = k


@dataclass
class Said:
    """All that tracking and prediction said of some plots, and the truth behind each plot."""

    plots: list[Plot]
    origins: tuple[int, ...]
    messages: list[Message]

    def first_seen_t_ns(self) -> dict[int, int]:
        """Return the time of the first plot of each object."""
        first: dict[int, int] = {}
        for plot, origin in zip(self.plots, self.origins, strict=True):
            if origin >= 0:
                first.setdefault(origin, plot.t_ns)
        return first

    def confirmed_t_ns(self, *, projectiles: bool = True) -> dict[int, int]:
        """Return when each track was first confirmed, as a projectile unless told otherwise."""
        first: dict[int, int] = {}
        for message in self.messages:
            if not isinstance(message, Track) or message.status != "confirmed":
                continue
            if not projectiles or message.projectile_probability >= 0.5:
                first.setdefault(message.track_id, message.t_ns)
        return first

    def uses(self) -> list[Use]:
        """Return which plot went to which track."""
        return [
            Use(t_ns=message.t_ns, track_id=track_id, origin=self.origins[plot_id - 1])
            for message in self.messages
            if isinstance(message, Association)
            for plot_id, track_id in zip(message.plot_ids, message.track_ids, strict=True)
            if track_id
        ]

    def identities(self, *, plots_min: int = 8, objects: Sequence[int] | None = None) -> Identities:
        """Return what became of objects and tracks; objects with fewer plots than `plots_min` need not be found."""
        counts = np.bincount([origin for origin in self.origins if origin >= 0], minlength=1)
        wanted = [int(k) for k in np.flatnonzero(counts >= plots_min) if objects is None or k in objects]
        return identities(self.uses(), self.confirmed_t_ns(), self.first_seen_t_ns(), wanted=wanted)

    def impacts(self, track_id: int) -> list[Impact]:
        """Return the impacts predicted for a track, in order."""
        return [m for m in self.messages if isinstance(m, Impact) and m.track_id == track_id]


def flown(config: WorldConfig) -> tuple[list[Plot], tuple[int, ...], world.WorldState]:
    """Return the plots of a world, the object behind each, and the world at its end."""
    state, plots = world.scan(config, world.initial(config), config.end_t_ns)
    return plots, world.origins(state), state


def follow(plots: list[Plot], origins: tuple[int, ...], tracker: tracking.Config, predictor: prediction.Config) -> Said:
    """Return what tracking and prediction say of these plots."""
    track_state, impact_state = tracking.initial(tracker), prediction.initial(predictor)
    said: list[Message] = []
    for batch in dwells(plots):
        track_state, tracks = tracking.step(tracker, track_state, batch)
        impact_state, impacts = prediction.step(predictor, impact_state, [*tracks, batch[-1]])
        said += tracks
        said += impacts
    return Said(plots, origins, said)


def numbered(plots: Sequence[Plot]) -> list[Plot]:
    """Return the plots, numbered from 1 in this order."""
    return [replace_id(plot, number) for number, plot in enumerate(plots, 1)]


def replace_id(plot: Plot, number: int) -> Plot:
    """Return the plot under another number."""
    return msgspec.structs.replace(plot, plot_id=number)


def bootstrap(values: np.ndarray, statistic, *, seed: int = 1, draws: int = 2000) -> tuple[float, float]:
    """Return the 95 % percentile interval of a statistic of rows (n, …), by resampling rows."""
    generator = np.random.default_rng(seed)
    if not len(values):
        return math.nan, math.nan
    found = [statistic(values[generator.integers(0, len(values), len(values))]) for _ in range(draws)]
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)
