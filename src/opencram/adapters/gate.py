"""The gate that every plot passes on its way in, whatever format it came in.

It judges the values of one plot against its sensor, and its time against the plots before it:

- a plot seen already is a `duplicate`, for two seconds;
- one sensor's time never runs back (`time_back`) further than the site file lets its scans overtake one another,
  by default not at all; another sensor's may lag by two seconds (else `late`);
- a plot far ahead of the newest is held back until others bear its time out, the more of them the further
  ahead.  If the next good plot is back in the old time, it was a slip (`time_jump`), and has moved nothing.
  So is the very first time settled: by what most of the first plots agree on;
- of live plots, the time is that of a clock which may have jumped (`adapters.clocks`).

What is rejected leaves no trace: the plots that follow fare as if it had never been there.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from opencram.adapters.clocks import Clocks
from opencram.adapters.past import Key, Past
from opencram.adapters.times import T_NS_MAX, T_NS_MIN, rfc3339
from opencram.messages import Plot, Rejected

LAG_NS: Final = 2 * 10**9  # how far one sensor may lag behind another, and how long duplicates are known
AHEAD_NS: Final = 2 * 10**9  # further ahead than this, or than three periods, a plot needs others beside it
RANGE_TOLERANCE: Final = 1.2  # of the sensor's instrumented range
RANGE_RATE_M_S_MAX: Final = 10_000.0
STD_MAX: Final = 1e5
HELD_MAX: Final = 10
_START_PLOTS: Final = 5  # that settle the first time
_EARLY_MAX: Final = 1000  # rejections kept until there is a first time to tell them with
# Jump ahead (ns) up to which so many plots near each other bear it out.
_WITNESSES: Final = ((60 * 10**9, 3), (3600 * 10**9, 5))
_VALUES: Final = (
    "range_m",
    "azimuth_deg",
    "elevation_deg",
    "range_rate_m_s",
    "snr_db",
    "range_std_m",
    "azimuth_std_deg",
    "elevation_std_deg",
)
_NAMES_SHOWN: Final = 5
_TO_RAD: Final = math.pi / 180.0

_NEEDED: Final = 3  # values that every plot has: its place
_ANGLES: Final = (1, 2, 6, 7)  # values that come in degrees
_MANY_LEAST: Final = 4  # plots that are worth a look as columns

Message = Plot | Rejected


@dataclass(frozen=True, kw_only=True)
class SensorLimits:
    """What can be expected of a sensor's plots."""

    range_m_max: float  # instrumented range
    period_s: float = 0.0  # from one scan to the next
    out_of_order_s: float = 0.0  # so much older than its newest a plot may be, where scans overtake one another

    def __post_init__(self) -> None:
        if not 0.0 <= self.out_of_order_s * 1e9 <= LAG_NS:
            raise ValueError(f"out_of_order_s is {self.out_of_order_s:g}: must be 0 to {LAG_NS / 1e9:g}")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a piece of input is not a plot; its time and sensor where they could be read."""

    code: str
    reason: str
    t_ns: int | None = None
    sensor: str = ""


class Gate:
    """Turns the values of plots, in the order of input, into `Plot` and `Rejected` messages."""

    def __init__(self, sensors: Mapping[str, SensorLimits], first_id: int = 1, clocks: Clocks | None = None) -> None:
        """`clocks`: those of the sensors, where plots are judged as they come; None where they come from a file."""
        self.clocks = clocks
        self._reach_m = {name: limits.range_m_max * RANGE_TOLERANCE for name, limits in sensors.items()}
        back_ns = {name: round(limits.out_of_order_s * 1e9) for name, limits in sensors.items()}
        if clocks is not None:
            clocks.expect(back_ns)
        self._past = {name: Past(reach_m, back_ns[name]) for name, reach_m in self._reach_m.items()}
        periods = [limits.period_s for limits in sensors.values() if math.isfinite(limits.period_s)]
        self._ahead_ns = max(AHEAD_NS, round(3e9 * max(periods, default=0.0)))
        self._newest_ns: int | None = None
        self._next_id = first_id
        self._held: list[Plot] = []
        self._early: list[tuple[int, Refusal]] = []

    @property
    def about_t_ns(self) -> int | None:
        """About when it is: the time of the newest plot, or of the last one held back before the first."""
        if self._newest_ns is None and self._held:
            return self._held[-1].t_ns
        return self._newest_ns

    def reach_m(self, sensor: str) -> float:
        """Return how far away a plot of a sensor may be (m); 0 for a sensor that the site does not have."""
        return self._reach_m.get(sensor, 0.0)

    def knows(self, sensor: str) -> bool:
        """Return whether the site has this sensor."""
        return sensor in self._reach_m

    def take(
        self,
        out: list[Message],
        line: int,
        t_ns: int,
        sensor: str,
        range_m: float,
        azimuth_deg: float,
        elevation_deg: float,
        range_rate_m_s: float | None = None,
        snr_db: float | None = None,
        range_std_m: float | None = None,
        azimuth_std_deg: float | None = None,
        elevation_std_deg: float | None = None,
    ) -> None:
        """Judge one plot; append to `out` whatever comes of it, now or of those held back before."""
        past = self._past.get(sensor)
        # One look at all limits of `_judge_values`, and no name of any: nearly every plot passes.  A NaN fails
        # every comparison.
        if not (
            past is not None
            and 0.0 < range_m <= past.reach_m
            and 0.0 <= azimuth_deg < 360.0
            and -90.0 <= elevation_deg <= 90.0
            and T_NS_MIN <= t_ns < T_NS_MAX
            and (range_rate_m_s is None or -RANGE_RATE_M_S_MAX <= range_rate_m_s <= RANGE_RATE_M_S_MAX)
            and (snr_db is None or -math.inf < snr_db < math.inf)
            and (range_std_m is None or 0.0 < range_std_m <= STD_MAX)
            and (azimuth_std_deg is None or 0.0 < azimuth_std_deg <= 360.0)
            and (elevation_std_deg is None or 0.0 < elevation_std_deg <= 360.0)
        ):
            place, more = (range_m, azimuth_deg, elevation_deg), (range_rate_m_s, snr_db)
            values = (*place, *more, range_std_m, azimuth_std_deg, elevation_std_deg)
            refusal = _judge_values(self._reach_m, t_ns, sensor, dict(zip(_VALUES, values, strict=True)))
            if refusal:
                self.refuse(out, line, refusal)
                return
            past = self._past[sensor]
        if self.clocks is not None:
            if (by_ours_ns := self.clocks.ours(sensor, t_ns)) is None:
                self.refuse(out, line, Refusal("clock", self.clocks.reason(sensor, t_ns), None, sensor))
                return
            t_ns = by_ours_ns
        azimuth_rad = azimuth_deg * _TO_RAD if 0.0 <= azimuth_deg < 360.0 else _wrapped_rad(azimuth_deg)
        elevation_rad = elevation_deg * _TO_RAD
        plot = Plot(
            t_ns=t_ns,
            plot_id=self._next_id,
            sensor=sensor,
            range_m=range_m,
            azimuth_rad=azimuth_rad,
            elevation_rad=elevation_rad,
            range_rate_m_s=range_rate_m_s,
            snr_db=snr_db,
            range_m_std=range_std_m,
            azimuth_rad_std=None if azimuth_std_deg is None else azimuth_std_deg * _TO_RAD,
            elevation_rad_std=None if elevation_std_deg is None else elevation_std_deg * _TO_RAD,
            line=line,
        )
        # The next plot of the dwell that is being read needs no second look at the order of time.
        if t_ns == past.t_ns == self._newest_ns and not self._held:
            key = (range_m, azimuth_rad, elevation_rad)
            if key not in past.seen:
                past.seen.add(key)
                self._next_id += 1
                out.append(plot)
                return
        self._offer(out, plot)

    def columns(self, reach_m: NDArray[np.float64], values: Sequence[NDArray[np.float64]]) -> "Columns":
        """Return the values of many plots, for `take_many`: arrays in the order of `take`, degrees, NaN for none.

        `reach_m` is the reach of each plot's sensor.
        """
        limits: tuple[tuple[Any, Any], ...] = (
            (1e-300, reach_m), (0.0, 359.999_999_999), (-90.0, 90.0),
            (-RANGE_RATE_M_S_MAX, RANGE_RATE_M_S_MAX), (-1e300, 1e300),
            (1e-300, STD_MAX), (1e-300, 360.0), (1e-300, 360.0),
        )  # fmt: skip
        good = np.ones(len(reach_m), dtype=bool)
        lists: list[list[Any] | None] = []
        for place, (column, (low, high)) in enumerate(zip(values, limits, strict=True)):
            lacks = np.isnan(column) if place >= _NEEDED else None
            if lacks is not None and lacks.all():
                lists.append(None)
                continue
            inside = (column >= low) & (column <= high)
            good &= inside if lacks is None else inside | lacks
            lists.append(_optional(column * _TO_RAD if place in _ANGLES else column, lacks))
        return Columns(values, lists, good)

    def take_many(
        self, out: list[Message], line: int, t_ns: int, sensor: str, columns: "Columns", begin: int, end: int
    ) -> None:
        """Judge the plots `begin` to `end` of `columns`, of one sensor at one time, as `take` would one by one.

        The first stood on `line`.  Where nothing is odd about any of them they are made all at once.
        """
        if end - begin >= _MANY_LEAST and columns.good[begin:end].all():
            self.take(out, line, t_ns, sensor, *columns.row(begin))
            begin, line = begin + 1, line + 1
            past, newest_ns = self._past[sensor], self._newest_ns
            by_ours_ns = t_ns if self.clocks is None else self.clocks.ours(sensor, t_ns)
            in_order = by_ours_ns is not None and newest_ns is not None and by_ours_ns >= newest_ns - LAG_NS
            seen = None if by_ours_ns is None else past.open_at(by_ours_ns)
            if by_ours_ns is not None and seen is not None and in_order and not self._held:
                made = columns.plots(self._next_id, line, by_ours_ns, sensor, begin, end)
                keys = {(plot.range_m, plot.azimuth_rad, plot.elevation_rad) for plot in made}
                if len(keys) == len(made) and seen.isdisjoint(keys):
                    seen |= keys
                    self._next_id += len(made)
                    out += made
                    return
        for place in range(begin, end):
            self.take(out, line + place - begin, t_ns, sensor, *columns.row(place))

    def refuse(self, out: list[Message], line: int, refusal: Refusal) -> None:
        """Append the rejection of a line.  Before the first plot it waits, to be told with that plot's time."""
        if self._newest_ns is None:
            self._early.append((line, refusal))
            if len(self._early) > _EARLY_MAX:
                self._tell_early(out)
        else:
            out.append(self._rejected(line, refusal))

    def finish(self, out: list[Message]) -> None:
        """Append what was held back and now will not be borne out any more: the input is at its end."""
        if self._newest_ns is None and self._held:
            self._start(out)
        held, self._held = self._held, []
        for plot in held:
            self._refuse_jump(out, plot, "and no later plot bears that out")
        self._tell_early(out)

    # ---- the order of time ----

    def _offer(self, out: list[Message], plot: Plot) -> None:
        """Accept, reject or hold back a plot whose values are in order."""
        t_ns, newest_ns = plot.t_ns, self._newest_ns
        if newest_ns is None:
            self._held.append(plot)
            if len(self._held) >= _START_PLOTS:
                self._start(out)
            return
        if t_ns > newest_ns + self._ahead_ns:
            self._hold(out, plot)
            return
        past = self._past[plot.sensor]
        key = (plot.range_m, plot.azimuth_rad, plot.elevation_rad)
        if t_ns > past.t_ns and t_ns >= newest_ns - LAG_NS:
            if past.seen:
                past.earlier.append((past.t_ns, past.seen))
                while past.earlier[0][0] < t_ns - LAG_NS:
                    past.earlier.popleft()
                    if not past.earlier:
                        break
            past.t_ns = t_ns
            past.seen = {key}
        elif t_ns == past.t_ns and key not in past.seen and t_ns >= newest_ns - LAG_NS:
            past.seen.add(key)
        elif not (t_ns >= newest_ns - LAG_NS and past.take_older(t_ns, key)):
            self.refuse(out, plot.line or 0, _judge_order(plot, key, past, newest_ns))
            return
        if plot.plot_id != self._next_id:  # it was held back
            plot = msgspec.structs.replace(plot, plot_id=self._next_id)
        self._next_id += 1
        if t_ns > newest_ns:
            self._newest_ns = t_ns
        out.append(plot)
        if self._held and t_ns == past.t_ns:  # a scan that was overtaken refutes nothing
            self._refute(out, t_ns)

    def _start(self, out: list[Message]) -> None:
        """Settle the first time: that of the plots which most others of the first few are near to."""
        held, self._held = self._held, []
        groups = [[b.t_ns for b in held if abs(b.t_ns - a.t_ns) <= self._ahead_ns] for a in held]
        agreed: list[int] = max(groups, key=len)
        self._newest_ns = min(agreed)
        self._tell_early(out)
        for plot in held:
            self._offer(out, plot)

    def _hold(self, out: list[Message], plot: Plot) -> None:
        """Hold back a plot far ahead; let all through that it and those before it bear out."""
        assert self._newest_ns is not None
        if any(_same(plot, other) for other in self._held):
            refusal = Refusal("duplicate", "the same plot came just before", plot.t_ns, plot.sensor)
            self.refuse(out, plot.line or 0, refusal)
            return
        waiting, self._held = self._held, []
        for other in waiting:
            if other.t_ns > plot.t_ns + self._ahead_ns:
                self._refuse_jump(out, other, "and the plots after it are not")
            else:
                self._held.append(other)
        self._held.append(plot)
        first_ns = min(other.t_ns for other in self._held)
        group = [other for other in self._held if other.t_ns <= first_ns + self._ahead_ns]
        jump_ns = first_ns - self._newest_ns
        wanted = next((count for limit_ns, count in _WITNESSES if jump_ns <= limit_ns), HELD_MAX)
        # One dwell of a radar whose clock is wrong has many plots, but a single time.
        alone = jump_ns > _WITNESSES[0][0] and len({other.t_ns for other in group}) == 1
        if len(group) >= wanted and not alone:
            released, self._held = self._held, []
            self._newest_ns = first_ns
            for other in released:
                self._offer(out, other)
        elif len(self._held) >= HELD_MAX:
            self._pass_oldest(out, group)

    def _pass_oldest(self, out: list[Message], group: Sequence[Plot]) -> None:
        """Bound what is held: sparse plots, each far from the one before, but time only ever goes on.

        If all are of one time, the oldest is given up instead.
        """
        if len(group) == len(self._held):
            self._refuse_jump(out, self._held.pop(0), "and only plots of that very time bear it out")
            return
        held, self._held = self._held, []
        self._newest_ns = min(other.t_ns for other in group)
        for plot in group:
            self._offer(out, plot)
        self._held = [plot for plot in held if plot not in group]

    def _refute(self, out: list[Message], t_ns: int) -> None:
        """Reject the held plots that a plot accepted after them, at `t_ns`, shows to be ahead of time."""
        held, self._held = self._held, []
        for plot in held:
            if plot.t_ns > t_ns + self._ahead_ns:
                self._refuse_jump(out, plot, "and the plots after it are not")
            else:
                self._offer(out, plot)

    # ---- rejections ----

    def _refuse_jump(self, out: list[Message], plot: Plot, why: str) -> None:
        ahead_s = (plot.t_ns - (self._newest_ns or 0)) / 1e9
        reason = f"its time, {rfc3339(plot.t_ns)}, is {ahead_s:.3f} s ahead of the newest plot, {why}"
        self.refuse(out, plot.line or 0, Refusal("time_jump", reason, None, plot.sensor))

    def _rejected(self, line: int, refusal: Refusal) -> Rejected:
        """Return the message; its time is the line's own if that is credible, else that of the newest plot."""
        newest_ns, t_ns = self._newest_ns, refusal.t_ns
        if newest_ns is None:
            t_ns = t_ns if t_ns is not None and T_NS_MIN <= t_ns < T_NS_MAX else 0
        elif t_ns is None or abs(t_ns - newest_ns) > LAG_NS:
            t_ns = newest_ns
        return Rejected(t_ns=t_ns, reason=refusal.reason, code=refusal.code, line=line, sensor=refusal.sensor)

    def _tell_early(self, out: list[Message]) -> None:
        early, self._early = self._early, []
        out.extend(self._rejected(line, refusal) for line, refusal in early)


