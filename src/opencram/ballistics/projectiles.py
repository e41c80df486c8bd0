"""Generic projectiles: what a round of each calibre is expected to be.  Openly published round numbers, of no weapon.

The bank that tracks are held against is in `classes`; this table is what scenarios, plots and studies draw on.
"""

import math
from dataclasses import dataclass
from typing import Final

from opencram.ballistics.boost import Motor
from opencram.errors import UsageError

_AMMUNITION: Final = (
    "mass, calibre, greatest speed and range: the tables of Jane's Ammunition Handbook, rounded to two digits"
)
_SPIN: Final = 'spin drift: McCoy, "Modern Exterior Ballistics" (1999), chapter 9, examples, rounded'
_MOTOR: Final = "burn time and specific force: round numbers that give the published speed at burn-out"


@dataclass(frozen=True, kw_only=True)
class Projectile:
    """A generic round with its priors.  `ln_…_std` are standard deviations of natural logarithms."""

    name: str
    class_name: str  # of `classes.CLASS_BANK`
    curve: str
    mass_kg: float  # after burning
    calibre_m: float
    form_factor: float  # of its drag against the curve's
    ln_beta_std: float
    speed_m_s: tuple[float, float]  # least and greatest at launch, or after burning
    spin_m_s: float
    spin_m_s_std: float
    range_m_max: float  # published, rounded: a check on the rest
    source: str
    motor: Motor | None = None

    @property
    def beta_kg_m2(self) -> float:
        """Ballistic coefficient on `curve`."""
        return self.mass_kg / (0.25 * math.pi * self.calibre_m**2) / self.form_factor


def _mortar(name: str, mass_kg: float, calibre_m: float, speed: tuple[float, float], range_m: float) -> Projectile:
    return Projectile(
        name=name, class_name="mortar", curve="G5", mass_kg=mass_kg, calibre_m=calibre_m, form_factor=1.0,
        ln_beta_std=0.25, speed_m_s=speed, spin_m_s=0.0, spin_m_s_std=0.4, range_m_max=range_m, source=_AMMUNITION,
    )  # fmt: skip


def _shell(name: str, mass_kg: float, calibre_m: float, speed: tuple[float, float], range_m: float) -> Projectile:
    return Projectile(
        name=name, class_name="shell", curve="G7", mass_kg=mass_kg, calibre_m=calibre_m, form_factor=1.15,
        ln_beta_std=0.2, speed_m_s=speed, spin_m_s=5.0, spin_m_s_std=2.0, range_m_max=range_m,
        source=f"{_AMMUNITION}; {_SPIN}",
    )  # fmt: skip


def _rocket(
    name: str, mass_kg: float, calibre_m: float, speed: tuple[float, float], range_m: float, motor: Motor, spin: float
) -> Projectile:
    return Projectile(
        name=name, class_name="rocket", curve="G7", mass_kg=mass_kg, calibre_m=calibre_m, form_factor=1.2,
        ln_beta_std=0.3, speed_m_s=speed, spin_m_s=spin, spin_m_s_std=1.0, range_m_max=range_m, motor=motor,
        source=f"{_AMMUNITION}; {_MOTOR}",
    )  # fmt: skip


PROJECTILES: Final = (
    _mortar("mortar 60 mm", 1.8, 0.060, (60.0, 240.0), 3500.0),
    _mortar("mortar 81 mm", 4.2, 0.081, (70.0, 290.0), 5600.0),
    _mortar("mortar 120 mm", 13.0, 0.120, (100.0, 320.0), 7200.0),
    _shell("shell 105 mm", 15.0, 0.105, (200.0, 490.0), 11_000.0),
    _shell("shell 155 mm", 43.5, 0.155, (210.0, 680.0), 18_000.0),
    _rocket("rocket 107 mm", 17.0, 0.107, (330.0, 380.0), 8_000.0, Motor(force_m_s2=620.0, burn_s=0.6), 1.0),
    _rocket("rocket 122 mm", 46.0, 0.122, (600.0, 690.0), 20_000.0, Motor(force_m_s2=410.0, burn_s=1.7), 0.0),
)


@dataclass(frozen=True, kw_only=True)
class Other:
    """What flies and is no projectile: it does not fall as one."""

    name: str
    speed_m_s: tuple[float, float]
    height_m: tuple[float, float]  # above the ground
    source: str


_ROUND: Final = "round numbers of general knowledge: encyclopaedic articles on each"
NOT_PROJECTILES: Final = (
    Other(name="aircraft", speed_m_s=(60.0, 300.0), height_m=(100.0, 12_000.0), source=_ROUND),
    Other(name="helicopter", speed_m_s=(0.0, 90.0), height_m=(10.0, 4000.0), source=_ROUND),
    Other(name="drone", speed_m_s=(0.0, 60.0), height_m=(10.0, 3000.0), source=_ROUND),
    Other(name="bird", speed_m_s=(5.0, 25.0), height_m=(0.0, 1500.0), source=_ROUND),
    Other(name="tracer fire", speed_m_s=(200.0, 900.0), height_m=(0.0, 2500.0), source=_ROUND),
    Other(name="outgoing fire", speed_m_s=(60.0, 830.0), height_m=(0.0, 10_000.0), source=_ROUND),
)


def projectile(name: str) -> Projectile:
    """Return the projectile of this name; spaces may be hyphens, and are free: "mortar-81mm"."""
    key = name.lower().replace("-", "").replace(" ", "")
    for each in PROJECTILES:
        if each.name.replace(" ", "") == key:
            return each
    raise UsageError(f"{name!r} is no projectile; there are {', '.join(each.name for each in PROJECTILES)}")
