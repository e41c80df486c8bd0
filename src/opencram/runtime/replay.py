"""Run a recording through the pipeline again, and compare every byte that comes out with what was recorded."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from opencram import __version__
from opencram.config.model import Site
from opencram.config.site import parse_site
from opencram.errors import RecordingError
from opencram.messages import Header, Message, Tick
from opencram.recording import Record, contents, encode, kind_of, read_checkpoint, read_records
from opencram.runtime.configure import configure
from opencram.runtime.kept import KeptError, OnDisk, decode_state, pipeline_state
from opencram.runtime.pipeline import PipelineConfig, PipelineState, initial, step
from opencram.runtime.sinks import Sink, drive

SHOWN_MAX = 200  # characters of a value in the account of a difference


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The first place where a replay parts from its recording.  None: there is nothing on that side."""

    seq: int  # of the record, or after the last one
    t_ns: int
    recorded: Message | None
    replayed: Message | None

    def __str__(self) -> str:
        place = f"record {self.seq}"
        one, other = self.recorded, self.replayed
        if one is not None and other is not None and type(one) is type(other):
            fields = one.__struct_fields__
            name = next(
                (
                    f
                    for f in fields
                    if msgspec.msgpack.encode(getattr(one, f)) != msgspec.msgpack.encode(getattr(other, f))
                ),
                "",
            )
            kind = kind_of(type(one))
            return f"{place}, {kind}.{name}: {_both(getattr(one, name), getattr(other, name))}"
        return f"{place}: {_both(one, other)}"


@dataclass(frozen=True, kw_only=True)
class ReplayResult:
    """What a replay came to.  `sealed` False: the recording was cut off, and is compared as far as it goes."""

    header: Header
    inputs: int
    outputs: int
    sealed: bool
    same_program: bool
    difference: Difference | None

    @property
    def identical(self) -> bool:
        """Whether every output came out again, byte for byte."""
        return self.difference is None


def site_of(path: str | Path, header: Header) -> Site:
    """Return the site that stands in a recording's header."""
    return parse_site(header.site_toml, f"{path} (the site in its header)")


def replay(path: str | Path, sinks: Sequence[Sink] = ()) -> ReplayResult:
    """Replay the recording at `path`; `sinks` see what is replayed, up to the first difference."""
    path = Path(path)
    held = contents(path)
    config = configure(site_of(path, held.header), closed_loop=held.header.source == "simulation")
    comparison = _Comparison(config, _first_state(path, config), sealed=held.sealed)
    drive(comparison.batches(_without_header(path, read_records(path))), sinks)
    return ReplayResult(
        header=held.header,
        inputs=comparison.inputs,
        outputs=comparison.outputs,
        sealed=held.sealed,
        same_program=held.header.program_version == __version__,
        difference=comparison.difference,
    )


def _first_state(path: Path, config: PipelineConfig) -> PipelineState:
    """Return the state before the first message: the initial one, or that with which a file of a live log begins."""
    checkpoint = read_checkpoint(path)
    if checkpoint is None:
        return initial(config)
    try:
        return pipeline_state(config, decode_state(checkpoint, OnDisk))
    except KeptError as error:
        raise RecordingError(f"{path} goes on from a state that cannot be read: {error}") from None


def _without_header(path: Path, records: Iterator[Record]) -> Iterator[Record]:
    for record in records:
        if record.kind != "header":
            yield record
        elif record.seq != 1:
            raise RecordingError(f"{path} is torn: record {record.seq} is a second header")


class _Comparison:
    """One pass over the records: inputs up to a tick make a batch, and its outputs must be the records that follow."""

    def __init__(self, config: PipelineConfig, first: PipelineState, *, sealed: bool) -> None:
        self._config = config
        self._first = first
        self._sealed = sealed
        self.inputs = 0
        self.outputs = 0
        self.difference: Difference | None = None

    def batches(self, records: Iterable[Record]) -> Iterator[tuple[list[Message], list[Message]]]:
        state = self._first
        batch: list[Message] = []
        expected: list[Message] = []
        compared, seq, t_ns = 0, 0, 0
        for record in records:
            seq, t_ns = record.seq, record.t_ns
            if record.direction == "out":
                message = expected[compared] if compared < len(expected) else None
                if message is None or encode(message) != record.payload:
                    self.difference = Difference(seq=seq, t_ns=t_ns, recorded=record.message, replayed=message)
                    return
                compared += 1
                self.outputs += 1
                continue
            if compared < len(expected):
                self._missing(seq, expected[compared])
                return
            self.inputs += 1
            batch.append(record.message)
            if type(batch[-1]) is Tick:
                state, expected = step(self._config, state, batch)
                compared = 0
                yield batch, expected
                batch = []
        if batch:
            yield batch, []
        if compared < len(expected) and self._sealed:
            self._missing(seq + 1, expected[compared])

    def _missing(self, seq: int, message: Message) -> None:
        self.difference = Difference(seq=seq, t_ns=message.t_ns, recorded=None, replayed=message)


def _both(recorded: object, replayed: object) -> str:
    return f"recorded {_shown(recorded)}, replayed {_shown(replayed)}"


def _shown(value: object) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"
