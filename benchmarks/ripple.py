"""Salvos with crossing paths: identity swaps, breaks, lost, doubled and false tracks.

    python benchmarks/ripple.py [--rounds 24 100] [--raids 10] [--seed 1] [--jobs 1] [--cell] [--radars 2]

Each raid fires its rounds within ten seconds (or `--firing` seconds) from two places that look across one another at
the same few hundred metres, so that the paths cross in the air; rockets of the 107 mm class, dispersed.  Two radars of
10 m and 1.5 mrad at 10 and 4 Hz that miss one plot in ten and show two false plots a scan; with `--cell` two rounds
within 30 m and 20 mrad of one another give one plot.

Beside the tracker stands 2-D assignment alone: a constant-acceleration Kalman filter for each track, a gate, and least
total cost over all tracks and plots (Jonker-Volgenant); a track from five plots, gone after 1 s without one: what a
plain tracker of the kind does with the same plots.  And beside both, what could at best be had: the same assignment by
somebody who knows where every round truly is.  Rounds nearer to one another than the radar errs change plots even so.
Definitions: `opencram.evaluation.identity`.  Shares have Wilson's intervals, over tracks; impacts are those said five
seconds before the true one by the track that then is the round's.
"""

import argparse
import math
import time
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.optimize import linear_sum_assignment

from opencram.earth.geodesy import Frame, geodetic_from_enu
from opencram.evaluation.identity import WINDOW, Identities, Use, identities
from opencram.evaluation.metrics import wilson
from opencram.messages import Impact, Plot
from opencram.simulation.flights import positions_at
from opencram.simulation.launch import velocity_of
from opencram.simulation.model import NO_FAULTS, Air, Faults, Radar, Round, Salvo, WorldConfig
from opencram.simulation.streams import stream
from opencram.simulation.world import WorldState
from opencram.tracking.config import Config, SensorModel
from tracking_runs import Said, configure, dwells, flown, follow

START_T_NS = 1_767_225_600_000_000_000
LATITUDE, LONGITUDE = math.radians(33.3), math.radians(44.4)
GATE_2 = 16.0  # squared Mahalanobis distance
ACCELERATION_M_S2_STD = 15.0  # of the plain tracker's plant, for a second
PLOTS_MIN = 5
LOST_NS = 1_000_000_000
TOLD_PLOTS = 4  # of a round, from which on it counts as found by whoever knows where it is
LAST_NS = 5_000_000_000  # before the impact
INSIDE = 5.991  # 95 % of chi squared, two degrees of freedom


def raid(rounds: int, seed: int, *, cell: bool, radars: int, firing_s: float) -> WorldConfig:
    """Return a raid of so many rounds from two crossing directions."""
    draws = stream(seed, "ripple")
    bearing, apart = draws.uniform(0.0, 2.0 * math.pi), math.radians(draws.uniform(15.0, 40.0))
    salvos = []
    for side, sign in enumerate((-1.0, 1.0)):
        count = rounds // 2 + (rounds % 2 if side else 0)
        from_bearing = bearing + 0.5 * sign * apart
        place = 7000.0 * np.array([math.sin(from_bearing), math.cos(from_bearing)])
        # Across: each side fires past the middle, to the other side of it.
        aim = 500.0 * sign * np.array([math.cos(bearing), -math.sin(bearing)])
        line = aim - place
        pattern = Round(
            name=f"side {side}",
            class_name="rocket",
            launch_t_ns=START_T_NS + 2_000_000_000 + round(draws.uniform(0.0, 0.3) * 1e9),
            position_enu_m=(float(place[0]), float(place[1]), -float(place @ place) / 12_742_000.0),
            velocity_enu_m_s=velocity_of(310.0, math.atan2(line[0], line[1]), math.radians(draws.uniform(26.0, 32.0))),
            ballistic_coefficient_kg_m2=1900.0,
        )
        salvos.append(
            Salvo(
                pattern=pattern,
                count=count,
                interval_s=firing_s / max(count, 1),
                interval_s_std=0.1,
                speed_std_share=0.01,
                direction_rad_std=0.01,
                ballistic_coefficient_std_share=0.02,
            )
        )
    site = Frame(LATITUDE, LONGITUDE, 0.0)
    faults = Faults(cell_m=30.0, cell_rad=0.02) if cell else NO_FAULTS
    stations = []
    for k, (east, north, period_s) in enumerate(((300.0, 1800.0, 0.1), (900.0, -2100.0, 0.25))[:radars]):
        latitude, longitude, height = geodetic_from_enu(site, [east, north, 10.0])
        stations.append(
            Radar(
                id=f"radar-{k + 1}",
                latitude_rad=float(latitude),
                longitude_rad=float(longitude),
                height_m=float(height),
                period_s=period_s,
                phase_s=0.013 * k,
                clutter_per_scan=2.0,
                faults=faults,
            )
        )
    return WorldConfig(
        seed=seed,
        latitude_rad=LATITUDE,
        longitude_rad=LONGITUDE,
        height_m=0.0,
        ground_height_m=0.0,
        start_t_ns=START_T_NS,
        duration_s=75.0,
        salvos=tuple(salvos),
        radars=tuple(stations),
        air=Air(wind_east_m_s=3.0, wind_north_m_s=-2.0, shear_east_per_s=0.001),
    )


