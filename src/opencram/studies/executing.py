"""Running a study on any executor: chunks out, rows into the journal, stopping at whole blocks.

Who finishes first decides nothing: blocks are judged in order, and what was flown beyond the block in which the study
stops is left out of the result.  A chunk is lost only with its worker, and is then sent again.
"""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from scipy.special import ndtri

from opencram.config.study_model import Stop
from opencram.errors import OpencramError
from opencram.studies.intervals import wilson
from opencram.studies.measures import BY_NAME, Measure
from opencram.studies.preparing import Prepared
from opencram.studies.rows import QUANTITIES, RunRow, decoded
from opencram.studies.running import Cell, parcel_of, run_chunk
from opencram.studies.store import Journal

CHUNK: Final = 5  # raids sent to a worker at once, and at most what a lost worker costs; more where more …
TOGETHER_MAX: Final = 16  # … alternatives of a run are flown together, so many at most
TRIES_MAX: Final = 4  # of a chunk whose worker died
AHEAD: Final = 3  # chunks in work or waiting for each worker

MakeExecutor = Callable[[], Executor]
Tell = Callable[[int, int], None]  # runs done, runs in all

_INDEX = {name: k for k, name in enumerate(QUANTITIES)}


@dataclass(frozen=True)
class Chunk:
    """Runs that go to one worker: those of one raid under several alternatives are flown together."""

    cells: tuple[Cell, ...]


@dataclass
class _Watch:
    """The parts of the measure that the stopping rule watches, by alternative and run."""

    stop: Stop
    measure: Measure
    parts: dict[int, dict[int, tuple[float, float, float]]] = field(default_factory=dict)

    def take(self, row: RunRow) -> None:
        """Keep the parts of a row."""
        if not row.error:
            below = row.quantities[_INDEX[self.measure.below]] if self.measure.below else 1.0
            kept = (row.weight, row.quantities[_INDEX[self.measure.above]], below)
            self.parts.setdefault(row.alternative, {})[row.run] = kept

    def is_enough(self, alternatives: int, runs: int, confidence: float) -> bool:
        """Return whether the interval is narrow enough in every alternative after so many runs of each."""
        if runs < self.stop.runs_min:
            return False
        base = self._products(0, runs)
        for number in range(alternatives):
            if self.stop.difference and number == 0 and alternatives > 1:
                continue
            mine = self._products(number, runs)
            value, half = _judged(self.measure, mine, base if self.stop.difference else None, confidence)
            limit = self.stop.width * (abs(value) if self.stop.relative else 1.0)
            if not half <= limit:
                return False
        return True

    def _products(self, number: int, runs: int) -> dict[int, tuple[float, float]]:
        known = self.parts.get(number, {})
        share = self.measure.kind == "share_of_raids"
        return {
            run: (weight * (float(above > 0.0) if share else above), weight * below)
            for run, (weight, above, below) in known.items()
            if run < runs
        }


def _judged(
    measure: Measure,
    mine: dict[int, tuple[float, float]],
    base: dict[int, tuple[float, float]] | None,
    confidence: float,
) -> tuple[float, float]:
    """Return a measure, or its paired difference, and the half-width of its normal interval."""
    runs = sorted(mine if base is None else mine.keys() & base.keys())
    if len(runs) < 2:
        return math.nan, math.inf
    value, spread = _linear(measure, np.array([mine[run] for run in runs]))
    if base is not None:
        other, other_spread = _linear(measure, np.array([base[run] for run in runs]))
        value, spread = value - other, spread - other_spread
    elif measure.kind == "share_of_raids" and all(mine[run] in ((0.0, 1.0), (1.0, 1.0)) for run in runs):
        return value, wilson(value * len(runs), len(runs), confidence).half_width
    z = float(ndtri(0.5 + 0.5 * confidence))
    return value, z * float(spread.std(ddof=1)) / math.sqrt(len(runs))


def _linear(measure: Measure, parts: np.ndarray) -> tuple[float, np.ndarray]:
    """Return a mean or ratio, and what each run adds to it to first order (the delta method)."""
    above, below = parts[:, 0], parts[:, 1]
    if measure.kind != "ratio":
        return float(above.mean()), above - above.mean()
    total = float(below.mean())
    if total <= 0.0:
        return math.nan, np.full(len(above), math.inf)
    ratio = float(above.mean()) / total
    return ratio, (above - ratio * below) / total


