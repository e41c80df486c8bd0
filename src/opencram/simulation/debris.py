"""What an engagement itself lets fall: rounds of a burst that fail to destroy themselves, pieces of a missile.

They start where the shot meets the round and fly on along its line.  All numbers are generic (`model.Effects`).
"""

import numpy as np
from numpy.typing import NDArray

from opencram.simulation.effects import Piece
from opencram.simulation.model import Effector, Effects, Vector

Array = NDArray[np.float64]

PIECES_MAX = 200
_SHELL_SPREAD_M_S = 5.0


def own_pieces(
    effects: Effects, effector: Effector, place_enu_m: Array, draws: np.random.Generator, *, rounds: int, at: Vector
) -> tuple[Piece, ...]:
    """Return what falls of a shot of `rounds` rounds that passed or burst at `at`, whether it killed or not."""
    line = np.array(at) - place_enu_m
    away = line / max(float(np.linalg.norm(line)), 1.0)
    if effector.kind == "gun":
        count = int(draws.binomial(min(max(rounds, 0), 10_000), effects.shell_failure_share))
        speed, spread = effects.shell_speed_m_s, _SHELL_SPREAD_M_S
        coefficient, log_std = effects.shell_ballistic_coefficient_kg_m2, 0.05
    else:
        count = effects.missile_pieces
        speed, spread = effects.missile_speed_m_s, effects.debris_spread_m_s
        coefficient, log_std = effects.missile_ballistic_coefficient_kg_m2, 0.5
    count = min(count, PIECES_MAX)
    velocities = away * speed + draws.standard_normal((count, 3)) * spread
    coefficients = coefficient * np.exp(log_std * draws.standard_normal(count))
    kind = "shell" if effector.kind == "gun" else "missile"
    return tuple(
        Piece(kind, at, (east, north, up), beta)  # type: ignore[arg-type]
        for (east, north, up), beta in zip(velocities.tolist(), coefficients.tolist(), strict=True)
    )
