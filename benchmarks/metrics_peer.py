"""OSPA and GOSPA beside Stone Soup's, on the same random sets of points, in the same run.

    python benchmarks/metrics_peer.py [--sets 300] [--seed 1]

The peer lives in the environment of `process_speed.py`.  Prints the differences (m) and the time of each.
OSPA is compared at order 1 and 2.  Stone Soup 1.9 assigns by the sum of distances and raises them to the order only
afterwards, which is the definition at order 1 alone; at order 2 its value can only be larger, and the table
says by how much.
"""

import argparse
import datetime
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

CUTOFF_M = 50.0
Sets = list[tuple[list[list[float]], list[list[float]]]]


def draw(count: int, seed: int) -> Sets:
    """Return pairs of sets of 0 to 20 points in a cube of 300 m, half of them near one another."""
    draws = np.random.default_rng(seed)
    found: Sets = []
    while len(found) < count:
        truth = draws.uniform(0.0, 300.0, (int(draws.integers(0, 21)), 3))
        near = truth[draws.random(len(truth)) < 0.8]
        near = near + draws.normal(0.0, 15.0, near.shape)
        estimates = np.concatenate([near, draws.uniform(0.0, 300.0, (int(draws.integers(0, 4)), 3))])
        if len(truth) or len(estimates):
            found.append((truth.tolist(), estimates.tolist()))
    return found


def own(sets: Sets) -> list[tuple[float, ...]]:
    """Return OSPA of order 1 and 2, and GOSPA, of each pair by opencram."""
    from opencram.evaluation.metrics import gospa, ospa

    return [
        (
            ospa(t, e, cutoff=CUTOFF_M, order=1.0).distance,
            ospa(t, e, cutoff=CUTOFF_M).distance,
            gospa(t, e, cutoff=CUTOFF_M).distance,
        )
        for t, e in sets
    ]


def peers(sets: Sets) -> list[tuple[float, ...]]:
    """Return OSPA of order 1 and 2, and GOSPA, of each pair by Stone Soup."""
    from stonesoup.metricgenerator.ospametric import GOSPAMetric, OSPAMetric
    from stonesoup.types.array import StateVector
    from stonesoup.types.state import State

    when = datetime.datetime(2026, 1, 1)
    first, second, gospa = OSPAMetric(c=CUTOFF_M, p=1), OSPAMetric(c=CUTOFF_M, p=2), GOSPAMetric(c=CUTOFF_M, p=2)
    found = []
    for truth, estimates in sets:
        one = [State(StateVector(point), timestamp=when) for point in truth]
        other = [State(StateVector(point), timestamp=when) for point in estimates]
        by_set = gospa.compute_gospa_metric(other, one)
        by_set = by_set[0] if isinstance(by_set, tuple) else by_set
        by_order = [float(each.compute_OSPA_distance(other, one).value) for each in (first, second)]
        found.append((*by_order, float(by_set.value["distance"])))
    return found


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peer", action="store_true", help="answer as the peer, in JSON")
    parser.add_argument("--python", type=Path, help="of an environment with Stone Soup")
    chosen = parser.parse_args()
    sets = draw(chosen.sets, chosen.seed)
    begin_s = time.process_time()
    found = peers(sets) if chosen.peer else own(sets)
    spent_s = time.process_time() - begin_s
    if chosen.peer:
        print(json.dumps({"found": found, "seconds": spent_s}))
        return
    if chosen.python is None:
        from process_speed import peer_python

        chosen.python = peer_python()
    command = [chosen.python, __file__, "--peer", "--sets", str(chosen.sets), "--seed", str(chosen.seed)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    difference = np.array(told["found"]) - np.array(found)
    print(f"{len(sets)} pairs of sets, seed {chosen.seed}, cutoff {CUTOFF_M:g} m; Stone Soup less opencram, m")
    for name, column in zip(("OSPA, order 1", "OSPA, order 2", "GOSPA, order 2"), difference.T, strict=True):
        print(f"{name:14}  least {column.min():9.1e}  most {column.max():9.1e}  differing {(abs(column) > 1e-6).sum()}")
    print(f"seconds: opencram {spent_s:.3f}, Stone Soup {told['seconds']:.3f}")
    if np.abs(difference[:, [0, 2]]).max() > 1e-6 or difference[:, 1].min() < -1e-6:
        sys.exit("they differ")


if __name__ == "__main__":
    main()
