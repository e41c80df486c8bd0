"""Impact error over the posterior bound, and coverage of the 95 % ellipses, by class and age of track.

    python benchmarks/impact_efficiency.py [--runs 500] [--seed 1] [--jobs 2] [--class rocket]
        [--mismatch none curve …] [--known] [--fired believed]

Each run is one round, drawn from the tracker's own priors: a flight model of its class from `CLASS_BANK`, log
ballistic coefficient and spin-drift constant from that model's priors, a constant wind of 5 m/s on each axis that
nobody is told of, any direction, one radar of 10 m and 1.5 mrad at 10 Hz, 3 km to the side of the impact.  The tracker
knows neither class nor wind.  Speed and elevation are those that rounds of the class are typically fired with; with
`--fired believed` they too are drawn from the tracker's priors, which are wider, so that all it believes of a round is
true of them.  There are two bounds of each run, both of its own flight and for the very plots that had
come when the impact was predicted.  "Class known" has the priors of the round's own flight model.  "Class unknown"
has the same unknowns as the tracker: of coefficient and spin drift it knows the mean and deviation over the whole bank.

With `--known` the tracker is given the flight model of the round and no other: what then remains over the bound is the
estimator's own fault, the rest is the price of not knowing the class.

RMSE/bound: root of the mean over runs of squared error over squared bound, each run against its own; the interval by
bootstrap over runs.  Coverage: Wilson's interval.  NEES/2: mean of the squared Mahalanobis distance over two, 1 if
covariances are honest.  Class "bank": the classes weighed by their priors.

Mismatches, one at a time, the tracker told of none:
  curve     the drag curve of another class, equal in drag at launch
  shear     2 m/s of wind more a kilometre, on both axes
  density   3 % less
  bias      1 mrad of azimuth and elevation
  lie       white errors twice as large as the radar states
  coarse    2 m and 1 mrad quantisation, of a radar of 3 m and 0.5 mrad (the bound knows of neither)
  coloured  Gauss-Markov errors of 3 m and 1 mrad over 2 s beside the white ones (the bound knows of them)
"""

import argparse
import json
import math
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from opencram import prediction, tracking
from opencram.ballistics.classes import CLASS_BANK, Model
from opencram.ballistics.drag import standard_curve
from opencram.ballistics.motion import MACH_STEP
from opencram.earth.geodesy import Frame, geodetic_from_enu
from opencram.evaluation.bound import Flight, Prior, bound, fly
from opencram.evaluation.cases import radars_of
from opencram.evaluation.metrics import gate, wilson
from opencram.messages import Impact
from opencram.simulation.flights import Flyer, drag_curve
from opencram.simulation.launch import velocity_of
from opencram.simulation.model import Air, Coloured, Radar, Round, WorldConfig
from opencram.simulation.streams import stream
from tracking_runs import bootstrap, configure, flown, follow

AGES_S = (3.0, 5.0, 8.0, 12.0, 20.0)
CLASSES = ("rocket", "mortar", "shell")
MISMATCHES = ("none", "curve", "shear", "density", "bias", "lie", "coarse", "coloured")
WIND_M_S_STD = 5.0
START_T_NS = 1_767_225_600_000_000_000
FIRED = ("typical", "believed")
SPEEDS_M_S = {"rocket": (320.0, 450.0), "mortar": (220.0, 320.0), "shell": (350.0, 500.0)}
ELEVATIONS_DEG = {"rocket": (30.0, 45.0), "mortar": (55.0, 75.0), "shell": (40.0, 60.0)}
OTHER_CURVES = {"rocket": "G5", "mortar": "G7", "shell": "G2"}
FLIGHT_S_MIN = 26.0
_ERRORS = {
    "lie": {"range_m_std": 20.0, "azimuth_rad_std": 3e-3, "elevation_rad_std": 3e-3},
    "coarse": {
        "range_m_std": 3.0, "azimuth_rad_std": 5e-4, "elevation_rad_std": 5e-4, "range_m_quantum": 2.0,
        "angle_rad_quantum": 1e-3,
    },
}  # fmt: skip
LATE_S = 1.5  # an impact older than this is none


