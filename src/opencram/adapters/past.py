"""What the gate remembers of one sensor: the plots that it took, by their times, to know one that comes again."""

from collections import deque
from dataclasses import dataclass, field

Key = tuple[float, float, float]


@dataclass(slots=True)
class Past:
    """What one sensor has given: the plots at its newest time, and those of the two seconds before."""

    reach_m: float
    t_ns: int = -1
    seen: set[Key] = field(default_factory=set)
    earlier: deque[tuple[int, set[Key]]] = field(default_factory=deque)
