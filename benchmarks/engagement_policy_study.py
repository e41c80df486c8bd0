"""What "site only" costs the neighbourhoods: perturbed raids under both policies, on common random numbers.

    python benchmarks/engagement_policy_study.py --raids 100 --out raids.ndjson
    python benchmarks/engagement_policy_study.py --raids 9 --out raids.ndjson --cases site+helicopter people+helicopter
    python benchmarks/engagement_policy_study.py --table raids.ndjson

Raid k is the seven-rocket raid with every aim moved by its own draw and with its own seed for radars, effects and
debris; what stands in the case is all that differs between the columns, so that differences are paired.  A raid that
is in the file already is not flown again: a long study can be broken off and taken up.  Intervals are 95 %, by
Student's t over raids.

A case is a policy (`site`, `people`), after which may stand `consent` (an operator agrees 4 s after being asked),
`veto` (nobody objects) and `helicopter` (one crosses the line of fire under a rule of 400 m).  `hold` is what falls if
nobody fires; it is in the truth of every flight.
"""

import argparse
import json
import math
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

from opencram.config.model import Policy, Rule
from opencram.config.scenario import load_scenario
from opencram.config.scenario_model import EnuPlace, Scenario, Traffic
from opencram.messages import Decision, Engagement, Message, Operator
from opencram.report.outcomes import Ledger, ledger
from opencram.runtime.simulate import Raid

SCENARIO = Path(__file__).parent.parent / "examples" / "seven-rockets" / "scenario.toml"
AIM_M_STD = 150.0
CONSENT_NS = 4_000_000_000
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


def flown(scenario: Scenario, case: str) -> tuple[dict[str, Any], list[Message]]:
    """Return the truth of one raid in a case ("people+consent+helicopter"), and what was said."""
    protect, *more = case.split("+")
    mode = next((word for word in more if word in ("hold", "consent", "veto")), "automatic")
    if "helicopter" in more:
        scenario = with_helicopter(scenario)
    site = replace(scenario.site, policy=Policy(protect=protect, mode=mode))  # type: ignore[arg-type]
    raid = Raid(replace(scenario, site=site))
    asked: list[tuple[int, int]] = []

    def agreed(t_ns: int) -> list[Message]:
        now = [each for each in asked if each[0] <= t_ns]
        asked[:] = [each for each in asked if each[0] > t_ns]
        return [Operator(t_ns=t_ns, operator="op", action="consent", track_id=track) for _, track in now]

    said: list[Message] = []
    for _, made in raid.batches(agreed):
        said += made
        for message in made:
            if isinstance(message, Decision) and message.code == "awaiting_consent":
                asked.append((message.t_ns + CONSENT_NS, message.track_id))
    return raid.truth(), said


def unengaged(truth: dict[str, Any]) -> dict[str, Any]:
    """Return the truth as it would have been had nobody fired."""
    rounds = [
        {**each, "fate": "impact", "impact_enu_m": each["unengaged_impact_enu_m"], "debris": []}
        for each in truth["rounds"]
    ]
    return {**truth, "rounds": rounds, "engagements": [], "own_debris": []}


def figures(book: Ledger, said: list[Message]) -> dict[str, float]:
    """Return the figures of one flight."""
    row = {name: float(figure(book)) for name, figure in FIGURES.items()}
    fired = [m for m in said if isinstance(m, Engagement) and m.state == "fired"]
    return row | {"rounds spent": float(sum(m.rounds for m in fired))}


def fly(args: argparse.Namespace) -> None:
    """Fly what is not in the file yet, and add it."""
    scenario = load_scenario(SCENARIO)
    known = {(row["raid"], row["case"]) for row in rows_of(args.out)} if args.out.exists() else set()
    began = time.monotonic()
    with args.out.open("a") as out:
        for k in range(args.first, args.first + args.raids):
            for case in args.cases:
                if (k, case) in known:
                    continue
                if args.minutes and time.monotonic() - began > 60.0 * args.minutes:
                    return
                truth, said = flown(perturbed(scenario, k), case)
                row = {"raid": k, "case": case, **figures(ledger(scenario.site, truth), said)}
                out.write(json.dumps(row) + "\n")
                if (k, "hold") not in known:
                    known.add((k, "hold"))
                    row = {"raid": k, "case": "hold", **figures(ledger(scenario.site, unengaged(truth)), [])}
                    out.write(json.dumps(row) + "\n")
                out.flush()
            print(f"raid {k} flown", file=sys.stderr, flush=True)


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a study, of a raid and a case the first."""
    rows: dict[tuple[int, str], dict[str, Any]] = {}
    for line in path.read_text().splitlines():
        if line.endswith("}"):  # a line that was broken off is flown again
            row = json.loads(line)
            rows.setdefault((row["raid"], row["case"]), row)
    return list(rows.values())


def interval(values: np.ndarray) -> str:
    """Return mean and half-width of the 95 % interval of the mean."""
    half = student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return f"{values.mean():.2f} ± {half:.2f}"


def table(path: Path) -> None:
    """Print what each case comes to over the raids that both it and the case before it have, and the difference."""
    rows = {(row["raid"], row["case"]): row for row in rows_of(path)}
    cases = list(dict.fromkeys(case for _, case in rows))
    pairs = [(a, b) for a in cases for b in cases if b == a.replace("site", "people", 1) != a]
    for site, people in pairs:
        raids = sorted(k for k, case in rows if case == people and (k, site) in rows)
        if not raids:
            continue
        print(f"\nn = {len(raids)} raids")
        print("| per raid | nobody fires |", " | ".join((site, people, f"{people} − {site}")), "|")
        print("|---|---|---|---|---|")
        for name in (*FIGURES, "rounds spent"):
            hold, a, b = (np.array([rows[k, case][name] for k in raids]) for case in ("hold", site, people))
            print(f"| {name} | {interval(hold)} | {interval(a)} | {interval(b)} | {interval(b - a)} |")


def main() -> None:
    """Fly raids, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raids", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="number of the first raid")
    parser.add_argument("--cases", nargs="+", default=["site", "people"])
    parser.add_argument("--minutes", type=float, default=0.0, help="fly no longer than this; 0: to the end")
    parser.add_argument("--out", type=Path, default=Path("policy-study.ndjson"), help="file of flights, added to")
    parser.add_argument("--table", type=Path, help="print the table of such a file, and fly nothing")
    args = parser.parse_args()
    if args.table is None:
        fly(args)
    table(args.table or args.out)


if __name__ == "__main__":
    main()
