"""The keeper: a worker that is killed is replaced, the sockets stay, signals do what they say."""

import copy
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SITE = Path(__file__).resolve().parents[2] / "examples" / "mortars" / "site.toml"
# The keeper with a worker that does nothing but say who it is, and what has come for it.
PROGRAM = """
import os, signal, sys
from pathlib import Path
from opencram.errors import OpencramError
from opencram.runtime.keeper import Keeper

def serve(site, base, sockets, tell):
    (udp,) = [each for key, each in sockets.items() if key.startswith("udp")]
    udp.setblocking(True)
    udp.settimeout(0.02)
    asked = []
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, lambda number, frame: asked.append(number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
    tell(f"served-by {os.getpid()}")
    while not asked:
        try:
            tell(f"heard {udp.recv(100).decode()}")
        except TimeoutError:
            pass
    return asked[0] == signal.SIGUSR1

def warm(site, between):
    load = Path(sys.argv[1]).with_name("loading")  # kernels are being loaded as long as there is this file
    say("loads")
    while between is not None and load.exists():
        between()
    say(f"warmed {site.name}")

standby, hurry = "standby" in sys.argv, "hurry" in sys.argv
say = lambda text: os.write(1, f"{text}\\n".encode())  # a line at once: keeper and worker write side by side
try:
    Keeper(Path(sys.argv[1]), serve, warm, say, standby=standby, hurried=lambda site: hurry).run()
except OpencramError as error:
    sys.exit(str(error))
"""


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Kept:
    """A keeper in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.site = folder / "site.toml"
        feed = f'\n[[feed]]\nname = "a"\nformat = "ndjson"\nudp = "127.0.0.1:{self.port}"\n[live]\nhttp = false\n'
        self.site.write_text(SITE.read_text() + feed)
        self.lines: list[str] = []
        self.start()

    def start(self, *more: str) -> None:
        command = [sys.executable, "-c", PROGRAM, str(self.site), *more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def until(self, word: str) -> str:
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            self.lines.append(line.strip())
            if word in line:
                return line.strip()
        raise AssertionError(self.lines)

    def worker(self) -> int:
        return int(self.until("served-by ").split()[1])

    def send(self, text: str) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.sendto(text.encode(), ("127.0.0.1", self.port))


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    one = Kept(tmp_path)
    yield one
    one.end()


@pytest.fixture
def other(kept: Kept) -> Iterator[Kept]:
    """Another keeper of the same site file, not started."""
    one = copy.copy(kept)
    one.lines = []
    yield one
    one.end()


def test_a_killed_worker_is_replaced_at_once_and_what_was_sent_meanwhile_is_heard(kept: Kept) -> None:
    worker = kept.worker()
    kept.send("before")
    kept.until("heard before")
    os.kill(worker, signal.SIGSTOP)
    kept.send("meanwhile")
    began_s = time.monotonic()
    os.kill(worker, signal.SIGKILL)
    kept.until("killed by signal 9")
    assert kept.worker() != worker
    kept.until("heard meanwhile")
    assert time.monotonic() - began_s < 1.0
    kept.process.send_signal(signal.SIGTERM)
    assert kept.process.wait(5.0) == 0


def test_a_site_file_is_read_again_only_if_it_is_in_order(kept: Kept) -> None:
    worker = kept.worker()
    good = kept.site.read_text()
    kept.site.write_text(good.replace("population", "popullation"))
    kept.process.send_signal(signal.SIGHUP)
    kept.until("goes on as before")
    kept.send("still here")
    kept.until("heard still here")
    kept.site.write_text(good.replace("name = ", "name = ", 1) + "\n# a word more\n")
    kept.process.send_signal(signal.SIGHUP)
    kept.until("a new worker takes over")
    assert kept.worker() != worker
    kept.send("to the new one")
    kept.until("heard to the new one")


def test_a_worker_that_keeps_dying_is_not_replaced_for_ever(kept: Kept) -> None:
    for _ in range(6):
        os.kill(kept.worker(), signal.SIGKILL)
    kept.until("as it did 5 times")
    assert kept.process.wait(5.0) != 0


def test_a_worker_does_not_outlive_its_keeper(kept: Kept) -> None:
    worker = kept.worker()
    kept.process.kill()
    kept.process.wait()
    end_s = time.monotonic() + 5.0
    while Path(f"/proc/{worker}/stat").exists() and time.monotonic() < end_s:
        if Path(f"/proc/{worker}/stat").read_text().split()[2] == "Z":
            break
        time.sleep(0.01)
    assert time.monotonic() < end_s


def test_a_log_is_written_by_one_service(kept: Kept, other: Kept) -> None:
    kept.worker()
    other.start()
    other.until(f"process {kept.process.pid} writes the log")
    assert other.process.wait(5.0) != 0


def test_one_that_stands_by_takes_over_when_all_of_the_other_is_killed(kept: Kept, other: Kept) -> None:
    kept.worker()
    other.start("standby")
    other.until(f"stands by for process {kept.process.pid}")
    began_s = time.monotonic()
    kept.end()
    other.until("takes over")
    other.worker()
    assert time.monotonic() - began_s < 1.0
    other.send("to the other")
    other.until("heard to the other")
    kept.start("standby")
    kept.until(f"stands by for process {other.process.pid}")
    other.process.send_signal(signal.SIGTERM)  # an end in good order too
    kept.worker()


def test_one_that_stands_by_ends_when_asked_and_reads_a_changed_site_file(kept: Kept, other: Kept) -> None:
    kept.worker()
    other.start("standby")
    other.until("stands by")
    kept.site.write_text(kept.site.read_text() + "\n# a word more\n[live\n")
    other.until("the site file is not taken")
    kept.site.write_text(kept.site.read_text().replace("[live\n", "").replace('\nname = "', '\nname = "New ', 1))
    other.until("warmed New ")
    other.process.send_signal(signal.SIGTERM)
    assert other.process.wait(5.0) == 0
    kept.send("still here")
    kept.until("heard still here")


@pytest.fixture
def hurried(kept: Kept) -> Kept:
    """A keeper whose worker goes to work before the kernels are loaded, which takes until the test says so."""
    kept.end()
    kept.site.with_name("loading").touch()
    kept.start("hurry")
    return kept


def test_a_worker_goes_to_work_before_all_is_loaded_and_makes_way_when_it_is(hurried: Kept) -> None:
    worker = hurried.worker()
    hurried.send("before")
    hurried.until("heard before")
    assert not any("warmed" in line for line in hurried.lines)
    os.kill(worker, signal.SIGKILL)  # replaced meanwhile
    hurried.until("killed by signal 9")
    second = hurried.worker()
    hurried.site.with_name("loading").unlink()
    third = hurried.worker()
    assert third not in (worker, second)
    assert any("warmed" in line for line in hurried.lines)
    hurried.send("after")
    hurried.until("heard after")
    assert sum("killed" in line for line in hurried.lines) == 1


def test_a_service_ends_when_asked_while_kernels_are_being_loaded(hurried: Kept) -> None:
    hurried.worker()
    hurried.process.send_signal(signal.SIGTERM)
    assert hurried.process.wait(5.0) == 0


def test_a_site_file_that_changes_while_kernels_are_being_loaded_is_read_after(hurried: Kept) -> None:
    hurried.worker()
    hurried.site.write_text(hurried.site.read_text() + "\n# a word more\n")
    hurried.process.send_signal(signal.SIGHUP)
    hurried.send("still here")
    hurried.until("heard still here")
    hurried.site.with_name("loading").unlink()
    hurried.until("the site file has changed")
    hurried.worker()


def test_one_that_has_not_loaded_all_takes_over_at_once(hurried: Kept, other: Kept) -> None:
    hurried.worker()
    other.start("standby", "hurry")
    other.until("loads")
    began_s = time.monotonic()
    hurried.end()
    other.worker()
    assert time.monotonic() - began_s < 1.0
    assert not any("warmed" in line for line in other.lines)
    other.site.with_name("loading").unlink()
    other.until("warmed")
    other.worker()
