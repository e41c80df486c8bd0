"""What can go wrong, as a tree.

OpencramError                an operator can mend it; the message names place, value, limit and remedy
├── UsageError               the command line asks for something impossible
├── FileError                a file cannot be read or written
│   ├── ConfigError          a site, scenario or study file has faults; `faults` holds every one of them
│   └── RecordingError       a recording is torn, foreign, or from another schema version
│       └── OpenElsewhereError   it is whole, but another program keeps it from becoming one plain file
└── NoPlotsError             the input held no readable plot

Bad data (a NaN range, a late plot, a fit without a solution) never raises: the core answers with a
`Rejected` message or a status.  A programmer's mistake is an `assert`.
"""

from dataclasses import dataclass


class OpencramError(Exception):
    """An error whose text a person can act on.  `exit_code` is what the command line returns."""

    exit_code = 2


class UsageError(OpencramError):
    """The command line asks for something impossible."""


class FileError(OpencramError):
    """A file cannot be read or written."""


@dataclass(frozen=True)
class Fault:
    """One fault in a file: where it stands, what stands there, what is allowed, what to do."""

    place: str  # "$.sensor[1].range_max_m"
    value: str  # "-1"
    limit: str  # "must be > 0"
    remedy: str  # "give the radar's instrumented range in metres"

    def __str__(self) -> str:
        return f"{self.place} = {self.value}: {self.limit}; {self.remedy}"


class ConfigError(FileError):
    """A site, scenario or study file has faults; all of them are named at once."""

    def __init__(self, path: str, faults: list[Fault]) -> None:
        self.path = path
        self.faults = faults
        lines = "\n".join(f"  {fault}" for fault in faults)
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__(f"{path}: {count}\n{lines}")


class RecordingError(FileError):
    """A recording is torn, foreign, or from another schema version."""


class OpenElsewhereError(RecordingError):
    """A recording is whole and sealed, but another program keeps it from becoming one plain file."""


class NoPlotsError(OpencramError):
    """The input held no readable plot."""

    exit_code = 3


def is_interrupt(error: BaseException) -> bool:
    """Tell whether the user interrupted; an interrupt while a kernel returns comes as the cause of a SystemError."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, KeyboardInterrupt):
        cause = cause.__cause__
    return cause is not None
