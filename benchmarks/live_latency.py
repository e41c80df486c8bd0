"""From plot to siren: the live service under clutter, measured from its own log.

    python benchmarks/live_latency.py [--tracks 10,100] [--clutter 1000,10000] [--seconds 30] [--stopped 1.5]

Starts `opencram live` on a site made for the purpose and sends it a radar of ten scans a second as ASTERIX CAT015
over UDP, in real time: so many rounds of all classes in the air at any moment, from 4 to 9 km away into the zones,
with drag and wind, and so many false plots a second at random places.  The first half minute fills the sky and is not
counted.  The siren is an outlet that writes CAP files.  Latency runs from the arrival of the plots that led to a
warning to the outlet's word that it has it.  Processor time is that of the service.

With `--stopped` the service is starved: its worker is stopped for so many seconds of every two.  Then a line says how
many datagrams were sent, how many are in the log, and how many the log says were lost.
"""

import argparse
import math
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from opencram.adapters.asterix.encode import encode_plots
from opencram.config.site import load_site
from opencram.messages import Delivery, FeedStatus, Health, Plot
from opencram.recording import read_inputs
from opencram.recording.reader import read_datagrams
from opencram.runtime.stations import stations
from opencram.simulation.flights import Flight, Flyer, positions_at
from opencram.simulation.raids import START_T_NS, Spread, random_raid

PERIOD_S, REACH_M = 0.1, 12_000.0
FLOWN_S = 30.0  # a round flies so long, give or take five
HEAD = """
[site]
name = "latency"
latitude_deg = {latitude}
longitude_deg = {longitude}
height_m = {height}
[[sensor]]
id = "radar"
latitude_deg = {latitude}
longitude_deg = {longitude}
height_m = {height}
range_std_m = 10.0
azimuth_std_mrad = 1.5
elevation_std_mrad = 1.5
range_max_m = {reach}
period_s = {period}
detection_probability = 0.9
clutter_per_scan = {clutter}
[[feed]]
name = "radar"
format = "asterix"
udp = "127.0.0.1:{port}"
[[outlet]]
name = "siren"
kind = "cap-directory"
folder = "cap"
[live]
http = false
raw = "{raw}"
"""
ZONE = """
[[zone]]
id = "z{n}"
population = 500
shelter_time_s = 10.0
polygon = [[{x0}, {y0}], [{x1}, {y0}], [{x1}, {y1}], [{x0}, {y1}]]
"""


@dataclass(frozen=True)
class Raid:
    """So many rounds in the air at any moment, as they truly fly: launch times (s) and flights, and where all is."""

    launched: list[tuple[float, Flight]]
    latitude_deg: float
    longitude_deg: float
    height_m: float


def raid(tracks: int, seconds: float, seed: int) -> Raid:
    """Draw rounds of all classes, with wind and drag of their own, launched evenly over the run."""
    spread = Spread(
        rounds=(round(tracks * seconds / FLOWN_S),) * 2,
        names=("120 mm mortar", "105 mm shell", "155 mm shell", "107 mm rocket", "122 mm rocket"),
        range_m=(4000.0, 9000.0),
        aim_m_max=1500.0,
        flight_s=(FLOWN_S - 5.0, FLOWN_S + 5.0),
        radars=(1, 1),
        latitude_rad=(0.55, 0.6),
        launch_s=(0.0, seconds),
    )
    config = random_raid(seed, spread)
    flyer = Flyer.of(config)
    return Raid(
        launched=[((one.launch_t_ns - START_T_NS) / 1e9, flyer.launch(one)) for one in config.rounds],
        latitude_deg=math.degrees(config.latitude_rad),
        longitude_deg=math.degrees(config.longitude_rad),
        height_m=config.height_m,
    )


