"""Which effector meets which round, and when: shots placed in the free time of channels.

One channel at a time is filled by dynamic programming over its free time, rounds in order of their last start (the
order that loses fewest deadlines); channel after channel, then once more, each with the others held fixed, and a
round may move where that gains.  Where effects can be seen, a shot may also be planned as the first of two: the
channel is then reserved to the end of the second, which is let go if the first kills.  The result obeys the
constraints at every moment: a channel serves one round at a time, a magazine is never overdrawn, a round is met by
one shot at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opencram.engagement.config import Config, ns
from opencram.engagement.windows import Floats, Shots

# A round stays with its effector of the last plan unless another is better by more than this.
_STAY = 1.05


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A round that may be engaged, what a kill saves, and whether a second shot may follow a first."""

    track_id: int
    worth: float
    shots: tuple[Shots, ...]
    twice: bool = False


@dataclass(frozen=True, slots=True)
class Assignment:
    """One planned shot: row `shot` of the round's shots for that effector."""

    track_id: int
    effector: int
    channel: int
    shot: int
    worth: float


@dataclass(frozen=True, slots=True, eq=False)
class _Bid:
    """The shots of one round that a channel may still take, on the channel's own time grid."""

    job: Job
    rows: NDArray[np.int64]
    start: NDArray[np.int64]
    done: NDArray[np.int64]
    gain: NDArray[np.float64]
    worth: NDArray[np.float64]


def plan(
    config: Config,
    now_t_ns: int,
    jobs: Sequence[Job],
    *,
    channels: Sequence[Sequence[int]],
    magazines: Sequence[int],
    last: Mapping[int, int],
) -> dict[int, Assignment]:
    """Return the planned shots by track.  `channels`: busy until; `last`: the effector of each round's last plan."""
    chosen: dict[int, Assignment] = {}
    jobs = sorted(jobs, key=_deadline)[: config.plan_rounds_max]
    seats = [(e, c) for e in range(len(channels)) for c in range(len(channels[e]))]
    for _ in range(2 if len(seats) > 1 else 1):
        for effector, channel in seats:
            here = [a.track_id for a in chosen.values() if (a.effector, a.channel) == (effector, channel)]
            for track_id in here:
                del chosen[track_id]
            taken = sum(a.effector == effector for a in chosen.values())
            size = config.effectors[effector].behaviour.rounds_per_shot
            free = channels[effector][channel]
            bids = _bids(config, now_t_ns, jobs, effector=effector, free_t_ns=free, chosen=chosen, last=last)
            for bid, row in _fill(bids, magazines[effector] // size - taken):
                track_id = bid.job.track_id
                worth = float(bid.worth[row])
                chosen[track_id] = Assignment(track_id, effector, channel, int(bid.rows[row]), worth)
    return chosen


def _deadline(job: Job) -> tuple[int, int]:
    """Return the last start of any shot at the round, for order; the track breaks ties."""
    return max((shots.last_start_t_ns for shots in job.shots), default=0), job.track_id


def _bids(
    config: Config,
    now_t_ns: int,
    jobs: Sequence[Job],
    *,
    effector: int,
    free_t_ns: int,
    chosen: Mapping[int, Assignment],
    last: Mapping[int, int],
) -> list[_Bid]:
    """Return what each round offers the channel: its worth there less its worth where it is planned already."""
    period = ns(config.period_s)
    bids = []
    for job in jobs:
        shots = job.shots[effector]
        ready = max(now_t_ns, free_t_ns)
        first = int(np.searchsorted(shots.start_t_ns, ready, side="left"))
        if first == len(shots):
            continue
        rows, kill, done = np.arange(first, len(shots)), shots.kill_probability[first:], shots.done_t_ns[first:]
        twice = np.flatnonzero(shots.again[first:] > 0.0) if job.twice else np.empty(0, dtype=np.int64)
        if len(twice):
            both = kill[twice] + (1.0 - kill[twice]) * shots.again[first:][twice]
            rows, kill = np.concatenate((rows, rows[twice])), np.concatenate((kill, both))
            done = np.concatenate((done, shots.again_done_t_ns[first:][twice]))
        worth = kill * (job.worth * (_STAY if last.get(job.track_id) == effector else 1.0))
        worth = worth * _chance_to_start(config, shots.start_t_ns[rows], shots.last_start_t_ns, now_t_ns)
        elsewhere = chosen.get(job.track_id)
        gain = worth if elsewhere is None else worth - elsewhere.worth
        better = np.flatnonzero(gain > 0.0)
        if len(better):
            start = (shots.start_t_ns[rows[better]] - now_t_ns) // period
            end = -((now_t_ns - done[better]) // period)
            bids.append(_Bid(job, rows[better], start, end, gain[better], worth[better]))
    return bids


def _chance_to_start(config: Config, start_t_ns: NDArray[np.int64], last_t_ns: int, now_t_ns: int) -> Floats:
    """Return how likely each planned start stays possible until its time.

    The window moves a little with every new prediction: a start at its very end is a coin toss, one with
    `plan_slack_s` and more to spare is safe, and one that is made at once is certain.  Without this, plans put off
    every shot to the last moment, where a tenth of a second loses the round.
    """
    spare = (last_t_ns - start_t_ns) / 1e9 / config.plan_slack_s
    ahead = (start_t_ns - now_t_ns) / 1e9 / config.plan_slack_s
    chance: Floats = 1.0 + 0.5 * np.exp(-spare) * np.expm1(-np.maximum(ahead, 0.0))
    return chance


def _fill(bids: list[_Bid], shots_left: int) -> list[tuple[_Bid, int]]:
    """Return the bids that one channel takes, each with the index of its shot.

    `best[k]` is the most that the bids so far can gain with the channel free again at grid time `k`.
    """
    bids = sorted(bids, key=lambda bid: (-float(bid.gain.max()), bid.job.track_id))[: max(shots_left, 0)]
    bids = sorted(bids, key=lambda bid: (int(bid.start.max()), bid.job.track_id))
    if not bids:
        return []
    length = max(int(bid.done.max()) for bid in bids) + 1
    stages = [np.zeros(length)]
    for bid in bids:
        reached = stages[-1].copy()
        np.maximum.at(reached, bid.done, stages[-1][bid.start] + bid.gain)
        stages.append(np.maximum.accumulate(reached))
    taken: list[tuple[_Bid, int]] = []
    k = length - 1
    for i in range(len(bids) - 1, -1, -1):
        bid, before = bids[i], stages[i]
        if stages[i + 1][k] <= before[k]:
            continue
        total = np.where(bid.done <= k, before[bid.start] + bid.gain, -np.inf)
        row = int(np.argmax(total))  # the earliest of equals
        taken.append((bid, row))
        k = int(bid.start[row])
    return taken[::-1]
