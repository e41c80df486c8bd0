"""The heart of the live service, without sockets and clocks: plots in, alarms out, all of it logged, and resumable.

    core = Core(site, folder, source)               # goes on where the log in `folder` ends
    alarms = core.take(messages, clock_ns)          # from a feed
    alarms = core.advance(clock_ns)                 # some hundred times a second, whatever comes
    core.note(delivery)                             # what became of an alarm on a channel

An alarm is in the log, synced in full, before anybody hears of it; what has been handed out and of which no
channel has said that it has it is handed out again after a restart, under the same name.  Batches are cut
as `process` cuts them; where a dwell is cut short by the wait for its rest, the log tells it so, and
`opencram replay` comes to the same bytes.
"""

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from opencram import __version__
from opencram.adapters.cap import CapBook, CapMessage
from opencram.config.model import Site
from opencram.config.site import parse_site
from opencram.errors import OpencramError, OpenElsewhereError
from opencram.messages import Delivery, FeedStatus, Health, Message, Operator, Plot, Tick, Warning
from opencram.recording import Writer, read_checkpoint, read_header, read_records
from opencram.runtime.carry import carried
from opencram.runtime.configure import configure
from opencram.runtime.header import header
from opencram.runtime.kept import Kept, KeptError, OnDisk, decode_state, encode_state, on_disk, restored, state_pieces
from opencram.runtime.logbook import Retention, following, newest
from opencram.runtime.pipeline import (
    AIR_STEP_NS,
    DWELL_PLOTS_MAX,
    PipelineConfig,
    PipelineState,
    due_t_ns,
    initial,
    step,
)

BATCH_RECORDS: Final = 100_000
COMMIT_NS: Final = 200_000_000
SNAPSHOT_NS: Final = 2_000_000_000
HOLD_NS: Final = 5_000_000  # an open dwell waits so long for its next plot
IDLE_NS: Final = 250_000_000  # without plots for so long, time goes on by the clock
WAITING_MAX: Final = 10_000
CLOCKS_AGREE_NS: Final = 86_400 * 10**9


@dataclass(frozen=True)
class Alarm:
    """An alarm to be handed to the channels; `arrived_ns` is the clock at which the plots that led to it came."""

    message: CapMessage
    arrived_ns: int
    again: bool = False  # handed out before a restart, and nobody has said that it has it


