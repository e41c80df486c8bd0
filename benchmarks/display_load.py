"""How much the display costs: tracks, ellipses and trails at 10 Hz in a browser without GPU, and frames to 50 screens.

    nice .venv/bin/python benchmarks/display_load.py [TRACKS]

Prints the share of one core that the browser takes, frames a second while the map is being moved, and the
milliseconds of work that the server puts into a frame.  Needs node, chromium and `npm ci` in display/.
"""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "display"))

import display_raid as raid  # noqa: E402
import display_server  # noqa: E402

from opencram.display.frames import Encoder  # noqa: E402
from opencram.display.timeline import Timeline  # noqa: E402
from opencram.messages import Tick  # noqa: E402

SECONDS = 12.0


def feed(timeline: Timeline, shared: object, tracks: int, stop: threading.Event) -> None:
    """Tell every track and its impact twice a second."""
    tenth = 0
    began_s = time.monotonic()
    while not stop.is_set():
        at_s = 10.0 + tenth / 10.0
        timeline.append(Tick(t_ns=raid.t_ns(at_s)))
        for number in range(1 + tenth % 5, tracks + 1, 5):
            timeline.append(raid.track(number % 90 + 1, at_s, 60.0 + at_s) if tracks < 90 else moved(number, at_s))
            timeline.append(impact_of(number, at_s))
        tenth += 1
        stop.wait(max(began_s + tenth / 10.0 - time.monotonic(), 0.0))


def moved(number: int, at_s: float):  # type: ignore[no-untyped-def]
    """One of many tracks, spread over the map."""
    import msgspec

    east, north = (number % 25 - 12) * 500.0, (number // 25 - 10) * 500.0
    track = raid.track(number, at_s, 60.0)
    return msgspec.structs.replace(track, position_enu_m=(east - 30.0 * (at_s % 30.0), north, 900.0))


def impact_of(number: int, at_s: float):  # type: ignore[no-untyped-def]
    """Its impact."""
    import msgspec

    impact = raid.impact(number, at_s, at_s + 20.0)
    place = ((number % 25 - 12) * 450.0, (number // 25 - 10) * 450.0, 0.0)
    return msgspec.structs.replace(impact, position_enu_m=place)


def main() -> None:
    """Measure and print."""
    tracks = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    timeline = Timeline()
    hub = display_server.hub_of(timeline, live=True)
    stop = threading.Event()
    feeder = threading.Thread(target=feed, args=(timeline, hub.shared, tracks, stop), daemon=True)
    feeder.start()
    with display_server.serving(hub) as running:
        script = str(ROOT / "display" / "test" / "load.mjs")
        done = subprocess.run(
            ["node", script, running.address, str(SECONDS)], capture_output=True, text=True, check=True
        )
        found = json.loads(done.stdout)
    stop.set()
    feeder.join()
    encoder, best_s = Encoder(raid.site()), 9.0
    for _ in range(20):
        began_s = time.thread_time()
        encoder.frame(timeline.latest, timeline.end_ns, 0, 0, 0.0, 0)
        best_s = min(best_s, time.thread_time() - began_s)
    print(f"{tracks} tracks: browser {found['share']:.0%} of a core, {found['fps']:.0f} frames/s while panning;")
    print(f"a frame is {found['bytes'] / 1e3:.0f} kB and takes the server {best_s * 1e3:.1f} ms")
    print(f"(load of the machine {os.getloadavg()[0]:.1f})")


if __name__ == "__main__":
    main()
