"""How much the display costs: tracks, ellipses and trails at 10 Hz in a browser without GPU, and frames to 50 screens.

    nice .venv/bin/python benchmarks/display_load.py browser [TRACKS]
    nice .venv/bin/python benchmarks/display_load.py screens [SCREENS]
    nice .venv/bin/python benchmarks/display_load.py seek [SEEKS]

`browser`: the share of one core that all processes of chromium take, frames a second while the map is being moved, and
the time from the making of a frame on the server to its picture on the screen.  Needs node, chromium and `npm ci` in
display/.  `screens`: processor time of the server's thread for each frame that all screens are sent, the frames that
they get, and the growth of its memory while one of them stalls.  `seek`: the time from a move of the strip over an hour
of recording, raids of a minute with a minute between them, to the picture of that moment in the browser.
"""

import argparse
import json
import math
import os
import selectors
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "display"))

import display_raid as raid  # noqa: E402
import display_server  # noqa: E402

from opencram.display.frames import Encoder  # noqa: E402
from opencram.display.picture import Picture  # noqa: E402
from opencram.display.timeline import Timeline  # noqa: E402
from opencram.messages import Impact, Tick, Track  # noqa: E402

TRAIL_S, BROWSER_S, SCREENS_S = 26.0, 10.0, 12.0
RECORDS_MAX = 30_000  # reached before anything is measured, so that memory that grows is the server's
ACTING = 25  # one track in so many threatens the asset
PATH_POINTS = 17  # as the pipeline gives
HOUR_MIN, IDLE_TRACKS = 60, 20  # minutes; tracks that fly while no raid does


def track_of(number: int, at_s: float) -> Track:
    """One of many tracks that circle over the map."""
    angle, radius_m = number * 2.4 + at_s * 0.03, 900.0 + 9.0 * number
    track = raid.track(number, at_s, 60.0)
    return msgspec.structs.replace(
        track, position_enu_m=(radius_m * math.cos(angle), radius_m * math.sin(angle), 900.0),
        velocity_enu_m_s=(-0.03 * radius_m * math.sin(angle), 0.03 * radius_m * math.cos(angle), 0.0),
    )  # fmt: skip


