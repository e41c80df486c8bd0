"""The life of a track: kept through a drop-out of two seconds, and ended as what it was: impact, interception, loss.

    python benchmarks/track_life.py [--raids 100] [--seed 1] [--gap 2]

Random raids (`simulation/raids.py`).  Every round loses its plots for `--gap` seconds once, 1 to 8 s after its third
plot.  A third of the rounds, in turn, fly to the ground; a third are destroyed half way between the drop-out and the
ground, which the tracker is told 0.3 s after the last plot, as an effector's `killed`; a third vanish there without a
word, as in the fade of a radar.  An identity is kept if the track that had most of the round's plots in the two seconds
before the drop-out has most of them in the two after it.  How a round ended is what its last track was dropped for.
Wreckage is left out.
"""

import argparse
from collections import Counter, defaultdict

import numpy as np

from opencram import tracking
from opencram.evaluation.metrics import wilson
from opencram.messages import Association, Engagement, Message, Plot, Track
from opencram.simulation.raids import random_raid
from opencram.simulation.streams import stream
from tracking_runs import configure, dwells, flown, numbered

S = 1_000_000_000
TOLD_NS = 3 * S // 10
ENDS = ("impact", "intercepted", "lost")
AROUND_NS = 2 * S
LEFT_S = 6.0  # of the flight, after the drop-out: a round with less is left whole


def cut(seed: int, gap_s: float) -> tuple[list[Plot], list[int], dict[int, tuple[int, str, int]], tuple]:
    """Return a raid's plots with holes, their rounds, each round's drop-out, end and when it is, and the setting."""
    config = random_raid(seed)
    plots, origins, _ = flown(config)
    draws, times = stream(seed, "holes"), defaultdict(list)
    for plot, origin in zip(plots, origins, strict=True):
        times[origin].append(plot.t_ns)
    holes: dict[int, tuple[int, str, int]] = {}
    for k, seen in sorted(times.items()):
        if k < 0 or len(seen) < 4:
            continue
        begin = seen[2] + round(draws.uniform(1.0, 8.0) * S)
        after = begin + round(gap_s * S)
        if seen[-1] - after < LEFT_S * S:
            continue
        end = ENDS[(seed + k) % 3]
        holes[k] = begin, end, seen[-1] if end == "impact" else (after + seen[-1]) // 2
    kept, owners = [], []
    for plot, origin in zip(plots, origins, strict=True):
        begin, _, last = holes.get(origin, (0, "", 1 << 62))
        if not (begin <= plot.t_ns < begin + round(gap_s * S)) and plot.t_ns <= last:
            kept.append(plot)
            owners.append(origin)
    return numbered(kept), owners, holes, configure(config, wind_m_s_std=4.0)


def follow(
    plots: list[Plot], owners: list[int], holes: dict[int, tuple[int, str, int]], config: tracking.Config
) -> tuple[dict[int, list[tuple[int, int]]], dict[int, str]]:
    """Return of each round when which track had its plots, and what each track was dropped for."""
    state = tracking.initial(config)
    had: dict[int, list[tuple[int, int]]] = defaultdict(list)
    dropped: dict[int, str] = {}
    waiting = {k: last + TOLD_NS for k, (_, end, last) in holes.items() if end == "intercepted"}
    for batch in dwells(plots):
        kills: list[Message] = []
        for k in [k for k, due in waiting.items() if due <= batch[-1].t_ns]:
            if had[k]:
                kills.append(_killed(batch[-1].t_ns, had[k][-1][1]))
            del waiting[k]
        state, said = tracking.step(config, state, [*kills, *batch])
        for message in said:
            if isinstance(message, Association):
                for plot_id, track_id in zip(message.plot_ids, message.track_ids, strict=True):
                    if track_id:
                        had[owners[plot_id - 1]].append((message.t_ns, track_id))
            elif isinstance(message, Track) and message.status == "dropped":
                dropped[message.track_id] = message.reason
    return had, dropped


def _killed(t_ns: int, track_id: int) -> Engagement:
    return Engagement(
        t_ns=t_ns, engagement_id=track_id, track_id=track_id, effector="gun", state="killed", rounds=1, fire_t_ns=t_ns,
        intercept_t_ns=t_ns, intercept_enu_m=(0.0, 0.0, 0.0), kill_probability=1.0,
    )  # fmt: skip


def most(had: list[tuple[int, int]], since_ns: int, until_ns: int) -> int:
    """Return the track that had most of a round's plots in a span of time; 0: none had any."""
    found = Counter(track for t_ns, track in had if since_ns <= t_ns < until_ns)
    return found.most_common(1)[0][0] if found else 0


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raids", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gap", type=float, default=2.0, help="seconds")
    chosen = parser.parse_args()
    kept, ends = [], Counter()
    for seed in range(chosen.seed * 10_000, chosen.seed * 10_000 + chosen.raids):
        plots, owners, holes, (config, _) = cut(seed, chosen.gap)
        had, dropped = follow(plots, owners, holes, config)
        for k, (begin, end, last) in holes.items():
            before = most(had[k], begin - AROUND_NS, begin)
            after = most(had[k], begin, begin + round(chosen.gap * S) + AROUND_NS)
            kept.append((before != 0, before == after, seed, k))
            final = most(had[k], last - AROUND_NS, last + 1)
            ends[end, dropped.get(final, "still followed") if final else "no track"] += 1
    table = np.array([(one, two) for one, two, _, _ in kept], dtype=bool)
    followed = table[:, 0]
    print(f"{len(table)} drop-outs of {chosen.gap:g} s, {int(followed.sum())} of rounds that had a track before")
    print(f"identity kept: {wilson(int((table[:, 1] & followed).sum()), int(followed.sum()))}")
    print("not kept:", [(seed, k) for one, two, seed, k in kept if one and not two])
    for end in ENDS:
        counts = {reason: count for (true, reason), count in ends.items() if true == end}
        print(f"ended by {end}: told so {wilson(counts.get(end, 0), sum(counts.values()))}; {counts}")


if __name__ == "__main__":
    main()
