"""Numbers as people read them, rounded so that the sentence stays true."""

import math

from opencram.engagement.state import Lead


def percent(probability: float) -> str:
    """Return a probability in per cent: a decimal near 0 and 1, and never a false 0 or 100."""
    if probability < 0.001:
        return "less than 0.1 %"
    if probability > 0.9995:
        return "more than 99.9 %"
    if probability < 0.1 or probability > 0.99:
        return f"{100.0 * probability:.1f} %"
    return f"{100.0 * probability:.0f} %"


def percent_at_least(probability: float) -> str:
    """Return a probability in per cent, rounded down to a tenth."""
    return f"{math.floor(1000.0 * min(probability, 0.999)) / 10.0:.1f} %"


def clock(t_ns: int) -> str:
    """Return the UTC time of day, to the tenth of a second, rounded down."""
    tenths = t_ns // 100_000_000 % 864_000
    return f"{tenths // 36_000:02d}:{tenths // 600 % 60:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"


def metres_at_least(metres: float) -> str:
    """Return a length, rounded down: to 10 m from 100 m on."""
    step = 10 if metres >= 100.0 else 1
    return f"{math.floor(metres / step) * step} m"


def where(lead: Lead) -> str:
    """Return the place with its article: assets have an id, zones a name."""
    return f"the {lead.name}" if lead.kind == "asset" else lead.name


def odds(lead: Lead) -> str:
    """Return how likely the round lands at the place, and what else counts there."""
    if lead.kind == "asset":
        return f"{percent(lead.probability)} at {where(lead)}"
    people = f"{lead.exposed:.1f} people expected within {lead.hazard_radius_m:.0f} m of it"
    return f"{percent(lead.probability)} at {where(lead)}, {percent(lead.weighed_probability)} in the zones, {people}"


def outside(lead: Lead) -> str:
    """Return how surely the round lands outside the place, and by how much."""
    miss = percent_at_least(1.0 - lead.weighed_probability)
    place = f"outside {where(lead)}" if lead.kind == "asset" else f"outside every zone ({where(lead)} is nearest)"
    text = f"{miss} sure to land {place} by more than {lead.hazard_radius_m:.0f} m"
    if lead.kind == "asset" and lead.clearance_m > lead.hazard_radius_m and 1.0 - lead.probability >= 0.95:
        text += f", 95 % sure by more than {metres_at_least(lead.clearance_m)}"
    return text
