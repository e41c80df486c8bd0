"""The arguments of `opencram serve`; what they ask for is done in `display.run`."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opencram.display.run import Options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument(
        "what",
        metavar="RECORDING|SCENARIO.toml|SITE.toml",
        help="what to show; a site with feeds: what `opencram live` does with it, beside which this runs",
    )
    parser.add_argument("--plots", metavar="FILE", help="with a site: plots as they come; - is standard input")
    parser.add_argument("--recording", metavar="FILE", help="with a scenario or a site: write the log")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8700, help="port to listen on (default 8700)")
    parser.add_argument(
        "--mode",
        choices=("simulation", "exercise", "test", "actual"),
        help="what the top of the screen says (default: simulation, or test where plots are processed)",
    )
    parser.add_argument(
        "--tokens",
        metavar="FILE",
        help='who may look: lines "operator TOKEN" or "viewer TOKEN"; needed beyond loopback',
    )
    parser.add_argument("--paused", action="store_true", help="begin a replay paused")
    parser.add_argument(
        "--basemap", metavar="FILE", help="PMTiles or GeoTIFF to lay under the map, whatever the site says"
    )
    parser.add_argument("--log", metavar="FOLDER", help="with a live site: another log of it, such as that of a drill")
    parser.add_argument(
        "--certificate", metavar="FILE", help="with --key: serve by HTTPS (default of a live site: its own)"
    )
    parser.add_argument("--key", metavar="FILE", help="the key of --certificate")


def options_of(args: argparse.Namespace) -> "Options":
    """Return what the command line asks for."""
    from opencram.display.run import Options

    return Options(
        plots=args.plots, recording=args.recording, host=args.host, port=args.port, mode=args.mode,
        tokens=args.tokens, paused=args.paused, basemap=args.basemap, log=args.log,
        certificate=args.certificate, key=args.key,
    )  # fmt: skip
