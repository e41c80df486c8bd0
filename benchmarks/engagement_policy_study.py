"""What "site only" costs the neighbourhoods: perturbed raids under both policies, on common random numbers.

    python benchmarks/engagement_policy_study.py --raids 100

Raid k is the seven-rocket raid with every aim moved by its own draw and with its own seed for radars, effects and
debris; policy and planner are all that differs between the columns, so that the difference is paired.  Intervals are
95 %, by Student's t over raids.  `--helicopter` lets one cross the line of fire under a rule of 400 m.
"""

import argparse
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.stats import t as student

from opencram.config.model import Policy, Rule
from opencram.config.scenario import load_scenario
from opencram.config.scenario_model import EnuPlace, Scenario, Traffic
from opencram.messages import Engagement, Message
from opencram.report.outcomes import Ledger, ledger
from opencram.runtime.simulate import Raid

SCENARIO = Path(__file__).parent.parent / "examples" / "seven-rockets" / "scenario.toml"
AIM_M_STD = 150.0
FIGURES = {
    "hits inside": lambda made: sum(each.said == "hit inside" for each in made.outcomes),
    "hits outside": lambda made: sum(each.said == "hit outside" for each in made.outcomes),
    "stopped in the air": lambda made: sum(each.said in ("burst in the air", "intercepted") for each in made.outcomes),
    "duds on the ground": lambda made: sum(each.said == "dud" for each in made.outcomes),
    "people under rounds": lambda made: made.people_under_rounds,
    "people under debris": lambda made: made.people_under_debris,
    "debris outside the fence": lambda made: made.debris_outside,
    "engagements": lambda made: made.engagements,
}


def perturbed(scenario: Scenario, k: int) -> Scenario:
    """Return raid `k`: the same whatever the policy."""
    draws = np.random.default_rng([2020, k])
    launches = []
    for launch in scenario.launches:
        east, north = AIM_M_STD * draws.standard_normal(2)
        aim = launch.aim
        if isinstance(aim, EnuPlace):
            aim = EnuPlace(east_m=aim.east_m + float(east), north_m=aim.north_m + float(north))
        launches.append(replace(launch, aim=aim))
    return replace(scenario, seed=scenario.seed + 1000 * k, launches=tuple(launches))


def with_helicopter(scenario: Scenario) -> Scenario:
    """Return the raid with a helicopter that crosses the line of fire, and a rule to keep clear of it."""
    medevac = Traffic(
        name="medevac",
        class_name="aircraft",
        time_s=0.0,
        speed_m_s=50.0,
        waypoints_enu_m=((700.0, -1400.0, 160.0), (700.0, 2200.0, 160.0)),
        hover_s=0.0,
    )
    rule = Rule(id="medevac", kind="friendly_tracks", distance_m=400.0, classes=("aircraft", "drone"), probability=0.5)
    site = replace(scenario.site, rules=(*scenario.site.rules, rule))
    return replace(scenario, traffic=(medevac,), site=site)


def flown(scenario: Scenario, protect: str, mode: str) -> tuple[Ledger, list[Message]]:
    """Return what one raid came to under a policy, and what was said."""
    site = replace(scenario.site, policy=Policy(protect=protect, mode=mode))  # type: ignore[arg-type]
    raid = Raid(replace(scenario, site=site))
    said = [message for _, made in raid.batches() for message in made]
    return ledger(site, raid.truth()), said


def interval(values: np.ndarray) -> str:
    """Return mean and half-width of the 95 % interval of the mean."""
    half = student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return f"{values.mean():8.2f} ± {half:5.2f}"


def main() -> None:
    """Fly the raids and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raids", type=int, default=20)
    parser.add_argument("--mode", default="automatic", choices=("hold", "consent", "veto", "automatic"))
    parser.add_argument("--helicopter", action="store_true")
    args = parser.parse_args()
    scenario = load_scenario(SCENARIO)
    if args.helicopter:
        scenario = with_helicopter(scenario)
    rows: dict[str, list[list[float]]] = {name: [] for name in FIGURES}
    for k in range(args.raids):
        made = [flown(perturbed(scenario, k), protect, args.mode) for protect in ("site", "people")]
        for name, figure in FIGURES.items():
            rows[name].append([float(figure(book)) for book, _ in made])
        spent = [sum(m.rounds for m in said if isinstance(m, Engagement) and m.state == "fired") for _, said in made]
        rows.setdefault("rounds spent", []).append([float(x) for x in spent])
        print(f"raid {k + 1} of {args.raids}: {[book.kills for book, _ in made]} kills", file=sys.stderr, flush=True)
    print(f"n = {args.raids} raids, mode {args.mode}{', helicopter' if args.helicopter else ''}")
    print(f"{'per raid':28s}{'site':>18s}{'people':>18s}{'people − site':>18s}")
    for name, values in rows.items():
        table = np.array(values)
        cells = (interval(table[:, 0]), interval(table[:, 1]), interval(table[:, 1] - table[:, 0]))
        print(f"{name:28s}" + "".join(f"{cell:>18s}" for cell in cells))


if __name__ == "__main__":
    main()