def site_text(flown: Raid, clutter: float, port: int, raw: str) -> str:
    """Return the site file: a radar in the middle of 6 by 6 blocks of 500 m."""
    text = HEAD.format(
        reach=REACH_M, period=PERIOD_S, clutter=max(clutter * PERIOD_S, 0.1), port=port, raw=raw,
        latitude=flown.latitude_deg, longitude=flown.longitude_deg, height=flown.height_m,
    )  # fmt: skip
    for n in range(36):
        east, north = (n % 6 - 3) * 500.0, (n // 6 - 3) * 500.0
        by_lon, by_lat = 111_320.0 * math.cos(math.radians(flown.latitude_deg)), 110_900.0
        lon, lat = flown.longitude_deg + east / by_lon, flown.latitude_deg + north / by_lat
        text += ZONE.format(n=n, x0=lon, y0=lat, x1=lon + 500.0 / by_lon, y1=lat + 500.0 / by_lat)
    return text


def scans(flown: Raid, clutter: float, seconds: float, seed: int) -> list[list[Plot]]:
    """Return the plots of each scan, times from 0."""
    draw = random.Random(seed)
    made: list[list[Plot]] = []
    for scan in range(round(seconds / PERIOD_S)):
        t_s = scan * PERIOD_S
        flying = [(t_s - begun_s, one) for begun_s, one in flown.launched if 0.0 < t_s - begun_s < one.t_s[-1]]
        places = [positions_at(one, np.array([age_s]))[0][0] for age_s, one in flying if draw.random() < 0.9]
        plots = [polar(place, draw) for place in places if place[2] > 60.0]
        for _ in range(round(clutter * PERIOD_S)):
            elevation = math.asin(draw.uniform(0.02, 0.9))
            plots.append((REACH_M * draw.random() ** (1 / 3) + 50.0, draw.uniform(0.0, 2.0 * math.pi), elevation))
        draw.shuffle(plots)
        kept = [p for p in plots if 10.0 < p[0] < REACH_M and 0.0 < p[2] < 1.5]
        made.append(
            [
                Plot(t_ns=round(t_s * 1e9), plot_id=1, sensor="radar", range_m=r, azimuth_rad=a, elevation_rad=e)
                for r, a, e in kept
            ]
        )
    return made


def polar(place: NDArray[np.float64], draw: random.Random) -> tuple[float, float, float]:
    """Return range, azimuth and elevation as the radar measures them."""
    east, north, up = place
    flat = math.hypot(east, north)
    azimuth = math.atan2(east, north) + draw.gauss(0.0, 1.5e-3)
    return (
        math.hypot(flat, up) + draw.gauss(0.0, 10.0),
        azimuth % (2.0 * math.pi),
        math.atan2(up, flat) + draw.gauss(0.0, 1.5e-3),
    )


def processor_s(pid: int) -> float:
    """Return the processor time of a process and of the workers that it forked and that still run."""
    total = 0.0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(path.parent.name) == pid or int(fields[1]) == pid:
            total += (int(fields[11]) + int(fields[12])) / 100.0
    return total


def realtime(pid: int) -> None:
    """Put all threads of a process, and of its children, before whatever else this machine does."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setscheduler(int(task.name), os.SCHED_FIFO, os.sched_param(1))
    for child in children:
        realtime(int(child))


def syncs_ms(folder: Path) -> str:
    """Return median and 99th percentile of a full sync of a small file, which an alarm waits for twice."""
    took = []
    for _ in range(100):
        began_s = time.perf_counter()
        with (folder / "sync").open("wb") as file:
            file.write(bytes(6000))
            file.flush()
            os.fsync(file.fileno())
        took.append(1e3 * (time.perf_counter() - began_s))
        time.sleep(0.01)
    took.sort()
    return f"{took[50]:.1f} / {took[98]:.1f}"


@contextmanager
def stopped(pid: int, seconds: float) -> Iterator[None]:
    """Stop the worker of a service for so many seconds of every two while the context lasts."""
    [worker] = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    over = threading.Event()

    def pulse() -> None:
        while not over.wait(2.0 - seconds):
            os.kill(worker, signal.SIGSTOP)
            over.wait(seconds)
            os.kill(worker, signal.SIGCONT)

    thread = threading.Thread(target=pulse)
    if seconds:
        thread.start()
    try:
        yield
    finally:
        over.set()
        if seconds:
            thread.join()


def losses(folder: Path, sent: int) -> str:
    """Return what became of the datagrams, in words."""
    logged, told, words = 0, 0, []
    for log in sorted((folder / "log").glob("live-*.opencram")):
        logged += sum(1 for _ in read_datagrams(log))
        for message in read_inputs(log):
            if isinstance(message, FeedStatus):
                told = max(told, dict(message.rejected).get("overflow", 0))
            elif isinstance(message, Health) and message.part.startswith("feed:"):
                words.append(f"{message.state}: {message.reason}")
    return f"    datagrams sent {sent:,}, in the log {logged:,}, told as lost {told:,}; {' | '.join(words)}"


def measure(tracks: int, clutter: float, seconds: float, chosen: argparse.Namespace) -> str:
    """Run once and return a row of the table."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        folder = Path(name)
        path = folder / "site.toml"
        flown = raid(tracks, FLOWN_S + seconds, 1)
        path.write_text(site_text(flown, clutter, port, chosen.raw))
        radars = stations(load_site(path))
        plots = scans(flown, clutter, FLOWN_S + seconds, 1)
        out_path = folder / "out.txt"
        with out_path.open("wb") as said:
            command = [sys.executable, "-m", "opencram", "live", str(path)]
            service = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        try:
            while "live:" not in out_path.read_text():
                time.sleep(0.1)
                if service.poll() is not None:
                    raise SystemExit(out_path.read_text())
            if chosen.realtime:
                realtime(service.pid)
            sync = syncs_ms(folder)
            began_cpu_s = processor_s(service.pid)
            with stopped(service.pid, chosen.stopped):
                sent, started_ns, datagrams = send(plots, radars, port, first=chosen.realtime)
            took_s = (time.time_ns() - started_ns) / 1e9
            used_s = processor_s(service.pid) - began_cpu_s
            time.sleep(3.0 if chosen.stopped else 1.0)
            service.send_signal(signal.SIGTERM)
            service.wait(60.0)
        finally:
            service.kill()
            service.wait()
        latencies, logged, newest_ns = [], 0, 0
        for log in sorted((folder / "log").glob("live-*.opencram")):
            for message in read_inputs(log):
                if isinstance(message, Delivery):
                    if message.t_ns < started_ns + round(FLOWN_S * 1e9):
                        continue
                    latencies.append(message.latency_s if message.delivered else math.inf)
                elif isinstance(message, Plot):
                    logged, newest_ns = logged + 1, max(newest_ns, message.t_ns)
        if chosen.stopped:
            print(losses(folder, datagrams))
    latencies.sort()
    at = [
        1e3 * latencies[min(int(q * len(latencies)), len(latencies) - 1)] if latencies else math.nan
        for q in (0.5, 0.99, 1.0)
    ]
    return (
        f"| {tracks} | {clutter:,.0f} | {sent / took_s:,.0f} | {100.0 * logged / sent:.1f} % | {len(latencies)} "
        f"| {at[0]:.0f} | {at[1]:.0f} | {at[2]:.0f} | {100.0 * used_s / took_s:.0f} % | {sync} |"
    )


def send(plots: list[list[Plot]], radars: object, port: int, *, first: bool) -> tuple[int, int, int]:
    """Send every scan at its time; return how many plots, when the first was sent, and in how many datagrams."""
    began_s = time.monotonic()
    encode_plots(plots[0], radars)
    spent_s = (time.monotonic() - began_s) * len(plots)
    started_ns = time.time_ns() + round((1.0 + 3.0 * spent_s) * 1e9)  # all is encoded by then: nobody is in the way
    scans_sent = []
    for scan in filter(None, plots):
        t_ns = started_ns + scan[0].t_ns
        scans_sent.append((t_ns, encode_plots([msgspec.structs.replace(plot, t_ns=t_ns) for plot in scan], radars)))
    if first:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for t_ns, blocks in scans_sent:
            time.sleep(max(t_ns - time.time_ns(), 0) / 1e9)
            for block in blocks:
                out.sendto(block, ("127.0.0.1", port))
    if first:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return sum(map(len, plots)), started_ns, sum(len(blocks) for _, blocks in scans_sent)


def main() -> None:
    """Measure each pair and print the table."""
    parser = argparse.ArgumentParser(description="From plot to siren, under clutter.")
    parser.add_argument("--tracks", default="10,100")
    parser.add_argument("--clutter", default="1000,10000", help="false plots a second")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--folder", help="where the log and the CAP files go; /dev/shm: to a disk that takes no time")
    parser.add_argument("--realtime", action="store_true", help="as root: before whatever else this machine does")
    parser.add_argument("--stopped", type=float, default=0.0, help="starve the service so many seconds of every two")
    parser.add_argument("--raw", choices=("keep", "drop"), default="keep")
    chosen = parser.parse_args()
    print(
        "| tracks | clutter/s | plots/s sent | in the log | alarms | p50 (ms) | p99 (ms) | worst (ms) "
        "| of a core | one sync, p50 / p99 (ms) |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for clutter in map(float, chosen.clutter.split(",")):
        for tracks in map(int, chosen.tracks.split(",")):
            print(measure(tracks, clutter, chosen.seconds, chosen), flush=True)


if __name__ == "__main__":
    main()
