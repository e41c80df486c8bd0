"""From salvos to single rounds: the dispersion of a launch, drawn once and for all from the seed."""

from dataclasses import replace

import numpy as np

from opencram.simulation.model import Round, Salvo, Vector, WorldConfig
from opencram.simulation.streams import stream


def all_rounds(config: WorldConfig) -> tuple[Round, ...]:
    """Return the rounds of the world: the single ones, then those of the salvos in order."""
    expanded = [salvo_rounds(config.seed, f"salvo/{k}", salvo) for k, salvo in enumerate(config.salvos)]
    return config.rounds + tuple(each for rounds in expanded for each in rounds)


def salvo_rounds(seed: int, name: str, salvo: Salvo) -> tuple[Round, ...]:
    """Return the rounds of a salvo; round k has a stream of its own, so that a longer salvo begins alike."""
    return tuple(_dispersed(stream(seed, f"{name}/round/{k}"), k, salvo) for k in range(salvo.count))


def _dispersed(draws: np.random.Generator, number: int, salvo: Salvo) -> Round:
    speed, across, along, coefficient, late = draws.standard_normal(5).tolist()
    delay_s = number * salvo.interval_s + late * salvo.interval_s_std
    return replace(
        salvo.pattern,
        launch_t_ns=salvo.pattern.launch_t_ns + round(max(delay_s, 0.0) * 1e9),
        velocity_enu_m_s=_turned(
            salvo.pattern.velocity_enu_m_s,
            1.0 + speed * salvo.speed_std_share,
            across * salvo.direction_rad_std,
            along * salvo.direction_rad_std,
        ),
        ballistic_coefficient_kg_m2=salvo.pattern.ballistic_coefficient_kg_m2
        * float(np.exp(coefficient * salvo.ballistic_coefficient_std_share)),
    )


def _turned(velocity_enu_m_s: Vector, stretch: float, right_rad: float, up_rad: float) -> Vector:
    """Return a velocity stretched, and turned by two small angles to its right and upwards."""
    east, north, up = velocity_enu_m_s
    speed = float(np.sqrt(east * east + north * north + up * up)) * stretch
    azimuth = float(np.arctan2(east, north))
    elevation = float(np.arctan2(up, np.hypot(east, north)))
    # The same angle across the line is a larger turn in azimuth the steeper the line.
    azimuth += right_rad / max(float(np.cos(elevation)), 0.05)
    return velocity_of(speed, azimuth, elevation + up_rad)


def velocity_of(speed_m_s: float, azimuth_rad: float, elevation_rad: float) -> Vector:
    """Return the velocity in ENU of a speed, an azimuth from north and an elevation."""
    flat = speed_m_s * np.cos(elevation_rad)
    return (
        float(flat * np.sin(azimuth_rad)),
        float(flat * np.cos(azimuth_rad)),
        float(speed_m_s * np.sin(elevation_rad)),
    )
