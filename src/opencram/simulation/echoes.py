"""Clutter with a place: showers that move with the wind, and things on the ground that are seen time and again."""

import math

import numpy as np

from opencram.earth.geodesy import Frame, geodetic_from_enu
from opencram.simulation.flights import SHEAR_TOP_M
from opencram.simulation.model import Air, GroundEchoes, Rain, WorldConfig
from opencram.simulation.radars import (
    CLUTTER,
    GROUND,
    NOTHING_SEEN,
    RAIN,
    SIGHTING,
    Array,
    Sightings,
    Station,
    Times,
    dwell_times,
    polar,
    quantised,
    shared_error,
    snr_db,
)
from opencram.simulation.streams import stream

_RAIN_M_S_STD = 2.0  # of the Doppler of a plot about the wind's
_RAIN_SNR_DB, _GROUND_SNR_DB = -10.0, 5.0


def rain(config: WorldConfig, station: Station, shower: Rain, window: int, from_t_ns: int, to_t_ns: int) -> Sightings:
    """Return what a radar sees of a shower within [from, to), the window of this number."""
    begin, end = max(from_t_ns, shower.start_t_ns), min(to_t_ns, shower.end_t_ns, config.end_t_ns + 1)
    times = dwell_times(station, begin, end) if begin < end else np.empty(0, dtype=np.int64)
    if not len(times) or shower.plots_per_scan <= 0.0:
        return NOTHING_SEEN
    draws = stream(config.seed, f"radar/{station.radar.id}/rain/{shower.name}/{window}")
    when = np.repeat(times, draws.poisson(shower.plots_per_scan, len(times)))
    order, out, around, high = draws.random((4, len(when)))
    wind = wind_at(config.air, 0.5 * shower.top_m)
    age_s = (when - shower.start_t_ns) * 1e-9
    position = np.empty((len(when), 3))
    away = shower.radius_m * np.sqrt(out)
    position[:, 0] = shower.east_m + wind[0] * age_s + away * np.sin(2.0 * math.pi * around)
    position[:, 1] = shower.north_m + wind[1] * age_s + away * np.cos(2.0 * math.pi * around)
    position[:, 2] = config.ground_height_m - config.height_m + high * shower.top_m
    velocity = np.tile([wind[0], wind[1], -shower.fall_m_s], (len(when), 1))
    plots = _seen(station, draws, when, position, velocity, (RAIN, _RAIN_SNR_DB, _RAIN_M_S_STD))
    plots["order"] = order
    high_enough = plots["elevation_rad"] >= station.radar.elevation_rad_min
    return quantised(plots[high_enough & (plots["range_m"] <= station.radar.range_m_max)], station.radar)


def ground(
    config: WorldConfig, station: Station, echoes: GroundEchoes, window: int, from_t_ns: int, to_t_ns: int
) -> Sightings:
    """Return what a radar sees of fixed echoes within [from, to), the window of this number.

    They are on the ground, and the radar sees them below its least elevation: that is what makes them clutter.
    """
    times = dwell_times(station, from_t_ns, min(to_t_ns, config.end_t_ns + 1))
    if not len(times) or echoes.detection_probability <= 0.0:
        return NOTHING_SEEN
    places = echo_places(config, echoes)
    draws = stream(config.seed, f"radar/{station.radar.id}/ground/{echoes.name}/{window}")
    seen, which = np.nonzero(draws.random((len(times), len(places))) < echoes.detection_probability)
    velocity = draws.standard_normal((len(seen), 3)) * echoes.sway_m_s
    plots = _seen(station, draws, times[seen], places[which], velocity, (GROUND, _GROUND_SNR_DB, 0.1))
    plots["order"] = draws.random(len(seen))
    return quantised(plots[plots["range_m"] <= station.radar.range_m_max], station.radar)


def echo_places(config: WorldConfig, echoes: GroundEchoes) -> Array:
    """Return where the echoes stand (count, 3), in the site's ENU: the same for all radars."""
    draws = stream(config.seed, f"ground/{echoes.name}")
    places = np.empty((echoes.count, 3))
    places[:, :2] = (echoes.east_m, echoes.north_m) + draws.standard_normal((echoes.count, 2)) * echoes.spread_m
    rises = draws.random(echoes.count) * echoes.height_m
    site = Frame(config.latitude_rad, config.longitude_rad, config.height_m)
    for place, rise in zip(places, rises, strict=True):
        height = float(geodetic_from_enu(site, [place[0], place[1], 0.0])[2])
        place[2] = config.ground_height_m - height + rise
    return places


def wind_at(air: Air, rise_m: float) -> tuple[float, float]:
    """Return the wind (m/s, east and north) so high over the ground, or over the lowest level of a measured one."""
    if air.profile is not None and air.profile.wind_heights_m:
        heights = air.profile.wind_heights_m
        east = np.interp(rise_m + heights[0], heights, air.profile.wind_east_m_s)
        north = np.interp(rise_m + heights[0], heights, air.profile.wind_north_m_s)
        return float(east), float(north)
    rise = min(max(rise_m, 0.0), SHEAR_TOP_M)
    return air.wind_east_m_s + rise * air.shear_east_per_s, air.wind_north_m_s + rise * air.shear_north_per_s


def _seen(
    station: Station,
    draws: np.random.Generator,
    times: Times,
    position: Array,
    velocity: Array,
    kind: tuple[int, float, float],
) -> Sightings:
    """Return plots of points with the radar's errors; `kind`: what they are, SNR (dB), spread of the Doppler (m/s)."""
    radar = station.radar
    range_m, azimuth, elevation, rate = polar(station, position, velocity)
    noise = draws.standard_normal((len(times), 4))
    plots = np.empty(len(times), dtype=SIGHTING)
    plots["t_ns"], plots["radar"], plots["origin"], plots["thing"] = times, station.number, CLUTTER, kind[0]
    error = noise[:, :3] * (radar.range_m_std, radar.azimuth_rad_std, radar.elevation_rad_std)
    error += shared_error(station, times)
    plots["range_m"] = np.maximum(range_m + error[:, 0], 0.1)
    plots["azimuth_rad"], plots["elevation_rad"] = azimuth + error[:, 1], elevation + error[:, 2]
    plots["range_rate_m_s"] = rate + noise[:, 3] * math.hypot(radar.range_rate_m_s_std, kind[2])
    plots["snr_db"] = snr_db(radar, range_m) + kind[1]
    return plots
