"""The seven-rocket raid under both policies, three modes, and with a helicopter passing: reports and one page.

    python benchmarks/engagement_cases.py --out cases [--language fr]

Each of the twelve cases gets a folder with its own scenario and site file, recording, truth and after-action report
(`opencram explain cases/people-consent/raid.opencram 3` tells of one round).  `cases/index.html` shows them side by
side: what was warned and when, what was engaged and why, what fell where and what it cost.  Where consent is asked for,
an operator gives it 4 s later; nobody vetoes.  All cases meet the same raid with the same luck.
"""

import argparse
import itertools
import math
import sys
from importlib.resources import files
from pathlib import Path

from opencram.config.scenario import load_scenario
from opencram.messages import Decision, Engagement, Message, Operator
from opencram.recording import Writer, write_truth
from opencram.report.after_action import write_report
from opencram.report.became import fell_picture
from opencram.report.catalogue import CATALOGUES, Catalogue
from opencram.report.facts import Facts, gather
from opencram.report.markup import Markup, el, join
from opencram.report.outcomes import SAID
from opencram.report.tables import Column, table
from opencram.runtime.header import header
from opencram.runtime.simulate import Raid

EXAMPLE = Path(__file__).parent.parent / "examples" / "seven-rockets"
POLICIES, MODES, SKIES = ("site", "people"), ("automatic", "consent", "veto"), ("clear", "helicopter")
CONSENT_NS, TAIL_NS = 4_000_000_000, 5_000_000_000
RULE = '\n[[rule]]\nid = "medevac"\nkind = "friendly_tracks"\ndistance_m = 400.0\n'
TRAFFIC = """
[[traffic]]                      # a helicopter that crosses the line of fire
name = "medevac"
class = "aircraft"
speed_m_s = 50.0
waypoints_m = [[700.0, -1400.0, 160.0], [700.0, 2200.0, 160.0]]
"""


def write_case(folder: Path, policy: str, mode: str, sky: str) -> Path:
    """Write the scenario and the site file of a case; return the scenario."""
    folder.mkdir(parents=True, exist_ok=True)
    site = (EXAMPLE / "site.toml").read_text().replace('protect = "site"', f'protect = "{policy}"')
    site = site.replace('mode = "automatic"', f'mode = "{mode}"')
    scenario = (EXAMPLE / "scenario.toml").read_text()
    if sky == "helicopter":
        site, scenario = site + RULE, scenario + TRAFFIC
    (folder / "site.toml").write_text(site)
    (folder / "scenario.toml").write_text(scenario)
    return folder / "scenario.toml"


def fly(path: Path, language: str) -> Facts:
    """Fly a case; leave its recording, truth and report beside it, and return its facts."""
    scenario = load_scenario(path)
    raid = Raid(scenario)
    asked: list[tuple[int, int]] = []

    def agreed(t_ns: int) -> list[Message]:
        now = [each for each in asked if each[0] <= t_ns]
        asked[:] = [each for each in asked if each[0] > t_ns]
        return [Operator(t_ns=t_ns, operator="op", action="consent", track_id=track) for _, track in now]

    head = header(scenario.site, scenario.start_t_ns, "simulation", scenario_sha256=scenario.sha256, seed=scenario.seed)
    recording = path.with_name("raid.opencram")
    recording.unlink(missing_ok=True)
    heard: list[Message] = [head]
    with Writer(recording, head) as writer:
        for batch, made in raid.batches(agreed, tail_ns=TAIL_NS):
            writer.append(batch, direction="in")
            writer.append(made, direction="out")
            heard += [*batch, *made]
            asked += [
                (m.t_ns + CONSENT_NS, m.track_id)
                for m in made
                if isinstance(m, Decision) and m.code == "awaiting_consent"
            ]
    truth = raid.truth()
    write_truth(recording, truth)
    write_report(heard, path.with_name("report.html"), truth=truth, language=language)
    return gather(heard, truth)


