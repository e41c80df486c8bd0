"""What the radars see: noisy, missed and false plots, drawn for whole flights at once.

The draws of one round at one radar are one named stream, those of a radar's clutter another for each
window of time.  So they do not depend on how a world is stepped, nor on what becomes of other rounds:
the same raid with and without interception differs only in the plots that are no longer there.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opencram.earth.geodesy import Frame
from opencram.simulation.faults import again, jump, merged, outages, repeated, spells, stamped
from opencram.simulation.flights import Flight, positions_at
from opencram.simulation.model import NO_FAULTS, Coloured, Radar, WorldConfig
from opencram.simulation.streams import stream

Array = NDArray[np.float64]
Times = NDArray[np.int64]
Sightings = NDArray[np.void]  # of `SIGHTING`

CLUTTER = -1
RAIN, GROUND = -2, -3  # things that are no bodies, beside CLUTTER
SIGHTING = np.dtype(
    [
        ("t_ns", np.int64),  # of the dwell
        ("told_ns", np.int64),  # when the plot comes out
        ("stamp_ns", np.int64),  # what it says of its time
        ("radar", np.int32),
        ("origin", np.int32),  # number of the round, or CLUTTER
        ("thing", np.int32),  # number of the body, or what clutter it is
        ("order", np.float64),  # plots of a dwell are told in the order of this draw
        ("range_m", np.float64),
        ("azimuth_rad", np.float64),
        ("elevation_rad", np.float64),
        ("range_rate_m_s", np.float64),
        ("snr_db", np.float64),
    ]
)
NOTHING_SEEN: Sightings = np.empty(0, dtype=SIGHTING)
SPLASH_NS_MAX = 2_000_000_000  # a round last seen longer before its impact was not followed down to it
SPLASH_M_S_STD = 5.0  # of what a splash throws up
_SNR_SLOPE_DB = 40.0  # a decade of range: the radar equation, fourth power
_CLUTTER_SNR_DB_SPREAD = 6.0


@dataclass(frozen=True)
class Station:
    """A radar in its place: `local = rotation @ enu + offset_m` leads from the site's ENU to its horizon."""

    number: int
    radar: Radar
    first_t_ns: int
    period_ns: int
    rotation: Array
    offset_m: Array
    outages_t_ns: tuple[tuple[int, int], ...]  # those of the radar, and those that chance brings
    drift: Array  # (dwells, 3) errors shared by all plots; (0, 3): none


@dataclass(frozen=True, kw_only=True)
class Target:
    """A thing in the air for the radars: `origin` is the round it belongs to, `name` names its draws."""

    name: str
    origin: int
    flight: Flight
    start_t_ns: int
    end_t_ns: int  # it is seen before this time
    thing: int = CLUTTER
    detection_share: float = 1.0
    snr_db: float = 0.0  # against a whole round


def station(config: WorldConfig, number: int) -> Station:
    """Return radar `number` of the world in its place."""
    radar = config.radars[number]
    site = Frame(config.latitude_rad, config.longitude_rad, config.height_m)
    local = Frame(radar.latitude_rad, radar.longitude_rad, radar.height_m)
    first_t_ns = config.start_t_ns + round(radar.phase_s * 1e9)
    period_ns = max(round(radar.period_s * 1e9), 1)
    drift: Array = np.zeros((0, 3))
    if radar.faults.drift is not None:
        times = np.arange(first_t_ns, config.end_t_ns + 1, period_ns, dtype=np.int64)
        if len(times):
            drift = _coloured(config.seed, f"radar/{radar.id}/drift", radar.faults.drift, times)
    return Station(
        number=number,
        radar=radar,
        first_t_ns=first_t_ns,
        period_ns=period_ns,
        outages_t_ns=radar.outages_t_ns + outages(config, radar),
        drift=drift,
        rotation=local.ecef_from_enu.T @ site.ecef_from_enu,
        offset_m=(site.origin_ecef_m - local.origin_ecef_m) @ local.ecef_from_enu,
    )


