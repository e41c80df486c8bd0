"""What a site file says of the live system: faults told, no secret taken, nothing wide open; pages behind tokens."""

import asyncio
import base64
import json
import socket
from pathlib import Path
from types import SimpleNamespace

import httpx
import msgspec
import pytest
import websockets

from opencram.config.live_model import Live
from opencram.config.site import load_site, parse_site
from opencram.errors import ConfigError, FileError
from opencram.messages import FeedStatus, Health, Plot, Track
from opencram.recording import read_inputs
from opencram.runtime.access import read_tokens
from opencram.runtime.fittings import cap_config
from opencram.runtime.live import Board, LiveService
from opencram.runtime.stream import Stream
from opencram.runtime.web import application, serve

SITE = Path(__file__).resolve().parents[2] / "examples" / "mortars" / "site.toml"
FEED = '[[feed]]\nname = "a"\nformat = "asterix"\nudp = "127.0.0.1:8600"\n'


def parsed(text: str):
    return parse_site(SITE.read_text() + "\n" + text, SITE)


WRONG = {
    '[live]\nhttp = "0.0.0.0:8470"': "is not loopback",
    '[live]\nhttp = "0.0.0.0:8470"\ncertificate_file = "c"\nkey_file = "k"': "is not loopback",
    '[live]\nhttp = "127.0.0.1"': "must be a host and a port",
    '[[feed]]\nname = "a"\nformat = "asterix"': "must have one of udp, tcp, connect and file",
    FEED + 'tcp = "127.0.0.1:1"': "must have one of udp, tcp, connect and file",
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
    writer = SimpleNamespace(bytes_written=0)
    core = SimpleNamespace(state=SimpleNamespace(now_ns=0, open_tracks=frozenset()), plots=0, steps=0, writer=writer)
    made = SimpleNamespace(board=Board(site="A", started_ns=0, zones={}), core=core, outlets=[], said=[])
    made.stream = Stream(load_site(SITE))
    made.operate = lambda *what: made.said.append(what)
    return made


def asked(app, path: str, token: str = "", method: str = "GET", **more) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        headers = ({"Authorization": f"Bearer {token}"} if token else {}) | more.pop("headers", {})
        base_url = more.pop("base_url", "http://127.0.0.1:8470")
        async with httpx.AsyncClient(transport=transport, base_url=base_url) as client:
            return await client.request(method, path, headers=headers, **more)

    return asyncio.run(ask())


VIEWER, OPERATOR = "0123456789abcdef", "fedcba9876543210"
PAGES = (
    "/", "/health", "/picture.geojson", "/alarms.geojson", "/atom.xml", "/metrics", "/cap/x.xml", "/openapi.json",
    "/docs", "/nothing",
)  # fmt: skip


@pytest.fixture
def people(tmp_path: Path) -> dict:
    path = tmp_path / "tokens"
    path.write_text(f"viewer {VIEWER}\noperator {OPERATOR} Lieutenant A\n")
    return read_tokens(path)


def test_pages_are_behind_tokens_where_there_are_any(people: dict, tmp_path: Path) -> None:
    guarded = application(service(), people)
    for path in PAGES:
        assert asked(guarded, path).status_code == 401
        assert asked(guarded, path, "0123456789abcdeX").status_code == 401
    assert json.loads(asked(guarded, "/health", VIEWER, base_url="http://site.example").content)["ok"]
    refused = asked(guarded, "/")
    assert "Basic" in refused.headers["WWW-Authenticate"]  # a browser asks for the token as a password
    for password, status in ((VIEWER, 200), (VIEWER + "x", 401), ("", 401)):
        given = base64.b64encode(f"anybody:{password}".encode()).decode()
        assert asked(guarded, "/", headers={"Authorization": f"Basic {given}"}).status_code == status
    assert asked(guarded, "/", headers={"Authorization": "Basic ?"}).status_code == 401
    assert asked(application(service(), {}), "/metrics").text.startswith("opencram_alarms 0")
    assert asked(application(service(), {}), "/cap/x.xml").status_code == 404
    (tmp_path / "short").write_text("viewer short\n")
    with pytest.raises(FileError, match=r"line 1: .* at least 16 letters"):
        read_tokens(tmp_path / "short")


def test_the_health_page_tells_feeds_channels_and_what_is_wrong_in_words() -> None:
    site = service()
    status = FeedStatus(
        t_ns=10**18, feed="<north>", plots=1200, rejected=(("time_back", 3), ("overflow", 7)), bytes_received=1,
        rate_per_s=93.25, delay_s=0.021, delay_s_max=0.155, clock_drift_ppm=-12.0, last_plot_t_ns=1_767_225_600 * 10**9,
    )  # fmt: skip
    site.board.statuses["<north>"] = status
    site.outlets.append(
        SimpleNamespace(
            name="sirens", state="lost", delivered=8, waiting=2, given_up=1, failed=4, last_latency_s=0.0412
        )
    )
    site.board.health["channel:sirens"] = Health(t_ns=10**18, part="channel:sirens", state="lost", reason="no <route>")
    site.board.health["sensor:a"] = Health(t_ns=10**18, part="sensor:a", state="ok", reason="back")
    text = asked(application(site, {}), "/").text
    for said in ("93.2", "0.021", "0.155", "-12", "2026-01-01 00:00:00 UTC", "overflow 7, time_back 3", "0.041"):
        assert said in text, said
    assert "Something is lost" in text
    assert "no &lt;route&gt;" in text
    assert "<north>" not in text
    assert "sensor:a" not in text  # what is well needs no row
    metrics = asked(application(site, {}), "/metrics").text
    assert 'opencram_part_ok{part="channel:sirens"} 0' in metrics
    assert 'opencram_feed_clock_drift_ppm{feed="<north>"} -12.0' in metrics


def test_on_loopback_only_this_machine_is_answered_and_no_page_of_elsewhere() -> None:
    app = application(service(), {})
    assert asked(app, "/health").status_code == 200
    assert asked(app, "/health", base_url="http://localhost:8470").status_code == 200
    # A name of elsewhere that resolves to this machine, and a page of elsewhere that asks this machine.
    assert asked(app, "/health", base_url="http://evil.example:8470").status_code == 403
    assert asked(app, "/health", headers={"Origin": "http://evil.example"}).status_code == 403
    assert asked(app, "/health", headers={"Origin": "http://127.0.0.1:8470"}).status_code == 200


def test_operators_act_and_viewers_do_not(people: dict) -> None:
    site = service()
    app = application(site, people)
    veto = {"action": "veto", "track": 3, "operator": "somebody else"}
    assert asked(app, "/operator", VIEWER, "POST", json=veto).status_code == 403
    assert asked(app, "/operator", "", "POST", json=veto).status_code == 401
    assert site.said == []
    assert asked(app, "/operator", OPERATOR, "POST", json=veto).status_code == 202
    assert site.said == [("Lieutenant A", "veto", 3, "")]  # the name in the token file stands above
    wrong = [
        {"action": "fire", "track": 3},
        {"action": "veto"},
        {"action": "hold", "aim": 1},
        {"track": 3},
        {"action": "veto", "track": -1},
    ]
    for body in wrong:
        assert asked(app, "/operator", OPERATOR, "POST", json=body).status_code == 400, body
    for content in (b"", b"\xff", b"[" * 5000):
        headers = {"content-type": "application/json"}
        assert asked(app, "/operator", OPERATOR, "POST", content=content, headers=headers).status_code == 400
    assert asked(app, "/operator", OPERATOR, "POST", content=b'{"action":"hold"}').status_code == 400  # no JSON type
    assert len(site.said) == 1


def test_every_page_is_described_and_every_description_is_a_page() -> None:
    app = application(service(), {})
    described = asked(app, "/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    assert set(described["paths"]) == {*PAGES, "/events", "/operator", "/cap/{identifier}.xml"} - {
        "/nothing",
        "/cap/x.xml",
    }
    text = asked(app, "/docs").text
    assert all(path in text for path in described["paths"])


TRACK = Track(
    t_ns=10**18, track_id=3, status="confirmed", position_enu_m=(0.0, 0.0, 500.0), velocity_enu_m_s=(0.0, 100.0, 1.0),
    position_m_std=9.0, classes=(("rocket", 1.0),), plots=5, first_t_ns=1, updated_t_ns=1,
)  # fmt: skip


def test_events_are_streamed_what_stands_first(tmp_path: Path) -> None:
    site = service()
    site.stream.take([], [TRACK])
    (tmp_path / "tokens").write_text(f"viewer {VIEWER}\n")

    async def run() -> None:
        bound = socket.create_server(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        live = Live(http=("127.0.0.1", port), token_file="tokens")
        served = asyncio.create_task(serve(live, tmp_path, site, {f"http 127.0.0.1:{port}": bound}))
        await asyncio.sleep(0.2)
        address = f"ws://127.0.0.1:{port}/events?types=track"
        with pytest.raises(websockets.InvalidStatus, match="403"):
            await websockets.connect(address)
        offered = ["opencram", f"token.{VIEWER}"]
        async with websockets.connect(address, subprotocols=offered) as listener:
            assert listener.subprotocol == "opencram"
            assert json.loads(await listener.recv())["track"] == 3
            site.stream.take([], [msgspec.structs.replace(TRACK, track_id=4)])
            assert json.loads(await listener.recv())["track"] == 4
        served.cancel()
        await asyncio.gather(served, return_exceptions=True)
        bound.close()

    asyncio.run(run())
    assert site.stream.picture({}, {})["features"][0]["geometry"]["coordinates"][2] > 400.0
    site.stream.take([], [msgspec.structs.replace(TRACK, status="dropped")])
    assert len(site.stream.picture({}, {})["features"]) == 1


def test_who_falls_too_far_behind_is_parted_from_not_served_with_gaps() -> None:
    stream = Stream(load_site(SITE))
    listener = stream.join(frozenset({"track"}), {})
    stream.take([], [TRACK] * 10_000)
    assert not listener.late.is_set()
    stream.take([], [TRACK])
    assert listener.late.is_set()


def test_what_stands_in_for_what_is_not_known_is_said_at_the_start_of_the_log(tmp_path: Path) -> None:
    levels = "height_m,pressure_hpa,temperature_c\n0,1010,20\n1500,847,10\n3000,706,0\n"
    (tmp_path / "met.csv").write_text(levels)
    (tmp_path / "site.toml").write_text(SITE.read_text() + '\n[weather]\nfile = "met.csv"\n')
    site = load_site(tmp_path / "site.toml")
    told: list[str] = []
    service = LiveService(site, tmp_path, told.append, {})
    assert service.board.health["weather"].state == "degraded"
    assert any("air ends at 3000 m" in line for line in told)
    plot = Plot(
        t_ns=service.board.started_ns, plot_id=1, sensor=site.sensors[0].id, range_m=5000.0, azimuth_rad=1.0,
        elevation_rad=0.3,
    )  # fmt: skip
    service.core.take([plot], plot.t_ns)
    service.core.close(plot.t_ns)
    kept = [m for m in read_inputs(service.core.path) if isinstance(m, Health)]
    assert [m.part for m in kept] == ["weather"]
    assert "air ends at 3000 m" in kept[0].reason
