"""The live service: feeds in, the pipeline, channels out; one asyncio loop around `runtime.core`.

It ends gracefully on SIGINT or SIGTERM: feeds close, the open dwell is finished, alarms are delivered, the log
is sealed.  After a kill it goes on where the log ends.
"""

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from opencram.adapters.cap import CapBook, CapMessage, CapZone
from opencram.adapters.cap_sign import CapSigner
from opencram.adapters.clocks import Clocks
from opencram.adapters.feeds import Feed, Received
from opencram.adapters.gate import Gate
from opencram.adapters.stations import limits
from opencram.config.model import Site
from opencram.errors import OpenElsewhereError
from opencram.messages import FeedStatus, Health, Message, Operator, Warning
from opencram.recording import Writer
from opencram.runtime import channels as outlets
from opencram.runtime.core import COMMIT_NS, SNAPSHOT_NS, Alarm, Core
from opencram.runtime.fallbacks import site_health
from opencram.runtime.feeding import feed_config
from opencram.runtime.fittings import cap_config, overflows, report_of, sender_of, zones_of
from opencram.runtime.logbook import Retention, finish, unsealed
from opencram.runtime.played import Played
from opencram.runtime.sockets import open_feed
from opencram.runtime.stations import stations
from opencram.runtime.steady import STEP_NS, SteadyClock
from opencram.runtime.stream import Stream

BEAT_S: Final = 0.002  # how often what is due by time is looked for
STATUS_S: Final = 1.0
CHECK_S: Final = 0.05
COMMIT_PAUSE_S: Final = 0.05  # between two syncs of the log that no alarm waits for
BUSY_MAX: Final = 10
DRAIN_S: Final = 5.0
REST_S: Final = 2.0  # for what waits in sockets when the service is told to stop
RECENT_MAX: Final = 1000  # CAP messages that the Atom feed and the API remember


T = TypeVar("T")
Action = Literal["consent", "veto", "hold", "release", "acknowledge"]


@dataclass
class Board:
    """What the health page, the API and the metrics show."""

    site: str
    started_ns: int
    zones: Mapping[str, CapZone]
    statuses: dict[str, FeedStatus] = field(default_factory=dict)
    health: dict[str, Health] = field(default_factory=dict)
    standing: dict[str, CapMessage] = field(default_factory=dict)  # by zone
    recent: dict[str, CapMessage] = field(default_factory=dict)  # by identifier, oldest first
    latencies_s: dict[str, float] = field(default_factory=dict)  # last one, by channel


def _in_words(warning: Warning) -> str:
    """Return a warning as a line of what the service says."""
    if warning.state in ("cancelled", "all_clear"):
        return f"{warning.state} {warning.zone}"
    left = f"{warning.seconds_left:.0f} s left" if warning.seconds_left else "stay there"
    return f"{warning.state} {warning.zone}: {warning.advice}, {left}"


