"""What the tests in a browser share: the browser, servers, and a flow of display/test/flows.mjs or map.mjs."""

import atexit
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import display_raid as raid
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
needs_browser = pytest.mark.skipif(bool(MISSING), reason=f"not here: {', '.join(MISSING)}")


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


@contextmanager
def replayed(kind: str, *options: str) -> Iterator[str]:
    """Run a server of what does not change, in a thread; yield its address."""
    with display_server.serving(display_server.still(kind, *options)) as running:
        yield running.address


_started: "list[tuple[subprocess.Popen[str], str]]" = []


def environment() -> dict[str, str]:
    """Return what a flow is started with: the address of the one browser of this process, too."""
    if not _started or _started[-1][0].poll() is not None:
        process = subprocess.Popen(
            ["node", str(DISPLAY / "test" / "browser.mjs")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "CHROMIUM": CHROMIUM},
        )  # fmt: skip
        assert process.stdout is not None
        _started.append((process, process.stdout.readline().strip()))
        assert _started[-1][1], "the browser did not start"
    return {**os.environ, "CHROMIUM": CHROMIUM, "BROWSER": _started[-1][1]}


@atexit.register
def _close() -> None:
    for process, _ in _started:
        process.communicate()  # the end of its input is that of the browser


def run_flow(name: str, address: str, *given: str, script: str = "flows.mjs", **more: str) -> str:
    """Run a flow to its end; fail with what it says."""
    done = subprocess.run(
        ["node", str(DISPLAY / "test" / script), name, address, *given],
        capture_output=True, text=True, timeout=400, check=False, env=environment() | more,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert f"ok {name}" in done.stdout
    return done.stdout
