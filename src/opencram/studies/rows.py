"""One row for each run: what the run was, and the parts of which every measure is made.

Ratios are kept as their two parts, so that a raid on two houses does not weigh as much as a raid on a city.
"""

import msgspec

TO_GO_S = (5, 10, 15, 20)  # seconds before impact at which predictions are scored
LEADS_S = (5, 10, 15)  # seconds of warning that are counted
COURSE_S = tuple(range(0, 62, 2))  # seconds after the first plot of a round at which the course of a raid is kept
APPROACH_S = (1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 18, 20, 25, 30)  # before impact, at which error and ellipse are kept

QUANTITIES = (
    "rounds",  # launched
    "threatening",  # would fall inside an asset if nobody fired
    "leakers",  # fell inside an asset, and went off
    "rounds_down",  # fell anywhere, and went off
    "zones_struck",  # zones with a round within their hazard radius
    "zones_missed",  # of those, not in alarm when the first came down
    "people_struck",  # who live in struck zones
    "people_missed",
    *(f"people_warned_{s}s" for s in LEADS_S),  # of the people of struck zones, those warned so early
    "people_in_time",  # warned before their zone's shelter time
    "alarms",
    "false_alarms",  # of zones where no round came down, or would have
    "needless_person_min",  # minutes that people of such zones were in alarm
    "casualties",  # expected, with the warnings as they were given
    "casualties_unwarned",  # expected, had nobody been warned
    "engagements",
    "rounds_fired",
    "kills",
    "debris_outside",  # pieces and failed rounds that fell outside all assets
    "false_tracks",  # confirmed as projectiles, and no round
    "untracked",  # rounds that no confirmed track answers to
    "consent_asked",
    "consent_left_sum_s",  # time left to decide when consent was asked for, over those rounds
    *(f"{part}_{s}s" for s in TO_GO_S for part in ("scored", "error_sum_m", "held")),
    "plots",
)


class ZoneLead(msgspec.Struct, frozen=True):
    """A struck zone: seconds from its alarm to the first impact; NaN where it was not warned of it."""

    zone: str
    people: int
    lead_s: float


class ImpactError(msgspec.Struct, frozen=True):
    """A prediction against the truth, so many seconds before the impact."""

    to_go_s: int
    error_m: float
    held: bool  # by the 95 % ellipse


class Course(msgspec.Struct, frozen=True):
    """How a raid stood so many seconds after the first plot of one of its rounds."""

    s: int
    alarmed_people: int  # who live in the zones that were in alarm, whether a round came down there or not
    tracks: int  # confirmed as projectiles, and not ended


class Approach(msgspec.Struct, frozen=True):
    """The predictions of a raid so many seconds before the impacts that they predict: medians over its rounds."""

    to_go_s: int
    rounds: int
    error_m: float
    ellipse_m: float  # the longer half axis of the 95 % ellipse


class RunRow(msgspec.Struct, frozen=True):
    """One run.  `quantities` in the order of `QUANTITIES`; empty where the run could not be flown: see `error`."""

    alternative: int
    run: int
    seed: int
    weight: float
    drawn: dict[str, float | str | bool]
    quantities: tuple[float, ...] = ()
    zones: tuple[ZoneLead, ...] = ()
    impacts: tuple[ImpactError, ...] = ()
    course: tuple[Course, ...] = ()
    approach: tuple[Approach, ...] = ()
    error: str = ""

    @property
    def measured(self) -> dict[str, float]:
        """The quantities by name."""
        return dict(zip(QUANTITIES, self.quantities, strict=False))


def encoded(row: RunRow) -> bytes:
    """Return a row as bytes."""
    return msgspec.msgpack.encode(row)


def decoded(data: bytes) -> RunRow:
    """Return the row that these bytes are."""
    return msgspec.msgpack.decode(data, type=RunRow)
