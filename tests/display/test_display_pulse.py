"""Screens that follow a live run are served together: each gets everything once, however it stalls between."""

import json
import random
import struct
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import display_raid as raid
import display_server
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from opencram.display.frames import FRAME_HEAD, FRAME_KIND, LINE_HEAD, LINES_HEAD, LINES_KIND
from opencram.display.pulse import STALLED_S, Pulse
from opencram.display.session import FRAME_S, Session, Shared
from opencram.display.timeline import Timeline
from opencram.display.wire import frames
from opencram.messages import Message


class Heard:
    """A connection whose other side takes what comes, or does not."""

    def __init__(self) -> None:
        self.waiting, self.open, self.was_cut = 0, True, False
        self.got: list[bytes] = []

    def write(self, data: bytes) -> None:
        assert self.open
        assert not self.waiting
        self.got.append(data)

    def cut(self) -> None:
        self.was_cut, self.open = True, False


def payloads(data: bytes) -> Iterator[str | bytes]:
    """The messages in the frames of a server (RFC 6455, 5.2), of which each is one."""
    at = 0
    while at < len(data):
        first, short = data[at], data[at + 1]
        assert first in (0x81, 0x82)  # the last frame of its message; text or binary; nothing compressed
        assert short < 128  # not masked
        at += 2
        size = short
        if short == 126:
            (size,), at = struct.unpack_from(">H", data, at), at + 2
        elif short == 127:
            (size,), at = struct.unpack_from(">Q", data, at), at + 8
        payload, at = data[at : at + size], at + size
        yield payload.decode() if first == 0x81 else payload


def trails_of(told: bytes, known: dict[int, list[tuple[float, ...]]]) -> None:
    """Put what lines say into `known`, as a screen does."""
    _, tracks = LINES_HEAD.unpack_from(told)
    at = LINES_HEAD.size
    for _ in range(tracks):
        track, before, points, path = LINE_HEAD.unpack_from(told, at)
        at += LINE_HEAD.size
        trail = list(struct.iter_unpack("<3f", told[at : at + 12 * points]))
        at += 12 * (points + path)
        had = known.setdefault(track, [])
        assert before == len(had), "a piece of a trail is missing"
        had += trail


def batches() -> list[list[Message]]:
    return list(raid.batches())


def live(messages: list[list[Message]], tenths: int) -> tuple[Shared, Iterator[list[Message]]]:
    """A live run that has come so far, and what is still to come."""
    shared = display_server.hub_of(Timeline(), live=True).shared
    coming = iter(messages)
    for _ in range(tenths):
        shared.timeline.extend(next(coming))
    return shared, coming


def greeted(shared: Shared, now_s: float) -> Session:
    """A session that has been told the state of this moment."""
    session = Session(shared)
    session.follow()
    session.state()
    list(session.lines(now_s))
    return session


def run(pulse: Pulse, shared: Shared, coming: Iterator[list[Message]], each: Callable[[int], Any]) -> float:
    """Let the rest of a live run come, a beat for each batch; return when it ended."""
    now_s = 1000.0
    for tenth, batch in enumerate(coming):
        shared.timeline.extend(batch)
        each(tenth)
        now_s = 1000.0 + (tenth + 0.5) * FRAME_S
        pulse.beat(now_s)
    return now_s


def beating(monkeypatch: pytest.MonkeyPatch) -> Pulse:
    """A pulse that beats when it is told to."""
    monkeypatch.setattr(Pulse, "_next", lambda self: None)
    return Pulse()


def test_screens_in_step_are_written_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    pulse, (shared, coming) = beating(monkeypatch), live(batches(), 40)
    wires = [Heard() for _ in range(5)]
    for wire in wires:
        pulse.join(greeted(shared, 1000.0), wire)  # type: ignore[arg-type]
    run(pulse, shared, coming, lambda _: None)
    first = wires[0].got
    assert len(first) > 100
    for wire in wires[1:]:
        assert len(wire.got) == len(first)
        assert all(mine is others for mine, others in zip(wire.got, first, strict=True))


