"""Compile every kernel before it is needed, say so while it lasts, and know whether that has been done.

A small built-in raid goes through the whole pipeline, so that each kernel is compiled for the very types that
it will meet.  When all is compiled a marker is written beside the compiled kernels; its name holds the hash of
their source, as their folders do.
"""

# ruff: noqa: PLC0415  to know whether all is compiled, nothing of it need be imported

import hashlib
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from opencram import kernel
from opencram.config.site import parse_site
from opencram.messages import Message, Plot

COMPILED_PACKAGES = (
    "earth",
    "estimation",
    "ballistics",
    "simulation",
    "tracking",
    "prediction",
    "threat",
    "engagement",
)
_PYTHON = f"{sys.implementation.cache_tag}"
_START_NS = 1_767_225_600_000_000_000  # 2026-01-01

_SITE = """
[site]
name = "warm-up"
latitude_deg = 0.0
longitude_deg = 0.0
height_m = 0.0
[[sensor]]
id = "radar"
latitude_deg = 0.0
longitude_deg = 0.0
height_m = 0.0
range_std_m = 10.0
azimuth_std_mrad = 1.0
elevation_std_mrad = 1.0
range_max_m = 20000.0
clutter_per_scan = 1.0
period_s = 0.1
[[asset]]
id = "asset"
polygon = [[-0.002, -0.002], [0.002, -0.002], [0.002, 0.002], [-0.002, 0.002]]
[[zone]]
id = "zone"
population = 100
shelter_time_s = 10.0
polygon = [[-0.004, -0.004], [0.004, -0.004], [0.004, 0.004], [-0.004, 0.004]]
[[effector]]
id = "gun"
kind = "gun"
latitude_deg = 0.0
longitude_deg = 0.0
range_min_m = 100.0
range_max_m = 2000.0
magazine_rounds = 500
"""


def is_warm() -> bool:
    """Return whether `warm_up` has compiled this version of the source on this machine.  Needs no Numba."""
    return _marker().exists()


def warm_up(tell: Callable[[str], None] = lambda kernel_name: None) -> int:
    """Compile all kernels, or load them where they are compiled; return how many were compiled.

    `tell` hears the name of each kernel as its compilation begins.
    """
    with _listening(tell) as compiled:
        from opencram.runtime.configure import configure
        from opencram.runtime.pipeline import run

        for _ in run(configure(parse_site(_SITE, "built-in site")), raid()):
            pass
    marker = _marker()
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.touch()
    return len(compiled)


@contextmanager
def _listening(tell: Callable[[str], None]) -> Iterator[list[str]]:
    """Tell the name of each kernel that Numba begins to compile, and gather the names."""
    from numba.core import event

    compiled: list[str] = []

    class Listener(event.Listener):  # type: ignore[misc]
        def on_start(self, begun: event.Event) -> None:
            function = begun.data["dispatcher"].py_func
            name = f"{function.__module__.removeprefix('opencram.')}.{function.__name__}"
            compiled.append(name)
            tell(name)

        def on_end(self, ended: event.Event) -> None:
            pass

    with event.install_listener("numba:compile", Listener()):
        yield compiled


def raid() -> list[Message]:
    """Return plots of two rounds in a vacuum, one lofted over the radar, one far away, and false ones."""
    plots: list[Message] = []
    for scan in range(80):
        t_s = 0.1 * scan
        places = [
            (3000.0 - 150.0 * t_s, 40.0, 300.0 + 120.0 * t_s - 4.905 * t_s * t_s),
            (-2000.0 + 90.0 * t_s, 2500.0, 500.0 + 60.0 * t_s - 4.905 * t_s * t_s),
            (100.0 + 37.0 * (scan * 7 % 23), -1500.0, 900.0),
        ]
        for place in places:
            plots.append(_plot(len(plots) + 1, t_s, place))
    return plots


def _plot(plot_id: int, t_s: float, place_enu_m: tuple[float, float, float]) -> Plot:
    east, north, up = place_enu_m
    flat = math.hypot(east, north)
    return Plot(
        t_ns=_START_NS + round(t_s * 1e9),
        plot_id=plot_id,
        sensor="radar",
        range_m=math.hypot(flat, up),
        azimuth_rad=math.atan2(east, north) % (2.0 * math.pi),
        elevation_rad=math.atan2(up, flat),
    )


def _marker() -> Path:
    digest = hashlib.sha256(_PYTHON.encode())
    for package in COMPILED_PACKAGES:
        digest.update(kernel.source_hash(package).encode())
    return kernel.cache_root() / f"warm-{digest.hexdigest()[:16]}"


@contextmanager
def progress(err: TextIO, *, once: bool = True) -> Iterator[Callable[[str], None]]:
    """Show on `err` what is being compiled and for how many seconds; a quiet start of under a second shows nothing."""
    why = "compiling kernels, once per version" if once else "compiling kernels"
    began_s = time.monotonic()
    part, shown, done = "", False, threading.Event()
    tty = err.isatty()

    def tell(name: str) -> None:
        nonlocal part
        part = name

    def show() -> None:
        nonlocal shown
        wait_s = 1.0
        while not done.wait(wait_s):
            wait_s = 0.2 if tty else 10.0
            seconds = time.monotonic() - began_s
            text = f"opencram: {why}: {part}, {seconds:.0f} s"
            err.write(f"\r\033[K{text}" if tty else f"{text}\n")
            err.flush()
            shown = True

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield tell
    finally:
        done.set()
        thread.join()
        if shown:
            err.write(f"{chr(13)}\033[K" if tty else "")
            err.write(f"opencram: kernels compiled in {time.monotonic() - began_s:.0f} s\n")
            err.flush()
