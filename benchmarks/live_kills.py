"""A raid under kills, beside the same raid undisturbed: which alarms and tracks come of it.

    python benchmarks/live_kills.py [--raid seven-rockets] [--kills 50] [--gap 13.9] [--who worker|both] [--standby]
                                    [--clutter 10000]

Starts `opencram live` on an example site, sends it the raid in real time as NDJSON over UDP, and kills it with SIGKILL
at random moments, `--gap` seconds apart in the mean, in as many passes of the raid as the kills need: the worker (its
keeper makes another), or keeper and worker together (then this program starts the service again at once).  Every pass
begins with an empty log.  With `--standby` a second service stands by, and one that was killed whole is started again
to stand by in its turn.  With `--clutter` so many false plots a second, the same in every pass, come in the scans of
the raid's first sensor, whose `clutter_per_scan` says so.  Outlets are a folder of CAP files and a webhook whose
receiver remembers what it was told.

For each pass: what was sent and what the log holds, how long nothing was heard after a kill, which zones were warned
beside `process` on the same plots, by how much their first alarms moved, which messages came twice, whether one
came twice with another content, which alarm's messages do not fit together, tracks, and whether the log replays.
"""

import argparse
import contextlib
import io
import json
import math
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from opencram.adapters.cap_check import check
from opencram.adapters.times import rfc3339
from opencram.config.site import load_site, parse_site
from opencram.messages import Impact, Plot, Track, Warning
from opencram.recording import read_inputs, read_outputs
from opencram.recording.reader import read_datagrams
from opencram.runtime.configure import configure
from opencram.runtime.pipeline import run
from opencram.runtime.replay import replay
from opencram.runtime.source import Source, read_plots

TOGETHER = 300  # plots in a datagram at most
EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
T0_NS = 1_767_225_600_000_000_000
LIVE = """
[[feed]]
name = "radars"
format = "ndjson"
udp = "127.0.0.1:{port}"
[[outlet]]
name = "files"
kind = "cap-directory"
folder = "cap"
[[outlet]]
name = "centre"
kind = "webhook"
url = "http://127.0.0.1:{hook}/"
[live]
http = false
segment_mb = 4000
"""


@dataclass
class Told:
    """What the webhook's receiver was told: the contents of each message by its identifier, in order."""

    contents: dict[str, list[bytes]] = field(default_factory=dict)

    @property
    def again(self) -> int:
        return sum(len(each) - 1 for each in self.contents.values())

    @property
    def changed(self) -> int:
        """Messages that came again with another content."""
        return sum(len(set(each)) - 1 for each in self.contents.values())


@dataclass
class Pass:
    """What one pass came to."""

    kills: int
    sent: int
    logged: int
    unheard_s: list[float]
    first_t_s: dict[str, float]  # of the first alarm of each zone, in the raid's time
    told: Told
    faults: list[str]
    missing: int  # messages of the log that the receiver or the folder does not have
    unlogged: int  # messages that the receiver has and the log does not
    rounds: int
    landed: list[tuple[float, float]]  # last predicted impacts of rounds, east and north
    identical: bool


@contextlib.contextmanager
def receiver() -> Iterator[tuple[int, Told]]:
    told = Told()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.contents.setdefault(self.headers["X-Opencram-Id"], []).append(body)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], told
    finally:
        server.shutdown()
        server.server_close()


