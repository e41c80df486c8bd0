"""Hits and kills come as often as geometry says."""

import math

import msgspec
import numpy as np
import pytest
from scipy.stats import ncx2
from simulation_worlds import HIT_PLACE, LATITUDE, LONGITUDE, START_NS, engagement, gun, world

from opencram.simulation.effects import Outcome, engage, pieces
from opencram.simulation.model import Effector, Effects

SHOTS = 3000


def outcomes(
    effector: Effector, rounds: int, place: tuple[float, float, float], effects: Effects | None = None
) -> list[Outcome]:
    config = world(effectors=(effector,), effects=effects or Effects())
    shots = [msgspec.structs.replace(engagement(k, START_NS, place), rounds=rounds) for k in range(SHOTS)]
    return [engage(config, shot, 0, np.array(place), shot=k) for k, shot in enumerate(shots)]


def hits_expected(effector: Effector, slant_m: float, offset_m: float) -> float:
    """Probability of a circular Gaussian point, `offset_m` away, within the lethal radius."""
    sigma = math.hypot(effector.shoots.dispersion_rad_std * slant_m, effector.shoots.stray_m_std)
    return float(ncx2.cdf((effector.shoots.lethal_m / sigma) ** 2, 2, (offset_m / sigma) ** 2 + 1e-12))


def test_hits_without_an_error_of_the_aim_follow_the_dispersion() -> None:
    effector = gun(aim_rad_std=0.0, tracking_m_std=0.0)
    done = outcomes(effector, 120, HIT_PLACE)
    slant = math.dist(HIT_PLACE, (0.0, 0.0, 10.0))
    chance = hits_expected(effector, slant, 0.0)
    hits = np.array([o.hits for o in done])
    assert hits.mean() == pytest.approx(120 * chance, abs=4.5 * math.sqrt(120 * chance / SHOTS))
    kill = 1.0 - (1.0 - 0.5 * chance) ** 120
    assert np.mean([o.killed for o in done]) == pytest.approx(kill, abs=4.5 * math.sqrt(kill * (1 - kill) / SHOTS))
    for o in done:
        assert (o.hits > 0) == (o.miss_m <= effector.shoots.lethal_m)


def test_a_common_error_makes_the_hits_of_a_burst_depend_on_each_other() -> None:
    """Against the mean over the common error, by quadrature: treating all errors alike would promise too much."""
    effector = gun()
    slant = math.dist(HIT_PLACE, (0.0, 0.0, 10.0))
    common = math.hypot(effector.shoots.aim_rad_std * slant, effector.shoots.tracking_m_std)
    radii = (np.arange(2000) + 0.5) * 6.0 * common / 2000
    weights = radii * np.exp(-0.5 * (radii / common) ** 2)
    weights /= weights.sum()
    survive = [(1.0 - 0.5 * hits_expected(effector, slant, float(r))) ** 120 for r in radii]
    kill = 1.0 - float(np.dot(weights, survive))
    done = outcomes(effector, 120, HIT_PLACE)
    assert np.mean([o.killed for o in done]) == pytest.approx(kill, abs=4.5 * math.sqrt(kill * (1 - kill) / SHOTS))


def test_generic_effectors_kill_as_often_as_they_are_said_to() -> None:
    near = (600.0, 0.0, 800.0)
    assert np.mean([o.killed for o in outcomes(gun(), 120, near)]) == pytest.approx(0.5, abs=0.15)
    missile = Effector(id="gun-1", kind="interceptor", latitude_rad=LATITUDE, longitude_rad=LONGITUDE, height_m=45.0)
    kill = 0.9 * (1.0 - math.exp(-0.5 * (4.0 / 2.0) ** 2))  # Rayleigh
    done = outcomes(missile, 1, HIT_PLACE)
    assert np.mean([o.killed for o in done]) == pytest.approx(kill, abs=4.5 * math.sqrt(kill * (1 - kill) / SHOTS))


def test_kinds_of_kill_come_in_their_shares() -> None:
    sure = gun(lethal_m=1e3, kill_given_hit=1.0)
    done = outcomes(sure, 10, HIT_PLACE, Effects(detonation_share=0.5, break_up_share=0.3))
    for kind, share in (("detonation", 0.5), ("break_up", 0.3), ("dud", 0.2)):
        met = np.mean([o.result == kind for o in done])
        assert met == pytest.approx(share, abs=4.5 * math.sqrt(share * (1 - share) / SHOTS))


@pytest.mark.parametrize("rounds", [0, -5])
def test_a_burst_of_nothing_hits_nothing(rounds: int) -> None:
    assert all(o.result == "missed" and o.hits == 0 for o in outcomes(gun(lethal_m=1e3), rounds, HIT_PLACE)[:5])


def test_beyond_its_range_nothing_is_hit() -> None:
    sure = gun(lethal_m=1e3, kill_given_hit=1.0, range_m_max=500.0)
    assert all(o.result == "missed" and math.isnan(o.miss_m) for o in outcomes(sure, 100, HIT_PLACE)[:5])


def test_debris_starts_where_the_round_was_and_scatters_about_its_velocity() -> None:
    config = world(effects=Effects(debris_count=4000, debris_spread_m_s=40.0))
    outcome = Outcome(t_ns=START_NS, engagement_id=1, track_id=1, effector="gun-1", round=0, result="break_up")
    left = pieces(config, outcome, np.array(HIT_PLACE), np.array([100.0, -50.0, -150.0]), 1700.0)
    assert {piece.position_enu_m for piece in left} == {HIT_PLACE}
    velocities = np.array([piece.velocity_enu_m_s for piece in left])
    assert velocities.mean(axis=0) == pytest.approx([100.0, -50.0, -150.0], abs=4.5 * 40.0 / math.sqrt(4000))
    assert velocities.std(axis=0) == pytest.approx([40.0] * 3, rel=0.06)
