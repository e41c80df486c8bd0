"""How near the plan comes to the proven optimum, and how long a decision takes.

python benchmarks/engagement_plan.py                 100 frozen instances (50 rounds, 6 effectors), and rules of thumb
python benchmarks/engagement_plan.py --steps 1000    the same with fewer steps of search
python benchmarks/engagement_plan.py --milp          prove the optima anew by integer programming, and write them
python benchmarks/engagement_plan.py --static        one shot a weapon, 5 weapons × 10 targets to 200 × 200
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
from opencram.engagement.baselines import in_order
from opencram.engagement.book import Given
from opencram.engagement.search import search
from opencram.engagement.static import assigned

PRICES = 150
OPTIMA = Path(__file__).parent.parent / "tests" / "engagement" / "frozen_optima.csv"


def prove(count: int) -> None:
    """Write the value found and the bound proven for each instance."""
    with OPTIMA.open("w") as file:
        file.write("seed,found,bound\n")
        for seed in range(count):
            found, bound = optimum(instance(seed), gap=1e-6, time_s=300.0)
            file.write(f"{seed},{found:.6f},{bound:.6f}\n")


def rule_of_thumb(given: Given, *, nearest: bool) -> float:
    """Return the value of the plan that takes one round after another."""
    chosen = in_order(given, range((len(given.first) - 1) // len(given.capacity)), nearest=nearest)
    return float(given.value[chosen[chosen >= 0]].sum())


def frozen(count: int, steps: int) -> None:
    """Print the gaps to the proven optima, and the times."""
    bounds = np.loadtxt(OPTIMA, delimiter=",", skiprows=1)[:count, 2]
    rows: dict[str, list[float]] = {name: [] for name in ("search", "greedy", "first come", "nearest first")}
    times = []
    search(instance(0), np.full(50, -1), 1, 3)
    for seed, best in enumerate(bounds.tolist()):
        given = instance(seed)
        began = time.process_time()
        value = search(given, np.full(50, -1), PRICES, steps)[0]
        times.append(1e3 * (time.process_time() - began))
        rows["search"].append(value / best)
        rows["greedy"].append(search(given, np.full(50, -1), 0, 0)[0] / best)
        rows["first come"].append(rule_of_thumb(given, nearest=False) / best)
        rows["nearest first"].append(rule_of_thumb(given, nearest=True) / best)
    print(f"{len(bounds)} instances of 50 rounds × 6 effectors, {steps} steps; gap to the proven optimum in per cent:")
    for name, shares in rows.items():
        gaps = 100.0 * (1.0 - np.array(shares))
        print(f"  {name:14s} mean {gaps.mean():5.2f}, 95th {np.percentile(gaps, 95):5.2f}, worst {gaps.max():5.2f}")
    print(
        f"  processor time mean {np.mean(times):.0f} ms, 95th {np.percentile(times, 95):.0f}, worst {max(times):.0f} ms"
    )


def static() -> None:
    """Print the gaps of static instances: each weapon one shot, any number at one target."""
    for weapons, targets in ((5, 10), (10, 20), (20, 40), (50, 50), (100, 100), (200, 200)):
        kill, worth = weapons_and_targets(1, weapons, targets)
        began = time.process_time()
        value, _ = assigned(kill, worth)
        took = time.process_time() - began
        bound = static_bound(kill, worth, value, 150)
        print(f"{weapons:4d} × {targets:<4d} gap {100.0 * (1.0 - value / bound):.2f} %, {took:.3f} s", flush=True)


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
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--milp", action="store_true")
    parser.add_argument("--static", action="store_true")
    parser.add_argument("--latency", type=int, default=0)
    args = parser.parse_args()
    if args.milp:
        prove(args.count)
    elif args.static:
        static()
    elif args.latency:
        latency(args.latency)
    else:
        frozen(args.count, args.steps)


if __name__ == "__main__":
    main()
