"""What radars do beside missing plots and erring: they jump, double, split, merge, come late and repeat themselves.

What happens to one object is drawn from streams of its own, what happens to the whole radar from streams of the radar:
so no object's faults move another's.  Where two things meet (a jump, a merger) nothing is drawn of the other.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from opencram.simulation.flights import positions_at
from opencram.simulation.model import Faults, Radar, WorldConfig
from opencram.simulation.streams import stream

if TYPE_CHECKING:
    from opencram.simulation.radars import Sightings, Station, Target

Array = NDArray[np.float64]
Times = NDArray[np.int64]

_NEAREST_M = 1.0  # a range is never less than this


def spells(
    seed: int, name: str, per_s: float, mean_s: float, times: Times
) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Return which times lie in a spell, and the number of the first such: Poisson beginnings, exponential lengths."""
    draws = stream(seed, name)
    span_s = float(times[-1] - times[0]) * 1e-9
    count = draws.poisson(per_s * span_s)
    begin_s = draws.random(count) * span_s
    end_s = begin_s + draws.exponential(mean_s, count)
    at_s = ((times - times[0]) * 1e-9)[:, np.newaxis]
    within = (at_s >= begin_s) & (at_s < end_s)
    return np.asarray(within.any(axis=1)), np.asarray(within.argmax(axis=1) if count else np.zeros(len(times), np.intp))


def outages(config: WorldConfig, radar: Radar) -> tuple[tuple[int, int], ...]:
    """Return when the radar is silent by chance, [from, to) in ns, in order."""
    faults = radar.faults
    if faults.outages_per_s <= 0.0:
        return ()
    draws = stream(config.seed, f"radar/{radar.id}/outages")
    count = int(draws.poisson(faults.outages_per_s * config.duration_s))
    begins = np.sort(draws.random(count)) * config.duration_s
    lengths = draws.exponential(faults.outage_s_mean, count)
    return tuple(
        (config.start_t_ns + round(begin * 1e9), config.start_t_ns + round((begin + length) * 1e9))
        for begin, length in zip(begins.tolist(), lengths.tolist(), strict=True)
    )


def jump(
    seed: int,
    name: str,
    faults: Faults,
    times: Times,
    position: Array,
    velocity: Array,
    shown: NDArray[np.int32],
    others: "Sequence[Target]",
) -> None:
    """Put the nearest of the others in the place of the object while the radar has jumped to it; changes the arrays.

    `position`, `velocity` (n, 3); `shown` (n, 2): number of the round and of the body that the plot really shows.
    """
    away, _ = spells(seed, name, faults.jumps_per_s, faults.jump_s_mean, times)
    rows = np.flatnonzero(away)
    if not len(rows):
        return
    own = position[rows].copy()
    nearest = np.full(len(rows), faults.jump_m_max)
    for other in others:
        aloft = (times[rows] >= other.start_t_ns) & (times[rows] < other.end_t_ns)
        if not aloft.any():
            continue
        place, speed = positions_at(other.flight, (times[rows] - other.start_t_ns) / 1e9)
        distance = np.linalg.norm(place - own, axis=1)
        closer = aloft & (distance < nearest)
        nearest[closer] = distance[closer]
        position[rows[closer]], velocity[rows[closer]] = place[closer], speed[closer]
        shown[rows[closer]] = (other.origin, other.thing)


def again(seed: int, name: str, radar: Radar, plots: "Sightings") -> "Sightings":
    """Return the plots that are told a second time: doubled at once, or beside the object while it is seen as two."""
    faults = radar.faults
    parts = [plots[:0]]
    if faults.double_probability > 0.0 and len(plots):
        draws = stream(seed, f"{name}/doubles")
        twice = plots[draws.random(len(plots)) < faults.double_probability].copy()
        _err(twice, radar, draws)
        parts.append(twice)
    if faults.splits_per_s > 0.0 and len(plots):
        split, number = spells(seed, f"{name}/splits", faults.splits_per_s, faults.split_s_mean, plots["t_ns"])
        draws = stream(seed, f"{name}/splits/where")
        apart_m = draws.standard_normal(int(number.max()) + 1) * faults.split_m_std
        beside = plots[split].copy()
        beside["range_m"] = np.maximum(beside["range_m"] + apart_m[number[split]], _NEAREST_M)
        _err(beside, radar, draws)
        parts.append(beside)
    return np.concatenate(parts)


