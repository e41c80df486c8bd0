"""How thick clutter is where a plot stands: a map of the plots that were no projectile's, which forgets.

Birds fly in flocks, echoes come again where they came from, bursts of fire fill one corner of the sky.  A score
against clutter spread evenly over all that a radar sees takes any four of their plots for a round.  So every sensor
counts the plots that no track of a projectile has, in cells about as large as a flock; what becomes a track of a
projectile later is taken out again.
"""

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from opencram.kernel import helper, kernel
from opencram.messages import Health, Message

_CELLS = 1 << 13  # a power of two; cells of all sensors share it, and two of them may meet: then both seem thicker
_RANGE_M, _AZIMUTH_RAD, _ELEVATION_RAD = 250.0, 0.06, 0.04
_VOLUME = _RANGE_M * _AZIMUTH_RAD * _ELEVATION_RAD
_MEMORY_S = 30.0
_FLOOD_SCANS, _FLOOD_FACTOR, _FLOOD_MORE = 5.0, 10.0, 100.0
_SCANS = 40.0  # how many empty scans a cell is believed to have had before the first


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """The map: how many plots each cell has had, fading with its memory, and as of when."""

    counts: NDArray[np.float64]  # (cells,)
    t_ns: NDArray[np.int64]  # (cells,)
    begun: dict[str, int] = {}  # by sensor: time of its first dwell, ns
    unwanted: dict[str, tuple[int, float]] = {}  # by sensor: when, and how many plots that no target has, fading
    flooding: tuple[str, ...] = ()  # sensors that have been said to flood


def unknown() -> Surroundings:
    """Return the map before the first plot."""
    return Surroundings(counts=np.zeros(_CELLS), t_ns=np.zeros(_CELLS, dtype=np.int64))


def watched(
    known: Surroundings, sensor: str, t_ns: int, period_s: float, stated: float, count: int
) -> tuple[Surroundings, list[Message]]:
    """Return the map after a dwell with `count` plots that no target has, and what is to be said of a flood.

    `stated`: false plots a scan, as the site file says.  A flood is more than ten times that and a hundred, over
    some five scans; it is over at half of it.
    """
    memory_s = _FLOOD_SCANS * max(period_s, 1e-3)
    last_ns, weight = known.unwanted.get(sensor, (t_ns, 0.0))
    weight = weight * math.exp(-max(t_ns - last_ns, 0) * 1e-9 / memory_s) + count
    unwanted = {**known.unwanted, sensor: (max(t_ns, last_ns), weight)}
    limit = _FLOOD_FACTOR * max(stated, 1.0) + _FLOOD_MORE
    floods, rate = sensor in known.flooding, weight / _FLOOD_SCANS
    known = msgspec.structs.replace(known, unwanted=unwanted)
    if floods == (rate > (0.5 * limit if floods else limit)):
        return known, []
    others = tuple(each for each in known.flooding if each != sensor)
    known = msgspec.structs.replace(known, flooding=others if floods else (*others, sensor))
    if floods:
        reason = f"the flood is over: {rate:.0f} plots a scan belong to nothing"
    else:
        reason = f"a flood: {rate:.0f} plots a scan belong to nothing, {stated:g} are stated; rounds may be missed"
    return known, [
        Health(t_ns=t_ns, part=f"sensor:{sensor}/flood", state="ok" if floods else "degraded", reason=reason)
    ]


def unwanted_a_scan(known: Surroundings, sensor: str) -> float:
    """Return how many plots of a scan belonged to no target of late."""
    return known.unwanted.get(sensor, (0, 0.0))[1] / _FLOOD_SCANS


@helper
def _cell(sensor, z):
    """Return the number of the cell of a plot."""
    a = np.int64(math.floor(z[0] / _RANGE_M))
    b = np.int64(math.floor(z[1] / _AZIMUTH_RAD))
    c = np.int64(math.floor(z[2] / _ELEVATION_RAD))
    mixed = (a * 73856093) ^ (b * 19349663) ^ (c * 83492791) ^ (sensor * 40503)
    mixed ^= mixed >> 15
    return mixed & (_CELLS - 1)


@helper
def _faded(age_ns):
    return math.exp(-max(age_ns, 0) * (1e-9 / _MEMORY_S))


@kernel
def log_clutter_at(counts, counted_t_ns, begun_t_ns, t_ns, sensor, period_ns, z, log_clutter):
    """Return the log density of clutter (n), per m·rad·rad, where plots `z` (n, 4) stand, before they are counted.

    `log_clutter`: that of the whole sky, below which it never is.
    """
    scans = min(max(t_ns - begun_t_ns, 0) * 1e-9, _MEMORY_S) / max(period_ns * 1e-9, 1e-3)
    everywhere = math.exp(log_clutter)
    density = np.empty(z.shape[0])
    for j in range(z.shape[0]):
        cell = _cell(sensor, z[j])
        count = counts[cell] * _faded(t_ns - counted_t_ns[cell])
        density[j] = math.log(everywhere + count / (_VOLUME * (scans + _SCANS)))
    return density


@kernel
def count_plots(counts, counted_t_ns, t_ns, sensor, z, free):
    """Count the plots that are `free` (n), in place."""
    for j in range(z.shape[0]):
        if free[j]:
            cell = _cell(sensor, z[j])
            counts[cell] = counts[cell] * _faded(t_ns - counted_t_ns[cell]) + 1.0
            counted_t_ns[cell] = max(counted_t_ns[cell], t_ns)


@kernel
def take_out(counts, counted_t_ns, times_ns, sensors, z):
    """Take plots out again that were counted at `times_ns` (n), in place: they are a projectile's."""
    for j in range(z.shape[0]):
        cell = _cell(sensors[j], z[j])
        counts[cell] = max(counts[cell] - _faded(counted_t_ns[cell] - times_ns[j]), 0.0)
