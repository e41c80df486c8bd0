"""Trajectories a second to the ground, beside C, NumPy, py-ballisticcalc and RocketPy, on the same flight.

    python benchmarks/flight_speed.py [--rounds N] [--flights N] [--no-peer]

The flight: 480 m/s at 45°, drag curve G7 at 2500 kg/m², constant wind, 54.6 s and 14 km, Coriolis and curvature, spin
drift; fixed Runge-Kutta steps of 0.05 s.  C is `flight.c`: the same equations, tables and lanes, vectors written out,
compiled here with -O3 -march=native.  Everybody takes turns in one run, so that what else the machine does meets all;
times are those of the processor (of the clock where there are threads), the figures those of the fastest turn of
each, the peers' too.  The peers live in an environment of their own, benchmarks/.venv-flight, made at the first run,
and fly the same launch with their own atmosphere and integrator.
"""

import argparse
import ctypes
import json
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from opencram.ballistics.drag import standard_curve
from opencram.ballistics.drivers import land_all, land_one
from opencram.ballistics.environment import AIR_BOTTOM_M, AIR_STEP_M, Environment, environment
from opencram.prediction.ground import MOMENTS, impact_moments

Array = NDArray[np.float64]

HERE = Path(__file__).resolve().parent
PEERS = ("py-ballisticcalc==3.1.1", "rocketpy==1.13.0")
DT_S = 0.05
FLIGHT_S_MAX = 200.0
THREADED, THREADED_TURNS = 1536, 120
FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-fno-strict-aliasing", "-shared", "-fPIC")


class CSite(ctypes.Structure):
    """`struct site` of flight.c."""

    _fields_ = (
        *((f"number_{k}", ctypes.c_double) for k in range(10)),
        ("air", ctypes.c_void_p),
        ("air_rows", ctypes.c_int64),
        ("mach_steps", ctypes.c_int64),
    )


def flights(count: int) -> Array:
    """Return states (count, 10) of nearly the same flight."""
    draws = np.random.default_rng(1)
    speed = 480.0 + draws.normal(0.0, 3.0, count)
    elevation = np.radians(45.0 + draws.normal(0.0, 0.5, count))
    azimuth = draws.normal(0.0, 0.02, count)
    states = np.zeros((count, 10))
    states[:, 3] = speed * np.cos(elevation) * np.sin(azimuth)
    states[:, 4] = speed * np.cos(elevation) * np.cos(azimuth)
    states[:, 5] = speed * np.sin(elevation)
    states[:, 6], states[:, 9] = math.log(2500.0), 2.0
    return states


def c_driver(folder: Path, env: Environment, cd: Array) -> Callable[[Array, float], Array]:
    """Compile flight.c; return what flies states (n, 10) with it, n a multiple of 24."""
    library = folder / "flight.so"
    subprocess.run([os.environ.get("CC", "gcc"), *FLAGS, HERE / "flight.c", "-o", library, "-lm"], check=True)
    call = ctypes.CDLL(str(library)).fly_to_ground
    call.restype = ctypes.c_int64
    site = CSite(*(float(value) for value in env[:10]), env.air.ctypes.data, len(env.air), len(cd) - 1)

    def fly(states: Array, dt: float) -> Array:
        columns = np.ascontiguousarray(states.T)
        landed = np.full((7, len(states)), np.nan)
        call(
            ctypes.c_void_p(columns.ctypes.data), ctypes.c_int64(len(states)), ctypes.c_double(dt),
            ctypes.c_double(FLIGHT_S_MAX), ctypes.byref(site), ctypes.c_void_p(cd.ctypes.data),
            ctypes.c_void_p(landed.ctypes.data),
        )  # fmt: skip
        return landed.T

    return fly


def numpy_height(x: Array, env: Environment) -> Array:
    """Return heights (n,) above the ellipsoid."""
    bulge = 0.5 * (x[0] ** 2 * env.curvature_east_1_m + x[1] ** 2 * env.curvature_north_1_m)
    height: Array = env.height_m + x[2] + bulge * (1.0 - x[2] * env.curvature_north_1_m)
    return height