@dataclass(frozen=True)
class Shot:
    """One run before its radar has looked: the world, its flight, and the priors that it was drawn from."""

    world: WorldConfig
    flight: Flight
    prior: Prior
    model: Model


def whole_prior() -> Prior:
    """Return what is known of a round of unknown class: the deviations over the whole bank."""
    shares = np.array([model.prior for model in CLASS_BANK])
    shares /= shares.sum()
    stds = []
    for mean, std in (("ln_beta", "ln_beta_std"), ("spin_m_s", "spin_m_s_std")):
        means = np.array([getattr(model, mean) for model in CLASS_BANK])
        within = np.array([getattr(model, std) for model in CLASS_BANK])
        stds.append(math.sqrt(float(shares @ (within**2 + (means - shares @ means) ** 2))))
    return Prior(ln_beta_std=stds[0], wind_m_s_std=WIND_M_S_STD, spin_m_s_std=stds[1])


def draw(class_name: str, seed: int, mismatch: str, fired: str = "typical") -> Shot:
    """Return a round drawn from the priors of its class, fired as is `typical` or `believed`."""
    draws = stream(seed, f"efficiency/{class_name}")
    models = [model for model in CLASS_BANK if model.class_name == class_name]
    weights = np.array([model.prior for model in models])
    while True:
        model = models[int(draws.choice(len(models), p=weights / weights.sum()))]
        shot = _shot(draws, model, seed, mismatch, fired)
        if shot is not None:
            return shot


def _fired(draws: np.random.Generator, model: Model, fired: str) -> tuple[float, float]:
    """Return speed (m/s) and elevation (rad) of a round of this model."""
    if fired == "believed":
        speed = model.speed_m_s * math.exp(model.ln_speed_std * draws.standard_normal())
        return speed, draws.uniform(*model.elevation_rad)
    name = model.class_name
    return draws.uniform(*SPEEDS_M_S[name]), math.radians(draws.uniform(*ELEVATIONS_DEG[name]))


def _shot(draws: np.random.Generator, model: Model, seed: int, mismatch: str, fired: str) -> Shot | None:
    name = model.class_name
    speed, elevation = _fired(draws, model, fired)
    azimuth, side = draws.uniform(0.0, 2.0 * math.pi), 1.0 if draws.random() < 0.5 else -1.0
    beta = math.exp(model.ln_beta + model.ln_beta_std * draws.standard_normal())
    spin = model.spin_m_s + model.spin_m_s_std * draws.standard_normal()
    wind = WIND_M_S_STD * draws.standard_normal(2)
    phase_s = draws.uniform(0.0, 0.1)
    curve = model.curve
    if mismatch == "curve":
        curve = OTHER_CURVES[name]
        mach = round(speed / 340.0 / MACH_STEP)
        beta *= standard_curve(curve)[mach] / standard_curve(model.curve)[mach]
    what = Round(
        name=name,
        class_name=name,
        launch_t_ns=START_T_NS,
        position_enu_m=(0.0, 0.0, 0.0),
        velocity_enu_m_s=velocity_of(speed, azimuth, elevation),
        ballistic_coefficient_kg_m2=beta,
        spin_drift_m_s=spin,
        curve=curve,
    )
    shear = 0.002 if mismatch == "shear" else 0.0
    world = WorldConfig(
        seed=seed,
        latitude_rad=math.radians(33.3),
        longitude_rad=0.77,
        height_m=0.0,
        ground_height_m=0.0,
        start_t_ns=START_T_NS,
        duration_s=300.0,
        rounds=(what,),
        air=Air(
            wind_east_m_s=float(wind[0]),
            wind_north_m_s=float(wind[1]),
            shear_east_per_s=shear,
            shear_north_per_s=shear,
            density_factor=0.97 if mismatch == "density" else 1.0,
        ),
    )
    start = np.array([0.0, 0.0, 0.0, *what.velocity_enu_m_s, math.log(beta), 0.0, 0.0, spin])
    flight = fly(start, Flyer.of(world).environment, drag_curve(what))
    if flight is None or flight.landed[0] < FLIGHT_S_MIN:
        return None
    along = np.array([math.sin(azimuth), math.cos(azimuth)])
    place = flight.landed[1:3] + 3000.0 * side * np.array([along[1], -along[0]])
    site = Frame(world.latitude_rad, world.longitude_rad, 0.0)
    latitude, longitude, _ = geodetic_from_enu(site, [*place, -float(place @ place) / 12_742_000.0])
    radar = Radar(
        **_ERRORS.get(mismatch, {}),
        id="side",
        latitude_rad=float(latitude),
        longitude_rad=float(longitude),
        height_m=5.0,
        phase_s=phase_s,
        detection_probability=0.95,
        azimuth_rad_bias=1e-3 if mismatch == "bias" else 0.0,
        elevation_rad_bias=1e-3 if mismatch == "bias" else 0.0,
        coloured=Coloured(range_m_std=3.0, azimuth_rad_std=1e-3, elevation_rad_std=1e-3, time_constant_s=2.0)
        if mismatch == "coloured"
        else None,
    )
    prior = Prior(ln_beta_std=model.ln_beta_std, wind_m_s_std=WIND_M_S_STD, spin_m_s_std=model.spin_m_s_std)
    return Shot(replace(world, radars=(radar,), duration_s=float(flight.landed[0]) + 0.5), flight, prior, model)


