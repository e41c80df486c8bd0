"""Reading the tables of the live system: `[[feed]]`, `[[outlet]]`, `[cap]` and `[live]`."""

import ipaddress
from typing import Any, Final, cast

from opencram.config.live_model import Address, CapSite, Channel, FeedSource, Live
from opencram.config.table import NOT_NEGATIVE, POSITIVE, Table
from opencram.config.wire import BYTE

_ADDRESS: Final = 'write it as "host:port", "127.0.0.1:8600" or "[::1]:8600"'
_WIDER: Final = "whoever is on the network could read it and act: give certificate_file, key_file and token_file"
# What each kind of channel cannot do without.
_NEEDS: Final = {
    "cap-directory": ("folder", "give the folder for CAP files"),
    "webhook": ("url", "give the address to post to"),
    "mqtt": ("address", "give the broker's host and port"),
    "tak": ("address", "give the host and port of the TAK server, or of a multicast group"),
    "asterix": ("address", "give the host and port, or the multicast group, that takes system tracks"),
    "sapient": ("address", "give the host and port of the fusion node"),
}


def read_live(root: Table) -> Live:
    """Return the live system that the site file describes, after noting its faults."""
    usual = Live()
    feeds = tuple(_feed(table) for table in root.tables("feed", "write each feed under [[feed]]"))
    channels = tuple(_channel(table) for table in root.tables("outlet", "write each outlet under [[outlet]]"))
    for kind, named in (("feed", feeds), ("outlet", channels)):
        names = [each.name for each in named]
        for place, name in enumerate(names):
            if name and name in names[:place]:
                root.findings.fault(f"$.{kind}[{place}].name", name, "must be unique", "give each a name of its own")
    cap = _cap(root.table("cap", "write [cap] once"))
    table = root.table("live", "write [live] once")
    if table is None:
        return Live(feeds=feeds, channels=channels, cap=cap)
    off = table.values.get("http") is False
    table.knows("http")
    http = None if off else _address(table, "http", required=False) or usual.http
    live = Live(
        feeds=feeds,
        channels=channels,
        cap=cap,
        log=table.string("log", "give the folder of the log", default=usual.log),
        raw=table.choice("raw", ("keep", "drop"), "say whether bytes are kept", default="keep") == "keep",
        segment_mb=table.number("segment_mb", POSITIVE, "give the megabytes of a file of the log", default=256.0),
        segment_s=table.number("segment_s", POSITIVE, "give the seconds that a file of the log lasts", default=3600.0),
        keep_gb=table.number("keep_gb", NOT_NEGATIVE, "give the gigabytes of log to keep; 0: all", default=0.0),
        keep_days=table.number("keep_days", NOT_NEGATIVE, "give the days of log to keep; 0: all", default=0.0),
        parquet=table.choice("parquet", ("yes", "no"), "say whether tables are written", default="no") == "yes",
        http=http,
        certificate_file=_file(table, "certificate_file"),
        key_file=_file(table, "key_file"),
        token_file=_file(table, "token_file"),
    )
    secured = live.certificate_file and live.key_file and live.token_file
    if live.http is not None and not is_loopback(live.http[0]) and not secured:
        table.fault("http", table.values["http"], "is not loopback, and TLS or tokens are missing", _WIDER)
    table.done()
    return live


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches what listens on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_multicast(host: str) -> bool:
    """Return whether `host` is a multicast group."""
    try:
        return ipaddress.ip_address(host).is_multicast
    except ValueError:
        return False


def _feed(table: Table) -> FeedSource:
    name = table.string("name", "give the feed a short name")
    usual = FeedSource(name="", format="ndjson")
    source = FeedSource(
        name=name,
        format=cast(Any, table.choice("format", ("ndjson", "csv", "asterix", "sapient"), "say what the feed speaks")),
        udp=_address(table, "udp", required=False),
        tcp=_address(table, "tcp", required=False),
        connect=_address(table, "connect", required=False),
        file=table.string("file", 'give "-" for standard input, or the path of a pipe', default=""),
        columns=_file(table, "columns"),
        interface=table.string("interface", "give the address of the interface", default=""),
        sensors=_texts(table, "sensors", "name the sensors whose plots come this way"),
        simulated=table.choice("targets", ("real", "simulated"), '"simulated": of a simulator', default="real")
        == "simulated",
        late_s_max=table.number("late_s_max", POSITIVE, "give the seconds beyond which a plot is late", default=0.5),
        ahead_s_max=table.number("ahead_s_max", POSITIVE, "give the seconds ahead that a clock may be", default=0.1),
        start_s=table.number("start_s", NOT_NEGATIVE, "give the seconds that a sensor may take to start", default=10.0),
    )
    given = [key for key in ("udp", "tcp", "connect", "file") if key in table.values]
    if len(given) != 1:
        table.here("must have one of udp, tcp, connect and file", "say where its bytes come from")
    elif source.columns and source.format != "csv":
        table.fault("columns", source.columns, "belongs to CSV", 'take it out, or write format = "csv"')
    elif source.format == "sapient" and source.udp is not None:
        table.fault("udp", table.values["udp"], "SAPIENT comes over TCP", "give tcp or connect")
    table.done()
    return source if source.name else usual


