"""All that flows: one schema for the pipeline, the log, the display and the report.

    plots → tracks → impacts → threats → warnings and engagements

Every message is frozen, holds scalars and tuples only, and carries `t_ns`: the UTC time, in integer
nanoseconds since 1970, of the data that led to it; never the clock of the machine.  Inside the program
angles are radians, lengths metres, azimuth clockwise from true north in [0, 2π), positions in the
site's east-north-up frame (ENU; "up" is not altitude).  `adapters` turns messages into the degrees
and RFC 3339 times of files and screens.
"""

from typing import Literal

import msgspec

SCHEMA_VERSION = 1

TrackStatus = Literal["tentative", "confirmed", "coasting", "dropped"]
DropReason = Literal["", "impact", "lost", "never_confirmed", "duplicate", "intercepted", "limit"]
PlaceKind = Literal["asset", "zone"]
WarningState = Literal["issued", "updated", "cancelled", "all_clear", "expired"]
WarningChange = Literal["", "grown", "shrunk"]
Advice = Literal["shelter", "drop", "none"]
Action = Literal["engage", "ignore", "hold"]
EngagementState = Literal["committed", "fired", "killed", "missed", "aborted"]

PROJECTILE_CLASSES = ("mortar", "rocket", "shell")
OTHER_CLASSES = ("aircraft", "drone", "bird")
CLASSES = PROJECTILE_CLASSES + OTHER_CLASSES


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What all messages share."""

    t_ns: int


# ---- in -------------------------------------------------------------------------------------------


class Plot(Message, frozen=True, kw_only=True, tag="plot"):
    """One radar detection, in the local horizon of its own sensor.

    `plot_id` counts accepted plots from 1 in the order of input; `line` is the line of the input
    file, if any.  Optional deviations override those of the sensor.
    """

    plot_id: int
    sensor: str
    range_m: float
    azimuth_rad: float
    elevation_rad: float
    range_rate_m_s: float | None = None  # positive: receding
    snr_db: float | None = None
    range_m_std: float | None = None
    azimuth_rad_std: float | None = None
    elevation_rad_std: float | None = None
    line: int | None = None


class Tick(Message, frozen=True, kw_only=True, tag="tick"):
    """Data time has reached `t_ns`: what falls due by time alone (coasting, expiry, all-clear) is due."""


class Operator(Message, frozen=True, kw_only=True, tag="operator"):
    """What an operator did.  `track_id` is 0 where the action is about no track."""

    operator: str
    action: Literal["consent", "veto", "hold", "release", "acknowledge"]
    track_id: int = 0
    zone: str = ""


# ---- tracking -------------------------------------------------------------------------------------


class Association(Message, frozen=True, kw_only=True, tag="association"):
    """Which plot went to which track, for one dwell of one sensor; no plot is missing from it.

    `track_ids[i]` is the track that plot `plot_ids[i]` updated, started or doubled; 0: kept as a candidate for
    a new track, and forgotten unless a later `Association` or `Track` names it.
    """

    sensor: str
    plot_ids: tuple[int, ...]
    track_ids: tuple[int, ...]


class Hypothesis(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a track if it is of one class.

    `mean`: position (m), velocity (m/s), log ballistic coefficient (kg/m² on the class drag curve),
    wind less the site's profile, east and north (m/s), spin-drift constant (m/s, see
    `ballistics.motion`).  `covariance`: its lower triangle by rows, 55 numbers.
    """

    class_name: str
    curve: str  # the drag curve in use: a standard one ("G7") or one of the site's own
    probability: float
    mean: tuple[float, ...]
    covariance: tuple[float, ...]


