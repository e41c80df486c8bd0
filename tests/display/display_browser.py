"""What the tests in a browser share: a server in a process of its own, and a flow of display/test/flows.mjs."""

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


def run_flow(name: str, address: str, **environment: str) -> str:
    """Run a flow to its end; fail with what it says."""
    done = subprocess.run(
        ["node", str(DISPLAY / "test" / "flows.mjs"), name, address],
        capture_output=True, text=True, timeout=400, check=False,
        env={**os.environ, "CHROMIUM": CHROMIUM, **environment},
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert f"ok {name}" in done.stdout
    return done.stdout
