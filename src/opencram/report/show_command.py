"""`opencram show`: one figure into a PNG, SVG or PDF file."""

import argparse
from pathlib import Path
from typing import Any, Final

from opencram.errors import FileError, UsageError

_SUFFIXES: Final = (".png", ".svg", ".pdf")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the figures and their options."""
    figures = parser.add_subparsers(title="figures", metavar="FIGURE", required=True, dest="figure")
    for name, text in (
        ("trajectory", "a flight in plan and profile"),
        ("footprint", "where thousands of such flights come down, with ellipses"),
    ):
        figure = figures.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        figure.add_argument("projectile", help='a generic projectile: "mortar-81mm", "shell-155mm", "rocket-122mm" …')
        figure.add_argument(
            "--elevation", type=float, default=50.0, metavar="DEG", help="above the horizon (default 50)"
        )
        figure.add_argument(
            "--azimuth", type=float, default=0.0, metavar="DEG", help="clockwise from north (default 0)"
        )
        figure.add_argument(
            "--speed", type=float, metavar="M_S", help="at the launch (default: the greatest of its kind)"
        )
        if name == "footprint":
            figure.add_argument("--samples", type=int, default=4096, metavar="N", help="flights (default 4096)")
        figure.add_argument("--site", metavar="SITE.toml", help="fly through its air and onto its ground")
        figure.add_argument("--out", required=True, metavar="FILE", help="what to write: .png, .svg or .pdf")
    air = figures.add_parser("atmosphere", help="air and wind by height", description="Air and wind by height.")
    air.add_argument("what", metavar="SITE.toml|WEATHER", help="a site file, or a weather file of any format")
    air.add_argument("--out", required=True, metavar="FILE", help="what to write: .png, .svg or .pdf")


def show(args: argparse.Namespace) -> Path:
    """Draw what the arguments ask for; return the file."""
    out = Path(args.out)
    if out.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"--out {args.out}: must end with {', '.join(_SUFFIXES)}")
    drawn = _atmosphere(args.what) if args.figure == "atmosphere" else _flight(args)
    try:
        drawn.savefig(out)
    except OSError as error:
        raise FileError(f"{out}: cannot be written ({error.strerror or error})") from error
    return out


def _flight(args: argparse.Namespace) -> Any:
    from opencram.config.site import load_site
    from opencram.report.show import footprint_figure, trajectory_figure

    site = load_site(args.site) if args.site else None
    options = {"speed_m_s": args.speed, "elevation_deg": args.elevation, "azimuth_deg": args.azimuth, "site": site}
    if args.figure == "footprint":
        return footprint_figure(args.projectile, samples=args.samples, **options)
    return trajectory_figure(args.projectile, **options)


def _atmosphere(what: str) -> Any:
    from opencram.config.site import load_site
    from opencram.report import show_weather

    if what.endswith(".toml"):
        return show_weather.figure(show_weather.site_atmosphere(load_site(what)))
    return show_weather.figure(show_weather.atmosphere(show_weather.load_profile(what), title=Path(what).name))
