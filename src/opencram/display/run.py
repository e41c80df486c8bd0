"""`opencram serve`: from a recording, a scenario or a site to a web server that shows it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from opencram import __version__
from opencram.config.live import is_loopback
from opencram.config.model import BaseMap as BaseMapFile
from opencram.config.model import Site
from opencram.config.site import load_site, parse_site
from opencram.display.coverage import coverage
from opencram.display.frames import Encoder
from opencram.display.live import Batch, LiveRun, Said
from opencram.display.plan import plan
from opencram.display.session import Shared
from opencram.display.timeline import LIVE_RECORDS_MAX, Timeline
from opencram.errors import FileError, UsageError
from opencram.messages import Header, Message
from opencram.recording import read, read_header
from opencram.runtime.access import read_tokens
from opencram.runtime.fallbacks import site_health

if TYPE_CHECKING:
    from opencram.display.basemap import BaseMap
    from opencram.runtime.shell import Streams

Source = tuple[Site, Shared, dict[str, Any], LiveRun | None]
IDLE_NS = 100_000_000  # a live simulation goes on so often when nothing flies
REMEDY = "the display needs Starlette and Uvicorn: pip install 'opencram[display]'"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line asks for."""

    plots: str | None = None
    recording: str | None = None
    host: str = "127.0.0.1"
    port: int = 8700
    mode: str | None = None
    tokens: str | None = None
    paused: bool = False
    basemap: str | None = None
    log: str | None = None
    certificate: str | None = None
    key: str | None = None


def serve(what: str, options: Options, streams: "Streams") -> None:
    """Serve until interrupted; say where."""
    try:
        import uvicorn

        from opencram.display.server import Hub, application
        from opencram.display.wire import ScreenProtocol
    except ImportError as error:
        raise UsageError(f"{REMEDY} ({error})") from error
    options = _as_the_service(what, options)
    people = read_tokens(Path(options.tokens)) if options.tokens is not None else {}
    if not people and not is_loopback(options.host):
        raise UsageError(f"--host {options.host} is open to the network: give --tokens FILE, or listen on 127.0.0.1")
    if (options.certificate is None) != (options.key is None):
        raise UsageError("--certificate and --key go together: give both, or neither for plain HTTP")
    site, shared, hello, live = open_source(what, options, streams)
    if options.basemap is not None:
        site = replace(site, basemap=BaseMapFile(path=Path(options.basemap)))
    hub = Hub(
        shared=shared, hello=hello, people=people,
        tell=live.tell if live is not None and hello.pop("heard", True) else None,
        basemap=_basemap(site, streams, needed=what.endswith(".toml") or options.basemap is not None),
        coverage=cache(lambda: msgspec.json.encode(coverage(site))),
    )  # fmt: skip
    app = application(hub)
    if live is not None:
        app.router.lifespan_context = _lifespan(live, shared)
    shown = f"[{options.host}]" if ":" in options.host else options.host
    address = f"http{'s' if options.key else ''}://{shown}:{options.port}/"
    streams.stdout.write(f"The display is at {address} and the public page at {address}public\nStop it with Ctrl+C.\n")
    streams.stdout.flush()
    config = uvicorn.Config(
        app, host=options.host, port=options.port, log_level="warning", lifespan="on" if live else "off",
        ws=ScreenProtocol, ws_per_message_deflate=False, ws_max_size=8192, server_header=False,
        ssl_certfile=options.certificate, ssl_keyfile=options.key,
    )  # fmt: skip
    uvicorn.Server(config).run()


def _basemap(site: Site, streams: "Streams", *, needed: bool) -> "BaseMap | None":
    """Return the site's base map; a recording is shown without it where its file is not at hand, and that is said."""
    from opencram.display.basemap import open_basemap

    try:
        return open_basemap(site)
    except FileError as error:
        if needed:
            raise
        streams.stderr.write(f"The map is shown without its base map: {error}\n")
        return None


def open_source(what: str, options: Options, streams: "Streams") -> Source:
    """Return the site, what sessions share, what they are told first, and the live run behind them, if there is one."""
    if not what.endswith(".toml"):
        if options.plots or options.recording:
            raise UsageError("--plots and --recording go with a site or a scenario, not with a recording")
        _no_log(options)
        return _recorded(what, options)
    if _is_scenario(what):
        _no_log(options)
        return _simulated(what, options, streams)
    site = load_site(what)
    if options.plots is not None:
        _no_log(options)
        return _processed(site, options.plots, options, streams)
    if not site.live.feeds:
        raise UsageError(
            f"{what} is a site without feeds: give --plots FILE, or - for plots from standard input; or write its "
            "radars under [[feed]], run `opencram live` on it, and it is shown as it runs"
        )
    return _followed(site, Path(what).parent, options, streams)


def _no_log(options: Options) -> None:
    if options.log is not None:
        raise UsageError("--log goes with a site that has feeds, and without --plots")


def _is_scenario(path: str) -> bool:
    import tomllib

    try:
        return "scenario" in tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}; give a recording, a scenario or a site") from error
    except ValueError:
        return False  # the reader of sites names the fault and its place


def _recorded(path: str, options: Options) -> Source:
    head = read_header(path)
    site = parse_site(head.site_toml, f"{path} (the site in its header)")
    timeline = Timeline()
    timeline.extend(read(path))
    mode = options.mode or ("simulation" if head.source == "simulation" else "test")
    return site, _shared(site, timeline, live=False), _hello(site, mode, head.source, options), None


