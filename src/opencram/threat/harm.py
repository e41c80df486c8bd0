"""How a round harms people about the point where it lands: one generic kernel, labelled as such.

The share of the people at a distance r who are harmed is `exp(−r² / 2 b²)`, with b such that it is one half at the
casualty radius.  Integrated over the plane that is the lethal area, 2π b².  Indoors it holds with a factor.
A Gaussian kernel makes the expected number of casualties of a Gaussian impact a closed form: the density of people
times the lethal area times the probability of the polygon under the impact's covariance widened by b².

Assumptions, round and generic, no weapon's data: half of those who stand in the open 30 m from the burst become
casualties, a tenth of that indoors, three people in ten outdoors.  Public handbooks, as quoted, disagree by a factor of
two (38 m for 81 mm and 60 m for 120 mm mortar rounds, given as radius in one place and as diameter in another); an
officer told a public inquiry of a lethal area of 40 m about a mortar bomb, and of fragments within 90 m (Western
Kingston Commission of Enquiry 2016, 10.143); 30 m lies between.  Three in ten outdoors is several times what people in
the USA were found to be (Klepeis and others 2001), on the safe side.  The form, a Gaussian for the harm at a distance,
is the diffuse damage function of coverage models (named after Carleton; Eckler and Burr 1972, cited from memory).
"""

import math
from typing import TypeVar

from opencram.threat.arrays import Floats

CASUALTY_RADIUS_M = 30.0
INDOOR_FACTOR = 0.1
OUTDOOR_SHARE = 0.3  # of the people of a zone, where nothing else is known


def kernel_variance_m2(casualty_radius_m: float) -> float:
    """Return b² (m²): the kernel is one half at the casualty radius."""
    return casualty_radius_m * casualty_radius_m / (2.0 * math.log(2.0))


def lethal_area_m2(casualty_radius_m: float) -> float:
    """Return the area (m²) that the kernel integrates to in the open."""
    return 2.0 * math.pi * kernel_variance_m2(casualty_radius_m)


Number = TypeVar("Number", float, Floats)


def vulnerable_share(outdoor_share: Number, indoor_factor: float) -> Number:
    """Return the share of the people who count as in the open, those indoors weighted by the factor."""
    return outdoor_share + (1.0 - outdoor_share) * indoor_factor
