"""`opencram plan`: where nobody is warned in time, and where the next radar and siren should stand."""

import argparse
from pathlib import Path
from typing import Any, TextIO

from opencram.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `opencram plan` takes."""
    parser.add_argument("plan", metavar="PLAN.toml", help="a plan, or a site file with [[threat]] tables in it")
    parser.add_argument(
        "--threat",
        action="append",
        default=[],
        metavar="CLASS:AZIMUTH:RANGE",
        help="rounds come from here too: rocket, mortar or shell, degrees from north, metres from the site",
    )
    parser.add_argument("--radars", type=int, default=0, metavar="N", help="place N more radars among the candidates")
    parser.add_argument("--sirens", type=int, default=0, metavar="N", help="place N more sirens among the candidates")
    parser.add_argument("--check", action="store_true", help="compare with exhaustive search (few candidates)")
    parser.add_argument("--step", type=float, metavar="M", help="side of a cell, instead of the file's")
    parser.add_argument("--out", action="append", default=[], metavar="FILE", help="write .tif, .geojson or .png")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def run(args: argparse.Namespace, stderr: TextIO) -> str | dict[str, Any]:
    """Work the plan out, write what is asked for, return words or what becomes JSON."""
    from opencram.config.plan import load_plan
    from opencram.runtime.progress import bar
    from opencram.runtime.shell import warm
    from opencram.siting.output import SUFFIXES, as_json, lines, write
    from opencram.siting.planning import with_step, work_out

    for option, value in (("--radars", args.radars), ("--sirens", args.sirens)):
        if value < 0:
            raise UsageError(f"{option} {value}: must be at least 0")
    if args.step is not None and not args.step > 0.0:
        raise UsageError(f"--step {args.step:g}: must be over 0")
    for path in map(Path, args.out):
        if path.suffix.lower() not in SUFFIXES:
            raise UsageError(f"--out {path}: must end with {', '.join(SUFFIXES)}")
    file = load_plan(args.plan, args.threat)
    file = file if args.step is None else with_step(file, args.step)
    warm(stderr, simulation=True)
    with bar("flights", stderr) as tell:
        plan = work_out(file, radars=args.radars, sirens=args.sirens, check=args.check, tell=tell)
    written = [str(write(plan, Path(path))) for path in args.out]
    if args.json:
        return as_json(plan) | {"outputs": written}
    return "\n".join([*lines(plan), *(f"Written: {path}" for path in written)])