def numpy_felt(x: Array, rest: Array, env: Environment, cd: Array) -> Array:
    """Return the accelerations (3, n) of `motion.acceleration`, whole arrays at a time."""
    h = numpy_height(x, env)
    row = np.clip((h - AIR_BOTTOM_M) / AIR_STEP_M + 0.5, 0.0, len(env.air) - 1.0).astype(np.intp)
    air, rise = env.air[row].T, h - (AIR_BOTTOM_M + row * AIR_STEP_M)
    ae = x[3] - rest[1] - (air[5] + rise * air[6])
    an = x[4] - rest[2] - (air[7] + rise * air[8])
    speed = np.sqrt(ae * ae + an * an + x[5] ** 2)
    mach = np.minimum(speed * (air[3] + rise * air[4]) * ((len(cd) - 1) / 5.0), len(cd) - 1.000001)
    below = mach.astype(np.intp)
    cd_here = cd[below] + (mach - below) * (cd[below + 1] - cd[below])
    drag = -0.5 * (air[0] + rise * (air[1] + rise * air[2])) * speed * rest[0] * cd_here
    tilt_e, tilt_n = x[0] * env.curvature_east_1_m, x[1] * env.curvature_north_1_m
    g = env.gravity_m_s2 + x[1] * env.gravity_north_1_s2 + h * (env.gravity_up_1_s2 + h * env.gravity_up2_1_m_s2)
    yaw = rest[3] * g / (x[3] ** 2 + x[4] ** 2 + x[5] ** 2 + 1.0)
    up, north = env.coriolis_up_rad_s, env.coriolis_north_rad_s
    return np.stack(
        [
            drag * ae - g * tilt_e + up * x[4] - north * x[5] + yaw * x[4],
            drag * an - g * tilt_n - up * x[3] - yaw * x[3],
            drag * x[5] - g * (1.0 - 0.5 * (tilt_e**2 + tilt_n**2)) + north * x[3],
        ]
    )


def numpy_land(states: Array, dt: float, env: Environment, cd: Array) -> Array:
    """Return times at the ground (n,), to a straight line between steps: NumPy at its plainest."""
    x, rest = np.ascontiguousarray(states[:, :6].T), np.ascontiguousarray(states[:, 6:].T)
    rest[0] = np.exp(-rest[0])
    times = np.full(len(states), np.nan)

    def slope(at: Array) -> Array:
        return np.concatenate([at[3:], numpy_felt(at, rest, env, cd)])

    high = numpy_height(x, env) - env.ground_m
    for k in range(int(FLIGHT_S_MAX / dt)):
        k1 = slope(x)
        k2 = slope(x + 0.5 * dt * k1)
        k3 = slope(x + 0.5 * dt * k2)
        k4 = slope(x + dt * k3)
        after = x + dt / 6.0 * (k1 + 2.0 * (k2 + k3) + k4)
        low = numpy_height(after, env) - env.ground_m
        new = (low <= 0.0) & (after[5] < 0.0) & np.isnan(times)
        times[new] = (k + high[new] / (high[new] - low[new])) * dt
        x, high = after, low
        if not np.isnan(times).any():
            break
    return times


def timed(call: Callable[[], object], clock: Callable[[], float] = time.thread_time) -> float:
    """Return how many seconds one call takes: of this thread's processor time, or of another clock."""
    start = clock()
    call()
    return clock() - start


