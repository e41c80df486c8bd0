"""The command line.  Nothing heavy is imported before a command needs it: `opencram --help` takes 0.1 s.

Exit codes: 0 done; 1 a replay that differs; 2 bad command, site or file; 3 no readable plot; 130 interrupted.
Errors go to standard error as "opencram: …".
"""

# Each command imports what it needs, and no other: hence the imports inside functions.

import argparse
import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opencram import __version__
from opencram.errors import ConfigError, FileError, OpencramError, UsageError, is_interrupt

if TYPE_CHECKING:
    from opencram.runtime.shell import Outcome, Outputs, Streams

STANDARD = "-"
INTERRUPTED, PIPE_CLOSED, DIFFERENT = 130, 141, 1

_DESCRIPTION = """\
Counter rocket, artillery and mortar (C-RAM) system in software: radar plots come in, warnings in the right
streets and reasoned decisions come out.  Effectors exist only as models in the simulation."""

_EPILOG = """\
examples:
  opencram check SITE.toml                                     is the site file right?
  opencram process SITE.toml --plots plots.ndjson --events -   plots in, events out
  opencram process SITE.toml --plots plots.ndjson --recording raid.opencram --report raid.html --pace 8
  opencram simulate SCENARIO.toml --recording raid.opencram    fly a raid against the site
  opencram replay raid.opencram                                does it come out the same, byte for byte?
  opencram serve raid.opencram                                 watch it in a browser"""