def dwell_times(station: Station, from_t_ns: int, to_t_ns: int) -> Times:
    """Return the times of the dwells within [from, to) outside outages."""
    first = max(-((station.first_t_ns - from_t_ns) // station.period_ns), 0)
    last = max(-((station.first_t_ns - to_t_ns) // station.period_ns), first)
    times = station.first_t_ns + np.arange(first, last, dtype=np.int64) * station.period_ns
    for begin, end in station.outages_t_ns:
        times = times[(times < begin) | (times >= end)]
    return times


def polar(station: Station, position_enu_m: Array, velocity_enu_m_s: Array) -> tuple[Array, Array, Array, Array]:
    """Return true range (m), azimuth [0, 2π), elevation (rad) and range rate (m/s) in the radar's horizon."""
    local = position_enu_m @ station.rotation.T + station.offset_m
    velocity = velocity_enu_m_s @ station.rotation.T
    east, north, up = local[:, 0], local[:, 1], local[:, 2]
    range_m = np.maximum(np.sqrt(np.einsum("ij,ij->i", local, local)), 1e-3)
    azimuth = np.mod(np.arctan2(east, north), 2.0 * np.pi)
    rate = np.einsum("ij,ij->i", local, velocity) / range_m
    return range_m, azimuth, np.arctan2(up, np.hypot(east, north)), rate


def sightings(config: WorldConfig, station: Station, target: Target, others: Sequence[Target] = ()) -> Sightings:
    """Return the plots that this radar makes of this target, in time order; `others`: what it may jump to."""
    radar = station.radar
    begin = max(target.start_t_ns, config.start_t_ns)
    times = dwell_times(station, begin, min(target.end_t_ns, config.end_t_ns + 1))
    name = f"radar/{radar.id}/{target.name}"
    if not len(times):
        return NOTHING_SEEN
    since_s: Array = (times - target.start_t_ns) / 1e9
    position, velocity = positions_at(target.flight, since_s)
    shown = np.full((len(times), 2), (target.origin, target.thing), dtype=np.int32)
    if radar.faults.jumps_per_s > 0.0 and others:
        jump(config.seed, f"{name}/jumps", radar.faults, times, position, velocity, shown, others)
    range_m, azimuth, elevation, rate = polar(station, position, velocity)

    draws = stream(config.seed, name)
    noise = draws.standard_normal((len(times), 4))
    chance, order = draws.random((2, len(times)))
    seen = (range_m <= radar.range_m_max) & (elevation >= radar.elevation_rad_min)
    seen &= chance < radar.detection_probability * target.detection_share
    if radar.fades_per_s > 0.0:
        faded, _ = spells(config.seed, f"{name}/fades", radar.fades_per_s, radar.fade_s_mean, times)
        seen &= ~faded

    error = noise[:, :3] * (radar.range_m_std, radar.azimuth_rad_std, radar.elevation_rad_std)
    error += shared_error(station, times)
    if radar.coloured is not None:
        error += _coloured(config.seed, f"{name}/coloured", radar.coloured, times)

    plots = np.empty(len(times), dtype=SIGHTING)
    plots["t_ns"], plots["radar"], plots["order"] = times, station.number, order
    plots["origin"], plots["thing"] = shown.T
    plots["range_m"] = np.maximum(range_m + error[:, 0], 0.1)
    plots["azimuth_rad"] = azimuth + error[:, 1]
    plots["elevation_rad"] = elevation + error[:, 2]
    plots["range_rate_m_s"] = rate + noise[:, 3] * radar.range_rate_m_s_std
    plots["snr_db"] = snr_db(radar, range_m) + target.snr_db
    plots = plots[seen]
    if radar.faults is not NO_FAULTS:
        parts = [plots, again(config.seed, name, radar, plots), splash(config, station, target, plots)]
        plots = np.concatenate(parts)
    return quantised(plots, radar)


def splash(config: WorldConfig, station: Station, target: Target, seen: Sightings) -> Sightings:
    """Return the plots of a radar that stays with the place of the impact, having followed the target down to it."""
    radar, faults = station.radar, station.radar.faults
    landed = target.flight.landed and target.origin >= 0
    followed = len(seen) > 0 and target.end_t_ns - int(seen["t_ns"].max()) <= SPLASH_NS_MAX
    if not (faults.splash_probability > 0.0 and landed and followed):
        return NOTHING_SEEN
    draws = stream(config.seed, f"radar/{radar.id}/{target.name}/splash")
    stays, length_s = draws.random() < faults.splash_probability, draws.exponential(faults.splash_s_mean)
    until = min(target.end_t_ns + round(length_s * 1e9), config.end_t_ns + 1)
    times = dwell_times(station, target.end_t_ns, until)
    if not stays or not len(times):
        return NOTHING_SEEN
    place = np.repeat(target.flight.position_enu_m[-1:], len(times), axis=0)
    range_m, azimuth, elevation, _ = polar(station, place, np.zeros_like(place))
    noise = draws.standard_normal((len(times), 4))
    error = noise[:, :3] * (radar.range_m_std, radar.azimuth_rad_std, radar.elevation_rad_std)
    error += shared_error(station, times)
    plots = np.empty(len(times), dtype=SIGHTING)
    plots["t_ns"], plots["radar"], plots["order"] = times, station.number, draws.random(len(times))
    plots["origin"], plots["thing"] = CLUTTER, target.thing
    plots["range_m"] = np.maximum(range_m + error[:, 0], 0.1)
    plots["azimuth_rad"], plots["elevation_rad"] = azimuth + error[:, 1], elevation + error[:, 2]
    plots["range_rate_m_s"] = noise[:, 3] * max(radar.range_rate_m_s_std, SPLASH_M_S_STD)
    plots["snr_db"] = snr_db(radar, range_m) + target.snr_db
    return plots[draws.random(len(times)) < radar.detection_probability]


def shared_error(station: Station, times: Times) -> Array:
    """Return what is wrong with all plots of these dwells alike (n, 3): the radar's bias and its drift."""
    radar = station.radar
    error = np.tile([radar.range_m_bias, radar.azimuth_rad_bias, radar.elevation_rad_bias], (len(times), 1))
    if len(station.drift):
        error += station.drift[(times - station.first_t_ns) // station.period_ns]
    return error


def clutter(config: WorldConfig, station: Station, window: int, from_t_ns: int, to_t_ns: int) -> Sightings:
    """Return the false plots of this radar within [from, to), the window of this number, in time order."""
    radar, volume = station.radar, station.radar.clutter
    times = dwell_times(station, from_t_ns, min(to_t_ns, config.end_t_ns + 1))
    if not len(times) or radar.clutter_per_scan <= 0.0:
        return NOTHING_SEEN
    draws = stream(config.seed, f"radar/{radar.id}/clutter/{window}")
    when = np.repeat(times, draws.poisson(radar.clutter_per_scan, len(times)))
    order, far, around, high = draws.random((4, len(when)))
    plots = np.empty(len(when), dtype=SIGHTING)
    plots["t_ns"], plots["radar"], plots["origin"], plots["order"] = when, station.number, CLUTTER, order
    plots["thing"] = CLUTTER
    reach = min(volume.range_m_max, radar.range_m_max)
    nearest = min(volume.range_m_min, reach)
    plots["range_m"] = nearest + far * (reach - nearest)
    plots["azimuth_rad"] = around * 2.0 * np.pi
    plots["elevation_rad"] = volume.elevation_rad_min + high * (volume.elevation_rad_max - volume.elevation_rad_min)
    # A false plot stands still or drifts, as insects, leaves and residues of ground echoes do.
    plots["range_rate_m_s"] = draws.standard_normal(len(when)) * 15.0
    plots["snr_db"] = snr_db(radar, plots["range_m"]) - _CLUTTER_SNR_DB_SPREAD * draws.random(len(when))
    return quantised(plots, radar)


def reported(
    config: WorldConfig, station: Station, window: int, plots: Sightings, last: Sightings, span_ns: tuple[int, int]
) -> Sightings:
    """Return what the radar says of what it saw in one window: merged, repeated, late, and by its own clock.

    `last`: what it saw in the dwell that it repeats, if it is stuck.
    """
    faults = station.radar.faults
    if faults is NO_FAULTS:
        plots["told_ns"] = plots["stamp_ns"] = plots["t_ns"]
        return plots
    plots = merged(plots, station.radar)
    stuck_ns = faults.repeats_from_t_ns
    if stuck_ns is not None and span_ns[1] > stuck_ns:
        times = dwell_times(station, max(stuck_ns, span_ns[0]), min(span_ns[1], config.end_t_ns + 1))
        plots = repeated(plots, merged(last, station.radar), times, faults)
    if faults.cell_m > 0.0:
        plots = quantised(plots, station.radar)
    stamped(config, station, window, plots, span_ns[0], int(last["t_ns"][0]) if len(last) else 0)
    return plots


def last_dwell_t_ns(config: WorldConfig, station: Station) -> int | None:
    """Return the time of the dwell that a stuck radar repeats; None if it is never stuck."""
    stuck_ns = station.radar.faults.repeats_from_t_ns
    if stuck_ns is None:
        return None
    times = dwell_times(station, config.start_t_ns, min(stuck_ns, config.end_t_ns + 1))
    return int(times[-1]) if len(times) else None


def snr_db(radar: Radar, range_m: Array) -> Array:
    """Return the signal-to-noise ratio (n,) of a whole round at these ranges; NaN where the radar tells none."""
    if radar.snr_db_at_1_km is None:
        return np.full(len(range_m), np.nan)
    return radar.snr_db_at_1_km - _SNR_SLOPE_DB * np.log10(range_m * 1e-3)


def quantised(plots: Sightings, radar: Radar) -> Sightings:
    """Round to the radar's steps and bring the azimuth back into [0, 2π); changes the fresh `plots` in place."""
    if radar.range_m_quantum > 0.0:
        steps = np.maximum(np.round(plots["range_m"] / radar.range_m_quantum), 1.0)
        plots["range_m"] = steps * radar.range_m_quantum
    if radar.angle_rad_quantum > 0.0:
        for angle in ("azimuth_rad", "elevation_rad"):
            plots[angle] = np.round(plots[angle] / radar.angle_rad_quantum) * radar.angle_rad_quantum
    turned = np.mod(plots["azimuth_rad"], 2.0 * np.pi)
    plots["azimuth_rad"] = np.where(turned < 2.0 * np.pi, turned, 0.0)  # mod of a tiny negative gives 2π itself
    return plots


def _coloured(seed: int, name: str, coloured: Coloured, times: Times) -> Array:
    """Return a stationary first-order Gauss–Markov error (n, 3) at these times.

    The recursion x[k] = ρ[k] x[k−1] + √(1 − ρ[k]²) w[k] is summed by doubling strides: after the pass of
    stride s each element holds its last 2 s innovations, faded by the correlation since.
    """
    sigma = (coloured.range_m_std, coloured.azimuth_rad_std, coloured.elevation_rad_std)
    error = stream(seed, name).standard_normal((len(times), 3))
    gap_s = np.diff(times) * 1e-9
    correlation = np.concatenate([[0.0], np.exp(-gap_s / coloured.time_constant_s)])
    error *= np.sqrt(1.0 - correlation**2)[:, np.newaxis]
    stride = 1
    for _ in range(max(math.ceil(math.log2(len(times))), 0)):
        error[stride:] = error[stride:] + correlation[stride:, np.newaxis] * error[:-stride]
        correlation[stride:] = correlation[stride:] * correlation[:-stride]
        stride *= 2
    return error * sigma
