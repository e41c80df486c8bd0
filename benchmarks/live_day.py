"""A day of the live service in minutes: do processor, memory, files and the log stay as they are?

    python benchmarks/live_day.py [--hours 24] [--clutter 2] [--raids 1]

Writes a day of plots (false ones at random places, so many a second, and the mortar raid of the examples so many times
an hour), gives it to `opencram live SITE.toml --replay DAY --speed 100000`, which takes it as fast as it can, and looks
at the process at every hour of the data: processor time a data hour, resident memory, open files, threads, size of the
log, which is cut every hour and kept to 40 MB.
"""

import argparse
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from opencram.adapters.times import rfc3339

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "mortars"
T0 = 1_767_225_600_000_000_000
PORT = 18_477
LIVE = f"""
[[outlet]]
name = "files"
kind = "cap-directory"
folder = "cap"
[live]
http = "127.0.0.1:{PORT}"
segment_s = 3600
keep_gb = 0.04
"""


def day(path: Path, hours: float, clutter: float, raids: int) -> int:
    """Write the plots of a day; return how many."""
    draw = random.Random(1)
    raid = [json.loads(line) for line in (EXAMPLE / "plots.ndjson").read_text().splitlines()]
    begins = [
        (hour * 3600.0 + 3600.0 * k / raids + draw.uniform(60.0, 600.0), k)
        for hour in range(math.ceil(hours))
        for k in range(raids)
    ]
    at_s = [60.0 * float(plot["time"][14:16]) + float(plot["time"][17:-1]) for plot in raid]
    plots = [(begin + s, plot) for begin, _ in begins for s, plot in zip(at_s, raid, strict=True)]
    period_s = 0.5
    for scan in range(round(hours * 3600.0 / period_s)):
        for _ in range(int(clutter * period_s) + (draw.random() < (clutter * period_s) % 1.0)):
            place = {
                "type": "plot", "sensor": raid[0]["sensor"], "range_m": round(draw.uniform(300.0, 7000.0), 1),
                "azimuth_deg": round(draw.uniform(0.0, 359.9), 3), "elevation_deg": round(draw.uniform(1.0, 60.0), 3),
            }  # fmt: skip
            plots.append((scan * period_s, place))
    plots.sort(key=lambda each: each[0])
    with path.open("w") as file:
        for s, plot in plots:
            if s < hours * 3600.0:
                file.write(json.dumps({**plot, "time": rfc3339(T0 + round(s * 1e9))}) + "\n")
    return len(plots)


def process(pid: int) -> tuple[float, float, int, int]:
    """Return processor time (s), resident memory (MB), open files and threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    resident = int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return (int(fields[11]) + int(fields[12])) / 100.0, resident, len(os.listdir(f"/proc/{pid}/fd")), int(fields[17])


def data_time_h() -> tuple[float, int]:
    """Return the hour of the data and the alarms that stand; (-1, 0) before there is any."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health", timeout=5.0) as answer:
            found = json.load(answer)
    except urllib.error.HTTPError as error:
        found = json.load(error)
    except OSError:
        return -1.0, 0
    told = found["data_time"]
    seconds = time.mktime(time.strptime(told[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
    return seconds / 3600.0, found["alarms"]


def main() -> None:
    """Run a day and print a row an hour."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--clutter", type=float, default=2.0, help="false plots a second")
    parser.add_argument("--raids", type=int, default=1, help="raids an hour")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count = day(folder / "day.ndjson", chosen.hours, chosen.clutter, chosen.raids)
        (folder / "site.toml").write_text((EXAMPLE / "site.toml").read_text() + LIVE)
        print(f"{count} plots", flush=True)
        command = [sys.executable, "-m", "opencram", "live", str(folder / "site.toml"), "--replay"]
        with (folder / "out.txt").open("wb") as said:
            service = subprocess.Popen(
                [*command, str(folder / "day.ndjson"), "--speed", "100000"], stdout=said, stderr=subprocess.STDOUT
            )
        print("| hour | processor in it (s) | memory (MB) | open files | threads | log (MB) | CAP files |")
        print("|---:|---:|---:|---:|---:|---:|---:|")
        first_h, told_h, used_s = math.nan, 0, 0.0
        while service.poll() is None:
            time.sleep(0.05)
            hour, _ = data_time_h()
            if hour < 400_000.0:  # no data yet: the clock stands at 1970
                continue
            first_h = hour if math.isnan(first_h) else first_h
            if int(hour - first_h) > told_h:
                told_h = int(hour - first_h)
                cpu_s, memory_mb, files, threads = process(service.pid)
                size = sum(p.stat().st_size for p in folder.glob("log-*/*")) / 1e6
                caps = len(list((folder / "cap").glob("*.xml")))
                row = f"| {told_h} | {cpu_s - used_s:.1f} | {memory_mb:.0f} | {files} | {threads} | {size:.0f} "
                print(f"{row}| {caps} |", flush=True)
                used_s = cpu_s
        print((folder / "out.txt").read_text().splitlines()[-1])


if __name__ == "__main__":
    main()