def _err(plots: "Sightings", radar: Radar, draws: np.random.Generator) -> None:
    """Give copied plots errors of their own on top: half the variance of the radar's, as the rest is shared."""
    noise = draws.standard_normal((len(plots), 4)) * math.sqrt(0.5)
    plots["range_m"] = np.maximum(plots["range_m"] + noise[:, 0] * radar.range_m_std, 0.1)
    plots["azimuth_rad"] += noise[:, 1] * radar.azimuth_rad_std
    plots["elevation_rad"] += noise[:, 2] * radar.elevation_rad_std
    plots["range_rate_m_s"] += noise[:, 3] * radar.range_rate_m_s_std
    plots["order"] = draws.random(len(plots))


def merged(plots: "Sightings", radar: Radar) -> "Sightings":
    """Return the plots of one radar, with two objects in one resolution cell as one plot between them.

    It lies nearer to the one that happens to be stronger at this dwell (its `order` says so), and is said to be of it.
    """
    faults = radar.faults
    if faults.cell_m <= 0.0 or len(plots) < 2:
        return plots
    rows = np.lexsort((plots["range_m"], plots["t_ns"]))
    a, b = plots[rows[:-1]], plots[rows[1:]]
    turn = np.abs(np.mod(a["azimuth_rad"] - b["azimuth_rad"] + np.pi, 2.0 * np.pi) - np.pi) * np.cos(a["elevation_rad"])
    close = (a["t_ns"] == b["t_ns"]) & (a["thing"] != b["thing"]) & (a["thing"] >= 0) & (b["thing"] >= 0)
    close &= (b["range_m"] - a["range_m"] < faults.cell_m) & (turn < faults.cell_rad)
    close &= np.abs(a["elevation_rad"] - b["elevation_rad"]) < faults.cell_rad
    result, gone = plots.copy(), np.zeros(len(plots), dtype=bool)
    last = -2
    for k in np.flatnonzero(close).tolist():
        if k == last + 1:  # the one between two others goes with the first
            continue
        last = k
        one, two = int(rows[k]), int(rows[k + 1])
        _merge(result, one, two)
        gone[two] = True
    return result[~gone]


def _merge(plots: "Sightings", one: int, two: int) -> None:
    """Put into row `one` what the radar makes of both."""
    share = float(plots["order"][two] / max(plots["order"][one] + plots["order"][two], 1e-9))
    for name in ("range_m", "elevation_rad", "range_rate_m_s"):
        plots[name][one] += share * (plots[name][two] - plots[name][one])
    turn = (plots["azimuth_rad"][two] - plots["azimuth_rad"][one] + np.pi) % (2.0 * np.pi) - np.pi
    plots["azimuth_rad"][one] = (plots["azimuth_rad"][one] + share * turn) % (2.0 * np.pi)
    if share > 0.5:
        for name in ("origin", "thing"):
            plots[name][one] = plots[name][two]


def repeated(plots: "Sightings", last: "Sightings", times: Times, faults: Faults) -> "Sightings":
    """Return the plots before the radar got stuck, and those of its `last` dwell again at each of `times` after."""
    assert faults.repeats_from_t_ns is not None
    before = plots[plots["t_ns"] < faults.repeats_from_t_ns]
    stuck = np.tile(last, len(times))
    stuck["t_ns"] = np.repeat(times, len(last))
    return np.concatenate([before, stuck])


def stamped(
    config: WorldConfig, station: "Station", window: int, plots: "Sightings", begin_ns: int, stuck_t_ns: int
) -> None:
    """Write when each plot is told and what its clock says, for plots of dwells of one window; changes them.

    `begin_ns`: of the window.  `stuck_t_ns`: of the dwell that is repeated.
    """
    faults, radar = station.radar.faults, station.radar
    times = plots["t_ns"]
    late_ns = np.full(len(plots), round(faults.latency_s * 1e9), dtype=np.int64)
    if faults.latency_s_mean > 0.0 and len(plots):
        draws = stream(config.seed, f"radar/{radar.id}/latency/{window}")
        number = (times - begin_ns) // station.period_ns  # of the dwell: the same whatever else is seen
        late_ns += np.round(draws.exponential(faults.latency_s_mean, int(number.max()) + 1)[number] * 1e9).astype(
            np.int64
        )
    plots["told_ns"] = times + late_ns
    true = times
    if faults.repeats_from_t_ns is not None and faults.repeats_old_stamps:
        true = np.where(times >= faults.repeats_from_t_ns, stuck_t_ns, times)
    off_s = np.full(len(plots), faults.clock_offset_s)
    off_s += (true - config.start_t_ns) * 1e-9 * faults.clock_drift_ppm * 1e-6
    for at_ns, by_s in faults.clock_jumps:
        off_s += np.where(true >= at_ns, by_s, 0.0)
    plots["stamp_ns"] = true + np.round(off_s * 1e9).astype(np.int64)
