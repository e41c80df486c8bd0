"""What a simulated world is: rounds, the air, radars, effectors.  SI units, radians, site ENU.

Every default is a round, generic number; where one stands for something published, the comment says what.
"""

import math
from dataclasses import dataclass, field
from typing import Literal

from opencram.ballistics.curves import OwnCurve
from opencram.ballistics.spinning import Body
from opencram.earth.profile import Profile
from opencram.earth.terrain import Terrain

Vector = tuple[float, float, float]

GENERIC = "generic round number"


@dataclass(frozen=True, kw_only=True)
class Round:
    """One projectile as it leaves: at the muzzle, or at burn-out of a rocket.

    `ballistic_coefficient_kg_m2` is on the standard drag curve `curve` ("G7"; empty: the usual one of the
    class), or on `own_curve` where there is one; that curve itself is multiplied by 1 + `drag_slope` × (Mach − 0.9),
    held at the ends Mach 0.4 and 1.9, so that a truth can differ from what a filter believes in shape as well as in
    size.

    A rocket with a `burn_s` leaves its launcher under thrust: `velocity_enu_m_s` then holds the direction of the
    launcher and the speed at burn-out.  A shell with a `body` spins: the modified point mass of
    `ballistics.spinning` stands instead of `spin_drift_m_s`.
    """

    name: str
    class_name: str
    launch_t_ns: int
    position_enu_m: Vector
    velocity_enu_m_s: Vector
    ballistic_coefficient_kg_m2: float
    spin_drift_m_s: float = 0.0  # to the right of the line of flight, see `ballistics.motion`
    curve: str = ""
    own_curve: OwnCurve | None = None
    drag_slope: float = 0.0
    burn_s: float = 0.0  # 0: it leaves at burn-out
    body: Body | None = None
    source: str = GENERIC


@dataclass(frozen=True, kw_only=True)
class Salvo:
    """A row of like rounds with the dispersion of their launch: each deviation is one standard deviation.

    Deviations of direction are in the two angles across the velocity of `pattern`.
    """

    pattern: Round
    count: int
    interval_s: float
    interval_s_std: float = 0.0
    speed_std_share: float = 0.005
    direction_rad_std: float = 0.005
    ballistic_coefficient_std_share: float = 0.01
    source: str = GENERIC


@dataclass(frozen=True, kw_only=True)
class Air:
    """The true weather: wind where the air is moving to, linear in height over the ground up to 5 km.

    `profile`: a measured atmosphere; its air and, where it has any, its wind stand instead.
    """

    wind_east_m_s: float = 0.0
    wind_north_m_s: float = 0.0
    shear_east_per_s: float = 0.0  # m/s of wind per m of height
    shear_north_per_s: float = 0.0
    density_factor: float = 1.0  # on the International Standard Atmosphere, or on the profile
    profile: Profile | None = None


@dataclass(frozen=True, kw_only=True)
class Clutter:
    """False plots: a Poisson number per dwell, uniform in range, azimuth and elevation."""

    range_m_min: float = 300.0
    range_m_max: float = 12_000.0
    elevation_rad_min: float = 0.02
    elevation_rad_max: float = 1.2


