"""Whose track it is: from the object behind each plot to swaps, lost, false and doubled tracks, and time to confirm.

A track is of the object that most of its last `WINDOW` plots came from, once it has had `FIRST` of them; at a tie it
stays what it was.  So one plot taken wrongly where paths cross is no swap, and a track that goes over to another
object is one, `WINDOW` / 2 plots later.  Objects are whole numbers from 0; a negative one is clutter.

Source: the counts are those of K. Bernardin and R. Stiefelhagen, "Evaluating multiple object tracking performance: the
CLEAR MOT metrics", EURASIP J. Image and Video Processing (2008), with the window instead of a matching by distance.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

WINDOW: Final = 9
FIRST: Final = 4
PURITY_MIN: Final = 0.5  # a track with less of its plots from one object is of none


@dataclass(frozen=True, kw_only=True)
class Use:
    """A plot of `origin` went to a track at `t_ns`."""

    t_ns: int
    track_id: int
    origin: int


@dataclass(frozen=True, kw_only=True)
class Identities:
    """What became of objects and tracks.

    `swaps`: a track went over from one object to another; `swapped`: the tracks that ever did.  `breaks`: an object
    was followed by another track than before.  `missed`: objects that no confirmed track was ever of.  `false`:
    confirmed tracks with most of their plots from no one object.  `doubles`: confirmed tracks of an object that another
    confirmed track was of at that time.  `delay_s`: the time to confirm, from the first plot of each object found to
    the first moment at which a confirmed track was of it: its confirmation, or the swap of one that was of another
    before.  `purity`: share of plots in confirmed tracks that came from the object of the track.
    """

    objects: int
    tracks: int
    swaps: int
    swapped: tuple[int, ...]
    breaks: int
    missed: tuple[int, ...]
    false: tuple[int, ...]
    doubles: int
    delay_s: Mapping[int, float]
    purity: float
    owners: Mapping[int, int]  # the object that most plots of each confirmed track came from


def identities(
    uses: Iterable[Use],
    confirmed_t_ns: Mapping[int, int],
    first_seen_t_ns: Mapping[int, int],
    *,
    wanted: Sequence[int] | None = None,
) -> Identities:
    """Return what became of objects and tracks.

    `uses`: plots that went to tracks, in order of time.  `confirmed_t_ns`: when each track was confirmed, those never
    confirmed left out.  `first_seen_t_ns`: of the first plot of each object.  `wanted`: the objects that should
    have been found; all that were seen, without it.
    """
    runs: dict[int, list[tuple[int, int]]] = {}  # of each track: from when it is of which object
    counts: dict[int, Counter[int]] = defaultdict(Counter)
    last: dict[int, deque[int]] = defaultdict(lambda: deque(maxlen=WINDOW))
    ends: dict[int, int] = {}
    for use in uses:
        if use.track_id not in confirmed_t_ns:
            continue
        counts[use.track_id][use.origin] += 1
        window = last[use.track_id]
        window.append(use.origin)
        ends[use.track_id] = use.t_ns
        _judge(runs.setdefault(use.track_id, []), window, use.t_ns)
    owners = {track: owner for track, count in counts.items() if (owner := _owner(count)) >= 0}
    swaps = sum(max(len(run) - 1, 0) for run in runs.values())
    found: dict[int, list[tuple[int, int, int]]] = defaultdict(list)  # of each object: from, to, track
    known_ns: dict[int, int] = {}  # since when a confirmed track is of each object
    for track, run in runs.items():
        for k, (begin_ns, origin) in enumerate(run):
            found[origin].append((begin_ns, run[k + 1][0] if k + 1 < len(run) else ends[track], track))
            since_ns = confirmed_t_ns[track] if k == 0 else max(begin_ns, confirmed_t_ns[track])
            known_ns[origin] = min(since_ns, known_ns.get(origin, since_ns))
    breaks, doubles = _breaks_and_doubles(found)
    held = sum(counts[track][owner] for track, owner in owners.items())
    every = sum(sum(count.values()) for count in counts.values())
    objects = sorted(first_seen_t_ns) if wanted is None else sorted(wanted)
    delays = {
        origin: max(since_ns - first_seen_t_ns[origin], 0) * 1e-9
        for origin, since_ns in sorted(known_ns.items())
        if origin in first_seen_t_ns
    }
    return Identities(
        objects=len(objects),
        tracks=len(confirmed_t_ns),
        swaps=swaps,
        swapped=tuple(sorted(track for track, run in runs.items() if len(run) > 1)),
        breaks=breaks,
        missed=tuple(origin for origin in objects if origin not in found),
        false=tuple(sorted(track for track in confirmed_t_ns if track not in owners)),
        doubles=doubles,
        delay_s=delays,
        purity=held / every if every else 1.0,
        owners=owners,
    )


def _judge(run: list[tuple[int, int]], window: "deque[int]", t_ns: int) -> None:
    """Append to the run of a track if it has become of another object."""
    origin, count = Counter(window).most_common(1)[0]
    if origin < 0 or count < FIRST or 2 * count <= len(window):
        return
    if not run or run[-1][1] != origin:
        run.append((t_ns, origin))


def _owner(count: Counter[int]) -> int:
    """Return the object that most plots of a track came from, −1 if it is of none."""
    origin, most = min(count.items(), key=lambda item: (-item[1], item[0]))
    return origin if origin >= 0 and most >= FIRST and most >= PURITY_MIN * sum(count.values()) else -1


def _breaks_and_doubles(found: Mapping[int, Sequence[tuple[int, int, int]]]) -> tuple[int, int]:
    breaks = doubles = 0
    for spans in found.values():
        ordered = sorted(spans)
        until_ns = ordered[0][1]
        for begin_ns, end_ns, _ in ordered[1:]:
            if begin_ns < until_ns:
                doubles += 1
            else:
                breaks += 1
            until_ns = max(until_ns, end_ns)
    return breaks, doubles
