"""Street by street, the whole site, or circles: who is warned in time, and who shelters for nothing.

    python benchmarks/warning_study.py [--raids 1000] [--seed 1] [--flights out/flights]

Random raids of 2 to 6 rounds on a made town of 36 km² (`warning_flights`), each flown once through tracking and
prediction and kept in a folder, so that the study may be stopped and resumed.  Every policy meets the same
predictions, and its people hear it `LATENCY_S` after the decision.

- streets: `opencram.threat` and `opencram.warning` as they stand.
- whole site: everybody, from the first predicted impact in the town to the all-clear.
- circles: every block within the radius of the first predicted impact, and of each later one that moved out of it.

People are exposed where the hazard disc of a true impact lies over their block.  They are missed if no alarm has
reached them by the impact.  Sheltering is needless in blocks that no hazard disc touched.  Intervals: 95 %,
by bootstrap over raids (2 000 resamples, the same for all policies).
"""

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from opencram import threat, warning
from opencram.messages import Impact, Message, Tick, Track, Warning
from opencram.threat.config import Place
from opencram.warning.config import Zone
from warning_flights import Block, Fallen, Flown, flown_raids, overlap, town

HAZARD_M = 50.0
DWELL_S = 600.0
LATENCY_S = 1.0
CIRCLES_M = (300.0, 500.0, 1000.0)
LEADS_S = (5.0, 10.0, 15.0)
TICK_NS, LATE_TICK_NS = 100_000_000, 10_000_000_000
RESAMPLES = 2000

Spell = tuple[int, int]  # an alarm: from when people hear it, to its end (ns)
Spells = dict[str, list[Spell]]


@dataclass(frozen=True)
class Town:
    """The blocks, and what the stages know of them."""

    blocks: list[Block]
    threat: threat.Config
    threat_state: threat.State
    warning: warning.Config

    @classmethod
    def of(cls, blocks: list[Block]) -> "Town":
        """Return the town with its stages made ready."""
        places = tuple(Place(kind="zone", id=b.id, polygon_m=b.polygon_m, people=b.people) for b in blocks)
        zones = tuple(
            Zone(
                id=b.id,
                people=b.people,
                shelter_time_s=b.shelter_time_s,
                half_width_m=0.5 * math.sqrt(overlap(b.polygon_m, b.polygon_m[0], 1e6)) + HAZARD_M,
            )
            for b in blocks
        )
        config = threat.Config(places=places, hazard_radius_m=HAZARD_M)
        return cls(
            blocks=blocks,
            threat=config,
            threat_state=threat.initial(config),
            warning=warning.Config(zones=zones, latency_s=LATENCY_S, dwell_s=DWELL_S),
        )


def streets(where: Town, flown: Flown) -> Spells:
    """Return the alarms of opencram's own stages."""
    state, said, k = warning.initial(where.warning), [], 0
    t_ns, end_ns = flown.start_t_ns, flown.end_t_ns + round((DWELL_S + 100.0) * 1e9)
    while t_ns < end_ns:
        t_ns += TICK_NS if t_ns < flown.end_t_ns else LATE_TICK_NS
        heard: list[Message] = []
        while k < len(flown.said) and flown.said[k].t_ns <= t_ns:
            one = flown.said[k]
            k += 1
            heard += threat.step(where.threat, where.threat_state, [one])[1] if isinstance(one, Impact) else [one]
        state, out = warning.step(where.warning, state, [*heard, Tick(t_ns=t_ns)])
        said += [each for each in out if isinstance(each, Warning)]
    return _spells(said, end_ns)


def _spells(said: Sequence[Warning], end_ns: int) -> Spells:
    spells: Spells = {}
    begun: dict[str, int] = {}
    for each in said:
        if each.state == "issued":
            begun[each.zone] = each.t_ns
        elif each.state in ("cancelled", "all_clear", "expired"):
            spells.setdefault(each.zone, []).append(_heard(begun.pop(each.zone), each.t_ns))
    for zone, t_ns in begun.items():
        spells.setdefault(zone, []).append(_heard(t_ns, end_ns))
    return spells


def _heard(begin_ns: int, end_ns: int) -> Spell:
    return begin_ns + round(LATENCY_S * 1e9), end_ns + round(LATENCY_S * 1e9)


def _projectiles(flown: Flown) -> list[Impact]:
    return [m for m in flown.said if isinstance(m, Impact) and m.projectile_probability >= 0.5]


def _last_fall_ns(flown: Flown) -> int:
    ends = [m.t_ns for m in flown.said if isinstance(m, Track) and m.reason == "impact"]
    return max(ends, default=flown.end_t_ns)


def whole_site(where: Town, flown: Flown) -> Spells:
    """Return one alarm for everybody, from the first predicted impact within the town."""
    reach = max(abs(x) for block in where.blocks for corner in block.polygon_m for x in corner) + HAZARD_M
    begin = next((m.t_ns for m in _projectiles(flown) if max(map(abs, m.position_enu_m[:2])) <= reach), None)
    if begin is None:
        return {}
    spell = _heard(begin, _last_fall_ns(flown) + round(DWELL_S * 1e9))
    return {block.id: [spell] for block in where.blocks}


