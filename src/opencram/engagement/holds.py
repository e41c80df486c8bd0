"""Hold rules of the site file: what may not be fired through, over or at, whatever the threat.

A rule is one small class: `allowed` says which of many shots it lets pass, `why` tells a person what stood in the
way of the others.  Rules deal in models of shots (places, times and straight lines of fire); nothing here points
anything.
"""

import math
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from opencram.engagement.effector import Effector
from opencram.engagement.lead import Friend, Lead
from opencram.engagement.shots import Floats, Ints, Shots, rows_of
from opencram.engagement.words import Text, at, text, whole

Mask = NDArray[np.bool_]

_DAY_NS: Final = 86_400 * 10**9
_LINE_POINTS: Final = 24  # along a line of fire; a corridor thinner than a hundred metres has its clearance for that
_SIGMAS: Final = 2.0  # a friendly track may be this far from where it is thought to be
_UNTIL_STEP_S, _UNTIL_S_MAX = 0.5, 120.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fire:
    """The shots of one effector at one round, and what else a rule may look at."""

    effector: Effector
    shots: Shots
    lead: Lead | None
    friends: tuple[Friend, ...] = ()


class HoldRule(Protocol):
    """What every hold rule can do."""

    @property
    def id(self) -> str:
        """The name that the site file gives it."""

    @property
    def live(self) -> bool:
        """Whether it must be asked again at every decision, because what it looks at moves."""

    def allowed(self, fire: Fire) -> Mask:
        """Return which shots the rule lets pass."""

    def why(self, fire: Fire, allowed: Mask) -> Text:
        """Return what stood in the way of the shots that are not allowed (at least one)."""


