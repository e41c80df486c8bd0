"""The tracker's constants, laid out for compiled code once per configuration."""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opencram.ballistics.drag import standard_curve
from opencram.ballistics.environment import Environment, environment
from opencram.tracking.config import Config

Array = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """Arrays by sensor or by model, in the order of the configuration."""

    env: Environment
    curves: Array  # (models, Mach)
    rotations: Array  # (sensors, 3, 3), local from site axes
    origins: Array  # (sensors, 3)
    variances: Array  # (sensors, 3)
    log_clutter: Array  # (sensors,) log density of clutter plots per m·rad·rad
    log_detection: Array  # (sensors,)
    sensor_index: dict[str, int]

    @property
    def fit_environment(self) -> tuple[object, Array, Array, Array]:
        """What `bank.fit_models` needs."""
        return self.env, self.curves, self.rotations, self.origins


_CLUTTER_MIN = 1.0  # plots per scan: a radar that promises none is not believed


@functools.lru_cache(maxsize=16)
def world(config: Config) -> World:
    """Return the constants of a configuration."""
    sensors = config.sensors
    volume = [s.range_m_max * 2.0 * np.pi * 0.5 * np.pi for s in sensors]
    clutter = [max(s.clutter_per_scan, _CLUTTER_MIN) for s in sensors]
    return World(
        env=environment(
            config.latitude_rad,
            config.height_m,
            ground_height_m=config.ground_height_m,
            wind_m_s=config.wind_m_s,
            profile=config.profile,
        ),
        curves=np.stack([standard_curve(model.curve) for model in config.models]),
        rotations=np.array([s.local_from_enu for s in sensors]).reshape(-1, 3, 3),
        origins=np.array([s.position_enu_m for s in sensors]).reshape(-1, 3),
        variances=np.array([[s.range_m_std, s.azimuth_rad_std, s.elevation_rad_std] for s in sensors]).reshape(-1, 3)
        ** 2,
        log_clutter=np.log(np.array(clutter) / np.array(volume)),
        log_detection=np.log([s.detection_probability for s in sensors]),
        sensor_index={s.id: k for k, s in enumerate(sensors)},
    )