def _told(shot: Shot, mismatch: str, known: bool) -> tuple[tracking.Config, prediction.Config]:
    """Return what the tracker and the predictor are told of a run."""
    world = shot.world
    if mismatch == "lie":
        (radar,) = world.radars
        stated = {name: 0.5 * getattr(radar, name) for name in ("range_m_std", "azimuth_rad_std", "elevation_rad_std")}
        world = replace(world, radars=(replace(radar, **stated),))
    tracker, predictor = configure(world, wind_m_s_std=WIND_M_S_STD)
    return (replace(tracker, models=(shot.model,)) if known else tracker), predictor


def score(class_name: str, mismatch: str, known: bool, fired: str, seed: int) -> list[list[float]]:
    """Return a row for each age that has an impact: age (s), squared error, bounds with the class known and unknown
    (m²), squared distance, std (m²).

    A row of NaN behind the age: the round was not followed, or its impact not predicted.
    """
    shot = draw(class_name, seed, mismatch, fired)
    plots, origins, _ = flown(shot.world)
    if not plots:
        return []
    first_ns = plots[0].t_ns
    last_ns = first_ns + round((AGES_S[-1] + 0.3) * 1e9)
    kept = sum(plot.t_ns <= last_ns for plot in plots)
    said = follow(plots[:kept], origins[:kept], *_told(shot, mismatch, known))
    impacts = [m for m in said.messages if isinstance(m, Impact)]
    rows, made = [], []
    for age_s in AGES_S:
        at_ns = first_ns + round(age_s * 1e9)
        own = [m for m in impacts if at_ns - LATE_S * 1e9 <= m.t_ns <= at_ns]
        made.append(own[-1] if own else None)
    known = [impact for impact in made if impact is not None]
    least = iter(zip(known, *_bounds(shot, [(impact.t_ns - START_T_NS) * 1e-9 for impact in known]), strict=True))
    for age_s, impact in zip(AGES_S, made, strict=True):
        rows.append([age_s, *([math.nan] * 5 if impact is None else _judged(shot, *next(least)))])
    return rows


