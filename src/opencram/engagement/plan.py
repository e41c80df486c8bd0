"""Which effector meets which round, and when: shots placed in the free time of channels.

Hard masks come first: a round brings only the shots that windows, hold rules and magazines allow.  Its shots are
thinned to options on the grid of decision periods, and `search` finds the best plan that it can within a number of
steps.  Where effects can be seen, a shot may also be planned as the first of two: the channel is then reserved to the
end of the second, which is let go if the first kills.  The plan of the decision before, as far as it still fits, is
one of the starts, so that no plan is worse than the old one; work goes on where it left off.

The result obeys the constraints at every moment: a channel serves one round at a time, a magazine is never overdrawn,
a round is met by one shot at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from opencram.engagement.baselines import in_order
from opencram.engagement.book import COST, END, SEAT, START, Given
from opencram.engagement.config import Config, ns
from opencram.engagement.search import options, search
from opencram.engagement.shots import Floats, Ints, Shots
from opencram.engagement.state import NEVER_T_NS, Planned

# A round stays with its effector of the last plan unless another is better by more than this.
_STAY = 1.05
_OPTIONS_MAX = 3000  # in all: with many rounds each offers fewer starts
_ROWS_MIN, _ROWS_MAX = 4, 40  # starts of a round on an effector


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
    shots: int = 1  # reserved: this one, and a second in case it misses


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Planned shots by track; what they save, what the old plan as far as it fits would, and a bound on any plan."""

    assignments: dict[int, Assignment] = field(default_factory=dict)
    value: float = 0.0
    old_value: float = 0.0
    bound: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """The options of all rounds as `search` takes them; of each option its kill probability and the row of its shot.

    `warm`: the option of each round that is nearest to its place in the last plan, −1 for none.
    """

    jobs: tuple[Job, ...]
    given: Given
    kill: Floats
    row: Ints
    warm: Ints


def plan(
    config: Config,
    now_t_ns: int,
    jobs: Sequence[Job],
    *,
    channels: Sequence[Sequence[int]],
    magazines: Sequence[int],
    last: Mapping[int, Planned],
) -> dict[int, Assignment]:
    """Return the planned shots by track.  `channels`: busy until; `last`: the last plan."""
    return find(config, now_t_ns, jobs, channels=channels, magazines=magazines, last=last).assignments


def find(
    config: Config,
    now_t_ns: int,
    jobs: Sequence[Job],
    *,
    channels: Sequence[Sequence[int]],
    magazines: Sequence[int],
    last: Mapping[int, Planned],
) -> Plan:
    """Return the best plan that the search finds within the steps that the config grants."""
    near = sorted(jobs, key=_deadline)[: config.plan_rounds_max]
    problem = posed(config, now_t_ns, near, channels=channels, magazines=magazines, last=last)
    given = problem.given
    if not len(given.value):
        return Plan()
    if config.planner != "search":
        chosen = in_order(given, [job.track_id for job in near], nearest=config.planner == "nearest")
        return Plan(
            assignments=_seated(config, now_t_ns, problem, chosen, channels),
            value=float(given.value[chosen[chosen >= 0]].sum()),
        )
    value, chosen, old, bound = search(given, problem.warm, config.plan_prices, config.plan_iterations)
    assignments = _seated(config, now_t_ns, problem, chosen, channels)
    return Plan(assignments=assignments, value=value, old_value=old, bound=bound)


