"""A study from its file to its result: what the command line and a notebook call."""

import functools
import hashlib
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

from opencram import __version__
from opencram.config.study import load_study
from opencram.config.study_model import StudyFile
from opencram.errors import FileError, OpencramError, UsageError
from opencram.runtime.header import commit
from opencram.studies.executing import MakeExecutor, Tell, execute
from opencram.studies.measures import BY_NAME
from opencram.studies.preparing import Prepared, prepare
from opencram.studies.results import StudyResult, load_result
from opencram.studies.store import SUFFIX, Journal, need_pyarrow, write_parquet

JOURNAL = ".journal"


def run_study(
    study: str | Path | StudyFile,
    out: str | Path | None = None,
    *,
    workers: int = 1,
    executor: Executor | Literal["threads", "processes"] = "threads",
    runs: int | None = None,
    tell: Tell = lambda _done, _all: None,
) -> StudyResult:
    """Fly a study and return its result, which also stands in the Parquet file `out` (beside the study file).

    What an interrupted run of the same study has flown is not flown again.  `executor`: threads, processes, or any
    executor of one's own (`dask.distributed.Client.get_executor()`); the result is the same to the last byte.
    `runs`: of each alternative, instead of what the file says.  Raises `OpencramError`.
    """
    need_pyarrow()
    file = load_study(study) if isinstance(study, str | Path) else study
    if runs is not None:
        file = replace(file, runs=runs)
    prepared = checked(prepare(file))
    path = Path(out) if out is not None else default_out(study, file)
    if not path.absolute().parent.is_dir():
        raise FileError(f"cannot write {path}: there is no folder {path.parent}; make it first")
    journal = Journal(path.with_name(path.name + JOURNAL), identity(prepared))
    make: MakeExecutor | None = None
    keep = False
    if executor == "processes":
        make = lambda: processes(workers)  # noqa: E731
    elif isinstance(executor, Executor):
        own: Executor = executor
        make, keep = (lambda: own), True
    try:
        counts = execute(prepared, journal, make_executor=make, workers=workers, keep=keep, tell=tell)
        write_parquet(path, prepared, journal, counts, program())
    except BaseException:
        journal.close()
        raise
    journal.close(delete=True)
    return load_result(path)


def default_out(study: str | Path | StudyFile, file: StudyFile) -> Path:
    """Return where the result goes if nobody says: beside the study file, or here."""
    return Path(study).with_suffix(SUFFIX) if isinstance(study, str | Path) else Path(f"{file.name}{SUFFIX}")


def checked(prepared: Prepared) -> Prepared:
    """Return the study if every measure it names is known; raise `OpencramError` with those that are not."""
    unknown = [name for name in prepared.study.measures if name not in BY_NAME]
    if unknown:
        raise OpencramError(f"$.study.measures: {', '.join(unknown)} is not known; there are {', '.join(BY_NAME)}")
    return prepared


def program() -> str:
    """Return what flew the study: version, and commit where it is known."""
    built = commit()
    return f"{__version__} {built[:12]}".strip()


def identity(prepared: Prepared) -> str:
    """Return what a journal must share with a study to be gone on with: its files and the program, not its runs."""
    study = prepared.study
    parts = [study.sha256, prepared.scenario_sha256, prepared.site_sha256, _source()]
    return " ".join(parts)


@functools.cache
def _source() -> str:
    """Return a hash of the program: rows of two versions of it must not meet in one result."""
    digest = hashlib.sha256()
    package = Path(__file__).resolve().parents[1]
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def processes(workers: int) -> ProcessPoolExecutor:
    """Return processes that begin afresh: a forked one would share the locks of the threads that it was forked from."""
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_deaf)


def _deaf() -> None:
    """Leave Ctrl-C, which a terminal sends to all, to the one who hands out the work: a worker that dies of it while it
    holds the queue would keep the others waiting for ever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def dask_executor(address: str, *, timeout_s: float = 10.0) -> Iterator[tuple[Executor, int]]:
    """Yield the executor of a Dask cluster and the number of its threads.  Raises `OpencramError`."""
    try:
        from distributed import Client
    except ImportError as error:
        raise UsageError("dask is not installed: pip install 'opencram[study]'") from error
    try:
        client: Any = Client(address, timeout=timeout_s, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise UsageError(f"--dask {address}: no scheduler answers ({error}); start one with dask scheduler") from error
    try:
        threads = sum(client.nthreads().values())
        # A worker that dies takes its runs with it; the scheduler sends them to another one.
        yield client.get_executor(pure=False, retries=3), max(threads, 1)
    finally:
        client.close()
