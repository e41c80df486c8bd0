"""What a site file says of the live system: faults told, no secret taken, nothing wide open; pages behind tokens."""

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from opencram.config.site import load_site, parse_site
from opencram.errors import ConfigError, UsageError
from opencram.runtime.live import Board, cap_config
from opencram.runtime.web import application, read_tokens

SITE = Path(__file__).resolve().parents[2] / "examples" / "mortars" / "site.toml"
FEED = '[[feed]]\nname = "a"\nformat = "asterix"\nudp = "127.0.0.1:8600"\n'


def parsed(text: str):
    return parse_site(SITE.read_text() + "\n" + text, SITE)


WRONG = {
    '[live]\nhttp = "0.0.0.0:8470"': "is not loopback",
    '[live]\nhttp = "0.0.0.0:8470"\ncertificate_file = "c"\nkey_file = "k"': "is not loopback",
    '[live]\nhttp = "127.0.0.1"': "must be a host and a port",
    '[[feed]]\nname = "a"\nformat = "asterix"': "must have one of udp, tcp and connect",
    FEED + 'tcp = "127.0.0.1:1"': "must have one of udp, tcp and connect",
    FEED + FEED: "must be unique",
    '[[feed]]\nname = "a"\nformat = "sapient"\nudp = "127.0.0.1:1"': "SAPIENT comes over TCP",
    '[[outlet]]\nname = "m"\nkind = "mqtt"': "is required",
    '[[outlet]]\nname = "m"\nkind = "mqtt"\naddress = "a:1"\npassword = "secret"': "must not stand in the site file",
    '[[outlet]]\nname = "w"\nkind = "webhook"\nurl = "file:///etc/passwd"': "must begin with https",
    '[cap]\nstatus = "actual"': "must be one of",
    '[cap]\nscope = "Restricted"': "needs a restriction",
}


@pytest.mark.parametrize("text", list(WRONG))
def test_a_fault_is_told(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(text)
    assert WRONG[text] in str(caught.value)


def test_an_alarm_is_meant_only_if_no_feed_is_simulated() -> None:
    actual = '[cap]\nstatus = "Actual"\n' + FEED
    assert cap_config(parsed(actual), SITE.parent).real_status == "Actual"
    assert cap_config(parsed(actual + 'targets = "simulated"'), SITE.parent).real_status == "Exercise"
    assert cap_config(parsed(FEED), SITE.parent).real_status == "Exercise"
    assert cap_config(load_site(SITE), SITE.parent).real_status == "Exercise"


def service() -> SimpleNamespace:
    core = SimpleNamespace(state=SimpleNamespace(now_ns=0, open_tracks=frozenset()), plots=0, steps=0)
    return SimpleNamespace(board=Board(site="A", started_ns=0, zones={}), core=core, outlets=[])


def got(app, path: str, token: str = "") -> httpx.Response:
    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://site.example") as client:
            return await client.get(path, headers={"Authorization": f"Bearer {token}"} if token else {})

    return asyncio.run(get())


def test_pages_are_behind_tokens_where_there_are_any(tmp_path: Path) -> None:
    tokens_file = tmp_path / "tokens"
    tokens_file.write_text("viewer 0123456789abcdef\noperator fedcba9876543210\n")
    guarded = application(service(), read_tokens(tokens_file))
    for path in ("/health", "/alarms.geojson", "/atom.xml", "/metrics", "/cap/x.xml", "/nothing"):
        assert got(guarded, path).status_code == 401
        assert got(guarded, path, "0123456789abcdeX").status_code == 401
    assert json.loads(got(guarded, "/health", "0123456789abcdef").content)["ok"]
    assert got(application(service(), {}), "/metrics").text.startswith("opencram_alarms 0")
    assert got(application(service(), {}), "/cap/x.xml").status_code == 404
    tokens_file.write_text("viewer short\n")
    with pytest.raises(UsageError, match="16 characters"):
        read_tokens(tokens_file)
