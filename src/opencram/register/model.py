"""What the register keeps: one summary of each raid, its impacts and warned zones, and reports by people."""

from dataclasses import dataclass

OCTANTS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")
FAR_STEP_M = 2500.0  # distances of first detection are told no finer than this


@dataclass(frozen=True, kw_only=True)
class Fall:
    """One round.  `ended`: "impact", "intercepted", or "lost" where nobody saw its end.

    `from_octant` and `from_m`: where it was first seen from the site, coarse, told only after its end; no launch point.
    """

    track: int
    class_name: str
    t_ns: int  # of its end, UTC
    latitude_deg: float | None
    longitude_deg: float | None
    district: str
    ended: str
    from_octant: str
    from_m: float
    action: str  # of the last decision: "engage", "ignore", "hold", or "" for none
    reason: str
    reasons: tuple[tuple[str, str], ...] = ()  # the same sentence in other languages


@dataclass(frozen=True, kw_only=True)
class WarnedZone:
    """One zone that was warned, or struck.  `lead_s` None: not warned of it."""

    zone: str
    name: str
    people: int
    lead_s: float | None
    in_time: bool | None
    needed: bool  # a round came down within its hazard radius, or would have


@dataclass(frozen=True, kw_only=True)
class Raid:
    """One recorded raid.  `digest` tells the recording; the same one is kept once."""

    raid: int
    digest: str
    site: str
    source: str  # "live", "process" or "simulation"
    start_t_ns: int
    recording: str
    falls: tuple[Fall, ...]
    zones: tuple[WarnedZone, ...]

    @property
    def classes(self) -> dict[str, int]:
        """How many rounds of which class."""
        counted: dict[str, int] = {}
        for fall in self.falls:
            counted[fall.class_name] = counted.get(fall.class_name, 0) + 1
        return counted

    @property
    def engaged(self) -> int:
        """Rounds whose last decision was to engage."""
        return sum(fall.action == "engage" for fall in self.falls)

    @property
    def down(self) -> int:
        """Rounds that came down."""
        return sum(fall.ended == "impact" for fall in self.falls)

    @property
    def shot_down(self) -> int:
        """Rounds that were intercepted."""
        return sum(fall.ended == "intercepted" for fall in self.falls)

    @property
    def people_warned(self) -> int:
        """People in zones that were warned and needed it."""
        return sum(zone.people for zone in self.zones if zone.lead_s is not None and zone.needed)

    @property
    def lead_s(self) -> float | None:
        """The shortest warning among the zones that needed one and had it."""
        leads = [zone.lead_s for zone in self.zones if zone.needed and zone.lead_s is not None]
        return min(leads, default=None)

    @property
    def districts(self) -> tuple[str, ...]:
        """Where rounds came down, in order of time, each once."""
        return tuple(dict.fromkeys(fall.district for fall in self.falls if fall.ended == "impact" and fall.district))


@dataclass(frozen=True, kw_only=True)
class Report:
    """What somebody reported.  It stands as it was given; None where nothing was said."""

    report: int
    raid: int
    source: str
    time: str  # when it was said, as given
    text: str
    rounds: int | None = None
    killed: int | None = None
    injured: int | None = None
    district: str = ""


COUNTED = ("rounds", "killed", "injured")


def contradictions(reports: tuple[Report, ...]) -> dict[str, list[tuple[str, int]]]:
    """Return the numbers on which sources differ: who says what, in the order in which it came."""
    found = {}
    for name in COUNTED:
        said = [(each.source, value) for each in reports if (value := getattr(each, name)) is not None]
        if len({value for _, value in said}) > 1:
            found[name] = said
    return found
