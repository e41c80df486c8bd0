"""What it costs anybody not to know the class: the exact posterior mean over the bank, beside the bound.

    python benchmarks/class_price.py [--runs 200] [--seed 1] [--draws 200] [--class rocket mortar shell]
        [--fired believed]

The rounds of `impact_efficiency.py`.  About each true flight plots are linear in the ten unknowns, for every flight
model of the bank (a model with another drag curve flies its own way from the same start, its coefficient chosen to give
the same drag at first; what then differs is its offset).  With Gaussian noise and priors the posterior over models and
unknowns is then exact: a mixture of Gaussians, whose mean has the least squared error that any estimate can have on
average over the bank's priors.  On one class alone it may err more than the bound, which knows of Gaussian unknowns
only: that is the price of not knowing the class.

Printed for each class and age: root mean square error of that mean over the bound of `impact_efficiency.py` (class
unknown), and over that with the class known; the mean probability that it gives the true class; the share of 95 %
ellipses, of its mean and covariance, that hold the impact.  Last ratio and share over the classes together, their
priors as weights: the whole bank.
"""

import argparse
import math
import sys

import numpy as np

from impact_efficiency import AGES_S, CLASSES, FIRED, Shot, draw, whole_prior
from opencram.ballistics.classes import CLASS_BANK, Model
from opencram.ballistics.drag import standard_curve
from opencram.ballistics.motion import MACH_STEP
from opencram.evaluation.bound import Flight, _between, _rows, _whitened, bound, fly, plot_times, seen_from
from opencram.evaluation.cases import radars_of
from opencram.evaluation.metrics import gate
from opencram.simulation.flights import Flyer
from opencram.simulation.streams import stream
from opencram.tracking.bank import _ELEVATION_RAD_STD, _LOG_STRAY
from opencram.tracking.plausible import GRAVITY_M_S2

WIND_M_S_STD = 5.0
LN_BETA = 6


def oracle(shot: Shot, seed: int, draws: int) -> list[list[float]]:
    """Return a row for each age: age, mean squared error, bounds (m²; class unknown, known), chance of the class."""
    (radar,) = radars_of(shot.world)
    env = Flyer.of(shot.world).environment
    times = plot_times(shot.flight, radar)
    times = times[seen_from(shot.flight, radar, times)[0]]
    place, stds = np.array(radar.position_enu_m), _stds(radar)
    state, by_start = _between(shot.flight, times)
    rows = _whitened(_rows(state, by_start, place, radar), times, radar)[:, :3]
    what = shot.world.rounds[0]
    true = np.array([*what.position_enu_m, *what.velocity_enu_m_s, math.log(what.ballistic_coefficient_kg_m2)])
    speed = float(np.linalg.norm(state[0, 3:]))
    seen = _polar(state, place, radar)
    models = []
    for model in CLASS_BANK:
        ln_beta, flight = _like(shot, model, true, what.spin_drift_m_s, env)
        if flight is None:
            continue
        other = _polar(_between(flight, np.minimum(times, flight.t_s[-1]))[0], place, radar)
        off = other - seen
        off[:, 1] = (off[:, 1] + np.pi) % (2 * np.pi) - np.pi
        precision = np.array([model.ln_beta_std, WIND_M_S_STD, WIND_M_S_STD, model.spin_m_s_std]) ** -2.0
        mean = np.array([model.ln_beta - ln_beta, 0.0, 0.0, model.spin_m_s - what.spin_drift_m_s])
        log_speed = (math.log(speed) - math.log(model.speed_m_s)) / model.ln_speed_std
        prior = math.log(model.prior) - 0.5 * log_speed**2 - math.log(model.ln_speed_std) + _usual(model, state[0])
        models.append((model, off / stds, precision, mean, prior, flight.landed[1:3] - shot.flight.landed[1:3]))
    wind = np.array([shot.world.air.wind_east_m_s, shot.world.air.wind_north_m_s])
    noise = stream(seed, "oracle").standard_normal((draws, len(times), 3))
    found, first_s = [], bound(shot.flight, [radar], shot.prior, ()).first_s
    for age_s in AGES_S:
        count = int(np.searchsorted(times, first_s + age_s + 1e-9))
        if first_s + age_s > shot.flight.landed[0]:
            continue
        errors, held, chance = _mixture(shot, models, rows[:count], noise[:, :count], wind)
        least = [
            float(bound(shot.flight, [radar], prior, (age_s,)).drms_m[0]) ** 2 for prior in (whole_prior(), shot.prior)
        ]
        found.append([age_s, float((errors**2).sum(axis=1).mean()), *least, chance, held])
    return found


