"""Early and narrow at once: rounds whose prediction sharpens as the bound of the standard case does.

The root mean square error after 3/5/8/12/20 s of track is 600/332/118/41/9 m (107 mm class, one 10 Hz radar).
"""

import math

import numpy as np
import pytest

from opencram import threat, warning
from opencram.messages import Impact, ImpactComponent, Track
from opencram.threat.config import Place
from opencram.warning.config import Zone

S = 1_000_000_000
SIDE_M = 750.0
CELLS = [(i, j) for i in range(-5, 5) for j in range(-5, 5)]


def square(i, j):
    west, south = i * SIDE_M, j * SIDE_M
    return ((west, south), (west + SIDE_M, south), (west + SIDE_M, south + SIDE_M), (west, south + SIDE_M))


THREAT = threat.Config(
    places=tuple(Place(kind="zone", id=f"{i},{j}", people=1000, polygon_m=square(i, j)) for i, j in CELLS)
)
WARNING = warning.Config(zones=tuple(Zone(id=f"{i},{j}", people=1000, shelter_time_s=15.0) for i, j in CELLS))


def impact(t_s, mean, std, impact_s, time_std):
    covariance = (std[0] ** 2, 0.0, std[1] ** 2)
    component = ImpactComponent(
        class_name="rocket",
        probability=1.0,
        east_m=mean[0],
        north_m=mean[1],
        covariance_m2=covariance,
        impact_time_s_std=time_std,
        time_covariance_m_s=(0.0, 0.0),
    )
    return Impact(
        t_ns=round(t_s * S),
        track_id=1,
        position_enu_m=(mean[0], mean[1], 0.0),
        covariance_enu_m2=covariance,
        latitude_deg=0.0,
        longitude_deg=0.0,
        impact_t_ns=round(impact_s * S),
        impact_time_s_std=time_std,
        impact_velocity_enu_m_s=(0.0, 0.0, -200.0),
        projectile_probability=0.99,
        components=(component,),
        path_enu_m=(),
    )


def landed(t_s):
    return Track(
        t_ns=round(t_s * S),
        track_id=1,
        status="dropped",
        position_enu_m=(0.0, 0.0, 0.0),
        velocity_enu_m_s=(0.0, 0.0, 0.0),
        position_m_std=1.0,
        classes=(),
        plots=1,
        first_t_ns=0,
        updated_t_ns=round(t_s * S),
        reason="impact",
    )


def fly(rng, where, flight_s, seen_s):
    """Return what is said about one round, whose prediction errs as its covariance says, slowly changing."""
    threats, alarms = threat.initial(THREAT), warning.initial(WARNING)
    error, said = rng.normal(size=3), []
    for t_s in np.arange(seen_s + 2.0, flight_s, 0.25):
        drms = float(np.interp(t_s - seen_s, [2, 3, 5, 8, 12, 20], [900, 600, 332, 118, 41, 9]))
        std = np.array([0.95, 0.31]) * drms
        time_std = max(drms / 400.0, 0.02)
        error = 0.98 * error + 0.2 * rng.normal(size=3)
        message = impact(t_s, where + error[:2] * std, std, flight_s + error[2] * time_std, time_std)
        threats, found = threat.step(THREAT, threats, [message])
        alarms, out = warning.step(WARNING, alarms, found)
        said += out
    return said + warning.step(WARNING, alarms, [landed(flight_s)])[1]


@pytest.mark.parametrize("seed", range(30))
def test_the_zone_that_is_hit_is_warned_in_time_and_few_others_at_the_end(seed):
    rng = np.random.default_rng(seed)
    where = rng.uniform(-3000.0, 3000.0, 2)
    corner_m = np.hypot(*(where - SIDE_M * np.round(where / SIDE_M)))
    flight_s, seen_s = rng.uniform(20.0, 40.0), rng.uniform(1.0, 4.0)
    said = fly(rng, where, flight_s, seen_s)
    zone = f"{math.floor(where[0] / SIDE_M)},{math.floor(where[1] / SIDE_M)}"
    story = [each.state for each in said if each.zone == zone]
    issued = next(each for each in said if each.zone == zone and each.state == "issued")
    assert flight_s - issued.t_ns / S >= 10.0
    assert story.count("issued") == 1 + story.count("cancelled")
    assert story[-1] in ("issued", "updated")  # still in alarm when it is hit
    live = {each.zone: each.state for each in said if each.t_ns <= (flight_s - 5.0) * S}
    in_alarm = [name for name, state in live.items() if state in ("issued", "updated")]
    assert len(in_alarm) <= (3 if corner_m > 200.0 else 4)
