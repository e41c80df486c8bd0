"""A live run behind the screens: batches are made in a thread, at the pace of the data, and appended to the timeline.

What operators do is taken into the next batch, and so stands in the recording like every other input.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, cast

from opencram.errors import OpencramError
from opencram.messages import Health, Message, Operator, Tick
from opencram.runtime.sinks import Sink

Batch = tuple[Sequence[Message], Sequence[Message]]
Said = Callable[[int], list[Message]]
Action = Literal["consent", "veto", "hold", "release", "acknowledge"]
WAITING_MAX = 1000
CLOCK_S = 0.1


class LiveRun:
    """Draws batches in a thread of its own.  `deliver` gets each in order, on that thread.

    `paced`: batches wait for their time, as counted from the first; else they come as fast as they are made.
    """

    def __init__(
        self, make: Callable[[Said], Iterator[Batch]], *, paced: bool, record: Callable[[], Sink] | None = None
    ) -> None:
        self._make = make
        self._paced = paced
        self._record = record
        self._waiting: queue.Queue[tuple[str, Action, int, str]] = queue.Queue(WAITING_MAX)
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, deliver: Callable[[list[Message]], None], finished: Callable[[], None]) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, args=(deliver, finished), name="live run", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the run and close its recording."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(timeout=5.0)

    def tell(self, operator: str, action: str, track_id: int, zone: str) -> None:
        """Take an operator's action into the next batch."""
        self._waiting.put_nowait((operator, cast(Action, action), track_id, zone))

    def said(self, t_ns: int) -> list[Message]:
        """Return what operators have done since the last call, as of `t_ns`."""
        found: list[Message] = []
        while not self._waiting.empty():
            operator, action, track_id, zone = self._waiting.get_nowait()
            found.append(Operator(t_ns=t_ns, operator=operator, action=action, track_id=track_id, zone=zone))
        return found

    def _run(self, deliver: Callable[[list[Message]], None], finished: Callable[[], None]) -> None:
        began_s, began_ns, last_ns = time.monotonic(), 0, 0
        sink = self._record() if self._record is not None else None  # its file belongs to this thread
        try:
            for inputs, outputs in self._make(self.said):
                last_ns = max([last_ns, *(m.t_ns for m in inputs if type(m) is Tick)])
                began_ns = began_ns or last_ns
                if self._paced and not self._waited(began_s, began_ns, last_ns, deliver):
                    return
                if self._ending.is_set():
                    return
                if sink is not None:
                    sink.take(inputs, outputs)
                deliver([*inputs, *outputs])
        except OpencramError as error:
            deliver([Health(t_ns=last_ns, part="pipeline", state="lost", reason=str(error))])
        finally:
            if sink is not None:
                sink.close()
            finished()

    def _waited(self, began_s: float, began_ns: int, until_ns: int, deliver: Callable[[list[Message]], None]) -> bool:
        """Wait until data time may be `until_ns`, the clock of the screens going on; return False if the run ends."""
        while True:
            now_ns = began_ns + round((time.monotonic() - began_s) * 1e9)
            if now_ns >= until_ns:
                return True
            if self._ending.wait(min((until_ns - now_ns) / 1e9, CLOCK_S)):
                return False
            if until_ns - now_ns > CLOCK_S * 1e9:
                deliver([Tick(t_ns=now_ns)])