def _channel(table: Table) -> Channel:
    name = table.string("name", "give the outlet a short name")
    kind = table.choice("kind", tuple(_NEEDS), "say how alarms leave")
    needed, remedy = _NEEDS[kind]
    address = _address(table, "address", required=needed == "address")
    channel = Channel(
        name=name,
        kind=cast(Any, kind),
        folder=table.string("folder", "give a folder", default=None if needed == "folder" else ""),
        url=table.string("url", remedy, default=None if needed == "url" else ""),
        address=address or ("", 0),
        topic=table.string("topic", "give the first part of the topics", default="opencram"),
        user=table.string("user", "give the user's name", default=""),
        secret_file=_file(table, "secret_file"),
        tls=table.choice("security", ("none", "tls"), "say whether TLS is spoken", default="none") == "tls",
        ca_file=_file(table, "ca_file"),
        certificate_file=_file(table, "certificate_file"),
        key_file=_file(table, "key_file"),
        timeout_s=table.number("timeout_s", POSITIVE, "give the seconds that a delivery may take", default=5.0),
        sac=table.integer("sac", BYTE, "give the ASTERIX system area code of our tracks", default=0),
        sic=table.integer("sic", BYTE, "give the ASTERIX system identification code of our tracks", default=255),
    )
    for key in ("password", "secret", "token", "key"):
        table.unsupported(key, "must not stand in the site file, which goes into the log", f"use {key}_file")
    if kind == "webhook" and channel.url and not channel.url.startswith(("http://", "https://")):
        table.fault("url", channel.url, "must begin with https:// or http://", "give the whole address")
    table.done()
    return channel


def _cap(table: Table | None) -> CapSite:
    if table is None:
        return CapSite()
    cap = CapSite(
        status=cast(Any, table.choice("status", ("Exercise", "Actual"), "say whether it is meant", default="Exercise")),
        sender=table.string("sender", "give an address that is yours alone", default="opencram"),
        sender_name=table.string("sender_name", "give the name that people know", default=""),
        languages=_texts(table, "languages", 'write ["en", "fr", "ar"], or paths of TOML files') or ("en",),
        scope=cast(Any, table.choice("scope", ("Public", "Restricted", "Private"), "say for whom", default="Public")),
        restriction=table.string("restriction", "say to whom it is restricted", default=""),
        contact=table.string("contact", "say whom people may call", default=""),
        web=table.string("web", "give a page with more", default=""),
        key_file=_file(table, "key_file"),
        certificate_file=_file(table, "certificate_file"),
    )
    if cap.scope == "Restricted" and not cap.restriction:
        table.fault("scope", cap.scope, "needs a restriction", "say to whom it is restricted")
    table.done()
    return cap


def _file(table: Table, key: str) -> str:
    return table.string(key, "give the path of a file, relative to the site file", default="")


def _texts(table: Table, key: str, remedy: str) -> tuple[str, ...]:
    values = table.array(key, remedy, required=False)
    if not all(isinstance(value, str) and value.strip() for value in values):
        table.fault(key, values, "must be an array of strings", remedy)
        return ()
    return tuple(values)


def _address(table: Table, key: str, *, required: bool) -> Address | None:
    text = table.string(key, _ADDRESS, default=None if required else "")
    if not text:
        return None
    host, _, port = text.rpartition(":")
    if not host.strip("[]") or not port.isascii() or not port.isdigit() or not NOT_NEGATIVE.hold(65_535 - int(port)):
        table.fault(key, text, "must be a host and a port", _ADDRESS)
        return None
    return host.strip("[]"), int(port)
