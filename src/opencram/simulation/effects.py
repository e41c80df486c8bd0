"""What a simulated engagement does to a round: miss geometry, hits, and what is left of the round.

The draws of an engagement come from a stream named by the round it meets and by how many shots met that round before,
so that they do not depend on what else is fired at: two policies that both fire at a round see the same luck.  All
parameters are generic (`model.Behaviour`).
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from opencram.earth.geodesy import Frame, enu_from_geodetic
from opencram.messages import Engagement
from opencram.simulation.model import Behaviour, Effector, Effects, Vector, WorldConfig
from opencram.simulation.streams import stream

Array = NDArray[np.float64]
Result = Literal["detonation", "break_up", "dud", "missed", "no_target", "unknown_effector"]

KILLS = ("detonation", "break_up", "dud")
BURST_ROUNDS_MAX = 10_000


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The truth about one engagement: what it met and did.  `round` is −1 where it met nothing.

    `cue_error_m`: from the engagement's intercept point to the round; `miss_m`: the smallest distance at
    which a projectile of the burst, or the interceptor, passed the round.  Both NaN without a target.
    """

    t_ns: int
    engagement_id: int
    track_id: int
    effector: str
    round: int
    result: Result
    shot: int = 0  # how many shots met this round before
    cue_error_m: float = math.nan
    miss_m: float = math.nan
    hits: int = 0

    @property
    def killed(self) -> bool:
        """Whether the round's flight ended here as it was."""
        return self.result in KILLS

    @property
    def luck(self) -> str:
        """The name of the stream of its draws."""
        return f"effect/round/{self.round}/shot/{self.shot}" if self.round >= 0 else f"effect/{self.engagement_id}"


@dataclass(frozen=True)
class Piece:
    """A part of a round that falls on: a dud, or debris; or of a shot: an unexploded shell, a piece of a missile."""

    kind: Literal["dud", "debris", "shell", "missile"]
    position_enu_m: Vector
    velocity_enu_m_s: Vector
    ballistic_coefficient_kg_m2: float


def effector_of(config: WorldConfig, name: str) -> Effector | None:
    """Return the effector of this name, if the world has it."""
    return next((effector for effector in config.effectors if effector.id == name), None)


def engage(
    config: WorldConfig,
    engagement: Engagement,
    number: int,
    position_enu_m: Array,
    *,
    velocity_enu_m_s: Array | None = None,
    shot: int = 0,
) -> Outcome:
    """Return what this engagement does to round `number`, truly here and so fast, and met by `shot` shots before."""
    effector = effector_of(config, engagement.effector)
    outcome = Outcome(
        t_ns=engagement.intercept_t_ns,
        engagement_id=engagement.engagement_id,
        track_id=engagement.track_id,
        effector=engagement.effector,
        round=number,
        result="missed",
        shot=shot,
    )
    if effector is None:
        return replace(outcome, result="unknown_effector", round=-1)
    cue_error = math.dist(engagement.intercept_enu_m, position_enu_m)
    if not cue_error <= effector.shoots.acquisition_m:  # a NaN intercept point meets nothing either
        return replace(outcome, result="no_target", round=-1)
    site = Frame(config.latitude_rad, config.longitude_rad, config.height_m)
    place = enu_from_geodetic(site, effector.latitude_rad, effector.longitude_rad, effector.height_m)
    line = position_enu_m - place
    slant_m = float(np.linalg.norm(line))
    outcome = replace(outcome, cue_error_m=cue_error)
    if slant_m > effector.range_m_max:
        return outcome
    draws = stream(config.seed, outcome.luck)
    velocity = np.zeros(3) if velocity_enu_m_s is None else velocity_enu_m_s
    crossing_m_s = float(np.linalg.norm(velocity - line * (velocity @ line) / max(slant_m, 1.0) ** 2))
    late_m = crossing_m_s * effector.shoots.speed_std_share * flight_s(effector.shoots, slant_m)
    common_m = math.hypot(effector.shoots.aim_rad_std * slant_m, effector.shoots.tracking_m_std)
    common_m = math.hypot(common_m, engagement.tracking_m_std if math.isfinite(engagement.tracking_m_std) else 0.0)
    miss_m, hits = _pass(effector.shoots, slant_m, engagement.rounds, draws, common_m=common_m, late_m=late_m)
    outcome = replace(outcome, miss_m=miss_m, hits=hits)
    if draws.random() >= 1.0 - (1.0 - effector.shoots.kill_given_hit) ** hits:
        return outcome
    return replace(outcome, result=_kind_of_kill(config.effects, float(draws.random())))


def flight_s(shoots: Behaviour, slant_m: float) -> float:
    """Return the time of flight over a slant range: the speed falls exponentially with the way."""
    if math.isinf(shoots.decay_m):
        return slant_m / shoots.speed_m_s
    return shoots.decay_m / shoots.speed_m_s * math.expm1(slant_m / shoots.decay_m)


def _pass(
    shoots: Behaviour, slant_m: float, rounds: int, draws: np.random.Generator, *, common_m: float, late_m: float
) -> tuple[float, int]:
    """Return the smallest distance at which something passed the round (m), and the number of hits.

    The first of the two axes is the way that the round crosses the line of fire: along it rounds arrive early or late.
    """
    count = min(max(rounds, 0), BURST_ROUNDS_MAX)
    if count == 0:
        return math.inf, 0
    own_m = math.hypot(shoots.dispersion_rad_std * slant_m, shoots.stray_m_std)
    aim = draws.standard_normal(2) * common_m
    strays = draws.standard_normal((count, 2)) * (math.hypot(own_m, late_m), own_m)
    passed = np.hypot(*(aim + strays).T)
    return float(passed.min()), int(np.count_nonzero(passed <= shoots.lethal_m))


def _kind_of_kill(effects: Effects, chance: float) -> Result:
    if chance < effects.detonation_share:
        return "detonation"
    return "break_up" if chance < effects.detonation_share + effects.break_up_share else "dud"


def pieces(
    config: WorldConfig,
    outcome: Outcome,
    position_enu_m: Array,
    velocity_enu_m_s: Array,
    ballistic_coefficient_kg_m2: float,
) -> tuple[Piece, ...]:
    """Return what falls on after this outcome, from where the round was and as it flew."""
    effects = config.effects
    east, north, up = (float(x) for x in position_enu_m)
    place = (east, north, up)
    ve, vn, vu = (float(v) for v in velocity_enu_m_s)
    if outcome.result == "dud":
        share = effects.dud_ballistic_coefficient_share
        return (Piece("dud", place, (ve, vn, vu), ballistic_coefficient_kg_m2 * share),)
    if outcome.result != "break_up":
        return ()
    draws = stream(config.seed, f"{outcome.luck}/debris")
    spread = draws.standard_normal((effects.debris_count, 3)) * effects.debris_spread_m_s
    coefficients = effects.debris_ballistic_coefficient_kg_m2 * np.exp(0.5 * draws.standard_normal(len(spread)))
    return tuple(
        Piece("debris", place, (ve + de, vn + dn, vu + du), coefficient)
        for (de, dn, du), coefficient in zip(spread.tolist(), coefficients.tolist(), strict=True)
    )
