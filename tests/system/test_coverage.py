"""How honest the predictions are: over many random raids, the share of 95 % ellipses that hold the impact."""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest

from opencram.config.model import Policy, Sensor, Site, Warnings, Weather
from opencram.messages import Association, Impact
from opencram.runtime.configure import configure
from opencram.runtime.pipeline import run
from opencram.simulation import world
from opencram.simulation.model import WorldConfig
from opencram.simulation.raids import random_raid
from opencram.simulation.streams import stream
from opencram.simulation.truth import truth_document
from truth import parse_t_ns

RAIDS = 200
AGES_S = (5.0, 8.0, 12.0)
CHI2_95_2DOF = 5.991
WIND_STD_M_S = 1.5  # of what the site believes of the wind at the ground, in each axis


@dataclass(frozen=True)
class Verdict:
    """One round of one raid: squared error in units of the claimed covariance by age; None without a prediction."""

    seed: int
    name: str
    chi2: dict[float, float | None]


def site_of(config: WorldConfig) -> Site:
    """What the owner of the site believes: the radars as they are, the wind roughly or, in every third raid, not."""
    draws = stream(config.seed, "test/belief")
    east, north = draws.normal(0.0, WIND_STD_M_S, 2)
    weather = Weather(wind_east_m_s=config.air.wind_east_m_s + east, wind_north_m_s=config.air.wind_north_m_s + north)
    sensors = tuple(
        Sensor(
            id=radar.id,
            latitude_rad=radar.latitude_rad,
            longitude_rad=radar.longitude_rad,
            height_m=radar.height_m,
            range_m_std=radar.range_m_std,
            azimuth_rad_std=radar.azimuth_rad_std,
            elevation_rad_std=radar.elevation_rad_std,
            range_m_max=radar.range_m_max,
            detection_probability=radar.detection_probability,
            clutter_per_scan=radar.clutter_per_scan,
            period_s=radar.period_s,
        )
        for radar in config.radars
    )
    return Site(
        name=config.note,
        latitude_rad=config.latitude_rad,
        longitude_rad=config.longitude_rad,
        height_m=config.height_m,
        ground_height_m=config.ground_height_m,
        weather=None if config.seed % 3 == 0 else weather,
        sensors=sensors,
        assets=(),
        zones=(),
        effectors=(),
        policy=Policy(),
        warnings=Warnings(),
        text="",
        sha256="",
    )


def verdicts(seed: int) -> list[Verdict]:
    """Fly a random raid, run its plots through the pipeline, and judge the predictions by what really happened."""
    config = random_raid(seed)
    state, plots = world.scan(config, world.initial(config), config.end_t_ns)
    truth = truth_document(config, state)
    origin = truth["origin"]
    owners: dict[int, Counter[int]] = {}
    impacts: list[Impact] = []
    for message in (message for _, made in run(configure(site_of(config)), plots) for message in made):
        if isinstance(message, Association):
            for plot_id, track_id in zip(message.plot_ids, message.track_ids, strict=True):
                owners.setdefault(track_id, Counter())[origin[plot_id - 1]] += 1
        elif isinstance(message, Impact):
            impacts.append(message)
    round_of = {track_id: count.most_common(1)[0][0] for track_id, count in owners.items()}
    found = []
    for number, flown in enumerate(truth["rounds"]):
        times = [plot.t_ns for plot, index in zip(plots, origin, strict=True) if index == number]
        if not times or flown["impact_time"] is None:
            continue
        own = [impact for impact in impacts if round_of.get(impact.track_id) == number]
        ages = [age_s for age_s in AGES_S if times[0] + age_s * 1e9 < parse_t_ns(flown["impact_time"])]
        chi2 = {age_s: chi2_at(own, times[0] + round(age_s * 1e9), flown["impact_enu_m"]) for age_s in ages}
        found.append(Verdict(seed, flown["name"], chi2))
    return found


def chi2_at(impacts: list[Impact], t_ns: int, impact_enu_m: list[float]) -> float | None:
    """Return the squared error of the last prediction up to `t_ns`, in units of its covariance."""
    known = [impact for impact in impacts if impact.t_ns <= t_ns]
    if not known:
        return None
    error_m = np.array(known[-1].position_enu_m[:2]) - np.array(impact_enu_m[:2])
    ee, en, nn = known[-1].covariance_enu_m2
    return float(error_m @ np.linalg.solve(np.array([[ee, en], [en, nn]]), error_m))


@pytest.mark.slow
def test_95_percent_ellipses_hold_the_impact_over_200_raids() -> None:
    judged = [verdict for seed in range(1, RAIDS + 1) for verdict in verdicts(seed)]
    held, shares = {}, {}
    for age_s in AGES_S:
        known = [chi2 for verdict in judged if (chi2 := verdict.chi2.get(age_s)) is not None]
        due = sum(age_s in verdict.chi2 for verdict in judged)
        held[age_s], shares[age_s] = float(np.mean(np.array(known) <= CHI2_95_2DOF)), len(known) / due
        error = math.sqrt(held[age_s] * (1.0 - held[age_s]) / len(known))
        print(f"{age_s:g} s: {held[age_s]:.3f} ± {error:.3f} of {len(known)} ellipses hold the impact; {due} rounds")
    names = sorted({verdict.name for verdict in judged})
    for name in names:
        known = [x for verdict in judged if verdict.name == name for x in verdict.chi2.values() if x is not None]
        print(f"  {name}: {float(np.mean(np.array(known) <= CHI2_95_2DOF)):.3f} of {len(known)}")
    assert all(0.90 <= share <= 0.98 for share in held.values()), held
    assert all(share >= 0.95 for share in shares.values()), f"rounds without a prediction: {shares}"


def test_a_random_raid_is_predicted_from_its_own_plots() -> None:
    """The check itself: most rounds of a few raids have a prediction, and none is wildly beside its ellipse."""
    judged = [verdict for seed in (1, 2, 3) for verdict in verdicts(seed)]
    known = [chi2 for verdict in judged for chi2 in verdict.chi2.values()]
    assert len(known) >= 10
    assert sum(chi2 is not None and chi2 < 30.0 for chi2 in known) >= 0.8 * len(known)