@pytest.mark.parametrize("seed", range(8))
def test_whoever_stalls_gets_every_event_once_the_newest_frame_and_every_point(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    pulse, (shared, coming) = beating(monkeypatch), live(batches(), chance.randrange(5, 60))
    begun = shared.timeline.latest.seq
    screens = [(greeted(shared, 990.0), Heard(), chance.random() ** 2) for _ in range(6)]
    for session, wire, _ in screens:
        pulse.join(session, wire)  # type: ignore[arg-type]

    def stall(tenth: int) -> None:
        for _, wire, share in screens:
            if tenth % 7 == 0:
                wire.waiting = 10_000 if chance.random() < share else 0

    now_s = run(pulse, shared, coming, stall)
    for _, wire, _ in screens:
        wire.waiting = 0
    for late in range(6):  # lines come twice a second
        pulse.beat(now_s + (late + 1) * FRAME_S)
    told = [e.seq for e in shared.timeline.events_between(begun, shared.timeline.latest.seq)]
    assert len(told) > 5
    for _, wire, _ in screens:
        events: list[int] = []
        newest, shown = 0, False
        for data in wire.got:
            framed = 0
            for message in payloads(data):
                if isinstance(message, str):
                    said = json.loads(message)
                    events += [item["seq"] for item in said.get("items", ())]
                elif int.from_bytes(message[:4], "little") == FRAME_KIND:
                    framed, newest = framed + 1, FRAME_HEAD.unpack_from(message)[1]
                else:
                    assert int.from_bytes(message[:4], "little") == LINES_KIND
                    shown = True
            assert framed == 1
        assert events == told
        assert newest == shared.timeline.latest.seq
        assert shown


def test_lines_of_a_screen_in_step_make_up_the_trails(monkeypatch: pytest.MonkeyPatch) -> None:
    pulse, (shared, coming) = beating(monkeypatch), live(batches(), 1)
    session, wire = greeted(shared, 990.0), Heard()
    pulse.join(session, wire)  # type: ignore[arg-type]
    known: dict[int, list[tuple[float, ...]]] = {}
    checked = 0

    def compare(tenth: int) -> None:
        nonlocal checked
        if tenth % 50 or not known:
            return
        for track, trail in shared.timeline.latest.trails.items():
            had = known.get(track, [])
            behind = shared.timeline.latest.trailed[track] - len(had)
            assert 0 <= behind <= 2  # told twice a second
            kept = len(trail) - behind
            assert [x for p in had[-kept:] for x in p] == pytest.approx([x for p in trail[:kept] for x in p], rel=1e-6)
            checked += 1

    def take(tenth: int) -> None:
        for data in wire.got:
            for message in payloads(data):
                if isinstance(message, bytes) and int.from_bytes(message[:4], "little") == LINES_KIND:
                    trails_of(message, known)
        wire.got.clear()
        compare(tenth)

    run(pulse, shared, coming, take)
    assert checked > 5


def test_what_is_closing_is_left_alone_and_what_stalls_too_long_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    pulse, (shared, _) = beating(monkeypatch), live(batches(), 40)
    closing, stalled, well = Heard(), Heard(), Heard()
    for wire in (closing, stalled, well):
        pulse.join(greeted(shared, 1000.0), wire)  # type: ignore[arg-type]
    closing.open, stalled.waiting = False, 1
    now_s = time.monotonic()
    for beat in range(round(STALLED_S) + 2):
        assert not stalled.was_cut or beat >= STALLED_S
        pulse.beat(now_s + beat)
    assert stalled.was_cut
    assert (closing.got, closing.was_cut) == ([], False)
    assert not well.was_cut
    assert len(well.got) == round(STALLED_S) + 2


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 200_000])
def test_messages_of_every_length_are_framed_as_they_are(size: int) -> None:
    binary, text = bytes(k % 251 for k in range(size)), "é" * (size // 2)
    assert list(payloads(frames([binary, text, binary]))) == [binary, text, binary]


def test_on_one_connection_greeting_beats_answers_pongs_and_the_close_are_in_order() -> None:
    """Frames by the pulse and messages through ASGI share a connection; a client that checks every byte reads both."""
    hub = display_server.hub_of(display_server.recorded(), live=True)
    with ExitStack() as stack:
        running = stack.enter_context(display_server.serving(hub))
        address = f"ws://{running.address}/ws"
        clients = [stack.enter_context(connect(address, max_size=None, proxy=None)) for _ in range(4)]
        for client in clients:
            assert json.loads(client.recv(timeout=5.0))["type"] == "hello"
        served(hub.pulse, 4)
        assert clients[0].ping().wait(5.0)
        clients[1].send(json.dumps({"do": "pause"}))
        playing = True
        while playing:
            message = clients[1].recv(timeout=5.0)
            if isinstance(message, str) and (said := json.loads(message))["type"] == "player":
                playing = said["playing"]
        served(hub.pulse, 3)  # it goes by its own time now
        clients[1].send(json.dumps({"do": "follow"}))
        served(hub.pulse, 4)
        clients[2].send("nonsense")
        with pytest.raises(ConnectionClosed):
            deque(clients[2], maxlen=0)
        clients[3].close()
        assert clients[3].close_code == 1000
        served(hub.pulse, 2)


def served(pulse: Pulse, screens: int) -> None:
    """Wait until so many are served by the pulse."""
    until_s = time.monotonic() + 5.0
    while len(pulse) != screens:
        assert time.monotonic() < until_s, f"{len(pulse)} screens, not {screens}"
        time.sleep(0.01)
