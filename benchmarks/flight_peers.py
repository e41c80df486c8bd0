"""py-ballisticcalc and RocketPy on the flight of `flight_speed.py`, in an environment of their own.

    python benchmarks/flight_peers.py [--reference]

Prints one JSON object: trajectories a second.  With --reference, the air of py-ballisticcalc and its ranges and
times at the ground instead: tests/reference/ballisticcalc_*.csv.
"""

import argparse
import contextlib
import io
import json
import math
import os
import time
import warnings
from collections.abc import Callable
from typing import Any

SPEED_M_S, ELEVATION_DEG, BETA_KG_M2 = 480.0, 45.0, 2500.0
FOOT_M = 0.3048
LB_IN2_KG_M2 = 703.0695796391593  # one pound per square inch of sectional density


def ballisticcalc(speed_m_s: float, elevation_deg: float, beta_kg_m2: float, *, engine: str, step: float) -> Any:
    """Return py-ballisticcalc's calculator and shot for a launch on G7 in the standard atmosphere."""
    import py_ballisticcalc as pbc

    # Its coefficient is mass over calibre squared, in lb/in².
    drag = pbc.DragModel(beta_kg_m2 * 0.25 * math.pi / LB_IN2_KG_M2, pbc.TableG7)
    shot = pbc.Shot(
        ammo=pbc.Ammo(drag, pbc.Velocity.MPS(speed_m_s)),
        weapon=pbc.Weapon(),
        atmo=pbc.Atmo.icao(0),
        relative_angle=pbc.Angular.Degree(elevation_deg),
    )
    config = {"cMinimumVelocity": 0.0, "cMaximumDrop": 0.0, "cMinimumAltitude": -10_000.0, "cStepMultiplier": step}
    return pbc.Calculator(config=config, engine=engine), shot


def ballisticcalc_land(speed_m_s: float, elevation_deg: float, **options: Any) -> tuple[float, float]:
    """Return range (m) and time (s) where the height is zero again."""
    import py_ballisticcalc as pbc

    calculator, shot = ballisticcalc(speed_m_s, elevation_deg, BETA_KG_M2, **options)
    result = calculator.fire(
        shot, pbc.Distance.Kilometer(60.0), pbc.Distance.Kilometer(60.0),
        flags=pbc.TrajFlag.ZERO_DOWN, raise_range_error=False,
    )  # fmt: skip
    found = result.flag(pbc.TrajFlag.ZERO_DOWN)
    assert found is not None
    return float(found.distance >> pbc.Distance.Meter), float(found.time)


def reference() -> None:
    """Print the air that py-ballisticcalc flies through and where its flights come down, as two CSV tables."""
    _, shot = ballisticcalc(SPEED_M_S, ELEVATION_DEG, BETA_KG_M2, engine="python+rk4", step=1.0)
    # Its retardation is v² · ratio · Cd · 2.08551e-4 / BC per foot: the density that says the same in SI.
    base_kg_m3 = 2.0 * 2.08551e-04 / FOOT_M * LB_IN2_KG_M2 / (0.25 * math.pi)
    print("height_m,density_kg_m3,sound_m_s")
    for height_m in range(-500, 11_001, 100):
        ratio, sound_ft_s = shot.atmo.get_density_and_mach_for_altitude(height_m / FOOT_M)
        print(f"{height_m},{ratio * base_kg_m3:.10g},{sound_ft_s * FOOT_M:.10g}")
    print("speed_m_s,elevation_deg,range_m,time_s")
    for speed in (300.0, 330.0, 430.0, 560.0, 690.0, 830.0):
        for elevation in (5.0, 15.0, 30.0):
            far, seconds = ballisticcalc_land(speed, elevation, engine="python+rk4", step=0.5)
            print(f"{speed},{elevation},{far:.5f},{seconds:.6f}")


def rocketpy_flight() -> Callable[[], object]:
    """Return what flies one RocketPy flight: no motor to speak of, one drag coefficient, standard atmosphere."""
    from rocketpy import EmptyMotor, Environment, Flight, Rocket

    environment = Environment(latitude=33.3, longitude=44.4, elevation=35.0)
    area = math.pi * 0.0525**2
    rocket = Rocket(
        radius=0.0525, mass=BETA_KG_M2 * area, inertia=(1.0, 1.0, 0.05), power_off_drag=0.15, power_on_drag=0.15,
        center_of_mass_without_motor=0.0,
    )  # fmt: skip
    rocket.add_motor(EmptyMotor(), position=-0.5)
    rocket.add_trapezoidal_fins(n=4, root_chord=0.12, tip_chord=0.06, span=0.10, position=-0.4)

    level = SPEED_M_S * math.cos(math.radians(ELEVATION_DEG))
    half = math.radians(90.0 - ELEVATION_DEG) / 2.0
    initial = [0.0, 0.0, 0.0, 36.0, 0.0, level, level, math.cos(half), -math.sin(half), 0.0, 0.0, 0.0, 0.0, 0.0]
    return lambda: Flight(
        rocket=rocket, environment=environment, rail_length=1.0, inclination=ELEVATION_DEG, heading=0.0,
        initial_solution=initial, verbose=False, name="peer",
    )  # fmt: skip


def rate(call: Callable[[], object], seconds: float = 4.0) -> float:
    """Return calls a second, the first one not counted; the fastest counts."""
    call()
    best, end = math.inf, time.process_time() + seconds
    while time.process_time() < end:
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return 1.0 / best


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", action="store_true")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if args.reference:
        reference()
        return
    figures = {
        "py-ballisticcalc, its RK4": rate(
            lambda: ballisticcalc_land(SPEED_M_S, ELEVATION_DEG, engine="python+rk4", step=1.0)
        )
    }
    with contextlib.redirect_stdout(io.StringIO()):
        figures["RocketPy, 6 degrees of freedom"] = rate(rocketpy_flight())
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
