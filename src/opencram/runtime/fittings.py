"""What a site's file says of alarms, made real: its zones, who sends, and what delivers on each channel."""

import math
import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from opencram.adapters.cap import CapConfig, CapZone
from opencram.adapters.feeds import Feed
from opencram.adapters.words import load_language
from opencram.config.live_model import Channel, FeedSource
from opencram.config.model import Site
from opencram.runtime import channels as outlets
from opencram.runtime.overflow import Overflow
from opencram.runtime.sockets import key_of

if TYPE_CHECKING:  # those of one kind of channel are loaded where there is such a channel
    from opencram.runtime.track_reports import TrackReport


def zones_of(site: Site) -> dict[str, CapZone]:
    """Return the zones of a site as alarms name and draw them."""
    return {
        zone.id: CapZone(
            zone.id, zone.name, (tuple((math.degrees(lat), math.degrees(lon)) for lon, lat in zone.polygon),)
        )
        for zone in site.zones
    }


def cap_config(site: Site, base: Path) -> CapConfig:
    """Return who sends the alarms of a live site, and whether they are meant."""
    cap = site.live.cap
    return CapConfig(
        sender=cap.sender,
        sender_name=cap.sender_name or site.name,
        languages=tuple(load_language(name, base=base) for name in cap.languages),
        status=cap.status,
        source="live",
        simulated=any(feed.simulated for feed in site.live.feeds),
        scope=cap.scope,
        restriction=cap.restriction,
        contact=cap.contact,
        web=cap.web,
    )


def sender_of(channel: Channel, site: Site, base: Path) -> outlets.Sender:
    """Return what delivers the alarms of a channel; its files are relative to the site file."""
    secret = outlets.read_secret(base / channel.secret_file) if channel.secret_file else ""
    channel = _with_files(channel, base)
    zones = zones_of(site)
    if channel.kind == "cap-directory":
        return outlets.CapFolder(base / channel.folder)
    if channel.kind == "webhook":
        return outlets.Webhook(channel, zones, secret.encode())
    if channel.kind == "tak":
        from opencram.runtime.tak import Tak

        return Tak(channel, zones, site)
    return outlets.Mqtt(channel, zones, site.name, secret)


def report_of(channel: Channel, site: Site, base: Path, report: outlets.Report) -> "TrackReport":
    """Return what tells tracks to the other system of a channel."""
    from opencram.runtime.track_reports import AsterixTracks, SapientEdge

    if channel.kind == "sapient":
        return SapientEdge(_with_files(channel, base), site, report)
    return AsterixTracks(channel, site, report, simulated=any(feed.simulated for feed in site.live.feeds))


def _with_files(channel: Channel, base: Path) -> Channel:
    """Return a channel whose files are found from everywhere."""
    return replace(
        channel,
        ca_file=channel.ca_file and str(base / channel.ca_file),
        certificate_file=channel.certificate_file and str(base / channel.certificate_file),
        key_file=channel.key_file and str(base / channel.key_file),
    )


def overflows(
    sources: Sequence[FeedSource], feeds: Sequence[Feed], sockets: Mapping[str, socket.socket]
) -> list[tuple[Feed, Overflow]]:
    """Return what counts the losses of each feed that takes datagrams."""
    return [
        (feed, Overflow(source.name, sockets[key_of(source)]))
        for source, feed in zip(sources, feeds, strict=True)
        if source.udp is not None
    ]