@dataclass(frozen=True, kw_only=True)
class Coloured:
    """A first-order Gauss–Markov error of the three polar measurements, apart for each round in flight."""

    range_m_std: float
    azimuth_rad_std: float
    elevation_rad_std: float
    time_constant_s: float


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What radars really do beside missing plots and erring; each is off unless told otherwise.

    Rates are of one object in flight, for Poisson beginnings and exponential lengths.
    """

    drift: Coloured | None = None  # as `Radar.coloured`, but one error of the radar, shared by all that it sees
    outages_per_s: float = 0.0  # the whole radar is silent, at random
    outage_s_mean: float = 1.0
    jumps_per_s: float = 0.0  # instead of the object, the nearest other one is measured
    jump_s_mean: float = 1.0
    jump_m_max: float = 1000.0  # further away there is nothing to jump to
    splash_probability: float = 0.0  # of staying with the place of the impact
    splash_s_mean: float = 5.0
    double_probability: float = 0.0  # of a second plot at once, with errors of its own
    splits_per_s: float = 0.0  # one object seen as two
    split_s_mean: float = 1.0
    split_m_std: float = 40.0  # of how far apart in range
    cell_m: float = 0.0  # two objects within this in range and `cell_rad` in both angles give one plot; 0: never
    cell_rad: float = 0.0
    latency_s: float = 0.0  # from the dwell to the telling of its plots
    latency_s_mean: float = 0.0  # more than that, exponential, apart for each dwell: so dwells may come out of order
    clock_offset_s: float = 0.0  # of the time stamps against the truth
    clock_drift_ppm: float = 0.0
    clock_jumps: tuple[tuple[int, float], ...] = ()  # from this time on (ns) the stamps are so much further off (s)
    repeats_from_t_ns: int | None = None  # from here on the last dwell is told again at every dwell
    repeats_old_stamps: bool = False  # with its old times, instead of new ones


NO_FAULTS = Faults()


@dataclass(frozen=True, kw_only=True)
class Radar:
    """A radar that looks everywhere once a period; all plots of one dwell carry the dwell's time.

    Each round within `range_m_max` and above `elevation_rad_min` gives a plot with
    `detection_probability`, unless it is in a fade or the radar in an outage.  `range_rate_m_s_std` 0:
    no Doppler.  A quantum of 0 leaves a value as it is.  `snr_db_at_1_km` None: plots carry no
    signal-to-noise ratio, else it falls by 40 dB a decade of range.
    """

    id: str
    latitude_rad: float
    longitude_rad: float
    height_m: float
    range_m_std: float = 10.0
    azimuth_rad_std: float = 0.0015
    elevation_rad_std: float = 0.0015
    range_rate_m_s_std: float = 0.0
    period_s: float = 0.1
    phase_s: float = 0.0
    range_m_max: float = 20_000.0
    elevation_rad_min: float = 0.0174533  # 1 degree
    detection_probability: float = 0.9
    clutter_per_scan: float = 0.0
    clutter: Clutter = field(default_factory=Clutter)
    range_m_bias: float = 0.0
    azimuth_rad_bias: float = 0.0
    elevation_rad_bias: float = 0.0
    coloured: Coloured | None = None
    fades_per_s: float = 0.0  # drop-outs of one round, at random
    fade_s_mean: float = 1.0
    outages_t_ns: tuple[tuple[int, int], ...] = ()  # [from, to): the radar is silent
    range_m_quantum: float = 0.0
    angle_rad_quantum: float = 0.0
    snr_db_at_1_km: float | None = None
    faults: Faults = NO_FAULTS


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How an effector shoots.

    It follows the round by itself once the cue (the intercept point of the engagement) lies within
    `acquisition_m` of it.  The projectiles of a burst share one error in the plane across the line of fire
    (`aim_rad_std` times the range, `tracking_m_std`, and that which the track leaves: `Engagement.tracking_m_std`)
    and stray about it each on its own (`dispersion_rad_std` times the range, and `stray_m_std`); all are deviations in
    each of two axes.  Their speed scatters by `speed_std_share`: they arrive early or late, `speed_m_s` falling by a
    factor e over `decay_m`, and miss along the way that the round crosses the line of fire.  One that passes within
    `lethal_m` hits, and ends the flight of the round as it was with `kill_given_hit`.
    """

    acquisition_m: float
    aim_rad_std: float
    tracking_m_std: float
    dispersion_rad_std: float
    stray_m_std: float
    lethal_m: float
    kill_given_hit: float
    speed_std_share: float = 0.0
    speed_m_s: float = math.inf
    decay_m: float = math.inf
    source: str = GENERIC


# Source: round numbers of no weapon, chosen for this model: a burst of 120 rounds of the gun kills about
# one time in two at 1 km, the interceptor about three times in four.
GENERIC_GUN = Behaviour(
    acquisition_m=100.0,
    aim_rad_std=0.0005,
    tracking_m_std=1.0,
    dispersion_rad_std=0.0015,
    stray_m_std=0.0,
    lethal_m=0.25,
    kill_given_hit=0.5,
    speed_std_share=0.002,
    speed_m_s=1000.0,
    decay_m=2500.0,
)
GENERIC_INTERCEPTOR = Behaviour(
    acquisition_m=300.0,
    aim_rad_std=0.0,
    tracking_m_std=0.0,
    dispersion_rad_std=0.0,
    stray_m_std=2.0,
    lethal_m=4.0,
    kill_given_hit=0.9,
)


@dataclass(frozen=True, kw_only=True)
class Effector:
    """A generic effector, which exists in the simulation only.  `behaviour` None: the generic one of its kind."""

    id: str
    kind: Literal["gun", "interceptor"]
    latitude_rad: float
    longitude_rad: float
    height_m: float
    range_m_max: float = math.inf  # beyond it the projectiles have destroyed themselves
    behaviour: Behaviour | None = None

    @property
    def shoots(self) -> Behaviour:
        """The behaviour that holds for this effector."""
        if self.behaviour is not None:
            return self.behaviour
        return GENERIC_GUN if self.kind == "gun" else GENERIC_INTERCEPTOR


