"""Reading the traffic of a scenario file: `[[traffic]]`, an aircraft on a course of way-points."""

import math
from typing import Any, Final, cast

from opencram.config.scenario_model import Traffic
from opencram.config.table import NOT_NEGATIVE, PROBABILITY, Limits, Table, as_number

_SPEED_M_S: Final = Limits(above=0.0, at_most=1000.0)
_COUNT: Final = Limits(at_least=1, at_most=1000)
_ACCELERATION_M_S2: Final = Limits(above=0.0, at_most=100.0)
CLASSES: Final = ("aircraft", "helicopter", "drone", "bird")
# How hard each turns: generic round numbers.  A trainer turns with 3 g and more, a helicopter with less than 2 (the
# certification specifications CS-23, CS-25 and CS-29 ask for structures that bear 2.5 to 3.8 g); birds as drones.
TURNS_M_S2: Final = {"aircraft": 30.0, "helicopter": 15.0, "drone": 20.0, "bird": 20.0}
_REMEDY: Final = "give the way-points as [[east, north, up], ...] in metres of the site's frame"


def read_traffic(table: Table) -> Traffic:
    """Return one aircraft, after noting its faults."""
    points = table.array("waypoints_m", _REMEDY)
    good = [
        tuple(as_number(x) for x in point)
        for point in points
        if isinstance(point, list) and len(point) == 3 and all(math.isfinite(as_number(x) or 0.0) for x in point)
    ]
    good = [point for point in good if None not in point]
    if len(good) != len(points) or (not good and "waypoints_m" in table.values):
        table.fault("waypoints_m", points, "must be points of three numbers, at least one", _REMEDY)
    class_name = table.choice("class", CLASSES, "say what flies", default="aircraft")
    traffic = Traffic(
        name=table.string("name", "give each aircraft a name"),
        class_name=cast(Any, class_name),
        time_s=table.number("time_s", NOT_NEGATIVE, "give the seconds after the start", default=0.0),
        speed_m_s=table.number("speed_m_s", _SPEED_M_S, "give metres per second", default=60.0),
        waypoints_enu_m=cast(Any, tuple(good)),
        hover_s=table.number("hover_s", NOT_NEGATIVE, "give the seconds that it stays at its end", default=0.0),
        count=table.integer("count", _COUNT, "give how many fly together", default=1),
        spread_m=table.number("spread_m", NOT_NEGATIVE, "give one standard deviation of the crowd", default=0.0),
        wander_m_s=table.number("wander_m_s", NOT_NEGATIVE, "give how unsteadily each flies", default=0.0),
        detection_share=table.number("detection_share", PROBABILITY, "give a share of the radar's", default=1.0),
        acceleration_m_s2_max=table.number(
            "acceleration_m_s2_max",
            _ACCELERATION_M_S2,
            "give how hard it turns",
            default=TURNS_M_S2.get(class_name, 30.0),
        ),
    )
    table.done()
    return traffic
