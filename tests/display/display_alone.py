"""Runs a browser flow where there is no network but loopback: to be started within a network namespace of its own.

unshare -rn python display_alone.py TOWN.pmtiles
"""

import dataclasses
import errno
import fcntl
import socket
import struct
import sys
from pathlib import Path

import display_raid as raid
import display_server
from display_browser import run_flow

from opencram.config.model import BaseMap
from opencram.display.basemap import open_basemap

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1  # netdevice(7)


def main(town: str) -> None:
    """Bring loopback up, see that nobody else can be reached, serve, and drive a browser."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))
        assert [name for _, name in socket.if_nameindex() if name != "lo"] == [] or control.connect_ex(
            ("192.0.2.1", 9)
        ) == errno.ENETUNREACH
    basemap = open_basemap(dataclasses.replace(raid.site(), basemap=BaseMap(path=Path(town))))
    with display_server.serving(display_server.hub_of(display_server.recorded(), basemap=basemap)) as running:
        for script, flow in (("map.mjs", "basemap"), ("flows.mjs", "seek"), ("flows.mjs", "publicPage")):
            print(run_flow(flow, running.address, script=script), end="", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