def _bounds(shot: Shot, times_s: list[float]) -> list[np.ndarray]:
    """Return the least squared errors (m²) at these times after the launch, the class known, and unknown."""
    radars = radars_of(shot.world)
    first_s = bound(shot.flight, radars, shot.prior, ()).first_s
    ages_s = [at_s - first_s for at_s in times_s]
    return [bound(shot.flight, radars, prior, ages_s).drms_m ** 2 for prior in (shot.prior, whole_prior())]


def _judged(shot: Shot, impact: Impact, known: float, unknown: float) -> list[float]:
    """Return squared error, both bounds, squared distance and variance of one impact."""
    ee, en, nn = impact.covariance_enu_m2
    error = np.array(impact.position_enu_m[:2]) - shot.flight.landed[1:3]
    distance_2 = float(error @ np.linalg.solve(np.array([[ee, en], [en, nn]]), error))
    return [float(error @ error), known, unknown, distance_2, ee + nn]


def ratio(rows: np.ndarray) -> float:
    """Return the root mean square of errors over their bounds, the class known."""
    return math.sqrt((rows[:, 1] / rows[:, 2]).mean())


def ratio_unknown(rows: np.ndarray) -> float:
    """Return the root mean square of errors over their bounds, the class unknown."""
    return math.sqrt((rows[:, 1] / rows[:, 3]).mean())


def table(rows: np.ndarray, runs: int) -> list[dict]:
    """Return the figures of one class and mismatch, an age a row."""
    found = []
    for age_s in AGES_S:
        part = rows[rows[:, 0] == age_s]
        good = part[np.isfinite(part[:, 1])]
        if not len(good):
            continue
        held = wilson(int((good[:, 4] <= gate(2, 0.95)).sum()), len(good))
        found.append(
            {
                "age_s": age_s,
                "runs": runs,
                "predicted": len(good),
                "rmse_m": math.sqrt(good[:, 1].mean()),
                "median_m": math.sqrt(float(np.median(good[:, 1]))),
                "bound_m": math.sqrt(good[:, 2].mean()),
                "ratio": ratio(good),
                "ratio_interval": bootstrap(good, ratio),
                "ratio_unknown": ratio_unknown(good),
                "ratio_unknown_interval": bootstrap(good, ratio_unknown),
                "std_m": math.sqrt(good[:, 5].mean()),
                "coverage": held.share,
                "coverage_interval": (held.low, held.high),
                "nees_2": float(good[:, 4].mean()) / 2.0,
            }
        )
    return found


def bank_table(rows: dict[str, np.ndarray], runs: int) -> list[dict]:
    """Return the figures of all classes together, weighed by their priors, an age a row.

    Intervals are normal ones, of means over independent runs of each class.
    """
    priors = {name: sum(model.prior for model in CLASS_BANK if model.class_name == name) for name in rows}
    shares = {name: prior / sum(priors.values()) for name, prior in priors.items()}
    found = []
    for age_s in AGES_S:
        good = {name: own[(own[:, 0] == age_s) & np.isfinite(own[:, 1])] for name, own in rows.items()}
        if not all(map(len, good.values())):
            continue

        def mean(statistic, good: dict[str, np.ndarray] = good) -> tuple[float, float, float]:
            values = {name: statistic(own) for name, own in good.items()}
            middle = sum(shares[name] * each.mean() for name, each in values.items())
            variance = sum(shares[name] ** 2 * each.var() / len(each) for name, each in values.items())
            off = 1.96 * math.sqrt(variance)
            return middle, max(middle - off, 0.0), middle + off

        unknown = [math.sqrt(each) for each in mean(lambda own: own[:, 1] / own[:, 3])]
        known = [math.sqrt(each) for each in mean(lambda own: own[:, 1] / own[:, 2])]
        held = mean(lambda own: own[:, 4] <= gate(2, 0.95))
        found.append(
            {
                "age_s": age_s,
                "runs": runs * len(rows),
                "predicted": sum(map(len, good.values())),
                "rmse_m": math.sqrt(mean(lambda own: own[:, 1])[0]),
                "median_m": math.sqrt(_median(good, shares)),
                "bound_m": math.sqrt(mean(lambda own: own[:, 2])[0]),
                "ratio": known[0],
                "ratio_interval": known[1:],
                "ratio_unknown": unknown[0],
                "ratio_unknown_interval": unknown[1:],
                "std_m": math.sqrt(mean(lambda own: own[:, 5])[0]),
                "coverage": held[0],
                "coverage_interval": (held[1], min(held[2], 1.0)),
                "nees_2": mean(lambda own: own[:, 4])[0] / 2.0,
            }
        )
    return found


