"""`opencram doctor`: is this site ready to be left running?  Each finding says what to do.

Feeds are listened to for some seconds, clocks compared, the disk tried, certificates read, outlets called.  With
`--alarm` each outlet delivers a test alarm that no one can take for a real one: CAP status `Test`, for a zone
called TEST ONLY that lies where nobody lives, and taken back at once.
"""

import argparse
import asyncio
import contextlib
import ctypes
import os
import shutil
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, TextIO

import msgspec

from opencram.config.model import Site
from opencram.errors import OpencramError

State = Literal["ok", "note", "fault"]
TEST_ZONE: Final = "opencram-test"
_TEST_NAME: Final = "TEST ONLY, NO DANGER"
_NOWHERE: Final = ((0.0, 0.0), (0.0, 0.0001), (0.0001, 0.0001), (0.0001, 0.0))  # in the Gulf of Guinea, 11 m wide
_FREE_GB: Final = 5.0
_SYNC_S: Final = 0.05
_DAYS: Final = 30
_TIME_ERROR: Final = 5  # what adjtimex returns where the clock is not kept
_PATIENCE_S: Final = 10.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what, how it is, and what to do if it is not well."""

    part: str
    state: State
    what: str
    remedy: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `opencram doctor` takes."""
    parser.add_argument("site", metavar="SITE.toml", help="the site file")
    parser.add_argument(
        "--seconds", type=float, default=5.0, metavar="S", help="listen to the feeds so long (default 5)"
    )
    parser.add_argument("--alarm", action="store_true", help="send a test alarm by every outlet")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(args: argparse.Namespace, stderr: TextIO) -> str | dict[str, Any]:
    """Look at everything; return words or what becomes JSON.  Faults are an error."""
    from opencram.config.site import load_site, site_notes

    path = Path(args.site)
    site = load_site(path)
    found = [Finding("site", "note", note) for note in site_notes(site)]
    found += [Finding("site", "ok", f"{site.name}: {len(site.sensors)} sensors, {len(site.zones)} zones")]
    stderr.write(f"opencram: listening to {len(site.live.feeds)} feeds for {args.seconds:g} s\n")
    found += examine(site, path.parent, args.seconds, alarm=args.alarm)
    faults = sum(finding.state == "fault" for finding in found)
    if args.json:
        rows = [{"part": f.part, "state": f.state, "what": f.what, "remedy": f.remedy} for f in found]
        return {"site": args.site, "ok": not faults, "findings": rows}
    lines = [_line(finding) for finding in found]
    if faults:
        raise OpencramError("\n".join([f"{faults} faults", *lines]))
    return "\n".join([*lines, "Ready."])


def examine(site: Site, base: Path, seconds: float, *, alarm: bool) -> list[Finding]:
    """Return what was found, part by part."""
    found = [*clock(), *disk(base / site.live.log), *secrets(site, base)]
    found += asyncio.run(feeds(site, base, seconds))
    found += asyncio.run(outlets(site, base, alarm=alarm))
    return found


def _line(finding: Finding) -> str:
    mark = {"ok": "ok   ", "note": "note ", "fault": "FAULT"}[finding.state]
    return f"{mark} {finding.part}: {finding.what}" + (f"\n      → {finding.remedy}" if finding.remedy else "")


# ---- this machine


def clock() -> list[Finding]:
    """Return whether somebody keeps this machine's clock."""
    with contextlib.suppress(OSError, AttributeError):
        buffer = ctypes.create_string_buffer(1024)  # struct timex, all zeros: only asked, nothing set
        state = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
        if state == _TIME_ERROR:
            remedy = "start chrony or systemd-timesyncd: late and early plots are judged by this clock"
            return [Finding("clock", "fault", "nobody keeps the clock of this machine", remedy)]
        if state >= 0:
            return [Finding("clock", "ok", "the clock of this machine is kept")]
    return [Finding("clock", "note", "this system does not say whether its clock is kept", "compare it with another")]


def disk(folder: Path) -> list[Finding]:
    """Return whether the log can be written, how quickly, and how much room there is."""
    trial = folder / ".doctor"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        times_s = []
        with trial.open("wb") as file:
            for _ in range(10):
                began_s = time.perf_counter()
                file.write(b"\0" * 65_536)
                file.flush()
                os.fsync(file.fileno())
                times_s.append(time.perf_counter() - began_s)
        free_gb = shutil.disk_usage(folder).free / 1e9
    except OSError as error:
        return [Finding("disk", "fault", f"{folder} cannot be written: {error.strerror}", "give a folder with room")]
    finally:
        with contextlib.suppress(OSError):
            trial.unlink()
    sync_s = sorted(times_s)[5]
    found = [Finding("disk", "ok", f"{folder}: {free_gb:.1f} GB free, a full sync takes {1e3 * sync_s:.1f} ms")]
    if free_gb < _FREE_GB:
        found[0] = Finding("disk", "fault", f"{folder}: only {free_gb:.1f} GB free", "make room, or set keep_gb")
    if sync_s > _SYNC_S:
        what = f"a full sync takes {1e3 * sync_s:.0f} ms, and every alarm waits for one"
        found.append(Finding("disk", "note", what, "put the log on a disk of its own, or a faster one"))
    return found