class LiveService:
    """A site's live service; `run` lasts until it is told to stop."""

    def __init__(
        self,
        site: Site,
        base: Path,
        tell: Callable[[str], None],
        sockets: Mapping[str, socket.socket],
        played: Played | None = None,
    ) -> None:
        """`played`: recorded plots stand for the feeds, and their clock for that of the day."""
        self._site = site
        self._sockets = sockets
        self.handed_over = False
        self._base = base
        self._tell = tell
        self._played = played
        self._steady = SteadyClock()
        self._told_set_by_ns = 0  # of the machine's clock
        self._clock: Callable[[], int] = self._steady if played is None else played.clock
        now_ns = self._clock()
        live = site.live
        self.board = Board(site=site.name, started_ns=now_ns, zones=zones_of(site))
        cap = cap_config(site, base)
        self._signer = (
            CapSigner(base / live.cap.key_file, base / live.cap.certificate_file) if live.cap.key_file else None
        )
        self.outlets = [
            outlets.Outlet(channel.name, sender_of(channel, site, base), self._report, self._clock)
            for channel in live.channels
            if channel.takes_alarms
        ]
        self.reports = [
            report_of(channel, site, base, self._report) for channel in live.channels if not channel.takes_alarms
        ]
        book = CapBook(cap, self.board.zones)
        self.stream = Stream(site)
        self._retention = Retention(
            segment_bytes=round(live.segment_mb * 1e6),
            segment_s=live.segment_s,
            keep_bytes=round(live.keep_gb * 1e9),
            keep_days=live.keep_days,
            parquet=live.parquet,
        )
        names = [outlet.name for outlet in self.outlets]
        self.core = Core(site, base / live.log, book, names, now_ns, self._retention)
        self.core.commits = False
        self.core.hurry = self._log_at_once
        self._logged: asyncio.Future[Any] | None = None  # when the log has the alarms that are yet to be handed out
        self.core.watch = self._show
        self.board.standing.update(self.core.standing)
        for fallback in site_health(site, now_ns):
            self._report(fallback)
        known = stations(site)
        self._clocks = Clocks() if played is None else None
        gate = Gate(limits(known), self.core.last_plot_id + 1, self._clocks)
        self.feeds = [Feed(feed_config(source, base), known, gate) for source in live.feeds]
        self._overflows = overflows(live.feeds, self.feeds, sockets) if played is None else []
        self._stop = asyncio.Event()
        self._stepped = asyncio.Event()
        self._disk = ThreadPoolExecutor(1, "log")
        self._alarm_disk = ThreadPoolExecutor(1, "alarms")  # which wait for nothing else that is being written

    def stop(self) -> None:
        """Ask the service to end."""
        self._stop.set()

    def _make_way(self) -> None:
        """End so that another worker can go on at once: what is not delivered yet is left to it."""
        self.handed_over = True
        self._stop.set()

    async def run(self) -> None:
        """Open everything, serve until stopped, end in good order."""
        loop = asyncio.get_running_loop()
        for number, act in ((signal.SIGINT, self.stop), (signal.SIGTERM, self.stop), (signal.SIGUSR1, self._make_way)):
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # not in the main thread
                loop.add_signal_handler(number, act)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})  # the keeper may have asked before
        tasks: list[asyncio.Task[Any]] = [asyncio.create_task(each.run()) for each in (*self.outlets, *self.reports)]
        self._dispatch(self.core.again)
        if self._played is not None:
            feed_tasks = [asyncio.create_task(self._play(self._played))]
        else:
            feed_tasks = [
                await open_feed(source, feed, self._receive, self._ended, self._sockets)
                for source, feed in zip(self._site.live.feeds, self.feeds, strict=True)
            ]
        tasks += [
            asyncio.create_task(work()) for work in (self._beat, self._watch, self._commit, self._keep, self._file)
        ]
        tasks.append(asyncio.create_task(self._serve_web()))
        what = f"{len(self.feeds)} feeds, {len(self.outlets)} channels"
        self._tell(f"live: {self._site.name}, {what}; {self.core.open_alarms} alarms stand from before")
        stopped = asyncio.create_task(self._stop.wait())
        done, _ = await asyncio.wait([stopped, *tasks, *feed_tasks], return_when=asyncio.FIRST_COMPLETED)
        await self._end(feed_tasks, tasks)
        for task in done - {stopped}:
            task.result()  # an error that ended a task ends the service, and is told
        self._tell("live: made way" if self.handed_over else "live: stopped; the log is sealed")

    async def _serve_web(self) -> None:
        if self._site.live.http is None:
            await asyncio.Event().wait()
        from opencram.runtime.web import serve

        await serve(self._site.live, self._base, self, self._sockets)

    async def _end(self, feed_tasks: Sequence[asyncio.Task[None]], tasks: Sequence[asyncio.Task[Any]]) -> None:
        if not self.handed_over:
            await self._take_the_rest()
        for task in feed_tasks:
            task.cancel()
        await asyncio.gather(*feed_tasks, return_exceptions=True)
        self._dispatch(self.core.advance(self._clock()))
        await asyncio.gather(*(outlet.drain(0.0 if self.handed_over else DRAIN_S) for outlet in self.outlets))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(outlet.close() for outlet in self.outlets), return_exceptions=True)
        if self.handed_over:
            self.core.make_way(self._clock())
            return
        try:
            self.core.close(self._clock())
        except OpenElsewhereError as error:
            self._tell(f"log: {error}")

    async def _take_the_rest(self) -> None:
        """Take what waits in the sockets, if that can be done soon; what cannot is told as lost."""
        until_s = time.monotonic() + REST_S
        while any(overflow.is_waiting for _, overflow in self._overflows) and time.monotonic() < until_s:
            await asyncio.sleep(BEAT_S)
        clock_ns = self._clock()
        self._count_losses(clock_ns)
        for feed, overflow in self._overflows:
            self._tell_losses(feed, *overflow.let_go(clock_ns))
        for feed in self.feeds:
            self.core.note(feed.status(clock_ns))

    # ---- what happens ----

    def _receive(self, feed: Feed, pieces: Sequence[bytes]) -> Received:
        clock_ns = self._clock()
        if self._site.live.raw:
            for data in pieces:
                self.core.received(feed.config.name, data, clock_ns)
        received = feed.receive_all(pieces, clock_ns)
        self._take(received.messages, clock_ns)
        return received

    def _ended(self, feed: Feed) -> None:
        """Take what the end of a connection leads to."""
        clock_ns = self._clock()
        self._take(feed.disconnected(clock_ns), clock_ns)

    async def _play(self, played: Played) -> None:
        """Take recorded plots; when they have ended, and everything that came of them has, the service stops."""
        [feed] = self.feeds
        await played.run(lambda plots, t_ns: self._take(feed.pass_on(plots, t_ns), t_ns), self.core.last_plot_id)
        while not self.core.is_idle:
            await asyncio.sleep(CHECK_S)
        self.stop()
        await asyncio.Event().wait()

    def _take(self, messages: Sequence[Message], clock_ns: int) -> None:
        for message in messages:
            if isinstance(message, Health):
                self._show_health(message)
        self._dispatch(self.core.take(messages, clock_ns))

    def _log_at_once(self) -> None:
        """Put the log on the disk, for the alarms that are being written meanwhile."""
        writer = self.core.writer
        writer.set_aside()
        before, loop = self._logged, asyncio.get_running_loop()
        now = loop.run_in_executor(self._alarm_disk, writer.flush)
        self._logged = now if before is None else asyncio.gather(before, now)

    def _dispatch(self, alarms: Sequence[Alarm]) -> None:
        logged, self._logged = self._logged, None
        for alarm in alarms:
            if self._signer is not None:
                alarm = replace(alarm, message=replace(alarm.message, xml=self._signer.sign(alarm.message.xml)))
            message = alarm.message
            board = self.board
            board.standing[message.warning.zone] = message
            if message.warning.state in ("cancelled", "all_clear"):
                board.standing.pop(message.warning.zone, None)
            board.recent[message.identifier] = message
            while len(board.recent) > RECENT_MAX:
                del board.recent[next(iter(board.recent))]
            for outlet in self.outlets:
                if not alarm.again or self.core.owed_to(outlet.name, message):
                    outlet.put(alarm, logged)
            self._tell(_in_words(message.warning))

    def _show(self, inputs: Sequence[Message], made: Sequence[Message]) -> None:
        """Let those see it who show more than alarms; what the pipeline finds of a sensor stands on the board too."""
        for message in made:
            if type(message) is Health:
                self._show_health(message)
        self.stream.take(inputs, made)
        for each in (*self.outlets, *self.reports):
            each.show(made)

    def operate(self, operator: str, action: Action, track_id: int, zone: str) -> None:
        """Take what an operator does into the next batch, and so into the log."""
        self._tell(f"operator {operator}: {action} {track_id or zone or ''}".rstrip())
        t_ns = self.core.state.now_ns
        self.core.note(Operator(t_ns=t_ns, operator=operator, action=action, track_id=track_id, zone=zone))

    def _report(self, message: Message) -> None:
        if isinstance(message, Health):
            self._show_health(message)
            if message.t_ns == 0:
                return  # before any data: shown, and not yet of the run
        self.core.note(message)

    def _show_health(self, health: Health) -> None:
        before = self.board.health.get(health.part)
        self.board.health[health.part] = health
        if before is None and health.state == "ok":
            return
        self._tell(f"{health.part} is {health.state}: {health.reason}")

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(min(BEAT_S, max(self.core.hold_left_s(self._clock()), 0.0)))
            before = self.core.steps
            self._dispatch(self.core.advance(self._clock()))
            if self.core.steps > before:
                self._stepped.set()

    async def _watch(self) -> None:
        """Look after the feeds: silence some times a second, a status once a second."""
        due_s = time.monotonic() + STATUS_S
        busy = 0
        while True:
            slept_s = time.monotonic()
            await asyncio.sleep(CHECK_S)
            # Where this process was kept waiting, plots wait in the sockets: they are heard before anyone is
            # called silent.  Not for ever: a service that is always late does lose its feeds.
            busy = busy + 1 if time.monotonic() - slept_s > 1.5 * CHECK_S else 0
            if 0 < busy <= BUSY_MAX:
                continue
            clock_ns = self._clock()
            for feed in self.feeds:
                self._take(feed.check(clock_ns), clock_ns)
            self._look_at_own_clock(clock_ns)
            if time.monotonic() >= due_s:
                due_s = time.monotonic() + STATUS_S
                clock_ns = self._clock()
                self._count_losses(clock_ns)
                for feed in self.feeds:
                    status = feed.status(clock_ns)
                    self.board.statuses[status.feed] = status
                    self.core.note(status)

    def _look_at_own_clock(self, clock_ns: int) -> None:
        """Follow the clock of the machine where it was set, as soon as nothing is in the air; tell both."""
        if self._clocks is None or not (by_ns := self._steady.set_by_ns):
            return
        by_s = f"{by_ns / 1e9:+.1f} s"
        if not self.core.is_idle:
            if abs(by_ns - self._told_set_by_ns) > STEP_NS:
                words = f"the clock of this machine was set by {by_s}; it is followed when nothing is in the air"
                self._report(Health(t_ns=clock_ns, part="clock", state="degraded", reason=words))
        else:
            self._steady.follow()
            self._clocks.forget()
            self.core.clock_was_set(by_ns)
            for feed in self.feeds:
                feed.clock_was_set(by_ns)
            words = f"the clock of this machine was set by {by_s}, and is followed"
            self._report(Health(t_ns=self._clock(), part="clock", state="ok", reason=words))
        self._told_set_by_ns = self._steady.set_by_ns

    def _count_losses(self, clock_ns: int) -> None:
        """Take what the system dropped before it was read."""
        for feed, overflow in self._overflows:
            self._tell_losses(feed, *overflow.check(clock_ns))

    def _tell_losses(self, feed: Feed, lost: int, health: Health | None) -> None:
        if lost:
            feed.dropped(lost)
        if health is not None:
            self._report(health)

    async def _commit(self) -> None:
        """Put the log on the disk, soonest when a dwell has just been taken; the loop goes on meanwhile."""
        while True:
            with contextlib.suppress(TimeoutError):
                # Not `wait_for`, which swallows the order to stop if it comes just when the wait is over.
                async with asyncio.timeout(COMMIT_NS / 1e9):
                    await self._stepped.wait()
            self._stepped.clear()
            writer = self.core.writer
            writer.set_aside()
            await self._on_disk(writer.flush)
            await self._on_disk(writer.fold_some)
            await asyncio.sleep(COMMIT_PAUSE_S)

    async def _on_disk(self, work: Callable[..., T], *arguments: object) -> T:
        """Do what waits for the disk in a thread that waits for nothing else."""
        return await asyncio.get_running_loop().run_in_executor(self._disk, work, *arguments)

    async def _file(self) -> None:
        """Seal the files of the log that another one follows, and remove those that were kept long enough."""
        finished, folder = self.core.finished, self._base / self._site.live.log
        ours = {writer.path for writer in finished}  # two writers of one file would wait for each other
        for path in await asyncio.to_thread(unsealed, folder):
            if path in ours:
                continue
            finished.append(await asyncio.to_thread(Writer, path, None))
        while True:
            while finished:
                writer = finished.pop(0)
                path = writer.path
                try:
                    await asyncio.to_thread(writer.close)
                except OpenElsewhereError as error:
                    self._tell(f"log: {error}")
                for line in await asyncio.to_thread(finish, path, self._retention, time.time()):
                    self._tell(line)
            await asyncio.sleep(STATUS_S)

    async def _keep(self) -> None:
        """Write the state down now and then."""
        while True:
            await asyncio.sleep(SNAPSHOT_NS / 1e9)
            kept = self.core.to_keep()
            await self._on_disk(self.core.write_kept, kept)
