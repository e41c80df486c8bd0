"""The people under an engagement: debris, duds, rounds that fail to destroy themselves, and what is left of a missile.

Pieces are flown to the ground from where the shot would meet the round, two dozen at a time, and counted by the
people who live where they land.  Every number is generic and round; none is of a weapon.
"""

import functools
import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from opencram.ballistics.drag import standard_curve
from opencram.ballistics.environment import Environment, environment
from opencram.ballistics.lanes import LANES
from opencram.ballistics.propagation import STATES, to_ground
from opencram.earth.profile import Profile
from opencram.earth.terrain import Terrain
from opencram.engagement.effector import Effector
from opencram.engagement.holds import Fire, Mask, inside_polygon
from opencram.engagement.lead import Lead
from opencram.engagement.shots import Floats, Shots
from opencram.engagement.words import Quantity, Text, text

_STEP_S, _FALL_S_MAX = 0.25, 120.0
_NODES: Final = 5  # points of a window at which pieces are flown; the danger between them is interpolated
_CURVE: Final = "G1"  # blunt pieces

_ROOT: Final = 1.1673039782614187


@functools.cache
def _spread() -> Floats:
    """Return the spread of the pieces in the axes of velocity and in the logarithm of their ballistic coefficient.

    Standard normal deviates (pieces, 4) from the additive recurrence R4, whose points fill the unit cube evenly at
    any number of them.
    Source: the generalised golden ratio, the root of x⁵ = x + 1, as the base of the recurrence.
    """
    from scipy.special import ndtri  # a tenth of a second that a site without effectors need not wait

    unit = np.mod(0.5 + np.outer(np.arange(1, LANES + 1), _ROOT ** -np.arange(1.0, 5.0)), 1.0)
    deviates: Floats = ndtri(unit)
    return deviates


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """What goes wrong with a shot, and what is left of a round that it kills.  Generic round numbers.

    They are those of the simulation (`simulation.model.Effects`), of which no stage may know; a test holds the two
    together.
    """

    break_up_share: float = 0.25  # of kills; the round falls in pieces
    dud_share: float = 0.15  # of kills; it falls unexploded
    debris_count: int = 5
    debris_ballistic_coefficient_kg_m2: float = 150.0
    debris_log_std: float = 0.5
    debris_spread_m_s: float = 40.0
    debris_radius_m: float = 2.0  # a piece endangers people this near to where it falls
    dud_ballistic_coefficient_kg_m2: float = 2000.0
    dud_goes_off: float = 0.2  # probability that a dud does explode where it falls
    shell_failure_share: float = 0.02  # of a gun's rounds: they do not destroy themselves
    shell_ballistic_coefficient_kg_m2: float = 2000.0
    shell_radius_m: float = 5.0
    missile_pieces: int = 4
    missile_ballistic_coefficient_kg_m2: float = 400.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Zone:
    """Where people are, as the fall of pieces sees it; `presence`: the share who are there, one or 24 by local hour."""

    polygon_m: Floats
    people_per_m2: float
    presence: tuple[float, ...] = (1.0,)

    @staticmethod
    def of(corners_m: tuple[tuple[float, float], ...], people: float, presence: tuple[float, ...] = ()) -> "Zone":
        """Return the zone with its people spread evenly over it."""
        polygon = np.array(corners_m)
        x, y = polygon.T
        area = 0.5 * abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))))
        return Zone(polygon_m=polygon, people_per_m2=people / max(area, 1.0), presence=presence or (1.0,))

    def density_at(self, hour: int) -> float:
        """Return the people per m² at an hour of the local day."""
        return self.people_per_m2 * self.presence[hour % len(self.presence)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroundDanger:
    """Hold rule: no shot that endangers more people than it is expected to save.

    A kill saves the people that the round is expected to expose in the zones, and at an asset `asset_people`.
    """

    id: str
    zones: tuple[Zone, ...]
    latitude_rad: float
    height_m: float
    ground_height_m: float
    wind_m_s: tuple[float, float] = (0.0, 0.0)
    profile: Profile | None = None  # measured air and wind; its wind stands instead of `wind_m_s`
    terrain: Terrain | None = None  # the ground where it reaches
    asset_people: float = 100.0
    ratio: float = 1.0  # a shot may endanger this many for each that it saves
    hours_ahead_of_utc: float = 0.0  # of the local time of day
    failures: Failures = field(default_factory=Failures)

    @property
    def live(self) -> bool:
        """It is asked again with every new path or threat."""
        return False

    def allowed(self, fire: Fire) -> Mask:
        """Return the shots that endanger no more than they save."""
        if fire.lead is None or not len(fire.shots):
            return np.ones(len(fire.shots), dtype=bool)
        danger = self.endangered(fire.effector, fire.shots, fire.lead.hazard_radius_m)
        return np.asarray(danger <= self.ratio * self.saved(fire.lead) * fire.shots.kill_probability, dtype=bool)

    def why(self, fire: Fire, allowed: Mask) -> Text:
        """Tell the people under the best shot, and those under the round."""
        assert fire.lead is not None
        row = np.array([int(np.argmax(np.where(allowed, -1.0, fire.shots.kill_probability)))])
        danger = self.endangered(fire.effector, fire.shots, fire.lead.hazard_radius_m)[row]
        kill = float(fire.shots.kill_probability[row[0]])
        return text(
            "ground_danger",
            effector=fire.effector.id,
            danger=Quantity("hundredth", float(danger[0])),
            averted=Quantity("hundredth", self.saved(fire.lead) * kill),
        )

    def saved(self, lead: Lead) -> float:
        """Return how many people a sure kill saves."""
        return lead.exposed + (lead.probability * self.asset_people if lead.kind == "asset" else 0.0)

    def endangered(self, effector: Effector, shots: Shots, hazard_radius_m: float) -> Floats:
        """Return the expected number of people endangered by each shot (whether it kills or not)."""
        rows = np.unique(np.linspace(0, len(shots) - 1, _NODES).round().astype(np.int64))
        env = _air(self.latitude_rad, self.height_m, self.ground_height_m, self.wind_m_s, self.profile, self.terrain)
        at_nodes = np.array([self._at(env, effector, shots, int(row), hazard_radius_m) for row in rows])
        every: Floats = np.interp(np.arange(len(shots)), rows, at_nodes)
        return every

    def _at(self, env: Environment, effector: Effector, shots: Shots, row: int, hazard_radius_m: float) -> float:
        f, kill = self.failures, float(shots.kill_probability[row])
        hour = int(shots.intercept_t_ns[row] / 3.6e12 + self.hours_ahead_of_utc) % 24
        place, velocity = shots.position_enu_m[row], shots.velocity_enu_m_s[row]
        debris = self._people(env, place, velocity, f.debris_ballistic_coefficient_kg_m2, f.debris_radius_m, hour)
        dud = self._people(env, place, velocity, f.dud_ballistic_coefficient_kg_m2, hazard_radius_m, hour, 5.0)
        under = kill * (f.break_up_share * f.debris_count * debris + f.dud_share * f.dud_goes_off * dud)
        line = place - np.array(effector.position_enu_m)
        away = line / max(float(np.linalg.norm(line)), 1.0)
        model = effector.behaviour
        decay = 0.0 if math.isinf(model.decay_m) else float(shots.range_m[row]) / model.decay_m
        own = away * model.speed_m_s * math.exp(-decay)
        if effector.kind == "gun":
            failed = model.rounds_per_shot * f.shell_failure_share
            coefficient = f.shell_ballistic_coefficient_kg_m2
            return under + failed * self._people(env, place, own, coefficient, f.shell_radius_m, hour, 5.0)
        missile = self._people(env, place, own, f.missile_ballistic_coefficient_kg_m2, f.debris_radius_m, hour)
        return under + f.missile_pieces * missile

    def _people(
        self,
        env: Environment,
        place: Floats,
        velocity: Floats,
        ballistic_coefficient_kg_m2: float,
        radius_m: float,
        hour: int = 0,
        spread_m_s: float | None = None,
    ) -> float:
        """Return the expected number of people within `radius_m` of one piece at an hour of the local day."""
        spread = self.failures.debris_spread_m_s if spread_m_s is None else spread_m_s
        fall = landings(env, place, velocity, ballistic_coefficient_kg_m2, spread, self.failures.debris_log_std)
        people = np.zeros(len(fall))
        for zone in self.zones:
            people += inside_polygon(fall, zone.polygon_m) * zone.density_at(hour)
        return float(people.mean() * math.pi * radius_m**2)


@functools.lru_cache(maxsize=16)
def _air(
    latitude_rad: float,
    height_m: float,
    ground_height_m: float,
    wind_m_s: tuple[float, float],
    profile: Profile | None,
    terrain: Terrain | None,
) -> Environment:
    return environment(
        latitude_rad, height_m, ground_height_m=ground_height_m, wind_m_s=wind_m_s, profile=profile, terrain=terrain
    )


def landings(
    env: Environment,
    place: Floats,
    velocity: Floats,
    ballistic_coefficient_kg_m2: float,
    spread_m_s: float,
    log_std: float,
) -> Floats:
    """Return where `LANES` pieces fall (n, 2), spread evenly over their distribution; those that never do are left out.

    Error: the footprint within 30 % of Monte Carlo (tests/simulation/test_simulation_debris.py).
    """
    lanes = np.zeros((STATES, LANES))
    lanes[:3] = place[:, None]
    lanes[3:6] = velocity[:, None] + spread_m_s * _spread()[:, :3].T
    lanes[6] = math.log(ballistic_coefficient_kg_m2) + log_std * _spread()[:, 3]
    landed = np.empty((7, LANES))
    to_ground(lanes, _STEP_S, _FALL_S_MAX, env, standard_curve(_CURVE), landed)
    return np.ascontiguousarray(landed[1:3, np.isfinite(landed[0])].T)