class Track(Message, frozen=True, kw_only=True, tag="track"):
    """A track as it stands at `t_ns`: at each change of status, and at least every half second.

    `hypotheses` is empty unless the track has just been fitted again; then it holds the projectile
    classes worth carrying on, and their probabilities sum with those of the others in `classes` to 1.
    """

    track_id: int
    status: TrackStatus
    position_enu_m: tuple[float, float, float]
    velocity_enu_m_s: tuple[float, float, float]
    position_m_std: float  # root of the sum of the three position variances
    classes: tuple[tuple[str, float], ...]  # name and probability, most probable first
    plots: int  # used so far
    first_t_ns: int  # time of the first plot
    updated_t_ns: int  # time of the last plot
    hypotheses: tuple[Hypothesis, ...] = ()
    reason: DropReason = ""

    @property
    def projectile_probability(self) -> float:
        """Probability that this is a projectile of any class."""
        return min(1.0, sum(p for name, p in self.classes if name in PROJECTILE_CLASSES))


# ---- prediction -----------------------------------------------------------------------------------


class ImpactComponent(msgspec.Struct, frozen=True, kw_only=True):
    """One Gaussian of the impact mixture: where and when, if the round is of `class_name`.

    Probabilities over the components of an impact sum to 1 (given that it is a projectile).
    """

    class_name: str
    probability: float
    east_m: float
    north_m: float
    covariance_m2: tuple[float, float, float]  # ee, en, nn
    impact_time_s_std: float
    time_covariance_m_s: tuple[float, float]  # covariance of east and north with the time of impact


class Impact(Message, frozen=True, kw_only=True, tag="impact"):
    """Where and when a track will reach the ground: moments of the mixture, and the mixture.

    `path_enu_m` holds points of the predicted flight at equal times from `t_ns` to `impact_t_ns`.
    """

    track_id: int
    position_enu_m: tuple[float, float, float]
    covariance_enu_m2: tuple[float, float, float]  # ee, en, nn
    latitude_deg: float
    longitude_deg: float
    impact_t_ns: int
    impact_time_s_std: float
    impact_velocity_enu_m_s: tuple[float, float, float]
    projectile_probability: float
    components: tuple[ImpactComponent, ...]
    path_enu_m: tuple[tuple[float, float, float], ...]


# ---- threat ---------------------------------------------------------------------------------------


