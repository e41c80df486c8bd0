"""Pictures as bytes: one column for each quantity, so that a browser reads them without parsing.

A frame is `FRAME_HEAD` and then, for each row of `LAYOUT`, one number for every track: 32-bit floats, and whole
multiples of a step where they need no more, the highest (of signed ones the lowest) for NaN; what is beyond the ends
stays there.  Lines (trails and
predicted paths) go in frames of their own, only for the tracks whose line has changed.  All little-endian.
"""

import math
import struct
from collections.abc import Mapping
from itertools import chain, groupby

import numpy as np
from numpy.typing import NDArray

from opencram.config.model import Site
from opencram.display.picture import Picture
from opencram.ellipse import axes_95
from opencram.messages import CLASSES, Impact, Threat, Track

FRAME_HEAD = struct.Struct("<IIddddII")  # kind, seq, t, begin, end (ms), data age (s), tracks, flags
LINES_HEAD = struct.Struct("<II")  # kind, tracks
LINE_HEAD = struct.Struct("<IIHH")  # track, points of its trail before these, points of the trail, points of the path
FRAME_KIND, LINES_KIND = 1, 2

TENTATIVE, CONFIRMED, THREAT, ENGAGED, ENDED = range(5)  # what shape a track has
EXTRAPOLATED_S_MAX = 0.5  # a position is carried on no further than one update
ACTS_PROBABILITY = 0.05  # at which a round is listed among those that act on people
EARTH_M = 6_371_000.0

_STATUS = {"tentative": 0.0, "confirmed": 1.0, "coasting": 2.0, "dropped": 3.0}
_REASON = {"": 0.0, "impact": 1.0, "lost": 2.0, "never_confirmed": 3.0, "duplicate": 4.0, "intercepted": 5.0,
           "limit": 6.0}  # fmt: skip
# Name, type as of numpy, step: wide columns first, so that each begins at a multiple of its size.
LAYOUT: tuple[tuple[str, str, float], ...] = (
    *((name, "f4", 1.0) for name in ("id", "east", "north", "alt", "tti", "imp_e", "imp_n", "exposed")),
    *((name, "u2", 0.1) for name in ("std",)),  # m
    *((name, "u2", 0.01) for name in ("age", "told", "tti_std")),  # s
    *((name, "u2", 0.25) for name in ("ell_a", "ell_b")),  # m
    ("plots", "u2", 1.0),
    *((f"is_{name}", "u2", 2e-5) for name in CLASSES),
    *((name, "u2", 2e-5) for name in ("p_asset", "p_zone")),
    *((name, "i2", 0.125) for name in ("ve", "vn", "vu")),  # m/s
    ("ell_az", "i2", 1e-4),  # rad
    *((name, "i2", 1.0) for name in ("asset", "zone")),
    *((name, "u1", 1.0) for name in ("kind", "status", "ended", "acts")),
)  # fmt: skip
COLUMNS = tuple(name for name, _, _ in LAYOUT)
TRACK_BYTES = sum(np.dtype(kind).itemsize for _, kind, _ in LAYOUT)
_AT = {name: k for k, name in enumerate(COLUMNS)}
_NAN = math.nan
KEPT_MIN = 100  # rows of tracks that are gone are kept up to so many
EPOCH_NS_MAX = 10_000_000_000_000
Row = NDArray[np.float64]
_NOTHING: Row = np.empty(0)
_ENDS = {"u2": (0, 65534, 65535), "i2": (-32767, 32767, -32768), "u1": (0, 254, 255)}  # and what stands for NaN


def _packed(table: NDArray[np.float64]) -> bytes:
    """Return columns, one row for each of `LAYOUT`, as they travel."""
    parts, first = [], 0
    for kind, group in groupby(LAYOUT, key=lambda column: column[1]):
        steps = np.array([step for _, _, step in group])
        rows = table[first : first + len(steps)]
        first += len(steps)
        if kind in _ENDS:
            low, high, nan = _ENDS[kind]
            rows = np.where(np.isnan(rows), nan, np.clip(np.rint(rows / steps[:, np.newaxis]), low, high))
        parts.append(rows.astype(f"<{kind}").tobytes())
    return b"".join(parts)


