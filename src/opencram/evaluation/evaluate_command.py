"""`opencram evaluate`: how good predictions were on a recording or a file of plots, as table, JSON and figure."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from opencram.errors import FileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opencram.evaluation.run import Row
    from opencram.evaluation.scoring import Scored

_SUFFIXES: Final = (".png", ".svg", ".pdf")
_REFUSALS: Final = 5  # kinds that the table names
_MATCHED: Final = "came down within 1500 m and 8 s of where and when a track was to land; the others are not compared"
_ASIDE_S: Final = 0.2  # of one class from the next, in the figure
_COLOURS: Final = {"mortar": "#1f6feb", "rocket": "#c2410c", "shell": "#15803d", "all": "#1f2933"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("what", metavar="RECORDING|SITE.toml", help="a recording, or a site file with --plots")
    parser.add_argument("--plots", metavar="FILE", help="with a site: plots, .ndjson, .csv or any format of process")
    parser.add_argument("--columns", metavar="MAP.toml", help="names and units of the columns of a CSV file")
    parser.add_argument("--truth", metavar="FILE", help="a truth file: where the rounds really came down")
    parser.add_argument(
        "--horizons", type=_horizons, default=(5.0, 10.0, 15.0, 20.0), metavar="S,S,…", help="default 5,10,15,20"
    )
    parser.add_argument("--out", metavar="FILE", help="draw it: .png, .svg or .pdf")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def run(args: argparse.Namespace, stderr: TextIO) -> str | dict[str, Any]:
    """Return the table, or what becomes JSON; write the figure if one is wanted."""
    if args.out is not None and Path(args.out).suffix.lower() not in _SUFFIXES:
        raise UsageError(f"--out {args.out}: must end with {', '.join(_SUFFIXES)}")
    from opencram.evaluation.scoring import scored

    found = scored(
        args.what, args.plots, columns=args.columns, truth=args.truth, horizons_s=args.horizons, stderr=stderr
    )
    table = found.rows
    if args.out is not None:
        try:
            figure(table, args.plots or args.what).savefig(args.out)
        except OSError as error:
            raise FileError(f"{args.out}: cannot be written ({error.strerror or error})") from error
    counts = {
        "plots": found.plots, "refused": found.refused, "tracks": found.tracks, "projectiles": found.projectiles,
    }  # fmt: skip
    if args.json:
        return {
            "figure": args.out,
            **counts,
            "impacts_against": found.impacts_against,
            "truth_rounds": found.truth_rounds,
            "truth_matched": found.truth_matched,
            "refusals": [{"count": count, "first": first} for count, first in found.refusals],
            "rows": [row.as_json() for row in table],
        }
    return "\n".join(_lines(found, args.truth is not None, args.out))


def _horizons(text: str) -> tuple[float, ...]:
    try:
        values = tuple(sorted(float(part) for part in text.split(",")))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: give seconds, say 5,10,20") from error
    if not all(0.0 < value <= 120.0 for value in values) or len(values) > 20:
        raise argparse.ArgumentTypeError(f"{text!r}: give at most 20 times of over 0 to 120 s")
    return values


def _lines(found: "Scored", with_truth: bool, out: str | None) -> list[str]:
    table = found.rows
    lines = [
        f"{found.plots} plots, {found.refused} refused; {found.tracks} confirmed tracks, "
        f"{found.projectiles} of them projectiles with something to compare"
    ]
    lines += [f"Refused: {count}, the first: {first}" for count, first in found.refusals[:_REFUSALS]]
    if found.truth_rounds is not None:
        lines.append(f"Truth: {found.truth_matched} of {found.truth_rounds} rounds {_MATCHED}")
    titles = {
        "ahead": "Position ahead, against the track's own later plots",
        "impact": "Impact, against the truth file"
        if with_truth
        else "Impact, against the last prediction of the track",
    }
    for kind, title in titles.items():
        part = [row for row in table if row.kind == kind]
        if not part:
            continue
        when = "seconds ahead" if kind == "ahead" else "seconds before"
        lines += ["", title, f"class    {when:>14}  tracks  samples  median m    90 % m  in 95 % region"]
        lines += [
            f"{row.class_name:8} {row.horizon_s:14g}  {row.tracks:6}  {row.samples:7}  {row.median_m:8.1f}  "
            f"{row.most_m:8.1f}  {row.held.share:.3f} [{row.held.low:.3f}, {row.held.high:.3f}]"
            for row in part
        ]
    if not table:
        lines.append("Nothing to compare: no track of a projectile lasted long enough.")
    return lines + ([f"Figure: {out}"] if out else [])


def figure(table: "Sequence[Row]", name: str) -> Any:
    """Return a Matplotlib figure: errors and containment by horizon, for positions ahead and for impacts."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError("plots need Matplotlib: pip install 'opencram[plots]'") from error
    drawn = Figure(figsize=(11.0, 7.0), layout="constrained")
    axes = drawn.subplots(2, 2, sharex="col")
    for column, kind in enumerate(("ahead", "impact")):
        errors, held = axes[0][column], axes[1][column]
        part = [row for row in table if row.kind == kind]
        _draw(errors, held, part)
        held.axhline(0.95, color="#64748b", lw=1, ls=":")
        held.set_ylim(max(min((row.held.low for row in part), default=0.0) - 0.05, 0.0), 1.03)
        held.set_ylabel("share in the 95 % region")
        errors.set_ylabel("error, m")
        errors.set_title("position ahead, 3-D" if kind == "ahead" else "impact, level")
        held.set_xlabel("seconds ahead" if kind == "ahead" else "seconds before the impact")
        for each in (errors, held):
            each.grid(which="both", alpha=0.2)
            if not part:
                each.text(0.5, 0.5, "nothing to compare", transform=each.transAxes, ha="center", color="#64748b")
    drawn.suptitle(f"Predictions on {Path(name).name}", color="#1f2933")
    return drawn


def _draw(errors: Any, held: Any, table: "Sequence[Row]") -> None:
    """Draw the classes side by side, so that none hides another."""
    names = list(dict.fromkeys(row.class_name for row in table))
    for place, name in enumerate(names):
        part = [row for row in table if row.class_name == name]
        colour = _COLOURS.get(name, "#64748b")
        x = [row.horizon_s + _ASIDE_S * (place - (len(names) - 1) / 2.0) for row in part]
        errors.plot(x, [row.median_m for row in part], "o-", color=colour)
        errors.plot(x, [row.most_m for row in part], "^--", lw=1, color=colour)
        bars = [[max(row.held.share - row.held.low, 0.0) for row in part],
                [max(row.held.high - row.held.share, 0.0) for row in part]]  # fmt: skip
        label = f"{name}, {max(row.tracks for row in part)} tracks"
        held.errorbar(x, [row.held.share for row in part], bars, fmt="o", capsize=3, color=colour, label=label)
    if table:
        errors.set_yscale("log")
        held.legend(fontsize=8, loc="lower left", title="bars: 95 % interval, tracks counted", title_fontsize=8)
        errors.plot([], [], "o-", color="#64748b", label="median")
        errors.plot([], [], "^--", lw=1, color="#64748b", label="90 % err less")
        errors.legend(fontsize=8)
