"""Who may write a log: one live service at a time; another may stand by for it.

The right is a lock on the file `live.lock` in the folder of the log.  It belongs to the keeper and the worker that it
forked together, and is free when the last of them has ended, however that came about.
"""

import fcntl
import os
from pathlib import Path
from typing import Final

from opencram.errors import OpencramError

NAME: Final = "live.lock"


class LogLock:
    """The lock of one log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.held = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise OpencramError(f"cannot write in {folder}: {error.strerror}; give a folder with room") from error

    def take(self) -> bool:
        """Return whether the log is ours, now or since before."""
        if not self.held:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            self.held = True
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        return True

    @property
    def holder(self) -> str:
        """Number of the process that took the lock last."""
        return os.pread(self._file, 20, 0).decode("ascii", "replace").strip() or "unknown"

    def close(self) -> None:
        """Let go, as far as this process is concerned."""
        os.close(self._file)
