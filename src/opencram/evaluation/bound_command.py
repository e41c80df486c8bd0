"""`opencram bound`: how well any tracker could know an impact, as a table, JSON and a figure."""

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from opencram.errors import FileError, UsageError

if TYPE_CHECKING:
    from opencram.evaluation.cases import Case

_SUFFIXES: Final = (".png", ".svg", ".pdf")
_NUMBER_WIDTH: Final = 9


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "what",
        nargs="?",
        metavar="SITE.toml|SCENARIO.toml",
        help="the radars, and with a scenario the rounds (default: the standard case of the documentation)",
    )
    parser.add_argument(
        "--projectile", metavar="NAME", help='with a site: a generic projectile, "mortar-120mm" (see opencram show)'
    )
    parser.add_argument("--launch", type=_pair, metavar="E,N", help="with a site: where it leaves, metres of the site")
    parser.add_argument("--aim", type=_pair, metavar="E,N", help="where it comes down (default 0,0)")
    parser.add_argument("--elevation", type=float, metavar="DEG", help="of the launch (default 45; mortars 65)")
    parser.add_argument(
        "--ages", type=_ages, metavar="S,S,…", help="seconds of track (default 3,5,8,12,20)", default=(3, 5, 8, 12, 20)
    )
    parser.add_argument("--wind-std", type=float, default=5.0, metavar="M_S", help="unknown wind (default 5)")
    parser.add_argument(
        "--drift",
        type=_drift,
        metavar="M,MRAD,S",
        help="slow errors of every radar beside the white ones: range, angles, time constant (inf: a bias)",
    )
    parser.add_argument("--out", metavar="FILE", help="draw it: .png, .svg or .pdf")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def run(args: argparse.Namespace, stderr: TextIO) -> str | dict[str, Any]:
    """Return the table, or what becomes JSON; write the figure if one is wanted."""
    if args.out is not None and Path(args.out).suffix.lower() not in _SUFFIXES:
        raise UsageError(f"--out {args.out}: must end with {', '.join(_SUFFIXES)}")
    if not 0.0 <= args.wind_std <= 100.0:
        raise UsageError(f"--wind-std {args.wind_std:g}: must be 0 to 100 m/s")
    from opencram.evaluation import cases

    found = [cases.worked(case, args.ages) for case in _cases(args, stderr)]
    if args.out is not None:
        from opencram.evaluation.bound_figure import bound_figure

        try:
            bound_figure(found).savefig(args.out)
        except OSError as error:
            raise FileError(f"{args.out}: cannot be written ({error.strerror or error})") from error
    if args.json:
        return {"figure": args.out, "bounds": [each.as_json() for each in found]}
    lines = [line for each in found for line in (*each.lines(), "")]
    return "\n".join([*lines, f"Figure: {args.out}"] if args.out else lines[:-1])


def _cases(args: argparse.Namespace, stderr: TextIO) -> "list[Case]":
    from opencram.evaluation import cases
    from opencram.runtime.shell import warm

    given = [name for name in ("projectile", "launch", "aim", "elevation") if getattr(args, name) is not None]
    if args.what is None:
        if given:
            raise UsageError(f"--{given[0]} needs a site file: opencram bound SITE.toml --{given[0]} …")
        warm(stderr, simulation=True)
        return [cases.standard_case(drift=args.drift)]
    if cases.is_scenario(args.what):
        if given:
            raise UsageError(f"--{given[0]}: a scenario says itself what flies; give a site file instead")
        warm(stderr, simulation=True)
        return cases.scenario_cases(args.what, wind_m_s_std=args.wind_std, drift=args.drift)
    if args.projectile is None or args.launch is None:
        raise UsageError("with a site give both --projectile and --launch: --projectile mortar-120mm --launch 3000,900")
    warm(stderr, simulation=True)
    return [
        cases.site_case(
            args.what,
            args.projectile,
            launch_m=args.launch,
            aim_m=args.aim or (0.0, 0.0),
            elevation_deg=args.elevation,
            wind_m_s_std=args.wind_std,
            drift=args.drift,
        )
    ]


def _numbers(text: str, count: int | None, what: str) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: give {what}") from error
    if any(math.isnan(value) for value in values) or (count is not None and len(values) != count):
        raise argparse.ArgumentTypeError(f"{text!r}: give {what}")
    return values


def _pair(text: str) -> tuple[float, float]:
    east, north = _numbers(text, 2, "metres east and north, say 3000,-2000")
    if not max(abs(east), abs(north)) <= 60_000.0:
        raise argparse.ArgumentTypeError(f"{text!r}: must lie within 60 km")
    return east, north


def _ages(text: str) -> tuple[float, ...]:
    ages = _numbers(text, None, "seconds of track, say 3,5,8")
    if not all(0.0 <= age <= 300.0 for age in ages) or not len(ages) <= 50:
        raise argparse.ArgumentTypeError(f"{text!r}: give at most 50 times of 0 to 300 s")
    return tuple(sorted(ages))


def _drift(text: str) -> tuple[float, float, float]:
    range_m, angle_mrad, time_s = _numbers(text, 3, "metres, milliradians and seconds, say 3,1,2")
    if not (0.0 <= range_m <= 1000.0 and 0.0 <= angle_mrad <= 100.0 and time_s > 0.0):
        raise argparse.ArgumentTypeError(f"{text!r}: give 0 to 1000 m, 0 to 100 mrad, and seconds over 0")
    return range_m, angle_mrad * 1e-3, time_s
