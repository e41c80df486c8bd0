"""`opencram raids`: the register of raids."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from opencram.errors import FileError, UsageError

if TYPE_CHECKING:
    from opencram.register.store import Filter, Register

_USAGE = """add RECORDING …   keep a summary of recordings
list              raids, with what they come to
show N            one raid whole, with what people reported
report N          add what somebody reported: --source, --text, --rounds, --killed, --injured, --district, --time
chart             raids by month; --out FILE.png
map               where rounds fell; --out FILE.png
export            --out FILE.csv, .geojson or .parquet"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `opencram raids` takes."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _USAGE
    actions = ("add", "list", "show", "report", "chart", "map", "export")
    parser.add_argument("action", choices=actions, help="what to do, see below")
    parser.add_argument("what", nargs="*", metavar="RECORDING|N", help="recordings, or the number of a raid")
    parser.add_argument("--db", default="raids.sqlite", metavar="FILE", help="the register (default raids.sqlite)")
    parser.add_argument("--language", choices=("en", "fr", "ar"), default="en")
    parser.add_argument("--from", dest="first", metavar="DATE", help="raids from this day on, 2026-01-31")
    parser.add_argument("--to", dest="last", metavar="DATE", help="raids before this day")
    parser.add_argument("--class", dest="class_name", choices=("rocket", "mortar", "shell"), default="")
    parser.add_argument("--district", default="", metavar="TEXT", help="where rounds fell; in a report: where it says")
    parser.add_argument("--site", default="", metavar="TEXT")
    parser.add_argument("--kind", choices=("live", "process", "simulation"), default="", help="of recording")
    parser.add_argument("--source", default="", metavar="WHO", help="of a report")
    parser.add_argument("--text", default="", metavar="TEXT", help="of a report")
    parser.add_argument("--time", default="", metavar="TIME", help="when it was reported, as given")
    for name in ("rounds", "killed", "injured"):
        parser.add_argument(f"--{name}", type=int, metavar="N", help="as reported")
    parser.add_argument("--out", metavar="FILE", help="where a picture or an export goes")
    parser.add_argument("--json", action="store_true", help="print as JSON")


def run(args: argparse.Namespace, stderr: TextIO) -> str | dict[str, Any]:
    """Do what is asked; return words or what becomes JSON."""
    from opencram.register.store import opened

    with opened(Path(args.db), create=args.action == "add") as register:
        if args.action == "add":
            return _add(args, register)
        if args.action == "report":
            return _report(args, register)
        if args.action == "show":
            return _show(args, register)
        return _several(args, register)


def _add(args: argparse.Namespace, register: "Register") -> str | dict[str, Any]:
    from opencram.register.summing import raid_of

    if not args.what:
        raise UsageError("raids add: give the recordings to add")
    added = [(path, *register.add(raid_of(path))) for path in args.what]
    if args.json:
        return {"added": [{"recording": path, "raid": number, "new": new} for path, number, new in added]}
    return "\n".join(f"{path}: raid {number}{'' if new else ', known already'}" for path, number, new in added)


def _report(args: argparse.Namespace, register: "Register") -> str | dict[str, Any]:
    from opencram.register.model import Report

    if not args.source.strip():
        raise UsageError("raids report: --source is required: who says so?")
    if not (args.text.strip() or any(getattr(args, name) is not None for name in ("rounds", "killed", "injured"))):
        raise UsageError("raids report: says nothing; give --text, --rounds, --killed or --injured")
    for name in ("rounds", "killed", "injured"):
        if (value := getattr(args, name)) is not None and value < 0:
            raise UsageError(f"--{name} {value}: must be at least 0")
    number = register.report(
        Report(
            report=0,
            raid=_number(args),
            source=args.source,
            time=args.time,
            text=args.text,
            rounds=args.rounds,
            killed=args.killed,
            injured=args.injured,
            district=args.district,
        )
    )
    return {"report": number} if args.json else f"Kept as report {number}, beside those that there are."


def _show(args: argparse.Namespace, register: "Register") -> str | dict[str, Any]:
    import msgspec

    from opencram.register.model import contradictions
    from opencram.register.telling import shown

    raid = register.raid(_number(args))
    reports = register.reports(raid.raid)
    if args.json:
        told: dict[str, Any] = msgspec.to_builtins(raid)
        differ = contradictions(reports)
        return told | {"reports": msgspec.to_builtins(reports), "sources_differ_on": msgspec.to_builtins(differ)}
    return "\n".join(shown(raid, reports, args.language))


def _several(args: argparse.Namespace, register: "Register") -> str | dict[str, Any]:
    from opencram.register import output, telling

    raids = register.raids(_filter(args))
    reported = [(raid, register.reports(raid.raid)) for raid in raids]
    if args.action == "export":
        if not args.out:
            raise UsageError(f"raids export: give --out FILE, {', '.join(output.EXPORTS)}")
        path = output.export(reported, Path(args.out))
        return {"export": str(path), "raids": len(raids)} if args.json else f"Written: {path}, {len(raids)} raids"
    if args.action in ("chart", "map") and args.out:
        return _picture(args, raids)
    if args.action == "map":
        raise UsageError("raids map: give --out FILE.png; raids export --out FILE.geojson is for other maps")
    if args.json:
        months = [{"month": m, "raids": r, "rounds": n} for m, r, n in telling.by_month(raids)]
        return {"raids": output.records(reported), "months": months}
    if args.action == "chart":
        return "\n".join(telling.chart(raids, args.language))
    return "\n".join(telling.listed(raids, [len(reports) for _, reports in reported], args.language))


def _picture(args: argparse.Namespace, raids: list[Any]) -> str | dict[str, Any]:
    from opencram.register.output import picture

    path = Path(args.out)
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise UsageError(f"--out {path}: must end with .png, .svg or .pdf")
    try:
        picture(raids, args.action, args.language).savefig(path, dpi=140)
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror or error}); give another --out") from error
    return {args.action: str(path)} if args.json else f"Written: {path}"


def _number(args: argparse.Namespace) -> int:
    if len(args.what) != 1 or not args.what[0].isdecimal():
        raise UsageError(f"raids {args.action}: give the number of one raid; opencram raids list shows them")
    return int(args.what[0])


def _filter(args: argparse.Namespace) -> "Filter":
    from opencram.register.store import Filter

    return Filter(
        from_t_ns=_day_ns("--from", args.first),
        to_t_ns=_day_ns("--to", args.last),
        class_name=args.class_name,
        district=args.district,
        site=args.site,
        source=args.kind,
    )


def _day_ns(option: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        day = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text}: must be a day, 2026-01-31") from None
    day = day if day.tzinfo else day.replace(tzinfo=UTC)
    return int((day - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1_000_000_000
