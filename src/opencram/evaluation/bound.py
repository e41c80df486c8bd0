"""The posterior Cramér-Rao bound of the impact: no unbiased estimate errs less, whatever the filter.

    flight = fly(start, env, curve)                          the true flight, and what each unknown does to it
    bound(flight, radars, Prior(), ages_s=(3.0, 5.0, 8.0))   impact covariance after so much track

The unknowns are the ten states of the tracker at the start of the flight: position and velocity (free), log
ballistic coefficient, horizontal wind, spin-drift constant (priors).  The flight itself has no noise, so what is
known of the start carries over to the impact by one matrix, and information adds up over plots and radars:

    J = prior + Σ Hᵀ R⁻¹ H,   impact covariance = G J⁻¹ Gᵀ

`information` and `impact_covariance` are the two halves: a study that moves radars about flies once and adds.

Source: P. Tichavský, C. H. Muravchik, A. Nehorai, "Posterior Cramér-Rao bounds for discrete-time nonlinear
filtering", IEEE Trans. Signal Processing 46 (1998), section III, without process noise; H. L. Van Trees,
"Detection, Estimation, and Modulation Theory I" (1968), section 2.4.3.  The expectation over truths is taken at the
true flight alone, as is usual.  A plot that may be
missed counts by its probability: X. Zhang, P. Willett, Y. Bar-Shalom, "Dynamic Cramér-Rao bound for target tracking
in clutter", IEEE Trans. Aerospace and Electronic Systems 41 (2005).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opencram.ballistics.drivers import land_all
from opencram.ballistics.environment import NO_TERRAIN, Environment, altitude
from opencram.ballistics.lanes import LANES
from opencram.ballistics.propagation import LN_BETA, SPIN, STATES, WIND_E, WIND_N, advance

Array = NDArray[np.float64]
Vector = tuple[float, float, float]

STEP_S: Final = 0.25
FREE_M: Final = 1e5  # deviation of a position that nothing is known of,
FREE_M_S: Final = 1e4  # and of a velocity
LEVEL: Final[tuple[float, ...]] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
AGES_S: Final = (3.0, 5.0, 8.0, 12.0, 20.0)

# Steps of the central differences: position (m), velocity (m/s), log coefficient, wind (m/s), spin (m/s).
_DELTAS: Final = np.array([1.0, 1.0, 1.0, 0.2, 0.2, 0.2, 0.01, 0.2, 0.2, 0.2])
_CHANNELS: Final = 4  # range, azimuth, elevation, range rate


@dataclass(frozen=True, kw_only=True)
class Drift:
    """First-order Gauss-Markov errors of range and angles beside the white ones; `time_constant_s` inf: a bias."""

    range_m_std: float
    azimuth_rad_std: float
    elevation_rad_std: float
    time_constant_s: float


@dataclass(frozen=True, kw_only=True)
class BoundRadar:
    """A radar as the bound sees it, in the site's ENU.  `local_from_enu`: nine numbers by rows.

    `range_rate_m_s_std` 0: no Doppler.  A missed plot counts by the probability of detection.
    """

    position_enu_m: Vector
    range_m_std: float = 10.0
    azimuth_rad_std: float = 0.0015
    elevation_rad_std: float = 0.0015
    range_rate_m_s_std: float = 0.0
    period_s: float = 0.1
    phase_s: float = 0.0
    range_m_max: float = math.inf
    elevation_rad_min: float = 0.0174533  # 1 degree
    detection_probability: float = 1.0
    local_from_enu: tuple[float, ...] = LEVEL
    drift: Drift | None = None
    id: str = ""


@dataclass(frozen=True, kw_only=True)
class Prior:
    """One standard deviation of what is known before the first plot."""

    ln_beta_std: float = 0.45
    wind_m_s_std: float = 5.0  # each component
    spin_m_s_std: float = 1.0

    def information(self) -> Array:
        """Return the prior information (10, 10)."""
        deviations = np.array([FREE_M] * 3 + [FREE_M_S] * 3 + [0.0] * 4)
        deviations[[LN_BETA, WIND_E, WIND_N, SPIN]] = (
            self.ln_beta_std,
            self.wind_m_s_std,
            self.wind_m_s_std,
            self.spin_m_s_std,
        )
        return np.diag(np.maximum(deviations, 1e-6) ** -2.0)


@dataclass(frozen=True)
class Flight:
    """A true flight at even steps, and its derivatives by the ten states at its start.

    `t_s` (n,); `state` (n, 6) position and velocity; `by_start` (n, 6, 10); `landed` (7,) time, position and
    velocity at the ground; `landed_by_start` (3, 10): east, north (m) and time (s) of the impact.
    """

    t_s: Array
    state: Array
    by_start: Array
    landed: Array
    landed_by_start: Array


@dataclass(frozen=True)
class Bound:
    """The bound after each age of track, counted from the first plot of any radar at `first_s` of the flight.

    `covariance` (ages, 3, 3): east, north (m) and time (s) of the impact.  `start` (ages, 10, 10): of the states at
    the start.  NaN where no radar sees the flight, or it has come down by then.
    """

    first_s: float
    ages_s: tuple[float, ...]
    plots: tuple[int, ...]
    covariance: Array
    start: Array

    @property
    def drms_m(self) -> Array:
        """Root of the sum of the variances east and north (ages,)."""
        return np.asarray(np.sqrt(self.covariance[:, 0, 0] + self.covariance[:, 1, 1]))

    @property
    def time_s_std(self) -> Array:
        """Deviation of the time of impact (ages,)."""
        return np.asarray(np.sqrt(self.covariance[:, 2, 2]))


def fly(start: ArrayLike, env: Environment, cd: Array, *, t_max: float = 300.0) -> Flight | None:
    """Return the flight from this state (10,) to the ground, or None where it does not land within `t_max` seconds.

    The ground about the impact counts as level: a bound that jumped with each fold of the terrain would be of no use.
    """
    mean = np.asarray(start, dtype=np.float64)
    landed = land_all(mean, env, cd, t_max=t_max)[0]
    if not np.isfinite(landed).all() or landed[0] <= 0.0:
        return None
    level = env._replace(
        terrain=NO_TERRAIN, terrain_top_m=-math.inf, ground_m=float(altitude(landed[1], landed[2], landed[3], env))
    )
    starts = np.concatenate([mean[np.newaxis], mean + np.diag(_DELTAS), mean - np.diag(_DELTAS)])
    ends = land_all(starts, level, cd, t_max=t_max + 5.0)
    columns = [1, 2, 0]
    landed_by_start = (ends[1:11] - ends[11:])[:, columns].T / (2.0 * _DELTAS)
    if not np.isfinite(landed_by_start).all():
        return None
    lanes = np.repeat(mean[:, np.newaxis], LANES, axis=1)
    lanes[:, :21] = starts.T
    count = math.ceil(float(landed[0]) / STEP_S) + 1
    table = np.empty((count, 6, 21))
    for k in range(count):
        table[k] = lanes[:6, :21]
        advance(lanes, STEP_S, 1, level, cd)
    by_start = (table[:, :, 1:11] - table[:, :, 11:]) / (2.0 * _DELTAS)
    times = np.arange(count, dtype=np.float64) * STEP_S
    return Flight(times, table[:, :, 0], by_start, landed, landed_by_start)


def plot_times(flight: Flight, radar: BoundRadar) -> Array:
    """Return the times (s) of the flight at which the radar looks, seen or not."""
    return np.asarray(np.arange(radar.phase_s, float(flight.landed[0]), radar.period_s))


def seen_from(
    flight: Flight, radar: BoundRadar, times_s: Array, places_enu_m: ArrayLike | None = None
) -> NDArray[np.bool_]:
    """Return which of these plots there are (m, n), were the radar at each of `places_enu_m` (m, 3)."""
    places = _places(radar, places_enu_m)
    state, _ = _between(flight, times_s)
    away = (state[np.newaxis, :, :3] - places[:, np.newaxis]) @ _rotation(radar).T
    far = np.linalg.norm(away, axis=2)
    return np.asarray((far <= radar.range_m_max) & (away[:, :, 2] >= far * math.sin(radar.elevation_rad_min)))


def information(
    flight: Flight,
    radar: BoundRadar,
    until_s: ArrayLike,
    *,
    places_enu_m: ArrayLike | None = None,
    seen: NDArray[np.bool_] | None = None,
) -> Array:
    """Return the information (m, k, 10, 10) on the start of a flight in the plots of one radar up to each time (k,).

    `places_enu_m` (m, 3): the radar stands at each of these instead of its own place.  `seen` (m, n): which of the
    plots at `plot_times` there are; without it, those within range and above the least elevation.
    """
    limits = np.atleast_1d(np.asarray(until_s, dtype=np.float64))
    places = _places(radar, places_enu_m)
    times = plot_times(flight, radar)
    visible = seen_from(flight, radar, times, places) if seen is None else seen
    state, by_start = _between(flight, times)
    ends = np.searchsorted(times, limits + 1e-9, side="right")
    found = np.zeros((len(places), len(limits), STATES, STATES))
    for m, place in enumerate(places):
        rows = _whitened(_rows(state[visible[m]], by_start[visible[m]], place, radar), times[visible[m]], radar)
        counts = np.cumsum(visible[m])
        for k, end in enumerate(ends):
            part = rows[: counts[end - 1] if end else 0].reshape(-1, STATES)
            found[m, k] = part.T @ part
    return found


def impact_covariance(flight: Flight, found: Array, prior: Prior) -> tuple[Array, Array]:
    """Return the covariance (…, 3, 3) of the impact, and that of the start (…, 10, 10), for information (…, 10, 10).

    Add the information of several radars before.  Without any, the impact is as uncertain as the priors leave it.
    """
    # Scaled by the priors, or the metres of a free position and the logarithm of a coefficient share one matrix badly.
    scale = np.diag(prior.information()) ** -0.5
    scaled = found * np.outer(scale, scale) + np.eye(STATES)
    start = np.linalg.solve(scaled, np.broadcast_to(np.eye(STATES), scaled.shape)) * np.outer(scale, scale)
    by_start = flight.landed_by_start
    return by_start @ start @ by_start.T, start


def bound(flight: Flight, radars: Sequence[BoundRadar], prior: Prior, ages_s: Sequence[float] = AGES_S) -> Bound:
    """Return the bound of the impact after each age of track."""
    times = [plot_times(flight, radar) for radar in radars]
    shown = [t[seen_from(flight, radar, t)[0]] for radar, t in zip(radars, times, strict=True)]
    first = min((float(t[0]) for t in shown if len(t)), default=math.nan)
    if math.isnan(first):
        nothing = np.full((len(ages_s), 3, 3), np.nan), np.full((len(ages_s), STATES, STATES), np.nan)
        return Bound(first, tuple(ages_s), (0,) * len(ages_s), *nothing)
    until = first + np.asarray(ages_s, dtype=np.float64)
    found = sum((information(flight, radar, until)[0] for radar in radars), np.zeros((len(until), STATES, STATES)))
    covariance, start = impact_covariance(flight, found, prior)
    over = until > flight.landed[0]
    covariance[over], start[over] = np.nan, np.nan
    plots = tuple(int(sum((t <= end + 1e-9).sum() for t in shown)) for end in until)
    return Bound(first, tuple(ages_s), plots, covariance, start)


# ---- measurements ---------------------------------------------------------------------------------


def _places(radar: BoundRadar, places_enu_m: ArrayLike | None) -> Array:
    return np.atleast_2d(np.asarray(radar.position_enu_m if places_enu_m is None else places_enu_m, dtype=np.float64))


def _rotation(radar: BoundRadar) -> Array:
    return np.array(radar.local_from_enu, dtype=np.float64).reshape(3, 3)


def _between(flight: Flight, times_s: Array) -> tuple[Array, Array]:
    """Return state (n, 6) and derivatives (n, 6, 10) at these times: cubic Hermite between the steps."""
    row = np.clip((times_s / STEP_S).astype(np.intp), 0, len(flight.t_s) - 2)
    t = (times_s - flight.t_s[row])[:, np.newaxis, np.newaxis] / STEP_S
    both = np.concatenate([flight.state[:, :, np.newaxis], flight.by_start], axis=2)
    y0, y1 = both[row, :3], both[row + 1, :3]
    d0, d1 = both[row, 3:] * STEP_S, both[row + 1, 3:] * STEP_S
    s = 1.0 - t
    place = s * s * ((1.0 + 2.0 * t) * y0 + t * d0) + t * t * ((3.0 - 2.0 * t) * y1 - s * d1)
    speed = (6.0 * t * s * (y1 - y0) + s * (1.0 - 3.0 * t) * d0 + t * (3.0 * t - 2.0) * d1) / STEP_S
    moved = np.concatenate([place, speed], axis=1)
    return moved[:, :, 0], moved[:, :, 1:]


def _rows(state: Array, by_start: Array, place: Array, radar: BoundRadar) -> Array:
    """Return the derivatives (n, 4, 10) of range, azimuth, elevation and range rate by the start of the flight."""
    turn = _rotation(radar)
    away = (state[:, :3] - place) @ turn.T
    speed = state[:, 3:] @ turn.T
    e, n, u = away.T
    ring_2 = np.maximum(e * e + n * n, 1e-6)
    ring = np.sqrt(ring_2)
    far_2 = ring_2 + u * u
    far = np.sqrt(far_2)
    gradient = np.zeros((len(state), _CHANNELS, 6))
    gradient[:, 0, :3] = away / far[:, np.newaxis]
    gradient[:, 1, :2] = np.stack([n / ring_2, -e / ring_2], axis=1)
    gradient[:, 2, :3] = np.stack([-u * e / ring, -u * n / ring, ring], axis=1) / far_2[:, np.newaxis]
    rate = np.einsum("ij,ij->i", away, speed) / far
    gradient[:, 3, :3] = (speed - away * (rate / far)[:, np.newaxis]) / far[:, np.newaxis]
    gradient[:, 3, 3:] = gradient[:, 0, :3]
    turned = np.concatenate([turn @ by_start[:, :3], turn @ by_start[:, 3:]], axis=1)
    return np.asarray(gradient @ turned)


def _whitened(rows: Array, times_s: Array, radar: BoundRadar) -> Array:
    """Return the rows (n, 4, 10) over their deviations, so that information is their sum of squares.

    With drifting errors each row is first freed of what the rows before say of its error: the triangular factor
    of the errors' covariance does it, and leaves the first k rows a matter of the first k plots.
    """
    share = max(radar.detection_probability, 1e-9)
    stds = (radar.range_m_std, radar.azimuth_rad_std, radar.elevation_rad_std, radar.range_rate_m_s_std)
    result = np.zeros_like(rows)
    drifts = (0.0,) * _CHANNELS
    apart = np.zeros((0, 0))
    if radar.drift is not None and len(times_s):
        drifts = (radar.drift.range_m_std, radar.drift.azimuth_rad_std, radar.drift.elevation_rad_std, 0.0)
        apart = np.exp(-np.abs(times_s[:, np.newaxis] - times_s) / radar.drift.time_constant_s)
    for channel, (std, drift) in enumerate(zip(stds, drifts, strict=True)):
        if std <= 0.0:
            continue
        if drift <= 0.0:
            result[:, channel] = rows[:, channel] * (math.sqrt(share) / std)
            continue
        covariance = apart * drift**2 + np.eye(len(times_s)) * (std**2 / share)
        result[:, channel] = np.linalg.solve(np.linalg.cholesky(covariance), rows[:, channel])
    return result
