"""Numbers and times as a reader wants them: UTC to a tenth of a second, metres and kilometres, percent.

What is not finite is written as a dash.  Digits are Latin in every language, as track numbers are.
"""

import math
import re
from datetime import UTC, datetime

DASH = "–"
_THIN = "\N{NARROW NO-BREAK SPACE}"
_NBSP = "\N{NO-BREAK SPACE}"
_MEASURED = re.compile(rf"(?:(?:[<>]|&[lg]t;){_NBSP})?[−±]?\d[\d.{_THIN}]*{_NBSP}(?:s|m|km|%)|(?<=[ (>])[+−]\d[\d.]*")


def clock(t_ns: int | None) -> str:
    """Return UTC as hh:mm:ss.s, rounded to the nearest tenth."""
    if t_ns is None:
        return DASH
    tenths = (t_ns + 50_000_000) // 100_000_000
    seconds, tenth = divmod(tenths % 864_000, 10)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{tenth}"


def day(t_ns: int) -> str:
    """Return the UTC date as year-month-day; a dash outside the years that a calendar knows."""
    try:
        return datetime.fromtimestamp(t_ns // 1_000_000_000, tz=UTC).strftime("%Y-%m-%d")
    except (ValueError, OverflowError, OSError):
        return DASH


def count(value: float | None) -> str:
    """Return a whole number in groups of three."""
    if value is None or not math.isfinite(value):
        return DASH
    return f"{round(value):,}".replace(",", _THIN).replace("-", "−")


def seconds(value: float | None) -> str:
    """Return seconds to a tenth."""
    if value is None or not math.isfinite(value):
        return DASH
    return f"{value:.1f}{_NBSP}s".replace("-", "−")


def metres(value: float | None) -> str:
    """Return a length: to a tenth below 10 m, to a metre below 1 km, else kilometres."""
    if value is None or not math.isfinite(value):
        return DASH
    if abs(value) < 9.95:
        return f"{value:.1f}{_NBSP}m".replace("-", "−")
    if abs(value) < 999.5:
        return f"{value:.0f}{_NBSP}m".replace("-", "−")
    return f"{value / 1000.0:.1f}{_NBSP}km".replace("-", "−")


def percent(probability: float | None) -> str:
    """Return a probability in percent; never 0 or 100 unless it is exactly so."""
    if probability is None or not math.isfinite(probability):
        return DASH
    value = 100.0 * probability
    if 0.0 < value < 0.1:
        return f"<{_NBSP}0.1{_NBSP}%"
    if 99.9 < value < 100.0:
        return f">{_NBSP}99.9{_NBSP}%"
    return f"{value:.1f}{_NBSP}%" if 0.0 < value < 100.0 else f"{value:.0f}{_NBSP}%"


def median(values: list[float]) -> float:
    """Return the median of a list that is not empty."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else 0.5 * (ordered[half - 1] + ordered[half])


def wilson_95(successes: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share.  Source: E. B. Wilson, J. Amer. Statist. Assoc. 22, 1927."""
    if n == 0:
        return 0.0, 1.0
    z = 1.959963984540054
    share = successes / n
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1.0 - share) / n + z * z / (4 * n * n))
    scale = 1.0 + z * z / n
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def isolated(text: str) -> str:
    """Return a text that runs from right to left with its numbers kept whole: sign before, unit behind."""
    return _MEASURED.sub(lambda found: f"\N{LEFT-TO-RIGHT ISOLATE}{found[0]}\N{POP DIRECTIONAL ISOLATE}", text)
