"""What else is in the air: aircraft, helicopters, drones and birds on a course of way-points, bursts of gunfire.

The radars see them like anything.  Nothing here falls as a round does, but for bullets, which are small and soon gone.
"""

import math

import numpy as np

from opencram.simulation.flights import STEP_S, Array, Flight
from opencram.simulation.launch import velocity_of
from opencram.simulation.model import Gunfire, Mover, Round
from opencram.simulation.streams import stream

WANDER_S = 4.0  # time constant of a wandering velocity
_SUBSTEPS = 5  # of the steering, in one step of a flight
_CORNER_RAD_MAX = 1.2  # half a turn of 138°: what turns harder than that overshoots its way-point
_LEAST_M = 2.0  # nothing wanders below this height of the site's frame


def course(mover: Mover, *, seed: int = 0, number: int = 0) -> Flight:
    """Return the flight of one of the crowd of a mover: from way-point to way-point at its speed, then it is gone.

    It turns and brakes with no more than `acceleration_m_s2_max`, so that corners are cut or overshot as by a real
    aircraft; without a limit they are flown sharp.  A mover of one way-point hovers there for `hover_s`.
    """
    limited = math.isfinite(mover.acceleration_m_s2_max) and len(mover.waypoints_enu_m) > 1
    times, positions, velocities = _turning(mover) if limited else _sharp(mover)
    if mover.spread_m > 0.0 or mover.wander_m_s > 0.0:
        draws = stream(seed, f"traffic/{mover.name}/{number}")
        place = draws.standard_normal(3) * mover.spread_m * (1.0, 1.0, 0.3)
        strayed, straying = _wander(draws, len(times), mover.wander_m_s)
        positions += place + strayed
        velocities += straying
        low = positions[:, 2] < _LEAST_M
        positions[low, 2], velocities[low, 2] = _LEAST_M, 0.0
    return Flight(times, positions, velocities, False)


def _sharp(mover: Mover) -> tuple[Array, Array, Array]:
    """Return times (n,), positions (n, 3) and velocities (n, 3) of a course with sharp corners."""
    points = np.array(mover.waypoints_enu_m, dtype=np.float64)
    legs = np.diff(points, axis=0)
    lengths = np.sqrt((legs**2).sum(axis=1))
    arrive_s = np.concatenate([[0.0], np.cumsum(lengths / mover.speed_m_s)])
    end_s = float(arrive_s[-1]) + mover.hover_s
    times: Array = np.arange(0.0, max(end_s, STEP_S) + 1e-9, STEP_S)
    positions = np.stack([np.interp(times, arrive_s, points[:, axis]) for axis in range(3)], axis=1)
    velocities = np.zeros_like(positions)
    for leg, length, begin_s, until_s in zip(legs, lengths, arrive_s[:-1], arrive_s[1:], strict=True):
        flying = (times >= begin_s) & (times < until_s)
        velocities[flying] = leg / max(float(length), 1e-9) * mover.speed_m_s
    assert math.isfinite(end_s)
    return times, positions, velocities


def _turning(mover: Mover) -> tuple[Array, Array, Array]:
    """Return times (n,), positions (n, 3) and velocities (n, 3) of a course steered at its way-points.

    The heading turns towards the next way-point by no more than a/v a second.  The next one is taken up as far ahead
    as an arc between the legs begins, or when this one has been passed.
    """
    points = np.array(mover.waypoints_enu_m, dtype=np.float64)
    legs = np.diff(points, axis=0)
    lengths = np.sqrt((legs**2).sum(axis=1))
    points, legs = points[np.append(True, lengths > 1e-9)], legs[lengths > 1e-9]
    if not len(legs):
        return _sharp(mover)
    headings = legs / lengths[lengths > 1e-9, None]
    speed, most, step_s = mover.speed_m_s, mover.acceleration_m_s2_max, STEP_S / _SUBSTEPS
    place, heading, aim = points[0].copy(), headings[0].copy(), 1
    rows = [(place.copy(), heading * speed)]
    steps_max = math.ceil((lengths.sum() / speed + len(legs) * 2.0 * math.pi * speed / most) * 4.0 / step_s) + _SUBSTEPS
    for step in range(1, steps_max):
        while aim < len(points) and _is_reached(
            place, heading, points, headings, aim, speed * speed / most, speed * step_s
        ):
            aim += 1
        if aim == len(points):
            break
        wanted = points[aim] - place
        away_m = float(np.linalg.norm(wanted))
        if mover.hover_s > 0.0 and aim == len(points) - 1:  # what will hover there brakes in time
            speed = max(min(mover.speed_m_s, math.sqrt(2.0 * most * away_m)), 0.1)
        heading = _turned(heading, wanted / max(away_m, 1e-9), most / speed * step_s)
        place = place + heading * (speed * step_s)
        if step % _SUBSTEPS == 0:
            rows.append((place.copy(), heading * speed))
    rows += [(place.copy(), np.zeros(3))] * (1 + int(mover.hover_s / STEP_S))
    times: Array = np.arange(len(rows), dtype=np.float64) * STEP_S
    return times, np.array([place for place, _ in rows]), np.array([velocity for _, velocity in rows])


