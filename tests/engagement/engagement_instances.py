"""Frozen planning instances and their proven optima by integer programming."""

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_matrix

from opencram.engagement.search import Options


def instance(seed: int, rounds: int = 50, effectors: int = 6, grid: int = 400) -> Options:
    """Return a raid of rounds over 40 s against guns of one channel and interceptors of four."""
    draws = np.random.default_rng(seed)
    gun = np.arange(effectors) < max(effectors - 2, 1)
    capacity, left = np.where(gun, 1, 4), np.where(gun, 8, 6)
    worth = draws.lognormal(2.0, 1.0, rounds)
    every: list[list[tuple[int, int, int, int, float]]] = []
    for _ in range(rounds):
        middle, mine = int(draws.integers(60, grid - 100)), []
        for e in range(effectors):
            if draws.random() < 0.25:
                continue  # out of its range
            width = int(draws.integers(20, 60) if gun[e] else draws.integers(60, 150))
            begin, peak = middle - width // 2 + int(draws.integers(-10, 10)), float(draws.uniform(0.3, 0.8))
            for i, start in enumerate(np.linspace(begin, begin + width, 12).astype(int).clip(0).tolist()):
                span = int(draws.integers(45, 60) if gun[e] else draws.integers(70, 110))
                kill = peak * (0.4 + 0.6 * (i + 1) / 12)
                if start + span < grid:
                    mine.append((e, start, start + span, 1, kill))
                if gun[e] and i < 6 and start + 2 * span + 10 < grid:
                    mine.append((e, start, start + 2 * span + 10, 2, 1.0 - (1.0 - kill) * (1.0 - peak)))
        every.append(sorted(mine, key=lambda option: -option[4]))
    flat = [option for mine in every for option in mine]
    seat, start, end, cost = (np.array([option[i] for option in flat], dtype=np.int64) for i in range(4))
    return Options(
        offsets=np.cumsum([0] + [len(mine) for mine in every]).astype(np.int64),
        seat=seat,
        start=start,
        end=end,
        cost=cost,
        kill=np.array([option[4] for option in flat]),
        worth=worth,
        rent=np.zeros(len(flat)),
        capacity=capacity.astype(np.int64),
        used=np.zeros((effectors, grid), dtype=np.int64),
        left=left.astype(np.int64),
        apart=True,
    )


def weapons_and_targets(seed: int, weapons: int, targets: int) -> Options:
    """Return a static instance: each weapon has one shot, any number may meet one target, all at once."""
    draws = np.random.default_rng(seed)
    kill = draws.uniform(0.6, 0.9, (targets, weapons))
    order = np.argsort(-kill, axis=1)
    size = weapons * targets
    return Options(
        offsets=np.arange(0, size + 1, weapons),
        seat=order.ravel().astype(np.int64),
        start=np.zeros(size, dtype=np.int64),
        end=np.ones(size, dtype=np.int64),
        cost=np.ones(size, dtype=np.int64),
        kill=np.take_along_axis(kill, order, axis=1).ravel(),
        worth=draws.uniform(25.0, 100.0, targets),
        rent=np.zeros(size),
        capacity=np.ones(weapons, dtype=np.int64),
        used=np.zeros((weapons, 2), dtype=np.int64),
        left=np.ones(weapons, dtype=np.int64),
        apart=False,
    )


def optimum(given: Options, gap: float = 1e-4, time_s: float = 60.0) -> float:
    """Return a proven bound on the value of any plan with one option a round, within `gap` of the best plan."""
    jobs = np.repeat(np.arange(len(given.offsets) - 1), np.diff(given.offsets))
    rows, columns, values, limits = [jobs], [np.arange(len(jobs))], [np.ones(len(jobs))], [np.ones(len(given.worth))]
    row = len(given.worth)
    for e in range(len(given.capacity)):
        mine = np.flatnonzero(given.seat == e)
        wanted = [(mine, given.cost[mine].astype(float), float(given.left[e]))]
        for t in np.unique(given.start[mine]):
            active = mine[(given.start[mine] <= t) & (given.end[mine] > t)]
            wanted.append((active, np.ones(len(active)), float(given.capacity[e] - given.used[e, t])))
        for which, weights, limit in wanted:
            rows.append(np.full(len(which), row))
            columns.append(which)
            values.append(weights)
            limits.append(np.array([limit]))
            row += 1
    matrix = coo_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), (row, len(jobs)))
    found = milp(
        -given.worth[jobs] * given.kill,
        constraints=LinearConstraint(matrix.tocsr(), -np.inf, np.concatenate(limits)),
        integrality=np.ones(len(jobs)),
        bounds=Bounds(0.0, 1.0),
        options={"time_limit": time_s, "mip_rel_gap": gap},
    )
    return float(-found.mip_dual_bound)


def static_bound(given: Options, tangents: int = 16, time_s: float = 20.0) -> float:
    """Return a proven bound on a static instance: what survives, exp(−u), lies above each of its tangents in u."""
    targets, options = len(given.worth), len(given.seat)
    jobs = np.repeat(np.arange(targets), np.diff(given.offsets))
    u_max = 6.0
    points = np.linspace(0.0, u_max, tangents)
    damage = -np.log1p(-given.kill)
    rows, columns, values, low = [], [], [], []
    row = 0
    for j in range(targets):
        mine = np.flatnonzero(jobs == j)
        for u in points:  # s_j + e^-u · Σ damage x ≥ e^-u (1 + u)
            rows += [row] * (len(mine) + 1)
            columns += [*mine.tolist(), options + j]
            values += [*(np.exp(-u) * damage[mine]).tolist(), 1.0]
            low.append(np.exp(-u) * (1.0 + u))
            row += 1
    tangent = coo_matrix((values, (rows, columns)), (row, options + targets)).tocsr()
    once = coo_matrix(
        (np.ones(options), (given.seat, np.arange(options))), (len(given.left), options + targets)
    ).tocsr()
    cost = np.concatenate([np.zeros(options), given.worth])
    found = milp(
        cost,
        constraints=[LinearConstraint(tangent, np.array(low), np.inf), LinearConstraint(once, -np.inf, 1.0)],
        integrality=np.concatenate([np.ones(options), np.zeros(targets)]),
        bounds=Bounds(0.0, 1.0),
        options={"time_limit": time_s, "mip_rel_gap": 1e-3},
    )
    return float(given.worth.sum() - found.mip_dual_bound)
