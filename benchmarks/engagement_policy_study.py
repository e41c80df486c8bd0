"""What "site only" costs the neighbourhoods: perturbed raids under both policies and all modes, on the same luck.

    python benchmarks/engagement_policy_study.py --raids 1000 --out raids.ndjson [--sky helicopter] [--minutes 8]
    python benchmarks/engagement_policy_study.py --table raids.ndjson
    python benchmarks/engagement_policy_study.py --check 3

Raid k is the seven-rocket raid with every aim moved by its own draw and with its own seed for radars, effects and
debris; what stands in the case is all that differs between the columns, so that differences are paired.  A raid that
is in the file already is not flown again: a long study can be broken off and taken up.  Intervals are 95 %, by
Student's t over raids; those of shares by 2000 bootstrap samples of raids.

A case is a policy (`site`, `people`), after which may stand `consent` (an operator agrees 4 s after being asked),
`veto` (nobody objects) and `helicopter` (one crosses the line of fire under a rule of 400 m).  `hold` is what falls if
nobody fires; it is in the truth of every flight.
"""

import argparse
import functools
import json
import math
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

from engagement_together import CONSENT_NS, Flown, flown_together
from opencram.config.model import Policy, Rule, Site
from opencram.config.scenario import load_scenario
from opencram.config.scenario_model import EnuPlace, Scenario, Traffic
from opencram.earth.geodesy import Frame
from opencram.messages import Decision, Engagement, Message, Operator, Warning
from opencram.report.outcomes import corners_m, is_inside, ledger
from opencram.report.truth import time_ns
from opencram.runtime.configure import configure
from opencram.runtime.pipeline import PipelineConfig
from opencram.runtime.simulate import Raid

