"""A day of everything that is no projectile, with 20 projectiles hidden in it: false and missed confirmations.

    python benchmarks/clutter_day.py [--hours 1] [--seeds 1] [--rounds 1] [--seed 1]

One radar, drawn anew for each seed: it looks one to ten times a second, errs by 5 to 20 m and 1 to 3 mrad, misses one
plot in five to twenty, shows 0.5 to 8 false plots a scan, and one in three measures range rates.  Every hour brings six
aircraft, three fast jets that climb and dive, four helicopters that hover, six drones and two fast ones, ten lone
birds and three flocks of 25, four machine guns of 30 tracer rounds, two salvos of outgoing fire, showers in half of the
hours, five clumps of ground echoes.  Jets turn with up to 50 m/s², other aircraft with 30, helicopters with 15.
Now and then a rocket is broken up in the air, so that fragments fall.  The tracker runs through all hours of a seed.

A confirmed projectile is a track once confirmed with a probability of 0.5 or more to be one.  It is that of the body
that most of its plots came from.  Alarming: its predicted impact once lay within 1 km of the middle of the site.
Outgoing rounds are projectiles, and confirmed as such with right; they must not alarm.  Fragments fall where they fall.
"""

import argparse
import math
import resource
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from opencram import prediction, tracking
from opencram.earth.geodesy import Frame, geodetic_from_enu
from opencram.errors import OpencramError
from opencram.evaluation.metrics import wilson
from opencram.messages import Association, Engagement, Impact, Message, Track
from opencram.simulation import world
from opencram.simulation.classes import GENERIC_ROUNDS
from opencram.simulation.flights import Flyer
from opencram.simulation.launch import velocity_of
from opencram.simulation.model import (
    GENERIC_GUN,
    Air,
    Effector,
    Effects,
    GroundEchoes,
    Gunfire,
    Mover,
    Radar,
    Rain,
    Round,
    Salvo,
    WorldConfig,
)
from opencram.simulation.solve import aimed, for_elevation
from opencram.simulation.streams import stream
from tracking_runs import configure, dwells

START_T_NS = 1_767_225_600_000_000_000
HOUR_S = 3600.0
HOUR_NS = 3_600_000_000_000
LATITUDE, LONGITUDE = math.radians(33.3), math.radians(44.4)
SITE = Frame(LATITUDE, LONGITUDE, 0.0)
ALARM_M = 1000.0
SITE_M = ((0.0, 0.0, ALARM_M),)  # where the zones lie, as the tracker is told
TAIL_S = 150.0  # before the end of an hour nothing begins that would fall
CLUTTER_NAMES = {-1: "chance", -2: "rain", -3: "ground echo"}
Draws = np.random.Generator


def hour(number: int, hidden: int, intercepted: int, seed: int) -> WorldConfig:
    """Return one hour with so many rounds hidden in it, and so many more to be broken up."""
    draws = stream(seed, f"day/{number}")
    start_ns = START_T_NS + number * HOUR_NS
    radar = _radar(stream(seed, "day/radar"))
    wind, bearing = draws.uniform(0.0, 8.0), draws.uniform(0.0, 2.0 * math.pi)
    empty = WorldConfig(
        seed=seed * 1000 + number, latitude_rad=LATITUDE, longitude_rad=LONGITUDE, height_m=0.0, ground_height_m=0.0,
        start_t_ns=start_ns, duration_s=HOUR_S - 0.001, radars=(radar,),
        air=Air(wind_east_m_s=wind * math.sin(bearing), wind_north_m_s=wind * math.cos(bearing)),
        effectors=(
            Effector(
                id="gun", kind="gun", latitude_rad=LATITUDE, longitude_rad=LONGITUDE, height_m=0.0,
                behaviour=replace(GENERIC_GUN, lethal_m=1e4, kill_given_hit=1.0, acquisition_m=1e6),
            ),
        ),
        effects=Effects(detonation_share=0.0, break_up_share=1.0),
    )  # fmt: skip
    flyer = Flyer.of(empty)
    rounds = [_round(draws, flyer, start_ns, k) for k in range(hidden + intercepted)]
    return replace(
        empty,
        rounds=tuple(rounds),
        traffic=tuple(_traffic(draws, start_ns)),
        gunfire=tuple(_gun(draws, start_ns, k) for k in range(4)),
        outgoing=tuple(_outgoing(draws, start_ns, k) for k in range(2)),
        rain=tuple(_showers(draws, start_ns)),
        ground_echoes=tuple(
            GroundEchoes(name=f"{k}", east_m=draws.normal(0.0, 3000.0), north_m=draws.normal(0.0, 3000.0), count=15)
            for k in range(5)
        ),
    )