# ---- files


def secrets(site: Site, base: Path) -> list[Finding]:
    """Return how certificates, keys and secrets stand."""
    live = site.live
    pairs = [("http", live.certificate_file, live.key_file)]
    pairs += [("cap", live.cap.certificate_file, live.cap.key_file)]
    pairs += [(f"outlet {each.name}", each.certificate_file, each.key_file) for each in live.channels]
    found = []
    for part, certificate, key in pairs:
        if certificate:
            found += certificate_of(part, base / certificate, base / key if key else None)
    private = [("http", live.key_file), ("http", live.token_file), ("cap", live.cap.key_file)]
    private += [(f"outlet {each.name}", name) for each in live.channels for name in (each.key_file, each.secret_file)]
    for part, name in private:
        if name:
            found += _private(part, base / name)
    return found


def _private(part: str, path: Path) -> list[Finding]:
    try:
        mode = path.stat().st_mode & 0o077
        path.open("rb").close()
    except OSError as error:
        return [
            Finding(part, "fault", f"{path} cannot be read: {error.strerror}", "give the path of a file that exists")
        ]
    if mode:
        return [Finding(part, "fault", f"{path} can be read by others", f"chmod 600 {path}")]
    return []


def certificate_of(part: str, path: Path, key: Path | None) -> list[Finding]:
    """Return whether a certificate can be read, is of its time, and fits its key."""
    try:
        from cryptography import x509

        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        if key is not None:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, key)
    except ImportError:
        return [Finding(part, "note", f"{path} was not read", "pip install 'opencram[live]' to have it checked")]
    except (OSError, ValueError) as error:
        return [Finding(part, "fault", f"{path}: {error}", "give a certificate in PEM form and the key that fits it")]
    days = (certificate.not_valid_after_utc - datetime.now(UTC)).days
    until = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
    if days < 0:
        return [Finding(part, "fault", f"{path} expired on {until}", "have it renewed")]
    if days < _DAYS:
        return [Finding(part, "note", f"{path} expires on {until}, in {days} days", "have it renewed")]
    return [Finding(part, "ok", f"{path} is good until {until}")]


# ---- feeds


async def feeds(site: Site, base: Path, seconds: float) -> list[Finding]:
    """Listen to every feed for some seconds; return what each gives, and how its clock stands."""
    from opencram.adapters.feeds import Feed, Received
    from opencram.adapters.gate import Gate
    from opencram.adapters.stations import limits
    from opencram.errors import UsageError
    from opencram.messages import Health, Plot, Rejected
    from opencram.runtime.feeding import feed_config
    from opencram.runtime.sockets import bind_sockets, open_feed
    from opencram.runtime.stations import stations

    known = stations(site)
    found: list[Finding] = []
    if not site.live.feeds:
        return [Finding("feeds", "fault", "the site file names no feed", "write each under [[feed]]")]
    opened: list[tuple[str, Feed, Gate, list[Any], asyncio.Task[None], dict[str, Any]]] = []
    for source in site.live.feeds:
        gate = Gate(limits(known))
        config = replace(feed_config(source, base), start_s=0.0)  # who says nothing while we look is told of
        feed = Feed(config, known, gate)
        said: list[Any] = []

        def receive(one: Feed, pieces: Sequence[bytes], said: list[Any] = said) -> Received:
            received = one.receive_all(pieces, time.time_ns())
            said += [message for message in received.messages if isinstance(message, Health)]
            return received

        try:
            sockets = bind_sockets([source], {})
        except UsageError as error:
            remedy = "stop the service while the doctor is here, or ask its /health"
            found.append(Finding(f"feed {source.name}", "fault", str(error), remedy))
            continue
        task = await open_feed(source, feed, receive, lambda feed: None, sockets)
        opened.append((source.name, feed, gate, said, task, sockets))
    await asyncio.sleep(seconds)
    for name, feed, gate, said, task, sockets in opened:
        status = feed.status(time.time_ns())
        waiting: list[Plot | Rejected] = []
        gate.finish(waiting)  # what waits for a first good plot is told now
        codes = Counter(dict(status.rejected)) + Counter(m.code for m in waiting if isinstance(m, Rejected))
        plots = status.plots + sum(isinstance(m, Plot) for m in waiting)
        status = msgspec.structs.replace(status, plots=plots, rejected=tuple(sorted(codes.items())))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for each in sockets.values():
            each.close()
        found += _heard(name, status, said, seconds)
    return found


