"""A bar for what takes long: how far it is, and how long it will still take."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

_LINES = 10  # where there is no terminal: a line each tenth


@contextmanager
def bar(what: str, stderr: TextIO) -> Iterator[Callable[[int, int], None]]:
    """Yield what is told of things done and in all: a bar with the time left, or, without a terminal, some lines."""
    if not stderr.isatty():
        yield _by_lines(what, stderr)
        return
    columns = (SpinnerColumn(), TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=stderr), speed_estimate_period=120.0, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _by_lines(what: str, stderr: TextIO) -> Callable[[int, int], None]:
    said = -1

    def tell(done: int, total: int) -> None:
        nonlocal said
        tenth = _LINES * done // max(total, 1)
        if tenth > said:
            said = tenth
            stderr.write(f"{what}: {done} of {total}\n")
            stderr.flush()

    return tell
