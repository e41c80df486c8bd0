"""The display in a browser: real flows, driven by Playwright through Debian's chromium (display/test/flows.mjs)."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import display_raid as raid
import display_screens
import display_server
import pytest

DISPLAY = raid.ROOT / "display"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
MISSING = [
    name
    for name, there in (
        ("node", shutil.which("node")),
        ("chromium", CHROMIUM),
        ("display/node_modules (npm ci)", (DISPLAY / "node_modules" / "playwright-core").is_dir()),
    )
    if not there
]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not here: {', '.join(MISSING)}")


@contextmanager
def server(kind: str, *options: str, port: int = 0) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Run a server in a process of its own; yield its address."""
    port = port or display_server.free_port()
    command = [sys.executable, str(Path(display_server.__file__)), kind, str(port), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, "the server did not start"
        try:
            yield address, process
        finally:
            process.kill()


def run_flow(name: str, address: str, **environment: str) -> str:
    """Run a flow to its end; fail with what it says."""
    done = subprocess.run(
        ["node", str(DISPLAY / "test" / "flows.mjs"), name, address],
        capture_output=True, text=True, timeout=150, check=False,
        env={**os.environ, "CHROMIUM": CHROMIUM, **environment},
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert f"ok {name}" in done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def replay() -> Iterator[str]:
    with server("replay") as (address, _):
        yield address


@pytest.mark.parametrize(
    "flow", ["raid", "seek", "languages", "axe", "magnified", "publicPage", "badLine", "keyboard", "sounds", "health"]
)
def test_replay(replay: str, flow: str) -> None:
    run_flow(flow, replay)


def test_ten_screens_answer_who_must_act_now_in_banner_and_first_row() -> None:
    asked = [
        {"what": screen.what, "moment": display_screens.moment_s(k), "banner": screen.banner, "row": screen.row}
        for k, screen in enumerate(display_screens.SCREENS)
    ]
    with server("screens") as (address, _):
        run_flow("screens", address, SCREENS=json.dumps(asked))
        salvo = next(each["moment"] for each in asked if "salvo" in str(each["what"]))
        run_flow("grey", address, MOMENT=str(salvo))


def test_consent_and_veto_take_two_steps_on_a_live_run() -> None:
    with server("live", "0.5", "4.5") as (address, _):
        run_flow("consent", address)


def test_a_viewer_sees_all_and_changes_nothing() -> None:
    with server("live", "0.5", "4.5", "tokens") as (address, _):
        run_flow("viewer", address)


@pytest.mark.parametrize("flow", ["notLive", "liveBreak"])
def test_on_a_live_run_nothing_goes_unnoticed(flow: str) -> None:
    with server("live", "1.0", "4.5") as (address, _):
        run_flow(flow, address)


def test_a_thousand_alarms_are_sorted_found_and_acknowledged() -> None:
    with server("flood", "1000") as (address, _):
        run_flow("flood", address)


def test_a_wrong_token_is_told() -> None:
    with server("tokens") as (address, _):
        run_flow("token", address)


def test_the_four_modes_never_look_alike() -> None:
    with ExitStack() as served:
        modes = ("simulation", "exercise", "test", "actual")
        addresses = {mode: served.enter_context(server("replay", mode))[0] for mode in modes}
        run_flow("modes", addresses["simulation"], MODES=json.dumps(addresses))


def test_data_that_no_longer_come_are_told() -> None:
    with server("live", "1.0", "58.5") as (address, _):
        run_flow("noData", address)


def test_a_lost_connection_is_told_and_resumed() -> None:
    port = display_server.free_port()
    with server("replay", port=port) as (address, process):
        command = ["node", str(DISPLAY / "test" / "flows.mjs"), "reconnect", address]
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "CHROMIUM": CHROMIUM},
        ) as flow:
            assert flow.stdout is not None
            assert flow.stdout.readline().strip() == "ready"
            process.kill()
            process.wait()
            assert flow.stdout.readline().strip() == "lost"
            time.sleep(0.5)
            with server("replay", port=port):
                rest = flow.stdout.read()
                assert flow.wait(timeout=60) == 0, rest
