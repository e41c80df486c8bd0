"""Is a sensor silent, late, or lying?  Seen from the arrival of its plots, within two of its periods.

- silent: nothing for two periods; of a sensor whose scans are often empty, for twice its usual gap; of one that
  has not been heard yet, for as long as it may take to start;
- late: every plot of the last period came more than so long after its time;
- ahead: every plot of the last period came before its time: one of the clocks is wrong;
- jumped: its clock is more than a minute from ours, and its plots are taken at our time;
- refused: more than half of what it gave in the last ten periods was no plot;
- drifting: its clock gains or loses against the receiver's.
"""

from collections import Counter, deque
from collections.abc import Collection
from statistics import median
from typing import Final, Literal

from opencram.messages import Health

WINDOW_NS: Final = 10 * 10**9
WINDOW_PLOTS_MAX: Final = 200_000
DRIFT_PPM_MAX: Final = 500.0  # half a millisecond a second: after an hour, two seconds
DRIFT_WINDOWS: Final = 6  # of ten seconds each, before a drift is told
REFUSED_LEAST: Final = 8  # inputs on which a share of refusals is judged
_GAPS: Final = 64
_INPUTS_MAX: Final = 10_000
_GAPS_LEAST: Final = 5
# Refusals that say nothing about the sensor's honesty.
_HARMLESS: Final = ("duplicate", "twin", "category", "wrapper", "trailer", "not_plot", "test_target")


class Window:
    """Arrivals of the last ten seconds: rate, delays, and the drift of the sensor's clock."""

    def __init__(self) -> None:
        self._arrivals: deque[tuple[int, int]] = deque()  # when, and how many plots
        self._plots = 0  # in all of them
        self._delays: deque[tuple[int, float]] = deque(maxlen=WINDOW_PLOTS_MAX)
        self._least: deque[tuple[int, float]] = deque(maxlen=60)  # least delay of each window

    def plots(self, count: int, clock_ns: int) -> None:
        """Take the arrival of plots that came together."""
        self._arrivals.append((clock_ns, count))
        self._plots += count
        if len(self._arrivals) > WINDOW_PLOTS_MAX:
            self._plots -= self._arrivals.popleft()[1]

    def delay(self, t_ns: int, clock_ns: int) -> None:
        """Take the time and the arrival of a sensor's newest plot."""
        delay_s = (clock_ns - t_ns) * 1e-9
        self._delays.append((clock_ns, delay_s))
        if not self._least or clock_ns - self._least[-1][0] >= WINDOW_NS:
            self._least.append((clock_ns, delay_s))
        elif delay_s < self._least[-1][1]:
            self._least[-1] = (self._least[-1][0], delay_s)

    def forget(self, clock_ns: int) -> None:
        """Drop what is older than the window."""
        while self._arrivals and clock_ns - self._arrivals[0][0] > WINDOW_NS:
            self._plots -= self._arrivals.popleft()[1]
        while self._delays and clock_ns - self._delays[0][0] > WINDOW_NS:
            self._delays.popleft()

    @property
    def rate_per_s(self) -> float:
        """Plots a second."""
        return self._plots / (WINDOW_NS * 1e-9)

    @property
    def delay_s(self) -> float | None:
        """Median delay."""
        return median(delay for _, delay in self._delays) if self._delays else None

    @property
    def delay_s_max(self) -> float | None:
        """Longest delay."""
        return max((delay for _, delay in self._delays), default=None)

    @property
    def drift_ppm(self) -> float | None:
        """Slope of the least delay of each window: queues only ever add, so the least shows the clock."""
        if len(self._least) <= DRIFT_WINDOWS:
            return None
        points = [(t * 1e-9, delay) for t, delay in self._least][:-1]
        mean_t = sum(t for t, _ in points) / len(points)
        mean_d = sum(d for _, d in points) / len(points)
        spread = sum((t - mean_t) ** 2 for t, _ in points)
        return 1e6 * sum((t - mean_t) * (d - mean_d) for t, d in points) / spread if spread > 0.0 else None


