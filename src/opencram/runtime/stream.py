"""What is in the air and who is warned: kept for those who ask, streamed to those who listen.

A listener has a queue of its own.  One that falls too far behind is parted from, never served with gaps.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np

from opencram.adapters.cap import CapMessage, CapZone
from opencram.adapters.events import encode_events, event
from opencram.adapters.geojson import alarm_feature, collection, impact_feature, track_feature
from opencram.config.model import Site
from opencram.earth.geodesy import Frame, geodetic_from_enu
from opencram.messages import Health, Impact, Message, Rejected, Track

QUEUE_MAX: Final = 10_000
OUTSIDE: Final = ("track", "impact", "warning", "decision", "engagement", "health", "rejected")

_ENCODE: Final = msgspec.json.Encoder().encode


@dataclass(eq=False)
class Listener:
    """Somebody who listens.  `late` is set when it has fallen too far behind."""

    types: frozenset[str]
    queue: "asyncio.Queue[str]" = field(default_factory=lambda: asyncio.Queue(QUEUE_MAX))
    late: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, text: str) -> None:
        """Queue one event."""
        if self.queue.full():
            self.late.set()
        else:
            self.queue.put_nowait(text)


class Stream:
    """The picture as it stands, and those who listen to it."""

    def __init__(self, site: Site) -> None:
        self._frame = Frame(site.latitude_rad, site.longitude_rad, site.height_m)
        self._tracks: dict[int, Track] = {}
        self._impacts: dict[int, Impact] = {}
        self._listeners: list[Listener] = []

    @property
    def listeners(self) -> int:
        """Number of those who listen."""
        return len(self._listeners)

    def take(self, inputs: Sequence[Message], made: Sequence[Message]) -> None:
        """Take one batch and what came of it."""
        for message in made:
            if isinstance(message, Track):
                if message.status == "dropped":
                    self._tracks.pop(message.track_id, None)
                    self._impacts.pop(message.track_id, None)
                elif message.status != "tentative":
                    self._tracks[message.track_id] = message
            elif isinstance(message, Impact):
                self._impacts[message.track_id] = message
        if self._listeners:
            self._tell([*(m for m in inputs if isinstance(m, Health | Rejected)), *made])

    def _tell(self, messages: Sequence[Message]) -> None:
        for message in messages:
            told = event(message)
            if told is None:
                continue
            wanting = [listener for listener in self._listeners if told["type"] in listener.types]
            if wanting:
                text = _ENCODE(told).decode()
                for listener in wanting:
                    listener.put(text)

    def join(self, types: frozenset[str], standing: Mapping[str, CapMessage]) -> Listener:
        """Return a new listener, in whose queue stands already what there is."""
        listener = Listener(types)
        now: list[Message] = [*self._tracks.values(), *self._impacts.values(), *(m.warning for m in standing.values())]
        for message in now:
            told = event(message)
            if told is not None and told["type"] in types:
                listener.put(encode_events([message]).decode().strip())
        self._listeners.append(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Forget a listener."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def picture(self, standing: Mapping[str, CapMessage], zones: Mapping[str, CapZone]) -> dict[str, Any]:
        """Return all that stands as GeoJSON."""
        tracks = list(self._tracks.values())
        features = []
        if tracks:
            places = geodetic_from_enu(self._frame, np.array([track.position_enu_m for track in tracks]))
            for track, latitude, longitude, height in zip(tracks, *(p.tolist() for p in places), strict=True):
                features.append(track_feature(track, float(np.degrees(latitude)), float(np.degrees(longitude)), height))
        features += [impact_feature(impact) for impact in self._impacts.values()]
        features += [alarm_feature(m.warning, zones.get(m.warning.zone)) for m in standing.values()]
        return collection(features)