def _mixture(shot: Shot, models: list, rows: np.ndarray, noise: np.ndarray, wind: np.ndarray):
    """Return the error (draws, 2) of the posterior mean of the impact, the share of 95 % ellipses that hold it, and the
    mean probability of the true class."""
    r = rows.reshape(-1, 10)
    by_impact = shot.flight.landed_by_start[:2]
    logs, means, spreads = [], [], []
    for _, off, precision, mean, prior, moved in models:
        about = mean.copy()
        about[1:3] = -wind  # the tracker is told of none; the truth has this
        information = np.diag([1e-9] * 3 + [1e-9] * 3 + precision.tolist())
        scale = np.sqrt(np.diag(r.T @ r + information))
        posterior = (r.T @ r + information) / np.outer(scale, scale)
        residual = noise.reshape(len(noise), -1) - off[: len(rows)].reshape(-1)
        pull = residual @ r
        pull[:, 6:] += precision * about
        value = np.linalg.solve(posterior, (pull / scale).T).T / scale
        log = prior + 0.5 * np.log(precision).sum() - 0.5 * np.linalg.slogdet(posterior)[1] - np.log(scale).sum()
        log = log + 0.5 * (pull * value).sum(axis=1) - 0.5 * (residual**2).sum(axis=1) - 0.5 * precision @ about**2
        logs.append(log)
        means.append(moved + value @ by_impact.T)
        spreads.append(by_impact / scale @ np.linalg.solve(posterior, (by_impact / scale).T))
    weights = np.array(logs)
    weights = np.exp(weights - weights.max(axis=0))
    weights /= weights.sum(axis=0)
    of_class = np.array([each[0].class_name == shot.model.class_name for each in models])
    mean = np.einsum("md,mdi->di", weights, np.array(means))
    off = np.array(means) - mean
    covariance = np.einsum("md,mij->dij", weights, np.array(spreads)) + np.einsum("md,mdi,mdj->dij", weights, off, off)
    distance_2 = np.einsum("di,di->d", mean, np.linalg.solve(covariance, mean[:, :, np.newaxis])[:, :, 0])
    return mean, float((distance_2 <= gate(2, 0.95)).mean()), float(weights[of_class].sum(axis=0).mean())


def _like(shot: Shot, model: Model, true: np.ndarray, spin: float, env) -> tuple[float, Flight | None]:
    """Return the log coefficient of a model that has the drag of the round at first, and its flight from there."""
    mach = round(0.9 * float(np.linalg.norm(true[3:6])) / 340.0 / MACH_STEP)
    ratio = standard_curve(model.curve)[mach] / standard_curve(shot.model.curve)[mach]
    ln_beta = float(true[LN_BETA]) + math.log(ratio)
    if model.curve == shot.model.curve:
        return ln_beta, shot.flight
    start = np.array([*true[:6], ln_beta, 0.0, 0.0, spin])
    return ln_beta, fly(start, env, standard_curve(model.curve))


def _usual(model: Model, state: np.ndarray) -> float:
    """Return the log weight that a class is mostly not fired at such an elevation: of `opencram.tracking.bank`."""
    up = math.sqrt(max(state[5], 0.0) ** 2 + 2.0 * GRAVITY_M_S2 * max(state[2], 0.0))
    elevation, (least, most) = math.atan2(up, math.hypot(state[3], state[4])), model.elevation_rad
    return max(-0.5 * (max(least - elevation, elevation - most, 0.0) / _ELEVATION_RAD_STD) ** 2, _LOG_STRAY)


def _polar(state: np.ndarray, place: np.ndarray, radar) -> np.ndarray:
    away = (state[:, :3] - place) @ np.array(radar.local_from_enu).reshape(3, 3).T
    ring = np.hypot(away[:, 0], away[:, 1])
    return np.stack(
        [np.hypot(ring, away[:, 2]), np.arctan2(away[:, 0], away[:, 1]), np.arctan2(away[:, 2], ring)], axis=1
    )


def _stds(radar) -> np.ndarray:
    stds = np.array([radar.range_m_std, radar.azimuth_rad_std, radar.elevation_rad_std])
    return stds / math.sqrt(radar.detection_probability)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--draws", type=int, default=200, help="of the noise, in each run")
    parser.add_argument("--class", dest="classes", nargs="+", choices=CLASSES, default=CLASSES)
    parser.add_argument("--fired", choices=FIRED, default="typical", help="speeds and elevations")
    chosen = parser.parse_args()
    print(
        f"{chosen.runs} runs of each class, seed {chosen.seed}, fired as is {chosen.fired}, {chosen.draws} draws of the"
        " noise each"
    )
    print("class   age s   RMSE/bound, class unknown   class known   probability of the class   in 95 % ellipse")
    whole: dict[float, list[tuple[float, float, float]]] = {age_s: [] for age_s in AGES_S}
    for name in chosen.classes:
        rows = []
        for k in range(chosen.runs):
            seed = chosen.seed * 1_000_000 + k
            rows += oracle(draw(name, seed, "none", chosen.fired), seed, chosen.draws)
        table = np.array(rows)
        share = sum(model.prior for model in CLASS_BANK if model.class_name == name)
        for age_s in AGES_S:
            own = table[table[:, 0] == age_s]
            unknown, known = ((own[:, 1] / own[:, k]).mean() for k in (2, 3))
            held = float(own[:, 5].mean())
            whole[age_s].append((share, float(unknown), held))
            print(
                f"{name:7} {age_s:5.0f} {math.sqrt(unknown):14.2f} {math.sqrt(known):20.2f} {own[:, 4].mean():20.2f}"
                f" {held:20.3f}"
            )
        sys.stdout.flush()
    for age_s in AGES_S:
        shares, ratios, helds = np.array(whole[age_s]).T
        shares = shares / shares.sum()
        print(f"bank    {age_s:5.0f} {math.sqrt(shares @ ratios):14.2f} {'':20} {'':20} {shares @ helds:20.3f}")


if __name__ == "__main__":
    main()