class _Extremes:
    """Least and greatest of the values of the last so many nanoseconds, each kept only while it may be one of them."""

    def __init__(self, span_ns: int) -> None:
        self._span_ns = span_ns
        self._least: deque[tuple[int, float]] = deque()
        self._greatest: deque[tuple[int, float]] = deque()

    def take(self, value: float, clock_ns: int) -> None:
        """Take a value."""
        while self._least and self._least[-1][1] >= value:
            self._least.pop()
        while self._greatest and self._greatest[-1][1] <= value:
            self._greatest.pop()
        self._least.append((clock_ns, value))
        self._greatest.append((clock_ns, value))

    def at(self, clock_ns: int) -> tuple[float, float] | None:
        """Return the least and the greatest, or None if there has been no value."""
        for kept in (self._least, self._greatest):
            while kept and clock_ns - kept[0][0] > self._span_ns:
                kept.popleft()
        return (self._least[0][1], self._greatest[0][1]) if self._least else None


class _Inputs:
    """What came in the last so many nanoseconds: how much of it was refused, and as what."""

    def __init__(self, span_ns: int) -> None:
        self._span_ns = span_ns
        self._came: deque[tuple[int, str, int]] = deque()  # when, the code of a refusal or "", how many
        self.codes: Counter[str] = Counter()  # "": plots

    def take(self, code: str, count: int, clock_ns: int) -> None:
        """Take so many plots (no code) or refusals."""
        self._came.append((clock_ns, code, count))
        self.codes[code] += count
        if len(self._came) > _INPUTS_MAX:
            self._drop()

    def forget(self, clock_ns: int) -> None:
        """Drop what is older."""
        while self._came and clock_ns - self._came[0][0] > self._span_ns:
            self._drop()

    def _drop(self) -> None:
        _, code, count = self._came.popleft()
        self.codes[code] -= count


