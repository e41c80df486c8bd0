"""The bank of flight models: what a projectile of each class is expected to be, before it is seen.

All numbers are generic and rounded from open publications; none describes a particular weapon.

* Mass over cross-section of common calibres (mass, calibre → kg/m²): 60 mm mortar bomb 1.8 kg → 640;
  81 mm 4.2 kg → 815; 120 mm 13 kg → 1150; 105 mm shell 15 kg → 1730; 155 mm shell 43.5 kg → 2300;
  107 mm rocket 19 kg → 2100; 122 mm rocket 46 kg after burning → 3900.  Source: the tables of
  ammunition in "Jane's Ammunition Handbook", rounded to two digits.
* A standard curve fits a real round only up to a form factor, and the ballistic coefficient takes that
  factor in: on a low curve (G7) it is about the mass over cross-section, on a high one (G2) more.  Fins and motors
  come in many sizes (deviation 0.45 of the logarithm); rifled mortars are of 120 mm, shells of 105 to 155 (0.25).
* Spin drift: a right-hand rifled shell of 155 mm drifts about 15 to 20 mil at 13 km, which is c of 4 to
  6 m/s; fins give none.  Source: McCoy, "Modern Exterior Ballistics" (1999), chapter 9, examples.  Rockets of 107 mm
  have no fins but spin, more slowly than shells, and those with fins roll: some of them drift, so the deviation is
  2.5 m/s.  With 1 m/s a shell that was taken for a rocket had ellipses that were too small (docs/tracking.md).
* Elevations: mortars fire at high angles (45 to 85°), howitzers up to 70°, launchers of artillery rockets up to 55
  or 60°.  Source: the traverse and elevation that encyclopaedias print for common pieces, rounded.
"""

import math
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Model:
    """One flight model of a class: a drag curve and Gaussian priors."""

    class_name: str
    curve: str
    prior: float  # probability before the first plot; over the bank they sum to less than 1, the rest is no projectile
    ln_beta: float  # log ballistic coefficient, kg/m² on this curve
    ln_beta_std: float
    spin_m_s: float  # spin-drift constant
    spin_m_s_std: float
    speed_m_s: float  # median speed when first seen
    ln_speed_std: float
    elevation_rad: tuple[float, float] = (0.0, 0.5 * math.pi)  # between which such rounds are mostly fired


def _model(
    class_name: str, curve: str, prior: float, beta: float, spread_beta: float, spin: tuple[float, float]
) -> Model:
    speed, spread = {"mortar": (190.0, 0.4), "rocket": (400.0, 0.5), "shell": (420.0, 0.4)}[class_name]
    lowest_deg, highest_deg = {"mortar": (45.0, 85.0), "rocket": (10.0, 57.0), "shell": (10.0, 70.0)}[class_name]
    return Model(
        class_name=class_name,
        curve=curve,
        prior=prior,
        ln_beta=math.log(beta),
        ln_beta_std=spread_beta,
        spin_m_s=spin[0],
        spin_m_s_std=spin[1],
        speed_m_s=speed,
        ln_speed_std=spread,
        elevation_rad=(math.radians(lowest_deg), math.radians(highest_deg)),
    )


CLASS_BANK = (
    _model("rocket", "G7", 0.20, 3000.0, 0.45, (0.0, 2.5)),
    _model("rocket", "G2", 0.20, 3900.0, 0.45, (0.0, 2.5)),
    _model("mortar", "G5", 0.25, 1200.0, 0.45, (0.0, 0.4)),
    _model("mortar", "G5", 0.10, 1500.0, 0.25, (5.0, 2.0)),  # from a rifled barrel
    _model("shell", "G7", 0.10, 1900.0, 0.25, (5.0, 2.0)),
    _model("shell", "G2", 0.06, 2500.0, 0.25, (5.0, 2.0)),  # an old form without a boat tail, two in five of them
)

PROJECTILE_PRIOR: Final = sum(model.prior for model in CLASS_BANK)  # before the first plot: that it is any of them

# A bullet of a machine gun, as tracer fire shows it: no projectile for which anyone is warned.  Muzzle velocities
# of 7.62 to 14.5 mm are 800 to 1000 m/s, mass over cross-section 200 to 500 kg/m²: round numbers of encyclopaedias.
GUNFIRE = Model(
    class_name="gunfire",
    curve="G7",
    prior=0.05,
    ln_beta=math.log(320.0),
    ln_beta_std=0.35,
    spin_m_s=0.5,
    spin_m_s_std=0.5,
    speed_m_s=600.0,
    ln_speed_std=0.4,
)
