"""Reading the hold rules of a site file: `[[rule]]` tables, each of a kind with keys of its own."""

import math
import re
from collections.abc import Callable
from typing import Final

from opencram.config.model import Rule
from opencram.config.polygon import Point, read_polygon
from opencram.config.table import HEIGHT_M, NOT_NEGATIVE, POSITIVE, PROBABILITY, Limits, Table

_AZIMUTH_DEG: Final = Limits(at_least=0.0, at_most=360.0)
_ELEVATION_DEG: Final = Limits(above=-90.0, at_most=90.0)
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_CLASSES: Final = ("aircraft", "drone", "bird")
_POINTS: Final = "give the corners as [[longitude, latitude], ...] in degrees"


def read_rules(root: Table, origin_deg: Point) -> tuple[Rule, ...]:
    """Return the hold rules, after noting the faults of each."""
    rules: list[Rule] = []
    for table in root.tables("rule", "write each hold rule under [[rule]]"):
        identity = table.string("id", "give each rule a short name: reasons name it")
        if any(rule.id == identity for rule in rules) and identity:
            table.fault(
                "id", identity, "must be unique, but an earlier rule has it", "give each rule a name of its own"
            )
        kind = table.choice("kind", tuple(_READERS), "say what the rule forbids")
        rules.append(_READERS[kind](table, identity, origin_deg))
        table.done()
    return tuple(rules)


def _sector(table: Table, identity: str, origin_deg: Point) -> Rule:
    remedy = "give degrees clockwise from true north; the sector runs clockwise from one to the other"
    return Rule(
        id=identity,
        kind="no_fire_sector",
        effector=_effector(table),
        azimuth_rad_from=math.radians(table.number("azimuth_from_deg", _AZIMUTH_DEG, remedy)),
        azimuth_rad_to=math.radians(table.number("azimuth_to_deg", _AZIMUTH_DEG, remedy)),
        elevation_rad_max=math.radians(
            table.number("elevation_max_deg", _ELEVATION_DEG, "give degrees up from the horizontal", default=90.0)
        ),
    )


def _times(table: Table, identity: str, origin_deg: Point) -> Rule:
    begin_s, end_s = _clock(table, "begin", None), _clock(table, "end", None)
    return Rule(id=identity, kind="no_fire_times", begin_s=begin_s, end_s=end_s)


def _corridor(table: Table, identity: str, origin_deg: Point) -> Rule:
    corners = table.array("polygon", _POINTS)
    floor_m = table.number("floor_m", HEIGHT_M, "give metres above the WGS84 ellipsoid")
    ceiling_m = table.number("ceiling_m", Limits(at_most=30_000.0), "give metres above the WGS84 ellipsoid")
    if floor_m >= ceiling_m:
        table.fault("floor_m", floor_m, f"must be < ceiling_m ({ceiling_m:g})", "exchange the two, or mend one")
    return Rule(
        id=identity,
        kind="aircraft_corridor",
        polygon=read_polygon(corners, f"{table.place}.polygon", origin_deg, table.findings) if corners else (),
        height_m_from=floor_m,
        height_m_to=ceiling_m,
        begin_s=_clock(table, "begin", 0.0),
        end_s=_clock(table, "end", 0.0),
    )


def _friends(table: Table, identity: str, origin_deg: Point) -> Rule:
    names = table.array("classes", f"give some of {', '.join(_CLASSES)}", required=False) or ["aircraft", "drone"]
    wrong = [name for name in names if name not in _CLASSES]
    if wrong:
        table.fault("classes", names, f"must be some of {', '.join(_CLASSES)}", "name classes of tracks")
    return Rule(
        id=identity,
        kind="friendly_tracks",
        distance_m=table.number("distance_m", POSITIVE, "give the metres to be kept from the line of fire"),
        classes=tuple(str(name) for name in names),
        probability=table.number(
            "probability",
            PROBABILITY,
            "give the probability of these classes from which a track is a friend",
            default=0.5,
        ),
    )


def _altitude(table: Table, identity: str, origin_deg: Point) -> Rule:
    height_m = table.number("height_m", POSITIVE, "give metres above the predicted point of impact")
    return Rule(id=identity, kind="minimum_altitude", effector=_effector(table), height_m=height_m)


def _ground(table: Table, identity: str, origin_deg: Point) -> Rule:
    return Rule(
        id=identity,
        kind="ground_danger",
        asset_people=table.number(
            "asset_people", NOT_NEGATIVE, "give the people whom a kill saves where a round hits an asset", default=100.0
        ),
        ratio=table.number(
            "ratio", POSITIVE, "give how many people a shot may endanger for each that it saves", default=1.0
        ),
    )


_READERS: Final[dict[str, Callable[[Table, str, Point], Rule]]] = {
    "no_fire_sector": _sector,
    "no_fire_times": _times,
    "aircraft_corridor": _corridor,
    "friendly_tracks": _friends,
    "minimum_altitude": _altitude,
    "ground_danger": _ground,
}


def _effector(table: Table) -> str:
    return table.string("effector", "name the effector that the rule binds, or leave it out for all", default="")


def _clock(table: Table, key: str, default: float | None) -> float:
    """Return a time of the day ("22:30") in seconds."""
    remedy = 'give a time of the day in UTC, in quotation marks: "22:30"'
    value = table.string(key, remedy, default=None if default is None else "00:00")
    match = _CLOCK.fullmatch(value)
    if match is None:
        if value:
            table.fault(key, value, "must be hours and minutes, 00:00 to 23:59", remedy)
        return 0.0
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return 3600.0 * hours + 60.0 * minutes + seconds