# ---- 2-D assignment alone -------------------------------------------------------------------------


def plain(plots: list[Plot], origins: tuple[int, ...], tracker: Config) -> tuple[list[Use], dict[int, int]]:
    """Return which plot goes to which track, and when each is confirmed, by a plain nearest-neighbour tracker."""
    sensors = {sensor.id: sensor for sensor in tracker.sensors}
    x, p = np.zeros((0, 9)), np.zeros((0, 9, 9))
    ids, hits, last_ns, at_ns = [], [], [], 0
    uses: list[Use] = []
    confirmed: dict[int, int] = {}
    number = 0
    for batch in dwells(plots):
        dwell = [m for m in batch if isinstance(m, Plot)]
        t_ns = dwell[0].t_ns
        x, p = _moved(x, p, max((t_ns - at_ns) * 1e-9, 0.0) if at_ns else 0.0)
        at_ns = t_ns
        z, r = _cartesian(dwell, sensors[dwell[0].sensor])
        pairs = _assigned(x, p, z, r)
        for row, column in pairs:
            x[row], p[row] = _updated(x[row], p[row], z[column], r[column])
            hits[row] += 1
            last_ns[row] = t_ns
            if hits[row] == PLOTS_MIN:
                confirmed[ids[row]] = t_ns
            uses.append(Use(t_ns=t_ns, track_id=ids[row], origin=origins[dwell[column].plot_id - 1]))
        taken = {column for _, column in pairs}
        keep = [k for k in range(len(ids)) if t_ns - last_ns[k] <= LOST_NS * (1.0 if hits[k] >= PLOTS_MIN else 0.35)]
        x, p = x[keep], p[keep]
        ids, hits, last_ns = [ids[k] for k in keep], [hits[k] for k in keep], [last_ns[k] for k in keep]
        fresh = [k for k in range(len(dwell)) if k not in taken]
        for k in fresh:
            number += 1
            ids.append(number)
            hits.append(1)
            last_ns.append(t_ns)
            uses.append(Use(t_ns=t_ns, track_id=number, origin=origins[dwell[k].plot_id - 1]))
        if fresh:
            begin = np.zeros((len(fresh), 9))
            begin[:, :3], begin[:, 8] = z[fresh], -9.8
            spread = np.tile(np.diag([1.0] * 3 + [300.0**2] * 3 + [20.0**2] * 3), (len(fresh), 1, 1))
            spread[:, :3, :3] = r[fresh]
            x, p = np.concatenate([x, begin]), np.concatenate([p, spread])
    return uses, confirmed


