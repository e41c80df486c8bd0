"""What the gate remembers of one sensor: the plots that it took, by their times, to know one that comes again."""

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field
from operator import itemgetter

Key = tuple[float, float, float]


@dataclass(slots=True)
class Past:
    """What one sensor has given: the plots at its newest time, and those of the two seconds before."""

    reach_m: float
    back_ns: int = 0  # how much older than its newest time a plot may be
    t_ns: int = -1
    seen: set[Key] = field(default_factory=set)
    earlier: deque[tuple[int, set[Key]]] = field(default_factory=deque)  # in the order of time

    def open_at(self, t_ns: int) -> set[Key] | None:
        """Return the plots of a time to which more may come; None where there is none, or it is too old."""
        if t_ns == self.t_ns:
            return self.seen
        if not self.t_ns - self.back_ns <= t_ns < self.t_ns:
            return None
        place = bisect_left(self.earlier, t_ns, key=itemgetter(0))
        found = self.earlier[place] if place < len(self.earlier) else (-1, None)
        return found[1] if found[0] == t_ns else None

    def take_older(self, t_ns: int, key: Key) -> bool:
        """Take a plot of a scan that newer ones have overtaken; return False if it is too old or was seen."""
        if not self.t_ns - self.back_ns <= t_ns < self.t_ns:
            return False
        seen = self.open_at(t_ns)
        if seen is None:
            self.earlier.insert(bisect_left(self.earlier, t_ns, key=itemgetter(0)), (t_ns, {key}))
        elif key in seen:
            return False
        else:
            seen.add(key)
        return True
