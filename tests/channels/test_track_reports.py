"""Tracks for other systems: CAT062 by UDP, SAPIENT reports with where a round will come down."""

import asyncio
import socket
from pathlib import Path

import numpy as np
import pytest
from test_tak import impact, track

from opencram.adapters.asterix.layout import category
from opencram.adapters.asterix.record import decode_records
from opencram.adapters.sapient import schema
from opencram.adapters.sapient.framing import Deframer
from opencram.config.live_model import Channel
from opencram.config.site import load_site, parse_site
from opencram.errors import ConfigError
from opencram.messages import Health, Message
from opencram.runtime.track_reports import AsterixTracks, SapientEdge

PATH = Path(__file__).resolve().parents[2] / "examples" / "mortars" / "site.toml"
SITE = load_site(PATH)


def test_confirmed_tracks_leave_as_category_062() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
        here.bind(("127.0.0.1", 0))
        here.settimeout(2.0)
        channel = Channel(name="c2", kind="asterix", address=here.getsockname(), sac=25, sic=7)
        said: list[Message] = []
        report = AsterixTracks(channel, SITE, said.append, simulated=True)
        report.show([track(1), track(2, "tentative"), track(3, "coasting"), track(4, "dropped")])
        data = here.recv(9000)
        report.show([track(5, "tentative")])  # nothing to send
        report._socket.close()
    assert data[0] == 62
    records = list(decode_records(category(62), data[3:]))
    assert [record["040"] for record in records] == [1, 3, 4]
    assert {(record["010"]["SAC"], record["010"]["SIC"]) for record in records} == {(25, 7)}
    assert said == []


def test_a_fusion_node_hears_who_we_are_that_we_live_and_each_track_with_its_impact() -> None:
    async def run() -> tuple[list, list[Message]]:
        heard: list = []
        deframer = Deframer()

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(65_536):
                for frame in deframer.feed(data):
                    message = schema.message_class()()
                    message.ParseFromString(frame)
                    heard.append(message)
            writer.close()

        server = await asyncio.start_server(take, "127.0.0.1", 0)
        said: list[Message] = []
        address = server.sockets[0].getsockname()
        edge = SapientEdge(Channel(name="above", kind="sapient", address=address), SITE, said.append)
        task = asyncio.create_task(edge.run())
        edge.show([track(1), impact(1)])
        for _ in range(100):
            if any(m.WhichOneof("content") == "detection_report" for m in heard):
                break
            await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0.05)
        server.close()
        return heard, said

    heard, said = asyncio.run(run())
    assert [m.WhichOneof("content") for m in heard] == ["registration", "status_report", "detection_report"]
    report = heard[-1].detection_report
    assert report.prediction_location.HasField("location")
    assert np.isfinite(report.location.x)
    assert said == []


def test_a_fusion_node_that_is_away_is_told_once_and_called_again() -> None:
    async def run() -> list[str]:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            address = one.getsockname()
        said: list[Message] = []
        edge = SapientEdge(Channel(name="above", kind="sapient", address=address), SITE, said.append)
        task = asyncio.create_task(edge.run())
        await asyncio.sleep(0.2)

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(take, *address)
        for _ in range(100):
            if len(said) > 1:
                break
            await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0.05)
        server.close()
        return [m.state for m in said if isinstance(m, Health)]

    assert asyncio.run(run()) == ["lost", "ok"]


def test_the_site_file_names_them_as_outlets() -> None:
    text = PATH.read_text()
    outlet = '\n[[outlet]]\nname = "c2"\nkind = "asterix"\naddress = "239.1.2.4:8602"\nsac = 25\nsic = 7\n'
    [channel] = parse_site(text + outlet, "site.toml").live.channels
    assert (channel.sac, channel.sic, channel.takes_alarms) == (25, 7, False)
    with pytest.raises(ConfigError, match="sic"):
        parse_site(text + outlet.replace("sic = 7", "sic = 700"), "site.toml")
