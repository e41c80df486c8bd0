"""The 95 % ellipse of a Gaussian in the plane: one definition for every screen, file and report."""

import math
from typing import Final, NamedTuple

CHI2_95_2D: Final = 5.991464547107979  # 95 % point of chi-squared with two degrees of freedom: −2 ln 0.05


class Axes(NamedTuple):
    """Half axes (m), and the azimuth of the longer one (rad, from north to east)."""

    longer_m: float
    shorter_m: float
    azimuth_rad: float


def axes_95(covariance_m2: tuple[float, float, float]) -> Axes:
    """Return the axes of the ellipse that holds 95 % of a Gaussian with this covariance (ee, en, nn).

    Where the covariance is not finite they are NaN.
    """
    ee, en, nn = covariance_m2
    mean, radius = (ee + nn) / 2.0, math.hypot((ee - nn) / 2.0, en)
    if not math.isfinite(mean + radius):
        return Axes(math.nan, math.nan, math.nan)
    longer, shorter = (math.sqrt(CHI2_95_2D * max(v, 0.0)) for v in (mean + radius, mean - radius))
    return Axes(longer, shorter, math.atan2(2.0 * en, nn - ee) / 2.0)
