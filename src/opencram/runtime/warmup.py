"""Compile every kernel, or load it where it is compiled, before it is needed; say so while it lasts.

A small built-in raid goes through the whole pipeline, so that each kernel is made ready for the very types that
it will meet.  The first run of a version compiles for a while; later ones load in a second or two.  Numba compiles one
kernel at a time in a process: where nothing is compiled yet and there are two processors, a second process compiles
what lies behind the tracking, and the simulation, meanwhile.
"""

import gc
import hashlib
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import msgspec
import numba
import numpy as np
from numba.core import event

from opencram import tracking
from opencram.config.model import Site
from opencram.config.site import parse_site
from opencram.kernel import cache_folder, cache_root
from opencram.messages import Hypothesis, Plot, Tick, Track
from opencram.runtime.configure import configure
from opencram.runtime.pipeline import PipelineConfig, PipelineState, dwells, initial, step

_PACKAGES = ("earth", "estimation", "ballistics", "tracking", "prediction", "threat", "warning", "engagement")
_PROCESSORS_MIN = 2
GARBAGE_THRESHOLDS = (50_000, 20, 50)  # objects made before the young are looked through, then how seldom the older
_COMPILER_THRESHOLDS = (200_000, 50, 100)
QUIET_S = 1.0  # a start as short as this needs no word
TTY_S, LINE_S = 0.2, 10.0

START_NS = 1_767_225_600_000_000_000  # 2026-01-01

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


def built_in_site() -> Site:
    """Return the site of the built-in raid."""
    return parse_site(_SITE, "built-in site")


def warm_up(
    tell: Callable[[str], None] = lambda kernel_name: None, *, simulation: bool = True, figures: bool = False
) -> int:
    """Make the kernels of the pipeline ready; return how many had to be compiled.

    Those of the `simulation` and those of reports and `figures` too, if wanted.  `tell` hears the name of each kernel
    as its compilation begins.
    """
    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
        return 0
    with listening(tell) as compiled, _rare_collection(), _second_process(simulation, figures) as second:
        config = configure(built_in_site())
        if second is not None:
            tracks = tracking.initial(config.tracking)
            for batch in dwells(config, raid()):
                tracks, _ = tracking.step(config.tracking, tracks, batch)
            second.wait()
        state = initial(config)
        for batch in dwells(config, raid()):
            state, _ = step(config, state, batch)
        _burn(config, state)
        _wait()
        if simulation:
            _fly()
        if figures:
            _draw()
    _mark().touch()
    return len(compiled)


def collect_seldom() -> None:
    """Look for garbage seldom, and never through what is loaded now.

    Compiled kernels are a million objects that stay; the pipeline makes tuples by the thousand and no cycles.
    Looking through them all as often as Python does by itself costs a quarter of the time of a run.
    """
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def is_compiled() -> bool:
    """Return whether `warm_up` has been through once with this version on this processor."""
    return _mark().exists()


def _mark() -> Path:
    """Return the file that tells of it: its name changes with any kernel, compiler or processor."""
    folders = "".join(cache_folder(package).name for package in _PACKAGES)
    return cache_root() / f"warm-{hashlib.sha256(folders.encode()).hexdigest()[:16]}"