def impact_of(number: int, at_s: float) -> Impact:
    """Its impact, with a predicted path."""
    east_m, north_m = (number % 25 - 12) * 330.0, (number // 25 - 10) * 330.0
    here = track_of(number, at_s).position_enu_m
    shares = [k / (PATH_POINTS - 1) for k in range(PATH_POINTS)]
    path = tuple(
        (here[0] + s * (east_m - here[0]), here[1] + s * (north_m - here[1]), 900.0 * (1.0 - s)) for s in shares
    )
    impact = raid.impact(number, at_s, at_s + 20.0 + number % 7)
    return msgspec.structs.replace(impact, position_enu_m=(east_m, north_m, 0.0), path_enu_m=path)


def told(timeline: Timeline, number: int, at_s: float) -> None:
    """Tell a track, its impact and, of some, a threat."""
    timeline.append(track_of(number, at_s))
    timeline.append(impact_of(number, at_s))
    if number % ACTING == 0:
        timeline.append(raid.threat(number, at_s, at_s + 20.0 + number % 7, "z44", 0.5))


def feed(timeline: Timeline, tracks: int, stop: threading.Event) -> None:
    """Tell every track and its impact twice a second, after as long a past as trails reach back."""
    for half in range(round(2.0 * TRAIL_S)):
        timeline.append(Tick(t_ns=raid.t_ns(half / 2.0)))
        for number in range(1, tracks + 1):
            told(timeline, number, half / 2.0)
    tenth, began_s = 0, time.monotonic()
    while not stop.is_set():
        at_s = TRAIL_S + tenth / 10.0
        timeline.append(Tick(t_ns=raid.t_ns(at_s)))
        for number in range(1 + tenth % 5, tracks + 1, 5):
            told(timeline, number, at_s)
        tenth += 1
        stop.wait(max(began_s + tenth / 10.0 - time.monotonic(), 0.0))


class Counted(Encoder):
    """Counts the frames that were made, each for all screens."""

    frames = 0

    def frame(self, picture: Picture, t_ns: int, begin_ns: int, end_ns: int, data_age_s: float, flags: int) -> bytes:
        Counted.frames += 1
        return super().frame(picture, t_ns, begin_ns, end_ns, data_age_s, flags)


class Stamped(Encoder):
    """Writes into each frame, in the place of the begin, when it was made: milliseconds since 1970."""

    def frame(self, picture: Picture, t_ns: int, begin_ns: int, end_ns: int, data_age_s: float, flags: int) -> bytes:
        return super().frame(picture, t_ns, time.time_ns(), end_ns, data_age_s, flags)


def browser(tracks: int) -> None:
    """Measure one browser and print."""
    timeline, stop = Timeline(), threading.Event()
    hub = display_server.hub_of(timeline, live=True)
    hub.shared.encoder = Stamped(raid.site())
    feeder = threading.Thread(target=feed, args=(timeline, tracks, stop), daemon=True)
    feeder.start()
    while timeline.end_ns < raid.t_ns(TRAIL_S):
        time.sleep(0.1)
    with display_server.serving(hub) as running:
        script = str(ROOT / "display" / "test" / "load.mjs")
        command = ["node", script, running.address, str(BROWSER_S)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    stop.set()
    feeder.join()
    found = json.loads(done.stdout)
    shares = ", ".join(f"{share:.0%}" for share in found["shares"])
    each_ms = statistics.fmean(found["shares"]) * BROWSER_S / found["pictures"] * 1e3
    print(f"{tracks} tracks: browser {statistics.median(found['shares']):.0%} of a core ({shares}),", end=" ")
    print(f"{each_ms:.0f} ms for each of {found['pictures'] / BROWSER_S:.1f} pictures a second;")
    print(f"panning: {found['fps']:.0f} frames/s, {found['panned']:.0%} of a core;")
    print(
        f"frame made to picture: {found['p50']:.0f} ms at the median, {found['p95']:.0f} ms at the 95th percentile"
        f" of {found['frames']}; a frame is {found['bytes'] / 1e3:.1f} kB"
    )


def seek(seeks: int) -> None:
    """Measure seeks over an hour of recording and print."""
    timeline, began_ns = Timeline(), raid.T0_NS
    for minute in range(0, HOUR_MIN, 2):
        raid.T0_NS = began_ns + minute * 60 * raid.SECOND_NS  # type: ignore[misc]
        for batch in raid.batches():
            timeline.extend(batch)
        for tenth in range(1, 600):
            at_s = 60.0 + tenth / 10.0
            timeline.append(Tick(t_ns=raid.t_ns(at_s)))
            if tenth % 5 == 0:
                timeline.extend(track_of(number, at_s) for number in range(10, 10 + IDLE_TRACKS))
    raid.T0_NS = began_ns  # type: ignore[misc]
    with display_server.serving(display_server.hub_of(timeline)) as running:
        script = str(ROOT / "display" / "test" / "seek.mjs")
        done = subprocess.run(["node", script, running.address, str(seeks)], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    print(f"{timeline.latest.seq} records, {(timeline.end_ns - timeline.begin_ns) / 6e10:.0f} minutes:", end=" ")
    print(
        f"seek to picture {found['p50']:.0f} ms at the median, {found['p95']:.0f} ms at the 95th percentile,", end=" "
    )
    print(f"{found['worst']:.0f} ms at worst of {found['seeks']}")


def screen(port: int) -> socket.socket:
    """Open a line as a screen does."""
    line = socket.create_connection(("127.0.0.1", port))
    line.sendall(
        b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    return line


def listen(port: int, number: int, seconds: float) -> None:
    """Be so many screens that read and do nothing else; print how many bytes each of them got."""
    watch = selectors.DefaultSelector()
    got = dict.fromkeys(range(number), 0)
    for k in range(number):
        line = screen(port)
        line.setblocking(False)
        watch.register(line, selectors.EVENT_READ, k)
    buffer, until_s = bytearray(1 << 20), time.monotonic() + seconds
    while time.monotonic() < until_s:
        for key, _ in watch.select(0.1):
            got[key.data] += key.fileobj.recv_into(buffer)  # type: ignore[union-attr]
    print(json.dumps(got))


def screens(number: int, tracks: int) -> None:
    """Measure the server with so many screens, then with one more that stalls, and print."""
    timeline, stop = Timeline(RECORDS_MAX), threading.Event()
    hub = display_server.hub_of(timeline, live=True)
    feeder = threading.Thread(target=feed, args=(timeline, tracks, stop), daemon=True)
    feeder.start()
    while timeline.end_ns < raid.t_ns(TRAIL_S):
        time.sleep(0.1)
    hub.shared.encoder = Counted(raid.site())
    with display_server.serving(hub) as running:
        ident = next(t.ident for t in threading.enumerate() if t.name == display_server.THREAD)
        clock = time.pthread_getcpuclockid(ident)  # type: ignore[arg-type]
        measured(running.port, number, clock, "")
        stalled = screen(running.port)
        measured(running.port, number, clock, " and one that stalls")
        stalled.close()
    stop.set()
    feeder.join()


def measured(port: int, number: int, clock: int, beside: str) -> None:
    """Measure the thread of a processor clock while so many screens listen, and print."""
    listening = [sys.executable, __file__, "listen", str(port), str(number)]
    with subprocess.Popen(listening, stdout=subprocess.PIPE, text=True) as clients:
        time.sleep(4.0)  # greetings are not frames
        process = psutil.Process()
        used_s, sent, rss = time.clock_gettime(clock), Counted.frames, process.memory_info().rss
        time.sleep(SCREENS_S)
        spent_s, frames = time.clock_gettime(clock) - used_s, Counted.frames - sent
        grown = process.memory_info().rss - rss
        assert clients.stdout is not None
        got = json.loads(clients.stdout.read())
    slowest, fastest, listened_s = min(got.values()), max(got.values()), SCREENS_S + 6.0
    print(f"{number} screens{beside}: {spent_s / frames * 1e3:.1f} ms of the server's thread", end=" ")
    print(f"for each frame to all, {frames / SCREENS_S:.1f} frames a second;", end=" ")
    print(f"the slowest got {slowest / fastest:.0%} of the fastest's", end=" ")
    print(f"{fastest / listened_s / 1e3:.0f} kB/s; memory {grown / 1e6:+.1f} MB in {SCREENS_S:.0f} s")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("browser", "screens", "seek", "listen"))
    parser.add_argument("numbers", nargs="*", type=int)
    parser.add_argument("--tracks", type=int, default=500)
    given = parser.parse_args()
    if given.what == "listen":
        listen(given.numbers[0], given.numbers[1], SCREENS_S + 6.0)
        return
    if given.what == "browser":
        browser(*(given.numbers or [500]))
    elif given.what == "seek":
        seek(*(given.numbers or [40]))
    else:
        screens(*(given.numbers or [50]), given.tracks)
    print(f"(load of the machine {os.getloadavg()[0]:.1f})")


if __name__ == "__main__":
    main()
