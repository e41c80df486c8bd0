"""Frozen planning instances and their proven optima by integer programming."""

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_matrix

from opencram.engagement.book import Given


def instance(seed: int, rounds: int = 50, effectors: int = 6, grid: int = 400) -> Given:
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
        every.append(sorted(mine, key=lambda option: (option[0], -option[4])))
    flat = [option for mine in every for option in mine]
    seat, start, end, cost = (np.array([option[i] for option in flat], dtype=np.int64) for i in range(4))
    owner = np.repeat(np.arange(rounds), [len(mine) for mine in every])
    return Given(
        first=np.searchsorted(owner * effectors + seat, np.arange(rounds * effectors + 1)),
        option=np.stack([seat, start, end, cost, owner], axis=1).astype(np.int64),
        value=np.array([option[4] for option in flat]) * worth[owner],
        rent=np.zeros(len(flat)),
        capacity=capacity.astype(np.int64),
        busy=np.zeros((effectors, 4), dtype=np.int64),
        left=left.astype(np.int64),
    )


def optimum(given: Given, gap: float = 1e-4, time_s: float = 60.0) -> tuple[float, float]:
    """Return the value of the best plan that integer programming finds, and its proven bound on any plan."""
    seat, start, end, cost, owner = given.option.T
    rows, columns = [owner], [np.arange(len(owner))]
    values, limits = [np.ones(len(owner))], [np.ones(owner[-1] + 1)]
    row = int(owner[-1]) + 1
    for e in range(len(given.capacity)):
        mine = np.flatnonzero(seat == e)
        wanted = [(mine, cost[mine].astype(float), float(given.left[e]))]
        for t in np.unique(start[mine]):
            active = mine[(start[mine] <= t) & (end[mine] > t)]
            wanted.append((active, np.ones(len(active)), float(given.capacity[e] - (given.busy[e] > t).sum())))
        for which, weights, limit in wanted:
            rows.append(np.full(len(which), row))
            columns.append(which)
            values.append(weights)
            limits.append(np.array([limit]))
            row += 1
    matrix = coo_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), (row, len(owner)))
    found = milp(
        -given.value,
        constraints=LinearConstraint(matrix.tocsr(), -np.inf, np.concatenate(limits)),
        integrality=np.ones(len(owner)),
        bounds=Bounds(0.0, 1.0),
        options={"time_limit": time_s, "mip_rel_gap": gap},
    )
    return float(-found.fun) if found.fun is not None else 0.0, float(-found.mip_dual_bound)


def weapons_and_targets(seed: int, weapons: int, targets: int) -> tuple[np.ndarray, np.ndarray]:
    """Return kill probabilities (targets, weapons) and worths of a static instance."""
    draws = np.random.default_rng(seed)
    return draws.uniform(0.6, 0.9, (targets, weapons)), draws.uniform(25.0, 100.0, targets)


def static_bound(kill: np.ndarray, worth: np.ndarray, low: float, rounds: int = 300) -> float:
    """Return a proven bound on what any static assignment saves: the Lagrangian dual, a price on each weapon.

    At given prices each target takes its best set by itself.  Sets of up to two are all tried; what a larger set could
    add to its best two is at most the sum of what each further weapon would add to them alone, less its price, for
    returns only diminish.  `low`: a value that is known to be reached.
    """
    targets, weapons = kill.shape
    prices = np.full(weapons, 0.5 * worth.mean())
    bound, stride, waited = np.inf, 1.0, 0
    for _ in range(rounds):
        dual, wanted = float(prices.sum()), -np.ones(weapons)
        for j in range(targets):
            p, w = kill[j], worth[j]
            single = w * p - prices
            pair = single[:, None] + single[None, :] - w * np.outer(p, p)
            np.fill_diagonal(pair, -np.inf)
            survive = w * np.outer(1.0 - p, 1.0 - p)
            reach = pair.copy()
            tempting = survive * p.max() > prices.min()
            for a, b in zip(*np.nonzero(tempting), strict=True):
                more = np.maximum(survive[a, b] * p - prices, 0.0)
                reach[a, b] += more.sum() - more[a] - more[b]
            best = max(0.0, float(single.max()), float(reach.max()))
            dual += best
            if best > 0.0:
                if best == float(single.max()):
                    wanted[int(np.argmax(single))] += 1.0
                else:
                    wanted[list(np.unravel_index(int(np.argmax(reach)), reach.shape))] += 1.0
        waited += 1
        if dual < bound:
            bound, waited = dual, 0
        elif waited == 8:
            stride, waited = 0.6 * stride, 0
        move = np.where((wanted > 0.0) | (prices > 0.0), wanted, 0.0)
        if not move.any() or stride < 1e-4:
            break
        prices = np.maximum(prices + stride * max(dual - low, 1e-9) / float(move @ move) * move, 0.0)
    return bound
