"""What really happened, where it is known: the truth of a simulation or of a scoring file, read with care.

The file is laid out like that of a scored raid: `rounds`, each with `impact_enu_m` and times in RFC 3339;
optionally `origin`, for each plot in order the round it came from, counted from 0 (-1: clutter).  A round
that was shot down may carry no impact, but then `intercept_time` and `unengaged_impact_enu_m`, where it
would have come down.  What cannot be read is counted, never guessed.
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
    """One round as it flew.  `number` counts from 1 in the order of the file.

    `impact` is where it came down, None if it was destroyed in the air; `undisturbed` is where it came
    down or would have, had nobody fired at it: what predictions are judged by.
    """

    number: int
    name: str
    impact: Point | None
    undisturbed: Point | None
    end_t_ns: int | None  # of the impact, or of the interception
    intercepted: bool

    @property
    def impact_t_ns(self) -> int | None:
        """When it came down, if it did."""
        return self.end_t_ns if self.impact is not None else None


@dataclass(frozen=True)
class Truth:
    """All rounds, and from which of them each plot of the file came, by its line."""

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
    impact = _place(entry.get("impact_enu_m"))
    intercepted = entry.get("intercepted") is True
    end = entry.get("impact_time") if impact is not None else entry.get("intercept_time")
    return TrueRound(
        number=number,
        name=str(entry.get("name", "")),
        impact=impact,
        undisturbed=_place(entry.get("unengaged_impact_enu_m")) or (None if intercepted else impact),
        end_t_ns=time_ns(end),
        intercepted=intercepted,
    )


def _place(place: object) -> Point | None:
    if not isinstance(place, Sequence) or isinstance(place, str) or len(place) < 2:
        return None
    east, north = place[0], place[1]
    return (float(east), float(north)) if _is_finite(east) and _is_finite(north) else None


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _apart(entry: TrueRound, place: Point, t_ns: int) -> float:
    """Return how far a prediction lies from a round in metres; infinite if the times forbid it."""
    if entry.undisturbed is None:
        return math.inf
    if entry.end_t_ns is not None and abs(entry.end_t_ns - t_ns) > LATE_S * 1e9:
        return math.inf
    return math.dist(entry.undisturbed, place)
