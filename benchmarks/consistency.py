"""Do the 95 % ellipses hold 95 % of the impacts?  Simulated raids of mixed rounds, scored by class and age of track.

    python benchmarks/consistency.py [--raids 200] [--seed 1]

Each raid draws its own site, radars, weather (wind aloft with shear, density), rounds and drag curves
(`opencram.simulation.raids`); the tracker is told the radars' errors and a wind that is wrong by 2 m/s
on each axis, and nothing else.  Intervals are Wilson's, 95 %.
"""

import argparse
import math
import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from opencram import prediction, tracking
from opencram.earth.geodesy import Frame, enu_from_geodetic, enu_from_local
from opencram.messages import Association, Impact, Message, Plot, Tick, Track
from opencram.simulation import raids, world
from opencram.simulation.model import WorldConfig
from opencram.simulation.streams import stream
from opencram.simulation.truth import truth_document
from opencram.tracking.config import SensorModel

AGES_S = (3.0, 5.0, 8.0, 12.0, 20.0)
LAST_S = 3.0  # before the impact
INSIDE = 5.991  # 95 % of chi squared with two degrees of freedom
BELIEF_M_S_STD = 2.0


@dataclass(frozen=True)
class Score:
    """One estimate against the truth: error and deviation (m), squared Mahalanobis distance, time error over std."""

    error_m: float
    deviation_m: float
    distance_2: float
    time_z: float


def configure(config: WorldConfig) -> tuple[tracking.Config, prediction.Config]:
    """Return what the pipeline believes of a simulated world: its radars, and a wind that is a little wrong."""
    frame = Frame(config.latitude_rad, config.longitude_rad, config.height_m)
    error = stream(config.seed, "belief").normal(0.0, BELIEF_M_S_STD, 2)
    wind = (config.air.wind_east_m_s + float(error[0]), config.air.wind_north_m_s + float(error[1]))
    sensors = []
    for radar in config.radars:
        local = Frame(radar.latitude_rad, radar.longitude_rad, radar.height_m)
        place = enu_from_geodetic(frame, radar.latitude_rad, radar.longitude_rad, radar.height_m)
        sensors.append(
            SensorModel(
                id=radar.id,
                position_enu_m=tuple(place.tolist()),
                local_from_enu=tuple(enu_from_local(frame, local).T.ravel().tolist()),
                range_m_std=radar.range_m_std,
                azimuth_rad_std=radar.azimuth_rad_std,
                elevation_rad_std=radar.elevation_rad_std,
                range_m_max=radar.range_m_max,
                detection_probability=radar.detection_probability,
                clutter_per_scan=radar.clutter_per_scan,
                period_s=radar.period_s,
            )
        )
    place = {"latitude_rad": config.latitude_rad, "height_m": config.height_m}
    ground = {"ground_height_m": config.ground_height_m, "wind_m_s": wind}
    return (
        tracking.Config(**place, **ground, sensors=tuple(sensors)),
        prediction.Config(**place, **ground, longitude_rad=config.longitude_rad),
    )


def fly(config: WorldConfig) -> tuple[list[Message], dict, list[Plot]]:
    """Return all messages of tracking and prediction, the truth, and the plots of one raid."""
    tracking_config, prediction_config = configure(config)
    state = world.initial(config)
    state, plots = world.scan(config, state, config.end_t_ns)
    truth = truth_document(config, state)
    track_state, impact_state = tracking.initial(tracking_config), prediction.initial(prediction_config)
    said: list[Message] = []
    begin = 0
    for k in range(1, len(plots) + 1):
        if k == len(plots) or plots[k].sensor != plots[begin].sensor or plots[k].t_ns != plots[begin].t_ns:
            batch = [*plots[begin:k], Tick(t_ns=plots[begin].t_ns)]
            track_state, tracks = tracking.step(tracking_config, track_state, batch)
            impact_state, impacts = prediction.step(prediction_config, impact_state, tracks)
            said += tracks
            said += impacts
            begin = k
    return said, truth, plots


