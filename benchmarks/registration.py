"""What constant biases between radars do to tracks and impacts: the same raids with and without them.

    python benchmarks/registration.py [--raids 100] [--seed 1] [--radars 2 3] [--case none all one]
        [--rounds 3 6] [--jobs 1] [--json FILE]

Each raid draws its own site, radars (3 to 20 m, 0.5 to 3 mrad, 2 to 10 Hz, up to 4 km from the origin), weather and
rounds (`simulation.raids`), launched within 40 s, so that later rounds meet radars that the tracker has heard of.
Cases, of the same raids with the same noise:

  none    radars without bias
  all     each radar has a bias of its own in each component: 10 to 50 m, and 0.5 to 3 mrad of each angle
  one     only the last radar has

Columns: objects with at least 8 plots, those without a track, tracks of an object that another track is of already
(double), objects that changed tracks (breaks), swaps, false tracks, seconds from the first plot to confirmation (mean,
90 %).  Impacts at ages from the first plot and 3 s before the impact: root mean square error (m), median, root mean
square of errors over claimed deviations (1 is honest), share of 95 % ellipses that hold the impact.
"""

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from opencram.simulation.model import WorldConfig
from opencram.simulation.raids import Spread, random_raid
from opencram.simulation.streams import stream
from raid_scores import Scored, scored, show

CASES = ("none", "all", "one")
AGES_S = (3.0, 5.0, 8.0, 12.0, -3.0)  # −3: before the impact
RANGE_M, ANGLE_RAD = (10.0, 50.0), (0.5e-3, 3e-3)


def raid(seed: int, radars: int, rounds: tuple[int, int], case: str) -> WorldConfig:
    """Return the raid of a seed, its radars biased as the case says."""
    spread = Spread(
        radars=(radars, radars),
        rounds=rounds,
        launch_s=(3.0, 40.0),
        range_m_std=(3.0, 20.0),
        angle_rad_std=(0.5e-3, 3e-3),
        radar_m_max=4000.0,
    )
    world = random_raid(seed, spread)
    draws = stream(seed, "benchmark/biases")
    biased = []
    for k, radar in enumerate(world.radars):
        sizes = np.array([draws.uniform(*span) for span in (RANGE_M, ANGLE_RAD, ANGLE_RAD)])
        bias = (sizes * draws.choice([-1.0, 1.0], 3)).tolist()
        if case == "none" or (case == "one" and k < radars - 1):
            bias = [0.0, 0.0, 0.0]
        biased.append(replace(radar, range_m_bias=bias[0], azimuth_rad_bias=bias[1], elevation_rad_bias=bias[2]))
    return replace(world, radars=tuple(biased))


def score(radars: int, rounds: tuple[int, int], case: str, seed: int) -> Scored:
    """Return what became of one raid."""
    return scored(raid(seed, radars, rounds, case), AGES_S)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raids", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--radars", type=int, nargs="+", default=[2, 3])
    parser.add_argument("--rounds", type=int, nargs=2, default=[3, 6])
    parser.add_argument("--case", nargs="+", choices=CASES, default=CASES)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures")
    chosen = parser.parse_args()
    seeds = [chosen.seed * 100_000 + k for k in range(chosen.raids)]
    found = []
    print(f"{chosen.raids} raids, seed {chosen.seed}")
    for radars in chosen.radars:
        for case in chosen.case:
            work = partial(score, radars, tuple(chosen.rounds), case)
            if chosen.jobs > 1:
                with ProcessPoolExecutor(chosen.jobs) as pool:
                    parts = list(pool.map(work, seeds, chunksize=2))
            else:
                parts = [work(seed) for seed in seeds]
            found += show(f"{radars} radars, {case}", parts, AGES_S)
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