def posed(
    config: Config,
    now_t_ns: int,
    jobs: Sequence[Job],
    *,
    channels: Sequence[Sequence[int]],
    magazines: Sequence[int],
    last: Mapping[int, Planned],
) -> Problem:
    """Return the problem that the rounds, channels and magazines pose."""
    sizes = [effector.behaviour.rounds_per_shot for effector in config.effectors]
    left = np.array([rounds // size for rounds, size in zip(magazines, sizes, strict=True)], dtype=np.int64)
    segments = [
        (j, e, shots) for j, job in enumerate(jobs) for e, shots in enumerate(job.shots) if len(shots) and left[e]
    ]
    job_of = np.array([j for j, _, _ in segments], dtype=np.int64)
    effector_of = np.array([e for _, e, _ in segments], dtype=np.int64)
    table, kill = _offered(config, now_t_ns, jobs, segments, last)
    owner = job_of[table[0]] if segments else np.empty(0, dtype=np.int64)
    seat = effector_of[table[0]] if segments else owner
    order = np.lexsort((table[1], -kill, seat, owner))
    table, kill, owner, seat = table[:, order], kill[order], owner[order], seat[order]
    option = np.stack([seat, table[1], table[2], table[3], owner], axis=1)
    worth = np.array([job.worth for job in jobs], dtype=np.float64)
    busy = np.zeros((len(channels), max((len(each) for each in channels), default=1)), dtype=np.int64)
    for e, each in enumerate(channels):
        for c, until in enumerate(each):
            busy[e, c] = max(-((now_t_ns - until) // ns(config.period_s)), 0)
    given = Given(
        first=np.searchsorted(owner * len(left) + seat, np.arange(len(jobs) * len(left) + 1)),
        option=option,
        value=worth[owner] * kill,
        rent=np.zeros(len(order)),
        capacity=np.array([len(each) for each in channels], dtype=np.int64),
        busy=busy,
        left=left,
    )
    warm = _warm(config, now_t_ns, jobs, given, last)
    return Problem(jobs=tuple(jobs), given=given, kill=kill, row=table[4], warm=warm)


def _warm(config: Config, now_t_ns: int, jobs: Sequence[Job], given: Given, last: Mapping[int, Planned]) -> Ints:
    """Return of each round the option nearest to its place in the last plan, −1 where none is within a period."""
    effectors = len(given.capacity)
    warm = np.full(len(jobs), -1, dtype=np.int64)
    for j, job in enumerate(jobs):
        planned = last.get(job.track_id)
        begin, end = given.first[j * effectors], given.first[(j + 1) * effectors]
        mine = given.option[begin:end]
        if planned is None or not len(mine):
            continue
        away = np.abs(mine[:, START] - (planned.start_t_ns - now_t_ns) // ns(config.period_s))
        fit = (mine[:, SEAT] == planned.effector) & (mine[:, COST] == planned.shots) & (away <= 1)
        if fit.any():
            warm[j] = begin + int(np.argmin(np.where(fit, away, 1 << 40)))
    return warm


def _offered(
    config: Config,
    now_t_ns: int,
    jobs: Sequence[Job],
    segments: Sequence[tuple[int, int, Shots]],
    last: Mapping[int, Planned],
) -> tuple[NDArray[np.int64], Floats]:
    """Return the options of every round and effector: segment, start, end, shots, row; and their kill probability."""
    if not segments:
        return np.empty((5, 0), dtype=np.int64), np.empty(0)
    keep = []
    for j, e, _ in segments:
        planned = last.get(jobs[j].track_id)
        keep.append(planned.start_t_ns if planned is not None and planned.effector == e else -NEVER_T_NS)
    each = [shots for _, _, shots in segments]
    first = np.cumsum([0] + [len(shots) for shots in each])
    rows_max = min(max(_OPTIONS_MAX // (2 * len(segments)), _ROWS_MIN), _ROWS_MAX)
    table = np.empty((5, 2 * (rows_max + 1) * len(segments)), dtype=np.int64)
    kill = np.empty(table.shape[1])
    count = options(
        first,
        np.concatenate([shots.start_t_ns for shots in each]),
        np.concatenate([shots.done_t_ns for shots in each]),
        np.concatenate([shots.kill_probability for shots in each]),
        np.concatenate([shots.again for shots in each]),
        np.concatenate([shots.again_done_t_ns for shots in each]),
        np.array([jobs[j].twice for j, _, _ in segments]),
        np.array([shots.last_start_t_ns for shots in each], dtype=np.int64),
        np.array(keep, dtype=np.int64),
        now_t_ns,
        ns(config.period_s),
        config.plan_slack_s * 1e9,
        rows_max,
        _STAY,
        table,
        kill,
    )
    return table[:, :count], kill[:count]


def _deadline(job: Job) -> tuple[int, int]:
    """Return the last start of any shot at the round, for order; the track breaks ties."""
    return max((shots.last_start_t_ns for shots in job.shots), default=0), job.track_id


def _seated(
    config: Config, now_t_ns: int, problem: Problem, chosen: Ints, channels: Sequence[Sequence[int]]
) -> dict[int, Assignment]:
    """Return the chosen options with a channel for each: spans in order of start, the channel that was busy last."""
    period = ns(config.period_s)
    option = problem.given.option
    free = [[max(-((now_t_ns - until) // period), 0) for until in busy] for busy in channels]
    taken = [(int(option[o, START]), j, int(o)) for j, o in enumerate(chosen.tolist()) if o >= 0]
    assignments = {}
    for start, j, o in sorted(taken):
        effector = int(option[o, SEAT])
        fitting = [(-until, c) for c, until in enumerate(free[effector]) if until <= start]
        assert fitting, "a plan never asks for more channels than there are"
        channel = min(fitting)[1]
        free[effector][channel] = int(option[o, END])
        track_id, worth = problem.jobs[j].track_id, float(problem.given.value[o])
        assignments[track_id] = Assignment(
            track_id, effector, channel, int(problem.row[o]), worth, int(option[o, COST])
        )
    return assignments
