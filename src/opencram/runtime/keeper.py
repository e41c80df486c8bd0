"""The keeper of the live service: it holds the sockets and the compiled kernels, and a worker does the work.

    keeper (this module)   binds every socket, loads every kernel, forks the worker, waits
    worker                 the asyncio service of `runtime.live`

A worker that is killed is replaced by another fork, which finds everything loaded: back in a tenth of a second,
while the plots wait in the sockets that the keeper never let go.  SIGTERM and SIGINT end the service in good
order.  SIGHUP reads the site file again: if it is in order, the worker writes its state down and a new one goes
on from there under the new file; if it is not, its faults are told and nothing changes.
"""

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
from opencram.errors import OpencramError
from opencram.runtime.sockets import bind_all

HANDOVER_EXIT: Final = 75  # of a worker that was asked to make way
RESTARTS_MAX, RESTARTS_S = 5, 60.0  # a worker that dies oftener than so does not get well by itself
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
_DIE_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG

Tell = Callable[[str], None]
Serve = Callable[[Site, Path, Mapping[str, socket.socket], Tell], bool]


class Keeper:
    """Keeps one site's live service going; `run` returns when it has been asked to end, and has ended."""

    def __init__(
        self,
        site_path: Path,
        serve: Serve,
        warm: Callable[[Site], None],
        tell: Tell,
        sockets: Mapping[str, socket.socket] | None = None,
    ) -> None:
        """`sockets`: those that are bound already."""
        self._path = site_path
        self._serve = serve
        self._warm = warm
        self._tell = tell
        self._site = load_site(site_path)
        self._sockets: dict[str, socket.socket] = dict(sockets or {})
        self._deaths: deque[float] = deque()

    def run(self) -> None:
        """Serve until asked to end; a worker that cannot be kept alive is an error."""
        # Until the first worker runs, a signal ends the program as it ends any other.
        self._bind()
        self._warm(self._site)
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            self._keep_going()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            for each in self._sockets.values():
                each.close()

    def _keep_going(self) -> None:
        worker, ending = self._fork(), False
        while True:
            number = signal.sigwait(_SIGNALS)
            if number in (signal.SIGTERM, signal.SIGINT):
                ending = True
                os.kill(worker, signal.SIGTERM)
            elif number == signal.SIGHUP and not ending:
                self._read_again(worker)
            ended, status = os.waitpid(worker, os.WNOHANG)
            if not ended:
                continue
            code = os.waitstatus_to_exitcode(status)
            if code == 0 or (ending and code in (-signal.SIGTERM, HANDOVER_EXIT)):
                return
            if ending or code == 2:
                raise OpencramError("the live service could not go on; what it said stands above")
            if code != HANDOVER_EXIT:
                self._note_death(code)
            worker = self._fork()

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
            self._bind()
        except OpencramError as error:
            self._site = before
            self._tell(f"live: the site file is not taken, all goes on as before: {error}")
            return
        self._warm(site)  # the old worker works on
        self._tell("live: the site file has changed; a new worker takes over")
        os.kill(worker, signal.SIGUSR1)

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