SCENARIO = Path(__file__).parent.parent / "examples" / "seven-rockets" / "scenario.toml"
AIM_M_STD = 150.0
LEAD_S, HAZARD_M = 10.0, 50.0
TAIL_NS = 5_000_000_000
_KEPT = Decision | Engagement | Warning
POLICIES = ("site", "people")
SKIES = {"clear": ("", "+consent", "+veto"), "helicopter": ("+helicopter",)}
CASES = [policy + more for policy in POLICIES for sky in SKIES.values() for more in sky]
FIGURES = {
    "hits inside": lambda made: sum(each.said == "hit inside" for each in made.outcomes),
    "hits outside": lambda made: sum(each.said == "hit outside" for each in made.outcomes),
    "burst in the air": lambda made: sum(each.said == "burst in the air" for each in made.outcomes),
    "intercepted, in pieces": lambda made: sum(each.said == "intercepted" for each in made.outcomes),
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


@functools.cache
def prepared(scenario: Path, case: str) -> tuple[Scenario, PipelineConfig]:
    """Return the scenario of a case ("people+consent+helicopter") and its configured pipeline."""
    found = load_scenario(scenario)
    protect, *more = case.split("+")
    mode = next((word for word in more if word in ("hold", "consent", "veto")), "automatic")
    if "helicopter" in more:
        found = with_helicopter(found)
    found = replace(found, site=replace(found.site, policy=Policy(protect=protect, mode=mode)))  # type: ignore[arg-type]
    return found, configure(found.site, closed_loop=True)


def flown(scenario: Scenario, config: PipelineConfig) -> Flown:
    """Return what one raid comes to in one case, flown by itself."""
    raid = Raid(scenario, config=config)
    asked: list[tuple[int, int]] = []

    def agreed(t_ns: int) -> list[Message]:
        now = [each for each in asked if each[0] <= t_ns]
        asked[:] = [each for each in asked if each[0] > t_ns]
        return [Operator(t_ns=t_ns, operator="op", action="consent", track_id=track) for _, track in now]

    said: list[Message] = []
    for _, made in raid.batches(agreed, tail_ns=TAIL_NS):
        said += made
        for message in made:
            if isinstance(message, Decision) and message.code == "awaiting_consent":
                asked.append((message.t_ns + CONSENT_NS, message.track_id))
    return Flown(raid.truth(), said)


def all_flown(k: int, sky: str) -> dict[str, Flown]:
    """Return what raid `k` comes to in each of the cases under a sky."""
    ready = {policy + more: prepared(SCENARIO, policy + more) for policy in POLICIES for more in SKIES[sky]}
    scenario = next(iter(ready.values()))[0]
    configs = {case: config for case, (_, config) in ready.items()}
    return flown_together(perturbed(scenario, k), configs, tail_ns=TAIL_NS)


def check(raids: int) -> None:
    """Assert that each case comes to the same by itself as together with the others."""
    for k in range(raids):
        for case, together in {case: each for sky in SKIES for case, each in all_flown(k, sky).items()}.items():
            scenario, config = prepared(SCENARIO, case)
            alone = flown(perturbed(scenario, k), config)
            assert [m for m in alone.said if isinstance(m, _KEPT)] == together.said, (k, case)
            for key in ("rounds", "engagements", "own_debris", "plots"):
                assert alone.truth[key] == together.truth[key], (k, case, key)
        print(f"raid {k}: the same alone and together in all {len(CASES)} cases", flush=True)


def unengaged(truth: dict[str, Any]) -> dict[str, Any]:
    """Return the truth as it would have been had nobody fired."""
    rounds = [
        {**each, "fate": "impact", "impact_enu_m": each["unengaged_impact_enu_m"], "debris": []}
        for each in truth["rounds"]
    ]
    return {**truth, "rounds": rounds, "engagements": [], "own_debris": []}


def figures(site: Site, truth: dict[str, Any], said: list[Message]) -> dict[str, float]:
    """Return the figures of one flight."""
    book = ledger(site, truth)
    row = {name: float(figure(book)) for name, figure in FIGURES.items()}
    fired = [m for m in said if isinstance(m, Engagement) and m.state == "fired"]
    warnings = [m for m in said if isinstance(m, Warning)]
    struck = blocks_struck(site, truth)
    early = [zone for zone, t_ns in struck.items() if standing_since(warnings, zone, t_ns) <= t_ns - LEAD_S * 1e9]
    return row | {
        "rounds spent": float(sum(m.rounds for m in fired)),
        "blocks alarmed": float(len({m.zone for m in warnings})),
        "blocks struck": float(len(struck)),
        "blocks warned in time": float(len(early)),
    }


def blocks_struck(site: Site, truth: dict[str, Any]) -> dict[str, int]:
    """Return the zones within whose hazard radius a round went off, and when the first did."""
    frame = Frame(site.latitude_rad, site.longitude_rad, site.height_m)
    corners = {zone.id: corners_m(site, frame, zone.polygon) for zone in site.zones}
    struck: dict[str, int] = {}
    for flown_round in truth["rounds"]:
        if flown_round["fate"] != "impact":
            continue
        east, north = flown_round["impact_enu_m"][:2]
        t_ns = time_ns(flown_round["impact_time"] or flown_round["intercept_time"]) or 0
        for zone, ring in corners.items():
            if distance_m((east, north), ring) <= HAZARD_M:
                struck[zone] = min(struck.get(zone, t_ns), t_ns)
    return struck


def standing_since(warnings: list[Warning], zone: str, t_ns: int) -> float:
    """Return since when the alarm of a zone that stands at a time has been in force; never: infinity."""
    since = math.inf
    for warning in warnings:
        if warning.zone == zone and warning.t_ns <= t_ns:
            if warning.state == "issued":
                since = warning.t_ns
            elif warning.state != "updated":
                since = math.inf
    return since


def distance_m(point: tuple[float, float], ring: tuple[tuple[float, float], ...]) -> float:
    """Return the distance of a point from a polygon, 0 inside."""
    if is_inside(point, ring):
        return 0.0
    nearest = math.inf
    for (x0, y0), (x1, y1) in zip(ring, (*ring[1:], ring[0]), strict=True):
        along = ((point[0] - x0) * (x1 - x0) + (point[1] - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2)
        along = min(max(along, 0.0), 1.0)
        nearest = min(nearest, math.hypot(point[0] - x0 - along * (x1 - x0), point[1] - y0 - along * (y1 - y0)))
    return nearest


def fly(args: argparse.Namespace) -> None:
    """Fly what is not in the file yet, and add it."""
    known = {(row["raid"], row["sky"]) for row in rows_of(args.out)} if args.out.exists() else set()
    began = time.monotonic()
    with args.out.open("a") as out:
        for k in range(args.first, args.first + args.raids):
            if (k, args.sky) in known:
                continue
            if args.minutes and time.monotonic() - began > 60.0 * args.minutes:
                return
            made = all_flown(k, args.sky)
            site = prepared(SCENARIO, "site")[0].site
            rows = {case: figures(site, each.truth, each.said) for case, each in made.items()}
            first = next(iter(made.values()))
            warnings = [m for m in first.said if isinstance(m, Warning)]
            rows["hold"] = figures(site, unengaged(first.truth), warnings)
            out.write(json.dumps({"raid": k, "sky": args.sky, "cases": rows}) + "\n")
            out.flush()
            if k % 25 == 24:
                print(f"raid {k} flown", file=sys.stderr, flush=True)


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a study, of each raid and sky the first."""
    rows: dict[tuple[int, str], dict[str, Any]] = {}
    for line in path.read_text().splitlines():
        if line.endswith("}"):  # a line that was broken off is flown again
            row = json.loads(line)
            rows.setdefault((row["raid"], row["sky"]), row)
    return list(rows.values())


def interval(values: np.ndarray) -> str:
    """Return mean and half-width of the 95 % interval of the mean."""
    half = student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return f"{values.mean():.2f} ± {half:.2f}"


def share(above: np.ndarray, below: np.ndarray) -> str:
    """Return the share over all raids, in per cent, with its 95 % interval by bootstrap over raids."""
    draws = np.random.default_rng(0).integers(0, len(above), (2000, len(above)))
    low, high = np.percentile(above[draws].sum(axis=1) / below[draws].sum(axis=1), [2.5, 97.5])
    return f"{100.0 * above.sum() / below.sum():.2f} % [{100.0 * low:.2f}, {100.0 * high:.2f}]"


def table(path: Path) -> None:
    """Print what each case comes to, and the paired differences: under each sky, and between the two."""
    clear, helicopter = (
        {row["raid"]: row["cases"] for row in rows_of(path) if row["sky"] == sky} for sky in ("clear", "helicopter")
    )
    if clear:
        modes = SKIES["clear"]
        pairs = [(f"site{more}", f"people{more}") for more in modes]
        pairs += [(policy, policy + more) for policy in POLICIES for more in modes[1:]]
        print_table("clear sky", [clear[k] for k in sorted(clear)], pairs)
    both = sorted(clear.keys() & helicopter.keys())
    if both:
        pairs = [("site+helicopter", "people+helicopter")]
        pairs += [(policy, f"{policy}+helicopter") for policy in POLICIES]
        print_table("raids flown under both skies", [{**helicopter[k], **clear[k]} for k in both], pairs)


def print_table(title: str, rows: list[dict[str, dict[str, float]]], pairs: list[tuple[str, str]]) -> None:
    """Print each case over these raids, and the differences of these pairs."""
    cases = ["hold", *(case for case in CASES if any(case in pair for pair in pairs))]
    names = [*FIGURES, "rounds spent", "blocks alarmed"]
    values = {case: {name: np.array([row[case][name] for row in rows]) for name in rows[0][case]} for case in cases}
    print(f"\n{title}, n = {len(rows)} raids; mean a raid, and half the width of its 95 % interval\n")
    print("| |", " | ".join(cases), "|\n|---|" + "---|" * len(cases))
    for name in names:
        print(f"| {name} |", " | ".join(interval(values[case][name]) for case in cases), "|")
    early = [share(values[case]["blocks warned in time"], values[case]["blocks struck"]) for case in cases]
    print(f"| blocks struck that were warned {LEAD_S:.0f} s ahead |", " | ".join(early), "|")
    print("\npaired differences\n\n| |", " | ".join(f"{b} − {a}" for a, b in pairs), "|\n|---|" + "---|" * len(pairs))
    for name in names:
        print(f"| {name} |", " | ".join(interval(values[b][name] - values[a][name]) for a, b in pairs), "|")


def main() -> None:
    """Fly raids, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raids", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="number of the first raid")
    parser.add_argument("--sky", choices=tuple(SKIES), default="clear")
    parser.add_argument("--check", type=int, default=0, help="compare so many raids with their cases flown one by one")
    parser.add_argument("--minutes", type=float, default=0.0, help="fly no longer than this; 0: to the end")
    parser.add_argument("--out", type=Path, default=Path("policy-study.ndjson"), help="file of flights, added to")
    parser.add_argument("--table", type=Path, help="print the table of such a file, and fly nothing")
    args = parser.parse_args()
    if args.check:
        check(args.check)
        return
    if args.table is None:
        fly(args)
    table(args.table or args.out)


if __name__ == "__main__":
    main()
