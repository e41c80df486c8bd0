"""How long people need from hearing an alarm to being inside."""

import functools
import math

GROUPS = 10  # of equally many people
_LOG_STD = 0.35  # generic: the slowest tenth of a block takes about two and a half times as long as the fastest
_LOG_90 = 1.2816 * _LOG_STD

# Standard normal quantiles at 5, 15, … 95 %.
_NORMAL = (-1.6449, -1.0364, -0.6745, -0.3853, -0.1257, 0.1257, 0.3853, 0.6745, 1.0364, 1.6449)


@functools.lru_cache(maxsize=65536)
def usual_shelter_times_s(shelter_time_s: float) -> tuple[float, ...]:
    """Return the seconds that each tenth of the people needs, of whom nine in ten need `shelter_time_s` or less."""
    return tuple(shelter_time_s * math.exp(_LOG_STD * z - _LOG_90) for z in _NORMAL)
