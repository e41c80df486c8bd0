"""What becomes of the rounds of random raids, for the benchmarks beside this file."""

import math
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from opencram.evaluation.metrics import gate, wilson
from opencram.messages import Health, Impact
from opencram.simulation.model import WorldConfig
from opencram.simulation.streams import stream
from opencram.simulation.truth import truth_document
from tracking_runs import configure, flown, follow

LATE_S = 1.5  # an impact older than this is none
BELIEF_M_S_STD = 2.0  # of the wind that the tracker is told, about the true one


@dataclass
class Scored:
    """One raid: counts, delays of confirmation (s), and rows of round, age (s), squared error, squared distance and
    variance (m²), the last three NaN where no impact was predicted."""

    counts: Counter
    delays_s: list[float]
    rows: list[list[float]]
    spent_s: float


def scored(world: WorldConfig, ages_s: Sequence[float]) -> Scored:
    """Return what became of one raid; ages count from the first plot, negative ones before the impact."""
    plots, origins, state = flown(world)
    wrong = stream(world.seed, "belief").normal(0.0, BELIEF_M_S_STD, 2)
    wind = (world.air.wind_east_m_s + float(wrong[0]), world.air.wind_north_m_s + float(wrong[1]))
    begin_s = time.process_time()
    said = follow(plots, origins, *configure(world, wind_m_s=wind, wind_m_s_std=4.0))
    spent_s = time.process_time() - begin_s
    found, first = said.identities(), said.first_seen_t_ns()
    truth = truth_document(world, state)["rounds"]
    impacts: dict[int, list[Impact]] = {}
    for message in said.messages:
        if isinstance(message, Impact):
            impacts.setdefault(message.track_id, []).append(message)
    rows = []
    for number in range(len(world.rounds)):
        tracks = sorted(track for track, owner in found.owners.items() if owner == number)
        if not tracks:
            continue
        landed_ns = int(np.datetime64(truth[number]["impact_time"].rstrip("Z"), "ns").astype(np.int64))
        for age in ages_s:
            at_ns = landed_ns + round(age * 1e9) if age < 0 else first[number] + round(age * 1e9)
            if at_ns > landed_ns - round(2.9e9):
                continue
            known = [m for t in tracks for m in impacts.get(t, []) if at_ns - LATE_S * 1e9 <= m.t_ns <= at_ns]
            own = [m for m in known if m.track_id == known[0].track_id]
            rows.append([number, age, *(_judged(own[-1], truth[number]["impact_enu_m"]) if own else [math.nan] * 3)])
    counts = Counter(
        objects=found.objects, missed=len(found.missed), double=found.doubles, breaks=found.breaks, swaps=found.swaps,
        false=len(found.false), told=sum(isinstance(m, Health) for m in said.messages), plots=len(plots),
    )  # fmt: skip
    return Scored(counts, list(found.delay_s.values()), rows, spent_s)


def _judged(impact: Impact, true_enu_m: list[float]) -> list[float]:
    ee, en, nn = impact.covariance_enu_m2
    error = np.array(impact.position_enu_m[:2]) - np.array(true_enu_m[:2])
    distance_2 = float(error @ np.linalg.solve(np.array([[ee, en], [en, nn]]), error))
    return [float(error @ error), distance_2, ee + nn]


def show(name: str, parts: Sequence[Scored], ages_s: Sequence[float]) -> list[dict]:
    """Print the lines of one case; return them."""
    counts: Counter = sum((part.counts for part in parts), Counter())
    delays = np.array([delay for part in parts for delay in part.delays_s])
    print(
        f"{name}: {counts['objects']} objects, {counts['missed']} missed, {counts['double']} double, "
        f"{counts['breaks']} breaks, {counts['swaps']} swaps, {counts['false']} false; confirmed after "
        f"{delays.mean():.2f} s, 90 % {np.percentile(delays, 90):.2f} s; {counts['told']} health messages; "
        f"{counts['plots'] / sum(part.spent_s for part in parts):.0f} plots/s"
    )
    rows = np.array([row for part in parts for row in part.rows]).reshape(-1, 5)
    found = []
    for age in ages_s:
        own = rows[rows[:, 1] == age]
        good = own[np.isfinite(own[:, 2])]
        if not len(good):
            continue
        held = wilson(int((good[:, 3] <= gate(2, 0.95)).sum()), len(good))
        line = {
            "name": name,
            "age_s": age,
            "rounds": len(own),
            "predicted": len(good),
            "rmse_m": math.sqrt(good[:, 2].mean()),
            "trimmed_m": math.sqrt(np.sort(good[:, 2])[: math.ceil(0.95 * len(good))].mean()),
            "median_m": math.sqrt(float(np.median(good[:, 2]))),
            "std_m": math.sqrt(float(np.median(good[:, 4]))),
            "nees": math.sqrt(np.minimum(good[:, 3], 100.0).mean() / 2.0),
            "coverage": held.share,
            "interval": (held.low, held.high),
        }
        found.append(line)
        print(
            f"  {age:5.0f} s {line['predicted']:5} of {line['rounds']:5}  RMSE {line['rmse_m']:7.1f}  best 95 % "
            f"{line['trimmed_m']:7.1f}  median {line['median_m']:6.1f}  claimed {line['std_m']:6.1f}  "
            f"×{line['nees']:.2f}  {held.share:.3f} [{held.low:.3f}, {held.high:.3f}]"
        )
    sys.stdout.flush()
    return found
