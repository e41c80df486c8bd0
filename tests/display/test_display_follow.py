"""A live service looked at from beside it: nothing of its log is missed or told twice, and deeds reach it."""

import io
import json
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import display_raid as raid
import display_server
import pytest
from websockets.sync.client import connect

from opencram.config.live_model import FeedSource, Live
from opencram.config.model import Site
from opencram.display.follow import CHUNK_RECORDS, Door, Log, batches
from opencram.display.run import Options, open_source
from opencram.errors import RecordingError, UsageError
from opencram.messages import Header, Health, Message, Operator, Plot, Tick
from opencram.recording import Writer
from opencram.runtime.access import Person
from opencram.runtime.shell import Streams

EXAMPLE = raid.ROOT / "examples" / "seven-rockets"
FEED = '\n[[feed]]\nname = "n"\nformat = "ndjson"\ntcp = "127.0.0.1:1"\n'
STREAMS = Streams(stdin=io.BytesIO(), stdout=io.StringIO(), stderr=io.StringIO())


def head(begun_s: float = 0.0, sha256: str = "") -> Header:
    site = raid.site()
    return Header(
        t_ns=raid.t_ns(begun_s), schema_version=1, program_version="0", commit="", source="live", site_name=site.name,
        site_toml=site.text, site_sha256=sha256 or site.sha256,
    )  # fmt: skip


def begin(folder: Path, number: int, begun_s: float = 0.0, sha256: str = "") -> Writer:
    return Writer(folder / f"live-{number:06d}.opencram", head(begun_s, sha256))


def bodies(messages: list[Message]) -> list[Message]:
    """Messages without headers."""
    return [message for message in messages if not isinstance(message, Header)]


def test_what_is_written_is_told_once_and_in_order_over_the_ends_of_files(tmp_path: Path) -> None:
    log, told, sent = Log(tmp_path), [], []
    assert log.new() == []
    found = list(raid.batches())
    writer = begin(tmp_path, 1)
    for number, batch in enumerate(found):
        writer.append(batch, direction="in")
        sent += batch
        if number % 50 == 49:  # a file is full: the next one is begun, and then this one is sealed
            writer.commit()
            old, writer = writer, begin(tmp_path, number // 50 + 2, number / 10.0)
            if number % 100 == 49:
                told += log.new()
            old.close()
        elif number % 3 == 0:
            writer.commit()
            told += log.new()
    writer.close()
    for _ in range(20):
        told += log.new()
    shown = [m for m in sent if not isinstance(m, Plot)]
    assert [m for m in bodies(told) if not isinstance(m, Plot)] == shown
    assert log.new() == []


def test_of_the_past_an_hour_is_told_and_no_plots(tmp_path: Path) -> None:
    for number, begun_s in enumerate((0.0, 3000.0, 6000.0, 9000.0), 1):
        with begin(tmp_path, number, begun_s) as writer:
            plot = Plot(
                t_ns=raid.t_ns(begun_s), plot_id=1, sensor="north", range_m=5e3, azimuth_rad=1.0, elevation_rad=0.2
            )
            writer.append([plot, Tick(t_ns=raid.t_ns(begun_s + 1.0))], direction="in")
    log, told = Log(tmp_path), []
    for _ in range(6):
        told += log.new()
    assert bodies(told) == [Tick(t_ns=raid.t_ns(s)) for s in (3001.0, 6001.0, 9001.0)]
    writer = Writer(tmp_path / "live-000004.opencram", None)  # the service goes on in the same file
    writer.append([plot], direction="in")
    writer.commit()
    assert log.new() == [plot]
    writer.close()


def test_a_long_past_comes_in_pieces(tmp_path: Path) -> None:
    with begin(tmp_path, 1) as writer:
        writer.append([Tick(t_ns=raid.t_ns(k / 10.0)) for k in range(2 * CHUNK_RECORDS)], direction="in")
    log = Log(tmp_path)
    sizes = [len(log.new()) for _ in range(4)]
    assert sizes == [CHUNK_RECORDS, CHUNK_RECORDS, 1, 0]


def test_a_reader_does_not_keep_a_file_from_being_sealed(tmp_path: Path) -> None:
    writer = begin(tmp_path, 1)
    writer.append(raid.messages(), direction="in")
    writer.commit()
    path = tmp_path / "live-000001.opencram"
    reading = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, check_same_thread=False)
    reading.execute("BEGIN").connection.execute("SELECT count(*) FROM record").fetchone()
    ends = threading.Timer(0.4, reading.close)
    ends.start()
    writer.close()
    ends.join()
    assert sqlite3.connect(path).execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_torn_file_is_told_after_a_while_not_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with begin(tmp_path, 1) as writer:
        writer.append(raid.messages(), direction="in")
    log = Log(tmp_path)
    assert log.new()
    path = tmp_path / "live-000001.opencram"
    path.write_bytes(path.read_bytes()[:3000])
    assert log.new() == []
    monkeypatch.setattr("opencram.display.follow.UNREADABLE_S_MAX", 0.0)
    time.sleep(0.01)
    with pytest.raises(RecordingError):
        log.new()


def live_site(**more: Any) -> Site:
    feed = FeedSource(name="north", format="ndjson", tcp=("127.0.0.1", 1), simulated=more.pop("simulated", False))
    return replace(raid.site(), live=Live(feeds=(feed,), **more))


@pytest.fixture
def service() -> Iterator[tuple[int, list[tuple[str, dict[str, Any]]], list[int]]]:
    """What a live service would hear, and what it answers."""
    heard: list[tuple[str, dict[str, Any]]] = []
    answers = [202]

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.append((self.headers.get("authorization", ""), json.loads(body)))
            self.send_response(answers[0])
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1], heard, answers
    server.shutdown()
    server.server_close()