class Encoder:
    """Encodes pictures of one site.  Frames are pure functions of picture and time."""

    def __init__(self, site: Site) -> None:
        self._zones = {zone.id: float(k) for k, zone in enumerate(site.zones)}
        self._assets = {asset.id: float(k) for k, asset in enumerate(site.assets)}
        self._above_m = site.height_m - site.ground_height_m
        self._epoch_ns = 0  # near the data, so that seconds from it are exact to a nanosecond
        self._kept: dict[int, tuple[Track, Impact | None, Threat | None, tuple[bool, ...], Row]] = {}

    def frame(self, picture: Picture, t_ns: int, begin_ns: int, end_ns: int, data_age_s: float, flags: int) -> bytes:
        """Return the binary frame of a picture at `t_ns`."""
        head = FRAME_HEAD.pack(
            FRAME_KIND, picture.seq, t_ns / 1e6, begin_ns / 1e6, end_ns / 1e6, data_age_s, len(picture.tracks), flags
        )
        return head + _packed(self.columns(picture, t_ns))

    def columns(self, picture: Picture, t_ns: int) -> NDArray[np.float64]:
        """Return one row for each of `COLUMNS`, one column for each track.

        What messages say of a track is worked out once and kept until one of them is followed by another.
        """
        alarmed, engaged = picture.alarmed_tracks(), picture.engaged_tracks()
        if abs(t_ns - self._epoch_ns) > EPOCH_NS_MAX:
            self._epoch_ns, self._kept = t_ns, {}
        rows, kept = [], self._kept
        for track_id, track in picture.tracks.items():
            impact, threat = picture.impacts.get(track_id), picture.threats.get(track_id)
            decision = picture.decisions.get(track_id)
            flags = (decision is not None and decision.action == "engage", track_id in alarmed, track_id in engaged)
            known = kept.get(track_id)
            if known is None or not (known[0] is track and known[1] is impact and known[2] is threat):
                known = (track, impact, threat, (), _NOTHING)
            if known[3] != flags:
                known = kept[track_id] = (track, impact, threat, flags, self._row(track, impact, threat, flags))
            rows.append(known[4])
        if len(kept) > 2 * len(rows) + KEPT_MIN:
            self._kept = {track_id: kept[track_id] for track_id in picture.tracks}
        table = np.array(rows, dtype=np.float64).reshape(len(rows), len(COLUMNS)).T
        now_s = (t_ns - self._epoch_ns) * 1e-9
        table[_AT["age"]] += now_s
        table[_AT["told"]] += now_s
        table[_AT["tti"]] -= now_s
        self._carry_on(table)
        return table

    def _row(self, track: Track, impact: Impact | None, threat: Threat | None, flags: tuple[bool, bool, bool]) -> Row:
        """Return the columns of one track; times count from the epoch, where a frame counts them from its own time."""
        engage, alarmed, engaged = flags
        p_asset, asset = _likeliest(threat, "asset", self._assets)
        p_zone, zone = _likeliest(threat, "zone", self._zones)
        acts = track.status != "dropped" and (alarmed or engage or p_asset >= ACTS_PROBABILITY)
        chances = dict(track.classes)
        tti_s, tti_std_s, imp_e, imp_n, ell_a, ell_b, ell_az = _impact_columns(impact, self._epoch_ns)
        east, north, up = track.position_enu_m
        return np.array((
            float(track.track_id), east, north, up, tti_s, imp_e, imp_n,
            threat.expected_exposed if threat is not None else 0.0,
            track.position_m_std,
            (self._epoch_ns - track.updated_t_ns) * 1e-9, (self._epoch_ns - track.t_ns) * 1e-9, tti_std_s,
            ell_a, ell_b, float(track.plots), *(chances.get(name, 0.0) for name in CLASSES), p_asset, p_zone,
            *track.velocity_enu_m_s, ell_az, asset, zone,
            float(_kind(track, engaged=engaged, acts=acts)), _STATUS[track.status], _REASON[track.reason], float(acts),
        ))  # fmt: skip

    def _carry_on(self, table: "np.ndarray[tuple[int, int], np.dtype[np.float64]]") -> None:
        """Move positions on from the last message, by one update at most, and turn "up" into height above ground."""
        east, north, alt = _AT["east"], _AT["north"], _AT["alt"]
        dt_s = np.where(table[_AT["kind"]] == ENDED, 0.0, np.clip(table[_AT["told"]], 0.0, EXTRAPOLATED_S_MAX))
        table[east : alt + 1] += table[_AT["ve"] : _AT["vu"] + 1] * dt_s
        # The ground falls away from the site's tangent plane: on a sphere within 1 m out to 30 km.
        table[alt] += (table[east] ** 2 + table[north] ** 2) / (2.0 * EARTH_M) + self._above_m


def lines(picture: Picture, after_seq: int, trailed: Mapping[int, int]) -> bytes:
    """Return what trails have grown by, and predicted paths, of the tracks that changed after a record.

    `trailed`: how many points of each trail have been sent; a track that is not in it is sent whole.
    """
    parts = []
    for track_id, seq in picture.touched.items():
        if seq <= after_seq:
            continue
        trail, ever = picture.trails.get(track_id, ()), picture.trailed.get(track_id, 0)
        trail = trail[len(trail) - min(ever - trailed.get(track_id, 0), len(trail)) :]
        impact = picture.impacts.get(track_id)
        path = impact.path_enu_m if impact is not None and track_id not in picture.ended else ()
        parts.append(LINE_HEAD.pack(track_id, ever - len(trail), len(trail), len(path)))
        parts.append(struct.pack(f"<{3 * (len(trail) + len(path))}f", *chain(*trail, *path)))
    return LINES_HEAD.pack(LINES_KIND, len(parts) // 2) + b"".join(parts)


def _impact_columns(impact: Impact | None, t_ns: int) -> tuple[float, ...]:
    if impact is None:
        return (_NAN,) * 7
    east, north, _ = impact.position_enu_m
    return (impact.impact_t_ns - t_ns) * 1e-9, impact.impact_time_s_std, east, north, *axes_95(impact.covariance_enu_m2)


def _likeliest(threat: Threat | None, kind: str, index: Mapping[str, float]) -> tuple[float, float]:
    """Return the highest probability among the places of a kind, and the index of that place."""
    places = [] if threat is None else [p for p in threat.places if p.kind == kind and p.place in index]
    best = max(places, key=lambda place: place.probability, default=None)
    return (0.0, -1.0) if best is None or best.probability <= 0.0 else (best.probability, index[best.place])


def _kind(track: Track, *, engaged: bool, acts: bool) -> int:
    if track.status == "dropped":
        return ENDED
    if engaged:
        return ENGAGED
    if acts:
        return THREAT
    return TENTATIVE if track.status == "tentative" else CONFIRMED
