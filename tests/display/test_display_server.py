"""The server, spoken to as a browser does: nothing is lost, nobody gets in without a token, nothing is fetched."""

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import display_raid as raid
import display_server
import msgspec
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from opencram.config.live import is_loopback
from opencram.display.frames import FRAME_HEAD, FRAME_KIND, LINES_KIND, TRACK_BYTES
from opencram.display.rows import decision_row
from opencram.display.server import POLICY
from opencram.display.session import Session
from opencram.errors import FileError
from opencram.runtime.access import Person, person_of, read_tokens, same_origin


@pytest.fixture(scope="module")
def server() -> Iterator[display_server.Running]:
    with display_server.serving(display_server.hub_of(display_server.recorded())) as running:
        yield running


def opened(server: display_server.Running, query: str = "", **options: Any) -> ClientConnection:
    return connect(f"ws://{server.address}/ws?{query}", max_size=None, proxy=None, **options)


def said(client: ClientConnection, kind: str, timeout_s: float = 5.0) -> dict[str, Any]:
    """The next JSON message of a kind."""
    until_s = time.monotonic() + timeout_s
    while time.monotonic() < until_s:
        message = client.recv(timeout=timeout_s)
        if isinstance(message, str) and (found := json.loads(message))["type"] == kind:
            return dict(found)
    raise AssertionError(f"no {kind}")


def framed(client: ClientConnection) -> tuple[int, float]:
    """Record and time (s after the start) of the next frame."""
    while True:
        message = client.recv(timeout=5.0)
        if isinstance(message, bytes) and int.from_bytes(message[:4], "little") == FRAME_KIND:
            return FRAME_HEAD.unpack_from(message)[1], FRAME_HEAD.unpack_from(message)[2] / 1e3 - raid.T0_NS / 1e9


def ask(client: ClientConnection, **command: Any) -> None:
    client.send(json.dumps(command))


def test_pages_forbid_everything_that_is_not_ours(server: display_server.Running) -> None:
    for path in ("/", "/public", "/static/display.js", "/public/state", "/static/nothing"):
        try:
            with urllib.request.urlopen(f"http://{server.address}{path}") as answer:
                headers, body = answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            headers, body = error.headers, error.read()
            error.close()
        assert headers["content-security-policy"] == POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert body
    assert "unsafe" not in POLICY
    assert "http" not in POLICY


def test_a_screen_is_told_what_it_will_see_and_no_compression_is_agreed(server: display_server.Running) -> None:
    with opened(server) as client:
        assert "permessage-deflate" not in (client.response.headers.get("Sec-WebSocket-Extensions") or "")  # type: ignore[union-attr]
        hello = said(client, "hello")
        assert hello["mode"] == "simulation"
        assert hello["site"]["zones"][0]["id"] == "z00"
        assert [mark[1] for mark in hello["marks"]].count("alarm") == 3
        assert hello["end"] - hello["begin"] == 60_000.0


def test_seeking_shows_every_panel_what_was_known_then(server: display_server.Running) -> None:
    with opened(server) as client:
        said(client, "state")
        for at_s, zones, action in (
            (5.5, {"z44"}, None),
            (10.0, {"z44", "z55", "z72"}, "hold"),
            (15.0, {"z44", "z72"}, "engage"),
        ):
            ask(client, do="seek", t=(raid.t_ns(at_s) / 1e6))
            state = said(client, "state")
            assert {a["zone"] for a in state["alarms"] if a["state"] != "cancelled"} == zones
            assert {d["action"] for d in state["decisions"] if d["track"] == 1} == ({action} if action else set())
            assert all(event["known"] <= raid.t_ns(at_s) / 1e6 for event in state["log"])
            assert framed(client)[1] == pytest.approx(at_s, abs=0.4)


def test_a_seek_is_answered_within_a_tenth_of_a_second(server: display_server.Running) -> None:
    with opened(server) as client:
        said(client, "state")
        ask(client, do="pause")
        best_s = 9.0
        for at_s in (50.0, 3.0, 31.0, 12.0):
            began_s = time.monotonic()
            ask(client, do="seek", t=raid.t_ns(at_s) / 1e6)
            said(client, "state")
            best_s = min(best_s, time.monotonic() - began_s)
        assert best_s < 0.1


