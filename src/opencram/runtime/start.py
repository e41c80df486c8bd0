"""How the live service of a site file is started: kernels loaded, a keeper, and its worker."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from socket import socket
from typing import TextIO

from opencram.config.live_model import FeedSource
from opencram.config.model import Site
from opencram.config.site import load_site
from opencram.errors import OpencramError
from opencram.runtime import warmup
from opencram.runtime.keeper import Keeper, Reserved
from opencram.runtime.live import LiveService
from opencram.runtime.logbook import files
from opencram.runtime.played import Played
from opencram.runtime.sockets import bind_http


def live(
    site_path: str,
    tell: Callable[[str], None],
    stderr: TextIO,
    reserved: Reserved,
    *,
    standby: bool,
) -> None:
    """Run the live service of a site file until it is stopped.  `standby`: wait while another has its log."""

    base = Path(site_path).parent

    def warmed(site: Site, between: Callable[[], None] | None) -> None:
        with warmup.progress(stderr) if between is None else nullcontext(lambda name: None) as say:
            if not warmup.is_compiled():  # else the raid over this very site loads all that it will need
                warmup.warm_up(say, simulation=False)
            warmup.warm_site(site, say, between or (lambda: None))
            warmup.warm_feeds(site, say)
        warmup.collect_seldom()

    def hurried(site: Site) -> bool:
        return bool(files(base / site.live.log)) and warmup.is_compiled()

    Keeper(Path(site_path), serve, warmed, tell, reserved, standby=standby, hurried=hurried).run()


def live_from(site_path: str, recorded: str, speed: float, tell: Callable[[str], None], stderr: TextIO) -> None:
    """Run the live service of a site file on recorded plots as if they came now; every alarm is an exercise.

    The log is a new folder beside that of the real one.
    """
    site = load_site(site_path)
    source = FeedSource(name="recorded", format="ndjson", simulated=True)
    log = f"{site.live.log}-replay-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    site = replace(site, live=replace(site.live, feeds=(source,), log=log))
    with warmup.progress(stderr) as say:
        warmup.warm_up(say, simulation=False)
        warmup.warm_site(site, say)
    base = Path(site_path).parent
    sockets = {} if site.live.http is None else bind_http(site.live.http, {})

    async def run() -> None:
        await LiveService(site, base, tell, sockets, Played(site, Path(recorded), speed)).run()

    asyncio.run(run())


def serve(site: Site, base: Path, sockets: Mapping[str, socket], tell: Callable[[str], None]) -> bool:
    """Serve until told to stop; return whether another worker is to go on from here."""

    async def run() -> bool:
        service = LiveService(site, base, tell, sockets)
        await service.run()
        return service.handed_over

    warmup.collect_seldom()
    try:
        # All kernels are ready before the first plot; one that is not holds up alarms, and that is told.
        with warmup.listening(lambda name: tell(f"live: the kernel {name} was not ready; plots wait for it")):
            return asyncio.run(run())
    except OSError as error:
        raise OpencramError(f"the live service cannot go on: {error}") from error
