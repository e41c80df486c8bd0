"""The keeper of the live service: it holds the sockets and the compiled kernels, and a worker does the work.

    keeper (this module)   binds every socket, loads every kernel, forks the worker, waits
    worker                 the asyncio service of `runtime.live`

A worker that is killed is replaced by another fork, which finds everything loaded: back in a tenth of a second,
while the plots wait in the sockets that the keeper never let go.  Where a log is there to go on from, the first worker
goes to work before the kernels are loaded, and loads those that it calls; when the keeper has loaded them all, that
worker makes way for one that finds them.  SIGTERM and SIGINT end the service in good
order.  SIGHUP reads the site file again: if it is in order, the worker writes its state down and a new one goes
on from there under the new file; if it is not, its faults are told and nothing changes.

A second service of the same site file may stand by: everything loaded, it waits for the lock of the log.  When the
first has ended, by a kill of all its processes too, it binds the sockets and goes on where the log ends.
"""

import contextlib
import ctypes
import os
import signal
import socket
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NoReturn

from opencram.config.model import Site
from opencram.config.site import load_site
from opencram.errors import OpencramError, UsageError
from opencram.runtime.lock import LogLock
from opencram.runtime.sockets import bind_all

HANDOVER_EXIT: Final = 75  # of a worker that was asked to make way
RESTARTS_MAX, RESTARTS_S = 5, 60.0  # a worker that dies oftener than so does not get well by itself
STANDBY_S: Final = 0.01  # how often a service that stands by asks for the lock …
SITE_LOOKS: Final = 100  # … and in how many of these rounds it looks once at the site file
BIND_S: Final = 1.0  # how long it waits for the sockets of the one that has ended
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
_DIE_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG

Tell = Callable[[str], None]
Between = Callable[[], None]  # what is to be done now and then meanwhile; what it raises ends the loading
Reserved = tuple[LogLock, dict[str, socket.socket]]
Serve = Callable[[Site, Path, Mapping[str, socket.socket], Tell], bool]


class _Free(Exception):
    """The log is ours now."""


class _Over(Exception):
    """The service has ended."""