def _radar(draws: Draws) -> Radar:
    """Return a radar near the middle of the site, the same for all hours of a seed."""
    latitude, longitude, _ = geodetic_from_enu(SITE, [*draws.normal(0.0, 700.0, 2), 0.0])
    period_s = round(math.exp(draws.uniform(math.log(0.1), 0.0)), 2)
    return Radar(
        id="radar", latitude_rad=float(latitude), longitude_rad=float(longitude), height_m=8.0, period_s=period_s,
        range_m_std=draws.uniform(5.0, 20.0), azimuth_rad_std=draws.uniform(0.001, 0.003),
        elevation_rad_std=draws.uniform(0.001, 0.003), detection_probability=draws.uniform(0.8, 0.95),
        clutter_per_scan=math.exp(draws.uniform(math.log(0.5), math.log(8.0))), range_m_max=15_000.0,
        range_rate_m_s_std=1.0 if draws.random() < 1.0 / 3.0 else 0.0,
    )  # fmt: skip


def _moment(draws: Draws, start_ns: int) -> int:
    return start_ns + round(draws.uniform(5.0, HOUR_S - TAIL_S) * 1e9)


def _round(draws: Draws, flyer: Flyer, start_ns: int, number: int) -> Round:
    """Return a generic round of any kind that falls near the middle of the site."""
    while True:
        kind = GENERIC_ROUNDS[int(draws.integers(len(GENERIC_ROUNDS)))]
        far, bearing = draws.uniform(2000.0, 9000.0), draws.uniform(0.0, 2.0 * math.pi)
        curve, _ = kind.curves[0]
        what = Round(
            name=f"hidden {number}",
            class_name=kind.class_name,
            launch_t_ns=_moment(draws, start_ns),
            position_enu_m=(far * math.sin(bearing), far * math.cos(bearing), -(far**2) / 12_742_000.0),
            velocity_enu_m_s=(0.0, 0.0, 0.0),
            curve=curve,
            ballistic_coefficient_kg_m2=kind.ballistic_coefficient_on(curve) * math.exp(draws.normal(0.0, 0.1)),
            spin_drift_m_s=kind.spin_drift_m_s,
        )
        aim = (float(draws.normal(0.0, 300.0)), float(draws.normal(0.0, 300.0)))
        elevation = draws.uniform(kind.elevation_rad_min, kind.elevation_rad_max)
        try:
            launching = for_elevation(flyer, what, aim, elevation)
        except OpencramError:
            continue
        if kind.speed_m_s_min <= launching.speed_m_s <= kind.speed_m_s_max:
            return aimed(what, launching)