def score(config: WorldConfig, tally: dict, events: Counter) -> None:
    """Add the scores of one raid to `tally[(class, age)]` and its misses and false tracks to `events`."""
    said, truth, plots = fly(config)
    origin = truth["origin"]
    votes: dict[int, Counter] = defaultdict(Counter)
    for message in said:
        if isinstance(message, Association):
            for plot_id, track_id in zip(message.plot_ids, message.track_ids, strict=True):
                if track_id:
                    votes[track_id][origin[plot_id - 1]] += 1
    confirmed = {
        m.track_id for m in said if isinstance(m, Track) and m.status == "confirmed" and m.projectile_probability >= 0.5
    }
    impacts = defaultdict(list)
    for message in said:
        if isinstance(message, Impact):
            impacts[message.track_id].append(message)
    seen: dict[int, list[int]] = defaultdict(list)
    for plot, number in zip(plots, origin, strict=True):
        if number >= 0:
            seen[number].append(plot.t_ns)
    first_confirmed = {}
    for message in said:
        if isinstance(message, Track) and message.status == "confirmed":
            first_confirmed.setdefault(message.track_id, message.t_ns)
    owner = {}
    for track_id in sorted(confirmed):
        number, count = votes[track_id].most_common(1)[0]
        if number < 0 or count < 0.5 * sum(votes[track_id].values()):
            events["false"] += 1
        elif number in owner:
            events["double"] += 1
        else:
            owner[number] = track_id
        if count < sum(votes[track_id].values()) * 0.95:
            events["mixed"] += 1
    for number, what in enumerate(config.rounds):
        if len(seen[number]) < 8:
            continue
        events["rounds"] += 1
        if number not in owner:
            events["missed"] += 1
            continue
        tally["delays"].append((first_confirmed[owner[number]] - seen[number][2]) * 1e-9)
        flight = truth["rounds"][number]
        landed_ns = int(np.datetime64(flight["impact_time"].rstrip("Z"), "ns").astype(np.int64))
        for age in (*AGES_S, -LAST_S):
            at_ns = landed_ns - round(LAST_S * 1e9) if age < 0 else seen[number][0] + round(age * 1e9)
            if at_ns > landed_ns - round(2.9e9):
                continue
            known = [m for m in impacts[owner[number]] if m.t_ns <= at_ns]
            if known:
                tally[(what.class_name, age)].append(_score(known[-1], flight["impact_enu_m"], landed_ns))


def _score(impact: Impact, true_enu_m: list[float], landed_ns: int) -> Score:
    ee, en, nn = impact.covariance_enu_m2
    error = np.array(impact.position_enu_m[:2]) - np.array(true_enu_m[:2])
    distance_2 = float(error @ np.linalg.solve(np.array([[ee, en], [en, nn]]), error))
    time_z = (impact.impact_t_ns - landed_ns) * 1e-9 / max(impact.impact_time_s_std, 1e-6)
    return Score(float(np.hypot(*error)), math.sqrt(ee + nn), distance_2, time_z)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share."""
    z, p = 1.96, hits / n
    centre, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raids", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    tally: dict = defaultdict(list)
    events: Counter = Counter()
    for k in range(arguments.raids):
        score(raids.random_raid(arguments.seed * 100_000 + k), tally, events)
    print(f"{arguments.raids} raids, seed {arguments.seed}: {dict(events)}")
    delays = np.array(tally.pop("delays"))
    late = ", ".join(f"{q} % {np.percentile(delays, q):.2f} s" for q in (50, 90, 95, 99, 100))
    print(f"from the third plot to the confirmation: {late}; within 1.5 s: {np.mean(delays <= 1.5):.3f}")
    print("class    age s    n   median err m   median std m   NEES/2   in 95 % ellipse          time in 95 %")
    for class_name in ("mortar", "rocket", "shell", "all"):
        for age in (*AGES_S, -LAST_S):
            rows = [r for (name, a), found in tally.items() if a == age and class_name in (name, "all") for r in found]
            if not rows:
                continue
            hits = sum(r.distance_2 < INSIDE for r in rows)
            low, high = wilson(hits, len(rows))
            print(
                f"{class_name:8} {age:5.0f} {len(rows):5} {statistics.median(r.error_m for r in rows):12.1f}"
                f" {statistics.median(r.deviation_m for r in rows):14.1f}"
                f" {statistics.median(r.distance_2 for r in rows) / 1.386:9.2f}"
                f"     {hits / len(rows):6.3f} [{low:.3f}, {high:.3f}]"
                f" {sum(abs(r.time_z) < 1.96 for r in rows) / len(rows):12.3f}"
            )


if __name__ == "__main__":
    main()