@dataclass(frozen=True, kw_only=True)
class Effects:
    """What becomes of a round that is killed; the rest of the shares is a dud, which falls on unexploded."""

    detonation_share: float = 0.6
    break_up_share: float = 0.25
    debris_count: int = 5
    debris_ballistic_coefficient_kg_m2: float = 150.0  # pieces of about 1 kg, tumbling
    debris_spread_m_s: float = 40.0  # deviation of the velocity of a piece in each axis
    debris_detection_share: float = 0.3  # of the radar's detection probability
    debris_seen_s: float = 2.0
    debris_snr_db: float = -10.0  # against a whole round
    dud_ballistic_coefficient_share: float = 0.5  # it tumbles
    shell_failure_share: float = 0.02  # of a gun's rounds: they do not destroy themselves
    shell_ballistic_coefficient_kg_m2: float = 2000.0
    shell_speed_m_s: float = 600.0  # where they pass the round
    missile_pieces: int = 4  # of an interceptor, which destroys itself in any case
    missile_ballistic_coefficient_kg_m2: float = 400.0
    missile_speed_m_s: float = 600.0
    source: str = GENERIC


MoverClass = Literal["aircraft", "helicopter", "drone", "bird"]


@dataclass(frozen=True, kw_only=True)
class Mover:
    """An aircraft or the like, which follows way-points at constant speed; the last one holds it for `hover_s`.

    `count` of them fly together, each about its place in the crowd (`spread_m`), and all stray from the course
    by a velocity of `wander_m_s` on each axis that changes within seconds.  `detection_share`: of the radar's
    detection probability.  It turns and brakes with at most `acceleration_m_s2_max`; without a limit it flies its
    corners sharp.
    """

    name: str
    class_name: MoverClass
    start_t_ns: int
    waypoints_enu_m: tuple[Vector, ...]
    speed_m_s: float
    hover_s: float = 0.0
    count: int = 1
    spread_m: float = 0.0
    wander_m_s: float = 0.0
    detection_share: float = 1.0
    acceleration_m_s2_max: float = math.inf
    source: str = GENERIC


@dataclass(frozen=True, kw_only=True)
class Gunfire:
    """Bursts of a machine gun into the air, as tracer fire shows them: many small, fast bodies that radars see poorly.

    Source of the defaults: 12.7 mm, 45 g, 850 m/s: round numbers of encyclopaedic articles.
    """

    name: str
    start_t_ns: int
    position_enu_m: Vector
    azimuth_rad: float
    elevation_rad: float
    bursts: int = 1
    burst_rounds: int = 10
    rate_per_s: float = 10.0
    pause_s: float = 2.0
    speed_m_s: float = 850.0
    speed_std_share: float = 0.01
    spread_rad: float = 0.005
    sweep_rad_s: float = 0.0  # the gun turns to its right
    ballistic_coefficient_kg_m2: float = 350.0  # on G7
    detection_share: float = 0.3
    seen_s: float = 3.0  # after that it is too far, and too slow, to be seen
    snr_db: float = -15.0
    source: str = GENERIC


@dataclass(frozen=True, kw_only=True)
class Rain:
    """A shower: a Poisson number of plots in each dwell, even in a cylinder that moves with the wind."""

    name: str
    start_t_ns: int
    end_t_ns: int
    east_m: float
    north_m: float
    radius_m: float = 1500.0
    top_m: float = 3000.0  # over the ground
    plots_per_scan: float = 3.0
    fall_m_s: float = 7.0
    source: str = GENERIC


@dataclass(frozen=True, kw_only=True)
class GroundEchoes:
    """Fixed things that a radar sees time and again: masts, roofs, trees, a road with traffic."""

    name: str
    east_m: float
    north_m: float
    count: int = 10
    spread_m: float = 300.0
    height_m: float = 15.0
    detection_probability: float = 0.05  # of each in each dwell
    sway_m_s: float = 0.5
    source: str = GENERIC


@dataclass(frozen=True, kw_only=True)
class WorldConfig:
    """A whole simulated world, from `start_t_ns` for `duration_s`; the origin is that of the site's ENU."""

    seed: int
    latitude_rad: float
    longitude_rad: float
    height_m: float
    ground_height_m: float
    start_t_ns: int
    duration_s: float
    rounds: tuple[Round, ...] = ()
    salvos: tuple[Salvo, ...] = ()
    radars: tuple[Radar, ...] = ()
    effectors: tuple[Effector, ...] = ()
    air: Air = field(default_factory=Air)
    effects: Effects = field(default_factory=Effects)
    traffic: tuple[Mover, ...] = ()
    gunfire: tuple[Gunfire, ...] = ()
    outgoing: tuple[Salvo, ...] = ()  # fire of one's own: it leaves, and threatens nobody here
    rain: tuple[Rain, ...] = ()
    ground_echoes: tuple[GroundEchoes, ...] = ()
    note: str = ""
    terrain: Terrain | None = None  # the ground where it reaches

    @property
    def end_t_ns(self) -> int:
        """Last time of the world."""
        return self.start_t_ns + round(self.duration_s * 1e9)