def dwells(raid: str, clutter: float = 0.0) -> list[tuple[float, list[str]]]:
    """Return the plots of each dwell as JSON but for the time at their end, and its time from the first."""
    made: list[tuple[str, str, list[str]]] = []
    for line in (EXAMPLES / raid / "plots.ndjson").read_text().splitlines():
        plot = json.loads(line)
        key = plot.pop("time"), plot["sensor"]
        if not made or made[-1][:2] != key:
            made.append((*key, []))
        made[-1][2].append(json.dumps(plot).removesuffix("}") + ', "time": "')
    seconds = [60.0 * float(time[14:16]) + float(time[17:26]) for time, _, _ in made]
    draw, first = random.Random(1), made[0][1]
    before_s = seconds[0] - 0.1
    for at_s, (_, sensor, plots) in zip(seconds, made, strict=True):
        if sensor != first:
            continue
        count, before_s = round(clutter * min(at_s - before_s, 1.0)), at_s
        for _ in range(count):
            range_m, azimuth_deg = 20_000.0 * draw.random() ** (1 / 3), draw.uniform(0.0, 359.999)
            elevation_deg = math.degrees(math.asin(draw.uniform(0.02, 0.9)))
            plots.append(
                f'{{"type": "plot", "sensor": "{first}", "range_m": {range_m:.3f}, "azimuth_deg": {azimuth_deg:.5f}, '
                f'"elevation_deg": {elevation_deg:.5f}, "time": "'
            )
    return [(at - seconds[0], plots) for at, (_, _, plots) in zip(seconds, made, strict=True)]


def whole(plots: list[str], t_ns: int) -> list[str]:
    """Return the plots of a dwell with their time."""
    end = f'{rfc3339(t_ns)}"}}'
    return [plot + end for plot in plots]


def site_text(raid: str, clutter: float) -> str:
    """Return the site file of the raid, in which its first sensor knows how much clutter it sees."""
    text = (EXAMPLES / raid / "site.toml").read_text()
    period_s = load_site(EXAMPLES / raid / "site.toml").sensors[0].period_s
    more = f"clutter_per_scan = {clutter * period_s:g}"
    return re.sub(r"clutter_per_scan = \S+", more, text, count=1) if clutter else text


class Service:
    """`opencram live`, killed and started again at will."""

    def __init__(self, folder: Path, text: str, *, standby: bool) -> None:
        self.folder = folder
        self._waiting: list[subprocess.Popen[bytes]] = []  # those that stand by
        site = folder / "site.toml"
        site.write_text(text)
        self._command = [sys.executable, "-m", "opencram", "live", str(site), *(["--standby"] if standby else [])]
        self._awaited = 0
        (folder / "out.txt").touch()
        self._awaited = 1
        self.process = self._start()
        self.until_up()
        if standby:
            self._waiting.append(self._start())
            while "stands by" not in self._said():
                time.sleep(0.05)

    def until_up(self) -> None:
        """Wait until the service that was started last is at work."""
        while self._times_up() < self._awaited:
            time.sleep(0.05)

    def _said(self) -> str:
        return (self.folder / "out.txt").read_text()

    def _times_up(self) -> int:
        return self._said().count(" alarms stand from before")

    def _start(self) -> "subprocess.Popen[bytes]":
        # An installed program has its bytecode beside it: so has this one, whatever the environment says.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        with (self.folder / "out.txt").open("ab") as said:
            return subprocess.Popen(self._command, stdout=said, stderr=subprocess.STDOUT, env=environment)

    def kill(self, who: str) -> None:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        if who == "worker":
            for child in children:
                self._awaited = self._times_up() + 1
                os.kill(int(child), signal.SIGKILL)
            return
        self._awaited = self._times_up() + 1  # one that was killed before it was up never will be
        self.process.kill()  # the worker dies with its keeper
        self.process.wait()
        self._waiting.append(self._start())
        self.process = self._waiting.pop(0)

    def end(self) -> None:
        self.until_up()
        time.sleep(1.0)
        for each in self._waiting:
            each.terminate()
            each.wait(30.0)
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(30.0) != 0:
            raise SystemExit((self.folder / "out.txt").read_text())