def _traffic(draws: Draws, start_ns: int) -> list[Mover]:
    found = []
    for kind, count, speed, height, flock, wander, share, turn in (
        ("aircraft", 6, (60.0, 250.0), (300.0, 3000.0), 1, 1.0, 1.0, 30.0),
        ("aircraft", 3, (180.0, 300.0), (200.0, 6000.0), 1, 2.0, 1.0, 50.0),
        ("helicopter", 4, (20.0, 70.0), (40.0, 600.0), 1, 1.5, 1.0, 15.0),
        ("drone", 6, (5.0, 40.0), (30.0, 500.0), 1, 2.0, 0.6, 20.0),
        ("drone", 2, (40.0, 80.0), (50.0, 1500.0), 1, 2.0, 0.8, 20.0),
        ("bird", 10, (8.0, 20.0), (10.0, 400.0), 1, 3.0, 0.4, 20.0),
        ("bird", 3, (8.0, 18.0), (20.0, 300.0), 25, 3.0, 0.4, 20.0),
    ):
        for k in range(count):
            points = draws.normal(0.0, 1.0, (int(draws.integers(2, 5)), 3)) * (4000.0, 4000.0, 0.0)
            points[:, 2] = draws.uniform(*height, len(points))
            far = 9000.0 if kind == "aircraft" else 2500.0
            points[:, :2] *= far / 4000.0
            found.append(
                Mover(
                    name=f"{kind}/{flock}/{speed[1]:g}/{k}",
                    class_name=kind,
                    start_t_ns=_moment(draws, start_ns),
                    waypoints_enu_m=tuple((float(e), float(n), float(u)) for e, n, u in points),
                    speed_m_s=draws.uniform(*speed),
                    hover_s=draws.uniform(0.0, 60.0) if kind in ("helicopter", "drone") else 0.0,
                    count=flock,
                    spread_m=40.0 if flock > 1 else 0.0,
                    wander_m_s=wander,
                    detection_share=share,
                    acceleration_m_s2_max=turn,
                )
            )
    return found


def _gun(draws: Draws, start_ns: int, number: int) -> Gunfire:
    far, bearing = draws.uniform(800.0, 4000.0), draws.uniform(0.0, 2.0 * math.pi)
    return Gunfire(
        name=f"{number}",
        start_t_ns=_moment(draws, start_ns),
        position_enu_m=(far * math.sin(bearing), far * math.cos(bearing), 0.0),
        azimuth_rad=draws.uniform(0.0, 2.0 * math.pi),
        elevation_rad=draws.uniform(0.2, 1.3),
        bursts=3,
        sweep_rad_s=draws.normal(0.0, 0.1),
    )


def _outgoing(draws: Draws, start_ns: int, number: int) -> Salvo:
    bearing = draws.uniform(0.0, 2.0 * math.pi)
    mortar = draws.random() < 0.5
    place = (1500.0 * math.sin(bearing), 1500.0 * math.cos(bearing), 0.0)
    elevation = draws.uniform(0.9, 1.2) if mortar else draws.uniform(0.5, 0.9)
    pattern = Round(
        name=f"outgoing {number}",
        class_name="mortar" if mortar else "shell",
        launch_t_ns=_moment(draws, start_ns),
        position_enu_m=place,
        velocity_enu_m_s=velocity_of(280.0 if mortar else 450.0, bearing + draws.normal(0.0, 0.3), elevation),
        ballistic_coefficient_kg_m2=1150.0 if mortar else 2000.0,
        spin_drift_m_s=0.0 if mortar else 5.0,
    )
    return Salvo(pattern=pattern, count=3, interval_s=draws.uniform(4.0, 10.0))


def _showers(draws: Draws, start_ns: int) -> list[Rain]:
    if draws.random() < 0.5:
        return []
    begin = draws.uniform(0.0, 2400.0)
    shower = Rain(
        name="shower", start_t_ns=start_ns + round(begin * 1e9), end_t_ns=start_ns + round((begin + 1200.0) * 1e9),
        east_m=draws.normal(0.0, 4000.0), north_m=draws.normal(0.0, 4000.0), plots_per_scan=draws.uniform(1.0, 6.0),
    )  # fmt: skip
    return [shower]


# ---- the day --------------------------------------------------------------------------------------