def _moved(x: np.ndarray, p: np.ndarray, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """Return states and covariances after `dt` seconds of constant acceleration."""
    f, i = np.eye(9), np.eye(3)
    f[:3, 3:6] = f[3:6, 6:] = dt * i
    f[:3, 6:] = 0.5 * dt * dt * i
    g = np.concatenate([dt**2.5 / 6.0 * i, dt**1.5 / 2.0 * i, dt**0.5 * i]) * ACCELERATION_M_S2_STD
    return x @ f.T, f @ p @ f.T + g @ g.T


def _cartesian(dwell: list[Plot], sensor: SensorModel) -> tuple[np.ndarray, np.ndarray]:
    """Return positions (n, 3) and covariances (n, 3, 3) of plots in the site's frame."""
    turn, place = np.array(sensor.local_from_enu).reshape(3, 3), np.array(sensor.position_enu_m)
    d, a, e = np.array([[m.range_m, m.azimuth_rad, m.elevation_rad] for m in dwell]).T
    sa, ca, se, ce = np.sin(a), np.cos(a), np.sin(e), np.cos(e)
    axes = np.stack(
        [np.stack([sa * ce, ca * ce, se], 1), np.stack([ca, -sa, 0.0 * a], 1), np.stack([-sa * se, -ca * se, ce], 1)], 2
    )
    stds = np.stack([0.0 * d + sensor.range_m_std, d * ce * sensor.azimuth_rad_std, d * sensor.elevation_rad_std], 1)
    axes_enu = turn.T @ axes
    return (axes_enu[:, :, 0] * d[:, None]) + place, (axes_enu * stds[:, None] ** 2) @ axes_enu.transpose(0, 2, 1)


def _assigned(x: np.ndarray, p: np.ndarray, z: np.ndarray, r: np.ndarray) -> list[tuple[int, int]]:
    """Return the pairs of track and plot of least total squared distance, within the gate."""
    if not len(x) or not len(z):
        return []
    s = p[:, None, :3, :3] + r[None]
    v = z[None] - x[:, None, :3]
    distance = (v * np.linalg.solve(s, v[..., None])[..., 0]).sum(-1)
    cost = np.minimum(distance + np.log(np.linalg.det(s)) - np.log(1e3), 1e4)
    cost[distance > GATE_2] = 1e5
    rows, columns = linear_sum_assignment(cost)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if distance[i, j] <= GATE_2]


