"""How the program does on raids that it was not tuned on: a table by kind of trouble, with 95 % intervals.

    python benchmarks/unseen_raids.py [--raids N] [--seed S] [--only WORD] [--keep FOLDER]

Raids by a truth model that shares no code with the program (`tests/unseen`), through `opencram process`, scored by
`tests/scoring.py`.  Columns: rounds; without a track; false projectile tracks; further tracks on the same round;
swapped or not followed to the end; seconds from the third plot to confirmation (median, worst); 5, 8 and 12 s after
the first plot and 3 s before the impact: median impact error (m), root mean square of errors over claimed
deviations (1 is honest), share of 95 % ellipses that hold the impact; zones struck that were warned 10 s ahead;
rounds with more than four zones in alarm 5 s before impact (blocks of 350 m: four meet at a corner); tracks without a
reasoned decision.
"""

import argparse
import contextlib
import io
import math
import statistics
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "tests" / part) for part in ("", "unseen")]

import scoring  # noqa: E402
from opencram.cli import main as opencram  # noqa: E402
from unseen_raids import STRATA, Stratum, write_raid  # noqa: E402

AGES_S = (5.0, 8.0, 12.0, None)  # None: three seconds before the impact


def wilson(held: int, count: int) -> str:
    """Return a share with its 95 % interval (Wilson, 1927)."""
    if not count:
        return "–"
    z, share = 1.96, held / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return f"{share:.2f} [{middle - half:.2f}–{middle + half:.2f}]"


def judge(stratum: Stratum, seeds: range, folder: Path) -> list[scoring.Score]:
    """Return the score of each raid of a stratum."""
    scores = []
    for seed in seeds:
        place = folder / f"{STRATA.index(stratum):02d}-{seed}"
        site, plots, truth = write_raid(stratum, seed, place)
        events = place / "events.ndjson"
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            code = opencram(["process", str(site), "--plots", str(plots), "--events", str(events)])
        assert code == 0, f"{place}: exit code {code}"
        scores.append(scoring.score_files(site, plots, truth, events))
    return scores


def row(stratum: Stratum, scores: list[scoring.Score]) -> str:
    """Return the line of a stratum."""
    rounds = [each for one in scores for each in one.rounds]
    found = [each for each in rounds if each.track is not None]
    confirmed = [each.confirm_s for each in found if each.confirm_s is not None]
    cells = [
        str(len(rounds)),
        str(len(rounds) - len(found)),
        str(sum(len(one.false_tracks) for one in scores)),
        str(sum(len(one.duplicates) for one in scores)),
        str(sum(not each.to_the_end for each in found)),
        f"{statistics.median(confirmed):.1f}, {max(confirmed):.1f}" if confirmed else "–",
    ]
    for age_s in AGES_S:
        known = [p for each in rounds if (p := each.impact_before if age_s is None else each.impact_at_s[age_s])]
        if not known:
            cells.append("–")
            continue
        spread = math.sqrt(statistics.fmean(min(p.chi2, 100.0) for p in known) / 2.0)
        held = wilson(sum(p.inside_95 for p in known), len(known))
        cells.append(f"{statistics.median(p.error_m for p in known):.0f} m, ×{spread:.2f}, {held}")
    leads = [lead for each in rounds for lead in each.warned_s.values()]
    cells.append(f"{sum(lead is not None and lead >= 10.0 for lead in leads)}/{len(leads)}")
    cells.append(str(sum(len(each.zones_in_alarm) > 4 for each in rounds)))
    cells.append(str(sum(len(one.undecided_tracks) for one in scores)))
    return f"| {stratum.name} | " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raids", type=int, default=20, help="of each stratum")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="strata with this word in their name")
    parser.add_argument("--keep", type=Path, help="folder that keeps the files of every raid")
    chosen = parser.parse_args()
    print(f"{chosen.raids} raids a stratum, seeds from {chosen.seed}\n")
    names = "rounds, lost, false, double, not to the end, confirmed (s), 5 s, 8 s, 12 s, −3 s, warned ≥ 10 s, > 4 zones"
    print("| |", " | ".join([*names.split(", "), "undecided"]), "|")
    print("|---|" + "---:|" * 13)
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.keep or Path(temporary)
        for stratum in STRATA:
            if chosen.only in stratum.name:
                print(row(stratum, judge(stratum, range(chosen.seed, chosen.seed + chosen.raids), folder)), flush=True)


if __name__ == "__main__":
    main()
