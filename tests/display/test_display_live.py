"""The display in a browser on runs that happen as one looks: nothing is lost or goes unnoticed, deeds are logged."""

import subprocess
import time

import display_server
import pytest
from display_browser import DISPLAY, environment, needs_browser, run_flow, server

pytestmark = needs_browser


def test_consent_and_veto_take_two_steps_on_a_live_run() -> None:
    with server("live", "steps", "4.5") as (address, _):
        run_flow("consent", address)


def test_a_viewer_sees_all_and_changes_nothing() -> None:
    with server("live", "steps", "4.5", "tokens") as (address, _):
        run_flow("viewer", address)


@pytest.mark.parametrize("flow", ["notLive", "liveBreak"])
def test_on_a_live_run_nothing_goes_unnoticed(flow: str) -> None:
    with server("live", "steps", "4.5") as (address, _):
        run_flow(flow, address)


def test_a_thousand_alarms_are_sorted_found_and_acknowledged() -> None:
    with server("flood", "1000") as (address, _):
        run_flow("flood", address)


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
            env=environment(),
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