class PlaceThreat(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One round against one asset or zone.

    `probability`: that the round lands within its hazard radius of the polygon, the probability that
    it is a projectile at all included.  `distance_m`: from the predicted impact to the polygon, 0
    inside.  `clearance_m`: it lands further than this outside the polygon with probability 0.95;
    0 if no such distance exists.  `people`: those who are there at this time of day.  `exposed` and
    `casualties` are expected numbers: of people within the hazard radius, and of those harmed if nobody
    is warned (`threat.harm`); the probability that it lands there at all is in them.
    """

    kind: PlaceKind
    place: str
    probability: float
    distance_m: float
    clearance_m: float
    people: int
    exposed: float = 0.0
    casualties: float = 0.0


class Threat(Message, frozen=True, kw_only=True, tag="threat"):
    """What one predicted impact means for the places of the site.

    Every asset is listed; zones only when `probability` reaches the floor of the threat config.
    """

    track_id: int
    impact_t_ns: int
    impact_time_s_std: float
    hazard_radius_m: float
    places: tuple[PlaceThreat, ...]
    expected_exposed: float  # expected number of people within the hazard radius, zones together
    expected_casualties: float = 0.0  # expected number of people harmed if nobody is warned, zones together
    impact_m_std: float = 0.0  # deviation of the impact along the long axis of its ellipse; 0: not known


# ---- warning --------------------------------------------------------------------------------------


class Warning(Message, frozen=True, kw_only=True, tag="warning"):
    """A change in the life of a zone's alarm.

    `probability` is that of at least one round landing within its hazard radius of the zone;
    `impact_t_ns` the earliest predicted impact among `track_ids`, or, when none of them is in the air any more, the
    last; `seconds_left` counts to it.
    `change` says of an update whether the danger has grown or shrunk.  `zones`: where `zone` is a
    district, those of its zones that are in alarm; a district's alarm lives as long as any of them.
    """

    alarm_id: int
    zone: str
    state: WarningState
    probability: float
    impact_t_ns: int
    seconds_left: float
    advice: Advice
    track_ids: tuple[int, ...]
    expires_t_ns: int
    reason: str
    change: WarningChange = ""
    zones: tuple[str, ...] = ()


# ---- engagement -----------------------------------------------------------------------------------


class Decision(Message, frozen=True, kw_only=True, tag="decision"):
    """What is to be done about one round, and why, in a sentence that a person can check."""

    track_id: int
    action: Action
    asset: str | None  # the defended asset (or zone, policy `people`) that the round threatens most
    probability: float  # of landing within the hazard radius of that place
    effector: str | None
    code: str  # the rule that decided: "below_threshold", "in_window", "no_window", "mode_hold", …
    reason: str
    reasons: tuple[tuple[str, str], ...] = ()  # the same sentence in other languages: ("fr", …), ("ar", …)
    values: tuple[tuple[str, float | str], ...] = ()  # the numbers and names in it: SI units, shares, UTC ns


class Engagement(Message, frozen=True, kw_only=True, tag="engagement"):
    """A simulated engagement, at each change of its state.  No hardware ever sees this."""

    engagement_id: int
    track_id: int
    effector: str
    state: EngagementState
    rounds: int
    fire_t_ns: int
    intercept_t_ns: int
    intercept_enu_m: tuple[float, float, float]
    kill_probability: float
    tracking_m_std: float = 0.0  # error across the line of fire that the track's own deviation leaves, once fired


# ---- about the system itself ----------------------------------------------------------------------


class Rejected(Message, frozen=True, kw_only=True, tag="rejected"):
    """A piece of input that was not used, and why.  `line` is that of the input file, if any."""

    reason: str
    code: str  # "not_json", "field", "nan", "range", "unknown_sensor", "duplicate", "time_back", …
    line: int | None = None
    sensor: str = ""
    plot_id: int = 0


class Health(Message, frozen=True, kw_only=True, tag="health"):
    """A change in the health of a part of the system ("sensor:north", "tracking", "pipeline").

    Whoever judges a part has a name of his own for it, so that his "ok" hides no other's "degraded": of a sensor the
    feed says "sensor:north", the radar itself "sensor:north/status", the tracker "sensor:north/errors" and
    "sensor:north/flood".
    """

    part: str
    state: Literal["ok", "degraded", "lost"]
    reason: str


class FeedStatus(Message, frozen=True, kw_only=True, tag="feed"):
    """How a feed of plots is doing, told about once a second; `t_ns` is the clock of the receiver.

    Delays run from the time of a plot to its arrival; a negative one means that the sensor's clock is ahead.
    """

    feed: str
    plots: int  # accepted since the start
    rejected: tuple[tuple[str, int], ...]  # by code, since the start
    bytes_received: int
    rate_per_s: float  # plots accepted in the last ten seconds
    delay_s: float | None = None  # median of the last ten seconds
    delay_s_max: float | None = None
    clock_drift_ppm: float | None = None  # of the sensor against the receiver; positive: it runs slow
    last_plot_t_ns: int | None = None  # time of the newest plot
    last_received_t_ns: int | None = None


class Delivery(Message, frozen=True, kw_only=True, tag="delivery"):
    """What became of an alarm on one channel; `t_ns` is that of the warning.

    `latency_s` runs from the arrival of the plots that led to the warning to the channel's word that it has it.
    """

    channel: str
    alarm_id: int
    zone: str
    state: WarningState
    delivered: bool  # False: given up, or refused
    attempts: int
    latency_s: float
    reason: str = ""


class Header(Message, frozen=True, kw_only=True, tag="header"):
    """First record of every log: what made it."""

    schema_version: int
    program_version: str
    commit: str
    site_name: str
    site_sha256: str
    site_toml: str  # the site file, whole: a recording needs nothing beside it
    source: Literal["process", "simulation", "live"]
    scenario_sha256: str = ""
    seed: int = 0


AnyMessage = (
    Plot
    | Tick
    | Operator
    | Association
    | Track
    | Impact
    | Threat
    | Warning
    | Decision
    | Engagement
    | Rejected
    | Health
    | FeedStatus
    | Delivery
    | Header
)
