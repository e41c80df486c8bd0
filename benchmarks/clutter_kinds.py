"""One kind of clutter at a time, much thicker than it comes: how many false projectiles it makes.

    python benchmarks/clutter_kinds.py guns|jets [--seed 2001] [--seeds 1]

Each seed is an hour of the radar that `clutter_day.py` draws for it, with its false plots and nothing else but 177
machine guns one after another (531 bursts of ten tracers; a day of `clutter_day.py` has 288), or 60 fast jets that
climb, dive and turn (a day has 72).  The tracker is told one zone, a circle of 1 km about the middle of the site.
"""

import argparse
from dataclasses import replace

from clutter_day import SITE_M, START_T_NS, _gun, _traffic, hour
from opencram import tracking
from opencram.messages import Track
from opencram.simulation import world
from opencram.simulation.model import WorldConfig
from opencram.simulation.streams import stream
from tracking_runs import configure, dwells

EVERY_S, GUNS, JETS = 20.0, 177, 60


def thick(kind: str, seed: int) -> WorldConfig:
    """Return an hour of one kind."""
    draws, config = stream(seed, f"lab/{kind}"), hour(0, 0, 0, seed)
    config = replace(config, traffic=(), outgoing=(), rain=(), ground_echoes=(), gunfire=())
    if kind == "jets":
        jets = [
            m for _ in range(JETS // 3) for m in _traffic(draws, START_T_NS) if m.name.startswith("aircraft/1/300/")
        ]
        return replace(config, traffic=tuple(replace(m, name=f"{m.name}/{k}") for k, m in enumerate(jets)))
    guns = []
    for k in range(GUNS):
        gun = _gun(draws, START_T_NS, k)
        guns.append(replace(gun, start_t_ns=START_T_NS + round((10.0 + EVERY_S * k + draws.uniform(0.0, 4.0)) * 1e9)))
    return replace(config, gunfire=tuple(guns))


def false(config: WorldConfig) -> dict[int, Track]:
    """Return the tracks that are once confirmed as projectiles, as they were then."""
    tracker, _ = configure(config, wind_m_s_std=4.0, defended_m=SITE_M)
    state, seen, found = tracking.initial(tracker), world.initial(config), {}
    for minute in range(1, 61):
        seen, plots = world.scan(config, seen, config.start_t_ns + minute * 60_000_000_000)
        for batch in dwells(plots):
            state, said = tracking.step(tracker, state, batch)
            for message in said:
                if type(message) is Track and message.status == "confirmed" and message.projectile_probability >= 0.5:
                    found.setdefault(message.track_id, message)
    return found


def main() -> None:
    """Print a line for each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("guns", "jets"))
    parser.add_argument("--seed", type=int, default=2001)
    parser.add_argument("--seeds", type=int, default=1, help="this seed and so many after it")
    chosen = parser.parse_args()
    total = 0
    for seed in range(chosen.seed, chosen.seed + chosen.seeds):
        config = thick(chosen.kind, seed)
        found = false(config)
        total += len(found)
        print(f"seed {seed}, a scan every {config.radars[0].period_s:g} s: {len(found)} false", flush=True)
    print(f"{chosen.kind}: {total} false in {chosen.seeds} hours")


if __name__ == "__main__":
    main()