class SensorWatch:
    """Follows one sensor; `judge` tells of a change of its health."""

    def __init__(
        self, sensor: str, period_s: float, late_s_max: float, ahead_s_max: float, start_s: float = 0.0
    ) -> None:
        self._start_ns = round(start_s * 1e9)
        self._part = f"sensor:{sensor}"
        self._period_ns = max(round(period_s * 1e9), 1)
        self._late_s_max = late_s_max
        self._ahead_s_max = ahead_s_max
        self._heard_ns: int | None = None
        self._alive_t_ns = 0
        self._newest_t_ns = 0
        self._since_ns: int | None = None
        self._gaps: deque[int] = deque(maxlen=_GAPS)
        self._silent_ns = 2 * self._period_ns
        self._delays = _Extremes(self._period_ns)
        self._inputs = _Inputs(10 * self._period_ns)
        self._told: tuple[str, str] = ("ok", "")
        self.offset_s: float | None = None  # what is added to its times, if its clock has jumped

    def plots(self, count: int, clock_ns: int) -> None:
        """Take plots that came together."""
        self._hear(clock_ns)
        self._inputs.take("", count, clock_ns)

    def delay(self, t_ns: int, clock_ns: int) -> None:
        """Take the time and the arrival of the newest plot among those that came together.

        A scan that was overtaken on its way says nothing of how late the sensor is: a newer one has come sooner.
        """
        if t_ns < self._newest_t_ns:
            return
        self._newest_t_ns = t_ns
        self._delays.take((clock_ns - t_ns) * 1e-9, clock_ns)

    def bytes_came(self, clock_ns: int) -> None:
        """Take that its feed gave something that is not a plot yet."""
        self._hear(clock_ns)

    def rejected(self, code: str, clock_ns: int) -> None:
        """Take a rejection; it shows at least that the sensor speaks."""
        self._hear(clock_ns)
        self._inputs.take("" if code in _HARMLESS else code, 1, clock_ns)

    def alive(self, t_ns: int, clock_ns: int) -> None:
        """Take a sign of life, which may be one that was seen before."""
        if t_ns != self._alive_t_ns:
            self._alive_t_ns = t_ns
            self._hear(clock_ns)

    def clock_was_set(self, by_ns: int) -> None:
        """Our own clock was set: no sensor has been silent for that, and none is late."""
        self._heard_ns = self._heard_ns and self._heard_ns + by_ns
        self._since_ns = self._since_ns and self._since_ns + by_ns
        self._newest_t_ns = 0
        self._delays = _Extremes(self._period_ns)
        self._inputs = _Inputs(10 * self._period_ns)

    def _hear(self, clock_ns: int) -> None:
        if self._heard_ns is not None:
            gap = clock_ns - self._heard_ns
            # Plots of one dwell come together; only the gaps between dwells tell of silence.
            if gap > self._period_ns // 4:
                self._gaps.append(gap)
                self._silent_ns = 2 * max(self._period_ns, _usual(self._gaps))
        self._heard_ns = clock_ns

    @property
    def silent_ns(self) -> int:
        """How long it may be silent: two periods, or twice the gap that all but a twentieth of its gaps keep."""
        return self._silent_ns

    def judge(self, clock_ns: int, drift_ppm: float | None) -> Health | None:
        """Return the sensor's health if its state, or the kind of its fault, has changed."""
        if self._since_ns is None:
            self._since_ns = clock_ns
        kind, state, words = self._state(clock_ns, drift_ppm)
        if (state, kind) == self._told:
            return None
        self._told = (state, kind)
        return Health(t_ns=clock_ns, part=self._part, state=state, reason=words)

    def _state(self, clock_ns: int, drift_ppm: float | None) -> tuple[str, Literal["ok", "degraded", "lost"], str]:
        fault = self._silence(clock_ns)
        if fault:
            return "silent", "lost", fault
        kind, fault = self._jumped()
        if not kind:
            kind, fault = self._wrong_time(clock_ns)
        if not kind:
            kind, fault = "refused", self._refused(clock_ns)
        if not fault and drift_ppm is not None and abs(drift_ppm) > DRIFT_PPM_MAX:
            way = "loses" if drift_ppm > 0.0 else "gains"
            kind, fault = "drift", f"its clock {way} {abs(drift_ppm):.0f} millionths against ours"
        return (kind, "degraded", fault) if fault else ("", "ok", "plots come as they should")

    def _silence(self, clock_ns: int) -> str:
        heard_ns = self._heard_ns if self._heard_ns is not None else self._since_ns
        assert heard_ns is not None
        gap_ns = clock_ns - heard_ns
        # A radar that is being started, or a site that is, is not lost yet: the first word may take a while.
        if gap_ns <= (self.silent_ns if self._heard_ns is not None else max(self.silent_ns, self._start_ns)):
            return ""
        never = "it has not been heard at all" if self._heard_ns is None else "nothing has come from it"
        return f"{never} for {gap_ns * 1e-9:.2f} s; something is due every {self._period_ns * 1e-9:g} s"

    def _jumped(self) -> tuple[str, str]:
        if self.offset_s is None:
            return "", ""
        way = "behind" if self.offset_s > 0.0 else "ahead of"
        words = f"its clock is {abs(self.offset_s):.1f} s {way} ours; its plots are taken at our time: set it right"
        return f"clock {self.offset_s:.0f}", words

    def _wrong_time(self, clock_ns: int) -> tuple[str, str]:
        delays = self._delays.at(clock_ns)
        if delays is None:
            kind = self._told[1]
            return (
                (kind, "its plots had wrong times, and none has come since") if kind in ("late", "ahead") else ("", "")
            )
        least, greatest = delays
        if least > self._late_s_max:
            return "late", f"its plots come {least:.2f} s after their time"
        if greatest < -self._ahead_s_max:
            return "ahead", f"its clock is {-greatest:.2f} s ahead of ours, or ours is behind"
        return "", ""

    def _refused(self, clock_ns: int) -> str:
        self._inputs.forget(clock_ns)
        codes = self._inputs.codes
        plots, total = codes[""], codes.total()
        count = total - plots
        if total < REFUSED_LEAST or 2 * count <= total:
            return ""
        worst, times = next((code, times) for code, times in codes.most_common(2) if code)
        return f"{count} of its last {total} plots were refused, {times} of them as {worst}"


def _usual(gaps: Collection[int]) -> int:
    """Return the gap that all but a twentieth of the gaps keep; 0 while there are too few to tell."""
    return sorted(gaps)[len(gaps) * 19 // 20] if len(gaps) >= _GAPS_LEAST else 0
