"""The shell around a run: warm the kernels, open the outputs, show what happens, sum it up.

Everything that knows of files, clocks and terminals and belongs to more than one command is here, so that
`process` and `simulate` differ in nothing but where their batches come from.
"""

# The pipeline takes a second to import: files that cannot be opened are told before.

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import BinaryIO, TextIO

from opencram.adapters.columns import ColumnMap
from opencram.adapters.events import encode_events
from opencram.config.model import Site
from opencram.config.scenario_model import Scenario
from opencram.errors import FileError, NoPlotsError
from opencram.messages import Header, Rejected
from opencram.recording import Writer, write_truth
from opencram.runtime.fallbacks import site_health
from opencram.runtime.header import header
from opencram.runtime.sinks import EventSink, ProgressSink, RecordingSink, Sink, drive
from opencram.runtime.source import look_ahead, opened, read_plots
from opencram.runtime.summary import RunSummary, Tally
from opencram.runtime.views import PacedView, choose_view

STANDARD = "-"
EVENT_BUFFER_BYTES = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Where a run goes, as asked for.  `show`: as it goes, on standard output; `pace`: data seconds a second."""

    events: str | None = None
    recording: str | None = None
    show: bool = False
    pace: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Streams:
    """The three standard streams."""

    stdin: BinaryIO
    stdout: TextIO
    stderr: TextIO


def console() -> Streams:
    """Return the streams of a program that calls: nothing to read, progress where it tells its errors."""
    return Streams(stdin=BytesIO(), stdout=sys.stdout, stderr=sys.stderr)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run came to.  `truth` is the path of a simulation's truth, where it was recorded."""

    summary: RunSummary
    truth: Path | None = None


def process(site: Site, plots: str, outputs: Outputs, streams: Streams, columns: ColumnMap | None = None) -> Outcome:
    """Process the plots of a file, or of standard input for "-"; `columns`: how a CSV file is to be read."""
    with opened(plots, streams.stdin) as source:
        warm(streams.stderr)
        from opencram.runtime.process import batches

        began_s = time.perf_counter()
        given = look_ahead(read_plots(site, source, columns))
        head = header(site, given.first_t_ns, "process")
        tally = Tally(site)
        sinks = open_sinks(tally, head, outputs, streams, prompt=plots == STANDARD, raw_line=source.raw_line)
        drive(batches(site, chain(site_health(site, given.first_t_ns), given.messages)), sinks)
        if not tally.plots:
            rejected = sum(tally.rejected.values())
            why = f"all {rejected} lines were rejected" if rejected else "it is empty"
            remedy = "a plot is one JSON object on a line"
            if columns is not None or source.name.lower().endswith(".csv"):
                remedy = "--events tells why each was; --columns names columns and units of one's own"
            raise NoPlotsError(f"{source.name}: no readable plot, {why}; {remedy}")
    return Outcome(summary=tally.summary(_worked_s(began_s, sinks)))


def simulate(scenario: Scenario, outputs: Outputs, streams: Streams) -> Outcome:
    """Fly a scenario; its truth goes beside the recording."""
    warm(streams.stderr, simulation=True)
    from opencram.runtime.simulate import Raid

    began_s = time.perf_counter()
    raid = Raid(scenario)
    head = header(scenario.site, scenario.start_t_ns, "simulation", scenario_sha256=scenario.sha256, seed=scenario.seed)
    tally = Tally(scenario.site)
    sinks = open_sinks(tally, head, outputs, streams)
    first = site_health(scenario.site, scenario.start_t_ns)
    drive(raid.batches(lambda _t_ns: [first.pop(0) for _ in range(len(first))]), sinks)
    truth = write_truth(outputs.recording, raid.truth()) if outputs.recording is not None else None
    return Outcome(summary=tally.summary(_worked_s(began_s, sinks)), truth=truth)


def _worked_s(began_s: float, sinks: Sequence[Sink]) -> float:
    """Return how long a run took, without what it waited to be looked at."""
    return time.perf_counter() - began_s - sum(sink.waited_s for sink in sinks if isinstance(sink, PacedView))


def warm(stderr: TextIO, *, simulation: bool = False) -> None:
    """Make the kernels ready, and show it if it takes long."""
    from opencram.runtime import warmup

    with warmup.progress(stderr) as tell:
        warmup.warm_up(tell, simulation=simulation)
    warmup.collect_seldom()


def open_sinks(
    tally: Tally,
    head: Header,
    outputs: Outputs,
    streams: Streams,
    *,
    prompt: bool = False,
    raw_line: Callable[[Rejected], bytes | None] | None = None,
) -> list[Sink]:
    """Open all outputs of a run.  What can fail fails here, before the first plot, and closes what is open."""
    sinks: list[Sink] = [tally]
    with ExitStack() as undo:
        if outputs.recording is not None:
            sinks.append(RecordingSink(Writer(outputs.recording, head), raw_line))
            undo.callback(sinks[-1].close)
        if outputs.events is not None:
            sinks.append(open_events(outputs.events, streams.stdout, prompt=prompt))
            undo.callback(sinks[-1].close)
        if outputs.show:
            sinks.append(choose_view(tally, streams.stdout, outputs.pace))
        else:
            sinks.append(ProgressSink(tally, streams.stderr))
        undo.pop_all()
    return sinks


def open_events(path: str, stdout: TextIO, *, prompt: bool = False) -> EventSink:
    """Return the sink that writes events to `path`, or to standard output for "-"."""
    if path == STANDARD:
        return EventSink(stdout.buffer, encode_events, prompt=prompt, owned=False)
    try:
        return EventSink(Path(path).open("wb", EVENT_BUFFER_BYTES), encode_events, prompt=prompt, owned=True)
    except OSError as error:
        raise FileError(f"cannot write events to {path}: {error.strerror}; give a folder that exists") from error
