"""What the system drops before the service reads it is counted and told; nothing is lost silently."""

import socket
import sys

import pytest

from opencram.runtime.overflow import QUIET_NS, Overflow, dropped

SENT = 2000
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux counts drops for a socket")


@pytest.fixture
def small():
    """A socket with the least buffer that the system grants."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        one.bind(("127.0.0.1", 0))
        one.setblocking(False)
        yield one


def flood(one: socket.socket) -> int:
    """Send more than fits; return how many arrived."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(SENT):
            sender.sendto(b"plots", one.getsockname())
    read = 0
    while True:
        try:
            one.recv(100)
        except BlockingIOError:
            return read
        read += 1


def test_every_datagram_is_read_or_counted_as_dropped(small: socket.socket) -> None:
    assert dropped(small) == 0
    read = flood(small)
    assert 0 < read < SENT
    assert dropped(small) == SENT - read


def test_a_loss_is_told_once_and_its_end_too(small: socket.socket) -> None:
    follow = Overflow("radar", small)
    assert follow.check(0) == (0, None)
    first = SENT - flood(small)
    lost, health = follow.check(10**9)
    assert lost == first
    assert health is not None
    assert (health.part, health.state) == ("feed:radar", "degraded")
    assert f"{first} datagrams were dropped" in health.reason
    second = SENT - flood(small)
    assert follow.check(2 * 10**9) == (second, None)
    assert follow.check(3 * 10**9) == (0, None)
    lost, health = follow.check(2 * 10**9 + QUIET_NS)
    assert lost == 0
    assert health is not None
    assert health.state == "ok"
    assert str(first + second) in health.reason
    assert follow.check(3 * 10**9 + QUIET_NS) == (0, None)


def test_losses_before_a_worker_begins_are_told_and_are_not_its_own(small: socket.socket) -> None:
    before = SENT - flood(small)
    follow = Overflow("radar", small)
    lost, health = follow.check(0)
    assert lost == 0
    assert health is not None
    assert f"{before} datagrams were dropped, in all, before" in health.reason
    assert follow.check(1) == (0, None)


def test_a_closed_socket_loses_nothing(small: socket.socket) -> None:
    follow = Overflow("radar", small)
    small.close()
    assert follow.check(0) == (0, None)


def test_what_waits_when_the_service_ends_is_counted_and_told(small: socket.socket) -> None:
    watch = Overflow("north", small)
    assert not watch.is_waiting
    assert watch.let_go(1) == (0, None)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(3):
            sender.sendto(b"plots", small.getsockname())
    waits = 3 - dropped(small)
    assert watch.is_waiting
    lost, health = watch.let_go(2)
    assert lost == waits > 0
    assert health is not None
    assert f"while {waits} datagrams waited" in health.reason
    assert not watch.is_waiting
