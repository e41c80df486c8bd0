"""One dwell: the plots that one sensor gives at one time, as arrays."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opencram.messages import Message, Plot, Rejected
from opencram.tracking.following import (
    AZIMUTH_RAD_MAX,
    ELEVATION_RAD_MAX,
    RANGE_M_MAX,
    RANGE_RATE_M_S_MAX,
    STD_MAX,
    STD_MIN,
    all_sound,
)
from opencram.tracking.world import World

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Dwell:
    """Plots of one sensor, moved in thought to the time of the first: a dwell is short against its period."""

    t_ns: int
    sensor: int
    sensor_id: str
    plot_ids: tuple[int, ...]
    times_ns: NDArray[np.int64]  # (n,)
    z: Array  # (n, 4) range, azimuth, elevation, range rate (NaN: none)
    variances: Array  # (n, 3)
    weights: Array  # (n, 4) reciprocal standard deviations

    @classmethod
    def empty(cls, t_ns: int) -> "Dwell":
        """Return a dwell without plots, as of the first sensor."""
        none = np.zeros((0, 4))
        return cls(t_ns, 0, "", (), np.zeros(0, dtype=np.int64), none, np.zeros((0, 3)), none)


_T_NS_MAX = 7_258_118_400_000_000_000  # the year 2200
_RANGE_RATE_M_S_STD = 3.0  # where the plot carries a range rate but the site file no deviation for it


def read_dwell(constants: World, plots: list[Plot], t_ns_min: int, messages: list[Message]) -> Dwell | None:
    """Return the usable plots as a dwell, None if there are none; say of the others why not."""
    sensor = constants.sensor_index.get(plots[0].sensor)
    times = [plot.t_ns for plot in plots]
    z, variances = _numbers(constants, plots, sensor)
    sound = sensor is not None and t_ns_min <= min(times) and max(times) <= _T_NS_MAX
    if not (sound and all_sound(z, variances)) or _any_twice(times, z):
        plots = _sorted_out(plots, sensor, t_ns_min, messages)
        if not plots:
            return None
        times = [plot.t_ns for plot in plots]
        z, variances = _numbers(constants, plots, sensor)
    assert sensor is not None
    weights = np.empty((len(plots), 4))
    weights[:, :3] = variances**-0.5
    weights[:, 3] = 1.0 / _RANGE_RATE_M_S_STD
    ids = tuple([plot.plot_id for plot in plots])
    return Dwell(times[0], sensor, plots[0].sensor, ids, np.array(times, dtype=np.int64), z, variances, weights)


def _numbers(constants: World, plots: list[Plot], sensor: int | None) -> tuple[Array, Array]:
    """Return range, azimuth, elevation, range rate (NaN: none) of the plots (n, 4), and the variances (n, 3)."""
    z = np.empty((len(plots), 4))
    z[:, 0] = [plot.range_m for plot in plots]
    z[:, 1] = [plot.azimuth_rad for plot in plots]
    z[:, 2] = [plot.elevation_rad for plot in plots]
    rates = [plot.range_rate_m_s for plot in plots]
    if rates.count(None) == len(rates):
        z[:, 3] = math.nan
    else:
        # An infinite rate must not pass for one that is not given.
        z[:, 3] = [math.nan if rate is None else math.inf if math.isnan(rate) else rate for rate in rates]
    variances = np.empty((len(plots), 3))
    variances[:] = constants.variances[sensor or 0] if len(constants.variances) else 1.0
    for k, stds in enumerate(
        (
            [plot.range_m_std for plot in plots],
            [plot.azimuth_rad_std for plot in plots],
            [plot.elevation_rad_std for plot in plots],
        )
    ):
        lacking = stds.count(None)
        if lacking == len(stds):
            continue
        # Not a number must not pass for one that is not given; a negative or infinite deviation stays to be seen, its
        # square a number.
        given = np.array(stds, dtype=np.float64)
        given = np.clip(np.where(np.isnan(given), np.inf, given), -1.0, 1e100)
        where = np.array([std is not None for std in stds]) if lacking else True
        np.copyto(variances[:, k], given * np.abs(given), where=where)
    return z, variances


def _any_twice(times: list[int], z: Array) -> bool:
    """Return whether any two plots are of the same time and place."""
    ranges = z[:, 0].tolist()
    if len(set(ranges)) == len(ranges):
        return False
    return len(set(zip(times, ranges, z[:, 1].tolist(), z[:, 2].tolist(), strict=True))) < len(ranges)


def _sorted_out(plots: list[Plot], sensor: int | None, t_ns_min: int, messages: list[Message]) -> list[Plot]:
    """Return the plots that can be used; say of the others why not."""
    good = []
    known: set[tuple[int, float, float, float]] = set()
    for plot in plots:
        reason = _fault(plot, sensor, t_ns_min)
        key = (plot.t_ns, plot.range_m, plot.azimuth_rad, plot.elevation_rad)
        if reason is None and key in known:
            reason = "duplicate", "the same plot stands in this dwell already"
        if reason is None:
            known.add(key)
            good.append(plot)
        else:
            code, text = reason
            messages.append(
                Rejected(
                    t_ns=plot.t_ns, reason=text, code=code, line=plot.line, sensor=plot.sensor, plot_id=plot.plot_id
                )
            )
    return good


def _fault(plot: Plot, sensor: int | None, t_ns_min: int) -> tuple[str, str] | None:
    """Return code and reason why a plot cannot be used, or None."""
    if sensor is None:
        return "unknown_sensor", f"no sensor {plot.sensor!r} in the site file"
    if plot.t_ns < t_ns_min:
        late = (t_ns_min - plot.t_ns) * 1e-9
        return "late", f"{late:.3f} s older than the oldest plot that can still be used"
    if plot.t_ns > _T_NS_MAX:
        return "time", "its time is beyond the year 2200"
    numbers = (plot.range_m, plot.azimuth_rad, plot.elevation_rad)
    if not math.isfinite(sum(numbers)):
        return "nan", "range, azimuth or elevation is not a finite number"
    if not 0.0 < plot.range_m <= RANGE_M_MAX:
        return "range", f"range {plot.range_m:g} m must be > 0 and <= {RANGE_M_MAX:g}"
    return _odd_number(plot)


def _odd_number(plot: Plot) -> tuple[str, str] | None:
    """Return code and reason why a plot's angles, range rate or deviations are no measurement, or None."""
    if abs(plot.azimuth_rad) > AZIMUTH_RAD_MAX or abs(plot.elevation_rad) > ELEVATION_RAD_MAX:
        angles = f"azimuth {plot.azimuth_rad:g} rad, elevation {plot.elevation_rad:g} rad"
        return "range", f"{angles}: must be within two turns and within a quarter turn of the horizon"
    if plot.range_rate_m_s is not None and not abs(plot.range_rate_m_s) <= RANGE_RATE_M_S_MAX:
        return "range", f"range rate {plot.range_rate_m_s:g} m/s must be within ±{RANGE_RATE_M_S_MAX:g}"
    for std in (plot.range_m_std, plot.azimuth_rad_std, plot.elevation_rad_std):
        if std is not None and not STD_MIN <= std <= STD_MAX:
            return "range", f"a standard deviation of {std:g} must be within {STD_MIN:g} and {STD_MAX:g}"
    return None