# ---- the rules ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NoFireSector:
    """No shot between two azimuths (clockwise) from the effector, up to an elevation."""

    id: str
    azimuth_rad_from: float
    azimuth_rad_to: float
    elevation_rad_max: float = math.pi / 2.0
    effector: str = ""  # empty: all

    @property
    def live(self) -> bool:
        """It stands still."""
        return False

    def allowed(self, fire: Fire) -> Mask:
        """Return the shots whose line lies outside the sector."""
        if self.effector not in ("", fire.effector.id):
            return np.ones(len(fire.shots), dtype=bool)
        east, north, up = (fire.shots.position_enu_m - np.array(fire.effector.position_enu_m)).T
        turn = np.mod(np.arctan2(east, north) - self.azimuth_rad_from, 2.0 * math.pi)
        width = (self.azimuth_rad_to - self.azimuth_rad_from) % (2.0 * math.pi) or 2.0 * math.pi
        inside = (turn <= width) & (np.arctan2(up, np.hypot(east, north)) <= self.elevation_rad_max)
        return np.asarray(~inside, dtype=bool)

    def why(self, fire: Fire, allowed: Mask) -> Text:
        """Name the effector and the sector."""
        return text("no_fire_sector", effector=fire.effector.id, rule=self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoFireTimes:
    """No shot in the air between two times of the day (UTC); past midnight if the second is the earlier."""

    id: str
    begin_s: float
    end_s: float

    @property
    def live(self) -> bool:
        """It stands still."""
        return False

    def allowed(self, fire: Fire) -> Mask:
        """Return the shots of which no part falls into the forbidden time."""
        return outside_hours(fire.shots.fire_t_ns, fire.shots.done_t_ns, self.begin_s, self.end_s)

    def why(self, fire: Fire, allowed: Mask) -> Text:
        """Name the rule and its hours."""
        return text("no_fire_time", rule=self.id, begin=at(round(self.begin_s * 1e9)), end=at(round(self.end_s * 1e9)))


@dataclass(frozen=True, slots=True, kw_only=True)
class AircraftCorridor:
    """No line of fire through a volume kept free for aircraft, always or between two times of the day (UTC)."""

    id: str
    polygon_m: tuple[tuple[float, float], ...]
    up_m_from: float
    up_m_to: float
    begin_s: float = 0.0
    end_s: float = 0.0  # as begin_s: always

    @property
    def live(self) -> bool:
        """It stands still."""
        return False

    def allowed(self, fire: Fire) -> Mask:
        """Return the shots whose line of fire, flown on to the end of its reach, stays out of the volume."""
        line = _line_points(fire)
        up = line[..., 2]
        high = (up >= self.up_m_from) & (up <= self.up_m_to)
        crosses = (high & inside_polygon(line[..., :2], np.array(self.polygon_m))).any(axis=1)
        if self.begin_s != self.end_s:
            free = outside_hours(fire.shots.fire_t_ns, fire.shots.done_t_ns, self.begin_s, self.end_s)
            crosses &= ~free
        return np.asarray(~crosses, dtype=bool)

    def why(self, fire: Fire, allowed: Mask) -> Text:
        """Name the effector and the corridor."""
        return text("aircraft_corridor", effector=fire.effector.id, rule=self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class FriendlyTracks:
    """No line of fire within a distance of a friendly aircraft, from the first round to the last.

    A friend is a track that is one of `classes` with `probability`.  It is taken to fly straight on from its last
    plot; two deviations of its place are added to the distance.
    """

    id: str
    distance_m: float
    classes: tuple[str, ...] = ("aircraft", "drone")
    probability: float = 0.5

    @property
    def live(self) -> bool:
        """Friends move."""
        return True

    def allowed(self, fire: Fire) -> Mask:
        """Return the shots that keep clear of every friend."""
        clear = np.ones(len(fire.shots), dtype=bool)
        for friend in fire.friends:
            if self._heeds(friend):
                clear &= self._clear_of(fire, friend)
        return clear

    def why(self, fire: Fire, allowed: Mask) -> Text:
        """Name the friend and until when it is in the way of the shot that would be best."""
        best = int(np.argmax(np.where(allowed, -1.0, fire.shots.kill_probability)))
        row = np.array([best])
        one = Fire(effector=fire.effector, shots=rows_of(fire.shots, row), lead=fire.lead)
        friend = next(f for f in fire.friends if self._heeds(f) and not self._clear_of(one, f)[0])
        return text(
            "friendly_track",
            friend=str(friend.track_id),
            distance_m=whole(self.distance_m),
            effector=fire.effector.id,
            until=at(self._until_t_ns(one, friend)),
        )

    def _heeds(self, friend: Friend) -> bool:
        """Return whether the rule is about this friend."""
        return sum(share for name, share in friend.classes if name in self.classes) >= self.probability

    def _clear_of(self, fire: Fire, friend: Friend) -> Mask:
        shots = fire.shots
        clear = np.ones(len(shots), dtype=bool)
        for t_ns in (shots.fire_t_ns, (shots.fire_t_ns + shots.done_t_ns) // 2, shots.done_t_ns):
            place = _friend_at(friend, t_ns)
            clear &= _distance_m(fire, place) > self.distance_m + _SIGMAS * friend.position_m_std
        return clear

    def _until_t_ns(self, one: Fire, friend: Friend) -> int:
        """Return when a friend that flies on has left the line of one shot, a minute or two at most."""
        begin = int(one.shots.fire_t_ns[0])
        later = begin + np.rint(np.arange(0.0, _UNTIL_S_MAX, _UNTIL_STEP_S) * 1e9).astype(np.int64)
        line = Fire(effector=one.effector, shots=rows_of(one.shots, np.zeros(len(later), dtype=np.int64)), lead=None)
        far = _distance_m(line, _friend_at(friend, later)) > self.distance_m + _SIGMAS * friend.position_m_std
        near = np.flatnonzero(~far)
        return int(later[near[-1]]) if len(near) else begin


@dataclass(frozen=True, slots=True, kw_only=True)
class MinimumAltitude:
    """No intercept lower than this above the predicted point of impact."""

    id: str
    height_m: float
    effector: str = ""  # empty: all

    @property
    def live(self) -> bool:
        """It stands still."""
        return False

    def allowed(self, fire: Fire) -> Mask:
        """Return the shots that meet the round high enough."""
        if self.effector not in ("", fire.effector.id):
            return np.ones(len(fire.shots), dtype=bool)
        return np.asarray(fire.shots.height_m >= self.height_m, dtype=bool)

    def why(self, fire: Fire, allowed: Mask) -> Text:
        """Name the effector and the height."""
        return text("minimum_altitude", effector=fire.effector.id, height_m=whole(self.height_m), rule=self.id)


# ---- asked of many -----------------------------------------------------------------------------------


def first_refusal(
    rules: tuple[HoldRule, ...], fire: Fire, told_until_t_ns: int | None = None
) -> tuple[Mask, Text | None]:
    """Return which shots all rules allow, and what the first rule that refuses one says; None if none refuses any.

    `told_until_t_ns`: nothing need be said, and nothing is, where a shot is left that starts then or later.
    """
    allowed = np.ones(len(fire.shots), dtype=bool)
    refused: tuple[HoldRule, Mask] | None = None
    for rule in rules:
        if not allowed.any():
            break
        passed = rule.allowed(fire)
        if refused is None and not passed.all():
            refused = rule, passed
        allowed &= passed
    if refused is None:
        return allowed, None
    if told_until_t_ns is not None and bool((allowed & (fire.shots.start_t_ns >= told_until_t_ns)).any()):
        return allowed, None
    rule, passed = refused
    return allowed, rule.why(fire, passed)


# ---- geometry ----------------------------------------------------------------------------------------


def outside_hours(begin_t_ns: Ints, end_t_ns: Ints, begin_s: float, end_s: float) -> Mask:
    """Return which spans of time share no moment with the daily hours from `begin_s` to `end_s` (UTC)."""
    begin_ns, length_ns = round(begin_s * 1e9), round((end_s - begin_s) % 86_400.0 * 1e9) or _DAY_NS
    into = np.mod(begin_t_ns - begin_ns, _DAY_NS)
    return np.asarray((into >= length_ns) & (into + (end_t_ns - begin_t_ns) < _DAY_NS), dtype=bool)


def inside_polygon(points_m: Floats, polygon_m: Floats) -> Mask:
    """Return which points (…, 2) lie inside a simple polygon (k, 2): an odd number of edges to the east of them."""
    inside = np.zeros(points_m.shape[:-1], dtype=bool)
    x, y = points_m[..., 0], points_m[..., 1]
    for (x0, y0), (x1, y1) in zip(polygon_m, np.roll(polygon_m, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        crosses = (y0 > y) != (y1 > y)
        inside ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside


def _line_points(fire: Fire) -> Floats:
    """Return points (shots, k, 3) along each line of fire; a gun's rounds fly on to the end of its reach."""
    place = np.array(fire.effector.position_enu_m)
    line = fire.shots.position_enu_m - place
    beyond = np.ones(len(line))
    if fire.effector.kind == "gun":
        beyond = fire.effector.range_m_max / np.maximum(fire.shots.range_m, 1.0)
    parts = np.linspace(0.0, 1.0, _LINE_POINTS)
    points: Floats = place + line[:, None, :] * (beyond[:, None] * parts)[:, :, None]
    return points


def _distance_m(fire: Fire, place: Floats) -> Floats:
    """Return the distance of places (n, 3), one for each shot, from the line of fire as far as it reaches."""
    origin = np.array(fire.effector.position_enu_m)
    line = fire.shots.position_enu_m - origin
    if fire.effector.kind == "gun":
        line = line * (fire.effector.range_m_max / np.maximum(fire.shots.range_m, 1.0))[:, None]
    to = place - origin
    along = (to * line).sum(axis=1) / np.maximum((line * line).sum(axis=1), 1e-9)
    nearest = np.clip(along, 0.0, 1.0)[:, None] * line
    distance: Floats = np.sqrt(((to - nearest) ** 2).sum(axis=1))
    return distance


def _friend_at(friend: Friend, t_ns: Ints) -> Floats:
    ahead_s = (t_ns - friend.t_ns) / 1e9
    place: Floats = np.array(friend.position_enu_m) + ahead_s[:, None] * np.array(friend.velocity_enu_m_s)
    return place