def _simulated(path: str, options: Options, streams: "Streams") -> Source:
    from opencram.config.scenario import load_scenario
    from opencram.runtime import shell
    from opencram.runtime.header import header

    scenario = load_scenario(path)
    shell.warm(streams.stderr, simulation=True)

    def make(said: Said) -> Iterator[Batch]:
        from opencram.runtime.simulate import Raid

        return Raid(scenario).batches(said, idle_ns_max=IDLE_NS)

    head = header(scenario.site, scenario.start_t_ns, "simulation", scenario_sha256=scenario.sha256, seed=scenario.seed)
    shared = _shared(scenario.site, Timeline(LIVE_RECORDS_MAX), live=True)
    hello = _hello(scenario.site, options.mode or "simulation", "simulation", options)
    return scenario.site, shared, hello, LiveRun(make, paced=True, record=_record(options, head))


def _processed(site: Site, plots: str, options: Options, streams: "Streams") -> Source:
    from opencram.runtime import shell
    from opencram.runtime.header import header
    from opencram.runtime.source import STANDARD, look_ahead, opened, read_plots

    shell.warm(streams.stderr)
    stack = opened(plots, streams.stdin)
    source = stack.__enter__()
    given = look_ahead(read_plots(site, source))

    def make(said: Said) -> Iterator[Batch]:
        from opencram.runtime.process import batches

        try:
            yield from batches(site, _with(said, chain(site_health(site, given.first_t_ns), given.messages)))
        finally:
            stack.__exit__(None, None, None)

    head = header(site, given.first_t_ns, "live" if plots == STANDARD else "process")
    shared = _shared(site, Timeline(LIVE_RECORDS_MAX), live=True)
    hello = _hello(site, options.mode or "test", head.source, options)
    return site, shared, hello, LiveRun(make, paced=plots != STANDARD, record=_record(options, head))


def _as_the_service(what: str, options: Options) -> Options:
    """Return the options with the tokens and the certificate of the live service that is to be shown, if one is."""
    if not what.endswith(".toml") or options.plots is not None or _is_scenario(what):
        return options
    live, base = load_site(what).live, Path(what).parent
    if not live.feeds:
        return options
    tokens = options.tokens or (str(base / live.token_file) if live.token_file else None)
    own = options.certificate is None and options.key is None and live.certificate_file and live.key_file
    if not own:
        return replace(options, tokens=tokens)
    return replace(options, tokens=tokens, certificate=str(base / live.certificate_file), key=str(base / live.key_file))


def _followed(site: Site, base: Path, options: Options, streams: "Streams") -> Source:
    """Show a live service by the log that it writes."""
    from opencram.display.follow import Door, Log, batches
    from opencram.runtime.logbook import files

    if options.recording is not None:
        raise UsageError("--recording goes with --plots or a scenario: the live service writes its own log")
    drill = options.log is not None
    folder = Path(options.log) if options.log is not None else base / site.live.log
    if not files(folder):
        streams.stderr.write(f"There is no log in {folder} yet; it is shown when `opencram live` has begun it.\n")
    people = read_tokens(base / site.live.token_file) if site.live.token_file else {}
    hand = Door(site, base, people).hand if site.live.http is not None else None
    meant = site.live.cap.status == "Actual" and not any(feed.simulated for feed in site.live.feeds) and not drill
    shared = _shared(site, Timeline(LIVE_RECORDS_MAX), live=True)
    hello = _hello(site, options.mode or ("actual" if meant else "exercise"), "live", options)
    hello["heard"] = hand is not None
    return site, shared, hello, LiveRun(batches(Log(folder), site, hand), paced=False)


def _with(said: Said, messages: Iterator[Message]) -> Iterator[Message]:
    """Yield messages with what operators have done in between."""
    for message in messages:
        yield from said(message.t_ns)
        yield message


def _record(options: Options, head: Header) -> "Callable[[], Any] | None":
    if options.recording is None:
        return None
    path = options.recording

    def made() -> Any:
        from opencram.recording import Writer
        from opencram.runtime.sinks import RecordingSink

        return RecordingSink(Writer(path, head))

    return made


def _shared(site: Site, timeline: Timeline, *, live: bool) -> Shared:
    return Shared(
        timeline=timeline, encoder=Encoder(site), periods_s={s.id: s.period_s for s in site.sensors}, live=live
    )


def _hello(site: Site, mode: str, source: str, options: Options) -> dict[str, Any]:
    return {
        "version": __version__,
        "mode": mode,
        "source": source,
        "site": plan(site),
        "paused": options.paused,
    }


def _lifespan(live: LiveRun, shared: Shared) -> Callable[[Any], Any]:
    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()

        def take(messages: list[Message]) -> None:
            if messages:  # a look at a log that has not grown brings nothing
                shared.arrived_s = time.monotonic()
            shared.timeline.extend(messages)

        def finished() -> None:
            shared.live = False

        live.start(
            lambda messages: _soon(loop, lambda: take(messages)),
            lambda: _soon(loop, finished),
        )
        try:
            yield
        finally:
            await asyncio.to_thread(live.stop)

    return lifespan


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call)
