"""`opencram study`: fly a study, show how far it is, and tell what it came to."""

# Whatever `opencram --help` need not know is imported where it is used.

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from opencram.errors import FileError, UsageError

if TYPE_CHECKING:
    from opencram.studies.intervals import Estimate
    from opencram.studies.results import StudyResult

SHOWN_MAX = 12  # alternatives that are told one by one


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `opencram study` takes."""
    parser.add_argument("study", metavar="STUDY.toml", help="the study file")
    parser.add_argument("--out", metavar="FILE", help="the result, one Parquet file (default: beside the study file)")
    parser.add_argument("--runs", type=int, metavar="N", help="runs of each alternative, instead of the file's")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="threads or processes (default 1)")
    parser.add_argument("--processes", action="store_true", help="processes instead of threads: faster on many cores")
    parser.add_argument("--dask", metavar="ADDRESS", help="run on a Dask cluster: tcp://host:8786")
    parser.add_argument("--raid", type=int, metavar="R", help="write the scenario and site file of run R instead")
    parser.add_argument(
        "--alternative", type=int, default=0, metavar="K", help="of this alternative, from 0 (with --raid)"
    )
    parser.add_argument("--json", action="store_true", help="print every figure as JSON")


def run(args: argparse.Namespace, stderr: TextIO) -> str | dict[str, Any]:
    """Fly the study and return what it came to: text, or what becomes JSON."""
    if args.raid is not None:
        scenario, site = write_raid(args)
        paths = {"scenario": str(scenario), "site": str(site)}
        return (
            paths if args.json else f"Next: opencram simulate {scenario} --recording raid.opencram --report raid.html"
        )
    result = flown(args, stderr)
    if args.json:
        return as_json(result)
    return "\n".join([*lines(result), "", f"Result: {result.path}", f"Next: opencram report {result.path}"])


def flown(args: argparse.Namespace, stderr: TextIO) -> "StudyResult":
    """Fly the study, with a bar."""
    from opencram.config.study import load_study
    from opencram.runtime.progress import bar
    from opencram.runtime.shell import warm
    from opencram.studies.api import dask_executor, run_study

    if args.runs is not None and args.runs < 1:
        raise UsageError(f"--runs {args.runs}: must be at least 1")
    if args.workers < 1:
        raise UsageError(f"--workers {args.workers}: must be at least 1")
    if args.dask and args.processes:
        raise UsageError("--dask and --processes both say where runs are flown; keep one of them")
    load_study(args.study)  # a wrong file is told before anything is compiled
    if not args.dask:
        warm(stderr, simulation=True)
    with ExitStack() as stack:
        executor: Any = "processes" if args.processes else "threads"
        workers = args.workers
        if args.dask:
            executor, workers = stack.enter_context(dask_executor(args.dask))
        tell = stack.enter_context(bar("raids", stderr))
        return run_study(args.study, args.out, workers=workers, executor=executor, runs=args.runs, tell=tell)


def write_raid(args: argparse.Namespace) -> tuple[Path, Path]:
    """Write scenario and site of one run, as `opencram simulate` flies them; return their paths."""
    from opencram.config.study import load_study
    from opencram.studies.preparing import prepare, scenario_text

    prepared = prepare(load_study(args.study))
    if not 0 <= args.alternative < len(prepared.alternatives):
        raise UsageError(f"--alternative {args.alternative}: there are 0 to {len(prepared.alternatives) - 1}")
    stem = Path(args.out or Path(args.study).with_suffix(""))
    scenario_path = stem.with_name(f"{stem.name}-{args.alternative}-{args.raid}.scenario.toml")
    site_path = stem.with_name(f"{stem.name}-{args.alternative}-{args.raid}.site.toml")
    scenario, site = scenario_text(prepared, prepared.alternatives[args.alternative], args.raid, site_path.name)
    try:
        scenario_path.write_text(scenario, encoding="utf-8")
        site_path.write_text(site, encoding="utf-8")
    except OSError as error:
        raise FileError(f"{scenario_path}: cannot be written ({error.strerror}); give another --out") from error
    return scenario_path, site_path


def as_json(result: "StudyResult") -> dict[str, Any]:
    """Return every figure, for other programs; what is not known is null."""
    effects = [effect for measure in result.measures for effect in result.effects(measure.name)]
    return {
        "study": result.name,
        "result": str(result.path),
        "opencram_version": result.version,
        "seed": result.seed,
        "confidence": result.confidence,
        "failed": result.failed,
        "alternatives": [
            {"name": each.name, "levels": dict(each.levels), "runs": each.runs} for each in result.alternatives
        ],
        "figures": [_without_nan(record) for record in result.table()],
        "effects": [
            {"factor": e.factor, "from": e.base, "to": e.level, "measure": e.measure} | _parts(e.change)
            for e in effects
        ],
    }


def lines(result: "StudyResult") -> list[str]:
    """Return what a study came to, in words and figures, a line each."""
    runs = sum(each.runs for each in result.alternatives)
    said = [
        f"{result.name}: {runs} raids, {len(result.alternatives)} alternatives, intervals of {result.confidence:.1%}."
    ]
    if result.failed:
        said.append(
            f"{result.failed} raids could not be flown; their reasons stand in the result, in the column error."
        )
    for number, each in enumerate(result.alternatives[:SHOWN_MAX]):
        said += ["", f"{number}. {each.name} ({each.runs} raids)"]
        for measure in result.measures:
            found = result.estimate(measure.name, number)
            if found.runs:
                said.append(f"   {measure.name:<22} {found}  {measure.unit}")
    left = len(result.alternatives) - SHOWN_MAX
    if left > 0:
        said += ["", f"And {left} more; opencram report {result.path} shows all."]
    effects = [e for measure in result.measures for e in result.effects(measure.name) if _is_sure(e.change)]
    if effects:
        said += ["", "What changes, on the same raids, surely in its sign:"]
        said += [f"   {e.factor}, {e.base} → {e.level}: {e.measure} {_signed(e.change)}" for e in effects]
    return said


def _is_sure(change: "Estimate") -> bool:
    return change.runs > 0 and (change.low > 0.0 or change.high < 0.0)


def _signed(change: "Estimate") -> str:
    return f"{change.value:+.4g} [{change.low:+.4g}, {change.high:+.4g}]"


def _parts(found: "Estimate") -> dict[str, Any]:
    return _without_nan({"value": found.value, "low": found.low, "high": found.high, "runs": found.runs})


def _without_nan(record: dict[str, Any]) -> dict[str, Any]:
    """JSON knows no NaN and no infinity."""
    return {
        key: None if isinstance(value, float) and not abs(value) < float("inf") else value
        for key, value in record.items()
    }