@dataclass(frozen=True, slots=True)
class Columns:
    """The values of many plots.  `good`: those that `take` would find nothing wrong with."""

    values: Sequence[NDArray[np.float64]]  # in the order of `take`, degrees, NaN for none
    lists: Sequence[list[Any] | None]  # the same in radians, None for none; None for a column that no plot has
    good: NDArray[np.bool_]

    def row(self, place: int) -> list[Any]:
        """Return the values of one plot, as `take` wants them."""
        row: list[Any] = [float(column[place]) for column in self.values]
        return row[:_NEEDED] + [None if math.isnan(value) else value for value in row[_NEEDED:]]

    def plots(self, plot_id: int, line: int, t_ns: int, sensor: str, begin: int, end: int) -> list[Plot]:
        """Return the plots `begin` to `end`, numbered from `plot_id`, their lines from `line`."""
        ranges, azimuths, elevations, rates, snrs, range_stds, azimuth_stds, elevation_stds = (
            repeat(None, end - begin) if one is None else one[begin:end] for one in self.lists
        )
        return [
            Plot(
                t_ns=t_ns, plot_id=number, sensor=sensor, range_m=range_m, azimuth_rad=azimuth, elevation_rad=elevation,
                range_rate_m_s=rate, snr_db=snr, range_m_std=range_std, azimuth_rad_std=azimuth_std,
                elevation_rad_std=elevation_std, line=at,
            )
            for number, at, range_m, azimuth, elevation, rate, snr, range_std, azimuth_std, elevation_std in zip(
                range(plot_id, plot_id + end - begin), range(line, line + end - begin), ranges, azimuths, elevations,
                rates, snrs, range_stds, azimuth_stds, elevation_stds, strict=True,
            )
        ]  # fmt: skip


