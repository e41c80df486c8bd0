"""What the radars tell within one window of time, ready to be handed out as plots dwell by dwell."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from opencram.messages import Plot
from opencram.simulation.echoes import ground, rain
from opencram.simulation.model import WorldConfig
from opencram.simulation.radars import (
    NOTHING_SEEN,
    Sightings,
    Station,
    clutter,
    last_dwell_t_ns,
    reported,
)

WINDOW_NS = 60_000_000_000


class Seen(Protocol):
    """What the radars have seen of one body, whatever else is known of it."""

    @property
    def start_t_ns(self) -> int:
        """When it came into the world."""

    @property
    def seen(self) -> Sightings:
        """The sightings of it by all radars, in time order."""


class Timeline(NamedTuple):
    """The columns of a window in the order of being told: plain numbers, since each dwell asks for a few rows."""

    told_ns: list[int]
    stamp_ns: list[int]
    radar: list[int]
    range_m: list[float]
    azimuth_rad: list[float]
    elevation_rad: list[float]
    range_rate_m_s: list[float]
    snr_db: list[float]
    origin: list[int]
    thing: list[int]

    def between(self, from_t_ns: int, before_t_ns: int) -> slice:
        """Return the rows told within [from, before)."""
        first = bisect_left(self.told_ns, from_t_ns)
        return slice(first, bisect_left(self.told_ns, before_t_ns, first))

    def plots(self, config: WorldConfig, rows: slice, first_id: int) -> list[Plot]:
        """Return these rows as plots, numbered from `first_id`."""
        radars = config.radars
        plots = []
        for k in range(rows.start, rows.stop):
            radar = radars[self.radar[k]]
            plots.append(
                Plot(
                    t_ns=self.stamp_ns[k],
                    plot_id=first_id + k - rows.start,
                    sensor=radar.id,
                    range_m=self.range_m[k],
                    azimuth_rad=self.azimuth_rad[k],
                    elevation_rad=self.elevation_rad[k],
                    range_rate_m_s=self.range_rate_m_s[k] if radar.range_rate_m_s_std > 0.0 else None,
                    snr_db=self.snr_db[k] if radar.snr_db_at_1_km is not None else None,
                )
            )
        return plots


def timeline_of(config: WorldConfig, stations: Sequence[Station], bodies: Sequence[Seen], window: int) -> Timeline:
    """Return all that the radars tell within a window: by time, then radar, then the draw of the order."""
    begin = config.start_t_ns + window * WINDOW_NS
    parts = []
    for each in stations:
        # What comes late may have been seen in the window before: no latency is as long as a window.
        late = each.radar.faults.latency_s > 0.0 or each.radar.faults.latency_s_mean > 0.0
        for number in range(max(window - 1, 0) if late else window, window + 1):
            told = _told(config, each, bodies, number)
            parts.append(told[(told["told_ns"] >= begin) & (told["told_ns"] < begin + WINDOW_NS)] if late else told)
    seen = np.concatenate(parts) if parts else NOTHING_SEEN
    seen = seen[np.lexsort((seen["order"], seen["radar"], seen["told_ns"]))]
    return Timeline(*(seen[name].tolist() for name in Timeline._fields))


def _told(config: WorldConfig, station: Station, bodies: Sequence[Seen], window: int) -> Sightings:
    """Return what one radar tells of the dwells of a window."""
    begin = config.start_t_ns + window * WINDOW_NS
    end = begin + WINDOW_NS
    last, stuck_ns = NOTHING_SEEN, last_dwell_t_ns(config, station)
    if stuck_ns is not None and end > stuck_ns:
        last = _seen(config, station, bodies, (stuck_ns - config.start_t_ns) // WINDOW_NS)
        last = last[last["t_ns"] == stuck_ns]
    return reported(config, station, window, _seen(config, station, bodies, window), last, (begin, end))


def _seen(config: WorldConfig, station: Station, bodies: Sequence[Seen], window: int) -> Sightings:
    """Return what one radar sees in the dwells of a window."""
    begin = config.start_t_ns + window * WINDOW_NS
    end = begin + WINDOW_NS
    parts = [clutter(config, station, window, begin, end)]
    parts += [rain(config, station, each, window, begin, end) for each in config.rain]
    parts += [ground(config, station, each, window, begin, end) for each in config.ground_echoes]
    for body in bodies:
        if body.start_t_ns < end:
            seen = body.seen
            parts.append(seen[(seen["t_ns"] >= begin) & (seen["t_ns"] < end) & (seen["radar"] == station.number)])
    return np.concatenate(parts)