def test_deeds_go_to_the_service_under_the_token_of_who_did_them(service: Any, tmp_path: Path) -> None:
    port, heard, answers = service
    site = live_site(http=("127.0.0.1", port))
    done = Operator(t_ns=1, operator="Rana K.", action="acknowledge", zone="z44")
    assert Door(site, tmp_path, {}).hand(done) == ""
    people = {"v" * 20: Person("viewer"), "a" * 20: Person("operator", "Ana"), "r" * 20: Person("operator", "Rana K.")}
    assert Door(site, tmp_path, people).hand(done) == ""
    assert [token for token, _ in heard] == ["", "Bearer " + "r" * 20]
    assert heard[0][1] == {"action": "acknowledge", "track": 0, "zone": "z44", "operator": "Rana K."}
    answers[0] = 403
    with begin(tmp_path, 1) as writer:
        writer.append([Tick(t_ns=raid.t_ns(1.0))], direction="in")
    drawn = batches(Log(tmp_path), site, Door(site, tmp_path, people).hand)(lambda _: [done])
    _, faults = next(drawn)
    assert [(m.part, m.state) for m in faults if isinstance(m, Health)] == [("display", "degraded")]
    assert "not taken by the live service" in faults[0].reason  # type: ignore[attr-defined]


def test_another_site_file_is_told(tmp_path: Path) -> None:
    with begin(tmp_path, 1, sha256="0" * 64):
        pass
    _, faults = next(batches(Log(tmp_path), raid.site(), None)(lambda _: []))
    assert "another site file" in faults[0].reason  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("simulated", "status", "drill", "mode"),
    [
        ("real", "Actual", False, "actual"), ("simulated", "Actual", False, "exercise"),
        ("real", "Exercise", False, "exercise"), ("real", "Actual", True, "exercise"),
    ],
)  # fmt: skip
def test_a_live_site_is_actual_only_if_its_alarms_are(
    tmp_path: Path, simulated: str, status: str, drill: bool, mode: str
) -> None:
    text = (EXAMPLE / "site.toml").read_text(encoding="utf-8")
    text += FEED + f'targets = "{simulated}"\n[cap]\nstatus = "{status}"\nsender = "a@example.org"\n'
    (tmp_path / "site.toml").write_text(text, encoding="utf-8")
    options = Options(log=str(tmp_path / "drill") if drill else None)
    _, shared, hello, live = open_source(str(tmp_path / "site.toml"), options, STREAMS)
    assert (hello["mode"], hello["source"], shared.live) == (mode, "live", True)
    assert live is not None


def test_options_that_do_not_go_together_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="without feeds"):
        open_source(str(EXAMPLE / "site.toml"), Options(), STREAMS)
    with pytest.raises(UsageError, match="--log goes with"):
        open_source(str(EXAMPLE / "site.toml"), Options(log="x", plots="y"), STREAMS)


@pytest.mark.slow
def test_a_live_service_is_shown_and_hears_who_acknowledges(tmp_path: Path) -> None:
    """`opencram live` on recorded plots, `opencram serve` beside it: an alarm is acknowledged, in the service's log."""
    ports = [display_server.free_port() for _ in range(2)]
    (tmp_path / "tokens").write_text(f"operator {'a' * 32} Rana K.\nviewer {'b' * 32}\n")
    text = (EXAMPLE / "site.toml").read_text(encoding="utf-8")
    text += FEED + f'[live]\nhttp = "127.0.0.1:{ports[0]}"\ntoken_file = "tokens"\n'
    (tmp_path / "site.toml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "opencram"]
    live = [*command, "live", "site.toml", "--replay", str(EXAMPLE / "plots.ndjson")]
    with subprocess.Popen(live, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as service:
        try:
            until_s = time.monotonic() + 900.0  # kernels may have to be compiled
            while not (folders := list(tmp_path.glob("log-replay-*/*.opencram"))):
                assert time.monotonic() < until_s
                time.sleep(0.1)
            shown = [*command, "serve", "site.toml", "--log", str(folders[0].parent), "--port", str(ports[1])]
            with subprocess.Popen(shown, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as display:
                try:
                    assert display.stdout is not None
                    assert "The display is at" in display.stdout.readline()
                    _listens(ports[1])
                    _acknowledges(ports[1])
                finally:
                    display.terminate()
        finally:
            service.terminate()


def _listens(port: int) -> None:
    """Wait until somebody takes connections: the address is told a moment before."""
    until_s = time.monotonic() + 30.0
    while True:
        with socket.socket() as asking:
            if asking.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < until_s
        time.sleep(0.1)


def _acknowledges(port: int) -> None:
    """Wait for an alarm, acknowledge it, and wait until the log says so."""
    until_s, asked = time.monotonic() + 120.0, False
    with connect(
        f"ws://127.0.0.1:{port}/ws", max_size=None, proxy=None, subprotocols=["opencram", "token." + "a" * 32]  # type: ignore[list-item]
    ) as client:  # fmt: skip
        while time.monotonic() < until_s:
            message = client.recv(timeout=60.0)
            if isinstance(message, bytes):
                continue
            told = json.loads(message)
            if told["type"] == "hello":
                assert (told["mode"], told["live"], told["role"], told["acts"]) == ("exercise", True, "operator", True)
            alarms = [*told.get("alarms", []), *(e["row"] for e in told.get("items", []) if e["kind"] == "alarm")]
            if alarms and not asked:
                client.send(json.dumps({"do": "acknowledge", "zone": alarms[0]["zone"]}))
                asked = True
            for event in told.get("items", []):
                if event["kind"] == "operator":
                    assert event["row"]["operator"] == "Rana K."
                    return
    raise AssertionError("nobody acknowledged")
