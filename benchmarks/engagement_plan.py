"""How near the plan comes to the proven optimum, and how long a decision takes.

python benchmarks/engagement_plan.py                 100 frozen instances of 50 rounds and 6 effectors
python benchmarks/engagement_plan.py --milp          optima by integer programming (minutes); else the plan's own bound
python benchmarks/engagement_plan.py --static        one shot a weapon, 5 weapons × 10 targets and up
python benchmarks/engagement_plan.py --latency 100   processor time of a decision with so many rounds in the air
"""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "engagement"))
from engagement_instances import instance, optimum, static_bound, weapons_and_targets
from engagement_raids import GUN, SITE, Shell, raid

from opencram.engagement import initial, step
from opencram.engagement.search import search

PRICES, STEPS = 150, 1000


def frozen(count: int, *, milp: bool) -> None:
    """Print the gaps and times of the frozen instances."""
    gaps, times = [], []
    search(instance(0), 1, np.full((50, 1), -1), 1, 1)
    for seed in range(count):
        given = instance(seed)
        began = time.process_time()
        value, _, _, bound = search(given, 1, np.full((50, 1), -1), PRICES, STEPS)
        times.append(1e3 * (time.process_time() - began))
        gaps.append(100.0 * (1.0 - value / (optimum(given, gap=1e-3, time_s=20.0) if milp else bound)))
    against = "integer programming" if milp else "the Lagrangian bound"
    print(f"{count} instances of 50 rounds × 6 effectors, against {against}:")
    print(f"  gap mean {np.mean(gaps):.2f} %, 90th percentile {np.percentile(gaps, 90):.2f} %, worst {max(gaps):.2f} %")
    print(f"  processor time mean {np.mean(times):.0f} ms, worst {max(times):.0f} ms")


def static() -> None:
    """Print the gaps of static instances: each weapon one shot, any number at one target."""
    for weapons, targets in ((5, 10), (10, 20), (20, 40), (50, 50), (100, 100), (200, 200)):
        given = weapons_and_targets(1, weapons, targets)
        began = time.process_time()
        value = search(given, 4, np.full((targets, 4), -1), 0, 2000)[0]
        took = time.process_time() - began
        print(f"{weapons:4d} × {targets:<4d} gap {100.0 * (1.0 - value / static_bound(given)):.2f} %, {took:.2f} s")


def latency(rounds: int) -> None:
    """Print the processor time of the whole stage, batch by batch, with this many rounds that may hit the site."""
    draws = np.random.default_rng(1)
    shells = [
        Shell(
            i + 1,
            (float(draws.uniform(-150, 150)), float(draws.uniform(-100, 100))),
            float(draws.uniform(28, 45)),
            seen_s=float(draws.uniform(3, 12)),
        )
        for i in range(rounds)
    ]
    missile = replace(GUN, id="m", kind="interceptor", range_m_max=6000.0, magazine_rounds=40)
    config = replace(SITE, effectors=(GUN, replace(GUN, id="gun-2", position_enu_m=(-80.0, -60.0, 10.0)), missile))
    config = replace(config, closed_loop=True)
    for _ in range(2):  # the first time compiles
        state, times = initial(config), []
        for batch in raid(shells, end_s=50.0):
            began = time.process_time()
            state, _ = step(config, state, batch)
            times.append(1e3 * (time.process_time() - began))
    p50, p99 = np.percentile(times, [50, 99])
    print(f"{rounds} rounds, 3 effectors: median {p50:.1f} ms, 99th percentile {p99:.1f} ms, worst {max(times):.1f} ms")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--milp", action="store_true")
    parser.add_argument("--static", action="store_true")
    parser.add_argument("--latency", type=int, default=0)
    args = parser.parse_args()
    if args.static:
        static()
    elif args.latency:
        latency(args.latency)
    else:
        frozen(args.count, milp=args.milp)


if __name__ == "__main__":
    main()