def _is_reached(
    place: Array, heading: Array, points: Array, headings: Array, aim: int, radius_m: float, step_m: float
) -> bool:
    """Tell whether a way-point is passed, or so near that an arc of `radius_m` to the next leg begins here."""
    ahead = points[aim] - place
    if float(ahead @ headings[aim - 1]) <= 0.0:
        return True
    if aim == len(points) - 1:
        return float(np.linalg.norm(ahead)) <= step_m
    between = math.acos(min(max(float(heading @ headings[aim]), -1.0), 1.0))
    early_m = radius_m * math.tan(min(0.5 * between, _CORNER_RAD_MAX))
    return float(np.linalg.norm(ahead)) <= max(early_m, step_m)


def _turned(heading: Array, wanted: Array, most_rad: float) -> Array:
    """Return a unit vector turned towards another by no more than an angle (rad)."""
    across = wanted - heading * float(wanted @ heading)
    size = float(np.linalg.norm(across))
    if size < 1e-9:  # straight on, or straight back: then to any side, a level one
        if float(wanted @ heading) > 0.0:
            return heading
        across = np.array([-heading[1], heading[0], 0.0]) if abs(heading[2]) < 0.99 else np.array([1.0, 0.0, 0.0])
        across -= heading * float(across @ heading)
        size = float(np.linalg.norm(across))
    angle = min(
        math.atan2(float(np.linalg.norm(wanted - heading * float(wanted @ heading))), float(wanted @ heading)), most_rad
    )
    found: Array = heading * math.cos(angle) + across / size * math.sin(angle)
    return found / float(np.linalg.norm(found))


def _wander(draws: np.random.Generator, count: int, std_m_s: float) -> tuple[Array, Array]:
    """Return how far something strays (n, 3), and how fast: a Gauss-Markov velocity that draws back to the course."""
    place, speed = np.zeros((count, 3)), np.zeros((count, 3))
    keep = math.exp(-STEP_S / WANDER_S)
    kicks = draws.standard_normal((count, 3)) * std_m_s * math.sqrt(1.0 - keep * keep)
    for k in range(1, count):
        speed[k] = keep * speed[k - 1] + kicks[k] - place[k - 1] * (STEP_S / (8.0 * WANDER_S * WANDER_S))
        place[k] = place[k - 1] + 0.5 * STEP_S * (speed[k - 1] + speed[k])
    return place, speed


def bullets(gun: Gunfire, seed: int) -> tuple[Round, ...]:
    """Return the bullets of a gun's bursts."""
    draws = stream(seed, f"gunfire/{gun.name}")
    found = []
    for burst in range(gun.bursts):
        for number in range(gun.burst_rounds):
            late_s = burst * (gun.burst_rounds / gun.rate_per_s + gun.pause_s) + number / gun.rate_per_s
            speed, right, up = draws.standard_normal(3).tolist()
            elevation = gun.elevation_rad + up * gun.spread_rad
            turn = right * gun.spread_rad / max(math.cos(elevation), 0.05)
            found.append(
                Round(
                    name=gun.name,
                    class_name="shell",
                    launch_t_ns=gun.start_t_ns + round(late_s * 1e9),
                    position_enu_m=gun.position_enu_m,
                    velocity_enu_m_s=velocity_of(
                        gun.speed_m_s * (1.0 + speed * gun.speed_std_share),
                        gun.azimuth_rad + late_s * gun.sweep_rad_s + turn,
                        elevation,
                    ),
                    ballistic_coefficient_kg_m2=gun.ballistic_coefficient_kg_m2,
                    curve="G7",
                    source=gun.source,
                )
            )
    return tuple(found)
