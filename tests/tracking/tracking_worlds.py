"""Radars, flights and plots for the tests of the tracker."""

import itertools
import math

import numpy as np

from opencram import tracking
from opencram.ballistics.drag import standard_curve
from opencram.ballistics.environment import environment
from opencram.ballistics.lanes import LANES
from opencram.ballistics.propagation import advance
from opencram.messages import Association, Plot, Tick, Track
from opencram.tracking.config import SensorModel

S = 1_000_000_000
T0 = 1_767_225_600 * S
LEVEL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)  # a radar whose horizon is the site's
SITE = {"latitude_rad": math.radians(33.3), "height_m": 35.0, "ground_height_m": 35.0}
ROCKET = (3000.0, 6000.0, 5.0, -130.0, -190.0, 240.0, math.log(2500.0), 0.0, 0.0, 0.0)  # flies over the site
MORTAR = (-1500.0, 2500.0, 0.0, 60.0, -100.0, 170.0, math.log(1200.0), 0.0, 0.0, 0.0)


def radar(name="north", position_enu_m=(500.0, -800.0, 6.0), **changes):
    values = {
        "local_from_enu": LEVEL,
        "range_m_std": 10.0,
        "azimuth_rad_std": 1.5e-3,
        "elevation_rad_std": 1.5e-3,
        "range_m_max": 20_000.0,
        "detection_probability": 0.9,
        "clutter_per_scan": 1.0,
        "period_s": 0.1,
    }
    return SensorModel(id=name, position_enu_m=position_enu_m, **{**values, **changes})


NORTH = radar()
CONFIG = tracking.Config(**SITE, sensors=(NORTH,))


def earth(**changes):
    return environment(SITE["latitude_rad"], SITE["height_m"], ground_height_m=SITE["ground_height_m"], **changes)


def flown(state, times_s, *, curve="G7", env=None, dt=0.01):
    """States (n, 6) of a round at these times (s, ascending, multiples of `dt`) after `state`."""
    env = earth() if env is None else env
    lanes = np.repeat(np.asarray(state, dtype=np.float64)[:, np.newaxis], LANES, axis=1)
    found, now = [], 0
    for step in np.round(np.asarray(times_s) / dt).astype(int).tolist():
        advance(lanes, dt, step - now, env, standard_curve(curve))
        now = step
        found.append(lanes[:6, 0].copy())
    return np.array(found)


def polar(sensor, states):
    """Range, azimuth, elevation and range rate (n, 4) of states (n, 6), without errors."""
    rotation = np.array(sensor.local_from_enu).reshape(3, 3)
    offset = states[:, :3] - sensor.position_enu_m
    east, north, up = (offset @ rotation.T).T
    range_m = np.linalg.norm(offset, axis=1)
    rate = np.einsum("ij,ij->i", offset, states[:, 3:6]) / range_m
    return np.stack([range_m, np.mod(np.arctan2(east, north), 2 * np.pi), np.arcsin(up / range_m), rate], axis=1)


def noisy(sensor, z, draws):
    """Measurements (n, 4) with the sensor's white errors; range rates of 1 m/s."""
    stds = (sensor.range_m_std, sensor.azimuth_rad_std, sensor.elevation_rad_std, 1.0)
    out = z + draws.standard_normal(z.shape) * stds
    out[:, 1] = np.mod(out[:, 1], 2 * np.pi)
    return out


def plots_of(sensor, times_s, z, *, doppler=False, first_id=1):
    """Plots of one sensor at these times, with these measurements (n, 4)."""
    return [
        Plot(
            t_ns=T0 + round(t * S),
            plot_id=first_id + k,
            sensor=sensor.id,
            range_m=float(row[0]),
            azimuth_rad=float(row[1]),
            elevation_rad=float(row[2]),
            range_rate_m_s=float(row[3]) if doppler else None,
        )
        for k, (t, row) in enumerate(zip(times_s, z, strict=True))
    ]


def seen(sensor, state, times_s, *, seed=1, curve="G7", share=1.0, start_s=0.0, doppler=False, env=None):
    """Noisy plots of a round that is at `state` at time `start_s`, at these times after it."""
    draws = np.random.default_rng(seed)
    z = noisy(sensor, polar(sensor, flown(state, times_s, curve=curve, env=env)), draws)
    kept = draws.random(len(z)) < share
    return plots_of(sensor, (np.asarray(times_s) + start_s)[kept], z[kept], doppler=doppler)


def every(period_s, seconds, phase_s=0.0):
    """Times of dwells, to the hundredth of a second."""
    return np.round(np.arange(phase_s, seconds, period_s), 2)


def numbered(plots):
    """The same plots with `plot_id` counting from 1."""
    return [
        Plot(**{**{name: getattr(p, name) for name in p.__struct_fields__}, "plot_id": k + 1})
        for k, p in enumerate(plots)
    ]


def merged(*lists):
    """Plots of several rounds and sensors in order of time, numbered anew."""
    return numbered(sorted(itertools.chain(*lists), key=lambda p: (p.t_ns, p.sensor)))


def dwells(plots):
    """Batches as the pipeline makes them: the plots of one sensor at one time, closed by a tick."""
    now = 0
    for _, run in itertools.groupby(plots, key=lambda p: (p.sensor, p.t_ns)):
        batch = list(run)
        now = max(now, batch[0].t_ns)
        yield [*batch, Tick(t_ns=now)]


def run(config, batches, state=None):
    """State and messages after these batches."""
    state = tracking.initial(config) if state is None else state
    said = []
    for batch in batches:
        state, messages = tracking.step(config, state, batch)
        said += messages
    return state, said


def ticks(start_ns, seconds, period_s=0.1):
    return [[Tick(t_ns=start_ns + round(k * period_s * S))] for k in range(1, round(seconds / period_s) + 1)]


def tracks(said):
    """Messages of each track, by its number."""
    found = {}
    for message in said:
        if isinstance(message, Track):
            found.setdefault(message.track_id, []).append(message)
    return found


def confirmed_projectiles(said):
    """Numbers of the tracks that were ever confirmed as projectiles, in order of confirmation."""
    found = [m.track_id for m in said if isinstance(m, Track) and m.status == "confirmed" and probably(m)]
    return list(dict.fromkeys(found))


def probably(track):
    return track.projectile_probability >= 0.5


def users(said):
    """Which track used each plot."""
    return {
        plot_id: track_id
        for m in said
        if isinstance(m, Association)
        for plot_id, track_id in zip(m.plot_ids, m.track_ids, strict=True)
    }