def test_of_seeks_that_come_at_once_the_last_counts_and_its_frame_ends_the_moment(
    server: display_server.Running,
) -> None:
    """Whatever is passed over on the way: state, lines and frame of the last moment come, in this order."""
    with opened(server) as client:
        said(client, "state")
        ask(client, do="pause")
        moments = [raid.t_ns(5.0 + k) / 1e6 for k in range(40)]
        for moment in moments:
            ask(client, do="seek", t=moment)
        states = 0
        while True:
            states += 1
            if said(client, "state")["now"] == moments[-1]:
                break
        assert states <= len(moments)
        kinds = []
        while not kinds or kinds[-1] != FRAME_KIND:
            message = client.recv(timeout=5.0)
            kinds.append(
                json.loads(message)["type"] if isinstance(message, str) else int.from_bytes(message[:4], "little")
            )
        assert kinds == ["player", LINES_KIND, "status", FRAME_KIND]
        assert FRAME_HEAD.unpack_from(message)[2] == moments[-1]  # type: ignore[arg-type]


def test_pause_speed_and_the_end(server: display_server.Running) -> None:
    with opened(server, f"t={raid.t_ns(10.0) / 1e6}") as client:
        ask(client, do="pause")
        while said(client, "player")["playing"]:
            pass
        first, second = framed(client)[1], framed(client)[1]
        assert first == second
        ask(client, do="speed", speed=1e9)
        while said(client, "player")["speed"] != 20.0:  # no more than twenty times
            pass
        ask(client, do="play")
        until_s = time.monotonic() + 8.0
        while framed(client)[1] < 60.0:
            assert time.monotonic() < until_s
        while said(client, "player")["playing"]:  # it stops there by itself
            assert time.monotonic() < until_s


def test_whoever_comes_back_misses_nothing(server: display_server.Running) -> None:
    """Every event is told exactly once, whenever the line broke."""
    told: list[int] = []
    at_ms, after = raid.t_ns(4.0) / 1e6, 0
    for _ in range(3):
        with opened(server, f"t={at_ms}" + (f"&after={after}" if after else "")) as client:
            ask(client, do="speed", speed=8.0)
            until_s = time.monotonic() + 1.2
            while time.monotonic() < until_s:
                message = client.recv(timeout=5.0)
                if isinstance(message, bytes):
                    kind, seq, t_ms, *_ = (
                        FRAME_HEAD.unpack_from(message) if len(message) >= FRAME_HEAD.size else (0, 0, 0.0)
                    )
                    if kind == FRAME_KIND:
                        after, at_ms = seq, t_ms + 700.0  # while the line is down, time goes on
                elif json.loads(message)["type"] in ("events", "missed"):
                    items = json.loads(message)["items"]
                    told += [event["seq"] for event in items]
                    # The line may break before the frame that goes with them: who comes back begins there.
                    after, at_ms = max(after, told[-1]), max(at_ms, items[-1]["known"] + 1.0)
    timeline = server.hub.shared.timeline
    begun = timeline.at(raid.t_ns(4.0)).seq
    assert told == sorted(set(told))
    assert told == [e.seq for e in timeline.events_between(begun, told[-1])]
    assert len(told) >= 5


def test_a_stalled_screen_gets_the_newest_frame_and_costs_no_memory() -> None:
    timeline = display_server.recorded()
    with display_server.serving(display_server.hub_of(timeline)) as running, opened(running) as client:
        said(client, "state")
        time.sleep(1.5)  # reads nothing
        ask(client, do="seek", t=raid.t_ns(30.0) / 1e6)
        late = [framed(client)[1] for _ in range(40)]
        assert max(late) >= 30.0


@pytest.mark.parametrize(
    ("protocols", "role"),
    [
        (["opencram"], None),
        (["opencram", "token."], None),
        (["opencram", "token.wrong"], None),
        (["opencram", "token." + "b" * 32], "viewer"),
        (["opencram", "token." + "a" * 32], "operator"),
    ],
)
def test_roles_come_from_tokens(protocols: list[str], role: str | None) -> None:
    found = person_of(display_server.PEOPLE, protocols)
    assert (found.role if found else None) == role
    assert person_of({}, protocols) == Person("operator")