class Core:
    """Pipeline, log and memory of what was told to whom."""

    def __init__(
        self,
        site: Site,
        folder: Path,
        book: CapBook,
        channels: Sequence[str],
        clock_ns: int,
        retention: Retention | None = None,
    ) -> None:
        self._site = site
        self._channels = tuple(channels)
        self._config = configure(site)
        self._folder = folder
        self._retention = retention or Retention()
        self._snapshot_path = folder / "live.state"
        self._waiting: list[Message] = []  # for the next batch: what is no plot
        self._dwell: list[Plot] = []
        self._dwell_arrived_ns = 0
        self._last_plot_ns = clock_ns
        self._commit_due_ns = self._began_ns = 0
        self.watch: Callable[[Sequence[Message], Sequence[Message]], None] | None = None  # sees every batch
        self.hurry: Callable[[], None] | None = None  # called when alarms are in the making: the log has its part
        self.commits = True  # False: the shell commits, in threads of its own, and before it hands out any alarm
        self.finished: list[Writer] = []  # files that another one follows: to be closed, which may take a while
        self.steps = 0
        self.plots = 0
        self.again: list[Alarm] = []
        folder.mkdir(parents=True, exist_ok=True)
        path = newest(folder)
        if path is None:
            self._kept = Kept(0, initial(self._config), book)
            self._begin(clock_ns, None)
        else:
            self._go_on(path, book, clock_ns)
        now_ns = self._kept.state.now_ns
        agree = 0 <= clock_ns - now_ns < CLOCKS_AGREE_NS
        self._behind_ns = 0 if agree else clock_ns - now_ns  # the clock less the time of the data

    @property
    def path(self) -> Path:
        """The file of the log that is being written."""
        return self.writer.path

    @property
    def state(self) -> PipelineState:
        """State of the pipeline."""
        return self._kept.state

    @property
    def is_idle(self) -> bool:
        """Whether nothing is in the air, and no alarm stands."""
        return not self._dwell and due_t_ns(self._config, self._kept.state) is None

    @property
    def last_plot_id(self) -> int:
        """Number of the last plot in the log; the next one of a gate follows it."""
        return self._kept.last_plot_id

    @property
    def open_alarms(self) -> int:
        """Number of alarms that stand."""
        return len(self._kept.state.alarm_expiries_ns)

    @property
    def standing(self) -> Mapping[str, CapMessage]:
        """The alarm that stands in each zone, as last told."""
        return self._kept.standing

    # ---- in ----

    def take(self, messages: Iterable[Message], clock_ns: int) -> list[Alarm]:
        """Take what a feed gave; return the alarms of the dwells that it completes."""
        alarms: list[Alarm] = []
        for message in messages:
            if type(message) is not Plot:
                self.note(message)
                continue
            if self._dwell and not self._belongs(message):
                alarms += self._close_dwell(clock_ns)
            if not self._dwell:
                self._dwell_arrived_ns = clock_ns
            self._dwell.append(message)
            self._last_plot_ns = clock_ns
            self.plots += 1
        return alarms

    def note(self, message: Message) -> None:
        """Keep a message that is no plot for the next batch; of too many the oldest reports of feeds give way."""
        if isinstance(message, Delivery):
            self._kept.pending.pop((message.channel, message.alarm_id, message.t_ns), None)
        self._waiting.append(message)
        if len(self._waiting) > WAITING_MAX:
            self._waiting = [m for m in self._waiting if type(m) is not FeedStatus][-WAITING_MAX // 2 :]

    def advance(self, clock_ns: int) -> list[Alarm]:
        """Do what is due by time: close a dwell, let data time go on, commit, keep the state."""
        alarms: list[Alarm] = []
        quiet_ns = clock_ns - self._last_plot_ns
        if self._dwell:
            if quiet_ns >= HOLD_NS:
                alarms = self._close_dwell(clock_ns)
        elif quiet_ns >= IDLE_NS and self.state.now_ns:
            data_ns = clock_ns - self._behind_ns
            lively = due_t_ns(self._config, self.state) is not None or self._waiting
            if lively and data_ns >= self.state.now_ns + AIR_STEP_NS:
                alarms = self._step([Tick(t_ns=data_ns)], clock_ns)
        if clock_ns >= self._commit_due_ns:
            self._commit_due_ns = clock_ns + COMMIT_NS
            if self.commits:
                self.writer.commit()
                self.writer.fold_some()
            full = self.writer.bytes_written >= self._retention.segment_bytes
            if full or clock_ns - self._began_ns >= self._retention.segment_s * 1e9:
                self._turn_over(clock_ns)
        return alarms

    def hold_left_s(self, clock_ns: int) -> float:
        """Return how long the open dwell still waits for its rest; infinity if none is open."""
        return (self._last_plot_ns + HOLD_NS - clock_ns) / 1e9 if self._dwell else math.inf

    def clock_was_set(self, by_ns: int) -> None:
        """Go on under a clock that was set: what was due in a second is due in a second."""
        self._last_plot_ns += by_ns
        self._dwell_arrived_ns += by_ns
        self._commit_due_ns += by_ns
        self._began_ns += by_ns
        self._behind_ns += by_ns

    def received(self, feed: str, data: bytes, clock_ns: int) -> None:
        """Keep bytes as they came."""
        self.writer.add_datagram(feed, data, clock_ns)

    def close(self, clock_ns: int) -> list[Alarm]:
        """Finish the open dwell, commit and seal; return the last alarms.

        Raises `OpenElsewhereError` when all that can be done is done.
        """
        alarms = self._close_dwell(clock_ns) if self._dwell else []
        if self._waiting and self.state.now_ns:
            alarms += self._step([Tick(t_ns=self.state.now_ns)], clock_ns)
        self.keep()
        elsewhere: list[OpenElsewhereError] = []
        for writer in [*self.finished, self.writer]:
            try:
                writer.close()
            except OpenElsewhereError as error:
                elsewhere.append(error)
        if elsewhere:
            raise elsewhere[0]
        return alarms

    def make_way(self, clock_ns: int) -> None:
        """End at once, for another process that goes on from here: nothing is sealed."""
        if self._dwell:
            self._close_dwell(clock_ns)
        self.keep()
        for writer in [*self.finished, self.writer]:
            writer.part()

    # ---- batches ----

    def _belongs(self, plot: Plot) -> bool:
        first = self._dwell[0]
        window_ns = self._config.dwell_ns.get(first.sensor, 0)
        near = abs(plot.t_ns - first.t_ns) <= window_ns
        return plot.sensor == first.sensor and near and len(self._dwell) < DWELL_PLOTS_MAX

    def _close_dwell(self, clock_ns: int) -> list[Alarm]:
        dwell, self._dwell = self._dwell, []
        newest_ns = max(plot.t_ns for plot in dwell)
        self._kept.last_plot_id = max(self._kept.last_plot_id, dwell[-1].plot_id)
        if newest_ns > self.state.now_ns:
            self._behind_ns = clock_ns - newest_ns
        return self._step([*dwell, Tick(t_ns=max(self.state.now_ns, newest_ns))], self._dwell_arrived_ns)

    def _step(self, batch: list[Message], arrived_ns: int) -> list[Alarm]:
        """Take one batch through the pipeline and the log; alarms are on the disk before they are returned."""
        tick = batch[-1]
        # What was seen of feeds and channels is told in the time of the data, whatever the clock says.
        waiting, self._waiting = self._waiting, []
        said = [_at(message, tick.t_ns) for message in waiting]
        whole = [*said, *batch]
        kept = self._kept
        kept.state, made = step(self._config, kept.state, whole)
        self.steps += 1
        self.writer.append(whole, direction="in")
        self.writer.append(made, direction="out")
        kept.seq = self.writer.last_seq
        alarms = self._told(made, arrived_ns)
        if self.watch is not None:
            self.watch(whole, made)
        return alarms

    def _told(self, made: Sequence[Message], arrived_ns: int) -> list[Alarm]:
        if self.hurry is not None and any(type(m) is Warning for m in made):
            self.hurry()
        messages = [self._kept.book.take(m) for m in made if type(m) is Warning]
        for lapsed in [m.zone for m in made if type(m) is Warning and m.state == "expired"]:
            self._kept.standing.pop(lapsed, None)  # nothing is told of it: nobody can say all clear
        alarms = [Alarm(message, arrived_ns) for message in messages if message is not None]
        if alarms and self.commits:
            self.writer.commit()
        for alarm in alarms:
            self._expect(alarm.message)
        return alarms

    def _expect(self, message: CapMessage) -> None:
        self._kept.standing[message.warning.zone] = message
        if message.warning.state in ("cancelled", "all_clear"):
            del self._kept.standing[message.warning.zone]
        for channel in self._channels:
            self._kept.pending[channel, message.warning.alarm_id, message.warning.t_ns] = message

    # ---- restarts ----

    def keep(self) -> None:
        """Write down the state, so that a restart need not run through the whole log."""
        self.write_kept(self.to_keep())

    def to_keep(self) -> OnDisk:
        """Return what is to be written down; nothing in it will change."""
        self.writer.set_aside()
        return on_disk(self._kept, self._site.sha256, self.path.stat().st_ino)

    def write_kept(self, content: OnDisk) -> None:
        """Write down what `to_keep` returned; this may run in another thread."""
        self.writer.flush()  # a state ahead of its log would not be believed
        write_whole(self._snapshot_path, lambda file: file.writelines(state_pieces(content)))

    def _begin(self, clock_ns: int, checkpoint: bytes | None) -> None:
        """Begin the next file of the log; with a checkpoint it can be replayed without those before it."""
        path = following(self._folder)
        head = header(self._site, clock_ns, "live")
        self.writer = Writer(path, head, batch_records=BATCH_RECORDS, checkpoint=checkpoint, folds_beside=True)
        self._kept.seq = self.writer.last_seq
        self._began_ns = clock_ns

    def _turn_over(self, clock_ns: int) -> None:
        self.writer.commit()
        self.finished.append(self.writer)
        self._begin(clock_ns, encode_state(on_disk(self._kept, self._site.sha256, 0)))

    def _go_on(self, path: Path, book: CapBook, clock_ns: int) -> None:
        """Go on where the log ends, under the site file of now if that is another."""
        head = read_header(path)
        if head.site_sha256 == self._site.sha256:
            self._resume(path, self._config, head.site_sha256, book)
            self._began_ns = clock_ns
        else:
            old = parse_site(head.site_toml, f"{path} (the site in its header)")
            self._resume(path, configure(old), head.site_sha256, book)
            self._kept.state, words = carried(old, self._site, self._config, self._kept.state)
            self._turn_over(clock_ns)
            self.note(Health(t_ns=self._kept.state.now_ns, part="site", state="ok", reason=words))
        owed = {m.identifier: m for m in self._kept.pending.values()}
        self.again = [Alarm(message, clock_ns, again=True) for message in owed.values()]

    def _resume(self, path: Path, config: PipelineConfig, site_sha256: str, book: CapBook) -> None:
        """Take up the state that was written down, then what the log holds after it."""
        self.writer = Writer(path, None, batch_records=BATCH_RECORDS, folds_beside=True)
        self._kept = self._read_kept(config, site_sha256, book)
        batch: list[Message] = []
        made: Sequence[Message] = ()
        found = 0
        for record in read_records(path, first=max(self._kept.seq + 1, 2)):
            self._kept.seq = record.seq
            if record.direction == "out":
                found += 1
                continue
            message = record.message
            batch.append(message)
            if type(message) is Plot:
                self._kept.last_plot_id = max(self._kept.last_plot_id, message.plot_id)
            elif type(message) is Tick:
                made = self._again(config, batch)
                batch, found = [], 0
            elif isinstance(message, Delivery):
                self._kept.pending.pop((message.channel, message.alarm_id, message.t_ns), None)
        # The writer may have been cut off between a batch and what came of it, or within a batch.
        if batch:
            tick = Tick(t_ns=max([self.state.now_ns, *(m.t_ns for m in batch if type(m) is Plot)]))
            self.writer.append([tick], direction="in")
            made, found = self._again(config, [*batch, tick]), 0
        self.writer.append(made[found:], direction="out")
        self.writer.commit()
        self._kept.seq = self.writer.last_seq

    def _again(self, config: PipelineConfig, batch: Sequence[Message]) -> list[Message]:
        self._kept.state, made = step(config, self._kept.state, batch)
        for message in made:
            told = self._kept.book.take(message) if isinstance(message, Warning) else None
            if told is not None:
                self._expect(told)
        return made

    def _read_kept(self, config: PipelineConfig, site_sha256: str, book: CapBook) -> Kept:
        """Return the state written down; where there is none that fits, that with which the file began."""
        path = self.path
        try:
            found = decode_state(self._snapshot_path.read_bytes(), OnDisk)
            fits = (found.version, found.site_sha256, found.inode) == (__version__, site_sha256, path.stat().st_ino)
            if fits and found.seq <= self.writer.last_seq:
                return restored(config, found, book)
        except (OSError, KeptError):
            pass  # then the log tells all
        checkpoint = read_checkpoint(path)
        try:
            kept = restored(config, decode_state(checkpoint or b"", OnDisk), book)
            kept.seq = 1  # it stands before all but the header
            return kept
        except KeptError:
            return Kept(0, initial(config), book)

    def owed_to(self, channel: str, message: CapMessage) -> bool:
        """Return whether a channel has not yet said that it has a message."""
        return (channel, message.warning.alarm_id, message.warning.t_ns) in self._kept.pending


def _at(message: Message, t_ns: int) -> Message:
    return msgspec.structs.replace(message, t_ns=t_ns) if isinstance(message, Health | Operator) else message


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file that is either the old one or the new one, whatever happens; only its owner reads it."""
    part = write_part(path, write)
    try:
        part.replace(path)
    except OSError as error:
        raise OpencramError(f"cannot write {path}: {error.strerror}; give a folder with room") from error


def part_of(path: Path) -> Path:
    """Return the name under which a file is written."""
    return path.with_name(path.name + ".part")


def write_part(path: Path, write: Callable[[BinaryIO], object]) -> Path:
    """Put a file on the disk under the name of `part_of`, which is returned."""
    part = part_of(path)
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OpencramError(f"cannot write {path}: {error.strerror}; give a folder with room") from error
    return part