def _optional(column: NDArray[np.float64], lacks: NDArray[np.bool_] | None) -> list[Any]:
    """Return the numbers of a column, None where it lacks one."""
    if lacks is None or not lacks.any():
        return list(column.tolist())
    mixed = column.astype(object)
    mixed[lacks] = None
    return list(mixed.tolist())


def _judge_values(
    reach_m: Mapping[str, float], t_ns: int, sensor: str, values: Mapping[str, float | None]
) -> Refusal | None:
    """Return what is wrong with the values of a plot, by the names they have in files; None if nothing is."""
    known = sensor in reach_m
    where = sensor if known else ""
    for name, value in values.items():
        if value is not None and not math.isfinite(value):
            code, words = ("nan", "not a number (NaN)") if math.isnan(value) else ("infinite", "infinite")
            return Refusal(code, f"{name} is {words}", t_ns, where)
    if not T_NS_MIN <= t_ns < T_NS_MAX:
        return Refusal("time", "its time is before 1970 or after 2199", None, where)
    if not known:
        names = ", ".join(ascii(name) for name in list(reach_m)[:_NAMES_SHOWN])
        more = ", …" if len(reach_m) > _NAMES_SHOWN else ""
        return Refusal("unknown_sensor", f"the site has no sensor {sensor[:60]!a}; it has {names}{more}", t_ns)
    limits = {
        "range_m": (0.0, reach_m[sensor], f"must be > 0 and <= {reach_m[sensor]:g}, the reach of sensor {sensor}"),
        "azimuth_deg": (-360.0, 720.0, "must be within -360 to 720"),
        "elevation_deg": (-90.0, 90.0, "must be within ±90"),
        "range_rate_m_s": (-RANGE_RATE_M_S_MAX, RANGE_RATE_M_S_MAX, f"must be within ±{RANGE_RATE_M_S_MAX:g}"),
        "range_std_m": (0.0, STD_MAX, f"must be > 0 and <= {STD_MAX:g}"),
        "azimuth_std_deg": (0.0, 360.0, "must be > 0 and <= 360"),
        "elevation_std_deg": (0.0, 360.0, "must be > 0 and <= 360"),
    }
    for name, (low, high, words) in limits.items():
        value = values[name]
        if value is not None and not (low <= value <= high and (value > 0.0 or low < 0.0)):
            return Refusal("range", f"{name} is {value:g}: {words}", t_ns, where)
    return None