def _median(rows: dict[str, np.ndarray], shares: dict[str, float]) -> float:
    """Return the median squared error (m²) of all classes, a row of a class counting as that class is likely."""
    squares = np.concatenate([own[:, 1] for own in rows.values()])
    weights = np.concatenate([np.full(len(own), shares[name] / len(own)) for name, own in rows.items()])
    order = np.argsort(squares)
    return float(squares[order][np.searchsorted(np.cumsum(weights[order]), 0.5)])


def show(mismatch: str, class_name: str, each: dict) -> None:
    """Print a row."""
    print(
        f"{mismatch:8} {class_name:7} {each['age_s']:5.0f} {each['runs']:5} {each['predicted']:9}"
        f" {each['rmse_m']:8.1f} {each['median_m']:9.1f} {each['std_m']:7.1f} {each['bound_m']:8.1f}"
        f"  {each['ratio']:5.2f} [{each['ratio_interval'][0]:.2f}, {each['ratio_interval'][1]:.2f}]"
        f"  {each['ratio_unknown']:5.2f} [{each['ratio_unknown_interval'][0]:.2f},"
        f" {each['ratio_unknown_interval'][1]:.2f}]"
        f"     {each['coverage']:6.3f} [{each['coverage_interval'][0]:.3f},"
        f" {each['coverage_interval'][1]:.3f}] {each['nees_2']:7.2f}"
    )
    sys.stdout.flush()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--class", dest="classes", nargs="+", choices=CLASSES, default=CLASSES)
    parser.add_argument("--mismatch", nargs="+", choices=(*MISMATCHES, "all"), default=["none"])
    parser.add_argument("--known", action="store_true", help="the tracker knows the flight model")
    parser.add_argument("--fired", choices=FIRED, default="typical", help="speeds and elevations")
    parser.add_argument("--json", type=Path, help="write the figures")
    chosen = parser.parse_args()
    found = []
    begin_s = time.perf_counter()
    print(
        f"{chosen.runs} runs of each class, seed {chosen.seed}, flight model {'' if chosen.known else 'un'}known,"
        f" fired as is {chosen.fired}"
    )
    print(
        "mismatch class   age s  runs predicted   RMSE m  median m   std m  bound m  RMSE/bound, class known and"
        " unknown       in 95 % ellipse        NEES/2"
    )
    for mismatch in MISMATCHES if "all" in chosen.mismatch else chosen.mismatch:
        rows = {}
        for class_name in chosen.classes:
            seeds = [chosen.seed * 1_000_000 + k for k in range(chosen.runs)]
            work = partial(score, class_name, mismatch, chosen.known, chosen.fired)
            if chosen.jobs > 1:
                with ProcessPoolExecutor(chosen.jobs) as pool:
                    parts = list(pool.map(work, seeds, chunksize=5))
            else:
                parts = [work(seed) for seed in seeds]
            rows[class_name] = np.array([row for part in parts for row in part]).reshape(-1, 6)
            for each in table(rows[class_name], chosen.runs):
                found.append({"mismatch": mismatch, "class": class_name, **each})
                show(mismatch, class_name, each)
        if len(rows) > 1:
            for each in bank_table(rows, chosen.runs):
                found.append({"mismatch": mismatch, "class": "bank", **each})
                show(mismatch, "bank", each)
    print(f"{time.perf_counter() - begin_s:.0f} s")
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