def index(cases: dict[str, Facts], say: Catalogue) -> str:
    """Return the page that shows the cases side by side."""
    style = Markup(files("opencram.report").joinpath("style.css").read_text(encoding="utf-8"))
    body = [
        el("header", el("h1", "Seven rockets: two policies, three modes, a helicopter"), class_="masthead"),
        el("section", el("h2", say("became.title")), outcome_table(cases, say)),
        el("section", el("h2", say("section.decisions")), reason_table(cases, say)),
        el("section", el("h2", say("section.zones")), warning_table(cases, say)),
        el("section", el("h2", say("became.map")), el("div", *pictures(cases, say), class_="cases")),
    ]
    more = Markup(".cases{display:grid;grid-template-columns:repeat(3,1fr);gap:18px}.cases figure{break-inside:avoid}")
    head = el("head", el("meta", charset="utf-8"), el("title", "Seven rockets"), el("style", join(style, more)))
    return f"<!doctype html>\n{el('html', head, el('body', *body), lang=say.language, dir=say.direction)}\n"


def link(name: str) -> Markup:
    """Return a link to the report of a case."""
    return el("a", name, href=f"{name}/report.html")


def outcome_table(cases: dict[str, Facts], say: Catalogue) -> Markup:
    """Return what the rounds came to, and the cost, of each case."""
    names = [say("col.shots"), say("col.spent"), say("became.outside", inside="…"), say("became.under_debris")]
    columns = [Column(""), *(Column(say(f"became.{said}"), is_number=True) for said in SAID[:5])]
    columns += [Column(name, is_number=True) for name in (*names, say("became.under_rounds", radius="50 m"))]
    rows = []
    for name, facts in cases.items():
        book = facts.ledger
        assert book is not None, "a simulation leaves its truth"
        counts = [f"{book.count(said)}" for said in SAID[:5]]
        counts += [f"{book.engagements}", f"{book.rounds_spent}", f"{book.debris_outside}"]
        rows.append([link(name), *counts, f"{book.people_under_debris:.2f}", f"{book.people_under_rounds:.1f}"])
    return table(say("became.title"), columns, rows)


def reason_table(cases: dict[str, Facts], say: Catalogue) -> Markup:
    """Return what was done about each round that was engaged, or that the policy would have met, and why."""
    columns = [Column(""), Column(say("col.track")), Column(say("col.action")), Column(say("col.reason"), wide=True)]
    rows = []
    for name, facts in cases.items():
        for track in facts.projectiles:
            word = track.decision
            if word is None or (word.action == "ignore" and not track.engaged):
                continue
            rows.append(
                [link(name), f"{track.track_id}", say(f"action.{word.action}"), say.logged(word.reason, word.reasons)]
            )
    return table(say("section.decisions"), columns, rows)


def warning_table(cases: dict[str, Facts], say: Catalogue) -> Markup:
    """Return how many zones were warned, how many of them were struck, and how early those were warned."""
    columns = [Column(""), *(Column(say(f"col.{name}"), is_number=True) for name in ("zone", "alarm", "lead"))]
    rows = []
    for name, facts in cases.items():
        alarmed = [zone for zone in facts.zones if zone.alarms]
        leads = [zone.lead_s for zone in alarmed if zone.lead_s is not None and math.isfinite(zone.lead_s)]
        rows.append([link(name), f"{len(facts.zones)}", f"{len(alarmed)}", f"≥ {min(leads):.1f} s" if leads else "–"])
    return table(say("section.zones"), columns, rows)


def pictures(cases: dict[str, Facts], say: Catalogue) -> list[Markup]:
    """Return what fell where in each case."""
    made = []
    for number, (name, facts) in enumerate(cases.items()):
        assert facts.ledger is not None, "a simulation leaves its truth"
        picture = fell_picture(facts, facts.ledger, say, name=f"fell-{number}")
        made.append(el("figure", picture, el("figcaption", link(name))))
    return made


def main() -> None:
    """Fly the cases, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("cases"))
    parser.add_argument("--language", choices=tuple(CATALOGUES), default="en")
    args = parser.parse_args()
    cases = {}
    for sky, policy, mode in itertools.product(SKIES, POLICIES, MODES):
        name = f"{policy}-{mode}" + ("-helicopter" if sky == "helicopter" else "")
        cases[name] = fly(write_case(args.out / name, policy, mode, sky), args.language)
        shots = [s for t in cases[name].projectiles for s in t.engagements if isinstance(s, Engagement)]
        print(f"{name}: {sum(s.state == 'fired' for s in shots)} shots", file=sys.stderr, flush=True)
    (args.out / "index.html").write_text(index(cases, CATALOGUES[args.language]), encoding="utf-8")
    print(args.out / "index.html")


if __name__ == "__main__":
    main()