def _judge_order(plot: Plot, key: Key, past: Past, newest_ns: int) -> Refusal:
    """Return why the plot comes too late: seen already, its sensor's time runs back, or too far behind all."""
    seen = past.seen if plot.t_ns == past.t_ns else next((s for t, s in past.earlier if t == plot.t_ns), set())
    if key in seen:
        return Refusal("duplicate", f"sensor {plot.sensor} gave the same plot before", plot.t_ns, plot.sensor)
    if plot.t_ns < past.t_ns - past.back_ns:
        behind_ns = past.t_ns - plot.t_ns
        reason = f"its time is {behind_ns / 1e9:.6f} s behind an earlier plot of the same sensor, {plot.sensor}"
        if past.back_ns:
            reason += f", whose out_of_order_s is {past.back_ns / 1e9:g}"
        elif behind_ns <= LAG_NS:
            most = f"(at most {LAG_NS / 1e9:g})"
            reason += f"; where its scans overtake one another, give it out_of_order_s {most} in the site file"
        return Refusal("time_back", reason, plot.t_ns, plot.sensor)
    behind_s = (newest_ns - plot.t_ns) / 1e9
    reason = f"its time is {behind_s:.3f} s behind the newest plot; {LAG_NS / 1e9:g} s is the most that is waited for"
    return Refusal("late", reason, plot.t_ns, plot.sensor)


def _same(a: Plot, b: Plot) -> bool:
    return (a.t_ns, a.sensor, a.range_m, a.azimuth_rad, a.elevation_rad) == (
        b.t_ns,
        b.sensor,
        b.range_m,
        b.azimuth_rad,
        b.elevation_rad,
    )


def _wrapped_rad(azimuth_deg: float) -> float:
    """Return an azimuth of -360 to 720 degrees in [0, 2π)."""
    # A tiny negative angle wraps to 360 itself, which is 0.
    return (azimuth_deg % 360.0) % 360.0 * _TO_RAD