def test_a_wrong_token_and_a_foreign_page_are_refused() -> None:
    hub = display_server.hub_of(display_server.recorded(), people=display_server.PEOPLE)
    with display_server.serving(hub) as running:
        with (
            opened(running, subprotocols=["opencram", "token.wrong"]) as client,
            pytest.raises(ConnectionClosed) as told,
        ):  # type: ignore[list-item]
            client.recv(timeout=5.0)
        assert told.value.rcvd is not None
        assert told.value.rcvd.code == 4401
        with opened(running, subprotocols=["opencram", "token." + "a" * 32]) as client:  # type: ignore[list-item]
            assert said(client, "hello")["role"] == "operator"
        with opened(running, origin="http://elsewhere.example") as client, pytest.raises(ConnectionClosed) as told:  # type: ignore[arg-type]
            client.recv(timeout=5.0)
        assert told.value.rcvd is not None
        assert told.value.rcvd.code == 4403
    assert same_origin("http://127.0.0.1:8700", "127.0.0.1:8700")
    assert not same_origin("http://127.0.0.1:8701", "127.0.0.1:8700")


@pytest.mark.parametrize(
    "nonsense", ["", "{", "[]", '{"do": 3}', '{"do":"seek","t":1e400}', '{"do":"launch"}', "x" * 5000]
)
def test_nonsense_ends_a_screen_or_is_passed_over(server: display_server.Running, nonsense: str) -> None:
    with opened(server) as client:
        said(client, "state")
        client.send(nonsense)
        with suppress(ConnectionClosed):
            framed(client)
    with opened(server) as client:  # and everybody else is served on
        assert said(client, "hello")


def test_operators_act_on_a_live_run_and_viewers_do_not() -> None:
    told: list[tuple[str, str, int, str]] = []
    timeline = display_server.recorded()
    hub = display_server.hub_of(
        timeline, live=True, people=display_server.PEOPLE, tell=lambda *action: told.append(action)
    )  # fmt: skip
    with display_server.serving(hub) as running:
        for token in ("b" * 32, "a" * 32):
            with opened(running, subprotocols=["opencram", f"token.{token}"]) as client:  # type: ignore[list-item]
                said(client, "state")
                ask(client, do="consent", track=1, by="somebody else")  # the token says who it is
                ask(client, do="acknowledge", zone="z44")
                framed(client)
                ask(client, do="seek", t=raid.t_ns(10.0) / 1e6)
                said(client, "state")
                ask(client, do="veto", track=1)  # on the past: nobody may
                framed(client)
                framed(client)
    assert told == [("Rana K.", "consent", 1, ""), ("Rana K.", "acknowledge", 0, "z44")]


def test_without_tokens_the_screen_says_who_acts_and_only_simulated_engagements_are_decided() -> None:
    told: list[tuple[str, str, int, str]] = []
    for source in ("simulation", "live"):
        hub = display_server.hub_of(display_server.recorded(), live=True, tell=lambda *action: told.append(action))
        hub.hello["source"] = source
        with display_server.serving(hub) as running, opened(running) as client:
            assert said(client, "hello")["name"] == ""
            ask(client, do="veto", track=1, by=f" Ana\n{source} " + "x" * 100)
            ask(client, do="acknowledge", zone="z44")
            framed(client)
            framed(client)
    assert [(action, track, zone) for _, action, track, zone in told] == [
        ("veto", 1, ""), ("acknowledge", 0, "z44"), ("acknowledge", 0, "z44"),
    ]  # fmt: skip
    assert told[0][0].startswith("Ana simulation x")
    assert len(told[0][0]) == 80
    assert told[1][0] == "operator"