@contextmanager
def _rare_collection() -> Iterator[None]:
    """Look for garbage seldom: the compiler makes millions of objects that stay, and few cycles.

    Measured once, everything compiled in one process of a busy machine: 65 s of processor time and 730 MiB, against
    74 s and 691 MiB.
    """
    usual = gc.get_threshold()
    gc.set_threshold(*_COMPILER_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@contextmanager
def _second_process(simulation: bool, figures: bool) -> Iterator[subprocess.Popen[bytes] | None]:
    """Compile what lies behind the tracking in another process, if it is not compiled and there is one to spare.

    What that process leaves out for whatever reason is compiled here in its turn.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if any(cache_folder("threat").rglob("*.nbi")) or cores < _PROCESSORS_MIN:
        yield None
        return
    code = f"from opencram.runtime.warmup import warm_behind; warm_behind({simulation=}, {figures=})"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as second:
        try:
            yield second
        finally:
            second.terminate()


def warm_behind(*, simulation: bool, figures: bool) -> None:
    """Make ready what lies behind the tracking, from tracks made by hand: what `warm_up` does in its second process."""
    config = configure(built_in_site())
    state = initial(config)
    with _rare_collection():
        for second in range(8):
            tick = Tick(t_ns=START_NS + second * 1_000_000_000)
            tracks = [_track(number, float(second)) for number in range(1, len(_places(0.0)) + 1)]
            state, _ = step(config, state, [*tracks, tick])
        _wait()
        if simulation:
            from opencram.runtime.simulate import Raid
            from opencram.runtime.warmup_flights import scenario

            Raid(scenario())  # flies its rounds as it is made; the raid itself would compile the tracking here too
        if figures:
            _draw()


def warm_site(
    site: Site,
    tell: Callable[[str], None] = lambda kernel_name: None,
    between: Callable[[], None] = lambda: None,
) -> int:
    """Take the built-in raid through the pipeline of a site; return how many kernels had to be compiled.

    Terrain, weather and effectors of a site give kernels types that the built-in site does not: seen by one of its own
    radars of each period, the raid makes ready all that a run of this site will call.  These radars are as good here
    as the built-in one, else the raid might not lead as far: under much clutter its neighbours are never told apart.
    `between` is called after each dwell; what it raises ends the raid.
    """
    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
        return 0
    good = built_in_site().sensors[0]
    errors = ("range_m_std", "azimuth_rad_std", "elevation_rad_std", "clutter_per_scan")
    clear = {name: getattr(good, name) for name in errors}
    with listening(tell) as compiled:
        config = configure(replace(site, sensors=tuple(replace(each, **clear) for each in site.sensors)))
        for sensor in {each.period_s: each for each in site.sensors}.values():
            state = initial(config)
            seen = [msgspec.structs.replace(plot, sensor=sensor.id) for plot in raid()]
            for batch in dwells(config, seen):
                state, _ = step(config, state, batch)
                between()
            if len(state.tracking.tracks.targets):  # a radar of short reach may have seen none
                _burn(config, state)
        _wait()
    return len(compiled)


def warm_feeds(site: Site, tell: Callable[[str], None] = lambda kernel_name: None) -> int:
    """Make ready the kernels of the formats in which plots come to a site; return how many had to be compiled."""
    if numba.config.DISABLE_JIT or not any(f.format == "asterix" for f in site.live.feeds):  # type: ignore[attr-defined]
        return 0
    from opencram.adapters.asterix.encode import encode_plots, encode_service
    from opencram.adapters.feeds import Feed, FeedConfig
    from opencram.adapters.gate import Gate
    from opencram.adapters.stations import limits
    from opencram.runtime.stations import stations

    known = stations(site)
    seen = [msgspec.structs.replace(plot, sensor=known[0].id) for plot in raid()[:12]]
    blocks = [encode_service(known[0], START_NS)]
    blocks += [block for number in (15, 48) for block in encode_plots(seen, known, category=number, simulated=True)]
    with listening(tell) as compiled:
        for stream in (False, True):
            feed = Feed(
                FeedConfig(name="warm-up", format="asterix", stream=stream, simulated=True), known, Gate(limits(known))
            )
            for block in blocks:
                feed.receive(block, START_NS)
    return len(compiled)


def _wait() -> None:
    """Weigh a wait as warnings do: the raid above may leave no time for one."""
    from opencram.warning.wait import gain_of_waiting

    gain_of_waiting(np.array([[0.5, 30.0, 1.0, 200.0]]), 0.1, 100.0, 1.0, np.full(10, 15.0), 0.5, 1.0, 0.0)


def _burn(config: PipelineConfig, state: PipelineState) -> None:
    """Ask of a round when its motor burnt out, as seen by radars with biases: the raid above has no such rounds."""
    from opencram.ballistics.propagation import STATES
    from opencram.tracking.errors import POLAR
    from opencram.tracking.history import columns, window
    from opencram.tracking.thrust import burnt_out
    from opencram.tracking.world import world

    known = state.tracking
    target = known.tracks.targets[0]
    plots = window(columns(known.history), int(target["last"]), config.tracking.window_plots_max, 0)
    begun, model = known.tracks.x[0, :STATES].copy(), int(known.tracks.model[0])
    count = POLAR * len(known.noise.errors)
    biases = np.zeros(count), np.eye(count)
    burnt_out(world(config.tracking), known.noise.errors, plots, begun, model, known.t_ns, biases)


def _draw() -> None:
    """Fly rounds as figures and reports do: many to the ground, and back from an impact."""
    from opencram.ballistics.drag import standard_curve
    from opencram.ballistics.drivers import land_all, land_one
    from opencram.ballistics.environment import environment
    from opencram.ballistics.origin import launch_area

    env, curve = environment(0.0, 0.0), standard_curve("G7")
    state = [0.0, 0.0, 0.0, 100.0, 0.0, 100.0, 8.0, 0.0, 0.0, 0.0]
    land_all([state], env, curve)
    launch_area([*land_one(state, env, curve)[1:].tolist(), *state[6:]], np.eye(10), env, curve, since_impact_s=0.0)


def _fly() -> None:
    """Fly aimed rounds through the simulated world: one that coasts, one under thrust, one that spins."""
    from opencram.runtime.simulate import Raid  # a run on recorded plots needs no simulation
    from opencram.runtime.warmup_flights import scenario

    for _ in Raid(scenario()).batches():
        pass


@contextmanager
def listening(tell: Callable[[str], None]) -> Iterator[list[str]]:
    """Tell the name of each kernel that Numba begins to compile, and gather the names."""
    compiled: list[str] = []

    class Listener(event.Listener):  # type: ignore[misc]
        def on_start(self, begun: event.Event) -> None:
            function = begun.data["dispatcher"].py_func
            module = str(function.__module__)
            if module.startswith("opencram."):  # Numba compiles parts of its own by the way
                compiled.append(f"{module.removeprefix('opencram.')}.{function.__name__}")
                tell(compiled[-1])

        def on_end(self, ended: event.Event) -> None:
            pass

    with event.install_listener("numba:compile", Listener()):
        yield compiled


def raid() -> list[Plot]:
    """Return plots of five rounds in a vacuum, four of them onto the asset, one far away, and false ones.

    Several at once, so that the search for a plan has something to fill, to improve and to take back; two side by
    side, so that the tracker has neighbours to tell apart.
    """
    plots: list[Plot] = []
    for scan in range(80):
        first, *others = _places(0.1 * scan)
        for place in [
            first,
            (first[0], first[1] + 45.0, first[2]),
            *others,
            (100.0 + 37.0 * (scan * 7 % 23), -1500.0, 900.0),
        ]:
            plots.append(_plot(len(plots) + 1, 0.1 * scan, place))
    return plots


def _places(t_s: float) -> list[tuple[float, float, float]]:
    """Return where the rounds of the raid are (m, site ENU)."""
    aimed = [
        (x - x / 14.0 * t_s, y - y / 14.0 * t_s, 300.0 + 47.0 * t_s - 4.905 * t_s * t_s)
        for x, y in ((2600.0, 40.0), (2500.0, 500.0), (2400.0, -700.0))
    ]
    return [*aimed, (-2000.0 + 90.0 * t_s, 2500.0, 500.0 + 60.0 * t_s - 4.905 * t_s * t_s)]


def _track(number: int, t_s: float) -> Track:
    """Return a round of the raid as a track with two flight models."""
    east, north, up = _places(t_s)[number - 1]
    v_east, v_north, v_up = (
        (b - a) / 1e-3 for a, b in zip(_places(t_s)[number - 1], _places(t_s + 1e-3)[number - 1], strict=True)
    )
    spread = np.diag([5.0, 5.0, 5.0, 1.0, 1.0, 1.0, 0.05, 0.5, 0.5, 0.5]) ** 2
    model = Hypothesis(
        class_name="rocket",
        curve="G7",
        probability=0.8,
        mean=(east, north, up, v_east, v_north, v_up, 9.0, 0.0, 0.0, 0.0),
        covariance=tuple(spread[np.tril_indices(len(spread))].tolist()),
    )
    t_ns = START_NS + round(t_s * 1e9)
    return Track(
        t_ns=t_ns,
        track_id=number,
        status="confirmed",
        position_enu_m=(east, north, up),
        velocity_enu_m_s=(v_east, v_north, v_up),
        position_m_std=9.0,
        classes=(("rocket", 0.8), ("mortar", 0.2)),
        plots=10,
        first_t_ns=START_NS,
        updated_t_ns=t_ns,
        hypotheses=(model, msgspec.structs.replace(model, class_name="mortar", curve="G5", probability=0.2)),
    )


def _plot(plot_id: int, t_s: float, place_enu_m: tuple[float, float, float]) -> Plot:
    east, north, up = place_enu_m
    flat = math.hypot(east, north)
    return Plot(
        t_ns=START_NS + round(t_s * 1e9),
        plot_id=plot_id,
        sensor="radar",
        range_m=math.hypot(flat, up),
        azimuth_rad=math.atan2(east, north) % (2.0 * math.pi),
        elevation_rad=math.atan2(up, flat),
    )


@contextmanager
def progress(err: TextIO) -> Iterator[Callable[[str], None]]:
    """Show on `err` what is being compiled and for how many seconds; a quick start shows nothing."""
    began_s = time.monotonic()
    done = threading.Event()
    names: list[str] = []
    tty = err.isatty()

    def show() -> None:
        wait_s = QUIET_S
        while not done.wait(wait_s):
            wait_s = TTY_S if tty else LINE_S
            what = f"compiling kernels, once per version: {names[-1]}" if names else "loading kernels"
            text = f"opencram: {what}, {time.monotonic() - began_s:.0f} s"
            err.write(f"\r\033[K{text}" if tty else f"{text}\n" if names else "")
            err.flush()

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield names.append
    finally:
        done.set()
        thread.join()
        if tty:
            err.write("\r\033[K")
        if names:
            err.write(f"opencram: {len(names)} kernels compiled in {time.monotonic() - began_s:.0f} s\n")
        err.flush()
