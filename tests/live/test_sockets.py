"""Sockets of feeds, and feeds that are none: a named pipe, standard input of the service, CSV with a column map."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from opencram.adapters.feeds import Feed, Received
from opencram.config.live_model import FeedSource
from opencram.config.site import parse_site
from opencram.errors import ConfigError
from opencram.messages import Plot
from opencram.recording import read_inputs
from opencram.runtime.sockets import open_feed

SITE = Path(__file__).resolve().parents[2] / "examples" / "mortars" / "site.toml"


def test_a_named_pipe_is_read_whoever_writes_to_it(tmp_path: Path) -> None:
    pipe = tmp_path / "plots"
    os.mkfifo(pipe)
    heard: list[bytes] = []

    def receive(feed: Feed, pieces: list[bytes]) -> Received:
        heard.extend(pieces)
        return Received()

    async def run() -> None:
        source = FeedSource(name="p", format="ndjson", file=str(pipe))
        task = await open_feed(source, None, receive, lambda feed: None, {})  # type: ignore[arg-type]
        for text in (b"one\n", b"two\n"):
            await asyncio.sleep(0.05)
            with pipe.open("wb", buffering=0) as writer:  # opened anew: the first writer has gone
                writer.write(text)
        for _ in range(100):
            if b"".join(heard) == b"one\ntwo\n":
                break
            await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert b"".join(heard) == b"one\ntwo\n"


def test_the_service_reads_csv_with_a_column_map_from_standard_input(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(
        '[csv]\ndelimiter = ";"\nsensor = "mast"\n[time]\ncolumn = "t"\nunit = "epoch_s"\n'
        '[range_m]\ncolumn = "r"\nunit = "km"\n[azimuth_deg]\ncolumn = "az"\nunit = "mil"\n'
        '[elevation_deg]\ncolumn = "el"\n'
    )
    feed = '\n[[feed]]\nname = "in"\nformat = "csv"\nfile = "-"\ncolumns = "map.toml"\n[live]\nhttp = false\n'
    (tmp_path / "site.toml").write_text(SITE.read_text() + feed)
    command = [sys.executable, "-m", "opencram", "live", str(tmp_path / "site.toml")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdin is not None
        assert service.stdout is not None
        assert service.stdout.readline().startswith("live:")
        service.stdin.write("t;r;az;el\n")
        for k in range(12):
            service.stdin.write(f"{time.time():.3f};{3.0 + 0.01 * k:.3f};1600;{20 + 0.1 * k:.2f}\n")
            service.stdin.flush()
            time.sleep(0.05)
        time.sleep(0.3)
        service.send_signal(signal.SIGTERM)
        try:
            service.wait(20.0)
        finally:
            service.kill()
    plots = [m for m in read_inputs(tmp_path / "log" / "live-000001.opencram") if isinstance(m, Plot)]
    assert [round(plot.range_m) for plot in plots] == [3000 + 10 * k for k in range(12)]
    assert {round(plot.azimuth_rad, 6) for plot in plots} == {1.570796}


@pytest.mark.parametrize(
    ("feed", "place"),
    [
        ('format = "ndjson"\nfile = "-"\nudp = "127.0.0.1:9000"\n', "$.feed[0]"),
        ('format = "ndjson"\nfile = "-"\ncolumns = "map.toml"\n', "$.feed[0].columns"),
    ],
)
def test_what_does_not_go_together_is_told(feed: str, place: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_site(SITE.read_text() + f'\n[[feed]]\nname = "a"\n{feed}', "site.toml")
    assert place in str(error.value)


def test_a_service_that_ends_while_a_feed_is_connected_ends_without_complaint(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    feed = f'\n[[feed]]\nname = "in"\nformat = "ndjson"\ntcp = "127.0.0.1:{port}"\n[live]\nhttp = false\n'
    (tmp_path / "site.toml").write_text(SITE.read_text() + feed)
    command = [sys.executable, "-m", "opencram", "live", str(tmp_path / "site.toml")]
    said: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as service:
        assert service.stdout is not None
        for line in service.stdout:
            said.append(line)
            if line.startswith("live:"):
                break
        with socket.create_connection(("127.0.0.1", port)) as radar:
            radar.sendall(b'{"type": "nothing"}\n')
            time.sleep(0.3)
            service.terminate()
            said += service.stdout.readlines()
        assert service.wait(timeout=20.0) == 0
    assert not [line for line in said if "Exception" in line or "Traceback" in line]