def execute(
    prepared: Prepared,
    journal: Journal,
    *,
    make_executor: MakeExecutor | None = None,
    workers: int = 1,
    keep: bool = False,
    tell: Tell = lambda _done, _all: None,
) -> list[int]:
    """Fly what is not in the journal yet; return how many runs of each alternative count.

    `make_executor` makes the executor, and makes it again where its workers died; None: threads.  `keep`: it is
    somebody else's, and lives on.
    """
    study = prepared.study
    watch = _watch(prepared)
    alternatives = len(prepared.alternatives)
    known = [frozenset(journal.known(number)) for number in range(alternatives)]
    if watch:
        for number in range(alternatives):
            for row in journal.rows(number, study.runs):
                watch.take(row)
    crew = _Crew(prepared, make_executor or (lambda: ThreadPoolExecutor(workers)), workers * AHEAD, keep=keep)
    total = study.runs * alternatives
    done = sum(len(runs) for runs in known)
    tell(done, total)
    try:
        for end in range(study.block, study.runs + study.block, study.block):
            end = min(end, study.runs)
            begin = (end - 1) // study.block * study.block
            chunks = _chunks(alternatives, begin, end, known)
            for chunk, rows in crew.flown(chunks):
                journal.add(chunk.cells, rows)
                if watch:
                    for data in rows:
                        watch.take(decoded(data))
                done += len(rows)
                tell(done, total)
            if watch and watch.is_enough(alternatives, end, study.confidence):
                return [end] * alternatives
    finally:
        crew.close()
    return [study.runs] * alternatives


def _watch(prepared: Prepared) -> _Watch | None:
    stop = prepared.study.stop
    if stop is None:
        return None
    measure = BY_NAME.get(stop.measure)
    if measure is None or measure.kind not in ("mean", "ratio", "share_of_raids"):
        usable = ", ".join(each.name for each in BY_NAME.values() if "quantile" not in each.kind)
        raise OpencramError(f'$.stop.measure = "{stop.measure}": must be one of {usable}')
    return _Watch(stop, measure)


def _chunks(alternatives: int, begin: int, end: int, known: list[frozenset[int]]) -> Iterator[Chunk]:
    """Yield what is to be flown of a block: all alternatives of a run by one worker, if they are not too many."""
    together = min(alternatives, TOGETHER_MAX)
    for first in range(begin, end, at_once := max(CHUNK // together, 1)):
        runs = range(first, min(first + at_once, end))
        for group in range(0, alternatives, together):
            numbers = range(group, min(group + together, alternatives))
            cells = tuple((number, run) for run in runs for number in numbers if run not in known[number])
            if cells:
                yield Chunk(cells)


class _Crew:
    """The workers: hands out chunks, a bounded number at a time, and again where a worker died."""

    def __init__(self, prepared: Prepared, make: MakeExecutor, ahead: int, *, keep: bool) -> None:
        self._keep = keep
        self._parcel = parcel_of(prepared)
        self._make = make
        self._ahead = max(ahead, 1)
        self._executor: Executor | None = None

    def flown(self, chunks: Iterator[Chunk]) -> Iterator[tuple[Chunk, list[bytes]]]:
        """Yield each chunk with its rows, in the order in which they are done."""
        pending: dict[Future[list[bytes]], Chunk] = {}
        tries: dict[Chunk, int] = {}
        again: list[Chunk] = []
        while True:
            while len(pending) < self._ahead:
                chunk = again.pop() if again else next(chunks, None)
                if chunk is None:
                    break
                try:
                    pending[self._submit(chunk)] = chunk
                except BrokenExecutor:
                    self._replace()
                    again.append(chunk)
            if not pending:
                return
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=lambda each: pending[each].cells):
                chunk = pending.pop(future)
                try:
                    rows = future.result()
                except BrokenExecutor as error:
                    tries[chunk] = tries.get(chunk, 0) + 1
                    if tries[chunk] >= TRIES_MAX:
                        raise OpencramError(
                            f"runs {chunk.cells[0][1]} to {chunk.cells[-1][1]} ended {TRIES_MAX} workers ({error}); "
                            "what was flown is kept: give the workers more memory, or fewer of them, and start again"
                        ) from error
                    self._replace()
                    again.append(chunk)
                    continue
                yield chunk, rows

    def close(self) -> None:
        """Let the workers go; what is still in work is given up."""
        if self._executor is not None and not self._keep:
            self._executor.shutdown(wait=True, cancel_futures=True)

    def _submit(self, chunk: Chunk) -> "Future[list[bytes]]":
        if self._executor is None:
            self._executor = self._make()
        return self._executor.submit(run_chunk, self._parcel, chunk.cells)

    def _replace(self) -> None:
        """Give up a broken executor; the next chunk makes a new one."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None
