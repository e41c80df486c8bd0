"""Simulated radars: plots of a file as ASTERIX CAT015 over UDP, in real time, as if they were measured now.

python examples/live/radars.py SITE.toml plots.ndjson 127.0.0.1:8600
"""

import socket
import sys
import time
from pathlib import Path

import msgspec

from opencram.adapters.asterix.encode import encode_plots, encode_service
from opencram.config.site import load_site
from opencram.messages import Plot
from opencram.runtime.pipeline import DWELL_PLOTS_MAX
from opencram.runtime.source import Source, read_plots
from opencram.runtime.stations import stations


def main(site_path: str, plots_path: str, address: str) -> None:
    """Send the whole file once."""
    host, port = address.rsplit(":", 1)
    site = load_site(site_path)
    radars = stations(site)
    with Path(plots_path).open("rb") as file:
        plots = [m for m in read_plots(site, Source(plots_path, file)) if isinstance(m, Plot)]
    shift_ns = time.time_ns() + 500_000_000 - plots[0].t_ns
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for radar in radars:
        out.sendto(encode_service(radar, time.time_ns()), (host, int(port)))
    begin = 0
    while begin < len(plots):
        end = begin + 1
        while end < len(plots) and end - begin < DWELL_PLOTS_MAX and plots[end].t_ns == plots[begin].t_ns:
            end += 1
        t_ns = plots[begin].t_ns + shift_ns
        time.sleep(max(t_ns - time.time_ns(), 0) / 1e9)
        dwell = [msgspec.structs.replace(plot, t_ns=t_ns) for plot in plots[begin:end]]
        for block in encode_plots(dwell, radars):
            out.sendto(block, (host, int(port)))
        begin = end


if __name__ == "__main__":
    main(*sys.argv[1:])
