"""Times of day get their date.

ASTERIX gives seconds since midnight UTC in steps of 1/128 s.  The day is that which brings the time nearest
to a reference: the clock of the receiver, the time of a captured packet, or the newest plot before.  So a
record from before midnight that comes after it keeps its day, and a single wrong time turns no calendar.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from opencram.adapters.times import DAY_NS

TICKS_PER_S: Final = 128
TICKS_PER_DAY: Final = 86_400 * TICKS_PER_S
TICK_NS: Final = 10**9 // TICKS_PER_S  # 7 812 500, exactly

Ints = NDArray[np.int64]


def t_ns_near(ticks: Ints, reference_t_ns: int) -> Ints:
    """Return the times of these times of day, each within half a day of the reference."""
    t_ns = ticks * TICK_NS
    half = DAY_NS // 2
    return t_ns + DAY_NS * ((reference_t_ns - t_ns + half) // DAY_NS)


def ticks_of(t_ns: int) -> int:
    """Return the time of day nearest to a time; just before midnight that is 0, of the next day."""
    return (t_ns % DAY_NS + TICK_NS // 2) // TICK_NS % TICKS_PER_DAY
