"""From a plot to the impact it changes: seconds that a dwell spends in tracking and prediction, by number of tracks.

    python benchmarks/latency.py [--tracks 1 10 100 1000] [--dwells 200] [--warm 60] [--seed 1]

So many rockets are in the air at once, one radar of 10 Hz sees them all (95 % of plots, two false ones a scan).  After
`--warm` dwells, which start the tracks and are not counted, each dwell is timed from the call with its plots to the
return of its tracks and impacts, on the wall and by processor time: every plot of the dwell has waited that long.
The garbage collector runs as it does in the program.
"""

import argparse
import gc
import math
import time

import numpy as np

from opencram import prediction, tracking
from opencram.earth.geodesy import Frame, geodetic_from_enu
from opencram.messages import Impact, Message, Plot, Track
from opencram.runtime.warmup import GARBAGE_THRESHOLDS
from opencram.simulation.launch import velocity_of
from opencram.simulation.model import Air, Radar, Round, WorldConfig
from opencram.simulation.streams import stream
from tracking_runs import configure, dwells, flown

START_T_NS = 1_767_225_600_000_000_000
LATITUDE, LONGITUDE = math.radians(33.3), math.radians(44.4)


def crowd(tracks: int, seconds: float, seed: int) -> WorldConfig:
    """Return a world with so many rockets in the air from the first second on, well apart."""
    draws = stream(seed, f"latency/{tracks}")
    rounds = []
    for k in range(tracks):
        bearing, far = draws.uniform(0.0, 2.0 * math.pi), draws.uniform(6000.0, 12_000.0)
        east, north = far * math.sin(bearing), far * math.cos(bearing)
        rounds.append(
            Round(
                name=f"{k}",
                class_name="rocket",
                launch_t_ns=START_T_NS + round(draws.uniform(0.0, 1.0) * 1e9),
                position_enu_m=(east, north, -(far**2) / 12_742_000.0),
                velocity_enu_m_s=velocity_of(
                    draws.uniform(300.0, 380.0), bearing + math.pi + draws.normal(0.0, 0.3), draws.uniform(0.6, 0.9)
                ),
                ballistic_coefficient_kg_m2=1900.0,
            )
        )
    latitude, longitude, _ = geodetic_from_enu(Frame(LATITUDE, LONGITUDE, 0.0), [500.0, 500.0, 0.0])
    radar = Radar(
        id="radar", latitude_rad=float(latitude), longitude_rad=float(longitude), height_m=5.0,
        detection_probability=0.95, range_m_max=30_000.0, clutter_per_scan=2.0,
    )  # fmt: skip
    return WorldConfig(
        seed=seed, latitude_rad=LATITUDE, longitude_rad=LONGITUDE, height_m=0.0, ground_height_m=0.0,
        start_t_ns=START_T_NS, duration_s=seconds, rounds=tuple(rounds), radars=(radar,),
        air=Air(wind_east_m_s=3.0, wind_north_m_s=-2.0),
    )  # fmt: skip


def measure(config: WorldConfig, warm: int) -> tuple[np.ndarray, np.ndarray, int, int, int]:
    """Return seconds of each dwell on the wall and of the processor, plots, impacts, and tracks at the end."""
    plots, _, _ = flown(config)
    tracker, predictor = configure(config, wind_m_s=(2.0, -1.0), wind_m_s_std=4.0)
    track_state, impact_state = tracking.initial(tracker), prediction.initial(predictor)
    wall, processor = [], []
    seen = impacts = 0
    alive: dict[int, bool] = {}
    for number, batch in enumerate(dwells(plots)):
        begin_s, begin_cpu_s = time.perf_counter(), time.process_time()
        track_state, tracks = tracking.step(tracker, track_state, batch)
        impact_state, told = prediction.step(predictor, impact_state, [*tracks, batch[-1]])
        if number >= warm:
            wall.append(time.perf_counter() - begin_s)
            processor.append(time.process_time() - begin_cpu_s)
            seen += sum(isinstance(m, Plot) for m in batch)
            impacts += sum(isinstance(m, Impact) for m in told)
        _note(alive, tracks)
    return np.array(wall), np.array(processor), seen, impacts, sum(alive.values())


def _note(alive: dict[int, bool], tracks: list[Message]) -> None:
    for message in tracks:
        if isinstance(message, Track):
            alive[message.track_id] = message.status in ("confirmed", "coasting")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracks", type=int, nargs="+", default=[1, 10, 100, 1000])
    parser.add_argument("--dwells", type=int, default=100)
    parser.add_argument("--warm", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    seconds = 1.0 + 0.1 * (chosen.warm + chosen.dwells)
    measure(crowd(3, seconds, chosen.seed), chosen.warm)  # compiles
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    print(f"{chosen.dwells} dwells after {chosen.warm}, seed {chosen.seed}; milliseconds from plots to impacts")
    print(
        "rounds tracks  plots/dwell impacts/dwell     p50     p99   worst   processor p50   p99  worst  plots/s (CPU)"
    )
    for tracks in chosen.tracks:
        wall, processor, plots, impacts, alive = measure(crowd(tracks, seconds, chosen.seed), chosen.warm)
        rate = plots / processor.sum()
        a, b = (np.percentile(x, [50, 99, 100]) * 1e3 for x in (wall, processor))
        print(
            f"{tracks:6} {alive:6} {plots / len(wall):12.1f} {impacts / len(wall):13.2f}"
            f" {a[0]:7.2f} {a[1]:7.2f} {a[2]:7.2f}       {b[0]:7.2f} {b[1]:6.2f} {b[2]:6.2f} {rate:8.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