def _heard(name: str, status: Any, said: Sequence[Any], seconds: float) -> list[Finding]:
    part = f"feed {name}"
    if not status.bytes_received:
        remedy = "is the radar on, does it send to this address and port, does a firewall stand between?"
        return [Finding(part, "fault", f"nothing came in {seconds:g} s", remedy)]
    refused = sum(count for _, count in status.rejected)
    told = f"{status.plots} plots, {status.bytes_received} bytes in {seconds:g} s"
    if not status.plots:
        worst = max(status.rejected, key=lambda each: each[1], default=("nothing readable", 0))
        remedy = "are the format, and the sensors' names or numbers, those of the site file?"
        return [Finding(part, "fault", f"no plot: {refused} refused, most as {worst[0]}; {told}", remedy)]
    found = [Finding(part, "ok", f"{told}, {1e3 * (status.delay_s or 0.0):.0f} ms after their time")]
    if refused > status.plots:
        codes = ", ".join(f"{count} {code}" for code, count in status.rejected)
        found.append(Finding(part, "fault", f"more was refused than taken: {codes}", "see docs/feeds.md for the codes"))
    for health in {(h.part, h.state): h for h in said if h.state != "ok"}.values():
        found.append(
            Finding(part, "fault", f"{health.part} is {health.state}: {health.reason}", "see to its clock and line")
        )
    return found


# ---- outlets


async def outlets(site: Site, base: Path, *, alarm: bool) -> list[Finding]:
    """Call every outlet; with `alarm`, have each deliver a test alarm and its end."""
    if not site.live.channels:
        return [
            Finding("outlets", "fault", "the site file names no outlet: nobody would be warned", "write [[outlet]]")
        ]
    return list(await asyncio.gather(*(_outlet(site, base, each, alarm=alarm) for each in site.live.channels)))


async def _outlet(site: Site, base: Path, channel: Any, *, alarm: bool) -> Finding:
    from opencram.runtime.fittings import sender_of

    part = f"outlet {channel.name}"
    if not channel.takes_alarms:
        return await _other_system(part, channel)
    try:
        # Beside the topics of the service: what it says of itself is not the doctor's to say.
        sender = sender_of(replace(channel, topic=f"{channel.topic}/{TEST_ZONE}"), site, base)
    except (OpencramError, OSError) as error:
        return Finding(part, "fault", str(error), "see docs/channels.md")
    work: list[Callable[[], Awaitable[None]]] = []
    start = getattr(sender, "start", None)
    if start is not None:
        work.append(start)
    told = "called, and it answered" if start is not None else "it can be used; only --alarm tells whether it delivers"
    if alarm:
        for message in trial_alarm(site, base):
            work.append(lambda message=message: sender.send(message))  # type: ignore[misc]
        told = "took the test alarm and its end"
    began_s = time.perf_counter()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            for each in work:
                await each()
    except (OSError, OpencramError, TimeoutError) as error:
        remedy = "is the address right, is the other side up, do user, secret and certificates fit?"
        return Finding(part, "fault", str(error) or f"no answer in {_PATIENCE_S:g} s", remedy)
    finally:
        with contextlib.suppress(OSError):
            await sender.close()
    return Finding(part, "ok", f"{told} ({1e3 * (time.perf_counter() - began_s):.0f} ms)")


async def _other_system(part: str, channel: Any) -> Finding:
    """Call a system that takes tracks; by UDP nobody answers."""
    if channel.kind == "asterix":
        return Finding(part, "ok", "tracks leave by UDP, which nobody acknowledges: look at the other side")
    try:
        async with asyncio.timeout(_PATIENCE_S):
            _, writer = await asyncio.open_connection(*channel.address)
        writer.close()
    except (OSError, TimeoutError) as error:
        return Finding(part, "fault", str(error) or "no answer", "is the address right, is the fusion node up?")
    return Finding(part, "ok", "the fusion node takes a connection")


def trial_alarm(site: Site, base: Path) -> list[Any]:
    """Return a test alarm and its cancellation: CAP status `Test`, for no zone of the site."""
    from opencram.adapters.cap import CapBook, CapZone
    from opencram.messages import Warning
    from opencram.runtime.fittings import cap_config

    config = replace(cap_config(site, base), status="Test", prefix="opencram-test")
    book = CapBook(config, {TEST_ZONE: CapZone(TEST_ZONE, _TEST_NAME, (_NOWHERE,))})
    now_ns = time.time_ns()
    usual: dict[str, Any] = {
        "alarm_id": 1, "zone": TEST_ZONE, "probability": 0.0, "track_ids": (), "expires_t_ns": now_ns + 60 * 10**9,
        "reason": "a test of the outlets; there is no danger anywhere", "impact_t_ns": now_ns + 30 * 10**9,
    }  # fmt: skip
    issued = Warning(t_ns=now_ns, state="issued", advice="none", seconds_left=30.0, **usual)
    ended = Warning(t_ns=now_ns + 10**9, state="cancelled", advice="none", seconds_left=0.0, **usual)
    return [message for message in map(book.take, (issued, ended)) if message is not None]
