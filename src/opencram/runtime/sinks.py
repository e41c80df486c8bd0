"""Where a run goes: the recording, the events, the progress line; and the loop that feeds them.

A sink sees each batch of inputs with the outputs that it led to, in order, and is closed when the run has
ended, well or not: an interrupted run leaves a whole recording of what was processed.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import BinaryIO, Protocol, TextIO

from opencram.messages import Message, Rejected
from opencram.recording import Writer
from opencram.runtime.summary import Tally
from opencram.runtime.words import clock

COMMIT_S = 0.2  # what is recorded is on the disk after this long at most
PROGRESS_AFTER_S = 2.0
PROGRESS_TTY_S, PROGRESS_LINE_S = 0.2, 10.0

Batches = Iterable[tuple[Sequence[Message], Sequence[Message]]]


class Sink(Protocol):
    """Something that takes part in a run by watching it."""

    def take(self, inputs: Sequence[Message], outputs: Sequence[Message]) -> None:
        """Take one batch and what came of it."""

    def close(self) -> None:
        """The run has ended."""


def drive(batches: Batches, sinks: Sequence[Sink]) -> None:
    """Feed every batch to every sink; close all sinks at the end, whatever happens."""
    with ExitStack() as stack:
        for sink in sinks:
            stack.callback(sink.close)
        for inputs, outputs in batches:
            for sink in sinks:
                sink.take(inputs, outputs)


class RecordingSink:
    """Writes the log.  `raw_line(message)` gives the input line as read of a rejected message, if it was kept."""

    def __init__(self, writer: Writer, raw_line: Callable[[Rejected], bytes | None] | None = None) -> None:
        self._writer = writer
        self._raw_line = raw_line
        self._commit_due_s = time.monotonic() + COMMIT_S

    def take(self, inputs: Sequence[Message], outputs: Sequence[Message]) -> None:
        self._writer.append(inputs, direction="in", raw_lines=self._raw_lines(inputs))
        self._writer.append(outputs, direction="out")
        now_s = time.monotonic()
        if now_s >= self._commit_due_s:
            self._writer.commit()
            self._commit_due_s = now_s + COMMIT_S

    def _raw_lines(self, inputs: Sequence[Message]) -> Mapping[int, bytes]:
        if self._raw_line is None:
            return {}
        rejected = ((i, self._raw_line(m)) for i, m in enumerate(inputs) if type(m) is Rejected)
        return {i: raw for i, raw in rejected if raw is not None}

    def close(self) -> None:
        self._writer.close()


class EventSink:
    """Writes events, one JSON object a line: rejected inputs first, then what the pipeline made of the batch."""

    def __init__(
        self, out: BinaryIO, encode: Callable[[Sequence[Message]], bytes], *, prompt: bool, owned: bool
    ) -> None:
        self._out = out
        self._encode = encode
        self._prompt = prompt  # whether somebody waits for each line
        self._owned = owned

    def take(self, inputs: Sequence[Message], outputs: Sequence[Message]) -> None:
        rejected = [message for message in inputs if type(message) is Rejected]
        if text := self._encode([*rejected, *outputs]):
            self._out.write(text)
            if self._prompt:
                self._out.flush()

    def close(self) -> None:
        if self._owned:
            self._out.close()
        else:
            self._out.flush()


class ProgressSink:
    """Tells on standard error how far a long run has come: a line rewritten on a terminal, else one now and then."""

    def __init__(self, tally: Tally, err: TextIO) -> None:
        self._tally = tally
        self._err = err
        self._tty = err.isatty()
        self._due_s = time.monotonic() + PROGRESS_AFTER_S
        self._written = False

    def take(self, inputs: Sequence[Message], outputs: Sequence[Message]) -> None:
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        self._due_s = now_s + (PROGRESS_TTY_S if self._tty else PROGRESS_LINE_S)
        self._written = True
        tally = self._tally
        data_s = (tally.last_t_ns - tally.first_t_ns) / 1e9
        text = f"opencram: {clock(data_s)} of data, {tally.plots} plots, {len(tally.tracks)} tracks"
        self._err.write(f"\r\033[K{text}" if self._tty else f"{text}\n")
        self._err.flush()

    def close(self) -> None:
        if self._written and self._tty:
            self._err.write("\r\033[K")
            self._err.flush()
