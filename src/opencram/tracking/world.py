"""The tracker's constants, laid out for compiled code once per configuration."""

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opencram.ballistics.classes import GUNFIRE
from opencram.ballistics.drag import curve_of, standard_curve
from opencram.ballistics.environment import Environment, environment
from opencram.tracking.bank import Bank, bank_of
from opencram.tracking.config import Config

Array = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """Arrays by sensor or by model, in the order of the configuration."""

    env: Environment
    bank: Bank
    gunfire: Bank  # of the one model that is no projectile's
    rotations: Array  # (sensors, 3, 3), local from site axes
    origins: Array  # (sensors, 3)
    variances: Array  # (sensors, 3)
    sky: Array  # (sensors,) all that each sees, m·rad·rad
    log_clutter: Array  # (sensors,) log density of clutter plots per m·rad·rad
    log_chances: tuple[tuple[float, float], ...]  # by sensor: that it sees a round, and that it does not
    reach_m: Array  # (sensors,) how far each sees
    periods_s: Array  # (sensors,)
    log_miss: Array  # (sensors,) log probability that it does not see a round
    sensor_index: dict[str, int]
    periods_ns: tuple[int, ...]
    class_names: tuple[str, ...]  # of the models, each once
    class_of: NDArray[np.int64]  # (models,) index in `class_names`
    fit_pauses: tuple[float, float, float]  # share of a track's age, least and most seconds between two fits
    confirmation: tuple[int, float, int, int]  # least plots and score; pauses (ns) between two judgements
    report_ns: int  # between two messages of an unchanged track
    tell_ns: int  # between two messages with flight models
    start_limits: tuple[float, int, float]  # of candidates: gate, how many, deviation of the speed prior (m/s)
    start_limits_unsure: tuple[float, int, float]  # the same of a radar whose errors are not known
    defended: Array  # (places, 3) circles, east, north and radius (m)


_MISS_MIN = 0.1  # probability of a missing plot: no radar is believed to miss less often
_CLUTTER_MIN = 1.0  # plots per scan: a radar that promises none is not believed


@functools.lru_cache(maxsize=16)
def world(config: Config) -> World:
    """Return the constants of a configuration."""
    sensors = config.sensors
    volume = [s.range_m_max * 2.0 * np.pi * 0.5 * np.pi for s in sensors]
    names = tuple(dict.fromkeys(model.class_name for model in config.models))
    curves = np.stack([curve_of(model.curve, config.curves) for model in config.models])
    curves.setflags(write=False)  # like the standard curves: one kind of array, one compilation of what flies on it
    bullet = np.stack([standard_curve(GUNFIRE.curve)])
    bullet.setflags(write=False)
    clutter = [max(s.clutter_per_scan, _CLUTTER_MIN) for s in sensors]
    return World(
        env=environment(
            config.latitude_rad,
            config.height_m,
            ground_height_m=config.ground_height_m,
            wind_m_s=config.wind_m_s,
            profile=config.profile,
            terrain=config.terrain,
        ),
        bank=bank_of(config.models, config.wind_m_s_std, curves),
        gunfire=bank_of((GUNFIRE,), config.wind_m_s_std, bullet),
        rotations=np.array([s.local_from_enu for s in sensors]).reshape(-1, 3, 3),
        origins=np.array([s.position_enu_m for s in sensors]).reshape(-1, 3),
        variances=np.array([[s.range_m_std, s.azimuth_rad_std, s.elevation_rad_std] for s in sensors]).reshape(-1, 3)
        ** 2,
        sky=np.array(volume),
        log_clutter=np.log(np.array(clutter) / np.array(volume)),
        log_chances=tuple(
            (math.log(p), math.log(max(1.0 - p, _MISS_MIN))) for p in [s.detection_probability for s in sensors]
        ),
        reach_m=np.array([s.range_m_max for s in sensors]),
        periods_s=np.array([max(s.period_s, 1e-3) for s in sensors]),
        log_miss=np.log([max(1.0 - s.detection_probability, _MISS_MIN) for s in sensors]),
        sensor_index={s.id: k for k, s in enumerate(sensors)},
        periods_ns=tuple(round(s.period_s * 1e9) for s in sensors),
        class_names=names,
        class_of=np.array([names.index(model.class_name) for model in config.models]),
        fit_pauses=(config.fit_share, config.fit_s_min, config.fit_s_max),
        confirmation=(
            config.confirm_plots,
            config.confirm_score,
            round(config.judge_s_min * 1e9),
            round(config.fit_s_max * 1e9),
        ),
        report_ns=round(config.report_s * 1e9),
        tell_ns=round(config.tell_s_max * 1e9),
        start_limits=(config.gate_tentative, config.candidates_max, config.speed_m_s_std),
        start_limits_unsure=(config.gate_tentative_unsure, config.candidates_max, config.speed_m_s_std),
        defended=np.array(config.defended_m, dtype=np.float64).reshape(-1, 3),
    )