def _updated(x: np.ndarray, p: np.ndarray, z: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    gain = np.linalg.solve(p[:3, :3] + r, p[:3]).T
    left = np.eye(9)
    left[:, :3] -= gain
    return x + gain @ (z - x[:3]), left @ p @ left.T + gain @ r @ gain.T


# ---- told where every round is --------------------------------------------------------------------


def told(
    plots: list[Plot], origins: tuple[int, ...], state: WorldState, tracker: Config
) -> tuple[list[Use], dict[int, int]]:
    """Return which plot goes to which round, and when each has four, by least total cost about the true positions."""
    sensors = {sensor.id: sensor for sensor in tracker.sensors}
    uses: list[Use] = []
    counts: Counter[int] = Counter()
    confirmed: dict[int, int] = {}
    for batch in dwells(plots):
        dwell = [m for m in batch if isinstance(m, Plot)]
        t_ns = dwell[0].t_ns
        up = [k for k, body in enumerate(state.bodies) if body.start_t_ns <= t_ns <= body.end_t_ns]
        x, p = np.zeros((len(up), 9)), np.zeros((len(up), 9, 9))
        for row, k in enumerate(up):
            body = state.bodies[k]
            x[row, :3] = positions_at(body.flight, np.array([(t_ns - body.start_t_ns) * 1e-9]))[0][0]
        for row, column in _assigned(x, p, *_cartesian(dwell, sensors[dwell[0].sensor])):
            number = up[row] + 1
            counts[number] += 1
            if counts[number] == TOLD_PLOTS:
                confirmed[number] = t_ns
            uses.append(Use(t_ns=t_ns, track_id=number, origin=origins[dwell[column].plot_id - 1]))
    return uses, confirmed


# ---- scores ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Score:
    """One raid: what became of the rounds by the tracker, by 2-D assignment alone, and by who knows where they are.

    `errors_m`: how far off the impact was of each round that a confirmed track was of five seconds before it, and
    `held` how many of their 95 % ellipses held it; of `due` that were seen so late.  `spent_s`: processor time of the
    tracker.
    """

    own: Identities
    plain: Identities
    told: Identities
    due: int
    errors_m: tuple[float, ...]
    held: int
    spent_s: float
    plots: int


def score(rounds: int, cell: bool, radars: int, firing_s: float, seed: int) -> Score:
    """Return the scores of one raid."""
    config = raid(rounds, seed, cell=cell, radars=radars, firing_s=firing_s)
    plots, origins, state = flown(config)
    tracker, predictor = configure(config, wind_m_s=(2.0, -1.0), wind_m_s_std=4.0)
    begin_s = time.process_time()
    said = follow(plots, origins, tracker, predictor)
    spent_s = time.process_time() - begin_s
    seen = said.first_seen_t_ns()
    counts = Counter(origin for origin in origins if origin >= 0)
    wanted = [origin for origin in sorted(seen) if counts[origin] >= 8]
    plain_uses, plain_confirmed = plain(plots, origins, tracker)
    told_uses, told_confirmed = told(plots, origins, state, tracker)
    return Score(
        said.identities(),
        identities(plain_uses, plain_confirmed, seen, wanted=wanted),
        identities(told_uses, told_confirmed, seen, wanted=wanted),
        *_impacts(said, state, wanted),
        spent_s,
        len(plots),
    )


def _impacts(said: Said, state: WorldState, wanted: list[int]) -> tuple[int, tuple[float, ...], int]:
    """Return how many rounds were due five seconds before their impact, the errors (m) of those that were followed
    then, and how many were held by the ellipse."""
    confirmed = said.confirmed_t_ns()
    last: dict[int, list[Use]] = defaultdict(list)
    for use in said.uses():
        if use.track_id in confirmed:
            last[use.track_id].append(use)
    impacts: dict[int, list[Impact]] = defaultdict(list)
    for message in said.messages:
        if isinstance(message, Impact):
            impacts[message.track_id].append(message)
    due = held = 0
    errors_m: list[float] = []
    for number in wanted:
        body = state.bodies[number]
        at_ns = body.end_t_ns - LAST_NS
        if at_ns <= said.first_seen_t_ns()[number] + LAST_NS:
            continue
        due += 1
        best: tuple[int, int] = (0, 0)
        for track_id, uses in last.items():
            window = [use for use in uses if at_ns - LAST_NS < use.t_ns <= at_ns][-WINDOW:]
            best = max(best, (sum(use.origin == number for use in window), track_id))
        count, track_id = best
        before = [m for m in impacts[track_id] if m.t_ns <= at_ns]
        if 2 * count <= WINDOW or not before:
            continue
        ee, en, nn = before[-1].covariance_enu_m2
        error = np.array(before[-1].position_enu_m[:2]) - body.flight.position_enu_m[-1][:2]
        errors_m.append(math.hypot(*error))
        held += float(error @ np.linalg.solve([[ee, en], [en, nn]], error)) < INSIDE
    return due, tuple(errors_m), held


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, nargs="+", default=[24, 100])
    parser.add_argument("--raids", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--cell", action="store_true", help="radars that resolve 30 m and 20 mrad")
    parser.add_argument("--firing", type=float, default=10.0, help="seconds from the first round to the last")
    parser.add_argument("--radars", type=int, choices=(1, 2), default=2)
    chosen = parser.parse_args()
    merging = ", merged plots" if chosen.cell else ""
    print(
        f"{chosen.raids} raids each, seed {chosen.seed}, {chosen.radars} radars, fired in {chosen.firing:g} s{merging}"
    )
    print(
        "rounds tracker            found  tracks swaps  tracks that swapped  breaks missed double false purity plots/s"
    )
    for rounds in chosen.rounds:
        work = partial(score, rounds, chosen.cell, chosen.radars, chosen.firing)
        seeds = [chosen.seed * 10_000 + k for k in range(chosen.raids)]
        if chosen.jobs > 1:
            with ProcessPoolExecutor(chosen.jobs) as pool:
                parts = list(pool.map(work, seeds))
        else:
            parts = [work(seed) for seed in seeds]
        rate = sum(part.plots for part in parts) / sum(part.spent_s for part in parts)
        for name, found in (
            ("opencram", [part.own for part in parts]),
            ("2-D assignment", [part.plain for part in parts]),
            ("told", [part.told for part in parts]),
        ):
            print(f"{rounds:6} {name:15} {_row(found)}" + (f" {rate:8.0f}" if name == "opencram" else ""))
        due, held = sum(part.due for part in parts), sum(part.held for part in parts)
        errors_m = np.concatenate([part.errors_m for part in parts])
        middle, most, worst = np.percentile(errors_m, [50, 95, 100])
        print(
            f"five seconds before the impact: followed {wilson(len(errors_m), due)}; in the ellipse"
            f" {wilson(held, len(errors_m))}; off by {middle:.1f} m (median), {most:.1f} (95 %), {worst:.1f} (worst)"
        )


def _row(found: list[Identities]) -> str:
    """Return the counts of one tracker over all raids."""
    objects = sum(each.objects for each in found)
    swaps, missed = sum(each.swaps for each in found), sum(len(each.missed) for each in found)
    tracks = sum(each.tracks for each in found)
    swapped = wilson(sum(len(each.swapped) for each in found), tracks)
    purity = sum(each.purity * each.objects for each in found) / objects
    return (
        f"{objects - missed:4} of {objects:4}  {tracks:6} {swaps:5}"
        f"  {swapped.share:.3f} [{swapped.low:.3f}, {swapped.high:.3f}]"
        f" {sum(each.breaks for each in found):6} {missed:6} {sum(each.doubles for each in found):6}"
        f" {sum(len(each.false) for each in found):5} {purity:7.3f}"
    )


if __name__ == "__main__":
    main()
