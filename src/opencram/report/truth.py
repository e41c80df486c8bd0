"""What really happened, where it is known: the truth of a simulation or of a scoring file, read with care.

The file is laid out like that of a scored raid: `rounds`, each with `impact_enu_m` and times in RFC 3339;
optionally `origin`, for each line of the plot file the number of the round it came from (-1: clutter).
A round that was shot down may carry no impact.  What cannot be read is counted, never guessed.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from opencram.report.geometry import Point

FAR_M = 1500.0  # a predicted impact further from a true one belongs to another round
LATE_S = 8.0


@dataclass(frozen=True)
class TrueRound:
    """One round as it flew.  `number` counts from 1 in the order of the file."""

    number: int
    name: str
    impact: Point | None
    impact_t_ns: int | None
    intercepted: bool


@dataclass(frozen=True)
class Truth:
    """All rounds, and from which round each line of the plot file came (0: clutter or unknown)."""

    rounds: tuple[TrueRound, ...]
    round_of_line: Mapping[int, int]
    unreadable: int


def read_truth(truth: Mapping[str, Any]) -> Truth:
    """Return the truth of a scoring file."""
    rounds: list[TrueRound] = []
    unreadable = 0
    listed = truth.get("rounds")
    for number, entry in enumerate(listed if isinstance(listed, Sequence) else (), start=1):
        if not isinstance(entry, Mapping):
            unreadable += 1
            continue
        rounds.append(_round(number, entry))
    origin = truth.get("origin")
    origins = origin if isinstance(origin, Sequence) and not isinstance(origin, str) else ()
    lines = {line: index + 1 for line, index in enumerate(origins, start=1) if isinstance(index, int) and index >= 0}
    return Truth(tuple(rounds), lines, unreadable)


def match(
    truth: Truth, predicted: Mapping[int, tuple[Point, int]], lines_of_track: Mapping[int, Sequence[int]]
) -> dict[int, TrueRound]:
    """Return the round behind each track: by the plots it used, else by where and when it was to land.

    `predicted`: the last predicted impact of each track, place and time.  A round is given to one track
    only, the one that used most of its plots, or landed nearest.
    """
    by_number = {entry.number: entry for entry in truth.rounds}
    votes: list[tuple[float, int, int]] = []
    for track_id, lines in lines_of_track.items():
        counted = Counter(truth.round_of_line.get(line, 0) for line in lines)
        votes += [(-float(count), track_id, number) for number, count in counted.items() if number in by_number]
    if not votes:
        votes = [
            (distance, track_id, entry.number)
            for track_id, (place, t_ns) in predicted.items()
            for entry in truth.rounds
            if (distance := _apart(entry, place, t_ns)) < FAR_M
        ]
    matched: dict[int, TrueRound] = {}
    taken: set[int] = set()
    for _, track_id, number in sorted(votes):
        if track_id not in matched and number not in taken:
            matched[track_id] = by_number[number]
            taken.add(number)
    return matched


def time_ns(text: object) -> int | None:
    """Return the UTC time in ns of an RFC 3339 text, to the microsecond, or None."""
    if not isinstance(text, str):
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when
    return (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


def _round(number: int, entry: Mapping[str, Any]) -> TrueRound:
    place = entry.get("impact_enu_m")
    impact: Point | None = None
    if isinstance(place, Sequence) and len(place) >= 2 and all(_is_finite(value) for value in place[:2]):
        impact = float(place[0]), float(place[1])
    return TrueRound(
        number=number,
        name=str(entry.get("name", "")),
        impact=impact,
        impact_t_ns=time_ns(entry.get("impact_time")),
        intercepted=entry.get("intercepted") is True,
    )


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _apart(entry: TrueRound, place: Point, t_ns: int) -> float:
    """Return how far a prediction lies from a round in metres; infinite if the times forbid it."""
    if entry.impact is None:
        return math.inf
    if entry.impact_t_ns is not None and abs(entry.impact_t_ns - t_ns) > LATE_S * 1e9:
        return math.inf
    return math.dist(entry.impact, place)
