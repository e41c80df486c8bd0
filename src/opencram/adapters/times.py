"""RFC 3339 and integer nanoseconds since 1970, quickly, since every plot and every event has a time.

UTC without leap seconds, as every recorder and operating system counts: second 60 is the next second 0.
"""

import functools
import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

T_NS_MIN: Final = 0  # 1970
T_NS_MAX: Final = 7_258_118_400_000_000_000  # 2200
DAY_NS: Final = 86_400 * 10**9

_EPOCH_DATE: Final = date(1970, 1, 1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)", re.ASCII)
_REST = re.compile(r"(?:\.(\d+))?([Zz]|([+-])(\d\d):(\d\d))", re.ASCII)
# What turns a fraction of so many digits into nanoseconds.
_SCALE: Final[tuple[int, ...]] = tuple(10 ** (9 - digits) for digits in range(10))


def t_ns_from_rfc3339(text: str) -> int:
    """Return the time in nanoseconds; digits beyond nanoseconds are cut off.

    An offset ("+03:00") is taken into account; a time without `Z` or offset is refused: nobody knows
    whose it is.  Raises ValueError with a reason that a person understands.
    """
    # The common form, "2026-01-01T00:00:07.300000Z", without a regular expression.
    if text[19:20] == "." and text[-1:] == "Z":
        digits = text[20:-1]
        if 0 < len(digits) <= 9 and digits.isdigit() and digits.isascii():
            return _second_ns(text[:19]) + int(digits) * _SCALE[len(digits)]
    second_ns = _second_ns(text[:19])
    rest = _REST.fullmatch(text, 19)
    if rest is None:
        raise ValueError("it has no Z or offset at its end" if text[19:].strip(".0123456789") == "" else _NOT_RFC3339)
    fraction = (rest[1] or "")[:9]
    t_ns = second_ns + (int(fraction) * _SCALE[len(fraction)] if fraction else 0)
    if rest[3]:
        hours, minutes = int(rest[4]), int(rest[5])
        if hours > 23 or minutes > 59:
            raise ValueError("its offset is not one of any place")
        offset_ns = (hours * 60 + minutes) * 60 * 10**9
        t_ns += -offset_ns if rest[3] == "+" else offset_ns
    return t_ns


@functools.lru_cache(maxsize=256)  # many events have the time of the same dwell
def rfc3339(t_ns: int) -> str:
    """Return the time as in "2026-01-01T00:00:07.300000Z"; parts of a microsecond are cut off.

    Beyond the years 1 to 9999 the nearest time within is returned.
    """
    second, rest_ns = divmod(t_ns, 10**9)
    return f"{_second_text(second)}.{rest_ns // 1000:06d}Z"


def day_ns(text: str) -> int:
    """Return the start of the day "2026-01-01" in nanoseconds; raises ValueError if it is none."""
    return (date.fromisoformat(text) - _EPOCH_DATE).days * DAY_NS


_NOT_RFC3339: Final = "it is not of the form 2026-01-01T00:00:07.300000Z"


# Plots and events come by the hundred within one second, so the last few seconds are remembered.
@functools.lru_cache(maxsize=256)
def _second_ns(text: str) -> int:
    found = _SECOND.fullmatch(text)
    if found is None:
        raise ValueError(_NOT_RFC3339)
    year, month, day, hour, minute, second = map(int, found.groups())
    if hour > 23 or minute > 59 or second > 60:
        raise ValueError("there is no such time of day")
    try:
        days = (date(year, month, day) - _EPOCH_DATE).days
    except ValueError as error:
        raise ValueError("there is no such day") from error
    return (days * 86_400 + hour * 3600 + minute * 60 + second) * 10**9


@functools.lru_cache(maxsize=256)
def _second_text(second: int) -> str:
    second = min(max(second, -62_135_596_800), 253_402_300_799)
    return (_EPOCH + timedelta(seconds=second)).replace(tzinfo=None).isoformat()
