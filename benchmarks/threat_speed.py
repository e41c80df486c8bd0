"""How long 200 predicted impacts against 10 000 zones take, and how far the probabilities are from exact ones.

    python benchmarks/threat_speed.py [--zones 10000] [--tracks 200] [--checked 20] [--draws 1000000]

The zones are the crooked blocks of a town of 30 × 30 km (300 m a side at 10 000 zones); impacts are mixtures of two
Gaussians, elongated three to one, of 30 to 1000 m.  Times are of the processor, the median of five runs on one core,
messages included.  Every zone told of `--checked` impacts is integrated anew by another program, cut by cut
(`tests/threat/threat_exact.py`, error under 1e-6); with `--draws` one impact is compared with Monte Carlo as well.
"""

import argparse
import math
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "threat"))
from threat_exact import probability_near

from opencram import threat
from opencram.messages import Impact, ImpactComponent
from opencram.threat.config import Place

EXTENT_M = 15_000.0
STDS_M = (10.0, 30.0, 100.0, 200.0, 600.0, 1000.0)


def blocks(count: int, draws: np.random.Generator) -> tuple[Place, ...]:
    """Return `count` crooked four-cornered blocks without gaps."""
    n = math.ceil(math.sqrt(count))
    side = 2.0 * EXTENT_M / n
    corners = np.stack(np.meshgrid(np.arange(n + 1.0), np.arange(n + 1.0), indexing="ij"), axis=-1) * side - EXTENT_M
    corners[1:-1, 1:-1] += draws.uniform(-0.25, 0.25, (n - 1, n - 1, 2)) * side
    places = []
    for k in range(count):
        i, j = divmod(k, n)
        ring = [corners[i, j], corners[i + 1, j], corners[i + 1, j + 1], corners[i, j + 1]]
        polygon = tuple((float(east), float(north)) for east, north in ring)
        places.append(Place(kind="zone", id=f"z{k}", polygon_m=polygon, people=500))
    return tuple(places)


def impact(track_id: int, std_m: float, draws: np.random.Generator) -> Impact:
    """Return an impact somewhere in the town, long deviation `std_m`, short one a third of it."""
    centre = draws.uniform(-0.7 * EXTENT_M, 0.7 * EXTENT_M, 2)
    parts = []
    for probability, scale in ((0.7, 1.0), (0.3, 1.3)):
        angle = draws.uniform(0.0, math.pi)
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        covariance = turn @ np.diag([(scale * std_m) ** 2, (scale * std_m / 3.0) ** 2]) @ turn.T
        mean = centre + 0.3 * std_m * draws.normal(size=2)
        parts.append(
            ImpactComponent(
                class_name="rocket",
                probability=probability,
                east_m=float(mean[0]),
                north_m=float(mean[1]),
                covariance_m2=(float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 1])),
                impact_time_s_std=0.5,
                time_covariance_m_s=(0.0, 0.0),
            )
        )
    return Impact(
        t_ns=0,
        track_id=track_id,
        position_enu_m=(float(centre[0]), float(centre[1]), 0.0),
        covariance_enu_m2=(std_m**2, 0.0, std_m**2),
        latitude_deg=0.0,
        longitude_deg=0.0,
        impact_t_ns=20_000_000_000,
        impact_time_s_std=0.5,
        impact_velocity_enu_m_s=(0.0, 0.0, -200.0),
        projectile_probability=1.0,
        components=tuple(parts),
        path_enu_m=(),
    )


def within(ring: np.ndarray, points: np.ndarray, radius_m: float) -> np.ndarray:
    """Return which points (n, 2) lie inside a ring or within a radius of it, apart from the code under test."""
    inside, near = np.zeros(len(points), dtype=bool), np.zeros(len(points), dtype=bool)
    x, y = points.T
    for (ax, ay), (bx, by) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        dx, dy = bx - ax, by - ay
        t = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0.0, 1.0)
        near |= np.hypot(x - ax - t * dx, y - ay - t * dy) <= radius_m
        if ay != by:
            inside ^= ((ay > y) != (by > y)) & (x < ax + (y - ay) / dy * dx)
    return inside | near


def sampled_error(places: tuple[Place, ...], one: Impact, found: threat.State, count: int) -> tuple[float, float]:
    """Return the greatest difference of any zone's probability from Monte Carlo, and the latter's own deviation."""
    draws = np.random.default_rng(7)
    chosen = draws.choice(len(one.components), size=count, p=[part.probability for part in one.components])
    points = np.empty((count, 2))
    for k, part in enumerate(one.components):
        ee, en, nn = part.covariance_m2
        own = chosen == k
        root = np.linalg.cholesky([[ee, en], [en, nn]])
        points[own] = (part.east_m, part.north_m) + draws.normal(size=(int(own.sum()), 2)) @ root.T
    worst = 0.0
    rings = {place.id: np.array(place.polygon_m) for place in places}
    for each in found.places:
        ring = rings[each.place]
        low, high = ring.min(axis=0) - 50.0, ring.max(axis=0) + 50.0
        near = points[np.all((points >= low) & (points <= high), axis=1)]
        hits = int(np.sum(within(ring, near, 50.0)))
        worst = max(worst, abs(hits / count - each.probability))
    return worst, math.sqrt(0.25 / count)


def exact_error(
    places: tuple[Place, ...], impacts: Sequence[Impact], found: Sequence[threat.State]
) -> tuple[float, int]:
    """Return the greatest difference of any probability told from the exact one, and how many were compared."""
    worst, count = 0.0, 0
    rings = {place.id: np.array(place.polygon_m) for place in places}
    for one, said in zip(impacts, found, strict=True):
        mixture = np.array([(c.probability, c.east_m, c.north_m, *c.covariance_m2) for c in one.components])
        for each in said.places:
            worst = max(worst, abs(probability_near(rings[each.place], mixture, 50.0) - each.probability))
            count += 1
    return worst, count


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zones", type=int, default=10_000)
    parser.add_argument("--tracks", type=int, default=200)
    parser.add_argument("--checked", type=int, default=20)
    parser.add_argument("--draws", type=int, default=0)
    arguments = parser.parse_args()
    draws = np.random.default_rng(1)
    places = blocks(arguments.zones, draws)
    config = threat.Config(places=places)
    state = threat.initial(config)
    print(f"{arguments.zones} zones, {arguments.tracks} tracks; median of 5 runs, one core")
    print("long std m   zones listed a track   ms for all tracks   worst error (percentage points, of so many)")
    for std_m in STDS_M:
        impacts = [impact(k, std_m, draws) for k in range(arguments.tracks)]
        threat.step(config, state, impacts[:1])
        times_ms = []
        for _ in range(5):
            start = time.process_time()
            _, out = threat.step(config, state, impacts)
            times_ms.append(1e3 * (time.process_time() - start))
        listed = statistics.mean(len(message.places) for message in out)
        few = slice(arguments.checked)
        worst, count = exact_error(places, impacts[few], out[few])
        line = f"{std_m:10.0f} {listed:22.1f} {statistics.median(times_ms):19.1f} {100.0 * worst:12.5f} ({count})"
        if arguments.draws:
            worst, own = sampled_error(places, impacts[0], out[0], arguments.draws)
            line += f"   Monte Carlo {100.0 * worst:.4f} (itself ± {100.0 * own:.4f})"
        print(line, flush=True)


if __name__ == "__main__":
    main()
