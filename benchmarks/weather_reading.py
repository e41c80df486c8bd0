"""What weather costs and what it is worth: `python benchmarks/weather_reading.py`.

Reads a METCM and an archive of soundings, both made on the spot from a known air, and flies three rounds
through that air as it is, as a METCM of it says, cut off at 3 km, and through the standard atmosphere.
"""

import math
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests" / "earth"))

import met_messages as made

from opencram.ballistics.environment import environment
from opencram.earth.atmosphere import isa, isa_at_geopotential
from opencram.earth.met.read import read_sounding
from opencram.earth.met.sounding import Sounding
from opencram.earth.profile import profile_of
from opencram.simulation.classes import usual_round
from opencram.simulation.flights import Flyer
from opencram.simulation.model import Round

TABLE = Path(__file__).resolve().parent.parent / "tests" / "reference" / "ussa1976_0_30km.csv"
LAUNCHES = (("mortar", 260.0, 60.0), ("rocket", 620.0, 40.0), ("shell", 650.0, 45.0))  # class, m/s, degrees
FINE_M = (40.0, *[float(h) for h in range(100, 20_001, 100)])


def seconds(work: Callable[[], Any], repeats: int) -> float:
    """Return the shortest of some runs."""
    best = math.inf
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def below(sounding: Sounding, top_m: float) -> Sounding:
    """Return a sounding that ended at some height."""
    return replace(
        sounding,
        air=tuple(level for level in sounding.air if level.height_m <= top_m),
        wind=tuple(level for level in sounding.wind if level.height_m <= top_m),
    )


def accuracy() -> None:
    """Print the greatest relative error against the published table, in both heights."""
    rows = np.genfromtxt(TABLE, delimiter=",", names=True)
    for name, read, columns in (
        ("geometric", isa, ("T_K", "p_Pa", "rho_kgm3", "a_ms")),
        ("geopotential", isa_at_geopotential, tuple(f"{s}_at_geopotential_eq_z" for s in ("T", "p", "rho", "a"))),
    ):
        computed = read(rows["geometric_z_m"])
        worst = max(float(np.abs(c / rows[column] - 1.0).max()) for c, column in zip(computed, columns, strict=True))
        print(f"| ISA in {name} heights, 0 to 30 km, greatest error | {worst:.1e} |")


def costs() -> None:
    """Print how long reading takes."""
    metcm, archive = made.metcm(), made.igra() * 500
    profile = profile_of(read_sounding(metcm, "metcm"), made.LATITUDE)
    print(f"| read a METCM of 27 lines | {seconds(lambda: read_sounding(metcm, 'm'), 20) * 1e3:.2f} ms |")
    took_ms = seconds(lambda: read_sounding(archive, "i"), 3) * 1e3
    print(f"| find and read the last of 500 archived soundings ({len(archive) / 1e6:.1f} MB) | {took_ms:.1f} ms |")
    plain = seconds(lambda: environment(0.58, 35.0), 5) * 1e3
    measured = seconds(lambda: environment(0.58, 35.0, profile=profile), 5) * 1e3
    print(f"| pack an environment, standard and measured | {plain:.2f} and {measured:.2f} ms, once a run |")


def worth() -> None:
    """Print where rounds land in the air as it is told, against the air as it is."""
    truth = read_sounding(made.csv(FINE_M), "truth")
    metcm = read_sounding(made.metcm(), "metcm")
    airs = {
        "METCM of it": metcm,
        "METCM cut at 3 km": below(metcm, 3000.0),
        "standard atmosphere, calm": Sounding(format="none"),
    }
    print("\n| round | range | apex | " + " | ".join(airs) + " |\n|---|---|---|" + "---|" * len(airs))
    for class_name, speed_m_s, elevation_deg in LAUNCHES:
        usual, angle = usual_round(class_name), math.radians(elevation_deg)
        what = Round(
            name=class_name,
            class_name=class_name,
            launch_t_ns=0,
            position_enu_m=(0.0, 0.0, 0.1),
            velocity_enu_m_s=(0.0, speed_m_s * math.cos(angle), speed_m_s * math.sin(angle)),
            ballistic_coefficient_kg_m2=usual.ballistic_coefficient_kg_m2,
            spin_drift_m_s=usual.spin_drift_m_s,
        )
        exact, apex_m = landing(truth, what)
        cells = [f"{float(np.hypot(*(landing(air, what)[0] - exact))):.0f} m" for air in airs.values()]
        head = f"{class_name}, {speed_m_s:.0f} m/s at {elevation_deg:.0f}°"
        row = [head, f"{math.hypot(*exact) / 1000:.1f} km", f"{apex_m / 1000:.1f} km", *cells]
        print("| " + " | ".join(row) + " |")


def landing(sounding: Sounding, what: Round) -> tuple[Any, float]:
    """Return where a round lands in the air of a sounding (east, north; m), and how high it flew (m)."""
    flyer = Flyer(environment(made.LATITUDE, 35.0, profile=profile_of(sounding, made.LATITUDE)))
    flight = flyer.fly(what, what.position_enu_m, what.velocity_enu_m_s, what.ballistic_coefficient_kg_m2)
    return flight.position_enu_m[-1, :2], float(flight.position_enu_m[:, 2].max())


if __name__ == "__main__":
    print("| what | measured |\n|---|---|")
    accuracy()
    costs()
    worth()
