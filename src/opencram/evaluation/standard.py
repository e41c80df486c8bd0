"""The standard case of the bound: a rocket of the 107 mm class, 8 km, one radar 3 km to the side of the impact.

The case came down to us as figures: DRMS 600, 332, 118, 41 and 9 m after 3, 5, 8, 12 and 20 s of track (234, 180, 99
and 40 m with the class known), with the range, the radar's errors and its rate, and without speed, drag or priors.  The
round numbers below give all nine within 3 % (tests/evaluation/test_bound.py).  They were chosen so, among what is
plausible for the class, and are one such choice of several.
"""

import math
from typing import Final

import numpy as np

from opencram.ballistics.drag import standard_curve
from opencram.ballistics.environment import environment
from opencram.evaluation.bound import AGES_S, Bound, BoundRadar, Flight, Prior, bound, fly

DRMS_M: Final = (600.0, 332.0, 118.0, 41.0, 9.0)  # after `AGES_S`
DRMS_KNOWN_M: Final = (234.0, 180.0, 99.0, 40.0)

LATITUDE_RAD: Final = math.radians(33.3)
SPEED_M_S: Final = 335.0  # at burn-out
ELEVATION_RAD: Final = math.radians(30.0)
BETA_KG_M2: Final = 3100.0  # on the curve
CURVE: Final = "G2"
RADAR: Final = BoundRadar(position_enu_m=(3000.0, 8000.0, 0.0), detection_probability=0.95, id="side")
CLASS_UNKNOWN: Final = Prior(ln_beta_std=0.65, wind_m_s_std=5.0, spin_m_s_std=0.0)  # fins: it does not drift by spin
CLASS_KNOWN: Final = Prior(ln_beta_std=0.2, wind_m_s_std=5.0, spin_m_s_std=0.0)


def standard_flight() -> Flight:
    """Return the flight of the standard case: from the origin, north."""
    level, up = SPEED_M_S * math.cos(ELEVATION_RAD), SPEED_M_S * math.sin(ELEVATION_RAD)
    start = np.array([0.0, 0.0, 0.0, 0.0, level, up, math.log(BETA_KG_M2), 0.0, 0.0, 0.0])
    flight = fly(start, environment(LATITUDE_RAD, 0.0), standard_curve(CURVE))
    assert flight is not None
    return flight


def standard_bound(prior: Prior = CLASS_UNKNOWN) -> Bound:
    """Return the bound of the standard case after 3, 5, 8, 12 and 20 s of track."""
    return bound(standard_flight(), [RADAR], prior, AGES_S)