@dataclass
class Day:
    """What the tracker has said so far: of each track the bodies behind its plots, its claim, its nearest impact."""

    bodies: dict[int, Counter] = field(default_factory=lambda: defaultdict(Counter))
    first_ns: dict[int, int] = field(default_factory=dict)
    confirmed_ns: dict[int, int] = field(default_factory=dict)
    nearest_m: dict[int, float] = field(default_factory=dict)
    kinds: dict[int, str] = field(default_factory=dict)  # of each body
    seen: Counter = field(default_factory=Counter)  # plots of each body
    third_ns: dict[int, int] = field(default_factory=dict)  # time of the third plot of each body
    plots: int = 0
    tracks_most: int = 0

    def note(self, messages: list[Message], shown: dict[int, int], alive: set[int]) -> None:
        """Take in what was said of one dwell; `shown`: the body behind each plot."""
        for message in messages:
            if isinstance(message, Association):
                for plot_id, track_id in zip(message.plot_ids, message.track_ids, strict=True):
                    if track_id and plot_id in shown:
                        self.bodies[track_id][shown[plot_id]] += 1
            elif isinstance(message, Track):
                if message.status == "dropped":
                    alive.discard(message.track_id)
                else:
                    alive.add(message.track_id)
                if message.status == "confirmed" and message.projectile_probability >= 0.5:
                    self.confirmed_ns.setdefault(message.track_id, message.t_ns)
            elif isinstance(message, Impact) and message.projectile_probability >= 0.5:
                away = math.hypot(*message.position_enu_m[:2])
                self.nearest_m[message.track_id] = min(away, self.nearest_m.get(message.track_id, math.inf))
        self.tracks_most = max(self.tracks_most, len(alive))


def run(hours: int, rounds: int, seed: int) -> tuple[Day, dict[int, str], float]:
    """Return the day, the hidden rounds by body, and the seconds of processor that tracking and prediction took."""
    day, hidden = Day(), {}
    share = stream(seed, "day/hidden").integers(0, hours, rounds)
    track_state = impact_state = tracker = predictor = None
    alive: set[int] = set()
    spent_s, next_id = 0.0, 1
    for number in range(hours):
        count, intercepted = int((share == number).sum()), 1 if number % 3 == 1 else 0
        config = hour(number, count, intercepted, seed)
        tracker, predictor = (
            configure(config, wind_m_s_std=4.0, defended_m=SITE_M) if tracker is None else (tracker, predictor)
        )
        if track_state is None:
            track_state, impact_state = tracking.initial(tracker), prediction.initial(predictor)
        state = msgspec.structs.replace(world.initial(config), next_plot_id=next_id)
        for k in range(count, count + intercepted):
            state = _intercept(config, state, k)
        base = 100_000 * number
        for minute in range(1, 61):
            state, plots = world.scan(config, state, config.start_t_ns + minute * 60_000_000_000)
            shown = world.things(state)[-len(plots) :] if plots else ()
            names = {p.plot_id: (base + k if k >= 0 else k) for p, k in zip(plots, shown, strict=True)}
            for plot in plots:
                body = names[plot.plot_id]
                day.seen[body] += 1
                if day.seen[body] == 3:
                    day.third_ns[body] = plot.t_ns
            day.plots += len(plots)
            begin_s = time.process_time()
            said: list[list[Message]] = []
            for batch in dwells(plots):
                track_state, tracks = tracking.step(tracker, track_state, batch)
                impact_state, impacts = prediction.step(predictor, impact_state, [*tracks, batch[-1]])
                said.append([*tracks, *impacts])
            spent_s += time.process_time() - begin_s
            for messages in said:
                day.note(messages, names, alive)
        next_id = state.next_plot_id
        for k, body in enumerate(state.bodies):
            name = body.class_name if body.kind == "traffic" else body.kind
            day.kinds[base + k] = "hidden" if body.kind == "round" and k < count else name
        hidden |= {base + k: config.rounds[k].class_name for k in range(count)}
        print(f"seed {seed}, hour {number + 1}: {day.plots} plots, {len(day.confirmed_ns)} confirmed, {spent_s:.0f} s")
    return day, hidden, spent_s


