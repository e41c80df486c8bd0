"""Reading what a radar of a scenario really does beside missing plots and erring: the keys of `[[radar]]` in groups."""

import math
from typing import Any, Final

from opencram.config.table import NOT_NEGATIVE, POSITIVE, Limits, Table, as_number
from opencram.simulation.model import NO_FAULTS, Coloured, Faults

_RATE: Final = Limits(at_least=0.0, at_most=100.0)
_SHARE: Final = Limits(at_least=0.0, at_most=1.0)
_STEP_M: Final = Limits(at_least=0.0, at_most=10_000.0)
_MRAD: Final = Limits(at_least=0.0, at_most=1000.0)
_LATENCY_S: Final = Limits(at_least=0.0, at_most=20.0)
_LATENCY_EXTRA_S: Final = Limits(at_least=0.0, at_most=2.0)
_OFFSET_S: Final = Limits(at_least=-1e6, at_most=1e6)
_PPM: Final = Limits(at_least=-1e5, at_most=1e5)
_OBJECT: Final = "give how often a second it begins, for each object in flight"


def read_faults(table: Table, start_t_ns: int, duration_s: float) -> Faults:
    """Return the faults that `table` describes; times become those of the world that starts at `start_t_ns`."""
    stuck = table.optional_number("repeats_from_s", NOT_NEGATIVE, "give the second from which it repeats its last scan")
    old = table.choice("repeats_times", ("new", "old"), "say with which times it repeats", default="new") == "old"
    if old and stuck is None:
        table.fault(
            "repeats_times", "old", "stands without repeats_from_s", "say from when on it repeats its last scan"
        )
    found = Faults(
        drift=read_coloured(table, "drift"),
        outages_per_s=table.number("outages_per_s", _RATE, "give how often a second one begins", default=0.0),
        outage_s_mean=table.number("outage_s", POSITIVE, "give the mean length of an outage", default=1.0),
        jumps_per_s=table.number("jumps_per_s", _RATE, _OBJECT, default=0.0),
        jump_s_mean=table.number("jump_s", POSITIVE, "give the mean length of a jump", default=1.0),
        jump_m_max=table.number("jump_max_m", POSITIVE, "give how far away the other object may be", default=1000.0),
        splash_probability=table.number("splash_probability", _SHARE, "give a share of the impacts", default=0.0),
        splash_s_mean=table.number("splash_s", POSITIVE, "give the mean time that it stays there", default=5.0),
        double_probability=table.number("double_probability", _SHARE, "give a share of the plots", default=0.0),
        splits_per_s=table.number("splits_per_s", _RATE, _OBJECT, default=0.0),
        split_s_mean=table.number("split_s", POSITIVE, "give the mean length of a split", default=1.0),
        split_m_std=table.number("split_m", POSITIVE, "give how far apart the two are", default=40.0),
        cell_m=table.number("cell_m", _STEP_M, "give the resolution cell in range", default=0.0),
        cell_rad=table.number("cell_mrad", _MRAD, "give the resolution cell in both angles", default=0.0) * 1e-3,
        latency_s=table.number("latency_s", _LATENCY_S, "give the delay of its plots", default=0.0),
        latency_s_mean=table.number(
            "latency_extra_s", _LATENCY_EXTRA_S, "give the mean of a further delay, exponential", default=0.0
        ),
        clock_offset_s=table.number("clock_offset_s", _OFFSET_S, "give how far its clock is ahead", default=0.0),
        clock_drift_ppm=table.number("clock_drift_ppm", _PPM, "give how fast its clock gains", default=0.0),
        clock_jumps=_clock_jumps(table, start_t_ns, duration_s),
        repeats_from_t_ns=None if stuck is None or math.isnan(stuck) else start_t_ns + round(stuck * 1e9),
        repeats_old_stamps=old,
    )
    if (found.cell_m > 0.0) != (found.cell_rad > 0.0):
        key, other = ("cell_m", "cell_mrad") if found.cell_m > 0.0 else ("cell_mrad", "cell_m")
        table.fault(key, table.values[key], f"stands without {other}", "give the cell in range and in angle")
    return NO_FAULTS if found == NO_FAULTS else found  # the very object: what has none costs nothing


def read_coloured(table: Table, name: str) -> Coloured | None:
    """Return the Gauss-Markov error of the keys `name_range_m`, `name_azimuth_mrad`, …; None where none stands."""
    keys = [f"{name}_range_m", f"{name}_azimuth_mrad", f"{name}_elevation_mrad"]
    remedy = "give one standard deviation"
    range_m = table.number(keys[0], _STEP_M, remedy, default=0.0)
    azimuth, elevation = (table.number(key, _MRAD, remedy, default=0.0) * 1e-3 for key in keys[1:])
    time_s = table.number(f"{name}_time_s", POSITIVE, "give its time constant", default=2.0)
    if range_m == azimuth == elevation == 0.0:
        if f"{name}_time_s" in table.values:
            table.fault(
                f"{name}_time_s", table.values[f"{name}_time_s"], "stands without a deviation", f"give {keys[0]}"
            )
        return None
    return Coloured(range_m_std=range_m, azimuth_rad_std=azimuth, elevation_rad_std=elevation, time_constant_s=time_s)


def _clock_jumps(table: Table, start_t_ns: int, duration_s: float) -> tuple[tuple[int, float], ...]:
    remedy = "give [[at_s, by_s], ...]: from this second on its clock is so much further ahead"
    jumps = []
    for index, item in enumerate(table.array("clock_jumps", remedy, required=False)):
        numbers: list[Any] = [as_number(part) for part in item] if isinstance(item, list) else []
        good = len(numbers) == 2 and all(number is not None and math.isfinite(number) for number in numbers)
        if not good or not 0.0 <= numbers[0] <= duration_s or not abs(numbers[1]) <= 1e6:
            limit = "must be a time within the scenario and a number of seconds up to a million"
            table.findings.fault(f"{table.place}.clock_jumps[{index}]", item, limit, remedy)
            continue
        jumps.append((start_t_ns + round(numbers[0] * 1e9), float(numbers[1])))
    return tuple(jumps)