def fly(raid: str, kill_at_s: list[float], who: str, *, standby: bool, clutter: float) -> Pass:
    """Send the raid once, with kills at these times of it."""
    sent_at = dwells(raid, clutter)
    folder = Path(tempfile.mkdtemp())
    with receiver() as (hook, told), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
        service = Service(folder, site_text(raid, clutter) + LIVE.format(port=port, hook=hook), standby=standby)
        killed_ns: list[int] = []
        kills = list(kill_at_s)
        sent, began_ns = 0, time.time_ns() + 300_000_000
        for at_s, plots in sent_at:
            t_ns = began_ns + round(at_s * 1e9)
            while kills and kills[0] <= at_s:
                time.sleep(max(began_ns + round(kills.pop(0) * 1e9) - time.time_ns(), 0) / 1e9)
                killed_ns.append(time.time_ns())
                service.kill(who)
            time.sleep(max(t_ns - time.time_ns(), 0) / 1e9)
            lines = whole(plots, t_ns)
            for begin in range(0, len(lines), TOGETHER):
                out.sendto("\n".join(lines[begin : begin + TOGETHER]).encode(), ("127.0.0.1", port))
            sent += len(plots)
        service.end()
    found = look(folder, killed_ns, began_ns, sent, told)
    shutil.rmtree(folder)
    return found


def look(folder: Path, killed_ns: list[int], began_ns: int, sent: int, told: Told) -> Pass:
    """Read what a pass has left."""
    [log] = sorted((folder / "log").glob("live-*.opencram"))
    arrivals = [each.clock_ns for each in read_datagrams(log)]
    unheard = [min((a for a in arrivals if a > k), default=k) - k for k in killed_ns]
    first_t_s: dict[str, float] = {}
    tracks, impacts, warnings = set(), {}, 0
    for message in read_outputs(log):
        if isinstance(message, Warning):
            warnings += message.state != "expired"
            first_t_s.setdefault(message.zone, (message.t_ns - began_ns) / 1e9)
        elif isinstance(message, Track) and message.status == "confirmed" and message.classes:
            if message.classes[0][0] in ("rocket", "mortar", "shell"):
                tracks.add(message.track_id)
        elif isinstance(message, Impact):
            impacts[message.track_id] = message.position_enu_m[:2]
    faults: list[str] = []
    chains: dict[str, list[bytes]] = {}
    files = sorted((folder / "cap").glob("*.xml"), key=lambda path: int(path.stem.rsplit("-", 1)[1]))
    for path in files:
        chains.setdefault(path.stem.rsplit("-", 1)[0], []).append(path.read_bytes())
    for name, chain in chains.items():
        for place, one in enumerate(chain):
            faults += [f"{name}: {fault}" for fault in check(one, earlier=chain[:place])]
    return Pass(
        kills=len(killed_ns),
        sent=sent,
        logged=sum(isinstance(m, Plot) for m in read_inputs(log)),
        unheard_s=[each / 1e9 for each in unheard],
        first_t_s=first_t_s,
        told=told,
        faults=faults,
        unlogged=max(len(told.contents) - warnings, 0),
        missing=max(warnings - len(told.contents), 0) + max(warnings - len(files), 0),
        rounds=len(tracks),
        landed=[impacts[track] for track in sorted(tracks) if track in impacts],
        identical=replay(log).identical,
    )


def processed(raid: str, clutter: float) -> Pass:
    """Return what the pipeline makes of the same plots, which nothing disturbs and no machine makes late."""
    site = parse_site(site_text(raid, clutter), EXAMPLES / raid / "site.toml")
    first_t_s: dict[str, float] = {}
    tracks, impacts, plots, messages = set(), {}, 0, 0
    lines = [line for at_s, some in dwells(raid, clutter) for line in whole(some, T0_NS + round(at_s * 1e9))]
    file = io.BytesIO("\n".join(lines).encode())
    read = [m for m in read_plots(site, Source(raid, file)) if isinstance(m, Plot)]
    for _, made in run(configure(site), read):
        for message in made:
            if isinstance(message, Warning):
                messages += message.state != "expired"
                first_t_s.setdefault(message.zone, (message.t_ns - read[0].t_ns) / 1e9)
            elif isinstance(message, Track) and message.status == "confirmed" and message.classes:
                if message.classes[0][0] in ("rocket", "mortar", "shell"):
                    tracks.add(message.track_id)
            elif isinstance(message, Impact):
                impacts[message.track_id] = message.position_enu_m[:2]
    plots = len(read)
    landed = [impacts[track] for track in sorted(tracks) if track in impacts]
    told = Told({str(k): [b""] for k in range(messages)})
    return Pass(0, plots, plots, [], first_t_s, told, [], 0, 0, len(tracks), landed, identical=True)


