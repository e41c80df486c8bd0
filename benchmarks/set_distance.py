"""OSPA and GOSPA of opencram's tracks and of Stone Soup's, on the same plots in the same run.

    python benchmarks/set_distance.py [--raids 3] [--rounds 24] [--seed 1] [--firing 10] [--seconds 30] [--python PEER]

Ripples with crossing paths (`ripple.py`), one radar of 10 m and 1.5 mrad at 10 Hz.  Once a second the set of true
positions (rounds between their first and their last plot) is held against the set of track positions: of opencram
the tracks that are confirmed or coasting and projectiles more likely than not, of Stone Soup every track that it has.
Distances are root mean squares over the seconds, order 2; definitions in `opencram.evaluation.metrics`.  Intervals are
over raids (bootstrap, 95 %).  The peer's set-up is that of `stonesoup_peer.py`, in the environment of
`process_speed.py`.
"""

import argparse
import json
import math
import subprocess
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from opencram.evaluation.metrics import gospa, ospa
from opencram.messages import Plot, Track
from opencram.simulation.flights import positions_at
from opencram.simulation.model import WorldConfig
from opencram.simulation.world import WorldState
from process_speed import peer_python
from ripple import raid
from tracking_runs import bootstrap, configure, flown, follow

CUTOFF_M = 100.0
S = 1_000_000_000
Sets = dict[int, list[tuple[float, ...]]]  # positions (m, site's frame) at each whole second


def truth(plots: list[Plot], origins: tuple[int, ...], state: WorldState, seconds: list[int]) -> Sets:
    """Return where the rounds are that have been seen and will be seen again."""
    spans: dict[int, list[int]] = {}
    for plot, origin in zip(plots, origins, strict=True):
        if origin >= 0:
            spans.setdefault(origin, [plot.t_ns, plot.t_ns])[1] = plot.t_ns
    found: Sets = {t_ns: [] for t_ns in seconds}
    for number, (first_ns, last_ns) in spans.items():
        body = state.bodies[number]
        for t_ns in seconds:
            if first_ns <= t_ns <= last_ns:
                place = positions_at(body.flight, np.array([(t_ns - body.start_t_ns) * 1e-9]))[0][0]
                found[t_ns].append(tuple(place.tolist()))
    return found


def own(config: WorldConfig, plots: list[Plot], origins: tuple[int, ...], seconds: list[int]) -> Sets:
    """Return where opencram says that projectiles are."""
    tracker, predictor = configure(config, wind_m_s=(2.0, -1.0), wind_m_s_std=4.0)
    said = follow(plots, origins, replace(tracker, report_s=0.0), predictor)
    found: Sets = {t_ns: [] for t_ns in seconds}
    for message in said.messages:
        if not isinstance(message, Track) or message.t_ns not in found:
            continue
        if message.status in ("confirmed", "coasting") and message.projectile_probability >= 0.5:
            found[message.t_ns].append(message.position_enu_m)
    return found


def peer(config: WorldConfig, plots: list[Plot], seconds: list[int], python: Path) -> Sets:
    """Return where Stone Soup says that tracks are."""
    radar = config.radars[0]
    keys = {
        "site": {"latitude": config.latitude_rad, "longitude": config.longitude_rad},
        "sensor": {"latitude": radar.latitude_rad, "longitude": radar.longitude_rad},
    }
    place = {
        name: "".join(f"{key}_deg = {math.degrees(value)!r}\n" for key, value in each.items())
        for name, each in keys.items()
    }
    site = (
        f"[site]\n{place['site']}height_m = {config.height_m}\n[[sensor]]\nid = '{radar.id}'\n{place['sensor']}"
        f"height_m = {radar.height_m}\nrange_std_m = {radar.range_m_std}\n"
        f"azimuth_std_mrad = {radar.azimuth_rad_std * 1e3}\nelevation_std_mrad = {radar.elevation_rad_std * 1e3}\n"
    )
    lines = [
        {
            "time": _iso(plot.t_ns), "sensor": plot.sensor, "range_m": plot.range_m,
            "azimuth_deg": math.degrees(plot.azimuth_rad), "elevation_deg": math.degrees(plot.elevation_rad),
        }
        for plot in plots
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("site.toml", "plots.ndjson", "events.ndjson")]
        paths[0].write_text(site)
        paths[1].write_text("".join(json.dumps(line) + "\n" for line in lines))
        script = Path(__file__).with_name("stonesoup_peer.py")
        command = [python, script, paths[0], paths[1], "--events", paths[2]]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        events = [json.loads(line) for line in paths[2].read_text().splitlines()]
    wanted = {_iso(t_ns): t_ns for t_ns in seconds}
    found: Sets = {t_ns: [] for t_ns in seconds}
    for event in events:
        if event["time"] in wanted:
            found[wanted[event["time"]]].append(tuple(event["position_enu_m"]))
    return found


def _iso(t_ns: int) -> str:
    """Return a time as RFC 3339, to the microsecond."""
    moment = datetime.fromtimestamp(t_ns // S, UTC) + timedelta(microseconds=t_ns % S // 1000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def compared(rounds: int, seed: int, firing_s: float, length_s: float, python: Path) -> np.ndarray:
    """Return mean squares (2, 5): of OSPA, GOSPA; and means of missed, false and true tracks, of either tracker."""
    config = raid(rounds, seed, cell=False, radars=1, firing_s=firing_s)
    plots, origins, state = flown(config)
    kept = [plot for plot in plots if plot.t_ns <= plots[0].t_ns + round(length_s * S)]
    times = sorted({plot.t_ns for plot in kept})
    seconds = times[10::10]
    real = truth(plots, origins, state, seconds)
    rows = []
    for found in (own(config, kept, origins[: len(kept)], seconds), peer(config, kept, seconds, python)):
        line = []
        for t_ns in seconds:
            one = ospa(real[t_ns], found[t_ns], cutoff=CUTOFF_M)
            other = gospa(real[t_ns], found[t_ns], cutoff=CUTOFF_M)
            line.append((one.distance**2, other.distance**2, other.missed, other.false, len(real[t_ns])))
        rows.append(np.mean(line, axis=0))
    return np.array(rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raids", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--firing", type=float, default=10.0, help="seconds from the first round to the last")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each raid, from its first plot on")
    parser.add_argument("--python", type=Path, help="of an environment with Stone Soup")
    chosen = parser.parse_args()
    python = chosen.python or peer_python()
    seeds = range(chosen.seed * 10_000, chosen.seed * 10_000 + chosen.raids)
    found = np.array([compared(chosen.rounds, s, chosen.firing, chosen.seconds, python) for s in seeds])
    print(f"{chosen.raids} ripples of {chosen.rounds}, seed {chosen.seed}, first {chosen.seconds:g} s, one radar")
    print(
        f"cutoff {CUTOFF_M:g} m, order 2; each second {found[0, 0, 4]:.1f} rounds in the air in the mean of the first"
    )
    for k, name in enumerate(("opencram", "Stone Soup")):
        rows = found[:, k]
        cells = []
        for column, label in ((0, "OSPA"), (1, "GOSPA")):
            low, high = bootstrap(rows[:, column], lambda values: math.sqrt(values.mean()))
            cells.append(f"{label} {math.sqrt(rows[:, column].mean()):6.1f} m [{low:.1f}, {high:.1f}]")
        print(f"{name:11} {'  '.join(cells)}  missed {rows[:, 2].mean():.2f}  false {rows[:, 3].mean():.2f} a second")


if __name__ == "__main__":
    main()