def peer_figures() -> dict[str, float]:
    """Return trajectories a second of the peers, each on this flight with its own atmosphere and integrator."""
    python = HERE / ".venv-flight" / "bin" / "python"
    if not python.exists():
        print("Making benchmarks/.venv-flight …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", HERE / ".venv-flight"], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *PEERS], check=True)
    done = subprocess.run([python, HERE / "flight_peers.py"], stdout=subprocess.PIPE, check=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def threaded(states: Array, env: Environment, cd: Array, cores: int) -> dict[int, tuple[float, float]]:
    """Return for each number of threads the shortest time of many by the clock, and how many processors it kept busy.

    Many short turns, because a neighbour on the machine spoils most of them.
    """
    many = np.resize(states, (THREADED, states.shape[1]))
    best = {threads: (math.inf, 0.0) for threads in range(1, cores + 1)}
    for _ in range(THREADED_TURNS):
        for threads, fastest in best.items():
            busy = time.process_time()
            wall = timed(lambda n=threads: land_all(many, env, cd, dt=DT_S, threads=n), time.perf_counter)  # type: ignore[misc]
            best[threads] = min(fastest, (wall, (time.process_time() - busy) / wall))
    return best


def impact_s(env: Environment, cd: Array, repeats: int, stride: int) -> float:
    """Return the seconds that an impact with covariance takes: 21 sigma points, 20 s left to fly, dt 0.25 s.

    `stride` 4: as the prediction flies, steps of 1 s where drag is smooth.
    """
    mean = flights(1)[0].copy()
    mean[:6] = (100.0, 9000.0, 1900.0, 5.0, 190.0, 5.0)
    covariance = np.diag([10.0, 10.0, 10.0, 2.0, 2.0, 2.0, 0.05, 1.0, 1.0, 1.0]) ** 2
    moments = np.empty(MOMENTS)
    assert impact_moments(mean, covariance, 0.25, stride, FLIGHT_S_MAX, env, cd, moments)
    assert 18.0 < moments[3] < 23.0, moments[3]

    def all_of_them() -> None:
        for _ in range(repeats):
            impact_moments(mean, covariance, 0.25, stride, FLIGHT_S_MAX, env, cd, moments)

    return timed(all_of_them) / repeats


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="turns of everybody (default 9)")
    parser.add_argument("--flights", type=int, default=960, help="flights a turn, a multiple of 24 (default 960)")
    parser.add_argument("--no-peer", action="store_true", help="leave py-ballisticcalc and RocketPy out")
    args = parser.parse_args()
    env, cd = environment(math.radians(33.3), 35.0, wind_m_s=(4.0, -3.0)), standard_curve("G7")
    states, thousand = flights(args.flights), flights(1000)
    cores = len(os.sched_getaffinity(0))
    few = states[:96]
    calls: dict[str, tuple[int, Callable[[], object]]] = {
        "opencram, lanes": (len(states), lambda: land_all(states, env, cd, dt=DT_S)),
        "opencram, scalar": (len(few), lambda: [land_one(state, env, cd, dt=DT_S) for state in few]),
        "NumPy": (len(states), lambda: numpy_land(states, DT_S, env, cd)),
    }
    with tempfile.TemporaryDirectory() as folder:
        c_land = c_driver(Path(folder), env, cd)
        calls["C, vectors, -O3 -march=native"] = (len(states), lambda: c_land(states, DT_S))
        assert np.abs(c_land(few, DT_S) - land_all(few, env, cd, dt=DT_S)).max() < 1e-6
        assert np.abs(numpy_land(few, DT_S, env, cd) - land_all(few, env, cd, dt=DT_S)[:, 0]).max() < 0.01
        land_one(few[0], env, cd)
        seconds: dict[str, list[float]] = {name: [] for name in calls}
        raids, impacts, strided = [], [], []
        for turn in range(args.rounds):
            for name, (_, call) in calls.items():
                if name != "NumPy" or turn < 2:
                    seconds[name].append(timed(call))
            raids.append(timed(lambda: land_all(thousand, env, cd, dt=0.25)))
            impacts.append(impact_s(env, cd, 200, 1))
            strided.append(impact_s(env, cd, 400, 4))
    print(f"{platform.processor() or platform.machine()}, {cores} cores; flights of 54.6 s, step {DT_S} s")
    c_best = min(seconds["C, vectors, -O3 -march=native"])
    for name, (count, _) in calls.items():
        ratio = c_best / min(seconds[name]) * count / len(states)
        print(f"  {name:32s} {count / min(seconds[name]):10,.0f} trajectories/s   {ratio:6.3f} of C")
    for threads, (wall, busy) in threaded(states, env, cd, cores).items():
        rate, name = THREADED / wall, f"lanes, {threads} threads, by the clock"
        print(f"  {name:32s} {rate:10,.0f} trajectories/s   {busy:.2f} cores busy, {rate / busy:,.0f} each")
    if not args.no_peer:
        for name, rate in peer_figures().items():
            print(f"  {name:32s} {rate:10,.1f} trajectories/s")
    for name, values, unit, digits in (
        ("1000-flight Monte Carlo, dt 0.25 s", raids, 1e3, "ms"),
        ("impact with covariance, even steps", impacts, 1e6, "µs"),
        ("the same as the prediction flies", strided, 1e6, "µs"),
    ):
        print(f"  {name:36s} {min(values) * unit:6.1f} {digits} (median {statistics.median(values) * unit:.1f})")
    print(f"  peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
