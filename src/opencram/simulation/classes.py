"""Generic rounds of the three projectile classes, for scenarios and studies.

Masses, calibres and speeds are what open literature prints for each calibre, rounded: none describes a
particular product.  The ballistic coefficient is mass over cross-section, divided by a form factor
against the drag curve of the class; for rockets the mass is that after burn-out.
"""

import math
from dataclasses import dataclass

from opencram.ballistics.spinning import GENERIC_105, GENERIC_155, Body
from opencram.simulation.model import GENERIC


@dataclass(frozen=True, kw_only=True)
class GenericRound:
    """One calibre.  Speeds are those at the muzzle, or at burn-out of a rocket.

    `curves` names the standard drag curves that such a round may have, each with its form factor: what a
    round of this shape has of the drag of the curve.
    """

    name: str
    class_name: str
    calibre_m: float
    mass_kg: float
    curves: tuple[tuple[str, float], ...]
    speed_m_s_min: float
    speed_m_s_max: float
    elevation_rad_min: float
    elevation_rad_max: float
    spin_drift_m_s: float  # constant c of the yaw of repose, see `ballistics.motion`; 0 for finned rounds
    source: str = GENERIC

    @property
    def ballistic_coefficient_kg_m2(self) -> float:
        """Mass over cross-section over form factor, on the first of the curves: the usual one of the class."""
        return self.ballistic_coefficient_on(self.curves[0][0])

    def ballistic_coefficient_on(self, curve: str) -> float:
        """Return mass over cross-section over form factor (kg/m²) on one of the curves."""
        return self.mass_kg / (math.pi / 4.0 * self.calibre_m**2) / dict(self.curves)[curve]


_CURVES = {
    "mortar": (("G5", 1.0),),
    "rocket": (("G7", 1.0), ("G2", 0.8), ("G8", 0.7)),
    "shell": (("G7", 1.0),),
}
_ELEVATIONS_DEG = {"mortar": (45.0, 80.0), "rocket": (20.0, 55.0), "shell": (20.0, 65.0)}


def _generic(name: str, mass_kg: float, slowest_m_s: float, fastest_m_s: float, spin_drift_m_s: float) -> GenericRound:
    """Return the generic round "<calibre> mm <class>", or "<calibre> mm <class>, <kind>"."""
    calibre_mm, _, class_name = name.split(",", maxsplit=1)[0].split()
    lowest_deg, highest_deg = _ELEVATIONS_DEG[class_name]
    return GenericRound(
        name=name,
        class_name=class_name,
        calibre_m=float(calibre_mm) * 1e-3,
        mass_kg=mass_kg,
        curves=_CURVES[class_name],
        speed_m_s_min=slowest_m_s,
        speed_m_s_max=fastest_m_s,
        elevation_rad_min=math.radians(lowest_deg),
        elevation_rad_max=math.radians(highest_deg),
        spin_drift_m_s=spin_drift_m_s,
        source=f"{GENERIC}, after open handbooks of ammunition",
    )


GENERIC_ROUNDS: tuple[GenericRound, ...] = tuple(
    _generic(*row)
    for row in (
        ("60 mm mortar", 1.7, 70.0, 240.0, 0.0),
        ("81 mm mortar", 4.2, 70.0, 290.0, 0.0),
        ("120 mm mortar", 13.0, 100.0, 320.0, 0.0),
        ("120 mm mortar, rifled", 16.0, 100.0, 320.0, 5.0),
        ("105 mm shell", 15.0, 200.0, 480.0, 4.0),
        ("155 mm shell", 43.0, 220.0, 560.0, 5.0),
        ("107 mm rocket", 15.0, 150.0, 380.0, 0.0),
        ("122 mm rocket", 45.0, 200.0, 690.0, 0.0),
    )
)


def body_of(kind: GenericRound) -> Body:
    """Return what spins of a generic shell: the published body of its calibre's size."""
    return GENERIC_105 if kind.calibre_m < 0.13 else GENERIC_155


def generic_round(name: str) -> GenericRound:
    """Return the generic round of this name ("120 mm mortar")."""
    return next(each for each in GENERIC_ROUNDS if each.name == name)


def usual_round(class_name: str) -> GenericRound:
    """Return the round that stands for a class where a scenario names no calibre."""
    return generic_round({"mortar": "120 mm mortar", "rocket": "107 mm rocket", "shell": "155 mm shell"}[class_name])