def test_a_screen_that_looks_at_the_past_is_told_of_alarms_at_the_live_end() -> None:
    hub = display_server.hub_of(display_server.recorded(), live=True)
    with display_server.serving(hub) as running, opened(running) as client:
        assert said(client, "status")["ahead"] is None
        ask(client, do="seek", t=raid.t_ns(10.0) / 1e6)
        said(client, "state")
        while (ahead := said(client, "status")["ahead"]) is None:
            pass
        assert (ahead["alarms"], ahead["end"]) == (0, raid.t_ns(60.0) / 1e6)
        running.extend([msgspec.structs.replace(raid.warning(1, 61.0, "issued"), alarm_id=9)])
        while (ahead := said(client, "status")["ahead"])["alarms"] == 0:
            pass
        assert (ahead["alarms"], ahead["zone"]) == (1, "z44")
        ask(client, do="follow")
        while said(client, "status")["ahead"] is not None:
            pass


def test_a_picture_that_nothing_renews_grows_old() -> None:
    """The frame of the live end is made once for all screens; its age is not."""
    timeline = display_server.recorded()
    shared = display_server.hub_of(timeline, live=True).shared
    shared.arrived_s = 100.0
    ages = []
    for now_s in (100.1, 100.4, 104.0):
        session = Session(shared)
        head = FRAME_HEAD.unpack_from(session.frame(now_s))
        ages.append(head[5])
        assert len(session.frame(now_s)) == FRAME_HEAD.size + TRACK_BYTES * head[6]
    assert ages == pytest.approx([0.1, 0.4, 4.0])


def test_a_decision_that_waits_for_people_says_until_when() -> None:
    waits = msgspec.structs.replace(raid.decision(1, 9.0, "hold"), code="awaiting_consent", values=(("until", 17),))
    assert decision_row(waits)["until"] == 17e-6
    assert decision_row(raid.decision(1, 9.0, "hold"))["until"] is None


def test_the_public_page_is_small_and_its_state_is_right(server: display_server.Running) -> None:
    total = 0
    for path in ("/public", "/static/public.js", "/static/public.css", "/public/zones", "/public/state?zone=z44"):
        with urllib.request.urlopen(f"http://{server.address}{path}") as answer:
            total += len(answer.read())
    assert total < 30_000
    with opened(server) as client:
        ask(client, do="seek", t=raid.t_ns(15.0) / 1e6)
        ask(client, do="pause")
        said(client, "state")
        framed(client)
        time.sleep(0.3)
        states = {}
        for zone in ("z44", "z55", "z00"):
            with urllib.request.urlopen(f"http://{server.address}/public/state?zone={zone}") as answer:
                states[zone] = json.loads(answer.read())
        with urllib.request.urlopen(f"http://{server.address}/public/zones") as answer:
            zones = json.loads(answer.read())["zones"]
    assert states["z44"]["alarms"] == [
        {"advice": "shelter", "impact": raid.t_ns(25.0) / 1e6, "std": pytest.approx(0.4)}
    ]
    assert states["z55"]["alarms"] == states["z00"]["alarms"] == []
    assert states["z55"]["ended"] == {"state": "cancelled", "t": raid.t_ns(12.0) / 1e6}
    assert states["z00"]["ended"] is None
    assert len(json.dumps(states["z44"])) < 300  # asked for every second, on a bad line
    assert {"id": "z44", "name": "Block 44", "shelter": 15.0} in zones
    assert "track" not in json.dumps(states)


def test_the_public_state_says_how_old_the_live_data_is() -> None:
    hub = display_server.hub_of(display_server.recorded(), live=True)
    hub.shared.arrived_s = time.monotonic() - 30.0
    with (
        display_server.serving(hub) as running,
        urllib.request.urlopen(f"http://{running.address}/public/state?zone=z44") as answer,
    ):
        assert json.loads(answer.read())["age"] == pytest.approx(30.0, abs=5.0)


def test_token_files_are_read_or_refused(tmp_path: Any) -> None:
    path = tmp_path / "tokens"
    path.write_text(f"# shift 1\noperator {'a' * 16} Rana K.\n\nviewer {'b' * 20}\n")
    assert read_tokens(path) == {"a" * 16: Person("operator", "Rana K."), "b" * 20: Person("viewer")}
    for bad in ("", "operator short\n", f"admin {'a' * 20}\n", f"operator {'a' * 20}!\n", "operator\n"):
        path.write_text(bad)
        with pytest.raises(FileError):
            read_tokens(path)
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert is_loopback("localhost")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("example.org")