def _intercept(config: WorldConfig, state: world.WorldState, number: int) -> world.WorldState:
    """Break up a round half way."""
    body = state.bodies[number]
    half = (body.start_t_ns + body.end_t_ns) // 2
    row = int(np.searchsorted(body.flight.t_s, (half - body.start_t_ns) * 1e-9))
    east, north, up = (float(x) for x in body.flight.position_enu_m[row])
    fired = Engagement(
        t_ns=half, engagement_id=number + 1, track_id=0, effector="gun", state="fired", rounds=500, fire_t_ns=half,
        intercept_t_ns=half, intercept_enu_m=(east, north, up), kill_probability=1.0,
    )  # fmt: skip
    return world.act(config, state, [fired])[0]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=1)
    parser.add_argument("--rounds", type=int, help="hidden in each seed (default: 20 a day, at least 1)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="this seed and so many after it")
    chosen = parser.parse_args()
    rounds = chosen.rounds if chosen.rounds is not None else max(round(20 * chosen.hours / 24), 1)
    total = Table()
    for seed in range(chosen.seed, chosen.seed + chosen.seeds):
        total.add(*run(chosen.hours, rounds, seed), seed)
    total.show(chosen.hours * chosen.seeds)


FAIR = ("hidden", "round", "dud", "outgoing", "debris")


@dataclass
class Table:
    """Counts over all seeds, by what a body is."""

    bodies: Counter = field(default_factory=Counter)
    plots: Counter = field(default_factory=Counter)
    confirmed: Counter = field(default_factory=Counter)
    alarming: Counter = field(default_factory=Counter)
    wanted: int = 0
    missed: list[str] = field(default_factory=list)
    delays_s: list[float] = field(default_factory=list)
    spent_s: float = 0.0
    tracks_most: int = 0

    def add(self, day: Day, hidden: dict[int, str], spent_s: float, seed: int) -> None:
        """Take in one run; say what was confirmed in vain."""

        def name(body: int) -> str:
            return CLUTTER_NAMES.get(body) or day.kinds[body]

        tops = {track: day.bodies[track].most_common(1) for track in day.confirmed_ns}
        owners = {track: top[0][0] if top else -1 for track, top in tops.items()}
        self.bodies.update(day.kinds.values())
        for body, count in day.seen.items():
            self.plots[name(body)] += count
        for track, owner in owners.items():
            self.confirmed[name(owner)] += 1
            self.alarming[name(owner)] += day.nearest_m.get(track, math.inf) <= ALARM_M
            if name(owner) not in FAIR:
                parts = ", ".join(f"{count} of {name(body)} {body}" for body, count in day.bodies[track].most_common(3))
                print(f"  seed {seed}, track {track}, {day.confirmed_ns[track]} ns: {parts}")
        wanted = [body for body in hidden if day.seen[body] >= 8]
        self.wanted += len(wanted)
        self.missed += [
            f"{hidden[body]} (seed {seed}, {day.seen[body]} plots)" for body in wanted if body not in owners.values()
        ]
        for body in wanted:
            found = [day.confirmed_ns[track] for track, owner in owners.items() if owner == body]
            if found:
                self.delays_s.append((min(found) - day.third_ns[body]) * 1e-9)
        self.spent_s += spent_s
        self.tracks_most = max(self.tracks_most, day.tracks_most)

    def show(self, hours: int) -> None:
        """Print it."""
        print(f"\n{hours} hours, {sum(self.plots.values())} plots in {self.spent_s:.0f} s of processor")
        print("what              bodies     plots  confirmed as projectile  alarming")
        for name in sorted(self.plots, key=lambda each: -self.plots[each]):
            counts = self.bodies[name], self.plots[name], self.confirmed[name], self.alarming[name]
            print(f"{name:16} {counts[0]:7} {counts[1]:9} {counts[2]:24} {counts[3]:9}")
        share = wilson(self.wanted - len(self.missed), self.wanted)
        print(f"hidden projectiles found: {share}" + (f"; missed: {', '.join(self.missed)}" if self.missed else ""))
        if self.delays_s:
            middle, most = np.percentile(self.delays_s, [50, 100])
            print(f"confirmed after their third plot: median {middle:.2f} s, worst {most:.2f} s")
        false = sum(count for name, count in self.confirmed.items() if name not in FAIR)
        print(f"false confirmed projectiles: {false}, {false / hours * 24.0:.1f} a day", end="; ")
        print(f"outgoing rounds that alarmed: {self.alarming['outgoing']}")
        most_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
        print(f"most tracks at once {self.tracks_most}, most memory {most_mb:.0f} MB")


if __name__ == "__main__":
    main()