def circles(where: Town, flown: Flown, radius_m: float) -> Spells:
    """Return alarms of blocks within a radius of where each round was first, and later anew, predicted to fall."""
    begun: dict[str, int] = {}
    centres: dict[int, tuple[float, float]] = {}
    end_ns = _last_fall_ns(flown) + round(DWELL_S * 1e9)
    for each in _projectiles(flown):
        place = each.position_enu_m[:2]
        old = centres.get(each.track_id)
        if old is not None and math.dist(old, place) <= radius_m:
            continue
        centres[each.track_id] = place
        for block in where.blocks:
            if block.id not in begun and touches(block, place, radius_m):
                begun[block.id] = each.t_ns
    return {zone: [_heard(t_ns, end_ns)] for zone, t_ns in begun.items()}


def touches(block: Block, centre_m: tuple[float, float], radius_m: float) -> bool:
    """Return whether a disc lies over a block."""
    far = max(math.dist(corner, block.polygon_m[0]) for corner in block.polygon_m)
    return (
        math.dist(block.polygon_m[0], centre_m) <= far + radius_m and overlap(block.polygon_m, centre_m, radius_m) > 1.0
    )


def exposed(where: Town, fallen: Sequence[Fallen]) -> list[tuple[str, float, int]]:
    """Return block, people within the hazard disc, and time of impact, for every round and every block it touched."""
    found = []
    for fall in fallen:
        for block in where.blocks:
            if touches(block, (fall.east_m, fall.north_m), HAZARD_M):
                area = overlap(block.polygon_m, block.polygon_m[0], 1e6)
                share = overlap(block.polygon_m, (fall.east_m, fall.north_m), HAZARD_M) / area
                found.append((block.id, block.people * share, fall.t_ns))
    return found


# Columns of a score: exposed, of them warned ≥ 5, 10, 15 s ahead, of them missed; person-minutes of needless shelter;
# people who sheltered for nothing; alarms in blocks that nothing touched.
COLUMNS = 8


def score(where: Town, spells: Spells, hits: Sequence[tuple[str, float, int]]) -> np.ndarray:
    """Return one row of figures of one policy in one raid."""
    row = np.zeros(COLUMNS)
    touched = {zone for zone, _, _ in hits}
    for zone, people, t_ns in hits:
        leads = [(t_ns - begin) / 1e9 for begin, end in spells.get(zone, []) if begin <= t_ns < end]
        lead_s = max(leads, default=-1.0)
        row[0] += people
        row[1:4] += [people * (lead_s >= each) for each in LEADS_S]
        row[4] += people * (lead_s < 0.0)
    for block in where.blocks:
        if block.id not in touched and block.id in spells:
            row[5] += block.people * sum((end - begin) / 60e9 for begin, end in spells[block.id])
            row[6] += block.people * len(spells[block.id])
            row[7] += len(spells[block.id])
    return row


def with_interval(values: np.ndarray, digits: int, scale: float = 1.0) -> str:
    """Return the first value and the 2.5 and 97.5 percentiles of the others, as text."""
    low, high = np.percentile(values[1:], (2.5, 97.5))
    return f"{scale * values[0]:.{digits}f} [{scale * low:.{digits}f}, {scale * high:.{digits}f}]"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raids", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--flights", type=Path, default=Path("out/flights"))
    arguments = parser.parse_args()
    where = Town.of(town())
    policies = ("streets", "whole site", *(f"circles {radius_m:.0f} m" for radius_m in CIRCLES_M))
    rows = []
    for flown in flown_raids(arguments.flights, arguments.seed, arguments.raids):
        hits = exposed(where, flown.fallen)
        all_spells = [streets(where, flown), whole_site(where, flown)]
        all_spells += [circles(where, flown, radius_m) for radius_m in CIRCLES_M]
        rows.append([score(where, spells, hits) for spells in all_spells])
    scores = np.array(rows)  # (raids, policies, columns)
    draws = np.random.default_rng(1).integers(0, len(scores), (RESAMPLES, len(scores)))
    sums = np.concatenate(([scores.sum(axis=0)], [scores[draw].sum(axis=0) for draw in draws]))
    print(f"{len(scores)} raids, seed {arguments.seed}; {sum(block.people for block in where.blocks)} people")
    heads = [f"warned ≥ {lead_s:.0f} s, %" for lead_s in LEADS_S] + ["missed, %", "needless person-min a raid"]
    print(" | ".join(["policy", *heads, "of the whole site's, %", "alarms in vain a raid"]))
    for k, name in enumerate(policies):
        shares = [with_interval(sums[:, k, column] / sums[:, k, 0], 2, 100.0) for column in range(1, 5)]
        minutes = with_interval(sums[:, k, 5] / len(scores), 0)
        ratio = with_interval(sums[:, k, 5] / sums[:, 1, 5], 3, 100.0)
        print(" | ".join([name, *shares, minutes, ratio, with_interval(sums[:, k, 7] / len(scores), 2)]))


if __name__ == "__main__":
    main()