_TOOLS = (
    ("bound", "opencram.evaluation.bound_command", "tell how well any tracker could know an impact: Cramér-Rao"),
    ("evaluate", "opencram.evaluation.evaluate_command", "tell how good predictions were on plots of your own"),
    ("study", "opencram.studies.study_command", "fly thousands of raids; every figure with its interval"),
    ("plan", "opencram.siting.plan_command", "map the seconds of warning; place radars and sirens"),
    ("doctor", "opencram.runtime.doctor", "look at a site's feeds, clock, disk, files and outlets"),
    ("export", "opencram.runtime.export.command", "write a recording for other programs"),
    ("raids", "opencram.register.raids_command", "the register of raids: add, list, show, export"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its threads cost a start more than small matrices gain
    given = sys.argv[1:] if arguments is None else arguments
    args = _parser(given[0] if given else "").parse_args(given)
    command: Callable[[argparse.Namespace], int] = args.command
    try:
        code = command(args)
        sys.stdout.flush()
    except OpencramError as error:
        print(f"opencram: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read the output has had enough.  Nothing more may be written, not even by Python as it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except (KeyboardInterrupt, SystemError) as error:
        if not is_interrupt(error):
            raise
        print("opencram: interrupted; what was recorded so far is whole", file=sys.stderr)
        return INTERRUPTED
    return code


def _parser(wanted: str = "") -> argparse.ArgumentParser:
    """Return the parser; of the tools, only the one that is wanted is imported, so that `--help` answers at once."""
    parser = argparse.ArgumentParser(
        prog="opencram",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"opencram {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_process(commands)
    _add_simulate(commands)
    _add_live(commands)
    _add_replay(commands)
    _add_report(commands)
    _add_explain(commands)
    _add_serve(commands)
    _add_check(commands)
    _add_show(commands)
    for tool in _TOOLS:
        _add_tool(commands, wanted, *tool)
    _add_warmup(commands)
    return parser


def _add(commands: Any, name: str, command: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.set_defaults(command=command)
    return parser


def _add_process(commands: Any) -> None:
    parser = _add(commands, "process", _process, "turn recorded plots into tracks, impacts, warnings and decisions")
    parser.add_argument("site", metavar="SITE.toml", help="the site file")
    parser.add_argument("--plots", required=True, metavar="FILE", help="plots, .ndjson or .csv; - is standard input")
    parser.add_argument("--columns", metavar="MAP.toml", help="names and units of the columns of a CSV file")
    _add_outputs(parser)
    _add_truth(parser)


def _add_simulate(commands: Any) -> None:
    parser = _add(
        commands, "simulate", _simulate, "fly a scenario through the same pipeline; effector models act on it"
    )
    parser.add_argument("scenario", metavar="SCENARIO.toml", help="the scenario file")
    parser.add_argument("--seed", type=int, metavar="N", help="another seed than the scenario's")
    _add_outputs(parser)
    parser.set_defaults(truth=None)


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--events", metavar="FILE", help="write events, one JSON object a line; - is standard output")
    parser.add_argument("--recording", metavar="FILE", help="write the log: replay and report read it")
    parser.add_argument("--report", metavar="FILE", help="write an after-action report, one HTML file")
    parser.add_argument(
        "--live",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="show the run: a live table on a terminal, else a line an event (default: if stdout is free)",
    )
    parser.add_argument(
        "--pace",
        type=_pace,
        default=0.0,
        metavar="X",
        help="show X seconds of data a second (default 0: at full speed)",
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def _add_live(commands: Any) -> None:
    parser = _add(commands, "live", _live, "take radar feeds as they come, and warn by the channels of the site")
    parser.add_argument("site", metavar="SITE.toml", help="the site file, with its [[feed]] and [[outlet]] tables")
    parser.add_argument("--replay", metavar="FILE", help="instead of feeds: recorded plots as if they came now")
    parser.add_argument("--speed", metavar="X", type=_pace, default=1.0, help="with --replay: X times as fast")
    parser.add_argument("--standby", action="store_true", help="wait, all loaded, while another has the log; take over")


def _add_replay(commands: Any) -> None:
    parser = _add(commands, "replay", _replay, "run a recording again and compare every byte that comes out")
    parser.add_argument("recording", metavar="RECORDING", help="a recording")
    parser.add_argument("--events", metavar="FILE", help="write the events that come out; - is standard output")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def _add_report(commands: Any) -> None:
    parser = _add(commands, "report", _report, "write the report on a recording or a study, one HTML file")
    parser.add_argument("recording", metavar="RECORDING", help="a recording, or the .parquet of a study")
    parser.add_argument("--out", metavar="FILE", help="where to write it (default: beside the recording)")
    parser.add_argument("--language", choices=("en", "fr", "ar"), default="en", help="of the report")
    _add_truth(parser)
    parser.add_argument("--json", action="store_true", help="print where it went as JSON")


def _add_truth(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--truth",
        metavar="FILE",
        help="a scoring file: what really flew, for the report only (default: NAME.truth.json beside the recording)",
    )


def _add_serve(commands: Any) -> None:
    from opencram.display.serve_command import add_arguments

    text = "show a recording, or a run as it happens, in a browser; nothing leaves the machine"
    add_arguments(_add(commands, "serve", _serve, text))


def _add_explain(commands: Any) -> None:
    parser = _add(commands, "explain", _explain, "tell the whole story of one track of a recording")
    parser.add_argument("recording", metavar="RECORDING", help="a recording")
    parser.add_argument("track", metavar="TRACK", type=int, help="the number of the track")
    parser.add_argument("--language", choices=("en", "fr", "ar"), default="en", help="of the sentences (default: en)")
    parser.add_argument("--json", action="store_true", help="print the story as JSON, codes and numbers apart")


def _add_check(commands: Any) -> None:
    parser = _add(commands, "check", _check, "tell every fault of a site file, or what it says")
    parser.add_argument("site", metavar="SITE.toml", help="the site file")
    parser.add_argument("--json", action="store_true", help="print faults and summary as JSON")


def _add_show(commands: Any) -> None:
    from opencram.report.show_command import add_arguments

    add_arguments(_add(commands, "show", _show, "draw a trajectory, a footprint or an atmosphere"))


def _show(args: argparse.Namespace) -> int:
    from opencram.report.show_command import show

    print(show(args))
    return 0


def _add_tool(commands: Any, wanted: str, name: str, module: str, text: str) -> None:
    """Add a command whose module says what it takes, and makes of it a text or what becomes JSON."""
    parser = _add(commands, name, lambda args: _tell(args.tool.run(args, sys.stderr)), text)
    if wanted == name:
        parser.set_defaults(tool=importlib.import_module(module))
        parser.get_default("tool").add_arguments(parser)


def _tell(made: str | dict[str, Any]) -> int:
    print(made) if isinstance(made, str) else _print_json(made)
    return 0


def _add_warmup(commands: Any) -> None:
    parser = _add(commands, "warmup", _warmup, "compile all kernels now, so that the first run starts at once")
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def _pace(text: str) -> float:
    pace = float(text)
    if not 0.0 <= pace < float("inf"):
        raise ValueError(text)  # argparse names the option and the value
    return pace


# ---- commands: each imports what it needs -----------------------------------------------------------


def _process(args: argparse.Namespace) -> int:
    from opencram.adapters.columns import load_column_map
    from opencram.config.site import load_site

    site = load_site(args.site)
    columns = load_column_map(args.columns) if args.columns else None
    with _outputs(args) as (outputs, streams):
        from opencram.runtime import shell

        _finish(args, outputs, streams, shell.process(site, args.plots, outputs, streams, columns))
    return 0


def _simulate(args: argparse.Namespace) -> int:
    from opencram.config.scenario import load_scenario

    scenario = load_scenario(args.scenario)
    if args.seed is not None:
        scenario = replace(scenario, seed=args.seed)
    with _outputs(args) as (outputs, streams):
        from opencram.runtime import shell

        _finish(args, outputs, streams, shell.simulate(scenario, outputs, streams))
    return 0


@contextmanager
def _outputs(args: argparse.Namespace) -> "Iterator[tuple[Outputs, Streams]]":
    """Yield where a run goes.  A report needs a recording: without one of its own it gets one that is thrown away."""
    from opencram.runtime.shell import Outputs, Streams

    events_here = args.events == STANDARD
    if args.json and events_here:
        raise UsageError("--json and --events - both want standard output; give --events a file")
    if args.live and (args.json or events_here):
        raise UsageError("--live, --json and --events - all want standard output; keep one of them")
    if args.report is not None:
        _must_have_folder(args.report)
    if args.truth is not None:
        _must_exist(args.truth)
    show = not (args.json or events_here) if args.live is None else bool(args.live)
    streams = Streams(stdin=sys.stdin.buffer, stdout=sys.stdout, stderr=sys.stderr)
    with ExitStack() as stack:
        recording = args.recording
        if recording is None and args.report is not None:
            recording = f"{stack.enter_context(tempfile.TemporaryDirectory())}/run.opencram"
        yield Outputs(events=args.events, recording=recording, show=show, pace=args.pace), streams


def _finish(args: argparse.Namespace, outputs: "Outputs", streams: "Streams", outcome: "Outcome") -> None:
    """Write the report, say what the run came to, where its outputs went and what can be done with them."""
    from opencram.runtime.summary import as_json, sentences

    paths = {
        "recording": args.recording,
        "truth": str(outcome.truth) if outcome.truth is not None and args.recording else None,
        "events": None if args.events == STANDARD else args.events,
        "report": None,
    }
    if args.report is not None:
        assert outputs.recording is not None
        paths["report"] = str(_write_report(outputs.recording, args.report, args.truth))
    if args.json:
        _print_json(as_json(outcome.summary) | {"outputs": paths})
        return
    out = streams.stderr if args.events == STANDARD else streams.stdout
    lines = ["", *sentences(outcome.summary)]
    lines += [f"{name.capitalize()}: {path}" for name, path in paths.items() if path is not None]
    if args.recording is not None:
        lines.append(f"Next: opencram replay {args.recording}" + ("" if args.report else ", or opencram report"))
    print("\n".join(lines), file=out)


def _live(args: argparse.Namespace) -> int:
    from opencram.config.site import load_site

    site = load_site(args.site)  # a wrong site file is told before anything is compiled
    if not site.live.feeds and not args.replay:
        raise UsageError("the site file names no feed: write each under [[feed]], with name, format and udp or tcp")
    from opencram.runtime.keeper import reserve

    reserved = None if args.replay else reserve(site, Path(args.site), standby=args.standby)
    for name in ("aiomqtt", "starlette", "uvicorn"):
        if importlib.util.find_spec(name) is None:
            raise UsageError(f"{name} is not installed: pip install 'opencram[live]'")
    from opencram.runtime.start import live, live_from

    tell = partial(print, flush=True)
    if reserved is None:
        live_from(args.site, args.replay, args.speed, tell, sys.stderr)
    else:
        live(args.site, tell, sys.stderr, reserved, standby=args.standby)
    return 0


def _replay(args: argparse.Namespace) -> int:
    from opencram.recording import read_header
    from opencram.runtime import shell

    events_here = args.events == STANDARD
    if args.json and events_here:
        raise UsageError("--json and --events - both want standard output; give --events a file")
    read_header(args.recording)  # a file that is no recording is told before anything is compiled
    shell.warm(sys.stderr)
    from opencram.runtime.replay import replay

    sinks = [shell.open_events(args.events, sys.stdout)] if args.events is not None else []
    result = replay(args.recording, sinks)
    difference = result.difference
    if args.json:
        _print_json(
            {
                "recording": args.recording,
                "identical": result.identical,
                "inputs": result.inputs,
                "outputs": result.outputs,
                "sealed": result.sealed,
                "recorded_by": result.header.program_version,
                "replayed_by": __version__,
                "difference": None if difference is None else str(difference),
                "difference_record": None if difference is None else difference.seq,
            }
        )
        return 0 if result.identical else DIFFERENT
    out = sys.stderr if events_here else sys.stdout
    if not result.sealed:
        print("The recording was cut off; it was compared as far as it goes.", file=out)
    if difference is None:
        print(f"Identical: {result.outputs} messages from {result.inputs} inputs, byte for byte.", file=out)
        return 0
    print(f"Different, first at {difference}", file=out)
    if not result.same_program:
        print(f"Recorded by opencram {result.header.program_version}, replayed by {__version__}.", file=out)
    return DIFFERENT


def _report(args: argparse.Namespace) -> int:
    from opencram.recording import SUFFIX, read_header

    if args.recording.endswith(".parquet"):
        from opencram.report.study_page import command

        return _tell(command(args))
    out_path = args.out or f"{args.recording.removesuffix(SUFFIX)}.html"
    read_header(args.recording)
    _must_have_folder(out_path)
    written = _write_report(args.recording, out_path, args.truth, args.language)
    if args.json:
        _print_json({"recording": args.recording, "report": str(written)})
    else:
        print(f"Report: {written}\nOpen it in any browser; it needs no network.")
    return 0


def _explain(args: argparse.Namespace) -> int:
    from opencram.report.explain import told, whole_story

    lines = whole_story(args.recording, args.track, args.language)
    if not lines:
        raise UsageError(f"{args.recording} holds no track {args.track}: its report lists the tracks that it holds")
    if args.json:
        _print_json({"track": args.track, "story": [{"t_ns": x.t_ns, "what": x.key} | x.values for x in lines]})
    else:
        print("\n".join(told(lines, args.track, args.language)))
    return 0


def _write_report(recording: str, out_path: str, truth_path: str | None, language: str = "en") -> Path:
    """Write the report on a recording, with the truth that is given, or that a simulation left beside it."""
    from opencram.recording import load_truth, read, read_header, truth_of
    from opencram.report.after_action import write_report

    truth = load_truth(truth_path) if truth_path else truth_of(recording, read_header(recording))
    return write_report(read(recording), Path(out_path), truth=truth, language=language)


def _serve(args: argparse.Namespace) -> int:
    from opencram.display.run import serve
    from opencram.display.serve_command import options_of
    from opencram.runtime.shell import Streams

    serve(args.what, options_of(args), Streams(stdin=sys.stdin.buffer, stdout=sys.stdout, stderr=sys.stderr))
    return 0


def _check(args: argparse.Namespace) -> int:
    from opencram.config.site import load_site, site_notes

    try:
        site = load_site(args.site)
    except ConfigError as error:
        if not args.json:
            raise
        faults = [{"place": f.place, "value": f.value, "limit": f.limit, "remedy": f.remedy} for f in error.faults]
        _print_json({"site": args.site, "ok": False, "faults": faults})
        return error.exit_code
    from opencram.runtime.survey import as_json, lines

    notes = site_notes(site)
    if args.json:
        _print_json({"site": args.site, "ok": True, "notes": notes} | as_json(site))
    else:
        print("\n".join([*lines(site), *(f"Note: {note}" for note in notes)]))
    return 0


def _warmup(args: argparse.Namespace) -> int:
    from opencram.runtime import warmup

    began_s = time.perf_counter()
    with warmup.progress(sys.stderr) as tell:
        compiled = warmup.warm_up(tell, figures=True)
    seconds = time.perf_counter() - began_s
    if args.json:
        _print_json({"compiled": compiled, "seconds": round(seconds, 2)})
    else:
        what = f"{compiled} kernels compiled" if compiled else "all kernels were compiled already"
        print(f"Ready: {what}, in {seconds:.1f} s.")
    return 0


def _must_exist(path: str) -> None:
    """Complain of a file that is missing before the work, not after it."""
    if not Path(path).is_file():
        raise FileError(f"{path}: no such file; give the path of a file that exists")


def _must_have_folder(path: str) -> None:
    """Complain of a folder that is missing before the work, not after it."""
    if not Path(path).absolute().parent.is_dir():
        raise FileError(f"cannot write {path}: there is no folder {Path(path).parent}; make it first")


def _print_json(value: dict[str, Any]) -> None:
    import json

    print(json.dumps(value, ensure_ascii=False, indent=1))
