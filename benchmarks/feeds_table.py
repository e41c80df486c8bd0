"""The example raids sent in every format: a table of what the pipeline makes of each, beside `process`.

python benchmarks/feeds_table.py [mortars seven-rockets ripple-24]
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "feeds"))

from raids import RAIDS, apart_m, apart_s, outcomes, pairs


def main() -> None:
    print("| raid | format | plots | rejected | rounds | same decision | impact moved, median / worst (m) | in its "
          "deviations, worst | impact time moved, worst (s) | zones warned | first warning moved (s) |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for raid in sys.argv[1:] or RAIDS:
        found = outcomes(raid)
        original = found["process"]
        for form, other in found.items():
            both = [(a, b) for a, b in pairs(original, other) if b is not None]
            moved = sorted(apart_m(a, b) for a, b in both)
            shares = max((apart_m(a, b) / max(a.deviation_m, 1e-3) for a, b in both), default=0.0)
            late = max((apart_s(a, b) for a, b in both), default=0.0)
            same = sum(a.action == b.action for a, b in both)
            zones = "same" if other.zones == original.zones else f"{len(other.zones)} for {len(original.zones)}"
            first = ((other.first_warning_t_ns or 0) - (original.first_warning_t_ns or 0)) * 1e-9
            middle = moved[len(moved) // 2] if moved else 0.0
            print(
                f"| {raid} | {form} | {other.plots} | {other.rejected} | {len(other.rounds)} | {same} of "
                f"{len(original.rounds)} | {middle:.2f} / {max(moved, default=0.0):.2f} | {shares:.2f} | {late:.3f} | "
                f"{zones} ({len(other.zones)}) | {first:+.3f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
