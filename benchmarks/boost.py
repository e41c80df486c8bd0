"""Rockets that a radar sees under thrust: how soon they are confirmed, how well their impacts are known, what is lost.

    python benchmarks/boost.py [--raids 100] [--seed 1] [--burn 0 1 2] [--jobs 1] [--json FILE]

Random raids of rockets (`simulation.raids`) from 2.5 to 6 km, one radar within 3 km of the site (3 to 15 m, 0.5 to 2.5
mrad, 8 to 15 Hz).  A burn of 0: rockets leave at burn-out; else their motors burn for so many seconds, ± 20 %.
Columns as in `registration.py`; ages count from the first plot, which may be of the boost.
"""

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from opencram.simulation.model import WorldConfig
from opencram.simulation.raids import Spread, random_raid
from raid_scores import Scored, scored, show

AGES_S = (3.0, 5.0, 8.0, 12.0, -3.0)  # −3: before the impact


def raid(seed: int, burn_s: float) -> WorldConfig:
    """Return the raid of a seed."""
    spread = Spread(
        names=("107 mm rocket", "122 mm rocket"), rounds=(2, 4), range_m=(2500.0, 6000.0), launch_s=(3.0, 20.0),
        radars=(1, 1), range_m_std=(3.0, 15.0), angle_rad_std=(0.5e-3, 2.5e-3), rate_hz=(8.0, 15.0),
        burn_s=(0.8 * burn_s, 1.2 * burn_s) if burn_s else None,
    )  # fmt: skip
    return random_raid(seed, spread)


def score(burn_s: float, seed: int) -> Scored:
    """Return what became of one raid."""
    return scored(raid(seed, burn_s), AGES_S)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raids", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--burn", type=float, nargs="+", default=[0.0, 1.0, 2.0], help="seconds of thrust")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures")
    chosen = parser.parse_args()
    seeds = [chosen.seed * 100_000 + k for k in range(chosen.raids)]
    found = []
    print(f"{chosen.raids} raids, seed {chosen.seed}")
    for burn_s in chosen.burn:
        work = partial(score, burn_s)
        if chosen.jobs > 1:
            with ProcessPoolExecutor(chosen.jobs) as pool:
                parts = list(pool.map(work, seeds, chunksize=2))
        else:
            parts = [work(seed) for seed in seeds]
        found += show(f"burn {burn_s:g} s", parts, AGES_S)
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
