"""Generic rounds of the three projectile classes, for scenarios and studies.

Masses, calibres and speeds are what open literature prints for each calibre, rounded: none describes a
particular product.  The ballistic coefficient is mass over cross-section, divided by a form factor
against the drag curve of the class; for rockets the mass is that after burn-out.
"""

import math
from dataclasses import dataclass

from opencram.simulation.model import GENERIC


@dataclass(frozen=True, kw_only=True)
class GenericRound:
    """One calibre.  Speeds are those at the muzzle, or at burn-out of a rocket."""

    name: str
    class_name: str
    calibre_m: float
    mass_kg: float
    form_factor: float
    speed_m_s_min: float
    speed_m_s_max: float
    elevation_rad_min: float
    elevation_rad_max: float
    spin_drift_m_s: float  # constant c of the yaw of repose, see ballistics.motion; 0 for finned rounds
    source: str = GENERIC

    @property
    def ballistic_coefficient_kg_m2(self) -> float:
        """Mass over cross-section over form factor."""
        return self.mass_kg / (math.pi / 4.0 * self.calibre_m**2) / self.form_factor


_SOURCE = f"{GENERIC}, after open handbooks of ammunition"
_MORTAR = (math.radians(45.0), math.radians(80.0))
_ROCKET = (math.radians(20.0), math.radians(55.0))
_SHELL = (math.radians(20.0), math.radians(65.0))


def _generic(
    name: str, class_name: str, mass_kg: float, speeds_m_s: tuple[float, float], angles_rad: tuple[float, float],
    spin_drift_m_s: float = 0.0,
) -> GenericRound:  # fmt: skip
    return GenericRound(
        name=name,
        class_name=class_name,
        calibre_m=float(name.split(" ")[0]) * 1e-3,
        mass_kg=mass_kg,
        form_factor=1.0,
        speed_m_s_min=speeds_m_s[0],
        speed_m_s_max=speeds_m_s[1],
        elevation_rad_min=angles_rad[0],
        elevation_rad_max=angles_rad[1],
        spin_drift_m_s=spin_drift_m_s,
        source=_SOURCE,
    )


GENERIC_ROUNDS: tuple[GenericRound, ...] = (
    _generic("60 mm mortar", "mortar", 1.7, (70.0, 240.0), _MORTAR),
    _generic("81 mm mortar", "mortar", 4.2, (70.0, 290.0), _MORTAR),
    _generic("120 mm mortar", "mortar", 13.0, (100.0, 320.0), _MORTAR),
    _generic("105 mm shell", "shell", 15.0, (200.0, 480.0), _SHELL, 5.0),
    _generic("155 mm shell", "shell", 43.0, (220.0, 560.0), _SHELL, 8.0),
    _generic("107 mm rocket", "rocket", 15.0, (150.0, 380.0), _ROCKET),
    _generic("122 mm rocket", "rocket", 45.0, (200.0, 690.0), _ROCKET),
)


def generic_round(name: str) -> GenericRound:
    """Return the generic round of this name ("120 mm mortar")."""
    return next(each for each in GENERIC_ROUNDS if each.name == name)


def usual_round(class_name: str) -> GenericRound:
    """Return the round that stands for a class where a scenario names no calibre."""
    return generic_round({"mortar": "120 mm mortar", "rocket": "107 mm rocket", "shell": "155 mm shell"}[class_name])
