"""What the tracker is told: the radars, the site's air, the classes it knows, and its limits."""

import functools
from dataclasses import dataclass, fields

from opencram.ballistics.classes import CLASS_BANK, Model
from opencram.ballistics.curves import OwnCurve
from opencram.earth.profile import Profile
from opencram.earth.terrain import Terrain


@dataclass(frozen=True, kw_only=True)
class SensorModel:
    """A radar as the tracker sees it.  `position_enu_m` and the rotation are in the site's frame.

    `local_from_enu`: the nine numbers, by rows, of the rotation from the site's axes to the sensor's
    own east, north and up.
    """

    id: str
    position_enu_m: tuple[float, float, float]
    local_from_enu: tuple[float, ...]
    range_m_std: float
    azimuth_rad_std: float
    elevation_rad_std: float
    range_m_max: float
    detection_probability: float
    clutter_per_scan: float
    period_s: float


@dataclass(frozen=True, kw_only=True)
class Config:
    """All that decides what the tracker does.  Times in seconds; gates are squared Mahalanobis distances."""

    latitude_rad: float
    height_m: float  # ellipsoidal, of the ENU origin
    ground_height_m: float
    sensors: tuple[SensorModel, ...]
    wind_m_s: tuple[float, float] = (0.0, 0.0)  # what the site believes, east and north
    wind_m_s_std: float = 4.0  # of the true wind about it, each component
    profile: Profile | None = None  # measured air and wind; its wind stands instead of `wind_m_s`
    terrain: Terrain | None = None  # the ground where it reaches; beyond, the constant ground
    models: tuple[Model, ...] = CLASS_BANK
    curves: tuple[OwnCurve, ...] = ()  # that models name, beside the standard ones

    gate: float = 20.0  # of a track: 99.98 % of three degrees of freedom
    gate_tentative: float = 16.0
    gate_unsure: float = 25.0  # the same of a radar whose errors no track has told of yet: many err twice as stated
    gate_tentative_unsure: float = 30.0
    speed_m_s_std: float = 450.0  # prior of each velocity component of a new candidate
    confirm_score: float = 28.0  # log likelihood ratio of target against clutter: docs/tracking.md has the table
    confirm_plots: int = 4
    misses_tentative: float = 3.5  # periods without a plot that end a candidate
    coast_after: float = 3.0  # periods without a plot after which a track is said to coast
    coast_s_max: float = 4.0  # without a plot and not yet due to land: lost
    landed_s: float = 1.0  # after the predicted impact: over
    fit_s_min: float = 0.4  # between two fits of a track
    fit_s_max: float = 1.0
    fit_share: float = 0.25  # of the track's age, between those two
    window_plots_max: int = 600  # newest plots of a track that a fit uses
    tracks_max: int = 2000
    candidates_max: int = 5000
    late_s_max: float = 2.0  # a plot older than the newest of all by more is rejected
    report_s: float = 0.5  # between two messages of an unchanged track
    tell_s_max: float = 1.0  # between two messages with flight models, from which impacts are predicted
    speed_m_s_min: float = 40.0  # what is not surely faster is not yet confirmed as a projectile
    apex_m_min: float = 50.0  # over the ground: what never comes so high is no round
    projectile_probability_min: float = 0.9  # from here on a candidate is a projectile,
    level_probability_max: float = 0.02  # if it is no body in level flight or a turn with more than this probability
    judge_s_min: float = 0.1  # between two judgements of a candidate that is not clear yet

    # What will surely land far from all that is defended can wait (`patience`): nobody is to be warned of it.
    defended_m: tuple[tuple[float, float, float], ...] = ()  # circles, east, north and radius; none: harm is everywhere
    harmless_m: float = 1000.0  # beyond all circles, and three deviations of the impact besides
    harmless_probability_max: float = 1e-5  # that it is anything else, jets and bullets too,
    harmless_s: float = 10.0  # until it is so old

    def __hash__(self) -> int:
        return self._hash

    @functools.cached_property
    def _hash(self) -> int:
        # Asked for at every dwell, to find the compiled form of this configuration again.
        return hash(tuple(getattr(self, field.name) for field in fields(self)))