def row(found: Pass, calm: Pass) -> str:
    """Return a row of the table."""
    unheard = sorted(found.unheard_s)
    both = found.first_t_s.keys() & calm.first_t_s.keys()
    moved = sorted(found.first_t_s[zone] - calm.first_t_s[zone] for zone in both)
    missed, more = len(calm.first_t_s.keys() - both), len(found.first_t_s.keys() - both)
    pair = f"{unheard[len(unheard) // 2]:.2f} / {unheard[-1]:.2f}" if unheard else "–"
    late = f"{moved[len(moved) // 2]:+.2f} / {moved[-1]:+.2f}" if moved else "–"
    apart = sorted(
        min(((a - c) ** 2 + (b - d) ** 2) ** 0.5 for c, d in found.landed) if found.landed else float("inf")
        for a, b in calm.landed
    )
    return (
        f"| {found.kills} | {100.0 * found.logged / found.sent:.1f} % | {pair} "
        f"| {len(found.first_t_s)} | {missed} | {more} | {late} "
        f"| {len(found.told.contents)} | {found.told.again} | {found.told.changed} "
        f"| {found.missing} | {found.unlogged} "
        f"| {len(found.faults)} | {found.rounds} | {apart[len(apart) // 2]:.0f} / {apart[-1]:.0f} "
        f"| {'yes' if found.identical else 'NO'} |"
    )


def main() -> None:
    """Print what `process` makes of the raid, then an undisturbed pass, then those with kills."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--raid", default="seven-rockets")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--gap", type=float, default=13.9, help="s; a keeper gives up after six deaths in a minute")
    parser.add_argument("--who", choices=("worker", "both"), default="worker")
    parser.add_argument("--standby", action="store_true", help="with a second service that stands by")
    parser.add_argument("--clutter", type=float, default=0.0, help="false plots a second beside the raid")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    draw = random.Random(chosen.seed)
    whole_s = dwells(chosen.raid)[-1][0]
    print(
        "| kills | plots in the log | unheard after a kill, median / worst (s) | zones warned | missed | more "
        "| first alarm moved, median / worst (s) | messages | told again | with other content | never told "
        "| told, not in the log | CAP faults | rounds | impact from that of process, median / worst (m) | replays |"
    )
    print("|---" * 16 + "|")
    calm = processed(chosen.raid, chosen.clutter)
    print(row(calm, calm), flush=True)
    print(row(fly(chosen.raid, [], chosen.who, standby=chosen.standby, clutter=chosen.clutter), calm), flush=True)
    left, every = chosen.kills, []
    while left > 0:
        count = min(left, max(int(whole_s / chosen.gap), 1))
        at_s = sorted(draw.uniform(0.5, whole_s) for _ in range(count))
        found = fly(chosen.raid, at_s, chosen.who, standby=chosen.standby, clutter=chosen.clutter)
        left -= count
        every += found.unheard_s
        print(row(found, calm), flush=True)
        for fault in found.faults[:3]:
            print(f"    {fault}")
    every.sort()
    print(f"{len(every)} kills of {chosen.who}: nothing heard for {every[len(every) // 2]:.2f} s in the median, "
          f"{every[-1]:.2f} s at worst")  # fmt: skip


if __name__ == "__main__":
    main()