class Keeper:
    """Keeps one site's live service going; `run` returns when it has been asked to end, and has ended."""

    def __init__(
        self,
        site_path: Path,
        serve: Serve,
        warm: Callable[[Site, Between | None], None],
        tell: Tell,
        reserved: Reserved | None = None,
        *,
        standby: bool = False,
        hurried: Callable[[Site], bool] = lambda site: False,
    ) -> None:
        """`reserved`: what was reserved already.  `standby`: wait while another service has the log.

        `hurried`: whether a worker is to go to work before `warm` has loaded the kernels.
        """
        self._path = site_path
        self._serve = serve
        self._warm = warm
        self._tell = tell
        self._stamp = _stamp(site_path)
        self._site = load_site(site_path)
        lock, self._sockets = reserved or reserve(self._site, site_path, standby=standby)
        self._locks = [lock]  # the last is that of the log
        self._deaths: deque[float] = deque()
        self._hurried = hurried
        self._loaded = self._ending = False
        self._worker = 0

    def run(self) -> None:
        """Serve until asked to end; a worker that cannot be kept alive is an error."""
        # Until the first worker runs, or while standing by, a signal ends the program as it ends any other.
        ours = self._locks[-1].held
        if not ours:
            with contextlib.suppress(_Free):
                self._load(self._look_for_the_log)
        elif not self._hurried(self._site):
            self._load()
        signal.pthread_sigmask(signal.SIG_BLOCK, {*_SIGNALS, signal.SIGUSR1})
        try:
            if ours or self._stand_by():
                self._keep_going()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            for each in self._sockets.values():
                each.close()
            for lock in self._locks:
                lock.close()

    def _load(self, between: Between | None = None) -> None:
        self._warm(self._site, between)
        self._loaded = True

    def _look_for_the_log(self) -> None:
        """Load no more kernels once the service that this one is to stand by for has ended."""
        if all(lock.take() for lock in self._locks) and self._hurried(self._site):
            raise _Free

    def _stand_by(self) -> bool:
        """Wait until the log is free, and be ready then; return False if asked to end before."""
        if not self._locks[-1].held:
            self._tell(f"live: stands by for process {self._locks[-1].holder}")
        rounds = 0
        while not all(lock.take() for lock in self._locks):
            asked = signal.sigtimedwait(_SIGNALS, STANDBY_S)
            if asked is not None and asked.si_signo in (signal.SIGTERM, signal.SIGINT):
                return False
            rounds += 1
            if rounds % SITE_LOOKS == 0:
                self._look_again()
        self._tell("live: the other service has ended; this one takes over")
        until_s = time.monotonic() + BIND_S
        while True:
            try:
                self._bind()
                return True
            except UsageError:
                if time.monotonic() > until_s:
                    raise
                time.sleep(STANDBY_S)

    def _look_again(self) -> None:
        """Take the site file that has changed while this service stood by, if it is in order."""
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            site = load_site(self._path)
            self._locks = self._locks_under(site)
        except OpencramError as error:
            self._tell(f"live: the site file is not taken: {error}")
            return
        self._site = site
        self._load()

    def _keep_going(self) -> None:
        self._worker = self._fork()
        with contextlib.suppress(_Over):
            if not self._loaded:
                self._load(self._heed_what_waits)
                os.kill(self._worker, signal.SIGUSR1)
            while True:
                self._heed(signal.sigwait(_SIGNALS))

    def _heed_what_waits(self) -> None:
        """Heed the signals that have come while kernels were being loaded; a changed site file has time."""
        while (came := signal.sigtimedwait(set(_SIGNALS) - {signal.SIGHUP}, 0)) is not None:
            self._heed(came.si_signo)

    def _heed(self, number: int) -> None:
        """Do what a signal asks for; raise `_Over` when the service has ended as it was to."""
        if number in (signal.SIGTERM, signal.SIGINT):
            self._ending = True
            os.kill(self._worker, signal.SIGTERM)
        elif number == signal.SIGHUP and not self._ending:
            self._read_again(self._worker)
        ended, status = os.waitpid(self._worker, os.WNOHANG)
        if not ended:
            return
        code = os.waitstatus_to_exitcode(status)
        if code == 0 or (self._ending and code in (-signal.SIGTERM, HANDOVER_EXIT)):
            raise _Over
        if self._ending or code == 2:
            raise OpencramError("the live service could not go on; what it said stands above")
        if code != HANDOVER_EXIT:
            self._note_death(code)
        self._worker = self._fork()

    def _note_death(self, code: int) -> None:
        why = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        now_s = time.monotonic()
        self._deaths.append(now_s)
        while now_s - self._deaths[0] > RESTARTS_S:
            self._deaths.popleft()
        if len(self._deaths) > RESTARTS_MAX:
            raise OpencramError(
                f"the live service {why}, as it did {RESTARTS_MAX} times within {RESTARTS_S:.0f} s; see what it said"
            )
        self._tell(f"live: the worker {why}; another takes over")

    def _read_again(self, worker: int) -> None:
        """Take the site file as it now stands, if it is in order."""
        try:
            site = load_site(self._path)
        except OpencramError as error:
            self._tell(f"live: the site file is not taken, all goes on as before: {error}")
            return
        if site.sha256 == self._site.sha256:
            self._tell("live: the site file has not changed")
            return
        before = self._site
        self._site = site
        try:
            self._locks = self._locks_under(site)
            _must_take(self._locks[-1])
            self._bind()
        except OpencramError as error:
            self._site = before
            self._tell(f"live: the site file is not taken, all goes on as before: {error}")
            return
        self._load()  # the old worker works on
        self._tell("live: the site file has changed; a new worker takes over")
        os.kill(worker, signal.SIGUSR1)

    def _locks_under(self, site: Site) -> list[LogLock]:
        """Return the locks that a service of a site file needs.

        Those of other logs before are kept: a worker that makes way still writes there, and nobody is to take over
        from it.
        """
        folder = _log_of(site, self._path)
        here = [lock for lock in self._locks if lock.folder == folder] or [LogLock(folder)]
        return [*(lock for lock in self._locks if lock.folder != folder), *here]

    def _bind(self) -> None:
        """Bind what the site file names and is not bound yet; let go what it does not name any more."""
        made = bind_all(self._site.live, self._sockets)
        for name in self._sockets.keys() - made.keys():
            self._sockets[name].close()
        self._sockets = made

    def _fork(self) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        worker = os.fork()
        if worker:
            return worker
        self._work(parent)

    def _work(self, parent: int) -> NoReturn:
        """Be the worker: nothing of the keeper goes on in this process."""
        code = 1
        try:
            # Without its keeper a worker would hold the sockets and the log against the next start.
            ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            handed_over = self._serve(self._site, self._path.parent, self._sockets, self._tell)
            code = HANDOVER_EXIT if handed_over else 0
        except OpencramError as error:
            sys.stderr.write(f"opencram: {error}\n")
            code = 2
        except Exception:  # told whole; the keeper sees the code, and another worker takes over
            sys.stderr.write(traceback.format_exc())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def reserve(site: Site, path: Path, *, standby: bool) -> Reserved:
    """Return the lock of the log of a site file and, if it is ours, its sockets: plots wait in them from here on.

    That the log is another's is an error unless we stand by.
    """
    lock = LogLock(_log_of(site, path))
    if standby and not lock.take():
        return lock, {}
    _must_take(lock)
    return lock, bind_all(site.live, {})


def _log_of(site: Site, path: Path) -> Path:
    return (path.parent / site.live.log).resolve()


def _must_take(lock: LogLock) -> None:
    if not lock.take():
        words = f"process {lock.holder} writes the log in {lock.folder}"
        raise UsageError(f"{words}: end it, stand by for it with --standby, or name another folder ([live] log)")


def _stamp(path: Path) -> tuple[int, int, int]:
    """Return what changes when a file is written; zeros if there is none."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino
